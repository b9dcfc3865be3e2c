//! The lock of a buffered stream: held by a thread while it is in the midst of an operation, which may release the GIL.
//!
//! A thread that asks for a lock it holds itself (a signal handler or a raw stream that uses the buffer) is told so.

use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering::*};
use std::sync::{Condvar, Mutex};
use taipan_object::vm::hooks::blocking;

const FREE: u32 = 0;
const HELD: u32 = 1;
const CONTENDED: u32 = 2;

/// Where threads wait for any lock.
static WAITING: (Mutex<()>, Condvar) = (Mutex::new(()), Condvar::new());

#[derive(Default)]
pub struct StreamLock {
    state: AtomicU32,
    owner: AtomicUsize,
}

/// The calling thread holds the lock already.
pub struct Reentrant;

fn this_thread() -> usize {
    thread_local!(static MARK: u8 = const { 0 });
    MARK.with(|mark| mark as *const u8 as usize)
}

impl StreamLock {
    pub fn acquire(&self) -> Result<(), Reentrant> {
        if self.state.compare_exchange(FREE, HELD, Acquire, Relaxed).is_err() {
            if self.owner.load(Relaxed) == this_thread() {
                return Err(Reentrant);
            }
            blocking(|| self.wait());
        }
        self.owner.store(this_thread(), Relaxed);
        Ok(())
    }

    fn wait(&self) {
        let mut guard = WAITING.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        while self.state.swap(CONTENDED, Acquire) != FREE {
            guard = WAITING.1.wait(guard).unwrap_or_else(|poisoned| poisoned.into_inner());
        }
    }

    pub fn release(&self) {
        self.owner.store(0, Relaxed);
        if self.state.swap(FREE, Release) == CONTENDED {
            let guard = WAITING.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
            WAITING.1.notify_all();
            drop(guard);
        }
    }
}
