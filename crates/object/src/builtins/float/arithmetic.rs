//! Arithmetic of floats, with ints as second operands.

use super::{from_f64, to_f64};
use crate::builtins::complex;
use crate::builtins::int::Operand;
use crate::builtins::tuple::Tuple;
use crate::object::Result;
use crate::value::Value;
use crate::vm::{Raised, Vm};

/// The operand as a float; `None` for what is neither float nor int.
#[inline]
pub fn operand(vm: &Vm, value: &Value) -> Result<Option<f64>> {
    if let Some(f) = value.as_immediate_float() {
        return Ok(Some(f));
    }
    if let Some(n) = value.as_small_int() {
        return Ok(Some(n as f64));
    }
    operand_general(vm, value)
}

#[inline(never)]
fn operand_general(vm: &Vm, value: &Value) -> Result<Option<f64>> {
    if let Some(f) = to_f64(value) {
        return Ok(Some(f));
    }
    match Operand::of(value) {
        None => Ok(None),
        Some(n) => match n.to_f64() {
            Some(f) => Ok(Some(f)),
            None => Err(vm.overflow_error("int too large to convert to float")),
        },
    }
}

macro_rules! operators {
    ($($name:ident ($x:ident, $y:ident, $vm:ident) $doc:literal $result:expr;)*) => { $(
        #[doc = $doc]
        #[inline]
        pub fn $name($vm: &Vm, a: &Value, b: &Value) -> Result {
            let (Some($x), Some($y)) = (operand($vm, a)?, operand($vm, b)?) else { return Ok(Value::NOT_IMPLEMENTED) };
            $result
        }
    )* };
}
operators! {
    add(x, y, vm) "`a + b`" Ok(from_f64(x + y));
    subtract(x, y, vm) "`a - b`" Ok(from_f64(x - y));
    multiply(x, y, vm) "`a * b`" Ok(from_f64(x * y));
    true_divide(x, y, vm) "`a / b`" if y == 0.0 { Err(division_by_zero(vm)) } else { Ok(from_f64(x / y)) };
    remainder(x, y, vm) "`a % b`" if y == 0.0 { Err(division_by_zero(vm)) } else { Ok(from_f64(modulo(x, y))) };
    floor_divide(x, y, vm) "`a // b`" if y == 0.0 { Err(division_by_zero(vm)) } else { Ok(from_f64(divmod_f64(x, y).0)) };
}

#[cold]
fn division_by_zero(vm: &Vm) -> Raised {
    vm.zero_division_error("division by zero")
}

/// The remainder with the sign of the divisor, which is not 0.
#[inline]
pub fn modulo(x: f64, y: f64) -> f64 {
    let remainder = x % y;
    if remainder == 0.0 {
        return f64::copysign(0.0, y);
    }
    if (remainder < 0.0) != (y < 0.0) { remainder + y } else { remainder }
}

/// Floor quotient and remainder; `y` is not 0.
pub fn divmod_f64(x: f64, y: f64) -> (f64, f64) {
    let mut remainder = x % y;
    // Exact but for rounding: x minus the remainder is a multiple of y.
    let mut quotient = (x - remainder) / y;
    if remainder == 0.0 {
        remainder = f64::copysign(0.0, y);
    } else if (remainder < 0.0) != (y < 0.0) {
        remainder += y;
        quotient -= 1.0;
    }
    if quotient == 0.0 {
        return (f64::copysign(0.0, x / y), remainder);
    }
    let floor = quotient.floor();
    (if quotient - floor > 0.5 { floor + 1.0 } else { floor }, remainder)
}

/// `divmod(a, b)`
pub fn divmod(vm: &Vm, a: &Value, b: &Value) -> Result {
    let (Some(x), Some(y)) = (operand(vm, a)?, operand(vm, b)?) else { return Ok(Value::NOT_IMPLEMENTED) };
    if y == 0.0 {
        return Err(division_by_zero(vm));
    }
    let (quotient, remainder) = divmod_f64(x, y);
    Ok(Tuple::from_vec(vec![from_f64(quotient), from_f64(remainder)]).into_value())
}

/// `a ** b`
pub fn power(vm: &Vm, a: &Value, b: &Value, modulus: &Value) -> Result {
    if !modulus.is_none() {
        return Err(vm.type_error("pow() 3rd argument not allowed unless all arguments are integers"));
    }
    let (Some(x), Some(y)) = (operand(vm, a)?, operand(vm, b)?) else { return Ok(Value::NOT_IMPLEMENTED) };
    if x < 0.0 && x.is_finite() && y.is_finite() && y.fract() != 0.0 {
        return complex::power_of(vm, (x, 0.0), (y, 0.0));
    }
    power_f64(vm, x, y).map(from_f64)
}

/// `x ** y`; a negative finite base has an integral exponent or an infinite one.
pub fn power_f64(vm: &Vm, x: f64, y: f64) -> Result<f64> {
    if x == 0.0 && y < 0.0 && y.is_finite() {
        return Err(vm.zero_division_error("zero to a negative power"));
    }
    let power = x.powf(y);
    if power.is_infinite() && x.is_finite() && y.is_finite() {
        return Err(range_error(vm));
    }
    Ok(power)
}

/// `OverflowError` as the C library's ERANGE gives it.
#[cold]
pub fn range_error(vm: &Vm) -> Raised {
    let message = crate::exceptions::os_error::strerror(libc::ERANGE);
    vm.raise_args(crate::exceptions::OVERFLOW_ERROR.ty(), vec![Value::from(libc::ERANGE), Value::from(message)])
}
