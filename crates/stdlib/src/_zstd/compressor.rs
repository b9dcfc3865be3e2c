//! `compression.zstd.ZstdCompressor`

use std::os::raw::c_int;

use taipan_object::builtins::int;
use taipan_object::builtins::str::intern;
use taipan_object::header::Header;
use taipan_object::heap::Kind;
use taipan_object::native::{MemberDef, MethodDef};
use taipan_object::object::Payload;
use taipan_object::types::{Type, TypeSpec};
use taipan_object::{Ref, Result, Value, Vm, method_table};
use zstd_sys as zs;

use super::dictionary::{self, Loaded};
use super::parameters::{self, COMPRESSION_LEVEL, Context};
use super::{Failure, check};
use crate::arguments::c_int;
use crate::compression::{Output, Shared, unlocked};
use crate::payload::signature;

const CONTINUE: c_int = 0;
const FLUSH_BLOCK: c_int = 1;
const FLUSH_FRAME: c_int = 2;

struct Stream {
    raw: *mut zs::ZSTD_CCtx,
    last_mode: c_int,
    /// Dropped after the context, which refers to it.
    dictionary: Loaded,
}

// SAFETY: a context is used by one thread at a time.
unsafe impl Send for Stream {}

impl Drop for Stream {
    fn drop(&mut self) {
        if self.last_mode != FLUSH_FRAME && self.dictionary.is_any() {
            self.wait_for_workers();
        }
        // SAFETY: a live context.
        unsafe { zs::ZSTD_freeCCtx(self.raw) };
    }
}

impl Stream {
    /// Waits until nobody compresses any more: the library frees a context's dictionary before its threads have ended. They
    /// are waited for when another frame is begun.
    fn wait_for_workers(&mut self) {
        let mut output = zs::ZSTD_outBuffer { dst: std::ptr::null_mut(), size: 0, pos: 0 };
        let mut input = zs::ZSTD_inBuffer { src: std::ptr::null(), size: 0, pos: 0 };
        // SAFETY: a live context; input and output are empty.
        unsafe {
            zs::ZSTD_CCtx_reset(self.raw, zs::ZSTD_ResetDirective::ZSTD_reset_session_only);
            zs::ZSTD_compressStream2(self.raw, &mut output, &mut input, zs::ZSTD_EndDirective::ZSTD_e_flush);
        }
    }

    /// Compresses all of the input and flushes as asked.
    fn compress(&mut self, data: &[u8], output: &mut Output, mode: c_int) -> std::result::Result<(), Failure> {
        let directive = match mode {
            CONTINUE => zs::ZSTD_EndDirective::ZSTD_e_continue,
            FLUSH_BLOCK => zs::ZSTD_EndDirective::ZSTD_e_flush,
            _ => zs::ZSTD_EndDirective::ZSTD_e_end,
        };
        let mut input = zs::ZSTD_inBuffer { src: data.as_ptr().cast(), size: data.len(), pos: 0 };
        loop {
            let (room, size) = output.room()?;
            let mut out = zs::ZSTD_outBuffer { dst: room.cast(), size, pos: 0 };
            // SAFETY: a live context, readable input and writable output.
            let code = unsafe { zs::ZSTD_compressStream2(self.raw, &mut out, &mut input, directive) };
            // SAFETY: the library wrote so many bytes.
            unsafe { output.advance(out.pos) };
            let left = check(code)?;
            let done = if mode == CONTINUE { input.pos == input.size } else { left == 0 };
            if done {
                return Ok(());
            }
        }
    }
}

#[repr(C)]
pub struct ZstdCompressor {
    header: Header,
    stream: Shared<Stream>,
}

// SAFETY: repr(C), header first, no references.
unsafe impl Payload for ZstdCompressor {
    const KIND: Kind = Kind::Leaf;
    fn static_type() -> &'static Type {
        ZSTD_COMPRESSOR.ty()
    }
}

pub static ZSTD_COMPRESSOR: TypeSpec = TypeSpec::new::<ZstdCompressor>("compression.zstd.ZstdCompressor")
    .doc(
        "ZstdCompressor(level=None, options=None, zstd_dict=None)\n\
         --\n\n\
         Compress data piece by piece.\n\n  \
         level\n    \
         How small the result is to be.\n  \
         options\n    \
         Parameters of the compression, a dictionary.\n  \
         zstd_dict\n    \
         What was learned from similar data, a ZstdDict.",
    )
    .slots(|s| s.new = Some(new))
    .methods(METHODS)
    .members(MEMBERS)
    .populate(|ty| {
        let set = |name: &str, value: c_int| ty.dict().set_str(intern(name).as_value(), Value::from(value));
        set("CONTINUE", CONTINUE);
        set("FLUSH_BLOCK", FLUSH_BLOCK);
        set("FLUSH_FRAME", FLUSH_FRAME);
    });

signature!(NEW = "ZstdCompressor(level=None, options=None, zstd_dict=None)");

fn new(vm: &Vm, _: &Value, args: &[Value], kwnames: Option<&Value>) -> Result {
    let args = NEW.bind(vm, args, kwnames)?;
    // SAFETY: a function without preconditions.
    let raw = unsafe { zs::ZSTD_createCCtx() };
    if raw.is_null() {
        return Err(super::zstd_error(vm, "Unable to create ZSTD_CCtx instance.".to_string()));
    }
    let mut stream = Stream { raw, last_mode: FLUSH_FRAME, dictionary: Loaded::default() };
    let context = Context::Compression(raw);
    let mut level = 0;
    if !args[0].is_none() && !args[1].is_none() {
        return Err(vm.type_error("Only one of level or options should be used."));
    }
    if !args[0].is_none() {
        level = parameters::level(vm, &args[0])?;
        parameters::set(vm, context, COMPRESSION_LEVEL, level)?;
    } else if !args[1].is_none() {
        for (parameter, value) in parameters::options(vm, &args[1], "ZstdCompressor", true)? {
            if parameter == COMPRESSION_LEVEL {
                level = value;
            }
            parameters::set(vm, context, parameter, value)?;
        }
    }
    if !args[2].is_none() {
        stream.dictionary = dictionary::load(vm, context, &args[2], level)?;
    }
    let compressor = ZstdCompressor { header: Header::new(ZSTD_COMPRESSOR.ty()), stream: Shared::new(stream) };
    Ok(Ref::new(compressor).into_value())
}

fn own(value: &Value) -> &ZstdCompressor {
    value.downcast::<ZstdCompressor>().expect("methods are called with instances of their type")
}

fn run(vm: &Vm, this: &Value, data: &[u8], mode: c_int) -> Result {
    let mut stream = own(this).stream.lock();
    let mut output = Output::new(None);
    let work = |stream: &mut Stream, output: &mut Output| stream.compress(data, output, mode);
    let outcome = match mode {
        CONTINUE => unlocked(data.len(), || work(&mut stream, &mut output)),
        // What has been gathered may be long, which only the library knows.
        _ => taipan_object::vm::hooks::blocking(|| work(&mut stream, &mut output)),
    };
    match outcome {
        Ok(()) => {
            stream.last_mode = mode;
            drop(stream);
            output.into_bytes(vm)
        }
        Err(failure) => {
            stream.last_mode = FLUSH_FRAME;
            // SAFETY: a live context, ready for another frame.
            unsafe { zs::ZSTD_CCtx_reset(stream.raw, zs::ZSTD_ResetDirective::ZSTD_reset_session_only) };
            drop(stream);
            Err(failure.raise(vm, "compress Zstandard data"))
        }
    }
}

fn set_pledged_input_size(vm: &Vm, this: &Value, args: &[Value]) -> Result {
    const UNKNOWN: u64 = u64::MAX;
    let size = if args[0].is_none() {
        UNKNOWN
    } else {
        if !int::is_int(&args[0]) {
            return Err(vm.type_error("an integer is required"));
        }
        match int::to_u64(&args[0]) {
            Some(size) if size < UNKNOWN - 1 => size,
            _ => {
                let limit = UNKNOWN - 1;
                return Err(vm.value_error(format!("size argument should be a positive int less than {limit}")));
            }
        }
    };
    let stream = own(this).stream.lock();
    if stream.last_mode != FLUSH_FRAME {
        let message = "set_pledged_input_size() method must be called when last_mode == FLUSH_FRAME";
        return Err(vm.value_error(message));
    }
    // SAFETY: a live context between frames.
    let code = unsafe { zs::ZSTD_CCtx_setPledgedSrcSize(stream.raw, size) };
    drop(stream);
    check(code).map_err(|failure| failure.raise(vm, "set pledged uncompressed content size"))?;
    Ok(Value::NONE)
}

method_table! { static METHODS = [
    MethodDef::new("compress($self, /, data, mode=ZstdCompressor.CONTINUE)", "What is ready of the compressed data, or b''.", |vm, this, args| {
        let data = vm.bytes_like(&args[0])?;
        let mode = args[1].bound().map_or(Ok(CONTINUE), |mode| c_int(vm, mode))?;
        if !(CONTINUE..=FLUSH_FRAME).contains(&mode) {
            return Err(vm.value_error(
                "mode argument wrong value, it should be one of ZstdCompressor.CONTINUE, ZstdCompressor.FLUSH_BLOCK, \
                 ZstdCompressor.FLUSH_FRAME.",
            ));
        }
        run(vm, this, &data, mode)
    }),
    MethodDef::new("flush($self, /, mode=ZstdCompressor.FLUSH_FRAME)", "Finish a block or the frame: the rest of its compressed data.", |vm, this, args| {
        let mode = args[0].bound().map_or(Ok(FLUSH_FRAME), |mode| c_int(vm, mode))?;
        if mode != FLUSH_FRAME && mode != FLUSH_BLOCK {
            return Err(vm.value_error(
                "mode argument wrong value, it should be ZstdCompressor.FLUSH_FRAME or ZstdCompressor.FLUSH_BLOCK.",
            ));
        }
        run(vm, this, &[], mode)
    }),
    MethodDef::new("set_pledged_input_size($self, size, /)", "\
        State how many bytes the frame is going to hold, for its header.", set_pledged_input_size),
]; }

static MEMBERS: &[MemberDef] =
    &[MemberDef::new("last_mode", "What the last call did: CONTINUE, FLUSH_BLOCK or FLUSH_FRAME.", |_, this| {
        Ok(Value::from(own(this).stream.lock().last_mode))
    })];
