//! Powers. Those with integral exponents are computed by repeated multiplication, others as `e^(y ln x)`, in both cases
//! with so many more digits as libmpdec takes: almost always, but not always, correctly rounded.

use super::arithmetic::multiply;
use super::coefficient::{Coefficient, NoRoom, check_room};
use super::compare::compare_magnitude_finite;
use super::context::{Context, EXP_INF, status::*};
use super::divide::divide;
use super::limbs;
use super::number::Number;
use super::{arithmetic, transcendental};
use dashu_int::UBig;
use std::cmp::Ordering;

const ONE: Number = Number::finite(false, Coefficient::ONE, 0);

/// `base^exponent`
pub fn power(base: &Number, exponent: &Number, context: &Context, status: &mut u32) -> Number {
    if let Some(nan) = base.propagate_nan(exponent, context, status) {
        return nan;
    }
    let integral = exponent.is_integer();
    let negative = integral && base.negative && exponent.is_odd();
    let zero = Number::finite(negative, Coefficient::ZERO, 0);
    if base.is_zero() {
        if exponent.is_zero() {
            return Number::error(status, INVALID_OPERATION);
        }
        return if exponent.negative { Number::infinity(negative) } else { zero };
    }
    if base.negative && !integral {
        return Number::error(status, INVALID_OPERATION);
    }
    if exponent.is_infinite() {
        let order = match base.is_infinite() {
            true => Ordering::Greater,
            false => compare_magnitude_finite(base, &ONE),
        };
        return match (order, exponent.negative) {
            (Ordering::Equal, _) => {
                *status |= INEXACT | ROUNDED;
                ones(context.prec - 1, negative, status)
            }
            (Ordering::Greater, false) | (Ordering::Less, true) => Number::infinity(negative),
            _ => zero,
        };
    }
    if base.is_infinite() {
        return match (exponent.is_zero(), exponent.negative) {
            (true, _) => ONE.with_sign(negative),
            (false, true) => zero,
            (false, false) => Number::infinity(negative),
        };
    }
    if exponent.is_zero() {
        return ONE.with_sign(negative);
    }
    if compare_magnitude_finite(base, &ONE).is_eq() {
        return power_of_one(base, exponent, negative, context, status);
    }
    if let Some(result) = out_of_bounds(base, exponent, negative, context, status) {
        return result;
    }
    if integral {
        return integral_power(base, exponent, negative, context, status);
    }
    let mut result = real_power(base, exponent, context, status);
    if result.is_finite() && !result.coefficient.is_zero() && compare_magnitude_finite(&result, &ONE).is_eq() {
        result = ones(context.prec - 1, false, status);
    }
    if result.is_infinite() {
        result = Number::small(false, 1, EXP_INF);
    }
    result.finalize(context, status)
}

/// 1 with so many zeros behind the point.
fn ones(zeros: i64, negative: bool, status: &mut u32) -> Number {
    match Coefficient::ONE.shift_left(zeros) {
        Ok(coefficient) => Number::finite(negative, coefficient, -zeros),
        Err(NoRoom) => Number::error(status, MALLOC_ERROR),
    }
}

/// A base of ±1, with zeros behind the point that an integral power multiplies.
fn power_of_one(base: &Number, exponent: &Number, negative: bool, context: &Context, status: &mut u32) -> Number {
    if !exponent.is_integer() {
        *status |= INEXACT | ROUNDED;
        return ones(context.prec - 1, negative, status);
    }
    if exponent.negative {
        return ONE.with_sign(negative);
    }
    let mut conditions = 0;
    let zeros = multiply(exponent, &Number::from_i64(-base.exp), context, &mut conditions);
    if conditions & ERRORS != 0 {
        *status |= conditions & ERRORS;
        return Number::NAN;
    }
    let mut zeros = zeros.to_i64().unwrap_or(i64::MAX);
    if zeros > context.prec - 1 {
        zeros = context.prec - 1;
        *status |= ROUNDED;
    }
    ones(zeros.max(0), negative, status)
}

/// Decimal digits of a number.
fn count_digits(n: i64) -> i64 {
    super::wide::digits(n.unsigned_abs().into()).into()
}

/// A lower bound of `log10(abs(log10(x)))`; `x` is positive and not 1.
fn log_log_bound(x: &Number) -> i64 {
    match x.adjusted() {
        adjusted if adjusted > 0 => count_digits(adjusted) - 1,
        adjusted if adjusted < -1 => count_digits(adjusted + 1) - 1,
        adjusted => {
            let distance = arithmetic::subtract(x, &ONE, &Context::MAX, &mut 0).adjusted();
            if adjusted == 0 { distance - 2 } else { distance - 1 }
        }
    }
}

/// The result of a power that certainly overflows or underflows.
fn out_of_bounds(
    base: &Number,
    exponent: &Number,
    negative: bool,
    context: &Context,
    status: &mut u32,
) -> Option<Number> {
    let base = base.abs();
    let size = log_log_bound(&base) + exponent.adjusted();
    let grows = (base.adjusted() < 0) == exponent.negative;
    let (limit, exp) = match grows {
        true => (count_digits(context.emax), EXP_INF),
        false => (count_digits(context.etiny()), context.etiny() - 1),
    };
    (limit < size).then(|| Number::small(negative, 1, exp).finalize(context, status))
}

fn integral_power(base: &Number, exponent: &Number, negative: bool, context: &Context, status: &mut u32) -> Number {
    let mut work = context.working(context.prec + exponent.digits() + exponent.exp + 2);
    let mut base = base.clone();
    if exponent.negative {
        work.prec += 1;
        let mut conditions = 0;
        base = divide(&ONE, &base, &work, &mut conditions);
        *status |= conditions;
        if conditions & ERRORS != 0 {
            return Number::NAN;
        }
    }
    let result = match exponent.abs().to_i64() {
        Some(n) => small_power(&base, n as u64, &work, status),
        None => large_power(base, exponent, &work, status),
    };
    let result = match result.is_infinite() {
        // So that the context's rounding applies.
        true => Number::small(negative, 1, EXP_INF),
        false => result.with_sign(negative),
    };
    result.finalize(context, status)
}

/// Whether further multiplications change nothing.
fn is_stuck(result: &Number, conditions: u32) -> bool {
    !result.is_finite() || result.coefficient.is_zero() && conditions & CLAMPED != 0
}

/// By squaring, from the exponent's highest bit.
fn small_power(base: &Number, exponent: u64, context: &Context, status: &mut u32) -> Number {
    let mut conditions = 0;
    let mut result = base.clone();
    for bit in (0..63 - exponent.leading_zeros()).rev() {
        result = multiply(&result, &result, context, &mut conditions);
        if exponent >> bit & 1 == 1 {
            result = multiply(&result, base, context, &mut conditions);
        }
        if is_stuck(&result, conditions) {
            break;
        }
    }
    *status |= conditions;
    result
}

/// By squaring, from the exponent's lowest bit.
fn large_power(mut base: Number, exponent: &Number, context: &Context, status: &mut u32) -> Number {
    let mut result = ONE;
    let mut conditions = 0;
    let Ok(whole) = exponent.coefficient.shift_left(exponent.exp.max(0)) else {
        return Number::error(status, MALLOC_ERROR);
    };
    let whole = if exponent.exp < 0 { whole.shift_right(-exponent.exp).0 } else { whole };
    let mut rest = limbs::to_binary(&whole.limbs());
    while !rest.is_zero() {
        if &rest % 2u8 == 1 {
            result = multiply(&result, &base, context, &mut conditions);
            if is_stuck(&result, conditions) {
                break;
            }
        }
        base = multiply(&base, &base, context, &mut conditions);
        if is_stuck(&base, conditions) && base.is_nan() {
            break;
        }
        rest >>= 1;
    }
    *status |= conditions;
    result
}

fn real_power(base: &Number, exponent: &Number, context: &Context, status: &mut u32) -> Number {
    /// As many digits as exponents have, and four.
    const EXTRA: i64 = 19 + 4;
    let work = Context::MAX.working(base.digits().max(context.prec) + EXTRA);
    let mut conditions = 0;
    let logarithm = transcendental::ln(base, &work, &mut conditions);
    let product = multiply(&logarithm, exponent, &work, &mut conditions);
    transcendental::exp(&product, &work, status)
}

/// `base^exponent % modulus` of integers.
pub fn modular_power(
    base: &Number,
    exponent: &Number,
    modulus: &Number,
    context: &Context,
    status: &mut u32,
) -> Number {
    for number in [base, exponent, modulus] {
        if number.is_signaling() {
            return number.propagate_own_nan(context, status).unwrap_or(Number::NAN);
        }
    }
    for number in [base, exponent, modulus] {
        if number.is_nan() {
            return number.propagate_own_nan(context, status).unwrap_or(Number::NAN);
        }
    }
    let integers = base.is_integer() && exponent.is_integer() && modulus.is_integer();
    if !integers
        || exponent.negative && !exponent.is_zero()
        || modulus.is_zero()
        || modulus.digits() + modulus.exp > context.prec
    {
        return Number::error(status, INVALID_OPERATION);
    }
    if exponent.is_zero() && base.is_zero() {
        return Number::error(status, INVALID_OPERATION);
    }
    let negative = base.negative && exponent.is_odd();
    let value = |n: &Number| -> Result<UBig, NoRoom> {
        check_room(n.digits().saturating_add(n.exp))?;
        let whole = match n.exp {
            0.. => n.coefficient.shift_left(n.exp)?,
            exp => n.coefficient.shift_right(-exp).0,
        };
        Ok(limbs::to_binary(&whole.limbs()))
    };
    let result = (|| -> Result<UBig, NoRoom> {
        let modulus = value(modulus)?;
        // A base with a huge exponent is reduced first.
        let base = match base.exp {
            exp @ 1.. => {
                let coefficient = limbs::to_binary(&base.coefficient.limbs()) % &modulus;
                coefficient * power_modulo(UBig::from(10u8), UBig::from(exp as u64), &modulus) % &modulus
            }
            _ => value(base)? % &modulus,
        };
        Ok(power_modulo(base, value(exponent)?, &modulus))
    })();
    match result {
        Ok(result) => {
            let coefficient = Coefficient::from_limbs(limbs::from_binary(&result));
            Number::finite(negative, coefficient, 0)
        }
        Err(NoRoom) => Number::error(status, MALLOC_ERROR),
    }
}

fn power_modulo(base: UBig, exponent: UBig, modulus: &UBig) -> UBig {
    if modulus.is_one() {
        return UBig::ZERO;
    }
    let ring = dashu_int::fast_div::ConstDivisor::new(modulus.clone());
    ring.reduce(base).pow(&exponent).residue()
}
