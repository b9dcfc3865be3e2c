//! What patterns are matched against: str or bytes-like objects.

use taipan_object::buffer::BytesLike;
use taipan_object::builtins::bytes::{self, Bytes};
use taipan_object::builtins::str::{self as text, Data, Str};
use taipan_object::{Result, Value, Vm};

/// A string, kept alive by the value that it was made of.
pub enum Subject<'a> {
    Text(&'a Value, &'a Str),
    Bytes(&'a Value, BytesLike<'a>),
}

/// The characters of a subject.
pub enum Units<'a> {
    Narrow(&'a [u8]),
    Ucs2(&'a [u16]),
    Ucs4(&'a [u32]),
}

/// Evaluates an expression in which `$units` is the slice of the subject's characters, of whichever width.
macro_rules! with_units {
    ($subject:expr, $units:ident => $body:expr) => {
        match $subject.units() {
            $crate::_sre::subject::Units::Narrow($units) => $body,
            $crate::_sre::subject::Units::Ucs2($units) => $body,
            $crate::_sre::subject::Units::Ucs4($units) => $body,
        }
    };
}
pub(super) use with_units;

impl<'a> Subject<'a> {
    #[inline]
    pub fn of(vm: &Vm, value: &'a Value) -> Result<Subject<'a>> {
        if let Some(text) = value.downcast::<Str>() {
            return Ok(Subject::Text(value, text));
        }
        if !vm.has_buffer(value) {
            let name = value.ty().name();
            return Err(vm.type_error(format!("expected string or bytes-like object, got '{name}'")));
        }
        Ok(Subject::Bytes(value, vm.bytes_like(value)?))
    }

    pub fn is_bytes(&self) -> bool {
        matches!(self, Subject::Bytes(..))
    }

    pub fn len(&self) -> usize {
        match self {
            Subject::Text(_, text) => text.len(),
            Subject::Bytes(_, bytes) => bytes.len(),
        }
    }

    #[inline]
    pub fn units(&self) -> Units<'_> {
        match self {
            Subject::Text(_, text) => match text.data() {
                Data::Ascii(units) | Data::Latin1(units) => Units::Narrow(units),
                Data::Ucs2(units) => Units::Ucs2(units),
                Data::Ucs4(units) => Units::Ucs4(units),
            },
            Subject::Bytes(_, bytes) => Units::Narrow(bytes),
        }
    }

    /// A part as str or bytes; bounds beyond the end (of a buffer that has shrunk) count as the end.
    #[inline]
    pub fn slice(&self, vm: &Vm, start: usize, end: usize) -> Result {
        let len = self.len();
        let end = end.min(len);
        let start = start.min(end);
        match self {
            Subject::Text(value, _) if start == 0 && end == len && value.downcast_exact::<Str>().is_some() => {
                Ok((*value).clone())
            }
            Subject::Text(_, text) => Ok(text.slice(start, end).into_value()),
            Subject::Bytes(value, _) if start == 0 && end == len && value.downcast_exact::<Bytes>().is_some() => {
                Ok((*value).clone())
            }
            Subject::Bytes(_, data) => bytes::from_slice(vm, &data[start..end]),
        }
    }

    /// The empty str or bytes.
    pub fn empty(&self) -> Value {
        if self.is_bytes() { bytes::empty() } else { text::empty() }
    }
}
