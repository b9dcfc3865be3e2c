//! `list`: representation and the operations that the eval loop calls directly; methods, assignment to slices, sorting and
//! iterators are in `list/`.

use crate::builtins::slice::SliceIndices;
use crate::cell::ObjectCell;
use crate::header::Header;
use crate::heap::Kind;
use crate::object::{Payload, Ref, Result, Visitor};
use crate::types::{Type, TypeSpec, type_flags};
use crate::value::Value;
use crate::vm::Vm;

pub mod assignment;
pub mod iterator;
pub mod methods;
pub mod sort;

/// A list.
#[repr(C)]
pub struct List {
    pub header: Header,
    pub items: ObjectCell<Vec<Value>>,
}

// SAFETY: repr(C), header first, visits each item.
unsafe impl Payload for List {
    const KIND: Kind = Kind::Container;
    const SUBCLASS_FLAG: u64 = type_flags::LIST_SUBCLASS;
    fn static_type() -> &'static Type {
        LIST.ty()
    }
    fn traverse(&self, visit: Visitor) {
        // SAFETY: the collector has stopped the world.
        unsafe { &*self.items.as_ptr() }.iter().rev().for_each(visit);
    }
    fn clear(&self) {
        drop_reversed(self.take());
    }
}

/// The last item first, as CPython does.
impl Drop for List {
    fn drop(&mut self) {
        drop_reversed(std::mem::take(self.items.get_mut()));
    }
}

/// Drops values from the last to the first.
fn drop_reversed(mut items: Vec<Value>) {
    while let Some(item) = items.pop() {
        drop(item);
    }
}

pub static LIST: TypeSpec = TypeSpec::new::<List>("list")
    .doc(
        "list(iterable=(), /)\n\
         --\n\n\
         A mutable sequence.\n\n\
         It starts with the items of the iterable; without one it is empty.",
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

    #[inline(always)]
    pub fn len(&self) -> usize {
        self.items.borrow(&self.header).len()
    }
    #[inline(always)]
    pub fn get(&self, index: usize) -> Option<Value> {
        self.items.borrow(&self.header).get(index).cloned()
    }
    /// The item at an index that may be negative.
    #[inline(always)]
    pub fn get_item_i64(&self, index: i64) -> Option<Value> {
        let items = self.items.borrow(&self.header);
        let index = if index < 0 { index.wrapping_add(items.len() as i64) } else { index };
        items.get(index as usize).cloned()
    }
    /// Replaces the item at an index that may be negative; false if there is none.
    #[inline(always)]
    pub fn set_item_i64(&self, index: i64, value: Value) -> bool {
        let mut items = self.items.borrow(&self.header);
        let index = if index < 0 { index.wrapping_add(items.len() as i64) } else { index };
        let Some(item) = items.get_mut(index as usize) else { return false };
        let old = std::mem::replace(item, value);
        drop(items);
        drop(old);
        true
    }
    /// Appends without a check for memory: for lists whose length no Python program chooses.
    #[inline]
    pub fn push(&self, item: Value) {
        self.items.borrow(&self.header).push(item);
    }
    /// `self.append(item)`
    #[inline(always)]
    pub fn append(&self, vm: &Vm, item: Value) -> Result<()> {
        let mut items = self.items.borrow(&self.header);
        if items.len() == items.capacity() && !grow(&mut items) {
            drop(items);
            return Err(vm.memory_error());
        }
        items.push(item);
        Ok(())
    }
    /// Appends several items, for which room is made at once.
    pub fn append_all(&self, vm: &Vm, new: impl ExactSizeIterator<Item = Value>) -> Result<()> {
        let mut items = self.items.borrow(&self.header);
        if !reserve(&mut items, new.len()) {
            drop(items);
            return Err(vm.memory_error());
        }
        items.extend(new);
        Ok(())
    }
    /// Appends what `item` gives, if that takes no allocation; false if it has to be done otherwise.
    #[inline(always)]
    pub fn append_within(&self, item: impl FnOnce() -> Value) -> bool {
        let mut items = self.items.borrow(&self.header);
        let length = items.len();
        if length == items.capacity() {
            return false;
        }
        // SAFETY: there is room for one more, which is initialised before it counts.
        unsafe {
            items.as_mut_ptr().add(length).write(item());
            items.set_len(length + 1);
        }
        true
    }
    /// Takes the last item out.
    #[inline(always)]
    pub fn pop_last(&self) -> Option<Value> {
        self.items.borrow(&self.header).pop()
    }
    /// Takes the items out; the list is empty then.
    pub fn take(&self) -> Vec<Value> {
        std::mem::take(&mut *self.items.borrow(&self.header))
    }
    /// A snapshot of the items.
    pub fn to_vec(&self) -> Vec<Value> {
        self.items.borrow(&self.header).clone()
    }
    /// As [`List::to_vec`], for lists of any length.
    pub fn try_to_vec(&self, vm: &Vm) -> Result<Vec<Value>> {
        let items = self.items.borrow(&self.header);
        copy_items(vm, &items)
    }
    /// `self[start:stop:step]` for indices that were made for some length: fitted to the present one.
    pub fn get_slice(&self, vm: &Vm, start: i64, stop: i64, step: i64) -> Result<Ref<List>> {
        let items = self.items.borrow(&self.header);
        let indices = crate::builtins::slice::adjust_indices(items.len(), start, stop, step);
        let slice = slice_items(vm, &items, indices)?;
        drop(items);
        Ok(List::from_vec(slice))
    }
    /// Removes and returns the item at an index that may be negative.
    #[inline]
    pub fn pop(&self, index: i64) -> Option<Value> {
        let mut items = self.items.borrow(&self.header);
        if index == -1 {
            return items.pop();
        }
        let index = if index < 0 { index.wrapping_add(items.len() as i64) } else { index };
        if index >= 0 && (index as usize) < items.len() { Some(items.remove(index as usize)) } else { None }
    }
}

#[cold]
#[inline(never)]
fn grow(items: &mut Vec<Value>) -> bool {
    reserve(items, 1)
}

/// Makes room for `more` items; false when there is no memory.
fn reserve(items: &mut Vec<Value>, more: usize) -> bool {
    /// Shorter lists grow by an eighth, as CPython's do (`list_resize`), so that little lies idle. Of longer ones what lies idle
    /// is not present in memory, so they grow as vectors do, which copies less.
    const LONG: usize = 1 << 14;

    let (length, capacity) = (items.len(), items.capacity());
    if more <= capacity - length {
        return true;
    }
    let Some(wanted) = length.checked_add(more) else { return false };
    if wanted >= LONG {
        return crate::heap::fallible(|| items.try_reserve(more)).is_ok();
    }
    let generous = (wanted + wanted / 8 + 6) & !3;
    let room = match more {
        2.. if capacity == 0 => wanted.next_multiple_of(2),
        _ if more > generous - wanted => wanted.next_multiple_of(4),
        _ => generous,
    };
    crate::heap::fallible(|| items.try_reserve_exact(room - length)).is_ok()
}

/// An empty vector with room for `capacity` items, or `MemoryError`.
pub fn with_room(vm: &Vm, capacity: usize) -> Result<Vec<Value>> {
    let mut items = Vec::new();
    match crate::heap::fallible(|| items.try_reserve_exact(capacity)) {
        Ok(()) => Ok(items),
        Err(_) => Err(vm.memory_error()),
    }
}

/// A copy of items, or `MemoryError`.
pub fn copy_items(vm: &Vm, items: &[Value]) -> Result<Vec<Value>> {
    let mut copy = with_room(vm, items.len())?;
    copy.extend(items.iter().cloned());
    Ok(copy)
}

fn slice_items(vm: &Vm, items: &[Value], indices: SliceIndices) -> Result<Vec<Value>> {
    if indices.step == 1 {
        let start = indices.start as usize;
        return copy_items(vm, &items[start..start + indices.count]);
    }
    let mut slice = with_room(vm, indices.count)?;
    if indices.step == -1 && indices.count > 0 {
        let start = indices.start as usize;
        slice.extend(items[start + 1 - indices.count..=start].iter().rev().cloned());
        return Ok(slice);
    }
    slice.extend(indices.positions().map(|at| items[at].clone()));
    Ok(slice)
}
