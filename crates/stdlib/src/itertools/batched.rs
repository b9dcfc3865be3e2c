//! `itertools.batched`

use super::iterator_slots;
use crate::arguments::ssize;
use crate::payload::{class_of, payload, signature};
use smallvec::SmallVec;
use taipan_object::builtins::list;
use taipan_object::builtins::tuple::{TUPLE, Tuple};
use taipan_object::types::{TypeSpec, type_flags};
use taipan_object::{Result, Value, Vm};

payload! {
    pub struct Batched(BatchedState): BATCHED [size: usize, strict: bool] { iterator: Option<Value> }
}

pub static BATCHED: TypeSpec = TypeSpec::new::<Batched>("itertools.batched")
    .doc(
        "batched(iterable, n, *, strict=False)\n--\n\nBatch data into tuples of length n. The last batch may be shorter than \
         n.\n\nThe iterable is read only as far as the batches asked for need. If \"strict\"\nis True, a last batch shorter \
         than n is a ValueError.\n\n    >>> list(batched('ABCDE', 2))\n    [('A', 'B'), ('C', 'D'), ('E',)]",
    )
    .flags(type_flags::BASETYPE)
    .slots(|s| {
        s.new = Some(new);
        iterator_slots(s, next);
    });

signature!(NEW = "batched(iterable, n, *, strict=False)");

fn new(vm: &Vm, class: &Value, args: &[Value], kwnames: Option<&Value>) -> Result {
    let bound = NEW.bind(vm, args, kwnames)?;
    let size = ssize(vm, &bound[1])?;
    let strict = vm.is_true(&bound[2])?;
    if size < 1 {
        return Err(vm.value_error("n must be at least one"));
    }
    let iterator = vm.iter(&bound[0])?;
    Ok(Batched::make(class_of(class), size as usize, strict, BatchedState { iterator: Some(iterator) }))
}

const SMALL: usize = 16;

fn next(vm: &Vm, this: &Value) -> Result<Option<Value>> {
    let batched = Batched::of(this);
    let Some(iterator) = batched.with(|state| state.iterator.clone()) else { return Ok(None) };
    let mut items: SmallVec<[Value; SMALL]> = SmallVec::new();
    if batched.size > SMALL {
        items = SmallVec::from_vec(list::with_room(vm, batched.size)?);
    }
    while items.len() < batched.size {
        match vm.next_of_any(&iterator) {
            Ok(Some(item)) => items.push(item),
            Ok(None) => {
                batched.end();
                if items.is_empty() {
                    return Ok(None);
                }
                if batched.strict {
                    return Err(vm.value_error("batched(): incomplete batch"));
                }
                break;
            }
            Err(raised) => {
                vm.preserving_exception(|_| batched.end());
                return Err(raised);
            }
        }
    }
    match Tuple::try_new_with_type(TUPLE.ty(), items.into_iter()) {
        Some(batch) => Ok(Some(batch.into_value())),
        None => Err(vm.memory_error()),
    }
}

impl Batched {
    fn end(&self) {
        let iterator = self.with(|state| state.iterator.take());
        drop(iterator);
    }
}
