//! The attributes of contexts.

use std::io::{Seek, Write};
use std::os::raw::{c_int, c_uint, c_ulong};
use std::os::unix::ffi::OsStrExt;
use std::sync::{Arc, Mutex};

use taipan_object::builtins::int;
use taipan_object::native::GetSetDef;
use taipan_object::{Raised, Result, Value, Vm};
use taipan_openssl as ossl;

use super::super::{callbacks, errors};
use super::{PROTOCOLS, Protocol, SslContext, deprecated};
use crate::arguments::{c_int, c_long, c_uint, fs_converter};

/// What `TLSVersion` calls the ends of what is supported.
const MINIMUM_SUPPORTED: i32 = -2;
const MAXIMUM_SUPPORTED: i32 = -1;

pub const CERT_NONE: i32 = 0;
pub const CERT_OPTIONAL: i32 = 1;
pub const CERT_REQUIRED: i32 = 2;

fn given<'a>(vm: &Vm, value: Option<&'a Value>, name: &str) -> Result<&'a Value> {
    value.ok_or_else(|| cannot_delete(vm, name))
}

#[cold]
fn cannot_delete(vm: &Vm, name: &str) -> Raised {
    vm.attribute_error(format!("attribute '{name}' of '_ssl._SSLContext' objects cannot be deleted"))
}

/// A flag argument as `PyArg_Parse` takes it: an int, or what has `__index__`.
fn integer(vm: &Vm, value: &Value) -> Result<i64> {
    if vm.index(value).is_err() {
        let raised = vm.raised();
        vm.discard(raised);
        return Err(vm.type_error(format!("argument must be int, not {}", value.ty().name())));
    }
    c_long(vm, value)
}

fn verify_mode(context: &SslContext) -> i32 {
    // SAFETY: a live context.
    let mode = unsafe { ossl::SSL_CTX_get_verify_mode(context.raw) };
    match mode & (ossl::SSL_VERIFY_PEER | ossl::SSL_VERIFY_FAIL_IF_NO_PEER_CERT) {
        ossl::SSL_VERIFY_NONE => CERT_NONE,
        ossl::SSL_VERIFY_PEER => CERT_OPTIONAL,
        _ => CERT_REQUIRED,
    }
}

fn set_verify_mode(vm: &Vm, context: &SslContext, mode: i32) -> Result<()> {
    let mode = match mode {
        CERT_NONE if context.check_hostname() => {
            return Err(vm.value_error("Cannot set verify_mode to CERT_NONE when check_hostname is enabled."));
        }
        CERT_NONE => ossl::SSL_VERIFY_NONE,
        CERT_OPTIONAL => ossl::SSL_VERIFY_PEER,
        CERT_REQUIRED => ossl::SSL_VERIFY_PEER | ossl::SSL_VERIFY_FAIL_IF_NO_PEER_CERT,
        _ => return Err(vm.value_error("invalid value for verify_mode")),
    };
    // SAFETY: a live context.
    unsafe { ossl::SSL_CTX_set_verify(context.raw, mode, None) };
    Ok(())
}

fn set_check_hostname(vm: &Vm, this: &Value, value: Option<&Value>) -> Result<()> {
    let check = vm.is_true(given(vm, value, "check_hostname")?)?;
    let context = SslContext::of(this);
    if check && verify_mode(context) == CERT_NONE {
        set_verify_mode(vm, context, CERT_REQUIRED)?;
    }
    context.state().check_hostname = check;
    Ok(())
}

fn set_host_flags(vm: &Vm, this: &Value, value: Option<&Value>) -> Result<()> {
    let flags: c_uint = c_uint(vm, given(vm, value, "_host_flags")?)?;
    let context = SslContext::of(this);
    context.state().host_flags = flags;
    // SAFETY: a live context's own parameters.
    unsafe { ossl::X509_VERIFY_PARAM_set_hostflags(ossl::SSL_CTX_get0_param(context.raw), flags) };
    Ok(())
}

fn show_version(version: i64, end: i32) -> Value {
    Value::from(if version == 0 { i64::from(end) } else { version })
}

fn set_version(vm: &Vm, context: &SslContext, value: &Value, maximum: bool) -> Result<()> {
    if !matches!(context.protocol, Protocol::Any | Protocol::Client | Protocol::Server) {
        return Err(
            vm.value_error("The context's protocol doesn't support modification of highest and lowest version.")
        );
    }
    let version = integer(vm, value)? as i32;
    match version {
        ossl::SSL3_VERSION => deprecated(vm, "TLSVersion.SSLv3")?,
        ossl::TLS1_VERSION => deprecated(vm, "TLSVersion.TLSv1")?,
        ossl::TLS1_1_VERSION => deprecated(vm, "TLSVersion.TLSv1_1")?,
        MINIMUM_SUPPORTED | MAXIMUM_SUPPORTED | ossl::TLS1_2_VERSION | ossl::TLS1_3_VERSION => {}
        _ => return Err(vm.value_error(format!("Unsupported TLS/SSL version 0x{version:x}"))),
    }
    // The maximum may be the lowest that is supported, and the minimum the highest.
    let number = match (version, maximum) {
        (MINIMUM_SUPPORTED, false) | (MAXIMUM_SUPPORTED, true) => 0,
        (MINIMUM_SUPPORTED, true) => ossl::TLS1_VERSION,
        (MAXIMUM_SUPPORTED, false) => ossl::TLS1_3_VERSION,
        (version, _) => version,
    };
    let command = if maximum { ossl::SSL_CTRL_SET_MAX_PROTO_VERSION } else { ossl::SSL_CTRL_SET_MIN_PROTO_VERSION };
    if context.ctrl(command, i64::from(number)) == 0 {
        errors::clear();
        return Err(vm.value_error(format!("Unsupported protocol version 0x{version:x}")));
    }
    Ok(())
}

fn set_options(vm: &Vm, this: &Value, value: Option<&Value>) -> Result<()> {
    let index = vm.index(given(vm, value, "options")?)?;
    if int::is_negative(&index) {
        return Err(vm.value_error("Cannot convert negative int"));
    }
    let Some(wanted) = int::to_u64(&index) else {
        return Err(vm.overflow_error("Python int too large to convert to C uint64_t"));
    };
    let context = SslContext::of(this);
    const NO_VERSIONS: u64 = ossl::SSL_OP_NO_SSLV3
        | ossl::SSL_OP_NO_TLSV1
        | ossl::SSL_OP_NO_TLSV1_1
        | ossl::SSL_OP_NO_TLSV1_2
        | ossl::SSL_OP_NO_TLSV1_3;
    // SAFETY: a live context here and below.
    let present = unsafe { ossl::SSL_CTX_get_options(context.raw) };
    let (clear, set) = (present & !wanted, wanted & !present);
    if set & NO_VERSIONS != 0 {
        deprecated_options(vm)?;
    }
    // SAFETY: as above.
    unsafe {
        if clear != 0 {
            ossl::SSL_CTX_clear_options(context.raw, clear);
        }
        if set != 0 {
            ossl::SSL_CTX_set_options(context.raw, set);
        }
    }
    Ok(())
}

fn deprecated_options(vm: &Vm) -> Result<()> {
    let category = taipan_object::exceptions::DEPRECATION_WARNING.value();
    vm.warn(&category, "ssl.OP_NO_SSL*/ssl.OP_NO_TLS* options are deprecated", 2)
}

fn set_verify_flags(vm: &Vm, this: &Value, value: Option<&Value>) -> Result<()> {
    let wanted = integer(vm, given(vm, value, "verify_flags")?)? as c_ulong;
    let context = SslContext::of(this);
    // SAFETY: a live context's own parameters.
    let done = unsafe {
        let parameters = ossl::SSL_CTX_get0_param(context.raw);
        let present = ossl::X509_VERIFY_PARAM_get_flags(parameters);
        let (clear, set) = (present & !wanted, wanted & !present);
        (clear == 0 || ossl::X509_VERIFY_PARAM_clear_flags(parameters, clear) != 0)
            && (set == 0 || ossl::X509_VERIFY_PARAM_set_flags(parameters, set) != 0)
    };
    if done { Ok(()) } else { Err(errors::raise(vm, None)) }
}

fn set_num_tickets(vm: &Vm, this: &Value, value: Option<&Value>) -> Result<()> {
    let number = integer(vm, given(vm, value, "num_tickets")?)?;
    let Ok(number) = usize::try_from(number) else { return Err(vm.value_error("value must be non-negative")) };
    let context = SslContext::of(this);
    if context.protocol != Protocol::Server {
        return Err(vm.value_error("SSLContext is not a server context."));
    }
    // SAFETY: a live context.
    match unsafe { ossl::SSL_CTX_set_num_tickets(context.raw, number) } {
        1 => Ok(()),
        _ => Err(vm.value_error("failed to set num tickets.")),
    }
}

fn set_sni_callback(vm: &Vm, this: &Value, value: Option<&Value>) -> Result<()> {
    let value = given(vm, value, "sni_callback")?;
    let context = SslContext::of(this);
    if context.protocol == Protocol::Client {
        return Err(vm.value_error("sni_callback cannot be set on TLS_CLIENT context"));
    }
    let callback = callable(vm, value)?;
    let function: Option<ossl::ServernameCallback> = callback.as_ref().map(|_| callbacks::servername as _);
    let old = std::mem::replace(&mut context.state().sni_callback, callback);
    // SAFETY: a live context.
    unsafe { ossl::SSL_CTX_callback_ctrl(context.raw, ossl::SSL_CTRL_SET_TLSEXT_SERVERNAME_CB, function) };
    drop(old);
    Ok(())
}

fn callable(vm: &Vm, value: &Value) -> Result<Option<Value>> {
    match value.is_none() {
        true => Ok(None),
        false if value.ty().slots().call.is_some() => Ok(Some(value.clone())),
        false => Err(vm.type_error("not a callable object")),
    }
}

fn set_message_callback(vm: &Vm, this: &Value, value: Option<&Value>) -> Result<()> {
    let callback = callable(vm, given(vm, value, "_msg_callback")?)?;
    let context = SslContext::of(this);
    let function: Option<ossl::MessageCallback> = callback.as_ref().map(|_| callbacks::message as _);
    let old = std::mem::replace(&mut context.state().message_callback, callback);
    // SAFETY: a live context.
    unsafe { ossl::SSL_CTX_set_msg_callback(context.raw, function) };
    drop(old);
    Ok(())
}

/// Opens the file for secrets, and writes its first line if it is new.
fn set_keylog_filename(vm: &Vm, this: &Value, value: Option<&Value>) -> Result<()> {
    let value = given(vm, value, "keylog_filename")?;
    let context = SslContext::of(this);
    // SAFETY: a live context here and below.
    unsafe { ossl::SSL_CTX_set_keylog_callback(context.raw, None) };
    let old = {
        let mut state = context.state();
        (state.keylog.take(), state.keylog_filename.take())
    };
    drop(old);
    if value.is_none() {
        return Ok(());
    }
    let path = fs_converter(vm, value)?;
    let opened =
        std::fs::OpenOptions::new().append(true).create(true).open(std::ffi::OsStr::from_bytes(path.as_bytes()));
    let written = opened.and_then(|mut file| {
        if file.seek(std::io::SeekFrom::End(0))? == 0 {
            file.write_all(b"# TLS secrets log file, generated by OpenSSL / Python\n")?;
        }
        Ok(file)
    });
    let file = written.map_err(|error| vm.os_error(error.raw_os_error().unwrap_or(0), Some(value), None))?;
    {
        let mut state = context.state();
        state.keylog = Some(Arc::new(Mutex::new(file)));
        state.keylog_filename = Some(value.clone());
    }
    // SAFETY: as above.
    unsafe { ossl::SSL_CTX_set_keylog_callback(context.raw, Some(callbacks::keylog)) };
    Ok(())
}

fn set_post_handshake_auth(vm: &Vm, this: &Value, value: Option<&Value>) -> Result<()> {
    let Some(value) = value else { return Err(vm.attribute_error("cannot delete attribute")) };
    let wanted = vm.is_true(value)?;
    let context = SslContext::of(this);
    context.state().post_handshake_auth = wanted;
    // SAFETY: a live context.
    unsafe { ossl::SSL_CTX_set_post_handshake_auth(context.raw, c_int::from(wanted)) };
    Ok(())
}

pub static GETSET: &[GetSetDef] = &[
    GetSetDef::new("check_hostname", "", |_, this| Ok(Value::from(SslContext::of(this).check_hostname())))
        .setter(set_check_hostname),
    GetSetDef::new("_host_flags", "", |_, this| Ok(Value::from(SslContext::of(this).state().host_flags)))
        .setter(set_host_flags),
    GetSetDef::new("minimum_version", "", |_, this| {
        Ok(show_version(SslContext::of(this).ctrl(ossl::SSL_CTRL_GET_MIN_PROTO_VERSION, 0), MINIMUM_SUPPORTED))
    })
    .setter(|vm, this, value| set_version(vm, SslContext::of(this), given(vm, value, "minimum_version")?, false)),
    GetSetDef::new("maximum_version", "", |_, this| {
        Ok(show_version(SslContext::of(this).ctrl(ossl::SSL_CTRL_GET_MAX_PROTO_VERSION, 0), MAXIMUM_SUPPORTED))
    })
    .setter(|vm, this, value| set_version(vm, SslContext::of(this), given(vm, value, "maximum_version")?, true)),
    GetSetDef::new("keylog_filename", "", |_, this| {
        let name = SslContext::of(this).state().keylog_filename.clone();
        Ok(name.unwrap_or(Value::NONE))
    })
    .setter(set_keylog_filename),
    GetSetDef::new("_msg_callback", "", |_, this| {
        let callback = SslContext::of(this).state().message_callback.clone();
        Ok(callback.unwrap_or(Value::NONE))
    })
    .setter(set_message_callback),
    GetSetDef::new(
        "sni_callback",
        "Called with the socket, the host name asked for and the context (RFC 6066), or None.",
        |_, this| {
            let callback = SslContext::of(this).state().sni_callback.clone();
            Ok(callback.unwrap_or(Value::NONE))
        },
    )
    .setter(set_sni_callback),
    GetSetDef::new("num_tickets", "How many session tickets a TLS 1.3 server sends.", |_, this| {
        // SAFETY: a live context.
        Ok(Value::from(unsafe { ossl::SSL_CTX_get_num_tickets(SslContext::of(this).raw) }))
    })
    .setter(set_num_tickets),
    GetSetDef::new("options", "", |_, this| {
        // SAFETY: a live context.
        Ok(Value::from(unsafe { ossl::SSL_CTX_get_options(SslContext::of(this).raw) } as i64))
    })
    .setter(set_options),
    GetSetDef::new("post_handshake_auth", "", |_, this| Ok(Value::from(SslContext::of(this).post_handshake_auth())))
        .setter(set_post_handshake_auth),
    GetSetDef::new("protocol", "", |_, this| {
        let protocol = SslContext::of(this).protocol;
        let number = PROTOCOLS.iter().find(|(of, ..)| *of == protocol).map_or(0, |(_, number, ..)| *number);
        Ok(Value::from(number))
    }),
    GetSetDef::new("verify_flags", "", |_, this| {
        // SAFETY: a live context's own parameters.
        let flags = unsafe { ossl::X509_VERIFY_PARAM_get_flags(ossl::SSL_CTX_get0_param(SslContext::of(this).raw)) };
        Ok(Value::from(flags as i64))
    })
    .setter(set_verify_flags),
    GetSetDef::new("verify_mode", "", |_, this| Ok(Value::from(verify_mode(SslContext::of(this))))).setter(
        |vm, this, value| {
            let mode = c_int(vm, given(vm, value, "verify_mode")?)?;
            set_verify_mode(vm, SslContext::of(this), mode)
        },
    ),
    GetSetDef::new("security_level", "OpenSSL's security level, 0 to 5.", |_, this| {
        // SAFETY: a live context.
        Ok(Value::from(unsafe { ossl::SSL_CTX_get_security_level(SslContext::of(this).raw) }))
    }),
];
