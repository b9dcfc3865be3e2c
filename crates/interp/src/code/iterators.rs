//! What `co_lines()`, `co_branches()` and `co_positions()` give: iterators of types of their own.

use taipan_object::cell::ObjectCell;
use taipan_object::header::Header;
use taipan_object::heap::Kind;
use taipan_object::object::{Payload, Ref, Visitor};
use taipan_object::types::slots::Slots;
use taipan_object::types::{Type, TypeSpec, type_flags};
use taipan_object::value::Value;

/// The items still to come, the next one last.
#[repr(C)]
struct Items {
    header: Header,
    items: ObjectCell<Vec<Value>>,
}

// SAFETY: repr(C), header first; visits each item.
unsafe impl Payload for Items {
    const KIND: Kind = Kind::Container;
    fn static_type() -> &'static Type {
        LINE_ITERATOR.ty()
    }
    fn traverse(&self, visit: Visitor) {
        // SAFETY: the collector has stopped the world.
        unsafe { &*self.items.as_ptr() }.iter().for_each(visit);
    }
}

pub static LINE_ITERATOR: TypeSpec = TypeSpec::new::<Items>("line_iterator")
    .flags(type_flags::DISALLOW_INSTANTIATION | type_flags::BASETYPE)
    .slots(slots);
pub static POSITIONS_ITERATOR: TypeSpec = TypeSpec::new::<Items>("positions_iterator")
    .flags(type_flags::DISALLOW_INSTANTIATION | type_flags::BASETYPE)
    .slots(slots);

/// An iterator of type `ty`, one of the two.
pub fn new(ty: &'static Type, mut items: Vec<Value>) -> Value {
    items.reverse();
    Ref::new_sibling(ty, Items { header: Header::new(ty), items: ObjectCell::new(items) }).into_value()
}

fn slots(s: &mut Slots) {
    s.iter = Some(|_, this| Ok(this.clone()));
    s.iternext = Some(|_, this| {
        let header = this.as_object().expect("called through its own slot");
        // SAFETY: only the slots of the two types of this layout come here, and no others derive from them.
        let items = unsafe { &*(header as *const Header).cast::<Items>() };
        Ok(items.items.borrow(&items.header).pop())
    });
}
