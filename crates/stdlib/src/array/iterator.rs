//! `array.arrayiterator`

use super::Array;
use crate::payload::payload;
use taipan_object::builtins::int;
use taipan_object::builtins::tuple::Tuple;
use taipan_object::native::MethodDef;
use taipan_object::types::{TypeSpec, type_flags};
use taipan_object::{Ref, Result, Value, Vm, method_table};

payload! {
    /// Without an array when exhausted.
    pub struct ArrayIterator(ArrayIteratorState): ARRAY_ITERATOR { array: Option<Ref<Array>>, at: usize }
}

pub static ARRAY_ITERATOR: TypeSpec = TypeSpec::new::<ArrayIterator>("array.arrayiterator")
    .flags(type_flags::DISALLOW_INSTANTIATION)
    .slots(|s| {
        s.iter = Some(|_, this| Ok(this.clone()));
        s.iternext = Some(next);
    })
    .methods(METHODS);

method_table! { static METHODS = [
    MethodDef::new("__reduce__($self, /)", "Give what pickle needs to rebuild the object.", |vm, this, _| {
        let iter = vm.import_from("builtins", "iter")?;
        let (array, at) = ArrayIterator::of(this).with(|state| (state.array.clone(), state.at));
        Ok(match array {
            Some(array) => {
                let arguments = Tuple::from_array([array.into_value()]).into_value();
                Tuple::from_array([iter, arguments, Value::from(at)]).into_value()
            }
            None => {
                let nothing = Tuple::from_vec(Vec::new()).into_value();
                Tuple::from_array([iter, Tuple::from_array([nothing]).into_value()]).into_value()
            }
        })
    }),
    MethodDef::new("__setstate__($self, state, /)", "Take over the state that a pickle contains.", |vm, this, args| {
        if !int::is_int(&args[0]) {
            return Err(vm.type_error("an integer is required"));
        }
        let index = crate::arguments::ssize(vm, &args[0])?;
        let iterator = ArrayIterator::of(this);
        if let Some(array) = iterator.with(|state| state.array.clone()) {
            let at = index.clamp(0, array.len() as isize) as usize;
            iterator.with(|state| state.at = at);
        }
        Ok(Value::NONE)
    }),
]; }

pub fn new(array: &Value) -> Value {
    ArrayIterator::make(ARRAY_ITERATOR.ty(), ArrayIteratorState { array: array.downcast_ref::<Array>(), at: 0 })
}

fn next(vm: &Vm, this: &Value) -> Result<Option<Value>> {
    let iterator = ArrayIterator::of(this);
    let (array, at) = iterator.with(|state| (state.array.clone(), state.at));
    let Some(array) = array else { return Ok(None) };
    let item = array.get(vm, at)?;
    let ended = iterator.with(|state| match item {
        Some(_) => {
            state.at = at + 1;
            None
        }
        None => state.array.take(),
    });
    drop(ended);
    Ok(item)
}
