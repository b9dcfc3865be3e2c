//! `range`: three ints of any size. When all fit 64 bits, items are computed without big integers. Iterators are in
//! `range/iterator.rs`.

use crate::builtins::int;
use crate::builtins::slice::Slice;
use crate::builtins::tuple::{ItemHash, Tuple};
use crate::header::Header;
use crate::heap::Kind;
use crate::native::{MemberDef, MethodDef, arguments};
use crate::object::{Payload, Ref, Result};
use crate::types::slots::CompareOp;
use crate::types::{Type, TypeSpec, type_flags};
use crate::value::Value;
use crate::vm::Vm;
use dashu_int::IBig;

pub mod iterator;

/// A range. Its values are exact ints.
#[repr(C)]
pub struct Range {
    pub header: Header,
    pub start: Value,
    pub stop: Value,
    pub step: Value,
    length: Value,
    /// The range in 64 bits, if that is enough.
    small: Option<SmallRange>,
}

/// Start, step and number of items.
#[derive(Clone, Copy)]
pub struct SmallRange {
    pub start: i64,
    pub step: i64,
    pub length: i64,
}

// SAFETY: repr(C), header first; ints refer to nothing.
unsafe impl Payload for Range {
    const KIND: Kind = Kind::Leaf;
    fn static_type() -> &'static Type {
        RANGE.ty()
    }
}

pub static RANGE: TypeSpec = TypeSpec::new::<Range>("range")
    .doc(
        "range(stop) -> range object\n\
         range(start, stop[, step]) -> range object\n\n\
         The integers from start on, which are step apart, up to but without\n\
         stop.  start is 0 and step is 1 by default, so that range(n) has the\n\
         indices of a sequence of n items.  With a negative step the integers\n\
         descend; a step of zero raises ValueError.",
    )
    .flags(type_flags::SEQUENCE)
    .slots(|s| {
        s.new = Some(new);
        s.repr = Some(repr);
        s.hash = Some(hash);
        s.richcompare = Some(richcompare);
        s.iter = Some(|_, this| Ok(iterator::new(own(this))));
        s.bool = Some(|_, this| Ok(own(this).length.word() != Value::small_int(0).word()));
        s.length = Some(|vm, this| match int::to_i64(&own(this).length) {
            Some(length) => Ok(length as usize),
            None => Err(vm.overflow_error("Python int too large to convert to C ssize_t")),
        });
        s.subscript = Some(subscript);
        s.item = Some(|vm, this, index| own(this).item(vm, &int::from_i64(index)));
        s.contains = Some(|vm, this, item| match int::is_exact(item) || item.is_bool() {
            true => Ok(own(this).position(item).is_some()),
            false => vm.iter_contains(this, item),
        });
    })
    .methods(METHODS)
    .members(&[
        MemberDef::new("start", "", |_, this| Ok(own(this).start.clone())),
        MemberDef::new("stop", "", |_, this| Ok(own(this).stop.clone())),
        MemberDef::new("step", "", |_, this| Ok(own(this).step.clone())),
    ]);

fn own(value: &Value) -> &Range {
    value.downcast::<Range>().expect("called on a range")
}

fn new(vm: &Vm, _class: &Value, args: &[Value], kwnames: Option<&Value>) -> Result {
    arguments::no_keywords(vm, "range", kwnames)?;
    arguments::check_positional(vm, "range", args.len(), 1, 3)?;
    let range = match args {
        [stop] => Range::new(Value::small_int(0), vm.index(stop)?, Value::small_int(1)),
        [start, stop] => Range::new(vm.index(start)?, vm.index(stop)?, Value::small_int(1)),
        _ => {
            let (start, stop, step) = (vm.index(&args[0])?, vm.index(&args[1])?, vm.index(&args[2])?);
            if step.as_small_int() == Some(0) {
                return Err(vm.value_error("range() arg 3 must not be zero"));
            }
            Range::new(start, stop, step)
        }
    };
    Ok(range.into_value())
}

fn repr(vm: &Vm, this: &Value) -> Result {
    let range = own(this);
    let (start, stop) = (vm.repr_string(&range.start)?, vm.repr_string(&range.stop)?);
    Ok(Value::from(match range.step.as_small_int() {
        Some(1) => format!("range({start}, {stop})"),
        _ => format!("range({start}, {stop}, {})", vm.repr_string(&range.step)?),
    }))
}

/// What ranges that are equal sequences have in common: length, start if there is one, step if it matters.
fn canonical(range: &Range) -> [Value; 3] {
    match range.length.as_small_int() {
        Some(0) => [range.length.clone(), Value::NONE, Value::NONE],
        Some(1) => [range.length.clone(), range.start.clone(), Value::NONE],
        _ => [range.length.clone(), range.start.clone(), range.step.clone()],
    }
}

fn hash(vm: &Vm, this: &Value) -> Result<i64> {
    let mut hash = ItemHash::new();
    for item in canonical(own(this)) {
        hash.add(vm.hash(&item)?);
    }
    Ok(hash.finish(3))
}

fn richcompare(vm: &Vm, this: &Value, other: &Value, op: CompareOp) -> Result {
    let (Some(a), Some(b)) = (this.downcast::<Range>(), other.downcast::<Range>()) else {
        return Ok(Value::NOT_IMPLEMENTED);
    };
    let wanted = match op {
        CompareOp::Eq => true,
        CompareOp::Ne => false,
        _ => return Ok(Value::NOT_IMPLEMENTED),
    };
    for (x, y) in canonical(a).iter().zip(&canonical(b)) {
        if !vm.equal_or_identical(x, y)? {
            return Ok(Value::bool(!wanted));
        }
    }
    Ok(Value::bool(wanted))
}

fn subscript(vm: &Vm, this: &Value, key: &Value) -> Result {
    let range = own(this);
    if let Some(slice) = key.downcast_exact::<Slice>() {
        let (start, stop, step) = slice.indices(vm, &range.length)?;
        let big = |value: &Value| int::to_ibig(value).unwrap_or_default();
        let (first, stride) = (big(&range.start), big(&range.step));
        let at = |index: &Value| int::from_ibig(&first + big(index) * &stride);
        return Ok(Range::new(at(&start), at(&stop), int::from_ibig(big(&step) * &stride)).into_value());
    }
    if !int::is_int(key) && key.ty().slots().index.is_none() {
        let name = key.ty().name();
        return Err(vm.type_error(format!("range indices must be integers or slices, not {name}")));
    }
    range.item(vm, &vm.index(key)?)
}

impl Range {
    /// A range of exact ints; `step` is not 0.
    pub fn new(start: Value, stop: Value, step: Value) -> Ref<Range> {
        let small = match (int::to_i64(&start), int::to_i64(&stop), int::to_i64(&step)) {
            (Some(start), Some(stop), Some(step)) => SmallRange::new(start, stop, step),
            _ => None,
        };
        let length = match small {
            Some(small) => int::from_i64(small.length),
            None => int::from_ibig(big_length(&start, &stop, &step)),
        };
        Ref::new(Range { header: Header::new(RANGE.ty()), start, stop, step, length, small })
    }

    /// The range in 64 bits, if that is enough.
    #[inline]
    pub fn small(&self) -> Option<SmallRange> {
        self.small
    }

    /// The item at an index that may be negative.
    fn item(&self, vm: &Vm, index: &Value) -> Result {
        if let (Some(small), Some(index)) = (self.small, index.as_small_int()) {
            let index = if index < 0 { index + small.length } else { index };
            if index < 0 || index >= small.length {
                return Err(vm.index_error("range object index out of range"));
            }
            return Ok(int::from_i64(small.start.wrapping_add(index.wrapping_mul(small.step))));
        }
        let big = |value: &Value| int::to_ibig(value).unwrap_or_default();
        let (mut index, length) = (big(index), big(&self.length));
        if index < IBig::ZERO {
            index += &length;
        }
        if index < IBig::ZERO || index >= length {
            return Err(vm.index_error("range object index out of range"));
        }
        Ok(int::from_ibig(big(&self.start) + index * big(&self.step)))
    }

    /// The index of an exact int or bool.
    fn position(&self, item: &Value) -> Option<Value> {
        if let (Some(small), Some(item)) = (self.small, int::to_i64(item)) {
            let distance = item as i128 - small.start as i128;
            let (index, rest) = (distance / small.step as i128, distance % small.step as i128);
            let inside = rest == 0 && index >= 0 && index < small.length as i128;
            return inside.then(|| int::from_i64(index as i64));
        }
        let big = |value: &Value| int::to_ibig(value).unwrap_or_default();
        let distance = big(item) - big(&self.start);
        let step = big(&self.step);
        let (index, rest) = (&distance / &step, &distance % &step);
        let inside = rest == IBig::ZERO && index >= IBig::ZERO && index < big(&self.length);
        inside.then(|| int::from_ibig(index))
    }
}

impl SmallRange {
    /// `None` if there are too many items to count in 64 bits.
    #[inline]
    pub fn new(start: i64, stop: i64, step: i64) -> Option<SmallRange> {
        let distance = if step > 0 {
            if start >= stop {
                return Some(SmallRange { start, step, length: 0 });
            }
            stop.wrapping_sub(start) as u64
        } else {
            if start <= stop {
                return Some(SmallRange { start, step, length: 0 });
            }
            start.wrapping_sub(stop) as u64
        };
        let length = i64::try_from((distance - 1) / step.unsigned_abs() + 1).ok()?;
        Some(SmallRange { start, step, length })
    }
}

fn big_length(start: &Value, stop: &Value, step: &Value) -> IBig {
    let big = |value: &Value| int::to_ibig(value).unwrap_or_default();
    let (start, stop, step) = (big(start), big(stop), big(step));
    let (distance, step) = if step > IBig::ZERO { (stop - start, step) } else { (start - stop, -step) };
    if distance <= IBig::ZERO { IBig::ZERO } else { (distance - IBig::ONE) / step + IBig::ONE }
}

crate::method_table! { static METHODS = [
    MethodDef::new("__reversed__($self, /)", "\
        Return an iterator in the opposite direction.", |_, this, _| Ok(iterator::new_reversed(own(this)))),
    MethodDef::new("__reduce__($self, /)", "", |_, this, _| {
        let range = own(this);
        let arguments = Tuple::from_array([range.start.clone(), range.stop.clone(), range.step.clone()]).into_value();
        Ok(Tuple::from_array([RANGE.value(), arguments]).into_value())
    }),
    MethodDef::new("count($self, object, /)", "\
        rangeobject.count(value) -> integer -- how often value occurs", |vm, this, args| {
        let item = &args[0];
        if int::is_exact(item) || item.is_bool() {
            return Ok(Value::from(own(this).position(item).is_some() as i64));
        }
        let mut count = 0i64;
        vm.for_each(this, |other| {
            count += vm.equal_or_identical(&other, item)? as i64;
            Ok(())
        })?;
        Ok(Value::from(count))
    }),
    MethodDef::new("index($self, object, /)", "rangeobject.index(value) -> integer -- the position of value.\n\
        ValueError is raised if it does not occur.", |vm, this, args| {
        let item = &args[0];
        if int::is_exact(item) || item.is_bool() {
            let not_found = || vm.value_error("range.index(x): x not in range");
            return own(this).position(item).ok_or_else(not_found);
        }
        let iterator = vm.iter(this)?;
        let mut index = 0i64;
        while let Some(other) = vm.next(&iterator)? {
            if vm.equal_or_identical(&other, item)? {
                return Ok(Value::from(index));
            }
            index += 1;
        }
        Err(vm.value_error("sequence.index(x): x not in sequence"))
    }),
]; }
