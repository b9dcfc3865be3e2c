//! `ssl.SSLSession`: what a connection can be resumed from.

use std::os::raw::c_uint;

use taipan_object::builtins::bytes;
use taipan_object::header::Header;
use taipan_object::heap::Kind;
use taipan_object::native::GetSetDef;
use taipan_object::object::{Payload, Visitor};
use taipan_object::types::slots::CompareOp;
use taipan_object::types::{Type, TypeSpec, type_flags};
use taipan_object::{Ref, Result, Value};
use taipan_openssl as ossl;

#[repr(C)]
pub struct SslSession {
    header: Header,
    raw: *mut ossl::SSL_SESSION,
    /// The context whose connections it may serve.
    pub context: Value,
}

// SAFETY: OpenSSL's objects may be used by any thread; nothing changes this one.
unsafe impl Send for SslSession {}
// SAFETY: as above.
unsafe impl Sync for SslSession {}

// SAFETY: repr(C), header first, visits the only value.
unsafe impl Payload for SslSession {
    const KIND: Kind = Kind::Container;
    fn static_type() -> &'static Type {
        SSL_SESSION.ty()
    }
    fn traverse(&self, visit: Visitor) {
        visit(&self.context);
    }
}

impl Drop for SslSession {
    fn drop(&mut self) {
        // SAFETY: owned.
        unsafe { ossl::SSL_SESSION_free(self.raw) };
    }
}

pub static SSL_SESSION: TypeSpec = TypeSpec::new::<SslSession>("_ssl.SSLSession")
    .flags(type_flags::DISALLOW_INSTANTIATION)
    .slots(|s| {
        s.hash = Some(|vm, this| vm.hash(&identifier(own(this))));
        s.richcompare = Some(compare);
    })
    .getset(&[
        GetSetDef::new("has_ticket", "Whether there is a session ticket.", |_, this| {
            // SAFETY: a live session.
            Ok(Value::from(unsafe { ossl::SSL_SESSION_has_ticket(own(this).raw) } != 0))
        }),
        GetSetDef::new("id", "Session ID.", |_, this| Ok(identifier(own(this)))),
        GetSetDef::new(
            "ticket_lifetime_hint",
            "\
            How long the ticket is valid, in seconds, as the server hints.",
            |_, this| {
                // SAFETY: a live session.
                Ok(Value::from(unsafe { ossl::SSL_SESSION_get_ticket_lifetime_hint(own(this).raw) } as i64))
            },
        ),
        GetSetDef::new("time", "When the session began, in seconds since 1970.", |_, this| {
            // SAFETY: a live session.
            Ok(Value::from(unsafe { ossl::SSL_SESSION_get_time(own(this).raw) }))
        }),
        GetSetDef::new("timeout", "For how many seconds the session can be resumed.", |_, this| {
            // SAFETY: a live session.
            Ok(Value::from(unsafe { ossl::SSL_SESSION_get_timeout(own(this).raw) }))
        }),
    ]);

fn own(value: &Value) -> &SslSession {
    value.downcast::<SslSession>().expect("methods are called with instances of their type")
}

fn identifier(session: &SslSession) -> Value {
    let mut length: c_uint = 0;
    // SAFETY: a live session; the result points to so many bytes of it.
    let id = unsafe {
        let data = ossl::SSL_SESSION_get_id(session.raw, &mut length);
        if length == 0 { &[] } else { std::slice::from_raw_parts(data, length as usize) }
    };
    bytes::new(id)
}

fn compare(vm: &taipan_object::Vm, left: &Value, right: &Value, op: CompareOp) -> Result {
    let (Some(a), Some(b)) = (left.downcast::<SslSession>(), right.downcast::<SslSession>()) else {
        return Ok(Value::NOT_IMPLEMENTED);
    };
    let equal = std::ptr::eq(a, b) || vm.equal(&identifier(a), &identifier(b))?;
    match op {
        CompareOp::Eq => Ok(Value::from(equal)),
        CompareOp::Ne => Ok(Value::from(!equal)),
        _ => Ok(Value::NOT_IMPLEMENTED),
    }
}

impl SslSession {
    /// Takes over a session, which is not null.
    pub fn wrap(raw: *mut ossl::SSL_SESSION, context: Value) -> Value {
        Ref::new(SslSession { header: Header::new(SSL_SESSION.ty()), raw, context }).into_value()
    }

    pub fn raw(&self) -> *mut ossl::SSL_SESSION {
        self.raw
    }
}
