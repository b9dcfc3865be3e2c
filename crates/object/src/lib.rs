//! Values, reference counts, heap, collector, types, shapes and the built-in types.
//!
//! Reading order: [`value`], [`header`], [`count`], [`heap`], [`object`], [`cell`]; then [`types`], [`shape`],
//! [`attributes`]; then [`vm`] (protocols and errors), [`native`] (how native code is declared) and [`builtins`].

pub mod attributes;
pub mod buffer;
pub mod builtins;
pub mod cell;
pub mod codecs;
pub mod collector;
pub mod count;
pub mod exceptions;
pub mod hash;
pub mod header;
pub mod heap;
pub mod native;
pub mod object;
pub mod parking;
pub mod shape;
#[cfg(feature = "stats")]
pub mod stats;
pub mod text;
pub mod types;
pub mod value;
pub mod vm;
pub mod weakref;

pub use object::{Ref, Result};
pub use value::Value;
pub use vm::{Raised, Vm};

#[cfg(test)]
mod tests;
