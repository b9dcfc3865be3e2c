//! `_sha2`

use taipan_object::native::MethodDef;

crate::hashing::object::hash_family! {
    "_sha2", "":
    SHA224("_sha2.SHA224Type", "SHA224Type") SHA224_METHODS = "sha224", SHA224;
    SHA256("_sha2.SHA256Type", "SHA256Type") SHA256_METHODS = "sha256", SHA256;
    SHA384("_sha2.SHA384Type", "SHA384Type") SHA384_METHODS = "sha384", SHA384;
    SHA512("_sha2.SHA512Type", "SHA512Type") SHA512_METHODS = "sha512", SHA512;
}
