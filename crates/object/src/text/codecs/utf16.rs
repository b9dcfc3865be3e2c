//! UTF-16, with and without byte order mark.

use super::{ByteOrder, CodecError, fail, is_high_surrogate, is_low_surrogate, is_surrogate, join_surrogates};
use crate::text::Unit;
use crate::text::builder::GivenUp;
use crate::text::builder::TextBuilder;

/// The order that a byte order mark at the beginning names; `*at` moves behind the mark.
pub fn take_byte_order_mark(bytes: &[u8], at: &mut usize) -> Option<ByteOrder> {
    let order = match bytes.get(*at..*at + 2)? {
        [0xff, 0xfe] => ByteOrder::Little,
        [0xfe, 0xff] => ByteOrder::Big,
        _ => return None,
    };
    *at += 2;
    Some(order)
}

fn read(bytes: &[u8], at: usize, order: ByteOrder) -> Option<u32> {
    let pair = [*bytes.get(at)?, *bytes.get(at + 1)?];
    Some(match order {
        ByteOrder::Little => u16::from_le_bytes(pair),
        ByteOrder::Big => u16::from_be_bytes(pair),
    } as u32)
}

pub fn decode(
    bytes: &[u8],
    at: &mut usize,
    order: ByteOrder,
    is_final: bool,
    out: &mut TextBuilder,
) -> Result<(), CodecError> {
    while *at < bytes.len() {
        let start = *at;
        match read(bytes, start, order) {
            None if !is_final => return Ok(()),
            None => return fail(start, bytes.len(), "truncated data"),
            Some(code) if !is_surrogate(code) => {
                out.push(code);
                *at += 2;
            }
            Some(code) if is_low_surrogate(code) => return fail(start, start + 2, "illegal encoding"),
            Some(high) => match read(bytes, start + 2, order) {
                None if !is_final => return Ok(()),
                None => return fail(start, bytes.len(), "unexpected end of data"),
                Some(low) if is_low_surrogate(low) => {
                    out.push(join_surrogates(high, low));
                    *at += 4;
                }
                Some(_) => return fail(start, start + 2, "illegal UTF-16 surrogate"),
            },
        }
    }
    Ok(())
}

pub fn encode<U: Unit>(text: &[U], at: &mut usize, order: ByteOrder, out: &mut Vec<u8>) -> Result<(), CodecError> {
    out.make_room(2 * (text.len() - *at));
    while let Some(unit) = text.get(*at) {
        match unit.code() {
            c if is_surrogate(c) => {
                return fail(*at, *at + 1, "surrogates not allowed");
            }
            c @ 0..0x10000 => push(c as u16, order, out),
            c => {
                let offset = c - 0x10000;
                push(0xd800 | (offset >> 10) as u16, order, out);
                push(0xdc00 | (offset & 0x3ff) as u16, order, out);
            }
        }
        *at += 1;
    }
    Ok(())
}

/// Writes one unit, a surrogate too.
pub(super) fn push(unit: u16, order: ByteOrder, out: &mut Vec<u8>) {
    out.put_all(&match order {
        ByteOrder::Little => unit.to_le_bytes(),
        ByteOrder::Big => unit.to_be_bytes(),
    });
}

/// The surrogate at `at`, for `surrogatepass`.
pub(super) fn surrogate_at(bytes: &[u8], at: usize, order: ByteOrder) -> Option<u32> {
    read(bytes, at, order).filter(|&code| is_high_surrogate(code) || is_low_surrogate(code))
}
