//! `itertools`: iterators over iterators.
//!
//! An iterator may be asked for its next item while it waits for an item of its source, since that runs Python code.
//! So a state is never borrowed across such a wait, and is looked at anew after it.

pub mod accumulate;
pub mod batched;
pub mod chain;
pub mod combinations;
pub mod count;
pub mod cycle;
pub mod groupby;
pub mod islice;
pub mod pairwise;
pub mod permutations;
pub mod product;
pub mod repeat;
pub mod selecting;
pub mod tee;
pub mod zip_longest;

use taipan_object::builtins::tuple::{self, TUPLE, Tuple};
use taipan_object::native::module::ModuleDef;
use taipan_object::types::slots::Slots;
use taipan_object::{Ref, Result, Value, Vm};

pub static MODULE: ModuleDef = ModuleDef {
    name: "itertools",
    doc: "Functional tools for creating and using iterators.\n\nInfinite iterators: count, cycle, repeat.\n\nIterators that end \
          with the shortest input: accumulate, batched, chain, compress,\ndropwhile, filterfalse, groupby, islice, pairwise, \
          starmap, takewhile, tee;\nwith the longest: zip_longest.\n\nCombinatoric iterators: product, permutations, \
          combinations,\ncombinations_with_replacement.",
    functions: tee::FUNCTIONS,
    exec: |_, module| {
        module.add_type(&accumulate::ACCUMULATE);
        module.add_type(&batched::BATCHED);
        module.add_type(&combinations::COMBINATIONS);
        module.add_type(&combinations::COMBINATIONS_WITH_REPLACEMENT);
        module.add_type(&cycle::CYCLE);
        module.add_type(&selecting::DROPWHILE);
        module.add_type(&selecting::TAKEWHILE);
        module.add_type(&islice::ISLICE);
        module.add_type(&selecting::STARMAP);
        module.add_type(&chain::CHAIN);
        module.add_type(&selecting::COMPRESS);
        module.add_type(&selecting::FILTERFALSE);
        module.add_type(&count::COUNT);
        module.add_type(&zip_longest::ZIP_LONGEST);
        module.add_type(&pairwise::PAIRWISE);
        module.add_type(&permutations::PERMUTATIONS);
        module.add_type(&product::PRODUCT);
        module.add_type(&repeat::REPEAT);
        module.add_type(&groupby::GROUPBY);
        module.add_type(&groupby::GROUPER);
        module.add_type(&tee::TEE);
        module.add_type(&tee::TEE_DATAOBJECT);
        Ok(())
    },
};

/// The slots that all iterators share.
fn iterator_slots(s: &mut Slots, next: fn(&Vm, &Value) -> Result<Option<Value>>) {
    s.iter = Some(|_, this| Ok(this.clone()));
    s.iternext = Some(next);
}

/// `tuple(iterable)`
fn to_tuple(vm: &Vm, iterable: &Value) -> Result<Ref<Tuple>> {
    match iterable.downcast_exact::<Tuple>().and_then(|_| iterable.downcast_ref()) {
        Some(tuple) => Ok(tuple),
        None => Tuple::try_from_vec(vm, vm.collect(iterable)?),
    }
}

/// The items of `pool` at these places.
#[inline]
fn pick(pool: &[Value], indices: &[usize]) -> Value {
    if indices.is_empty() {
        return tuple::empty().into_value();
    }
    Tuple::new_with_type(TUPLE.ty(), indices.iter().map(|at| pool[*at].clone())).into_value()
}

/// Numbers from a generator, or `MemoryError`.
fn indices(vm: &Vm, count: usize, numbers: impl Iterator<Item = usize>) -> Result<Box<[usize]>> {
    let mut indices = Vec::new();
    if indices.try_reserve_exact(count).is_err() {
        return Err(vm.memory_error());
    }
    indices.extend(numbers.take(count));
    Ok(indices.into_boxed_slice())
}
