//! `collections.deque`
//!
//! `mutations` counts changes of the length or order, for the loops and iterators that Python code may interrupt.

pub mod iterator;
mod methods;

use crate::payload::{class_of, payload, signature};
use std::collections::VecDeque;
use taipan_object::builtins::int;
use taipan_object::builtins::list::List;
use taipan_object::builtins::tuple::Tuple;
use taipan_object::types::slots::{CompareOp, Slots};
use taipan_object::types::{Type, TypeSpec, type_flags};
use taipan_object::{Result, Value, Vm};

payload! {
    pub struct Deque(DequeState): DEQUE { items: VecDeque<Value>, maxlen: Option<usize>, mutations: usize }
}

pub static DEQUE: TypeSpec = TypeSpec::new::<Deque>("collections.deque")
    .doc("deque([iterable[, maxlen]])\n--\n\nA sequence that grows and shrinks fast at both of its ends.")
    .flags(type_flags::BASETYPE | type_flags::SEQUENCE | type_flags::HAS_WEAKREF)
    .slots(slots)
    .methods(methods::METHODS)
    .getset(methods::GETSET);

signature!(INIT = "deque(iterable=<unrepresentable>, maxlen=None)");

impl Deque {
    fn new_with_type(ty: &Type, maxlen: Option<usize>) -> Value {
        Deque::make(ty, DequeState { items: VecDeque::new(), maxlen, mutations: 0 })
    }

    pub fn len(&self) -> usize {
        self.with(|state| state.items.len())
    }
    pub fn get(&self, at: usize) -> Option<Value> {
        self.with(|state| state.items.get(at).cloned())
    }
    pub fn mutations(&self) -> usize {
        self.with(|state| state.mutations)
    }
    fn maxlen(&self) -> Option<usize> {
        self.with(|state| state.maxlen)
    }

    /// Adds an item at the right end; beyond `maxlen`, one at the left goes.
    #[inline]
    fn push_back(&self, vm: &Vm, item: Value) -> Result<()> {
        let dropped = self.with(|state| {
            if state.items.try_reserve(1).is_err() {
                return Err(());
            }
            state.items.push_back(item);
            state.mutations = state.mutations.wrapping_add(1);
            Ok(match state.maxlen {
                Some(maxlen) if state.items.len() > maxlen => state.items.pop_front(),
                _ => None,
            })
        });
        dropped.map(drop).or_else(|()| Err(vm.memory_error()))
    }

    #[inline]
    fn push_front(&self, vm: &Vm, item: Value) -> Result<()> {
        let dropped = self.with(|state| {
            if state.items.try_reserve(1).is_err() {
                return Err(());
            }
            state.items.push_front(item);
            state.mutations = state.mutations.wrapping_add(1);
            Ok(match state.maxlen {
                Some(maxlen) if state.items.len() > maxlen => state.items.pop_back(),
                _ => None,
            })
        });
        dropped.map(drop).or_else(|()| Err(vm.memory_error()))
    }

    fn clear_items(&self) {
        let old = self.with(|state| {
            state.mutations = state.mutations.wrapping_add(1);
            std::mem::take(&mut state.items)
        });
        drop(old);
    }

    fn extend(&self, vm: &Vm, this: &Value, iterable: &Value, at_right: bool) -> Result<()> {
        let snapshot;
        let iterable = if this.is(iterable) {
            snapshot = List::from_vec(vm.collect(iterable)?).into_value();
            &snapshot
        } else {
            iterable
        };
        if at_right
            && self.maxlen().is_none()
            && (iterable.downcast_exact::<List>().is_some() || iterable.downcast_exact::<Tuple>().is_some())
        {
            return self.append_all(vm, vm.collect(iterable)?);
        }
        let iterator = vm.iter(iterable)?;
        if self.maxlen() == Some(0) {
            while vm.next(&iterator)?.is_some() {}
            return Ok(());
        }
        while let Some(item) = vm.next_of_any(&iterator)? {
            if at_right { self.push_back(vm, item)? } else { self.push_front(vm, item)? }
        }
        Ok(())
    }

    /// Adds items at the right end of a deque without `maxlen`.
    fn append_all(&self, vm: &Vm, items: Vec<Value>) -> Result<()> {
        let rest = self.with(|state| {
            if state.items.try_reserve(items.len()).is_err() {
                return Some(items);
            }
            state.mutations = state.mutations.wrapping_add(items.len());
            state.items.extend(items);
            None
        });
        if rest.is_none() { Ok(()) } else { Err(vm.memory_error()) }
    }

    fn rotate(&self, n: i64) {
        self.with(|state| {
            let length = state.items.len();
            if length > 1 {
                state.items.rotate_right(n.rem_euclid(length as i64) as usize);
                state.mutations = state.mutations.wrapping_add(1);
            }
        });
    }

    /// The place of an index that may count from the end.
    fn position(&self, index: i64) -> Option<usize> {
        let length = self.len() as i64;
        let index = if index < 0 { index + length } else { index };
        (0..length).contains(&index).then_some(index as usize)
    }

    /// The first place in `range` with an item equal to `value`.
    fn find(&self, vm: &Vm, value: &Value, range: std::ops::Range<usize>, changed: &str) -> Result<Option<usize>> {
        let mutations = self.mutations();
        for at in range {
            let Some(item) = self.get(at) else { break };
            let equal = vm.equal_or_identical(&item, value)?;
            if self.mutations() != mutations {
                return Err(match changed {
                    REMOVING => vm.index_error(changed),
                    _ => vm.runtime_error(changed),
                });
            }
            if equal {
                return Ok(Some(at));
            }
        }
        Ok(None)
    }

    fn repeat(&self, vm: &Vm, count: i64) -> Result<VecDeque<Value>> {
        let (items, maxlen) = self.with(|state| (state.items.clone(), state.maxlen));
        let mut repeated = VecDeque::new();
        if count <= 0 || items.is_empty() {
            return Ok(repeated);
        }
        let total = items.len().checked_mul(count as usize).filter(|total| *total < isize::MAX as usize / 8);
        let kept = match (total, maxlen) {
            (total, Some(maxlen)) => total.unwrap_or(usize::MAX).min(maxlen),
            (Some(total), None) => total,
            (None, None) => return Err(vm.memory_error()),
        };
        if repeated.try_reserve_exact(kept).is_err() {
            return Err(vm.memory_error());
        }
        // The last `kept` items of the repetition.
        let length = items.len();
        let skipped = (length - kept % length) % length;
        for at in 0..kept {
            repeated.push_back(items[(skipped + at) % length].clone());
        }
        Ok(repeated)
    }
}

const ITERATING: &str = "deque mutated during iteration";
const REMOVING: &str = "deque mutated during remove().";
const OUT_OF_RANGE: &str = "deque index out of range";

fn new_like(vm: &Vm, this: &Value) -> Result {
    let deque = Deque::of(this);
    if this.ty().is(&DEQUE) {
        let copied = deque.with(|state| {
            let mut items = VecDeque::new();
            let (first, second) = state.items.as_slices();
            items.try_reserve(state.items.len()).ok()?;
            items.extend(first.iter().chain(second).cloned());
            Some(DequeState { items, maxlen: state.maxlen, mutations: 0 })
        });
        let state = copied.ok_or(()).or_else(|()| Err(vm.memory_error()))?;
        return Ok(Deque::make(DEQUE.ty(), state));
    }
    let class = this.ty().to_value();
    let copy = match deque.maxlen() {
        None => vm.call_args(&class, std::slice::from_ref(this))?,
        Some(maxlen) => vm.call_args(&class, &[this.clone(), Value::from(maxlen)])?,
    };
    if copy.downcast::<Deque>().is_none() {
        let (class, got) = (this.ty().name(), copy.ty().name());
        return Err(vm.type_error(format!("{class}() must return a deque, not {got}")));
    }
    Ok(copy)
}

fn index_of_key(vm: &Vm, key: &Value) -> Result<i64> {
    if key.ty().slots().index.is_none() {
        return Err(vm.type_error(format!("sequence index must be integer, not '{}'", key.ty().name())));
    }
    vm.index_or_index_error(key)
}

fn slots(s: &mut Slots) {
    s.new = Some(|_, class, _, _| Ok(Deque::new_with_type(class_of(class), None)));
    s.init = Some(|vm, this, args, kwnames| {
        let bound = INIT.bind(vm, args, kwnames)?;
        let maxlen = match bound[1].given() {
            None => None,
            Some(maxlen) if !int::is_int(maxlen) => return Err(vm.type_error("an integer is required")),
            Some(maxlen) => match vm.index_i64(maxlen)? {
                n if n < 0 => return Err(vm.value_error("maxlen must be non-negative")),
                n => Some(n as usize),
            },
        };
        let deque = Deque::of(this);
        deque.with(|state| state.maxlen = maxlen);
        if deque.len() > 0 {
            deque.clear_items();
        }
        match bound[0].bound() {
            Some(iterable) => deque.extend(vm, this, iterable, true),
            None => Ok(()),
        }
    });
    s.repr = Some(|vm, this| {
        let name = this.ty().short_name();
        let close = match Deque::of(this).maxlen() {
            Some(maxlen) => format!("], maxlen={maxlen})"),
            None => "])".to_string(),
        };
        if vm.repr_is_running(this) {
            return Ok(Value::from("[...]"));
        }
        let items = vm.collect(this)?;
        vm.repr_sequence(this, &format!("{name}(["), &close, |at| items.get(at).cloned())
    });
    s.hash = Some(taipan_object::types::slots::hash_not_implemented);
    s.richcompare = Some(richcompare);
    s.iter = Some(|_, this| Ok(iterator::forward(this)));
    s.length = Some(|_, this| Ok(Deque::of(this).len()));
    s.item = Some(|vm, this, index| match usize::try_from(index).ok().and_then(|at| Deque::of(this).get(at)) {
        Some(item) => Ok(item),
        None => Err(vm.index_error(OUT_OF_RANGE)),
    });
    s.subscript = Some(|vm, this, key| {
        let index = index_of_key(vm, key)?;
        let deque = Deque::of(this);
        match deque.position(index).and_then(|at| deque.get(at)) {
            Some(item) => Ok(item),
            None => Err(vm.index_error(OUT_OF_RANGE)),
        }
    });
    s.ass_subscript = Some(|vm, this, key, value| {
        let index = index_of_key(vm, key)?;
        let deque = Deque::of(this);
        let Some(at) = deque.position(index) else { return Err(vm.index_error(OUT_OF_RANGE)) };
        let value = value.cloned();
        let old = deque.with(|state| match value {
            Some(value) => state.items.get_mut(at).map(|slot| std::mem::replace(slot, value)),
            None => {
                state.mutations = state.mutations.wrapping_add(1);
                state.items.remove(at)
            }
        });
        drop(old);
        Ok(())
    });
    s.contains = Some(|vm, this, item| {
        let deque = Deque::of(this);
        Ok(deque.find(vm, item, 0..deque.len(), ITERATING)?.is_some())
    });
    s.concat = Some(|vm, this, other| {
        if other.downcast::<Deque>().is_none() {
            let name = other.ty().name();
            return Err(vm.type_error(format!("can only concatenate deque (not \"{name}\") to deque")));
        }
        let result = new_like(vm, this)?;
        Deque::of(&result).extend(vm, &result, other, true)?;
        Ok(result)
    });
    s.inplace_concat = Some(|vm, this, other| {
        Deque::of(this).extend(vm, this, other, true)?;
        Ok(this.clone())
    });
    s.repeat = Some(|vm, this, count| {
        let result = new_like(vm, this)?;
        repeat_in_place(vm, Deque::of(&result), count)?;
        Ok(result)
    });
    s.inplace_repeat = Some(|vm, this, count| {
        repeat_in_place(vm, Deque::of(this), count)?;
        Ok(this.clone())
    });
}

fn repeat_in_place(vm: &Vm, deque: &Deque, count: i64) -> Result<()> {
    let items = deque.repeat(vm, count)?;
    let old = deque.with(|state| {
        state.mutations = state.mutations.wrapping_add(1);
        std::mem::replace(&mut state.items, items)
    });
    drop(old);
    Ok(())
}

fn richcompare(vm: &Vm, this: &Value, other: &Value, op: CompareOp) -> Result {
    let (Some(a), Some(b)) = (this.downcast::<Deque>(), other.downcast::<Deque>()) else {
        return Ok(Value::NOT_IMPLEMENTED);
    };
    match op {
        CompareOp::Eq if this.is(other) => return Ok(Value::TRUE),
        CompareOp::Ne if this.is(other) => return Ok(Value::FALSE),
        CompareOp::Eq if a.len() != b.len() => return Ok(Value::FALSE),
        CompareOp::Ne if a.len() != b.len() => return Ok(Value::TRUE),
        _ => {}
    }
    let (left, right) = (vm.iter(this)?, vm.iter(other)?);
    loop {
        match (vm.next(&left)?, vm.next(&right)?) {
            (Some(x), Some(y)) => {
                if vm.equal_or_identical(&x, &y)? {
                    continue;
                }
                return match op {
                    CompareOp::Eq => Ok(Value::FALSE),
                    CompareOp::Ne => Ok(Value::TRUE),
                    _ => vm.compare(&x, &y, op).map(Value::bool),
                };
            }
            (x, y) => return Ok(Value::bool(op.holds(x.is_some().cmp(&y.is_some())))),
        }
    }
}
