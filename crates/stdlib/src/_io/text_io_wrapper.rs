//! `_io.TextIOWrapper`: text over a buffered binary stream.
//!
//! Counterpart of the second half of `Modules/_io/textio.c`. `codec.rs` has the decoder and the encoder, `init.rs` the
//! constructor and `reconfigure`, `reading.rs` and `writing.rs` the two directions, `position.rs` `seek` and `tell`,
//! `lines.rs` the search for line ends.
//!
//! Text that was read and decoded but not yet asked for is in `decoded`, from `used` on. `snapshot` is the state of the
//! decoder before that text and the bytes that gave it: positions are told by replaying them. Written bytes collect in
//! `pending` until they are given to the buffer.

mod codec;
mod init;
pub mod lines;
mod methods;
mod position;
mod reading;
mod writing;

use super::bases::TEXT_IO_BASE;
use super::buffered::{self, Buffered};
use super::newline_decoder::Newlines;
use super::{iobase, is_closed};
use crate::payload::{Field, class_of, payload};
use codec::Coding;
use lines::LineEnds;
use taipan_object::builtins::str::Str;
use taipan_object::object::Visitor;
use taipan_object::types::{TypeSpec, type_flags};
use taipan_object::{Ref, Result, Value, Vm};

/// How many bytes are read, or collected for writing, at once, unless `_CHUNK_SIZE` says otherwise.
const CHUNK_SIZE: i64 = 8192;

payload! {
    /// `decoding` and `encoding` say whether there is a decoder, an encoder; `newlines` is there if the decoder notes
    /// line ends. `fast` says that the buffer is a built-in buffer over a file.
    pub struct TextIoWrapper(TextState): TEXT_IO_WRAPPER {
        ok: bool,
        detached: bool,
        finalizing: bool,
        buffer: Value,
        fast: bool,
        encoding_name: Value,
        errors: Value,
        decoding: Coding,
        encoding: Coding,
        undecoded: Vec<u8>,
        newlines: Option<Newlines>,
        line_ends: LineEnds,
        newline: Value,
        written_end: Option<Value>,
        line_buffering: bool,
        write_through: bool,
        seekable: bool,
        telling: bool,
        has_read1: bool,
        chunk_size: i64,
        decoded: Option<Ref<Str>>,
        used: usize,
        snapshot: Option<(i64, Value)>,
        bytes_per_character: f64,
        pending: Vec<u8>,
    }
}

impl Field for Option<Newlines> {
    fn visit(&self, _: Visitor) {}
    fn take(&mut self) -> Self {
        *self
    }
}
impl Field for Option<(i64, Value)> {
    fn visit(&self, visit: Visitor) {
        if let Some((_, value)) = self {
            visit(value);
        }
    }
    fn take(&mut self) -> Self {
        Option::take(self)
    }
}
impl Field for Coding {
    fn visit(&self, visit: Visitor) {
        if let Coding::Object(object) = self {
            visit(object);
        }
    }
    fn take(&mut self) -> Self {
        std::mem::take(self)
    }
}

pub static TEXT_IO_WRAPPER: TypeSpec = TypeSpec::new::<TextIoWrapper>("_io.TextIOWrapper")
    .doc(
        "TextIOWrapper(buffer, encoding=None, errors=None, newline=None,\n              line_buffering=False, \
         write_through=False)\n--\n\nCharacter and line based layer over a BufferedIOBase object, buffer.\n\nencoding is by \
         default that of the locale, errors 'strict'. newline is None (line ends are\ntranslated to and from '\\n'), '' \
         (all line ends are recognised, none is translated), '\\n', '\\r' or\n'\\r\\n'. With line_buffering, a write with a \
         newline is followed by a flush; with write_through,\nwritten text goes to the buffer at once.",
    )
    .base(&TEXT_IO_BASE)
    .flags(type_flags::BASETYPE | type_flags::GENERIC_NEW)
    .slots(|s| {
        s.new = Some(|_, class, _, _| Ok(new(class)));
        s.init = Some(init::init);
        s.repr = Some(methods::repr);
        s.iternext = Some(reading::next);
    })
    .methods(methods::METHODS)
    .members(methods::MEMBERS)
    .getset(methods::GETSET);

fn new(class: &Value) -> Value {
    let state = TextState {
        ok: false,
        detached: false,
        finalizing: false,
        buffer: Value::NONE,
        fast: false,
        encoding_name: Value::NONE,
        errors: Value::NONE,
        decoding: Coding::None,
        encoding: Coding::None,
        undecoded: Vec::new(),
        newlines: None,
        line_ends: LineEnds::Newline,
        newline: Value::NONE,
        written_end: None,
        line_buffering: false,
        write_through: false,
        seekable: false,
        telling: false,
        has_read1: false,
        chunk_size: CHUNK_SIZE,
        decoded: None,
        used: 0,
        snapshot: None,
        bytes_per_character: 0.0,
        pending: Vec::new(),
    };
    TextIoWrapper::make(class_of(class), state)
}

impl TextIoWrapper {
    /// `ValueError` unless `__init__` has succeeded.
    fn check_initialized(&self, vm: &Vm) -> Result<()> {
        if self.with(|state| state.ok) {
            return Ok(());
        }
        Err(vm.value_error("I/O operation on uninitialized object"))
    }

    /// `ValueError` if there is no buffer.
    fn check_attached(&self, vm: &Vm) -> Result<()> {
        self.check_initialized(vm)?;
        if self.with(|state| state.detached) {
            return Err(vm.value_error("underlying buffer has been detached"));
        }
        Ok(())
    }

    /// The buffer, of an initialised stream that has it.
    fn checked_buffer(&self, vm: &Vm) -> Result {
        self.check_attached(vm)?;
        Ok(self.buffer())
    }

    fn buffer(&self) -> Value {
        self.with(|state| state.buffer.clone())
    }

    /// `ValueError` if the stream is closed.
    fn check_closed(&self, vm: &Vm, this: &Value) -> Result<()> {
        self.check_attached(vm)?;
        if !this.ty().is(&TEXT_IO_WRAPPER) {
            return iobase::check_closed(vm, this);
        }
        let (buffer, fast) = self.with(|state| (state.buffer.clone(), state.fast));
        let closed = match Buffered::try_of(&buffer) {
            Some(own) if fast && own.is_initialized() => own.raw_is_closed(vm)?,
            _ => is_closed(vm, &buffer)?,
        };
        if closed { Err(vm.value_error(iobase::CLOSED)) } else { Ok(()) }
    }

    /// Replaces the decoded text.
    fn set_decoded(&self, decoded: Option<Ref<Str>>) {
        let old = self.with(|state| {
            state.used = 0;
            std::mem::replace(&mut state.decoded, decoded)
        });
        drop(old);
    }

    fn set_snapshot(&self, snapshot: Option<(i64, Value)>) {
        let old = self.with(|state| std::mem::replace(&mut state.snapshot, snapshot));
        drop(old);
    }

    /// The next `size` decoded characters; all if it is `None`.
    fn take_decoded(&self, size: Option<usize>) -> Ref<Str> {
        self.with(|state| {
            let Some(decoded) = &state.decoded else { return Str::from_ascii(b"") };
            let available = decoded.len() - state.used.min(decoded.len());
            let size = size.unwrap_or(available).min(available);
            let text = if state.used == 0 && size == decoded.len() {
                decoded.clone()
            } else {
                decoded.slice(state.used, state.used + size)
            };
            state.used += size;
            text
        })
    }
}

/// Whether the buffer is one of the built-in classes over a `FileIO`.
fn is_fast_buffer(buffer: &Value) -> bool {
    buffered::is_exact(buffer) && Buffered::try_of(buffer).is_some_and(Buffered::is_over_file)
}
