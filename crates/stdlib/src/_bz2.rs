//! `_bz2`: Burrows-Wheeler compression by libbzip2 (crate `bzip2-sys`, its C source built in).

use std::os::raw::c_int;

use bzip2_sys as bz;
use taipan_object::exceptions::OS_ERROR;
use taipan_object::header::Header;
use taipan_object::heap::Kind;
use taipan_object::native::module::ModuleDef;
use taipan_object::native::{MemberDef, MethodDef, arguments};
use taipan_object::object::Payload;
use taipan_object::types::{Type, TypeSpec};
use taipan_object::vm::Raised;
use taipan_object::{Ref, Result, Value, Vm, method_table};

use crate::arguments::c_int;
use crate::compression::{Decoder, Decompressor, NoMemory, Output, Shared, Step, max_length, unlocked};

pub static MODULE: ModuleDef = ModuleDef {
    name: "_bz2",
    doc: "",
    functions: &[],
    exec: |_, module| {
        module.add_type(&BZ2_COMPRESSOR);
        module.add_type(&BZ2_DECOMPRESSOR);
        Ok(())
    },
};

/// A libbzip2 stream; the library keeps its address, so it is boxed.
struct Stream {
    raw: Box<bz::bz_stream>,
    compresses: bool,
}

// SAFETY: a stream is used by one thread at a time, and libbzip2 has no thread-local state.
unsafe impl Send for Stream {}

/// A status of libbzip2 that is an error.
struct Failure(c_int);

impl From<NoMemory> for Failure {
    fn from(_: NoMemory) -> Failure {
        Failure(bz::BZ_MEM_ERROR)
    }
}

fn raise(vm: &Vm, Failure(code): Failure) -> Raised {
    match code {
        bz::BZ_PARAM_ERROR => vm.value_error("Internal error - invalid parameters passed to libbzip2"),
        bz::BZ_MEM_ERROR => vm.memory_error(),
        bz::BZ_DATA_ERROR | bz::BZ_DATA_ERROR_MAGIC => vm.raise_new(OS_ERROR.ty(), "Invalid data stream".to_string()),
        bz::BZ_IO_ERROR => vm.raise_new(OS_ERROR.ty(), "Unknown I/O error".to_string()),
        bz::BZ_UNEXPECTED_EOF => vm.eof_error("Compressed file ended before the logical end-of-stream was detected"),
        bz::BZ_SEQUENCE_ERROR => vm.runtime_error("Internal error - Invalid sequence of commands sent to libbzip2"),
        _ => vm.raise_new(OS_ERROR.ty(), format!("Unrecognized error from libbzip2: {code}")),
    }
}

impl Stream {
    fn new(level: Option<c_int>) -> std::result::Result<Stream, Failure> {
        let raw = Box::new(bz::bz_stream {
            next_in: std::ptr::null_mut(),
            avail_in: 0,
            total_in_lo32: 0,
            total_in_hi32: 0,
            next_out: std::ptr::null_mut(),
            avail_out: 0,
            total_out_lo32: 0,
            total_out_hi32: 0,
            state: std::ptr::null_mut(),
            bzalloc: None,
            bzfree: None,
            opaque: std::ptr::null_mut(),
        });
        let mut stream = Stream { raw, compresses: level.is_some() };
        // SAFETY: a blank stream.
        let code = unsafe {
            match level {
                Some(level) => bz::BZ2_bzCompressInit(&mut *stream.raw, level, 0, 0),
                None => bz::BZ2_bzDecompressInit(&mut *stream.raw, 0, 0),
            }
        };
        if code == bz::BZ_OK { Ok(stream) } else { Err(Failure(code)) }
    }

    /// One call of the library: the status and how much input was consumed.
    fn step(
        &mut self,
        input: &[u8],
        output: &mut Output,
        action: c_int,
    ) -> std::result::Result<(c_int, usize), Failure> {
        let (room, length) = output.room()?;
        let given = u32::try_from(input.len()).unwrap_or(u32::MAX);
        let wanted = u32::try_from(length).unwrap_or(u32::MAX);
        let raw = &mut *self.raw;
        raw.next_in = input.as_ptr().cast_mut().cast();
        raw.avail_in = given;
        raw.next_out = room.cast();
        raw.avail_out = wanted;
        // SAFETY: the stream is initialised, the input readable and the output writable for the lengths given.
        let code = unsafe { if self.compresses { bz::BZ2_bzCompress(raw, action) } else { bz::BZ2_bzDecompress(raw) } };
        let consumed = (given - raw.avail_in) as usize;
        // SAFETY: the library wrote this many bytes.
        unsafe { output.advance((wanted - raw.avail_out) as usize) };
        if code < 0 { Err(Failure(code)) } else { Ok((code, consumed)) }
    }

    /// Compresses all of `input`; with `finish`, ends the stream.
    fn compress(&mut self, mut input: &[u8], output: &mut Output, finish: bool) -> std::result::Result<(), Failure> {
        loop {
            if !finish && input.is_empty() {
                return Ok(());
            }
            let (code, consumed) = self.step(input, output, if finish { bz::BZ_FINISH } else { bz::BZ_RUN })?;
            input = &input[consumed..];
            if finish && code == bz::BZ_STREAM_END {
                return Ok(());
            }
        }
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        // SAFETY: an initialised stream, or a blank one, which the library refuses.
        unsafe {
            match self.compresses {
                true => bz::BZ2_bzCompressEnd(&mut *self.raw),
                false => bz::BZ2_bzDecompressEnd(&mut *self.raw),
            };
        }
    }
}

impl Decoder for Stream {
    type Failure = Failure;
    const NEEDS_INPUT_WHEN_FULL: bool = true;

    fn decode(&mut self, input: &[u8], output: &mut Output) -> std::result::Result<Step, Failure> {
        let mut consumed = 0;
        loop {
            let (code, more) = self.step(&input[consumed..], output, 0)?;
            consumed += more;
            let finished = code == bz::BZ_STREAM_END;
            let starved = consumed == input.len() && self.raw.avail_out != 0;
            if finished || starved || output.is_full() {
                return Ok(Step { consumed, finished });
            }
        }
    }
}

/// `_bz2.BZ2Compressor`
#[repr(C)]
pub struct Bz2Compressor {
    header: Header,
    /// Gone once flushed.
    stream: Shared<Option<Stream>>,
}

// SAFETY: repr(C), header first, no references.
unsafe impl Payload for Bz2Compressor {
    const KIND: Kind = Kind::Leaf;
    fn static_type() -> &'static Type {
        BZ2_COMPRESSOR.ty()
    }
}

pub static BZ2_COMPRESSOR: TypeSpec = TypeSpec::new::<Bz2Compressor>("_bz2.BZ2Compressor")
    .doc(
        "BZ2Compressor(compresslevel=9, /)\n\
         --\n\n\
         Compress data piece by piece.\n\n  \
         compresslevel\n    \
         From 1, fast, to 9, small.",
    )
    .slots(|s| s.new = Some(new_compressor))
    .methods(COMPRESSOR_METHODS);

fn new_compressor(vm: &Vm, _: &Value, args: &[Value], kwnames: Option<&Value>) -> Result {
    arguments::no_keywords(vm, "BZ2Compressor", kwnames)?;
    arguments::check_positional(vm, "BZ2Compressor", args.len(), 0, 1)?;
    let level = args.first().map_or(Ok(9), |level| c_int(vm, level))?;
    if !(1..=9).contains(&level) {
        return Err(vm.value_error("compresslevel must be between 1 and 9"));
    }
    let stream = Stream::new(Some(level)).map_err(|failure| raise(vm, failure))?;
    let compressor = Bz2Compressor { header: Header::new(BZ2_COMPRESSOR.ty()), stream: Shared::new(Some(stream)) };
    Ok(Ref::new(compressor).into_value())
}

fn compressor(value: &Value) -> &Bz2Compressor {
    value.downcast::<Bz2Compressor>().expect("methods are called with instances of their type")
}

fn compress(vm: &Vm, this: &Value, args: &[Value]) -> Result {
    let data = vm.bytes_like(&args[0])?;
    let mut slot = compressor(this).stream.lock();
    let Some(stream) = slot.as_mut() else { return Err(vm.value_error("Compressor has been flushed")) };
    let mut output = Output::new(None);
    unlocked(data.len(), || stream.compress(&data, &mut output, false)).map_err(|failure| raise(vm, failure))?;
    output.into_bytes(vm)
}

fn flush(vm: &Vm, this: &Value, _: &[Value]) -> Result {
    let taken = compressor(this).stream.lock().take();
    let Some(mut stream) = taken else { return Err(vm.value_error("Repeated call to flush()")) };
    let mut output = Output::new(None);
    let done = taipan_object::vm::hooks::blocking(|| stream.compress(&[], &mut output, true));
    done.map_err(|failure| raise(vm, failure))?;
    output.into_bytes(vm)
}

method_table! { static COMPRESSOR_METHODS = [
    MethodDef::new("compress($self, data, /)", "What is ready of the compressed data, or b''.", compress),
    MethodDef::new("flush($self, /)", "Finish: the rest of the compressed data. The object cannot be used afterwards.", flush),
]; }

/// `_bz2.BZ2Decompressor`
#[repr(C)]
pub struct Bz2Decompressor {
    header: Header,
    state: Shared<Decompressor<Stream>>,
}

// SAFETY: repr(C), header first, no references.
unsafe impl Payload for Bz2Decompressor {
    const KIND: Kind = Kind::Leaf;
    fn static_type() -> &'static Type {
        BZ2_DECOMPRESSOR.ty()
    }
}

pub static BZ2_DECOMPRESSOR: TypeSpec = TypeSpec::new::<Bz2Decompressor>("_bz2.BZ2Decompressor")
    .doc("BZ2Decompressor()\n--\n\nDecompress data piece by piece.")
    .slots(|s| s.new = Some(new_decompressor))
    .methods(DECOMPRESSOR_METHODS)
    .members(DECOMPRESSOR_MEMBERS);

fn new_decompressor(vm: &Vm, _: &Value, args: &[Value], kwnames: Option<&Value>) -> Result {
    arguments::no_keywords(vm, "BZ2Decompressor", kwnames)?;
    if !args.is_empty() {
        return Err(vm.type_error("BZ2Decompressor() takes no positional arguments"));
    }
    let stream = Stream::new(None).map_err(|failure| raise(vm, failure))?;
    let state = Shared::new(Decompressor::new(stream));
    Ok(Ref::new(Bz2Decompressor { header: Header::new(BZ2_DECOMPRESSOR.ty()), state }).into_value())
}

fn decompressor(value: &Value) -> &Bz2Decompressor {
    value.downcast::<Bz2Decompressor>().expect("methods are called with instances of their type")
}

method_table! { static DECOMPRESSOR_METHODS = [
    MethodDef::new(
        "decompress($self, /, data, max_length=-1)",
        "Decompress data, returning at most max_length bytes unless that is negative.\n\nAfter the end of the stream, \
         further data is in unused_data; needs_input says whether output can come without more input.",
        |vm, this, args| {
            let data = vm.bytes_like(&args[0])?;
            let limit = max_length(vm, &args[1])?;
            let mut state = decompressor(this).state.lock();
            if state.eof {
                return Err(vm.eof_error("End of stream already reached"));
            }
            state.decompress(vm, &data, limit, raise)
        },
    ),
]; }

static DECOMPRESSOR_MEMBERS: &[MemberDef] = &[
    MemberDef::new("eof", "Whether the compressed stream has ended.", |_, this| {
        Ok(Value::from(decompressor(this).state.lock().eof))
    }),
    MemberDef::new("unused_data", "Bytes that followed the compressed stream.", |vm, this| {
        decompressor(this).state.lock().unused_data.value(vm)
    }),
    MemberDef::new("needs_input", "Whether decompress() can give no more data unless it is given more.", |_, this| {
        Ok(Value::from(decompressor(this).state.lock().needs_input))
    }),
];
