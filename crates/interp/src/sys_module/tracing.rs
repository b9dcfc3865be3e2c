//! The functions of `sys` that set and get trace and profile functions, and `sys.monitoring`.

use taipan_object::builtins::tuple::Tuple;
use taipan_object::native::MethodDef;
use taipan_object::native::function::BuiltinFunction;
use taipan_object::native::module::Module;
use taipan_object::{Value, Vm};

use crate::frame::Interp;
use crate::monitoring::{self, tracing};

/// Adds the functions and the module.
pub fn add_functions(_vm: &Vm, module: &Module) {
    for def in FUNCTIONS {
        let this = taipan_object::object::to_value(module);
        module.set(def.name(), BuiltinFunction::new(def, this, Value::from("sys")).into_value());
    }
    module.set("monitoring", monitoring::new_module().into_value());
}

fn function(value: &Value) -> Option<Value> {
    (!value.is_none()).then(|| value.clone())
}

taipan_object::method_table! {
    static FUNCTIONS = [
        MethodDef::new("settrace($module, function, /)", "Set this thread's trace function; None for none.", |vm, _, args| {
            tracing::set_trace(vm, function(&args[0]), false)?;
            Ok(Value::NONE)
        }),
        MethodDef::new("_settraceallthreads($module, function, /)", "Set the trace function of all threads.", |vm, _, args| {
            tracing::set_trace(vm, function(&args[0]), true)?;
            Ok(Value::NONE)
        }),
        MethodDef::new("gettrace($module, /)", "This thread's trace function, or None.", |vm, _, _| {
            Ok(tracing::trace_function(vm).unwrap_or(Value::NONE))
        }),
        MethodDef::new("setprofile($module, function, /)", "Set this thread's profile function; None for none.", |vm, _, args| {
            tracing::set_profile(vm, function(&args[0]), false)?;
            Ok(Value::NONE)
        }),
        MethodDef::new(
            "_setprofileallthreads($module, function, /)",
            "Set the profile function of all threads.",
            |vm, _, args| {
                tracing::set_profile(vm, function(&args[0]), true)?;
                Ok(Value::NONE)
            },
        ),
        MethodDef::new("getprofile($module, /)", "This thread's profile function, or None.", |vm, _, _| {
            Ok(tracing::profile_function(vm).unwrap_or(Value::NONE))
        }),
        MethodDef::new(
            "call_tracing($module, func, args, /)",
            "Call func(*args) with tracing enabled, also from within a trace function.",
            |vm, _, args| {
                let Some(arguments) = args[1].downcast::<Tuple>() else {
                    let got = args[1].ty().name();
                    return Err(vm.type_error(format!("call_tracing() argument 2 must be tuple, not {got}")));
                };
                let interp = Interp::of(vm);
                let depth = interp.tracing.replace(0);
                let event = interp.trace_event.replace("");
                let result = vm.call(&args[0], arguments.as_slice(), None);
                interp.tracing.set(depth);
                interp.trace_event.set(event);
                result
            },
        ),
    ];
}
