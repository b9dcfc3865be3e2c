//! Sequences of statements, and the simple ones.

use super::{Failure, Parsed, Parser};
use crate::ast::*;
use crate::token::{TokenKind, TokenKind as T};

fn augmented_operator(kind: TokenKind) -> Option<Operator> {
    Some(match kind {
        T::PlusEqual => Operator::Add,
        T::MinusEqual => Operator::Sub,
        T::StarEqual => Operator::Mult,
        T::AtEqual => Operator::MatMult,
        T::SlashEqual => Operator::Div,
        T::PercentEqual => Operator::Mod,
        T::AmpersandEqual => Operator::BitAnd,
        T::VerticalBarEqual => Operator::BitOr,
        T::CircumflexEqual => Operator::BitXor,
        T::LeftShiftEqual => Operator::LShift,
        T::RightShiftEqual => Operator::RShift,
        T::DoubleStarEqual => Operator::Pow,
        T::DoubleSlashEqual => Operator::FloorDiv,
        _ => return None,
    })
}

impl<'a> Parser<'a, '_> {
    /// Statements up to `end`, which is consumed.
    pub(super) fn statements(&mut self, end: TokenKind) -> Parsed<&'a [Stmt<'a>]> {
        let base = self.stmts.len();
        while !self.at(end) {
            self.statement()?;
        }
        // At the end of the source there is nothing more to read.
        if end != T::EndMarker {
            self.advance();
        }
        Ok(self.take_stmts(base))
    }

    pub(super) fn take_stmts(&mut self, base: usize) -> &'a [Stmt<'a>] {
        let list = self.arena.alloc_slice_copy(&self.stmts[base..]);
        self.stmts.truncate(base);
        list
    }

    /// Parses a compound statement or a line of simple ones onto `stmts`.
    fn statement(&mut self) -> Parsed<()> {
        self.forget_tokens();
        match self.compound_statement()? {
            Some(stmt) => self.stmts.push(stmt),
            None => self.simple_statements()?,
        }
        Ok(())
    }

    pub(super) fn interactive_statement(&mut self) -> Parsed<&'a [Stmt<'a>]> {
        let base = self.stmts.len();
        if self.at(T::Newline) {
            let span = Self::token_span(&self.current);
            self.advance();
            self.stmts.push(Stmt { kind: StmtKind::Pass {}, span });
        } else if let Some(stmt) = self.compound_statement()? {
            self.stmts.push(stmt);
            self.expect(T::Newline)?;
        } else {
            self.simple_statements()?;
        }
        Ok(self.take_stmts(base))
    }

    /// A line of simple statements.
    pub(super) fn simple_statements(&mut self) -> Parsed<()> {
        loop {
            let stmt = self.simple_statement()?;
            self.stmts.push(stmt);
            if self.eat(T::Semicolon) && !self.at(T::Newline) {
                continue;
            }
            return self.expect(T::Newline);
        }
    }

    fn simple_statement(&mut self) -> Parsed<Stmt<'a>> {
        let start = self.start();
        let kind = match self.kind() {
            T::Return => {
                self.advance();
                let value = if self.at_statement_end() {
                    None
                } else {
                    let value = self.star_expressions()?;
                    Some(self.alloc(value))
                };
                StmtKind::Return { value }
            }
            T::Import => self.import_name()?,
            T::From => self.import_from()?,
            T::Raise => self.raise()?,
            T::Pass => {
                self.advance();
                StmtKind::Pass {}
            }
            T::Break => {
                self.advance();
                StmtKind::Break {}
            }
            T::Continue => {
                self.advance();
                StmtKind::Continue {}
            }
            T::Del => {
                self.advance();
                let targets = self.del_targets()?;
                if !self.at_statement_end() {
                    return Err(Failure);
                }
                StmtKind::Delete { targets }
            }
            T::Assert => {
                self.advance();
                let test = self.expression()?;
                let test = self.alloc(test);
                let mut msg = None;
                if self.eat(T::Comma) {
                    let expr = self.expression()?;
                    msg = Some(self.alloc(expr));
                }
                StmtKind::Assert { test, msg }
            }
            T::Global => StmtKind::Global { names: self.scope_names()? },
            T::Nonlocal => StmtKind::Nonlocal { names: self.scope_names()? },
            T::Type if self.peek(1).is_name() => self.type_alias()?,
            _ => self.expression_statement()?,
        };
        Ok(self.stmt_from(start, kind))
    }

    pub(super) fn at_statement_end(&self) -> bool {
        matches!(self.kind(), T::Newline | T::Semicolon)
    }

    fn scope_names(&mut self) -> Parsed<&'a [Identifier<'a>]> {
        self.advance();
        let mut names = vec![self.identifier()?];
        while self.eat(T::Comma) {
            names.push(self.identifier()?);
        }
        Ok(self.arena.alloc_slice_copy(&names))
    }

    fn raise(&mut self) -> Parsed<StmtKind<'a>> {
        self.advance();
        if self.at_statement_end() {
            return Ok(StmtKind::Raise { exc: None, cause: None });
        }
        let exc = self.expression()?;
        let exc = Some(self.alloc(exc));
        let mut cause = None;
        if self.eat(T::From) {
            let expr = self.expression()?;
            cause = Some(self.alloc(expr));
        }
        Ok(StmtKind::Raise { exc, cause })
    }

    fn type_alias(&mut self) -> Parsed<StmtKind<'a>> {
        self.require_version(12)?;
        self.advance();
        let span = Self::token_span(&self.current);
        let id = self.identifier()?;
        let name = self.alloc(Expr { kind: ExprKind::Name { id, ctx: ExprContext::Store }, span });
        let type_params = self.type_params()?;
        self.expect(T::Equal)?;
        let value = self.expression()?;
        Ok(StmtKind::TypeAlias { name, type_params, value: self.alloc(value) })
    }

    // Imports

    fn import_name(&mut self) -> Parsed<StmtKind<'a>> {
        self.advance();
        let mut names = Vec::with_capacity(1);
        loop {
            let start = self.start();
            let name = self.dotted_name()?;
            names.push(self.alias(start, name)?);
            if !self.eat(T::Comma) {
                return Ok(StmtKind::Import { names: self.arena.alloc_slice_copy(&names) });
            }
        }
    }

    fn alias(&mut self, start: (u32, u32), name: Identifier<'a>) -> Parsed<Alias<'a>> {
        let asname = if self.eat(T::As) { Some(self.identifier()?) } else { None };
        Ok(Alias { name, asname, span: self.span_from(start) })
    }

    fn dotted_name(&mut self) -> Parsed<Identifier<'a>> {
        let first = self.identifier()?;
        if !self.at(T::Dot) {
            return Ok(first);
        }
        let mut name = first.to_owned();
        while self.eat(T::Dot) {
            name.push('.');
            name.push_str(self.identifier()?);
        }
        Ok(self.arena.alloc_str(&name))
    }

    fn import_from(&mut self) -> Parsed<StmtKind<'a>> {
        self.advance();
        let mut level = 0;
        loop {
            level += match self.kind() {
                T::Dot => 1,
                T::Ellipsis => 3,
                _ => break,
            };
            self.advance();
        }
        let module = if level > 0 && self.at(T::Import) { None } else { Some(self.dotted_name()?) };
        self.expect(T::Import)?;
        let names = self.import_from_targets()?;
        if level == 0 && module == Some("__future__") && names.iter().any(|alias| alias.name == "barry_as_FLUFL") {
            self.barry_as_flufl = true;
            self.tokenizer.set_barry_as_flufl(true);
        }
        Ok(StmtKind::ImportFrom { module, names, level })
    }

    fn import_from_targets(&mut self) -> Parsed<&'a [Alias<'a>]> {
        let start = self.start();
        if self.eat(T::Star) {
            let star = Alias { name: "*", asname: None, span: self.span_from(start) };
            return Ok(std::slice::from_ref(self.alloc(star)));
        }
        let parenthesized = self.eat(T::LeftParen);
        let mut names = Vec::with_capacity(4);
        loop {
            let start = self.start();
            let name = self.identifier()?;
            names.push(self.alias(start, name)?);
            if !self.eat(T::Comma) || (parenthesized && self.at(T::RightParen)) {
                break;
            }
        }
        if parenthesized {
            self.expect(T::RightParen)?;
        }
        Ok(self.arena.alloc_slice_copy(&names))
    }

    // Expressions and assignments

    fn expression_statement(&mut self) -> Parsed<StmtKind<'a>> {
        let parenthesized = self.at(T::LeftParen);
        let first = self.yield_or_star_expressions()?;
        match self.kind() {
            T::Equal => self.assignment(first),
            T::Colon => self.annotated_assignment(first, parenthesized),
            kind => match augmented_operator(kind) {
                Some(op) => self.augmented_assignment(first, op),
                None => Ok(StmtKind::Expr { value: self.alloc(first) }),
            },
        }
    }

    fn assignment(&mut self, first: Expr<'a>) -> Parsed<StmtKind<'a>> {
        let first = self.stored(&first)?;
        self.advance();
        let mut value = self.yield_or_star_expressions()?;
        let targets = if self.at(T::Equal) {
            let base = self.exprs.len();
            self.exprs.push(first);
            while self.eat(T::Equal) {
                let target = self.stored(&value)?;
                self.exprs.push(target);
                value = self.yield_or_star_expressions()?;
            }
            self.take_exprs(base)
        } else {
            std::slice::from_ref(self.alloc(first))
        };
        let type_comment = self.type_comment();
        Ok(StmtKind::Assign { targets, value: self.alloc(value), type_comment })
    }

    fn annotated_assignment(&mut self, target: Expr<'a>, parenthesized: bool) -> Parsed<StmtKind<'a>> {
        self.require_version(6)?;
        let simple = !parenthesized && matches!(target.kind, ExprKind::Name { .. });
        let target = Self::single(&target, ExprContext::Store)?;
        let target = self.alloc(target);
        self.advance();
        let annotation = self.expression()?;
        let annotation = self.alloc(annotation);
        let mut value = None;
        if self.eat(T::Equal) {
            let expr = self.yield_or_star_expressions()?;
            value = Some(self.alloc(expr));
        }
        Ok(StmtKind::AnnAssign { target, annotation, value, simple })
    }

    fn augmented_assignment(&mut self, target: Expr<'a>, op: Operator) -> Parsed<StmtKind<'a>> {
        if op == Operator::MatMult {
            self.require_version(5)?;
        }
        let target = Self::single(&target, ExprContext::Store)?;
        let target = self.alloc(target);
        self.advance();
        let value = self.yield_or_star_expressions()?;
        Ok(StmtKind::AugAssign { target, op, value: self.alloc(value) })
    }

    /// Consumes a type comment, if there is one.
    pub(super) fn type_comment(&mut self) -> Option<PyStr<'a>> {
        if !self.at(T::TypeComment) {
            return None;
        }
        let text = PyStr::from_str(self.text(&self.current));
        self.advance();
        Some(text)
    }
}
