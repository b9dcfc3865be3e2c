//! `+`, `-`, `*`, `//`, `%`, `divmod`, `/` and the unary operators of ints.

use super::{Operand, check_room, from_i64, from_i128, from_ibig, magnitude_bits, short};
use crate::builtins::float;
use crate::builtins::tuple::Tuple;
use crate::object::Result;
use crate::value::Value;
use crate::vm::{Raised, Vm};
use Operand::{Big, Small};
use dashu_int::IBig;
use dashu_int::ops::DivRem;

/// `a + b`
#[inline]
pub fn add(vm: &Vm, a: &Value, b: &Value) -> Result {
    match (a.as_small_int(), b.as_small_int()) {
        (Some(x), Some(y)) => Ok(from_i64(x + y)),
        _ => add_general(vm, a, b),
    }
}

#[inline(never)]
fn add_general(vm: &Vm, a: &Value, b: &Value) -> Result {
    let (Some(x), Some(y)) = (Operand::of(a), Operand::of(b)) else { return Ok(Value::NOT_IMPLEMENTED) };
    if let (Small(x), Small(y)) = (x, y) {
        return Ok(from_i128(x as i128 + y as i128));
    }
    if let Some(sum) = short::sum(x, y, false) {
        return Ok(sum);
    }
    check_room(vm, x.bit_length().max(y.bit_length()))?;
    Ok(from_ibig(match (x, y) {
        (Big(x), Big(y)) => x + y,
        (Big(x), Small(y)) => x + y,
        (Small(x), Big(y)) => y + x,
        (Small(x), Small(y)) => IBig::from(x) + y,
    }))
}

/// `a - b`
#[inline]
pub fn subtract(vm: &Vm, a: &Value, b: &Value) -> Result {
    match (a.as_small_int(), b.as_small_int()) {
        (Some(x), Some(y)) => Ok(from_i64(x - y)),
        _ => subtract_general(vm, a, b),
    }
}

#[inline(never)]
fn subtract_general(vm: &Vm, a: &Value, b: &Value) -> Result {
    let (Some(x), Some(y)) = (Operand::of(a), Operand::of(b)) else { return Ok(Value::NOT_IMPLEMENTED) };
    if let (Small(x), Small(y)) = (x, y) {
        return Ok(from_i128(x as i128 - y as i128));
    }
    if let Some(difference) = short::sum(x, y, true) {
        return Ok(difference);
    }
    check_room(vm, x.bit_length().max(y.bit_length()))?;
    Ok(from_ibig(match (x, y) {
        (Big(x), Big(y)) => x - y,
        (Big(x), Small(y)) => x - y,
        (Small(x), Big(y)) => x - y,
        (Small(x), Small(y)) => IBig::from(x) - y,
    }))
}

/// `a * b`
#[inline]
pub fn multiply(vm: &Vm, a: &Value, b: &Value) -> Result {
    if let (Some(x), Some(y)) = (a.as_small_int(), b.as_small_int()) {
        return Ok(match x.checked_mul(y) {
            Some(product) => from_i64(product),
            None => from_i128(x as i128 * y as i128),
        });
    }
    multiply_general(vm, a, b)
}

#[inline(never)]
fn multiply_general(vm: &Vm, a: &Value, b: &Value) -> Result {
    let (Some(x), Some(y)) = (Operand::of(a), Operand::of(b)) else { return Ok(Value::NOT_IMPLEMENTED) };
    if let (Small(x), Small(y)) = (x, y) {
        return Ok(from_i128(x as i128 * y as i128));
    }
    if let Some(product) = short::product(x, y) {
        return Ok(product);
    }
    check_room(vm, x.bit_length() + y.bit_length())?;
    Ok(from_ibig(match (x, y) {
        (Big(x), Big(y)) if std::ptr::eq(x, y) => IBig::from(x.sqr()),
        (Big(x), Big(y)) => x * y,
        (Big(x), Small(y)) => x * y,
        (Small(x), Big(y)) => y * x,
        (Small(x), Small(y)) => IBig::from(x) * y,
    }))
}

#[cold]
fn division_by_zero(vm: &Vm) -> Raised {
    vm.zero_division_error("division by zero")
}

/// Floor quotient and remainder; `y` is not 0.
#[inline]
fn divmod_i64(x: i64, y: i64) -> (i64, i64) {
    let (quotient, remainder) = (x / y, x % y);
    if remainder != 0 && (remainder < 0) != (y < 0) { (quotient - 1, remainder + y) } else { (quotient, remainder) }
}

/// Floor quotient and remainder; `y` is not 0.
pub(super) fn divmod_ibig(x: &IBig, y: &IBig) -> (IBig, IBig) {
    let (quotient, remainder) = x.div_rem(y);
    if !remainder.is_zero() && remainder.sign() != y.sign() {
        (quotient - 1, remainder + y)
    } else {
        (quotient, remainder)
    }
}

/// The remainder with the sign of the divisor, which is not 0.
pub(super) fn modulo_ibig(x: &IBig, y: &IBig) -> IBig {
    let remainder = x % y;
    if !remainder.is_zero() && remainder.sign() != y.sign() { remainder + y } else { remainder }
}

/// `a // b`
#[inline]
pub fn floor_divide(vm: &Vm, a: &Value, b: &Value) -> Result {
    match (a.as_small_int(), b.as_small_int()) {
        (Some(x), Some(y)) if y != 0 => Ok(from_i64(divmod_i64(x, y).0)),
        _ => floor_divide_general(vm, a, b),
    }
}

#[inline(never)]
fn floor_divide_general(vm: &Vm, a: &Value, b: &Value) -> Result {
    let (Some(x), Some(y)) = (Operand::of(a), Operand::of(b)) else { return Ok(Value::NOT_IMPLEMENTED) };
    if y.is_zero() {
        return Err(division_by_zero(vm));
    }
    match (x, y) {
        (Small(x), Small(y)) if y != -1 => Ok(from_i64(divmod_i64(x, y).0)),
        (Small(x), Small(_)) => Ok(from_i128(-(x as i128))),
        (x, y) => {
            check_room(vm, x.bit_length())?;
            Ok(from_ibig(divmod_ibig(&x.to_ibig(), &y.to_ibig()).0))
        }
    }
}

/// `a % b`
#[inline]
pub fn remainder(vm: &Vm, a: &Value, b: &Value) -> Result {
    match (a.as_small_int(), b.as_small_int()) {
        (Some(x), Some(y)) if y != 0 => Ok(Value::small_int(divmod_i64(x, y).1)),
        _ => remainder_general(vm, a, b),
    }
}

#[inline(never)]
fn remainder_general(vm: &Vm, a: &Value, b: &Value) -> Result {
    let (Some(x), Some(y)) = (Operand::of(a), Operand::of(b)) else { return Ok(Value::NOT_IMPLEMENTED) };
    if y.is_zero() {
        return Err(division_by_zero(vm));
    }
    match (x, y) {
        (Small(_), Small(-1)) => Ok(Value::small_int(0)),
        (Small(x), Small(y)) => Ok(from_i64(divmod_i64(x, y).1)),
        (x, y) => {
            if let Some(remainder) = short::remainder(x, y) {
                return Ok(remainder);
            }
            check_room(vm, x.bit_length())?;
            Ok(from_ibig(modulo_ibig(&x.to_ibig(), &y.to_ibig())))
        }
    }
}

/// `divmod(a, b)`
pub fn divmod(vm: &Vm, a: &Value, b: &Value) -> Result {
    let (Some(x), Some(y)) = (Operand::of(a), Operand::of(b)) else { return Ok(Value::NOT_IMPLEMENTED) };
    if y.is_zero() {
        return Err(division_by_zero(vm));
    }
    let pair = match (x, y) {
        (Small(x), Small(y)) if y != -1 => {
            let (quotient, remainder) = divmod_i64(x, y);
            [from_i64(quotient), from_i64(remainder)]
        }
        (x, y) => {
            check_room(vm, x.bit_length())?;
            let (quotient, remainder) = divmod_ibig(&x.to_ibig(), &y.to_ibig());
            [from_ibig(quotient), from_ibig(remainder)]
        }
    };
    Ok(Tuple::from_vec(pair.into()).into_value())
}

/// Ints up to this magnitude are floats exactly.
const EXACT: u64 = 1 << 53;

/// `a / b`, correctly rounded.
#[inline]
pub fn true_divide(vm: &Vm, a: &Value, b: &Value) -> Result {
    let (Some(x), Some(y)) = (Operand::of(a), Operand::of(b)) else { return Ok(Value::NOT_IMPLEMENTED) };
    match (x, y) {
        (_, Small(0)) => Err(division_by_zero(vm)),
        (Small(x), Small(y)) if x.unsigned_abs() <= EXACT && y.unsigned_abs() <= EXACT => {
            Ok(float::from_f64(x as f64 / y as f64))
        }
        (x, y) => divide_large(vm, &x.to_ibig(), &y.to_ibig()),
    }
}

fn divide_large(vm: &Vm, x: &IBig, y: &IBig) -> Result {
    check_room(vm, magnitude_bits(x))?;
    let negative = x.sign() != y.sign();
    // A quotient of 55 to 66 bits; what it lacks is in `sticky`.
    let exponent = magnitude_bits(x) as i64 - magnitude_bits(y) as i64;
    if exponent < -1200 {
        return Ok(float::from_f64(if negative && !x.is_zero() { -0.0 } else { 0.0 }));
    }
    let too_large = || vm.overflow_error("integer division result too large for a float");
    if exponent > 1100 {
        return Err(too_large());
    }
    let shift = exponent - 62;
    let (numerator, sticky) = if shift <= 0 {
        (x.clone() << (-shift) as usize, false)
    } else {
        let shift = shift as usize;
        let low_bits = x.as_sign_words().1;
        (x.clone() >> shift, super::float_conversion::has_low_bits(low_bits, shift))
    };
    // `>>` rounds a negative number down, which only happens to a number with low bits.
    let numerator = if sticky && numerator.sign() == dashu_int::Sign::Negative { numerator + 1 } else { numerator };
    let (quotient, remainder) = numerator.div_rem(y);
    let (_, quotient) = quotient.into_parts();
    let quotient = u64::try_from(&quotient).expect("the quotient has at most 63 bits");
    match super::float_conversion::compose(quotient, sticky || !remainder.is_zero(), shift) {
        Some(f) => Ok(float::from_f64(if negative { -f } else { f })),
        None => Err(too_large()),
    }
}

/// `-a`
pub fn negative(_: &Vm, a: &Value) -> Result {
    Ok(match Operand::of(a) {
        Some(Small(n)) => from_i128(-(n as i128)),
        Some(Big(n)) => from_ibig(-n.clone()),
        None => Value::NOT_IMPLEMENTED,
    })
}

/// `abs(a)`
pub fn absolute(vm: &Vm, a: &Value) -> Result {
    match Operand::of(a) {
        Some(n) if n.is_negative() => negative(vm, a),
        _ => Ok(super::to_exact(a)),
    }
}
