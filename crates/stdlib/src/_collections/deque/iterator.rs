//! The iterators over deques.

use super::{DEQUE, Deque, ITERATING};
use crate::payload::{payload, signature};
use taipan_object::builtins::tuple::Tuple;
use taipan_object::native::MethodDef;
use taipan_object::types::TypeSpec;
use taipan_object::{Ref, Result, Value, Vm, method_table};

payload! {
    /// How many items were yielded, how many are left, and the deque's mutations when iteration began.
    pub struct DequeIterator(DequeIteratorState): DEQUE_ITERATOR {
        deque: Option<Ref<Deque>>, yielded: usize, left: usize, mutations: usize
    }
}

payload! {
    pub struct DequeReverseIterator(DequeReverseIteratorState): DEQUE_REVERSE_ITERATOR {
        deque: Option<Ref<Deque>>, yielded: usize, left: usize, mutations: usize
    }
}

pub fn forward(deque: &Value) -> Value {
    let deque = deque.downcast_ref::<Deque>().expect("the iterator is of a deque");
    let (left, mutations) = (deque.len(), deque.mutations());
    DequeIterator::make(DEQUE_ITERATOR.ty(), DequeIteratorState { deque: Some(deque), yielded: 0, left, mutations })
}

pub fn backward(deque: &Value) -> Value {
    let deque = deque.downcast_ref::<Deque>().expect("the iterator is of a deque");
    let (left, mutations) = (deque.len(), deque.mutations());
    let state = DequeReverseIteratorState { deque: Some(deque), yielded: 0, left, mutations };
    DequeReverseIterator::make(DEQUE_REVERSE_ITERATOR.ty(), state)
}

signature!(NEW = "_deque_iterator(deque, index=0, /)");
signature!(NEW_REVERSE = "_deque_reverse_iterator(deque, index=0, /)");

fn deque_argument<'a>(vm: &Vm, bound: &'a [Value]) -> Result<(&'a Value, i64)> {
    if bound[0].downcast::<Deque>().is_none() {
        let name = bound[0].ty().name();
        return Err(vm.type_error(format!("argument 1 must be collections.deque, not {name}")));
    }
    Ok((&bound[0], vm.index_i64(&bound[1])?))
}

macro_rules! deque_iterator {
    ($name:ident, $spec:ident, $type_name:literal, $methods:ident, $signature:ident, $make:ident,
     |$length:ident, $yielded:ident| $position:expr) => {
        pub static $spec: TypeSpec = TypeSpec::new::<$name>($type_name)
            .slots(|s| {
                s.new = Some(|vm, _, args, kwnames| {
                    let bound = $signature.bind(vm, args, kwnames)?;
                    let (deque, index) = deque_argument(vm, &bound)?;
                    let iterator = $make(deque);
                    for _ in 0..index {
                        if vm.next(&iterator)?.is_none() {
                            break;
                        }
                    }
                    Ok(iterator)
                });
                s.iter = Some(|_, this| Ok(this.clone()));
                s.iternext = Some(|vm, this| {
                    let next = $name::of(this).with(|state| {
                        let Some(deque) = &state.deque else { return Ok(None) };
                        if deque.mutations() != state.mutations {
                            state.left = 0;
                            return Err(());
                        }
                        if state.left == 0 {
                            return Ok(None);
                        }
                        let ($length, $yielded) = (deque.len(), state.yielded);
                        state.yielded += 1;
                        state.left -= 1;
                        Ok(deque.get($position))
                    });
                    next.map_err(|()| vm.runtime_error(ITERATING))
                });
            })
            .methods($methods);

        method_table! { static $methods = [
            MethodDef::new("__length_hint__($self, /)", "Estimate how many items are left.", |_, this, _| {
                Ok(Value::from($name::of(this).with(|state| state.left)))
            }),
            MethodDef::new("__reduce__($self, /)", "Give what pickle needs to rebuild the object.", |_, this, _| {
                let (deque, left) = $name::of(this).with(|state| (state.deque.clone(), state.left));
                let deque = deque.map_or_else(|| Deque::new_with_type(DEQUE.ty(), None), Ref::into_value);
                let index = Deque::of(&deque).len().saturating_sub(left);
                let arguments = Tuple::from_array([deque, Value::from(index)]).into_value();
                Ok(Tuple::from_array([this.ty().to_value(), arguments]).into_value())
            }),
        ]; }
    };
}

deque_iterator!(
    DequeIterator,
    DEQUE_ITERATOR,
    "collections._deque_iterator",
    METHODS,
    NEW,
    forward,
    |_length, yielded| yielded
);
deque_iterator!(
    DequeReverseIterator,
    DEQUE_REVERSE_ITERATOR,
    "collections._deque_reverse_iterator",
    REVERSE_METHODS,
    NEW_REVERSE,
    backward,
    |length, yielded| length.wrapping_sub(yielded + 1)
);
