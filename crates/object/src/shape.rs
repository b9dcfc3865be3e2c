//! Shapes (hidden classes): attribute name → slot index, shared by all instances built alike.
//!
//! A shape belongs to one type and one in-object capacity. Slot `i` of an instance is in the object for
//! `i < capacity`, else in the overflow array (`attributes.rs`). Ids are never reused; shapes go with their type
//! ([`free_all`]).

use crate::hash::Spread;
use crate::header::Header;
use crate::types::Type;
use crate::value::Value;
use std::collections::HashMap;
use std::hash::BuildHasherDefault;
use std::ptr::null_mut;
use std::sync::atomic::{AtomicPtr, Ordering::*};
use std::sync::{Mutex, RwLock};

/// No more attributes than this are kept in slots; instances with more use a dictionary.
pub const MAX_SLOTS: usize = 128;

pub struct Shape {
    pub id: u32,
    /// The type whose instances have this shape.
    pub ty: usize,
    pub capacity: u16,
    /// Attribute names (interned strings, immortal) in slot order.
    pub names: Vec<Value>,
    index: HashMap<u64, u16, BuildHasherDefault<Spread>>,
    transitions: RwLock<Vec<(u64, u32)>>,
    /// The shape one gets by deleting the last attribute.
    pub parent: Option<u32>,
}

const CHUNK: usize = 4096;
const CHUNKS: usize = 1 << 20;

/// All shapes by id, in chunks that are never moved or freed: readers take no lock. Zeroed memory that is not touched costs
/// nothing.
static CHUNK_TABLE: [AtomicPtr<AtomicPtr<Shape>>; CHUNKS] = [const { AtomicPtr::new(null_mut()) }; CHUNKS];
/// The next id; 0 means "no shape" and never matches a cache.
static NEXT_ID: Mutex<u32> = Mutex::new(1);

/// Adds a shape to the table; `None` when there are too many.
fn register(make: impl FnOnce(u32) -> Shape) -> Option<u32> {
    let mut next = NEXT_ID.lock().expect("making a shape does not panic");
    let id = *next;
    let chunk = CHUNK_TABLE.get(id as usize / CHUNK)?;
    if chunk.load(Relaxed).is_null() {
        let shapes: Box<[AtomicPtr<Shape>]> = (0..CHUNK).map(|_| AtomicPtr::new(null_mut())).collect();
        chunk.store(Box::leak(shapes).as_mut_ptr(), Release);
    }
    let shape = Box::into_raw(Box::new(make(id)));
    // SAFETY: the chunk has `CHUNK` entries and lives for ever.
    unsafe { &*chunk.load(Relaxed).add(id as usize % CHUNK) }.store(shape, Release);
    *next += 1;
    Some(id)
}

fn blank(id: u32, ty: usize, capacity: u16) -> Shape {
    Shape {
        id,
        ty,
        capacity,
        names: Vec::new(),
        index: HashMap::default(),
        transitions: RwLock::new(Vec::new()),
        parent: None,
    }
}

/// An empty shape of a type whose instances have `capacity` in-object slots.
///
/// # Panics
/// When four thousand million shapes have been made.
pub fn new_root(ty: &Type, capacity: u16) -> u32 {
    let address = ty as *const Type as usize;
    let id = register(|id| blank(id, address, capacity)).expect("a process makes fewer classes than there are shapes");
    ty.shapes.borrow(&ty.header).push(id);
    id
}

/// Where the table has the shape with this id, if there ever was one.
#[inline]
fn entry(id: u32) -> Option<&'static AtomicPtr<Shape>> {
    let chunk = CHUNK_TABLE[id as usize / CHUNK].load(Acquire);
    // SAFETY: a chunk has `CHUNK` entries and lives for ever.
    (!chunk.is_null()).then(|| unsafe { &*chunk.add(id as usize % CHUNK) })
}

/// The shape with this id, if its type is alive.
///
/// # Safety
/// The type, if it is alive, outlives the borrow.
#[inline]
pub unsafe fn get<'a>(id: u32) -> Option<&'a Shape> {
    // SAFETY: shapes are in the table as long as their type lives.
    unsafe { entry(id)?.load(Acquire).as_ref() }
}

/// The shape of an object.
#[inline]
pub fn of(header: &Header) -> &Shape {
    // SAFETY: an object keeps its type alive.
    unsafe { get(header.shape_id()) }.expect("an object's shape is its type's")
}

/// Frees the shapes of a type that dies, given the empty ones.
pub(crate) fn free_all(roots: Vec<u32>) {
    let mut pending = roots;
    while let Some(id) = pending.pop() {
        let Some(shape) = entry(id).map(|entry| entry.swap(null_mut(), AcqRel)).filter(|shape| !shape.is_null()) else {
            continue;
        };
        // SAFETY: made by `register` and taken out of the table here; no object has it, since the type's instances are gone.
        let shape = unsafe { Box::from_raw(shape) };
        let transitions = shape.transitions.into_inner().expect("not poisoned");
        pending.extend(transitions.into_iter().map(|(_, id)| id));
    }
}

/// The slot of `name` (an interned string) in shape `id`, and the shape's capacity.
#[inline]
pub fn find(id: u32, name: &Value) -> Option<(u16, u16)> {
    // SAFETY: the borrow ends here, before anything could end the type.
    let shape = unsafe { get(id) }?;
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
        })?;
        transitions.push((word, id));
        Some(id)
    }
}
