//! `_codecs`: the registry of codecs and the codecs themselves, for `codecs` and `encodings`.
//!
//! The conversions are in `taipan_object::codecs`; here are the argument conventions and the codecs that map through
//! Python objects (`charmap.rs`).

use taipan_object::builtins::bytes;
use taipan_object::builtins::int;
use taipan_object::builtins::str::Str;
use taipan_object::builtins::tuple::Tuple;
use taipan_object::codecs::{self, errors, registry};
use taipan_object::native::MethodDef;
use taipan_object::native::module::{Module, ModuleDef};
use taipan_object::text::codecs::escape::{self, Malformed};
use taipan_object::text::codecs::{ByteOrder, Codec};
use taipan_object::{Result, Value, Vm, method_table};

mod charmap;

pub static MODULE: ModuleDef =
    ModuleDef { name: "_codecs", doc: "", functions: FUNCTIONS, exec: |_, _: &Module| Ok(()) };

/// The bytes that an argument stands for; a str by its UTF-8 if `text_too`.
fn data(vm: &Vm, value: &Value, text_too: bool) -> Result<Vec<u8>> {
    if text_too && value.downcast::<Str>().is_some() {
        return codecs::to_utf8(vm, value).map(String::into_bytes);
    }
    vm.buffer_of(&vm.bytes_like(value)?)
}

fn text<'a>(vm: &Vm, function: &str, value: &'a Value) -> Result<&'a Str> {
    vm.expect_str(value, |got| format!("{function}() argument 1 must be str, not {got}"))
}

/// The name of an error handler, if one is given.
fn errors_argument(vm: &Vm, function: &str, value: &Value) -> Result<Option<String>> {
    if value.is_none() || value.is_unbound() {
        return Ok(None);
    }
    if value.downcast::<Str>().is_none() {
        let got = value.ty().name();
        return Err(vm.type_error(format!("{function}() argument 2 must be str or None, not {got}")));
    }
    let name = codecs::to_utf8(vm, value)?;
    if name.contains('\0') { Err(vm.value_error("embedded null character")) } else { Ok(Some(name)) }
}

fn pair(first: Value, used: usize) -> Result {
    Ok(Tuple::from_vec(vec![first, Value::from(used)]).into_value())
}

/// `X_decode(data, errors, final)`; codecs whose third argument is absent always take their input for final.
fn decode(vm: &Vm, args: &[Value], function: &str, codec: Codec) -> Result {
    let text_too = matches!(codec, Codec::UnicodeEscape | Codec::RawUnicodeEscape);
    let bytes = data(vm, &args[0], text_too)?;
    let errors = errors_argument(vm, function, &args[1])?;
    let is_final = args.get(2).map_or(Ok(true), |value| vm.is_true(value))?;
    let (text, used) = codecs::decode_native(vm, codec, &bytes, 0, errors.as_deref(), is_final)?;
    pair(text.into_value(), used)
}

/// `X_encode(str, errors)`
fn encode(vm: &Vm, args: &[Value], function: &str, codec: Codec) -> Result {
    let length = text(vm, function, &args[0])?.len();
    let errors = errors_argument(vm, function, &args[1])?;
    let data = codecs::encode_native(vm, codec, &args[0], errors.as_deref())?;
    pair(bytes::from_slice(vm, &data)?, length)
}

/// Decodes in the order that `byteorder` (−1, 0, 1) or the byte order mark says; the text, the bytes used and the order.
fn decode_by_mark(
    vm: &Vm,
    args: &[Value],
    function: &str,
    wide: bool,
    byteorder: i32,
    is_final: bool,
) -> Result<(Value, usize, i32)> {
    let bytes = data(vm, &args[0], false)?;
    let errors = errors_argument(vm, function, &args[1])?;
    let (mut order, mut start) = (byteorder.signum(), 0);
    if order == 0 {
        let (mark, behind) = codecs::byte_order(&bytes, wide);
        start = behind;
        order = match mark {
            Some(ByteOrder::Little) => -1,
            Some(ByteOrder::Big) => 1,
            None => 0,
        };
    }
    let byte_order = match order {
        -1 => ByteOrder::Little,
        1 => ByteOrder::Big,
        _ => ByteOrder::NATIVE,
    };
    let codec = if wide { Codec::Utf32(byte_order) } else { Codec::Utf16(byte_order) };
    let (text, used) = codecs::decode_native(vm, codec, &bytes, start, errors.as_deref(), is_final)?;
    Ok((text.into_value(), used, order))
}

fn decode_marked(vm: &Vm, args: &[Value], function: &str, wide: bool) -> Result {
    let is_final = vm.is_true(&args[2])?;
    let (text, used, _) = decode_by_mark(vm, args, function, wide, 0, is_final)?;
    pair(text, used)
}

fn decode_extended(vm: &Vm, args: &[Value], function: &str, wide: bool) -> Result {
    let byteorder = vm.index_i32(&args[2])?;
    let is_final = vm.is_true(&args[3])?;
    let (text, used, order) = decode_by_mark(vm, args, function, wide, byteorder, is_final)?;
    Ok(Tuple::from_vec(vec![text, Value::from(used), Value::from(order)]).into_value())
}

/// `utf_16_encode(str, errors, byteorder)`: with a byte order mark if the order is 0.
fn encode_ordered(vm: &Vm, args: &[Value], function: &str, wide: bool) -> Result {
    let length = text(vm, function, &args[0])?.len();
    let errors = errors_argument(vm, function, &args[1])?;
    let errors = errors.as_deref();
    let order = match vm.index_i32(&args[2])?.signum() {
        -1 => Some(ByteOrder::Little),
        1 => Some(ByteOrder::Big),
        _ => None,
    };
    let data = match order {
        None => codecs::encode_with_mark(vm, wide, &args[0], errors)?,
        Some(order) if wide => codecs::encode_native(vm, Codec::Utf32(order), &args[0], errors)?,
        Some(order) => codecs::encode_native(vm, Codec::Utf16(order), &args[0], errors)?,
    };
    pair(bytes::from_slice(vm, &data)?, length)
}

fn escape_decode(vm: &Vm, _: &Value, args: &[Value]) -> Result {
    let input = data(vm, &args[0], true)?;
    let errors = errors_argument(vm, "escape_decode", &args[1])?;
    let malformed = match errors.as_deref() {
        None | Some("strict") => Malformed::Strict,
        Some("replace") => Malformed::Replace,
        Some("ignore") => Malformed::Ignore,
        Some(name) => {
            let message = format!("decoding error; unknown error handling code: {name}");
            return Err(vm.value_error(message));
        }
    };
    let mut invalid = None;
    let decoded = escape::decode(&input, malformed, &mut invalid).map_err(|error| vm.text_error(error))?;
    if let Some(invalid) = invalid {
        vm.warn(&taipan_object::exceptions::DEPRECATION_WARNING.value(), &invalid.message(), 1)?;
    }
    pair(bytes::from_slice(vm, &decoded)?, input.len())
}

fn escape_encode(vm: &Vm, _: &Value, args: &[Value]) -> Result {
    if !bytes::is_bytes(&args[0]) {
        let got = args[0].ty().name();
        return Err(vm.type_error(format!("escape_encode() argument 1 must be bytes, not {got}")));
    }
    let input = data(vm, &args[0], false)?;
    pair(bytes::from_slice(vm, &escape::encode(&input))?, input.len())
}

fn readbuffer_encode(vm: &Vm, _: &Value, args: &[Value]) -> Result {
    let input = data(vm, &args[0], true)?;
    pair(bytes::from_slice(vm, &input)?, input.len())
}

/// A name given as an argument.
fn name(vm: &Vm, function: &str, value: &Value) -> Result<String> {
    vm.expect_str(value, |got| format!("{function}() argument must be str, not {got}"))?;
    let name = codecs::to_utf8(vm, value)?;
    if name.contains('\0') { Err(vm.value_error("embedded null character")) } else { Ok(name) }
}

fn convert(vm: &Vm, args: &[Value], encoding_it: bool) -> Result {
    let function = if encoding_it { "encode" } else { "decode" };
    let encoding = codecs::name_argument(vm, function, "encoding", &args[1])?;
    let encoding = encoding.as_deref().unwrap_or("utf-8");
    let errors = codecs::name_argument(vm, function, "errors", &args[2])?;
    if encoding_it {
        registry::encode_object(vm, &args[0], encoding, errors.as_deref())
    } else {
        registry::decode_object(vm, &args[0], encoding, errors.as_deref())
    }
}

fn register_error(vm: &Vm, _: &Value, args: &[Value]) -> Result {
    vm.expect_str(&args[0], |got| format!("register_error() argument 1 must be str, not {got}"))?;
    let name = codecs::to_utf8(vm, &args[0])?;
    errors::register(vm, &name, &args[1]).map(Value::from)
}

method_table! {
    static FUNCTIONS = [
        MethodDef::new("register($module, search_function, /)", "Add a function that finds codecs.\n\n\
            It is called with a normalized encoding name, in lower case, and returns\n\
            a codecs.CodecInfo, or None if it does not know the \
            encoding.", |vm, _, args| registry::register(vm, &args[0]).map(Value::from)),
        MethodDef::new("unregister($module, search_function, /)", "\
            Remove a function that register() has added, and forget codecs found.\n\n\
            Nothing happens if the function is not \
            registered.", |_, _, args| { registry::unregister(&args[0]); Ok(Value::NONE) }),
        MethodDef::new("lookup($module, encoding, /)", "\
            Return the CodecInfo of an encoding; LookupError is raised if it is \
            unknown.", |vm, _, args| registry::lookup(vm, &name(vm, "lookup", &args[0])?)),
        MethodDef::new("encode($module, /, obj, encoding='utf-8', errors='strict')", "\
            Encode an object, usually a str, with the codec of the given name.\n\n\
            The default encoding is 'utf-8'.  errors says what to do about what\n\
            cannot be encoded: 'strict', the default, raises an exception derived\n\
            from ValueError; other values are 'ignore', 'replace',\n\
            'backslashreplace' and names from codecs.register_error().", |vm, _, args| convert(vm, args, true)),
        MethodDef::new("decode($module, /, obj, encoding='utf-8', errors='strict')", "\
            Decode an object, usually bytes, with the codec of the given name.\n\n\
            The default encoding is 'utf-8'.  errors says what to do about what\n\
            cannot be decoded: 'strict', the default, raises an exception derived\n\
            from ValueError; other values are 'ignore', 'replace',\n\
            'backslashreplace' and names from codecs.register_error().", |vm, _, args| convert(vm, args, false)),
        MethodDef::new("escape_encode($module, data, errors=None, /)", "", escape_encode),
        MethodDef::new("escape_decode($module, data, errors=None, /)", "", escape_decode),
        MethodDef::new("utf_8_encode($module, str, errors=None, /)", "", |vm, _, args| encode(vm, args, "utf_8_encode", Codec::Utf8)),
        MethodDef::new("utf_8_decode($module, data, errors=None, final=False, /)", "", |vm, _, args| decode(vm, args, "utf_8_decode", Codec::Utf8)),
        MethodDef::new("utf_7_encode($module, str, errors=None, /)", "", |vm, _, args| encode(vm, args, "utf_7_encode", Codec::Utf7)),
        MethodDef::new("utf_7_decode($module, data, errors=None, final=False, /)", "", |vm, _, args| decode(vm, args, "utf_7_decode", Codec::Utf7)),
        MethodDef::new("utf_16_encode($module, str, errors=None, byteorder=0, /)", "", |vm, _, args| encode_ordered(vm, args, "utf_16_encode", false)),
        MethodDef::new("utf_16_le_encode($module, str, errors=None, /)", "", |vm, _, args| encode(vm, args, "utf_16_le_encode", Codec::Utf16(ByteOrder::Little))),
        MethodDef::new("utf_16_be_encode($module, str, errors=None, /)", "", |vm, _, args| encode(vm, args, "utf_16_be_encode", Codec::Utf16(ByteOrder::Big))),
        MethodDef::new("utf_16_decode($module, data, errors=None, final=False, /)", "", |vm, _, args| decode_marked(vm, args, "utf_16_decode", false)),
        MethodDef::new("utf_16_le_decode($module, data, errors=None, final=False, /)", "", |vm, _, args| decode(vm, args, "utf_16_le_decode", Codec::Utf16(ByteOrder::Little))),
        MethodDef::new("utf_16_be_decode($module, data, errors=None, final=False, /)", "", |vm, _, args| decode(vm, args, "utf_16_be_decode", Codec::Utf16(ByteOrder::Big))),
        MethodDef::new("utf_16_ex_decode($module, data, errors=None, byteorder=0, final=False,\n                 /)", "", |vm, _, args| decode_extended(vm, args, "utf_16_ex_decode", false)),
        MethodDef::new("utf_32_encode($module, str, errors=None, byteorder=0, /)", "", |vm, _, args| encode_ordered(vm, args, "utf_32_encode", true)),
        MethodDef::new("utf_32_le_encode($module, str, errors=None, /)", "", |vm, _, args| encode(vm, args, "utf_32_le_encode", Codec::Utf32(ByteOrder::Little))),
        MethodDef::new("utf_32_be_encode($module, str, errors=None, /)", "", |vm, _, args| encode(vm, args, "utf_32_be_encode", Codec::Utf32(ByteOrder::Big))),
        MethodDef::new("utf_32_decode($module, data, errors=None, final=False, /)", "", |vm, _, args| decode_marked(vm, args, "utf_32_decode", true)),
        MethodDef::new("utf_32_le_decode($module, data, errors=None, final=False, /)", "", |vm, _, args| decode(vm, args, "utf_32_le_decode", Codec::Utf32(ByteOrder::Little))),
        MethodDef::new("utf_32_be_decode($module, data, errors=None, final=False, /)", "", |vm, _, args| decode(vm, args, "utf_32_be_decode", Codec::Utf32(ByteOrder::Big))),
        MethodDef::new("utf_32_ex_decode($module, data, errors=None, byteorder=0, final=False,\n                 /)", "", |vm, _, args| decode_extended(vm, args, "utf_32_ex_decode", true)),
        MethodDef::new("unicode_escape_encode($module, str, errors=None, /)", "", |vm, _, args| encode(vm, args, "unicode_escape_encode", Codec::UnicodeEscape)),
        MethodDef::new("unicode_escape_decode($module, data, errors=None, final=True, /)", "", |vm, _, args| decode(vm, args, "unicode_escape_decode", Codec::UnicodeEscape)),
        MethodDef::new("raw_unicode_escape_encode($module, str, errors=None, /)", "", |vm, _, args| encode(vm, args, "raw_unicode_escape_encode", Codec::RawUnicodeEscape)),
        MethodDef::new("raw_unicode_escape_decode($module, data, errors=None, final=True, /)", "", |vm, _, args| decode(vm, args, "raw_unicode_escape_decode", Codec::RawUnicodeEscape)),
        MethodDef::new("latin_1_encode($module, str, errors=None, /)", "", |vm, _, args| encode(vm, args, "latin_1_encode", Codec::Latin1)),
        MethodDef::new("latin_1_decode($module, data, errors=None, /)", "", |vm, _, args| decode(vm, args, "latin_1_decode", Codec::Latin1)),
        MethodDef::new("ascii_encode($module, str, errors=None, /)", "", |vm, _, args| encode(vm, args, "ascii_encode", Codec::Ascii)),
        MethodDef::new("ascii_decode($module, data, errors=None, /)", "", |vm, _, args| decode(vm, args, "ascii_decode", Codec::Ascii)),
        MethodDef::new("charmap_encode($module, str, errors=None, mapping=None, /)", "", charmap::encode),
        MethodDef::new("charmap_decode($module, data, errors=None, mapping=None, /)", "", charmap::decode),
        MethodDef::new("charmap_build($module, map, /)", "", charmap::build),
        MethodDef::new("readbuffer_encode($module, data, errors=None, /)", "", readbuffer_encode),
        MethodDef::new("register_error($module, errors, handler, /)", "\
            Give an error handler a name, which can be used as an errors argument.\n\n\
            It is called with a UnicodeError that describes the place of the error,\n\
            and returns a replacement and the position at which to go on, or raises\n\
            an exception.", register_error),
        MethodDef::new("_unregister_error($module, errors, /)", "\
            Remove the error handler that is registered under a name.\n\n\
            The result tells whether there was one.\n\n\
            Only handlers that register_error() has added can be removed; for those\n\
            that are built in, such as 'strict', ValueError is \
            raised.", |vm, _, args| errors::unregister(vm, &name(vm, "_unregister_error", &args[0])?).map(Value::bool)),
        MethodDef::new("lookup_error($module, name, /)", "lookup_error(errors) -> handler\n\n\
            Return the error handler that is registered under the name;\n\
            LookupError is raised if there is \
            none.", |vm, _, args| errors::lookup(vm, Some(&name(vm, "lookup_error", &args[0])?))),
    ];
}

/// The code point that an int stands for; `None` beyond `limit`.
fn code(value: &Value, limit: u32) -> Option<u32> {
    int::to_i64(value).and_then(|n| u32::try_from(n).ok()).filter(|code| *code < limit)
}
