//! The mutable state of an object.
//!
//! An [`ObjectCell`] is locked, through the lock byte in the object's private word, when threads run in
//! parallel (GIL off and more than one thread); otherwise borrowing costs one predictable test.
//! Code that may run Python never runs while a cell is borrowed. Debug builds assert it by the same byte.

use crate::header::Header;
#[cfg(feature = "free-threading")]
use crate::vm::world;
use std::cell::UnsafeCell;
use std::ops::{Deref, DerefMut};
use std::sync::atomic::{AtomicBool, Ordering};

/// True while more than one thread runs without the GIL.
pub(crate) static PARALLEL: AtomicBool = AtomicBool::new(false);

/// Whether more than one thread runs without the GIL.
#[inline(always)]
pub fn is_parallel() -> bool {
    cfg!(feature = "free-threading") && PARALLEL.load(Ordering::Relaxed)
}

/// State of an object that is borrowed for short, Python-free stretches.
#[repr(transparent)]
pub struct ObjectCell<T>(UnsafeCell<T>);

// SAFETY: access goes through `borrow`, which locks when threads run in parallel; else the GIL serialises.
unsafe impl<T> Sync for ObjectCell<T> {}

impl<T> ObjectCell<T> {
    pub const fn new(value: T) -> Self {
        ObjectCell(UnsafeCell::new(value))
    }

    /// Borrows the state; `owner` is the header of the object it belongs to.
    #[inline(always)]
    pub fn borrow<'a>(&'a self, owner: &'a Header) -> Borrow<'a, T> {
        if cfg!(debug_assertions) || is_parallel() {
            lock(owner);
        }
        Borrow { cell: self, owner }
    }

    /// The state itself; None while threads run in parallel, unless `owner`, whose state it is, is this thread's and no other
    /// has touched it.
    ///
    /// # Safety
    /// As long as the reference is used, no Python code runs and nothing else borrows this state. Who is the first to touch
    /// another thread's object of this type is alone.
    #[inline(always)]
    #[allow(clippy::mut_from_ref)]
    pub unsafe fn own(&self, owner: &Header) -> Option<&mut T> {
        if is_parallel() && !world::is_mine(owner) {
            return None;
        }
        // SAFETY: nobody else uses the state now; the rest is the contract.
        Some(unsafe { &mut *self.0.get() })
    }

    /// The state itself, for reading; None while threads run in parallel, unless `owner` is of those that are written to only by
    /// this thread or one that is alone.
    ///
    /// # Safety
    /// As long as the reference is used, no Python code runs and the state is not borrowed by this thread.
    #[inline(always)]
    pub unsafe fn quiet(&self, owner: &Header) -> Option<&T> {
        if PARALLEL.load(Ordering::Relaxed) && !world::is_read_freely(owner) {
            return None;
        }
        // SAFETY: nobody writes to the state now; the rest is the contract.
        Some(unsafe { &*self.0.get() })
    }

    /// The raw pointer, for the owner of the object (deallocation, collector, dispatch fast paths under the GIL).
    #[inline(always)]
    pub fn as_ptr(&self) -> *mut T {
        self.0.get()
    }

    pub fn get_mut(&mut self) -> &mut T {
        self.0.get_mut()
    }
    pub fn into_inner(self) -> T {
        self.0.into_inner()
    }
}

/// Threads have the GIL: what is asked of objects without it.
#[cfg(not(feature = "free-threading"))]
mod world {
    use super::Header;

    pub(super) fn is_mine(_: &Header) -> bool {
        true
    }
    pub(super) fn is_read_freely(_: &Header) -> bool {
        true
    }
}

#[cold]
fn lock(owner: &Header) {
    let byte = &owner.private().lock;
    let mut spins = 0u32;
    while byte.compare_exchange_weak(0, 1, Ordering::Acquire, Ordering::Relaxed).is_err() {
        // Who waits only reads: to write would take the cache line from the thread that has the lock.
        while byte.load(Ordering::Relaxed) != 0 {
            if !is_parallel() {
                panic!("the state of an object was borrowed twice: Python code ran while a cell was borrowed");
            }
            spins += 1;
            if spins < 64 { std::hint::spin_loop() } else { std::thread::yield_now() }
        }
    }
}

/// The lock of an object whose state is in no cell: of instances' attributes.
#[cfg(feature = "free-threading")]
pub struct Locked<'a>(&'a Header);

#[cfg(feature = "free-threading")]
impl<'a> Locked<'a> {
    /// Waits for the lock.
    #[inline]
    pub fn new(object: &'a Header) -> Self {
        lock(object);
        Locked(object)
    }
}

#[cfg(feature = "free-threading")]
impl Drop for Locked<'_> {
    fn drop(&mut self) {
        self.0.private().lock.store(0, Ordering::Release);
    }
}

/// A borrow of an [`ObjectCell`].
pub struct Borrow<'a, T> {
    cell: &'a ObjectCell<T>,
    owner: &'a Header,
}

impl<T> Deref for Borrow<'_, T> {
    type Target = T;
    #[inline(always)]
    fn deref(&self) -> &T {
        // SAFETY: the lock is held, or nothing runs in parallel and borrows do not nest.
        unsafe { &*self.cell.0.get() }
    }
}
impl<T> DerefMut for Borrow<'_, T> {
    #[inline(always)]
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: as in `deref`.
        unsafe { &mut *self.cell.0.get() }
    }
}
impl<T> Drop for Borrow<'_, T> {
    #[inline(always)]
    fn drop(&mut self) {
        if cfg!(debug_assertions) || is_parallel() {
            self.owner.private().lock.store(0, Ordering::Release);
        }
    }
}
