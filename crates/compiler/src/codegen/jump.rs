//! Jumps on conditions, comparisons and the boolean operators.

use taipan_bytecode::oparg::CompareOp;

use super::*;

impl<'a> Compiler<'a, '_> {
    /// Jumps to `target` if the truth of the expression is `condition`.
    pub(super) fn jump_if(&mut self, expr: &'a Expr<'a>, target: Label, condition: bool) -> Result {
        self.depth.enter()?;
        self.jump_if_kind(expr, target, condition)?;
        self.depth.leave();
        Ok(())
    }

    fn jump_if_kind(&mut self, expr: &'a Expr<'a>, target: Label, condition: bool) -> Result {
        let location: Location = expr.span.into();
        match expr.kind {
            ExprKind::UnaryOp { op: UnaryOperator::Not, operand } => {
                return self.jump_if(operand, target, !condition);
            }
            ExprKind::BoolOp { op, values } => {
                let decides = op == BoolOperator::Or;
                let short = if decides == condition { target } else { self.new_label() };
                let Some((last, first)) = values.split_last() else {
                    return Err(CompileError::Value("BoolOp with less than 2 values".to_owned()));
                };
                for value in first {
                    self.jump_if(value, short, decides)?;
                }
                self.jump_if(last, target, condition)?;
                if short != target {
                    self.use_label(short);
                }
                return Ok(());
            }
            ExprKind::IfExp { test, body, orelse } => {
                let end = self.new_label();
                let next = self.new_label();
                self.jump_if(test, next, false)?;
                self.jump_if(body, target, condition)?;
                self.addop_jump(Location::NONE, Opcode::JUMP_NO_INTERRUPT, end);
                self.use_label(next);
                self.jump_if(orelse, target, condition)?;
                self.use_label(end);
                return Ok(());
            }
            ExprKind::Compare { left, ops, comparators } if ops.len() > 1 => {
                self.check_compare(expr, left, ops, comparators);
                let cleanup = self.new_label();
                let last = ops.len() - 1;
                self.expr(left)?;
                for (op, comparator) in ops.iter().zip(comparators).take(last) {
                    self.expr(comparator)?;
                    self.addop_i(location, Opcode::SWAP, 2);
                    self.addop_i(location, Opcode::COPY, 2);
                    self.addop_compare(location, *op);
                    self.addop(location, Opcode::TO_BOOL);
                    self.addop_jump(location, Opcode::POP_JUMP_IF_FALSE, cleanup);
                }
                self.expr(&comparators[last])?;
                self.addop_compare(location, ops[last]);
                self.addop(location, Opcode::TO_BOOL);
                self.pop_jump_if(location, target, condition);
                let end = self.new_label();
                self.addop_jump(Location::NONE, Opcode::JUMP_NO_INTERRUPT, end);
                self.use_label(cleanup);
                self.addop(location, Opcode::POP_TOP);
                if !condition {
                    self.addop_jump(Location::NONE, Opcode::JUMP_NO_INTERRUPT, target);
                }
                self.use_label(end);
                return Ok(());
            }
            _ => {}
        }
        self.expr(expr)?;
        self.addop(location, Opcode::TO_BOOL);
        self.pop_jump_if(location, target, condition);
        Ok(())
    }

    fn pop_jump_if(&mut self, location: Location, target: Label, condition: bool) {
        let opcode = if condition { Opcode::POP_JUMP_IF_TRUE } else { Opcode::POP_JUMP_IF_FALSE };
        self.addop_jump(location, opcode, target);
    }

    pub(super) fn addop_compare(&mut self, location: Location, op: CmpOp) {
        let compare = match op {
            CmpOp::Eq => CompareOp::Eq,
            CmpOp::NotEq => CompareOp::Ne,
            CmpOp::Lt => CompareOp::Lt,
            CmpOp::LtE => CompareOp::Le,
            CmpOp::Gt => CompareOp::Gt,
            CmpOp::GtE => CompareOp::Ge,
            CmpOp::Is => return self.addop_i(location, Opcode::IS_OP, 0),
            CmpOp::IsNot => return self.addop_i(location, Opcode::IS_OP, 1),
            CmpOp::In => return self.addop_i(location, Opcode::CONTAINS_OP, 0),
            CmpOp::NotIn => return self.addop_i(location, Opcode::CONTAINS_OP, 1),
        };
        self.addop_i(location, Opcode::COMPARE_OP, compare.oparg() as usize);
    }

    pub(super) fn compare(
        &mut self,
        expr: &'a Expr<'a>,
        left: &'a Expr<'a>,
        ops: &[CmpOp],
        comparators: &'a [Expr<'a>],
    ) -> Result {
        let location: Location = expr.span.into();
        self.check_compare(expr, left, ops, comparators);
        self.expr(left)?;
        let (Some((last_op, ops)), Some((last, comparators))) = (ops.split_last(), comparators.split_last()) else {
            return Err(CompileError::Value("Compare with no comparators".to_owned()));
        };
        if ops.is_empty() {
            self.expr(last)?;
            self.addop_compare(location, *last_op);
            return Ok(());
        }
        let cleanup = self.new_label();
        for (op, comparator) in ops.iter().zip(comparators) {
            self.expr(comparator)?;
            self.addop_i(location, Opcode::SWAP, 2);
            self.addop_i(location, Opcode::COPY, 2);
            self.addop_compare(location, *op);
            self.addop_i(location, Opcode::COPY, 1);
            self.addop(location, Opcode::TO_BOOL);
            self.addop_jump(location, Opcode::POP_JUMP_IF_FALSE, cleanup);
            self.addop(location, Opcode::POP_TOP);
        }
        self.expr(last)?;
        self.addop_compare(location, *last_op);
        let end = self.new_label();
        self.addop_jump(Location::NONE, Opcode::JUMP_NO_INTERRUPT, end);
        self.use_label(cleanup);
        self.addop_i(location, Opcode::SWAP, 2);
        self.addop(location, Opcode::POP_TOP);
        self.use_label(end);
        Ok(())
    }

    pub(super) fn bool_op(&mut self, location: Location, op: BoolOperator, values: &'a [Expr<'a>]) -> Result {
        let jump = match op {
            BoolOperator::And => Opcode::JUMP_IF_FALSE,
            BoolOperator::Or => Opcode::JUMP_IF_TRUE,
        };
        let Some((last, first)) = values.split_last() else {
            return Err(CompileError::Value("BoolOp with less than 2 values".to_owned()));
        };
        let end = self.new_label();
        for value in first {
            self.expr(value)?;
            self.addop_jump(location, jump, end);
            self.addop(location, Opcode::POP_TOP);
        }
        self.expr(last)?;
        self.use_label(end);
        Ok(())
    }

    pub(super) fn if_exp(&mut self, test: &'a Expr<'a>, body: &'a Expr<'a>, orelse: &'a Expr<'a>) -> Result {
        let end = self.new_label();
        let next = self.new_label();
        self.jump_if(test, next, false)?;
        self.expr(body)?;
        self.addop_jump(Location::NONE, Opcode::JUMP_NO_INTERRUPT, end);
        self.use_label(next);
        self.expr(orelse)?;
        self.use_label(end);
        Ok(())
    }
}
