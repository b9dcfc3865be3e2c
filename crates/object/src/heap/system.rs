//! Memory from and to the operating system.

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
