//! `tuple`: representation; methods and the iterator are in `tuple/`.

use crate::builtins::slice::SliceIndices;
use crate::cell::{ObjectCell, is_parallel};
use crate::header::Header;
use crate::heap::{self, Kind};
use crate::object::{Payload, Ref, Result, Visitor, allocate};
use crate::types::{Type, TypeSpec, type_flags};
use crate::value::Value;
use crate::vm::Vm;
use std::sync::atomic::AtomicI64;
use std::sync::atomic::Ordering::Relaxed;

/// A tuple. `length` values follow the struct.
#[repr(C)]
pub struct Tuple {
    pub header: Header,
    length: usize,
    /// −1: not computed.
    pub(crate) hash: AtomicI64,
}

// SAFETY: repr(C), header first, visits each item.
unsafe impl Payload for Tuple {
    const KIND: Kind = Kind::Container;
    const SUBCLASS_FLAG: u64 = type_flags::TUPLE_SUBCLASS;
    fn static_type() -> &'static Type {
        TUPLE.ty()
    }
    fn traverse(&self, visit: Visitor) {
        self.as_slice().iter().rev().for_each(visit);
    }
}

pub static TUPLE: TypeSpec = TypeSpec::new::<Tuple>("tuple")
    .doc(
        "tuple(iterable=(), /)\n\
         --\n\n\
         An immutable sequence.\n\n\
         It has the items of the iterable; without one it is empty.\n\n\
         A tuple as the argument is returned as it is.",
    )
    .flags(
        type_flags::BASETYPE
            | type_flags::TUPLE_SUBCLASS
            | type_flags::MATCH_SELF
            | type_flags::SEQUENCE
            | type_flags::VAR_SIZED,
    )
    .itemsize(8)
    .slots(methods::slots)
    .methods(methods::METHODS);

mod hash;
pub mod iterator;
pub mod methods;

pub use hash::ItemHash;

impl Tuple {
    /// An instance of `ty` (tuple or a subclass) with these items. `items` must not run Python code. Without memory for
    /// them it is empty, and `MemoryError` is raised at the next safepoint.
    #[inline]
    pub fn new_with_type(ty: &Type, items: impl ExactSizeIterator<Item = Value>) -> Ref<Tuple> {
        match Self::try_new_with_type(ty, items) {
            Some(tuple) => tuple,
            None => Self::exhausted(ty),
        }
    }

    #[cold]
    fn exhausted(ty: &Type) -> Ref<Tuple> {
        heap::signal_exhausted();
        let Some(empty) = Self::try_new_with_type(ty, std::iter::empty()) else { heap::out_of_memory() };
        empty
    }

    /// As [`Tuple::new_with_type`]; `None` when there is no memory for that many items.
    #[inline]
    pub fn try_new_with_type(ty: &Type, items: impl ExactSizeIterator<Item = Value>) -> Option<Ref<Tuple>> {
        let length = items.len();
        if length > isize::MAX as usize / 16 {
            return None;
        }
        let tail = if ty.has_dict() { 16 } else { 0 };
        let pointer = allocate(ty, size_of::<Tuple>() + length * 8 + tail)?.cast::<Tuple>();
        // SAFETY: freshly allocated with room for the items; the attributes word of subclasses is zeroed.
        unsafe {
            pointer.as_ptr().write(Tuple { header: Header::new(ty), length, hash: AtomicI64::new(-1) });
            let data = pointer.as_ptr().add(1).cast::<Value>();
            let mut written = 0;
            for item in items.take(length) {
                data.add(written).write(item);
                written += 1;
            }
            assert!(written == length, "an exact iterator yields as many items as it says");
            if tail != 0 {
                let size = heap::usable_size(pointer.cast());
                pointer.as_ptr().cast::<u8>().add(size - 8).cast::<u64>().write(0);
            }
            Some(Ref::from_value_unchecked(Value::from_object_pointer(pointer.cast())))
        }
    }

    /// As many items as the caller has: `MemoryError` when they are too many.
    pub fn try_from_vec(vm: &Vm, items: Vec<Value>) -> Result<Ref<Tuple>> {
        if items.is_empty() {
            return Ok(empty());
        }
        Self::try_new_with_type(TUPLE.ty(), items.into_iter()).ok_or_else(|| vm.memory_error())
    }

    pub fn from_vec(items: Vec<Value>) -> Ref<Tuple> {
        if items.is_empty() {
            return empty();
        }
        Self::new_with_type(TUPLE.ty(), items.into_iter())
    }

    /// A tuple of a fixed number of items, at least one. The items go one by one from where they are into the tuple:
    /// as an array they would be written to memory and read back in larger pieces, which waits for the writes.
    #[inline(always)]
    pub fn from_array<const N: usize>(items: [Value; N]) -> Ref<Tuple> {
        const { assert!(N > 0) };
        let tuple = Self::blank(N);
        // SAFETY: a new tuple with room for as many items, which move there.
        unsafe {
            let data = (&raw const *tuple).add(1).cast_mut().cast::<u64>();
            for (at, item) in items.into_iter().enumerate() {
                data.add(at).write(item.into_word());
            }
        }
        tuple
    }

    /// A tuple whose items are not written yet.
    #[inline(never)]
    fn blank(length: usize) -> Ref<Tuple> {
        let ty = TUPLE.ty();
        let Some(pointer) = allocate(ty, size_of::<Tuple>() + length * 8) else { heap::out_of_memory() };
        let pointer = pointer.cast::<Tuple>();
        // SAFETY: room for the tuple; the caller writes the items before anything else happens.
        unsafe {
            pointer.as_ptr().write(Tuple { header: Header::new(ty), length, hash: AtomicI64::new(-1) });
            Ref::from_value_unchecked(Value::from_object_pointer(pointer.cast()))
        }
    }

    pub fn from_slice(items: &[Value]) -> Ref<Tuple> {
        if items.is_empty() {
            return empty();
        }
        match Self::try_from_slice(items) {
            Some(tuple) => tuple,
            None => Self::exhausted(TUPLE.ty()),
        }
    }

    /// A tuple of these items, at least one; `None` when there is no memory for it.
    #[inline]
    pub fn try_from_slice(items: &[Value]) -> Option<Ref<Tuple>> {
        let (ty, length) = (TUPLE.ty(), items.len());
        let pointer = allocate(ty, size_of::<Tuple>() + length * 8)?.cast::<Tuple>();
        // SAFETY: freshly allocated with room for the items.
        unsafe {
            pointer.as_ptr().write(Tuple { header: Header::new(ty), length, hash: AtomicI64::new(-1) });
            let data = pointer.as_ptr().add(1).cast::<u64>();
            for (at, item) in items.iter().enumerate() {
                data.add(at).write(item.clone().into_word());
            }
            Some(Ref::from_value_unchecked(Value::from_object_pointer(pointer.cast())))
        }
    }

    /// The item at an index that may be negative.
    #[inline(always)]
    pub fn get_item_i64(&self, index: i64) -> Option<&Value> {
        let index = if index < 0 { index.wrapping_add(self.length as i64) } else { index };
        self.as_slice().get(index as usize)
    }

    /// `self[start:stop:step]`: an exact tuple, `this` itself if it is one and all of it is asked for.
    pub fn get_slice(&self, this: &Value, indices: SliceIndices) -> Value {
        if indices.step == 1 && indices.count == self.length && this.downcast_exact::<Tuple>().is_some() {
            return this.clone();
        }
        if indices.count == 0 {
            return empty().into_value();
        }
        let items = self.as_slice();
        Self::new_with_type(TUPLE.ty(), indices.positions().map(|at| items[at].clone())).into_value()
    }

    /// Gives a tuple that was made to be referred to early its items, as many as it has.
    ///
    /// # Safety
    /// No slice of the tuple's items is borrowed.
    pub unsafe fn fill(&self, items: Vec<Value>) {
        assert!(items.len() == self.length, "a tuple keeps its length");
        let data = (self as *const Tuple as *mut Tuple).wrapping_add(1).cast::<Value>();
        // SAFETY: `length` initialised values follow the struct, and by contract nobody looks at them now.
        let old: Vec<Value> =
            items.into_iter().enumerate().map(|(at, item)| unsafe { data.add(at).replace(item) }).collect();
        self.hash.store(-1, std::sync::atomic::Ordering::Relaxed);
        drop(old);
    }

    #[inline(always)]
    pub fn len(&self) -> usize {
        self.length
    }

    #[inline(always)]
    pub fn as_slice(&self) -> &[Value] {
        // SAFETY: `length` initialised values follow the struct.
        unsafe { std::slice::from_raw_parts((self as *const Tuple).add(1).cast::<Value>(), self.length) }
    }
}

/// The pair that an iterator yields: the same tuple again and again, with other items, while nobody else keeps it. CPython
/// has this, too, so that identities are as there.
pub struct ReusedPair(ObjectCell<Option<Ref<Tuple>>>);

impl ReusedPair {
    #[inline(always)]
    pub const fn new() -> ReusedPair {
        ReusedPair(ObjectCell::new(None))
    }

    /// `(first, second)`. What the pair held before is dropped, which may run Python code.
    #[inline(always)]
    pub fn make(&self, first: Value, second: Value) -> Value {
        // SAFETY: not in parallel, so the GIL serialises, and nothing else borrows the cell meanwhile.
        if !is_parallel()
            && let Some(tuple) = unsafe { &*self.0.as_ptr() }
            && tuple.is_only_reference()
        {
            let pair = tuple.clone();
            let data = (&raw const *pair).wrapping_add(1).cast_mut().cast::<Value>();
            // SAFETY: a tuple of two items that nobody else refers to.
            let (old_first, old_second) = unsafe { (data.replace(first), data.add(1).replace(second)) };
            pair.hash.store(-1, Relaxed);
            drop((old_first, old_second));
            return pair.into_value();
        }
        self.make_new(first, second)
    }

    /// The items of the pair that [`ReusedPair::make`] would give and that is taken apart at once. As there, the iterator keeps
    /// them until it is asked for the next pair: their counts and the time of their end show it.
    #[inline(always)]
    pub fn keep(&self, first: Value, second: Value) -> (Value, Value) {
        let items = (first.clone(), second.clone());
        // SAFETY: as in `make`.
        if !is_parallel()
            && let Some(tuple) = unsafe { &*self.0.as_ptr() }
            && tuple.is_only_reference()
        {
            let data = (&raw const **tuple).wrapping_add(1).cast_mut().cast::<Value>();
            // SAFETY: a tuple of two items that nobody else refers to.
            let (old_first, old_second) = unsafe { (data.replace(first), data.add(1).replace(second)) };
            tuple.hash.store(-1, Relaxed);
            drop((old_first, old_second));
        } else {
            drop(self.make_new(first, second));
        }
        items
    }

    #[inline(never)]
    fn make_new(&self, first: Value, second: Value) -> Value {
        let pair = Tuple::from_array([first, second]);
        if !is_parallel() {
            // SAFETY: as in `make`.
            let kept = unsafe { &mut *self.0.as_ptr() };
            if kept.is_none() {
                *kept = Some(pair.clone());
            }
        }
        pair.into_value()
    }

    /// A tuple of any number of items, as many each time and at least one.
    pub fn make_of(&self, items: impl ExactSizeIterator<Item = Value>) -> Value {
        // SAFETY: as in `make`; nothing below re-enters before the tuple is complete.
        let kept = unsafe { &*self.0.as_ptr() };
        if !is_parallel()
            && let Some(tuple) = kept
            && tuple.is_only_reference()
            && tuple.len() == items.len()
        {
            let tuple = tuple.clone();
            let data = (&raw const *tuple).wrapping_add(1).cast_mut().cast::<Value>();
            for (at, item) in items.enumerate().take(tuple.len()) {
                // SAFETY: below the length. Nobody else refers to the tuple, so no slice of it is borrowed, and code
                // that the drop runs finds it in use.
                drop(unsafe { data.add(at).replace(item) });
            }
            tuple.hash.store(-1, Relaxed);
            return tuple.into_value();
        }
        let tuple = Tuple::new_with_type(TUPLE.ty(), items);
        if kept.is_none() && !is_parallel() {
            // SAFETY: as in `make`; there is nothing to drop.
            unsafe { *self.0.as_ptr() = Some(tuple.clone()) };
        }
        tuple.into_value()
    }

    pub fn traverse(&self, visit: Visitor) {
        // SAFETY: the collector has stopped the world.
        if let Some(pair) = unsafe { &*self.0.as_ptr() } {
            visit(pair.as_value());
        }
    }

    /// Gives up the pair.
    pub fn clear(&self) {
        // SAFETY: as in `make`; the pair is dropped when the cell is empty.
        drop(unsafe { (*self.0.as_ptr()).take() });
    }
}

impl Tuple {
    /// Whether the one reference that the caller has is the only one, and counted by this thread.
    #[inline(always)]
    fn is_only_reference(&self) -> bool {
        crate::count::is_only_reference(&self.header)
    }
}

/// Items follow the struct, so they are dropped with it: the last one first, as CPython does.
impl Drop for Tuple {
    fn drop(&mut self) {
        // SAFETY: the items are initialised and dropped nowhere else.
        unsafe {
            let data = (self as *mut Tuple).add(1).cast::<Value>();
            for at in (0..self.length).rev() {
                std::ptr::drop_in_place(data.add(at));
            }
        }
    }
}

/// `()`
pub fn empty() -> Ref<Tuple> {
    static EMPTY: std::sync::OnceLock<Ref<Tuple>> = std::sync::OnceLock::new();
    EMPTY
        .get_or_init(|| {
            let tuple = Tuple::new_with_type(TUPLE.ty(), std::iter::empty());
            tuple.header.make_immortal();
            tuple
        })
        .clone()
}
