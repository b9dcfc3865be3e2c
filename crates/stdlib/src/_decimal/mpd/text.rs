//! Numbers as text: parsing, scientific and engineering notation.

use super::coefficient::Coefficient;
use super::context::{Context, EXP_CLAMP, EXP_INF, status::*};
use super::number::{Class, Number};

/// The number that ASCII text stands for, fitted into the context.
pub fn parse(text: &[u8], context: &Context, status: &mut u32) -> Number {
    match parse_exactly(text, context) {
        Some(number) => number.finalize(context, status),
        None => Number::error(status, CONVERSION_SYNTAX),
    }
}

fn strip_prefix_ignoring_case<'a>(text: &'a [u8], prefix: &[u8]) -> Option<&'a [u8]> {
    let head = text.get(..prefix.len())?;
    head.eq_ignore_ascii_case(prefix).then(|| &text[prefix.len()..])
}

fn strip_zeros(mut digits: &[u8]) -> &[u8] {
    while let [b'0', rest @ ..] = digits {
        digits = rest;
    }
    digits
}

fn parse_exactly(text: &[u8], context: &Context) -> Option<Number> {
    let (negative, text) = match text {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        _ => (false, text),
    };
    if let Some(rest) = strip_prefix_ignoring_case(text, b"inf") {
        let complete = rest.is_empty() || rest.eq_ignore_ascii_case(b"inity");
        return complete.then(|| Number::infinity(negative));
    }
    let nan = strip_prefix_ignoring_case(text, b"nan").map(|payload| (Class::QuietNan, payload));
    let nan = nan.or_else(|| strip_prefix_ignoring_case(text, b"snan").map(|payload| (Class::SignalingNan, payload)));
    if let Some((class, payload)) = nan {
        if !payload.iter().all(u8::is_ascii_digit) {
            return None;
        }
        let payload = strip_zeros(payload);
        if payload.len() as i64 > context.prec - i64::from(context.clamp) {
            return None;
        }
        return Some(Number { coefficient: Coefficient::from_ascii(payload), ..Number::special(negative, class) });
    }
    let (mantissa, exponent) = match text.iter().position(|byte| matches!(byte, b'e' | b'E')) {
        Some(at) => (&text[..at], parse_exponent(&text[at + 1..])?),
        None => (text, 0),
    };
    let (whole, fraction) = match mantissa.iter().position(|byte| *byte == b'.') {
        Some(at) => (&mantissa[..at], &mantissa[at + 1..]),
        None => (mantissa, &[][..]),
    };
    let all_digits = |digits: &[u8]| digits.iter().all(u8::is_ascii_digit);
    if whole.is_empty() && fraction.is_empty() || !all_digits(whole) || !all_digits(fraction) {
        return None;
    }
    let coefficient = match fraction {
        [] => Coefficient::from_ascii(strip_zeros(whole)),
        _ => {
            let digits = [whole, fraction].concat();
            Coefficient::from_ascii(strip_zeros(&digits))
        }
    };
    let exp = exponent.saturating_sub(fraction.len() as i64).clamp(EXP_CLAMP, EXP_INF);
    Some(Number::finite(negative, coefficient, exp))
}

fn parse_exponent(text: &[u8]) -> Option<i64> {
    let (negative, digits) = match text {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        _ => (false, text),
    };
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let n = digits.iter().fold(0i64, |n, digit| n.saturating_mul(10).saturating_add(i64::from(digit - b'0')));
    Some(if negative { -n } else { n })
}

/// `to-scientific-string`, or `to-engineering-string` if so asked.
pub fn to_text(number: &Number, engineering: bool, capitals: bool) -> Vec<u8> {
    let mut text = Vec::with_capacity(32);
    if number.negative {
        text.push(b'-');
    }
    match number.class {
        Class::Infinite => text.extend_from_slice(b"Infinity"),
        Class::QuietNan | Class::SignalingNan => {
            text.extend_from_slice(if number.is_signaling() { b"sNaN" } else { b"NaN" });
            if !number.coefficient.is_zero() {
                number.coefficient.push_ascii(&mut text);
            }
        }
        Class::Finite => push_finite(number, engineering, capitals, &mut text),
    }
    text
}

fn push_finite(number: &Number, engineering: bool, capitals: bool, text: &mut Vec<u8>) {
    let start = text.len();
    number.coefficient.push_ascii(text);
    let count = (text.len() - start) as i64;
    let exp = number.exp;
    // Where the point goes, counted from the first digit.
    let left = count + exp;
    let point = if exp <= 0 && left > -6 {
        left
    } else if !engineering {
        1
    } else if number.coefficient.is_zero() {
        (left + 1).rem_euclid(3) - 1
    } else {
        (left - 1).rem_euclid(3) + 1
    };
    if point <= 0 {
        let zeros = point.unsigned_abs() as usize;
        text.splice(start..start, b"0.".iter().copied().chain(std::iter::repeat_n(b'0', zeros)));
    } else if point >= count {
        text.resize(start + point as usize, b'0');
    } else {
        text.insert(start + point as usize, b'.');
    }
    if left != point {
        text.push(if capitals { b'E' } else { b'e' });
        let exponent = left - point;
        text.push(if exponent < 0 { b'-' } else { b'+' });
        text.extend_from_slice(exponent.unsigned_abs().to_string().as_bytes());
    }
}
