//! Atoms: names, literals, displays and comprehensions.

use super::{Failure, Parsed, Parser};
use crate::ast::*;
use crate::literal::parse_number;
use crate::token::TokenKind as T;

impl<'a> Parser<'a, '_> {
    pub(super) fn atom(&mut self) -> Parsed<Expr<'a>> {
        let token = self.current;
        let span = Self::token_span(&token);
        let value = match token.kind {
            T::Number => return self.number(),
            T::String | T::FStringStart | T::TStringStart => return self.strings(),
            T::LeftParen => return self.nested(Self::parenthesized),
            T::LeftBracket => return self.nested(Self::list),
            T::LeftBrace => return self.nested(Self::braced),
            T::None => Constant::None,
            T::True => Constant::True,
            T::False => Constant::False,
            T::Ellipsis => Constant::Ellipsis,
            _ => {
                let id = self.identifier()?;
                return Ok(Expr { kind: ExprKind::Name { id, ctx: ExprContext::Load }, span });
            }
        };
        self.advance();
        Ok(self.constant(span, value))
    }

    fn nested(&mut self, parse: fn(&mut Self) -> Parsed<Expr<'a>>) -> Parsed<Expr<'a>> {
        self.enter(28)?;
        let expr = parse(self)?;
        self.leave(28);
        Ok(expr)
    }

    pub(super) fn number(&mut self) -> Parsed<Expr<'a>> {
        let token = self.current;
        if token.kind != T::Number {
            return Err(Failure);
        }
        let text = self.text(&token);
        if self.options.feature_version < 6 && text.contains('_') {
            return Err(Failure);
        }
        let value = parse_number(self.arena, text, self.options.int_max_str_digits).map_err(|_| Failure)?;
        self.advance();
        Ok(self.constant(Self::token_span(&token), value))
    }

    /// A tuple, a group or a generator expression.
    fn parenthesized(&mut self) -> Parsed<Expr<'a>> {
        let start = self.start();
        self.advance();
        if self.eat(T::RightParen) {
            return Ok(self.expr_from(start, ExprKind::Tuple { elts: &[], ctx: ExprContext::Load }));
        }
        if self.at(T::Yield) {
            let group = self.yield_expression()?;
            self.expect(T::RightParen)?;
            return Ok(group);
        }
        let first_is_starred = self.at(T::Star);
        let first = self.star_named_expression()?;
        if self.at(T::Comma) {
            let elts = self.star_named_expressions_after(first, T::RightParen)?;
            return Ok(self.expr_from(start, ExprKind::Tuple { elts, ctx: ExprContext::Load }));
        }
        if first_is_starred {
            return Err(Failure);
        }
        if self.at_comprehension() {
            let elt = self.alloc(first);
            let generators = self.comprehension_clauses()?;
            self.expect(T::RightParen)?;
            return Ok(self.expr_from(start, ExprKind::GeneratorExp { elt, generators }));
        }
        self.expect(T::RightParen)?;
        Ok(first)
    }

    fn list(&mut self) -> Parsed<Expr<'a>> {
        let start = self.start();
        self.advance();
        if self.eat(T::RightBracket) {
            return Ok(self.expr_from(start, ExprKind::List { elts: &[], ctx: ExprContext::Load }));
        }
        let first_is_starred = self.at(T::Star);
        let first = self.star_named_expression()?;
        if self.at_comprehension() && !first_is_starred {
            let elt = self.alloc(first);
            let generators = self.comprehension_clauses()?;
            self.expect(T::RightBracket)?;
            return Ok(self.expr_from(start, ExprKind::ListComp { elt, generators }));
        }
        let elts = self.star_named_expressions_after(first, T::RightBracket)?;
        Ok(self.expr_from(start, ExprKind::List { elts, ctx: ExprContext::Load }))
    }

    /// A dictionary, a set or a comprehension of either.
    fn braced(&mut self) -> Parsed<Expr<'a>> {
        let start = self.start();
        self.advance();
        if self.at(T::RightBrace) || self.at(T::DoubleStar) {
            return self.dict_items(start, None);
        }
        let first_is_starred = self.at(T::Star);
        let first = self.star_named_expression()?;
        if self.at(T::Colon) {
            // `{a := b: c}` is no key.
            if first_is_starred || self.is_bare_named_expression(&first) {
                return Err(Failure);
            }
            self.advance();
            let value = self.expression()?;
            if self.at_comprehension() {
                let (key, value) = (self.alloc(first), self.alloc(value));
                let generators = self.comprehension_clauses()?;
                self.expect(T::RightBrace)?;
                return Ok(self.expr_from(start, ExprKind::DictComp { key, value, generators }));
            }
            return self.dict_items(start, Some((first, value)));
        }
        if self.at_comprehension() && !first_is_starred {
            let elt = self.alloc(first);
            let generators = self.comprehension_clauses()?;
            self.expect(T::RightBrace)?;
            return Ok(self.expr_from(start, ExprKind::SetComp { elt, generators }));
        }
        let elts = self.star_named_expressions_after(first, T::RightBrace)?;
        Ok(self.expr_from(start, ExprKind::Set { elts }))
    }

    /// Whether `expr`, just parsed, is an assignment expression without parentheses of its own.
    pub(super) fn is_bare_named_expression(&self, expr: &Expr<'a>) -> bool {
        let end = (expr.span.end_lineno, expr.span.end_col_offset);
        matches!(expr.kind, ExprKind::NamedExpr { .. }) && end == self.previous_end
    }

    fn dict_items(&mut self, start: (u32, u32), first: Option<(Expr<'a>, Expr<'a>)>) -> Parsed<Expr<'a>> {
        let (keys_base, values_base) = (self.optional_exprs.len(), self.exprs.len());
        let mut more = true;
        if let Some((key, value)) = first {
            self.optional_exprs.push(Some(key));
            self.exprs.push(value);
            more = self.eat(T::Comma);
        }
        while more && !self.at(T::RightBrace) {
            if self.eat(T::DoubleStar) {
                self.optional_exprs.push(None);
                let value = self.bitwise_or()?;
                self.exprs.push(value);
            } else {
                let key = self.expression()?;
                self.optional_exprs.push(Some(key));
                self.expect(T::Colon)?;
                let value = self.expression()?;
                self.exprs.push(value);
            }
            more = self.eat(T::Comma);
        }
        self.expect(T::RightBrace)?;
        let keys = self.arena.alloc_slice_copy(&self.optional_exprs[keys_base..]);
        self.optional_exprs.truncate(keys_base);
        let values = self.take_exprs(values_base);
        Ok(self.expr_from(start, ExprKind::Dict { keys, values }))
    }

    pub(super) fn at_comprehension(&self) -> bool {
        matches!(self.kind(), T::For | T::Async)
    }

    /// `for_if_clauses`
    pub(super) fn comprehension_clauses(&mut self) -> Parsed<&'a [Comprehension<'a>]> {
        let mut clauses = Vec::with_capacity(1);
        while self.at_comprehension() {
            let is_async = self.eat(T::Async);
            if is_async {
                self.require_version(6)?;
            }
            self.expect(T::For)?;
            let target = self.star_targets()?;
            let target = self.alloc(target);
            self.expect(T::In)?;
            let iter = self.disjunction()?;
            let iter = self.alloc(iter);
            let base = self.exprs.len();
            while self.eat(T::If) {
                let condition = self.disjunction()?;
                self.exprs.push(condition);
            }
            let ifs = self.take_exprs(base);
            clauses.push(Comprehension { target, iter, ifs, is_async });
        }
        Ok(self.arena.alloc_slice_copy(&clauses))
    }
}
