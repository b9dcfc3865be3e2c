//! How operations on sockets block: CPython's `sock_call_ex`.
//!
//! A socket with a timeout is in non-blocking mode; it is polled until it is ready or the time is over. Calls that a
//! signal interrupts are made again after its handler ran.

use taipan_object::builtins::float;
use taipan_object::exceptions::TIMEOUT_ERROR;
use taipan_object::vm::hooks::blocking;
use taipan_object::{Raised, Result, Value, Vm};

use super::socket::Socket;
use crate::arguments::errno;
use crate::time::conversion::{BILLION, Rounding, divide, object_to_nanoseconds};
use crate::time::monotonic;

/// What an operation waits for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Until {
    Readable,
    Writable,
    Connected,
}

/// Why an operation failed.
pub enum Failure {
    Errno(i32),
    TimedOut,
}

impl Failure {
    /// The exception.
    #[cold]
    pub fn raise(self, vm: &Vm) -> Raised {
        match self {
            Failure::Errno(errno) => vm.os_error(errno, None, None),
            Failure::TimedOut => vm.raise_new(TIMEOUT_ERROR.ty(), "timed out".to_string()),
        }
    }
}

/// The result of a system call that returns −1 on failure.
pub fn outcome<T: Into<i64>>(result: T) -> std::result::Result<i64, i32> {
    let result = result.into();
    if result < 0 { Err(errno()) } else { Ok(result) }
}

/// Waits up to so many nanoseconds (forever if negative) for the socket; `Ok(false)`: the time is over.
pub fn poll(fd: i32, until: Until, timeout: i64) -> std::result::Result<bool, i32> {
    if fd < 0 {
        return Ok(true);
    }
    let events = match until {
        Until::Readable => libc::POLLIN,
        Until::Writable => libc::POLLOUT,
        // When a connection is refused, the socket becomes readable, writable, or has an error.
        Until::Connected => libc::POLLOUT | libc::POLLERR,
    };
    let mut entry = libc::pollfd { fd, events, revents: 0 };
    let milliseconds =
        if timeout < 0 { -1 } else { divide(timeout, 1_000_000, Rounding::Ceiling).min(i64::from(i32::MAX)) as i32 };
    blocking(|| {
        // SAFETY: one entry.
        match unsafe { libc::poll(&mut entry, 1, milliseconds) } {
            n if n < 0 => Err(errno()),
            0 => Ok(false),
            _ => Ok(true),
        }
    })
}

/// Runs an operation with a timeout in nanoseconds, negative for none. The operation runs without the GIL.
pub fn call_with_timeout<T>(
    vm: &Vm,
    socket: &Socket,
    until: Until,
    timeout: i64,
    mut operation: impl FnMut(i32) -> std::result::Result<T, i32>,
) -> Result<std::result::Result<T, Failure>> {
    let mut deadline = None;
    loop {
        if timeout > 0 || until == Until::Connected {
            let left = match deadline {
                _ if timeout <= 0 => timeout,
                Some(deadline) => deadline - monotonic(),
                None => {
                    deadline = Some(monotonic().saturating_add(timeout));
                    timeout
                }
            };
            let ready = if timeout > 0 && left < 0 { Ok(false) } else { poll(socket.fd(), until, left) };
            match ready {
                Ok(true) => {}
                Ok(false) => return Ok(Err(Failure::TimedOut)),
                Err(libc::EINTR) => {
                    vm.check_signals()?;
                    continue;
                }
                Err(errno) => return Ok(Err(Failure::Errno(errno))),
            }
        }
        let error = loop {
            let fd = socket.fd();
            match blocking(|| operation(fd)) {
                Ok(result) => return Ok(Ok(result)),
                Err(libc::EINTR) => vm.check_signals()?,
                Err(errno) => break errno,
            }
        };
        // The system may say "ready" when there is nothing, e.g. after a datagram with a wrong checksum.
        if timeout > 0 && (error == libc::EAGAIN || error == libc::EWOULDBLOCK) {
            continue;
        }
        return Ok(Err(Failure::Errno(error)));
    }
}

/// As [`call_with_timeout`], with the socket's own timeout; failure is an exception.
pub fn call<T>(
    vm: &Vm,
    socket: &Socket,
    until: Until,
    operation: impl FnMut(i32) -> std::result::Result<T, i32>,
) -> Result<T> {
    match call_with_timeout(vm, socket, until, socket.timeout(), operation)? {
        Ok(result) => Ok(result),
        Err(failure) => Err(failure.raise(vm)),
    }
}

/// A timeout argument in nanoseconds; −1 for `None`.
pub fn parse_timeout(vm: &Vm, value: &Value) -> Result<i64> {
    if value.is_none() {
        return Ok(-1);
    }
    let timeout = object_to_nanoseconds(vm, value, Rounding::Up)?;
    if timeout < 0 {
        return Err(vm.value_error("Timeout value out of range"));
    }
    Ok(timeout)
}

/// A timeout as Python shows it.
pub fn show_timeout(timeout: i64) -> Value {
    if timeout < 0 { Value::NONE } else { float::from_f64(timeout as f64 / BILLION as f64) }
}
