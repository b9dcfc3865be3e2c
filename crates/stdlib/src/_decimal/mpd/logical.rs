//! Operations on digits: logical ones, shifts and rotations; number classes.

use super::coefficient::{Coefficient, NoRoom, check_room};
use super::context::{Context, status::*};
use super::integral::integer_operand;
use super::limbs;
use super::number::{Class, Number};

/// The digits, all 0 or 1, of a logical operand, the lowest first, at most as many as the precision.
fn logical_digits(n: &Number, context: &Context) -> Option<Vec<u8>> {
    if !n.is_finite() || n.exp != 0 || n.negative {
        return None;
    }
    let mut digits = Vec::new();
    n.coefficient.push_ascii(&mut digits);
    if digits.iter().any(|digit| *digit > b'1') {
        return None;
    }
    digits.reverse();
    digits.truncate(usize::try_from(context.prec).unwrap_or(usize::MAX));
    digits.iter_mut().for_each(|digit| *digit -= b'0');
    Some(digits)
}

fn from_digits(mut digits: Vec<u8>) -> Number {
    digits.iter_mut().for_each(|digit| *digit += b'0');
    digits.reverse();
    Number::finite(false, Coefficient::from_ascii(&digits), 0)
}

fn binary(a: &Number, b: &Number, context: &Context, status: &mut u32, op: fn(u8, u8) -> u8) -> Number {
    let (Some(a), Some(b)) = (logical_digits(a, context), logical_digits(b, context)) else {
        return Number::error(status, INVALID_OPERATION);
    };
    let digit = |digits: &[u8], at: usize| digits.get(at).copied().unwrap_or(0);
    from_digits((0..a.len().max(b.len())).map(|at| op(digit(&a, at), digit(&b, at))).collect())
}

pub fn and(a: &Number, b: &Number, context: &Context, status: &mut u32) -> Number {
    binary(a, b, context, status, |x, y| x & y)
}
pub fn or(a: &Number, b: &Number, context: &Context, status: &mut u32) -> Number {
    binary(a, b, context, status, |x, y| x | y)
}
pub fn xor(a: &Number, b: &Number, context: &Context, status: &mut u32) -> Number {
    binary(a, b, context, status, |x, y| x ^ y)
}

pub fn invert(a: &Number, context: &Context, status: &mut u32) -> Number {
    let Some(mut digits) = logical_digits(a, context) else { return Number::error(status, INVALID_OPERATION) };
    if check_room(context.prec.saturating_mul(8)).is_err() {
        return Number::error(status, MALLOC_ERROR);
    }
    digits.resize(context.prec as usize, 0);
    digits.iter_mut().for_each(|digit| *digit ^= 1);
    from_digits(digits)
}

/// The coefficient moved by `b` digits, within the precision.
pub fn shift(a: &Number, b: &Number, context: &Context, status: &mut u32) -> Number {
    if let Some(nan) = a.propagate_nan(b, context, status) {
        return nan;
    }
    let places = match integer_operand(b) {
        Some(n) if (-context.prec..=context.prec).contains(&n) => n,
        _ => return Number::error(status, INVALID_OPERATION),
    };
    if a.is_infinite() {
        return a.clone();
    }
    let shifted = match places {
        0.. => a.coefficient.shift_left(places),
        _ => Ok(a.coefficient.low_digits(context.prec).shift_right(-places).0),
    };
    match shifted {
        Ok(coefficient) => Number::finite(a.negative, coefficient.low_digits(context.prec), a.exp),
        Err(NoRoom) => Number::error(status, MALLOC_ERROR),
    }
}

/// The coefficient, padded to the precision, rotated by `b` digits.
pub fn rotate(a: &Number, b: &Number, context: &Context, status: &mut u32) -> Number {
    if let Some(nan) = a.propagate_nan(b, context, status) {
        return nan;
    }
    let places = match integer_operand(b) {
        Some(n) if (-context.prec..=context.prec).contains(&n) => n,
        _ => return Number::error(status, INVALID_OPERATION),
    };
    if a.is_infinite() {
        return a.clone();
    }
    let left = if places >= 0 { places } else { context.prec + places };
    let coefficient = a.coefficient.low_digits(context.prec);
    match coefficient.shift_left(left) {
        Ok(high) => {
            let low = coefficient.shift_right(context.prec - left).0;
            Number::finite(a.negative, high.low_digits(context.prec).add(&low), a.exp)
        }
        Err(NoRoom) => Number::error(status, MALLOC_ERROR),
    }
}

pub fn class_name(a: &Number, context: &Context) -> &'static str {
    match a.class {
        Class::QuietNan => "NaN",
        Class::SignalingNan => "sNaN",
        Class::Infinite if a.negative => "-Infinity",
        Class::Infinite => "+Infinity",
        Class::Finite => match (a.coefficient.is_zero(), a.is_subnormal(context), a.negative) {
            (true, _, true) => "-Zero",
            (true, _, false) => "+Zero",
            (_, true, true) => "-Subnormal",
            (_, true, false) => "+Subnormal",
            (_, false, true) => "-Normal",
            (_, false, false) => "+Normal",
        },
    }
}

pub fn same_quantum(a: &Number, b: &Number) -> bool {
    match (a.class, b.class) {
        (Class::Finite, Class::Finite) => a.exp == b.exp,
        _ => a.is_nan() && b.is_nan() || a.is_infinite() && b.is_infinite(),
    }
}

/// The hash of a finite number: the value modulo `2^61 − 1`.
pub fn modular_hash(a: &Number) -> u64 {
    const P: u64 = (1 << 61) - 1;
    let times = |x: u64, y: u64| (u128::from(x) * u128::from(y) % u128::from(P)) as u64;
    let power = |mut base: u64, mut exponent: u64| {
        let mut result = 1;
        while exponent > 0 {
            if exponent & 1 == 1 {
                result = times(result, base);
            }
            base = times(base, base);
            exponent >>= 1;
        }
        result
    };
    let coefficient = match a.coefficient.small() {
        Some(n) => (n % u128::from(P)) as u64,
        None => {
            let base = limbs::BASE % P;
            let limbs = a.coefficient.limbs();
            limbs
                .iter()
                .rev()
                .fold(0, |sum, limb| ((u128::from(sum) * u128::from(base) + u128::from(*limb)) % u128::from(P)) as u64)
        }
    };
    // 10^(P − 1) is 1.
    let exponent = a.exp.rem_euclid(P as i64 - 1) as u64;
    times(coefficient, power(10, exponent))
}
