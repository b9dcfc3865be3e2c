//! Functions on numbers, packed addresses, descriptors and the names of this machine.

use std::ffi::{CStr, CString};
use std::sync::atomic::Ordering::Relaxed;

use taipan_object::builtins::bytes;
use taipan_object::builtins::int;
use taipan_object::builtins::list::List;
use taipan_object::builtins::str::Str;
use taipan_object::builtins::tuple::Tuple;
use taipan_object::native::MethodDef;
use taipan_object::vm::hooks::blocking;
use taipan_object::{Result, Value, Vm};

use super::address::{self, inet6_text, string_argument};
use super::message::{cmsg_len, cmsg_space};
use super::socket::{DEFAULT_TIMEOUT, Socket};
use super::wait::{outcome, parse_timeout, show_timeout};
use super::{os_error, parse};
use crate::arguments::{c_long, fs_converter, ssize};

unsafe extern "C" {
    fn inet_aton(text: *const libc::c_char, address: *mut libc::in_addr) -> libc::c_int;
}

/// An unsigned number of so many bits.
fn unsigned(vm: &Vm, value: &Value, bits: u32, what: &str) -> Result<u32> {
    let index = vm.index(value)?;
    if int::is_negative(&index) {
        return Err(vm.value_error("Cannot convert negative int"));
    }
    match int::to_i64(&index) {
        Some(n) if n >> bits == 0 => Ok(n as u32),
        _ => Err(vm.overflow_error(format!("Python int too large for C {what}"))),
    }
}

/// A descriptor given as an int.
fn descriptor(vm: &Vm, value: &Value) -> Result<i32> {
    i32::try_from(c_long(vm, value)?).map_err(|_| vm.os_error(libc::EBADF, None, None))
}

fn socketpair(vm: &Vm, args: &[Value], kwnames: Option<&Value>) -> Result {
    parse::count(vm, "_socket.socketpair", args, kwnames, 0, 3)?;
    let family = parse::int(vm, args.first(), libc::AF_UNIX)?;
    let kind = parse::int(vm, args.get(1), libc::SOCK_STREAM)?;
    let protocol = parse::int(vm, args.get(2), 0)?;
    let mut pair = [-1; 2];
    // SAFETY: room for two descriptors.
    let status = blocking(|| {
        outcome(unsafe { libc::socketpair(family, kind | libc::SOCK_CLOEXEC, protocol, pair.as_mut_ptr()) })
    });
    status.map_err(|errno| vm.os_error(errno, None, None))?;
    let first = Socket::from_new_descriptor(vm, pair[0], family, kind, protocol);
    let second = Socket::from_new_descriptor(vm, pair[1], family, kind, protocol);
    Ok(Tuple::from_array([first?, second?]).into_value())
}

fn packed_size(vm: &Vm, family: i32) -> Result<usize> {
    match family {
        libc::AF_INET => Ok(4),
        libc::AF_INET6 => Ok(16),
        _ => Err(vm.value_error(format!("unknown address family {family}"))),
    }
}

fn inet_pton(vm: &Vm, args: &[Value], kwnames: Option<&Value>) -> Result {
    parse::count(vm, "_socket.inet_pton", args, kwnames, 2, 2)?;
    let family = vm.index_i32(&args[0])?;
    let text = string_argument(vm, "inet_pton", "argument 2", &args[1])?;
    let mut packed = [0u8; 16];
    // SAFETY: a C string, room for an address of any family.
    match unsafe { address::inet_pton(family, text.as_ptr(), packed.as_mut_ptr().cast()) } {
        n if n < 0 => Err(vm.last_os_error(None)),
        0 => Err(os_error(vm, "illegal IP address string passed to inet_pton")),
        _ => match family {
            libc::AF_INET => bytes::from_slice(vm, &packed[..4]),
            _ => bytes::from_slice(vm, &packed),
        },
    }
}

fn inet_ntop(vm: &Vm, args: &[Value], kwnames: Option<&Value>) -> Result {
    parse::count(vm, "_socket.inet_ntop", args, kwnames, 2, 2)?;
    let family = vm.index_i32(&args[0])?;
    let packed = vm.bytes_like(&args[1])?;
    if packed.len() != packed_size(vm, family)? {
        return Err(vm.value_error("invalid length of packed IP address string"));
    }
    match <[u8; 16]>::try_from(&packed[..]) {
        Ok(octets) => Ok(Value::from(inet6_text(&octets))),
        Err(_) => Ok(Value::from(format!("{}.{}.{}.{}", packed[0], packed[1], packed[2], packed[3]))),
    }
}

fn if_nameindex(vm: &Vm) -> Result {
    // SAFETY: the array ends with an entry of index 0 and no name, and is freed once.
    unsafe {
        let array = libc::if_nameindex();
        if array.is_null() {
            return Err(vm.last_os_error(None));
        }
        let mut interfaces = Vec::new();
        let mut at = array;
        while (*at).if_index != 0 && !(*at).if_name.is_null() {
            let name = Str::from_fs_bytes(CStr::from_ptr((*at).if_name).to_bytes()).into_value();
            interfaces.push(Tuple::from_array([Value::from((*at).if_index), name]).into_value());
            at = at.add(1);
        }
        libc::if_freenameindex(array);
        Ok(List::from_vec(interfaces).into_value())
    }
}

taipan_object::method_table! {
    pub static FUNCTIONS = [
        MethodDef::new("gethostname($self, /)", "The current host name.", |vm, _, _| {
            vm.audit("socket.gethostname", &[])?;
            let mut buffer = [0 as libc::c_char; 1024];
            // SAFETY: room for so many bytes; the last stays NUL.
            let status = blocking(|| outcome(unsafe { libc::gethostname(buffer.as_mut_ptr(), buffer.len() - 1) }));
            status.map_err(|errno| vm.os_error(errno, None, None))?;
            // SAFETY: a C string.
            Ok(Str::from_fs_bytes(unsafe { CStr::from_ptr(buffer.as_ptr()) }.to_bytes()).into_value())
        }),
        MethodDef::raw("sethostname", "sethostname(name)\n\nSet the host name to name.", |vm, _, args, kwnames| {
            parse::count(vm, "_socket.sethostname", args, kwnames, 1, 1)?;
            let name = fs_converter(vm, &args[0])?;
            vm.audit("socket.sethostname", &[args[0].clone()])?;
            // SAFETY: so many bytes.
            let status = outcome(unsafe { libc::sethostname(name.as_ptr(), name.as_bytes().len()) });
            status.map(|_| Value::NONE).map_err(|errno| vm.os_error(errno, None, None))
        }),
        MethodDef::new("dup($self, object, /)", "A new, not inheritable descriptor for the same socket.", |vm, _, args| {
            let fd = descriptor(vm, &args[0])?;
            // SAFETY: takes numbers.
            let new = outcome(unsafe { libc::fcntl(fd, libc::F_DUPFD_CLOEXEC, 0) });
            new.map(Value::from).map_err(|errno| vm.os_error(errno, None, None))
        }),
        MethodDef::new("close($self, object, /)", "Close a socket's descriptor.", |vm, _, args| {
            let fd = descriptor(vm, &args[0])?;
            // SAFETY: as os.close.
            let status = blocking(|| outcome(unsafe { libc::close(fd) }));
            match status {
                Err(errno) if errno != libc::ECONNRESET => Err(vm.os_error(errno, None, None)),
                _ => Ok(Value::NONE),
            }
        }),
        MethodDef::raw("socketpair", "socketpair([family[, type [, proto]]]) -> (socket object, socket object)\n\nTwo sockets that are connected to each other.", |vm, _, args, kwnames| {
            socketpair(vm, args, kwnames)
        }),
        MethodDef::new("ntohs($module, integer, /)", "\
            Put the bytes of a 16-bit integer from a network into this host's order.", |vm, _, args| {
            Ok(Value::from(i32::from(u16::from_be(unsigned(vm, &args[0], 16, "uint16_t")? as u16))))
        }),
        MethodDef::new("ntohl($module, integer, /)", "\
            Put the bytes of a 32-bit integer from a network into this host's order.", |vm, _, args| {
            Ok(Value::from(u32::from_be(unsigned(vm, &args[0], 32, "uint32_t")?)))
        }),
        MethodDef::new("htons($module, integer, /)", "\
            Put the bytes of a 16-bit integer into the order used on networks.", |vm, _, args| {
            Ok(Value::from(i32::from((unsigned(vm, &args[0], 16, "uint16_t")? as u16).to_be())))
        }),
        MethodDef::new("htonl($module, integer, /)", "\
            Put the bytes of a 32-bit integer into the order used on networks.", |vm, _, args| {
            Ok(Value::from(unsigned(vm, &args[0], 32, "uint32_t")?.to_be()))
        }),
        MethodDef::new("inet_aton($module, ip_addr, /)", "An IP address such as '123.45.67.89' as 4 packed bytes.", |vm, _, args| {
            let text = string_argument(vm, "inet_aton", "argument", &args[0])?;
            let mut address = libc::in_addr { s_addr: 0 };
            // SAFETY: a C string, room for the address.
            if unsafe { inet_aton(text.as_ptr(), &mut address) } == 0 {
                return Err(os_error(vm, "illegal IP address string passed to inet_aton"));
            }
            bytes::from_slice(vm, &address.s_addr.to_ne_bytes())
        }),
        MethodDef::new("inet_ntoa($module, packed_ip, /)", "An IP address of 4 packed bytes as text.", |vm, _, args| {
            match *vm.bytes_like(&args[0])? {
                [a, b, c, d] => Ok(Value::from(format!("{a}.{b}.{c}.{d}"))),
                _ => Err(os_error(vm, "packed IP wrong length for inet_ntoa")),
            }
        }),
        MethodDef::raw("inet_pton", "inet_pton(af, ip) -> packed IP address string\n\nAn IP address of the given family as packed bytes.", |vm, _, args, kwnames| inet_pton(vm, args, kwnames)),
        MethodDef::raw("inet_ntop", "inet_ntop(af, packed_ip) -> string formatted IP address\n\nPacked bytes of the given family as text.", |vm, _, args, kwnames| inet_ntop(vm, args, kwnames)),
        MethodDef::new("getdefaulttimeout($self, /)", "The timeout in seconds of new sockets; None for none.", |_, _, _| {
            Ok(show_timeout(DEFAULT_TIMEOUT.load(Relaxed)))
        }),
        MethodDef::new("setdefaulttimeout($self, object, /)", "Set the timeout in seconds of new sockets; None for none.", |vm, _, args| {
            DEFAULT_TIMEOUT.store(parse_timeout(vm, &args[0])?, Relaxed);
            Ok(Value::NONE)
        }),
        MethodDef::new("if_nameindex($self, /)", "The network interfaces, a list of (index, name).", |vm, _, _| if_nameindex(vm)),
        MethodDef::new("if_nametoindex($module, oname, /)", "The index of the network interface with this name.", |vm, _, args| {
            let name: CString = fs_converter(vm, &args[0])?;
            // SAFETY: a C string.
            match unsafe { libc::if_nametoindex(name.as_ptr()) } {
                0 => Err(vm.last_os_error(None)),
                index => Ok(Value::from(index)),
            }
        }),
        MethodDef::new("if_indextoname($module, if_index, /)", "The name of the network interface with this index.", |vm, _, args| {
            let index = unsigned(vm, &args[0], 32, "unsigned int")?;
            let mut name = [0 as libc::c_char; libc::IF_NAMESIZE + 1];
            // SAFETY: room for a name.
            if unsafe { libc::if_indextoname(index, name.as_mut_ptr()) }.is_null() {
                return Err(vm.last_os_error(None));
            }
            // SAFETY: a C string.
            Ok(Str::from_fs_bytes(unsafe { CStr::from_ptr(name.as_ptr()) }.to_bytes()).into_value())
        }),
        MethodDef::raw("CMSG_LEN", "CMSG_LEN(length) -> control message length\n\nThe length, without padding at the end, of an ancillary data item with so many bytes.", |vm, _, args, kwnames| {
            parse::count(vm, "_socket.CMSG_LEN", args, kwnames, 1, 1)?;
            match cmsg_len(ssize(vm, &args[0])?) {
                Some(length) => Ok(Value::from(length)),
                None => Err(vm.overflow_error("CMSG_LEN() argument out of range")),
            }
        }),
        MethodDef::raw("CMSG_SPACE", "CMSG_SPACE(length) -> buffer size\n\nThe room that an ancillary data item with so many bytes needs.", |vm, _, args, kwnames| {
            parse::count(vm, "_socket.CMSG_SPACE", args, kwnames, 1, 1)?;
            match cmsg_space(ssize(vm, &args[0])?) {
                Some(space) => Ok(Value::from(space)),
                None => Err(vm.overflow_error("CMSG_SPACE() argument out of range")),
            }
        }),
    ];
}
