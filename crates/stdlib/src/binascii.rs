//! `binascii`: bytes as ASCII text and back.
//!
//! `base64.rs`, `quoted_printable.rs` and `uu.rs` have the encodings.

pub mod base64;
pub mod quoted_printable;
pub mod uu;

use crate::zlib::stream::crc32;
use std::sync::OnceLock;
use taipan_object::buffer::BytesLike;
use taipan_object::builtins::bytes::{self, BYTES, Bytes, hex};
use taipan_object::builtins::int;
use taipan_object::builtins::str::Str;
use taipan_object::exceptions::{EXCEPTION, VALUE_ERROR};
use taipan_object::native::MethodDef;
use taipan_object::native::module::ModuleDef;
use taipan_object::types::Type;
use taipan_object::vm::hooks::blocking;
use taipan_object::{Raised, Result, Value, Vm, method_table};

pub static MODULE: ModuleDef = ModuleDef {
    name: "binascii",
    doc: "Binary data written as ASCII text, and back",
    functions: FUNCTIONS,
    exec: |vm, module| {
        module.set("Error", error_class(vm)?.clone());
        let incomplete = crate::exception_type::new(vm, "binascii", "Incomplete", vec![EXCEPTION.value()], None)?;
        module.set("Incomplete", incomplete);
        Ok(())
    },
};

fn error_class(vm: &Vm) -> Result<&'static Value> {
    static CLASS: OnceLock<Value> = OnceLock::new();
    if let Some(class) = CLASS.get() {
        return Ok(class);
    }
    let class = crate::exception_type::new(vm, "binascii", "Error", vec![VALUE_ERROR.value()], None)?;
    Ok(CLASS.get_or_init(|| class))
}

/// `binascii.Error`
#[cold]
fn error(vm: &Vm, message: impl Into<String>) -> Raised {
    match error_class(vm) {
        Ok(class) => match class.downcast::<Type>() {
            Some(class) => vm.raise_new(class, message.into()),
            None => vm.value_error(message),
        },
        Err(raised) => raised,
    }
}

/// The bytes of an argument that is bytes-like or an ASCII str.
fn ascii_or_buffer<'a>(vm: &Vm, value: &'a Value) -> Result<BytesLike<'a>> {
    if let Some(text) = value.downcast::<Str>() {
        return match text.as_ascii() {
            Some(ascii) => Ok(BytesLike::Bytes(ascii.as_bytes())),
            None => Err(vm.value_error("string argument should contain only ASCII characters")),
        };
    }
    if !vm.has_buffer(value) {
        let got = value.ty().name();
        return Err(vm.type_error(format!("argument should be bytes, buffer or ASCII string, not '{got}'")));
    }
    vm.bytes_like(value)
}

method_table! { static FUNCTIONS = [
    MethodDef::new("a2b_uu($module, data, /)", "Decode one uuencoded line.", |vm, _, args| {
        let data = ascii_or_buffer(vm, &args[0])?;
        let decoded = uu::decode(&data).map_err(|message| error(vm, message))?;
        bytes::from_slice(vm, &decoded)
    }),
    MethodDef::new("b2a_uu($module, data, /, *, backtick=False)", "Encode data as a uuencoded line.", |vm, _, args| {
        let data = vm.bytes_like(&args[0])?;
        let backtick = vm.is_true(&args[1])?;
        let encoded = uu::encode(&data, backtick).map_err(|message| error(vm, message))?;
        bytes::from_slice(vm, &encoded)
    }),
    MethodDef::new("a2b_base64($module, data, /, *, strict_mode=False)",
        "Decode base64 data.\n\n  \
        strict_mode\n    \
        Whether to raise binascii.Error about bytes outside the base64\n    \
        alphabet, data after the padding and the like.",
        |vm, _, args| {
            let data = ascii_or_buffer(vm, &args[0])?;
            let strict = vm.is_true(&args[1])?;
            if let Some(length) = base64::padded_length(&data) {
                let mut complete = false;
                let decoded = Bytes::build(vm, BYTES.ty(), length, |out| complete = base64::decode_padded(&data, out))?;
                if complete {
                    return Ok(decoded);
                }
            }
            let decoded = base64::decode(&data, strict).map_err(|failure| match failure {
                Some(message) => error(vm, message),
                None => vm.memory_error(),
            })?;
            bytes::from_slice(vm, &decoded)
        }),
    MethodDef::new("b2a_base64($module, data, /, *, newline=True)", "\
        Encode data as a line of base64.", |vm, _, args| {
        let data = vm.bytes_like(&args[0])?;
        let newline = vm.is_true(&args[1])?;
        let length = data.len().div_ceil(3).saturating_mul(4).saturating_add(usize::from(newline));
        Bytes::build(vm, BYTES.ty(), length, |out| base64::encode(&data, out))
    }),
    MethodDef::new("a2b_hex($module, hexstr, /)",
        "Return the bytes that pairs of hexadecimal digits stand for.\n\n\
        The number of digits must be even; their case does not matter.\n\
        unhexlify() is the same function.",
        |vm, _, args| unhexlify(vm, &args[0])),
    MethodDef::new("b2a_hex($module, /, data, sep=<unrepresentable>, bytes_per_sep=1)",
        "Return the hexadecimal digits of data, as bytes.\n\n  \
        sep\n    \
        A str or bytes of one ASCII character, to stand between groups.\n  \
        bytes_per_sep\n    \
        The number of bytes in a group.  Groups are counted from the\n    \
        right, or from the left if the number is negative.\n\n\
        hexlify() is the same function.",
        |vm, _, args| hexlify(vm, args)),
    MethodDef::new("hexlify($module, /, data, sep=<unrepresentable>, bytes_per_sep=1)",
        "Return the hexadecimal digits of data, as bytes.\n\n  \
        sep\n    \
        A str or bytes of one ASCII character, to stand between groups.\n  \
        bytes_per_sep\n    \
        The number of bytes in a group.  Groups are counted from the\n    \
        right, or from the left if the number is negative.\n\n\
        b2a_hex() is the same function.",
        |vm, _, args| hexlify(vm, args)),
    MethodDef::new("unhexlify($module, hexstr, /)",
        "Return the bytes that pairs of hexadecimal digits stand for.\n\n\
        The number of digits must be even; their case does not matter.",
        |vm, _, args| unhexlify(vm, &args[0])),
    MethodDef::new("crc_hqx($module, data, crc, /)", "\
        Return the CRC-CCITT of data, going on from the value for preceding data.", |vm, _, args| {
        let data = vm.bytes_like(&args[0])?;
        let crc = word_argument(vm, &args[1])? as u16;
        Ok(Value::from(u32::from(data.iter().fold(crc, |crc, byte| crc << 8 ^ HQX[usize::from((crc >> 8) as u8 ^ byte)]))))
    }),
    MethodDef::new("crc32($module, data, crc=0, /)", "\
        Return the CRC-32 of data, going on from the value for preceding data.", |vm, _, args| {
        const LARGE: usize = 1024 * 5;
        let data = vm.bytes_like(&args[0])?;
        let crc = word_argument(vm, &args[1])?;
        let crc = if data.len() > LARGE { blocking(|| crc32(crc, &data)) } else { crc32(crc, &data) };
        Ok(Value::from(crc))
    }),
    MethodDef::new("a2b_qp($module, /, data, header=False)", "Decode quoted-printable data.", |vm, _, args| {
        let data = ascii_or_buffer(vm, &args[0])?;
        let header = vm.is_true(&args[1])?;
        bytes::from_slice(vm, &quoted_printable::decode(&data, header))
    }),
    MethodDef::new("b2a_qp($module, /, data, quotetabs=False, istext=True, header=False)",
        "Encode data as quoted-printable.\n\n\
        A text keeps its line ends, and whitespace is encoded only at the ends\n\
        of lines; if istext is false, \\r and \\n are encoded as well.  With\n\
        quotetabs every space and tab is encoded.",
        |vm, _, args| {
            let data = vm.bytes_like(&args[0])?;
            let (tabs, text, header) = (vm.is_true(&args[1])?, vm.is_true(&args[2])?, vm.is_true(&args[3])?);
            bytes::from_slice(vm, &quoted_printable::encode(&data, quoted_printable::Options { tabs, text, header }))
        }),
]; }

/// The low 32 bits of an int.
fn word_argument(vm: &Vm, value: &Value) -> Result<u32> {
    let index = vm.index(value)?;
    match int::to_i64(&index) {
        Some(n) => Ok(n as u32),
        None => Ok(crate::arguments::c_ulong_mask(vm, &index)? as u32),
    }
}

/// The polynomial x^16 + x^12 + x^5 + 1, byte by byte.
static HQX: [u16; 256] = {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        let mut crc = (byte as u16) << 8;
        let mut bit = 0;
        while bit < 8 {
            crc = if crc & 0x8000 != 0 { crc << 1 ^ 0x1021 } else { crc << 1 };
            bit += 1;
        }
        table[byte] = crc;
        byte += 1;
    }
    table
};

fn hexlify(vm: &Vm, args: &[Value]) -> Result {
    let data = vm.bytes_like(&args[0])?;
    if args[1].bound().is_none() {
        vm.index_i32(&args[2])?;
        return Bytes::build(vm, BYTES.ty(), data.len().saturating_mul(2), |out| {
            // Arithmetic rather than a table: the compiler makes vectors of it.
            let digit = |value: u8| value + b'0' + if value > 9 { b'a' - b'0' - 10 } else { 0 };
            for (pair, byte) in out.as_chunks_mut::<2>().0.iter_mut().zip(data.iter()) {
                *pair = [digit(byte >> 4), digit(byte & 15)];
            }
        });
    }
    bytes::from_slice(vm, &hex::hex_digits(vm, &data, &args[1], &args[2], 0xff)?)
}

/// The values of hexadecimal digits; other bytes have values that are no digit's.
static HEX_VALUES: [u8; 256] = {
    let mut values = [0xff; 256];
    let mut digit = 0;
    while digit < 16 {
        let character = b"0123456789abcdef"[digit];
        values[character as usize] = digit as u8;
        values[character.to_ascii_uppercase() as usize] = digit as u8;
        digit += 1;
    }
    values
};

/// The value of a hexadecimal digit.
fn digit(byte: u8) -> Option<u8> {
    Some(HEX_VALUES[usize::from(byte)]).filter(|value| *value < 16)
}

fn unhexlify(vm: &Vm, text: &Value) -> Result {
    let text = ascii_or_buffer(vm, text)?;
    if text.len() % 2 == 1 {
        return Err(error(vm, "Odd-length string"));
    }
    let mut seen = 0;
    let decoded = Bytes::build(vm, BYTES.ty(), text.len() / 2, |out| {
        for (byte, pair) in out.iter_mut().zip(text.as_chunks::<2>().0) {
            let [high, low] = pair.map(|digit| HEX_VALUES[usize::from(digit)]);
            seen |= high | low;
            *byte = high << 4 | low;
        }
    })?;
    if seen < 16 { Ok(decoded) } else { Err(error(vm, "Non-hexadecimal digit found")) }
}
