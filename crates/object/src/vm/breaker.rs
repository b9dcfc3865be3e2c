//! The eval breaker: one word per thread that says whether something is to be done at the next safepoint.

use std::sync::atomic::{
    AtomicBool,
    Ordering::{Relaxed, SeqCst},
};

/// A thread's eval breaker, the one thing that its eval loop looks at.
#[derive(Default)]
pub struct Breaker(AtomicBool);

impl Breaker {
    pub const fn new() -> Breaker {
        Breaker(AtomicBool::new(false))
    }

    #[inline(always)]
    pub fn is_requested(&self) -> bool {
        self.0.load(Relaxed)
    }

    /// Asks the thread for a safepoint. Any thread may call this, a signal handler too; what is to be done has been
    /// noted before.
    pub fn request(&self) {
        self.0.store(true, SeqCst);
    }

    /// Takes the request back; what was noted before it is visible afterwards.
    pub fn reset(&self) {
        self.0.swap(false, SeqCst);
    }
}
