//! The attributes of an instance: slots by shape, or a dictionary.
//!
//! The *attributes word* follows the fixed part of an instance (for variable-sized payloads it is the last word of
//! the block). It is 0, or a pointer to the overflow array of slots, or (flag `DICT_MODE` of the object) a `Dict`.
//! In-object slots follow the attributes word; a zero slot is unset.

use crate::builtins::dict::Dict;
use crate::header::{Header, object_flags};
use crate::object::{Ref, Visitor};
use crate::shape;
use crate::types::creation::FROM_END;
use crate::types::{Type, type_flags};
use crate::value::Value;
use std::ptr::NonNull;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// Where slot `i` of an object is.
#[inline(always)]
fn word_pointer(header: &Header) -> *mut u64 {
    let ty = header.ty();
    let base = header as *const Header as *mut u8;
    // SAFETY: instances of types with HAS_DICT were allocated with room for the word there.
    unsafe {
        if ty.has_flags(type_flags::VAR_SIZED) {
            let size = crate::heap::usable_size(NonNull::new_unchecked(base));
            base.add(size - 8).cast()
        } else {
            base.add(ty.basicsize.get() as usize).cast()
        }
    }
}

/// The overflow array: length word, then the slots.
#[inline(always)]
unsafe fn overflow_slot(array: u64, index: usize) -> *mut u64 {
    // SAFETY: the caller passes an index below the array's length.
    unsafe { (array as *mut u64).add(1 + index) }
}

fn overflow_layout(length: usize) -> std::alloc::Layout {
    std::alloc::Layout::array::<u64>(length + 1).expect("few slots")
}

unsafe fn slot_pointer(header: &Header, slot: u16, capacity: u16) -> *mut u64 {
    let word = word_pointer(header);
    // SAFETY: the shape that named the slot says that it exists.
    unsafe {
        if slot < capacity { word.add(1 + slot as usize) } else { overflow_slot(*word, (slot - capacity) as usize) }
    }
}

/// Where an overflow slot is.
///
/// # Safety
/// `object` is an instance of `ty`, which is not of variable size, and its shape has the slot `index` beyond those in the
/// object.
#[inline(always)]
pub unsafe fn overflow_pointer(object: *const Header, ty: &Type, index: usize) -> *mut u64 {
    // SAFETY: by contract the attributes word has the array.
    unsafe { overflow_slot(*object.cast::<u64>().add(ty.basicsize.get() as usize / 8), index) }
}

/// Byte offset of in-object slot `slot` from the object's address, for inline caches.
pub fn inline_offset(ty: &Type, slot: u16) -> usize {
    ty.basicsize.get() as usize + 8 + 8 * slot as usize
}

/// The bytes that an object itself takes on the heap: its block with the prefix, and its overflow array; none if it is
/// within the reference. Buffers of built-in types are theirs to add.
pub fn memory(object: &Value) -> usize {
    let Some(header) = object.as_object() else { return 0 };
    let ty = header.ty();
    // SAFETY: every object lives in a heap block.
    let block = unsafe { crate::heap::usable_size(NonNull::from(header).cast()) } + crate::heap::prefix();
    let has_slots = ty.has_dict() && !header.has_flag(object_flags::DICT_MODE);
    if !ty.is_heap_type() || ty.has_flags(type_flags::VAR_SIZED) || ty.has_dict() && !has_slots {
        return block;
    }
    // As asked for: what a block is larger is the heap's.
    let mut size = ty.basicsize.get() as usize;
    let mut overflow = 0;
    if has_slots {
        size += 8 + 8 * shape::of(header).capacity as usize;
        // SAFETY: outside dictionary mode the word is 0 or an overflow array, which begins with its length.
        unsafe {
            let array = *word_pointer(header) as *const u64;
            if !array.is_null() {
                overflow = 8 + 8 * *array as usize;
            }
        }
    }
    block.min(size + crate::heap::prefix()) + overflow
}

/// The instance attribute `name` (interned), without looking at the type.
pub fn get(header: &Header, name: &Value) -> Option<Value> {
    if !header.ty().has_dict() {
        return None;
    }
    if header.has_flag(object_flags::DICT_MODE) {
        return materialized(header)?.get_str(name);
    }
    let (slot, capacity) = shape::find(header.shape_id(), name)?;
    // SAFETY: the slot belongs to the object's shape; a non-zero slot owns a value.
    unsafe {
        let word = slot_pointer(header, slot, capacity);
        if *word == 0 { None } else { Some(Value::borrow_word(&*word).clone()) }
    }
}

/// The dictionary of an object in dictionary mode.
pub fn materialized(header: &Header) -> Option<Ref<Dict>> {
    if !header.has_flag(object_flags::DICT_MODE) {
        return None;
    }
    // SAFETY: in dictionary mode the word owns a reference to a dict.
    unsafe { Value::borrow_word(&*word_pointer(header)).downcast_ref::<Dict>() }
}

/// The dictionary of an object in dictionary mode, without a test, for inline caches.
///
/// # Safety
/// The object is an instance of `ty`, which is not of variable size, in dictionary mode, and stays so while the reference
/// is used.
#[inline(always)]
pub unsafe fn dictionary_of<'a>(header: &Header, ty: &Type) -> &'a Dict {
    // SAFETY: by contract the attributes word owns a reference to a dict.
    unsafe {
        let base = header as *const Header as *const u8;
        &*(*base.add(ty.basicsize.get() as usize).cast::<*const Dict>())
    }
}

/// Sets the instance attribute `name` (interned). The type must have instance attributes.
pub fn set(header: &Header, name: &Value, value: Value) {
    if header.has_flag(object_flags::DICT_MODE) {
        if let Some(dict) = materialized(header) {
            dict.set_str(name, value);
        }
        return;
    }
    let shape = shape::of(header);
    if let Some(slot) = shape.slot(name) {
        // SAFETY: the slot belongs to the object's shape. The new value is published before the old one is dropped.
        let old = unsafe { std::mem::replace(&mut *slot_pointer(header, slot, shape.capacity), value.into_word()) };
        if old != 0 {
            // SAFETY: a non-zero slot owned a value.
            drop(unsafe { Value::from_word(old) });
        }
        return;
    }
    let Some(next) = shape.add(name) else {
        dictionary(header).set_str(name, value);
        return;
    };
    let ty = header.ty();
    crate::types::lookup::note_instance_attribute(ty, name);
    let slot = shape.names.len() as u16;
    if !ty.has_flags(type_flags::VAR_SIZED) {
        ty.used_slots.set(ty.used_slots.get().max(slot + 1));
        if slot >= ty.inline_slots.get() && (ty.is_learning() || ty.wants_more_slots()) {
            learn(ty, ty.used_slots.get());
        }
    }
    // SAFETY: the slot is made to exist before the shape says so.
    unsafe {
        if slot >= shape.capacity {
            reserve_overflow(header, (slot - shape.capacity) as usize + 1);
        }
        *slot_pointer(header, slot, shape.capacity) = value.into_word();
    }
    header.set_shape_id(next);
}

/// What [`fill`] remembers: the shape of an object without attributes, and the one that it has with them.
pub struct Filled(AtomicU64);

impl Filled {
    pub const fn new() -> Filled {
        Filled(AtomicU64::new(0))
    }
}

/// Gives a new object, which has no attributes yet, those with these names (interned). `filled` is for the same names only.
pub fn fill(header: &Header, names: &[Value], values: impl Iterator<Item = Value>, filled: &Filled) {
    let before = header.shape_id();
    let known = filled.0.load(Relaxed);
    if known >> 32 != u64::from(before) || header.has_flag(object_flags::DICT_MODE) {
        for (name, value) in names.iter().zip(values) {
            set(header, name, value);
        }
        let is_new = |name: (&Value, &Value)| name.0.is(name.1);
        if !header.has_flag(object_flags::DICT_MODE) {
            let shape = shape::of(header);
            if shape.names.len() == names.len() && shape.names.iter().zip(names).all(is_new) {
                filled.0.store(u64::from(before) << 32 | u64::from(shape.id), Relaxed);
            }
        }
        return;
    }
    let capacity = shape::of(header).capacity;
    // SAFETY: the slots are made to exist before the shape says so, and all of them get a value, as those of the known shape
    // did, which has no others.
    unsafe {
        if names.len() > usize::from(capacity) {
            reserve_overflow(header, names.len() - usize::from(capacity));
        }
        let mut slot = 0;
        for value in values.take(names.len()) {
            *slot_pointer(header, slot, capacity) = value.into_word();
            slot += 1;
        }
        assert!(usize::from(slot) == names.len(), "a value for every name");
    }
    header.set_shape_id(known as u32);
}

/// Later instances of `ty` get `slots` in-object slots.
fn learn(ty: &Type, slots: u16) {
    ty.inline_slots.set(slots);
    ty.root_shape.store(shape::new_root(ty, slots), std::sync::atomic::Ordering::Relaxed);
}

unsafe fn reserve_overflow(header: &Header, length: usize) {
    // SAFETY: the word is 0 or an overflow array (not in dictionary mode).
    unsafe {
        let word = word_pointer(header);
        let old = *word as *mut u64;
        let old_length = if old.is_null() { 0 } else { *old as usize };
        if old_length >= length {
            return;
        }
        let new_length = (length + length / 2).max(4);
        let layout = overflow_layout(new_length);
        let array = std::alloc::alloc_zeroed(layout).cast::<u64>();
        if array.is_null() {
            std::alloc::handle_alloc_error(layout);
        }
        *array = new_length as u64;
        if !old.is_null() {
            std::ptr::copy_nonoverlapping(old.add(1), array.add(1), old_length);
            std::alloc::dealloc(old.cast(), overflow_layout(old_length));
        }
        *word = array as u64;
    }
}

/// Deletes the instance attribute; the old value, or `None` if there was none.
pub fn delete(header: &Header, name: &Value) -> Option<Value> {
    if !header.ty().has_dict() {
        return None;
    }
    if header.has_flag(object_flags::DICT_MODE) {
        return materialized(header)?.remove_str(name);
    }
    let shape = shape::of(header);
    let slot = shape.slot(name)?;
    if slot as usize + 1 == shape.names.len()
        && let Some(parent) = shape.parent
    {
        header.set_shape_id(parent);
        // SAFETY: the slot exists and owns its value, which passes to the caller.
        return unsafe {
            let word = std::mem::replace(&mut *slot_pointer(header, slot, shape.capacity), 0);
            (word != 0).then(|| Value::from_word(word))
        };
    }
    dictionary(header).remove_str(name)
}

/// The object's `__dict__`; puts the object in dictionary mode.
pub fn dictionary(header: &Header) -> Ref<Dict> {
    if let Some(dict) = materialized(header) {
        return dict;
    }
    let dict = Dict::new();
    let shape = shape::of(header);
    // SAFETY: the values move from the slots to the dict; afterwards the word owns the dict.
    unsafe {
        for (slot, name) in shape.names.iter().enumerate() {
            let word = std::mem::replace(&mut *slot_pointer(header, slot as u16, shape.capacity), 0);
            if word != 0 {
                dict.set_str(name, Value::from_word(word));
            }
        }
        free_overflow(header);
        *word_pointer(header) = dict.clone().into_value().into_word();
    }
    header.set_flag(object_flags::DICT_MODE);
    header.set_shape_id(header.ty().dict_mode_shape());
    dict
}

/// Whether the object has instance attributes, or a `__dict__` with items.
pub fn has_any(header: &Header) -> bool {
    if !header.ty().has_dict() {
        return false;
    }
    match materialized(header) {
        Some(dict) => dict.len() > 0,
        None => !shape::of(header).names.is_empty(),
    }
}

/// Replaces the object's `__dict__`.
pub fn set_dictionary(header: &Header, dict: Ref<Dict>) {
    let old = dictionary(header);
    // SAFETY: in dictionary mode the word owns a reference to a dict; the old reference is dropped last.
    unsafe { drop(Value::from_word(std::mem::replace(&mut *word_pointer(header), dict.into_value().into_word()))) };
    drop(old);
}

unsafe fn free_overflow(header: &Header) {
    // SAFETY: not in dictionary mode, so the word is 0 or an overflow array whose values have moved out.
    unsafe {
        let word = word_pointer(header);
        let array = std::mem::replace(&mut *word, 0) as *mut u64;
        if !array.is_null() {
            std::alloc::dealloc(array.cast(), overflow_layout(*array as usize));
        }
    }
}

/// Visits the attribute values (in slots or through the dict) and the `__slots__` members.
///
/// # Safety
/// The world stands still.
pub unsafe fn traverse(header: &Header, visit: Visitor) {
    // SAFETY: by contract nothing changes meanwhile.
    unsafe {
        for_each_member(header, &mut |word| {
            if *word != 0 {
                visit(Value::borrow_word(&*word));
            }
        });
        if !header.ty().has_dict() {
            return;
        }
        if header.has_flag(object_flags::DICT_MODE) {
            visit(Value::borrow_word(&*word_pointer(header)));
            return;
        }
        let shape = shape::of(header);
        for slot in 0..shape.names.len() as u16 {
            let word = slot_pointer(header, slot, shape.capacity);
            if *word != 0 {
                visit(Value::borrow_word(&*word));
            }
        }
    }
}

/// Where a `__slots__` member is.
///
/// # Safety
/// The object is an instance of the class that has the member.
pub unsafe fn member_pointer(header: &Header, offset: u32) -> *mut u64 {
    let base = header as *const Header as *mut u8;
    // SAFETY: by contract the word is there.
    unsafe {
        if offset & FROM_END == 0 {
            base.add(offset as usize).cast()
        } else {
            let size = crate::heap::usable_size(NonNull::new_unchecked(base));
            base.add(size - (offset & !FROM_END) as usize).cast()
        }
    }
}

/// Calls `f` with the location of every `__slots__` member of the object.
unsafe fn for_each_member(header: &Header, f: &mut dyn FnMut(*mut u64)) {
    let mut next = Some(header.ty());
    while let Some(ty) = next.filter(|ty| ty.is_heap_type()) {
        // SAFETY: `slot_members` is complete once the type exists and does not change.
        unsafe {
            for (_, offset) in &*ty.slot_members.as_ptr() {
                f(member_pointer(header, *offset));
            }
        }
        next = ty.base();
    }
}

/// Drops all attributes, `__slots__` members first, in CPython's order.
///
/// # Safety
/// The object is an instance of a heap type.
pub unsafe fn clear(header: &Header) {
    // SAFETY: each word owns its value and is zeroed before the value is dropped.
    unsafe {
        for_each_member(header, &mut |word| {
            let old = std::mem::replace(&mut *word, 0);
            if old != 0 {
                drop(Value::from_word(old));
            }
        });
        if !header.ty().has_dict() {
            return;
        }
        if header.has_flag(object_flags::DICT_MODE) {
            if let Some(dict) = materialized(header) {
                // Besides the object's reference there is the one just made.
                if crate::count::refcount(&dict.header) == 2 {
                    dict.clear_items();
                } else {
                    set_dictionary(header, Dict::new());
                }
            }
            return;
        }
        let shape = shape::of(header);
        for slot in 0..shape.names.len() as u16 {
            // The object may have gone to dictionary mode in a destructor.
            if header.has_flag(object_flags::DICT_MODE) {
                break;
            }
            let old = std::mem::replace(&mut *slot_pointer(header, slot, shape.capacity), 0);
            if old != 0 {
                drop(Value::from_word(old));
            }
        }
    }
}

/// As [`clear`], and frees what the attributes word owns.
///
/// # Safety
/// The object is being deallocated.
pub(crate) unsafe fn clear_for_dealloc(header: &Header) {
    // SAFETY: nobody else refers to the object.
    unsafe {
        if header.ty().has_dict() && header.has_flag(object_flags::DICT_MODE) {
            for_each_member(header, &mut |word| {
                let old = std::mem::replace(&mut *word, 0);
                if old != 0 {
                    drop(Value::from_word(old));
                }
            });
            let word = std::mem::replace(&mut *word_pointer(header), 0);
            header.clear_flag(object_flags::DICT_MODE);
            drop(Value::from_word(word));
            return;
        }
        clear(header);
        if header.ty().has_dict() {
            free_overflow(header);
        }
    }
}
