//! Walks over the objects of all threads.
//!
//! The caller has stopped the world: no other thread allocates, initialises or frees objects meanwhile.
//! The callback may allocate and may free *any* object, visited, current or not yet visited: blocks stay
//! mapped until the last walk ends, a freed one is not visited, a new one may be.

use super::page::Page;
use super::segment::{Pages, page_at, pool};
use std::ptr::{NonNull, null};

/// Calls `f` with each container that is alive.
pub fn for_each_container(f: &mut dyn FnMut(NonNull<u8>)) {
    walk(Pages::Containers, f);
}

/// Calls `f` with each container in the pages that objects were allocated from since
/// [`settle_containers`]: all younger containers, and some older ones.
pub fn for_each_recent_container(f: &mut dyn FnMut(NonNull<u8>)) {
    walk(Pages::RecentContainers, f);
}

/// As [`for_each_recent_container`], since the last of [`settle_containers`] and [`settle_youngest_containers`].
pub fn for_each_youngest_container(f: &mut dyn FnMut(NonNull<u8>)) {
    walk(Pages::YoungestContainers, f);
}

/// Makes the containers of now old ones for [`for_each_recent_container`].
pub fn settle_containers() {
    pool().settle(false);
}

/// Makes the containers of now older ones for [`for_each_youngest_container`].
pub fn settle_youngest_containers() {
    pool().settle(true);
}

/// Calls `f` with each object that is alive.
pub fn for_each_object(f: &mut dyn FnMut(NonNull<u8>)) {
    walk(Pages::All, f);
}

fn walk(pages: Pages, f: &mut dyn FnMut(NonNull<u8>)) {
    let _walking = Walking::begin();
    let mut segment = null();
    // SAFETY: this walk keeps the segments where they are. The lock is only held for each step.
    while let Some((next, bits)) = unsafe { pool().next_in_walk(segment, pages) } {
        let mut bits = bits;
        while bits != 0 {
            let page: &Page = page_at(next, bits.trailing_zeros() as usize);
            if !page.is_empty() {
                page.for_each_object(&mut |object| {
                    f(NonNull::new(object as *mut u8).expect("objects are not at address 0"));
                });
            }
            bits &= bits - 1;
        }
        segment = next;
    }
}

/// While it lives, no page and no segment is released.
struct Walking;

impl Walking {
    fn begin() -> Self {
        pool().begin_walk();
        Walking
    }
}

impl Drop for Walking {
    fn drop(&mut self) {
        pool().end_walk();
    }
}
