//! `int.to_bytes` and `int.from_bytes`.

use super::{INT, Operand};
use crate::builtins::bytes;
use crate::builtins::str::Str;
use crate::object::Result;
use crate::text::int_conversion::{self, Int as PlainInt};
use crate::types::Type;
use crate::value::Value;
use crate::vm::Vm;

fn is_little(vm: &Vm, function: &str, byteorder: &Value) -> Result<bool> {
    let text = byteorder.downcast::<Str>();
    match text.and_then(Str::as_ascii) {
        Some("little") => Ok(true),
        Some("big") => Ok(false),
        _ if text.is_some() => Err(vm.value_error("byteorder must be either 'little' or 'big'")),
        _ => {
            let name = vm.argument_type(byteorder);
            Err(vm.type_error(format!("{function}() argument 'byteorder' must be str, not {name}")))
        }
    }
}

pub(super) fn to_bytes(vm: &Vm, this: &Value, args: &[Value]) -> Result {
    let length = vm.index_ssize(&args[0])?;
    let little = is_little(vm, "to_bytes", &args[1])?;
    let signed = vm.is_true(&args[2])?;
    let Ok(length) = usize::try_from(length) else {
        return Err(vm.value_error("length argument must be non-negative"));
    };
    // Fewer bytes than the number has would need a closer look.
    if let (Some(n), 1..=8, false) = (this.as_small_int().and_then(|n| u64::try_from(n).ok()), length, signed)
        && 64 - n.leading_zeros() as usize <= length * 8
    {
        return match little {
            true => bytes::from_slice(vm, &n.to_le_bytes()[..length]),
            false => bytes::from_slice(vm, &n.to_be_bytes()[8 - length..]),
        };
    }
    let plain = match Operand::of(this) {
        Some(Operand::Small(n)) => PlainInt::Small(n),
        Some(Operand::Big(n)) => PlainInt::Big(n.clone()),
        None => return Ok(Value::NOT_IMPLEMENTED),
    };
    match int_conversion::to_bytes(&plain, length, little, signed) {
        Ok(data) => bytes::from_slice(vm, &data),
        Err(error) => Err(vm.text_error(error)),
    }
}

pub(super) fn from_bytes(vm: &Vm, class: &Value, args: &[Value]) -> Result {
    let little = is_little(vm, "from_bytes", &args[1])?;
    let signed = vm.is_true(&args[2])?;
    let parsed = match args[0].downcast_exact::<bytes::Bytes>() {
        Some(data) => {
            super::check_room(vm, data.as_slice().len().saturating_mul(8))?;
            int_conversion::from_bytes(data.as_slice(), little, signed)
        }
        None => {
            let data = bytes::object_to_bytes(vm, &args[0])?;
            super::check_room(vm, data.len().saturating_mul(8))?;
            int_conversion::from_bytes(&data, little, signed)
        }
    };
    let n = super::construct::from_parsed(parsed);
    if class.downcast::<Type>().is_some_and(|ty| ty.is(&INT)) { Ok(n) } else { vm.call_args(class, &[n]) }
}
