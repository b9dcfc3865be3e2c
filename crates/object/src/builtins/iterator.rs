//! `iterator`, the iterator over `__getitem__`, and `callable_iterator`, that of `iter(callable, sentinel)`.
//!
//! Also what the native iterators share for pickling.

use crate::builtins::int;
use crate::builtins::tuple::{self, Tuple};
use crate::cell::ObjectCell;
use crate::header::Header;
use crate::heap::Kind;
use crate::native::MethodDef;
use crate::object::{Payload, Ref, Result, Visitor};
use crate::types::{Type, TypeSpec, type_flags};
use crate::value::Value;
use crate::vm::Vm;

/// `iterator`: counts up until `IndexError`.
#[repr(C)]
pub struct SequenceIterator {
    pub header: Header,
    /// Sequence (`None` when exhausted) and next index.
    state: ObjectCell<(Option<Value>, i64)>,
}

// SAFETY: repr(C), header first, visits the sequence.
unsafe impl Payload for SequenceIterator {
    const KIND: Kind = Kind::Container;
    fn static_type() -> &'static Type {
        SEQUENCE_ITERATOR.ty()
    }
    fn traverse(&self, visit: Visitor) {
        // SAFETY: the collector has stopped the world.
        if let Some(sequence) = unsafe { &(*self.state.as_ptr()).0 } {
            visit(sequence);
        }
    }
}

pub static SEQUENCE_ITERATOR: TypeSpec = TypeSpec::new::<SequenceIterator>("iterator")
    .flags(type_flags::DISALLOW_INSTANTIATION)
    .slots(|s| {
        s.iter = Some(|_, this| Ok(this.clone()));
        s.iternext = Some(next);
    })
    .methods(METHODS);

pub fn sequence_iterator(sequence: &Value) -> Value {
    let state = ObjectCell::new((Some(sequence.clone()), 0));
    Ref::new(SequenceIterator { header: Header::new(SEQUENCE_ITERATOR.ty()), state }).into_value()
}

fn own(value: &Value) -> &SequenceIterator {
    value.downcast::<SequenceIterator>().expect("called on an iterator")
}

impl SequenceIterator {
    fn state(&self) -> (Option<Value>, i64) {
        let state = self.state.borrow(&self.header);
        (state.0.clone(), state.1)
    }
}

fn next(vm: &Vm, this: &Value) -> Result<Option<Value>> {
    let iterator = own(this);
    let (sequence, index) = iterator.state();
    let Some(sequence) = sequence else { return Ok(None) };
    if index == i64::MAX {
        return Err(vm.overflow_error("iter index too large"));
    }
    let item = match sequence.ty().slots().item {
        Some(item) => item(vm, &sequence, index),
        None => vm.get_item(&sequence, &int::from_i64(index)),
    };
    match item {
        Ok(item) => {
            iterator.state.borrow(&iterator.header).1 = index + 1;
            Ok(Some(item))
        }
        Err(raised)
            if vm.pending_matches(&raised, crate::exceptions::INDEX_ERROR.ty())
                || vm.pending_matches(&raised, crate::exceptions::stop_iteration()) =>
        {
            vm.discard(raised);
            let ended = iterator.state.borrow(&iterator.header).0.take();
            drop(ended);
            Ok(None)
        }
        Err(raised) => Err(raised),
    }
}

crate::method_table! { static METHODS = [
    MethodDef::new("__length_hint__($self, /)", "Estimate how many items are left.", |vm, this, _| {
        let (Some(sequence), index) = own(this).state() else { return Ok(Value::small_int(0)) };
        if sequence.ty().slots().length.is_none() {
            return Ok(Value::NOT_IMPLEMENTED);
        }
        let length = vm.len(&sequence)? as i64;
        Ok(Value::from((length - index).max(0)))
    }),
    MethodDef::new("__reduce__($self, /)", "Give what pickle needs to rebuild the object.", |vm, this, _| {
        let iter = builtin_iter(vm)?;
        let (sequence, index) = own(this).state();
        Ok(reduce_indexed(iter, sequence, Value::from(index)))
    }),
    MethodDef::new("__setstate__($self, object, /)", "Take over the state that a pickle contains.", |vm, this, args| {
        let index = iterator_state(vm, &args[0])?;
        let mut state = own(this).state.borrow(&own(this).header);
        if state.0.is_some() {
            state.1 = index.max(0);
        }
        Ok(Value::NONE)
    }),
]; }

/// An entry of `builtins`, whatever key it is under: `__reduce__` methods look their function up there.
pub fn builtin(vm: &Vm, name: &str) -> Result {
    let builtins = vm.import("builtins")?;
    let name = crate::builtins::str::intern(name);
    let Some(module) = builtins.downcast::<crate::native::module::Module>() else {
        return vm.get_attr(&builtins, name.as_value());
    };
    match module.dict.get(vm, name.as_value())? {
        Some(value) => Ok(value),
        None => Err(vm.attribute_error_name(name.as_value())),
    }
}

/// `builtins.iter`, for `__reduce__`.
pub fn builtin_iter(vm: &Vm) -> Result {
    builtin(vm, "iter")
}

/// The argument of a native iterator's `__setstate__`.
pub fn iterator_state(vm: &Vm, state: &Value) -> Result<i64> {
    if !int::is_int(state) {
        return Err(vm.type_error("an integer is required"));
    }
    int::to_i64(state).ok_or_else(|| vm.overflow_error("Python int too large to convert to C ssize_t"))
}

/// `(iter, (sequence,), index)`, or `(iter, ((),))` when exhausted.
pub fn reduce_indexed(iter: Value, sequence: Option<Value>, index: Value) -> Value {
    match sequence {
        Some(sequence) => Tuple::from_array([iter, Tuple::from_array([sequence]).into_value(), index]),
        None => Tuple::from_array([iter, Tuple::from_array([tuple::empty().into_value()]).into_value()]),
    }
    .into_value()
}

/// `callable_iterator`: calls until the sentinel comes.
#[repr(C)]
pub struct CallableIterator {
    pub header: Header,
    /// Callable and sentinel; `None` when exhausted.
    state: ObjectCell<Option<(Value, Value)>>,
}

// SAFETY: repr(C), header first, visits both values.
unsafe impl Payload for CallableIterator {
    const KIND: Kind = Kind::Container;
    fn static_type() -> &'static Type {
        CALLABLE_ITERATOR.ty()
    }
    fn traverse(&self, visit: Visitor) {
        // SAFETY: the collector has stopped the world.
        if let Some((callable, sentinel)) = unsafe { &*self.state.as_ptr() } {
            visit(callable);
            visit(sentinel);
        }
    }
}

pub static CALLABLE_ITERATOR: TypeSpec = TypeSpec::new::<CallableIterator>("callable_iterator")
    .flags(type_flags::DISALLOW_INSTANTIATION)
    .slots(|s| {
        s.iter = Some(|_, this| Ok(this.clone()));
        s.iternext = Some(call_next);
    })
    .methods(CALLABLE_METHODS);

/// `iter(callable, sentinel)`
pub fn callable_iterator(callable: &Value, sentinel: &Value) -> Value {
    let state = ObjectCell::new(Some((callable.clone(), sentinel.clone())));
    Ref::new(CallableIterator { header: Header::new(CALLABLE_ITERATOR.ty()), state }).into_value()
}

fn own_callable(value: &Value) -> &CallableIterator {
    value.downcast::<CallableIterator>().expect("called on a callable_iterator")
}

fn call_next(vm: &Vm, this: &Value) -> Result<Option<Value>> {
    let iterator = own_callable(this);
    let callable = iterator.state.borrow(&iterator.header).as_ref().map(|(callable, _)| callable.clone());
    let Some(callable) = callable else { return Ok(None) };
    let result = match vm.call(&callable, &[], None) {
        Ok(result) => result,
        Err(raised) => {
            vm.catch(raised, crate::exceptions::stop_iteration())?;
            iterator.exhaust();
            return Ok(None);
        }
    };
    // The call may have exhausted the iterator itself.
    let sentinel = iterator.state.borrow(&iterator.header).as_ref().map(|(_, sentinel)| sentinel.clone());
    let Some(sentinel) = sentinel else { return Ok(None) };
    if vm.equal_or_identical(&sentinel, &result)? {
        iterator.exhaust();
        return Ok(None);
    }
    Ok(Some(result))
}

impl CallableIterator {
    fn exhaust(&self) {
        let ended = self.state.borrow(&self.header).take();
        drop(ended);
    }
}

crate::method_table! { static CALLABLE_METHODS = [
    MethodDef::new("__reduce__($self, /)", "Give what pickle needs to rebuild the object.", |vm, this, _| {
        let iter = builtin_iter(vm)?;
        let state = own_callable(this).state.borrow(&own_callable(this).header).clone();
        let arguments = match state {
            Some((callable, sentinel)) => Tuple::from_array([callable, sentinel]),
            None => Tuple::from_array([tuple::empty().into_value()]),
        };
        Ok(Tuple::from_array([iter, arguments.into_value()]).into_value())
    }),
]; }
