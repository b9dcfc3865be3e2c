//! Characters of XML in UTF-8.

/// What stands at a place of the text.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Char {
    /// A character and its length in bytes.
    Of(char, usize),
    /// The text ends, perhaps within a character.
    End,
    Partial,
    /// No character that XML allows.
    Invalid,
}

pub fn char_at(text: &[u8], at: usize) -> Char {
    let Some(&first) = text.get(at) else { return Char::End };
    let (length, min) = match first {
        b'\t' | b'\n' | b'\r' | 0x20..=0x7f => return Char::Of(first as char, 1),
        0xc2..=0xdf => (2, 0x80),
        0xe0..=0xef => (3, 0x800),
        0xf0..=0xf4 => (4, 0x10000),
        _ => return Char::Invalid,
    };
    let mut point = u32::from(first) & (0xff >> (length + 1));
    for offset in 1..length {
        match text.get(at + offset) {
            None => return Char::Partial,
            Some(byte @ 0x80..=0xbf) => point = point << 6 | u32::from(byte & 0x3f),
            Some(_) => return Char::Invalid,
        }
    }
    match char::from_u32(point) {
        Some(c) if point >= min && !matches!(c, '\u{fffe}' | '\u{ffff}') => Char::Of(c, length),
        _ => Char::Invalid,
    }
}

const NAME: u8 = 1;
const NAME_START: u8 = 2;
const VALUE: u8 = 4;

/// What the ASCII characters can be part of without further ado: names but for colons, values of attributes but for quotes
/// and references.
static CLASSES: [u8; 256] = {
    let mut classes = [0; 256];
    let mut byte = 0;
    while byte < 128 {
        let c = byte as u8;
        if c.is_ascii_alphabetic() || c == b'_' {
            classes[byte] |= NAME | NAME_START;
        }
        if c.is_ascii_digit() || c == b'-' || c == b'.' {
            classes[byte] |= NAME;
        }
        if c >= b' ' && !matches!(c, b'"' | b'\'' | b'<' | b'&') {
            classes[byte] |= VALUE;
        }
        byte += 1;
    }
    classes
};

fn run(text: &[u8], at: usize, class: u8) -> usize {
    let mut end = at;
    while let Some(byte) = text.get(end) {
        if CLASSES[usize::from(*byte)] & class == 0 {
            break;
        }
        end += 1;
    }
    end
}

/// Where the ASCII characters end that a name at `at` begins with; `at` if it begins with something else, or with a colon.
pub fn ascii_name(text: &[u8], at: usize) -> usize {
    match text.get(at) {
        Some(byte) if CLASSES[usize::from(*byte)] & NAME_START != 0 => run(text, at + 1, NAME),
        _ => at,
    }
}

/// Where the ASCII characters end that stand for themselves in an attribute's value.
pub fn plain_value(text: &[u8], at: usize) -> usize {
    run(text, at, VALUE)
}

pub fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\r' | b'\n')
}

pub fn is_name_start(c: char) -> bool {
    matches!(c,
        'A'..='Z' | 'a'..='z' | '_' | ':'
        | '\u{c0}'..='\u{d6}' | '\u{d8}'..='\u{f6}' | '\u{f8}'..='\u{2ff}' | '\u{370}'..='\u{37d}'
        | '\u{37f}'..='\u{1fff}' | '\u{200c}'..='\u{200d}' | '\u{2070}'..='\u{218f}' | '\u{2c00}'..='\u{2fef}'
        | '\u{3001}'..='\u{d7ff}' | '\u{f900}'..='\u{fdcf}' | '\u{fdf0}'..='\u{fffd}' | '\u{10000}'..='\u{effff}')
}

pub fn is_name_char(c: char) -> bool {
    is_name_start(c) || matches!(c, '0'..='9' | '-' | '.' | '\u{b7}' | '\u{300}'..='\u{36f}' | '\u{203f}'..='\u{2040}')
}

/// A character that a reference by number may mean.
pub fn is_allowed(point: u32) -> Option<char> {
    match char::from_u32(point)? {
        c @ ('\t' | '\n' | '\r' | '\u{20}'..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..) => Some(c),
        _ => None,
    }
}

/// Whether a public identifier may have the byte.
pub fn is_public_id(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b" \r\n-'()+,./:=?;!*#@$_%".contains(&byte)
}
