//! Verifier, lowering to register code, interpreter, frames, functions, generators, import, `sys`, `builtins`.

#[cfg(all(feature = "jit", feature = "free-threading"))]
compile_error!("compiled code knows nothing yet of other threads that run: the features exclude each other");

pub mod inspection;
pub mod monitoring;
pub use taipan_bytecode::verify;
pub use taipan_register::{instruction, lower};

pub mod code;
pub mod eval;
pub mod frame;
pub mod frame_object;
pub mod function;
pub mod generator;
pub mod template;
pub mod threads;
pub mod traceback;
mod type_params;
pub mod types_module;

pub mod ast_module;
pub mod builtins_module;
pub mod compile;
pub mod config;
pub mod console;
pub mod getpath;
pub mod import;
pub mod locale;
pub mod lsprof_module;
pub mod marshal_module;
pub mod opcode_module;
pub mod repl;
pub mod runtime;
#[cfg(feature = "stats")]
pub mod stats;
mod streams;
pub mod symtable_module;
pub mod sys_module;
pub mod tokenize_module;
pub mod tracemalloc_module;
pub mod warnings_module;

#[cfg(test)]
mod tests;
