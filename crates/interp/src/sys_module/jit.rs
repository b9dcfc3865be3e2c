//! `sys._jit`: there is no compiler to machine code.

use taipan_object::native::MethodDef;
use taipan_object::native::module::{Module, ModuleDef};
use taipan_object::{Result, Value, Vm, method_table};

static JIT: ModuleDef = ModuleDef {
    name: "sys._jit",
    doc: "Whether code is compiled while it runs.",
    functions: FUNCTIONS,
    exec: |_, _| Ok(()),
};

method_table! { static FUNCTIONS = [
    MethodDef::new("is_available($module, /)", "Return True if the current Python executable supports JIT compilation, and False otherwise.", |_, _, _| Ok(Value::FALSE)),
    MethodDef::new("is_enabled($module, /)", "Return True if JIT compilation is enabled for the current Python process (implies sys._jit.is_available()), and False otherwise.", |_, _, _| Ok(Value::FALSE)),
    MethodDef::new("is_active($module, /)", "Return True if the topmost Python frame is currently executing JIT code (implies sys._jit.is_enabled()), and False otherwise.", |_, _, _| Ok(Value::FALSE)),
]; }

pub(super) fn add(vm: &Vm, sys: &Module) -> Result<()> {
    sys.set("_jit", Module::from_def(vm, &JIT)?.into_value());
    Ok(())
}
