//! The exceptions, and how OpenSSL's errors become them.

use std::ffi::CStr;
use std::os::raw::{c_char, c_int, c_ulong};
use std::panic::Location;

use taipan_object::builtins::str::Str;
use taipan_object::exceptions::{self, BaseException, OS_ERROR, TIMEOUT_ERROR, VALUE_ERROR};
use taipan_object::native::module::Module;
use taipan_object::types::{TypeSpec, type_flags};
use taipan_object::{Raised, Value, Vm};
use taipan_openssl as ossl;

use super::socket::SslSocket;

macro_rules! exceptions {
    ($($spec:ident $name:literal $base:ident $doc:literal $({ $($builder:tt)* })?;)*) => {
        $(
            static $spec: TypeSpec = TypeSpec::new::<BaseException>(concat!("ssl.", $name))
                .doc($doc)
                .base(&$base)
                .flags(type_flags::BASETYPE)
                $($($builder)*)?;
        )*
        pub fn add_to(module: &Module) {
            $( module.set($name, $spec.value()); )*
        }
    };
}

exceptions! {
    SSL_ERROR "SSLError" OS_ERROR "What OpenSSL reports as an error." { .slots(|s| s.str = Some(show)) };
    CERT_VERIFICATION_ERROR "SSLCertVerificationError" SSL_ERROR "The peer's certificate is not to be trusted." { .second_base(&VALUE_ERROR) };
    ZERO_RETURN_ERROR "SSLZeroReturnError" SSL_ERROR "The peer has closed the connection in order.";
    WANT_READ_ERROR "SSLWantReadError" SSL_ERROR "Data has to arrive before the operation can go on.";
    WANT_WRITE_ERROR "SSLWantWriteError" SSL_ERROR "Data has to leave before the operation can go on.";
    SYSCALL_ERROR "SSLSyscallError" SSL_ERROR "A system call below TLS failed.";
    EOF_ERROR "SSLEOFError" SSL_ERROR "The connection ended without a closing message.";
}

/// `str(error)` is the text alone, without the number.
fn show(vm: &Vm, this: &Value) -> taipan_object::Result {
    let text = exceptions::field(this, &intern("strerror"));
    match text {
        Some(text) if text.downcast::<Str>().is_some() => Ok(text),
        _ => {
            let args = vm.get_attr(this, &intern("args"))?;
            vm.str(&args)
        }
    }
}

fn intern(name: &str) -> Value {
    taipan_object::builtins::str::intern(name).into_value()
}

/// The numbers of `ssl.SSLErrorNumber` that are not OpenSSL's own.
pub const END_OF_FILE: c_int = 8;
pub const INVALID_ERROR_CODE: c_int = 10;

/// How an operation on a connection ended: `SSL_get_error` and `errno`.
#[derive(Clone, Copy)]
pub struct Outcome {
    pub ssl: c_int,
    pub errno: i32,
}

/// OpenSSL's static text.
pub fn text(pointer: *const c_char) -> Option<&'static str> {
    if pointer.is_null() {
        return None;
    }
    // SAFETY: a C string that OpenSSL keeps.
    unsafe { CStr::from_ptr(pointer) }.to_str().ok()
}

/// The library's name as it is at the start of messages.
fn library(number: c_int) -> Option<&'static str> {
    Some(match number {
        3 => "BN",
        4 => "RSA",
        5 => "DH",
        6 => "EVP",
        7 => "BUF",
        8 => "OBJ",
        9 => "PEM",
        10 => "DSA",
        11 => "X509",
        13 => "ASN1",
        14 => "CONF",
        15 => "CRYPTO",
        16 => "EC",
        20 => "SSL",
        32 => "BIO",
        33 => "PKCS7",
        34 => "X509V3",
        35 => "PKCS12",
        36 => "RAND",
        37 => "DSO",
        38 => "ENGINE",
        39 => "OCSP",
        40 => "UI",
        41 => "COMP",
        44 => "OSSL_STORE",
        46 => "CMS",
        47 => "TS",
        50 => "CT",
        51 => "ASYNC",
        52 => "KDF",
        53 => "SM2",
        54 => "ESS",
        55 => "PROP",
        56 => "CRMF",
        57 => "PROV",
        58 => "CMP",
        59 => "OSSL_ENCODER",
        60 => "OSSL_DECODER",
        61 => "HTTP",
        _ => return None,
    })
}

/// A reason's symbol, from which OpenSSL generates its text.
fn symbol(reason: &str) -> String {
    // Alerts got a text that names both protocols and kept the symbol of the older.
    let reason = match reason.strip_prefix("ssl/tls alert ") {
        Some(alert) => format!("sslv3 alert {alert}"),
        None => reason.to_string(),
    };
    reason.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' }).collect()
}

/// Drops what errors the library has in store for this thread.
pub fn clear() {
    // SAFETY: has no preconditions.
    unsafe { ossl::ERR_clear_error() };
}

/// The latest error of this thread; 0 for none.
pub fn latest() -> c_ulong {
    // SAFETY: has no preconditions.
    unsafe { ossl::ERR_peek_last_error() }
}

/// Whether an error is this reason of this library.
pub fn is(error: c_ulong, library: c_int, reason: c_int) -> bool {
    ossl::ERR_GET_LIB(error) == library && ossl::ERR_GET_REASON(error) == reason
}

/// Raises the exception for a failed call, from the errors in store, which are dropped; `message` in place of the
/// library's text.
#[cold]
#[track_caller]
pub fn raise(vm: &Vm, message: Option<&str>) -> Raised {
    let line = Location::caller().line();
    let error = latest();
    clear();
    build(vm, &SSL_ERROR, ossl::ERR_GET_REASON(error), message, line, error, None)
}

/// The `errno` of a system call that made the latest function fail.
pub fn system_error() -> Option<i32> {
    // SAFETY: has no preconditions.
    let first = unsafe { ossl::ERR_peek_error() };
    (first != 0 && ossl::ERR_GET_LIB(first) == ossl::ERR_LIB_SYS).then(|| ossl::ERR_GET_REASON(first))
}

/// As [`raise`], or an `OSError` if it was the system that failed.
#[cold]
#[track_caller]
pub fn raise_or_errno(vm: &Vm, filename: Option<&Value>) -> Raised {
    if let Some(errno) = system_error() {
        clear();
        return vm.os_error(errno, filename, None);
    }
    raise(vm, None)
}

/// An error of the module's own, with a place.
#[cold]
#[track_caller]
pub fn refuse(vm: &Vm, message: &str) -> Raised {
    let line = Location::caller().line();
    clear();
    build(vm, &SSL_ERROR, 0, Some(message), line, 0, None)
}

/// `SSLError(message)`
#[cold]
pub fn plain(vm: &Vm, message: &str) -> Raised {
    vm.raise_args(SSL_ERROR.ty(), vec![Value::from(message)])
}

#[cold]
#[track_caller]
pub fn timed_out(vm: &Vm, operation: &str) -> Raised {
    let message = match operation {
        "handshake" => format!("_ssl.c:{}: The handshake operation timed out", Location::caller().line()),
        operation => format!("The {operation} operation timed out"),
    };
    vm.raise_new(TIMEOUT_ERROR.ty(), message)
}

/// Raises the exception for how an operation on a connection ended.
#[cold]
#[track_caller]
pub fn raise_outcome(vm: &Vm, socket: &SslSocket, outcome: Outcome) -> Raised {
    let line = Location::caller().line();
    let error = latest();
    clear();
    let (spec, number, message) = match outcome.ssl {
        ossl::SSL_ERROR_ZERO_RETURN => {
            (&ZERO_RETURN_ERROR, outcome.ssl, Some("TLS/SSL connection has been closed (EOF)"))
        }
        ossl::SSL_ERROR_WANT_READ => (&WANT_READ_ERROR, outcome.ssl, Some("The operation did not complete (read)")),
        ossl::SSL_ERROR_WANT_WRITE => (&WANT_WRITE_ERROR, outcome.ssl, Some("The operation did not complete (write)")),
        ossl::SSL_ERROR_WANT_X509_LOOKUP => {
            (&SSL_ERROR, outcome.ssl, Some("The operation did not complete (X509 lookup)"))
        }
        ossl::SSL_ERROR_WANT_CONNECT => (&SSL_ERROR, outcome.ssl, Some("The operation did not complete (connect)")),
        ossl::SSL_ERROR_SYSCALL if error == 0 => {
            if outcome.errno != 0 {
                return vm.os_error(outcome.errno, None, None);
            }
            (&EOF_ERROR, END_OF_FILE, Some("EOF occurred in violation of protocol"))
        }
        ossl::SSL_ERROR_SYSCALL if ossl::ERR_GET_LIB(error) == ossl::ERR_LIB_SYS => {
            return vm.os_error(ossl::ERR_GET_REASON(error), None, None);
        }
        ossl::SSL_ERROR_SSL | ossl::SSL_ERROR_SYSCALL => {
            if error == 0 {
                (&SSL_ERROR, outcome.ssl, Some("A failure in the SSL library occurred"))
            } else if is(error, ossl::ERR_LIB_SSL, ossl::SSL_R_CERTIFICATE_VERIFY_FAILED) {
                (&CERT_VERIFICATION_ERROR, outcome.ssl, None)
            } else if is(error, ossl::ERR_LIB_SSL, ossl::SSL_R_UNEXPECTED_EOF_WHILE_READING) {
                (&EOF_ERROR, END_OF_FILE, Some("EOF occurred in violation of protocol"))
            } else {
                (&SSL_ERROR, outcome.ssl, None)
            }
        }
        _ => (&SSL_ERROR, INVALID_ERROR_CODE, Some("Invalid error code")),
    };
    build(vm, spec, number, message, line, error, Some(socket))
}

fn build(
    vm: &Vm,
    spec: &'static TypeSpec,
    number: c_int,
    message: Option<&str>,
    line: u32,
    error: c_ulong,
    socket: Option<&SslSocket>,
) -> Raised {
    let (mut reason, mut of) = (None, None);
    let mut shown = message;
    if error != 0 {
        // SAFETY: any number will do.
        let known = text(unsafe { ossl::ERR_reason_error_string(error) });
        reason = known.map(symbol);
        of = library(ossl::ERR_GET_LIB(error));
        shown = shown.or(known);
    }
    let shown = shown.unwrap_or("unknown error");
    let verification = socket.filter(|_| std::ptr::eq(spec, &CERT_VERIFICATION_ERROR)).map(verification);
    let message = match (&reason, of) {
        (Some(reason), Some(of)) => match &verification {
            Some((_, why)) => format!("[{of}: {reason}] {shown}: {why} (_ssl.c:{line})"),
            None => format!("[{of}: {reason}] {shown} (_ssl.c:{line})"),
        },
        (None, Some(of)) => format!("[{of}] {shown} (_ssl.c:{line})"),
        _ => format!("{shown} (_ssl.c:{line})"),
    };
    let made = || {
        let exception = vm.call_args(&spec.value(), &[Value::from(number), Value::from(message)])?;
        let or_none = |text: Option<&str>| text.map_or(Value::NONE, Value::from);
        vm.set_attr_str(&exception, "reason", &or_none(reason.as_deref()))?;
        vm.set_attr_str(&exception, "library", &or_none(of))?;
        if let Some((code, why)) = &verification {
            vm.set_attr_str(&exception, "verify_code", &Value::from(*code))?;
            vm.set_attr_str(&exception, "verify_message", &Value::from(why.as_str()))?;
        }
        Ok(exception)
    };
    match made() {
        Ok(exception) => vm.raise(exception),
        Err(raised) => raised,
    }
}

/// Why the peer's certificate was not accepted: the code and the text.
fn verification(socket: &SslSocket) -> (i64, String) {
    // SAFETY: a live connection.
    let code = unsafe { ossl::SSL_get_verify_result(socket.raw()) };
    let host = || socket.server_hostname().and_then(|name| Some(name.downcast::<Str>()?.to_string_lossy()));
    let why = match code {
        ossl::X509_V_ERR_HOSTNAME_MISMATCH => {
            format!("Hostname mismatch, certificate is not valid for '{}'.", host().unwrap_or_default())
        }
        ossl::X509_V_ERR_IP_ADDRESS_MISMATCH => {
            format!("IP address mismatch, certificate is not valid for '{}'.", host().unwrap_or_default())
        }
        // SAFETY: any number will do.
        code => text(unsafe { ossl::X509_verify_cert_error_string(code) }).unwrap_or_default().to_string(),
    };
    (code, why)
}
