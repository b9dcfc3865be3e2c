//! `dict`: lookup and change; the table is in `dict/table.rs`, methods, views and iterators are in their files beside it.
//!
//! Comparisons of keys may run Python code, so a lookup that needs one leaves the cell, compares, and goes on where it was,
//! or starts again if the keys were changed meanwhile. What it found is acted upon only if they still are unchanged.

use crate::builtins::str::Str;
use crate::cell::{Borrow, ObjectCell};
use crate::header::Header;
use crate::heap::{self, Kind};
use crate::object::{Payload, Ref, Result, Visitor};
use crate::types::{Type, TypeSpec, type_flags};
use crate::value::Value;
use crate::vm::{Raised, Vm};

pub mod iterator;
mod merge;
pub mod methods;
mod table;
pub mod views;

pub use merge::{Existing, merge, update};
pub use table::{Entry, OutOfMemory, Probe, Table};

/// A dictionary.
#[repr(C)]
pub struct Dict {
    pub header: Header,
    pub state: ObjectCell<Table>,
}

// SAFETY: repr(C), header first, visits each key and value.
unsafe impl Payload for Dict {
    const KIND: Kind = Kind::Container;
    const SUBCLASS_FLAG: u64 = type_flags::DICT_SUBCLASS;
    fn static_type() -> &'static Type {
        DICT.ty()
    }
    fn traverse(&self, visit: Visitor) {
        // SAFETY: the collector has stopped the world.
        let entries = unsafe { &(*self.state.as_ptr()).entries };
        // As in CPython: values come before their keys, and keys that are all strings are not told.
        let mut keys = entries.iter().filter_map(|entry| entry.key.as_ref());
        let only_strings = keys.all(|key| key.downcast_exact::<Str>().is_some());
        for entry in entries {
            if let Some(key) = &entry.key {
                visit(&entry.value);
                if !only_strings {
                    visit(key);
                }
            }
        }
    }
    fn clear(&self) {
        self.clear_items();
    }
}

pub static DICT: TypeSpec = TypeSpec::new::<Dict>("dict")
    .doc(
        "dict() -> dictionary without items\n\
         dict(mapping) -> dictionary with the items of the mapping\n\
         dict(iterable) -> dictionary with the (key, value) pairs of the\n    \
         iterable; of pairs with equal keys, the last one counts\n\
         dict(**kwargs) -> dictionary whose keys are the names of the\n    \
         arguments, which may also follow a mapping or an iterable:\n    \
         dict(x=0, y=1) equals {'x': 0, 'y': 1}",
    )
    .flags(type_flags::BASETYPE | type_flags::DICT_SUBCLASS | type_flags::MATCH_SELF | type_flags::MAPPING)
    .slots(methods::slots)
    .methods(methods::METHODS);

/// Where a key is, as of a state of the keys.
#[derive(Clone, Copy)]
struct Position {
    at: Option<usize>,
    mutations: u32,
}

/// The hash of a key of a dict.
#[inline]
pub fn hash_key(vm: &Vm, key: &Value) -> Result<i64> {
    if let Some(text) = key.downcast_exact::<Str>() {
        return Ok(text.hash());
    }
    match vm.hash(key) {
        Ok(hash) => Ok(hash),
        Err(raised) => Err(unhashable(vm, raised, key, "dict key")),
    }
}

/// Says in a `TypeError` what the unhashable key was to be used for.
#[cold]
pub fn unhashable(vm: &Vm, raised: Raised, key: &Value, role: &str) -> Raised {
    if !vm.pending(&raised).ty().is(&crate::exceptions::TYPE_ERROR) {
        return raised;
    }
    let exception = vm.take(raised);
    let reason = match vm.str_string(&exception) {
        Ok(reason) => reason,
        Err(raised) => return raised,
    };
    vm.type_error(format!("cannot use '{}' as a {role} ({reason})", key.ty().full_name()))
}

impl Dict {
    /// An empty dict.
    #[inline]
    pub fn new() -> Ref<Dict> {
        // Made in place: a table that is moved as a whole has to be read while it is still being written.
        Ref::new_with(|| Dict { header: Header::new(DICT.ty()), state: ObjectCell::new(Table::default()) })
    }

    fn from_table(table: Table) -> Ref<Dict> {
        Ref::new(Dict { header: Header::new(DICT.ty()), state: ObjectCell::new(table) })
    }

    /// An empty dict, with room for `capacity` items if there is memory.
    pub fn with_capacity(capacity: usize) -> Ref<Dict> {
        let dict = Self::new();
        let _ = dict.table().reserve(capacity);
        dict
    }

    /// An empty instance of `ty`, dict or a subclass.
    pub fn new_with_type(ty: &Type) -> Ref<Dict> {
        Ref::new_with_type(ty, Dict { header: Header::new(ty), state: ObjectCell::new(Table::default()) })
    }

    #[inline(always)]
    fn table(&self) -> Borrow<'_, Table> {
        self.state.borrow(&self.header)
    }

    #[inline(always)]
    pub fn len(&self) -> usize {
        self.table().used()
    }

    /// Where a key is. Its comparisons may run Python code.
    #[cold]
    #[inline(never)]
    fn find_comparing(&self, vm: &Vm, key: &Value, hash: i64) -> Result<Position> {
        'restart: loop {
            let (mut probe, mutations) = {
                let table = self.table();
                (table.lookup(key, hash), table.mutations)
            };
            loop {
                let (at, next) = match probe {
                    Probe::Found(at) => return Ok(Position { at: Some(at), mutations }),
                    Probe::Absent => return Ok(Position { at: None, mutations }),
                    Probe::Compare(at, next) => (at, next),
                };
                let candidate = {
                    let table = self.table();
                    if table.mutations != mutations {
                        continue 'restart;
                    }
                    table.entries[at].key.clone()
                };
                let Some(candidate) = candidate else { continue 'restart };
                let equal = vm.equal_or_identical(&candidate, key)?;
                if equal {
                    // As in CPython other keys may have come and gone, if only this one is still in its place.
                    let found = {
                        let table = self.table();
                        let there = table.entries.get(at).and_then(|entry| entry.key.as_ref());
                        there.is_some_and(|there| there.is(&candidate)).then_some(table.mutations)
                    };
                    drop(candidate);
                    match found {
                        Some(mutations) => return Ok(Position { at: Some(at), mutations }),
                        None => continue 'restart,
                    }
                }
                drop(candidate);
                let table = self.table();
                if table.mutations != mutations {
                    continue 'restart;
                }
                probe = table.resume(key, hash, next);
            }
        }
    }

    /// Finds a key and does something with the table while the position holds.
    #[inline(always)]
    fn with_position<R>(
        &self,
        vm: &Vm,
        key: &Value,
        hash: i64,
        act: impl FnOnce(Borrow<'_, Table>, Option<usize>) -> R,
    ) -> Result<R> {
        let table = self.table();
        match table.lookup(key, hash) {
            Probe::Found(at) => return Ok(act(table, Some(at))),
            Probe::Absent => return Ok(act(table, None)),
            Probe::Compare(..) => drop(table),
        }
        loop {
            let position = self.find_comparing(vm, key, hash)?;
            let table = self.table();
            if table.mutations == position.mutations {
                return Ok(act(table, position.at));
            }
        }
    }

    /// `self.get(key)`: hashes and compares, so may run Python code.
    #[inline]
    pub fn get(&self, vm: &Vm, key: &Value) -> Result<Option<Value>> {
        let hash = hash_key(vm, key)?;
        self.get_hashed(vm, key, hash)
    }

    #[inline]
    pub fn get_hashed(&self, vm: &Vm, key: &Value, hash: i64) -> Result<Option<Value>> {
        self.with_position(vm, key, hash, |table, at| at.map(|at| table.entries[at].value.clone()))
    }

    /// `key in self`
    #[inline]
    pub fn contains(&self, vm: &Vm, key: &Value) -> Result<bool> {
        let hash = hash_key(vm, key)?;
        self.contains_hashed(vm, key, hash)
    }

    #[inline]
    pub fn contains_hashed(&self, vm: &Vm, key: &Value, hash: i64) -> Result<bool> {
        self.with_position(vm, key, hash, |_, at| at.is_some())
    }

    /// `self[key] = value`.
    #[inline]
    pub fn set(&self, vm: &Vm, key: &Value, value: Value) -> Result<()> {
        let hash = hash_key(vm, key)?;
        self.set_hashed(vm, key, hash, value)
    }

    #[inline]
    pub fn set_hashed(&self, vm: &Vm, key: &Value, hash: i64, value: Value) -> Result<()> {
        let stored = self.with_position(vm, key, hash, |table, at| store(table, at, key, hash, value))?;
        stored.map_err(|OutOfMemory| vm.memory_error())
    }

    /// `self.setdefault(key, default)`: the value there afterwards.
    pub fn set_default(&self, vm: &Vm, key: &Value, default: &Value) -> Result {
        let hash = hash_key(vm, key)?;
        let value = self.with_position(vm, key, hash, |table, at| match at {
            Some(at) => Ok(table.entries[at].value.clone()),
            None => store(table, None, key, hash, default.clone()).map(|()| default.clone()),
        })?;
        value.map_err(|OutOfMemory| vm.memory_error())
    }

    /// Removes a key; its value, or `None` if it was absent.
    pub fn remove(&self, vm: &Vm, key: &Value) -> Result<Option<Value>> {
        let hash = hash_key(vm, key)?;
        self.remove_hashed(vm, key, hash)
    }

    pub fn remove_hashed(&self, vm: &Vm, key: &Value, hash: i64) -> Result<Option<Value>> {
        let removed = self.with_position(vm, key, hash, |mut table, at| at.map(|at| table.remove_at(at)))?;
        Ok(removed.map(|(key, value)| {
            drop(key);
            value
        }))
    }

    /// The value of a str key, comparing text only: no Python code runs.
    #[inline]
    pub fn get_str(&self, key: &Value) -> Option<Value> {
        let table = self.table();
        let at = table.find_str(key)?;
        Some(table.entries[at].value.clone())
    }

    /// As [`Dict::get_str`], with the hash at hand.
    #[inline(always)]
    pub fn get_str_hashed(&self, key: &Value, text: &Str, hash: i64) -> Option<Value> {
        let table = self.table();
        let at = table.find_str_hashed(key, text, hash)?;
        Some(table.entries[at].value.clone())
    }

    /// Sets a str key, comparing text only. Without memory for it nothing is set, and `MemoryError` is raised at the next
    /// safepoint.
    pub fn set_str(&self, key: &Value, value: Value) {
        let text = key.downcast::<Str>().expect("names are strings");
        let hash = text.hash();
        let table = self.table();
        let at = table.find_str_hashed(key, text, hash);
        if store(table, at, key, hash, value).is_err() {
            heap::signal_exhausted();
        }
    }

    /// Whether all keys are strings.
    pub fn has_str_keys_only(&self) -> bool {
        self.table().entries.iter().filter_map(|entry| entry.key.as_ref()).all(|key| key.downcast::<Str>().is_some())
    }

    /// Sets a str key unless it is there.
    pub fn set_default_str(&self, key: &Value, value: Value) {
        if self.get_str(key).is_none() {
            self.set_str(key, value);
        }
    }

    /// Removes a str key, comparing text only.
    pub fn remove_str(&self, key: &Value) -> Option<Value> {
        let mut table = self.table();
        let at = table.find_str(key)?;
        let (key, value) = table.remove_at(at);
        drop(table);
        drop(key);
        Some(value)
    }

    /// The next live entry at or after `position`: position after it, key, value.
    #[inline]
    pub fn next_item(&self, position: usize) -> Option<(usize, Value, Value)> {
        let (position, _, key, value) = self.next_entry(position)?;
        Some((position, key, value))
    }

    /// As [`Dict::next_item`], with the hash of the key.
    #[inline]
    pub fn next_entry(&self, position: usize) -> Option<(usize, i64, Value, Value)> {
        let table = self.table();
        for (at, entry) in table.entries.iter().enumerate().skip(position) {
            if let Some(key) = &entry.key {
                return Some((at + 1, entry.hash, key.clone(), entry.value.clone()));
            }
        }
        None
    }

    /// A snapshot of the items in order.
    pub fn items(&self) -> Vec<(Value, Value)> {
        let table = self.table();
        let live = table.entries.iter().filter_map(|e| e.key.as_ref().map(|key| (key.clone(), e.value.clone())));
        live.collect()
    }

    pub fn keys(&self) -> Vec<Value> {
        self.table().entries.iter().filter_map(|e| e.key.clone()).collect()
    }

    pub fn values(&self) -> Vec<Value> {
        self.table().entries.iter().filter(|e| e.key.is_some()).map(|e| e.value.clone()).collect()
    }

    /// The first item.
    pub fn first_item(&self) -> Option<(Value, Value)> {
        let mut table = self.table();
        let at = table.first_live()?;
        let entry = &table.entries[at];
        Some((entry.key.clone()?, entry.value.clone()))
    }

    /// The last item.
    pub fn last_item(&self) -> Option<(Value, Value)> {
        let table = self.table();
        let entry = table.entries.iter().rfind(|entry| entry.key.is_some())?;
        Some((entry.key.clone()?, entry.value.clone()))
    }

    /// Moves a key to the end or the front; false if it is absent.
    pub fn move_key(&self, vm: &Vm, key: &Value, to_end: bool) -> Result<bool> {
        let hash = hash_key(vm, key)?;
        let moved = self.with_position(vm, key, hash, |mut table, at| match at {
            Some(at) if to_end => table.move_to_end(at).map(|()| true),
            Some(at) => table.move_to_front(at).map(|()| true),
            None => Ok(false),
        })?;
        moved.map_err(|OutOfMemory| vm.memory_error())
    }

    /// Removes the first item.
    pub fn pop_first(&self) -> Option<(Value, Value)> {
        let mut table = self.table();
        let at = table.first_live()?;
        Some(table.remove_at(at))
    }

    /// An empty dict's payload, for types whose layout begins with a dict's.
    pub fn payload(ty: &Type) -> Dict {
        Dict { header: Header::new(ty), state: ObjectCell::new(Table::default()) }
    }

    /// Removes the last item.
    pub fn pop_item(&self) -> Option<(Value, Value)> {
        self.table().pop_last()
    }

    pub fn clear_items(&self) {
        let old = self.table().take();
        drop(old);
    }

    /// A shallow copy, an exact dict. Without memory for it it is empty, and `MemoryError` is raised at the next safepoint.
    pub fn copy(&self) -> Ref<Dict> {
        let copy = self.table().copy();
        Self::from_table(copy.unwrap_or_else(|OutOfMemory| {
            heap::signal_exhausted();
            Table::default()
        }))
    }

    /// As [`Dict::copy`], for dicts of any size.
    pub fn try_copy(&self, vm: &Vm) -> Result<Ref<Dict>> {
        let copy = self.table().copy();
        match copy {
            Ok(table) => Ok(Self::from_table(table)),
            Err(OutOfMemory) => Err(vm.memory_error()),
        }
    }
}

/// Replaces the value at a position or appends the key; what was replaced is dropped after the borrow.
#[inline(always)]
fn store(
    mut table: Borrow<'_, Table>,
    at: Option<usize>,
    key: &Value,
    hash: i64,
    value: Value,
) -> std::result::Result<(), OutOfMemory> {
    match at {
        Some(at) => {
            let old = table.entries[at].replace_value(value);
            drop(table);
            drop(old);
            Ok(())
        }
        None => table.append(key.clone(), hash, value),
    }
}
