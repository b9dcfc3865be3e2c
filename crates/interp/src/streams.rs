//! The standard streams: opened at the start, flushed at the end.

use taipan_object::exceptions;
use taipan_object::vm::names;
use taipan_object::{Result, Value, Vm};

use crate::{config, locale, sys_module};

/// `sys.stdin`, `stdout` and `stderr` as `io` objects, and the builtin `open`.
pub fn open(vm: &Vm) -> Result<()> {
    let io = vm.import("_io")?;
    let builtins = vm.import("builtins")?;
    let open = vm.get_attr_str(&io, "open")?;
    vm.set_attr_str(&builtins, "open", &open)?;
    if stdin_is_directory() {
        return Err(fatal(vm, "init_sys_streams: <stdin> is a directory, cannot continue"));
    }
    let sys = vm.import("sys")?;
    let (encoding, errors) = encoding_and_errors();
    let Some(encoding) = codec_name(vm, &encoding)? else {
        return Err(fatal(vm, "init_stdio_encoding: failed to get the Python codec name of the stdio encoding"));
    };
    for (name, descriptor) in [("stdin", 0), ("stdout", 1), ("stderr", 2)] {
        let errors = if descriptor == 2 { "backslashreplace" } else { &errors };
        let stream = match open_stream(vm, &io, descriptor, name, &encoding, errors) {
            Ok(stream) => stream,
            // A descriptor that was closed meanwhile gives no stream.
            Err(raised) => vm.catch(raised, exceptions::OS_ERROR.ty()).map(|_| Value::NONE)?,
        };
        vm.set_attr_str(&sys, &format!("__{name}__"), &stream)?;
        vm.set_attr_str(&sys, name, &stream)?;
    }
    Ok(())
}

/// The name that the codec itself goes by; `None` if there is no such codec.
fn codec_name(vm: &Vm, encoding: &str) -> Result<Option<String>> {
    match taipan_object::codecs::registry::lookup(vm, encoding) {
        Ok(info) => {
            let name = vm.get_attr_str(&info, "name")?;
            Ok(Some(vm.str_string(&name)?))
        }
        Err(raised) => vm.catch(raised, exceptions::LOOKUP_ERROR.ty()).map(|_| None),
    }
}

/// Ends the start with a message of its own.
fn fatal(vm: &Vm, message: &str) -> taipan_object::vm::Raised {
    eprintln!("Fatal Python error: {message}\nPython runtime state: core initialized");
    vm.raise_args(exceptions::SYSTEM_EXIT.ty(), vec![Value::from(1)])
}

fn stdin_is_directory() -> bool {
    // SAFETY: `stat` is plain data, filled by the call.
    unsafe {
        let mut status: libc::stat = std::mem::zeroed();
        libc::fstat(0, &mut status) == 0 && status.st_mode & libc::S_IFMT == libc::S_IFDIR
    }
}

fn open_stream(vm: &Vm, io: &Value, descriptor: i32, name: &str, encoding: &str, errors: &str) -> Result {
    // SAFETY: the call only asks.
    if unsafe { libc::fcntl(descriptor, libc::F_GETFD) } < 0 {
        return Ok(Value::NONE);
    }
    let reading = descriptor == 0;
    // Input is always buffered: text needs `read1`.
    let unbuffered = config::get().unbuffered && !reading;
    let open = vm.get_attr_str(io, "open")?;
    let arguments = [Value::from(descriptor), Value::from(if reading { "rb" } else { "wb" })];
    let buffering = Value::from(if unbuffered { 0 } else { -1 });
    let buffer = vm.call_keywords(&open, &arguments, &[("buffering", buffering), ("closefd", Value::FALSE)])?;
    let raw = if unbuffered { buffer.clone() } else { vm.get_attr_str(&buffer, "raw")? };
    vm.set_attr_str(&raw, "name", &Value::from(format!("<{name}>")))?;
    let is_terminal = vm.call_method(&raw, "isatty", &[])?;
    let is_terminal = vm.is_true(&is_terminal)?;
    let buffered = !config::get().unbuffered;
    let wrapper = vm.get_attr_str(io, "TextIOWrapper")?;
    let stream = vm.call_keywords(
        &wrapper,
        &[buffer, Value::from(encoding), Value::from(errors), Value::from("\n")],
        &[
            ("line_buffering", Value::bool(buffered && (is_terminal || descriptor == 2))),
            ("write_through", Value::bool(!buffered)),
        ],
    )?;
    vm.set_attr_str(&stream, "mode", &Value::from(if reading { "r" } else { "w" }))?;
    Ok(stream)
}

/// Encoding and error handler of input and output, by `PYTHONIOENCODING`, the UTF-8 mode and the locale.
fn encoding_and_errors() -> (String, String) {
    let wanted = if config::get().ignore_environment { None } else { std::env::var("PYTHONIOENCODING").ok() };
    let (encoding, errors) = match &wanted {
        Some(wanted) => wanted.split_once(':').unwrap_or((wanted, "")),
        None => ("", ""),
    };
    let utf8_mode = config::get().utf8_mode.unwrap_or(false);
    let default_errors = if !encoding.is_empty() {
        "strict"
    } else if utf8_mode || locale::is_lenient() {
        "surrogateescape"
    } else {
        "strict"
    };
    let encoding = match encoding {
        "" if utf8_mode => "utf-8".to_string(),
        "" => locale::charset(),
        given => given.to_string(),
    };
    let errors = if errors.is_empty() { default_errors } else { errors };
    (encoding, errors.to_string())
}

/// Flushes `sys.stdout` and `sys.stderr`: false if that failed, which is reported for the former.
pub fn flush(vm: &Vm) -> bool {
    let mut done = true;
    for name in ["stdout", "stderr"] {
        let Some(stream) = sys_module::get(vm, name).filter(|stream| !stream.is_none()) else { continue };
        if is_closed(vm, &stream) {
            continue;
        }
        if let Err(raised) = vm.call_method_name(&stream, &names().flush, &[]) {
            done = false;
            if name == "stdout" {
                vm.write_unraisable(raised, "Exception ignored while flushing sys.stdout", &Value::NONE);
            } else {
                vm.discard(raised);
            }
        }
    }
    done
}

fn is_closed(vm: &Vm, stream: &Value) -> bool {
    let closed =
        vm.get_attr_str_opt(stream, "closed").and_then(|closed| closed.map_or(Ok(false), |closed| vm.is_true(&closed)));
    closed.unwrap_or_else(|raised| {
        vm.discard(raised);
        false
    })
}
