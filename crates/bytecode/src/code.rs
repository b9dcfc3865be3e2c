//! What a code object consists of, as the compiler makes it and marshal carries it.

use crate::constant::Constant;
use crate::text::Text;

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
    pub code: Box<[u8]>,
    pub consts: Box<[Constant]>,
    pub names: Box<[Text]>,
    /// Locals (arguments first), then cells that are no locals, then free variables.
    pub localsplusnames: Box<[Text]>,
    /// One union of `CO_FAST_` constants for each name.
    pub localspluskinds: Box<[u8]>,
    pub filename: Text,
    pub name: Text,
    pub qualname: Text,
    pub firstlineno: i32,
    /// Read it with [`crate::linetable`].
    pub linetable: Box<[u8]>,
    /// Read it with [`crate::exceptiontable`].
    pub exceptiontable: Box<[u8]>,
}

impl CodeData {
    fn names_of_kind(&self, kind: u8) -> impl Iterator<Item = &Text> {
        self.localsplusnames
            .iter()
            .zip(&self.localspluskinds)
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
