//! The HMAC objects of `_hashlib` and `_hmac`, which differ in name only.

use taipan_object::builtins::bytes;
use taipan_object::header::Header;
use taipan_object::heap::Kind;
use taipan_object::native::GetSetDef;
use taipan_object::object::Payload;
use taipan_object::types::{Type, TypeSpec};
use taipan_object::{Ref, Result, Value, Vm};

use super::hmac::Hmac;
use super::{GIL_MINSIZE, hashable, hex};
use crate::compression::Shared;

/// An HMAC object; its type is one of two with this layout.
#[repr(C)]
pub struct HmacObject {
    header: Header,
    spec: &'static TypeSpec,
    hmac: Shared<Hmac>,
}

// SAFETY: repr(C), header first, no references.
unsafe impl Payload for HmacObject {
    const KIND: Kind = Kind::Leaf;
    fn static_type() -> &'static Type {
        crate::_hashlib::HMAC.ty()
    }
}

impl HmacObject {
    fn of(value: &Value) -> &HmacObject {
        let header = value.as_object().expect("methods are called with instances of their type");
        // SAFETY: the methods that come here belong to types with this layout alone.
        unsafe { &*(header as *const Header).cast::<HmacObject>() }
    }

    pub fn make(spec: &'static TypeSpec, hmac: Hmac) -> Value {
        let header = Header::new(spec.ty());
        Ref::new_sibling(spec.ty(), HmacObject { header, spec, hmac: Shared::new(hmac) }).into_value()
    }

    fn name(&self) -> &'static str {
        self.hmac.lock().algorithm.name
    }

    fn code(&self) -> Vec<u8> {
        let hmac = self.hmac.lock().clone();
        hmac.code(&[])
    }
}

/// Feeds a message, without the GIL if it is long.
pub fn update_unlocked(hmac: &mut Hmac, message: &[u8]) {
    if message.len() >= GIL_MINSIZE {
        taipan_object::vm::hooks::blocking(|| hmac.update(message));
    } else {
        hmac.update(message);
    }
}

pub fn repr(_: &Vm, this: &Value) -> Result {
    Ok(Value::from(format!("<{} HMAC object @ {:#x}>", HmacObject::of(this).name(), this.id())))
}
pub fn copy(_: &Vm, this: &Value, _: &[Value]) -> Result {
    let object = HmacObject::of(this);
    let hmac = object.hmac.lock().clone();
    Ok(HmacObject::make(object.spec, hmac))
}
pub fn update(vm: &Vm, this: &Value, args: &[Value]) -> Result {
    let message = hashable(vm, &args[0])?;
    update_unlocked(&mut HmacObject::of(this).hmac.lock(), &message);
    Ok(Value::NONE)
}
pub fn digest(vm: &Vm, this: &Value, _: &[Value]) -> Result {
    bytes::from_slice(vm, &HmacObject::of(this).code())
}
pub fn hexdigest(_: &Vm, this: &Value, _: &[Value]) -> Result {
    Ok(hex(&HmacObject::of(this).code()))
}

/// Methods of an HMAC type.
macro_rules! hmac_methods {
    (static $name:ident) => {
        taipan_object::method_table! { static $name = [
            MethodDef::new("copy($self, /)", "An HMAC object in the same state.", $crate::hashing::hmac_object::copy),
            MethodDef::new("digest($self, /)", "The code of the message so far, as bytes.", $crate::hashing::hmac_object::digest),
            MethodDef::new(
                "hexdigest($self, /)",
                "The code of the message so far, in hexadecimal digits.",
                $crate::hashing::hmac_object::hexdigest,
            ),
            MethodDef::new("update($self, /, msg)", "Feed more of the message.", $crate::hashing::hmac_object::update),
        ]; }
    };
}
pub(crate) use hmac_methods;

pub static GETSET: &[GetSetDef] = &[
    GetSetDef::new("digest_size", "", |_, this| {
        Ok(Value::from(HmacObject::of(this).hmac.lock().algorithm.digest_size))
    }),
    GetSetDef::new("block_size", "", |_, this| Ok(Value::from(HmacObject::of(this).hmac.lock().algorithm.block_size))),
    GetSetDef::new("name", "", |_, this| Ok(Value::from(format!("hmac-{}", HmacObject::of(this).name())))),
];
