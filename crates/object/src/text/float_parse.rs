//! `float(text)`: decimal text to the nearest double.

use super::Unit;
use super::unicode::{decimal, is_space};
use std::borrow::Cow;

/// The value of the whole text, surrounding white space, underscores between digits and all decimal digits of Unicode
/// included. `None` when it is no number.
pub fn parse_float<U: Unit>(text: &[U]) -> Option<f64> {
    parse_ascii(trim(&to_ascii(text)))
}

/// The same for the bytes of a buffer, where only ASCII counts.
pub fn parse_float_bytes(text: &[u8]) -> Option<f64> {
    parse_ascii(trim(text))
}

/// Digits and white space beyond ASCII become ASCII ones, anything else there a question mark. What is ASCII stays as
/// it is, so `\x1c` is not white space here, although `str.isspace` says so.
pub(super) fn to_ascii<U: Unit>(text: &[U]) -> Cow<'_, [u8]> {
    if let Some(bytes) = U::as_bytes(text).filter(|bytes| bytes.is_ascii()) {
        return Cow::Borrowed(bytes);
    }
    let ascii = |unit: &U| match unit.code() {
        c if c < 0x80 => c as u8,
        c if is_space(c) => b' ',
        c => decimal(c).map_or(b'?', |value| b'0' + value),
    };
    Cow::Owned(text.iter().map(ascii).collect())
}

pub(super) fn trim(text: &[u8]) -> &[u8] {
    let is_space = |byte: &u8| matches!(byte, b' ' | b'\t'..=b'\r');
    let start = text.iter().take_while(|byte| is_space(byte)).count();
    let end = text[start..].iter().rev().take_while(|byte| is_space(byte)).count();
    &text[start..text.len() - end]
}

fn parse_ascii(text: &[u8]) -> Option<f64> {
    if text.contains(&b'_') {
        let plain = without_underscores(text)?;
        return parse_ascii(&plain);
    }
    let (value, length) = float_prefix(text)?;
    (length == text.len()).then_some(value)
}

/// The text without its underscores, each of which must stand between two digits.
pub(super) fn without_underscores(text: &[u8]) -> Option<Vec<u8>> {
    let mut plain = Vec::with_capacity(text.len());
    let mut previous = 0_u8;
    for &byte in text {
        if byte == b'_' {
            if !previous.is_ascii_digit() {
                return None;
            }
        } else {
            if previous == b'_' && !byte.is_ascii_digit() {
                return None;
            }
            plain.push(byte);
        }
        previous = byte;
    }
    (previous != b'_').then_some(plain)
}

/// The longest number that the text begins with, and its length: what C's `strtod` takes, without hexadecimals.
pub(super) fn float_prefix(text: &[u8]) -> Option<(f64, usize)> {
    let sign = matches!(text.first(), Some(b'+' | b'-')) as usize;
    let negative = text.first() == Some(&b'-');
    let rest = &text[sign..];
    if let Some((value, length)) = named(rest) {
        return Some((if negative { -value } else { value }, sign + length));
    }
    let digits = |from: usize| rest[from..].iter().take_while(|byte| byte.is_ascii_digit()).count();
    let whole = digits(0);
    let mut end = whole;
    let mut fraction = 0;
    if rest.get(end) == Some(&b'.') {
        fraction = digits(end + 1);
        end += 1 + fraction;
    }
    if whole + fraction == 0 {
        return None;
    }
    if matches!(rest.get(end), Some(b'e' | b'E')) {
        let exponent_sign = matches!(rest.get(end + 1), Some(b'+' | b'-')) as usize;
        let exponent = digits(end + 1 + exponent_sign);
        if exponent > 0 {
            end += 1 + exponent_sign + exponent;
        }
    }
    let value = std::str::from_utf8(&rest[..end]).ok()?.parse::<f64>().ok()?;
    Some((if negative { -value } else { value }, sign + end))
}

fn named(text: &[u8]) -> Option<(f64, usize)> {
    let starts = |name: &[u8]| text.get(..name.len()).is_some_and(|start| start.eq_ignore_ascii_case(name));
    if starts(b"infinity") {
        Some((f64::INFINITY, 8))
    } else if starts(b"inf") {
        Some((f64::INFINITY, 3))
    } else if starts(b"nan") {
        Some((f64::NAN, 3))
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Option<f64> {
        parse_float(&text.chars().map(|c| c as u32).collect::<Vec<_>>())
    }

    #[test]
    fn numbers() {
        let cases = [
            ("1_0", 10.0),
            ("1e5_0", 1e50),
            (" \u{2003} 1\u{3000}", 1.0),
            ("+INF", f64::INFINITY),
            ("5.", 5.0),
            ("infinity", f64::INFINITY),
            (".5", 0.5),
            ("١٢٣.٥", 123.5),
            ("\u{a0}1", 1.0),
            ("1e400", f64::INFINITY),
            ("1e-400", 0.0),
            ("  1_000.5e3 ", 1000500.0),
            ("1e99999999999999999999", f64::INFINITY),
            ("-1e-99999999999999999999", -0.0),
            ("2.2250738585072011e-308", 2.225073858507201e-308),
        ];
        for (text, value) in cases {
            assert_eq!(parse(text).map(f64::to_bits), Some(value.to_bits()), "{text}");
        }
        assert!(parse("nan").is_some_and(|value| value.is_nan() && value.is_sign_positive()));
        assert!(parse("-nan").is_some_and(|value| value.is_nan() && value.is_sign_negative()));
    }

    #[test]
    fn what_is_no_number() {
        let cases = [
            "",
            " ",
            "\x1c1",
            "\x1c\u{661}",
            "1__0",
            "_1",
            "1_",
            "1_.5",
            "1._5",
            "1e_5",
            "0x1",
            "in",
            "1e",
            "1e+",
            ".",
            "1\0",
            "infinityx",
            "1 2",
            "--1",
            "1e1.5",
            "é",
        ];
        for text in cases {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
