//! The embedded library as a directory on `sys.path`.
//!
//! The module `_taipan_library` gives files and code of the pack to `_taipan_importer.py` (in `pylib`), whose path hook
//! claims the library's directory and those below it, unless there is a library on the disk.

use crate::code::Code;
use std::borrow::Cow;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::sync::OnceLock;
use taipan_bytecode::{Text, packed};
use taipan_object::builtins::bytes;
use taipan_object::builtins::list::List;
use taipan_object::builtins::str::{Str, intern};
use taipan_object::native::MethodDef;
use taipan_object::native::module::{Module, ModuleDef};
use taipan_object::vm::names;
use taipan_object::{Ref, Result, Value, Vm, method_table};

/// Where the files of the library come from.
pub struct Library {
    /// The content of a file, and its packed code if there is any.
    pub source: fn(&str) -> Option<Cow<'static, [u8]>>,
    pub code: fn(&str) -> Option<&'static [u8]>,
    pub is_file: fn(&str) -> bool,
    pub is_dir: fn(&str) -> bool,
    pub list_dir: fn(&str) -> Vec<&'static str>,
}

static LIBRARY: OnceLock<Library> = OnceLock::new();

/// Sets where the embedded library comes from.
pub fn set_library(library: Library) {
    let _ = LIBRARY.set(library);
}

pub static MODULE: ModuleDef = ModuleDef {
    name: "_taipan_library",
    doc: "The embedded standard library.",
    functions: FUNCTIONS,
    exec: |_, module| {
        let directory = crate::getpath::get().stdlib_dir.as_os_str().as_bytes();
        module.set("directory", Str::from_fs_bytes(directory).into_value());
        module.set("is_on_disk", Value::bool(is_on_disk()));
        Ok(())
    },
};

fn path_of(vm: &Vm, value: &Value) -> Result<String> {
    let text = vm.expect_str(value, |got| format!("a path in the library must be str, not {got}"))?;
    Ok(text.to_string_lossy())
}

method_table! {
    static FUNCTIONS = [
        MethodDef::new("read($module, path, /)", "The content of a file of the library; None if there is none.", |vm, _, args| {
            let path = path_of(vm, &args[0])?;
            let source = LIBRARY.get().and_then(|library| (library.source)(&path));
            Ok(source.map_or(Value::NONE, |source| bytes::new(&source)))
        }),
        MethodDef::new("exists($module, path, /)", "1 for a file, 2 for a directory, else 0.", |vm, _, args| {
            let path = path_of(vm, &args[0])?;
            Ok(Value::from(match LIBRARY.get() {
                Some(library) if (library.is_file)(&path) => 1,
                Some(library) if (library.is_dir)(&path) => 2,
                _ => 0,
            }))
        }),
        MethodDef::new("is_directory($module, path, /)", "Whether a directory is on the disk.", |vm, _, args| {
            let path = vm.expect_str(&args[0], |got| format!("a path must be str, not {got}"))?;
            Ok(Value::bool(Path::new(OsStr::from_bytes(&path.to_fs_bytes())).is_dir()))
        }),
        MethodDef::new("list($module, path, /)", "The names in a directory of the library.", |vm, _, args| {
            let path = path_of(vm, &args[0])?;
            let names = LIBRARY.get().map(|library| (library.list_dir)(&path)).unwrap_or_default();
            Ok(List::from_vec(names.into_iter().map(Value::from).collect()).into_value())
        }),
        MethodDef::new("code($module, path, filename, /)", "The code object of a module of the library.", |vm, _, args| {
            match code_of(vm, &path_of(vm, &args[0])?, &args[1])? {
                Some(code) => Ok(code.into_value()),
                None => Err(vm.import_error("no such file in the library")),
            }
        }),
    ];
}

/// The code object of a module, with the given file name.
pub fn code_of(vm: &Vm, path: &str, filename: &Value) -> Result<Option<Ref<Code>>> {
    let Some(library) = LIBRARY.get() else { return Ok(None) };
    if crate::config::get().optimize == 0
        && let Some(pack) = (library.code)(path)
        && let Some(name) = filename.downcast::<Str>().and_then(|name| Text::from_bytes(&name.to_wtf8()))
    {
        return Ok(Some(Code::new(packed::unpack(pack, name))));
    }
    match (library.source)(path) {
        Some(source) => super::compile_file(vm, &source, filename).map(Some),
        None => Ok(None),
    }
}

/// Whether there is a library on the disk, which takes precedence.
pub fn is_on_disk() -> bool {
    static ON_DISK: OnceLock<bool> = OnceLock::new();
    *ON_DISK.get_or_init(|| crate::getpath::get().stdlib_dir.join("os.py").is_file())
}

/// Puts the path hook in place.
pub fn install(vm: &Vm) -> Result<()> {
    const NAME: &str = "importlib._taipan_importer";
    let module = Module::new(NAME);
    let modules = super::modules(vm);
    modules.set_str(intern(NAME).as_value(), module.as_value().clone());
    module.set("__builtins__", modules.get_str(&names().builtins).unwrap_or(Value::NONE));
    let Some(code) = code_of(vm, "_taipan_importer.py", &Value::from("<frozen _taipan_importer>"))? else {
        return Err(vm.import_error("the embedded library lacks _taipan_importer.py"));
    };
    crate::eval::eval_code(vm, &code, &module.dict, None, None)?;
    vm.call_method(module.as_value(), "install", &[]).map(drop)
}
