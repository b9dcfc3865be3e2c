//! `range_iterator` and, for ranges beyond 64 bits, `longrange_iterator`.

use super::{Range, SmallRange};
use crate::builtins::int;
use crate::builtins::iterator::builtin_iter;
use crate::builtins::tuple::Tuple;
use crate::cell::ObjectCell;
use crate::header::Header;
use crate::heap::Kind;
use crate::native::MethodDef;
use crate::object::{Payload, Ref, Result};
use crate::types::{Type, TypeSpec, type_flags};
use crate::value::Value;
use crate::vm::Vm;
use dashu_int::IBig;

/// An iterator over a range in 64 bits: what is left is a range again.
#[repr(C)]
pub struct RangeIterator {
    pub header: Header,
    left: ObjectCell<SmallRange>,
}

// SAFETY: repr(C), header first, no references.
unsafe impl Payload for RangeIterator {
    const KIND: Kind = Kind::Leaf;
    fn static_type() -> &'static Type {
        RANGE_ITERATOR.ty()
    }
}

pub static RANGE_ITERATOR: TypeSpec = TypeSpec::new::<RangeIterator>("range_iterator")
    .flags(type_flags::DISALLOW_INSTANTIATION)
    .slots(|s| {
        s.iter = Some(|_, this| Ok(this.clone()));
        s.iternext = Some(|_, this| Ok(own(this).next()));
    })
    .methods(METHODS);

fn own(value: &Value) -> &RangeIterator {
    value.downcast::<RangeIterator>().expect("called on a range_iterator")
}

impl RangeIterator {
    pub fn new(range: SmallRange) -> Value {
        Ref::new(RangeIterator { header: Header::new(RANGE_ITERATOR.ty()), left: ObjectCell::new(range) }).into_value()
    }

    #[inline(always)]
    pub fn next(&self) -> Option<Value> {
        // SAFETY: borrowed once, for a few numbers.
        match unsafe { self.left.own(&self.header) } {
            Some(left) => take_first(left),
            None => self.next_of_shared(),
        }
    }

    #[inline(never)]
    fn next_of_shared(&self) -> Option<Value> {
        take_first(&mut self.left.borrow(&self.header))
    }
}

#[inline(always)]
fn take_first(left: &mut SmallRange) -> Option<Value> {
    if left.length <= 0 {
        return None;
    }
    let item = left.start;
    left.start = item.wrapping_add(left.step);
    left.length -= 1;
    Some(int::from_i64(item))
}

/// An iterator over a range.
pub fn new(range: &Range) -> Value {
    match range.small().filter(|small| fits_iterator(small.start, small.step, small.length)) {
        Some(small) => RangeIterator::new(small),
        None => {
            let left = Left { start: big(&range.start), step: big(&range.step), length: big(&range.length) };
            new_long(left)
        }
    }
}

/// Whether the number that follows the last one is a machine word too.
fn fits_iterator(start: i64, step: i64, length: i64) -> bool {
    step.checked_mul(length).and_then(|distance| start.checked_add(distance)).is_some()
}

/// A backwards iterator over a range.
pub fn new_reversed(range: &Range) -> Value {
    if let Some(SmallRange { start, step, length }) = range.small()
        && step != i64::MIN
        && start.checked_sub(step).is_some()
    {
        let last = start.wrapping_add(step.wrapping_mul(length.wrapping_sub(1)));
        return RangeIterator::new(SmallRange { start: last, step: -step, length });
    }
    let (step, length) = (big(&range.step), big(&range.length));
    let start = big(&range.start) + (&length - IBig::ONE) * &step;
    new_long(Left { start, step: -step, length })
}

fn big(value: &Value) -> IBig {
    int::to_ibig(value).unwrap_or_default()
}

fn new_long(left: Left) -> Value {
    let header = Header::new(LONG_RANGE_ITERATOR.ty());
    Ref::new(LongRangeIterator { header, left: ObjectCell::new(left) }).into_value()
}

/// `(iter, (range,), None)`
fn reduce(vm: &Vm, start: Value, stop: Value, step: Value) -> Result {
    let range = Range::new(start, stop, step).into_value();
    let arguments = Tuple::from_array([range]).into_value();
    Ok(Tuple::from_array([builtin_iter(vm)?, arguments, Value::NONE]).into_value())
}

crate::method_table! { static METHODS = [
    MethodDef::new("__length_hint__($self, /)", "Estimate how many items are left.", |_, this, _| {
        Ok(Value::from(own(this).left.borrow(&own(this).header).length.max(0)))
    }),
    MethodDef::new("__reduce__($self, /)", "Give what pickle needs to rebuild the object.", |vm, this, _| {
        let left = *own(this).left.borrow(&own(this).header);
        let stop = left.start as i128 + left.step as i128 * left.length as i128;
        reduce(vm, Value::from(left.start), int::from_i128(stop), Value::from(left.step))
    }),
    MethodDef::new("__setstate__($self, object, /)", "Take over the state that a pickle contains.", |vm, this, args| {
        let passed = vm.index(&args[0])?;
        let Some(passed) = int::to_i64(&passed) else {
            return Err(vm.overflow_error("Python int too large to convert to C long"));
        };
        let mut left = own(this).left.borrow(&own(this).header);
        let passed = passed.clamp(0, left.length.max(0));
        left.start = left.start.wrapping_add(left.step.wrapping_mul(passed));
        left.length -= passed;
        Ok(Value::NONE)
    }),
]; }

/// An iterator over a range of big ints.
#[repr(C)]
pub struct LongRangeIterator {
    pub header: Header,
    left: ObjectCell<Left>,
}

#[derive(Clone)]
struct Left {
    start: IBig,
    step: IBig,
    length: IBig,
}

// SAFETY: repr(C), header first, no references.
unsafe impl Payload for LongRangeIterator {
    const KIND: Kind = Kind::Leaf;
    fn static_type() -> &'static Type {
        LONG_RANGE_ITERATOR.ty()
    }
}

pub static LONG_RANGE_ITERATOR: TypeSpec = TypeSpec::new::<LongRangeIterator>("longrange_iterator")
    .flags(type_flags::DISALLOW_INSTANTIATION)
    .slots(|s| {
        s.iter = Some(|_, this| Ok(this.clone()));
        s.iternext = Some(|_, this| {
            let mut left = own_long(this).left.borrow(&own_long(this).header);
            if left.length <= IBig::ZERO {
                return Ok(None);
            }
            let next = &left.start + &left.step;
            let item = std::mem::replace(&mut left.start, next);
            left.length -= IBig::ONE;
            drop(left);
            Ok(Some(int::from_ibig(item)))
        });
    })
    .methods(LONG_METHODS);

fn own_long(value: &Value) -> &LongRangeIterator {
    value.downcast::<LongRangeIterator>().expect("called on a longrange_iterator")
}

crate::method_table! { static LONG_METHODS = [
    MethodDef::new("__length_hint__($self, /)", "Estimate how many items are left.", |_, this, _| {
        let length = own_long(this).left.borrow(&own_long(this).header).length.clone();
        Ok(int::from_ibig(length))
    }),
    MethodDef::new("__reduce__($self, /)", "Give what pickle needs to rebuild the object.", |vm, this, _| {
        let Left { start, step, length } = own_long(this).left.borrow(&own_long(this).header).clone();
        let stop = &start + &step * length;
        reduce(vm, int::from_ibig(start), int::from_ibig(stop), int::from_ibig(step))
    }),
    MethodDef::new("__setstate__($self, object, /)", "Take over the state that a pickle contains.", |vm, this, args| {
        let Some(passed) = Some(&args[0]).filter(|state| int::is_exact(state)).and_then(int::to_ibig) else {
            let name = args[0].ty().name();
            return Err(vm.type_error(format!("state must be an int, not {name}")));
        };
        let mut left = own_long(this).left.borrow(&own_long(this).header);
        let passed = passed.max(IBig::ZERO).min(left.length.clone());
        let distance = &left.step * &passed;
        left.start += distance;
        left.length -= passed;
        Ok(Value::NONE)
    }),
]; }
