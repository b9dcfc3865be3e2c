//! The buffer protocol: views of an object's memory.
//!
//! Types export their memory through the `buffer` slot. Who only wants to read bytes uses [`Vm::bytes_like`].

use crate::builtins::bytes::Bytes;
use crate::object::Result;
use crate::types::lookup;
use crate::value::Value;
use crate::vm::{Vm, names};
use smallvec::SmallVec;
use std::borrow::Cow;
use std::ops::Deref;

/// One number per dimension.
pub type Dimensions = SmallVec<[isize; 2]>;

/// A view of memory that `owner` keeps alive; the exporter does not resize it while the view exists.
pub struct Buffer {
    pub owner: Value,
    /// The first element.
    pub pointer: *mut u8,
    /// Bytes: the product of the shape and the item size.
    pub length: usize,
    pub readonly: bool,
    pub itemsize: usize,
    /// struct-module syntax.
    pub format: Cow<'static, str>,
    /// Elements per dimension; one dimension for plain bytes.
    pub shape: Dimensions,
    /// Bytes from one element to the next, per dimension.
    pub strides: Dimensions,
    /// Called once when the view ends.
    pub release: Option<fn(&Value)>,
}

// SAFETY: the memory is reached under the same rules as the owner's own.
unsafe impl Send for Buffer {}
// SAFETY: as above.
unsafe impl Sync for Buffer {}

/// Request flags, as CPython's `PyBUF_*`.
pub mod buffer_flags {
    pub const SIMPLE: u32 = 0;
    pub const WRITABLE: u32 = 1;
    pub const FORMAT: u32 = 4;
    pub const ND: u32 = 8;
    pub const STRIDES: u32 = 0x10 | ND;
    pub const C_CONTIGUOUS: u32 = 0x20 | STRIDES;
    pub const F_CONTIGUOUS: u32 = 0x40 | STRIDES;
    pub const ANY_CONTIGUOUS: u32 = 0x80 | STRIDES;
    pub const INDIRECT: u32 = 0x100 | STRIDES;
    pub const FULL: u32 = INDIRECT | WRITABLE | FORMAT;
    pub const FULL_RO: u32 = INDIRECT | FORMAT;
}

impl Drop for Buffer {
    fn drop(&mut self) {
        if let Some(release) = self.release {
            release(&self.owner);
        }
    }
}

impl Buffer {
    /// A one-dimensional view of plain bytes. The caller has the owner keep them in place until `release`.
    pub fn bytes(
        owner: &Value,
        pointer: *mut u8,
        length: usize,
        readonly: bool,
        release: Option<fn(&Value)>,
    ) -> Buffer {
        Buffer {
            owner: owner.clone(),
            pointer,
            length,
            readonly,
            itemsize: 1,
            format: Cow::Borrowed("B"),
            shape: SmallVec::from_slice(&[length as isize]),
            strides: SmallVec::from_slice(&[1]),
            release,
        }
    }

    /// The bytes of a contiguous view.
    pub fn as_slice(&self) -> &[u8] {
        if self.length == 0 {
            return &[];
        }
        // SAFETY: the exporter guarantees `length` bytes at `pointer` as long as the view exists.
        unsafe { std::slice::from_raw_parts(self.pointer, self.length) }
    }

    /// The bytes of a writable contiguous view. Nothing else may hold a slice of the memory meanwhile.
    #[allow(clippy::mut_from_ref)]
    pub fn as_mut_slice(&self) -> &mut [u8] {
        assert!(!self.readonly, "a read-only buffer is not written to");
        if self.length == 0 {
            return &mut [];
        }
        // SAFETY: as in `as_slice`; writability was granted by the exporter.
        unsafe { std::slice::from_raw_parts_mut(self.pointer, self.length) }
    }

    /// Whether the elements follow each other in C order.
    pub fn is_c_contiguous(&self) -> bool {
        let mut expected = self.itemsize as isize;
        for (length, stride) in self.shape.iter().zip(&self.strides).rev() {
            if *length == 0 {
                return true;
            }
            if *length > 1 && *stride != expected {
                return false;
            }
            expected *= length;
        }
        true
    }

    /// Whether the elements follow each other in Fortran order.
    pub fn is_f_contiguous(&self) -> bool {
        let mut expected = self.itemsize as isize;
        for (length, stride) in self.shape.iter().zip(&self.strides) {
            if *length == 0 {
                return true;
            }
            if *length > 1 && *stride != expected {
                return false;
            }
            expected *= length;
        }
        true
    }

    /// The bytes in C order, whatever the strides.
    pub fn to_vec(&self, vm: &Vm) -> Result<Vec<u8>> {
        if self.is_c_contiguous() {
            return vm.buffer_of(self.as_slice());
        }
        let mut bytes = vm.buffer_for(self.length)?;
        self.for_each_item(|item| bytes.extend_from_slice(item));
        Ok(bytes)
    }

    /// Calls `f` with the bytes of each element, in C order.
    pub fn for_each_item(&self, mut f: impl FnMut(&[u8])) {
        if self.shape.contains(&0) {
            return;
        }
        let mut index: Dimensions = self.shape.iter().map(|_| 0).collect();
        loop {
            let offset: isize = index.iter().zip(&self.strides).map(|(i, stride)| i * stride).sum();
            // SAFETY: the exporter guarantees the elements that shape and strides describe.
            f(unsafe { std::slice::from_raw_parts(self.pointer.offset(offset), self.itemsize) });
            let mut dimension = index.len();
            loop {
                if dimension == 0 {
                    return;
                }
                dimension -= 1;
                index[dimension] += 1;
                if index[dimension] < self.shape[dimension] {
                    break;
                }
                index[dimension] = 0;
            }
        }
    }
}

/// The bytes of a bytes-like object.
pub enum BytesLike<'a> {
    Bytes(&'a [u8]),
    Buffer(Buffer),
}

impl Deref for BytesLike<'_> {
    type Target = [u8];
    #[inline]
    fn deref(&self) -> &[u8] {
        match self {
            BytesLike::Bytes(bytes) => bytes,
            BytesLike::Buffer(buffer) => buffer.as_slice(),
        }
    }
}

impl Vm {
    /// Whether `value` exports buffers (`PyObject_CheckBuffer`).
    pub fn has_buffer(&self, value: &Value) -> bool {
        value.ty().slots().buffer.is_some()
            || value.ty().is_heap_type() && lookup::find(value.ty(), &names().__buffer__).is_some()
    }

    /// A view of the memory of `value` (`PyObject_GetBuffer`).
    pub fn get_buffer(&self, value: &Value, flags: u32) -> Result<Buffer> {
        if value.ty().is_heap_type()
            && let Some(method) = lookup::find(value.ty(), &names().__buffer__)
            && !method.ty().is(&crate::native::descriptors::SLOT_WRAPPER)
        {
            return crate::builtins::memoryview::buffer_from_method(self, value, flags);
        }
        match value.ty().slots().buffer {
            Some(get) => get(self, value, flags),
            None => Err(self.type_error(format!("a bytes-like object is required, not '{}'", value.ty().name()))),
        }
    }

    /// The contiguous bytes of a bytes-like object, read-only.
    #[inline]
    pub fn bytes_like<'a>(&self, value: &'a Value) -> Result<BytesLike<'a>> {
        match value.downcast_exact::<Bytes>() {
            Some(bytes) => Ok(BytesLike::Bytes(bytes.as_slice())),
            None => self.get_buffer(value, buffer_flags::SIMPLE).map(BytesLike::Buffer),
        }
    }

    /// The contiguous bytes of a read-write bytes-like object.
    pub fn writable_bytes_like(&self, value: &Value) -> Result<Buffer> {
        if self.has_buffer(value) {
            match self.get_buffer(value, buffer_flags::WRITABLE) {
                Ok(buffer) => return Ok(buffer),
                Err(raised) => self.catch(raised, crate::exceptions::BUFFER_ERROR.ty()).map(drop)?,
            }
        }
        let name = value.ty().name();
        Err(self.type_error(format!("a read-write bytes-like object is required, not '{name}'")))
    }
}
