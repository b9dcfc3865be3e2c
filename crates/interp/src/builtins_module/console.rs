//! `print` and `input`.

use taipan_object::builtins::str::{Str, intern};
use taipan_object::builtins::tuple::Tuple;
use taipan_object::exceptions;
use taipan_object::vm::names;
use taipan_object::{Result, Value, Vm};

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
        None => Err(vm.runtime_error(format!("input(): lost sys.{name}"))),
    };
    let (stdin, stdout, stderr) = (stream("stdin")?, stream("stdout")?, stream("stderr")?);
    vm.audit("builtins.input", std::slice::from_ref(prompt))?;
    if let Err(raised) = vm.call_method_name(&stderr, &names().flush, &[]) {
        vm.discard(raised);
    }
    let prompt = vm.str(prompt)?;
    if prompt.downcast::<Str>().is_some_and(|p| p.len() > 0) {
        vm.call_method_name(&stdout, &names().write, std::slice::from_ref(&prompt))?;
    }
    vm.call_method_name(&stdout, &names().flush, &[])?;
    let line = vm.call_method_name(&stdin, &names().readline, &[])?;
    let Some(text) = line.downcast::<Str>() else {
        return Err(vm.type_error("object.readline() returned non-string"));
    };
    if text.len() == 0 {
        return Err(vm.raise_new(exceptions::EOF_ERROR.ty(), "EOF when reading a line".to_string()));
    }
    let end = if text.at(text.len() - 1) == '\n' as u32 { text.len() - 1 } else { text.len() };
    Ok(text.slice(0, end).into_value())
}
