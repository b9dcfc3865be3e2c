//! The values of numeric and string literals.

use bumpalo::Bump;
use dashu_int::UBig;

use crate::constant::{BigInt, Constant};

/// The value of a `NUMBER` token. `Err` says that an integer has too many decimal digits, and how many.
pub fn parse_number<'a>(arena: &'a Bump, text: &str, max_str_digits: usize) -> Result<Constant<'a>, usize> {
    let bytes = text.as_bytes();
    if bytes.len() <= 18 && bytes.iter().all(u8::is_ascii_digit) {
        return Ok(Constant::Int(bytes.iter().fold(0, |value, digit| value * 10 + i64::from(digit - b'0'))));
    }
    let without_underscores;
    let text = if text.contains('_') {
        without_underscores = text.replace('_', "");
        &without_underscores
    } else {
        text
    };
    if let Some(prefix) = text.get(..2) {
        let radix = match prefix {
            "0x" | "0X" => 16,
            "0o" | "0O" => 8,
            "0b" | "0B" => 2,
            _ => 10,
        };
        if radix != 10 {
            return Ok(integer(arena, &text[2..], radix));
        }
    }
    if let Some(imaginary) = text.strip_suffix(['j', 'J']) {
        return Ok(Constant::Complex { real: 0.0, imag: imaginary.parse().unwrap_or(0.0) });
    }
    if text.contains(['.', 'e', 'E']) {
        return Ok(Constant::Float(text.parse().unwrap_or(0.0)));
    }
    match too_many_digits(text, max_str_digits) {
        Some(digits) => Err(digits),
        None => Ok(integer(arena, text, 10)),
    }
}

/// The number of digits of a decimal integer, if it is more than the limit.
pub fn too_many_digits(text: &str, max_str_digits: usize) -> Option<usize> {
    if max_str_digits == 0 || text.len() <= max_str_digits || !text.bytes().all(|c| c.is_ascii_digit() || c == b'_') {
        return None;
    }
    let digits = text.bytes().filter(u8::is_ascii_digit).count();
    (digits > max_str_digits).then_some(digits)
}

fn integer<'a>(arena: &'a Bump, digits: &str, radix: u32) -> Constant<'a> {
    if let Ok(small) = i64::from_str_radix(digits, radix) {
        return Constant::Int(small);
    }
    let value = UBig::from_str_radix(digits, radix).unwrap_or_default();
    let limbs = arena.alloc_slice_fill_iter(value.to_le_bytes().chunks(8).map(|chunk| {
        let mut limb = [0; 8];
        limb[..chunk.len()].copy_from_slice(chunk);
        u64::from_le_bytes(limb)
    }));
    Constant::BigInt(arena.alloc(BigInt { negative: false, limbs }))
}

/// An escape sequence that Python accepts under protest.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct InvalidEscape {
    /// Where the backslash is.
    pub at: usize,
    pub octal: bool,
}

/// Why a literal has no value.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum DecodeError {
    /// A `UnicodeDecodeError` of the encoding unicodeescape. What CPython decodes is a text in which every character
    /// beyond ASCII has been written as `\U` and eight digits; `start` and `end` are positions in that.
    Unicode { object: String, start: usize, end: usize, reason: &'static str },
    /// A `ValueError` with this text.
    Value(String),
}

impl DecodeError {
    /// The text of the `SyntaxError`.
    pub fn message(&self) -> String {
        match self {
            DecodeError::Value(message) => format!("(value error) {message}"),
            DecodeError::Unicode { object, start, end, reason } if *end == start + 1 => format!(
                "(unicode error) 'unicodeescape' codec can't decode byte 0x{:02x} in position {start}: {reason}",
                object.as_bytes()[*start]
            ),
            DecodeError::Unicode { start, end, reason, .. } => format!(
                "(unicode error) 'unicodeescape' codec can't decode bytes in position {start}-{}: {reason}",
                end - 1
            ),
        }
    }
}

/// The value of a string literal's body with escapes, in generalised UTF-8, and its first invalid escape.
pub fn decode_escapes(body: &str) -> Result<(Vec<u8>, Option<InvalidEscape>), DecodeError> {
    let bytes = body.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut invalid = None;
    let mut at = 0;
    while let Some(skip) = memchr::memchr(b'\\', &bytes[at..]) {
        out.extend_from_slice(&bytes[at..at + skip]);
        let start = at + skip;
        at = start + 1;
        let Some(&c) = bytes.get(at) else {
            // A replacement field follows, whose brace the backslash does not escape.
            out.push(b'\\');
            break;
        };
        at += 1;
        match c {
            b'\n' => {}
            b'\\' | b'\'' | b'"' => out.push(c),
            b'b' => out.push(8),
            b'f' => out.push(12),
            b't' => out.push(b'\t'),
            b'n' => out.push(b'\n'),
            b'r' => out.push(b'\r'),
            b'v' => out.push(11),
            b'a' => out.push(7),
            b'0'..=b'7' => {
                let mut code = u32::from(c - b'0');
                for _ in 0..2 {
                    match bytes.get(at) {
                        Some(&digit @ b'0'..=b'7') => {
                            code = code * 8 + u32::from(digit - b'0');
                            at += 1;
                        }
                        _ => break,
                    }
                }
                if code > 0o377 && invalid.is_none() {
                    invalid = Some(InvalidEscape { at: start, octal: true });
                }
                push_code_point(&mut out, code);
            }
            b'x' | b'u' | b'U' => {
                let (count, message) = match c {
                    b'x' => (2, "truncated \\xXX escape"),
                    b'u' => (4, "truncated \\uXXXX escape"),
                    _ => (8, "truncated \\UXXXXXXXX escape"),
                };
                let mut code = 0;
                for _ in 0..count {
                    match bytes.get(at).and_then(|&digit| (digit as char).to_digit(16)) {
                        Some(digit) => code = code << 4 | digit,
                        None => return Err(unicode_error(bytes, start, at, message)),
                    }
                    at += 1;
                }
                if code > 0x10_ffff {
                    return Err(unicode_error(bytes, start, at, "illegal Unicode character"));
                }
                push_code_point(&mut out, code);
            }
            b'N' => {
                const MALFORMED: &str = "malformed \\N character escape";
                if bytes.get(at) != Some(&b'{') {
                    return Err(unicode_error(bytes, start, at, MALFORMED));
                }
                at += 1;
                let Some(length) = memchr::memchr(b'}', &bytes[at..]) else {
                    return Err(unicode_error(bytes, start, bytes.len(), MALFORMED));
                };
                if length == 0 {
                    return Err(unicode_error(bytes, start, at, MALFORMED));
                }
                let name = &body[at..at + length];
                at += length + 1;
                match character_by_name(name) {
                    Some(character) => push_code_point(&mut out, character.into()),
                    None => return Err(unicode_error(bytes, start, at, "unknown Unicode character name")),
                }
            }
            _ => {
                // CPython does not warn of a backslash before a character beyond ASCII.
                if invalid.is_none() && c < 128 {
                    invalid = Some(InvalidEscape { at: start, octal: false });
                }
                out.push(b'\\');
                at -= 1;
            }
        }
    }
    out.extend_from_slice(&bytes[at..]);
    Ok((out, invalid))
}

/// The value of a bytes literal's body with escapes, and its first invalid escape.
pub fn decode_bytes_escapes(body: &[u8]) -> Result<(Vec<u8>, Option<InvalidEscape>), DecodeError> {
    let mut out = Vec::with_capacity(body.len());
    let mut invalid = None;
    let mut at = 0;
    while let Some(skip) = memchr::memchr(b'\\', &body[at..]) {
        out.extend_from_slice(&body[at..at + skip]);
        let start = at + skip;
        at = start + 1;
        let Some(&c) = body.get(at) else {
            return Err(DecodeError::Value("Trailing \\ in string".to_owned()));
        };
        at += 1;
        match c {
            b'\n' => {}
            b'\\' | b'\'' | b'"' => out.push(c),
            b'b' => out.push(8),
            b'f' => out.push(12),
            b't' => out.push(b'\t'),
            b'n' => out.push(b'\n'),
            b'r' => out.push(b'\r'),
            b'v' => out.push(11),
            b'a' => out.push(7),
            b'0'..=b'7' => {
                let mut code = u32::from(c - b'0');
                for _ in 0..2 {
                    match body.get(at) {
                        Some(&digit @ b'0'..=b'7') => {
                            code = code * 8 + u32::from(digit - b'0');
                            at += 1;
                        }
                        _ => break,
                    }
                }
                if code > 0o377 && invalid.is_none() {
                    invalid = Some(InvalidEscape { at: start, octal: true });
                }
                out.push(code as u8);
            }
            b'x' => {
                let digit = |at: usize| body.get(at).and_then(|&digit| (digit as char).to_digit(16));
                match (digit(at), digit(at + 1)) {
                    (Some(high), Some(low)) => out.push((high << 4 | low) as u8),
                    _ => return Err(DecodeError::Value(format!("invalid \\x escape at position {start}"))),
                }
                at += 2;
            }
            _ => {
                if invalid.is_none() {
                    invalid = Some(InvalidEscape { at: start, octal: false });
                }
                out.push(b'\\');
                at -= 1;
            }
        }
    }
    out.extend_from_slice(&body[at..]);
    Ok((out, invalid))
}

/// Looks up what stands in `\N{...}`: names and aliases of Unicode, in any case.
pub fn character_by_name(name: &str) -> Option<char> {
    let folded = name.to_ascii_uppercase();
    if let Some(digits) = folded.strip_prefix("TANGUT IDEOGRAPH-") {
        let code = u32::from_str_radix(digits, 16).ok().filter(|code| format!("{code:X}") == digits)?;
        return matches!(code, 0x17000..=0x187f7 | 0x18d00..=0x18d08).then(|| char::from_u32(code)).flatten();
    }
    // The table's crate forgives missing blanks and hyphens and leading zeros, which Python does not.
    let character = unicode_names2::character(name)?;
    let canonical = unicode_names2::name(character).map(|name| name.to_string());
    match canonical {
        Some(canonical) if canonical == folded => Some(character),
        Some(canonical) if loosely_equal(&canonical, &folded) || canonical.contains(" IDEOGRAPH-") => None,
        _ => Some(character),
    }
}

/// The name of a character.
pub fn character_name(code: u32) -> Option<String> {
    if matches!(code, 0x17000..=0x187f7) {
        return Some(format!("TANGUT IDEOGRAPH-{code:X}"));
    }
    unicode_names2::name(char::from_u32(code)?).map(|name| name.to_string())
}

/// Whether two names differ in blanks, hyphens and underscores only.
fn loosely_equal(left: &str, right: &str) -> bool {
    let letters = |name: &str| name.chars().filter(char::is_ascii_alphanumeric).collect::<String>();
    letters(left) == letters(right)
}

/// Appends a code point, which may be a surrogate.
pub fn push_code_point(out: &mut Vec<u8>, code: u32) {
    match char::from_u32(code) {
        Some(c) => out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
        None => {
            out.extend_from_slice(&[0xe0 | (code >> 12) as u8, 0x80 | (code >> 6 & 63) as u8, 0x80 | (code & 63) as u8])
        }
    }
}

fn unicode_error(bytes: &[u8], start: usize, end: usize, reason: &'static str) -> DecodeError {
    let escaped = |bytes: &[u8]| {
        let mut text = String::new();
        for c in String::from_utf8_lossy(bytes).chars() {
            match c {
                // A backslash before such a character is written out too.
                _ if !c.is_ascii() && text.ends_with('\\') && ends_in_backslash(&text) => {
                    text.push_str("u005c");
                    text.push_str(&format!("\\U{:08x}", c as u32));
                }
                _ if c.is_ascii() => text.push(c),
                _ => text.push_str(&format!("\\U{:08x}", c as u32)),
            }
        }
        text
    };
    let object = escaped(bytes);
    let (start, end) = (escaped(&bytes[..start]).len(), escaped(&bytes[..end]).len());
    DecodeError::Unicode { object, start, end, reason }
}

/// Whether the text ends in a backslash that none before it escapes.
fn ends_in_backslash(text: &str) -> bool {
    text.bytes().rev().take_while(|&byte| byte == b'\\').count() % 2 == 1
}
