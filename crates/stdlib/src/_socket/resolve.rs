//! Functions that look up hosts, services and protocols.

use std::ffi::{CStr, CString};
use std::sync::{Mutex, MutexGuard};

use taipan_object::builtins::bytes::Bytes;
use taipan_object::builtins::int;
use taipan_object::builtins::list::List;
use taipan_object::builtins::str::Str;
use taipan_object::builtins::tuple::Tuple;
use taipan_object::native::MethodDef;
use taipan_object::vm::hooks::blocking;
use taipan_object::{Result, Value, Vm};

use super::address::{Address, string_argument};
use super::host::{AddressList, gai_error, hints, host_argument, optional_host, resolve};
use super::{os_error, own_error, parse};
use crate::arguments::{c_ulong_mask, errno};
use crate::payload::signature;

/// The databases whose functions answer in static memory.
static DATABASES: Mutex<()> = Mutex::new(());

fn databases() -> MutexGuard<'static, ()> {
    DATABASES.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
}

unsafe extern "C" {
    fn gethostbyname(name: *const libc::c_char) -> *const libc::hostent;
    fn gethostbyaddr(address: *const libc::c_void, length: libc::socklen_t, kind: libc::c_int) -> *const libc::hostent;
    fn __h_errno_location() -> *mut libc::c_int;
    fn hstrerror(code: libc::c_int) -> *const libc::c_char;
}

/// A copy of a `struct hostent`.
struct HostEntry {
    name: Vec<u8>,
    aliases: Vec<Vec<u8>>,
    family: i32,
    addresses: Vec<Vec<u8>>,
}

impl HostEntry {
    /// # Safety
    /// `entry` is null or a valid entry; the error is `h_errno`.
    unsafe fn copy(entry: *const libc::hostent) -> std::result::Result<HostEntry, i32> {
        // SAFETY: by contract; both arrays end with null.
        unsafe {
            let Some(entry) = entry.as_ref() else { return Err(*__h_errno_location()) };
            let length = usize::try_from(entry.h_length).unwrap_or(0);
            let list = |mut at: *mut *mut libc::c_char, read: &dyn Fn(*const libc::c_char) -> Vec<u8>| {
                let mut items = Vec::new();
                while !at.is_null() && !(*at).is_null() {
                    items.push(read(*at));
                    at = at.add(1);
                }
                items
            };
            Ok(HostEntry {
                name: CStr::from_ptr(entry.h_name).to_bytes().to_vec(),
                aliases: list(entry.h_aliases, &|text| CStr::from_ptr(text).to_bytes().to_vec()),
                family: entry.h_addrtype,
                addresses: list(entry.h_addr_list, &|data| std::slice::from_raw_parts(data.cast(), length).to_vec()),
            })
        }
    }

    /// (name, aliases, addresses)
    fn to_python(&self) -> Value {
        let text = |bytes: &Vec<u8>| Str::from_fs_bytes(bytes).into_value();
        let address = |packed: &Vec<u8>| {
            let address = match (self.family, packed.as_slice()) {
                (libc::AF_INET, [a, b, c, d]) => Some(Address::inet([*a, *b, *c, *d], 0)),
                (libc::AF_INET6, octets) => octets.try_into().ok().map(|octets| Address::inet6(octets, 0, 0, 0)),
                _ => None,
            };
            address.and_then(|address| address.ip_text()).map(Value::from)
        };
        let aliases = List::from_vec(self.aliases.iter().map(text).collect()).into_value();
        let addresses = List::from_vec(self.addresses.iter().filter_map(address).collect()).into_value();
        Tuple::from_array([text(&self.name), aliases, addresses]).into_value()
    }
}

/// The exception for an `h_errno`.
#[cold]
fn host_error(vm: &Vm, code: i32) -> taipan_object::Raised {
    // SAFETY: the result is a static C string.
    let text = unsafe { CStr::from_ptr(hstrerror(code)) }.to_string_lossy().into_owned();
    own_error(vm, "herror", code, &text)
}

fn host_by_name_ex(vm: &Vm, args: &[Value], kwnames: Option<&Value>) -> Result {
    parse::count(vm, "_socket.gethostbyname_ex", args, kwnames, 1, 1)?;
    let name = host_argument(vm, "gethostbyname_ex", &args[0])?;
    vm.audit("socket.gethostbyname", &[args[0].clone()])?;
    resolve(vm, &name, libc::AF_INET)?;
    let entry = blocking(|| {
        let _guard = databases();
        // SAFETY: a C string; the result is copied under the lock.
        unsafe { HostEntry::copy(gethostbyname(name.as_ptr())) }
    });
    entry.map(|entry| entry.to_python()).map_err(|code| host_error(vm, code))
}

fn host_by_address(vm: &Vm, args: &[Value], kwnames: Option<&Value>) -> Result {
    parse::count(vm, "_socket.gethostbyaddr", args, kwnames, 1, 1)?;
    let name = host_argument(vm, "gethostbyaddr", &args[0])?;
    vm.audit("socket.gethostbyaddr", &[args[0].clone()])?;
    let address = resolve(vm, &name, libc::AF_UNSPEC)?;
    let Some(packed) = address.ip() else { return Err(os_error(vm, "unsupported address family")) };
    let family = address.family();
    let entry = blocking(|| {
        let _guard = databases();
        // SAFETY: so many bytes; the result is copied under the lock.
        unsafe { HostEntry::copy(gethostbyaddr(packed.as_ptr().cast(), packed.len() as libc::socklen_t, family)) }
    });
    entry.map(|entry| entry.to_python()).map_err(|code| host_error(vm, code))
}

fn service_by_name(vm: &Vm, args: &[Value], kwnames: Option<&Value>) -> Result {
    parse::count(vm, "_socket.getservbyname", args, kwnames, 1, 2)?;
    let name = string_argument(vm, "getservbyname", "argument 1", &args[0])?;
    let protocol = args.get(1).map(|p| string_argument(vm, "getservbyname", "argument 2", p)).transpose()?;
    vm.audit("socket.getservbyname", &[args[0].clone(), args.get(1).cloned().unwrap_or(Value::from(""))])?;
    let port = blocking(|| {
        let _guard = databases();
        // SAFETY: C strings or null; the result is read under the lock.
        unsafe {
            let entry = libc::getservbyname(name.as_ptr(), protocol.as_ref().map_or(std::ptr::null(), |p| p.as_ptr()));
            entry.as_ref().map(|entry| u16::from_be(entry.s_port as u16))
        }
    });
    port.map(|port| Value::from(i32::from(port))).ok_or_else(|| os_error(vm, "service/proto not found"))
}

fn service_by_port(vm: &Vm, args: &[Value], kwnames: Option<&Value>) -> Result {
    parse::count(vm, "_socket.getservbyport", args, kwnames, 1, 2)?;
    let port = vm.index_i32(&args[0])?;
    let protocol = args.get(1).map(|p| string_argument(vm, "getservbyport", "argument 2", p)).transpose()?;
    let Ok(port) = u16::try_from(port) else {
        return Err(vm.overflow_error("getservbyport: port must be 0-65535."));
    };
    vm.audit("socket.getservbyport", &[args[0].clone(), args.get(1).cloned().unwrap_or(Value::from(""))])?;
    let name = blocking(|| {
        let _guard = databases();
        // SAFETY: a C string or null; the result is copied under the lock.
        unsafe {
            let protocol = protocol.as_ref().map_or(std::ptr::null(), |p| p.as_ptr());
            let entry = getservbyport(libc::c_int::from(port.to_be()), protocol);
            entry.as_ref().map(|entry| CStr::from_ptr(entry.s_name).to_bytes().to_vec())
        }
    });
    name.map(|name| Str::from_fs_bytes(&name).into_value()).ok_or_else(|| os_error(vm, "port/proto not found"))
}

unsafe extern "C" {
    fn getservbyport(port: libc::c_int, protocol: *const libc::c_char) -> *const libc::servent;
}

/// The port of `getaddrinfo`: an int, a str, bytes or `None`.
fn service(vm: &Vm, value: &Value) -> Result<Option<CString>> {
    if value.is_none() {
        return Ok(None);
    }
    let mut text = if int::is_int(value) {
        vm.str_string(&vm.index(value)?)?.into_bytes()
    } else if value.downcast::<Str>().is_some() {
        taipan_object::codecs::to_utf8(vm, value)?.into_bytes()
    } else if let Some(bytes) = value.downcast::<Bytes>() {
        bytes.as_slice().to_vec()
    } else {
        return Err(os_error(vm, "Int or String expected"));
    };
    let length = text.iter().position(|byte| *byte == 0).unwrap_or(text.len());
    text.truncate(length);
    Ok(CString::new(text).ok())
}

signature!(GETADDRINFO = "getaddrinfo(host, port, family=0, type=0, proto=0, flags=0)");

fn address_info(vm: &Vm, args: &[Value], kwnames: Option<&Value>) -> Result {
    let args = GETADDRINFO.bind(vm, args, kwnames)?;
    let number = |at: usize| vm.index_i32(&args[at]);
    let hints = hints(number(2)?, number(3)?, number(4)?, number(5)?);
    let host = optional_host(vm, &args[0])?;
    let service = service(vm, &args[1])?;
    vm.audit("socket.getaddrinfo", &args[..5])?;
    let list = AddressList::get(vm, host.as_deref(), service.as_deref(), &hints)?;
    let mut entries = Vec::new();
    for info in list.iter() {
        let name = match info.ai_canonname {
            name if name.is_null() => Value::from(""),
            // SAFETY: a C string.
            name => Str::from_fs_bytes(unsafe { CStr::from_ptr(name) }.to_bytes()).into_value(),
        };
        let address = Address::from_info(info).to_python(vm, -1, info.ai_protocol)?;
        let numbers = [info.ai_family, info.ai_socktype, info.ai_protocol].map(Value::from);
        let [family, kind, protocol] = numbers;
        entries.push(Tuple::from_array([family, kind, protocol, name, address]).into_value());
    }
    Ok(List::from_vec(entries).into_value())
}

fn name_info(vm: &Vm, args: &[Value], kwnames: Option<&Value>) -> Result {
    parse::count(vm, "_socket.getnameinfo", args, kwnames, 2, 2)?;
    let flags = vm.index_i32(&args[1])?;
    let Some(tuple) = args[0].downcast::<Tuple>() else {
        return Err(vm.type_error("getnameinfo() argument 1 must be a tuple"));
    };
    let illegal = || vm.type_error("getnameinfo(): illegal sockaddr argument");
    let [host, port, rest @ ..] = tuple.as_slice() else { return Err(illegal()) };
    if rest.len() > 2 || host.downcast::<Str>().is_none() {
        return Err(illegal());
    }
    let host_name = string_argument(vm, "getnameinfo", "argument 1", host)?;
    let port = vm.index_i32(port)?;
    let number = |at: usize| rest.get(at).map_or(Ok(0), |value: &Value| c_ulong_mask(vm, value).map(|n| n as u32));
    let (flow, scope) = (number(0)?, number(1)?);
    if flow > 0xfffff {
        return Err(vm.overflow_error("getnameinfo(): flowinfo must be 0-1048575."));
    }
    vm.audit("socket.getnameinfo", &[args[0].clone()])?;
    let service = CString::new(port.to_string()).unwrap_or_default();
    let wanted = hints(libc::AF_UNSPEC, libc::SOCK_DGRAM, 0, libc::AI_NUMERICHOST);
    let list = AddressList::get(vm, Some(&host_name), Some(&service), &wanted)?;
    let mut entries = list.iter();
    let (Some(info), None) = (entries.next(), entries.next()) else {
        return Err(os_error(vm, "sockaddr resolved to multiple addresses"));
    };
    let mut address = Address::from_info(info);
    match address.family() {
        libc::AF_INET if !rest.is_empty() => return Err(os_error(vm, "IPv4 sockaddr must be 2 tuple")),
        libc::AF_INET6 => address = address.with_flow_and_scope(flow, scope),
        _ => {}
    }
    let (mut host, mut service) = ([0 as libc::c_char; 1025], [0 as libc::c_char; 32]);
    let (code, error) = blocking(|| {
        // SAFETY: a valid address, room for both texts.
        let code = unsafe {
            libc::getnameinfo(
                address.as_ptr(),
                address.len(),
                host.as_mut_ptr(),
                host.len() as libc::socklen_t,
                service.as_mut_ptr(),
                service.len() as libc::socklen_t,
                flags,
            )
        };
        (code, errno())
    });
    if code != 0 {
        return Err(gai_error(vm, code, error));
    }
    // SAFETY: C strings.
    let text = |buffer: &[libc::c_char]| unsafe { CStr::from_ptr(buffer.as_ptr()) }.to_bytes().to_vec();
    let items = [Str::from_fs_bytes(&text(&host)).into_value(), Str::from_fs_bytes(&text(&service)).into_value()];
    Ok(Tuple::from_array(items).into_value())
}

taipan_object::method_table! {
    pub static FUNCTIONS = [
        MethodDef::raw("gethostbyname", "gethostbyname(host) -> address\n\nThe IP address of a host, such as '255.255.255.255'.", |vm, _, args, kwnames| {
            parse::count(vm, "_socket.gethostbyname", args, kwnames, 1, 1)?;
            let name = host_argument(vm, "gethostbyname", &args[0])?;
            vm.audit("socket.gethostbyname", &[args[0].clone()])?;
            let address = resolve(vm, &name, libc::AF_INET)?;
            Ok(Value::from(address.ip_text().unwrap_or_default()))
        }),
        MethodDef::raw("gethostbyname_ex", "gethostbyname_ex(host) -> (name, aliaslist, addresslist)\n\nThe names and addresses of a host.", |vm, _, args, kwnames| host_by_name_ex(vm, args, kwnames)),
        MethodDef::raw("gethostbyaddr", "gethostbyaddr(host) -> (name, aliaslist, addresslist)\n\nThe names and addresses of the host with an address.", |vm, _, args, kwnames| host_by_address(vm, args, kwnames)),
        MethodDef::raw("getservbyname", "getservbyname(servicename[, protocolname]) -> integer\n\nThe port of a service.", |vm, _, args, kwnames| service_by_name(vm, args, kwnames)),
        MethodDef::raw("getservbyport", "getservbyport(port[, protocolname]) -> string\n\nThe service at a port.", |vm, _, args, kwnames| service_by_port(vm, args, kwnames)),
        MethodDef::raw("getprotobyname", "getprotobyname(name) -> integer\n\nThe number of a protocol.", |vm, _, args, kwnames| {
            parse::count(vm, "_socket.getprotobyname", args, kwnames, 1, 1)?;
            let name = string_argument(vm, "getprotobyname", "argument 1", &args[0])?;
            let number = blocking(|| {
                let _guard = databases();
                // SAFETY: a C string; the result is read under the lock.
                unsafe { libc::getprotobyname(name.as_ptr()).as_ref().map(|entry| entry.p_proto) }
            });
            number.map(Value::from).ok_or_else(|| os_error(vm, "protocol not found"))
        }),
        MethodDef::raw("getaddrinfo", "getaddrinfo(host, port [, family, type, proto, flags])\n    \
            -> list of (family, type, proto, canonname, sockaddr)\n\n\
            Look up the addresses at which a service of a host may be \
            reached.", |vm, _, args, kwnames| address_info(vm, args, kwnames)),
        MethodDef::raw("getnameinfo", "getnameinfo(sockaddr, flags) --> (host, port)\n\nThe names of a host and port.", |vm, _, args, kwnames| name_info(vm, args, kwnames)),
    ];
}
