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

/// Wakes up to `count` threads that wait on `word`; whether there were any.
pub fn wake(word: &AtomicU32, count: i32) -> bool {
    // SAFETY: the address serves as a key only.
    unsafe { libc::syscall(libc::SYS_futex, word.as_ptr(), libc::FUTEX_WAKE | libc::FUTEX_PRIVATE_FLAG, count) > 0 }
}

const FREE: u32 = 0;
const LOCKED: u32 = 1;
/// Locked, and somebody waits.
const CONTENDED: u32 = 2;
/// The same, and somebody has waited for long: who releases the lock leaves it to those who wait.
const OVERDUE: u32 = 3;
/// Left to those who wait: nobody else takes it.
const LEFT: u32 = 4;

/// For so many nanoseconds others may overtake a thread that waits.
const LONG: i64 = 1_000_000;

/// For how long a thread waits for a lock before it parks.
const SPINS: u32 = 100;
/// How long it waits between two looks, at most.
const LONGEST_PAUSE: u32 = 8;

/// A lock that any thread may release. Whoever comes along may take it before those who wait, until one of them has waited for
/// long ([`LONG`]).
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

    /// Takes the lock, waiting for it up to the deadline; `Woken` means that it has been taken.
    pub fn acquire(&self, deadline: Option<i64>) -> Wait {
        if self.try_acquire() { Wait::Woken } else { self.acquire_slowly(deadline) }
    }

    #[cold]
    fn acquire_slowly(&self, deadline: Option<i64>) -> Wait {
        let (mut waiting, overdue) = (CONTENDED, monotonic().saturating_add(LONG));
        while let Err(state) = self.take_or_announce(waiting) {
            match wait(&self.0, state, deadline) {
                Wait::Woken if monotonic() >= overdue => waiting = OVERDUE,
                // While this thread wakes up, others take the lock and release it again and again.
                Wait::Woken if is_parallel() => self.spin(),
                Wait::Woken => {}
                reason => return if self.stop_waiting() { Wait::Woken } else { reason },
            }
        }
        Wait::Woken
    }

    /// Takes the lock if it is free or left to those who wait, or says that this thread is one of them: then this is the
    /// lock's state. Others may be waiting too: whoever waited leaves the lock marked as contended.
    fn take_or_announce(&self, waiting: u32) -> Result<(), u32> {
        let mut state = self.0.load(Relaxed);
        loop {
            let (next, result) = match state {
                FREE | LEFT => (CONTENDED, Ok(())),
                _ => (state.max(waiting), Err(state.max(waiting))),
            };
            match self.0.compare_exchange_weak(state, next, Acquire, Relaxed) {
                Ok(_) => return result,
                Err(now) => state = now,
            }
        }
    }

    /// After having waited in vain; whether the lock has just been left to those who wait: then this thread has it. If others
    /// have waited for long, they say so again when they are woken.
    fn stop_waiting(&self) -> bool {
        let mut state = self.0.load(Relaxed);
        while matches!(state, OVERDUE | LEFT) {
            match self.0.compare_exchange_weak(state, CONTENDED, Acquire, Relaxed) {
                Ok(_) => return state == LEFT,
                Err(now) => state = now,
            }
        }
        false
    }

    /// Waits until a waiting thread may take the lock, but not for long.
    fn spin(&self) {
        for _ in 0..SPINS {
            if matches!(self.0.load(Relaxed), FREE | LEFT) {
                return;
            }
            std::hint::spin_loop();
        }
    }

    /// Releases the lock; false if it was not locked.
    #[inline]
    pub fn release(&self) -> bool {
        self.0.compare_exchange(LOCKED, FREE, Release, Relaxed).is_ok() || self.release_slowly()
    }

    #[cold]
    fn release_slowly(&self) -> bool {
        let mut state = self.0.load(Relaxed);
        while state != FREE {
            let next = if state == OVERDUE { LEFT } else { FREE };
            match self.0.compare_exchange_weak(state, next, Release, Relaxed) {
                Ok(_) => {
                    let woken = state != LOCKED && wake(&self.0, 1);
                    if next == LEFT && !woken {
                        // Those who waited are on their way, or belong to the process that this one was forked from.
                        let _ = self.0.compare_exchange(LEFT, FREE, Release, Relaxed);
                    }
                    return true;
                }
                Err(now) => state = now,
            }
        }
        false
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
    fn who_waits_for_long_is_not_overtaken() {
        let lock = RawLock::new();
        assert!(lock.try_acquire());
        std::thread::scope(|scope| {
            scope.spawn(|| {
                assert_eq!(lock.acquire(None), Wait::Woken);
                assert!(lock.release());
            });
            let wait_for = |wanted: u32| {
                while lock.0.load(Relaxed) != wanted {
                    std::thread::yield_now();
                }
            };
            wait_for(CONTENDED);
            let begun = monotonic();
            while monotonic() < begun + 2 * LONG {
                std::thread::yield_now();
            }
            assert!(lock.release());
            // Overtaken once.
            if lock.try_acquire() {
                wait_for(OVERDUE);
                assert!(lock.release());
                // It is free only after the other has had it.
                assert_eq!(lock.acquire(None), Wait::Woken);
                assert!(lock.release());
            }
        });
        assert!(!lock.is_locked());
    }

    #[test]
    fn a_lock_is_left_to_nobody_in_another_process() {
        let lock = RawLock(AtomicU32::new(OVERDUE));
        assert!(lock.release() && lock.try_acquire());
    }

    #[test]
    fn a_lock_is_left_to_nobody_who_waits_no_longer() {
        let lock = RawLock::new();
        for turn in 0..TURNS.min(40) {
            assert!(lock.try_acquire());
            std::thread::scope(|scope| {
                for waiter in 0..2 {
                    let lock = &lock;
                    scope.spawn(move || {
                        if lock.acquire(Some(monotonic() + 2 * LONG + waiter * turn as i64 * 10_000)) == Wait::Woken {
                            assert!(lock.release());
                        }
                    });
                }
                let end = monotonic() + 4 * LONG;
                while monotonic() < end {
                    assert!(lock.release());
                    while !lock.try_acquire() {
                        std::thread::yield_now();
                    }
                }
                assert!(lock.release());
            });
            assert!(!lock.is_locked());
        }
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
