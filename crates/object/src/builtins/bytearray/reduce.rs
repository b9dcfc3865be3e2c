//! Pickling and sizes of bytearrays.

use super::own;
use crate::attributes::memory;
use crate::builtins::bytes;
use crate::builtins::str::Str;
use crate::builtins::tuple::Tuple;
use crate::object::Result;
use crate::value::Value;
use crate::vm::{Vm, names};

fn state_of(vm: &Vm, this: &Value, protocol: i64) -> Result {
    let data = own(this).to_vec(vm)?;
    let arguments = if data.is_empty() {
        Tuple::from_vec(Vec::new())
    } else if protocol < 3 {
        Tuple::from_vec(vec![Str::from_latin1(&data).into_value(), Value::from("latin-1")])
    } else {
        Tuple::from_vec(vec![bytes::from_slice(vm, &data)?])
    };
    let state = match vm.get_attr_opt(this, &names().__dict__)? {
        Some(dict) if vm.len(&dict)? > 0 => dict,
        _ => Value::NONE,
    };
    Ok(Tuple::from_vec(vec![this.ty().to_value(), arguments.into_value(), state]).into_value())
}

pub(super) fn reduce(vm: &Vm, this: &Value, _: &[Value]) -> Result {
    state_of(vm, this, 2)
}

pub(super) fn reduce_ex(vm: &Vm, this: &Value, args: &[Value]) -> Result {
    state_of(vm, this, vm.index_i32(&args[0])? as i64)
}

/// What CPython allocates: the contents and a terminating zero.
pub(super) fn alloc(_: &Vm, this: &Value, _: &[Value]) -> Result {
    let capacity = own(this).state.borrow(&own(this).header).capacity();
    Ok(Value::from(if capacity == 0 { 0 } else { capacity + 1 }))
}

pub(super) fn sizeof(vm: &Vm, this: &Value, args: &[Value]) -> Result {
    let allocated = alloc(vm, this, args)?.as_small_int().unwrap_or(0);
    Ok(Value::from(memory(this) as i64 + allocated))
}
