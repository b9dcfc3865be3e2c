//! `itertools.accumulate`

use super::iterator_slots;
use crate::payload::{class_of, payload, signature};
use taipan_object::types::{TypeSpec, type_flags};
use taipan_object::{Result, Value, Vm};

payload! {
    /// `total` is what came last; `initial` has still to come.
    pub struct Accumulate(AccumulateState): ACCUMULATE [iterator: Value, function: Option<Value>] {
        total: Option<Value>, initial: Option<Value>
    }
}

pub static ACCUMULATE: TypeSpec = TypeSpec::new::<Accumulate>("itertools.accumulate")
    .doc(
        "accumulate(iterable, func=None, *, initial=None)\n\
         --\n\n\
         Yield running totals, or the running results of another function.",
    )
    .flags(type_flags::BASETYPE)
    .slots(|s| {
        s.new = Some(new);
        iterator_slots(s, next);
    });

signature!(NEW = "accumulate(iterable, func=None, *, initial=None)");

fn new(vm: &Vm, class: &Value, args: &[Value], kwnames: Option<&Value>) -> Result {
    let bound = NEW.bind(vm, args, kwnames)?;
    let iterator = vm.iter(&bound[0])?;
    let state = AccumulateState { total: None, initial: bound[2].given().cloned() };
    Ok(Accumulate::make(class_of(class), iterator, bound[1].given().cloned(), state))
}

fn next(vm: &Vm, this: &Value) -> Result<Option<Value>> {
    let accumulate = Accumulate::of(this);
    let initial = accumulate.with(|state| {
        let initial = state.initial.take()?;
        let old = state.total.replace(initial.clone());
        Some((initial, old))
    });
    if let Some((initial, _)) = initial {
        return Ok(Some(initial));
    }
    let Some(item) = vm.next_of_any(&accumulate.iterator)? else { return Ok(None) };
    let total = match (accumulate.with(|state| state.total.clone()), &accumulate.function) {
        (None, _) => item,
        (Some(total), None) => vm.add(&total, &item)?,
        (Some(total), Some(function)) => vm.call_args(function, &[total, item])?,
    };
    let old = accumulate.with(|state| state.total.replace(total.clone()));
    drop(old);
    Ok(Some(total))
}
