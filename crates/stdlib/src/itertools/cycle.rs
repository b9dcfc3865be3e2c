//! `itertools.cycle`

use super::iterator_slots;
use crate::arguments::constructor_arguments;
use crate::payload::{class_of, payload};
use taipan_object::types::{TypeSpec, type_flags};
use taipan_object::{Result, Value, Vm};

payload! {
    /// After the iterator is exhausted, `saved` goes round; `at` is the next place.
    pub struct Cycle(CycleState): CYCLE { iterator: Option<Value>, saved: Vec<Value>, at: usize }
}

pub static CYCLE: TypeSpec = TypeSpec::new::<Cycle>("itertools.cycle")
    .doc("cycle(iterable, /)\n--\n\nYield the items of an iterable, and then the same ones again and again.")
    .flags(type_flags::BASETYPE)
    .slots(|s| {
        s.new = Some(|vm, class, args, kwnames| {
            let class = class_of(class);
            let args = constructor_arguments(vm, class, &CYCLE, (1, 1), args, kwnames)?;
            let iterator = vm.iter(&args[0])?;
            Ok(Cycle::make(class, CycleState { iterator: Some(iterator), saved: Vec::new(), at: 0 }))
        });
        iterator_slots(s, next);
    });

fn next(vm: &Vm, this: &Value) -> Result<Option<Value>> {
    let cycle = Cycle::of(this);
    if let Some(iterator) = cycle.with(|state| state.iterator.clone()) {
        if let Some(item) = vm.next_of_any(&iterator)? {
            let saved = cycle.with(|state| {
                let room = state.saved.try_reserve(1).is_ok();
                if room {
                    state.saved.push(item.clone());
                }
                room
            });
            return if saved { Ok(Some(item)) } else { Err(vm.memory_error()) };
        }
        let ended = cycle.with(|state| state.iterator.take());
        drop(ended);
    }
    Ok(cycle.with(|state| {
        let item = state.saved.get(state.at)?.clone();
        state.at = if state.at + 1 < state.saved.len() { state.at + 1 } else { 0 };
        Some(item)
    }))
}
