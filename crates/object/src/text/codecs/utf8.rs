//! UTF-8. Surrogates are errors in both directions.

use super::{CodecError, fail, is_surrogate};
use crate::text::Unit;
use crate::text::builder::GivenUp;
use crate::text::builder::TextBuilder;

pub fn decode(bytes: &[u8], at: &mut usize, is_final: bool, out: &mut TextBuilder) -> Result<(), CodecError> {
    let rest = &bytes[*at..];
    match std::str::from_utf8(rest) {
        Ok(text) => {
            out.push_str(text);
            *at = bytes.len();
            Ok(())
        }
        Err(error) => {
            let (valid, _) = rest.split_at(error.valid_up_to());
            if let Ok(text) = std::str::from_utf8(valid) {
                out.push_str(text);
            }
            *at += valid.len();
            let start = *at;
            match error.error_len() {
                None if !is_final => Ok(()),
                // Two bytes of a surrogate may become one that `surrogatepass` takes.
                Some(_) if !is_final && matches!(bytes[start..], [0xed, 0xa0..=0xbf]) => Ok(()),
                None => fail(start, bytes.len(), "unexpected end of data"),
                Some(_) if !matches!(bytes[start], 0xc2..=0xf4) => fail(start, start + 1, "invalid start byte"),
                Some(length) => fail(start, start + length, "invalid continuation byte"),
            }
        }
    }
}

pub fn encode<U: Unit>(text: &[U], at: &mut usize, out: &mut Vec<u8>) -> Result<(), CodecError> {
    out.make_room(text.len() - *at);
    if let Some(bytes) = U::as_bytes(&text[*at..]).filter(|bytes| bytes.is_ascii()) {
        out.put_all(bytes);
        *at = text.len();
        return Ok(());
    }
    while let Some(unit) = text.get(*at) {
        match unit.code() {
            c @ 0..0x80 => out.put(c as u8),
            c @ 0x80..0x800 => out.put_all(&[0xc0 | (c >> 6) as u8, continuation(c, 0)]),
            c if is_surrogate(c) => {
                let run = text[*at..].iter().take_while(|unit| is_surrogate(unit.code())).count();
                return fail(*at, *at + run, "surrogates not allowed");
            }
            c @ 0x800..0x10000 => {
                out.put_all(&[0xe0 | (c >> 12) as u8, continuation(c, 6), continuation(c, 0)]);
            }
            c => {
                let lead = 0xf0 | (c >> 18) as u8;
                out.put_all(&[lead, continuation(c, 12), continuation(c, 6), continuation(c, 0)]);
            }
        }
        *at += 1;
    }
    Ok(())
}

fn continuation(code: u32, shift: u32) -> u8 {
    0x80 | (code >> shift & 0x3f) as u8
}
