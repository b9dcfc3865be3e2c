//! Division, integer division and the two remainders.

use super::coefficient::{Coefficient, NoRoom};
use super::compare::compare_magnitude_finite;
use super::context::{Context, status::*};
use super::number::{Number, finalize_small};
use super::wide::{self, POW10};
use std::cmp::Ordering;

pub fn divide(a: &Number, b: &Number, context: &Context, status: &mut u32) -> Number {
    let negative = a.negative != b.negative;
    if !a.is_finite() || !b.is_finite() {
        if let Some(nan) = a.propagate_nan(b, context, status) {
            return nan;
        }
        return match (a.is_infinite(), b.is_infinite()) {
            (true, true) => Number::error(status, INVALID_OPERATION),
            (true, false) => Number::infinity(negative),
            _ => {
                *status |= CLAMPED;
                Number::finite(negative, Coefficient::ZERO, context.etiny())
            }
        };
    }
    if b.coefficient.is_zero() {
        if a.coefficient.is_zero() {
            return Number::error(status, DIVISION_UNDEFINED);
        }
        *status |= DIVISION_BY_ZERO;
        return Number::infinity(negative);
    }
    if a.coefficient.is_zero() {
        return Number::finite(negative, Coefficient::ZERO, a.exp - b.exp).finalize(context, status);
    }
    let ideal = a.exp - b.exp;
    let shift = b.digits() - a.digits() + context.prec + 1;
    if let (Some(x), Some(y)) = (a.coefficient.small(), b.coefficient.small())
        && (0..=38).contains(&shift)
        && context.prec <= 36
        && let Some(quotient) = divide_small(x, y, shift)
    {
        return finish_small(quotient, negative, ideal, shift, context, status);
    }
    let result = quotient_digits(&a.coefficient, &b.coefficient, shift);
    let Ok((mut quotient, exact)) = result else { return Number::error(status, MALLOC_ERROR) };
    let mut exp = ideal - shift;
    if exact {
        if exp < ideal {
            let zeros = quotient.trailing_zeros().min(ideal - exp);
            quotient = quotient.shift_right(zeros).0;
            exp += zeros;
        }
    } else if quotient.last_digit() % 5 == 0 {
        // So that rounding cannot take it for exact or for half a unit.
        quotient = quotient.incremented();
    }
    Number::finite(negative, quotient, exp).finalize(context, status)
}

/// `x · 10^shift / y` and whether it is exact.
#[inline]
fn divide_small(x: u128, y: u128, shift: i64) -> Option<(u128, bool)> {
    let (high, low) = wide::multiply(x, POW10[shift as usize]);
    if high >= y {
        return None;
    }
    let (quotient, rest) = wide::divide(high, low, y);
    Some((quotient, rest == 0))
}

#[inline]
fn finish_small(
    (mut quotient, exact): (u128, bool),
    negative: bool,
    ideal: i64,
    shift: i64,
    context: &Context,
    status: &mut u32,
) -> Number {
    let mut exp = ideal - shift;
    if exact {
        // Zeros at the end go as far as the ideal exponent: by halves, since often all of them do.
        for step in [16, 8, 4, 2, 1] {
            while exp + step <= ideal {
                let shorter = quotient / POW10[step as usize];
                if shorter * POW10[step as usize] != quotient {
                    break;
                }
                quotient = shorter;
                exp += step;
            }
        }
    } else if quotient % 5 == 0 {
        quotient += 1;
    }
    finalize_small(negative, quotient, exp, context, status)
}

/// The digits of `a · 10^shift / b`, and whether they are all.
fn quotient_digits(a: &Coefficient, b: &Coefficient, shift: i64) -> Result<(Coefficient, bool), NoRoom> {
    let (quotient, rest) = match shift {
        0.. => a.shift_left(shift)?.divide(b),
        _ => a.divide(&b.shift_left(-shift)?),
    };
    Ok((quotient, rest.is_zero()))
}

/// Integral quotient and remainder of finite numbers; `b` is not zero. `None`: the quotient has too many digits.
fn divmod_finite(a: &Number, b: &Number, context: &Context) -> Result<Option<(Number, Number)>, NoRoom> {
    let ideal = a.exp.min(b.exp);
    let negative = a.negative != b.negative;
    let zero = Number::finite(negative, Coefficient::ZERO, 0);
    if a.coefficient.is_zero() {
        return Ok(Some((zero, Number::finite(a.negative, Coefficient::ZERO, ideal))));
    }
    let difference = a.adjusted() - b.adjusted();
    if difference < 0 {
        let rest = a.coefficient.shift_left((a.exp - b.exp).max(0))?;
        return Ok(Some((zero, Number::finite(a.negative, rest, ideal))));
    }
    if difference > context.prec {
        return Ok(None);
    }
    let shift = a.exp - b.exp;
    let (quotient, rest) = match shift {
        0.. => a.coefficient.shift_left(shift)?.divide(&b.coefficient),
        _ => a.coefficient.divide(&b.coefficient.shift_left(-shift)?),
    };
    if quotient.digits() > context.prec {
        return Ok(None);
    }
    Ok(Some((Number::finite(negative, quotient, 0), Number::finite(a.negative, rest, ideal))))
}

fn divmod_or_error(a: &Number, b: &Number, context: &Context, status: &mut u32) -> (Number, Number) {
    match divmod_finite(a, b, context) {
        Ok(Some(result)) => result,
        Ok(None) => (Number::error(status, DIVISION_IMPOSSIBLE), Number::NAN),
        Err(NoRoom) => (Number::error(status, MALLOC_ERROR), Number::NAN),
    }
}

/// `a // b`, truncating.
pub fn divide_integer(a: &Number, b: &Number, context: &Context, status: &mut u32) -> Number {
    let negative = a.negative != b.negative;
    if !a.is_finite() || !b.is_finite() {
        if let Some(nan) = a.propagate_nan(b, context, status) {
            return nan;
        }
        return match (a.is_infinite(), b.is_infinite()) {
            (true, true) => Number::error(status, INVALID_OPERATION),
            (true, false) => Number::infinity(negative),
            _ => Number::finite(negative, Coefficient::ZERO, 0),
        };
    }
    if b.coefficient.is_zero() {
        if a.coefficient.is_zero() {
            return Number::error(status, DIVISION_UNDEFINED);
        }
        *status |= DIVISION_BY_ZERO;
        return Number::infinity(negative);
    }
    divmod_or_error(a, b, context, status).0.finalize(context, status)
}

/// `a % b`, with the sign of `a`.
pub fn remainder(a: &Number, b: &Number, context: &Context, status: &mut u32) -> Number {
    if !a.is_finite() || !b.is_finite() {
        if let Some(nan) = a.propagate_nan(b, context, status) {
            return nan;
        }
        return match a.is_infinite() {
            true => Number::error(status, INVALID_OPERATION),
            false => a.clone().finalize(context, status),
        };
    }
    if b.coefficient.is_zero() {
        let condition = if a.coefficient.is_zero() { DIVISION_UNDEFINED } else { INVALID_OPERATION };
        return Number::error(status, condition);
    }
    divmod_or_error(a, b, context, status).1.finalize(context, status)
}

/// `divmod(a, b)`
pub fn divmod(a: &Number, b: &Number, context: &Context, status: &mut u32) -> (Number, Number) {
    let negative = a.negative != b.negative;
    if !a.is_finite() || !b.is_finite() {
        if let Some(nan) = a.propagate_nan(b, context, status) {
            return (nan.clone(), nan);
        }
        return match (a.is_infinite(), b.is_infinite()) {
            (true, true) => (Number::error(status, INVALID_OPERATION), Number::NAN),
            (true, false) => {
                *status |= INVALID_OPERATION;
                (Number::infinity(negative), Number::NAN)
            }
            _ => (Number::finite(negative, Coefficient::ZERO, 0), a.clone().finalize(context, status)),
        };
    }
    if b.coefficient.is_zero() {
        if a.coefficient.is_zero() {
            return (Number::error(status, DIVISION_UNDEFINED), Number::NAN);
        }
        *status |= DIVISION_BY_ZERO | INVALID_OPERATION;
        return (Number::infinity(negative), Number::NAN);
    }
    let (quotient, rest) = divmod_or_error(a, b, context, status);
    (quotient.finalize(context, status), rest.finalize(context, status))
}

/// `a − b · n`, where `n` is the integer nearest to `a / b`.
pub fn remainder_near(a: &Number, b: &Number, context: &Context, status: &mut u32) -> Number {
    if !a.is_finite() || !b.is_finite() || b.coefficient.is_zero() {
        return remainder(a, b, context, status);
    }
    match remainder_near_finite(a, b, context, status) {
        Ok(Some(rest)) => rest,
        Ok(None) => Number::error(status, DIVISION_IMPOSSIBLE),
        Err(NoRoom) => Number::error(status, MALLOC_ERROR),
    }
}

fn remainder_near_finite(
    a: &Number,
    b: &Number,
    context: &Context,
    status: &mut u32,
) -> Result<Option<Number>, NoRoom> {
    let Some((quotient, rest)) = divmod_finite(a, b, context)? else { return Ok(None) };
    if rest.coefficient.is_zero() {
        return Ok(Some(rest.finalize(context, status)));
    }
    let twice = Number { coefficient: rest.coefficient.add(&rest.coefficient), ..rest.clone() };
    let up = match compare_magnitude_finite(&twice, b) {
        Ordering::Greater => true,
        Ordering::Equal => quotient.coefficient.last_digit() % 2 == 1,
        Ordering::Less => false,
    };
    if !up {
        return Ok(Some(rest.finalize(context, status)));
    }
    if quotient.coefficient.incremented().digits() > context.prec {
        return Ok(None);
    }
    let divisor = b.coefficient.shift_left(b.exp - rest.exp)?;
    let rest = Number::finite(!rest.negative, divisor.subtract(&rest.coefficient), rest.exp);
    Ok(Some(rest.finalize(context, status)))
}
