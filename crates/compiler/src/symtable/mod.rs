//! Symbol tables: for each block, what each name means in it.
//!
//! Counterpart of CPython's `Python/symtable.c`. [`build`] walks the AST once and records how each block uses each name;
//! [`analyze`] then resolves the names to scopes, innermost last. Names are mangled when they are recorded
//! ([`mangle`]).
//!
//! Blocks are found by the address of the AST node that opens them ([`BlockKey`]), so the AST must not change between
//! here and code generation.

mod analyze;
mod build;
pub mod mangle;
mod names;

use std::collections::HashMap;
use std::hash::BuildHasherDefault;

use taipan_syntax::ast;

use crate::error::{CompileError, Location};
use crate::future::FutureFeatures;
pub use crate::hash_index::FastHasher;
pub use names::{NameMap, NameSet};

/// The name is declared global in this block.
pub const DEF_GLOBAL: u32 = 1;
/// It is assigned in this block.
pub const DEF_LOCAL: u32 = 2;
pub const DEF_PARAM: u32 = 2 << 1;
pub const DEF_NONLOCAL: u32 = 2 << 2;
pub const USE: u32 = 2 << 3;
/// A free variable of a class's method that the class itself binds or declares.
pub const DEF_FREE_CLASS: u32 = 2 << 5;
pub const DEF_IMPORT: u32 = 2 << 6;
pub const DEF_ANNOT: u32 = 2 << 7;
/// The name is a comprehension's iteration variable.
pub const DEF_COMP_ITER: u32 = 2 << 8;
pub const DEF_TYPE_PARAM: u32 = 2 << 9;
/// It is a cell in an inlined comprehension.
pub const DEF_COMP_CELL: u32 = 2 << 10;
pub const DEF_BOUND: u32 = DEF_LOCAL | DEF_PARAM | DEF_IMPORT;

pub const SCOPE_OFFSET: u32 = 12;
pub const SCOPE_MASK: u32 = DEF_GLOBAL | DEF_LOCAL | DEF_PARAM | DEF_NONLOCAL;

/// What a name refers to; kept above [`SCOPE_OFFSET`] in a symbol's flags, where 0 is "not resolved".
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Scope {
    Unresolved = 0,
    Local = 1,
    GlobalExplicit = 2,
    GlobalImplicit = 3,
    Free = 4,
    Cell = 5,
}

impl Scope {
    pub fn of(flags: u32) -> Scope {
        match flags >> SCOPE_OFFSET & SCOPE_MASK {
            1 => Scope::Local,
            2 => Scope::GlobalExplicit,
            3 => Scope::GlobalImplicit,
            4 => Scope::Free,
            5 => Scope::Cell,
            _ => Scope::Unresolved,
        }
    }

    fn bits(self) -> u32 {
        (self as u32) << SCOPE_OFFSET
    }
}

/// The numbers are those of `_symtable`'s `TYPE_` constants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum BlockType {
    Function = 0,
    Class = 1,
    Module = 2,
    Annotation = 3,
    TypeAlias = 4,
    TypeParameters = 5,
    TypeVariable = 6,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ComprehensionType {
    List,
    Dict,
    Set,
    Generator,
}

/// The index of a block in its table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct BlockId(pub u32);

/// The AST node that opens a block: its address, and which of the node's blocks it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct BlockKey {
    address: usize,
    role: BlockRole,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum BlockRole {
    /// A module, function, class, lambda, comprehension or type alias.
    Body,
    /// The type parameters of a function, class or type alias.
    TypeParameters,
    /// The bound or constraints of a type parameter.
    TypeVariableBound,
    TypeVariableDefault,
    /// The annotations of a function's parameters and result.
    Annotations,
}

impl BlockKey {
    pub fn new<T>(node: &T, role: BlockRole) -> BlockKey {
        BlockKey { address: std::ptr::from_ref(node) as usize, role }
    }

    pub fn body<T>(node: &T) -> BlockKey {
        BlockKey::new(node, BlockRole::Body)
    }
}

/// A `global` or `nonlocal` statement's name and place.
#[derive(Clone, Copy, Debug)]
pub struct Directive<'a> {
    pub name: &'a str,
    pub location: Location,
}

/// One block: a `PySTEntryObject`.
#[derive(Debug)]
pub struct Block<'a> {
    pub name: &'a str,
    pub ty: BlockType,
    /// Identifies the block to `_symtable`.
    pub id: usize,
    /// Mangled names to flags, in the order of first mention.
    pub symbols: NameMap<'a, u32>,
    /// Parameters, mangled.
    pub varnames: Vec<&'a str>,
    pub children: Vec<BlockId>,
    pub directives: Vec<Directive<'a>>,
    /// The block, of a class's type parameters, whose `mangled_names` are the only names to mangle here.
    pub mangled_names_of: Option<BlockId>,
    pub mangled_names: NameSet<'a>,
    /// What a type variable's block is, for messages: "a TypeVar bound".
    pub scope_info: Option<&'static str>,
    pub nested: bool,
    pub generator: bool,
    pub coroutine: bool,
    pub annotations_used: bool,
    pub comprehension: Option<ComprehensionType>,
    pub varargs: bool,
    pub varkeywords: bool,
    pub returns_value: bool,
    pub needs_class_closure: bool,
    pub needs_classdict: bool,
    pub comp_inlined: bool,
    pub comp_iter_target: bool,
    pub can_see_class_scope: bool,
    pub has_docstring: bool,
    pub method: bool,
    pub has_conditional_annotations: bool,
    pub in_conditional_block: bool,
    pub in_unevaluated_annotation: bool,
    /// How many comprehension iterables surround the place being visited.
    pub comp_iter_expr: u32,
    pub location: Location,
    pub annotation_block: Option<BlockId>,
}

impl<'a> Block<'a> {
    /// The flags of a mangled name, 0 for one that does not occur.
    pub fn symbol(&self, name: &str) -> u32 {
        self.symbols.get(name).copied().unwrap_or(0)
    }

    pub fn scope(&self, name: &str) -> Scope {
        Scope::of(self.symbol(name))
    }

    pub fn is_function_like(&self) -> bool {
        !matches!(self.ty, BlockType::Class | BlockType::Module)
    }
}

/// All blocks of a module; the module's is [`SymbolTable::TOP`].
#[derive(Debug)]
pub struct SymbolTable<'a> {
    pub blocks: Vec<Block<'a>>,
    by_key: HashMap<BlockKey, BlockId, BuildHasherDefault<FastHasher>>,
}

impl<'a> SymbolTable<'a> {
    pub const TOP: BlockId = BlockId(0);

    /// Builds and resolves the table of a module.
    pub fn build(
        module: &'a ast::Mod<'a>,
        future: FutureFeatures,
        arena: &'a bumpalo::Bump,
        depth_limit: usize,
    ) -> Result<SymbolTable<'a>, CompileError> {
        let mut table = build::build(module, future, arena, depth_limit)?;
        analyze::analyze(&mut table)?;
        Ok(table)
    }

    pub fn block(&self, id: BlockId) -> &Block<'a> {
        &self.blocks[id.0 as usize]
    }

    fn block_mut(&mut self, id: BlockId) -> &mut Block<'a> {
        &mut self.blocks[id.0 as usize]
    }

    /// The name as recorded in a block inside the class `private`.
    pub fn mangle(&self, arena: &'a bumpalo::Bump, private: Option<&str>, id: BlockId, name: &'a str) -> &'a str {
        match self.block(id).mangled_names_of {
            Some(owner) if !self.block(owner).mangled_names.contains(name) => name,
            _ => mangle::mangle(arena, private, name),
        }
    }

    /// The block that a node opens, if it has opened one.
    pub fn lookup(&self, key: BlockKey) -> Option<BlockId> {
        self.by_key.get(&key).copied()
    }
}
