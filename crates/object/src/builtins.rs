//! The built-in types, one file or folder each.

pub mod bool;
pub mod bytearray;
pub mod bytes;
pub mod cell;
pub mod complex;
pub mod dict;
pub mod float;
pub mod generic_alias;
pub mod int;
pub mod iterator;
pub mod list;
pub mod mappingproxy;
pub mod method;
pub mod module;
pub mod number_locale;
pub mod object;
pub mod property;
pub mod singletons;
pub mod staticmethod;
pub mod str;
pub mod super_object;
pub mod tuple;
pub mod type_object;
pub mod union;
