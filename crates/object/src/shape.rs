//! Shapes (hidden classes): attribute name → slot index, shared by all instances built alike.
//!
//! A shape belongs to one type and one in-object capacity. Slot `i` of an instance is in the object for
//! `i < capacity`, else in the overflow array (`attributes.rs`). Ids are never reused.

use crate::header::Header;
use crate::types::Type;
use crate::value::Value;
use std::collections::HashMap;
use std::sync::{Arc, RwLock};

/// No more attributes than this are kept in slots; instances with more use a dictionary.
pub const MAX_SLOTS: usize = 128;

pub struct Shape {
    pub id: u32,
    /// The type whose instances have this shape.
    pub ty: usize,
    pub capacity: u16,
    /// Attribute names (interned strings, immortal) in slot order.
    pub names: Vec<Value>,
    index: HashMap<u64, u16>,
    transitions: RwLock<Vec<(u64, u32)>>,
    /// The shape one gets by deleting the last attribute.
    pub parent: Option<u32>,
}

static SHAPES: RwLock<Vec<Arc<Shape>>> = RwLock::new(Vec::new());

fn register(make: impl FnOnce(u32) -> Shape) -> u32 {
    let mut shapes = SHAPES.write().expect("the shape table is never poisoned");
    if shapes.is_empty() {
        // Id 0 means "no shape"; it never matches a cache.
        shapes.push(Arc::new(blank(0, 0, 0)));
    }
    let id = shapes.len() as u32;
    shapes.push(Arc::new(make(id)));
    id
}

fn blank(id: u32, ty: usize, capacity: u16) -> Shape {
    Shape {
        id,
        ty,
        capacity,
        names: Vec::new(),
        index: HashMap::new(),
        transitions: RwLock::new(Vec::new()),
        parent: None,
    }
}

/// The empty shape of a type whose instances have `capacity` in-object slots.
pub fn new_root(ty: &Type, capacity: u16) -> u32 {
    let ty = ty as *const Type as usize;
    register(|id| blank(id, ty, capacity))
}

/// The shape with this id.
pub fn get(id: u32) -> Arc<Shape> {
    SHAPES.read().expect("the shape table is never poisoned")[id as usize].clone()
}

pub fn of(header: &Header) -> Arc<Shape> {
    get(header.shape_id())
}

/// The slot of `name` (an interned string) in shape `id`.
pub fn find(id: u32, name: &Value) -> Option<(u16, u16)> {
    let shapes = SHAPES.read().expect("the shape table is never poisoned");
    let shape = &shapes[id as usize];
    shape.slot(name).map(|slot| (slot, shape.capacity))
}

impl Shape {
    /// The slot of `name`, an interned string.
    pub fn slot(&self, name: &Value) -> Option<u16> {
        let word = name.word();
        if self.names.len() <= 8 {
            return self.names.iter().position(|n| n.word() == word).map(|i| i as u16);
        }
        self.index.get(&word).copied()
    }

    /// The shape after adding `name` (interned), which gets slot `self.names.len()`; `None` if there are too many.
    pub fn add(&self, name: &Value) -> Option<u32> {
        let word = name.word();
        if let Some((_, id)) = self.transitions.read().expect("not poisoned").iter().find(|(n, _)| *n == word) {
            return Some(*id);
        }
        if self.names.len() >= MAX_SLOTS {
            return None;
        }
        let mut transitions = self.transitions.write().expect("not poisoned");
        if let Some((_, id)) = transitions.iter().find(|(n, _)| *n == word) {
            return Some(*id);
        }
        if transitions.len() >= MAX_SLOTS {
            return None;
        }
        let mut names = self.names.clone();
        names.push(name.clone());
        let index = names.iter().enumerate().map(|(i, n)| (n.word(), i as u16)).collect();
        let id = register(|id| Shape {
            id,
            ty: self.ty,
            capacity: self.capacity,
            names,
            index,
            transitions: RwLock::new(Vec::new()),
            parent: Some(self.id),
        });
        transitions.push((word, id));
        Some(id)
    }
}
