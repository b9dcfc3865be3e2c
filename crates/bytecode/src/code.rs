//! What a code object consists of, as the compiler makes it and marshal carries it.

use std::borrow::Cow;
use std::fmt;
use std::ops::Deref;
use std::sync::{Arc, OnceLock};

use crate::constant::Constant;
use crate::packed::Packed;
use crate::text::Text;

/// Bytes that the program has in its memory anyway, or that belong to the code.
pub type Bytes = Cow<'static, [u8]>;

/// The data of a code object, each field named as its `co_` attribute.
#[derive(Clone, Debug)]
pub struct CodeData {
    pub argcount: u32,
    pub posonlyargcount: u32,
    pub kwonlyargcount: u32,
    pub stacksize: u32,
    /// A union of `CO_` constants.
    pub flags: u32,
    /// Two bytes per unit: instructions (`opcode`, `oparg`) and zeroed inline caches.
    pub code: Bytes,
    pub consts: Box<[Constant]>,
    pub names: Box<[Text]>,
    /// Locals (arguments first), then cells that are no locals, then free variables.
    pub localsplusnames: Box<[Text]>,
    /// One union of `CO_FAST_` constants for each name.
    pub localspluskinds: Bytes,
    pub filename: Text,
    pub name: Text,
    pub qualname: Text,
    pub firstlineno: i32,
    /// Read it with [`crate::linetable`].
    pub linetable: Bytes,
    /// Read it with [`crate::exceptiontable`].
    pub exceptiontable: Bytes,
}

impl CodeData {
    fn names_of_kind(&self, kind: u8) -> impl Iterator<Item = &Text> {
        self.localsplusnames
            .iter()
            .zip(&*self.localspluskinds)
            .filter(move |(_, k)| **k & kind != 0)
            .map(|(name, _)| name)
    }

    /// `co_varnames`.
    pub fn varnames(&self) -> impl Iterator<Item = &Text> {
        self.names_of_kind(CO_FAST_LOCAL)
    }

    /// `co_cellvars`.
    pub fn cellvars(&self) -> impl Iterator<Item = &Text> {
        self.names_of_kind(CO_FAST_CELL)
    }

    /// `co_freevars`.
    pub fn freevars(&self) -> impl Iterator<Item = &Text> {
        self.names_of_kind(CO_FAST_FREE)
    }

    /// `co_nlocals`.
    pub fn nlocals(&self) -> usize {
        self.varnames().count()
    }
}

/// The data of a code object, shared. What comes from a [pack](crate::packed) is read when it is first looked at.
#[derive(Clone)]
pub struct SharedCode(Arc<Lazy>);

struct Lazy {
    data: OnceLock<Box<CodeData>>,
    packed: Option<Packed>,
}

/// What calls and functions need to know of a code object; known without reading the rest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CodeHead {
    pub argcount: u32,
    pub kwonlyargcount: u32,
    pub flags: u32,
    pub nlocalsplus: u32,
}

impl SharedCode {
    pub(crate) fn packed(packed: Packed) -> SharedCode {
        SharedCode(Arc::new(Lazy { data: OnceLock::new(), packed: Some(packed) }))
    }

    pub fn head(&self) -> CodeHead {
        match (self.0.data.get(), &self.0.packed) {
            (None, Some(packed)) => packed.head(),
            _ => CodeHead {
                argcount: self.argcount,
                kwonlyargcount: self.kwonlyargcount,
                flags: self.flags,
                nlocalsplus: self.localspluskinds.len() as u32,
            },
        }
    }

    /// What [verification](crate::verify) found out when the code was packed.
    pub fn proof(&self) -> Option<&[u8]> {
        self.0.packed.as_ref().and_then(Packed::proof)
    }

    /// The register code that was packed with the code.
    pub fn register_code(&self) -> Option<&'static [u8]> {
        self.0.packed.as_ref().and_then(Packed::register_code)
    }

    /// Where the data is: equal for clones alone.
    pub fn address(&self) -> usize {
        Arc::as_ptr(&self.0).addr()
    }

    /// A copy with changes.
    pub fn changed(&self, change: impl FnOnce(&mut CodeData)) -> SharedCode {
        let mut data = CodeData::clone(self);
        change(&mut data);
        data.into()
    }
}

impl Deref for SharedCode {
    type Target = CodeData;

    #[inline]
    fn deref(&self) -> &CodeData {
        let unpack = || Box::new(self.0.packed.as_ref().expect("what has no data is packed").unpack());
        self.0.data.get_or_init(unpack)
    }
}

impl From<CodeData> for SharedCode {
    fn from(data: CodeData) -> SharedCode {
        SharedCode(Arc::new(Lazy { data: OnceLock::from(Box::new(data)), packed: None }))
    }
}

impl fmt::Debug for SharedCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&**self, f)
    }
}

impl PartialEq for SharedCode {
    fn eq(&self, other: &SharedCode) -> bool {
        Arc::ptr_eq(&self.0, &other.0) || **self == **other
    }
}

impl Eq for SharedCode {}

/// What `code.__eq__` compares: neither file name nor qualified name nor stack size.
impl PartialEq for CodeData {
    fn eq(&self, other: &CodeData) -> bool {
        self.name == other.name
            && self.argcount == other.argcount
            && self.posonlyargcount == other.posonlyargcount
            && self.kwonlyargcount == other.kwonlyargcount
            && self.flags == other.flags
            && self.firstlineno == other.firstlineno
            && self.code == other.code
            && self.consts == other.consts
            && self.names == other.names
            && self.localsplusnames == other.localsplusnames
            && self.linetable == other.linetable
            && self.exceptiontable == other.exceptiontable
    }
}

impl Eq for CodeData {}

pub const CO_OPTIMIZED: u32 = 0x0001;
pub const CO_NEWLOCALS: u32 = 0x0002;
pub const CO_VARARGS: u32 = 0x0004;
pub const CO_VARKEYWORDS: u32 = 0x0008;
pub const CO_NESTED: u32 = 0x0010;
pub const CO_GENERATOR: u32 = 0x0020;
pub const CO_COROUTINE: u32 = 0x0080;
pub const CO_ITERABLE_COROUTINE: u32 = 0x0100;
pub const CO_ASYNC_GENERATOR: u32 = 0x0200;
pub const CO_FUTURE_DIVISION: u32 = 0x20000;
pub const CO_FUTURE_ABSOLUTE_IMPORT: u32 = 0x40000;
pub const CO_FUTURE_WITH_STATEMENT: u32 = 0x80000;
pub const CO_FUTURE_PRINT_FUNCTION: u32 = 0x100000;
pub const CO_FUTURE_UNICODE_LITERALS: u32 = 0x200000;
pub const CO_FUTURE_BARRY_AS_BDFL: u32 = 0x400000;
pub const CO_FUTURE_GENERATOR_STOP: u32 = 0x800000;
pub const CO_FUTURE_ANNOTATIONS: u32 = 0x1000000;
pub const CO_NO_MONITORING_EVENTS: u32 = 0x2000000;
/// The first constant is the docstring.
pub const CO_HAS_DOCSTRING: u32 = 0x4000000;
/// A function defined in class scope.
pub const CO_METHOD: u32 = 0x8000000;

/// A positional argument, `*args` included.
pub const CO_FAST_ARG_POS: u8 = 0x02;
/// An argument that may be passed by keyword, `**kwargs` included.
pub const CO_FAST_ARG_KW: u8 = 0x04;
/// `*args` or `**kwargs`.
pub const CO_FAST_ARG_VAR: u8 = 0x08;
pub const CO_FAST_ARG: u8 = CO_FAST_ARG_POS | CO_FAST_ARG_KW | CO_FAST_ARG_VAR;
/// A local of an inlined comprehension at module or class level: not shown by `locals()`.
pub const CO_FAST_HIDDEN: u8 = 0x10;
pub const CO_FAST_LOCAL: u8 = 0x20;
pub const CO_FAST_CELL: u8 = 0x40;
pub const CO_FAST_FREE: u8 = 0x80;
