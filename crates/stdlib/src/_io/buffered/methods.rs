//! The methods that `BufferedReader`, `BufferedWriter` and `BufferedRandom` share.

use super::{Buffered, spare};
use crate::_io::names::names;
use crate::_io::{cannot_pickle, iobase, os_error, unsupported, with_context};
use taipan_object::builtins::bytes::{self, Bytes};
use taipan_object::builtins::int;
use taipan_object::native::{GetSetDef, MemberDef};
use taipan_object::{Result, Value, Vm};

/// `-1` or a size; what is negative otherwise is an error.
fn read_size(vm: &Vm, value: &Value) -> Result<i64> {
    let size = crate::_io::size_argument(vm, value)?;
    if size < -1 { Err(vm.value_error("read length must be non-negative or -1")) } else { Ok(size) }
}

pub fn read(vm: &Vm, this: &Value, args: &[Value]) -> Result {
    let size = read_size(vm, &args[0])?;
    let own = Buffered::of(this);
    own.check_initialized(vm)?;
    own.check_closed(vm, "read of closed file")?;
    if size == -1 {
        let _guard = own.enter(vm, this)?;
        return own.read_all(vm);
    }
    if let Some(data) = own.read_fast(vm, size)? {
        return Ok(data);
    }
    let _guard = own.enter(vm, this)?;
    own.read_generic(vm, size)
}

pub fn read1(vm: &Vm, this: &Value, args: &[Value]) -> Result {
    let size = vm.index_i64(&args[0])?;
    let own = Buffered::of(this);
    own.check_initialized(vm)?;
    let size = if size < 0 { own.with(|state| state.buffer_size) } else { size };
    own.check_closed(vm, "read of closed file")?;
    if size == 0 {
        return Ok(bytes::empty());
    }
    let ahead = own.with(|state| state.ahead().len() as i64);
    if ahead > 0
        && let Some(data) = own.read_fast(vm, ahead.min(size))?
    {
        return Ok(data);
    }
    let mut data: Vec<u8> = Vec::new();
    if data.try_reserve_exact(size as usize).is_err() {
        return Err(vm.memory_error());
    }
    data.resize(size as usize, 0);
    let _guard = own.enter(vm, this)?;
    if own.with(|state| state.writable) {
        own.flush_and_rewind(vm)?;
    }
    own.with(|state| state.reset_read_buffer());
    let read = own.raw_read(vm, &mut data)?.unwrap_or(0);
    bytes::from_slice(vm, &data[..read])
}

fn readinto_once_or_more(vm: &Vm, this: &Value, args: &[Value], once: bool) -> Result {
    let function = if once { "readinto1" } else { "readinto" };
    let buffer = &args[0];
    let target = vm
        .writable_bytes_like(buffer)
        .map_err(|raised| crate::_io::bases::writable_argument_error(vm, raised, function, buffer))?;
    let own = Buffered::of(this);
    own.check_initialized(vm)?;
    own.check_closed(vm, "readinto of closed file")?;
    Ok(own.read_into(vm, this, target.as_mut_slice(), once)?.map_or(Value::NONE, Value::from))
}
pub fn readinto(vm: &Vm, this: &Value, args: &[Value]) -> Result {
    readinto_once_or_more(vm, this, args, false)
}
pub fn readinto1(vm: &Vm, this: &Value, args: &[Value]) -> Result {
    readinto_once_or_more(vm, this, args, true)
}

pub fn readline(vm: &Vm, this: &Value, args: &[Value]) -> Result {
    let limit = crate::_io::size_argument(vm, &args[0])?;
    let own = Buffered::of(this);
    own.check_initialized(vm)?;
    own.read_line(vm, this, limit)
}

pub fn peek(vm: &Vm, this: &Value, args: &[Value]) -> Result {
    vm.index_i64(&args[0])?;
    let own = Buffered::of(this);
    own.check_initialized(vm)?;
    own.check_closed(vm, "peek of closed file")?;
    let _guard = own.enter(vm, this)?;
    if own.with(|state| state.writable) {
        own.flush_and_rewind(vm)?;
    }
    own.peek(vm)
}

pub fn next(vm: &Vm, this: &Value) -> Result<Option<Value>> {
    let own = Buffered::of(this);
    own.check_initialized(vm)?;
    let exact = this.ty().is(&super::reader::BUFFERED_READER) || this.ty().is(&super::random::BUFFERED_RANDOM);
    let line = if exact {
        own.read_line(vm, this, -1)?
    } else {
        let line = vm.call_method_name(this, &names().readline, &[])?;
        if !bytes::is_bytes(&line) {
            let got = line.ty().name();
            return Err(os_error(vm, format!("readline() should have returned a bytes object, not '{got}'")));
        }
        line
    };
    let empty = line.downcast::<Bytes>().is_some_and(|line| line.as_slice().is_empty());
    Ok(if empty { None } else { Some(line) })
}

pub fn write(vm: &Vm, this: &Value, args: &[Value]) -> Result {
    Buffered::of(this).check_initialized(vm)?;
    let data = vm.bytes_like(&args[0])?;
    write_slice(vm, this, &data).map(Value::from)
}

/// `write` of plain bytes.
pub fn write_slice(vm: &Vm, this: &Value, data: &[u8]) -> Result<usize> {
    let own = Buffered::of(this);
    own.check_initialized(vm)?;
    let _guard = own.enter(vm, this)?;
    if own.is_closed(vm)? {
        return Err(vm.value_error("write to closed file"));
    }
    own.write(vm, data)
}

pub fn flush(vm: &Vm, this: &Value, _: &[Value]) -> Result {
    let own = Buffered::of(this);
    own.check_initialized(vm)?;
    own.check_closed(vm, "flush of closed file")?;
    let _guard = own.enter(vm, this)?;
    own.flush_and_rewind(vm).map(Value::from)
}

/// `flush` of a reader, which has nothing to write.
pub fn simple_flush(vm: &Vm, this: &Value, _: &[Value]) -> Result {
    let raw = Buffered::of(this).checked_raw(vm)?;
    vm.call_method_name(&raw, &names().flush, &[])
}

pub fn seek(vm: &Vm, this: &Value, args: &[Value]) -> Result {
    let whence = vm.index_i32(&args[1])?;
    let own = Buffered::of(this);
    own.check_initialized(vm)?;
    if !matches!(whence, 0 | 1 | 2 | libc::SEEK_HOLE | libc::SEEK_DATA) {
        return Err(vm.value_error(format!("whence value {whence} unsupported")));
    }
    own.check_closed(vm, "seek of closed file")?;
    iobase::check_seekable(vm, &own.raw())?;
    let index = vm.index(&args[0])?;
    let Some(mut target) = int::to_i64(&index) else {
        let name = args[0].ty().name();
        return Err(vm.value_error(format!("cannot fit '{name}' into an offset-sized integer")));
    };
    if matches!(whence, 0 | 1) && own.with(|state| state.readable) {
        // The position may be one that was read ahead.
        let current = own.known_position(vm)?;
        let inside = own.with(|state| {
            let ahead = state.readahead();
            if ahead <= 0 {
                return None;
            }
            let logical = current - state.raw_offset();
            let offset = if whence == 0 { target.checked_sub(logical)? } else { target };
            if offset < -state.pos || offset > ahead {
                return None;
            }
            state.pos += offset;
            // Devices need not count.
            Some((logical + offset).max(0))
        });
        if let Some(position) = inside {
            return Ok(Value::from(position));
        }
    }
    let _guard = own.enter(vm, this)?;
    if own.with(|state| state.writable) {
        own.flush_writes(vm)?;
    }
    if whence == 1 {
        target = target.saturating_sub(own.with(|state| state.raw_offset()));
    }
    let position = own.raw_seek(vm, target, whence)?;
    own.with(|state| {
        state.raw_pos = -1;
        if state.readable {
            state.reset_read_buffer();
        }
    });
    Ok(Value::from(position))
}

pub fn tell(vm: &Vm, this: &Value, _: &[Value]) -> Result {
    let own = Buffered::of(this);
    own.check_initialized(vm)?;
    let _guard = own.enter(vm, this)?;
    let position = own.raw_tell(vm)?;
    // A file that was changed from outside may give less than what was read ahead.
    Ok(Value::from((position - own.with(|state| state.raw_offset())).max(0)))
}

pub fn truncate(vm: &Vm, this: &Value, args: &[Value]) -> Result {
    let own = Buffered::of(this);
    own.check_initialized(vm)?;
    own.check_closed(vm, "truncate of closed file")?;
    if !own.with(|state| state.writable) {
        return Err(unsupported(vm, "truncate"));
    }
    let _guard = own.enter(vm, this)?;
    own.flush_and_rewind(vm)?;
    let size = vm.call_method_name(&own.raw(), &names().truncate, &args[..1])?;
    if let Err(raised) = own.raw_tell(vm) {
        vm.discard(raised);
    }
    Ok(size)
}

pub fn close(vm: &Vm, this: &Value, _: &[Value]) -> Result {
    let own = Buffered::of(this);
    own.check_initialized(vm)?;
    {
        let _guard = own.enter(vm, this)?;
        if own.raw_is_closed(vm)? {
            return Ok(Value::NONE);
        }
        if own.with(|state| state.finalizing) {
            warn_unclosed(vm, this, this);
        }
    }
    // `flush` takes the lock itself, and may be overridden.
    let flushed = vm.call_method_name(this, &names().flush, &[]);
    let _guard = own.enter(vm, this)?;
    let first = flushed.err().map(|raised| vm.take(raised));
    let closed = vm.call_method_name(&own.raw(), &names().close, &[]);
    let buffer = own.with(|state| {
        (state.read_end, state.pos, state.closed_buffer) = (0, 0, true);
        std::mem::take(&mut state.buffer)
    });
    spare::keep(buffer);
    match (closed, first) {
        (closed, None) => closed,
        (Ok(_), Some(first)) => Err(vm.set_exception(first)),
        (Err(raised), Some(first)) => Err(with_context(vm, raised, first)),
    }
}

/// Has the raw stream warn that `source` was not closed.
fn warn_unclosed(vm: &Vm, this: &Value, source: &Value) {
    let own = Buffered::of(this);
    if own.with(|state| state.ok)
        && let Err(raised) = vm.call_method_name(&own.raw(), &names()._dealloc_warn, std::slice::from_ref(source))
    {
        vm.discard(raised);
    }
}

pub fn dealloc_warn(vm: &Vm, this: &Value, args: &[Value]) -> Result {
    warn_unclosed(vm, this, &args[0]);
    Ok(Value::NONE)
}

pub fn detach(vm: &Vm, this: &Value, _: &[Value]) -> Result {
    let own = Buffered::of(this);
    own.check_initialized(vm)?;
    vm.call_method_name(this, &names().flush, &[])?;
    Ok(own.with(|state| {
        (state.detached, state.ok) = (true, false);
        std::mem::replace(&mut state.raw, Value::NONE)
    }))
}

macro_rules! forward {
    ($($name:ident)*) => { $(
        pub fn $name(vm: &Vm, this: &Value, _: &[Value]) -> Result {
            let raw = Buffered::of(this).checked_raw(vm)?;
            vm.call_method_name(&raw, &names().$name, &[])
        }
    )* };
}
forward! { seekable readable writable fileno isatty }

/// What CPython's object without its buffer takes.
const BASIC_SIZE: i64 = 152;

pub fn sizeof(_: &Vm, this: &Value, _: &[Value]) -> Result {
    let buffer = Buffered::of(this).with(|state| if state.closed_buffer { 0 } else { state.buffer_size });
    Ok(Value::from(BASIC_SIZE + buffer))
}

pub fn getstate(vm: &Vm, this: &Value, _: &[Value]) -> Result {
    Err(cannot_pickle(vm, this))
}

pub fn repr(vm: &Vm, this: &Value) -> Result {
    let class = this.ty().full_name();
    let Some(name) = Buffered::of(this).name_for_repr(vm, this)? else {
        return Ok(Value::from(format!("<{class}>")));
    };
    if !vm.enter_repr(this) {
        return Err(vm.runtime_error(format!("reentrant call inside {class}.__repr__")));
    }
    let name = vm.repr_string(&name);
    vm.leave_repr(this);
    Ok(Value::from(format!("<{class} name={}>", name?)))
}

pub static GETSET: &[GetSetDef] = &[
    GetSetDef::new("closed", "", |vm, this| {
        let raw = Buffered::of(this).checked_raw(vm)?;
        vm.get_attr(&raw, &names().closed)
    }),
    GetSetDef::new("name", "", |vm, this| {
        let raw = Buffered::of(this).checked_raw(vm)?;
        vm.get_attr(&raw, &names().name)
    }),
    GetSetDef::new("mode", "", |vm, this| {
        let raw = Buffered::of(this).checked_raw(vm)?;
        vm.get_attr(&raw, &names().mode)
    }),
];

pub static MEMBERS: &[MemberDef] = &[
    MemberDef::new("raw", "", |_, this| Ok(Buffered::of(this).raw())),
    MemberDef::new("_finalizing", "", |_, this| Ok(Value::bool(Buffered::of(this).with(|state| state.finalizing))))
        .setter(|vm, this, value| {
            let finalizing = crate::_io::file_io::finalizing_argument(vm, value)?;
            Buffered::of(this).with(|state| state.finalizing = finalizing);
            Ok(())
        }),
];

/// The arguments of the three constructors: the raw stream and the size of the buffer.
pub fn init_arguments(
    vm: &Vm,
    signature: &taipan_object::native::signature::Signature,
    args: &[Value],
    kwnames: Option<&Value>,
) -> Result<(Value, i64)> {
    let bound = signature.bind(vm, args, kwnames)?;
    let size = match bound[1].bound() {
        Some(size) => vm.index_i64(size)?,
        None => crate::_io::DEFAULT_BUFFER_SIZE as i64,
    };
    Ok((bound[0].clone(), size))
}
