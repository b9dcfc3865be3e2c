//! Multiplication: by the schoolbook method, Karatsuba's, or the number-theoretic transform, by size.

use super::{add_to, ntt, split_wide, subtract_from, trim, trimmed};

/// Shorter operands than this are multiplied limb by limb.
const KARATSUBA: usize = 40;
/// The transform pays from here on.
const TRANSFORM: usize = 1024;

pub fn multiply(a: &[u64], b: &[u64]) -> Vec<u64> {
    let (long, short) = if a.len() >= b.len() { (a, b) } else { (b, a) };
    if short.is_empty() {
        return Vec::new();
    }
    let mut product = if short.len() >= TRANSFORM && long.len() + short.len() <= ntt::MAX_LIMBS {
        ntt::multiply(long, short)
    } else {
        let mut product = vec![0; long.len() + short.len()];
        multiply_into(&mut product, long, short);
        product
    };
    trim(&mut product);
    product
}

/// `out += long · short`; `out` is as long as both together, zero above the length of the sum.
fn multiply_into(out: &mut [u64], long: &[u64], short: &[u64]) {
    if short.len() < KARATSUBA {
        schoolbook(out, long, short);
        return;
    }
    if long.len() >= 2 * short.len() {
        // Unbalanced: piece by piece.
        let mut part = vec![0; 2 * short.len()];
        for (at, piece) in long.chunks(short.len()).enumerate() {
            let part = &mut part[..piece.len() + short.len()];
            part.fill(0);
            match piece.len() == short.len() {
                true => karatsuba(part, piece, short),
                false => multiply_into(part, short, piece),
            }
            add_to(&mut out[at * short.len()..], trimmed(part));
        }
        return;
    }
    karatsuba(out, long, short);
}

fn schoolbook(out: &mut [u64], long: &[u64], short: &[u64]) {
    for (at, factor) in short.iter().enumerate() {
        if *factor == 0 {
            continue;
        }
        let mut carry = 0u64;
        let row = &mut out[at..];
        for (digit, limb) in row.iter_mut().zip(long) {
            let sum = u128::from(*limb) * u128::from(*factor) + u128::from(*digit) + u128::from(carry);
            (carry, *digit) = split_wide(sum);
        }
        let mut place = long.len();
        while carry > 0 {
            let sum = u128::from(row[place]) + u128::from(carry);
            (carry, row[place]) = split_wide(sum);
            place += 1;
        }
    }
}

/// `long` has less than twice the limbs of `short`, which has more than one.
fn karatsuba(out: &mut [u64], long: &[u64], short: &[u64]) {
    let half = long.len().div_ceil(2);
    if short.len() <= half {
        let mut part = vec![0; half + short.len()];
        multiply_into(&mut part, &long[..half], short);
        add_to(out, trimmed(&part));
        let mut part = vec![0; long.len() - half + short.len()];
        let high = &long[half..];
        match high.len() >= short.len() {
            true => multiply_into(&mut part, high, short),
            false => multiply_into(&mut part, short, high),
        }
        add_to(&mut out[half..], trimmed(&part));
        return;
    }
    let ((a0, a1), (b0, b1)) = (long.split_at(half), short.split_at(half));
    let product = |x: &[u64], y: &[u64]| {
        let mut out = vec![0; x.len() + y.len()];
        let (x, y) = if x.len() >= y.len() { (x, y) } else { (y, x) };
        if !y.is_empty() {
            multiply_into(&mut out, x, y);
        }
        out
    };
    let (low, high) = (product(a0, b0), product(a1, b1));
    let (sum_a, sum_b) = (super::add(a0, a1), super::add(b0, b1));
    // (a0 + a1)(b0 + b1) − a0·b0 − a1·b1
    let mut middle = product(&sum_a, &sum_b);
    subtract_from(&mut middle, trimmed(&low));
    subtract_from(&mut middle, trimmed(&high));
    add_to(out, trimmed(&low));
    add_to(&mut out[half..], trimmed(&middle));
    add_to(&mut out[2 * half..], trimmed(&high));
}
