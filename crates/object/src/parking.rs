//! Parking threads: waiting on a word with a deadline, and the lock built on it that Python's locks are.
//!
//! Counterpart of CPython's `Python/parking_lot.c` and `Python/lock.c`. A wait ends early when a signal handler ran on
//! the waiting thread, so that the main thread can run the Python handlers.

use std::sync::atomic::{AtomicU32, Ordering::*};

/// Why a wait ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Wait {
    /// Woken, or the word had changed already, or for no reason.
    Woken,
    TimedOut,
    /// A signal handler ran on this thread.
    Interrupted,
}

/// The monotonic clock in nanoseconds, by which deadlines are given.
pub fn monotonic() -> i64 {
    let mut now = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: `now` has room for the result; this clock always exists.
    unsafe { libc::clock_gettime(libc::CLOCK_MONOTONIC, &mut now) };
    now.tv_sec * 1_000_000_000 + now.tv_nsec
}

/// Waits until [`wake`] is called for `word`, unless the word is not `expected` any more.
pub fn wait(word: &AtomicU32, expected: u32, deadline: Option<i64>) -> Wait {
    let limit = deadline.map(|deadline| libc::timespec {
        tv_sec: deadline.div_euclid(1_000_000_000),
        tv_nsec: deadline.rem_euclid(1_000_000_000),
    });
    let limit = limit.as_ref().map_or(std::ptr::null(), |limit| limit as *const libc::timespec);
    let operation = libc::FUTEX_WAIT_BITSET | libc::FUTEX_PRIVATE_FLAG;
    // SAFETY: a live word, null or a valid timespec.
    let status = unsafe {
        libc::syscall(
            libc::SYS_futex,
            word.as_ptr(),
            operation,
            expected,
            limit,
            std::ptr::null::<u32>(),
            libc::FUTEX_BITSET_MATCH_ANY,
        )
    };
    if status == 0 {
        return Wait::Woken;
    }
    match std::io::Error::last_os_error().raw_os_error() {
        Some(libc::ETIMEDOUT) => Wait::TimedOut,
        Some(libc::EINTR) => Wait::Interrupted,
        _ => Wait::Woken,
    }
}

/// Wakes up to `count` threads that wait on `word`.
pub fn wake(word: &AtomicU32, count: i32) {
    // SAFETY: the address serves as a key only.
    unsafe { libc::syscall(libc::SYS_futex, word.as_ptr(), libc::FUTEX_WAKE | libc::FUTEX_PRIVATE_FLAG, count) };
}

const FREE: u32 = 0;
const LOCKED: u32 = 1;
const CONTENDED: u32 = 2;

/// A lock that any thread may release.
pub struct RawLock(AtomicU32);

impl Default for RawLock {
    fn default() -> Self {
        RawLock::new()
    }
}

impl RawLock {
    pub const fn new() -> RawLock {
        RawLock(AtomicU32::new(FREE))
    }

    #[inline]
    pub fn is_locked(&self) -> bool {
        self.0.load(Relaxed) != FREE
    }

    #[inline]
    pub fn try_acquire(&self) -> bool {
        self.0.compare_exchange(FREE, LOCKED, Acquire, Relaxed).is_ok()
    }

    /// Takes the lock, waiting for it up to the deadline; `Woken` means that it has been taken.
    pub fn acquire(&self, deadline: Option<i64>) -> Wait {
        if self.try_acquire() {
            return Wait::Woken;
        }
        // Others may be waiting too: whoever waited leaves the lock marked as contended.
        while self.0.swap(CONTENDED, Acquire) != FREE {
            match wait(&self.0, CONTENDED, deadline) {
                Wait::Woken => {}
                other => return other,
            }
        }
        Wait::Woken
    }

    /// Releases the lock; false if it was not locked.
    #[inline]
    pub fn release(&self) -> bool {
        match self.0.swap(FREE, Release) {
            CONTENDED => {
                wake(&self.0, 1);
                true
            }
            state => state != FREE,
        }
    }

    /// Makes it unlocked without waking anyone, in a process that has just been forked.
    pub fn reinit(&self) {
        self.0.store(FREE, Relaxed);
    }
}
