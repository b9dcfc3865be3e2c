//! Division: limb by limb (Knuth's algorithm D), or through binary numbers for long ones.

use super::{BASE, compare, divide_small, from_binary, multiply_small, subtract_from, to_binary, trim};
use std::cmp::Ordering;

/// When both the quotient and the divisor are longer than this, the detour through binary numbers, whose division is
/// faster than quadratic, pays.
const BINARY: usize = 400;

/// Quotient and remainder; `b` is not 0.
pub fn divide(a: &[u64], b: &[u64]) -> (Vec<u64>, Vec<u64>) {
    match compare(a, b) {
        Ordering::Less => return (Vec::new(), a.to_vec()),
        Ordering::Equal => return (vec![1], Vec::new()),
        Ordering::Greater => {}
    }
    if let [divisor] = b {
        let (quotient, rest) = divide_small(a, *divisor);
        return (quotient, if rest == 0 { Vec::new() } else { vec![rest] });
    }
    if b.len() > BINARY && a.len() - b.len() > BINARY {
        let (a, b) = (to_binary(a), to_binary(b));
        let quotient = &a / &b;
        let rest = a - &quotient * b;
        return (from_binary(&quotient), from_binary(&rest));
    }
    schoolbook(a, b)
}

fn schoolbook(a: &[u64], b: &[u64]) -> (Vec<u64>, Vec<u64>) {
    let base = u128::from(BASE);
    // Scaled so that the divisor's top limb is at least half the base.
    let scale = BASE / (b[b.len() - 1] + 1);
    let divisor = multiply_small(b, scale);
    let mut rest = multiply_small(a, scale);
    rest.resize(a.len() + 1, 0);
    let n = divisor.len();
    let (d1, d0) = (u128::from(divisor[n - 1]), u128::from(divisor[n - 2]));
    let mut quotient = vec![0; a.len() - n + 1];
    for at in (0..quotient.len()).rev() {
        let window = &mut rest[at..=at + n];
        let top = u128::from(window[n]) * base + u128::from(window[n - 1]);
        let (mut guess, mut left) = (top / d1, top % d1);
        while guess >= base || guess * d0 > left * base + u128::from(window[n - 2]) {
            guess -= 1;
            left += d1;
            if left >= base {
                break;
            }
        }
        let product = multiply_small(&divisor, guess as u64);
        if subtract_from(window, &product) {
            guess -= 1;
            super::add_to(window, &divisor);
        }
        quotient[at] = guess as u64;
    }
    trim(&mut quotient);
    trim(&mut rest);
    let (rest, _) = divide_small(&rest, scale);
    (quotient, rest)
}
