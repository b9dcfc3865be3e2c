//! What the address sanitizer is told of the heap, which hides objects from it otherwise: nothing but header words may be
//! read in a free block, and a block stays free for a while before it is used again.
//!
//! Only in builds with the feature `address-sanitizer`; in others these functions are empty.

#[cfg(feature = "address-sanitizer")]
mod told {
    use super::super::page::{self, make_free};
    use super::super::word::Word;
    use std::cell::UnsafeCell;
    use std::ffi::c_void;

    unsafe extern "C" {
        fn __asan_poison_memory_region(start: *const c_void, size: usize);
        fn __asan_unpoison_memory_region(start: *const c_void, size: usize);
    }

    /// How many free blocks of a thread wait.
    const WAITING: usize = 1 << 12;
    /// Blocks of more bytes do not wait.
    const LARGE: usize = 1 << 16;
    /// What a walker and the free lists read of a free block.
    const HEADER: usize = 16;

    struct Quarantine {
        blocks: [usize; WAITING],
        next: usize,
    }

    thread_local! {
        static QUARANTINE: UnsafeCell<Quarantine> = const { UnsafeCell::new(Quarantine { blocks: [0; WAITING], next: 0 }) };
    }

    pub fn allowed(start: usize, size: usize) {
        // SAFETY: the range is memory of the heap's, which the call does not touch.
        unsafe { __asan_unpoison_memory_region(start as *const c_void, size) };
    }

    /// # Safety
    /// `object` is an allocated object of `size` bytes that nobody uses any more.
    pub unsafe fn exchange(object: usize, size: usize) -> Option<usize> {
        if size > LARGE {
            return Some(object);
        }
        // SAFETY: as the caller promises; the sanitizer touches nothing. Nothing else has the quarantine meanwhile.
        unsafe {
            make_free(object, 0);
            if size > HEADER {
                __asan_poison_memory_region((object + HEADER) as *const c_void, size - HEADER);
            }
            QUARANTINE.with(|quarantine| {
                let quarantine = &mut *quarantine.get();
                let slot = &mut quarantine.blocks[quarantine.next];
                quarantine.next = (quarantine.next + 1) % WAITING;
                let released = std::mem::replace(slot, object);
                (released != 0).then_some(released)
            })
        }
    }

    /// # Panics
    /// If the object has been freed.
    #[inline]
    pub fn assert_alive(object: usize) {
        // SAFETY: the caller means to use the object. A block stays mapped while it waits.
        assert!(unsafe { page::is_live(object) }, "use of an object after it was freed: {:#x}", unsafe {
            Word::at(object).get()
        });
    }
}

#[cfg(not(feature = "address-sanitizer"))]
mod told {
    #[inline(always)]
    pub fn allowed(_start: usize, _size: usize) {}

    /// # Safety
    /// None; it is that of the other variant.
    #[inline(always)]
    pub unsafe fn exchange(object: usize, _size: usize) -> Option<usize> {
        Some(object)
    }

    #[inline(always)]
    pub fn assert_alive(_object: usize) {}
}

/// The range may be used.
pub use told::allowed;
/// Whether the object whose references are counted is alive; of static objects only the type is read.
pub use told::assert_alive;
/// Takes in a block that is freed, and gives one that has waited long enough, if there is any.
pub use told::exchange;
