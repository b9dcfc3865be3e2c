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
            for name in ["Py_GIL_DISABLED", "Py_DEBUG"] {
                variables.set_str(intern(name).as_value(), Value::from(0));
            }
            Ok(variables.into_value())
        }),
    ];
}
