//! `ZstdDict`, and making dictionaries from samples.

use std::collections::HashMap;
use std::os::raw::{c_int, c_uint, c_void};
use std::sync::{Arc, Mutex, PoisonError};

use taipan_object::builtins::bytes::{self, Bytes};
use taipan_object::builtins::int;
use taipan_object::builtins::tuple::Tuple;
use taipan_object::header::Header;
use taipan_object::heap::Kind;
use taipan_object::native::{GetSetDef, MemberDef};
use taipan_object::object::Payload;
use taipan_object::types::{Type, TypeSpec};
use taipan_object::vm::hooks::blocking;
use taipan_object::{Ref, Result, Value, Vm};
use zstd_sys as zs;

use super::parameters::Context;
use super::{check, text, zstd_error};
use crate::arguments::c_int;
use crate::payload::signature;

/// A dictionary made ready for compression at one level.
pub struct CDict(*mut zs::ZSTD_CDict);
/// A dictionary made ready for decompression.
pub struct DDict(*mut zs::ZSTD_DDict);

// SAFETY: digested dictionaries do not change; the library lets threads share them.
unsafe impl Send for CDict {}
// SAFETY: as above.
unsafe impl Sync for CDict {}
// SAFETY: as above.
unsafe impl Send for DDict {}
// SAFETY: as above.
unsafe impl Sync for DDict {}

impl Drop for CDict {
    fn drop(&mut self) {
        // SAFETY: made by the library.
        unsafe { zs::ZSTD_freeCDict(self.0) };
    }
}
impl Drop for DDict {
    fn drop(&mut self) {
        // SAFETY: made by the library.
        unsafe { zs::ZSTD_freeDDict(self.0) };
    }
}

/// `compression.zstd.ZstdDict`
#[repr(C)]
pub struct ZstdDict {
    header: Header,
    content: Arc<[u8]>,
    id: u32,
    digested: Mutex<(HashMap<c_int, Arc<CDict>>, Option<Arc<DDict>>)>,
}

// SAFETY: repr(C), header first, no references.
unsafe impl Payload for ZstdDict {
    const KIND: Kind = Kind::Leaf;
    fn static_type() -> &'static Type {
        ZSTD_DICT.ty()
    }
}

pub static ZSTD_DICT: TypeSpec = TypeSpec::new::<ZstdDict>("compression.zstd.ZstdDict")
    .doc(
        "ZstdDict(dict_content, /, *, is_raw=False)\n--\n\nRepresents a Zstandard dictionary.\n\n  dict_content\n    The \
         content as a bytes-like object.\n  is_raw\n    The content is any data, not a dictionary in Zstandard's format.",
    )
    .slots(|s| {
        s.new = Some(new);
        s.length = Some(|_, this| Ok(ZstdDict::of(this).content.len()));
        s.repr = Some(|_, this| {
            let dict = ZstdDict::of(this);
            Ok(Value::from(format!("<ZstdDict dict_id={} dict_size={}>", dict.id, dict.content.len())))
        });
    })
    .members(MEMBERS)
    .getset(GETSET);

signature!(NEW = "ZstdDict(dict_content, /, *, is_raw=False)");

fn new(vm: &Vm, _: &Value, args: &[Value], kwnames: Option<&Value>) -> Result {
    let args = NEW.bind(vm, args, kwnames)?;
    let is_raw = vm.is_true(&args[1])?;
    let content = vm.bytes_like(&args[0])?;
    if content.len() < 8 {
        return Err(vm.value_error("Zstandard dictionary content too short (must have at least eight bytes)"));
    }
    // SAFETY: the content is readable.
    let id = unsafe { zs::ZSTD_getDictID_fromDict(content.as_ptr().cast(), content.len()) };
    if !is_raw && id == 0 {
        return Err(vm.value_error("invalid Zstandard dictionary"));
    }
    let content = Arc::from(&*content);
    let header = Header::new(ZSTD_DICT.ty());
    Ok(Ref::new(ZstdDict { header, content, id, digested: Default::default() }).into_value())
}

/// How a dictionary is used.
#[derive(Clone, Copy)]
enum Use {
    Digested = 0,
    Undigested = 1,
    Prefix = 2,
}

/// What a context refers to and must not outlive.
#[derive(Default)]
pub struct Loaded {
    _compression: Option<Arc<CDict>>,
    _decompression: Option<Arc<DDict>>,
    _prefix: Option<Arc<[u8]>>,
    given: bool,
}

impl Loaded {
    /// Whether the context has a dictionary, be it a copy of its own.
    pub fn is_any(&self) -> bool {
        self.given
    }
}

impl ZstdDict {
    fn of(value: &Value) -> &ZstdDict {
        value.downcast::<ZstdDict>().expect("methods are called with instances of their type")
    }

    fn for_compression(&self, level: c_int) -> Option<Arc<CDict>> {
        let mut digested = self.digested.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = digested.0.get(&level) {
            return Some(known.clone());
        }
        // SAFETY: the content is readable; the library copies it.
        let raw = unsafe { zs::ZSTD_createCDict(self.content.as_ptr().cast(), self.content.len(), level) };
        if raw.is_null() {
            return None;
        }
        let made = Arc::new(CDict(raw));
        digested.0.insert(level, made.clone());
        Some(made)
    }

    fn for_decompression(&self) -> Option<Arc<DDict>> {
        let mut digested = self.digested.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = &digested.1 {
            return Some(known.clone());
        }
        // SAFETY: as in `for_compression`.
        let raw = unsafe { zs::ZSTD_createDDict(self.content.as_ptr().cast(), self.content.len()) };
        if raw.is_null() {
            return None;
        }
        let made = Arc::new(DDict(raw));
        digested.1 = Some(made.clone());
        Some(made)
    }

    /// Gives a live context the dictionary.
    fn load(&self, vm: &Vm, context: Context, how: Use, level: c_int) -> Result<Loaded> {
        let mut loaded = Loaded { given: true, ..Loaded::default() };
        let (start, length) = (self.content.as_ptr().cast::<c_void>(), self.content.len());
        // SAFETY: a live context; what it refers to is kept by the result, which lives as long.
        let code = unsafe {
            match (context, how) {
                (Context::Compression(raw), Use::Digested) => {
                    let Some(dict) = self.for_compression(level) else { return Err(vm.memory_error()) };
                    let code = zs::ZSTD_CCtx_refCDict(raw, dict.0);
                    loaded._compression = Some(dict);
                    code
                }
                (Context::Decompression(raw), Use::Digested) => {
                    let Some(dict) = self.for_decompression() else { return Err(vm.memory_error()) };
                    let code = zs::ZSTD_DCtx_refDDict(raw, dict.0);
                    loaded._decompression = Some(dict);
                    code
                }
                (Context::Compression(raw), Use::Undigested) => zs::ZSTD_CCtx_loadDictionary(raw, start, length),
                (Context::Decompression(raw), Use::Undigested) => zs::ZSTD_DCtx_loadDictionary(raw, start, length),
                (Context::Compression(raw), Use::Prefix) => {
                    loaded._prefix = Some(self.content.clone());
                    zs::ZSTD_CCtx_refPrefix(raw, start, length)
                }
                (Context::Decompression(raw), Use::Prefix) => {
                    loaded._prefix = Some(self.content.clone());
                    zs::ZSTD_DCtx_refPrefix(raw, start, length)
                }
            }
        };
        let doing = match context {
            Context::Compression(_) => "load Zstandard dictionary or prefix for compression",
            Context::Decompression(_) => "load Zstandard dictionary or prefix for decompression",
        };
        check(code).map_err(|failure| failure.raise(vm, doing))?;
        Ok(loaded)
    }
}

/// Gives a context the dictionary of a `zstd_dict` argument: a `ZstdDict` or one of its `as_…` attributes.
pub fn load(vm: &Vm, context: Context, argument: &Value, level: c_int) -> Result<Loaded> {
    if let Some(dict) = argument.downcast::<ZstdDict>() {
        // Compression does best with the parameters of the level, decompression with what is ready.
        let how = match context {
            Context::Compression(_) => Use::Undigested,
            Context::Decompression(_) => Use::Digested,
        };
        return dict.load(vm, context, how, level);
    }
    if let Some([dict, how]) = argument.downcast::<Tuple>().map(Tuple::as_slice)
        && let Some(dict) = dict.downcast::<ZstdDict>()
    {
        let how = match int::to_i64(how) {
            Some(0) => Some(Use::Digested),
            Some(1) => Some(Use::Undigested),
            Some(2) => Some(Use::Prefix),
            _ => None,
        };
        if let Some(how) = how {
            return dict.load(vm, context, how, level);
        }
    }
    Err(vm.type_error("zstd_dict argument should be a ZstdDict object."))
}

fn with_use(this: &Value, how: Use) -> Result {
    Ok(Tuple::from_array([this.clone(), Value::from(how as i32)]).into_value())
}

static MEMBERS: &[MemberDef] =
    &[MemberDef::new("dict_id", "The Zstandard dictionary's ID, or 0 if it is raw content.", |_, this| {
        Ok(Value::from(ZstdDict::of(this).id))
    })];

static GETSET: &[GetSetDef] = &[
    GetSetDef::new("dict_content", "The content of a Zstandard dictionary, as bytes.", |vm, this| {
        bytes::from_slice(vm, &ZstdDict::of(this).content)
    }),
    GetSetDef::new("as_digested_dict", "The dictionary, to be used digested.", |_, this| with_use(this, Use::Digested)),
    GetSetDef::new("as_undigested_dict", "The dictionary, to be used undigested.", |_, this| {
        with_use(this, Use::Undigested)
    }),
    GetSetDef::new("as_prefix", "The dictionary, to be used as a prefix of the next frame.", |_, this| {
        with_use(this, Use::Prefix)
    }),
];

/// The sizes of samples, which must add up to the length of all.
fn sample_sizes(vm: &Vm, sizes: &Value, total: usize) -> Result<Vec<usize>> {
    let sizes = sizes.downcast::<Tuple>().map_or(&[][..], Tuple::as_slice);
    if c_uint::try_from(sizes.len()).is_err() {
        return Err(vm.value_error(format!("The number of samples should be <= {}.", c_uint::MAX)));
    }
    let mut sum = 0usize;
    let mut result = Vec::with_capacity(sizes.len());
    for size in sizes {
        if !int::is_int(size) {
            return Err(vm.type_error("an integer is required"));
        }
        let Some(size) = int::to_u64(size) else {
            return Err(vm.value_error("The samples size tuple doesn't match the concatenation's size."));
        };
        sum = sum.saturating_add(size as usize);
        result.push(size as usize);
    }
    if sum != total {
        return Err(vm.value_error("The samples size tuple doesn't match the concatenation's size."));
    }
    Ok(result)
}

fn expect_bytes<'a>(vm: &Vm, value: &'a Value, function: &str, at: usize) -> Result<&'a [u8]> {
    match value.downcast::<Bytes>() {
        Some(data) => Ok(data.as_slice()),
        None => {
            let got = value.ty().name();
            Err(vm.type_error(format!("{function}() argument {at} must be bytes, not {got}")))
        }
    }
}

fn expect_tuple(vm: &Vm, value: &Value, function: &str, at: usize) -> Result<()> {
    match value.downcast::<Tuple>() {
        Some(_) => Ok(()),
        None => {
            let got = value.ty().name();
            Err(vm.type_error(format!("{function}() argument {at} must be tuple, not {got}")))
        }
    }
}

/// Has `make` fill a dictionary of at most so many bytes.
fn build(vm: &Vm, size: i64, doing: &str, make: impl FnOnce(*mut c_void, usize) -> usize) -> Result {
    let mut room: Vec<u8> = Vec::new();
    let size = size as usize;
    if room.try_reserve_exact(size).is_err() {
        return Err(vm.memory_error());
    }
    room.resize(size, 0);
    let code = blocking(|| make(room.as_mut_ptr().cast(), size));
    // SAFETY: functions of any number.
    unsafe {
        if zs::ZDICT_isError(code) != 0 {
            return Err(zstd_error(vm, format!("Unable to {doing}: {}", text(zs::ZDICT_getErrorName(code)))));
        }
    }
    bytes::from_slice(vm, &room[..code.min(size)])
}

pub fn train_dict(vm: &Vm, _: &Value, args: &[Value]) -> Result {
    let samples = expect_bytes(vm, &args[0], "train_dict", 1)?;
    expect_tuple(vm, &args[1], "train_dict", 2)?;
    let size = vm.index_i64(&args[2])?;
    if size <= 0 {
        return Err(vm.value_error("dict_size argument should be positive number."));
    }
    let sizes = sample_sizes(vm, &args[1], samples.len())?;
    build(vm, size, "train the Zstandard dictionary", |room, length| {
        // SAFETY: room for so many bytes; the samples are readable and as long as the sizes say.
        unsafe {
            zs::ZDICT_trainFromBuffer(room, length, samples.as_ptr().cast(), sizes.as_ptr(), sizes.len() as c_uint)
        }
    })
}

pub fn finalize_dict(vm: &Vm, _: &Value, args: &[Value]) -> Result {
    let custom = expect_bytes(vm, &args[0], "finalize_dict", 1)?;
    let samples = expect_bytes(vm, &args[1], "finalize_dict", 2)?;
    expect_tuple(vm, &args[2], "finalize_dict", 3)?;
    let size = vm.index_i64(&args[3])?;
    let level = c_int(vm, &args[4])?;
    if size <= 0 {
        return Err(vm.value_error("dict_size argument should be positive number."));
    }
    let sizes = sample_sizes(vm, &args[2], samples.len())?;
    let parameters = zs::ZDICT_params_t { compressionLevel: level, notificationLevel: 0, dictID: 0 };
    build(vm, size, "finalize the Zstandard dictionary", |room, length| {
        // SAFETY: as in `train_dict`.
        unsafe {
            zs::ZDICT_finalizeDictionary(
                room,
                length,
                custom.as_ptr().cast(),
                custom.len(),
                samples.as_ptr().cast(),
                sizes.as_ptr(),
                sizes.len() as c_uint,
                parameters,
            )
        }
    })
}
