//! OpenSSL's functions as far as the module `_ssl` needs them, with their C names: declarations, and functions for what
//! are macros in C. The build script finds or builds the library.

#![allow(non_camel_case_types, non_snake_case)]

mod constants;

use std::os::raw::{c_char, c_int, c_long, c_uchar, c_uint, c_ulong, c_void};

pub use constants::*;

macro_rules! opaque {
    ($($name:ident)*) => { $( #[repr(C)] pub struct $name { _opaque: [u8; 0] } )* };
}
opaque! {
    ASN1_OBJECT ASN1_STRING BIO BIO_METHOD DH OPENSSL_STACK SSL SSL_CIPHER SSL_CTX SSL_METHOD SSL_SESSION X509
    X509_NAME X509_NAME_ENTRY X509_OBJECT X509_STORE X509_VERIFY_PARAM OPENSSL_INIT_SETTINGS
}

/// A name that a certificate is for; what `value` points to depends on `kind`.
#[repr(C)]
pub struct GENERAL_NAME {
    pub kind: c_int,
    pub value: *mut c_void,
}

#[repr(C)]
pub struct ACCESS_DESCRIPTION {
    pub method: *mut ASN1_OBJECT,
    pub location: *mut GENERAL_NAME,
}

#[repr(C)]
pub struct DIST_POINT_NAME {
    pub kind: c_int,
    pub name: *mut OPENSSL_STACK,
    pub relative_name: *mut c_void,
}

#[repr(C)]
pub struct DIST_POINT {
    pub name: *mut DIST_POINT_NAME,
    pub reasons: *mut c_void,
    pub issuer: *mut c_void,
    pub reasons_flags: c_int,
}

pub type BioRead = extern "C" fn(*mut BIO, *mut c_char, c_int) -> c_int;
pub type BioWrite = extern "C" fn(*mut BIO, *const c_char, c_int) -> c_int;
pub type BioCtrl = extern "C" fn(*mut BIO, c_int, c_long, *mut c_void) -> c_long;
pub type PasswordCallback = extern "C" fn(*mut c_char, c_int, c_int, *mut c_void) -> c_int;
pub type VerifyCallback = extern "C" fn(c_int, *mut c_void) -> c_int;
pub type MessageCallback = extern "C" fn(c_int, c_int, c_int, *const c_void, usize, *mut SSL, *mut c_void);
pub type KeylogCallback = extern "C" fn(*const SSL, *const c_char);
pub type AlpnCallback =
    extern "C" fn(*mut SSL, *mut *const c_uchar, *mut c_uchar, *const c_uchar, c_uint, *mut c_void) -> c_int;
pub type ServernameCallback = extern "C" fn(*mut SSL, *mut c_int, *mut c_void) -> c_int;
pub type PskClientCallback =
    extern "C" fn(*mut SSL, *const c_char, *mut c_char, c_uint, *mut c_uchar, c_uint) -> c_uint;
pub type PskServerCallback = extern "C" fn(*mut SSL, *const c_char, *mut c_uchar, c_uint) -> c_uint;

unsafe extern "C" {
    pub fn OpenSSL_version_num() -> c_ulong;
    pub fn OpenSSL_version(kind: c_int) -> *const c_char;
    pub fn OPENSSL_init_ssl(options: u64, settings: *const OPENSSL_INIT_SETTINGS) -> c_int;
    pub fn CRYPTO_free(memory: *mut c_void, file: *const c_char, line: c_int);
    pub fn OPENSSL_sk_num(stack: *const OPENSSL_STACK) -> c_int;
    pub fn OPENSSL_sk_value(stack: *const OPENSSL_STACK, index: c_int) -> *mut c_void;
    pub fn OPENSSL_sk_find(stack: *mut OPENSSL_STACK, item: *const c_void) -> c_int;

    pub fn ERR_clear_error();
    pub fn ERR_peek_error() -> c_ulong;
    pub fn ERR_peek_last_error() -> c_ulong;
    pub fn ERR_reason_error_string(error: c_ulong) -> *const c_char;

    pub fn RAND_add(data: *const c_void, length: c_int, entropy: f64);
    pub fn RAND_bytes(buffer: *mut c_uchar, length: c_int) -> c_int;
    pub fn RAND_status() -> c_int;

    pub fn OBJ_nid2obj(nid: c_int) -> *mut ASN1_OBJECT;
    pub fn OBJ_obj2nid(object: *const ASN1_OBJECT) -> c_int;
    pub fn OBJ_nid2sn(nid: c_int) -> *const c_char;
    pub fn OBJ_nid2ln(nid: c_int) -> *const c_char;
    pub fn OBJ_sn2nid(name: *const c_char) -> c_int;
    pub fn OBJ_txt2obj(text: *const c_char, no_name: c_int) -> *mut ASN1_OBJECT;
    pub fn OBJ_obj2txt(buffer: *mut c_char, size: c_int, object: *const ASN1_OBJECT, no_name: c_int) -> c_int;
    pub fn ASN1_OBJECT_free(object: *mut ASN1_OBJECT);
    pub fn ASN1_STRING_get0_data(string: *const ASN1_STRING) -> *const c_uchar;
    pub fn ASN1_STRING_length(string: *const ASN1_STRING) -> c_int;
    pub fn ASN1_STRING_type(string: *const ASN1_STRING) -> c_int;
    pub fn ASN1_STRING_to_UTF8(out: *mut *mut c_uchar, string: *const ASN1_STRING) -> c_int;
    pub fn ASN1_STRING_free(string: *mut ASN1_STRING);
    pub fn ASN1_TIME_print(out: *mut BIO, time: *const ASN1_STRING) -> c_int;
    pub fn i2a_ASN1_INTEGER(out: *mut BIO, integer: *const ASN1_STRING) -> c_int;
    pub fn i2a_ASN1_OBJECT(out: *mut BIO, object: *const ASN1_OBJECT) -> c_int;
    pub fn a2i_IPADDRESS(text: *const c_char) -> *mut ASN1_STRING;

    pub fn BIO_new(method: *const BIO_METHOD) -> *mut BIO;
    pub fn BIO_s_mem() -> *const BIO_METHOD;
    pub fn BIO_new_mem_buf(data: *const c_void, length: c_int) -> *mut BIO;
    pub fn BIO_new_file(path: *const c_char, mode: *const c_char) -> *mut BIO;
    pub fn BIO_free(bio: *mut BIO) -> c_int;
    pub fn BIO_up_ref(bio: *mut BIO) -> c_int;
    pub fn BIO_read(bio: *mut BIO, buffer: *mut c_void, length: c_int) -> c_int;
    pub fn BIO_write(bio: *mut BIO, data: *const c_void, length: c_int) -> c_int;
    pub fn BIO_ctrl(bio: *mut BIO, command: c_int, number: c_long, pointer: *mut c_void) -> c_long;
    pub fn BIO_ctrl_pending(bio: *mut BIO) -> usize;
    pub fn BIO_set_flags(bio: *mut BIO, flags: c_int);
    pub fn BIO_clear_flags(bio: *mut BIO, flags: c_int);
    pub fn BIO_test_flags(bio: *const BIO, flags: c_int) -> c_int;
    pub fn BIO_get_data(bio: *mut BIO) -> *mut c_void;
    pub fn BIO_set_data(bio: *mut BIO, data: *mut c_void);
    pub fn BIO_set_init(bio: *mut BIO, init: c_int);
    pub fn BIO_get_new_index() -> c_int;
    pub fn BIO_meth_new(kind: c_int, name: *const c_char) -> *mut BIO_METHOD;
    pub fn BIO_meth_set_read(method: *mut BIO_METHOD, read: BioRead) -> c_int;
    pub fn BIO_meth_set_write(method: *mut BIO_METHOD, write: BioWrite) -> c_int;
    pub fn BIO_meth_set_ctrl(method: *mut BIO_METHOD, ctrl: BioCtrl) -> c_int;

    pub fn PEM_read_bio_X509(
        bio: *mut BIO,
        out: *mut *mut X509,
        callback: Option<PasswordCallback>,
        user: *mut c_void,
    ) -> *mut X509;
    pub fn PEM_read_bio_X509_AUX(
        bio: *mut BIO,
        out: *mut *mut X509,
        callback: Option<PasswordCallback>,
        user: *mut c_void,
    ) -> *mut X509;
    pub fn PEM_write_bio_X509(bio: *mut BIO, certificate: *const X509) -> c_int;
    pub fn PEM_read_bio_DHparams(
        bio: *mut BIO,
        out: *mut *mut DH,
        callback: Option<PasswordCallback>,
        user: *mut c_void,
    ) -> *mut DH;
    pub fn DH_free(parameters: *mut DH);
    pub fn d2i_X509_bio(bio: *mut BIO, out: *mut *mut X509) -> *mut X509;
    pub fn i2d_X509(certificate: *const X509, out: *mut *mut c_uchar) -> c_int;

    pub fn X509_free(certificate: *mut X509);
    pub fn X509_up_ref(certificate: *mut X509) -> c_int;
    pub fn X509_cmp(a: *const X509, b: *const X509) -> c_int;
    pub fn X509_check_ca(certificate: *mut X509) -> c_int;
    pub fn X509_get_subject_name(certificate: *const X509) -> *mut X509_NAME;
    pub fn X509_get_issuer_name(certificate: *const X509) -> *mut X509_NAME;
    pub fn X509_get_version(certificate: *const X509) -> c_long;
    pub fn X509_get_serialNumber(certificate: *mut X509) -> *mut ASN1_STRING;
    pub fn X509_get0_notBefore(certificate: *const X509) -> *const ASN1_STRING;
    pub fn X509_get0_notAfter(certificate: *const X509) -> *const ASN1_STRING;
    pub fn X509_get_ext_d2i(
        certificate: *const X509,
        nid: c_int,
        critical: *mut c_int,
        index: *mut c_int,
    ) -> *mut c_void;
    pub fn X509_subject_name_hash(certificate: *mut X509) -> c_ulong;
    pub fn X509_NAME_entry_count(name: *const X509_NAME) -> c_int;
    pub fn X509_NAME_get_entry(name: *const X509_NAME, index: c_int) -> *mut X509_NAME_ENTRY;
    pub fn X509_NAME_ENTRY_set(entry: *const X509_NAME_ENTRY) -> c_int;
    pub fn X509_NAME_ENTRY_get_object(entry: *const X509_NAME_ENTRY) -> *mut ASN1_OBJECT;
    pub fn X509_NAME_ENTRY_get_data(entry: *const X509_NAME_ENTRY) -> *mut ASN1_STRING;
    pub fn X509_NAME_print_ex(out: *mut BIO, name: *const X509_NAME, indent: c_int, flags: c_ulong) -> c_int;
    pub fn GENERAL_NAME_print(out: *mut BIO, name: *mut GENERAL_NAME) -> c_int;
    pub fn GENERAL_NAMES_free(names: *mut OPENSSL_STACK);
    pub fn AUTHORITY_INFO_ACCESS_free(info: *mut OPENSSL_STACK);
    pub fn CRL_DIST_POINTS_free(points: *mut OPENSSL_STACK);
    pub fn X509_STORE_add_cert(store: *mut X509_STORE, certificate: *mut X509) -> c_int;
    pub fn X509_STORE_get0_objects(store: *const X509_STORE) -> *mut OPENSSL_STACK;
    pub fn X509_STORE_lock(store: *mut X509_STORE) -> c_int;
    pub fn X509_STORE_unlock(store: *mut X509_STORE) -> c_int;
    pub fn X509_OBJECT_get_type(object: *const X509_OBJECT) -> c_int;
    pub fn X509_OBJECT_get0_X509(object: *const X509_OBJECT) -> *mut X509;
    pub fn X509_VERIFY_PARAM_get_flags(parameters: *const X509_VERIFY_PARAM) -> c_ulong;
    pub fn X509_VERIFY_PARAM_set_flags(parameters: *mut X509_VERIFY_PARAM, flags: c_ulong) -> c_int;
    pub fn X509_VERIFY_PARAM_clear_flags(parameters: *mut X509_VERIFY_PARAM, flags: c_ulong) -> c_int;
    pub fn X509_VERIFY_PARAM_set_hostflags(parameters: *mut X509_VERIFY_PARAM, flags: c_uint);
    pub fn X509_VERIFY_PARAM_set1_host(parameters: *mut X509_VERIFY_PARAM, name: *const c_char, length: usize)
    -> c_int;
    pub fn X509_VERIFY_PARAM_set1_ip(parameters: *mut X509_VERIFY_PARAM, ip: *const c_uchar, length: usize) -> c_int;
    pub fn X509_verify_cert_error_string(code: c_long) -> *const c_char;
    pub fn X509_get_default_cert_file_env() -> *const c_char;
    pub fn X509_get_default_cert_file() -> *const c_char;
    pub fn X509_get_default_cert_dir_env() -> *const c_char;
    pub fn X509_get_default_cert_dir() -> *const c_char;

    pub fn TLS_method() -> *const SSL_METHOD;
    pub fn TLS_client_method() -> *const SSL_METHOD;
    pub fn TLS_server_method() -> *const SSL_METHOD;

    pub fn SSL_CTX_new(method: *const SSL_METHOD) -> *mut SSL_CTX;
    pub fn SSL_CTX_free(context: *mut SSL_CTX);
    pub fn SSL_CTX_ctrl(context: *mut SSL_CTX, command: c_int, number: c_long, pointer: *mut c_void) -> c_long;
    pub fn SSL_CTX_callback_ctrl(context: *mut SSL_CTX, command: c_int, callback: Option<ServernameCallback>)
    -> c_long;
    pub fn SSL_CTX_get_ex_data(context: *const SSL_CTX, index: c_int) -> *mut c_void;
    pub fn SSL_CTX_set_ex_data(context: *mut SSL_CTX, index: c_int, data: *mut c_void) -> c_int;
    pub fn SSL_CTX_get_options(context: *const SSL_CTX) -> u64;
    pub fn SSL_CTX_set_options(context: *mut SSL_CTX, options: u64) -> u64;
    pub fn SSL_CTX_clear_options(context: *mut SSL_CTX, options: u64) -> u64;
    pub fn SSL_CTX_get_verify_mode(context: *const SSL_CTX) -> c_int;
    pub fn SSL_CTX_set_verify(context: *mut SSL_CTX, mode: c_int, callback: Option<VerifyCallback>);
    pub fn SSL_CTX_get0_param(context: *mut SSL_CTX) -> *mut X509_VERIFY_PARAM;
    pub fn SSL_CTX_get_cert_store(context: *const SSL_CTX) -> *mut X509_STORE;
    pub fn SSL_CTX_set_session_id_context(context: *mut SSL_CTX, id: *const c_uchar, length: c_uint) -> c_int;
    pub fn SSL_CTX_set_cipher_list(context: *mut SSL_CTX, list: *const c_char) -> c_int;
    pub fn SSL_CTX_set_alpn_protos(context: *mut SSL_CTX, protocols: *const c_uchar, length: c_uint) -> c_int;
    pub fn SSL_CTX_set_alpn_select_cb(context: *mut SSL_CTX, callback: Option<AlpnCallback>, argument: *mut c_void);
    pub fn SSL_CTX_set_default_passwd_cb(context: *mut SSL_CTX, callback: Option<PasswordCallback>);
    pub fn SSL_CTX_get_default_passwd_cb(context: *mut SSL_CTX) -> Option<PasswordCallback>;
    pub fn SSL_CTX_set_default_passwd_cb_userdata(context: *mut SSL_CTX, user: *mut c_void);
    pub fn SSL_CTX_get_default_passwd_cb_userdata(context: *mut SSL_CTX) -> *mut c_void;
    pub fn SSL_CTX_use_certificate_chain_file(context: *mut SSL_CTX, path: *const c_char) -> c_int;
    pub fn SSL_CTX_use_PrivateKey_file(context: *mut SSL_CTX, path: *const c_char, kind: c_int) -> c_int;
    pub fn SSL_CTX_check_private_key(context: *const SSL_CTX) -> c_int;
    pub fn SSL_CTX_load_verify_locations(context: *mut SSL_CTX, file: *const c_char, dir: *const c_char) -> c_int;
    pub fn SSL_CTX_set_default_verify_paths(context: *mut SSL_CTX) -> c_int;
    pub fn SSL_CTX_set_post_handshake_auth(context: *mut SSL_CTX, value: c_int);
    pub fn SSL_CTX_set_num_tickets(context: *mut SSL_CTX, number: usize) -> c_int;
    pub fn SSL_CTX_get_num_tickets(context: *const SSL_CTX) -> usize;
    pub fn SSL_CTX_get_security_level(context: *const SSL_CTX) -> c_int;
    pub fn SSL_CTX_set_msg_callback(context: *mut SSL_CTX, callback: Option<MessageCallback>);
    pub fn SSL_CTX_set_keylog_callback(context: *mut SSL_CTX, callback: Option<KeylogCallback>);
    pub fn SSL_CTX_set_psk_client_callback(context: *mut SSL_CTX, callback: Option<PskClientCallback>);
    pub fn SSL_CTX_set_psk_server_callback(context: *mut SSL_CTX, callback: Option<PskServerCallback>);
    pub fn SSL_CTX_use_psk_identity_hint(context: *mut SSL_CTX, hint: *const c_char) -> c_int;

    pub fn SSL_new(context: *mut SSL_CTX) -> *mut SSL;
    pub fn SSL_free(ssl: *mut SSL);
    pub fn SSL_ctrl(ssl: *mut SSL, command: c_int, number: c_long, pointer: *mut c_void) -> c_long;
    pub fn SSL_get_ex_data(ssl: *const SSL, index: c_int) -> *mut c_void;
    pub fn SSL_set_ex_data(ssl: *mut SSL, index: c_int, data: *mut c_void) -> c_int;
    pub fn SSL_get_SSL_CTX(ssl: *const SSL) -> *mut SSL_CTX;
    pub fn SSL_set_SSL_CTX(ssl: *mut SSL, context: *mut SSL_CTX) -> *mut SSL_CTX;
    pub fn SSL_set_msg_callback(ssl: *mut SSL, callback: Option<MessageCallback>);
    pub fn SSL_set_bio(ssl: *mut SSL, read: *mut BIO, write: *mut BIO);
    pub fn SSL_set_session_id_context(ssl: *mut SSL, id: *const c_uchar, length: c_uint) -> c_int;
    pub fn SSL_get_verify_mode(ssl: *const SSL) -> c_int;
    pub fn SSL_set_verify(ssl: *mut SSL, mode: c_int, callback: Option<VerifyCallback>);
    pub fn SSL_get_verify_result(ssl: *const SSL) -> c_long;
    pub fn SSL_get0_param(ssl: *mut SSL) -> *mut X509_VERIFY_PARAM;
    pub fn SSL_set_connect_state(ssl: *mut SSL);
    pub fn SSL_set_accept_state(ssl: *mut SSL);
    pub fn SSL_set_post_handshake_auth(ssl: *mut SSL, value: c_int);
    pub fn SSL_verify_client_post_handshake(ssl: *mut SSL) -> c_int;
    pub fn SSL_set_read_ahead(ssl: *mut SSL, yes: c_int);
    pub fn SSL_do_handshake(ssl: *mut SSL) -> c_int;
    pub fn SSL_is_init_finished(ssl: *const SSL) -> c_int;
    pub fn SSL_read_ex(ssl: *mut SSL, buffer: *mut c_void, length: usize, count: *mut usize) -> c_int;
    pub fn SSL_write_ex(ssl: *mut SSL, data: *const c_void, length: usize, count: *mut usize) -> c_int;
    pub fn SSL_pending(ssl: *const SSL) -> c_int;
    pub fn SSL_shutdown(ssl: *mut SSL) -> c_int;
    pub fn SSL_get_shutdown(ssl: *const SSL) -> c_int;
    pub fn SSL_get_error(ssl: *const SSL, result: c_int) -> c_int;
    pub fn SSL_get_version(ssl: *const SSL) -> *const c_char;
    pub fn SSL_get_servername(ssl: *const SSL, kind: c_int) -> *const c_char;
    pub fn SSL_get0_alpn_selected(ssl: *const SSL, data: *mut *const c_uchar, length: *mut c_uint);
    pub fn SSL_select_next_proto(
        out: *mut *mut c_uchar,
        out_length: *mut c_uchar,
        server: *const c_uchar,
        server_length: c_uint,
        client: *const c_uchar,
        client_length: c_uint,
    ) -> c_int;
    pub fn SSL_get1_peer_certificate(ssl: *const SSL) -> *mut X509;
    pub fn SSL_get_peer_cert_chain(ssl: *const SSL) -> *mut OPENSSL_STACK;
    pub fn SSL_get0_verified_chain(ssl: *const SSL) -> *mut OPENSSL_STACK;
    pub fn SSL_get_finished(ssl: *const SSL, buffer: *mut c_void, size: usize) -> usize;
    pub fn SSL_get_peer_finished(ssl: *const SSL, buffer: *mut c_void, size: usize) -> usize;
    pub fn SSL_get_current_cipher(ssl: *const SSL) -> *const SSL_CIPHER;
    pub fn SSL_get_ciphers(ssl: *const SSL) -> *mut OPENSSL_STACK;
    pub fn SSL_get_client_ciphers(ssl: *const SSL) -> *mut OPENSSL_STACK;
    pub fn SSL_CIPHER_get_name(cipher: *const SSL_CIPHER) -> *const c_char;
    pub fn SSL_CIPHER_get_version(cipher: *const SSL_CIPHER) -> *const c_char;
    pub fn SSL_CIPHER_get_bits(cipher: *const SSL_CIPHER, algorithm: *mut c_int) -> c_int;
    pub fn SSL_CIPHER_get_id(cipher: *const SSL_CIPHER) -> u32;
    pub fn SSL_CIPHER_is_aead(cipher: *const SSL_CIPHER) -> c_int;
    pub fn SSL_CIPHER_get_cipher_nid(cipher: *const SSL_CIPHER) -> c_int;
    pub fn SSL_CIPHER_get_digest_nid(cipher: *const SSL_CIPHER) -> c_int;
    pub fn SSL_CIPHER_get_kx_nid(cipher: *const SSL_CIPHER) -> c_int;
    pub fn SSL_CIPHER_get_auth_nid(cipher: *const SSL_CIPHER) -> c_int;
    pub fn SSL_CIPHER_description(cipher: *const SSL_CIPHER, buffer: *mut c_char, size: c_int) -> *mut c_char;

    pub fn SSL_get_session(ssl: *const SSL) -> *mut SSL_SESSION;
    pub fn SSL_get1_session(ssl: *mut SSL) -> *mut SSL_SESSION;
    pub fn SSL_set_session(ssl: *mut SSL, session: *mut SSL_SESSION) -> c_int;
    pub fn SSL_session_reused(ssl: *const SSL) -> c_int;
    pub fn SSL_SESSION_free(session: *mut SSL_SESSION);
    pub fn SSL_SESSION_dup(session: *const SSL_SESSION) -> *mut SSL_SESSION;
    pub fn SSL_SESSION_get_id(session: *const SSL_SESSION, length: *mut c_uint) -> *const c_uchar;
    pub fn SSL_SESSION_get_time(session: *const SSL_SESSION) -> c_long;
    pub fn SSL_SESSION_get_timeout(session: *const SSL_SESSION) -> c_long;
    pub fn SSL_SESSION_has_ticket(session: *const SSL_SESSION) -> c_int;
    pub fn SSL_SESSION_get_ticket_lifetime_hint(session: *const SSL_SESSION) -> c_ulong;
}

/// # Safety
/// As `CRYPTO_free`: null or memory that OpenSSL allocated.
pub unsafe fn OPENSSL_free(memory: *mut c_void) {
    // SAFETY: the caller's.
    unsafe { CRYPTO_free(memory, c"".as_ptr(), 0) };
}

/// # Safety
/// A live memory BIO.
pub unsafe fn BIO_set_mem_eof_return(bio: *mut BIO, value: c_int) {
    // SAFETY: the caller's.
    unsafe { BIO_ctrl(bio, BIO_C_SET_BUF_MEM_EOF_RETURN, c_long::from(value), std::ptr::null_mut()) };
}

/// The library in which an error happened.
pub fn ERR_GET_LIB(error: c_ulong) -> c_int {
    if error & ERR_SYSTEM_FLAG != 0 { ERR_LIB_SYS } else { ((error >> 23) & 0xff) as c_int }
}

/// An error's reason within its library; of a system error, the `errno`.
pub fn ERR_GET_REASON(error: c_ulong) -> c_int {
    if error & ERR_SYSTEM_FLAG != 0 { (error & 0x7fff_ffff) as c_int } else { (error & 0x7f_ffff) as c_int }
}

/// The members of a stack.
///
/// # Safety
/// Null or a live stack of pointers to `T`, which stays as it is while the iterator is used.
pub unsafe fn stack<T>(stack: *const OPENSSL_STACK) -> impl Iterator<Item = *mut T> {
    // SAFETY: the caller's; the function knows null.
    let count = unsafe { OPENSSL_sk_num(stack) };
    // SAFETY: the index is in range.
    (0..count).map(move |index| unsafe { OPENSSL_sk_value(stack, index) }.cast())
}
