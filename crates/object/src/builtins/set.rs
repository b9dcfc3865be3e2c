//! `set` and `frozenset`: representation and the operations on single keys. The table is in `set/table.rs`, operations on
//! whole sets in `set/operations.rs`, methods and the iterator beside them.

use crate::builtins::dict::unhashable;
use crate::builtins::int;
use crate::builtins::str::Str;
use crate::cell::{Borrow, ObjectCell};
use crate::header::Header;
use crate::heap::Kind;
use crate::object::{Payload, Ref, Result, Visitor};
use crate::types::{Type, TypeSpec, type_flags};
use crate::value::Value;
use crate::vm::Vm;
use std::sync::atomic::AtomicI64;
use table::{OutOfMemory, Probe, Table};

pub mod iterator;
mod methods;
mod operations;
mod table;

pub use operations::{difference_update, intersection, symmetric_difference_update, update};

/// A set.
#[repr(C)]
pub struct Set {
    pub header: Header,
    state: ObjectCell<Table>,
}

/// A frozenset: the layout of a set, and its hash.
#[repr(C)]
pub struct FrozenSet {
    pub header: Header,
    state: ObjectCell<Table>,
    /// −1: not computed.
    hash: AtomicI64,
}

macro_rules! set_payload {
    ($name:ident $spec:ident) => {
        // SAFETY: repr(C), header first, visits each key.
        unsafe impl Payload for $name {
            const KIND: Kind = Kind::Container;
            fn static_type() -> &'static Type {
                $spec.ty()
            }
            fn traverse(&self, visit: Visitor) {
                // SAFETY: the collector has stopped the world.
                unsafe { &*self.state.as_ptr() }.entries().for_each(|(_, key)| visit(key));
            }
            fn clear(&self) {
                self.as_set().clear();
            }
        }

        impl $name {
            #[inline(always)]
            pub fn as_set(&self) -> AnySet<'_> {
                AnySet { header: &self.header, state: &self.state }
            }
        }
    };
}
set_payload!(Set SET);
set_payload!(FrozenSet FROZENSET);

pub static SET: TypeSpec = TypeSpec::new::<Set>("set")
    .doc("set(iterable=(), /)\n--\n\nA mutable set: a collection without duplicates and without an order.")
    .flags(type_flags::BASETYPE | type_flags::MATCH_SELF | type_flags::HAS_WEAKREF)
    .slots(methods::set_slots)
    .methods(methods::SET_METHODS);

pub static FROZENSET: TypeSpec = TypeSpec::new::<FrozenSet>("frozenset")
    .doc("frozenset(iterable=(), /)\n--\n\nAn immutable, hashable set.")
    .flags(type_flags::BASETYPE | type_flags::MATCH_SELF | type_flags::HAS_WEAKREF)
    .slots(methods::frozenset_slots)
    .methods(methods::FROZENSET_METHODS);

impl Set {
    /// An empty set.
    pub fn new() -> Ref<Set> {
        Ref::new(Set { header: Header::new(SET.ty()), state: ObjectCell::new(Table::default()) })
    }

    fn new_with_type(ty: &Type) -> Ref<Set> {
        Ref::new_with_type(ty, Set { header: Header::new(ty), state: ObjectCell::new(Table::default()) })
    }
}

impl FrozenSet {
    fn new_with_type(ty: &Type) -> Ref<FrozenSet> {
        let (header, state) = (Header::new(ty), ObjectCell::new(Table::default()));
        let payload = FrozenSet { header, state, hash: AtomicI64::new(-1) };
        if ty.is(&FROZENSET) { Ref::new(payload) } else { Ref::new_with_type(ty, payload) }
    }
}

/// A borrowed set or frozenset.
#[derive(Clone, Copy)]
pub struct AnySet<'a> {
    header: &'a Header,
    state: &'a ObjectCell<Table>,
}

/// The hash of a key of a set.
#[inline]
fn hash_element(vm: &Vm, key: &Value) -> Result<i64> {
    if let Some(text) = key.downcast_exact::<Str>() {
        return Ok(text.hash());
    }
    if let Some(n) = key.as_small_int() {
        return Ok(int::hash_i64(n));
    }
    match vm.hash(key) {
        Ok(hash) => Ok(hash),
        Err(raised) => Err(unhashable(vm, raised, key, "set element")),
    }
}

/// The hash of a key that is searched for: a set is taken for the frozenset with its keys.
fn hash_wanted(vm: &Vm, key: &Value) -> Result<i64> {
    let raised = match vm.hash(key) {
        Ok(hash) => return Ok(hash),
        Err(raised) => raised,
    };
    match key.downcast::<Set>() {
        Some(set) if vm.pending_matches(&raised, crate::exceptions::type_error()) => {
            vm.discard(raised);
            Ok(set.as_set().table().frozen_hash())
        }
        _ => Err(unhashable(vm, raised, key, "set element")),
    }
}

impl<'a> AnySet<'a> {
    /// A set, frozenset, or an instance of a subclass.
    #[inline]
    pub fn of(value: &'a Value) -> Option<AnySet<'a>> {
        match AnySet::exact(value) {
            Some(set) => Some(set),
            None => AnySet::of_subclass(value),
        }
    }

    #[inline(never)]
    fn of_subclass(value: &'a Value) -> Option<AnySet<'a>> {
        match value.downcast::<Set>() {
            Some(set) => Some(set.as_set()),
            None => value.downcast::<FrozenSet>().map(FrozenSet::as_set),
        }
    }

    /// An exact set or frozenset.
    #[inline]
    pub fn exact(value: &'a Value) -> Option<AnySet<'a>> {
        match value.downcast_exact::<Set>() {
            Some(set) => Some(set.as_set()),
            None => value.downcast_exact::<FrozenSet>().map(FrozenSet::as_set),
        }
    }

    #[inline(always)]
    fn table(self) -> Borrow<'a, Table> {
        self.state.borrow(self.header)
    }

    fn is(self, other: AnySet) -> bool {
        std::ptr::eq(self.header, other.header)
    }

    /// Whether there is a key with this hash that `is` the one wanted, which runs no Python code.
    pub fn has(self, hash: i64, is: impl Fn(&Value) -> bool) -> bool {
        self.table().has(hash, is)
    }

    #[inline]
    pub fn len(self) -> usize {
        self.table().used()
    }

    pub fn clear(self) {
        let old = self.table().take();
        drop(old);
    }

    /// A snapshot of the keys.
    pub fn keys(self) -> Vec<Value> {
        self.table().entries().map(|(_, key)| key.clone()).collect()
    }

    /// Finds a key and does something with the table while the position holds: the slot of the key, or the free one where
    /// it would go.
    #[inline(always)]
    fn with_position<R>(
        self,
        vm: &Vm,
        key: &Value,
        hash: i64,
        act: impl FnOnce(Borrow<'a, Table>, std::result::Result<usize, usize>) -> R,
    ) -> Result<R> {
        let table = self.table();
        match table.lookup(key, hash) {
            Probe::Found(at) => return Ok(act(table, Ok(at))),
            Probe::Absent(at) => return Ok(act(table, Err(at))),
            Probe::Compare(..) => drop(table),
        }
        loop {
            let (found, mutations) = self.find_comparing(vm, key, hash)?;
            let table = self.table();
            if table.mutations == mutations {
                return Ok(act(table, found));
            }
        }
    }

    /// The position of a key as of a state of the table. Comparisons may run Python code.
    #[cold]
    #[inline(never)]
    fn find_comparing(self, vm: &Vm, key: &Value, hash: i64) -> Result<(std::result::Result<usize, usize>, u32)> {
        'restart: loop {
            let (mut probe, mutations) = {
                let table = self.table();
                (table.lookup(key, hash), table.mutations)
            };
            loop {
                let (at, next) = match probe {
                    Probe::Found(at) => return Ok((Ok(at), mutations)),
                    Probe::Absent(at) => return Ok((Err(at), mutations)),
                    Probe::Compare(at, next) => (at, next),
                };
                let candidate = {
                    let table = self.table();
                    if table.mutations != mutations {
                        continue 'restart;
                    }
                    table.slots()[at].key.clone()
                };
                let Some(candidate) = candidate else { continue 'restart };
                let equal = vm.equal_or_identical(&candidate, key)?;
                drop(candidate);
                let table = self.table();
                if table.mutations != mutations {
                    continue 'restart;
                }
                if equal {
                    return Ok((Ok(at), mutations));
                }
                probe = table.resume(key, hash, next);
            }
        }
    }

    #[inline]
    pub fn contains_hashed(self, vm: &Vm, key: &Value, hash: i64) -> Result<bool> {
        self.with_position(vm, key, hash, |_, found| found.is_ok())
    }

    #[inline]
    pub fn add_hashed(self, vm: &Vm, key: &Value, hash: i64) -> Result<()> {
        let added = self.with_position(vm, key, hash, |mut table, found| match found {
            Ok(_) => Ok(()),
            Err(at) => table.insert_at(at, hash, key.clone()),
        })?;
        added.map_err(|OutOfMemory| vm.memory_error())
    }

    /// Removes a key; whether it was there.
    pub fn discard_hashed(self, vm: &Vm, key: &Value, hash: i64) -> Result<bool> {
        let removed = self.with_position(vm, key, hash, |mut table, found| found.map(|at| table.remove_at(at)))?;
        Ok(removed.is_ok())
    }
}

/// `key in set`
#[inline]
pub fn contains(vm: &Vm, set: AnySet, key: &Value) -> Result<bool> {
    let hash = match key.downcast_exact::<Str>() {
        Some(text) => text.hash(),
        None => hash_wanted(vm, key)?,
    };
    set.contains_hashed(vm, key, hash)
}

/// `set.add(key)`
#[inline]
pub fn add(vm: &Vm, set: AnySet, key: &Value) -> Result<()> {
    let hash = hash_element(vm, key)?;
    set.add_hashed(vm, key, hash)
}

/// The next key at or after a slot: the slot after it, hash, key.
#[inline]
pub fn next_entry(set: AnySet, position: usize) -> Option<(usize, i64, Value)> {
    let table = set.table();
    for (at, slot) in table.slots().get(position..)?.iter().enumerate() {
        if let Some(key) = &slot.key {
            return Some((position + at + 1, slot.hash, key.clone()));
        }
    }
    None
}

/// A set of the given keys (`BUILD_SET`).
pub fn from_keys(vm: &Vm, keys: &[Value]) -> Result {
    let set = Set::new();
    for key in keys {
        add(vm, set.as_set(), key)?;
    }
    Ok(set.into_value())
}

/// A frozenset of the given keys.
pub fn frozen_from_keys(vm: &Vm, keys: &[Value]) -> Result {
    let set = FrozenSet::new_with_type(FROZENSET.ty());
    for key in keys {
        add(vm, set.as_set(), key)?;
    }
    Ok(set.into_value())
}
