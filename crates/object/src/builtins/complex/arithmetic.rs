//! Arithmetic of complex numbers. As in C's Annex G a real operand is not widened to a complex one, and products and
//! quotients that come out as nan in both parts are looked at again for infinities and zeros.

use super::{Parts, from_parts, parts};
use crate::builtins::float::arithmetic::operand as real_operand;
use crate::object::Result;
use crate::value::Value;
use crate::vm::Vm;

/// An operand as it came.
#[derive(Clone, Copy)]
enum Number {
    Real(f64),
    Complex(Parts),
}

fn operand(vm: &Vm, value: &Value) -> Result<Option<Number>> {
    match parts(value) {
        Some(parts) => Ok(Some(Number::Complex(parts))),
        None => Ok(real_operand(vm, value)?.map(Number::Real)),
    }
}

macro_rules! operators {
    ($($name:ident $parts:ident $doc:literal;)*) => { $(
        #[doc = $doc]
        pub fn $name(vm: &Vm, a: &Value, b: &Value) -> Result {
            let (Some(x), Some(y)) = (operand(vm, a)?, operand(vm, b)?) else { return Ok(Value::NOT_IMPLEMENTED) };
            Ok(from_parts($parts(x, y)))
        }
    )* };
}
operators! {
    add sum "`a + b`";
    subtract difference "`a - b`";
    multiply product "`a * b`";
}

use Number::{Complex, Real};

fn sum(x: Number, y: Number) -> Parts {
    match (x, y) {
        (Complex(x), Complex(y)) => (x.0 + y.0, x.1 + y.1),
        (Complex(x), Real(y)) | (Real(y), Complex(x)) => (x.0 + y, x.1),
        (Real(x), Real(y)) => (x + y, 0.0),
    }
}

fn difference(x: Number, y: Number) -> Parts {
    match (x, y) {
        (Complex(x), Complex(y)) => (x.0 - y.0, x.1 - y.1),
        (Complex(x), Real(y)) => (x.0 - y, x.1),
        (Real(x), Complex(y)) => (x - y.0, -y.1),
        (Real(x), Real(y)) => (x - y, 0.0),
    }
}

fn product(x: Number, y: Number) -> Parts {
    match (x, y) {
        (Complex(x), Complex(y)) => multiply_parts(x, y),
        (Complex(x), Real(y)) => (x.0 * y, x.1 * y),
        (Real(x), Complex(y)) => (x * y.0, x * y.1),
        (Real(x), Real(y)) => (x * y, 0.0),
    }
}

fn is_infinite((real, imag): Parts) -> bool {
    real.is_infinite() || imag.is_infinite()
}

fn is_finite((real, imag): Parts) -> bool {
    real.is_finite() && imag.is_finite()
}

fn is_nan((real, imag): Parts) -> bool {
    real.is_nan() && imag.is_nan()
}

/// The direction of an infinite number: infinite parts become ±1, finite ones ±0.
fn direction((real, imag): Parts) -> Parts {
    let unit = |part: f64| f64::copysign(if part.is_infinite() { 1.0 } else { 0.0 }, part);
    (unit(real), unit(imag))
}

/// Nans become zeros of their sign.
fn without_nans((real, imag): Parts) -> Parts {
    let part = |part: f64| if part.is_nan() { f64::copysign(0.0, part) } else { part };
    (part(real), part(imag))
}

fn multiply_parts(mut x: Parts, mut y: Parts) -> Parts {
    let (ac, bd, ad, bc) = (x.0 * y.0, x.1 * y.1, x.0 * y.1, x.1 * y.0);
    let product = (ac - bd, ad + bc);
    if !is_nan(product) {
        return product;
    }
    let mut infinite = false;
    if is_infinite(x) {
        (x, y) = (direction(x), without_nans(y));
        infinite = true;
    }
    if is_infinite(y) {
        (x, y) = (without_nans(x), direction(y));
        infinite = true;
    }
    if !infinite && [ac, bd, ad, bc].iter().any(|part| part.is_infinite()) {
        (x, y) = (without_nans(x), without_nans(y));
        infinite = true;
    }
    if !infinite {
        return product;
    }
    (f64::INFINITY * (x.0 * y.0 - x.1 * y.1), f64::INFINITY * (x.0 * y.1 + x.1 * y.0))
}

/// The quotient by Smith's method; `None` for a divisor of 0.
pub fn divide_parts(x: Parts, y: Parts) -> Option<Parts> {
    let mut quotient = if y.0.abs() >= y.1.abs() {
        if y.0 == 0.0 {
            return None;
        }
        let ratio = y.1 / y.0;
        let denominator = y.0 + y.1 * ratio;
        ((x.0 + x.1 * ratio) / denominator, (x.1 - x.0 * ratio) / denominator)
    } else if y.1.abs() >= y.0.abs() {
        let ratio = y.0 / y.1;
        let denominator = y.0 * ratio + y.1;
        ((x.0 * ratio + x.1) / denominator, (x.1 * ratio - x.0) / denominator)
    } else {
        (f64::NAN, f64::NAN)
    };
    if is_nan(quotient) {
        if is_infinite(x) && is_finite(y) {
            let x = direction(x);
            quotient = (f64::INFINITY * (x.0 * y.0 + x.1 * y.1), f64::INFINITY * (x.1 * y.0 - x.0 * y.1));
        } else if is_infinite(y) && is_finite(x) {
            let y = direction(y);
            quotient = (0.0 * (x.0 * y.0 + x.1 * y.1), 0.0 * (x.1 * y.0 - x.0 * y.1));
        }
    }
    Some(quotient)
}

/// The quotient of a real number and a complex one.
fn divide_real(x: f64, y: Parts) -> Option<Parts> {
    let mut quotient = if y.0.abs() >= y.1.abs() {
        if y.0 == 0.0 {
            return None;
        }
        let ratio = y.1 / y.0;
        let denominator = y.0 + y.1 * ratio;
        (x / denominator, (-x * ratio) / denominator)
    } else if y.1.abs() >= y.0.abs() {
        let ratio = y.0 / y.1;
        let denominator = y.0 * ratio + y.1;
        ((x * ratio) / denominator, -x / denominator)
    } else {
        (f64::NAN, f64::NAN)
    };
    if is_nan(quotient) && is_infinite(y) && x.is_finite() {
        let y = direction(y);
        quotient = (0.0 * (x * y.0), 0.0 * (-x * y.1));
    }
    Some(quotient)
}

/// `a / b`
pub fn true_divide(vm: &Vm, a: &Value, b: &Value) -> Result {
    let (Some(x), Some(y)) = (operand(vm, a)?, operand(vm, b)?) else { return Ok(Value::NOT_IMPLEMENTED) };
    let quotient = match (x, y) {
        (_, Real(0.0)) => None,
        (Complex(x), Real(y)) => Some((x.0 / y, x.1 / y)),
        (Complex(x), Complex(y)) => divide_parts(x, y),
        (Real(x), Complex(y)) => divide_real(x, y),
        (Real(x), Real(y)) => Some((x / y, 0.0)),
    };
    match quotient {
        Some(quotient) => Ok(from_parts(quotient)),
        None => Err(vm.zero_division_error("division by zero")),
    }
}

/// `a ** b`
pub fn power(vm: &Vm, a: &Value, b: &Value, modulus: &Value) -> Result {
    let (Some(x), Some(y)) = (operand(vm, a)?, operand(vm, b)?) else { return Ok(Value::NOT_IMPLEMENTED) };
    if !modulus.is_none() {
        return Err(vm.value_error("complex modulo"));
    }
    let widen = |n: Number| match n {
        Real(f) => (f, 0.0),
        Complex(parts) => parts,
    };
    power_of(vm, widen(x), widen(y))
}

/// `x ** y` as a complex number.
pub fn power_of(vm: &Vm, x: Parts, y: Parts) -> Result {
    // Small integral exponents by multiplication: faster and more accurate.
    let power = if y.1 == 0.0 && y.0 == y.0.floor() && y.0.abs() <= 100.0 {
        integral_power(x, y.0 as i32)
    } else {
        general_power(x, y)
    };
    match power {
        None => Err(vm.zero_division_error("zero to a negative or complex power")),
        Some(power) if is_infinite(power) => Err(vm.overflow_error("complex exponentiation")),
        Some(power) => Ok(from_parts(power)),
    }
}

fn integral_power(x: Parts, exponent: i32) -> Option<Parts> {
    let mut rest = exponent.unsigned_abs();
    let (mut power, mut square) = ((1.0, 0.0), x);
    while rest > 0 {
        if rest & 1 == 1 {
            power = multiply_parts(power, square);
        }
        rest >>= 1;
        square = multiply_parts(square, square);
    }
    if exponent < 0 { divide_parts((1.0, 0.0), power) } else { Some(power) }
}

fn general_power(x: Parts, y: Parts) -> Option<Parts> {
    if y == (0.0, 0.0) {
        return Some((1.0, 0.0));
    }
    if x == (0.0, 0.0) {
        return if y.1 != 0.0 || y.0 < 0.0 { None } else { Some((0.0, 0.0)) };
    }
    let magnitude = x.0.hypot(x.1);
    let angle = x.1.atan2(x.0);
    let mut length = magnitude.powf(y.0);
    let mut phase = angle * y.0;
    if y.1 != 0.0 {
        length *= (-angle * y.1).exp();
        phase += y.1 * magnitude.ln();
    }
    // Sine and cosine of an infinity are domain errors.
    if phase.is_infinite() { None } else { Some((length * phase.cos(), length * phase.sin())) }
}

/// `abs(a)`; `None` when it is too large.
pub fn magnitude((real, imag): Parts) -> Option<f64> {
    let magnitude = real.hypot(imag);
    if magnitude.is_infinite() && is_finite((real, imag)) { None } else { Some(magnitude) }
}
