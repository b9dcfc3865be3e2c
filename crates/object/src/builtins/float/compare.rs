//! Comparison of floats with floats and, exactly, with ints.

use super::to_f64;
use crate::builtins::int::Operand;
use crate::object::Result;
use crate::types::slots::CompareOp;
use crate::value::Value;
use crate::vm::Vm;
use std::cmp::Ordering;

/// `a op b`
#[inline]
pub fn compare(_: &Vm, a: &Value, b: &Value, op: CompareOp) -> Result {
    if let (Some(x), Some(y)) = (a.as_immediate_float(), b.as_immediate_float()) {
        return Ok(Value::bool(holds(op, x.partial_cmp(&y))));
    }
    Ok(compare_general(a, b, op))
}

#[inline(never)]
fn compare_general(a: &Value, b: &Value, op: CompareOp) -> Value {
    let ordering = match (to_f64(a), to_f64(b)) {
        (Some(x), Some(y)) => x.partial_cmp(&y),
        (Some(x), None) => match Operand::of(b) {
            Some(n) => n.partial_cmp_f64(x).map(Ordering::reverse),
            None => return Value::NOT_IMPLEMENTED,
        },
        (None, Some(y)) => match Operand::of(a) {
            Some(n) => n.partial_cmp_f64(y),
            None => return Value::NOT_IMPLEMENTED,
        },
        (None, None) => return Value::NOT_IMPLEMENTED,
    };
    Value::bool(holds(op, ordering))
}

/// Whether the comparison holds; a nan is only unequal.
#[inline]
fn holds(op: CompareOp, ordering: Option<Ordering>) -> bool {
    match ordering {
        Some(ordering) => op.holds(ordering),
        None => op == CompareOp::Ne,
    }
}
