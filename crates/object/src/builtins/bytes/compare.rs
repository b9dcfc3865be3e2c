//! Comparison of bytes and bytearrays with bytes-like objects.

use super::repr::warn;
use crate::builtins::int;
use crate::builtins::str::Str;
use crate::object::Result;
use crate::types::slots::CompareOp;
use crate::value::Value;
use crate::vm::Vm;

/// `a op b`; bytearrays compare with every bytes-like object, bytes only with bytes.
pub(crate) fn compare(vm: &Vm, a: &Value, b: &Value, op: CompareOp) -> Result {
    if super::is_bytes(a) && super::is_bytes(b) {
        if a.is(b) {
            return Ok(Value::bool(op.holds(std::cmp::Ordering::Equal)));
        }
        return Ok(Value::bool(op.holds((*vm.bytes_like(a)?).cmp(&*vm.bytes_like(b)?))));
    }
    if super::is_bytearray(a) && vm.has_buffer(b) {
        let b = match vm.get_buffer(b, 0) {
            Ok(b) => b,
            Err(raised) => {
                vm.catch(raised, crate::exceptions::BUFFER_ERROR.ty())?;
                return Ok(Value::NOT_IMPLEMENTED);
            }
        };
        return Ok(Value::bool(op.holds((*vm.bytes_like(a)?).cmp(b.as_slice()))));
    }
    if matches!(op, CompareOp::Eq | CompareOp::Ne) {
        let name = if super::is_bytes(a) { "bytes" } else { "bytearray" };
        if b.downcast::<Str>().is_some() {
            warn(vm, &format!("Comparison between {name} and string"))?;
        } else if super::is_bytes(a) && int::is_int(b) {
            warn(vm, &format!("Comparison between {name} and int"))?;
        }
    }
    Ok(Value::NOT_IMPLEMENTED)
}
