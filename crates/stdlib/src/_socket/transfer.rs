//! Sending and receiving: methods of `socket`.

use taipan_object::buffer::Buffer;
use taipan_object::builtins::bytes::{self, Bytes};
use taipan_object::builtins::tuple::Tuple;
use taipan_object::exceptions::{TIMEOUT_ERROR, TYPE_ERROR};
use taipan_object::{Result, Value, Vm};

use super::address::{self, Address};
use super::parse::{count, int};
use super::socket::Socket;
use super::wait::{self, Failure, Until, outcome};
use crate::arguments::{bad_argument, ssize};
use crate::payload::signature;
use crate::time::monotonic;

signature!(RECV_INTO = "recv_into(buffer, nbytes=0, flags=0)");
signature!(RECVFROM_INTO = "recvfrom_into(buffer, nbytes=0, flags=0)");

/// Room for so many bytes, which a system call is going to fill.
pub fn room(vm: &Vm, size: usize) -> Result<Vec<u8>> {
    let mut buffer = Vec::new();
    match buffer.try_reserve_exact(size) {
        Ok(()) => Ok(buffer),
        Err(_) => Err(vm.memory_error()),
    }
}

/// The size argument of a receiving method.
fn size(vm: &Vm, value: &Value, function: &str) -> Result<usize> {
    let size = ssize(vm, value)?;
    usize::try_from(size).map_err(|_| vm.value_error(format!("negative buffersize in {function}")))
}

/// The buffer argument of a receiving method.
fn writable(vm: &Vm, value: &Value, function: &str) -> Result<Buffer> {
    vm.writable_bytes_like(value).map_err(|raised| match vm.catch(raised, TYPE_ERROR.ty()) {
        Ok(_) => bad_argument(vm, function, "argument 1", "read-write bytes-like object", value),
        Err(raised) => raised,
    })
}

/// Receives into memory of the given size, with the sender's address if wanted.
fn receive(
    vm: &Vm,
    socket: &Socket,
    pointer: *mut u8,
    size: usize,
    flags: i32,
    sender: Option<&mut Address>,
) -> Result<usize> {
    let got = match sender {
        None if size == 0 => 0,
        // SAFETY: the memory has this size.
        None => wait::call(vm, socket, Until::Readable, |fd| {
            outcome(unsafe { libc::recv(fd, pointer.cast(), size, flags) } as i64)
        })?,
        Some(address) => wait::call(vm, socket, Until::Readable, |fd| {
            *address = Address::empty();
            let (name, length) = (address.as_mut_ptr(), address.len_mut() as *mut libc::socklen_t);
            // SAFETY: the memory has this size; room for an address.
            outcome(unsafe { libc::recvfrom(fd, pointer.cast(), size, flags, name, length) } as i64)
        })?,
    };
    Ok(got as usize)
}

pub fn recv(vm: &Vm, this: &Value, args: &[Value], kwnames: Option<&Value>) -> Result {
    count(vm, "socket.recv", args, kwnames, 1, 2)?;
    let size = size(vm, &args[0], "recv")?;
    let flags = int(vm, args.get(1), 0)?;
    // SAFETY: the call fills as many bytes as it says.
    unsafe { Bytes::filled(vm, size, |room| receive(vm, Socket::of(this), room, size, flags, None)) }
}

pub fn recvfrom(vm: &Vm, this: &Value, args: &[Value], kwnames: Option<&Value>) -> Result {
    count(vm, "socket.recvfrom", args, kwnames, 1, 2)?;
    let size = size(vm, &args[0], "recvfrom")?;
    let flags = int(vm, args.get(1), 0)?;
    let socket = Socket::of(this);
    let (mut buffer, mut sender) = (room(vm, size)?, Address::empty());
    let got = receive(vm, socket, buffer.as_mut_ptr(), size, flags, Some(&mut sender))?;
    // SAFETY: the call has filled so many.
    unsafe { buffer.set_len(got) };
    let sender = sender.to_python(vm, socket.fd(), socket.protocol())?;
    Ok(Tuple::from_array([bytes::from_slice(vm, &buffer)?, sender]).into_value())
}

pub fn recv_into(vm: &Vm, this: &Value, args: &[Value], kwnames: Option<&Value>) -> Result {
    let args = RECV_INTO.bind(vm, args, kwnames)?;
    let buffer = writable(vm, &args[0], "recv_into")?;
    let size = size(vm, &args[1], "recv_into")?;
    let flags = int(vm, args.get(2), 0)?;
    let size = if size == 0 { buffer.length } else { size };
    if size > buffer.length {
        return Err(vm.value_error("buffer too small for requested bytes"));
    }
    receive(vm, Socket::of(this), buffer.pointer, size, flags, None).map(Value::from)
}

pub fn recvfrom_into(vm: &Vm, this: &Value, args: &[Value], kwnames: Option<&Value>) -> Result {
    let args = RECVFROM_INTO.bind(vm, args, kwnames)?;
    let buffer = writable(vm, &args[0], "recvfrom_into")?;
    let size = size(vm, &args[1], "recvfrom_into")?;
    let flags = int(vm, args.get(2), 0)?;
    let size = if size == 0 { buffer.length } else { size };
    if size > buffer.length {
        return Err(vm.value_error("nbytes is greater than the length of the buffer"));
    }
    let (socket, mut sender) = (Socket::of(this), Address::empty());
    let got = receive(vm, socket, buffer.pointer, size, flags, Some(&mut sender))?;
    let sender = sender.to_python(vm, socket.fd(), socket.protocol())?;
    Ok(Tuple::from_array([Value::from(got), sender]).into_value())
}

pub fn send(vm: &Vm, this: &Value, args: &[Value], kwnames: Option<&Value>) -> Result {
    count(vm, "socket.send", args, kwnames, 1, 2)?;
    let data = vm.bytes_like(&args[0])?;
    let flags = int(vm, args.get(1), 0)?;
    let (pointer, length) = (data.as_ptr(), data.len());
    let sent = wait::call(vm, Socket::of(this), Until::Writable, |fd| {
        // SAFETY: the data has this length.
        outcome(unsafe { libc::send(fd, pointer.cast(), length, flags) } as i64)
    })?;
    Ok(Value::from(sent))
}

pub fn sendall(vm: &Vm, this: &Value, args: &[Value], kwnames: Option<&Value>) -> Result {
    count(vm, "socket.sendall", args, kwnames, 1, 2)?;
    let data = vm.bytes_like(&args[0])?;
    let flags = int(vm, args.get(1), 0)?;
    let socket = Socket::of(this);
    // The timeout is for all of the data.
    let timeout = socket.timeout();
    let deadline = (timeout > 0).then(|| monotonic().saturating_add(timeout));
    let mut left = timeout;
    let mut rest: &[u8] = &data;
    loop {
        if let Some(deadline) = deadline {
            left = deadline - monotonic();
            if left <= 0 {
                return Err(vm.raise_new(TIMEOUT_ERROR.ty(), "timed out".to_string()));
            }
        }
        let (pointer, length) = (rest.as_ptr(), rest.len());
        let sent = wait::call_with_timeout(vm, socket, Until::Writable, left, |fd| {
            // SAFETY: the rest of the data has this length.
            outcome(unsafe { libc::send(fd, pointer.cast(), length, flags) } as i64)
        })?;
        let sent = sent.map_err(|failure: Failure| failure.raise(vm))?;
        rest = &rest[sent as usize..];
        if rest.is_empty() {
            return Ok(Value::NONE);
        }
        // Signals may have come between the parts.
        vm.check_signals()?;
    }
}

pub fn sendto(vm: &Vm, this: &Value, args: &[Value], kwnames: Option<&Value>) -> Result {
    taipan_object::native::arguments::no_keywords(vm, "socket.sendto", kwnames)?;
    let (flags, target) = match args {
        [_, target] => (None, target),
        [_, flags, target] => (Some(flags), target),
        _ => return Err(vm.type_error(format!("sendto() takes 2 or 3 arguments ({} given)", args.len()))),
    };
    let data = vm.bytes_like(&args[0])?;
    let flags = int(vm, flags, 0)?;
    let socket = Socket::of(this);
    let address = address::parse(vm, socket, target, "sendto")?;
    vm.audit("socket.sendto", &[this.clone(), target.clone()])?;
    let (pointer, length) = (data.as_ptr(), data.len());
    let sent = wait::call(vm, socket, Until::Writable, |fd| {
        // SAFETY: the data has this length; a valid address.
        outcome(unsafe { libc::sendto(fd, pointer.cast(), length, flags, address.as_ptr(), address.len()) } as i64)
    })?;
    Ok(Value::from(sent))
}
