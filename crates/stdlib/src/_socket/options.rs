//! Options of sockets.

use taipan_object::builtins::bytes;
use taipan_object::builtins::int as python_int;
use taipan_object::{Result, Value, Vm};

use super::os_error;
use super::parse::{count, int};
use super::socket::Socket;
use crate::arguments::{check, errno};

/// The error that an operation in the background ended with; 0 for none.
pub fn pending_error(fd: i32) -> std::result::Result<i32, i32> {
    let (mut error, mut length) = (0i32, size_of::<i32>() as libc::socklen_t);
    // SAFETY: room for an int.
    let status =
        unsafe { libc::getsockopt(fd, libc::SOL_SOCKET, libc::SO_ERROR, (&raw mut error).cast(), &mut length) };
    if status < 0 { Err(errno()) } else { Ok(error) }
}

pub fn getsockopt(vm: &Vm, this: &Value, args: &[Value], kwnames: Option<&Value>) -> Result {
    count(vm, "socket.getsockopt", args, kwnames, 2, 3)?;
    let (level, option) = (int(vm, args.first(), 0)?, int(vm, args.get(1), 0)?);
    let size = int(vm, args.get(2), 0)?;
    let socket = Socket::of(this);
    if size == 0 {
        if socket.family() == libc::AF_VSOCK {
            let (mut value, mut length) = (0u64, size_of::<u64>() as libc::socklen_t);
            // SAFETY: room for the number.
            check(vm, unsafe { libc::getsockopt(socket.fd(), level, option, (&raw mut value).cast(), &mut length) })?;
            return Ok(Value::from(value));
        }
        let (mut value, mut length) = (0i32, size_of::<i32>() as libc::socklen_t);
        // SAFETY: room for the number.
        check(vm, unsafe { libc::getsockopt(socket.fd(), level, option, (&raw mut value).cast(), &mut length) })?;
        return Ok(Value::from(value));
    }
    if !(1..=1024).contains(&size) {
        return Err(os_error(vm, "getsockopt buflen out of range"));
    }
    let (mut buffer, mut length) = ([0u8; 1024], size as libc::socklen_t);
    // SAFETY: room for so many bytes.
    check(vm, unsafe { libc::getsockopt(socket.fd(), level, option, buffer.as_mut_ptr().cast(), &mut length) })?;
    bytes::from_slice(vm, &buffer[..(length as usize).min(buffer.len())])
}

pub fn setsockopt(vm: &Vm, this: &Value, args: &[Value], kwnames: Option<&Value>) -> Result {
    let wants_length = args.len() == 4 && args[2].is_none();
    if !wants_length {
        count(vm, "socket.setsockopt", args, kwnames, 3, 3)?;
    }
    let (level, option) = (int(vm, args.first(), 0)?, int(vm, args.get(1), 0)?);
    let fd = Socket::of(this).fd();
    if wants_length {
        let length = crate::arguments::c_ulong_mask(vm, &args[3]).map(|length| length as libc::socklen_t);
        let length = length.or_else(|raised| {
            vm.discard(raised);
            count(vm, "socket.setsockopt", args, kwnames, 3, 3).map(|()| 0)
        })?;
        // SAFETY: no value, of which the length tells something.
        check(vm, unsafe { libc::setsockopt(fd, level, option, std::ptr::null(), length) })?;
        return Ok(Value::NONE);
    }
    let value = &args[2];
    if python_int::is_int(value) {
        let number = python_int::to_i64(value);
        if Socket::of(this).family() == libc::AF_VSOCK
            && let Some(number) = number.and_then(|n| u64::try_from(n).ok())
        {
            // SAFETY: a number of this size.
            check(vm, unsafe {
                libc::setsockopt(fd, level, option, (&raw const number).cast(), size_of::<u64>() as libc::socklen_t)
            })?;
            return Ok(Value::NONE);
        }
        if let Some(number) = number.and_then(|n| i32::try_from(n).ok()) {
            // SAFETY: an int of this size.
            check(vm, unsafe {
                libc::setsockopt(fd, level, option, (&raw const number).cast(), size_of::<i32>() as libc::socklen_t)
            })?;
            return Ok(Value::NONE);
        }
    }
    let data = vm.bytes_like(value)?;
    // SAFETY: the data has this length.
    check(vm, unsafe { libc::setsockopt(fd, level, option, data.as_ptr().cast(), data.len() as libc::socklen_t) })?;
    Ok(Value::NONE)
}
