//! Floats as text: CPython's `PyOS_double_to_string`.
//!
//! The digits come from `ryu` (shortest that reads back), from [`scaled`] (a few places, where two words hold the exact
//! product) and the standard library (a given number of them, exact and rounded half to even); this file arranges them.

use super::TextError;
use std::fmt::Write;

/// No finite double has more digits than these; what is asked for beyond them is zeros.
const MAX_DIGITS: usize = 1100;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Flags {
    /// `+` before what is not negative.
    pub sign: bool,
    /// A point even when no digit follows, and `g` keeps its trailing zeros.
    pub alt: bool,
    /// Something that looks like a float: `.0` behind a bare integer.
    pub add_dot_0: bool,
    /// What rounds to zero has no minus sign.
    pub no_neg_0: bool,
}

/// `repr(value)`.
pub fn repr(value: f64) -> String {
    if !value.is_finite() {
        return non_finite(value, false, Flags::default());
    }
    let mut buffer = ryu::Buffer::new();
    let text = buffer.format_finite(value);
    let magnitude = text.strip_prefix('-').unwrap_or(text);
    if magnitude.starts_with("0.0000") || magnitude.contains('e') {
        let (digits, point) = shortest(value);
        return arrange(value.is_sign_negative(), &digits, point, true, b'e', Flags::default());
    }
    text.to_string()
}

/// The value in the style of `code`: `e`, `E`, `f`, `F`, `g`, `G`, or `r` for `repr`'s digits, which has no precision.
pub fn double_to_string(value: f64, code: u8, precision: usize, flags: Flags) -> Result<String, TextError> {
    let upper = code.is_ascii_uppercase();
    if !value.is_finite() {
        return Ok(non_finite(value, upper, flags));
    }
    let exponent_letter = if upper { b'E' } else { b'e' };
    let negative = value.is_sign_negative();
    match code.to_ascii_lowercase() {
        b'f' => fixed(value, precision, flags),
        b'e' => {
            let (mut digits, point) = exact(value, precision + 1);
            pad_digits(&mut digits, precision.checked_add(1).ok_or_else(TextError::memory)?)?;
            Ok(arrange(negative, &digits, point, true, exponent_letter, flags))
        }
        b'g' => {
            let precision = precision.max(1);
            let (mut digits, point) = exact(value, precision);
            // As CPython compares: with a forced ".0" the last place before the point counts as used up.
            let use_exponent = point <= -4 || point > precision.min(1 << 20) as i32 - flags.add_dot_0 as i32;
            if flags.alt {
                pad_digits(&mut digits, precision)?;
            } else {
                while digits.len() > 1 && digits.last() == Some(&b'0') {
                    digits.pop();
                }
            }
            Ok(arrange(negative, &digits, point, use_exponent, exponent_letter, flags))
        }
        _ => {
            let (digits, point) = shortest(value);
            let use_exponent = point <= -4 || point > 16;
            Ok(arrange(negative, &digits, point, use_exponent, exponent_letter, flags))
        }
    }
}

fn non_finite(value: f64, upper: bool, flags: Flags) -> String {
    let (name, negative) = if value.is_nan() { ("nan", false) } else { ("inf", value.is_sign_negative()) };
    let sign = match (negative, flags.sign) {
        (true, _) => "-",
        (false, true) => "+",
        _ => "",
    };
    let text = format!("{sign}{name}");
    if upper { text.to_ascii_uppercase() } else { text }
}

/// The digits of `value` without leading or trailing zeros and the place of the point before them: the value is
/// `0.DIGITS * 10**point`. Zero is the digit 0 with the point behind it.
fn shortest(value: f64) -> (Vec<u8>, i32) {
    let mut buffer = ryu::Buffer::new();
    let text = buffer.format_finite(value.abs());
    let (mantissa, exponent) = match text.split_once('e') {
        Some((mantissa, exponent)) => (mantissa, exponent.parse::<i32>().unwrap_or(0)),
        None => (text, 0),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let mut digits = Vec::with_capacity(24);
    digits.extend_from_slice(whole.as_bytes());
    digits.extend_from_slice(fraction.as_bytes());
    let leading = digits.iter().take_while(|&&digit| digit == b'0').count();
    if leading == digits.len() {
        return (vec![b'0'], 1);
    }
    digits.drain(..leading);
    while digits.last() == Some(&b'0') {
        digits.pop();
    }
    (digits, whole.len() as i32 + exponent - leading as i32)
}

/// `count` significant digits of `value` (at most [`MAX_DIGITS`] of them), rounded half to even.
fn exact(value: f64, count: usize) -> (Vec<u8>, i32) {
    let mut text = String::with_capacity(32);
    let places = count.min(MAX_DIGITS) - 1;
    // Writing to a `String` cannot fail.
    let _ = write!(text, "{:.*e}", places, value.abs());
    let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let digits = mantissa.bytes().filter(|&byte| byte != b'.').collect();
    (digits, exponent.parse::<i32>().unwrap_or(0) + 1)
}

fn pad_digits(digits: &mut Vec<u8>, count: usize) -> Result<(), TextError> {
    let missing = count.saturating_sub(digits.len());
    digits.try_reserve(missing)?;
    digits.resize(digits.len() + missing, b'0');
    Ok(())
}

/// The int nearest to `magnitude * 10**places`, ties to even; `None` where this takes more than two words to find out.
pub fn scaled(magnitude: f64, places: usize) -> Option<u64> {
    const MANTISSA_BITS: u32 = f64::MANTISSA_DIGITS - 1;
    // The product of mantissa and power is below 2^53 * 10^18 < 2^113.
    if places > 18 {
        return None;
    }
    let bits = magnitude.to_bits();
    let biased = (bits >> MANTISSA_BITS) as i32;
    let fraction = bits & ((1 << MANTISSA_BITS) - 1);
    let mantissa = if biased == 0 { fraction } else { fraction | 1 << MANTISSA_BITS };
    let shift = 1075 - biased.max(1);
    let product = mantissa as u128 * 10_u128.pow(places as u32);
    match shift {
        ..0 => None,
        0 => u64::try_from(product).ok(),
        1..=120 => {
            let quotient = u64::try_from(product >> shift).ok()?;
            let rest = product & ((1 << shift) - 1);
            let half = 1 << (shift - 1);
            quotient.checked_add((rest > half || rest == half && quotient & 1 == 1) as u64)
        }
        // Below 2^-67, and 10^18 times that is less than a half.
        _ => Some(0),
    }
}

/// Writes a magnitude with `places` digits behind the point.
fn write_fixed(text: &mut String, magnitude: f64, places: usize) {
    let Some(digits) = scaled(magnitude, places) else {
        // Writing to a `String` cannot fail.
        let _ = write!(text, "{magnitude:.places$}");
        return;
    };
    let mut buffer = [b'0'; 20];
    let mut start = buffer.len();
    let mut rest = digits;
    while rest > 0 || start + places >= buffer.len() {
        start -= 1;
        buffer[start] = b'0' + (rest % 10) as u8;
        rest /= 10;
    }
    let point = buffer.len() - places;
    text.extend(buffer[start..point].iter().map(|&digit| digit as char));
    if places > 0 {
        text.push('.');
        text.extend(buffer[point..].iter().map(|&digit| digit as char));
    }
}

fn fixed(value: f64, precision: usize, flags: Flags) -> Result<String, TextError> {
    let mut text = String::new();
    text.try_reserve(precision.min(MAX_DIGITS) + 24)?;
    let mut negative = value.is_sign_negative();
    let magnitude = value.abs();
    let places = precision.min(MAX_DIGITS);
    let start = (negative || flags.sign) as usize;
    if start == 1 {
        text.push(if negative { '-' } else { '+' });
    }
    write_fixed(&mut text, magnitude, places);
    if negative && flags.no_neg_0 && text[1..].bytes().all(|byte| matches!(byte, b'0' | b'.')) {
        negative = false;
        text.replace_range(..1, if flags.sign { "+" } else { "" });
    }
    debug_assert!(!negative || text.starts_with('-'));
    let missing = precision - places;
    if missing > 0 {
        text.try_reserve(missing)?;
        text.extend(std::iter::repeat_n('0', missing));
    }
    if precision == 0 {
        if flags.add_dot_0 {
            text.push_str(".0");
        } else if flags.alt {
            text.push('.');
        }
    }
    Ok(text)
}

fn arrange(negative: bool, digits: &[u8], point: i32, use_exponent: bool, letter: u8, flags: Flags) -> String {
    let mut out = String::with_capacity(digits.len() + 8);
    let push = |out: &mut String, digits: &[u8]| out.extend(digits.iter().map(|&digit| digit as char));
    let is_zero = digits.iter().all(|&digit| digit == b'0');
    if negative && !(flags.no_neg_0 && is_zero) {
        out.push('-');
    } else if flags.sign {
        out.push('+');
    }
    let whole = if use_exponent { 1 } else { point };
    let has_fraction;
    if whole <= 0 {
        out.push_str("0.");
        out.extend(std::iter::repeat_n('0', -whole as usize));
        push(&mut out, digits);
        has_fraction = true;
    } else {
        let whole = whole as usize;
        push(&mut out, &digits[..whole.min(digits.len())]);
        out.extend(std::iter::repeat_n('0', whole.saturating_sub(digits.len())));
        has_fraction = digits.len() > whole;
        if has_fraction {
            out.push('.');
            push(&mut out, &digits[whole..]);
        }
    }
    if !has_fraction {
        if flags.add_dot_0 && !use_exponent {
            out.push_str(".0");
        } else if flags.alt {
            out.push('.');
        }
    }
    if use_exponent {
        // Zero has the point behind its digit, so its exponent is zero as well.
        let exponent = point - 1;
        out.push(letter as char);
        out.push(if exponent < 0 { '-' } else { '+' });
        let _ = write!(out, "{:02}", exponent.unsigned_abs());
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fixed_digits_are_those_of_the_standard_library() {
        let magnitudes = [
            0.0,
            0.5,
            1.5,
            2.5,
            0.125,
            0.375,
            1.005,
            2.675,
            1e-3,
            5e-324,
            1e-25,
            0.1,
            0.3,
            99.995,
            999999.5,
            1e15,
            1e16,
            4503599627370496.5,
            9007199254740991.0,
            9007199254740993.0,
            1.8446744073709552e19,
            1e22,
            1e300,
            123456.789,
        ];
        for magnitude in magnitudes {
            for places in 0..24 {
                let mut text = String::new();
                write_fixed(&mut text, magnitude, places);
                assert_eq!(text, format!("{magnitude:.places$}"));
            }
        }
    }

    #[test]
    fn repr_is_the_shortest_that_reads_back() {
        let cases = [
            (0.0, "0.0"),
            (-0.0, "-0.0"),
            (1.0, "1.0"),
            (0.1, "0.1"),
            (1e16, "1e+16"),
            (1e15, "1000000000000000.0"),
            (123456789012345680.0, "1.2345678901234568e+17"),
            (9999999999999998.0, "9999999999999998.0"),
            (1e-4, "0.0001"),
            (1e-5, "1e-05"),
            (1.5e-5, "1.5e-05"),
            (5e-324, "5e-324"),
            (1e100, "1e+100"),
            (1.7976931348623157e308, "1.7976931348623157e+308"),
            (2f64.powi(-44), "5.684341886080802e-14"),
            (9007199254740993.0, "9007199254740992.0"),
            (f64::INFINITY, "inf"),
            (f64::NEG_INFINITY, "-inf"),
            (-f64::NAN, "nan"),
            (1e22, "1e+22"),
            (-1.5e300, "-1.5e+300"),
        ];
        for (value, expected) in cases {
            assert_eq!(repr(value), expected);
        }
    }
}
