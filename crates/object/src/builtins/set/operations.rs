//! Union, intersection, difference and comparison of sets.
//!
//! Which operand is iterated, and when tables are resized, is as in CPython, since it decides the order of the results.

use super::{AnySet, FROZENSET, FrozenSet, OutOfMemory, Set, hash_element, hash_wanted, next_entry};
use crate::builtins::dict::Dict;
use crate::builtins::list::List;
use crate::builtins::tuple::Tuple;
use crate::cell::is_parallel;
use crate::object::Result;
use crate::types::Type;
use crate::value::Value;
use crate::vm::Vm;

/// Whether instances of `ty` are frozensets.
fn is_frozen(ty: &Type) -> bool {
    ty.is_subtype(FROZENSET.ty())
}

/// An empty set of `ty`, set, frozenset or a subclass.
pub(super) fn new_empty(ty: &Type) -> Value {
    if is_frozen(ty) {
        FrozenSet::new_with_type(ty).into_value()
    } else if ty.is(&super::SET) {
        Set::new().into_value()
    } else {
        Set::new_with_type(ty).into_value()
    }
}

/// A set or frozenset, as `ty` is, with the elements of an iterable.
pub(super) fn new_base(vm: &Vm, ty: &Type, iterable: Option<&Value>) -> Result {
    let base = if is_frozen(ty) { FROZENSET.ty() } else { super::SET.ty() };
    let result = new_empty(base);
    if let Some(iterable) = iterable {
        update(vm, own(&result), iterable)?;
    }
    Ok(result)
}

pub(super) fn own(value: &Value) -> AnySet<'_> {
    AnySet::of(value).expect("called on a set")
}

/// Calls `f` with each element of an iterable and its hash.
fn for_each_element(
    vm: &Vm,
    iterable: &Value,
    hash: fn(&Vm, &Value) -> Result<i64>,
    mut f: impl FnMut(&Value, i64) -> Result<()>,
) -> Result<()> {
    if let Some(list) = iterable.downcast_exact::<List>() {
        // `__hash__` and `__eq__` may change the list.
        let mut at = 0;
        while let Some(key) = list.get(at) {
            let hash = hash(vm, &key)?;
            f(&key, hash)?;
            at += 1;
        }
        return Ok(());
    }
    let iterator = vm.iter(iterable)?;
    while let Some(key) = vm.next_of_any(&iterator)? {
        let hash = hash(vm, &key)?;
        f(&key, hash)?;
    }
    Ok(())
}

fn for_each_entry(set: AnySet, mut f: impl FnMut(&Value, i64) -> Result<()>) -> Result<()> {
    let mut position = 0;
    while let Some((next, hash, key)) = next_entry(set, position) {
        position = next;
        f(&key, hash)?;
    }
    Ok(())
}

/// As [`for_each_entry`], with `quick` for the first keys: it holds what tables it needs, runs no Python code, and returns
/// `None` for a key that takes some. `f` has that one and the rest.
fn for_each_entry_quickly(
    vm: &Vm,
    set: AnySet,
    quick: Option<impl FnMut(&Value, i64) -> Option<std::result::Result<(), OutOfMemory>>>,
    mut f: impl FnMut(&Value, i64) -> Result<()>,
) -> Result<()> {
    let mut position = 0;
    if let Some(mut quick) = quick {
        let table = set.table();
        for slot in table.slots() {
            if let Some(key) = &slot.key {
                match quick(key, slot.hash) {
                    Some(Ok(())) => {}
                    Some(Err(OutOfMemory)) => {
                        drop((table, quick));
                        return Err(vm.memory_error());
                    }
                    None => break,
                }
            }
            position += 1;
        }
    }
    while let Some((next, hash, key)) = next_entry(set, position) {
        position = next;
        f(&key, hash)?;
    }
    Ok(())
}

fn for_each_key(dict: &Dict, mut f: impl FnMut(&Value, i64) -> Result<()>) -> Result<()> {
    let mut position = 0;
    while let Some((next, hash, key, _)) = dict.next_entry(position) {
        position = next;
        f(&key, hash)?;
    }
    Ok(())
}

/// Adds the elements of an iterable.
pub fn update(vm: &Vm, set: AnySet, iterable: &Value) -> Result<()> {
    if let Some(other) = AnySet::of(iterable) {
        return merge(vm, set, other);
    }
    if let Some(dict) = iterable.downcast_exact::<Dict>() {
        let count = dict.len();
        let reserved = set.table().reserve(count);
        reserved.map_err(|OutOfMemory| vm.memory_error())?;
        return for_each_key(dict, |key, hash| set.add_hashed(vm, key, hash));
    }
    if let Some(tuple) = iterable.downcast_exact::<Tuple>() {
        return tuple.as_slice().iter().try_for_each(|key| super::add(vm, set, key));
    }
    if let Some(list) = iterable.downcast_exact::<List>() {
        // `__hash__` and `__eq__` may change the list.
        let mut at = 0;
        while let Some(key) = list.get(at) {
            super::add(vm, set, &key)?;
            at += 1;
        }
        return Ok(());
    }
    for_each_element(vm, iterable, hash_element, |key, hash| set.add_hashed(vm, key, hash))
}

/// Adds the keys of another set.
fn merge(vm: &Vm, set: AnySet, other: AnySet) -> Result<()> {
    if set.is(other) || other.len() == 0 {
        return Ok(());
    }
    let copied = {
        let source = other.table();
        let mut target = set.table();
        target.reserve(source.used()).and_then(|()| target.copy_from(&source))
    };
    if copied.map_err(|OutOfMemory| vm.memory_error())? {
        return Ok(());
    }
    let quick = (!is_parallel()).then(|| {
        let mut target = set.table();
        move |key: &Value, hash| target.quick_add(key, hash)
    });
    for_each_entry_quickly(vm, other, quick, |key, hash| set.add_hashed(vm, key, hash))
}

/// `set & iterable` as an exact set or frozenset, like `this`.
pub fn intersection(vm: &Vm, this: &Value, iterable: &Value) -> Result {
    if this.is(iterable) {
        return new_base(vm, this.ty(), Some(this));
    }
    let result = new_base(vm, this.ty(), None)?;
    let (set, target) = (own(this), own(&result));
    if let Some(other) = AnySet::of(iterable) {
        let (asked, iterated) = if other.len() > set.len() { (other, set) } else { (set, other) };
        let quick = (!is_parallel() && !set.is(other)).then(|| {
            let (asked, mut target) = (asked.table(), target.table());
            move |key: &Value, hash| match asked.quick_contains(key, hash)? {
                true => target.quick_add(key, hash),
                false => Some(Ok(())),
            }
        });
        for_each_entry_quickly(vm, iterated, quick, |key, hash| {
            if asked.contains_hashed(vm, key, hash)? { target.add_hashed(vm, key, hash) } else { Ok(()) }
        })?;
    } else {
        for_each_element(vm, iterable, Vm::hash, |key, hash| {
            if set.contains_hashed(vm, key, hash)? { target.add_hashed(vm, key, hash) } else { Ok(()) }
        })?;
    }
    Ok(result)
}

/// The intersection with all of several iterables.
pub(super) fn intersection_of_all(vm: &Vm, this: &Value, others: &[Value]) -> Result {
    let Some((first, rest)) = others.split_first() else { return new_base(vm, this.ty(), Some(this)) };
    let mut result = intersection(vm, this, first)?;
    for other in rest {
        result = intersection(vm, &result, other)?;
    }
    Ok(result)
}

/// Gives `set` the keys of `other`, a set that nobody else sees.
pub(super) fn take_keys(set: AnySet, other: AnySet) {
    let taken = other.table().take();
    let old = set.table().replace_keys(taken);
    drop(old);
}

/// `set - iterable` as an exact set or frozenset.
pub(super) fn difference(vm: &Vm, this: &Value, iterable: &Value) -> Result {
    let set = own(this);
    let other = AnySet::of(iterable);
    let dict = iterable.downcast_exact::<Dict>();
    let size = match (other, dict) {
        (Some(other), _) => other.len(),
        (None, Some(dict)) => dict.len(),
        (None, None) => usize::MAX,
    };
    // When far fewer elements go than stay, a copy is the cheaper start.
    if size == usize::MAX || set.len() >> 2 > size {
        let result = new_base(vm, this.ty(), Some(this))?;
        difference_update(vm, own(&result), iterable)?;
        return Ok(result);
    }
    let result = new_base(vm, this.ty(), None)?;
    let target = own(&result);
    let quick = other.filter(|other| !is_parallel() && !set.is(*other)).map(|other| {
        let (other, mut target) = (other.table(), target.table());
        move |key: &Value, hash| match other.quick_contains(key, hash)? {
            true => Some(Ok(())),
            false => target.quick_add(key, hash),
        }
    });
    for_each_entry_quickly(vm, set, quick, |key, hash| {
        let there = match (other, dict) {
            (Some(other), _) => other.contains_hashed(vm, key, hash)?,
            (None, Some(dict)) => dict.contains_hashed(vm, key, hash)?,
            (None, None) => false,
        };
        if there { Ok(()) } else { target.add_hashed(vm, key, hash) }
    })?;
    Ok(result)
}

/// Removes the elements of an iterable.
pub fn difference_update(vm: &Vm, set: AnySet, iterable: &Value) -> Result<()> {
    if let Some(other) = AnySet::of(iterable) {
        if set.is(other) {
            set.clear();
            return Ok(());
        }
        // Of a much larger set only what both have matters.
        let common;
        let other = if other.len() >> 3 > set.len() {
            let this = set_value(set);
            common = intersection(vm, &this, iterable)?;
            own(&common)
        } else {
            other
        };
        for_each_entry(other, |key, hash| set.discard_hashed(vm, key, hash).map(|_| ()))?;
    } else {
        for_each_element(vm, iterable, hash_wanted, |key, hash| set.discard_hashed(vm, key, hash).map(|_| ()))?;
    }
    let tidied = set.table().tidy();
    tidied.map_err(|OutOfMemory| vm.memory_error())
}

/// A new reference to a borrowed set.
fn set_value(set: AnySet) -> Value {
    // SAFETY: the header is that of a live object, borrowed through a value.
    unsafe {
        let header = std::mem::ManuallyDrop::new(Value::from_object_pointer(std::ptr::NonNull::from(set.header)));
        (*header).clone()
    }
}

/// Keeps the elements that are in either, but not in both.
pub fn symmetric_difference_update(vm: &Vm, set: AnySet, iterable: &Value) -> Result<()> {
    let toggle = |key: &Value, hash: i64| {
        if set.discard_hashed(vm, key, hash)? { Ok(()) } else { set.add_hashed(vm, key, hash) }
    };
    if let Some(dict) = iterable.downcast_exact::<Dict>() {
        return for_each_key(dict, toggle);
    }
    match AnySet::of(iterable) {
        Some(other) if set.is(other) => {
            set.clear();
            Ok(())
        }
        Some(other) => for_each_entry(other, toggle),
        None => {
            let other = new_base(vm, super::SET.ty(), Some(iterable))?;
            for_each_entry(own(&other), toggle)
        }
    }
}

/// `this ^ iterable` as an exact set or frozenset.
pub(super) fn symmetric_difference(vm: &Vm, this: &Value, iterable: &Value) -> Result {
    let result = new_base(vm, this.ty(), Some(iterable))?;
    symmetric_difference_update(vm, own(&result), this)?;
    Ok(result)
}

/// Whether all keys of `some` are in `all`.
pub(super) fn is_subset(vm: &Vm, some: AnySet, all: AnySet) -> Result<bool> {
    if some.len() > all.len() {
        return Ok(false);
    }
    let mut position = 0;
    if !is_parallel() && !some.is(all) {
        let (keys, all) = (some.table(), all.table());
        for slot in keys.slots() {
            if let Some(key) = &slot.key {
                match all.quick_contains(key, slot.hash) {
                    Some(true) => {}
                    Some(false) => return Ok(false),
                    None => break,
                }
            }
            position += 1;
        }
    }
    while let Some((next, hash, key)) = next_entry(some, position) {
        position = next;
        if !all.contains_hashed(vm, &key, hash)? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// `set.issubset(iterable)`
pub(super) fn is_subset_of(vm: &Vm, this: &Value, iterable: &Value) -> Result<bool> {
    if let Some(other) = AnySet::of(iterable) {
        return is_subset(vm, own(this), other);
    }
    let common = intersection(vm, this, iterable)?;
    Ok(own(&common).len() == own(this).len())
}

/// `set.issuperset(iterable)`
pub(super) fn is_superset_of(vm: &Vm, this: &Value, iterable: &Value) -> Result<bool> {
    if let Some(other) = AnySet::of(iterable) {
        return is_subset(vm, other, own(this));
    }
    let iterator = vm.iter(iterable)?;
    while let Some(key) = vm.next(&iterator)? {
        if !super::contains(vm, own(this), &key)? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// `set.isdisjoint(iterable)`
pub(super) fn is_disjoint(vm: &Vm, this: &Value, iterable: &Value) -> Result<bool> {
    let set = own(this);
    if this.is(iterable) {
        return Ok(set.len() == 0);
    }
    if let Some(other) = AnySet::exact(iterable) {
        let (asked, iterated) = if other.len() > set.len() { (other, set) } else { (set, other) };
        let mut position = 0;
        if !is_parallel() {
            let (keys, asked) = (iterated.table(), asked.table());
            for slot in keys.slots() {
                if let Some(key) = &slot.key {
                    match asked.quick_contains(key, slot.hash) {
                        Some(true) => return Ok(false),
                        Some(false) => {}
                        None => break,
                    }
                }
                position += 1;
            }
        }
        while let Some((next, hash, key)) = next_entry(iterated, position) {
            position = next;
            if asked.contains_hashed(vm, &key, hash)? {
                return Ok(false);
            }
        }
        return Ok(true);
    }
    let iterator = vm.iter(iterable)?;
    while let Some(key) = vm.next(&iterator)? {
        let hash = hash_element(vm, &key)?;
        if set.contains_hashed(vm, &key, hash)? {
            return Ok(false);
        }
    }
    Ok(true)
}
