//! Decimal arithmetic by the General Decimal Arithmetic Specification: the counterpart of libmpdec.
//!
//! Knows nothing of Python objects. Operations take a context and add the conditions that arise to a status word; traps
//! are the caller's business.

pub mod arithmetic;
pub mod coefficient;
pub mod compare;
pub mod context;
pub mod divide;
pub mod fixed;
pub mod integral;
pub mod limbs;
pub mod logical;
pub mod number;
pub mod power;
pub mod sqrt;
pub mod text;
pub mod transcendental;
pub mod wide;

pub use coefficient::{Coefficient, NoRoom};
pub use context::{Context, Rounding, status};
pub use number::{Class, Number};
