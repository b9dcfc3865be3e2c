//! Operations on exponents and digits: signs, rounding to a place, trailing zeros, neighbours.

use super::coefficient::{Coefficient, NoRoom};
use super::compare;
use super::context::{Context, EXP_CLAMP, EXP_INF, MAX_EMAX, MAX_PREC, MIN_ETINY, Rounding, status::*};
use super::number::{Number, rounds_up};
use std::cmp::Ordering;

/// Unary plus.
pub fn plus(a: &Number, context: &Context, status: &mut u32) -> Number {
    if let Some(nan) = a.propagate_own_nan(context, status) {
        return nan;
    }
    let negative = a.negative && (!a.is_zero() || context.round == Rounding::Floor);
    a.clone().with_sign(negative).finalize(context, status)
}

/// Unary minus.
pub fn minus(a: &Number, context: &Context, status: &mut u32) -> Number {
    if let Some(nan) = a.propagate_own_nan(context, status) {
        return nan;
    }
    let negative = !a.negative && (!a.is_zero() || context.round == Rounding::Floor);
    a.clone().with_sign(negative).finalize(context, status)
}

pub fn absolute(a: &Number, context: &Context, status: &mut u32) -> Number {
    if a.negative { minus(a, context, status) } else { plus(a, context, status) }
}

/// Without trailing zeros.
pub fn reduce(a: &Number, context: &Context, status: &mut u32) -> Number {
    if let Some(nan) = a.propagate_own_nan(context, status) {
        return nan;
    }
    let rounded = a.clone().finalize(context, status);
    if !rounded.is_finite() {
        return rounded;
    }
    if rounded.coefficient.is_zero() {
        return Number::finite(rounded.negative, Coefficient::ZERO, 0);
    }
    let last = if context.clamp { context.etop() } else { context.emax };
    let zeros = rounded.coefficient.trailing_zeros().min(last - rounded.exp).max(0);
    let coefficient = rounded.coefficient.shift_right(zeros).0;
    Number::finite(rounded.negative, coefficient, rounded.exp + zeros)
}

/// `a` with the exponent of `b`.
pub fn quantize(a: &Number, b: &Number, context: &Context, status: &mut u32) -> Number {
    if !a.is_finite() || !b.is_finite() {
        if let Some(nan) = a.propagate_nan(b, context, status) {
            return nan;
        }
        return match a.is_infinite() && b.is_infinite() {
            true => a.clone(),
            false => Number::error(status, INVALID_OPERATION),
        };
    }
    if b.exp > context.emax || b.exp < context.etiny() {
        return Number::error(status, INVALID_OPERATION);
    }
    if a.coefficient.is_zero() {
        return Number::finite(a.negative, Coefficient::ZERO, b.exp).finalize(context, status);
    }
    let difference = a.exp - b.exp;
    if a.digits() + difference > context.prec {
        return Number::error(status, INVALID_OPERATION);
    }
    let mut conditions = 0;
    let coefficient = match difference {
        0.. => match a.coefficient.shift_left(difference) {
            Ok(coefficient) => coefficient,
            Err(NoRoom) => return Number::error(status, MALLOC_ERROR),
        },
        _ => {
            let (mut coefficient, lost) = a.coefficient.shift_right(-difference);
            if rounds_up(&coefficient, a.negative, lost, context.round) {
                coefficient = coefficient.incremented();
            }
            conditions = if lost.is_some() { ROUNDED | INEXACT } else { ROUNDED };
            coefficient
        }
    };
    let result = Number::finite(a.negative, coefficient, b.exp);
    if result.digits() > context.prec || result.adjusted() > context.emax {
        return Number::error(status, INVALID_OPERATION);
    }
    *status |= conditions;
    result.finalize(context, status)
}

/// `a` with the exponent `exp`, however many digits it takes.
pub fn rescale(a: &Number, exp: i64, context: &Context, status: &mut u32) -> Number {
    if !a.is_finite() {
        return a.propagate_own_nan(context, status).unwrap_or_else(|| a.clone());
    }
    if !(MIN_ETINY - 1..=MAX_EMAX + 1).contains(&exp) {
        return Number::error(status, INVALID_OPERATION);
    }
    if a.coefficient.is_zero() {
        return Number::finite(a.negative, Coefficient::ZERO, exp);
    }
    let difference = a.exp - exp;
    let coefficient = if difference >= 0 {
        if a.digits() + difference > MAX_PREC + 1 {
            return Number::error(status, INVALID_OPERATION);
        }
        match a.coefficient.shift_left(difference) {
            Ok(coefficient) => coefficient,
            Err(NoRoom) => return Number::error(status, MALLOC_ERROR),
        }
    } else {
        let (mut coefficient, lost) = a.coefficient.shift_right(-difference);
        if rounds_up(&coefficient, a.negative, lost, context.round) {
            coefficient = coefficient.incremented();
        }
        *status |= if lost.is_some() { ROUNDED | INEXACT } else { ROUNDED };
        coefficient
    };
    Number::finite(a.negative, coefficient, exp)
}

/// Rounded to an integer; `exactly` reports what is lost.
pub fn to_integral(a: &Number, exactly: bool, context: &Context, status: &mut u32) -> Number {
    if let Some(nan) = a.propagate_own_nan(context, status) {
        return nan;
    }
    if !a.is_finite() || a.exp >= 0 {
        return a.clone();
    }
    if a.coefficient.is_zero() {
        return Number::finite(a.negative, Coefficient::ZERO, 0);
    }
    let (mut coefficient, lost) = a.coefficient.shift_right(-a.exp);
    if rounds_up(&coefficient, a.negative, lost, context.round) {
        coefficient = coefficient.incremented();
    }
    if exactly {
        *status |= if lost.is_some() { ROUNDED | INEXACT } else { ROUNDED };
    }
    Number::finite(a.negative, coefficient, 0)
}

/// The next number towards negative (`down`) or positive infinity.
fn next(a: &Number, down: bool, context: &Context, status: &mut u32) -> Number {
    if let Some(nan) = a.propagate_own_nan(context, status) {
        return nan;
    }
    if a.is_infinite() {
        if a.negative == down {
            return a.clone();
        }
        return match Coefficient::nines(context.prec) {
            Ok(coefficient) => Number::finite(a.negative, coefficient, context.etop()),
            Err(NoRoom) => Number::error(status, MALLOC_ERROR),
        };
    }
    let context = Context { round: if down { Rounding::Floor } else { Rounding::Ceiling }, ..*context };
    let mut conditions = 0;
    let rounded = a.clone().finalize(&context, &mut conditions);
    if conditions & (INEXACT | ERRORS) != 0 {
        *status |= conditions & ERRORS;
        return rounded;
    }
    let tiny = Number::small(down, 1, context.etiny() - 1);
    conditions = 0;
    let result = super::arithmetic::add(a, &tiny, &context, &mut conditions);
    *status |= conditions & ERRORS;
    result
}

pub fn next_minus(a: &Number, context: &Context, status: &mut u32) -> Number {
    next(a, true, context, status)
}
pub fn next_plus(a: &Number, context: &Context, status: &mut u32) -> Number {
    next(a, false, context, status)
}

/// The next number after `a` in the direction of `b`.
pub fn next_toward(a: &Number, b: &Number, context: &Context, status: &mut u32) -> Number {
    if let Some(nan) = a.propagate_nan(b, context, status) {
        return nan;
    }
    let result = match compare::ordering(a, b) {
        Ordering::Equal => return a.clone().with_sign(b.negative),
        Ordering::Less => next_plus(a, context, status),
        Ordering::Greater => next_minus(a, context, status),
    };
    if result.is_infinite() {
        *status |= OVERFLOW | ROUNDED | INEXACT;
    } else if result.is_finite() && result.adjusted() < context.emin {
        *status |= UNDERFLOW | SUBNORMAL | ROUNDED | INEXACT;
        if result.coefficient.is_zero() {
            *status |= CLAMPED;
        }
    }
    result
}

/// The exponent of the first digit, as a number.
pub fn logb(a: &Number, context: &Context, status: &mut u32) -> Number {
    if let Some(nan) = a.propagate_own_nan(context, status) {
        return nan;
    }
    if a.is_infinite() {
        return Number::infinity(false);
    }
    if a.coefficient.is_zero() {
        *status |= DIVISION_BY_ZERO;
        return Number::infinity(true);
    }
    Number::from_i64(a.adjusted()).finalize(context, status)
}

/// `a · 10^b`
pub fn scaleb(a: &Number, b: &Number, context: &Context, status: &mut u32) -> Number {
    if let Some(nan) = a.propagate_nan(b, context, status) {
        return nan;
    }
    let Some(n) = integer_operand(b) else { return Number::error(status, INVALID_OPERATION) };
    if i128::from(n).abs() > 2 * (i128::from(context.emax) + i128::from(context.prec)) {
        return Number::error(status, INVALID_OPERATION);
    }
    if a.is_infinite() {
        return a.clone();
    }
    let exp = a.exp.saturating_add(n).clamp(EXP_CLAMP, EXP_INF);
    Number { exp, ..a.clone() }.finalize(context, status)
}

/// An operand that must be an integer written without exponent.
pub fn integer_operand(n: &Number) -> Option<i64> {
    if n.is_finite() && n.exp == 0 { n.to_i64() } else { None }
}
