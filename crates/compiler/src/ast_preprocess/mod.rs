//! Changes to the tree before anything else looks at it: `__debug__`, docstrings under `-OO`, `%`-formatting, negative
//! and complex numbers in patterns. Warns about statements that leave a `finally` block.
//!
//! Counterpart of CPython's `Python/ast_preprocess.c`. Trees are immutable, so what changes is rebuilt together with the
//! nodes above it; in most programs nothing is.

mod format;
mod number;

use bumpalo::Bump;
use taipan_syntax::ast::*;

use crate::Warning;
use crate::error::{Depth, Result};
use crate::future::FutureFeatures;

/// The string that a body begins with.
pub fn docstring<'a>(body: &[Stmt<'a>]) -> Option<PyStr<'a>> {
    let StmtKind::Expr { value } = body.first()?.kind else { return None };
    let ExprKind::Constant { value: Constant::Str(text), .. } = value.kind else { return None };
    Some(text)
}

/// The tree to compile at an optimisation level.
pub fn preprocess<'a>(
    module: &'a Mod<'a>,
    arena: &'a Bump,
    optimize: u8,
    future: FutureFeatures,
    depth_limit: usize,
    warnings: &mut Vec<Warning>,
) -> Result<&'a Mod<'a>> {
    let depth = Depth::new(depth_limit);
    let mut preprocessor = Preprocessor { arena, optimize, future, warnings, in_finally: false, changes: 0, depth };
    preprocessor.module(module)
}

struct Preprocessor<'a, 'w> {
    arena: &'a Bump,
    optimize: u8,
    future: FutureFeatures,
    warnings: &'w mut Vec<Warning>,
    /// Whether a `finally` block is the innermost of `finally` blocks, loops and functions around.
    in_finally: bool,
    /// How many nodes have been replaced; a parent whose children raise it is rebuilt.
    changes: usize,
    depth: Depth,
}

impl<'a> Preprocessor<'a, '_> {
    fn module(&mut self, module: &'a Mod<'a>) -> Result<&'a Mod<'a>> {
        let before = self.changes;
        let changed = match *module {
            Mod::Module { body, type_ignores } => Mod::Module { body: self.body(body)?, type_ignores },
            Mod::Interactive { body } => Mod::Interactive { body: self.stmts(body)? },
            Mod::Expression { body } => Mod::Expression { body: self.expr(body)? },
            Mod::FunctionType { .. } => return Ok(module),
        };
        Ok(if self.changes == before { module } else { self.arena.alloc(changed) })
    }

    /// The nodes after `visit`, in place if none has changed.
    fn list<T: Copy>(
        &mut self,
        items: &'a [T],
        mut visit: impl FnMut(&mut Self, &'a T) -> Result<T>,
    ) -> Result<&'a [T]> {
        let mut rebuilt: Option<Vec<T>> = None;
        for (index, item) in items.iter().enumerate() {
            let before = self.changes;
            let new = visit(self, item)?;
            if self.changes != before && rebuilt.is_none() {
                rebuilt = Some(items[..index].to_vec());
            }
            if let Some(rebuilt) = &mut rebuilt {
                rebuilt.push(new);
            }
        }
        Ok(match rebuilt {
            Some(rebuilt) => self.arena.alloc_slice_copy(&rebuilt),
            None => items,
        })
    }

    fn stmts(&mut self, stmts: &'a [Stmt<'a>]) -> Result<&'a [Stmt<'a>]> {
        self.references(stmts, Self::stmt)
    }

    fn exprs(&mut self, exprs: &'a [Expr<'a>]) -> Result<&'a [Expr<'a>]> {
        self.references(exprs, Self::expr)
    }

    /// As [`list`](Self::list), of a visit that gives the node itself unless it has changed.
    fn references<T: Copy>(
        &mut self,
        items: &'a [T],
        mut visit: impl FnMut(&mut Self, &'a T) -> Result<&'a T>,
    ) -> Result<&'a [T]> {
        let mut rebuilt: Option<Vec<T>> = None;
        for (index, item) in items.iter().enumerate() {
            let new = visit(self, item)?;
            if !std::ptr::eq(item, new) && rebuilt.is_none() {
                rebuilt = Some(items[..index].to_vec());
            }
            if let Some(rebuilt) = &mut rebuilt {
                rebuilt.push(*new);
            }
        }
        Ok(match rebuilt {
            Some(rebuilt) => self.arena.alloc_slice_copy(&rebuilt),
            None => items,
        })
    }

    fn optional_exprs(&mut self, exprs: &'a [Option<Expr<'a>>]) -> Result<&'a [Option<Expr<'a>>]> {
        self.list(exprs, |this, expr| match expr {
            Some(expr) => Ok(Some(*this.expr(expr)?)),
            None => Ok(None),
        })
    }

    fn optional(&mut self, expr: Option<&'a Expr<'a>>) -> Result<Option<&'a Expr<'a>>> {
        expr.map(|expr| self.expr(expr)).transpose()
    }

    /// The statements of a module, function or class.
    fn body(&mut self, stmts: &'a [Stmt<'a>]) -> Result<&'a [Stmt<'a>]> {
        let mut stmts = stmts;
        let mut has_docstring = docstring(stmts).is_some();
        if has_docstring && self.optimize >= 2 {
            stmts = match stmts {
                [Stmt { span: Span { lineno, col_offset, .. }, .. }] => {
                    // As long as the word.
                    let end_col_offset = col_offset + "pass".len() as u32;
                    let span = Span { lineno: *lineno, col_offset: *col_offset, end_lineno: *lineno, end_col_offset };
                    self.arena.alloc_slice_copy(&[Stmt { kind: StmtKind::Pass {}, span }])
                }
                _ => &stmts[1..],
            };
            self.changes += 1;
            has_docstring = false;
        }
        let stmts = self.stmts(stmts)?;
        // What has only now become a string is no docstring.
        if !has_docstring
            && docstring(stmts).is_some()
            && let [first, rest @ ..] = stmts
            && let StmtKind::Expr { value } = first.kind
        {
            let values = self.arena.alloc_slice_copy(&[*value]);
            let joined = self.arena.alloc(Expr { kind: ExprKind::JoinedStr { values }, span: first.span });
            let first = Stmt { kind: StmtKind::Expr { value: joined }, span: first.span };
            let mut rebuilt = Vec::with_capacity(stmts.len());
            rebuilt.push(first);
            rebuilt.extend_from_slice(rest);
            self.changes += 1;
            return Ok(self.arena.alloc_slice_copy(&rebuilt));
        }
        Ok(stmts)
    }

    fn within<T>(&mut self, in_finally: bool, visit: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        let before = std::mem::replace(&mut self.in_finally, in_finally);
        let result = visit(self);
        self.in_finally = before;
        result
    }

    fn leaves_finally(&mut self, keyword: &str, stmt: &Stmt<'a>) {
        if self.in_finally {
            let message = format!("'{keyword}' in a 'finally' block");
            self.warnings.push(Warning { message, location: stmt.span.into() });
        }
    }

    fn stmt(&mut self, stmt: &'a Stmt<'a>) -> Result<&'a Stmt<'a>> {
        self.depth.enter()?;
        let before = self.changes;
        let kind = self.stmt_kind(stmt)?;
        self.depth.leave();
        Ok(if self.changes == before { stmt } else { self.arena.alloc(Stmt { kind, span: stmt.span }) })
    }

    fn stmt_kind(&mut self, stmt: &'a Stmt<'a>) -> Result<StmtKind<'a>> {
        Ok(match stmt.kind {
            StmtKind::FunctionDef { name, args, body, decorator_list, returns, type_comment, type_params } => {
                let type_params = self.type_params(type_params)?;
                let args = self.arguments(args)?;
                let body = self.within(false, |this| this.body(body))?;
                let decorator_list = self.exprs(decorator_list)?;
                let returns = self.annotation(returns)?;
                StmtKind::FunctionDef { name, args, body, decorator_list, returns, type_comment, type_params }
            }
            StmtKind::AsyncFunctionDef { name, args, body, decorator_list, returns, type_comment, type_params } => {
                let type_params = self.type_params(type_params)?;
                let args = self.arguments(args)?;
                let body = self.within(false, |this| this.body(body))?;
                let decorator_list = self.exprs(decorator_list)?;
                let returns = self.annotation(returns)?;
                StmtKind::AsyncFunctionDef { name, args, body, decorator_list, returns, type_comment, type_params }
            }
            StmtKind::ClassDef { name, bases, keywords, body, decorator_list, type_params } => StmtKind::ClassDef {
                name,
                type_params: self.type_params(type_params)?,
                bases: self.exprs(bases)?,
                keywords: self.keywords(keywords)?,
                body: self.body(body)?,
                decorator_list: self.exprs(decorator_list)?,
            },
            StmtKind::Return { value } => {
                self.leaves_finally("return", stmt);
                StmtKind::Return { value: self.optional(value)? }
            }
            StmtKind::Delete { targets } => StmtKind::Delete { targets: self.exprs(targets)? },
            StmtKind::Assign { targets, value, type_comment } => {
                StmtKind::Assign { targets: self.exprs(targets)?, value: self.expr(value)?, type_comment }
            }
            StmtKind::TypeAlias { name, type_params, value } => StmtKind::TypeAlias {
                name: self.expr(name)?,
                type_params: self.type_params(type_params)?,
                value: self.expr(value)?,
            },
            StmtKind::AugAssign { target, op, value } => {
                StmtKind::AugAssign { target: self.expr(target)?, op, value: self.expr(value)? }
            }
            StmtKind::AnnAssign { target, annotation, value, simple } => {
                let target = self.expr(target)?;
                let annotation = if self.future.annotations() { annotation } else { self.expr(annotation)? };
                StmtKind::AnnAssign { target, annotation, value: self.optional(value)?, simple }
            }
            StmtKind::For { target, iter, body, orelse, type_comment } => StmtKind::For {
                target: self.expr(target)?,
                iter: self.expr(iter)?,
                body: self.within(false, |this| this.stmts(body))?,
                orelse: self.stmts(orelse)?,
                type_comment,
            },
            StmtKind::AsyncFor { target, iter, body, orelse, type_comment } => StmtKind::AsyncFor {
                target: self.expr(target)?,
                iter: self.expr(iter)?,
                body: self.within(false, |this| this.stmts(body))?,
                orelse: self.stmts(orelse)?,
                type_comment,
            },
            StmtKind::While { test, body, orelse } => StmtKind::While {
                test: self.expr(test)?,
                body: self.within(false, |this| this.stmts(body))?,
                orelse: self.stmts(orelse)?,
            },
            StmtKind::If { test, body, orelse } => {
                StmtKind::If { test: self.expr(test)?, body: self.stmts(body)?, orelse: self.stmts(orelse)? }
            }
            StmtKind::With { items, body, type_comment } => {
                StmtKind::With { items: self.with_items(items)?, body: self.stmts(body)?, type_comment }
            }
            StmtKind::AsyncWith { items, body, type_comment } => {
                StmtKind::AsyncWith { items: self.with_items(items)?, body: self.stmts(body)?, type_comment }
            }
            StmtKind::Match { subject, cases } => {
                let subject = self.expr(subject)?;
                let cases = self.list(cases, |this, case| {
                    Ok(MatchCase {
                        pattern: this.pattern_ref(case.pattern)?,
                        guard: this.optional(case.guard)?,
                        body: this.stmts(case.body)?,
                    })
                })?;
                StmtKind::Match { subject, cases }
            }
            StmtKind::Raise { exc, cause } => {
                StmtKind::Raise { exc: self.optional(exc)?, cause: self.optional(cause)? }
            }
            StmtKind::Try { body, handlers, orelse, finalbody } => StmtKind::Try {
                body: self.stmts(body)?,
                handlers: self.handlers(handlers)?,
                orelse: self.stmts(orelse)?,
                finalbody: self.within(true, |this| this.stmts(finalbody))?,
            },
            StmtKind::TryStar { body, handlers, orelse, finalbody } => StmtKind::TryStar {
                body: self.stmts(body)?,
                handlers: self.handlers(handlers)?,
                orelse: self.stmts(orelse)?,
                finalbody: self.within(true, |this| this.stmts(finalbody))?,
            },
            StmtKind::Assert { test, msg } => StmtKind::Assert { test: self.expr(test)?, msg: self.optional(msg)? },
            StmtKind::Expr { value } => StmtKind::Expr { value: self.expr(value)? },
            StmtKind::Break {} => {
                self.leaves_finally("break", stmt);
                stmt.kind
            }
            StmtKind::Continue {} => {
                self.leaves_finally("continue", stmt);
                stmt.kind
            }
            StmtKind::Import { .. }
            | StmtKind::ImportFrom { .. }
            | StmtKind::Global { .. }
            | StmtKind::Nonlocal { .. }
            | StmtKind::Pass {} => stmt.kind,
        })
    }

    fn handlers(&mut self, handlers: &'a [ExceptHandler<'a>]) -> Result<&'a [ExceptHandler<'a>]> {
        self.list(handlers, |this, handler| {
            Ok(ExceptHandler { r#type: this.optional(handler.r#type)?, body: this.stmts(handler.body)?, ..*handler })
        })
    }

    fn with_items(&mut self, items: &'a [WithItem<'a>]) -> Result<&'a [WithItem<'a>]> {
        self.list(items, |this, item| {
            Ok(WithItem {
                context_expr: this.expr(item.context_expr)?,
                optional_vars: this.optional(item.optional_vars)?,
            })
        })
    }

    fn keywords(&mut self, keywords: &'a [Keyword<'a>]) -> Result<&'a [Keyword<'a>]> {
        self.list(keywords, |this, keyword| Ok(Keyword { value: this.expr(keyword.value)?, ..*keyword }))
    }

    fn annotation(&mut self, annotation: Option<&'a Expr<'a>>) -> Result<Option<&'a Expr<'a>>> {
        if self.future.annotations() { Ok(annotation) } else { self.optional(annotation) }
    }

    fn arg(&mut self, arg: &'a Arg<'a>) -> Result<Arg<'a>> {
        Ok(Arg { annotation: self.annotation(arg.annotation)?, ..*arg })
    }

    fn optional_arg(&mut self, arg: Option<&'a Arg<'a>>) -> Result<Option<&'a Arg<'a>>> {
        let Some(arg) = arg else { return Ok(None) };
        let before = self.changes;
        let new = self.arg(arg)?;
        Ok(Some(if self.changes == before { arg } else { self.arena.alloc(new) }))
    }

    fn arguments(&mut self, args: &'a Arguments<'a>) -> Result<&'a Arguments<'a>> {
        let before = self.changes;
        let new = Arguments {
            posonlyargs: self.list(args.posonlyargs, Self::arg)?,
            args: self.list(args.args, Self::arg)?,
            vararg: self.optional_arg(args.vararg)?,
            kwonlyargs: self.list(args.kwonlyargs, Self::arg)?,
            kw_defaults: self.optional_exprs(args.kw_defaults)?,
            kwarg: self.optional_arg(args.kwarg)?,
            defaults: self.exprs(args.defaults)?,
        };
        Ok(if self.changes == before { args } else { self.arena.alloc(new) })
    }

    fn type_params(&mut self, params: &'a [TypeParam<'a>]) -> Result<&'a [TypeParam<'a>]> {
        self.list(params, |this, param| {
            let kind = match param.kind {
                TypeParamKind::TypeVar { name, bound, default_value } => TypeParamKind::TypeVar {
                    name,
                    bound: this.optional(bound)?,
                    default_value: this.optional(default_value)?,
                },
                TypeParamKind::ParamSpec { name, default_value } => {
                    TypeParamKind::ParamSpec { name, default_value: this.optional(default_value)? }
                }
                TypeParamKind::TypeVarTuple { name, default_value } => {
                    TypeParamKind::TypeVarTuple { name, default_value: this.optional(default_value)? }
                }
            };
            Ok(TypeParam { kind, span: param.span })
        })
    }

    fn pattern_ref(&mut self, pattern: &'a Pattern<'a>) -> Result<&'a Pattern<'a>> {
        let before = self.changes;
        let new = self.pattern(pattern)?;
        Ok(if self.changes == before { pattern } else { self.arena.alloc(new) })
    }

    fn pattern(&mut self, pattern: &'a Pattern<'a>) -> Result<Pattern<'a>> {
        self.depth.enter()?;
        let kind = match pattern.kind {
            PatternKind::MatchValue { value } => PatternKind::MatchValue { value: self.pattern_number(value) },
            PatternKind::MatchSequence { patterns } => {
                PatternKind::MatchSequence { patterns: self.list(patterns, Self::pattern)? }
            }
            PatternKind::MatchMapping { keys, patterns, rest } => PatternKind::MatchMapping {
                keys: self.list(keys, |this, key| Ok(*this.pattern_number(key)))?,
                patterns: self.list(patterns, Self::pattern)?,
                rest,
            },
            PatternKind::MatchClass { cls, patterns, kwd_attrs, kwd_patterns } => PatternKind::MatchClass {
                cls: self.expr(cls)?,
                patterns: self.list(patterns, Self::pattern)?,
                kwd_attrs,
                kwd_patterns: self.list(kwd_patterns, Self::pattern)?,
            },
            PatternKind::MatchAs { pattern: Some(inner), name } => {
                PatternKind::MatchAs { pattern: Some(self.pattern_ref(inner)?), name }
            }
            PatternKind::MatchOr { patterns } => PatternKind::MatchOr { patterns: self.list(patterns, Self::pattern)? },
            PatternKind::MatchSingleton { .. } | PatternKind::MatchStar { .. } | PatternKind::MatchAs { .. } => {
                pattern.kind
            }
        };
        self.depth.leave();
        Ok(Pattern { kind, span: pattern.span })
    }

    /// `-1` and `-1 + 2j` are constants in patterns.
    fn pattern_number(&mut self, expr: &'a Expr<'a>) -> &'a Expr<'a> {
        match number::evaluate(expr, self.arena) {
            Some(value) if !matches!(expr.kind, ExprKind::Constant { .. }) => {
                self.changes += 1;
                self.arena.alloc(Expr { kind: ExprKind::Constant { value, kind: None }, span: expr.span })
            }
            _ => expr,
        }
    }

    fn expr(&mut self, expr: &'a Expr<'a>) -> Result<&'a Expr<'a>> {
        if matches!(expr.kind, ExprKind::Constant { .. })
            || matches!(expr.kind, ExprKind::Name { id, .. } if id != "__debug__")
        {
            return Ok(expr);
        }
        self.depth.enter()?;
        let before = self.changes;
        let kind = self.expr_kind(expr)?;
        self.depth.leave();
        Ok(if self.changes == before { expr } else { self.arena.alloc(Expr { kind, span: expr.span }) })
    }

    fn expr_kind(&mut self, expr: &'a Expr<'a>) -> Result<ExprKind<'a>> {
        Ok(match expr.kind {
            ExprKind::BoolOp { op, values } => ExprKind::BoolOp { op, values: self.exprs(values)? },
            ExprKind::NamedExpr { target, value } => {
                ExprKind::NamedExpr { target: self.expr(target)?, value: self.expr(value)? }
            }
            ExprKind::BinOp { left, op, right } => {
                let (left, right) = (self.expr(left)?, self.expr(right)?);
                match format::interpolate(left, op, right, self.arena) {
                    Some(joined) => {
                        self.changes += 1;
                        joined
                    }
                    None => ExprKind::BinOp { left, op, right },
                }
            }
            ExprKind::UnaryOp { op, operand } => ExprKind::UnaryOp { op, operand: self.expr(operand)? },
            ExprKind::Lambda { args, body } => ExprKind::Lambda { args: self.arguments(args)?, body: self.expr(body)? },
            ExprKind::IfExp { test, body, orelse } => {
                ExprKind::IfExp { test: self.expr(test)?, body: self.expr(body)?, orelse: self.expr(orelse)? }
            }
            ExprKind::Dict { keys, values } => {
                ExprKind::Dict { keys: self.optional_exprs(keys)?, values: self.exprs(values)? }
            }
            ExprKind::Set { elts } => ExprKind::Set { elts: self.exprs(elts)? },
            ExprKind::ListComp { elt, generators } => {
                ExprKind::ListComp { elt: self.expr(elt)?, generators: self.generators(generators)? }
            }
            ExprKind::SetComp { elt, generators } => {
                ExprKind::SetComp { elt: self.expr(elt)?, generators: self.generators(generators)? }
            }
            ExprKind::DictComp { key, value, generators } => ExprKind::DictComp {
                key: self.expr(key)?,
                value: self.expr(value)?,
                generators: self.generators(generators)?,
            },
            ExprKind::GeneratorExp { elt, generators } => {
                ExprKind::GeneratorExp { elt: self.expr(elt)?, generators: self.generators(generators)? }
            }
            ExprKind::Await { value } => ExprKind::Await { value: self.expr(value)? },
            ExprKind::Yield { value } => ExprKind::Yield { value: self.optional(value)? },
            ExprKind::YieldFrom { value } => ExprKind::YieldFrom { value: self.expr(value)? },
            ExprKind::Compare { left, ops, comparators } => {
                ExprKind::Compare { left: self.expr(left)?, ops, comparators: self.exprs(comparators)? }
            }
            ExprKind::Call { func, args, keywords } => {
                ExprKind::Call { func: self.expr(func)?, args: self.exprs(args)?, keywords: self.keywords(keywords)? }
            }
            ExprKind::FormattedValue { value, conversion, format_spec } => ExprKind::FormattedValue {
                value: self.expr(value)?,
                conversion,
                format_spec: self.optional(format_spec)?,
            },
            ExprKind::Interpolation { value, str, conversion, format_spec } => ExprKind::Interpolation {
                value: self.expr(value)?,
                str,
                conversion,
                format_spec: self.optional(format_spec)?,
            },
            ExprKind::JoinedStr { values } => ExprKind::JoinedStr { values: self.exprs(values)? },
            ExprKind::TemplateStr { values } => ExprKind::TemplateStr { values: self.exprs(values)? },
            ExprKind::Attribute { value, attr, ctx } => ExprKind::Attribute { value: self.expr(value)?, attr, ctx },
            ExprKind::Subscript { value, slice, ctx } => {
                ExprKind::Subscript { value: self.expr(value)?, slice: self.expr(slice)?, ctx }
            }
            ExprKind::Starred { value, ctx } => ExprKind::Starred { value: self.expr(value)?, ctx },
            ExprKind::Name { id: "__debug__", ctx: ExprContext::Load } => {
                self.changes += 1;
                let value = if self.optimize == 0 { Constant::True } else { Constant::False };
                ExprKind::Constant { value, kind: None }
            }
            ExprKind::List { elts, ctx } => ExprKind::List { elts: self.exprs(elts)?, ctx },
            ExprKind::Tuple { elts, ctx } => ExprKind::Tuple { elts: self.exprs(elts)?, ctx },
            ExprKind::Slice { lower, upper, step } => ExprKind::Slice {
                lower: self.optional(lower)?,
                upper: self.optional(upper)?,
                step: self.optional(step)?,
            },
            ExprKind::Constant { .. } | ExprKind::Name { .. } => expr.kind,
        })
    }

    fn generators(&mut self, generators: &'a [Comprehension<'a>]) -> Result<&'a [Comprehension<'a>]> {
        self.list(generators, |this, generator| {
            Ok(Comprehension {
                target: this.expr(generator.target)?,
                iter: this.expr(generator.iter)?,
                ifs: this.exprs(generator.ifs)?,
                is_async: generator.is_async,
            })
        })
    }
}
