//! `_sha3`: SHA-3 and SHAKE.

use taipan_object::builtins::bytes;
use taipan_object::native::module::ModuleDef;
use taipan_object::native::{GetSetDef, MethodDef};
use taipan_object::types::TypeSpec;
use taipan_object::{Result, Value, Vm};

use crate::hashing::object::{self, HashObject, construct, hash_methods};
use crate::hashing::{self, unsigned};
use crate::payload::signature;

pub static MODULE: ModuleDef = ModuleDef {
    name: "_sha3",
    doc: "",
    functions: &[],
    exec: |_, module| {
        for spec in [&SHA3_224, &SHA3_256, &SHA3_384, &SHA3_512, &SHAKE_128, &SHAKE_256] {
            module.add_type(spec);
        }
        module.set("implementation", Value::from("RustCrypto"));
        hashing::set_minsize(module);
        Ok(())
    },
};

macro_rules! sha3_types {
    ($($spec:ident = $name:literal, $signature:ident, $methods:ident, $doc:literal;)*) => { $(
        pub static $spec: TypeSpec = TypeSpec::new::<HashObject>(concat!("_sha3.", $name))
            .doc(concat!($name, "([data], *, usedforsecurity=True) -> ", $doc))
            .slots(|s| {
                s.new = Some(|vm, _, args, kwnames| construct(vm, &$spec, &hashing::$spec, &$signature, args, kwnames))
            })
            .methods($methods)
            .getset(GETSET);
    )* };
}

sha3_types! {
    SHA3_224 = "sha3_224", NEW_224, METHODS_224, "SHA3 object\n\nA new hash object with digests of 28 bytes.";
    SHA3_256 = "sha3_256", NEW_256, METHODS_256, "SHA3 object\n\nA new hash object with digests of 32 bytes.";
    SHA3_384 = "sha3_384", NEW_384, METHODS_384, "SHA3 object\n\nA new hash object with digests of 48 bytes.";
    SHA3_512 = "sha3_512", NEW_512, METHODS_512, "SHA3 object\n\nA new hash object with digests of 64 bytes.";
    SHAKE_128 = "shake_128", NEW_SHAKE_128, SHAKE_128_METHODS, "SHAKE object\n\nA new hash object with digests of any length.";
    SHAKE_256 = "shake_256", NEW_SHAKE_256, SHAKE_256_METHODS, "SHAKE object\n\nA new hash object with digests of any length.";
}

signature!(NEW_224 = "sha3_224(data=b'', *, usedforsecurity=True, string=None)");
signature!(NEW_256 = "sha3_256(data=b'', *, usedforsecurity=True, string=None)");
signature!(NEW_384 = "sha3_384(data=b'', *, usedforsecurity=True, string=None)");
signature!(NEW_512 = "sha3_512(data=b'', *, usedforsecurity=True, string=None)");
signature!(NEW_SHAKE_128 = "shake_128(data=b'', *, usedforsecurity=True, string=None)");
signature!(NEW_SHAKE_256 = "shake_256(data=b'', *, usedforsecurity=True, string=None)");

hash_methods!(static METHODS_224, "update($self, data, /)");
hash_methods!(static METHODS_256, "update($self, data, /)");
hash_methods!(static METHODS_384, "update($self, data, /)");
hash_methods!(static METHODS_512, "update($self, data, /)");

macro_rules! shake_methods {
    ($name:ident) => {
        taipan_object::method_table! { static $name = [
            MethodDef::new("copy($self, /)", "A hash object in the same state.", object::copy),
            MethodDef::new("digest($self, /, length)", "So many bytes of digest of the data so far.", |vm, this, args| {
                object::extended(vm, this, length(vm, &args[0])?)
            }),
            MethodDef::new(
                "hexdigest($self, /, length)",
                "So many bytes of digest of the data so far, in hexadecimal digits.",
                |vm, this, args| object::extended_hex(vm, this, length(vm, &args[0])?),
            ),
            MethodDef::new("update($self, data, /)", "Hash more data.", object::update),
        ]; }
    };
}
shake_methods!(SHAKE_128_METHODS);
shake_methods!(SHAKE_256_METHODS);

fn length(vm: &Vm, value: &Value) -> Result<usize> {
    let length = unsigned(vm, value, "unsigned long")?;
    if length >= 1 << 29 {
        return Err(vm.value_error("length is too large"));
    }
    Ok(length as usize)
}

/// Bits that a permutation takes in; the rest of the 1600 is the capacity.
fn rate(this: &Value) -> usize {
    HashObject::of(this).algorithm.block_size * 8
}

static GETSET: &[GetSetDef] = &[
    GetSetDef::new("block_size", "", |_, this| Ok(Value::from(HashObject::of(this).algorithm.block_size))),
    GetSetDef::new("name", "", |_, this| Ok(Value::from(HashObject::of(this).algorithm.name))),
    GetSetDef::new("digest_size", "", |_, this| Ok(Value::from(HashObject::of(this).algorithm.digest_size))),
    GetSetDef::new("_capacity_bits", "", |_, this| Ok(Value::from(1600 - rate(this)))),
    GetSetDef::new("_rate_bits", "", |_, this| Ok(Value::from(rate(this)))),
    GetSetDef::new("_suffix", "", |_, this| {
        let suffix = if HashObject::of(this).algorithm.digest_size == 0 { 0x1f } else { 0x06 };
        Ok(bytes::new(&[suffix]))
    }),
];
