//! When to collect: each thread counts the containers that it allocated, less those it freed.
//!
//! Counterpart of the count of CPython's youngest generation. The count runs down from a base to 0, so
//! that the allocation path has one decrement and one test. A thread that ends leaves its count to the
//! thread that takes over its record.
//!
//! The counters are relaxed and only their thread counts; a reset by the collector may get lost when
//! the world is not stopped, which makes a collection come earlier and nothing else.

use super::age;
use super::local::{Local, records};
use super::page::Page;
use std::ptr::NonNull;
use std::sync::atomic::{AtomicBool, AtomicI32, AtomicUsize, Ordering::Relaxed};

/// Set when a thread has allocated more containers, net, than the threshold. The collector clears it.
pub static COLLECT_REQUESTED: AtomicBool = AtomicBool::new(false);

/// The base while no threshold is set.
pub const DISABLED: i32 = i32::MAX / 2;

static BASE: AtomicI32 = AtomicI32::new(DISABLED);
static HOOK: AtomicUsize = AtomicUsize::new(0);

/// Asks for a collection whenever a thread's count exceeds `threshold`; 0 means never.
pub fn set_collection_threshold(threshold: i32) {
    let base = if threshold <= 0 { DISABLED } else { threshold.min(DISABLED - 1) + 1 };
    let records = records();
    BASE.store(base, Relaxed);
    records.for_each_local(|local| {
        let count = local.count();
        local.base.store(base, Relaxed);
        // A count that already exceeds the threshold asks at the next allocation.
        local.remaining.store((base - count).max(1), Relaxed);
    });
}

/// Registers what is called after [`COLLECT_REQUESTED`] was set, on the allocating thread: it sets the
/// eval breaker and must neither allocate objects nor run Python.
pub fn set_collection_hook(hook: fn()) {
    HOOK.store(hook as usize, Relaxed);
}

/// How many containers were allocated, less those freed, since the last reset, by all threads.
pub fn containers_since_collection() -> usize {
    let mut sum = 0;
    records().for_each_local(|local| sum += local.count().max(0) as usize);
    sum
}

/// Starts counting at 0 again. The collector calls it when a collection begins.
pub fn reset_collection_count() {
    records().for_each_local(|local| local.remaining.store(local.base.load(Relaxed), Relaxed));
}

pub(super) fn base() -> i32 {
    BASE.load(Relaxed)
}

impl Local {
    #[inline(always)]
    pub fn count_allocated_container(&self, object: NonNull<u8>) {
        age::stamp(object, &self.age);
        let remaining = self.remaining.load(Relaxed).wrapping_sub(1);
        self.remaining.store(remaining, Relaxed);
        if remaining == 0 {
            request_collection();
        }
    }

    /// Counts a free; those of objects from before the reset do not make the count negative.
    #[inline(always)]
    pub fn count_freed(&self, page: &Page) {
        let remaining = self.remaining.load(Relaxed).wrapping_add(page.container() as i32);
        self.remaining.store(remaining.min(self.base.load(Relaxed)), Relaxed);
    }

    fn count(&self) -> i32 {
        self.base.load(Relaxed).wrapping_sub(self.remaining.load(Relaxed))
    }
}

#[cold]
#[inline(never)]
fn request_collection() {
    COLLECT_REQUESTED.store(true, Relaxed);
    let hook = HOOK.load(Relaxed);
    if hook != 0 {
        // SAFETY: only `set_collection_hook` writes the word, with a function of this type.
        let hook = unsafe { std::mem::transmute::<usize, fn()>(hook) };
        hook();
    }
}
