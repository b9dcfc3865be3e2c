//! The error handlers that every interpreter has.
//!
//! Each takes where the codec stopped and gives the replacement and where to go on, or `None` to raise the error.

use super::{ByteOrder, is_surrogate, push_hex_escape, utf16, utf32};
use crate::text::Unit;
use crate::text::builder::GivenUp;
use crate::text::unicode::names;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Handler {
    Strict,
    Ignore,
    Replace,
    Backslashreplace,
    /// Only for encoding, as is `Namereplace`.
    Xmlcharrefreplace,
    Namereplace,
    Surrogateescape,
    Surrogatepass,
}

impl Handler {
    pub fn from_name(name: &str) -> Option<Handler> {
        Some(match name {
            "strict" => Handler::Strict,
            "ignore" => Handler::Ignore,
            "replace" => Handler::Replace,
            "backslashreplace" => Handler::Backslashreplace,
            "xmlcharrefreplace" => Handler::Xmlcharrefreplace,
            "namereplace" => Handler::Namereplace,
            "surrogateescape" => Handler::Surrogateescape,
            "surrogatepass" => Handler::Surrogatepass,
            _ => return None,
        })
    }
}

/// The encodings in which surrogates have a form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SurrogateEncoding {
    Utf8,
    Utf16(ByteOrder),
    Utf32(ByteOrder),
}

impl SurrogateEncoding {
    pub fn from_name(name: &str) -> Option<SurrogateEncoding> {
        let name = name.to_ascii_lowercase().replace('_', "-");
        if name == "cp-utf8" {
            return Some(SurrogateEncoding::Utf8);
        }
        let rest = name.strip_prefix("utf")?;
        let rest = rest.strip_prefix('-').unwrap_or(rest);
        if rest == "8" {
            return Some(SurrogateEncoding::Utf8);
        }
        let width = rest.get(..2)?;
        let rest = &rest[2..];
        let order = match rest.strip_prefix('-').unwrap_or(rest) {
            "" if rest.is_empty() => ByteOrder::NATIVE,
            "le" => ByteOrder::Little,
            "be" => ByteOrder::Big,
            _ => return None,
        };
        match width {
            "16" => Some(SurrogateEncoding::Utf16(order)),
            "32" => Some(SurrogateEncoding::Utf32(order)),
            _ => None,
        }
    }
}

/// What takes the place of what could not be encoded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Replacement {
    /// ASCII text, which is encoded in its turn.
    Text(Vec<u8>),
    Bytes(Vec<u8>),
}

/// The replacement of `bytes[start..end]`, and where decoding goes on.
pub fn decode_error(
    handler: Handler,
    encoding: Option<SurrogateEncoding>,
    bytes: &[u8],
    start: usize,
    end: usize,
) -> Option<(Vec<u32>, usize)> {
    match handler {
        Handler::Strict | Handler::Xmlcharrefreplace | Handler::Namereplace => None,
        Handler::Ignore => Some((Vec::new(), end)),
        Handler::Replace => Some((vec![0xfffd], end)),
        Handler::Backslashreplace => {
            let mut text = Vec::new();
            bytes[start..end].iter().for_each(|&byte| push_hex_escape(byte as u32, &mut text));
            let mut codes = Vec::new();
            codes.make_room(text.len()).then(|| codes.extend(text.into_iter().map(u32::from)));
            Some((codes, end))
        }
        Handler::Surrogateescape => {
            let escaped = bytes[start..end].iter().take(4).take_while(|byte| !byte.is_ascii());
            let text: Vec<u32> = escaped.map(|&byte| 0xdc00 + byte as u32).collect();
            let count = text.len();
            (count > 0).then_some((text, start + count))
        }
        Handler::Surrogatepass => {
            let (code, width) = match encoding? {
                SurrogateEncoding::Utf8 => (surrogate_in_utf8(&bytes[start..]), 3),
                SurrogateEncoding::Utf16(order) => (utf16::surrogate_at(bytes, start, order), 2),
                SurrogateEncoding::Utf32(order) => (utf32::surrogate_at(bytes, start, order), 4),
            };
            code.map(|code| (vec![code], start + width))
        }
    }
}

fn surrogate_in_utf8(bytes: &[u8]) -> Option<u32> {
    match *bytes {
        [first @ 0xe0..=0xef, second @ 0x80..=0xbf, third @ 0x80..=0xbf, ..] => {
            let code = (first as u32 & 15) << 12 | (second as u32 & 63) << 6 | third as u32 & 63;
            Some(code).filter(|&code| is_surrogate(code))
        }
        _ => None,
    }
}

/// The replacement of `text[start..end]`; encoding goes on at `end`.
pub fn encode_error<U: Unit>(
    handler: Handler,
    encoding: Option<SurrogateEncoding>,
    text: &[U],
    start: usize,
    end: usize,
) -> Option<Replacement> {
    let codes = text[start..end].iter().map(|unit| unit.code());
    let mut out = Vec::new();
    match handler {
        Handler::Strict => return None,
        Handler::Ignore => {}
        Handler::Replace => (start..end).for_each(|_| out.put(b'?')),
        Handler::Backslashreplace => codes.for_each(|code| push_hex_escape(code, &mut out)),
        Handler::Xmlcharrefreplace => {
            codes.for_each(|code| out.put_all(format!("&#{code};").as_bytes()));
        }
        Handler::Namereplace => codes.for_each(|code| match names::name(code) {
            Some(name) => out.put_all(format!("\\N{{{name}}}").as_bytes()),
            None => push_hex_escape(code, &mut out),
        }),
        Handler::Surrogateescape => {
            for code in codes {
                if !(0xdc80..=0xdcff).contains(&code) {
                    return None;
                }
                out.put(code as u8);
            }
            return Some(Replacement::Bytes(out));
        }
        Handler::Surrogatepass => {
            let encoding = encoding?;
            for code in codes {
                if !is_surrogate(code) {
                    return None;
                }
                match encoding {
                    SurrogateEncoding::Utf8 => out.put_all(&[
                        0xe0 | (code >> 12) as u8,
                        0x80 | (code >> 6 & 63) as u8,
                        0x80 | (code & 63) as u8,
                    ]),
                    SurrogateEncoding::Utf16(order) => utf16::push(code as u16, order, &mut out),
                    SurrogateEncoding::Utf32(order) => utf32::push(code, order, &mut out),
                }
            }
            return Some(Replacement::Bytes(out));
        }
    }
    Some(Replacement::Text(out))
}
