//! Slots and methods of `tuple`.

use super::iterator::TupleIterator;
use super::{ItemHash, TUPLE, Tuple};
use crate::builtins::generic_alias;
use crate::builtins::list::List;
use crate::builtins::slice::{self, Slice};
use crate::builtins::str::StrBuilder;
use crate::native::{MethodDef, arguments};
use crate::object::{Ref, Result};
use crate::types::Type;
use crate::types::slots::{CompareOp, Slots};
use crate::value::Value;
use crate::vm::Vm;
use crate::vm::quick_compare::quick_equal;
use std::sync::atomic::Ordering::Relaxed;

pub fn slots(s: &mut Slots) {
    s.new = Some(new);
    s.repr = Some(repr);
    s.hash = Some(hash);
    s.richcompare = Some(richcompare);
    s.iter = Some(|_, this| Ok(TupleIterator::new(this.clone())));
    s.length = Some(|_, this| Ok(own(this).len()));
    s.subscript = Some(subscript);
    s.concat = Some(concat);
    s.repeat = Some(repeat);
    s.item = Some(|vm, this, index| match own(this).as_slice().get(index as usize) {
        Some(item) => Ok(item.clone()),
        None => Err(vm.index_error("tuple index out of range")),
    });
    s.contains = Some(|vm, this, item| contains(vm, own(this).as_slice(), item));
}

fn own(value: &Value) -> &Tuple {
    value.downcast::<Tuple>().expect("called on a tuple")
}

fn new(vm: &Vm, class: &Value, args: &[Value], kwnames: Option<&Value>) -> Result {
    let ty = class.downcast::<Type>().expect("a class");
    let exact = ty.is(&TUPLE);
    if let ([iterable], None) = (args, kwnames)
        && let Some(items) = iterable.downcast_exact::<Tuple>()
    {
        return if exact { Ok(iterable.clone()) } else { copy_of(vm, ty, items) };
    }
    let own_init = ty.slots().init.map(|f| f as usize) == TUPLE.ty().slots().init.map(|f| f as usize);
    let iterable = if exact || own_init {
        arguments::optional_iterable(vm, "tuple", args, kwnames)?
    } else {
        arguments::optional_iterable_ignoring_keywords(vm, "tuple", args, kwnames)?
    };
    if exact {
        return match iterable {
            Some(iterable) if iterable.downcast_exact::<Tuple>().is_some() => Ok(iterable.clone()),
            Some(iterable) if let Some(list) = iterable.downcast_exact::<List>() => {
                let items = list.items.borrow(&list.header);
                if items.is_empty() {
                    return Ok(super::empty().into_value());
                }
                let made = Tuple::try_from_slice(&items);
                drop(items);
                made.map(Ref::into_value).ok_or_else(|| vm.memory_error())
            }
            Some(iterable) => Ok(Tuple::try_from_vec(vm, vm.collect(iterable)?)?.into_value()),
            None => Ok(super::empty().into_value()),
        };
    }
    let made = match iterable {
        Some(iterable) => match iterable.downcast_exact::<Tuple>() {
            Some(items) => return copy_of(vm, ty, items),
            None => Tuple::try_new_with_type(ty, vm.collect(iterable)?.into_iter()),
        },
        None => Tuple::try_new_with_type(ty, std::iter::empty()),
    };
    made.map(Ref::into_value).ok_or_else(|| vm.memory_error())
}

/// An instance of a subclass with the items of a tuple.
fn copy_of(vm: &Vm, ty: &Type, items: &Tuple) -> Result {
    let made = Tuple::try_new_with_type(ty, items.as_slice().iter().cloned());
    made.map(Ref::into_value).ok_or_else(|| vm.memory_error())
}

fn repr(vm: &Vm, this: &Value) -> Result {
    let items = own(this).as_slice();
    if items.is_empty() {
        return Ok(Value::from("()"));
    }
    if !vm.enter_repr(this) {
        return Ok(Value::from("(...)"));
    }
    let text = repr_items(vm, items);
    vm.leave_repr(this);
    text
}

fn repr_items(vm: &Vm, items: &[Value]) -> Result {
    let mut text = StrBuilder::with_capacity(items.len() * 3 + 2);
    text.push_str("(");
    for (i, item) in items.iter().enumerate() {
        if i > 0 {
            text.push_str(", ");
        }
        text.push_repr(vm, item)?;
    }
    text.push_str(if items.len() == 1 { ",)" } else { ")" });
    Ok(text.finish().into_value())
}

fn hash(vm: &Vm, this: &Value) -> Result<i64> {
    let tuple = own(this);
    let known = tuple.hash.load(Relaxed);
    if known != -1 {
        return Ok(known);
    }
    vm.check_stack(" while hashing a tuple")?;
    let mut hash = ItemHash::new();
    for item in tuple.as_slice() {
        hash.add(vm.hash(item)?);
    }
    let hash = hash.finish(tuple.len());
    tuple.hash.store(hash, Relaxed);
    Ok(hash)
}

fn richcompare(vm: &Vm, this: &Value, other: &Value, op: CompareOp) -> Result {
    let (Some(a), Some(b)) = (this.downcast::<Tuple>(), other.downcast::<Tuple>()) else {
        return Ok(Value::NOT_IMPLEMENTED);
    };
    let (a, b) = (a.as_slice(), b.as_slice());
    for (x, y) in a.iter().zip(b) {
        if !vm.equal_or_identical(x, y)? {
            return match op {
                CompareOp::Eq => Ok(Value::FALSE),
                CompareOp::Ne => Ok(Value::TRUE),
                _ => vm.rich_compare(x, y, op),
            };
        }
    }
    Ok(Value::bool(op.holds(a.len().cmp(&b.len()))))
}

fn subscript(vm: &Vm, this: &Value, key: &Value) -> Result {
    let tuple = own(this);
    if let Some(slice) = key.downcast_exact::<Slice>() {
        let indices = slice.fit(vm, || tuple.len())?;
        return Ok(tuple.get_slice(this, indices));
    }
    if !key.is_small_int() && key.ty().slots().index.is_none() {
        let name = key.ty().name();
        return Err(vm.type_error(format!("tuple indices must be integers or slices, not {name}")));
    }
    let index = vm.index_or_index_error(key)?;
    match tuple.get_item_i64(index) {
        Some(item) => Ok(item.clone()),
        None => Err(vm.index_error("tuple index out of range")),
    }
}

fn concat(vm: &Vm, left: &Value, right: &Value) -> Result {
    let Some(other) = right.downcast::<Tuple>() else {
        let name = right.ty().name();
        return Err(vm.type_error(format!("can only concatenate tuple (not \"{name}\") to tuple")));
    };
    let tuple = own(left);
    if other.len() == 0 && left.downcast_exact::<Tuple>().is_some() {
        return Ok(left.clone());
    }
    if tuple.len() == 0 && right.downcast_exact::<Tuple>().is_some() {
        return Ok(right.clone());
    }
    let (a, b) = (tuple.as_slice(), other.as_slice());
    if a.is_empty() && b.is_empty() {
        return Ok(super::empty().into_value());
    }
    let length = a.len() + b.len();
    let items = (0..length).map(|i| if i < a.len() { a[i].clone() } else { b[i - a.len()].clone() });
    match Tuple::try_new_with_type(TUPLE.ty(), items) {
        Some(tuple) => Ok(tuple.into_value()),
        None => Err(vm.memory_error()),
    }
}

fn repeat(vm: &Vm, this: &Value, count: i64) -> Result {
    let items = own(this).as_slice();
    if (items.is_empty() || count == 1) && this.downcast_exact::<Tuple>().is_some() {
        return Ok(this.clone());
    }
    if items.is_empty() || count <= 0 {
        return Ok(super::empty().into_value());
    }
    let length = items.len();
    let Some(total) = length.checked_mul(count as usize) else { return Err(vm.memory_error()) };
    let repeated = match items {
        [item] => Tuple::try_new_with_type(TUPLE.ty(), (0..total).map(|_| item.clone())),
        _ => Tuple::try_new_with_type(TUPLE.ty(), (0..total).map(|i| items[i % length].clone())),
    };
    match repeated {
        Some(tuple) => Ok(tuple.into_value()),
        None => Err(vm.memory_error()),
    }
}

fn contains(vm: &Vm, items: &[Value], wanted: &Value) -> Result<bool> {
    for item in items {
        let equal = match quick_equal(item, wanted) {
            Some(equal) => equal,
            None => vm.equal_or_identical(item, wanted)?,
        };
        if equal {
            return Ok(true);
        }
    }
    Ok(false)
}

crate::method_table! { pub static METHODS = [
    MethodDef::new("__getnewargs__($self, /)", "", |_, this, _| {
        let copy = Tuple::from_slice(own(this).as_slice());
        Ok(Tuple::from_array([copy.into_value()]).into_value())
    }),
    MethodDef::new("index($self, value, start=0, stop=sys.maxsize, /)", "\
        Return the position of the first item that equals value.\n\n\
        ValueError is raised if there is none in the searched part.", |vm, this, args| {
        let tuple = own(this);
        let (start, stop) = slice::search_bounds(vm, &args[1], &args[2])?;
        let bounds = slice::adjust_indices(tuple.len(), start, stop, 1);
        for at in bounds.positions() {
            let item = &tuple.as_slice()[at];
            if vm.equal_or_identical(item, &args[0])? {
                return Ok(Value::from(at));
            }
        }
        Err(vm.value_error("tuple.index(x): x not in tuple"))
    }),
    MethodDef::new("count($self, value, /)", "Count the items that equal value.", |vm, this, args| {
        let mut count = 0usize;
        for item in own(this).as_slice() {
            count += vm.equal_or_identical(item, &args[0])? as usize;
        }
        Ok(Value::from(count))
    }),
    MethodDef::new("__class_getitem__($type, object, /)", "Give an alias that states the types of the items.\n\n\
        Each item has a type of its own: ``tuple[int, str]`` is a pair of an\n\
        int and a str.\n\n\
        With an ellipsis, ``tuple[T, ...]``, there may be any number of items\n\
        of type T.", |vm, class, args| {
        Ok(generic_alias::new(vm, class, &args[0]))
    })
    .class(),
]; }
