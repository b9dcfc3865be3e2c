//! UTF-7 (RFC 2152).

use super::{CodecError, fail, is_high_surrogate, is_low_surrogate, join_surrogates};
use crate::text::Unit;
use crate::text::builder::GivenUp;
use crate::text::builder::TextBuilder;

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

fn base64_value(byte: u8) -> Option<u32> {
    Some(match byte {
        b'A'..=b'Z' => byte - b'A',
        b'a'..=b'z' => byte - b'a' + 26,
        b'0'..=b'9' => byte - b'0' + 52,
        b'+' => 62,
        b'/' => 63,
        _ => return None,
    } as u32)
}

fn is_base64(code: u32) -> bool {
    u8::try_from(code).is_ok_and(|byte| base64_value(byte).is_some())
}

/// What the encoder writes as it is. NUL is not among it.
fn is_encoded_directly(code: u32) -> bool {
    match u8::try_from(code) {
        Ok(byte @ b' '..=b'}') => byte != b'+' && byte != b'\\',
        Ok(byte) => matches!(byte, b'\t' | b'\n' | b'\r'),
        Err(_) => false,
    }
}

/// What the decoder takes as it is outside a shift sequence.
fn is_decoded_directly(byte: u8) -> bool {
    byte < 0x80 && byte != b'+'
}

pub fn decode(bytes: &[u8], at: &mut usize, is_final: bool, out: &mut TextBuilder) -> Result<(), CodecError> {
    while let Some(&byte) = bytes.get(*at) {
        if byte == b'+' {
            match bytes.get(*at + 1) {
                Some(b'-') => {
                    out.push(b'+' as u32);
                    *at += 2;
                }
                Some(&next) if base64_value(next).is_none() => {
                    return fail(*at, *at + 2, "ill-formed sequence");
                }
                _ => {
                    if !decode_shifted(bytes, at, is_final, out)? {
                        return Ok(());
                    }
                }
            }
        } else if is_decoded_directly(byte) {
            out.push(byte as u32);
            *at += 1;
        } else {
            return fail(*at, *at + 1, "unexpected special character");
        }
    }
    Ok(())
}

/// Decodes the shift sequence that begins with the `+` at `*at`. `false`: more input is needed to tell where it ends.
fn decode_shifted(bytes: &[u8], at: &mut usize, is_final: bool, out: &mut TextBuilder) -> Result<bool, CodecError> {
    let start = *at;
    let mut text: Vec<u32> = Vec::new();
    let (mut bits, mut buffer) = (0, 0_u32);
    let mut surrogate = None;
    let mut here = start + 1;
    while let Some(value) = bytes.get(here).and_then(|&byte| base64_value(byte)) {
        here += 1;
        buffer = buffer << 6 | value;
        bits += 6;
        if bits < 16 {
            continue;
        }
        bits -= 16;
        let code = buffer >> bits & 0xffff;
        buffer &= (1 << bits) - 1;
        if let Some(high) = surrogate.take() {
            if is_low_surrogate(code) {
                text.put(join_surrogates(high, code));
                continue;
            }
            text.put(high);
        }
        if is_high_surrogate(code) {
            surrogate = Some(code);
        } else {
            text.put(code);
        }
    }
    let Some(&end) = bytes.get(here) else {
        if !is_final {
            return Ok(false);
        }
        out.push_units(&text);
        if surrogate.is_some() || bits >= 6 || buffer != 0 {
            return fail(start, bytes.len(), "unterminated shift sequence");
        }
        *at = here;
        return Ok(true);
    };
    out.push_units(&text);
    if bits >= 6 {
        return fail(start, here + 1, "partial character in shift sequence");
    }
    if buffer != 0 {
        return fail(start, here + 1, "non-zero padding bits in shift sequence");
    }
    if let Some(surrogate) = surrogate.filter(|_| is_decoded_directly(end)) {
        out.push(surrogate);
    }
    // A minus is part of the sequence, anything else that ends it is text.
    *at = here + (end == b'-') as usize;
    Ok(true)
}

/// UTF-7 can encode everything, lone surrogates too.
pub fn encode<U: Unit>(text: &[U], out: &mut Vec<u8>) {
    let mut shifted = false;
    let (mut bits, mut buffer) = (0, 0_u32);
    for unit in text {
        let code = unit.code();
        let direct = is_encoded_directly(code);
        if shifted && direct {
            flush(&mut bits, &mut buffer, out);
            shifted = false;
            if is_base64(code) || code == b'-' as u32 {
                out.put(b'-');
            }
            out.put(code as u8);
        } else if direct {
            out.put(code as u8);
        } else if !shifted && code == b'+' as u32 {
            out.put_all(b"+-");
        } else {
            if !shifted {
                out.put(b'+');
                shifted = true;
            }
            let mut push = |unit: u32| {
                buffer = buffer << 16 | unit;
                bits += 16;
                while bits >= 6 {
                    bits -= 6;
                    out.put(ALPHABET[(buffer >> bits & 63) as usize]);
                }
                buffer &= 63;
            };
            if let Some(offset) = code.checked_sub(0x10000) {
                push(0xd800 | offset >> 10);
                push(0xdc00 | offset & 0x3ff);
            } else {
                push(code);
            }
        }
    }
    if shifted {
        flush(&mut bits, &mut buffer, out);
        out.put(b'-');
    }
}

/// Writes the bits that are left of a shift sequence.
fn flush(bits: &mut u32, buffer: &mut u32, out: &mut Vec<u8>) {
    if *bits > 0 {
        out.put(ALPHABET[(*buffer << (6 - *bits) & 63) as usize]);
    }
    (*bits, *buffer) = (0, 0);
}
