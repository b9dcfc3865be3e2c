//! Assignment and deletion targets: expressions that turn out to be stored to.

use super::expression::starts_expression;
use super::{Failure, Parsed, Parser};
use crate::ast::*;
use crate::token::TokenKind as T;

impl<'a> Parser<'a, '_> {
    /// `star_targets`: what stands between `for` and `in`.
    pub(super) fn star_targets(&mut self) -> Parsed<Expr<'a>> {
        let start = self.start();
        let first = self.star_target()?;
        if !self.at(T::Comma) {
            return Ok(first);
        }
        let base = self.exprs.len();
        self.exprs.push(first);
        while self.eat(T::Comma) && starts_expression(self.kind()) {
            let next = self.star_target()?;
            self.exprs.push(next);
        }
        let elts = self.take_exprs(base);
        Ok(self.expr_from(start, ExprKind::Tuple { elts, ctx: ExprContext::Store }))
    }

    pub(super) fn star_target(&mut self) -> Parsed<Expr<'a>> {
        // No operator may follow a target, so this reads no further than the target does.
        let target = if self.at(T::Star) { self.star_expression()? } else { self.bitwise_or()? };
        self.stored(&target)
    }

    /// The same expression as the target of an assignment.
    pub(super) fn stored(&mut self, expr: &Expr<'a>) -> Parsed<Expr<'a>> {
        let ctx = ExprContext::Store;
        let kind = match expr.kind {
            ExprKind::Starred { value, .. } => {
                let value = self.stored(value)?;
                ExprKind::Starred { value: self.alloc(value), ctx }
            }
            ExprKind::Tuple { elts, .. } => ExprKind::Tuple { elts: self.all_stored(elts)?, ctx },
            ExprKind::List { elts, .. } => ExprKind::List { elts: self.all_stored(elts)?, ctx },
            _ => return Self::single(expr, ctx),
        };
        Ok(Expr { kind, span: expr.span })
    }

    fn all_stored(&mut self, elts: &'a [Expr<'a>]) -> Parsed<&'a [Expr<'a>]> {
        let base = self.exprs.len();
        for elt in elts {
            let stored = self.stored(elt)?;
            self.exprs.push(stored);
        }
        Ok(self.take_exprs(base))
    }

    /// `single_target`: a name, an attribute or a subscript.
    pub(super) fn single(expr: &Expr<'a>, ctx: ExprContext) -> Parsed<Expr<'a>> {
        let kind = match expr.kind {
            ExprKind::Name { id, .. } => ExprKind::Name { id, ctx },
            ExprKind::Attribute { value, attr, .. } => ExprKind::Attribute { value, attr, ctx },
            ExprKind::Subscript { value, slice, .. } => ExprKind::Subscript { value, slice, ctx },
            _ => return Err(Failure),
        };
        Ok(Expr { kind, span: expr.span })
    }

    /// `del_targets`, without parentheses.
    pub(super) fn del_targets(&mut self) -> Parsed<&'a [Expr<'a>]> {
        let base = self.exprs.len();
        loop {
            let target = self.bitwise_or()?;
            let target = self.deleted(&target)?;
            self.exprs.push(target);
            if !self.eat(T::Comma) || !starts_expression(self.kind()) {
                return Ok(self.take_exprs(base));
            }
        }
    }

    fn deleted(&mut self, expr: &Expr<'a>) -> Parsed<Expr<'a>> {
        let ctx = ExprContext::Del;
        let (ExprKind::Tuple { elts, .. } | ExprKind::List { elts, .. }) = expr.kind else {
            return Self::single(expr, ctx);
        };
        let base = self.exprs.len();
        for elt in elts {
            let deleted = self.deleted(elt)?;
            self.exprs.push(deleted);
        }
        let elts = self.take_exprs(base);
        let kind = match expr.kind {
            ExprKind::Tuple { .. } => ExprKind::Tuple { elts, ctx },
            _ => ExprKind::List { elts, ctx },
        };
        Ok(Expr { kind, span: expr.span })
    }
}
