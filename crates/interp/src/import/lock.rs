//! The import lock, which import hooks take around what must not run twice at once. Its holder may take it again.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use taipan_object::parking::{RawLock, Wait};
use taipan_object::vm::hooks::blocking;
use taipan_object::{Result, Vm};

use crate::threads::current_ident;

static LOCK: RawLock = RawLock::new();
/// The thread that holds the lock, and how often; changed by the holder only.
static HOLDER: AtomicU64 = AtomicU64::new(0);
static DEPTH: AtomicU64 = AtomicU64::new(0);

/// `_imp.lock_held()`
pub fn is_held() -> bool {
    LOCK.is_locked()
}

/// `_imp.acquire_lock()`
pub fn acquire() {
    if HOLDER.load(Relaxed) != current_ident() {
        while !LOCK.try_acquire() && blocking(|| LOCK.acquire(None)) != Wait::Woken {}
        HOLDER.store(current_ident(), Relaxed);
    }
    DEPTH.fetch_add(1, Relaxed);
}

/// `_imp.release_lock()`
pub fn release(vm: &Vm) -> Result<()> {
    if HOLDER.load(Relaxed) != current_ident() {
        return Err(vm.runtime_error("not holding the import lock"));
    }
    if DEPTH.fetch_sub(1, Relaxed) == 1 {
        HOLDER.store(0, Relaxed);
        LOCK.release();
    }
    Ok(())
}
