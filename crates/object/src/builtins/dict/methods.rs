//! Slots and methods of `dict`.

use super::iterator::{DictIterator, Keys, ReverseKeys};
use super::views::{DictItems, DictKeys, DictValues};
use super::{DICT, Dict, Existing, hash_key, merge};
use crate::attributes::memory;
use crate::builtins::generic_alias;
use crate::builtins::set::{self, AnySet};
use crate::builtins::str::StrBuilder;
use crate::builtins::tuple::Tuple;
use crate::native::arguments::optional;
use crate::native::{MethodDef, arguments};
use crate::object::{Ref, Result};
use crate::types::Type;
use crate::types::slots::{CompareOp, Slots};
use crate::value::Value;
use crate::vm::{Vm, names};

pub fn slots(s: &mut Slots) {
    s.new = Some(|_, class, _, _| {
        let ty = class.downcast::<Type>().expect("a class");
        Ok(if ty.is(&DICT) { Dict::new() } else { Dict::new_with_type(ty) }.into_value())
    });
    s.init = Some(|vm, this, args, kwnames| update_arguments(vm, own(this), "dict", args, kwnames));
    s.repr = Some(repr);
    s.richcompare = Some(richcompare);
    s.iter = Some(iter);
    s.length = Some(|_, this| Ok(own(this).len()));
    s.subscript = Some(subscript);
    s.ass_subscript = Some(|vm, this, key, value| match value {
        Some(value) => own(this).set(vm, key, value.clone()),
        None => match own(this).remove(vm, key)? {
            Some(_) => Ok(()),
            None => Err(vm.key_error(key)),
        },
    });
    s.contains = Some(|vm, this, key| own(this).contains(vm, key));
    s.or = Some(|vm, left, right| {
        let (Some(dict), Some(_)) = (left.downcast::<Dict>(), right.downcast::<Dict>()) else {
            return Ok(Value::NOT_IMPLEMENTED);
        };
        let union = dict.try_copy(vm)?;
        super::update(vm, &union, right)?;
        Ok(union.into_value())
    });
    s.inplace_or = Some(|vm, this, other| {
        super::update(vm, own(this), other)?;
        Ok(this.clone())
    });
}

fn own(value: &Value) -> &Dict {
    value.downcast::<Dict>().expect("called on a dict")
}

fn iter(_vm: &Vm, this: &Value) -> Result {
    Ok(DictIterator::<Keys>::new(this))
}

/// Whether instances of a dict type are iterated as dicts are.
pub(super) fn iterates_plainly(ty: &Type) -> bool {
    ty.is(&DICT)
        || ty.slots().iter.is_some_and(|slot| std::ptr::fn_addr_eq(slot, DICT.ty().slots().iter.unwrap_or(slot)))
}

fn repr(vm: &Vm, this: &Value) -> Result {
    let dict = own(this);
    if dict.len() == 0 {
        return Ok(Value::from("{}"));
    }
    if !vm.enter_repr(this) {
        return Ok(Value::from("{...}"));
    }
    let text = repr_items(vm, dict);
    vm.leave_repr(this);
    text
}

fn repr_items(vm: &Vm, dict: &Dict) -> Result {
    let mut text = StrBuilder::new();
    text.push_str("{");
    let mut position = 0;
    while let Some((next, key, value)) = dict.next_item(position) {
        if text.len() > 1 {
            text.push_str(", ");
        }
        position = next;
        text.push_repr(vm, &key)?;
        text.push_str(": ");
        text.push_repr(vm, &value)?;
    }
    text.push_str("}");
    Ok(text.finish().into_value())
}

fn richcompare(vm: &Vm, this: &Value, other: &Value, op: CompareOp) -> Result {
    let (Some(a), Some(b)) = (this.downcast::<Dict>(), other.downcast::<Dict>()) else {
        return Ok(Value::NOT_IMPLEMENTED);
    };
    match op {
        CompareOp::Eq => Ok(Value::bool(equal(vm, a, b)?)),
        CompareOp::Ne => Ok(Value::bool(!equal(vm, a, b)?)),
        _ => Ok(Value::NOT_IMPLEMENTED),
    }
}

fn equal(vm: &Vm, a: &Dict, b: &Dict) -> Result<bool> {
    if a.len() != b.len() {
        return Ok(false);
    }
    let mut position = 0;
    while let Some((next, hash, key, value)) = a.next_entry(position) {
        position = next;
        match b.get_hashed(vm, &key, hash)? {
            Some(other) if vm.equal_or_identical(&value, &other)? => {}
            _ => return Ok(false),
        }
    }
    Ok(true)
}

pub fn subscript(vm: &Vm, this: &Value, key: &Value) -> Result {
    match own(this).get(vm, key)? {
        Some(value) => Ok(value),
        None => missing(vm, this, key),
    }
}

#[cold]
fn missing(vm: &Vm, this: &Value, key: &Value) -> Result {
    if !this.ty().is(&DICT)
        && let Some(result) = vm.call_special(this, &names().__missing__, &[key])
    {
        return result;
    }
    Err(vm.key_error(key))
}

/// `dict(...)` and `dict.update(...)`: a source, then keyword arguments.
fn update_arguments(vm: &Vm, dict: &Dict, name: &str, args: &[Value], kwnames: Option<&Value>) -> Result<()> {
    let keywords: &[Value] = kwnames.and_then(|names| names.downcast::<Tuple>()).map_or(&[], Tuple::as_slice);
    let (positional, values) = args.split_at(args.len() - keywords.len());
    arguments::check_positional(vm, name, positional.len(), 0, 1)?;
    if let Some(source) = positional.first() {
        super::update(vm, dict, source)?;
    }
    for (key, value) in keywords.iter().zip(values) {
        dict.set(vm, key, value.clone())?;
    }
    Ok(())
}

fn get(vm: &Vm, this: &Value, args: &[Value]) -> Result {
    match own(this).get(vm, &args[0])? {
        Some(value) => Ok(value),
        None => Ok(args.get(1).cloned().unwrap_or(Value::NONE)),
    }
}

fn setdefault(vm: &Vm, this: &Value, args: &[Value]) -> Result {
    own(this).set_default(vm, &args[0], args.get(1).unwrap_or(&Value::NONE))
}

fn pop(vm: &Vm, this: &Value, args: &[Value]) -> Result {
    let dict = own(this);
    // An empty dict does not even ask for the hash.
    let value = if dict.len() == 0 { None } else { dict.remove(vm, &args[0])? };
    match value.or_else(|| optional(args, 1).cloned()) {
        Some(value) => Ok(value),
        None => Err(vm.key_error(&args[0])),
    }
}

/// `dict.fromkeys(iterable, value)` on `class`.
fn from_keys(vm: &Vm, class: &Value, iterable: &Value, value: &Value) -> Result {
    let made = vm.call(class, &[], None)?;
    if let Some(dict) = made.downcast_exact::<Dict>() {
        if dict.len() == 0
            && let Some(filled) = from_hashed_keys(vm, iterable, value)?
        {
            return Ok(filled.into_value());
        }
        vm.for_each(iterable, |key| dict.set(vm, &key, value.clone()))?;
    } else {
        vm.for_each(iterable, |key| vm.set_item(&made, &key, value))?;
    }
    Ok(made)
}

/// From a dict or set, whose keys need not be hashed or compared again.
fn from_hashed_keys(vm: &Vm, iterable: &Value, value: &Value) -> Result<Option<Ref<Dict>>> {
    let mut position = 0;
    if let Some(source) = iterable.downcast_exact::<Dict>() {
        let filled = Dict::with_capacity(source.len());
        while let Some((next, hash, key, _)) = source.next_entry(position) {
            position = next;
            filled.set_hashed(vm, &key, hash, value.clone())?;
        }
        return Ok(Some(filled));
    }
    let Some(source) = AnySet::exact(iterable) else { return Ok(None) };
    let filled = Dict::with_capacity(source.len());
    while let Some((next, hash, key)) = set::next_entry(source, position) {
        position = next;
        filled.set_hashed(vm, &key, hash, value.clone())?;
    }
    Ok(Some(filled))
}

crate::method_table! { pub static METHODS = [
    MethodDef::new("__getitem__($self, key, /)", "self[key]", |vm, this, args| subscript(vm, this, &args[0])),
    MethodDef::new("__contains__($self, key, /)", "\
        Tell whether the dictionary has an item with this key.", |vm, this, args| {
        Ok(Value::bool(own(this).contains(vm, &args[0])?))
    }),
    MethodDef::new("__sizeof__($self, /)", "\
        Give the number of bytes of memory that the dictionary takes.", |_, this, _| {
        Ok(Value::from(memory(this) + own(this).state.borrow(&own(this).header).memory()))
    }),
    MethodDef::new("get($self, key, default=None, /)", "\
        Return the value stored under key, or default if there is no such key.", get).optional(),
    MethodDef::new("setdefault($self, key, default=None, /)", "\
        Return the value stored under key, storing default there if it is new.\n\n\
        The default is None unless given.", setdefault).optional(),
    MethodDef::new("pop($self, key, default=<unrepresentable>, /)", "\
        D.pop(k[,d]) -> v, the value of the item with key k, which is removed.\n\n\
        Without such an item, d is returned; KeyError is raised if there is no\n\
        d.", pop).optional(),
    MethodDef::new("popitem($self, /)", "Remove the item that was added last, and return it.\n\n\
        It is returned as a (key, value) pair; an empty dictionary raises\n\
        KeyError.", |vm, this, _| {
        match own(this).pop_item() {
            Some((key, value)) => Ok(Tuple::from_array([key, value]).into_value()),
            None => Err(vm.key_error(&Value::from("popitem(): dictionary is empty"))),
        }
    }),
    MethodDef::new("keys($self, /)", "Return a view of the keys, which follows changes and can be used as a \
        set.", |_, this, _| Ok(DictKeys::new(this))),
    MethodDef::new("items($self, /)", "\
        Return a view of the (key, value) pairs, which follows changes.", |_, this, _| Ok(DictItems::new(this))),
    MethodDef::new("values($self, /)", "Return a view of the values, which follows changes of the \
        dictionary.", |_, this, _| Ok(DictValues::new(this))),
    MethodDef::raw("update", "D.update([E, ]**F) -> None.  Add the items of E, then those of F.\n\
        An E with a keys() method is a mapping; any other E must be an\n\
        iterable of (key, value) pairs.  Values of keys that D already has are\n\
        replaced.", |vm, this, args, kwnames| {
        update_arguments(vm, own(this), "update", args, kwnames)?;
        Ok(Value::NONE)
    }),
    MethodDef::new("fromkeys($type, iterable, value=None, /)", "\
        Create a dictionary that maps every item of the iterable to value.", |vm, class, args| {
        from_keys(vm, class, &args[0], &args[1])
    })
    .class(),
    MethodDef::new("clear($self, /)", "Make the dictionary empty.", |_, this, _| {
        own(this).clear_items();
        Ok(Value::NONE)
    }),
    MethodDef::new("copy($self, /)", "\
        Return a new dictionary with the same keys and values.", |vm, this, _| copy(vm, this)),
    MethodDef::new("__reversed__($self, /)", "Return an iterator over the keys, the last one first.", |_, this, _| {
        Ok(DictIterator::<ReverseKeys>::new(this))
    }),
    MethodDef::new("__class_getitem__($type, object, /)", "\
        Give an alias that states two types: that of the keys and that of the values.", |vm, class, args| {
        Ok(generic_alias::new(vm, class, &args[0]))
    })
    .class(),
]; }

/// `dict.copy()`: an exact dict.
fn copy(vm: &Vm, this: &Value) -> Result {
    if iterates_plainly(this.ty()) {
        return Ok(own(this).try_copy(vm)?.into_value());
    }
    let copy = Dict::new();
    merge(vm, &copy, this, Existing::Replace)?;
    Ok(copy.into_value())
}

/// A new dict with the given keys and values, hashing each key.
pub fn from_pairs(vm: &Vm, pairs: impl ExactSizeIterator<Item = (Value, Value)>) -> Result {
    let dict = Dict::with_capacity(pairs.len());
    for (key, value) in pairs {
        let hash = hash_key(vm, &key)?;
        dict.set_hashed(vm, &key, hash, value)?;
    }
    Ok(dict.into_value())
}
