//! `tuple`: representation; methods are in `tuple/`.

use crate::header::Header;
use crate::heap::{self, Kind};
use crate::object::{Payload, Ref, Visitor, allocate};
use crate::types::{Type, TypeSpec, type_flags};
use crate::value::Value;
use std::sync::atomic::AtomicI64;

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
    fn static_type() -> &'static Type {
        TUPLE.ty()
    }
    fn traverse(&self, visit: Visitor) {
        self.as_slice().iter().for_each(visit);
    }
}

pub static TUPLE: TypeSpec = TypeSpec::new::<Tuple>("tuple")
    .doc(
        "Built-in immutable sequence.\n\nIf no argument is given, the constructor returns an empty tuple.\nIf iterable is \
         specified the tuple is initialized from iterable's items.\n\nIf the argument is a tuple, the return value is the \
         same object.",
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

pub mod methods;

impl Tuple {
    /// An instance of `ty` (tuple or a subclass) with these items.
    pub fn new_with_type(ty: &Type, items: impl ExactSizeIterator<Item = Value>) -> Ref<Tuple> {
        let length = items.len();
        let tail = if ty.has_dict() { 16 } else { 0 };
        let bytes = length.checked_mul(8).and_then(|n| n.checked_add(size_of::<Tuple>() + tail));
        let Some(pointer) = bytes.and_then(|bytes| allocate(ty, bytes)) else { heap::out_of_memory() };
        let pointer = pointer.cast::<Tuple>();
        // SAFETY: freshly allocated with room for the items; the attributes word of subclasses is zeroed.
        unsafe {
            pointer.as_ptr().write(Tuple { header: Header::new(ty), length, hash: AtomicI64::new(-1) });
            let data = pointer.as_ptr().add(1).cast::<Value>();
            for (i, item) in items.enumerate() {
                data.add(i).write(item);
            }
            if tail != 0 {
                let size = heap::usable_size(pointer.cast());
                pointer.as_ptr().cast::<u8>().add(size - 8).cast::<u64>().write(0);
            }
            Ref::from_value_unchecked(Value::from_object_pointer(pointer.cast()))
        }
    }

    pub fn from_vec(items: Vec<Value>) -> Ref<Tuple> {
        if items.is_empty() {
            return empty();
        }
        Self::new_with_type(TUPLE.ty(), items.into_iter())
    }

    pub fn from_slice(items: &[Value]) -> Ref<Tuple> {
        if items.is_empty() {
            return empty();
        }
        Self::new_with_type(TUPLE.ty(), items.iter().cloned())
    }

    pub fn len(&self) -> usize {
        self.length
    }

    #[inline(always)]
    pub fn as_slice(&self) -> &[Value] {
        // SAFETY: `length` initialised values follow the struct.
        unsafe { std::slice::from_raw_parts((self as *const Tuple).add(1).cast::<Value>(), self.length) }
    }
}

/// Items follow the struct, so they are dropped with it.
impl Drop for Tuple {
    fn drop(&mut self) {
        // SAFETY: the items are initialised and dropped nowhere else.
        unsafe {
            let data = (self as *mut Tuple).add(1).cast::<Value>();
            std::ptr::drop_in_place(std::ptr::slice_from_raw_parts_mut(data, self.length));
        }
    }
}

fn empty() -> Ref<Tuple> {
    static EMPTY: std::sync::OnceLock<Ref<Tuple>> = std::sync::OnceLock::new();
    EMPTY
        .get_or_init(|| {
            let tuple = Tuple::new_with_type(TUPLE.ty(), std::iter::empty());
            tuple.header.make_immortal();
            tuple
        })
        .clone()
}
