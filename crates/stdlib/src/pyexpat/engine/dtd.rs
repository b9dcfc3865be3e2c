//! What a document type declares, shared by a document's parser and those of its external entities.

use std::collections::HashMap;
use std::sync::Arc;

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

/// How much input a document has, and what became of it by expansion.
pub struct Accounting {
    pub direct: u64,
    pub indirect: u64,
    pub allocated: u64,
    pub expansion_threshold: u64,
    pub expansion_factor: f32,
    pub allocation_threshold: u64,
    pub allocation_factor: f32,
}

impl Default for Accounting {
    fn default() -> Self {
        Accounting {
            direct: 0,
            indirect: 0,
            allocated: 0,
            expansion_threshold: 8 * 1024 * 1024,
            expansion_factor: 100.0,
            allocation_threshold: 64 * 1024 * 1024,
            allocation_factor: 100.0,
        }
    }
}

impl Accounting {
    fn exceeds(&self, amount: u64, threshold: u64, factor: f32) -> bool {
        amount >= threshold && amount as f64 / self.direct.max(1) as f64 > f64::from(factor)
    }
    pub fn expands_too_much(&self) -> bool {
        self.indirect > 0 && self.exceeds(self.direct + self.indirect, self.expansion_threshold, self.expansion_factor)
    }
    pub fn allocates_too_much(&self) -> bool {
        self.allocated > 0 && self.exceeds(self.allocated, self.allocation_threshold, self.allocation_factor)
    }
}
