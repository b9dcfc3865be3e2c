//! Memory from and to the operating system.

pub use mappings::{map, purge, unmap};

#[cfg(not(miri))]
mod mappings {
    use std::ptr::null_mut;

    /// Maps `size` zeroed bytes at a multiple of `alignment` (a power of two, at least a system page), or
    /// gives `None` when the system refuses.
    pub fn map(size: usize, alignment: usize) -> Option<usize> {
        let padded = size.checked_add(alignment)?;
        // SAFETY: a new anonymous mapping where the system likes touches no existing memory.
        let start = unsafe {
            libc::mmap(
                null_mut(),
                padded,
                libc::PROT_READ | libc::PROT_WRITE,
                libc::MAP_PRIVATE | libc::MAP_ANONYMOUS,
                -1,
                0,
            )
        };
        if start == libc::MAP_FAILED {
            return None;
        }
        let start = start.expose_provenance();
        let aligned = start.next_multiple_of(alignment);
        // SAFETY: both ends belong to the mapping just made and nobody has their address.
        unsafe {
            unmap(start, aligned - start);
            unmap(aligned + size, start + padded - (aligned + size));
        }
        Some(aligned)
    }

    /// Gives memory back.
    ///
    /// # Safety
    /// The range came from [`map`] and nothing refers to it any more.
    pub unsafe fn unmap(address: usize, size: usize) {
        if size > 0 {
            // SAFETY: as the caller promises. The call can only fail for want of memory for the kernel's
            // own tables; the range then stays mapped, which loses address space and nothing else.
            unsafe { libc::munmap(address as *mut libc::c_void, size) };
        }
    }

    /// Gives the memory behind a range back but keeps the range, which reads as zeros afterwards; `false`
    /// when the system refuses and the contents stay.
    ///
    /// # Safety
    /// The range consists of whole pages of private memory, and what it holds is no longer needed.
    pub unsafe fn purge(address: usize, size: usize) -> bool {
        // SAFETY: as the caller promises.
        unsafe { libc::madvise(address as *mut libc::c_void, size, libc::MADV_DONTNEED) == 0 }
    }
}

/// Miri has no mappings that are given back in part.
#[cfg(miri)]
mod mappings {
    use super::super::segment::SEGMENT_SIZE;
    use std::alloc::{Layout, alloc_zeroed, dealloc};

    pub fn map(size: usize, alignment: usize) -> Option<usize> {
        let layout = Layout::from_size_align(size, alignment).ok()?;
        // SAFETY: nobody maps nothing.
        let start = unsafe { alloc_zeroed(layout) };
        (!start.is_null()).then(|| start.expose_provenance())
    }

    /// # Safety
    /// The range is a segment's from [`map`], and nothing refers to it any more.
    pub unsafe fn unmap(address: usize, size: usize) {
        // SAFETY: segments are mapped with this alignment; the rest as the caller promises.
        unsafe { dealloc(address as *mut u8, Layout::from_size_align_unchecked(size, SEGMENT_SIZE)) };
    }

    /// # Safety
    /// What the range holds is no longer needed.
    pub unsafe fn purge(address: usize, size: usize) -> bool {
        // SAFETY: as the caller promises.
        unsafe { (address as *mut u8).write_bytes(0, size) };
        true
    }
}
