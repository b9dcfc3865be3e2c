//! `atexit`: functions to be called when the interpreter ends.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Mutex, MutexGuard, PoisonError};

use taipan_object::native::MethodDef;
use taipan_object::native::module::ModuleDef;
use taipan_object::{Result, Value, Vm};

pub static MODULE: ModuleDef = ModuleDef {
    name: "atexit",
    doc: "Functions that are called when the program ends normally, the one registered last first.",
    functions: FUNCTIONS,
    exec: |_, _| Ok(()),
};

/// A registered call.
#[derive(Clone)]
struct Callback {
    /// Tells it from all others.
    number: u64,
    function: Value,
    /// Positional arguments, then the values of the keyword arguments.
    args: Vec<Value>,
    kwnames: Option<Value>,
}

/// In the order of registration. Locked for short, Python-free stretches.
static NEXT_NUMBER: AtomicU64 = AtomicU64::new(0);
static CALLBACKS: Mutex<Vec<Callback>> = Mutex::new(Vec::new());

fn callbacks() -> MutexGuard<'static, Vec<Callback>> {
    CALLBACKS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Calls all functions, the last first, and forgets them.
pub fn run_exitfuncs(vm: &Vm) {
    let copy = callbacks().clone();
    for callback in copy.iter().rev() {
        if let Err(raised) = vm.call(&callback.function, &callback.args, callback.kwnames.as_ref()) {
            let shown = vm.preserving_exception(|vm| {
                vm.repr_string(&callback.function).unwrap_or_else(|raised| {
                    vm.discard(raised);
                    "<object repr() failed>".to_string()
                })
            });
            vm.write_unraisable(raised, &format!("Exception ignored in atexit callback {shown}"), &Value::NONE);
        }
    }
    clear();
}

fn clear() {
    let old = std::mem::take(&mut *callbacks());
    drop(old);
}

/// Forgets the functions that are equal to `function`, the first first.
///
/// Comparing may change the list. As in CPython, the place that is looked at next is counted from the list's other end.
fn unregister(vm: &Vm, function: &Value) -> Result<()> {
    let mut later = callbacks().len();
    while later > 0 {
        later -= 1;
        let candidate = {
            let callbacks = callbacks();
            let Some(last) = callbacks.len().checked_sub(1) else { return Ok(()) };
            later = later.min(last);
            callbacks[last - later].clone()
        };
        if vm.equal_or_identical(&candidate.function, function)? {
            let removed = {
                let mut callbacks = callbacks();
                let at = callbacks.iter().position(|callback| callback.number == candidate.number);
                at.map(|at| callbacks.remove(at))
            };
            drop(removed);
        }
    }
    Ok(())
}

taipan_object::method_table! { static FUNCTIONS = [
    MethodDef::raw("register($module, func, /, *args, **kwargs)",
        "Register a function, with the arguments to call it with, to be called when the program ends; the function.",
        |vm, _, args, kwnames| {
        let keywords = kwnames.map_or(0, |names| vm.tuple_len(names));
        if args.len() == keywords {
            return Err(vm.type_error("register() takes at least 1 argument (0 given)"));
        }
        let function = args[0].clone();
        if function.ty().slots().call.is_none() {
            return Err(vm.type_error("the first argument must be callable"));
        }
        let callback = Callback {
            number: NEXT_NUMBER.fetch_add(1, Relaxed),
            function: function.clone(),
            args: args[1..].to_vec(),
            kwnames: kwnames.cloned(),
        };
        callbacks().push(callback);
        Ok(function)
    }),
    MethodDef::new("unregister($module, func, /)", "Forget a function that was registered.", |vm, _, args| {
        unregister(vm, &args[0])?;
        Ok(Value::NONE)
    }),
    MethodDef::new("_clear($module, /)", "Forget all registered functions.", |_, _, _| {
        clear();
        Ok(Value::NONE)
    }),
    MethodDef::new("_run_exitfuncs($module, /)",
        "Call all registered functions.\n\nExceptions are reported by sys.unraisablehook.", |vm, _, _| {
        run_exitfuncs(vm);
        Ok(Value::NONE)
    }),
    MethodDef::new("_ncallbacks($module, /)", "The number of registered functions.",
        |_, _, _| Ok(Value::from(callbacks().len()))),
]; }
