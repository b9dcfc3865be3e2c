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
    // SAFETY: the mapping is 16-byte aligned at its end and stays.
    unsafe { switch(top, f) };
    Ok(())
}

/// Calls `f` with the stack pointer at `top`. The frame pointer leads back to the old stack, for unwinders too.
#[cfg(target_arch = "x86_64")]
#[unsafe(naked)]
unsafe extern "C" fn switch(top: *mut u8, f: extern "C" fn()) {
    std::arch::naked_asm!(
        ".cfi_startproc",
        "push rbp",
        ".cfi_def_cfa_offset 16",
        ".cfi_offset rbp, -16",
        "mov rbp, rsp",
        ".cfi_def_cfa_register rbp",
        "mov rsp, rdi",
        "call rsi",
        "mov rsp, rbp",
        "pop rbp",
        ".cfi_def_cfa rsp, 8",
        "ret",
        ".cfi_endproc",
    )
}

/// Calls `f` with the stack pointer at `top`. The frame pointer leads back to the old stack, for unwinders too.
#[cfg(target_arch = "aarch64")]
#[unsafe(naked)]
unsafe extern "C" fn switch(top: *mut u8, f: extern "C" fn()) {
    std::arch::naked_asm!(
        ".cfi_startproc",
        "stp x29, x30, [sp, #-16]!",
        "mov x29, sp",
        ".cfi_def_cfa x29, 16",
        ".cfi_offset x30, -8",
        ".cfi_offset x29, -16",
        "mov sp, x0",
        "blr x1",
        "mov sp, x29",
        "ldp x29, x30, [sp], #16",
        "ret",
        ".cfi_endproc",
    )
}
