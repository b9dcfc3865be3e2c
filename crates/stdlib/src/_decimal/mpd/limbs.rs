//! Natural numbers in base 10^19, least significant limb first, without leading zero limbs.
//!
//! This base makes shifts by digits, rounding and text linear. `limbs/` has multiplication and division.

mod divide;
mod multiply;
mod ntt;
mod radix;

pub use divide::divide;
pub use multiply::multiply;
pub use radix::{from_binary, to_binary};

use std::cmp::Ordering;

pub const LIMB_DIGITS: usize = 19;
/// 10^19, which has its top bit set.
pub const BASE: u64 = 10_000_000_000_000_000_000;
/// `(2^128 − 1) / BASE − 2^64`, for dividing by multiplication.
const INVERSE: u64 = ((u128::MAX / BASE as u128) - (1 << 64)) as u64;

/// Powers of ten that are limbs.
pub const POW10: [u64; 20] = {
    let mut table = [1; 20];
    let mut n = 1;
    while n < 20 {
        table[n] = table[n - 1] * 10;
        n += 1;
    }
    table
};

/// Quotient and remainder of `high · 2^64 + low` by [`BASE`], where `high < BASE` (Möller and Granlund, 2011).
#[inline(always)]
pub fn split(high: u64, low: u64) -> (u64, u64) {
    let q = u128::from(INVERSE) * u128::from(high) + (u128::from(high) << 64 | u128::from(low));
    let mut quotient = ((q >> 64) as u64).wrapping_add(1);
    let mut rest = low.wrapping_sub(quotient.wrapping_mul(BASE));
    if rest > q as u64 {
        quotient = quotient.wrapping_sub(1);
        rest = rest.wrapping_add(BASE);
    }
    if rest >= BASE {
        quotient = quotient.wrapping_add(1);
        rest -= BASE;
    }
    (quotient, rest)
}

#[inline(always)]
pub fn split_wide(n: u128) -> (u64, u64) {
    split((n >> 64) as u64, n as u64)
}

/// Drops leading zero limbs.
pub fn trim(n: &mut Vec<u64>) {
    while n.last() == Some(&0) {
        n.pop();
    }
}

pub fn trimmed(mut n: &[u64]) -> &[u64] {
    while let [rest @ .., 0] = n {
        n = rest;
    }
    n
}

pub fn from_u128(mut n: u128) -> Vec<u64> {
    let mut limbs = Vec::with_capacity(3);
    while n > 0 {
        limbs.push((n % u128::from(BASE)) as u64);
        n /= u128::from(BASE);
    }
    limbs
}

/// The value, if it has at most 38 digits.
pub fn to_u128(n: &[u64]) -> Option<u128> {
    match n {
        [] => Some(0),
        [low] => Some((*low).into()),
        [low, high] => Some(u128::from(*high) * u128::from(BASE) + u128::from(*low)),
        _ => None,
    }
}

/// Decimal digits of a limb; 1 for zero.
pub fn limb_digits(limb: u64) -> usize {
    super::wide::digits(limb.into()) as usize
}

/// Decimal digits; 1 for zero.
pub fn digits(n: &[u64]) -> usize {
    match n {
        [] => 1,
        [rest @ .., top] => rest.len() * LIMB_DIGITS + limb_digits(*top),
    }
}

pub fn compare(a: &[u64], b: &[u64]) -> Ordering {
    a.len().cmp(&b.len()).then_with(|| a.iter().rev().cmp(b.iter().rev()))
}

/// `a += b`, where `a` is at least as long; the carry.
pub fn add_to(a: &mut [u64], b: &[u64]) -> bool {
    let mut carry = false;
    let (low, high) = a.split_at_mut(b.len());
    for (x, y) in low.iter_mut().zip(b) {
        let (sum, over) = x.overflowing_add(*y);
        let (sum, over_2) = sum.overflowing_add(carry.into());
        carry = over | over_2 || sum >= BASE;
        *x = if carry { sum.wrapping_sub(BASE) } else { sum };
    }
    for x in high {
        if !carry {
            return false;
        }
        carry = *x == BASE - 1;
        *x = if carry { 0 } else { *x + 1 };
    }
    carry
}

/// `a -= b`, where `a >= b`, or modulo the power of the base; the borrow.
pub fn subtract_from(a: &mut [u64], b: &[u64]) -> bool {
    let mut borrow = false;
    let (low, high) = a.split_at_mut(b.len());
    for (x, y) in low.iter_mut().zip(b) {
        let take = y + u64::from(borrow);
        borrow = *x < take;
        *x = if borrow { x.wrapping_sub(take).wrapping_add(BASE) } else { *x - take };
    }
    for x in high {
        if !borrow {
            return false;
        }
        borrow = *x == 0;
        *x = if borrow { BASE - 1 } else { *x - 1 };
    }
    borrow
}

pub fn add(a: &[u64], b: &[u64]) -> Vec<u64> {
    let (long, short) = if a.len() >= b.len() { (a, b) } else { (b, a) };
    let mut sum = Vec::with_capacity(long.len() + 1);
    sum.extend_from_slice(long);
    if add_to(&mut sum, short) {
        sum.push(1);
    }
    sum
}

/// `a − b`, where `a >= b`.
pub fn subtract(a: &[u64], b: &[u64]) -> Vec<u64> {
    let mut difference = a.to_vec();
    subtract_from(&mut difference, b);
    trim(&mut difference);
    difference
}

pub fn increment(n: &mut Vec<u64>) {
    if n.is_empty() || add_to(n, &[1]) {
        n.push(1);
    }
}

/// `n · factor`
pub fn multiply_small(n: &[u64], factor: u64) -> Vec<u64> {
    let mut product = Vec::with_capacity(n.len() + 1);
    let mut carry = 0;
    for limb in n {
        let (high, low) = split_wide(u128::from(*limb) * u128::from(factor) + u128::from(carry));
        product.push(low);
        carry = high;
    }
    if carry > 0 {
        product.push(carry);
    }
    product
}

/// Quotient and remainder by a limb.
pub fn divide_small(n: &[u64], divisor: u64) -> (Vec<u64>, u64) {
    let mut quotient = vec![0; n.len()];
    let mut rest = 0;
    for (q, limb) in quotient.iter_mut().zip(n).rev() {
        let part = u128::from(rest) * u128::from(BASE) + u128::from(*limb);
        *q = (part / u128::from(divisor)) as u64;
        rest = (part % u128::from(divisor)) as u64;
    }
    trim(&mut quotient);
    (quotient, rest)
}

/// `n · 10^places`
pub fn shift_left(n: &[u64], places: usize) -> Vec<u64> {
    if n.is_empty() {
        return Vec::new();
    }
    let (whole, part) = (places / LIMB_DIGITS, places % LIMB_DIGITS);
    let mut shifted = Vec::with_capacity(n.len() + whole + 1);
    shifted.resize(whole, 0);
    if part == 0 {
        shifted.extend_from_slice(n);
        return shifted;
    }
    let factor = POW10[part];
    let mut carry = 0;
    for limb in n {
        let (high, low) = split_wide(u128::from(*limb) * u128::from(factor) + u128::from(carry));
        shifted.push(low);
        carry = high;
    }
    if carry > 0 {
        shifted.push(carry);
    }
    shifted
}

/// `n / 10^places`, and how what is lost compares to half a unit; `None` if nothing is.
pub fn shift_right(n: &[u64], places: usize) -> (Vec<u64>, Option<Ordering>) {
    let (whole, part) = (places / LIMB_DIGITS, places % LIMB_DIGITS);
    if whole >= n.len() {
        let lost = match n {
            [] => None,
            // Half a unit is 5 · 10^(places − 1).
            _ if digits(n) < places => Some(Ordering::Less),
            _ => {
                let top = n[n.len() - 1];
                let unit = POW10[limb_digits(top) - 1];
                let rest = top % unit != 0 || n[..n.len() - 1].iter().any(|limb| *limb != 0);
                Some((top / unit).cmp(&5).then(if rest { Ordering::Greater } else { Ordering::Equal }))
            }
        };
        return (Vec::new(), lost);
    }
    let (below, kept) = n.split_at(whole);
    if part == 0 {
        let lost = match below {
            [] => None,
            [rest @ .., top] => {
                let sticky = rest.iter().any(|limb| *limb != 0);
                compare_half(*top, BASE / 2, sticky)
            }
        };
        return (kept.to_vec(), lost);
    }
    let (unit, up) = (POW10[part], POW10[LIMB_DIGITS - part]);
    let rest = kept[0] % unit;
    let sticky = below.iter().any(|limb| *limb != 0);
    let lost = compare_half(rest, unit / 2, sticky);
    let mut shifted = Vec::with_capacity(kept.len());
    for (at, limb) in kept.iter().enumerate() {
        let next = kept.get(at + 1).copied().unwrap_or(0);
        shifted.push(limb / unit + next % unit * up);
    }
    trim(&mut shifted);
    (shifted, lost)
}

fn compare_half(rest: u64, half: u64, sticky: bool) -> Option<Ordering> {
    if rest == 0 && !sticky {
        return None;
    }
    Some(rest.cmp(&half).then(if sticky { Ordering::Greater } else { Ordering::Equal }))
}

/// Zeros at the end; the number is not 0.
pub fn trailing_zeros(n: &[u64]) -> usize {
    let whole = n.iter().take_while(|limb| **limb == 0).count();
    let Some(mut limb) = n.get(whole).copied() else { return 0 };
    let mut zeros = whole * LIMB_DIGITS;
    while limb % 10 == 0 {
        limb /= 10;
        zeros += 1;
    }
    zeros
}

/// `10^count − 1`
pub fn nines(count: usize) -> Vec<u64> {
    let mut n = vec![BASE - 1; count / LIMB_DIGITS];
    if count % LIMB_DIGITS > 0 {
        n.push(POW10[count % LIMB_DIGITS] - 1);
    }
    n
}

/// The lowest `places` digits.
pub fn low_digits(n: &[u64], places: usize) -> Vec<u64> {
    let (whole, part) = (places / LIMB_DIGITS, places % LIMB_DIGITS);
    if whole >= n.len() {
        return n.to_vec();
    }
    let mut low = n[..whole].to_vec();
    if part > 0 {
        low.push(n[whole] % POW10[part]);
    }
    trim(&mut low);
    low
}

/// The number with ASCII digits, at least one of them.
pub fn from_ascii(text: &[u8]) -> Vec<u64> {
    let mut n: Vec<u64> = text
        .rchunks(LIMB_DIGITS)
        .map(|chunk| chunk.iter().fold(0, |limb, digit| limb * 10 + u64::from(digit - b'0')))
        .collect();
    trim(&mut n);
    n
}

/// Appends the digits.
pub fn push_ascii(n: &[u64], text: &mut Vec<u8>) {
    let Some((top, rest)) = n.split_last() else {
        text.push(b'0');
        return;
    };
    push_limb(*top, limb_digits(*top), text);
    for limb in rest.iter().rev() {
        push_limb(*limb, LIMB_DIGITS, text);
    }
}

/// Appends the lowest `count` digits of a limb.
pub fn push_limb(mut limb: u64, count: usize, text: &mut Vec<u8>) {
    let mut buffer = [b'0'; LIMB_DIGITS];
    for place in buffer[..count].iter_mut().rev() {
        *place = b'0' + (limb % 10) as u8;
        limb /= 10;
    }
    text.extend_from_slice(&buffer[..count]);
}
