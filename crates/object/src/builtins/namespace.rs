//! `types.SimpleNamespace`.

use crate::attributes;
use crate::builtins::dict::Dict;
use crate::builtins::object::{Object, allocate_instance};
use crate::builtins::str::Str;
use crate::builtins::tuple::Tuple;
use crate::native::{GetSetDef, MethodDef};
use crate::object::Result;
use crate::types::slots::CompareOp;
use crate::types::{Type, TypeSpec, type_flags};
use crate::value::Value;
use crate::vm::Vm;

pub static NAMESPACE: TypeSpec = TypeSpec::new::<Object>("types.SimpleNamespace")
    .doc(
        "SimpleNamespace(mapping_or_iterable=(), /, **kwargs)\n\
        --\n\n\
        An object whose attributes are given as keyword arguments.",
    )
    .flags(type_flags::BASETYPE | type_flags::HAS_DICT | type_flags::HAVE_GC)
    .slots(|s| {
        s.new = Some(|_, class, _, _| Ok(allocate_instance(class.downcast::<Type>().expect("`tp_new` gets a type"))));
        s.init = Some(init);
        s.repr = Some(repr);
        s.richcompare = Some(|vm, this, other, op| {
            if !other.ty().is_subtype(NAMESPACE.ty()) || !matches!(op, CompareOp::Eq | CompareOp::Ne) {
                return Ok(Value::NOT_IMPLEMENTED);
            }
            vm.rich_compare(&dictionary(this), &dictionary(other), op)
        });
    })
    .methods(METHODS)
    .getset(&[GetSetDef::new("__dict__", "", |_, this| Ok(dictionary(this)))]);

crate::method_table! {
    static METHODS = [
        MethodDef::new("__reduce__($self, /)", "Give what pickle needs to rebuild the object", |_, this, _| {
            let parts = vec![this.ty().to_value(), Tuple::from_slice(&[]).into_value(), dictionary(this)];
            Ok(Tuple::from_vec(parts).into_value())
        }),
        MethodDef::raw("__replace__($self, /, **changes)", "\
            Return a namespace in which the given attributes have other values.", |vm, this, args, kwnames| {
            let names = kwnames.and_then(|n| n.downcast::<Tuple>()).map(|t| t.as_slice().to_vec()).unwrap_or_default();
            if args.len() > names.len() {
                return Err(vm.type_error("__replace__() takes no positional arguments"));
            }
            let copy = vm.call(&this.ty().to_value(), &[], None)?;
            if !copy.ty().is_subtype(NAMESPACE.ty()) {
                let (class, got) = (this.ty().qualified_name(), copy.ty().qualified_name());
                return Err(vm.type_error(format!(
                    "expect types.SimpleNamespace type, but {class}() returned '{got}' object"
                )));
            }
            let own = dictionary(this);
            let items = own.downcast::<Dict>().map(Dict::items).unwrap_or_default();
            for (name, value) in items.into_iter().chain(names.into_iter().zip(args.iter().cloned())) {
                vm.set_attr(&copy, &name, &value)?;
            }
            Ok(copy)
        }),
    ];
}

fn dictionary(this: &Value) -> Value {
    attributes::dictionary(this.as_object().expect("namespaces are objects")).into_value()
}

/// A namespace with these attributes.
pub fn new(attributes_of: Vec<(&str, Value)>) -> Value {
    let namespace = allocate_instance(NAMESPACE.ty());
    for (name, value) in attributes_of {
        let name = crate::builtins::str::intern(name);
        attributes::set(namespace.as_object().expect("an object"), name.as_value(), value);
    }
    namespace
}

fn init(vm: &Vm, this: &Value, args: &[Value], kwnames: Option<&Value>) -> Result<()> {
    let names = kwnames.and_then(|n| n.downcast::<Tuple>()).map(|t| t.as_slice().to_vec()).unwrap_or_default();
    let (positional, values) = args.split_at(args.len() - names.len());
    if positional.len() > 1 {
        let name = this.ty().short_name();
        return Err(vm.type_error(format!("{name} expected at most 1 argument, got {}", positional.len())));
    }
    if let Some(mapping) = positional.first() {
        let items = match mapping.downcast::<Dict>() {
            Some(dict) => dict.items(),
            None => {
                let dict = vm.call_args(&crate::builtins::dict::DICT.value(), std::slice::from_ref(mapping))?;
                dict.downcast::<Dict>().map(Dict::items).unwrap_or_default()
            }
        };
        for (name, value) in items {
            if name.downcast::<Str>().is_none() {
                return Err(vm.type_error("keywords must be strings"));
            }
            vm.set_attr(this, &vm.attribute_name(&name)?, &value)?;
        }
    }
    for (name, value) in names.iter().zip(values) {
        vm.set_attr(this, &vm.attribute_name(name)?, value)?;
    }
    Ok(())
}

fn repr(vm: &Vm, this: &Value) -> Result {
    let shown = if this.ty().is(&NAMESPACE) { "namespace".to_string() } else { this.ty().name() };
    if !vm.enter_repr(this) {
        return Ok(Value::from(format!("{shown}(...)")));
    }
    let own = dictionary(this);
    let mut parts = Vec::new();
    for (name, value) in own.downcast::<Dict>().map(Dict::items).unwrap_or_default() {
        match vm.repr_string(&value) {
            Ok(text) => parts.push(format!("{}={text}", vm.display_name(&name))),
            Err(raised) => {
                vm.leave_repr(this);
                return Err(raised);
            }
        }
    }
    vm.leave_repr(this);
    Ok(Value::from(format!("{shown}({})", parts.join(", "))))
}
