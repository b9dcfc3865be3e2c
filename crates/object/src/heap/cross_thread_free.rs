//! Frees by a thread that does not own the page.
//!
//! The freed block goes on the page's `remote_free` list; the thread that finds this list empty also
//! puts the page on the `remote` list of its owner's record. So contention is per page, and the owner
//! finds all such pages at one place, when it runs out of blocks of some class.
//!
//! Only who takes a page from a `remote` list empties its `remote_free` list. That makes the protocol
//! safe: between the two pushes above the page holds a block that is not yet accounted for, so it cannot
//! become empty and go away, and it cannot be pushed a second time.
//!
//! *Memory orderings.* Both pushes are `Release` and both takings are `Acquire`: whatever the freeing
//! thread did with the object happens before the owner hands the block out again, and the link is
//! written before it is followed. Pushes on top of others are read-modify-writes, hence continue the
//! release sequence and need no `Acquire`; lists are taken as a whole, so there is no ABA. Everything
//! else in a page's metadata is relaxed: it is written by the owner alone, or passes from one owner to
//! the next under the lock of the records or of the pool.
//!
//! The owner itself may change only while the record is abandoned. A freeing thread may thus have
//! queued the page at its former owner; whoever takes it from there passes it on.

use super::local::{Local, Record};
use super::page::{Page, State, make_free};
use super::segment::pool;
use super::word::Word;
use std::sync::atomic::{
    AtomicUsize,
    Ordering::{Acquire, Relaxed, Release},
};

/// Frees an object in a page that the thread does not own.
///
/// # Safety
/// `object` is an allocated object in `page`, and nobody uses it any more.
#[cold]
#[inline(never)]
pub unsafe fn free_elsewhere(page: &Page, object: usize) {
    // SAFETY: as the caller promises.
    unsafe { make_free(object, 0) };
    if page.state() == State::Single {
        pool().release(page);
        return;
    }
    // SAFETY: the block is ours until it is on the list.
    let link = unsafe { Word::at(object) };
    if push(&page.remote_free, object, link) == 0 {
        queue(page);
    }
}

/// Puts a page with remote frees on its owner's list.
fn queue(page: &Page) {
    // SAFETY: the page has blocks of a class, so an owner, and records are never unmapped.
    let record = unsafe { &*(page.owner.get() as *const Record) };
    push(&record.remote, page as *const Page as usize, &page.next_remote);
}

impl Record {
    /// Takes in what other threads have freed. The caller is the record's thread, or holds the records'
    /// lock while the record is abandoned.
    pub fn drain(&self) {
        if self.remote.load(Relaxed) == 0 {
            return;
        }
        let mut next = self.remote.swap(0, Acquire);
        // SAFETY: queued pages have blocks that are not yet accounted for, so they are in use.
        while let Some(page) = unsafe { (next as *const Page).as_ref() } {
            // Before the page's list becomes empty and the page may be queued again.
            next = page.next_remote.get();
            if page.owner.get() != self as *const Record as usize {
                queue(page);
                continue;
            }
            let mut object = page.remote_free.swap(0, Acquire);
            while object != 0 {
                // SAFETY: the list consists of freed blocks of this page, which belongs to the caller. The
                // link is read before the block changes lists.
                unsafe {
                    let following = Word::at(object).get();
                    Local::push(page, object);
                    object = following;
                }
            }
        }
    }
}

/// Pushes `element` on a list and returns what was the first before.
fn push(list: &AtomicUsize, element: usize, link: &Word) -> usize {
    let mut first = list.load(Relaxed);
    loop {
        link.set(first);
        match list.compare_exchange_weak(first, element, Release, Relaxed) {
            Ok(_) => return first,
            Err(now) => first = now,
        }
    }
}
