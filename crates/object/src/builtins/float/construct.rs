//! `float(…)`: from numbers, text and bytes.

use super::{FLOAT, as_f64, from_f64, is_exact, new_with_type, to_f64};
use crate::builtins::float::{Float, by_slot};
use crate::builtins::str::Str;
use crate::object::Result;
use crate::text::float_parse::{parse_float, parse_float_bytes};
use crate::types::Type;
use crate::value::Value;
use crate::vm::{Raised, Vm};
use crate::with_units;

/// The `new` slot.
pub fn new(vm: &Vm, class: &Value, args: &[Value], kwnames: Option<&Value>) -> Result {
    let ty = class.downcast::<Type>();
    if kwnames.is_some_and(|names| vm.tuple_len(names) > 0) && ty.is_none_or(|ty| ty.is(&FLOAT) || has_base_init(ty)) {
        return Err(vm.type_error("float() takes no keyword arguments"));
    }
    let positional = args.len() - kwnames.map_or(0, |names| vm.tuple_len(names));
    let value = match &args[..positional] {
        [] => from_f64(0.0),
        [value] => from_value(vm, value)?,
        args => return Err(vm.type_error(format!("float expected at most 1 argument, got {}", args.len()))),
    };
    match ty {
        Some(ty) if !ty.is(&FLOAT) => Ok(new_with_type(ty, to_f64(&value).unwrap_or(0.0))),
        _ => Ok(value),
    }
}

/// Whether a subclass has no `__init__` of its own that could take keyword arguments.
fn has_base_init(ty: &Type) -> bool {
    match (ty.slots().init, FLOAT.ty().slots().init) {
        (Some(own), Some(base)) => std::ptr::fn_addr_eq(own, base),
        (own, _) => own.is_none(),
    }
}

/// `float(value)`
pub fn from_value(vm: &Vm, value: &Value) -> Result {
    if is_exact(value) {
        return Ok(value.clone());
    }
    // A subclass of str may say otherwise.
    if let Some(text) = value.downcast::<Str>().filter(|_| value.ty().slots().float.is_none()) {
        return match with_units!(text, |units| parse_float(units)) {
            Some(f) => Ok(from_f64(f)),
            None => Err(parse_error(vm, value)),
        };
    }
    let slots = value.ty().slots();
    if let (Some(float), Some(plain)) = (slots.float, FLOAT.ty().slots().float)
        && value.downcast::<Float>().is_some()
        && !std::ptr::fn_addr_eq(float, plain)
    {
        return by_slot(vm, value, float).map(from_f64);
    }
    if slots.float.is_none() && slots.index.is_none() {
        if slots.buffer.is_some() {
            let data = vm.bytes_like(value)?;
            return match parse_float_bytes(&data) {
                Some(f) => Ok(from_f64(f)),
                None => Err(parse_error(vm, value)),
            };
        }
        let name = value.ty().name();
        return Err(vm.type_error(format!("float() argument must be a string or a real number, not '{name}'")));
    }
    as_f64(vm, value).map(from_f64)
}

#[cold]
fn parse_error(vm: &Vm, value: &Value) -> Raised {
    match vm.repr(value) {
        Ok(shown) => crate::builtins::str::error_with_text(
            vm,
            crate::exceptions::VALUE_ERROR.ty(),
            "could not convert string to float: ",
            &shown,
        ),
        Err(raised) => raised,
    }
}
