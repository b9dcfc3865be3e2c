//! `tuple_iterator`.

use super::Tuple;
use crate::builtins::iterator::{builtin_iter, iterator_state, reduce_indexed};
use crate::cell::ObjectCell;
use crate::header::Header;
use crate::heap::Kind;
use crate::native::MethodDef;
use crate::object::{Payload, Ref, Visitor};
use crate::types::{Type, TypeSpec, type_flags};
use crate::value::Value;

/// An iterator over a tuple (or an instance of a subclass).
#[repr(C)]
pub struct TupleIterator {
    pub header: Header,
    state: ObjectCell<State>,
}

struct State {
    /// `None` when exhausted.
    tuple: Option<Ref<Tuple>>,
    index: usize,
}

// SAFETY: repr(C), header first, visits the tuple.
unsafe impl Payload for TupleIterator {
    const KIND: Kind = Kind::Container;
    fn static_type() -> &'static Type {
        TUPLE_ITERATOR.ty()
    }
    fn traverse(&self, visit: Visitor) {
        // SAFETY: the collector has stopped the world.
        if let Some(tuple) = unsafe { &(*self.state.as_ptr()).tuple } {
            visit(tuple.as_value());
        }
    }
}

pub static TUPLE_ITERATOR: TypeSpec = TypeSpec::new::<TupleIterator>("tuple_iterator")
    .flags(type_flags::DISALLOW_INSTANTIATION)
    .slots(|s| {
        s.iter = Some(|_, this| Ok(this.clone()));
        s.iternext = Some(|_, this| Ok(own(this).step()));
    })
    .methods(METHODS);

fn own(value: &Value) -> &TupleIterator {
    value.downcast::<TupleIterator>().expect("called on a tuple_iterator")
}

impl TupleIterator {
    /// `tuple` is an instance of tuple.
    pub fn new(tuple: Value) -> Value {
        let tuple = tuple.downcast_ref::<Tuple>();
        let state = ObjectCell::new(State { tuple, index: 0 });
        Ref::new(TupleIterator { header: Header::new(TUPLE_ITERATOR.ty()), state }).into_value()
    }

    /// As [`TupleIterator::next`], quick as long as there are items.
    #[inline(always)]
    pub fn step(&self) -> Option<Value> {
        // SAFETY: borrowed once; to look at an item and count it runs no Python code.
        if let Some(state) = unsafe { self.state.own(&self.header) }
            && let Some(tuple) = &state.tuple
            && let Some(item) = tuple.as_slice().get(state.index)
        {
            state.index += 1;
            return Some(item.clone());
        }
        self.next()
    }

    #[inline(never)]
    pub fn next(&self) -> Option<Value> {
        let mut state = self.state.borrow(&self.header);
        let State { tuple, index } = &mut *state;
        if let Some(item) = tuple.as_ref()?.as_slice().get(*index) {
            *index += 1;
            return Some(item.clone());
        }
        let ended = tuple.take();
        drop(state);
        drop(ended);
        None
    }
}

crate::method_table! { static METHODS = [
    MethodDef::new("__length_hint__($self, /)", "Estimate how many items are left.", |_, this, _| {
        let state = own(this).state.borrow(&own(this).header);
        Ok(Value::from(state.tuple.as_ref().map_or(0, |tuple| tuple.len().saturating_sub(state.index))))
    }),
    MethodDef::new("__reduce__($self, /)", "Give what pickle needs to rebuild the object.", |vm, this, _| {
        // Looking `iter` up may run Python code, which may exhaust the iterator.
        let iter = builtin_iter(vm)?;
        let (tuple, index) = {
            let state = own(this).state.borrow(&own(this).header);
            (state.tuple.clone(), state.index)
        };
        Ok(reduce_indexed(iter, tuple.map(Ref::into_value), Value::from(index)))
    }),
    MethodDef::new("__setstate__($self, object, /)", "Take over the state that a pickle contains.", |vm, this, args| {
        let index = iterator_state(vm, &args[0])?;
        let mut state = own(this).state.borrow(&own(this).header);
        if let Some(tuple) = &state.tuple {
            state.index = index.clamp(0, tuple.len() as i64) as usize;
        }
        Ok(Value::NONE)
    }),
]; }
