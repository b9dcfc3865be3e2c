//! The functions of `sys` that look at frames, exceptions being handled and limits.

use std::cell::Cell;

use taipan_object::builtins::tuple::Tuple;
use taipan_object::exceptions;
use taipan_object::native::MethodDef;
use taipan_object::native::function::BuiltinFunction;
use taipan_object::native::module::Module;
use taipan_object::object::to_ref;
use taipan_object::vm::names;
use taipan_object::{Result, Value, Vm};

use crate::frame::{Frame, Interp};
use crate::frame_object;

taipan_object::method_table! {
    static FUNCTIONS = [
        MethodDef::new(
            "_getframe($module, depth=0, /)",
            "Return a frame object from the call stack.\n\nIf optional integer depth is given, return the frame object that many\n\
             calls below the top of the stack.  If that is deeper than the call\nstack, ValueError is raised.  The default for \
             depth is zero, returning\nthe frame at the top of the call stack.\n\nThis function should be used for internal and \
             specialized purposes\nonly.",
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
            "Return the name of the module for a calling frame.\n\nThe default depth returns the module containing the call to \
             this API.\nA more typical use in a library will pass a depth of 1 to get the user's\nmodule rather than the library \
             module.\n\nIf no frame, module, or name can be found, returns None.",
            |vm, _, args| {
                let depth = vm.index_i32(&args[0])?;
                vm.audit("sys._getframemodulename", &[Value::from(depth)])?;
                let Some(frame) = frame_at(vm, depth) else { return Ok(Value::NONE) };
                // SAFETY: frames of the chain are alive.
                let function = taipan_object::object::to_value(unsafe { (*frame).function() });
                Ok(vm.get_attr_opt(&function, &names().__module__)?.unwrap_or(Value::NONE))
            },
        ),
        MethodDef::new("getrecursionlimit($module, /)", "Return the current value of the recursion limit.\n\nThe recursion \
            limit is the maximum depth of the Python interpreter\nstack.  This limit prevents infinite recursion from causing an \
            overflow\nof the C stack and crashing Python.", |vm, _, _| Ok(Value::from(Interp::of(vm).recursion_limit.get()))),
        MethodDef::new("setrecursionlimit($module, limit, /)", "Set the maximum depth of the Python interpreter stack to \
            n.\n\nThis limit prevents infinite recursion from causing an overflow of the C\nstack and crashing Python.  The \
            highest possible limit is platform-\ndependent.", |vm, _, args| {
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
        MethodDef::new("exception($module, /)", "Return the current exception.\n\nReturn the most recent exception caught by an \
            except clause\nin the current stack frame or in an older stack frame, or None\nif no such clause exists.", |vm, _, _| {
            Ok(Interp::of(vm).topmost_handled().unwrap_or(Value::NONE))
        }),
        MethodDef::new("exc_info($module, /)", "Return current exception information: (type, value, traceback).\n\nReturn \
            information about the most recent exception caught by an except\nclause in the current stack frame or in an older \
            stack frame.", |vm, _, _| {
            let parts = match Interp::of(vm).topmost_handled() {
                Some(exception) => {
                    let (class, traceback) = (exception.ty().to_value(), exceptions::traceback(&exception));
                    vec![class, exception, traceback]
                }
                None => vec![Value::NONE, Value::NONE, Value::NONE],
            };
            Ok(Tuple::from_vec(parts).into_value())
        }),
        MethodDef::new("getrefcount($module, object, /)", "Return the reference count of object.\n\nThe count returned is \
            generally one higher than you might expect,\nbecause it includes the (temporary) reference as an argument \
            to\ngetrefcount().", |_, _, args| {
            let count = args[0].as_object().map_or(u64::from(taipan_object::header::IMMORTAL_COUNT), taipan_object::count::refcount);
            Ok(Value::from(count))
        }),
        MethodDef::new("set_asyncgen_hooks($module, /, firstiter=<unrepresentable>, finalizer=<unrepresentable>)",
            "set_asyncgen_hooks([firstiter] [, finalizer])\n\nSet a finalizer for async generators objects.", |vm, _, args| {
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
        MethodDef::new("get_asyncgen_hooks($module, /)", "Return the installed asynchronous generators hooks.\n\nThis returns a \
            namedtuple of the form (firstiter, finalizer).", |vm, _, _| {
            let interp = Interp::of(vm);
            let hooks = [&interp.asyncgen_firstiter, &interp.asyncgen_finalizer].map(peek);
            Ok(Tuple::from_slice(&hooks).into_value())
        }),
        MethodDef::new("set_coroutine_origin_tracking_depth($module, /, depth)", "Enable or disable origin tracking for \
            coroutine objects in this thread.\n\nCoroutine objects will track 'depth' frames of traceback information\nabout \
            where they came from, available in their cr_origin attribute.\n\nSet a depth of 0 to disable.", |vm, _, args| {
            let depth = vm.index_i32(&args[0])?;
            if depth < 0 {
                return Err(vm.value_error("depth must be >= 0"));
            }
            Interp::of(vm).coroutine_origin_depth.set(depth);
            Ok(Value::NONE)
        }),
        MethodDef::new("get_coroutine_origin_tracking_depth($module, /)", "Check status of origin tracking for coroutine \
            objects in this thread.", |vm, _, _| Ok(Value::from(Interp::of(vm).coroutine_origin_depth.get()))),
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
