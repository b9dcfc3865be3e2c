//! `itertools.count`

use super::iterator_slots;
use crate::payload::{class_of, payload, signature};
use taipan_object::builtins::{complex, int};
use taipan_object::types::{TypeSpec, type_flags};
use taipan_object::{Result, Value, Vm};

payload! {
    /// `count` comes next.
    pub struct Count(CountState): COUNT [step: Value] { count: Value }
}

pub static COUNT: TypeSpec = TypeSpec::new::<Count>("itertools.count")
    .doc(
        "count(start=0, step=1)\n\
         --\n\n\
         Yield start, start + step, start + 2*step, and so on without end.\n\n\
         The numbers may be of any type that can be added, floats for example.",
    )
    .flags(type_flags::BASETYPE)
    .slots(|s| {
        s.new = Some(new);
        s.repr = Some(repr);
        iterator_slots(s, next);
    });

signature!(NEW = "count(start=0, step=1)");

fn new(vm: &Vm, class: &Value, args: &[Value], kwnames: Option<&Value>) -> Result {
    let bound = NEW.bind(vm, args, kwnames)?;
    if !is_number(&bound[0]) || !is_number(&bound[1]) {
        return Err(vm.type_error("a number is required"));
    }
    let (mut count, mut step) = (bound[0].clone(), bound[1].clone());
    // Counting in ones from an int that fits a word needs no help from a subclass of int.
    if int::is_int(&step) && int::to_i64(&step) == Some(1) && int::is_int(&count) && int::to_i64(&count).is_some() {
        count = int::to_exact(&count);
        step = Value::small_int(1);
    }
    Ok(Count::make(class_of(class), step, CountState { count }))
}

/// `PyNumber_Check`
fn is_number(value: &Value) -> bool {
    let slots = value.ty().slots();
    slots.index.is_some()
        || slots.int.is_some()
        || slots.float.is_some()
        || value.downcast::<complex::Complex>().is_some()
}

fn next(vm: &Vm, this: &Value) -> Result<Option<Value>> {
    let count = Count::of(this);
    let quick = count.with(|state| {
        let following = state.count.as_small_int()?.checked_add(count.step.as_small_int()?)?;
        (Value::SMALL_INT_MIN..=Value::SMALL_INT_MAX)
            .contains(&following)
            .then(|| std::mem::replace(&mut state.count, Value::small_int(following)))
    });
    if quick.is_some() {
        return Ok(quick);
    }
    let item = count.with(|state| state.count.clone());
    let following = vm.add(&item, &count.step)?;
    let old = count.with(|state| std::mem::replace(&mut state.count, following));
    drop(old);
    Ok(Some(item))
}

fn repr(vm: &Vm, this: &Value) -> Result {
    let count = Count::of(this);
    let name = this.ty().short_name();
    let item = count.with(|state| state.count.clone());
    let item = vm.repr_string(&item)?;
    if int::is_int(&count.step) && int::to_i64(&count.step) == Some(1) {
        return Ok(Value::from(format!("{name}({item})")));
    }
    Ok(Value::from(format!("{name}({item}, {})", vm.repr_string(&count.step)?)))
}
