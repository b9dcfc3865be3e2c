//! The heap across `fork`.

use super::local::{LOCAL, Records, records};
use super::segment::{Pool, pool};
use std::sync::MutexGuard;

/// Holds the heap's locks, so that the child does not inherit them taken by a thread it does not have.
///
/// Make it before `fork`, with no other thread inside the allocator (the GIL held or the world stopped);
/// afterwards call [`in_child`](Self::in_child) in the child and drop it in the parent.
pub struct ForkGuard {
    records: MutexGuard<'static, Records>,
    pool: MutexGuard<'static, Pool>,
}

/// Prepares a fork.
pub fn prepare_fork() -> ForkGuard {
    let records = records();
    ForkGuard { records, pool: pool() }
}

impl ForkGuard {
    /// Takes over the pages of the threads that the child does not have. To be called before it starts
    /// any thread.
    pub fn in_child(self) {
        let Self { records, pool } = self;
        drop(pool);
        LOCAL.with(|local| records.abandon_others(local));
    }
}
