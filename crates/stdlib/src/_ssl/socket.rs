//! `_ssl._SSLSocket`: a TLS connection, over a socket or over two memory BIOs.
//!
//! Methods by subject are in `socket/transfer.rs` (handshake, reading, writing, closing) and `socket/peer.rs` (what is
//! known of the connection and the other side); `socket/transport.rs` is how OpenSSL reaches a socket.

pub mod peer;
mod transfer;
mod transport;

use std::ffi::CString;
use std::sync::{Mutex, PoisonError};

use taipan_object::cell::ObjectCell;
use taipan_object::header::Header;
use taipan_object::heap::Kind;
use taipan_object::native::{GetSetDef, MethodDef};
use taipan_object::object::{Payload, Visitor};
use taipan_object::types::{Type, TypeSpec, type_flags};
use taipan_object::vm::hooks::blocking;
use taipan_object::{Raised, Ref, Result, Value, Vm, method_table, weakref};
use taipan_openssl as ossl;

use super::bio::MemoryBio;
use super::callbacks;
use super::context::{Protocol, SslContext};
use super::errors::{self, Outcome};
use super::session::SslSession;
use crate::_socket::socket::Socket;
use crate::arguments::errno;

#[repr(C)]
pub struct SslSocket {
    header: Header,
    raw: *mut ossl::SSL,
    server: bool,
    /// A weak reference to the socket; `None` for memory BIOs.
    socket: Option<Value>,
    /// Held by whoever works on the connection without the GIL.
    work: Mutex<()>,
    state: ObjectCell<State>,
}

struct State {
    context: Value,
    /// A weak reference to the object that Python code knows.
    owner: Option<Value>,
    server_hostname: Option<Value>,
    /// What a callback raised.
    exception: Option<Value>,
    shutdown_seen_zero: bool,
}

// SAFETY: the GIL and `work` order uses of the connection.
unsafe impl Send for SslSocket {}
// SAFETY: as above.
unsafe impl Sync for SslSocket {}

// SAFETY: repr(C), header first, visits every reference.
unsafe impl Payload for SslSocket {
    const KIND: Kind = Kind::Container;
    fn static_type() -> &'static Type {
        SSL_SOCKET.ty()
    }
    fn traverse(&self, visit: Visitor) {
        if let Some(socket) = &self.socket {
            visit(socket);
        }
        // SAFETY: the collector has stopped the world.
        let state = unsafe { &*self.state.as_ptr() };
        visit(&state.context);
        for value in [&state.owner, &state.server_hostname, &state.exception].into_iter().flatten() {
            visit(value);
        }
    }
    fn clear(&self) {
        let exception = self.state.borrow(&self.header).exception.take();
        drop(exception);
    }
}

impl Drop for SslSocket {
    fn drop(&mut self) {
        // SAFETY: owned; callbacks find no object any more.
        unsafe {
            ossl::SSL_set_ex_data(self.raw, 0, std::ptr::null_mut());
            ossl::SSL_free(self.raw);
        }
    }
}

pub static SSL_SOCKET: TypeSpec = TypeSpec::new::<SslSocket>("_ssl._SSLSocket")
    .flags(type_flags::DISALLOW_INSTANTIATION)
    .methods(METHODS)
    .getset(GETSET);

/// What a connection runs over.
pub enum Transport<'a> {
    Socket(&'a Value),
    Memory(&'a MemoryBio, &'a MemoryBio),
}

/// Arguments for [`SslSocket::connect`] that are the same for both transports.
pub struct Wish<'a> {
    pub server: bool,
    pub hostname: Option<CString>,
    pub owner: &'a Value,
    pub session: &'a Value,
}

impl SslSocket {
    pub fn of(value: &Value) -> &SslSocket {
        value.downcast::<SslSocket>().expect("methods are called with instances of their type")
    }

    /// A new connection of a context.
    pub fn connect(vm: &Vm, context: &Value, transport: Transport, wish: Wish) -> Result {
        let of = SslContext::of(context);
        match (wish.server, of.protocol()) {
            (true, Protocol::Client) => {
                return Err(errors::refuse(vm, "Cannot create a server socket with a PROTOCOL_TLS_CLIENT context"));
            }
            (false, Protocol::Server) => {
                return Err(errors::refuse(vm, "Cannot create a client socket with a PROTOCOL_TLS_SERVER context"));
            }
            _ => {}
        }
        errors::clear();
        // SAFETY: a live context.
        let raw = unsafe { ossl::SSL_new(of.raw()) };
        if raw.is_null() {
            return Err(errors::raise(vm, None));
        }
        let reference = match transport {
            Transport::Socket(socket) => Some(weakref::create(vm, weakref::REFERENCE.ty(), socket, None)),
            Transport::Memory(..) => None,
        };
        let state = State {
            context: context.clone(),
            owner: None,
            server_hostname: None,
            exception: None,
            shutdown_seen_zero: false,
        };
        let (reference, failed) = match reference.transpose() {
            Ok(reference) => (reference, None),
            Err(raised) => (None, Some(raised)),
        };
        let object = Ref::new(SslSocket {
            header: Header::new(SSL_SOCKET.ty()),
            raw,
            server: wish.server,
            socket: reference,
            work: Mutex::new(()),
            state: ObjectCell::new(state),
        });
        if let Some(raised) = failed {
            return Err(raised);
        }
        // SAFETY: the object stays where it is, and takes its address back when it goes.
        unsafe { ossl::SSL_set_ex_data(raw, 0, (&*object as *const SslSocket).cast_mut().cast()) };
        object.set_up(vm, of, &transport, &wish)?;
        Ok(object.into_value())
    }

    fn set_up(&self, vm: &Vm, context: &SslContext, transport: &Transport, wish: &Wish) -> Result<()> {
        let raw = self.raw;
        match transport {
            Transport::Socket(socket) => {
                let bio = transport::new(vm, Socket::of(socket).fd())?;
                // SAFETY: the connection takes over the BIO, once for both directions.
                unsafe { ossl::SSL_set_bio(raw, bio, bio) };
            }
            // SAFETY: the connection gets references of its own.
            Transport::Memory(incoming, outgoing) => unsafe {
                ossl::BIO_up_ref(incoming.bio.raw());
                ossl::BIO_up_ref(outgoing.bio.raw());
                ossl::SSL_set_bio(raw, incoming.bio.raw(), outgoing.bio.raw());
            },
        }
        let mode = ossl::SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | ossl::SSL_MODE_AUTO_RETRY;
        // SAFETY: a live connection here and below.
        unsafe { ossl::SSL_ctrl(raw, ossl::SSL_CTRL_MODE, mode, std::ptr::null_mut()) };
        if context.post_handshake_auth() {
            // SAFETY: as above.
            unsafe {
                if wish.server {
                    let mode = ossl::SSL_get_verify_mode(raw);
                    if mode & ossl::SSL_VERIFY_PEER != 0 {
                        ossl::SSL_set_verify(raw, mode | ossl::SSL_VERIFY_POST_HANDSHAKE, None);
                    }
                } else {
                    ossl::SSL_set_post_handshake_auth(raw, 1);
                }
            }
        }
        if let Some(hostname) = &wish.hostname {
            self.set_hostname(vm, context, hostname)?;
        }
        // SAFETY: as above.
        unsafe {
            if wish.server {
                ossl::SSL_set_accept_state(raw);
            } else {
                ossl::SSL_set_connect_state(raw);
                // Clients tell their sessions apart by context object; one made from a shared key has no name.
                ossl::SSL_set_session_id_context(raw, c"".as_ptr().cast(), 0);
            }
        }
        if !wish.owner.is_none() {
            self.set_owner(vm, wish.owner)?;
        }
        if !wish.session.is_none() {
            self.set_session(vm, wish.session)?;
        }
        Ok(())
    }

    /// The name that the peer is asked for and, if the context says so, must have proved.
    fn set_hostname(&self, vm: &Vm, context: &SslContext, hostname: &CString) -> Result<()> {
        let bytes = hostname.as_bytes();
        if bytes.is_empty() || bytes[0] == b'.' {
            return Err(vm.value_error("server_hostname cannot be an empty string or start with a leading dot."));
        }
        // SAFETY: a C string.
        let ip = unsafe { ossl::a2i_IPADDRESS(hostname.as_ptr()) };
        if ip.is_null() {
            errors::clear();
        }
        self.state.borrow(&self.header).server_hostname = Some(Value::from(hostname.to_string_lossy().as_ref()));
        // SAFETY: a live connection, C strings, and the address's own bytes.
        let done = unsafe {
            let named = !ip.is_null()
                || ossl::SSL_ctrl(
                    self.raw,
                    ossl::SSL_CTRL_SET_TLSEXT_HOSTNAME,
                    i64::from(ossl::TLSEXT_NAMETYPE_HOST_NAME),
                    hostname.as_ptr().cast_mut().cast(),
                ) != 0;
            let parameters = ossl::SSL_get0_param(self.raw);
            let checked = !named
                || !context.check_hostname()
                || if ip.is_null() {
                    ossl::X509_VERIFY_PARAM_set1_host(parameters, hostname.as_ptr(), bytes.len()) != 0
                } else {
                    let (data, length) = (ossl::ASN1_STRING_get0_data(ip), ossl::ASN1_STRING_length(ip));
                    ossl::X509_VERIFY_PARAM_set1_ip(parameters, data, length as usize) != 0
                };
            ossl::ASN1_STRING_free(ip);
            named && checked
        };
        if done { Ok(()) } else { Err(errors::raise(vm, None)) }
    }

    pub fn raw(&self) -> *mut ossl::SSL {
        self.raw
    }

    pub fn server_hostname(&self) -> Option<Value> {
        self.state.borrow(&self.header).server_hostname.clone()
    }

    pub fn context(&self) -> Value {
        self.state.borrow(&self.header).context.clone()
    }

    /// The object that Python code knows, if it is alive; without one, this object.
    pub fn shown(&self) -> Option<Value> {
        let owner = self.state.borrow(&self.header).owner.clone();
        match owner {
            Some(owner) => weakref::target(&owner),
            None => Some(taipan_object::object::to_ref(self).into_value()),
        }
    }

    /// Keeps what a callback raised, until the operation that it interrupted is over.
    pub fn keep_exception(&self, exception: Value) {
        let old = self.state.borrow(&self.header).exception.replace(exception);
        drop(old);
    }

    fn set_owner(&self, vm: &Vm, owner: &Value) -> Result<()> {
        let reference = weakref::create(vm, weakref::REFERENCE.ty(), owner, None)?;
        let old = self.state.borrow(&self.header).owner.replace(reference);
        drop(old);
        Ok(())
    }

    /// The socket below, if there is one; an error if it is gone.
    fn transport(&self, vm: &Vm) -> Result<Option<Value>> {
        let Some(reference) = &self.socket else { return Ok(None) };
        match weakref::target(reference) {
            Some(socket) => Ok(Some(socket)),
            None => Err(errors::refuse(vm, "Underlying socket connection gone")),
        }
    }

    /// Runs an operation without the GIL, and says how it ended; it is successful if the result is positive.
    fn run(&self, mut operation: impl FnMut(*mut ossl::SSL) -> i32) -> (i32, Outcome) {
        let raw = self.raw;
        blocking(|| {
            let _working = self.work.lock().unwrap_or_else(PoisonError::into_inner);
            errors::clear();
            let result = operation(raw);
            if result > 0 {
                return (result, Outcome { ssl: ossl::SSL_ERROR_NONE, errno: 0 });
            }
            let errno = errno();
            // SAFETY: a live connection; nothing else was asked of the library meanwhile.
            (result, Outcome { ssl: unsafe { ossl::SSL_get_error(raw, result) }, errno })
        })
    }

    fn set_session(&self, vm: &Vm, value: &Value) -> Result<()> {
        let Some(session) = value.downcast::<SslSession>() else {
            return Err(vm.type_error("Value is not a SSLSession."));
        };
        let context = self.context();
        // SAFETY: a live connection.
        if SslContext::of(&session.context).raw() != SslContext::of(&context).raw() {
            return Err(vm.value_error("Session refers to a different SSLContext."));
        }
        if self.server {
            return Err(vm.value_error("Cannot set session for server-side SSLSocket."));
        }
        // SAFETY: a live connection and session; the connection takes a reference of its own to the copy.
        unsafe {
            if ossl::SSL_is_init_finished(self.raw) != 0 {
                return Err(vm.value_error("Cannot set session after handshake."));
            }
            let copy = ossl::SSL_SESSION_dup(session.raw());
            let done = !copy.is_null() && ossl::SSL_set_session(self.raw, copy) != 0;
            ossl::SSL_SESSION_free(copy);
            if done { Ok(()) } else { Err(errors::raise(vm, None)) }
        }
    }

    fn set_context(&self, vm: &Vm, value: &Value) -> Result<()> {
        let Some(context) = value.downcast::<SslContext>() else {
            return Err(vm.type_error("The value must be a SSLContext"));
        };
        // SAFETY: a live connection and context.
        unsafe {
            ossl::SSL_set_SSL_CTX(self.raw, context.raw());
            ossl::SSL_set_msg_callback(self.raw, context.has_message_callback().then_some(callbacks::message));
        }
        let old = std::mem::replace(&mut self.state.borrow(&self.header).context, value.clone());
        drop(old);
        Ok(())
    }
}

#[cold]
fn cannot_delete(vm: &Vm, name: &str) -> Raised {
    vm.attribute_error(format!("attribute '{name}' of '_ssl._SSLSocket' objects cannot be deleted"))
}

static GETSET: &[GetSetDef] = &[
    GetSetDef::new("context", "The context; a callback for host names may put another in its place.", |_, this| {
        Ok(SslSocket::of(this).context())
    })
    .setter(|vm, this, value| match value {
        Some(value) => SslSocket::of(this).set_context(vm, value),
        None => Err(cannot_delete(vm, "context")),
    }),
    GetSetDef::new("server_side", "Whether this end is the server.", |_, this| {
        Ok(Value::from(SslSocket::of(this).server))
    }),
    GetSetDef::new("server_hostname", "The host name that the client asks for.", |_, this| {
        Ok(SslSocket::of(this).server_hostname().unwrap_or(Value::NONE))
    }),
    GetSetDef::new("owner", "The object that callbacks get for this one.", |_, this| {
        let this = SslSocket::of(this);
        let owner = this.state.borrow(&this.header).owner.clone();
        Ok(owner.and_then(|owner| weakref::target(&owner)).unwrap_or(Value::NONE))
    })
    .setter(|vm, this, value| match value {
        Some(value) => SslSocket::of(this).set_owner(vm, value),
        None => Err(cannot_delete(vm, "owner")),
    }),
    GetSetDef::new("session", "The session, to be resumed by another connection.", |_, this| {
        let this = SslSocket::of(this);
        // SAFETY: a live connection; the copy is owned.
        let session = unsafe {
            let session = ossl::SSL_get_session(this.raw);
            if session.is_null() { session } else { ossl::SSL_SESSION_dup(session) }
        };
        if session.is_null() {
            errors::clear();
            return Ok(Value::NONE);
        }
        Ok(SslSession::wrap(session, this.context()))
    })
    .setter(|vm, this, value| match value {
        Some(value) => SslSocket::of(this).set_session(vm, value),
        None => Err(cannot_delete(vm, "session")),
    }),
    GetSetDef::new("session_reused", "Whether the connection resumed a session.", |_, this| {
        // SAFETY: a live connection.
        Ok(Value::from(unsafe { ossl::SSL_session_reused(SslSocket::of(this).raw) } != 0))
    }),
];

method_table! { static METHODS = [
    MethodDef::new("do_handshake($self, /)", "Agree with the other side on keys.", transfer::do_handshake),
    MethodDef::new("write($self, b, /)", "Send bytes; how many were taken.", transfer::write),
    MethodDef::raw("read", "read(size, [buffer])\nAt most *size* bytes, or their number if they go to *buffer*.", transfer::read),
    MethodDef::new("pending($self, /)", "How many decrypted bytes wait to be read.", |_, this, _| {
        // SAFETY: a live connection.
        Ok(Value::from(unsafe { ossl::SSL_pending(SslSocket::of(this).raw) }))
    }),
    MethodDef::new("getpeercert($self, der=False, /)", "The peer's certificate as a dict, or in DER form; None if it sent none.\n\nThe dict is empty if the certificate was not verified.", peer::getpeercert),
    MethodDef::new("get_channel_binding($self, /, cb_type='tls-unique')", "\
        Return data that identify this connection to both of its sides.\n\n\
        ValueError is raised if cb_type is none of the known kinds.", peer::get_channel_binding),
    MethodDef::new("cipher($self, /)", "The cipher in use: its name, protocol and bits.", peer::current_cipher),
    MethodDef::new("shared_ciphers($self, /)", "The ciphers that both sides know.", peer::shared_ciphers),
    MethodDef::new("version($self, /)", "The protocol in use.", peer::version),
    MethodDef::new("selected_alpn_protocol($self, /)", "The application protocol agreed upon.", peer::selected_alpn_protocol),
    MethodDef::new("compression($self, /)", "The compression in use: there is none.", |_, _, _| Ok(Value::NONE)),
    MethodDef::new("shutdown($self, /)", "Close the connection in order, and return the socket.", transfer::shutdown),
    MethodDef::new("verify_client_post_handshake($self, /)", "Ask the client for its certificate now (TLS 1.3).", transfer::verify_client_post_handshake),
    MethodDef::new("get_verified_chain($self, /)", "The peer's certificates up to the trusted one.", peer::verified_chain),
    MethodDef::new("get_unverified_chain($self, /)", "The certificates that the peer sent.", peer::unverified_chain),
]; }
