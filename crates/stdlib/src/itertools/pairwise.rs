//! `itertools.pairwise`

use super::iterator_slots;
use crate::arguments::constructor_arguments;
use crate::payload::{class_of, payload};
use taipan_object::builtins::tuple::Tuple;
use taipan_object::types::{TypeSpec, type_flags};
use taipan_object::{Result, Value, Vm};

payload! {
    pub struct Pairwise(PairwiseState): PAIRWISE { iterator: Option<Value>, old: Option<Value> }
}

pub static PAIRWISE: TypeSpec = TypeSpec::new::<Pairwise>("itertools.pairwise")
    .doc(
        "pairwise(iterable, /)\n\
         --\n\n\
         Yield each item together with the one after it.\n\n    \
         pairwise('abcd') --> ab bc cd, as tuples",
    )
    .flags(type_flags::BASETYPE)
    .slots(|s| {
        s.new = Some(|vm, class, args, kwnames| {
            let class = class_of(class);
            let args = constructor_arguments(vm, class, &PAIRWISE, (1, 1), args, kwnames)?;
            let iterator = vm.iter(&args[0])?;
            Ok(Pairwise::make(class, PairwiseState { iterator: Some(iterator), old: None }))
        });
        iterator_slots(s, next);
    });

fn next(vm: &Vm, this: &Value) -> Result<Option<Value>> {
    let pairwise = Pairwise::of(this);
    let Some(iterator) = pairwise.with(|state| state.iterator.clone()) else { return Ok(None) };
    let old = match pairwise.with(|state| state.old.clone()) {
        Some(old) => old,
        None => {
            let Some(first) = pairwise.advance(vm, &iterator)? else { return Ok(None) };
            let replaced = pairwise.with(|state| state.old.replace(first.clone()));
            drop(replaced);
            // The source may have come back here and found its end.
            if pairwise.with(|state| state.iterator.is_none()) {
                pairwise.end();
                return Ok(None);
            }
            first
        }
    };
    let Some(new) = pairwise.advance(vm, &iterator)? else { return Ok(None) };
    let replaced = pairwise.with(|state| state.old.replace(new.clone()));
    drop(replaced);
    Ok(Some(Tuple::from_array([old, new]).into_value()))
}

impl Pairwise {
    /// The next item of the source; at its end and when it fails, this iterator ends too.
    fn advance(&self, vm: &Vm, iterator: &Value) -> Result<Option<Value>> {
        let item = vm.next_of_any(iterator);
        match &item {
            Ok(Some(_)) => {}
            Ok(None) => self.end(),
            Err(_) => vm.preserving_exception(|_| self.end()),
        }
        item
    }

    fn end(&self) {
        let ended = self.with(|state| (state.iterator.take(), state.old.take()));
        drop(ended);
    }
}
