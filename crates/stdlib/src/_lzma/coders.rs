//! `_lzma.LZMACompressor` and `_lzma.LZMADecompressor`.

use liblzma_sys as lz;
use taipan_object::header::Header;
use taipan_object::heap::Kind;
use taipan_object::native::{MemberDef, MethodDef};
use taipan_object::object::Payload;
use taipan_object::types::{Type, TypeSpec};
use taipan_object::{Ref, Result, Value, Vm, method_table};

use super::filters::{parse_chain, preset_options, raw_chain, uint32, unsigned};
use super::stream::Stream;
use super::{CHECK_UNKNOWN, raise};
use crate::arguments::c_int;
use crate::compression::{Decompressor, Output, Shared, max_length, unlocked};
use crate::payload::signature;

pub const FORMAT_AUTO: i32 = 0;
pub const FORMAT_XZ: i32 = 1;
pub const FORMAT_ALONE: i32 = 2;
pub const FORMAT_RAW: i32 = 3;

#[repr(C)]
pub struct LzmaCompressor {
    header: Header,
    /// Gone once flushed.
    stream: Shared<Option<Stream>>,
}

// SAFETY: repr(C), header first, no references.
unsafe impl Payload for LzmaCompressor {
    const KIND: Kind = Kind::Leaf;
    fn static_type() -> &'static Type {
        LZMA_COMPRESSOR.ty()
    }
}

pub static LZMA_COMPRESSOR: TypeSpec = TypeSpec::new::<LzmaCompressor>("_lzma.LZMACompressor")
    .doc(
        "LZMACompressor(format=FORMAT_XZ, check=-1, preset=None, filters=None)\n\nCreate a compressor object for \
         compressing data incrementally.\n\nformat is FORMAT_XZ, FORMAT_ALONE or FORMAT_RAW; check the integrity check of \
         FORMAT_XZ, CHECK_CRC64 by default. The settings are either a preset, 0 to 9 and perhaps PRESET_EXTREME, or a \
         filter chain: a sequence of dicts with an \"id\" and further options.",
    )
    .slots(|s| s.new = Some(new_compressor))
    .methods(COMPRESSOR_METHODS);

signature!(NEW_COMPRESSOR = "LZMACompressor(format=1, check=-1, preset=None, filters=None)");

fn new_compressor(vm: &Vm, _: &Value, args: &[Value], kwnames: Option<&Value>) -> Result {
    let args = NEW_COMPRESSOR.bind(vm, args, kwnames)?;
    let (format, check) = (c_int(vm, &args[0])?, c_int(vm, &args[1])?);
    let (preset, filters) = (&args[2], &args[3]);
    if format != FORMAT_XZ && check != -1 && check != lz::LZMA_CHECK_NONE as i32 {
        return Err(vm.value_error("Integrity checks are only supported by FORMAT_XZ"));
    }
    if !preset.is_none() && !filters.is_none() {
        return Err(vm.value_error("Cannot specify both preset and filter chain"));
    }
    let preset = if preset.is_none() { lz::LZMA_PRESET_DEFAULT } else { uint32(vm, preset)? };
    let mut chain = if filters.is_none() { None } else { Some(filters) };
    let stream = match format {
        FORMAT_XZ => {
            let check = if check == -1 { lz::LZMA_CHECK_CRC64 } else { check as u32 };
            match chain.take() {
                // SAFETY: a blank stream.
                None => Stream::new(check, |raw| unsafe { lz::lzma_easy_encoder(raw, preset, check) }),
                Some(filters) => {
                    let mut filters = parse_chain(vm, filters)?;
                    let chain = raw_chain(&mut filters);
                    // SAFETY: a blank stream, and a terminated chain that the library copies.
                    Stream::new(check, |raw| unsafe { lz::lzma_stream_encoder(raw, chain.as_ptr(), check) })
                }
            }
        }
        FORMAT_ALONE => match chain {
            None => {
                let options = preset_options(vm, preset)?;
                // SAFETY: a blank stream, and options that the library copies.
                Stream::new(0, |raw| unsafe { lz::lzma_alone_encoder(raw, &*options) })
            }
            Some(filters) => {
                let filters = parse_chain(vm, filters)?;
                let options = match filters.as_slice() {
                    [filter] if filter.id == lz::LZMA_FILTER_LZMA1 => filter.lzma_options(),
                    _ => None,
                };
                let Some(options) = options else {
                    let wanted = "must be a single LZMA1 filter";
                    return Err(vm.value_error(format!("Invalid filter chain for FORMAT_ALONE - {wanted}")));
                };
                // SAFETY: as above.
                Stream::new(0, |raw| unsafe { lz::lzma_alone_encoder(raw, options) })
            }
        },
        FORMAT_RAW => {
            let Some(filters) = chain else { return Err(vm.value_error("Must specify filters for FORMAT_RAW")) };
            let mut filters = parse_chain(vm, filters)?;
            let chain = raw_chain(&mut filters);
            // SAFETY: a blank stream, and a terminated chain that the library copies.
            Stream::new(0, |raw| unsafe { lz::lzma_raw_encoder(raw, chain.as_ptr()) })
        }
        _ => return Err(vm.value_error(format!("Invalid container format: {format}"))),
    };
    let stream = Shared::new(Some(stream.map_err(|failure| raise(vm, failure))?));
    Ok(Ref::new(LzmaCompressor { header: Header::new(LZMA_COMPRESSOR.ty()), stream }).into_value())
}

fn compressor(value: &Value) -> &LzmaCompressor {
    value.downcast::<LzmaCompressor>().expect("methods are called with instances of their type")
}

fn compress(vm: &Vm, this: &Value, args: &[Value]) -> Result {
    let data = vm.bytes_like(&args[0])?;
    let mut slot = compressor(this).stream.lock();
    let Some(stream) = slot.as_mut() else { return Err(vm.value_error("Compressor has been flushed")) };
    let mut output = Output::new(None);
    unlocked(data.len(), || stream.encode(&data, &mut output, false)).map_err(|failure| raise(vm, failure))?;
    output.into_bytes(vm)
}

fn flush(vm: &Vm, this: &Value, _: &[Value]) -> Result {
    let taken = compressor(this).stream.lock().take();
    let Some(mut stream) = taken else { return Err(vm.value_error("Repeated call to flush()")) };
    let mut output = Output::new(None);
    let done = taipan_object::vm::hooks::blocking(|| stream.encode(&[], &mut output, true));
    done.map_err(|failure| raise(vm, failure))?;
    output.into_bytes(vm)
}

method_table! { static COMPRESSOR_METHODS = [
    MethodDef::new("compress($self, data, /)", "What is ready of the compressed data, or b''.", compress),
    MethodDef::new("flush($self, /)", "Finish: the rest of the compressed data. The object cannot be used afterwards.", flush),
]; }

#[repr(C)]
pub struct LzmaDecompressor {
    header: Header,
    state: Shared<Decompressor<Stream>>,
}

// SAFETY: repr(C), header first, no references.
unsafe impl Payload for LzmaDecompressor {
    const KIND: Kind = Kind::Leaf;
    fn static_type() -> &'static Type {
        LZMA_DECOMPRESSOR.ty()
    }
}

pub static LZMA_DECOMPRESSOR: TypeSpec = TypeSpec::new::<LzmaDecompressor>("_lzma.LZMADecompressor")
    .doc(
        "LZMADecompressor(format=FORMAT_AUTO, memlimit=None, filters=None)\n--\n\nCreate a decompressor object for \
         decompressing data incrementally.\n\n  format\n    The container format; FORMAT_AUTO tells FORMAT_XZ and \
         FORMAT_ALONE apart.\n  memlimit\n    How much memory may be used; LZMAError if that is not enough.\n  filters\n    \
         The filter chain of FORMAT_RAW.",
    )
    .slots(|s| s.new = Some(new_decompressor))
    .methods(DECOMPRESSOR_METHODS)
    .members(DECOMPRESSOR_MEMBERS);

signature!(NEW_DECOMPRESSOR = "LZMADecompressor(format=0, memlimit=None, filters=None)");

fn new_decompressor(vm: &Vm, _: &Value, args: &[Value], kwnames: Option<&Value>) -> Result {
    let args = NEW_DECOMPRESSOR.bind(vm, args, kwnames)?;
    let format = c_int(vm, &args[0])?;
    let memlimit = if args[1].is_none() {
        u64::MAX
    } else {
        if format == FORMAT_RAW {
            return Err(vm.value_error("Cannot specify memory limit with FORMAT_RAW"));
        }
        unsigned(vm, &args[1], "uint64_t", u64::MAX)?
    };
    let filters = &args[2];
    if format == FORMAT_RAW && filters.is_none() {
        return Err(vm.value_error("Must specify filters for FORMAT_RAW"));
    }
    if format != FORMAT_RAW && !filters.is_none() {
        return Err(vm.value_error("Cannot specify filters except with FORMAT_RAW"));
    }
    let flags = lz::LZMA_TELL_ANY_CHECK | lz::LZMA_TELL_NO_CHECK;
    let stream = match format {
        // SAFETY: a blank stream.
        FORMAT_AUTO => Stream::new(CHECK_UNKNOWN, |raw| unsafe { lz::lzma_auto_decoder(raw, memlimit, flags) }),
        // SAFETY: a blank stream.
        FORMAT_XZ => Stream::new(CHECK_UNKNOWN, |raw| unsafe { lz::lzma_stream_decoder(raw, memlimit, flags) }),
        // SAFETY: a blank stream.
        FORMAT_ALONE => Stream::new(lz::LZMA_CHECK_NONE, |raw| unsafe { lz::lzma_alone_decoder(raw, memlimit) }),
        FORMAT_RAW => {
            let mut filters = parse_chain(vm, filters)?;
            let chain = raw_chain(&mut filters);
            // SAFETY: a blank stream, and a terminated chain that the library copies.
            Stream::new(lz::LZMA_CHECK_NONE, |raw| unsafe { lz::lzma_raw_decoder(raw, chain.as_ptr()) })
        }
        _ => return Err(vm.value_error(format!("Invalid container format: {format}"))),
    };
    let state = Shared::new(Decompressor::new(stream.map_err(|failure| raise(vm, failure))?));
    Ok(Ref::new(LzmaDecompressor { header: Header::new(LZMA_DECOMPRESSOR.ty()), state }).into_value())
}

fn decompressor(value: &Value) -> &LzmaDecompressor {
    value.downcast::<LzmaDecompressor>().expect("methods are called with instances of their type")
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
                return Err(vm.eof_error("Already at end of stream"));
            }
            state.decompress(vm, &data, limit, raise)
        },
    ),
]; }

static DECOMPRESSOR_MEMBERS: &[MemberDef] = &[
    MemberDef::new("check", "Number of the integrity check that the stream contains.", |_, this| {
        Ok(Value::from(decompressor(this).state.lock().decoder.check))
    }),
    MemberDef::new("eof", "Whether the compressed stream has ended.", |_, this| {
        Ok(Value::from(decompressor(this).state.lock().eof))
    }),
    MemberDef::new("needs_input", "Whether decompress() can give no more data unless it is given more.", |_, this| {
        Ok(Value::from(decompressor(this).state.lock().needs_input))
    }),
    MemberDef::new("unused_data", "Bytes that followed the compressed stream.", |vm, this| {
        decompressor(this).state.lock().unused_data.value(vm)
    }),
];
