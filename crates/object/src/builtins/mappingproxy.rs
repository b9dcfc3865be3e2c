//! `types.MappingProxyType`: a read-only view of a mapping.

use crate::builtins::dict::Dict;
use crate::builtins::generic_alias;
use crate::builtins::list::List;
use crate::builtins::tuple::Tuple;
use crate::header::Header;
use crate::heap::Kind;
use crate::native::MethodDef;
use crate::native::signature::Signature;
use crate::object::{Payload, Ref, Result, Visitor};
use crate::types::{Type, TypeSpec, type_flags};
use crate::value::Value;
use crate::vm::{Vm, names};
use std::sync::LazyLock;

#[repr(C)]
pub struct MappingProxy {
    pub header: Header,
    pub mapping: Value,
}

// SAFETY: repr(C), header first, visits the mapping.
unsafe impl Payload for MappingProxy {
    const KIND: Kind = Kind::Container;
    fn static_type() -> &'static Type {
        MAPPING_PROXY.ty()
    }
    fn traverse(&self, visit: Visitor) {
        visit(&self.mapping);
    }
}

pub static MAPPING_PROXY: TypeSpec = TypeSpec::new::<MappingProxy>("mappingproxy")
    .doc("mappingproxy(mapping)\n--\n\nA view of a mapping through which it cannot be changed.")
    .flags(type_flags::MAPPING)
    .slots(|s| {
        s.new = Some(new_proxy);
        s.repr = Some(|vm, this| Ok(Value::from(format!("mappingproxy({})", vm.repr_string(&own(this).mapping)?))));
        s.hash = Some(|vm, this| vm.hash(&own(this).mapping));
        s.str = Some(|vm, this| vm.str(&own(this).mapping));
        s.richcompare = Some(|vm, this, other, op| vm.rich_compare(&own(this).mapping, other, op));
        s.iter = Some(|vm, this| vm.iter(&own(this).mapping));
        s.or = Some(|vm, left, right| vm.or(unwrapped(left), unwrapped(right)));
        s.inplace_or = Some(|vm, this, _| {
            let name = this.ty().name();
            Err(vm.type_error(format!("'|=' is not supported by {name}; use '|' instead")))
        });
        s.length = Some(|vm, this| vm.len(&own(this).mapping));
        s.subscript = Some(|vm, this, key| vm.get_item(&own(this).mapping, key));
        s.contains = Some(|vm, this, key| match own(this).mapping.downcast_exact::<Dict>() {
            Some(dict) => dict.contains(vm, key),
            None => vm.contains(&own(this).mapping, key),
        });
    })
    .methods(METHODS);

fn own(value: &Value) -> &MappingProxy {
    value.downcast::<MappingProxy>().expect("called through its own slot")
}

fn unwrapped(value: &Value) -> &Value {
    value.downcast::<MappingProxy>().map_or(value, |proxy| &proxy.mapping)
}

pub fn new(mapping: Value) -> Value {
    Ref::new(MappingProxy { header: Header::new(MAPPING_PROXY.ty()), mapping }).into_value()
}

fn new_proxy(vm: &Vm, _class: &Value, args: &[Value], kwnames: Option<&Value>) -> Result {
    static SIGNATURE: LazyLock<Signature> = LazyLock::new(|| Signature::parse("mappingproxy(mapping)"));
    let bound = SIGNATURE.bind(vm, args, kwnames)?;
    let mapping = &bound[0];
    let is_sequence = mapping.downcast::<List>().is_some() || mapping.downcast::<Tuple>().is_some();
    if mapping.ty().slots().subscript.is_none() || is_sequence {
        let name = mapping.ty().name();
        return Err(vm.type_error(format!("mappingproxy() argument must be a mapping, not {name}")));
    }
    Ok(new(mapping.clone()))
}

crate::method_table! { static METHODS = [
    MethodDef::new("get($self, key, default=None, /)", "\
        Return the value stored under key, or default if there is no such key.", |vm, this, args| {
        vm.call_method(&own(this).mapping, "get", args)
    }),
    MethodDef::new("keys($self, /)", "\
        D.keys() -> a view of the keys of D, which can be used as a set", |vm, this, _| {
        vm.call_method_name(&own(this).mapping, &names().keys, &[])
    }),
    MethodDef::new("values($self, /)", "D.values() -> a view of the values of D", |vm, this, _| {
        vm.call_method_name(&own(this).mapping, &names().values, &[])
    }),
    MethodDef::new("items($self, /)", "D.items() -> a view of the (key, value) pairs of D", |vm, this, _| {
        vm.call_method_name(&own(this).mapping, &names().items, &[])
    }),
    MethodDef::new("copy($self, /)", "D.copy() -> a copy of the mapping behind D", |vm, this, _| {
        vm.call_method_name(&own(this).mapping, &names().copy, &[])
    }),
    MethodDef::new("__class_getitem__($type, object, /)", "\
        Give an alias that states two types: that of the keys and that of the values", |vm, class, args| {
        Ok(generic_alias::new(vm, class, &args[0]))
    })
    .class(),
    MethodDef::new("__reversed__($self, /)", "\
        D.__reversed__() -> iterator over the keys, the last one first", |vm, this, _| {
        vm.call_method_name(&own(this).mapping, &names().__reversed__, &[])
    }),
]; }
