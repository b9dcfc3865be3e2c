//! `_sha1`

use taipan_object::native::MethodDef;

crate::hashing::object::hash_family! {
    "_sha1", "":
    SHA1("_sha1.sha1", "SHA1Type") METHODS = "sha1", SHA1;
}
