//! `zlib.Compress`, what `compressobj()` returns.

use libz_sys as z;
use taipan_object::header::Header;
use taipan_object::heap::Kind;
use taipan_object::native::MethodDef;
use taipan_object::object::Payload;
use taipan_object::types::{Type, TypeSpec, type_flags};
use taipan_object::{Ref, Result, Value, Vm, method_table};

use super::stream::{Failure, Stream};
use super::{DEF_MEM_LEVEL, MAX_WBITS, dictionary, int_or, zlib_error};
use crate::arguments::c_int;
use crate::compression::{Output, Shared, unlocked};

/// A compressor; its stream is gone once finished.
#[repr(C)]
pub struct Compress {
    header: Header,
    stream: Shared<Option<Stream>>,
}

// SAFETY: repr(C), header first, no references.
unsafe impl Payload for Compress {
    const KIND: Kind = Kind::Leaf;
    fn static_type() -> &'static Type {
        COMPRESS.ty()
    }
}

pub static COMPRESS: TypeSpec =
    TypeSpec::new::<Compress>("zlib.Compress").flags(type_flags::DISALLOW_INSTANTIATION).methods(METHODS);

impl Compress {
    fn of(value: &Value) -> &Compress {
        value.downcast::<Compress>().expect("methods are called with instances of their type")
    }
    fn make(stream: Stream) -> Value {
        Ref::new(Compress { header: Header::new(COMPRESS.ty()), stream: Shared::new(Some(stream)) }).into_value()
    }
}

pub fn compressobj(vm: &Vm, _: &Value, args: &[Value]) -> Result {
    let level = int_or(vm, &args[0], z::Z_DEFAULT_COMPRESSION)?;
    let method = int_or(vm, &args[1], z::Z_DEFLATED)?;
    let wbits = int_or(vm, &args[2], MAX_WBITS)?;
    let mem_level = int_or(vm, &args[3], DEF_MEM_LEVEL)?;
    let strategy = int_or(vm, &args[4], z::Z_DEFAULT_STRATEGY)?;
    let zdict = args[5].bound().map(|zdict| dictionary(vm, zdict)).transpose()?;
    let doing = "while creating compression object";
    let stream = Stream::deflate(level, method, wbits, mem_level, strategy);
    let mut stream = stream.map_err(|failure| match failure.code {
        z::Z_MEM_ERROR => vm.memory_error_with("Can't allocate memory for compression object"),
        z::Z_STREAM_ERROR => vm.value_error("Invalid initialization option"),
        _ => zlib_error(vm, &failure, doing),
    })?;
    if let Some(zdict) = zdict {
        stream.set_dictionary(&zdict).map_err(|failure| match failure.code {
            z::Z_STREAM_ERROR => vm.value_error("Invalid dictionary"),
            _ => vm.value_error("deflateSetDictionary() failed"),
        })?;
    }
    Ok(Compress::make(stream))
}

fn compress(vm: &Vm, this: &Value, args: &[Value]) -> Result {
    let data = vm.bytes_like(&args[0])?;
    let mut stream = Compress::of(this).stream.lock();
    let mut output = Output::new(None);
    let outcome = match stream.as_mut() {
        Some(stream) => unlocked(data.len(), || stream.deflate_all(&data, &mut output, z::Z_NO_FLUSH)),
        None => Err(Failure::from(z::Z_STREAM_ERROR)),
    };
    match outcome {
        Ok(_) => output.into_bytes(vm),
        Err(failure) if failure.code == z::Z_MEM_ERROR => Err(vm.memory_error()),
        Err(failure) => Err(zlib_error(vm, &failure, "while compressing data")),
    }
}

fn flush(vm: &Vm, this: &Value, args: &[Value]) -> Result {
    let mode = args[0].bound().map_or(Ok(z::Z_FINISH), |mode| c_int(vm, mode))?;
    if mode == z::Z_NO_FLUSH {
        return Ok(taipan_object::builtins::bytes::empty());
    }
    let mut slot = Compress::of(this).stream.lock();
    let mut output = Output::new(None);
    let doing = "while flushing";
    let Some(stream) = slot.as_mut() else {
        return Err(zlib_error(vm, &Failure::from(z::Z_STREAM_ERROR), doing));
    };
    // What has been gathered may be long, which only the library knows.
    match taipan_object::vm::hooks::blocking(|| stream.deflate_all(&[], &mut output, mode)) {
        Ok(z::Z_STREAM_END) if mode == z::Z_FINISH => *slot = None,
        Ok(z::Z_OK | z::Z_BUF_ERROR) => {}
        Ok(code) => return Err(zlib_error(vm, &stream.failure(code), doing)),
        Err(failure) if failure.code == z::Z_MEM_ERROR => return Err(vm.memory_error()),
        Err(failure) => return Err(zlib_error(vm, &failure, doing)),
    }
    output.into_bytes(vm)
}

fn copy(vm: &Vm, this: &Value, _: &[Value]) -> Result {
    let mut stream = Compress::of(this).stream.lock();
    let copy = match stream.as_mut() {
        Some(stream) => stream.copy(),
        None => Err(Failure::from(z::Z_STREAM_ERROR)),
    };
    match copy {
        Ok(copy) => Ok(Compress::make(copy)),
        Err(failure) => Err(match failure.code {
            z::Z_STREAM_ERROR => vm.value_error("Inconsistent stream state"),
            z::Z_MEM_ERROR => vm.memory_error_with("Can't allocate memory for compression object"),
            _ => zlib_error(vm, &failure, "while copying compression object"),
        }),
    }
}

method_table! { static METHODS = [
    MethodDef::new("compress($self, data, /)", "What is ready of the compressed data, as bytes.", compress),
    MethodDef::new("flush($self, mode=zlib.Z_FINISH, /)", "The rest of the compressed data, as bytes.", flush),
    MethodDef::new("copy($self, /)", "A compressor in the same state.", copy),
    MethodDef::new("__copy__($self, /)", "", copy),
    MethodDef::new("__deepcopy__($self, memo, /)", "", copy),
]; }
