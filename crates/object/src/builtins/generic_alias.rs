//! `types.GenericAlias`: `list[int]`.

use crate::object::Result;
use crate::value::Value;
use crate::vm::Vm;

/// `origin[args]`.
pub fn new(_vm: &Vm, _origin: &Value, _args: &Value) -> Value {
    Value::NOT_IMPLEMENTED
}

pub type AliasResult = Result;
