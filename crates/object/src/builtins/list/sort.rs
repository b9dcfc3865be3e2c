//! `list.sort` and `sorted`: stable, specialised by the type of the keys.
//!
//! The list is empty while it is sorted, so that comparisons and key functions cannot see it in disorder. Keys that are all
//! small ints, all floats or all strs are sorted without the possibility of running Python code. All others go through
//! [`merge`], which sorts words that borrow from the items taken out of the list; if a comparison raises, the order
//! of the items is that before.

mod merge;

use super::{List, drop_reversed};
use crate::builtins::float;
use crate::builtins::str::{Data, Str};
use crate::builtins::tuple::Tuple;
use crate::heap::LARGEST_EMERGENCY;
use crate::object::Result;
use crate::types::slots::CompareOp;
use crate::value::Value;
use crate::vm::Vm;
use crate::vm::quick_compare::{compare_text, quick_equal, quick_less};
use std::cmp::Ordering;

/// What is known of all keys.
#[derive(Clone, Copy, PartialEq, Eq)]
enum KeyKind {
    SmallInts,
    /// None of them a NaN.
    Floats,
    Strs,
    /// Tuples with a first item.
    Tuples,
    Any,
}

/// `list.sort(key=key, reverse=reverse)`
pub fn sort(vm: &Vm, list: &List, key: Option<&Value>, reverse: bool) -> Result<()> {
    let mut items = list.take();
    let outcome = sort_items(vm, &mut items, key, reverse);
    let intruders = std::mem::replace(&mut *list.items.borrow(&list.header), items);
    // Appending and removing again leaves room behind.
    let modified = intruders.capacity() > 0;
    drop_reversed(intruders);
    outcome?;
    if modified { Err(vm.value_error("list modified during sort")) } else { Ok(()) }
}

/// Sorts items that nobody else sees.
fn sort_items(vm: &Vm, items: &mut Vec<Value>, key: Option<&Value>, reverse: bool) -> Result<()> {
    let Some(key) = key else {
        if items.len() > 1 {
            // Backwards twice, so that equal items keep their order.
            if reverse {
                items.reverse();
            }
            let outcome = sort_plain(vm, items);
            if reverse {
                items.reverse();
            }
            return outcome;
        }
        return Ok(());
    };
    let mut keys = super::with_room(vm, items.len())?;
    for item in items.iter() {
        keys.push(vm.call_args(key, std::slice::from_ref(item))?);
    }
    if items.len() > 1 {
        if reverse {
            items.reverse();
            keys.reverse();
        }
        let outcome = sort_by_keys(vm, &keys, items);
        if reverse {
            items.reverse();
        }
        return outcome;
    }
    Ok(())
}

fn kind_of(value: &Value) -> KeyKind {
    if value.is_small_int() {
        KeyKind::SmallInts
    } else if value.is_immediate_float() {
        KeyKind::Floats
    } else if value.downcast_exact::<Str>().is_some() {
        KeyKind::Strs
    } else if value.downcast_exact::<float::Float>().is_some_and(|f| !f.value.is_nan()) {
        KeyKind::Floats
    } else if value.downcast_exact::<Tuple>().is_some_and(|tuple| tuple.len() > 0) {
        KeyKind::Tuples
    } else {
        KeyKind::Any
    }
}

fn common_kind(keys: &[Value]) -> KeyKind {
    let kind = kind_of(&keys[0]);
    if kind != KeyKind::Any && keys[1..].iter().all(|key| kind_of(key) == kind) { kind } else { KeyKind::Any }
}

fn as_float(value: &Value) -> f64 {
    float::to_f64(value).unwrap_or(0.0)
}

fn compare_strs(left: &Value, right: &Value) -> Ordering {
    match (left.downcast_exact::<Str>(), right.downcast_exact::<Str>()) {
        (Some(a), Some(b)) => compare_text(a, b),
        _ => Ordering::Equal,
    }
}

/// The beginning of a text whose characters take a byte each, to be compared as a number: of two that differ, the lesser is
/// that of the lesser text.
fn prefix(text: &Value) -> Option<u64> {
    let (Data::Ascii(bytes) | Data::Latin1(bytes)) = text.downcast_exact::<Str>()?.data() else { return None };
    let mut start = [0; 8];
    let length = bytes.len().min(8);
    start[..length].copy_from_slice(&bytes[..length]);
    Some(u64::from_be_bytes(start))
}

/// Sorts `words`, each found with a text; mostly the texts' first bytes decide.
fn sort_by_text<T: Copy>(
    vm: &Vm,
    words: impl ExactSizeIterator<Item = T>,
    text: impl Fn(&T) -> &Value,
) -> Result<Vec<T>> {
    let mut order: Vec<(Option<u64>, T)> = vm.buffer_from(words.map(|word| (prefix(text(&word)), word)))?;
    check_room::<(Option<u64>, T)>(vm, order.len())?;
    if order.iter().all(|(prefix, _)| prefix.is_some()) {
        order.sort_by(|a, b| a.0.cmp(&b.0).then_with(|| compare_strs(text(&a.1), text(&b.1))));
    } else {
        order.sort_by(|a, b| compare_strs(text(&a.1), text(&b.1)));
    }
    Ok(order.into_iter().map(|(_, word)| word).collect())
}

/// Raises `MemoryError` when there is no room for what sorting so many takes: the sorts cannot report that.
fn check_room<T>(vm: &Vm, count: usize) -> Result<()> {
    const SMALL: usize = LARGEST_EMERGENCY / 32;
    if count <= SMALL { Ok(()) } else { vm.buffer_for::<T>(count).map(drop) }
}

/// Sorts items that are their own keys.
fn sort_plain(vm: &Vm, items: &mut [Value]) -> Result<()> {
    check_room::<Value>(vm, items.len())?;
    match common_kind(items) {
        // Equal small ints are identical: stability cannot be seen.
        KeyKind::SmallInts => items.sort_unstable_by_key(|item| item.word() as i64),
        KeyKind::Floats => items.sort_by(|a, b| as_float(a).total_cmp_numeric(as_float(b))),
        KeyKind::Strs => {
            let words: Vec<u64> = vm.buffer_from(items.iter().map(Value::word))?;
            // SAFETY: the words are those of values that `items` keeps.
            let order = sort_by_text(vm, words.into_iter(), |word| unsafe { Value::borrow_word(word) })?;
            // SAFETY: `order` is a permutation of the words of `items`, whose references move with them.
            unsafe { write_words(items, order.into_iter()) };
        }
        kind => {
            let words = vm.buffer_from(items.iter().map(Value::word))?;
            let order = sort_words(vm, kind, words, |word| word)?;
            // SAFETY: `order` is a permutation of the words of `items`, whose references move with them.
            unsafe { write_words(items, order.into_iter()) };
        }
    }
    Ok(())
}

/// Sorts items by keys of the same positions.
fn sort_by_keys(vm: &Vm, keys: &[Value], items: &mut [Value]) -> Result<()> {
    let words = keys.iter().zip(items.iter()).map(|(key, item)| (key, item.word()));
    let pairs: Vec<(u64, u64)> = match common_kind(keys) {
        KeyKind::SmallInts => {
            let mut pairs: Vec<(i64, u64)> = vm.buffer_from(words.map(|(key, item)| (key.word() as i64, item)))?;
            check_room::<(i64, u64)>(vm, pairs.len())?;
            pairs.sort_by_key(|pair| pair.0);
            pairs.into_iter().map(|(key, item)| (key as u64, item)).collect()
        }
        KeyKind::Floats => {
            let mut pairs: Vec<(f64, u64)> = vm.buffer_from(words.map(|(key, item)| (as_float(key), item)))?;
            check_room::<(f64, u64)>(vm, pairs.len())?;
            pairs.sort_by(|a, b| a.0.total_cmp_numeric(b.0));
            pairs.into_iter().map(|(key, item)| (key.to_bits(), item)).collect()
        }
        KeyKind::Strs => {
            let pairs = sort_by_text(vm, words, |pair| pair.0)?;
            pairs.into_iter().map(|(key, item)| (key.word(), item)).collect()
        }
        kind => sort_words(vm, kind, vm.buffer_from(words.map(|(key, item)| (key.word(), item)))?, |pair| pair.0)?,
    };
    // SAFETY: the second halves are a permutation of the words of `items`.
    unsafe { write_words(items, pairs.into_iter().map(|pair| pair.1)) };
    Ok(())
}

/// Sorts copies of words by the values that `key` finds in them, whose owners outlive the call.
fn sort_words<T: Copy>(vm: &Vm, kind: KeyKind, mut words: Vec<T>, key: impl Fn(T) -> u64) -> Result<Vec<T>> {
    let less = |a: T, b: T| {
        let (a, b) = (key(a), key(b));
        // SAFETY: the words are those of values that the caller keeps.
        let (a, b) = unsafe { (Value::borrow_word(&a), Value::borrow_word(&b)) };
        if kind == KeyKind::Tuples
            && let (Some(x), Some(y)) = (a.downcast_exact::<Tuple>(), b.downcast_exact::<Tuple>())
        {
            return tuple_less(vm, a, b, x, y);
        }
        value_less(vm, a, b)
    };
    check_room::<T>(vm, words.len())?;
    merge::sort(&mut words, less)?;
    Ok(words)
}

#[inline]
fn value_less(vm: &Vm, a: &Value, b: &Value) -> Result<bool> {
    match quick_less(a, b) {
        Some(less) => Ok(less),
        None => vm.compare(a, b, CompareOp::Lt),
    }
}

/// `a < b` for tuples, deciding by the first item when that needs no Python code.
fn tuple_less(vm: &Vm, a: &Value, b: &Value, x: &Tuple, y: &Tuple) -> Result<bool> {
    let (first, second) = (&x.as_slice()[0], &y.as_slice()[0]);
    match quick_equal(first, second) {
        Some(false) => value_less(vm, first, second),
        _ => vm.compare(a, b, CompareOp::Lt),
    }
}

/// Replaces the words of values.
///
/// # Safety
/// `words` is a permutation of the words of `items`.
unsafe fn write_words(items: &mut [Value], words: impl ExactSizeIterator<Item = u64>) {
    debug_assert_eq!(items.len(), words.len());
    for (item, word) in items.iter_mut().zip(words) {
        // SAFETY: each reference is written once; what was there is overwritten without being dropped, since it
        // is written elsewhere.
        unsafe { std::ptr::write(item, Value::from_word(word)) };
    }
}

/// The numeric order of floats other than NaN: both zeros are equal.
trait NumericOrder {
    fn total_cmp_numeric(self, other: Self) -> Ordering;
}

impl NumericOrder for f64 {
    #[inline]
    fn total_cmp_numeric(self, other: f64) -> Ordering {
        self.partial_cmp(&other).unwrap_or(Ordering::Equal)
    }
}
