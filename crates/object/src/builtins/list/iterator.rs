//! `list_iterator` and `list_reverseiterator`.

use super::List;
use crate::builtins::iterator::{builtin, builtin_iter, iterator_state};
use crate::builtins::tuple::Tuple;
use crate::cell::ObjectCell;
use crate::header::Header;
use crate::heap::Kind;
use crate::native::MethodDef;
use crate::object::{Payload, Ref, Visitor};
use crate::types::{Type, TypeSpec, type_flags};
use crate::value::Value;

/// An iterator over a list (or an instance of a subclass), which may change meanwhile.
#[repr(C)]
pub struct ListIterator {
    pub header: Header,
    state: ObjectCell<State>,
}

struct State {
    /// `None` when exhausted.
    list: Option<Ref<List>>,
    index: usize,
}

// SAFETY: repr(C), header first, visits the list.
unsafe impl Payload for ListIterator {
    const KIND: Kind = Kind::Container;
    fn static_type() -> &'static Type {
        LIST_ITERATOR.ty()
    }
    fn traverse(&self, visit: Visitor) {
        // SAFETY: the collector has stopped the world.
        if let Some(list) = unsafe { &(*self.state.as_ptr()).list } {
            visit(list.as_value());
        }
    }
}

pub static LIST_ITERATOR: TypeSpec = TypeSpec::new::<ListIterator>("list_iterator")
    .flags(type_flags::DISALLOW_INSTANTIATION)
    .slots(|s| {
        s.iter = Some(|_, this| Ok(this.clone()));
        s.iternext = Some(|_, this| Ok(own(this).step()));
    })
    .methods(METHODS);

fn own(value: &Value) -> &ListIterator {
    value.downcast::<ListIterator>().expect("called on a list_iterator")
}

impl ListIterator {
    /// `list` is an instance of list.
    pub fn new(list: Value) -> Value {
        let state = ObjectCell::new(State { list: list.downcast_ref::<List>(), index: 0 });
        Ref::new(ListIterator { header: Header::new(LIST_ITERATOR.ty()), state }).into_value()
    }

    /// As [`ListIterator::next`], quick as long as there are items.
    #[inline(always)]
    pub fn step(&self) -> Option<Value> {
        // SAFETY: two objects' states, each borrowed once; to look at an item and count it runs no Python code.
        unsafe {
            if let Some(state) = self.state.own(&self.header)
                && let Some(list) = &state.list
                && let Some(items) = list.items.quiet(&list.header)
                && let Some(item) = items.get(state.index)
            {
                state.index += 1;
                return Some(item.clone());
            }
        }
        self.next()
    }

    #[inline(never)]
    pub fn next(&self) -> Option<Value> {
        let mut state = self.state.borrow(&self.header);
        let State { list, index } = &mut *state;
        if let Some(item) = list.as_ref()?.get(*index) {
            *index += 1;
            return Some(item);
        }
        let ended = list.take();
        drop(state);
        drop(ended);
        None
    }
}

/// `([],)`, what exhausted list iterators are rebuilt from.
fn empty_arguments() -> Value {
    Tuple::from_array([List::from_vec(Vec::new()).into_value()]).into_value()
}

crate::method_table! { static METHODS = [
    MethodDef::new("__length_hint__($self, /)", "Estimate how many items are left.", |_, this, _| {
        let state = own(this).state.borrow(&own(this).header);
        Ok(Value::from(state.list.as_ref().map_or(0, |list| list.len().saturating_sub(state.index))))
    }),
    MethodDef::new("__reduce__($self, /)", "Give what pickle needs to rebuild the object.", |vm, this, _| {
        // Looking `iter` up may run Python code, which may exhaust the iterator.
        let iter = builtin_iter(vm)?;
        let (list, index) = {
            let state = own(this).state.borrow(&own(this).header);
            (state.list.clone(), state.index)
        };
        Ok(match list {
            Some(list) => {
                Tuple::from_array([iter, Tuple::from_array([list.into_value()]).into_value(), Value::from(index)])
            }
            None => Tuple::from_array([iter, empty_arguments()]),
        }
        .into_value())
    }),
    MethodDef::new("__setstate__($self, object, /)", "Take over the state that a pickle contains.", |vm, this, args| {
        let index = iterator_state(vm, &args[0])?;
        let mut state = own(this).state.borrow(&own(this).header);
        if let Some(list) = &state.list {
            state.index = index.clamp(0, list.len() as i64) as usize;
        }
        Ok(Value::NONE)
    }),
]; }

/// A backwards iterator over a list.
#[repr(C)]
pub struct ListReverseIterator {
    pub header: Header,
    state: ObjectCell<ReverseState>,
}

struct ReverseState {
    /// `None` when the list had become too short.
    list: Option<Ref<List>>,
    /// The next index; −1 at the end.
    index: i64,
}

// SAFETY: repr(C), header first, visits the list.
unsafe impl Payload for ListReverseIterator {
    const KIND: Kind = Kind::Container;
    fn static_type() -> &'static Type {
        LIST_REVERSE_ITERATOR.ty()
    }
    fn traverse(&self, visit: Visitor) {
        // SAFETY: the collector has stopped the world.
        if let Some(list) = unsafe { &(*self.state.as_ptr()).list } {
            visit(list.as_value());
        }
    }
}

pub static LIST_REVERSE_ITERATOR: TypeSpec = TypeSpec::new::<ListReverseIterator>("list_reverseiterator")
    .flags(type_flags::DISALLOW_INSTANTIATION)
    .slots(|s| {
        s.iter = Some(|_, this| Ok(this.clone()));
        s.iternext = Some(|_, this| Ok(own_reverse(this).next()));
    })
    .methods(REVERSE_METHODS);

fn own_reverse(value: &Value) -> &ListReverseIterator {
    value.downcast::<ListReverseIterator>().expect("called on a list_reverseiterator")
}

impl ListReverseIterator {
    /// `list` is an instance of list.
    pub fn new(list: Value) -> Value {
        let list = list.downcast_ref::<List>();
        let index = list.as_ref().map_or(0, |list| list.len()) as i64 - 1;
        let state = ObjectCell::new(ReverseState { list, index });
        Ref::new(ListReverseIterator { header: Header::new(LIST_REVERSE_ITERATOR.ty()), state }).into_value()
    }

    #[inline]
    pub fn next(&self) -> Option<Value> {
        let mut state = self.state.borrow(&self.header);
        let ReverseState { list, index } = &mut *state;
        // One that came to its end keeps the list, as CPython's does.
        if *index < 0 {
            return None;
        }
        if let Some(item) = list.as_ref()?.get(*index as usize) {
            *index -= 1;
            return Some(item);
        }
        *index = -1;
        let ended = list.take();
        drop(state);
        drop(ended);
        None
    }
}

crate::method_table! { static REVERSE_METHODS = [
    MethodDef::new("__length_hint__($self, /)", "Estimate how many items are left.", |_, this, _| {
        let state = own_reverse(this).state.borrow(&own_reverse(this).header);
        let length = state.list.as_ref().map_or(0, |list| list.len() as i64);
        Ok(Value::from(if length < state.index + 1 { 0 } else { state.index + 1 }))
    }),
    MethodDef::new("__reduce__($self, /)", "Give what pickle needs to rebuild the object.", |vm, this, _| {
        // As above.
        let reversed = builtin(vm, "reversed")?;
        let (list, index) = {
            let state = own_reverse(this).state.borrow(&own_reverse(this).header);
            (state.list.clone(), state.index)
        };
        Ok(match list {
            Some(list) if index >= 0 => {
                let arguments = Tuple::from_array([list.into_value()]).into_value();
                Tuple::from_array([reversed, arguments, Value::from(index)])
            }
            _ => Tuple::from_array([reversed, empty_arguments()]),
        }
        .into_value())
    }),
    MethodDef::new("__setstate__($self, object, /)", "Take over the state that a pickle contains.", |vm, this, args| {
        let index = iterator_state(vm, &args[0])?;
        let mut state = own_reverse(this).state.borrow(&own_reverse(this).header);
        if let Some(list) = &state.list {
            state.index = index.clamp(-1, list.len() as i64 - 1);
        }
        Ok(Value::NONE)
    }),
]; }
