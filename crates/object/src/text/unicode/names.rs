//! Character names: `unicodedata.name`, `unicodedata.lookup` and `\N{...}`.
//!
//! `names.bin` (written by `tools/unicode/tables.py`) holds three little-endian 32-bit counts, of entries, of bytes of
//! encoded names and of words, and then: the entries' code points (3 bytes each, ascending; from 0x110000 on, the
//! index of an alias or named sequence), the offsets of their names (3 bytes), the entries in the order of their names
//! (2 bytes), the encoded names, the ends of the words (3 bytes) and the words themselves. A name is a series of word
//! numbers of one or two bytes: the top bit marks the last word, seven bits below `SHORT` are the number itself.

use super::tables::{ALIASES, NUMBERED_NAMES};
use std::cmp::Ordering;

static NAMES: &[u8] = include_bytes!("names.bin");
const SHORT: usize = 48;
const FIRST_ALIAS: u32 = 0x110000;
const HANGUL_PREFIX: &[u8] = b"HANGUL SYLLABLE ";
const HANGUL_FIRST: u32 = 0xac00;
const HANGUL_COUNT: u32 = 11172;

static LEADING: [&str; 19] =
    ["G", "GG", "N", "D", "DD", "R", "M", "B", "BB", "S", "SS", "", "J", "JJ", "C", "K", "T", "P", "H"];
static VOWELS: [&str; 21] = [
    "A", "AE", "YA", "YAE", "EO", "E", "YEO", "YE", "O", "WA", "WAE", "OE", "YO", "U", "WEO", "WE", "WI", "YU", "EU",
    "YI", "I",
];
static TRAILING: [&str; 28] = [
    "", "G", "GG", "GS", "N", "NJ", "NH", "D", "L", "LG", "LM", "LB", "LS", "LT", "LP", "LH", "M", "B", "BS", "S",
    "SS", "NG", "J", "C", "K", "T", "P", "H",
];

/// What a name stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Named {
    Character(u32),
    /// A named sequence, which `unicodedata.lookup` knows and `\N{...}` does not.
    Sequence(&'static [u32]),
}

struct Sections {
    entries: usize,
    codes: &'static [u8],
    offsets: &'static [u8],
    by_name: &'static [u8],
    encoded: &'static [u8],
    word_ends: &'static [u8],
    words: &'static [u8],
}

fn sections() -> Sections {
    let count = |at: usize| u32::from_le_bytes([NAMES[at], NAMES[at + 1], NAMES[at + 2], NAMES[at + 3]]) as usize;
    let (entries, encoded, words) = (count(0), count(4), count(8));
    let rest = &NAMES[12..];
    let (codes, rest) = rest.split_at(entries * 3);
    let (offsets, rest) = rest.split_at(entries * 3);
    let (by_name, rest) = rest.split_at(entries * 2);
    let (encoded, rest) = rest.split_at(encoded);
    let (word_ends, words) = rest.split_at(words * 3);
    Sections { entries, codes, offsets, by_name, encoded, word_ends, words }
}

fn three_bytes(table: &[u8], index: usize) -> usize {
    let at = index * 3;
    table[at] as usize | (table[at + 1] as usize) << 8 | (table[at + 2] as usize) << 16
}

impl Sections {
    fn word(&self, number: usize) -> &'static [u8] {
        let start = if number == 0 { 0 } else { three_bytes(self.word_ends, number - 1) };
        &self.words[start..three_bytes(self.word_ends, number)]
    }

    /// Calls `visit` with the pieces of an entry's name, until it says `false`.
    fn pieces(&self, entry: usize, mut visit: impl FnMut(&[u8]) -> bool) {
        let mut at = three_bytes(self.offsets, entry);
        loop {
            let byte = self.encoded[at];
            at += 1;
            let mut number = (byte & 0x7f) as usize;
            if number >= SHORT {
                number = SHORT + ((number - SHORT) << 8) + self.encoded[at] as usize;
                at += 1;
            }
            if !visit(self.word(number)) || byte & 0x80 != 0 || !visit(b" ") {
                return;
            }
        }
    }

    fn compare(&self, entry: usize, wanted: &[u8]) -> Ordering {
        let mut rest = wanted;
        let mut result = Ordering::Equal;
        self.pieces(entry, |piece| {
            let common = piece.len().min(rest.len());
            result = piece[..common].cmp(&rest[..common]);
            if result.is_eq() && piece.len() > common {
                result = Ordering::Greater;
            }
            rest = &rest[common..];
            result.is_eq()
        });
        if result.is_eq() && !rest.is_empty() { Ordering::Less } else { result }
    }

    fn code(&self, entry: usize) -> u32 {
        three_bytes(self.codes, entry) as u32
    }

    fn find_name(&self, wanted: &[u8]) -> Option<u32> {
        let (mut low, mut high) = (0, self.entries);
        while low < high {
            let middle = (low + high) / 2;
            let entry = u16::from_le_bytes([self.by_name[middle * 2], self.by_name[middle * 2 + 1]]) as usize;
            match self.compare(entry, wanted) {
                Ordering::Equal => return Some(self.code(entry)),
                Ordering::Less => low = middle + 1,
                Ordering::Greater => high = middle,
            }
        }
        None
    }

    fn find_code(&self, code: u32) -> Option<usize> {
        let (mut low, mut high) = (0, self.entries);
        while low < high {
            let middle = (low + high) / 2;
            match self.code(middle).cmp(&code) {
                Ordering::Equal => return Some(middle),
                Ordering::Less => low = middle + 1,
                Ordering::Greater => high = middle,
            }
        }
        None
    }
}

/// The character's name; control characters and unassigned ones have none.
pub fn name(c: u32) -> Option<String> {
    if c >= FIRST_ALIAS {
        return None;
    }
    if let Some(index) = c.checked_sub(HANGUL_FIRST).filter(|&index| index < HANGUL_COUNT) {
        let (l, v, t) = (index / 588, index % 588 / 28, index % 28);
        return Some(format!("HANGUL SYLLABLE {}{}{}", LEADING[l as usize], VOWELS[v as usize], TRAILING[t as usize]));
    }
    if let Some(&(_, _, prefix, named)) = NUMBERED_NAMES.iter().find(|range| range.0 <= c && c <= range.1) {
        return named.then(|| format!("{prefix}-{c:X}"));
    }
    let sections = sections();
    let entry = sections.find_code(c)?;
    let mut name = String::new();
    sections.pieces(entry, |piece| {
        name.extend(piece.iter().map(|&byte| byte as char));
        true
    });
    Some(name)
}

/// What has the name, whatever the case of its letters: a name, an alias or the name of a sequence.
pub fn lookup(name: &[u8]) -> Option<Named> {
    // No name is longer, so hostile ones are not copied.
    if name.len() > 256 {
        return None;
    }
    let name = name.to_ascii_uppercase();
    if let Some(syllable) = name.strip_prefix(HANGUL_PREFIX) {
        return hangul_syllable(syllable).map(Named::Character);
    }
    if let Some(dash) = name.iter().rposition(|&byte| byte == b'-')
        && let Some(code) = hexadecimal(&name[dash + 1..])
        && NUMBERED_NAMES.iter().any(|range| range.0 <= code && code <= range.1 && range.2.as_bytes() == &name[..dash])
    {
        return Some(Named::Character(code));
    }
    let code = sections().find_name(&name)?;
    if code < FIRST_ALIAS {
        return Some(Named::Character(code));
    }
    match ALIASES[(code - FIRST_ALIAS) as usize] {
        &[code] => Some(Named::Character(code)),
        sequence => Some(Named::Sequence(sequence)),
    }
}

fn hexadecimal(digits: &[u8]) -> Option<u32> {
    if !(4..=5).contains(&digits.len()) || digits[0] == b'0' || !digits.iter().all(u8::is_ascii_hexdigit) {
        return None;
    }
    u32::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
}

fn hangul_syllable(name: &[u8]) -> Option<u32> {
    let (l, rest) = longest(&LEADING, name)?;
    let (v, rest) = longest(&VOWELS, rest)?;
    let (t, rest) = longest(&TRAILING, rest)?;
    rest.is_empty().then(|| HANGUL_FIRST + (l * 21 + v) * 28 + t)
}

/// The longest of the parts that `name` begins with, and what follows it.
fn longest<'n>(parts: &[&str], name: &'n [u8]) -> Option<(u32, &'n [u8])> {
    let matching = parts.iter().enumerate().filter(|(_, part)| name.starts_with(part.as_bytes()));
    let (index, part) = matching.max_by_key(|(_, part)| part.len())?;
    Some((index as u32, &name[part.len()..]))
}
