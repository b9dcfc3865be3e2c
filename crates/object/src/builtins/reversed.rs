//! `reversed`: asks `__reversed__`, or counts a sequence down.

use crate::builtins::int;
use crate::builtins::iterator::{iterator_state, reduce_indexed};
use crate::cell::ObjectCell;
use crate::header::Header;
use crate::heap::Kind;
use crate::native::{MethodDef, arguments};
use crate::object::{Payload, Ref, Result, Visitor};
use crate::types::{Type, TypeSpec, type_flags};
use crate::value::Value;
use crate::vm::{Vm, names};

/// The iterator over a sequence without `__reversed__`.
#[repr(C)]
pub struct Reversed {
    pub header: Header,
    state: ObjectCell<State>,
}

struct State {
    /// `None` when exhausted.
    sequence: Option<Value>,
    /// The next index; −1 at the end.
    index: i64,
}

// SAFETY: repr(C), header first, visits the sequence.
unsafe impl Payload for Reversed {
    const KIND: Kind = Kind::Container;
    fn static_type() -> &'static Type {
        REVERSED.ty()
    }
    fn traverse(&self, visit: Visitor) {
        // SAFETY: the collector has stopped the world.
        if let Some(sequence) = unsafe { &(*self.state.as_ptr()).sequence } {
            visit(sequence);
        }
    }
}

pub static REVERSED: TypeSpec = TypeSpec::new::<Reversed>("reversed")
    .doc("reversed(sequence, /)\n--\n\nYield the items of a sequence from the last one to the first.")
    .flags(type_flags::BASETYPE)
    .slots(|s| {
        s.new = Some(new);
        s.iter = Some(|_, this| Ok(this.clone()));
        s.iternext = Some(next);
    })
    .methods(METHODS);

fn own(value: &Value) -> &Reversed {
    value.downcast::<Reversed>().expect("called on a reversed")
}

fn new(vm: &Vm, class: &Value, args: &[Value], kwnames: Option<&Value>) -> Result {
    let ty = class.downcast::<Type>().expect("a class");
    let args = if ty.is(&REVERSED) {
        arguments::no_keywords(vm, "reversed", kwnames)?;
        args
    } else {
        &args[..args.len() - kwnames.map_or(0, |names| vm.tuple_len(names))]
    };
    arguments::check_positional(vm, "reversed", args.len(), 1, 1)?;
    let sequence = &args[0];
    match vm.lookup_special(sequence, &names().__reversed__) {
        Some(method) => {
            let method = method?;
            if matches!(&method, crate::vm::Method::Bound(method) if method.is_none()) {
                return Err(not_reversible(vm, sequence));
            }
            return method.call(vm, &[], None);
        }
        None if !vm.is_sequence(sequence) => return Err(not_reversible(vm, sequence)),
        None => {}
    }
    let index = vm.len(sequence)? as i64 - 1;
    let state = ObjectCell::new(State { sequence: Some(sequence.clone()), index });
    Ok(Ref::new_with_type(ty, Reversed { header: Header::new(ty), state }).into_value())
}

fn not_reversible(vm: &Vm, sequence: &Value) -> crate::vm::Raised {
    vm.type_error(format!("'{}' object is not reversible", sequence.ty().name()))
}

impl Reversed {
    fn state(&self) -> (Option<Value>, i64) {
        let state = self.state.borrow(&self.header);
        (state.sequence.clone(), state.index)
    }
}

fn next(vm: &Vm, this: &Value) -> Result<Option<Value>> {
    let iterator = own(this);
    let (Some(sequence), index) = iterator.state() else { return Ok(None) };
    if index >= 0 {
        let item = match sequence.ty().slots().item {
            Some(item) => item(vm, &sequence, index),
            None => vm.get_item(&sequence, &int::from_i64(index)),
        };
        match item {
            Ok(item) => {
                iterator.state.borrow(&iterator.header).index = index - 1;
                return Ok(Some(item));
            }
            Err(raised)
                if vm.pending_matches(&raised, crate::exceptions::INDEX_ERROR.ty())
                    || vm.pending_matches(&raised, crate::exceptions::stop_iteration()) =>
            {
                vm.discard(raised);
            }
            Err(raised) => return Err(raised),
        }
    }
    let mut state = iterator.state.borrow(&iterator.header);
    state.index = -1;
    let ended = state.sequence.take();
    drop(state);
    drop(ended);
    Ok(None)
}

crate::method_table! { static METHODS = [
    MethodDef::new("__length_hint__($self, /)", "Estimate how many items are left.", |vm, this, _| {
        let (Some(sequence), index) = own(this).state() else { return Ok(Value::small_int(0)) };
        let length = vm.len(&sequence)? as i64;
        Ok(Value::from(if length < index + 1 { 0 } else { index + 1 }))
    }),
    MethodDef::new("__reduce__($self, /)", "Give what pickle needs to rebuild the object.", |_, this, _| {
        let (sequence, index) = own(this).state();
        Ok(reduce_indexed(this.ty().to_value(), sequence, Value::from(index)))
    }),
    MethodDef::new("__setstate__($self, object, /)", "Take over the state that a pickle contains.", |vm, this, args| {
        let index = iterator_state(vm, &args[0])?;
        if let (Some(sequence), _) = own(this).state() {
            let length = vm.len(&sequence)? as i64;
            own(this).state.borrow(&own(this).header).index = index.clamp(-1, length - 1);
        }
        Ok(Value::NONE)
    }),
]; }
