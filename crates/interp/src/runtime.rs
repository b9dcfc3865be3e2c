//! The life of the interpreter: start, the standard streams, printing of exceptions, end.

mod finalize;

pub use finalize::finish;

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use taipan_object::builtins::str::Str;
use taipan_object::exceptions;
use taipan_object::native::module::TELL_DESTRUCTION;
use taipan_object::types::Type;
use taipan_object::vm::names;
use taipan_object::{Result, Value, Vm};

use crate::frame_object::FrameObject;
use crate::traceback::Traceback;
use crate::{config, import, streams, sys_module, tracemalloc_module};

pub use taipan_object::vm::gil::is_finalizing;

/// Native modules without which `importlib` cannot start.
const NEEDED: [&str; 6] = ["_thread", "_weakref", "_warnings", "posix", "_io", "marshal"];

/// Starts the import system, the standard streams and `site`.
pub fn start(vm: &Vm) -> Result<()> {
    set_hash_key();
    TELL_DESTRUCTION.store(config::get().verbose > 0, Relaxed);
    if config::get().tracemalloc > 0 {
        tracemalloc_module::start(vm, i32::try_from(config::get().tracemalloc).unwrap_or(i32::MAX))?;
    }
    taipan_object::builtins::int::set_max_str_digits(config::get().int_max_str_digits);
    vm.import("builtins")?;
    vm.import("sys")?;
    taipan_object::heap::set_collection_hook(|| {
        if let Some(vm) = Vm::try_current() {
            vm.request_safepoint();
        }
    });
    taipan_object::collector::apply_threshold();
    if NEEDED.iter().any(|name| import::native_module(name).is_none()) {
        return sys_module::add_main_module(vm);
    }
    import::install(vm)?;
    vm.import("encodings")?;
    // From here on, SIGINT is Python's.
    vm.import("_signal")?;
    streams::open(vm)?;
    sys_module::add_main_module(vm)?;
    if config::get().faulthandler {
        vm.call_method(&vm.import("faulthandler")?, "enable", &[])?;
    }
    if !config::get().warnoptions.is_empty() {
        vm.import("warnings")?;
    }
    if !config::get().no_site {
        vm.import("site")?;
    }
    Ok(())
}

/// The key of the hashes of str and bytes: from `PYTHONHASHSEED` (by CPython's generator), else random.
fn set_hash_key() {
    let mut key = [0u8; 16];
    match config::get().hash_seed {
        Some(0) => {}
        Some(seed) => {
            // The linear congruential generator of Visual C's rand().
            let mut state = seed;
            for byte in &mut key {
                state = state.wrapping_mul(214013).wrapping_add(2531011);
                *byte = (state >> 16 & 0xFF) as u8;
            }
        }
        None => {
            // SAFETY: the buffer has the given length.
            unsafe { libc::getrandom(key.as_mut_ptr().cast(), key.len(), 0) };
        }
    }
    let word = |at: usize| u64::from_le_bytes(std::array::from_fn(|i| key[at + i]));
    taipan_object::hash::set_key(word(0), word(8));
}

/// Prints an exception with its traceback on `sys.stderr`, as `traceback` does it.
pub fn print_exception(vm: &Vm, exception: &Value) {
    let printed = vm.preserving_exception(|vm| {
        let print = match vm.import_from("traceback", "_print_exception_bltin") {
            Ok(print) => print,
            Err(raised) => {
                vm.discard(raised);
                return false;
            }
        };
        match vm.call(&print, std::slice::from_ref(exception), None) {
            Ok(_) => true,
            Err(raised) => {
                vm.discard(raised);
                false
            }
        }
    });
    if !printed {
        write_stderr(vm, &format_exception(vm, exception));
    }
}

pub fn write_stderr(vm: &Vm, text: &str) {
    let stream = sys_module::get(vm, "stderr").filter(|stream| !stream.is_none());
    let written =
        stream.is_some_and(|stream| match vm.call_method_name(&stream, &names().write, &[Value::from(text)]) {
            Ok(_) => true,
            Err(raised) => {
                vm.discard(raised);
                false
            }
        });
    if !written {
        // Nobody is left to hear that this failed.
        let _ = std::io::Write::write_all(&mut std::io::stderr(), text.as_bytes());
    }
}

/// Reports an exception that nobody can catch.
///
/// Without `sys.stderr`, also once the interpreter's end has taken it away, nothing is printed.
pub fn print_unraisable(vm: &Vm, exception: &Value, message: &str, object: &Value) {
    let (class, traceback) = match exception.is_none() {
        true => (Value::NONE, Value::NONE),
        false => (exception.ty().to_value(), exceptions::traceback(exception)),
    };
    print_unraisable_parts(vm, &class, exception, &traceback, message, object);
}

/// As [`print_unraisable`], with the class, value and traceback of the exception, each of which a program may have given.
pub fn print_unraisable_parts(
    vm: &Vm,
    class: &Value,
    exception: &Value,
    traceback: &Value,
    message: &str,
    object: &Value,
) {
    if sys_module::get(vm, "stderr").is_none_or(|stream| stream.is_none()) {
        return;
    }
    let describe = |value: &Value| {
        vm.repr_string(value).unwrap_or_else(|raised| {
            vm.discard(raised);
            "<object repr() failed>".to_string()
        })
    };
    let mut text = match (message, object.is_none()) {
        ("", true) => String::new(),
        ("", false) => format!("Exception ignored in: {}\n", describe(object)),
        (message, true) => format!("{message}:\n"),
        (message, false) => format!("{message}: {}\n", describe(object)),
    };
    if !class.is_none() {
        text.push_str(&plain_traceback(traceback));
        text.push_str(&qualified_class_name(vm, class));
        if !exception.is_none() {
            text.push_str(": ");
            text.push_str(&vm.str_string(exception).unwrap_or_else(|raised| {
                vm.discard(raised);
                "<exception str() failed>".to_string()
            }));
        }
        text.push('\n');
    }
    write_stderr(vm, &text);
}

/// The name of an exception's class, with its module unless that goes without saying.
fn qualified_class_name(vm: &Vm, class: &Value) -> String {
    let Some(ty) = class.downcast::<Type>() else { return "<unknown><unknown>".to_string() };
    let attribute = |name| match vm.get_attr(class, name) {
        Ok(value) => Some(value),
        Err(raised) => {
            vm.discard(raised);
            None
        }
    };
    let name = attribute(&names().__qualname__).map_or_else(|| ty.name(), |name| vm.display_name(&name));
    match attribute(&names().__module__).as_ref().and_then(|module| module.downcast::<Str>()) {
        Some(module) if module.is_str("builtins") || module.is_str("__main__") => name,
        Some(module) => format!("{}.{name}", module.to_string_lossy()),
        None => format!("<unknown>.{name}"),
    }
}

/// A traceback as the interpreter itself shows it: source lines without markers, repeated entries folded.
fn plain_traceback(traceback: &Value) -> String {
    /// How often the same entry is shown.
    const CUTOFF: usize = 3;
    let mut text = String::new();
    let mut at = traceback.clone();
    let mut last = None;
    let mut count = 0usize;
    let fold = |text: &mut String, count: usize| {
        if count > CUTOFF {
            let more = count - CUTOFF;
            text.push_str(&format!(
                "  [Previous line repeated {more} more time{}]\n",
                if more == 1 { "" } else { "s" }
            ));
        }
    };
    while let Some(entry) = at.downcast_ref::<Traceback>() {
        if let Some(frame) = entry.frame.downcast::<FrameObject>() {
            let data = &frame.code().data;
            let (file, name) = (data.filename.to_str_lossy(), data.name.to_str_lossy());
            let lineno = entry.lineno();
            let shown = lineno.map_or("?".to_string(), |line| line.to_string());
            let header = format!("  File \"{file}\", line {shown}, in {name}\n");
            if last.as_ref() != Some(&header) {
                fold(&mut text, count);
                count = 0;
            }
            count += 1;
            if count <= CUTOFF {
                text.push_str(&header);
                let filename = Str::from_wtf8(data.filename.as_bytes()).into_value();
                let line = lineno.and_then(|line| crate::compile::program_text(&filename, line));
                let line = line.as_ref().and_then(|line| line.downcast::<Str>()).map(Str::to_string_lossy);
                if let Some(line) = line.as_deref().map(str::trim).filter(|line| !line.is_empty()) {
                    text.push_str(&format!("    {line}\n"));
                }
            }
            last = Some(header);
        }
        at = entry.next();
    }
    fold(&mut text, count);
    if text.is_empty() { text } else { format!("Traceback (most recent call last):\n{text}") }
}

/// A traceback as plain text, for when `traceback` cannot be used.
pub fn format_exception(vm: &Vm, exception: &Value) -> String {
    const CAUSE: &str = "\nThe above exception was the direct cause of the following exception:\n\n";
    const CONTEXT: &str = "\nDuring handling of the above exception, another exception occurred:\n\n";
    // From the last to the first; a chain may bite its tail.
    let mut chain = vec![(exception.clone(), "")];
    while let Some((last, _)) = chain.last() {
        let earlier = match exceptions::cause(last) {
            Some(cause) => Some((cause, CAUSE)),
            None if exceptions::suppresses_context(last) => None,
            None => exceptions::context(last).map(|context| (context, CONTEXT)),
        };
        match earlier {
            Some(earlier) if chain.iter().all(|(known, _)| !known.is(&earlier.0)) => chain.push(earlier),
            _ => break,
        }
    }
    let mut text = String::new();
    for (exception, link) in chain.iter().rev() {
        text.push_str(&plain_traceback(&exceptions::traceback(exception)));
        let message = vm.str_string(exception).unwrap_or_else(|raised| {
            vm.discard(raised);
            "<exception str() failed>".to_string()
        });
        let name = exception.ty().name();
        text.push_str(&if message.is_empty() { format!("{name}\n") } else { format!("{name}: {message}\n") });
        text.push_str(link);
    }
    text
}

/// Whether an interactive session is to follow the program, so that nothing ends the process before.
static INSPECT: AtomicBool = AtomicBool::new(false);
/// Whether a `KeyboardInterrupt` ended the program.
static INTERRUPTED: AtomicBool = AtomicBool::new(false);

/// Says whether an interactive session is to follow.
pub fn set_inspect(inspect: bool) {
    INSPECT.store(inspect, Relaxed);
}

/// Whether the program ended with an unhandled `KeyboardInterrupt`: then the process ends by that signal.
pub fn was_interrupted() -> bool {
    INTERRUPTED.load(Relaxed)
}

/// What the process answers to an exception that ends the program; prints it unless it is `SystemExit`.
pub fn exit_code(vm: &Vm, exception: &Value) -> i32 {
    match exit_request(vm, exception) {
        Some(code) => code,
        None => {
            INTERRUPTED.store(exception.ty().is_subtype(exceptions::KEYBOARD_INTERRUPT.ty()), Relaxed);
            report(vm, exception).unwrap_or(1)
        }
    }
}

/// The exit code that a `SystemExit` asks for, whose text is printed; `None` for other exceptions.
pub fn exit_request(vm: &Vm, exception: &Value) -> Option<i32> {
    if INSPECT.load(Relaxed) || !exception.ty().is_subtype(exceptions::SYSTEM_EXIT.ty()) {
        return None;
    }
    Some(system_exit_code(vm, exception))
}

fn system_exit_code(vm: &Vm, exception: &Value) -> i32 {
    let code = vm.get_attr_str(exception, "code").unwrap_or_else(|raised| {
        vm.discard(raised);
        Value::NONE
    });
    if code.is_none() {
        return 0;
    }
    if taipan_object::builtins::int::is_int(&code) {
        return taipan_object::builtins::int::to_i64(&code).unwrap_or(-1) as i32;
    }
    flush_stdout(vm);
    let text = vm.str_string(&code).unwrap_or_else(|raised| {
        vm.discard(raised);
        String::new()
    });
    write_stderr(vm, &format!("{text}\n"));
    1
}

/// Flushes `sys.stdout`, come what may.
pub fn flush_stdout(vm: &Vm) {
    if let Some(stdout) = sys_module::get(vm, "stdout").filter(|stdout| !stdout.is_none())
        && let Err(raised) = vm.call_method_name(&stdout, &names().flush, &[])
    {
        vm.discard(raised);
    }
}

/// Calls `sys.excepthook` (`PyErr_Print`). The exit code, if that ends the process.
pub fn report(vm: &Vm, exception: &Value) -> Option<i32> {
    if let Ok(sys) = vm.import("sys").map_err(|raised| vm.discard(raised)) {
        for (name, value) in [
            ("last_exc", exception.clone()),
            ("last_type", exception.ty().to_value()),
            ("last_value", exception.clone()),
            ("last_traceback", exceptions::traceback(exception)),
        ] {
            if let Err(raised) = vm.set_attr_str(&sys, name, &value) {
                vm.discard(raised);
            }
        }
    }
    let Some(hook) = sys_module::get(vm, "excepthook") else {
        write_stderr(vm, "sys.excepthook is missing\n");
        print_exception(vm, exception);
        return None;
    };
    let args = [exception.ty().to_value(), exception.clone(), exceptions::traceback(exception)];
    if let Err(raised) = vm.audit("sys.excepthook", &[std::slice::from_ref(&hook), &args[..]].concat()) {
        vm.discard(raised);
    }
    if let Err(raised) = vm.call(&hook, &args, None) {
        let failure = vm.take(raised);
        if let Some(code) = exit_request(vm, &failure) {
            return Some(code);
        }
        flush_stdout(vm);
        write_stderr(vm, "Error in sys.excepthook:\n");
        print_exception(vm, &failure);
        write_stderr(vm, "\nOriginal exception was:\n");
        print_exception(vm, exception);
    }
    None
}
