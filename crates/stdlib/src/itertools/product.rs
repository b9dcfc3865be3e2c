//! `itertools.product`

use super::{indices, iterator_slots, to_tuple};
use crate::arguments::ssize;
use crate::payload::{class_of, payload};
use taipan_object::builtins::str::Str;
use taipan_object::builtins::tuple::{self, TUPLE, Tuple};
use taipan_object::native::MethodDef;
use taipan_object::types::{TypeSpec, type_flags};
use taipan_object::{Ref, Result, Value, Vm, method_table};

payload! {
    /// There is an index for each pool, and again for each repetition.
    pub struct Product(ProductState): PRODUCT [pools: Vec<Ref<Tuple>>] {
        indices: Box<[usize]>, started: bool, stopped: bool
    }
}

pub static PRODUCT: TypeSpec = TypeSpec::new::<Product>("itertools.product")
    .doc(
        "product(*iterables, repeat=1)\n--\n\nCartesian product of input iterables.  Equivalent to nested for-loops.\n\nThe \
         rightmost element changes fastest, as the innermost loop's would:\nproduct('ab', range(3)) --> ('a',0) ('a',1) \
         ('a',2) ('b',0) ('b',1) ('b',2)\n\nWith repeat, it is the product of the iterables with themselves:\nproduct(A, \
         repeat=4) means the same as product(A, A, A, A).",
    )
    .flags(type_flags::BASETYPE)
    .slots(|s| {
        s.new = Some(new);
        iterator_slots(s, next);
    })
    .methods(METHODS);

/// The size that CPython shows, less what depends on the length.
const BASE_SIZE: usize = 48;

method_table! { static METHODS = [
    MethodDef::new("__sizeof__($self, /)", "Give the number of bytes of memory that the object takes.", |_, this, _| {
        let places = Product::of(this).with(|state| state.indices.len());
        Ok(Value::from(BASE_SIZE + places * size_of::<usize>()))
    }),
]; }

fn new(vm: &Vm, class: &Value, args: &[Value], kwnames: Option<&Value>) -> Result {
    let keywords: &[Value] = kwnames.and_then(|names| names.downcast::<Tuple>()).map_or(&[], Tuple::as_slice);
    let (iterables, values) = args.split_at(args.len() - keywords.len());
    let repeat = repeat_argument(vm, keywords, values)?;
    if !iterables.is_empty() && repeat > isize::MAX as usize / size_of::<usize>() / iterables.len() {
        return Err(vm.overflow_error("repeat argument too large"));
    }
    let iterables = if repeat == 0 { &[] } else { iterables };
    let pools = iterables.iter().map(|iterable| to_tuple(vm, iterable)).collect::<Result<Vec<_>>>()?;
    let indices = indices(vm, pools.len() * repeat, std::iter::repeat(0))?;
    let stopped = pools.iter().any(|pool| pool.len() == 0);
    Ok(Product::make(class_of(class), pools, ProductState { indices, started: false, stopped }))
}

fn repeat_argument(vm: &Vm, keywords: &[Value], values: &[Value]) -> Result<usize> {
    let mut repeat = 1;
    for (name, value) in keywords.iter().zip(values) {
        if !name.downcast::<Str>().is_some_and(|name| name.is_str("repeat")) {
            let name = vm.display_name(name);
            return Err(vm.type_error(format!("product() got an unexpected keyword argument '{name}'")));
        }
        repeat = ssize(vm, value)?;
    }
    match usize::try_from(repeat) {
        Ok(repeat) => Ok(repeat),
        Err(_) => Err(vm.value_error("repeat argument cannot be negative")),
    }
}

fn next(_: &Vm, this: &Value) -> Result<Option<Value>> {
    let product = Product::of(this);
    let pools = &*product.pools;
    Ok(product.with(|state| {
        if state.stopped {
            return None;
        }
        if state.started && !advance(pools, &mut state.indices) {
            state.stopped = true;
            return None;
        }
        state.started = true;
        if state.indices.is_empty() {
            return Some(tuple::empty().into_value());
        }
        let mut pools = pools.iter().cycle();
        let items = state.indices.iter().map(|at| {
            let pool = pools.next().expect("there are pools where there are indices");
            pool.as_slice()[*at].clone()
        });
        Some(Tuple::new_with_type(TUPLE.ty(), items).into_value())
    }))
}

/// Goes to the next combination; false after the last one.
fn advance(pools: &[Ref<Tuple>], indices: &mut [usize]) -> bool {
    for (at, pool) in (0..indices.len()).rev().zip(pools.iter().rev().cycle()) {
        indices[at] += 1;
        if indices[at] < pool.len() {
            return true;
        }
        indices[at] = 0;
    }
    false
}
