//! The threads that run Python code, as they see each other: frames, exceptions being handled, eval breakers.
//!
//! Whoever looks at another thread's state holds the GIL, so that thread is at a safepoint or outside Python code.

use std::sync::Mutex;

use taipan_object::vm::gil;
use taipan_object::vm::hooks;
use taipan_object::{Value, Vm};

use crate::frame::Interp;
use crate::import::lock;
use crate::tracemalloc_module;

/// What identifies a thread for others, and its state.
struct Thread {
    ident: u64,
    vm: *const Vm,
}

// SAFETY: the state is used under the GIL only, and threads take themselves off the list before it goes.
unsafe impl Send for Thread {}

static THREADS: Mutex<Vec<Thread>> = Mutex::new(Vec::new());

/// `_thread.get_ident()`
pub fn current_ident() -> u64 {
    // SAFETY: no preconditions.
    unsafe { libc::pthread_self() }
}

#[cfg(feature = "free-threading")]
pub use crate::eval::{prepare_for_threads as prepare, runs_beside};

/// Makes the interpreter's state of a thread, which is attached.
pub fn starts(vm: &Vm) {
    Interp::attach(vm);
}

/// Gives up the interpreter's state of a thread, which is attached and runs no more Python code.
pub fn ends(vm: &Vm) {
    Interp::of(vm).clear(vm);
    // SAFETY: the caller says that no Python code runs any more; what could run some has just been dropped.
    unsafe { Interp::detach(vm) };
}

/// Puts a thread on the list.
pub(crate) fn register(vm: &Vm) {
    let thread = Thread { ident: current_ident(), vm };
    THREADS.lock().expect("never poisoned").push(thread);
}

pub(crate) fn unregister(vm: &Vm) {
    THREADS.lock().expect("never poisoned").retain(|thread| !std::ptr::eq(thread.vm, vm));
}

/// Calls `f` with the identifier and state of each thread, the newest first. `f` must not run Python code.
pub fn for_each(_vm: &Vm, mut f: impl FnMut(u64, &Vm)) {
    let threads = THREADS.lock().expect("never poisoned");
    for thread in threads.iter().rev() {
        // SAFETY: threads on the list are alive, and the GIL is held.
        f(thread.ident, unsafe { &*thread.vm });
    }
}

/// Whether a thread with this identifier runs Python code.
pub fn is_running(vm: &Vm, ident: u64) -> bool {
    let mut found = false;
    for_each(vm, |other, _| found |= other == ident);
    found
}

/// As [`for_each`], for signal handlers; false if the list of threads is in use.
pub fn try_for_each(mut f: impl FnMut(u64, &Vm)) -> bool {
    let Ok(threads) = THREADS.try_lock() else { return false };
    for thread in threads.iter().rev() {
        // SAFETY: a thread cannot take itself off the list meanwhile.
        f(thread.ident, unsafe { &*thread.vm });
    }
    true
}

/// Before the process is forked: no other thread is to be in the midst of an import.
pub fn before_fork(_vm: &Vm) {
    lock::acquire();
    tracemalloc_module::before_fork();
}

/// After the process was forked. In the child this thread is the only one and the main thread; what others had stays as
/// it is.
pub fn after_fork(vm: &Vm, in_child: bool) {
    tracemalloc_module::after_fork();
    if in_child {
        adopt_process(vm);
    }
    if let Err(raised) = lock::release(vm) {
        vm.discard(raised);
    }
}

fn adopt_process(vm: &Vm) {
    gil::after_fork_in_child();
    let mut threads = THREADS.lock().expect("never poisoned");
    threads.retain(|thread| std::ptr::eq(thread.vm, vm));
    threads.iter_mut().for_each(|thread| thread.ident = current_ident());
    drop(threads);
    let interp: *const Interp = Interp::of(vm);
    // SAFETY: the state lives until `Interp::detach` takes the breaker back.
    hooks::adopt_main_thread(unsafe { &(*interp).breaker });
}

/// Sets the recursion limit of all threads.
pub fn set_recursion_limit(vm: &Vm, limit: i32) {
    for_each(vm, |_, vm| Interp::of(vm).set_recursion_limit(limit));
}

/// The exception that each thread is handling.
pub fn handled_exceptions(vm: &Vm) -> Vec<(u64, Option<Value>)> {
    let mut found = Vec::new();
    for_each(vm, |ident, vm| found.push((ident, Interp::of(vm).topmost_handled())));
    found
}
