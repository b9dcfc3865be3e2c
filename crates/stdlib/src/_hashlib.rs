//! `_hashlib`: what hashlib takes from OpenSSL in CPython, here from the RustCrypto crates.
//!
//! `_hashlib/derivation.rs` has pbkdf2 and scrypt.

mod derivation;

use std::sync::OnceLock;

use taipan_object::builtins::dict::Dict;
use taipan_object::builtins::mappingproxy;
use taipan_object::builtins::set;
use taipan_object::builtins::str::intern;
use taipan_object::exceptions::VALUE_ERROR;
use taipan_object::native::function::{BuiltinFunction, Definition};
use taipan_object::native::module::{Module, ModuleDef};
use taipan_object::native::{GetSetDef, MethodDef};
use taipan_object::types::{TypeSpec, type_flags};
use taipan_object::vm::Raised;
use taipan_object::{Result, Value, Vm};

use crate::hashing::hmac::Hmac;
use crate::hashing::hmac_object::{self, HmacObject, hmac_methods};
use crate::hashing::object::{self, HashObject, hash_methods};
use crate::hashing::{self, Algorithm, hashable, initial_data};

pub static MODULE: ModuleDef = ModuleDef {
    name: "_hashlib",
    doc: "Hash functions by name, HMAC and key derivation for hashlib and hmac.",
    functions: FUNCTIONS,
    exec: |vm, module| {
        module.add_functions(CONSTRUCTORS);
        module.add_type(&HASH);
        module.add_type(&HASHXOF);
        module.add_type(&HMAC);
        module.set("UnsupportedDigestmodError", error_class(vm)?);
        module.set("_constructors", constructors(vm, module)?);
        let names: Vec<Value> = ALGORITHMS.iter().map(|(algorithm, _)| Value::from(algorithm.name)).collect();
        module.set("openssl_md_meth_names", set::frozen_from_keys(vm, &names)?);
        hashing::set_minsize(module);
        Ok(())
    },
};

/// The hash functions, and the names by which OpenSSL knows them beside Python's (in lower case).
static ALGORITHMS: &[(&Algorithm, &[&str])] = &[
    (&hashing::MD5, &["md5", "ssl3-md5"]),
    (&hashing::SHA1, &["sha1", "sha-1", "ssl3-sha1"]),
    (&hashing::SHA224, &["sha224", "sha2-224", "sha-224"]),
    (&hashing::SHA256, &["sha256", "sha2-256", "sha-256"]),
    (&hashing::SHA384, &["sha384", "sha2-384", "sha-384"]),
    (&hashing::SHA512, &["sha512", "sha2-512", "sha-512"]),
    (&hashing::SHA512_224, &["sha512-224", "sha2-512/224", "sha-512/224"]),
    (&hashing::SHA512_256, &["sha512-256", "sha2-512/256", "sha-512/256"]),
    (&hashing::SHA3_224, &["sha3-224"]),
    (&hashing::SHA3_256, &["sha3-256"]),
    (&hashing::SHA3_384, &["sha3-384"]),
    (&hashing::SHA3_512, &["sha3-512"]),
    (&hashing::SHAKE_128, &["shake128", "shake-128"]),
    (&hashing::SHAKE_256, &["shake256", "shake-256"]),
    (&hashing::BLAKE2B, &["blake2b512", "blake2b-512"]),
    (&hashing::BLAKE2S, &["blake2s256", "blake2s-256"]),
    (&hashing::RIPEMD160, &["ripemd160", "ripemd-160", "ripemd", "rmd160"]),
    (&hashing::SM3, &["sm3"]),
    (&hashing::MD5_SHA1, &["md5-sha1"]),
];

pub static HASH: TypeSpec = TypeSpec::new::<HashObject>("_hashlib.HASH")
    .doc("HASH(name, string=b'')\n--\n\nAn object that computes a digest of data.")
    .flags(type_flags::DISALLOW_INSTANTIATION)
    .slots(|s| s.repr = Some(object::repr))
    .methods(HASH_METHODS)
    .getset(object::GETSET);

pub static HASHXOF: TypeSpec = TypeSpec::new::<HashObject>("_hashlib.HASHXOF")
    .doc("HASHXOF(name, string=b'')\n--\n\nAn object that computes digests of any length of data.")
    .base(&HASH)
    .flags(type_flags::DISALLOW_INSTANTIATION)
    .methods(HASHXOF_METHODS)
    .getset(HASHXOF_GETSET);

static HASHXOF_GETSET: &[GetSetDef] = &[GetSetDef::new("digest_size", "", |_, _| Ok(Value::from(0)))];

pub static HMAC: TypeSpec = TypeSpec::new::<HmacObject>("_hashlib.HMAC")
    .doc("An object that computes the authentication code of a message.")
    .flags(type_flags::DISALLOW_INSTANTIATION)
    .slots(|s| s.repr = Some(hmac_object::repr))
    .methods(HMAC_METHODS)
    .getset(hmac_object::GETSET);

hash_methods!(static HASH_METHODS, "update($self, obj, /)");
hmac_methods!(static HMAC_METHODS);

taipan_object::method_table! { static HASHXOF_METHODS = [
    MethodDef::new("digest($self, /, length)", "So many bytes of digest of the data so far.", |vm, this, args| {
        object::extended(vm, this, length(vm, &args[0])?)
    }),
    MethodDef::new(
        "hexdigest($self, /, length)",
        "So many bytes of digest of the data so far, in hexadecimal digits.",
        |vm, this, args| object::extended_hex(vm, this, length(vm, &args[0])?),
    ),
]; }

fn length(vm: &Vm, value: &Value) -> Result<usize> {
    let length = crate::arguments::ssize(vm, value)?;
    usize::try_from(length).map_err(|_| vm.value_error("negative digest length"))
}

/// `_hashlib.UnsupportedDigestmodError`
fn error_class(vm: &Vm) -> Result {
    static CLASS: OnceLock<Value> = OnceLock::new();
    if let Some(class) = CLASS.get() {
        return Ok(class.clone());
    }
    let name = "UnsupportedDigestmodError";
    let class = crate::exception_type::new(vm, "_hashlib", name, vec![VALUE_ERROR.value()], None)?;
    Ok(CLASS.get_or_init(|| class).clone())
}

fn unsupported(vm: &Vm, message: &str) -> Raised {
    match error_class(vm).and_then(|class| vm.call_args(&class, &[Value::from(message)])) {
        Ok(exception) => vm.raise(exception),
        Err(raised) => raised,
    }
}

/// The hash function with a name of Python's or OpenSSL's.
fn by_name(vm: &Vm, name: &Value, function: &str, argument: &str) -> Result<&'static Algorithm> {
    let text = vm.expect_str(name, |got| format!("{function}() argument '{argument}' must be str, not {got}"))?;
    let name = text.to_string_lossy();
    let lower = name.to_ascii_lowercase();
    let found =
        ALGORITHMS.iter().find(|(algorithm, others)| algorithm.name == name || others.contains(&lower.as_str()));
    match found {
        Some((algorithm, _)) => Ok(algorithm),
        None => Err(unsupported(vm, "[digital envelope routines] unsupported")),
    }
}

/// The hash function that a `digestmod` means: a name or one of this module's constructors.
fn by_digestmod(vm: &Vm, digestmod: &Value, function: &str) -> Result<&'static Algorithm> {
    if digestmod.is_none() {
        return Err(vm.type_error("Missing required parameter 'digestmod'."));
    }
    if digestmod.downcast::<taipan_object::builtins::str::Str>().is_some() {
        return by_name(vm, digestmod, function, "digestmod");
    }
    if let Some(constructor) = digestmod.downcast::<BuiltinFunction>()
        && let Definition::Method(definition) = constructor.def
        && CONSTRUCTORS.iter().any(|own| std::ptr::eq(own, definition))
        && let Some(name) = constructor.name().strip_prefix("openssl_")
        && let Some((algorithm, _)) = ALGORITHMS.iter().find(|(algorithm, _)| algorithm.name == name)
    {
        return Ok(algorithm);
    }
    Err(unsupported(vm, &format!("Unsupported digestmod {}", vm.repr_string(digestmod)?)))
}

fn start(vm: &Vm, algorithm: &'static Algorithm, data: Option<&Value>) -> Result {
    let spec = if algorithm.digest_size == 0 { &HASHXOF } else { &HASH };
    HashObject::start(vm, spec, algorithm, data)
}

/// `_constructors`: this module's constructors with the names of their hash functions.
fn constructors(vm: &Vm, module: &Module) -> Result {
    let dict = Dict::new();
    for definition in CONSTRUCTORS {
        let name = definition.name();
        let constructor = module.get(name).expect("just added");
        dict.set(vm, &constructor, intern(&name["openssl_".len()..]).into_value())?;
    }
    Ok(mappingproxy::new(dict.into_value()))
}

fn hmac_new(vm: &Vm, _: &Value, args: &[Value]) -> Result {
    let key = vm.bytes_like(&args[0])?;
    let algorithm = by_digestmod(vm, &args[2], "hmac_new")?;
    let mut hmac = hmac(vm, algorithm, &key)?;
    if let Some(message) = args[1].bound()
        && !message.is_none()
    {
        hmac_object::update_unlocked(&mut hmac, &hashable(vm, message)?);
    }
    Ok(HmacObject::make(&HMAC, hmac))
}

fn hmac(vm: &Vm, algorithm: &'static Algorithm, key: &[u8]) -> Result<Hmac> {
    if key.len() > i32::MAX as usize {
        return Err(vm.overflow_error("key is too long."));
    }
    if algorithm.digest_size == 0 {
        return Err(vm.value_error("no reason supplied"));
    }
    Ok(Hmac::new(algorithm, key))
}

fn hmac_digest(vm: &Vm, _: &Value, args: &[Value]) -> Result {
    let (key, message) = (vm.bytes_like(&args[0])?, vm.bytes_like(&args[1])?);
    let algorithm = by_digestmod(vm, &args[2], "hmac_digest")?;
    let hmac = hmac(vm, algorithm, &key)?;
    let code = crate::compression::unlocked(message.len(), || hmac.code(&message));
    taipan_object::builtins::bytes::from_slice(vm, &code)
}

macro_rules! constructor {
    ($declaration:literal, $algorithm:ident) => {
        MethodDef::new(
            $declaration,
            "A new hash object of the function in the name, with data hashed if given.",
            |vm, _, args| {
                vm.is_true(&args[1])?;
                start(vm, &hashing::$algorithm, initial_data(vm, &args[0], &args[2])?)
            },
        )
    };
}

taipan_object::method_table! { static CONSTRUCTORS = [
    constructor!("openssl_md5($module, /, data=b'', *, usedforsecurity=True, string=None)", MD5),
    constructor!("openssl_sha1($module, /, data=b'', *, usedforsecurity=True, string=None)", SHA1),
    constructor!("openssl_sha224($module, /, data=b'', *, usedforsecurity=True,\n               string=None)", SHA224),
    constructor!("openssl_sha256($module, /, data=b'', *, usedforsecurity=True,\n               string=None)", SHA256),
    constructor!("openssl_sha384($module, /, data=b'', *, usedforsecurity=True,\n               string=None)", SHA384),
    constructor!("openssl_sha512($module, /, data=b'', *, usedforsecurity=True,\n               string=None)", SHA512),
    constructor!("openssl_sha3_224($module, /, data=b'', *, usedforsecurity=True,\n                 string=None)", SHA3_224),
    constructor!("openssl_sha3_256($module, /, data=b'', *, usedforsecurity=True,\n                 string=None)", SHA3_256),
    constructor!("openssl_sha3_384($module, /, data=b'', *, usedforsecurity=True,\n                 string=None)", SHA3_384),
    constructor!("openssl_sha3_512($module, /, data=b'', *, usedforsecurity=True,\n                 string=None)", SHA3_512),
    constructor!("openssl_shake_128($module, /, data=b'', *, usedforsecurity=True,\n                  string=None)", SHAKE_128),
    constructor!("openssl_shake_256($module, /, data=b'', *, usedforsecurity=True,\n                  string=None)", SHAKE_256),
]; }

taipan_object::method_table! { static FUNCTIONS = [
    MethodDef::new(
        "new($module, /, name, data=b'', *, usedforsecurity=True, string=None)",
        "A new hash object of the function with this name, with data hashed if given.",
        |vm, _, args| {
            vm.is_true(&args[2])?;
            let data = initial_data(vm, &args[1], &args[3])?;
            start(vm, by_name(vm, &args[0], "new", "name")?, data)
        },
    ),
    MethodDef::new("compare_digest($module, a, b, /)", "a == b, in a time that does not tell where they differ.", |vm, _, args| {
        crate::_operator::compare_digest(vm, &args[0], &args[1]).map(Value::bool)
    }),
    MethodDef::new("get_fips_mode($module, /)", "Whether only approved hash functions may be used: 0.", |_, _, _| Ok(Value::from(0))),
    MethodDef::new("hmac_digest($module, /, key, msg, digest)", "The authentication code of a message.", hmac_digest),
    MethodDef::new("hmac_new($module, /, key, msg=b'', digestmod=None)", "A new HMAC object.", hmac_new),
    MethodDef::new(
        "pbkdf2_hmac($module, /, hash_name, password, salt, iterations,\n            dklen=None)",
        "A key derived from a password by PBKDF2 with HMAC.",
        derivation::pbkdf2_hmac,
    ),
    MethodDef::new(
        "scrypt($module, /, password, *, salt, n, r, p, maxmem=0, dklen=64)",
        "A key derived from a password by scrypt.",
        derivation::scrypt,
    ),
]; }
