//! `complex`: representation and conversions; `complex/` has arithmetic, construction and methods.

use crate::builtins::float;
use crate::builtins::int::Operand;
use crate::header::Header;
use crate::heap::Kind;
use crate::object::{Payload, Ref, Result};
use crate::types::{Type, TypeSpec, type_flags};
use crate::value::Value;
use crate::vm::Vm;

pub mod arithmetic;
pub mod construct;
pub mod methods;

pub use arithmetic::power_of;

/// A complex number.
#[repr(C)]
pub struct Complex {
    pub header: Header,
    pub real: f64,
    pub imag: f64,
}

// SAFETY: repr(C), header first, no references.
unsafe impl Payload for Complex {
    const KIND: Kind = Kind::Leaf;
    fn static_type() -> &'static Type {
        COMPLEX.ty()
    }
}

pub static COMPLEX: TypeSpec = TypeSpec::new::<Complex>("complex")
    .doc(
        "complex(real=0, imag=0)\n\
         --\n\n\
         A complex number, made from numbers or parsed from a string.\n\n\
         A string such as '1+2j' must be the only argument.  One number is\n\
         converted; of two, the first is the real part and the second the\n\
         imaginary part, each 0 by default.",
    )
    .flags(type_flags::BASETYPE)
    .slots(methods::slots)
    .methods(methods::METHODS)
    .members(methods::MEMBERS);

/// Real and imaginary part.
pub type Parts = (f64, f64);

/// An exact complex number.
pub fn from_parts((real, imag): Parts) -> Value {
    Ref::new(Complex { header: Header::new(COMPLEX.ty()), real, imag }).into_value()
}

/// An instance of `class`, complex or a subclass.
pub fn new_with_type(ty: &Type, (real, imag): Parts) -> Value {
    Ref::new_with_type(ty, Complex { header: Header::new(ty), real, imag }).into_value()
}

/// The parts of a complex number (or subclass instance).
#[inline]
pub fn parts(value: &Value) -> Option<Parts> {
    value.downcast::<Complex>().map(|c| (c.real, c.imag))
}

/// `complex(value)` for numbers (`PyComplex_AsCComplex`).
pub fn as_parts(vm: &Vm, value: &Value) -> Result<Parts> {
    if let Some(parts) = parts(value) {
        return Ok(parts);
    }
    if let Some(parts) = construct::by_special_method(vm, value)? {
        return Ok(parts);
    }
    Ok((float::as_f64(vm, value)?, 0.0))
}

pub fn hash((real, imag): Parts, identity: u64) -> i64 {
    let real = float::hash_f64(real, identity) as u64;
    let imag = float::hash_f64(imag, identity) as u64;
    match real.wrapping_add(imag.wrapping_mul(1_000_003)) as i64 {
        -1 => -2,
        hash => hash,
    }
}

/// Whether the two numbers are equal: `None` if `value` is no number.
fn equals((real, imag): Parts, value: &Value) -> Option<bool> {
    if let Some(other) = parts(value) {
        return Some((real, imag) == other);
    }
    if let Some(f) = float::to_f64(value) {
        return Some(imag == 0.0 && real == f);
    }
    let n = Operand::of(value)?;
    Some(imag == 0.0 && n.partial_cmp_f64(real) == Some(std::cmp::Ordering::Equal))
}
