//! `itertools.compress`, `dropwhile`, `filterfalse`, `starmap`, `takewhile`: what a function or flags say of each item.

use super::iterator_slots;
use crate::arguments::constructor_arguments;
use crate::payload::{class_of, payload, signature};
use taipan_object::builtins::bool::BOOL;
use taipan_object::builtins::tuple::Tuple;
use taipan_object::types::{Type, TypeSpec, type_flags};
use taipan_object::{Result, Value, Vm};

payload! {
    pub struct Compress(CompressState): COMPRESS [data: Value, selectors: Value] {}
}

pub static COMPRESS: TypeSpec = TypeSpec::new::<Compress>("itertools.compress")
    .doc(
        "compress(data, selectors)\n\
         --\n\n\
         Yield the items of data for which the selector is true.\n\n\
         Both iterables are gone over side by side; the iteration ends with the\n\
         shorter one.",
    )
    .flags(type_flags::BASETYPE)
    .slots(|s| {
        s.new = Some(|vm, class, args, kwnames| {
            let bound = COMPRESS_NEW.bind(vm, args, kwnames)?;
            let (data, selectors) = (vm.iter(&bound[0])?, vm.iter(&bound[1])?);
            Ok(Compress::make(class_of(class), data, selectors, CompressState {}))
        });
        iterator_slots(s, |vm, this| {
            let compress = Compress::of(this);
            while let Some(item) = vm.next_of_any(&compress.data)? {
                let Some(selector) = vm.next_of_any(&compress.selectors)? else { return Ok(None) };
                if vm.is_true(&selector)? {
                    return Ok(Some(item));
                }
            }
            Ok(None)
        });
    });

signature!(COMPRESS_NEW = "compress(data, selectors)");

/// The function and the iterator of `name(function, iterable, /)`.
fn function_and_iterator(
    vm: &Vm,
    class: &Type,
    spec: &'static TypeSpec,
    args: &[Value],
    kwnames: Option<&Value>,
) -> Result<(Value, Value)> {
    let args = constructor_arguments(vm, class, spec, (2, 2), args, kwnames)?;
    Ok((args[0].clone(), vm.iter(&args[1])?))
}

fn holds(vm: &Vm, predicate: &Value, item: &Value) -> Result<bool> {
    let verdict = vm.call_args(predicate, std::slice::from_ref(item))?;
    vm.is_true(&verdict)
}

payload! {
    /// `started`: the first item that is wanted was found.
    pub struct DropWhile(DropWhileState): DROPWHILE [predicate: Value, iterator: Value] { started: bool }
}

pub static DROPWHILE: TypeSpec = TypeSpec::new::<DropWhile>("itertools.dropwhile")
    .doc(
        "dropwhile(predicate, iterable, /)\n\
         --\n\n\
         Leave out items as long as the predicate is true of them.\n\n\
         From the first one of which it is false, yield all items.",
    )
    .flags(type_flags::BASETYPE)
    .slots(|s| {
        s.new = Some(|vm, class, args, kwnames| {
            let class = class_of(class);
            let (predicate, iterator) = function_and_iterator(vm, class, &DROPWHILE, args, kwnames)?;
            Ok(DropWhile::make(class, predicate, iterator, DropWhileState { started: false }))
        });
        iterator_slots(s, |vm, this| {
            let dropwhile = DropWhile::of(this);
            while let Some(item) = vm.next_of_any(&dropwhile.iterator)? {
                if dropwhile.with(|state| state.started) {
                    return Ok(Some(item));
                }
                if !holds(vm, &dropwhile.predicate, &item)? {
                    dropwhile.with(|state| state.started = true);
                    return Ok(Some(item));
                }
            }
            Ok(None)
        });
    });

payload! {
    pub struct TakeWhile(TakeWhileState): TAKEWHILE [predicate: Value, iterator: Value] { stopped: bool }
}

pub static TAKEWHILE: TypeSpec = TypeSpec::new::<TakeWhile>("itertools.takewhile")
    .doc(
        "takewhile(predicate, iterable, /)\n\
         --\n\n\
         Yield items as long as the predicate is true of them, and end at the first for which it is false.",
    )
    .flags(type_flags::BASETYPE)
    .slots(|s| {
        s.new = Some(|vm, class, args, kwnames| {
            let class = class_of(class);
            let (predicate, iterator) = function_and_iterator(vm, class, &TAKEWHILE, args, kwnames)?;
            Ok(TakeWhile::make(class, predicate, iterator, TakeWhileState { stopped: false }))
        });
        iterator_slots(s, |vm, this| {
            let takewhile = TakeWhile::of(this);
            if takewhile.with(|state| state.stopped) {
                return Ok(None);
            }
            let Some(item) = vm.next_of_any(&takewhile.iterator)? else { return Ok(None) };
            if holds(vm, &takewhile.predicate, &item)? {
                return Ok(Some(item));
            }
            takewhile.with(|state| state.stopped = true);
            Ok(None)
        });
    });

payload! {
    /// Without a function, the items themselves decide.
    pub struct FilterFalse(FilterFalseState): FILTERFALSE [function: Option<Value>, iterator: Value] {}
}

pub static FILTERFALSE: TypeSpec = TypeSpec::new::<FilterFalse>("itertools.filterfalse")
    .doc(
        "filterfalse(function, iterable, /)\n\
         --\n\n\
         Yield the items for which the function gives a false result.\n\n\
         With None for the function, yield the items that are false.",
    )
    .flags(type_flags::BASETYPE)
    .slots(|s| {
        s.new = Some(|vm, class, args, kwnames| {
            let class = class_of(class);
            let (function, iterator) = function_and_iterator(vm, class, &FILTERFALSE, args, kwnames)?;
            let by_truth = function.is_none() || function.downcast::<Type>().is_some_and(|ty| ty.is(&BOOL));
            let function = (!by_truth).then_some(function);
            Ok(FilterFalse::make(class, function, iterator, FilterFalseState {}))
        });
        iterator_slots(s, |vm, this| {
            let filterfalse = FilterFalse::of(this);
            while let Some(item) = vm.next_of_any(&filterfalse.iterator)? {
                let good = match &filterfalse.function {
                    None => vm.is_true(&item)?,
                    Some(function) => holds(vm, function, &item)?,
                };
                if !good {
                    return Ok(Some(item));
                }
            }
            Ok(None)
        });
    });

payload! {
    pub struct StarMap(StarMapState): STARMAP [function: Value, iterator: Value] {}
}

pub static STARMAP: TypeSpec = TypeSpec::new::<StarMap>("itertools.starmap")
    .doc(
        "starmap(function, iterable, /)\n\
         --\n\n\
         Yield the results of calling a function with each tuple of an iterable as its arguments.",
    )
    .flags(type_flags::BASETYPE)
    .slots(|s| {
        s.new = Some(|vm, class, args, kwnames| {
            let class = class_of(class);
            let (function, iterator) = function_and_iterator(vm, class, &STARMAP, args, kwnames)?;
            Ok(StarMap::make(class, function, iterator, StarMapState {}))
        });
        iterator_slots(s, |vm, this| {
            let starmap = StarMap::of(this);
            let Some(arguments) = vm.next_of_any(&starmap.iterator)? else { return Ok(None) };
            match arguments.downcast_exact::<Tuple>() {
                Some(arguments) => vm.call_args(&starmap.function, arguments.as_slice()),
                None => vm.call_args(&starmap.function, &vm.collect(&arguments)?),
            }
            .map(Some)
        });
    });
