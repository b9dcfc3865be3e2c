//! Operators on ints of a few words: what hashes, identifiers, 64-bit arithmetic and fractions are made of.
//!
//! Results are computed in an array on the stack, and a heap int of just their length is made of them: one allocation, and no
//! look at cases that need more. Each function returns `None` for operands that are beyond its size, or of a form that is left to
//! the big-integer library.

use super::{Operand, from_i128, from_long_words, heap_int_of};
use crate::value::Value;
use dashu_int::{IBig, Sign, UBig};
use std::cmp::Ordering;
use std::mem::MaybeUninit;

/// Operands have at most so many words. What the library's calls cost beside the work on so many words does not matter any more.
const WORDS: usize = 16;

/// A magnitude in the making: the lowest word comes first.
struct Words {
    words: [MaybeUninit<u64>; WORDS + 1],
    length: usize,
}

impl Words {
    #[inline(always)]
    fn new() -> Words {
        Words { words: [const { MaybeUninit::uninit() }; WORDS + 1], length: 0 }
    }

    #[inline(always)]
    fn push(&mut self, word: u64) {
        self.words[self.length].write(word);
        self.length += 1;
    }

    #[inline(always)]
    fn as_slice(&self) -> &[u64] {
        // SAFETY: as many words as the length says have been written, from the first on.
        unsafe { self.words[..self.length].assume_init_ref() }
    }
}

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
            match *words {
                [low, high] => {
                    let magnitude = UBig::from(low as u128 | (high as u128) << 64);
                    heap_int_of(IBig::from_parts(sign, magnitude))
                }
                _ => from_long_words(sign, words),
            }
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
    if a_negative == b_negative {
        let (long, short) = if a.len() >= b.len() { (a, b) } else { (b, a) };
        return Some(finish(a_negative, magnitude_sum(long, short).as_slice()));
    }
    let (large, small, negative) = match compare(a, b) {
        Ordering::Equal => return Some(Value::small_int(0)),
        Ordering::Greater => (a, b, a_negative),
        Ordering::Less => (b, a, b_negative),
    };
    Some(finish(negative, magnitude_difference(large, small).as_slice()))
}

/// The sum of two magnitudes, the second one not longer.
#[inline(always)]
fn magnitude_sum(long: &[u64], short: &[u64]) -> Words {
    let (paired, rest) = long.split_at(short.len());
    let mut out = Words::new();
    let mut carry = false;
    for (x, y) in paired.iter().zip(short) {
        let (sum, over) = x.carrying_add(*y, carry);
        out.push(sum);
        carry = over;
    }
    for x in rest {
        let (sum, over) = x.overflowing_add(carry as u64);
        out.push(sum);
        carry = over;
    }
    if carry {
        out.push(1);
    }
    out
}

/// The difference of two magnitudes, the second one not larger.
#[inline(always)]
fn magnitude_difference(large: &[u64], small: &[u64]) -> Words {
    let (paired, rest) = large.split_at(small.len());
    let mut out = Words::new();
    let mut borrow = false;
    for (x, y) in paired.iter().zip(small) {
        let (difference, under) = x.borrowing_sub(*y, borrow);
        out.push(difference);
        borrow = under;
    }
    for x in rest {
        let (difference, under) = x.overflowing_sub(borrow as u64);
        out.push(difference);
        borrow = under;
    }
    out
}

/// `x * y`
pub(super) fn product(x: Operand, y: Operand) -> Option<Value> {
    let (mut x_place, mut y_place) = (0, 0);
    let (a_negative, a) = x.words(&mut x_place);
    let (b_negative, b) = y.words(&mut y_place);
    if a.len() > WORDS || b.len() > WORDS {
        return None;
    }
    let mut out = [0u64; 2 * WORDS];
    for (at, y) in b.iter().enumerate() {
        let row = &mut out[at..=at + a.len()];
        let mut carry = 0;
        for (place, x) in row.iter_mut().zip(a) {
            (*place, carry) = x.carrying_mul_add(*y, *place, carry);
        }
        row[a.len()] = carry;
    }
    Some(finish(a_negative != b_negative, &out[..a.len() + b.len()]))
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
    if a_negative || b_negative || a.len().min(b.len()) > WORDS {
        return None;
    }
    let mut out = Words::new();
    a.iter().zip(b).for_each(|(x, y)| out.push(x & y));
    Some(finish(false, out.as_slice()))
}

/// `x | y` or `x ^ y`, which `combine` does to a word, if neither is negative.
#[inline]
pub(super) fn join(x: Operand, y: Operand, combine: impl Fn(u64, u64) -> u64) -> Option<Value> {
    let (mut x_place, mut y_place) = (0, 0);
    let (a_negative, a) = x.words(&mut x_place);
    let (b_negative, b) = y.words(&mut y_place);
    let (long, short) = if a.len() >= b.len() { (a, b) } else { (b, a) };
    if a_negative || b_negative || long.len() > WORDS {
        return None;
    }
    let (paired, rest) = long.split_at(short.len());
    let mut out = Words::new();
    paired.iter().zip(short).for_each(|(x, y)| out.push(combine(*x, *y)));
    // Both operators leave a word as it is beside zeros.
    rest.iter().for_each(|word| out.push(*word));
    Some(finish(false, out.as_slice()))
}

/// `x << count`
#[inline]
pub(super) fn shift_left(x: Operand, count: usize) -> Option<Value> {
    let mut place = 0;
    let (negative, words) = x.words(&mut place);
    let (whole, bits) = (count / 64, count % 64);
    if words.len() + whole > WORDS {
        return None;
    }
    let mut out = Words::new();
    (0..whole).for_each(|_| out.push(0));
    let mut below = 0;
    for word in words {
        out.push(word << bits | below);
        below = if bits == 0 { 0 } else { word >> (64 - bits) };
    }
    out.push(below);
    Some(finish(negative, out.as_slice()))
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
    let mut out = Words::new();
    for (at, word) in words.iter().enumerate() {
        let above = words.get(at + 1).copied().unwrap_or(0);
        out.push(if bits == 0 { *word } else { word >> bits | above << (64 - bits) });
    }
    Some(finish(false, out.as_slice()))
}

/// `x % y` of a big `x`, if neither is negative and `y` is small and not 0.
#[inline]
pub(super) fn remainder(x: Operand, y: Operand) -> Option<Value> {
    let Operand::Small(divisor @ 1..) = y else { return None };
    let mut place = 0;
    let (negative, words) = x.words(&mut place);
    // The library divides longer ones by a reciprocal.
    if negative || words.len() > 2 {
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
        for bits in [0, 1, 62, 63, 64, 65, 127, 128, 192, 255, 256, 320, 511, 512, 576, 1023, 1024, 1090] {
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
            for count in [0, 1, 63, 64, 65, 200, 447, 448, 959, 960, 961] {
                check(shift_left(x_operand, count), x << count);
                if count < x_operand.bit_length() {
                    check(shift_right(x_operand, count), x >> count);
                }
            }
            for (y, b) in numbers.iter().zip(&values) {
                let y_operand = Operand::of(b).expect("an int");
                check(sum(x_operand, y_operand, false), x + y);
                check(sum(x_operand, y_operand, true), x - y);
                check(product(x_operand, y_operand), x * y);
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
