//! `_ssl`: TLS, by OpenSSL.
//!
//! `context.rs` has the settings that connections share, `socket.rs` a connection, `session.rs` what it is resumed from,
//! `bio.rs` memory in place of a socket, `certificate.rs` certificates, `errors.rs` the exceptions, `callbacks.rs` what
//! OpenSSL calls. The pure-Python module `ssl` is built on these.

mod bio;
mod callbacks;
mod certificate;
mod context;
mod errors;
mod session;
mod socket;

use std::os::raw::c_int;

use taipan_object::builtins::bytes::{self, BYTES, Bytes};
use taipan_object::builtins::str::Str;
use taipan_object::builtins::tuple::Tuple;
use taipan_object::native::MethodDef;
use taipan_object::native::module::{Module, ModuleDef};
use taipan_object::{Result, Value, Vm, method_table};
use taipan_openssl as ossl;

use crate::arguments::{c_int, string_or_buffer};

pub static MODULE: ModuleDef = ModuleDef {
    name: "_ssl",
    doc: "TLS connections; see the module ssl.",
    functions: FUNCTIONS,
    exec: |vm, module| {
        // The exceptions of sockets are part of the interface.
        vm.import("_socket")?;
        // SAFETY: has no preconditions, and may be done again.
        unsafe {
            let strings = ossl::OPENSSL_INIT_LOAD_SSL_STRINGS | ossl::OPENSSL_INIT_LOAD_CRYPTO_STRINGS;
            ossl::OPENSSL_init_ssl(strings, std::ptr::null());
        }
        errors::add_to(module);
        module.set("_SSLContext", context::SSL_CONTEXT.value());
        module.set("_SSLSocket", socket::SSL_SOCKET.value());
        module.set("MemoryBIO", bio::MEMORY_BIO.value());
        module.set("SSLSession", session::SSL_SESSION.value());
        module.set("Certificate", certificate::CERTIFICATE.value());
        add_constants(module);
        add_version(module);
        Ok(())
    },
};

fn add_constants(module: &Module) {
    int_constants!(module;
        SSL_ERROR_ZERO_RETURN = ossl::SSL_ERROR_ZERO_RETURN, SSL_ERROR_WANT_READ = ossl::SSL_ERROR_WANT_READ,
        SSL_ERROR_WANT_WRITE = ossl::SSL_ERROR_WANT_WRITE,
        SSL_ERROR_WANT_X509_LOOKUP = ossl::SSL_ERROR_WANT_X509_LOOKUP,
        SSL_ERROR_SYSCALL = ossl::SSL_ERROR_SYSCALL, SSL_ERROR_SSL = ossl::SSL_ERROR_SSL,
        SSL_ERROR_WANT_CONNECT = ossl::SSL_ERROR_WANT_CONNECT,
        SSL_ERROR_EOF = errors::END_OF_FILE, SSL_ERROR_INVALID_ERROR_CODE = errors::INVALID_ERROR_CODE,
        CERT_NONE = 0, CERT_OPTIONAL = 1, CERT_REQUIRED = 2,
        VERIFY_DEFAULT = 0, VERIFY_CRL_CHECK_LEAF = ossl::X509_V_FLAG_CRL_CHECK,
        VERIFY_CRL_CHECK_CHAIN = ossl::X509_V_FLAG_CRL_CHECK | ossl::X509_V_FLAG_CRL_CHECK_ALL,
        VERIFY_X509_STRICT = ossl::X509_V_FLAG_X509_STRICT,
        VERIFY_ALLOW_PROXY_CERTS = ossl::X509_V_FLAG_ALLOW_PROXY_CERTS,
        VERIFY_X509_TRUSTED_FIRST = ossl::X509_V_FLAG_TRUSTED_FIRST,
        VERIFY_X509_PARTIAL_CHAIN = ossl::X509_V_FLAG_PARTIAL_CHAIN,
        PROTOCOL_TLS = 2, PROTOCOL_SSLv23 = 2, PROTOCOL_TLS_CLIENT = 16, PROTOCOL_TLS_SERVER = 17,
        PROTOCOL_TLSv1 = 3, PROTOCOL_TLSv1_1 = 4, PROTOCOL_TLSv1_2 = 5,
        PROTO_MINIMUM_SUPPORTED = -2, PROTO_MAXIMUM_SUPPORTED = -1, PROTO_SSLv3 = ossl::SSL3_VERSION,
        PROTO_TLSv1 = ossl::TLS1_VERSION, PROTO_TLSv1_1 = ossl::TLS1_1_VERSION,
        PROTO_TLSv1_2 = ossl::TLS1_2_VERSION, PROTO_TLSv1_3 = ossl::TLS1_3_VERSION,
        OP_ALL = ossl::SSL_OP_ALL & !ossl::SSL_OP_DONT_INSERT_EMPTY_FRAGMENTS,
        OP_NO_SSLv2 = 0, OP_NO_SSLv3 = ossl::SSL_OP_NO_SSLV3, OP_NO_TLSv1 = ossl::SSL_OP_NO_TLSV1,
        OP_NO_TLSv1_1 = ossl::SSL_OP_NO_TLSV1_1, OP_NO_TLSv1_2 = ossl::SSL_OP_NO_TLSV1_2,
        OP_NO_TLSv1_3 = ossl::SSL_OP_NO_TLSV1_3,
        OP_CIPHER_SERVER_PREFERENCE = ossl::SSL_OP_CIPHER_SERVER_PREFERENCE,
        OP_SINGLE_DH_USE = 0, OP_SINGLE_ECDH_USE = 0, OP_NO_TICKET = ossl::SSL_OP_NO_TICKET,
        OP_LEGACY_SERVER_CONNECT = ossl::SSL_OP_LEGACY_SERVER_CONNECT,
        OP_NO_COMPRESSION = ossl::SSL_OP_NO_COMPRESSION, OP_NO_RENEGOTIATION = ossl::SSL_OP_NO_RENEGOTIATION,
        OP_ENABLE_MIDDLEBOX_COMPAT = ossl::SSL_OP_ENABLE_MIDDLEBOX_COMPAT,
        OP_IGNORE_UNEXPECTED_EOF = ossl::SSL_OP_IGNORE_UNEXPECTED_EOF, OP_ENABLE_KTLS = ossl::SSL_OP_ENABLE_KTLS,
        HOSTFLAG_ALWAYS_CHECK_SUBJECT = 1, HOSTFLAG_NO_WILDCARDS = 2, HOSTFLAG_NO_PARTIAL_WILDCARDS = 4,
        HOSTFLAG_MULTI_LABEL_WILDCARDS = 8, HOSTFLAG_SINGLE_LABEL_SUBDOMAINS = 16, HOSTFLAG_NEVER_CHECK_SUBJECT = 32,
        ENCODING_PEM = ossl::SSL_FILETYPE_PEM, ENCODING_DER = ossl::SSL_FILETYPE_ASN1,
        ALERT_DESCRIPTION_CLOSE_NOTIFY = 0, ALERT_DESCRIPTION_UNEXPECTED_MESSAGE = 10,
        ALERT_DESCRIPTION_BAD_RECORD_MAC = 20, ALERT_DESCRIPTION_RECORD_OVERFLOW = 22,
        ALERT_DESCRIPTION_DECOMPRESSION_FAILURE = 30, ALERT_DESCRIPTION_HANDSHAKE_FAILURE = 40,
        ALERT_DESCRIPTION_BAD_CERTIFICATE = 42, ALERT_DESCRIPTION_UNSUPPORTED_CERTIFICATE = 43,
        ALERT_DESCRIPTION_CERTIFICATE_REVOKED = 44, ALERT_DESCRIPTION_CERTIFICATE_EXPIRED = 45,
        ALERT_DESCRIPTION_CERTIFICATE_UNKNOWN = 46, ALERT_DESCRIPTION_ILLEGAL_PARAMETER = 47,
        ALERT_DESCRIPTION_UNKNOWN_CA = 48, ALERT_DESCRIPTION_ACCESS_DENIED = 49, ALERT_DESCRIPTION_DECODE_ERROR = 50,
        ALERT_DESCRIPTION_DECRYPT_ERROR = 51, ALERT_DESCRIPTION_PROTOCOL_VERSION = 70,
        ALERT_DESCRIPTION_INSUFFICIENT_SECURITY = 71, ALERT_DESCRIPTION_INTERNAL_ERROR = 80,
        ALERT_DESCRIPTION_USER_CANCELLED = 90, ALERT_DESCRIPTION_NO_RENEGOTIATION = 100,
        ALERT_DESCRIPTION_UNSUPPORTED_EXTENSION = 110, ALERT_DESCRIPTION_CERTIFICATE_UNOBTAINABLE = 111,
        ALERT_DESCRIPTION_UNRECOGNIZED_NAME = 112, ALERT_DESCRIPTION_BAD_CERTIFICATE_STATUS_RESPONSE = 113,
        ALERT_DESCRIPTION_BAD_CERTIFICATE_HASH_VALUE = 114, ALERT_DESCRIPTION_UNKNOWN_PSK_IDENTITY = 115,
    );
    for (name, present) in [
        ("HAS_SNI", true),
        ("HAS_TLS_UNIQUE", true),
        ("HAS_ECDH", true),
        ("HAS_NPN", false),
        ("HAS_ALPN", true),
        ("HAS_SSLv2", false),
        ("HAS_SSLv3", false),
        ("HAS_TLSv1", true),
        ("HAS_TLSv1_1", true),
        ("HAS_TLSv1_2", true),
        ("HAS_TLSv1_3", true),
        ("HAS_PSK", true),
        ("HAS_PHA", true),
    ] {
        module.set(name, Value::from(present));
    }
    module.set("_DEFAULT_CIPHERS", Value::from(context::DEFAULT_CIPHERS));
}

fn add_version(module: &Module) {
    // SAFETY: have no preconditions; a static text.
    let (number, shown) = unsafe { (ossl::OpenSSL_version_num(), ossl::OpenSSL_version(ossl::OPENSSL_VERSION)) };
    module.set("OPENSSL_VERSION_NUMBER", Value::from(number as i64));
    module.set("OPENSSL_VERSION", Value::from(errors::text(shown).unwrap_or_default()));
    let part = |shift: u32, bits: u32| Value::from((number >> shift & ((1 << bits) - 1)) as i64);
    let parts = [part(28, 4), part(20, 8), part(12, 8), part(4, 8), part(0, 4)];
    module.set("OPENSSL_VERSION_INFO", Tuple::from_array(parts.clone()).into_value());
    module.set("_OPENSSL_API_VERSION", Tuple::from_array(parts).into_value());
}

fn rand_add(vm: &Vm, _: &Value, args: &[Value]) -> Result {
    let Some(data) = string_or_buffer(vm, &args[0])? else {
        return Err(vm.type_error(format!("a bytes-like object is required, not '{}'", args[0].ty().name())));
    };
    let entropy = vm.float(&args[1])?;
    for part in data.chunks(c_int::MAX as usize) {
        // SAFETY: readable data.
        unsafe { ossl::RAND_add(part.as_ptr().cast(), part.len() as c_int, entropy) };
    }
    Ok(Value::NONE)
}

fn rand_bytes(vm: &Vm, _: &Value, args: &[Value]) -> Result {
    let count = c_int(vm, &args[0])?;
    let Ok(count) = usize::try_from(count) else { return Err(vm.value_error("num must be positive")) };
    if count == 0 {
        return Ok(bytes::empty());
    }
    errors::clear();
    let mut done = false;
    let data = Bytes::build(vm, BYTES.ty(), count, |room| {
        // SAFETY: room for so many bytes.
        done = unsafe { ossl::RAND_bytes(room.as_mut_ptr(), room.len() as c_int) } == 1;
    })?;
    if done { Ok(data) } else { Err(errors::raise(vm, None)) }
}

fn default_verify_paths(_: &Vm, _: &Value, _: &[Value]) -> Result {
    // SAFETY: static texts.
    let paths = unsafe {
        [
            ossl::X509_get_default_cert_file_env(),
            ossl::X509_get_default_cert_file(),
            ossl::X509_get_default_cert_dir_env(),
            ossl::X509_get_default_cert_dir(),
        ]
    };
    let shown = paths.map(|path| match errors::text(path) {
        Some(path) => Str::new(path).into_value(),
        None => Value::NONE,
    });
    Ok(Tuple::from_array(shown).into_value())
}

method_table! { static FUNCTIONS = [
    MethodDef::new("_test_decode_cert($module, path, /)", "The certificate in a file as a dict.", certificate::test_decode),
    MethodDef::new("RAND_add($module, string, entropy, /)", "Feed the random number generator with data of at least *entropy* bytes of entropy.", rand_add),
    MethodDef::new("RAND_bytes($module, n, /)", "*n* random bytes fit for cryptography.", rand_bytes),
    MethodDef::new("RAND_status($module, /)", "Whether the random number generator has been seeded.", |_, _, _| {
        // SAFETY: has no preconditions.
        Ok(Value::from(unsafe { ossl::RAND_status() } == 1))
    }),
    MethodDef::new("get_default_verify_paths($module, /)", "The variables and paths by which OpenSSL finds trusted certificates: four strs.", default_verify_paths),
    MethodDef::new("txt2obj($module, /, txt, name=False)", "The NID, short name, long name and OID of an object, by its OID or, if *name* is true, a name.", certificate::txt2obj),
    MethodDef::new("nid2obj($module, nid, /)", "The NID, short name, long name and OID of an object, by its NID.", certificate::nid2obj),
]; }
