//! `zlib`: deflate compression by the zlib library (crate `libz-sys`, its C source built in).
//!
//! `zlib/stream.rs` wraps the library, `compress.rs` and `decompress.rs` have the objects.

mod compress;
mod decompress;
pub(crate) mod stream;

use std::sync::OnceLock;

use libz_sys as z;
use taipan_object::exceptions::EXCEPTION;
use taipan_object::native::MethodDef;
use taipan_object::native::module::ModuleDef;
use taipan_object::vm::Raised;
use taipan_object::{Result, Value, Vm};

use crate::arguments::{c_int, c_ulong_mask};
use crate::compression::{Output, unlocked};
use stream::{Failure, Stream};

pub static MODULE: ModuleDef = ModuleDef {
    name: "zlib",
    doc: "Compression and decompression with the zlib library, which is what gzip uses.",
    functions: FUNCTIONS,
    exec: |vm, module| {
        module.set("error", error_class(vm)?);
        module.set("_ZlibDecompressor", decompress::ZLIB_DECOMPRESSOR.value());
        int_constants!(module;
            MAX_WBITS = MAX_WBITS, DEFLATED = z::Z_DEFLATED, DEF_MEM_LEVEL = DEF_MEM_LEVEL, DEF_BUF_SIZE = DEF_BUF_SIZE,
            Z_BEST_SPEED = z::Z_BEST_SPEED, Z_BEST_COMPRESSION = z::Z_BEST_COMPRESSION,
            Z_NO_COMPRESSION = z::Z_NO_COMPRESSION, Z_DEFAULT_COMPRESSION = z::Z_DEFAULT_COMPRESSION,
            Z_FILTERED = z::Z_FILTERED, Z_HUFFMAN_ONLY = z::Z_HUFFMAN_ONLY, Z_RLE = z::Z_RLE, Z_FIXED = z::Z_FIXED,
            Z_DEFAULT_STRATEGY = z::Z_DEFAULT_STRATEGY,
            Z_NO_FLUSH = z::Z_NO_FLUSH, Z_PARTIAL_FLUSH = z::Z_PARTIAL_FLUSH, Z_SYNC_FLUSH = z::Z_SYNC_FLUSH,
            Z_FULL_FLUSH = z::Z_FULL_FLUSH, Z_FINISH = z::Z_FINISH, Z_BLOCK = z::Z_BLOCK, Z_TREES = z::Z_TREES);
        let version = stream::version().to_string_lossy();
        module.set("ZLIB_VERSION", Value::from(&*version));
        module.set("ZLIB_RUNTIME_VERSION", Value::from(&*version));
        module.set("__version__", Value::from("1.0"));
        Ok(())
    },
};

const MAX_WBITS: i32 = 15;
const DEF_MEM_LEVEL: i32 = 8;
const DEF_BUF_SIZE: i64 = 16 * 1024;

/// `zlib.error`
fn error_class(vm: &Vm) -> Result {
    static CLASS: OnceLock<Value> = OnceLock::new();
    if let Some(class) = CLASS.get() {
        return Ok(class.clone());
    }
    let class = crate::exception_type::new(vm, "zlib", "error", vec![EXCEPTION.value()], None)?;
    Ok(CLASS.get_or_init(|| class).clone())
}

/// Raises `zlib.error` for a status of the library.
fn zlib_error(vm: &Vm, failure: &Failure, doing: &str) -> Raised {
    let explained = match (failure.code, &failure.message) {
        (z::Z_VERSION_ERROR, _) => Some("library version mismatch"),
        (_, Some(message)) => Some(message.as_str()),
        (z::Z_BUF_ERROR, None) => Some("incomplete or truncated stream"),
        (z::Z_STREAM_ERROR, None) => Some("inconsistent stream state"),
        (z::Z_DATA_ERROR, None) => Some("invalid input data"),
        _ => None,
    };
    let code = failure.code;
    let doing = if failure.of_dictionary { "while setting zdict" } else { doing };
    raise_error(
        vm,
        match explained {
            Some(text) => format!("Error {code} {doing}: {text}"),
            None => format!("Error {code} {doing}"),
        },
    )
}

fn raise_error(vm: &Vm, message: String) -> Raised {
    let exception = error_class(vm).and_then(|class| vm.call_args(&class, &[Value::from(message)]));
    match exception {
        Ok(exception) => vm.raise(exception),
        Err(raised) => raised,
    }
}

/// An optional `int` argument.
fn int_or(vm: &Vm, value: &Value, default: i32) -> Result<i32> {
    value.bound().map_or(Ok(default), |value| c_int(vm, value))
}

fn compress(vm: &Vm, _: &Value, args: &[Value]) -> Result {
    let data = vm.bytes_like(&args[0])?;
    let level = int_or(vm, &args[1], z::Z_DEFAULT_COMPRESSION)?;
    let wbits = int_or(vm, &args[2], MAX_WBITS)?;
    let doing = "while compressing data";
    let stream = Stream::deflate(level, z::Z_DEFLATED, wbits, DEF_MEM_LEVEL, z::Z_DEFAULT_STRATEGY);
    let mut stream = stream.map_err(|failure| match failure.code {
        z::Z_MEM_ERROR => vm.memory_error_with("Out of memory while compressing data"),
        z::Z_STREAM_ERROR => raise_error(vm, "Bad compression level".to_string()),
        _ => zlib_error(vm, &failure, doing),
    })?;
    let mut output = Output::new(None);
    match unlocked(data.len(), || stream.deflate_all(&data, &mut output, z::Z_FINISH)) {
        Ok(_) => output.into_bytes(vm),
        Err(failure) if failure.code == z::Z_MEM_ERROR => Err(vm.memory_error()),
        Err(failure) => Err(zlib_error(vm, &failure, doing)),
    }
}

fn decompress(vm: &Vm, _: &Value, args: &[Value]) -> Result {
    let data = vm.bytes_like(&args[0])?;
    let wbits = int_or(vm, &args[1], MAX_WBITS)?;
    let bufsize = args[2].bound().map_or(Ok(DEF_BUF_SIZE), |size| vm.index_i64(size))?;
    if bufsize < 0 {
        return Err(vm.value_error("bufsize must be non-negative"));
    }
    let stream = Stream::inflate(wbits);
    let mut stream = stream.map_err(|failure| match failure.code {
        z::Z_MEM_ERROR => vm.memory_error_with("Out of memory while decompressing data"),
        _ => zlib_error(vm, &failure, "while preparing to decompress data"),
    })?;
    let mut output = Output::unlimited(bufsize.max(1) as usize).map_err(|_| vm.memory_error())?;
    let doing = "while decompressing data";
    match unlocked(data.len(), || stream.inflate_all(&data, &mut output, (z::Z_NO_FLUSH, z::Z_FINISH), None).0) {
        Ok(z::Z_STREAM_END) => output.into_bytes(vm),
        Ok(code) => Err(zlib_error(vm, &stream.failure(code), doing)),
        Err(failure) if failure.code == z::Z_MEM_ERROR => {
            Err(vm.memory_error_with("Out of memory while decompressing data"))
        }
        Err(failure) => Err(zlib_error(vm, &failure, doing)),
    }
}

/// `adler32` or `crc32`.
fn checksum(vm: &Vm, args: &[Value], function: fn(u32, &[u8]) -> u32) -> Result {
    let data = vm.bytes_like(&args[0])?;
    let value = c_ulong_mask(vm, &args[1])? as u32;
    Ok(Value::from(unlocked(data.len() / 4, || function(value, &data))))
}

/// The bytes of a `zdict` argument.
fn dictionary(vm: &Vm, value: &Value) -> Result<Vec<u8>> {
    let data = vm.bytes_like(value)?;
    if u32::try_from(data.len()).is_err() {
        return Err(vm.overflow_error("zdict length does not fit in an unsigned int"));
    }
    let mut copy = Vec::new();
    copy.try_reserve_exact(data.len()).map_err(|_| vm.memory_error())?;
    copy.extend_from_slice(&data);
    Ok(copy)
}

taipan_object::method_table! {
    static FUNCTIONS = [
        MethodDef::new("adler32($module, data, value=1, /)", "Compute an Adler-32 checksum of data, going on from value.", |vm, _, args| {
            checksum(vm, args, stream::adler32)
        }),
        MethodDef::new("compress($module, data, /, level=Z_DEFAULT_COMPRESSION, wbits=MAX_WBITS)", "The data, compressed.", compress),
        MethodDef::new(
            "compressobj($module, /, level=Z_DEFAULT_COMPRESSION, method=DEFLATED,\n            wbits=MAX_WBITS, \
             memLevel=DEF_MEM_LEVEL,\n            strategy=Z_DEFAULT_STRATEGY, zdict=<unrepresentable>)",
            "A compressor object.",
            compress::compressobj,
        ),
        MethodDef::new("crc32($module, data, value=0, /)", "Compute a CRC-32 checksum of data, going on from value.", |vm, _, args| {
            checksum(vm, args, stream::crc32)
        }),
        MethodDef::new("decompress($module, data, /, wbits=MAX_WBITS, bufsize=DEF_BUF_SIZE)", "The data, decompressed.", decompress),
        MethodDef::new("decompressobj($module, /, wbits=MAX_WBITS, zdict=b'')", "A decompressor object.", decompress::decompressobj),
    ];
}
