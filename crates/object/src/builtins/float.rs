//! `float`: immediates for 2^-255 … 2^256, heap objects for the rest; methods are in `float/`.

use crate::builtins::int::Operand;
use crate::hash::MODULUS;
use crate::header::Header;
use crate::heap::Kind;
use crate::object::{Payload, Ref, Result};
use crate::types::{Type, TypeSpec, type_flags};
use crate::value::Value;
use crate::vm::Vm;
use std::sync::LazyLock;

pub mod arithmetic;
pub mod compare;
pub mod construct;
pub mod methods;
pub mod rounding;

pub use arithmetic::{add, divmod, floor_divide, multiply, power, remainder, subtract, true_divide};
pub use compare::compare;

/// A heap float.
#[repr(C)]
pub struct Float {
    pub header: Header,
    pub value: f64,
}

// SAFETY: repr(C), header first, no references.
unsafe impl Payload for Float {
    const KIND: Kind = Kind::Leaf;
    fn static_type() -> &'static Type {
        FLOAT.ty()
    }
}

pub static FLOAT: TypeSpec = TypeSpec::new::<Float>("float")
    .doc("float(x=0, /)\n--\n\nA floating-point number, converted from a number or parsed from a string.")
    .flags(type_flags::BASETYPE | type_flags::MATCH_SELF)
    .slots(methods::slots)
    .methods(methods::METHODS)
    .getset(methods::GETSET);

/// The usual floats without an immediate form: +0.0, −0.0, inf, −inf; immortal. Each nan is an object of its own: containers
/// find it by its identity only.
static USUAL: LazyLock<[Value; 4]> = LazyLock::new(|| {
    [0.0, -0.0, f64::INFINITY, f64::NEG_INFINITY].map(|f| {
        let float = Ref::new(Float { header: Header::new(FLOAT.ty()), value: f });
        float.header.make_immortal();
        float.into_value()
    })
});

#[inline]
pub fn from_f64(f: f64) -> Value {
    match Value::immediate_float(f) {
        Some(value) => value,
        None => heap_float(f),
    }
}

#[cold]
#[inline(never)]
fn heap_float(f: f64) -> Value {
    if f == 0.0 || f.is_infinite() {
        return USUAL[usize::from(f != 0.0) * 2 + usize::from(f.is_sign_negative())].clone();
    }
    Ref::new(Float { header: Header::new(FLOAT.ty()), value: f }).into_value()
}

/// An instance of the float subclass `ty`.
pub fn new_with_type(ty: &Type, value: f64) -> Value {
    Ref::new_with_type(ty, Float { header: Header::new(ty), value }).into_value()
}

/// The value of a float (or subclass instance).
#[inline]
pub fn to_f64(value: &Value) -> Option<f64> {
    match value.as_immediate_float() {
        Some(f) => Some(f),
        None => value.downcast::<Float>().map(|float| float.value),
    }
}

/// `is` of two heap floats that are not the same object: the same bits, and no nan.
#[cold]
pub fn same_heap_float(a: &Value, b: &Value) -> bool {
    matches!((a.downcast_exact::<Float>(), b.downcast_exact::<Float>()),
        (Some(a), Some(b)) if a.value.to_bits() == b.value.to_bits() && !a.value.is_nan())
}

/// What `__float__` gives.
pub(super) fn by_slot(vm: &Vm, value: &Value, slot: crate::types::slots::Unary) -> Result<f64> {
    let result = slot(vm, value)?;
    let Some(f) = to_f64(&result) else {
        let (name, got) = (value.ty().name(), result.ty().name());
        return Err(vm.type_error(format!("{name}.__float__ returned non-float (type {got})")));
    };
    if !is_exact(&result) {
        let (name, got) = (value.ty().name(), result.ty().name());
        let message = format!(
            "{name}.__float__ returned non-float (type {got}).  The ability to return an instance of a strict subclass of \
             float is deprecated, and may be removed in a future version of Python."
        );
        vm.warn(&crate::exceptions::DEPRECATION_WARNING.value(), &message, 1)?;
    }
    Ok(f)
}

/// `float(value)` for numbers (`PyFloat_AsDouble`).
pub fn as_f64(vm: &Vm, value: &Value) -> Result<f64> {
    if let Some(f) = to_f64(value) {
        return Ok(f);
    }
    if let Some(n) = value.as_small_int() {
        return Ok(n as f64);
    }
    if let Some(slot) = value.ty().slots().float {
        return by_slot(vm, value, slot);
    }
    if value.ty().slots().index.is_some() {
        let index = vm.index(value)?;
        return match Operand::of(&index).and_then(Operand::to_f64) {
            Some(f) => Ok(f),
            None => Err(vm.overflow_error("int too large to convert to float")),
        };
    }
    Err(vm.type_error(format!("must be real number, not {}", value.ty().name())))
}

/// Whether the type is exactly float.
#[inline]
pub fn is_exact(value: &Value) -> bool {
    value.is_immediate_float() || value.downcast_exact::<Float>().is_some()
}

/// The hash of a float: that of the equal int if there is one, else modulo 2^61 − 1 (`_Py_HashDouble`).
pub fn hash_f64(f: f64, identity: u64) -> i64 {
    if f.is_nan() {
        return crate::hash::hash_pointer(identity);
    }
    if f.is_infinite() {
        return if f > 0.0 { 314159 } else { -314159 };
    }
    let bits = f.abs().to_bits();
    let (mut mantissa, mut exponent) = (bits & ((1 << 52) - 1), (bits >> 52) as i64);
    if exponent == 0 {
        exponent = 1;
    } else {
        mantissa |= 1 << 52;
    }
    // f = mantissa · 2^(exponent − 1075); 2^61 ≡ 1 modulo 2^61 − 1, so powers of two rotate 61 bits.
    let shift = (exponent - 1075).rem_euclid(61) as u32;
    let reduced = (((mantissa as u128) << shift) % MODULUS as u128) as i64;
    match if f < 0.0 { -reduced } else { reduced } {
        -1 => -2,
        hash => hash,
    }
}
