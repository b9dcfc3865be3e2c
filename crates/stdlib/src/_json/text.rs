//! What the encoder writes: a growing text, and strings with their escapes.

use taipan_object::builtins::str::{Data, Str};
use taipan_object::text::Unit;
use taipan_object::text::builder::TextBuilder;
use taipan_object::{Value, with_units};

/// Which characters are written as escapes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Escapes {
    /// Those that JSON requires: quotes, backslashes, control characters.
    Required,
    /// Everything beyond printable ASCII too.
    NonAscii,
}

/// Text in the making.
pub struct Output {
    text: TextBuilder,
}

impl Output {
    pub fn with_capacity(capacity: usize) -> Output {
        Output { text: TextBuilder::with_capacity(capacity) }
    }

    #[inline]
    pub fn push_ascii(&mut self, text: &[u8]) {
        self.text.push_ascii(text);
    }

    #[inline]
    pub fn push_byte(&mut self, byte: u8) {
        self.text.push(byte.into());
    }

    /// Adds text as it is.
    pub fn push_text(&mut self, text: &Str) {
        match text.as_ascii() {
            Some(ascii) => self.push_ascii(ascii.as_bytes()),
            None => with_units!(text, |units| self.text.push_units(units)),
        }
    }

    /// Adds a string in quotes.
    #[inline]
    pub fn push_string(&mut self, text: &Str, escapes: Escapes) {
        self.push_byte(b'"');
        match text.data() {
            Data::Ascii(bytes) => self.push_ascii_contents(bytes, escapes),
            Data::Latin1(units) => self.push_contents(units, escapes),
            Data::Ucs2(units) => self.push_contents(units, escapes),
            Data::Ucs4(units) => self.push_contents(units, escapes),
        }
        self.push_byte(b'"');
    }

    #[inline]
    fn push_ascii_contents(&mut self, bytes: &[u8], escapes: Escapes) {
        let mut start = 0;
        // Deletes are the only ASCII characters that depend on the choice of escapes.
        if escapes == Escapes::NonAscii && memchr::memchr(0x7f, bytes).is_some() {
            return self.push_contents(bytes, escapes);
        }
        loop {
            let end = start + plain_run(&bytes[start..]);
            self.push_ascii(&bytes[start..end]);
            let Some(&byte) = bytes.get(end) else { return };
            self.push_escape(byte.into());
            start = end + 1;
        }
    }

    fn push_contents<U: Unit>(&mut self, units: &[U], escapes: Escapes) {
        let mut start = 0;
        for (at, unit) in units.iter().enumerate() {
            let code = unit.code();
            let plain = match u8::try_from(code) {
                Ok(byte @ 0..0x80) => {
                    !NEEDS_ESCAPE[usize::from(byte)] && (byte != 0x7f || escapes == Escapes::Required)
                }
                _ => escapes == Escapes::Required,
            };
            if !plain {
                self.text.push_units(&units[start..at]);
                self.push_escape(code);
                start = at + 1;
            }
        }
        self.text.push_units(&units[start..]);
    }

    #[cold]
    fn push_escape(&mut self, code: u32) {
        let letter = match u8::try_from(code).unwrap_or(0) {
            b'"' => b'"',
            b'\\' => b'\\',
            0x08 => b'b',
            0x0c => b'f',
            b'\n' => b'n',
            b'\r' => b'r',
            b'\t' => b't',
            _ => return self.push_unicode_escape(code),
        };
        self.push_ascii(&[b'\\', letter]);
    }

    fn push_unicode_escape(&mut self, code: u32) {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        let mut unit = |unit: u32| {
            let digit = |shift: u32| DIGITS[(unit >> shift & 15) as usize];
            self.push_ascii(&[b'\\', b'u', digit(12), digit(8), digit(4), digit(0)]);
        };
        if code < 0x10000 {
            unit(code);
        } else {
            unit(0xd800 + ((code - 0x10000) >> 10));
            unit(0xdc00 + (code & 0x3ff));
        }
    }

    pub fn finish(self) -> Value {
        Str::from_text(self.text.finish()).into_value()
    }
}

/// How many bytes precede the first quote, backslash or control character.
#[inline]
pub fn plain_run(bytes: &[u8]) -> usize {
    // Eight bytes at a time: the lowest marked one is right, whatever is borrowed by those above it.
    const ONES: u64 = u64::MAX / 255;
    const TOPS: u64 = ONES << 7;
    let is_zero = |x: u64| x.wrapping_sub(ONES) & !x & TOPS;
    let mut at = 0;
    while let Some(chunk) = bytes.get(at..at + 8).and_then(|chunk| <[u8; 8]>::try_from(chunk).ok()) {
        let x = u64::from_le_bytes(chunk);
        let controls = x.wrapping_sub(ONES * 0x20) & !x & TOPS;
        let marks = controls | is_zero(x ^ (ONES * b'"' as u64)) | is_zero(x ^ (ONES * b'\\' as u64));
        if marks != 0 {
            return at + marks.trailing_zeros() as usize / 8;
        }
        at += 8;
    }
    let rest = &bytes[at..];
    at + rest.iter().position(|byte| NEEDS_ESCAPE[usize::from(*byte)]).unwrap_or(rest.len())
}

/// ASCII characters that are always escaped.
static NEEDS_ESCAPE: [bool; 256] = {
    let mut table = [false; 256];
    let mut byte = 0;
    while byte < 0x20 {
        table[byte] = true;
        byte += 1;
    }
    table[b'"' as usize] = true;
    table[b'\\' as usize] = true;
    table
};
