//! Text that can be changed in place, in the width that its widest character so far has needed.

use taipan_object::Ref;
use taipan_object::builtins::str::{Data, Str};

pub enum TextBuffer {
    Narrow(Vec<u8>),
    Ucs2(Vec<u16>),
    Ucs4(Vec<u32>),
}

impl Default for TextBuffer {
    fn default() -> Self {
        TextBuffer::Narrow(Vec::new())
    }
}

/// Writes `units` at `at`, after zeros if that is beyond the end; `None` when there is no memory.
fn put<T: Copy + Default, S: Copy + Into<T>>(buffer: &mut Vec<T>, at: usize, units: &[S]) -> Option<usize> {
    let end = at.checked_add(units.len())?;
    if at >= buffer.len() {
        buffer.try_reserve(end - buffer.len()).ok()?;
        buffer.resize(at, T::default());
        buffer.extend(units.iter().map(|unit| (*unit).into()));
        return Some(end);
    }
    if end > buffer.len() {
        buffer.try_reserve(end - buffer.len()).ok()?;
        buffer.resize(end, T::default());
    }
    for (slot, unit) in buffer[at..end].iter_mut().zip(units) {
        *slot = (*unit).into();
    }
    Some(end)
}

impl TextBuffer {
    pub fn len(&self) -> usize {
        match self {
            TextBuffer::Narrow(units) => units.len(),
            TextBuffer::Ucs2(units) => units.len(),
            TextBuffer::Ucs4(units) => units.len(),
        }
    }

    /// Writes `text` at `at`: where it ends; `None` when there is no memory.
    pub fn write(&mut self, at: usize, text: &Str) -> Option<usize> {
        if text.len() == 0 {
            return Some(at);
        }
        match (&mut *self, text.data()) {
            (TextBuffer::Narrow(buffer), Data::Ascii(units) | Data::Latin1(units)) => put(buffer, at, units),
            (TextBuffer::Ucs2(buffer), Data::Ascii(units) | Data::Latin1(units)) => put(buffer, at, units),
            (TextBuffer::Ucs2(buffer), Data::Ucs2(units)) => put(buffer, at, units),
            (TextBuffer::Ucs4(buffer), Data::Ascii(units) | Data::Latin1(units)) => put(buffer, at, units),
            (TextBuffer::Ucs4(buffer), Data::Ucs2(units)) => put(buffer, at, units),
            (TextBuffer::Ucs4(buffer), Data::Ucs4(units)) => put(buffer, at, units),
            (_, Data::Ucs2(_)) => {
                let TextBuffer::Narrow(old) = self else { return None };
                let mut wide = Vec::new();
                put::<u16, u8>(&mut wide, 0, old)?;
                *self = TextBuffer::Ucs2(wide);
                self.write(at, text)
            }
            (_, Data::Ucs4(_)) => {
                let mut wide = Vec::new();
                match &*self {
                    TextBuffer::Narrow(old) => put::<u32, u8>(&mut wide, 0, old)?,
                    TextBuffer::Ucs2(old) => put::<u32, u16>(&mut wide, 0, old)?,
                    TextBuffer::Ucs4(_) => return None,
                };
                *self = TextBuffer::Ucs4(wide);
                self.write(at, text)
            }
        }
    }

    pub fn truncate(&mut self, length: usize) {
        match self {
            TextBuffer::Narrow(units) => units.truncate(length),
            TextBuffer::Ucs2(units) => units.truncate(length),
            TextBuffer::Ucs4(units) => units.truncate(length),
        }
    }

    pub fn slice(&self, start: usize, end: usize) -> Ref<Str> {
        match self {
            TextBuffer::Narrow(units) => Str::from_latin1(&units[start..end]),
            TextBuffer::Ucs2(units) => Str::from_ucs2(&units[start..end]),
            TextBuffer::Ucs4(units) => Str::from_code_points(&units[start..end]),
        }
    }

    pub fn with_units<R>(&self, f: impl FnOnce(Data<'_>) -> R) -> R {
        match self {
            TextBuffer::Narrow(units) => f(Data::Latin1(units)),
            TextBuffer::Ucs2(units) => f(Data::Ucs2(units)),
            TextBuffer::Ucs4(units) => f(Data::Ucs4(units)),
        }
    }
}
