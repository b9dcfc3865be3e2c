//! Size classes: which sizes of block there are.
//!
//! A block is prefix and object together. Classes go in steps of 8 bytes up to [`SMALL_BLOCK`], then
//! eight to each doubling up to [`MAX_CLASS_BLOCK`], so that rounding up wastes at most an eighth.

/// The largest block of the evenly spaced classes.
pub const SMALL_BLOCK: usize = 512;
/// The largest block that shares its page with others.
pub const MAX_CLASS_BLOCK: usize = 32 << 10;
/// The number of classes.
pub const CLASSES: usize = SMALL_CLASSES + 8 * 6;

const SMALL_CLASSES: usize = SMALL_BLOCK / 8;
const SMALL_SHIFT: u32 = SMALL_BLOCK.trailing_zeros();

/// The class of blocks of at least `block` bytes, which is not 0 and at most [`SMALL_BLOCK`].
#[inline(always)]
pub const fn of_small_block(block: usize) -> usize {
    (block - 1) >> 3
}

/// The class of blocks of at least `block` bytes, which is not 0 and at most [`MAX_CLASS_BLOCK`].
#[inline]
pub const fn of_block(block: usize) -> usize {
    let last = block - 1;
    if last < SMALL_BLOCK {
        return of_small_block(block);
    }
    let doubling = last.ilog2();
    let step = (last >> (doubling - 3)) - 8;
    SMALL_CLASSES + (doubling - SMALL_SHIFT) as usize * 8 + step
}

/// The size of the blocks of a class.
pub const fn block_size(class: usize) -> usize {
    if class < SMALL_CLASSES {
        return (class + 1) * 8;
    }
    let above = class - SMALL_CLASSES;
    let doubling = SMALL_SHIFT + (above / 8) as u32;
    (above % 8 + 9) << (doubling - 3)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_size_fits_its_class_with_little_waste() {
        assert_eq!(block_size(CLASSES - 1), MAX_CLASS_BLOCK);
        for block in 1..=MAX_CLASS_BLOCK {
            let class = of_block(block);
            let rounded = block_size(class);
            assert!(rounded >= block && rounded.is_multiple_of(8));
            assert!(class == 0 || block_size(class - 1) < block);
            assert!(rounded - block < 8 || (rounded - block) * 8 <= block);
        }
    }
}
