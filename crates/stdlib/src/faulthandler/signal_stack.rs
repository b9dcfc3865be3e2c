//! A stack for signal handlers that is large enough to write tracebacks on, for when the thread's own is used up.

use std::cell::Cell;

const SIZE: usize = 128 << 10;

/// The calling thread's stack for signal handlers, made by [`provide`].
struct SignalStack {
    base: *mut libc::c_void,
}

thread_local! {
    static STACK: Cell<Option<SignalStack>> = const { Cell::new(None) };
}

impl Drop for SignalStack {
    fn drop(&mut self) {
        // The thread's stack from before may be gone already: it does without one for its last moments.
        let none = libc::stack_t { ss_sp: std::ptr::null_mut(), ss_flags: libc::SS_DISABLE, ss_size: 0 };
        // SAFETY: once the stack is given up, nothing uses the mapping.
        unsafe {
            if libc::sigaltstack(&none, std::ptr::null_mut()) == 0 {
                libc::munmap(self.base, SIZE);
            }
        }
    }
}

/// Gives the calling thread such a stack; without memory for it, what there is must do.
pub fn provide() {
    let present = STACK.take();
    if present.is_some() {
        return STACK.set(present);
    }
    // SAFETY: a new anonymous mapping, which becomes the stack and stays until the thread ends.
    unsafe {
        let protection = libc::PROT_READ | libc::PROT_WRITE;
        let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE | libc::MAP_STACK;
        let base = libc::mmap(std::ptr::null_mut(), SIZE, protection, flags, -1, 0);
        if base == libc::MAP_FAILED {
            return;
        }
        let stack = libc::stack_t { ss_sp: base, ss_flags: 0, ss_size: SIZE };
        if libc::sigaltstack(&stack, std::ptr::null_mut()) == 0 {
            STACK.set(Some(SignalStack { base }));
        } else {
            libc::munmap(base, SIZE);
        }
    }
}
