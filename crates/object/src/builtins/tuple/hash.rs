//! The hash of a tuple: xxHash64's rounds over the hashes of the items.

const PRIME_1: u64 = 11400714785074694791;
const PRIME_2: u64 = 14029467366897019727;
const PRIME_5: u64 = 2870177450012600261;

/// Combines the hashes of items in order.
pub struct ItemHash(u64);

impl ItemHash {
    #[inline]
    pub fn new() -> ItemHash {
        ItemHash(PRIME_5)
    }

    #[inline]
    pub fn add(&mut self, hash: i64) {
        self.0 = self.0.wrapping_add((hash as u64).wrapping_mul(PRIME_2)).rotate_left(31).wrapping_mul(PRIME_1);
    }

    /// The hash of a tuple of `length` items.
    #[inline]
    pub fn finish(mut self, length: usize) -> i64 {
        self.0 = self.0.wrapping_add(length as u64 ^ PRIME_5 ^ 3527539);
        self.finish_without_length()
    }

    /// The hash of a fixed number of items (slices).
    #[inline]
    pub fn finish_without_length(self) -> i64 {
        if self.0 == u64::MAX { 1546275796 } else { self.0 as i64 }
    }
}
