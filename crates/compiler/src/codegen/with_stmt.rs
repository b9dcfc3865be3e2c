//! `with` and `async with`.

use taipan_bytecode::oparg::SpecialMethod;

use super::fblock::FBlockKind;
use super::*;

impl<'a> Compiler<'a, '_> {
    /// Each item is a `with` statement around the next.
    pub(super) fn with_stmt(&mut self, items: &'a [WithItem<'a>], body: &'a [Stmt<'a>], is_async: bool) -> Result {
        let Some((item, inner_items)) = items.split_first() else { return self.stmts(body) };
        self.depth.enter()?;
        let (enter, exit_method, kind) = match is_async {
            false => (SpecialMethod::Enter, SpecialMethod::Exit, FBlockKind::With),
            true => (SpecialMethod::AEnter, SpecialMethod::AExit, FBlockKind::AsyncWith),
        };
        let inner = self.new_label();
        let finally = self.new_label();
        let exit = self.new_label();
        let cleanup = self.new_label();
        self.expr(item.context_expr)?;
        let location: Location = item.context_expr.span.into();
        self.addop_i(location, Opcode::COPY, 1);
        self.addop_i(location, Opcode::LOAD_SPECIAL, exit_method as usize);
        self.addop_i(location, Opcode::SWAP, 2);
        self.addop_i(location, Opcode::SWAP, 3);
        self.addop_i(location, Opcode::LOAD_SPECIAL, enter as usize);
        self.addop_i(location, Opcode::CALL, 0);
        if is_async {
            self.await_value(location, 1);
        }
        self.addop_jump(location, Opcode::SETUP_WITH, finally);
        self.use_label(inner);
        self.push_fblock(location, kind, Some(inner), Some(finally))?;
        match item.optional_vars {
            Some(target) => self.expr(target)?,
            None => self.addop(location, Opcode::POP_TOP),
        }
        self.with_stmt(inner_items, body, is_async)?;
        self.pop_fblock();
        self.addop(if is_async { location } else { Location::NONE }, Opcode::POP_BLOCK);
        self.call_exit_with_nones(location);
        if is_async {
            self.await_value(location, 2);
        }
        self.addop(location, Opcode::POP_TOP);
        self.addop_jump(location, Opcode::JUMP, exit);

        self.use_label(finally);
        self.addop_jump(location, Opcode::SETUP_CLEANUP, cleanup);
        self.addop(location, Opcode::PUSH_EXC_INFO);
        self.addop(location, Opcode::WITH_EXCEPT_START);
        if is_async {
            self.await_value(location, 2);
        }
        self.with_except_finish(cleanup);
        self.use_label(exit);
        self.depth.leave();
        Ok(())
    }

    fn await_value(&mut self, location: Location, what: usize) {
        self.addop_i(location, Opcode::GET_AWAITABLE, what);
        self.load_none(location);
        self.yield_from(location, true);
    }

    fn with_except_finish(&mut self, cleanup: Label) {
        let suppress = self.new_label();
        let exit = self.new_label();
        self.addop(Location::NONE, Opcode::TO_BOOL);
        self.addop_jump(Location::NONE, Opcode::POP_JUMP_IF_TRUE, suppress);
        self.addop_i(Location::NONE, Opcode::RERAISE, 2);
        self.use_label(suppress);
        self.addop(Location::NONE, Opcode::POP_TOP);
        self.addop(Location::NONE, Opcode::POP_BLOCK);
        self.addop(Location::NONE, Opcode::POP_EXCEPT);
        for _ in 0..3 {
            self.addop(Location::NONE, Opcode::POP_TOP);
        }
        self.addop_jump(Location::NONE, Opcode::JUMP_NO_INTERRUPT, exit);
        self.use_label(cleanup);
        self.pop_except_and_reraise(Location::NONE);
        self.use_label(exit);
    }
}
