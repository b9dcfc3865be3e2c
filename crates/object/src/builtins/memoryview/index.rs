//! Indexing, slicing and assignment.

use super::items::{Item, check_format, native_format, pack, unpack};
use super::{Layout, MemoryView, own};
use crate::buffer::buffer_flags;
use crate::builtins::int;
use crate::builtins::slice::{Slice, adjust_indices};
use crate::builtins::tuple::Tuple;
use crate::object::Result;
use crate::value::Value;
use crate::vm::Vm;

/// The bytes of the element at an offset.
fn element(layout: &Layout, offset: isize) -> &[u8] {
    // SAFETY: offsets come from indices within the shape, whose elements the exporter guarantees.
    unsafe { std::slice::from_raw_parts(layout.pointer.offset(offset), layout.itemsize) }
}

/// The offset of `index` in a dimension.
fn offset_in(vm: &Vm, layout: &Layout, dimension: usize, index: i64) -> Result<isize> {
    let length = layout.shape[dimension];
    let at = if index < 0 { index.wrapping_add(length as i64) } else { index };
    if at < 0 || at >= length as i64 {
        let number = dimension + 1;
        return Err(vm.index_error(format!("index out of bounds on dimension {number}")));
    }
    Ok(at as isize * layout.strides[dimension])
}

fn is_index(value: &Value) -> bool {
    int::is_int(value) || value.ty().slots().index.is_some()
}

/// An index, or the `IndexError` for one that fits no machine word.
fn index_number(vm: &Vm, value: &Value) -> Result<i64> {
    match int::to_i64(&vm.index(value)?) {
        Some(index) => Ok(index),
        None => {
            let name = value.ty().name();
            Err(vm.index_error(format!("cannot fit '{name}' into an index-sized integer")))
        }
    }
}

/// What a tuple of indices asks for.
fn tuple_offset(vm: &Vm, layout: &Layout, keys: &[Value]) -> Result<isize> {
    if keys.len() < layout.dimensions() {
        return Err(vm.not_implemented_error("sub-views are not implemented"));
    }
    if keys.len() > layout.dimensions() {
        let (dimensions, given) = (layout.dimensions(), keys.len());
        return Err(vm.type_error(format!("cannot index {dimensions}-dimension view with {given}-element tuple")));
    }
    let mut offset = 0;
    for (dimension, key) in keys.iter().enumerate() {
        offset += offset_in(vm, layout, dimension, index_number(vm, key)?)?;
    }
    Ok(offset)
}

fn is_indices(keys: &Tuple) -> bool {
    keys.as_slice().iter().all(is_index)
}

fn is_slices(keys: &Tuple) -> bool {
    keys.len() > 0 && keys.as_slice().iter().all(|key| key.downcast::<Slice>().is_some())
}

/// The layout of a slice along the first dimension.
fn sliced(vm: &Vm, mut layout: Layout, slice: &Slice) -> Result<Layout> {
    let (start, stop, step) = slice.unpack(vm)?;
    let indices = adjust_indices(layout.shape[0] as usize, start, stop, step);
    // SAFETY: the start of a slice lies within the dimension, or the slice is empty and nothing is read.
    layout.pointer = unsafe { layout.pointer.offset(layout.strides[0] * indices.start.max(0) as isize) };
    layout.shape[0] = indices.count as isize;
    layout.strides[0] = layout.strides[0].saturating_mul(step as isize);
    layout.update_length();
    Ok(layout)
}

/// Where the element at `index` of a view of one dimension is, and its native format; `None` if there is none, or another
/// reason to look closer.
#[inline]
fn plain_element(layout: &Layout, index: i64) -> Option<(isize, u8)> {
    let ([length], [stride]) = (&layout.shape[..], &layout.strides[..]) else { return None };
    let at = if index < 0 { index.wrapping_add(*length as i64) } else { index };
    if at < 0 || at >= *length as i64 {
        return None;
    }
    Some((at as isize * stride, native_format(&layout.format)?))
}

/// `view[index]`, if the layout makes it easy: it is not copied then.
fn quick_item(view: &MemoryView, index: i64) -> Option<Value> {
    let state = view.state.borrow(&view.header);
    state.managed.as_ref()?;
    let (offset, format) = plain_element(&state.layout, index)?;
    let item = Item::read(format, element(&state.layout, offset));
    drop(state);
    Some(item.to_value())
}

/// `view[index] = value` of plain bytes; whether it is done.
fn quick_store(view: &MemoryView, index: i64, value: &Value) -> bool {
    let state = view.state.borrow(&view.header);
    if state.managed.is_none() || state.layout.readonly {
        return false;
    }
    let byte = value.as_small_int().and_then(|n| u8::try_from(n).ok());
    let (Some(byte), Some((offset, b'B'))) = (byte, plain_element(&state.layout, index)) else { return false };
    // SAFETY: as in `element`; the buffer is writable, and no slice of it is held.
    unsafe { state.layout.pointer.offset(offset).write(byte) };
    true
}

/// `view[key]`
pub(super) fn subscript(vm: &Vm, this: &Value, key: &Value) -> Result {
    let view = own(this);
    if let Some(index) = key.as_small_int()
        && let Some(item) = quick_item(view, index)
    {
        return Ok(item);
    }
    let layout = view.layout(vm)?;
    if layout.dimensions() == 0 {
        if let Some(keys) = key.downcast::<Tuple>()
            && keys.len() == 0
        {
            return unpack(vm, &layout, element(&layout, 0));
        }
        if key.word() == Value::ELLIPSIS.word() {
            return Ok(this.clone());
        }
        return Err(vm.type_error("invalid indexing of 0-dim memory"));
    }
    if is_index(key) {
        return item(vm, this, index_number(vm, key)?);
    }
    if let Some(slice) = key.downcast::<Slice>() {
        // The buffer stays although `__index__` may release the view.
        let managed = view.managed(vm)?;
        return Ok(MemoryView::with_layout(managed, sliced(vm, layout, slice)?));
    }
    if let Some(keys) = key.downcast::<Tuple>() {
        if is_indices(keys) {
            check_format(vm, &layout.format)?;
            let offset = tuple_offset(vm, &layout, keys.as_slice())?;
            // `__index__` may have released the view.
            view.layout(vm)?;
            return unpack(vm, &layout, element(&layout, offset));
        }
        if is_slices(keys) {
            return Err(vm.not_implemented_error("multi-dimensional slicing is not implemented"));
        }
    }
    Err(vm.type_error("memoryview: invalid slice key"))
}

/// `view[index]`
pub(super) fn item(vm: &Vm, this: &Value, index: i64) -> Result {
    if let Some(item) = quick_item(own(this), index) {
        return Ok(item);
    }
    let layout = own(this).layout(vm)?;
    check_format(vm, &layout.format)?;
    match layout.dimensions() {
        0 => Err(vm.type_error("invalid indexing of 0-dim memory")),
        1 => {
            let offset = offset_in(vm, &layout, 0, index)?;
            unpack(vm, &layout, element(&layout, offset))
        }
        _ => Err(vm.not_implemented_error("multi-dimensional sub-views are not implemented")),
    }
}

/// Writes an element.
fn store(vm: &Vm, this: &Value, layout: &Layout, offset: isize, value: &Value) -> Result<()> {
    let data = pack(vm, layout, value)?;
    // The conversion may have released the view.
    own(this).layout(vm)?;
    // SAFETY: as in `element`; the buffer is writable, and no slice of it is held.
    unsafe { std::ptr::copy_nonoverlapping(data.as_ptr(), layout.pointer.offset(offset), layout.itemsize) };
    Ok(())
}

/// `view[key] = value`
pub(super) fn assign(vm: &Vm, this: &Value, key: &Value, value: Option<&Value>) -> Result<()> {
    if let (Some(index), Some(value)) = (key.as_small_int(), value)
        && quick_store(own(this), index, value)
    {
        return Ok(());
    }
    let layout = own(this).layout(vm)?;
    check_format(vm, &layout.format)?;
    if layout.readonly {
        return Err(vm.type_error("cannot modify read-only memory"));
    }
    let Some(value) = value else { return Err(vm.type_error("cannot delete memory")) };
    if layout.dimensions() == 0 {
        let is_whole =
            key.word() == Value::ELLIPSIS.word() || key.downcast::<Tuple>().is_some_and(|keys| keys.len() == 0);
        if is_whole {
            return store(vm, this, &layout, 0, value);
        }
        return Err(vm.type_error("invalid indexing of 0-dim memory"));
    }
    if is_index(key) {
        if layout.dimensions() > 1 {
            return Err(vm.not_implemented_error("sub-views are not implemented"));
        }
        let offset = offset_in(vm, &layout, 0, index_number(vm, key)?)?;
        return store(vm, this, &layout, offset, value);
    }
    if let Some(slice) = key.downcast::<Slice>() {
        if layout.dimensions() > 1 {
            return Err(vm.not_implemented_error("memoryview slice assignments are currently restricted to ndim = 1"));
        }
        return assign_slice(vm, this, layout, slice, value);
    }
    if let Some(keys) = key.downcast::<Tuple>() {
        if is_indices(keys) {
            let offset = tuple_offset(vm, &layout, keys.as_slice())?;
            return store(vm, this, &layout, offset, value);
        }
        if is_slices(keys) {
            return Err(vm.not_implemented_error("memoryview slice assignments are currently restricted to ndim = 1"));
        }
    }
    Err(vm.type_error("memoryview: invalid slice key"))
}

fn assign_slice(vm: &Vm, this: &Value, layout: Layout, slice: &Slice, value: &Value) -> Result<()> {
    let source = vm.get_buffer(value, buffer_flags::FULL_RO)?;
    let target = sliced(vm, layout, slice)?;
    own(this).layout(vm)?;
    let plain = |format: &str| format.strip_prefix('@').unwrap_or(format).to_string();
    let fits = source.shape.len() == 1
        && source.itemsize == target.itemsize
        && source.shape[0] == target.shape[0]
        && plain(&source.format) == plain(&target.format);
    if !fits {
        return Err(vm.value_error("memoryview assignment: lvalue and rvalue have different structures"));
    }
    // A copy, since the two may overlap.
    let data = source.to_vec(vm)?;
    for (at, item) in data.chunks_exact(target.itemsize.max(1)).enumerate() {
        // SAFETY: the positions lie within the slice's dimension; the buffer is writable.
        unsafe {
            let to = target.pointer.offset(at as isize * target.strides[0]);
            std::ptr::copy_nonoverlapping(item.as_ptr(), to, item.len());
        }
    }
    Ok(())
}
