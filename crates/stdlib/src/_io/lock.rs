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
    /// The thread that holds the lock, 0 if none does; and [`FORKS`] when it took it.
    owner: AtomicUsize,
    forks: AtomicU32,
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
    pub fn acquire(&self) -> Result<(), Refused> {
        if !self.raw.try_acquire() {
            self.acquire_slowly()?;
        }
        self.owner.store(this_thread(), Relaxed);
        self.forks.store(FORKS.load(Relaxed), Relaxed);
        Ok(())
    }

    #[cold]
    fn acquire_slowly(&self) -> Result<(), Refused> {
        if self.owner.load(Relaxed) == this_thread() {
            return Err(Refused::Reentrant);
        }
        if self.owner.load(Relaxed) != 0 && self.forks.load(Relaxed) != FORKS.load(Relaxed) {
            // The process is a child of the one whose thread took the lock.
            self.raw.reinit();
        }
        let deadline = gil::is_finalizing().then(|| monotonic().saturating_add(FINAL_PATIENCE));
        loop {
            match blocking(|| self.raw.acquire(deadline)) {
                Wait::Woken => return Ok(()),
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
