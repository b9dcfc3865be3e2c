//! Iterators over the variables and values of a context, as they were when the iterator was made.

use taipan_object::builtins::tuple::Tuple;
use taipan_object::types::slots::Slots;
use taipan_object::types::{TypeSpec, type_flags};
use taipan_object::{Ref, Value};

use super::context_var::ContextVar;
use crate::payload::payload;

/// What to iterate over.
#[derive(Clone, Copy)]
pub(super) enum Part {
    Keys,
    Values,
    Items,
}

payload! {
    struct ContextIterator(IteratorState): KEYS { items: Vec<Value>, at: usize }
}

macro_rules! iterator_types {
    ($($spec:ident $name:literal;)*) => {
        $( static $spec: TypeSpec =
            TypeSpec::new::<ContextIterator>($name).flags(type_flags::DISALLOW_INSTANTIATION).slots(slots); )*
    };
}
iterator_types! { KEYS "keys"; VALUES "values"; ITEMS "items"; }

pub(super) fn new(part: Part, entries: Vec<(Ref<ContextVar>, Value)>) -> Value {
    let (spec, items): (_, Vec<Value>) = match part {
        Part::Keys => (&KEYS, entries.into_iter().map(|(var, _)| var.into_value()).collect()),
        Part::Values => (&VALUES, entries.into_iter().map(|(_, value)| value).collect()),
        Part::Items => {
            let pair =
                |(var, value): (Ref<ContextVar>, Value)| Tuple::from_array([var.into_value(), value]).into_value();
            (&ITEMS, entries.into_iter().map(pair).collect())
        }
    };
    let header = taipan_object::header::Header::new(spec.ty());
    let state = taipan_object::cell::ObjectCell::new(IteratorState { items, at: 0 });
    Ref::new_sibling(spec.ty(), ContextIterator { header, state }).into_value()
}

fn of(this: &Value) -> &ContextIterator {
    let iterator = this.as_object().expect("slots are called with instances of their type");
    // SAFETY: the three types have this layout.
    unsafe { &*(iterator as *const taipan_object::header::Header as *const ContextIterator) }
}

fn slots(s: &mut Slots) {
    s.iter = Some(|_, this| Ok(this.clone()));
    s.iternext = Some(|_, this| {
        Ok(of(this).with(|state| {
            let item = state.items.get(state.at).cloned();
            state.at += item.is_some() as usize;
            item
        }))
    });
    s.length = Some(|_, this| Ok(of(this).with(|state| state.items.len())));
}
