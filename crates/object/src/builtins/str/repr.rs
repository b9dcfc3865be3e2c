//! `repr` and `ascii` of strings.

use super::Str;
use crate::text::Unit;
use crate::text::builder::GivenUp;
use crate::text::builder::TextBuilder;
use crate::text::unicode;
use crate::value::Value;
use crate::with_units;

const HEX: &[u8; 16] = b"0123456789abcdef";

/// Appends `\xhh`, `\uhhhh` or `\Uhhhhhhhh`.
fn push_escape(out: &mut TextBuilder, code: u32) {
    let (letter, digits) = match code {
        0..=0xff => (b'x', 2),
        0x100..=0xffff => (b'u', 4),
        _ => (b'U', 8),
    };
    out.push_ascii(&[b'\\', letter]);
    for digit in (0..digits).rev() {
        out.push_ascii(&[HEX[(code >> (4 * digit) & 15) as usize]]);
    }
}

fn write<U: Unit>(units: &[U], out: &mut TextBuilder, ascii_only: bool) {
    let has = |byte: u8| units.iter().any(|unit| unit.code() == byte as u32);
    let quote = if has(b'\'') && !has(b'"') { b'"' } else { b'\'' };
    out.push_ascii(&[quote]);
    let plain = |code: u32| {
        (0x20..0x7f).contains(&code) && code != quote as u32 && code != b'\\' as u32
            || code >= 0x7f && !ascii_only && unicode::is_printable(code)
    };
    let mut start = 0;
    for (at, unit) in units.iter().enumerate() {
        let code = unit.code();
        if plain(code) {
            continue;
        }
        out.push_units(&units[start..at]);
        start = at + 1;
        match code {
            9 => out.push_ascii(b"\\t"),
            10 => out.push_ascii(b"\\n"),
            13 => out.push_ascii(b"\\r"),
            0x5c => out.push_ascii(b"\\\\"),
            _ if code == quote as u32 => out.push_ascii(&[b'\\', quote]),
            _ => push_escape(out, code),
        }
    }
    out.push_units(&units[start..]);
    out.push_ascii(&[quote]);
}

/// `repr(text)`
pub fn repr(text: &Str) -> Value {
    if let Some(plain) = text.as_ascii()
        && plain.bytes().all(|byte| (0x20..0x7f).contains(&byte) && byte != b'\'' && byte != b'\\')
    {
        let mut quoted = Vec::new();
        if quoted.make_room(plain.len() + 2) {
            quoted.push(b'\'');
            quoted.extend_from_slice(plain.as_bytes());
            quoted.push(b'\'');
        }
        return Str::from_ascii(&quoted).into_value();
    }
    let mut out = TextBuilder::with_capacity(text.len() + 2);
    with_units!(text, |units| write(units, &mut out, false));
    Str::from_text(out.finish()).into_value()
}

/// A `repr` with everything beyond ASCII escaped: `ascii(object)`.
pub fn ascii(repr: &Value) -> Value {
    let Some(text) = repr.downcast::<Str>() else { return repr.clone() };
    if text.is_ascii() {
        return repr.clone();
    }
    let mut out = TextBuilder::with_capacity(text.len() * 2);
    for code in text.code_points() {
        if code < 0x80 { out.push(code) } else { push_escape(&mut out, code) }
    }
    Str::from_text(out.finish()).into_value()
}
