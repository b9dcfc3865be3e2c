//! Complex numbers. A real operand stays real: it meets only the components it concerns, as C99's Annex G has it.

use taipan_bytecode::Constant;
use taipan_bytecode::oparg::BinaryOp;

use super::{Number, real};

type Complex = (f64, f64);

enum Operand {
    Real(f64),
    Complex(Complex),
}

impl Operand {
    fn of(number: &Number) -> Option<Operand> {
        Some(match number {
            Number::Complex(re, im) => Operand::Complex((*re, *im)),
            other => Operand::Real(real::to_float(other)?),
        })
    }

    fn widen(&self) -> Complex {
        match *self {
            Operand::Real(value) => (value, 0.0),
            Operand::Complex(value) => value,
        }
    }
}

pub(super) fn binary(op: BinaryOp, left: &Number, right: &Number) -> Option<Constant> {
    use Operand::{Complex as C, Real as R};
    let (left, right) = (Operand::of(left)?, Operand::of(right)?);
    let result = match op {
        BinaryOp::Add => match (&left, &right) {
            (C(a), C(b)) => (a.0 + b.0, a.1 + b.1),
            (C(a), R(b)) | (R(b), C(a)) => (a.0 + b, a.1),
            (R(a), R(b)) => (a + b, 0.0),
        },
        BinaryOp::Subtract => match (&left, &right) {
            (C(a), C(b)) => (a.0 - b.0, a.1 - b.1),
            (C(a), R(b)) => (a.0 - b, a.1),
            (R(a), C(b)) => (a - b.0, -b.1),
            (R(a), R(b)) => (a - b, 0.0),
        },
        BinaryOp::Multiply => match (&left, &right) {
            (C(a), C(b)) => product(*a, *b),
            (C(a), R(b)) | (R(b), C(a)) => (a.0 * b, a.1 * b),
            (R(a), R(b)) => (a * b, 0.0),
        },
        BinaryOp::TrueDivide => match (&left, &right) {
            (C(a), R(b)) => (*b != 0.0).then(|| (a.0 / b, a.1 / b))?,
            (R(a), C(b)) => real_quotient(*a, *b)?,
            _ => quotient(left.widen(), right.widen())?,
        },
        BinaryOp::Power => return power(left.widen(), right.widen()),
        _ => return None,
    };
    Some(Constant::Complex(result.0, result.1))
}

/// 1 or 0 for an infinite or other component, with its sign.
fn boxed(value: f64) -> f64 {
    f64::from(u8::from(value.is_infinite())).copysign(value)
}

fn zero_for_nan(value: f64) -> f64 {
    if value.is_nan() { 0.0f64.copysign(value) } else { value }
}

fn product(mut a: Complex, mut b: Complex) -> Complex {
    let (ac, bd, ad, bc) = (a.0 * b.0, a.1 * b.1, a.0 * b.1, a.1 * b.0);
    let result = (ac - bd, ad + bc);
    if !(result.0.is_nan() && result.1.is_nan()) {
        return result;
    }
    // Infinities that came out as NaN.
    let mut recalculate = false;
    if a.0.is_infinite() || a.1.is_infinite() {
        a = (boxed(a.0), boxed(a.1));
        b = (zero_for_nan(b.0), zero_for_nan(b.1));
        recalculate = true;
    }
    if b.0.is_infinite() || b.1.is_infinite() {
        b = (boxed(b.0), boxed(b.1));
        a = (zero_for_nan(a.0), zero_for_nan(a.1));
        recalculate = true;
    }
    if !recalculate && [ac, bd, ad, bc].iter().any(|part| part.is_infinite()) {
        a = (zero_for_nan(a.0), zero_for_nan(a.1));
        b = (zero_for_nan(b.0), zero_for_nan(b.1));
        recalculate = true;
    }
    if recalculate {
        (f64::INFINITY * (a.0 * b.0 - a.1 * b.1), f64::INFINITY * (a.0 * b.1 + a.1 * b.0))
    } else {
        result
    }
}

fn quotient(a: Complex, b: Complex) -> Option<Complex> {
    let (abs_real, abs_imag) = (b.0.abs(), b.1.abs());
    let result = if abs_real >= abs_imag {
        if abs_real == 0.0 {
            return None;
        }
        let ratio = b.1 / b.0;
        let denominator = b.0 + b.1 * ratio;
        ((a.0 + a.1 * ratio) / denominator, (a.1 - a.0 * ratio) / denominator)
    } else if abs_imag >= abs_real {
        let ratio = b.0 / b.1;
        let denominator = b.0 * ratio + b.1;
        ((a.0 * ratio + a.1) / denominator, (a.1 * ratio - a.0) / denominator)
    } else {
        (f64::NAN, f64::NAN)
    };
    if !(result.0.is_nan() && result.1.is_nan()) {
        return Some(result);
    }
    let finite = |value: Complex| value.0.is_finite() && value.1.is_finite();
    Some(if (a.0.is_infinite() || a.1.is_infinite()) && finite(b) {
        let (x, y) = (boxed(a.0), boxed(a.1));
        (f64::INFINITY * (x * b.0 + y * b.1), f64::INFINITY * (y * b.0 - x * b.1))
    } else if (abs_real.is_infinite() || abs_imag.is_infinite()) && finite(a) {
        let (x, y) = (boxed(b.0), boxed(b.1));
        (0.0 * (a.0 * x + a.1 * y), 0.0 * (a.1 * x - a.0 * y))
    } else {
        result
    })
}

fn real_quotient(a: f64, b: Complex) -> Option<Complex> {
    let (abs_real, abs_imag) = (b.0.abs(), b.1.abs());
    let result = if abs_real >= abs_imag {
        if abs_real == 0.0 {
            return None;
        }
        let ratio = b.1 / b.0;
        let denominator = b.0 + b.1 * ratio;
        (a / denominator, (-a * ratio) / denominator)
    } else if abs_imag >= abs_real {
        let ratio = b.0 / b.1;
        let denominator = b.0 * ratio + b.1;
        ((a * ratio) / denominator, -a / denominator)
    } else {
        (f64::NAN, f64::NAN)
    };
    if result.0.is_nan() && result.1.is_nan() && a.is_finite() && (abs_real.is_infinite() || abs_imag.is_infinite()) {
        let (x, y) = (boxed(b.0), boxed(b.1));
        return Some((0.0 * (a * x), 0.0 * (-a * y)));
    }
    Some(result)
}

pub(super) fn power(base: Complex, exponent: Complex) -> Option<Constant> {
    let is_small_int = exponent.1 == 0.0 && exponent.0 == exponent.0.floor() && exponent.0.abs() <= 100.0;
    let (real, imag) = if is_small_int { int_power(base, exponent.0 as i32)? } else { general_power(base, exponent)? };
    if real.is_infinite() || imag.is_infinite() {
        return None;
    }
    Some(Constant::Complex(real, imag))
}

fn int_power(base: Complex, exponent: i32) -> Option<Complex> {
    let count = exponent.unsigned_abs();
    let mut result = (1.0, 0.0);
    let mut square = base;
    let mut mask = 1;
    while count >= mask {
        if count & mask != 0 {
            result = product(result, square);
        }
        mask <<= 1;
        square = product(square, square);
    }
    if exponent > 0 { Some(result) } else { quotient((1.0, 0.0), result) }
}

fn general_power(base: Complex, exponent: Complex) -> Option<Complex> {
    if exponent == (0.0, 0.0) {
        return Some((1.0, 0.0));
    }
    if base == (0.0, 0.0) {
        return if exponent.1 != 0.0 || exponent.0 < 0.0 { None } else { Some((0.0, 0.0)) };
    }
    let magnitude = base.0.hypot(base.1);
    let mut length = magnitude.powf(exponent.0);
    let angle = base.1.atan2(base.0);
    let mut phase = angle * exponent.0;
    if exponent.1 != 0.0 {
        length *= (-angle * exponent.1).exp();
        phase += exponent.1 * magnitude.ln();
    }
    // The sine of infinity is a domain error.
    (!phase.is_infinite()).then(|| (length * phase.cos(), length * phase.sin()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mixed_operands_keep_signed_zeros() {
        let negative_zero_imag = Number::Complex(0.0, -0.0);
        let sum = binary(BinaryOp::Add, &Number::Float(1.0), &negative_zero_imag);
        assert_eq!(sum, Some(Constant::Complex(1.0, -0.0)));
        let difference = binary(BinaryOp::Subtract, &Number::Float(1.0), &Number::Complex(0.0, 2.0));
        assert_eq!(difference, Some(Constant::Complex(1.0, -2.0)));
        assert_eq!(binary(BinaryOp::TrueDivide, &Number::Float(1.0), &Number::Complex(0.0, 0.0)), None);
        assert_eq!(
            binary(BinaryOp::Power, &Number::Complex(0.0, 1.0), &Number::Int(2.into())),
            Some(Constant::Complex(-1.0, 0.0))
        );
    }
}
