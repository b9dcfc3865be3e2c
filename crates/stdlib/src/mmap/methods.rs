//! The methods of `mmap.mmap`.

use super::{ACCESS_COPY, ACCESS_READ, Mmap};
use crate::arguments::{c_int, errno};
use taipan_object::builtins::bytes;
use taipan_object::builtins::int;
use taipan_object::native::MethodDef;
use taipan_object::vm::hooks::blocking;
use taipan_object::{Result, Value, Vm, method_table};

/// Searches for `args[0]` between two optional bounds, from the position on by default.
fn find(vm: &Vm, this: &Value, args: &[Value], last: bool) -> Result {
    let own = Mmap::of(this);
    let bound = |value: &Value| value.given().map(|value| vm.index_clipped(value)).transpose();
    let needle = vm.bytes_like(&args[0])?;
    let (start, end) = (bound(&args[1])?, bound(&args[2])?);
    let view = own.open(vm)?;
    let length = view.len as i64;
    let fit = |at: i64| if at < 0 { at.saturating_add(length).max(0) } else { at.min(length) } as usize;
    let start = fit(start.unwrap_or_else(|| own.with(|state| state.position) as i64));
    let end = fit(end.unwrap_or(length));
    let found = match view.as_slice().get(start..end) {
        None => None,
        Some(range) if last => memchr::memmem::rfind(range, &needle),
        Some(range) => memchr::memmem::find(range, &needle),
    };
    Ok(Value::from(found.map_or(-1, |at| (start + at) as i64)))
}

fn close(vm: &Vm, this: &Value) -> Result<()> {
    let own = Mmap::of(this);
    if own.with(|state| state.exports > 0) {
        return Err(vm.buffer_error("cannot close exported pointers exist"));
    }
    let (address, size, fd) =
        own.with(|state| (std::mem::take(&mut state.address), state.size, std::mem::replace(&mut state.fd, -1)));
    // SAFETY: the mapping and the descriptor were this object's own, and no view is left.
    blocking(|| unsafe {
        if fd >= 0 {
            libc::close(fd);
        }
        if address != 0 {
            libc::munmap(address as *mut libc::c_void, size);
        }
    });
    Ok(())
}

fn flush(vm: &Vm, this: &Value, args: &[Value]) -> Result {
    let offset = vm.index_i64(&args[0])?;
    let size = args[1].given().map(|size| vm.index_i64(size)).transpose()?;
    let own = Mmap::of(this);
    let view = own.open(vm)?;
    let size = size.unwrap_or(view.len as i64);
    let end = offset.checked_add(size);
    if size < 0 || offset < 0 || end.is_none_or(|end| end > view.len as i64) {
        return Err(vm.value_error("flush values out of range"));
    }
    if own.with(|state| matches!(state.access, ACCESS_READ | ACCESS_COPY)) {
        return Ok(Value::NONE);
    }
    let address = view.start as usize + offset as usize;
    // SAFETY: the range is within the mapping.
    let (done, error) =
        blocking(|| (unsafe { libc::msync(address as *mut libc::c_void, size as usize, libc::MS_SYNC) }, errno()));
    if done < 0 { Err(vm.os_error(error, None, None)) } else { Ok(Value::NONE) }
}

fn madvise(vm: &Vm, this: &Value, args: &[Value]) -> Result {
    let option = c_int(vm, &args[0])?;
    let start = vm.index_i64(&args[1])?;
    let length = args[2].given().map(|length| vm.index_i64(length)).transpose()?;
    let view = Mmap::of(this).open(vm)?;
    let size = view.len as i64;
    let length = length.unwrap_or(size);
    if start < 0 || start >= size {
        return Err(vm.value_error("madvise start out of bounds"));
    }
    if length < 0 {
        return Err(vm.value_error("madvise length invalid"));
    }
    if i64::MAX - start < length {
        return Err(vm.overflow_error("madvise length too large"));
    }
    let length = length.min(size - start);
    // SAFETY: the range is within the mapping. What the advice does to the contents is the program's wish.
    let done = unsafe { libc::madvise(view.start.add(start as usize).cast(), length as usize, option) };
    if done != 0 { Err(vm.last_os_error(None)) } else { Ok(Value::NONE) }
}

fn move_bytes(vm: &Vm, this: &Value, args: &[Value]) -> Result {
    let (target, source, count) = (vm.index_i64(&args[0])?, vm.index_i64(&args[1])?, vm.index_i64(&args[2])?);
    let view = Mmap::of(this).writable(vm)?;
    let size = view.len as i64;
    if target < 0 || source < 0 || count < 0 || size - target < count || size - source < count {
        return Err(vm.value_error("source, destination, or count out of range"));
    }
    view.as_mut_slice().copy_within(source as usize..(source + count) as usize, target as usize);
    Ok(Value::NONE)
}

fn read(vm: &Vm, this: &Value, args: &[Value]) -> Result {
    let size = match args[0].given() {
        Some(_) => crate::_io::size_argument(vm, &args[0])?,
        None => -1,
    };
    let own = Mmap::of(this);
    let view = own.open(vm)?;
    let position = own.with(|state| state.position).min(view.len);
    let remaining = view.len - position;
    let count = if size < 0 { remaining } else { remaining.min(size as usize) };
    let data = bytes::from_slice(vm, &view.as_slice()[position..position + count])?;
    own.with(|state| state.position = position + count);
    Ok(data)
}

fn resize(vm: &Vm, this: &Value, args: &[Value]) -> Result {
    let size = vm.index_i64(&args[0])?;
    let own = Mmap::of(this);
    let view = own.open(vm)?;
    let (exports, track_fd, access, fd, flags, offset) =
        own.with(|state| (state.exports, state.track_fd, state.access, state.fd, state.flags, state.offset));
    if exports > 0 {
        return Err(vm.buffer_error("mmap can't resize with extant buffers exported."));
    }
    if !track_fd {
        return Err(vm.value_error("mmap can't resize with trackfd=False."));
    }
    if matches!(access, ACCESS_READ | ACCESS_COPY) {
        return Err(vm.type_error("mmap can't resize a readonly or copy-on-write memory map."));
    }
    if size < 0 || i64::MAX - size < offset {
        return Err(vm.value_error("new size out of range"));
    }
    if fd == -1 && flags & libc::MAP_PRIVATE == 0 && size as usize > view.len {
        return Err(vm.value_error("mmap: can't expand a shared anonymous mapping"));
    }
    // SAFETY: the file is this mapping's own; no view of the old place is left.
    let (address, error) = unsafe {
        if fd != -1 && libc::ftruncate(fd, offset + size) == -1 {
            return Err(vm.last_os_error(None));
        }
        (libc::mremap(view.start.cast(), view.len, size as usize, libc::MREMAP_MAYMOVE), errno())
    };
    if address == libc::MAP_FAILED {
        return Err(vm.os_error(error, None, None));
    }
    own.with(|state| (state.address, state.size) = (address as usize, size as usize));
    Ok(Value::NONE)
}

fn seek(vm: &Vm, this: &Value, args: &[Value]) -> Result {
    let distance = vm.index_i64(&args[0])?;
    let whence = c_int(vm, &args[1])?;
    let own = Mmap::of(this);
    let view = own.open(vm)?;
    let base = match whence {
        0 => 0,
        1 => own.with(|state| state.position) as i64,
        2 => view.len as i64,
        _ => return Err(vm.value_error("unknown seek type")),
    };
    match base.checked_add(distance) {
        Some(at) if at >= 0 && at <= view.len as i64 => {
            own.with(|state| state.position = at as usize);
            Ok(Value::from(at))
        }
        _ => Err(vm.value_error("seek out of range")),
    }
}

fn size(vm: &Vm, this: &Value) -> Result {
    let own = Mmap::of(this);
    own.open(vm)?;
    let fd = own.with(|state| state.fd);
    // SAFETY: `stat` is plain data, filled by the call.
    let (done, error, status) = blocking(|| unsafe {
        let mut status: libc::stat = std::mem::zeroed();
        (libc::fstat(fd, &mut status), errno(), status)
    });
    if done < 0 { Err(vm.os_error(error, None, None)) } else { Ok(Value::from(status.st_size)) }
}

/// A byte, as the argument code `b` takes it.
fn byte_argument(vm: &Vm, value: &Value) -> Result<u8> {
    let number = vm.index(value)?;
    match int::to_i64(&number).map(u8::try_from) {
        Some(Ok(byte)) => Ok(byte),
        _ if int::is_negative(&number) => Err(vm.overflow_error("unsigned byte integer is less than minimum")),
        _ => Err(vm.overflow_error("unsigned byte integer is greater than maximum")),
    }
}

method_table! { pub static METHODS = [
    MethodDef::new("close($self, /)", "", |vm, this, _| close(vm, this).map(Value::from)),
    MethodDef::new("find($self, view, start=None, end=None, /)", "", |vm, this, args| find(vm, this, args, false)),
    MethodDef::new("rfind($self, view, start=None, end=None, /)", "", |vm, this, args| find(vm, this, args, true)),
    MethodDef::new("flush($self, offset=0, size=None, /)", "", flush),
    MethodDef::new("madvise($self, option, start=0, length=None, /)", "", madvise),
    MethodDef::new("move($self, dest, src, count, /)", "", move_bytes),
    MethodDef::new("read($self, n=None, /)", "", read),
    MethodDef::new("read_byte($self, /)", "", |vm, this, _| {
        let own = Mmap::of(this);
        let view = own.open(vm)?;
        match view.as_slice().get(own.with(|state| state.position)) {
            Some(byte) => {
                own.with(|state| state.position += 1);
                Ok(Value::from(*byte as i64))
            }
            None => Err(vm.value_error("read byte out of range")),
        }
    }),
    MethodDef::new("readline($self, /)", "", |vm, this, _| {
        let own = Mmap::of(this);
        let view = own.open(vm)?;
        let rest = view.as_slice().get(own.with(|state| state.position)..).unwrap_or(&[]);
        let line = &rest[..memchr::memchr(b'\n', rest).map_or(rest.len(), |at| at + 1)];
        let data = bytes::from_slice(vm, line)?;
        own.with(|state| state.position += line.len());
        Ok(data)
    }),
    MethodDef::new("resize($self, newsize, /)", "", resize),
    MethodDef::new("seek($self, pos, whence=0, /)", "", seek),
    MethodDef::new("seekable($self, /)", "", |_, _, _| Ok(Value::TRUE)),
    MethodDef::new("size($self, /)", "", |vm, this, _| size(vm, this)),
    MethodDef::new("tell($self, /)", "", |vm, this, _| {
        let own = Mmap::of(this);
        own.open(vm)?;
        Ok(Value::from(own.with(|state| state.position)))
    }),
    MethodDef::new("write($self, bytes, /)", "", |vm, this, args| {
        let data = vm.bytes_like(&args[0])?;
        let own = Mmap::of(this);
        let view = own.writable(vm)?;
        let position = own.with(|state| state.position);
        if position > view.len || view.len - position < data.len() {
            return Err(vm.value_error("data out of range"));
        }
        // The data may be a view of this very memory.
        // SAFETY: both ranges have so many bytes; `copy` allows them to overlap.
        unsafe { std::ptr::copy(data.as_ptr(), view.start.add(position), data.len()) };
        own.with(|state| state.position += data.len());
        Ok(Value::from(data.len()))
    }),
    MethodDef::new("write_byte($self, byte, /)", "", |vm, this, args| {
        let byte = byte_argument(vm, &args[0])?;
        let own = Mmap::of(this);
        let view = own.writable(vm)?;
        match view.as_mut_slice().get_mut(own.with(|state| state.position)) {
            Some(slot) => {
                *slot = byte;
                own.with(|state| state.position += 1);
                Ok(Value::NONE)
            }
            None => Err(vm.value_error("write byte out of range")),
        }
    }),
    MethodDef::new("__enter__($self, /)", "", |vm, this, _| {
        Mmap::of(this).open(vm)?;
        Ok(this.clone())
    }),
    MethodDef::new("__exit__($self, exc_type, exc_value, traceback, /)", "", |vm, this, _| {
        vm.call_method(this, "close", &[])
    }),
]; }
