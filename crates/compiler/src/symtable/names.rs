//! Maps and sets of names that keep the order of insertion.

use crate::hash_index::{HashIndex, hash_of_name};

/// How many names there is room for at first.
const FIRST: usize = 8;

#[derive(Clone, Debug)]
pub struct NameMap<'a, V> {
    entries: Vec<(&'a str, V)>,
    index: HashIndex,
}

impl<V> Default for NameMap<'_, V> {
    fn default() -> Self {
        NameMap { entries: Vec::new(), index: HashIndex::default() }
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

    fn find(&self, hash: u32, name: &str) -> Option<usize> {
        self.index.find(hash, |at| self.entries[at].0 == name)
    }

    pub fn position(&self, name: &str) -> Option<usize> {
        if self.is_empty() { None } else { self.find(hash_of_name(name), name) }
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
        let hash = hash_of_name(name);
        if let Some(at) = self.find(hash, name) {
            self.entries[at].1 = value;
            return at;
        }
        self.push(hash, name, value)
    }

    fn push(&mut self, hash: u32, name: &'a str, value: V) -> usize {
        if self.entries.is_empty() {
            self.entries.reserve(FIRST);
        }
        self.entries.push((name, value));
        self.index.push(hash);
        self.entries.len() - 1
    }

    /// The position of a name, which gets the value given unless it is there.
    pub fn position_or_insert(&mut self, name: &'a str, value: V) -> usize {
        let hash = hash_of_name(name);
        self.find(hash, name).unwrap_or_else(|| self.push(hash, name, value))
    }

    /// The value of a name, which gets one unless it is there.
    pub fn get_or_insert_with(&mut self, name: &'a str, value: impl FnOnce() -> V) -> &V {
        let hash = hash_of_name(name);
        let at = self.find(hash, name).unwrap_or_else(|| self.push(hash, name, value()));
        &self.entries[at].1
    }

    pub fn remove(&mut self, name: &str) -> Option<V> {
        let at = self.position(name)?;
        self.index.remove(at);
        Some(self.entries.remove(at).1)
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

    /// The value at a position that has one.
    pub(crate) fn at_mut(&mut self, position: usize) -> &mut V {
        &mut self.entries[position].1
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
