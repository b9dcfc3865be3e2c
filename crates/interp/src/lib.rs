//! Verifier, lowering to register code, interpreter, frames, functions, generators, import, `sys`, `builtins`.

pub mod instruction;
pub mod lower;
pub mod verify;
