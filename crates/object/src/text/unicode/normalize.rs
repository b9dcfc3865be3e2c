//! The normal forms NFC, NFD, NFKC and NFKD.

use super::tables::*;
use super::{Version, combining, database_record};
use crate::text::Unit;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    Nfc,
    Nfd,
    Nfkc,
    Nfkd,
}

impl Form {
    pub fn from_name(name: &str) -> Option<Form> {
        match name {
            "NFC" => Some(Form::Nfc),
            "NFD" => Some(Form::Nfd),
            "NFKC" => Some(Form::Nfkc),
            "NFKD" => Some(Form::Nfkd),
            _ => None,
        }
    }

    fn is_compatibility(self) -> bool {
        matches!(self, Form::Nfkc | Form::Nfkd)
    }

    fn composes(self) -> bool {
        matches!(self, Form::Nfc | Form::Nfkc)
    }
}

// Bits of a database record's normalisation byte: the first four say "never occurs in NFC, NFD, NFKC, NFKD".
const MAYBE_SECOND: u8 = 1 << 4;
const IS_FIRST: u8 = 1 << 5;

const L_BASE: u32 = 0x1100;
const V_BASE: u32 = 0x1161;
const T_BASE: u32 = 0x11a7;
const L_COUNT: u32 = 19;
const V_COUNT: u32 = 21;
const T_COUNT: u32 = 28;
const S_BASE: u32 = 0xac00;
const S_COUNT: u32 = L_COUNT * V_COUNT * T_COUNT;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum QuickCheck {
    Yes,
    No,
    Maybe,
}

/// Whether the text is in the form, as far as single characters and the order of combining classes tell.
pub fn quick_check<U: Unit>(text: &[U], form: Form) -> QuickCheck {
    let mut result = QuickCheck::Yes;
    let mut previous_class = 0;
    for unit in text {
        let c = unit.code();
        if c < 0x80 || (c < 0x100 && form == Form::Nfc) {
            previous_class = 0;
            continue;
        }
        let record = database_record(c);
        let class = record.2;
        if (class != 0 && previous_class > class) || record.5 & (1 << form as u8) != 0 {
            return QuickCheck::No;
        }
        if form.composes() && record.5 & MAYBE_SECOND != 0 {
            result = QuickCheck::Maybe;
        }
        previous_class = class;
    }
    result
}

/// The text in the form, or `None` when it is in it already.
pub fn normalize<U: Unit>(text: &[U], form: Form, version: Version) -> Option<Vec<u32>> {
    if version == Version::Current && quick_check(text, form) == QuickCheck::Yes {
        return None;
    }
    let mut codes = decompose(text, form.is_compatibility(), version);
    if form.composes() {
        compose(&mut codes);
    }
    let same = codes.len() == text.len() && codes.iter().zip(text).all(|(&code, unit)| code == unit.code());
    (!same).then_some(codes)
}

pub fn is_normalized<U: Unit>(text: &[U], form: Form, version: Version) -> bool {
    normalize(text, form, version).is_none()
}

/// A character's own decomposition: the number of its tag (0 for a canonical one) and what it consists of.
fn raw_decomposition(c: u32) -> Option<(usize, &'static [u32])> {
    let c = c.min(0x10ffff);
    let block = DECOMPOSITION_FIRST[(c >> DECOMPOSITION_SHIFT) as usize] as usize;
    let low = (c & ((1 << DECOMPOSITION_SHIFT) - 1)) as usize;
    let offset = DECOMPOSITION_SECOND[(block << DECOMPOSITION_SHIFT) + low] as usize;
    if offset == 0 {
        return None;
    }
    let header = DECOMPOSITION_DATA[offset];
    let start = offset + 1;
    Some(((header & 0xff) as usize, &DECOMPOSITION_DATA[start..start + (header >> 8) as usize]))
}

fn hangul_parts(c: u32) -> Option<[u32; 3]> {
    let index = c.wrapping_sub(S_BASE);
    (index < S_COUNT).then(|| {
        let (v, t) = (index % (V_COUNT * T_COUNT) / T_COUNT, index % T_COUNT);
        [L_BASE + index / (V_COUNT * T_COUNT), V_BASE + v, T_BASE + t]
    })
}

/// `unicodedata.decomposition`.
pub(super) fn decomposition_text(c: u32) -> String {
    let hex = |codes: &[u32]| codes.iter().map(|code| format!("{code:04X}")).collect::<Vec<_>>().join(" ");
    if let Some(parts) = hangul_parts(c) {
        return hex(if parts[2] == T_BASE { &parts[..2] } else { &parts });
    }
    match raw_decomposition(c) {
        None => String::new(),
        Some((0, parts)) => hex(parts),
        Some((tag, parts)) => format!("{} {}", DECOMPOSITION_TAGS[tag], hex(parts)),
    }
}

fn push_decomposed(c: u32, compatibility: bool, version: Version, out: &mut Vec<u32>) {
    if c < 0x80 {
        out.push(c);
        return;
    }
    if let Some(parts) = hangul_parts(c) {
        out.extend_from_slice(if parts[2] == T_BASE { &parts[..2] } else { &parts });
        return;
    }
    if version == Version::V3_2_0 {
        if let Ok(at) = CORRECTIONS_3_2_0.binary_search_by_key(&c, |entry| entry.0) {
            out.push(CORRECTIONS_3_2_0[at].1);
            return;
        }
        if !version.is_assigned(c) {
            out.push(c);
            return;
        }
    }
    match raw_decomposition(c) {
        // Decompositions in the database nest at most a few levels deep.
        Some((tag, parts)) if compatibility || tag == 0 => {
            parts.iter().for_each(|&part| push_decomposed(part, compatibility, version, out));
        }
        _ => out.push(c),
    }
}

fn decompose<U: Unit>(text: &[U], compatibility: bool, version: Version) -> Vec<u32> {
    let mut out = Vec::with_capacity(text.len() + 8);
    text.iter().for_each(|unit| push_decomposed(unit.code(), compatibility, version, &mut out));
    // Canonical ordering: a stable sort of each run of combining characters by class.
    let mut at = 0;
    while at < out.len() {
        if out[at] < 0x300 || combining(out[at]) == 0 {
            at += 1;
            continue;
        }
        let start = at;
        while at < out.len() && combining(out[at]) != 0 {
            at += 1;
        }
        if at - start > 1 {
            out[start..at].sort_by_key(|&code| combining(code));
        }
    }
    out
}

fn compose_pair(first: u32, second: u32) -> Option<u32> {
    let (l, v) = (first.wrapping_sub(L_BASE), second.wrapping_sub(V_BASE));
    if l < L_COUNT && v < V_COUNT {
        return Some(S_BASE + (l * V_COUNT + v) * T_COUNT);
    }
    let (s, t) = (first.wrapping_sub(S_BASE), second.wrapping_sub(T_BASE));
    if s < S_COUNT && s % T_COUNT == 0 && (1..T_COUNT).contains(&t) {
        return Some(first + t);
    }
    if database_record(first).5 & IS_FIRST == 0 || database_record(second).5 & MAYBE_SECOND == 0 {
        return None;
    }
    let at = COMPOSITIONS.binary_search_by_key(&(first, second), |entry| (entry.0, entry.1)).ok()?;
    Some(COMPOSITIONS[at].2)
}

fn compose(codes: &mut Vec<u32>) {
    let mut kept = 0;
    let mut starter = None;
    // The class of the last character kept after the starter, -1 when there is none.
    let mut last_class = -1;
    for at in 0..codes.len() {
        let c = codes[at];
        let class = combining(c) as i32;
        if let Some(starter) = starter
            && last_class < class
            && let Some(composed) = compose_pair(codes[starter], c)
        {
            codes[starter] = composed;
            continue;
        }
        if class == 0 {
            starter = Some(kept);
            last_class = -1;
        } else {
            last_class = class;
        }
        codes[kept] = c;
        kept += 1;
    }
    codes.truncate(kept);
}
