//! `str.format` strings: literal text, replacement fields and field names; `_string`'s parsers as well.

use super::format_spec::integer;
use super::{TextError, Unit};

/// A piece of a format string: literal text, then perhaps a field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Markup<'a, U> {
    pub literal: &'a [U],
    pub field: Option<Field<'a, U>>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field<'a, U> {
    pub name: &'a [U],
    pub conversion: Option<u32>,
    pub spec: &'a [U],
    /// The specification holds fields itself.
    pub spec_needs_expanding: bool,
}

/// The pieces of a format string, in order.
pub struct MarkupIterator<'a, U> {
    rest: &'a [U],
}

fn code_at<U: Unit>(text: &[U], at: usize) -> Option<u32> {
    text.get(at).map(|unit| unit.code())
}

const OPEN: u32 = b'{' as u32;
const CLOSE: u32 = b'}' as u32;
const COLON: u32 = b':' as u32;
const BANG: u32 = b'!' as u32;

impl<'a, U: Unit> MarkupIterator<'a, U> {
    pub fn new(text: &'a [U]) -> Self {
        MarkupIterator { rest: text }
    }

    /// What is still to be parsed.
    pub fn rest(&self) -> &'a [U] {
        self.rest
    }

    fn next_markup(&mut self) -> Result<Markup<'a, U>, TextError> {
        let text = self.rest;
        let brace = text.iter().position(|unit| matches!(unit.code(), OPEN | CLOSE));
        let Some(at) = brace else {
            self.rest = &[];
            return Ok(Markup { literal: text, field: None });
        };
        let c = text[at].code();
        let next = code_at(text, at + 1);
        if next == Some(c) {
            // A doubled brace stands for itself.
            self.rest = &text[at + 2..];
            return Ok(Markup { literal: &text[..=at], field: None });
        }
        if c == CLOSE {
            return Err(TextError::value("Single '}' encountered in format string"));
        }
        if next.is_none() {
            return Err(TextError::value("Single '{' encountered in format string"));
        }
        self.rest = &text[at + 1..];
        let field = self.field()?;
        Ok(Markup { literal: &text[..at], field: Some(field) })
    }

    fn field(&mut self) -> Result<Field<'a, U>, TextError> {
        let text = self.rest;
        let mut at = 0;
        let end = loop {
            match code_at(text, at) {
                None => return Err(TextError::value("expected '}' before end of string")),
                Some(OPEN) => return Err(TextError::value("unexpected '{' in field name")),
                Some(c) if c == b'[' as u32 => {
                    at += 1;
                    while code_at(text, at).is_some_and(|c| c != b']' as u32) {
                        at += 1;
                    }
                }
                Some(c @ (CLOSE | COLON | BANG)) => break c,
                Some(_) => at += 1,
            }
        };
        let name = &text[..at];
        at += 1;
        let mut field = Field { name, conversion: None, spec: &text[..0], spec_needs_expanding: false };
        if end == BANG {
            let Some(conversion) = code_at(text, at) else {
                return Err(TextError::value("end of string while looking for conversion specifier"));
            };
            field.conversion = Some(conversion);
            at += 1;
            match code_at(text, at) {
                Some(CLOSE) => {
                    self.rest = &text[at + 1..];
                    return Ok(field);
                }
                Some(COLON) => at += 1,
                Some(_) => return Err(TextError::value("expected ':' after conversion specifier")),
                None => {}
            }
        } else if end == CLOSE {
            self.rest = &text[at..];
            return Ok(field);
        }
        let start = at;
        let mut depth = 1;
        while let Some(c) = code_at(text, at) {
            match c {
                OPEN => {
                    field.spec_needs_expanding = true;
                    depth += 1;
                }
                CLOSE => depth -= 1,
                _ => {}
            }
            if depth == 0 {
                field.spec = &text[start..at];
                self.rest = &text[at + 1..];
                return Ok(field);
            }
            at += 1;
        }
        Err(TextError::value("unmatched '{' in format spec"))
    }
}

impl<'a, U: Unit> Iterator for MarkupIterator<'a, U> {
    type Item = Result<Markup<'a, U>, TextError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        let markup = self.next_markup();
        if markup.is_err() {
            self.rest = &[];
        }
        Some(markup)
    }
}

/// The name that a field begins with, or one item's key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Key<'a, U> {
    Index(usize),
    /// Empty only for the first part of a name, which asks for automatic numbering.
    Name(&'a [U]),
}

/// A step from a value to a part of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access<'a, U> {
    Attribute(&'a [U]),
    Item(Key<'a, U>),
}

/// The steps of a field name.
pub struct FieldNameIterator<'a, U> {
    rest: &'a [U],
}

fn key<U: Unit>(text: &[U]) -> Result<Key<'_, U>, TextError> {
    let mut at = 0;
    Ok(match integer(text, &mut at)? {
        Some(index) if at == text.len() => Key::Index(index),
        _ => Key::Name(text),
    })
}

/// Splits a field name in what it begins with and the steps from there: `_string.formatter_field_name_split`.
pub fn split_field_name<U: Unit>(name: &[U]) -> Result<(Key<'_, U>, FieldNameIterator<'_, U>), TextError> {
    let end = name.iter().position(|unit| matches!(unit.code(), 0x2e | 0x5b)).unwrap_or(name.len());
    let (first, rest) = name.split_at(end);
    Ok((key(first)?, FieldNameIterator { rest }))
}

impl<'a, U> FieldNameIterator<'a, U> {
    /// The steps that `text` begins with.
    pub fn new(text: &'a [U]) -> Self {
        FieldNameIterator { rest: text }
    }

    /// What is still to be parsed.
    pub fn rest(&self) -> &'a [U] {
        self.rest
    }
}

impl<'a, U: Unit> Iterator for FieldNameIterator<'a, U> {
    type Item = Result<Access<'a, U>, TextError>;

    fn next(&mut self) -> Option<Self::Item> {
        let (first, text) = self.rest.split_first()?;
        self.rest = &[];
        let empty = || Some(Err(TextError::value("Empty attribute in format string")));
        match u8::try_from(first.code()).unwrap_or(0) {
            b'.' => {
                let end = text.iter().position(|unit| matches!(unit.code(), 0x2e | 0x5b)).unwrap_or(text.len());
                if end == 0 {
                    return empty();
                }
                self.rest = &text[end..];
                Some(Ok(Access::Attribute(&text[..end])))
            }
            b'[' => {
                let Some(end) = text.iter().position(|unit| unit.code() == b']' as u32) else {
                    return Some(Err(TextError::value("Missing ']' in format string")));
                };
                if end == 0 {
                    return empty();
                }
                self.rest = &text[end + 1..];
                Some(key(&text[..end]).map(Access::Item))
            }
            _ => {
                let message = "Only '.' or '[' may follow ']' in format field specifier";
                Some(Err(TextError::value(message)))
            }
        }
    }
}

/// Keeps a format string from mixing `{}` and `{0}`.
#[derive(Clone, Copy, Debug, Default)]
pub struct AutoNumber {
    manual: Option<bool>,
    next: usize,
}

impl AutoNumber {
    /// The index of the argument that a field's first key means; `None` for a keyword.
    pub fn index<U: Unit>(&mut self, first: Key<'_, U>) -> Result<Option<usize>, TextError> {
        let manual = match first {
            Key::Name([]) => false,
            Key::Index(_) => true,
            Key::Name(_) => return Ok(None),
        };
        match (*self.manual.get_or_insert(manual), first) {
            (true, Key::Index(index)) => Ok(Some(index)),
            (false, Key::Name(_)) => {
                self.next += 1;
                Ok(Some(self.next - 1))
            }
            (true, Key::Name(_)) => {
                Err(TextError::value("cannot switch from manual field specification to automatic field numbering"))
            }
            (false, Key::Index(_)) => {
                Err(TextError::value("cannot switch from automatic field numbering to manual field specification"))
            }
        }
    }
}

/// The error of a conversion other than `!r`, `!s` and `!a`.
pub fn unknown_conversion(conversion: u32) -> TextError {
    let shown = match conversion {
        33..127 => (conversion as u8 as char).to_string(),
        code => format!("\\x{code:x}"),
    };
    TextError::value(format!("Unknown conversion specifier {shown}"))
}

/// The error of fields nested more than two levels deep.
pub fn recursion_exceeded() -> TextError {
    TextError::value("Max string recursion exceeded")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn show(units: &[u8]) -> String {
        String::from_utf8_lossy(units).into_owned()
    }

    fn parse(text: &str) -> String {
        let show_markup = |markup: Result<Markup<u8>, TextError>| match markup {
            Err(error) => error.message.into_owned(),
            Ok(Markup { literal, field: None }) => format!("'{}'", show(literal)),
            Ok(Markup { literal, field: Some(field) }) => {
                let conversion = field.conversion.map_or('-', |c| c as u8 as char);
                format!("'{}' {},{conversion},{}", show(literal), show(field.name), show(field.spec))
            }
        };
        MarkupIterator::new(text.as_bytes()).map(show_markup).collect::<Vec<_>>().join("; ")
    }

    fn split(text: &str) -> String {
        let show_key = |key: Key<u8>| match key {
            Key::Index(index) => index.to_string(),
            Key::Name(name) => format!("'{}'", show(name)),
        };
        let (first, rest) = match split_field_name(text.as_bytes()) {
            Err(error) => return error.message.into_owned(),
            Ok(parts) => parts,
        };
        let mut all = show_key(first);
        for access in rest {
            all += &match access {
                Err(error) => return error.message.into_owned(),
                Ok(Access::Attribute(name)) => format!(" .{}", show(name)),
                Ok(Access::Item(key)) => format!(" [{}]", show_key(key)),
            };
        }
        all
    }

    #[test]
    fn markup() {
        let cases = [
            ("", ""),
            ("abc", "'abc'"),
            ("{{", "'{'"),
            ("}}", "'}'"),
            ("a{b}c", "'a' b,-,; 'c'"),
            ("{a!r}", "'' a,r,"),
            ("{a!r:{}}", "'' a,r,{}"),
            ("{a:b{c}d}", "'' a,-,b{c}d"),
            ("{a[b}]}", "'' a[b}],-,"),
            ("{a!:}", "'' a,:,"),
            ("{!r}", "'' ,r,"),
            ("{a:}}}", "'' a,-,; '}'"),
            ("{a:{{}}}", "'' a,-,{{}}"),
            ("{a:!r}", "'' a,-,!r"),
            ("{a.b[c]!r:{w}}", "'' a.b[c],r,{w}"),
            ("{", "Single '{' encountered in format string"),
            ("}", "Single '}' encountered in format string"),
            ("{{}", "'{'; Single '}' encountered in format string"),
            ("{a!", "end of string while looking for conversion specifier"),
            ("{a!r", "unmatched '{' in format spec"),
            ("{a!rx", "expected ':' after conversion specifier"),
            ("{a!r:", "unmatched '{' in format spec"),
            ("{a!r:{}", "unmatched '{' in format spec"),
            ("{a", "expected '}' before end of string"),
            ("{a:", "unmatched '{' in format spec"),
            ("{a{b}", "unexpected '{' in field name"),
            ("{a[b", "expected '}' before end of string"),
            ("{a!}", "unmatched '{' in format spec"),
            ("x}y", "Single '}' encountered in format string"),
            ("{a!r!s}", "expected ':' after conversion specifier"),
        ];
        for (text, expected) in cases {
            assert_eq!(parse(text), expected, "{text}");
        }
    }

    #[test]
    fn field_names() {
        let cases = [
            ("", "''"),
            ("a", "'a'"),
            ("00", "0"),
            ("12a", "'12a'"),
            ("a.b[c].d", "'a' .b ['c'] .d"),
            ("0[1][2]", "0 [1] [2]"),
            ("[0]", "'' [0]"),
            (".a", "'' .a"),
            ("a]", "'a]'"),
            ("a[[]", "'a' ['[']"),
            ("-1", "'-1'"),
            ("a[01]", "'a' [1]"),
            ("a.1", "'a' .1"),
            ("a[ 1]", "'a' [' 1']"),
            ("a.", "Empty attribute in format string"),
            ("a..b", "Empty attribute in format string"),
            ("a[", "Missing ']' in format string"),
            ("a[]", "Empty attribute in format string"),
            ("a[b]c", "Only '.' or '[' may follow ']' in format field specifier"),
            ("99999999999999999999999", "Too many decimal digits in format string"),
        ];
        for (text, expected) in cases {
            assert_eq!(split(text), expected, "{text}");
        }
    }
}
