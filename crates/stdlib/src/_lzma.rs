//! `_lzma`: xz and lzma compression by liblzma (crate `liblzma-sys`, its C source built in).
//!
//! `_lzma/filters.rs` has filter chains, `stream.rs` wraps the library, `coders.rs` has the objects.

mod coders;
mod filters;
mod stream;

use std::sync::OnceLock;

use liblzma_sys as lz;
use taipan_object::exceptions::EXCEPTION;
use taipan_object::native::MethodDef;
use taipan_object::native::module::ModuleDef;
use taipan_object::vm::Raised;
use taipan_object::{Result, Value, Vm};

use crate::arguments::c_int;
use stream::Failure;

pub static MODULE: ModuleDef = ModuleDef {
    name: "_lzma",
    doc: "",
    functions: FUNCTIONS,
    exec: |vm, module| {
        module.set("LZMAError", error_class(vm)?);
        module.add_type(&coders::LZMA_COMPRESSOR);
        module.add_type(&coders::LZMA_DECOMPRESSOR);
        int_constants!(module;
            FORMAT_AUTO = coders::FORMAT_AUTO, FORMAT_XZ = coders::FORMAT_XZ, FORMAT_ALONE = coders::FORMAT_ALONE,
            FORMAT_RAW = coders::FORMAT_RAW,
            CHECK_NONE = lz::LZMA_CHECK_NONE, CHECK_CRC32 = lz::LZMA_CHECK_CRC32, CHECK_CRC64 = lz::LZMA_CHECK_CRC64,
            CHECK_SHA256 = lz::LZMA_CHECK_SHA256, CHECK_ID_MAX = CHECK_ID_MAX, CHECK_UNKNOWN = CHECK_UNKNOWN,
            FILTER_LZMA1 = lz::LZMA_FILTER_LZMA1, FILTER_LZMA2 = lz::LZMA_FILTER_LZMA2,
            FILTER_DELTA = lz::LZMA_FILTER_DELTA, FILTER_X86 = lz::LZMA_FILTER_X86,
            FILTER_POWERPC = lz::LZMA_FILTER_POWERPC, FILTER_IA64 = lz::LZMA_FILTER_IA64,
            FILTER_ARM = lz::LZMA_FILTER_ARM, FILTER_ARMTHUMB = lz::LZMA_FILTER_ARMTHUMB,
            FILTER_SPARC = lz::LZMA_FILTER_SPARC,
            MF_HC3 = lz::LZMA_MF_HC3, MF_HC4 = lz::LZMA_MF_HC4, MF_BT2 = lz::LZMA_MF_BT2, MF_BT3 = lz::LZMA_MF_BT3,
            MF_BT4 = lz::LZMA_MF_BT4, MODE_FAST = lz::LZMA_MODE_FAST, MODE_NORMAL = lz::LZMA_MODE_NORMAL,
            PRESET_DEFAULT = lz::LZMA_PRESET_DEFAULT, PRESET_EXTREME = lz::LZMA_PRESET_EXTREME);
        Ok(())
    },
};

const CHECK_ID_MAX: u32 = 15;
const CHECK_UNKNOWN: u32 = CHECK_ID_MAX + 1;

/// `_lzma.LZMAError`
fn error_class(vm: &Vm) -> Result {
    static CLASS: OnceLock<Value> = OnceLock::new();
    if let Some(class) = CLASS.get() {
        return Ok(class.clone());
    }
    let doc = Some("Liblzma refused data or parameters.");
    let class = crate::exception_type::new(vm, "_lzma", "LZMAError", vec![EXCEPTION.value()], doc)?;
    Ok(CLASS.get_or_init(|| class).clone())
}

fn lzma_error(vm: &Vm, message: String) -> Raised {
    let exception = error_class(vm).and_then(|class| vm.call_args(&class, &[Value::from(message)]));
    match exception {
        Ok(exception) => vm.raise(exception),
        Err(raised) => raised,
    }
}

/// Raises what a status of the library means.
fn raise(vm: &Vm, Failure(code): Failure) -> Raised {
    let text = match code {
        lz::LZMA_MEM_ERROR => return vm.memory_error(),
        lz::LZMA_UNSUPPORTED_CHECK => "Unsupported integrity check",
        lz::LZMA_MEMLIMIT_ERROR => "Memory usage limit exceeded",
        lz::LZMA_FORMAT_ERROR => "Input format not supported by decoder",
        lz::LZMA_OPTIONS_ERROR => "Invalid or unsupported options",
        lz::LZMA_DATA_ERROR => "Corrupt input data",
        lz::LZMA_BUF_ERROR => "Insufficient buffer space",
        lz::LZMA_PROG_ERROR => "Internal error",
        _ => return lzma_error(vm, format!("Unrecognized error from liblzma: {code}")),
    };
    lzma_error(vm, text.to_string())
}

taipan_object::method_table! {
    static FUNCTIONS = [
        MethodDef::new("is_check_supported($module, check_id, /)", "\
            Tell whether liblzma knows an integrity check.", |vm, _, args| {
            let check = c_int(vm, &args[0])?;
            // SAFETY: the library tells for any number.
            Ok(Value::from(unsafe { lz::lzma_check_is_supported(check as u32) } != 0))
        }),
        MethodDef::new(
            "_encode_filter_properties($module, filter, /)",
            "The bytes that encode the options of a filter specifier, without its id.",
            filters::encode_properties,
        ),
        MethodDef::new(
            "_decode_filter_properties($module, filter_id, encoded_props, /)",
            "A filter specifier with the options that the bytes encode.",
            filters::decode_properties,
        ),
    ];
}
