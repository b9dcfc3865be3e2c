//! `memory_iterator`.

use super::{MemoryView, index, own as view_of};
use crate::cell::ObjectCell;
use crate::header::Header;
use crate::heap::Kind;
use crate::object::{Payload, Ref, Result, Visitor};
use crate::types::{Type, TypeSpec, type_flags};
use crate::value::Value;
use crate::vm::Vm;

/// An iterator over the elements of a one-dimensional view.
#[repr(C)]
pub struct MemoryIterator {
    pub header: Header,
    /// The view (`None` when exhausted) and the next index.
    state: ObjectCell<(Option<Value>, usize)>,
    length: usize,
}

// SAFETY: repr(C), header first, visits the view.
unsafe impl Payload for MemoryIterator {
    const KIND: Kind = Kind::Container;
    fn static_type() -> &'static Type {
        MEMORY_ITERATOR.ty()
    }
    fn traverse(&self, visit: Visitor) {
        // SAFETY: the collector has stopped the world.
        if let Some(view) = unsafe { &(*self.state.as_ptr()).0 } {
            visit(view);
        }
    }
}

pub static MEMORY_ITERATOR: TypeSpec =
    TypeSpec::new::<MemoryIterator>("memory_iterator").flags(type_flags::DISALLOW_INSTANTIATION).slots(|s| {
        s.iter = Some(|_, this| Ok(this.clone()));
        s.iternext = Some(next);
    });

pub(super) fn iter(vm: &Vm, this: &Value) -> Result {
    let layout = view_of(this).layout(vm)?;
    match layout.dimensions() {
        0 => return Err(vm.type_error("invalid indexing of 0-dim memory")),
        1 => {}
        _ => return Err(vm.not_implemented_error("multi-dimensional sub-views are not implemented")),
    }
    super::items::check_format(vm, &layout.format)?;
    let state = ObjectCell::new((Some(this.clone()), 0));
    let length = layout.shape[0] as usize;
    Ok(Ref::new(MemoryIterator { header: Header::new(MEMORY_ITERATOR.ty()), state, length }).into_value())
}

fn next(vm: &Vm, this: &Value) -> Result<Option<Value>> {
    let iterator = this.downcast::<MemoryIterator>().expect("own slot");
    let (view, at) = iterator.state.borrow(&iterator.header).clone();
    let Some(view) = view else { return Ok(None) };
    if at < iterator.length {
        if view.downcast::<MemoryView>().expect("an iterator's view").is_released() {
            view_of(&view).layout(vm)?;
        }
        iterator.state.borrow(&iterator.header).1 = at + 1;
        return index::item(vm, &view, at as i64).map(Some);
    }
    let ended = iterator.state.borrow(&iterator.header).0.take();
    drop(ended);
    Ok(None)
}
