//! `_warnings`: the functions by which native code and `importlib` warn; `warnings` (pure Python) does the work.

use taipan_object::native::MethodDef;
use taipan_object::native::module::ModuleDef;
use taipan_object::{Value, method_table};

pub static MODULE: ModuleDef = ModuleDef {
    name: "_warnings",
    doc: "_warnings provides basic warning filtering support.\nIt is a helper module to speed up interpreter start-up.",
    functions: FUNCTIONS,
    exec: |_, _| Ok(()),
};

method_table! {
    static FUNCTIONS = [
        MethodDef::new("warn($module, /, message, category=None, stacklevel=1, source=None, *, skip_file_prefixes=())", "Issue a warning, or maybe ignore it or raise an exception.", |vm, _, args| {
            let warn = vm.import_from("warnings", "warn")?;
            let stacklevel = vm.index_i64(&args[2])?;
            let positional = [args[0].clone(), args[1].clone(), Value::from(stacklevel), args[3].clone()];
            vm.call_keywords(&warn, &positional, &[("skip_file_prefixes", args[4].clone())])
        }),
        MethodDef::raw("warn_explicit", "Issue a warning, or maybe ignore it or raise an exception.", |vm, _, args, kwnames| {
            let warn = vm.import_from("warnings", "warn_explicit")?;
            vm.call(&warn, args, kwnames)
        }),
    ];
}
