//! `map` and `filter`

use super::zip::{check_strict, split_strict};
use crate::builtins::tuple::Tuple;
use crate::cell::ObjectCell;
use crate::header::Header;
use crate::heap::Kind;
use crate::native::{MethodDef, arguments};
use crate::object::{Payload, Ref, Result, Visitor};
use crate::types::{Type, TypeSpec, type_flags};
use crate::value::Value;
use crate::vm::Vm;
use smallvec::SmallVec;

/// Results of a function on the items of iterators.
#[repr(C)]
pub struct Map {
    pub header: Header,
    function: Value,
    iterators: Ref<Tuple>,
    strict: ObjectCell<bool>,
}

// SAFETY: repr(C), header first, visits function and iterators.
unsafe impl Payload for Map {
    const KIND: Kind = Kind::Container;
    fn static_type() -> &'static Type {
        MAP.ty()
    }
    fn traverse(&self, visit: Visitor) {
        visit(&self.function);
        visit(self.iterators.as_value());
    }
}

pub static MAP: TypeSpec = TypeSpec::new::<Map>("map")
    .doc(
        "map(function, iterable, /, *iterables, strict=False)\n\
         --\n\n\
         Yield the results of calling the function with one item of each\n\
         iterable.  The iteration ends with the shortest of them.\n\n\
         If strict is true, iterables of different lengths raise ValueError.",
    )
    .flags(type_flags::BASETYPE)
    .slots(|s| {
        s.new = Some(new_map);
        s.iter = Some(|_, this| Ok(this.clone()));
        s.iternext = Some(next_mapped);
    })
    .methods(MAP_METHODS);

fn own_map(value: &Value) -> &Map {
    value.downcast::<Map>().expect("called on a map")
}

fn same_init(ty: &Type, spec: &'static TypeSpec) -> bool {
    ty.is(spec) || ty.slots().init.map(|f| f as usize) == spec.ty().slots().init.map(|f| f as usize)
}

fn new_map(vm: &Vm, class: &Value, args: &[Value], kwnames: Option<&Value>) -> Result {
    let ty = class.downcast::<Type>().expect("a class");
    let (args, strict) = if same_init(ty, &MAP) {
        split_strict(vm, "map", args, kwnames)?
    } else {
        (&args[..args.len() - kwnames.map_or(0, |names| vm.tuple_len(names))], false)
    };
    let [function, iterables @ ..] = args else {
        return Err(vm.type_error("map() must have at least two arguments."));
    };
    if iterables.is_empty() {
        return Err(vm.type_error("map() must have at least two arguments."));
    }
    let iterators = iterables.iter().map(|iterable| vm.iter(iterable)).collect::<Result<Vec<Value>>>()?;
    let payload = Map {
        header: Header::new(ty),
        function: function.clone(),
        iterators: Tuple::from_vec(iterators),
        strict: ObjectCell::new(strict),
    };
    Ok(Ref::new_with_type(ty, payload).into_value())
}

fn next_mapped(vm: &Vm, this: &Value) -> Result<Option<Value>> {
    let map = own_map(this);
    let iterators = map.iterators.as_slice();
    if let [iterator] = iterators {
        let Some(item) = vm.next(iterator)? else { return Ok(None) };
        return vm.call_args(&map.function, std::slice::from_ref(&item)).map(Some);
    }
    let mut items: SmallVec<[Value; 8]> = SmallVec::with_capacity(iterators.len());
    for (at, iterator) in iterators.iter().enumerate() {
        match vm.next(iterator)? {
            Some(item) => items.push(item),
            None if *map.strict.borrow(&map.header) => return check_strict(vm, "map", iterators, at),
            None => return Ok(None),
        }
    }
    vm.call_args(&map.function, &items).map(Some)
}

crate::method_table! { static MAP_METHODS = [
    MethodDef::new("__reduce__($self, /)", "Give what pickle needs to rebuild the object.", |_, this, _| {
        let map = own_map(this);
        let mut arguments = vec![map.function.clone()];
        arguments.extend_from_slice(map.iterators.as_slice());
        let (class, arguments) = (this.ty().to_value(), Tuple::from_vec(arguments).into_value());
        Ok(if *map.strict.borrow(&map.header) {
            Tuple::from_array([class, arguments, Value::TRUE]).into_value()
        } else {
            Tuple::from_array([class, arguments]).into_value()
        })
    }),
    MethodDef::new("__setstate__($self, object, /)", "Take over the state that a pickle contains.", |vm, this, args| {
        let strict = vm.is_true(&args[0])?;
        *own_map(this).strict.borrow(&own_map(this).header) = strict;
        Ok(Value::NONE)
    }),
]; }

/// The items of an iterator for which a function is true.
#[repr(C)]
pub struct Filter {
    pub header: Header,
    /// `None` or `bool`: the items themselves decide.
    function: Value,
    iterator: Value,
}

// SAFETY: repr(C), header first, visits function and iterator.
unsafe impl Payload for Filter {
    const KIND: Kind = Kind::Container;
    fn static_type() -> &'static Type {
        FILTER.ty()
    }
    fn traverse(&self, visit: Visitor) {
        visit(&self.function);
        visit(&self.iterator);
    }
}

pub static FILTER: TypeSpec = TypeSpec::new::<Filter>("filter")
    .doc(
        "filter(function, iterable, /)\n\
         --\n\n\
         Yield the items for which the function gives a true result.\n\n\
         With None for the function, yield the items that are true.",
    )
    .flags(type_flags::BASETYPE)
    .slots(|s| {
        s.new = Some(new_filter);
        s.iter = Some(|_, this| Ok(this.clone()));
        s.iternext = Some(next_filtered);
    })
    .methods(FILTER_METHODS);

fn own_filter(value: &Value) -> &Filter {
    value.downcast::<Filter>().expect("called on a filter")
}

fn new_filter(vm: &Vm, class: &Value, args: &[Value], kwnames: Option<&Value>) -> Result {
    let ty = class.downcast::<Type>().expect("a class");
    let args = if same_init(ty, &FILTER) {
        arguments::no_keywords(vm, "filter", kwnames)?;
        args
    } else {
        &args[..args.len() - kwnames.map_or(0, |names| vm.tuple_len(names))]
    };
    arguments::check_positional(vm, "filter", args.len(), 2, 2)?;
    let iterator = vm.iter(&args[1])?;
    let payload = Filter { header: Header::new(ty), function: args[0].clone(), iterator };
    Ok(Ref::new_with_type(ty, payload).into_value())
}

fn next_filtered(vm: &Vm, this: &Value) -> Result<Option<Value>> {
    let filter = own_filter(this);
    let by_truth = filter.function.is_none()
        || filter.function.downcast::<Type>().is_some_and(|class| class.is(&crate::builtins::bool::BOOL));
    while let Some(item) = vm.next(&filter.iterator)? {
        let good = if by_truth {
            vm.is_true(&item)?
        } else {
            let verdict = vm.call_args(&filter.function, std::slice::from_ref(&item))?;
            vm.is_true(&verdict)?
        };
        if good {
            return Ok(Some(item));
        }
    }
    Ok(None)
}

crate::method_table! { static FILTER_METHODS = [
    MethodDef::new("__reduce__($self, /)", "Give what pickle needs to rebuild the object.", |_, this, _| {
        let filter = own_filter(this);
        let arguments = Tuple::from_array([filter.function.clone(), filter.iterator.clone()]).into_value();
        Ok(Tuple::from_array([this.ty().to_value(), arguments]).into_value())
    }),
]; }
