//! `_sre.SRE_Template`: a replacement string with references to groups, compiled by `re._compile_template`.

use super::pattern::Pattern;
use taipan_object::builtins::bytes::{self, Bytes};
use taipan_object::builtins::int;
use taipan_object::builtins::list::List;
use taipan_object::builtins::str::Str;
use taipan_object::builtins::str::write::to_exact;
use taipan_object::header::Header;
use taipan_object::heap::Kind;
use taipan_object::object::{Payload, Visitor};
use taipan_object::types::{Type, TypeSpec, type_flags};
use taipan_object::{Ref, Result, Value, Vm, exceptions};

#[repr(C)]
pub struct Template {
    pub header: Header,
    /// What precedes the first group.
    pub literal: Value,
    /// Groups, each with what follows it, unless that is empty.
    pub items: Box<[(usize, Option<Value>)]>,
}

// SAFETY: repr(C), header first, visits every reference.
unsafe impl Payload for Template {
    const KIND: Kind = Kind::Container;
    fn static_type() -> &'static Type {
        TEMPLATE.ty()
    }
    fn traverse(&self, visit: Visitor) {
        visit(&self.literal);
        for (_, literal) in &self.items {
            if let Some(literal) = literal {
                visit(literal);
            }
        }
    }
}

pub static TEMPLATE: TypeSpec =
    TypeSpec::new::<Template>("_sre.SRE_Template").flags(type_flags::DISALLOW_INSTANTIATION);

/// `_sre.template(pattern, template)`
pub fn compile(vm: &Vm, _: &Value, args: &[Value]) -> Result {
    let Some(list) = args[1].downcast::<List>() else {
        let name = args[1].ty().name();
        return Err(vm.type_error(format!("template() argument 2 must be list, not {name}")));
    };
    let parts = list.to_vec();
    let Some((literal, rest)) = parts.split_first() else { return Err(vm.type_error("invalid template")) };
    if rest.len() % 2 != 0 {
        return Err(vm.type_error("invalid template"));
    }
    let mut items = Vec::with_capacity(rest.len() / 2);
    for pair in rest.chunks_exact(2) {
        if !int::is_int(&pair[0]) {
            return Err(vm.type_error("an integer is required"));
        }
        let Ok(index) = usize::try_from(super::matching::ssize(vm, &pair[0])?) else {
            return Err(vm.type_error("invalid template"));
        };
        let empty = pair[1].downcast::<Str>().is_some_and(|text| text.len() == 0)
            || pair[1].downcast::<Bytes>().is_some_and(|bytes| bytes.as_slice().is_empty());
        items.push((index, (!empty).then(|| pair[1].clone())));
    }
    let header = Header::new(TEMPLATE.ty());
    Ok(Ref::new(Template { header, literal: literal.clone(), items: items.into() }).into_value())
}

/// `re._compile_template(pattern, template)`
pub fn from_text(vm: &Vm, pattern: &Value, template: &Value) -> Result<Ref<Template>> {
    debug_assert!(pattern.downcast::<Pattern>().is_some());
    let compile = vm.import_from("re", "_compile_template")?;
    let compiled = match vm.call(&compile, &[pattern.clone(), template.clone()], None) {
        Ok(compiled) => compiled,
        Err(raised) if vm.pending_matches(&raised, exceptions::type_error()) => {
            // What cannot be hashed (a bytearray, say) is tried once more as a basic type.
            let basic = if template.downcast::<Str>().is_some() && template.downcast_exact::<Str>().is_none() {
                vm.discard(raised);
                to_exact(template)
            } else if vm.has_buffer(template) && template.downcast_exact::<Bytes>().is_none() {
                vm.discard(raised);
                bytes::from_slice(vm, &bytes::convert::from_object(vm, template)?)?
            } else {
                return Err(raised);
            };
            vm.call(&compile, &[pattern.clone(), basic], None)?
        }
        Err(raised) => return Err(raised),
    };
    match compiled.downcast_ref::<Template>() {
        Some(template) => Ok(template),
        None => {
            let name = compiled.ty().name();
            Err(vm.type_error(format!("the result of compiling a replacement string is {name}, not a template")))
        }
    }
}
