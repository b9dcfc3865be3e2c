//! Indexing, slices, operators, comparison and `repr` of arrays.

use super::items::{ItemKind, text_of};
use super::{ARRAY, Array, iterator, methods};
use taipan_object::builtins::int;
use taipan_object::builtins::slice::{Slice, SliceIndices};
use taipan_object::types::slots::{CompareOp, Slots, hash_not_implemented};
use taipan_object::{Result, Value, Vm};

pub fn slots(s: &mut Slots) {
    s.repr = Some(repr);
    s.hash = Some(hash_not_implemented);
    s.richcompare = Some(richcompare);
    s.iter = Some(|_, this| Ok(iterator::new(this)));
    s.length = Some(|_, this| Ok(Array::of(this).len()));
    s.item = Some(|vm, this, index| match usize::try_from(index) {
        Ok(at) => item(vm, Array::of(this), at),
        Err(_) => Err(vm.index_error(OUT_OF_RANGE)),
    });
    s.subscript = Some(subscript);
    s.ass_subscript = Some(ass_subscript);
    s.contains = Some(|vm, this, value| Ok(methods::find(vm, Array::of(this), value, 0, usize::MAX)?.is_some()));
    s.concat = Some(concat);
    s.repeat = Some(|vm, this, count| {
        let array = Array::of(this);
        let data = repeated(vm, array, count)?;
        Ok(Array::make(ARRAY.ty(), array.items, data))
    });
    s.inplace_concat = Some(|vm, this, other| {
        if other.downcast::<Array>().is_none() {
            let got = other.ty().name();
            return Err(vm.type_error(format!("can only extend array with array (not \"{got}\")")));
        }
        methods::extend(vm, Array::of(this), other)?;
        Ok(this.clone())
    });
    s.inplace_repeat = Some(|vm, this, count| {
        let array = Array::of(this);
        if array.len() > 0 && count != 1 {
            array.check_resizable(vm)?;
            let data = repeated(vm, array, count)?;
            array.splice(vm, 0, usize::MAX, &data)?;
        }
        Ok(this.clone())
    });
}

const OUT_OF_RANGE: &str = "array index out of range";

fn item(vm: &Vm, array: &Array, at: usize) -> Result {
    array.get(vm, at)?.ok_or_else(|| vm.index_error(OUT_OF_RANGE))
}

/// The place that an index, which may count from the end, means.
#[inline]
fn place(vm: &Vm, array: &Array, key: &Value) -> Result<Option<usize>> {
    if let Some(index) = key.as_small_int()
        && let Ok(at) = usize::try_from(index)
    {
        return Ok(Some(at).filter(|at| *at < array.len()));
    }
    if !key.is_small_int() && !int::is_int(key) && key.ty().slots().index.is_none() {
        return Err(vm.type_error("array indices must be integers"));
    }
    let index = vm.index_or_index_error(key)?;
    let length = array.len();
    let at = if index < 0 { index + length as i64 } else { index };
    Ok(usize::try_from(at).ok().filter(|at| *at < length))
}

fn subscript(vm: &Vm, this: &Value, key: &Value) -> Result {
    let array = Array::of(this);
    if let Some(slice) = key.downcast_exact::<Slice>() {
        let indices = slice.fit(vm, || array.len())?;
        return Ok(Array::make(ARRAY.ty(), array.items, slice_data(vm, array, indices)?));
    }
    match place(vm, array, key)? {
        Some(at) => item(vm, array, at),
        None => Err(vm.index_error(OUT_OF_RANGE)),
    }
}

fn slice_data(vm: &Vm, array: &Array, indices: SliceIndices) -> Result<Vec<u8>> {
    let size = array.items.size;
    let mut data = Vec::new();
    if data.try_reserve_exact(indices.count * size).is_err() {
        return Err(vm.memory_error());
    }
    let state = array.state();
    if indices.step == 1 {
        let start = indices.start as usize * size;
        data.extend_from_slice(&state.data[start..start + indices.count * size]);
    } else {
        indices.positions().for_each(|at| data.extend_from_slice(&state.data[at * size..(at + 1) * size]));
    }
    Ok(data)
}

fn ass_subscript(vm: &Vm, this: &Value, key: &Value, value: Option<&Value>) -> Result<()> {
    let array = Array::of(this);
    if let Some(slice) = key.downcast_exact::<Slice>() {
        let numbers = slice.unpack(vm)?;
        let fit = || taipan_object::builtins::slice::adjust_indices(array.len(), numbers.0, numbers.1, numbers.2);
        return match value {
            Some(value) => assign_slice(vm, array, fit(), value),
            None => delete_slice(vm, array, fit()),
        };
    }
    let size = array.items.size;
    let Some(at) = place(vm, array, key)? else { return Err(vm.index_error("array assignment index out of range")) };
    match value {
        Some(value) => {
            let raw = array.items.to_bytes(vm, value)?;
            // The conversion may have changed the array.
            if at >= array.len() {
                return Err(vm.index_error("array assignment index out of range"));
            }
            array.splice(vm, at * size, (at + 1) * size, &raw[..size])
        }
        None => array.splice(vm, at * size, (at + 1) * size, &[]),
    }
}

fn assign_slice(vm: &Vm, array: &Array, indices: SliceIndices, value: &Value) -> Result<()> {
    let Some(other) = value.downcast::<Array>() else {
        let got = value.ty().name();
        return Err(vm.type_error(format!("can only assign array (not \"{got}\") to array slice")));
    };
    if other.items != array.items {
        return Err(vm.type_error("bad argument type for built-in operation"));
    }
    let size = array.items.size;
    let new = other.data(vm)?;
    let count = new.len() / size;
    if (count == 0 || count != indices.count) && indices.step == 1 || count == 0 {
        array.check_resizable(vm)?;
    }
    if indices.step == 1 {
        let start = indices.start as usize * size;
        return array.splice(vm, start, start + indices.count * size, &new);
    }
    if count == 0 {
        return delete_slice(vm, array, indices);
    }
    if count != indices.count {
        let wanted = indices.count;
        return Err(
            vm.value_error(format!("attempt to assign array of size {count} to extended slice of size {wanted}"))
        );
    }
    let mut state = array.state();
    for (at, item) in indices.positions().zip(new.chunks_exact(size)) {
        state.data[at * size..(at + 1) * size].copy_from_slice(item);
    }
    Ok(())
}

fn delete_slice(vm: &Vm, array: &Array, indices: SliceIndices) -> Result<()> {
    array.check_resizable(vm)?;
    if indices.count == 0 {
        return Ok(());
    }
    let size = array.items.size;
    let indices = indices.ascending();
    if indices.step == 1 {
        let start = indices.start as usize * size;
        return array.splice(vm, start, start + indices.count * size, &[]);
    }
    let mut state = array.state();
    let mut doomed = indices.positions().peekable();
    let mut kept = 0;
    for at in 0..state.data.len() / size {
        if doomed.peek() == Some(&at) {
            doomed.next();
            continue;
        }
        state.data.copy_within(at * size..(at + 1) * size, kept * size);
        kept += 1;
    }
    state.data.truncate(kept * size);
    Ok(())
}

fn concat(vm: &Vm, this: &Value, other: &Value) -> Result {
    let array = Array::of(this);
    let Some(other) = other.downcast::<Array>() else {
        let got = other.ty().name();
        return Err(vm.type_error(format!("can only append array (not \"{got}\") to array")));
    };
    if other.items != array.items {
        return Err(vm.type_error("bad argument type for built-in operation"));
    }
    let (mut data, more) = (array.data(vm)?, other.data(vm)?);
    if data.try_reserve_exact(more.len()).is_err() {
        return Err(vm.memory_error());
    }
    data.extend_from_slice(&more);
    Ok(Array::make(ARRAY.ty(), array.items, data))
}

fn repeated(vm: &Vm, array: &Array, count: i64) -> Result<Vec<u8>> {
    let state = array.state();
    let count = usize::try_from(count).unwrap_or(0);
    let total = state.data.len().checked_mul(count).filter(|total| *total <= isize::MAX as usize);
    let mut data = Vec::new();
    match total {
        Some(total) if data.try_reserve_exact(total).is_ok() => {
            for _ in 0..if state.data.is_empty() { 0 } else { count } {
                data.extend_from_slice(&state.data);
            }
            Ok(data)
        }
        _ => {
            drop(state);
            Err(vm.memory_error())
        }
    }
}

fn repr(vm: &Vm, this: &Value) -> Result {
    let array = Array::of(this);
    let (name, typecode) = (this.ty().short_name(), array.items.typecode as char);
    if array.len() == 0 {
        return Ok(Value::from(format!("{name}('{typecode}')")));
    }
    let contents = if array.items.is_character() {
        text_of(vm, array.items, &array.data(vm)?)?
    } else {
        methods::to_list(vm, array)?
    };
    let mut text = taipan_object::builtins::str::StrBuilder::new();
    text.push_str(&format!("{name}('{typecode}', "));
    text.push_repr(vm, &contents)?;
    text.push_str(")");
    Ok(text.finish().into_value())
}

fn richcompare(vm: &Vm, this: &Value, other: &Value, op: CompareOp) -> Result {
    let (Some(a), Some(b)) = (this.downcast::<Array>(), other.downcast::<Array>()) else {
        return Ok(Value::NOT_IMPLEMENTED);
    };
    if a.len() != b.len() && matches!(op, CompareOp::Eq | CompareOp::Ne) {
        return Ok(Value::bool(op == CompareOp::Ne));
    }
    if a.items == b.items && a.items.kind != ItemKind::Float {
        let (x, y) = (a.data(vm)?, b.data(vm)?);
        let integer = |raw: &[u8]| {
            let mut item = [0; 8];
            item[..raw.len()].copy_from_slice(raw);
            a.items.integer(item)
        };
        let size = a.items.size;
        let differing = x.chunks_exact(size).zip(y.chunks_exact(size)).find(|(x, y)| x != y);
        return Ok(Value::bool(op.holds(match differing {
            Some((x, y)) => integer(x).cmp(&integer(y)),
            None => x.len().cmp(&y.len()),
        })));
    }
    let mut at = 0;
    while let (Some(x), Some(y)) = (a.get(vm, at)?, b.get(vm, at)?) {
        if !vm.equal(&x, &y)? {
            return match op {
                CompareOp::Eq => Ok(Value::FALSE),
                CompareOp::Ne => Ok(Value::TRUE),
                _ => vm.rich_compare(&x, &y, op),
            };
        }
        at += 1;
    }
    Ok(Value::bool(op.holds(a.len().cmp(&b.len()))))
}
