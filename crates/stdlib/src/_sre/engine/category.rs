//! Positions, categories and case: the AT and CATEGORY codes and the `lower` functions.

use std::sync::OnceLock;

use taipan_object::text::Unit;
use taipan_object::text::unicode;
use taipan_object::text::unicode::case::{simple_lower, simple_upper};

/// What the C library's locale says of the first 256 characters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Locale {
    pub lower: [u8; 256],
    pub upper: [u8; 256],
    pub alnum: [bool; 256],
}

impl Locale {
    /// The C locale, where only ASCII has letters. UTF-8 locales say the same of single bytes.
    pub const C: Locale = {
        let mut locale = Locale { lower: [0; 256], upper: [0; 256], alnum: [false; 256] };
        let mut c = 0;
        while c < 256 {
            locale.lower[c] = (c as u8).to_ascii_lowercase();
            locale.upper[c] = (c as u8).to_ascii_uppercase();
            locale.alnum[c] = (c as u8).is_ascii_alphanumeric();
            c += 1;
        }
        locale
    };

    /// What the C library says now.
    pub fn current() -> Locale {
        let mut locale = Locale::C;
        for c in 0..=255u8 {
            let at = usize::from(c);
            // SAFETY: the functions take any value of an unsigned char.
            unsafe {
                locale.lower[at] = libc::tolower(i32::from(c)) as u8;
                locale.upper[at] = libc::toupper(i32::from(c)) as u8;
                locale.alnum[at] = libc::isalnum(i32::from(c)) != 0;
            }
        }
        locale
    }

    pub fn to_lower(&self, c: u32) -> u32 {
        self.lower.get(c as usize).map_or(c, |&lower| lower as u32)
    }

    pub fn to_upper(&self, c: u32) -> u32 {
        self.upper.get(c as usize).map_or(c, |&upper| upper as u32)
    }

    fn is_word(&self, c: u32) -> bool {
        c == b'_' as u32 || self.alnum.get(c as usize).copied().unwrap_or(false)
    }
}

/// How case is ignored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fold {
    None,
    Ascii,
    Unicode,
    Locale,
}

pub fn ascii_lower(c: u32) -> u32 {
    u8::try_from(c).map_or(c, |byte| byte.to_ascii_lowercase() as u32)
}

pub fn ascii_is_cased(c: u32) -> bool {
    u8::try_from(c).is_ok_and(|byte| byte.is_ascii_alphabetic())
}

pub fn unicode_lower(c: u32) -> u32 {
    simple_lower(c)
}

pub fn unicode_upper(c: u32) -> u32 {
    simple_upper(c)
}

pub fn unicode_is_cased(c: u32) -> bool {
    simple_lower(c) != c || simple_upper(c) != c
}

impl Fold {
    pub fn lower(self, c: u32, locale: &Locale) -> u32 {
        match self {
            Fold::None => c,
            Fold::Ascii => ascii_lower(c),
            Fold::Unicode => unicode_lower(c),
            Fold::Locale => locale.to_lower(c),
        }
    }
}

/// The kinds of characters, each with its negation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Category {
    Digit,
    Space,
    Word,
    LineBreak,
    LocaleWord,
    UnicodeDigit,
    UnicodeSpace,
    UnicodeWord,
    UnicodeLineBreak,
}

impl Category {
    /// The category with this number among the CATEGORY codes, and whether it is negated.
    pub fn from_code(code: u32) -> Option<(Category, bool)> {
        let category = match code / 2 {
            0 => Category::Digit,
            1 => Category::Space,
            2 => Category::Word,
            3 => Category::LineBreak,
            4 => Category::LocaleWord,
            5 => Category::UnicodeDigit,
            6 => Category::UnicodeSpace,
            7 => Category::UnicodeWord,
            8 => Category::UnicodeLineBreak,
            _ => return None,
        };
        Some((category, code % 2 == 1))
    }

    /// Which characters of Latin-1 belong to a category that no locale changes.
    pub fn latin1(self) -> &'static [bool; 256] {
        static TABLES: [OnceLock<[bool; 256]>; Category::COUNT] = [const { OnceLock::new() }; Category::COUNT];
        TABLES[self as usize].get_or_init(|| std::array::from_fn(|c| self.contains(c as u32, &Locale::C)))
    }

    const COUNT: usize = Category::UnicodeLineBreak as usize + 1;

    pub fn contains(self, c: u32, locale: &Locale) -> bool {
        let ascii = |test: fn(&u8) -> bool| u8::try_from(c).is_ok_and(|byte| test(&byte));
        match self {
            Category::Digit => ascii(u8::is_ascii_digit),
            Category::Space => ascii(|byte| matches!(byte, b' ' | b'\t'..=b'\r')),
            Category::Word => ascii(|&byte| byte.is_ascii_alphanumeric() || byte == b'_'),
            Category::LineBreak => c == b'\n' as u32,
            Category::LocaleWord => locale.is_word(c),
            Category::UnicodeDigit => unicode::is_decimal(c),
            Category::UnicodeSpace => unicode::is_space(c),
            Category::UnicodeWord => unicode::is_alnum(c) || c == b'_' as u32,
            Category::UnicodeLineBreak => unicode::is_line_break(c),
        }
    }
}

/// The places that an AT code names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum At {
    Beginning,
    BeginningLine,
    End,
    EndLine,
    EndString,
    Boundary(Category),
    NonBoundary(Category),
}

impl At {
    pub fn from_code(code: u32) -> Option<At> {
        Some(match code {
            0 | 2 => At::Beginning,
            1 => At::BeginningLine,
            3 => At::Boundary(Category::Word),
            4 => At::NonBoundary(Category::Word),
            5 => At::End,
            6 => At::EndLine,
            7 => At::EndString,
            8 => At::Boundary(Category::LocaleWord),
            9 => At::NonBoundary(Category::LocaleWord),
            10 => At::Boundary(Category::UnicodeWord),
            11 => At::NonBoundary(Category::UnicodeWord),
            _ => return None,
        })
    }

    /// Whether `ptr` is such a place of the text.
    #[inline]
    pub fn holds<U: Unit>(self, text: &[U], ptr: usize, locale: &Locale) -> bool {
        let is_newline = |at: usize| text[at].code() == b'\n' as u32;
        match self {
            At::Beginning => ptr == 0,
            At::BeginningLine => ptr == 0 || is_newline(ptr - 1),
            At::End => ptr == text.len() || (ptr + 1 == text.len() && is_newline(ptr)),
            At::EndLine => ptr == text.len() || is_newline(ptr),
            At::EndString => ptr == text.len(),
            At::Boundary(word) => is_boundary(word, text, ptr, locale),
            At::NonBoundary(word) => !is_boundary(word, text, ptr, locale),
        }
    }
}

#[inline]
fn is_boundary<U: Unit>(word: Category, text: &[U], ptr: usize, locale: &Locale) -> bool {
    let is_word = |c: u32| match word {
        Category::Word | Category::UnicodeWord if c < 0x80 => WORD[c as usize],
        word => word.contains(c, locale),
    };
    let before = ptr > 0 && is_word(text[ptr - 1].code());
    let after = ptr < text.len() && is_word(text[ptr].code());
    before != after
}

/// The word characters of ASCII.
static WORD: [bool; 128] = {
    let mut table = [false; 128];
    let mut c = 0;
    while c < 128 {
        table[c] = (c as u8).is_ascii_alphanumeric() || c as u8 == b'_';
        c += 1;
    }
    table
};
