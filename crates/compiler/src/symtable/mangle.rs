//! Name mangling: `__name` in a class becomes `_Class__name`.

use bumpalo::Bump;

/// The name as recorded inside the class `private`.
pub fn mangle<'a>(arena: &'a Bump, private: Option<&str>, name: &'a str) -> &'a str {
    let Some(private) = private else { return name };
    // Dotted names come from imports of modules, which are never mangled.
    if !name.starts_with("__") || name.ends_with("__") || name.contains('.') {
        return name;
    }
    let class = private.trim_start_matches('_');
    // A class named with underscores alone mangles nothing.
    if class.is_empty() {
        return name;
    }
    let mut mangled = bumpalo::collections::String::with_capacity_in(1 + class.len() + name.len(), arena);
    mangled.push('_');
    mangled.push_str(class);
    mangled.push_str(name);
    mangled.into_bump_str()
}
