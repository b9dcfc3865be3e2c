//! `if`, loops, `break`, `continue` and `return`.

use super::fblock::FBlockKind;
use super::*;

impl<'a> Compiler<'a, '_> {
    pub(super) fn if_stmt(
        &mut self,
        _location: Location,
        test: &'a Expr<'a>,
        body: &'a [Stmt<'a>],
        orelse: &'a [Stmt<'a>],
    ) -> Result {
        let end = self.new_label();
        let next = if orelse.is_empty() { end } else { self.new_label() };
        self.jump_if(test, next, false)?;
        self.conditionally(|this| {
            this.stmts(body)?;
            if !orelse.is_empty() {
                this.addop_jump(Location::NONE, Opcode::JUMP_NO_INTERRUPT, end);
                this.use_label(next);
                this.stmts(orelse)?;
            }
            Ok(())
        })?;
        self.use_label(end);
        Ok(())
    }

    pub(super) fn while_stmt(
        &mut self,
        location: Location,
        test: &'a Expr<'a>,
        body: &'a [Stmt<'a>],
        orelse: &'a [Stmt<'a>],
    ) -> Result {
        let top = self.new_label();
        let end = self.new_label();
        let anchor = self.new_label();
        self.use_label(top);
        self.push_fblock(location, FBlockKind::WhileLoop, Some(top), Some(end))?;
        self.jump_if(test, anchor, false)?;
        self.conditionally(|this| {
            this.stmts(body)?;
            this.addop_jump(Location::NONE, Opcode::JUMP, top);
            this.pop_fblock();
            this.use_label(anchor);
            this.stmts(orelse)
        })?;
        self.use_label(end);
        Ok(())
    }

    pub(super) fn for_stmt(
        &mut self,
        location: Location,
        target: &'a Expr<'a>,
        iter: &'a Expr<'a>,
        body: &'a [Stmt<'a>],
        orelse: &'a [Stmt<'a>],
    ) -> Result {
        let start = self.new_label();
        let cleanup = self.new_label();
        let end = self.new_label();
        self.push_fblock(location, FBlockKind::ForLoop, Some(start), Some(end))?;
        self.expr(iter)?;
        let iter_location = iter.span.into();
        self.addop(iter_location, Opcode::GET_ITER);
        self.use_label(start);
        self.addop_jump(iter_location, Opcode::FOR_ITER, cleanup);
        // Keeps the line of a target that stands on its own line.
        self.addop(target.span.into(), Opcode::NOP);
        self.expr(target)?;
        self.conditionally(|this| {
            this.stmts(body)?;
            this.addop_jump(Location::NONE, Opcode::JUMP, start);
            this.use_label(cleanup);
            this.addop(Location::NONE, Opcode::END_FOR);
            this.addop(Location::NONE, Opcode::POP_ITER);
            this.pop_fblock();
            this.stmts(orelse)
        })?;
        self.use_label(end);
        Ok(())
    }

    pub(super) fn async_for_stmt(
        &mut self,
        location: Location,
        target: &'a Expr<'a>,
        iter: &'a Expr<'a>,
        body: &'a [Stmt<'a>],
        orelse: &'a [Stmt<'a>],
    ) -> Result {
        let start = self.new_label();
        let send = self.new_label();
        let except = self.new_label();
        let end = self.new_label();
        let iter_location = iter.span.into();
        self.expr(iter)?;
        self.addop(iter_location, Opcode::GET_AITER);
        self.use_label(start);
        self.push_fblock(location, FBlockKind::ForLoop, Some(start), Some(end))?;
        self.addop_jump(location, Opcode::SETUP_FINALLY, except);
        self.addop(location, Opcode::GET_ANEXT);
        self.load_none(location);
        self.use_label(send);
        self.yield_from(location, true);
        self.addop(location, Opcode::POP_BLOCK);
        self.addop(location, Opcode::NOT_TAKEN);
        self.expr(target)?;
        self.conditionally(|this| {
            this.stmts(body)?;
            this.addop_jump(Location::NONE, Opcode::JUMP, start);
            this.pop_fblock();
            this.use_label(except);
            // The loop's end belongs to the iterable, not to the body.
            this.addop_jump(iter_location, Opcode::END_ASYNC_FOR, send);
            this.stmts(orelse)
        })?;
        self.use_label(end);
        Ok(())
    }

    pub(super) fn break_stmt(&mut self, location: Location) -> Result {
        let mut at = location;
        self.addop(at, Opcode::NOP);
        let Some(around) = self.unwind_fblock_stack(&mut at, false, true)? else {
            return Err(self.error(location, "'break' outside loop"));
        };
        self.unwind_fblock(&mut at, &around, false)?;
        self.addop_loop_jump(at, around.exit)
    }

    pub(super) fn continue_stmt(&mut self, location: Location) -> Result {
        let mut at = location;
        self.addop(at, Opcode::NOP);
        let Some(around) = self.unwind_fblock_stack(&mut at, false, true)? else {
            return Err(self.error(location, "'continue' not properly in loop"));
        };
        self.addop_loop_jump(at, around.block)
    }

    fn addop_loop_jump(&mut self, location: Location, target: Option<Label>) -> Result {
        let target = target.ok_or_else(|| CompileError::internal("a loop without labels"))?;
        self.addop_jump(location, Opcode::JUMP, target);
        Ok(())
    }

    pub(super) fn return_stmt(&mut self, location: Location, value: Option<&'a Expr<'a>>) -> Result {
        let block = self.block();
        if !block.is_function_like() {
            return Err(self.error(location, "'return' outside function"));
        }
        if value.is_some() && block.coroutine && block.generator {
            return Err(self.error(location, "'return' with value in async generator"));
        }
        let mut at = location;
        // A constant is loaded after what leaving the blocks takes.
        let constant_value = match value {
            Some(Expr { kind: ExprKind::Constant { value, .. }, .. }) => Some(value),
            _ => None,
        };
        let preserve_tos = value.is_some() && constant_value.is_none();
        if let Some(value) = value {
            if preserve_tos {
                self.expr(value)?;
            } else {
                at = value.span.into();
                self.addop(at, Opcode::NOP);
            }
        }
        if value.is_none_or(|value| value.span.lineno as i32 != location.lineno) {
            at = location;
            self.addop(at, Opcode::NOP);
        }
        self.unwind_fblock_stack(&mut at, preserve_tos, false)?;
        if value.is_none() {
            self.load_none(at);
        } else if let Some(value) = constant_value {
            self.load_const(at, constant::constant(value));
        }
        self.addop(at, Opcode::RETURN_VALUE);
        Ok(())
    }
}
