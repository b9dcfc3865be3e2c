//! Parameters of compression and decompression.

use std::os::raw::c_int;
use std::sync::OnceLock;

use taipan_object::builtins::dict::Dict;
use taipan_object::builtins::tuple::Tuple;
use taipan_object::types::Type;
use taipan_object::{Result, Value, Vm};
use zstd_sys as zs;

use super::{Failure, check};
use crate::arguments::c_int;

unsafe extern "C" {
    // As the crate has them, but for any number, known to this version of the library or not.
    fn ZSTD_CCtx_setParameter(context: *mut zs::ZSTD_CCtx, parameter: c_int, value: c_int) -> usize;
    fn ZSTD_DCtx_setParameter(context: *mut zs::ZSTD_DCtx, parameter: c_int, value: c_int) -> usize;
    fn ZSTD_cParam_getBounds(parameter: c_int) -> zs::ZSTD_bounds;
    fn ZSTD_dParam_getBounds(parameter: c_int) -> zs::ZSTD_bounds;
}

pub const COMPRESSION_LEVEL: c_int = 100;
pub const NB_WORKERS: c_int = 400;

/// The numbers that the module shows; those of parameters with the names that messages use are below.
pub static CONSTANTS: &[(&str, c_int)] = &[
    ("ZSTD_c_compressionLevel", COMPRESSION_LEVEL),
    ("ZSTD_c_windowLog", 101),
    ("ZSTD_c_hashLog", 102),
    ("ZSTD_c_chainLog", 103),
    ("ZSTD_c_searchLog", 104),
    ("ZSTD_c_minMatch", 105),
    ("ZSTD_c_targetLength", 106),
    ("ZSTD_c_strategy", 107),
    ("ZSTD_c_enableLongDistanceMatching", 160),
    ("ZSTD_c_ldmHashLog", 161),
    ("ZSTD_c_ldmMinMatch", 162),
    ("ZSTD_c_ldmBucketSizeLog", 163),
    ("ZSTD_c_ldmHashRateLog", 164),
    ("ZSTD_c_contentSizeFlag", 200),
    ("ZSTD_c_checksumFlag", 201),
    ("ZSTD_c_dictIDFlag", 202),
    ("ZSTD_c_nbWorkers", NB_WORKERS),
    ("ZSTD_c_jobSize", 401),
    ("ZSTD_c_overlapLog", 402),
    ("ZSTD_d_windowLogMax", 100),
    ("ZSTD_fast", 1),
    ("ZSTD_dfast", 2),
    ("ZSTD_greedy", 3),
    ("ZSTD_lazy", 4),
    ("ZSTD_lazy2", 5),
    ("ZSTD_btlazy2", 6),
    ("ZSTD_btopt", 7),
    ("ZSTD_btultra", 8),
    ("ZSTD_btultra2", 9),
];

const COMPRESSION_NAMES: &[(c_int, &str)] = &[
    (COMPRESSION_LEVEL, "compression_level"),
    (101, "window_log"),
    (102, "hash_log"),
    (103, "chain_log"),
    (104, "search_log"),
    (105, "min_match"),
    (106, "target_length"),
    (107, "strategy"),
    (160, "enable_long_distance_matching"),
    (161, "ldm_hash_log"),
    (162, "ldm_min_match"),
    (163, "ldm_bucket_size_log"),
    (164, "ldm_hash_rate_log"),
    (200, "content_size_flag"),
    (201, "checksum_flag"),
    (202, "dict_id_flag"),
    (NB_WORKERS, "nb_workers"),
    (401, "job_size"),
    (402, "overlap_log"),
];

const DECOMPRESSION_NAMES: &[(c_int, &str)] = &[(100, "window_log_max")];

/// `CompressionParameter` and `DecompressionParameter`.
static TYPES: OnceLock<(Value, Value)> = OnceLock::new();

pub fn set_parameter_types(vm: &Vm, _: &Value, args: &[Value]) -> Result {
    for (value, name) in args.iter().zip(["c_parameter_type", "d_parameter_type"]) {
        if value.downcast::<Type>().is_none() {
            let got = value.ty().name();
            return Err(vm.type_error(format!("set_parameter_types() argument '{name}' must be type, not {got}")));
        }
    }
    TYPES.get_or_init(|| (args[0].clone(), args[1].clone()));
    Ok(Value::NONE)
}

fn bounds(parameter: c_int, compress: bool) -> std::result::Result<(c_int, c_int), Failure> {
    // SAFETY: the library answers for any number.
    let bounds = unsafe { if compress { ZSTD_cParam_getBounds(parameter) } else { ZSTD_dParam_getBounds(parameter) } };
    check(bounds.error).map(|_| (bounds.lowerBound, bounds.upperBound))
}

pub fn get_param_bounds(vm: &Vm, _: &Value, args: &[Value]) -> Result {
    let parameter = c_int(vm, &args[0])?;
    let compress = vm.is_true(&args[1])?;
    let doing = match compress {
        true => "get zstd compression parameter bounds",
        false => "get zstd decompression parameter bounds",
    };
    let (lower, upper) = bounds(parameter, compress).map_err(|failure| failure.raise(vm, doing))?;
    Ok(Tuple::from_array([Value::from(lower), Value::from(upper)]).into_value())
}

/// The range of levels, for messages.
fn level_range() -> String {
    // SAFETY: functions without preconditions.
    unsafe { format!("the valid range is [{}, {}]", zs::ZSTD_minCLevel(), zs::ZSTD_maxCLevel()) }
}

/// A `level` argument.
pub fn level(vm: &Vm, value: &Value) -> Result<c_int> {
    if !taipan_object::builtins::int::is_int(value) {
        return Err(vm.type_error("invalid type for level, expected int"));
    }
    let number = taipan_object::builtins::int::to_i64(value).and_then(|number| c_int::try_from(number).ok());
    number.ok_or_else(|| vm.value_error(format!("illegal compression level; {}", level_range())))
}

/// What parameters are set on.
#[derive(Clone, Copy)]
pub enum Context {
    Compression(*mut zs::ZSTD_CCtx),
    Decompression(*mut zs::ZSTD_DCtx),
}

/// Sets a parameter of a live context.
pub fn set(vm: &Vm, context: Context, parameter: c_int, value: c_int) -> Result<()> {
    if let Context::Compression(_) = context
        && parameter == COMPRESSION_LEVEL
        && bounds(parameter, true).is_ok_and(|(lower, upper)| !(lower..=upper).contains(&value))
    {
        // The library would take the nearest level instead.
        return Err(vm.value_error(format!("illegal compression level {value}; {}", level_range())));
    }
    // SAFETY: a live context; the library checks parameter and value.
    let code = unsafe {
        match context {
            Context::Compression(raw) => ZSTD_CCtx_setParameter(raw, parameter, value),
            Context::Decompression(raw) => ZSTD_DCtx_setParameter(raw, parameter, value),
        }
    };
    if check(code).is_ok() {
        return Ok(());
    }
    let (compress, kind, names) = match context {
        Context::Compression(_) => (true, "compression", COMPRESSION_NAMES),
        Context::Decompression(_) => (false, "decompression", DECOMPRESSION_NAMES),
    };
    let name = names.iter().find(|(known, _)| *known == parameter);
    let name = name.map_or_else(|| format!("unknown parameter (key {parameter})"), |(_, name)| name.to_string());
    Err(vm.value_error(match bounds(parameter, compress) {
        Ok((lower, upper)) => format!(
            "{kind} parameter '{name}' received an illegal value {value}; the valid range is [{lower}, {upper}]"
        ),
        Err(_) => format!("invalid {kind} parameter '{name}'"),
    }))
}

/// The pairs of an `options` argument.
pub fn options(vm: &Vm, value: &Value, class: &str, compress: bool) -> Result<Vec<(c_int, c_int)>> {
    let Some(dict) = value.downcast::<Dict>() else {
        return Err(vm.type_error(format!("{class}() argument 'options' must be dict, not {}", value.ty().name())));
    };
    let mut pairs = Vec::new();
    for (key, value) in dict.items() {
        let wrong = TYPES.get().map(|(c, d)| if compress { d } else { c });
        if wrong.is_some_and(|wrong| wrong.downcast::<Type>().is_some_and(|wrong| std::ptr::eq(key.ty(), wrong))) {
            let (kind, other) = match compress {
                true => ("compression", "DecompressionParameter"),
                false => ("decompression", "CompressionParameter"),
            };
            return Err(vm.type_error(format!("{kind} options dictionary key must not be a {other} attribute")));
        }
        pairs.push((c_int(vm, &key)?, c_int(vm, &value)?));
    }
    Ok(pairs)
}
