//! The soft limit on the memory of the process, for objects and [`Buffers`](super::Buffers) together.

use std::sync::atomic::{AtomicBool, AtomicIsize, AtomicUsize, Ordering::Relaxed};

/// Set when memory ran out in a place that cannot report it. The interpreter raises `MemoryError` at
/// its next safepoint and clears the flag.
pub static MEMORY_EXHAUSTED: AtomicBool = AtomicBool::new(false);

/// By how much the limit may be exceeded where a failure could not be reported.
pub(super) const OVERDRAFT: usize = 8 << 20;

static LIMIT: AtomicUsize = AtomicUsize::new(usize::MAX);
/// Bytes of the pages and large blocks that hold objects.
static PAGES: AtomicUsize = AtomicUsize::new(0);
/// Bytes of ordinary allocations. Threads report in steps and frees may be reported before the
/// allocations of another thread, so for a moment it may be negative.
static BUFFERS: AtomicIsize = AtomicIsize::new(0);
static HOOK: AtomicUsize = AtomicUsize::new(0);

/// Limits the memory of the process to about `bytes`; `usize::MAX` lifts the limit. Objects count by
/// the page (64 KiB), ordinary allocations to within 64 KiB per thread.
pub fn set_limit(bytes: usize) {
    LIMIT.store(bytes, Relaxed);
}

/// Registers what is called after [`MEMORY_EXHAUSTED`] was set: it makes the thread reach its safepoint
/// and must not allocate.
pub fn set_exhausted_hook(hook: fn()) {
    HOOK.store(hook as usize, Relaxed);
}

/// The bytes that count towards the limit now.
pub fn bytes_in_use() -> usize {
    PAGES.load(Relaxed).saturating_add(buffer_bytes())
}

pub fn buffer_bytes() -> usize {
    BUFFERS.load(Relaxed).max(0) as usize
}

/// Accounts for `bytes` of pages, unless that would exceed the limit, in an emergency by more than
/// [`OVERDRAFT`].
pub(super) fn charge_pages(bytes: usize, emergency: bool) -> bool {
    PAGES.fetch_add(bytes, Relaxed);
    let within = excess(0) <= if emergency { OVERDRAFT } else { 0 };
    if !within {
        refund_pages(bytes);
    }
    within
}

pub(super) fn refund_pages(bytes: usize) {
    PAGES.fetch_sub(bytes, Relaxed);
}

pub(super) fn add_buffers(change: isize) {
    BUFFERS.fetch_add(change, Relaxed);
}

/// By how much `more` bytes would exceed the limit: 0 when they fit.
pub(super) fn excess(more: usize) -> usize {
    bytes_in_use().saturating_add(more).saturating_sub(LIMIT.load(Relaxed))
}

/// How many small buffers may come from the reserve before it is told again: making and handling the exception takes some.
static GRACE: AtomicUsize = AtomicUsize::new(0);

/// Lets what handles a `MemoryError` that is about to be raised have some small blocks.
pub fn begin_grace() {
    const BLOCKS: usize = 64;
    GRACE.store(BLOCKS, Relaxed);
}

/// As [`signal_exhausted`], for a block that was granted, and not for the first small ones of a grace.
#[cold]
pub(super) fn signal_granted(size: usize) {
    const SMALL: usize = 4096;
    let in_grace = size <= SMALL && GRACE.fetch_update(Relaxed, Relaxed, |blocks| blocks.checked_sub(1)).is_ok();
    if !in_grace {
        signal_exhausted();
    }
}

#[cold]
pub(super) fn signal_exhausted() {
    if !MEMORY_EXHAUSTED.swap(true, Relaxed) {
        let hook = HOOK.load(Relaxed);
        if hook != 0 {
            // SAFETY: only `set_exhausted_hook` writes the word, with a function of this type.
            let hook = unsafe { std::mem::transmute::<usize, fn()>(hook) };
            hook();
        }
    }
}
