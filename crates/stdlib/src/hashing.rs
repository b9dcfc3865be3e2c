//! Hash functions behind one face, for `_hashlib`, `_hmac` and the modules of single families.
//!
//! `hashing/object.rs` has the hash objects, `hmac.rs` message authentication, `hmac_object.rs` its objects.

pub mod hmac;
pub mod hmac_object;
pub mod object;

use md5::Digest;
use shake::{ExtendableOutput, Update, XofReader};
use taipan_object::buffer::BytesLike;
use taipan_object::builtins::str::Str;
use taipan_object::native::module::Module;
use taipan_object::text::builder::GivenUp;
use taipan_object::{Result, Value, Vm};

/// `_GIL_MINSIZE`: shorter data are hashed without giving other threads a chance.
pub const GIL_MINSIZE: usize = 2048;

/// The longest digest of fixed length.
pub const MAX_DIGEST: usize = 64;

/// A hash function.
pub struct Algorithm {
    /// Python's name.
    pub name: &'static str,
    /// 0 if the digest has any length asked for.
    pub digest_size: usize,
    pub block_size: usize,
    pub start: fn() -> Hash,
}

macro_rules! algorithms {
    ($($variant:ident($ty:ty) $constant:ident = $name:literal, $digest:literal, $block:literal;)*) => {
        /// The state of a hash function.
        #[derive(Clone)]
        pub enum Hash {
            $( $variant($ty), )*
            Blake2b(blake2b_simd::State),
            Blake2s(blake2s_simd::State),
            Md5Sha1(md5::Md5, sha1::Sha1),
            Shake128(shake::Shake128),
            Shake256(shake::Shake256),
        }

        $( pub static $constant: Algorithm = Algorithm {
            name: $name,
            digest_size: $digest,
            block_size: $block,
            start: || Hash::$variant(<$ty>::new()),
        }; )*

        impl Hash {
            pub fn update(&mut self, data: &[u8]) {
                match self {
                    $( Hash::$variant(hash) => Digest::update(hash, data), )*
                    Hash::Blake2b(hash) => drop(hash.update(data)),
                    Hash::Blake2s(hash) => drop(hash.update(data)),
                    Hash::Md5Sha1(md5, sha1) => {
                        Digest::update(md5, data);
                        Digest::update(sha1, data);
                    }
                    Hash::Shake128(hash) => Update::update(hash, data),
                    Hash::Shake256(hash) => Update::update(hash, data),
                }
            }

            /// Writes the digest, which has as many bytes as `out`, or more.
            pub fn finish(self, out: &mut [u8]) {
                match self {
                    $( Hash::$variant(hash) => put(out, &hash.finalize()), )*
                    Hash::Blake2b(hash) => put(out, hash.finalize().as_bytes()),
                    Hash::Blake2s(hash) => put(out, hash.finalize().as_bytes()),
                    Hash::Md5Sha1(md5, sha1) => {
                        let (first, second) = out.split_at_mut(16.min(out.len()));
                        put(first, &md5.finalize());
                        put(second, &sha1.finalize());
                    }
                    Hash::Shake128(hash) => hash.finalize_xof().read(out),
                    Hash::Shake256(hash) => hash.finalize_xof().read(out),
                }
            }
        }
    };
}

algorithms! {
    Md5(md5::Md5) MD5 = "md5", 16, 64;
    Sha1(sha1::Sha1) SHA1 = "sha1", 20, 64;
    Sha224(sha2::Sha224) SHA224 = "sha224", 28, 64;
    Sha256(sha2::Sha256) SHA256 = "sha256", 32, 64;
    Sha384(sha2::Sha384) SHA384 = "sha384", 48, 128;
    Sha512(sha2::Sha512) SHA512 = "sha512", 64, 128;
    Sha512T224(sha2::Sha512_224) SHA512_224 = "sha512_224", 28, 128;
    Sha512T256(sha2::Sha512_256) SHA512_256 = "sha512_256", 32, 128;
    Sha3T224(sha3::Sha3_224) SHA3_224 = "sha3_224", 28, 144;
    Sha3T256(sha3::Sha3_256) SHA3_256 = "sha3_256", 32, 136;
    Sha3T384(sha3::Sha3_384) SHA3_384 = "sha3_384", 48, 104;
    Sha3T512(sha3::Sha3_512) SHA3_512 = "sha3_512", 64, 72;
    Ripemd160(ripemd::Ripemd160) RIPEMD160 = "ripemd160", 20, 64;
    Sm3(sm3::Sm3) SM3 = "sm3", 32, 64;
}

fn put(out: &mut [u8], digest: &[u8]) {
    out.copy_from_slice(&digest[..out.len()]);
}

pub static MD5_SHA1: Algorithm = Algorithm {
    name: "md5-sha1",
    digest_size: 36,
    block_size: 64,
    start: || Hash::Md5Sha1(md5::Md5::new(), sha1::Sha1::new()),
};
pub static SHAKE_128: Algorithm = Algorithm {
    name: "shake_128",
    digest_size: 0,
    block_size: 168,
    start: || Hash::Shake128(shake::Shake128::default()),
};
pub static SHAKE_256: Algorithm = Algorithm {
    name: "shake_256",
    digest_size: 0,
    block_size: 136,
    start: || Hash::Shake256(shake::Shake256::default()),
};
pub static BLAKE2B: Algorithm = Algorithm {
    name: "blake2b",
    digest_size: 64,
    block_size: 128,
    start: || Hash::Blake2b(blake2b_simd::State::new()),
};
pub static BLAKE2S: Algorithm =
    Algorithm { name: "blake2s", digest_size: 32, block_size: 64, start: || Hash::Blake2s(blake2s_simd::State::new()) };

/// Data to be hashed.
pub fn hashable<'a>(vm: &Vm, data: &'a Value) -> Result<BytesLike<'a>> {
    if data.downcast::<Str>().is_some() {
        return Err(vm.type_error("Strings must be encoded before hashing"));
    }
    if !vm.has_buffer(data) {
        return Err(vm.type_error("object supporting the buffer API required"));
    }
    vm.bytes_like(data)
}

/// Hashes data, without the GIL if they are long.
pub fn update_unlocked(hash: &mut Hash, data: &[u8]) {
    if data.len() >= GIL_MINSIZE {
        taipan_object::vm::hooks::blocking(|| hash.update(data));
    } else {
        hash.update(data);
    }
}

/// The data of a constructor that takes them as `data` or by the old name `string`.
pub fn initial_data<'a>(vm: &Vm, data: &'a Value, string: &'a Value) -> Result<Option<&'a Value>> {
    match (data.bound(), string.is_none()) {
        (Some(_), false) => Err(vm.type_error(
            "'data' and 'string' are mutually exclusive and support for 'string' keyword parameter is slated for removal \
             in a future version.",
        )),
        (Some(data), true) => Ok(Some(data)),
        (None, true) => Ok(None),
        (None, false) => Ok(Some(string)),
    }
}

/// A non-negative number for the C type named.
pub fn unsigned(vm: &Vm, value: &Value, c_type: &str) -> Result<u64> {
    let index = vm.index(value)?;
    if taipan_object::builtins::int::is_negative(&index) {
        return Err(vm.value_error("Cannot convert negative int"));
    }
    taipan_object::builtins::int::to_u64(&index)
        .ok_or_else(|| vm.overflow_error(format!("Python int too large for C {c_type}")))
}

/// Lower-case hexadecimal digits.
pub fn hex(data: &[u8]) -> Value {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut digits = Vec::new();
    if digits.make_room(2 * data.len()) {
        digits.extend(data.iter().flat_map(|byte| [DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 15)]]));
    }
    Str::from_ascii(&digits).into_value()
}

/// What every module of hash functions has.
pub fn set_minsize(module: &Module) {
    int_constants!(module; _GIL_MINSIZE = GIL_MINSIZE);
}
