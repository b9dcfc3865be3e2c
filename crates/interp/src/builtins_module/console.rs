//! `print` and `input`.

use taipan_object::builtins::str::{Str, intern};
use taipan_object::builtins::tuple::Tuple;
use taipan_object::exceptions;
use taipan_object::vm::names;
use taipan_object::{Result, Value, Vm, codecs};

/// Bound as `print(*args, sep, end, file, flush)`.
pub fn print(vm: &Vm, args: &[Value]) -> Result {
    let [values, sep, end, file, flush] = args else { unreachable!("bound to the signature") };
    let file = match file.given() {
        Some(file) => file.clone(),
        None => match crate::sys_module::get(vm, "stdout") {
            Some(stdout) if stdout.is_none() => return Ok(Value::NONE),
            Some(stdout) => stdout,
            None => return Err(vm.runtime_error("lost sys.stdout")),
        },
    };
    for (value, name) in [(sep, "sep"), (end, "end")] {
        if !value.is_none() && value.downcast::<Str>().is_none() {
            let got = value.ty().name();
            return Err(vm.type_error(format!("{name} must be None or a string, not {got}")));
        }
    }
    let write = |text: &Value| vm.call_method_name(&file, &names().write, std::slice::from_ref(text)).map(drop);
    let values = values.downcast::<Tuple>().map_or(&[][..], Tuple::as_slice);
    let space = intern(" ").into_value();
    let newline = intern("\n").into_value();
    for (at, value) in values.iter().enumerate() {
        if at > 0 {
            write(if sep.is_none() { &space } else { sep })?;
        }
        write(&vm.str(value)?)?;
    }
    write(if end.is_none() { &newline } else { end })?;
    if vm.is_true(flush)? {
        vm.call_method_name(&file, &names().flush, &[])?;
    }
    Ok(Value::NONE)
}

pub fn input(vm: &Vm, prompt: &Value) -> Result {
    let stream = |name: &str| match crate::sys_module::get(vm, name).filter(|stream| !stream.is_none()) {
        Some(stream) => Ok(stream),
        None => Err(vm.runtime_error(format!("lost sys.{name}"))),
    };
    let (stdin, stdout, stderr) = (stream("stdin")?, stream("stdout")?, stream("stderr")?);
    // The default cannot be told from an empty prompt, which shows nothing either.
    let prompt = Some(prompt).filter(|prompt| prompt.downcast::<Str>().is_none_or(|text| text.len() > 0));
    vm.audit("builtins.input", &[prompt.cloned().unwrap_or(Value::NONE)])?;
    if let Err(raised) = vm.call_method_name(&stderr, &names().flush, &[]) {
        vm.discard(raised);
    }
    let line = match terminal_coding(vm, &stdin, &stdout)? {
        Some((input, output)) => input_from_terminal(vm, &stdout, prompt, &input, &output)?,
        None => {
            if let Some(prompt) = prompt {
                vm.call_method_name(&stdout, &names().write, &[vm.str(prompt)?])?;
            }
            if let Err(raised) = vm.call_method_name(&stdout, &names().flush, &[]) {
                vm.discard(raised);
            }
            next_line(vm, &stdin)?
        }
    };
    vm.audit("builtins.input/result", std::slice::from_ref(&line))?;
    Ok(line)
}

/// The next line of a stream without its end.
fn next_line(vm: &Vm, stdin: &Value) -> Result {
    let line = vm.call_method_name(stdin, &names().readline, &[])?;
    let Some(text) = line.downcast::<Str>() else {
        return Err(vm.type_error("object.readline() returned non-string"));
    };
    if text.len() == 0 {
        return Err(vm.raise_new(exceptions::EOF_ERROR.ty(), "EOF when reading a line".to_string()));
    }
    let end = if text.at(text.len() - 1) == '\n' as u32 { text.len() - 1 } else { text.len() };
    Ok(text.slice(0, end).into_value())
}

/// Encoding and error handler of a text stream.
type Coding = (String, String);

fn coding(vm: &Vm, stream: &Value) -> Result<Option<Coding>> {
    let encoding = vm.get_attr_str_opt(stream, "encoding")?;
    let errors = vm.get_attr_str_opt(stream, "errors")?;
    let text = |value: Option<Value>| value.and_then(|value| value.downcast::<Str>().map(Str::to_string_lossy));
    Ok(text(encoding).zip(text(errors)))
}

/// How to code text if both streams are the process's own and terminals.
fn terminal_coding(vm: &Vm, stdin: &Value, stdout: &Value) -> Result<Option<(Coding, Coding)>> {
    for (stream, own) in [(stdin, 0), (stdout, 1)] {
        let descriptor = match vm.call_method(stream, "fileno", &[]) {
            Ok(descriptor) => taipan_object::builtins::int::to_i64(&descriptor),
            Err(raised) => {
                vm.discard(raised);
                None
            }
        };
        // SAFETY: the call only asks.
        if descriptor != Some(own) || unsafe { libc::isatty(own as i32) } == 0 {
            return Ok(None);
        }
    }
    Ok(coding(vm, stdin)?.zip(coding(vm, stdout)?))
}

fn input_from_terminal(
    vm: &Vm,
    stdout: &Value,
    prompt: Option<&Value>,
    (encoding, errors): &Coding,
    (prompt_encoding, prompt_errors): &Coding,
) -> Result {
    vm.call_method_name(stdout, &names().flush, &[])?;
    let mut shown = Vec::new();
    if let Some(prompt) = prompt {
        let text = vm.str(prompt)?;
        let encoded = codecs::encode(vm, &text, Some(prompt_encoding), Some(prompt_errors))?;
        shown = vm.bytes_like(&encoded)?.to_vec();
        if shown.contains(&0) {
            return Err(vm.value_error("input: prompt string cannot contain null characters"));
        }
    }
    let Some(mut line) = crate::console::read_line(vm, &shown)? else {
        return Err(vm.raise_args(exceptions::EOF_ERROR.ty(), Vec::new()));
    };
    if line.last() == Some(&b'\n') {
        line.pop();
    }
    codecs::decode(vm, &line, Some(encoding), Some(errors))
}
