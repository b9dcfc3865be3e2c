//! `bytes`: representation and construction; `bytes/` has the slots and what `bytes` and `bytearray` have in common.

use crate::header::Header;
use crate::heap::{self, Kind};
use crate::object::{Payload, Ref, Result, try_allocate};
use crate::types::{Type, TypeSpec, type_flags};
use crate::value::Value;
use crate::vm::Vm;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicI64, AtomicU8, Ordering::Relaxed};

pub(crate) mod compare;
pub mod construct;
pub mod convert;
pub mod hex;
pub mod iterator;
pub mod methods;
pub(crate) mod percent;
pub(crate) mod repr;
pub(crate) mod search;
pub(crate) mod split;
pub(crate) mod subscript;
pub(crate) mod transform;
pub(crate) mod view;

pub use convert::object_to_bytes;

/// A byte string. `length` bytes and a zero follow the struct.
#[repr(C)]
pub struct Bytes {
    pub header: Header,
    length: usize,
    /// −1: not computed.
    hash: AtomicI64,
}

// SAFETY: repr(C), header first, no references.
unsafe impl Payload for Bytes {
    const KIND: Kind = Kind::Leaf;
    const SUBCLASS_FLAG: u64 = type_flags::BYTES_SUBCLASS;
    fn static_type() -> &'static Type {
        BYTES.ty()
    }
}

pub static BYTES: TypeSpec = TypeSpec::new::<Bytes>("bytes")
    .doc(
        "bytes(iterable_of_ints) -> bytes\n\
         bytes(string, encoding[, errors]) -> bytes\n\
         bytes(bytes_or_buffer) -> bytes\n\
         bytes(int) -> bytes\n\
         bytes() -> bytes\n\n\
         An immutable sequence of bytes, which are integers from 0 to 255.\n\n\
         The content may be given as such integers, as a string to be encoded,\n\
         or as an object that supports the buffer protocol; a single integer is\n\
         a number of zero bytes.  It is empty by default.",
    )
    .flags(type_flags::BASETYPE | type_flags::BYTES_SUBCLASS | type_flags::MATCH_SELF | type_flags::VAR_SIZED)
    .itemsize(1)
    .slots(methods::slots)
    .methods(methods::METHODS);

/// `-b`: 0, 1 (warn) or 2 (error) when bytes are compared with or converted to str.
pub static BYTES_WARNING: AtomicU8 = AtomicU8::new(0);

impl Bytes {
    /// Room for `length` bytes, still undefined; `None` when there is no memory for them.
    fn allocate(ty: &Type, length: usize) -> Option<Ref<Bytes>> {
        let tail = if ty.has_dict() { 16 } else { 0 };
        let size = length.checked_add(size_of::<Bytes>() + 1 + tail)?;
        let pointer = try_allocate(ty, size)?.cast::<Bytes>();
        // SAFETY: freshly allocated; the terminating zero and the attributes word of subclasses are written here.
        unsafe {
            pointer.as_ptr().write(Bytes { header: Header::new(ty), length, hash: AtomicI64::new(-1) });
            pointer.as_ptr().add(1).cast::<u8>().add(length).write(0);
            if tail != 0 {
                let size = heap::usable_size(pointer.cast());
                pointer.as_ptr().cast::<u8>().add(size - 8).cast::<u64>().write(0);
            }
            Some(Ref::from_value_unchecked(Value::from_object_pointer(pointer.cast())))
        }
    }

    /// An instance of `ty` (bytes or a subclass) whose `length` bytes `fill` writes.
    pub fn build(vm: &Vm, ty: &Type, length: usize, fill: impl FnOnce(&mut [u8])) -> Result {
        let exact = std::ptr::eq(ty, BYTES.ty());
        if exact && length <= 1 {
            let mut data = [0];
            fill(&mut data[..length]);
            return Ok(single_or_empty(if length == 1 { Some(data[0]) } else { None }));
        }
        Self::build_unshared(vm, ty, length, fill)
    }

    /// As [`build`](Self::build), and a new object however short it is.
    pub(crate) fn build_unshared(vm: &Vm, ty: &Type, length: usize, fill: impl FnOnce(&mut [u8])) -> Result {
        let Some(bytes) = Self::allocate(ty, length) else { return Err(vm.memory_error()) };
        // SAFETY: the block has room for the bytes, nobody else sees it yet, and zeroed memory is initialised.
        unsafe {
            let data = (&raw const *bytes).add(1).cast_mut().cast::<u8>();
            data.write_bytes(0, length);
            fill(std::slice::from_raw_parts_mut(data, length));
        }
        Ok(bytes.into_value())
    }

    /// An exact bytes object of what `fill` writes into room for `most` bytes, or what it raises. Unless most of the room
    /// stays unused, the object keeps it.
    ///
    /// # Safety
    /// `fill` is given the room and says how many bytes of it it has initialised, at most `most`.
    pub unsafe fn filled(vm: &Vm, most: usize, fill: impl FnOnce(*mut u8) -> Result<usize>) -> Result {
        let Some(bytes) = Self::allocate(BYTES.ty(), most) else { return Err(vm.memory_error()) };
        let bytes = bytes.into_value();
        let object = bytes.word() as *mut Bytes;
        // SAFETY: the block has room for the bytes and a zero, and nobody else sees the object yet. `fill` initialises what
        // becomes part of it; what it raises drops an object whose bytes nobody has looked at.
        unsafe {
            let room = object.add(1).cast::<u8>();
            let length = fill(room)?;
            assert!(length <= most, "more bytes than there was room for");
            if length <= 1 || length < most / 2 {
                return from_slice(vm, std::slice::from_raw_parts(room, length));
            }
            room.add(length).write(0);
            (*object).length = length;
        }
        Ok(bytes)
    }

    /// An exact bytes object with the bytes of `data`, which `change` then changes in place.
    pub fn modified(vm: &Vm, data: &[u8], change: impl FnOnce(&mut [u8])) -> Result {
        if let [byte] = data {
            let mut byte = [*byte];
            change(&mut byte);
            return Ok(single_or_empty(Some(byte[0])));
        }
        let Some(bytes) = Self::allocate(BYTES.ty(), data.len()) else { return Err(vm.memory_error()) };
        // SAFETY: the block has room for the bytes, which are initialised first, and nobody else sees it yet.
        unsafe {
            let room = (&raw const *bytes).add(1).cast_mut().cast::<u8>();
            std::ptr::copy_nonoverlapping(data.as_ptr(), room, data.len());
            change(std::slice::from_raw_parts_mut(room, data.len()));
        }
        Ok(bytes.into_value())
    }

    /// An exact bytes object of parts, which have `length` bytes together.
    pub(crate) fn from_parts<'a>(vm: &Vm, length: usize, parts: impl Iterator<Item = &'a [u8]>) -> Result {
        if length <= 1 {
            let byte = parts.flatten().next().copied();
            return Ok(single_or_empty(byte));
        }
        let Some(bytes) = Self::allocate(BYTES.ty(), length) else { return Err(vm.memory_error()) };
        let mut done = 0;
        for part in parts {
            assert!(part.len() <= length - done, "the parts are longer than was said");
            // SAFETY: the block has room for `length` bytes, seen by nobody else.
            unsafe {
                let room = (&raw const *bytes).add(1).cast_mut().cast::<u8>().add(done);
                std::ptr::copy_nonoverlapping(part.as_ptr(), room, part.len());
            }
            done += part.len();
        }
        assert!(done == length, "the parts are shorter than was said");
        Ok(bytes.into_value())
    }

    #[inline(always)]
    pub fn as_slice(&self) -> &[u8] {
        // SAFETY: `length` initialised bytes follow the struct.
        unsafe { std::slice::from_raw_parts((self as *const Bytes).add(1).cast::<u8>(), self.length) }
    }

    #[inline]
    pub fn hash(&self) -> i64 {
        let hash = self.hash.load(Relaxed);
        if hash != -1 {
            return hash;
        }
        let hash = crate::hash::hash_bytes(self.as_slice());
        self.hash.store(hash, Relaxed);
        hash
    }
}

/// The empty and the one-byte strings are shared.
fn single_or_empty(byte: Option<u8>) -> Value {
    static SINGLES: LazyLock<Vec<Value>> = LazyLock::new(|| {
        let fresh = |data: &[u8]| {
            let Some(bytes) = Bytes::allocate(BYTES.ty(), data.len()) else { heap::out_of_memory() };
            // SAFETY: room for the bytes, seen by nobody else.
            unsafe {
                let at = (&raw const *bytes).add(1).cast_mut().cast::<u8>();
                std::ptr::copy_nonoverlapping(data.as_ptr(), at, data.len());
            }
            bytes.header.make_immortal();
            bytes.into_value()
        };
        let mut all: Vec<Value> = (0..=255).map(|byte| fresh(&[byte])).collect();
        all.push(fresh(&[]));
        all
    });
    SINGLES[byte.map_or(256, usize::from)].clone()
}

/// The empty bytes.
pub fn empty() -> Value {
    single_or_empty(None)
}

/// An exact bytes object.
#[inline]
pub fn from_slice(vm: &Vm, data: &[u8]) -> Result {
    with_type(vm, BYTES.ty(), data)
}

/// As [`from_slice`], for short data of the runtime itself: without memory for them they are empty, and `MemoryError` is
/// raised at the next safepoint.
pub fn new(data: &[u8]) -> Value {
    if data.len() <= 1 {
        return single_or_empty(data.first().copied());
    }
    let Some(bytes) = Bytes::allocate(BYTES.ty(), data.len()) else {
        heap::signal_exhausted();
        return empty();
    };
    // SAFETY: room for the bytes, seen by nobody else.
    unsafe {
        let at = (&raw const *bytes).add(1).cast_mut().cast::<u8>();
        std::ptr::copy_nonoverlapping(data.as_ptr(), at, data.len());
    }
    bytes.into_value()
}

/// An instance of `ty`, bytes or a subclass.
pub fn with_type(vm: &Vm, ty: &Type, data: &[u8]) -> Result {
    if data.len() <= 1 && std::ptr::eq(ty, BYTES.ty()) {
        return Ok(single_or_empty(data.first().copied()));
    }
    let Some(bytes) = Bytes::allocate(ty, data.len()) else { return Err(vm.memory_error()) };
    // SAFETY: room for the bytes, seen by nobody else.
    unsafe {
        let at = (&raw const *bytes).add(1).cast_mut().cast::<u8>();
        std::ptr::copy_nonoverlapping(data.as_ptr(), at, data.len());
    }
    Ok(bytes.into_value())
}

/// Whether the value is a bytes object (subclasses included).
#[inline]
pub fn is_bytes(value: &Value) -> bool {
    value.downcast::<Bytes>().is_some()
}

/// Whether the value is a bytearray (subclasses included).
#[inline]
pub fn is_bytearray(value: &Value) -> bool {
    value.downcast::<super::bytearray::ByteArray>().is_some()
}
