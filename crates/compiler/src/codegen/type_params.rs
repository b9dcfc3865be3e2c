//! Type parameters and `type` statements (PEP 695, PEP 696).

use taipan_bytecode::oparg::{Intrinsic1, Intrinsic2, function_attribute};

use super::unit::ArgumentCounts;
use super::*;
use crate::symtable::BlockRole;

impl<'a> Compiler<'a, '_> {
    /// Starts the unit that binds type parameters around a definition.
    pub(super) fn enter_type_params(
        &mut self,
        name: &'a str,
        params: &'a [TypeParam<'a>],
        lineno: i32,
        private: Option<&'a str>,
        counts: ArgumentCounts,
    ) -> Result {
        let unit_name = self.arena.alloc_str(&format!("<generic parameters of {name}>"));
        let key = BlockKey::new(&params[0], BlockRole::TypeParameters);
        self.enter_scope(unit_name, ScopeType::Annotations, key, lineno, private, counts)
    }

    /// Makes and stores the parameters; their tuple is left on the stack.
    pub(super) fn type_params(&mut self, params: &'a [TypeParam<'a>]) -> Result {
        let mut seen_default = false;
        for param in params {
            let location: Location = param.span.into();
            let (name, bound, default, make, may_star) = match param.kind {
                TypeParamKind::TypeVar { name, bound, default_value } => {
                    (name, bound, default_value, Intrinsic1::TypeVar, false)
                }
                TypeParamKind::TypeVarTuple { name, default_value } => {
                    (name, None, default_value, Intrinsic1::TypeVarTuple, true)
                }
                TypeParamKind::ParamSpec { name, default_value } => {
                    (name, None, default_value, Intrinsic1::ParamSpec, false)
                }
            };
            self.load_str(location, name);
            match bound {
                Some(bound) => {
                    let key = BlockKey::new(param, BlockRole::TypeVariableBound);
                    self.evaluator(bound, name, key, false)?;
                    let make = match bound.kind {
                        ExprKind::Tuple { .. } => Intrinsic2::TypeVarWithConstraints,
                        _ => Intrinsic2::TypeVarWithBound,
                    };
                    self.addop_i(location, Opcode::CALL_INTRINSIC_2, make as usize);
                }
                None => self.addop_i(location, Opcode::CALL_INTRINSIC_1, make as usize),
            }
            if let Some(default) = default {
                seen_default = true;
                let key = BlockKey::new(param, BlockRole::TypeVariableDefault);
                self.evaluator(default, name, key, may_star)?;
                self.addop_i(location, Opcode::CALL_INTRINSIC_2, Intrinsic2::SetTypeParamDefault as usize);
            } else if seen_default {
                let message = format!("non-default type parameter '{name}' follows default type parameter");
                return Err(self.error(location, message));
            }
            self.addop_i(location, Opcode::COPY, 1);
            self.store_name(location, name)?;
        }
        self.addop_i(params[0].span.into(), Opcode::BUILD_TUPLE, params.len());
        Ok(())
    }

    /// A function that evaluates a bound or default when asked for.
    fn evaluator(&mut self, expr: &'a Expr<'a>, name: &'a str, key: BlockKey, may_star: bool) -> Result {
        let location: Location = expr.span.into();
        self.load_const(location, Constant::tuple(vec![Constant::int(1)]));
        let block = self.lookup_block(key)?;
        self.enter_annotations_scope(location, block, name)?;
        match expr.kind {
            ExprKind::Starred { value, .. } if may_star => {
                self.expr(value)?;
                self.addop_i(location, Opcode::UNPACK_SEQUENCE, 1);
            }
            _ => self.expr(expr)?,
        }
        self.addop(location, Opcode::RETURN_VALUE);
        let code = self.optimize_and_assemble(true)?;
        self.make_closure(location, code, function_attribute::DEFAULTS)
    }

    pub(super) fn type_alias(
        &mut self,
        stmt: &'a Stmt<'a>,
        name: &'a Expr<'a>,
        params: &'a [TypeParam<'a>],
        value: &'a Expr<'a>,
    ) -> Result {
        let location: Location = stmt.span.into();
        let ExprKind::Name { id: name, .. } = name.kind else {
            return Err(CompileError::Value("TypeAlias with non-Name name".to_owned()));
        };
        let is_generic = !params.is_empty();
        if is_generic {
            self.enter_type_params(name, params, location.lineno, None, ArgumentCounts::default())?;
            self.load_str(location, name);
            self.type_params(params)?;
        } else {
            self.load_str(location, name);
            self.load_none(location);
        }
        self.load_const(location, Constant::tuple(vec![Constant::int(1)]));
        let block = self.lookup_block(BlockKey::body(stmt))?;
        self.enter_annotations_scope(location, block, name)?;
        self.expr(value)?;
        self.addop(location, Opcode::RETURN_VALUE);
        let code = self.optimize_and_assemble(false)?;
        self.make_closure(location, code, function_attribute::DEFAULTS)?;
        self.addop_i(location, Opcode::BUILD_TUPLE, 3);
        self.addop_i(location, Opcode::CALL_INTRINSIC_1, Intrinsic1::TypeAlias as usize);
        if is_generic {
            let code = self.optimize_and_assemble(false)?;
            self.make_closure(location, code, 0)?;
            self.addop(location, Opcode::PUSH_NULL);
            self.addop_i(location, Opcode::CALL, 0);
        }
        self.store_name(location, name)
    }
}
