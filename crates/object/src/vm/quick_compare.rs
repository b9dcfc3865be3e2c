//! Comparisons of common built-in values that run no Python code, for containers and sorting.
//!
//! `None` always means "ask the types": nothing here has an effect.

use crate::builtins::bytes::Bytes;
use crate::builtins::float::Float;
use crate::builtins::int::Int;
use crate::builtins::object;
use crate::builtins::str::{Data, Str};
use crate::builtins::tuple::Tuple;
use crate::types::slots::RichCompare;
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
            if let (Some(a), Some(b)) = (left.downcast_exact::<Str>(), right.downcast_exact::<Str>()) {
                return Some(a.equals(b));
            }
            objects_equal(left, right)
        }
        (true, false) => differs_from_immediates(left),
        (false, true) => differs_from_immediates(right),
    }
}

/// An object that is no immediate's equal, as strings and objects compared by identity are; what has `__eq__` of its own
/// has to be asked.
#[inline(always)]
fn differs_from_immediates(object: &Value) -> Option<bool> {
    (object.downcast_exact::<Str>().is_some() || is_compared_by_identity(object)).then_some(false)
}

/// Whether `==` of the object is that of `object`.
#[inline(always)]
fn is_compared_by_identity(object: &Value) -> bool {
    object.ty().slots().richcompare.is_some_and(|f| std::ptr::fn_addr_eq(f, object::richcompare as RichCompare))
}

/// Equality of two objects that are not the same.
#[inline(never)]
fn objects_equal(left: &Value, right: &Value) -> Option<bool> {
    if let (Some(a), Some(b)) = (left.downcast_exact::<Tuple>(), right.downcast_exact::<Tuple>()) {
        // Items are compared up to the first difference, then lengths.
        for (x, y) in a.as_slice().iter().zip(b.as_slice()) {
            if !items_equal(x, y)? {
                return Some(false);
            }
        }
        return Some(a.len() == b.len());
    }
    scalars_equal(left, right)
}

/// As [`quick_equal`], but tuples are left to their type, so that this does not go deep.
#[inline(always)]
fn items_equal(left: &Value, right: &Value) -> Option<bool> {
    if left.is_object() && right.is_object() && left.word() != right.word() {
        match (left.downcast_exact::<Str>(), right.downcast_exact::<Str>()) {
            (Some(a), Some(b)) => Some(a.equals(b)),
            _ => scalars_equal(left, right),
        }
    } else {
        quick_equal(left, right)
    }
}

/// Equality of two different objects, none of which holds others that count.
#[inline]
fn scalars_equal(left: &Value, right: &Value) -> Option<bool> {
    if let (Some(a), Some(b)) = (left.downcast_exact::<Int>(), right.downcast_exact::<Int>()) {
        return Some(a.as_ibig() == b.as_ibig());
    }
    if let (Some(a), Some(b)) = (left.downcast_exact::<Bytes>(), right.downcast_exact::<Bytes>()) {
        return Some(a.as_slice() == b.as_slice());
    }
    (is_compared_by_identity(left) && is_compared_by_identity(right)).then_some(false)
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

#[inline]
fn exact_float(value: &Value) -> Option<f64> {
    value.as_immediate_float().or_else(|| value.downcast_exact::<Float>().map(|float| float.value))
}

/// `left < right`, if both are small ints, exact floats or exact strs.
#[inline]
pub fn quick_less(left: &Value, right: &Value) -> Option<bool> {
    if left.is_small_int() && right.is_small_int() {
        return Some((left.word() as i64) < (right.word() as i64));
    }
    if let (Some(a), Some(b)) = (left.as_immediate_float(), right.as_immediate_float()) {
        return Some(a < b);
    }
    if left.is_object()
        && right.is_object()
        && let (Some(a), Some(b)) = (left.downcast_exact::<Str>(), right.downcast_exact::<Str>())
    {
        return Some(compare_text(a, b) == Ordering::Less);
    }
    // Zeros are objects.
    Some(exact_float(left)? < exact_float(right)?)
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
