//! Expressions from `named_expression` down to the operators.

use super::{Failure, Parsed, Parser};
use crate::ast::*;
use crate::token::{TokenKind, TokenKind as T};

/// The binary operators that a precedence climb handles, with their precedence.
fn binary_operator(kind: TokenKind) -> Option<(Operator, u8)> {
    Some(match kind {
        T::VerticalBar => (Operator::BitOr, 1),
        T::Circumflex => (Operator::BitXor, 2),
        T::Ampersand => (Operator::BitAnd, 3),
        T::LeftShift => (Operator::LShift, 4),
        T::RightShift => (Operator::RShift, 4),
        T::Plus => (Operator::Add, 5),
        T::Minus => (Operator::Sub, 5),
        T::Star => (Operator::Mult, 6),
        T::Slash => (Operator::Div, 6),
        T::DoubleSlash => (Operator::FloorDiv, 6),
        T::Percent => (Operator::Mod, 6),
        T::At => (Operator::MatMult, 6),
        _ => return None,
    })
}

/// Whether a token of this kind, behind an operand, makes an operation of it.
fn follows_operand(kind: TokenKind) -> bool {
    binary_operator(kind).is_some()
        || matches!(
            kind,
            T::DoubleStar
                | T::Or
                | T::And
                | T::Not
                | T::In
                | T::Is
                | T::EqEqual
                | T::NotEqual
                | T::Less
                | T::LessEqual
                | T::Greater
                | T::GreaterEqual
        )
}

/// Whether an expression, possibly starred, can begin with a token of this kind.
pub(super) fn starts_expression(kind: TokenKind) -> bool {
    kind.is_name()
        || matches!(
            kind,
            T::Number
                | T::String
                | T::FStringStart
                | T::TStringStart
                | T::LeftParen
                | T::LeftBracket
                | T::LeftBrace
                | T::Plus
                | T::Minus
                | T::Tilde
                | T::Star
                | T::Ellipsis
                | T::Not
                | T::Lambda
                | T::Await
                | T::True
                | T::False
                | T::None
        )
}

impl<'a> Parser<'a, '_> {
    /// `expressions`: one, or several that make a tuple; none starred.
    pub(super) fn expressions(&mut self) -> Parsed<Expr<'a>> {
        self.tuple_of(Self::expression)
    }

    /// `star_expressions`: as [`Parser::expressions`], and starred ones too.
    pub(super) fn star_expressions(&mut self) -> Parsed<Expr<'a>> {
        self.tuple_of(Self::star_expression)
    }

    fn tuple_of(&mut self, element: fn(&mut Self) -> Parsed<Expr<'a>>) -> Parsed<Expr<'a>> {
        let start = self.start();
        let first = element(self)?;
        if !self.at(T::Comma) {
            return Ok(first);
        }
        let base = self.exprs.len();
        self.exprs.push(first);
        while self.eat(T::Comma) && starts_expression(self.kind()) {
            let next = element(self)?;
            self.exprs.push(next);
        }
        let elts = self.take_exprs(base);
        Ok(self.expr_from(start, ExprKind::Tuple { elts, ctx: ExprContext::Load }))
    }

    pub(super) fn star_expression(&mut self) -> Parsed<Expr<'a>> {
        if self.at(T::Star) { self.starred_bitwise_or() } else { self.expression() }
    }

    pub(super) fn star_named_expression(&mut self) -> Parsed<Expr<'a>> {
        if self.at(T::Star) { self.starred_bitwise_or() } else { self.named_expression() }
    }

    fn starred_bitwise_or(&mut self) -> Parsed<Expr<'a>> {
        let start = self.start();
        self.advance();
        let value = self.bitwise_or()?;
        let value = self.alloc(value);
        Ok(self.expr_from(start, ExprKind::Starred { value, ctx: ExprContext::Load }))
    }

    /// `star_named_expression`s up to a closing bracket, the first of which is given.
    pub(super) fn star_named_expressions_after(
        &mut self,
        first: Expr<'a>,
        closing: TokenKind,
    ) -> Parsed<&'a [Expr<'a>]> {
        let base = self.exprs.len();
        self.exprs.push(first);
        while self.eat(T::Comma) && !self.at(closing) {
            let next = self.star_named_expression()?;
            self.exprs.push(next);
        }
        self.expect(closing)?;
        Ok(self.take_exprs(base))
    }

    pub(super) fn named_expression(&mut self) -> Parsed<Expr<'a>> {
        let (start, pos) = (self.start(), self.pos);
        let expr = self.expression()?;
        if !self.at(T::ColonEqual) {
            return Ok(expr);
        }
        let ExprKind::Name { id, .. } = expr.kind else { return Err(Failure) };
        if self.pos != pos + 1 {
            return Err(Failure);
        }
        self.require_version(8)?;
        self.advance();
        let target = Expr { kind: ExprKind::Name { id, ctx: ExprContext::Store }, span: expr.span };
        let target = self.alloc(target);
        let value = self.expression()?;
        let value = self.alloc(value);
        Ok(self.expr_from(start, ExprKind::NamedExpr { target, value }))
    }

    /// `annotated_rhs`
    pub(super) fn yield_or_star_expressions(&mut self) -> Parsed<Expr<'a>> {
        if self.at(T::Yield) { self.yield_expression() } else { self.star_expressions() }
    }

    pub(super) fn yield_expression(&mut self) -> Parsed<Expr<'a>> {
        let start = self.start();
        self.expect(T::Yield)?;
        let kind = if self.eat(T::From) {
            let value = self.expression()?;
            ExprKind::YieldFrom { value: self.alloc(value) }
        } else if starts_expression(self.kind()) {
            let value = self.star_expressions()?;
            ExprKind::Yield { value: Some(self.alloc(value)) }
        } else {
            ExprKind::Yield { value: None }
        };
        Ok(self.expr_from(start, kind))
    }

    pub(super) fn expression(&mut self) -> Parsed<Expr<'a>> {
        let start = self.start();
        if self.at(T::Lambda) {
            self.enter(2)?;
            let lambda = self.lambda()?;
            self.leave(2);
            return Ok(lambda);
        }
        let mut expr = self.disjunction()?;
        if self.at(T::If) {
            self.advance();
            let body = self.alloc(expr);
            let test = self.disjunction()?;
            let test = self.alloc(test);
            self.expect(T::Else)?;
            self.enter(1)?;
            let orelse = self.expression()?;
            self.leave(1);
            let orelse = self.alloc(orelse);
            expr = self.expr_from(start, ExprKind::IfExp { test, body, orelse });
        }
        Ok(expr)
    }

    /// Most operands are no operations: what is found to be one goes through the levels of precedence, from the inside.
    pub(super) fn disjunction(&mut self) -> Parsed<Expr<'a>> {
        let start = self.start();
        let first = if matches!(self.kind(), T::Not | T::Plus | T::Minus | T::Tilde | T::Await) {
            self.conjunction()?
        } else {
            let primary = self.primary()?;
            if !follows_operand(self.kind()) {
                return Ok(primary);
            }
            let power = self.power_after(start, primary)?;
            let sum = self.binary_after(start, power, 1)?;
            let comparison = self.comparison_after(start, sum)?;
            self.conjunction_after(start, comparison)?
        };
        if !self.at(T::Or) {
            return Ok(first);
        }
        let base = self.exprs.len();
        self.exprs.push(first);
        while self.eat(T::Or) {
            let next = self.conjunction()?;
            self.exprs.push(next);
        }
        let values = self.take_exprs(base);
        Ok(self.expr_from(start, ExprKind::BoolOp { op: BoolOperator::Or, values }))
    }

    fn conjunction(&mut self) -> Parsed<Expr<'a>> {
        let start = self.start();
        let first = self.inversion()?;
        self.conjunction_after(start, first)
    }

    fn conjunction_after(&mut self, start: (u32, u32), first: Expr<'a>) -> Parsed<Expr<'a>> {
        if !self.at(T::And) {
            return Ok(first);
        }
        let base = self.exprs.len();
        self.exprs.push(first);
        while self.eat(T::And) {
            let next = self.inversion()?;
            self.exprs.push(next);
        }
        let values = self.take_exprs(base);
        Ok(self.expr_from(start, ExprKind::BoolOp { op: BoolOperator::And, values }))
    }

    fn inversion(&mut self) -> Parsed<Expr<'a>> {
        if !self.at(T::Not) {
            return self.comparison();
        }
        let start = self.start();
        self.enter(1)?;
        self.advance();
        let operand = self.inversion()?;
        let operand = self.alloc(operand);
        self.leave(1);
        Ok(self.expr_from(start, ExprKind::UnaryOp { op: UnaryOperator::Not, operand }))
    }

    fn comparison(&mut self) -> Parsed<Expr<'a>> {
        let start = self.start();
        let left = self.bitwise_or()?;
        self.comparison_after(start, left)
    }

    fn comparison_after(&mut self, start: (u32, u32), left: Expr<'a>) -> Parsed<Expr<'a>> {
        let Some(first) = self.comparison_operator()? else { return Ok(left) };
        let left = self.alloc(left);
        let right = self.bitwise_or()?;
        let Some(second) = self.comparison_operator()? else {
            let kind = ExprKind::Compare {
                left,
                ops: std::slice::from_ref(self.alloc(first)),
                comparators: std::slice::from_ref(self.alloc(right)),
            };
            return Ok(self.expr_from(start, kind));
        };
        let base = self.exprs.len();
        let mut ops = vec![first, second];
        self.exprs.push(right);
        loop {
            let next = self.bitwise_or()?;
            self.exprs.push(next);
            match self.comparison_operator()? {
                Some(op) => ops.push(op),
                None => break,
            }
        }
        let comparators = self.take_exprs(base);
        let ops = self.arena.alloc_slice_copy(&ops);
        Ok(self.expr_from(start, ExprKind::Compare { left, ops, comparators }))
    }

    /// Consumes a comparison operator, if there is one.
    fn comparison_operator(&mut self) -> Parsed<Option<CmpOp>> {
        let op = match self.kind() {
            T::EqEqual => CmpOp::Eq,
            T::NotEqual => {
                if (self.text(&self.current) == "<>") != self.barry_as_flufl {
                    return Err(Failure);
                }
                CmpOp::NotEq
            }
            T::LessEqual => CmpOp::LtE,
            T::Less => CmpOp::Lt,
            T::GreaterEqual => CmpOp::GtE,
            T::Greater => CmpOp::Gt,
            T::In => CmpOp::In,
            T::Is => {
                self.advance();
                return Ok(Some(if self.eat(T::Not) { CmpOp::IsNot } else { CmpOp::Is }));
            }
            T::Not => {
                if self.peek(1) != T::In {
                    return Ok(None);
                }
                self.advance();
                CmpOp::NotIn
            }
            _ => return Ok(None),
        };
        self.advance();
        Ok(Some(op))
    }

    pub(super) fn bitwise_or(&mut self) -> Parsed<Expr<'a>> {
        self.binary(1)
    }

    /// Operators of at least the given precedence; all associate to the left.
    fn binary(&mut self, precedence: u8) -> Parsed<Expr<'a>> {
        let start = self.start();
        let left = self.factor()?;
        self.binary_after(start, left, precedence)
    }

    fn binary_after(&mut self, start: (u32, u32), mut left: Expr<'a>, precedence: u8) -> Parsed<Expr<'a>> {
        while let Some((op, this)) = binary_operator(self.kind())
            && this >= precedence
        {
            if op == Operator::MatMult {
                self.require_version(5)?;
            }
            self.advance();
            let right = self.binary(this + 1)?;
            left = self.binary_node(start, left, op, right);
        }
        Ok(left)
    }

    fn binary_node(&self, start: (u32, u32), left: Expr<'a>, op: Operator, right: Expr<'a>) -> Expr<'a> {
        self.expr_from(start, ExprKind::BinOp { left: self.alloc(left), op, right: self.alloc(right) })
    }

    fn factor(&mut self) -> Parsed<Expr<'a>> {
        let op = match self.kind() {
            T::Minus => UnaryOperator::USub,
            T::Plus => UnaryOperator::UAdd,
            T::Tilde => UnaryOperator::Invert,
            _ => return self.power(),
        };
        let start = self.start();
        self.enter(1)?;
        self.advance();
        let operand = self.factor()?;
        let operand = self.alloc(operand);
        self.leave(1);
        Ok(self.expr_from(start, ExprKind::UnaryOp { op, operand }))
    }

    fn power(&mut self) -> Parsed<Expr<'a>> {
        let start = self.start();
        let base = self.await_primary()?;
        self.power_after(start, base)
    }

    fn power_after(&mut self, start: (u32, u32), base: Expr<'a>) -> Parsed<Expr<'a>> {
        if !self.at(T::DoubleStar) {
            return Ok(base);
        }
        self.enter(2)?;
        self.advance();
        let exponent = self.factor()?;
        self.leave(2);
        Ok(self.binary_node(start, base, Operator::Pow, exponent))
    }

    fn await_primary(&mut self) -> Parsed<Expr<'a>> {
        if !self.at(T::Await) {
            return self.primary();
        }
        let start = self.start();
        self.require_version(5)?;
        self.advance();
        let value = self.primary()?;
        let value = self.alloc(value);
        Ok(self.expr_from(start, ExprKind::Await { value }))
    }

    fn primary(&mut self) -> Parsed<Expr<'a>> {
        let start = self.start();
        let mut expr = self.atom()?;
        loop {
            let kind = match self.kind() {
                T::Dot => {
                    self.advance();
                    let attr = self.identifier()?;
                    ExprKind::Attribute { value: self.alloc(expr), attr, ctx: ExprContext::Load }
                }
                T::LeftParen => {
                    let func = self.alloc(expr);
                    self.enter(24)?;
                    let (args, keywords) = self.call_arguments(true)?;
                    self.leave(24);
                    ExprKind::Call { func, args, keywords }
                }
                T::LeftBracket => {
                    let value = self.alloc(expr);
                    self.enter(24)?;
                    let slice = self.subscript()?;
                    self.leave(24);
                    ExprKind::Subscript { value, slice, ctx: ExprContext::Load }
                }
                _ => return Ok(expr),
            };
            expr = self.expr_from(start, kind);
        }
    }

    /// `[slices]`
    fn subscript(&mut self) -> Parsed<&'a Expr<'a>> {
        self.advance();
        let start = self.start();
        let first_is_starred = self.at(T::Star);
        let first = self.slice()?;
        if !self.at(T::Comma) && !first_is_starred {
            self.expect(T::RightBracket)?;
            return Ok(self.alloc(first));
        }
        let base = self.exprs.len();
        self.exprs.push(first);
        while self.eat(T::Comma) && !self.at(T::RightBracket) {
            let next = self.slice()?;
            self.exprs.push(next);
        }
        let elts = self.take_exprs(base);
        let tuple = self.expr_from(start, ExprKind::Tuple { elts, ctx: ExprContext::Load });
        self.expect(T::RightBracket)?;
        Ok(self.alloc(tuple))
    }

    fn slice(&mut self) -> Parsed<Expr<'a>> {
        let start = self.start();
        if self.at(T::Star) {
            return self.starred_expression();
        }
        let mut lower = None;
        if !self.at(T::Colon) {
            let expr = self.named_expression()?;
            if !self.at(T::Colon) {
                return Ok(expr);
            }
            if self.is_bare_named_expression(&expr) {
                return Err(Failure);
            }
            lower = Some(self.alloc(expr));
        }
        self.advance();
        let upper = self.slice_bound()?;
        let step = if self.eat(T::Colon) { self.slice_bound()? } else { None };
        Ok(self.expr_from(start, ExprKind::Slice { lower, upper, step }))
    }

    fn slice_bound(&mut self) -> Parsed<Option<&'a Expr<'a>>> {
        if matches!(self.kind(), T::Colon | T::Comma | T::RightBracket) {
            return Ok(None);
        }
        let bound = self.expression()?;
        Ok(Some(self.alloc(bound)))
    }

    /// `'*' expression`, in calls and subscripts.
    pub(super) fn starred_expression(&mut self) -> Parsed<Expr<'a>> {
        let start = self.start();
        self.advance();
        let value = self.expression()?;
        let value = self.alloc(value);
        Ok(self.expr_from(start, ExprKind::Starred { value, ctx: ExprContext::Load }))
    }
}
