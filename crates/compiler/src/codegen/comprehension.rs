//! Comprehensions: generator expressions are functions, the others are written in place (PEP 709) where the symbol table
//! allows it.

use super::fblock::FBlockKind;
use super::unit::ArgumentCounts;
use super::*;
use crate::symtable::{DEF_LOCAL, DEF_NONLOCAL, Scope};

/// What a comprehension collects.
#[derive(Clone, Copy)]
pub(super) enum Element<'a> {
    List(&'a Expr<'a>),
    Set(&'a Expr<'a>),
    Dict(&'a Expr<'a>, &'a Expr<'a>),
    Generator(&'a Expr<'a>),
}

impl<'a> Element<'a> {
    fn first(self) -> &'a Expr<'a> {
        match self {
            Element::List(elt) | Element::Set(elt) | Element::Dict(elt, _) | Element::Generator(elt) => elt,
        }
    }
}

/// How to undo what writing a comprehension in place has changed.
struct InlinedState<'a> {
    /// Locals of the same names as the comprehension's, kept on the stack meanwhile.
    pushed_locals: Vec<&'a str>,
    outer_symbols: Vec<(&'a str, Option<u32>)>,
    fast_hidden: Vec<&'a str>,
    cleanup: Option<Label>,
}

impl<'a> Compiler<'a, '_> {
    pub(super) fn comprehension(
        &mut self,
        expr: &'a Expr<'a>,
        name: &'static str,
        generators: &'a [Comprehension<'a>],
        element: Element<'a>,
    ) -> Result {
        let location: Location = expr.span.into();
        let Some(outermost) = generators.first() else {
            return Err(CompileError::Value("comprehension with no generators".to_owned()));
        };
        let block_id = self.lookup_block(BlockKey::body(expr))?;
        let block = self.table.block(block_id);
        let (inlined, is_async) = (block.comp_inlined, block.coroutine);
        let build = match element {
            Element::List(_) => Some(Opcode::BUILD_LIST),
            Element::Set(_) => Some(Opcode::BUILD_SET),
            Element::Dict(..) => Some(Opcode::BUILD_MAP),
            Element::Generator(_) => None,
        };
        if inlined {
            self.comprehension_iter(outermost)?;
            let state = self.push_inlined_state(location, block_id);
            if let Some(build) = build {
                self.addop_i(location, build, 0);
                self.addop_i(location, Opcode::SWAP, 2);
            }
            self.comprehension_generator(location, generators, 0, 0, element, true)?;
            self.pop_inlined_state(location, state);
            return Ok(());
        }
        let counts = ArgumentCounts { args: 1, ..ArgumentCounts::default() };
        let lineno = location.lineno;
        self.enter_block_scope(name, ScopeType::Comprehension, block_id, lineno, None, counts)?;
        match build {
            Some(build) => {
                self.addop_i(location, build, 0);
                self.comprehension_generator(location, generators, 0, 0, element, false)?;
                self.addop(location, Opcode::RETURN_VALUE);
            }
            None => {
                let start = self.new_label();
                self.use_label(start);
                self.push_fblock(Location::NONE, FBlockKind::StopIteration, Some(start), None)?;
                self.comprehension_generator(location, generators, 0, 0, element, false)?;
                self.wrap_in_stopiteration_handler();
                self.pop_fblock();
            }
        }
        let code = self.optimize_and_assemble(true)?;
        self.make_closure(location, code, 0)?;
        self.comprehension_iter(outermost)?;
        self.addop_i(location, Opcode::CALL, 0);
        if is_async && build.is_some() {
            self.addop_i(location, Opcode::GET_AWAITABLE, 0);
            self.load_none(location);
            self.yield_from(location, true);
        }
        Ok(())
    }

    fn comprehension_iter(&mut self, generator: &'a Comprehension<'a>) -> Result {
        self.expr(generator.iter)?;
        let get = if generator.is_async { Opcode::GET_AITER } else { Opcode::GET_ITER };
        self.addop(generator.iter.span.into(), get);
        Ok(())
    }

    /// Gives the comprehension's names their meaning in it, and saves the locals that it would overwrite.
    fn push_inlined_state(&mut self, location: Location, comprehension: BlockId) -> InlinedState<'a> {
        let table = self.table;
        let in_class_block = self.block().ty == crate::symtable::BlockType::Class && self.unit().in_inlined_comp == 0;
        let function_like = self.block().is_function_like();
        self.unit_mut().in_inlined_comp += 1;
        let mut state = InlinedState {
            pushed_locals: Vec::new(),
            outer_symbols: Vec::new(),
            fast_hidden: Vec::new(),
            cleanup: None,
        };
        for (name, &symbol) in table.block(comprehension).symbols.iter() {
            let scope = Scope::of(symbol);
            let outer_scope = self.scope(name);
            let differs =
                scope != outer_scope && scope != Scope::Free && !(scope == Scope::Cell && outer_scope == Scope::Free);
            if differs || in_class_block {
                let overrides = &mut self.unit_mut().symbol_overrides;
                state.outer_symbols.push((name, overrides.get(name).copied()));
                overrides.insert(name, symbol);
            }
            // What an assignment expression binds outside the comprehension is not the comprehension's.
            if symbol & DEF_LOCAL == 0 || symbol & DEF_NONLOCAL != 0 {
                continue;
            }
            if !function_like && self.unit().fasthidden.get(name) != Some(&true) {
                self.unit_mut().fasthidden.insert(name, true);
                state.fast_hidden.push(name);
            }
            // Of a cell this pushes the cell itself; the comprehension gets a new one.
            let index = self.varname_index(name);
            self.addop_i(location, Opcode::LOAD_FAST_AND_CLEAR, index);
            if scope == Scope::Cell {
                let index = match outer_scope {
                    Scope::Free => self.free_index(name),
                    _ => self.cell_index(name),
                };
                self.addop_i(location, Opcode::MAKE_CELL, index);
            }
            state.pushed_locals.push(name);
        }
        if !state.pushed_locals.is_empty() {
            // The iterator goes back on top.
            self.addop_i(location, Opcode::SWAP, state.pushed_locals.len() + 1);
            let cleanup = self.new_label();
            self.addop_jump(location, Opcode::SETUP_FINALLY, cleanup);
            state.cleanup = Some(cleanup);
        }
        state
    }

    fn pop_inlined_state(&mut self, location: Location, state: InlinedState<'a>) {
        if let Some(cleanup) = state.cleanup {
            let end = self.new_label();
            self.addop(Location::NONE, Opcode::POP_BLOCK);
            self.addop_jump(Location::NONE, Opcode::JUMP_NO_INTERRUPT, end);
            self.use_label(cleanup);
            // The unfinished collection.
            self.addop_i(Location::NONE, Opcode::SWAP, 2);
            self.addop(Location::NONE, Opcode::POP_TOP);
            self.restore_inlined_locals(location, &state);
            self.addop_i(Location::NONE, Opcode::RERAISE, 0);
            self.use_label(end);
            self.restore_inlined_locals(location, &state);
        }
        let unit = self.unit_mut();
        unit.in_inlined_comp -= 1;
        for (name, outer) in state.outer_symbols.into_iter().rev() {
            match outer {
                Some(symbol) => {
                    unit.symbol_overrides.insert(name, symbol);
                }
                None => {
                    unit.symbol_overrides.remove(name);
                }
            }
        }
        for name in state.fast_hidden {
            unit.fasthidden.insert(name, false);
        }
    }

    fn restore_inlined_locals(&mut self, location: Location, state: &InlinedState<'a>) {
        self.addop_i(location, Opcode::SWAP, state.pushed_locals.len() + 1);
        for name in state.pushed_locals.iter().rev() {
            let index = self.varname_index(name);
            self.addop_i(location, Opcode::STORE_FAST_MAYBE_NULL, index);
        }
    }

    /// The loop of one `for` clause and what is inside it; `depth` loops are around it.
    fn comprehension_generator(
        &mut self,
        location: Location,
        generators: &'a [Comprehension<'a>],
        index: usize,
        depth: usize,
        element: Element<'a>,
        iter_on_stack: bool,
    ) -> Result {
        self.depth.enter()?;
        if generators[index].is_async {
            self.async_generator(location, generators, index, depth, element, iter_on_stack)?;
        } else {
            self.sync_generator(location, generators, index, depth, element, iter_on_stack)?;
        }
        self.depth.leave();
        Ok(())
    }

    fn sync_generator(
        &mut self,
        location: Location,
        generators: &'a [Comprehension<'a>],
        index: usize,
        mut depth: usize,
        element: Element<'a>,
        iter_on_stack: bool,
    ) -> Result {
        let generator = &generators[index];
        let start = self.new_label();
        let if_cleanup = self.new_label();
        let anchor = self.new_label();
        let iter_location: Location = generator.iter.span.into();
        let mut is_loop = true;
        if !iter_on_stack {
            if index == 0 {
                self.addop_i(location, Opcode::LOAD_FAST, 0);
            } else if let Some(value) = single_element(generator.iter) {
                // `for y in [f(x)]` is an assignment.
                self.expr(value)?;
                is_loop = false;
            } else {
                self.comprehension_iter(generator)?;
            }
        }
        if is_loop {
            depth += 1;
            self.use_label(start);
            self.addop_jump(iter_location, Opcode::FOR_ITER, anchor);
        }
        self.expr(generator.target)?;
        for condition in generator.ifs {
            self.jump_if(condition, if_cleanup, false)?;
        }
        let element_location = self.generator_body(location, generators, index, depth, element)?;
        self.use_label(if_cleanup);
        if is_loop {
            self.addop_jump(element_location, Opcode::JUMP, start);
            self.use_label(anchor);
            self.addop(Location::NONE, Opcode::END_FOR);
            self.addop(Location::NONE, Opcode::POP_ITER);
        }
        Ok(())
    }

    fn async_generator(
        &mut self,
        location: Location,
        generators: &'a [Comprehension<'a>],
        index: usize,
        depth: usize,
        element: Element<'a>,
        iter_on_stack: bool,
    ) -> Result {
        let generator = &generators[index];
        let start = self.new_label();
        let send = self.new_label();
        let except = self.new_label();
        let if_cleanup = self.new_label();
        if !iter_on_stack {
            if index == 0 {
                self.addop_i(location, Opcode::LOAD_FAST, 0);
            } else {
                self.comprehension_iter(generator)?;
            }
        }
        self.use_label(start);
        self.push_fblock(location, FBlockKind::AsyncComprehensionGenerator, Some(start), None)?;
        self.addop_jump(location, Opcode::SETUP_FINALLY, except);
        self.addop(location, Opcode::GET_ANEXT);
        self.load_none(location);
        self.use_label(send);
        self.yield_from(location, true);
        self.addop(location, Opcode::POP_BLOCK);
        self.expr(generator.target)?;
        for condition in generator.ifs {
            self.jump_if(condition, if_cleanup, false)?;
        }
        let element_location = self.generator_body(location, generators, index, depth + 1, element)?;
        self.use_label(if_cleanup);
        self.addop_jump(element_location, Opcode::JUMP, start);
        self.pop_fblock();
        self.use_label(except);
        self.addop_jump(location, Opcode::END_ASYNC_FOR, send);
        Ok(())
    }

    /// The next clause or the element; returns the location for the jump back.
    fn generator_body(
        &mut self,
        location: Location,
        generators: &'a [Comprehension<'a>],
        index: usize,
        depth: usize,
        element: Element<'a>,
    ) -> Result<Location> {
        let elt = element.first();
        let mut at: Location = elt.span.into();
        if index + 1 < generators.len() {
            self.comprehension_generator(location, generators, index + 1, depth, element, false)?;
            return Ok(at);
        }
        self.expr(elt)?;
        match element {
            Element::Generator(_) => {
                self.yield_value(at);
                self.addop(at, Opcode::POP_TOP);
            }
            Element::List(_) => self.addop_i(at, Opcode::LIST_APPEND, depth + 1),
            Element::Set(_) => self.addop_i(at, Opcode::SET_ADD, depth + 1),
            Element::Dict(_, value) => {
                self.expr(value)?;
                at = elt.span.to(value.span).into();
                self.addop_i(at, Opcode::MAP_ADD, depth + 1);
            }
        }
        Ok(at)
    }
}

fn single_element<'a>(iter: &Expr<'a>) -> Option<&'a Expr<'a>> {
    match iter.kind {
        ExprKind::List { elts: [elt], .. } | ExprKind::Tuple { elts: [elt], .. } => match elt.kind {
            ExprKind::Starred { .. } => None,
            _ => Some(elt),
        },
        _ => None,
    }
}
