//! `float.hex` and `float.fromhex`.

use super::float_parse::trim;
use super::{TextError, Unit};

pub fn hex(value: f64) -> String {
    if !value.is_finite() {
        return super::float_repr::repr(value);
    }
    let sign = if value.is_sign_negative() { "-" } else { "" };
    let bits = value.to_bits();
    let fraction = bits & ((1 << 52) - 1);
    match (bits >> 52 & 0x7ff) as i32 {
        0 if fraction == 0 => format!("{sign}0x0.0p+0"),
        0 => format!("{sign}0x0.{fraction:013x}p-1022"),
        exponent => format!("{sign}0x1.{fraction:013x}p{:+}", exponent - 1023),
    }
}

fn invalid() -> TextError {
    TextError::value("invalid hexadecimal floating-point string")
}

fn too_large() -> TextError {
    TextError::overflow("hexadecimal value too large to represent as a float")
}

pub fn from_hex<U: Unit>(text: &[U]) -> Result<f64, TextError> {
    let ascii: Vec<u8> = text.iter().map(|unit| u8::try_from(unit.code()).unwrap_or(0xff)).collect();
    let text = trim(&ascii);
    let (negative, text) = match text.split_first() {
        Some((b'-', rest)) => (true, rest),
        Some((b'+', rest)) => (false, rest),
        _ => (false, text),
    };
    let is = |name: &str| text.eq_ignore_ascii_case(name.as_bytes());
    let magnitude = if is("inf") || is("infinity") {
        f64::INFINITY
    } else if is("nan") {
        f64::NAN
    } else {
        parse_magnitude(text)?
    };
    Ok(if negative { -magnitude } else { magnitude })
}

fn parse_magnitude(text: &[u8]) -> Result<f64, TextError> {
    let text = match text {
        [b'0', b'x' | b'X', rest @ ..] => rest,
        _ => text,
    };
    let mut digits = 0_usize;
    let mut fraction_digits = 0_i64;
    let mut seen_point = false;
    // The leading 61 to 64 bits of the digits; below them, only whether anything is there matters.
    let mut mantissa = 0_u64;
    let mut sticky = false;
    let mut dropped_digits = 0_i64;
    let mut at = 0;
    while let Some(&byte) = text.get(at) {
        match (byte as char).to_digit(16) {
            Some(digit) => {
                digits += 1;
                fraction_digits += seen_point as i64;
                if mantissa >> 60 == 0 {
                    mantissa = mantissa << 4 | digit as u64;
                } else {
                    sticky |= digit != 0;
                    dropped_digits += 1;
                }
            }
            None if byte == b'.' && !seen_point => seen_point = true,
            None => break,
        }
        at += 1;
    }
    if digits == 0 {
        return Err(invalid());
    }
    let exponent = match &text[at..] {
        [] => 0,
        [b'p' | b'P', rest @ ..] => parse_exponent(rest)?,
        _ => return Err(invalid()),
    };
    if mantissa == 0 {
        return Ok(0.0);
    }
    // The value is mantissa * 2**exponent, and a bit more when `sticky`.
    let exponent = exponent.saturating_add(4 * (dropped_digits - fraction_digits));
    let bits = 64 - mantissa.leading_zeros() as i64;
    let top = exponent.saturating_add(bits); // 2**(top-1) <= value < 2**top
    if top > 1024 {
        return Err(too_large());
    }
    if top < -1074 {
        return Ok(0.0);
    }
    // The place of the last bit that the double keeps.
    let last = (top - 53).max(-1074);
    let shift = last - exponent;
    let rounded = if shift <= 0 {
        (mantissa as u128) << -shift
    } else if shift > 64 {
        0
    } else {
        let wide = (mantissa as u128) << 1 | sticky as u128;
        let (kept, rest, half) = (wide >> (shift + 1), wide & ((2 << shift) - 1), 1 << shift);
        kept + (rest > half || (rest == half && kept & 1 == 1)) as u128
    };
    if rounded == 1 << 53 && last + 54 > 1024 {
        return Err(too_large());
    }
    Ok(scale(rounded as u64, last))
}

/// `mantissa * 2**exponent`, where the result is exact.
fn scale(mantissa: u64, exponent: i64) -> f64 {
    if exponent >= -1022 {
        let value = mantissa as f64;
        let half = exponent / 2;
        value * 2f64.powi(half as i32) * 2f64.powi((exponent - half) as i32)
    } else {
        mantissa as f64 * 2f64.powi(-1000) * 2f64.powi((exponent + 1000) as i32)
    }
}

fn parse_exponent(text: &[u8]) -> Result<i64, TextError> {
    let (negative, digits) = match text.split_first() {
        Some((b'-', rest)) => (true, rest),
        Some((b'+', rest)) => (false, rest),
        _ => (false, text),
    };
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return Err(invalid());
    }
    let value = digits.iter().fold(0_i64, |value, &digit| {
        // Half of the range is left for the digits' own weight.
        (value * 10 + (digit - b'0') as i64).min(i64::MAX / 20)
    });
    Ok(if negative { -value } else { value })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<f64, String> {
        from_hex(text.as_bytes()).map_err(|error| error.message.to_string())
    }

    #[test]
    fn both_ways() {
        for value in [0.0, -0.0, 1.0, 1.5, 0.1, -1e300, 5e-324, 2.2250738585072014e-308, 1.7976931348623157e308] {
            assert_eq!(parse(&hex(value)).map(f64::to_bits), Ok(value.to_bits()));
        }
        assert_eq!(hex(3.0), "0x1.8000000000000p+1");
        assert_eq!(hex(-5e-324), "-0x0.0000000000001p-1022");
        assert_eq!(hex(f64::NEG_INFINITY), "-inf");
    }

    #[test]
    fn reading() {
        let cases = [
            ("0x1p3", 8.0),
            ("1p3", 8.0),
            ("0x.8", 0.5),
            ("0x1.8p1023", 1.348269851146737e308),
            (" 0x1 ", 1.0),
            ("0x1.fffffffffffff7p1023", f64::MAX),
            ("0x1p-1075", 0.0),
            ("0x1.8p-1075", 5e-324),
            ("1p-1074", 5e-324),
            ("0x0p99999999999999999999", 0.0),
            ("0x1p-99999999999999999999", 0.0),
            ("0X1P1", 2.0),
            ("1.", 1.0),
            ("0x1.0000000000000800000001", 1.0000000000000002),
            ("0x1.00000000000008", 1.0),
            ("0x1.00000000000018", 1.0000000000000004),
            ("0x1.000000000000000000000000000001p-1075", 5e-324),
            ("0x1000000000000000000000p-84", 1.0),
            ("0x123456789abcdef01234.8p-20", 8.19855292164869e16),
            ("INF", f64::INFINITY),
        ];
        for (text, value) in cases {
            assert_eq!(parse(text), Ok(value), "{text}");
        }
        for text in ["0x1p1024", "0x1.fffffffffffff8p1023", "0x1p99999999999999999999"] {
            assert_eq!(parse(text), Err("hexadecimal value too large to represent as a float".into()), "{text}");
        }
        for text in ["", "0x", "0x.p1", "p1", "0x1 p", "0x1p", "0x1p+", "infx", "0x1__0", "\x1c1", "1..", "+-1"] {
            assert_eq!(parse(text), Err("invalid hexadecimal floating-point string".into()), "{text}");
        }
    }
}
