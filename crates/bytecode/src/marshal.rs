//! The `marshal` format, version 5: how code objects and constants are kept in `.pyc` files.
//!
//! The format is read and written for any kind of object: [`read::Builder`] makes objects from what is read,
//! [`write::Source`] shows the writer what an object is. [`code`] does both for [`CodeData`](crate::CodeData). Neither
//! direction recurses natively, so hostile nesting costs only memory up to the depth limit.

pub mod code;
pub mod read;
pub mod write;

pub use code::{dump_code, load_code};
pub use read::{Builder, Input, Reader};
pub use write::{Source, View};

use std::fmt;

/// `marshal.version`.
pub const VERSION: i32 = 5;

/// How deeply objects may be nested, in both directions.
const MAX_DEPTH: usize = 2000;

/// The parts of a code object in the order of the format, with `V` for what are objects.
#[derive(Clone, Debug)]
pub struct CodeParts<V> {
    pub argcount: i32,
    pub posonlyargcount: i32,
    pub kwonlyargcount: i32,
    pub stacksize: i32,
    pub flags: i32,
    pub firstlineno: i32,
    pub code: V,
    pub consts: V,
    pub names: V,
    pub localsplusnames: V,
    pub localspluskinds: V,
    pub filename: V,
    pub name: V,
    pub qualname: V,
    pub linetable: V,
    pub exceptiontable: V,
}

/// Why data cannot be read or an object not be written, with the exception that Python sees.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Error {
    EOFError(&'static str),
    ValueError(&'static str),
    TypeError(&'static str),
    MemoryError,
}

impl Error {
    pub fn message(self) -> &'static str {
        match self {
            Error::EOFError(message) | Error::ValueError(message) | Error::TypeError(message) => message,
            Error::MemoryError => "",
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.message())
    }
}

impl std::error::Error for Error {}

/// Type codes.
mod tag {
    pub const NULL: u8 = b'0';
    pub const NONE: u8 = b'N';
    pub const FALSE: u8 = b'F';
    pub const TRUE: u8 = b'T';
    pub const STOP_ITERATION: u8 = b'S';
    pub const ELLIPSIS: u8 = b'.';
    pub const INT: u8 = b'i';
    /// Written by none but old versions.
    pub const INT64: u8 = b'I';
    pub const LONG: u8 = b'l';
    pub const FLOAT: u8 = b'f';
    pub const BINARY_FLOAT: u8 = b'g';
    pub const COMPLEX: u8 = b'x';
    pub const BINARY_COMPLEX: u8 = b'y';
    pub const BYTES: u8 = b's';
    pub const INTERNED: u8 = b't';
    pub const UNICODE: u8 = b'u';
    pub const ASCII: u8 = b'a';
    pub const ASCII_INTERNED: u8 = b'A';
    pub const SHORT_ASCII: u8 = b'z';
    pub const SHORT_ASCII_INTERNED: u8 = b'Z';
    pub const TUPLE: u8 = b'(';
    pub const SMALL_TUPLE: u8 = b')';
    pub const LIST: u8 = b'[';
    pub const DICT: u8 = b'{';
    pub const SET: u8 = b'<';
    pub const FROZENSET: u8 = b'>';
    pub const SLICE: u8 = b':';
    pub const CODE: u8 = b'c';
    pub const REF: u8 = b'r';
    /// Added to the type code of an object that a later REF may name.
    pub const FLAG_REF: u8 = 0x80;
}
