//! UTF-32, with and without byte order mark.

use super::{ByteOrder, CodecError, fail, is_surrogate};
use crate::text::Unit;
use crate::text::builder::GivenUp;
use crate::text::builder::TextBuilder;

/// The order that a byte order mark at the beginning names; `*at` moves behind the mark.
pub fn take_byte_order_mark(bytes: &[u8], at: &mut usize) -> Option<ByteOrder> {
    let order = match bytes.get(*at..*at + 4)? {
        [0xff, 0xfe, 0, 0] => ByteOrder::Little,
        [0, 0, 0xfe, 0xff] => ByteOrder::Big,
        _ => return None,
    };
    *at += 4;
    Some(order)
}

fn read(bytes: &[u8], at: usize, order: ByteOrder) -> Option<u32> {
    let quad = bytes.get(at..at + 4)?.try_into().ok()?;
    Some(match order {
        ByteOrder::Little => u32::from_le_bytes(quad),
        ByteOrder::Big => u32::from_be_bytes(quad),
    })
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
            Some(code) if is_surrogate(code) => {
                return fail(start, start + 4, "code point in surrogate code point range(0xd800, 0xe000)");
            }
            Some(code) if code >= 0x110000 => {
                return fail(start, start + 4, "code point not in range(0x110000)");
            }
            Some(code) => {
                out.push(code);
                *at += 4;
            }
        }
    }
    Ok(())
}

pub fn encode<U: Unit>(text: &[U], at: &mut usize, order: ByteOrder, out: &mut Vec<u8>) -> Result<(), CodecError> {
    out.make_room(4 * (text.len() - *at));
    while let Some(unit) = text.get(*at) {
        let code = unit.code();
        if is_surrogate(code) {
            return fail(*at, *at + 1, "surrogates not allowed");
        }
        push(code, order, out);
        *at += 1;
    }
    Ok(())
}

/// Writes one unit, a surrogate too.
pub(super) fn push(code: u32, order: ByteOrder, out: &mut Vec<u8>) {
    out.put_all(&match order {
        ByteOrder::Little => code.to_le_bytes(),
        ByteOrder::Big => code.to_be_bytes(),
    });
}

/// The surrogate at `at`, for `surrogatepass`.
pub(super) fn surrogate_at(bytes: &[u8], at: usize, order: ByteOrder) -> Option<u32> {
    read(bytes, at, order).filter(|&code| is_surrogate(code))
}
