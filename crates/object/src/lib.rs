//! Values, reference counts, heap, collector, types, shapes and the built-in types.
//!
//! Reading order: [`value`], [`header`], [`count`], [`heap`], [`object`], [`cell`]; then [`types`], [`shape`],
//! [`attributes`]; then [`vm`] (protocols and errors), [`native`] (how native code is declared) and [`builtins`].

pub mod value;
pub mod header;
pub mod count;
pub mod heap;
pub mod object;
pub mod cell;
pub mod hash;
pub mod types;
pub mod shape;
pub mod attributes;
pub mod weakref;
pub mod buffer;
pub mod vm;
pub mod native;
pub mod exceptions;
pub mod builtins;
pub mod text;

pub use object::{Ref, Result};
pub use value::Value;
pub use vm::{Raised, Vm};

#[cfg(test)]
mod tests;
