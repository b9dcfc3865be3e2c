//! Floats, and what of ints gives floats.

use dashu_int::ops::{BitTest, UnsignedAbs};
use dashu_int::{IBig, UBig};

use taipan_bytecode::Constant;
use taipan_bytecode::oparg::BinaryOp;

use super::{Number, complex};

/// The nearest float, ties to even; None if it is too large.
pub(super) fn int_to_float(value: &IBig) -> Option<f64> {
    quotient(value, &IBig::ONE)
}

pub(super) fn to_float(number: &Number) -> Option<f64> {
    match number {
        Number::Int(value) => int_to_float(value),
        Number::Float(value) => Some(*value),
        Number::Complex(..) => None,
    }
}

/// `a / b` for ints, correctly rounded.
pub(super) fn divide_ints(a: &IBig, b: &IBig) -> Option<f64> {
    if *b == IBig::ZERO { None } else { quotient(a, b) }
}

fn quotient(a: &IBig, b: &IBig) -> Option<f64> {
    let negative = (*a < IBig::ZERO) != (*b < IBig::ZERO);
    let magnitude = quotient_of_magnitudes(a.clone().unsigned_abs(), b.clone().unsigned_abs())?;
    Some(if negative { -magnitude } else { magnitude })
}

fn quotient_of_magnitudes(a: UBig, b: UBig) -> Option<f64> {
    if a == UBig::ZERO {
        return Some(0.0);
    }
    // Scaled so that the integer quotient has 65 or 66 bits: enough for 53, a rounding bit and a sticky bit.
    let shift = 65 - (a.bit_len() as i64 - b.bit_len() as i64);
    let (a, b) = if shift >= 0 { (a << shift as usize, b) } else { (a, b << shift.unsigned_abs() as usize) };
    let (quotient, remainder) = (&a / &b, &a % &b);
    let quotient = u128::try_from(&quotient).ok()? | u128::from(remainder != UBig::ZERO);
    let length = 128 - i64::from(quotient.leading_zeros());
    // The value is below 2^exponent; subnormal results have fewer than 53 bits.
    let exponent = length - shift;
    let precision = (exponent + 1074).clamp(0, 53);
    let dropped = length - precision;
    let (mut kept, rest) = (quotient >> dropped, quotient & ((1 << dropped) - 1));
    let half = 1u128 << (dropped - 1);
    if exponent + 1074 >= 0 && (rest > half || (rest == half && kept & 1 == 1)) {
        kept += 1;
    }
    let result = scale(kept as f64, dropped - shift);
    result.is_finite().then_some(result)
}

/// `value * 2^exponent`, exact where the result is representable.
fn scale(value: f64, exponent: i64) -> f64 {
    let step = |power: i64| f64::from_bits(((power + 1023) as u64) << 52);
    let (mut value, mut exponent) = (value, exponent);
    while exponent > 1000 {
        value *= step(1000);
        exponent -= 1000;
        if value.is_infinite() {
            return value;
        }
    }
    while exponent < -1000 {
        if value == 0.0 {
            return value;
        }
        value *= step(-1000);
        exponent += 1000;
    }
    value * step(exponent)
}

pub(super) fn binary(op: BinaryOp, a: f64, b: f64) -> Option<Constant> {
    let result = match op {
        BinaryOp::Add => a + b,
        BinaryOp::Subtract => a - b,
        BinaryOp::Multiply => a * b,
        BinaryOp::TrueDivide if b != 0.0 => a / b,
        BinaryOp::FloorDivide if b != 0.0 => floor_div(a, b),
        BinaryOp::Remainder if b != 0.0 => remainder(a, b),
        BinaryOp::Power => return power(a, b),
        _ => return None,
    };
    Some(Constant::Float(result))
}

fn remainder(a: f64, b: f64) -> f64 {
    let modulo = a % b;
    if modulo == 0.0 {
        0.0f64.copysign(b)
    } else if (b < 0.0) != (modulo < 0.0) {
        modulo + b
    } else {
        modulo
    }
}

fn floor_div(a: f64, b: f64) -> f64 {
    let modulo = a % b;
    let mut quotient = (a - modulo) / b;
    if modulo != 0.0 && (b < 0.0) != (modulo < 0.0) {
        quotient -= 1.0;
    }
    if quotient == 0.0 {
        return 0.0f64.copysign(a / b);
    }
    let floor = quotient.floor();
    if quotient - floor > 0.5 { floor + 1.0 } else { floor }
}

pub(super) fn power(base: f64, exponent: f64) -> Option<Constant> {
    let float = |value| Some(Constant::Float(value));
    let is_odd = exponent.abs() % 2.0 == 1.0;
    if exponent == 0.0 {
        return float(1.0);
    }
    if base.is_nan() {
        return float(base);
    }
    if exponent.is_nan() {
        return float(if base == 1.0 { 1.0 } else { exponent });
    }
    if exponent.is_infinite() {
        let base = base.abs();
        return float(if base == 1.0 {
            1.0
        } else if (exponent > 0.0) == (base > 1.0) {
            f64::INFINITY
        } else {
            0.0
        });
    }
    if base.is_infinite() {
        return float(match (exponent > 0.0, is_odd) {
            (true, true) => base,
            (true, false) => base.abs(),
            (false, true) => 0.0f64.copysign(base),
            (false, false) => 0.0,
        });
    }
    if base == 0.0 {
        return if exponent < 0.0 { None } else { float(if is_odd { base } else { 0.0 }) };
    }
    if base < 0.0 && exponent != exponent.floor() {
        return complex::power((base, 0.0), (exponent, 0.0));
    }
    let magnitude = base.abs();
    let result = if magnitude == 1.0 { 1.0 } else { magnitude.powf(exponent) };
    if result.is_infinite() {
        return None;
    }
    float(if base < 0.0 && is_odd { -result } else { result })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rounding() {
        let big = |text: &str| text.parse::<IBig>().expect("digits");
        assert_eq!(int_to_float(&big("9007199254740993")), Some(9007199254740992.0));
        assert_eq!(int_to_float(&big("9007199254740995")), Some(9007199254740996.0));
        assert_eq!(int_to_float(&(IBig::ONE << 1024)), None);
        assert_eq!(int_to_float(&((IBig::ONE << 1024) - (IBig::ONE << 970))), None);
        assert_eq!(int_to_float(&((IBig::ONE << 1024) - (IBig::ONE << 971))), Some(f64::MAX));
        assert_eq!(divide_ints(&IBig::ONE, &(IBig::ONE << 1074)), Some(5e-324));
        assert_eq!(divide_ints(&IBig::ONE, &(IBig::ONE << 1075)), Some(0.0));
        assert_eq!(divide_ints(&IBig::from(3), &(IBig::ONE << 1075)), Some(1e-323));
        assert_eq!(divide_ints(&IBig::from(3), &(IBig::ONE << 1076)), Some(5e-324));
        assert_eq!(divide_ints(&IBig::from(-1), &IBig::from(3)), Some(-1.0 / 3.0));
    }

    #[test]
    fn float_operators() {
        assert_eq!(binary(BinaryOp::FloorDivide, -7.5, 2.0), Some(Constant::Float(-4.0)));
        assert_eq!(binary(BinaryOp::Remainder, -7.5, 2.0), Some(Constant::Float(0.5)));
        assert_eq!(binary(BinaryOp::Remainder, -0.0, 2.0), Some(Constant::Float(0.0)));
        assert_eq!(binary(BinaryOp::Power, 0.0, -1.0), None);
        assert_eq!(binary(BinaryOp::Power, 10.0, 400.0), None);
        assert_eq!(binary(BinaryOp::Power, -2.0, 3.0), Some(Constant::Float(-8.0)));
    }
}
