//! `_io.BytesIO`: a binary stream in memory.
//!
//! The contents are either a vector of its own or a bytes object shared with who gave or took it (`shared`), which is
//! copied before the first change. `exports` counts the views that `getbuffer` gave out: while there are any, the
//! contents keep their place and size.

pub mod methods;

use super::bases::BUFFERED_IO_BASE;
use super::iobase::{CLOSED, of_subclass};
use crate::payload::{class_of, payload, signature};
use taipan_object::buffer::Buffer;
use taipan_object::builtins::bytes::{self, Bytes};
use taipan_object::types::{TypeSpec, type_flags};
use taipan_object::{Result, Value, Vm};

payload! {
    pub struct BytesIo(BytesIoState): BYTES_IO finalized if of_subclass {
        data: Vec<u8>,
        shared: Option<Value>,
        position: usize,
        exports: usize,
        closed: bool,
    }
}

pub static BYTES_IO: TypeSpec = TypeSpec::new::<BytesIo>("_io.BytesIO")
    .doc("BytesIO(initial_bytes=b'')\n--\n\nA binary file whose content is in memory.")
    .base(&BUFFERED_IO_BASE)
    .flags(type_flags::BASETYPE)
    .slots(|s| {
        s.new = Some(|_, class, _, _| {
            let state = BytesIoState { data: Vec::new(), shared: None, position: 0, exports: 0, closed: false };
            Ok(BytesIo::make(class_of(class), state))
        });
        s.init = Some(init);
        s.iter = Some(|vm, this| {
            BytesIo::of(this).check_open(vm)?;
            Ok(this.clone())
        });
        s.iternext = Some(|vm, this| {
            let own = BytesIo::of(this);
            own.check_open(vm)?;
            match own.take_line(vm, -1)? {
                line if vm.len(&line)? == 0 => Ok(None),
                line => Ok(Some(line)),
            }
        });
    })
    .methods(methods::METHODS)
    .getset(methods::GETSET);

payload! {
    /// What the views of `getbuffer` belong to.
    pub struct BytesIoBuffer(BytesIoBufferState): BYTES_IO_BUFFER { source: Value }
}

pub static BYTES_IO_BUFFER: TypeSpec =
    TypeSpec::new::<BytesIoBuffer>("_io._BytesIOBuffer").flags(type_flags::DISALLOW_INSTANTIATION).slots(|s| {
        s.buffer = Some(|vm, this, _| {
            let source = BytesIoBuffer::of(this).with(|state| state.source.clone());
            let Some(own) = source.downcast::<BytesIo>() else { return Err(vm.value_error(CLOSED)) };
            own.unshare(vm)?;
            let (pointer, length) = own.with(|state| {
                state.exports += 1;
                (state.data.as_mut_ptr(), state.data.len())
            });
            Ok(Buffer::bytes(this, pointer, length, false, Some(release)))
        });
    });

/// Ends a view. The collector may have cut it off from its stream before.
fn release(owner: &Value) {
    let source = BytesIoBuffer::of(owner).with(|state| state.source.clone());
    if let Some(source) = source.downcast::<BytesIo>() {
        source.with(|state| state.exports -= 1);
    }
}

signature!(INIT = "BytesIO(initial_bytes=b'')");

fn init(vm: &Vm, this: &Value, args: &[Value], kwnames: Option<&Value>) -> Result<()> {
    let bound = INIT.bind(vm, args, kwnames)?;
    let own = BytesIo::of(this);
    own.check_exports(vm)?;
    own.set_contents(Vec::new(), None);
    own.with(|state| (state.position, state.closed) = (0, false));
    match bound[0].given() {
        None => Ok(()),
        Some(initial) if initial.downcast_exact::<Bytes>().is_some() => {
            own.set_contents(Vec::new(), Some(initial.clone()));
            Ok(())
        }
        Some(initial) => {
            let data = vm.buffer_of(&vm.bytes_like(initial)?)?;
            own.set_contents(data, None);
            Ok(())
        }
    }
}

impl BytesIoState {
    fn contents(&self) -> &[u8] {
        match &self.shared {
            Some(shared) => shared.downcast::<Bytes>().map_or(&[], Bytes::as_slice),
            None => &self.data,
        }
    }
}

impl BytesIo {
    fn check_open(&self, vm: &Vm) -> Result<()> {
        if self.with(|state| state.closed) { Err(vm.value_error(CLOSED)) } else { Ok(()) }
    }

    fn check_exports(&self, vm: &Vm) -> Result<()> {
        if self.with(|state| state.exports > 0) {
            return Err(vm.buffer_error("Existing exports of data: object cannot be re-sized"));
        }
        Ok(())
    }

    fn set_contents(&self, data: Vec<u8>, shared: Option<Value>) {
        let old =
            self.with(|state| (std::mem::replace(&mut state.data, data), std::mem::replace(&mut state.shared, shared)));
        drop(old);
    }

    /// Makes the contents a vector of its own.
    fn unshare(&self, vm: &Vm) -> Result<()> {
        let copied = self.with(|state| {
            let Some(shared) = &state.shared else { return Ok(None) };
            let contents = shared.downcast::<Bytes>().map_or(&[][..], Bytes::as_slice);
            let mut data = Vec::new();
            if data.try_reserve(contents.len()).is_err() {
                return Err(());
            }
            data.extend_from_slice(contents);
            state.data = data;
            Ok(state.shared.take())
        });
        copied.map(drop).or_else(|()| Err(vm.memory_error()))
    }

    /// A bytes object of the next `size` bytes.
    fn take_bytes(&self, vm: &Vm, size: usize) -> Result {
        if let Some(whole) = self.with(|state| {
            let shared = state.shared.as_ref().filter(|_| state.position == 0)?;
            if size < state.contents().len() || size <= 1 {
                return None;
            }
            let shared = shared.clone();
            state.position = size;
            Some(shared)
        }) {
            return Ok(whole);
        }

        self.with(|state| {
            let contents = state.contents();
            let start = state.position.min(contents.len());
            let end = start.saturating_add(size).min(contents.len());
            let object = bytes::from_slice(vm, &contents[start..end]);
            if object.is_ok() && end > start {
                state.position = end;
            }
            object
        })
    }

    /// How many bytes are left.
    fn remaining(&self) -> usize {
        self.with(|state| state.contents().len().saturating_sub(state.position))
    }

    /// The length of the next line, at most `limit` if that is not negative.
    fn line_length(&self, limit: i64) -> usize {
        self.with(|state| {
            let contents = state.contents();
            let rest = &contents[state.position.min(contents.len())..];
            let rest = if limit < 0 { rest } else { &rest[..rest.len().min(limit as usize)] };
            memchr::memchr(b'\n', rest).map_or(rest.len(), |at| at + 1)
        })
    }

    fn take_line(&self, vm: &Vm, limit: i64) -> Result {
        self.take_bytes(vm, self.line_length(limit))
    }

    /// Writes at the position, after zeros if that is beyond the end.
    fn write(&self, vm: &Vm, data: &[u8]) -> Result<usize> {
        if data.is_empty() {
            return Ok(0);
        }
        self.unshare(vm)?;
        let done = self.with(|state| {
            let start = state.position;
            let Some(end) = start.checked_add(data.len()).filter(|end| *end <= isize::MAX as usize) else {
                return Err(true);
            };
            let length = state.data.len();
            if end > length {
                if state.data.try_reserve(end - length).is_err() {
                    return Err(false);
                }
                if start >= length {
                    state.data.resize(start, 0);
                    state.data.extend_from_slice(data);
                    state.position = end;
                    return Ok(());
                }
                state.data.resize(end, 0);
            }
            state.data[start..end].copy_from_slice(data);
            state.position = end;
            Ok(())
        });
        match done {
            Ok(()) => Ok(data.len()),
            Err(true) => Err(vm.overflow_error("new buffer size too large")),
            Err(false) => Err(vm.memory_error()),
        }
    }

    /// The contents as bytes, which from now on are shared.
    fn value(&self, vm: &Vm) -> Result {
        if let Some(shared) = self.with(|state| state.shared.clone()) {
            return Ok(shared);
        }
        let whole = self.with(|state| bytes::from_slice(vm, &state.data))?;
        if self.with(|state| state.exports == 0) {
            self.set_contents(Vec::new(), Some(whole.clone()));
        }
        Ok(whole)
    }

    /// A view of the contents that can be written to.
    fn buffer(this: &Value) -> Value {
        BytesIoBuffer::make(BYTES_IO_BUFFER.ty(), BytesIoBufferState { source: this.clone() })
    }
}
