//! Messages with several buffers and ancillary data: `sendmsg`, `recvmsg` and their kin.

use taipan_object::buffer::Buffer;
use taipan_object::builtins::bytes;
use taipan_object::builtins::list::List;
use taipan_object::builtins::tuple::Tuple;
use taipan_object::exceptions::TYPE_ERROR;
use taipan_object::{Raised, Result, Value, Vm};

use super::address::{self, Address};
use super::os_error;
use super::parse::{count, int};
use super::socket::Socket;
use super::transfer::room;
use super::wait::{self, Until, outcome};
use crate::arguments::{c_int, ssize};
use crate::payload::signature;

const HEADER: usize = cmsg_align(size_of::<libc::cmsghdr>());

const fn cmsg_align(size: usize) -> usize {
    (size + size_of::<usize>() - 1) & !(size_of::<usize>() - 1)
}

/// `CMSG_LEN`; `None` if it does not fit the system's `int`.
pub fn cmsg_len(length: isize) -> Option<usize> {
    let length = usize::try_from(length).ok()?.checked_add(HEADER)?;
    (length <= i32::MAX as usize).then_some(length)
}

/// `CMSG_SPACE`; `None` if it does not fit the system's `int`.
pub fn cmsg_space(length: isize) -> Option<usize> {
    let length = usize::try_from(length).ok()?;
    let padded = HEADER + cmsg_align(1);
    (length <= i32::MAX as usize - padded).then(|| HEADER + cmsg_align(length))
}

/// One piece of ancillary data to send.
struct Ancillary<'a> {
    level: i32,
    kind: i32,
    data: taipan_object::buffer::BytesLike<'a>,
}

fn not_iterable(vm: &Vm, raised: Raised, message: &str) -> Raised {
    match vm.catch(raised, TYPE_ERROR.ty()) {
        Ok(_) => vm.type_error(message),
        Err(raised) => raised,
    }
}

/// The items of an iterable argument.
fn sequence(vm: &Vm, value: &Value, message: &str) -> Result<Vec<Value>> {
    let iterator = vm.iter(value).map_err(|raised| not_iterable(vm, raised, message))?;
    vm.collect(&iterator)
}

/// A control buffer with the given pieces.
fn control_buffer(vm: &Vm, pieces: &[Ancillary]) -> Result<Vec<u8>> {
    let mut total = 0usize;
    for piece in pieces {
        let Some(space) = cmsg_space(piece.data.len() as isize) else {
            return Err(os_error(vm, "ancillary data item too large"));
        };
        total += space;
        if total > i32::MAX as usize {
            return Err(os_error(vm, "too much ancillary data"));
        }
    }
    let mut buffer = room(vm, total)?;
    for piece in pieces {
        let length = HEADER + piece.data.len();
        let mut header = [0u8; HEADER];
        header[..8].copy_from_slice(&length.to_ne_bytes());
        header[8..12].copy_from_slice(&piece.level.to_ne_bytes());
        header[12..16].copy_from_slice(&piece.kind.to_ne_bytes());
        buffer.extend_from_slice(&header);
        buffer.extend_from_slice(&piece.data);
        buffer.resize(cmsg_align(buffer.len()), 0);
    }
    Ok(buffer)
}

fn ancillary_items<'a>(vm: &Vm, items: &'a [Value], storage: &'a mut Vec<Vec<Value>>) -> Result<Vec<Ancillary<'a>>> {
    const WHAT: &str = "[sendmsg() ancillary data items]() argument must be";
    for item in items {
        if !vm.is_sequence(item) {
            return Err(vm.type_error(format!("{WHAT} 3-item tuple, not {}", item.ty().name())));
        }
        let parts = match item.downcast::<Tuple>() {
            Some(tuple) => tuple.as_slice().to_vec(),
            None => vm.collect(item)?,
        };
        if parts.len() != 3 {
            return Err(vm.type_error(format!("{WHAT} tuple of length 3, not {}", parts.len())));
        }
        storage.push(parts);
    }
    storage
        .iter()
        .map(|parts| {
            let (level, kind) = (vm.index_i32(&parts[0])?, vm.index_i32(&parts[1])?);
            Ok(Ancillary { level, kind, data: vm.bytes_like(&parts[2])? })
        })
        .collect()
}

fn empty_message() -> libc::msghdr {
    // SAFETY: zeros are a valid message without anything.
    unsafe { std::mem::zeroed() }
}

fn send(vm: &Vm, socket: &Socket, message: &libc::msghdr, flags: i32) -> Result {
    let sent = wait::call(vm, socket, Until::Writable, |fd| {
        // SAFETY: what the message points to outlives the call.
        outcome(unsafe { libc::sendmsg(fd, message, flags) } as i64)
    })?;
    Ok(Value::from(sent))
}

/// Buffers to send from, in the system's form; valid as long as the items.
fn outgoing<'a>(vm: &Vm, items: &'a [Value]) -> Result<(Vec<taipan_object::buffer::BytesLike<'a>>, Vec<libc::iovec>)> {
    let buffers = items.iter().map(|item| vm.bytes_like(item)).collect::<Result<Vec<_>>>()?;
    let vectors = buffers
        .iter()
        .map(|buffer| libc::iovec { iov_base: buffer.as_ptr().cast_mut().cast(), iov_len: buffer.len() })
        .collect();
    Ok((buffers, vectors))
}

pub fn sendmsg(vm: &Vm, this: &Value, args: &[Value], kwnames: Option<&Value>) -> Result {
    count(vm, "socket.sendmsg", args, kwnames, 1, 4)?;
    let flags = int(vm, args.get(2), 0)?;
    let socket = Socket::of(this);
    let mut target = match args.get(3).filter(|target| !target.is_none()) {
        Some(target) => {
            let address = address::parse(vm, socket, target, "sendmsg")?;
            vm.audit("socket.sendmsg", &[this.clone(), target.clone()])?;
            Some(address)
        }
        None => {
            vm.audit("socket.sendmsg", &[this.clone(), Value::NONE])?;
            None
        }
    };
    let items = sequence(vm, &args[0], "sendmsg() argument 1 must be an iterable")?;
    let (_buffers, mut vectors) = outgoing(vm, &items)?;
    let pieces = match args.get(1) {
        Some(pieces) => sequence(vm, pieces, "sendmsg() argument 2 must be an iterable")?,
        None => Vec::new(),
    };
    let mut storage = Vec::new();
    let mut control = control_buffer(vm, &ancillary_items(vm, &pieces, &mut storage)?)?;
    let mut message = empty_message();
    if let Some(address) = &mut target {
        (message.msg_name, message.msg_namelen) = (address.as_mut_ptr().cast(), address.len());
    }
    (message.msg_iov, message.msg_iovlen) = (vectors.as_mut_ptr(), vectors.len());
    if !control.is_empty() {
        (message.msg_control, message.msg_controllen) = (control.as_mut_ptr().cast(), control.len());
    }
    send(vm, socket, &message, flags)
}

/// The pieces of ancillary data in the control buffer of a message received, as (level, type, data).
fn received_ancillary(vm: &Vm, control: &[u8]) -> Result {
    let mut pieces = Vec::new();
    let mut rest = control;
    while rest.len() >= HEADER {
        let word = |at: usize| i32::from_ne_bytes([rest[at], rest[at + 1], rest[at + 2], rest[at + 3]]);
        let length = usize::from_ne_bytes(std::array::from_fn(|at| rest[at]));
        let (level, kind) = (word(8), word(12));
        if length < HEADER {
            break;
        }
        // What was cut off is missing from the end.
        let data = &rest[HEADER..length.min(rest.len())];
        let piece = [Value::from(level), Value::from(kind), bytes::from_slice(vm, data)?];
        pieces.push(Tuple::from_array(piece).into_value());
        rest = rest.get(cmsg_align(length)..).unwrap_or_default();
    }
    Ok(List::from_vec(pieces).into_value())
}

/// Closes descriptors that came in a message which nobody is going to see.
fn close_received(control: &[u8]) {
    let mut rest = control;
    while rest.len() >= HEADER {
        let word = |at: usize| i32::from_ne_bytes([rest[at], rest[at + 1], rest[at + 2], rest[at + 3]]);
        let length = usize::from_ne_bytes(std::array::from_fn(|at| rest[at]));
        if length < HEADER {
            break;
        }
        if word(8) == libc::SOL_SOCKET && word(12) == libc::SCM_RIGHTS {
            for fd in rest[HEADER..length.min(rest.len())].chunks_exact(4) {
                // SAFETY: a descriptor that this process was sent, and that nobody knows.
                unsafe { libc::close(i32::from_ne_bytes([fd[0], fd[1], fd[2], fd[3]])) };
            }
        }
        rest = rest.get(cmsg_align(length)..).unwrap_or_default();
    }
}

/// Receives into the vectors; how many bytes, then ancillary data, flags and address.
fn receive(
    vm: &Vm,
    socket: &Socket,
    vectors: &mut [libc::iovec],
    control_size: isize,
    flags: i32,
) -> Result<(usize, [Value; 3])> {
    if !(0..=i32::MAX as isize).contains(&control_size) {
        return Err(vm.value_error("invalid ancillary data buffer length"));
    }
    let mut control = room(vm, control_size as usize)?;
    let mut sender = Address::empty();
    let mut message = empty_message();
    let got = wait::call(vm, socket, Until::Readable, |fd| {
        sender = Address::empty();
        message = empty_message();
        (message.msg_name, message.msg_namelen) = (sender.as_mut_ptr().cast(), sender.len());
        (message.msg_iov, message.msg_iovlen) = (vectors.as_mut_ptr(), vectors.len());
        if control_size > 0 {
            (message.msg_control, message.msg_controllen) = (control.as_mut_ptr().cast(), control_size as usize);
        }
        // SAFETY: the vectors, the control buffer and the address have the sizes given.
        outcome(unsafe { libc::recvmsg(fd, &mut message, flags) } as i64)
    })?;
    *sender.len_mut() = message.msg_namelen;
    // SAFETY: the call has filled so many.
    unsafe { control.set_len(message.msg_controllen.min(control_size as usize)) };
    let results = received_ancillary(vm, &control)
        .and_then(|pieces| Ok((pieces, sender.to_python(vm, socket.fd(), socket.protocol())?)));
    match results {
        Ok((pieces, address)) => Ok((got as usize, [pieces, Value::from(message.msg_flags), address])),
        Err(raised) => {
            close_received(&control);
            Err(raised)
        }
    }
}

pub fn recvmsg(vm: &Vm, this: &Value, args: &[Value], kwnames: Option<&Value>) -> Result {
    count(vm, "socket.recvmsg", args, kwnames, 1, 3)?;
    let size = ssize(vm, &args[0])?;
    let control_size = args.get(1).map_or(Ok(0), |size| ssize(vm, size))?;
    let flags = int(vm, args.get(2), 0)?;
    let Ok(size) = usize::try_from(size) else {
        return Err(vm.value_error("negative buffer size in recvmsg()"));
    };
    let mut data = room(vm, size)?;
    let mut vector = [libc::iovec { iov_base: data.as_mut_ptr().cast(), iov_len: size }];
    let (got, rest) = receive(vm, Socket::of(this), &mut vector, control_size, flags)?;
    // SAFETY: the call has filled so many.
    unsafe { data.set_len(got.min(size)) };
    let [pieces, flags, address] = rest;
    Ok(Tuple::from_array([bytes::from_slice(vm, &data)?, pieces, flags, address]).into_value())
}

pub fn recvmsg_into(vm: &Vm, this: &Value, args: &[Value], kwnames: Option<&Value>) -> Result {
    count(vm, "socket.recvmsg_into", args, kwnames, 1, 3)?;
    let control_size = args.get(1).map_or(Ok(0), |size| ssize(vm, size))?;
    let flags = int(vm, args.get(2), 0)?;
    const ITERABLE: &str = "recvmsg_into() argument 1 must be an iterable";
    let items = sequence(vm, &args[0], ITERABLE)?;
    let mut buffers: Vec<Buffer> = Vec::with_capacity(items.len());
    for item in &items {
        buffers.push(
            vm.writable_bytes_like(item).map_err(|raised| {
                not_iterable(vm, raised, &format!("{ITERABLE} of single-segment read-write buffers"))
            })?,
        );
    }
    let vector = |buffer: &Buffer| libc::iovec { iov_base: buffer.pointer.cast(), iov_len: buffer.length };
    let mut vectors: Vec<libc::iovec> = buffers.iter().map(vector).collect();
    let (got, [pieces, flags, address]) = receive(vm, Socket::of(this), &mut vectors, control_size, flags)?;
    Ok(Tuple::from_array([Value::from(got), pieces, flags, address]).into_value())
}

signature!(SENDMSG_AFALG = "sendmsg_afalg(msg=None, *, op, iv=None, assoclen=None, flags=0)");

pub fn sendmsg_afalg(vm: &Vm, this: &Value, args: &[Value], kwnames: Option<&Value>) -> Result {
    let args = SENDMSG_AFALG.bind(vm, args, kwnames)?;
    let socket = Socket::of(this);
    if socket.family() != libc::AF_ALG {
        return Err(os_error(vm, "algset is only supported for AF_ALG"));
    }
    let operation = c_int(vm, &args[1])?;
    if operation < 0 {
        return Err(vm.type_error("Invalid or missing argument 'op'"));
    }
    let associated = match args[3].given() {
        None => None,
        Some(length) => match c_int(vm, length)? {
            length if length < 0 => return Err(vm.type_error("assoclen must be non-negative")),
            length => Some(length as u32),
        },
    };
    let flags = int(vm, args.get(4), 0)?;
    let items = match args[0].given() {
        Some(value) => sequence(vm, value, "sendmsg() argument 1 must be an iterable")?,
        None => Vec::new(),
    };
    let (_buffers, mut vectors) = outgoing(vm, &items)?;
    let piece = |kind: i32, data: &[u8]| (kind, data.to_vec());
    let mut data = vec![piece(libc::ALG_SET_OP, &(operation as u32).to_ne_bytes())];
    if let Some(iv) = args[2].given() {
        let iv = vm.bytes_like(iv)?;
        let length = (iv.len() as u32).to_ne_bytes();
        data.push(piece(libc::ALG_SET_IV, &[&length, &iv[..]].concat()));
    }
    if let Some(length) = associated {
        data.push(piece(libc::ALG_SET_AEAD_ASSOCLEN, &length.to_ne_bytes()));
    }
    let pieces: Vec<Ancillary> = data
        .iter()
        .map(|(kind, data)| Ancillary {
            level: libc::SOL_ALG,
            kind: *kind,
            data: taipan_object::buffer::BytesLike::Bytes(data),
        })
        .collect();
    let mut control = control_buffer(vm, &pieces)?;
    let mut message = empty_message();
    (message.msg_iov, message.msg_iovlen) = (vectors.as_mut_ptr(), vectors.len());
    (message.msg_control, message.msg_controllen) = (control.as_mut_ptr().cast(), control.len());
    send(vm, socket, &message, flags)
}
