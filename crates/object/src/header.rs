//! What precedes every object: counts, type, and the runtime's private word.
//!
//! ```text
//!  −16  shared count (64 bits; only when the process runs without the GIL)
//!   −8  private word {shape id: 32, flags: 8, lock: 8, age: 16}
//!    0  local count: 32, owner: 32
//!    8  type pointer
//! ```

use crate::types::Type;
use std::cell::Cell;
#[cfg(feature = "free-threading")]
use std::sync::atomic::AtomicI64;
use std::sync::atomic::{
    AtomicU8, AtomicU16, AtomicU32,
    Ordering::{Acquire, Relaxed},
};

/// The two words at the start of every object.
#[repr(C)]
pub struct Header {
    /// References counted by the owning thread; touched by no other, but for one that is alone.
    pub(crate) local: Cell<u32>,
    /// The owning thread's id; 0 with the GIL on; [`IMMORTAL`] for objects that never die.
    pub(crate) owner: AtomicU32,
    ty: Cell<*const Type>,
}

/// The owner id of immortal objects; no thread has it.
pub const IMMORTAL: u32 = u32::MAX;
/// The local count of immortal objects, for readers that look only at the count.
pub const IMMORTAL_COUNT: u32 = 3 << 30;

/// The runtime's private word, at −8.
#[repr(C)]
pub struct PrivateWord {
    pub shape: AtomicU32,
    pub flags: AtomicU8,
    pub lock: AtomicU8,
    /// Of a container: the last bits of how many were allocated before it (`heap/age.rs`).
    pub age: AtomicU16,
}

/// Bits of [`PrivateWord::flags`]. The upper half is the collector's.
pub mod object_flags {
    /// `__del__` has run (or will not): `gc.is_finalized`.
    pub const FINALIZED: u8 = 1;
    /// A weak reference to the object exists (registry in `weakref.rs`).
    pub const HAS_WEAKREFS: u8 = 2;
    /// The object's attributes are in a dictionary, not in slots.
    pub const DICT_MODE: u8 = 4;
    /// Some class may hold the object for inline caches (`Type::cached`).
    pub const CACHED: u8 = 8;
}

/// Bits of [`PrivateWord::age`] in builds that can do without the GIL; the rest is the age.
#[cfg(feature = "free-threading")]
pub mod sharing_flags {
    /// How often a thread that was alone for it wrote to the object, which is shared.
    pub const WRITES: u16 = 7 << WRITES_SHIFT;
    pub const WRITES_SHIFT: u32 = 11;
    /// Several threads have touched the object (`interp/src/eval/shared.rs`); who writes to it is alone.
    pub const SHARED: u16 = 1 << 14;
    /// Several threads write to the object, holding its lock.
    pub const LOCKED: u16 = 1 << 15;
}

#[cfg(feature = "free-threading")]
impl Header {
    /// The [`sharing_flags`], and the age.
    #[inline(always)]
    pub fn sharing(&self) -> u16 {
        self.private().age.load(Relaxed)
    }
    /// Replaces the flags in `mask`. Nobody else does so meanwhile.
    pub fn set_sharing(&self, mask: u16, flags: u16) {
        self.private().age.store(self.sharing() & !mask | flags, Relaxed);
    }
}

impl Header {
    /// A header with one reference, owned by the current thread.
    #[inline(always)]
    pub fn new(ty: &Type) -> Header {
        Header { local: Cell::new(1), owner: AtomicU32::new(crate::count::current_owner()), ty: Cell::new(ty) }
    }

    #[inline(always)]
    pub fn ty(&self) -> &Type {
        // SAFETY: an object holds a reference to its type (heap types) or the type is immortal.
        unsafe { &*self.ty.get() }
    }

    /// Replaces the type pointer; the caller moves the references.
    pub(crate) fn set_type_pointer(&self, ty: *const Type) {
        self.ty.set(ty);
    }

    #[inline(always)]
    pub fn private(&self) -> &PrivateWord {
        // SAFETY: the heap puts the private word before every object.
        unsafe { &*(self as *const Header as *const PrivateWord).sub(1) }
    }

    /// The shared count; present only without the GIL.
    ///
    /// # Safety
    /// The heap's prefix is 16 bytes.
    #[cfg(feature = "free-threading")]
    #[inline(always)]
    pub(crate) unsafe fn shared(&self) -> &AtomicI64 {
        // SAFETY: the caller says that the word is there.
        unsafe { &*(self as *const Header as *const AtomicI64).sub(2) }
    }

    #[inline(always)]
    pub fn shape_id(&self) -> u32 {
        self.private().shape.load(Relaxed)
    }
    #[inline(always)]
    pub fn set_shape_id(&self, id: u32) {
        self.private().shape.store(id, Relaxed);
    }
    #[inline(always)]
    pub fn has_flag(&self, flag: u8) -> bool {
        self.private().flags.load(Relaxed) & flag != 0
    }
    pub fn set_flag(&self, flag: u8) {
        self.private().flags.fetch_or(flag, Relaxed);
    }
    pub fn clear_flag(&self, flag: u8) {
        self.private().flags.fetch_and(!flag, Relaxed);
    }
    /// The id of the thread that counts in the object itself. Where it is that of no thread any more, what the last one wrote
    /// to the object is seen.
    #[inline(always)]
    pub fn owner(&self) -> u32 {
        self.owner.load(Acquire)
    }
    #[inline(always)]
    pub fn is_owned_by(&self, id: u32) -> bool {
        self.owner.load(Relaxed) == id
    }
    #[inline(always)]
    pub fn is_immortal(&self) -> bool {
        self.owner.load(Relaxed) == IMMORTAL
    }
    /// Makes the object immortal: its count no longer changes.
    pub fn make_immortal(&self) {
        self.owner.store(IMMORTAL, Relaxed);
        self.local.set(IMMORTAL_COUNT);
    }
}
