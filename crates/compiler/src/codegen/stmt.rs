//! Statements: which file writes each, and the short ones.

use taipan_bytecode::oparg::{CommonConstant, Intrinsic1};

use super::*;

impl<'a> Compiler<'a, '_> {
    pub(super) fn stmt(&mut self, stmt: &'a Stmt<'a>) -> Result {
        self.depth.enter()?;
        self.stmt_kind(stmt)?;
        self.depth.leave();
        Ok(())
    }

    fn stmt_kind(&mut self, stmt: &'a Stmt<'a>) -> Result {
        let location: Location = stmt.span.into();
        match stmt.kind {
            StmtKind::FunctionDef { .. } | StmtKind::AsyncFunctionDef { .. } => self.function_def(stmt),
            StmtKind::ClassDef { .. } => self.class_def(stmt),
            StmtKind::TypeAlias { name, type_params, value } => self.type_alias(stmt, name, type_params, value),
            StmtKind::Return { value } => self.return_stmt(location, value),
            StmtKind::Delete { targets } => self.exprs(targets),
            StmtKind::Assign { targets, value, .. } => {
                self.expr(value)?;
                for (index, target) in targets.iter().enumerate() {
                    if index + 1 < targets.len() {
                        self.addop_i(location, Opcode::COPY, 1);
                    }
                    self.expr(target)?;
                }
                Ok(())
            }
            StmtKind::AugAssign { target, op, value } => self.aug_assign(location, target, op, value),
            StmtKind::AnnAssign { target, annotation, value, simple } => {
                self.ann_assign(location, target, annotation, value, simple)
            }
            StmtKind::For { target, iter, body, orelse, .. } => self.for_stmt(location, target, iter, body, orelse),
            StmtKind::AsyncFor { target, iter, body, orelse, .. } => {
                self.async_for_stmt(location, target, iter, body, orelse)
            }
            StmtKind::While { test, body, orelse } => self.while_stmt(location, test, body, orelse),
            StmtKind::If { test, body, orelse } => self.if_stmt(location, test, body, orelse),
            StmtKind::Match { subject, cases } => self.match_stmt(subject, cases),
            StmtKind::Raise { exc, cause } => {
                let mut count = 0;
                if let Some(exc) = exc {
                    self.expr(exc)?;
                    count += 1;
                    if let Some(cause) = cause {
                        self.expr(cause)?;
                        count += 1;
                    }
                }
                self.addop_i(location, Opcode::RAISE_VARARGS, count);
                Ok(())
            }
            StmtKind::Try { body, handlers, orelse, finalbody } => {
                self.try_stmt(location, body, handlers, orelse, finalbody, false)
            }
            StmtKind::TryStar { body, handlers, orelse, finalbody } => {
                self.try_stmt(location, body, handlers, orelse, finalbody, true)
            }
            StmtKind::Assert { test, msg } => self.assert(location, test, msg),
            StmtKind::Import { names } => self.import(location, names),
            StmtKind::ImportFrom { module, names, level } => self.import_from(location, module, names, level),
            StmtKind::Global { .. } | StmtKind::Nonlocal { .. } => Ok(()),
            StmtKind::Expr { value } => self.expr_stmt(location, value),
            StmtKind::Pass {} => {
                self.addop(location, Opcode::NOP);
                Ok(())
            }
            StmtKind::Break {} => self.break_stmt(location),
            StmtKind::Continue {} => self.continue_stmt(location),
            StmtKind::With { items, body, .. } => self.conditionally(|this| this.with_stmt(items, body, false)),
            StmtKind::AsyncWith { items, body, .. } => self.conditionally(|this| this.with_stmt(items, body, true)),
        }
    }

    /// Writes what may not run although the block does: its annotations take part only if they ran.
    pub(super) fn conditionally(&mut self, write: impl FnOnce(&mut Self) -> Result) -> Result {
        let before = std::mem::replace(&mut self.unit_mut().in_conditional_block, true);
        write(self)?;
        self.unit_mut().in_conditional_block = before;
        Ok(())
    }

    fn expr_stmt(&mut self, location: Location, value: &'a Expr<'a>) -> Result {
        if self.is_interactive_top_level() {
            self.expr(value)?;
            self.addop_i(location, Opcode::CALL_INTRINSIC_1, Intrinsic1::Print as usize);
            self.addop(Location::NONE, Opcode::POP_TOP);
            return Ok(());
        }
        if let ExprKind::Constant { .. } = value.kind {
            self.addop(location, Opcode::NOP);
            return Ok(());
        }
        self.expr(value)?;
        self.addop(Location::NONE, Opcode::POP_TOP);
        Ok(())
    }

    fn assert(&mut self, location: Location, test: &'a Expr<'a>, msg: Option<&'a Expr<'a>>) -> Result {
        let always_true = match test.kind {
            ExprKind::Tuple { elts, .. } => !elts.is_empty(),
            ExprKind::Constant { value: taipan_syntax::ast::Constant::Tuple(items), .. } => !items.is_empty(),
            _ => false,
        };
        if always_true {
            self.warn(location, "assertion is always true, perhaps remove parentheses?".to_owned());
        }
        if self.options.optimize > 0 {
            return Ok(());
        }
        let end = self.new_label();
        self.jump_if(test, end, true)?;
        self.addop_i(location, Opcode::LOAD_COMMON_CONSTANT, CommonConstant::AssertionError as usize);
        if let Some(msg) = msg {
            self.expr(msg)?;
            self.addop_i(location, Opcode::CALL, 0);
        }
        self.addop_i(test.span.into(), Opcode::RAISE_VARARGS, 1);
        self.use_label(end);
        Ok(())
    }
}
