//! `staticmethod` and `classmethod`.

use crate::builtins::property::is_abstract;
use crate::cell::ObjectCell;
use crate::header::Header;
use crate::heap::Kind;
use crate::native::{GetSetDef, MemberDef};
use crate::object::{Payload, Ref, Result, Visitor};
use crate::types::slots::{DescrGet, Slots};
use crate::types::{Type, TypeSpec, lookup, type_flags};
use crate::value::Value;
use crate::vm::{Vm, names};

/// A function that a class shows in its own way; `staticmethod` and `classmethod` share the layout.
#[repr(C)]
pub struct Wrapped {
    pub header: Header,
    function: ObjectCell<Value>,
}

// SAFETY: repr(C), header first, visits the function.
unsafe impl Payload for Wrapped {
    const KIND: Kind = Kind::Container;
    fn static_type() -> &'static Type {
        STATICMETHOD.ty()
    }
    fn traverse(&self, visit: Visitor) {
        // SAFETY: the collector has stopped the world.
        visit(unsafe { &*self.function.as_ptr() });
    }
}

pub static STATICMETHOD: TypeSpec = TypeSpec::new::<Wrapped>("staticmethod")
    .doc(
        "staticmethod(function, /)\n\
         --\n\n\
         A function in a class that is called without an instance or a class.\n\n\
         It is declared with a decorator:\n\n     \
         class C:\n         \
         @staticmethod\n         \
         def f(a, b):\n             \
         ...\n\n\
         C.f(a, b) and C().f(a, b) call the function with just these arguments.\n\n\
         A function that needs to know the class should be a classmethod.",
    )
    .flags(type_flags::BASETYPE | type_flags::HAS_DICT)
    .slots(static_slots)
    .methods(STATIC_METHODS)
    .members(MEMBERS)
    .getset(GETSET);

pub static CLASSMETHOD: TypeSpec = TypeSpec::new::<Wrapped>("classmethod")
    .doc(
        "classmethod(function, /)\n\
         --\n\n\
         A function in a class that gets the class as its first argument.\n\n\
         It is declared with a decorator:\n\n  \
         class C:\n      \
         @classmethod\n      \
         def f(cls, a, b):\n          \
         ...\n\n\
         C.f(a, b) and C().f(a, b) both pass C as cls; called through a\n\
         subclass, or through an instance of one, cls is the subclass.\n\n\
         A function that needs neither instance nor class should be a\n\
         staticmethod.",
    )
    .flags(type_flags::BASETYPE | type_flags::HAS_DICT)
    .slots(class_slots)
    .methods(CLASS_METHODS)
    .members(MEMBERS)
    .getset(GETSET);

/// The wrapped function. The value is a staticmethod or classmethod.
pub fn function(this: &Value) -> Value {
    let wrapped = own(this);
    wrapped.function.borrow(&wrapped.header).clone()
}

fn own(this: &Value) -> &Wrapped {
    let header = this.as_object().expect("an object");
    debug_assert!(header.ty().is_subtype(STATICMETHOD.ty()) || header.ty().is_subtype(CLASSMETHOD.ty()));
    // SAFETY: both types have this layout, and slots and getters are called with their own instances only.
    unsafe { &*(header as *const Header as *const Wrapped) }
}

fn make(ty: &Type, function: Value) -> Value {
    Ref::new_with_type_unchecked(ty, Wrapped { header: Header::new(ty), function: ObjectCell::new(function) })
        .into_value()
}

/// A `staticmethod` around `function`.
pub fn new(function: Value) -> Value {
    make(STATICMETHOD.ty(), function)
}

/// A `classmethod` around `function`.
pub fn new_classmethod(function: Value) -> Value {
    make(CLASSMETHOD.ty(), function)
}

const GET_STATIC: DescrGet = |_, this, _, _| Ok(function(this));
const GET_CLASS: DescrGet = |vm, this, object, ty| {
    let class = match (ty, object) {
        (Some(ty), _) => ty.clone(),
        (None, Some(object)) => object.ty().to_value(),
        (None, None) => return Err(vm.type_error("__get__(None, None) is invalid")),
    };
    Ok(crate::builtins::method::new(function(this), class))
};

fn common_slots(s: &mut Slots) {
    s.new = Some(|_, class, _, _| Ok(make(class.downcast::<Type>().expect("`tp_new` gets a type"), Value::NONE)));
    s.init = Some(|vm, this, args, kwnames| {
        let name = crate::exceptions::nearest_builtin(this.ty()).name();
        if kwnames.is_some_and(|names| vm.tuple_len(names) > 0) {
            return Err(vm.type_error(format!("{name}() takes no keyword arguments")));
        }
        let [callable] = args else {
            return Err(vm.type_error(format!("{name} expected 1 argument, got {}", args.len())));
        };
        let wrapped = own(this);
        let old = std::mem::replace(&mut *wrapped.function.borrow(&wrapped.header), callable.clone());
        if !old.is_none() {
            lookup::descriptor_changed();
        }
        drop(old);
        copy_metadata(vm, this, callable)
    });
    s.repr = Some(|vm, this| {
        let name = crate::exceptions::nearest_builtin(this.ty()).name();
        Ok(Value::from(format!("<{name}({})>", vm.repr_string(&function(this))?)))
    });
}

/// `functools.update_wrapper` in small.
fn copy_metadata(vm: &Vm, this: &Value, callable: &Value) -> Result<()> {
    let names = names();
    for name in [&names.__module__, &names.__name__, &names.__qualname__, &names.__doc__] {
        if let Some(value) = vm.get_attr_opt(callable, name)? {
            vm.set_attr(this, name, &value)?;
        }
    }
    Ok(())
}

fn static_slots(s: &mut Slots) {
    common_slots(s);
    s.descr_get = Some(GET_STATIC);
    s.call = Some(|vm, this, args, kwnames| vm.call(&function(this), args, kwnames));
}

fn class_slots(s: &mut Slots) {
    common_slots(s);
    s.descr_get = Some(GET_CLASS);
}

crate::method_table! { static STATIC_METHODS = [crate::builtins::generic_alias::CLASS_GETITEM]; }
crate::method_table! { static CLASS_METHODS = [crate::builtins::generic_alias::CLASS_GETITEM]; }

static MEMBERS: &[MemberDef] = &[
    MemberDef::new("__func__", "", |_, this| Ok(function(this))),
    MemberDef::new("__wrapped__", "", |_, this| Ok(function(this))),
];

macro_rules! forwarded {
    ($name:literal, $field:ident) => {
        // Computed by the function and cached on the wrapper.
        GetSetDef::new($name, "", |vm, this| {
            let header = this.as_object().expect("an object");
            if let Some(value) = crate::attributes::get(header, &names().$field) {
                return Ok(value);
            }
            let value = vm.get_attr(&function(this), &names().$field)?;
            crate::attributes::set(header, &names().$field, value.clone());
            Ok(value)
        })
        .setter(|vm, this, value| {
            let header = this.as_object().expect("an object");
            match value {
                Some(value) => crate::attributes::set(header, &names().$field, value.clone()),
                None if crate::attributes::delete(header, &names().$field).is_none() => {
                    return Err(vm.attribute_error_name(&names().$field));
                }
                None => {}
            }
            Ok(())
        })
    };
}

static GETSET: &[GetSetDef] = &[
    GetSetDef::new("__isabstractmethod__", "", |vm, this| is_abstract(vm, &function(this)).map(Value::bool)),
    GetSetDef::new("__dict__", "", |_, this| {
        Ok(crate::attributes::dictionary(this.as_object().expect("an object")).into_value())
    }),
    forwarded!("__annotations__", __annotations__),
    forwarded!("__annotate__", __annotate__),
];

/// Whether a value is a staticmethod (for `Vm`-free callers).
pub fn is_staticmethod(value: &Value) -> bool {
    value.ty().is_subtype(STATICMETHOD.ty())
}

/// The function behind a staticmethod or classmethod, else the value itself.
pub fn unwrap(_vm: &Vm, value: &Value) -> Value {
    if is_staticmethod(value) || value.ty().is_subtype(CLASSMETHOD.ty()) { function(value) } else { value.clone() }
}
