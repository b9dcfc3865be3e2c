//! Counts of objects that several threads refer to, in the process without the GIL.
//!
//! The shared word (at −16) is {count: 62, flags: 2}: the references that threads other than the owner have taken, less
//! those that they have ended, so that it may be negative. The object is dead when both counts add up to 0:
//!
//! * The owner's count reaches 0: the owner gives the object up ([`MERGED`]); from then on the shared count is all there is,
//!   and who brings it to 0 destroys the object.
//! * The shared count becomes negative: references that the owner counted were ended by others. Only where no other thread
//!   runs can the two be added, so the object waits in [`WAITING`] for a thread that is alone (`vm/world.rs`).
//! * A thread that is alone adds the counts at once: so destruction is as prompt as with the GIL there.
//!
//! Destruction itself is for the thread that is alone too, unless the object is of a type that is known to be destroyed by
//! nothing but memory operations ([`dies_quietly`]).

mod common;
mod owner;

use super::dead;
use crate::header::{Header, IMMORTAL, object_flags};
use crate::types::{Type, type_flags};
use crate::vm::{Vm, world};
use std::ptr::NonNull;
use std::sync::Mutex;
use std::sync::atomic::{
    AtomicBool, AtomicUsize,
    Ordering::{AcqRel, Acquire, Relaxed, Release},
};

/// The owner of objects whose references are all counted in the shared word; no thread has the id.
pub const NOBODY: u32 = IMMORTAL - 1;

/// The owner, from then on, of what the first thread made before it started another.
pub(crate) const FIRST: u32 = 1;

/// Flag of the shared word: the owner has given the object up.
const MERGED: i64 = 1;
/// Flag of the shared word: the object is in the list of those that wait.
const QUEUED: i64 = 2;
/// One reference in the shared word.
pub(super) const ONE: i64 = 4;

const FLAGS: i64 = MERGED | QUEUED;

/// Some thread has an id.
static NUMBERED: AtomicBool = AtomicBool::new(false);

#[derive(Clone, Copy)]
struct Entry(NonNull<Header>);
// SAFETY: an object in the list is freed only by whoever takes it out.
unsafe impl Send for Entry {}

static WAITING: Mutex<Vec<Entry>> = Mutex::new(Vec::new());
static WAITING_COUNT: AtomicUsize = AtomicUsize::new(0);
/// With so many waiting objects a thread asks to be alone.
const MANY: usize = 512;

/// The id with which this thread's objects are marked; 0 with the GIL on, and as long as there has been only one thread.
#[inline(always)]
pub fn current_owner() -> u32 {
    owner::get()
}

/// Whether this thread is one among others that run.
#[inline(always)]
pub fn is_shared() -> bool {
    owner::is_shared()
}

/// Says whether from now on other threads run Python code at the same time as this one.
pub(crate) fn set_shared(shared: bool) {
    owner::set_shared(shared);
}

/// Sets the id with which this thread's objects are marked from now on.
pub(crate) fn set_owner(id: u32) {
    owner::set(id);
    if id != 0 {
        NUMBERED.store(true, Relaxed);
    }
}

/// Adds a reference to an object with an owner, which may be this thread.
#[inline(never)]
pub(super) fn incref_numbered(header: &Header) {
    let owner = header.owner.load(Relaxed);
    if owner == owner::get() {
        let count = header.local.get().wrapping_add(1);
        header.local.set(count);
        if count == 0 {
            header.make_immortal();
        }
    } else if owner != IMMORTAL {
        // SAFETY: foreign owners exist only without the GIL, where the shared word is there.
        unsafe { header.shared() }.fetch_add(ONE, Relaxed);
        if world::is_parallel() {
            common::taken(header);
        } else {
            adopt(header);
        }
    }
}

/// Makes an object that no thread owns any more the calling thread's, which is the only one.
fn adopt(header: &Header) {
    // SAFETY: as above.
    let shared = unsafe { header.shared() };
    let word = shared.load(Relaxed);
    if word & QUEUED == 0 && !is_shared() {
        header.local.set((i64::from(header.local.get()) + (word >> 2)) as u32);
        header.owner.store(current_owner(), Relaxed);
        shared.store(0, Relaxed);
    }
}

/// Ends a reference to an object with an owner, which may be this thread.
#[inline(never)]
pub(super) fn decref_numbered(object: *mut Header) {
    // SAFETY: alive by the contract of `decref`.
    let header = unsafe { &*object };
    if header.owner.load(Relaxed) != owner::get() {
        return decref_foreign(object);
    }
    let count = header.local.get() - 1;
    header.local.set(count);
    if count == 0 {
        // SAFETY: that was the owner's last reference.
        unsafe { owner_has_none(object) };
    }
}

/// The owner, the calling thread, has ended the last of its references.
///
/// # Safety
/// The object is alive, and the thread has no reference to it.
#[cold]
#[inline(never)]
pub(super) unsafe fn owner_has_none(object: *mut Header) {
    // SAFETY: alive by contract; dead if there are no other references.
    unsafe {
        if owner_is_done(&*object) {
            dead(object);
        }
    }
}

/// Ends a reference that is not the owner's.
#[inline(never)]
fn decref_foreign(object: *mut Header) {
    // SAFETY: alive by the contract of `decref`; the shared word as above.
    let (header, shared) = unsafe { (&*object, (*object).shared()) };
    if header.owner.load(Relaxed) == IMMORTAL {
        return;
    }
    let word = shared.fetch_sub(ONE, AcqRel) - ONE;
    if word & QUEUED != 0 {
        return;
    }
    let is_dead = if word & MERGED != 0 {
        word < ONE
    } else if is_shared() {
        if word < 0 && shared.fetch_or(QUEUED, AcqRel) & QUEUED == 0 {
            // SAFETY: nobody frees an object that is queued.
            enqueue(object, tells(unsafe { &*object }));
        }
        return;
    } else {
        // Nobody else counts meanwhile.
        let total = i64::from(header.local.get()) + (word >> 2);
        if total > 0 && !world::is_parallel() {
            adopt(header);
        } else if total > 0 && word < 0 {
            header.local.set(total as u32);
            shared.store(0, Relaxed);
        }
        total == 0
    };
    if is_dead {
        header.local.set(0);
        header.owner.store(NOBODY, Relaxed);
        shared.store(MERGED, Relaxed);
        // SAFETY: that was the last reference.
        unsafe { dead(object) };
    }
}

/// The count of a thread that has an id, of an object of its own, has become 0; whether there are no other references.
#[inline(never)]
fn owner_is_done(header: &Header) -> bool {
    // SAFETY: without the GIL the shared word is there.
    let shared = unsafe { header.shared() };
    if shared.load(Acquire) == 0 {
        // Never counted by others: nobody else refers to it.
        return true;
    }
    header.owner.store(NOBODY, Release);
    let word = shared.fetch_or(MERGED, AcqRel);
    word & QUEUED == 0 && word >> 2 == 0
}

/// Whether somebody is told of an object's death.
fn tells(header: &Header) -> bool {
    header.ty().has_flags(type_flags::NEEDS_FINALIZE) || header.has_flag(object_flags::HAS_WEAKREFS)
}

/// Whether the destruction of `header`'s object, whose count is 0, does nothing but give memory and references back.
fn dies_quietly(header: &Header) -> bool {
    header.ty().dies_quietly() && !tells(header)
}

/// Puts a dead object off if this thread may not destroy it now.
#[inline(always)]
pub(super) fn leave_to_others(object: *mut Header) -> bool {
    is_shared() && leave(object)
}

#[inline(never)]
fn leave(object: *mut Header) -> bool {
    // SAFETY: dead, but whole; the shared word is there, since there are threads that share.
    unsafe {
        let header = &*object;
        if dies_quietly(header) {
            return false;
        }
        let urgent = tells(header);
        header.local.set(0);
        header.owner.store(NOBODY, Relaxed);
        header.shared().store(MERGED | QUEUED, Relaxed);
        enqueue(object, urgent);
    }
    true
}

fn enqueue(object: *mut Header, urgent: bool) {
    // SAFETY: not null, as it was dereferenced.
    let entry = Entry(unsafe { NonNull::new_unchecked(object) });
    let mut waiting = WAITING.lock().expect("never poisoned");
    waiting.push(entry);
    let count = waiting.len();
    WAITING_COUNT.store(count, Release);
    drop(waiting);
    if urgent || count >= MANY {
        Vm::with_current(|vm| vm.request_safepoint());
    }
}

/// Whether objects wait for a thread that is alone.
#[inline(always)]
pub fn has_waiting() -> bool {
    WAITING_COUNT.load(Relaxed) > 0
}

/// Adds up the counts of the objects that wait, and destroys the dead ones. The thread is alone, at a place where Python
/// code may run.
#[cold]
#[inline(never)]
pub fn settle() {
    debug_assert!(!is_shared());
    common::settle();
    loop {
        let batch = std::mem::take(&mut *WAITING.lock().expect("never poisoned"));
        WAITING_COUNT.store(0, Relaxed);
        if batch.is_empty() {
            return;
        }
        // Finalisers run below, and may let other threads run: each object is decided when it is its turn.
        for Entry(object) in batch {
            // SAFETY: nobody frees an object that is queued; this thread is alone, as after every finaliser.
            unsafe {
                let (header, shared) = (object.as_ref(), object.as_ref().shared());
                let owner = header.owner.load(Relaxed);
                if owner == IMMORTAL {
                    continue;
                }
                let total = i64::from(header.local.get()) + (shared.load(Relaxed) >> 2);
                debug_assert!(total >= 0);
                if total > 0 && world::is_live(owner) {
                    header.local.set(total as u32);
                    shared.store(0, Relaxed);
                    continue;
                }
                header.local.set(0);
                header.owner.store(NOBODY, Relaxed);
                shared.store(total << 2 | MERGED, Relaxed);
                if total == 0 {
                    dead(object.as_ptr());
                }
            }
        }
    }
}

/// How many references there are.
pub(super) fn total(header: &Header) -> u64 {
    if header.is_immortal() || owner::get() == 0 {
        return u64::from(header.local.get());
    }
    // SAFETY: without the GIL the shared word is there.
    let others = unsafe { header.shared() }.load(Acquire) >> 2;
    (i64::from(header.local.get()) + others).max(0) as u64
}

/// Whether this thread's references to the object are counted in the shared word.
#[inline]
pub fn is_counted_aside(header: &Header) -> bool {
    let owner = header.owner.load(Relaxed);
    owner != owner::get() && owner != IMMORTAL
}

/// Whether the caller's reference is the only one, and counted by this thread.
#[inline(always)]
pub fn is_only_reference(header: &Header) -> bool {
    // Only the owner may look at its count.
    let owner = header.owner.load(Relaxed);
    if owner == 0 {
        header.local.get() == 1
    } else {
        owner == owner::get() && header.local.get() == 1 && is_uncounted_by_others(header)
    }
}

#[inline(never)]
fn is_uncounted_by_others(header: &Header) -> bool {
    // SAFETY: owners other than 0 exist only without the GIL, where the shared word is there.
    unsafe { header.shared() }.load(Acquire) == 0
}

/// Gives all objects that have no owner the first one, whose thread has another id from now on. The thread is alone, and no
/// other has ever run Python code.
pub(crate) fn end_sole_ownership() {
    crate::heap::for_each_object(&mut |object| {
        // SAFETY: a live object, or one that is being destroyed, which nobody else touches.
        let header = unsafe { object.cast::<Header>().as_ref() };
        if header.owner.load(Relaxed) == 0 {
            header.owner.store(FIRST, Relaxed);
        }
    });
}

/// Brings a dead object back with one reference, this thread's, for as long as its finaliser or the callbacks of its weak
/// references run.
pub(crate) fn revive(header: &Header) {
    if owner::get() != 0 {
        // SAFETY: without the GIL the shared word is there; nobody else refers to the object.
        unsafe { header.shared() }.store(0, Relaxed);
        header.owner.store(owner::get(), Relaxed);
    }
    header.local.set(1);
}

/// Ends the reference of [`revive`]; whether the object is dead again.
pub(crate) fn end_revival(header: &Header) -> bool {
    if header.owner.load(Relaxed) != owner::get() {
        // It has been given up meanwhile, or has become immortal.
        if header.is_immortal() {
            return false;
        }
        // SAFETY: as above.
        let word = unsafe { header.shared() }.fetch_sub(ONE, AcqRel) - ONE;
        return word & QUEUED == 0 && i64::from(header.local.get()) + (word >> 2) == 0;
    }
    header.local.set(header.local.get() - 1);
    header.local.get() == 0 && (owner::get() == 0 || owner_is_done(header))
}

/// Whether the owner's half of the count word may be other than 0 in mortal objects.
#[inline(always)]
pub(crate) fn has_other_owners() -> bool {
    NUMBERED.load(Relaxed) && owner::get() != 0
}

/// Adds all references up in the owner's count, for the collector: until [`restore`] the owner's half of the word is its
/// own. The thread is alone.
#[inline(always)]
pub(crate) fn gather(header: &Header) {
    if has_other_owners() {
        gather_numbered(header);
    }
}

#[inline(never)]
fn gather_numbered(header: &Header) {
    // SAFETY: without the GIL the shared word is there, and nobody else counts meanwhile.
    let shared = unsafe { header.shared() };
    let word = shared.load(Relaxed);
    header.local.set((i64::from(header.local.get()) + (word >> 2)) as u32);
    shared.store(i64::from(header.owner.load(Relaxed)) << 32 | word & FLAGS, Relaxed);
}

/// Undoes [`gather`].
#[inline(always)]
pub(crate) fn restore(header: &Header) {
    if has_other_owners() { restore_numbered(header) } else { header.owner.store(0, Relaxed) }
}

#[inline(never)]
fn restore_numbered(header: &Header) {
    // SAFETY: as above.
    let shared = unsafe { header.shared() };
    let word = shared.load(Relaxed);
    header.owner.store((word as u64 >> 32) as u32, Relaxed);
    if word & MERGED != 0 {
        shared.store(i64::from(header.local.replace(0)) << 2 | word & FLAGS, Relaxed);
    } else {
        shared.store(word & FLAGS, Relaxed);
    }
}

impl Type {
    /// Whether the destruction of an instance without finaliser and weak references runs no code but the heap's and that of
    /// what it refers to.
    #[inline]
    fn dies_quietly(&self) -> bool {
        if self.is_heap_type() {
            std::ptr::fn_addr_eq(self.dealloc, crate::builtins::object::OBJECT.ty().dealloc)
        } else {
            self.has_flags(type_flags::DIES_QUIETLY)
        }
    }
}
