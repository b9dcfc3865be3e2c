//! `enumerate`

use crate::builtins::generic_alias;
use crate::builtins::str::Str;
use crate::builtins::tuple::{ReusedPair, Tuple};
use crate::cell::ObjectCell;
use crate::header::Header;
use crate::heap::Kind;
use crate::native::MethodDef;
use crate::object::{Payload, Ref, Result, Visitor};
use crate::types::{Type, TypeSpec, type_flags};
use crate::value::Value;
use crate::vm::Vm;

/// Pairs the items of an iterator with a count.
#[repr(C)]
pub struct Enumerate {
    pub header: Header,
    iterator: Value,
    count: ObjectCell<Value>,
    pair: ReusedPair,
}

// SAFETY: repr(C), header first, visits the iterator; the count is an int.
unsafe impl Payload for Enumerate {
    const KIND: Kind = Kind::Container;
    fn static_type() -> &'static Type {
        ENUMERATE.ty()
    }
    fn traverse(&self, visit: Visitor) {
        visit(&self.iterator);
        // SAFETY: the collector has stopped the world.
        visit(unsafe { &*self.count.as_ptr() });
        self.pair.traverse(visit);
    }
    fn clear(&self) {
        self.pair.clear();
    }
}

pub static ENUMERATE: TypeSpec = TypeSpec::new::<Enumerate>("enumerate")
    .doc(
        "enumerate(iterable, start=0)\n\
         --\n\n\
         Number the items of an iterable.\n\n  \
         iterable\n    \
         what to take the items from\n\n\
         The iterator yields (number, item) pairs, with consecutive numbers\n\
         from start on:\n    \
         (0, first), (1, second), (2, third), ...",
    )
    .flags(type_flags::BASETYPE)
    .slots(|s| {
        s.new = Some(new);
        s.iter = Some(|_, this| Ok(this.clone()));
        s.iternext = Some(next);
    })
    .methods(METHODS);

fn own(value: &Value) -> &Enumerate {
    value.downcast::<Enumerate>().expect("called on an enumerate")
}

fn new(vm: &Vm, class: &Value, args: &[Value], kwnames: Option<&Value>) -> Result {
    let ty = class.downcast::<Type>().expect("a class");
    let (iterable, start) = bind(vm, args, kwnames)?;
    let count = match start {
        Some(start) => vm.index(start)?,
        None => Value::small_int(0),
    };
    let iterator = vm.iter(iterable)?;
    let payload =
        Enumerate { header: Header::new(ty), iterator, count: ObjectCell::new(count), pair: ReusedPair::new() };
    Ok(Ref::new_with_type(ty, payload).into_value())
}

fn bind<'a>(vm: &Vm, args: &'a [Value], kwnames: Option<&Value>) -> Result<(&'a Value, Option<&'a Value>)> {
    let keywords: &[Value] = kwnames.and_then(|names| names.downcast::<Tuple>()).map_or(&[], Tuple::as_slice);
    if args.len() > 2 {
        let given = args.len();
        return Err(vm.type_error(format!("enumerate() takes at most 2 arguments ({given} given)")));
    }
    let positional = args.len() - keywords.len();
    let mut bound = [args.first().filter(|_| positional > 0), args.get(1).filter(|_| positional > 1)];
    for (name, value) in keywords.iter().zip(&args[positional..]) {
        let at = ["iterable", "start"].iter().position(|known| name.downcast::<Str>().is_some_and(|n| n.is_str(known)));
        match at {
            Some(at) if bound[at].is_none() && (at == 0 || bound[0].is_some() || keywords.len() == 2) => {
                bound[at] = Some(value);
            }
            _ => {
                let name = vm.display_name(name);
                return Err(vm.type_error(format!("'{name}' is an invalid keyword argument for enumerate()")));
            }
        }
    }
    match bound {
        [Some(iterable), start] => Ok((iterable, start)),
        _ => Err(vm.type_error("enumerate() missing required argument 'iterable'")),
    }
}

fn next(vm: &Vm, this: &Value) -> Result<Option<Value>> {
    let next = next_numbered(vm, this)?;
    Ok(next.map(|(number, item)| own(this).pair.make(number, item)))
}

/// The next pair of an `enumerate`, taken apart.
pub(super) fn next_apart(vm: &Vm, this: &Value) -> Result<Option<(Value, Value)>> {
    let next = next_numbered(vm, this)?;
    Ok(next.map(|(number, item)| own(this).pair.keep(number, item)))
}

fn next_numbered(vm: &Vm, this: &Value) -> Result<Option<(Value, Value)>> {
    let enumerate = own(this);
    let Some(item) = vm.next_of_any(&enumerate.iterator)? else { return Ok(None) };
    let small = {
        let mut count = enumerate.count.borrow(&enumerate.header);
        match count.as_small_int() {
            Some(n) if n < Value::SMALL_INT_MAX => Some(std::mem::replace(&mut *count, Value::small_int(n + 1))),
            _ => None,
        }
    };
    let number = match small {
        Some(number) => number,
        None => {
            let number = enumerate.count.borrow(&enumerate.header).clone();
            let following = vm.add(&number, &Value::small_int(1))?;
            let old = std::mem::replace(&mut *enumerate.count.borrow(&enumerate.header), following);
            drop(old);
            number
        }
    };
    Ok(Some((number, item)))
}

crate::method_table! { static METHODS = [
    MethodDef::new("__reduce__($self, /)", "Give what pickle needs to rebuild the object.", |_, this, _| {
        let enumerate = own(this);
        let count = enumerate.count.borrow(&enumerate.header).clone();
        let arguments = Tuple::from_array([enumerate.iterator.clone(), count]).into_value();
        Ok(Tuple::from_array([this.ty().to_value(), arguments]).into_value())
    }),
    MethodDef::new("__class_getitem__($type, object, /)", "\
        Give an alias that states the type of the numbered items", |vm, class, args| {
        Ok(generic_alias::new(vm, class, &args[0]))
    })
    .class(),
]; }
