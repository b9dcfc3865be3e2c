//! `sys`.
//!
//! `frames.rs` has the functions that look at frames and the thread's state.

mod console;
mod frames;
mod hooks;
mod info;
mod jit;
mod stdlib_names;
mod threads;
mod tracing;

pub use frames::super_arguments;
pub use hooks::{audit, is_auditing, write_unraisable};
pub use info::version;

use taipan_object::builtins::str::intern;
use taipan_object::native::module::{Module, ModuleDef};
use taipan_object::{Result, Value, Vm};

use crate::import;

pub static SYS: ModuleDef = ModuleDef {
    name: "sys",
    doc: "What belongs to the interpreter: its variables, its settings, and\nfunctions that act on it.",
    functions: &[],
    exec,
};

fn exec(vm: &Vm, module: &Module) -> Result<()> {
    module.set("modules", import::modules(vm).as_value().clone());
    info::add(vm, module)?;
    for (name, descriptor) in [("stdin", 0), ("stdout", 1), ("stderr", 2)] {
        let stream = console::stream(descriptor);
        module.set(&format!("__{name}__"), stream.clone());
        module.set(name, stream);
    }
    jit::add(vm, module)?;
    hooks::add_functions(vm, module);
    frames::add_functions(vm, module);
    tracing::add_functions(vm, module);
    threads::add_functions(vm, module);
    Ok(())
}

/// `sys.name`, if `sys` has it.
pub fn get(vm: &Vm, name: &str) -> Option<Value> {
    let sys = import::core_module("sys").or_else(|| import::modules(vm).get_str(intern("sys").as_value()))?;
    sys.downcast::<Module>()?.get(name)
}

/// Makes `__main__`.
pub fn add_main_module(vm: &Vm) -> Result<()> {
    let module = Module::new("__main__");
    module.set("__builtins__", vm.import("builtins")?);
    if let Ok(importer) = vm.import_from("_frozen_importlib", "BuiltinImporter").map_err(|raised| vm.discard(raised)) {
        module.set("__loader__", importer);
    }
    import::modules(vm).set_str(intern("__main__").as_value(), module.as_value().clone());
    Ok(())
}
