//! Parameters of functions and lambdas, arguments of calls, and type parameters.

use super::{Failure, Parsed, Parser};
use crate::ast::*;
use crate::token::{TokenKind, TokenKind as T};

impl<'a> Parser<'a, '_> {
    pub(super) fn lambda(&mut self) -> Parsed<Expr<'a>> {
        let start = self.start();
        self.advance();
        let args = self.parameters(T::Colon)?;
        self.expect(T::Colon)?;
        let body = self.expression()?;
        let body = self.alloc(body);
        Ok(self.expr_from(start, ExprKind::Lambda { args, body }))
    }

    /// Parameters up to `closing`, which is not consumed: `)` for functions, `:` for lambdas.
    pub(super) fn parameters(&mut self, closing: TokenKind) -> Parsed<&'a Arguments<'a>> {
        let mut arguments = Arguments {
            posonlyargs: &[],
            args: &[],
            vararg: None,
            kwonlyargs: &[],
            kw_defaults: &[],
            kwarg: None,
            defaults: &[],
        };
        if self.at(closing) {
            return Ok(self.alloc(arguments));
        }
        let (args_base, defaults_base, kw_defaults_base) =
            (self.args.len(), self.exprs.len(), self.optional_exprs.len());
        let mut seen_slash = false;
        let mut seen_star = false;
        let mut bare_star = false;
        let mut more = true;
        while more {
            match self.kind() {
                T::Slash => {
                    if seen_slash || seen_star || self.args.len() == args_base {
                        return Err(Failure);
                    }
                    self.require_version(8)?;
                    seen_slash = true;
                    self.advance();
                    arguments.posonlyargs = self.take_args(args_base);
                    more = self.eat(T::Comma) && !self.at(closing);
                }
                T::Star => {
                    if seen_star {
                        return Err(Failure);
                    }
                    seen_star = true;
                    self.advance();
                    arguments.args = self.take_args(args_base);
                    arguments.defaults = self.take_exprs(defaults_base);
                    bare_star = self.eat(T::Comma);
                    if !bare_star {
                        let mut vararg = self.parameter(closing, true)?;
                        more = self.parameter_end(closing, &mut vararg)?;
                        arguments.vararg = Some(self.alloc(vararg));
                    }
                }
                T::DoubleStar => {
                    if bare_star {
                        return Err(Failure);
                    }
                    self.advance();
                    let mut kwarg = self.parameter(closing, false)?;
                    self.parameter_end(closing, &mut kwarg)?;
                    arguments.kwarg = Some(self.alloc(kwarg));
                    more = false;
                }
                _ => {
                    let mut parameter = self.parameter(closing, false)?;
                    if seen_star {
                        bare_star = false;
                        let default = if self.eat(T::Equal) { Some(self.expression()?) } else { None };
                        self.optional_exprs.push(default);
                    } else if self.eat(T::Equal) {
                        let default = self.expression()?;
                        self.exprs.push(default);
                    } else if self.exprs.len() > defaults_base {
                        return Err(Failure);
                    }
                    more = self.parameter_end(closing, &mut parameter)?;
                    self.args.push(parameter);
                }
            }
        }
        if bare_star || !self.at(closing) {
            return Err(Failure);
        }
        if seen_star {
            arguments.kwonlyargs = self.take_args(args_base);
        } else {
            arguments.args = self.take_args(args_base);
            arguments.defaults = self.take_exprs(defaults_base);
        }
        arguments.kw_defaults = self.arena.alloc_slice_copy(&self.optional_exprs[kw_defaults_base..]);
        self.optional_exprs.truncate(kw_defaults_base);
        Ok(self.alloc(arguments))
    }

    fn take_args(&mut self, base: usize) -> &'a [Arg<'a>] {
        let list = self.arena.alloc_slice_copy(&self.args[base..]);
        self.args.truncate(base);
        list
    }

    fn parameter(&mut self, closing: TokenKind, starred: bool) -> Parsed<Arg<'a>> {
        let start = self.start();
        let arg = self.identifier()?;
        let mut annotation = None;
        if closing == T::RightParen && self.eat(T::Colon) {
            let expr = if starred { self.star_expression()? } else { self.expression()? };
            annotation = Some(self.alloc(expr));
        }
        Ok(Arg { arg, annotation, type_comment: None, span: self.span_from(start) })
    }

    /// The comma and type comment after a parameter. Tells whether another parameter follows.
    fn parameter_end(&mut self, closing: TokenKind, parameter: &mut Arg<'a>) -> Parsed<bool> {
        let comma = self.eat(T::Comma);
        if closing == T::RightParen {
            parameter.type_comment = self.type_comment();
        }
        if !comma && !self.at(closing) {
            return Err(Failure);
        }
        Ok(comma && !self.at(closing))
    }

    /// `(arguments)`, or a generator expression in their place if there is a callee to take it.
    pub(super) fn call_arguments(&mut self, generator_allowed: bool) -> Parsed<(&'a [Expr<'a>], &'a [Keyword<'a>])> {
        let open = self.start();
        self.advance();
        if self.eat(T::RightParen) {
            return Ok((&[], &[]));
        }
        let (args_base, keywords_base) = (self.exprs.len(), self.keywords.len());
        let mut seen_double_star = false;
        loop {
            let start = self.start();
            match self.kind() {
                T::Star => {
                    if seen_double_star {
                        return Err(Failure);
                    }
                    let starred = self.starred_expression()?;
                    self.exprs.push(starred);
                }
                T::DoubleStar => {
                    seen_double_star = true;
                    self.advance();
                    let value = self.expression()?;
                    let value = self.alloc(value);
                    self.keywords.push(Keyword { arg: None, value, span: self.span_from(start) });
                }
                kind if kind.is_name() && self.peek(1) == T::Equal => {
                    let arg = Some(self.identifier()?);
                    self.advance();
                    let value = self.expression()?;
                    let value = self.alloc(value);
                    self.keywords.push(Keyword { arg, value, span: self.span_from(start) });
                }
                _ => {
                    if self.keywords.len() > keywords_base {
                        return Err(Failure);
                    }
                    let arg = self.named_expression()?;
                    if self.at_comprehension() {
                        if self.exprs.len() > args_base || !generator_allowed {
                            return Err(Failure);
                        }
                        let elt = self.alloc(arg);
                        let generators = self.comprehension_clauses()?;
                        self.expect(T::RightParen)?;
                        let generator = self.expr_from(open, ExprKind::GeneratorExp { elt, generators });
                        return Ok((std::slice::from_ref(self.alloc(generator)), &[]));
                    }
                    self.exprs.push(arg);
                }
            }
            if !self.eat(T::Comma) || self.at(T::RightParen) {
                break;
            }
        }
        self.expect(T::RightParen)?;
        let args = self.take_exprs(args_base);
        let keywords = self.arena.alloc_slice_copy(&self.keywords[keywords_base..]);
        self.keywords.truncate(keywords_base);
        Ok((args, keywords))
    }

    /// `[type_params]`, which may be absent.
    pub(super) fn type_params(&mut self) -> Parsed<&'a [TypeParam<'a>]> {
        if !self.at(T::LeftBracket) {
            return Ok(&[]);
        }
        self.require_version(12)?;
        self.advance();
        let mut params = Vec::new();
        loop {
            params.push(self.type_param()?);
            if !self.eat(T::Comma) || self.at(T::RightBracket) {
                break;
            }
        }
        self.expect(T::RightBracket)?;
        Ok(self.arena.alloc_slice_copy(&params))
    }

    fn type_param(&mut self) -> Parsed<TypeParam<'a>> {
        let start = self.start();
        let kind = if self.eat(T::Star) {
            let name = self.identifier()?;
            TypeParamKind::TypeVarTuple { name, default_value: self.type_param_default(true)? }
        } else if self.eat(T::DoubleStar) {
            let name = self.identifier()?;
            TypeParamKind::ParamSpec { name, default_value: self.type_param_default(false)? }
        } else {
            let name = self.identifier()?;
            let mut bound = None;
            if self.eat(T::Colon) {
                let expr = self.expression()?;
                bound = Some(self.alloc(expr));
            }
            TypeParamKind::TypeVar { name, bound, default_value: self.type_param_default(false)? }
        };
        Ok(TypeParam { kind, span: self.span_from(start) })
    }

    fn type_param_default(&mut self, starred: bool) -> Parsed<Option<&'a Expr<'a>>> {
        if !self.eat(T::Equal) {
            return Ok(None);
        }
        self.require_version(13)?;
        let expr = if starred { self.star_expression()? } else { self.expression()? };
        Ok(Some(self.alloc(expr)))
    }
}
