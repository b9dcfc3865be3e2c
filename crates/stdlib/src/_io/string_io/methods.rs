//! The methods of `StringIO`.

use super::StringIo;
use crate::_io::bytes_io::methods::{dict_state, set_dict};
use crate::_io::{os_error, size_argument};
use taipan_object::builtins::int;
use taipan_object::builtins::str::Str;
use taipan_object::builtins::tuple::Tuple;
use taipan_object::native::{GetSetDef, MethodDef};
use taipan_object::{Result, Value, Vm, method_table};

/// The stream, which must be initialised and open.
fn open<'a>(vm: &Vm, this: &'a Value) -> Result<&'a StringIo> {
    let own = StringIo::of(this);
    own.check_open(vm)?;
    Ok(own)
}

pub static GETSET: &[GetSetDef] = &[
    GetSetDef::new("closed", "", |vm, this| {
        let own = StringIo::of(this);
        own.check_initialized(vm)?;
        Ok(Value::bool(own.with(|state| state.closed)))
    }),
    GetSetDef::new("newlines", "", |vm, this| {
        let own = open(vm, this)?;
        Ok(own.with(|state| if state.universal { state.newlines.seen() } else { Value::NONE }))
    }),
    GetSetDef::new("line_buffering", "", |vm, this| open(vm, this).map(|_| Value::FALSE)),
];

fn seek(vm: &Vm, this: &Value, args: &[Value]) -> Result {
    let position = vm.index_i64(&args[0])?;
    let whence = vm.index_i32(&args[1])?;
    let own = open(vm, this)?;
    if !(0..=2).contains(&whence) {
        return Err(vm.value_error(format!("Invalid whence ({whence}, should be 0, 1 or 2)")));
    }
    if whence == 0 && position < 0 {
        return Err(vm.value_error(format!("Negative seek position {position}")));
    }
    if whence != 0 && position != 0 {
        return Err(os_error(vm, "Can't do nonzero cur-relative seeks".to_string()));
    }
    let position = own.with(|state| {
        state.position = match whence {
            0 => position as usize,
            1 => state.position,
            _ => state.text.len(),
        };
        state.position
    });
    Ok(Value::from(position))
}

fn set_state(vm: &Vm, this: &Value, state: &Value) -> Result<()> {
    let own = StringIo::of(this);
    own.with(|state| state.ok = false);
    let items = match state.downcast::<Tuple>() {
        Some(items) if items.len() >= 4 => items.as_slice(),
        _ => {
            let (class, got) = (this.ty().full_name(), state.ty().name());
            return Err(vm.type_error(format!("{class}.__setstate__ argument should be 4-tuple, got {got}")));
        }
    };
    if own.with(|state| state.closed) {
        return Err(vm.value_error("I/O operation on closed file"));
    }
    own.initialize(vm, &Value::NONE, &items[1])?;
    if !items[0].is_none() {
        let Some(text) = items[0].downcast::<Str>() else {
            let got = items[0].ty().name();
            return Err(vm.type_error(format!("first item of state should be a str or None, not {got}")));
        };
        // The text is as it was: nothing is translated.
        let done = own.with(|state| {
            state.text.truncate(0);
            state.text.write(0, text).is_some()
        });
        if !done {
            return Err(vm.memory_error());
        }
    }
    if !int::is_int(&items[2]) {
        let got = items[2].ty().name();
        return Err(vm.type_error(format!("third item of state must be an integer, got {got}")));
    }
    let position = vm.index_i64(&items[2])?;
    if position < 0 {
        return Err(vm.value_error("position value cannot be negative"));
    }
    own.with(|state| state.position = position as usize);
    if !items[3].is_none() && items[3].downcast::<taipan_object::builtins::dict::Dict>().is_none() {
        let got = items[3].ty().name();
        return Err(vm.type_error(format!("fourth item of state should be a dict, got a {got}")));
    }
    set_dict(vm, this, &items[3])
}

method_table! { pub static METHODS = [
    MethodDef::new("close($self, /)", "Close the IO object; it discards its text.", |_, this, _| {
        StringIo::of(this).with(|state| {
            state.closed = true;
            state.text.truncate(0);
        });
        Ok(Value::NONE)
    }),
    MethodDef::new("getvalue($self, /)", "\
        Return the whole content as a string, wherever the position is.", |vm, this, _| {
        open(vm, this).map(|own| own.with(|state| state.text.slice(0, state.text.len()).into_value()))
    }),
    MethodDef::new("read($self, size=-1, /)", "\
        Read up to size characters, by default all that are left.", |vm, this, args| {
        let size = size_argument(vm, &args[0])?;
        let own = open(vm, this)?;
        Ok(own.take(if size < 0 { usize::MAX } else { size as usize }))
    }),
    MethodDef::new("readline($self, size=-1, /)", "Read until newline or EOF; an empty string at EOF.", |vm, this, args| {
        let limit = size_argument(vm, &args[0])?;
        Ok(open(vm, this)?.take_line(limit))
    }),
    MethodDef::new("tell($self, /)", "Return the position.", |vm, this, _| {
        Ok(Value::from(open(vm, this)?.with(|state| state.position)))
    }),
    MethodDef::new("truncate($self, pos=None, /)", "Truncate size to pos, by default the current position, and return it.", |vm, this, args| {
        let size = args[0].given().map(|_| size_argument(vm, &args[0])).transpose()?;
        let own = open(vm, this)?;
        let size = size.unwrap_or_else(|| own.with(|state| state.position) as i64);
        if size < 0 {
            return Err(vm.value_error(format!("Negative size value {size}")));
        }
        own.with(|state| state.text.truncate(size as usize));
        Ok(Value::from(size))
    }),
    MethodDef::new("seek($self, pos, whence=0, /)", "Change stream position and return the new one.\n\nPositions other than 0 count from the start only.", seek),
    MethodDef::new("write($self, s, /)", "Write string to file and return the number of characters written.", |vm, this, args| {
        let own = open(vm, this)?;
        let Some(text) = args[0].downcast::<Str>() else {
            let got = args[0].ty().name();
            return Err(vm.type_error(format!("string argument expected, got '{got}'")));
        };
        let length = text.len();
        own.write(vm, &args[0])?;
        Ok(Value::from(length))
    }),
    MethodDef::new("seekable($self, /)", "Tell whether the object has a position that can be \
        moved.", |vm, this, _| open(vm, this).map(|_| Value::TRUE)),
    MethodDef::new("readable($self, /)", "\
        Tell whether one can read from the object.", |vm, this, _| open(vm, this).map(|_| Value::TRUE)),
    MethodDef::new("writable($self, /)", "\
        Tell whether one can write to the object.", |vm, this, _| open(vm, this).map(|_| Value::TRUE)),
    MethodDef::new("__getstate__($self, /)", "", |vm, this, _| {
        let own = open(vm, this)?;
        let (text, newline, position) = own.with(|state| {
            (state.text.slice(0, state.text.len()).into_value(), state.newline.clone(), Value::from(state.position))
        });
        Ok(Tuple::from_array([text, newline, position, dict_state(vm, this)?]).into_value())
    }),
    MethodDef::new("__setstate__($self, state, /)", "", |vm, this, args| set_state(vm, this, &args[0]).map(Value::from)),
]; }
