//! Compound statements, except what follows `case`.

use super::{Failure, Parsed, Parser};
use crate::ast::*;
use crate::token::{TokenKind, TokenKind as T};

impl<'a> Parser<'a, '_> {
    /// A compound statement; `None` if none begins here.
    pub(super) fn compound_statement(&mut self) -> Parsed<Option<Stmt<'a>>> {
        let stmt = match self.kind() {
            T::Def => self.function(&[]),
            T::If => self.if_statement(),
            T::Class => self.class(&[]),
            T::With => self.with(),
            T::For => self.for_statement(),
            T::Try => self.try_statement(),
            T::While => self.while_statement(),
            T::At => self.decorated(),
            T::Async => match self.peek(1) {
                T::Def => self.function(&[]),
                T::With => self.with(),
                T::For => self.for_statement(),
                _ => Err(Failure),
            },
            T::Match => return self.match_statement(),
            _ => return Ok(None),
        };
        stmt.map(Some)
    }

    /// The suite of a compound statement, after its colon.
    pub(super) fn block(&mut self) -> Parsed<&'a [Stmt<'a>]> {
        if !self.eat(T::Newline) {
            let base = self.stmts.len();
            self.simple_statements()?;
            return Ok(self.take_stmts(base));
        }
        self.expect(T::Indent)?;
        self.enter(6)?;
        let body = self.statements(T::Dedent)?;
        self.leave(6);
        if body.is_empty() { Err(Failure) } else { Ok(body) }
    }

    fn colon_block(&mut self) -> Parsed<&'a [Stmt<'a>]> {
        self.expect(T::Colon)?;
        self.block()
    }

    fn else_block(&mut self) -> Parsed<&'a [Stmt<'a>]> {
        if self.eat(T::Else) { self.colon_block() } else { Ok(&[]) }
    }

    fn if_statement(&mut self) -> Parsed<Stmt<'a>> {
        // A long chain of `elif` must not be deep recursion: the clauses are collected first, then nested.
        let mut clauses = Vec::with_capacity(1);
        loop {
            let start = self.start();
            self.advance();
            let test = self.named_expression()?;
            let body = self.colon_block()?;
            clauses.push((start, test, body));
            if clauses.len() as u32 + self.depth > super::MAX_DEPTH {
                return Err(Failure);
            }
            if !self.at(T::Elif) {
                break;
            }
        }
        let mut orelse = self.else_block()?;
        let mut nested = None;
        while let Some((start, test, body)) = clauses.pop() {
            if let Some(inner) = nested {
                orelse = std::slice::from_ref(self.alloc(inner));
            }
            nested = Some(self.stmt_from(start, StmtKind::If { test: self.alloc(test), body, orelse }));
        }
        nested.ok_or(Failure)
    }

    fn while_statement(&mut self) -> Parsed<Stmt<'a>> {
        let start = self.start();
        self.advance();
        let test = self.named_expression()?;
        let test = self.alloc(test);
        let body = self.colon_block()?;
        let orelse = self.else_block()?;
        Ok(self.stmt_from(start, StmtKind::While { test, body, orelse }))
    }

    fn for_statement(&mut self) -> Parsed<Stmt<'a>> {
        let start = self.start();
        let is_async = self.async_keyword()?;
        self.advance();
        let target = self.star_targets()?;
        let target = self.alloc(target);
        self.expect(T::In)?;
        let iter = self.star_expressions()?;
        let iter = self.alloc(iter);
        self.expect(T::Colon)?;
        let type_comment = self.type_comment();
        let body = self.block()?;
        let orelse = self.else_block()?;
        let kind = if is_async {
            StmtKind::AsyncFor { target, iter, body, orelse, type_comment }
        } else {
            StmtKind::For { target, iter, body, orelse, type_comment }
        };
        Ok(self.stmt_from(start, kind))
    }

    fn async_keyword(&mut self) -> Parsed<bool> {
        let is_async = self.eat(T::Async);
        if is_async {
            self.require_version(5)?;
        }
        Ok(is_async)
    }

    fn with(&mut self) -> Parsed<Stmt<'a>> {
        let start = self.start();
        let is_async = self.async_keyword()?;
        self.advance();
        let items = self.with_items()?;
        self.expect(T::Colon)?;
        let type_comment = self.type_comment();
        let body = self.block()?;
        let kind = if is_async {
            StmtKind::AsyncWith { items, body, type_comment }
        } else {
            StmtKind::With { items, body, type_comment }
        };
        Ok(self.stmt_from(start, kind))
    }

    fn with_items(&mut self) -> Parsed<&'a [WithItem<'a>]> {
        if self.at(T::LeftParen) {
            // The parenthesis may enclose the items or begin the first of them.
            let mark = self.mark();
            match self.parenthesized_with_items() {
                Ok(items) => return Ok(items),
                Err(Failure) => self.reset(mark),
            }
        }
        let mut items = Vec::with_capacity(1);
        loop {
            items.push(self.with_item()?);
            if !self.eat(T::Comma) {
                return Ok(self.arena.alloc_slice_copy(&items));
            }
        }
    }

    fn parenthesized_with_items(&mut self) -> Parsed<&'a [WithItem<'a>]> {
        self.advance();
        let mut items = Vec::with_capacity(2);
        loop {
            items.push(self.with_item()?);
            if !self.eat(T::Comma) || self.at(T::RightParen) {
                break;
            }
        }
        self.expect(T::RightParen)?;
        if self.at(T::Colon) { Ok(self.arena.alloc_slice_copy(&items)) } else { Err(Failure) }
    }

    fn with_item(&mut self) -> Parsed<WithItem<'a>> {
        let context_expr = self.expression()?;
        let context_expr = self.alloc(context_expr);
        let mut optional_vars = None;
        if self.eat(T::As) {
            let target = self.star_target()?;
            optional_vars = Some(self.alloc(target));
            if !matches!(self.kind(), T::Comma | T::RightParen | T::Colon) {
                return Err(Failure);
            }
        }
        Ok(WithItem { context_expr, optional_vars })
    }

    fn try_statement(&mut self) -> Parsed<Stmt<'a>> {
        let start = self.start();
        self.advance();
        let body = self.colon_block()?;
        let mut handlers = Vec::new();
        let mut starred = false;
        while self.at(T::Except) {
            let star = self.peek(1) == T::Star;
            if handlers.is_empty() {
                starred = star;
            } else if star != starred {
                return Err(Failure);
            }
            handlers.push(self.handler(star)?);
        }
        if starred {
            self.require_version(11)?;
        }
        let orelse = if handlers.is_empty() { &[] } else { self.else_block()? };
        let finalbody = if self.eat(T::Finally) { self.colon_block()? } else { &[] };
        if handlers.is_empty() && finalbody.is_empty() {
            return Err(Failure);
        }
        let handlers = self.arena.alloc_slice_copy(&handlers);
        let kind = if starred {
            StmtKind::TryStar { body, handlers, orelse, finalbody }
        } else {
            StmtKind::Try { body, handlers, orelse, finalbody }
        };
        Ok(self.stmt_from(start, kind))
    }

    fn handler(&mut self, starred: bool) -> Parsed<ExceptHandler<'a>> {
        let start = self.start();
        self.advance();
        if starred {
            self.advance();
        }
        let mut exception = None;
        let mut name = None;
        if starred || !self.at(T::Colon) {
            let pos = self.pos;
            let first = self.expressions()?;
            // A tuple without parentheses, which `as` may not follow.
            let bare_tuple = matches!(first.kind, ExprKind::Tuple { .. })
                && !(self.tokens[pos].kind == T::LeftParen && self.closes_at_end(pos));
            exception = Some(self.alloc(first));
            if bare_tuple {
                self.require_version(14)?;
            } else if self.eat(T::As) {
                name = Some(self.identifier()?);
            }
        }
        let body = self.colon_block()?;
        Ok(ExceptHandler { r#type: exception, name, body, span: self.span_from(start) })
    }

    /// Whether the bracket at token `open` is closed by the last token consumed.
    fn closes_at_end(&self, open: usize) -> bool {
        let outer = self.tokens[open].level - 1;
        self.tokens[open..self.pos].iter().position(|token| token.level == outer) == Some(self.pos - 1 - open)
    }

    fn decorated(&mut self) -> Parsed<Stmt<'a>> {
        let mut decorators = Vec::with_capacity(1);
        while self.eat(T::At) {
            decorators.push(self.named_expression()?);
            self.expect(T::Newline)?;
        }
        let decorators = self.arena.alloc_slice_copy(&decorators);
        match self.kind() {
            T::Class => self.class(decorators),
            T::Def => self.function(decorators),
            T::Async if self.peek(1) == T::Def => self.function(decorators),
            _ => Err(Failure),
        }
    }

    fn class(&mut self, decorator_list: &'a [Expr<'a>]) -> Parsed<Stmt<'a>> {
        let start = self.start();
        self.advance();
        let name = self.identifier()?;
        let type_params = self.type_params()?;
        let (bases, keywords) = if self.at(T::LeftParen) { self.call_arguments(false)? } else { (&[][..], &[][..]) };
        let body = self.colon_block()?;
        Ok(self.stmt_from(start, StmtKind::ClassDef { name, bases, keywords, body, decorator_list, type_params }))
    }

    fn function(&mut self, decorator_list: &'a [Expr<'a>]) -> Parsed<Stmt<'a>> {
        let start = self.start();
        let is_async = self.async_keyword()?;
        self.advance();
        let name = self.identifier()?;
        let type_params = self.type_params()?;
        self.expect(T::LeftParen)?;
        let args = self.parameters(T::RightParen)?;
        self.expect(T::RightParen)?;
        let mut returns = None;
        if self.eat(T::RightArrow) {
            let expr = self.expression()?;
            returns = Some(self.alloc(expr));
        }
        self.expect(T::Colon)?;
        let type_comment = self.function_type_comment()?;
        let body = self.block()?;
        let kind = if is_async {
            StmtKind::AsyncFunctionDef { name, args, body, decorator_list, returns, type_comment, type_params }
        } else {
            StmtKind::FunctionDef { name, args, body, decorator_list, returns, type_comment, type_params }
        };
        Ok(self.stmt_from(start, kind))
    }

    /// A type comment behind the colon, or alone on the first line of the body.
    fn function_type_comment(&mut self) -> Parsed<Option<PyStr<'a>>> {
        if !self.options.type_comments {
            return Ok(None);
        }
        if !self.at(T::Newline) {
            let comment = self.type_comment();
            if comment.is_some() && self.peek(1) == T::TypeComment {
                return Err(Failure);
            }
            return Ok(comment);
        }
        if self.peek(1) == T::TypeComment && self.peek(2) == T::Newline && self.peek(3) == T::Indent {
            self.advance();
            return Ok(self.type_comment());
        }
        Ok(None)
    }

    fn match_statement(&mut self) -> Parsed<Option<Stmt<'a>>> {
        // `match` is a name like any other unless a subject and a block of cases follow.
        if !super::expression::starts_expression(self.peek(1)) {
            return Ok(None);
        }
        let mark = self.mark();
        let start = self.start();
        let subject = match self.match_header() {
            Ok(subject) => self.alloc(subject),
            Err(Failure) => {
                self.reset(mark);
                return Ok(None);
            }
        };
        self.require_version(10)?;
        let mut cases = Vec::with_capacity(4);
        while !self.at(T::Dedent) {
            cases.push(self.case_block()?);
        }
        self.advance();
        let cases = self.arena.alloc_slice_copy(&cases);
        Ok(Some(self.stmt_from(start, StmtKind::Match { subject, cases })))
    }

    fn match_header(&mut self) -> Parsed<Expr<'a>> {
        self.advance();
        let start = self.start();
        let first = self.star_named_expression()?;
        let mut subject = first;
        if self.at(T::Comma) {
            let base = self.exprs.len();
            self.exprs.push(first);
            while self.eat(T::Comma) && !self.at(T::Colon) {
                let next = self.star_named_expression()?;
                self.exprs.push(next);
            }
            let elts = self.take_exprs(base);
            subject = self.expr_from(start, ExprKind::Tuple { elts, ctx: ExprContext::Load });
        } else if matches!(first.kind, ExprKind::Starred { .. }) {
            return Err(Failure);
        }
        for kind in [T::Colon, T::Newline, T::Indent] {
            self.expect(kind)?;
        }
        if self.at(T::Case) { Ok(subject) } else { Err(Failure) }
    }

    fn case_block(&mut self) -> Parsed<MatchCase<'a>> {
        self.expect(T::Case)?;
        let pattern = self.patterns()?;
        let pattern = self.alloc(pattern);
        let mut guard = None;
        if self.eat(T::If) {
            let expr = self.named_expression()?;
            guard = Some(self.alloc(expr));
        }
        let body = self.colon_block()?;
        Ok(MatchCase { pattern, guard, body })
    }

    /// The token kinds that end a pattern in a comma-separated list.
    pub(super) fn ends_pattern_list(kind: TokenKind) -> bool {
        matches!(kind, T::RightParen | T::RightBracket | T::RightBrace | T::Colon | T::If)
    }
}
