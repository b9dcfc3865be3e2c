//! Maps and sets of names that keep the order of insertion, small ones without hashing.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

/// A multiplicative hasher for short keys from the program's own source.
#[derive(Clone, Copy, Debug, Default)]
pub struct FastHasher(u64);

impl FastHasher {
    fn add(&mut self, word: u64) {
        self.0 = (self.0.rotate_left(5) ^ word).wrapping_mul(0x517c_c1b7_2722_0a95);
    }
}

impl Hasher for FastHasher {
    fn write(&mut self, bytes: &[u8]) {
        let mut chunks = bytes.chunks_exact(8);
        for chunk in &mut chunks {
            self.add(u64::from_le_bytes(chunk.try_into().expect("a chunk has eight bytes")));
        }
        let mut last = 0;
        for &byte in chunks.remainder() {
            last = last << 8 | u64::from(byte);
        }
        self.add(last);
    }

    fn write_u8(&mut self, value: u8) {
        self.add(value.into());
    }

    fn write_u32(&mut self, value: u32) {
        self.add(value.into());
    }

    fn write_u64(&mut self, value: u64) {
        self.add(value);
    }

    fn write_usize(&mut self, value: usize) {
        self.add(value as u64);
    }

    fn finish(&self) -> u64 {
        self.0 ^ self.0 >> 32
    }
}

/// Above this many names a map keeps an index.
const LINEAR: usize = 8;

#[derive(Clone, Debug)]
pub struct NameMap<'a, V> {
    entries: Vec<(&'a str, V)>,
    index: HashMap<&'a str, u32, BuildHasherDefault<FastHasher>>,
}

impl<V> Default for NameMap<'_, V> {
    fn default() -> Self {
        NameMap { entries: Vec::new(), index: HashMap::default() }
    }
}

impl<'a, V> NameMap<'a, V> {
    pub fn new() -> Self {
        NameMap::default()
    }

    pub fn len(&self) -> usize {
        self.entries.len()
    }

    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    pub fn position(&self, name: &str) -> Option<usize> {
        if self.entries.len() <= LINEAR {
            self.entries.iter().position(|(key, _)| *key == name)
        } else {
            self.index.get(name).map(|&at| at as usize)
        }
    }

    pub fn contains(&self, name: &str) -> bool {
        self.position(name).is_some()
    }

    pub fn get(&self, name: &str) -> Option<&V> {
        self.position(name).map(|at| &self.entries[at].1)
    }

    pub fn get_mut(&mut self, name: &str) -> Option<&mut V> {
        self.position(name).map(|at| &mut self.entries[at].1)
    }

    /// Sets a name's value; returns its position.
    pub fn insert(&mut self, name: &'a str, value: V) -> usize {
        if let Some(at) = self.position(name) {
            self.entries[at].1 = value;
            return at;
        }
        let at = self.entries.len();
        self.entries.push((name, value));
        if at == LINEAR {
            self.index = self.entries.iter().enumerate().map(|(at, (key, _))| (*key, at as u32)).collect();
        } else if at > LINEAR {
            self.index.insert(name, at as u32);
        }
        at
    }

    pub fn remove(&mut self, name: &str) -> Option<V> {
        let at = self.position(name)?;
        let (_, value) = self.entries.remove(at);
        self.index.clear();
        if self.entries.len() > LINEAR {
            self.index = self.entries.iter().enumerate().map(|(at, (key, _))| (*key, at as u32)).collect();
        }
        Some(value)
    }

    pub fn iter(&self) -> impl DoubleEndedIterator<Item = (&'a str, &V)> + ExactSizeIterator {
        self.entries.iter().map(|(name, value)| (*name, value))
    }

    pub fn iter_mut(&mut self) -> impl Iterator<Item = (&'a str, &mut V)> {
        self.entries.iter_mut().map(|(name, value)| (*name, value))
    }

    pub fn keys(&self) -> impl DoubleEndedIterator<Item = &'a str> + ExactSizeIterator {
        self.entries.iter().map(|(name, _)| *name)
    }

    /// The name and value at a position.
    pub fn at(&self, position: usize) -> Option<(&'a str, &V)> {
        self.entries.get(position).map(|(name, value)| (*name, value))
    }
}

/// A set of names.
#[derive(Clone, Debug, Default)]
pub struct NameSet<'a>(NameMap<'a, ()>);

impl<'a> NameSet<'a> {
    pub fn new() -> Self {
        NameSet::default()
    }

    pub fn contains(&self, name: &str) -> bool {
        self.0.contains(name)
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn insert(&mut self, name: &'a str) {
        self.0.insert(name, ());
    }

    /// Removes a name; whether it was there.
    pub fn remove(&mut self, name: &str) -> bool {
        self.0.remove(name).is_some()
    }

    pub fn extend(&mut self, other: &NameSet<'a>) {
        for name in other.iter() {
            self.insert(name);
        }
    }

    pub fn iter(&self) -> impl Iterator<Item = &'a str> {
        self.0.keys()
    }
}
