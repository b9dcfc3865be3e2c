//! The methods of `collections.deque`.

use super::{Deque, ITERATING, REMOVING, iterator, new_like};
use taipan_object::attributes::memory;
use taipan_object::builtins::generic_alias::CLASS_GETITEM;
use taipan_object::builtins::tuple::{self, Tuple};
use taipan_object::native::{GetSetDef, MethodDef};
use taipan_object::{Result, Value, Vm, method_table};

pub static GETSET: &[GetSetDef] =
    &[GetSetDef::new("maxlen", "the greatest possible length, or None if there is no limit", |_, this| {
        Ok(Deque::of(this).maxlen().map_or(Value::NONE, Value::from))
    })];

method_table! { pub static METHODS = [
    MethodDef::new("append($self, item, /)", "Add one item on the right.", |vm, this, args| {
        Deque::of(this).push_back(vm, args[0].clone()).map(Value::from)
    }),
    MethodDef::new("appendleft($self, item, /)", "Add one item on the left.", |vm, this, args| {
        Deque::of(this).push_front(vm, args[0].clone()).map(Value::from)
    }),
    MethodDef::new("clear($self, /)", "Make the deque empty.", |_, this, _| {
        Deque::of(this).clear_items();
        Ok(Value::NONE)
    }),
    MethodDef::new("__copy__($self, /)", "Return a new deque with the same items.", |vm, this, _| new_like(vm, this)),
    MethodDef::new("copy($self, /)", "Return a new deque with the same items.", |vm, this, _| new_like(vm, this)),
    MethodDef::new("count($self, value, /)", "Count the items that equal value.", |vm, this, args| {
        let deque = Deque::of(this);
        let (mut count, mut from) = (0usize, 0);
        let length = deque.len();
        let mutations = deque.mutations();
        while let Some(at) = deque.find(vm, &args[0], from..length, ITERATING)? {
            if deque.mutations() != mutations {
                return Err(vm.runtime_error(ITERATING));
            }
            count += 1;
            from = at + 1;
        }
        Ok(Value::from(count))
    }),
    MethodDef::new("extend($self, iterable, /)", "Add the items of an iterable on the right.", |vm, this, args| {
        Deque::of(this).extend(vm, this, &args[0], true).map(Value::from)
    }),
    MethodDef::new("extendleft($self, iterable, /)", "\
        Add the items of an iterable on the left, so that the last one comes first.", |vm, this, args| {
        Deque::of(this).extend(vm, this, &args[0], false).map(Value::from)
    }),
    MethodDef::new("index($self, value, [start, [stop]])", "\
        Return the position of the first item that equals value.\n\n\
        ValueError is raised if there is none in the searched part.", index),
    MethodDef::new("insert($self, index, value, /)", "\
        Put an item in front of the one at index; IndexError is raised if the deque is full.", |vm, this, args| {
        let deque = Deque::of(this);
        let index = vm.index_i64(&args[0])?;
        let value = args[1].clone();
        let done = deque.with(|state| {
            let length = state.items.len();
            if state.maxlen == Some(length) {
                return Err(true);
            }
            if state.items.try_reserve(1).is_err() {
                return Err(false);
            }
            let at = if index < 0 { (index + length as i64).max(0) } else { index.min(length as i64) };
            state.items.insert(at as usize, value);
            state.mutations = state.mutations.wrapping_add(1);
            Ok(())
        });
        match done {
            Ok(()) => Ok(Value::NONE),
            Err(true) => Err(vm.index_error("deque already at its maximum size")),
            Err(false) => Err(vm.memory_error()),
        }
    }),
    MethodDef::new("pop($self, /)", "Remove the last item on the right, and return it.", |vm, this, _| {
        let item = Deque::of(this).with(|state| {
            state.mutations = state.mutations.wrapping_add(1);
            state.items.pop_back()
        });
        item.ok_or(()).or_else(|()| Err(vm.index_error("pop from an empty deque")))
    }),
    MethodDef::new("popleft($self, /)", "Remove the first item on the left, and return it.", |vm, this, _| {
        let item = Deque::of(this).with(|state| {
            state.mutations = state.mutations.wrapping_add(1);
            state.items.pop_front()
        });
        item.ok_or(()).or_else(|()| Err(vm.index_error("pop from an empty deque")))
    }),
    MethodDef::new("__reduce__($self, /)", "Give what pickle needs to rebuild the object.", |vm, this, _| {
        let state = vm.call_method(this, "__getstate__", &[])?;
        let iterator = vm.iter(this)?;
        let arguments = match Deque::of(this).maxlen() {
            None => tuple::empty(),
            Some(maxlen) => Tuple::from_array([tuple::empty().into_value(), Value::from(maxlen)]),
        };
        Ok(Tuple::from_array([this.ty().to_value(), arguments.into_value(), state, iterator]).into_value())
    }),
    MethodDef::new("remove($self, value, /)", "Remove the first item that equals value.", |vm, this, args| {
        let deque = Deque::of(this);
        let Some(at) = deque.find(vm, &args[0], 0..deque.len(), REMOVING)? else {
            return Err(vm.value_error("deque.remove(x): x not in deque"));
        };
        let removed = deque.with(|state| {
            state.mutations = state.mutations.wrapping_add(1);
            state.items.remove(at)
        });
        drop(removed);
        Ok(Value::NONE)
    }),
    MethodDef::new("__reversed__($self, /)", "\
        Return an iterator over the items, from right to left.", |_, this, _| Ok(iterator::backward(this))),
    MethodDef::new("reverse($self, /)", "Reverse *IN PLACE*.", |_, this, _| {
        Deque::of(this).with(|state| {
            state.items.make_contiguous().reverse();
            state.mutations = state.mutations.wrapping_add(1);
        });
        Ok(Value::NONE)
    }),
    MethodDef::new("rotate($self, n=1, /)", "\
        Move n items from the right end to the left one, or back if n is negative.", |vm, this, args| {
        let n = vm.index_i64(&args[0])?;
        Deque::of(this).rotate(n);
        Ok(Value::NONE)
    }),
    MethodDef::new("__sizeof__($self, /)", "Give the number of bytes of memory that the deque takes.", |_, this, _| {
        let capacity = Deque::of(this).with(|state| state.items.capacity());
        Ok(Value::from(memory(this) + capacity * size_of::<Value>()))
    }),
    CLASS_GETITEM,
]; }

fn index(vm: &Vm, this: &Value, args: &[Value]) -> Result {
    let deque = Deque::of(this);
    let length = deque.len();
    let bound = |given: &Value, default: i64| -> Result<usize> {
        let n = match given.bound() {
            Some(given) => vm.index_clipped(given)?,
            None => default,
        };
        let n = if n < 0 { n.saturating_add(length as i64).max(0) } else { n };
        Ok((n as usize).min(length))
    };
    let (start, stop) = (bound(&args[1], 0)?, bound(&args[2], i64::MAX)?);
    match deque.find(vm, &args[0], start..stop, ITERATING)? {
        Some(at) => Ok(Value::from(at)),
        None => Err(vm.value_error("deque.index(x): x not in deque")),
    }
}
