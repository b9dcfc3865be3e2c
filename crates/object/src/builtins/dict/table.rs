//! The hash table of a dict.
//!
//! Compact and ordered as CPython's: entries in insertion order, and a power-of-two array of indices into them, of 1, 2, 4
//! or 8 bytes each, probed as CPython does. Growth follows CPython too, since it decides when deleted entries are squeezed
//! out, which iterators can notice. The smallest tables (8 slots, 5 entries) have no indices: their entries are looked
//! through in order.
//!
//! Nothing here runs Python code: where only `__eq__` can tell two keys apart, the caller is asked to.

use crate::builtins::str::Str;
use crate::heap;
use crate::value::Value;
use crate::vm::quick_compare::quick_equal;
use std::alloc::Layout;
use std::ptr::NonNull;
use std::sync::atomic::{
    AtomicU32, AtomicU64,
    Ordering::{Relaxed, Release},
};

/// The table; for the eval loop's caches `entries` is public. The base-2 logarithm of its slots is at most [`MAX_LOG2`].
pub struct Table {
    /// [`indices_bytes`] bytes; dangling while there are at most [`LINEAR_LOG2`] slots.
    indices: NonNull<u8>,
    pub entries: Vec<Entry>,
    /// Live entries.
    used: u32,
    /// How many entries can be appended before the table is rebuilt.
    usable: u32,
    /// Identifies "these names at these places in memory" for caches; 0: no cache depends on it. Dropped when a key is added,
    /// removed or moved, and when the entries move; not when a value is replaced. Other threads look at it without the lock.
    keys_version: AtomicU32,
    /// Bumped by every change of the key set, for lookups in progress.
    pub mutations: u32,
    /// No entry before this one is live.
    first: u32,
    /// log2 of the number of slots; 0 when there is no table yet.
    log2_size: u8,
}

impl Default for Table {
    fn default() -> Table {
        Table {
            indices: NonNull::dangling(),
            entries: Vec::new(),
            used: 0,
            usable: 0,
            keys_version: AtomicU32::new(0),
            mutations: 0,
            first: 0,
            log2_size: 0,
        }
    }
}

impl Drop for Table {
    #[inline]
    fn drop(&mut self) {
        if !self.is_linear() {
            // SAFETY: this many bytes were allocated when the table got this size.
            unsafe { std::alloc::dealloc(self.indices.as_ptr(), layout_of_indices(indices_bytes(self.log2_size))) };
        }
    }
}

pub struct Entry {
    pub hash: i64,
    /// `None`: deleted.
    pub key: Option<Value>,
    /// `UNBOUND` in a deleted entry.
    pub value: Value,
}

impl Entry {
    /// Replaces the value. Other threads may be reading it without the lock, as long as it is of no object that is counted.
    #[inline(always)]
    pub fn replace_value(&mut self, value: Value) -> Value {
        let place = &raw mut self.value;
        // SAFETY: a value is a word; the old one moves to the caller.
        unsafe {
            let old = place.read();
            (*place.cast::<AtomicU64>()).store(value.into_word(), Release);
            old
        }
    }
}

/// There was no memory for a larger table.
#[derive(Debug)]
pub struct OutOfMemory;

/// What a lookup without Python code finds.
pub enum Probe {
    Found(usize),
    Absent,
    /// The entry at this index has an equal hash and a key that only `__eq__` can compare; where to go on if it differs.
    Compare(usize, Cursor),
}

/// A place in a probe sequence.
#[derive(Clone, Copy)]
pub struct Cursor {
    slot: usize,
    perturb: u64,
}

const EMPTY: i64 = -1;
const DELETED: i64 = -2;
/// The smallest table has 8 slots.
const MIN_LOG2: u8 = 3;
/// The largest whose entries are counted in 32 bits.
const MAX_LOG2: u8 = 32;
/// Up to this size entries are looked through in order.
const LINEAR_LOG2: u8 = 3;

/// Indices of so many bytes are long.
const LONG_INDICES: usize = 1 << 20;

static NEXT_KEYS_VERSION: AtomicU32 = AtomicU32::new(1);

/// An integer type in which indices are stored.
trait Index: Copy {
    fn get(self) -> i64;
    fn from(index: i64) -> Self;
}
macro_rules! index_types {
    ($($ty:ty)*) => { $(
        impl Index for $ty {
            #[inline(always)]
            fn get(self) -> i64 { self as i64 }
            #[inline(always)]
            fn from(index: i64) -> $ty { index as $ty }
        }
    )* };
}
index_types! { i8 i16 i32 i64 }

/// Calls a generic method with the index type of a table.
macro_rules! with_width {
    ($log2:expr, $self:ident . $method:ident ( $($argument:expr),* )) => {
        match $log2 {
            0..=7 => $self.$method::<i8>($($argument),*),
            8..=15 => $self.$method::<i16>($($argument),*),
            16..=31 => $self.$method::<i32>($($argument),*),
            _ => $self.$method::<i64>($($argument),*),
        }
    };
}

/// log2 of the smallest table with at least `slots` slots.
fn log2_for_slots(slots: usize) -> u8 {
    let slots = slots.max(1 << MIN_LOG2);
    (usize::BITS - (slots - 1).leading_zeros()) as u8
}

/// log2 of the smallest table that holds `count` entries.
fn log2_for_entries(count: usize) -> Result<u8, OutOfMemory> {
    Ok(log2_for_slots(count.checked_mul(3).ok_or(OutOfMemory)?.div_ceil(2)))
}

/// How many entries a table of that size may have.
fn usable_of(log2_size: u8) -> usize {
    (2usize << log2_size) / 3
}

fn index_width(log2_size: u8) -> usize {
    match log2_size {
        0..=LINEAR_LOG2 => 0,
        ..=7 => 1,
        8..=15 => 2,
        16..=31 => 4,
        _ => 8,
    }
}

/// How many bytes the indices of a table of that size take.
fn indices_bytes(log2_size: u8) -> usize {
    index_width(log2_size) << log2_size
}

fn layout_of_indices(bytes: usize) -> Layout {
    Layout::from_size_align(bytes, align_of::<i64>()).expect("what was allocated has a layout")
}

impl Table {
    /// Takes everything out.
    pub fn take(&mut self) -> Table {
        let mut empty = Table::default();
        empty.mutations = self.mutations.wrapping_add(1);
        std::mem::replace(self, empty)
    }

    #[inline(always)]
    pub fn used(&self) -> usize {
        self.used as usize
    }

    /// Whether some entries are deleted ones.
    pub fn has_gaps(&self) -> bool {
        self.used() != self.entries.len()
    }

    /// Bytes that the table takes besides the object.
    pub fn memory(&self) -> usize {
        if self.log2_size == 0 {
            return 0;
        }
        indices_bytes(self.log2_size) + self.entries.capacity() * size_of::<Entry>()
    }

    #[inline(always)]
    fn is_linear(&self) -> bool {
        self.log2_size <= LINEAR_LOG2
    }

    #[inline(always)]
    fn mask(&self) -> usize {
        (1 << self.log2_size) - 1
    }

    /// The index stored in a slot.
    #[inline(always)]
    fn index<I: Index>(&self, slot: usize) -> i64 {
        debug_assert!((slot + 1) * size_of::<I>() <= indices_bytes(self.log2_size));
        // SAFETY: `slot` is masked, and `rebuild` made room for that many indices of this width.
        unsafe { self.indices.as_ptr().cast::<I>().add(slot).read() }.get()
    }

    #[inline(always)]
    fn set_index<I: Index>(&mut self, slot: usize, index: i64) {
        debug_assert!((slot + 1) * size_of::<I>() <= indices_bytes(self.log2_size));
        // SAFETY: as in `index`.
        unsafe { self.indices.as_ptr().cast::<I>().add(slot).write(I::from(index)) };
    }

    /// The entry an index refers to.
    #[inline(always)]
    fn entry(&self, index: usize) -> &Entry {
        debug_assert!(index < self.entries.len());
        // SAFETY: indices stored in the table are below the number of entries; `pop_last`, which alone shortens
        // `entries`, marks the slot deleted first.
        unsafe { self.entries.get_unchecked(index) }
    }

    #[inline(always)]
    fn start(&self, hash: i64) -> Cursor {
        Cursor { slot: hash as usize & self.mask(), perturb: hash as u64 }
    }

    #[inline(always)]
    fn advance(&self, cursor: &mut Cursor) {
        cursor.perturb >>= 5;
        let next = cursor.slot.wrapping_mul(5).wrapping_add(cursor.perturb as usize).wrapping_add(1);
        cursor.slot = next & self.mask();
    }

    /// Looks a key up.
    #[inline]
    pub fn lookup(&self, key: &Value, hash: i64) -> Probe {
        if self.used == 0 {
            return Probe::Absent;
        }
        if self.is_linear() {
            return self.lookup_linear(key, hash, 0);
        }
        with_width!(self.log2_size, self.lookup_from(key, hash, self.start(hash)))
    }

    /// Goes on with a lookup; the table is unchanged since.
    pub fn resume(&self, key: &Value, hash: i64, cursor: Cursor) -> Probe {
        if self.is_linear() {
            return self.lookup_linear(key, hash, cursor.slot);
        }
        with_width!(self.log2_size, self.lookup_from(key, hash, cursor))
    }

    #[inline(always)]
    fn lookup_linear(&self, key: &Value, hash: i64, from: usize) -> Probe {
        for (at, entry) in self.entries.iter().enumerate().skip(from) {
            let Some(candidate) = &entry.key else { continue };
            if candidate.word() == key.word() {
                return Probe::Found(at);
            }
            if entry.hash == hash {
                match quick_equal(candidate, key) {
                    Some(true) => return Probe::Found(at),
                    Some(false) => {}
                    None => return Probe::Compare(at, Cursor { slot: at + 1, perturb: 0 }),
                }
            }
        }
        Probe::Absent
    }

    #[inline(always)]
    fn lookup_from<I: Index>(&self, key: &Value, hash: i64, mut cursor: Cursor) -> Probe {
        loop {
            let index = self.index::<I>(cursor.slot);
            if index >= 0 {
                let entry = self.entry(index as usize);
                if let Some(candidate) = &entry.key {
                    if candidate.word() == key.word() {
                        return Probe::Found(index as usize);
                    }
                    if entry.hash == hash {
                        match quick_equal(candidate, key) {
                            Some(true) => return Probe::Found(index as usize),
                            Some(false) => {}
                            None => {
                                let mut next = cursor;
                                self.advance(&mut next);
                                return Probe::Compare(index as usize, next);
                            }
                        }
                    }
                }
            } else if index == EMPTY {
                return Probe::Absent;
            }
            self.advance(&mut cursor);
        }
    }

    /// The position of a str key, comparing text only.
    #[inline]
    pub fn find_str(&self, key: &Value) -> Option<usize> {
        let text = key.downcast::<Str>()?;
        self.find_str_hashed(key, text, text.hash())
    }

    /// As [`Table::find_str`]; `text` is the str that `key` is.
    #[inline]
    pub fn find_str_hashed(&self, key: &Value, text: &Str, hash: i64) -> Option<usize> {
        if self.used == 0 {
            return None;
        }
        if self.is_linear() {
            return self.entries.iter().position(|entry| is_str_key(entry, key, text, hash));
        }
        with_width!(self.log2_size, self.find_str_from(key, text, hash))
    }

    #[inline(always)]
    fn find_str_from<I: Index>(&self, key: &Value, text: &Str, hash: i64) -> Option<usize> {
        let mut cursor = self.start(hash);
        loop {
            let index = self.index::<I>(cursor.slot);
            if index >= 0 {
                if is_str_key(self.entry(index as usize), key, text, hash) {
                    return Some(index as usize);
                }
            } else if index == EMPTY {
                return None;
            }
            self.advance(&mut cursor);
        }
    }

    /// The slot with a given index, in the probe sequence of `hash`; any negative one for [`EMPTY`].
    #[inline(always)]
    fn find_slot<I: Index>(&self, hash: i64, wanted: i64) -> usize {
        let mut cursor = self.start(hash);
        loop {
            let index = self.index::<I>(cursor.slot);
            if index == wanted || wanted == EMPTY && index < 0 {
                return cursor.slot;
            }
            self.advance(&mut cursor);
        }
    }

    #[inline(always)]
    fn link<I: Index>(&mut self, hash: i64, index: usize) {
        let slot = self.find_slot::<I>(hash, EMPTY);
        self.set_index::<I>(slot, index as i64);
    }

    #[inline(always)]
    fn unlink<I: Index>(&mut self, hash: i64, index: usize) {
        let slot = self.find_slot::<I>(hash, index as i64);
        self.set_index::<I>(slot, DELETED);
    }

    fn link_all<I: Index>(&mut self) {
        for at in 0..self.entries.len() {
            let entry = self.entry(at);
            if entry.key.is_some() {
                let hash = entry.hash;
                self.link::<I>(hash, at);
            }
        }
    }

    #[inline(always)]
    fn changed_keys(&mut self) {
        self.keys_version.store(0, Relaxed);
        self.mutations = self.mutations.wrapping_add(1);
    }

    /// The version for caches, assigned when asked for; 0 when the counter is exhausted.
    pub fn keys_version(&mut self) -> u32 {
        if self.current_keys_version() == 0 && NEXT_KEYS_VERSION.load(Relaxed) != u32::MAX {
            self.keys_version.store(NEXT_KEYS_VERSION.fetch_add(1, Relaxed), Relaxed);
        }
        self.current_keys_version()
    }

    /// The version if one was assigned, else 0.
    #[inline(always)]
    pub fn current_keys_version(&self) -> u32 {
        self.keys_version.load(Relaxed)
    }

    /// Gives a table that has none the fewest slots.
    #[inline(always)]
    fn begin(&mut self) -> Result<(), OutOfMemory> {
        debug_assert!(self.log2_size == 0 && self.entries.capacity() == 0);
        const CAPACITY: usize = (2 << MIN_LOG2) / 3;
        const LAYOUT: Layout = match Layout::array::<Entry>(CAPACITY) {
            Ok(layout) => layout,
            Err(_) => panic!("a few entries have a layout"),
        };
        // SAFETY: the layout has a size, and is that of a vector of this capacity.
        unsafe {
            let room = heap::fallible(|| std::alloc::alloc(LAYOUT));
            if room.is_null() {
                return Err(OutOfMemory);
            }
            (&raw mut self.entries).write(Vec::from_raw_parts(room.cast(), 0, CAPACITY));
        }
        self.log2_size = MIN_LOG2;
        self.usable = CAPACITY as u32;
        Ok(())
    }

    /// Gives the table `1 << log2_size` slots and squeezes out deleted entries.
    #[cold]
    #[inline(never)]
    fn rebuild(&mut self, log2_size: u8) -> Result<(), OutOfMemory> {
        if log2_size > MAX_LOG2 {
            return Err(OutOfMemory);
        }
        let capacity = usable_of(log2_size);
        let room = capacity.saturating_sub(self.entries.len());
        heap::fallible(|| self.entries.try_reserve_exact(room)).map_err(|_| OutOfMemory)?;
        if let Err(error) = self.renew_indices(indices_bytes(log2_size)) {
            if self.log2_size == 0 {
                self.entries = Vec::new();
            }
            return Err(error);
        }
        self.keys_version.store(0, Relaxed);
        if self.has_gaps() {
            self.entries.retain(|entry| entry.key.is_some());
            self.changed_keys();
        }
        self.first = 0;
        self.log2_size = log2_size;
        self.usable = (capacity - self.entries.len()) as u32;
        if !self.is_linear() {
            with_width!(log2_size, self.link_all());
        }
        Ok(())
    }

    /// Gives the table so many bytes of indices, all of them [`EMPTY`], for the size that it gets next.
    fn renew_indices(&mut self, bytes: usize) -> Result<(), OutOfMemory> {
        let present = indices_bytes(self.log2_size);
        let place = if bytes == 0 {
            NonNull::dangling()
        } else {
            // Long ones grow, though all of them change, since what grows gives its memory back at once (`heap/buffers.rs`).
            let grows = present >= LONG_INDICES && bytes > present;
            // SAFETY: neither size is 0. The present indices were allocated with this layout, and are replaced below when
            // they have moved.
            let place = heap::fallible(|| unsafe {
                match grows {
                    true => std::alloc::realloc(self.indices.as_ptr(), layout_of_indices(present), bytes),
                    false => std::alloc::alloc(layout_of_indices(bytes)),
                }
            });
            let place = NonNull::new(place).ok_or(OutOfMemory)?;
            // SAFETY: so many bytes were allocated.
            unsafe { place.write_bytes(0xFF, bytes) };
            if grows {
                self.indices = place;
                return Ok(());
            }
            place
        };
        if present > 0 {
            // SAFETY: as above; they are not used any more.
            unsafe { std::alloc::dealloc(self.indices.as_ptr(), layout_of_indices(present)) };
        }
        self.indices = place;
        Ok(())
    }

    /// Makes room for `more` entries at once when a table of the present size could not hold them by themselves.
    pub fn reserve(&mut self, more: usize) -> Result<(), OutOfMemory> {
        if self.capacity() >= more {
            return Ok(());
        }
        if self.log2_size == 0 && more <= usable_of(MIN_LOG2) {
            return self.begin();
        }
        self.rebuild(log2_for_entries(self.used() + more)?)
    }

    /// How many entries a table of this size may have.
    fn capacity(&self) -> usize {
        if self.log2_size == 0 { 0 } else { usable_of(self.log2_size) }
    }

    /// Appends an entry known to be absent.
    #[inline]
    pub fn append(&mut self, key: Value, hash: i64, value: Value) -> Result<(), OutOfMemory> {
        if self.usable == 0 {
            if self.log2_size == 0 {
                self.begin()?;
            } else {
                self.rebuild(log2_for_slots(self.used() * 3))?;
            }
        }
        let at = self.entries.len();
        if !self.is_linear() {
            with_width!(self.log2_size, self.link(hash, at));
        }
        self.entries.push(Entry { hash, key: Some(key), value });
        self.used += 1;
        self.usable -= 1;
        self.changed_keys();
        Ok(())
    }

    /// Removes the entry at a position; key and value.
    pub fn remove_at(&mut self, at: usize) -> (Value, Value) {
        let hash = self.entries[at].hash;
        if !self.is_linear() {
            with_width!(self.log2_size, self.unlink(hash, at));
        }
        let entry = &mut self.entries[at];
        let key = entry.key.take().expect("a live entry has a key");
        let value = std::mem::replace(&mut entry.value, Value::UNBOUND);
        self.used -= 1;
        self.changed_keys();
        (key, value)
    }

    /// Removes the last live entry. Its room is not to be had again before the table is rebuilt.
    pub fn pop_last(&mut self) -> Option<(Value, Value)> {
        let at = self.entries.iter().rposition(|entry| entry.key.is_some())?;
        let item = self.remove_at(at);
        self.entries.truncate(at);
        Some(item)
    }

    /// The first live entry. Takes constant time on average, however many are taken from the front one by one.
    pub fn first_live(&mut self) -> Option<usize> {
        while self.entries.get(self.first as usize).is_some_and(|entry| entry.key.is_none()) {
            self.first += 1;
        }
        let first = self.first as usize;
        (first < self.entries.len()).then_some(first)
    }

    /// Makes a live entry the last one (`OrderedDict.move_to_end`).
    pub fn move_to_end(&mut self, at: usize) -> Result<(), OutOfMemory> {
        let hash = self.entries[at].hash;
        let (key, value) = self.remove_at(at);
        self.append(key, hash, value)
    }

    /// Makes a live entry the first one. Gaps are kept at the front, so that it takes constant time on average.
    pub fn move_to_front(&mut self, at: usize) -> Result<(), OutOfMemory> {
        if self.first_live() == Some(at) {
            return Ok(());
        }
        if self.is_linear() {
            self.entries[..=at].rotate_right(1);
            self.first = 0;
            self.changed_keys();
            return Ok(());
        }
        let mut at = at;
        if self.first == 0 {
            at -= self.entries[..at].iter().filter(|entry| entry.key.is_none()).count();
            let gaps = self.used() / 2 + 8;
            self.rebuild(log2_for_entries(self.used() + 2 * gaps)?)?;
            let gap = || Entry { hash: 0, key: None, value: Value::UNBOUND };
            self.entries.splice(0..0, std::iter::repeat_with(gap).take(gaps));
            self.usable -= gaps as u32;
            self.first = gaps as u32;
            at += gaps;
            // SAFETY: the indices of this size.
            unsafe { self.indices.write_bytes(0xFF, indices_bytes(self.log2_size)) };
            with_width!(self.log2_size, self.link_all());
        }
        let hash = self.entries[at].hash;
        let (key, value) = self.remove_at(at);
        self.first -= 1;
        let first = self.first as usize;
        with_width!(self.log2_size, self.link(hash, first));
        self.entries[first] = Entry { hash, key: Some(key), value };
        self.used += 1;
        Ok(())
    }

    /// A copy for `dict.copy()`: as it is, unless a third or more of it is gaps.
    pub fn copy(&self) -> Result<Table, OutOfMemory> {
        if self.used == 0 {
            return Ok(Table::default());
        }
        if self.used() >= self.entries.len() * 2 / 3 {
            return self.duplicate();
        }
        self.copy_for_merge()
    }

    /// A copy for a dict that was empty and takes over this one's items.
    pub fn copy_for_merge(&self) -> Result<Table, OutOfMemory> {
        let just_fits = self.log2_size == MIN_LOG2 || self.log2_size > 0 && usable_of(self.log2_size - 1) < self.used();
        if !self.has_gaps() && just_fits {
            return self.duplicate();
        }
        let mut copy = Table::default();
        copy.reserve(self.used())?;
        for entry in &self.entries {
            if let Some(key) = &entry.key {
                copy.append(key.clone(), entry.hash, entry.value.clone())?;
            }
        }
        Ok(copy)
    }

    fn duplicate(&self) -> Result<Table, OutOfMemory> {
        let mut copy = Table::default();
        let room = self.entries.len() + self.usable as usize;
        heap::fallible(|| copy.entries.try_reserve_exact(room)).map_err(|_| OutOfMemory)?;
        let bytes = indices_bytes(self.log2_size);
        copy.renew_indices(bytes)?;
        // SAFETY: both have so many bytes.
        unsafe { copy.indices.copy_from_nonoverlapping(self.indices, bytes) };
        copy.entries.extend(self.entries.iter().map(|entry| Entry {
            hash: entry.hash,
            key: entry.key.clone(),
            value: entry.value.clone(),
        }));
        copy.used = self.used;
        copy.usable = self.usable;
        copy.first = self.first;
        copy.log2_size = self.log2_size;
        Ok(copy)
    }
}

#[inline(always)]
fn is_str_key(entry: &Entry, key: &Value, text: &Str, hash: i64) -> bool {
    let Some(candidate) = &entry.key else { return false };
    candidate.word() == key.word()
        || entry.hash == hash && candidate.downcast::<Str>().is_some_and(|candidate| candidate.equals(text))
}
