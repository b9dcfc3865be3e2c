//! mimalloc behind Rust's interface for allocators.
//!
//! The usual alignments go to its functions without one, which take a third of the time: what they return is aligned to
//! [`USUAL_ALIGNMENT`] in any case.

use libmimalloc_sys as sys;
use std::alloc::{GlobalAlloc, Layout};

/// Blocks of every size are aligned to this.
const USUAL_ALIGNMENT: usize = 8;

pub(super) struct Mimalloc;

// SAFETY: mimalloc's blocks have the size and alignment asked for; `mi_free` takes what any of its functions returned.
unsafe impl GlobalAlloc for Mimalloc {
    #[inline]
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's layout, whose alignment is a power of two.
        unsafe {
            match layout.align() {
                ..=USUAL_ALIGNMENT => sys::mi_malloc(layout.size()).cast(),
                alignment => sys::mi_malloc_aligned(layout.size(), alignment).cast(),
            }
        }
    }

    #[inline]
    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: as above.
        unsafe {
            match layout.align() {
                ..=USUAL_ALIGNMENT => sys::mi_zalloc(layout.size()).cast(),
                alignment => sys::mi_zalloc_aligned(layout.size(), alignment).cast(),
            }
        }
    }

    #[inline]
    unsafe fn dealloc(&self, block: *mut u8, _: Layout) {
        // SAFETY: by contract a block of this allocator.
        unsafe { sys::mi_free(block.cast()) }
    }

    #[inline]
    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // SAFETY: by contract a block of this allocator with this layout.
        unsafe {
            match layout.align() {
                ..=USUAL_ALIGNMENT => sys::mi_realloc(block.cast(), size).cast(),
                alignment => sys::mi_realloc_aligned(block.cast(), size, alignment).cast(),
            }
        }
    }
}
