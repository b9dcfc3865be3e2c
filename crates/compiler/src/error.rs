//! What compilation can answer besides code: errors and warnings, with their places.

use std::borrow::Cow;

use taipan_bytecode::Text;
use taipan_syntax::ast::Span;

use crate::assemble::InternalError;
pub use crate::instruction_sequence::Location;

/// Why there is no code.
#[derive(Clone, Debug, PartialEq)]
pub enum CompileError {
    /// SyntaxError. Its `offset` and `end_offset` are the location's columns plus one. `place_in_args` says whether its
    /// `args` have the place too.
    Syntax { message: String, location: Location, place_in_args: bool },
    /// RecursionError: the program is nested too deeply.
    Recursion(String),
    /// SystemError: a flaw of the compiler.
    Internal(Cow<'static, str>),
    /// UnicodeEncodeError of the encoding utf-8, "surrogates not allowed": a docstring holds surrogates, from `start` to
    /// `end` (in code points).
    Surrogates { object: Text, start: usize, end: usize },
    /// ValueError, for syntax trees that no source text gives.
    Value(String),
}

impl CompileError {
    pub fn syntax(message: impl Into<String>, location: Location) -> CompileError {
        CompileError::Syntax { message: message.into(), location, place_in_args: true }
    }

    /// As the symbol table reports it: `args` are the message alone.
    pub(crate) fn without_place_in_args(mut self) -> CompileError {
        if let CompileError::Syntax { place_in_args, .. } = &mut self {
            *place_in_args = false;
        }
        self
    }

    pub(crate) fn internal(message: impl Into<Cow<'static, str>>) -> CompileError {
        CompileError::Internal(message.into())
    }

    pub(crate) fn too_deep() -> CompileError {
        CompileError::Recursion("maximum recursion depth exceeded during compilation".to_owned())
    }
}

impl From<InternalError> for CompileError {
    fn from(error: InternalError) -> CompileError {
        CompileError::Internal(error.0.into())
    }
}

pub type Result<T = ()> = std::result::Result<T, CompileError>;

/// A SyntaxWarning. When a filter turns it into an error, that is a SyntaxError with the same text and place.
#[derive(Clone, Debug, PartialEq)]
pub struct Warning {
    pub message: String,
    pub location: Location,
}

impl From<Span> for Location {
    fn from(span: Span) -> Location {
        Location::new(span.lineno as i32, span.end_lineno as i32, span.col_offset as i32, span.end_col_offset as i32)
    }
}

/// Counts the nesting of recursive visits so that no program overflows the native stack.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Depth {
    left: usize,
}

impl Depth {
    pub(crate) fn new(limit: usize) -> Depth {
        Depth { left: limit }
    }

    pub(crate) fn enter(&mut self) -> Result {
        self.left = self.left.checked_sub(1).ok_or_else(CompileError::too_deep)?;
        Ok(())
    }

    pub(crate) fn leave(&mut self) {
        self.left += 1;
    }
}
