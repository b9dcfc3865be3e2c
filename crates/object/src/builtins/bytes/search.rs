//! Finding bytes in bytes.

use super::view::{make, own, unchanged};
use crate::buffer::BytesLike;
use crate::builtins::int;
use crate::builtins::str::search::{self, bounds};
use crate::builtins::tuple::Tuple;
use crate::object::Result;
use crate::value::Value;
use crate::vm::Vm;
use std::ops::Deref;

/// What is searched for: a byte given as an int, or a bytes-like object.
pub(crate) enum Needle<'a> {
    Byte([u8; 1]),
    Bytes(BytesLike<'a>),
}

impl Deref for Needle<'_> {
    type Target = [u8];
    fn deref(&self) -> &[u8] {
        match self {
            Needle::Byte(byte) => byte,
            Needle::Bytes(bytes) => bytes,
        }
    }
}

pub(crate) fn needle<'a>(vm: &Vm, value: &'a Value) -> Result<Needle<'a>> {
    if vm.has_buffer(value) {
        return vm.bytes_like(value).map(Needle::Bytes);
    }
    if !int::is_int(value) && value.ty().slots().index.is_none() {
        let name = value.ty().name();
        return Err(vm.type_error(format!("argument should be integer or bytes-like object, not '{name}'")));
    }
    super::convert::byte_of(vm, value, "byte").map(|byte| Needle::Byte([byte]))
}

fn locate(vm: &Vm, this: &Value, args: &[Value], from_end: bool) -> Result<Option<usize>> {
    let length = own(vm, this)?.len();
    // `__index__` of the bounds may change a bytearray.
    let (start, end) = bounds(vm, args, length)?;
    let needle = needle(vm, &args[0])?;
    let data = own(vm, this)?;
    let end = end.min(data.len());
    if start > end || end - start < needle.len() {
        return Ok(None);
    }
    let part = &data[start..end];
    let found = if from_end { search::rfind(part, &needle) } else { search::find(part, &needle) };
    Ok(found.map(|at| start + at))
}

pub(crate) fn find(vm: &Vm, this: &Value, args: &[Value]) -> Result {
    Ok(locate(vm, this, args, false)?.map_or(Value::small_int(-1), Value::from))
}

pub(crate) fn rfind(vm: &Vm, this: &Value, args: &[Value]) -> Result {
    Ok(locate(vm, this, args, true)?.map_or(Value::small_int(-1), Value::from))
}

pub(crate) fn index(vm: &Vm, this: &Value, args: &[Value]) -> Result {
    match locate(vm, this, args, false)? {
        Some(at) => Ok(Value::from(at)),
        None => Err(vm.value_error("subsection not found")),
    }
}

pub(crate) fn rindex(vm: &Vm, this: &Value, args: &[Value]) -> Result {
    match locate(vm, this, args, true)? {
        Some(at) => Ok(Value::from(at)),
        None => Err(vm.value_error("subsection not found")),
    }
}

pub(crate) fn count(vm: &Vm, this: &Value, args: &[Value]) -> Result {
    let length = own(vm, this)?.len();
    let (start, end) = bounds(vm, args, length)?;
    let needle = needle(vm, &args[0])?;
    let data = own(vm, this)?;
    let end = end.min(data.len());
    if start > end || end - start < needle.len() {
        return Ok(Value::small_int(0));
    }
    if needle.is_empty() {
        return Ok(Value::from(end - start + 1));
    }
    Ok(Value::from(search::count(&data[start..end], &needle)))
}

/// `item in this`
pub(crate) fn contains(vm: &Vm, this: &Value, item: &Value) -> Result<bool> {
    if item.ty().slots().index.is_some() {
        // What can't be made an index may still be a buffer.
        match vm.index_clipped(item) {
            Ok(byte) => {
                let Ok(byte) = u8::try_from(byte) else { return Err(vm.value_error("byte must be in range(0, 256)")) };
                return Ok(memchr::memchr(byte, &own(vm, this)?).is_some());
            }
            Err(raised) => vm.discard(raised),
        }
    }
    let needle = vm.bytes_like(item)?;
    Ok(search::find(&own(vm, this)?, &needle).is_some())
}

fn affix(vm: &Vm, name: &str, this: &Value, args: &[Value], at_end: bool) -> Result {
    let length = own(vm, this)?.len();
    let (start, end) = bounds(vm, args, length)?;
    let matches = |part: &Value| -> Result<bool> {
        let part = vm.bytes_like(part)?;
        let data = own(vm, this)?;
        let end = end.min(data.len());
        if start > end || end - start < part.len() {
            return Ok(false);
        }
        let at = if at_end { end - part.len() } else { start };
        Ok(data[at..at + part.len()] == *part)
    };
    if let Some(parts) = args[0].downcast::<Tuple>() {
        for part in parts.as_slice() {
            if matches(part)? {
                return Ok(Value::TRUE);
            }
        }
        return Ok(Value::FALSE);
    }
    if !vm.has_buffer(&args[0]) {
        let got = args[0].ty().name();
        return Err(vm.type_error(format!("{name} first arg must be bytes or a tuple of bytes, not {got}")));
    }
    matches(&args[0]).map(Value::bool)
}

pub(crate) fn startswith(vm: &Vm, this: &Value, args: &[Value]) -> Result {
    affix(vm, "startswith", this, args, false)
}

pub(crate) fn endswith(vm: &Vm, this: &Value, args: &[Value]) -> Result {
    affix(vm, "endswith", this, args, true)
}

pub(crate) fn removeprefix(vm: &Vm, this: &Value, args: &[Value]) -> Result {
    let prefix = vm.bytes_like(&args[0])?;
    match own(vm, this)?.strip_prefix(&*prefix) {
        Some(rest) if !prefix.is_empty() => make(vm, this, rest),
        _ => unchanged(vm, this),
    }
}

pub(crate) fn removesuffix(vm: &Vm, this: &Value, args: &[Value]) -> Result {
    let suffix = vm.bytes_like(&args[0])?;
    match own(vm, this)?.strip_suffix(&*suffix) {
        Some(rest) if !suffix.is_empty() => make(vm, this, rest),
        _ => unchanged(vm, this),
    }
}
