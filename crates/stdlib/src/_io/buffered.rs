//! The buffered streams: `BufferedReader`, `BufferedWriter`, `BufferedRandom` (one layout, [`Buffered`]) and
//! `BufferedRWPair`.
//!
//! Counterpart of `Modules/_io/bufferedio.c`, whose fields and invariants it keeps. The buffer holds the bytes of the
//! raw file around `pos`, the logical position in it: read ones up to `read_end`, and written ones from `write_pos` to
//! `write_end` that are still to be flushed; -1 stands for "none". `raw_pos` is where the raw stream stands, relative
//! to the buffer, `abs_pos` where it stands in the file.
//!
//! While an operation uses the raw stream, it holds the lock and has taken the buffer out of the object.
//! `raw.rs` has the calls of the raw stream, `reading.rs` and `writing.rs` the two halves, `methods.rs` what the three
//! classes share, `spare.rs` buffers.

pub mod methods;
pub mod random;
mod raw;
pub mod reader;
mod reading;
pub mod rw_pair;
mod spare;
pub mod writer;
mod writing;

use super::file_io::{FILE_IO, FileIo};
use super::lock::{Acquired, Refused, StreamLock};
use super::names::names;
use super::{bases, is_closed};
use crate::payload::class_of;
use taipan_object::cell::ObjectCell;
use taipan_object::header::Header;
use taipan_object::heap::Kind;
use taipan_object::object::{Payload, Visitor};
use taipan_object::types::{Type, TypeSpec, type_flags};
use taipan_object::{Ref, Result, Value, Vm};

/// A buffered stream.
#[repr(C)]
pub struct Buffered {
    pub header: Header,
    state: ObjectCell<BufferedState>,
    lock: StreamLock,
}

pub struct BufferedState {
    /// The raw stream; unbound before initialisation and after `detach`.
    raw: Value,
    ok: bool,
    detached: bool,
    readable: bool,
    writable: bool,
    finalizing: bool,
    /// The raw stream is a `FileIO`: its methods are called directly, its state is asked directly.
    file: bool,
    buffer: Vec<u8>,
    buffer_size: i64,
    /// `buffer_size - 1` if that is a power of two, else 0.
    buffer_mask: i64,
    closed_buffer: bool,
    abs_pos: i64,
    pos: i64,
    raw_pos: i64,
    read_end: i64,
    write_pos: i64,
    write_end: i64,
}

// SAFETY: repr(C), header first, the only reference is visited.
unsafe impl Payload for Buffered {
    const KIND: Kind = Kind::Container;
    fn static_type() -> &'static Type {
        reader::BUFFERED_READER.ty()
    }
    fn traverse(&self, visit: Visitor) {
        // SAFETY: the collector has stopped the world.
        visit(unsafe { &(*self.state.as_ptr()).raw });
    }
    fn clear(&self) {
        let old = self.with(|state| {
            state.ok = false;
            std::mem::replace(&mut state.raw, Value::NONE)
        });
        drop(old);
    }
}

impl Drop for BufferedState {
    fn drop(&mut self) {
        spare::keep(std::mem::take(&mut self.buffer));
    }
}

/// The declaration that the three classes share.
const fn spec(name: &'static str) -> TypeSpec {
    TypeSpec::new::<Buffered>(name).base(&bases::BUFFERED_IO_BASE).flags(type_flags::BASETYPE | type_flags::GENERIC_NEW)
}

/// `tp_new` of the three classes.
fn new(class: &Value) -> Value {
    let class = class_of(class);
    let state = BufferedState {
        raw: Value::NONE,
        ok: false,
        detached: false,
        readable: false,
        writable: false,
        finalizing: false,
        file: false,
        buffer: Vec::new(),
        buffer_size: 0,
        buffer_mask: 0,
        closed_buffer: true,
        abs_pos: -1,
        pos: 0,
        raw_pos: 0,
        read_end: -1,
        write_pos: 0,
        write_end: -1,
    };
    let payload = Buffered { header: Header::new(class), state: ObjectCell::new(state), lock: StreamLock::default() };
    Ref::new_with_type_unchecked(class, payload).into_value()
}

impl BufferedState {
    #[inline]
    fn has_read_buffer(&self) -> bool {
        self.readable && self.read_end != -1
    }
    #[inline]
    fn has_write_buffer(&self) -> bool {
        self.writable && self.write_end != -1
    }
    /// In a forked process: a thread that is not here had the buffer. What it held is the parent's business.
    #[cold]
    fn abandon_operation(&mut self) {
        if (self.buffer.len() as i64) < self.buffer_size {
            self.buffer = vec![0; self.buffer_size as usize];
        }
        self.reset_read_buffer();
        self.reset_write_buffer();
        (self.pos, self.raw_pos, self.abs_pos) = (0, 0, -1);
    }

    /// How many bytes were read ahead.
    #[inline]
    fn readahead(&self) -> i64 {
        if self.has_read_buffer() { self.read_end - self.pos } else { 0 }
    }
    /// How far the raw stream is ahead of the logical position.
    #[inline]
    fn raw_offset(&self) -> i64 {
        if (self.has_read_buffer() || self.has_write_buffer()) && self.raw_pos >= 0 {
            self.raw_pos - self.pos
        } else {
            0
        }
    }
    #[inline]
    fn reset_read_buffer(&mut self) {
        self.read_end = -1;
    }
    #[inline]
    fn reset_write_buffer(&mut self) {
        self.write_pos = 0;
        self.write_end = -1;
    }
    #[inline]
    fn adjust_position(&mut self, position: i64) {
        self.pos = position;
        if self.has_read_buffer() && self.read_end < self.pos {
            self.read_end = self.pos;
        }
    }
    /// The bytes read ahead; empty when the buffer is in use elsewhere.
    #[inline]
    fn ahead(&self) -> &[u8] {
        let (start, end) = (self.pos.max(0) as usize, (self.pos + self.readahead()).max(0) as usize);
        self.buffer.get(start..end).unwrap_or(&[])
    }
}

/// Whether a stream is an instance of one of the three classes themselves.
pub fn is_exact(value: &Value) -> bool {
    let ty = value.ty();
    ty.is(&reader::BUFFERED_READER) || ty.is(&writer::BUFFERED_WRITER) || ty.is(&random::BUFFERED_RANDOM)
}

/// The lock of a stream, held.
struct Guard<'a>(&'a Buffered);

impl Drop for Guard<'_> {
    fn drop(&mut self) {
        self.0.lock.release();
    }
}

impl Buffered {
    /// The payload of an instance of one of the three classes.
    #[inline(always)]
    pub fn of(value: &Value) -> &Buffered {
        Buffered::try_of(value).expect("methods are called with instances of their type")
    }

    #[inline(always)]
    pub fn try_of(value: &Value) -> Option<&Buffered> {
        let ty = value.ty();
        let ours = ty.is_subtype(reader::BUFFERED_READER.ty())
            || ty.is_subtype(writer::BUFFERED_WRITER.ty())
            || ty.is_subtype(random::BUFFERED_RANDOM.ty());
        let header = value.as_object().filter(|_| ours)?;
        // SAFETY: the three types are declared with this layout, and instances of subclasses begin with it.
        Some(unsafe { &*(header as *const Header as *const Buffered) })
    }

    #[inline(always)]
    fn with<R>(&self, f: impl FnOnce(&mut BufferedState) -> R) -> R {
        f(&mut self.state.borrow(&self.header))
    }

    /// Locks the stream; `RuntimeError` if this thread is already in an operation on it.
    fn enter(&self, vm: &Vm, this: &Value) -> Result<Guard<'_>> {
        match self.lock.acquire() {
            Ok(Acquired::Free) => Ok(Guard(self)),
            Ok(Acquired::Orphaned) => {
                self.with(|state| state.abandon_operation());
                Ok(Guard(self))
            }
            Err(Refused::Reentrant) => {
                let description = vm.repr_string(this)?;
                Err(vm.runtime_error(format!("reentrant call inside {description}")))
            }
            Err(Refused::Abandoned) => {
                let description = vm.repr_string(this)?;
                crate::faulthandler::fatal::end_process(&format!(
                    "_enter_buffered_busy: could not acquire lock for {description} at interpreter shutdown, possibly due \
                     to daemon threads"
                ))
            }
        }
    }

    /// `ValueError` unless `__init__` has succeeded.
    #[inline]
    fn check_initialized(&self, vm: &Vm) -> Result<()> {
        let (ok, detached) = self.with(|state| (state.ok, state.detached));
        match (ok, detached) {
            (true, _) => Ok(()),
            (false, true) => Err(vm.value_error("raw stream has been detached")),
            (false, false) => Err(vm.value_error("I/O operation on uninitialized object")),
        }
    }

    pub fn is_initialized(&self) -> bool {
        self.with(|state| state.ok)
    }

    /// Whether the raw stream is a `FileIO` and no method is overridden.
    pub fn is_over_file(&self) -> bool {
        self.with(|state| state.ok && state.file)
    }

    fn raw(&self) -> Value {
        self.with(|state| state.raw.clone())
    }

    /// The raw stream, in an initialised object.
    fn checked_raw(&self, vm: &Vm) -> Result {
        self.check_initialized(vm)?;
        Ok(self.raw())
    }

    /// Whether the raw stream is closed.
    pub fn raw_is_closed(&self, vm: &Vm) -> Result<bool> {
        let (raw, file) = self.with(|state| (state.raw.clone(), state.file));
        match raw.downcast::<FileIo>() {
            Some(raw) if file => Ok(raw.is_closed()),
            _ => is_closed(vm, &raw),
        }
    }

    fn is_closed(&self, vm: &Vm) -> Result<bool> {
        if self.with(|state| state.closed_buffer) {
            return Ok(true);
        }
        self.raw_is_closed(vm)
    }

    /// `ValueError(message)` if the stream is closed and nothing was read ahead.
    #[inline]
    fn check_closed(&self, vm: &Vm, message: &str) -> Result<()> {
        if self.is_closed(vm)? && self.with(|state| state.readahead()) == 0 {
            return Err(vm.value_error(message));
        }
        Ok(())
    }

    /// The second half of the three `__init__` methods.
    fn init(&self, vm: &Vm, this: &Value, raw: &Value, buffer_size: i64, readable: bool, writable: bool) -> Result<()> {
        let exact = is_exact(this);
        let old = self.with(|state| {
            state.detached = false;
            state.readable = readable;
            state.writable = writable;
            state.buffer_size = buffer_size;
            state.file = exact && raw.ty().is(&FILE_IO);
            std::mem::replace(&mut state.raw, raw.clone())
        });
        drop(old);
        if buffer_size <= 0 {
            return Err(vm.value_error("buffer size must be strictly positive"));
        }
        let Some(buffer) = spare::take(buffer_size as usize) else {
            return Err(vm.memory_error());
        };
        self.with(|state| {
            state.buffer = buffer;
            state.closed_buffer = false;
            state.buffer_mask = if (buffer_size as u64).is_power_of_two() { buffer_size - 1 } else { 0 };
        });
        if let Err(raised) = self.raw_tell(vm) {
            vm.discard(raised);
        }
        self.with(|state| {
            state.pos = 0;
            if readable {
                state.reset_read_buffer();
            }
            if writable {
                state.reset_write_buffer();
            }
            state.ok = true;
        });
        Ok(())
    }

    fn set_not_ok(&self) {
        self.with(|state| {
            state.ok = false;
            state.detached = false;
        });
    }

    /// The name of the raw stream, for `repr`.
    fn name_for_repr(&self, vm: &Vm, this: &Value) -> Result<Option<Value>> {
        match vm.get_attr_opt(this, &names().name) {
            Ok(name) => Ok(name),
            Err(raised) => vm.catch(raised, taipan_object::exceptions::VALUE_ERROR.ty()).map(|_| None),
        }
    }
}
