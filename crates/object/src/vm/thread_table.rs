//! Tables that a thread has for itself, for caches that are too large for thread-local storage: that is zeroed anew for
//! every thread. A thread gets its table when it first needs it, and leaves it to threads that start later, with what is
//! in it.

use std::alloc::{Layout, alloc_zeroed};
use std::cell::Cell;
use std::sync::Mutex;

/// The tables of threads that have ended.
pub struct Spare<T>(Mutex<Vec<Table<T>>>);

/// A table that no thread uses.
struct Table<T>(*mut T);

// SAFETY: whoever takes the table off the list is the only one to use it, and `T` may be used by any thread.
unsafe impl<T: Send> Send for Table<T> {}

impl<T> Spare<T> {
    pub const fn new() -> Spare<T> {
        Spare(Mutex::new(Vec::new()))
    }

    fn take(&self) -> Option<*mut T> {
        // A process may have been forked while another thread had the lock.
        Some(self.0.try_lock().ok()?.pop()?.0)
    }
}

/// A thread's own table, or nothing as long as it needed none.
pub struct Own<T: Send + 'static> {
    table: Cell<*mut T>,
    spare: &'static Spare<T>,
}

impl<T: Send> Own<T> {
    /// # Safety
    /// Zeroed memory is a `T`, and so is what a thread leaves to another.
    pub const unsafe fn new(spare: &'static Spare<T>) -> Own<T> {
        Own { table: Cell::new(std::ptr::null_mut()), spare }
    }

    /// The table, which lives as long as the thread; null if there is no memory for one.
    #[inline(always)]
    pub fn get(&self) -> *mut T {
        let table = self.table.get();
        if table.is_null() { self.make() } else { table }
    }

    #[cold]
    #[inline(never)]
    fn make(&self) -> *mut T {
        const { assert!(size_of::<T>() != 0) };
        let table = self.spare.take().unwrap_or_else(|| {
            // SAFETY: the layout has a size.
            unsafe { alloc_zeroed(Layout::new::<T>()).cast() }
        });
        self.table.set(table);
        table
    }
}

impl<T: Send> Drop for Own<T> {
    fn drop(&mut self) {
        let table = self.table.get();
        if !table.is_null()
            && let Ok(mut spare) = self.spare.0.try_lock()
            && spare.try_reserve(1).is_ok()
        {
            spare.push(Table(table));
        }
    }
}
