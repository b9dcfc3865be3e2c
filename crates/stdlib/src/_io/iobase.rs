//! `_io._IOBase`: what all streams have in common, built on `read`, `write`, `close` and `flush` of subclasses.

use super::names::names;
use super::{os_error, repeat_if_interrupted, size_argument, unsupported};
use crate::payload::{class_of, payload};
use taipan_object::builtins::bytes::{self, Bytes};
use taipan_object::builtins::list::List;
use taipan_object::header::Header;
use taipan_object::native::{GetSetDef, MethodDef};
use taipan_object::types::{OBJECT, TypeSpec, creation, type_flags};
use taipan_object::{Result, Value, Vm, method_table};

payload! {
    /// A stream without state of its own.
    pub struct IoBase(IoBaseState): IO_BASE {}
}

/// As `object.__new__`: arguments are for an `__init__` of the class.
fn new(vm: &Vm, class: &Value, args: &[Value], _: Option<&Value>) -> Result {
    let class = class_of(class);
    let (own, inherited) = (class.slots().init, OBJECT.ty().slots().init);
    if !args.is_empty() && own.map(|init| init as usize) == inherited.map(|init| init as usize) {
        return Err(vm.type_error(format!("{}() takes no arguments", class.short_name())));
    }
    Ok(IoBase::make(class, IoBaseState {}))
}

pub const CLOSED: &str = "I/O operation on closed file.";

pub static IO_BASE: TypeSpec = TypeSpec::new::<IoBase>("_io._IOBase")
    .doc(
        "The abstract base class for all I/O classes.\n\nIt has default implementations of the methods that subclasses \
         override selectively: those of a\nfile that can neither be read, written nor sought.",
    )
    .flags(type_flags::BASETYPE | type_flags::HAS_DICT | type_flags::HAS_WEAKREF | type_flags::GENERIC_NEW)
    .slots(|s| {
        s.new = Some(new);
        s.iter = Some(|vm, this| {
            check_closed(vm, this)?;
            Ok(this.clone())
        });
        s.iternext = Some(|vm, this| {
            let line = vm.call_method_name(this, &names().readline, &[])?;
            Ok(if vm.len(&line)? == 0 { None } else { Some(line) })
        });
        s.finalize = Some(finalize);
    })
    .methods(METHODS)
    .getset(&[
        GetSetDef::new("__dict__", "", creation::get_dict).setter(creation::set_dict),
        GetSetDef::new("closed", "", |vm, this| has_closed_mark(vm, this).map(Value::bool)),
    ]);

/// Whether `close` of the base class was called.
fn has_closed_mark(vm: &Vm, this: &Value) -> Result<bool> {
    vm.get_attr_opt(this, &names().__IOBase_closed).map(|mark| mark.is_some())
}

/// `ValueError` if the attribute `closed` is true.
pub fn check_closed(vm: &Vm, this: &Value) -> Result<()> {
    if let Some(closed) = vm.get_attr_opt(this, &names().closed)?
        && vm.is_true(&closed)?
    {
        return Err(vm.value_error(CLOSED));
    }
    Ok(())
}

/// Whether `method()` says `True`; anything else is an error with the given text.
fn check_ability(vm: &Vm, this: &Value, method: &Value, message: &str) -> Result<()> {
    let able = vm.call_method_name(this, method, &[])?;
    if able.is_true() { Ok(()) } else { Err(unsupported(vm, message)) }
}
pub fn check_seekable(vm: &Vm, this: &Value) -> Result<()> {
    check_ability(vm, this, &names().seekable, "File or stream is not seekable.")
}
pub fn check_readable(vm: &Vm, this: &Value) -> Result<()> {
    check_ability(vm, this, &names().readable, "File or stream is not readable.")
}
pub fn check_writable(vm: &Vm, this: &Value) -> Result<()> {
    check_ability(vm, this, &names().writable, "File or stream is not writable.")
}

/// `_IOBase.close(this)`
pub fn close(vm: &Vm, this: &Value) -> Result<()> {
    if has_closed_mark(vm, this)? {
        return Ok(());
    }
    let flushed = vm.call_method_name(this, &names().flush, &[]);
    let mark = |vm: &Vm| vm.set_attr(this, &names().__IOBase_closed, &Value::TRUE);
    match flushed {
        Ok(_) => mark(vm),
        Err(raised) => super::after(vm, Err(raised), mark),
    }
}

/// Whether a stream in memory is an instance of a class made by Python code: CPython deallocates others without closing them.
pub fn of_subclass(header: &Header) -> bool {
    header.ty().is_heap_type()
}

/// Closes the stream when its last reference is gone.
fn finalize(vm: &Vm, this: &Value) {
    let closed = match vm.get_attr_opt(this, &names().closed) {
        Ok(Some(closed)) => vm.is_true(&closed),
        Ok(None) => return,
        Err(raised) => Err(raised),
    };
    match closed {
        Ok(true) => {}
        Ok(false) => {
            // The stream is told that it is being finalised: it warns that it was not closed.
            if let Err(raised) = vm.set_attr(this, &names()._finalizing, &Value::TRUE) {
                vm.discard(raised);
            }
            if let Err(raised) = vm.call_method_name(this, &names().close, &[]) {
                vm.write_unraisable(raised, "Exception ignored while finalizing file", this);
            }
        }
        // Something is so incomplete that it cannot even tell whether it is closed.
        Err(raised) => vm.discard(raised),
    }
}

/// How much of the readahead up to a line's end the next `read` may take.
fn readahead(vm: &Vm, peek: &Value, limit: i64, taken: usize) -> Result<usize> {
    loop {
        let ahead = match vm.call_args(peek, &[Value::from(1)]) {
            Ok(ahead) => ahead,
            Err(raised) => {
                repeat_if_interrupted(vm, raised)?;
                continue;
            }
        };
        let Some(data) = ahead.downcast::<Bytes>() else {
            let got = ahead.ty().name();
            return Err(os_error(vm, format!("peek() should have returned a bytes object, not '{got}'")));
        };
        let data = data.as_slice();
        if data.is_empty() {
            return Ok(1);
        }
        let available = if limit < 0 { data.len() } else { data.len().min(limit as usize - taken) };
        return Ok(memchr::memchr(b'\n', &data[..available]).map_or(available, |at| at + 1));
    }
}

/// `_IOBase.readline(this, limit)`
pub fn readline(vm: &Vm, this: &Value, limit: i64) -> Result {
    let peek = vm.get_attr_opt(this, &names().peek)?;
    let mut line: Vec<u8> = Vec::new();
    while limit < 0 || line.len() < limit as usize {
        let wanted = match &peek {
            Some(peek) => readahead(vm, peek, limit, line.len())?,
            None => 1,
        };
        let data = match vm.call_method_name(this, &names().read, &[Value::from(wanted)]) {
            Ok(data) => data,
            Err(raised) => {
                repeat_if_interrupted(vm, raised)?;
                continue;
            }
        };
        let Some(data) = data.downcast::<Bytes>() else {
            let got = data.ty().name();
            return Err(os_error(vm, format!("read() should have returned a bytes object, not '{got}'")));
        };
        let data = data.as_slice();
        if data.is_empty() {
            break;
        }
        if line.try_reserve(data.len()).is_err() {
            return Err(vm.memory_error());
        }
        line.extend_from_slice(data);
        if line.last() == Some(&b'\n') {
            break;
        }
    }
    bytes::from_slice(vm, &line)
}

/// Writes each line, again when a signal interrupts it.
fn writelines(vm: &Vm, this: &Value, lines: &Value) -> Result<()> {
    check_closed(vm, this)?;
    let iterator = vm.iter(lines)?;
    while let Some(line) = vm.next(&iterator)? {
        while let Err(raised) = vm.call_method_name(this, &names().write, std::slice::from_ref(&line)) {
            repeat_if_interrupted(vm, raised)?;
        }
    }
    Ok(())
}

/// Lines until `hint` bytes or characters have been read.
fn readlines(vm: &Vm, this: &Value, hint: i64) -> Result {
    let iterator = vm.iter(this)?;
    let lines = List::from_vec(Vec::new());
    let mut length: i64 = 0;
    while let Some(line) = vm.next(&iterator)? {
        let size = if hint > 0 { vm.len(&line)? as i64 } else { 0 };
        lines.append(vm, line)?;
        if hint > 0 && size > hint - length {
            break;
        }
        length += size;
    }
    Ok(lines.into_value())
}

method_table! { static METHODS = [
    MethodDef::new("seek($self, offset, whence=os.SEEK_SET, /)", "Change the stream position to the given byte offset.\n\nThe offset counts from the start (whence 0), the current position (1) or the end (2).\nReturns the new absolute position.", |vm, _, args| {
        vm.index_i32(&args[0])?;
        if let Some(whence) = args[1].bound() {
            vm.index_i32(whence)?;
        }
        Err(unsupported(vm, "seek"))
    }),
    MethodDef::new("tell($self, /)", "Return the position, counted from the start of the stream.", |vm, this, _| {
        vm.call_method_name(this, &names().seek, &[Value::from(0), Value::from(1)])
    }),
    MethodDef::new("truncate($self, size=None, /)", "Truncate file to size bytes, by default to the current position.", |vm, _, _| {
        Err(unsupported(vm, "truncate"))
    }),
    MethodDef::new("flush($self, /)", "Pass on what has been written but is still in a buffer.", |vm, this, _| {
        if has_closed_mark(vm, this)? { Err(vm.value_error(CLOSED)) } else { Ok(Value::NONE) }
    }),
    MethodDef::new("close($self, /)", "Flush and close the IO object.\n\nCalling it again has no effect.", |vm, this, _| close(vm, this).map(Value::from)),
    MethodDef::new("seekable($self, /)", "Tell whether the position can be moved.", |_, _, _| Ok(Value::FALSE)),
    MethodDef::new("readable($self, /)", "Tell whether one can read from the stream.", |_, _, _| Ok(Value::FALSE)),
    MethodDef::new("writable($self, /)", "Tell whether one can write to the stream.", |_, _, _| Ok(Value::FALSE)),
    MethodDef::new("_checkClosed($self, /)", "", |vm, this, _| check_closed(vm, this).map(Value::from)),
    MethodDef::new("_checkSeekable($self, /)", "", |vm, this, _| check_seekable(vm, this).map(|()| Value::TRUE)),
    MethodDef::new("_checkReadable($self, /)", "", |vm, this, _| check_readable(vm, this).map(|()| Value::TRUE)),
    MethodDef::new("_checkWritable($self, /)", "", |vm, this, _| check_writable(vm, this).map(|()| Value::TRUE)),
    MethodDef::new("fileno($self, /)", "Return the number of the file descriptor, or raise OSError if there is \
        none.", |vm, _, _| Err(unsupported(vm, "fileno"))),
    MethodDef::new("isatty($self, /)", "Tell whether the stream is a terminal.", |vm, this, _| {
        check_closed(vm, this)?;
        Ok(Value::FALSE)
    }),
    MethodDef::new("__enter__($self, /)", "", |vm, this, _| {
        check_closed(vm, this)?;
        Ok(this.clone())
    }),
    MethodDef::raw("__exit__", "", |vm, this, _, _| vm.call_method_name(this, &names().close, &[])),
    MethodDef::new("readline($self, size=-1, /)", "Read and return a line from the stream, at most size bytes of it.\n\nThe line terminator of binary files is always b'\\n'.", |vm, this, args| {
        readline(vm, this, size_argument(vm, &args[0])?)
    }),
    MethodDef::new("readlines($self, hint=-1, /)", "Return a list of lines from the stream.\n\nWith a positive hint, no more lines are read once their total size exceeds it.", |vm, this, args| {
        readlines(vm, this, size_argument(vm, &args[0])?)
    }),
    MethodDef::new("writelines($self, lines, /)", "Write a list of lines to stream, without adding line separators.", |vm, this, args| {
        writelines(vm, this, &args[0]).map(Value::from)
    }),
]; }
