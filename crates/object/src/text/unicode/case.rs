//! Case mappings with the full, context-sensitive rules of the Unicode standard, and the case predicates of `str`.

use super::tables::SPECIAL_CASES;
use super::*;
use crate::text::Unit;
use crate::text::builder::TextBuilder;

/// What one character maps to: one to three characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mapping {
    codes: [u32; 3],
    len: u8,
}

impl Mapping {
    fn single(code: u32) -> Self {
        Mapping { codes: [code, 0, 0], len: 1 }
    }
}

impl std::ops::Deref for Mapping {
    type Target = [u32];

    fn deref(&self) -> &[u32] {
        &self.codes[..self.len as usize]
    }
}

#[derive(Clone, Copy)]
enum Case {
    Upper,
    Lower,
    Title,
    Fold,
}

#[inline]
fn first_of(case: Case, c: u32) -> u32 {
    let record = type_record(c);
    let delta = match case {
        Case::Upper => record.4,
        Case::Lower => record.5,
        Case::Title => record.6,
        Case::Fold => record.7,
    };
    c.wrapping_add_signed(delta)
}

fn map(case: Case, c: u32) -> Mapping {
    if type_record(c).0 & SPECIAL_CASE != 0
        && let Ok(at) = SPECIAL_CASES.binary_search_by_key(&c, |entry| entry.0)
    {
        let mapped = SPECIAL_CASES[at].1[case as usize];
        let mut codes = [0; 3];
        codes[..mapped.len()].copy_from_slice(mapped);
        return Mapping { codes, len: mapped.len() as u8 };
    }
    Mapping::single(first_of(case, c))
}

/// The first character of the upper-case mapping, CPython's `Py_UNICODE_TOUPPER`.
#[inline]
pub fn simple_upper(c: u32) -> u32 {
    first_of(Case::Upper, c)
}

/// The first character of the lower-case mapping, CPython's `Py_UNICODE_TOLOWER`.
#[inline]
pub fn simple_lower(c: u32) -> u32 {
    first_of(Case::Lower, c)
}

#[inline]
pub fn simple_title(c: u32) -> u32 {
    first_of(Case::Title, c)
}

pub fn to_upper(c: u32) -> Mapping {
    map(Case::Upper, c)
}

/// Without the context that a final sigma depends on; [`lower`] knows it.
pub fn to_lower(c: u32) -> Mapping {
    map(Case::Lower, c)
}

pub fn to_title(c: u32) -> Mapping {
    map(Case::Title, c)
}

pub fn to_casefold(c: u32) -> Mapping {
    map(Case::Fold, c)
}

const CAPITAL_SIGMA: u32 = 0x3a3;
const FINAL_SIGMA: u32 = 0x3c2;
const SMALL_SIGMA: u32 = 0x3c3;

/// A sigma is final when a cased letter precedes it and none follows, case-ignorable characters left out.
fn lower_sigma<U: Unit>(text: &[U], at: usize) -> u32 {
    let ends = |c: &&U| !is_case_ignorable(c.code());
    let before = text[..at].iter().rev().find(ends).is_some_and(|c| is_cased(c.code()));
    let after = text[at + 1..].iter().find(ends).is_some_and(|c| is_cased(c.code()));
    if before && !after { FINAL_SIGMA } else { SMALL_SIGMA }
}

fn push_lower<U: Unit>(text: &[U], at: usize, out: &mut TextBuilder) {
    match text[at].code() {
        CAPITAL_SIGMA => out.push(lower_sigma(text, at)),
        c => push_all(&to_lower(c), out),
    }
}

fn push_all(mapping: &Mapping, out: &mut TextBuilder) {
    mapping.iter().for_each(|&code| out.push(code));
}

/// The text, if it is ASCII: there the mappings are simple.
fn ascii<U: Unit>(text: &[U]) -> Option<&[u8]> {
    U::as_bytes(text).filter(|bytes| bytes.is_ascii())
}

pub fn upper<U: Unit>(text: &[U], out: &mut TextBuilder) {
    if let Some(bytes) = ascii(text) {
        return out.push_ascii(&bytes.to_ascii_uppercase());
    }
    text.iter().for_each(|c| push_all(&to_upper(c.code()), out));
}

pub fn lower<U: Unit>(text: &[U], out: &mut TextBuilder) {
    if let Some(bytes) = ascii(text) {
        return out.push_ascii(&bytes.to_ascii_lowercase());
    }
    (0..text.len()).for_each(|at| push_lower(text, at, out));
}

pub fn casefold<U: Unit>(text: &[U], out: &mut TextBuilder) {
    if let Some(bytes) = ascii(text) {
        return out.push_ascii(&bytes.to_ascii_lowercase());
    }
    text.iter().for_each(|c| push_all(&to_casefold(c.code()), out));
}

pub fn swapcase<U: Unit>(text: &[U], out: &mut TextBuilder) {
    for (at, unit) in text.iter().enumerate() {
        let c = unit.code();
        if is_upper(c) {
            push_lower(text, at, out);
        } else if is_lower(c) {
            push_all(&to_upper(c), out);
        } else {
            out.push(c);
        }
    }
}

pub fn capitalize<U: Unit>(text: &[U], out: &mut TextBuilder) {
    let Some(first) = text.first() else { return };
    push_all(&to_title(first.code()), out);
    (1..text.len()).for_each(|at| push_lower(text, at, out));
}

/// `str.title`: a cased letter after an uncased character begins a word.
pub fn title<U: Unit>(text: &[U], out: &mut TextBuilder) {
    let mut previous_is_cased = false;
    for (at, unit) in text.iter().enumerate() {
        let c = unit.code();
        if previous_is_cased {
            push_lower(text, at, out);
        } else {
            push_all(&to_title(c), out);
        }
        previous_is_cased = is_cased(c);
    }
}

/// `str.isupper`: no lower- or title-case character, and at least one upper-case one.
pub fn is_upper_text<U: Unit>(text: &[U]) -> bool {
    let mut cased = false;
    for unit in text {
        let c = unit.code();
        if is_lower(c) || is_title(c) {
            return false;
        }
        cased |= is_upper(c);
    }
    cased
}

pub fn is_lower_text<U: Unit>(text: &[U]) -> bool {
    let mut cased = false;
    for unit in text {
        let c = unit.code();
        if is_upper(c) || is_title(c) {
            return false;
        }
        cased |= is_lower(c);
    }
    cased
}

/// `str.istitle`: upper or title case only after uncased characters, lower case only after cased ones.
pub fn is_title_text<U: Unit>(text: &[U]) -> bool {
    let mut cased = false;
    let mut previous_is_cased = false;
    for unit in text {
        let c = unit.code();
        if is_upper(c) || is_title(c) {
            if previous_is_cased {
                return false;
            }
            previous_is_cased = true;
            cased = true;
        } else if is_lower(c) {
            if !previous_is_cased {
                return false;
            }
            cased = true;
        } else {
            previous_is_cased = false;
        }
    }
    cased
}

/// `str.isidentifier`.
pub fn is_identifier<U: Unit>(text: &[U]) -> bool {
    let Some((first, rest)) = text.split_first() else { return false };
    is_xid_start(first.code()) && rest.iter().all(|c| is_xid_continue(c.code()))
}
