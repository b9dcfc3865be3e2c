//! `mmap(fileno, length, flags, prot, access, offset, *, trackfd)`

use super::{ACCESS_COPY, ACCESS_DEFAULT, ACCESS_READ, ACCESS_WRITE, Mmap, MmapState};
use crate::arguments::{c_int, c_long, errno};
use crate::payload::{class_of, signature};
use taipan_object::vm::hooks::blocking;
use taipan_object::{Result, Value, Vm};

signature!(NEW = "mmap(fileno, length, flags=1, prot=3, access=0, offset=0, *, trackfd=True)");

/// Flags and protection for an access; and the access for a protection.
fn resolve(vm: &Vm, flags: i32, protection: i32, access: i32) -> Result<(i32, i32, i32)> {
    let both = libc::PROT_READ | libc::PROT_WRITE;
    if access != ACCESS_DEFAULT && (flags != libc::MAP_SHARED || protection != both) {
        return Err(vm.value_error("mmap can't specify both access and flags, prot."));
    }
    match access {
        ACCESS_READ => Ok((libc::MAP_SHARED, libc::PROT_READ, access)),
        ACCESS_WRITE => Ok((libc::MAP_SHARED, both, access)),
        ACCESS_COPY => Ok((libc::MAP_PRIVATE, both, access)),
        ACCESS_DEFAULT => {
            let access = match (protection & libc::PROT_READ != 0, protection & libc::PROT_WRITE != 0) {
                (true, true) => ACCESS_DEFAULT,
                (false, true) => ACCESS_WRITE,
                _ => ACCESS_READ,
            };
            Ok((flags, protection, access))
        }
        _ => Err(vm.value_error("mmap invalid access parameter.")),
    }
}

/// The length that a mapping of a regular file gets.
fn fit(vm: &Vm, fd: i32, length: i64, offset: i64) -> Result<i64> {
    // SAFETY: `stat` is plain data, filled by the call.
    let (known, status) = blocking(|| unsafe {
        let mut status: libc::stat = std::mem::zeroed();
        (libc::fstat(fd, &mut status) == 0, status)
    });
    if !known || status.st_mode & libc::S_IFMT != libc::S_IFREG {
        return Ok(length);
    }
    if length == 0 {
        if status.st_size == 0 {
            return Err(vm.value_error("cannot mmap an empty file"));
        }
        if offset >= status.st_size {
            return Err(vm.value_error("mmap offset is greater than file size"));
        }
        return Ok(status.st_size - offset);
    }
    if offset > status.st_size || status.st_size - offset < length {
        return Err(vm.value_error("mmap length is greater than file size"));
    }
    Ok(length)
}

pub fn new(vm: &Vm, class: &Value, args: &[Value], kwnames: Option<&Value>) -> Result {
    let bound = NEW.bind(vm, args, kwnames)?;
    let fd = c_int(vm, &bound[0])?;
    let length = vm.index_i64(&bound[1])?;
    let (flags, protection, access) = (c_int(vm, &bound[2])?, c_int(vm, &bound[3])?, c_int(vm, &bound[4])?);
    let offset = c_long(vm, &bound[5])?;
    let track_fd = vm.is_true(&bound[6])?;
    if length < 0 {
        return Err(vm.overflow_error("memory mapped length must be positive"));
    }
    if offset < 0 {
        return Err(vm.overflow_error("memory mapped offset must be positive"));
    }
    let (mut flags, protection, access) = resolve(vm, flags, protection, access)?;
    vm.audit("mmap.__new__", &[Value::from(fd), Value::from(length), Value::from(access), Value::from(offset)])?;
    let length = if fd == -1 { length } else { fit(vm, fd, length, offset)? };
    let mut own_fd = -1;
    if fd == -1 {
        flags |= libc::MAP_ANONYMOUS;
    } else if track_fd {
        // SAFETY: a system call on plain numbers.
        own_fd = unsafe { libc::fcntl(fd, libc::F_DUPFD_CLOEXEC, 0) };
        if own_fd < 0 {
            return Err(vm.last_os_error(None));
        }
    }
    // SAFETY: a new mapping, wherever the system puts it: `MAP_FIXED` replaces nothing at address 0.
    let (address, error) = blocking(|| {
        let flags = flags & !libc::MAP_FIXED;
        (unsafe { libc::mmap(std::ptr::null_mut(), length as usize, protection, flags, fd, offset) }, errno())
    });
    if address == libc::MAP_FAILED {
        if own_fd >= 0 {
            // SAFETY: the descriptor made above.
            unsafe { libc::close(own_fd) };
        }
        return Err(vm.os_error(error, None, None));
    }
    let state = MmapState {
        address: address as usize,
        size: length as usize,
        position: 0,
        offset,
        exports: 0,
        fd: own_fd,
        track_fd,
        flags,
        access,
    };
    Ok(Mmap::make(class_of(class), state))
}
