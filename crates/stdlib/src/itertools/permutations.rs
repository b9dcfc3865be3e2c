//! `itertools.permutations`

use super::{indices, iterator_slots, pick, to_tuple};
use crate::arguments::ssize;
use crate::payload::{class_of, payload, signature};
use taipan_object::builtins::int;
use taipan_object::builtins::tuple::Tuple;
use taipan_object::native::MethodDef;
use taipan_object::types::{TypeSpec, type_flags};
use taipan_object::{Ref, Result, Value, Vm, method_table};

payload! {
    /// `indices` is an order of the pool, of which the first `length` places are the result; `cycles[i]` says how many
    /// choices are left for place `i`.
    pub struct Permutations(PermutationsState): PERMUTATIONS [pool: Ref<Tuple>, length: usize] {
        indices: Box<[usize]>, cycles: Box<[usize]>, started: bool, stopped: bool
    }
}

pub static PERMUTATIONS: TypeSpec = TypeSpec::new::<Permutations>("itertools.permutations")
    .doc(
        "permutations(iterable, r=None)\n\
         --\n\n\
         Yield all arrangements of r different items, by default of all, as tuples.\n\n\
         permutations('abc', 2) --> ab ac ba bc ca cb, as tuples",
    )
    .flags(type_flags::BASETYPE)
    .slots(|s| {
        s.new = Some(new);
        iterator_slots(s, next);
    })
    .methods(METHODS);

signature!(NEW = "permutations(iterable, r=None)");

/// The size that CPython shows, less what depends on the length.
const BASE_SIZE: usize = 64;

method_table! { static METHODS = [
    MethodDef::new("__sizeof__($self, /)", "Give the number of bytes of memory that the object takes.", |_, this, _| {
        let permutations = Permutations::of(this);
        let places = permutations.pool.len() + permutations.length;
        Ok(Value::from(BASE_SIZE + places * size_of::<usize>()))
    }),
]; }

fn new(vm: &Vm, class: &Value, args: &[Value], kwnames: Option<&Value>) -> Result {
    let bound = NEW.bind(vm, args, kwnames)?;
    let pool = to_tuple(vm, &bound[0])?;
    let size = pool.len();
    let length = match bound[1].given() {
        None => size as isize,
        Some(length) if !int::is_int(length) => return Err(vm.type_error("Expected int as r")),
        Some(length) => ssize(vm, length)?,
    };
    if length < 0 {
        return Err(vm.value_error("r must be non-negative"));
    }
    let length = length as usize;
    let stopped = length > size;
    let cycles = if stopped { Box::default() } else { indices(vm, length, (0..size).map(|at| size - at))? };
    let state = PermutationsState { indices: indices(vm, size, 0..)?, cycles, started: false, stopped };
    Ok(Permutations::make(class_of(class), pool, length, state))
}

fn next(_: &Vm, this: &Value) -> Result<Option<Value>> {
    let permutations = Permutations::of(this);
    let (pool, length) = (permutations.pool.as_slice(), permutations.length);
    Ok(permutations.with(|state| {
        if state.stopped {
            return None;
        }
        if state.started && !advance(&mut state.indices, &mut state.cycles) {
            state.stopped = true;
            return None;
        }
        state.started = true;
        Some(pick(pool, &state.indices[..length]))
    }))
}

/// Goes to the next permutation; false after the last one.
fn advance(indices: &mut [usize], cycles: &mut [usize]) -> bool {
    let size = indices.len();
    for at in (0..cycles.len()).rev() {
        cycles[at] -= 1;
        if cycles[at] > 0 {
            indices.swap(at, size - cycles[at]);
            return true;
        }
        // Every choice was had: back to the order in which they were.
        indices[at..].rotate_left(1);
        cycles[at] = size - at;
    }
    false
}
