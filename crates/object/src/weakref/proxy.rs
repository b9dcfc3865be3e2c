//! `weakref.ProxyType` and `weakref.CallableProxyType`: objects that forward to a weakly referenced one.

use super::{WeakRef, target};
use crate::native::MethodDef;
use crate::object::Result;
use crate::types::TypeSpec;
use crate::types::slots::Slots;
use crate::value::Value;
use crate::vm::{Vm, names};

pub static PROXY: TypeSpec = TypeSpec::new::<WeakRef>("weakref.ProxyType").slots(slots).methods(METHODS);
pub static CALLABLE_PROXY: TypeSpec = TypeSpec::new::<WeakRef>("weakref.CallableProxyType")
    .slots(|s| {
        slots(s);
        s.call = Some(|vm, this, args, kwnames| vm.call(&referent(vm, this)?, args, kwnames));
    })
    .methods(METHODS);

/// Whether a value is a proxy.
fn is_proxy(value: &Value) -> bool {
    value.ty().is(&PROXY) || value.ty().is(&CALLABLE_PROXY)
}

fn referent(vm: &Vm, this: &Value) -> Result {
    match target(this) {
        Some(object) => Ok(object),
        None => Err(vm.reference_error("weakly-referenced object no longer exists")),
    }
}

/// The referent of a proxy, else the value itself.
fn unwrap(vm: &Vm, value: &Value) -> Result {
    if is_proxy(value) { referent(vm, value) } else { Ok(value.clone()) }
}

macro_rules! forward_binary {
    ($s:ident: $($slot:ident $method:ident),*) => {
        $($s.$slot = Some(|vm, a, b| vm.$method(&unwrap(vm, a)?, &unwrap(vm, b)?));)*
    };
}
macro_rules! forward_unary {
    ($s:ident: $($slot:ident $method:ident),*) => {
        $($s.$slot = Some(|vm, this| vm.$method(&referent(vm, this)?));)*
    };
}

fn slots(s: &mut Slots) {
    s.getattro = Some(|vm, this, name| vm.get_attr(&referent(vm, this)?, name));
    s.setattro = Some(|vm, this, name, value| {
        let object = referent(vm, this)?;
        match value {
            Some(value) => vm.set_attr(&object, name, value),
            None => vm.delete_attr(&object, name),
        }
    });
    s.str = Some(|vm, this| vm.str(&referent(vm, this)?));
    s.repr = Some(|_, this| {
        let at = this.id();
        Ok(Value::from(match target(this) {
            Some(object) => format!("<weakproxy at {at:#x}; to '{}' at {:#x}>", object.ty().full_name(), object.id()),
            None => format!("<weakproxy at {at:#x}; dead>"),
        }))
    });
    s.hash = Some(|vm, this| Err(vm.type_error(format!("unhashable type: '{}'", this.ty().full_name()))));
    s.richcompare = Some(|vm, a, b, op| vm.rich_compare(&unwrap(vm, a)?, &unwrap(vm, b)?, op));
    s.bool = Some(|vm, this| vm.is_true(&referent(vm, this)?));
    s.length = Some(|vm, this| vm.len(&referent(vm, this)?));
    s.subscript = Some(|vm, this, key| vm.get_item(&referent(vm, this)?, key));
    s.ass_subscript = Some(|vm, this, key, value| {
        let object = referent(vm, this)?;
        match value {
            Some(value) => vm.set_item(&object, key, value),
            None => vm.delete_item(&object, key),
        }
    });
    s.contains = Some(|vm, this, item| vm.contains(&referent(vm, this)?, item));
    s.iternext = Some(|vm, this| {
        let object = referent(vm, this)?;
        if object.ty().slots().iternext.is_none() {
            let name = object.ty().name();
            return Err(vm.type_error(format!("Weakref proxy referenced a non-iterator '{name}' object")));
        }
        vm.next(&object)
    });
    s.power = Some(|vm, a, b, m| vm.power(&unwrap(vm, a)?, &unwrap(vm, b)?, &unwrap(vm, m)?));
    s.inplace_power = Some(|vm, a, b, _| vm.inplace_power(&unwrap(vm, a)?, &unwrap(vm, b)?));
    s.int = Some(|vm, this| match referent(vm, this)?.ty().slots().int {
        Some(int) => int(vm, &referent(vm, this)?),
        None => Err(vm.type_error("int() argument must be a string, a bytes-like object or a real number")),
    });
    s.float = Some(|vm, this| vm.float(&referent(vm, this)?).map(Value::from));
    forward_unary!(s: iter iter, negative negative, positive positive, absolute absolute, invert invert, index index);
    forward_binary!(s: add add, subtract subtract, multiply multiply, remainder remainder, divmod divmod, lshift lshift,
        rshift rshift, and and, xor xor, or or, floor_divide floor_divide, true_divide true_divide,
        matrix_multiply matrix_multiply, inplace_add inplace_add, inplace_subtract inplace_subtract,
        inplace_multiply inplace_multiply, inplace_remainder inplace_remainder, inplace_lshift inplace_lshift,
        inplace_rshift inplace_rshift, inplace_and inplace_and, inplace_xor inplace_xor, inplace_or inplace_or,
        inplace_floor_divide inplace_floor_divide, inplace_true_divide inplace_true_divide,
        inplace_matrix_multiply inplace_matrix_multiply);
}

crate::method_table! {
    static METHODS = [
        MethodDef::new("__bytes__($self, /)", "", |vm, this, _| {
            vm.call_method_name(&referent(vm, this)?, &names().__bytes__, &[])
        }),
        MethodDef::new("__reversed__($self, /)", "", |vm, this, _| {
            vm.call_method_name(&referent(vm, this)?, &names().__reversed__, &[])
        }),
    ];
}
