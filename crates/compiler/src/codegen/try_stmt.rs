//! `try`: handlers, `except*`, `else` and `finally`.

use taipan_bytecode::oparg::Intrinsic2;

use super::fblock::FBlockKind;
use super::*;

impl<'a> Compiler<'a, '_> {
    pub(super) fn try_stmt(
        &mut self,
        location: Location,
        body: &'a [Stmt<'a>],
        handlers: &'a [ExceptHandler<'a>],
        orelse: &'a [Stmt<'a>],
        finalbody: &'a [Stmt<'a>],
        star: bool,
    ) -> Result {
        self.conditionally(|this| {
            if finalbody.is_empty() {
                return this.try_except_or_star(location, body, handlers, orelse, star);
            }
            let inner = this.new_label();
            let end = this.new_label();
            let exit = this.new_label();
            let cleanup = this.new_label();
            this.addop_jump(location, Opcode::SETUP_FINALLY, end);
            this.use_label(inner);
            this.push_fblock(location, FBlockKind::FinallyTry(finalbody), Some(inner), Some(end))?;
            if handlers.is_empty() {
                this.stmts(body)?;
            } else {
                this.try_except_or_star(location, body, handlers, orelse, star)?;
            }
            this.addop(Location::NONE, Opcode::POP_BLOCK);
            this.pop_fblock();
            this.stmts(finalbody)?;
            this.addop_jump(Location::NONE, Opcode::JUMP_NO_INTERRUPT, exit);
            // The same statements for when an exception passes through.
            this.use_label(end);
            this.push_fblock(Location::NONE, FBlockKind::FinallyEnd, Some(end), None)?;
            this.addop_jump(Location::NONE, Opcode::SETUP_CLEANUP, cleanup);
            this.addop(Location::NONE, Opcode::PUSH_EXC_INFO);
            this.disable_warnings += 1;
            this.stmts(finalbody)?;
            this.disable_warnings -= 1;
            this.pop_fblock();
            this.addop_i(Location::NONE, Opcode::RERAISE, 0);
            this.use_label(cleanup);
            this.pop_except_and_reraise(Location::NONE);
            this.use_label(exit);
            Ok(())
        })
    }

    fn try_except_or_star(
        &mut self,
        location: Location,
        body: &'a [Stmt<'a>],
        handlers: &'a [ExceptHandler<'a>],
        orelse: &'a [Stmt<'a>],
        star: bool,
    ) -> Result {
        if star {
            self.try_star_except(location, body, handlers, orelse)
        } else {
            self.try_except(location, body, handlers, orelse)
        }
    }

    fn try_except(
        &mut self,
        location: Location,
        body: &'a [Stmt<'a>],
        handlers: &'a [ExceptHandler<'a>],
        orelse: &'a [Stmt<'a>],
    ) -> Result {
        let inner = self.new_label();
        let mut except = self.new_label();
        let end = self.new_label();
        let cleanup = self.new_label();
        self.addop_jump(location, Opcode::SETUP_FINALLY, except);
        self.use_label(inner);
        self.push_fblock(location, FBlockKind::TryExcept, Some(inner), None)?;
        self.stmts(body)?;
        self.pop_fblock();
        self.addop(Location::NONE, Opcode::POP_BLOCK);
        self.stmts(orelse)?;
        self.addop_jump(Location::NONE, Opcode::JUMP_NO_INTERRUPT, end);

        self.use_label(except);
        self.addop_jump(Location::NONE, Opcode::SETUP_CLEANUP, cleanup);
        self.addop(Location::NONE, Opcode::PUSH_EXC_INFO);
        self.push_fblock(location, FBlockKind::ExceptionHandler, None, None)?;
        for (index, handler) in handlers.iter().enumerate() {
            let location = handler.span.into();
            if handler.r#type.is_none() && index + 1 < handlers.len() {
                return Err(self.error(location, "default 'except:' must be last"));
            }
            except = self.new_label();
            if let Some(ty) = handler.r#type {
                self.expr(ty)?;
                self.addop(location, Opcode::CHECK_EXC_MATCH);
                self.addop_jump(location, Opcode::POP_JUMP_IF_FALSE, except);
            }
            let handler_body = self.new_label();
            if let Some(name) = handler.name {
                // As if the body were in `try: ... finally: name = None; del name`.
                let cleanup_end = self.new_label();
                self.store_name(location, name)?;
                self.addop_jump(location, Opcode::SETUP_CLEANUP, cleanup_end);
                self.use_label(handler_body);
                self.push_fblock(location, FBlockKind::HandlerCleanup(Some(name)), Some(handler_body), None)?;
                self.stmts(handler.body)?;
                self.pop_fblock();
                self.addop(Location::NONE, Opcode::POP_BLOCK);
                self.addop(Location::NONE, Opcode::POP_BLOCK);
                self.addop(Location::NONE, Opcode::POP_EXCEPT);
                self.clear_name(Location::NONE, name)?;
                self.addop_jump(Location::NONE, Opcode::JUMP_NO_INTERRUPT, end);
                self.use_label(cleanup_end);
                self.clear_name(Location::NONE, name)?;
                self.addop_i(Location::NONE, Opcode::RERAISE, 1);
            } else {
                self.addop(location, Opcode::POP_TOP);
                self.use_label(handler_body);
                self.push_fblock(location, FBlockKind::HandlerCleanup(None), Some(handler_body), None)?;
                self.stmts(handler.body)?;
                self.pop_fblock();
                self.addop(Location::NONE, Opcode::POP_BLOCK);
                self.addop(Location::NONE, Opcode::POP_EXCEPT);
                self.addop_jump(Location::NONE, Opcode::JUMP_NO_INTERRUPT, end);
            }
            self.use_label(except);
        }
        self.addop_i(Location::NONE, Opcode::RERAISE, 0);
        self.pop_fblock();
        self.use_label(cleanup);
        self.pop_except_and_reraise(Location::NONE);
        self.use_label(end);
        Ok(())
    }

    /// On the stack while handlers run: the original group, the list of what handlers raised, the rest of the group.
    fn try_star_except(
        &mut self,
        location: Location,
        body: &'a [Stmt<'a>],
        handlers: &'a [ExceptHandler<'a>],
        orelse: &'a [Stmt<'a>],
    ) -> Result {
        let inner = self.new_label();
        let mut except = self.new_label();
        let else_label = self.new_label();
        let end = self.new_label();
        let cleanup = self.new_label();
        let reraise_star = self.new_label();
        self.addop_jump(location, Opcode::SETUP_FINALLY, except);
        self.use_label(inner);
        self.push_fblock(location, FBlockKind::TryExcept, Some(inner), None)?;
        self.stmts(body)?;
        self.pop_fblock();
        self.addop(Location::NONE, Opcode::POP_BLOCK);
        self.addop_jump(Location::NONE, Opcode::JUMP_NO_INTERRUPT, else_label);

        self.use_label(except);
        self.addop_jump(Location::NONE, Opcode::SETUP_CLEANUP, cleanup);
        self.addop(Location::NONE, Opcode::PUSH_EXC_INFO);
        self.push_fblock(location, FBlockKind::ExceptionGroupHandler, None, None)?;
        for (index, handler) in handlers.iter().enumerate() {
            let location = handler.span.into();
            except = self.new_label();
            let except_with_error = self.new_label();
            let no_match = self.new_label();
            if index == 0 {
                self.addop_i(location, Opcode::BUILD_LIST, 0);
                self.addop_i(location, Opcode::COPY, 2);
            }
            if let Some(ty) = handler.r#type {
                self.expr(ty)?;
                self.addop(location, Opcode::CHECK_EG_MATCH);
                self.addop_i(location, Opcode::COPY, 1);
                self.addop_jump(location, Opcode::POP_JUMP_IF_NONE, no_match);
            }
            let cleanup_end = self.new_label();
            let handler_body = self.new_label();
            match handler.name {
                Some(name) => self.store_name(location, name)?,
                None => self.addop(location, Opcode::POP_TOP),
            }
            self.addop_jump(location, Opcode::SETUP_CLEANUP, cleanup_end);
            self.use_label(handler_body);
            self.push_fblock(location, FBlockKind::HandlerCleanup(handler.name), Some(handler_body), None)?;
            self.stmts(handler.body)?;
            self.pop_fblock();
            self.addop(Location::NONE, Opcode::POP_BLOCK);
            if let Some(name) = handler.name {
                self.clear_name(Location::NONE, name)?;
            }
            self.addop_jump(Location::NONE, Opcode::JUMP_NO_INTERRUPT, except);

            self.use_label(cleanup_end);
            if let Some(name) = handler.name {
                self.clear_name(Location::NONE, name)?;
            }
            self.addop_i(Location::NONE, Opcode::LIST_APPEND, 3);
            self.addop(Location::NONE, Opcode::POP_TOP);
            self.addop_jump(Location::NONE, Opcode::JUMP_NO_INTERRUPT, except_with_error);

            self.use_label(except);
            self.addop(Location::NONE, Opcode::NOP);
            self.addop_jump(Location::NONE, Opcode::JUMP_NO_INTERRUPT, except_with_error);
            self.use_label(no_match);
            self.addop(location, Opcode::POP_TOP);
            self.use_label(except_with_error);
            if index + 1 == handlers.len() {
                self.addop_i(Location::NONE, Opcode::LIST_APPEND, 1);
                self.addop_jump(Location::NONE, Opcode::JUMP_NO_INTERRUPT, reraise_star);
            }
        }
        self.pop_fblock();
        let reraise = self.new_label();
        self.use_label(reraise_star);
        self.addop_i(Location::NONE, Opcode::CALL_INTRINSIC_2, Intrinsic2::PrepReraiseStar as usize);
        self.addop_i(Location::NONE, Opcode::COPY, 1);
        self.addop_jump(Location::NONE, Opcode::POP_JUMP_IF_NOT_NONE, reraise);
        self.addop(Location::NONE, Opcode::POP_TOP);
        self.addop(Location::NONE, Opcode::POP_BLOCK);
        self.addop(Location::NONE, Opcode::POP_EXCEPT);
        self.addop_jump(Location::NONE, Opcode::JUMP_NO_INTERRUPT, end);
        self.use_label(reraise);
        self.addop(Location::NONE, Opcode::POP_BLOCK);
        self.addop_i(Location::NONE, Opcode::SWAP, 2);
        self.addop(Location::NONE, Opcode::POP_EXCEPT);
        self.addop_i(Location::NONE, Opcode::RERAISE, 0);
        self.use_label(cleanup);
        self.pop_except_and_reraise(Location::NONE);
        self.use_label(else_label);
        self.stmts(orelse)?;
        self.use_label(end);
        Ok(())
    }
}
