//! Filter chains: from Python's filter specifiers to the library's and back.

use std::os::raw::c_void;

use liblzma_sys as lz;
use taipan_object::builtins::dict::Dict;
use taipan_object::builtins::str::{Str, intern};
use taipan_object::builtins::{bytes, int};
use taipan_object::exceptions::KEY_ERROR;
use taipan_object::{Result, Value, Vm};

use super::stream::Failure;
use super::{lzma_error, raise};

/// The library's `LZMA_FILTERS_MAX`.
const FILTERS_MAX: usize = 4;

/// `lzma_options_delta`, which the crate does not declare.
#[repr(C)]
struct DeltaOptions {
    kind: u32,
    dist: u32,
    reserved_integers: [u32; 4],
    reserved_pointers: [*mut c_void; 2],
}

/// What a filter's options are.
enum Options {
    Lzma(Box<lz::lzma_options_lzma>),
    Delta(Box<DeltaOptions>),
    Bcj(Box<lz::lzma_options_bcj>),
}

/// A filter that owns its options.
pub struct Filter {
    pub id: u64,
    options: Options,
}

impl Filter {
    fn raw(&mut self) -> lz::lzma_filter {
        let options = match &mut self.options {
            Options::Lzma(options) => (&raw mut **options).cast(),
            Options::Delta(options) => (&raw mut **options).cast(),
            Options::Bcj(options) => (&raw mut **options).cast(),
        };
        lz::lzma_filter { id: self.id, options }
    }

    pub fn lzma_options(&self) -> Option<&lz::lzma_options_lzma> {
        match &self.options {
            Options::Lzma(options) => Some(options),
            _ => None,
        }
    }
}

/// The library's form of a chain; valid while the filters are.
pub fn raw_chain(filters: &mut [Filter]) -> Vec<lz::lzma_filter> {
    let mut chain: Vec<lz::lzma_filter> = filters.iter_mut().map(Filter::raw).collect();
    chain.push(lz::lzma_filter { id: lz::LZMA_VLI_UNKNOWN, options: std::ptr::null_mut() });
    chain
}

/// A sequence of filter specifiers.
pub fn parse_chain(vm: &Vm, specifiers: &Value) -> Result<Vec<Filter>> {
    let Some(length) = specifiers.ty().slots().length else {
        return Err(vm.type_error(format!("object of type '{}' has no len()", specifiers.ty().name())));
    };
    let count = length(vm, specifiers)?;
    if count > FILTERS_MAX {
        return Err(vm.value_error(format!("Too many filters - liblzma supports a maximum of {FILTERS_MAX}")));
    }
    if specifiers.downcast::<Dict>().is_some() {
        return Err(vm.type_error("dict is not a sequence"));
    }
    (0..count)
        .map(|at| {
            let specifier = vm.get_item(specifiers, &Value::from(at))?;
            parse(vm, &specifier)
        })
        .collect()
}

/// A non-negative number for the C type named.
pub fn unsigned(vm: &Vm, value: &Value, c_type: &str, max: u64) -> Result<u64> {
    let index = vm.index(value)?;
    if int::is_negative(&index) {
        return Err(vm.value_error("Cannot convert negative int"));
    }
    match int::to_u64(&index) {
        Some(number) if number <= max => Ok(number),
        _ => Err(vm.overflow_error(format!("Python int too large for C {c_type}"))),
    }
}

fn filter_id(vm: &Vm, value: &Value) -> Result<u64> {
    unsigned(vm, value, "lzma_vli", u64::MAX)
}

pub fn uint32(vm: &Vm, value: &Value) -> Result<u32> {
    unsigned(vm, value, "uint32_t", u64::from(u32::MAX)).map(|number| number as u32)
}

/// An optional entry of a specifier.
fn entry(vm: &Vm, specifier: &Value, name: &str) -> Result<Option<Value>> {
    match vm.get_item(specifier, intern(name).as_value()) {
        Ok(value) => Ok(Some(value)),
        Err(raised) => vm.catch(raised, KEY_ERROR.ty()).map(|_| None),
    }
}

/// The options of a specifier as numbers; `None` where absent. Anything else in it is an error named after the filter.
fn numbers<const N: usize>(vm: &Vm, specifier: &Value, names: [&str; N], what: &str) -> Result<[Option<u32>; N]> {
    let wrong = || vm.value_error(format!("Invalid filter specifier for {what} filter"));
    let Some(dict) = specifier.downcast::<Dict>() else { return Err(wrong()) };
    let mut found = [None; N];
    for (key, value) in dict.items() {
        let Some(key) = key.downcast::<Str>() else { return Err(wrong()) };
        if key.is_str("id") || key.is_str("preset") && what == "LZMA" {
            continue;
        }
        let Some(at) = names.iter().position(|name| key.is_str(name)) else { return Err(wrong()) };
        match uint32(vm, &value) {
            Ok(number) => found[at] = Some(number),
            Err(raised) => {
                vm.discard(raised);
                return Err(wrong());
            }
        }
    }
    Ok(found)
}

fn parse(vm: &Vm, specifier: &Value) -> Result<Filter> {
    if specifier.ty().slots().subscript.is_none() {
        return Err(vm.type_error("Filter specifier must be a dict or dict-like object"));
    }
    let Some(id) = entry(vm, specifier, "id")? else {
        return Err(vm.value_error("Filter specifier must have an \"id\" entry"));
    };
    let id = filter_id(vm, &id)?;
    let options = match id {
        lz::LZMA_FILTER_LZMA1 | lz::LZMA_FILTER_LZMA2 => Options::Lzma(lzma_options(vm, specifier)?),
        lz::LZMA_FILTER_DELTA => {
            let [dist] = numbers(vm, specifier, ["dist"], "delta")?;
            Options::Delta(Box::new(DeltaOptions {
                kind: 0,
                dist: dist.unwrap_or(1),
                reserved_integers: [0; 4],
                reserved_pointers: [std::ptr::null_mut(); 2],
            }))
        }
        lz::LZMA_FILTER_X86..=lz::LZMA_FILTER_SPARC => {
            let [start_offset] = numbers(vm, specifier, ["start_offset"], "BCJ")?;
            Options::Bcj(Box::new(lz::lzma_options_bcj { start_offset: start_offset.unwrap_or(0) }))
        }
        _ => return Err(vm.value_error(format!("Invalid filter ID: {id}"))),
    };
    Ok(Filter { id, options })
}

/// The options that a preset stands for.
pub fn preset_options(vm: &Vm, preset: u32) -> Result<Box<lz::lzma_options_lzma>> {
    // SAFETY: plain numbers and pointers, for which zero is a value.
    let mut options: Box<lz::lzma_options_lzma> = Box::new(unsafe { std::mem::zeroed() });
    // SAFETY: the options are writable.
    if unsafe { lz::lzma_lzma_preset(&mut *options, preset) } != 0 {
        return Err(lzma_error(vm, format!("Invalid compression preset: {preset}")));
    }
    Ok(options)
}

fn lzma_options(vm: &Vm, specifier: &Value) -> Result<Box<lz::lzma_options_lzma>> {
    let preset = match entry(vm, specifier, "preset")? {
        Some(preset) => uint32(vm, &preset)?,
        None => lz::LZMA_PRESET_DEFAULT,
    };
    let mut options = preset_options(vm, preset)?;
    let names = ["dict_size", "lc", "lp", "pb", "mode", "nice_len", "mf", "depth"];
    let given = numbers(vm, specifier, names, "LZMA")?;
    let fields = [
        &mut options.dict_size,
        &mut options.lc,
        &mut options.lp,
        &mut options.pb,
        &mut options.mode,
        &mut options.nice_len,
        &mut options.mf,
        &mut options.depth,
    ];
    for (field, given) in fields.into_iter().zip(given) {
        if let Some(given) = given {
            *field = given;
        }
    }
    Ok(options)
}

/// `_lzma._encode_filter_properties(filter)`
pub fn encode_properties(vm: &Vm, _: &Value, args: &[Value]) -> Result {
    let mut filter = parse(vm, &args[0])?;
    let raw = filter.raw();
    let mut size = 0;
    // SAFETY: a filter with the options of its kind.
    let code = unsafe { lz::lzma_properties_size(&mut size, &raw) };
    if code != lz::LZMA_OK {
        return Err(raise(vm, Failure(code)));
    }
    let mut properties = vec![0; size as usize];
    // SAFETY: as above, with room for the size that the library asked for.
    let code = unsafe { lz::lzma_properties_encode(&raw, properties.as_mut_ptr()) };
    if code != lz::LZMA_OK {
        return Err(raise(vm, Failure(code)));
    }
    bytes::from_slice(vm, &properties)
}

/// `_lzma._decode_filter_properties(filter_id, encoded_props)`
pub fn decode_properties(vm: &Vm, _: &Value, args: &[Value]) -> Result {
    let id = filter_id(vm, &args[0])?;
    let properties = vm.bytes_like(&args[1])?;
    let mut filter = lz::lzma_filter { id, options: std::ptr::null_mut() };
    // SAFETY: the properties are readable; the library allocates the options.
    let code =
        unsafe { lz::lzma_properties_decode(&mut filter, std::ptr::null(), properties.as_ptr(), properties.len()) };
    if code != lz::LZMA_OK {
        return Err(raise(vm, Failure(code)));
    }
    let specifier = Dict::new();
    let set = |name: &str, value: Value| specifier.set_str(intern(name).as_value(), value);
    set("id", int::from_u64(id));
    if !filter.options.is_null() {
        // SAFETY: the library made the options that belong to the id.
        unsafe {
            match id {
                lz::LZMA_FILTER_LZMA1 => {
                    let options = &*filter.options.cast::<lz::lzma_options_lzma>();
                    set("lc", Value::from(options.lc));
                    set("lp", Value::from(options.lp));
                    set("pb", Value::from(options.pb));
                    set("dict_size", Value::from(options.dict_size));
                }
                lz::LZMA_FILTER_LZMA2 => {
                    let options = &*filter.options.cast::<lz::lzma_options_lzma>();
                    set("dict_size", Value::from(options.dict_size));
                }
                lz::LZMA_FILTER_DELTA => {
                    set("dist", Value::from((*filter.options.cast::<DeltaOptions>()).dist));
                }
                lz::LZMA_FILTER_X86..=lz::LZMA_FILTER_SPARC => {
                    set("start_offset", Value::from((*filter.options.cast::<lz::lzma_options_bcj>()).start_offset));
                }
                _ => {}
            }
            libc::free(filter.options);
        }
    }
    if !(lz::LZMA_FILTER_DELTA..=lz::LZMA_FILTER_SPARC).contains(&id)
        && id != lz::LZMA_FILTER_LZMA1
        && id != lz::LZMA_FILTER_LZMA2
    {
        return Err(vm.value_error(format!("Invalid filter ID: {id}")));
    }
    Ok(specifier.into_value())
}
