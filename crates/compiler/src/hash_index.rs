//! Where things are in a list, by their hashes: what name maps and constant tables look things up with.

use std::hash::Hasher;

use taipan_bytecode::Text;

/// A multiplicative hasher for short keys from the program's own source.
#[derive(Clone, Copy, Debug, Default)]
pub struct FastHasher(u64);

impl FastHasher {
    #[inline]
    fn add(&mut self, word: u64) {
        self.0 = (self.0.rotate_left(5) ^ word).wrapping_mul(0x517c_c1b7_2722_0a95);
    }
}

impl Hasher for FastHasher {
    #[inline]
    fn write(&mut self, bytes: &[u8]) {
        // The last word may overlap the one before it: the length is hashed, too, so nothing is lost.
        if let Some(last) = bytes.last_chunk::<8>() {
            for chunk in bytes[..bytes.len() - 1].chunks_exact(8) {
                self.add(u64::from_le_bytes(chunk.try_into().expect("a chunk has eight bytes")));
            }
            self.add(u64::from_le_bytes(*last));
        } else if let (Some(first), Some(last)) = (bytes.first_chunk::<4>(), bytes.last_chunk::<4>()) {
            self.add(u64::from(u32::from_le_bytes(*first)) | u64::from(u32::from_le_bytes(*last)) << 32);
        } else if let (Some(&first), Some(&last)) = (bytes.first(), bytes.last()) {
            let middle = bytes[bytes.len() / 2];
            self.add(u64::from(first) | u64::from(middle) << 8 | u64::from(last) << 16);
        }
        self.add(bytes.len() as u64);
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

    #[inline]
    fn finish(&self) -> u64 {
        self.0 ^ self.0 >> 32
    }
}

#[inline]
fn hash_of_bytes(bytes: &[u8]) -> u32 {
    let mut hasher = FastHasher::default();
    hasher.write(bytes);
    hasher.finish() as u32
}

/// The hash of a name.
#[inline]
pub(crate) fn hash_of_name(name: &str) -> u32 {
    hash_of_bytes(name.as_bytes())
}

fn hash_of_text(text: &Text) -> u32 {
    hash_of_bytes(text.as_bytes())
}

/// Up to this many things are found by looking at the hashes of all.
const LINEAR: usize = 8;

/// The hashes of the things in a list, by position, and beyond a few of them a table of positions.
#[derive(Clone, Debug, Default)]
pub(crate) struct HashIndex {
    hashes: Vec<u32>,
    /// Positions plus 1 from where their hashes lead on, 0 in free places; a power of two of them, at most half in use.
    slots: Vec<u32>,
}

impl HashIndex {
    /// The position of the thing with this hash that `is_it` accepts.
    #[inline]
    pub fn find(&self, hash: u32, mut is_it: impl FnMut(usize) -> bool) -> Option<usize> {
        if self.slots.is_empty() {
            let mut hashes = self.hashes.iter().enumerate();
            return hashes.find(|&(at, &known)| known == hash && is_it(at)).map(|(at, _)| at);
        }
        let mask = self.slots.len() - 1;
        let mut slot = hash as usize & mask;
        while let Some(at) = (self.slots[slot] as usize).checked_sub(1) {
            if self.hashes[at] == hash && is_it(at) {
                return Some(at);
            }
            slot = (slot + 1) & mask;
        }
        None
    }

    /// Adds the hash of what comes next in the list.
    pub fn push(&mut self, hash: u32) {
        if self.hashes.is_empty() {
            self.hashes.reserve(LINEAR);
        }
        self.hashes.push(hash);
        let count = self.hashes.len();
        if count <= LINEAR {
            return;
        }
        if count * 2 > self.slots.len() {
            self.slots.clear();
            self.slots.resize((count * 4).next_power_of_two(), 0);
            (0..count).for_each(|at| self.enter(at));
        } else {
            self.enter(count - 1);
        }
    }

    fn enter(&mut self, at: usize) {
        let mask = self.slots.len() - 1;
        let mut slot = self.hashes[at] as usize & mask;
        while self.slots[slot] != 0 {
            slot = (slot + 1) & mask;
        }
        self.slots[slot] = at as u32 + 1;
    }

    /// Removes a position; those behind it move up.
    pub fn remove(&mut self, at: usize) {
        self.hashes.remove(at);
        self.slots.clear();
        if self.hashes.len() > LINEAR {
            self.slots.resize((self.hashes.len() * 4).next_power_of_two(), 0);
            (0..self.hashes.len()).for_each(|at| self.enter(at));
        }
    }
}

/// The positions of texts in a list.
pub(crate) struct TextIndex<'t> {
    texts: &'t [Text],
    index: HashIndex,
}

impl<'t> TextIndex<'t> {
    pub fn new(texts: &'t [Text]) -> TextIndex<'t> {
        let mut index = HashIndex::default();
        texts.iter().for_each(|text| index.push(hash_of_text(text)));
        TextIndex { texts, index }
    }

    pub fn position(&self, text: &Text) -> Option<usize> {
        if self.texts.is_empty() {
            return None;
        }
        self.index.find(hash_of_text(text), |at| self.texts[at] == *text)
    }

    pub fn contains(&self, text: &Text) -> bool {
        self.position(text).is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions() {
        let names: Vec<String> = (0..100).map(|n| format!("name{}", n * 7)).collect();
        let mut index = HashIndex::default();
        for name in &names {
            index.push(hash_of_name(name));
        }
        let find =
            |index: &HashIndex, names: &[String], name: &str| index.find(hash_of_name(name), |at| names[at] == name);
        for (at, name) in names.iter().enumerate() {
            assert_eq!(find(&index, &names, name), Some(at));
        }
        assert_eq!(find(&index, &names, "name1"), None);
        let mut fewer = names.clone();
        for _ in 0..96 {
            fewer.remove(1);
            index.remove(1);
            assert_eq!(find(&index, &fewer, "name693"), Some(fewer.len() - 1));
            assert_eq!(find(&index, &fewer, "name7"), None);
        }
    }
}
