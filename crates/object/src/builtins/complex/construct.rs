//! `complex(…)`: from numbers and text.

use super::{COMPLEX, Complex, Parts, from_parts, new_with_type, parts};
use crate::builtins::float;
use crate::builtins::str::Str;
use crate::native::signature::Signature;
use crate::object::Result;
use crate::text::complex_text::{self, ParseError};
use crate::types::Type;
use crate::value::Value;
use crate::vm::{Vm, names};
use crate::with_units;
use std::sync::LazyLock;

/// The `new` slot.
pub fn new(vm: &Vm, class: &Value, args: &[Value], kwnames: Option<&Value>) -> Result {
    let exact = class.downcast::<Type>().is_none_or(|ty| ty.is(&COMPLEX));
    let number = match (args, kwnames) {
        ([], None) => (0.0, 0.0),
        ([value], None) => {
            if exact && value.downcast_exact::<Complex>().is_some() {
                return Ok(value.clone());
            }
            from_value(vm, value)?
        }
        _ => {
            static SIGNATURE: LazyLock<Signature> = LazyLock::new(|| Signature::parse("complex(real=?, imag=?)"));
            let bound = SIGNATURE.bind(vm, args, kwnames)?;
            from_two(vm, bound[0].bound(), bound[1].bound())?
        }
    };
    match class.downcast::<Type>() {
        Some(ty) if !exact => Ok(new_with_type(ty, number)),
        _ => Ok(from_parts(number)),
    }
}

/// What `__complex__` gives, if the type has it.
pub(super) fn by_special_method(vm: &Vm, value: &Value) -> Result<Option<Parts>> {
    if value.downcast_exact::<Complex>().is_some() || float::is_exact(value) || value.is_small_int() {
        return Ok(None);
    }
    let Some(result) = vm.call_special(value, &names().__complex__, &[]) else { return Ok(None) };
    let result = result?;
    let name = result.ty().name();
    let Some(number) = parts(&result) else {
        return Err(vm.type_error(format!("__complex__ returned non-complex (type {name})")));
    };
    if result.downcast_exact::<Complex>().is_none() {
        let message = format!(
            "__complex__ returned non-complex (type {name}).  The ability to return an instance of a strict subclass of \
             complex is deprecated, and may be removed in a future version of Python."
        );
        vm.warn(&crate::exceptions::DEPRECATION_WARNING.value(), &message, 1)?;
    }
    Ok(Some(number))
}

fn is_real(value: &Value) -> bool {
    let slots = value.ty().slots();
    slots.float.is_some() || slots.index.is_some()
}

fn from_value(vm: &Vm, value: &Value) -> Result<Parts> {
    if let Some(text) = value.downcast::<Str>() {
        return parse(vm, value, text);
    }
    if let Some(number) = by_special_method(vm, value)? {
        return Ok(number);
    }
    if let Some(number) = parts(value) {
        return Ok(number);
    }
    if !is_real(value) {
        let name = value.ty().full_name();
        return Err(vm.type_error(format!("complex() argument must be a string or a number, not {name}")));
    }
    Ok((float::as_f64(vm, value)?, 0.0))
}

fn parse(vm: &Vm, value: &Value, text: &Str) -> Result<Parts> {
    match with_units!(text, |units| complex_text::parse(units)) {
        Ok(number) => Ok(number),
        Err(ParseError::Malformed) => Err(vm.text_error(ParseError::malformed())),
        Err(ParseError::Unconvertible) => {
            let shown = vm.repr(value)?;
            let class = crate::exceptions::VALUE_ERROR.ty();
            Err(crate::builtins::str::error_with_text(vm, class, "could not convert string to complex: ", &shown))
        }
    }
}

fn not_real(part: &str, value: &Value) -> String {
    format!("complex() argument '{part}' must be a real number, not {}", value.ty().full_name())
}

fn from_two(vm: &Vm, real: Option<&Value>, imag: Option<&Value>) -> Result<Parts> {
    let deprecated =
        |part: &str, value: &Value| vm.warn(&crate::exceptions::DEPRECATION_WARNING.value(), &not_real(part, value), 1);
    // What the second is not is found first.
    if let Some(value) = imag
        && real.is_none_or(|real| real.downcast::<Str>().is_none() && (is_real(real) || parts(real).is_some()))
        && parts(value).is_none()
        && !is_real(value)
    {
        return Err(vm.type_error(not_real("imag", value)));
    }
    let mut first = (0.0, 0.0);
    let mut first_is_complex = false;
    if let Some(value) = real {
        let by_method = by_special_method(vm, value)?;
        if let Some(number) = by_method.or_else(|| parts(value)) {
            if by_method.is_some() && !is_real(value) || parts(value).is_some() {
                deprecated("real", value)?;
            }
            (first, first_is_complex) = (number, true);
        } else if is_real(value) {
            first.0 = float::as_f64(vm, value)?;
        } else {
            return Err(vm.type_error(not_real("real", value)));
        }
    }
    let Some(value) = imag else { return Ok(first) };
    if let Some(second) = parts(value) {
        deprecated("imag", value)?;
        let imag = if first_is_complex { second.0 + first.1 } else { second.0 };
        return Ok((first.0 - second.1, imag));
    }
    if !is_real(value) {
        return Err(vm.type_error(not_real("imag", value)));
    }
    let second = float::as_f64(vm, value)?;
    Ok((first.0, if first_is_complex { second + first.1 } else { second }))
}
