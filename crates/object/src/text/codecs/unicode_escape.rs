//! `unicode_escape`: the escapes of string literals.

use super::raw_unicode_escape::hex_number;
use super::{CodecError, fail, push_hex_escape};
use crate::text::Unit;
use crate::text::builder::GivenUp;
use crate::text::builder::TextBuilder;
use crate::text::unicode::names::{Named, lookup};

/// An escape that is taken literally, or an octal one above `\377`; the caller warns of the first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvalidEscape {
    /// The character behind the backslash, or the number of the octal escape (above 0o377).
    pub code: u32,
    /// Where the character behind the backslash is.
    pub position: usize,
}

impl InvalidEscape {
    /// The text of the `DeprecationWarning`.
    pub fn message(&self) -> String {
        let end = "Such sequences will not work in the future. ";
        match self.code {
            code @ 0..0x100 => {
                format!("\"\\{}\" is an invalid escape sequence. {end}", char::from(code as u8))
            }
            code => format!("\"\\{code:o}\" is an invalid octal escape sequence. {end}"),
        }
    }
}

pub fn decode(
    bytes: &[u8],
    at: &mut usize,
    is_final: bool,
    invalid: &mut Option<InvalidEscape>,
    out: &mut TextBuilder,
) -> Result<(), CodecError> {
    while let Some(&byte) = bytes.get(*at) {
        if byte != b'\\' {
            out.push(byte as u32);
            *at += 1;
            continue;
        }
        let start = *at;
        let Some(&letter) = bytes.get(start + 1) else {
            return if is_final { fail(start, start + 1, "\\ at end of string") } else { Ok(()) };
        };
        let body = start + 2;
        let (digits, truncated) = match letter {
            b'\n' => {
                *at = body;
                continue;
            }
            b'0'..=b'7' => {
                let octal = bytes[start + 1..].iter().take(3).take_while(|byte| matches!(byte, b'0'..=b'7'));
                let (code, count) =
                    octal.fold((0, 0), |(code, count), &byte| (code << 3 | (byte - b'0') as u32, count + 1));
                if code > 0o377 {
                    invalid.get_or_insert(InvalidEscape { code, position: start + 1 });
                }
                out.push(code);
                *at = start + 1 + count;
                continue;
            }
            b'x' => (2, "truncated \\xXX escape"),
            b'u' => (4, "truncated \\uXXXX escape"),
            b'U' => (8, "truncated \\UXXXXXXXX escape"),
            b'N' => match named(bytes, body, is_final)? {
                Some((code, end)) => {
                    out.push(code);
                    *at = end;
                    continue;
                }
                None => return Ok(()),
            },
            _ => {
                match simple_escape(letter) {
                    Some(code) => out.push(code as u32),
                    None => {
                        invalid.get_or_insert(InvalidEscape { code: letter as u32, position: start + 1 });
                        out.push(b'\\' as u32);
                        out.push(letter as u32);
                    }
                }
                *at = body;
                continue;
            }
        };
        let (code, end) = hex_number(bytes, body, digits);
        match code {
            None if end == bytes.len() && !is_final => return Ok(()),
            None => return fail(start, end, truncated),
            Some(code) if code >= 0x110000 => return fail(start, end, "illegal Unicode character"),
            Some(code) => out.push(code),
        }
        *at = end;
    }
    Ok(())
}

/// What the letter of a one-letter escape stands for.
pub(super) fn simple_escape(letter: u8) -> Option<u8> {
    Some(match letter {
        b'\\' | b'\'' | b'"' => letter,
        b'a' => 7,
        b'b' => 8,
        b't' => b'\t',
        b'n' => b'\n',
        b'v' => 11,
        b'f' => 12,
        b'r' => b'\r',
        _ => return None,
    })
}

/// The character of a `\N{name}` whose brace is at `body`, and where the escape ends; `None` when there may be more.
fn named(bytes: &[u8], body: usize, is_final: bool) -> Result<Option<(u32, usize)>, CodecError> {
    let start = body - 2;
    let malformed = "malformed \\N character escape";
    match bytes.get(body) {
        None if !is_final => return Ok(None),
        Some(b'{') => {}
        _ => return fail(start, body, malformed),
    }
    let Some(length) = bytes[body + 1..].iter().position(|&byte| byte == b'}') else {
        return if is_final { fail(start, bytes.len(), malformed) } else { Ok(None) };
    };
    let end = body + length + 2;
    if length == 0 {
        return fail(start, body + 1, malformed);
    }
    match lookup(&bytes[body + 1..end - 1]) {
        Some(Named::Character(code)) => Ok(Some((code, end))),
        _ => fail(start, end, "unknown Unicode character name"),
    }
}

pub fn encode<U: Unit>(text: &[U], out: &mut Vec<u8>) {
    for unit in text {
        match unit.code() {
            0x5c => out.put_all(b"\\\\"),
            0x09 => out.put_all(b"\\t"),
            0x0a => out.put_all(b"\\n"),
            0x0d => out.put_all(b"\\r"),
            code @ 0x20..0x7f => out.put(code as u8),
            code => push_hex_escape(code, out),
        }
    }
}
