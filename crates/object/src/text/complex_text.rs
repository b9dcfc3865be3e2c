//! Complex numbers as text: `repr(complex)` and `complex(text)`.

use super::float_parse::{float_prefix, to_ascii, trim, without_underscores};
use super::float_repr::{Flags, double_to_string};
use super::{TextError, Unit};

/// `repr`: `(real+imagj)`, or `imagj` alone when the real part is a positive zero.
pub fn repr(real: f64, imag: f64) -> String {
    let part = |value, sign| double_to_string(value, b'r', 0, Flags { sign, ..Flags::default() }).unwrap_or_default();
    if real == 0.0 && real.is_sign_positive() {
        format!("{}j", part(imag, false))
    } else {
        format!("({}{}j)", part(real, false), part(imag, true))
    }
}

/// The two parts of the number that the text is.
pub fn parse<U: Unit>(text: &[U]) -> Result<(f64, f64), ParseError> {
    let mut ascii = to_ascii(text);
    if ascii.contains(&b'_') {
        ascii = without_underscores(&ascii).ok_or(ParseError::Unconvertible)?.into();
    }
    parse_ascii(&ascii).ok_or(ParseError::Malformed)
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ParseError {
    Malformed,
    /// An underscore is not between digits. The message is "could not convert string to complex: " and the text's `repr`.
    Unconvertible,
}

impl ParseError {
    pub fn malformed() -> TextError {
        TextError::value("complex() arg is a malformed string")
    }
}

fn parse_ascii(text: &[u8]) -> Option<(f64, f64)> {
    let mut text = trim(text);
    if let [b'(', inner @ ..] = text {
        text = trim(inner.strip_suffix(b")")?);
    }
    let (first, rest) = match float_prefix(text) {
        Some((value, length)) => (Some(value), &text[length..]),
        None => (None, text),
    };
    let is_j = |text: &[u8]| matches!(text, [b'j' | b'J']);
    let unit = |sign: u8| if sign == b'-' { -1.0 } else { 1.0 };
    match (first, rest) {
        (Some(real), []) => Some((real, 0.0)),
        (Some(imag), rest) if is_j(rest) => Some((0.0, imag)),
        (Some(real), [sign @ (b'+' | b'-'), tail @ ..]) => {
            if is_j(tail) {
                return Some((real, unit(*sign)));
            }
            let (imag, length) = float_prefix(rest)?;
            is_j(&rest[length..]).then_some((real, imag))
        }
        (None, [sign @ (b'+' | b'-'), tail @ ..]) if is_j(tail) => Some((0.0, unit(*sign))),
        (None, rest) if is_j(rest) => Some((0.0, 1.0)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reading() {
        let cases = [
            ("1j", "1j"),
            ("j", "1j"),
            ("+j", "1j"),
            ("-j", "-1j"),
            ("1+2j", "(1+2j)"),
            ("(1+2j)", "(1+2j)"),
            (" ( 1+2j ) ", "(1+2j)"),
            ("1_0+2_0j", "(10+20j)"),
            ("infj", "infj"),
            ("nan+infj", "(nan+infj)"),
            ("1e5j", "100000j"),
            ("1e5+1e-5j", "(100000+1e-05j)"),
            ("1+j", "(1+1j)"),
            ("1-j", "(1-1j)"),
            ("1.5", "(1.5+0j)"),
            ("+1", "(1+0j)"),
            ("infinity+nanj", "(inf+nanj)"),
            ("J", "1j"),
            ("-0", "(-0+0j)"),
        ];
        for (text, expected) in cases {
            let (real, imag) = parse(text.as_bytes()).unwrap_or_else(|_| panic!("{text} is a number"));
            assert_eq!(repr(real, imag), expected, "{text}");
        }
        for text in ["1 + 2j", "1+2", "()", "", "1+2j)", "(1", "1jj", "1+1", "++1j", "1+-j", "j1"] {
            assert_eq!(parse(text.as_bytes()), Err(ParseError::Malformed), "{text}");
        }
        assert_eq!(parse(b"1_0x"), Err(ParseError::Malformed));
        assert_eq!(parse(b"1__0j"), Err(ParseError::Unconvertible));
    }
}
