//! `_ssl._SSLContext`: settings, certificates and keys that connections share.
//!
//! `context/settings.rs` has the attributes, `context/files.rs` what is loaded from files, `callbacks.rs` (beside) the
//! functions that OpenSSL calls.

mod files;
mod settings;

use std::ffi::CString;
use std::fs::File;
use std::os::raw::{c_int, c_uint};
use std::sync::{Arc, Mutex};

use taipan_object::builtins::bytearray::ByteArray;
use taipan_object::builtins::bytes::Bytes;
use taipan_object::builtins::dict::Dict;
use taipan_object::builtins::list::List;
use taipan_object::builtins::str::Str;
use taipan_object::cell::{Borrow, ObjectCell};
use taipan_object::exceptions::DEPRECATION_WARNING;
use taipan_object::header::Header;
use taipan_object::heap::Kind;
use taipan_object::native::MethodDef;
use taipan_object::native::arguments::{check_positional, no_keywords};
use taipan_object::object::{Payload, Visitor};
use taipan_object::types::{Type, TypeSpec, type_flags};
use taipan_object::{Ref, Result, Value, Vm, method_table};
use taipan_openssl as ossl;

use super::bio::MemoryBio;
use super::callbacks;
use super::errors;
use super::socket::{SslSocket, Transport, Wish, peer};
use crate::_socket::socket::Socket;
use crate::arguments::{c_int, c_string, fs_converter};
use crate::payload::class_of;

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Protocol {
    Any,
    Tls1,
    Tls1_1,
    Tls1_2,
    Client,
    Server,
}

/// The protocols by number, with their names and versions.
const PROTOCOLS: [(Protocol, i32, &str, Option<c_int>); 6] = [
    (Protocol::Any, 2, "PROTOCOL_TLS", None),
    (Protocol::Tls1, 3, "PROTOCOL_TLSv1", Some(ossl::TLS1_VERSION)),
    (Protocol::Tls1_1, 4, "PROTOCOL_TLSv1_1", Some(ossl::TLS1_1_VERSION)),
    (Protocol::Tls1_2, 5, "PROTOCOL_TLSv1_2", Some(ossl::TLS1_2_VERSION)),
    (Protocol::Client, 16, "PROTOCOL_TLS_CLIENT", None),
    (Protocol::Server, 17, "PROTOCOL_TLS_SERVER", None),
];

/// Ciphers with forward secrecy and authenticated encryption, without what is known to be weak.
pub const DEFAULT_CIPHERS: &str =
    "@SECLEVEL=2:ECDH+AESGCM:ECDH+CHACHA20:ECDH+AES:DHE+AES:!aNULL:!eNULL:!aDSS:!SHA1:!AESCCM";

#[repr(C)]
pub struct SslContext {
    header: Header,
    raw: *mut ossl::SSL_CTX,
    protocol: Protocol,
    state: ObjectCell<State>,
}

pub struct State {
    check_hostname: bool,
    host_flags: c_uint,
    post_handshake_auth: bool,
    pub sni_callback: Option<Value>,
    pub message_callback: Option<Value>,
    pub psk_client_callback: Option<Value>,
    pub psk_server_callback: Option<Value>,
    keylog_filename: Option<Value>,
    pub keylog: Option<Arc<Mutex<File>>>,
    /// All that was ever set: connections may be at work on any.
    alpn_protocols: Vec<Box<[u8]>>,
}

// SAFETY: OpenSSL's contexts are reference-counted and locked; the GIL orders changes.
unsafe impl Send for SslContext {}
// SAFETY: as above.
unsafe impl Sync for SslContext {}

// SAFETY: repr(C), header first, visits every reference.
unsafe impl Payload for SslContext {
    const KIND: Kind = Kind::Container;
    fn static_type() -> &'static Type {
        SSL_CONTEXT.ty()
    }
    fn traverse(&self, visit: Visitor) {
        // SAFETY: the collector has stopped the world.
        let state = unsafe { &*self.state.as_ptr() };
        let callbacks =
            [&state.sni_callback, &state.message_callback, &state.psk_client_callback, &state.psk_server_callback];
        for value in callbacks.into_iter().chain([&state.keylog_filename]).flatten() {
            visit(value);
        }
    }
    fn clear(&self) {
        let mut state = self.state();
        let old = (
            state.sni_callback.take(),
            state.message_callback.take(),
            state.psk_client_callback.take(),
            state.psk_server_callback.take(),
        );
        drop(state);
        drop(old);
    }
}

impl Drop for SslContext {
    fn drop(&mut self) {
        // SAFETY: owned. Connections may go on with it: callbacks must not find this object then.
        unsafe {
            ossl::SSL_CTX_set_ex_data(self.raw, 0, std::ptr::null_mut());
            ossl::SSL_CTX_set_alpn_select_cb(self.raw, None, std::ptr::null_mut());
            ossl::SSL_CTX_free(self.raw);
        }
    }
}

pub static SSL_CONTEXT: TypeSpec = TypeSpec::new::<SslContext>("_ssl._SSLContext")
    .flags(type_flags::BASETYPE)
    .slots(|s| s.new = Some(new))
    .methods(METHODS)
    .getset(settings::GETSET);

/// Warns that something is old.
fn deprecated(vm: &Vm, what: &str) -> Result<()> {
    vm.warn(&DEPRECATION_WARNING.value(), &format!("ssl.{what} is deprecated"), 2)
}

/// `_SSLContext(protocol)`
fn new(vm: &Vm, class: &Value, args: &[Value], kwnames: Option<&Value>) -> Result {
    no_keywords(vm, "_SSLContext", kwnames)?;
    check_positional(vm, "_SSLContext", args.len(), 1, 1)?;
    let number = c_int(vm, &args[0])?;
    let Some((protocol, _, name, version)) = PROTOCOLS.into_iter().find(|(_, of, ..)| *of == number) else {
        return Err(vm.value_error(format!("invalid or unsupported protocol version {number}")));
    };
    if !matches!(protocol, Protocol::Client | Protocol::Server) {
        deprecated(vm, name)?;
    }
    errors::clear();
    // SAFETY: methods are static.
    let raw = unsafe {
        ossl::SSL_CTX_new(match protocol {
            Protocol::Client => ossl::TLS_client_method(),
            Protocol::Server => ossl::TLS_server_method(),
            _ => ossl::TLS_method(),
        })
    };
    if raw.is_null() {
        return Err(errors::raise(vm, None));
    }
    let class = class_of(class);
    let state = State {
        check_hostname: false,
        host_flags: ossl::X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS,
        post_handshake_auth: false,
        sni_callback: None,
        message_callback: None,
        psk_client_callback: None,
        psk_server_callback: None,
        keylog_filename: None,
        keylog: None,
        alpn_protocols: Vec::new(),
    };
    let header = Header::new(class);
    let object =
        Ref::<SslContext>::new_with_type(class, SslContext { header, raw, protocol, state: ObjectCell::new(state) });
    // SAFETY: the object stays where it is, and takes its address back when it goes.
    unsafe { ossl::SSL_CTX_set_ex_data(raw, 0, (&*object as *const SslContext).cast_mut().cast()) };
    object.set_defaults(vm, version)?;
    Ok(object.into_value())
}

impl SslContext {
    pub fn of(value: &Value) -> &SslContext {
        value.downcast::<SslContext>().expect("methods are called with instances of their type")
    }

    pub fn raw(&self) -> *mut ossl::SSL_CTX {
        self.raw
    }

    pub fn protocol(&self) -> Protocol {
        self.protocol
    }

    /// The state, borrowed: no Python code may run and no value may be dropped meanwhile.
    pub fn state(&self) -> Borrow<'_, State> {
        self.state.borrow(&self.header)
    }

    pub fn check_hostname(&self) -> bool {
        self.state().check_hostname
    }
    pub fn post_handshake_auth(&self) -> bool {
        self.state().post_handshake_auth
    }
    pub fn has_message_callback(&self) -> bool {
        self.state().message_callback.is_some()
    }

    fn ctrl(&self, command: c_int, number: i64) -> i64 {
        // SAFETY: a live context and a command without pointer.
        unsafe { ossl::SSL_CTX_ctrl(self.raw, command, number, std::ptr::null_mut()) }
    }

    fn set_defaults(&self, vm: &Vm, version: Option<c_int>) -> Result<()> {
        let raw = self.raw;
        let ciphers = CString::new(DEFAULT_CIPHERS).expect("no NUL");
        let options = (ossl::SSL_OP_ALL & !ossl::SSL_OP_DONT_INSERT_EMPTY_FRAGMENTS)
            | ossl::SSL_OP_NO_SSLV3
            | ossl::SSL_OP_NO_COMPRESSION
            | ossl::SSL_OP_CIPHER_SERVER_PREFERENCE;
        // SAFETY: a live context here and below.
        let usable = unsafe {
            ossl::SSL_CTX_set_options(raw, options);
            ossl::SSL_CTX_ctrl(raw, ossl::SSL_CTRL_MODE, ossl::SSL_MODE_RELEASE_BUFFERS, std::ptr::null_mut());
            ossl::SSL_CTX_set_session_id_context(raw, c"Python".as_ptr().cast(), 6);
            let parameters = ossl::SSL_CTX_get0_param(raw);
            ossl::X509_VERIFY_PARAM_set_flags(parameters, ossl::X509_V_FLAG_TRUSTED_FIRST);
            ossl::X509_VERIFY_PARAM_set_hostflags(parameters, ossl::X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
            ossl::SSL_CTX_set_post_handshake_auth(raw, 0);
            ossl::SSL_CTX_set_cipher_list(raw, ciphers.as_ptr()) != 0
        };
        if !usable {
            errors::clear();
            return Err(errors::plain(vm, "No cipher can be selected."));
        }
        match version {
            Some(version) => {
                self.ctrl(ossl::SSL_CTRL_SET_MIN_PROTO_VERSION, i64::from(version));
                self.ctrl(ossl::SSL_CTRL_SET_MAX_PROTO_VERSION, i64::from(version));
            }
            None => {
                self.ctrl(ossl::SSL_CTRL_SET_MIN_PROTO_VERSION, i64::from(ossl::TLS1_2_VERSION));
            }
        }
        if self.protocol == Protocol::Client {
            self.state().check_hostname = true;
            // SAFETY: as above.
            unsafe {
                ossl::SSL_CTX_set_verify(raw, ossl::SSL_VERIFY_PEER | ossl::SSL_VERIFY_FAIL_IF_NO_PEER_CERT, None)
            };
        }
        Ok(())
    }
}

/// The host of a connection in the form for the name system.
fn hostname(vm: &Vm, value: &Value) -> Result<Option<CString>> {
    if value.is_none() {
        return Ok(None);
    }
    let bytes = match (value.downcast::<Str>(), value.downcast::<Bytes>(), value.downcast::<ByteArray>()) {
        (Some(text), ..) => match text.as_ascii() {
            Some(ascii) if ascii.split('.').all(|label| label.len() < 64) => ascii.as_bytes().to_vec(),
            _ => {
                let encoded = vm.call_method(value, "encode", &[Value::from("idna")])?;
                vm.bytes_like(&encoded)?.to_vec()
            }
        },
        (_, Some(bytes), _) => bytes.as_slice().to_vec(),
        (.., Some(bytes)) => bytes.to_vec(vm)?,
        _ => return Err(vm.type_error(format!("argument must be str, not {}", value.ty().name()))),
    };
    if !bytes.is_ascii() {
        return Err(vm.value_error("server_hostname is not ASCII"));
    }
    CString::new(bytes).map(Some).map_err(|_| {
        vm.type_error(format!("argument must be encoded string without null bytes, not {}", value.ty().name()))
    })
}

fn wrap_socket(vm: &Vm, this: &Value, args: &[Value]) -> Result {
    if args[0].downcast::<Socket>().is_none() {
        let got = args[0].ty().name();
        return Err(vm.type_error(format!("_wrap_socket() argument 'sock' must be _socket.socket, not {got}")));
    }
    let server = c_int(vm, &args[1])? != 0;
    let wish = Wish { server, hostname: hostname(vm, &args[2])?, owner: &args[3], session: &args[4] };
    SslSocket::connect(vm, this, Transport::Socket(&args[0]), wish)
}

fn wrap_bio(vm: &Vm, this: &Value, args: &[Value]) -> Result {
    let bio = |value: &'_ Value, name: &str| -> Result<()> {
        if value.downcast::<MemoryBio>().is_some() {
            return Ok(());
        }
        let got = value.ty().name();
        Err(vm.type_error(format!("_wrap_bio() argument '{name}' must be _ssl.MemoryBIO, not {got}")))
    };
    bio(&args[0], "incoming")?;
    bio(&args[1], "outgoing")?;
    let (Some(incoming), Some(outgoing)) = (args[0].downcast::<MemoryBio>(), args[1].downcast::<MemoryBio>()) else {
        return Err(vm.type_error("MemoryBIO expected"));
    };
    let server = c_int(vm, &args[2])? != 0;
    let wish = Wish { server, hostname: hostname(vm, &args[3])?, owner: &args[4], session: &args[5] };
    SslSocket::connect(vm, this, Transport::Memory(incoming, outgoing), wish)
}

fn set_ciphers(vm: &Vm, this: &Value, args: &[Value]) -> Result {
    let list = c_string(vm, &args[0], "set_ciphers() argument")?;
    errors::clear();
    // SAFETY: a live context, a C string.
    let done = unsafe { ossl::SSL_CTX_set_cipher_list(SslContext::of(this).raw, list.as_ptr()) } != 0;
    errors::clear();
    if done { Ok(Value::NONE) } else { Err(errors::plain(vm, "No cipher can be selected.")) }
}

fn get_ciphers(vm: &Vm, this: &Value, _: &[Value]) -> Result {
    // SAFETY: a live context.
    let probe = unsafe { ossl::SSL_new(SslContext::of(this).raw) };
    if probe.is_null() {
        return Err(errors::raise(vm, None));
    }
    // SAFETY: a live connection's list.
    let ciphers: Vec<*mut ossl::SSL_CIPHER> = unsafe { ossl::stack(ossl::SSL_get_ciphers(probe)).collect() };
    let described = ciphers.into_iter().map(|cipher| peer::describe_cipher(vm, cipher)).collect::<Result<Vec<_>>>();
    // SAFETY: owned.
    unsafe { ossl::SSL_free(probe) };
    Ok(List::from_vec(described?).into_value())
}

fn set_alpn_protocols(vm: &Vm, this: &Value, args: &[Value]) -> Result {
    let protocols: Box<[u8]> = vm.bytes_like(&args[0])?.to_vec().into();
    let Ok(length) = c_uint::try_from(protocols.len()) else {
        return Err(vm.overflow_error(format!("protocols longer than {} bytes", c_uint::MAX)));
    };
    let context = SslContext::of(this);
    errors::clear();
    // SAFETY: a live context, readable data; the argument of the callback is the object, which takes it back.
    unsafe {
        if ossl::SSL_CTX_set_alpn_protos(context.raw, protocols.as_ptr(), length) != 0 {
            errors::clear();
            return Err(vm.memory_error());
        }
        let object = (context as *const SslContext).cast_mut().cast();
        ossl::SSL_CTX_set_alpn_select_cb(context.raw, Some(callbacks::select_alpn), object);
    }
    context.state().alpn_protocols.push(protocols);
    Ok(Value::NONE)
}

impl SslContext {
    /// The protocols that connections may agree on, in the form of the extension.
    pub fn alpn_protocols(&self) -> Option<(*const u8, usize)> {
        let state = self.state();
        state.alpn_protocols.last().map(|protocols| (protocols.as_ptr(), protocols.len()))
    }
}

fn set_ecdh_curve(vm: &Vm, this: &Value, args: &[Value]) -> Result {
    let name = fs_converter(vm, &args[0])?;
    // SAFETY: a C string.
    let mut nid = unsafe { ossl::OBJ_sn2nid(name.as_ptr()) };
    if nid == ossl::NID_UNDEF {
        return Err(vm.value_error(format!("unknown elliptic curve name {}", vm.repr_string(&args[0])?)));
    }
    // SAFETY: a live context; the command reads one number.
    let done =
        unsafe { ossl::SSL_CTX_ctrl(SslContext::of(this).raw, ossl::SSL_CTRL_SET_GROUPS, 1, (&raw mut nid).cast()) };
    if done == 0 { Err(errors::raise(vm, None)) } else { Ok(Value::NONE) }
}

fn counts(vm: &Vm, entries: impl IntoIterator<Item = (&'static str, i64)>) -> Result {
    let dict = Dict::new();
    for (name, count) in entries {
        dict.set(vm, &Value::from(name), Value::from(count))?;
    }
    Ok(dict.into_value())
}

fn session_stats(vm: &Vm, this: &Value, _: &[Value]) -> Result {
    let context = SslContext::of(this);
    let commands = [
        ("number", ossl::SSL_CTRL_SESS_NUMBER),
        ("connect", ossl::SSL_CTRL_SESS_CONNECT),
        ("connect_good", ossl::SSL_CTRL_SESS_CONNECT_GOOD),
        ("connect_renegotiate", ossl::SSL_CTRL_SESS_CONNECT_RENEGOTIATE),
        ("accept", ossl::SSL_CTRL_SESS_ACCEPT),
        ("accept_good", ossl::SSL_CTRL_SESS_ACCEPT_GOOD),
        ("accept_renegotiate", ossl::SSL_CTRL_SESS_ACCEPT_RENEGOTIATE),
        ("hits", ossl::SSL_CTRL_SESS_HIT),
        ("misses", ossl::SSL_CTRL_SESS_MISSES),
        ("timeouts", ossl::SSL_CTRL_SESS_TIMEOUTS),
        ("cache_full", ossl::SSL_CTRL_SESS_CACHE_FULL),
    ];
    counts(vm, commands.map(|(name, command)| (name, context.ctrl(command, 0))))
}

fn psk_callback(vm: &Vm, value: &Value) -> Result<Option<Value>> {
    if value.is_none() {
        return Ok(None);
    }
    if !value.ty().slots().call.is_some() {
        return Err(vm.type_error("callback must be callable"));
    }
    Ok(Some(value.clone()))
}

fn set_psk_client_callback(vm: &Vm, this: &Value, args: &[Value]) -> Result {
    let context = SslContext::of(this);
    if context.protocol == Protocol::Server {
        return Err(errors::refuse(vm, "Cannot add PSK client callback to a PROTOCOL_TLS_SERVER context"));
    }
    let callback = psk_callback(vm, &args[0])?;
    let function: Option<ossl::PskClientCallback> = callback.as_ref().map(|_| callbacks::psk_client as _);
    // SAFETY: a live context.
    unsafe { ossl::SSL_CTX_set_psk_client_callback(context.raw, function) };
    let old = std::mem::replace(&mut context.state().psk_client_callback, callback);
    drop(old);
    Ok(Value::NONE)
}

fn set_psk_server_callback(vm: &Vm, this: &Value, args: &[Value]) -> Result {
    let context = SslContext::of(this);
    if context.protocol == Protocol::Client {
        return Err(errors::refuse(vm, "Cannot add PSK server callback to a PROTOCOL_TLS_CLIENT context"));
    }
    let callback = psk_callback(vm, &args[0])?;
    let hint = match args[1].is_none() {
        true => None,
        false => Some(c_string(vm, &args[1], "set_psk_server_callback() argument 'identity_hint'")?),
    };
    let pointer = match (&callback, &hint) {
        (Some(_), Some(hint)) => hint.as_ptr(),
        _ => std::ptr::null(),
    };
    // SAFETY: a live context; null or a C string.
    if unsafe { ossl::SSL_CTX_use_psk_identity_hint(context.raw, pointer) } != 1 {
        errors::clear();
        return Err(errors::refuse(vm, "failed to set identity hint"));
    }
    let function: Option<ossl::PskServerCallback> = callback.as_ref().map(|_| callbacks::psk_server as _);
    // SAFETY: a live context.
    unsafe { ossl::SSL_CTX_set_psk_server_callback(context.raw, function) };
    let old = std::mem::replace(&mut context.state().psk_server_callback, callback);
    drop(old);
    Ok(Value::NONE)
}

method_table! { static METHODS = [
    MethodDef::new("_wrap_socket($self, /, sock, server_side, server_hostname=None, *,\n             owner=None, session=None)", "A connection over a socket.", wrap_socket),
    MethodDef::new("_wrap_bio($self, /, incoming, outgoing, server_side,\n          server_hostname=None, *, owner=None, session=None)", "A connection over memory.", wrap_bio),
    MethodDef::new("set_ciphers($self, cipherlist, /)", "Set which ciphers may be used.", set_ciphers),
    MethodDef::new("_set_alpn_protocols($self, protos, /)", "Set which application protocols may be agreed on.", set_alpn_protocols),
    MethodDef::new("load_cert_chain($self, /, certfile, keyfile=None, password=None)", "Load one's own certificate and key.", files::load_cert_chain),
    MethodDef::new("load_dh_params($self, path, /)", "Load parameters of Diffie-Hellman.", files::load_dh_params),
    MethodDef::new("load_verify_locations($self, /, cafile=None, capath=None, cadata=None)", "Load certificates to trust.", files::load_verify_locations),
    MethodDef::new("session_stats($self, /)", "Numbers of sessions.", session_stats),
    MethodDef::new("set_default_verify_paths($self, /)", "Trust the certificates that the system trusts.", files::set_default_verify_paths),
    MethodDef::new("set_ecdh_curve($self, name, /)", "Set the curve for key exchange.", set_ecdh_curve),
    MethodDef::new("cert_store_stats($self, /)", "How many certificates, authorities among them, and revocation lists are loaded, as a dict.", files::cert_store_stats),
    MethodDef::new("get_ca_certs($self, /, binary_form=False)", "The loaded certificates of authorities: dicts, or bytes in DER form.\n\nThose in a directory count once they have been used.", files::get_ca_certs),
    MethodDef::new("get_ciphers($self, /)", "The ciphers that may be used.", get_ciphers),
    MethodDef::new("set_psk_client_callback($self, /, callback)", "Set what tells a client's identity and key.", set_psk_client_callback),
    MethodDef::new("set_psk_server_callback($self, /, callback, identity_hint=None)", "Set what tells a server the key for an identity.", set_psk_server_callback),
]; }
