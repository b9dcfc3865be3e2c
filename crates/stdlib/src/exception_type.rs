//! Exception classes of native modules.

use taipan_object::builtins::dict::Dict;
use taipan_object::builtins::str::intern;
use taipan_object::builtins::tuple::Tuple;
use taipan_object::{Result, Value, Vm};

/// A new exception class `module.name`.
pub fn new(vm: &Vm, module: &str, name: &str, bases: Vec<Value>, doc: Option<&str>) -> Result {
    let namespace = Dict::new();
    namespace.set_str(intern("__module__").as_value(), Value::from(module));
    if let Some(doc) = doc {
        namespace.set_str(intern("__doc__").as_value(), Value::from(doc));
    }
    let args = [Value::from(name), Tuple::from_vec(bases).into_value(), namespace.into_value()];
    vm.call_args(&taipan_object::types::TYPE.value(), &args)
}
