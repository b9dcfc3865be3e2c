//! The basic interactive session: prompts, one statement after another. Counterpart of CPython's
//! `PyRun_InteractiveLoop`. The better one, with multi-line editing, is the library's `_pyrepl`.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use bumpalo::Bump;
use taipan_object::builtins::dict::Dict;
use taipan_object::builtins::str::{Str, intern};
use taipan_object::exceptions::SYNTAX_ERROR;
use taipan_object::{Raised, Ref, Result, Value, Vm};
use taipan_syntax::{ErrorKind, Mode};

use crate::code::Code;
use crate::compile::{Origin, Request, compile_source, flags, parse_options};
use crate::{config, console, eval, runtime, sys_module};

/// How a statement ended.
enum Turn {
    Done,
    EndOfInput,
    Exit(i32),
}

/// Runs statements from standard input in `globals` until its end; the exit code.
pub fn run(vm: &Vm, globals: &Ref<Dict>) -> Result<i32> {
    let sys = vm.import("sys")?;
    for (name, prompt) in [("ps1", ">>> "), ("ps2", "... ")] {
        if vm.get_attr_str_opt(&sys, name)?.is_none() {
            vm.set_attr_str(&sys, name, &Value::from(prompt))?;
        }
    }
    let mut future_flags = 0;
    loop {
        match turn(vm, globals, &mut future_flags) {
            Turn::Done => {}
            Turn::EndOfInput => return Ok(0),
            Turn::Exit(code) => return Ok(code),
        }
    }
}

fn turn(vm: &Vm, globals: &Ref<Dict>, future_flags: &mut u32) -> Turn {
    let result = match read_statement(vm, *future_flags) {
        Ok(None) => return Turn::EndOfInput,
        Ok(Some(code)) => {
            *future_flags |= code.flags() & taipan_compiler::PYCF_MASK;
            let main = globals.clone();
            eval::eval_code(vm, &code, &main, None, None).map(drop)
        }
        Err(raised) => Err(raised),
    };
    if let Err(raised) = result {
        let exception = vm.take(raised);
        if let Some(code) = runtime::exit_request(vm, &exception).or_else(|| runtime::report(vm, &exception)) {
            return Turn::Exit(code);
        }
    }
    flush(vm);
    Turn::Done
}

fn flush(vm: &Vm) {
    for name in ["stderr", "stdout"] {
        if let Some(stream) = sys_module::get(vm, name).filter(|stream| !stream.is_none())
            && let Err(raised) = vm.call_method(&stream, "flush", &[])
        {
            vm.discard(raised);
        }
    }
}

/// A prompt of `sys` as text to show.
fn prompt(vm: &Vm, name: &str) -> Vec<u8> {
    let Some(prompt) = sys_module::get(vm, name) else { return Vec::new() };
    match vm.str(&prompt) {
        Ok(text) => text.downcast::<Str>().map(Str::to_fs_bytes).unwrap_or_default(),
        Err(raised) => {
            vm.discard(raised);
            Vec::new()
        }
    }
}

/// Reads lines until they are a statement; `None` at the end of input.
fn read_statement(vm: &Vm, future_flags: u32) -> Result<Option<Ref<Code>>> {
    let mut source: Vec<u8> = Vec::new();
    loop {
        let is_first = source.is_empty();
        flush(vm);
        let line = match console::read_line(vm, &prompt(vm, if is_first { "ps1" } else { "ps2" })) {
            Ok(line) => line,
            Err(raised) => {
                runtime::write_stderr(vm, "\n");
                return Err(raised);
            }
        };
        let Some(mut line) = line else {
            runtime::write_stderr(vm, "\n");
            // What there is must do.
            return if is_first { Ok(None) } else { compile(vm, &source, future_flags).map(Some) };
        };
        let has_end = line.last() == Some(&b'\n');
        while line.last().is_some_and(|byte| matches!(byte, b'\n' | b'\r')) {
            line.pop();
        }
        if is_first && line.trim_ascii_start().first().is_none_or(|byte| *byte == b'#') {
            continue;
        }
        if !is_first {
            source.push(b'\n');
        }
        source.extend_from_slice(&line);
        if has_end && !is_incomplete(&source, future_flags) {
            return compile(vm, &source, future_flags).map(Some);
        }
    }
}

/// Whether the source may be the beginning of a statement. (As `codeop` finds out: with another line end it is whole or
/// incomplete, as it is it is neither.)
fn is_incomplete(source: &[u8], future_flags: u32) -> bool {
    let filename = Value::NONE;
    let flags = flags::ALLOW_INCOMPLETE_INPUT | flags::DONT_IMPLY_DEDENT | future_flags;
    let request = request(&filename, flags);
    let options = parse_options(&request, "<stdin>");
    let parse = |source: &[u8]| {
        let arena = Bump::new();
        taipan_syntax::parse(&arena, source, &options).map(|_| ()).map_err(|error| error.kind)
    };
    if parse(source).is_ok() {
        return false;
    }
    matches!(parse(&[source, b"\n"].concat()), Ok(()) | Err(ErrorKind::IncompleteInputError))
}

fn request(filename: &Value, flags: u32) -> Request<'_> {
    Request {
        filename,
        mode: Mode::Single,
        flags,
        optimize: config::get().optimize,
        feature_version: -1,
        origin: Origin::Bytes,
    }
}

/// Compiles a statement. What parses has a file name with a number, by which tracebacks find its lines.
fn compile(vm: &Vm, source: &[u8], future_flags: u32) -> Result<Ref<Code>> {
    static STATEMENTS: AtomicU64 = AtomicU64::new(0);
    let source = [source, b"\n"].concat();
    let plain = intern("<stdin>").into_value();
    let parses =
        taipan_syntax::parse(&Bump::new(), &source, &parse_options(&request(&plain, future_flags), "<stdin>")).is_ok();
    if !parses {
        let failed = compile_source(vm, &source, &request(&plain, future_flags))?;
        return Ok(failed.downcast_ref::<Code>().expect("the compiler makes code"));
    }
    let filename = Value::from(format!("<stdin-{}>", STATEMENTS.fetch_add(1, Relaxed)));
    let code = compile_source(vm, &source, &request(&filename, future_flags))
        .map_err(|raised| add_source_line(vm, raised, &source))?;
    let code = code.downcast_ref::<Code>().expect("the compiler makes code");
    register_source(vm, &code, &source, "<stdin>")?;
    Ok(code)
}

/// Gives a `SyntaxError` of the compiler the line that it is about.
fn add_source_line(vm: &Vm, raised: Raised, source: &[u8]) -> Raised {
    let exception = vm.take(raised);
    let attribute = |name: &str| {
        vm.get_attr_str(&exception, name).unwrap_or_else(|raised| {
            vm.discard(raised);
            Value::NONE
        })
    };
    if exception.ty().is_subtype(SYNTAX_ERROR.ty()) && attribute("text").is_none() {
        let line = attribute("lineno").as_small_int().and_then(|line| usize::try_from(line - 1).ok());
        let text = line.and_then(|line| source.split_inclusive(|byte| *byte == b'\n').nth(line));
        if let Some(text) = text
            && let Err(raised) = vm.set_attr_str(&exception, "text", Str::from_fs_bytes(text).as_value())
        {
            vm.discard(raised);
        }
    }
    vm.set_exception(exception)
}

/// Lets tracebacks show the lines of code that is in no file.
pub fn register_source(vm: &Vm, code: &Ref<Code>, source: &[u8], name: &str) -> Result<()> {
    let register = vm.import_from("linecache", "_register_code")?;
    let text = Value::from(String::from_utf8_lossy(source).into_owned());
    vm.call_args(&register, &[code.as_value().clone(), text, Value::from(name)]).map(drop)
}
