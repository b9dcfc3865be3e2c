//! The functions of `sys` that concern threads: the switch interval, and what each thread is doing.

use taipan_object::builtins::dict::Dict;
use taipan_object::builtins::float;
use taipan_object::native::MethodDef;
use taipan_object::native::function::BuiltinFunction;
use taipan_object::native::module::Module;
use taipan_object::object::to_ref;
use taipan_object::vm::gil;
use taipan_object::{Result, Value, Vm};

use crate::frame::{Frame, Interp};
use crate::{frame_object, threads};

taipan_object::method_table! {
    static FUNCTIONS = [
        MethodDef::new(
            "getswitchinterval($module, /)",
            "How long, in seconds, a thread keeps the GIL while others wait for it; see sys.setswitchinterval().",
            |_, _, _| Ok(Value::from((gil::switch_interval() / 1000) as f64 * 1e-6)),
        ),
        MethodDef::new(
            "setswitchinterval($module, interval, /)",
            "Set how long, in seconds, a thread keeps the GIL while others wait for it.\n\nThe interval can become longer when \
             long-running native functions are called.",
            |vm, _, args| {
                let interval = match float::to_f64(&args[0]) {
                    Some(interval) => interval,
                    None => vm.float(&args[0])?,
                };
                if interval <= 0.0 {
                    return Err(vm.value_error("switch interval must be strictly positive"));
                }
                gil::set_switch_interval(((1e6 * interval) as i64).saturating_mul(1000));
                Ok(Value::NONE)
            },
        ),
        MethodDef::new(
            "_current_frames($module, /)",
            "A dict that maps each thread's identifier to the frame that it is executing.",
            |vm, _, _| current_frames(vm),
        ),
        MethodDef::new(
            "_current_exceptions($module, /)",
            "A dict that maps each thread's identifier to the exception that it is handling.",
            |vm, _, _| {
                let dict = Dict::new();
                for (ident, exception) in threads::handled_exceptions(vm) {
                    dict.set(vm, &Value::from(ident), exception.unwrap_or(Value::NONE))?;
                }
                Ok(dict.into_value())
            },
        ),
    ];
}

fn current_frames(vm: &Vm) -> Result {
    let mut running: Vec<(u64, *mut Frame)> = Vec::new();
    threads::for_each(vm, |ident, vm| running.push((ident, Interp::of(vm).frame.get())));
    let dict = Dict::new();
    for (ident, frame) in running.into_iter().filter(|(_, frame)| !frame.is_null()) {
        // SAFETY: no other thread runs while this one makes frame objects, so the frames are still alive.
        let frame = unsafe { frame_object::of_frame(vm, frame) };
        dict.set(vm, &Value::from(ident), frame)?;
    }
    Ok(dict.into_value())
}

/// Adds the functions to `sys`.
pub(super) fn add_functions(_vm: &Vm, module: &Module) {
    let this = to_ref(module).into_value();
    for def in FUNCTIONS {
        module.set(def.name(), BuiltinFunction::new(def, this.clone(), crate::function::name("sys")).into_value());
    }
}
