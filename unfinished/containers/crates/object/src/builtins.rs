//! The built-in types, one file or folder each.

pub mod bool;
pub mod cell;
pub mod dict;
pub mod float;
pub mod generic_alias;
pub mod int;
pub mod iterator;
pub mod list;
pub mod mappingproxy;
pub mod method;
pub mod module;
pub mod object;
pub mod singletons;
pub mod slice;
pub mod staticmethod;
pub mod str;
pub mod tuple;
pub mod type_object;
