//! Checks a tree that was not made by the parser. Counterpart of CPython's `Python/ast.c`.
//!
//! Invariant: what passes can be given to the compiler. Constants need no check: the tree cannot hold others.

use taipan_syntax::ast::*;

/// Why a tree is not valid.
#[derive(Debug, PartialEq, Eq)]
pub enum Invalid {
    Value(String),
    Type(&'static str),
    /// The tree is nested too deeply.
    Depth,
}

type Result<T = ()> = std::result::Result<T, Invalid>;

/// Checks a whole tree whose visits may nest `depth_limit` deep.
pub fn validate(tree: &Mod, depth_limit: usize) -> Result {
    let mut validator = Validator { depth: 0, limit: depth_limit };
    match *tree {
        Mod::Module { body, .. } | Mod::Interactive { body } => validator.stmts(body),
        Mod::Expression { body } => validator.load(body),
        Mod::FunctionType { argtypes, returns } => {
            validator.exprs(argtypes, ExprContext::Load)?;
            validator.load(returns)
        }
    }
}

struct Validator {
    depth: usize,
    limit: usize,
}

fn value_error<T>(message: impl Into<String>) -> Result<T> {
    Err(Invalid::Value(message.into()))
}

fn nonempty<T>(items: &[T], what: &str, owner: &str) -> Result {
    if items.is_empty() { value_error(format!("empty {what} on {owner}")) } else { Ok(()) }
}

/// Positions of such trees may be negative.
fn positions(span: Span) -> Result {
    let [lineno, col, end_lineno, end_col] =
        [span.lineno, span.col_offset, span.end_lineno, span.end_col_offset].map(|n| n as i32);
    if lineno > end_lineno {
        return value_error(format!("AST node line range ({lineno}, {end_lineno}) is not valid"));
    }
    if lineno < 0 && end_lineno != lineno || col < 0 && col != end_col {
        return value_error(format!(
            "AST node column range ({col}, {end_col}) for line range ({lineno}, {end_lineno}) is not valid"
        ));
    }
    if lineno == end_lineno && col > end_col {
        return value_error(format!("line {lineno}, column {col}-{end_col} is not a valid range"));
    }
    Ok(())
}

fn name(name: &str) -> Result {
    match name {
        "None" | "True" | "False" => value_error(format!("identifier field can't represent '{name}' constant")),
        _ => Ok(()),
    }
}

fn optional_name(given: Option<&str>) -> Result {
    given.map_or(Ok(()), name)
}

/// A name that a pattern binds.
fn capture(given: Option<&str>) -> Result {
    match given {
        Some("_") => value_error("can't capture name '_' in patterns"),
        given => optional_name(given),
    }
}

/// The context that an expression says it stands in.
fn context(expr: &Expr) -> Option<ExprContext> {
    match expr.kind {
        ExprKind::Attribute { ctx, .. }
        | ExprKind::Subscript { ctx, .. }
        | ExprKind::Starred { ctx, .. }
        | ExprKind::Name { ctx, .. }
        | ExprKind::List { ctx, .. }
        | ExprKind::Tuple { ctx, .. } => Some(ctx),
        _ => None,
    }
}

impl Validator {
    fn nested(&mut self, check: impl FnOnce(&mut Self) -> Result) -> Result {
        self.depth += 1;
        if self.depth > self.limit {
            return Err(Invalid::Depth);
        }
        check(self)?;
        self.depth -= 1;
        Ok(())
    }

    fn stmts(&mut self, body: &[Stmt]) -> Result {
        body.iter().try_for_each(|stmt| self.nested(|this| this.stmt(stmt)))
    }

    fn body(&mut self, body: &[Stmt], owner: &str) -> Result {
        nonempty(body, "body", owner)?;
        self.stmts(body)
    }

    fn exprs(&mut self, exprs: &[Expr], ctx: ExprContext) -> Result {
        exprs.iter().try_for_each(|expr| self.expr(expr, ctx))
    }

    fn loads(&mut self, exprs: &[Expr]) -> Result {
        self.exprs(exprs, ExprContext::Load)
    }

    fn load(&mut self, expr: &Expr) -> Result {
        self.expr(expr, ExprContext::Load)
    }

    fn optional_load(&mut self, expr: Option<&Expr>) -> Result {
        expr.map_or(Ok(()), |expr| self.load(expr))
    }

    fn keywords(&mut self, keywords: &[Keyword]) -> Result {
        keywords.iter().try_for_each(|keyword| self.load(keyword.value))
    }

    fn args(&mut self, args: &[Arg]) -> Result {
        args.iter().try_for_each(|arg| {
            positions(arg.span)?;
            self.optional_load(arg.annotation)
        })
    }

    fn arguments(&mut self, arguments: &Arguments) -> Result {
        self.args(arguments.posonlyargs)?;
        self.args(arguments.args)?;
        self.optional_load(arguments.vararg.and_then(|arg| arg.annotation))?;
        self.args(arguments.kwonlyargs)?;
        self.optional_load(arguments.kwarg.and_then(|arg| arg.annotation))?;
        if arguments.defaults.len() > arguments.posonlyargs.len() + arguments.args.len() {
            return value_error("more positional defaults than args on arguments");
        }
        if arguments.kw_defaults.len() != arguments.kwonlyargs.len() {
            return value_error("length of kwonlyargs is not the same as kw_defaults on arguments");
        }
        self.loads(arguments.defaults)?;
        arguments.kw_defaults.iter().flatten().try_for_each(|default| self.load(default))
    }

    fn type_params(&mut self, type_params: &[TypeParam]) -> Result {
        type_params.iter().try_for_each(|param| {
            positions(param.span)?;
            match param.kind {
                TypeParamKind::TypeVar { name: given, bound, default_value } => {
                    name(given)?;
                    self.optional_load(bound)?;
                    self.optional_load(default_value)
                }
                TypeParamKind::ParamSpec { name: given, default_value }
                | TypeParamKind::TypeVarTuple { name: given, default_value } => {
                    name(given)?;
                    self.optional_load(default_value)
                }
            }
        })
    }

    fn function(
        &mut self,
        owner: &str,
        given: &str,
        args: &Arguments,
        body: &[Stmt],
        decorators: &[Expr],
        returns: Option<&Expr>,
        type_params: &[TypeParam],
    ) -> Result {
        self.body(body, owner)?;
        name(given)?;
        self.type_params(type_params)?;
        self.arguments(args)?;
        self.loads(decorators)?;
        self.optional_load(returns)
    }

    fn loop_(&mut self, owner: &str, target: &Expr, iter: &Expr, body: &[Stmt], orelse: &[Stmt]) -> Result {
        self.expr(target, ExprContext::Store)?;
        self.load(iter)?;
        self.body(body, owner)?;
        self.stmts(orelse)
    }

    fn with(&mut self, owner: &str, items: &[WithItem], body: &[Stmt]) -> Result {
        nonempty(items, "items", owner)?;
        for item in items {
            self.load(item.context_expr)?;
            if let Some(target) = item.optional_vars {
                self.expr(target, ExprContext::Store)?;
            }
        }
        self.body(body, owner)
    }

    fn try_(
        &mut self,
        owner: &str,
        body: &[Stmt],
        handlers: &[ExceptHandler],
        orelse: &[Stmt],
        finalbody: &[Stmt],
    ) -> Result {
        self.body(body, owner)?;
        if handlers.is_empty() && finalbody.is_empty() {
            return value_error(format!("{owner} has neither except handlers nor finalbody"));
        }
        if handlers.is_empty() && !orelse.is_empty() {
            return value_error(format!("{owner} has orelse but no except handlers"));
        }
        for handler in handlers {
            positions(handler.span)?;
            self.optional_load(handler.r#type)?;
            optional_name(handler.name)?;
            self.body(handler.body, "ExceptHandler")?;
        }
        self.stmts(finalbody)?;
        self.stmts(orelse)
    }

    fn aliases(&mut self, names: &[Alias], owner: &str) -> Result {
        nonempty(names, "names", owner)?;
        names.iter().try_for_each(|alias| {
            optional_name(alias.asname)?;
            name(alias.name)
        })
    }

    fn stmt(&mut self, stmt: &Stmt) -> Result {
        positions(stmt.span)?;
        let owner = stmt.kind.class_name();
        match stmt.kind {
            StmtKind::FunctionDef { name, args, body, decorator_list, returns, type_params, .. }
            | StmtKind::AsyncFunctionDef { name, args, body, decorator_list, returns, type_params, .. } => {
                self.function(owner, name, args, body, decorator_list, returns, type_params)
            }
            StmtKind::ClassDef { name: given, bases, keywords, body, decorator_list, type_params } => {
                self.body(body, owner)?;
                name(given)?;
                self.type_params(type_params)?;
                self.loads(bases)?;
                self.keywords(keywords)?;
                self.loads(decorator_list)
            }
            StmtKind::Return { value } => self.optional_load(value),
            StmtKind::Delete { targets } => {
                nonempty(targets, "targets", owner)?;
                self.exprs(targets, ExprContext::Del)
            }
            StmtKind::Assign { targets, value, .. } => {
                nonempty(targets, "targets", owner)?;
                self.exprs(targets, ExprContext::Store)?;
                self.load(value)
            }
            StmtKind::TypeAlias { name, type_params, value } => {
                if !matches!(name.kind, ExprKind::Name { .. }) {
                    return Err(Invalid::Type("TypeAlias with non-Name name"));
                }
                self.expr(name, ExprContext::Store)?;
                self.type_params(type_params)?;
                self.load(value)
            }
            StmtKind::AugAssign { target, value, .. } => {
                self.expr(target, ExprContext::Store)?;
                self.load(value)
            }
            StmtKind::AnnAssign { target, annotation, value, simple } => {
                if simple && !matches!(target.kind, ExprKind::Name { .. }) {
                    return Err(Invalid::Type("AnnAssign with simple non-Name target"));
                }
                self.expr(target, ExprContext::Store)?;
                self.optional_load(value)?;
                self.load(annotation)
            }
            StmtKind::For { target, iter, body, orelse, .. }
            | StmtKind::AsyncFor { target, iter, body, orelse, .. } => self.loop_(owner, target, iter, body, orelse),
            StmtKind::While { test, body, orelse } | StmtKind::If { test, body, orelse } => {
                self.load(test)?;
                self.body(body, owner)?;
                self.stmts(orelse)
            }
            StmtKind::With { items, body, .. } | StmtKind::AsyncWith { items, body, .. } => {
                self.with(owner, items, body)
            }
            StmtKind::Match { subject, cases } => {
                self.load(subject)?;
                nonempty(cases, "cases", owner)?;
                cases.iter().try_for_each(|case| {
                    self.pattern(case.pattern, false)?;
                    self.optional_load(case.guard)?;
                    self.body(case.body, "match_case")
                })
            }
            StmtKind::Raise { exc: None, cause: Some(_) } => value_error("Raise with cause but no exception"),
            StmtKind::Raise { exc, cause } => {
                self.optional_load(exc)?;
                self.optional_load(cause)
            }
            StmtKind::Try { body, handlers, orelse, finalbody }
            | StmtKind::TryStar { body, handlers, orelse, finalbody } => {
                self.try_(owner, body, handlers, orelse, finalbody)
            }
            StmtKind::Assert { test, msg } => {
                self.load(test)?;
                self.optional_load(msg)
            }
            StmtKind::Import { names } => self.aliases(names, owner),
            StmtKind::ImportFrom { level, .. } if level < 0 => value_error("Negative ImportFrom level"),
            StmtKind::ImportFrom { names, .. } => self.aliases(names, owner),
            StmtKind::Global { names } | StmtKind::Nonlocal { names } => nonempty(names, "names", owner),
            StmtKind::Expr { value } => self.load(value),
            StmtKind::Pass {} | StmtKind::Break {} | StmtKind::Continue {} => Ok(()),
        }
    }

    fn comprehension(&mut self, generators: &[Comprehension]) -> Result {
        if generators.is_empty() {
            return value_error("comprehension with no generators");
        }
        generators.iter().try_for_each(|generator| {
            self.expr(generator.target, ExprContext::Store)?;
            self.load(generator.iter)?;
            self.loads(generator.ifs)
        })
    }

    fn expr(&mut self, expr: &Expr, ctx: ExprContext) -> Result {
        self.nested(|this| {
            positions(expr.span)?;
            match context(expr) {
                Some(actual) => {
                    if let ExprKind::Name { id, .. } = expr.kind {
                        name(id)?;
                    }
                    if actual != ctx {
                        let (wanted, actual) = (ctx.class_name(), actual.class_name());
                        let message = format!("expression must have {wanted} context but has {actual} instead");
                        return value_error(message);
                    }
                }
                None if ctx != ExprContext::Load => {
                    let ctx = ctx.class_name();
                    return value_error(format!("expression which can't be assigned to in {ctx} context"));
                }
                None => {}
            }
            this.parts(expr, ctx)
        })
    }

    fn parts(&mut self, expr: &Expr, ctx: ExprContext) -> Result {
        match expr.kind {
            ExprKind::BoolOp { values, .. } => {
                if values.len() < 2 {
                    return value_error("BoolOp with less than 2 values");
                }
                self.loads(values)
            }
            ExprKind::NamedExpr { target, value } => {
                if !matches!(target.kind, ExprKind::Name { .. }) {
                    return Err(Invalid::Type("NamedExpr target must be a Name"));
                }
                self.load(value)
            }
            ExprKind::BinOp { left, right, .. } => {
                self.load(left)?;
                self.load(right)
            }
            ExprKind::UnaryOp { operand, .. } => self.load(operand),
            ExprKind::Lambda { args, body } => {
                self.arguments(args)?;
                self.load(body)
            }
            ExprKind::IfExp { test, body, orelse } => {
                self.load(test)?;
                self.load(body)?;
                self.load(orelse)
            }
            ExprKind::Dict { keys, values } => {
                if keys.len() != values.len() {
                    return value_error("Dict doesn't have the same number of keys as values");
                }
                keys.iter().flatten().try_for_each(|key| self.load(key))?;
                self.loads(values)
            }
            ExprKind::Set { elts } => self.loads(elts),
            ExprKind::ListComp { elt, generators }
            | ExprKind::SetComp { elt, generators }
            | ExprKind::GeneratorExp { elt, generators } => {
                self.comprehension(generators)?;
                self.load(elt)
            }
            ExprKind::DictComp { key, value, generators } => {
                self.comprehension(generators)?;
                self.load(key)?;
                self.load(value)
            }
            ExprKind::Yield { value } => self.optional_load(value),
            ExprKind::YieldFrom { value } | ExprKind::Await { value } => self.load(value),
            ExprKind::Compare { left, ops, comparators } => {
                if comparators.is_empty() {
                    return value_error("Compare with no comparators");
                }
                if comparators.len() != ops.len() {
                    return value_error("Compare has a different number of comparators and operands");
                }
                self.loads(comparators)?;
                self.load(left)
            }
            ExprKind::Call { func, args, keywords } => {
                self.load(func)?;
                self.loads(args)?;
                self.keywords(keywords)
            }
            ExprKind::FormattedValue { value, format_spec, .. }
            | ExprKind::Interpolation { value, format_spec, .. } => {
                self.load(value)?;
                self.optional_load(format_spec)
            }
            ExprKind::JoinedStr { values } | ExprKind::TemplateStr { values } => self.loads(values),
            ExprKind::Attribute { value, .. } => self.load(value),
            ExprKind::Subscript { value, slice, .. } => {
                self.load(slice)?;
                self.load(value)
            }
            ExprKind::Starred { value, .. } => self.expr(value, ctx),
            ExprKind::List { elts, .. } | ExprKind::Tuple { elts, .. } => self.exprs(elts, ctx),
            ExprKind::Slice { lower, upper, step } => {
                self.optional_load(lower)?;
                self.optional_load(upper)?;
                self.optional_load(step)
            }
            ExprKind::Constant { .. } | ExprKind::Name { .. } => Ok(()),
        }
    }

    fn patterns(&mut self, patterns: &[Pattern], star_ok: bool) -> Result {
        patterns.iter().try_for_each(|pattern| self.pattern(pattern, star_ok))
    }

    fn pattern(&mut self, pattern: &Pattern, star_ok: bool) -> Result {
        self.nested(|this| {
            positions(pattern.span)?;
            this.pattern_parts(pattern, star_ok)
        })
    }

    fn pattern_parts(&mut self, pattern: &Pattern, star_ok: bool) -> Result {
        match pattern.kind {
            PatternKind::MatchValue { value } => self.match_value(value),
            PatternKind::MatchSingleton { value } => match value {
                Constant::None | Constant::True | Constant::False => Ok(()),
                _ => value_error("MatchSingleton can only contain True, False and None"),
            },
            PatternKind::MatchSequence { patterns } => self.patterns(patterns, true),
            PatternKind::MatchMapping { keys, patterns, rest } => {
                if keys.len() != patterns.len() {
                    return value_error("MatchMapping doesn't have the same number of keys as patterns");
                }
                capture(rest)?;
                keys.iter().try_for_each(|key| match key.kind {
                    ExprKind::Constant { value: Constant::None | Constant::True | Constant::False, .. } => Ok(()),
                    _ => self.match_value(key),
                })?;
                self.patterns(patterns, false)
            }
            PatternKind::MatchClass { cls, patterns, kwd_attrs, kwd_patterns } => {
                if kwd_attrs.len() != kwd_patterns.len() {
                    return value_error("MatchClass doesn't have the same number of keyword attributes as patterns");
                }
                self.load(cls)?;
                let mut part = cls;
                while let ExprKind::Attribute { value, .. } = part.kind {
                    part = value;
                }
                if !matches!(part.kind, ExprKind::Name { .. }) {
                    return value_error("MatchClass cls field can only contain Name or Attribute nodes.");
                }
                kwd_attrs.iter().try_for_each(|attr| name(attr))?;
                self.patterns(patterns, false)?;
                self.patterns(kwd_patterns, false)
            }
            PatternKind::MatchStar { name } => {
                if !star_ok {
                    return value_error("can't use MatchStar here");
                }
                capture(name)
            }
            PatternKind::MatchAs { pattern, name } => {
                capture(name)?;
                match (pattern, name) {
                    (None, _) => Ok(()),
                    (Some(_), None) => value_error("MatchAs must specify a target name if a pattern is given"),
                    (Some(pattern), Some(_)) => self.pattern(pattern, false),
                }
            }
            PatternKind::MatchOr { patterns } => {
                if patterns.len() < 2 {
                    return value_error("MatchOr requires at least 2 patterns");
                }
                self.patterns(patterns, false)
            }
        }
    }

    /// A value that a pattern can be compared with.
    fn match_value(&mut self, value: &Expr) -> Result {
        self.load(value)?;
        match value.kind {
            ExprKind::Constant { value, .. } => match value {
                Constant::Int(_)
                | Constant::BigInt(_)
                | Constant::Float(_)
                | Constant::Complex { .. }
                | Constant::Str(_)
                | Constant::Bytes(_) => Ok(()),
                _ => value_error("unexpected constant inside of a literal pattern"),
            },
            // The compiler complains of those.
            ExprKind::Attribute { .. } | ExprKind::JoinedStr { .. } | ExprKind::TemplateStr { .. } => Ok(()),
            ExprKind::UnaryOp { op: UnaryOperator::USub, operand } if is_real(operand) || is_imaginary(operand) => {
                Ok(())
            }
            ExprKind::BinOp { left, op: Operator::Add | Operator::Sub, right }
                if is_signed_real(left) && is_imaginary(right) =>
            {
                Ok(())
            }
            _ => value_error("patterns may only match literals and attribute lookups"),
        }
    }
}

fn is_real(expr: &Expr) -> bool {
    let ExprKind::Constant { value, .. } = expr.kind else { return false };
    matches!(value, Constant::Int(_) | Constant::BigInt(_) | Constant::Float(_))
}

fn is_signed_real(expr: &Expr) -> bool {
    match expr.kind {
        ExprKind::UnaryOp { op: UnaryOperator::USub, operand } => is_real(operand),
        _ => is_real(expr),
    }
}

fn is_imaginary(expr: &Expr) -> bool {
    matches!(expr.kind, ExprKind::Constant { value: Constant::Complex { .. }, .. })
}
