//! The matching engine of `_sre`: runs the code arrays that `re._compiler` makes.
//!
//! [`Program::new`] checks an array and translates it: literals are joined, character sets become tables, repeats of a
//! single character learn what may follow them. [`State`] matches a program against text of any PEP 393 kind (or
//! bytes) by backtracking over a stack of its own, so nothing recurses natively. Results agree with CPython's engine,
//! including what groups keep from earlier turns of a loop.

pub mod category;
mod charset;
pub mod opcode;
mod program;
mod run;
mod search;
mod start;
mod translate;

pub use category::Locale;
pub use program::Program;
pub use run::{Interrupt, Scratch, State};

/// The code array is not one that the compiler makes: `RuntimeError("invalid SRE code")`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvalidCode;

/// Why a match was given up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MatchError {
    Memory,
    /// The periodic check asked to stop: an exception is pending.
    Interrupted,
}

#[cfg(test)]
mod tests;
