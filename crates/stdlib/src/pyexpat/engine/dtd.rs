//! What a document type declares, shared by a document's parser and those of its external entities.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering::Relaxed};

/// A declared entity.
#[derive(Default)]
pub struct Entity {
    /// The replacement text of an internal entity.
    pub text: Option<Arc<[u8]>>,
    pub base: Option<String>,
    pub system: Option<String>,
    pub public: Option<String>,
    pub notation: Option<String>,
    /// It is being expanded.
    pub open: bool,
    /// Declared in the document entity itself.
    pub in_document: bool,
}

/// A declared attribute with a default value, or of a type whose values are normalised.
pub struct Attribute {
    pub name: String,
    pub is_cdata: bool,
    pub default: Option<String>,
}

#[derive(Default)]
pub struct Dtd {
    pub general: HashMap<String, Entity>,
    pub parameter: HashMap<String, Entity>,
    /// By element.
    pub attributes: HashMap<String, Vec<Attribute>>,
    pub standalone: bool,
    pub has_param_entity_refs: bool,
    /// Declarations count; not so behind a parameter entity that was not read.
    pub keep_processing: bool,
    /// An external parameter entity was read.
    pub param_entity_read: bool,
}

/// A count that one parser changes at a time: those of a document's entities take turns.
#[derive(Default)]
pub struct Count(AtomicU64);

impl Count {
    pub fn get(&self) -> u64 {
        self.0.load(Relaxed)
    }
    pub fn set(&self, count: u64) {
        self.0.store(count, Relaxed);
    }
    pub fn add(&self, more: u64) {
        self.set(self.get().saturating_add(more));
    }
    pub fn take(&self, less: u64) {
        self.set(self.get().saturating_sub(less));
    }
}

/// How much input a document has, and what became of it by expansion; the limits.
pub struct Accounting {
    pub direct: Count,
    pub indirect: Count,
    pub allocated: Count,
    pub expansion: Limit,
    pub allocation: Limit,
}

/// From `threshold` on, an amount may be so many times that of the input.
pub struct Limit {
    pub threshold: Count,
    factor: AtomicU32,
}

impl Limit {
    fn new(threshold: u64) -> Limit {
        Limit { threshold: Count(AtomicU64::new(threshold)), factor: AtomicU32::new(100f32.to_bits()) }
    }
    pub fn set_factor(&self, factor: f32) {
        self.factor.store(factor.to_bits(), Relaxed);
    }
    fn is_exceeded(&self, amount: u64, direct: u64) -> bool {
        let factor = || f64::from(f32::from_bits(self.factor.load(Relaxed)));
        amount >= self.threshold.get() && amount as f64 / direct.max(1) as f64 > factor()
    }
}

impl Default for Accounting {
    fn default() -> Self {
        Accounting {
            direct: Count::default(),
            indirect: Count::default(),
            allocated: Count::default(),
            expansion: Limit::new(8 * 1024 * 1024),
            allocation: Limit::new(64 * 1024 * 1024),
        }
    }
}

impl Accounting {
    pub fn expands_too_much(&self) -> bool {
        let (direct, indirect) = (self.direct.get(), self.indirect.get());
        indirect > 0 && self.expansion.is_exceeded(direct.saturating_add(indirect), direct)
    }
    pub fn allocates_too_much(&self) -> bool {
        let allocated = self.allocated.get();
        allocated > 0 && self.allocation.is_exceeded(allocated, self.direct.get())
    }
}
