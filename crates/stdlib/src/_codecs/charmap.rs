//! Codecs given by a mapping: `charmap_decode`, `charmap_encode` and `charmap_build`.

use super::{code, data, errors_argument, pair, text};
use taipan_object::builtins::bytes::{self, Bytes};
use taipan_object::builtins::dict::Dict;
use taipan_object::builtins::int;
use taipan_object::builtins::str::Str;
use taipan_object::codecs::{Decoding, Encoding, Substitute, encode_native};
use taipan_object::exceptions;
use taipan_object::header::Header;
use taipan_object::heap::Kind;
use taipan_object::native::MethodDef;
use taipan_object::object::Payload;
use taipan_object::text::builder::TextBuilder;
use taipan_object::text::codecs::charmap::{self, EncodingMap as Map};
use taipan_object::text::codecs::{Codec, CodecError};
use taipan_object::types::{Type, TypeSpec, type_flags};
use taipan_object::{Ref, Result, Value, Vm, method_table, with_units};

const UNDEFINED: &str = "character maps to <undefined>";

/// `EncodingMap`: the inverse of a decoding table.
#[repr(C)]
struct EncodingMap {
    header: Header,
    map: Map,
}

// SAFETY: repr(C), header first, no references.
unsafe impl Payload for EncodingMap {
    const KIND: Kind = Kind::Leaf;
    fn static_type() -> &'static Type {
        ENCODING_MAP.ty()
    }
}

static ENCODING_MAP: TypeSpec =
    TypeSpec::new::<EncodingMap>("EncodingMap").flags(type_flags::DISALLOW_INSTANTIATION).methods(METHODS);

method_table! {
    static METHODS = [
        MethodDef::new("size($self, /)", "Return the size (in bytes) of this object.", |_, _, _| Ok(Value::from(size_of::<EncodingMap>()))),
    ];
}

pub(super) fn build(vm: &Vm, _: &Value, args: &[Value]) -> Result {
    let table = vm.expect_str(&args[0], |got| format!("charmap_build() argument must be str, not {got}"))?;
    if let Some(map) = with_units!(table, |units| Map::build(units)) {
        return Ok(Ref::new(EncodingMap { header: Header::new(ENCODING_MAP.ty()), map }).into_value());
    }
    let dict = Dict::new();
    for (byte, code) in table.code_points().take(256).enumerate() {
        dict.set(vm, &Value::from(code), Value::from(byte))?;
    }
    Ok(dict.into_value())
}

pub(super) fn decode(vm: &Vm, _: &Value, args: &[Value]) -> Result {
    let mapping = &args[2];
    let input = data(vm, &args[0], false)?;
    let errors = errors_argument(vm, "charmap_decode", &args[1])?;
    if mapping.is_none() {
        return pair(Str::from_latin1(&input).into_value(), input.len());
    }
    let mut decoding = Decoding::new(vm, "charmap", errors.as_deref());
    let used = match mapping.downcast::<Str>() {
        Some(table) => decoding.run(&input, 0, &mut |bytes, at, out| {
            Ok(with_units!(table, |units| charmap::decode(bytes, at, units, out)))
        })?,
        None => decoding.run(&input, 0, &mut |bytes, at, out| decode_by_mapping(vm, mapping, bytes, at, out))?,
    };
    debug_assert_eq!(used, input.len());
    pair(decoding.finish().into_value(), input.len())
}

fn decode_by_mapping(
    vm: &Vm,
    mapping: &Value,
    bytes: &[u8],
    at: &mut usize,
    out: &mut TextBuilder,
) -> Result<std::result::Result<(), CodecError>> {
    while let Some(byte) = bytes.get(*at) {
        let undefined = Ok(Err(CodecError { start: *at, end: *at + 1, reason: UNDEFINED }));
        let mapped = match vm.get_item(mapping, &Value::from(*byte as i64)) {
            Ok(mapped) => mapped,
            Err(raised) => {
                vm.catch(raised, exceptions::LOOKUP_ERROR.ty())?;
                return undefined;
            }
        };
        if mapped.is_none() {
            return undefined;
        }
        if int::is_int(&mapped) {
            match code(&mapped, 0x110000) {
                Some(0xfffe) => return undefined,
                Some(code) => out.push(code),
                None => return Err(vm.type_error("character mapping must be in range(0x110000)")),
            }
        } else if let Some(text) = mapped.downcast::<Str>() {
            if text.len() == 1 && text.at(0) == 0xfffe {
                return undefined;
            }
            text.code_points().for_each(|code| out.push(code));
        } else {
            return Err(vm.type_error("character mapping must return integer, None or str"));
        }
        *at += 1;
    }
    Ok(Ok(()))
}

/// The bytes that a character maps to; `None` for none.
fn look_up(vm: &Vm, mapping: &Value, character: u32) -> Result<Option<Vec<u8>>> {
    if let Some(map) = mapping.downcast::<EncodingMap>() {
        return Ok(map.map.lookup(character).map(|byte| vec![byte]));
    }
    let mapped = match vm.get_item(mapping, &Value::from(character)) {
        Ok(mapped) => mapped,
        Err(raised) => {
            vm.catch(raised, exceptions::LOOKUP_ERROR.ty())?;
            return Ok(None);
        }
    };
    if mapped.is_none() {
        return Ok(None);
    }
    if int::is_int(&mapped) {
        return match code(&mapped, 256) {
            Some(byte) => Ok(Some(vec![byte as u8])),
            None => Err(vm.type_error("character mapping must be in range(256)")),
        };
    }
    match mapped.downcast::<Bytes>() {
        Some(bytes) => Ok(Some(bytes.as_slice().to_vec())),
        None => {
            let name = mapped.ty().name();
            Err(vm.type_error(format!("character mapping must return integer, bytes or None, not {name}")))
        }
    }
}

pub(super) fn encode(vm: &Vm, _: &Value, args: &[Value]) -> Result {
    let own = text(vm, "charmap_encode", &args[0])?;
    let errors = errors_argument(vm, "charmap_encode", &args[1])?;
    let mapping = &args[2];
    if mapping.is_none() {
        let encoded = encode_native(vm, Codec::Latin1, &args[0], errors.as_deref())?;
        return pair(bytes::from_slice(vm, &encoded)?, own.len());
    }
    let mut encoding = Encoding::new(vm, "charmap", errors.as_deref());
    let mut at = 0;
    while at < own.len() {
        if let Some(bytes) = look_up(vm, mapping, own.at(at))? {
            encoding.out.extend(bytes);
            at += 1;
            continue;
        }
        let mut end = at + 1;
        while end < own.len() && look_up(vm, mapping, own.at(end))?.is_none() {
            end += 1;
        }
        let error = CodecError { start: at, end, reason: UNDEFINED };
        let (substitute, next) = encoding.handle(&args[0], own, error)?;
        match substitute {
            Substitute::Bytes(bytes) => encoding.out.extend(bytes),
            Substitute::Text(replacement) => {
                let codes = replacement.downcast::<Str>().map(Str::to_code_points).unwrap_or_default();
                for character in codes {
                    match look_up(vm, mapping, character)? {
                        Some(bytes) => encoding.out.extend(bytes),
                        None => return Err(encoding.fail(&args[0], error)),
                    }
                }
            }
        }
        at = next;
    }
    pair(bytes::from_slice(vm, &encoding.out)?, own.len())
}
