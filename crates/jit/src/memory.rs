//! Memory for machine code: written while it is not executable, executable once it is no longer writable.
//!
//! Each function has pages of its own, which are never given back: this is a proof, not yet an economy.

use std::ptr::null_mut;

const PAGE: usize = 4096;

/// Puts machine code into executable memory; `None` if there is none to be had.
pub fn place(code: &[u8]) -> Option<*const u8> {
    let bytes = code.len().max(1).next_multiple_of(PAGE);
    let (access, kind) = (libc::PROT_READ | libc::PROT_WRITE, libc::MAP_PRIVATE | libc::MAP_ANONYMOUS);
    // SAFETY: a fresh mapping, in which the code has room.
    unsafe {
        let memory = libc::mmap(null_mut(), bytes, access, kind, -1, 0);
        if memory == libc::MAP_FAILED {
            return None;
        }
        memory.cast::<u8>().copy_from_nonoverlapping(code.as_ptr(), code.len());
        if libc::mprotect(memory, bytes, libc::PROT_READ | libc::PROT_EXEC) != 0 {
            libc::munmap(memory, bytes);
            return None;
        }
        Some(memory.cast())
    }
}
