//! Which of two containers is the older one.
//!
//! A container keeps the last 16 bits of how many were allocated before it. That tells those apart that are among the last 65536
//! allocated of their generation, or of a small program; older ones may be taken for younger. (Builds that can do without the
//! GIL keep 11 bits.) The collector and `gc` order by it what they have found. The collector renews it where CPython's
//! moves an object to the end of its list.

use crate::header::PrivateWord;
use std::ptr::NonNull;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

/// The bits of the age's field that are its own.
const AGE: u16 = if cfg!(feature = "free-threading") { 0x7FF } else { u16::MAX };

/// Containers allocated so far, but for the turns of the counter. Threads that allocate at once may get the same number.
static ALLOCATED: AtomicU32 = AtomicU32::new(0);

/// Notes when a container is allocated.
#[inline(always)]
pub(super) fn stamp(object: NonNull<u8>) {
    let number = ALLOCATED.load(Relaxed).wrapping_add(1);
    ALLOCATED.store(number, Relaxed);
    // SAFETY: the private word stands before every block; of the header itself, which is not there yet, nothing is read.
    let private = unsafe { &*object.as_ptr().sub(size_of::<PrivateWord>()).cast::<PrivateWord>() };
    private.age.store(number as u16 & AGE, Relaxed);
}

/// Makes a container the youngest one.
pub fn renew_age(object: NonNull<u8>) {
    stamp(object);
}

/// How many containers were allocated after this one, modulo 65536.
pub fn age(object: NonNull<u8>) -> u16 {
    // SAFETY: as in `stamp`.
    let private = unsafe { &*object.as_ptr().sub(size_of::<PrivateWord>()).cast::<PrivateWord>() };
    (ALLOCATED.load(Relaxed) as u16).wrapping_sub(private.age.load(Relaxed)) & AGE
}
