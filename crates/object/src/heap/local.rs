//! What a thread has of the heap: the heads of its free lists, and its record.
//!
//! [`Local`] is in thread-local storage, constant-initialised and without `Drop`, so that access is a
//! plain load and keeps working while the thread ends. The [`Record`] behind it lives for ever: pages
//! name it as their owner, and other threads send frees there. A thread that ends leaves its record,
//! with the pages that still hold objects, to the next thread that starts; until then threads that run
//! short of pages help themselves from it.

use super::page::{BINS, Page, State, make_free};
use super::segment::{PAGE_BYTES, is_deferring, mark_recent, pool};
use super::word::{List, Word};
use super::{Kind, age, buffers, collection_count, size_class, system};
use std::ptr::{NonNull, null};
use std::sync::atomic::{AtomicI32, AtomicUsize, Ordering::Relaxed};
use std::sync::{Mutex, MutexGuard, PoisonError};

pub struct Local {
    /// First free block of the current page of each bin; 0 when there is none.
    pub heads: [Word; BINS],
    /// Address of the record; [`DETACHED`] when the thread has none.
    pub record: Word,
    /// See `collection_count.rs`.
    pub remaining: AtomicI32,
    pub base: AtomicI32,
    pub(super) age: age::Last,
    /// A tracing hook is running.
    pub in_hook: Word,
}

/// The thread's. A small function, so that it is inlined before a profile is made or used: a call through the pointer in a
/// `LocalKey` would be counted as one of many functions, and become a chain of comparisons with them.
#[inline(always)]
pub fn current() -> &'static Local {
    // SAFETY: without `Drop` the storage is there as long as the thread, which nothing that uses this outlives.
    unsafe { &*LOCAL.with(std::ptr::from_ref) }
}

/// Not the address of a record, and not the 0 that owns blocks with a page to themselves.
const DETACHED: usize = 1;

thread_local! {
    pub static LOCAL: Local = const {
        Local {
            heads: [const { Word::new(0) }; BINS],
            record: Word::new(DETACHED),
            remaining: AtomicI32::new(collection_count::DISABLED),
            base: AtomicI32::new(collection_count::DISABLED),
            age: age::Last::new(),
            in_hook: Word::new(0),
        }
    };
    static GUARD: Guard = const { Guard };
}

/// Returns the thread's record when the thread ends.
struct Guard;

impl Drop for Guard {
    fn drop(&mut self) {
        LOCAL.with(|local| {
            if local.record.get() != DETACHED {
                local.detach();
            }
        });
        buffers::settle_thread();
    }
}

#[repr(C, align(64))]
pub struct Record {
    /// Pages with frees from other threads, linked by `next_remote`.
    pub remote: AtomicUsize,
    /// The thread's `Local`, 0 for an abandoned record. The words below belong to that thread, or to
    /// the holder of the records' lock when there is none.
    local: Word,
    next: Word,
    remaining: AtomicI32,
    /// How many of the available pages hold no objects.
    empty: Word,
    current: [Word; BINS],
    available: [List<Page, 0>; BINS],
}

/// So many pages without objects a thread keeps while there are others, and pages are not laid out anew: what it frees and
/// allocates again and again stays in its processor's caches, and the pool is not asked each time.
const MOST_EMPTY: usize = 16;

/// All records; the lock comes before the pool's.
pub struct Records {
    first: usize,
}

static RECORDS: Mutex<Records> = Mutex::new(Records { first: 0 });
static ABANDONED: AtomicUsize = AtomicUsize::new(0);

pub fn records() -> MutexGuard<'static, Records> {
    RECORDS.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Records {
    fn iter(&self) -> impl Iterator<Item = &'static Record> + use<> {
        let mut next = self.first;
        std::iter::from_fn(move || {
            // SAFETY: records are never unmapped.
            let record = unsafe { (next as *const Record).as_ref() }?;
            next = record.next.get();
            Some(record)
        })
    }

    pub fn is_empty(&self) -> bool {
        self.first == 0
    }

    /// Calls `f` with the `Local` of each thread that has one. Only its counters are for other threads.
    pub fn for_each_local(&self, mut f: impl FnMut(&Local)) {
        for record in self.iter() {
            // SAFETY: a thread clears the word, under this lock, before its storage goes.
            if let Some(local) = unsafe { (record.local.get() as *const Local).as_ref() } {
                f(local);
            }
        }
    }

    /// After a fork, in the child: no thread but this one is left, so the others' records are abandoned.
    pub fn abandon_others(&self, me: &Local) {
        for record in self.iter() {
            let address = record.local.get();
            if address != 0 && address != me as *const Local as usize {
                // SAFETY: the thread did not live to end and its storage was not yet reused. It was
                // outside the allocator, as the caller of the fork arranged.
                let local = unsafe { &*(address as *const Local) };
                record.abandon(local);
            }
        }
    }
}

impl Local {
    #[inline(always)]
    pub fn pop(&self, bin: usize) -> Option<NonNull<u8>> {
        // SAFETY: bins come from a class and a kind, so they are below `BINS`.
        let head = unsafe { self.heads.get_unchecked(bin) };
        let object = NonNull::new(head.get() as *mut u8)?;
        // SAFETY: the word at offset 0 of a free block is the next one.
        head.set(unsafe { Word::at(object.as_ptr() as usize) }.get());
        Some(object)
    }

    /// Puts a block back that belongs to one of this thread's pages.
    ///
    /// # Safety
    /// `object` is an allocated object in `page`, and nobody uses it any more.
    #[inline(always)]
    pub unsafe fn push(page: &Page, object: usize) {
        // SAFETY: `list` always is the address of the page's `free` or of the owner's head.
        let list = unsafe { Word::at(page.list.get()) };
        // SAFETY: as the caller promises.
        unsafe { make_free(object, list.get()) };
        list.set(object);
        let countdown = page.countdown.get() - 1;
        page.countdown.set(countdown);
        if countdown == 0 {
            countdown_over(page);
        }
    }

    /// An object when the current page's free list is empty; `None` when there is no memory.
    #[cold]
    #[inline(never)]
    pub fn refill(&self, bin: usize, class: usize, kind: Kind) -> Option<NonNull<u8>> {
        let temporary = self.record.get() == DETACHED && self.attach()?;
        let object = self.refill_attached(bin, class, kind);
        if temporary {
            self.detach();
        }
        object
    }

    fn refill_attached(&self, bin: usize, class: usize, kind: Kind) -> Option<NonNull<u8>> {
        // SAFETY: the thread is attached, and records are never unmapped.
        let record = unsafe { &*(self.record.get() as *const Record) };
        record.drain();
        if let Some(object) = self.pop(bin) {
            return Some(object);
        }
        // SAFETY: a current page belongs to this thread.
        if let Some(page) = unsafe { (record.current[bin].get() as *const Page).as_ref() } {
            self.heads[bin].set(page.extend());
            if let Some(object) = self.pop(bin) {
                return Some(object);
            }
            record.retire_current(bin, &self.heads[bin]);
        }
        let mut page = record.take_available(bin);
        if page.is_null() && ABANDONED.load(Relaxed) > 0 {
            page = steal(bin);
        }
        let page: &Page = if page.is_null() {
            pool().take_page(class, bin, kind)?
        } else {
            // SAFETY: pages in the lists of a record are in use.
            unsafe { &*page }
        };
        self.make_current(record, page);
        self.pop(bin)
    }

    /// Ends the time of all current pages; those without objects are released.
    pub fn retire_all(&self) {
        if self.record.get() != DETACHED {
            // SAFETY: the thread is attached, and records are never unmapped.
            unsafe { &*(self.record.get() as *const Record) }.retire_all(self);
        }
    }

    fn make_current(&self, record: &Record, page: &Page) {
        let bin = page.bin();
        let head = &self.heads[bin];
        head.set(page.free.get());
        page.free.set(0);
        page.list.set(head as *const Word as usize);
        page.countdown.set(Page::NEVER);
        page.owner.set(record as *const Record as usize);
        page.set_state(State::Current);
        record.current[bin].set(page as *const Page as usize);
        if head.get() == 0 {
            head.set(page.extend());
        }
        mark_recent(page);
    }

    /// Gives the thread a record. The result says whether only for this one time, because the thread is
    /// ending and nobody would return it later; `None` means that there was no memory.
    fn attach(&self) -> Option<bool> {
        let temporary = GUARD.try_with(|_| ()).is_err();
        let mut records = records();
        let record = match records.iter().find(|record| record.local.get() == 0) {
            Some(record) => {
                ABANDONED.fetch_sub(1, Relaxed);
                record
            }
            None => {
                let address = system::map(size_of::<Record>().next_multiple_of(4096), 4096)?;
                // SAFETY: a mapping of that size, zeroed, which is a valid record.
                let record = unsafe { &*(address as *const Record) };
                record.next.set(records.first);
                records.first = address;
                record.remaining.store(collection_count::base(), Relaxed);
                record
            }
        };
        record.local.set(self as *const Local as usize);
        self.base.store(collection_count::base(), Relaxed);
        self.remaining.store(record.remaining.load(Relaxed), Relaxed);
        self.record.set(record as *const Record as usize);
        Some(temporary)
    }

    fn detach(&self) {
        let _records = records();
        // SAFETY: the thread is attached, and records are never unmapped.
        let record = unsafe { &*(self.record.get() as *const Record) };
        record.abandon(self);
        self.record.set(DETACHED);
    }
}

impl Record {
    /// Takes what the thread has into the record. The caller holds the records' lock.
    fn abandon(&self, local: &Local) {
        self.retire_all(local);
        self.remaining.store(local.remaining.load(Relaxed), Relaxed);
        self.local.set(0);
        ABANDONED.fetch_add(1, Relaxed);
    }

    fn retire_all(&self, local: &Local) {
        self.drain();
        for bin in 0..BINS {
            if self.current[bin].get() != 0 {
                self.retire_current(bin, &local.heads[bin]);
            }
        }
        if self.empty.get() > 0 {
            self.release_empty();
        }
    }

    fn release_empty(&self) {
        for available in &self.available {
            let mut next = available.first();
            // SAFETY: pages in the lists of a record are in use; the next one is asked for before the page goes.
            while let Some(page) = unsafe { next.as_ref() } {
                // SAFETY: as above.
                unsafe {
                    next = available.after(page);
                    if page.is_empty() {
                        available.remove(page);
                        pool().release(page);
                    }
                }
            }
        }
        self.empty.set(0);
    }

    /// The first available page of a bin, taken out of its list, or null.
    fn take_available(&self, bin: usize) -> *const Page {
        let page = self.available[bin].pop_front();
        // SAFETY: pages in the lists of a record are in use.
        if unsafe { page.as_ref() }.is_some_and(Page::is_empty) {
            self.empty.set(self.empty.get() - 1);
        }
        page
    }

    /// Whether a page without objects stays with the thread; it counts as such then.
    fn keeps_empty(&self, page: &Page) -> bool {
        let keeps = is_deferring() && self.empty.get() < MOST_EMPTY && page.bytes() <= PAGE_BYTES;
        if keeps {
            self.empty.set(self.empty.get() + 1);
        }
        keeps
    }

    /// Ends the time of a page as the current one.
    fn retire_current(&self, bin: usize, head: &Word) {
        // SAFETY: the caller saw that there is a current page; it belongs to this record.
        let page = unsafe { &*(self.current[bin].get() as *const Page) };
        self.current[bin].set(0);
        page.free.set(head.get());
        page.list.set(&raw const page.free as usize);
        head.set(0);
        if page.exhausted() {
            page.set_state(State::Full);
            page.countdown.set(page.threshold());
            return;
        }
        let mut free = 0;
        let mut block = page.free.get();
        while block != 0 {
            free += 1;
            // SAFETY: the free list consists of free blocks, whose first word is the link.
            block = unsafe { Word::at(block) }.get();
        }
        self.keep_available(page, page.capacity.get() - free);
    }

    /// Puts a page with `used` objects among those to allocate from, or releases it when there are none and it is not kept.
    fn keep_available(&self, page: &Page, used: usize) {
        if used == 0 && !self.keeps_empty(page) {
            pool().release(page);
            return;
        }
        page.set_state(State::Available);
        page.countdown.set(used);
        // SAFETY: the page is in no list: it was current or full.
        unsafe { self.available[page.bin()].push_back(page) };
    }
}

/// The countdown of frees in a page has reached 0.
#[cold]
#[inline(never)]
fn countdown_over(page: &Page) {
    // SAFETY: a page with blocks of a class has an owner, and records are never unmapped. The caller
    // is the owner, or holds the lock under which the record is abandoned.
    let record = unsafe { &*(page.owner.get() as *const Record) };
    match page.state() {
        State::Full => record.keep_available(page, page.capacity.get() - page.threshold()),
        State::Available if record.keeps_empty(page) => {}
        State::Available => {
            // SAFETY: available pages are in this list.
            unsafe { record.available[page.bin()].remove(page) };
            pool().release(page);
        }
        State::Current => page.countdown.set(Page::NEVER),
        State::Single | State::Released => unreachable!("a page without a free list"),
    }
}

/// An available page of an abandoned record, or null.
fn steal(bin: usize) -> *const Page {
    let records = records();
    for record in records.iter().filter(|record| record.local.get() == 0) {
        record.drain();
        let page = record.take_available(bin);
        if !page.is_null() {
            return page;
        }
    }
    null()
}

/// The class and the bin of a block.
#[inline(always)]
pub fn bin_of(class: usize, kind: Kind) -> usize {
    class + kind as usize * size_class::CLASSES
}
