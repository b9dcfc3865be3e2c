//! Equality of views with other buffers, and hashes.

use super::items::{Item, native_format};
use super::own;
use crate::buffer::{Buffer, buffer_flags};
use crate::exceptions;
use crate::object::Result;
use crate::types::slots::CompareOp;
use crate::value::Value;
use crate::vm::Vm;

pub(super) fn compare(vm: &Vm, this: &Value, other: &Value, op: CompareOp) -> Result {
    if !matches!(op, CompareOp::Eq | CompareOp::Ne) {
        return Ok(Value::NOT_IMPLEMENTED);
    }
    let outcome = |equal: bool| Ok(Value::bool(equal == (op == CompareOp::Eq)));
    let view = own(this);
    if view.is_released() {
        return outcome(this.is(other));
    }
    if other.downcast::<super::MemoryView>().is_some_and(super::MemoryView::is_released) {
        return outcome(false);
    }
    if !vm.has_buffer(other) {
        return Ok(Value::NOT_IMPLEMENTED);
    }
    let theirs = match vm.get_buffer(other, buffer_flags::FULL_RO) {
        Ok(buffer) => buffer,
        Err(raised) => {
            vm.catch(raised, exceptions::EXCEPTION.ty())?;
            return Ok(Value::NOT_IMPLEMENTED);
        }
    };
    let ours = vm.get_buffer(this, buffer_flags::FULL_RO)?;
    outcome(equal(vm, &ours, &theirs)?)
}

fn items(buffer: &Buffer) -> Vec<Vec<u8>> {
    let mut items = Vec::new();
    buffer.for_each_item(|item| items.push(item.to_vec()));
    items
}

fn equal(vm: &Vm, a: &Buffer, b: &Buffer) -> Result<bool> {
    // Dimensions behind one of length 0 do not count.
    let significant = |buffer: &Buffer| {
        let zero = buffer.shape.iter().position(|length| *length == 0);
        zero.map_or(buffer.shape.len(), |at| at + 1)
    };
    let (na, nb) = (significant(a), significant(b));
    if a.shape.len() != b.shape.len() || na != nb || a.shape[..na] != b.shape[..nb] {
        return Ok(false);
    }
    if a.length == 0 && b.length == 0 {
        return Ok(true);
    }
    match (native_format(&a.format), native_format(&b.format)) {
        (Some(x), Some(y)) => {
            let integral = |format: u8| !matches!(format, b'e' | b'f' | b'd' | b'?');
            if x == y && integral(x) {
                return Ok(a.to_vec(vm)? == b.to_vec(vm)?);
            }
            let (a, b) = (items(a), items(b));
            Ok(a.iter().zip(&b).all(|(p, q)| Item::read(x, p).equals(Item::read(y, q))))
        }
        _ => equal_by_struct(vm, a, b),
    }
}

/// Elements of other formats are compared as what `struct` makes of them.
fn equal_by_struct(vm: &Vm, a: &Buffer, b: &Buffer) -> Result<bool> {
    let class = vm.import_from("_struct", "Struct")?;
    let unpacker = |format: &str| match vm.call_args(&class, &[Value::from(format)]) {
        Ok(unpacker) => Ok(Some(unpacker)),
        // A format that `struct` does not know makes the views unequal.
        Err(raised) => vm.catch(raised, exceptions::EXCEPTION.ty()).map(|_| None),
    };
    let (Some(x), Some(y)) = (unpacker(&a.format)?, unpacker(&b.format)?) else { return Ok(false) };
    for (p, q) in items(a).iter().zip(&items(b)) {
        let p = vm.call_method(&x, "unpack", &[crate::builtins::bytes::from_slice(vm, p)?])?;
        let q = vm.call_method(&y, "unpack", &[crate::builtins::bytes::from_slice(vm, q)?])?;
        if !vm.equal(&p, &q)? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// `hash(view)`: that of the bytes; the exporter must be hashable too.
pub(super) fn hash(vm: &Vm, this: &Value) -> Result<i64> {
    let view = own(this);
    if let Some(hash) = view.hash_cell(None) {
        return Ok(hash);
    }
    let layout = view.layout(vm)?;
    if !layout.readonly {
        return Err(vm.value_error("cannot hash writable memoryview object"));
    }
    if !matches!(native_format(&layout.format), Some(b'b' | b'B' | b'c')) {
        return Err(vm.value_error("memoryview: hashing is restricted to formats 'B', 'b' or 'c'"));
    }
    let object = view.object();
    if !object.is_none() {
        let _held = view.hold();
        vm.hash(&object)?;
    }
    let layout = view.layout(vm)?;
    let hash = crate::hash::hash_bytes(&layout.as_buffer(this).to_vec(vm)?);
    view.hash_cell(Some(hash));
    Ok(hash)
}
