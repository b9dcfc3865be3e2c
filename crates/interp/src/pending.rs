//! Constructors of built-in types that `taipan-object` does not have yet, and shapes of those it has for the eval loop.

use taipan_object::builtins::bytes::Bytes;
use taipan_object::{Result, Value, Vm};

fn missing(vm: &Vm, what: &str) -> Result {
    Err(vm.not_implemented_error(format!("{what} objects")))
}

pub fn slice(vm: &Vm, _parts: [Value; 3]) -> Result {
    missing(vm, "slice")
}

pub fn set(vm: &Vm, _items: Vec<Value>) -> Result {
    missing(vm, "set")
}

pub fn set_add(vm: &Vm, _set: &Value, _item: Value) -> Result<()> {
    missing(vm, "set").map(drop)
}

pub fn set_update(vm: &Vm, _set: &Value, _items: &Value) -> Result<()> {
    missing(vm, "set").map(drop)
}

pub fn frozen_set(_items: Vec<Value>) -> Value {
    Value::NONE
}

pub fn slice_constant(_parts: [Value; 3]) -> Value {
    Value::NONE
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
