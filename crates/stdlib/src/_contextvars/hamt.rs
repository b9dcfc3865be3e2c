//! The persistent map of a context: a hash array mapped trie whose keys are context variables.
//!
//! Counterpart of CPython's `Python/hamt.c`. Nodes never change once they are made; a map that differs in one key
//! shares all nodes but those on the way to it. Hashes of variables are unique, so there are no collisions.
//! Nodes are objects of their own, as the collector must visit each reference once however many maps share it.

use taipan_object::header::Header;
use taipan_object::heap::Kind;
use taipan_object::object::{Payload, Visitor};
use taipan_object::types::{Type, TypeSpec, type_flags};
use taipan_object::{Ref, Value};

use super::context_var::ContextVar;

/// How many bits of the hash choose the entry at each level.
const BITS: u32 = 5;

#[derive(Clone)]
enum Entry {
    Leaf(Ref<ContextVar>, Value),
    Child(Ref<Node>),
}

#[repr(C)]
pub struct Node {
    pub header: Header,
    /// Which of the 32 entries are there.
    bitmap: u32,
    entries: Box<[Entry]>,
}

// SAFETY: repr(C), header first, every reference is visited. The references of a node cannot be given up: the contexts
// give up theirs to it.
unsafe impl Payload for Node {
    const KIND: Kind = Kind::Container;
    fn static_type() -> &'static Type {
        NODE.ty()
    }
    fn traverse(&self, visit: Visitor) {
        for entry in &self.entries {
            match entry {
                Entry::Leaf(var, value) => {
                    visit(var.as_value());
                    visit(value);
                }
                Entry::Child(child) => visit(child.as_value()),
            }
        }
    }
}

static NODE: TypeSpec = TypeSpec::new::<Node>("hamt_bitmap_node").flags(type_flags::DISALLOW_INSTANTIATION);

fn bit(hash: u64, shift: u32) -> u32 {
    1 << (hash >> shift & 31)
}

impl Node {
    fn new(bitmap: u32, entries: Vec<Entry>) -> Ref<Node> {
        Ref::new(Node { header: Header::new(NODE.ty()), bitmap, entries: entries.into_boxed_slice() })
    }

    /// Where the entry of `bit` is or would be.
    fn position(&self, bit: u32) -> usize {
        (self.bitmap & (bit - 1)).count_ones() as usize
    }

    /// The value of `var` in the map whose root this is.
    pub fn find(&self, var: &ContextVar) -> Option<&Value> {
        let (hash, mut node, mut shift) = (var.hash(), self, 0);
        loop {
            let bit = bit(hash, shift);
            if node.bitmap & bit == 0 {
                return None;
            }
            match &node.entries[node.position(bit)] {
                Entry::Leaf(key, value) => return (key.hash() == hash).then_some(value),
                Entry::Child(child) => node = child,
            }
            shift += BITS;
        }
    }

    fn with_entry(&self, at: usize, entry: Entry) -> Ref<Node> {
        let mut entries = self.entries.to_vec();
        entries[at] = entry;
        Node::new(self.bitmap, entries)
    }

    fn assoc(&self, shift: u32, var: &Ref<ContextVar>, value: Value) -> Ref<Node> {
        let hash = var.hash();
        let bit = bit(hash, shift);
        let at = self.position(bit);
        if self.bitmap & bit == 0 {
            let mut entries = self.entries.to_vec();
            entries.insert(at, Entry::Leaf(var.clone(), value));
            return Node::new(self.bitmap | bit, entries);
        }
        let entry = match &self.entries[at] {
            Entry::Leaf(key, _) if key.hash() == hash => Entry::Leaf(var.clone(), value),
            Entry::Leaf(key, old) => {
                let alone = Node::leaf(shift + BITS, key.clone(), old.clone());
                Entry::Child(alone.assoc(shift + BITS, var, value))
            }
            Entry::Child(child) => Entry::Child(child.assoc(shift + BITS, var, value)),
        };
        self.with_entry(at, entry)
    }

    fn leaf(shift: u32, var: Ref<ContextVar>, value: Value) -> Ref<Node> {
        Node::new(bit(var.hash(), shift), vec![Entry::Leaf(var, value)])
    }

    /// Without `var`, which is in the map; `None`: nothing is left.
    fn without(&self, shift: u32, var: &ContextVar) -> Option<Ref<Node>> {
        let bit = bit(var.hash(), shift);
        let at = self.position(bit);
        if let Entry::Child(child) = &self.entries[at]
            && let Some(child) = child.without(shift + BITS, var)
        {
            // A child with nothing but one value gives way to it.
            let entry = match &child.entries[..] {
                [leaf @ Entry::Leaf(..)] => leaf.clone(),
                _ => Entry::Child(child),
            };
            return Some(self.with_entry(at, entry));
        }
        if self.entries.len() == 1 {
            return None;
        }
        let mut entries = self.entries.to_vec();
        entries.remove(at);
        Some(Node::new(self.bitmap & !bit, entries))
    }

    fn collect(&self, found: &mut Vec<(Ref<ContextVar>, Value)>) {
        for entry in &self.entries {
            match entry {
                Entry::Leaf(var, value) => found.push((var.clone(), value.clone())),
                Entry::Child(child) => child.collect(found),
            }
        }
    }
}

/// `map` with `var` set to `value`.
pub fn assoc(map: Option<&Ref<Node>>, var: &Ref<ContextVar>, value: Value) -> Ref<Node> {
    match map {
        Some(root) => root.assoc(0, var, value),
        None => Node::leaf(0, var.clone(), value),
    }
}

/// `map` without `var`.
pub fn without(map: &Ref<Node>, var: &ContextVar) -> Option<Ref<Node>> {
    match map.find(var) {
        Some(_) => map.without(0, var),
        None => Some(map.clone()),
    }
}

/// The variables and values in a map.
pub fn items(map: Option<&Ref<Node>>) -> Vec<(Ref<ContextVar>, Value)> {
    let mut found = Vec::new();
    if let Some(root) = map {
        root.collect(&mut found);
    }
    found
}
