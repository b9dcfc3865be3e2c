//! Conversion to and from binary numbers, by halves.

use super::{BASE, LIMB_DIGITS, trim};
use dashu_int::UBig;

/// Shorter numbers are converted limb by limb.
const SHORT: usize = 32;

/// `10^(19 · limbs)`
fn power(limbs: usize) -> UBig {
    UBig::from(10u8).pow(limbs * LIMB_DIGITS)
}

pub fn to_binary(n: &[u64]) -> UBig {
    if n.len() <= SHORT {
        return n.iter().rev().fold(UBig::ZERO, |sum, limb| sum * BASE + *limb);
    }
    // The powers for sizes 32, 64, 128 …, each the square of the one before.
    let mut powers = vec![power(SHORT)];
    while SHORT << powers.len() < n.len() {
        let last = &powers[powers.len() - 1];
        powers.push(last.sqr());
    }
    join(n, &powers)
}

fn join(n: &[u64], powers: &[UBig]) -> UBig {
    let Some((power, smaller)) = powers.split_last() else {
        return n.iter().rev().fold(UBig::ZERO, |sum, limb| sum * BASE + *limb);
    };
    let half = SHORT << smaller.len();
    if n.len() <= half {
        return join(n, smaller);
    }
    let (low, high) = n.split_at(half);
    join(high, smaller) * power + join(low, smaller)
}

pub fn from_binary(n: &UBig) -> Vec<u64> {
    let mut powers = vec![power(SHORT)];
    while powers[powers.len() - 1] <= *n {
        let last = &powers[powers.len() - 1];
        powers.push(last.sqr());
    }
    let mut limbs = Vec::new();
    divide_up(n.clone(), &powers, &mut limbs, false);
    trim(&mut limbs);
    limbs
}

/// Appends the limbs of `n`, which is below the last power; with all leading zeros if `full`.
fn divide_up(n: UBig, powers: &[UBig], limbs: &mut Vec<u64>, full: bool) {
    let (power, smaller) = powers.split_last().expect("there is one power at least");
    debug_assert!(n < *power);
    match smaller.last() {
        None => {
            let start = limbs.len();
            let mut rest = n;
            let base = UBig::from(BASE);
            while !rest.is_zero() {
                let quotient = &rest / &base;
                let limb = rest - &quotient * &base;
                limbs.push(u64::try_from(limb).unwrap_or(0));
                rest = quotient;
            }
            if full {
                limbs.resize(start + SHORT, 0);
            }
        }
        Some(half) => {
            let quotient = &n / half;
            let low = n - &quotient * half;
            let more = full || !quotient.is_zero();
            divide_up(low, smaller, limbs, more);
            if more {
                divide_up(quotient, smaller, limbs, full);
            }
        }
    }
}
