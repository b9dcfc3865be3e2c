//! `faulthandler`: tracebacks on fatal signals, on user signals, after a timeout, and on request.
//!
//! `fatal.rs` has the handlers of fatal signals, `user.rs` those of signals that the program registers, `later.rs` the
//! watchdog, `c_stack.rs` the native stack, `signal_stack.rs` the stack that handlers run on. What runs in signal handlers
//! neither allocates nor locks.

mod c_stack;
pub mod fatal;
pub mod later;
mod signal_stack;
mod user;

use taipan_object::builtins::int;
use taipan_object::exceptions::RUNTIME_WARNING;
use taipan_object::native::MethodDef;
use taipan_object::native::module::ModuleDef;
use taipan_object::vm::hooks::{Dumped, HOOKS};
use taipan_object::{Result, Value, Vm};

use crate::arguments::c_int;
use crate::payload::signature;

pub static MODULE: ModuleDef = ModuleDef {
    name: "faulthandler",
    doc: "Tracebacks for crashes and hangs.",
    functions: FUNCTIONS,
    exec: |_, module| {
        module.add_functions(fatal::CRASHES);
        Ok(())
    },
};

/// Writes bytes; for signal handlers.
fn write(fd: i32, text: &[u8]) {
    // SAFETY: the bytes are there. There is nobody to tell of a failure.
    unsafe { libc::write(fd, text.as_ptr().cast(), text.len()) };
}

/// Writes tracebacks; for signal handlers.
fn dump(fd: i32, what: Dumped) {
    if let Some(hooks) = HOOKS.get() {
        (hooks.dump_traceback)(fd, what);
    }
}

fn threads(all: bool) -> Dumped {
    if all { Dumped::All } else { Dumped::Current }
}

/// The descriptor of a `file` argument, and the object that keeps it open.
fn descriptor(vm: &Vm, file: &Value) -> Result<(i32, Value)> {
    let file = match file.given() {
        Some(file) => file.clone(),
        None => {
            let sys = vm.import("sys")?;
            match vm.get_attr_str_opt(&sys, "stderr")? {
                None => return Err(vm.runtime_error("lost sys.stderr")),
                Some(stderr) if stderr.is_none() => return Err(vm.runtime_error("sys.stderr is None")),
                Some(stderr) => stderr,
            }
        }
    };
    if int::is_int(&file) {
        if file.is_bool() {
            vm.warn(&RUNTIME_WARNING.value(), "bool is used as a file descriptor", 1)?;
        }
        let fd = c_int(vm, &file)?;
        if fd < 0 {
            return Err(vm.value_error("file is not a valid file descriptor"));
        }
        return Ok((fd, Value::NONE));
    }
    let number = vm.call_method(&file, "fileno", &[])?;
    let fd = int::to_i64(&number).and_then(|fd| i32::try_from(fd).ok()).filter(|fd| *fd >= 0);
    let Some(fd) = fd.filter(|_| int::is_int(&number)) else {
        return Err(vm.runtime_error("file.fileno() is not a valid file descriptor"));
    };
    if let Err(raised) = vm.call_method(&file, "flush", &[]) {
        vm.discard(raised);
    }
    Ok((fd, file))
}

signature!(ENABLE = "enable(file=None, all_threads=True, c_stack=True)");

taipan_object::method_table! { static FUNCTIONS = [
    MethodDef::raw("enable($module, /, file=sys.stderr, all_threads=True)",
        "Write tracebacks to `file` when a fatal signal arrives.", |vm, _, args, kwnames| {
        let args = ENABLE.bind(vm, args, kwnames)?;
        let (fd, file) = descriptor(vm, &args[0])?;
        let (all_threads, c_stack) = (vm.is_true(&args[1])?, vm.is_true(&args[2])?);
        fatal::enable(vm, fd, file, threads(all_threads), c_stack)?;
        Ok(Value::NONE)
    }),
    MethodDef::new("disable($module, /)", "Leave fatal signals alone again.", |_, _, _| Ok(Value::bool(fatal::disable()))),
    MethodDef::new("is_enabled($module, /)", "Whether enable() has been called.", |_, _, _| {
        Ok(Value::bool(fatal::is_enabled()))
    }),
    MethodDef::new("dump_traceback($module, /, file=sys.stderr, all_threads=True)",
        "Write the traceback of this thread or of all threads to `file`.", |vm, _, args| {
        let (fd, _file) = descriptor(vm, args[0].bound().unwrap_or(&Value::NONE))?;
        dump(fd, threads(vm.is_true(&args[1])?));
        Ok(Value::NONE)
    }),
    MethodDef::new("dump_c_stack($module, /, file=sys.stderr)", "Write the native stack of this thread to `file`.",
        |vm, _, args| {
        let (fd, _file) = descriptor(vm, args[0].bound().unwrap_or(&Value::NONE))?;
        c_stack::dump(fd);
        Ok(Value::NONE)
    }),
    MethodDef::new("dump_traceback_later($module, /, timeout, repeat=False, file=sys.stderr, exit=False)",
        "Write the tracebacks of all threads to `file` in `timeout` seconds.\n\nWith `repeat` this happens again and again; with `exit` the process ends then, by _exit(1).",
        |vm, _, args| later::dump_traceback_later(vm, args)),
    MethodDef::new("cancel_dump_traceback_later($module, /)", "Undo dump_traceback_later().", |_, _, _| {
        later::cancel();
        Ok(Value::NONE)
    }),
    MethodDef::new("register($module, /, signum, file=sys.stderr, all_threads=True, chain=False)",
        "Write the traceback of this thread or of all threads to `file` whenever the signal arrives.",
        |vm, _, args| user::register(vm, args)),
    MethodDef::new("unregister($module, signum, /)", "Undo register(); whether the signal was registered.",
        |vm, _, args| user::unregister(vm, &args[0])),
]; }
