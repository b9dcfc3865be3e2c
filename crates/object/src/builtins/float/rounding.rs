//! `round`, `trunc`, `floor`, `ceil` and exact ratios of floats.

use super::{from_f64, to_f64};
use crate::builtins::int::{self, Operand, float_conversion::ibig_from_f64};
use crate::builtins::tuple::Tuple;
use crate::object::Result;
use crate::text::float_repr::scaled;
use crate::value::Value;
use crate::vm::Vm;
use dashu_int::IBig;
use std::cmp::Ordering;

/// An int of a float without fraction.
pub fn integer(vm: &Vm, f: f64) -> Result {
    const LIMIT: f64 = (1_u64 << 62) as f64;
    if f.abs() < LIMIT {
        return Ok(int::from_i64(f as i64));
    }
    if f.is_nan() {
        return Err(vm.value_error("cannot convert float NaN to integer"));
    }
    if f.is_infinite() {
        return Err(vm.overflow_error("cannot convert float infinity to integer"));
    }
    Ok(int::from_ibig(ibig_from_f64(f)))
}

fn value_of(this: &Value) -> f64 {
    to_f64(this).unwrap_or(0.0)
}

pub(super) fn trunc(vm: &Vm, this: &Value) -> Result {
    integer(vm, value_of(this).trunc())
}

pub(super) fn floor(vm: &Vm, this: &Value, _: &[Value]) -> Result {
    integer(vm, value_of(this).floor())
}

pub(super) fn ceil(vm: &Vm, this: &Value, _: &[Value]) -> Result {
    integer(vm, value_of(this).ceil())
}

pub(super) fn round(vm: &Vm, this: &Value, args: &[Value]) -> Result {
    let f = value_of(this);
    let Some(digits) = args[0].given() else { return integer(vm, f.round_ties_even()) };
    let index = vm.index(digits)?;
    let digits = match Operand::of(&index) {
        Some(Operand::Small(digits)) => digits.clamp(-100_000, 100_000),
        Some(digits) if digits.is_negative() => -100_000,
        _ => 100_000,
    };
    if !f.is_finite() || f == 0.0 || digits > 323 {
        return Ok(from_f64(f));
    }
    if digits < -308 {
        return Ok(from_f64(f64::copysign(0.0, f)));
    }
    let rounded = round_decimal(f, digits as i32);
    if rounded.is_infinite() {
        return Err(vm.overflow_error("rounded value too large to represent"));
    }
    Ok(from_f64(rounded))
}

/// The float nearest to the decimal that is nearest to `f` and has `digits` places, ties to even.
pub fn round_decimal(f: f64, digits: i32) -> f64 {
    let magnitude = f.abs();
    // Both the int and the power of ten are exact as floats, so their quotient is the float nearest to the decimal.
    if (0..=18).contains(&digits)
        && let Some(scaled) = scaled(magnitude, digits as usize)
        && scaled < 1 << f64::MANTISSA_DIGITS
    {
        return f64::copysign(scaled as f64 / 10_u64.pow(digits as u32) as f64, f);
    }
    let text = if digits >= 0 {
        format!("{magnitude:.*}", digits as usize)
    } else {
        let leading = format!("{magnitude:e}");
        let exponent: i32 = leading.split_once('e').and_then(|(_, e)| e.parse().ok()).unwrap_or(0);
        let places = exponent + digits;
        if places < -1 {
            return f64::copysign(0.0, f);
        }
        if places == -1 {
            // Half the unit decides; exactly half goes to the even 0.
            let half = IBig::from(5) * IBig::from(10).pow((-digits - 1) as usize);
            let up = Operand::Big(&half).partial_cmp_f64_any(magnitude) == Ordering::Less;
            let unit = if up { format!("1e{}", -digits) } else { "0".to_string() };
            return f64::copysign(unit.parse().unwrap_or(0.0), f);
        }
        format!("{magnitude:.*e}", places as usize)
    };
    f64::copysign(text.parse().unwrap_or(magnitude), f)
}

impl Operand<'_> {
    /// The order of this int, whatever its size, and a finite float.
    fn partial_cmp_f64_any(self, f: f64) -> Ordering {
        match self {
            Operand::Big(n) if i64::try_from(n).is_ok() => {
                Operand::Small(i64::try_from(n).unwrap_or(0)).partial_cmp_f64(f).unwrap_or(Ordering::Equal)
            }
            n => n.partial_cmp_f64(f).unwrap_or(Ordering::Equal),
        }
    }
}

pub(super) fn as_integer_ratio(vm: &Vm, this: &Value, _: &[Value]) -> Result {
    let f = value_of(this);
    if f.is_nan() {
        return Err(vm.value_error("cannot convert NaN to integer ratio"));
    }
    if f.is_infinite() {
        return Err(vm.overflow_error("cannot convert Infinity to integer ratio"));
    }
    let bits = f.abs().to_bits();
    let (fraction, biased) = (bits & ((1 << 52) - 1), (bits >> 52) as i64);
    let (mantissa, exponent) = if biased == 0 { (fraction, -1074) } else { (fraction | 1 << 52, biased - 1075) };
    let twos = if mantissa == 0 { 0 } else { mantissa.trailing_zeros() as i64 };
    let (odd, exponent) = if mantissa == 0 { (0, 0) } else { (mantissa >> twos, exponent + twos) };
    let mut numerator = IBig::from(odd);
    let mut denominator = IBig::from(1);
    if exponent > 0 {
        numerator <<= exponent as usize;
    } else {
        denominator <<= -exponent as usize;
    }
    if f < 0.0 {
        numerator = -numerator;
    }
    Ok(Tuple::from_vec(vec![int::from_ibig(numerator), int::from_ibig(denominator)]).into_value())
}

#[cfg(test)]
mod tests {
    use super::round_decimal;

    #[test]
    fn decimal_places() {
        let cases = [
            (2.675, 2, 2.67_f64),
            (25.0, -1, 20.0),
            (15.0, -1, 20.0),
            (5.0, -1, 0.0),
            (6.0, -1, 10.0),
            (500.0, -3, 0.0),
            (501.0, -3, 1000.0),
            (1234567.8, -3, 1235000.0),
            (1e308, -308, 1e308),
            (5e-324, 323, 0.0),
            (0.5, 0, 0.0),
            (1.5, 0, 2.0),
            (-0.4, 0, -0.0),
            (49.9, -3, 0.0),
        ];
        for (f, digits, expected) in cases {
            assert_eq!(round_decimal(f, digits).to_bits(), expected.to_bits(), "round({f}, {digits})");
        }
        assert!(round_decimal(1.7e308, -308).is_infinite());
    }
}
