//! The tagged word that every Python reference is.
//!
//! A [`Value`] is one non-zero 64-bit word. Its low bits say what it holds:
//!
//! | low bits | meaning |
//! |---|---|
//! | `xx1` | small int: 63 bits, `word >> 1` |
//! | `x10` | immediate float: `rotl(bits + 2^60, 3)`, which covers 2^-255 … 2^256 |
//! | `100` | `None`, `True`, `False`, `Ellipsis`, `NotImplemented`, and the unbound marker |
//! | `000` | pointer to a 16-byte-aligned object, of which the value owns one reference |
//!
//! Invariants: an int that fits 63 bits is never a heap object; the zero word is never a `Value`, so
//! `Option<Value>` and `Result<Value, Raised>` are one word too.

use crate::count;
use crate::header::Header;
use crate::object::{Payload, Ref};
use crate::types::Type;
use std::num::NonZeroU64;
use std::ptr::NonNull;

/// A reference to a Python object, or an immediate.
#[repr(transparent)]
pub struct Value(NonZeroU64);

// SAFETY: counts are biased (see `count`), object state sits in cells that lock when threads run in
// parallel; with the GIL on only its holder touches objects.
unsafe impl Send for Value {}
// SAFETY: as above.
unsafe impl Sync for Value {}

const TAG_SPECIAL: u64 = 0b100;
const fn special(n: u64) -> Value {
    match NonZeroU64::new(n << 3 | TAG_SPECIAL) {
        Some(word) => Value(word),
        None => unreachable!(),
    }
}

impl Value {
    pub const NONE: Value = special(0);
    pub const FALSE: Value = special(2);
    pub const TRUE: Value = special(3);
    pub const ELLIPSIS: Value = special(4);
    pub const NOT_IMPLEMENTED: Value = special(5);
    /// Marks an absent argument or unbound variable; never visible to Python.
    pub const UNBOUND: Value = special(6);

    pub const SMALL_INT_MIN: i64 = i64::MIN >> 1;
    pub const SMALL_INT_MAX: i64 = i64::MAX >> 1;

    /// The raw word.
    #[inline(always)]
    pub fn word(&self) -> u64 {
        self.0.get()
    }

    /// The raw word, giving up ownership of the reference.
    #[inline(always)]
    pub fn into_word(self) -> u64 {
        let word = self.0.get();
        std::mem::forget(self);
        word
    }

    /// Takes over a raw word.
    ///
    /// # Safety
    /// `word` is non-zero and was made by [`Value::into_word`] (its reference passes to the result).
    #[inline(always)]
    pub unsafe fn from_word(word: u64) -> Value {
        // SAFETY: the caller passes a word that a `Value` had.
        Value(unsafe { NonZeroU64::new_unchecked(word) })
    }

    /// Views a raw word in place as a value, without touching its count.
    ///
    /// # Safety
    /// `*word` is a valid value's word for as long as the borrow lasts.
    #[inline(always)]
    pub unsafe fn borrow_word(word: &u64) -> &Value {
        // SAFETY: `Value` is a transparent wrapper of a non-zero u64.
        unsafe { &*(word as *const u64 as *const Value) }
    }

    /// An int that fits 63 bits.
    #[inline(always)]
    pub const fn small_int(n: i64) -> Value {
        debug_assert!(n >= Self::SMALL_INT_MIN && n <= Self::SMALL_INT_MAX);
        // SAFETY: the low bit is set, so the word is non-zero.
        Value(unsafe { NonZeroU64::new_unchecked((n as u64) << 1 | 1) })
    }

    /// The value of a small int.
    #[inline(always)]
    pub fn as_small_int(&self) -> Option<i64> {
        if self.is_small_int() { Some(self.word() as i64 >> 1) } else { None }
    }

    #[inline(always)]
    pub fn is_small_int(&self) -> bool {
        self.word() & 1 == 1
    }

    #[inline(always)]
    pub const fn bool(b: bool) -> Value {
        if b { Self::TRUE } else { Self::FALSE }
    }

    /// The immediate form of a float, if it has one.
    #[inline(always)]
    pub fn immediate_float(f: f64) -> Option<Value> {
        let word = f.to_bits().wrapping_add(1 << 60).rotate_left(3);
        // SAFETY: bit 1 is set, so the word is non-zero.
        if word & 3 == 2 { Some(Value(unsafe { NonZeroU64::new_unchecked(word) })) } else { None }
    }

    #[inline(always)]
    pub fn is_immediate_float(&self) -> bool {
        self.word() & 3 == 2
    }

    /// The value of an immediate float.
    #[inline(always)]
    pub fn as_immediate_float(&self) -> Option<f64> {
        if self.is_immediate_float() {
            Some(f64::from_bits(self.word().rotate_right(3).wrapping_sub(1 << 60)))
        } else {
            None
        }
    }

    #[inline(always)]
    pub fn is_none(&self) -> bool {
        self.word() == Self::NONE.word()
    }
    #[inline(always)]
    pub fn is_true(&self) -> bool {
        self.word() == Self::TRUE.word()
    }
    #[inline(always)]
    pub fn is_false(&self) -> bool {
        self.word() == Self::FALSE.word()
    }
    #[inline(always)]
    pub fn is_bool(&self) -> bool {
        self.is_true() || self.is_false()
    }
    #[inline(always)]
    pub fn is_not_implemented(&self) -> bool {
        self.word() == Self::NOT_IMPLEMENTED.word()
    }
    #[inline(always)]
    pub fn is_unbound(&self) -> bool {
        self.word() == Self::UNBOUND.word()
    }
    /// `None` if this is the unbound marker.
    #[inline(always)]
    pub fn bound(&self) -> Option<&Value> {
        if self.is_unbound() { None } else { Some(self) }
    }
    /// `None` if this is the unbound marker or Python's `None`.
    #[inline(always)]
    pub fn given(&self) -> Option<&Value> {
        if self.is_unbound() || self.is_none() { None } else { Some(self) }
    }

    /// Whether this is a pointer to an object (not an immediate).
    #[inline(always)]
    pub fn is_object(&self) -> bool {
        self.word() & 7 == 0
    }

    /// The header of the object pointed to.
    #[inline(always)]
    pub fn as_object(&self) -> Option<&Header> {
        if self.is_object() {
            // SAFETY: only `from_object_pointer` makes words with this tag, from live objects of which
            // this value owns a reference for as long as the borrow lasts.
            Some(unsafe { &*(self.word() as *const Header) })
        } else {
            None
        }
    }

    /// Makes a value from an object pointer, taking over one reference.
    ///
    /// # Safety
    /// `object` points to a live object, one reference of which passes to the result.
    #[inline(always)]
    pub unsafe fn from_object_pointer(object: NonNull<Header>) -> Value {
        // SAFETY: non-null by type.
        Value(unsafe { NonZeroU64::new_unchecked(object.as_ptr() as u64) })
    }

    /// Python's `is`: identity for objects, equality of bits for immediates.
    #[inline(always)]
    pub fn is(&self, other: &Value) -> bool {
        self.word() == other.word() || (self.is_object() && crate::builtins::float::same_heap_float(self, other))
    }

    /// The type of this value (borrowed: kept alive by the value).
    #[inline(always)]
    pub fn ty(&self) -> &Type {
        match self.as_object() {
            Some(header) => header.ty(),
            None => self.immediate_type(),
        }
    }

    /// Not inlined, as it would be wherever a type is asked for; most values are objects.
    #[inline(never)]
    fn immediate_type(&self) -> &'static Type {
        if self.is_small_int() {
            return crate::builtins::int::INT.ty();
        }
        if self.is_immediate_float() {
            return crate::builtins::float::FLOAT.ty();
        }
        if self.is_bool() {
            return crate::builtins::bool::BOOL.ty();
        }
        if self.is_none() {
            return crate::builtins::singletons::NONE_TYPE.ty();
        }
        if self.is_not_implemented() {
            return crate::builtins::singletons::NOT_IMPLEMENTED_TYPE.ty();
        }
        debug_assert!(self.word() == Self::ELLIPSIS.word(), "the unbound marker has no type");
        crate::builtins::singletons::ELLIPSIS_TYPE.ty()
    }

    /// This value as a `T`, if its type is `T`'s or a subclass of it.
    #[inline(always)]
    pub fn downcast<T: Payload>(&self) -> Option<&T> {
        let header = self.as_object()?;
        let ty = header.ty();
        let is_instance = match T::SUBCLASS_FLAG {
            0 => std::ptr::eq(ty, T::static_type()) || ty.is_subtype(T::static_type()),
            flag => ty.has_flags(flag),
        };
        if is_instance {
            // SAFETY: every instance of a subtype starts with the base type's layout.
            Some(unsafe { &*(header as *const Header as *const T) })
        } else {
            None
        }
    }

    /// This value as a `T`, if its type is exactly `T`'s.
    #[inline(always)]
    pub fn downcast_exact<T: Payload>(&self) -> Option<&T> {
        let header = self.as_object()?;
        if std::ptr::eq(header.ty(), T::static_type()) {
            // SAFETY: the type determines the layout.
            Some(unsafe { &*(header as *const Header as *const T) })
        } else {
            None
        }
    }

    /// As [`Value::downcast`], keeping the reference.
    pub fn downcast_ref<T: Payload>(&self) -> Option<Ref<T>> {
        if self.downcast::<T>().is_some() {
            // SAFETY: just checked.
            Some(unsafe { Ref::from_value_unchecked(self.clone()) })
        } else {
            None
        }
    }

    /// Python's `id()`: the address, or for immediates the word.
    pub fn id(&self) -> u64 {
        self.word()
    }
}

impl Clone for Value {
    #[inline(always)]
    fn clone(&self) -> Value {
        if self.is_object() {
            // SAFETY: the tag says object; this value holds a reference, so it is alive.
            unsafe { count::incref(self.word() as *mut Header) };
        }
        Value(self.0)
    }
}

impl Drop for Value {
    #[inline(always)]
    fn drop(&mut self) {
        if self.is_object() {
            // SAFETY: this value owned one reference, which ends here.
            unsafe { count::decref(self.word() as *mut Header) };
        }
    }
}

impl From<bool> for Value {
    fn from(b: bool) -> Value {
        Value::bool(b)
    }
}
impl From<()> for Value {
    fn from(_: ()) -> Value {
        Value::NONE
    }
}
impl From<i64> for Value {
    #[inline]
    fn from(n: i64) -> Value {
        crate::builtins::int::from_i64(n)
    }
}
impl From<i32> for Value {
    fn from(n: i32) -> Value {
        Value::small_int(n as i64)
    }
}
impl From<u32> for Value {
    fn from(n: u32) -> Value {
        Value::small_int(n as i64)
    }
}
impl From<u64> for Value {
    fn from(n: u64) -> Value {
        crate::builtins::int::from_u64(n)
    }
}
impl From<usize> for Value {
    fn from(n: usize) -> Value {
        crate::builtins::int::from_u64(n as u64)
    }
}
impl From<f64> for Value {
    #[inline]
    fn from(f: f64) -> Value {
        crate::builtins::float::from_f64(f)
    }
}
impl From<&str> for Value {
    fn from(s: &str) -> Value {
        crate::builtins::str::Str::new(s).into()
    }
}
impl From<String> for Value {
    fn from(s: String) -> Value {
        crate::builtins::str::Str::new(&s).into()
    }
}

impl std::fmt::Debug for Value {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if let Some(n) = self.as_small_int() {
            return write!(f, "{n}");
        }
        if self.is_unbound() {
            return write!(f, "<unbound>");
        }
        write!(f, "<{} at {:#x}>", self.ty().name(), self.word())
    }
}
