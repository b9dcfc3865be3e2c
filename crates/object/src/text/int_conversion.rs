//! Ints as text and as bytes.
//!
//! Numbers are an `i64` where they fit and an [`IBig`] otherwise. Long decimal texts are converted by divide and
//! conquer; `sys.set_int_max_str_digits` is the parameter `max_digits`, 0 meaning no limit.

use super::float_parse::{to_ascii, trim};
use super::{TextError, Unit};
use dashu_int::ops::BitTest;
use dashu_int::{IBig, Sign, UBig, Word};

/// The limit that interpreters start with.
pub const DEFAULT_MAX_DIGITS: usize = 4300;

/// Numbers with fewer digits are converted whatever the limit says.
pub const MAX_DIGITS_THRESHOLD: usize = 640;

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Int {
    Small(i64),
    Big(IBig),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ParseIntError {
    /// "invalid literal for int() with base B: " and the `repr` of the text.
    Invalid,
    Other(TextError),
}

pub fn base_error() -> TextError {
    TextError::value("int() base must be >= 2 and <= 36, or 0")
}

/// `int(text, base)`; the base is 0 (as in source code) or 2 to 36.
pub fn parse_int<U: Unit>(text: &[U], base: u32, max_digits: usize) -> Result<Int, ParseIntError> {
    match U::as_bytes(text).filter(|bytes| bytes.is_ascii()) {
        Some(bytes) => parse_ascii(bytes, base, max_digits),
        None => parse_ascii(&to_ascii(text), base, max_digits),
    }
}

/// The same for a bytes-like object, where only ASCII counts.
pub fn parse_int_bytes(text: &[u8], base: u32, max_digits: usize) -> Result<Int, ParseIntError> {
    parse_ascii(text, base, max_digits)
}

fn parse_ascii(text: &[u8], base: u32, max_digits: usize) -> Result<Int, ParseIntError> {
    if base == 1 || base > 36 {
        return Err(ParseIntError::Other(base_error()));
    }
    let text = trim(text);
    let (negative, text) = match text {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        _ => (false, text),
    };
    let prefixed = match text {
        [b'0', b'x' | b'X', ..] => 16,
        [b'0', b'o' | b'O', ..] => 8,
        [b'0', b'b' | b'B', ..] => 2,
        _ => 0,
    };
    let zeros_only = base == 0 && prefixed == 0 && text.first() == Some(&b'0');
    let base = match (base, prefixed) {
        (0, 0) => 10,
        (0, prefixed) => prefixed,
        (base, _) => base,
    };
    let digits = if prefixed == base { text[2..].strip_prefix(b"_").unwrap_or(&text[2..]) } else { text };
    if let Some(value) = parse_small(digits, base, negative) {
        return if zeros_only && value != 0 { Err(ParseIntError::Invalid) } else { Ok(Int::Small(value)) };
    }
    // Mostly there are digits only: they are refused or copied as a whole.
    let run = leading_digits(digits, base);
    if run == digits.len() && is_over(run, base, max_digits) {
        return Err(over_limit(run, max_digits));
    }
    let mut plain = Vec::with_capacity(digits.len());
    plain.extend_from_slice(&digits[..run]);
    let mut previous = if run == 0 { b'_' } else { digits[run - 1] };
    let mut end = run;
    for &byte in &digits[run..] {
        if byte == b'_' {
            if previous == b'_' {
                return Err(ParseIntError::Invalid);
            }
        } else if (DIGIT_VALUES[byte as usize] as u32) < base {
            plain.push(byte);
        } else {
            break;
        }
        previous = byte;
        end += 1;
    }
    if previous == b'_' {
        return Err(ParseIntError::Invalid);
    }
    if is_over(plain.len(), base, max_digits) {
        return Err(over_limit(plain.len(), max_digits));
    }
    if end < digits.len() {
        return Err(ParseIntError::Invalid);
    }
    let magnitude = if base == 10 && plain.len() <= SCHOOLBOOK_DIGITS {
        decimal_magnitude(&plain)
    } else {
        let plain = std::str::from_utf8(&plain).map_err(|_| ParseIntError::Invalid)?;
        UBig::from_str_radix(plain, base).map_err(|_| ParseIntError::Invalid)?
    };
    if zeros_only && magnitude != UBig::ZERO {
        return Err(ParseIntError::Invalid);
    }
    let sign = if negative { Sign::Negative } else { Sign::Positive };
    Ok(from_big(IBig::from_parts(sign, magnitude)))
}

/// How many digits of the base the text begins with. Blocks of decimal digits are tested as a whole.
fn leading_digits(text: &[u8], base: u32) -> usize {
    const BLOCK: usize = 64;
    let decimal = text.chunks_exact(BLOCK).take_while(|block| block.iter().all(|byte| byte.is_ascii_digit())).count();
    let start = if base < 10 { 0 } else { decimal * BLOCK };
    let rest = text[start..].iter().take_while(|byte| (DIGIT_VALUES[**byte as usize] as u32) < base).count();
    start + rest
}

/// Whether so many digits are more than `sys.set_int_max_str_digits` allows; it is about bases that take time only.
fn is_over(count: usize, base: u32, max_digits: usize) -> bool {
    max_digits > 0 && count > max_digits && count > MAX_DIGITS_THRESHOLD && !base.is_power_of_two()
}

fn over_limit(count: usize, max_digits: usize) -> ParseIntError {
    ParseIntError::Other(TextError::value(format!(
        "Exceeds the limit ({max_digits} digits) for integer string conversion: value has {count} digits; \
         use sys.set_int_max_str_digits() to increase the limit"
    )))
}

/// The value of up to 18 digits without underscores, in one go.
fn parse_small(digits: &[u8], base: u32, negative: bool) -> Option<i64> {
    // 36**12 and 10**18 fit.
    let limit = if base <= 10 { 18 } else { 12 };
    if digits.is_empty() || digits.len() > limit {
        return None;
    }
    let mut value = 0_i64;
    for &byte in digits {
        let digit = DIGIT_VALUES[byte as usize];
        if digit as u32 >= base {
            return None;
        }
        value = value * base as i64 + digit as i64;
    }
    Some(if negative { -value } else { value })
}

/// The value of each digit, 255 for what is none.
static DIGIT_VALUES: [u8; 256] = {
    let mut values = [255; 256];
    let mut digit = 0;
    while digit < 36 {
        if digit < 10 {
            values[b'0' as usize + digit] = digit as u8;
        } else {
            values[b'a' as usize + digit - 10] = digit as u8;
            values[b'A' as usize + digit - 10] = digit as u8;
        }
        digit += 1;
    }
    values
};

/// Up to so many digits the quadratic way is the fastest.
const SCHOOLBOOK_DIGITS: usize = 380;

/// The digits that are converted at once: the greatest power of ten in a word.
const CHUNK_DIGITS: usize = 19;
const CHUNK: u64 = 10_u64.pow(CHUNK_DIGITS as u32);
const _: () = assert!(Word::BITS == 64);

fn decimal_magnitude(digits: &[u8]) -> UBig {
    let mut words: Vec<Word> = Vec::with_capacity(digits.len() / CHUNK_DIGITS + 1);
    let (first, rest) = digits.split_at(digits.len() % CHUNK_DIGITS);
    for chunk in std::iter::once(first).chain(rest.chunks(CHUNK_DIGITS)) {
        let mut carry = chunk.iter().fold(0_u64, |value, digit| value * 10 + (digit - b'0') as u64);
        for word in &mut words {
            let product = *word as u128 * CHUNK as u128 + carry as u128;
            *word = product as u64;
            carry = (product >> 64) as u64;
        }
        if carry > 0 {
            words.push(carry);
        }
    }
    UBig::from_words(&words)
}

/// The decimal digits by way of base 10**9, whose divisions the compiler turns into multiplications.
fn schoolbook_decimal(words: &[Word]) -> String {
    const BILLION: u64 = 1_000_000_000;
    let mut limbs: Vec<u32> = Vec::with_capacity(words.len() * 64 / 29 + 1);
    for word in words.iter().rev() {
        for half in [word >> 32, word & 0xffff_ffff] {
            let mut carry = half;
            for limb in &mut limbs {
                let value = (*limb as u64) << 32 | carry;
                carry = value / BILLION;
                *limb = (value % BILLION) as u32;
            }
            while carry > 0 {
                limbs.push((carry % BILLION) as u32);
                carry /= BILLION;
            }
        }
    }
    let mut digits = String::with_capacity(limbs.len() * 9);
    let mut buffer = [0; 20];
    for limb in limbs.iter().rev() {
        let text = small_to_decimal(*limb as i64, &mut buffer);
        if !digits.is_empty() {
            digits.extend(std::iter::repeat_n('0', 9 - text.len()));
        }
        digits.extend(text.iter().map(|&digit| digit as char));
    }
    if digits.is_empty() { "0".to_string() } else { digits }
}

fn from_big(value: IBig) -> Int {
    match i64::try_from(&value) {
        Ok(small) => Int::Small(small),
        Err(_) => Int::Big(value),
    }
}

/// Two decimal digits for each number below 100.
static PAIRS: [u8; 200] = {
    let mut pairs = [0; 200];
    let mut number = 0;
    while number < 100 {
        pairs[2 * number] = b'0' + (number / 10) as u8;
        pairs[2 * number + 1] = b'0' + (number % 10) as u8;
        number += 1;
    }
    pairs
};

/// The decimal digits of `value`, at the end of `buffer`.
pub fn small_to_decimal(value: i64, buffer: &mut [u8; 20]) -> &[u8] {
    let mut rest = value.unsigned_abs();
    let mut at = buffer.len();
    while rest >= 100 {
        let pair = 2 * (rest % 100) as usize;
        rest /= 100;
        at -= 2;
        buffer[at..at + 2].copy_from_slice(&PAIRS[pair..pair + 2]);
    }
    if rest >= 10 {
        at -= 2;
        buffer[at..at + 2].copy_from_slice(&PAIRS[2 * rest as usize..2 * rest as usize + 2]);
    } else {
        at -= 1;
        buffer[at] = b'0' + rest as u8;
    }
    if value < 0 {
        at -= 1;
        buffer[at] = b'-';
    }
    &buffer[at..]
}

/// The lower-case digits of `value` in a base that is a power of two, at the end of `buffer`.
pub fn small_to_power_of_two_base(value: u64, base: u32, buffer: &mut [u8; 64]) -> &[u8] {
    debug_assert!(base.is_power_of_two() && (2..=16).contains(&base));
    let width = base.trailing_zeros();
    let (mut rest, mut at) = (value, buffer.len());
    loop {
        at -= 1;
        buffer[at] = b"0123456789abcdef"[(rest & (base as u64 - 1)) as usize & 15];
        rest >>= width;
        if rest == 0 {
            return &buffer[at..];
        }
    }
}

fn limit_error(max_digits: usize) -> TextError {
    TextError::value(format!(
        "Exceeds the limit ({max_digits} digits) for integer string conversion; \
         use sys.set_int_max_str_digits() to increase the limit"
    ))
}

/// The decimal digits of a magnitude.
pub fn to_decimal(magnitude: &UBig, max_digits: usize) -> Result<String, TextError> {
    let bits = magnitude.bit_len();
    // A number of so many bits has at least this many digits (log10(2) > 0.30102).
    let least = bits.saturating_sub(1) as u64 as u128 * 30102 / 100_000;
    if max_digits > 0 && least as usize > max_digits && least as usize > MAX_DIGITS_THRESHOLD {
        return Err(limit_error(max_digits));
    }
    let words = magnitude.as_words();
    let short = words.len() <= SCHOOLBOOK_DIGITS / CHUNK_DIGITS;
    let digits = if short { schoolbook_decimal(words) } else { magnitude.to_string() };
    if max_digits > 0 && digits.len() > max_digits && digits.len() > MAX_DIGITS_THRESHOLD {
        return Err(limit_error(max_digits));
    }
    Ok(digits)
}

/// The lower-case digits of a magnitude in a base that is a power of two.
pub fn to_power_of_two_base(magnitude: &UBig, base: u32) -> Result<String, TextError> {
    debug_assert!(base.is_power_of_two() && (2..=32).contains(&base));
    let width = base.trailing_zeros() as usize;
    let words = magnitude.as_words();
    let count = magnitude.bit_len().div_ceil(width).max(1);
    let mut digits = String::new();
    digits.try_reserve_exact(count).map_err(|_| TextError::memory())?;
    for at in (0..count).rev() {
        let (word, bit) = (at * width / 64, at * width % 64);
        let mut digit = words.get(word).map_or(0, |word| word >> bit);
        if bit + width > 64 {
            digit |= words.get(word + 1).map_or(0, |next| next << (64 - bit));
        }
        let digit = char::from_digit(digit as u32 & (base - 1), base);
        digits.push(digit.expect("the digit is below the base"));
    }
    Ok(digits)
}

/// `int.from_bytes`.
pub fn from_bytes(bytes: &[u8], little: bool, signed: bool) -> Int {
    if bytes.len() <= 8 {
        let mut words = [0; 8];
        for (at, &byte) in bytes.iter().enumerate() {
            words[if little { at } else { bytes.len() - 1 - at }] = byte;
        }
        let value = u64::from_le_bytes(words);
        if signed {
            let shift = 64 - 8 * bytes.len() as u32;
            return Int::Small(if shift == 64 { 0 } else { (value << shift) as i64 >> shift });
        }
        if let Ok(value) = i64::try_from(value) {
            return Int::Small(value);
        }
    }
    from_big(match (little, signed) {
        (true, false) => IBig::from(UBig::from_le_bytes(bytes)),
        (false, false) => IBig::from(UBig::from_be_bytes(bytes)),
        (true, true) => IBig::from_le_bytes(bytes),
        (false, true) => IBig::from_be_bytes(bytes),
    })
}

/// `int.to_bytes`.
pub fn to_bytes(value: &Int, length: usize, little: bool, signed: bool) -> Result<Vec<u8>, TextError> {
    let negative = match value {
        Int::Small(value) => *value < 0,
        Int::Big(value) => value.sign() == Sign::Negative,
    };
    if negative && !signed {
        return Err(TextError::overflow("can't convert negative int to unsigned"));
    }
    let mut bytes = match value {
        Int::Small(value) => value.to_le_bytes().to_vec(),
        Int::Big(value) => value.to_le_bytes().into_vec(),
    };
    // Two's complement in as many bytes as it needs, then as many as asked for.
    let filler = if negative { 0xff } else { 0 };
    while bytes.last() == Some(&filler) {
        bytes.pop();
    }
    let top_is_sign = bytes.last().map_or(!negative, |byte| (byte >> 7 == 1) == negative);
    if bytes.len() > length || (signed && bytes.len() == length && !top_is_sign && (length != 0 || negative)) {
        return Err(TextError::overflow("int too big to convert"));
    }
    bytes.try_reserve(length - bytes.len())?;
    bytes.resize(length, filler);
    if !little {
        bytes.reverse();
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use dashu_int::ops::UnsignedAbs;

    fn parse(text: &str, base: u32) -> Option<String> {
        let codes: Vec<u32> = text.chars().map(|c| c as u32).collect();
        match parse_int(&codes, base, DEFAULT_MAX_DIGITS) {
            Ok(Int::Small(value)) => Some(value.to_string()),
            Ok(Int::Big(value)) => Some(value.to_string()),
            Err(_) => None,
        }
    }

    #[test]
    fn reading() {
        let cases = [
            ("0x_1", 16, "1"),
            ("0x1", 0, "1"),
            ("00", 0, "0"),
            ("0_0", 0, "0"),
            ("0b1", 2, "1"),
            ("0b1", 16, "177"),
            ("0o7", 8, "7"),
            ("0B1", 0, "1"),
            ("z", 36, "35"),
            ("0b", 16, "11"),
            ("-0x1f", 16, "-31"),
            ("+1", 10, "1"),
            (" 12 ", 10, "12"),
            ("\u{661}\u{662}", 10, "12"),
            ("\u{2003}1\u{3000}", 10, "1"),
            ("-0", 0, "0"),
            ("0x\u{661}", 16, "1"),
            ("0o_7", 0, "7"),
            ("1_000_000_000_000_000_000_000", 10, "1000000000000000000000"),
            ("-9223372036854775808", 10, "-9223372036854775808"),
            ("9223372036854775808", 10, "9223372036854775808"),
            ("ffffffffffffffffffffffff", 16, "79228162514264337593543950335"),
            ("1_0", 10, "10"),
        ];
        for (text, base, expected) in cases {
            assert_eq!(parse(text, base).as_deref(), Some(expected), "{text} in base {base}");
        }
        let wrong = [
            ("_1", 10),
            ("1__0", 10),
            ("1_", 10),
            ("010", 0),
            ("0x", 16),
            ("0x", 0),
            ("- 1", 10),
            ("--1", 10),
            ("1\0", 10),
            ("", 10),
            ("-", 10),
            ("0_7", 0),
            ("9", 8),
            ("1", 1),
            ("1", 37),
            ("\x1c1", 10),
            ("0_x1", 0),
            ("0x__1", 0),
            ("0x1_", 0),
            ("00_1", 0),
            ("0_1", 0),
            ("1e5", 10),
            ("é", 10),
            ("_", 10),
            ("0x_", 16),
        ];
        for (text, base) in wrong {
            assert_eq!(parse(text, base), None, "{text} in base {base}");
        }
    }

    #[test]
    fn limits() {
        let refusal = |text: &str, base| match parse_int(text.as_bytes(), base, DEFAULT_MAX_DIGITS) {
            Err(ParseIntError::Other(error)) => error.message.into_owned(),
            Err(ParseIntError::Invalid) => "invalid".into(),
            Ok(_) => String::new(),
        };
        let long = "1".repeat(4301);
        let message = "Exceeds the limit (4300 digits) for integer string conversion: value has 4301 digits; \
                       use sys.set_int_max_str_digits() to increase the limit";
        assert_eq!(refusal(&long, 10), message);
        assert_eq!(refusal(&long[1..], 10), "");
        assert_eq!(refusal(&long, 16), "");
        assert_eq!(refusal(&format!("{}1", "1_".repeat(4300)), 10), message);
        let ten = UBig::from(10_u8);
        assert_eq!(to_decimal(&ten.pow(4299), 4300).map(|text| text.len()), Ok(4300));
        let message = "Exceeds the limit (4300 digits) for integer string conversion; \
                       use sys.set_int_max_str_digits() to increase the limit";
        for exponent in [4300, 5000, 100_000] {
            assert_eq!(to_decimal(&ten.pow(exponent), 4300).map_err(|error| error.message), Err(message.into()));
        }
        assert_eq!(to_decimal(&ten.pow(5000), 0).map(|text| text.len()), Ok(5001));
    }

    #[test]
    fn decimal_digits() {
        for value in [0, 1, 9, 10, 99, 100, 101, 12345, -1, -10, i64::MAX, i64::MIN, 1_000_000_007] {
            assert_eq!(small_to_decimal(value, &mut [0; 20]), value.to_string().as_bytes());
        }
        for digits in 1..800 {
            let text: String = (0..digits).map(|at| char::from(b'0' + (at * 7 + 1) as u8 % 10)).collect();
            let number = match parse_int(text.as_bytes(), 10, 0) {
                Ok(Int::Big(value)) => value,
                Ok(Int::Small(value)) => IBig::from(value),
                Err(_) => panic!("{text} is a number"),
            };
            assert_eq!(to_decimal(&number.unsigned_abs(), 0), Ok(text));
        }
        let converted = |magnitude: UBig, base| to_power_of_two_base(&magnitude, base).expect("there is memory");
        for value in [0, 1, 7, 8, 255, 0xdead_beef, u64::MAX] {
            for base in [2, 8, 16] {
                let digits = converted(UBig::from(value), base);
                assert_eq!(small_to_power_of_two_base(value, base, &mut [0; 64]), digits.as_bytes());
            }
        }
        assert_eq!(converted(UBig::from(0xdead_beef_u64), 16), "deadbeef");
        assert_eq!(converted(UBig::ZERO, 2), "0");
        let large = (UBig::ONE << 200) + UBig::from(0o1234567_u64);
        assert_eq!(converted(large.clone(), 8), format!("4{:0>66}", "1234567"));
        assert_eq!(converted(large, 32), "1".to_string() + &"0".repeat(36) + "aebn");
    }

    #[test]
    fn bytes() {
        assert_eq!(from_bytes(b"", false, true), Int::Small(0));
        assert_eq!(from_bytes(b"\xff\x00", false, true), Int::Small(-256));
        assert_eq!(from_bytes(b"\x80", true, true), Int::Small(-128));
        assert_eq!(from_bytes(b"\xff\xff\xff\xff\xff\xff\xff\xff", true, true), Int::Small(-1));
        let all = from_bytes(&[0xff; 8], true, false);
        assert_eq!(all, Int::Big(IBig::from(u64::MAX)));
        assert_eq!(from_bytes(&[0xff; 9], true, true), Int::Small(-1));
        let power = |bits: usize, add: i64| Int::Big((IBig::ONE << bits) + IBig::from(add));
        let minus = |bits: usize, add: i64| Int::Big(IBig::from(add) - (IBig::ONE << bits));
        let too_big = Err("int too big to convert");
        let small = Int::Small;
        let cases: [(Int, usize, bool, Result<&[u8], &str>); 19] = [
            (small(255), 1, false, Ok(b"\xff")),
            (small(256), 1, false, too_big),
            (small(-1), 1, false, Err("can't convert negative int to unsigned")),
            (small(-128), 1, true, Ok(b"\x80")),
            (small(-129), 1, true, too_big),
            (small(128), 1, true, too_big),
            (small(0), 0, false, Ok(b"")),
            (small(0), 0, true, Ok(b"")),
            (small(-1), 0, true, too_big),
            (small(127), 1, true, Ok(b"\x7f")),
            (small(-1), 4, true, Ok(b"\xff\xff\xff\xff")),
            (small(i64::MIN), 8, true, Ok(b"\x80\0\0\0\0\0\0\0")),
            (small(-256), 2, true, Ok(b"\xff\0")),
            (power(100, 0), 12, false, too_big),
            (power(100, 0), 13, true, Ok(b"\x10\0\0\0\0\0\0\0\0\0\0\0\0")),
            (minus(103, 0), 13, true, Ok(b"\x80\0\0\0\0\0\0\0\0\0\0\0\0")),
            (minus(103, -1), 13, true, too_big),
            (power(64, -1), 8, false, Ok(&[0xff; 8])),
            (power(64, -1), 8, true, too_big),
        ];
        for (value, length, signed, expected) in cases {
            let actual = to_bytes(&value, length, false, signed);
            let actual = actual.as_deref().map_err(|error| error.message.as_ref());
            assert_eq!(actual, expected, "{value:?} in {length}");
        }
    }
}
