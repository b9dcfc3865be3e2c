//! `bytearray`: representation; `bytearray/` has its slots and methods, `bytes/` what it shares with `bytes`.
//!
//! Invariant: while a buffer of the bytearray is exported, its storage neither moves nor changes its length.

use crate::cell::ObjectCell;
use crate::header::Header;
use crate::heap::Kind;
use crate::object::{Payload, Ref, Result};
use crate::types::{Type, TypeSpec, type_flags};
use crate::value::Value;
use crate::vm::Vm;

pub mod methods;
mod mutate;
mod reduce;

/// A mutable byte string.
#[repr(C)]
pub struct ByteArray {
    pub header: Header,
    pub(crate) state: ObjectCell<State>,
}

/// The bytes from `start` on are the contents: what is deleted at the front is not moved at once.
pub(crate) struct State {
    storage: Vec<u8>,
    start: usize,
    pub exports: usize,
}

// SAFETY: repr(C), header first, no references.
unsafe impl Payload for ByteArray {
    const KIND: Kind = Kind::Leaf;
    fn static_type() -> &'static Type {
        BYTEARRAY.ty()
    }
}

pub static BYTEARRAY: TypeSpec = TypeSpec::new::<ByteArray>("bytearray")
    .doc(
        "bytearray(iterable_of_ints) -> bytearray\n\
         bytearray(string, encoding[, errors]) -> bytearray\n\
         bytearray(bytes_or_buffer) -> bytearray\n\
         bytearray(int) -> bytearray\n\
         bytearray() -> bytearray\n\n\
         A mutable sequence of bytes, which are integers from 0 to 255.\n\n\
         The initial content may be given as such integers, as a string to be\n\
         encoded, or as an object that supports the buffer protocol; a single\n\
         integer is a number of zero bytes.  It is empty by default.",
    )
    .flags(type_flags::BASETYPE | type_flags::MATCH_SELF)
    .slots(methods::slots)
    .methods(methods::METHODS);

impl State {
    pub fn new(storage: Vec<u8>) -> State {
        State { storage, start: 0, exports: 0 }
    }

    #[inline]
    pub fn as_slice(&self) -> &[u8] {
        &self.storage[self.start..]
    }
    #[inline]
    pub fn as_mut_slice(&mut self) -> &mut [u8] {
        &mut self.storage[self.start..]
    }
    pub fn len(&self) -> usize {
        self.storage.len() - self.start
    }
    /// Bytes that the storage has room for.
    pub fn capacity(&self) -> usize {
        self.storage.capacity()
    }

    /// Replaces a range by `data`; false when there is no memory.
    pub fn splice(&mut self, start: usize, end: usize, data: &[u8]) -> bool {
        if start == 0 && data.len() <= end {
            // Room at the front is kept for later.
            self.start += end - data.len();
            self.storage[self.start..self.start + data.len()].copy_from_slice(data);
            if self.start > self.storage.len() / 2 {
                self.storage.drain(..self.start);
                self.start = 0;
            }
            return true;
        }
        let (start, end) = (self.start + start, self.start + end);
        let more = data.len().saturating_sub(end - start);
        if self.storage.try_reserve(more).is_err() {
            return false;
        }
        self.storage.splice(start..end, data.iter().copied());
        true
    }

    /// Appends; false when there is no memory.
    pub fn extend(&mut self, data: &[u8]) -> bool {
        if self.storage.try_reserve(data.len()).is_err() {
            return false;
        }
        self.storage.extend_from_slice(data);
        true
    }

    /// Cuts or fills up with zeros; false when there is no memory.
    pub fn resize(&mut self, length: usize) -> bool {
        let Some(total) = self.start.checked_add(length) else { return false };
        if self.storage.try_reserve(total.saturating_sub(self.storage.len())).is_err() {
            return false;
        }
        self.storage.resize(total, 0);
        true
    }
}

fn own(this: &Value) -> &ByteArray {
    this.downcast::<ByteArray>().expect("called on a bytearray")
}

/// A new exact bytearray.
pub fn new(data: Vec<u8>) -> Value {
    let state = ObjectCell::new(State::new(data));
    Ref::new(ByteArray { header: Header::new(BYTEARRAY.ty()), state }).into_value()
}

impl ByteArray {
    /// An instance of `ty`, bytearray or a subclass.
    pub fn new_with_type(ty: &Type, data: Vec<u8>) -> Ref<ByteArray> {
        let state = ObjectCell::new(State::new(data));
        Ref::new_with_type(ty, ByteArray { header: Header::new(ty), state })
    }

    pub fn len(&self) -> usize {
        self.state.borrow(&self.header).len()
    }

    pub fn to_vec(&self, vm: &Vm) -> Result<Vec<u8>> {
        let state = self.state.borrow(&self.header);
        let mut copy = Vec::new();
        let room = copy.try_reserve_exact(state.len());
        if room.is_ok() {
            copy.extend_from_slice(state.as_slice());
        }
        drop(state);
        room.map(|()| copy).map_err(|_| vm.memory_error())
    }

    /// Raises `BufferError` if a buffer is exported, which forbids to change the length.
    pub fn check_resizable(&self, vm: &Vm) -> Result<()> {
        if self.state.borrow(&self.header).exports > 0 {
            return Err(vm.buffer_error("Existing exports of data: object cannot be re-sized"));
        }
        Ok(())
    }

    /// Replaces a range of the contents by `data`.
    pub fn splice(&self, vm: &Vm, start: usize, end: usize, data: &[u8]) -> Result<()> {
        let mut state = self.state.borrow(&self.header);
        let length = state.len();
        let (start, end) = (start.min(length), end.min(length));
        if end - start == data.len() {
            state.as_mut_slice()[start..end].copy_from_slice(data);
            return Ok(());
        }
        if state.exports > 0 {
            drop(state);
            return self.check_resizable(vm);
        }
        let done = state.splice(start, end, data);
        drop(state);
        if done { Ok(()) } else { Err(vm.memory_error()) }
    }

    /// Appends `data`.
    pub fn extend(&self, vm: &Vm, data: &[u8]) -> Result<()> {
        self.check_resizable(vm)?;
        let done = self.state.borrow(&self.header).extend(data);
        if done { Ok(()) } else { Err(vm.memory_error()) }
    }

    /// Replaces the contents.
    pub fn set(&self, vm: &Vm, data: Vec<u8>) -> Result<()> {
        let mut state = self.state.borrow(&self.header);
        if state.exports > 0 && state.len() != data.len() {
            drop(state);
            return self.check_resizable(vm);
        }
        if state.exports > 0 {
            state.as_mut_slice().copy_from_slice(&data);
        } else {
            *state = State::new(data);
        }
        Ok(())
    }
}
