//! `io.open`, `io.open_code`, `io.text_encoding`.

use super::buffered::{random, reader, writer};
use super::file_io::FILE_IO;
use super::names::names;
use super::text_io_wrapper::TEXT_IO_WRAPPER;
use super::{DEFAULT_BUFFER_SIZE, with_context};
use taipan_object::builtins::int;
use taipan_object::builtins::str::Str;
use taipan_object::exceptions::{ENCODING_WARNING, RUNTIME_WARNING};
use taipan_object::native::MethodDef;
use taipan_object::{Result, Value, Vm, method_table};

/// Buffers grow with the file system's blocks up to this.
const MAX_BLOCK: i64 = 8 * 1024 * 1024;

/// What a mode string of `open` asks for.
#[derive(Default)]
struct Mode {
    creating: bool,
    reading: bool,
    writing: bool,
    appending: bool,
    updating: bool,
    text: bool,
    binary: bool,
}

fn parse_mode(vm: &Vm, text: &str) -> Result<Mode> {
    let mut mode = Mode::default();
    for (at, c) in text.char_indices() {
        let flag = match c {
            'x' => &mut mode.creating,
            'r' => &mut mode.reading,
            'w' => &mut mode.writing,
            'a' => &mut mode.appending,
            '+' => &mut mode.updating,
            't' => &mut mode.text,
            'b' => &mut mode.binary,
            _ => return Err(vm.value_error(format!("invalid mode: '{text}'"))),
        };
        if text[..at].contains(c) {
            return Err(vm.value_error(format!("invalid mode: '{text}'")));
        }
        *flag = true;
    }
    if mode.text && mode.binary {
        return Err(vm.value_error("can't have text and binary mode at once"));
    }
    let kinds = [mode.creating, mode.reading, mode.writing, mode.appending];
    if kinds.iter().filter(|kind| **kind).count() > 1 {
        return Err(vm.value_error("must have exactly one of create/read/write/append mode"));
    }
    Ok(mode)
}

impl Mode {
    /// The mode of the raw file.
    fn raw(&self) -> String {
        let flags = [
            (self.creating, 'x'),
            (self.reading, 'r'),
            (self.writing, 'w'),
            (self.appending, 'a'),
            (self.updating, '+'),
        ];
        flags.iter().filter(|(set, _)| *set).map(|(_, c)| c).collect()
    }
}

fn optional_str(vm: &Vm, parameter: &str, value: &Value) -> Result<Option<String>> {
    let Some(given) = value.given() else { return Ok(None) };
    let Some(text) = given.downcast::<Str>() else {
        let got = given.ty().name();
        return Err(vm.type_error(format!("open() argument '{parameter}' must be str or None, not {got}")));
    };
    let text = text.to_string_lossy();
    if text.contains('\0') {
        return Err(vm.value_error("embedded null character"));
    }
    Ok(Some(text))
}

fn open(vm: &Vm, args: &[Value]) -> Result {
    let [file, mode, buffering, encoding, errors, newline, closefd, opener] = args else {
        unreachable!("open() declares eight parameters")
    };
    let Some(mode_text) = mode.downcast::<Str>() else {
        let got = mode.ty().name();
        return Err(vm.type_error(format!("open() argument 'mode' must be str, not {got}")));
    };
    let mode_text = mode_text.to_string_lossy();
    if mode_text.contains('\0') {
        return Err(vm.value_error("embedded null character"));
    }
    let buffering = vm.index_i32(buffering)?;
    let encoding_text = optional_str(vm, "encoding", encoding)?;
    let errors_text = optional_str(vm, "errors", errors)?;
    let newline_text = optional_str(vm, "newline", newline)?;
    let closefd = vm.is_true(closefd)?;
    let file = if int::is_int(file) { file.clone() } else { crate::arguments::fspath(vm, file)? };
    let mode = parse_mode(vm, &mode_text)?;
    if mode.binary {
        for (given, name) in [(&encoding_text, "encoding"), (&errors_text, "errors"), (&newline_text, "newline")] {
            if given.is_some() {
                let article = if name == "newline" { "a" } else { "an" };
                return Err(vm.value_error(format!("binary mode doesn't take {article} {name} argument")));
            }
        }
        if buffering == 1 {
            vm.warn(
                &RUNTIME_WARNING.value(),
                "line buffering (buffering=1) isn't supported in binary mode, the default buffer size will be used",
                1,
            )?;
        }
    }
    let raw = vm.call_args(&FILE_IO.value(), &[file, Value::from(mode.raw()), Value::bool(closefd), opener.clone()])?;
    let result = open_layers(vm, &raw, &mode, &mode_text, buffering, [encoding, errors, newline]);
    let (raised, outer) = match result {
        Ok(stream) => return Ok(stream),
        Err(failure) => failure,
    };
    // The outermost layer that came into being closes them all.
    let exception = vm.take(raised);
    match vm.call_method_name(&outer, &names().close, &[]) {
        Ok(_) => Err(vm.set_exception(exception)),
        Err(raised) => Err(with_context(vm, raised, exception)),
    }
}

/// Puts buffer and text layer on a raw file; upon failure, the outermost layer made so far comes with the exception.
fn open_layers(
    vm: &Vm,
    raw: &Value,
    mode: &Mode,
    mode_text: &str,
    buffering: i32,
    text_arguments: [&Value; 3],
) -> std::result::Result<Value, (taipan_object::vm::Raised, Value)> {
    let because_of = |layer: &Value| {
        let layer = layer.clone();
        move |raised| (raised, layer)
    };
    let terminal = buffering < 0 && {
        let answer = vm.call_method_name(raw, &names()._isatty_open_only, &[]).map_err(because_of(raw))?;
        vm.is_true(&answer).map_err(because_of(raw))?
    };
    let line_buffering = !mode.binary && (buffering == 1 || terminal);
    let mut buffering = if buffering == 1 || terminal { -1 } else { buffering as i64 };
    if buffering < 0 {
        let block =
            vm.get_attr(raw, &names()._blksize).and_then(|size| vm.index_i64(&size)).map_err(because_of(raw))?;
        buffering = block.min(MAX_BLOCK).max(DEFAULT_BUFFER_SIZE as i64);
    }
    if buffering == 0 {
        if !mode.binary {
            return Err((vm.value_error("can't have unbuffered text I/O"), raw.clone()));
        }
        return Ok(raw.clone());
    }
    let class = match () {
        _ if mode.updating => &random::BUFFERED_RANDOM,
        _ if mode.reading => &reader::BUFFERED_READER,
        _ => &writer::BUFFERED_WRITER,
    };
    let buffer = vm.call_args(&class.value(), &[raw.clone(), Value::from(buffering)]).map_err(because_of(raw))?;
    if mode.binary {
        return Ok(buffer);
    }
    let [encoding, errors, newline] = text_arguments;
    let arguments = [buffer.clone(), encoding.clone(), errors.clone(), newline.clone(), Value::bool(line_buffering)];
    let text = vm.call_args(&TEXT_IO_WRAPPER.value(), &arguments).map_err(because_of(&buffer))?;
    vm.set_attr(&text, &names().mode, &Value::from(mode_text)).map_err(because_of(&text))?;
    Ok(text)
}

method_table! { pub static FUNCTIONS = [
    MethodDef::new("open($module, /, file, mode='r', buffering=-1, encoding=None,\n     errors=None, newline=None, closefd=True, opener=None)", "Open file and return a stream.  Raise OSError upon failure.\n\nfile is a name or the descriptor of an open file. mode has one of 'r' (read), 'w' (write,\ntruncating first), 'x' (create) and 'a' (append), and may have '+' (also the other direction)\nand 'b' (bytes instead of text) or 't'. buffering is 0 for none (bytes only), 1 for lines (text\nonly), or the size of the buffer.", |vm, _, args| open(vm, args)),
    MethodDef::new("text_encoding($module, encoding, stacklevel=2, /)", "What open() is to be given as encoding by a function whose own encoding argument may be None.\n\nWith -X warn_default_encoding, None gives an EncodingWarning.", |vm, _, args| {
        let stacklevel = vm.index_i32(&args[1])?;
        if args[0].given().is_some() {
            return Ok(args[0].clone());
        }
        if flag(vm, "warn_default_encoding")? {
            let stacklevel = stacklevel.max(0) as usize;
            vm.warn(&ENCODING_WARNING.value(), "'encoding' argument not specified", stacklevel)?;
        }
        Ok(Value::from(if flag(vm, "utf8_mode")? { "utf-8" } else { "locale" }))
    }),
    MethodDef::new("open_code($module, /, path)", "Open a file with code that is going to be executed.\n\n\
        An audit hook sees it.", |vm, _, args| {
        if args[0].downcast::<Str>().is_none() {
            let got = args[0].ty().name();
            return Err(vm.type_error(format!("open_code() argument 'path' must be str, not {got}")));
        }
        let (mode, none, minus_one) = (Value::from("rb"), Value::NONE, Value::from(-1));
        open(vm, &[args[0].clone(), mode, minus_one, none.clone(), none.clone(), none.clone(), Value::TRUE, none])
    }),
]; }

/// Whether a field of `sys.flags` is set.
pub fn flag(vm: &Vm, name: &str) -> Result<bool> {
    let flags = vm.import_from("sys", "flags")?;
    let value = vm.get_attr_str(&flags, name)?;
    vm.is_true(&value)
}
