//! What OpenSSL calls in the midst of an operation, without the GIL.
//!
//! Connections and contexts have the address of their object as data of their own, as long as the object is there.

use std::ffi::CStr;
use std::io::Write;
use std::os::raw::{c_char, c_int, c_uchar, c_uint, c_void};
use std::sync::PoisonError;

use taipan_object::builtins::bytes::{self, Bytes};
use taipan_object::builtins::tuple::Tuple;
use taipan_object::object::to_ref;
use taipan_object::vm::gil::with_gil;
use taipan_object::{Ref, Result, Value, Vm, codecs};
use taipan_openssl as ossl;

use super::context::SslContext;
use super::socket::SslSocket;
use crate::arguments::c_int;

/// The object of a connection.
///
/// # Safety
/// A live connection; the GIL is held.
unsafe fn connection(raw: *const ossl::SSL) -> Option<Ref<SslSocket>> {
    // SAFETY: the data is null or the address of the object, which is alive then.
    unsafe { ossl::SSL_get_ex_data(raw, 0).cast::<SslSocket>().as_ref() }.map(to_ref)
}

/// The application protocol for a client's list: the first of the server's that is in it.
pub extern "C" fn select_alpn(
    _: *mut ossl::SSL,
    out: *mut *const c_uchar,
    length: *mut c_uchar,
    theirs: *const c_uchar,
    theirs_length: c_uint,
    object: *mut c_void,
) -> c_int {
    let ours = with_gil(|_| {
        // SAFETY: the context takes the callback back before it goes.
        unsafe { object.cast::<SslContext>().as_ref() }.and_then(SslContext::alpn_protocols)
    });
    let (pointer, size) = ours.unwrap_or((std::ptr::null(), 0));
    // SAFETY: both lists are as long as said; the context keeps every list that it ever had.
    let chosen =
        unsafe { ossl::SSL_select_next_proto(out.cast(), length, pointer, size as c_uint, theirs, theirs_length) };
    if chosen == ossl::OPENSSL_NPN_NEGOTIATED { ossl::SSL_TLSEXT_ERR_OK } else { ossl::SSL_TLSEXT_ERR_NOACK }
}

/// A client says which server it wants.
pub extern "C" fn servername(raw: *mut ossl::SSL, alert: *mut c_int, _: *mut c_void) -> c_int {
    with_gil(|vm| {
        // SAFETY: a live connection, the GIL is held.
        let Some(socket) = (unsafe { connection(raw) }) else { return ossl::SSL_TLSEXT_ERR_OK };
        let context = socket.context();
        let callback = SslContext::of(&context).state().sni_callback.clone();
        let Some(callback) = callback else { return ossl::SSL_TLSEXT_ERR_OK };
        // SAFETY: a live connection; null or a C string.
        let name = unsafe {
            let name = ossl::SSL_get_servername(raw, ossl::TLSEXT_NAMETYPE_HOST_NAME);
            (!name.is_null()).then(|| CStr::from_ptr(name).to_bytes().to_vec())
        };
        let refuse = |number: c_int| {
            // SAFETY: room for the alert.
            unsafe { *alert = number };
            ossl::SSL_TLSEXT_ERR_ALERT_FATAL
        };
        let name = match name {
            None => Value::NONE,
            Some(name) => match vm.call_method(&bytes::new(&name), "decode", &[Value::from("ascii")]) {
                Ok(name) => name,
                Err(raised) => {
                    vm.write_unraisable(raised, "Exception ignored while decoding ssl servername", &bytes::new(&name));
                    return refuse(ossl::SSL_AD_INTERNAL_ERROR);
                }
            },
        };
        // Who asked for the connection may have gone, and left only the part that handshakes.
        let Some(shown) = socket.shown() else { return refuse(ossl::SSL_AD_INTERNAL_ERROR) };
        match vm.call_args(&callback, &[shown, name, context.clone()]) {
            Err(raised) => {
                vm.write_unraisable(raised, "Exception ignored while calling ssl servername callback", &callback);
                refuse(ossl::SSL_AD_HANDSHAKE_FAILURE)
            }
            Ok(result) if result.is_none() => ossl::SSL_TLSEXT_ERR_OK,
            Ok(result) => match c_int(vm, &result) {
                Ok(number) => refuse(number),
                Err(raised) => {
                    let message = "Exception ignored while calling ssl servername callback";
                    vm.write_unraisable(raised, message, &result);
                    refuse(ossl::SSL_AD_INTERNAL_ERROR)
                }
            },
        }
    })
}

/// A message of the protocol goes by.
pub extern "C" fn message(
    writing: c_int,
    version: c_int,
    content_type: c_int,
    data: *const c_void,
    length: usize,
    raw: *mut ossl::SSL,
    _: *mut c_void,
) {
    with_gil(|vm| {
        // SAFETY: a live connection, the GIL is held.
        let Some(socket) = (unsafe { connection(raw) }) else { return };
        let context = socket.context();
        let callback = SslContext::of(&context).state().message_callback.clone();
        let Some(callback) = callback else { return };
        // SAFETY: so many bytes.
        let data = if length == 0 { &[] } else { unsafe { std::slice::from_raw_parts(data.cast::<u8>(), length) } };
        let at = |index: usize| data.get(index).map_or(0, |byte| c_int::from(*byte));
        let (mut version, mut kind) = (version, -1);
        match content_type {
            ossl::SSL3_RT_CHANGE_CIPHER_SPEC => kind = ossl::SSL3_MT_CHANGE_CIPHER_SPEC,
            ossl::SSL3_RT_ALERT => kind = at(1),
            ossl::SSL3_RT_HANDSHAKE => kind = at(0),
            ossl::SSL3_RT_HEADER => {
                // The protocol's version is in the header itself.
                version = at(1) << 8 | at(2);
                kind = at(0);
            }
            ossl::SSL3_RT_INNER_CONTENT_TYPE => kind = at(0),
            _ => {}
        }
        let direction = if writing != 0 { "write" } else { "read" };
        let args = [
            socket.shown().unwrap_or(Value::NONE),
            Value::from(direction),
            Value::from(version),
            Value::from(content_type),
            Value::from(kind),
            bytes::new(data),
        ];
        if let Err(raised) = vm.call_args(&callback, &args) {
            socket.keep_exception(vm.take(raised));
        }
    });
}

/// A secret for the log.
pub extern "C" fn keylog(raw: *const ossl::SSL, line: *const c_char) {
    // SAFETY: a C string.
    let line = unsafe { CStr::from_ptr(line) }.to_bytes();
    let (socket, file) = with_gil(|_| {
        // SAFETY: a live connection, the GIL is held.
        let socket = unsafe { connection(raw) };
        let file = socket.as_ref().and_then(|socket| SslContext::of(&socket.context()).state().keylog.clone());
        (socket, file)
    });
    let written = match &file {
        Some(file) => {
            let mut file = file.lock().unwrap_or_else(PoisonError::into_inner);
            file.write_all(&[line, b"\n"].concat())
        }
        None => Ok(()),
    };
    with_gil(|vm| {
        if let (Err(error), Some(socket)) = (written, &socket) {
            let raised = vm.os_error(error.raw_os_error().unwrap_or(0), None, None);
            socket.keep_exception(vm.take(raised));
        }
        drop(socket);
    });
}

/// Copies bytes into the library's memory; `None` if they do not fit.
///
/// # Safety
/// Room for `size` bytes.
unsafe fn fill(room: *mut u8, size: c_uint, data: &[u8]) -> Option<c_uint> {
    if data.len() > size as usize {
        return None;
    }
    // SAFETY: the caller's.
    unsafe { std::ptr::copy_nonoverlapping(data.as_ptr(), room, data.len()) };
    Some(data.len() as c_uint)
}

fn key_bytes(vm: &Vm, value: &Value) -> Result<Vec<u8>> {
    match value.downcast::<Bytes>() {
        Some(bytes) => Ok(bytes.as_slice().to_vec()),
        None => Err(vm.type_error(format!("a bytes-like object is required, not '{}'", value.ty().name()))),
    }
}

fn text(pointer: *const c_char) -> Value {
    if pointer.is_null() {
        return Value::NONE;
    }
    // SAFETY: a C string.
    Value::from(unsafe { CStr::from_ptr(pointer) }.to_string_lossy().as_ref())
}

/// A client's identity and key: `callback(hint) -> (identity or None, key)`.
pub extern "C" fn psk_client(
    raw: *mut ossl::SSL,
    hint: *const c_char,
    identity: *mut c_char,
    identity_size: c_uint,
    key: *mut c_uchar,
    key_size: c_uint,
) -> c_uint {
    with_gil(|vm| {
        // SAFETY: a live connection, the GIL is held.
        let Some(socket) = (unsafe { connection(raw) }) else { return 0 };
        let context = socket.context();
        let callback = SslContext::of(&context).state().psk_client_callback.clone();
        let Some(callback) = callback else { return 0 };
        let answer = || -> Result<Option<c_uint>> {
            let answer = vm.call_args(&callback, &[text(hint)])?;
            let pair = answer.downcast::<Tuple>().map(Tuple::as_slice).unwrap_or_default();
            let [name, secret] = pair else {
                return Err(vm.type_error("a tuple of identity and key is required"));
            };
            let name = if name.is_none() { Vec::new() } else { codecs::to_utf8(vm, name)?.as_bytes().to_vec() };
            let secret = key_bytes(vm, secret)?;
            let name = [name.as_slice(), b"\0"].concat();
            // SAFETY: the library's rooms of these sizes.
            unsafe { Ok(fill(identity.cast(), identity_size, &name).and_then(|_| fill(key, key_size, &secret))) }
        };
        finish_psk(vm, answer(), "Exception ignored in PSK client callback", &callback)
    })
}

/// The key for a client's identity: `callback(identity) -> key`.
pub extern "C" fn psk_server(raw: *mut ossl::SSL, identity: *const c_char, key: *mut c_uchar, size: c_uint) -> c_uint {
    with_gil(|vm| {
        // SAFETY: a live connection, the GIL is held.
        let Some(socket) = (unsafe { connection(raw) }) else { return 0 };
        let context = socket.context();
        let callback = SslContext::of(&context).state().psk_server_callback.clone();
        let Some(callback) = callback else { return 0 };
        // SAFETY: not null, so text that ends with NUL.
        let named = if identity.is_null() || unsafe { *identity } == 0 { Value::NONE } else { text(identity) };
        let answer = || -> Result<Option<c_uint>> {
            let answer = vm.call_args(&callback, &[named])?;
            let secret = key_bytes(vm, &answer)?;
            // SAFETY: the library's room of this size.
            Ok(unsafe { fill(key, size, &secret) })
        };
        finish_psk(vm, answer(), "Exception ignored in PSK server callback", &callback)
    })
}

fn finish_psk(vm: &Vm, answer: Result<Option<c_uint>>, message: &str, callback: &Value) -> c_uint {
    match answer {
        Ok(length) => length.unwrap_or(0),
        Err(raised) => {
            vm.write_unraisable(raised, message, callback);
            0
        }
    }
}
