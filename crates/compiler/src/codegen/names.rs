//! Names: which instruction reads or writes one, and closures.

use taipan_bytecode::oparg::function_attribute;

use super::*;
use crate::symtable::{BlockType, Scope};

/// What a name turns out to be in a unit.
#[derive(Clone, Copy)]
enum NameKind {
    Fast,
    Global,
    Deref,
    Name,
}

/// In the place of an index that is not known yet.
const UNKNOWN_INDEX: u32 = u32::MAX;

impl<'a> Compiler<'a, '_> {
    pub(super) fn mangle(&self, name: &'a str) -> &'a str {
        self.table.mangle(self.arena, self.unit().private, self.unit().block, name)
    }

    /// The index in `co_names` of a name, mangled if need be.
    pub(super) fn name_index(&mut self, name: &'a str) -> usize {
        let mangled = self.mangle(name);
        index_of(&mut self.unit_mut().names, mangled)
    }

    pub(super) fn varname_index(&mut self, name: &'a str) -> usize {
        index_of(&mut self.unit_mut().varnames, name)
    }

    /// A mangled name's flags in the unit's block, as an inlined comprehension may have changed them.
    pub(super) fn symbol(&self, mangled: &str) -> u32 {
        match self.unit().symbol_overrides.get(mangled) {
            Some(&flags) => flags,
            None => self.block().symbol(mangled),
        }
    }

    /// A name's flags in the module's block.
    pub(super) fn module_symbol(&self, name: &str) -> u32 {
        match self.units[0].symbol_overrides.get(name) {
            Some(&flags) => flags,
            None => self.table.block(SymbolTable::TOP).symbol(name),
        }
    }

    pub(super) fn scope(&self, mangled: &str) -> Scope {
        Scope::of(self.symbol(mangled))
    }

    /// The oparg of a cell or free variable: cells come first.
    fn deref_index(&mut self, scope: Scope, mangled: &'a str) -> usize {
        let unit = self.unit_mut();
        match scope {
            Scope::Free => unit.cellvars.len() + index_of(&mut unit.freevars, mangled),
            _ => index_of(&mut unit.cellvars, mangled),
        }
    }

    pub(super) fn cell_index(&mut self, name: &'a str) -> usize {
        self.deref_index(Scope::Cell, name)
    }

    pub(super) fn free_index(&mut self, name: &'a str) -> usize {
        self.deref_index(Scope::Free, name)
    }

    fn resolve_name(&mut self, mangled: &'a str) -> (NameKind, Scope, usize) {
        let block = self.block();
        if !block.is_function_like() || !self.unit().symbol_overrides.is_empty() {
            return self.resolve_name_of(mangled, self.scope(mangled));
        }
        let Some(place) = block.symbols.position(mangled) else {
            return self.resolve_name_of(mangled, Scope::Unresolved);
        };
        let scope = block.symbols.at(place).map_or(Scope::Unresolved, |(_, &flags)| Scope::of(flags));
        let known = self.unit().known_indices.get(place).copied().unwrap_or(UNKNOWN_INDEX);
        if known != UNKNOWN_INDEX {
            let kind = if scope == Scope::Local { NameKind::Fast } else { NameKind::Global };
            return (kind, scope, known as usize);
        }
        let resolved = self.resolve_name_of(mangled, scope);
        if let (NameKind::Fast | NameKind::Global, _, index) = resolved {
            let known_indices = &mut self.unit_mut().known_indices;
            if known_indices.len() <= place {
                known_indices.resize(place + 1, UNKNOWN_INDEX);
            }
            known_indices[place] = index as u32;
        }
        resolved
    }

    fn resolve_name_of(&mut self, mangled: &'a str, scope: Scope) -> (NameKind, Scope, usize) {
        let function_like = self.block().is_function_like();
        let kind = match scope {
            Scope::Free | Scope::Cell => return (NameKind::Deref, scope, self.deref_index(scope, mangled)),
            Scope::Local if function_like || self.unit().fasthidden.get(mangled) == Some(&true) => {
                return (NameKind::Fast, scope, self.varname_index(mangled));
            }
            Scope::GlobalImplicit if function_like => NameKind::Global,
            Scope::GlobalExplicit => NameKind::Global,
            _ => NameKind::Name,
        };
        (kind, scope, index_of(&mut self.unit_mut().names, mangled))
    }

    pub(super) fn name_op(&mut self, location: Location, name: &'a str, context: ExprContext) -> Result {
        let mangled = self.mangle(name);
        let (kind, scope, mut index) = self.resolve_name(mangled);
        let block = self.block();
        let in_class = block.ty == BlockType::Class;
        let sees_class = block.can_see_class_scope;
        let in_inlined_comp = self.unit().in_inlined_comp > 0;
        let opcode = match (kind, context) {
            (NameKind::Fast, ExprContext::Load) => Opcode::LOAD_FAST,
            (NameKind::Fast, ExprContext::Store) => Opcode::STORE_FAST,
            (NameKind::Fast, ExprContext::Del) => Opcode::DELETE_FAST,
            (NameKind::Deref, ExprContext::Load) if in_class && !in_inlined_comp => {
                self.addop(location, Opcode::LOAD_LOCALS);
                Opcode::LOAD_FROM_DICT_OR_DEREF
            }
            (NameKind::Deref, ExprContext::Load) if sees_class => {
                self.load_classdict(location);
                Opcode::LOAD_FROM_DICT_OR_DEREF
            }
            (NameKind::Deref, ExprContext::Load) => Opcode::LOAD_DEREF,
            (NameKind::Deref, ExprContext::Store) => Opcode::STORE_DEREF,
            (NameKind::Deref, ExprContext::Del) => Opcode::DELETE_DEREF,
            (NameKind::Global, ExprContext::Load) if sees_class && scope == Scope::GlobalImplicit => {
                self.load_classdict(location);
                Opcode::LOAD_FROM_DICT_OR_GLOBALS
            }
            (NameKind::Global, ExprContext::Load) => Opcode::LOAD_GLOBAL,
            (NameKind::Global, ExprContext::Store) => Opcode::STORE_GLOBAL,
            (NameKind::Global, ExprContext::Del) => Opcode::DELETE_GLOBAL,
            (NameKind::Name, ExprContext::Load) if in_class && in_inlined_comp => Opcode::LOAD_GLOBAL,
            (NameKind::Name, ExprContext::Load) => Opcode::LOAD_NAME,
            (NameKind::Name, ExprContext::Store) => Opcode::STORE_NAME,
            (NameKind::Name, ExprContext::Del) => Opcode::DELETE_NAME,
        };
        if opcode == Opcode::LOAD_GLOBAL {
            index <<= 1;
        }
        self.addop_i(location, opcode, index);
        Ok(())
    }

    fn load_classdict(&mut self, location: Location) {
        let index = self.free_index("__classdict__");
        self.addop_i(location, Opcode::LOAD_DEREF, index);
    }

    pub(super) fn load_name(&mut self, location: Location, name: &'a str) -> Result {
        self.name_op(location, name, ExprContext::Load)
    }

    pub(super) fn store_name(&mut self, location: Location, name: &'a str) -> Result {
        self.name_op(location, name, ExprContext::Store)
    }

    pub(super) fn delete_name(&mut self, location: Location, name: &'a str) -> Result {
        self.name_op(location, name, ExprContext::Del)
    }

    /// The scope through which the unit hands a variable to a closure.
    pub(super) fn reference_scope(&self, name: &str) -> Scope {
        let made_by_class = matches!(name, "__class__" | "__classdict__" | "__conditional_annotations__");
        if self.unit().scope_type == ScopeType::Class && made_by_class { Scope::Cell } else { self.scope(name) }
    }

    /// A function of the code; the attributes named by `flags` lie on the stack, CLOSURE aside.
    pub(super) fn make_closure(&mut self, location: Location, code: CodeData, mut flags: u32) -> Result {
        let mut captured = 0;
        for name in code.freevars() {
            let Some(name) = name.as_str() else { return Err(CompileError::internal("a name with surrogates")) };
            let scope = self.reference_scope(name);
            let unit = self.unit();
            let index = match scope {
                Scope::Cell => unit.cellvars.position(name),
                _ => unit.freevars.position(name).map(|at| unit.cellvars.len() + at),
            };
            let Some(index) = index else { return Err(CompileError::internal("a free variable that nobody binds")) };
            self.addop_i(location, Opcode::LOAD_CLOSURE, index);
            captured += 1;
        }
        if captured > 0 {
            flags |= function_attribute::CLOSURE;
            self.addop_i(location, Opcode::BUILD_TUPLE, captured);
        }
        self.load_const(location, Constant::Code(code.into()));
        self.addop(location, Opcode::MAKE_FUNCTION);
        for attribute in [
            function_attribute::CLOSURE,
            function_attribute::ANNOTATIONS,
            function_attribute::ANNOTATE,
            function_attribute::KWDEFAULTS,
            function_attribute::DEFAULTS,
        ] {
            if flags & attribute != 0 {
                self.addop_i(location, Opcode::SET_FUNCTION_ATTRIBUTE, attribute as usize);
            }
        }
        Ok(())
    }
}

fn index_of<'a>(map: &mut crate::symtable::NameMap<'a, ()>, name: &'a str) -> usize {
    map.position_or_insert(name, ())
}
