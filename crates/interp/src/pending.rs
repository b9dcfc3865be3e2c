//! Constructors of built-in types in the shapes that the eval loop uses.

use taipan_object::builtins::bytes::Bytes;
use taipan_object::builtins::set::{self, AnySet};
use taipan_object::builtins::slice::Slice;
use taipan_object::{Result, Value, Vm};

pub fn slice(_vm: &Vm, [start, stop, step]: [Value; 3]) -> Result {
    Ok(Slice::new(start, stop, step).into_value())
}

pub fn set(vm: &Vm, items: Vec<Value>) -> Result {
    set::from_keys(vm, &items)
}

pub fn set_add(vm: &Vm, set: &Value, item: Value) -> Result<()> {
    match AnySet::of(set) {
        Some(set) => set::add(vm, set, &item),
        None => Err(vm.system_error("SET_ADD to an object that is no set")),
    }
}

pub fn set_update(vm: &Vm, set: &Value, items: &Value) -> Result<()> {
    match AnySet::of(set) {
        Some(set) => set::update(vm, set, items),
        None => Err(vm.system_error("SET_UPDATE of an object that is no set")),
    }
}

/// The frozenset of constants, which hash and compare without Python code.
pub fn frozen_set(items: Vec<Value>) -> Value {
    Vm::with_current(|vm| {
        set::frozen_from_keys(vm, &items).unwrap_or_else(|raised| {
            vm.discard(raised);
            Value::NONE
        })
    })
}

pub fn slice_constant([start, stop, step]: [Value; 3]) -> Value {
    Slice::new(start, stop, step).into_value()
}

pub fn complex(real: f64, imag: f64) -> Value {
    taipan_object::builtins::complex::from_parts((real, imag))
}

pub fn as_bytes(value: &Value) -> Option<Box<[u8]>> {
    value.downcast::<Bytes>().map(|bytes| bytes.as_slice().into())
}

pub fn bytes(data: &[u8]) -> Value {
    taipan_object::builtins::bytes::new(data)
}
