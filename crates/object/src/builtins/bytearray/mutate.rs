//! Construction and change of bytearrays.

use super::{ByteArray, own};
use crate::builtins::bytes::Bytes;
use crate::builtins::bytes::construct::{self, Source};
use crate::builtins::bytes::convert::{self, byte_of};
use crate::builtins::bytes::subscript::index_of;
use crate::builtins::bytes::view;
use crate::builtins::complex::Complex;
use crate::builtins::slice::{Slice, adjust_indices};
use crate::builtins::str::Str;
use crate::codecs;
use crate::exceptions;
use crate::native::signature::Signature;
use crate::object::Result;
use crate::types::Type;
use crate::value::Value;
use crate::vm::Vm;
use std::sync::LazyLock;

pub(super) fn new(_: &Vm, class: &Value, _: &[Value], _: Option<&Value>) -> Result {
    let ty = class.downcast::<Type>().unwrap_or(super::BYTEARRAY.ty());
    Ok(if ty.is(&super::BYTEARRAY) {
        super::new(Vec::new())
    } else {
        ByteArray::new_with_type(ty, Vec::new()).into_value()
    })
}

pub(super) fn init(vm: &Vm, this: &Value, args: &[Value], kwnames: Option<&Value>) -> Result<()> {
    static SIGNATURE: LazyLock<Signature> =
        LazyLock::new(|| Signature::parse("bytearray(source=?, encoding=?, errors=?)"));
    if let ([source], None) = (args, kwnames)
        && let Some(bytes) = source.downcast_exact::<Bytes>()
        && own(this).len() == 0
    {
        return own(this).set(vm, vm.buffer_of(bytes.as_slice())?);
    }
    let bound = SIGNATURE.bind(vm, args, kwnames)?;
    // Wrong names leave the contents alone; anything else that fails finds the array empty.
    codecs::name_argument(vm, "bytearray", "encoding", &bound[1])?;
    codecs::name_argument(vm, "bytearray", "errors", &bound[2])?;
    if own(this).len() > 0 {
        own(this).check_resizable(vm)?;
        own(this).set(vm, Vec::new())?;
    }
    let data = match construct::source(vm, "bytearray", &bound)? {
        Source::Bytes(data) => data,
        Source::Zeros(length) => {
            let mut zeros = view::reserved(vm, Some(length))?;
            zeros.resize(length, 0);
            zeros
        }
    };
    own(this).set(vm, data)
}

/// `this[key] = value`, or deletion.
pub(super) fn assign(vm: &Vm, this: &Value, key: &Value, value: Option<&Value>) -> Result<()> {
    let array = own(this);
    if let Some(slice) = key.downcast::<Slice>() {
        return assign_slice(vm, this, array, slice, value);
    }
    let index = match key.as_small_int() {
        Some(index) => index,
        None => index_of(vm, this, key)?,
    };
    let byte = value.map(|value| byte_of(vm, value, "byte")).transpose()?;
    let length = array.len();
    let at = if index < 0 { index.wrapping_add(length as i64) } else { index };
    let Some(at) = usize::try_from(at).ok().filter(|at| *at < length) else {
        return Err(vm.index_error("bytearray index out of range"));
    };
    match byte {
        Some(byte) => {
            array.state.borrow(&array.header).as_mut_slice()[at] = byte;
            Ok(())
        }
        None => array.splice(vm, at, at + 1, &[]),
    }
}

fn assign_slice(vm: &Vm, this: &Value, array: &ByteArray, slice: &Slice, value: Option<&Value>) -> Result<()> {
    let (start, stop, step) = slice.unpack(vm)?;
    let data = match value {
        None => Vec::new(),
        Some(value) if value.is(this) => array.to_vec(vm)?,
        Some(value) if vm.has_buffer(value) => vm.buffer_of(vm.get_buffer(value, 0)?.as_slice())?,
        Some(value) => {
            let slots = value.ty().slots();
            let is_number = slots.index.is_some() || slots.int.is_some() || slots.float.is_some();
            if is_number || value.downcast::<Complex>().is_some() || value.downcast::<Str>().is_some() {
                return Err(vm.type_error("can assign only bytes, buffers, or iterables of ints in range(0, 256)"));
            }
            // The bytes that `bytearray(value)` would have.
            let copy = vm.call_args(&super::BYTEARRAY.value(), std::slice::from_ref(value))?;
            own(&copy).to_vec(vm)?
        }
    };
    // Conversions may have changed the length.
    let indices = adjust_indices(array.len(), start, stop, step);
    if step == 1 {
        let start = indices.start as usize;
        return array.splice(vm, start, start + indices.count, &data);
    }
    if value.is_some() {
        if data.len() != indices.count {
            if data.is_empty() {
                return delete_positions(vm, array, vm.buffer_from(indices.ascending().positions())?);
            }
            return Err(vm.value_error(format!(
                "attempt to assign bytes of size {} to extended slice of size {}",
                data.len(),
                indices.count
            )));
        }
        let mut state = array.state.borrow(&array.header);
        let own = state.as_mut_slice();
        indices.positions().zip(data).for_each(|(at, byte)| own[at] = byte);
        return Ok(());
    }
    delete_positions(vm, array, vm.buffer_from(indices.ascending().positions())?)
}

/// Deletes bytes at ascending positions.
fn delete_positions(vm: &Vm, array: &ByteArray, positions: Vec<usize>) -> Result<()> {
    if positions.is_empty() {
        return Ok(());
    }
    array.check_resizable(vm)?;
    let old = array.to_vec(vm)?;
    let mut gone = positions.into_iter().peekable();
    let kept = old.into_iter().enumerate().filter(|(at, _)| gone.next_if_eq(at).is_none()).map(|(_, byte)| byte);
    array.set(vm, vm.buffer_from(kept)?)
}

pub(super) fn inplace_concat(vm: &Vm, this: &Value, other: &Value) -> Result {
    if !vm.has_buffer(other) {
        let name = this.ty().name();
        return Err(vm.type_error(format!("can't concat {} to {name}", other.ty().name())));
    }
    let data = vm.bytes_like(other)?;
    own(this).extend(vm, &data)?;
    Ok(this.clone())
}

pub(super) fn inplace_repeat(vm: &Vm, this: &Value, count: i64) -> Result {
    let count = usize::try_from(count).unwrap_or(0);
    let array = own(this);
    if count != 1 && array.len() > 0 {
        array.check_resizable(vm)?;
        let unit = array.to_vec(vm)?;
        let length = unit.len().checked_mul(count);
        let mut data = view::reserved(vm, length)?;
        while data.len() < length.unwrap_or(0) {
            data.extend_from_slice(&unit);
        }
        array.set(vm, data)?;
    }
    Ok(this.clone())
}

pub(super) fn append(vm: &Vm, this: &Value, args: &[Value]) -> Result {
    let byte = byte_of(vm, &args[0], "byte")?;
    own(this).extend(vm, &[byte])?;
    Ok(Value::NONE)
}

pub(super) fn clear(vm: &Vm, this: &Value, _: &[Value]) -> Result {
    own(this).check_resizable(vm)?;
    own(this).set(vm, Vec::new())?;
    Ok(Value::NONE)
}

pub(super) fn copy(vm: &Vm, this: &Value, _: &[Value]) -> Result {
    view::make(vm, this, &view::own(vm, this)?)
}

pub(super) fn extend(vm: &Vm, this: &Value, args: &[Value]) -> Result {
    let iterable = &args[0];
    if vm.has_buffer(iterable) {
        if iterable.is(this) {
            own(this).extend(vm, &own(this).to_vec(vm)?)?;
        } else {
            own(this).extend(vm, &vm.bytes_like(iterable)?)?;
        }
        return Ok(Value::NONE);
    }
    let iterator = match vm.iter(iterable) {
        Ok(iterator) => iterator,
        Err(raised) => {
            vm.catch(raised, exceptions::type_error())?;
            let name = iterable.ty().name();
            return Err(vm.type_error(format!("can't extend bytearray with {name}")));
        }
    };
    vm.length_hint(iterable, 32)?;
    let data = match convert::from_iterable(vm, &iterator, "byte") {
        Ok(data) => data,
        Err(convert::Failure::NotIterable(raised) | convert::Failure::Other(raised)) => {
            if iterable.downcast::<Str>().is_some() && vm.pending_matches(&raised, exceptions::type_error()) {
                vm.discard(raised);
                return Err(vm.type_error("expected iterable of integers; got: 'str'"));
            }
            return Err(raised);
        }
    };
    own(this).extend(vm, &data)?;
    Ok(Value::NONE)
}

pub(super) fn insert(vm: &Vm, this: &Value, args: &[Value]) -> Result {
    let index = vm.index_ssize(&args[0])?;
    let byte = byte_of(vm, &args[1], "byte")?;
    let length = own(this).len() as i64;
    let at = (if index < 0 { index.saturating_add(length).max(0) } else { index.min(length) }) as usize;
    own(this).check_resizable(vm)?;
    own(this).splice(vm, at, at, &[byte])?;
    Ok(Value::NONE)
}

pub(super) fn pop(vm: &Vm, this: &Value, args: &[Value]) -> Result {
    let index = vm.index_ssize(&args[0])?;
    let length = own(this).len();
    if length == 0 {
        return Err(vm.index_error("pop from empty bytearray"));
    }
    let at = if index < 0 { index.saturating_add(length as i64) } else { index };
    let Some(at) = usize::try_from(at).ok().filter(|at| *at < length) else {
        return Err(vm.index_error("pop index out of range"));
    };
    let byte = own(this).state.borrow(&own(this).header).as_slice()[at];
    own(this).check_resizable(vm)?;
    own(this).splice(vm, at, at + 1, &[])?;
    Ok(Value::small_int(byte as i64))
}

pub(super) fn remove(vm: &Vm, this: &Value, args: &[Value]) -> Result {
    let byte = byte_of(vm, &args[0], "byte")?;
    let found = memchr::memchr(byte, own(this).state.borrow(&own(this).header).as_slice());
    let Some(at) = found else { return Err(vm.value_error("value not found in bytearray")) };
    own(this).check_resizable(vm)?;
    own(this).splice(vm, at, at + 1, &[])?;
    Ok(Value::NONE)
}

pub(super) fn resize(vm: &Vm, this: &Value, args: &[Value]) -> Result {
    let size = vm.index_ssize(&args[0])?;
    let Ok(length) = usize::try_from(size) else {
        return Err(vm.value_error(format!("Can only resize to positive sizes, got {size}")));
    };
    let array = own(this);
    if length != array.len() {
        array.check_resizable(vm)?;
        let done = array.state.borrow(&array.header).resize(length);
        if !done {
            return Err(vm.memory_error());
        }
    }
    Ok(Value::NONE)
}

pub(super) fn reverse(_: &Vm, this: &Value, _: &[Value]) -> Result {
    own(this).state.borrow(&own(this).header).as_mut_slice().reverse();
    Ok(Value::NONE)
}
