//! What the text types need and that knows nothing of objects: Unicode data, number formatting and parsing, the
//! format mini-languages and the codecs.
//!
//! Text comes in as a slice of [`Unit`]s, so that each PEP 393 kind is read without a copy, and goes out through a
//! [`TextBuilder`](builder::TextBuilder), whose result has the narrowest kind.

pub mod builder;
pub mod codecs;
pub mod complex_text;
pub mod float_hex;
pub mod float_parse;
pub mod float_repr;
pub mod format_spec;
pub mod format_string;
pub mod int_conversion;
pub mod percent_format;
pub mod suggestions;
pub mod unicode;

use std::borrow::Cow;
use std::collections::TryReserveError;

/// One element of a PEP 393 string: a code point in the width of the string's kind.
pub trait Unit: Copy + Ord + Send + Sync + 'static {
    /// The largest code point that the kind holds.
    const MAX: u32;

    fn code(self) -> u32;

    /// The unit for `code`, when the kind can hold it.
    fn from_code(code: u32) -> Option<Self>;

    /// The units themselves, when they are bytes.
    fn as_bytes(_units: &[Self]) -> Option<&[u8]> {
        None
    }
}

impl Unit for u8 {
    const MAX: u32 = 0xff;

    #[inline(always)]
    fn code(self) -> u32 {
        self as u32
    }

    #[inline(always)]
    fn from_code(code: u32) -> Option<u8> {
        u8::try_from(code).ok()
    }

    #[inline]
    fn as_bytes(units: &[u8]) -> Option<&[u8]> {
        Some(units)
    }
}

impl Unit for u16 {
    const MAX: u32 = 0xffff;

    #[inline(always)]
    fn code(self) -> u32 {
        self as u32
    }

    #[inline(always)]
    fn from_code(code: u32) -> Option<u16> {
        u16::try_from(code).ok()
    }
}

impl Unit for u32 {
    const MAX: u32 = 0x10ffff;

    #[inline(always)]
    fn code(self) -> u32 {
        self
    }

    #[inline(always)]
    fn from_code(code: u32) -> Option<u32> {
        Some(code)
    }
}

/// Which exception a [`TextError`] becomes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    Value,
    Overflow,
    Type,
    Memory,
}

/// An error of an engine, with CPython's message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TextError {
    pub kind: ErrorKind,
    pub message: Cow<'static, str>,
}

impl TextError {
    pub fn value(message: impl Into<Cow<'static, str>>) -> TextError {
        TextError { kind: ErrorKind::Value, message: message.into() }
    }

    pub fn overflow(message: impl Into<Cow<'static, str>>) -> TextError {
        TextError { kind: ErrorKind::Overflow, message: message.into() }
    }

    pub fn type_error(message: impl Into<Cow<'static, str>>) -> TextError {
        TextError { kind: ErrorKind::Type, message: message.into() }
    }

    pub fn memory() -> TextError {
        TextError { kind: ErrorKind::Memory, message: Cow::Borrowed("") }
    }
}

impl From<TryReserveError> for TextError {
    fn from(_: TryReserveError) -> TextError {
        TextError::memory()
    }
}
