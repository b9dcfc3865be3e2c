//! The methods of `BytesIO`.

use super::BytesIo;
use crate::_io::bases::writable_argument_error;
use crate::_io::size_argument;
use taipan_object::builtins::dict::Dict;
use taipan_object::builtins::int;
use taipan_object::builtins::list::List;
use taipan_object::builtins::memoryview;
use taipan_object::builtins::tuple::Tuple;
use taipan_object::native::{GetSetDef, MethodDef};
use taipan_object::types::creation;
use taipan_object::{Result, Value, Vm, method_table};

pub static GETSET: &[GetSetDef] = &[GetSetDef::new("closed", "Whether the file is closed.", |_, this| {
    Ok(Value::bool(BytesIo::of(this).with(|state| state.closed)))
})];

/// The stream, which must be open.
fn open<'a>(vm: &Vm, this: &'a Value) -> Result<&'a BytesIo> {
    let own = BytesIo::of(this);
    own.check_open(vm)?;
    Ok(own)
}

fn read(vm: &Vm, this: &Value, args: &[Value]) -> Result {
    let size = size_argument(vm, &args[0])?;
    let own = open(vm, this)?;
    let remaining = own.remaining();
    own.take_bytes(vm, if size < 0 { remaining } else { remaining.min(size as usize) })
}

fn write(vm: &Vm, this: &Value, data: &Value) -> Result<usize> {
    let own = open(vm, this)?;
    own.check_exports(vm)?;
    // A view of this very stream is refused like any export.
    let data = vm.bytes_like(data)?;
    own.check_open(vm)?;
    own.check_exports(vm)?;
    own.write(vm, &data)
}

fn seek(vm: &Vm, this: &Value, args: &[Value]) -> Result {
    let position = vm.index_i64(&args[0])?;
    let whence = vm.index_i32(&args[1])?;
    let own = open(vm, this)?;
    if position < 0 && whence == 0 {
        return Err(vm.value_error(format!("negative seek value {position}")));
    }
    let (current, length) = own.with(|state| (state.position, state.contents().len()));
    let base = match whence {
        0 => 0,
        1 => current,
        2 => length,
        _ => return Err(vm.value_error(format!("invalid whence ({whence}, should be 0, 1 or 2)"))),
    };
    let Some(position) = position.checked_add(base as i64) else {
        return Err(vm.overflow_error("new position too large"));
    };
    let position = position.max(0);
    own.with(|state| state.position = position as usize);
    Ok(Value::from(position))
}

fn truncate(vm: &Vm, this: &Value, args: &[Value]) -> Result {
    let size = args[0].given().map(|size| vm.index_i64(size)).transpose()?;
    let own = open(vm, this)?;
    own.check_exports(vm)?;
    let size = size.unwrap_or_else(|| own.with(|state| state.position) as i64);
    if size < 0 {
        return Err(vm.value_error(format!("negative size value {size}")));
    }
    if (size as usize) < own.with(|state| state.contents().len()) {
        own.unshare(vm)?;
        own.with(|state| {
            state.data.truncate(size as usize);
            state.data.shrink_to(size as usize * 2);
        });
    }
    Ok(Value::from(size))
}

fn readinto(vm: &Vm, this: &Value, buffer: &Value) -> Result {
    let target =
        vm.writable_bytes_like(buffer).map_err(|raised| writable_argument_error(vm, raised, "readinto", buffer))?;
    let own = open(vm, this)?;
    let count = own.with(|state| {
        let contents = state.contents();
        let start = state.position.min(contents.len());
        let count = target.length.min(contents.len() - start);
        // The target may be a view of these very contents.
        // SAFETY: both ranges have `count` bytes; `copy` allows them to overlap.
        unsafe { std::ptr::copy(contents[start..].as_ptr(), target.pointer, count) };
        state.position += count;
        count
    });
    Ok(Value::from(count))
}

fn readlines(vm: &Vm, this: &Value, args: &[Value]) -> Result {
    let own = open(vm, this)?;
    let limit = match args[0].given() {
        None => 0,
        Some(size) if int::is_int(size) => vm.index_i64(size)?,
        Some(size) => {
            let got = size.ty().short_name();
            return Err(vm.type_error(format!("integer argument expected, got '{got}'")));
        }
    };
    let lines = List::from_vec(Vec::new());
    let mut total = 0;
    loop {
        let length = own.line_length(-1);
        if length == 0 {
            break;
        }
        lines.append(vm, own.take_bytes(vm, length)?)?;
        total += length as i64;
        if limit > 0 && total >= limit {
            break;
        }
    }
    Ok(lines.into_value())
}

fn set_state(vm: &Vm, this: &Value, state: &Value) -> Result<()> {
    let own = BytesIo::of(this);
    let items = match state.downcast::<Tuple>() {
        Some(items) if items.len() == 3 => items.as_slice(),
        _ => {
            let (class, got) = (this.ty().full_name(), state.ty().name());
            return Err(vm.type_error(format!("{class}.__setstate__ argument should be 3-tuple, got {got}")));
        }
    };
    own.check_exports(vm)?;
    own.set_contents(Vec::new(), None);
    own.with(|state| state.position = 0);
    own.check_open(vm)?;
    let contents = vm.buffer_of(&vm.bytes_like(&items[0])?)?;
    own.set_contents(contents, None);
    if !int::is_int(&items[1]) {
        let got = items[1].ty().name();
        return Err(vm.type_error(format!("second item of state must be an integer, not {got}")));
    }
    let position = vm.index_i64(&items[1])?;
    if position < 0 {
        return Err(vm.value_error("position value cannot be negative"));
    }
    own.with(|state| state.position = position as usize);
    set_dict(vm, this, &items[2])
}

/// Adds the attributes in the last item of a pickled state.
pub fn set_dict(vm: &Vm, this: &Value, dict: &Value) -> Result<()> {
    if dict.is_none() {
        return Ok(());
    }
    let Some(dict) = dict.downcast::<Dict>() else {
        let got = dict.ty().name();
        return Err(vm.type_error(format!("third item of state should be a dict, got a {got}")));
    };
    for (name, value) in dict.items() {
        vm.set_attr(this, &vm.attribute_name(&name)?, &value)?;
    }
    Ok(())
}

/// The attributes of a stream for pickling: a copy of its dict, or `None`.
pub fn dict_state(vm: &Vm, this: &Value) -> Result {
    let dict = creation::get_dict(vm, this)?;
    match dict.downcast::<Dict>() {
        Some(dict) if dict.len() > 0 => Ok(dict.try_copy(vm)?.into_value()),
        _ => Ok(Value::NONE),
    }
}

/// What CPython's object without its contents takes.
const BASIC_SIZE: usize = 64;

method_table! { pub static METHODS = [
    MethodDef::new("readable($self, /)", "\
        Tell whether one can read from the object.", |vm, this, _| open(vm, this).map(|_| Value::TRUE)),
    MethodDef::new("seekable($self, /)", "Tell whether the object has a position that can be \
        moved.", |vm, this, _| open(vm, this).map(|_| Value::TRUE)),
    MethodDef::new("writable($self, /)", "\
        Tell whether one can write to the object.", |vm, this, _| open(vm, this).map(|_| Value::TRUE)),
    MethodDef::new("close($self, /)", "\
        Free the content; using the object afterwards raises ValueError.", |vm, this, _| {
        let own = BytesIo::of(this);
        own.check_exports(vm)?;
        own.set_contents(Vec::new(), None);
        own.with(|state| state.closed = true);
        Ok(Value::NONE)
    }),
    MethodDef::new("flush($self, /)", "Does nothing.", |vm, this, _| open(vm, this).map(|_| Value::NONE)),
    MethodDef::new("isatty($self, /)", "Always returns False.", |vm, this, _| open(vm, this).map(|_| Value::FALSE)),
    MethodDef::new("tell($self, /)", "Return the position, in bytes from the start.", |vm, this, _| {
        Ok(Value::from(open(vm, this)?.with(|state| state.position)))
    }),
    MethodDef::new("write($self, b, /)", "Write bytes to file and return the number of bytes written.", |vm, this, args| {
        write(vm, this, &args[0]).map(Value::from)
    }),
    MethodDef::new("writelines($self, lines, /)", "Write lines to the file, without adding newlines.", |vm, this, args| {
        open(vm, this)?;
        let iterator = vm.iter(&args[0])?;
        while let Some(line) = vm.next(&iterator)? {
            write(vm, this, &line)?;
        }
        Ok(Value::NONE)
    }),
    MethodDef::new("read1($self, size=-1, /)", "Read up to size bytes, by default all that are left.", read),
    MethodDef::new("readinto($self, buffer, /)", "Read bytes into buffer and return their number, 0 at EOF.", |vm, this, args| readinto(vm, this, &args[0])),
    MethodDef::new("readline($self, size=-1, /)", "Next line from the file, as bytes; empty at EOF.", |vm, this, args| {
        let limit = size_argument(vm, &args[0])?;
        open(vm, this)?.take_line(vm, limit)
    }),
    MethodDef::new("readlines($self, size=None, /)", "Read all lines that are left, as a list.", readlines),
    MethodDef::new("read($self, size=-1, /)", "Read up to size bytes, by default all that are left.", read),
    MethodDef::new("getbuffer($self, /)", "\
        Return a writable memoryview of the content, which cannot be resized meanwhile.", |vm, this, _| {
        open(vm, this)?;
        memoryview::from_object(vm, &BytesIo::buffer(this))
    }),
    MethodDef::new("getvalue($self, /)", "\
        Return the whole content as bytes, wherever the position is.", |vm, this, _| open(vm, this)?.value(vm)),
    MethodDef::new("seek($self, pos, whence=0, /)", "Move to a position, and return it.", seek),
    MethodDef::new("truncate($self, size=None, /)", "Truncate the file to at most size bytes, by default the current position, which does not change.", truncate),
    MethodDef::new("__getstate__($self, /)", "", |vm, this, _| {
        let own = open(vm, this)?;
        let (contents, position) = (own.value(vm)?, own.with(|state| state.position));
        Ok(Tuple::from_array([contents, Value::from(position), dict_state(vm, this)?]).into_value())
    }),
    MethodDef::new("__setstate__($self, object, /)", "", |vm, this, args| set_state(vm, this, &args[0]).map(Value::from)),
    MethodDef::new("__sizeof__($self, /)", "\
        Give the number of bytes of memory that the object takes, content included.", |_, this, _| {
        let held = BytesIo::of(this).with(|state| match &state.shared {
            Some(_) => 33 + state.contents().len(),
            None => state.data.capacity(),
        });
        Ok(Value::from(BASIC_SIZE + held))
    }),
]; }
