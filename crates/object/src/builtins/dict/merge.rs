//! `dict.update` and its relatives.

use super::{Dict, OutOfMemory, hash_key};
use crate::builtins::list::List;
use crate::builtins::list::methods::sequence_items;
use crate::builtins::tuple::Tuple;
use crate::object::Result;
use crate::value::Value;
use crate::vm::{Vm, names};

/// What becomes of a key that is there already.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Existing {
    /// It gets the new value.
    Replace,
    /// It keeps its value.
    Keep,
    /// `KeyError`.
    Refuse,
}

impl Existing {
    /// Whether to set a key, given whether it is there.
    fn allows(self, vm: &Vm, key: &Value, there: impl FnOnce() -> Result<bool>) -> Result<bool> {
        match self {
            Existing::Replace => Ok(true),
            Existing::Keep => Ok(!there()?),
            Existing::Refuse => {
                if there()? {
                    Err(vm.key_error(key))
                } else {
                    Ok(true)
                }
            }
        }
    }
}

/// `dict.update(source)`: a mapping (it has `keys`) or an iterable of pairs.
pub fn update(vm: &Vm, dict: &Dict, source: &Value) -> Result<()> {
    if source.downcast_exact::<Dict>().is_some() || vm.get_attr_opt(source, &names().keys)?.is_some() {
        return merge(vm, dict, source, Existing::Replace);
    }
    merge_pairs(vm, dict, source)
}

/// Takes over the items of a mapping.
pub fn merge(vm: &Vm, dict: &Dict, mapping: &Value, existing: Existing) -> Result<()> {
    // A subclass with an `__iter__` of its own is asked like any mapping.
    if let Some(source) = mapping.downcast::<Dict>()
        && super::methods::iterates_plainly(mapping.ty())
    {
        return merge_dict(vm, dict, source, existing);
    }
    let keys = vm.call_method_name(mapping, &names().keys, &[])?;
    let iterator = vm.iter(&keys)?;
    drop(keys);
    while let Some(key) = vm.next(&iterator)? {
        if existing.allows(vm, &key, || dict.contains(vm, &key))? {
            let value = vm.get_item(mapping, &key)?;
            dict.set(vm, &key, value)?;
        }
    }
    Ok(())
}

fn merge_dict(vm: &Vm, dict: &Dict, source: &Dict, existing: Existing) -> Result<()> {
    if std::ptr::eq(dict, source) || source.len() == 0 {
        return Ok(());
    }
    if dict.len() == 0 {
        // Into an empty dict the whole table goes.
        let copy = source.table().copy_for_merge();
        let Ok(copy) = copy else { return Err(vm.memory_error()) };
        let mut table = dict.table();
        if table.used() == 0 {
            let mutations = table.mutations.wrapping_add(1);
            let old = std::mem::replace(&mut *table, copy);
            table.mutations = mutations;
            drop(table);
            drop(old);
            return Ok(());
        }
    }
    let reserved = {
        let count = source.len();
        dict.table().reserve(count)
    };
    if let Err(OutOfMemory) = reserved {
        return Err(vm.memory_error());
    }
    let count = source.table().entries.len();
    let mut position = 0;
    while let Some((next, hash, key, value)) = source.next_entry(position) {
        position = next;
        if existing.allows(vm, &key, || dict.contains_hashed(vm, &key, hash))? {
            dict.set_hashed(vm, &key, hash, value)?;
        }
        if source.table().entries.len() != count {
            return Err(vm.runtime_error("dict mutated during update"));
        }
    }
    Ok(())
}

/// Takes over the pairs of an iterable.
fn merge_pairs(vm: &Vm, dict: &Dict, source: &Value) -> Result<()> {
    let iterator = vm.iter(source)?;
    let mut number = 0usize;
    while let Some(item) = vm.next(&iterator)? {
        let (key, value) = pair(vm, &item, number)?;
        let hash = hash_key(vm, &key)?;
        dict.set_hashed(vm, &key, hash, value)?;
        number += 1;
    }
    Ok(())
}

/// Key and value of an element of an update sequence.
fn pair(vm: &Vm, item: &Value, number: usize) -> Result<(Value, Value)> {
    if let Some(tuple) = item.downcast_exact::<Tuple>()
        && let [key, value] = tuple.as_slice()
    {
        return Ok((key.clone(), value.clone()));
    }
    if let Some(list) = item.downcast_exact::<List>()
        && list.len() == 2
        && let (Some(key), Some(value)) = (list.get(0), list.get(1))
    {
        return Ok((key, value));
    }
    let items = match sequence_items(vm, item, "object is not iterable") {
        Ok(items) => items,
        Err(raised) => {
            if vm.pending_matches(&raised, crate::exceptions::type_error()) {
                let note = format!("Cannot convert dictionary update sequence element #{number} to a sequence");
                return Err(vm.with_note(raised, note));
            }
            return Err(raised);
        }
    };
    let length = items.len();
    match <[Value; 2]>::try_from(items) {
        Ok([key, value]) => Ok((key, value)),
        Err(_) => Err(
            vm.value_error(format!("dictionary update sequence element #{number} has length {length}; 2 is required"))
        ),
    }
}
