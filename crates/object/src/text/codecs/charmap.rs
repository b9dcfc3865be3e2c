//! Codecs given by a table of 256 characters, as those of `encodings.cp437` and its like.
//!
//! Mappings that are dictionaries need Python objects and are the caller's.

use super::{CodecError, fail};
use crate::text::Unit;
use crate::text::builder::GivenUp;
use crate::text::builder::TextBuilder;
use std::collections::HashMap;

const UNDEFINED: &str = "character maps to <undefined>";

/// In a table, this character marks a byte that means nothing.
const UNMAPPED: u32 = 0xfffe;

pub fn decode<U: Unit>(bytes: &[u8], at: &mut usize, table: &[U], out: &mut TextBuilder) -> Result<(), CodecError> {
    while let Some(&byte) = bytes.get(*at) {
        match table.get(byte as usize).map(|unit| unit.code()) {
            None | Some(UNMAPPED) => return fail(*at, *at + 1, UNDEFINED),
            Some(code) => out.push(code),
        }
        *at += 1;
    }
    Ok(())
}

/// The inverse of a decoding table: `codecs.charmap_build`.
#[derive(Clone, Debug)]
pub struct EncodingMap {
    latin1: [Option<u8>; 256],
    others: HashMap<u32, u8>,
}

impl EncodingMap {
    /// `None` for tables that CPython inverts into a dictionary: those that map another byte than 0 to NUL, no byte to
    /// NUL, or something beyond the basic plane.
    pub fn build<U: Unit>(table: &[U]) -> Option<EncodingMap> {
        let table = &table[..table.len().min(256)];
        if table.first()?.code() != 0 {
            return None;
        }
        let mut map = EncodingMap { latin1: [None; 256], others: HashMap::new() };
        for (byte, unit) in table.iter().enumerate() {
            let code = unit.code();
            if (code == 0 && byte > 0) || code > 0xffff {
                return None;
            }
            match map.latin1.get_mut(code as usize) {
                Some(entry) => *entry = Some(byte as u8),
                None if code != UNMAPPED => {
                    map.others.insert(code, byte as u8);
                }
                None => {}
            }
        }
        Some(map)
    }

    pub fn lookup(&self, code: u32) -> Option<u8> {
        match self.latin1.get(code as usize) {
            Some(&byte) => byte,
            None => self.others.get(&code).copied(),
        }
    }

    pub fn encode<U: Unit>(&self, text: &[U], at: &mut usize, out: &mut Vec<u8>) -> Result<(), CodecError> {
        while let Some(unit) = text.get(*at) {
            let Some(byte) = self.lookup(unit.code()) else {
                let unmapped = |unit: &&U| self.lookup(unit.code()).is_none();
                let run = text[*at..].iter().take_while(unmapped).count();
                return fail(*at, *at + run, UNDEFINED);
            };
            out.put(byte);
            *at += 1;
        }
        Ok(())
    }
}
