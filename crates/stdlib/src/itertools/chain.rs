//! `itertools.chain`

use super::iterator_slots;
use crate::payload::{class_of, payload};
use taipan_object::builtins::generic_alias::CLASS_GETITEM;
use taipan_object::builtins::tuple::Tuple;
use taipan_object::native::{MethodDef, arguments};
use taipan_object::types::{Type, TypeSpec, type_flags};
use taipan_object::{Result, Value, Vm, method_table};

payload! {
    /// `source` yields the iterables; `active` is the iterator over the present one.
    pub struct Chain(ChainState): CHAIN { source: Option<Value>, active: Option<Value> }
}

pub static CHAIN: TypeSpec = TypeSpec::new::<Chain>("itertools.chain")
    .doc("chain(*iterables)\n--\n\nYield the items of the first iterable, then those of the second, and\nso on.")
    .flags(type_flags::BASETYPE)
    .slots(|s| {
        s.new = Some(|vm, class, args, kwnames| {
            let class = class_of(class);
            let keywords = kwnames.map_or(0, |names| vm.tuple_len(names));
            if class.is(&CHAIN) {
                arguments::no_keywords(vm, "chain", kwnames)?;
            }
            let iterables = Tuple::from_slice(&args[..args.len() - keywords]);
            from_iterator(vm, class, iterables.as_value())
        });
        iterator_slots(s, next);
    })
    .methods(METHODS);

method_table! { static METHODS = [
    MethodDef::new("from_iterable($type, iterable, /)",
        "Make a chain from an iterable that gives the iterables, each when it is needed.",
        |vm, class, args| from_iterator(vm, class_of(class), &args[0])).class(),
    CLASS_GETITEM,
]; }

fn from_iterator(vm: &Vm, class: &Type, iterables: &Value) -> Result {
    let source = vm.iter(iterables)?;
    Ok(Chain::make(class, ChainState { source: Some(source), active: None }))
}

fn next(vm: &Vm, this: &Value) -> Result<Option<Value>> {
    let chain = Chain::of(this);
    loop {
        if let Some(active) = chain.with(|state| state.active.clone()) {
            if let Some(item) = vm.next_of_any(&active)? {
                return Ok(Some(item));
            }
            let ended = chain.with(|state| state.active.take());
            drop(ended);
        }
        let Some(source) = chain.with(|state| state.source.clone()) else { return Ok(None) };
        let iterator = match vm.next_of_any(&source) {
            Ok(Some(iterable)) => vm.iter(&iterable),
            Ok(None) => {
                chain.end();
                return Ok(None);
            }
            Err(raised) => Err(raised),
        };
        match iterator {
            Ok(iterator) => {
                let old = chain.with(|state| state.active.replace(iterator));
                drop(old);
            }
            Err(raised) => {
                vm.preserving_exception(|_| chain.end());
                return Err(raised);
            }
        }
    }
}

impl Chain {
    fn end(&self) {
        let source = self.with(|state| state.source.take());
        drop(source);
    }
}
