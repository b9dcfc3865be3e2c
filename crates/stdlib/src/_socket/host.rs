//! Host names: as arguments, and as addresses.

use std::ffi::{CStr, CString};

use taipan_object::builtins::bytearray::ByteArray;
use taipan_object::builtins::bytes::Bytes;
use taipan_object::builtins::str::Str;
use taipan_object::vm::hooks::blocking;
use taipan_object::{Raised, Result, Value, Vm};

use super::address::{Address, inet_pton};
use super::wait::outcome;
use super::{os_error, own_error};
use crate::arguments::{bad_argument, errno};

/// The encoding `idna` of a name, for which ASCII with labels of ordinary lengths is itself.
fn idna(vm: &Vm, name: &Value) -> Result<Vec<u8>> {
    if let Some(ascii) = name.downcast::<Str>().and_then(Str::as_ascii) {
        let stem = ascii.strip_suffix('.').unwrap_or(ascii);
        if ascii.is_empty() || stem.split('.').all(|label| (1..64).contains(&label.len())) {
            return Ok(ascii.as_bytes().to_vec());
        }
    }
    let encoded = vm.call_method(name, "encode", &[Value::from("idna")])?;
    Ok(encoded.downcast::<Bytes>().map(|bytes| bytes.as_slice().to_vec()).unwrap_or_default())
}

fn raw_bytes(vm: &Vm, value: &Value) -> Result<Option<Vec<u8>>> {
    match (value.downcast::<Bytes>(), value.downcast::<ByteArray>()) {
        (Some(bytes), _) => vm.buffer_of(bytes.as_slice()).map(Some),
        (None, Some(bytes)) => bytes.to_vec(vm).map(Some),
        (None, None) => Ok(None),
    }
}

/// A host in an address (`idna_converter`).
pub fn host_of_address(vm: &Vm, value: &Value) -> Result<CString> {
    let bytes = match raw_bytes(vm, value)? {
        Some(bytes) => bytes,
        None => match value.downcast::<Str>() {
            Some(text) => match text.as_ascii() {
                Some(ascii) => ascii.as_bytes().to_vec(),
                None => match vm.call_method(value, "encode", &[Value::from("idna")]) {
                    Ok(encoded) => raw_bytes(vm, &encoded)?.unwrap_or_default(),
                    Err(raised) => {
                        vm.discard(raised);
                        return Err(vm.type_error("encoding of hostname failed"));
                    }
                },
            },
            None => {
                let got = value.ty().name();
                return Err(vm.type_error(format!("str, bytes or bytearray expected, not {got}")));
            }
        },
    };
    CString::new(bytes).map_err(|_| vm.type_error("host name must not contain null character"))
}

/// A host as the only argument of a function (the `et` format with `idna`).
pub fn host_argument(vm: &Vm, function: &str, value: &Value) -> Result<CString> {
    let bytes = match raw_bytes(vm, value)? {
        Some(bytes) => bytes,
        None if value.downcast::<Str>().is_some() => idna(vm, value)?,
        None => return Err(bad_argument(vm, function, "argument 1", "str, bytes or bytearray", value)),
    };
    CString::new(bytes)
        .map_err(|_| bad_argument(vm, function, "argument 1", "encoded string without null bytes", value))
}

/// The host of `getaddrinfo`; what follows a NUL is not looked at, as in C.
pub fn optional_host(vm: &Vm, value: &Value) -> Result<Option<CString>> {
    if value.is_none() {
        return Ok(None);
    }
    let mut bytes = match value.downcast::<Str>() {
        Some(_) => idna(vm, value)?,
        None => match value.downcast::<Bytes>() {
            Some(bytes) => bytes.as_slice().to_vec(),
            None => return Err(vm.type_error("getaddrinfo() argument 1 must be string or None")),
        },
    };
    let length = bytes.iter().position(|byte| *byte == 0).unwrap_or(bytes.len());
    bytes.truncate(length);
    Ok(CString::new(bytes).ok())
}

/// The exception for a result of `getaddrinfo`.
#[cold]
pub fn gai_error(vm: &Vm, code: i32, errno: i32) -> Raised {
    if code == libc::EAI_SYSTEM {
        return vm.os_error(errno, None, None);
    }
    // SAFETY: the result is a static C string.
    let text = unsafe { CStr::from_ptr(libc::gai_strerror(code)) }.to_string_lossy().into_owned();
    own_error(vm, "gaierror", code, &text)
}

/// The list that `getaddrinfo` makes.
pub struct AddressList(*mut libc::addrinfo);

impl AddressList {
    /// Asks for addresses; failure is an exception.
    pub fn get(vm: &Vm, host: Option<&CStr>, service: Option<&CStr>, hints: &libc::addrinfo) -> Result<AddressList> {
        let mut list = std::ptr::null_mut();
        let pointer = |text: Option<&CStr>| text.map_or(std::ptr::null(), CStr::as_ptr);
        let (host, service) = (pointer(host), pointer(service));
        let (code, error) = blocking(|| {
            // SAFETY: null or C strings, which outlive the call; room for the list.
            let code = unsafe { libc::getaddrinfo(host, service, hints, &mut list) };
            (code, errno())
        });
        if code != 0 {
            return Err(gai_error(vm, code, error));
        }
        Ok(AddressList(list))
    }

    pub fn iter(&self) -> impl Iterator<Item = &libc::addrinfo> {
        let mut at = self.0;
        std::iter::from_fn(move || {
            // SAFETY: null or an entry of the list, which lives.
            let entry = unsafe { at.as_ref()? };
            at = entry.ai_next;
            Some(entry)
        })
    }
}

impl Drop for AddressList {
    fn drop(&mut self) {
        // SAFETY: made by getaddrinfo, and freed once.
        unsafe { libc::freeaddrinfo(self.0) };
    }
}

/// Hints for `getaddrinfo`.
pub fn hints(family: i32, kind: i32, protocol: i32, flags: i32) -> libc::addrinfo {
    // SAFETY: zeros are valid hints.
    let mut hints: libc::addrinfo = unsafe { std::mem::zeroed() };
    hints.ai_family = family;
    hints.ai_socktype = kind;
    hints.ai_protocol = protocol;
    hints.ai_flags = flags;
    hints
}

/// The address of a host (`setipaddr`): a number, a name, the empty string (any address), or `<broadcast>`.
pub fn resolve(vm: &Vm, host: &CStr, family: i32) -> Result<Address> {
    let name = host.to_bytes();
    if name.is_empty() {
        let hints = hints(family, libc::SOCK_DGRAM, 0, libc::AI_PASSIVE);
        let list = AddressList::get(vm, None, Some(c"0"), &hints)?;
        let mut entries = list.iter();
        let (first, next) = (entries.next(), entries.next());
        if next.is_some() {
            return Err(os_error(vm, "wildcard resolved to multiple address"));
        }
        return first.map(Address::from_info).ok_or_else(|| os_error(vm, "unsupported address family"));
    }
    if name == b"255.255.255.255" || name == b"<broadcast>" {
        if family != libc::AF_INET && family != libc::AF_UNSPEC {
            return Err(os_error(vm, "address family mismatched"));
        }
        return Ok(Address::inet(u32::MAX.to_ne_bytes(), 0));
    }
    let mut packed = [0u8; 16];
    // SAFETY: a C string, and room for the address of either family.
    let mut numeric = |family| unsafe { inet_pton(family, host.as_ptr(), packed.as_mut_ptr().cast()) } > 0;
    if (family == libc::AF_UNSPEC || family == libc::AF_INET) && numeric(libc::AF_INET) {
        return Ok(Address::inet([packed[0], packed[1], packed[2], packed[3]], 0));
    }
    let scoped = name.contains(&b'%');
    if (family == libc::AF_UNSPEC || family == libc::AF_INET6) && !scoped && numeric(libc::AF_INET6) {
        return Ok(Address::inet6(packed, 0, 0, 0));
    }
    let list = AddressList::get(vm, Some(host), None, &hints(family, 0, 0, 0))?;
    list.iter().next().map(Address::from_info).ok_or_else(|| os_error(vm, "unsupported address family"))
}

/// The index of a network interface, which an empty name does not have.
pub fn interface_index(name: &CStr) -> std::result::Result<u32, i32> {
    if name.is_empty() {
        return Ok(0);
    }
    // SAFETY: a C string.
    match unsafe { libc::if_nametoindex(name.as_ptr()) } {
        0 => Err(outcome(-1).err().unwrap_or(libc::ENODEV)),
        index => Ok(index),
    }
}
