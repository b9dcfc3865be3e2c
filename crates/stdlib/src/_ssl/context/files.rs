//! Certificates and keys from files and from memory.

use std::ffi::CString;
use std::os::raw::{c_char, c_int, c_void};

use taipan_object::builtins::bytearray::ByteArray;
use taipan_object::builtins::bytes::Bytes;
use taipan_object::builtins::list::List;
use taipan_object::builtins::str::Str;
use taipan_object::exceptions::TYPE_ERROR;
use taipan_object::vm::gil::with_gil;
use taipan_object::vm::hooks::blocking;
use taipan_object::{Raised, Result, Value, Vm, codecs};
use taipan_openssl as ossl;

use super::super::bio::Bio;
use super::super::certificate::{self, X509};
use super::super::errors;
use super::{SslContext, counts};
use crate::arguments::fs_converter;

/// Where the password of a key comes from, and what went wrong with it.
struct Password {
    callable: Option<Value>,
    bytes: Option<Vec<u8>>,
    raised: Option<Value>,
}

/// The bytes of a password.
fn password_bytes(vm: &Vm, value: &Value, otherwise: &str) -> Result<Vec<u8>> {
    if value.downcast::<Str>().is_some() {
        return codecs::to_utf8(vm, value).map(|text| text.as_bytes().to_vec());
    }
    if let Some(bytes) = value.downcast::<Bytes>() {
        return Ok(bytes.as_slice().to_vec());
    }
    match value.downcast::<ByteArray>() {
        Some(bytes) => bytes.to_vec(vm),
        None => Err(vm.type_error(otherwise)),
    }
}

impl Password {
    fn answer(&mut self, vm: &Vm, size: usize) -> Result<Vec<u8>> {
        let bytes = match &self.callable {
            Some(callable) => {
                let answer = vm.call(callable, &[], None)?;
                password_bytes(vm, &answer, "password callback must return a string")?
            }
            None => self.bytes.clone().unwrap_or_default(),
        };
        if bytes.len() > size {
            return Err(vm.value_error(format!("password cannot be longer than {size} bytes")));
        }
        Ok(bytes)
    }
}

extern "C" fn give_password(buffer: *mut c_char, size: c_int, _: c_int, user: *mut c_void) -> c_int {
    with_gil(|vm| {
        // SAFETY: the pointer that `load_cert_chain` passed, whose function is still running.
        let password = unsafe { &mut *user.cast::<Password>() };
        match password.answer(vm, size as usize) {
            Ok(bytes) => {
                // SAFETY: room for `size` bytes, of which there are no more.
                unsafe { std::ptr::copy_nonoverlapping(bytes.as_ptr(), buffer.cast(), bytes.len()) };
                bytes.len() as c_int
            }
            Err(raised) => {
                password.raised = Some(vm.take(raised));
                -1
            }
        }
    })
}

/// A path; anything else is an error with the given text.
fn path(vm: &Vm, value: &Value, message: &str) -> Result<CString> {
    fs_converter(vm, value).map_err(|raised| match vm.catch(raised, TYPE_ERROR.ty()) {
        Ok(_) => vm.type_error(message),
        Err(raised) => raised,
    })
}

pub fn load_cert_chain(vm: &Vm, this: &Value, args: &[Value]) -> Result {
    let context = SslContext::of(this);
    let certificate = path(vm, &args[0], "certfile should be a valid filesystem path")?;
    let key = match args[1].is_none() {
        true => certificate.clone(),
        false => path(vm, &args[1], "keyfile should be a valid filesystem path")?,
    };
    let mut password = Password { callable: None, bytes: None, raised: None };
    if !args[2].is_none() {
        if args[2].ty().slots().call.is_some() {
            password.callable = Some(args[2].clone());
        } else {
            password.bytes = Some(password_bytes(vm, &args[2], "password should be a string or callable")?);
        }
    }
    let raw = context.raw;
    // SAFETY: a live context, C strings; the password outlives the calls, after which the old callback is set again.
    unsafe {
        let old = (ossl::SSL_CTX_get_default_passwd_cb(raw), ossl::SSL_CTX_get_default_passwd_cb_userdata(raw));
        if !args[2].is_none() {
            ossl::SSL_CTX_set_default_passwd_cb(raw, Some(give_password));
            ossl::SSL_CTX_set_default_passwd_cb_userdata(raw, (&raw mut password).cast());
        }
        errors::clear();
        let done = blocking(|| {
            ossl::SSL_CTX_use_certificate_chain_file(raw, certificate.as_ptr()) == 1
                && ossl::SSL_CTX_use_PrivateKey_file(raw, key.as_ptr(), ossl::SSL_FILETYPE_PEM) == 1
        });
        ossl::SSL_CTX_set_default_passwd_cb(raw, old.0);
        ossl::SSL_CTX_set_default_passwd_cb_userdata(raw, old.1);
        if let Some(exception) = password.raised.take() {
            errors::clear();
            return Err(vm.raise(exception));
        }
        if !done {
            return Err(errors::raise_or_errno(vm, None));
        }
        if ossl::SSL_CTX_check_private_key(raw) != 1 {
            return Err(errors::raise(vm, None));
        }
    }
    errors::clear();
    Ok(Value::NONE)
}

pub fn load_dh_params(vm: &Vm, this: &Value, args: &[Value]) -> Result {
    let path = fs_converter(vm, &args[0])?;
    vm.audit("open", &[args[0].clone(), Value::from("rb"), Value::from(0)])?;
    errors::clear();
    // SAFETY: C strings.
    let Some(bio) = Bio::from_raw(unsafe { ossl::BIO_new_file(path.as_ptr(), c"rb".as_ptr()) }) else {
        return Err(errors::raise_or_errno(vm, Some(&args[0])));
    };
    // SAFETY: a live BIO and context, which copies the parameters.
    unsafe {
        let null: *mut c_void = std::ptr::null_mut();
        let parameters = ossl::PEM_read_bio_DHparams(bio.raw(), null.cast(), None, null);
        if parameters.is_null() {
            return Err(errors::raise_or_errno(vm, Some(&args[0])));
        }
        let raw = SslContext::of(this).raw;
        let done = ossl::SSL_CTX_ctrl(raw, ossl::SSL_CTRL_SET_TMP_DH, 0, parameters.cast());
        ossl::DH_free(parameters);
        if done == 0 {
            return Err(errors::raise(vm, None));
        }
    }
    Ok(Value::NONE)
}

pub fn load_verify_locations(vm: &Vm, this: &Value, args: &[Value]) -> Result {
    let context = SslContext::of(this);
    let (file, dir, data) = (&args[0], &args[1], &args[2]);
    if file.is_none() && dir.is_none() && data.is_none() {
        return Err(vm.type_error("cafile, capath and cadata cannot be all omitted"));
    }
    let or_none = |value: &Value, message: &str| -> Result<Option<CString>> {
        if value.is_none() { Ok(None) } else { path(vm, value, message).map(Some) }
    };
    let file = or_none(file, "cafile should be a valid filesystem path")?;
    let dir = or_none(dir, "capath should be a valid filesystem path")?;
    errors::clear();
    if !data.is_none() {
        load_data(vm, context, data)?;
    }
    if file.is_some() || dir.is_some() {
        let pointer = |path: &Option<CString>| path.as_ref().map_or(std::ptr::null(), |path| path.as_ptr());
        // SAFETY: a live context; null or C strings.
        let done =
            blocking(|| unsafe { ossl::SSL_CTX_load_verify_locations(context.raw, pointer(&file), pointer(&dir)) });
        if done != 1 {
            return Err(errors::raise_or_errno(vm, None));
        }
    }
    errors::clear();
    Ok(Value::NONE)
}

#[cold]
fn bad_data(vm: &Vm) -> Raised {
    vm.type_error("cadata should be an ASCII string or a bytes-like object")
}

/// Certificates in memory: PEM in a str, DER in bytes.
fn load_data(vm: &Vm, context: &SslContext, value: &Value) -> Result<()> {
    if let Some(text) = value.downcast::<Str>() {
        let Some(ascii) = text.as_ascii() else { return Err(bad_data(vm)) };
        return add_certificates(vm, context, ascii.as_bytes(), true);
    }
    if !vm.has_buffer(value) {
        return Err(bad_data(vm));
    }
    let data = vm.bytes_like(value)?;
    add_certificates(vm, context, &data, false)
}

fn add_certificates(vm: &Vm, context: &SslContext, data: &[u8], pem: bool) -> Result<()> {
    if data.is_empty() {
        return Err(vm.value_error("Empty certificate data"));
    }
    let (bio, _of_data) = Bio::reading(vm, data)?;
    let mut loaded = 0;
    // SAFETY: a live context and its store.
    let store = unsafe { ossl::SSL_CTX_get_cert_store(context.raw) };
    loop {
        // SAFETY: a live BIO; the certificate is owned.
        let next = X509::owned(unsafe {
            let null: *mut c_void = std::ptr::null_mut();
            if pem {
                ossl::PEM_read_bio_X509(bio.raw(), null.cast(), Some(no_password), null)
            } else {
                ossl::d2i_X509_bio(bio.raw(), null.cast())
            }
        });
        let Some(next) = next else { break };
        // SAFETY: a live store, which takes a reference of its own.
        if unsafe { ossl::X509_STORE_add_cert(store, next.raw()) } == 0 {
            if !errors::is(errors::latest(), ossl::ERR_LIB_X509, ossl::X509_R_CERT_ALREADY_IN_HASH_TABLE) {
                break;
            }
            errors::clear();
        }
        loaded += 1;
    }
    let error = errors::latest();
    let at_end = match pem {
        true => errors::is(error, ossl::ERR_LIB_PEM, ossl::PEM_R_NO_START_LINE),
        false => errors::is(error, ossl::ERR_LIB_ASN1, ossl::ASN1_R_HEADER_TOO_LONG),
    };
    if loaded == 0 {
        let what = if pem { "no start line" } else { "not enough data" };
        let message = format!("{what}: cadata does not contain a certificate");
        return Err(errors::refuse(vm, &message));
    }
    if at_end || error == 0 {
        errors::clear();
        return Ok(());
    }
    Err(errors::raise(vm, None))
}

/// Trusted certificates have no password.
extern "C" fn no_password(_: *mut c_char, _: c_int, _: c_int, _: *mut c_void) -> c_int {
    -1
}

pub fn set_default_verify_paths(vm: &Vm, this: &Value, _: &[Value]) -> Result {
    errors::clear();
    let raw = SslContext::of(this).raw;
    // SAFETY: a live context.
    match blocking(|| unsafe { ossl::SSL_CTX_set_default_verify_paths(raw) }) {
        0 => Err(errors::raise(vm, None)),
        _ => Ok(Value::NONE),
    }
}

/// What is in a context's store, in its order: the kind, and the certificate if it is one.
fn stored(context: &SslContext) -> Vec<(c_int, Option<X509>)> {
    // SAFETY: a live context and its store, which is locked while its objects are looked at.
    unsafe {
        let store = ossl::SSL_CTX_get_cert_store(context.raw);
        ossl::X509_STORE_lock(store);
        let objects = ossl::stack::<ossl::X509_OBJECT>(ossl::X509_STORE_get0_objects(store));
        let found = objects.map(|object| {
            let kind = ossl::X509_OBJECT_get_type(object);
            let certificate =
                if kind == ossl::X509_LU_X509 { ossl::X509_OBJECT_get0_X509(object) } else { std::ptr::null_mut() };
            (kind, X509::shared(certificate))
        });
        let found = found.collect();
        ossl::X509_STORE_unlock(store);
        found
    }
}

fn is_authority(certificate: &X509) -> bool {
    // SAFETY: a live certificate.
    unsafe { ossl::X509_check_ca(certificate.raw()) != 0 }
}

pub fn cert_store_stats(vm: &Vm, this: &Value, _: &[Value]) -> Result {
    let (mut certificates, mut lists, mut authorities) = (0, 0, 0);
    for (kind, certificate) in stored(SslContext::of(this)) {
        match certificate {
            Some(certificate) => {
                certificates += 1;
                authorities += i64::from(is_authority(&certificate));
            }
            None => lists += i64::from(kind == ossl::X509_LU_CRL),
        }
    }
    counts(vm, [("x509", certificates), ("crl", lists), ("x509_ca", authorities)])
}

pub fn get_ca_certs(vm: &Vm, this: &Value, args: &[Value]) -> Result {
    let binary = vm.is_true(&args[0])?;
    let mut found = Vec::new();
    for certificate in stored(SslContext::of(this)).into_iter().filter_map(|(_, certificate)| certificate) {
        if is_authority(&certificate) {
            found.push(if binary { certificate.der(vm)? } else { certificate::decode(vm, &certificate)? });
        }
    }
    Ok(List::from_vec(found).into_value())
}
