//! Feeding a parser, and what becomes of its errors.

use taipan_object::builtins::bytearray::ByteArray;
use taipan_object::builtins::bytes::{self, Bytes};
use taipan_object::builtins::str::{Str, intern};
use taipan_object::vm::Raised;
use taipan_object::{Result, Value, Vm, codecs};

use super::engine::{Code, Encoding, Step, error};
use super::handlers::{dispatch, flush};
use super::parser::Parser;

/// Raises an `ExpatError` with a text, a code and the current position.
fn raise(vm: &Vm, this: &Value, code: Code, message: Option<String>) -> Raised {
    let (position, _) = Parser::of(this).state().engine.position();
    let text = message.unwrap_or_else(|| {
        let text = error::text(code as i32).unwrap_or("unknown error");
        format!("{text}: line {}, column {}", position.line, position.column)
    });
    let exception = super::error_class(vm).and_then(|class| vm.call_args(&class, &[Value::from(text)]));
    let outcome = exception.and_then(|exception| {
        let set = |name: &str, value: Value| vm.set_attr(&exception, intern(name).as_value(), &value);
        set("code", Value::from(code as i32))?;
        set("offset", Value::from(position.column))?;
        set("lineno", Value::from(position.line))?;
        Ok(exception)
    });
    match outcome {
        Ok(exception) => vm.raise(exception),
        Err(raised) => raised,
    }
}

pub fn error(vm: &Vm, this: &Value, code: Code) -> Raised {
    raise(vm, this, code, None)
}

pub fn invalid_argument(vm: &Vm, this: &Value, message: &str) -> Raised {
    raise(vm, this, Code::InvalidArgument, Some(message.to_string()))
}

/// The encoding that Python's codec of this name has for single bytes; `None` if it does not fit XML.
pub fn encoding_by_codec(vm: &Vm, name: &str) -> Result<Option<Encoding>> {
    let all: [u8; 256] = std::array::from_fn(|byte| byte as u8);
    let text = vm.call_method(&bytes::new(&all), "decode", &[Value::from(name), Value::from("replace")])?;
    let Some(text) = text.downcast::<Str>().filter(|text| text.len() == 256) else {
        return Err(vm.value_error("multi-byte encodings are not supported"));
    };
    let table: [Option<char>; 256] =
        std::array::from_fn(|byte| char::from_u32(text.at(byte)).filter(|c| *c != char::REPLACEMENT_CHARACTER));
    // What XML's syntax is made of must be where it is in ASCII.
    let fits = (0..128u8).all(|byte| {
        let is_syntax = matches!(byte, b'\t' | b'\n' | b'\r' | 0x20..=0x7e) && !b"$@\\^`{}~".contains(&byte);
        !is_syntax || table[usize::from(byte)] == Some(byte as char)
    });
    Ok(fits.then(|| Encoding::SingleByte(Box::new(table))))
}

/// Parses what was fed. An exception of a handler ends the parsing for good.
fn run(vm: &Vm, this: &Value) -> Result<()> {
    let parser = Parser::of(this);
    loop {
        let handlers = parser.wanted();
        let step = parser.state().engine.next(handlers);
        let outcome = match step {
            Ok(Step::Event(event)) => dispatch(vm, this, event),
            Ok(Step::UnknownEncoding(name)) => match encoding_by_codec(vm, &name) {
                Ok(encoding) => {
                    parser.state().engine.use_encoding(encoding);
                    Ok(())
                }
                Err(raised) => Err(raised),
            },
            Ok(Step::Wait) => return flush(vm, this).inspect_err(|_| stop(parser)),
            Err(code) => return Err(error(vm, this, code)),
        };
        if let Err(raised) = outcome {
            stop(parser);
            return Err(raised);
        }
    }
}

fn stop(parser: &Parser) {
    parser.state().engine.set_error(Code::Finished);
    parser.clear_handlers();
}

fn check_reentry(vm: &Vm, this: &Value, function: &str) -> Result<()> {
    match Parser::of(this).state().in_callback {
        true => Err(vm.runtime_error(format!("cannot call {function}() from within a handler"))),
        false => Ok(()),
    }
}

/// Looks up an encoding given to the constructor that only Python knows.
fn resolve_encoding(vm: &Vm, this: &Value) -> Result<()> {
    let name = Parser::of(this).state().encoding.take();
    if let Some(name) = name {
        match encoding_by_codec(vm, &name)? {
            Some(encoding) => Parser::of(this).state().engine.override_encoding(encoding),
            None => Parser::of(this).state().engine.set_error(Code::UnknownEncoding),
        }
    }
    Ok(())
}

fn feed(vm: &Vm, this: &Value, data: &[u8], is_final: bool) -> Result<()> {
    Parser::of(this).state().engine.feed(data, is_final);
    run(vm, this)
}

pub fn parse(vm: &Vm, this: &Value, args: &[Value]) -> Result {
    check_reentry(vm, this, "Parse")?;
    let is_final = vm.is_true(&args[1])?;
    if args[0].downcast::<Str>().is_some() {
        let text = codecs::to_utf8(vm, &args[0])?;
        let mut state = Parser::of(this).state();
        state.encoding = None;
        state.engine.override_encoding(Encoding::Utf8);
        drop(state);
        feed(vm, this, text.as_bytes(), is_final)?;
    } else {
        let data = vm.bytes_like(&args[0])?;
        resolve_encoding(vm, this)?;
        feed(vm, this, &data, is_final)?;
    }
    Ok(Value::from(1))
}

/// How much is asked for at once.
const BLOCK: usize = 2048;

pub fn parse_file(vm: &Vm, this: &Value, args: &[Value]) -> Result {
    check_reentry(vm, this, "ParseFile")?;
    let Some(read) = vm.get_attr_str_opt(&args[0], "read")? else {
        return Err(vm.type_error("argument must have 'read' attribute"));
    };
    resolve_encoding(vm, this)?;
    loop {
        let data = vm.call_args(&read, &[Value::from(BLOCK)])?;
        if data.downcast::<Bytes>().is_none() && data.downcast::<ByteArray>().is_none() {
            let got = data.ty().name();
            return Err(vm.type_error(format!("read() did not return a bytes object (type={got})")));
        }
        let block = vm.bytes_like(&data)?;
        if block.len() > BLOCK {
            let got = block.len();
            return Err(
                vm.value_error(format!("read() returned too much data: {BLOCK} bytes requested, {got} returned"))
            );
        }
        let is_final = block.is_empty();
        feed(vm, this, &block, is_final)?;
        if is_final {
            return Ok(Value::from(1));
        }
    }
}
