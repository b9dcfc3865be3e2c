//! `bytes_iterator` and `bytearray_iterator`.

use super::{Bytes, view};
use crate::builtins::bytearray::ByteArray;
use crate::builtins::iterator::{builtin_iter, iterator_state};
use crate::builtins::tuple::Tuple;
use crate::cell::ObjectCell;
use crate::header::Header;
use crate::heap::Kind;
use crate::native::MethodDef;
use crate::object::{Payload, Ref, Visitor};
use crate::types::slots::Slots;
use crate::types::{Type, TypeSpec, type_flags};
use crate::value::Value;
use crate::vm::Vm;

/// An iterator over the bytes of a bytes object or bytearray, which may change meanwhile.
#[repr(C)]
pub struct BytesIterator {
    pub header: Header,
    /// The sequence (`None` when exhausted) and the next index.
    state: ObjectCell<(Option<Value>, usize)>,
}

// SAFETY: repr(C), header first, visits the sequence.
unsafe impl Payload for BytesIterator {
    const KIND: Kind = Kind::Container;
    fn static_type() -> &'static Type {
        BYTES_ITERATOR.ty()
    }
    fn traverse(&self, visit: Visitor) {
        // SAFETY: the collector has stopped the world.
        if let Some(sequence) = unsafe { &(*self.state.as_ptr()).0 } {
            visit(sequence);
        }
    }
}

pub static BYTES_ITERATOR: TypeSpec = TypeSpec::new::<BytesIterator>("bytes_iterator")
    .flags(type_flags::DISALLOW_INSTANTIATION)
    .slots(slots)
    .methods(METHODS);

/// The layout is that of `bytes_iterator`.
pub static BYTEARRAY_ITERATOR: TypeSpec = TypeSpec::new::<BytesIterator>("bytearray_iterator")
    .flags(type_flags::DISALLOW_INSTANTIATION)
    .slots(slots)
    .methods(METHODS);

fn slots(s: &mut Slots) {
    s.iter = Some(|_, this| Ok(this.clone()));
    s.iternext = Some(|vm, this| Ok(own(this).next(vm)));
}

fn own(this: &Value) -> &BytesIterator {
    let header = this.as_object().expect("an iterator is an object");
    debug_assert!(header.ty().is(&BYTES_ITERATOR) || header.ty().is(&BYTEARRAY_ITERATOR));
    // SAFETY: the slots and methods belong to the two types with this layout, which have no subclasses.
    unsafe { &*(header as *const Header as *const BytesIterator) }
}

/// `iter(sequence)`
pub(crate) fn iter(sequence: &Value) -> Value {
    let ty = if super::is_bytes(sequence) { BYTES_ITERATOR.ty() } else { BYTEARRAY_ITERATOR.ty() };
    let state = ObjectCell::new((Some(sequence.clone()), 0));
    Ref::new_sibling(ty, BytesIterator { header: Header::new(ty), state }).into_value()
}

impl BytesIterator {
    #[inline]
    fn next(&self, vm: &Vm) -> Option<Value> {
        {
            let mut state = self.state.borrow(&self.header);
            let (sequence, index) = &mut *state;
            let sequence = sequence.as_ref()?;
            let byte = if let Some(bytes) = sequence.downcast_exact::<Bytes>() {
                bytes.as_slice().get(*index).copied()
            } else if let Some(bytes) = sequence.downcast_exact::<ByteArray>() {
                bytes.state.borrow(&bytes.header).as_slice().get(*index).copied()
            } else {
                None
            };
            if let Some(byte) = byte {
                *index += 1;
                return Some(Value::small_int(byte as i64));
            }
        }
        self.next_slowly(vm)
    }

    #[inline(never)]
    fn next_slowly(&self, vm: &Vm) -> Option<Value> {
        let (sequence, index) = self.state.borrow(&self.header).clone();
        let sequence = sequence?;
        let byte = view::own(vm, &sequence).ok().and_then(|data| data.get(index).copied());
        if let Some(byte) = byte {
            self.state.borrow(&self.header).1 = index + 1;
            return Some(Value::small_int(byte as i64));
        }
        let ended = self.state.borrow(&self.header).0.take();
        drop(ended);
        None
    }

    fn length(&self, vm: &Vm) -> usize {
        let sequence = self.state.borrow(&self.header).0.clone();
        sequence.and_then(|sequence| view::own(vm, &sequence).ok().map(|data| data.len())).unwrap_or(0)
    }
}

crate::method_table! { static METHODS = [
    MethodDef::new("__length_hint__($self, /)", "Estimate how many items are left.", |vm, this, _| {
        let length = own(this).length(vm);
        let index = own(this).state.borrow(&own(this).header).1;
        Ok(Value::from(length.saturating_sub(index)))
    }),
    MethodDef::new("__reduce__($self, /)", "Give what pickle needs to rebuild the object.", |vm, this, _| {
        let iter = builtin_iter(vm)?;
        let (sequence, index) = own(this).state.borrow(&own(this).header).clone();
        let empty = || Tuple::from_vec(Vec::new()).into_value();
        Ok(match sequence {
            Some(sequence) => {
                Tuple::from_vec(vec![iter, Tuple::from_vec(vec![sequence]).into_value(), Value::from(index)])
            }
            None => Tuple::from_vec(vec![iter, Tuple::from_vec(vec![empty()]).into_value()]),
        }
        .into_value())
    }),
    MethodDef::new("__setstate__($self, object, /)", "Take over the state that a pickle contains.", |vm, this, args| {
        let index = iterator_state(vm, &args[0])?;
        let length = own(this).length(vm);
        let mut state = own(this).state.borrow(&own(this).header);
        if state.0.is_some() {
            state.1 = index.clamp(0, length as i64) as usize;
        }
        Ok(Value::NONE)
    }),
]; }
