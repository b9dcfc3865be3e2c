//! `_hmac`: HMAC over the hash functions that Python guarantees.

use std::sync::OnceLock;

use taipan_object::builtins::bytes;
use taipan_object::builtins::str::Str;
use taipan_object::exceptions::VALUE_ERROR;
use taipan_object::native::MethodDef;
use taipan_object::native::module::ModuleDef;
use taipan_object::types::{TypeSpec, type_flags};
use taipan_object::{Result, Value, Vm};

use crate::hashing::hmac::Hmac;
use crate::hashing::hmac_object::{self, HmacObject, hmac_methods};
use crate::hashing::{self, Algorithm, hashable};

pub static MODULE: ModuleDef = ModuleDef {
    name: "_hmac",
    doc: "",
    functions: FUNCTIONS,
    exec: |vm, module| {
        module.add_type(&HMAC);
        module.set("UnknownHashError", error_class(vm)?);
        hashing::set_minsize(module);
        Ok(())
    },
};

pub static HMAC: TypeSpec = TypeSpec::new::<HmacObject>("_hmac.HMAC")
    .flags(type_flags::DISALLOW_INSTANTIATION)
    .slots(|s| s.repr = Some(hmac_object::repr))
    .methods(HMAC_METHODS)
    .getset(hmac_object::GETSET);

hmac_methods!(static HMAC_METHODS);

/// The hash functions, by the names given here and the same in capitals.
static ALGORITHMS: &[(&str, &Algorithm)] = &[
    ("md5", &hashing::MD5),
    ("sha1", &hashing::SHA1),
    ("sha224", &hashing::SHA224),
    ("sha256", &hashing::SHA256),
    ("sha384", &hashing::SHA384),
    ("sha512", &hashing::SHA512),
    ("sha3_224", &hashing::SHA3_224),
    ("sha3_256", &hashing::SHA3_256),
    ("sha3_384", &hashing::SHA3_384),
    ("sha3_512", &hashing::SHA3_512),
    ("blake2s", &hashing::BLAKE2S),
    ("blake2s_32", &hashing::BLAKE2S),
    ("blake2b", &hashing::BLAKE2B),
    ("blake2b_32", &hashing::BLAKE2B),
];

/// `_hmac.UnknownHashError`
fn error_class(vm: &Vm) -> Result {
    static CLASS: OnceLock<Value> = OnceLock::new();
    if let Some(class) = CLASS.get() {
        return Ok(class.clone());
    }
    let class = crate::exception_type::new(vm, "_hmac", "UnknownHashError", vec![VALUE_ERROR.value()], None)?;
    Ok(CLASS.get_or_init(|| class).clone())
}

fn by_digestmod(vm: &Vm, digestmod: &Value) -> Result<&'static Algorithm> {
    let name = digestmod.downcast::<Str>().map(|name| name.to_string_lossy().to_ascii_lowercase());
    let found = name.and_then(|name| ALGORITHMS.iter().find(|(known, _)| *known == name));
    if let Some((_, algorithm)) = found {
        return Ok(algorithm);
    }
    let message = Value::from(format!("unsupported hash type: {}", vm.repr_string(digestmod)?));
    let exception = vm.call_args(&error_class(vm)?, &[message])?;
    Err(vm.raise(exception))
}

/// The code of a message at once.
fn compute(vm: &Vm, key: &Value, message: &Value, algorithm: &'static Algorithm) -> Result {
    let (key, message) = (hashable(vm, key)?, hashable(vm, message)?);
    let code = crate::compression::unlocked(message.len(), || Hmac::new(algorithm, &key).code(&message));
    bytes::from_slice(vm, &code)
}

fn new(vm: &Vm, _: &Value, args: &[Value]) -> Result {
    if args[2].is_none() {
        return Err(vm.type_error("new() missing 1 required argument 'digestmod'"));
    }
    let algorithm = by_digestmod(vm, &args[2])?;
    let mut hmac = Hmac::new(algorithm, &hashable(vm, &args[0])?);
    if !args[1].is_none() {
        hmac_object::update_unlocked(&mut hmac, &hashable(vm, &args[1])?);
    }
    Ok(HmacObject::make(&HMAC, hmac))
}

macro_rules! compute {
    ($declaration:literal, $algorithm:ident) => {
        MethodDef::new($declaration, "The authentication code of a message.", |vm, _, args| {
            compute(vm, &args[0], &args[1], &hashing::$algorithm)
        })
    };
}

taipan_object::method_table! { static FUNCTIONS = [
    MethodDef::new("new($module, /, key, msg=None, digestmod=None)", "A new HMAC object.", new),
    MethodDef::new("compute_digest($module, /, key, msg, digest)", "The authentication code of a message.", |vm, _, args| {
        compute(vm, &args[0], &args[1], by_digestmod(vm, &args[2])?)
    }),
    compute!("compute_md5($module, key, msg, /)", MD5),
    compute!("compute_sha1($module, key, msg, /)", SHA1),
    compute!("compute_sha224($module, key, msg, /)", SHA224),
    compute!("compute_sha256($module, key, msg, /)", SHA256),
    compute!("compute_sha384($module, key, msg, /)", SHA384),
    compute!("compute_sha512($module, key, msg, /)", SHA512),
    compute!("compute_sha3_224($module, key, msg, /)", SHA3_224),
    compute!("compute_sha3_256($module, key, msg, /)", SHA3_256),
    compute!("compute_sha3_384($module, key, msg, /)", SHA3_384),
    compute!("compute_sha3_512($module, key, msg, /)", SHA3_512),
    compute!("compute_blake2s_32($module, key, msg, /)", BLAKE2S),
    compute!("compute_blake2b_32($module, key, msg, /)", BLAKE2B),
]; }
