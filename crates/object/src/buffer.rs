//! The buffer protocol: a view of an object's memory.

use crate::value::Value;

/// A view of memory that `owner` keeps alive; the exporter does not resize it while the view exists.
pub struct Buffer {
    pub owner: Value,
    pub pointer: *mut u8,
    /// Bytes.
    pub length: usize,
    pub readonly: bool,
    pub itemsize: usize,
    /// struct-module syntax.
    pub format: String,
    /// Elements per dimension; one dimension for plain bytes.
    pub shape: Vec<isize>,
    pub strides: Vec<isize>,
    /// Called once when the view ends.
    pub release: Option<fn(&Value)>,
}

/// Request flags, as CPython's `PyBUF_*`.
pub mod buffer_flags {
    pub const SIMPLE: u32 = 0;
    pub const WRITABLE: u32 = 1;
    pub const FORMAT: u32 = 4;
    pub const ND: u32 = 8;
    pub const STRIDES: u32 = 0x10 | ND;
    pub const FULL_RO: u32 = 0x100 | STRIDES | FORMAT;
}

impl Drop for Buffer {
    fn drop(&mut self) {
        if let Some(release) = self.release {
            release(&self.owner);
        }
    }
}

impl Buffer {
    /// The bytes of a contiguous view.
    pub fn as_slice(&self) -> &[u8] {
        // SAFETY: the exporter guarantees `length` bytes at `pointer` as long as the view exists.
        unsafe { std::slice::from_raw_parts(self.pointer, self.length) }
    }

    /// The bytes of a writable contiguous view. Nothing else may hold a slice of the memory meanwhile.
    #[allow(clippy::mut_from_ref)]
    pub fn as_mut_slice(&self) -> &mut [u8] {
        assert!(!self.readonly, "a read-only buffer is not written to");
        // SAFETY: as in `as_slice`; writability was granted by the exporter.
        unsafe { std::slice::from_raw_parts_mut(self.pointer, self.length) }
    }
}
