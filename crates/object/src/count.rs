//! Biased reference counts (PEP 703) and what happens when one reaches zero.
//!
//! The owner of an object counts in `Header::local` without atomics, other threads in the shared word.
//! With the GIL on, every thread's owner id is 0 and every count takes the fast path.
//!
//! Nested destruction: deallocation recurses natively only [`NESTING_LIMIT`] deep; beyond, objects wait in
//! a per-thread list which the outermost deallocation works off.

use crate::header::{Header, IMMORTAL};
use std::cell::{Cell, RefCell};
use std::ptr::NonNull;
use std::sync::atomic::Ordering::Relaxed;

const NESTING_LIMIT: u32 = 50;

thread_local! {
    static OWNER: Cell<u32> = const { Cell::new(0) };
    static NESTING: Cell<u32> = const { Cell::new(0) };
    static DEFERRED: RefCell<Vec<NonNull<Header>>> = const { RefCell::new(Vec::new()) };
}

/// The id with which this thread's objects are marked.
#[inline(always)]
pub fn current_owner() -> u32 {
    OWNER.get()
}

/// Adds a reference.
///
/// # Safety
/// `object` is alive.
#[inline(always)]
pub unsafe fn incref(object: *mut Header) {
    // SAFETY: alive by contract.
    let header = unsafe { &*object };
    if header.owner.load(Relaxed) == current_owner() {
        let count = header.local.get().wrapping_add(1);
        header.local.set(count);
        if count == 0 {
            // 2^32 references: the object can no longer be counted, so it lives for ever.
            header.make_immortal();
        }
    } else {
        incref_foreign(header);
    }
}

/// Ends a reference; the object dies with its last one.
///
/// # Safety
/// The caller owned the reference and does not use it again.
#[inline(always)]
pub unsafe fn decref(object: *mut Header) {
    // SAFETY: alive by contract.
    let header = unsafe { &*object };
    if header.owner.load(Relaxed) == current_owner() {
        let count = header.local.get() - 1;
        header.local.set(count);
        if count == 0 {
            // SAFETY: that was the last reference.
            unsafe { dead(object) };
        }
    } else {
        decref_foreign(header);
    }
}

#[cold]
#[inline(never)]
fn incref_foreign(header: &Header) {
    if header.owner.load(Relaxed) != IMMORTAL {
        // SAFETY: foreign owners exist only without the GIL, where the shared word is there.
        unsafe { header.shared() }.fetch_add(1, Relaxed);
    }
}

#[cold]
#[inline(never)]
fn decref_foreign(header: &Header) {
    if header.owner.load(Relaxed) != IMMORTAL {
        // SAFETY: as in `incref_foreign`.
        unsafe { header.shared() }.fetch_sub(1, Relaxed);
    }
}

/// Deallocates, or defers when deallocations are nested too deeply.
///
/// # Safety
/// The count of `object` is zero.
#[cold]
#[inline(never)]
unsafe fn dead(object: *mut Header) {
    let depth = NESTING.get();
    if depth >= NESTING_LIMIT {
        // SAFETY: not null: it was dereferenced.
        DEFERRED.with_borrow_mut(|list| list.push(unsafe { NonNull::new_unchecked(object) }));
        return;
    }
    NESTING.set(depth + 1);
    // SAFETY: dead, and only here is it deallocated.
    unsafe { deallocate(object) };
    if depth == 0 {
        while let Some(next) = DEFERRED.with_borrow_mut(|list| list.pop()) {
            // SAFETY: put there by `dead`, once.
            unsafe { deallocate(next.as_ptr()) };
        }
    }
    NESTING.set(depth);
}

unsafe fn deallocate(object: *mut Header) {
    // SAFETY: the type's `dealloc` fits every instance of the type.
    unsafe {
        let dealloc = (*object).ty().dealloc;
        dealloc(object);
    }
}

/// `sys.getrefcount` without the reference of its argument.
pub fn refcount(header: &Header) -> u64 {
    u64::from(header.local.get())
}
