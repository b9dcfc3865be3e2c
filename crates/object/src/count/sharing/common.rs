//! Small objects that several threads use all the time (strings, patterns, locks) become immortal, so that nobody counts references
//! to them: what the threads would wait for is the word that all of them write to.
//!
//! Of the references that a thread takes to others' objects every [`PERIOD`]th is looked at. What recurs among these is noted;
//! the next thread that is alone makes it immortal. Only so many objects of so many bytes may become so, since nobody frees them.

use std::cell::Cell;
use std::ptr::NonNull;
use std::sync::Mutex;
use std::sync::atomic::{
    AtomicUsize,
    Ordering::{Relaxed, Release},
};

use super::{Entry, ONE, WAITING_COUNT, owner};
use crate::header::Header;
use crate::heap;
use crate::types::{Type, type_flags};
use crate::vm::Vm;

/// One in so many references is looked at.
const PERIOD: u32 = 256;
/// How often an object recurs before it becomes immortal.
const OFTEN: u32 = 8;
/// Larger objects stay mortal.
const LARGEST: usize = 256;
/// How many objects may become immortal.
const MOST: usize = 4096;

/// Those that are to become immortal. Each has a reference taken for that.
static NOTED: Mutex<Vec<Entry>> = Mutex::new(Vec::new());
static LEFT: AtomicUsize = AtomicUsize::new(MOST);

/// How many objects a thread watches, a power of two.
const WATCHED: usize = 64;

thread_local! {
    /// Addresses, and how often each was met more than others that have the same place.
    static MET: [Cell<(usize, u32)>; WATCHED] = const { [const { Cell::new((0, 0)) }; WATCHED] };
}

/// A reference to another thread's object has been taken.
#[inline(always)]
pub(super) fn taken(header: &Header) {
    if owner::is_sample_due(PERIOD) {
        look_at(header);
    }
}

#[cold]
#[inline(never)]
fn look_at(header: &Header) {
    if !may_last(header) || LEFT.load(Relaxed) == 0 {
        return;
    }
    let address = std::ptr::from_ref(header) as usize;
    let is_frequent = MET.try_with(|met| {
        let place = &met[(address >> 4 ^ address >> 10) % WATCHED];
        let (other, times) = place.get();
        if other == address {
            place.set((address, times + 1));
            return times + 1 >= OFTEN;
        }
        place.set(if times > 0 { (other, times - 1) } else { (address, 1) });
        false
    });
    let object = NonNull::from(header);
    // SAFETY: a live object of the heap.
    if is_frequent == Ok(true) && unsafe { heap::usable_size(object.cast()) } <= LARGEST {
        note(object);
    }
}

/// Whether an object keeps nothing else alive, and nobody is told of its death; or its type says that it may live for ever.
fn may_last(header: &Header) -> bool {
    let ty = header.ty();
    !ty.is_heap_type()
        && (is_leaf_nobody_watches(ty)
            || ty.has_flags(type_flags::FOR_ALL_THREADS)
            || ty.has_flags(type_flags::MAY_LAST))
        && !super::tells(header)
}

fn is_leaf_nobody_watches(ty: &Type) -> bool {
    ty.has_flags(type_flags::DIES_QUIETLY) && !ty.is_container() && !ty.has_flags(type_flags::HAS_WEAKREF)
}

fn note(object: NonNull<Header>) {
    if LEFT.fetch_update(Relaxed, Relaxed, |left| left.checked_sub(1)).is_err() {
        return;
    }
    // SAFETY: alive; another thread's object has the shared word.
    unsafe { object.as_ref().shared() }.fetch_add(ONE, Relaxed);
    NOTED.lock().expect("never poisoned").push(Entry(object));
    WAITING_COUNT.fetch_add(1, Release);
    if let Some(vm) = Vm::try_current() {
        vm.request_safepoint();
    }
}

/// Makes immortal what has been noted. The thread is alone.
pub(super) fn settle() {
    for Entry(object) in std::mem::take(&mut *NOTED.lock().expect("never poisoned")) {
        // SAFETY: there is a reference to the object; nobody else counts now.
        unsafe { object.as_ref() }.make_immortal();
    }
}
