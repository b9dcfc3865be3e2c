//! The buffer of a stream that was closed, for the next one that its thread opens.
//!
//! A buffer is larger than what most files hold. One from the heap has to be cleared, or its pages to be had from the
//! system, which takes longer than reading or writing a small file; what is in a spare one is of no matter, as nobody
//! looks beyond what was read into it.

use std::cell::Cell;

/// Larger buffers are not kept. There is always memory for smaller ones, if only the heap's reserve.
const LARGEST: usize = 256 << 10;

thread_local!(static SPARE: Cell<Vec<u8>> = const { Cell::new(Vec::new()) });

/// A buffer of `size` bytes, or none if there is no memory.
pub fn take(size: usize) -> Option<Vec<u8>> {
    // Zeroed by the system, new ones take no memory until they are used.
    if size <= LARGEST {
        let spare = SPARE.try_with(Cell::take).unwrap_or_default();
        return Some(if spare.len() == size { spare } else { vec![0; size] });
    }
    let mut buffer = Vec::new();
    buffer.try_reserve_exact(size).ok()?;
    buffer.resize(size, 0);
    Some(buffer)
}

/// Keeps a buffer that is no longer used.
pub fn keep(buffer: Vec<u8>) {
    if !buffer.is_empty() && buffer.len() <= LARGEST {
        // At the thread's end there is no place for it.
        let _ = SPARE.try_with(|spare| spare.set(buffer));
    }
}
