//! `_md5`

use taipan_object::native::MethodDef;

crate::hashing::object::hash_family! {
    "_md5", "":
    MD5("_md5.md5", "MD5Type") METHODS = "md5", MD5;
}
