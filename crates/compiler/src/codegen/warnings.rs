//! Warnings about code that is legal and most likely a mistake.

use taipan_syntax::ast::Constant as AstConstant;

use super::*;

/// The type that the expression's value certainly has.
fn infer_type(expr: &Expr<'_>) -> Option<&'static str> {
    Some(match expr.kind {
        ExprKind::Tuple { .. } => "tuple",
        ExprKind::List { .. } | ExprKind::ListComp { .. } => "list",
        ExprKind::Dict { .. } | ExprKind::DictComp { .. } => "dict",
        ExprKind::Set { .. } | ExprKind::SetComp { .. } => "set",
        ExprKind::GeneratorExp { .. } => "generator",
        ExprKind::Lambda { .. } => "function",
        ExprKind::TemplateStr { .. } => "string.templatelib.Template",
        ExprKind::Interpolation { .. } => "string.templatelib.Interpolation",
        ExprKind::JoinedStr { .. } | ExprKind::FormattedValue { .. } => "str",
        ExprKind::Constant { value, .. } => match value {
            AstConstant::None => "NoneType",
            AstConstant::True | AstConstant::False => "bool",
            AstConstant::Ellipsis => "ellipsis",
            AstConstant::Int(_) | AstConstant::BigInt(_) => "int",
            AstConstant::Float(_) => "float",
            AstConstant::Complex { .. } => "complex",
            AstConstant::Str(_) => "str",
            AstConstant::Bytes(_) => "bytes",
            AstConstant::Tuple(_) => "tuple",
            AstConstant::FrozenSet(_) => "frozenset",
        },
        _ => return None,
    })
}

/// Whether `is` with the expression makes sense.
fn has_identity(expr: &Expr<'_>) -> bool {
    match expr.kind {
        ExprKind::Constant { value, .. } => {
            matches!(value, AstConstant::None | AstConstant::True | AstConstant::False | AstConstant::Ellipsis)
        }
        ExprKind::Tuple { elts, .. } => !elts.iter().all(|elt| matches!(elt.kind, ExprKind::Constant { .. })),
        _ => true,
    }
}

impl<'a> Compiler<'a, '_> {
    pub(super) fn warn(&mut self, location: Location, message: String) {
        if self.disable_warnings == 0 {
            self.warnings.push(Warning { message, location });
        }
    }

    pub(super) fn check_compare(&mut self, expr: &Expr<'_>, left: &Expr<'_>, ops: &[CmpOp], comparators: &[Expr<'_>]) {
        let mut left = left;
        for (op, right) in ops.iter().zip(comparators) {
            let (operator, better) = match op {
                CmpOp::Is => ("is", "=="),
                CmpOp::IsNot => ("is not", "!="),
                _ => {
                    left = right;
                    continue;
                }
            };
            if !has_identity(left) || !has_identity(right) {
                let literal = if has_identity(left) { right } else { left };
                let ty = infer_type(literal).unwrap_or("object");
                let message = format!("\"{operator}\" with '{ty}' literal. Did you mean \"{better}\"?");
                self.warn(expr.span.into(), message);
                return;
            }
            left = right;
        }
    }

    pub(super) fn check_caller(&mut self, func: &Expr<'_>) {
        if let ExprKind::Lambda { .. } = func.kind {
            return;
        }
        if let Some(ty) = infer_type(func) {
            let message = format!("'{ty}' object is not callable; perhaps you missed a comma?");
            self.warn(func.span.into(), message);
        }
    }

    pub(super) fn check_subscripter(&mut self, value: &Expr<'_>) {
        let suspicious = match value.kind {
            ExprKind::Constant { value, .. } => {
                !matches!(value, AstConstant::Str(_) | AstConstant::Bytes(_) | AstConstant::Tuple(_))
            }
            ExprKind::Set { .. }
            | ExprKind::SetComp { .. }
            | ExprKind::GeneratorExp { .. }
            | ExprKind::TemplateStr { .. }
            | ExprKind::Interpolation { .. }
            | ExprKind::Lambda { .. } => true,
            _ => false,
        };
        if suspicious && let Some(ty) = infer_type(value) {
            let message = format!("'{ty}' object is not subscriptable; perhaps you missed a comma?");
            self.warn(value.span.into(), message);
        }
    }

    pub(super) fn check_index(&mut self, value: &Expr<'_>, index: &Expr<'_>) {
        let Some(index_type) = infer_type(index) else { return };
        if matches!(index_type, "int" | "bool") {
            return;
        }
        let sequence = match value.kind {
            ExprKind::Constant { value, .. } => {
                matches!(value, AstConstant::Str(_) | AstConstant::Bytes(_) | AstConstant::Tuple(_))
            }
            ExprKind::Tuple { .. }
            | ExprKind::List { .. }
            | ExprKind::ListComp { .. }
            | ExprKind::JoinedStr { .. }
            | ExprKind::FormattedValue { .. } => true,
            _ => false,
        };
        if sequence && let Some(ty) = infer_type(value) {
            let message =
                format!("{ty} indices must be integers or slices, not {index_type}; perhaps you missed a comma?");
            self.warn(value.span.into(), message);
        }
    }
}
