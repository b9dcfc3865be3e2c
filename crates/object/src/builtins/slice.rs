//! `slice`: three values, and the arithmetic of turning them into indices.

use crate::builtins::int;
use crate::builtins::tuple::{self, Tuple};
use crate::header::Header;
use crate::heap::Kind;
use crate::native::{MemberDef, MethodDef, arguments};
use crate::object::{Payload, Ref, Result, Visitor};
use crate::types::slots::CompareOp;
use crate::types::{Type, TypeSpec};
use crate::value::Value;
use crate::vm::Vm;
use dashu_int::IBig;

/// A slice.
#[repr(C)]
pub struct Slice {
    pub header: Header,
    pub start: Value,
    pub stop: Value,
    pub step: Value,
}

// SAFETY: repr(C), header first, visits the three values.
unsafe impl Payload for Slice {
    const KIND: Kind = Kind::Container;
    fn static_type() -> &'static Type {
        SLICE.ty()
    }
    fn traverse(&self, visit: Visitor) {
        visit(&self.start);
        visit(&self.stop);
        visit(&self.step);
    }
}

pub static SLICE: TypeSpec = TypeSpec::new::<Slice>("slice")
    .doc(
        "slice(stop)\n\
         slice(start, stop[, step])\n\n\
         The object that stands for start:stop:step in square brackets.\n\n\
         Parts that are left out are None.",
    )
    .slots(|s| {
        s.new = Some(new);
        s.repr = Some(|vm, this| {
            let slice = own(this);
            let (start, stop) = (vm.repr_string(&slice.start)?, vm.repr_string(&slice.stop)?);
            Ok(Value::from(format!("slice({start}, {stop}, {})", vm.repr_string(&slice.step)?)))
        });
        s.hash = Some(|vm, this| {
            let slice = own(this);
            let mut hash = tuple::ItemHash::new();
            for item in [&slice.start, &slice.stop, &slice.step] {
                hash.add(vm.hash(item)?);
            }
            Ok(hash.finish_without_length())
        });
        s.richcompare = Some(richcompare);
    })
    .methods(METHODS)
    .members(&[
        MemberDef::new("start", "", |_, this| Ok(own(this).start.clone())),
        MemberDef::new("stop", "", |_, this| Ok(own(this).stop.clone())),
        MemberDef::new("step", "", |_, this| Ok(own(this).step.clone())),
    ]);

fn own(value: &Value) -> &Slice {
    value.downcast::<Slice>().expect("called on a slice")
}

fn new(vm: &Vm, _class: &Value, args: &[Value], kwnames: Option<&Value>) -> Result {
    arguments::no_keywords(vm, "slice", kwnames)?;
    arguments::check_positional(vm, "slice", args.len(), 1, 3)?;
    let none = Value::NONE;
    let slice = match args {
        [stop] => Slice::new(none.clone(), stop.clone(), none),
        [start, stop] => Slice::new(start.clone(), stop.clone(), none),
        _ => Slice::new(args[0].clone(), args[1].clone(), args[2].clone()),
    };
    Ok(slice.into_value())
}

fn richcompare(vm: &Vm, this: &Value, other: &Value, op: CompareOp) -> Result {
    let (Some(a), Some(b)) = (this.downcast::<Slice>(), other.downcast::<Slice>()) else {
        return Ok(Value::NOT_IMPLEMENTED);
    };
    if this.is(other) {
        return Ok(Value::bool(matches!(op, CompareOp::Eq | CompareOp::Le | CompareOp::Ge)));
    }
    vm.rich_compare(a.as_tuple().as_value(), b.as_tuple().as_value(), op)
}

crate::method_table! { static METHODS = [
    MethodDef::new("indices($self, object, /)", "S.indices(len) -> (start, stop, stride)\n\n\
        Give the slice's indices in a sequence of the given length, such that\n\
        range(start, stop, stride) goes over the selected items.  Negative\n\
        indices are resolved, and those out of bounds are clipped.", |vm, this, args| {
        let length = vm.index(&args[0])?;
        let (start, stop, step) = own(this).indices(vm, &length)?;
        Ok(Tuple::from_array([start, stop, step]).into_value())
    }),
    MethodDef::new("__reduce__($self, /)", "Give what pickle needs to rebuild the object.", |_, this, _| {
        Ok(Tuple::from_array([SLICE.value(), own(this).as_tuple().into_value()]).into_value())
    }),
]; }

/// An index of a slice: an int clipped to 64 bits.
#[inline]
fn slice_index(vm: &Vm, value: &Value) -> Result<i64> {
    if let Some(n) = value.as_small_int() {
        return Ok(n);
    }
    if !int::is_int(value) && value.ty().slots().index.is_none() {
        return Err(vm.type_error("slice indices must be integers or None or have an __index__ method"));
    }
    vm.index_clipped(value)
}

/// The `start` and `stop` arguments of `index` methods; `stop` may be absent.
pub fn search_bounds(vm: &Vm, start: &Value, stop: &Value) -> Result<(i64, i64)> {
    let number = |value: &Value| {
        if !int::is_int(value) && value.ty().slots().index.is_none() {
            return Err(vm.type_error("slice indices must be integers or have an __index__ method"));
        }
        vm.index_clipped(value)
    };
    let start = start.bound().map_or(Ok(0), number)?;
    Ok((start, stop.bound().map_or(Ok(i64::MAX), number)?))
}

/// A slice fitted to a length: `start`, `start + step`, …, `count` of them. `stop` bounds them.
#[derive(Clone, Copy, Debug)]
pub struct SliceIndices {
    pub start: i64,
    pub stop: i64,
    pub step: i64,
    pub count: usize,
}

impl SliceIndices {
    /// The same positions in ascending order.
    pub fn ascending(self) -> SliceIndices {
        if self.step > 0 || self.count == 0 {
            return SliceIndices { step: self.step.abs(), ..self };
        }
        let last = self.start + self.step * (self.count as i64 - 1);
        SliceIndices { start: last, stop: self.start + 1, step: -self.step, count: self.count }
    }

    /// The positions.
    pub fn positions(self) -> impl ExactSizeIterator<Item = usize> + DoubleEndedIterator {
        (0..self.count).map(move |i| (self.start + self.step * i as i64) as usize)
    }
}

/// Fits a slice's numbers to a length (`PySlice_AdjustIndices`).
#[inline]
pub fn adjust_indices(length: usize, start: i64, stop: i64, step: i64) -> SliceIndices {
    let length = length as i64;
    let fit = |index: i64| {
        if index < 0 {
            let from_end = index.saturating_add(length);
            if from_end >= 0 {
                from_end
            } else if step < 0 {
                -1
            } else {
                0
            }
        } else if index >= length {
            if step < 0 { length - 1 } else { length }
        } else {
            index
        }
    };
    let (start, stop) = (fit(start), fit(stop));
    let count = if step < 0 {
        if stop < start { (start - stop - 1) / -step + 1 } else { 0 }
    } else if start < stop {
        (stop - start - 1) / step + 1
    } else {
        0
    };
    SliceIndices { start, stop, step, count: count as usize }
}

/// `sequence[start:stop]` without a slice object (`BINARY_SLICE`): the indices for a length.
#[inline]
pub fn simple_indices(vm: &Vm, start: &Value, stop: &Value) -> Result<(i64, i64)> {
    let start = if start.is_none() { 0 } else { slice_index(vm, start)? };
    let stop = if stop.is_none() { i64::MAX } else { slice_index(vm, stop)? };
    Ok((start, stop))
}

impl Slice {
    pub fn new(start: Value, stop: Value, step: Value) -> Ref<Slice> {
        Ref::new(Slice { header: Header::new(SLICE.ty()), start, stop, step })
    }

    fn as_tuple(&self) -> Ref<Tuple> {
        Tuple::from_array([self.start.clone(), self.stop.clone(), self.step.clone()])
    }

    /// Start, stop and step as numbers (`PySlice_Unpack`); runs `__index__`.
    pub fn unpack(&self, vm: &Vm) -> Result<(i64, i64, i64)> {
        let step = if self.step.is_none() { 1 } else { slice_index(vm, &self.step)? };
        if step == 0 {
            return Err(vm.value_error("slice step cannot be zero"));
        }
        // So that the step can be negated.
        let step = step.max(-i64::MAX);
        let start = match self.start.is_none() {
            true if step < 0 => i64::MAX,
            true => 0,
            false => slice_index(vm, &self.start)?,
        };
        let stop = match self.stop.is_none() {
            true if step < 0 => i64::MIN,
            true => i64::MAX,
            false => slice_index(vm, &self.stop)?,
        };
        Ok((start, stop, step))
    }

    /// The indices for a sequence whose length is asked for after `__index__` methods have run.
    #[inline]
    pub fn fit(&self, vm: &Vm, length: impl FnOnce() -> usize) -> Result<SliceIndices> {
        let (start, stop, step) = self.unpack(vm)?;
        Ok(adjust_indices(length(), start, stop, step))
    }

    /// `slice.indices(length)` for an int of any size.
    pub fn indices(&self, vm: &Vm, length: &Value) -> Result<(Value, Value, Value)> {
        if int::is_negative(length) {
            return Err(vm.value_error("length should not be negative"));
        }
        let number = |value: &Value| -> Result<Option<IBig>> {
            if value.is_none() {
                return Ok(None);
            }
            if !int::is_int(value) && value.ty().slots().index.is_none() {
                return Err(vm.type_error("slice indices must be integers or None or have an __index__ method"));
            }
            Ok(int::to_ibig(&vm.index(value)?))
        };
        let zero = IBig::ZERO;
        let length = int::to_ibig(length).unwrap_or_default();
        let step = number(&self.step)?.unwrap_or(IBig::ONE);
        if step == zero {
            return Err(vm.value_error("slice step cannot be zero"));
        }
        let backwards = step < zero;
        let (lower, upper) =
            if backwards { (IBig::NEG_ONE, &length - IBig::ONE) } else { (IBig::ZERO, length.clone()) };
        let fit = |index: IBig| {
            if index < zero { (index + &length).max(lower.clone()) } else { index.min(upper.clone()) }
        };
        let start = match number(&self.start)? {
            Some(start) => fit(start),
            None => {
                if backwards {
                    upper.clone()
                } else {
                    lower.clone()
                }
            }
        };
        let stop = match number(&self.stop)? {
            Some(stop) => fit(stop),
            None => {
                if backwards {
                    lower.clone()
                } else {
                    upper.clone()
                }
            }
        };
        Ok((int::from_ibig(start), int::from_ibig(stop), int::from_ibig(step)))
    }
}
