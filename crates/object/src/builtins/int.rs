//! `int`: small ints are immediates, others hold an [`IBig`]; arithmetic and methods are in `int/`.
//!
//! The operators that `int` re-exports ([`add`], [`compare`] …) are its slot functions: for operands that are no ints
//! they return `NotImplemented`.
//!
//! Invariant: an exact int that fits 63 bits is never a heap object. Instances of subclasses are heap objects whatever
//! their value.

use crate::hash::MODULUS;
use crate::header::Header;
use crate::heap::{self, Kind};
use crate::object::{self, Payload, Ref, Result};
use crate::types::{Type, TypeSpec, type_flags};
use crate::value::Value;
use crate::vm::Vm;
use dashu_int::{IBig, Sign};
use std::mem::ManuallyDrop;

pub mod arithmetic;
pub mod bits;
pub mod bytes;
pub mod compare;
pub mod construct;
pub mod float_conversion;
pub mod format;
pub mod methods;
pub mod power;
mod short;

pub use arithmetic::{absolute, add, divmod, floor_divide, multiply, negative, remainder, subtract, true_divide};
pub use bits::{and, invert, lshift, or, rshift, xor};
pub use compare::compare;
pub use construct::{max_str_digits, set_max_str_digits, to_decimal};
pub use power::power;

/// A heap int. Its words are in a buffer of the library's or, if they are many and [`from_long_words`] has made it, behind the
/// struct.
#[repr(C)]
pub struct Int {
    pub header: Header,
    value: ManuallyDrop<IBig>,
}

impl Int {
    #[inline(always)]
    pub fn as_ibig(&self) -> &IBig {
        &self.value
    }
}

impl Drop for Int {
    #[inline]
    fn drop(&mut self) {
        if self.value.as_sign_words().1.as_ptr().cast() != (&raw const *self).wrapping_add(1) {
            // SAFETY: dropped here and nowhere else; its buffer, if any, is its own.
            unsafe { ManuallyDrop::drop(&mut self.value) };
        }
    }
}

// SAFETY: repr(C), header first, no references.
unsafe impl Payload for Int {
    const KIND: Kind = Kind::Leaf;
    const SUBCLASS_FLAG: u64 = type_flags::LONG_SUBCLASS;
    fn static_type() -> &'static Type {
        INT.ty()
    }
}

pub static INT: TypeSpec = TypeSpec::new::<Int>("int")
    .itemsize(4)
    .doc(
        "int([x]) -> integer\n\
         int(x, base=10) -> integer\n\n\
         An integer of any size, made from a number or parsed from text.\n\n\
         Without arguments it is 0.  A float loses its fraction.  Other objects\n\
         are asked for their value with __int__() or __index__().\n\n\
         Text, which may be a str, bytes or a bytearray, has digits in the given\n\
         base, from 2 to 36.  A sign, underscores between digits and whitespace\n\
         around them are allowed.  With base 0 the text is read as a literal, so\n\
         that a prefix states the base.\n\
         >>> int('0x1f', base=0)\n\
         31",
    )
    .flags(type_flags::BASETYPE | type_flags::LONG_SUBCLASS | type_flags::MATCH_SELF)
    .slots(methods::slots)
    .methods(methods::METHODS)
    .getset(methods::GETSET);

#[inline(always)]
pub fn from_i64(n: i64) -> Value {
    if (Value::SMALL_INT_MIN..=Value::SMALL_INT_MAX).contains(&n) {
        Value::small_int(n)
    } else {
        heap_int(IBig::from(n))
    }
}

pub fn from_u64(n: u64) -> Value {
    if n <= Value::SMALL_INT_MAX as u64 { Value::small_int(n as i64) } else { heap_int(IBig::from(n)) }
}

pub fn from_i128(n: i128) -> Value {
    match i64::try_from(n) {
        Ok(n) => from_i64(n),
        Err(_) => heap_int(IBig::from(n)),
    }
}

/// Whether it has more than one word, so that it fits no `i64`.
#[inline]
fn is_long(n: &IBig) -> bool {
    n.as_sign_words().1.len() > 1
}

/// An exact int; immediate if it fits.
pub fn from_ibig(n: IBig) -> Value {
    if is_long(&n) {
        return heap_int_of(n);
    }
    match i64::try_from(&n) {
        Ok(small) => from_i64(small),
        Err(_) => heap_int(n),
    }
}

fn heap_int(value: IBig) -> Value {
    if let Ok(small) = i64::try_from(&value)
        && (Value::SMALL_INT_MIN..=Value::SMALL_INT_MAX).contains(&small)
    {
        return Value::small_int(small);
    }
    heap_int_of(value)
}

/// An exact int of a value that is not immediate.
#[inline]
fn heap_int_of(value: IBig) -> Value {
    Ref::new(Int { header: Header::new(INT.ty()), value: ManuallyDrop::new(value) }).into_value()
}

/// An exact int of at least three words, the highest of which is not 0, in one block.
#[inline]
fn from_long_words(sign: Sign, words: &[u64]) -> Value {
    debug_assert!(words.len() > 2, "shorter ones have their words in the struct");
    let Some(block) = object::allocate(INT.ty(), size_of::<Int>() + size_of_val(words)) else { heap::out_of_memory() };
    let int = block.cast::<Int>();
    // SAFETY: the block has room for the struct and the words. The library's value only looks at them, as its contract for static
    // words says: `Drop` leaves it alone, nobody can move it out of the struct or change it, and it ends with them.
    unsafe {
        let place = int.as_ptr().add(1).cast::<u64>();
        place.copy_from_nonoverlapping(words.as_ptr(), words.len());
        let value = IBig::from_static_words(sign, std::slice::from_raw_parts(place, words.len()));
        int.as_ptr().write(Int { header: Header::new(INT.ty()), value: ManuallyDrop::new(value) });
        Value::from_object_pointer(int.cast())
    }
}

/// An instance of the int subclass `ty`.
pub fn new_with_type(ty: &Type, value: IBig) -> Value {
    Ref::new_with_type(ty, Int { header: Header::new(ty), value: ManuallyDrop::new(value) }).into_value()
}

/// The value of an int, bool or subclass instance, without a copy. `Big` never holds what fits `Small`.
#[derive(Clone, Copy)]
pub enum Operand<'a> {
    Small(i64),
    Big(&'a IBig),
}

impl<'a> Operand<'a> {
    /// `None` for what is no int.
    #[inline]
    pub fn of(value: &'a Value) -> Option<Operand<'a>> {
        if let Some(n) = value.as_small_int() {
            return Some(Operand::Small(n));
        }
        if value.is_bool() {
            return Some(Operand::Small(value.is_true() as i64));
        }
        let big = value.downcast::<Int>()?.as_ibig();
        if is_long(big) {
            return Some(Operand::Big(big));
        }
        Some(match i64::try_from(big) {
            Ok(n) => Operand::Small(n),
            Err(_) => Operand::Big(big),
        })
    }

    pub fn to_ibig(self) -> IBig {
        match self {
            Operand::Small(n) => IBig::from(n),
            Operand::Big(big) => big.clone(),
        }
    }

    pub fn is_zero(self) -> bool {
        matches!(self, Operand::Small(0))
    }

    pub fn is_negative(self) -> bool {
        match self {
            Operand::Small(n) => n < 0,
            Operand::Big(big) => big.sign() == Sign::Negative,
        }
    }

    /// Bits of the magnitude.
    pub fn bit_length(self) -> usize {
        match self {
            Operand::Small(n) => 64 - n.unsigned_abs().leading_zeros() as usize,
            Operand::Big(big) => magnitude_bits(big),
        }
    }
}

/// Bits of the magnitude.
pub fn magnitude_bits(n: &IBig) -> usize {
    let (_, words) = n.as_sign_words();
    words.last().map_or(0, |top| words.len() * 64 - top.leading_zeros() as usize)
}

/// Raises `MemoryError` when there is no room for a result of so many bits and what computing it takes. The big-integer
/// library cannot report failure.
#[inline]
pub fn check_room(vm: &Vm, bits: usize) -> Result<()> {
    if bits < LARGE_BITS { Ok(()) } else { check_large_room(vm, bits) }
}

/// Requests below this cannot fail (see [`crate::heap::LARGEST_EMERGENCY`]).
const LARGE_BITS: usize = 1 << 18;

#[cold]
fn check_large_room(vm: &Vm, bits: usize) -> Result<()> {
    let bytes = (bits / 8).checked_mul(3);
    let mut room: Vec<u8> = Vec::new();
    match bytes {
        Some(bytes) if bits < isize::MAX as usize && room.try_reserve_exact(bytes).is_ok() => Ok(()),
        _ => Err(vm.memory_error()),
    }
}

/// Whether the value is an int (bools and subclasses included).
#[inline]
pub fn is_int(value: &Value) -> bool {
    value.is_small_int() || value.is_bool() || value.downcast::<Int>().is_some()
}

/// Whether the type is exactly int.
#[inline]
pub fn is_exact(value: &Value) -> bool {
    value.is_small_int() || value.downcast_exact::<Int>().is_some()
}

/// The exact int with the value of an int, bool or subclass instance.
pub fn to_exact(value: &Value) -> Value {
    if is_exact(value) {
        return value.clone();
    }
    match to_i64(value) {
        Some(n) => from_i64(n),
        None => to_ibig(value).map_or(Value::small_int(0), from_ibig),
    }
}

/// The value of an int (bool, subclass) if it fits.
#[inline]
pub fn to_i64(value: &Value) -> Option<i64> {
    if let Some(n) = value.as_small_int() {
        return Some(n);
    }
    if value.is_bool() {
        return Some(value.is_true() as i64);
    }
    i64::try_from(value.downcast::<Int>()?.as_ibig()).ok()
}

pub fn to_u64(value: &Value) -> Option<u64> {
    match to_i64(value) {
        Some(n) => u64::try_from(n).ok(),
        None => u64::try_from(value.downcast::<Int>()?.as_ibig()).ok(),
    }
}

/// The value of an int (bool, subclass).
pub fn to_ibig(value: &Value) -> Option<IBig> {
    if let Some(n) = value.as_small_int() {
        return Some(IBig::from(n));
    }
    if value.is_bool() {
        return Some(IBig::from(value.is_true() as i64));
    }
    Some(value.downcast::<Int>()?.as_ibig().clone())
}

/// Whether an int is below zero.
pub fn is_negative(value: &Value) -> bool {
    match to_i64(value) {
        Some(n) => n < 0,
        None => value.downcast::<Int>().is_some_and(|int| int.value.sign() == Sign::Negative),
    }
}

/// The hash of an int that fits 64 bits.
#[inline]
pub fn hash_i64(n: i64) -> i64 {
    let magnitude = n.unsigned_abs();
    let reduced = if magnitude < MODULUS { magnitude } else { magnitude % MODULUS } as i64;
    match if n < 0 { -reduced } else { reduced } {
        -1 => -2,
        hash => hash,
    }
}

/// The hash of an int.
pub fn hash(value: &Value) -> i64 {
    match to_i64(value) {
        Some(n) => hash_i64(n),
        None => value.downcast::<Int>().map_or(0, |int| hash_ibig(&int.value)),
    }
}

pub fn hash_ibig(n: &IBig) -> i64 {
    // The remainder of x by 2^61 − 1: what stands above bit 61 counts once more at the bottom.
    let fold = |x: u128| (x & MODULUS as u128) + (x >> 61);
    let (sign, words) = n.as_sign_words();
    let mut reduced = 0u64;
    for word in words.iter().rev() {
        let folded = fold(fold(u128::from(reduced) << 64 | *word as u128)) as u64;
        reduced = if folded >= MODULUS { folded - MODULUS } else { folded };
    }
    let reduced = reduced as i64;
    match if sign == dashu_int::Sign::Negative { -reduced } else { reduced } {
        -1 => -2,
        hash => hash,
    }
}

/// What a `__hash__` written in Python returned, as a hash; `None` if it is no int.
pub fn hash_result(value: &Value) -> Option<i64> {
    if !is_int(value) {
        return None;
    }
    match to_i64(value) {
        Some(-1) => Some(-2),
        Some(n) => Some(n),
        None => Some(hash(value)),
    }
}

/// As [`to_exact`] for ints; other values unchanged.
pub fn to_exact_if_int(value: &Value) -> Value {
    if is_int(value) { to_exact(value) } else { value.clone() }
}

#[cfg(test)]
mod tests;
