//! The type `_socket.socket`: construction, connection, closing, timeouts.

use std::sync::atomic::{AtomicI32, AtomicI64, Ordering::Relaxed};

use taipan_object::builtins::tuple::Tuple;
use taipan_object::header::Header;
use taipan_object::heap::Kind;
use taipan_object::native::{GetSetDef, MemberDef, MethodDef};
use taipan_object::object::Payload;
use taipan_object::types::slots::Slots;
use taipan_object::types::{Type, TypeSpec, type_flags};
use taipan_object::vm::hooks::blocking;
use taipan_object::{Ref, Result, Value, Vm};

use super::address::{self, Address};
use super::wait::{self, Failure, Until, outcome, parse_timeout, show_timeout};
use super::{message, options, parse, transfer};
use crate::arguments::{c_int, c_long, errno};
use crate::payload::{class_of, signature};

/// A socket: its descriptor (−1 when closed), what it was made with, and its timeout in nanoseconds (−1 for none).
#[repr(C)]
pub struct Socket {
    header: Header,
    fd: AtomicI32,
    family: AtomicI32,
    kind: AtomicI32,
    protocol: AtomicI32,
    timeout: AtomicI64,
}

// SAFETY: repr(C), header first, owns no references.
unsafe impl Payload for Socket {
    const KIND: Kind = Kind::Leaf;
    fn static_type() -> &'static Type {
        SOCKET.ty()
    }
}

pub static SOCKET: TypeSpec = TypeSpec::new::<Socket>("_socket.socket")
    .doc("socket(family=AF_INET, type=SOCK_STREAM, proto=0) -> socket object\nsocket(family=-1, type=-1, proto=-1, fileno=None) -> socket object\n\nOne endpoint of a network connection.\n\nWith a fileno, what is not given is asked of the system. The descriptor is not inheritable.")
    .flags(type_flags::BASETYPE)
    .slots(slots)
    .methods(METHODS)
    .members(&[
        MemberDef::new("family", "the socket family", |_, this| Ok(Value::from(Socket::of(this).family()))),
        MemberDef::new("type", "the socket type", |_, this| Ok(Value::from(Socket::of(this).kind.load(Relaxed)))),
        MemberDef::new("proto", "the socket protocol", |_, this| Ok(Value::from(Socket::of(this).protocol()))),
    ])
    .getset(&[GetSetDef::new("timeout", "the socket timeout", |_, this| Ok(show_timeout(Socket::of(this).timeout())))]);

signature!(INIT = "socket(family=-1, type=-1, proto=-1, fileno=None)");

/// The timeout of new sockets.
pub static DEFAULT_TIMEOUT: AtomicI64 = AtomicI64::new(-1);

impl Socket {
    pub fn of(this: &Value) -> &Socket {
        this.downcast::<Socket>().expect("methods are called with instances of their type")
    }
    pub fn fd(&self) -> i32 {
        self.fd.load(Relaxed)
    }
    pub fn family(&self) -> i32 {
        self.family.load(Relaxed)
    }
    pub fn protocol(&self) -> i32 {
        self.protocol.load(Relaxed)
    }
    pub fn timeout(&self) -> i64 {
        self.timeout.load(Relaxed)
    }

    fn make(class: &Type, fd: i32, family: i32, kind: i32, protocol: i32) -> Value {
        let payload = Socket {
            header: Header::new(class),
            fd: AtomicI32::new(fd),
            family: AtomicI32::new(family),
            kind: AtomicI32::new(kind),
            protocol: AtomicI32::new(protocol),
            timeout: AtomicI64::new(-1),
        };
        Ref::new_with_type(class, payload).into_value()
    }

    /// A socket object for a new descriptor, which is closed if something fails.
    pub fn from_new_descriptor(vm: &Vm, fd: i32, family: i32, kind: i32, protocol: i32) -> Result {
        let socket = Socket::make(SOCKET.ty(), fd, family, kind, protocol);
        Socket::of(&socket).set_up(vm, fd, family, kind, protocol)?;
        Ok(socket)
    }

    fn set_up(&self, vm: &Vm, fd: i32, family: i32, kind: i32, protocol: i32) -> Result<()> {
        let plain_kind = kind & !(libc::SOCK_NONBLOCK | libc::SOCK_CLOEXEC);
        self.fd.store(fd, Relaxed);
        self.family.store(family, Relaxed);
        self.kind.store(plain_kind, Relaxed);
        self.protocol.store(protocol, Relaxed);
        if kind & libc::SOCK_NONBLOCK != 0 {
            self.timeout.store(0, Relaxed);
            return Ok(());
        }
        let timeout = DEFAULT_TIMEOUT.load(Relaxed);
        self.timeout.store(timeout, Relaxed);
        if timeout >= 0 { self.set_blocking(vm, false) } else { Ok(()) }
    }

    fn set_blocking(&self, vm: &Vm, block: bool) -> Result<()> {
        let mut flag = libc::c_int::from(!block);
        // SAFETY: this request reads an int.
        let status = unsafe { libc::ioctl(self.fd(), libc::FIONBIO, &mut flag) };
        if status < 0 { Err(vm.last_os_error(None)) } else { Ok(()) }
    }

    fn close(&self, vm: &Vm) -> Result<()> {
        let fd = self.fd.swap(-1, Relaxed);
        if fd < 0 {
            return Ok(());
        }
        // SAFETY: the descriptor was this object's own.
        let status = blocking(|| outcome(unsafe { libc::close(fd) }));
        match status {
            Err(errno) if errno != libc::ECONNRESET => Err(vm.os_error(errno, None, None)),
            _ => Ok(()),
        }
    }

    /// Connects to an address; the `errno` if that fails, −1 in it for a timeout.
    fn connect(&self, vm: &Vm, address: &Address) -> Result<std::result::Result<(), Failure>> {
        let fd = self.fd();
        // SAFETY: a valid address of the given length.
        let status = blocking(|| outcome(unsafe { libc::connect(fd, address.as_ptr(), address.len()) }));
        let wait = match status {
            Ok(_) => return Ok(Ok(())),
            Err(libc::EINTR) => {
                vm.check_signals()?;
                self.timeout() != 0
            }
            Err(errno) => errno == libc::EINPROGRESS && self.timeout() > 0,
        };
        if !wait {
            return Ok(Err(Failure::Errno(status.err().unwrap_or(0))));
        }
        // The connection goes on in the background; how it ends is asked of the socket.
        wait::call_with_timeout(vm, self, Until::Connected, self.timeout(), |fd| match options::pending_error(fd)? {
            0 | libc::EISCONN => Ok(()),
            error => Err(error),
        })
    }
}

/// What the system says of an int option; `None` if it does not.
fn int_option(fd: i32, option: i32) -> Option<i32> {
    let (mut value, mut length) = (0i32, size_of::<i32>() as libc::socklen_t);
    // SAFETY: room for an int.
    let status = unsafe { libc::getsockopt(fd, libc::SOL_SOCKET, option, (&raw mut value).cast(), &mut length) };
    (status == 0).then_some(value)
}

fn init(vm: &Vm, this: &Value, args: &[Value], kwnames: Option<&Value>) -> Result<()> {
    let bound = INIT.bind(vm, args, kwnames)?;
    let socket = Socket::of(this);
    let (mut family, mut kind, mut protocol) = (c_int(vm, &bound[0])?, c_int(vm, &bound[1])?, c_int(vm, &bound[2])?);
    vm.audit("socket.__new__", &[this.clone(), Value::from(family), Value::from(kind), Value::from(protocol)])?;
    let Some(number) = bound[3].given() else {
        family = if family == -1 { libc::AF_INET } else { family };
        kind = if kind == -1 { libc::SOCK_STREAM } else { kind };
        protocol = protocol.max(if protocol == -1 { 0 } else { protocol });
        // SAFETY: takes numbers.
        let fd = blocking(|| outcome(unsafe { libc::socket(family, kind | libc::SOCK_CLOEXEC, protocol) }));
        let fd = fd.map_err(|errno| vm.os_error(errno, None, None))?;
        return socket.set_up(vm, fd as i32, family, kind, protocol);
    };
    let fd = c_long(vm, number)?;
    if fd < 0 {
        return Err(vm.value_error("negative file descriptor"));
    }
    let Ok(fd) = i32::try_from(fd) else { return Err(vm.os_error(libc::EBADF, None, None)) };
    let mut address = Address::empty();
    // SAFETY: room for an address.
    let named = unsafe { libc::getsockname(fd, address.as_mut_ptr(), address.len_mut()) };
    if named < 0 {
        let error = errno();
        if family == -1 || error == libc::EBADF || error == libc::ENOTSOCK {
            return Err(vm.os_error(error, None, None));
        }
    }
    if family == -1 {
        family = address.family();
    }
    if kind == -1 {
        kind = int_option(fd, libc::SO_TYPE).ok_or_else(|| vm.last_os_error(None))?;
    }
    if protocol == -1 {
        protocol = int_option(fd, libc::SO_PROTOCOL).ok_or_else(|| vm.last_os_error(None))?;
    }
    socket.set_up(vm, fd, family, kind, protocol)
}

/// Warns of a socket that nobody closed, and closes it.
fn finalize(vm: &Vm, this: &Value) {
    let socket = Socket::of(this);
    if socket.fd() < 0 {
        return;
    }
    crate::arguments::unclosed_warning(vm, "", this, "socket");
    let fd = socket.fd.swap(-1, Relaxed);
    if fd >= 0 {
        // SAFETY: the descriptor is this object's own.
        unsafe { libc::close(fd) };
    }
}

fn slots(s: &mut Slots) {
    s.new = Some(|_, class, _, _| Ok(Socket::make(class_of(class), -1, 0, 0, 0)));
    s.init = Some(init);
    s.finalize = Some(finalize);
    s.repr = Some(|_, this| {
        let socket = Socket::of(this);
        let kind = socket.kind.load(Relaxed);
        Ok(Value::from(format!(
            "<socket object, fd={}, family={}, type={kind}, proto={}>",
            socket.fd(),
            socket.family(),
            socket.protocol()
        )))
    });
}

/// An address that one of the system's functions fills in.
fn name(vm: &Vm, socket: &Socket, get: impl FnOnce(i32, *mut libc::sockaddr, *mut libc::socklen_t) -> i32) -> Result {
    let mut address = Address::empty();
    let fd = socket.fd();
    let status = blocking(|| outcome(get(fd, address.as_mut_ptr(), address.len_mut())));
    status.map_err(|errno| vm.os_error(errno, None, None))?;
    address.to_python(vm, fd, socket.protocol())
}

taipan_object::method_table! {
    static METHODS = [
        MethodDef::new("_accept($self, /)", "Wait for a connection; its descriptor and the client's address.", |vm, this, _| {
            let socket = Socket::of(this);
            let mut address = Address::empty();
            let fd = wait::call(vm, socket, Until::Readable, |fd| {
                address = Address::empty();
                // SAFETY: room for an address.
                outcome(unsafe { libc::accept4(fd, address.as_mut_ptr(), address.len_mut(), libc::SOCK_CLOEXEC) })
            })?;
            match address.to_python(vm, socket.fd(), socket.protocol()) {
                Ok(address) => Ok(Tuple::from_array([Value::from(fd), address]).into_value()),
                Err(raised) => {
                    // SAFETY: the new descriptor, which nobody has seen.
                    unsafe { libc::close(fd as i32) };
                    Err(raised)
                }
            }
        }),
        MethodDef::new("bind($self, object, /)", "Give the socket its own address.", |vm, this, args| {
            let socket = Socket::of(this);
            let address = address::parse(vm, socket, &args[0], "bind")?;
            vm.audit("socket.bind", &[this.clone(), args[0].clone()])?;
            let fd = socket.fd();
            // SAFETY: a valid address of the given length.
            let status = blocking(|| outcome(unsafe { libc::bind(fd, address.as_ptr(), address.len()) }));
            status.map(|_| Value::NONE).map_err(|errno| vm.os_error(errno, None, None))
        }),
        MethodDef::new("close($self, /)", "Close the socket; operations on it fail from then on.", |vm, this, _| {
            Socket::of(this).close(vm).map(Value::from)
        }),
        MethodDef::new("connect($self, object, /)", "Connect the socket to an address.", |vm, this, args| {
            let socket = Socket::of(this);
            let address = address::parse(vm, socket, &args[0], "connect")?;
            vm.audit("socket.connect", &[this.clone(), args[0].clone()])?;
            match socket.connect(vm, &address)? {
                Ok(()) => Ok(Value::NONE),
                Err(failure) => Err(failure.raise(vm)),
            }
        }),
        MethodDef::new("connect_ex($self, object, /)", "Like connect(), but return the error number instead of raising OSError.", |vm, this, args| {
            let socket = Socket::of(this);
            let address = address::parse(vm, socket, &args[0], "connect_ex")?;
            vm.audit("socket.connect", &[this.clone(), args[0].clone()])?;
            Ok(Value::from(match socket.connect(vm, &address)? {
                Ok(()) => 0,
                Err(Failure::Errno(errno)) => errno,
                Err(Failure::TimedOut) => libc::EWOULDBLOCK,
            }))
        }),
        MethodDef::new("detach($self, /)", "Close the socket object without closing the descriptor, which is returned.", |_, this, _| {
            Ok(Value::from(Socket::of(this).fd.swap(-1, Relaxed)))
        }),
        MethodDef::new("fileno($self, /)", "The descriptor of the socket; -1 if it is closed.", |_, this, _| {
            Ok(Value::from(Socket::of(this).fd()))
        }),
        MethodDef::new("getblocking($self, /)", "Whether the socket is in blocking mode, or has a timeout.", |_, this, _| {
            Ok(Value::bool(Socket::of(this).timeout() != 0))
        }),
        MethodDef::new("getpeername($self, /)", "The remote address to which the socket is connected.", |vm, this, _| {
            // SAFETY: room for an address.
            name(vm, Socket::of(this), |fd, address, length| unsafe { libc::getpeername(fd, address, length) })
        }),
        MethodDef::new("getsockname($self, /)", "The local address of the socket.", |vm, this, _| {
            // SAFETY: room for an address.
            name(vm, Socket::of(this), |fd, address, length| unsafe { libc::getsockname(fd, address, length) })
        }),
        MethodDef::new("gettimeout($self, /)", "The timeout in seconds, or None.", |_, this, _| {
            Ok(show_timeout(Socket::of(this).timeout()))
        }),
        MethodDef::raw("listen", "listen([backlog])\n\nEnable a server to accept connections, so many of which may wait.", |vm, this, args, kwnames| {
            parse::count(vm, "socket.listen", args, kwnames, 0, 1)?;
            let backlog = parse::int(vm, args.first(), libc::SOMAXCONN.min(128))?.max(0);
            let fd = Socket::of(this).fd();
            // SAFETY: takes numbers.
            let status = blocking(|| outcome(unsafe { libc::listen(fd, backlog) }));
            status.map(|_| Value::NONE).map_err(|errno| vm.os_error(errno, None, None))
        }),
        MethodDef::new("setblocking($self, object, /)", "Set the socket to blocking (no timeout) or non-blocking (a timeout of 0).", |vm, this, args| {
            let block = vm.is_true(&args[0])?;
            let socket = Socket::of(this);
            socket.timeout.store(if block { -1 } else { 0 }, Relaxed);
            socket.set_blocking(vm, block).map(Value::from)
        }),
        MethodDef::new("settimeout($self, object, /)", "Set the timeout in seconds; None for none.", |vm, this, args| {
            let timeout = parse_timeout(vm, &args[0])?;
            let socket = Socket::of(this);
            socket.timeout.store(timeout, Relaxed);
            socket.set_blocking(vm, timeout < 0).map(Value::from)
        }),
        MethodDef::new("shutdown($self, object, /)", "Shut down one or both directions of the connection: SHUT_RD, SHUT_WR or SHUT_RDWR.", |vm, this, args| {
            let how = c_int(vm, &args[0])?;
            let fd = Socket::of(this).fd();
            // SAFETY: takes numbers.
            let status = blocking(|| outcome(unsafe { libc::shutdown(fd, how) }));
            status.map(|_| Value::NONE).map_err(|errno| vm.os_error(errno, None, None))
        }),
        MethodDef::raw("recv", "recv(buffersize[, flags]) -> data\n\nReceive up to so many bytes; none when the remote end is closed.", transfer::recv),
        MethodDef::raw("recv_into", "recv_into(buffer, [nbytes[, flags]]) -> nbytes\n\nReceive data into a buffer; how many bytes.", transfer::recv_into),
        MethodDef::raw("recvfrom", "recvfrom(buffersize[, flags]) -> (data, address)\n\nLike recv(), with the sender's address.", transfer::recvfrom),
        MethodDef::raw("recvfrom_into", "recvfrom_into(buffer[, nbytes[, flags]]) -> (nbytes, address)\n\nLike recv_into(), with the sender's address.", transfer::recvfrom_into),
        MethodDef::raw("send", "send(data[, flags]) -> count\n\nSend data; how many bytes were sent.", transfer::send),
        MethodDef::raw("sendall", "sendall(data[, flags])\n\nSend all data. After an error there is no telling how much was sent.", transfer::sendall),
        MethodDef::raw("sendto", "sendto(data[, flags], address) -> count\n\nLike send(), to an address.", transfer::sendto),
        MethodDef::raw("recvmsg", "recvmsg(bufsize[, ancbufsize[, flags]]) -> (data, ancdata, msg_flags, address)\n\nReceive data and ancillary data, a list of (level, type, data).", message::recvmsg),
        MethodDef::raw("recvmsg_into", "recvmsg_into(buffers[, ancbufsize[, flags]]) -> (nbytes, ancdata, msg_flags, address)\n\nLike recvmsg(), into buffers.", message::recvmsg_into),
        MethodDef::raw("sendmsg", "sendmsg(buffers[, ancdata[, flags[, address]]]) -> count\n\nSend the data of several buffers, and ancillary data.", message::sendmsg),
        MethodDef::raw("sendmsg_afalg", "sendmsg_afalg([msg], *, op[, iv[, assoclen[, flags=MSG_MORE]]])\n\nSend a message with a cryptographic operation to an AF_ALG socket.", message::sendmsg_afalg),
        MethodDef::raw("getsockopt", "getsockopt(level, option[, buffersize]) -> value\n\nA socket option: an int, or with a size bytes.", options::getsockopt),
        MethodDef::raw("setsockopt", "setsockopt(level, option, value: int)\n\
            setsockopt(level, option, value: buffer)\n\
            setsockopt(level, option, None, optlen: int)\n\n\
            Set an option of the socket or of its protocol.", options::setsockopt),
    ];
}
