//! Handshake, reading, writing, closing.

use std::os::raw::c_int;

use taipan_object::buffer::Buffer;
use taipan_object::builtins::bytes::Bytes;
use taipan_object::exceptions::{self, TYPE_ERROR};
use taipan_object::native::arguments::no_keywords;
use taipan_object::{Raised, Result, Value, Vm};
use taipan_openssl as ossl;

use super::super::errors::{self, Outcome};
use super::SslSocket;
use crate::_socket::socket::Socket;
use crate::_socket::wait::{self, Until};
use crate::arguments::{bad_argument, ssize};
use crate::time::monotonic;

/// How many bytes a record of TLS carries at most (`SSL3_RT_MAX_PLAIN_LENGTH`).
const LONGEST_RECORD: usize = 1 << 14;

/// How long an operation may wait for its socket.
struct Patience<'a> {
    socket: Option<&'a Socket>,
    timeout: i64,
    deadline: i64,
}

/// What waiting led to.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Waited {
    Ready,
    /// The socket is non-blocking, or there is none.
    DoesNot,
    TimedOut,
    Closed,
}

impl<'a> Patience<'a> {
    fn new(transport: &'a Option<Value>) -> Patience<'a> {
        let socket = transport.as_ref().map(Socket::of);
        let timeout = socket.map_or(0, Socket::timeout);
        let deadline = if timeout > 0 { monotonic().saturating_add(timeout) } else { 0 };
        Patience { socket, timeout, deadline }
    }

    fn wait(&self, vm: &Vm, until: Until) -> Result<Waited> {
        let Some(socket) = self.socket else { return Ok(Waited::DoesNot) };
        if self.timeout == 0 {
            return Ok(Waited::DoesNot);
        }
        loop {
            if socket.fd() < 0 {
                return Ok(Waited::Closed);
            }
            let left = if self.timeout < 0 { -1 } else { self.deadline - monotonic() };
            if self.timeout > 0 && left <= 0 {
                return Ok(Waited::TimedOut);
            }
            match wait::poll(socket.fd(), until, left) {
                Ok(true) => return Ok(Waited::Ready),
                Ok(false) => return Ok(Waited::TimedOut),
                Err(libc::EINTR) => vm.check_signals()?,
                Err(errno) => return Err(vm.os_error(errno, None, None)),
            }
        }
    }

    /// Waits for what an operation wants; `None` if it wants nothing.
    fn wait_for(&self, vm: &Vm, outcome: Outcome) -> Result<Option<Waited>> {
        match outcome.ssl {
            ossl::SSL_ERROR_WANT_READ => self.wait(vm, Until::Readable).map(Some),
            ossl::SSL_ERROR_WANT_WRITE => self.wait(vm, Until::Writable).map(Some),
            _ => Ok(None),
        }
    }
}

#[track_caller]
fn closed(vm: &Vm) -> Raised {
    errors::plain(vm, "Underlying socket has been closed.")
}

impl SslSocket {
    /// Chains what a callback raised to what the operation raised, or raises it in its own right.
    fn finish<T>(&self, vm: &Vm, result: Result<T>) -> Result<T> {
        let kept = self.state.borrow(&self.header).exception.take();
        let Some(kept) = kept else { return result };
        match result {
            Ok(_) => Err(vm.raise(kept)),
            Err(raised) => {
                let exception = vm.take(raised);
                if exceptions::context(&exception).is_none() {
                    exceptions::set_context(&exception, Some(kept));
                }
                Err(vm.raise(exception))
            }
        }
    }

    /// Runs an operation until it has succeeded, failed or waited long enough. `Err` in the result is how it ended.
    #[track_caller]
    fn operate(
        &self,
        vm: &Vm,
        patience: &Patience,
        name: &str,
        mut operation: impl FnMut(*mut ossl::SSL) -> c_int,
    ) -> Result<std::result::Result<(), Outcome>> {
        loop {
            let (result, outcome) = self.run(&mut operation);
            if result > 0 {
                vm.check_signals()?;
                return Ok(Ok(()));
            }
            // Python code may run in signal handlers, and use the library: what it has in store is asked for first.
            let wants = matches!(outcome.ssl, ossl::SSL_ERROR_WANT_READ | ossl::SSL_ERROR_WANT_WRITE);
            if !wants {
                return Ok(Err(outcome));
            }
            vm.check_signals()?;
            match patience.wait_for(vm, outcome)? {
                Some(Waited::Ready) => {}
                Some(Waited::TimedOut) => return Err(errors::timed_out(vm, name)),
                Some(Waited::Closed) => return Err(closed(vm)),
                Some(Waited::DoesNot) | None => return Ok(Err(outcome)),
            }
        }
    }
}

pub fn do_handshake(vm: &Vm, this: &Value, _: &[Value]) -> Result {
    let connection = SslSocket::of(this);
    let transport = connection.transport(vm)?;
    let patience = Patience::new(&transport);
    // SAFETY: the connection is alive.
    let done = connection.operate(vm, &patience, "handshake", |raw| unsafe { ossl::SSL_do_handshake(raw) })?;
    let result = match done {
        Ok(()) => Ok(Value::NONE),
        Err(outcome) => Err(errors::raise_outcome(vm, connection, outcome)),
    };
    connection.finish(vm, result)
}

pub fn write(vm: &Vm, this: &Value, args: &[Value]) -> Result {
    let connection = SslSocket::of(this);
    let data = vm.bytes_like(&args[0])?;
    let transport = connection.transport(vm)?;
    let patience = Patience::new(&transport);
    if patience.timeout > 0 {
        match patience.wait(vm, Until::Writable)? {
            Waited::TimedOut => return Err(errors::timed_out(vm, "write")),
            Waited::Closed => return Err(closed(vm)),
            _ => {}
        }
    }
    let (pointer, length, mut count) = (data.as_ptr(), data.len(), 0);
    let done = connection.operate(vm, &patience, "write", |raw| {
        // SAFETY: the connection is alive, the data has this length.
        unsafe { ossl::SSL_write_ex(raw, pointer.cast(), length, &mut count) }
    })?;
    let result = match done {
        Ok(()) => Ok(Value::from(count)),
        Err(outcome) => Err(errors::raise_outcome(vm, connection, outcome)),
    };
    connection.finish(vm, result)
}

/// `read(size, [buffer])`
pub fn read(vm: &Vm, this: &Value, args: &[Value], kwnames: Option<&Value>) -> Result {
    no_keywords(vm, "_SSLSocket.read", kwnames)?;
    if !(1..=2).contains(&args.len()) {
        return Err(vm.type_error("_ssl._SSLSocket.read requires 1 to 2 arguments"));
    }
    let connection = SslSocket::of(this);
    let size = ssize(vm, &args[0])?;
    let buffer: Option<Buffer> = match args.get(1) {
        None => None,
        Some(buffer) => {
            Some(vm.writable_bytes_like(buffer).map_err(|raised| match vm.catch(raised, TYPE_ERROR.ty()) {
                Ok(_) => bad_argument(vm, "read", "argument 2", "read-write bytes-like object", buffer),
                Err(raised) => raised,
            })?)
        }
    };
    if buffer.is_none() && size < 0 {
        return Err(vm.value_error("size should not be negative"));
    }
    let transport = connection.transport(vm)?;
    match buffer {
        None => {
            // Whatever was asked for, one record is what a call gives.
            let size = (size as usize).min(LONGEST_RECORD);
            // SAFETY: as many bytes are read as it says.
            unsafe { Bytes::filled(vm, size, |room| receive(vm, connection, &transport, room, size)) }
        }
        Some(buffer) => {
            let length = match usize::try_from(size) {
                Ok(size) if size > 0 => size.min(buffer.length),
                _ => buffer.length,
            };
            receive(vm, connection, &transport, buffer.pointer, length).map(Value::from)
        }
    }
}

fn receive(
    vm: &Vm,
    connection: &SslSocket,
    transport: &Option<Value>,
    pointer: *mut u8,
    length: usize,
) -> Result<usize> {
    if length == 0 {
        return Ok(0);
    }
    let patience = Patience::new(transport);
    let mut count = 0;
    let done = connection.operate(vm, &patience, "read", |raw| {
        // SAFETY: the connection is alive; room for so many bytes.
        unsafe { ossl::SSL_read_ex(raw, pointer.cast(), length, &mut count) }
    })?;
    let result = match done {
        Ok(()) => Ok(count),
        // SAFETY: the connection is alive.
        Err(outcome)
            if outcome.ssl == ossl::SSL_ERROR_ZERO_RETURN
                && unsafe { ossl::SSL_get_shutdown(connection.raw) } == ossl::SSL_RECEIVED_SHUTDOWN =>
        {
            errors::clear();
            Ok(0)
        }
        Err(outcome) => Err(errors::raise_outcome(vm, connection, outcome)),
    };
    connection.finish(vm, result)
}

/// Says goodbye, and waits for the other side's; the socket, for what goes on without TLS.
pub fn shutdown(vm: &Vm, this: &Value, _: &[Value]) -> Result {
    let connection = SslSocket::of(this);
    let transport = connection.transport(vm)?;
    let patience = Patience::new(&transport);
    let mut zeros = 0;
    let result = loop {
        let seen_zero = connection.state.borrow(&connection.header).shutdown_seen_zero;
        let (result, outcome) = connection.run(|raw| {
            // SAFETY: the connection is alive. What follows the goodbye is not the connection's to read.
            unsafe {
                if seen_zero {
                    ossl::SSL_set_read_ahead(raw, 0);
                }
                ossl::SSL_shutdown(raw)
            }
        });
        if result > 0 {
            break Ok(());
        }
        if result == 0 {
            // Not for ever, if the other side keeps silent.
            zeros += 1;
            if zeros > 1 {
                break Ok(());
            }
            connection.state.borrow(&connection.header).shutdown_seen_zero = true;
            continue;
        }
        match patience.wait_for(vm, outcome)? {
            Some(Waited::Ready) => {}
            Some(Waited::TimedOut) => {
                let name = if outcome.ssl == ossl::SSL_ERROR_WANT_READ { "read" } else { "write" };
                return Err(errors::timed_out(vm, name));
            }
            Some(Waited::Closed) => return Err(closed(vm)),
            Some(Waited::DoesNot) | None => break Err(outcome),
        }
    };
    let result = match result {
        Ok(()) => Ok(transport.unwrap_or(Value::NONE)),
        Err(outcome) => Err(errors::raise_outcome(vm, connection, outcome)),
    };
    connection.finish(vm, result)
}

pub fn verify_client_post_handshake(vm: &Vm, this: &Value, _: &[Value]) -> Result {
    errors::clear();
    // SAFETY: a live connection.
    match unsafe { ossl::SSL_verify_client_post_handshake(SslSocket::of(this).raw) } {
        0 => Err(errors::raise(vm, None)),
        _ => Ok(Value::NONE),
    }
}
