//! The directives of `%`-formatting, for `str` and `bytes`.
//!
//! A directive is `%[(key)][flags][width][.precision][length]type`. Fetching and converting the arguments is the
//! caller's; here are the parser, which asks for what it needs on the way, and the layout.

use super::builder::{Sink, TextBuilder};
use super::float_repr::{Flags, double_to_string};
use super::{TextError, Unit};

/// Whether a `str` or a `bytes` is formatted: their messages differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flavor {
    Str,
    Bytes,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Directive {
    /// `-`
    pub left: bool,
    /// `+`
    pub sign: bool,
    /// A space.
    pub blank: bool,
    /// `#`
    pub alt: bool,
    /// `0`
    pub zero: bool,
    pub width: usize,
    pub precision: Option<usize>,
    /// The type character.
    pub kind: u32,
    /// Where it stands, for messages.
    pub index: usize,
    /// Where the directive begins, behind its `%`.
    start: usize,
}

/// What the parser asks of the arguments.
pub trait Arguments<U> {
    type Error: From<TextError>;

    /// A `(key)`: the arguments are the mapping's value from now on.
    fn key(&mut self, key: &[U]) -> Result<(), Self::Error>;

    /// Whether the arguments are a mapping; [`requires_mapping`] is raised when they are not.
    fn is_mapping(&self) -> bool;

    /// A `*` for the width: the next argument, which must be an int ([`star_wants_int`]).
    fn star_width(&mut self) -> Result<isize, Self::Error>;

    /// A `*` for the precision.
    fn star_precision(&mut self) -> Result<i32, Self::Error>;
}

pub fn requires_mapping() -> TextError {
    TextError::type_error("format requires a mapping")
}

pub fn star_wants_int() -> TextError {
    TextError::type_error("* wants int")
}

pub fn not_enough_arguments() -> TextError {
    TextError::type_error("not enough arguments for format string")
}

pub fn not_all_converted(flavor: Flavor) -> TextError {
    TextError::type_error(match flavor {
        Flavor::Str => "not all arguments converted during string formatting",
        Flavor::Bytes => "not all arguments converted during bytes formatting",
    })
}

/// Parses the directive whose `%` is just before `at`, which is moved behind it. `%%` is a directive of type `%`.
pub fn parse_directive<U: Unit, A: Arguments<U>>(
    text: &[U],
    at: &mut usize,
    flavor: Flavor,
    arguments: &mut A,
) -> Result<Directive, A::Error> {
    let mut directive = Directive { start: *at, ..Directive::default() };
    let peek = |at: usize| text.get(at).map_or(u32::MAX, |unit| unit.code());
    let is = |at: usize, byte: u8| peek(at) == byte as u32;
    if is(*at, b'(') {
        if !arguments.is_mapping() {
            return Err(requires_mapping().into());
        }
        *at += 1;
        let start = *at;
        let mut depth = 1;
        while depth > 0 {
            match peek(*at) {
                u32::MAX => return Err(TextError::value("incomplete format key").into()),
                c if c == b'(' as u32 => depth += 1,
                c if c == b')' as u32 => depth -= 1,
                _ => {}
            }
            *at += 1;
        }
        arguments.key(&text[start..*at - 1])?;
    }
    loop {
        match u8::try_from(peek(*at)).unwrap_or(0) {
            b'-' => directive.left = true,
            b'+' => directive.sign = true,
            b' ' => directive.blank = true,
            b'#' => directive.alt = true,
            b'0' => directive.zero = true,
            _ => break,
        }
        *at += 1;
    }
    if is(*at, b'*') {
        *at += 1;
        let width = arguments.star_width()?;
        directive.left |= width < 0;
        directive.width = width.unsigned_abs();
    } else if let Some(width) = number(text, at, isize::MAX as usize, "width too big")? {
        directive.width = width;
    }
    if is(*at, b'.') {
        *at += 1;
        let too_big = match flavor {
            Flavor::Str => "precision too big",
            Flavor::Bytes => "prec too big",
        };
        directive.precision = Some(if is(*at, b'*') {
            *at += 1;
            arguments.star_precision()?.max(0) as usize
        } else {
            number(text, at, i32::MAX as usize, too_big)?.unwrap_or(0)
        });
    }
    if matches!(u8::try_from(peek(*at)), Ok(b'h' | b'l' | b'L')) {
        *at += 1;
    }
    if *at >= text.len() {
        return Err(TextError::value("incomplete format").into());
    }
    directive.kind = peek(*at);
    directive.index = *at;
    *at += 1;
    Ok(directive)
}

fn number<U: Unit>(
    text: &[U],
    at: &mut usize,
    limit: usize,
    too_big: &'static str,
) -> Result<Option<usize>, TextError> {
    let mut value = None;
    while let Some(digit) = text.get(*at).map(|unit| unit.code().wrapping_sub(b'0' as u32)).filter(|&digit| digit < 10)
    {
        let before = value.unwrap_or(0_usize);
        if before > (limit - digit as usize) / 10 {
            return Err(TextError::value(too_big));
        }
        value = Some(before * 10 + digit as usize);
        *at += 1;
    }
    Ok(value)
}

impl Directive {
    /// The type as an ASCII character, 0 for others.
    pub fn kind_byte(&self) -> u8 {
        u8::try_from(self.kind).unwrap_or(0)
    }

    /// Whether this is `%%`, with nothing in between.
    pub fn is_percent(&self) -> bool {
        self.kind_byte() == b'%' && self.index == self.start
    }

    pub fn unsupported(&self, flavor: Flavor) -> TextError {
        let shown = match flavor {
            Flavor::Bytes => char::from_u32(self.kind).unwrap_or('?'),
            Flavor::Str if (32..128).contains(&self.kind) => self.kind as u8 as char,
            Flavor::Str => '?',
        };
        let (kind, index) = (self.kind, self.index);
        TextError::value(format!("unsupported format character '{shown}' (0x{kind:x}) at index {index}"))
    }

    fn sign_byte(&self, negative: bool) -> Option<u8> {
        match self {
            _ if negative => Some(b'-'),
            Directive { sign: true, .. } => Some(b'+'),
            Directive { blank: true, .. } => Some(b' '),
            _ => None,
        }
    }

    /// The base of an integer directive.
    pub fn base(&self) -> u32 {
        match self.kind_byte() {
            b'o' => 8,
            b'x' | b'X' => 16,
            _ => 10,
        }
    }

    /// Lays out an int by the lower-case digits of its magnitude in [`Directive::base`].
    pub fn write_int(&self, negative: bool, digits: &[u8], out: &mut impl Sink) -> Result<(), TextError> {
        let kind = self.kind_byte();
        let prefix: &[u8] = match kind {
            b'o' if self.alt => b"0o",
            b'x' if self.alt => b"0x",
            b'X' if self.alt => b"0X",
            _ => b"",
        };
        let upper;
        let digits = if kind == b'X' {
            upper = digits.to_ascii_uppercase();
            &upper
        } else {
            digits
        };
        let zeros = self.precision.unwrap_or(0).saturating_sub(digits.len());
        self.write_number(self.sign_byte(negative), prefix, zeros, digits, out)
    }

    /// Formats and lays out a float: the types `e`, `f`, `g` and their capitals.
    pub fn write_float(&self, value: f64, out: &mut impl Sink) -> Result<(), TextError> {
        let flags = Flags { alt: self.alt, ..Flags::default() };
        let text = double_to_string(value, self.kind_byte(), self.precision.unwrap_or(6), flags)?;
        let (negative, digits) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text.as_str()),
        };
        self.write_number(self.sign_byte(negative), b"", 0, digits.as_bytes(), out)
    }

    fn write_number(
        &self,
        sign: Option<u8>,
        prefix: &[u8],
        mut zeros: usize,
        digits: &[u8],
        out: &mut impl Sink,
    ) -> Result<(), TextError> {
        let length = sign.is_some() as usize + prefix.len() + zeros + digits.len();
        let mut padding = self.width.saturating_sub(length);
        out.reserve(length.max(self.width))?;
        if !self.left {
            if self.zero {
                zeros += padding;
            } else {
                out.repeated(b' ', padding);
            }
            padding = 0;
        }
        if let Some(sign) = sign {
            out.ascii(&[sign]);
        }
        out.ascii(prefix);
        out.repeated(b'0', zeros);
        out.ascii(digits);
        out.repeated(b' ', padding);
        Ok(())
    }

    /// Lays out the text of `%s`, `%r`, `%a`, cut to the precision.
    pub fn write_text<U: Unit>(&self, text: &[U], out: &mut TextBuilder) -> Result<(), TextError> {
        let text = &text[..self.precision.unwrap_or(text.len()).min(text.len())];
        let padding = self.width.saturating_sub(text.len());
        out.try_reserve(text.len() + padding)?;
        out.push_repeated(b' ' as u32, if self.left { 0 } else { padding });
        out.push_units(text);
        out.push_repeated(b' ' as u32, if self.left { padding } else { 0 });
        Ok(())
    }

    /// The same for the bytes of `%b`, `%s`, `%a`, `%r`.
    pub fn write_bytes(&self, text: &[u8], out: &mut Vec<u8>) -> Result<(), TextError> {
        let text = &text[..self.precision.unwrap_or(text.len()).min(text.len())];
        let padding = self.width.saturating_sub(text.len());
        out.try_reserve(text.len() + padding)?;
        out.repeated(b' ', if self.left { 0 } else { padding });
        out.extend_from_slice(text);
        out.repeated(b' ', if self.left { padding } else { 0 });
        Ok(())
    }

    /// Lays out the character of `%c`, which no precision cuts.
    pub fn write_character(&self, code: u32, out: &mut TextBuilder) -> Result<(), TextError> {
        Directive { precision: None, ..*self }.write_text(&[code], out)
    }

    pub fn write_byte(&self, byte: u8, out: &mut Vec<u8>) -> Result<(), TextError> {
        Directive { precision: None, ..*self }.write_bytes(&[byte], out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::builder::Text;

    /// Arguments for tests: numbers, taken in turn.
    struct Numbers(Vec<i64>);

    impl Arguments<u8> for Numbers {
        type Error = TextError;

        fn key(&mut self, _: &[u8]) -> Result<(), TextError> {
            Ok(())
        }

        fn is_mapping(&self) -> bool {
            self.0.len() == 1
        }

        fn star_width(&mut self) -> Result<isize, TextError> {
            Ok(self.0.remove(0) as isize)
        }

        fn star_precision(&mut self) -> Result<i32, TextError> {
            Ok(self.0.remove(0) as i32)
        }
    }

    fn format(text: &str, arguments: &[i64]) -> String {
        let mut numbers = Numbers(arguments.to_vec());
        let mut at = 1;
        let mut out = TextBuilder::new();
        let result = parse_directive(text.as_bytes(), &mut at, Flavor::Str, &mut numbers).and_then(|directive| {
            let value = numbers.0.first().copied().ok_or_else(not_enough_arguments)?;
            match directive.kind_byte() {
                b'd' | b'i' | b'u' => directive.write_int(value < 0, value.abs().to_string().as_bytes(), &mut out),
                b'x' | b'X' => directive.write_int(value < 0, format!("{:x}", value.abs()).as_bytes(), &mut out),
                b'o' => directive.write_int(value < 0, format!("{:o}", value.abs()).as_bytes(), &mut out),
                b'e' | b'f' | b'g' | b'E' | b'F' | b'G' => directive.write_float(value as f64 / 1000.0, &mut out),
                b's' => directive.write_text(value.to_string().as_bytes(), &mut out),
                b'c' => directive.write_character(value as u32, &mut out),
                _ => Err(directive.unsupported(Flavor::Str)),
            }
        });
        if let Err(error) = result {
            return error.message.into_owned();
        }
        let Text::Ascii(bytes) = out.finish() else { panic!("only ASCII is written") };
        String::from_utf8(bytes).expect("ASCII") + &text[at..]
    }

    #[test]
    fn directives() {
        let cases: [(&str, &[i64], &str); 52] = [
            ("%d", &[5], "5"),
            ("%(a(b)c)d", &[1], "1"),
            ("%*d", &[-5, 1], "1    "),
            ("%.*d", &[-5, 1], "1"),
            ("%-05d", &[5], "5    "),
            ("%+05d", &[5], "+0005"),
            ("% 05d", &[-5], "-0005"),
            ("%+ d", &[5], "+5"),
            ("%#x", &[255], "0xff"),
            ("%#X", &[255], "0XFF"),
            ("%#o", &[8], "0o10"),
            ("%#010x", &[255], "0x000000ff"),
            ("%#.5x", &[255], "0x000ff"),
            ("%010.5d", &[-3], "-000000003"),
            ("%-10.5d|", &[-3], "-00003    |"),
            ("%.0d", &[0], "0"),
            ("%.3s", &[123456], "123"),
            ("%.0s", &[1], ""),
            ("%10.3s|", &[123456], "       123|"),
            ("%-10s|", &[123], "123       |"),
            ("%05s", &[7], "    7"),
            ("%05c", &[120], "    x"),
            ("%-5c|", &[120], "x    |"),
            ("%.0c", &[120], "x"),
            ("%hd", &[1], "1"),
            ("%#.0f", &[1000], "1."),
            ("%#g", &[1000], "1.00000"),
            ("%5.1f|", &[-40], " -0.0|"),
            ("%-8.2e|", &[12345678], "1.23e+04|"),
            ("%08.2f", &[-1500], "-0001.50"),
            ("%#5x|", &[10], "  0xa|"),
            ("%-#8x|", &[10], "0xa     |"),
            ("%+#x", &[10], "+0xa"),
            ("% x", &[10], " a"),
            ("%0-5d|", &[3], "3    |"),
            ("%*.*f", &[10, 2, 3142], "      3.14"),
            ("%", &[], "incomplete format"),
            ("%5", &[1], "incomplete format"),
            ("%q", &[1], "unsupported format character 'q' (0x71) at index 1"),
            ("%\x01", &[1], "unsupported format character '?' (0x1) at index 1"),
            ("%lld", &[1], "unsupported format character 'l' (0x6c) at index 2"),
            ("%(a", &[1], "incomplete format key"),
            ("%(a)", &[1], "incomplete format"),
            ("%(a)d", &[], "format requires a mapping"),
            ("%99999999999999999999d", &[1], "width too big"),
            ("%.3000000000d", &[1], "precision too big"),
            ("%.2147483648d", &[1], "precision too big"),
            ("%d", &[], "not enough arguments for format string"),
            ("%.10x", &[-255], "-00000000ff"),
            ("%G", &[0], "0"),
            ("%i", &[-12], "-12"),
            ("%u", &[5], "5"),
        ];
        for (text, arguments, expected) in cases {
            assert_eq!(format(text, arguments), expected, "{text}");
        }
    }
}
