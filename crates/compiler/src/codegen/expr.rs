//! Expressions: which file writes each, and the short ones.

use taipan_bytecode::oparg::{BinaryOp, Intrinsic1, resume};

use super::assign::start_at_attribute;
use super::comprehension::Element;
use super::*;

/// The oparg of BINARY_OP.
pub(super) fn binary_op(op: Operator, in_place: bool) -> usize {
    let plain = match op {
        Operator::Add => BinaryOp::Add,
        Operator::Sub => BinaryOp::Subtract,
        Operator::Mult => BinaryOp::Multiply,
        Operator::MatMult => BinaryOp::MatrixMultiply,
        Operator::Div => BinaryOp::TrueDivide,
        Operator::Mod => BinaryOp::Remainder,
        Operator::Pow => BinaryOp::Power,
        Operator::LShift => BinaryOp::Lshift,
        Operator::RShift => BinaryOp::Rshift,
        Operator::BitOr => BinaryOp::Or,
        Operator::BitXor => BinaryOp::Xor,
        Operator::BitAnd => BinaryOp::And,
        Operator::FloorDiv => BinaryOp::FloorDivide,
    };
    plain as usize + if in_place { BinaryOp::InplaceAdd as usize } else { 0 }
}

impl<'a> Compiler<'a, '_> {
    pub(super) fn expr(&mut self, expr: &'a Expr<'a>) -> Result {
        self.depth.enter()?;
        self.expr_kind(expr)?;
        self.depth.leave();
        Ok(())
    }

    fn expr_kind(&mut self, expr: &'a Expr<'a>) -> Result {
        let location: Location = expr.span.into();
        match expr.kind {
            ExprKind::NamedExpr { target, value } => {
                self.expr(value)?;
                self.addop_i(location, Opcode::COPY, 1);
                self.expr(target)
            }
            ExprKind::BoolOp { op, values } => self.bool_op(location, op, values),
            ExprKind::BinOp { left, op, right } => {
                self.expr(left)?;
                self.expr(right)?;
                self.addop_i(location, Opcode::BINARY_OP, binary_op(op, false));
                Ok(())
            }
            ExprKind::UnaryOp { op, operand } => {
                self.expr(operand)?;
                match op {
                    UnaryOperator::Invert => self.addop(location, Opcode::UNARY_INVERT),
                    UnaryOperator::USub => self.addop(location, Opcode::UNARY_NEGATIVE),
                    UnaryOperator::UAdd => {
                        self.addop_i(location, Opcode::CALL_INTRINSIC_1, Intrinsic1::UnaryPositive as usize);
                    }
                    UnaryOperator::Not => {
                        self.addop(location, Opcode::TO_BOOL);
                        self.addop(location, Opcode::UNARY_NOT);
                    }
                }
                Ok(())
            }
            ExprKind::Lambda { args, body } => self.lambda(expr, args, body),
            ExprKind::IfExp { test, body, orelse } => self.if_exp(test, body, orelse),
            ExprKind::Dict { keys, values } => self.dict(location, keys, values),
            ExprKind::Set { elts } => {
                self.build_sequence(location, elts, None, 0, Opcode::BUILD_SET, Opcode::SET_ADD, Opcode::SET_UPDATE)
            }
            ExprKind::ListComp { elt, generators } => {
                self.comprehension(expr, "<listcomp>", generators, Element::List(elt))
            }
            ExprKind::SetComp { elt, generators } => {
                self.comprehension(expr, "<setcomp>", generators, Element::Set(elt))
            }
            ExprKind::DictComp { key, value, generators } => {
                self.comprehension(expr, "<dictcomp>", generators, Element::Dict(key, value))
            }
            ExprKind::GeneratorExp { elt, generators } => {
                self.comprehension(expr, "<genexpr>", generators, Element::Generator(elt))
            }
            ExprKind::Yield { value } => {
                if !self.block().is_function_like() {
                    return Err(self.error(location, "'yield' outside function"));
                }
                match value {
                    Some(value) => self.expr(value)?,
                    None => self.load_none(location),
                }
                self.yield_value(location);
                Ok(())
            }
            ExprKind::YieldFrom { value } => {
                if !self.block().is_function_like() {
                    return Err(self.error(location, "'yield from' outside function"));
                }
                if self.unit().scope_type == ScopeType::AsyncFunction {
                    return Err(self.error(location, "'yield from' inside async function"));
                }
                self.expr(value)?;
                self.addop(location, Opcode::GET_YIELD_FROM_ITER);
                self.load_none(location);
                self.yield_from(location, false);
                Ok(())
            }
            ExprKind::Await { value } => {
                self.expr(value)?;
                self.addop_i(location, Opcode::GET_AWAITABLE, 0);
                self.load_none(location);
                self.yield_from(location, true);
                Ok(())
            }
            ExprKind::Compare { left, ops, comparators } => self.compare(expr, left, ops, comparators),
            ExprKind::Call { func, args, keywords } => self.call(expr, func, args, keywords),
            ExprKind::FormattedValue { value, conversion, format_spec } => {
                self.formatted_value(location, value, conversion, format_spec)
            }
            ExprKind::Interpolation { value, str, conversion, format_spec } => {
                self.interpolation(location, value, str, conversion, format_spec)
            }
            ExprKind::JoinedStr { values } => self.joined_str(location, values),
            ExprKind::TemplateStr { values } => self.template_str(location, values),
            ExprKind::Constant { value, .. } => {
                self.load_const(location, constant::constant(&value));
                Ok(())
            }
            ExprKind::Attribute { value, attr, ctx } => self.attribute(expr, value, attr, ctx),
            ExprKind::Subscript { value, slice, ctx } => self.subscript(location, value, slice, ctx),
            ExprKind::Starred { ctx, .. } => match ctx {
                // Lists, tuples and calls take care of theirs themselves.
                ExprContext::Store => Err(self.error(location, "starred assignment target must be in a list or tuple")),
                _ => Err(self.error(location, "can't use starred expression here")),
            },
            ExprKind::Slice { .. } => self.slice(expr),
            ExprKind::Name { id, ctx } => self.name_op(location, id, ctx),
            ExprKind::List { elts, ctx } => match ctx {
                ExprContext::Load => self.build_sequence(
                    location,
                    elts,
                    None,
                    0,
                    Opcode::BUILD_LIST,
                    Opcode::LIST_APPEND,
                    Opcode::LIST_EXTEND,
                ),
                ExprContext::Store => self.unpack_to(location, elts),
                ExprContext::Del => self.exprs(elts),
            },
            ExprKind::Tuple { elts, ctx } => match ctx {
                ExprContext::Load => self.build_tuple(location, elts, None, 0),
                ExprContext::Store => self.unpack_to(location, elts),
                ExprContext::Del => self.exprs(elts),
            },
        }
    }

    fn attribute(&mut self, expr: &'a Expr<'a>, value: &'a Expr<'a>, attr: &'a str, context: ExprContext) -> Result {
        let location = start_at_attribute(expr.span.into(), expr);
        if context == ExprContext::Load && self.can_optimize_super_call(value, attr) {
            self.load_super_attr(expr, value, attr, false)?;
            self.addop(location, Opcode::NOP);
            return Ok(());
        }
        if context == ExprContext::Store
            && let ExprKind::Name { id: "self", .. } = value.kind
        {
            let around = self.units.len() - 1;
            if let Some(class) = self.units[..around].iter_mut().rfind(|unit| unit.scope_type == ScopeType::Class) {
                class.static_attributes.insert(attr);
            }
        }
        self.expr(value)?;
        match context {
            ExprContext::Load => self.load_attr(location, attr, false),
            ExprContext::Store => self.addop_name(location, Opcode::STORE_ATTR, attr),
            ExprContext::Del => self.addop_name(location, Opcode::DELETE_ATTR, attr),
        }
        Ok(())
    }

    pub(super) fn yield_value(&mut self, location: Location) {
        if self.block().generator && self.block().coroutine {
            self.addop_i(location, Opcode::CALL_INTRINSIC_1, Intrinsic1::AsyncGenWrap as usize);
        }
        self.addop_i(location, Opcode::YIELD_VALUE, 0);
        self.addop_i(location, Opcode::RESUME, resume::AFTER_YIELD as usize);
    }

    /// Delegates to the iterator below the topmost value, which is sent first.
    pub(super) fn yield_from(&mut self, location: Location, is_await: bool) {
        let send = self.new_label();
        let fail = self.new_label();
        let exit = self.new_label();
        let after = if is_await { resume::AFTER_AWAIT } else { resume::AFTER_YIELD_FROM };
        self.use_label(send);
        self.addop_jump(location, Opcode::SEND, exit);
        // An exception that is thrown in at the yield may be the delegate's StopIteration.
        self.addop_jump(location, Opcode::SETUP_FINALLY, fail);
        self.addop_i(location, Opcode::YIELD_VALUE, 1);
        self.addop(Location::NONE, Opcode::POP_BLOCK);
        self.addop_i(location, Opcode::RESUME, after as usize);
        self.addop_jump(location, Opcode::JUMP_NO_INTERRUPT, send);
        self.use_label(fail);
        self.addop(location, Opcode::CLEANUP_THROW);
        self.use_label(exit);
        self.addop(location, Opcode::END_SEND);
    }

    /// Builds a collection of the items, an injected name after them and `pushed` values that lie on the stack before.
    pub(super) fn build_sequence(
        &mut self,
        location: Location,
        elts: &'a [Expr<'a>],
        injected: Option<&'a str>,
        pushed: usize,
        build: Opcode,
        add: Opcode,
        extend: Opcode,
    ) -> Result {
        if self.fits_stack(elts, injected, pushed) {
            let count = self.push_items(location, elts, injected)?;
            self.addop_i(location, build, count + pushed);
            return Ok(());
        }
        self.build_stepwise(location, elts, injected, pushed, build, add, extend)
    }

    pub(super) fn build_tuple(
        &mut self,
        location: Location,
        elts: &'a [Expr<'a>],
        injected: Option<&'a str>,
        pushed: usize,
    ) -> Result {
        if self.fits_stack(elts, injected, pushed) {
            let count = self.push_items(location, elts, injected)?;
            self.addop_i(location, Opcode::BUILD_TUPLE, count + pushed);
            return Ok(());
        }
        let (build, add, extend) = (Opcode::BUILD_LIST, Opcode::LIST_APPEND, Opcode::LIST_EXTEND);
        self.build_stepwise(location, elts, injected, pushed, build, add, extend)?;
        self.addop_i(location, Opcode::CALL_INTRINSIC_1, Intrinsic1::ListToTuple as usize);
        Ok(())
    }

    fn fits_stack(&self, elts: &[Expr<'_>], injected: Option<&str>, pushed: usize) -> bool {
        let count = elts.len() + pushed + usize::from(injected.is_some());
        count <= STACK_USE_GUIDELINE && !elts.iter().any(|elt| matches!(elt.kind, ExprKind::Starred { .. }))
    }

    fn push_items(&mut self, location: Location, elts: &'a [Expr<'a>], injected: Option<&'a str>) -> Result<usize> {
        self.exprs(elts)?;
        match injected {
            Some(name) => {
                self.load_name(location, name)?;
                Ok(elts.len() + 1)
            }
            None => Ok(elts.len()),
        }
    }

    fn build_stepwise(
        &mut self,
        location: Location,
        elts: &'a [Expr<'a>],
        injected: Option<&'a str>,
        pushed: usize,
        build: Opcode,
        add: Opcode,
        extend: Opcode,
    ) -> Result {
        let big = elts.len() + pushed + usize::from(injected.is_some()) > STACK_USE_GUIDELINE;
        let mut built = big;
        if big {
            self.addop_i(location, build, pushed);
        }
        for (index, elt) in elts.iter().enumerate() {
            if let ExprKind::Starred { value, .. } = elt.kind {
                if !built {
                    self.addop_i(location, build, index + pushed);
                    built = true;
                }
                self.expr(value)?;
                self.addop_i(location, extend, 1);
            } else {
                self.expr(elt)?;
                if built {
                    self.addop_i(location, add, 1);
                }
            }
        }
        if let Some(name) = injected {
            self.load_name(location, name)?;
            self.addop_i(location, add, 1);
        }
        Ok(())
    }

    fn dict(&mut self, location: Location, keys: &'a [Option<Expr<'a>>], values: &'a [Expr<'a>]) -> Result {
        // Items are collected into dicts of limited size, which update the first.
        let mut have_dict = false;
        let mut pending = 0;
        for (index, (key, value)) in keys.iter().zip(values).enumerate() {
            if key.is_none() {
                if pending > 0 {
                    self.sub_dict(location, keys, values, index - pending, index)?;
                    self.update_dict(location, &mut have_dict);
                    pending = 0;
                }
                if !have_dict {
                    self.addop_i(location, Opcode::BUILD_MAP, 0);
                    have_dict = true;
                }
                self.expr(value)?;
                self.addop_i(location, Opcode::DICT_UPDATE, 1);
            } else if pending * 2 > STACK_USE_GUIDELINE {
                self.sub_dict(location, keys, values, index - pending, index + 1)?;
                self.update_dict(location, &mut have_dict);
                pending = 0;
            } else {
                pending += 1;
            }
        }
        if pending > 0 {
            self.sub_dict(location, keys, values, keys.len() - pending, keys.len())?;
            self.update_dict(location, &mut have_dict);
        }
        if !have_dict {
            self.addop_i(location, Opcode::BUILD_MAP, 0);
        }
        Ok(())
    }

    fn update_dict(&mut self, location: Location, have_dict: &mut bool) {
        if std::mem::replace(have_dict, true) {
            self.addop_i(location, Opcode::DICT_UPDATE, 1);
        }
    }

    fn sub_dict(
        &mut self,
        location: Location,
        keys: &'a [Option<Expr<'a>>],
        values: &'a [Expr<'a>],
        begin: usize,
        end: usize,
    ) -> Result {
        let big = (end - begin) * 2 > STACK_USE_GUIDELINE;
        if big {
            self.addop_i(location, Opcode::BUILD_MAP, 0);
        }
        for (key, value) in keys[begin..end].iter().zip(&values[begin..end]) {
            if let Some(key) = key {
                self.expr(key)?;
            }
            self.expr(value)?;
            if big {
                self.addop_i(location, Opcode::MAP_ADD, 1);
            }
        }
        if !big {
            self.addop_i(location, Opcode::BUILD_MAP, end - begin);
        }
        Ok(())
    }
}
