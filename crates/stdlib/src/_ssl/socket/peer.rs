//! What is known of a connection and its other side.

use std::os::raw::{c_char, c_int, c_uint};

use taipan_object::builtins::bytes;
use taipan_object::builtins::dict::Dict;
use taipan_object::builtins::list::List;
use taipan_object::builtins::tuple::Tuple;
use taipan_object::{Result, Value, Vm};
use taipan_openssl as ossl;

use super::super::certificate::{self, X509};
use super::super::errors;
use super::SslSocket;

impl SslSocket {
    fn is_finished(&self) -> bool {
        // SAFETY: a live connection.
        unsafe { ossl::SSL_is_init_finished(self.raw) != 0 }
    }
}

/// A static text of the library's, or None.
fn text(pointer: *const c_char) -> Value {
    errors::text(pointer).map_or(Value::NONE, Value::from)
}

/// `(name, protocol, bits)` of a cipher.
fn cipher(cipher: *const ossl::SSL_CIPHER) -> Value {
    // SAFETY: a live cipher; its names are static.
    let (name, version, bits) = unsafe {
        let bits = ossl::SSL_CIPHER_get_bits(cipher, std::ptr::null_mut());
        (ossl::SSL_CIPHER_get_name(cipher), ossl::SSL_CIPHER_get_version(cipher), bits)
    };
    Tuple::from_array([text(name), text(version), Value::from(bits)]).into_value()
}

/// All there is to know of a cipher.
pub fn describe_cipher(vm: &Vm, cipher: *const ossl::SSL_CIPHER) -> Result {
    let dict = Dict::new();
    let name_of = |nid: c_int| {
        // SAFETY: any number will do.
        if nid == ossl::NID_UNDEF { Value::NONE } else { text(unsafe { ossl::OBJ_nid2ln(nid) }) }
    };
    let (mut buffer, mut algorithm) = ([0 as c_char; 512], 0);
    // SAFETY: a live cipher, room for the description.
    let entries = unsafe {
        let described = ossl::SSL_CIPHER_description(cipher, buffer.as_mut_ptr(), buffer.len() as c_int);
        let strength = ossl::SSL_CIPHER_get_bits(cipher, &mut algorithm);
        let description = errors::text(described).unwrap_or_default().trim_end_matches('\n');
        [
            ("id", Value::from(ossl::SSL_CIPHER_get_id(cipher))),
            ("name", text(ossl::SSL_CIPHER_get_name(cipher))),
            ("protocol", text(ossl::SSL_CIPHER_get_version(cipher))),
            ("description", Value::from(description)),
            ("strength_bits", Value::from(strength)),
            ("alg_bits", Value::from(algorithm)),
            ("aead", Value::from(ossl::SSL_CIPHER_is_aead(cipher) != 0)),
            ("symmetric", name_of(ossl::SSL_CIPHER_get_cipher_nid(cipher))),
            ("digest", name_of(ossl::SSL_CIPHER_get_digest_nid(cipher))),
            ("kea", name_of(ossl::SSL_CIPHER_get_kx_nid(cipher))),
            ("auth", name_of(ossl::SSL_CIPHER_get_auth_nid(cipher))),
        ]
    };
    for (key, value) in entries {
        dict.set(vm, &Value::from(key), value)?;
    }
    Ok(dict.into_value())
}

pub fn getpeercert(vm: &Vm, this: &Value, args: &[Value]) -> Result {
    let connection = SslSocket::of(this);
    let binary = vm.is_true(&args[0])?;
    if !connection.is_finished() {
        return Err(vm.value_error("handshake not done yet"));
    }
    // SAFETY: a live connection; the reference is owned.
    let Some(certificate) = X509::owned(unsafe { ossl::SSL_get1_peer_certificate(connection.raw) }) else {
        return Ok(Value::NONE);
    };
    if binary {
        return certificate.der(vm);
    }
    let context = connection.context();
    // SAFETY: a live context.
    let mode = unsafe { ossl::SSL_CTX_get_verify_mode(super::SslContext::of(&context).raw()) };
    if mode & ossl::SSL_VERIFY_PEER == 0 {
        return Ok(Dict::new().into_value());
    }
    certificate::decode(vm, &certificate)
}

pub fn get_channel_binding(vm: &Vm, this: &Value, args: &[Value]) -> Result {
    let connection = SslSocket::of(this);
    let kind = match args[0].bound() {
        None => "tls-unique".to_string(),
        Some(kind) => {
            let kind = crate::arguments::c_string(vm, kind, "get_channel_binding() argument 'cb_type'")?;
            kind.to_string_lossy().into_owned()
        }
    };
    if kind != "tls-unique" {
        return Err(vm.value_error(format!("'{kind}' channel binding type not implemented")));
    }
    let mut buffer = [0u8; 128];
    // SAFETY: a live connection and room for so many bytes. The binding is the first "finished" message of the handshake:
    // the client's, unless a session was resumed.
    let length = unsafe {
        let (room, size) = (buffer.as_mut_ptr().cast(), buffer.len());
        if (ossl::SSL_session_reused(connection.raw) != 0) == connection.server {
            ossl::SSL_get_finished(connection.raw, room, size)
        } else {
            ossl::SSL_get_peer_finished(connection.raw, room, size)
        }
    };
    Ok(if length == 0 { Value::NONE } else { bytes::new(&buffer[..length.min(buffer.len())]) })
}

pub fn shared_ciphers(_: &Vm, this: &Value, _: &[Value]) -> Result {
    let raw = SslSocket::of(this).raw;
    // SAFETY: a live connection, whose lists stay as they are while the GIL is held.
    unsafe {
        let (own, theirs) = (ossl::SSL_get_ciphers(raw), ossl::SSL_get_client_ciphers(raw));
        if own.is_null() || theirs.is_null() {
            return Ok(Value::NONE);
        }
        let shared = ossl::stack::<ossl::SSL_CIPHER>(theirs)
            .filter(|candidate| ossl::OPENSSL_sk_find(own, candidate.cast_const().cast()) >= 0);
        Ok(List::from_vec(shared.map(|shared| cipher(shared)).collect()).into_value())
    }
}

pub fn verified_chain(_: &Vm, this: &Value, _: &[Value]) -> Result {
    // SAFETY: a live connection.
    let stack = unsafe { ossl::SSL_get0_verified_chain(SslSocket::of(this).raw) };
    if stack.is_null() {
        return Ok(Value::NONE);
    }
    // SAFETY: the connection's own stack.
    Ok(List::from_vec(certificate::chain(unsafe { ossl::stack(stack) })).into_value())
}

pub fn unverified_chain(_: &Vm, this: &Value, _: &[Value]) -> Result {
    let connection = SslSocket::of(this);
    // SAFETY: a live connection.
    let stack = unsafe { ossl::SSL_get_peer_cert_chain(connection.raw) };
    // A server's list lacks the client's own certificate, which alone is known of a resumed session.
    // SAFETY: a live connection; the reference is owned.
    let own = connection.server.then(|| X509::owned(unsafe { ossl::SSL_get1_peer_certificate(connection.raw) }));
    let own = own.flatten();
    if stack.is_null() && own.is_none() {
        return Ok(Value::NONE);
    }
    // SAFETY: null or the connection's own stack.
    let rest = if stack.is_null() { Vec::new() } else { certificate::chain(unsafe { ossl::stack(stack) }) };
    Ok(List::from_vec(own.map(certificate::wrap).into_iter().chain(rest).collect()).into_value())
}

pub fn current_cipher(_: &Vm, this: &Value, _: &[Value]) -> Result {
    // SAFETY: a live connection.
    let current = unsafe { ossl::SSL_get_current_cipher(SslSocket::of(this).raw) };
    Ok(if current.is_null() { Value::NONE } else { cipher(current) })
}

pub fn version(_: &Vm, this: &Value, _: &[Value]) -> Result {
    let connection = SslSocket::of(this);
    // SAFETY: a live connection; a static text.
    Ok(if connection.is_finished() { text(unsafe { ossl::SSL_get_version(connection.raw) }) } else { Value::NONE })
}

pub fn selected_alpn_protocol(_: &Vm, this: &Value, _: &[Value]) -> Result {
    let (mut data, mut length): (*const u8, c_uint) = (std::ptr::null(), 0);
    // SAFETY: a live connection; the result is so many bytes of it.
    let name = unsafe {
        ossl::SSL_get0_alpn_selected(SslSocket::of(this).raw, &mut data, &mut length);
        if data.is_null() {
            return Ok(Value::NONE);
        }
        std::slice::from_raw_parts(data, length as usize)
    };
    Ok(Value::from(String::from_utf8_lossy(name).as_ref()))
}
