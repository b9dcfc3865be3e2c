//! Parking threads: waiting on a word with a deadline, and the lock built on it that Python's locks are.
//!
//! Counterpart of CPython's `Python/parking_lot.c` and `Python/lock.c`. A wait ends early when a signal handler ran on
//! the waiting thread, so that the main thread can run the Python handlers.

use crate::cell::is_parallel;
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

/// For how long a thread waits for a lock before it parks.
const SPINS: u32 = 100;
/// How long it waits between two looks, at most.
const LONGEST_PAUSE: u32 = 8;

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

    /// Takes the lock if it becomes free within a few microseconds: parking a thread and waking it takes longer than most
    /// locks are held.
    pub fn acquire_soon(&self) -> bool {
        // The longer it takes, the more seldom the lock is looked at: each look takes the cache line from who has it.
        let (mut left, mut pause) = (SPINS, 1);
        while left > 0 {
            for _ in 0..pause {
                std::hint::spin_loop();
            }
            if self.try_acquire() {
                return true;
            }
            left = left.saturating_sub(pause);
            pause = (2 * pause).min(LONGEST_PAUSE);
        }
        false
    }

    /// Waits until the lock is free, but not for long.
    fn spin(&self) {
        for _ in 0..SPINS {
            if !self.is_locked() {
                return;
            }
            std::hint::spin_loop();
        }
    }

    /// Takes the lock, waiting for it up to the deadline; `Woken` means that it has been taken.
    pub fn acquire(&self, deadline: Option<i64>) -> Wait {
        if self.try_acquire() {
            return Wait::Woken;
        }
        // Others may be waiting too: whoever waited leaves the lock marked as contended.
        while self.0.swap(CONTENDED, Acquire) != FREE {
            match wait(&self.0, CONTENDED, deadline) {
                // While this thread wakes up, others take the lock and release it again and again.
                Wait::Woken if is_parallel() => self.spin(),
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

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::UnsafeCell;
    use std::sync::atomic::AtomicUsize;

    const TURNS: usize = if cfg!(miri) { 50 } else { 20_000 };

    struct Guarded(RawLock, UnsafeCell<usize>);
    // SAFETY: the number is touched only by who has the lock.
    unsafe impl Sync for Guarded {}

    impl Guarded {
        fn increment(&self, deadline: Option<i64>) {
            while self.0.acquire(deadline.filter(|deadline| monotonic() < *deadline)) != Wait::Woken {}
            // SAFETY: the lock is held.
            unsafe { *self.1.get() += 1 };
            assert!(self.0.release());
        }
    }

    #[test]
    fn one_thread_at_a_time_has_a_lock() {
        let guarded = Guarded(RawLock::new(), UnsafeCell::new(0));
        std::thread::scope(|scope| {
            for _ in 0..3 {
                scope.spawn(|| {
                    for turn in 0..TURNS {
                        // Now and then it is waited for with a deadline.
                        guarded.increment((turn % 8 == 0).then(|| monotonic() + 1_000));
                    }
                });
            }
        });
        assert_eq!(guarded.1.into_inner(), 3 * TURNS);
        assert!(!guarded.0.is_locked());
    }

    #[test]
    fn who_is_woken_sees_what_was_written_before() {
        let (word, answers) = (AtomicU32::new(0), AtomicUsize::new(0));
        std::thread::scope(|scope| {
            scope.spawn(|| {
                for turn in 0..TURNS as u32 {
                    while word.load(Acquire) == 2 * turn {
                        wait(&word, 2 * turn, None);
                    }
                    answers.fetch_add(1, Relaxed);
                    word.store(2 * turn + 2, Release);
                    wake(&word, 1);
                }
            });
            for turn in 0..TURNS as u32 {
                word.store(2 * turn + 1, Release);
                wake(&word, 1);
                while word.load(Acquire) == 2 * turn + 1 {
                    wait(&word, 2 * turn + 1, None);
                }
                assert_eq!(answers.load(Relaxed), turn as usize + 1);
            }
        });
    }

    #[test]
    fn a_wait_ends_with_its_deadline() {
        let word = AtomicU32::new(7);
        assert_eq!(wait(&word, 8, None), Wait::Woken);
        let before = monotonic();
        while wait(&word, 7, Some(before + 2_000_000)) != Wait::TimedOut {}
        assert!(monotonic() >= before + 2_000_000);
    }
}
