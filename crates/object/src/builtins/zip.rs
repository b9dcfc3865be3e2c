//! `zip`

use crate::builtins::str::Str;
use crate::builtins::tuple::{ReusedPair, Tuple};
use crate::cell::ObjectCell;
use crate::header::Header;
use crate::heap::Kind;
use crate::native::MethodDef;
use crate::native::signature::unexpected_keyword;
use crate::object::{Payload, Ref, Result, Visitor};
use crate::types::{Type, TypeSpec, type_flags};
use crate::value::Value;
use crate::vm::{Raised, Vm};
use smallvec::SmallVec;

/// Tuples of items of several iterators.
#[repr(C)]
pub struct Zip {
    pub header: Header,
    iterators: Ref<Tuple>,
    strict: ObjectCell<bool>,
    pair: ReusedPair,
}

// SAFETY: repr(C), header first, visits the iterators.
unsafe impl Payload for Zip {
    const KIND: Kind = Kind::Container;
    fn static_type() -> &'static Type {
        ZIP.ty()
    }
    fn traverse(&self, visit: Visitor) {
        visit(self.iterators.as_value());
        self.pair.traverse(visit);
    }
    fn clear(&self) {
        self.pair.clear();
    }
}

pub static ZIP: TypeSpec = TypeSpec::new::<Zip>("zip")
    .doc(
        "zip(*iterables, strict=False)\n\
         --\n\n\
         Yield tuples of one item from each iterable, side by side.\n\n\
         The iteration ends with the shortest iterable.  If strict is true,\n\
         iterables of different lengths raise ValueError.\n\n   \
         >>> list(zip('ab', [1, 2, 3]))\n   \
         [('a', 1), ('b', 2)]",
    )
    .flags(type_flags::BASETYPE)
    .slots(|s| {
        s.new = Some(new);
        s.iter = Some(|_, this| Ok(this.clone()));
        s.iternext = Some(next);
    })
    .methods(METHODS);

fn own(value: &Value) -> &Zip {
    value.downcast::<Zip>().expect("called on a zip")
}

/// The positional arguments, and whether `strict` is given and true.
pub(super) fn split_strict<'a>(
    vm: &Vm,
    name: &str,
    args: &'a [Value],
    kwnames: Option<&Value>,
) -> Result<(&'a [Value], bool)> {
    let keywords: &[Value] = kwnames.and_then(|names| names.downcast::<Tuple>()).map_or(&[], Tuple::as_slice);
    let (positional, values) = args.split_at(args.len() - keywords.len());
    let mut strict = false;
    if keywords.len() > 1 {
        let given = keywords.len();
        return Err(vm.type_error(format!("{name}() takes at most 1 keyword argument ({given} given)")));
    }
    for (keyword, value) in keywords.iter().zip(values) {
        if !keyword.downcast::<Str>().is_some_and(|keyword| keyword.is_str("strict")) {
            return Err(unexpected_keyword(vm, name, keyword, vec!["strict".to_string()]));
        }
        strict = vm.is_true(value)?;
    }
    Ok((positional, strict))
}

fn new(vm: &Vm, class: &Value, args: &[Value], kwnames: Option<&Value>) -> Result {
    let ty = class.downcast::<Type>().expect("a class");
    let (iterables, strict) =
        if ty.is(&ZIP) || ty.slots().init.map(|f| f as usize) == ZIP.ty().slots().init.map(|f| f as usize) {
            split_strict(vm, "zip", args, kwnames)?
        } else {
            (&args[..args.len() - kwnames.map_or(0, |names| vm.tuple_len(names))], false)
        };
    let iterators = iterables.iter().map(|iterable| vm.iter(iterable)).collect::<Result<Vec<Value>>>()?;
    let (iterators, strict) = (Tuple::from_vec(iterators), ObjectCell::new(strict));
    let payload = Zip { header: Header::new(ty), iterators, strict, pair: ReusedPair::new() };
    Ok(Ref::new_with_type(ty, payload).into_value())
}

fn next(vm: &Vm, this: &Value) -> Result<Option<Value>> {
    let zip = own(this);
    if let Some(next) = next_of_both(vm, this) {
        return Ok(next?.map(|(a, b)| zip.pair.make(a, b)));
    }
    let iterators = zip.iterators.as_slice();
    if let [first, second, third] = iterators {
        let Some(a) = vm.next_of_any(first)? else { return zip.end(vm, 0).map(|()| None) };
        let Some(b) = vm.next_of_any(second)? else {
            drop(a);
            return zip.end(vm, 1).map(|()| None);
        };
        let Some(c) = vm.next_of_any(third)? else {
            // The last one goes first, as when an error is raised.
            drop(b);
            drop(a);
            return zip.end(vm, 2).map(|()| None);
        };
        return Ok(Some(zip.pair.make_of([a, b, c].into_iter())));
    }
    if iterators.is_empty() {
        return Ok(None);
    }
    let mut items: SmallVec<[Value; 8]> = SmallVec::with_capacity(iterators.len());
    for (at, iterator) in iterators.iter().enumerate() {
        match vm.next_of_any(iterator)? {
            Some(item) => items.push(item),
            None => {
                drop(items);
                zip.end(vm, at)?;
                return Ok(None);
            }
        }
    }
    Ok(Some(zip.pair.make_of(items.into_iter())))
}

/// The next pair of a `zip` over two iterators, if it is one, taken apart.
pub(super) fn next_apart(vm: &Vm, this: &Value) -> Option<Result<Option<(Value, Value)>>> {
    let next = next_of_both(vm, this)?;
    Some(next.map(|pair| pair.map(|(a, b)| own(this).pair.keep(a, b))))
}

fn next_of_both(vm: &Vm, this: &Value) -> Option<Result<Option<(Value, Value)>>> {
    let zip = own(this);
    let [first, second] = zip.iterators.as_slice() else { return None };
    let next = || {
        let Some(a) = vm.next_of_any(first)? else { return zip.end(vm, 0).map(|()| None) };
        let Some(b) = vm.next_of_any(second)? else { return zip.end(vm, 1).map(|()| None) };
        Ok(Some((a, b)))
    };
    Some(next())
}

impl Zip {
    /// The iterator at `ended` is exhausted: an error if the others should be, and are not.
    fn end(&self, vm: &Vm, ended: usize) -> Result<()> {
        if *self.strict.borrow(&self.header) {
            check_strict(vm, "zip", self.iterators.as_slice(), ended)?;
        }
        Ok(())
    }
}

/// The end, if all iterators come to it together; the one at `ended` is the first that did.
#[cold]
pub(super) fn check_strict(vm: &Vm, name: &str, iterators: &[Value], ended: usize) -> Result<Option<Value>> {
    if ended > 0 {
        return Err(length_error(vm, name, ended, "shorter"));
    }
    for (at, iterator) in iterators.iter().enumerate().skip(1) {
        if vm.next(iterator)?.is_some() {
            return Err(length_error(vm, name, at, "longer"));
        }
    }
    Ok(None)
}

fn length_error(vm: &Vm, name: &str, at: usize, how: &str) -> Raised {
    let plural = if at == 1 { " " } else { "s 1-" };
    vm.value_error(format!("{name}() argument {} is {how} than argument{plural}{at}", at + 1))
}

crate::method_table! { static METHODS = [
    MethodDef::new("__reduce__($self, /)", "Give what pickle needs to rebuild the object.", |_, this, _| {
        let zip = own(this);
        let (class, iterators) = (this.ty().to_value(), zip.iterators.clone().into_value());
        Ok(if *zip.strict.borrow(&zip.header) {
            Tuple::from_array([class, iterators, Value::TRUE]).into_value()
        } else {
            Tuple::from_array([class, iterators]).into_value()
        })
    }),
    MethodDef::new("__setstate__($self, object, /)", "Take over the state that a pickle contains.", |vm, this, args| {
        let strict = vm.is_true(&args[0])?;
        *own(this).strict.borrow(&own(this).header) = strict;
        Ok(Value::NONE)
    }),
]; }
