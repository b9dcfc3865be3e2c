//! Buffers whose size Python code decides: they raise `MemoryError` when there is no memory for them.

use std::sync::atomic::Ordering::Relaxed;

use crate::exceptions::MEMORY_ERROR;
use crate::heap;
use crate::object::Result;
use crate::vm::{Raised, Vm};

impl Vm {
    /// `MemoryError()`. It also tells of what ran out before, where nobody could be told.
    #[cold]
    pub fn memory_error(&self) -> Raised {
        let raised = self.raise_args(MEMORY_ERROR.ty(), Vec::new());
        if heap::MEMORY_EXHAUSTED.swap(false, Relaxed) {
            self.restore_stack_limit();
        }
        heap::begin_grace();
        raised
    }

    /// Whether memory ran out, which is not yet known to Python code.
    #[inline]
    pub fn memory_is_exhausted(&self) -> bool {
        heap::MEMORY_EXHAUSTED.load(Relaxed)
    }

    /// Raises what [`Vm::memory_is_exhausted`] says: for loops that allocate without reaching a safepoint.
    #[inline]
    pub fn check_memory(&self) -> Result<()> {
        if self.memory_is_exhausted() { Err(self.memory_error()) } else { Ok(()) }
    }

    /// Whether so much memory is to be had: for work that cannot report failure.
    pub fn check_room(&self, bytes: usize) -> Result<()> {
        let mut room: Vec<u8> = Vec::new();
        self.reserve(&mut room, bytes)
    }

    /// Makes room for `more` items behind those of a buffer.
    #[inline]
    pub fn reserve<T>(&self, buffer: &mut Vec<T>, more: usize) -> Result<()> {
        if buffer.capacity() - buffer.len() >= more {
            return Ok(());
        }
        match heap::fallible(|| buffer.try_reserve(more)) {
            Ok(()) => Ok(()),
            Err(_) => Err(self.memory_error()),
        }
    }

    /// A buffer with room for so many items.
    #[inline]
    pub fn buffer_for<T>(&self, capacity: usize) -> Result<Vec<T>> {
        let mut buffer = Vec::new();
        match heap::fallible(|| buffer.try_reserve_exact(capacity)) {
            Ok(()) => Ok(buffer),
            Err(_) => Err(self.memory_error()),
        }
    }

    /// A copy of items.
    #[inline]
    pub fn buffer_of<T: Clone>(&self, items: &[T]) -> Result<Vec<T>> {
        let mut copy = self.buffer_for(items.len())?;
        copy.extend_from_slice(items);
        Ok(copy)
    }

    /// The items of an iterator that runs no Python code.
    pub fn buffer_from<T>(&self, items: impl Iterator<Item = T>) -> Result<Vec<T>> {
        let mut buffer = self.buffer_for(items.size_hint().0)?;
        for item in items {
            if buffer.len() == buffer.capacity() {
                self.reserve(&mut buffer, 1)?;
            }
            buffer.push(item);
        }
        Ok(buffer)
    }
}
