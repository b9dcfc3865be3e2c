//! `_sysconfig`: build variables that are known without a file.

use taipan_object::Value;
use taipan_object::builtins::dict::Dict;
use taipan_object::builtins::str::intern;
use taipan_object::native::MethodDef;
use taipan_object::native::module::ModuleDef;

pub static MODULE: ModuleDef = ModuleDef {
    name: "_sysconfig",
    doc: "What sysconfig needs of the interpreter.",
    functions: FUNCTIONS,
    exec: |_, _| Ok(()),
};

taipan_object::method_table! {
    static FUNCTIONS = [
        MethodDef::new("config_vars($module, /)", "Build variables that are known without a file.", |_, _, _| {
            let variables = Dict::new();
            let is_free_threaded = !taipan_object::vm::gil::is_enabled();
            for (name, value) in [("Py_GIL_DISABLED", is_free_threaded), ("Py_DEBUG", false)] {
                variables.set_str(intern(name).as_value(), Value::from(i64::from(value)));
            }
            Ok(variables.into_value())
        }),
    ];
}
