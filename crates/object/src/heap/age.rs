//! Which of two containers is the older one.
//!
//! A container keeps the last 16 bits of how many were allocated before it. That tells those apart that are among the last 65536
//! allocated of their generation, or of a small program; older ones may be taken for younger. (Builds that can do without the
//! GIL keep 11 bits.) The collector and `gc` order by it what they have found. The collector renews it where CPython's
//! moves an object to the end of its list.
//!
//! Threads number their containers without asking each other: each takes some numbers at a time, and new ones when it gets the
//! GIL from another.

use crate::header::PrivateWord;
use std::ptr::NonNull;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

/// The bits of the age's field that are its own.
const AGE: u16 = if cfg!(feature = "free-threading") { 0x7FF } else { u16::MAX };

/// How many numbers a thread takes at a time, a power of two: threads that allocate side by side do not write to the same place
/// each time.
const BATCH: u32 = 64;

/// The numbers that threads have taken, but for the turns of the counter.
static TAKEN: AtomicU32 = AtomicU32::new(0);

/// The number that a thread gave its last container, of those that it has taken.
pub(super) struct Last(AtomicU32);

impl Last {
    pub(super) const fn new() -> Last {
        Last(AtomicU32::new(u32::MAX))
    }

    #[inline(always)]
    fn next(&self) -> u32 {
        let mut number = self.0.load(Relaxed).wrapping_add(1);
        if number.is_multiple_of(BATCH) {
            number = take();
        }
        self.0.store(number, Relaxed);
        number
    }

    fn renew(&self) {
        self.0.store(u32::MAX, Relaxed);
    }
}

#[cold]
#[inline(never)]
fn take() -> u32 {
    TAKEN.fetch_add(BATCH, Relaxed)
}

/// Notes when a container is allocated.
#[inline(always)]
pub(super) fn stamp(object: NonNull<u8>, last: &Last) {
    private(object).age.store(last.next() as u16 & AGE, Relaxed);
}

/// What this thread allocates from now on is younger than what others have allocated so far.
pub fn outlast_others() {
    super::local::current().age.renew();
}

/// Makes a container the youngest one.
pub fn renew_age(object: NonNull<u8>) {
    let age = &private(object).age;
    age.store(age.load(Relaxed) & !AGE | super::local::current().age.next() as u16 & AGE, Relaxed);
}

/// How many containers were allocated after this one, and could be now, modulo 65536.
pub fn age(object: NonNull<u8>) -> u16 {
    (TAKEN.load(Relaxed) as u16).wrapping_sub(private(object).age.load(Relaxed)) & AGE
}

#[inline(always)]
fn private<'a>(object: NonNull<u8>) -> &'a PrivateWord {
    // SAFETY: the private word stands before every block; of the header itself, which may not be there yet, nothing is read.
    unsafe { &*object.as_ptr().sub(size_of::<PrivateWord>()).cast() }
}
