//! `list`: representation; methods are in `list/`.

use crate::cell::ObjectCell;
use crate::header::Header;
use crate::heap::Kind;
use crate::object::{Payload, Ref, Visitor};
use crate::types::{Type, TypeSpec, type_flags};
use crate::value::Value;

pub mod methods;

/// A list.
#[repr(C)]
pub struct List {
    pub header: Header,
    pub items: ObjectCell<Vec<Value>>,
}

// SAFETY: repr(C), header first, visits each item.
unsafe impl Payload for List {
    const KIND: Kind = Kind::Container;
    fn static_type() -> &'static Type {
        LIST.ty()
    }
    fn traverse(&self, visit: Visitor) {
        // SAFETY: the collector has stopped the world.
        unsafe { &*self.items.as_ptr() }.iter().for_each(visit);
    }
    fn clear(&self) {
        let items = std::mem::take(&mut *self.items.borrow(&self.header));
        drop(items);
    }
}

pub static LIST: TypeSpec = TypeSpec::new::<List>("list")
    .doc(
        "Built-in mutable sequence.\n\nIf no argument is given, the constructor creates a new empty list.\nThe argument must \
         be an iterable if specified.",
    )
    .flags(type_flags::BASETYPE | type_flags::LIST_SUBCLASS | type_flags::MATCH_SELF | type_flags::SEQUENCE)
    .slots(methods::slots)
    .methods(methods::METHODS);

impl List {
    pub fn from_vec(items: Vec<Value>) -> Ref<List> {
        Ref::new(List { header: Header::new(LIST.ty()), items: ObjectCell::new(items) })
    }

    /// An instance of `ty`, list or a subclass.
    pub fn new_with_type(ty: &Type, items: Vec<Value>) -> Ref<List> {
        Ref::new_with_type(ty, List { header: Header::new(ty), items: ObjectCell::new(items) })
    }

    pub fn len(&self) -> usize {
        self.items.borrow(&self.header).len()
    }
    pub fn get(&self, index: usize) -> Option<Value> {
        self.items.borrow(&self.header).get(index).cloned()
    }
    pub fn push(&self, item: Value) {
        self.items.borrow(&self.header).push(item);
    }
    /// A snapshot of the items.
    pub fn to_vec(&self) -> Vec<Value> {
        self.items.borrow(&self.header).clone()
    }
}
