//! `_RawIOBase`, `_BufferedIOBase`, `_TextIOBase`: the abstract classes of the three layers of streams.

use super::iobase::{IO_BASE, IoBase};
use super::names::names;
use super::{DEFAULT_BUFFER_SIZE, repeat_if_interrupted, unsupported};
use taipan_object::builtins::bytearray::{self, ByteArray};
use taipan_object::builtins::bytes::{self, Bytes};
use taipan_object::exceptions::NOT_IMPLEMENTED_ERROR;
use taipan_object::native::{GetSetDef, MethodDef};
use taipan_object::types::{TypeSpec, type_flags};
use taipan_object::{Result, Value, Vm, method_table};

pub static RAW_IO_BASE: TypeSpec = TypeSpec::new::<IoBase>("_io._RawIOBase")
    .doc("Base of files that read and write bytes without a buffer.")
    .base(&IO_BASE)
    .flags(type_flags::BASETYPE | type_flags::GENERIC_NEW)
    .methods(RAW_METHODS);

pub static BUFFERED_IO_BASE: TypeSpec = TypeSpec::new::<IoBase>("_io._BufferedIOBase")
    .doc(
        "Base class for buffered IO objects.\n\nUnlike with raw streams, a read without an argument or with a negative one \
         reads until the end,\nand reads and writes are not cut short by the limits of a system call.",
    )
    .base(&IO_BASE)
    .flags(type_flags::BASETYPE | type_flags::GENERIC_NEW)
    .methods(BUFFERED_METHODS);

pub static TEXT_IO_BASE: TypeSpec = TypeSpec::new::<IoBase>("_io._TextIOBase")
    .doc("Base class for text I/O: streams of characters and lines.")
    .base(&IO_BASE)
    .flags(type_flags::BASETYPE | type_flags::GENERIC_NEW)
    .methods(TEXT_METHODS)
    .getset(&[
        GetSetDef::new("encoding", "Name of the text's encoding.", |_, _| Ok(Value::NONE)),
        GetSetDef::new("newlines", "The kinds of line ends that were read so far, or None.", |_, _| Ok(Value::NONE)),
        GetSetDef::new("errors", "Name of the error handler of the encoding.", |_, _| Ok(Value::NONE)),
    ]);

/// `_RawIOBase.read`: by `readinto`.
fn read_by_readinto(vm: &Vm, this: &Value, size: i64) -> Result {
    if size < 0 {
        return vm.call_method_name(this, &names().readall, &[]);
    }
    let mut room: Vec<u8> = Vec::new();
    if room.try_reserve_exact(size as usize).is_err() {
        return Err(vm.memory_error());
    }
    room.resize(size as usize, 0);
    let buffer = bytearray::new(room);
    let count = vm.call_method_name(this, &names().readinto, std::slice::from_ref(&buffer))?;
    if count.is_none() {
        return Ok(count);
    }
    let count = super::offset_argument(vm, &count)?;
    if count < 0 || count > size {
        return Err(vm.value_error(format!("readinto returned {count} outside buffer size {size}")));
    }
    let mut data = buffer.downcast::<ByteArray>().map_or(Ok(Vec::new()), |buffer| buffer.to_vec(vm))?;
    data.truncate(count as usize);
    bytes::from_slice(vm, &data)
}

/// `_RawIOBase.readall`: by `read` until the end.
fn readall(vm: &Vm, this: &Value) -> Result {
    let mut all: Vec<u8> = Vec::new();
    let mut first = true;
    loop {
        let data = match vm.call_method_name(this, &names().read, &[Value::from(DEFAULT_BUFFER_SIZE)]) {
            Ok(data) => data,
            Err(raised) => {
                repeat_if_interrupted(vm, raised)?;
                continue;
            }
        };
        if data.is_none() {
            if first {
                return Ok(data);
            }
            break;
        }
        let Some(data) = data.downcast::<Bytes>() else { return Err(vm.type_error("read() should return bytes")) };
        if data.as_slice().is_empty() {
            break;
        }
        if all.try_reserve(data.as_slice().len()).is_err() {
            return Err(vm.memory_error());
        }
        all.extend_from_slice(data.as_slice());
        first = false;
    }
    bytes::from_slice(vm, &all)
}

method_table! { static RAW_METHODS = [
    MethodDef::new("read($self, size=-1, /)", "", |vm, this, args| read_by_readinto(vm, this, vm.index_i64(&args[0])?)),
    MethodDef::new("readall($self, /)", "Read all bytes that are left.", |vm, this, _| readall(vm, this)),
    MethodDef::raw("readinto", "", |vm, _, _, _| Err(vm.raise_args(NOT_IMPLEMENTED_ERROR.ty(), Vec::new()))),
    MethodDef::raw("write", "", |vm, _, _, _| Err(vm.raise_args(NOT_IMPLEMENTED_ERROR.ty(), Vec::new()))),
]; }

/// `_BufferedIOBase.readinto` and `readinto1`: by `read` and `read1`.
fn readinto_by_read(vm: &Vm, this: &Value, buffer: &Value, method: &Value) -> Result {
    let target = vm.writable_bytes_like(buffer).map_err(|raised| readinto_type_error(vm, raised, method, buffer))?;
    let data = vm.call_method_name(this, method, &[Value::from(target.length)])?;
    let Some(data) = data.downcast::<Bytes>() else { return Err(vm.type_error("read() should return bytes")) };
    let data = data.as_slice();
    if data.len() > target.length {
        let (requested, returned) = (target.length, data.len());
        return Err(
            vm.value_error(format!("read() returned too much data: {requested} bytes requested, {returned} returned"))
        );
    }
    target.as_mut_slice()[..data.len()].copy_from_slice(data);
    Ok(Value::from(data.len()))
}

fn readinto_type_error(
    vm: &Vm,
    raised: taipan_object::vm::Raised,
    method: &Value,
    buffer: &Value,
) -> taipan_object::vm::Raised {
    let function = if method.is(&names().read) { "readinto" } else { "readinto1" };
    writable_argument_error(vm, raised, function, buffer)
}

/// Words the `TypeError` of [`Vm::writable_bytes_like`] as that of a function's only argument.
pub fn writable_argument_error(
    vm: &Vm,
    raised: taipan_object::vm::Raised,
    function: &str,
    buffer: &Value,
) -> taipan_object::vm::Raised {
    match vm.catch(raised, taipan_object::exceptions::type_error()) {
        Ok(_) => {
            let got = buffer.ty().name();
            vm.type_error(format!("{function}() argument must be read-write bytes-like object, not {got}"))
        }
        Err(raised) => raised,
    }
}

method_table! { static BUFFERED_METHODS = [
    MethodDef::new("detach($self, /)", "Separate the raw stream from the buffer, and return it.\n\n\
        The buffer cannot be used any more.", |vm, _, _| Err(unsupported(vm, "detach"))),
    MethodDef::new("read($self, size=-1, /)", "Read and return up to n bytes.\n\nWithout a size, or with a negative one, reads until EOF.", |vm, _, _| Err(unsupported(vm, "read"))),
    MethodDef::new("read1($self, size=-1, /)", "Read up to size bytes, calling the raw stream's read() at most \
        once.", |vm, _, _| Err(unsupported(vm, "read1"))),
    MethodDef::new("readinto($self, buffer, /)", "", |vm, this, args| readinto_by_read(vm, this, &args[0], &names().read)),
    MethodDef::new("readinto1($self, buffer, /)", "", |vm, this, args| readinto_by_read(vm, this, &args[0], &names().read1)),
    MethodDef::new("write($self, b, /)", "\
        Write the bytes of a buffer, and return how many there were.", |vm, _, _| Err(unsupported(vm, "write"))),
]; }

method_table! { static TEXT_METHODS = [
    MethodDef::new("detach($self, /)", "Separate the underlying buffer from the text stream and return it.\n\nThe stream is unusable afterwards.", |vm, _, _| Err(unsupported(vm, "detach"))),
    MethodDef::new("read($self, size=-1, /)", "Read at most size characters from stream, by default until EOF.", |vm, _, _| Err(unsupported(vm, "read"))),
    MethodDef::new("readline($self, size=-1, /)", "Read until newline or EOF; an empty string at EOF.", |vm, _, _| Err(unsupported(vm, "readline"))),
    MethodDef::new("write($self, s, /)", "Write string s to stream and return the number of characters written.", |vm, _, _| Err(unsupported(vm, "write"))),
]; }
