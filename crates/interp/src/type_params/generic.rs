//! `typing.Generic` and `typing.NoDefault`.

use taipan_object::builtins::object::Object;
use taipan_object::header::Header;
use taipan_object::native::MethodDef;
use taipan_object::types::{Type, TypeSpec, type_flags};
use taipan_object::vm::names;
use taipan_object::{Ref, Value};

use std::sync::OnceLock;

use super::lazy::{Lazy, const_evaluator};

pub static GENERIC: TypeSpec = TypeSpec::new::<Object>("typing.Generic")
    .doc("Base of classes that have type parameters.")
    .flags(type_flags::BASETYPE | type_flags::SHOWN_AS_HEAPTYPE)
    .methods(METHODS)
    .populate(set_typing_module);

taipan_object::method_table! {
    static METHODS = [
        MethodDef::raw("__class_getitem__", "Parameterizes a generic class.", |vm, class, args, kwnames| {
            let function = vm.import_from("typing", "_generic_class_getitem")?;
            vm.call(&function, &with_class(class, args), kwnames)
        })
        .class(),
        MethodDef::raw("__init_subclass__", "\
            Called with each new subclass, which it can modify.", |vm, class, args, kwnames| {
            let function = vm.import_from("typing", "_generic_init_subclass")?;
            vm.call(&function, &with_class(class, args), kwnames)
        })
        .class(),
    ];
}

fn with_class(class: &Value, args: &[Value]) -> Vec<Value> {
    std::iter::once(class).chain(args).cloned().collect()
}

pub static NO_DEFAULT_TYPE: TypeSpec =
    TypeSpec::new::<Object>("NoDefaultType").doc("The type of NoDefault.").methods(NO_DEFAULT_METHODS).slots(|s| {
        s.new = Some(|vm, _, args, _| match args {
            [] => Ok(no_default()),
            _ => Err(vm.type_error("NoDefaultType takes no arguments")),
        });
        s.repr = Some(|_, _| Ok(Value::from("typing.NoDefault")));
    });

taipan_object::method_table! {
    static NO_DEFAULT_METHODS =
        [MethodDef::new("__reduce__($self, /)", "", |_, _, _| Ok(Value::from("NoDefault")))];
}

/// `typing.NoDefault`.
pub fn no_default() -> Value {
    static NO_DEFAULT: OnceLock<Value> = OnceLock::new();
    let make = || {
        let value = Ref::new(Object { header: Header::new(NO_DEFAULT_TYPE.ty()) }).into_value();
        value.as_object().expect("just made").make_immortal();
        value
    };
    NO_DEFAULT.get_or_init(make).clone()
}

/// What computes a default; `NoDefault` if there is none.
pub fn default_evaluator(default: &Lazy, owner: &Header) -> Value {
    match default.evaluator(owner) {
        evaluator if evaluator.is_none() => const_evaluator(no_default()),
        evaluator => evaluator,
    }
}

/// Instances find `__module__` on their type.
pub fn set_typing_module(ty: &Type) {
    ty.dict().set_str(&names().__module__, Value::from("typing"));
}
