//! Slots and methods of `set` and `frozenset`.

use super::iterator::SetIterator;
use super::operations::{self, new_base, new_empty, own};
use super::{AnySet, FROZENSET, FrozenSet, Set, add, contains};
use crate::attributes::memory;
use crate::builtins::generic_alias;
use crate::builtins::list::List;
use crate::builtins::tuple::Tuple;
use crate::native::{MethodDef, arguments};
use crate::object::Result;
use crate::types::Type;
use crate::types::slots::{CompareOp, Slots};
use crate::value::Value;
use crate::vm::{Vm, names};
use std::sync::atomic::Ordering::Relaxed;

fn shared_slots(s: &mut Slots) {
    s.repr = Some(repr);
    s.richcompare = Some(richcompare);
    s.iter = Some(|_, this| Ok(SetIterator::new(this)));
    s.length = Some(|_, this| Ok(own(this).len()));
    s.contains = Some(|vm, this, key| contains(vm, own(this), key));
    s.subtract = Some(|vm, left, right| match both(left, right) {
        true => operations::difference(vm, left, right),
        false => Ok(Value::NOT_IMPLEMENTED),
    });
    s.and = Some(|vm, left, right| match both(left, right) {
        true => operations::intersection(vm, left, right),
        false => Ok(Value::NOT_IMPLEMENTED),
    });
    s.xor = Some(|vm, left, right| match both(left, right) {
        true => operations::symmetric_difference(vm, left, right),
        false => Ok(Value::NOT_IMPLEMENTED),
    });
    s.or = Some(|vm, left, right| {
        if !both(left, right) {
            return Ok(Value::NOT_IMPLEMENTED);
        }
        let result = new_base(vm, left.ty(), Some(left))?;
        if !right.is(left) {
            operations::update(vm, own(&result), right)?;
        }
        Ok(result)
    });
}

pub fn set_slots(s: &mut Slots) {
    shared_slots(s);
    s.new = Some(|_, class, _, _| Ok(new_empty(class.downcast::<Type>().expect("a class"))));
    s.init = Some(|vm, this, args, kwnames| {
        let iterable = arguments::optional_iterable(vm, "set", args, kwnames)?;
        own(this).clear();
        match iterable {
            Some(iterable) => operations::update(vm, own(this), iterable),
            None => Ok(()),
        }
    });
    s.inplace_subtract = Some(|vm, this, other| in_place(vm, this, other, operations::difference_update));
    s.inplace_xor = Some(|vm, this, other| in_place(vm, this, other, operations::symmetric_difference_update));
    s.inplace_or = Some(|vm, this, other| in_place(vm, this, other, operations::update));
    s.inplace_and = Some(|vm, this, other| {
        if AnySet::of(other).is_none() {
            return Ok(Value::NOT_IMPLEMENTED);
        }
        let result = operations::intersection(vm, this, other)?;
        operations::take_keys(own(this), own(&result));
        Ok(this.clone())
    });
}

pub fn frozenset_slots(s: &mut Slots) {
    shared_slots(s);
    s.new = Some(new_frozenset);
    s.hash = Some(|_, this| {
        let set = this.downcast::<FrozenSet>().expect("called on a frozenset");
        let known = set.hash.load(Relaxed);
        if known != -1 {
            return Ok(known);
        }
        let hash = set.as_set().table().frozen_hash();
        set.hash.store(hash, Relaxed);
        Ok(hash)
    });
}

fn both(left: &Value, right: &Value) -> bool {
    AnySet::of(left).is_some() && AnySet::of(right).is_some()
}

fn in_place(vm: &Vm, this: &Value, other: &Value, operation: fn(&Vm, AnySet, &Value) -> Result<()>) -> Result {
    if AnySet::of(other).is_none() {
        return Ok(Value::NOT_IMPLEMENTED);
    }
    operation(vm, own(this), other)?;
    Ok(this.clone())
}

fn new_frozenset(vm: &Vm, class: &Value, args: &[Value], kwnames: Option<&Value>) -> Result {
    let ty = class.downcast::<Type>().expect("a class");
    let exact = ty.is(&FROZENSET);
    let own_init = ty.slots().init.map(|f| f as usize) == FROZENSET.ty().slots().init.map(|f| f as usize);
    let iterable = if exact || own_init {
        arguments::optional_iterable(vm, "frozenset", args, kwnames)?
    } else {
        arguments::optional_iterable_ignoring_keywords(vm, "frozenset", args, kwnames)?
    };
    if let Some(iterable) = iterable
        && exact
        && iterable.downcast_exact::<FrozenSet>().is_some()
    {
        return Ok(iterable.clone());
    }
    let set = new_empty(ty);
    if let Some(iterable) = iterable {
        operations::update(vm, own(&set), iterable)?;
    }
    Ok(set)
}

fn repr(vm: &Vm, this: &Value) -> Result {
    let name = this.ty().name();
    let keys = own(this).keys();
    if keys.is_empty() {
        return Ok(Value::from(format!("{name}()")));
    }
    let item = |at: usize| keys.get(at).cloned();
    if this.downcast_exact::<Set>().is_some() {
        if vm.repr_is_running(this) {
            return Ok(Value::from("set(...)"));
        }
        return vm.repr_sequence(this, "{", "}", item);
    }
    if vm.repr_is_running(this) {
        return Ok(Value::from(format!("{name}(...)")));
    }
    vm.repr_sequence(this, &format!("{name}({{"), "})", item)
}

fn richcompare(vm: &Vm, this: &Value, other: &Value, op: CompareOp) -> Result {
    let Some(other_set) = AnySet::of(other) else { return Ok(Value::NOT_IMPLEMENTED) };
    let set = own(this);
    let holds = match op {
        CompareOp::Eq => equal(vm, this, other)?,
        CompareOp::Ne => !equal(vm, this, other)?,
        CompareOp::Le => operations::is_subset(vm, set, other_set)?,
        CompareOp::Ge => operations::is_subset(vm, other_set, set)?,
        CompareOp::Lt => set.len() < other_set.len() && operations::is_subset(vm, set, other_set)?,
        CompareOp::Gt => set.len() > other_set.len() && operations::is_subset(vm, other_set, set)?,
    };
    Ok(Value::bool(holds))
}

fn equal(vm: &Vm, this: &Value, other: &Value) -> Result<bool> {
    if own(this).len() != own(other).len() {
        return Ok(false);
    }
    if let (Some(a), Some(b)) = (this.downcast::<FrozenSet>(), other.downcast::<FrozenSet>()) {
        let (a, b) = (a.hash.load(Relaxed), b.hash.load(Relaxed));
        if a != -1 && b != -1 && a != b {
            return Ok(false);
        }
    }
    operations::is_subset(vm, own(this), own(other))
}

/// The arguments of a method `name(*others)`.
fn others<'a>(vm: &Vm, this: &Value, name: &str, args: &'a [Value], kwnames: Option<&Value>) -> Result<&'a [Value]> {
    if kwnames.is_some() {
        let class = if this.downcast::<FrozenSet>().is_some() { "frozenset" } else { "set" };
        arguments::no_keywords(vm, &format!("{class}.{name}"), kwnames)?;
    }
    Ok(args)
}

fn copy(vm: &Vm, this: &Value, _args: &[Value]) -> Result {
    if this.downcast_exact::<FrozenSet>().is_some() {
        return Ok(this.clone());
    }
    new_base(vm, this.ty(), Some(this))
}

fn difference(vm: &Vm, this: &Value, args: &[Value], kwnames: Option<&Value>) -> Result {
    let Some((first, rest)) = others(vm, this, "difference", args, kwnames)?.split_first() else {
        return new_base(vm, this.ty(), Some(this));
    };
    let result = operations::difference(vm, this, first)?;
    for other in rest {
        operations::difference_update(vm, own(&result), other)?;
    }
    Ok(result)
}

fn intersection(vm: &Vm, this: &Value, args: &[Value], kwnames: Option<&Value>) -> Result {
    let others = others(vm, this, "intersection", args, kwnames)?;
    operations::intersection_of_all(vm, this, others)
}

fn union(vm: &Vm, this: &Value, args: &[Value], kwnames: Option<&Value>) -> Result {
    let others = others(vm, this, "union", args, kwnames)?;
    let result = new_base(vm, this.ty(), Some(this))?;
    for other in others.iter().filter(|other| !other.is(this)) {
        operations::update(vm, own(&result), other)?;
    }
    Ok(result)
}

fn reduce(vm: &Vm, this: &Value, _args: &[Value]) -> Result {
    let keys = List::from_vec(own(this).keys()).into_value();
    let state = vm.call_method_name(this, &names().__getstate__, &[])?;
    let arguments = Tuple::from_array([keys]).into_value();
    Ok(Tuple::from_array([this.ty().to_value(), arguments, state]).into_value())
}

fn size_of(_vm: &Vm, this: &Value, _args: &[Value]) -> Result {
    Ok(Value::from(memory(this) + own(this).table().memory()))
}

fn remove(vm: &Vm, set: AnySet, key: &Value) -> Result<bool> {
    let hash = super::hash_wanted(vm, key)?;
    set.discard_hashed(vm, key, hash)
}

const CONTAINS: (&str, &str) = ("__contains__($self, object, /)", "Tell whether y is an element: y in x.");
const COPY: (&str, &str) = ("copy($self, /)", "Return a set with the same elements.");
const DIFFERENCE: (&str, &str) =
    ("difference($self, /, *others)", "Return a new set: the elements that none of the others contains.");
const INTERSECTION: (&str, &str) =
    ("intersection($self, /, *others)", "Return a new set: the elements that all of the others contain as well.");
const IS_DISJOINT: (&str, &str) = ("isdisjoint($self, other, /)", "Tell whether the two have no element in common.");
const IS_SUBSET: (&str, &str) = ("issubset($self, other, /)", "Tell whether every element is also in the other set.");
const IS_SUPERSET: (&str, &str) = (
    "issuperset($self, other, /)",
    "\
    Tell whether every element of the other set is also in this one.",
);
const REDUCE: (&str, &str) = ("__reduce__($self, /)", "Give what pickle needs to rebuild the object.");
const SIZE_OF: (&str, &str) = ("__sizeof__($self, /)", "S.__sizeof__() -> int, the bytes of memory that S takes.");
const SYMMETRIC_DIFFERENCE: (&str, &str) =
    ("symmetric_difference($self, other, /)", "Return a new set: the elements that only one of the two sets has.");
const UNION: (&str, &str) = (
    "union($self, /, *others)",
    "\
    Return a new set: the elements of this one and of all the others.",
);

fn has_key(vm: &Vm, this: &Value, args: &[Value]) -> Result {
    Ok(Value::bool(contains(vm, own(this), &args[0])?))
}
fn is_disjoint(vm: &Vm, this: &Value, args: &[Value]) -> Result {
    Ok(Value::bool(operations::is_disjoint(vm, this, &args[0])?))
}
fn is_subset(vm: &Vm, this: &Value, args: &[Value]) -> Result {
    Ok(Value::bool(operations::is_subset_of(vm, this, &args[0])?))
}
fn is_superset(vm: &Vm, this: &Value, args: &[Value]) -> Result {
    Ok(Value::bool(operations::is_superset_of(vm, this, &args[0])?))
}
fn symmetric_difference(vm: &Vm, this: &Value, args: &[Value]) -> Result {
    operations::symmetric_difference(vm, this, &args[0])
}

crate::method_table! { pub static SET_METHODS = [
    MethodDef::new(CONTAINS.0, CONTAINS.1, has_key),
    MethodDef::new("add($self, object, /)", "Add an element.\n\n\
        Nothing happens if the set already has it.", |vm, this, args| {
        add(vm, own(this), &args[0])?;
        Ok(Value::NONE)
    }),
    MethodDef::new("clear($self, /)", "Make the set empty.", |_, this, _| {
        own(this).clear();
        Ok(Value::NONE)
    }),
    MethodDef::new(COPY.0, COPY.1, copy),
    MethodDef::new("discard($self, object, /)", "Remove an element if the set has it.\n\n\
        Nothing happens if it does not; remove() raises KeyError in that case.", |vm, this, args| {
        remove(vm, own(this), &args[0])?;
        Ok(Value::NONE)
    }),
    MethodDef::raw(DIFFERENCE.0, DIFFERENCE.1, difference),
    MethodDef::raw("difference_update($self, /, *others)", "\
        Remove all elements that occur in any of the others.", |vm, this, args, kwnames| {
        for other in others(vm, this, "difference_update", args, kwnames)? {
            operations::difference_update(vm, own(this), other)?;
        }
        Ok(Value::NONE)
    }),
    MethodDef::raw(INTERSECTION.0, INTERSECTION.1, intersection),
    MethodDef::raw("intersection_update($self, /, *others)", "\
        Remove all elements that are missing in any of the others.", |vm, this, args, kwnames| {
        let others = others(vm, this, "intersection_update", args, kwnames)?;
        let result = operations::intersection_of_all(vm, this, others)?;
        operations::take_keys(own(this), own(&result));
        Ok(Value::NONE)
    }),
    MethodDef::new(IS_DISJOINT.0, IS_DISJOINT.1, is_disjoint),
    MethodDef::new(IS_SUBSET.0, IS_SUBSET.1, is_subset),
    MethodDef::new(IS_SUPERSET.0, IS_SUPERSET.1, is_superset),
    MethodDef::new("pop($self, /)", "Remove some element, and return it.\n\n\
        KeyError is raised if the set is empty.", |vm, this, _| {
        let popped = own(this).table().pop();
        popped.ok_or_else(|| vm.key_error(&Value::from("pop from an empty set")))
    }),
    MethodDef::new(REDUCE.0, REDUCE.1, reduce),
    MethodDef::new("remove($self, object, /)", "Remove an element that the set has.\n\n\
        KeyError is raised if it does not have it.", |vm, this, args| {
        if remove(vm, own(this), &args[0])? { Ok(Value::NONE) } else { Err(vm.key_error(&args[0])) }
    }),
    MethodDef::new(SIZE_OF.0, SIZE_OF.1, size_of),
    MethodDef::new(SYMMETRIC_DIFFERENCE.0, SYMMETRIC_DIFFERENCE.1, symmetric_difference),
    MethodDef::new("symmetric_difference_update($self, other, /)", "\
        Remove the elements that are in the other set, and add its remaining ones.", |vm, this, args| {
        operations::symmetric_difference_update(vm, own(this), &args[0])?;
        Ok(Value::NONE)
    }),
    MethodDef::raw(UNION.0, UNION.1, union),
    MethodDef::raw("update($self, /, *others)", "Add the elements of all the others.", |vm, this, args, kwnames| {
        for other in others(vm, this, "update", args, kwnames)? {
            operations::update(vm, own(this), other)?;
        }
        Ok(Value::NONE)
    }),
    MethodDef::new("__class_getitem__($type, object, /)", "\
        Give an alias that states the type of the elements", |vm, class, args| {
        Ok(generic_alias::new(vm, class, &args[0]))
    })
    .class(),
]; }

crate::method_table! { pub static FROZENSET_METHODS = [
    MethodDef::new(CONTAINS.0, CONTAINS.1, has_key),
    MethodDef::new(COPY.0, COPY.1, copy),
    MethodDef::raw(DIFFERENCE.0, DIFFERENCE.1, difference),
    MethodDef::raw(INTERSECTION.0, INTERSECTION.1, intersection),
    MethodDef::new(IS_DISJOINT.0, IS_DISJOINT.1, is_disjoint),
    MethodDef::new(IS_SUBSET.0, IS_SUBSET.1, is_subset),
    MethodDef::new(IS_SUPERSET.0, IS_SUPERSET.1, is_superset),
    MethodDef::new(REDUCE.0, REDUCE.1, reduce),
    MethodDef::new(SIZE_OF.0, SIZE_OF.1, size_of),
    MethodDef::new(SYMMETRIC_DIFFERENCE.0, SYMMETRIC_DIFFERENCE.1, symmetric_difference),
    MethodDef::raw(UNION.0, UNION.1, union),
    MethodDef::new("__class_getitem__($type, object, /)", "\
        Give an alias that states the type of the elements", |vm, class, args| {
        Ok(generic_alias::new(vm, class, &args[0]))
    })
    .class(),
]; }
