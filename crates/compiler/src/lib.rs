//! AST to symbol table to control-flow graph to bytecode identical to CPython 3.14's. Never runs Python code.
#![forbid(unsafe_code)]

pub mod assemble;
pub mod flowgraph;
pub mod instruction_sequence;
