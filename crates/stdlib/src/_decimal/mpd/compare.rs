//! Comparisons, minima and maxima, the total order.

use super::context::{Context, status::*};
use super::number::{Class, Number};
use std::cmp::Ordering;

/// Compares the magnitudes of finite numbers.
pub fn compare_magnitude_finite(a: &Number, b: &Number) -> Ordering {
    match (a.coefficient.is_zero(), b.coefficient.is_zero()) {
        (true, true) => return Ordering::Equal,
        (true, false) => return Ordering::Less,
        (false, true) => return Ordering::Greater,
        (false, false) => {}
    }
    if a.exp == b.exp {
        return a.coefficient.cmp(&b.coefficient);
    }
    let by_size = a.adjusted().cmp(&b.adjusted());
    if by_size != Ordering::Equal {
        return by_size;
    }
    // The same number of digits before the point, so the shift is less than the longer coefficient.
    match a.exp - b.exp {
        shift if shift > 0 => match a.coefficient.shift_left(shift) {
            Ok(aligned) => aligned.cmp(&b.coefficient),
            Err(_) => Ordering::Equal,
        },
        shift => match b.coefficient.shift_left(-shift) {
            Ok(aligned) => a.coefficient.cmp(&aligned),
            Err(_) => Ordering::Equal,
        },
    }
}

fn compare_magnitude(a: &Number, b: &Number) -> Ordering {
    match (a.is_infinite(), b.is_infinite()) {
        (false, false) => compare_magnitude_finite(a, b),
        (a, b) => a.cmp(&b),
    }
}

/// Compares numbers that are no NaNs.
pub fn ordering(a: &Number, b: &Number) -> Ordering {
    if a.is_zero() && b.is_zero() {
        return Ordering::Equal;
    }
    if a.negative != b.negative {
        // A zero's sign does not matter.
        return match (a.is_zero(), b.is_zero()) {
            (true, false) => {
                if b.negative {
                    Ordering::Greater
                } else {
                    Ordering::Less
                }
            }
            (false, true) => {
                if a.negative {
                    Ordering::Less
                } else {
                    Ordering::Greater
                }
            }
            _ => b.negative.cmp(&a.negative),
        };
    }
    let magnitude = compare_magnitude(a, b);
    if a.negative { magnitude.reverse() } else { magnitude }
}

/// `None` if one is a NaN; a signaling one is reported.
pub fn compare_quietly(a: &Number, b: &Number, status: &mut u32) -> Option<Ordering> {
    if a.is_nan() || b.is_nan() {
        if a.is_signaling() || b.is_signaling() {
            *status |= INVALID_OPERATION;
        }
        return None;
    }
    Some(ordering(a, b))
}

fn as_number(ordering: Ordering) -> Number {
    Number::from_i64(ordering as i64)
}

pub fn compare(a: &Number, b: &Number, context: &Context, status: &mut u32) -> Number {
    match a.propagate_nan(b, context, status) {
        Some(nan) => nan,
        None => as_number(ordering(a, b)),
    }
}

/// As [`compare`]; quiet NaNs are reported too.
pub fn compare_signal(a: &Number, b: &Number, context: &Context, status: &mut u32) -> Number {
    match a.propagate_nan(b, context, status) {
        Some(nan) => {
            *status |= INVALID_OPERATION;
            nan
        }
        None => as_number(ordering(a, b)),
    }
}

/// The total order of representations.
pub fn total_ordering(a: &Number, b: &Number) -> Ordering {
    if a.negative != b.negative {
        return b.negative.cmp(&a.negative);
    }
    let rank = |class: Class| match class {
        Class::Finite => 0,
        Class::Infinite => 1,
        Class::SignalingNan => 2,
        Class::QuietNan => 3,
    };
    let magnitude = rank(a.class).cmp(&rank(b.class)).then_with(|| match a.class {
        Class::Finite => compare_magnitude_finite(a, b).then(a.exp.cmp(&b.exp)),
        Class::Infinite => Ordering::Equal,
        _ => a.coefficient.cmp(&b.coefficient),
    });
    if a.negative { magnitude.reverse() } else { magnitude }
}

pub fn compare_total(a: &Number, b: &Number) -> Number {
    as_number(total_ordering(a, b))
}
pub fn compare_total_magnitude(a: &Number, b: &Number) -> Number {
    as_number(total_ordering(&a.abs(), &b.abs()))
}

/// The greater or the lesser operand; a number goes before a quiet NaN.
fn select(a: &Number, b: &Number, by_magnitude: bool, wanted: Ordering, context: &Context, status: &mut u32) -> Number {
    if a.is_nan() || b.is_nan() {
        if a.class == Class::QuietNan && !b.is_nan() {
            return b.clone().finalize(context, status);
        }
        if b.class == Class::QuietNan && !a.is_nan() {
            return a.clone().finalize(context, status);
        }
        return a.propagate_nan(b, context, status).unwrap_or(Number::NAN);
    }
    let order = match by_magnitude {
        true => compare_magnitude(a, b).then_with(|| numeric_then_total(a, b)),
        false => numeric_then_total(a, b),
    };
    let chosen = if order == wanted || order == Ordering::Equal { a } else { b };
    chosen.clone().finalize(context, status)
}

/// Equal numbers in the order of their representations.
fn numeric_then_total(a: &Number, b: &Number) -> Ordering {
    ordering(a, b).then_with(|| total_ordering(a, b))
}

pub fn max(a: &Number, b: &Number, context: &Context, status: &mut u32) -> Number {
    select(a, b, false, Ordering::Greater, context, status)
}
pub fn min(a: &Number, b: &Number, context: &Context, status: &mut u32) -> Number {
    select(a, b, false, Ordering::Less, context, status)
}
pub fn max_magnitude(a: &Number, b: &Number, context: &Context, status: &mut u32) -> Number {
    select(a, b, true, Ordering::Greater, context, status)
}
pub fn min_magnitude(a: &Number, b: &Number, context: &Context, status: &mut u32) -> Number {
    select(a, b, true, Ordering::Less, context, status)
}
