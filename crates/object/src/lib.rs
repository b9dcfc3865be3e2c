//! Values, reference counts, heap, collector, types, shapes and the built-in types.

pub mod heap;
pub mod text;
