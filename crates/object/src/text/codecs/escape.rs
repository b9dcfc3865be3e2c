//! The escapes of bytes literals: `codecs.escape_decode` and `codecs.escape_encode`.

use super::unicode_escape::{InvalidEscape, simple_escape};
use super::{hex_digit, push_hex_escape};
use crate::text::TextError;
use crate::text::builder::GivenUp;

/// What happens to a malformed `\x` escape.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Malformed {
    Strict,
    Replace,
    Ignore,
}

pub fn decode(bytes: &[u8], malformed: Malformed, invalid: &mut Option<InvalidEscape>) -> Result<Vec<u8>, TextError> {
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        at += 1;
        if byte != b'\\' {
            out.put(byte);
            continue;
        }
        let Some(&letter) = bytes.get(at) else { return Err(TextError::value("Trailing \\ in string")) };
        at += 1;
        match letter {
            b'\n' => {}
            b'0'..=b'7' => {
                let octal = bytes[at - 1..].iter().take(3).take_while(|byte| matches!(byte, b'0'..=b'7'));
                let (code, count) =
                    octal.fold((0, 0), |(code, count), &byte| (code << 3 | (byte - b'0') as u32, count + 1));
                if code > 0o377 {
                    invalid.get_or_insert(InvalidEscape { code, position: at - 1 });
                }
                out.put(code as u8);
                at += count - 1;
            }
            b'x' => {
                let digit = |at: usize| bytes.get(at).and_then(|&byte| hex_digit(byte));
                match (digit(at), digit(at + 1)) {
                    (Some(high), Some(low)) => {
                        out.put((high << 4 | low) as u8);
                        at += 2;
                    }
                    (first, _) => {
                        match malformed {
                            Malformed::Strict => {
                                let position = at - 2;
                                return Err(TextError::value(format!("invalid \\x escape at position {position}")));
                            }
                            Malformed::Replace => out.put(b'?'),
                            Malformed::Ignore => {}
                        }
                        at += first.is_some() as usize;
                    }
                }
            }
            _ => match simple_escape(letter) {
                Some(byte) => out.put(byte),
                None => {
                    invalid.get_or_insert(InvalidEscape { code: letter as u32, position: at - 1 });
                    out.put_all(&[b'\\', letter]);
                }
            },
        }
    }
    Ok(out)
}

pub fn encode(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len());
    for &byte in bytes {
        match byte {
            b'\\' | b'\'' => out.put_all(&[b'\\', byte]),
            b'\t' => out.put_all(b"\\t"),
            b'\n' => out.put_all(b"\\n"),
            b'\r' => out.put_all(b"\\r"),
            0x20..0x7f => out.put(byte),
            _ => push_hex_escape(byte as u32, &mut out),
        }
    }
    out
}
