//! Strings of code objects: sequences of code points that, as Python's do, may hold lone surrogates.
//!
//! They are kept as generalised UTF-8 (each code point, surrogates too, in the usual one to four bytes), which is what
//! marshal writes under the error handler `surrogatepass`, and is plain UTF-8 whenever there is no surrogate.

use std::borrow::{Borrow, Cow};
use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

/// An immutable string in generalised UTF-8; cheap to clone.
#[derive(Clone)]
pub struct Text(Place);

/// Where the bytes are.
#[derive(Clone)]
enum Place {
    Shared(Arc<[u8]>),
    Static(&'static [u8]),
}

impl Text {
    pub fn new(text: &str) -> Text {
        Text(Place::Shared(text.as_bytes().into()))
    }

    /// From code points; those above 0x10FFFF become U+FFFD.
    pub fn from_code_points(code_points: impl IntoIterator<Item = u32>) -> Text {
        let mut bytes = Vec::new();
        for code_point in code_points {
            push_code_point(&mut bytes, code_point);
        }
        Text(Place::Shared(bytes.into()))
    }

    /// From generalised UTF-8 that is well-formed and stays where it is.
    pub(crate) fn from_static(bytes: &'static [u8]) -> Text {
        Text(Place::Static(bytes))
    }

    /// From generalised UTF-8; None if it is not well-formed.
    pub fn from_bytes(bytes: &[u8]) -> Option<Text> {
        if std::str::from_utf8(bytes).is_err() {
            let mut rest = bytes;
            while !rest.is_empty() {
                let (code_point, len) = decode(rest)?;
                let canonical = match len {
                    1 => true,
                    2 => code_point >= 0x80,
                    3 => code_point >= 0x800,
                    _ => (0x10000..=0x10FFFF).contains(&code_point),
                };
                if !canonical {
                    return None;
                }
                rest = &rest[len..];
            }
        }
        Some(Text(Place::Shared(bytes.into())))
    }

    /// Generalised UTF-8.
    #[inline]
    pub fn as_bytes(&self) -> &[u8] {
        match &self.0 {
            Place::Shared(bytes) => bytes,
            Place::Static(bytes) => bytes,
        }
    }

    /// The string if it holds no surrogate.
    pub fn as_str(&self) -> Option<&str> {
        std::str::from_utf8(self.as_bytes()).ok()
    }

    /// For display: surrogates become U+FFFD.
    pub fn to_str_lossy(&self) -> Cow<'_, str> {
        match self.as_str() {
            Some(text) => Cow::Borrowed(text),
            None => Cow::Owned(self.code_points().map(|c| char::from_u32(c).unwrap_or('\u{FFFD}')).collect()),
        }
    }

    pub fn code_points(&self) -> CodePoints<'_> {
        CodePoints { rest: self.as_bytes() }
    }

    pub fn is_empty(&self) -> bool {
        self.as_bytes().is_empty()
    }

    pub fn is_ascii(&self) -> bool {
        self.as_bytes().is_ascii()
    }

    /// The number of code points.
    pub fn char_count(&self) -> usize {
        self.as_bytes().iter().filter(|&&byte| byte & 0xC0 != 0x80).count()
    }
}

/// Appends a code point, surrogates included, to generalised UTF-8.
pub fn push_code_point(bytes: &mut Vec<u8>, code_point: u32) {
    let continuation = |shift: u32| 0x80 | (code_point >> shift & 0x3F) as u8;
    match code_point {
        0..0x80 => bytes.push(code_point as u8),
        0x80..0x800 => bytes.extend([0xC0 | (code_point >> 6) as u8, continuation(0)]),
        0x800..0x10000 => bytes.extend([0xE0 | (code_point >> 12) as u8, continuation(6), continuation(0)]),
        0x10000..=0x10FFFF => {
            bytes.extend([0xF0 | (code_point >> 18) as u8, continuation(12), continuation(6), continuation(0)]);
        }
        _ => bytes.extend("\u{FFFD}".bytes()),
    }
}

/// The first code point of non-empty bytes and its length.
fn decode(bytes: &[u8]) -> Option<(u32, usize)> {
    let first = bytes[0];
    let (len, head) = match first {
        0..0x80 => return Some((u32::from(first), 1)),
        0xC0..0xE0 => (2, first & 0x1F),
        0xE0..0xF0 => (3, first & 0x0F),
        0xF0..0xF8 => (4, first & 0x07),
        _ => return None,
    };
    let mut code_point = u32::from(head);
    for &byte in bytes.get(1..len)? {
        if byte & 0xC0 != 0x80 {
            return None;
        }
        code_point = code_point << 6 | u32::from(byte & 0x3F);
    }
    Some((code_point, len))
}

pub struct CodePoints<'a> {
    rest: &'a [u8],
}

impl Iterator for CodePoints<'_> {
    type Item = u32;

    fn next(&mut self) -> Option<u32> {
        if self.rest.is_empty() {
            return None;
        }
        let (code_point, len) = decode(self.rest)?;
        self.rest = &self.rest[len..];
        Some(code_point)
    }
}

impl From<&str> for Text {
    fn from(text: &str) -> Text {
        Text::new(text)
    }
}

impl From<String> for Text {
    fn from(text: String) -> Text {
        Text(Place::Shared(text.into_bytes().into()))
    }
}

impl Borrow<[u8]> for Text {
    fn borrow(&self) -> &[u8] {
        self.as_bytes()
    }
}

impl PartialEq for Text {
    fn eq(&self, other: &Text) -> bool {
        self.as_bytes() == other.as_bytes()
    }
}

impl Eq for Text {}

impl PartialOrd for Text {
    fn partial_cmp(&self, other: &Text) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Text {
    fn cmp(&self, other: &Text) -> Ordering {
        self.as_bytes().cmp(other.as_bytes())
    }
}

impl Hash for Text {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.as_bytes().hash(state);
    }
}

impl PartialEq<str> for Text {
    fn eq(&self, other: &str) -> bool {
        self.as_bytes() == other.as_bytes()
    }
}

impl PartialEq<&str> for Text {
    fn eq(&self, other: &&str) -> bool {
        *self == **other
    }
}

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_str_lossy())
    }
}

impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&*self.to_str_lossy(), f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn surrogates_stay() {
        let points = [0x61, 0xDC80, 0xD800, 0xDC00, 0x10000, 0xE9, 0x20AC];
        let text = Text::from_code_points(points);
        assert_eq!(text.code_points().collect::<Vec<_>>(), points);
        assert_eq!(text.char_count(), 7);
        assert_eq!(text.as_str(), None);
        assert_eq!(Text::from_bytes(text.as_bytes()), Some(text));
        assert_eq!(Text::from_bytes(b"\xC0\x80"), None);
        assert_eq!(Text::from_bytes(b"\xED\xA0"), None);
        assert_eq!(Text::from("x\u{20AC}").char_count(), 2);
    }
}
