//! A page: a run of equal blocks of one kind, used by one thread.
//!
//! The metadata lies in the segment's header, apart from the blocks. A page that a thread allocates
//! from is *current*: its free list then starts in the thread's [`Local`](super::local::Local) and
//! nothing is counted on allocation. The `countdown` of frees until something must happen is the only
//! bookkeeping on the free path; its meaning depends on the state:
//!
//! | state | free list starts in | countdown |
//! |---|---|---|
//! | `Current` | the thread's local head | out of reach |
//! | `Full` | `free` | frees until the page is worth allocating from again |
//! | `Available` | `free` | blocks in use (0: kept, see `local.rs`) |
//! | `Single`, `Released` | - | - |

use super::word::{Linked, Links, Word};
use super::{Kind, prefix, sanitizer, size_class};
use std::sync::atomic::{AtomicU8, AtomicU32, AtomicUsize, Ordering::Relaxed};

/// How many bins there are: one per kind and size class.
pub const BINS: usize = 2 * size_class::CLASSES;
/// The bin of a block that has a page to itself.
pub const NO_BIN: usize = BINS;

/// Where in a page's memory the first object is: after the longest prefix.
pub const FIRST_OBJECT: usize = 16;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum State {
    Released,
    Current,
    Full,
    Available,
    Single,
}

#[repr(C, align(64))]
pub struct Page {
    /// Address of the owner's [`Record`](super::local::Record); 0 for `Single`, so that no thread takes
    /// such a page for its own.
    pub owner: Word,
    /// Address of the word in which the free list starts.
    pub list: Word,
    pub free: Word,
    pub countdown: Word,
    pub block_size: Word,
    /// Blocks made so far: those beyond have never been on the free list.
    pub capacity: Word,
    /// Blocks that there is room for.
    pub reserved: Word,
    container: AtomicU32,
    bin: AtomicU8,
    state: AtomicU8,

    /// The words below are rarely used, or by other threads, hence in another cache line.
    pub remote_free: AtomicUsize,
    pub next_remote: Word,
    /// The first object.
    pub first: Word,
    /// How many of the segment's units of allocation the page covers.
    pub units: Word,
    pub links: Links,
}

impl Linked<0> for Page {
    fn links(&self) -> &Links {
        &self.links
    }
}

impl Page {
    /// A countdown that no program reaches.
    pub const NEVER: usize = isize::MAX as usize;

    /// Prepares the metadata for blocks of `block_size` bytes in `start..end`.
    pub fn initialize(&self, start: usize, end: usize, block_size: usize, bin: usize, kind: Kind) {
        sanitizer::allowed(start, end - start);
        let first = start + FIRST_OBJECT;
        self.owner.set(0);
        self.list.set(&raw const self.free as usize);
        self.free.set(0);
        self.countdown.set(Self::NEVER);
        self.block_size.set(block_size);
        self.capacity.set(0);
        self.reserved.set((end - (first - prefix())) / block_size);
        self.container.store(u32::from(kind == Kind::Container), Relaxed);
        self.bin.store(bin as u8, Relaxed);
        self.remote_free.store(0, Relaxed);
        self.first.set(first);
    }

    pub fn state(&self) -> State {
        match self.state.load(Relaxed) {
            1 => State::Current,
            2 => State::Full,
            3 => State::Available,
            4 => State::Single,
            _ => State::Released,
        }
    }

    pub fn set_state(&self, state: State) {
        self.state.store(state as u8, Relaxed);
    }

    /// Whether it is an available page without objects.
    pub fn is_empty(&self) -> bool {
        self.state() == State::Available && self.countdown.get() == 0
    }

    pub fn bin(&self) -> usize {
        self.bin.load(Relaxed) as usize
    }

    /// 1 for a page of containers, 0 for leaves: to be added without a branch.
    #[inline(always)]
    pub fn container(&self) -> u32 {
        self.container.load(Relaxed)
    }

    pub fn kind(&self) -> Kind {
        if self.container() == 1 { Kind::Container } else { Kind::Leaf }
    }

    /// How many frees make a full page worth allocating from again: enough that the way through the
    /// lists is shared by several allocations, few enough that little lies idle.
    pub fn threshold(&self) -> usize {
        (self.reserved.get() / 16).clamp(1, 32)
    }

    pub fn exhausted(&self) -> bool {
        self.free.get() == 0 && self.capacity.get() == self.reserved.get()
    }

    /// Makes further blocks, about a system page of them, and returns their list in ascending order;
    /// 0 when there is no more room. Only the page's user may call it, when its free list is empty.
    pub fn extend(&self) -> usize {
        let size = self.block_size.get();
        let from = self.capacity.get();
        let to = self.reserved.get().min(from + (4096 / size).max(1));
        if from == to {
            return 0;
        }
        let mut next = 0;
        for index in (from..to).rev() {
            let object = self.first.get() + index * size;
            // SAFETY: blocks below `reserved` lie inside the page's memory, and nobody uses one that
            // was not yet made.
            unsafe { make_free(object, next) };
            next = object;
        }
        self.capacity.set(to);
        next
    }

    /// Calls `f` with each object of the page that is alive.
    pub fn for_each_object(&self, f: &mut dyn FnMut(usize)) {
        let (first, size) = (self.first.get(), self.block_size.get());
        let mut index = 0;
        // `f` may allocate, hence the capacity is asked for anew.
        while index < self.capacity.get() {
            let object = first + index * size;
            // SAFETY: blocks below the capacity lie inside the page's memory.
            if unsafe { is_live(object) } {
                f(object);
            }
            index += 1;
        }
    }

    /// Bytes of memory, about.
    pub fn bytes(&self) -> usize {
        self.block_size.get() * self.reserved.get()
    }

    /// How many blocks are in use. Exact when no other thread uses the page at the time; blocks on
    /// their way back from other threads may count as used.
    pub fn used(&self) -> usize {
        let capacity = self.capacity.get();
        let used = match self.state() {
            State::Released => 0,
            State::Available => self.countdown.get(),
            State::Full => capacity.saturating_sub(self.threshold().saturating_sub(self.countdown.get())),
            State::Current | State::Single => {
                let mut count = 0;
                self.for_each_object(&mut |_| count += 1);
                count
            }
        };
        used.min(capacity)
    }
}

/// Whether a block holds an object: its type pointer is set.
///
/// # Safety
/// `object` is the object's address in a block of a page.
pub unsafe fn is_live(object: usize) -> bool {
    // SAFETY: every block has room for the two header words.
    unsafe { Word::at(object + 8) }.get() != 0
}

/// Makes a block recognisable as free, with `next` as its link.
///
/// # Safety
/// `object` is the object's address in a block that nobody uses.
#[inline(always)]
pub unsafe fn make_free(object: usize, next: usize) {
    // SAFETY: every block has the prefix and room for the two header words. With the short prefix the
    // first and second store are to the same word.
    unsafe {
        Word::at(object - 8).set(0);
        Word::at(object - prefix()).set(0);
        Word::at(object + 8).set(0);
        Word::at(object).set(next);
    }
}
