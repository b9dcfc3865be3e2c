//! Indexing and slicing.

use super::write::to_exact;
use super::{Data, Str};
use crate::builtins::int;
use crate::builtins::slice::{Slice, SliceIndices, adjust_indices};
use crate::object::Result;
use crate::text::builder::GivenUp;
use crate::value::Value;
use crate::vm::{Raised, Vm};

#[cold]
fn out_of_range(vm: &Vm) -> Raised {
    vm.index_error("string index out of range")
}

/// `text[index]`
#[inline]
pub fn get_index(vm: &Vm, this: &Value, index: i64) -> Result {
    let Some(text) = this.downcast::<Str>() else { return Ok(Value::NOT_IMPLEMENTED) };
    let length = text.len();
    let at = if index < 0 { index.wrapping_add(length as i64) } else { index };
    if at < 0 || at as usize >= length {
        return Err(out_of_range(vm));
    }
    Ok(Str::from_code_point(text.at(at as usize)).into_value())
}

/// `text[start:stop]`, the bounds as `slice::simple_indices` gives them.
pub fn get_slice(this: &Value, start: i64, stop: i64) -> Value {
    let Some(text) = this.downcast::<Str>() else { return Value::NOT_IMPLEMENTED };
    sliced(this, text, adjust_indices(text.len(), start, stop, 1))
}

fn sliced(this: &Value, text: &Str, indices: SliceIndices) -> Value {
    if indices.count == 0 {
        return super::empty();
    }
    let start = indices.start as usize;
    if indices.step == 1 {
        if indices.count == text.len() {
            return to_exact(this);
        }
        return text.slice(start, start + indices.count).into_value();
    }
    let positions = indices.positions();
    match text.data() {
        Data::Ascii(d) => Str::from_ascii(&gathered(d, positions)),
        Data::Latin1(d) => Str::from_latin1(&gathered(d, positions)),
        Data::Ucs2(d) => Str::from_ucs2(&gathered(d, positions)),
        Data::Ucs4(d) => Str::from_code_points(&gathered(d, positions)),
    }
    .into_value()
}

/// The units at some positions; none if there is no memory for them, and then `MemoryError` is raised at the next safepoint.
fn gathered<U: Copy>(units: &[U], positions: impl Iterator<Item = usize>) -> Vec<U> {
    let mut gathered = Vec::new();
    if gathered.make_room(positions.size_hint().0) {
        gathered.extend(positions.map(|at| units[at]));
    }
    gathered
}

/// `text[key]`
pub fn subscript(vm: &Vm, this: &Value, key: &Value) -> Result {
    if let Some(index) = key.as_small_int() {
        return get_index(vm, this, index);
    }
    if let Some(slice) = key.downcast::<Slice>() {
        let (start, stop, step) = slice.unpack(vm)?;
        let Some(text) = this.downcast::<Str>() else { return Ok(Value::NOT_IMPLEMENTED) };
        return Ok(sliced(this, text, adjust_indices(text.len(), start, stop, step)));
    }
    if !int::is_int(key) && key.ty().slots().index.is_none() {
        let name = key.ty().name();
        return Err(vm.type_error(format!("string indices must be integers, not '{name}'")));
    }
    let index = vm.index(key)?;
    match int::to_i64(&index) {
        Some(index) => get_index(vm, this, index),
        None => {
            let name = key.ty().name();
            Err(vm.index_error(format!("cannot fit '{name}' into an index-sized integer")))
        }
    }
}
