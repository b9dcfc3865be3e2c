//! Applies a format specification to the pieces of a value.

use super::layout::Number;
use super::{Align, FormatSpec, NumberLocale};
use crate::text::builder::TextBuilder;
use crate::text::float_repr::{Flags, double_to_string};
use crate::text::{TextError, Unit};

/// How `int.__format__` presents the number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IntPresentation {
    /// By its digits in the base.
    Base(u32),
    /// `c`: as the character with this number.
    Character,
    /// As the float nearest to it.
    Float,
}

impl FormatSpec {
    pub fn int_presentation(&self, type_name: &str) -> Result<IntPresentation, TextError> {
        match self.kind_byte() {
            b'b' => Ok(IntPresentation::Base(2)),
            b'o' => Ok(IntPresentation::Base(8)),
            b'd' | b'n' | 0 => Ok(IntPresentation::Base(10)),
            b'x' | b'X' => Ok(IntPresentation::Base(16)),
            b'c' => Ok(IntPresentation::Character),
            b'e' | b'E' | b'f' | b'F' | b'g' | b'G' | b'%' => Ok(IntPresentation::Float),
            _ => Err(self.unknown_code(type_name)),
        }
    }

    /// What `int.__format__` refuses in a specification for digits or a character.
    pub fn check_int(&self) -> Result<(), TextError> {
        if self.precision.is_some() {
            return Err(TextError::value("Precision not allowed in integer format specifier"));
        }
        if self.no_neg_0 {
            return Err(TextError::value("Negative zero coercion (z) not allowed in integer format specifier"));
        }
        if self.kind_byte() == b'c' {
            if self.sign.is_some() {
                return Err(TextError::value("Sign not allowed with integer format specifier 'c'"));
            }
            if self.alternate {
                return Err(TextError::value("Alternate form (#) not allowed with integer format specifier 'c'"));
            }
        }
        Ok(())
    }

    fn check_str(&self) -> Result<(), TextError> {
        let message = match self.sign {
            Some(b' ') => "Space not allowed in string format specifier",
            Some(_) => "Sign not allowed in string format specifier",
            None if self.no_neg_0 => "Negative zero coercion (z) not allowed in string format specifier",
            None if self.alternate => "Alternate form (#) not allowed in string format specifier",
            None if self.align == Align::AfterSign => "'=' alignment not allowed in string format specifier",
            None => return Ok(()),
        };
        Err(TextError::value(message))
    }

    /// The padding before and after `length` characters.
    fn padding(&self, length: usize) -> (usize, usize) {
        let padding = self.width.unwrap_or(0).saturating_sub(length);
        match self.align {
            Align::Left => (0, padding),
            Align::Center => (padding / 2, padding - padding / 2),
            Align::Right | Align::AfterSign => (padding, 0),
        }
    }
}

/// An int by the lower-case digits of its magnitude in the presentation's base. [`FormatSpec::check_int`] comes first.
pub fn render_int(
    spec: &FormatSpec,
    negative: bool,
    digits: &[u8],
    locale: &NumberLocale,
    out: &mut TextBuilder,
) -> Result<(), TextError> {
    let kind = spec.kind_byte();
    let prefix: &[u8] = match kind {
        b'b' if spec.alternate => b"0b",
        b'o' if spec.alternate => b"0o",
        b'x' if spec.alternate => b"0x",
        b'X' if spec.alternate => b"0X",
        _ => b"",
    };
    let upper;
    let digits = if kind == b'X' {
        upper = digits.to_ascii_uppercase();
        &upper
    } else {
        digits
    };
    Number { negative, prefix, digits, ..Number::default() }.write(spec, locale, out)
}

/// An int as a character. [`FormatSpec::check_int`] comes first; a number out of range is [`character_range_error`].
pub fn render_character(spec: &FormatSpec, code: u32, out: &mut TextBuilder) -> Result<(), TextError> {
    pad(spec, &[code], out)
}

pub fn character_range_error() -> TextError {
    TextError::overflow("%c arg not in range(0x110000)")
}

/// A float; the type must be one of those of `float.__format__`.
pub fn render_float(
    spec: &FormatSpec,
    value: f64,
    type_name: &str,
    locale: &NumberLocale,
    out: &mut TextBuilder,
) -> Result<(), TextError> {
    let kind = spec.kind_byte();
    if !matches!(kind, 0 | b'e' | b'E' | b'f' | b'F' | b'g' | b'G' | b'n' | b'%') {
        return Err(spec.unknown_code(type_name));
    }
    write_float(spec, value, locale, out)
}

fn check_precision(spec: &FormatSpec) -> Result<(), TextError> {
    match spec.precision {
        Some(precision) if precision >= i32::MAX as usize => Err(TextError::value("precision too big")),
        _ => Ok(()),
    }
}

fn write_float(
    spec: &FormatSpec,
    mut value: f64,
    locale: &NumberLocale,
    out: &mut TextBuilder,
) -> Result<(), TextError> {
    check_precision(spec)?;
    let kind = spec.kind_byte();
    let mut flags = Flags { alt: spec.alternate, no_neg_0: spec.no_neg_0, ..Flags::default() };
    let mut code = kind;
    match kind {
        0 => {
            flags.add_dot_0 = true;
            code = if spec.precision.is_some() { b'g' } else { b'r' };
        }
        b'n' => code = b'g',
        b'%' => {
            code = b'f';
            value *= 100.0;
        }
        _ => {}
    }
    let mut text = double_to_string(value, code, spec.precision.unwrap_or(6), flags)?;
    if kind == b'%' {
        text.push('%');
    }
    write_decimal(spec, text.as_bytes(), locale, out)
}

/// Lays out a number given as C would print it.
fn write_decimal(
    spec: &FormatSpec,
    text: &[u8],
    locale: &NumberLocale,
    out: &mut TextBuilder,
) -> Result<(), TextError> {
    let (negative, text) = match text {
        [b'-', rest @ ..] => (true, rest),
        _ => (false, text),
    };
    let run = |text: &[u8]| text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let (digits, rest) = text.split_at(run(text));
    let (has_point, fraction, rest) = match rest {
        [b'.', rest @ ..] => {
            let (fraction, rest) = rest.split_at(run(rest));
            (true, fraction, rest)
        }
        _ => (false, &rest[..0], rest),
    };
    Number { negative, prefix: b"", digits, has_point, fraction, rest }.write(spec, locale, out)
}

/// A complex number.
pub fn render_complex(
    spec: &FormatSpec,
    real: f64,
    imag: f64,
    type_name: &str,
    locale: &NumberLocale,
    out: &mut TextBuilder,
) -> Result<(), TextError> {
    let kind = spec.kind_byte();
    if !matches!(kind, 0 | b'e' | b'E' | b'f' | b'F' | b'g' | b'G' | b'n') {
        return Err(spec.unknown_code(type_name));
    }
    check_precision(spec)?;
    if spec.fill == b'0' as u32 {
        return Err(TextError::value("Zero padding is not allowed in complex format specifier"));
    }
    if spec.align == Align::AfterSign {
        return Err(TextError::value("'=' alignment flag is not allowed in complex format specifier"));
    }
    // Without a type the number looks as `repr` writes it.
    let like_repr = kind == 0;
    let skip_real = like_repr && real == 0.0 && real.is_sign_positive();
    let parentheses = like_repr && !skip_real;
    let part = |value: f64, sign: Option<u8>, out: &mut TextBuilder| {
        let spec = FormatSpec { sign, width: None, ..spec.clone() };
        if !like_repr {
            return write_float(&spec, value, locale, out);
        }
        let code = if spec.precision.is_some() { b'g' } else { b'r' };
        let flags = Flags { alt: spec.alternate, no_neg_0: spec.no_neg_0, ..Flags::default() };
        let text = double_to_string(value, code, spec.precision.unwrap_or(0), flags)?;
        write_decimal(&spec, text.as_bytes(), locale, out)
    };
    let mut body = TextBuilder::new();
    if parentheses {
        body.push_ascii(b"(");
    }
    if !skip_real {
        part(real, spec.sign, &mut body)?;
    }
    part(imag, if skip_real { spec.sign } else { Some(b'+') }, &mut body)?;
    body.push_ascii(if parentheses { b"j)" } else { b"j" });
    pad(spec, &body.finish().codes(), out)
}

/// A string: cut to the precision, padded to the width.
pub fn render_str<U: Unit>(
    spec: &FormatSpec,
    text: &[U],
    type_name: &str,
    out: &mut TextBuilder,
) -> Result<(), TextError> {
    if spec.kind_byte() != b's' {
        return Err(spec.unknown_code(type_name));
    }
    spec.check_str()?;
    let length = spec.precision.map_or(text.len(), |precision| precision.min(text.len()));
    pad(spec, &text[..length], out)
}

fn pad<U: Unit>(spec: &FormatSpec, text: &[U], out: &mut TextBuilder) -> Result<(), TextError> {
    let (left, right) = spec.padding(text.len());
    out.try_reserve(left + text.len() + right)?;
    out.push_repeated(spec.fill, left);
    out.push_units(text);
    out.push_repeated(spec.fill, right);
    Ok(())
}
