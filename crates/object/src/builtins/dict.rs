//! `dict`: representation and lookup; methods and views are in `dict/`.
//!
//! A compact ordered table as CPython's: a power-of-two index array of 1, 2 or 4 byte entries, and the entries in
//! insertion order. Probing is CPython's, so that equal hashes meet in the same order.
//!
//! Comparisons of keys may run Python code, so a lookup that needs one leaves the cell, compares, and starts again if the
//! table was changed meanwhile.

use crate::builtins::str::Str;
use crate::cell::ObjectCell;
use crate::header::Header;
use crate::heap::Kind;
use crate::object::{Payload, Ref, Result, Visitor};
use crate::types::{Type, TypeSpec, type_flags};
use crate::value::Value;
use crate::vm::Vm;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

pub mod methods;

/// A dictionary.
#[repr(C)]
pub struct Dict {
    pub header: Header,
    pub state: ObjectCell<Table>,
}

/// The table; for the eval loop's caches its fields are public.
#[derive(Default)]
pub struct Table {
    indices: Box<[u8]>,
    /// log2 of the number of index entries; 0 when there is no table yet.
    log2_size: u8,
    pub entries: Vec<Entry>,
    /// Live entries.
    used: usize,
    /// Identifies "these names at these positions" for caches; 0: no cache depends on it. Dropped when a key is added,
    /// removed or moved; not when a value is replaced.
    keys_version: u32,
    /// Bumped by every change of the key set, for iterators and lookups in progress.
    pub mutations: u32,
}

pub struct Entry {
    pub hash: i64,
    /// `None`: deleted.
    pub key: Option<Value>,
    /// `UNBOUND` in a deleted entry.
    pub value: Value,
}

const EMPTY: i64 = -1;
const DELETED: i64 = -2;

static NEXT_KEYS_VERSION: AtomicU32 = AtomicU32::new(1);

// SAFETY: repr(C), header first, visits each key and value.
unsafe impl Payload for Dict {
    const KIND: Kind = Kind::Container;
    fn static_type() -> &'static Type {
        DICT.ty()
    }
    fn traverse(&self, visit: Visitor) {
        // SAFETY: the collector has stopped the world.
        for entry in unsafe { &(*self.state.as_ptr()).entries } {
            if let Some(key) = &entry.key {
                visit(key);
                visit(&entry.value);
            }
        }
    }
    fn clear(&self) {
        self.clear_items();
    }
}

pub static DICT: TypeSpec = TypeSpec::new::<Dict>("dict")
    .doc(
        "dict() -> new empty dictionary\ndict(mapping) -> new dictionary initialized from a mapping object's\n    (key, \
         value) pairs\ndict(iterable) -> new dictionary initialized as if via:\n    d = {}\n    for k, v in iterable:\n        \
         d[k] = v\ndict(**kwargs) -> new dictionary initialized with the name=value pairs\n    in the keyword argument list.  \
         For example:  dict(one=1, two=2)",
    )
    .flags(type_flags::BASETYPE | type_flags::DICT_SUBCLASS | type_flags::MATCH_SELF | type_flags::MAPPING)
    .slots(methods::slots)
    .methods(methods::METHODS);

/// What a probe without running Python code finds.
enum Probe {
    Found(usize),
    Absent,
    /// The entry at this index has an equal hash and a key that only `__eq__` can compare.
    Compare(usize, Value),
}

impl Table {
    fn size(&self) -> usize {
        if self.log2_size == 0 { 0 } else { 1 << self.log2_size }
    }

    #[inline(always)]
    fn index(&self, slot: usize) -> i64 {
        match self.log2_size {
            0..=7 => self.indices[slot] as i8 as i64,
            8..=15 => i16::from_ne_bytes([self.indices[slot * 2], self.indices[slot * 2 + 1]]) as i64,
            _ => {
                let b = &self.indices[slot * 4..slot * 4 + 4];
                i32::from_ne_bytes([b[0], b[1], b[2], b[3]]) as i64
            }
        }
    }

    fn set_index(&mut self, slot: usize, value: i64) {
        match self.log2_size {
            0..=7 => self.indices[slot] = value as i8 as u8,
            8..=15 => self.indices[slot * 2..slot * 2 + 2].copy_from_slice(&(value as i16).to_ne_bytes()),
            _ => self.indices[slot * 4..slot * 4 + 4].copy_from_slice(&(value as i32).to_ne_bytes()),
        }
    }

    /// Calls `f` with each index slot of the probe sequence until it answers.
    #[inline(always)]
    fn probe<R>(&self, hash: i64, mut f: impl FnMut(usize, i64) -> Option<R>) -> R {
        let mask = self.size() - 1;
        let mut perturb = hash as u64;
        let mut slot = hash as usize & mask;
        loop {
            if let Some(result) = f(slot, self.index(slot)) {
                return result;
            }
            perturb >>= 5;
            slot = slot.wrapping_mul(5).wrapping_add(perturb as usize).wrapping_add(1) & mask;
        }
    }

    /// Looks a key up without Python code; entries in `skip` are known to be different.
    #[inline]
    fn lookup(&self, key: &Value, hash: i64, skip: &[usize]) -> Probe {
        if self.used == 0 {
            return Probe::Absent;
        }
        self.probe(hash, |_, index| {
            if index == EMPTY {
                return Some(Probe::Absent);
            }
            if index == DELETED {
                return None;
            }
            let entry = &self.entries[index as usize];
            let Some(candidate) = &entry.key else { return None };
            if candidate.word() == key.word() {
                return Some(Probe::Found(index as usize));
            }
            if entry.hash != hash {
                return None;
            }
            match (candidate.downcast_exact::<Str>(), key.downcast_exact::<Str>()) {
                (Some(a), Some(b)) => a.equals(b).then_some(Probe::Found(index as usize)),
                _ if candidate.is_small_int() && key.is_small_int() => None,
                _ if candidate.is(key) => Some(Probe::Found(index as usize)),
                _ if skip.contains(&(index as usize)) => None,
                _ => Some(Probe::Compare(index as usize, candidate.clone())),
            }
        })
    }

    /// The position of a str key, comparing text only.
    #[inline]
    pub fn find_str(&self, key: &Value) -> Option<usize> {
        if self.used == 0 {
            return None;
        }
        let text = key.downcast::<Str>()?;
        let hash = text.hash();
        self.probe(hash, |_, index| {
            if index == EMPTY {
                return Some(None);
            }
            if index == DELETED {
                return None;
            }
            let entry = &self.entries[index as usize];
            let candidate = entry.key.as_ref()?;
            if candidate.word() == key.word() {
                return Some(Some(index as usize));
            }
            if entry.hash == hash && candidate.downcast::<Str>().is_some_and(|c| c.equals(text)) {
                return Some(Some(index as usize));
            }
            None
        })
    }

    fn changed_keys(&mut self) {
        self.keys_version = 0;
        self.mutations = self.mutations.wrapping_add(1);
    }

    /// The version for caches, assigned when asked for; 0 when the counter is exhausted.
    pub fn keys_version(&mut self) -> u32 {
        if self.keys_version == 0 && NEXT_KEYS_VERSION.load(Relaxed) != u32::MAX {
            self.keys_version = NEXT_KEYS_VERSION.fetch_add(1, Relaxed);
        }
        self.keys_version
    }

    /// The version if one was assigned, else 0.
    #[inline(always)]
    pub fn current_keys_version(&self) -> u32 {
        self.keys_version
    }

    fn usable(log2_size: u8) -> usize {
        if log2_size == 0 { 0 } else { (1usize << log2_size) * 2 / 3 }
    }

    /// Rebuilds with room for at least `capacity` live entries.
    fn resize(&mut self, capacity: usize) {
        let mut log2 = 3u8;
        while Self::usable(log2) < capacity {
            log2 += 1;
        }
        if self.used != self.entries.len() {
            self.entries.retain(|entry| entry.key.is_some());
            self.keys_version = 0;
        }
        let width = match log2 {
            0..=7 => 1,
            8..=15 => 2,
            _ => 4,
        };
        self.log2_size = log2;
        self.indices = vec![0xFF; width << log2].into_boxed_slice();
        let wanted = Self::usable(log2);
        if self.entries.capacity() < wanted && self.entries.len() >= 8 {
            self.entries.reserve_exact(wanted - self.entries.len());
        }
        for at in 0..self.entries.len() {
            let hash = self.entries[at].hash;
            let slot = self.probe(hash, |slot, index| (index == EMPTY).then_some(slot));
            self.set_index(slot, at as i64);
        }
    }

    /// Appends an entry known to be absent.
    fn append(&mut self, key: Value, hash: i64, value: Value) {
        if self.entries.len() >= Self::usable(self.log2_size) {
            self.resize((self.used * 3).max(5));
        }
        let slot = self.probe(hash, |slot, index| (index < 0).then_some(slot));
        self.set_index(slot, self.entries.len() as i64);
        self.entries.push(Entry { hash, key: Some(key), value });
        self.used += 1;
        self.changed_keys();
    }

    /// Removes the entry at a position; key and value.
    fn remove_at(&mut self, at: usize) -> (Value, Value) {
        let hash = self.entries[at].hash;
        let slot = self.probe(hash, |slot, index| (index == at as i64).then_some(slot));
        self.set_index(slot, DELETED);
        let entry = &mut self.entries[at];
        let key = entry.key.take().expect("a live entry has a key");
        let value = std::mem::replace(&mut entry.value, Value::UNBOUND);
        self.used -= 1;
        self.changed_keys();
        (key, value)
    }
}

impl Dict {
    /// An empty dict.
    pub fn new() -> Ref<Dict> {
        Ref::new(Dict { header: Header::new(DICT.ty()), state: ObjectCell::new(Table::default()) })
    }

    /// An empty dict with room for `capacity` items.
    pub fn with_capacity(capacity: usize) -> Ref<Dict> {
        let dict = Dict::new();
        if capacity > 0 {
            dict.state.borrow(&dict.header).resize(capacity);
        }
        dict
    }

    /// An empty instance of `ty`, dict or a subclass.
    pub fn new_with_type(ty: &Type) -> Ref<Dict> {
        Ref::new_with_type(ty, Dict { header: Header::new(ty), state: ObjectCell::new(Table::default()) })
    }

    pub fn len(&self) -> usize {
        self.state.borrow(&self.header).used
    }

    /// The position of a key in `entries`.
    pub fn find(&self, vm: &Vm, key: &Value, hash: i64) -> Result<Option<usize>> {
        let mut skip: smallvec::SmallVec<[usize; 4]> = smallvec::SmallVec::new();
        loop {
            let (probe, mutations) = {
                let state = self.state.borrow(&self.header);
                (state.lookup(key, hash, &skip), state.mutations)
            };
            match probe {
                Probe::Found(at) => return Ok(Some(at)),
                Probe::Absent => return Ok(None),
                Probe::Compare(at, candidate) => {
                    let equal = vm.equal(&candidate, key)?;
                    let state = self.state.borrow(&self.header);
                    let same = state.mutations == mutations
                        || state
                            .entries
                            .get(at)
                            .is_some_and(|e| e.key.as_ref().is_some_and(|k| k.word() == candidate.word()));
                    if state.mutations != mutations {
                        skip.clear();
                    }
                    if equal && same {
                        return Ok(Some(at));
                    }
                    if state.mutations == mutations {
                        skip.push(at);
                    }
                }
            }
        }
    }

    /// `self.get(key)`: hashes and compares, so may run Python code.
    pub fn get(&self, vm: &Vm, key: &Value) -> Result<Option<Value>> {
        if key.downcast_exact::<Str>().is_none() {
            let hash = vm.hash(key)?;
            return self.get_hashed(vm, key, hash);
        }
        let hash = vm.hash(key)?;
        self.get_hashed(vm, key, hash)
    }

    pub fn get_hashed(&self, vm: &Vm, key: &Value, hash: i64) -> Result<Option<Value>> {
        let at = self.find(vm, key, hash)?;
        Ok(at.and_then(|at| self.value_at(at)))
    }

    fn value_at(&self, at: usize) -> Option<Value> {
        let state = self.state.borrow(&self.header);
        let entry = state.entries.get(at)?;
        entry.key.is_some().then(|| entry.value.clone())
    }

    /// `self[key] = value`.
    pub fn set(&self, vm: &Vm, key: &Value, value: Value) -> Result<()> {
        let hash = vm.hash(key)?;
        self.set_hashed(vm, key, hash, value)
    }

    pub fn set_hashed(&self, vm: &Vm, key: &Value, hash: i64, value: Value) -> Result<()> {
        let at = self.find(vm, key, hash)?;
        self.store(at, key, hash, value);
        Ok(())
    }

    fn store(&self, at: Option<usize>, key: &Value, hash: i64, value: Value) {
        let mut state = self.state.borrow(&self.header);
        let old = match at {
            Some(at) => Some(std::mem::replace(&mut state.entries[at].value, value)),
            None => {
                state.append(key.clone(), hash, value);
                None
            }
        };
        drop(state);
        drop(old);
    }

    /// `self.setdefault(key, default)`: the value there afterwards.
    pub fn set_default(&self, vm: &Vm, key: &Value, default: &Value) -> Result {
        let hash = vm.hash(key)?;
        if let Some(at) = self.find(vm, key, hash)?
            && let Some(value) = self.value_at(at)
        {
            return Ok(value);
        }
        self.store(None, key, hash, default.clone());
        Ok(default.clone())
    }

    /// Removes a key; its value, or `None` if it was absent.
    pub fn remove(&self, vm: &Vm, key: &Value) -> Result<Option<Value>> {
        let hash = vm.hash(key)?;
        let Some(at) = self.find(vm, key, hash)? else { return Ok(None) };
        let mut state = self.state.borrow(&self.header);
        let (key, value) = state.remove_at(at);
        drop(state);
        drop(key);
        Ok(Some(value))
    }

    /// The value of a str key, comparing text only: no Python code runs.
    #[inline]
    pub fn get_str(&self, key: &Value) -> Option<Value> {
        let state = self.state.borrow(&self.header);
        let at = state.find_str(key)?;
        Some(state.entries[at].value.clone())
    }

    /// Sets a str key, comparing text only.
    pub fn set_str(&self, key: &Value, value: Value) {
        let (at, hash) = {
            let state = self.state.borrow(&self.header);
            let hash = key.downcast::<Str>().expect("names are strings").hash();
            (state.find_str(key), hash)
        };
        self.store(at, key, hash, value);
    }

    /// Sets a str key unless it is there.
    pub fn set_default_str(&self, key: &Value, value: Value) {
        if self.get_str(key).is_none() {
            self.set_str(key, value);
        }
    }

    /// Removes a str key, comparing text only.
    pub fn remove_str(&self, key: &Value) -> Option<Value> {
        let mut state = self.state.borrow(&self.header);
        let at = state.find_str(key)?;
        let (key, value) = state.remove_at(at);
        drop(state);
        drop(key);
        Some(value)
    }

    /// The next live entry at or after `position`: position after it, key, value.
    pub fn next_item(&self, position: usize) -> Option<(usize, Value, Value)> {
        let state = self.state.borrow(&self.header);
        for (at, entry) in state.entries.iter().enumerate().skip(position) {
            if let Some(key) = &entry.key {
                return Some((at + 1, key.clone(), entry.value.clone()));
            }
        }
        None
    }

    /// A snapshot of the items in order.
    pub fn items(&self) -> Vec<(Value, Value)> {
        let state = self.state.borrow(&self.header);
        let live = state.entries.iter().filter_map(|e| e.key.as_ref().map(|key| (key.clone(), e.value.clone())));
        live.collect()
    }

    pub fn keys(&self) -> Vec<Value> {
        let state = self.state.borrow(&self.header);
        state.entries.iter().filter_map(|e| e.key.clone()).collect()
    }

    pub fn clear_items(&self) {
        let mut state = self.state.borrow(&self.header);
        let mutations = state.mutations.wrapping_add(1);
        let old = std::mem::replace(&mut *state, Table { mutations, ..Table::default() });
        drop(state);
        drop(old);
    }

    /// A shallow copy, an exact dict.
    pub fn copy(&self) -> Ref<Dict> {
        let copy = Dict::with_capacity(self.len());
        let mut target = copy.state.borrow(&copy.header);
        let source = self.state.borrow(&self.header);
        for entry in &source.entries {
            if let Some(key) = &entry.key {
                target.append(key.clone(), entry.hash, entry.value.clone());
            }
        }
        drop(target);
        drop(source);
        copy
    }
}
