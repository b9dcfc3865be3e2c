//! From AST and symbol table to instructions, one [`InstructionSequence`] per code unit.
//!
//! Counterpart of CPython's `Python/codegen.c` and `Python/compile.c`. Instructions come out in CPython's order, with
//! its locations and its order of constants and names; everything later depends on that. Each file here has the
//! statements or expressions that it is named after; this one has the walk over units and statements.

mod annotations;
mod assign;
mod call;
mod class;
mod cleandoc;
mod comprehension;
mod constant;

mod control_flow;
mod expr;
mod fblock;
mod function;
mod import;
mod jump;
mod names;
mod pattern;
mod stmt;
mod strings;
mod subscript;
mod try_stmt;
mod type_params;
mod unit;
mod warnings;
mod with_stmt;

use bumpalo::Bump;
use taipan_bytecode::{CodeData, Constant, Opcode, Text};
use taipan_syntax::ast::*;

use crate::Options;
use crate::error::{CompileError, Depth, Location, Result, Warning};
use crate::flowgraph::Scratch;
use crate::future::FutureFeatures;
use crate::instruction_sequence::{InstructionSequence, Label};
use crate::symtable::{Block, BlockId, BlockKey, NameMap, SymbolTable};

pub use cleandoc::clean_doc;
pub(crate) use constant::constant;
pub(crate) use unit::{ScopeType, Unit};

/// Sequences and calls with more items than this are built step by step rather than on the stack.
const STACK_USE_GUIDELINE: usize = 30;

/// Compiles a preprocessed module with its symbol table.
pub fn compile_module<'a>(
    module: &'a Mod<'a>,
    table: &SymbolTable<'a>,
    arena: &'a Bump,
    options: &Options,
    future: FutureFeatures,
    warnings: &mut Vec<Warning>,
) -> Result<CodeData> {
    let mut compiler = Compiler {
        table,
        arena,
        options,
        future,
        warnings,
        units: Vec::new(),
        interactive: false,
        disable_warnings: 0,
        depth: Depth::new(options.depth_limit),
        scratch: Scratch::default(),
        texts: NameMap::new(),
    };
    compiler.enter_scope("<module>", ScopeType::Module, BlockKey::body(module), 1, None, Default::default())?;
    match *module {
        Mod::Module { body, .. } => compiler.module(body, false)?,
        Mod::Interactive { body } => {
            compiler.interactive = true;
            compiler.module(body, true)?;
        }
        Mod::Expression { body } => compiler.expr(body)?,
        Mod::FunctionType { .. } => return Err(CompileError::internal("module kind 4 should not be possible")),
    }
    compiler.optimize_and_assemble(!matches!(module, Mod::Expression { .. }))
}

pub(crate) struct Compiler<'a, 'c> {
    table: &'c SymbolTable<'a>,
    arena: &'a Bump,
    options: &'c Options,
    future: FutureFeatures,
    warnings: &'c mut Vec<Warning>,
    /// The unit being written is last; those around it come before.
    units: Vec<Unit<'a>>,
    interactive: bool,
    /// Above 0 while a `finally` body is written a second time.
    disable_warnings: u32,
    depth: Depth,
    scratch: Scratch,
    /// The names of the module's code objects, which share them.
    texts: NameMap<'a, Text>,
}

impl<'a> Compiler<'a, '_> {
    fn unit(&self) -> &Unit<'a> {
        self.units.last().expect("code is written between entering and leaving a unit")
    }

    fn unit_mut(&mut self) -> &mut Unit<'a> {
        self.units.last_mut().expect("code is written between entering and leaving a unit")
    }

    /// The symbol table's block of the unit.
    fn block(&self) -> &Block<'a> {
        self.table.block(self.unit().block)
    }

    fn lookup_block(&self, key: BlockKey) -> Result<BlockId> {
        self.table.lookup(key).ok_or_else(|| CompileError::internal("unknown scope"))
    }

    fn sequence(&mut self) -> &mut InstructionSequence {
        &mut self.unit_mut().sequence
    }

    fn addop(&mut self, location: Location, opcode: Opcode) {
        self.sequence().addop(opcode, 0, location);
    }

    fn addop_i(&mut self, location: Location, opcode: Opcode, oparg: usize) {
        self.sequence().addop(opcode, oparg as u32, location);
    }

    fn addop_jump(&mut self, location: Location, opcode: Opcode, target: Label) {
        self.sequence().addop_jump(opcode, target, location);
    }

    fn new_label(&mut self) -> Label {
        self.sequence().new_label()
    }

    fn use_label(&mut self, label: Label) {
        self.sequence().use_label(label);
    }

    fn load_const(&mut self, location: Location, constant: Constant) {
        let index = self.unit_mut().consts.add(constant);
        self.addop_i(location, Opcode::LOAD_CONST, index as usize);
    }

    fn load_none(&mut self, location: Location) {
        self.load_const(location, Constant::None);
    }

    fn load_str(&mut self, location: Location, text: &str) {
        self.load_const(location, Constant::str(text));
    }

    /// Adds an instruction whose argument is a name, mangled if need be.
    fn addop_name(&mut self, location: Location, opcode: Opcode, name: &'a str) {
        let index = self.name_index(name);
        self.addop_i(location, opcode, index);
    }

    /// LOAD_ATTR, whose argument leaves a bit to say whether a method is meant.
    fn load_attr(&mut self, location: Location, name: &'a str, method: bool) {
        let index = self.name_index(name);
        self.addop_i(location, Opcode::LOAD_ATTR, index << 1 | usize::from(method));
    }

    fn error(&self, location: Location, message: impl Into<String>) -> CompileError {
        CompileError::syntax(message, location)
    }

    fn is_interactive_top_level(&self) -> bool {
        self.interactive && self.units.len() == 1
    }

    /// The whole of a module, whose annotations may depend on which statements ran.
    fn module(&mut self, body: &'a [Stmt<'a>], is_interactive: bool) -> Result {
        let location = body.first().map_or(Location::new(1, 1, 0, 0), |stmt| stmt.span.into());
        if self.block().has_conditional_annotations {
            self.addop_i(location, Opcode::BUILD_SET, 0);
            let index = self.name_index("__conditional_annotations__");
            self.addop_i(location, Opcode::STORE_NAME, index);
        }
        self.body(location, body, is_interactive)
    }

    /// The statements of a module or class.
    fn body(&mut self, location: Location, body: &'a [Stmt<'a>], is_interactive: bool) -> Result {
        if self.future.annotations() && self.block().annotations_used {
            self.addop(location, Opcode::SETUP_ANNOTATIONS);
        }
        let Some(first) = body.first() else { return Ok(()) };
        let mut rest = body;
        if !is_interactive && self.block().has_docstring {
            if let StmtKind::Expr { value } = first.kind
                && let Some(text) = crate::ast_preprocess::docstring(body)
            {
                rest = &body[1..];
                let text = constant::text(text);
                self.load_const(value.span.into(), Constant::Str(clean_doc(&text)?));
                self.store_name(Location::NONE, "__doc__")?;
            }
        }
        self.stmts(rest)?;
        if !self.future.annotations() {
            self.process_deferred_annotations(location)?;
        }
        Ok(())
    }

    fn stmts(&mut self, stmts: &'a [Stmt<'a>]) -> Result {
        stmts.iter().try_for_each(|stmt| self.stmt(stmt))
    }

    fn exprs(&mut self, exprs: &'a [Expr<'a>]) -> Result {
        exprs.iter().try_for_each(|expr| self.expr(expr))
    }
}
