//! `staticmethod` and `classmethod`.

use crate::header::Header;
use crate::heap::Kind;
use crate::object::{Payload, Ref, Visitor};
use crate::types::{Type, TypeSpec, type_flags};
use crate::value::Value;

macro_rules! wrapper {
    ($name:ident, $spec:ident, $python:literal, $get:expr) => {
        #[repr(C)]
        pub struct $name {
            pub header: Header,
            pub function: crate::cell::ObjectCell<Value>,
        }
        // SAFETY: repr(C), header first, visits the function.
        unsafe impl Payload for $name {
            const KIND: Kind = Kind::Container;
            fn static_type() -> &'static Type {
                $spec.ty()
            }
            fn traverse(&self, visit: Visitor) {
                // SAFETY: the collector has stopped the world.
                visit(unsafe { &*self.function.as_ptr() });
            }
        }
        pub static $spec: TypeSpec =
            TypeSpec::new::<$name>($python).flags(type_flags::BASETYPE | type_flags::HAS_DICT).slots(|s| {
                s.descr_get = Some($get);
            });
        impl $name {
            pub fn function(&self) -> Value {
                self.function.borrow(&self.header).clone()
            }
        }
    };
}

wrapper!(StaticMethod, STATICMETHOD, "staticmethod", |_, this, _, _| {
    Ok(this.downcast::<StaticMethod>().expect("own slot").function())
});
wrapper!(ClassMethod, CLASSMETHOD, "classmethod", |vm, this, object, ty| {
    let function = this.downcast::<ClassMethod>().expect("own slot").function();
    let class = match (ty, object) {
        (Some(ty), _) => ty.clone(),
        (None, Some(object)) => object.ty().to_value(),
        (None, None) => return Err(vm.type_error("__get__(None, None) is invalid")),
    };
    Ok(crate::builtins::method::new(function, class))
});

/// A `staticmethod` around `function`.
pub fn new(function: Value) -> Value {
    let header = Header::new(STATICMETHOD.ty());
    let function = crate::cell::ObjectCell::new(function);
    Ref::new_with_type(STATICMETHOD.ty(), StaticMethod { header, function }).into_value()
}

/// A `classmethod` around `function`.
pub fn new_classmethod(function: Value) -> Value {
    let header = Header::new(CLASSMETHOD.ty());
    let function = crate::cell::ObjectCell::new(function);
    Ref::new_with_type(CLASSMETHOD.ty(), ClassMethod { header, function }).into_value()
}
