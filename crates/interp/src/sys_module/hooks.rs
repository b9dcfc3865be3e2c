//! The functions of `sys` that report, exit, limit and audit.

use super::get;
use taipan_object::builtins::str::Str;
use taipan_object::builtins::tuple::Tuple;
use taipan_object::exceptions::{self, BaseException};
use taipan_object::native::MethodDef;
use taipan_object::native::module::Module;
use taipan_object::types::{Type, type_flags};
use taipan_object::vm::names;
use taipan_object::{Result, Value, Vm};

use crate::config;
use crate::frame::{Frame, Interp};
use crate::traceback::Traceback;

/// Adds the functions, and the originals under their dunder names.
pub fn add_functions(_vm: &Vm, module: &Module) {
    let name = Value::from("sys");
    for def in FUNCTIONS {
        let this = taipan_object::object::to_value(module);
        let function = taipan_object::native::function::BuiltinFunction::new(def, this, name.clone()).into_value();
        if matches!(def.name(), "displayhook" | "excepthook" | "breakpointhook" | "unraisablehook") {
            module.set(&format!("__{}__", def.name()), function.clone());
        }
        module.set(def.name(), function);
    }
}

taipan_object::method_table! {
    static FUNCTIONS = [
        MethodDef::new("displayhook($module, object, /)", "\
            Print repr(object) and assign the object to builtins._, unless it is None", |vm, _, args| {
            if args[0].is_none() {
                return Ok(Value::NONE);
            }
            let builtins = vm.import("builtins")?;
            vm.set_attr_str(&builtins, "_", &Value::NONE)?;
            let Some(stdout) = get(vm, "stdout").filter(|stdout| !stdout.is_none()) else {
                return Err(vm.runtime_error("lost sys.stdout"));
            };
            let text = vm.repr(&args[0])?;
            write_escaped(vm, &stdout, &text)?;
            vm.call_method(&stdout, "write", &[Value::from("\n")])?;
            vm.set_attr_str(&builtins, "_", &args[0])?;
            Ok(Value::NONE)
        }),
        MethodDef::new("excepthook($module, exctype, value, traceback, /)", "\
            Print an exception and its traceback to sys.stderr.", |vm, _, args| {
            excepthook(vm, &args[1], &args[2]);
            Ok(Value::NONE)
        }),
        MethodDef::new("unraisablehook($module, unraisable, /)", "\
            Report an exception that cannot be raised in any code, on sys.stderr.\n\n\
            The argument has these attributes:\n\n\
            * exc_type: the type of the exception\n\
            * exc_value: the exception or None\n\
            * exc_traceback: its traceback or None\n\
            * err_msg: a message to begin the report with, or None\n\
            * object: what the exception came from, or None", |vm, _, args| {
            if !std::ptr::eq(args[0].ty(), UNRAISABLE_ARGS.ty(vm)?) {
                return Err(vm.type_error("sys.unraisablehook argument type must be UnraisableHookArgs"));
            }
            let field = |name: &str| vm.get_attr_str(&args[0], name);
            let message = field("err_msg")?;
            let message = if message.is_none() { "Exception ignored in".to_string() } else { vm.str_string(&message)? };
            let (class, value, traceback) = (field("exc_type")?, field("exc_value")?, field("exc_traceback")?);
            crate::runtime::print_unraisable_parts(vm, &class, &value, &traceback, &message, &field("object")?);
            Ok(Value::NONE)
        }),
        MethodDef::raw("breakpointhook", "Enter the debugger; this is what breakpoint() \
            calls.", |vm, _, args, kwnames| breakpoint(vm, args, kwnames)),
        MethodDef::new("exit($module, status=None, /)", "End the program by raising SystemExit(status).\n\n\
            An integer is the exit status of the process, where None, the default,\n\
            means 0, success.  Any other object is printed to sys.stderr, and the\n\
            exit status is then 1.", |vm, _, args| {
            let args = match args[0].downcast::<Tuple>() {
                Some(tuple) => tuple.as_slice().to_vec(),
                None if args[0].is_none() => Vec::new(),
                None => vec![args[0].clone()],
            };
            Err(vm.raise_args(exceptions::SYSTEM_EXIT.ty(), args))
        }),
        MethodDef::new("intern($module, string, /)", "\
            Return the one string that represents its value in a global table.\n\n\
            The first string interned with a value becomes that one.  Interned\n\
            strings are equal only if they are identical, which makes looking them\n\
            up in dictionaries faster.", |vm, _, args| match args[0].downcast_exact::<Str>() {
            Some(text) => Ok(text.interned(&args[0])),
            None if args[0].downcast::<Str>().is_some() => {
                Err(vm.type_error(format!("can't intern {}", args[0].ty().name())))
            }
            None => Err(vm.type_error(format!("intern() argument must be str, not {}", args[0].ty().name()))),
        }),
        MethodDef::new("_is_interned($module, string, /)", "\
            Tell whether a string is the one that intern() gives for its value.", |vm, _, args| {
            let text = vm.expect_str_argument(&args[0], |got| format!("_is_interned() argument must be str, not {got}"))?;
            Ok(Value::bool(text.is_interned()))
        }),
        MethodDef::new("_is_immortal($module, op, /)", "\
            Tell whether an object lives until the end (PEP 683).", |_, _, args| {
            Ok(Value::bool(args[0].as_object().is_none_or(|header| header.is_immortal())))
        }),
        MethodDef::new("getdefaultencoding($module, /)", "\
            Return the name of the default encoding of str, 'utf-8'.", |_, _, _| Ok(Value::from("utf-8"))),
        MethodDef::new("getfilesystemencoding($module, /)", "\
            Return the name of the encoding of file names.", |_, _, _| Ok(Value::from("utf-8"))),
        MethodDef::new("getfilesystemencodeerrors($module, /)", "Return the error mode used for Unicode to OS filename conversion.", |_, _, _| Ok(Value::from("surrogateescape"))),
        MethodDef::new("get_int_max_str_digits($module, /)", "\
            Return the greatest number of digits in decimal int/str conversions.", |_, _, _| {
            Ok(Value::from(taipan_object::builtins::int::max_str_digits()))
        }),
        MethodDef::new("set_int_max_str_digits($module, /, maxdigits)", "\
            Set the greatest number of digits in decimal int/str conversions; 0 is no limit.", |vm, _, args| {
            let digits = vm.index_i32(&args[0])?;
            if digits != 0 && digits < 640 {
                return Err(vm.value_error("maxdigits must be >= 640 or 0 for unlimited"));
            }
            taipan_object::builtins::int::set_max_str_digits(digits as usize);
            Ok(Value::NONE)
        }),
        MethodDef::new("getsizeof($module, /, object, default=<unrepresentable>)", "\
            getsizeof(object [, default]) -> int\n\n\
            Return the bytes of memory that an object takes, without those of the\n\
            objects it refers to.  Without a default, an object that does not tell\n\
            its size raises TypeError.", |vm, _, args| {
            let size = match vm.call_special(&args[0], &names().__sizeof__, &[]) {
                Some(size) => size,
                None => Err(vm.type_error(format!("Type {} doesn't define __sizeof__", args[0].ty().name()))),
            };
            let size = match (size, args[1].bound()) {
                (Ok(size), _) if taipan_object::builtins::int::is_int(&size) => size,
                (Ok(_), _) => return Err(vm.type_error("an integer is required")),
                (Err(raised), Some(default)) => {
                    drop(vm.catch(raised, exceptions::type_error())?);
                    return Ok(default.clone());
                }
                (Err(raised), None) => return Err(raised),
            };
            if taipan_object::builtins::int::is_negative(&size) {
                return Err(vm.value_error("__sizeof__() should return >= 0"));
            }
            Ok(size)
        }),
        MethodDef::new("getallocatedblocks($module, /)", "Return how many blocks of memory are in \
            use.", |_, _, _| Ok(Value::from(taipan_object::heap::allocated_blocks()))),
        MethodDef::raw("audit($module, event, /, *args)", "Passes the event to any hooks that are attached.", |vm, _, args, _| {
            let Some(event) = args.first() else {
                return Err(vm.type_error("audit expected at least 1 argument, got 0"));
            };
            let event = vm.expect_str(event, |got| format!("expected str for argument 'event', not {got}"))?;
            audit(vm, &event.to_string_lossy(), &args[1..]).map(Value::from)
        }),
        MethodDef::new("addaudithook($module, /, hook)", "\
            Add a function that is called with the name and arguments of every event.", |vm, _, args| {
            // A hook keeps others out by an exception, which is not seen.
            if let Err(raised) = audit(vm, "sys.addaudithook", &[]) {
                vm.catch(raised, exceptions::EXCEPTION.ty())?;
                return Ok(Value::NONE);
            }
            HOOKS.lock().expect("never poisoned").push(args[0].clone());
            HAVE_HOOKS.store(true, std::sync::atomic::Ordering::Relaxed);
            Ok(Value::NONE)
        }),
        MethodDef::new("is_finalizing($module, /)", "Tell whether the interpreter is shutting \
            down.", |_, _, _| Ok(Value::bool(crate::runtime::is_finalizing()))),
        MethodDef::new("_clear_type_cache($module, /)", "\
            Empty the cache of attributes found in types.", |_, _, _| Ok(Value::NONE)),
        MethodDef::new("_clear_type_descriptors($module, type, /)", "\
            Remove __dict__ and __weakref__ from a type; for dataclasses.", |vm, _, args| {
            clear_type_descriptors(vm, &args[0])
        }),
        MethodDef::new("_clear_internal_caches($module, /)", "\
            Empty all caches that serve the interpreter's speed.", |_, _, _| Ok(Value::NONE)),
        MethodDef::new("_is_gil_enabled($module, /)", "\
            Tell whether only one thread at a time runs Python code.", |_, _, _| {
            Ok(Value::bool(taipan_object::vm::gil::is_enabled()))
        }),
        MethodDef::new("_baserepl($module, /)", "The basic interactive session.", |vm, _, _| {
            let main = vm.import("__main__")?;
            let Some(module) = main.downcast::<Module>() else { return Err(vm.runtime_error("lost __main__")) };
            match crate::repl::run(vm, &module.dict)? {
                0 => Ok(Value::NONE),
                code => Err(vm.raise_args(exceptions::SYSTEM_EXIT.ty(), vec![Value::from(code)])),
            }
        }),
        MethodDef::new("_get_cpu_count_config($module, /)", "The number of CPUs that the command line or the environment says; -1 if they do not.", |_, _, _| {
            Ok(Value::from(config::get().cpu_count.unwrap_or(-1)))
        }),
        MethodDef::new("is_stack_trampoline_active($module, /)", "\
            Tell whether functions are being called through a profiler's trampoline.", |_, _, _| Ok(Value::FALSE)),
        MethodDef::new("is_remote_debug_enabled($module, /)", "\
            Tell whether another process may attach a debugger.", |_, _, _| Ok(Value::FALSE)),
    ];
}

static HOOKS: std::sync::Mutex<Vec<Value>> = std::sync::Mutex::new(Vec::new());
static HAVE_HOOKS: std::sync::atomic::AtomicBool = std::sync::atomic::AtomicBool::new(false);

/// Whether there is anyone to tell of events.
pub fn is_auditing() -> bool {
    HAVE_HOOKS.load(std::sync::atomic::Ordering::Relaxed)
}

/// `sys.audit(event, *args)`.
pub fn audit(vm: &Vm, event: &str, args: &[Value]) -> Result<()> {
    if !HAVE_HOOKS.load(std::sync::atomic::Ordering::Relaxed) {
        return Ok(());
    }
    let hooks = HOOKS.lock().expect("never poisoned").clone();
    let args = Tuple::from_slice(args).into_value();
    let interp = Interp::of(vm);
    for hook in hooks {
        // Hooks are not traced, unless they say that they may be.
        let can_trace = match vm.get_attr_str_opt(&hook, "__cantrace__")? {
            Some(flag) => vm.is_true(&flag)?,
            None => false,
        };
        interp.tracing.set(interp.tracing.get() + i32::from(!can_trace));
        let result = vm.call(&hook, &[Value::from(event), args.clone()], None);
        interp.tracing.set(interp.tracing.get() - i32::from(!can_trace));
        result?;
    }
    Ok(())
}

/// Writes text, with what the stream's encoding lacks escaped.
fn write_escaped(vm: &Vm, stream: &Value, text: &Value) -> Result<()> {
    match vm.call_method_name(stream, &names().write, std::slice::from_ref(text)) {
        Ok(_) => return Ok(()),
        Err(raised) => drop(vm.catch(raised, exceptions::UNICODE_ENCODE_ERROR.ty())?),
    }
    let encoding = vm.get_attr(stream, &names().encoding)?;
    let bytes = vm.call_method(text, "encode", &[encoding.clone(), Value::from("backslashreplace")])?;
    if let Some(buffer) = vm.get_attr_str_opt(stream, "buffer")? {
        return vm.call_method_name(&buffer, &names().write, &[bytes]).map(drop);
    }
    let decoded = vm.call_method(&bytes, "decode", &[encoding, Value::from("strict")])?;
    vm.call_method_name(stream, &names().write, &[decoded]).map(drop)
}

/// `sys.breakpointhook`: what `PYTHONBREAKPOINT` names, by default `pdb.set_trace`.
fn breakpoint(vm: &Vm, args: &[Value], kwnames: Option<&Value>) -> Result {
    let ignore = config::get().ignore_environment;
    let wanted = std::env::var("PYTHONBREAKPOINT").ok().filter(|name| !ignore && !name.is_empty());
    let wanted = wanted.unwrap_or_else(|| "pdb.set_trace".to_string());
    if wanted == "0" {
        return Ok(Value::NONE);
    }
    let (module, name) = wanted.rsplit_once('.').unwrap_or(("builtins", &wanted));
    let found = vm.import(module).and_then(|module| vm.get_attr_str(&module, name));
    match found {
        Ok(hook) => vm.call(&hook, args, kwnames),
        Err(raised) => {
            vm.discard(raised);
            let message = format!("Ignoring unimportable $PYTHONBREAKPOINT: \"{wanted}\"");
            vm.warn(&exceptions::RUNTIME_WARNING.value(), &message, 1)?;
            Ok(Value::NONE)
        }
    }
}

static UNRAISABLE_ARGS: taipan_object::builtins::structseq::StructSeq =
    taipan_object::builtins::structseq::StructSeq::new(
        "sys.UnraisableHookArgs",
        "UnraisableHookArgs\n\nType used to pass arguments to sys.unraisablehook.",
        &[Some("exc_type"), Some("exc_value"), Some("exc_traceback"), Some("err_msg"), Some("object")],
        5,
    );

/// Shows an exception, whatever is given for one, as `sys.excepthook` does.
fn excepthook(vm: &Vm, value: &Value, traceback: &Value) {
    if value.downcast::<BaseException>().is_some() {
        if traceback.downcast::<Traceback>().is_some() && exceptions::traceback(value).is_none() {
            exceptions::set_traceback(value, traceback.clone());
        }
        return crate::runtime::print_exception(vm, value);
    }
    let text = match value.is_none() {
        true => "NoneType: None\n".to_string(),
        false => {
            let got = value.ty().name();
            format!("TypeError: print_exception(): Exception expected for value, {got} found\n")
        }
    };
    crate::runtime::write_stderr(vm, &text);
}

/// Removes the descriptors of `__dict__` and `__weakref__`, which a class made anew with slots must not inherit.
fn clear_type_descriptors(vm: &Vm, class: &Value) -> Result {
    let Some(ty) = class.downcast::<Type>() else {
        let got = class.ty().name();
        return Err(vm.type_error(format!("_clear_type_descriptors() argument must be type, not {got}")));
    };
    if ty.has_flags(type_flags::IMMUTABLETYPE) {
        return Err(vm.type_error("argument is immutable"));
    }
    let dict = ty.dict();
    let removed = [&names().__dict__, &names().__weakref__].map(|name| dict.remove_str(name));
    ty.modified();
    drop(removed);
    Ok(Value::NONE)
}

/// Reports an exception that nobody can catch, through `sys.unraisablehook`. With a message, the object is shown in it; if it
/// cannot be shown, there is no message.
pub fn write_unraisable(vm: &Vm, exception: Value, message: &str, object: &Value) {
    crate::traceback::place_here(vm, &exception);
    if !message.is_empty() && !object.is_none() {
        let message = match vm.repr_string(object) {
            Ok(shown) => format!("{message} {shown}"),
            Err(raised) => {
                vm.discard(raised);
                String::new()
            }
        };
        return write_unraisable(vm, exception, &message, &Value::NONE);
    }
    if let Some(frame) = Interp::of(vm).current_frame()
        && exception.downcast::<BaseException>().is_some()
        && exceptions::traceback(&exception).is_none()
    {
        // SAFETY: the current frame is alive.
        let here = unsafe { crate::traceback::new_here(vm, frame as *const Frame as *mut Frame, Value::NONE) };
        exceptions::set_traceback(&exception, here);
    }
    let hook = get(vm, "unraisablehook").filter(|hook| !hook.is_none());
    let Some(hook) = hook else { return crate::runtime::print_unraisable(vm, &exception, message, object) };
    let args = UNRAISABLE_ARGS.instance(
        vm,
        vec![
            exception.ty().to_value(),
            exception.clone(),
            exceptions::traceback(&exception),
            if message.is_empty() { Value::NONE } else { Value::from(message) },
            object.clone(),
        ],
    );
    let result = args.and_then(|args| vm.call(&hook, &[args], None));
    if let Err(raised) = result {
        let failure = vm.take(raised);
        crate::runtime::print_unraisable(vm, &failure, "Exception ignored in sys.unraisablehook", &hook);
    }
}
