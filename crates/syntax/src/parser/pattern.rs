//! The patterns of `case`.

use super::{Failure, Parsed, Parser};
use crate::ast::*;
use crate::token::{TokenKind, TokenKind as T};

impl<'a> Parser<'a, '_> {
    fn pattern_from(&self, start: (u32, u32), kind: PatternKind<'a>) -> Pattern<'a> {
        Pattern { kind, span: self.span_from(start) }
    }

    fn take_patterns(&mut self, base: usize) -> &'a [Pattern<'a>] {
        let list = self.arena.alloc_slice_copy(&self.patterns[base..]);
        self.patterns.truncate(base);
        list
    }

    /// `patterns`: one, or a sequence without brackets.
    pub(super) fn patterns(&mut self) -> Parsed<Pattern<'a>> {
        let start = self.start();
        let first_is_starred = self.at(T::Star);
        let first = self.maybe_star_pattern()?;
        if !self.at(T::Comma) {
            return if first_is_starred { Err(Failure) } else { Ok(first) };
        }
        let patterns = self.patterns_after(first)?;
        Ok(self.pattern_from(start, PatternKind::MatchSequence { patterns }))
    }

    /// The patterns that follow `first` and a comma.
    fn patterns_after(&mut self, first: Pattern<'a>) -> Parsed<&'a [Pattern<'a>]> {
        let base = self.patterns.len();
        self.patterns.push(first);
        while self.eat(T::Comma) && !Self::ends_pattern_list(self.kind()) {
            let next = self.maybe_star_pattern()?;
            self.patterns.push(next);
        }
        Ok(self.take_patterns(base))
    }

    fn maybe_star_pattern(&mut self) -> Parsed<Pattern<'a>> {
        if !self.at(T::Star) {
            return self.pattern();
        }
        let start = self.start();
        self.advance();
        let name = if self.at(T::Underscore) {
            self.advance();
            None
        } else {
            Some(self.capture_target()?)
        };
        Ok(self.pattern_from(start, PatternKind::MatchStar { name }))
    }

    /// A name to bind, which `_` is not.
    fn capture_target(&mut self) -> Parsed<Identifier<'a>> {
        if self.at(T::Underscore) {
            return Err(Failure);
        }
        let name = self.identifier()?;
        if matches!(self.kind(), T::Dot | T::LeftParen | T::Equal) { Err(Failure) } else { Ok(name) }
    }

    fn pattern(&mut self) -> Parsed<Pattern<'a>> {
        self.enter(10)?;
        let start = self.start();
        let mut pattern = self.or_pattern()?;
        if self.eat(T::As) {
            let name = Some(self.capture_target()?);
            pattern = self.pattern_from(start, PatternKind::MatchAs { pattern: Some(self.alloc(pattern)), name });
        }
        self.leave(10);
        Ok(pattern)
    }

    fn or_pattern(&mut self) -> Parsed<Pattern<'a>> {
        let start = self.start();
        let first = self.closed_pattern()?;
        if !self.at(T::VerticalBar) {
            return Ok(first);
        }
        let base = self.patterns.len();
        self.patterns.push(first);
        while self.eat(T::VerticalBar) {
            let next = self.closed_pattern()?;
            self.patterns.push(next);
        }
        let patterns = self.take_patterns(base);
        Ok(self.pattern_from(start, PatternKind::MatchOr { patterns }))
    }

    fn closed_pattern(&mut self) -> Parsed<Pattern<'a>> {
        let start = self.start();
        let kind = match self.kind() {
            T::None | T::True | T::False => {
                let value = Self::singleton(self.kind());
                self.advance();
                PatternKind::MatchSingleton { value }
            }
            T::Number | T::Minus | T::String | T::FStringStart | T::TStringStart => {
                let value = self.literal()?;
                PatternKind::MatchValue { value: self.alloc(value) }
            }
            T::LeftParen => return self.group_or_sequence_pattern(),
            T::LeftBracket => {
                self.advance();
                let base = self.patterns.len();
                while !self.at(T::RightBracket) {
                    let next = self.maybe_star_pattern()?;
                    self.patterns.push(next);
                    if !self.eat(T::Comma) {
                        break;
                    }
                }
                self.expect(T::RightBracket)?;
                PatternKind::MatchSequence { patterns: self.take_patterns(base) }
            }
            T::LeftBrace => self.mapping_pattern()?,
            kind => {
                let next = self.peek(1);
                if !matches!(next, T::Dot | T::LeftParen | T::Equal) {
                    let name = if kind == T::Underscore {
                        self.advance();
                        None
                    } else {
                        Some(self.identifier()?)
                    };
                    return Ok(self.pattern_from(start, PatternKind::MatchAs { pattern: None, name }));
                }
                if next == T::Equal {
                    return Err(Failure);
                }
                let value = self.name_or_attribute()?;
                if self.at(T::LeftParen) {
                    let cls = self.alloc(value);
                    self.class_pattern(cls)?
                } else {
                    PatternKind::MatchValue { value: self.alloc(value) }
                }
            }
        };
        Ok(self.pattern_from(start, kind))
    }

    fn singleton(kind: TokenKind) -> Constant<'a> {
        match kind {
            T::True => Constant::True,
            T::False => Constant::False,
            _ => Constant::None,
        }
    }

    /// `literal_expr` without the singletons: a string, a signed number or a complex number.
    fn literal(&mut self) -> Parsed<Expr<'a>> {
        if matches!(self.kind(), T::String | T::FStringStart | T::TStringStart) {
            return self.strings();
        }
        let start = self.start();
        let real = self.signed_number()?;
        let op = match self.kind() {
            T::Plus => Operator::Add,
            T::Minus => Operator::Sub,
            _ => return Ok(real),
        };
        let unsigned = match real.kind {
            ExprKind::UnaryOp { operand, .. } => operand,
            _ => &real,
        };
        let is_imaginary =
            |expr: &Expr| matches!(expr.kind, ExprKind::Constant { value: Constant::Complex { .. }, .. });
        if is_imaginary(unsigned) {
            return Err(Failure);
        }
        self.advance();
        let imaginary = self.number()?;
        if !is_imaginary(&imaginary) {
            return Err(Failure);
        }
        let kind = ExprKind::BinOp { left: self.alloc(real), op, right: self.alloc(imaginary) };
        Ok(self.expr_from(start, kind))
    }

    fn signed_number(&mut self) -> Parsed<Expr<'a>> {
        let start = self.start();
        if !self.eat(T::Minus) {
            return self.number();
        }
        let number = self.number()?;
        let operand = self.alloc(number);
        Ok(self.expr_from(start, ExprKind::UnaryOp { op: UnaryOperator::USub, operand }))
    }

    fn name_or_attribute(&mut self) -> Parsed<Expr<'a>> {
        let start = self.start();
        let id = self.identifier()?;
        let mut expr = self.expr_from(start, ExprKind::Name { id, ctx: ExprContext::Load });
        while self.eat(T::Dot) {
            let attr = self.identifier()?;
            let kind = ExprKind::Attribute { value: self.alloc(expr), attr, ctx: ExprContext::Load };
            expr = self.expr_from(start, kind);
        }
        Ok(expr)
    }

    fn group_or_sequence_pattern(&mut self) -> Parsed<Pattern<'a>> {
        let start = self.start();
        self.advance();
        if self.eat(T::RightParen) {
            return Ok(self.pattern_from(start, PatternKind::MatchSequence { patterns: &[] }));
        }
        let first_is_starred = self.at(T::Star);
        let first = self.maybe_star_pattern()?;
        if self.at(T::Comma) {
            let patterns = self.patterns_after(first)?;
            self.expect(T::RightParen)?;
            return Ok(self.pattern_from(start, PatternKind::MatchSequence { patterns }));
        }
        self.expect(T::RightParen)?;
        if first_is_starred { Err(Failure) } else { Ok(first) }
    }

    fn mapping_pattern(&mut self) -> Parsed<PatternKind<'a>> {
        self.advance();
        let (keys_base, patterns_base) = (self.exprs.len(), self.patterns.len());
        let mut rest = None;
        while !self.at(T::RightBrace) {
            if self.eat(T::DoubleStar) {
                rest = Some(self.capture_target()?);
                self.eat(T::Comma);
                break;
            }
            let key = self.mapping_key()?;
            self.exprs.push(key);
            self.expect(T::Colon)?;
            let pattern = self.pattern()?;
            self.patterns.push(pattern);
            if !self.eat(T::Comma) {
                break;
            }
        }
        self.expect(T::RightBrace)?;
        let (keys, patterns) = (self.take_exprs(keys_base), self.take_patterns(patterns_base));
        Ok(PatternKind::MatchMapping { keys, patterns, rest })
    }

    fn mapping_key(&mut self) -> Parsed<Expr<'a>> {
        let span = Self::token_span(&self.current);
        match self.kind() {
            T::None | T::True | T::False => {
                let value = Self::singleton(self.kind());
                self.advance();
                Ok(self.constant(span, value))
            }
            kind if kind.is_name() => {
                let key = self.name_or_attribute()?;
                if matches!(key.kind, ExprKind::Name { .. }) { Err(Failure) } else { Ok(key) }
            }
            _ => self.literal(),
        }
    }

    fn class_pattern(&mut self, cls: &'a Expr<'a>) -> Parsed<PatternKind<'a>> {
        self.advance();
        let base = self.patterns.len();
        let mut names = Vec::new();
        let mut keyword_patterns = Vec::new();
        while !self.at(T::RightParen) {
            if self.kind().is_name() && self.peek(1) == T::Equal {
                names.push(self.identifier()?);
                self.advance();
                keyword_patterns.push(self.pattern()?);
            } else {
                if !names.is_empty() {
                    return Err(Failure);
                }
                let pattern = self.pattern()?;
                self.patterns.push(pattern);
            }
            if !self.eat(T::Comma) {
                break;
            }
        }
        self.expect(T::RightParen)?;
        Ok(PatternKind::MatchClass {
            cls,
            patterns: self.take_patterns(base),
            kwd_attrs: self.arena.alloc_slice_copy(&names),
            kwd_patterns: self.arena.alloc_slice_copy(&keyword_patterns),
        })
    }
}
