//! Nanoseconds per pair of allocate and free, against the system's allocator and mimalloc.

use std::alloc::{GlobalAlloc, Layout, System};
use std::hint::black_box;
use std::ptr::NonNull;
use std::time::Instant;
use taipan_object::heap::{self, Buffers, Kind};

const PAIRS: usize = 20_000_000;
const ROUNDS: usize = 5;

fn main() {
    for (name, batch) in [("one at a time", 1), ("in batches of 100", 100), ("in batches of 100000", 100_000)] {
        println!("48 bytes, {name}: ns per pair");
        report("  heap, leaf", batch, || new(Kind::Leaf), delete);
        report("  heap, container", batch, || new(Kind::Container), delete);
        let layout = Layout::from_size_align(48, 16).expect("a valid layout");
        // SAFETY: each block is freed once, with its layout.
        unsafe {
            report(
                "  Buffers",
                batch,
                || Buffers.alloc(layout) as usize,
                |block| Buffers.dealloc(block as *mut u8, layout),
            );
            report(
                "  System",
                batch,
                || System.alloc(layout) as usize,
                |block| System.dealloc(block as *mut u8, layout),
            );
        }
    }
}

#[inline(always)]
fn new(kind: Kind) -> usize {
    let object = heap::allocate(48, kind).expect("memory").as_ptr() as usize;
    // SAFETY: the header of a new object.
    unsafe {
        (object as *mut u64).write(1);
        (object as *mut u64).add(1).write(1);
    }
    object
}

#[inline(always)]
fn delete(object: usize) {
    // SAFETY: from `new`, and not used any more.
    unsafe { heap::free(NonNull::new_unchecked(object as *mut u8)) };
}

fn report(name: &str, batch: usize, allocate: impl Fn() -> usize, free: impl Fn(usize)) {
    let mut blocks = vec![0; batch];
    let mut best = f64::INFINITY;
    for _ in 0..ROUNDS {
        let start = Instant::now();
        for _ in 0..PAIRS / ROUNDS / batch {
            if batch == 1 {
                free(black_box(allocate()));
                continue;
            }
            for block in &mut blocks {
                *block = allocate();
            }
            for &block in &blocks {
                free(block);
            }
        }
        best = best.min(start.elapsed().as_nanos() as f64 / (PAIRS / ROUNDS) as f64);
    }
    println!("{name:<20}{best:6.2}");
}
