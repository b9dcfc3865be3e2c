//! Addition, subtraction, multiplication and fused multiply-add.

use super::coefficient::{Coefficient, NoRoom};
use super::context::{Context, Rounding, status::*};
use super::number::{Class, Number, finalize_small, rounds_up_small};
use super::wide::{self, POW10};
use std::cmp::Ordering;

pub fn add(a: &Number, b: &Number, context: &Context, status: &mut u32) -> Number {
    add_signed(a, b, b.negative, context, status)
}

pub fn subtract(a: &Number, b: &Number, context: &Context, status: &mut u32) -> Number {
    add_signed(a, b, !b.negative, context, status)
}

/// `a + b`, where `b` has another sign than it says, maybe.
fn add_signed(a: &Number, b: &Number, b_negative: bool, context: &Context, status: &mut u32) -> Number {
    if !a.is_finite() || !b.is_finite() {
        return add_special(a, b, b_negative, context, status);
    }
    if let (Some(x), Some(y)) = (a.coefficient.small(), b.coefficient.small())
        && let Some((x, y)) = align(x, a.exp, y, b.exp)
    {
        let exp = a.exp.min(b.exp);
        let (negative, sum) = match (a.negative == b_negative, x.cmp(&y)) {
            (true, _) => (a.negative, x + y),
            (false, Ordering::Greater) => (a.negative, x - y),
            (false, Ordering::Less) => (b_negative, y - x),
            (false, Ordering::Equal) => (context.round == Rounding::Floor, 0),
        };
        return finalize_small(negative, sum, exp, context, status);
    }
    match add_finite(a, b, b_negative, context, status) {
        Ok(sum) => sum,
        Err(NoRoom) => Number::error(status, MALLOC_ERROR),
    }
}

/// Small coefficients at the lesser exponent, if both stay below 10^38.
#[inline]
fn align(x: u128, x_exp: i64, y: u128, y_exp: i64) -> Option<(u128, u128)> {
    let scale = |n: u128, places: i64| {
        if places > 37 {
            return None;
        }
        let unit = POW10[places as usize];
        match (u64::try_from(n), u64::try_from(unit)) {
            (Ok(n), Ok(unit)) => Some(u128::from(n) * u128::from(unit)).filter(|n| *n < POW10[38]),
            _ if i64::from(wide::digits(n)) + places <= 38 => Some(n * unit),
            _ => None,
        }
    };
    match x_exp - y_exp {
        0 => Some((x, y)),
        difference if difference > 0 => Some((scale(x, difference)?, y)),
        difference => Some((x, scale(y, -difference)?)),
    }
}

#[cold]
fn add_special(a: &Number, b: &Number, b_negative: bool, context: &Context, status: &mut u32) -> Number {
    if let Some(nan) = a.propagate_nan(b, context, status) {
        return nan;
    }
    match (a.is_infinite(), b.is_infinite()) {
        (true, true) if a.negative != b_negative => Number::error(status, INVALID_OPERATION),
        (true, _) => Number::infinity(a.negative),
        _ => Number::infinity(b_negative),
    }
}

fn add_finite(a: &Number, b: &Number, b_negative: bool, context: &Context, status: &mut u32) -> Result<Number, NoRoom> {
    // `high` has the greater exponent.
    let swap = a.exp < b.exp;
    let (high, low) = if swap { (b, a) } else { (a, b) };
    let (high_negative, low_negative) = if swap { (b_negative, a.negative) } else { (a.negative, b_negative) };
    let mut low_coefficient = low.coefficient.clone();
    let mut high_coefficient = high.coefficient.clone();
    let mut exp = low.exp;
    if high.exp != low.exp && !high_coefficient.is_zero() {
        // A number that lies beyond what rounding can see is replaced by a tiny one with the same effect.
        let digits = high.digits();
        let mut limit = high.exp - 1;
        if digits <= context.prec {
            limit += digits - context.prec - 1;
        }
        if low.adjusted() < limit {
            exp = limit;
            low_coefficient = if low_coefficient.is_zero() { Coefficient::ZERO } else { Coefficient::ONE };
        }
        high_coefficient = high_coefficient.shift_left(high.exp - exp)?;
    }
    let (negative, sum) = if high_negative == low_negative {
        (high_negative, high_coefficient.add(&low_coefficient))
    } else {
        match high_coefficient.cmp(&low_coefficient) {
            Ordering::Greater => (high_negative, high_coefficient.subtract(&low_coefficient)),
            Ordering::Less => (low_negative, low_coefficient.subtract(&high_coefficient)),
            Ordering::Equal => (context.round == Rounding::Floor, Coefficient::ZERO),
        }
    };
    Ok(Number::finite(negative, sum, exp).finalize(context, status))
}

pub fn multiply(a: &Number, b: &Number, context: &Context, status: &mut u32) -> Number {
    let negative = a.negative != b.negative;
    if !a.is_finite() || !b.is_finite() {
        return multiply_special(a, b, context, status);
    }
    if let (Some(x), Some(y)) = (a.coefficient.small(), b.coefficient.small()) {
        let exp = a.exp + b.exp;
        match wide::multiply(x, y) {
            (0, product) => return finalize_small(negative, product, exp, context, status),
            (high, low) => {
                if let Some(product) = round_wide(high, low, (x, y), negative, exp, context, status) {
                    return product;
                }
            }
        }
    }
    match multiply_exactly(a, b) {
        Ok(product) => product.finalize(context, status),
        Err(NoRoom) => Number::error(status, MALLOC_ERROR),
    }
}

/// Rounds the 256-bit product of `factors`, if the exponent needs no care and the precision is usual.
fn round_wide(
    high: u128,
    low: u128,
    factors: (u128, u128),
    negative: bool,
    exp: i64,
    context: &Context,
    status: &mut u32,
) -> Option<Number> {
    if context.prec > 37 {
        return None;
    }
    // Of these digits the product has one less or all.
    let digits = i64::from(wide::digits(factors.0) + wide::digits(factors.1));
    let shift = digits - 1 - context.prec;
    if !(1..=38).contains(&shift) || exp + digits > context.emax || exp < context.etiny() {
        return None;
    }
    if context.clamp && exp + digits > context.etop() || exp + digits - 2 < context.emin {
        return None;
    }
    let unit = POW10[shift as usize];
    let (mut quotient, rest) = wide::divide(high, low, unit);
    let mut lost = if rest == 0 { None } else { Some(rest.cmp(&(unit / 2))) };
    let mut exp = exp + shift;
    if quotient >= POW10[context.prec as usize] {
        let digit = quotient % 10;
        quotient /= 10;
        exp += 1;
        lost = match (digit.cmp(&5), lost) {
            _ if digit == 0 && lost.is_none() => None,
            (Ordering::Equal, Some(_)) => Some(Ordering::Greater),
            (ordering, _) => Some(ordering),
        };
    }
    *status |= ROUNDED;
    if lost.is_some() {
        *status |= INEXACT;
        if rounds_up_small(quotient, negative, lost, context.round) {
            quotient += 1;
            if quotient == POW10[context.prec as usize] {
                quotient /= 10;
                exp += 1;
            }
        }
    }
    Some(Number::small(negative, quotient, exp))
}

#[cold]
fn multiply_special(a: &Number, b: &Number, context: &Context, status: &mut u32) -> Number {
    if let Some(nan) = a.propagate_nan(b, context, status) {
        return nan;
    }
    if a.is_zero() || b.is_zero() {
        return Number::error(status, INVALID_OPERATION);
    }
    Number::infinity(a.negative != b.negative)
}

/// The product of finite numbers.
pub fn multiply_exactly(a: &Number, b: &Number) -> Result<Number, NoRoom> {
    let coefficient = a.coefficient.multiply(&b.coefficient)?;
    Ok(Number::finite(a.negative != b.negative, coefficient, a.exp + b.exp))
}

/// `a · b + c`, rounded once.
pub fn fma(a: &Number, b: &Number, c: &Number, context: &Context, status: &mut u32) -> Number {
    if !a.is_finite() || !b.is_finite() || !c.is_finite() {
        // Signaling factors come first, then an invalid product, a signaling NaN added, and quiet factors.
        let signaling = |n: &Number, status: &mut u32| n.propagate_own_nan(context, status).unwrap_or(Number::NAN);
        if let Some(factor) = [a, b].into_iter().find(|n| n.is_signaling()) {
            return signaling(factor, status);
        }
        let is_invalid = |a: &Number, b: &Number| a.is_infinite() && b.is_finite() && b.is_zero();
        if is_invalid(a, b) || is_invalid(b, a) {
            return multiply_special(a, b, context, status);
        }
        if c.is_signaling() {
            return signaling(c, status);
        }
        if let Some(nan) = a.propagate_nan(b, context, status) {
            return nan;
        }
        if a.is_infinite() || b.is_infinite() {
            let product = multiply_special(a, b, context, status);
            return match product.class {
                Class::Infinite => add(&product, c, context, status),
                _ => product,
            };
        }
        return add_special(a, c, c.negative, context, status);
    }
    match multiply_exactly(a, b) {
        Ok(product) => add(&product, c, context, status),
        Err(NoRoom) => Number::error(status, MALLOC_ERROR),
    }
}
