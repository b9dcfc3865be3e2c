//! Signed and complex numbers, which the grammar spells as expressions.

use bumpalo::Bump;
use taipan_syntax::ast::*;

/// The value of a number, a negated number, or a sum or difference of a real and an imaginary number.
pub(super) fn evaluate<'a>(expr: &Expr<'a>, arena: &'a Bump) -> Option<Constant<'a>> {
    match expr.kind {
        ExprKind::UnaryOp { op: UnaryOperator::USub, operand } => {
            let ExprKind::Constant { value, .. } = operand.kind else { return None };
            negate(value, arena)
        }
        ExprKind::BinOp { left, op: op @ (Operator::Add | Operator::Sub), right } => {
            let ExprKind::Constant { value: Constant::Complex { real, imag }, .. } = right.kind else { return None };
            let left = match left.kind {
                ExprKind::Constant { value, .. } => value,
                _ => evaluate(left, arena)?,
            };
            let left = as_float(left)?;
            Some(match op {
                Operator::Add => Constant::Complex { real: left + real, imag },
                _ => Constant::Complex { real: left - real, imag: -imag },
            })
        }
        _ => None,
    }
}

fn negate<'a>(value: Constant<'a>, arena: &'a Bump) -> Option<Constant<'a>> {
    Some(match value {
        Constant::Int(value) => match value.checked_neg() {
            Some(negated) => Constant::Int(negated),
            None => {
                let limbs = arena.alloc_slice_copy(&[value.unsigned_abs()]);
                Constant::BigInt(arena.alloc(BigInt { negative: false, limbs }))
            }
        },
        // The one number whose negative is small enough.
        Constant::BigInt(BigInt { negative: false, limbs: [limb] }) if *limb == 1 << 63 => Constant::Int(i64::MIN),
        Constant::BigInt(value) => {
            Constant::BigInt(arena.alloc(BigInt { negative: !value.negative, limbs: value.limbs }))
        }
        Constant::Float(value) => Constant::Float(-value),
        Constant::Complex { real, imag } => Constant::Complex { real: -real, imag: -imag },
        _ => return None,
    })
}

fn as_float(value: Constant<'_>) -> Option<f64> {
    match value {
        Constant::Int(value) => Some(value as f64),
        Constant::Float(value) => Some(value),
        Constant::BigInt(_) => match crate::codegen::constant(&value) {
            taipan_bytecode::Constant::Int(value) => {
                let float = value.to_f64().value();
                float.is_finite().then_some(float)
            }
            _ => None,
        },
        _ => None,
    }
}
