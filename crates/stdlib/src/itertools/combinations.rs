//! `itertools.combinations` and `itertools.combinations_with_replacement`

use super::{indices, iterator_slots, pick, to_tuple};
use crate::arguments::ssize;
use crate::payload::{class_of, payload, signature};
use taipan_object::builtins::tuple::Tuple;
use taipan_object::native::MethodDef;
use taipan_object::types::{TypeSpec, type_flags};
use taipan_object::{Ref, Result, Value, Vm, method_table};

payload! {
    /// `indices` are the places of the last result, if there was one.
    pub struct Combinations(CombinationsState): COMBINATIONS [pool: Ref<Tuple>, length: usize] {
        indices: Box<[usize]>, started: bool, stopped: bool
    }
}

payload! {
    /// As [`Combinations`].
    pub struct WithReplacement(WithReplacementState): COMBINATIONS_WITH_REPLACEMENT [pool: Ref<Tuple>, length: usize] {
        indices: Box<[usize]>, started: bool, stopped: bool
    }
}

pub static COMBINATIONS: TypeSpec = TypeSpec::new::<Combinations>("itertools.combinations")
    .doc(
        "combinations(iterable, r)\n\
         --\n\n\
         Yield all selections of r items, as tuples.\n\n\
         Items keep their order, and their position tells them apart:\n\
         combinations('abc', 2) --> ab ac bc, as tuples",
    )
    .flags(type_flags::BASETYPE)
    .slots(|s| {
        s.new = Some(|vm, class, args, kwnames| {
            let (pool, length) = pool_and_length(vm, COMBINATIONS_NEW.bind(vm, args, kwnames)?.as_slice())?;
            let stopped = length > pool.len();
            let indices = if stopped { Box::default() } else { indices(vm, length, 0..)? };
            let state = CombinationsState { indices, started: false, stopped };
            Ok(Combinations::make(class_of(class), pool, length, state))
        });
        iterator_slots(s, next_combination);
    })
    .methods(METHODS);

pub static COMBINATIONS_WITH_REPLACEMENT: TypeSpec =
    TypeSpec::new::<WithReplacement>("itertools.combinations_with_replacement")
        .doc(
            "combinations_with_replacement(iterable, r)\n\
             --\n\n\
             Yield all selections of r items, as tuples, in which an item may occur several times.\n\n\
             Items keep their order:\n\
             combinations_with_replacement('ab', 2) --> aa ab bb, as tuples",
        )
        .flags(type_flags::BASETYPE)
        .slots(|s| {
            s.new = Some(|vm, class, args, kwnames| {
                let (pool, length) = pool_and_length(vm, WITH_REPLACEMENT_NEW.bind(vm, args, kwnames)?.as_slice())?;
                let stopped = pool.len() == 0 && length > 0;
                let state = WithReplacementState {
                    indices: indices(vm, length, std::iter::repeat(0))?,
                    started: false,
                    stopped,
                };
                Ok(WithReplacement::make(class_of(class), pool, length, state))
            });
            iterator_slots(s, next_with_replacement);
        })
        .methods(WITH_REPLACEMENT_METHODS);

signature!(COMBINATIONS_NEW = "combinations(iterable, r)");
signature!(WITH_REPLACEMENT_NEW = "combinations_with_replacement(iterable, r)");

/// The size that CPython shows, less what depends on the length.
const BASE_SIZE: usize = 56;

method_table! { static METHODS = [
    MethodDef::new("__sizeof__($self, /)", "Give the number of bytes of memory that the object takes.", |_, this, _| {
        Ok(Value::from(BASE_SIZE + Combinations::of(this).length * size_of::<usize>()))
    }),
]; }

method_table! { static WITH_REPLACEMENT_METHODS = [
    MethodDef::new("__sizeof__($self, /)", "Give the number of bytes of memory that the object takes.", |_, this, _| {
        Ok(Value::from(BASE_SIZE + WithReplacement::of(this).length * size_of::<usize>()))
    }),
]; }

fn pool_and_length(vm: &Vm, bound: &[Value]) -> Result<(Ref<Tuple>, usize)> {
    let length = ssize(vm, &bound[1])?;
    let pool = to_tuple(vm, &bound[0])?;
    if length < 0 {
        return Err(vm.value_error("r must be non-negative"));
    }
    Ok((pool, length as usize))
}

fn next_combination(_: &Vm, this: &Value) -> Result<Option<Value>> {
    let combinations = Combinations::of(this);
    let (pool, length) = (combinations.pool.as_slice(), combinations.length);
    Ok(combinations.with(|state| {
        if state.stopped {
            return None;
        }
        if state.started {
            // The last place that can move on; those after it follow it closely.
            let Some(moving) = (0..length).rev().find(|at| state.indices[*at] != at + pool.len() - length) else {
                state.stopped = true;
                return None;
            };
            let mut place = state.indices[moving];
            for index in &mut state.indices[moving..] {
                place += 1;
                *index = place;
            }
        }
        state.started = true;
        Some(pick(pool, &state.indices))
    }))
}

fn next_with_replacement(_: &Vm, this: &Value) -> Result<Option<Value>> {
    let combinations = WithReplacement::of(this);
    let pool = combinations.pool.as_slice();
    Ok(combinations.with(|state| {
        if state.stopped {
            return None;
        }
        if state.started {
            let Some(moving) = state.indices.iter().rposition(|index| index + 1 != pool.len()) else {
                state.stopped = true;
                return None;
            };
            let place = state.indices[moving] + 1;
            state.indices[moving..].fill(place);
        }
        state.started = true;
        Some(pick(pool, &state.indices))
    }))
}
