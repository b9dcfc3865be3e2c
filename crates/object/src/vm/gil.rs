//! The global interpreter lock: the thread that holds it is *attached* and may touch Python objects.
//!
//! Counterpart of CPython's `Python/ceval_gil.c`. A thread that waits for the lock longer than the switch interval asks
//! the holder, through its [`Breaker`], to give it up at its next safepoint. A holder that does so waits until another
//! thread has taken the lock, so that whoever asked is not overtaken.
//!
//! Once the interpreter is being finalised, only the thread that does it gets the lock; others stop for ever when they
//! ask for it, as their Python code must not run any more.

use std::sync::atomic::{
    AtomicBool, AtomicI64, AtomicPtr, AtomicU32,
    Ordering::{Relaxed, SeqCst},
};

use super::Vm;
use super::breaker::Breaker;
use crate::parking::{self, Wait, monotonic};

/// 0: free, 1: held. Threads that wait for the lock are parked on it.
static HELD: AtomicU32 = AtomicU32::new(0);
/// How many threads wait for the lock.
static WAITING: AtomicU32 = AtomicU32::new(0);
/// How often the lock went to another thread than the one that had it before. Threads that gave it up on request are
/// parked on it; [`YIELDING`] counts them.
static SWITCHES: AtomicU32 = AtomicU32::new(0);
static YIELDING: AtomicU32 = AtomicU32::new(0);
/// The thread that had the lock last; serves for comparison only.
static LAST: AtomicPtr<Vm> = AtomicPtr::new(std::ptr::null_mut());
/// The eval breaker of the thread that holds the lock.
static HOLDER: AtomicPtr<Breaker> = AtomicPtr::new(std::ptr::null_mut());
/// How many threads are using what they found in [`HOLDER`].
static REQUESTING: AtomicU32 = AtomicU32::new(0);
/// The holder is to give the lock up.
static DROP_REQUESTED: AtomicBool = AtomicBool::new(false);
/// How often the process, and those that it was forked from, came out of a fork.
static FORKS: AtomicU32 = AtomicU32::new(0);
/// The thread that finalises the interpreter.
static FINALIZER: AtomicPtr<Vm> = AtomicPtr::new(std::ptr::null_mut());
/// Nanoseconds.
static SWITCH_INTERVAL: AtomicI64 = AtomicI64::new(5_000_000);

/// `sys.getswitchinterval()` in nanoseconds.
pub fn switch_interval() -> i64 {
    SWITCH_INTERVAL.load(Relaxed)
}

/// `sys.setswitchinterval()` in nanoseconds.
pub fn set_switch_interval(nanoseconds: i64) {
    SWITCH_INTERVAL.store(nanoseconds.max(1000), Relaxed);
}

/// `sys.is_finalizing()`
pub fn is_finalizing() -> bool {
    !FINALIZER.load(Relaxed).is_null()
}

/// Which process this is, counted by forks: what other threads were about to do in an earlier one is not done in this one.
pub fn forks() -> u32 {
    FORKS.load(Relaxed)
}

/// Whether threads have to hold the lock to run Python code; not under `-X gil=0`.
#[inline]
pub fn is_enabled() -> bool {
    #[cfg(feature = "free-threading")]
    return !super::world::is_free_threaded();
    #[cfg(not(feature = "free-threading"))]
    true
}

/// By how many bytes the header of CPython's objects is larger without the GIL, for sizes that are CPython's.
pub(crate) fn header_growth() -> usize {
    if is_enabled() { 0 } else { 16 }
}

/// Stops the calling thread for ever if the interpreter is being finalised by another one.
#[cfg(feature = "free-threading")]
pub(super) fn stop_if_finalizing(vm: &Vm) {
    let finalizer = FINALIZER.load(Relaxed);
    if !finalizer.is_null() && !std::ptr::eq(finalizer, vm) {
        crate::count::set_shared(false);
        super::world::leave();
        loop {
            // SAFETY: no preconditions.
            unsafe { libc::pause() };
        }
    }
}

pub(super) fn acquire(vm: &Vm) {
    if HELD.compare_exchange(0, 1, SeqCst, Relaxed).is_err() {
        acquire_slowly();
    }
    let finalizer = FINALIZER.load(Relaxed);
    if !finalizer.is_null() && !std::ptr::eq(finalizer, vm) {
        release();
        loop {
            // SAFETY: no preconditions.
            unsafe { libc::pause() };
        }
    }
    HOLDER.store(vm.breaker.get().cast_mut(), SeqCst);
    if !std::ptr::eq(LAST.load(Relaxed), vm) {
        LAST.store(vm as *const Vm as *mut Vm, Relaxed);
        crate::heap::outlast_others();
        SWITCHES.fetch_add(1, SeqCst);
        DROP_REQUESTED.store(false, Relaxed);
        if YIELDING.load(SeqCst) > 0 {
            parking::wake(&SWITCHES, i32::MAX);
        }
    }
}

#[cold]
#[inline(never)]
fn acquire_slowly() {
    // SAFETY: the thread's own errno, put back below: callers look at it after a system call.
    let errno = unsafe { *libc::__errno_location() };
    WAITING.fetch_add(1, SeqCst);
    loop {
        let seen = SWITCHES.load(SeqCst);
        if HELD.compare_exchange(0, 1, SeqCst, Relaxed).is_ok() {
            break;
        }
        let deadline = monotonic().saturating_add(switch_interval());
        let timed_out = loop {
            match parking::wait(&HELD, 1, Some(deadline)) {
                Wait::Interrupted => {}
                reason => break reason == Wait::TimedOut,
            }
        };
        if timed_out && HELD.load(SeqCst) == 1 && SWITCHES.load(SeqCst) == seen {
            request_drop();
        }
    }
    WAITING.fetch_sub(1, SeqCst);
    // SAFETY: as above.
    unsafe { *libc::__errno_location() = errno };
}

/// Asks the holder to give the lock up.
pub(super) fn request_drop() {
    DROP_REQUESTED.store(true, SeqCst);
    REQUESTING.fetch_add(1, SeqCst);
    // SAFETY: a thread that ends waits in `forget_breaker` until nobody can be using its breaker any more.
    if let Some(breaker) = unsafe { HOLDER.load(SeqCst).as_ref() } {
        breaker.request();
    }
    REQUESTING.fetch_sub(1, SeqCst);
}

pub(super) fn release() {
    HOLDER.store(std::ptr::null_mut(), SeqCst);
    HELD.store(0, SeqCst);
    if WAITING.load(SeqCst) > 0 {
        // SAFETY: the thread's own errno, which callers look at after a system call.
        unsafe {
            let errno = *libc::__errno_location();
            parking::wake(&HELD, 1);
            *libc::__errno_location() = errno;
        }
    }
}

impl Vm {
    /// Takes the lock: from now on the thread may touch Python objects.
    pub fn attach(&self) {
        debug_assert!(!self.attached.get(), "the thread is attached already");
        acquire(self);
        #[cfg(feature = "free-threading")]
        if super::world::is_free_threaded() {
            super::world::stop();
            super::world::attached(self);
        }
        self.attached.set(true);
    }

    /// Gives the lock up.
    pub fn detach(&self) {
        debug_assert!(self.attached.get(), "the thread is not attached");
        self.attached.set(false);
        #[cfg(feature = "free-threading")]
        if super::world::is_free_threaded() {
            super::world::go_on();
        }
        release();
    }

    /// Gives the lock up when the thread's state is about to go.
    pub(super) fn detach_for_ever(&self) {
        // Another thread's state may come to lie at the same address.
        LAST.store(std::ptr::null_mut(), Relaxed);
        self.detach();
    }

    #[inline]
    pub fn is_attached(&self) -> bool {
        self.attached.get()
    }

    /// At a safepoint: lets another thread run if one asked for it.
    pub fn yield_if_requested(&self) {
        if !DROP_REQUESTED.load(Relaxed) || !self.attached.get() {
            return;
        }
        #[cfg(feature = "free-threading")]
        if crate::count::is_shared() {
            return;
        }
        DROP_REQUESTED.store(false, Relaxed);
        let seen = SWITCHES.load(SeqCst);
        self.detach();
        YIELDING.fetch_add(1, SeqCst);
        while SWITCHES.load(SeqCst) == seen && WAITING.load(SeqCst) > 0 {
            // Whoever waits takes the lock soon; the deadline is for a process that has just been forked.
            parking::wait(&SWITCHES, seen, Some(monotonic() + 5_000_000));
        }
        YIELDING.fetch_sub(1, SeqCst);
        self.attach();
    }

    /// Names the thread's eval breaker, through which others ask it for safepoints.
    pub fn set_breaker(&self, breaker: &Breaker) {
        self.breaker.set(breaker);
        if self.attached.get() {
            HOLDER.store(breaker as *const Breaker as *mut Breaker, SeqCst);
        }
    }

    /// Asks the thread itself for a safepoint.
    pub fn request_safepoint(&self) {
        // SAFETY: whoever owns the breaker takes it back before it goes.
        if let Some(breaker) = unsafe { self.breaker.get().as_ref() } {
            breaker.request();
        }
    }

    /// Before the eval breaker goes: afterwards nobody uses it any more.
    pub fn forget_breaker(&self) {
        self.breaker.set(std::ptr::null());
        if self.attached.get() {
            HOLDER.store(std::ptr::null_mut(), SeqCst);
        }
        while REQUESTING.load(SeqCst) > 0 {
            std::thread::yield_now();
        }
    }

    /// From now on no other thread is attached ever again.
    pub fn begin_finalizing(&self) {
        FINALIZER.store(self as *const Vm as *mut Vm, SeqCst);
    }

    /// The interpreter is finalised; another one may start.
    pub fn end_finalizing(&self) {
        FINALIZER.store(std::ptr::null_mut(), SeqCst);
    }
}

/// Runs `f` holding the lock, for threads without a state, which must not touch Python objects but may look at what
/// other threads do. If the lock cannot be had before the deadline, `f` runs without it.
pub fn with_lock_until<R>(deadline: i64, f: impl FnOnce() -> R) -> R {
    let mut held = HELD.compare_exchange(0, 1, SeqCst, Relaxed).is_ok();
    WAITING.fetch_add(!held as u32, SeqCst);
    let waited = !held;
    while !held && monotonic() < deadline {
        request_drop();
        parking::wait(&HELD, 1, Some(deadline.min(monotonic() + 1_000_000)));
        held = HELD.compare_exchange(0, 1, SeqCst, Relaxed).is_ok();
    }
    WAITING.fetch_sub(waited as u32, SeqCst);
    let result = f();
    if held {
        release();
    }
    result
}

/// In a forked process, whose only thread is the one that forked, attached.
pub fn after_fork_in_child() {
    WAITING.store(0, SeqCst);
    YIELDING.store(0, SeqCst);
    REQUESTING.store(0, SeqCst);
    DROP_REQUESTED.store(false, SeqCst);
    FORKS.fetch_add(1, SeqCst);
    #[cfg(feature = "free-threading")]
    super::world::after_fork_in_child();
}

/// The lock given up for a while; taken again when this is dropped.
struct Detached<'a> {
    vm: &'a Vm,
    /// The thread was in the shared state, to which it comes back.
    #[cfg(feature = "free-threading")]
    shared: bool,
}

impl<'a> Detached<'a> {
    #[inline(always)]
    fn new(vm: &'a Vm) -> Self {
        #[cfg(feature = "free-threading")]
        {
            let shared = crate::count::is_shared();
            if shared {
                vm.attached.set(false);
                crate::count::set_shared(false);
                super::world::leave();
            } else {
                vm.detach();
            }
            Detached { vm, shared }
        }
        #[cfg(not(feature = "free-threading"))]
        {
            vm.detach();
            Detached { vm }
        }
    }
}

impl Drop for Detached<'_> {
    fn drop(&mut self) {
        #[cfg(feature = "free-threading")]
        if self.shared {
            super::world::enter(self.vm);
            self.vm.attached.set(true);
            return;
        }
        self.vm.attach();
    }
}

/// Runs `f`, which may block and touches no Python object, without the GIL.
#[inline]
pub fn blocking<R>(f: impl FnOnce() -> R) -> R {
    match Vm::try_current() {
        Some(vm) if vm.is_attached() => {
            let _attach_again = Detached::new(vm);
            f()
        }
        _ => f(),
    }
}

/// The lock taken for a while by a thread that had given it up.
struct Attached<'a>(&'a Vm);

impl Drop for Attached<'_> {
    fn drop(&mut self) {
        self.0.detach();
    }
}

/// Runs `f` with the GIL, from within what [`blocking`] runs: for callbacks of foreign libraries.
pub fn with_gil<R>(f: impl FnOnce(&Vm) -> R) -> R {
    Vm::with_current(|vm| {
        if vm.is_attached() {
            return f(vm);
        }
        vm.attach();
        let _detach_again = Attached(vm);
        f(vm)
    })
}
