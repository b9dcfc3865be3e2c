//! What picklers and unpicklers remember of the objects they have seen.

use crate::payload::Field;
use std::collections::{HashMap, TryReserveError};
use taipan_object::Value;
use taipan_object::object::Visitor;
use taipan_object::text::builder::GivenUp;

/// The pickler's memo: the number of each object written, by identity. It keeps the objects alive, so that no identity
/// is used anew.
pub struct PicklerMemo {
    /// Open addressing, a power of two long (or empty); the word 0 marks a free place.
    table: Vec<Entry>,
    objects: Vec<Value>,
}

#[derive(Clone, Copy)]
struct Entry {
    word: u64,
    number: u64,
}

const FREE: Entry = Entry { word: 0, number: 0 };

impl PicklerMemo {
    pub const fn new() -> PicklerMemo {
        PicklerMemo { table: Vec::new(), objects: Vec::new() }
    }

    pub fn len(&self) -> usize {
        self.objects.len()
    }

    /// Where the word is, or where it would be put.
    #[inline(always)]
    fn place(&self, word: u64) -> usize {
        let mask = self.table.len() - 1;
        // The high bits of the product depend on all bits of the address.
        let mut at = (word.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32) as usize & mask;
        while self.table[at].word != word && self.table[at].word != 0 {
            at = (at + 1) & mask;
        }
        at
    }

    /// The number of an object.
    #[inline]
    pub fn get(&self, object: &Value) -> Option<u64> {
        if self.table.is_empty() {
            return None;
        }
        let entry = self.table[self.place(object.word())];
        (entry.word != 0).then_some(entry.number)
    }

    /// Notes an object; a number it had before is replaced.
    #[inline]
    pub fn put(&mut self, object: &Value, number: u64) -> Result<(), TryReserveError> {
        if self.objects.len() * 2 >= self.table.len() {
            self.grow()?;
        }
        let at = self.place(object.word());
        if self.table[at].word == 0 {
            self.objects.push(object.clone());
        }
        self.table[at] = Entry { word: object.word(), number };
        Ok(())
    }

    #[cold]
    fn grow(&mut self) -> Result<(), TryReserveError> {
        let length = (self.table.len() * 4).max(16);
        self.objects.try_reserve(length / 2 + 1 - self.objects.len())?;
        let mut new = Vec::new();
        new.try_reserve_exact(length)?;
        new.resize(length, FREE);
        let old = std::mem::replace(&mut self.table, new);
        for entry in old.into_iter().filter(|entry| entry.word != 0) {
            let at = self.place(entry.word);
            self.table[at] = entry;
        }
        Ok(())
    }

    /// The objects with their numbers, in the order in which they came.
    pub fn entries(&self) -> Vec<(Value, u64)> {
        self.objects.iter().map(|object| (object.clone(), self.get(object).unwrap_or(0))).collect()
    }

    pub fn copy(&self) -> PicklerMemo {
        PicklerMemo { table: self.table.clone(), objects: self.objects.clone() }
    }
}

impl Field for PicklerMemo {
    fn visit(&self, visit: Visitor) {
        self.objects.iter().for_each(visit);
    }
    fn take(&mut self) -> Self {
        std::mem::replace(self, PicklerMemo::new())
    }
}

/// The unpickler's memo: the objects read, by number. Numbers far beyond those in use, which no pickler writes, cost no
/// more memory than others.
pub struct UnpicklerMemo {
    dense: Vec<Option<Value>>,
    sparse: HashMap<u64, Value>,
    used: usize,
}

impl UnpicklerMemo {
    pub fn new() -> UnpicklerMemo {
        UnpicklerMemo { dense: Vec::new(), sparse: HashMap::new(), used: 0 }
    }

    /// Makes room for the first objects; a later one has it made when it comes.
    pub fn make_room(&mut self, first: usize) {
        self.dense.reserve(first.saturating_sub(self.dense.len()));
    }

    /// How many numbers are in use.
    #[inline]
    pub fn len(&self) -> usize {
        self.used
    }

    #[inline]
    pub fn get(&self, number: u64) -> Option<Value> {
        match self.dense.get(number as usize) {
            Some(value) => value.clone(),
            None => self.sparse.get(&number).cloned(),
        }
    }

    /// Notes an object; the one that had the number before is returned, to be dropped outside.
    #[inline]
    pub fn put(&mut self, number: u64, object: Value) -> Option<Value> {
        let length = self.dense.len() as u64;
        if number == length && self.sparse.is_empty() {
            self.used += 1;
            self.dense.put(Some(object));
            return None;
        }
        self.put_anywhere(number, object)
    }

    fn put_anywhere(&mut self, number: u64, object: Value) -> Option<Value> {
        let length = self.dense.len() as u64;
        let old = if number < length {
            self.dense[number as usize].replace(object)
        } else if number < 2 * length + 1024 && self.sparse.is_empty() {
            self.dense.resize_with(number as usize + 1, || None);
            self.dense[number as usize].replace(object)
        } else {
            self.sparse.insert(number, object)
        };
        self.used += usize::from(old.is_none());
        old
    }

    /// The objects with their numbers, in the order of these.
    pub fn entries(&self) -> Vec<(u64, Value)> {
        let dense = self.dense.iter().enumerate();
        let mut entries: Vec<(u64, Value)> =
            dense.filter_map(|(number, object)| Some((number as u64, object.clone()?))).collect();
        let from = entries.len();
        entries.extend(self.sparse.iter().map(|(number, object)| (*number, object.clone())));
        entries[from..].sort_by_key(|(number, _)| *number);
        entries
    }

    pub fn copy(&self) -> UnpicklerMemo {
        UnpicklerMemo { dense: self.dense.clone(), sparse: self.sparse.clone(), used: self.used }
    }
}

impl Field for UnpicklerMemo {
    fn visit(&self, visit: Visitor) {
        self.dense.iter().flatten().chain(self.sparse.values()).for_each(visit);
    }
    fn take(&mut self) -> Self {
        std::mem::replace(self, UnpicklerMemo::new())
    }
}
