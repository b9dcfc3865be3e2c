//! Indexing and slicing of bytes and bytearrays.

use super::view::{make, make_owned, own, unchanged};
use crate::builtins::int;
use crate::builtins::slice::{Slice, adjust_indices};
use crate::object::Result;
use crate::value::Value;
use crate::vm::Vm;

/// The message for an index that is out of range.
fn out_of_range(this: &Value) -> &'static str {
    if super::is_bytes(this) { "index out of range" } else { "bytearray index out of range" }
}

/// `this[index]`
pub(crate) fn get_index(vm: &Vm, this: &Value, index: i64) -> Result {
    let data = own(vm, this)?;
    let at = if index < 0 { index.wrapping_add(data.len() as i64) } else { index };
    match usize::try_from(at).ok().and_then(|at| data.get(at)) {
        Some(byte) => Ok(Value::small_int(*byte as i64)),
        None => Err(vm.index_error(out_of_range(this))),
    }
}

/// An index that is no slice, as a number.
pub(crate) fn index_of(vm: &Vm, this: &Value, key: &Value) -> Result<i64> {
    if !int::is_int(key) && key.ty().slots().index.is_none() {
        let noun = if super::is_bytes(this) { "byte" } else { "bytearray" };
        let name = key.ty().name();
        return Err(vm.type_error(format!("{noun} indices must be integers or slices, not {name}")));
    }
    match int::to_i64(&vm.index(key)?) {
        Some(index) => Ok(index),
        None => {
            let name = key.ty().name();
            Err(vm.index_error(format!("cannot fit '{name}' into an index-sized integer")))
        }
    }
}

/// `this[key]`
pub(crate) fn subscript(vm: &Vm, this: &Value, key: &Value) -> Result {
    if let Some(slice) = key.downcast::<Slice>() {
        let (start, stop, step) = slice.unpack(vm)?;
        let data = own(vm, this)?;
        let indices = adjust_indices(data.len(), start, stop, step);
        let start = indices.start as usize;
        return match (indices.count, indices.step) {
            (0, _) => make(vm, this, &[]),
            (count, 1) if count == data.len() => unchanged(vm, this),
            (count, 1) => make(vm, this, &data[start..start + count]),
            _ => make_owned(vm, this, vm.buffer_from(indices.positions().map(|at| data[at]))?),
        };
    }
    let index = match key.as_small_int() {
        Some(index) => index,
        None => index_of(vm, this, key)?,
    };
    get_index(vm, this, index)
}
