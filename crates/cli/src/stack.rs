//! Runs the interpreter on the process's main thread, to which signals go, with a stack larger than the system's.

use std::io::{Error, Result};

/// Calls `f`, which does not unwind, on a new stack of `size` bytes, of which only what is used takes memory.
pub fn call_with_stack(size: usize, f: extern "C" fn()) -> Result<()> {
    let protection = libc::PROT_READ | libc::PROT_WRITE;
    let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE | libc::MAP_STACK;
    // SAFETY: a fresh anonymous mapping, whose lowest page is the guard.
    let top = unsafe {
        let base = libc::mmap(std::ptr::null_mut(), size, protection, flags, -1, 0);
        if base == libc::MAP_FAILED {
            return Err(Error::last_os_error());
        }
        if libc::mprotect(base, 4096, libc::PROT_NONE) != 0 {
            return Err(Error::last_os_error());
        }
        base.cast::<u8>().add(size)
    };
    // SAFETY: the mapping is 16-byte aligned at its end and stays; `f` returns to here, where the stack pointer is put
    // back from a register that `f` preserves.
    unsafe { switch(top, f) };
    Ok(())
}

#[cfg(target_arch = "x86_64")]
unsafe fn switch(top: *mut u8, f: extern "C" fn()) {
    // SAFETY: as the caller says.
    unsafe {
        std::arch::asm!(
            "mov r12, rsp",
            "mov rsp, {top}",
            "call {f}",
            "mov rsp, r12",
            top = in(reg) top,
            f = in(reg) f,
            out("r12") _,
            clobber_abi("C"),
        );
    }
}

#[cfg(target_arch = "aarch64")]
unsafe fn switch(top: *mut u8, f: extern "C" fn()) {
    // SAFETY: as the caller says.
    unsafe {
        std::arch::asm!(
            "mov x20, sp",
            "mov sp, {top}",
            "blr {f}",
            "mov sp, x20",
            top = in(reg) top,
            f = in(reg) f,
            out("x20") _,
            clobber_abi("C"),
        );
    }
}
