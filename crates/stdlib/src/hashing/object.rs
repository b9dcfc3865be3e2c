//! Hash objects: one layout for the types of all the modules.

use taipan_object::builtins::bytes::{self, BYTES, Bytes};
use taipan_object::header::Header;
use taipan_object::heap::Kind;
use taipan_object::native::GetSetDef;
use taipan_object::native::signature::Signature;
use taipan_object::object::Payload;
use taipan_object::types::{Type, TypeSpec};
use taipan_object::{Ref, Result, Value, Vm};

use super::{Algorithm, Hash, MAX_DIGEST, hashable, hex, initial_data, update_unlocked};
use crate::compression::Shared;

/// A hash object; its type is one of several with this layout.
#[repr(C)]
pub struct HashObject {
    header: Header,
    pub algorithm: &'static Algorithm,
    digest_size: usize,
    spec: &'static TypeSpec,
    hash: Shared<Hash>,
}

// SAFETY: repr(C), header first, no references.
unsafe impl Payload for HashObject {
    const KIND: Kind = Kind::Leaf;
    fn static_type() -> &'static Type {
        crate::_hashlib::HASH.ty()
    }
}

impl HashObject {
    /// The payload of a method's own instance.
    pub fn of(value: &Value) -> &HashObject {
        let header = value.as_object().expect("methods are called with instances of their type");
        // SAFETY: the methods that come here belong to types with this layout alone.
        unsafe { &*(header as *const Header).cast::<HashObject>() }
    }

    pub fn make(spec: &'static TypeSpec, algorithm: &'static Algorithm, digest_size: usize, hash: Hash) -> Value {
        let header = Header::new(spec.ty());
        let object = HashObject { header, algorithm, digest_size, spec, hash: Shared::new(hash) };
        Ref::new_sibling(spec.ty(), object).into_value()
    }

    /// Hashes `data`, if any, into a fresh object.
    pub fn start(vm: &Vm, spec: &'static TypeSpec, algorithm: &'static Algorithm, data: Option<&Value>) -> Result {
        let mut hash = (algorithm.start)();
        if let Some(data) = data {
            update_unlocked(&mut hash, &hashable(vm, data)?);
        }
        Ok(HashObject::make(spec, algorithm, algorithm.digest_size, hash))
    }

    fn with_digest<R>(&self, use_digest: impl FnOnce(&[u8]) -> R) -> R {
        let hash = self.hash.lock().clone();
        let mut digest = [0; MAX_DIGEST];
        let digest = &mut digest[..self.digest_size];
        hash.finish(digest);
        use_digest(digest)
    }
}

/// `name(data=b'', *, usedforsecurity=True, string=None)`, bound.
pub fn construct(
    vm: &Vm,
    spec: &'static TypeSpec,
    algorithm: &'static Algorithm,
    signature: &Signature,
    args: &[Value],
    kwnames: Option<&Value>,
) -> Result {
    let args = signature.bind(vm, args, kwnames)?;
    vm.is_true(&args[1])?;
    HashObject::start(vm, spec, algorithm, initial_data(vm, &args[0], &args[2])?)
}

pub fn copy(_: &Vm, this: &Value, _: &[Value]) -> Result {
    let object = HashObject::of(this);
    let hash = object.hash.lock().clone();
    Ok(HashObject::make(object.spec, object.algorithm, object.digest_size, hash))
}

pub fn update(vm: &Vm, this: &Value, args: &[Value]) -> Result {
    let data = hashable(vm, &args[0])?;
    update_unlocked(&mut HashObject::of(this).hash.lock(), &data);
    Ok(Value::NONE)
}

pub fn digest(vm: &Vm, this: &Value, _: &[Value]) -> Result {
    HashObject::of(this).with_digest(|digest| bytes::from_slice(vm, digest))
}

pub fn hexdigest(_: &Vm, this: &Value, _: &[Value]) -> Result {
    Ok(HashObject::of(this).with_digest(hex))
}

/// So many bytes of an extendable output.
pub fn extended(vm: &Vm, this: &Value, length: usize) -> Result {
    let hash = HashObject::of(this).hash.lock().clone();
    if length > isize::MAX as usize / 4 {
        return Err(vm.memory_error());
    }
    Bytes::build(vm, BYTES.ty(), length, |room| hash.finish(room))
}

/// As [`extended`], in hexadecimal digits.
pub fn extended_hex(vm: &Vm, this: &Value, length: usize) -> Result {
    let digest = extended(vm, this, length)?;
    Ok(hex(&vm.bytes_like(&digest)?))
}

/// Methods of a hash type; `$argument` names the parameter of `update`.
macro_rules! hash_methods {
    ($vis:vis static $name:ident, $update:literal) => {
        taipan_object::method_table! { $vis static $name = [
            MethodDef::new("copy($self, /)", "A hash object in the same state.", $crate::hashing::object::copy),
            MethodDef::new("digest($self, /)", "The digest of the data so far, as bytes.", $crate::hashing::object::digest),
            MethodDef::new("hexdigest($self, /)", "The digest of the data so far, in hexadecimal digits.", $crate::hashing::object::hexdigest),
            MethodDef::new($update, "Hash more data.", $crate::hashing::object::update),
        ]; }
    };
}
pub(crate) use hash_methods;

pub static GETSET: &[GetSetDef] = &[
    GetSetDef::new("block_size", "", |_, this| Ok(Value::from(HashObject::of(this).algorithm.block_size))),
    GetSetDef::new("name", "", |_, this| Ok(Value::from(HashObject::of(this).algorithm.name))),
    GetSetDef::new("digest_size", "", |_, this| Ok(Value::from(HashObject::of(this).digest_size))),
];

/// A module of hash functions whose types cannot be called: the type and the constructor of each.
macro_rules! hash_family {
    ($module:literal, $doc:literal: $($spec:ident($python:literal, $attribute:literal) $methods:ident = $function:literal, $algorithm:ident;)*) => {
        pub static MODULE: taipan_object::native::module::ModuleDef = taipan_object::native::module::ModuleDef {
            name: $module,
            doc: $doc,
            functions: FUNCTIONS,
            exec: |_, module| {
                $( module.set($attribute, $spec.value()); )*
                $crate::hashing::set_minsize(module);
                Ok(())
            },
        };
        $(
            pub static $spec: taipan_object::types::TypeSpec =
                taipan_object::types::TypeSpec::new::<$crate::hashing::object::HashObject>($python)
                    .flags(taipan_object::types::type_flags::DISALLOW_INSTANTIATION)
                    .methods($methods)
                    .getset($crate::hashing::object::GETSET);
            $crate::hashing::object::hash_methods!(static $methods, "update($self, obj, /)");
        )*
        taipan_object::method_table! { static FUNCTIONS = [ $(
            MethodDef::new(
                concat!($function, "($module, /, data=b'', *, usedforsecurity=True, string=None)"),
                concat!("A new ", $function, " hash object, with data hashed if given."),
                |vm, _, args| {
                    vm.is_true(&args[1])?;
                    let data = $crate::hashing::initial_data(vm, &args[0], &args[2])?;
                    $crate::hashing::object::HashObject::start(vm, &$spec, &$crate::hashing::$algorithm, data)
                },
            ),
        )* ]; }
    };
}
pub(crate) use hash_family;

/// `__repr__` of `_hashlib`'s objects.
pub fn repr(_: &Vm, this: &Value) -> Result {
    let object = HashObject::of(this);
    Ok(Value::from(format!("<{} {} object @ {:#x}>", object.algorithm.name, object.spec.name, this.id())))
}
