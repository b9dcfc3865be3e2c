//! The codecs that CPython writes in C, on the level of code points.
//!
//! A decoder or encoder works from `*at` on and moves it along. At an error it stops with `*at` at the error's start and
//! everything before already written; the caller asks its error handler, writes the replacement, moves `*at` and calls
//! again. A decoder told that its input is not final leaves `*at` before an incomplete sequence and succeeds. The
//! handlers that need no Python are in [`handlers`], and [`decode`] and [`encode`] are the whole loop with one of them.

pub mod charmap;
pub mod escape;
pub mod handlers;
pub mod raw_unicode_escape;
pub mod single_byte;
pub mod unicode_escape;
pub mod utf16;
pub mod utf32;
pub mod utf7;
pub mod utf8;

use super::Unit;
use super::builder::{Text, TextBuilder};
use crate::text::builder::GivenUp;
use handlers::{Handler, Replacement, SurrogateEncoding, decode_error, encode_error};

/// Where a codec stopped and why: the attributes of a `UnicodeDecodeError` or `UnicodeEncodeError`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CodecError {
    pub start: usize,
    pub end: usize,
    pub reason: &'static str,
}

/// Fails with the range and the reason.
fn fail<T>(start: usize, end: usize, reason: &'static str) -> Result<T, CodecError> {
    Err(CodecError { start, end, reason })
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ByteOrder {
    Little,
    Big,
}

impl ByteOrder {
    pub const NATIVE: ByteOrder = if cfg!(target_endian = "little") { ByteOrder::Little } else { ByteOrder::Big };
}

/// A codec without parameters, for those who choose by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Codec {
    Utf8,
    Utf16(ByteOrder),
    Utf32(ByteOrder),
    Utf7,
    Ascii,
    Latin1,
    UnicodeEscape,
    RawUnicodeEscape,
}

impl Codec {
    /// How `surrogatepass` writes surrogates.
    fn surrogate_encoding(self) -> Option<SurrogateEncoding> {
        match self {
            Codec::Utf8 => Some(SurrogateEncoding::Utf8),
            Codec::Utf16(order) => Some(SurrogateEncoding::Utf16(order)),
            Codec::Utf32(order) => Some(SurrogateEncoding::Utf32(order)),
            _ => None,
        }
    }

    /// What is encoded has a multiple of so many bytes.
    fn width(self) -> usize {
        match self {
            Codec::Utf16(_) => 2,
            Codec::Utf32(_) => 4,
            _ => 1,
        }
    }

    /// Decodes until the end or an error.
    pub fn decode_step(
        self,
        bytes: &[u8],
        at: &mut usize,
        is_final: bool,
        out: &mut TextBuilder,
    ) -> Result<(), CodecError> {
        match self {
            Codec::Utf8 => utf8::decode(bytes, at, is_final, out),
            Codec::Utf16(order) => utf16::decode(bytes, at, order, is_final, out),
            Codec::Utf32(order) => utf32::decode(bytes, at, order, is_final, out),
            Codec::Utf7 => utf7::decode(bytes, at, is_final, out),
            Codec::Ascii => single_byte::decode_ascii(bytes, at, out),
            Codec::UnicodeEscape => unicode_escape::decode(bytes, at, is_final, &mut None, out),
            Codec::RawUnicodeEscape => raw_unicode_escape::decode(bytes, at, is_final, out),
            Codec::Latin1 => {
                single_byte::decode_latin1(&bytes[*at..], out);
                *at = bytes.len();
                Ok(())
            }
        }
    }

    /// Encodes until the end or an error.
    pub fn encode_step<U: Unit>(self, text: &[U], at: &mut usize, out: &mut Vec<u8>) -> Result<(), CodecError> {
        match self {
            Codec::Utf8 => return utf8::encode(text, at, out),
            Codec::Utf16(order) => return utf16::encode(text, at, order, out),
            Codec::Utf32(order) => return utf32::encode(text, at, order, out),
            Codec::Ascii => return single_byte::encode_ascii(text, at, out),
            Codec::Latin1 => return single_byte::encode_latin1(text, at, out),
            Codec::Utf7 => utf7::encode(&text[*at..], out),
            Codec::UnicodeEscape => unicode_escape::encode(&text[*at..], out),
            Codec::RawUnicodeEscape => raw_unicode_escape::encode(&text[*at..], out),
        }
        *at = text.len();
        Ok(())
    }
}

/// Decodes with a handler; the text and how many bytes were used.
pub fn decode(codec: Codec, bytes: &[u8], handler: Handler, is_final: bool) -> Result<(Text, usize), CodecError> {
    let mut out = TextBuilder::new();
    let mut at = 0;
    while let Err(error) = codec.decode_step(bytes, &mut at, is_final, &mut out) {
        let replaced = decode_error(handler, codec.surrogate_encoding(), bytes, error.start, error.end);
        let (text, end) = replaced.ok_or(error)?;
        out.push_units(&text);
        at = end;
    }
    Ok((out.finish(), at))
}

/// Encodes with a handler.
pub fn encode<U: Unit>(codec: Codec, text: &[U], handler: Handler) -> Result<Vec<u8>, CodecError> {
    let mut out = Vec::new();
    let mut at = 0;
    while let Err(mut error) = codec.encode_step(text, &mut at, &mut out) {
        if handler == Handler::Surrogateescape && codec.width() == 1 {
            // Escaped bytes at the beginning do not belong to the error.
            while error.start < error.end && (0xdc80..0xdd00).contains(&text[error.start].code()) {
                out.put(text[error.start].code() as u8);
                error.start += 1;
            }
        }
        if error.start < error.end {
            match encode_error(handler, codec.surrogate_encoding(), text, error.start, error.end).ok_or(error)? {
                Replacement::Bytes(bytes) if bytes.len() % codec.width() != 0 => return Err(error),
                Replacement::Bytes(bytes) => out.put_all(&bytes),
                Replacement::Text(ascii) => codec.encode_step(&ascii, &mut 0, &mut out)?,
            }
        }
        at = error.end;
    }
    Ok(out)
}

fn is_surrogate(code: u32) -> bool {
    (0xd800..0xe000).contains(&code)
}

fn is_high_surrogate(code: u32) -> bool {
    (0xd800..0xdc00).contains(&code)
}

fn is_low_surrogate(code: u32) -> bool {
    (0xdc00..0xe000).contains(&code)
}

fn join_surrogates(high: u32, low: u32) -> u32 {
    0x10000 + ((high & 0x3ff) << 10 | low & 0x3ff)
}

fn hex_digit(byte: u8) -> Option<u32> {
    (byte as char).to_digit(16)
}

/// Appends the escape of `code` as `\xhh`, `\uhhhh` or `\Uhhhhhhhh`.
fn push_hex_escape(code: u32, out: &mut Vec<u8>) {
    let (letter, digits) = match code {
        0..=0xff => (b'x', 2),
        0x100..=0xffff => (b'u', 4),
        _ => (b'U', 8),
    };
    out.put_all(&[b'\\', letter]);
    (0..digits).rev().for_each(|digit| out.put(b"0123456789abcdef"[(code >> (4 * digit) & 15) as usize]));
}

#[cfg(test)]
mod tests;
