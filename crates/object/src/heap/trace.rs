//! The hook for `tracemalloc`: every allocation and every free of an object is reported while it is on.

use super::local::LOCAL;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

/// Whether allocations and frees are reported. Tested on the fast paths; set by [`set_tracing`].
pub static TRACE: AtomicBool = AtomicBool::new(false);

static HOOKS: OnceLock<TraceHooks> = OnceLock::new();

/// Called with the object's address and its size without the prefix: the requested size on allocation,
/// the size of the block on a free. What a hook itself allocates and frees is not reported. The object
/// is not initialised yet, and no longer valid, respectively.
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
