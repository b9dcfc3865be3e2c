//! `_thread`: locks, thread-local data, starting and joining threads.

pub mod handle;
pub mod local;
pub mod lock;
pub mod rlock;
pub mod start;

use taipan_object::builtins::str::Str;
use taipan_object::builtins::structseq::StructSeq;
use taipan_object::exceptions;
use taipan_object::native::MethodDef;
use taipan_object::native::module::ModuleDef;
use taipan_object::{Result, Value, Vm};

use crate::arguments::ssize;

pub static MODULE: ModuleDef = ModuleDef {
    name: "_thread",
    doc: "The primitive operations on which threading is built: threads, locks, thread-local data.",
    functions: FUNCTIONS,
    exec: |vm, module| {
        start::set_main_thread();
        module.add_functions(start::FUNCTIONS);
        module.add_type(&lock::LOCK);
        module.set("LockType", lock::LOCK.value());
        module.add_type(&rlock::RLOCK);
        module.add_type(&local::LOCAL);
        module.add_type(&handle::THREAD_HANDLE);
        module.set("_ExceptHookArgs", EXCEPT_HOOK_ARGS.ty(vm)?.to_value());
        module.set("error", exceptions::RUNTIME_ERROR.value());
        module.set("TIMEOUT_MAX", Value::from(TIMEOUT_MAX));
        int_constants!(module; _NAME_MAXLEN = NAME_MAXLEN);
        Ok(())
    },
};

/// The longest time that a lock can be waited for, in seconds.
const TIMEOUT_MAX: f64 = 9_223_372_036.0;

/// The longest name that the system keeps of a thread, in bytes.
const NAME_MAXLEN: usize = 15;

static EXCEPT_HOOK_ARGS: StructSeq = StructSeq::new(
    "_thread._ExceptHookArgs",
    "ExceptHookArgs\n\nThe argument of threading.excepthook: an exception and its thread.",
    &[Some("exc_type"), Some("exc_value"), Some("exc_traceback"), Some("thread")],
    4,
);

/// `get_ident()`
pub fn get_ident() -> u64 {
    // SAFETY: no preconditions.
    unsafe { libc::pthread_self() }
}

/// Refuses the arguments of a constructor that takes none.
fn no_arguments(vm: &Vm, name: &str, args: &[Value], kwnames: Option<&Value>) -> Result<()> {
    let keywords = kwnames.map_or(0, |names| vm.tuple_len(names));
    if keywords > 0 {
        return Err(vm.type_error(format!("{name}() takes no keyword arguments")));
    }
    if !args.is_empty() {
        return Err(vm.type_error(format!("{name} expected 0 arguments, got {}", args.len())));
    }
    Ok(())
}

/// Sets the name that the system shows for the calling thread; what does not fit is cut off, be it in the midst of a
/// character.
fn set_name(name: &Str) {
    let characters = name.code_points().map(|point| char::from_u32(point).unwrap_or('?')).take_while(|c| *c != '\0');
    let mut bytes = characters.take(NAME_MAXLEN).collect::<String>().into_bytes();
    bytes.truncate(NAME_MAXLEN);
    if let Ok(name) = std::ffi::CString::new(bytes) {
        // SAFETY: a string short enough.
        unsafe { libc::pthread_setname_np(libc::pthread_self(), name.as_ptr()) };
    }
}

fn get_name() -> Value {
    let mut buffer = [0u8; NAME_MAXLEN + 1];
    // SAFETY: the buffer has the given length.
    unsafe { libc::pthread_getname_np(libc::pthread_self(), buffer.as_mut_ptr().cast(), buffer.len()) };
    let end = buffer.iter().position(|byte| *byte == 0).unwrap_or(NAME_MAXLEN);
    Str::from_fs_bytes(&buffer[..end]).into_value()
}

/// `_thread._excepthook`: prints the exception that ended a thread.
fn excepthook(vm: &Vm, args: &Value) -> Result {
    if !std::ptr::eq(args.ty(), EXCEPT_HOOK_ARGS.ty(vm)?) {
        return Err(vm.type_error("_thread.excepthook argument type must be ExceptHookArgs"));
    }
    let field = |name: &str| vm.get_attr_str(args, name);
    let (class, value, traceback, thread) =
        (field("exc_type")?, field("exc_value")?, field("exc_traceback")?, field("thread")?);
    if class.is(&exceptions::SYSTEM_EXIT.value()) {
        return Ok(Value::NONE);
    }
    let mut stream = vm.import_from("sys", "stderr").unwrap_or_else(|raised| {
        vm.discard(raised);
        Value::NONE
    });
    if stream.is_none() {
        // At shutdown `sys.stderr` may be gone; the thread remembers it.
        if thread.is_none() {
            return Ok(Value::NONE);
        }
        stream = vm.get_attr_str(&thread, "_stderr")?;
        if stream.is_none() {
            return Ok(Value::NONE);
        }
    }
    let name = if thread.is_none() { None } else { vm.get_attr_str_opt(&thread, "_name")? };
    let name = match name {
        Some(name) if !name.is_none() => vm.str_string(&name)?,
        _ => get_ident().to_string(),
    };
    vm.call_method(&stream, "write", &[Value::from(format!("Exception in thread {name}:\n"))])?;
    let print = vm.import_from("traceback", "print_exception")?;
    vm.call_keywords(&print, &[class, value, traceback], &[("file", stream.clone())])?;
    vm.call_method(&stream, "flush", &[])?;
    Ok(Value::NONE)
}

taipan_object::method_table! { static FUNCTIONS = [
    MethodDef::new("allocate_lock($module, /)", "Make a lock that is not held.", |_, _, _| Ok(lock::new())),
    MethodDef::new("allocate($module, /)", "The old name of allocate_lock().", |_, _, _| Ok(lock::new())),
    MethodDef::new("get_ident($module, /)",
        "A number that tells the current thread from all others that exist at the same time.",
        |_, _, _| Ok(Value::from(get_ident()))),
    MethodDef::new("get_native_id($module, /)", "The number by which the system knows the current thread.", |_, _, _| {
        // SAFETY: no preconditions.
        Ok(Value::from(unsafe { libc::gettid() }))
    }),
    MethodDef::new("exit($module, /)", "Raise SystemExit, which ends the thread silently unless it is caught.",
        |vm, _, _| Err(vm.raise_args(exceptions::SYSTEM_EXIT.ty(), Vec::new()))),
    MethodDef::new("exit_thread($module, /)", "The old name of exit().",
        |vm, _, _| Err(vm.raise_args(exceptions::SYSTEM_EXIT.ty(), Vec::new()))),
    MethodDef::new("interrupt_main($module, signum=signal.SIGINT, /)",
        "Let the main thread run the handler of a signal, as if the signal had arrived.", |vm, _, args| {
        let signal = match args[0].bound() {
            Some(signal) => crate::arguments::c_int(vm, signal)?,
            None => libc::SIGINT,
        };
        if !crate::_signal::simulate(signal) {
            return Err(vm.value_error("signal number out of range"));
        }
        Ok(Value::NONE)
    }),
    MethodDef::new("stack_size($module, size=0, /)",
        "The size of the stacks of threads started from now on, in bytes (0: the default).\n\nIf a size is given, it is set and the former one returned.",
        |vm, _, args| {
        let size = ssize(vm, &args[0])?;
        start::stack_size(vm, usize::try_from(size).ok()).map(Value::from)
    }),
    MethodDef::new("_excepthook($module, args, /)", "Report an exception that ended a thread, on sys.stderr.",
        |vm, _, args| excepthook(vm, &args[0])),
    MethodDef::new("_is_main_interpreter($module, /)", "Whether the current interpreter is the main one.",
        |_, _, _| Ok(Value::TRUE)),
    MethodDef::new("daemon_threads_allowed($module, /)", "Whether the current interpreter may have daemon threads.",
        |_, _, _| Ok(Value::TRUE)),
    MethodDef::new("set_name($module, /, name)", "\
        Give the current thread a name in the operating system.", |vm, _, args| {
        let name = vm.expect_str(&args[0], |got| format!("set_name() argument 'name' must be str, not {got}"))?;
        set_name(name);
        Ok(Value::NONE)
    }),
    MethodDef::new("_get_name($module, /)", "The name of the current thread.", |_, _, _| Ok(get_name())),
]; }
