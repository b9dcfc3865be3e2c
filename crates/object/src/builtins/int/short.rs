//! Operators on ints of one or two words: what hashes, identifiers and 64-bit arithmetic are made of.
//!
//! Results are computed in an array on the stack, so that a heap int is made of them in one step. Each function returns `None`
//! for operands that are beyond its size, or of a form that is left to the big-integer library.

use super::{Operand, from_i128, from_ibig};
use crate::value::Value;
use dashu_int::{IBig, Sign, UBig};
use std::cmp::Ordering;

/// Operands have at most so many words. Beyond, the library is as fast: numbers of up to two words it keeps in place, for larger
/// ones it allocates.
const WORDS: usize = 2;

impl Operand<'_> {
    /// Whether it is negative, and the words of its magnitude, the lowest first; `place` is for the word of a small one.
    #[inline(always)]
    fn words<'a>(&'a self, place: &'a mut u64) -> (bool, &'a [u64]) {
        match self {
            Operand::Small(n) => {
                *place = n.unsigned_abs();
                (*n < 0, std::slice::from_ref(place))
            }
            Operand::Big(big) => {
                let (sign, words) = big.as_sign_words();
                (sign == Sign::Negative, words)
            }
        }
    }
}

/// The int with a magnitude, which may have zeros on top.
#[inline(always)]
fn finish(negative: bool, mut words: &[u64]) -> Value {
    while let [rest @ .., 0] = words {
        words = rest;
    }
    match *words {
        [] => Value::small_int(0),
        [word] => from_i128(if negative { -(word as i128) } else { word as i128 }),
        _ => {
            let sign = if negative { Sign::Negative } else { Sign::Positive };
            let magnitude = match *words {
                [low, high] => UBig::from(low as u128 | (high as u128) << 64),
                _ => UBig::from_words(words),
            };
            from_ibig(IBig::from_parts(sign, magnitude))
        }
    }
}

/// The order of two magnitudes without zeros on top.
#[inline]
fn compare(a: &[u64], b: &[u64]) -> Ordering {
    a.len().cmp(&b.len()).then_with(|| a.iter().rev().cmp(b.iter().rev()))
}

/// `x + y`, or `x - y`.
#[inline]
pub(super) fn sum(x: Operand, y: Operand, subtract: bool) -> Option<Value> {
    let (mut x_place, mut y_place) = (0, 0);
    let (a_negative, a) = x.words(&mut x_place);
    let (b_negative, b) = y.words(&mut y_place);
    if a.len() > WORDS || b.len() > WORDS {
        return None;
    }
    let b_negative = b_negative != subtract;
    let mut out = [0; WORDS + 1];
    if a_negative == b_negative {
        let (long, short) = if a.len() >= b.len() { (a, b) } else { (b, a) };
        let mut carry = false;
        for (at, word) in long.iter().enumerate() {
            let (sum, over) = word.overflowing_add(short.get(at).copied().unwrap_or(0));
            let (sum, over_again) = sum.overflowing_add(carry as u64);
            out[at] = sum;
            carry = over | over_again;
        }
        out[long.len()] = carry as u64;
        return Some(finish(a_negative, &out[..=long.len()]));
    }
    let (large, small, negative) = match compare(a, b) {
        Ordering::Equal => return Some(Value::small_int(0)),
        Ordering::Greater => (a, b, a_negative),
        Ordering::Less => (b, a, b_negative),
    };
    let mut borrow = false;
    for (at, word) in large.iter().enumerate() {
        let (difference, under) = word.overflowing_sub(small.get(at).copied().unwrap_or(0));
        let (difference, under_again) = difference.overflowing_sub(borrow as u64);
        out[at] = difference;
        borrow = under | under_again;
    }
    Some(finish(negative, &out[..large.len()]))
}

/// `x & y`, if neither is negative or `y` is small.
#[inline]
pub(super) fn and(x: Operand, y: Operand) -> Option<Value> {
    let (mut x_place, mut y_place) = (0, 0);
    let (a_negative, a) = x.words(&mut x_place);
    let (b_negative, b) = y.words(&mut y_place);
    match (a, b) {
        ([low, ..], [mask]) if !b_negative => {
            let low = if a_negative { low.wrapping_neg() } else { *low };
            return Some(finish(false, &[low & mask]));
        }
        ([mask], [low, ..]) if !a_negative => {
            let low = if b_negative { low.wrapping_neg() } else { *low };
            return Some(finish(false, &[low & mask]));
        }
        _ => {}
    }
    let length = a.len().min(b.len());
    if a_negative || b_negative || length > WORDS {
        return None;
    }
    let mut out = [0; WORDS];
    for (word, (x, y)) in out.iter_mut().zip(a.iter().zip(b)) {
        *word = x & y;
    }
    Some(finish(false, &out[..length]))
}

/// `x | y` or `x ^ y`, which `combine` does to a word, if neither is negative.
#[inline]
pub(super) fn join(x: Operand, y: Operand, combine: impl Fn(u64, u64) -> u64) -> Option<Value> {
    let (mut x_place, mut y_place) = (0, 0);
    let (a_negative, a) = x.words(&mut x_place);
    let (b_negative, b) = y.words(&mut y_place);
    let length = a.len().max(b.len());
    if a_negative || b_negative || length > WORDS {
        return None;
    }
    let word = |words: &[u64], at: usize| words.get(at).copied().unwrap_or(0);
    let mut out = [0; WORDS];
    for (at, place) in out[..length].iter_mut().enumerate() {
        *place = combine(word(a, at), word(b, at));
    }
    Some(finish(false, &out[..length]))
}

/// `x << count`
#[inline]
pub(super) fn shift_left(x: Operand, count: usize) -> Option<Value> {
    let mut place = 0;
    let (negative, words) = x.words(&mut place);
    let (whole, bits) = (count / 64, count % 64);
    if words.len() + whole >= WORDS {
        return None;
    }
    let mut out = [0; WORDS];
    for (at, word) in words.iter().enumerate() {
        out[whole + at] |= word << bits;
        out[whole + at + 1] = if bits == 0 { 0 } else { word >> (64 - bits) };
    }
    Some(finish(negative, &out[..=whole + words.len()]))
}

/// `x >> count` of an int that is not negative and has more than `count` bits.
#[inline]
pub(super) fn shift_right(x: Operand, count: usize) -> Option<Value> {
    let mut place = 0;
    let (negative, words) = x.words(&mut place);
    let (whole, bits) = (count / 64, count % 64);
    if negative || words.len() - whole > WORDS {
        return None;
    }
    let words = &words[whole..];
    let mut out = [0; WORDS];
    for (at, word) in words.iter().enumerate() {
        let above = words.get(at + 1).copied().unwrap_or(0);
        out[at] = if bits == 0 { *word } else { word >> bits | above << (64 - bits) };
    }
    Some(finish(false, &out[..words.len()]))
}

/// `x % y` of a big `x`, if neither is negative and `y` is small and not 0.
#[inline]
pub(super) fn remainder(x: Operand, y: Operand) -> Option<Value> {
    let Operand::Small(divisor @ 1..) = y else { return None };
    let mut place = 0;
    let (negative, words) = x.words(&mut place);
    if negative || words.len() > WORDS {
        return None;
    }
    let step = |rest: u64, word: &u64| (((rest as u128) << 64 | *word as u128) % divisor as u128) as u64;
    Some(finish(false, &[words.iter().rev().fold(0, step)]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::builtins::int::{from_ibig, to_ibig};

    /// What is computed here is what the library computes, for operands around the limits of words and of sizes.
    #[test]
    fn agrees_with_the_library() {
        let _vm = crate::Vm::new(1 << 20);
        let mut numbers = Vec::new();
        for bits in [0, 1, 62, 63, 64, 65, 127, 128, 192, 255, 256, 320, 511, 512, 576] {
            for near in -1..=1 {
                let n = (IBig::from(1) << bits) + IBig::from(near);
                numbers.extend([-n.clone(), n]);
            }
        }
        let check = |found: Option<Value>, expected: IBig| {
            let Some(found) = found else { return };
            assert_eq!(to_ibig(&found), Some(expected.clone()));
            // In the form in which every int of that value is.
            assert_eq!(found.is_small_int(), from_ibig(expected).is_small_int());
        };
        let values: Vec<Value> = numbers.iter().cloned().map(from_ibig).collect();
        for (x, a) in numbers.iter().zip(&values) {
            let x_operand = Operand::of(a).expect("an int");
            for count in [0, 1, 63, 64, 65, 200, 447, 448] {
                check(shift_left(x_operand, count), x << count);
                if count < x_operand.bit_length() {
                    check(shift_right(x_operand, count), x >> count);
                }
            }
            for (y, b) in numbers.iter().zip(&values) {
                let y_operand = Operand::of(b).expect("an int");
                check(sum(x_operand, y_operand, false), x + y);
                check(sum(x_operand, y_operand, true), x - y);
                check(and(x_operand, y_operand), x & y);
                check(join(x_operand, y_operand, |a, b| a | b), x | y);
                check(join(x_operand, y_operand, |a, b| a ^ b), x ^ y);
                if *y != IBig::from(0) {
                    check(remainder(x_operand, y_operand), x % y);
                }
            }
        }
    }
}
