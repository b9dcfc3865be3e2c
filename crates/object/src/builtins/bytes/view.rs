//! What `bytes` and `bytearray` have in common: reading the bytes of either, and making a result of the same type.

use super::{Bytes, from_slice};
use crate::buffer::BytesLike;
use crate::builtins::bytearray::{self, ByteArray};
use crate::object::Result;
use crate::value::Value;
use crate::vm::Vm;

/// The bytes of a bytes object or bytearray, which keeps its length meanwhile.
pub(crate) fn own<'a>(vm: &Vm, this: &'a Value) -> Result<BytesLike<'a>> {
    match this.downcast::<Bytes>() {
        Some(bytes) => Ok(BytesLike::Bytes(bytes.as_slice())),
        None => vm.get_buffer(this, 0).map(BytesLike::Buffer),
    }
}

/// A result of a method of `this`: an exact bytes object or bytearray.
pub(crate) fn make(vm: &Vm, this: &Value, data: &[u8]) -> Result {
    if this.downcast::<ByteArray>().is_none() {
        return from_slice(vm, data);
    }
    let mut copy = Vec::new();
    if copy.try_reserve_exact(data.len()).is_err() {
        return Err(vm.memory_error());
    }
    copy.extend_from_slice(data);
    Ok(bytearray::new(copy))
}

/// As [`make`], without a copy for bytearrays.
pub(crate) fn make_owned(vm: &Vm, this: &Value, data: Vec<u8>) -> Result {
    if this.downcast::<ByteArray>().is_none() { from_slice(vm, &data) } else { Ok(bytearray::new(data)) }
}

/// `this` itself if it is an exact bytes object, which cannot change; else a copy.
pub(crate) fn unchanged(vm: &Vm, this: &Value) -> Result {
    match this.downcast_exact::<Bytes>() {
        Some(_) => Ok(this.clone()),
        None => make(vm, this, &own(vm, this)?),
    }
}

/// A vector for so many bytes, which Python code chose.
pub(crate) fn reserved(vm: &Vm, length: Option<usize>) -> Result<Vec<u8>> {
    let mut data = Vec::new();
    match length {
        Some(length) if length <= isize::MAX as usize && data.try_reserve_exact(length).is_ok() => Ok(data),
        _ => Err(vm.memory_error()),
    }
}
