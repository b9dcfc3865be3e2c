//! Calls of the raw stream under a buffer.

use super::Buffered;
use crate::_io::file_io::FileIo;
use crate::_io::names::names;
use crate::_io::{os_error, repeat_if_interrupted};
use taipan_object::builtins::bytearray::{self, ByteArray};
use taipan_object::builtins::{bytes, int};
use taipan_object::exceptions::{BLOCKING_IO_ERROR, VALUE_ERROR};
use taipan_object::vm::Raised;
use taipan_object::{Result, Value, Vm};

/// A count that Python code returned; anything but an integer is an `OSError`.
fn count(vm: &Vm, value: &Value, method: &str) -> Result<i64> {
    let number = vm.index(value).and_then(|index| match int::to_i64(&index) {
        Some(number) => Ok(number),
        None => Err(vm.value_error(format!("cannot fit '{}' into an index-sized integer", value.ty().name()))),
    });
    number.map_err(|raised| {
        let cause = vm.take(raised);
        let raised = os_error(vm, format!("raw {method}() failed"));
        let exception = vm.take(raised);
        taipan_object::exceptions::set_cause(&exception, Some(cause.clone()));
        taipan_object::exceptions::set_context(&exception, Some(cause));
        vm.set_exception(exception)
    })
}

fn invalid_length(vm: &Vm, method: &str, count: i64, limit: usize) -> Raised {
    os_error(vm, format!("raw {method}() returned invalid length {count} (should have been between 0 and {limit})"))
}

/// `BlockingIOError` for a write that was cut short after `written` bytes.
#[cold]
pub fn blocking_error(vm: &Vm, written: i64) -> Raised {
    let args =
        vec![Value::from(libc::EAGAIN), Value::from("write could not complete without blocking"), Value::from(written)];
    match vm.instantiate(BLOCKING_IO_ERROR.ty(), &args) {
        Ok(exception) => vm.raise(exception),
        Err(raised) => raised,
    }
}

impl Buffered {
    /// The raw stream if it is a file whose methods nobody overrides.
    fn file(raw: &Value) -> Option<&FileIo> {
        raw.downcast_exact::<FileIo>()
    }

    /// `raw.readinto(target)`: `None` when it would block.
    pub fn raw_read(&self, vm: &Vm, target: &mut [u8]) -> Result<Option<usize>> {
        let raw = self.raw();
        let read = match Self::file(&raw) {
            Some(file) => file.read_into(vm, target)?,
            None => raw_readinto(vm, &raw, target)?,
        };
        if let Some(read) = read.filter(|read| *read > 0) {
            self.with(|state| {
                if state.abs_pos != -1 {
                    state.abs_pos += read as i64;
                }
            });
        }
        Ok(read)
    }

    /// `raw.write(data)`: `None` when it would block.
    pub fn raw_write(&self, vm: &Vm, data: &[u8]) -> Result<Option<usize>> {
        let raw = self.raw();
        let written = match Self::file(&raw) {
            Some(file) => file.write_from(vm, data)?,
            None => raw_write_object(vm, &raw, data)?,
        };
        if let Some(written) = written.filter(|written| *written > 0) {
            self.with(|state| {
                if state.abs_pos != -1 {
                    state.abs_pos += written as i64;
                }
            });
        }
        Ok(written)
    }

    /// `raw.tell()`
    pub fn raw_tell(&self, vm: &Vm) -> Result<i64> {
        let raw = self.raw();
        let position = match Self::file(&raw) {
            Some(file) => file.seek(vm, 0, libc::SEEK_CUR),
            None => vm.call_method_name(&raw, &names().tell, &[]).and_then(|at| position(vm, &at)),
        };
        self.note_position(vm, position)
    }

    /// `raw.tell()`, unless the position is known.
    pub fn known_position(&self, vm: &Vm) -> Result<i64> {
        match self.with(|state| state.abs_pos) {
            -1 => self.raw_tell(vm),
            position => Ok(position),
        }
    }

    /// `raw.seek(target, whence)`
    pub fn raw_seek(&self, vm: &Vm, target: i64, whence: i32) -> Result<i64> {
        let raw = self.raw();
        let position = match Self::file(&raw) {
            Some(file) => file.seek(vm, target, whence),
            None => vm
                .call_method_name(&raw, &names().seek, &[Value::from(target), Value::from(whence)])
                .and_then(|at| position(vm, &at)),
        };
        self.note_position(vm, position)
    }

    fn note_position(&self, vm: &Vm, position: Result<i64>) -> Result<i64> {
        let position = match position {
            Ok(position) if position < 0 => {
                Err(os_error(vm, format!("Raw stream returned invalid position {position}")))
            }
            position => position,
        };
        match &position {
            Ok(position) => self.with(|state| state.abs_pos = *position),
            Err(_) => self.with(|state| state.abs_pos = -1),
        }
        position
    }
}

/// A position that Python code returned.
fn position(vm: &Vm, value: &Value) -> Result<i64> {
    let index = vm.index(value)?;
    int::to_i64(&index).ok_or_else(|| {
        let message = format!("cannot fit '{}' into an offset-sized integer", value.ty().name());
        vm.raise_new(VALUE_ERROR.ty(), message)
    })
}

fn raw_readinto(vm: &Vm, raw: &Value, target: &mut [u8]) -> Result<Option<usize>> {
    // The raw stream may keep what it is given, so it gets memory of its own.
    let mut room: Vec<u8> = Vec::new();
    if room.try_reserve_exact(target.len()).is_err() {
        return Err(vm.memory_error());
    }
    room.resize(target.len(), 0);
    let array = bytearray::new(room);
    let view = taipan_object::builtins::memoryview::from_object(vm, &array)?;
    let result = loop {
        match vm.call_method_name(raw, &names().readinto, std::slice::from_ref(&view)) {
            Ok(result) => break result,
            Err(raised) => repeat_if_interrupted(vm, raised)?,
        }
    };
    if result.is_none() {
        return Ok(None);
    }
    let read = count(vm, &result, "readinto")?;
    if read < 0 || read as usize > target.len() {
        return Err(invalid_length(vm, "readinto", read, target.len()));
    }
    let read = read as usize;
    let data = array.downcast::<ByteArray>().map_or(Ok(Vec::new()), |array| array.to_vec(vm))?;
    // Through its view, the stream can get at the array and make it shorter.
    let Some(data) = data.get(..read) else { return Err(invalid_length(vm, "readinto", read as i64, data.len())) };
    target[..read].copy_from_slice(data);
    Ok(Some(read))
}

fn raw_write_object(vm: &Vm, raw: &Value, data: &[u8]) -> Result<Option<usize>> {
    let copy = bytes::from_slice(vm, data)?;
    let view = taipan_object::builtins::memoryview::from_object(vm, &copy)?;
    let result = loop {
        match vm.call_method_name(raw, &names().write, std::slice::from_ref(&view)) {
            Ok(result) => break result,
            Err(raised) => repeat_if_interrupted(vm, raised)?,
        }
    };
    if result.is_none() {
        return Ok(None);
    }
    let written = count(vm, &result, "write")?;
    if written < 0 || written as usize > data.len() {
        return Err(invalid_length(vm, "write", written, data.len()));
    }
    Ok(Some(written as usize))
}
