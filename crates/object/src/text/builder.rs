//! Collects code points into text of the narrowest PEP 393 kind.
//!
//! Text for which there is no memory is given up as a whole: what is built is empty from then on, and `MemoryError` is raised
//! at the next safepoint.

use super::Unit;
use crate::heap;
use std::collections::TryReserveError;

/// Finished text. The kind is canonical: the widest code point needs it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Text {
    Ascii(Vec<u8>),
    Latin1(Vec<u8>),
    Ucs2(Vec<u16>),
    Ucs4(Vec<u32>),
}

impl Text {
    pub fn len(&self) -> usize {
        match self {
            Text::Ascii(units) | Text::Latin1(units) => units.len(),
            Text::Ucs2(units) => units.len(),
            Text::Ucs4(units) => units.len(),
        }
    }

    pub fn codes(&self) -> Vec<u32> {
        match self {
            Text::Ascii(units) | Text::Latin1(units) => units.iter().map(|&unit| unit.code()).collect(),
            Text::Ucs2(units) => units.iter().map(|&unit| unit.code()).collect(),
            Text::Ucs4(units) => units.clone(),
        }
    }
}

/// What formatted text is written to: a `str` in the making or a `bytes`, the latter getting nothing beyond ASCII.
pub trait Sink {
    fn reserve(&mut self, units: usize) -> Result<(), TryReserveError>;
    fn ascii(&mut self, text: &[u8]);
    fn repeated(&mut self, byte: u8, count: usize);
}

impl Sink for TextBuilder {
    fn reserve(&mut self, units: usize) -> Result<(), TryReserveError> {
        self.try_reserve(units)
    }

    fn ascii(&mut self, text: &[u8]) {
        self.push_ascii(text);
    }

    fn repeated(&mut self, byte: u8, count: usize) {
        self.push_repeated(byte as u32, count);
    }
}

impl Sink for Vec<u8> {
    fn reserve(&mut self, units: usize) -> Result<(), TryReserveError> {
        self.try_reserve(units)
    }

    fn ascii(&mut self, text: &[u8]) {
        self.extend_from_slice(text);
    }

    fn repeated(&mut self, byte: u8, count: usize) {
        self.resize(self.len() + count, byte);
    }
}

/// Buffers in the making that are given up like text: emptied when there is no memory for more.
pub trait GivenUp<T> {
    /// Makes room for `more` items; false if there is none, and then what there was is gone.
    fn make_room(&mut self, more: usize) -> bool;
    fn put(&mut self, item: T);
    fn put_all(&mut self, items: &[T])
    where
        T: Clone;
}

impl<T> GivenUp<T> for Vec<T> {
    #[inline]
    fn make_room(&mut self, more: usize) -> bool {
        let is_room = self.capacity() - self.len() >= more || heap::fallible(|| self.try_reserve(more)).is_ok();
        if !is_room {
            *self = Vec::new();
            heap::signal_exhausted();
        }
        is_room
    }

    #[inline]
    fn put(&mut self, item: T) {
        if self.len() < self.capacity() || self.make_room(1) {
            self.push(item);
        }
    }

    #[inline]
    fn put_all(&mut self, items: &[T])
    where
        T: Clone,
    {
        if self.make_room(items.len()) {
            self.extend_from_slice(items);
        }
    }
}

#[derive(Clone, Debug)]
pub struct TextBuilder {
    text: Text,
    /// There was no memory for the text.
    given_up: bool,
}

impl Default for TextBuilder {
    fn default() -> Self {
        Self::new()
    }
}

impl TextBuilder {
    /// Has room for a short text.
    pub fn new() -> Self {
        Self::with_capacity(32)
    }

    /// With room for `units`, if there is.
    pub fn with_capacity(units: usize) -> Self {
        let mut builder = TextBuilder { text: Text::Ascii(Vec::new()), given_up: false };
        let _ = builder.try_reserve(units);
        builder
    }

    pub fn len(&self) -> usize {
        self.text.len()
    }

    /// Makes room for `units` more; `Err` when there is no memory for them.
    pub fn try_reserve(&mut self, units: usize) -> Result<(), TryReserveError> {
        let room = match &self.text {
            Text::Ascii(all) | Text::Latin1(all) => all.capacity() - all.len(),
            Text::Ucs2(all) => all.capacity() - all.len(),
            Text::Ucs4(all) => all.capacity() - all.len(),
        };
        if room >= units {
            return Ok(());
        }
        heap::fallible(|| match &mut self.text {
            Text::Ascii(all) | Text::Latin1(all) => all.try_reserve(units),
            Text::Ucs2(all) => all.try_reserve(units),
            Text::Ucs4(all) => all.try_reserve(units),
        })
    }

    /// Makes room for `units` more; `false` if there is none, and then the text is given up.
    #[inline]
    fn has_room(&mut self, units: usize) -> bool {
        !self.given_up && (self.try_reserve(units).is_ok() || self.give_up())
    }

    #[cold]
    fn give_up(&mut self) -> bool {
        heap::signal_exhausted();
        *self = TextBuilder { text: Text::Ascii(Vec::new()), given_up: true };
        false
    }

    #[inline]
    pub fn push(&mut self, code: u32) {
        match &mut self.text {
            Text::Ascii(units) if code < 0x80 && units.len() < units.capacity() => units.push(code as u8),
            Text::Latin1(units) if code <= 0xff && units.len() < units.capacity() => units.push(code as u8),
            Text::Ucs2(units) if code <= 0xffff && units.len() < units.capacity() => units.push(code as u16),
            Text::Ucs4(units) if units.len() < units.capacity() => units.push(code),
            _ => self.push_slowly(code),
        }
    }

    #[cold]
    fn push_slowly(&mut self, code: u32) {
        self.widen(code);
        if self.has_room(1) {
            self.push(code);
        }
    }

    #[inline]
    pub fn push_ascii(&mut self, text: &[u8]) {
        debug_assert!(text.is_ascii());
        if !self.has_room(text.len()) {
            return;
        }
        match &mut self.text {
            Text::Ascii(units) | Text::Latin1(units) => units.extend_from_slice(text),
            Text::Ucs2(units) => units.extend(text.iter().map(|&byte| byte as u16)),
            Text::Ucs4(units) => units.extend(text.iter().map(|&byte| byte as u32)),
        }
    }

    pub fn push_str(&mut self, text: &str) {
        if self.given_up {
            return;
        }
        // The greatest lead byte tells how wide the widest character is.
        let widest = match text.bytes().max() {
            None | Some(0..0x80) => return self.push_ascii(text.as_bytes()),
            Some(0x80..0xc4) => 0xff,
            Some(0xc4..0xf0) => 0xffff,
            Some(_) => 0x10ffff,
        };
        self.widen(widest);
        if !self.has_room(text.chars().count()) {
            return;
        }
        let codes = text.chars().map(|c| c as u32);
        match &mut self.text {
            Text::Ascii(units) | Text::Latin1(units) => units.extend(codes.map(|code| code as u8)),
            Text::Ucs2(units) => units.extend(codes.map(|code| code as u16)),
            Text::Ucs4(units) => units.extend(codes),
        }
    }

    pub fn push_units<U: Unit>(&mut self, text: &[U]) {
        if self.given_up {
            return;
        }
        if let Some(bytes) = U::as_bytes(text)
            && bytes.is_ascii()
        {
            return self.push_ascii(bytes);
        }
        let widest = text.iter().fold(0, |widest, unit| widest | unit.code());
        self.widen(widest.min(0x10ffff));
        if !self.has_room(text.len()) {
            return;
        }
        match &mut self.text {
            Text::Ascii(units) | Text::Latin1(units) => units.extend(text.iter().map(|unit| unit.code() as u8)),
            Text::Ucs2(units) => units.extend(text.iter().map(|unit| unit.code() as u16)),
            Text::Ucs4(units) => units.extend(text.iter().map(|unit| unit.code())),
        }
    }

    pub fn push_repeated(&mut self, code: u32, count: usize) {
        if count == 0 {
            return;
        }
        self.widen(code);
        if !self.has_room(count) {
            return;
        }
        match &mut self.text {
            Text::Ascii(units) | Text::Latin1(units) => units.resize(units.len() + count, code as u8),
            Text::Ucs2(units) => units.resize(units.len() + count, code as u16),
            Text::Ucs4(units) => units.resize(units.len() + count, code),
        }
    }

    pub fn finish(self) -> Text {
        self.text
    }

    /// Gives the text a kind that can hold `code`. An OR of several code points does as well: it needs the same kind
    /// as the widest of them.
    #[inline]
    fn widen(&mut self, code: u32) {
        let widest = match &self.text {
            Text::Ascii(_) => 0x7f,
            Text::Latin1(_) => 0xff,
            Text::Ucs2(_) => 0xffff,
            Text::Ucs4(_) => 0x10ffff,
        };
        if code > widest {
            self.widen_to(code);
        }
    }

    #[inline(never)]
    fn widen_to(&mut self, code: u32) {
        let wide = match &self.text {
            Text::Ascii(_) | Text::Latin1(_) if code <= 0xff => {
                if let Text::Ascii(units) = &mut self.text {
                    self.text = Text::Latin1(std::mem::take(units));
                }
                return;
            }
            Text::Ascii(units) | Text::Latin1(units) if code <= 0xffff => widened(units, u16::from).map(Text::Ucs2),
            Text::Ascii(units) | Text::Latin1(units) => widened(units, u32::from).map(Text::Ucs4),
            Text::Ucs2(units) if code > 0xffff => widened(units, u32::from).map(Text::Ucs4),
            Text::Ucs2(_) | Text::Ucs4(_) => return,
        };
        match wide {
            Some(text) => self.text = text,
            None => {
                self.give_up();
            }
        }
    }
}

fn widened<N: Copy, W>(units: &[N], widen: impl Fn(N) -> W) -> Option<Vec<W>> {
    let mut wide = Vec::new();
    // More is to come.
    wide.try_reserve(units.len() + units.len() / 8).ok()?;
    wide.extend(units.iter().map(|unit| widen(*unit)));
    Some(wide)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kind_is_the_narrowest() {
        let mut builder = TextBuilder::new();
        builder.push_ascii(b"ab");
        assert_eq!(builder.clone().finish(), Text::Ascii(vec![97, 98]));
        builder.push(0xe9);
        assert_eq!(builder.clone().finish(), Text::Latin1(vec![97, 98, 0xe9]));
        builder.push_repeated(0x20ac, 2);
        assert_eq!(builder.clone().finish(), Text::Ucs2(vec![97, 98, 0xe9, 0x20ac, 0x20ac]));
        builder.push_units(&[0x10000_u32, 1]);
        assert_eq!(builder.finish(), Text::Ucs4(vec![97, 98, 0xe9, 0x20ac, 0x20ac, 0x10000, 1]));
        let built = |text: &str| {
            let mut builder = TextBuilder::new();
            builder.push_str(text);
            builder.finish()
        };
        assert_eq!(built(""), Text::Ascii(vec![]));
        assert_eq!(built("a\u{80}\u{ff}"), Text::Latin1(vec![97, 0x80, 0xff]));
        assert_eq!(built("a\u{100}"), Text::Ucs2(vec![97, 0x100]));
        assert_eq!(built("a\u{ffff}"), Text::Ucs2(vec![97, 0xffff]));
        assert_eq!(built("a\u{10000}"), Text::Ucs4(vec![97, 0x10000]));
    }
}
