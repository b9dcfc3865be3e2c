//! `_bisect`: search in and insertion into sorted lists.

use crate::arguments::ssize;
use taipan_object::builtins::int;
use taipan_object::builtins::list::List;
use taipan_object::native::MethodDef;
use taipan_object::native::module::ModuleDef;
use taipan_object::types::slots::CompareOp;
use taipan_object::vm::quick_compare::quick_less;
use taipan_object::{Result, Value, Vm, method_table};

pub static MODULE: ModuleDef = ModuleDef {
    name: "_bisect",
    doc: "Searching in sorted lists.\n\nItems can be inserted at their right places, so that a list stays\nsorted.",
    functions: FUNCTIONS,
    exec: |_, _| Ok(()),
};

method_table! { static FUNCTIONS = [
    MethodDef::new("bisect_right($module, /, a, x, lo=0, hi=None, *, key=None)",
        "Find where x can be inserted in a sorted list, behind equal items.\n\n\
        Items from the returned index on are greater than x, and no item before\n\
        it is.\n\n\
        Only a[lo:hi] is searched, by default the whole list.\n\n\
        If a key function is given, the keys of the items are compared with x;\n\
        it is not applied to x itself.",
        |vm, _, args| bisect(vm, args, &args[1], Side::Right).map(Value::from)),
    MethodDef::new("insort_right($module, /, a, x, lo=0, hi=None, *, key=None)",
        "Insert x into a sorted list, behind equal items.\n\n\
        Its place is searched in a[lo:hi], by default in the whole list.\n\n\
        If a key function is given, the list must be sorted by it; it is applied\n\
        to x as well.",
        |vm, _, args| insort(vm, args, Side::Right)),
    MethodDef::new("bisect_left($module, /, a, x, lo=0, hi=None, *, key=None)",
        "Find where x can be inserted in a sorted list, in front of equal items.\n\n\
        Items before the returned index are less than x, and no item from it on\n\
        is.\n\n\
        Only a[lo:hi] is searched, by default the whole list.\n\n\
        If a key function is given, the keys of the items are compared with x;\n\
        it is not applied to x itself.",
        |vm, _, args| bisect(vm, args, &args[1], Side::Left).map(Value::from)),
    MethodDef::new("insort_left($module, /, a, x, lo=0, hi=None, *, key=None)",
        "Insert x into a sorted list, in front of equal items.\n\n\
        Its place is searched in a[lo:hi], by default in the whole list.\n\n\
        If a key function is given, the list must be sorted by it; it is applied\n\
        to x as well.",
        |vm, _, args| insort(vm, args, Side::Left)),
]; }

#[derive(Clone, Copy, PartialEq, Eq)]
enum Side {
    Left,
    Right,
}

/// Where `x` belongs in `args`: `a, x, lo, hi, key`.
fn bisect(vm: &Vm, args: &[Value], x: &Value, side: Side) -> Result<usize> {
    let (sequence, key) = (&args[0], args[4].given());
    let low = ssize(vm, &args[2])?;
    let high = match args[3].given() {
        None => -1,
        Some(high) if !int::is_int(high) && high.ty().slots().index.is_none() => {
            let got = high.ty().name();
            return Err(vm.type_error(format!("argument should be integer or None, not '{got}'")));
        }
        Some(high) => vm.index_i64(high)?,
    };
    if low < 0 {
        return Err(vm.value_error("lo must be non-negative"));
    }
    let mut low = low as usize;
    let mut high = if high == -1 { vm.len(sequence)? } else { high.max(0) as usize };
    while low < high {
        let middle = low + (high - low) / 2;
        let mut item = get(vm, sequence, middle)?;
        if let Some(key) = key {
            item = vm.call_args(key, std::slice::from_ref(&item))?;
        }
        let is_before = match side {
            Side::Left => less(vm, &item, x)?,
            Side::Right => !less(vm, x, &item)?,
        };
        if is_before {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    Ok(low)
}

#[inline]
fn less(vm: &Vm, a: &Value, b: &Value) -> Result<bool> {
    match quick_less(a, b) {
        Some(less) => Ok(less),
        None => vm.compare(a, b, CompareOp::Lt),
    }
}

#[inline]
fn get(vm: &Vm, sequence: &Value, at: usize) -> Result {
    if let Some(item) = sequence.downcast_exact::<List>().and_then(|list| list.get(at)) {
        return Ok(item);
    }
    let slots = sequence.ty().slots();
    match slots.item {
        Some(item) => item(vm, sequence, at as i64),
        None => {
            let name = sequence.ty().name();
            Err(vm.type_error(match slots.subscript {
                Some(_) => format!("{name} is not a sequence"),
                None => format!("'{name}' object does not support indexing"),
            }))
        }
    }
}

fn insort(vm: &Vm, args: &[Value], side: Side) -> Result {
    let (sequence, x) = (&args[0], &args[1]);
    let at = match args[4].given() {
        None => bisect(vm, args, x, side)?,
        Some(key) => {
            let x = vm.call_args(key, std::slice::from_ref(x))?;
            bisect(vm, args, &x, side)?
        }
    };
    if let Some(list) = sequence.downcast_exact::<List>() {
        let inserted = {
            let mut items = list.items.borrow(&list.header);
            let room = items.try_reserve(1).is_ok();
            if room {
                let at = at.min(items.len());
                items.insert(at, x.clone());
            }
            room
        };
        return if inserted { Ok(Value::NONE) } else { Err(vm.memory_error()) };
    }
    vm.call_method(sequence, "insert", &[Value::from(at), x.clone()])?;
    Ok(Value::NONE)
}
