//! The format specification mini-language: `[[fill]align][sign][z][#][0][width][grouping][.precision[grouping]][type]`.
//!
//! [`FormatSpec::parse`] reads one; [`render_int`](render::render_int) and its siblings in [`render`] apply it. Which
//! conversions a value needs first (an int for `f`, a float's `str` for an empty specification) is the caller's.

mod layout;
pub mod render;

use super::unicode::decimal;
use super::{TextError, Unit};

/// How digits are grouped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Grouping {
    None,
    /// `,` every three digits.
    Comma,
    /// `_` every three digits.
    Underscore,
    /// `_` every four digits: with the bases 2, 8 and 16.
    UnderscoreFour,
    /// As the locale says: type `n`.
    Locale,
}

/// What `localeconv` says about numbers.
#[derive(Clone, Copy, Debug)]
pub struct NumberLocale<'a> {
    pub decimal_point: &'a str,
    pub thousands_sep: &'a str,
    /// Sizes of the groups from the point leftwards; the last repeats, 127 ends the grouping.
    pub grouping: &'a [u8],
}

/// The numbers of the C locale.
pub const C_LOCALE: NumberLocale<'static> = NumberLocale { decimal_point: ".", thousands_sep: "", grouping: &[] };

/// Where the text stands in its width.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Align {
    Left,
    Right,
    Center,
    /// The padding goes between sign and digits.
    AfterSign,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FormatSpec {
    pub fill: u32,
    pub align: Align,
    pub alternate: bool,
    pub no_neg_0: bool,
    /// `+`, `-` or a space.
    pub sign: Option<u8>,
    pub width: Option<usize>,
    pub grouping: Grouping,
    pub fraction_grouping: Grouping,
    pub precision: Option<usize>,
    /// The type character; `None` when there is none and the value's type has no default.
    pub kind: Option<u32>,
}

fn align_of(code: u32) -> Option<Align> {
    match u8::try_from(code).ok()? {
        b'<' => Some(Align::Left),
        b'>' => Some(Align::Right),
        b'^' => Some(Align::Center),
        b'=' => Some(Align::AfterSign),
        _ => None,
    }
}

impl FormatSpec {
    /// For `int` and `bool`.
    pub fn parse_int<U: Unit>(text: &[U], type_name: &str) -> Result<FormatSpec, TextError> {
        Self::parse(text, type_name, Some(b'd'), Align::Right)
    }

    /// For `float` and `complex`.
    pub fn parse_float<U: Unit>(text: &[U], type_name: &str) -> Result<FormatSpec, TextError> {
        Self::parse(text, type_name, None, Align::Right)
    }

    pub fn parse_str<U: Unit>(text: &[U], type_name: &str) -> Result<FormatSpec, TextError> {
        Self::parse(text, type_name, Some(b's'), Align::Left)
    }

    fn parse<U: Unit>(
        text: &[U],
        type_name: &str,
        default_kind: Option<u8>,
        default_align: Align,
    ) -> Result<FormatSpec, TextError> {
        let mut spec = FormatSpec {
            fill: b' ' as u32,
            align: default_align,
            alternate: false,
            no_neg_0: false,
            sign: None,
            width: None,
            grouping: Grouping::None,
            fraction_grouping: Grouping::None,
            precision: None,
            kind: default_kind.map(u32::from),
        };
        let mut at = 0;
        let peek = |at: usize| text.get(at).map_or(u32::MAX, |unit| unit.code());
        let is = |at: usize, byte: u8| peek(at) == byte as u32;
        let mut fill_given = false;
        let mut align_given = true;
        if let Some(align) = align_of(peek(1)) {
            (spec.fill, spec.align) = (peek(0), align);
            fill_given = true;
            at = 2;
        } else if let Some(align) = align_of(peek(0)) {
            spec.align = align;
            at = 1;
        } else {
            align_given = false;
        }
        if let Some(sign) = [b' ', b'+', b'-'].into_iter().find(|&sign| is(at, sign)) {
            spec.sign = Some(sign);
            at += 1;
        }
        if is(at, b'z') {
            spec.no_neg_0 = true;
            at += 1;
        }
        if is(at, b'#') {
            spec.alternate = true;
            at += 1;
        }
        if !fill_given && is(at, b'0') {
            spec.fill = b'0' as u32;
            if !align_given && default_align == Align::Right {
                spec.align = Align::AfterSign;
            }
            at += 1;
        }
        spec.width = integer(text, &mut at)?;
        if is(at, b',') {
            spec.grouping = Grouping::Comma;
            at += 1;
        }
        if is(at, b'_') {
            if spec.grouping != Grouping::None {
                return Err(both_groupings());
            }
            spec.grouping = Grouping::Underscore;
            at += 1;
        }
        if is(at, b',') && spec.grouping == Grouping::Underscore {
            return Err(both_groupings());
        }
        if is(at, b'.') {
            at += 1;
            spec.precision = integer(text, &mut at)?;
            if is(at, b',') {
                spec.fraction_grouping = Grouping::Comma;
                at += 1;
            }
            if is(at, b'_') {
                if spec.fraction_grouping != Grouping::None {
                    return Err(both_groupings());
                }
                spec.fraction_grouping = Grouping::Underscore;
                at += 1;
            }
            if is(at, b',') && spec.fraction_grouping == Grouping::Underscore {
                return Err(both_groupings());
            }
            if spec.precision.is_none() && spec.fraction_grouping == Grouping::None {
                return Err(TextError::value("Format specifier missing precision"));
            }
        }
        match text.len() - at {
            0 => {}
            1 => spec.kind = Some(peek(at)),
            _ => {
                let whole: String = text.iter().map(|unit| lossy_char(unit.code())).collect();
                let name = truncated(type_name);
                let message = format!("Invalid format specifier '{whole}' for object of type '{name}'");
                return Err(TextError::value(message));
            }
        }
        spec.check_grouping()?;
        Ok(spec)
    }

    fn check_grouping(&mut self) -> Result<(), TextError> {
        let kind = self.kind.unwrap_or(0);
        let byte = u8::try_from(kind).unwrap_or(0xff);
        if self.grouping != Grouping::None {
            match byte {
                b'd' | b'e' | b'f' | b'g' | b'E' | b'F' | b'G' | b'%' | 0 => {}
                b'b' | b'o' | b'x' | b'X' if self.grouping == Grouping::Underscore => {
                    self.grouping = Grouping::UnderscoreFour;
                }
                _ => return Err(invalid_grouping(self.grouping, kind)),
            }
        }
        if byte == b'n' {
            if self.fraction_grouping != Grouping::None {
                return Err(invalid_grouping(self.fraction_grouping, kind));
            }
            self.grouping = Grouping::Locale;
        }
        Ok(())
    }

    /// The type as an ASCII character; 0 without one.
    pub fn kind_byte(&self) -> u8 {
        self.kind.map_or(0, |kind| u8::try_from(kind).unwrap_or(0xff))
    }

    /// "Unknown format code", for a type that the value's type does not know.
    pub fn unknown_code(&self, type_name: &str) -> TextError {
        let kind = self.kind.unwrap_or(0);
        let name = truncated(type_name);
        TextError::value(format!("Unknown format code {} for object of type '{name}'", quoted(kind)))
    }
}

/// A character in an error message, as CPython quotes it.
fn quoted(code: u32) -> String {
    if code > 32 && code < 128 { format!("'{}'", code as u8 as char) } else { format!("'\\x{code:x}'") }
}

/// Messages are Rust strings; a lone surrogate in one becomes U+FFFD.
fn lossy_char(code: u32) -> char {
    char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER)
}

/// At most 200 bytes of a type's name, as `%.200s` gives.
fn truncated(name: &str) -> &str {
    let mut end = name.len().min(200);
    while !name.is_char_boundary(end) {
        end -= 1;
    }
    &name[..end]
}

fn both_groupings() -> TextError {
    TextError::value("Cannot specify both ',' and '_'.")
}

fn invalid_grouping(grouping: Grouping, kind: u32) -> TextError {
    let separator = if grouping == Grouping::Comma { ',' } else { '_' };
    TextError::value(format!("Cannot specify '{separator}' with {}.", quoted(kind)))
}

/// The number made of the decimal digits at `at`, if there are any.
pub(super) fn integer<U: Unit>(text: &[U], at: &mut usize) -> Result<Option<usize>, TextError> {
    let mut value = None;
    while let Some(digit) = text.get(*at).and_then(|unit| decimal(unit.code())) {
        let before = value.unwrap_or(0_usize);
        if before > (isize::MAX as usize - digit as usize) / 10 {
            return Err(TextError::value("Too many decimal digits in format string"));
        }
        value = Some(before * 10 + digit as usize);
        *at += 1;
    }
    Ok(value)
}

#[cfg(test)]
mod tests;
