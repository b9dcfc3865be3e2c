//! What the text types need and that knows nothing of objects: Unicode data, number formatting and parsing, the
//! format mini-languages and the codecs.
//!
//! Text comes in as a slice of [`Unit`]s, so that each PEP 393 kind is read without a copy, and goes out through a
//! [`TextBuilder`](builder::TextBuilder), whose result has the narrowest kind.

pub mod builder;
pub mod unicode;

/// One element of a PEP 393 string: a code point in the width of the string's kind.
pub trait Unit: Copy + Ord + Send + Sync + 'static {
    /// The largest code point that the kind holds.
    const MAX: u32;

    fn code(self) -> u32;

    /// The unit for `code`, when the kind can hold it.
    fn from_code(code: u32) -> Option<Self>;
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
