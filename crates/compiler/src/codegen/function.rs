//! Functions and lambdas.

use taipan_bytecode::oparg::{Intrinsic1, Intrinsic2, function_attribute};

use super::fblock::FBlockKind;
use super::unit::ArgumentCounts;
use super::*;
use crate::ast_preprocess::docstring;

impl<'a> Compiler<'a, '_> {
    pub(super) fn function_def(&mut self, stmt: &'a Stmt<'a>) -> Result {
        let (StmtKind::FunctionDef { name, args, decorator_list, returns, type_params, .. }
        | StmtKind::AsyncFunctionDef { name, args, decorator_list, returns, type_params, .. }) = stmt.kind
        else {
            return Ok(());
        };
        let location: Location = stmt.span.into();
        self.exprs(decorator_list)?;
        let firstlineno = first_line(stmt, decorator_list);
        let mut flags = self.default_arguments(location, args)?;
        let mut type_param_args = 0;
        if !type_params.is_empty() {
            // The defaults are evaluated outside and come in as arguments.
            type_param_args += usize::from(flags & function_attribute::DEFAULTS != 0);
            type_param_args += usize::from(flags & function_attribute::KWDEFAULTS != 0);
            if type_param_args == 2 {
                self.addop_i(location, Opcode::SWAP, 2);
            }
            let counts = ArgumentCounts { args: type_param_args, ..ArgumentCounts::default() };
            self.enter_type_params(name, type_params, firstlineno, None, counts)?;
            self.type_params(type_params)?;
            for index in 0..type_param_args {
                self.addop_i(location, Opcode::LOAD_FAST, index);
            }
        }
        flags |= self.function_annotations(location, args, returns)?;
        self.function_body(stmt, flags, firstlineno)?;
        if !type_params.is_empty() {
            self.addop_i(location, Opcode::SWAP, 2);
            self.addop_i(location, Opcode::CALL_INTRINSIC_2, Intrinsic2::SetFunctionTypeParams as usize);
            let code = self.optimize_and_assemble(false)?;
            self.make_closure(location, code, 0)?;
            if type_param_args > 0 {
                self.addop_i(location, Opcode::SWAP, type_param_args + 1);
                self.addop_i(location, Opcode::CALL, type_param_args - 1);
            } else {
                self.addop(location, Opcode::PUSH_NULL);
                self.addop_i(location, Opcode::CALL, 0);
            }
        }
        self.apply_decorators(decorator_list);
        self.store_name(location, name)
    }

    pub(super) fn apply_decorators(&mut self, decorators: &[Expr<'_>]) {
        for decorator in decorators.iter().rev() {
            self.addop_i(decorator.span.into(), Opcode::CALL, 0);
        }
    }

    fn function_body(&mut self, stmt: &'a Stmt<'a>, flags: u32, firstlineno: i32) -> Result {
        let (name, args, body, scope_type) = match stmt.kind {
            StmtKind::FunctionDef { name, args, body, .. } => (name, args, body, ScopeType::Function),
            StmtKind::AsyncFunctionDef { name, args, body, .. } => (name, args, body, ScopeType::AsyncFunction),
            _ => return Ok(()),
        };
        let counts = ArgumentCounts::of(args);
        self.enter_scope(name, scope_type, BlockKey::body(stmt), firstlineno, None, counts)?;
        let mut rest = body;
        if self.block().has_docstring
            && let Some(text) = docstring(body)
        {
            rest = &body[1..];
            let text = clean_doc(&constant::text(text))?;
            self.unit_mut().consts.add(Constant::Str(text));
        }
        let start = self.new_label();
        self.use_label(start);
        let is_generator = self.block().coroutine || self.block().generator;
        if is_generator {
            self.push_fblock(Location::NONE, FBlockKind::StopIteration, Some(start), None)?;
        }
        self.stmts(rest)?;
        if is_generator {
            self.wrap_in_stopiteration_handler();
            self.pop_fblock();
        }
        let code = self.optimize_and_assemble(true)?;
        self.make_closure(stmt.span.into(), code, flags)
    }

    /// A StopIteration must not leave a generator by accident.
    pub(super) fn wrap_in_stopiteration_handler(&mut self) {
        let handler = self.new_label();
        let sequence = self.sequence();
        let resume = sequence.instructions().iter().position(|instruction| instruction.opcode == Opcode::RESUME);
        sequence.insert(resume.unwrap_or(0), Opcode::SETUP_CLEANUP, handler.0, Location::NONE);
        self.load_none(Location::NONE);
        self.addop(Location::NONE, Opcode::RETURN_VALUE);
        self.use_label(handler);
        self.addop_i(Location::NONE, Opcode::CALL_INTRINSIC_1, Intrinsic1::StopIterationError as usize);
        self.addop_i(Location::NONE, Opcode::RERAISE, 1);
    }

    pub(super) fn lambda(&mut self, expr: &'a Expr<'a>, args: &'a Arguments<'a>, body: &'a Expr<'a>) -> Result {
        let location: Location = expr.span.into();
        let flags = self.default_arguments(location, args)?;
        let counts = ArgumentCounts::of(args);
        self.enter_scope("<lambda>", ScopeType::Lambda, BlockKey::body(expr), location.lineno, None, counts)?;
        self.expr(body)?;
        let generator = self.block().generator;
        if !generator {
            self.addop(body.span.into(), Opcode::RETURN_VALUE);
        }
        let code = self.optimize_and_assemble(!generator)?;
        self.make_closure(location, code, flags)
    }

    /// Pushes the defaults; returns which there are.
    fn default_arguments(&mut self, location: Location, args: &'a Arguments<'a>) -> Result<u32> {
        let mut flags = 0;
        if !args.defaults.is_empty() {
            self.exprs(args.defaults)?;
            self.addop_i(location, Opcode::BUILD_TUPLE, args.defaults.len());
            flags |= function_attribute::DEFAULTS;
        }
        let mut keyword_defaults = 0;
        for (arg, default) in args.kwonlyargs.iter().zip(args.kw_defaults) {
            if let Some(default) = default {
                let name = self.mangle(arg.arg);
                self.load_str(location, name);
                self.expr(default)?;
                keyword_defaults += 1;
            }
        }
        if keyword_defaults > 0 {
            self.addop_i(location, Opcode::BUILD_MAP, keyword_defaults);
            flags |= function_attribute::KWDEFAULTS;
        }
        Ok(flags)
    }
}

/// The line on which a definition starts, decorators included.
pub(super) fn first_line(stmt: &Stmt<'_>, decorators: &[Expr<'_>]) -> i32 {
    decorators.first().map_or(stmt.span.lineno, |decorator| decorator.span.lineno) as i32
}
