//! Square roots, correctly rounded.

use super::coefficient::{Coefficient, Lost, NoRoom, check_room};
use super::context::{Context, Rounding, status::*};
use super::limbs;
use super::number::Number;
use super::wide::{self, POW10};
use std::cmp::Ordering;

pub fn square_root(a: &Number, context: &Context, status: &mut u32) -> Number {
    if let Some(nan) = a.propagate_own_nan(context, status) {
        return nan;
    }
    let ideal = a.exp.div_euclid(2);
    if a.is_zero() {
        return Number::finite(a.negative, Coefficient::ZERO, ideal).finalize(context, status);
    }
    if a.negative {
        return Number::error(status, INVALID_OPERATION);
    }
    if a.is_infinite() {
        return a.clone();
    }
    match root_digits(a, context.prec + 1) {
        Ok((root, exp, exact)) => {
            let context = Context { round: Rounding::HalfEven, ..*context };
            finish(root, exp, exact, ideal, &context, status)
        }
        Err(NoRoom) => Number::error(status, MALLOC_ERROR),
    }
}

fn finish(mut root: Coefficient, mut exp: i64, exact: bool, ideal: i64, context: &Context, status: &mut u32) -> Number {
    if !exact {
        if root.last_digit() % 5 == 0 {
            root = root.incremented();
        }
    } else if exp < ideal {
        let zeros = root.trailing_zeros().min(ideal - exp);
        root = root.shift_right(zeros).0;
        exp += zeros;
    } else if exp > ideal {
        // As many zeros as fit.
        let zeros = (exp - ideal).min(context.prec - root.digits()).max(0);
        if let Ok(longer) = root.shift_left(zeros) {
            root = longer;
            exp -= zeros;
        }
    }
    Number::finite(false, root, exp).finalize(context, status)
}

/// `digits` digits of the root, their exponent, and whether they are all.
fn root_digits(a: &Number, digits: i64) -> Result<(Coefficient, i64, bool), NoRoom> {
    // The radicand gets 2·digits or one digit less.
    let exp = (a.digits() + a.exp - 2 * digits).div_euclid(2) + (a.digits() + a.exp).rem_euclid(2);
    let shift = a.exp - 2 * exp;
    if let Some(n) = a.coefficient.small()
        && (0..=38).contains(&shift)
    {
        let (high, low) = wide::multiply(n, POW10[shift as usize]);
        let (root, exact) = root_wide(high, low);
        return Ok((Coefficient::new(root), exp, exact));
    }
    let (radicand, lost): (Coefficient, Lost) = match shift {
        0.. => (a.coefficient.shift_left(shift)?, None),
        _ => a.coefficient.shift_right(-shift),
    };
    check_room(3 * digits)?;
    let radicand = limbs::to_binary(&radicand.limbs());
    let (root, rest) = square_root_with_rest(&radicand);
    let exact = rest && lost.is_none();
    Ok((Coefficient::from_limbs(limbs::from_binary(&root)), exp, exact))
}

fn square_root_with_rest(n: &dashu_int::UBig) -> (dashu_int::UBig, bool) {
    use dashu_int::ops::SquareRoot;
    let root = n.sqrt();
    let exact = root.sqr() == *n;
    (root, exact)
}

/// The integral root of a number below 10^76, and whether it is exact.
fn root_wide(high: u128, low: u128) -> (u128, bool) {
    if high == 0 && low == 0 {
        return (0, true);
    }
    // Newton's iteration from above.
    let estimate = (high as f64 * 2f64.powi(128) + low as f64).sqrt();
    let mut root = (estimate * (1.0 + 1e-14)) as u128 + 1;
    loop {
        let (quotient, _) = wide::divide(high, low, root);
        let next = root / 2 + quotient / 2 + (root % 2 + quotient % 2) / 2;
        if next >= root {
            break;
        }
        root = next;
    }
    let square = wide::multiply(root, root);
    debug_assert!(square.cmp(&(high, low)) != Ordering::Greater);
    (root, square == (high, low))
}
