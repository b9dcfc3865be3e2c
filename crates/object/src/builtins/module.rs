//! Methods and slots of `module`.

use crate::native::GetSetDef;
use crate::native::module::Module;
use crate::object::Result;
use crate::types::lookup;
use crate::types::slots::Slots;
use crate::value::Value;
use crate::vm::{Vm, names};

pub fn slots(s: &mut Slots) {
    s.getattro = Some(getattro);
}

crate::method_table! { pub static METHODS = []; }
pub static GETSET: &[GetSetDef] = &[GetSetDef::new("__dict__", "", |_, this| {
    Ok(this.downcast::<Module>().expect("own getter").dict.as_value().clone())
})];

/// Attributes, then the module's `__getattr__`.
fn getattro(vm: &Vm, this: &Value, name: &Value) -> Result {
    if let Some(value) = lookup::generic_getattr_opt(vm, this, name)? {
        return Ok(value);
    }
    let module = this.downcast::<Module>().expect("own slot");
    if let Some(hook) = module.dict.get_str(&names().__getattr__) {
        return vm.call(&hook, std::slice::from_ref(name), None);
    }
    let text = vm.display_name(name);
    let message = match module.dict.get_str(&names().__name__) {
        Some(module_name) => format!("module '{}' has no attribute '{text}'", vm.display_name(&module_name)),
        None => format!("module has no attribute '{text}'"),
    };
    Err(vm.attribute_error_for(message, this, name))
}
