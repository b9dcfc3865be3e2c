//! Comparisons of common built-in values that run no Python code, for containers and sorting.
//!
//! `None` always means "ask the types": nothing here has an effect.

use crate::builtins::str::{Data, Str};
use crate::value::Value;
use std::cmp::Ordering;

/// `left is right or left == right`, if that can be told without running Python code.
#[inline]
pub fn quick_equal(left: &Value, right: &Value) -> Option<bool> {
    if left.word() == right.word() {
        return Some(true);
    }
    match (left.is_object(), right.is_object()) {
        (false, false) => Some(unequal_words_equal(left, right)),
        (true, true) => {
            let (a, b) = (left.downcast_exact::<Str>()?, right.downcast_exact::<Str>()?);
            Some(a.equals(b))
        }
        (true, false) => left.downcast_exact::<Str>().map(|_| false),
        (false, true) => right.downcast_exact::<Str>().map(|_| false),
    }
}

/// Equality of two immediates with different words.
#[inline]
fn unequal_words_equal(left: &Value, right: &Value) -> bool {
    if left.is_small_int() && right.is_small_int() || left.is_immediate_float() && right.is_immediate_float() {
        return false;
    }
    match (immediate_int(left), immediate_int(right)) {
        (Some(a), Some(b)) => a == b,
        (Some(a), None) => right.as_immediate_float().is_some_and(|b| int_equals_float(a, b)),
        (None, Some(b)) => left.as_immediate_float().is_some_and(|a| int_equals_float(b, a)),
        (None, None) => false,
    }
}

/// The value of a small int or bool.
#[inline]
fn immediate_int(value: &Value) -> Option<i64> {
    if value.is_bool() { Some(value.is_true() as i64) } else { value.as_small_int() }
}

/// Exact for ints of 63 bits: a float that such an int rounds to converts back without saturating.
#[inline]
fn int_equals_float(n: i64, f: f64) -> bool {
    n as f64 == f && f as i64 == n
}

/// `left < right`, if both are small ints, immediate floats or exact strs.
#[inline]
pub fn quick_less(left: &Value, right: &Value) -> Option<bool> {
    if left.is_small_int() && right.is_small_int() {
        return Some((left.word() as i64) < (right.word() as i64));
    }
    if let (Some(a), Some(b)) = (left.as_immediate_float(), right.as_immediate_float()) {
        return Some(a < b);
    }
    if left.is_object() && right.is_object() {
        let (a, b) = (left.downcast_exact::<Str>()?, right.downcast_exact::<Str>()?);
        return Some(compare_text(a, b) == Ordering::Less);
    }
    None
}

/// The order of two strings by code points.
#[inline]
pub fn compare_text(left: &Str, right: &Str) -> Ordering {
    match (left.data(), right.data()) {
        (Data::Ascii(a) | Data::Latin1(a), Data::Ascii(b) | Data::Latin1(b)) => a.cmp(b),
        (Data::Ucs2(a), Data::Ucs2(b)) => a.cmp(b),
        (Data::Ucs4(a), Data::Ucs4(b)) => a.cmp(b),
        _ => left.code_points().cmp(right.code_points()),
    }
}
