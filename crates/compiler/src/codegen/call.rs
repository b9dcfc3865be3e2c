//! Calls: plain, of methods, of `super()`, with keywords, with unpacked arguments.

use taipan_bytecode::oparg::{CommonConstant, Intrinsic1};

use super::assign::start_at_attribute;
use super::*;
use crate::symtable::{DEF_IMPORT, Scope};

fn any_starred(args: &[Expr<'_>]) -> bool {
    args.iter().any(|arg| matches!(arg.kind, ExprKind::Starred { .. }))
}

impl<'a> Compiler<'a, '_> {
    pub(super) fn call(
        &mut self,
        expr: &'a Expr<'a>,
        func: &'a Expr<'a>,
        args: &'a [Expr<'a>],
        keywords: &'a [Keyword<'a>],
    ) -> Result {
        self.validate_keywords(keywords)?;
        if self.method_call(expr, func, args, keywords)? {
            return Ok(());
        }
        let end = self.new_label();
        self.check_caller(func);
        self.expr(func)?;
        self.call_of_builtin(func, args, keywords, end)?;
        self.addop(func.span.into(), Opcode::PUSH_NULL);
        self.call_helper(expr.span.into(), 0, args, None, keywords)?;
        self.use_label(end);
        Ok(())
    }

    pub(super) fn validate_keywords(&self, keywords: &[Keyword<'_>]) -> Result {
        for (index, keyword) in keywords.iter().enumerate() {
            let Some(arg) = keyword.arg else { continue };
            if let Some(other) = keywords[index + 1..].iter().find(|other| other.arg == Some(arg)) {
                return Err(self.error(other.span.into(), format!("keyword argument repeated: {arg}")));
            }
        }
        Ok(())
    }

    /// `object.method(...)` without a bound method, if the call is such a one.
    fn method_call(
        &mut self,
        expr: &'a Expr<'a>,
        func: &'a Expr<'a>,
        args: &'a [Expr<'a>],
        keywords: &'a [Keyword<'a>],
    ) -> Result<bool> {
        let ExprKind::Attribute { value, attr, ctx: ExprContext::Load } = func.kind else { return Ok(false) };
        // A module's attribute is no method.
        if let ExprKind::Name { id, .. } = value.kind
            && self.module_symbol(id) & DEF_IMPORT != 0
        {
            return Ok(false);
        }
        let values = args.len() + keywords.len() + usize::from(!keywords.is_empty());
        if values >= STACK_USE_GUIDELINE || any_starred(args) || keywords.iter().any(|keyword| keyword.arg.is_none()) {
            return Ok(false);
        }
        let location = start_at_attribute(func.span.into(), func);
        if self.can_optimize_super_call(value, attr) {
            self.load_super_attr(func, value, attr, true)?;
            self.addop(location, Opcode::NOP);
        } else {
            self.expr(value)?;
            self.load_attr(location, attr, true);
        }
        self.exprs(args)?;
        let call_location = start_at_attribute(expr.span.into(), func);
        if keywords.is_empty() {
            self.addop_i(call_location, Opcode::CALL, args.len());
        } else {
            self.keyword_values(location, keywords)?;
            self.addop_i(call_location, Opcode::CALL_KW, args.len() + keywords.len());
        }
        Ok(true)
    }

    /// `all`, `any` and `tuple` of a generator expression are loops, if the names mean the builtins at run time.
    /// Otherwise the function stays on the stack.
    fn call_of_builtin(
        &mut self,
        func: &'a Expr<'a>,
        args: &'a [Expr<'a>],
        keywords: &'a [Keyword<'a>],
        end: Label,
    ) -> Result {
        let (ExprKind::Name { id, .. }, [generator], []) = (func.kind, args, keywords) else { return Ok(()) };
        let ExprKind::GeneratorExp { .. } = generator.kind else { return Ok(()) };
        // An asynchronous one is no iterable.
        let block = self.lookup_block(BlockKey::body(generator))?;
        if self.table.block(block).coroutine {
            return Ok(());
        }
        let (builtin, continues_on) = match id {
            "all" => (CommonConstant::All, Some(true)),
            "any" => (CommonConstant::Any, Some(false)),
            "tuple" => (CommonConstant::Tuple, None),
            _ => return Ok(()),
        };
        let location: Location = func.span.into();
        let skip = self.new_label();
        let top = self.new_label();
        let cleanup = self.new_label();
        self.addop_i(location, Opcode::COPY, 1);
        self.addop_i(location, Opcode::LOAD_COMMON_CONSTANT, builtin as usize);
        self.addop_compare(location, CmpOp::Is);
        self.addop_jump(location, Opcode::POP_JUMP_IF_FALSE, skip);
        self.addop(location, Opcode::POP_TOP);
        if continues_on.is_none() {
            self.addop_i(location, Opcode::BUILD_LIST, 0);
        }
        self.expr(generator)?;
        self.use_label(top);
        self.addop_jump(location, Opcode::FOR_ITER, cleanup);
        match continues_on {
            None => {
                self.addop_i(location, Opcode::LIST_APPEND, 2);
                self.addop_jump(location, Opcode::JUMP, top);
            }
            Some(truth) => {
                self.addop(location, Opcode::TO_BOOL);
                let jump = if truth { Opcode::POP_JUMP_IF_TRUE } else { Opcode::POP_JUMP_IF_FALSE };
                self.addop_jump(location, jump, top);
            }
        }
        self.addop(Location::NONE, Opcode::POP_ITER);
        if let Some(truth) = continues_on {
            self.load_const(location, Constant::bool(!truth));
        }
        self.addop_jump(location, Opcode::JUMP, end);
        self.use_label(cleanup);
        self.addop(Location::NONE, Opcode::END_FOR);
        self.addop(Location::NONE, Opcode::POP_ITER);
        match continues_on {
            None => self.addop_i(location, Opcode::CALL_INTRINSIC_1, Intrinsic1::ListToTuple as usize),
            Some(truth) => self.load_const(location, Constant::bool(truth)),
        }
        self.addop_jump(location, Opcode::JUMP, end);
        self.use_label(skip);
        Ok(())
    }

    /// Whether `value` is a call of the builtin `super` that LOAD_SUPER_ATTR may replace.
    pub(super) fn can_optimize_super_call(&self, value: &Expr<'_>, attr: &str) -> bool {
        let ExprKind::Call { func, args, keywords: [] } = value.kind else { return false };
        let ExprKind::Name { id: "super", .. } = func.kind else { return false };
        if attr == "__class__" || any_starred(args) {
            return false;
        }
        // Neither the block nor the module may give the name another meaning.
        if self.scope("super") != Scope::GlobalImplicit || Scope::of(self.module_symbol("super")) != Scope::Unresolved {
            return false;
        }
        match args.len() {
            2 => true,
            0 => {
                let counts = self.unit().counts;
                counts.args + counts.posonlyargs > 0 && self.reference_scope("__class__") == Scope::Free
            }
            _ => false,
        }
    }

    /// Writes LOAD_SUPER_ATTR, whose argument says besides the name whether a method is meant and whether `super`
    /// has arguments.
    pub(super) fn load_super_attr(
        &mut self,
        expr: &'a Expr<'a>,
        super_call: &'a Expr<'a>,
        attr: &'a str,
        method: bool,
    ) -> Result {
        let ExprKind::Call { func, args, .. } = super_call.kind else { return Ok(()) };
        let location = super_call.span.into();
        self.load_name(func.span.into(), "super")?;
        if args.is_empty() {
            self.load_name(location, "__class__")?;
            if let Some((first, ())) = self.unit().varnames.at(0) {
                self.load_name(location, first)?;
            }
        } else {
            self.exprs(args)?;
        }
        let index = self.name_index(attr);
        let oparg = index << 2 | usize::from(!args.is_empty()) << 1 | usize::from(method);
        self.addop_i(expr.span.into(), Opcode::LOAD_SUPER_ATTR, oparg);
        Ok(())
    }

    fn keyword_values(&mut self, location: Location, keywords: &'a [Keyword<'a>]) -> Result {
        for keyword in keywords {
            self.expr(keyword.value)?;
        }
        let names =
            keywords.iter().filter_map(|keyword| keyword.arg).map(|name| Constant::Str(self.text(name))).collect();
        self.load_const(location, Constant::tuple(names));
        Ok(())
    }

    /// The arguments and the call; the function, a null or `self`, and `pushed` arguments lie on the stack. The value of
    /// the name `injected` follows the positional arguments.
    pub(super) fn call_helper(
        &mut self,
        location: Location,
        pushed: usize,
        args: &'a [Expr<'a>],
        injected: Option<&'a str>,
        keywords: &'a [Keyword<'a>],
    ) -> Result {
        let fits = args.len() + keywords.len() * 2 <= STACK_USE_GUIDELINE;
        if !fits || any_starred(args) || keywords.iter().any(|keyword| keyword.arg.is_none()) {
            return self.call_unpacked(location, pushed, args, injected, keywords);
        }
        self.exprs(args)?;
        let mut count = pushed + args.len();
        if let Some(name) = injected {
            self.load_name(location, name)?;
            count += 1;
        }
        if keywords.is_empty() {
            self.addop_i(location, Opcode::CALL, count);
        } else {
            self.keyword_values(location, keywords)?;
            self.addop_i(location, Opcode::CALL_KW, count + keywords.len());
        }
        Ok(())
    }

    fn call_unpacked(
        &mut self,
        location: Location,
        pushed: usize,
        args: &'a [Expr<'a>],
        injected: Option<&'a str>,
        keywords: &'a [Keyword<'a>],
    ) -> Result {
        match args {
            [Expr { kind: ExprKind::Starred { value, .. }, .. }] if pushed == 0 && injected.is_none() => {
                self.expr(value)?;
            }
            _ => self.build_tuple(location, args, injected, pushed)?,
        }
        if keywords.is_empty() {
            self.addop(location, Opcode::PUSH_NULL);
            self.addop(location, Opcode::CALL_FUNCTION_EX);
            return Ok(());
        }
        let mut have_dict = false;
        let mut pending = 0;
        for (index, keyword) in keywords.iter().enumerate() {
            if keyword.arg.is_some() {
                pending += 1;
                continue;
            }
            if pending > 0 {
                self.keyword_dict(location, &keywords[index - pending..index])?;
                self.merge_dict(location, &mut have_dict);
                pending = 0;
            }
            if !have_dict {
                self.addop_i(location, Opcode::BUILD_MAP, 0);
                have_dict = true;
            }
            self.expr(keyword.value)?;
            self.addop_i(location, Opcode::DICT_MERGE, 1);
        }
        if pending > 0 {
            self.keyword_dict(location, &keywords[keywords.len() - pending..])?;
            self.merge_dict(location, &mut have_dict);
        }
        self.addop(location, Opcode::CALL_FUNCTION_EX);
        Ok(())
    }

    fn merge_dict(&mut self, location: Location, have_dict: &mut bool) {
        if std::mem::replace(have_dict, true) {
            self.addop_i(location, Opcode::DICT_MERGE, 1);
        }
    }

    fn keyword_dict(&mut self, location: Location, keywords: &'a [Keyword<'a>]) -> Result {
        let big = keywords.len() * 2 > STACK_USE_GUIDELINE;
        if big {
            self.addop_i(Location::NONE, Opcode::BUILD_MAP, 0);
        }
        for keyword in keywords {
            self.load_str(location, keyword.arg.unwrap_or_default());
            self.expr(keyword.value)?;
            if big {
                self.addop_i(Location::NONE, Opcode::MAP_ADD, 1);
            }
        }
        if !big {
            self.addop_i(location, Opcode::BUILD_MAP, keywords.len());
        }
        Ok(())
    }
}
