//! `sys`.
//!
//! `frames.rs` has the functions that look at frames and the thread's state.

mod console;
mod frames;

pub use frames::super_arguments;

use taipan_object::builtins::dict::Dict;
use taipan_object::builtins::list::List;
use taipan_object::builtins::str::{Str, intern};
use taipan_object::native::MethodDef;
use taipan_object::native::module::{Module, ModuleDef};
use taipan_object::{Ref, Result, Value, Vm};

use crate::import;

pub static SYS: ModuleDef = ModuleDef {
    name: "sys",
    doc: "This module provides access to some objects used or maintained by the\ninterpreter and to functions that \
          interact strongly with the interpreter.",
    functions: FUNCTIONS,
    exec,
};

fn exec(vm: &Vm, module: &Module) -> Result<()> {
    module.set("modules", import::modules(vm).as_value().clone());
    module.set("path", List::from_vec(Vec::new()).into_value());
    module.set("argv", List::from_vec(Vec::new()).into_value());
    module.set("maxsize", Value::from(i64::MAX));
    module.set("maxunicode", Value::from(0x10FFFF));
    module.set("byteorder", Value::from(if cfg!(target_endian = "little") { "little" } else { "big" }));
    module.set("platform", Value::from(std::env::consts::OS));
    for (name, descriptor) in [("stdin", 0), ("stdout", 1), ("stderr", 2)] {
        let stream = console::stream(descriptor);
        module.set(&format!("__{name}__"), stream.clone());
        module.set(name, stream);
    }
    frames::add_functions(vm, module);
    Ok(())
}

/// `sys.name`, if `sys` has it.
pub fn get(vm: &Vm, name: &str) -> Option<Value> {
    let sys = import::modules(vm).get_str(intern("sys").as_value())?;
    sys.downcast::<Module>()?.get(name)
}

taipan_object::method_table! {
    static FUNCTIONS = [
        MethodDef::new(
            "intern($module, string, /)",
            "``Intern'' the given string.\n\nThis enters the string in the (global) table of interned strings whose\npurpose \
             is to speed up dictionary lookups. Return the string itself or\nthe previously interned string object with the \
             same value.",
            |vm, _, args| match args[0].downcast_exact::<Str>() {
                Some(text) => Ok(text.interned(&args[0])),
                None => Err(vm.type_error(format!("can't intern {}", args[0].ty().name()))),
            },
        ),
        MethodDef::new("getdefaultencoding($module, /)", "Return the current default encoding used by the Unicode implementation.", |_, _, _| Ok(Value::from("utf-8"))),
        MethodDef::new("displayhook($module, object, /)", "Print an object to sys.stdout and also save it in builtins._", |vm, _, args| {
            if args[0].is_none() {
                return Ok(Value::NONE);
            }
            let builtins = vm.import("builtins")?;
            vm.set_attr_str(&builtins, "_", &Value::NONE)?;
            let Some(stdout) = get(vm, "stdout") else { return Err(vm.runtime_error("lost sys.stdout")) };
            let text = vm.repr_string(&args[0])? + "\n";
            vm.call_method(&stdout, "write", &[Value::from(text)])?;
            vm.set_attr_str(&builtins, "_", &args[0])?;
            Ok(Value::NONE)
        }),
    ];
}

/// The namespace of a new `__main__`.
pub fn main_module(vm: &Vm) -> Result<Ref<Dict>> {
    let module = Module::new("__main__");
    module.set("__builtins__", vm.import("builtins")?);
    import::modules(vm).set_str(intern("__main__").as_value(), module.as_value().clone());
    Ok(module.dict.clone())
}
