//! Other objects as bytes.

use super::Bytes;
use crate::builtins::int;
use crate::builtins::list::List;
use crate::builtins::str::Str;
use crate::builtins::tuple::Tuple;
use crate::object::Result;
use crate::value::Value;
use crate::vm::{Vm, names};

/// `bytes(value)` for what is neither int nor str (`PyObject_Bytes`).
pub fn object_to_bytes(vm: &Vm, value: &Value) -> Result<Vec<u8>> {
    if let Some(bytes) = value.downcast_exact::<Bytes>() {
        return vm.buffer_of(bytes.as_slice());
    }
    if let Some(bytes) = by_special_method(vm, value)? {
        return vm.buffer_of(bytes.downcast::<Bytes>().map_or(&[], Bytes::as_slice));
    }
    from_object(vm, value)
}

/// What `__bytes__` returns, if the type has it: a bytes object.
pub fn by_special_method(vm: &Vm, value: &Value) -> Result<Option<Value>> {
    let Some(result) = vm.call_special(value, &names().__bytes__, &[]) else { return Ok(None) };
    let result = result?;
    if !super::is_bytes(&result) {
        let name = result.ty().name();
        return Err(vm.type_error(format!("__bytes__ returned non-bytes (type {name})")));
    }
    Ok(Some(result))
}

/// The bytes of a buffer or of an iterable of ints (`PyBytes_FromObject`).
pub fn from_object(vm: &Vm, value: &Value) -> Result<Vec<u8>> {
    if vm.has_buffer(value) {
        return vm.get_buffer(value, crate::buffer::buffer_flags::FULL_RO)?.to_vec(vm);
    }
    let name = value.ty().name();
    if value.downcast::<Str>().is_none() {
        match from_iterable(vm, value, "bytes") {
            Ok(bytes) => return Ok(bytes),
            Err(Failure::NotIterable(raised)) => vm.discard(raised),
            Err(Failure::Other(raised)) => return Err(raised),
        }
    }
    Err(vm.type_error(format!("cannot convert '{name}' object to bytes")))
}

/// Why an iterable gave no bytes.
pub enum Failure {
    /// It is none: the `TypeError` of `iter`.
    NotIterable(crate::vm::Raised),
    Other(crate::vm::Raised),
}

/// The bytes whose numbers an iterable gives; `noun` ("bytes" or "byte") begins the message for those out of range.
pub fn from_iterable(vm: &Vm, value: &Value, noun: &str) -> std::result::Result<Vec<u8>, Failure> {
    let mut bytes = Vec::new();
    // Items may change while `__index__` runs, so each turn asks anew.
    let from_items = |get: &dyn Fn(usize) -> Option<Value>| {
        let mut bytes = Vec::new();
        let mut at = 0;
        while let Some(item) = get(at) {
            let byte = byte_of(vm, &item, noun).map_err(Failure::Other)?;
            vm.reserve(&mut bytes, 1).map_err(Failure::Other)?;
            bytes.push(byte);
            at += 1;
        }
        Ok(bytes)
    };
    if let Some(list) = value.downcast_exact::<List>() {
        return from_items(&|at| list.get(at));
    }
    if let Some(tuple) = value.downcast_exact::<Tuple>() {
        return from_items(&|at| tuple.as_slice().get(at).cloned());
    }
    let iterator = match vm.iter(value) {
        Ok(iterator) => iterator,
        Err(raised) if vm.pending_matches(&raised, crate::exceptions::type_error()) => {
            return Err(Failure::NotIterable(raised));
        }
        Err(raised) => return Err(Failure::Other(raised)),
    };
    let hint = vm.length_hint(value, 64).map_err(Failure::Other)?;
    if bytes.try_reserve(hint).is_err() {
        return Err(Failure::Other(vm.memory_error()));
    }
    while let Some(item) = vm.next(&iterator).map_err(Failure::Other)? {
        let byte = byte_of(vm, &item, noun).map_err(Failure::Other)?;
        vm.reserve(&mut bytes, 1).map_err(Failure::Other)?;
        bytes.push(byte);
    }
    Ok(bytes)
}

/// The byte with a number given as an int.
#[inline]
pub fn byte_of(vm: &Vm, item: &Value, noun: &str) -> Result<u8> {
    let number = match item.as_small_int() {
        Some(n) => n,
        None => int::to_i64(&vm.index(item)?).unwrap_or(-1),
    };
    match u8::try_from(number) {
        Ok(byte) => Ok(byte),
        Err(_) => Err(vm.value_error(format!("{noun} must be in range(0, 256)"))),
    }
}
