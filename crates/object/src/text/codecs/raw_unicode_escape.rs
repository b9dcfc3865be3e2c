//! `raw_unicode_escape`: Latin-1 with `\uhhhh` and `\Uhhhhhhhh`.

use super::{CodecError, fail, hex_digit, push_hex_escape};
use crate::text::Unit;
use crate::text::builder::GivenUp;
use crate::text::builder::TextBuilder;

pub fn decode(bytes: &[u8], at: &mut usize, is_final: bool, out: &mut TextBuilder) -> Result<(), CodecError> {
    while let Some(&byte) = bytes.get(*at) {
        if byte != b'\\' {
            out.push(byte as u32);
            *at += 1;
            continue;
        }
        let (digits, truncated) = match bytes.get(*at + 1) {
            Some(b'u') => (4, "truncated \\uXXXX escape"),
            Some(b'U') => (8, "truncated \\UXXXXXXXX escape"),
            Some(&other) => {
                out.push(b'\\' as u32);
                out.push(other as u32);
                *at += 2;
                continue;
            }
            None => {
                if is_final {
                    out.push(b'\\' as u32);
                    *at += 1;
                }
                return Ok(());
            }
        };
        let (code, end) = hex_number(bytes, *at + 2, digits);
        match code {
            None if end == bytes.len() && !is_final => return Ok(()),
            None => return fail(*at, end, truncated),
            Some(code) if code >= 0x110000 => return fail(*at, end, "\\Uxxxxxxxx out of range"),
            Some(code) => out.push(code),
        }
        *at = end;
    }
    Ok(())
}

/// The number in exactly `digits` hexadecimal digits from `start`, and where the digits end.
pub(super) fn hex_number(bytes: &[u8], start: usize, digits: usize) -> (Option<u32>, usize) {
    let mut code = 0_u32;
    for at in start..start + digits {
        match bytes.get(at).and_then(|&byte| hex_digit(byte)) {
            Some(digit) => code = code << 4 | digit,
            None => return (None, at),
        }
    }
    (Some(code), start + digits)
}

pub fn encode<U: Unit>(text: &[U], out: &mut Vec<u8>) {
    for unit in text {
        match unit.code() {
            code @ 0..0x100 => out.put(code as u8),
            code => push_hex_escape(code, out),
        }
    }
}
