//! Socket addresses: Python's tuples and strings, and the system's structures.

use std::ffi::{CStr, CString};
use std::mem::offset_of;

use taipan_object::builtins::bytes;
use taipan_object::builtins::int;
use taipan_object::builtins::str::Str;
use taipan_object::builtins::tuple::Tuple;
use taipan_object::{Raised, Result, Value, Vm};

use super::host::{host_of_address, interface_index, resolve};
use super::os_error;
use super::socket::Socket;
use crate::arguments::{bad_argument, c_ulong_mask, fs_bytes};

/// An address of any family.
#[derive(Clone, Copy)]
pub struct Address {
    storage: libc::sockaddr_storage,
    length: libc::socklen_t,
}

impl Address {
    /// Room for an address that the system fills in.
    pub fn empty() -> Address {
        // SAFETY: zeros are a valid address of no family.
        let storage = unsafe { std::mem::zeroed() };
        Address { storage, length: size_of::<libc::sockaddr_storage>() as libc::socklen_t }
    }

    /// From one of the system's structures, of which so many bytes count.
    fn new<T: Copy>(address: T, length: usize) -> Address {
        const { assert!(size_of::<T>() <= size_of::<libc::sockaddr_storage>()) };
        let mut new = Address::empty();
        // SAFETY: the structure fits; it is plain data.
        unsafe { (&raw mut new.storage).cast::<T>().write_unaligned(address) };
        new.length = length as libc::socklen_t;
        new
    }

    fn whole<T: Copy>(address: T) -> Address {
        Address::new(address, size_of::<T>())
    }

    pub fn inet(address: [u8; 4], port: u16) -> Address {
        // SAFETY: zeros are a valid structure.
        let mut inet: libc::sockaddr_in = unsafe { std::mem::zeroed() };
        inet.sin_family = libc::AF_INET as libc::sa_family_t;
        inet.sin_port = port.to_be();
        inet.sin_addr.s_addr = u32::from_ne_bytes(address);
        Address::whole(inet)
    }

    pub fn inet6(address: [u8; 16], port: u16, flow: u32, scope: u32) -> Address {
        // SAFETY: zeros are a valid structure.
        let mut inet: libc::sockaddr_in6 = unsafe { std::mem::zeroed() };
        inet.sin6_family = libc::AF_INET6 as libc::sa_family_t;
        inet.sin6_port = port.to_be();
        inet.sin6_addr.s6_addr = address;
        inet.sin6_flowinfo = flow.to_be();
        inet.sin6_scope_id = scope;
        Address::whole(inet)
    }

    /// The address of an entry of `getaddrinfo`'s list.
    pub fn from_info(info: &libc::addrinfo) -> Address {
        // SAFETY: the entry has an address of this length.
        unsafe { Address::from_raw(info.ai_addr, info.ai_addrlen) }
    }

    /// # Safety
    /// `pointer` points to so many bytes.
    pub unsafe fn from_raw(pointer: *const libc::sockaddr, length: libc::socklen_t) -> Address {
        let mut address = Address::empty();
        let kept = (length as usize).min(size_of::<libc::sockaddr_storage>());
        // SAFETY: by contract; `kept` bytes fit.
        unsafe { std::ptr::copy_nonoverlapping(pointer.cast::<u8>(), (&raw mut address.storage).cast(), kept) };
        address.length = kept as libc::socklen_t;
        address
    }

    pub fn as_ptr(&self) -> *const libc::sockaddr {
        (&raw const self.storage).cast()
    }
    pub fn as_mut_ptr(&mut self) -> *mut libc::sockaddr {
        (&raw mut self.storage).cast()
    }
    pub fn len(&self) -> libc::socklen_t {
        self.length
    }
    pub fn len_mut(&mut self) -> &mut libc::socklen_t {
        &mut self.length
    }
    pub fn family(&self) -> i32 {
        i32::from(self.storage.ss_family)
    }

    /// The address as one of the system's structures; bytes beyond its length are zeros.
    fn read<T: Copy>(&self) -> T {
        const { assert!(size_of::<T>() <= size_of::<libc::sockaddr_storage>()) };
        // SAFETY: the storage is larger than the structure, which is plain data.
        unsafe { (&raw const self.storage).cast::<T>().read_unaligned() }
    }

    fn bytes(&self) -> &[u8] {
        let length = (self.length as usize).min(size_of::<libc::sockaddr_storage>());
        // SAFETY: the storage has so many bytes.
        unsafe { std::slice::from_raw_parts((&raw const self.storage).cast(), length) }
    }

    /// The four or sixteen bytes of an IP address.
    pub fn ip(&self) -> Option<Vec<u8>> {
        match self.family() {
            libc::AF_INET => Some(self.read::<libc::sockaddr_in>().sin_addr.s_addr.to_ne_bytes().to_vec()),
            libc::AF_INET6 => Some(self.read::<libc::sockaddr_in6>().sin6_addr.s6_addr.to_vec()),
            _ => None,
        }
    }

    /// The IP address as text.
    pub fn ip_text(&self) -> Option<String> {
        match self.family() {
            libc::AF_INET => {
                let octets = self.read::<libc::sockaddr_in>().sin_addr.s_addr.to_ne_bytes();
                Some(std::net::Ipv4Addr::from(octets).to_string())
            }
            libc::AF_INET6 => {
                let octets = self.read::<libc::sockaddr_in6>().sin6_addr.s6_addr;
                Some(inet6_text(&octets))
            }
            _ => None,
        }
    }

    /// An IPv6 address with other flow information and scope.
    pub fn with_flow_and_scope(&self, flow: u32, scope: u32) -> Address {
        let mut inet = self.read::<libc::sockaddr_in6>();
        inet.sin6_flowinfo = flow.to_be();
        inet.sin6_scope_id = scope;
        Address::whole(inet)
    }

    /// The address as Python has it (`makesockaddr`).
    pub fn to_python(&self, vm: &Vm, fd: i32, protocol: i32) -> Result {
        if self.length == 0 {
            return Ok(Value::NONE);
        }
        match self.family() {
            libc::AF_INET => {
                let port = u16::from_be(self.read::<libc::sockaddr_in>().sin_port);
                let ip = self.ip_text().unwrap_or_default();
                Ok(Tuple::from_array([Value::from(ip), Value::from(i32::from(port))]).into_value())
            }
            libc::AF_INET6 => {
                let inet = self.read::<libc::sockaddr_in6>();
                let ip = self.ip_text().unwrap_or_default();
                let port = i32::from(u16::from_be(inet.sin6_port));
                let flow = u32::from_be(inet.sin6_flowinfo);
                let items = [Value::from(ip), Value::from(port), Value::from(flow), Value::from(inet.sin6_scope_id)];
                Ok(Tuple::from_array(items).into_value())
            }
            libc::AF_UNIX => self.unix_to_python(vm),
            libc::AF_NETLINK => {
                let netlink = self.read::<libc::sockaddr_nl>();
                Ok(Tuple::from_array([Value::from(netlink.nl_pid), Value::from(netlink.nl_groups)]).into_value())
            }
            libc::AF_VSOCK => {
                let vsock = self.read::<libc::sockaddr_vm>();
                Ok(Tuple::from_array([Value::from(vsock.svm_cid), Value::from(vsock.svm_port)]).into_value())
            }
            libc::AF_PACKET => self.packet_to_python(vm, fd),
            libc::AF_CAN => Ok(self.can_to_python(fd, protocol)),
            AF_QIPCRTR => {
                let qrtr = self.read::<SockaddrQrtr>();
                Ok(Tuple::from_array([Value::from(qrtr.node), Value::from(qrtr.port)]).into_value())
            }
            libc::AF_ALG => {
                let alg = self.read::<libc::sockaddr_alg>();
                let items = [
                    text_field(&alg.salg_type),
                    text_field(&alg.salg_name),
                    Value::from(alg.salg_feat),
                    Value::from(alg.salg_mask),
                ];
                Ok(Tuple::from_array(items).into_value())
            }
            family => {
                let data = self.bytes().get(offset_of!(libc::sockaddr, sa_data)..).unwrap_or_default();
                Ok(Tuple::from_array([Value::from(family), bytes::from_slice(vm, data)?]).into_value())
            }
        }
    }

    fn unix_to_python(&self, vm: &Vm) -> Result {
        let path = self.bytes().get(offset_of!(libc::sockaddr_un, sun_path)..).unwrap_or_default();
        if path.first() == Some(&0) {
            // Linux's abstract namespace.
            return bytes::from_slice(vm, path);
        }
        let length = path.iter().position(|byte| *byte == 0).unwrap_or(path.len());
        Ok(Str::from_fs_bytes(&path[..length]).into_value())
    }

    fn packet_to_python(&self, vm: &Vm, fd: i32) -> Result {
        let packet = self.read::<libc::sockaddr_ll>();
        let length = usize::from(packet.sll_halen).min(packet.sll_addr.len());
        let items = [
            interface_name(fd, packet.sll_ifindex),
            Value::from(i32::from(u16::from_be(packet.sll_protocol))),
            Value::from(i32::from(packet.sll_pkttype)),
            Value::from(i32::from(packet.sll_hatype)),
            bytes::from_slice(vm, &packet.sll_addr[..length])?,
        ];
        Ok(Tuple::from_array(items).into_value())
    }

    fn can_to_python(&self, fd: i32, protocol: i32) -> Value {
        let can = self.read::<SockaddrCan>();
        let name = interface_name(fd, can.ifindex);
        let items = match protocol {
            CAN_ISOTP => vec![name, Value::from(can.address[0]), Value::from(can.address[1])],
            CAN_J1939 => {
                let own_name = u64::from(can.address[0]) | u64::from(can.address[1]) << 32;
                vec![name, Value::from(own_name), Value::from(can.address[2]), Value::from(can.address[3] & 0xff)]
            }
            _ => vec![name],
        };
        Tuple::from_vec(items).into_value()
    }
}

/// A field of characters that a NUL may end.
fn text_field(field: &[u8]) -> Value {
    let length = field.iter().position(|byte| *byte == 0).unwrap_or(field.len());
    Str::from_fs_bytes(&field[..length]).into_value()
}

unsafe extern "C" {
    pub fn inet_pton(family: libc::c_int, text: *const libc::c_char, packed: *mut libc::c_void) -> libc::c_int;
    fn inet_ntop(
        family: libc::c_int,
        packed: *const libc::c_void,
        text: *mut libc::c_char,
        size: libc::socklen_t,
    ) -> *const libc::c_char;
}

/// An IPv6 address as the C library writes it.
pub fn inet6_text(octets: &[u8; 16]) -> String {
    let mut buffer = [0 as libc::c_char; 64];
    // SAFETY: sixteen bytes, and room for the longest text.
    unsafe {
        inet_ntop(libc::AF_INET6, octets.as_ptr().cast(), buffer.as_mut_ptr(), buffer.len() as libc::socklen_t);
        CStr::from_ptr(buffer.as_ptr()).to_string_lossy().into_owned()
    }
}

const AF_QIPCRTR: i32 = 42;
const CAN_RAW: i32 = 1;
const CAN_ISOTP: i32 = 6;
const CAN_J1939: i32 = 7;

#[repr(C)]
#[derive(Clone, Copy)]
struct SockaddrQrtr {
    family: libc::sa_family_t,
    node: u32,
    port: u32,
}

/// `sockaddr_can`, its union as four words: receive and transmit id, or name (64 bits), PGN and address.
#[repr(C)]
#[derive(Clone, Copy)]
struct SockaddrCan {
    family: libc::sa_family_t,
    ifindex: i32,
    address: [u32; 4],
}

/// The name of the interface with this index, by the socket.
fn interface_name(fd: i32, index: i32) -> Value {
    if index == 0 {
        return Value::from("");
    }
    // SAFETY: zeros are a valid request, which the call fills with a C string.
    unsafe {
        let mut request: libc::ifreq = std::mem::zeroed();
        request.ifr_ifru.ifru_ifindex = index;
        if libc::ioctl(fd, libc::SIOCGIFNAME as _, &mut request) != 0 {
            return Value::from("");
        }
        Str::from_fs_bytes(CStr::from_ptr(request.ifr_name.as_ptr()).to_bytes()).into_value()
    }
}

fn not_a_tuple(vm: &Vm, function: &str, family: &str, value: &Value) -> Raised {
    vm.type_error(format!("{function}(): {family} address must be tuple, not {}", value.ty().name()))
}

fn port(vm: &Vm, function: &str, what: &str, value: &Value) -> Result<u16> {
    let index = vm.index(value)?;
    match int::to_i64(&index).map(u16::try_from) {
        Some(Ok(port)) => Ok(port),
        _ => Err(vm.overflow_error(format!("{function}(): {what} must be 0-65535."))),
    }
}

/// An address argument of a method of `socket` (`getsockaddrarg`).
pub fn parse(vm: &Vm, socket: &Socket, value: &Value, function: &str) -> Result<Address> {
    match socket.family() {
        libc::AF_UNIX => parse_unix(vm, value),
        libc::AF_INET => {
            let Some(tuple) = value.downcast::<Tuple>() else {
                return Err(not_a_tuple(vm, function, "AF_INET", value));
            };
            let [host, number] = tuple.as_slice() else {
                return Err(vm.type_error("AF_INET address must be a pair (host, port)"));
            };
            let host = host_of_address(vm, host)?;
            let port = port(vm, function, "port", number)?;
            let address = resolve(vm, &host, libc::AF_INET)?;
            match address.ip().as_deref() {
                Some([a, b, c, d]) => Ok(Address::inet([*a, *b, *c, *d], port)),
                _ => Err(os_error(vm, "address family mismatched")),
            }
        }
        libc::AF_INET6 => parse_inet6(vm, value, function),
        libc::AF_NETLINK => {
            let Some(tuple) = value.downcast::<Tuple>() else {
                return Err(not_a_tuple(vm, function, "AF_NETLINK", value));
            };
            let [pid, groups] = tuple.as_slice() else {
                return Err(vm.type_error("AF_NETLINK address must be a pair (pid, groups)"));
            };
            // SAFETY: zeros are a valid structure.
            let mut netlink: libc::sockaddr_nl = unsafe { std::mem::zeroed() };
            netlink.nl_family = libc::AF_NETLINK as libc::sa_family_t;
            netlink.nl_pid = c_ulong_mask(vm, pid)? as u32;
            netlink.nl_groups = c_ulong_mask(vm, groups)? as u32;
            Ok(Address::whole(netlink))
        }
        libc::AF_VSOCK => {
            let Some(tuple) = value.downcast::<Tuple>() else {
                let got = value.ty().name();
                return Err(vm.type_error(format!("getsockaddrarg: AF_VSOCK address must be tuple, not {got}")));
            };
            let [cid, port] = tuple.as_slice() else {
                let given = tuple.len();
                return Err(vm.type_error(format!("getsockaddrarg() takes exactly 2 arguments ({given} given)")));
            };
            // SAFETY: zeros are a valid structure.
            let mut vsock: libc::sockaddr_vm = unsafe { std::mem::zeroed() };
            vsock.svm_family = libc::AF_VSOCK as libc::sa_family_t;
            vsock.svm_cid = c_ulong_mask(vm, cid)? as u32;
            vsock.svm_port = c_ulong_mask(vm, port)? as u32;
            Ok(Address::whole(vsock))
        }
        libc::AF_PACKET => parse_packet(vm, value, function),
        libc::AF_CAN => parse_can(vm, socket, value, function),
        AF_QIPCRTR => {
            let Some(tuple) = value.downcast::<Tuple>() else {
                let got = value.ty().name();
                return Err(vm.type_error(format!("getsockaddrarg: AF_QIPCRTR address must be tuple, not {got}")));
            };
            let [node, port] = tuple.as_slice() else {
                let given = tuple.len();
                return Err(vm.type_error(format!("getsockaddrarg() takes exactly 2 arguments ({given} given)")));
            };
            let (node, port) = (c_ulong_mask(vm, node)? as u32, c_ulong_mask(vm, port)? as u32);
            Ok(Address::whole(SockaddrQrtr { family: AF_QIPCRTR as libc::sa_family_t, node, port }))
        }
        libc::AF_ALG => parse_alg(vm, value, function),
        _ => Err(os_error(vm, &format!("{function}(): bad family"))),
    }
}

fn parse_unix(vm: &Vm, value: &Value) -> Result<Address> {
    let path = match value.downcast::<Str>() {
        Some(_) => fs_bytes(vm, value)?,
        None => vm.bytes_like(value)?.to_vec(),
    };
    // SAFETY: zeros are a valid structure.
    let mut unix: libc::sockaddr_un = unsafe { std::mem::zeroed() };
    unix.sun_family = libc::AF_UNIX as libc::sa_family_t;
    // A path ends with a NUL; a name in the abstract namespace begins with one.
    let is_path = path.first().is_some_and(|byte| *byte != 0);
    if path.len() + usize::from(is_path) > unix.sun_path.len() {
        return Err(os_error(vm, "AF_UNIX path too long"));
    }
    for (to, from) in unix.sun_path.iter_mut().zip(&path) {
        *to = *from as libc::c_char;
    }
    let length = offset_of!(libc::sockaddr_un, sun_path) + path.len() + usize::from(is_path);
    Ok(Address::new(unix, length))
}

fn parse_inet6(vm: &Vm, value: &Value, function: &str) -> Result<Address> {
    let Some(tuple) = value.downcast::<Tuple>() else { return Err(not_a_tuple(vm, function, "AF_INET6", value)) };
    let items = tuple.as_slice();
    let [host, number, rest @ ..] = items else {
        return Err(vm.type_error("AF_INET6 address must be a tuple (host, port[, flowinfo[, scopeid]])"));
    };
    if rest.len() > 2 {
        return Err(vm.type_error("AF_INET6 address must be a tuple (host, port[, flowinfo[, scopeid]])"));
    }
    let host = host_of_address(vm, host)?;
    let port = port(vm, function, "port", number)?;
    let mask = |value: Option<&Value>| value.map_or(Ok(0), |value| c_ulong_mask(vm, value).map(|n| n as u32));
    let (flow, scope) = (mask(rest.first())?, mask(rest.get(1))?);
    if flow > 0xfffff {
        return Err(vm.overflow_error(format!("{function}(): flowinfo must be 0-1048575.")));
    }
    let address = resolve(vm, &host, libc::AF_INET6)?;
    match address.ip().and_then(|ip| <[u8; 16]>::try_from(ip).ok()) {
        Some(ip) => Ok(Address::inet6(ip, port, flow, scope)),
        None => Err(os_error(vm, "address family mismatched")),
    }
}

fn interface(vm: &Vm, name: &CStr) -> Result<u32> {
    interface_index(name).map_err(|errno| vm.os_error(errno, None, None))
}

/// A str without NUL within an address.
fn c_text(vm: &Vm, value: &Value, wrong: impl FnOnce(&Vm) -> Raised) -> Result<CString> {
    match value.downcast::<Str>() {
        Some(_) => CString::new(taipan_object::codecs::to_utf8(vm, value)?)
            .map_err(|_| vm.value_error("embedded null character")),
        None => Err(wrong(vm)),
    }
}

fn parse_packet(vm: &Vm, value: &Value, function: &str) -> Result<Address> {
    let wrong = |vm: &Vm| vm.type_error("AF_PACKET address must be a tuple of two to five elements");
    let Some(tuple) = value.downcast::<Tuple>() else { return Err(not_a_tuple(vm, function, "AF_PACKET", value)) };
    let [name, protocol, rest @ ..] = tuple.as_slice() else { return Err(wrong(vm)) };
    if rest.len() > 3 {
        return Err(wrong(vm));
    }
    let name = c_text(vm, name, wrong)?;
    let protocol = vm.index_i32(protocol)?;
    let number = |at: usize| rest.get(at).map_or(Ok(0), |value: &Value| vm.index_i32(value));
    let (packet_type, hardware_type) = (number(0)?, number(1)?);
    // SAFETY: zeros are a valid structure.
    let mut packet: libc::sockaddr_ll = unsafe { std::mem::zeroed() };
    if let Some(hardware_address) = rest.get(2) {
        let address = vm.bytes_like(hardware_address)?;
        if address.len() > packet.sll_addr.len() {
            return Err(vm.value_error("Hardware address must be 8 bytes or less"));
        }
        packet.sll_addr[..address.len()].copy_from_slice(&address);
        packet.sll_halen = address.len() as u8;
    }
    packet.sll_ifindex = interface(vm, &name)? as i32;
    let Ok(protocol) = u16::try_from(protocol) else {
        return Err(vm.overflow_error(format!("{function}(): proto must be 0-65535.")));
    };
    packet.sll_family = libc::AF_PACKET as libc::sa_family_t;
    packet.sll_protocol = protocol.to_be();
    packet.sll_pkttype = packet_type as u8;
    packet.sll_hatype = hardware_type as u16;
    Ok(Address::whole(packet))
}

fn parse_can(vm: &Vm, socket: &Socket, value: &Value, function: &str) -> Result<Address> {
    let protocol = socket.protocol();
    let Some(tuple) = value.downcast::<Tuple>() else { return Err(not_a_tuple(vm, function, "AF_CAN", value)) };
    let items = tuple.as_slice();
    let expected = match protocol {
        CAN_ISOTP => 3,
        CAN_J1939 => 4,
        _ => 1,
    };
    if items.len() != expected {
        return Err(vm.type_error(match protocol {
            CAN_ISOTP => "AF_CAN address must be a tuple (interface, rx_addr, tx_addr)",
            CAN_J1939 => "AF_CAN address must be a tuple (interface, name, pgn, addr)",
            CAN_RAW => "AF_CAN address must be a tuple (interface, )",
            _ => "AF_CAN address must be a tuple (interface, ) or (interface, addr)",
        }));
    }
    let name = crate::arguments::fs_converter(vm, &items[0])?;
    let mut can = SockaddrCan { family: libc::AF_CAN as libc::sa_family_t, ifindex: 0, address: [0; 4] };
    for (word, item) in can.address.iter_mut().zip(&items[1..]) {
        *word = c_ulong_mask(vm, item)? as u32;
    }
    if protocol == CAN_J1939 {
        let own_name = c_ulong_mask(vm, &items[1])?;
        let (pgn, address) = (c_ulong_mask(vm, &items[2])? as u32, c_ulong_mask(vm, &items[3])? as u8);
        can.address = [own_name as u32, (own_name >> 32) as u32, pgn, u32::from(address)];
    }
    if name.as_bytes().len() >= libc::IFNAMSIZ {
        return Err(os_error(vm, "AF_CAN interface name too long"));
    }
    can.ifindex = interface(vm, &name)? as i32;
    Ok(Address::whole(can))
}

fn parse_alg(vm: &Vm, value: &Value, function: &str) -> Result<Address> {
    let Some(tuple) = value.downcast::<Tuple>() else { return Err(not_a_tuple(vm, function, "AF_ALG", value)) };
    let wrong = |vm: &Vm| vm.type_error("AF_ALG address must be a tuple (type, name[, feat[, mask]])");
    let [kind, name, rest @ ..] = tuple.as_slice() else { return Err(wrong(vm)) };
    if rest.len() > 2 {
        return Err(wrong(vm));
    }
    let (kind, name) = (c_text(vm, kind, wrong)?, c_text(vm, name, wrong)?);
    let number = |at: usize| rest.get(at).map_or(Ok(0), |value: &Value| c_ulong_mask(vm, value).map(|n| n as u32));
    // SAFETY: zeros are a valid structure.
    let mut alg: libc::sockaddr_alg = unsafe { std::mem::zeroed() };
    (alg.salg_feat, alg.salg_mask) = (number(0)?, number(1)?);
    alg.salg_family = libc::AF_ALG as libc::sa_family_t;
    if kind.as_bytes().len() >= alg.salg_type.len() {
        return Err(vm.value_error("AF_ALG type too long."));
    }
    if name.as_bytes().len() >= alg.salg_name.len() {
        return Err(vm.value_error("AF_ALG name too long."));
    }
    alg.salg_type[..kind.as_bytes().len()].copy_from_slice(kind.as_bytes());
    alg.salg_name[..name.as_bytes().len()].copy_from_slice(name.as_bytes());
    Ok(Address::whole(alg))
}

/// A str as a C string: an argument of a module function.
pub fn string_argument(vm: &Vm, function: &str, argument: &str, value: &Value) -> Result<CString> {
    c_text(vm, value, |vm| bad_argument(vm, function, argument, "str", value))
}
