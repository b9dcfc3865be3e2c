//! Typed references and the life of an object: allocation and deallocation.
//!
//! Layout of an instance: the payload `T` of the base built-in type (which starts with [`Header`]), then
//! `__slots__` members, then, if instances have attributes, the *attributes word* and the in-object slots
//! (`attributes.rs`). Variable-sized payloads (tuple, str, bytes) carry the attributes word at the end of their block.

use crate::attributes;
use crate::count;
use crate::header::{Header, object_flags};
use crate::heap::{self, Kind};
use crate::types::slots::Finalize;
use crate::types::{Type, slot_dispatch};
use crate::value::Value;
use crate::vm::{Raised, Vm};
use std::marker::PhantomData;
use std::ops::Deref;
use std::ptr::NonNull;

/// What the collector calls for every reference an object owns.
pub type Visitor<'a> = &'a mut dyn FnMut(&Value);

/// A Rust struct that is the layout of a built-in type.
///
/// # Safety
/// `Self` is `#[repr(C)]` with a [`Header`] as first field; `static_type()`'s instances have this layout, and so have those
/// of all types with `SUBCLASS_FLAG`; `traverse` visits each `Value` that the payload owns exactly once.
pub unsafe trait Payload: Sized + 'static {
    /// Whether instances can be part of reference cycles.
    const KIND: Kind;
    /// The flag that the type has and all its subclasses inherit, if there is one: it tells instances faster than the MRO.
    const SUBCLASS_FLAG: u64 = 0;
    fn static_type() -> &'static Type;
    /// Visits every owned reference.
    fn traverse(&self, _visit: Visitor) {}
    /// Drops the references that can close a cycle (the collector's `tp_clear`).
    fn clear(&self) {}
    /// Whether the type's finaliser, if it has one, would do anything to this object, which is about to be deallocated.
    #[inline(always)]
    fn has_to_be_finalized(&self) -> bool {
        true
    }
}

/// An owned reference to an object known to have the layout `T`.
#[repr(transparent)]
pub struct Ref<T: Payload>(Value, PhantomData<*const T>);

// SAFETY: as for `Value`.
unsafe impl<T: Payload> Send for Ref<T> {}
// SAFETY: as for `Value`.
unsafe impl<T: Payload> Sync for Ref<T> {}

impl<T: Payload> Ref<T> {
    /// Allocates an exact instance of `T`'s type. Aborts the operation with `None` when memory is exhausted.
    #[inline]
    pub fn try_new(payload: T) -> Option<Ref<T>> {
        const { assert!(align_of::<T>() <= 8, "objects are aligned to 8 bytes") };
        let pointer = allocate_exact::<T>()?;
        // SAFETY: freshly allocated with room for a `T`, which begins with the header.
        unsafe {
            pointer.as_ptr().write(payload);
            Some(Ref(Value::from_object_pointer(pointer.cast()), PhantomData))
        }
    }

    /// As [`Ref::try_new`], for objects of the runtime itself; uses the emergency reserve when memory is exhausted.
    #[inline]
    pub fn new(payload: T) -> Ref<T> {
        match Self::try_new(payload) {
            Some(object) => object,
            None => heap::out_of_memory(),
        }
    }

    /// As [`Ref::new`], for a payload that is made when there is a place for it: so it is written there, and nowhere else
    /// before.
    #[inline(always)]
    pub fn new_with(make: impl FnOnce() -> T) -> Ref<T> {
        const { assert!(align_of::<T>() <= 8, "objects are aligned to 8 bytes") };
        let Some(pointer) = allocate_exact::<T>() else { heap::out_of_memory() };
        // SAFETY: room for a `T`.
        unsafe {
            pointer.as_ptr().write(make());
            Ref(Value::from_object_pointer(pointer.cast()), PhantomData)
        }
    }

    /// Allocates an instance of `ty`, a subclass of `T`'s type (or that type itself). `payload` must have been
    /// built with `Header::new(ty)`.
    pub fn new_with_type(ty: &Type, payload: T) -> Ref<T> {
        debug_assert!(ty.is_subtype(T::static_type()));
        Self::new_with_type_unchecked(ty, payload)
    }

    /// As [`Ref::new_with_type`], for layouts that several built-in types share: `ty`'s base layout is `T`.
    pub fn new_with_type_unchecked(ty: &Type, payload: T) -> Ref<T> {
        const { assert!(align_of::<T>() <= 8, "objects are aligned to 8 bytes") };
        let size = ty.instance_size().max(size_of::<T>());
        let Some(pointer) = allocate(ty, size) else { heap::out_of_memory() };
        let pointer = pointer.cast::<T>();
        // SAFETY: room for a `T` and the zeroed rest.
        unsafe {
            pointer.as_ptr().write(payload);
            let tail = pointer.as_ptr().add(1).cast::<u8>();
            tail.write_bytes(0, size - size_of::<T>());
            ty.note_instance();
            Ref(Value::from_object_pointer(pointer.cast()), PhantomData)
        }
    }

    /// Allocates an instance of `ty`, a built-in type of fixed size declared with the layout `T` but not derived from
    /// `T`'s own type. `payload` must have been built with `Header::new(ty)`.
    pub fn new_sibling(ty: &'static Type, payload: T) -> Ref<T> {
        const { assert!(align_of::<T>() <= 16, "objects are aligned to 16 bytes at most") };
        debug_assert!(!ty.is_heap_type() && ty.spec.is_some_and(|spec| spec.basicsize == size_of::<T>()));
        let size = if align_of::<T>() > 8 { heap::size_with_alignment_16(size_of::<T>()) } else { size_of::<T>() };
        let Some(pointer) = allocate(ty, size) else { heap::out_of_memory() };
        let pointer = pointer.cast::<T>();
        // SAFETY: room for a `T`.
        unsafe {
            pointer.as_ptr().write(payload);
            Ref(Value::from_object_pointer(pointer.cast()), PhantomData)
        }
    }

    /// # Safety
    /// `value` is an instance of `T`'s type or a subclass.
    #[inline(always)]
    pub unsafe fn from_value_unchecked(value: Value) -> Ref<T> {
        Ref(value, PhantomData)
    }

    #[inline(always)]
    pub fn as_value(&self) -> &Value {
        &self.0
    }
    #[inline(always)]
    pub fn into_value(self) -> Value {
        self.0
    }
}

impl<T: Payload> Deref for Ref<T> {
    type Target = T;
    #[inline(always)]
    fn deref(&self) -> &T {
        // SAFETY: `Ref`s are made only of values with this layout.
        unsafe { &*(self.0.word() as *const T) }
    }
}
impl<T: Payload> Clone for Ref<T> {
    #[inline(always)]
    fn clone(&self) -> Self {
        Ref(self.0.clone(), PhantomData)
    }
}
impl<T: Payload> From<Ref<T>> for Value {
    #[inline(always)]
    fn from(object: Ref<T>) -> Value {
        object.0
    }
}
impl<T: Payload> std::fmt::Debug for Ref<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

/// A new reference to the object that `payload` borrows.
#[inline(always)]
pub fn to_value<T: Payload>(payload: &T) -> Value {
    let pointer = payload as *const T as *mut Header;
    // SAFETY: payloads live only inside objects (they are built and written in one step); the borrow proves it alive.
    unsafe {
        count::incref(pointer);
        Value::from_object_pointer(NonNull::new_unchecked(pointer))
    }
}

/// A new typed reference to the object that `payload` borrows.
#[inline(always)]
pub fn to_ref<T: Payload>(payload: &T) -> Ref<T> {
    Ref(to_value(payload), PhantomData)
}

/// Memory for an instance of `ty` of `size` bytes, header not yet written, shape set. `None` only for large ones, or when the
/// reserve is used up too.
#[inline]
pub fn allocate(ty: &Type, size: usize) -> Option<NonNull<u8>> {
    let kind = if ty.is_container() { Kind::Container } else { Kind::Leaf };
    match heap::allocate(size, kind) {
        Some(pointer) => Some(prepared(ty, pointer)),
        None if size > heap::LARGEST_EMERGENCY => None,
        // The reserve raises `MemoryError` at the next safepoint.
        None => heap::allocate_from_reserve(size, kind).map(|pointer| prepared(ty, pointer)),
    }
}

/// A block for an exact instance of `T`'s type, as from [`allocate`].
#[inline(always)]
fn allocate_exact<T: Payload>() -> Option<NonNull<T>> {
    let ty = T::static_type();
    debug_assert!(!ty.is_heap_type() && ty.is_container() == (T::KIND == Kind::Container));
    let Some(pointer) = heap::allocate(size_of::<T>(), T::KIND) else {
        return allocate(ty, size_of::<T>()).map(NonNull::cast);
    };
    #[cfg(feature = "stats")]
    crate::stats::instance(ty);
    // SAFETY: the private word is before every block.
    unsafe { (*pointer.as_ptr().cast::<Header>()).set_shape_id(ty.root_shape()) };
    Some(pointer.cast())
}

/// As [`allocate`], without recourse to the reserve: for sizes that Python code chose.
#[inline]
pub fn try_allocate(ty: &Type, size: usize) -> Option<NonNull<u8>> {
    let kind = if ty.is_container() { Kind::Container } else { Kind::Leaf };
    heap::allocate(size, kind).map(|pointer| prepared(ty, pointer))
}

#[inline]
fn prepared(ty: &Type, pointer: NonNull<u8>) -> NonNull<u8> {
    #[cfg(feature = "stats")]
    crate::stats::instance(ty);
    // SAFETY: the private word is before every block.
    unsafe { (*pointer.as_ptr().cast::<Header>()).set_shape_id(ty.root_shape()) };
    if ty.is_heap_type() {
        // SAFETY: every instance of a heap type owns a reference to it.
        unsafe { count::incref(ty as *const Type as *mut Header) };
    }
    pointer
}

/// `tp_dealloc` of every type whose base layout is `T`.
///
/// # Safety
/// The count of `object`, an instance with layout `T`, is zero.
pub unsafe fn deallocate<T: Payload>(object: *mut Header) {
    // SAFETY: by contract the object is whole until `drop_in_place`.
    unsafe {
        let header = &*object;
        if header.ty().needs_finalize() && (*object.cast::<T>()).has_to_be_finalized() && !finalize(header) {
            return;
        }
        // The finaliser may have assigned `__class__`.
        let ty: *const Type = header.ty();
        let heap_type = (*ty).is_heap_type();
        if header.has_flag(object_flags::HAS_WEAKREFS) {
            count::revive(header);
            crate::weakref::clear_references(header);
            count::end_revival(header);
        }
        if heap_type || (*ty).has_dict() {
            attributes::clear_for_dealloc(header);
        }
        std::ptr::drop_in_place(object.cast::<T>());
        heap::free(NonNull::new_unchecked(object.cast()));
        if heap_type {
            count::decref(ty as *mut Header);
        }
    }
}

/// Runs the finaliser once; false if it resurrected the object, or the deallocation was put off.
///
/// # Safety
/// The count of the object is zero.
unsafe fn finalize(header: &Header) -> bool {
    if header.has_flag(object_flags::FINALIZED) {
        return true;
    }
    let Some(finalizer) = header.ty().slots().finalize else { return true };
    // A `__del__` without room for it is told so; others are to come when there is room.
    if !std::ptr::fn_addr_eq(finalizer, slot_dispatch::finalize as Finalize)
        && count::put_off(header as *const Header as *mut Header)
    {
        return false;
    }
    header.set_flag(object_flags::FINALIZED);
    count::revive(header);
    {
        // SAFETY: alive again, with one reference: the one made here, which is dropped by hand below.
        let object = std::mem::ManuallyDrop::new(unsafe {
            Value::from_object_pointer(NonNull::new_unchecked(header as *const Header as *mut Header))
        });
        count::running_python(|| Vm::with_current(|vm| vm.preserving_exception(|vm| finalizer(vm, &object))));
    }
    count::end_revival(header)
}

/// `tp_traverse` of every type whose base layout is `T`.
///
/// # Safety
/// `object` is a live instance with layout `T`.
pub unsafe fn traverse<T: Payload>(object: *mut Header, visit: Visitor) {
    // SAFETY: by contract.
    unsafe {
        let header = &*object;
        (*object.cast::<T>()).traverse(visit);
        if header.ty().is_heap_type() || header.ty().has_dict() {
            attributes::traverse(header, visit);
        }
        if header.ty().is_heap_type() {
            visit(&std::mem::ManuallyDrop::new(Value::from_object_pointer(NonNull::new_unchecked(header.ty()
                as *const Type
                as *mut Header))));
        }
    }
}

/// `tp_clear` of every type whose base layout is `T`.
///
/// # Safety
/// `object` is a live instance with layout `T`.
pub unsafe fn clear<T: Payload>(object: *mut Header) {
    // SAFETY: by contract.
    unsafe {
        (*object.cast::<T>()).clear();
        if (*object).ty().is_heap_type() || (*object).ty().has_dict() {
            attributes::clear(&*object);
        }
    }
}

/// The result of anything that can raise.
pub type Result<T = Value> = std::result::Result<T, Raised>;
