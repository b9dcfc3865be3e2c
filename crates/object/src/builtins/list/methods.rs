//! Slots and methods of `list`.

use super::iterator::{ListIterator, ListReverseIterator};
use super::{List, assignment, copy_items, drop_reversed, reserve, sort, with_room};
use crate::attributes::memory;
use crate::builtins::dict::{Dict, views};
use crate::builtins::range::{Range, SmallRange};
use crate::builtins::set::AnySet;
use crate::builtins::slice::{self, Slice};
use crate::builtins::tuple::Tuple;
use crate::builtins::{generic_alias, list::LIST};
use crate::native::{MethodDef, Quick, arguments};
use crate::object::Result;
use crate::types::Type;
use crate::types::slots::{CompareOp, Slots};
use crate::value::Value;
use crate::vm::Vm;
use crate::vm::quick_compare::quick_equal;

pub fn slots(s: &mut Slots) {
    s.new = Some(|_, class, _, _| {
        let ty = class.downcast::<Type>().expect("a class");
        Ok(if ty.is(&LIST) { List::from_vec(Vec::new()) } else { List::new_with_type(ty, Vec::new()) }.into_value())
    });
    s.init = Some(init);
    s.repr = Some(|vm, this| {
        let list = own(this);
        if list.len() == 0 {
            return Ok(Value::from("[]"));
        }
        vm.repr_sequence(this, "[", "]", |at| list.get(at))
    });
    s.richcompare = Some(richcompare);
    s.iter = Some(|_, this| Ok(ListIterator::new(this.clone())));
    s.length = Some(|_, this| Ok(own(this).len()));
    s.subscript = Some(subscript);
    s.ass_subscript = Some(assignment::ass_subscript);
    s.concat = Some(concat);
    s.repeat = Some(|vm, this, count| {
        let items = repeated(vm, own(this), count)?;
        Ok(List::from_vec(items).into_value())
    });
    s.inplace_concat = Some(|vm, this, other| {
        extend(vm, own(this), other)?;
        Ok(this.clone())
    });
    s.inplace_repeat = Some(inplace_repeat);
    s.item = Some(|vm, this, index| match own(this).get(index as usize) {
        Some(item) => Ok(item),
        None => Err(vm.index_error("list index out of range")),
    });
    s.contains = Some(|vm, this, item| Ok(find(vm, own(this), item, 0, usize::MAX)?.is_some()));
}

pub(super) fn own(value: &Value) -> &List {
    value.downcast::<List>().expect("called on a list")
}

fn init(vm: &Vm, this: &Value, args: &[Value], kwnames: Option<&Value>) -> Result<()> {
    let ty = this.ty();
    let own_new = ty.is(&LIST) || ty.slots().new.map(|f| f as usize) == LIST.ty().slots().new.map(|f| f as usize);
    let iterable = if own_new {
        arguments::optional_iterable(vm, "list", args, kwnames)?
    } else {
        arguments::optional_iterable_ignoring_keywords(vm, "list", args, kwnames)?
    };
    let list = own(this);
    drop_reversed(list.take());
    match iterable {
        Some(iterable) => extend(vm, list, iterable),
        None => Ok(()),
    }
}

/// The position of the first item in `start..stop` equal to `wanted`.
pub(super) fn find(vm: &Vm, list: &List, wanted: &Value, start: usize, stop: usize) -> Result<Option<usize>> {
    let mut at = start;
    loop {
        // Items that can be told apart without Python code are passed over under one borrow.
        let item = {
            let items = list.items.borrow(&list.header);
            let end = items.len().min(stop);
            let mut unknown = None;
            while at < end {
                match quick_equal(&items[at], wanted) {
                    Some(true) => return Ok(Some(at)),
                    Some(false) => at += 1,
                    None => {
                        unknown = Some(items[at].clone());
                        break;
                    }
                }
            }
            unknown
        };
        let Some(item) = item else { return Ok(None) };
        if vm.equal_or_identical(&item, wanted)? {
            return Ok(Some(at));
        }
        at += 1;
    }
}

fn richcompare(vm: &Vm, this: &Value, other: &Value, op: CompareOp) -> Result {
    let (Some(a), Some(b)) = (this.downcast::<List>(), other.downcast::<List>()) else {
        return Ok(Value::NOT_IMPLEMENTED);
    };
    if a.len() != b.len() && matches!(op, CompareOp::Eq | CompareOp::Ne) {
        return Ok(Value::bool(op == CompareOp::Ne));
    }
    let mut at = if std::ptr::eq(a, b) { 0 } else { equal_at_first(a, b) };
    // `__eq__` may change either list, so every turn asks for its items anew.
    while let (Some(x), Some(y)) = (a.get(at), b.get(at)) {
        let equal = match quick_equal(&x, &y) {
            Some(equal) => equal,
            None => vm.equal_or_identical(&x, &y)?,
        };
        if !equal {
            // The comparison may have shortened the lists: then their lengths decide.
            if at >= a.len() || at >= b.len() {
                break;
            }
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

/// How many items at the beginning of two different lists are equal, as far as that can be told without Python code.
fn equal_at_first(a: &List, b: &List) -> usize {
    // SAFETY: the lists are not the same, and nothing here runs Python code or borrows anything.
    match unsafe { (a.items.own(&a.header), b.items.own(&b.header)) } {
        (Some(a), Some(b)) => a.iter().zip(b.iter()).take_while(|(x, y)| quick_equal(x, y) == Some(true)).count(),
        _ => 0,
    }
}

fn subscript(vm: &Vm, this: &Value, key: &Value) -> Result {
    let list = own(this);
    if let Some(index) = key.as_small_int() {
        return list.get_item_i64(index).ok_or_else(|| vm.index_error("list index out of range"));
    }
    if let Some(slice) = key.downcast_exact::<Slice>() {
        let (start, stop, step) = slice.unpack(vm)?;
        return Ok(list.get_slice(vm, start, stop, step)?.into_value());
    }
    if key.ty().slots().index.is_none() {
        let name = key.ty().name();
        return Err(vm.type_error(format!("list indices must be integers or slices, not {name}")));
    }
    let index = vm.index_or_index_error(key)?;
    list.get_item_i64(index).ok_or_else(|| vm.index_error("list index out of range"))
}

fn concat(vm: &Vm, left: &Value, right: &Value) -> Result {
    let Some(other) = right.downcast::<List>() else {
        let name = right.ty().name();
        return Err(vm.type_error(format!("can only concatenate list (not \"{name}\") to list")));
    };
    let list = own(left);
    let mut items = with_room(vm, list.len() + other.len())?;
    items.extend(list.items.borrow(&list.header).iter().cloned());
    items.extend(other.items.borrow(&other.header).iter().cloned());
    Ok(List::from_vec(items).into_value())
}

fn repeated(vm: &Vm, list: &List, count: i64) -> Result<Vec<Value>> {
    let items = list.items.borrow(&list.header);
    if count <= 0 || items.is_empty() {
        return Ok(Vec::new());
    }
    let Some(total) = items.len().checked_mul(count as usize) else { return Err(vm.memory_error()) };
    let mut all = with_room(vm, total)?;
    match &items[..] {
        [item] => all.extend(std::iter::repeat_n(item, total).cloned()),
        items => (0..count).for_each(|_| all.extend(items.iter().cloned())),
    }
    Ok(all)
}

fn inplace_repeat(vm: &Vm, this: &Value, count: i64) -> Result {
    let list = own(this);
    if count == 1 {
        return Ok(this.clone());
    }
    let items = repeated(vm, list, count)?;
    let old = std::mem::replace(&mut *list.items.borrow(&list.header), items);
    drop_reversed(old);
    Ok(this.clone())
}

/// `list.extend(iterable)`
pub fn extend(vm: &Vm, list: &List, iterable: &Value) -> Result<()> {
    let items = if let Some(other) = iterable.downcast_exact::<List>() {
        other.try_to_vec(vm)?
    } else if let Some(tuple) = iterable.downcast_exact::<Tuple>() {
        return extend_from_slice(vm, list, tuple.as_slice());
    } else if let Some(dict) = iterable.downcast_exact::<Dict>() {
        dict.keys()
    } else if let Some(set) = AnySet::exact(iterable) {
        set.keys()
    } else if let Some(range) = iterable.downcast_exact::<Range>().and_then(Range::small) {
        return extend_from_range(vm, list, range);
    } else if let Some(contents) = views::contents(iterable) {
        contents
    } else {
        return extend_from_iterator(vm, list, iterable);
    };
    let mut target = list.items.borrow(&list.header);
    if target.is_empty() && target.capacity() == 0 {
        *target = items;
        return Ok(());
    }
    if !reserve(&mut target, items.len()) {
        drop(target);
        return Err(vm.memory_error());
    }
    target.extend(items);
    Ok(())
}

fn extend_from_range(vm: &Vm, list: &List, range: SmallRange) -> Result<()> {
    let SmallRange { start, step, length } = range;
    let mut target = list.items.borrow(&list.header);
    if !usize::try_from(length).is_ok_and(|length| reserve(&mut target, length)) {
        drop(target);
        return Err(vm.memory_error());
    }
    target.extend((0..length).map(|at| Value::from(start.wrapping_add(at.wrapping_mul(step)))));
    Ok(())
}

fn extend_from_slice(vm: &Vm, list: &List, items: &[Value]) -> Result<()> {
    let mut target = list.items.borrow(&list.header);
    if !reserve(&mut target, items.len()) {
        drop(target);
        return Err(vm.memory_error());
    }
    target.extend(items.iter().cloned());
    Ok(())
}

fn extend_from_iterator(vm: &Vm, list: &List, iterable: &Value) -> Result<()> {
    let iterator = vm.iter(iterable)?;
    // A hint that is nonsense is no reason to fail; one that there is no memory for is.
    let hint = vm.length_hint(iterable, 8)?;
    if hint <= isize::MAX as usize - list.len() {
        let reserved = list.items.borrow(&list.header).try_reserve(hint);
        if reserved.is_err() {
            return Err(vm.memory_error());
        }
    }
    while let Some(item) = vm.next(&iterator)? {
        list.append(vm, item)?;
    }
    let mut items = list.items.borrow(&list.header);
    if items.len() < items.capacity() / 2 {
        items.shrink_to_fit();
    }
    Ok(())
}

fn pop(vm: &Vm, this: &Value, args: &[Value]) -> Result {
    let list = own(this);
    let index = args.first().map_or(Ok(-1), |index| vm.index_ssize(index))?;
    match list.pop(index) {
        Some(item) => Ok(item),
        None if list.len() == 0 => Err(vm.index_error("pop from empty list")),
        None => Err(vm.index_error("pop index out of range")),
    }
}

crate::method_table! { pub static METHODS = [
    MethodDef::new("__getitem__($self, index, /)", "Return self[index].", |vm, this, args| subscript(vm, this, &args[0])),
    MethodDef::new("__reversed__($self, /)", "Return an iterator over the items, the last one first.", |_, this, _| {
        Ok(ListReverseIterator::new(this.clone()))
    }),
    MethodDef::new("__sizeof__($self, /)", "\
        Give the number of bytes of memory that the list takes, without its items.", |_, this, _| {
        let list = own(this);
        let capacity = list.items.borrow(&list.header).capacity();
        Ok(Value::from(memory(this) + capacity * size_of::<Value>()))
    }),
    MethodDef::new("clear($self, /)", "Make the list empty.", |_, this, _| {
        drop_reversed(own(this).take());
        Ok(Value::NONE)
    }),
    MethodDef::new("copy($self, /)", "Return a new list with the same items.", |vm, this, _| {
        Ok(List::from_vec(own(this).try_to_vec(vm)?).into_value())
    }),
    MethodDef::new("append($self, object, /)", "Add one object at the end.", |vm, this, args| {
        own(this).append(vm, args[0].clone())?;
        Ok(Value::NONE)
    }).quick(Quick::ListAppend),
    MethodDef::new("insert($self, index, object, /)", "\
        Put an object in front of the item at index.", |vm, this, args| {
        let index = vm.index_ssize(&args[0])?;
        let list = own(this);
        let mut items = list.items.borrow(&list.header);
        if !reserve(&mut items, 1) {
            drop(items);
            return Err(vm.memory_error());
        }
        let length = items.len() as i64;
        let at = if index < 0 { index.saturating_add(length).max(0) } else { index.min(length) };
        items.insert(at as usize, args[1].clone());
        Ok(Value::NONE)
    }),
    MethodDef::new("extend($self, iterable, /)", "Add the items of an iterable at the end.", |vm, this, args| {
        extend(vm, own(this), &args[0])?;
        Ok(Value::NONE)
    }),
    MethodDef::new("pop($self, index=-1, /)", "Remove the item at index, by default the last one, and return it.\n\n\
        IndexError is raised if there is no such item.", pop).optional().quick(Quick::ListPop),
    MethodDef::new("remove($self, value, /)", "Remove the first item that equals value.\n\n\
        ValueError is raised if there is none.", |vm, this, args| {
        let list = own(this);
        let Some(at) = find(vm, list, &args[0], 0, usize::MAX)? else {
            return Err(vm.value_error("list.remove(x): x not in list"));
        };
        // The comparison may have shortened the list.
        let removed = list.pop(at as i64);
        drop(removed);
        Ok(Value::NONE)
    }),
    MethodDef::new("index($self, value, start=0, stop=sys.maxsize, /)", "\
        Return the position of the first item that equals value.\n\n\
        ValueError is raised if there is none in the searched part.", |vm, this, args| {
        let list = own(this);
        let (start, stop) = slice::search_bounds(vm, &args[1], &args[2])?;
        let length = list.len() as i64;
        let start = if start < 0 { start.saturating_add(length).max(0) } else { start };
        let stop = if stop < 0 { stop.saturating_add(length).max(0) } else { stop };
        match find(vm, list, &args[0], start as usize, stop as usize)? {
            Some(at) => Ok(Value::from(at)),
            None => Err(vm.value_error("list.index(x): x not in list")),
        }
    }),
    MethodDef::new("count($self, value, /)", "Count the items that equal value.", |vm, this, args| {
        let list = own(this);
        let (mut count, mut at) = (0usize, 0);
        while let Some(found) = find(vm, list, &args[0], at, usize::MAX)? {
            count += 1;
            at = found + 1;
        }
        Ok(Value::from(count))
    }),
    MethodDef::new("reverse($self, /)", "Reverse *IN PLACE*.", |_, this, _| {
        own(this).items.borrow(&own(this).header).reverse();
        Ok(Value::NONE)
    }),
    MethodDef::new("sort($self, /, *, key=None, reverse=False)", "Put the items into ascending order, in place.\n\n\
        Items that compare equal keep their order.\n\n\
        A key function is called once for each item; its results are compared\n\
        in place of the items.\n\n\
        If reverse is true, the order is descending.", |vm, this, args| {
        let reverse = vm.is_true(&args[1])?;
        sort::sort(vm, own(this), args[0].given(), reverse)?;
        Ok(Value::NONE)
    }),
    MethodDef::new("__class_getitem__($type, object, /)", "\
        Give an alias that states the type of the items", |vm, class, args| {
        Ok(generic_alias::new(vm, class, &args[0]))
    })
    .class(),
]; }

/// The items of an iterable, each of which can be asked for anew (`PySequence_Fast`).
pub fn sequence_items(vm: &Vm, value: &Value, message: &str) -> Result<Vec<Value>> {
    if let Some(tuple) = value.downcast::<Tuple>() {
        return copy_items(vm, tuple.as_slice());
    }
    if let Some(list) = value.downcast::<List>() {
        return list.try_to_vec(vm);
    }
    let iterator = match vm.iter(value) {
        Ok(iterator) => iterator,
        Err(raised) => {
            vm.catch(raised, crate::exceptions::type_error())?;
            return Err(vm.type_error(message));
        }
    };
    let collected = List::from_vec(Vec::new());
    extend_from_iterator(vm, &collected, &iterator)?;
    Ok(collected.take())
}

/// The items of an iterable.
pub fn collect(vm: &Vm, iterable: &Value) -> Result<Vec<Value>> {
    if let Some(tuple) = iterable.downcast_exact::<Tuple>() {
        return copy_items(vm, tuple.as_slice());
    }
    let list = List::from_vec(Vec::new());
    extend(vm, &list, iterable)?;
    Ok(list.take())
}
