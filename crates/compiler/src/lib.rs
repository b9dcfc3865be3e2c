//! AST to symbol table to control-flow graph to bytecode identical to CPython 3.14's. Never runs Python code.
//!
//! The way of a module: [`ast_preprocess`] tidies the tree, [`symtable`] resolves its names, [`codegen`] writes one
//! [`instruction_sequence`] per code unit, [`flowgraph`] optimises it and [`assemble`] makes the code object.
#![forbid(unsafe_code)]

pub mod assemble;
pub mod ast_preprocess;
pub mod ast_validate;
pub mod codegen;
pub mod error;
pub mod flowgraph;
pub mod future;
mod hash_index;
pub mod instruction_sequence;
pub mod symtable;

use bumpalo::Bump;
use taipan_bytecode::{CodeData, Text};
use taipan_syntax::ast::Mod;

pub use error::{CompileError, Location, Warning};
use future::{FutureFeatures, PYCF_ALLOW_TOP_LEVEL_AWAIT};
use symtable::SymbolTable;

/// The compile flags that end up in `co_flags`, and so in what is compiled on behalf of that code.
pub const PYCF_MASK: u32 = taipan_bytecode::code::CO_FUTURE_DIVISION
    | taipan_bytecode::code::CO_FUTURE_ABSOLUTE_IMPORT
    | taipan_bytecode::code::CO_FUTURE_WITH_STATEMENT
    | taipan_bytecode::code::CO_FUTURE_PRINT_FUNCTION
    | taipan_bytecode::code::CO_FUTURE_UNICODE_LITERALS
    | taipan_bytecode::code::CO_FUTURE_BARRY_AS_BDFL
    | taipan_bytecode::code::CO_FUTURE_GENERATOR_STOP
    | taipan_bytecode::code::CO_FUTURE_ANNOTATIONS;

/// How a module is compiled.
#[derive(Clone, Debug)]
pub struct Options {
    pub filename: Text,
    /// 0 to 2: without `assert` from 1, without docstrings from 2.
    pub optimize: u8,
    /// `PyCF_` and `CO_FUTURE_` flags that hold from the start; only [`PYCF_MASK`] and
    /// [`PYCF_ALLOW_TOP_LEVEL_AWAIT`] matter here.
    pub flags: u32,
    /// How deep visits of the tree may nest.
    pub depth_limit: usize,
}

/// Deep enough for any program that people write, and shallow enough for a stack of eight megabytes.
pub const DEFAULT_DEPTH_LIMIT: usize = 3000;

impl Options {
    pub fn new(filename: impl Into<Text>) -> Options {
        Options { filename: filename.into(), optimize: 0, flags: 0, depth_limit: DEFAULT_DEPTH_LIMIT }
    }
}

/// Compiles a module, expression or interactive statement, as its kind says. New nodes go into `arena`.
///
/// Warnings come in the order in which CPython issues them, those before an error included.
pub fn compile<'a>(
    module: &'a Mod<'a>,
    arena: &'a Bump,
    options: &Options,
    warnings: &mut Vec<Warning>,
) -> Result<CodeData, CompileError> {
    let future = features(module, options)?;
    let module = ast_preprocess::preprocess(module, arena, options.optimize, future, options.depth_limit, warnings)?;
    let table = build_table(module, future, arena, options)?;
    codegen::compile_module(module, &table, arena, options, future, warnings)
}

/// The tree as `compile()` gives it out: as it stands, or `optimized` as compilation begins with it. New nodes go into
/// `arena`.
pub fn tree<'a>(
    module: &'a Mod<'a>,
    arena: &'a Bump,
    options: &Options,
    optimized: bool,
) -> Result<&'a Mod<'a>, CompileError> {
    let future = features(module, options)?;
    if !optimized {
        return Ok(module);
    }
    // Compilation of the tree will issue the warnings.
    let mut warnings = Vec::new();
    ast_preprocess::preprocess(module, arena, options.optimize, future, options.depth_limit, &mut warnings)
}

/// The symbol table of a module as `_symtable` shows it: of the tree as it stands.
pub fn symtable<'a>(module: &'a Mod<'a>, arena: &'a Bump, options: &Options) -> Result<SymbolTable<'a>, CompileError> {
    build_table(module, features(module, options)?, arena, options)
}

fn build_table<'a>(
    module: &'a Mod<'a>,
    future: FutureFeatures,
    arena: &'a Bump,
    options: &Options,
) -> Result<SymbolTable<'a>, CompileError> {
    SymbolTable::build(module, future, arena, options.depth_limit).map_err(CompileError::without_place_in_args)
}

/// Those that the module asks for and those that hold already.
fn features(module: &Mod<'_>, options: &Options) -> Result<FutureFeatures, CompileError> {
    let mut future = FutureFeatures::from_ast(module).map_err(CompileError::without_place_in_args)?;
    future.features |= options.flags & (PYCF_MASK | PYCF_ALLOW_TOP_LEVEL_AWAIT);
    Ok(future)
}
