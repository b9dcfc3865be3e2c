//! `set_iterator`.

use super::{AnySet, next_entry};
use crate::builtins::iterator::builtin_iter;
use crate::builtins::list::List;
use crate::builtins::tuple::Tuple;
use crate::cell::ObjectCell;
use crate::header::Header;
use crate::heap::Kind;
use crate::native::MethodDef;
use crate::object::{Payload, Ref, Result, Visitor};
use crate::types::{Type, TypeSpec, type_flags};
use crate::value::Value;
use crate::vm::Vm;

/// An iterator over a set or frozenset.
#[repr(C)]
pub struct SetIterator {
    pub header: Header,
    state: ObjectCell<State>,
}

struct State {
    /// `None` when exhausted.
    set: Option<Value>,
    /// The number of keys when iteration began; none once it has been found changed.
    used: Option<usize>,
    position: usize,
    left: usize,
}

// SAFETY: repr(C), header first, visits the set.
unsafe impl Payload for SetIterator {
    const KIND: Kind = Kind::Container;
    fn static_type() -> &'static Type {
        SET_ITERATOR.ty()
    }
    fn traverse(&self, visit: Visitor) {
        // SAFETY: the collector has stopped the world.
        if let Some(set) = unsafe { &(*self.state.as_ptr()).set } {
            visit(set);
        }
    }
}

pub static SET_ITERATOR: TypeSpec = TypeSpec::new::<SetIterator>("set_iterator")
    .flags(type_flags::DISALLOW_INSTANTIATION)
    .slots(|s| {
        s.iter = Some(|_, this| Ok(this.clone()));
        s.iternext = Some(|vm, this| own(this).next(vm));
    })
    .methods(METHODS);

#[inline]
fn own(value: &Value) -> &SetIterator {
    value.downcast_exact::<SetIterator>().expect("called on a set_iterator")
}

fn as_set(value: &Value) -> AnySet<'_> {
    AnySet::of(value).expect("the iterator is over a set")
}

impl SetIterator {
    /// `set` is a set or frozenset.
    pub fn new(set: &Value) -> Value {
        let used = as_set(set).len();
        let state = State { set: Some(set.clone()), used: Some(used), position: 0, left: used };
        Ref::new(SetIterator { header: Header::new(SET_ITERATOR.ty()), state: ObjectCell::new(state) }).into_value()
    }

    #[inline]
    pub fn next(&self, vm: &Vm) -> Result<Option<Value>> {
        let mut borrow = self.state.borrow(&self.header);
        let state = &mut *borrow;
        let Some(set) = &state.set else { return Ok(None) };
        let set = as_set(set);
        if state.used != Some(set.len()) {
            state.used = None;
            drop(borrow);
            return Err(vm.runtime_error("Set changed size during iteration"));
        }
        match next_entry(set, state.position) {
            Some((next, _, key)) => {
                state.position = next;
                state.left = state.left.saturating_sub(1);
                Ok(Some(key))
            }
            None => {
                let ended = state.set.take();
                drop(borrow);
                drop(ended);
                Ok(None)
            }
        }
    }
}

crate::method_table! { static METHODS = [
    MethodDef::new("__length_hint__($self, /)", "Estimate how many items are left.", |_, this, _| {
        let state = own(this).state.borrow(&own(this).header);
        Ok(Value::from(match &state.set {
            Some(set) if state.used == Some(as_set(set).len()) => state.left,
            _ => 0,
        }))
    }),
    MethodDef::new("__reduce__($self, /)", "Give what pickle needs to rebuild the object.", |vm, this, _| {
        let iter = builtin_iter(vm)?;
        // The iterator itself stays where it is.
        let state = {
            let state = own(this).state.borrow(&own(this).header);
            State { set: state.set.clone(), used: state.used, position: state.position, left: state.left }
        };
        let state = ObjectCell::new(state);
        let copy = Ref::new(SetIterator { header: Header::new(SET_ITERATOR.ty()), state });
        let mut left = Vec::new();
        while let Some(key) = copy.next(vm)? {
            left.push(key);
        }
        let arguments = Tuple::from_array([List::from_vec(left).into_value()]).into_value();
        Ok(Tuple::from_array([iter, arguments]).into_value())
    }),
]; }
