//! Puts the pieces of a number together: padding, sign, prefix, grouped digits, point, fraction.

use super::{Align, FormatSpec, Grouping, NumberLocale};
use crate::text::TextError;
use crate::text::builder::TextBuilder;

/// The pieces of a number, all ASCII.
#[derive(Default)]
pub(super) struct Number<'a> {
    pub negative: bool,
    /// `0x` and the like.
    pub prefix: &'a [u8],
    /// The digits before the point; none for infinities and characters.
    pub digits: &'a [u8],
    pub has_point: bool,
    pub fraction: &'a [u8],
    /// The exponent, a percent sign, or the name of what has no digits.
    pub rest: &'a [u8],
}

/// Stands for a separator among digits.
const SEPARATOR: u8 = b',';

/// A grouping made concrete: the separator and the sizes of the groups.
fn groups<'a>(grouping: Grouping, locale: &NumberLocale<'a>) -> (&'a str, &'a [u8]) {
    match grouping {
        Grouping::None => ("", &[]),
        Grouping::Comma => (",", &[3]),
        Grouping::Underscore => ("_", &[3]),
        Grouping::UnderscoreFour => ("_", &[4]),
        Grouping::Locale => (locale.thousands_sep, locale.grouping),
    }
}

impl Number<'_> {
    pub(super) fn write(
        &self,
        spec: &FormatSpec,
        locale: &NumberLocale,
        out: &mut TextBuilder,
    ) -> Result<(), TextError> {
        let sign = match (self.negative, spec.sign) {
            (true, _) => Some(b'-'),
            (false, Some(sign @ (b'+' | b' '))) => Some(sign),
            _ => None,
        };
        let point = match (self.has_point, spec.grouping) {
            (false, _) => "",
            (true, Grouping::Locale) => locale.decimal_point,
            (true, _) => ".",
        };
        let (fraction_separator, fraction_sizes) = groups(spec.fraction_grouping, locale);
        let separators = match fraction_sizes {
            [] => 0,
            _ => self.fraction.len().saturating_sub(1) / 3,
        };
        let fixed = sign.is_some() as usize
            + self.prefix.len()
            + point.chars().count()
            + self.fraction.len()
            + separators
            + self.rest.len();
        let width = spec.width.unwrap_or(0);
        let zero_filled = spec.fill == b'0' as u32 && spec.align == Align::AfterSign;
        let least = if zero_filled { width.saturating_sub(fixed) } else { 0 };
        out.try_reserve(width.max(fixed + self.digits.len()))?;
        let (separator, sizes) = groups(spec.grouping, locale);
        let digits = grouped(self.digits, least, separator.chars().count(), sizes);
        let digits_width = digits.width();
        let padding = width.saturating_sub(fixed + digits_width);
        let (left, inner, right) = match spec.align {
            Align::Left => (0, 0, padding),
            Align::Right => (padding, 0, 0),
            Align::Center => (padding / 2, 0, padding - padding / 2),
            Align::AfterSign => (0, padding, 0),
        };
        out.push_repeated(spec.fill, left);
        if let Some(sign) = sign {
            out.push_ascii(&[sign]);
        }
        out.push_ascii(self.prefix);
        out.push_repeated(spec.fill, inner);
        digits.write(separator, out);
        out.push_str(point);
        if separators == 0 {
            out.push_ascii(self.fraction);
        } else {
            for (index, group) in self.fraction.chunks(3).enumerate() {
                if index > 0 {
                    out.push_str(fraction_separator);
                }
                out.push_ascii(group);
            }
        }
        out.push_ascii(self.rest);
        out.push_repeated(spec.fill, right);
        Ok(())
    }
}

enum Grouped<'a> {
    Plain { zeros: usize, digits: &'a [u8] },
    Separated { reversed: Vec<u8>, separators: usize, separator_width: usize },
}

impl Grouped<'_> {
    fn width(&self) -> usize {
        match self {
            Grouped::Plain { zeros, digits } => zeros + digits.len(),
            Grouped::Separated { reversed, separators, separator_width } => {
                reversed.len() - separators + separators * separator_width
            }
        }
    }

    fn write(&self, separator: &str, out: &mut TextBuilder) {
        match self {
            Grouped::Plain { zeros, digits } => {
                out.push_repeated(b'0' as u32, *zeros);
                out.push_ascii(digits);
            }
            Grouped::Separated { reversed, .. } => {
                for &byte in reversed.iter().rev() {
                    if byte == SEPARATOR {
                        out.push_str(separator);
                    } else {
                        out.push_ascii(&[byte]);
                    }
                }
            }
        }
    }
}

/// The digits with separators, filled up with zeros to at least `least` characters.
fn grouped<'a>(digits: &'a [u8], least: usize, separator_width: usize, sizes: &[u8]) -> Grouped<'a> {
    if digits.is_empty() {
        return Grouped::Plain { zeros: 0, digits };
    }
    if sizes.is_empty() {
        return Grouped::Plain { zeros: least.saturating_sub(digits.len()), digits };
    }
    let mut reversed = Vec::with_capacity(digits.len().max(least) + digits.len() / 2);
    let mut separators = 0;
    let mut rest = digits;
    let mut least = least as isize;
    let mut sizes = sizes.iter().copied();
    let mut previous = 0;
    loop {
        // A size of 0 repeats the one before, as does the end of the list.
        let size = match sizes.next() {
            Some(127) => None,
            Some(0) | None => Some(previous),
            Some(size) => Some(size),
        };
        let wanted = (rest.len() as isize).max(least).max(1) as usize;
        let length = match size {
            Some(size) if size > 0 => wanted.min(size as usize),
            _ => wanted,
        };
        let taken = length.min(rest.len());
        if !reversed.is_empty() {
            reversed.push(SEPARATOR);
            separators += 1;
        }
        let (head, tail) = rest.split_at(rest.len() - taken);
        reversed.extend(tail.iter().rev());
        reversed.extend(std::iter::repeat_n(b'0', length - taken));
        rest = head;
        least -= length as isize;
        if rest.is_empty() && least <= 0 {
            return Grouped::Separated { reversed, separators, separator_width };
        }
        least -= separator_width as isize;
        match size {
            Some(size) if size > 0 => previous = size,
            _ => return Grouped::Separated { reversed, separators, separator_width },
        }
    }
}
