//! `str`: PEP 393 strings. Representation, construction and interning; methods are in `str/`.
//!
//! Invariants: the kind is the narrowest that holds every code point; surrogates are allowed; the data follows the
//! struct in line and never changes while the string is shared.

use crate::header::Header;
use crate::heap::{self, Kind};
use crate::object::{Payload, Ref, allocate, try_allocate};
use crate::text::builder::GivenUp;
use crate::text::builder::{Text, TextBuilder};
use crate::text::{ErrorKind, TextError};
use crate::types::{Type, TypeSpec, type_flags};
use crate::value::Value;
use crate::vm::{Raised, Vm};
use std::cell::Cell;
use std::ptr::NonNull;
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};
use std::sync::atomic::{AtomicI64, AtomicU8, AtomicU64};

/// A string. `length` code points of `kind` bytes each follow the struct.
#[repr(C)]
pub struct Str {
    pub header: Header,
    length: Cell<usize>,
    /// −1: not computed.
    hash: AtomicI64,
    kind: u8,
    ascii: Cell<bool>,
    interned: AtomicU8,
}

// SAFETY: repr(C), header first, no references.
unsafe impl Payload for Str {
    const KIND: Kind = Kind::Leaf;
    const SUBCLASS_FLAG: u64 = type_flags::UNICODE_SUBCLASS;
    fn static_type() -> &'static Type {
        STR.ty()
    }
}

pub static STR: TypeSpec = TypeSpec::new::<Str>("str")
    .doc(
        "str(object='') -> str\n\
         str(bytes_or_buffer[, encoding[, errors]]) -> str\n\n\
         A string of Unicode characters.\n\n\
         An object is converted with its __str__() method, which by default\n\
         gives repr(object).  If an encoding or errors is given, the object\n\
         must be bytes-like and is decoded; the encoding is 'utf-8' and errors\n\
         is 'strict' unless stated.",
    )
    .flags(type_flags::BASETYPE | type_flags::UNICODE_SUBCLASS | type_flags::MATCH_SELF | type_flags::VAR_SIZED)
    .slots(methods::slots)
    .methods(methods::METHODS);

pub mod case;
pub mod construct;
pub mod format;
mod intern;
pub mod iterator;
pub mod join;
pub mod methods;
pub mod pad;
pub mod percent;
pub mod repr;
pub mod search;
pub mod split;
pub mod subscript;
pub mod translate;
pub mod write;

pub use intern::{intern, intern_value, intern_wtf8};
pub use subscript::{get_index, get_slice};
pub use write::{concat, concat_in_place};

/// The code points of a string, by kind.
#[derive(Clone, Copy)]
pub enum Data<'a> {
    Ascii(&'a [u8]),
    Latin1(&'a [u8]),
    Ucs2(&'a [u16]),
    Ucs4(&'a [u32]),
}

/// Evaluates an expression for the code units of a [`Str`], whatever their width:
/// `with_units!(text, |units| parse(units))`.
#[macro_export]
macro_rules! with_units {
    ($text:expr, |$units:ident| $body:expr) => {
        match $text.data() {
            $crate::builtins::str::Data::Ascii($units) | $crate::builtins::str::Data::Latin1($units) => $body,
            $crate::builtins::str::Data::Ucs2($units) => $body,
            $crate::builtins::str::Data::Ucs4($units) => $body,
        }
    };
}

/// Raises `class(message + text)`; the text is a str that may hold anything.
#[cold]
pub fn error_with_text(vm: &Vm, class: &Type, message: &str, text: &Value) -> Raised {
    let mut whole = StrBuilder::new();
    whole.push_str(message);
    if let Some(text) = text.downcast::<Str>() {
        whole.push_text(text);
    }
    vm.raise_args(class, vec![whole.finish().into_value()])
}

impl Vm {
    /// The exception for an error of a text engine.
    #[cold]
    pub fn text_error(&self, error: TextError) -> Raised {
        let message = error.message.into_owned();
        match error.kind {
            ErrorKind::Value => self.value_error(message),
            ErrorKind::Overflow => self.overflow_error(message),
            ErrorKind::Type => self.type_error(message),
            ErrorKind::Memory => self.memory_error(),
        }
    }
}

/// Bytes at the end of a block for what a subclass adds.
#[inline]
fn tail_size(ty: &Type) -> usize {
    if !ty.is_heap_type() {
        return 0;
    }
    match ty.tail_members() as usize {
        0 if !ty.has_dict() => 0,
        members => 16 + 8 * members,
    }
}

/// Bytes of a block for a string, with room for a subclass's attributes word.
#[inline]
fn block_size(ty: &Type, length: usize, kind: u8) -> Option<usize> {
    length.checked_mul(kind as usize)?.checked_add(size_of::<Str>() + tail_size(ty))
}

impl Str {
    /// Uninitialised room for `length` units of `kind` bytes, for exact str or a subclass; an empty string if there is no
    /// memory for them, and then `MemoryError` is raised at the next safepoint.
    fn allocate(ty: &Type, length: usize, kind: u8, ascii: bool) -> Ref<Str> {
        match block_size(ty, length, kind).and_then(|size| allocate(ty, size)) {
            // SAFETY: freshly allocated with that size.
            Some(pointer) => unsafe { Self::initialize(pointer, ty, length, kind, ascii) },
            None if length > 0 => {
                heap::signal_exhausted();
                Self::allocate(ty, 0, 1, true)
            }
            None => heap::out_of_memory(),
        }
    }

    /// As [`Str::allocate`], for lengths that Python code chose; `None` when there is no memory.
    fn try_allocate(ty: &Type, length: usize, kind: u8, ascii: bool) -> Option<Ref<Str>> {
        let pointer = try_allocate(ty, block_size(ty, length, kind)?)?;
        // SAFETY: freshly allocated with that size.
        Some(unsafe { Self::initialize(pointer, ty, length, kind, ascii) })
    }

    /// # Safety
    /// The block is fresh and has the `block_size` of these arguments.
    #[inline]
    unsafe fn initialize(pointer: NonNull<u8>, ty: &Type, length: usize, kind: u8, ascii: bool) -> Ref<Str> {
        let pointer = pointer.cast::<Str>();
        // SAFETY: the block has room; the subclass's attributes word at its end is zeroed.
        unsafe {
            pointer.as_ptr().write(Str {
                header: Header::new(ty),
                length: Cell::new(length),
                hash: AtomicI64::new(-1),
                kind,
                ascii: Cell::new(ascii),
                interned: AtomicU8::new(0),
            });
            let tail = tail_size(ty);
            if tail != 0 {
                let size = heap::usable_size(pointer.cast());
                pointer.as_ptr().cast::<u8>().add(size - tail).write_bytes(0, tail);
            }
            Ref::from_value_unchecked(Value::from_object_pointer(pointer.cast()))
        }
    }

    fn data_pointer(&self) -> *mut u8 {
        // SAFETY: the data follow the struct in the same block.
        unsafe { (self as *const Str).add(1) as *mut u8 }
    }

    /// Writes the text of a new string, which is empty if there was no memory.
    fn fill<T: Copy>(&self, units: &[T]) {
        if self.len() != units.len() {
            return;
        }
        debug_assert_eq!(size_of::<T>(), self.kind as usize);
        // SAFETY: the block has room for `length` units and nobody else sees it yet.
        unsafe { std::ptr::copy_nonoverlapping(units.as_ptr(), self.data_pointer().cast::<T>(), units.len()) };
    }

    /// As [`Str::fill`], with wider units that are known to fit.
    fn fill_narrowed<W: Copy, T: Copy>(&self, units: &[W], narrow: impl Fn(W) -> T) {
        if self.len() != units.len() {
            return;
        }
        debug_assert_eq!(size_of::<T>(), self.kind as usize);
        let data = self.data_pointer().cast::<T>();
        for (at, unit) in units.iter().enumerate() {
            // SAFETY: as above.
            unsafe { data.add(at).write(narrow(*unit)) };
        }
    }

    /// A string with the text of a Rust string.
    pub fn new(text: &str) -> Ref<Str> {
        if text.is_ascii() {
            return Self::from_ascii(text.as_bytes());
        }
        // The first byte of a character tells how many bits it has.
        let widest = text.bytes().fold(0, u8::max);
        let length = text.chars().count();
        match widest {
            ..=0xC3 if length == 1 => single_or_empty(text.chars().next().map(u32::from)),
            ..=0xC3 => Self::decoded(text, length, |code| code as u8),
            ..=0xEF => Self::decoded(text, length, |code| code as u16),
            _ => Self::decoded(text, length, |code| code),
        }
    }

    /// A string of `length` characters, not all of them below 128, in units that are wide enough.
    fn decoded<T: Copy>(text: &str, length: usize, narrow: impl Fn(u32) -> T) -> Ref<Str> {
        const NOT_ASCII: u64 = 0x8080_8080_8080_8080;
        let made = Self::allocate(STR.ty(), length, size_of::<T>() as u8, false);
        if made.len() != length {
            return made;
        }
        let data = made.data_pointer().cast::<T>();
        let mut done = 0;
        let mut put = |code: u32| {
            // SAFETY: the block has room for `length` units, as many as there are characters, and nobody else sees it yet.
            unsafe { data.add(done).write(narrow(code)) };
            done += 1;
        };
        let mut rest = text;
        loop {
            while let Some(chunk) = rest.as_bytes().first_chunk::<8>()
                && u64::from_ne_bytes(*chunk) & NOT_ASCII == 0
            {
                chunk.iter().for_each(|&byte| put(u32::from(byte)));
                rest = &rest[8..];
            }
            let mut characters = rest.chars();
            let Some(character) = characters.next() else { break };
            put(u32::from(character));
            rest = characters.as_str();
        }
        made
    }

    /// A string of bytes all below 128.
    pub fn from_ascii(bytes: &[u8]) -> Ref<Str> {
        debug_assert!(bytes.is_ascii());
        if bytes.len() <= 1 {
            return single_or_empty(bytes.first().map(|b| *b as u32));
        }
        let text = Self::allocate(STR.ty(), bytes.len(), 1, true);
        text.fill(bytes);
        text
    }

    /// A string of code points below 256.
    pub fn from_latin1(bytes: &[u8]) -> Ref<Str> {
        if bytes.is_ascii() {
            return Self::from_ascii(bytes);
        }
        if bytes.len() == 1 {
            return single_or_empty(Some(bytes[0] as u32));
        }
        let text = Self::allocate(STR.ty(), bytes.len(), 1, false);
        text.fill(bytes);
        text
    }

    /// A string of code points (surrogates allowed).
    pub fn from_code_points(points: &[u32]) -> Ref<Str> {
        Self::from_code_points_as(STR.ty(), points)
    }

    fn from_code_points_as(ty: &Type, points: &[u32]) -> Ref<Str> {
        let max = points.iter().fold(0, |a, b| a | *b);
        if points.len() <= 1 && max < 256 && std::ptr::eq(ty, STR.ty()) {
            return single_or_empty(points.first().copied());
        }
        if max < 256 {
            let text = Self::allocate(ty, points.len(), 1, max < 128);
            text.fill_narrowed(points, |point| point as u8);
            return text;
        }
        if max < 0x10000 {
            let text = Self::allocate(ty, points.len(), 2, false);
            text.fill_narrowed(points, |point| point as u16);
            return text;
        }
        let text = Self::allocate(ty, points.len(), 4, false);
        text.fill(points);
        text
    }

    /// The finished text of a builder.
    pub fn from_text(text: Text) -> Ref<Str> {
        match text {
            Text::Ascii(units) => Self::from_ascii(&units),
            Text::Latin1(units) => Self::from_latin1(&units),
            Text::Ucs2(units) => Self::from_ucs2(&units),
            Text::Ucs4(units) => Self::from_code_points(&units),
        }
    }

    /// From UCS-2 units that are code points (not UTF-16).
    pub fn from_ucs2(units: &[u16]) -> Ref<Str> {
        let max = units.iter().fold(0, |a, b| a | *b);
        if max < 256 {
            if units.len() <= 1 {
                return single_or_empty(units.first().map(|unit| *unit as u32));
            }
            let text = Self::allocate(STR.ty(), units.len(), 1, max < 128);
            text.fill_narrowed(units, |unit| unit as u8);
            return text;
        }
        let text = Self::allocate(STR.ty(), units.len(), 2, false);
        text.fill(units);
        text
    }

    /// From generalised UTF-8 (lone surrogates encoded in three bytes), as constants in code objects are kept.
    pub fn from_wtf8(bytes: &[u8]) -> Ref<Str> {
        if bytes.is_ascii() {
            return Self::from_ascii(bytes);
        }
        match std::str::from_utf8(bytes) {
            Ok(text) => Self::new(text),
            Err(_) => Self::from_code_points(&decode_wtf8(bytes)),
        }
    }

    /// A one-character string.
    pub fn from_code_point(point: u32) -> Ref<Str> {
        if point < 256 { single_or_empty(Some(point)) } else { Self::from_code_points(&[point]) }
    }

    /// An instance of the str subclass `ty` with the same text.
    pub fn copy_as(&self, ty: &Type) -> Ref<Str> {
        if std::ptr::eq(ty, STR.ty()) {
            return self.slice(0, self.len());
        }
        let copy = Self::allocate(ty, self.len(), self.kind, self.ascii.get());
        // SAFETY: same kind and length, unless there was no memory.
        unsafe {
            std::ptr::copy_nonoverlapping(self.data_pointer(), copy.data_pointer(), copy.len() * self.kind as usize)
        };
        copy
    }

    /// Length in code points.
    #[inline(always)]
    pub fn len(&self) -> usize {
        self.length.get()
    }
    #[inline(always)]
    pub fn is_ascii(&self) -> bool {
        self.ascii.get()
    }
    /// Bytes per code point: 1, 2 or 4.
    pub fn kind(&self) -> u8 {
        self.kind
    }

    #[inline]
    pub fn data(&self) -> Data<'_> {
        let (pointer, length) = (self.data_pointer(), self.len());
        // SAFETY: the data are initialised, `length` units of `kind` bytes, aligned to 8.
        unsafe {
            match self.kind {
                1 if self.ascii.get() => Data::Ascii(std::slice::from_raw_parts(pointer, length)),
                1 => Data::Latin1(std::slice::from_raw_parts(pointer, length)),
                2 => Data::Ucs2(std::slice::from_raw_parts(pointer.cast(), length)),
                _ => Data::Ucs4(std::slice::from_raw_parts(pointer.cast(), length)),
            }
        }
    }

    /// The raw bytes of the data.
    pub fn raw_bytes(&self) -> &[u8] {
        // SAFETY: as in `data`.
        unsafe { std::slice::from_raw_parts(self.data_pointer(), self.len() * self.kind as usize) }
    }

    /// The text without a copy, if it is ASCII.
    #[inline]
    pub fn as_ascii(&self) -> Option<&str> {
        match self.data() {
            // SAFETY: ASCII is UTF-8.
            Data::Ascii(bytes) => Some(unsafe { std::str::from_utf8_unchecked(bytes) }),
            _ => None,
        }
    }

    /// The code point at `index`, which is below the length.
    #[inline]
    pub fn at(&self, index: usize) -> u32 {
        match self.data() {
            Data::Ascii(d) | Data::Latin1(d) => d[index] as u32,
            Data::Ucs2(d) => d[index] as u32,
            Data::Ucs4(d) => d[index],
        }
    }

    pub fn code_points(&self) -> impl DoubleEndedIterator<Item = u32> + ExactSizeIterator + '_ {
        (0..self.len()).map(|i| self.at(i))
    }

    /// Empty if there is no memory for them, and then `MemoryError` is raised at the next safepoint; so are the texts and bytes
    /// below.
    pub fn to_code_points(&self) -> Vec<u32> {
        let mut codes = Vec::new();
        if codes.make_room(self.len()) {
            match self.data() {
                Data::Ascii(d) | Data::Latin1(d) => codes.extend(d.iter().map(|b| *b as u32)),
                Data::Ucs2(d) => codes.extend(d.iter().map(|b| *b as u32)),
                Data::Ucs4(d) => codes.extend_from_slice(d),
            }
        }
        codes
    }

    /// The substring of code points `start..end` (within bounds).
    pub fn slice(&self, start: usize, end: usize) -> Ref<Str> {
        match self.data() {
            Data::Ascii(d) => Self::from_ascii(&d[start..end]),
            Data::Latin1(d) => Self::from_latin1(&d[start..end]),
            Data::Ucs2(d) => Self::from_ucs2(&d[start..end]),
            Data::Ucs4(d) => Self::from_code_points(&d[start..end]),
        }
    }

    /// The text as a Rust string; lone surrogates become `\udXXX` escapes.
    pub fn to_string_lossy(&self) -> String {
        let mut text = String::new();
        if !has_room(&mut text, self.len()) {
            return text;
        }
        if let Some(own) = self.as_ascii() {
            text.push_str(own);
            return text;
        }
        for point in self.code_points() {
            if !has_room(&mut text, 8) {
                break;
            }
            match char::from_u32(point) {
                Some(c) => text.push(c),
                None => text.push_str(&format!("\\u{point:04x}")),
            }
        }
        text
    }

    /// The text as a Rust string; `None` if it has lone surrogates.
    pub fn to_utf8(&self) -> Option<String> {
        let mut text = String::new();
        // What a character of each kind takes at most.
        let width = match self.data() {
            Data::Ascii(_) => 1,
            Data::Latin1(_) => 2,
            Data::Ucs2(_) => 3,
            Data::Ucs4(_) => 4,
        };
        if !has_room(&mut text, self.len() * width) {
            return Some(text);
        }
        match self.data() {
            // SAFETY: ASCII is UTF-8.
            Data::Ascii(units) => text.push_str(unsafe { std::str::from_utf8_unchecked(units) }),
            Data::Latin1(units) => text.extend(units.iter().map(|unit| *unit as char)),
            Data::Ucs2(units) => {
                for unit in units {
                    text.push(char::from_u32(*unit as u32)?);
                }
            }
            Data::Ucs4(units) => {
                for unit in units {
                    text.push(char::from_u32(*unit)?);
                }
            }
        }
        Some(text)
    }

    /// Generalised UTF-8 (surrogates as three bytes).
    pub fn to_wtf8(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        if let Some(text) = self.as_ascii() {
            bytes.put_all(text.as_bytes());
            return bytes;
        }
        bytes.make_room(self.len() * 2);
        for point in self.code_points() {
            match char::from_u32(point) {
                Some(c) => bytes.put_all(c.encode_utf8(&mut [0; 4]).as_bytes()),
                None => bytes.put_all(&[
                    0xE0 | (point >> 12) as u8,
                    0x80 | (point >> 6 & 0x3F) as u8,
                    0x80 | (point & 0x3F) as u8,
                ]),
            }
        }
        bytes
    }

    /// The text of this value for the file system (`os.fsencode`: UTF-8 with surrogateescape).
    pub fn to_fs_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        bytes.make_room(self.len());
        for point in self.code_points() {
            match point {
                0xDC80..=0xDCFF => bytes.put((point - 0xDC00) as u8),
                _ => bytes.put_all(
                    char::from_u32(point).unwrap_or(char::REPLACEMENT_CHARACTER).encode_utf8(&mut [0; 4]).as_bytes(),
                ),
            }
        }
        bytes
    }

    /// A string from file-system bytes (`os.fsdecode`).
    pub fn from_fs_bytes(bytes: &[u8]) -> Ref<Str> {
        if let Ok(text) = std::str::from_utf8(bytes) {
            return Self::new(text);
        }
        let mut points = Vec::new();
        if !points.make_room(bytes.len()) {
            return Self::new("");
        }
        for chunk in bytes.utf8_chunks() {
            points.extend(chunk.valid().chars().map(|c| c as u32));
            points.extend(chunk.invalid().iter().map(|b| 0xDC00 + *b as u32));
        }
        Self::from_code_points(&points)
    }

    /// Equality of text.
    #[inline]
    pub fn equals(&self, other: &Str) -> bool {
        self.len() == other.len() && self.kind == other.kind && self.raw_bytes() == other.raw_bytes()
    }

    /// Whether two values are strings with the same text.
    #[inline]
    pub fn same(a: &Value, b: &Value) -> bool {
        a.word() == b.word()
            || match (a.downcast::<Str>(), b.downcast::<Str>()) {
                // Of two interned ones with the same text there is one.
                (Some(a), Some(b)) => !(a.is_interned() && b.is_interned()) && a.equals(b),
                _ => false,
            }
    }

    /// Equality with a Rust string.
    pub fn is_str(&self, text: &str) -> bool {
        match self.as_ascii() {
            Some(own) => own == text,
            None => self.code_points().eq(text.chars().map(|c| c as u32)),
        }
    }

    #[inline]
    pub fn hash(&self) -> i64 {
        let hash = self.hash.load(Relaxed);
        if hash != -1 { hash } else { self.compute_hash() }
    }

    #[cold]
    fn compute_hash(&self) -> i64 {
        let hash = crate::hash::hash_bytes(self.raw_bytes());
        self.hash.store(hash, Relaxed);
        hash
    }

    #[inline]
    pub fn is_interned(&self) -> bool {
        self.interned.load(Relaxed) != 0
    }

    /// The interned string with this text; `own` is this string's value.
    pub fn interned(&self, own: &Value) -> Value {
        if self.is_interned() {
            return own.clone();
        }
        let exact = if own.downcast_exact::<Str>().is_some() { own.clone() } else { self.slice(0, self.len()).into() };
        intern_value(exact)
    }
}

/// Makes room for `more` bytes; if there is none, the text is emptied and `MemoryError` raised at the next safepoint.
fn has_room(text: &mut String, more: usize) -> bool {
    let has_room = text.try_reserve(more).is_ok();
    if !has_room {
        *text = String::new();
        heap::signal_exhausted();
    }
    has_room
}

fn decode_wtf8(bytes: &[u8]) -> Vec<u32> {
    let mut points = Vec::new();
    if !points.make_room(bytes.len()) {
        return points;
    }
    let mut at = 0;
    while at < bytes.len() {
        let lead = bytes[at] as u32;
        let byte = |i: usize| bytes.get(at + i).map_or(0, |b| (*b & 0x3F) as u32);
        let (point, size) = match lead {
            0..0x80 => (lead, 1),
            0x80..0xE0 => ((lead & 0x1F) << 6 | byte(1), 2),
            0xE0..0xF0 => ((lead & 0x0F) << 12 | byte(1) << 6 | byte(2), 3),
            _ => (((lead & 7) << 18 | byte(1) << 12 | byte(2) << 6 | byte(3)).min(0x10FFFF), 4),
        };
        points.push(point);
        at += size;
    }
    points
}

/// Words of the one-character strings below 256 and, behind them, of the empty string; 0 before any has been asked for.
static SINGLES: [AtomicU64; 257] = [const { AtomicU64::new(0) }; 257];

/// The empty string and the one-character strings below 256 are shared.
#[inline]
fn single_or_empty(point: Option<u32>) -> Ref<Str> {
    let word = SINGLES[point.unwrap_or(256) as usize].load(Acquire);
    if word == 0 {
        make_singles();
        return single_or_empty(point);
    }
    // SAFETY: interned strings are exact strs and immortal.
    unsafe { Ref::from_value_unchecked(Value::borrow_word(&word).clone()) }
}

#[cold]
#[inline(never)]
fn make_singles() {
    for (point, place) in SINGLES.iter().enumerate() {
        let length = usize::from(point < 256);
        let fresh = Str::allocate(STR.ty(), length, 1, point < 128 || point == 256);
        fresh.fill(&[point as u8][..length]);
        place.store(intern_value(fresh.into_value()).into_word(), Release);
    }
}

/// The empty string.
pub fn empty() -> Value {
    single_or_empty(None).into_value()
}

/// Collects code points to a string. As [`TextBuilder`], it gives up what there is no memory for.
#[derive(Default)]
pub struct StrBuilder {
    text: TextBuilder,
}

impl StrBuilder {
    pub fn new() -> StrBuilder {
        StrBuilder::default()
    }
    pub fn with_capacity(capacity: usize) -> StrBuilder {
        StrBuilder { text: TextBuilder::with_capacity(capacity) }
    }
    #[inline]
    pub fn push(&mut self, point: u32) {
        self.text.push(point);
    }
    pub fn push_str(&mut self, text: &str) {
        self.text.push_str(text);
    }
    pub fn push_text(&mut self, text: &Str) {
        match text.data() {
            Data::Ascii(units) => self.text.push_ascii(units),
            Data::Latin1(units) => self.text.push_units(units),
            Data::Ucs2(units) => self.text.push_units(units),
            Data::Ucs4(units) => self.text.push_units(units),
        }
    }
    pub fn len(&self) -> usize {
        self.text.len()
    }
    pub fn finish(self) -> Ref<Str> {
        Str::from_text(self.text.finish())
    }
}
