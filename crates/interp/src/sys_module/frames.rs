//! The functions of `sys` that look at frames, exceptions being handled and limits.

use std::cell::Cell;

use taipan_object::builtins::tuple::Tuple;
use taipan_object::header::IMMORTAL_COUNT;
use taipan_object::native::MethodDef;
use taipan_object::native::function::BuiltinFunction;
use taipan_object::native::module::Module;
use taipan_object::object::to_ref;
use taipan_object::types::lookup;
use taipan_object::vm::names;
use taipan_object::{Result, Value, Vm, count, exceptions};

use crate::frame::{Frame, Interp};
use crate::frame_object;

taipan_object::method_table! {
    static FUNCTIONS = [
        MethodDef::new(
            "_getframe($module, depth=0, /)",
            "Return a frame of the current thread.\n\n\
             With a depth of 0, the default, it is the caller's; with 1 it is the\n\
             frame that called that one, and so on.  ValueError is raised if there\n\
             are not so many.\n\n\
             This is meant for tools such as debuggers, not for ordinary programs.",
            |vm, _, args| {
                let depth = vm.index_i32(&args[0])?;
                match frame_at(vm, depth) {
                    Some(frame) => {
                        // SAFETY: frames of the chain are alive.
                        let object = unsafe { frame_object::of_frame(vm, frame) };
                        vm.audit("sys._getframe", std::slice::from_ref(&object))?;
                        Ok(object)
                    }
                    None => Err(vm.value_error("call stack is not deep enough")),
                }
            },
        ),
        MethodDef::new(
            "_getframemodulename($module, /, depth=0)",
            "Return the name of the module whose code runs in a calling frame.\n\n\
             The frame is that of the caller if depth is 0, the default.  A library\n\
             finds the module that uses it with a depth of 1.\n\n\
             The result is None if there is no such frame or it has no module.",
            |vm, _, args| {
                let depth = vm.index_i32(&args[0])?;
                vm.audit("sys._getframemodulename", &[Value::from(depth)])?;
                let Some(frame) = frame_at(vm, depth) else { return Ok(Value::NONE) };
                // SAFETY: frames of the chain are alive.
                let function = taipan_object::object::to_value(unsafe { (*frame).function() });
                Ok(vm.get_attr_opt(&function, &names().__module__)?.unwrap_or(Value::NONE))
            },
        ),
        MethodDef::new("getrecursionlimit($module, /)", "Return how deeply calls may be nested.\n\n\
            Deeper recursion raises RecursionError, before it can exhaust the\n\
            stack of the process.", |vm, _, _| Ok(Value::from(Interp::of(vm).recursion_limit.get()))),
        MethodDef::new("setrecursionlimit($module, limit, /)", "Set how deeply calls may be nested.\n\n\
            Deeper recursion raises RecursionError, before it can exhaust the\n\
            stack of the process.  A limit less than the present depth is refused.", |vm, _, args| {
            let limit = vm.index_i32(&args[0])?;
            if limit < 1 {
                return Err(vm.value_error("recursion limit must be greater or equal than 1"));
            }
            let interp = Interp::of(vm);
            let depth = interp.depth();
            if depth >= limit {
                return Err(vm.recursion_error(format!(
                    "cannot set the recursion limit to {limit} at the recursion depth {depth}: the limit is too low"
                )));
            }
            crate::threads::set_recursion_limit(vm, limit);
            Ok(Value::NONE)
        }),
        MethodDef::new("exception($module, /)", "Return the exception that is being handled.\n\n\
            Handlers of calling functions count as well; if nothing is being\n\
            handled, the result is None.", |vm, _, _| {
            Ok(Interp::of(vm).topmost_handled().unwrap_or(Value::NONE))
        }),
        MethodDef::new("exc_info($module, /)", "Return (type, value, traceback) of the exception being handled.\n\n\
            Handlers of calling functions count as well; if nothing is being\n\
            handled, the result is (None, None, None).", |vm, _, _| {
            let parts = match Interp::of(vm).topmost_handled() {
                Some(exception) => {
                    let (class, traceback) = (exception.ty().to_value(), exceptions::traceback(&exception));
                    vec![class, exception, traceback]
                }
                None => vec![Value::NONE, Value::NONE, Value::NONE],
            };
            Ok(Tuple::from_vec(parts).into_value())
        }),
        MethodDef::new("getrefcount($module, object, /)", "Return how many references to an object there are.\n\n\
            The argument of this very call counts too, so that the number may be\n\
            greater than it seems it should be.", |_, _, args| {
            Ok(Value::from(reference_count(&args[0])))
        }),
        MethodDef::new("set_asyncgen_hooks($module, /, firstiter=<unrepresentable>, finalizer=<unrepresentable>)",
            "set_asyncgen_hooks([firstiter] [, finalizer])\n\n\
            Set functions to call with an asynchronous generator of this thread:\n\
            before its first iteration, and when it is about to be collected.", |vm, _, args| {
            for (value, name) in args.iter().zip(["firstiter", "finalizer"]) {
                if let Some(value) = value.given()
                    && value.ty().slots().call.is_none()
                {
                    let got = value.ty().name();
                    return Err(vm.type_error(format!("callable {name} expected, got {got}")));
                }
            }
            let interp = Interp::of(vm);
            for (value, cell) in args.iter().zip([&interp.asyncgen_firstiter, &interp.asyncgen_finalizer]) {
                if !value.is_unbound() {
                    drop(cell.replace(value.given().cloned()));
                }
            }
            Ok(Value::NONE)
        }),
        MethodDef::new("get_asyncgen_hooks($module, /)", "\
            Return the hooks that set_asyncgen_hooks() has set in this thread.\n\n\
            They are the named tuple (firstiter, finalizer).", |vm, _, _| {
            let interp = Interp::of(vm);
            let hooks = [&interp.asyncgen_firstiter, &interp.asyncgen_finalizer].map(peek);
            Ok(Tuple::from_slice(&hooks).into_value())
        }),
        MethodDef::new("set_coroutine_origin_tracking_depth($module, /, depth)", "\
            Set how many frames of their origin new coroutines of this thread note.\n\n\
            The attribute cr_origin has them, as a tuple of (file name, line,\n\
            function name); with a depth of 0 it is None.", |vm, _, args| {
            let depth = vm.index_i32(&args[0])?;
            if depth < 0 {
                return Err(vm.value_error("depth must be >= 0"));
            }
            Interp::of(vm).coroutine_origin_depth.set(depth);
            Ok(Value::NONE)
        }),
        MethodDef::new("get_coroutine_origin_tracking_depth($module, /)", "\
            Return how many frames of its origin a new coroutine of this thread \
            notes.", |vm, _, _| Ok(Value::from(Interp::of(vm).coroutine_origin_depth.get()))),
    ];
}

fn peek(cell: &Cell<Option<Value>>) -> Value {
    let value = cell.take();
    cell.set(value.clone());
    value.unwrap_or(Value::NONE)
}

/// The frame `depth` calls below the running one.
fn frame_at(vm: &Vm, depth: i32) -> Option<*mut Frame> {
    let mut frame = Interp::of(vm).frame.get();
    for _ in 0..depth.max(0) {
        // SAFETY: frames of the chain are alive.
        frame = unsafe { frame.as_ref()?.previous };
    }
    if frame.is_null() { None } else { Some(frame) }
}

/// Adds the functions to `sys`.
pub(super) fn add_functions(_vm: &Vm, module: &Module) {
    let this = to_ref(module).into_value();
    for def in FUNCTIONS {
        module.set(def.name(), BuiltinFunction::new(def, this.clone(), crate::function::name("sys")).into_value());
    }
}

/// The contents of the `__class__` cell and the first argument of the running function, for `super()`.
pub fn super_arguments(vm: &Vm) -> Result<(Value, Value)> {
    use taipan_bytecode::code::{CO_FAST_CELL, CO_FAST_FREE};
    let Some(frame) = Interp::of(vm).current_frame() else { return Err(vm.runtime_error("super(): no current frame")) };
    let code = frame.code();
    if code.data.argcount == 0 {
        return Err(vm.runtime_error("super(): no arguments"));
    }
    let Some(object) = frame_object::local_value(frame, 0) else {
        return Err(vm.runtime_error("super(): arg[0] deleted"));
    };
    for (index, name) in code.localsplusnames().iter().enumerate() {
        if code.data.localspluskinds[index] & (CO_FAST_CELL | CO_FAST_FREE) != 0
            && name.word() == names().__class__.word()
        {
            return match frame_object::local_value(frame, index) {
                Some(class) if class.downcast::<taipan_object::types::Type>().is_some() => Ok((class, object)),
                Some(class) => {
                    let got = class.ty().name();
                    Err(vm.runtime_error(format!("super(): __class__ is not a type ({got})")))
                }
                None => Err(vm.runtime_error("super(): empty __class__ cell")),
            };
        }
    }
    Err(vm.runtime_error("super(): __class__ cell not found"))
}

/// What classes hold for inline caches does not count: CPython's caches borrow.
fn reference_count(value: &Value) -> u64 {
    match value.as_object() {
        Some(header) if !header.is_immortal() => count::refcount(header) - lookup::cache_references(header),
        _ => IMMORTAL_COUNT.into(),
    }
}
