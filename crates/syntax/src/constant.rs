//! Constant values of the AST: what `ast.Constant.value` can hold.
//!
//! Nothing here owns heap memory, so that the arena can be dropped as a whole: strings, bytes and the limbs of
//! large integers are slices of the arena.

use std::borrow::Cow;
use std::fmt;

/// A Python string: Unicode scalar values and lone surrogates, in generalised UTF-8 (WTF-8 without the rule that
/// surrogate pairs are joined: each surrogate is its own three bytes, as in CPython's `surrogatepass`).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct PyStr<'a>(&'a [u8]);

impl<'a> PyStr<'a> {
    pub const fn from_str(text: &'a str) -> Self {
        PyStr(text.as_bytes())
    }

    /// `bytes` must be generalised UTF-8; ill-formed sequences read as U+FFFD.
    pub const fn from_bytes(bytes: &'a [u8]) -> Self {
        PyStr(bytes)
    }

    pub const fn as_bytes(self) -> &'a [u8] {
        self.0
    }

    /// The text, unless it holds a lone surrogate.
    pub fn to_str(self) -> Option<&'a str> {
        std::str::from_utf8(self.0).ok()
    }

    /// The text with lone surrogates replaced by U+FFFD.
    pub fn to_string_lossy(self) -> Cow<'a, str> {
        match self.to_str() {
            Some(text) => Cow::Borrowed(text),
            None => Cow::Owned(self.code_points().map(|c| char::from_u32(c).unwrap_or('\u{fffd}')).collect()),
        }
    }

    pub const fn is_empty(self) -> bool {
        self.0.is_empty()
    }

    /// The code points, surrogates included.
    pub fn code_points(self) -> CodePoints<'a> {
        CodePoints { rest: self.0 }
    }
}

impl<'a> From<&'a str> for PyStr<'a> {
    fn from(text: &'a str) -> Self {
        PyStr::from_str(text)
    }
}

impl fmt::Debug for PyStr<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.to_string_lossy(), f)
    }
}

/// Iterator over the code points of a [`PyStr`].
#[derive(Clone, Debug)]
pub struct CodePoints<'a> {
    rest: &'a [u8],
}

impl Iterator for CodePoints<'_> {
    type Item = u32;

    fn next(&mut self) -> Option<u32> {
        let (&lead, tail) = self.rest.split_first()?;
        let (length, bits) = match lead {
            0..=0x7f => {
                self.rest = tail;
                return Some(u32::from(lead));
            }
            0xc0..=0xdf => (1, lead & 0x1f),
            0xe0..=0xef => (2, lead & 0x0f),
            0xf0..=0xf7 => (3, lead & 0x07),
            _ => {
                self.rest = tail;
                return Some(0xfffd);
            }
        };
        if tail.len() < length {
            self.rest = &[];
            return Some(0xfffd);
        }
        let code = tail[..length].iter().fold(u32::from(bits), |code, &byte| code << 6 | u32::from(byte & 0x3f));
        self.rest = &tail[length..];
        Some(code)
    }
}

/// An integer beyond `i64`: sign and magnitude, limbs of 64 bits, least significant first, no leading zero limb.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct BigInt<'a> {
    pub negative: bool,
    pub limbs: &'a [u64],
}

/// The value of an `ast.Constant`.
///
/// The parser makes all but [`Constant::Tuple`] and [`Constant::FrozenSet`], which come from trees built in Python
/// and from constant folding. Integers that fit in `i64` are always [`Constant::Int`].
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Constant<'a> {
    None,
    True,
    False,
    Ellipsis,
    Int(i64),
    BigInt(&'a BigInt<'a>),
    Float(f64),
    Complex { real: f64, imag: f64 },
    Str(PyStr<'a>),
    Bytes(&'a [u8]),
    Tuple(&'a [Constant<'a>]),
    FrozenSet(&'a [Constant<'a>]),
}
