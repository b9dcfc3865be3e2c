//! `itertools.islice`

use super::iterator_slots;
use crate::arguments::constructor_arguments;
use crate::payload::{class_of, payload};
use taipan_object::builtins::int;
use taipan_object::exceptions;
use taipan_object::types::{TypeSpec, type_flags};
use taipan_object::{Raised, Result, Value, Vm};

payload! {
    /// `position` counts the items taken from the iterator, `next` is the position of the next result.
    pub struct Islice(IsliceState): ISLICE [stop: Option<usize>, step: usize] {
        iterator: Option<Value>, position: usize, next: usize
    }
}

pub static ISLICE: TypeSpec = TypeSpec::new::<Islice>("itertools.islice")
    .doc(
        "islice(iterable, stop) --> islice object\nislice(iterable, start, stop[, step]) --> islice object\n\nReturn an \
         iterator over selected values of an iterable, as slicing a list\nselects them: from start (by default zero) up to \
         stop, every step-th.",
    )
    .flags(type_flags::BASETYPE)
    .slots(|s| {
        s.new = Some(new);
        iterator_slots(s, next);
    });

fn new(vm: &Vm, class: &Value, args: &[Value], kwnames: Option<&Value>) -> Result {
    let class = class_of(class);
    let args = constructor_arguments(vm, class, &ISLICE, (2, 4), args, kwnames)?;
    let (start, stop) = match &args[1..] {
        [stop] => (0, bound(vm, stop, None).map_err(|raised| bad_argument(vm, raised, "Stop argument"))?),
        [start, stop, ..] => {
            let bad = |raised| bad_argument(vm, raised, "Indices");
            (bound(vm, start, Some(0)).map_err(bad)?.unwrap_or(0), bound(vm, stop, None).map_err(bad)?)
        }
        [] => return Err(vm.type_error("islice expected at least 2 arguments, got 1")),
    };
    let step = match args.get(3).map(|step| bound(vm, step, Some(1))) {
        None => 1,
        Some(Ok(Some(step))) if step > 0 => step,
        Some(outcome) => {
            if let Err(raised) = outcome {
                clear_error(vm, raised)?;
            }
            return Err(vm.value_error("Step for islice() must be a positive integer or None."));
        }
    };
    let iterator = vm.iter(&args[0])?;
    Ok(Islice::make(class, stop, step, IsliceState { iterator: Some(iterator), position: 0, next: start }))
}

/// An argument that is `None` or a number that is not negative.
fn bound(vm: &Vm, value: &Value, default: Option<usize>) -> Result<Option<usize>> {
    if value.is_none() {
        return Ok(default);
    }
    let index = vm.index(value)?;
    match int::to_i64(&index).and_then(|n| usize::try_from(n).ok()) {
        Some(n) => Ok(Some(n)),
        None => Err(vm.value_error("")),
    }
}

fn clear_error(vm: &Vm, raised: Raised) -> Result<()> {
    vm.catch(raised, exceptions::EXCEPTION.ty()).map(drop)
}

#[cold]
fn bad_argument(vm: &Vm, raised: Raised, what: &str) -> Raised {
    match clear_error(vm, raised) {
        Ok(()) => vm.value_error(format!("{what} for islice() must be None or an integer: 0 <= x <= sys.maxsize.")),
        Err(raised) => raised,
    }
}

fn next(vm: &Vm, this: &Value) -> Result<Option<Value>> {
    let islice = Islice::of(this);
    let Some(iterator) = islice.with(|state| state.iterator.clone()) else { return Ok(None) };
    loop {
        let wanted = islice.with(|state| {
            let wanted = state.position >= state.next;
            if wanted && islice.stop.is_some_and(|stop| state.position >= stop) {
                return None;
            }
            Some(wanted)
        });
        let Some(wanted) = wanted else {
            islice.end();
            return Ok(None);
        };
        match vm.next_of_any(&iterator) {
            Ok(Some(item)) => {
                islice.with(|state| {
                    state.position = state.position.saturating_add(1);
                    if wanted {
                        let next = state.next.saturating_add(islice.step);
                        state.next = islice.stop.map_or(next, |stop| next.min(stop));
                    }
                });
                if wanted {
                    return Ok(Some(item));
                }
            }
            Ok(None) => {
                islice.end();
                return Ok(None);
            }
            Err(raised) => {
                vm.preserving_exception(|_| islice.end());
                return Err(raised);
            }
        }
    }
}

impl Islice {
    fn end(&self) {
        let ended = self.with(|state| state.iterator.take());
        drop(ended);
    }
}
