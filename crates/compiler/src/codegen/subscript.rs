//! Subscripts and slices.

use std::sync::Arc;

use taipan_bytecode::oparg::BinaryOp;

use super::*;

fn constant_part(part: Option<&Expr<'_>>) -> Option<Constant> {
    match part {
        None => Some(Constant::None),
        Some(Expr { kind: ExprKind::Constant { value, .. }, .. }) => Some(constant::constant(value)),
        Some(_) => None,
    }
}

fn constant_slice(slice: &Expr<'_>) -> Option<Constant> {
    let ExprKind::Slice { lower, upper, step } = slice.kind else { return None };
    Some(Constant::Slice(Arc::new([constant_part(lower)?, constant_part(upper)?, constant_part(step)?])))
}

/// The bounds of a slice that the instructions with two bounds may take.
pub(super) fn two_element_slice<'a>(slice: &Expr<'a>) -> Option<(Option<&'a Expr<'a>>, Option<&'a Expr<'a>>)> {
    match slice.kind {
        ExprKind::Slice { lower, upper, step: None } if constant_slice(slice).is_none() => Some((lower, upper)),
        _ => None,
    }
}

impl<'a> Compiler<'a, '_> {
    pub(super) fn subscript(
        &mut self,
        location: Location,
        value: &'a Expr<'a>,
        slice: &'a Expr<'a>,
        context: ExprContext,
    ) -> Result {
        if context == ExprContext::Load {
            self.check_subscripter(value);
            self.check_index(value, slice);
        }
        self.expr(value)?;
        if context != ExprContext::Del
            && let Some((lower, upper)) = two_element_slice(slice)
        {
            self.slice_parts(slice.span.into(), lower, upper)?;
            let load = context == ExprContext::Load;
            self.addop(location, if load { Opcode::BINARY_SLICE } else { Opcode::STORE_SLICE });
            return Ok(());
        }
        self.expr(slice)?;
        match context {
            ExprContext::Load => self.addop_i(location, Opcode::BINARY_OP, BinaryOp::Subscr as usize),
            ExprContext::Store => self.addop(location, Opcode::STORE_SUBSCR),
            ExprContext::Del => self.addop(location, Opcode::DELETE_SUBSCR),
        }
        Ok(())
    }

    pub(super) fn slice_parts(
        &mut self,
        location: Location,
        lower: Option<&'a Expr<'a>>,
        upper: Option<&'a Expr<'a>>,
    ) -> Result {
        for part in [lower, upper] {
            match part {
                Some(part) => self.expr(part)?,
                None => self.load_none(location),
            }
        }
        Ok(())
    }

    pub(super) fn slice(&mut self, expr: &'a Expr<'a>) -> Result {
        let location: Location = expr.span.into();
        if let Some(slice) = constant_slice(expr) {
            self.load_const(location, slice);
            return Ok(());
        }
        let ExprKind::Slice { lower, upper, step } = expr.kind else { return Ok(()) };
        self.slice_parts(location, lower, upper)?;
        let mut parts = 2;
        if let Some(step) = step {
            self.expr(step)?;
            parts = 3;
        }
        self.addop_i(location, Opcode::BUILD_SLICE, parts);
        Ok(())
    }
}
