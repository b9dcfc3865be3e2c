//! Figures about the heap, for `sys.getallocatedblocks`, `sys._debugmallocstats` and memory limits.
//!
//! They are exact when no other thread allocates or frees meanwhile.

use super::Kind;
use super::page::{BINS, Page};
use super::segment::pool;
use super::size_class::{self, CLASSES};

/// What there is of a kind and size class.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClassStatistics {
    pub kind: Kind,
    /// Size of a block, prefix and object; 0 stands for blocks with a page to themselves, of any size.
    pub block_size: usize,
    pub pages: usize,
    pub used_blocks: usize,
    /// Blocks that could be handed out from the pages there are.
    pub free_blocks: usize,
    /// Bytes of the blocks in use.
    pub used_bytes: usize,
}

/// The bytes of all blocks in use, prefixes and rounding included.
pub fn allocated_bytes() -> usize {
    let mut bytes = 0;
    pool().for_each_page(|page| bytes += page.used() * page.block_size.get());
    bytes
}

/// The number of blocks in use.
pub fn allocated_blocks() -> usize {
    let mut blocks = 0;
    pool().for_each_page(|page| blocks += page.used());
    blocks
}

/// The bytes that the heap has from the system.
pub fn mapped_bytes() -> usize {
    pool().mapped_bytes()
}

/// One row for each kind and size class with pages, then one for each kind with larger blocks.
pub fn class_statistics() -> Vec<ClassStatistics> {
    let row = |kind, block_size| ClassStatistics {
        kind,
        block_size,
        pages: 0,
        used_blocks: 0,
        free_blocks: 0,
        used_bytes: 0,
    };
    let mut rows: Vec<ClassStatistics> = (0..BINS)
        .map(|bin| row(if bin < CLASSES { Kind::Leaf } else { Kind::Container }, size_class::block_size(bin % CLASSES)))
        .collect();
    rows.extend([row(Kind::Leaf, 0), row(Kind::Container, 0)]);
    pool().for_each_page(|page: &Page| {
        let bin = if page.bin() < BINS { page.bin() } else { BINS + page.kind() as usize };
        let row = &mut rows[bin];
        let used = page.used();
        row.pages += 1;
        row.used_blocks += used;
        row.free_blocks += page.reserved.get() - used;
        row.used_bytes += used * page.block_size.get();
    });
    rows.retain(|row| row.pages > 0);
    rows
}
