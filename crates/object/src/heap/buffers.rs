//! The allocator for everything that is not a Python object: `Vec`, `Box`, `String`, maps.
//!
//! [`Buffers`] is mimalloc (or the system's allocator, for sanitizers), with three additions: it counts bytes, it honours
//! [`set_limit`](super::set_limit), and when the system has no more memory it falls back, for requests of
//! up to [`LARGEST_FROM_RESERVE`] bytes, on a reserve inside the program and sets
//! [`MEMORY_EXHAUSTED`](super::MEMORY_EXHAUSTED). Rust code whose allocations cannot fail thus carries
//! on to the next safepoint, where `MemoryError` is raised. Larger requests are refused: code that
//! makes them at Python's behest uses `try_reserve`.
//!
//! Blocks of [`MAPPED`] bytes and more are mappings of their own: they grow without being copied, and while they do, no
//! second block is needed. Their sizes tell which they are.
//!
//! While allocations are traced ([`set_tracing`](super::set_tracing)), all of them leave the fast path, which
//! has no test of its own for it.

#[cfg(not(feature = "system-allocator"))]
use super::mimalloc::Mimalloc as Underlying;
use super::{limit, trace};
#[cfg(feature = "system-allocator")]
use std::alloc::System as Underlying;
use std::alloc::{GlobalAlloc, Layout};
use std::cell::{Cell, UnsafeCell};
use std::ptr::null_mut;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Acquire, Ordering::Relaxed, Ordering::Release};

/// The global allocator of the program: `#[global_allocator] static ALLOCATOR: Buffers = Buffers;`
pub struct Buffers;

/// How far a thread's count may lag behind before the total is brought up to date.
const STEP: isize = 64 << 10;
/// The largest request that may exceed the limit. Requests up to this and larger ones have parts of the reserve of their own.
pub const LARGEST_EMERGENCY: usize = 256 << 10;
/// The largest request that may come from the reserve.
pub const LARGEST_FROM_RESERVE: usize = 40 << 20;
const SMALL_RESERVE: usize = 4 << 20;
/// Room for a buffer that grows twice.
const LARGE_RESERVE: usize = 64 << 20;
const RESERVE_BYTES: usize = SMALL_RESERVE + LARGE_RESERVE;
/// From this size on a block is a mapping. What is made and dropped again and again is rarely that large.
const MAPPED: usize = 32 << 20;

/// From this size on the memory of a block that was moved goes back to the system at once.
const PURGED: usize = 1 << 20;

/// Counts from −`STEP` on for as far as this are within bounds: all there are, or none while allocations are traced.
static WINDOW: AtomicUsize = AtomicUsize::new(2 * STEP as usize);

pub(super) fn set_tracing(on: bool) {
    WINDOW.store(if on { 0 } else { 2 * STEP as usize }, Relaxed);
}

thread_local! {
    /// Bytes allocated by this thread, less those freed, that the total does not yet contain.
    static PENDING: Cell<isize> = const { Cell::new(0) };
    /// The largest request that may come from the reserve now.
    static LARGEST: Cell<usize> = const { Cell::new(LARGEST_FROM_RESERVE) };
}

// SAFETY: blocks come from mimalloc or from the reserve, and go back to where their address says. Counting
// neither allocates nor unwinds.
unsafe impl GlobalAlloc for Buffers {
    #[inline]
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        if !admit(layout.size() as isize) {
            return allocate_slowly(layout, false);
        }
        // SAFETY: the caller's layout.
        let block = unsafe { Underlying.alloc(layout) };
        if block.is_null() { emergency(layout, false) } else { block }
    }

    #[inline]
    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        if !admit(layout.size() as isize) {
            return allocate_slowly(layout, true);
        }
        // SAFETY: the caller's layout.
        let block = unsafe { Underlying.alloc_zeroed(layout) };
        if block.is_null() { emergency(layout, true) } else { block }
    }

    #[inline]
    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        if !admit(-(layout.size() as isize)) && free_slowly(block, layout) {
            return;
        }
        if RESERVE.contains(block) {
            RESERVE.give_back(block);
        } else {
            // SAFETY: not from the reserve, so from mimalloc, with this layout.
            unsafe { Underlying.dealloc(block, layout) };
        }
    }

    #[inline]
    unsafe fn realloc(&self, block: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        if !RESERVE.contains(block) && (layout.size() >= MAPPED) == (new_size >= MAPPED) {
            let change = new_size as isize - layout.size() as isize;
            if layout.size() >= MAPPED || !admit(change) {
                // SAFETY: from mimalloc, with this layout.
                let moved = unsafe { reallocate_slowly(block, layout, new_size) };
                if !moved.is_null() {
                    return moved;
                }
            } else {
                // SAFETY: as above.
                let moved = unsafe { Underlying.realloc(block, layout, new_size) };
                if !moved.is_null() {
                    return moved;
                }
                account(-change);
            }
        }
        // SAFETY: the caller vouches for size and alignment. The old block is valid for its size and is given
        // back once copied.
        unsafe {
            let new = self.alloc(Layout::from_size_align_unchecked(new_size, layout.align()));
            if !new.is_null() {
                new.copy_from_nonoverlapping(block, layout.size().min(new_size));
                self.dealloc(block, layout);
            }
            new
        }
    }
}

/// Calls `allocate`, which reports failure, and so is not to use up what the reserve has of large blocks.
#[inline]
pub fn fallible<R>(allocate: impl FnOnce() -> R) -> R {
    LARGEST.set(LARGEST_EMERGENCY);
    let result = allocate();
    LARGEST.set(LARGEST_FROM_RESERVE);
    result
}

/// Calls `allocate`, without which the caller can do: it gets nothing that is held back, and nobody is told.
pub fn optional<R>(allocate: impl FnOnce() -> R) -> R {
    LARGEST.set(0);
    let result = allocate();
    LARGEST.set(LARGEST_FROM_RESERVE);
    result
}

impl Buffers {
    /// Lets the allocator take address space in small parts: limits of the address space count all of it. To be called
    /// before anything is allocated.
    pub fn configure() {
        #[cfg(not(feature = "system-allocator"))]
        {
            unsafe extern "C" {
                fn mi_option_set(option: libc::c_int, value: libc::c_long);
            }
            /// Number of `mi_option_arena_reserve`, which is in KiB.
            const ARENA_RESERVE: libc::c_int = 23;
            // SAFETY: a function of mimalloc's interface; nothing else runs yet.
            unsafe { mi_option_set(ARENA_RESERVE, 64 << 10) };
        }
        // The system's allocator serves the compression libraries, which ask for some hundred kilobytes per stream: it would
        // give them back after each one, and have them zeroed by the system for the next.
        #[cfg(all(target_os = "linux", target_env = "gnu"))]
        // SAFETY: a function of the C library; nothing else runs yet.
        unsafe {
            libc::mallopt(libc::M_MMAP_THRESHOLD, 1 << 20);
            libc::mallopt(libc::M_TRIM_THRESHOLD, 4 << 20);
        }
    }

    /// The bytes in use, to within 64 KiB per thread.
    pub fn allocated_bytes() -> usize {
        limit::buffer_bytes()
    }
}

/// Accounts for a change that stays within bounds; `false` when it does not, and is not accounted for.
#[inline(always)]
fn admit(change: isize) -> bool {
    PENDING.with(|pending| {
        let sum = pending.get().wrapping_add(change);
        let admitted = (sum.wrapping_add(STEP) as usize) < WINDOW.load(Relaxed);
        if admitted {
            pending.set(sum);
        }
        admitted
    })
}

/// Accounts for a change; `false` when it is refused, and then not accounted for.
fn account(change: isize) -> bool {
    PENDING.with(|pending| {
        let sum = pending.get().wrapping_add(change);
        if (-STEP..STEP).contains(&sum) {
            pending.set(sum);
            return true;
        }
        settle(pending, sum, change)
    })
}

#[cold]
#[inline(never)]
fn allocate_slowly(layout: Layout, zeroed: bool) -> *mut u8 {
    if !account(layout.size() as isize) {
        return null_mut();
    }
    // SAFETY: the caller's layout, which has a size.
    let mut block = unsafe {
        match layout.size() {
            MAPPED.. => map(layout),
            _ if zeroed => Underlying.alloc_zeroed(layout),
            _ => Underlying.alloc(layout),
        }
    };
    if block.is_null() {
        block = emergency(layout, zeroed);
    }
    if !block.is_null() {
        report_allocated(block, layout.size());
    }
    block
}

/// Accounts for a block that is about to be freed, and frees it if it is a mapping: then true.
#[cold]
#[inline(never)]
fn free_slowly(block: *mut u8, layout: Layout) -> bool {
    account(-(layout.size() as isize));
    report_freed(block, layout.size());
    if layout.size() < MAPPED || RESERVE.contains(block) {
        return false;
    }
    // SAFETY: outside the reserve, of that size are only the blocks that `map` made.
    unsafe { libc::munmap(block.cast(), layout.size()) };
    true
}

/// Zeroed memory from the system, whose pages are aligned well enough for all there is; null if there is none.
fn map(layout: Layout) -> *mut u8 {
    const PAGE: usize = 4096;
    let (access, kind) = (libc::PROT_READ | libc::PROT_WRITE, libc::MAP_PRIVATE | libc::MAP_ANONYMOUS);
    if layout.align() > PAGE {
        return null_mut();
    }
    // SAFETY: a new mapping, wherever there is room.
    let block = unsafe { libc::mmap(null_mut(), layout.size(), access, kind, -1, 0) };
    if block == libc::MAP_FAILED { null_mut() } else { block.cast() }
}

/// Null when the block stays as it is.
///
/// # Safety
/// The block is from mimalloc, or a mapping, and has the layout. The new size is of the same kind.
#[cold]
#[inline(never)]
unsafe fn reallocate_slowly(block: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
    let change = new_size as isize - layout.size() as isize;
    if !account(change) {
        return null_mut();
    }
    // As soon as it is given up, another thread may have a block at this address.
    report_freed(block, layout.size());
    // SAFETY: by contract; either both sizes are those of mappings, or none is.
    let moved = unsafe {
        if new_size < MAPPED {
            if layout.size() >= PURGED && new_size > layout.size() {
                move_large(block, layout, new_size)
            } else {
                Underlying.realloc(block, layout, new_size)
            }
        } else {
            let moved = libc::mremap(block.cast(), layout.size(), new_size, libc::MREMAP_MAYMOVE);
            if moved == libc::MAP_FAILED { null_mut() } else { moved.cast() }
        }
    };
    if moved.is_null() {
        account(-change);
        report_allocated(block, layout.size());
    } else {
        report_allocated(moved, new_size);
    }
    moved
}

/// Puts a block that grows elsewhere, and gives its memory back to the system at once: what grows would otherwise leave a trail
/// as large as itself, which the allocator keeps for a while.
///
/// # Safety
/// The block is from mimalloc, with the layout.
unsafe fn move_large(block: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
    const PAGE: usize = 4096;
    // SAFETY: by contract. Of the old block, whose contents are no longer needed, only pages that are its alone are given back.
    unsafe {
        let moved = Underlying.alloc(Layout::from_size_align_unchecked(new_size, layout.align()));
        if !moved.is_null() {
            moved.copy_from_nonoverlapping(block, layout.size());
            let start = (block as usize).next_multiple_of(PAGE);
            let end = (block as usize + layout.size()) / PAGE * PAGE;
            super::system::purge(start, end - start);
            Underlying.dealloc(block, layout);
        }
        moved
    }
}

fn report_allocated(block: *mut u8, size: usize) {
    if trace::TRACE.load(Relaxed) {
        trace::report(|hooks| hooks.allocated, block as usize, size);
    }
}

fn report_freed(block: *mut u8, size: usize) {
    if trace::TRACE.load(Relaxed) {
        trace::report(|hooks| hooks.freed, block as usize, size);
    }
}

#[cold]
#[inline(never)]
fn settle(pending: &Cell<isize>, sum: isize, change: isize) -> bool {
    pending.set(0);
    if change > 0 {
        let excess = limit::excess(sum.max(0) as usize);
        if excess > 0 {
            if change as usize > LARGEST_EMERGENCY.min(LARGEST.get()) || excess > limit::OVERDRAFT {
                limit::add_buffers(sum - change);
                return false;
            }
            limit::signal_exhausted();
        }
    }
    limit::add_buffers(sum);
    true
}

/// Reports what the calling thread has not yet, before it ends.
pub(super) fn settle_thread() {
    PENDING.with(|pending| limit::add_buffers(pending.replace(0)));
}

/// A block when the system has no more memory.
#[cold]
#[inline(never)]
fn emergency(layout: Layout, zeroed: bool) -> *mut u8 {
    if layout.size() <= LARGEST.get() {
        let block = RESERVE.take(layout);
        if !block.is_null() {
            limit::signal_granted(layout.size());
            if zeroed {
                // SAFETY: the block has the layout's size.
                unsafe { block.write_bytes(0, layout.size()) };
            }
            return block;
        }
    }
    account(-(layout.size() as isize));
    null_mut()
}

/// Memory held back in the program's zeroed data, which costs nothing until it is touched. It has two parts: a small
/// block that stays for long does not keep room from large ones. In each part blocks are cut off one after the other;
/// when the last one comes back, all of it is there again. (All of this is zero at first: so it takes no room in the file.)
struct Reserve {
    memory: UnsafeCell<[u8; RESERVE_BYTES]>,
    small: Part<0, SMALL_RESERVE>,
    large: Part<SMALL_RESERVE, RESERVE_BYTES>,
}

/// The memory from `BEGIN` to `END`.
struct Part<const BEGIN: usize, const END: usize> {
    /// {bytes cut off: 32, blocks not given back: 32}
    state: AtomicU64,
}

impl<const BEGIN: usize, const END: usize> Part<BEGIN, END> {
    /// Where the memory, which begins at `base`, has room for a block.
    ///
    /// `Acquire` here and `Release` in [`give_back`](Self::give_back): what the former user of the memory
    /// did with it happens before the new one's use.
    fn take(&self, base: usize, layout: Layout) -> Option<usize> {
        let mut start = 0;
        let granted = self.state.try_update(Acquire, Acquire, |state| {
            let (cut, blocks) = ((state >> 32) as usize, state & 0xFFFF_FFFF);
            start = (base + BEGIN + cut).next_multiple_of(layout.align()) - base;
            // Empty blocks do not occur, but would be indistinguishable at the end.
            let end = start + layout.size().max(1);
            (end <= END).then(|| ((end - BEGIN) as u64) << 32 | (blocks + 1))
        });
        granted.is_ok().then_some(start)
    }

    fn give_back(&self) {
        let update = |state: u64| Some(if state & 0xFFFF_FFFF == 1 { 0 } else { state - 1 });
        let _ = self.state.try_update(Release, Acquire, update);
    }
}

// SAFETY: parts of the memory are only used by whom a `state` granted them.
unsafe impl Sync for Reserve {}

static RESERVE: Reserve = Reserve::new();

impl Reserve {
    const fn new() -> Self {
        Self {
            memory: UnsafeCell::new([0; RESERVE_BYTES]),
            small: Part { state: AtomicU64::new(0) },
            large: Part { state: AtomicU64::new(0) },
        }
    }

    #[inline(always)]
    fn contains(&self, block: *mut u8) -> bool {
        (block as usize).wrapping_sub(self.memory.get() as usize) < RESERVE_BYTES
    }

    fn take(&self, layout: Layout) -> *mut u8 {
        let base = self.memory.get() as usize;
        let start = match layout.size() {
            ..=LARGEST_EMERGENCY => self.small.take(base, layout),
            _ => self.large.take(base, layout),
        };
        match start {
            // SAFETY: the block lies inside the memory.
            Some(start) => unsafe { self.memory.get().cast::<u8>().add(start) },
            None => null_mut(),
        }
    }

    fn give_back(&self, block: *mut u8) {
        let at = block as usize - self.memory.get() as usize;
        if at < SMALL_RESERVE { self.small.give_back() } else { self.large.give_back() }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::isolated;
    use super::*;

    #[test]
    fn the_reserve_is_whole_again_when_all_blocks_are_back() {
        static RESERVE: Reserve = Reserve::new();
        let reserve = &RESERVE;
        let layout = Layout::from_size_align(1000, 64).expect("a valid layout");
        for _ in 0..2 {
            let mut blocks = Vec::new();
            loop {
                let block = reserve.take(layout);
                if block.is_null() {
                    break;
                }
                assert!(reserve.contains(block) && block.addr().is_multiple_of(64));
                blocks.push(block);
            }
            assert!(blocks.len() > SMALL_RESERVE / 1024 - 2);
            assert!(blocks.windows(2).all(|pair| pair[1].addr() - pair[0].addr() == 1024));
            blocks.iter().for_each(|block| reserve.give_back(*block));
        }
    }

    #[test]
    fn small_requests_may_exceed_the_limit() {
        if !isolated(module_path!(), "small_requests_may_exceed_the_limit") {
            return;
        }
        let layout = |size| Layout::array::<u8>(size).expect("a valid layout");
        limit::set_limit(limit::bytes_in_use() + (4 << 20));
        // SAFETY: the blocks are not used.
        unsafe {
            assert!(!Buffers.alloc(layout(3 << 20)).is_null());
            assert!(Buffers.alloc(layout(3 << 20)).is_null());
            assert!(!limit::MEMORY_EXHAUSTED.load(Acquire));
            let mut small = 0;
            while !Buffers.alloc(layout(100_000)).is_null() {
                small += 1;
            }
            assert!((80..100).contains(&small), "{small}");
            assert!(limit::MEMORY_EXHAUSTED.load(Acquire));
        }
        assert!((11 << 20..13 << 20).contains(&Buffers::allocated_bytes()));
    }

    #[test]
    fn the_reserve_helps_when_the_system_refuses() {
        if !isolated(module_path!(), "the_reserve_helps_when_the_system_refuses") {
            return;
        }
        // SAFETY: a plain system call.
        let limited = unsafe {
            let limit = libc::rlimit { rlim_cur: 300 << 20, rlim_max: 300 << 20 };
            libc::setrlimit(libc::RLIMIT_AS, &limit)
        };
        assert_eq!(limited, 0);
        let layout = Layout::array::<u8>(60_000).expect("a valid layout");
        let mut blocks = Vec::with_capacity(10_000);
        // SAFETY: blocks have the layout's size and are given back with it.
        unsafe {
            loop {
                let block = Buffers.alloc_zeroed(layout);
                if block.is_null() {
                    break;
                }
                assert!((0..60_000).all(|index| *block.add(index) == 0));
                block.write_bytes(1, 60_000);
                blocks.push(block);
            }
            assert!(limit::MEMORY_EXHAUSTED.load(Acquire));
            let reserved = blocks.iter().filter(|block| RESERVE.contains(**block)).count();
            assert_eq!(reserved, SMALL_RESERVE / 60_000);
            assert!(Buffers.realloc(blocks[blocks.len() - 1], layout, 70_000).is_null());
            blocks.drain(..).for_each(|block| Buffers.dealloc(block, layout));
            assert!(RESERVE.small.state.load(Acquire) == 0);
            let large = Layout::array::<u8>(20 << 20).expect("a valid layout");
            let block = RESERVE.take(large);
            assert!(!block.is_null() && RESERVE.contains(block));
            assert!(RESERVE.take(Layout::array::<u8>(50 << 20).expect("a valid layout")).is_null());
            RESERVE.give_back(block);
            assert!(RESERVE.large.state.load(Acquire) == 0);
            let block = Buffers.alloc(layout);
            assert!(!block.is_null() && !RESERVE.contains(block));
        }
    }

    #[test]
    fn blocks_survive_growing() {
        // SAFETY: the layouts passed are those of the blocks.
        unsafe {
            let layout = Layout::array::<u8>(100).expect("a valid layout");
            let block = Buffers.alloc(layout);
            block.write_bytes(7, 100);
            let block = Buffers.realloc(block, layout, 300_000);
            assert!((0..100).all(|index| *block.add(index) == 7));
            Buffers.dealloc(block, Layout::array::<u8>(300_000).expect("a valid layout"));
        }
    }
}
