//! Assignment to and deletion of items and slices of a list.

use super::methods::{own, sequence_items};
use super::{List, drop_reversed, reserve, with_room};
use crate::builtins::slice::{Slice, SliceIndices, adjust_indices};
use crate::count::refcount;
use crate::object::Result;
use crate::value::Value;
use crate::vm::Vm;

pub fn ass_subscript(vm: &Vm, this: &Value, key: &Value, value: Option<&Value>) -> Result<()> {
    let list = own(this);
    if let Some(slice) = key.downcast_exact::<Slice>() {
        let (start, stop, step) = slice.unpack(vm)?;
        return match value {
            Some(value) => assign_slice(vm, list, start, stop, step, value),
            None => {
                delete_slice(list, start, stop, step);
                Ok(())
            }
        };
    }
    if !key.is_small_int() && key.ty().slots().index.is_none() {
        let name = key.ty().name();
        return Err(vm.type_error(format!("list indices must be integers or slices, not {name}")));
    }
    let index = vm.index_or_index_error(key)?;
    let done = match value {
        Some(value) => list.set_item_i64(index, value.clone()),
        None => list.pop(index).is_some(),
    };
    if done { Ok(()) } else { Err(vm.index_error("list assignment index out of range")) }
}

fn assign_slice(vm: &Vm, list: &List, start: i64, stop: i64, step: i64, value: &Value) -> Result<()> {
    // Collecting may change the list itself: the indices are fitted afterwards.
    let new = sequence_items(vm, value, "must assign iterable to extended slice")?;
    assign_items(vm, list, start, stop, step, new)
}

/// `list[start:stop] = value`, which is the caller's: a list that nobody else knows gives its items away.
pub fn assign_own(vm: &Vm, list: &List, start: i64, stop: i64, value: Value) -> Result<()> {
    match value.downcast_exact::<List>() {
        Some(given) if refcount(&given.header) == 1 => assign_items(vm, list, start, stop, 1, given.take()),
        _ => assign_slice(vm, list, start, stop, 1, &value),
    }
}

fn assign_items(vm: &Vm, list: &List, start: i64, stop: i64, step: i64, new: Vec<Value>) -> Result<()> {
    let mut items = list.items.borrow(&list.header);
    let indices = adjust_indices(items.len(), start, stop, step);
    if step == 1 {
        let (start, end) = (indices.start as usize, indices.start as usize + indices.count);
        if new.len() == indices.count {
            let mut new = new;
            items[start..end].swap_with_slice(&mut new);
            drop(items);
            drop_reversed(new);
            return Ok(());
        }
        let growth = new.len().saturating_sub(indices.count);
        if !reserve(&mut items, growth) {
            drop(items);
            return Err(vm.memory_error());
        }
        let old: Vec<Value> = items.splice(start..end, new).collect();
        drop(items);
        drop_reversed(old);
        return Ok(());
    }
    if new.len() != indices.count {
        drop(items);
        let (given, wanted) = (new.len(), indices.count);
        return Err(
            vm.value_error(format!("attempt to assign sequence of size {given} to extended slice of size {wanted}"))
        );
    }
    let mut old = with_room(vm, new.len())?;
    for (at, value) in indices.positions().zip(new) {
        old.push(std::mem::replace(&mut items[at], value));
    }
    drop(items);
    drop(old);
    Ok(())
}

fn delete_slice(list: &List, start: i64, stop: i64, step: i64) {
    let mut items = list.items.borrow(&list.header);
    let indices = adjust_indices(items.len(), start, stop, step);
    if indices.count == 0 {
        return;
    }
    let SliceIndices { start, step, count, .. } = indices.ascending();
    let old: Vec<Value> = if step == 1 {
        items.drain(start as usize..start as usize + count).collect()
    } else {
        let mut at = 0;
        let last = start + step * (count as i64 - 1);
        items
            .extract_if(.., |_| {
                let position = at;
                at += 1;
                position >= start && position <= last && (position - start) % step == 0
            })
            .collect()
    };
    drop(items);
    drop_reversed(old);
}
