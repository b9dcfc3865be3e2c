//! The hash table of a set.
//!
//! Open addressing as in CPython: short linear stretches, then a jump that takes in more bits of the hash. Sizes and growth are
//! CPython's too, so that sets with equal hashes and history are iterated in the same order.
//!
//! Nothing here runs Python code: where only `__eq__` can tell two keys apart, the caller is asked to.

use crate::value::Value;
use crate::vm::quick_compare::quick_equal;

pub const MIN_SIZE: usize = 8;
/// How many further slots are looked at before a jump.
const LINEAR_PROBES: usize = 9;
/// The hash in the slot of a removed key; no key has it.
const REMOVED: i64 = -1;

/// The table. Its size is a power of two; a table without memory counts as one of [`MIN_SIZE`] free slots.
#[derive(Default)]
pub struct Table {
    slots: Box<[Slot]>,
    /// Slots that are not free: keys and removed ones.
    fill: usize,
    used: usize,
    /// Where `pop` goes on searching.
    finger: usize,
    /// Bumped by every change, for lookups in progress.
    pub mutations: u32,
}

/// Free slots have no key and hash 0.
#[derive(Default)]
pub struct Slot {
    pub hash: i64,
    pub key: Option<Value>,
}

#[derive(Debug)]
pub struct OutOfMemory;

/// A place in a probe sequence.
#[derive(Clone, Copy)]
pub struct Cursor {
    at: usize,
    /// The last slot of the linear stretch.
    end: usize,
    jump: usize,
    perturb: u64,
    /// The last removed slot passed, where the key would go; none: `usize::MAX`.
    reusable: usize,
}

/// What a lookup without Python code finds.
pub enum Probe {
    Found(usize),
    /// The free or removed slot where the key would go.
    Absent(usize),
    /// The slot has an equal hash and a key that only `__eq__` can compare; where to go on if it differs.
    Compare(usize, Cursor),
}

impl Cursor {
    #[inline(always)]
    fn new(hash: i64, mask: usize) -> Cursor {
        let slot = hash as usize & mask;
        Cursor { at: slot, end: Self::stretch(slot, mask), jump: slot, perturb: hash as u64, reusable: usize::MAX }
    }
    #[inline(always)]
    fn stretch(slot: usize, mask: usize) -> usize {
        if slot + LINEAR_PROBES <= mask { slot + LINEAR_PROBES } else { slot }
    }
    #[inline(always)]
    fn advance(&mut self, mask: usize) {
        if self.at < self.end {
            self.at += 1;
            return;
        }
        self.perturb >>= 5;
        self.jump = self.jump.wrapping_mul(5).wrapping_add(1).wrapping_add(self.perturb as usize) & mask;
        self.at = self.jump;
        self.end = Self::stretch(self.jump, mask);
    }
}

fn new_slots(size: usize) -> Result<Box<[Slot]>, OutOfMemory> {
    let mut slots = Vec::new();
    slots.try_reserve_exact(size).map_err(|_| OutOfMemory)?;
    slots.resize_with(size, Slot::default);
    Ok(slots.into_boxed_slice())
}

impl Table {
    /// Takes everything out.
    pub fn take(&mut self) -> Table {
        let (mutations, finger) = (self.mutations.wrapping_add(1), self.finger);
        std::mem::replace(self, Table { mutations, finger, ..Table::default() })
    }

    /// Takes over the keys of another table; the old ones.
    pub fn replace_keys(&mut self, other: Table) -> Table {
        let old = self.take();
        let (mutations, finger) = (self.mutations, self.finger);
        *self = Table { mutations, finger, ..other };
        old
    }

    #[inline(always)]
    pub fn used(&self) -> usize {
        self.used
    }

    #[inline(always)]
    fn mask(&self) -> usize {
        self.slots.len().max(MIN_SIZE) - 1
    }

    /// Bytes of a table that does not fit into CPython's set object.
    pub fn memory(&self) -> usize {
        self.slots.len() * size_of::<Slot>()
    }

    pub fn slots(&self) -> &[Slot] {
        &self.slots
    }

    /// The keys with their hashes, in the order of the slots.
    pub fn entries(&self) -> impl Iterator<Item = (i64, &Value)> {
        self.slots.iter().filter_map(|slot| slot.key.as_ref().map(|key| (slot.hash, key)))
    }

    /// Most lookups are over with the first slot.
    #[inline(always)]
    pub fn lookup(&self, key: &Value, hash: i64) -> Probe {
        if self.slots.is_empty() {
            return Probe::Absent(0);
        }
        let at = hash as usize & (self.slots.len() - 1);
        // SAFETY: the size is a power of two.
        let slot = unsafe { self.slots.get_unchecked(at) };
        match &slot.key {
            None if slot.hash == 0 => Probe::Absent(at),
            Some(candidate) if candidate.is(key) => Probe::Found(at),
            _ => self.resume(key, hash, Cursor::new(hash, self.mask())),
        }
    }

    /// Goes on with a lookup; the table is unchanged since.
    #[inline]
    pub fn resume(&self, key: &Value, hash: i64, mut cursor: Cursor) -> Probe {
        let mask = self.slots.len() - 1;
        loop {
            // SAFETY: cursors stay below the mask of the table they were made for, which has at least one free slot.
            let slot = unsafe { self.slots.get_unchecked(cursor.at) };
            match &slot.key {
                None if slot.hash == 0 => {
                    return Probe::Absent(if cursor.reusable == usize::MAX { cursor.at } else { cursor.reusable });
                }
                None => cursor.reusable = cursor.at,
                Some(candidate) if slot.hash == hash => match quick_equal(candidate, key) {
                    Some(true) => return Probe::Found(cursor.at),
                    Some(false) => {}
                    None => {
                        let mut next = cursor;
                        next.advance(mask);
                        return Probe::Compare(cursor.at, next);
                    }
                },
                _ => {}
            }
            cursor.advance(mask);
        }
    }

    /// Whether there is a key with this hash that `is` the one wanted, which runs no Python code.
    pub fn has(&self, hash: i64, is: impl Fn(&Value) -> bool) -> bool {
        if self.slots.is_empty() {
            return false;
        }
        let (mask, mut cursor) = (self.mask(), Cursor::new(hash, self.mask()));
        loop {
            let slot = &self.slots[cursor.at];
            match &slot.key {
                None if slot.hash == 0 => return false,
                Some(candidate) if slot.hash == hash && is(candidate) => return true,
                _ => cursor.advance(mask),
            }
        }
    }

    /// Whether a key is there; `None` if only `__eq__` can tell.
    #[inline]
    pub fn quick_contains(&self, key: &Value, hash: i64) -> Option<bool> {
        match self.lookup(key, hash) {
            Probe::Found(_) => Some(true),
            Probe::Absent(_) => Some(false),
            Probe::Compare(..) => None,
        }
    }

    /// Adds a key unless it is there; `None`, with nothing done, if only `__eq__` can tell.
    #[inline]
    pub fn quick_add(&mut self, key: &Value, hash: i64) -> Option<Result<(), OutOfMemory>> {
        match self.lookup(key, hash) {
            Probe::Found(_) => Some(Ok(())),
            Probe::Absent(at) => Some(self.insert_at(at, hash, key.clone())),
            Probe::Compare(..) => None,
        }
    }

    /// Puts a key into the slot that a lookup found for it.
    #[inline]
    pub fn insert_at(&mut self, at: usize, hash: i64, key: Value) -> Result<(), OutOfMemory> {
        let at = if self.slots.is_empty() {
            self.slots = new_slots(MIN_SIZE)?;
            hash as usize & (MIN_SIZE - 1)
        } else {
            at
        };
        let slot = &mut self.slots[at];
        let reused = slot.hash == REMOVED;
        // SAFETY: what is written over owns nothing: the slot of an absent key is free or that of a removed one.
        unsafe { std::ptr::write(slot, Slot { hash, key: Some(key) }) };
        self.used += 1;
        self.mutations = self.mutations.wrapping_add(1);
        if reused {
            return Ok(());
        }
        self.fill += 1;
        if self.fill * 5 < self.mask() * 3 { Ok(()) } else { self.grow() }
    }

    #[cold]
    #[inline(never)]
    fn grow(&mut self) -> Result<(), OutOfMemory> {
        self.resize(if self.used > 50000 { self.used * 2 } else { self.used * 4 })
    }

    /// Gives the table more than `minimum` slots and forgets removed ones.
    fn resize(&mut self, minimum: usize) -> Result<(), OutOfMemory> {
        let mut size = MIN_SIZE;
        while size <= minimum {
            size *= 2;
        }
        let old = std::mem::replace(&mut self.slots, new_slots(size)?);
        for slot in old {
            if let Some(key) = slot.key {
                self.insert_clean(slot.hash, key);
            }
        }
        self.fill = self.used;
        self.mutations = self.mutations.wrapping_add(1);
        Ok(())
    }

    /// Puts in a key known to be absent, without counting it.
    fn insert_clean(&mut self, hash: i64, key: Value) {
        let mask = self.slots.len() - 1;
        let mut cursor = Cursor::new(hash, mask);
        loop {
            // SAFETY: cursors stay below the mask of the table they were made for.
            let slot = unsafe { self.slots.get_unchecked_mut(cursor.at) };
            if slot.key.is_none() {
                // SAFETY: what is written over owns nothing.
                unsafe { std::ptr::write(slot, Slot { hash, key: Some(key) }) };
                return;
            }
            cursor.advance(mask);
        }
    }

    /// Makes room for `more` keys, when that takes a larger table.
    pub fn reserve(&mut self, more: usize) -> Result<(), OutOfMemory> {
        if (self.fill + more) * 5 >= self.mask() * 3 { self.resize((self.used + more) * 2) } else { Ok(()) }
    }

    /// Takes over the keys of `other`, if this table is empty; else false.
    pub fn copy_from(&mut self, other: &Table) -> Result<bool, OutOfMemory> {
        if self.fill != 0 {
            return Ok(false);
        }
        if other.used == 0 {
            return Ok(true);
        }
        if self.slots.is_empty() {
            self.slots = new_slots(MIN_SIZE)?;
        }
        if self.mask() == other.mask() && other.fill == other.used {
            for (slot, from) in self.slots.iter_mut().zip(&other.slots) {
                if let Some(key) = &from.key {
                    *slot = Slot { hash: from.hash, key: Some(key.clone()) };
                }
            }
        } else {
            for (hash, key) in other.entries() {
                self.insert_clean(hash, key.clone());
            }
        }
        self.fill = other.used;
        self.used = other.used;
        self.mutations = self.mutations.wrapping_add(1);
        Ok(true)
    }

    /// Removes the key in a slot.
    pub fn remove_at(&mut self, at: usize) -> Option<Value> {
        let slot = &mut self.slots[at];
        slot.hash = REMOVED;
        self.used -= 1;
        self.mutations = self.mutations.wrapping_add(1);
        slot.key.take()
    }

    /// Removes some key.
    pub fn pop(&mut self) -> Option<Value> {
        if self.used == 0 {
            return None;
        }
        let mask = self.mask();
        let mut at = self.finger & mask;
        while self.slots[at].key.is_none() {
            at = (at + 1) & mask;
        }
        self.finger = at + 1;
        self.remove_at(at)
    }

    /// Squeezes out removed slots when they are many.
    pub fn tidy(&mut self) -> Result<(), OutOfMemory> {
        if self.fill - self.used <= self.mask() / 4 { Ok(()) } else { self.grow() }
    }

    /// The hash of a frozenset with these keys.
    pub fn frozen_hash(&self) -> i64 {
        fn shuffle(hash: u64) -> u64 {
            ((hash ^ 89869747) ^ (hash << 16)).wrapping_mul(3644798167)
        }
        let mut hash = self.entries().fold(0, |all, (hash, _)| all ^ shuffle(hash as u64));
        hash ^= (self.used as u64 + 1).wrapping_mul(1927868237);
        hash ^= (hash >> 11) ^ (hash >> 25);
        hash = hash.wrapping_mul(69069).wrapping_add(907133923);
        if hash == u64::MAX { 590923713 } else { hash as i64 }
    }
}
