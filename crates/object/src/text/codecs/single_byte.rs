//! ASCII and Latin-1.

use super::{CodecError, fail};
use crate::text::Unit;
use crate::text::builder::GivenUp;
use crate::text::builder::TextBuilder;

pub fn decode_ascii(bytes: &[u8], at: &mut usize, out: &mut TextBuilder) -> Result<(), CodecError> {
    let rest = &bytes[*at..];
    let valid = rest.iter().position(|byte| !byte.is_ascii()).unwrap_or(rest.len());
    out.push_ascii(&rest[..valid]);
    *at += valid;
    if *at < bytes.len() { fail(*at, *at + 1, "ordinal not in range(128)") } else { Ok(()) }
}

pub fn decode_latin1(bytes: &[u8], out: &mut TextBuilder) {
    out.push_units(bytes);
}

fn encode<U: Unit>(
    text: &[U],
    at: &mut usize,
    limit: u32,
    reason: &'static str,
    out: &mut Vec<u8>,
) -> Result<(), CodecError> {
    let rest = &text[*at..];
    let valid = rest.iter().position(|unit| unit.code() >= limit).unwrap_or(rest.len());
    if out.make_room(valid) {
        out.extend(rest[..valid].iter().map(|unit| unit.code() as u8));
    }
    *at += valid;
    let bad = rest[valid..].iter().take_while(|unit| unit.code() >= limit).count();
    if bad > 0 { fail(*at, *at + bad, reason) } else { Ok(()) }
}

pub fn encode_ascii<U: Unit>(text: &[U], at: &mut usize, out: &mut Vec<u8>) -> Result<(), CodecError> {
    encode(text, at, 0x80, "ordinal not in range(128)", out)
}

pub fn encode_latin1<U: Unit>(text: &[U], at: &mut usize, out: &mut Vec<u8>) -> Result<(), CodecError> {
    encode(text, at, 0x100, "ordinal not in range(256)", out)
}
