//! `str_iterator` and `str_ascii_iterator`.

use super::Str;
use crate::builtins::iterator::{builtin_iter, iterator_state};
use crate::builtins::tuple::Tuple;
use crate::cell::ObjectCell;
use crate::header::Header;
use crate::heap::Kind;
use crate::native::MethodDef;
use crate::object::{Payload, Ref, Visitor, to_ref};
use crate::types::slots::Slots;
use crate::types::{Type, TypeSpec, type_flags};
use crate::value::Value;

/// An iterator over the characters of a string.
#[repr(C)]
pub struct StrIterator {
    pub header: Header,
    state: ObjectCell<State>,
}

struct State {
    /// `None` when exhausted.
    text: Option<Ref<Str>>,
    index: usize,
}

// SAFETY: repr(C), header first, visits the string.
unsafe impl Payload for StrIterator {
    const KIND: Kind = Kind::Container;
    fn static_type() -> &'static Type {
        STR_ITERATOR.ty()
    }
    fn traverse(&self, visit: Visitor) {
        // SAFETY: the collector has stopped the world.
        if let Some(text) = unsafe { &(*self.state.as_ptr()).text } {
            visit(text.as_value());
        }
    }
}

pub static STR_ITERATOR: TypeSpec = TypeSpec::new::<StrIterator>("str_iterator")
    .flags(type_flags::DISALLOW_INSTANTIATION)
    .slots(slots)
    .methods(METHODS);

/// For ASCII strings. A type of its own, as in CPython; the layout is that of `str_iterator`.
pub static STR_ASCII_ITERATOR: TypeSpec = TypeSpec::new::<StrIterator>("str_ascii_iterator")
    .flags(type_flags::DISALLOW_INSTANTIATION)
    .slots(slots)
    .methods(METHODS);

fn slots(s: &mut Slots) {
    s.iter = Some(|_, this| Ok(this.clone()));
    s.iternext = Some(|_, this| Ok(own(this).next()));
}

fn own(this: &Value) -> &StrIterator {
    let header = this.as_object().expect("an iterator is an object");
    debug_assert!(header.ty().is(&STR_ITERATOR) || header.ty().is(&STR_ASCII_ITERATOR));
    // SAFETY: the slots and methods belong to the two types with this layout, which have no subclasses.
    unsafe { &*(header as *const Header as *const StrIterator) }
}

/// `iter(text)`
pub fn iter(text: &Str) -> Value {
    let ty =
        if text.is_ascii() && !text.header.ty().is_heap_type() { STR_ASCII_ITERATOR.ty() } else { STR_ITERATOR.ty() };
    let state = ObjectCell::new(State { text: Some(to_ref(text)), index: 0 });
    let iterator = StrIterator { header: Header::new(ty), state };
    // Both types have this layout and fixed size.
    Ref::new_sibling(ty, iterator).into_value()
}

/// The next character of a `str_iterator` or `str_ascii_iterator`, for the eval loop.
#[inline]
pub fn str_iter_next(iterator: &Value) -> Option<Value> {
    own(iterator).next()
}

impl StrIterator {
    #[inline]
    pub fn next(&self) -> Option<Value> {
        let mut state = self.state.borrow(&self.header);
        let State { text, index } = &mut *state;
        let own = text.as_ref()?;
        if *index < own.len() {
            let code = own.at(*index);
            *index += 1;
            drop(state);
            return Some(Str::from_code_point(code).into_value());
        }
        let ended = text.take();
        drop(state);
        drop(ended);
        None
    }
}

crate::method_table! { static METHODS = [
    MethodDef::new("__length_hint__($self, /)", "Estimate how many items are left.", |_, this, _| {
        let state = own(this).state.borrow(&own(this).header);
        Ok(Value::from(state.text.as_ref().map_or(0, |text| text.len() - state.index)))
    }),
    MethodDef::new("__reduce__($self, /)", "Give what pickle needs to rebuild the object.", |vm, this, _| {
        let iter = builtin_iter(vm)?;
        let (text, index) = {
            let state = own(this).state.borrow(&own(this).header);
            (state.text.clone(), state.index)
        };
        let arguments = |text: Value| Tuple::from_vec(vec![text]).into_value();
        Ok(match text {
            Some(text) => Tuple::from_vec(vec![iter, arguments(text.into_value()), Value::from(index)]),
            None => Tuple::from_vec(vec![iter, arguments(super::empty())]),
        }
        .into_value())
    }),
    MethodDef::new("__setstate__($self, object, /)", "Take over the state that a pickle contains.", |vm, this, args| {
        let index = iterator_state(vm, &args[0])?;
        let mut state = own(this).state.borrow(&own(this).header);
        if let Some(text) = &state.text {
            state.index = index.clamp(0, text.len() as i64) as usize;
        }
        Ok(Value::NONE)
    }),
]; }
