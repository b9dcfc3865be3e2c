//! What almost every count without the GIL asks of the calling thread, had with one load: its id, whether it is shared, and
//! how many references are still to be left out before one is looked at (`common.rs`).

#[cfg(all(target_arch = "x86_64", target_os = "linux", not(miri)))]
mod variables {
    use std::arch::{asm, global_asm};

    // Variables of each thread's, as those of `thread_local!` are; only that their names are known to what is written below.
    global_asm!(
        ".pushsection .tbss.taipan_thread, \"awT\", @nobits",
        ".p2align 2",
        ".globl taipan_owner",
        ".hidden taipan_owner",
        ".type taipan_owner, @object",
        ".size taipan_owner, 4",
        "taipan_owner:",
        ".zero 4",
        ".globl taipan_shared",
        ".hidden taipan_shared",
        ".type taipan_shared, @object",
        ".size taipan_shared, 4",
        "taipan_shared:",
        ".zero 4",
        ".globl taipan_sample",
        ".hidden taipan_sample",
        ".type taipan_sample, @object",
        ".size taipan_sample, 4",
        "taipan_sample:",
        ".zero 4",
        ".popsection",
    );

    #[inline(always)]
    pub fn get() -> u32 {
        let id: u32;
        // SAFETY: the variable lies in the executable's own block, whose distance from the thread's pointer is known when it
        // is linked; only this thread writes to it, in `set`.
        unsafe {
            asm!("mov {:e}, fs:[taipan_owner@tpoff]", out(reg) id, options(pure, readonly, nostack, preserves_flags));
        }
        id
    }

    #[inline(always)]
    pub fn set(id: u32) {
        // SAFETY: as above.
        unsafe { asm!("mov fs:[taipan_owner@tpoff], {:e}", in(reg) id, options(nostack, preserves_flags)) };
    }

    #[inline(always)]
    pub fn is_shared() -> bool {
        let shared: u32;
        // SAFETY: as above.
        unsafe {
            asm!("mov {:e}, fs:[taipan_shared@tpoff]", out(reg) shared, options(pure, readonly, nostack, preserves_flags));
        }
        shared != 0
    }

    /// Whether the count of what is still to be left out (`count.rs`, `aside`) is beyond its end; it begins anew then.
    #[inline(always)]
    pub fn is_sample_due(period: u32) -> bool {
        let left: u32;
        // SAFETY: as above.
        unsafe {
            asm!("mov {:e}, fs:[taipan_sample@tpoff]", out(reg) left, options(readonly, nostack, preserves_flags));
        }
        let is_due = left >= period;
        if is_due {
            // SAFETY: as above.
            unsafe {
                asm!("mov fs:[taipan_sample@tpoff], {:e}", in(reg) period - 1, options(nostack, preserves_flags));
            }
        }
        is_due
    }

    #[inline(always)]
    pub fn set_shared(shared: bool) {
        // SAFETY: as above.
        unsafe {
            asm!("mov fs:[taipan_shared@tpoff], {:e}", in(reg) u32::from(shared), options(nostack, preserves_flags))
        };
    }
}

#[cfg(not(all(target_arch = "x86_64", target_os = "linux", not(miri))))]
mod variables {
    use std::cell::Cell;

    thread_local! {
        static OWNER: Cell<u32> = const { Cell::new(0) };
        static SHARED: Cell<bool> = const { Cell::new(false) };
        static SAMPLE: Cell<u32> = const { Cell::new(0) };
    }

    #[inline(always)]
    pub fn get() -> u32 {
        OWNER.get()
    }

    #[inline(always)]
    pub fn set(id: u32) {
        OWNER.set(id);
    }

    #[inline(always)]
    pub fn is_shared() -> bool {
        SHARED.get()
    }

    #[inline(always)]
    pub fn is_sample_due(period: u32) -> bool {
        let left = SAMPLE.get();
        SAMPLE.set(left.checked_sub(1).unwrap_or(period - 1));
        left == 0
    }

    #[inline(always)]
    pub fn set_shared(shared: bool) {
        SHARED.set(shared);
    }
}

pub use variables::{get, is_sample_due, is_shared, set, set_shared};
