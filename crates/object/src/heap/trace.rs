//! The hook for `tracemalloc`: every allocation and every free, of objects and of buffers, is reported while it is on.

use super::buffers;
use super::local::LOCAL;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

/// Whether allocations and frees are reported. Tested on the fast paths; set by [`set_tracing`].
pub static TRACE: AtomicBool = AtomicBool::new(false);

static HOOKS: OnceLock<TraceHooks> = OnceLock::new();

/// Called with the address of an object or buffer and its size: the requested size on allocation (with the prefix of
/// objects), what is usable of the block on a free. What a hook itself allocates and frees is not reported. The
/// memory is not initialised yet, and no longer valid, respectively. The thread may be one that runs no Python code,
/// or one without the GIL.
#[derive(Clone, Copy)]
pub struct TraceHooks {
    pub allocated: fn(usize, usize),
    pub freed: fn(usize, usize),
}

/// Registers the hooks, once per process; later calls change nothing.
pub fn set_trace_hooks(hooks: TraceHooks) {
    let _ = HOOKS.set(hooks);
}

/// Turns reporting on or off. Other threads follow soon, not at once.
pub fn set_tracing(on: bool) {
    TRACE.store(on, Relaxed);
    buffers::set_tracing(on);
}

/// Calls `f`, whose allocations and frees are not reported.
pub fn without_tracing<R>(f: impl FnOnce() -> R) -> R {
    pause_tracing();
    let result = f();
    resume_tracing();
    result
}

/// What this thread allocates and frees is not reported until [`resume_tracing`] was called as often.
pub fn pause_tracing() {
    LOCAL.with(|local| local.in_hook.set(local.in_hook.get() + 1));
}

pub fn resume_tracing() {
    LOCAL.with(|local| local.in_hook.set(local.in_hook.get() - 1));
}

#[cold]
#[inline(never)]
pub(super) fn report(select: fn(&TraceHooks) -> fn(usize, usize), address: usize, size: usize) {
    let Some(hooks) = HOOKS.get() else { return };
    LOCAL.with(|local| {
        if local.in_hook.get() == 0 {
            local.in_hook.set(1);
            select(hooks)(address, size);
            local.in_hook.set(0);
        }
    });
}
