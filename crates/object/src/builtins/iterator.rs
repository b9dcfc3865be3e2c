//! The iterator over `__getitem__`.

use crate::builtins::int;
use crate::cell::ObjectCell;
use crate::header::Header;
use crate::heap::Kind;
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

pub static SEQUENCE_ITERATOR: TypeSpec =
    TypeSpec::new::<SequenceIterator>("iterator").flags(type_flags::DISALLOW_INSTANTIATION).slots(|s| {
        s.iter = Some(|_, this| Ok(this.clone()));
        s.iternext = Some(next);
    });

pub fn sequence_iterator(sequence: &Value) -> Value {
    let state = ObjectCell::new((Some(sequence.clone()), 0));
    Ref::new(SequenceIterator { header: Header::new(SEQUENCE_ITERATOR.ty()), state }).into_value()
}

fn next(vm: &Vm, this: &Value) -> Result<Option<Value>> {
    let iterator = this.downcast::<SequenceIterator>().expect("own slot");
    let (sequence, index) = {
        let state = iterator.state.borrow(&iterator.header);
        (state.0.clone(), state.1)
    };
    let Some(sequence) = sequence else { return Ok(None) };
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
