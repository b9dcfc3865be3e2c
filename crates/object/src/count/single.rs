//! Counts in a build whose threads always have the GIL: every object belongs to the owner 0.

use crate::header::Header;
use std::sync::atomic::Ordering::Relaxed;

/// The id with which this thread's objects are marked.
#[inline(always)]
pub const fn current_owner() -> u32 {
    0
}

/// An object that is not this thread's: it has become immortal.
#[inline(always)]
pub(super) fn incref_numbered(_: &Header) {}

/// As [`incref_numbered`].
#[inline(always)]
pub(super) fn decref_numbered(_: *mut Header) {}

/// Puts a dead object off if this thread may not destroy it now.
#[inline(always)]
pub(super) fn leave_to_others(_: *mut Header) -> bool {
    false
}

/// How many references there are.
#[inline(always)]
pub(super) fn total(header: &Header) -> u64 {
    u64::from(header.local.get())
}

/// Whether this thread's references to the object are counted elsewhere than in the object.
#[inline(always)]
pub fn is_counted_aside(_: &Header) -> bool {
    false
}

/// Whether the caller's reference is the only one.
#[inline(always)]
pub fn is_only_reference(header: &Header) -> bool {
    header.local.get() == 1 && header.owner.load(Relaxed) == 0
}

/// Brings a dead object back with one reference, for as long as its finaliser or the callbacks of its weak references run.
#[inline(always)]
pub(crate) fn revive(header: &Header) {
    header.local.set(1);
}

/// Ends the reference of [`revive`]; whether the object is dead again.
#[inline(always)]
pub(crate) fn end_revival(header: &Header) -> bool {
    header.local.set(header.local.get() - 1);
    header.local.get() == 0
}

/// Whether the owner's half of the count word may be other than 0 in mortal objects.
#[inline(always)]
pub(crate) const fn has_other_owners() -> bool {
    false
}

/// Adds all references up in the owner's count, for the collector: until [`restore`] the owner's half of the word is its
/// own.
#[inline(always)]
pub(crate) fn gather(_: &Header) {}

/// Undoes [`gather`].
#[inline(always)]
pub(crate) fn restore(header: &Header) {
    header.owner.store(0, Relaxed);
}
