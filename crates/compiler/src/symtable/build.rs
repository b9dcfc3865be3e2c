//! The first pass: records how each block uses each name, and the errors that show without knowing the blocks around.

use bumpalo::Bump;
use taipan_syntax::ast::*;

use super::*;
use crate::ast_preprocess::docstring;
use crate::error::{Depth, Result};

pub(super) fn build<'a>(
    module: &'a Mod<'a>,
    future: FutureFeatures,
    arena: &'a Bump,
    depth_limit: usize,
) -> Result<SymbolTable<'a>> {
    let table = SymbolTable { blocks: Vec::new(), by_key: HashMap::default() };
    let mut builder =
        Builder { table, stack: Vec::new(), private: None, future, arena, depth: Depth::new(depth_limit) };
    builder.enter_block("top", BlockType::Module, BlockKey::body(module), Location::new(0, 0, 0, 0))?;
    match module {
        Mod::Module { body, .. } => {
            builder.cur_mut().has_docstring = docstring(body).is_some();
            builder.visit_stmts(body)?;
        }
        Mod::Interactive { body } => builder.visit_stmts(body)?,
        Mod::Expression { body } => builder.visit_expr(body)?,
        Mod::FunctionType { .. } => {
            return Err(CompileError::internal("this compiler does not handle FunctionTypes"));
        }
    }
    builder.exit_block();
    Ok(builder.table)
}

struct Builder<'a> {
    table: SymbolTable<'a>,
    stack: Vec<BlockId>,
    /// The class whose name mangles.
    private: Option<&'a str>,
    future: FutureFeatures,
    arena: &'a Bump,
    depth: Depth,
}

/// How a name is met: whether it is forbidden depends on this.
#[derive(Clone, Copy, PartialEq)]
enum Context {
    Load,
    Store,
    Del,
}

impl From<ExprContext> for Context {
    fn from(context: ExprContext) -> Context {
        match context {
            ExprContext::Load => Context::Load,
            ExprContext::Store => Context::Store,
            ExprContext::Del => Context::Del,
        }
    }
}

impl<'a> Builder<'a> {
    fn cur_id(&self) -> BlockId {
        *self.stack.last().expect("visits happen inside the module's block")
    }

    fn cur(&self) -> &Block<'a> {
        self.table.block(self.cur_id())
    }

    fn cur_mut(&mut self) -> &mut Block<'a> {
        let id = self.cur_id();
        self.table.block_mut(id)
    }

    /// A new block, not yet entered.
    fn new_block(&mut self, name: &'a str, ty: BlockType, key: Option<BlockKey>, location: Location) -> BlockId {
        let around = self.stack.last().map(|&id| self.table.block(id));
        let nested = around.is_some_and(|around| around.nested || around.is_function_like());
        let method = ty == BlockType::Function && around.is_some_and(|around| around.ty == BlockType::Class);
        let id = BlockId(self.table.blocks.len() as u32);
        // The annotations of a module or class have no node of their own.
        let address = match key {
            Some(BlockKey { address, role: BlockRole::TypeVariableDefault }) => address + 1,
            Some(BlockKey { address, .. }) => address,
            None => around.map_or(0, |around| around.id) + 1,
        };
        self.table.blocks.push(Block {
            name,
            ty,
            id: address,
            symbols: NameMap::new(),
            varnames: Vec::new(),
            children: Vec::new(),
            directives: Vec::new(),
            mangled_names_of: None,
            mangled_names: NameSet::new(),
            scope_info: None,
            nested,
            generator: false,
            coroutine: false,
            annotations_used: false,
            comprehension: None,
            varargs: false,
            varkeywords: false,
            returns_value: false,
            needs_class_closure: false,
            needs_classdict: false,
            comp_inlined: false,
            comp_iter_target: false,
            can_see_class_scope: false,
            has_docstring: false,
            method,
            has_conditional_annotations: false,
            in_conditional_block: false,
            in_unevaluated_annotation: false,
            comp_iter_expr: 0,
            location,
            annotation_block: None,
        });
        if let Some(key) = key {
            self.table.by_key.insert(key, id);
        }
        id
    }

    fn enter_existing_block(&mut self, id: BlockId, add_to_children: bool) {
        let invisible = self.table.block(id).ty == BlockType::Annotation && self.future.annotations();
        if let Some(&around) = self.stack.last() {
            // Assignment expressions are forbidden in all of a comprehension's iterable, in nested blocks too.
            self.table.block_mut(id).comp_iter_expr = self.table.block(around).comp_iter_expr;
            if self.table.block(id).ty != BlockType::Class
                && let Some(owner) = self.table.block(around).mangled_names_of
            {
                self.table.block_mut(id).mangled_names_of = Some(owner);
            }
            if add_to_children && !invisible {
                self.table.block_mut(around).children.push(id);
            }
        }
        self.stack.push(id);
    }

    fn enter_block(&mut self, name: &'a str, ty: BlockType, key: BlockKey, location: Location) -> Result {
        let id = self.new_block(name, ty, Some(key), location);
        self.enter_new_block(id)
    }

    fn enter_new_block(&mut self, id: BlockId) -> Result {
        self.enter_existing_block(id, true);
        let (ty, location) = (self.cur().ty, self.cur().location);
        if matches!(ty, BlockType::Annotation | BlockType::TypeVariable | BlockType::TypeAlias) {
            // The code that evaluates it takes the format as argument.
            self.add_def(".format", DEF_PARAM, location)?;
            self.add_def(".format", USE, location)?;
        }
        Ok(())
    }

    fn exit_block(&mut self) {
        self.stack.pop();
    }

    fn mangle(&self, block: BlockId, name: &'a str) -> &'a str {
        self.table.mangle(self.arena, self.private, block, name)
    }

    fn lookup_in(&self, block: BlockId, name: &'a str) -> u32 {
        self.table.block(block).symbol(self.mangle(block, name))
    }

    fn lookup(&self, name: &'a str) -> u32 {
        self.lookup_in(self.cur_id(), name)
    }

    fn check_name(&self, name: &str, location: Location, context: Context) -> Result {
        if name == "__debug__" {
            match context {
                Context::Load => {}
                Context::Store => return Err(CompileError::syntax("cannot assign to __debug__", location)),
                Context::Del => return Err(CompileError::syntax("cannot delete __debug__", location)),
            }
        }
        Ok(())
    }

    fn add_def(&mut self, name: &'a str, flag: u32, location: Location) -> Result {
        let writes = flag & (DEF_PARAM | DEF_LOCAL | DEF_IMPORT) != 0;
        self.add_def_context(name, flag, location, if writes { Context::Store } else { Context::Load })
    }

    fn add_def_context(&mut self, name: &'a str, flag: u32, location: Location, context: Context) -> Result {
        if flag & (DEF_PARAM | DEF_LOCAL | DEF_IMPORT) != 0 {
            self.check_name(name, location, context)?;
        }
        if flag & DEF_TYPE_PARAM != 0
            && let Some(owner) = self.cur().mangled_names_of
        {
            self.table.block_mut(owner).mangled_names.insert(name);
        }
        self.add_def_to(self.cur_id(), name, flag, location)
    }

    fn add_def_to(&mut self, id: BlockId, name: &'a str, flag: u32, location: Location) -> Result {
        let mangled = self.mangle(id, name);
        let block = self.table.block_mut(id);
        let at = block.symbols.position_or_insert(mangled, 0);
        let before = *block.symbols.at_mut(at);
        if flag & DEF_PARAM != 0 && before & DEF_PARAM != 0 {
            let message = format!("duplicate argument '{name}' in function definition");
            return Err(CompileError::syntax(message, location));
        }
        if flag & DEF_TYPE_PARAM != 0 && before & DEF_TYPE_PARAM != 0 {
            return Err(CompileError::syntax(format!("duplicate type parameter '{name}'"), location));
        }
        let mut flags = before | flag;
        if block.comp_iter_target {
            if flags & (DEF_GLOBAL | DEF_NONLOCAL) != 0 {
                let message = format!("comprehension inner loop cannot rebind assignment expression target '{name}'");
                return Err(CompileError::syntax(message, location));
            }
            flags |= DEF_COMP_ITER;
        }
        *block.symbols.at_mut(at) = flags;
        if flag & DEF_PARAM != 0 {
            block.varnames.push(mangled);
        } else if flag & DEF_GLOBAL != 0 {
            let global = &mut self.table.block_mut(SymbolTable::TOP).symbols;
            let flags = global.get(mangled).copied().unwrap_or(0) | flag;
            global.insert(mangled, flags);
        }
        Ok(())
    }

    fn record_directive(&mut self, name: &'a str, location: Location) {
        let name = self.mangle(self.cur_id(), name);
        self.cur_mut().directives.push(Directive { name, location });
    }

    fn raise_if_annotation_block(&self, what: &str, expr: &Expr<'a>) -> Result {
        let block = self.cur();
        let message = match block.ty {
            BlockType::Annotation => format!("{what} cannot be used within an annotation"),
            BlockType::TypeVariable => {
                format!("{what} cannot be used within {}", block.scope_info.unwrap_or("a TypeVar bound"))
            }
            BlockType::TypeAlias => format!("{what} cannot be used within a type alias"),
            BlockType::TypeParameters => format!("{what} cannot be used within the definition of a generic"),
            BlockType::Function | BlockType::Class | BlockType::Module => return Ok(()),
        };
        Err(CompileError::syntax(message, expr.span.into()))
    }

    fn raise_if_comprehension_block(&self, expr: &Expr<'a>) -> Result {
        let message = match self.cur().comprehension {
            None => return Ok(()),
            Some(ComprehensionType::List) => "'yield' inside list comprehension",
            Some(ComprehensionType::Set) => "'yield' inside set comprehension",
            Some(ComprehensionType::Dict) => "'yield' inside dict comprehension",
            Some(ComprehensionType::Generator) => "'yield' inside generator expression",
        };
        Err(CompileError::syntax(message, expr.span.into()))
    }

    fn allows_top_level_await(&self) -> bool {
        self.future.allows_top_level_await() && self.cur().ty == BlockType::Module
    }

    fn visit_async_stmt(&mut self, outside: &str, location: Location) -> Result {
        if self.allows_top_level_await() {
            self.cur_mut().coroutine = true;
        }
        if !self.cur().coroutine {
            return Err(CompileError::syntax(outside, location));
        }
        Ok(())
    }

    fn visit_stmts(&mut self, stmts: &'a [Stmt<'a>]) -> Result {
        stmts.iter().try_for_each(|stmt| self.visit_stmt(stmt))
    }

    fn visit_exprs(&mut self, exprs: &'a [Expr<'a>]) -> Result {
        exprs.iter().try_for_each(|expr| self.visit_expr(expr))
    }

    fn visit_optional_exprs(&mut self, exprs: &'a [Option<Expr<'a>>]) -> Result {
        exprs.iter().flatten().try_for_each(|expr| self.visit_expr(expr))
    }

    fn visit_optional(&mut self, expr: Option<&'a Expr<'a>>) -> Result {
        expr.map_or(Ok(()), |expr| self.visit_expr(expr))
    }

    /// Visits what may not run although the block does.
    fn conditionally(&mut self, visit: impl FnOnce(&mut Self) -> Result) -> Result {
        let before = std::mem::replace(&mut self.cur_mut().in_conditional_block, true);
        visit(self)?;
        self.cur_mut().in_conditional_block = before;
        Ok(())
    }

    fn visit_stmt(&mut self, stmt: &'a Stmt<'a>) -> Result {
        self.depth.enter()?;
        self.visit_stmt_kind(stmt)?;
        self.depth.leave();
        Ok(())
    }

    fn visit_stmt_kind(&mut self, stmt: &'a Stmt<'a>) -> Result {
        let location: Location = stmt.span.into();
        match stmt.kind {
            StmtKind::FunctionDef { name, args, body, decorator_list, returns, type_params, .. } => {
                self.visit_function(stmt, name, args, body, decorator_list, returns, type_params, false)
            }
            StmtKind::AsyncFunctionDef { name, args, body, decorator_list, returns, type_params, .. } => {
                self.visit_function(stmt, name, args, body, decorator_list, returns, type_params, true)
            }
            StmtKind::ClassDef { name, bases, keywords, body, decorator_list, type_params } => {
                self.visit_class(stmt, name, bases, keywords, body, decorator_list, type_params)
            }
            StmtKind::TypeAlias { name, type_params, value } => self.visit_type_alias(stmt, name, type_params, value),
            StmtKind::Return { value } => {
                if let Some(value) = value {
                    self.visit_expr(value)?;
                    self.cur_mut().returns_value = true;
                }
                Ok(())
            }
            StmtKind::Delete { targets } => self.visit_exprs(targets),
            StmtKind::Assign { targets, value, .. } => {
                self.visit_exprs(targets)?;
                self.visit_expr(value)
            }
            StmtKind::AnnAssign { target, annotation, value, simple } => {
                self.visit_ann_assign(location, target, annotation, value, simple)
            }
            StmtKind::AugAssign { target, value, .. } => {
                self.visit_expr(target)?;
                self.visit_expr(value)
            }
            StmtKind::For { target, iter, body, orelse, .. } => {
                self.visit_expr(target)?;
                self.visit_expr(iter)?;
                self.conditionally(|this| {
                    this.visit_stmts(body)?;
                    this.visit_stmts(orelse)
                })
            }
            StmtKind::AsyncFor { target, iter, body, orelse, .. } => {
                self.visit_async_stmt("'async for' outside async function", location)?;
                self.visit_expr(target)?;
                self.visit_expr(iter)?;
                self.conditionally(|this| {
                    this.visit_stmts(body)?;
                    this.visit_stmts(orelse)
                })
            }
            StmtKind::While { test, body, orelse } | StmtKind::If { test, body, orelse } => {
                self.visit_expr(test)?;
                self.conditionally(|this| {
                    this.visit_stmts(body)?;
                    this.visit_stmts(orelse)
                })
            }
            StmtKind::Match { subject, cases } => {
                self.visit_expr(subject)?;
                self.conditionally(|this| {
                    cases.iter().try_for_each(|case| {
                        this.visit_pattern(case.pattern)?;
                        this.visit_optional(case.guard)?;
                        this.visit_stmts(case.body)
                    })
                })
            }
            StmtKind::Raise { exc, cause } => {
                self.visit_optional(exc)?;
                self.visit_optional(cause)
            }
            StmtKind::Try { body, handlers, orelse, finalbody }
            | StmtKind::TryStar { body, handlers, orelse, finalbody } => self.conditionally(|this| {
                this.visit_stmts(body)?;
                handlers.iter().try_for_each(|handler| this.visit_handler(handler))?;
                this.visit_stmts(orelse)?;
                this.visit_stmts(finalbody)
            }),
            StmtKind::Assert { test, msg } => {
                self.visit_expr(test)?;
                self.visit_optional(msg)
            }
            StmtKind::Import { names } => names.iter().try_for_each(|alias| self.visit_alias(alias)),
            StmtKind::ImportFrom { module, names, level } => {
                if module == Some("__future__") && level == 0 {
                    self.check_future_import(location)?;
                }
                names.iter().try_for_each(|alias| self.visit_alias(alias))
            }
            StmtKind::Global { names } => {
                names.iter().try_for_each(|name| self.visit_directive(name, "global", DEF_GLOBAL, location))
            }
            StmtKind::Nonlocal { names } => {
                names.iter().try_for_each(|name| self.visit_directive(name, "nonlocal", DEF_NONLOCAL, location))
            }
            StmtKind::Expr { value } => self.visit_expr(value),
            StmtKind::With { items, body, .. } => self.conditionally(|this| {
                items.iter().try_for_each(|item| this.visit_with_item(item))?;
                this.visit_stmts(body)
            }),
            StmtKind::AsyncWith { items, body, .. } => {
                self.visit_async_stmt("'async with' outside async function", location)?;
                self.conditionally(|this| {
                    items.iter().try_for_each(|item| this.visit_with_item(item))?;
                    this.visit_stmts(body)
                })
            }
            StmtKind::Pass {} | StmtKind::Break {} | StmtKind::Continue {} => Ok(()),
        }
    }

    fn visit_function(
        &mut self,
        stmt: &'a Stmt<'a>,
        name: &'a str,
        args: &'a Arguments<'a>,
        body: &'a [Stmt<'a>],
        decorators: &'a [Expr<'a>],
        returns: Option<&'a Expr<'a>>,
        type_params: &'a [TypeParam<'a>],
        is_async: bool,
    ) -> Result {
        let location = stmt.span.into();
        self.add_def(name, DEF_LOCAL, location)?;
        self.visit_exprs(args.defaults)?;
        self.visit_optional_exprs(args.kw_defaults)?;
        self.visit_exprs(decorators)?;
        if !type_params.is_empty() {
            self.enter_type_param_block(name, type_params, location)?;
            // Even when there are none.
            self.add_def(".defaults", DEF_PARAM, location)?;
            if args.kw_defaults.iter().any(Option::is_some) {
                self.add_def(".kwdefaults", DEF_PARAM, location)?;
            }
            self.visit_type_params(type_params)?;
        }
        let block = self.new_block(name, BlockType::Function, Some(BlockKey::body(stmt)), location);
        self.table.block_mut(block).has_docstring = docstring(body).is_some();
        self.visit_annotations(location, args, returns)?;
        self.enter_existing_block(block, true);
        self.cur_mut().coroutine = is_async;
        self.visit_arguments(args)?;
        self.visit_stmts(body)?;
        self.exit_block();
        if !type_params.is_empty() {
            self.exit_block();
        }
        Ok(())
    }

    fn visit_class(
        &mut self,
        stmt: &'a Stmt<'a>,
        name: &'a str,
        bases: &'a [Expr<'a>],
        keywords: &'a [Keyword<'a>],
        body: &'a [Stmt<'a>],
        decorators: &'a [Expr<'a>],
        type_params: &'a [TypeParam<'a>],
    ) -> Result {
        let location = stmt.span.into();
        self.add_def(name, DEF_LOCAL, location)?;
        self.visit_exprs(decorators)?;
        let private = self.private;
        if !type_params.is_empty() {
            self.enter_type_param_block(name, type_params, location)?;
            // The parameters are stored under one name and become a base class under another.
            for implicit in [".type_params", ".generic_base"] {
                self.add_def(implicit, DEF_LOCAL, location)?;
                self.add_def(implicit, USE, location)?;
            }
            self.cur_mut().mangled_names_of = Some(self.cur_id());
            self.private = Some(name);
            self.visit_type_params(type_params)?;
        }
        self.visit_exprs(bases)?;
        self.visit_keywords(keywords)?;
        self.enter_block(name, BlockType::Class, BlockKey::body(stmt), location)?;
        self.private = Some(name);
        if !type_params.is_empty() {
            self.add_def("__type_params__", DEF_LOCAL, location)?;
            self.add_def(".type_params", USE, location)?;
        }
        self.cur_mut().has_docstring = docstring(body).is_some();
        self.visit_stmts(body)?;
        self.exit_block();
        if !type_params.is_empty() {
            self.exit_block();
        }
        self.private = private;
        Ok(())
    }

    fn visit_type_alias(
        &mut self,
        stmt: &'a Stmt<'a>,
        name: &'a Expr<'a>,
        type_params: &'a [TypeParam<'a>],
        value: &'a Expr<'a>,
    ) -> Result {
        let location = stmt.span.into();
        self.visit_expr(name)?;
        let ExprKind::Name { id, .. } = name.kind else {
            return Err(CompileError::Value("TypeAlias with non-Name name".to_owned()));
        };
        let in_class = self.cur().ty == BlockType::Class;
        if !type_params.is_empty() {
            self.enter_type_param_block(id, type_params, location)?;
            self.visit_type_params(type_params)?;
        }
        self.enter_block(id, BlockType::TypeAlias, BlockKey::body(stmt), location)?;
        self.see_class_scope(in_class, value.span.into())?;
        self.visit_expr(value)?;
        self.exit_block();
        if !type_params.is_empty() {
            self.exit_block();
        }
        Ok(())
    }

    fn see_class_scope(&mut self, sees: bool, location: Location) -> Result {
        if sees {
            self.cur_mut().can_see_class_scope = true;
            self.add_def("__classdict__", USE, location)?;
        }
        Ok(())
    }

    fn enter_type_param_block(&mut self, name: &'a str, params: &'a [TypeParam<'a>], location: Location) -> Result {
        let in_class = self.cur().ty == BlockType::Class;
        let key = BlockKey::new(&params[0], BlockRole::TypeParameters);
        self.enter_block(name, BlockType::TypeParameters, key, location)?;
        self.see_class_scope(in_class, location)
    }

    fn visit_type_params(&mut self, params: &'a [TypeParam<'a>]) -> Result {
        for param in params {
            let (name, bound, default, default_info) = match param.kind {
                TypeParamKind::TypeVar { name, bound, default_value } => {
                    (name, bound, default_value, "a TypeVar default")
                }
                TypeParamKind::TypeVarTuple { name, default_value } => {
                    (name, None, default_value, "a TypeVarTuple default")
                }
                TypeParamKind::ParamSpec { name, default_value } => (name, None, default_value, "a ParamSpec default"),
            };
            self.add_def(name, DEF_TYPE_PARAM | DEF_LOCAL, param.span.into())?;
            if name == "__classdict__" {
                let message = format!("reserved name '{name}' cannot be used for type parameter");
                return Err(CompileError::syntax(message, param.span.into()));
            }
            if let Some(bound) = bound {
                let info = match bound.kind {
                    ExprKind::Tuple { .. } => "a TypeVar constraint",
                    _ => "a TypeVar bound",
                };
                self.visit_type_variable(name, bound, BlockKey::new(param, BlockRole::TypeVariableBound), info)?;
            }
            if let Some(default) = default {
                let key = BlockKey::new(param, BlockRole::TypeVariableDefault);
                self.visit_type_variable(name, default, key, default_info)?;
            }
        }
        Ok(())
    }

    fn visit_type_variable(&mut self, name: &'a str, expr: &'a Expr<'a>, key: BlockKey, info: &'static str) -> Result {
        let in_class = self.cur().can_see_class_scope;
        self.enter_block(name, BlockType::TypeVariable, key, expr.span.into())?;
        self.see_class_scope(in_class, expr.span.into())?;
        self.cur_mut().scope_info = Some(info);
        self.visit_expr(expr)?;
        self.exit_block();
        Ok(())
    }

    fn visit_ann_assign(
        &mut self,
        location: Location,
        target: &'a Expr<'a>,
        annotation: &'a Expr<'a>,
        value: Option<&'a Expr<'a>>,
        simple: bool,
    ) -> Result {
        self.cur_mut().annotations_used = true;
        if let ExprKind::Name { id, .. } = target.kind {
            let flags = self.lookup(id);
            if flags & (DEF_GLOBAL | DEF_NONLOCAL) != 0 && self.cur_id() != SymbolTable::TOP && simple {
                let kind = if flags & DEF_GLOBAL != 0 { "global" } else { "nonlocal" };
                return Err(CompileError::syntax(format!("annotated name '{id}' can't be {kind}"), location));
            }
            if simple {
                self.add_def(id, DEF_ANNOT | DEF_LOCAL, target.span.into())?;
            } else if value.is_some() {
                self.add_def(id, DEF_LOCAL, target.span.into())?;
            }
        } else {
            self.visit_expr(target)?;
        }
        self.visit_annotation(annotation)?;
        self.visit_optional(value)
    }

    /// An annotated assignment's annotation. Those of a local are never evaluated and do not count as uses.
    fn visit_annotation(&mut self, annotation: &'a Expr<'a>) -> Result {
        let location = annotation.span.into();
        let around = self.cur_id();
        let Block { ty, in_conditional_block, has_conditional_annotations, .. } = *self.cur();
        let unevaluated = ty == BlockType::Function;
        // A module may be abandoned half-way, so that all its annotations are conditional.
        let conditional = ty == BlockType::Module || ty == BlockType::Class && in_conditional_block;
        if conditional && !has_conditional_annotations {
            self.cur_mut().has_conditional_annotations = true;
            self.add_def("__conditional_annotations__", USE, location)?;
        }
        if let Some(existing) = self.cur().annotation_block {
            self.enter_existing_block(existing, false);
        } else {
            let block = self.new_block("__annotate__", BlockType::Annotation, None, location);
            self.table.block_mut(around).annotation_block = Some(block);
            self.enter_new_block(block)?;
            if ty == BlockType::Class && !self.future.annotations() {
                self.see_class_scope(true, location)?;
            }
        }
        self.cur_mut().in_unevaluated_annotation = unevaluated;
        self.visit_expr(annotation)?;
        self.cur_mut().in_unevaluated_annotation = false;
        self.exit_block();
        Ok(())
    }

    /// The annotations of a function, a block beside the function's.
    fn visit_annotations(
        &mut self,
        location: Location,
        args: &'a Arguments<'a>,
        returns: Option<&'a Expr<'a>>,
    ) -> Result {
        let in_class = self.cur().can_see_class_scope || self.cur().ty == BlockType::Class;
        let key = BlockKey::new(args, BlockRole::Annotations);
        self.enter_block("__annotate__", BlockType::Annotation, key, location)?;
        self.see_class_scope(in_class, location)?;
        let annotated = args.posonlyargs.iter().chain(args.args).chain(args.vararg).chain(args.kwarg);
        for annotation in annotated.chain(args.kwonlyargs).filter_map(|arg| arg.annotation).chain(returns) {
            self.cur_mut().annotations_used = true;
            self.visit_expr(annotation)?;
        }
        self.exit_block();
        Ok(())
    }

    fn visit_arguments(&mut self, args: &'a Arguments<'a>) -> Result {
        for arg in args.posonlyargs.iter().chain(args.args).chain(args.kwonlyargs) {
            self.add_def(arg.arg, DEF_PARAM, arg.span.into())?;
        }
        if let Some(vararg) = args.vararg {
            self.add_def(vararg.arg, DEF_PARAM, vararg.span.into())?;
            self.cur_mut().varargs = true;
        }
        if let Some(kwarg) = args.kwarg {
            self.add_def(kwarg.arg, DEF_PARAM, kwarg.span.into())?;
            self.cur_mut().varkeywords = true;
        }
        Ok(())
    }

    fn visit_directive(&mut self, name: &'a str, kind: &str, flag: u32, location: Location) -> Result {
        let flags = self.lookup(name);
        if flags & (DEF_PARAM | DEF_LOCAL | USE | DEF_ANNOT) != 0 {
            let message = if flags & DEF_PARAM != 0 {
                format!("name '{name}' is parameter and {kind}")
            } else if flags & USE != 0 {
                format!("name '{name}' is used prior to {kind} declaration")
            } else if flags & DEF_ANNOT != 0 {
                format!("annotated name '{name}' can't be {kind}")
            } else {
                format!("name '{name}' is assigned to before {kind} declaration")
            };
            return Err(CompileError::syntax(message, location));
        }
        self.add_def(name, flag, location)?;
        self.record_directive(name, location);
        Ok(())
    }

    /// Those that the module begins with have been dealt with.
    fn check_future_import(&self, location: Location) -> Result {
        let last = self.future.location;
        let after_last = location.lineno > last.lineno
            || location.lineno == last.end_lineno && location.col_offset > last.end_col_offset;
        if after_last {
            let message = "from __future__ imports must occur at the beginning of the file";
            return Err(CompileError::syntax(message, location));
        }
        Ok(())
    }

    fn visit_alias(&mut self, alias: &'a Alias<'a>) -> Result {
        let name = alias.asname.unwrap_or(alias.name);
        if name == "*" {
            if self.cur().ty != BlockType::Module {
                return Err(CompileError::syntax("import * only allowed at module level", alias.span.into()));
            }
            return Ok(());
        }
        // `import a.b` binds `a`.
        let stored = name.split('.').next().unwrap_or(name);
        self.add_def(stored, DEF_IMPORT, alias.span.into())
    }

    fn visit_handler(&mut self, handler: &'a ExceptHandler<'a>) -> Result {
        self.visit_optional(handler.r#type)?;
        if let Some(name) = handler.name {
            self.add_def(name, DEF_LOCAL, handler.span.into())?;
        }
        self.visit_stmts(handler.body)
    }

    fn visit_with_item(&mut self, item: &'a WithItem<'a>) -> Result {
        self.visit_expr(item.context_expr)?;
        self.visit_optional(item.optional_vars)
    }

    fn visit_keywords(&mut self, keywords: &'a [Keyword<'a>]) -> Result {
        for keyword in keywords {
            if let Some(arg) = keyword.arg {
                self.check_name(arg, keyword.span.into(), Context::Store)?;
            }
        }
        keywords.iter().try_for_each(|keyword| self.visit_expr(keyword.value))
    }

    fn visit_patterns(&mut self, patterns: &'a [Pattern<'a>]) -> Result {
        patterns.iter().try_for_each(|pattern| self.visit_pattern(pattern))
    }

    fn visit_pattern(&mut self, pattern: &'a Pattern<'a>) -> Result {
        self.depth.enter()?;
        let location = pattern.span.into();
        match pattern.kind {
            PatternKind::MatchValue { value } => self.visit_expr(value)?,
            PatternKind::MatchSingleton { .. } => {}
            PatternKind::MatchSequence { patterns } | PatternKind::MatchOr { patterns } => {
                self.visit_patterns(patterns)?;
            }
            PatternKind::MatchStar { name } => {
                if let Some(name) = name {
                    self.add_def(name, DEF_LOCAL, location)?;
                }
            }
            PatternKind::MatchMapping { keys, patterns, rest } => {
                self.visit_exprs(keys)?;
                self.visit_patterns(patterns)?;
                if let Some(rest) = rest {
                    self.add_def(rest, DEF_LOCAL, location)?;
                }
            }
            PatternKind::MatchClass { cls, patterns, kwd_attrs, kwd_patterns } => {
                self.visit_expr(cls)?;
                self.visit_patterns(patterns)?;
                for (attr, pattern) in kwd_attrs.iter().zip(kwd_patterns) {
                    self.check_name(attr, pattern.span.into(), Context::Store)?;
                }
                self.visit_patterns(kwd_patterns)?;
            }
            PatternKind::MatchAs { pattern, name } => {
                if let Some(pattern) = pattern {
                    self.visit_pattern(pattern)?;
                }
                if let Some(name) = name {
                    self.add_def(name, DEF_LOCAL, location)?;
                }
            }
        }
        self.depth.leave();
        Ok(())
    }

    fn visit_expr(&mut self, expr: &'a Expr<'a>) -> Result {
        self.depth.enter()?;
        self.visit_expr_kind(expr)?;
        self.depth.leave();
        Ok(())
    }

    fn visit_expr_kind(&mut self, expr: &'a Expr<'a>) -> Result {
        match expr.kind {
            ExprKind::NamedExpr { target, value } => {
                self.raise_if_annotation_block("named expression", expr)?;
                self.visit_named_expr(expr, target, value)
            }
            ExprKind::BoolOp { values, .. }
            | ExprKind::Set { elts: values }
            | ExprKind::List { elts: values, .. }
            | ExprKind::Tuple { elts: values, .. }
            | ExprKind::JoinedStr { values }
            | ExprKind::TemplateStr { values } => self.visit_exprs(values),
            ExprKind::BinOp { left, right, .. } => {
                self.visit_expr(left)?;
                self.visit_expr(right)
            }
            ExprKind::UnaryOp { operand, .. } => self.visit_expr(operand),
            ExprKind::Lambda { args, body } => {
                self.visit_exprs(args.defaults)?;
                self.visit_optional_exprs(args.kw_defaults)?;
                self.enter_block("lambda", BlockType::Function, BlockKey::body(expr), expr.span.into())?;
                self.visit_arguments(args)?;
                self.visit_expr(body)?;
                self.exit_block();
                Ok(())
            }
            ExprKind::IfExp { test, body, orelse } => {
                self.visit_expr(test)?;
                self.visit_expr(body)?;
                self.visit_expr(orelse)
            }
            ExprKind::Dict { keys, values } => {
                self.visit_optional_exprs(keys)?;
                self.visit_exprs(values)
            }
            ExprKind::ListComp { elt, generators } => {
                self.visit_comprehension(expr, "listcomp", ComprehensionType::List, generators, elt, None)
            }
            ExprKind::SetComp { elt, generators } => {
                self.visit_comprehension(expr, "setcomp", ComprehensionType::Set, generators, elt, None)
            }
            ExprKind::DictComp { key, value, generators } => {
                self.visit_comprehension(expr, "dictcomp", ComprehensionType::Dict, generators, key, Some(value))
            }
            ExprKind::GeneratorExp { elt, generators } => {
                self.visit_comprehension(expr, "genexpr", ComprehensionType::Generator, generators, elt, None)
            }
            ExprKind::Yield { value } => {
                self.raise_if_annotation_block("yield expression", expr)?;
                self.visit_optional(value)?;
                self.cur_mut().generator = true;
                self.raise_if_comprehension_block(expr)
            }
            ExprKind::YieldFrom { value } => {
                self.raise_if_annotation_block("yield expression", expr)?;
                self.visit_expr(value)?;
                self.cur_mut().generator = true;
                self.raise_if_comprehension_block(expr)
            }
            ExprKind::Await { value } => {
                self.raise_if_annotation_block("await expression", expr)?;
                if !self.allows_top_level_await() {
                    let block = self.cur();
                    if !block.is_function_like() {
                        return Err(CompileError::syntax("'await' outside function", expr.span.into()));
                    }
                    if !block.coroutine && block.comprehension.is_none() {
                        return Err(CompileError::syntax("'await' outside async function", expr.span.into()));
                    }
                }
                self.visit_expr(value)?;
                self.cur_mut().coroutine = true;
                Ok(())
            }
            ExprKind::Compare { left, comparators, .. } => {
                self.visit_expr(left)?;
                self.visit_exprs(comparators)
            }
            ExprKind::Call { func, args, keywords } => {
                self.visit_expr(func)?;
                self.visit_exprs(args)?;
                self.visit_keywords(keywords)
            }
            ExprKind::FormattedValue { value, format_spec, .. }
            | ExprKind::Interpolation { value, format_spec, .. } => {
                self.visit_expr(value)?;
                self.visit_optional(format_spec)
            }
            ExprKind::Constant { .. } => Ok(()),
            ExprKind::Attribute { value, attr, ctx } => {
                self.check_name(attr, expr.span.into(), ctx.into())?;
                self.visit_expr(value)
            }
            ExprKind::Subscript { value, slice, .. } => {
                self.visit_expr(value)?;
                self.visit_expr(slice)
            }
            ExprKind::Starred { value, .. } => self.visit_expr(value),
            ExprKind::Slice { lower, upper, step } => {
                self.visit_optional(lower)?;
                self.visit_optional(upper)?;
                self.visit_optional(step)
            }
            ExprKind::Name { id, ctx } => {
                if self.cur().in_unevaluated_annotation {
                    return Ok(());
                }
                let load = ctx == ExprContext::Load;
                self.add_def_context(id, if load { USE } else { DEF_LOCAL }, expr.span.into(), ctx.into())?;
                // `super()` needs the class.
                if load && id == "super" && self.cur().is_function_like() {
                    self.add_def("__class__", USE, expr.span.into())?;
                }
                Ok(())
            }
        }
    }

    fn visit_named_expr(&mut self, expr: &'a Expr<'a>, target: &'a Expr<'a>, value: &'a Expr<'a>) -> Result {
        if self.cur().comp_iter_expr > 0 {
            let message = "assignment expression cannot be used in a comprehension iterable expression";
            return Err(CompileError::syntax(message, expr.span.into()));
        }
        if self.cur().comprehension.is_some() {
            self.bind_named_expr_outside(target)?;
        }
        self.visit_expr(value)?;
        self.visit_expr(target)
    }

    /// A comprehension's assignment expression binds in the nearest block that is none.
    fn bind_named_expr_outside(&mut self, target: &'a Expr<'a>) -> Result {
        let ExprKind::Name { id, .. } = target.kind else { return Ok(()) };
        let location = target.span.into();
        for depth in (0..self.stack.len()).rev() {
            let block = self.stack[depth];
            let Block { ty, comprehension, .. } = *self.table.block(block);
            if comprehension.is_some() {
                let flags = self.lookup_in(block, id);
                if flags & DEF_COMP_ITER != 0 && flags & DEF_LOCAL != 0 {
                    let message =
                        format!("assignment expression cannot rebind comprehension iteration variable '{id}'");
                    return Err(CompileError::syntax(message, location));
                }
                continue;
            }
            let place = match ty {
                BlockType::Function => {
                    let global = self.lookup_in(block, id) & DEF_GLOBAL != 0;
                    self.add_def(id, if global { DEF_GLOBAL } else { DEF_NONLOCAL }, location)?;
                    self.record_directive(id, location);
                    return self.add_def_to(block, id, DEF_LOCAL, location);
                }
                BlockType::Module => {
                    self.add_def(id, DEF_GLOBAL, location)?;
                    self.record_directive(id, location);
                    return self.add_def_to(block, id, DEF_GLOBAL, location);
                }
                BlockType::Class => "in a class body",
                BlockType::TypeParameters => "within the definition of a generic",
                BlockType::TypeAlias => "in a type alias",
                BlockType::TypeVariable => "in a TypeVar bound",
                BlockType::Annotation => continue,
            };
            let message = format!("assignment expression within a comprehension cannot be used {place}");
            return Err(CompileError::syntax(message, location));
        }
        Ok(())
    }

    fn visit_comprehension(
        &mut self,
        expr: &'a Expr<'a>,
        name: &'static str,
        kind: ComprehensionType,
        generators: &'a [Comprehension<'a>],
        elt: &'a Expr<'a>,
        value: Option<&'a Expr<'a>>,
    ) -> Result {
        let location: Location = expr.span.into();
        let Some((outermost, inner)) = generators.split_first() else {
            return Err(CompileError::Value("comprehension with no generators".to_owned()));
        };
        // The outermost iterable is evaluated outside and comes in as an argument.
        self.cur_mut().comp_iter_expr += 1;
        self.visit_expr(outermost.iter)?;
        self.cur_mut().comp_iter_expr -= 1;
        self.enter_block(name, BlockType::Function, BlockKey::body(expr), location)?;
        self.cur_mut().comprehension = Some(kind);
        if outermost.is_async {
            self.cur_mut().coroutine = true;
        }
        self.add_def(".0", DEF_PARAM, location)?;
        self.visit_comprehension_target(outermost.target)?;
        self.visit_exprs(outermost.ifs)?;
        for generator in inner {
            self.visit_comprehension_target(generator.target)?;
            self.cur_mut().comp_iter_expr += 1;
            self.visit_expr(generator.iter)?;
            self.cur_mut().comp_iter_expr -= 1;
            self.visit_exprs(generator.ifs)?;
            if generator.is_async {
                self.cur_mut().coroutine = true;
            }
        }
        self.visit_optional(value)?;
        self.visit_expr(elt)?;
        let is_generator = kind == ComprehensionType::Generator;
        self.cur_mut().generator = is_generator;
        let is_async = self.cur().coroutine && !is_generator;
        self.exit_block();
        if is_async {
            let block = self.cur();
            let in_async = block.ty == BlockType::Function && block.coroutine;
            if !in_async && block.comprehension.is_none() && !self.allows_top_level_await() {
                let message = "asynchronous comprehension outside of an asynchronous function";
                return Err(CompileError::syntax(message, location));
            }
            self.cur_mut().coroutine = true;
        }
        Ok(())
    }

    fn visit_comprehension_target(&mut self, target: &'a Expr<'a>) -> Result {
        self.cur_mut().comp_iter_target = true;
        self.visit_expr(target)?;
        self.cur_mut().comp_iter_target = false;
        Ok(())
    }
}
