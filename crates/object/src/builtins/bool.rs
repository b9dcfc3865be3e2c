//! `bool`: `True` and `False` are immediates.

use crate::builtins::int::{self, INT, Int};
use crate::builtins::str::intern;
use crate::object::Result;
use crate::types::TypeSpec;
use crate::types::slots::Slots;
use crate::value::Value;
use crate::vm::Vm;

pub static BOOL: TypeSpec = TypeSpec::new::<Int>("bool")
    .itemsize(4)
    .doc(
        "bool(object=False, /)\n\
         --\n\n\
         The truth value of the argument.\n\n\
         True and False are its only instances.  bool is a subclass of int, in\n\
         which they equal 1 and 0; it cannot be subclassed itself.",
    )
    .base(&INT)
    .slots(slots);

fn slots(s: &mut Slots) {
    s.repr = Some(|_, this| Ok(intern(if this.is_true() { "True" } else { "False" }).into_value()));
    s.new = Some(|vm, _class, args, kwnames| {
        if kwnames.is_some_and(|names| vm.tuple_len(names) > 0) {
            return Err(vm.type_error("bool() takes no keyword arguments"));
        }
        match args {
            [] => Ok(Value::FALSE),
            [value] => vm.is_true(value).map(Value::bool),
            _ => Err(vm.type_error(format!("bool expected at most 1 argument, got {}", args.len()))),
        }
    });
    s.and = Some(|vm, a, b| logical(vm, a, b, |x, y| x & y, |s| s.and));
    s.or = Some(|vm, a, b| logical(vm, a, b, |x, y| x | y, |s| s.or));
    s.xor = Some(|vm, a, b| logical(vm, a, b, |x, y| x ^ y, |s| s.xor));
    s.invert = Some(|vm, this| {
        vm.warn(
            &crate::exceptions::DEPRECATION_WARNING.value(),
            "Bitwise inversion '~' on bool is deprecated and will be removed in Python 3.16. This returns the bitwise \
             inversion of the underlying int object and is usually not what you expect from the negation of a bool \
             object. Use the 'not' operator for boolean negation or ~int(x) for the bitwise inversion of the underlying \
             int.",
            1,
        )?;
        Ok(Value::from(!(this.is_true() as i64)))
    });
}

type Select = fn(&Slots) -> Option<crate::types::slots::Binary>;

/// Two bools give a bool; anything else is int's business.
fn logical(vm: &Vm, a: &Value, b: &Value, op: fn(bool, bool) -> bool, select: Select) -> Result {
    if a.is_bool() && b.is_bool() {
        return Ok(Value::bool(op(a.is_true(), b.is_true())));
    }
    match select(INT.ty().slots()) {
        Some(f) => f(vm, &int::to_exact_if_int(a), &int::to_exact_if_int(b)),
        None => Ok(Value::NOT_IMPLEMENTED),
    }
}
