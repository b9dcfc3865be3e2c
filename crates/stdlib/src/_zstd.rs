//! `_zstd`: Zstandard compression by libzstd (crate `zstd-sys`, its C source built in).
//!
//! `_zstd/parameters.rs` has the options, `dictionary.rs` dictionaries, `compressor.rs` and `decompressor.rs` the
//! streams.

mod compressor;
mod decompressor;
mod dictionary;
mod parameters;

use std::ffi::CStr;
use std::os::raw::c_char;
use std::sync::OnceLock;

use taipan_object::builtins::tuple::Tuple;
use taipan_object::exceptions::EXCEPTION;
use taipan_object::native::MethodDef;
use taipan_object::native::module::ModuleDef;
use taipan_object::vm::Raised;
use taipan_object::{Result, Value, Vm};
use zstd_sys as zs;

use crate::compression::NoMemory;

pub static MODULE: ModuleDef = ModuleDef {
    name: "_zstd",
    doc: "Compression with Zstandard.",
    functions: FUNCTIONS,
    exec: |vm, module| {
        module.set("ZstdError", error_class(vm)?);
        for spec in [&compressor::ZSTD_COMPRESSOR, &decompressor::ZSTD_DECOMPRESSOR, &dictionary::ZSTD_DICT] {
            module.add_type(spec);
        }
        for (name, value) in parameters::CONSTANTS {
            module.set(name, Value::from(*value));
        }
        // SAFETY: functions without preconditions; the version is a static string.
        unsafe {
            module.set("ZSTD_CLEVEL_DEFAULT", Value::from(zs::ZSTD_defaultCLevel()));
            module.set("ZSTD_DStreamOutSize", Value::from(zs::ZSTD_DStreamOutSize()));
            module.set("zstd_version", Value::from(&*CStr::from_ptr(zs::ZSTD_versionString()).to_string_lossy()));
            module.set("zstd_version_number", Value::from(zs::ZSTD_versionNumber()));
        }
        Ok(())
    },
};

/// `compression.zstd.ZstdError`
fn error_class(vm: &Vm) -> Result {
    static CLASS: OnceLock<Value> = OnceLock::new();
    if let Some(class) = CLASS.get() {
        return Ok(class.clone());
    }
    let doc = Some("Data or parameters were refused by Zstandard.");
    let class = crate::exception_type::new(vm, "compression.zstd", "ZstdError", vec![EXCEPTION.value()], doc)?;
    Ok(CLASS.get_or_init(|| class).clone())
}

fn zstd_error(vm: &Vm, message: String) -> Raised {
    match error_class(vm).and_then(|class| vm.call_args(&class, &[Value::from(message)])) {
        Ok(exception) => vm.raise(exception),
        Err(raised) => raised,
    }
}

/// Why a call of the library failed.
pub enum Failure {
    Zstd(String),
    Memory,
}

impl From<NoMemory> for Failure {
    fn from(_: NoMemory) -> Failure {
        Failure::Memory
    }
}

impl Failure {
    fn raise(self, vm: &Vm, doing: &str) -> Raised {
        match self {
            Failure::Zstd(text) => zstd_error(vm, format!("Unable to {doing}: {text}")),
            Failure::Memory => vm.memory_error(),
        }
    }
}

/// A static string of the library.
fn text(name: *const c_char) -> String {
    // SAFETY: the library's names of errors are C strings that live forever.
    unsafe { CStr::from_ptr(name) }.to_string_lossy().into_owned()
}

/// A result of the library, or its error.
fn check(code: usize) -> std::result::Result<usize, Failure> {
    // SAFETY: functions of any number.
    unsafe {
        match zs::ZSTD_isError(code) {
            0 => Ok(code),
            _ => Err(Failure::Zstd(text(zs::ZSTD_getErrorName(code)))),
        }
    }
}

fn get_frame_info(vm: &Vm, _: &Value, args: &[Value]) -> Result {
    const UNKNOWN: u64 = u64::MAX;
    const ERROR: u64 = u64::MAX - 1;
    let frame = vm.bytes_like(&args[0])?;
    // SAFETY: the frame is readable.
    let (size, dictionary) = unsafe {
        let start = frame.as_ptr().cast();
        (zs::ZSTD_getFrameContentSize(start, frame.len()), zs::ZSTD_getDictID_fromFrame(start, frame.len()))
    };
    if size == ERROR {
        return Err(zstd_error(
            vm,
            "Error when getting information from the header of a Zstandard frame. Ensure the frame_buffer argument starts \
             from the beginning of a frame, and its length is not less than the frame header (6~18 bytes)."
                .to_string(),
        ));
    }
    let size = if size == UNKNOWN { Value::NONE } else { Value::from(size) };
    Ok(Tuple::from_array([size, Value::from(dictionary)]).into_value())
}

fn get_frame_size(vm: &Vm, _: &Value, args: &[Value]) -> Result {
    let frame = vm.bytes_like(&args[0])?;
    // SAFETY: the frame is readable.
    match check(unsafe { zs::ZSTD_findFrameCompressedSize(frame.as_ptr().cast(), frame.len()) }) {
        Ok(size) => Ok(Value::from(size)),
        Err(Failure::Memory) => Err(vm.memory_error()),
        Err(Failure::Zstd(text)) => Err(zstd_error(
            vm,
            format!(
                "Error when finding the compressed size of a Zstandard frame. Ensure the frame_buffer argument starts from \
                 the beginning of a frame, and its length is not less than this complete frame. Zstd error message: {text}."
            ),
        )),
    }
}

taipan_object::method_table! {
    static FUNCTIONS = [
        MethodDef::new(
            "train_dict($module, samples_bytes, samples_sizes, dict_size, /)",
            "Make a dictionary from samples of the data to be compressed.",
            dictionary::train_dict,
        ),
        MethodDef::new(
            "finalize_dict($module, custom_dict_bytes, samples_bytes, samples_sizes,\n              dict_size, \
             compression_level, /)",
            "Finalize a Zstandard dictionary.",
            dictionary::finalize_dict,
        ),
        MethodDef::new("get_param_bounds($module, /, parameter, is_compress)", "Get CompressionParameter/DecompressionParameter bounds.", parameters::get_param_bounds),
        MethodDef::new("get_frame_size($module, /, frame_buffer)", "\
            Count the bytes of a frame, from its header to its checksum.", get_frame_size),
        MethodDef::new("get_frame_info($module, /, frame_buffer)", "Get Zstandard frame information from a frame header.", get_frame_info),
        MethodDef::new(
            "set_parameter_types($module, /, c_parameter_type, d_parameter_type)",
            "Set the classes that name the parameters of compression and decompression.",
            parameters::set_parameter_types,
        ),
    ];
}
