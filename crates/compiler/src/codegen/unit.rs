//! Code units: what is known of a code object while its instructions are written.

use std::collections::BTreeSet;

use taipan_bytecode::code::*;
use taipan_bytecode::{CodeData, Opcode, oparg};

use super::*;
use crate::assemble::optimize_and_assemble;
use crate::instruction_sequence::{CodeUnitMetadata, ConstTable};
use crate::symtable::{DEF_COMP_CELL, DEF_FREE_CLASS, NameMap, Scope, mangle::mangle};
use crate::{PYCF_MASK, codegen::fblock::FBlock};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ScopeType {
    Module,
    Class,
    Function,
    AsyncFunction,
    Lambda,
    Comprehension,
    /// Type parameters, type aliases and annotations.
    Annotations,
}

/// How many parameters of each kind; as in the AST, `args` does not count positional-only ones.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct ArgumentCounts {
    pub posonlyargs: usize,
    pub args: usize,
    pub kwonlyargs: usize,
}

impl ArgumentCounts {
    pub fn of(args: &Arguments<'_>) -> ArgumentCounts {
        ArgumentCounts { posonlyargs: args.posonlyargs.len(), args: args.args.len(), kwonlyargs: args.kwonlyargs.len() }
    }
}

/// An annotated assignment whose annotation is evaluated later, and its number if it may not have run.
#[derive(Clone, Copy)]
pub(crate) struct DeferredAnnotation<'a> {
    pub location: Location,
    pub name: &'a str,
    pub annotation: &'a Expr<'a>,
    pub conditional_index: Option<usize>,
}

pub(crate) struct Unit<'a> {
    pub block: BlockId,
    pub scope_type: ScopeType,
    pub sequence: InstructionSequence,
    /// The unit's own sequence while that of a module's annotations is written.
    pub stashed_sequence: Option<InstructionSequence>,
    /// The class whose name mangles.
    pub private: Option<&'a str>,
    pub name: &'a str,
    pub qualname: String,
    pub counts: ArgumentCounts,
    pub firstlineno: i32,
    pub consts: ConstTable,
    pub names: NameMap<'a, ()>,
    pub varnames: NameMap<'a, ()>,
    pub cellvars: NameMap<'a, ()>,
    pub freevars: NameMap<'a, ()>,
    /// Locals of inlined comprehensions in a unit that has no other fast locals; true while inside.
    pub fasthidden: NameMap<'a, bool>,
    /// Symbols that mean something else while an inlined comprehension is written.
    pub symbol_overrides: NameMap<'a, u32>,
    pub in_inlined_comp: u32,
    /// In a function, by where a local or global name is among the block's symbols: its index in `varnames` or `names`.
    pub known_indices: Vec<u32>,
    pub fblocks: Vec<FBlock<'a>>,
    /// The attributes that methods assign on `self`, in a class.
    pub static_attributes: BTreeSet<&'a str>,
    pub deferred_annotations: Vec<DeferredAnnotation<'a>>,
    pub in_conditional_block: bool,
    pub next_conditional_annotation_index: usize,
}

impl<'a> Compiler<'a, '_> {
    /// Starts a unit and writes what every unit begins with.
    pub(super) fn enter_scope(
        &mut self,
        name: &'a str,
        scope_type: ScopeType,
        key: BlockKey,
        lineno: i32,
        private: Option<&'a str>,
        counts: ArgumentCounts,
    ) -> Result {
        let block_id = self.lookup_block(key)?;
        self.enter_block_scope(name, scope_type, block_id, lineno, private, counts)
    }

    pub(super) fn enter_block_scope(
        &mut self,
        name: &'a str,
        scope_type: ScopeType,
        block_id: BlockId,
        lineno: i32,
        private: Option<&'a str>,
        counts: ArgumentCounts,
    ) -> Result {
        let block = self.table.block(block_id);
        let mut varnames = NameMap::new();
        for name in &block.varnames {
            varnames.insert(name, ());
        }
        let mut cellvars = names_of_scope(block, Scope::Cell, DEF_COMP_CELL);
        if block.needs_class_closure {
            cellvars.insert("__class__", ());
        }
        if block.needs_classdict {
            cellvars.insert("__classdict__", ());
        }
        if block.has_conditional_annotations {
            cellvars.insert("__conditional_annotations__", ());
        }
        let freevars = names_of_scope(block, Scope::Free, DEF_FREE_CLASS);
        let private = private.or_else(|| self.units.last().and_then(|around| around.private));
        let qualname = self.qualname(name, scope_type);
        let sequence = self.scratch.sequence();
        self.units.push(Unit {
            block: block_id,
            scope_type,
            sequence,
            stashed_sequence: None,
            private,
            name,
            qualname,
            counts,
            firstlineno: lineno,
            consts: ConstTable::new(),
            names: NameMap::new(),
            varnames,
            cellvars,
            freevars,
            fasthidden: NameMap::new(),
            symbol_overrides: NameMap::new(),
            in_inlined_comp: 0,
            known_indices: self.scratch.indices(),
            fblocks: Vec::new(),
            static_attributes: BTreeSet::new(),
            deferred_annotations: Vec::new(),
            in_conditional_block: false,
            next_conditional_annotation_index: 0,
        });
        let is_module = scope_type == ScopeType::Module;
        let location = Location::new(if is_module { 0 } else { lineno }, lineno, 0, 0);
        self.addop_i(location, Opcode::RESUME, oparg::resume::AT_FUNC_START as usize);
        if is_module {
            self.addop(location, Opcode::ANNOTATIONS_PLACEHOLDER);
        }
        Ok(())
    }

    /// The qualified name of a unit inside the one being written.
    fn qualname(&self, name: &str, scope_type: ScopeType) -> String {
        let mut around = match &self.units[..] {
            // The module's units have no prefix.
            [] | [_] => return name.to_owned(),
            [.., around] => around,
        };
        if around.scope_type == ScopeType::Annotations {
            // Type parameters do not show.
            let [_, .., parent, _] = &self.units[..] else { return name.to_owned() };
            around = parent;
        }
        if matches!(scope_type, ScopeType::Function | ScopeType::AsyncFunction | ScopeType::Class) {
            let mangled = mangle(self.arena, around.private, self.arena.alloc_str(name));
            if self.table.block(around.block).scope(mangled) == Scope::GlobalExplicit {
                return name.to_owned();
            }
        }
        let locals = match around.scope_type {
            ScopeType::Function | ScopeType::AsyncFunction | ScopeType::Lambda => ".<locals>",
            _ => "",
        };
        format!("{}{locals}.{name}", around.qualname)
    }

    /// Ends the unit: its code object. Without `add_none` the unit's value is on the stack.
    pub(super) fn optimize_and_assemble(&mut self, add_none: bool) -> Result<CodeData> {
        if add_none {
            self.load_none(Location::NONE);
        }
        self.addop(Location::NONE, Opcode::RETURN_VALUE);
        let flags = self.code_flags();
        let unit = self.units.pop().expect("code is written between entering and leaving a unit");
        let name = self.text(unit.name);
        let metadata = CodeUnitMetadata {
            qualname: if unit.qualname == unit.name { name.clone() } else { Text::new(&unit.qualname) },
            name,
            consts: unit.consts,
            names: self.texts_of(&unit.names),
            varnames: self.texts_of(&unit.varnames),
            cellvars: self.texts_of(&unit.cellvars),
            freevars: self.texts_of(&unit.freevars),
            fasthidden: self.texts_of(&unit.fasthidden),
            argcount: (unit.counts.posonlyargs + unit.counts.args) as u32,
            posonlyargcount: unit.counts.posonlyargs as u32,
            kwonlyargcount: unit.counts.kwonlyargs as u32,
            firstlineno: unit.firstlineno,
        };
        self.scratch.recycle_indices(unit.known_indices);
        let filename = self.options.filename.clone();
        Ok(optimize_and_assemble(metadata, unit.sequence, flags, filename, &mut self.scratch)?)
    }

    /// The text of a name, which all code objects of the module share.
    pub(super) fn text(&mut self, name: &'a str) -> Text {
        self.texts.get_or_insert_with(name, || Text::new(name)).clone()
    }

    fn texts_of<V>(&mut self, names: &NameMap<'a, V>) -> Vec<Text> {
        names.keys().map(|name| self.text(name)).collect()
    }

    fn code_flags(&self) -> u32 {
        let block = self.block();
        let mut flags = self.future.features & PYCF_MASK;
        if block.is_function_like() {
            flags |= CO_NEWLOCALS | CO_OPTIMIZED;
            if block.nested {
                flags |= CO_NESTED;
            }
            flags |= match (block.generator, block.coroutine) {
                (true, false) => CO_GENERATOR,
                (true, true) => CO_ASYNC_GENERATOR,
                (false, true) => CO_COROUTINE,
                (false, false) => 0,
            };
            if block.varargs {
                flags |= CO_VARARGS;
            }
            if block.varkeywords {
                flags |= CO_VARKEYWORDS;
            }
            if block.has_docstring {
                flags |= CO_HAS_DOCSTRING;
            }
        } else if self.future.allows_top_level_await() && block.coroutine && !block.generator {
            flags |= CO_COROUTINE;
        }
        if block.method {
            flags |= CO_METHOD;
        }
        flags
    }
}

/// The block's names of a scope or with a flag, sorted.
fn names_of_scope<'a>(block: &Block<'a>, scope: Scope, flag: u32) -> NameMap<'a, ()> {
    let mut names: Vec<&'a str> = block
        .symbols
        .iter()
        .filter(|&(_, &flags)| Scope::of(flags) == scope || flags & flag != 0)
        .map(|(name, _)| name)
        .collect();
    names.sort_unstable();
    let mut map = NameMap::new();
    for name in names {
        map.insert(name, ());
    }
    map
}
