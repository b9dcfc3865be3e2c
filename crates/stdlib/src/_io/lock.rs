//! The lock of a buffered stream: held by a thread while it is in the midst of an operation, which may release the GIL.
//!
//! A thread that asks for a lock it holds itself (a signal handler or a raw stream that uses the buffer) is told so. What
//! a thread held that a forked process does not have is free there.

use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering::*};

use taipan_object::parking::{RawLock, Wait, monotonic};
use taipan_object::vm::gil;
use taipan_object::vm::hooks::blocking;

/// How often the process was forked on the way to this one.
static FORKS: AtomicU32 = AtomicU32::new(0);

/// How long the interpreter's end waits for the lock: who holds it may never run again. In nanoseconds.
const FINAL_PATIENCE: i64 = 1_000_000_000;

#[derive(Default)]
pub struct StreamLock {
    raw: RawLock,
    /// The thread that holds the lock, 0 if none does.
    owner: AtomicUsize,
    /// [`FORKS`] when a thread last took or waited for the lock.
    forks: AtomicU32,
}

/// How the lock was had.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Acquired {
    /// Nobody held it any more.
    Free,
    /// A thread holds it that this forked process does not have: what it was doing will not be finished.
    Orphaned,
}

/// Why the lock cannot be had.
pub enum Refused {
    /// The calling thread holds it already.
    Reentrant,
    /// The interpreter is being finalised, and a thread that is stopped holds it.
    Abandoned,
}

fn this_thread() -> usize {
    thread_local!(static MARK: u8 = const { 0 });
    MARK.with(|mark| mark as *const u8 as usize)
}

impl StreamLock {
    pub fn acquire(&self) -> Result<Acquired, Refused> {
        let acquired = if self.raw.try_acquire() { Acquired::Free } else { self.acquire_slowly()? };
        self.owner.store(this_thread(), Relaxed);
        self.forks.store(FORKS.load(Relaxed), Relaxed);
        Ok(acquired)
    }

    #[cold]
    fn acquire_slowly(&self) -> Result<Acquired, Refused> {
        if self.owner.load(Relaxed) == this_thread() {
            return Err(Refused::Reentrant);
        }
        // Said before waiting, which is without the GIL: the lock is taken before its taker can say so.
        if self.forks.swap(FORKS.load(Relaxed), Relaxed) != FORKS.load(Relaxed) {
            // No thread of this process has asked for it yet.
            self.owner.store(0, Relaxed);
            self.raw.reinit();
            if self.raw.try_acquire() {
                return Ok(Acquired::Orphaned);
            }
        }
        let deadline = gil::is_finalizing().then(|| monotonic().saturating_add(FINAL_PATIENCE));
        loop {
            match blocking(|| self.raw.acquire(deadline)) {
                Wait::Woken => return Ok(Acquired::Free),
                Wait::TimedOut => return Err(Refused::Abandoned),
                Wait::Interrupted => {}
            }
        }
    }

    pub fn release(&self) {
        self.owner.store(0, Relaxed);
        self.raw.release();
    }
}

/// In a forked process, whose only thread is the calling one.
pub fn after_fork_in_child() {
    FORKS.fetch_add(1, Relaxed);
}
