//! The lock of the warnings machinery, which a thread may take several times.

use std::sync::{Condvar, Mutex, MutexGuard};
use std::thread::{self, ThreadId};

use taipan_object::vm::hooks::blocking;

/// Who has the lock, and how many times.
struct Held {
    owner: Option<ThreadId>,
    count: usize,
}

static HELD: Mutex<Held> = Mutex::new(Held { owner: None, count: 0 });
static RELEASED: Condvar = Condvar::new();

fn held() -> MutexGuard<'static, Held> {
    HELD.lock().expect("nothing panics while the lock's state is changed")
}

/// The lock; a value of this type has it until it goes.
pub struct Lock;

impl Lock {
    pub fn new() -> Lock {
        Self::acquire();
        Lock
    }

    /// Takes the lock, after other threads had it.
    pub fn acquire() {
        let me = thread::current().id();
        if !take(&mut held(), me) {
            blocking(|| {
                let mut held = held();
                while !take(&mut held, me) {
                    held = RELEASED.wait(held).expect("nothing panics while the lock's state is changed");
                }
            });
        }
    }

    /// Gives it back, once; `false` if this thread does not have it.
    pub fn release() -> bool {
        let mut held = held();
        if held.owner != Some(thread::current().id()) {
            return false;
        }
        held.count -= 1;
        if held.count == 0 {
            held.owner = None;
            RELEASED.notify_one();
        }
        true
    }

    /// Whether this thread has it.
    pub fn is_held() -> bool {
        held().owner == Some(thread::current().id())
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        Self::release();
    }
}

fn take(held: &mut Held, me: ThreadId) -> bool {
    let free = held.owner.is_none_or(|owner| owner == me);
    if free {
        held.owner = Some(me);
        held.count += 1;
    }
    free
}
