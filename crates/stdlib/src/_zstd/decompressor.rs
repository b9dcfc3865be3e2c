//! `compression.zstd.ZstdDecompressor`

use taipan_object::header::Header;
use taipan_object::heap::Kind;
use taipan_object::native::{GetSetDef, MemberDef, MethodDef};
use taipan_object::object::Payload;
use taipan_object::types::{Type, TypeSpec};
use taipan_object::{Ref, Result, Value, Vm, method_table};
use zstd_sys as zs;

use super::dictionary::{self, Loaded};
use super::parameters::{self, Context};
use super::{Failure, check};
use crate::compression::{Decoder, Decompressor, Output, Shared, Step, max_length};
use crate::payload::signature;

struct Stream {
    raw: *mut zs::ZSTD_DCtx,
    /// Dropped after the context, which refers to it.
    dictionary: Loaded,
}

// SAFETY: a context is used by one thread at a time.
unsafe impl Send for Stream {}

impl Drop for Stream {
    fn drop(&mut self) {
        // SAFETY: a live context.
        unsafe { zs::ZSTD_freeDCtx(self.raw) };
    }
}

impl Decoder for Stream {
    type Failure = Failure;
    const NEEDS_INPUT_WHEN_FULL: bool = false;

    fn decode(&mut self, data: &[u8], output: &mut Output) -> std::result::Result<Step, Failure> {
        let mut input = zs::ZSTD_inBuffer { src: data.as_ptr().cast(), size: data.len(), pos: 0 };
        loop {
            let (room, size) = output.room()?;
            let mut out = zs::ZSTD_outBuffer { dst: room.cast(), size, pos: 0 };
            // SAFETY: a live context, readable input and writable output.
            let code = unsafe { zs::ZSTD_decompressStream(self.raw, &mut out, &mut input) };
            // SAFETY: the library wrote so many bytes.
            unsafe { output.advance(out.pos) };
            let left = match check(code) {
                Ok(left) => left,
                Err(failure) => {
                    // SAFETY: a live context, ready for another frame.
                    unsafe { zs::ZSTD_DCtx_reset(self.raw, zs::ZSTD_ResetDirective::ZSTD_reset_session_only) };
                    return Err(failure);
                }
            };
            let finished = left == 0;
            let starved = input.pos == input.size && out.pos < out.size;
            if finished || starved || output.is_full() {
                return Ok(Step { consumed: input.pos, finished });
            }
        }
    }
}

#[repr(C)]
pub struct ZstdDecompressor {
    header: Header,
    state: Shared<Decompressor<Stream>>,
}

// SAFETY: repr(C), header first, no references.
unsafe impl Payload for ZstdDecompressor {
    const KIND: Kind = Kind::Leaf;
    fn static_type() -> &'static Type {
        ZSTD_DECOMPRESSOR.ty()
    }
}

pub static ZSTD_DECOMPRESSOR: TypeSpec = TypeSpec::new::<ZstdDecompressor>("compression.zstd.ZstdDecompressor")
    .doc(
        "ZstdDecompressor(zstd_dict=None, options=None)\n\
         --\n\n\
         Decompress data piece by piece.\n\n  \
         zstd_dict\n    \
         The ZstdDict with which the data were compressed.\n  \
         options\n    \
         Parameters of the decompression, a dictionary.",
    )
    .slots(|s| s.new = Some(new))
    .methods(METHODS)
    .members(MEMBERS)
    .getset(GETSET);

signature!(NEW = "ZstdDecompressor(zstd_dict=None, options=None)");

fn new(vm: &Vm, _: &Value, args: &[Value], kwnames: Option<&Value>) -> Result {
    let args = NEW.bind(vm, args, kwnames)?;
    // SAFETY: a function without preconditions.
    let raw = unsafe { zs::ZSTD_createDCtx() };
    if raw.is_null() {
        return Err(super::zstd_error(vm, "Unable to create ZSTD_DCtx instance.".to_string()));
    }
    let mut stream = Stream { raw, dictionary: Loaded::default() };
    let context = Context::Decompression(raw);
    if !args[0].is_none() {
        stream.dictionary = dictionary::load(vm, context, &args[0], 0)?;
    }
    if !args[1].is_none() {
        for (parameter, value) in parameters::options(vm, &args[1], "ZstdDecompressor", false)? {
            parameters::set(vm, context, parameter, value)?;
        }
    }
    let state = Shared::new(Decompressor::new(stream));
    Ok(Ref::new(ZstdDecompressor { header: Header::new(ZSTD_DECOMPRESSOR.ty()), state }).into_value())
}

fn own(value: &Value) -> &ZstdDecompressor {
    value.downcast::<ZstdDecompressor>().expect("methods are called with instances of their type")
}

method_table! { static METHODS = [
    MethodDef::new(
        "decompress($self, /, data, max_length=-1)",
        "Decompress data, returning at most max_length bytes unless that is negative.\n\nAfter the end of the frame, \
         further data is in unused_data; needs_input says whether output can come without more input.",
        |vm, this, args| {
            let data = vm.bytes_like(&args[0])?;
            let limit = max_length(vm, &args[1])?;
            let mut state = own(this).state.lock();
            if state.eof {
                return Err(vm.eof_error("Already at the end of a Zstandard frame."));
            }
            state.decompress(vm, &data, limit, |vm, failure| failure.raise(vm, "decompress Zstandard data"))
        },
    ),
]; }

static MEMBERS: &[MemberDef] = &[
    MemberDef::new("eof", "Whether the frame has ended.", |_, this| Ok(Value::from(own(this).state.lock().eof))),
    MemberDef::new("needs_input", "Whether decompress() can give no more data unless it is given more.", |_, this| {
        Ok(Value::from(own(this).state.lock().needs_input))
    }),
];

static GETSET: &[GetSetDef] = &[GetSetDef::new("unused_data", "What followed the frame.", |vm, this| {
    own(this).state.lock().unused_data.value(vm)
})];
