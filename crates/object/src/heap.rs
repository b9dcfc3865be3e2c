//! The heap of Python objects: a size-class allocator whose memory the collector can walk.
//!
//! Counterpart of CPython's `Objects/obmalloc.c` and of the lists of its collector. Memory comes from
//! the system in large aligned *segments*, which are cut into *pages* of blocks of one size class and one
//! [`Kind`]. Each page belongs to one thread, and each thread has a free list for every class and kind
//! in thread-local storage: [`allocate`] takes the first block from it, [`free`] puts the block back on
//! its page's list, without atomic operations or locks. The kind tells the collector which pages to walk
//! (`walk.rs`), so objects carry no list pointers for it.
//!
//! *A block* is a prefix and an object. The object is 8-byte aligned, and 16-byte where the block's size is a multiple
//! of 16; the word before it (at −8) is the runtime's private word, and without the GIL the shared count is before that
//! (at −16). How long the prefix is, is decided before the first allocation ([`set_prefix`]).
//!
//! *Invariant:* in a free block, also one that was never used, the prefix and the word at offset 8
//! (an object's type pointer) are 0, and the word at offset 0 links free blocks. Hence whatever was
//! allocated but not initialised is free to a walker, and its prefix needs no initialisation. User
//! addresses have 48 bits, so the upper half of a free block's first word, where objects have their owner,
//! is below 2^16: owner ids above that are never found in a free block.
//!
//! *Threads.* Frees by other threads go through atomic lists per page; `cross_thread_free.rs` has the
//! protocol and says which memory orderings it needs. Block headers and page metadata are read and written by
//! relaxed atomics, so that optimistic readers and statistics do not race. Lock order: the records of
//! threads (`local.rs`), then the pool of segments (`segment.rs`).
//!
//! [`Buffers`] allocates everything that is not an object.

mod age;
mod buffers;
mod collection_count;
mod cross_thread_free;
mod fork;
mod limit;
mod local;
#[cfg(not(feature = "system-allocator"))]
mod mimalloc;
mod page;
mod sanitizer;
mod segment;
mod size_class;
mod statistics;
mod system;
#[cfg(test)]
mod tests;
mod trace;
mod walk;
mod word;

pub use age::{age, outlast_others, renew_age};
pub use buffers::{Buffers, LARGEST_EMERGENCY, fallible, optional};
pub use collection_count::{
    COLLECT_REQUESTED, containers_since_collection, reset_collection_count, set_collection_hook,
    set_collection_threshold,
};
pub use fork::{ForkGuard, prepare_fork};
pub use limit::{MEMORY_EXHAUSTED, begin_grace, bytes_in_use, set_exhausted_hook, set_limit};
pub(crate) use sanitizer::assert_alive;
pub use segment::{deferred_bytes, release_deferred, set_deferred_release};
pub use statistics::{ClassStatistics, allocated_blocks, allocated_bytes, class_statistics, mapped_bytes};
pub use trace::{TRACE, TraceHooks, pause_tracing, resume_tracing, set_trace_hooks, set_tracing, without_tracing};
pub use walk::{
    for_each_container, for_each_object, for_each_recent_container, for_each_youngest_container, settle_containers,
    settle_youngest_containers,
};

use local::{Local, bin_of};
use std::ptr::NonNull;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

/// Whether the collector has to look at an object.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(usize)]
pub enum Kind {
    /// Refers to nothing that could refer back.
    Leaf,
    /// May be part of a cycle: the collector walks it.
    Container,
}

static PREFIX: AtomicUsize = AtomicUsize::new(8);

/// Objects are at least their header.
const MIN_OBJECT: usize = 16;
const MAX_PREFIX: usize = 16;

/// Decides how many bytes precede every object: 8 with the GIL (the default), 16 without.
///
/// # Panics
/// For other lengths, and once an object has been allocated.
pub fn set_prefix(bytes: usize) {
    assert!(bytes == 8 || bytes == MAX_PREFIX, "the prefix is one word or two");
    // The lock keeps the first allocation out meanwhile.
    let records = local::records();
    assert!(records.is_empty() || bytes == prefix(), "the prefix is decided before the first allocation");
    PREFIX.store(bytes, Relaxed);
}

/// How many bytes precede every object.
#[inline(always)]
pub fn prefix() -> usize {
    PREFIX.load(Relaxed)
}

/// The size to allocate for an object of `size` bytes that is to be aligned to 16 bytes: blocks whose size is a multiple of
/// that hold objects which are.
pub fn size_with_alignment_16(size: usize) -> usize {
    (size + prefix()).next_multiple_of(16) - prefix()
}

/// Memory for an object of `size` bytes, header included, prefix not. The prefix is zero, but for a container's age
/// (`age.rs`). Everything else is
/// for the caller to initialise, the first 16 bytes at once: until the type pointer is there, the collector
/// takes the block for a free one.
///
/// `None` when the system or the limit ([`set_limit`]) grants no more memory.
#[inline]
pub fn allocate(size: usize, kind: Kind) -> Option<NonNull<u8>> {
    #[cfg(feature = "stats")]
    crate::stats::allocated(size.max(MIN_OBJECT).saturating_add(prefix()), kind);
    if size <= size_class::SMALL_BLOCK - MAX_PREFIX && !TRACE.load(Relaxed) {
        let class = size_class::of_small_block(size.max(MIN_OBJECT) + prefix());
        let bin = bin_of(class, kind);
        let local = local::current();
        if let Some(object) = local.pop(bin) {
            if kind == Kind::Container {
                local.count_allocated_container(object);
            }
            sanitizer::allowed(object.as_ptr() as usize, size_class::block_size(class) - prefix());
            return Some(object);
        }
    }
    allocate_slowly(size, kind)
}

#[inline(never)]
fn allocate_slowly(size: usize, kind: Kind) -> Option<NonNull<u8>> {
    let block = size.max(MIN_OBJECT).checked_add(prefix())?;
    let object = if block <= size_class::MAX_CLASS_BLOCK {
        let class = size_class::of_block(block);
        let bin = bin_of(class, kind);
        let local = local::current();
        local.pop(bin).or_else(|| local.refill(bin, class, kind))?
    } else {
        let page = segment::pool().take_single(block, kind)?;
        segment::mark_recent(page);
        NonNull::new(page.first.get() as *mut u8)?
    };
    // SAFETY: just allocated.
    sanitizer::allowed(object.as_ptr() as usize, unsafe { usable_size(object) });
    if kind == Kind::Container {
        local::current().count_allocated_container(object);
    }
    if TRACE.load(Relaxed) {
        trace::report(|hooks| hooks.allocated, object.as_ptr() as usize, size + prefix());
    }
    Some(object)
}

/// As [`allocate`], for small objects without which the runtime cannot go on: may exceed the limit by some
/// megabytes and use a segment held back for this, and sets [`MEMORY_EXHAUSTED`].
#[cold]
#[inline(never)]
pub fn allocate_from_reserve(size: usize, kind: Kind) -> Option<NonNull<u8>> {
    limit::signal_exhausted();
    segment::pool().begin_emergency();
    let object = allocate(size, kind);
    segment::pool().end_emergency();
    object
}

/// Has `MemoryError` raised at the next safepoint: for code that goes on without what it could not allocate, a large
/// buffer in a place that cannot report it.
#[cold]
#[inline(never)]
pub fn signal_exhausted() {
    limit::signal_exhausted();
}

/// Ends the process, for when [`allocate_from_reserve`] has failed too.
#[cold]
#[inline(never)]
pub fn out_of_memory() -> ! {
    // Printing with the standard library could allocate.
    const MESSAGE: &[u8] = b"Fatal Python error: out of memory\n";
    // SAFETY: the message is that long.
    unsafe { libc::write(2, MESSAGE.as_ptr().cast(), MESSAGE.len()) };
    std::process::abort()
}

/// Frees an object's memory.
///
/// # Safety
/// `object` came from [`allocate`], was not freed since, and nobody uses it any more.
#[inline]
pub unsafe fn free(object: NonNull<u8>) {
    let address = object.as_ptr() as usize;
    // SAFETY: as the caller promises.
    let page = unsafe { segment::page_of(address) };
    if TRACE.load(Relaxed) {
        // SAFETY: as the caller promises.
        trace::report(|hooks| hooks.freed, address, unsafe { usable_size(object) });
    }
    // SAFETY: every block has room for the header and the word after it. Catches most double frees.
    debug_assert!(unsafe { page::is_live(address) }, "free of what is no object");
    let local = local::current();
    local.count_freed(page);
    // SAFETY: as the caller promises; the page belongs to this thread, or it does not.
    unsafe {
        let (mut page, mut address) = (page, address);
        if cfg!(feature = "address-sanitizer") {
            let Some(other) = sanitizer::exchange(address, page.block_size.get() - prefix()) else { return };
            (page, address) = (segment::page_of(other), other);
        }
        if page.owner.get() == local.record.get() {
            Local::push(page, address);
        } else {
            cross_thread_free::free_elsewhere(page, address);
        }
    }
}

/// How many bytes from the object's address on belong to it: the requested size, rounded up to what
/// the block has.
///
/// # Safety
/// `object` came from [`allocate`] and was not freed since.
#[inline]
pub unsafe fn usable_size(object: NonNull<u8>) -> usize {
    // SAFETY: as the caller promises.
    unsafe { segment::page_of(object.as_ptr() as usize) }.block_size.get() - prefix()
}

/// Whether an address lies in the heap's memory; whether an object is there is another question.
#[inline]
pub fn is_heap_address(address: usize) -> bool {
    segment::is_segment(address)
}

/// Gives memory that no object uses back to the system, but for pages that other threads allocate from.
/// For after a full collection.
pub fn trim() {
    local::current().retire_all();
    segment::pool().trim();
}
