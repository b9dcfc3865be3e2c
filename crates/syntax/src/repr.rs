//! `repr()` of constants.

use dashu_int::{IBig, Sign, UBig};

use crate::constant::{BigInt, Constant, PyStr};
use crate::tokenizer::is_printable;

/// Writes a constant as `repr()` does.
pub fn write_constant(out: &mut String, value: &Constant) {
    match *value {
        Constant::None => out.push_str("None"),
        Constant::True => out.push_str("True"),
        Constant::False => out.push_str("False"),
        Constant::Ellipsis => out.push_str("Ellipsis"),
        Constant::Int(value) => out.push_str(&value.to_string()),
        Constant::BigInt(value) => out.push_str(&big_integer(value)),
        Constant::Float(value) => out.push_str(&float(value, true)),
        Constant::Complex { real, imag } => write_complex(out, real, imag),
        Constant::Str(text) => write_str(out, text),
        Constant::Bytes(bytes) => write_bytes(out, bytes),
        Constant::Tuple(values) => {
            out.push('(');
            write_list(out, values);
            out.push_str(if values.len() == 1 { ",)" } else { ")" });
        }
        Constant::FrozenSet([]) => out.push_str("frozenset()"),
        Constant::FrozenSet(values) => {
            out.push_str("frozenset({");
            write_list(out, values);
            out.push_str("})");
        }
    }
}

fn write_list(out: &mut String, values: &[Constant]) {
    for (index, value) in values.iter().enumerate() {
        if index > 0 {
            out.push_str(", ");
        }
        write_constant(out, value);
    }
}

fn big_integer(value: &BigInt) -> String {
    let bytes: Vec<u8> = value.limbs.iter().flat_map(|limb| limb.to_le_bytes()).collect();
    let sign = if value.negative { Sign::Negative } else { Sign::Positive };
    IBig::from_parts(sign, UBig::from_le_bytes(&bytes)).to_string()
}

/// The shortest digits that read back as the same number; exponents below -4 and from 16 on are written out.
fn float(value: f64, add_dot_0: bool) -> String {
    if value.is_nan() {
        return "nan".to_owned();
    }
    if value.is_infinite() {
        return if value < 0.0 { "-inf" } else { "inf" }.to_owned();
    }
    let scientific = format!("{value:e}");
    let Some((mantissa, exponent)) = scientific.split_once('e') else { return scientific };
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if (-4..16).contains(&exponent) {
        let plain = value.to_string();
        return if add_dot_0 && !plain.contains('.') { plain + ".0" } else { plain };
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{mantissa}e{sign}{:02}", exponent.abs())
}

fn write_complex(out: &mut String, real: f64, imag: f64) {
    if real == 0.0 && real.is_sign_positive() {
        out.push_str(&float(imag, false));
        out.push('j');
        return;
    }
    let sign = if imag.is_sign_negative() && !imag.is_nan() { "" } else { "+" };
    out.push_str(&format!("({}{sign}{}j)", float(real, false), float(imag, false)));
}

/// Writes a string literal.
pub fn write_str(out: &mut String, text: PyStr) {
    let bytes = text.as_bytes();
    let quote = if bytes.contains(&b'\'') && !bytes.contains(&b'"') { '"' } else { '\'' };
    out.push(quote);
    for code in text.code_points() {
        match char::from_u32(code) {
            Some('\t') => out.push_str("\\t"),
            Some('\n') => out.push_str("\\n"),
            Some('\r') => out.push_str("\\r"),
            Some(c) if c == '\\' || c == quote => {
                out.push('\\');
                out.push(c);
            }
            Some(c) if (' '..='~').contains(&c) || (!c.is_ascii() && is_printable(c)) => out.push(c),
            _ if code < 0x100 => out.push_str(&format!("\\x{code:02x}")),
            _ if code < 0x1_0000 => out.push_str(&format!("\\u{code:04x}")),
            _ => out.push_str(&format!("\\U{code:08x}")),
        }
    }
    out.push(quote);
}

fn write_bytes(out: &mut String, bytes: &[u8]) {
    let quote = if bytes.contains(&b'\'') && !bytes.contains(&b'"') { '"' } else { '\'' };
    out.push('b');
    out.push(quote);
    for &byte in bytes {
        match byte {
            b'\t' => out.push_str("\\t"),
            b'\n' => out.push_str("\\n"),
            b'\r' => out.push_str("\\r"),
            b' '..=b'~' => {
                if byte == b'\\' || char::from(byte) == quote {
                    out.push('\\');
                }
                out.push(byte.into());
            }
            _ => out.push_str(&format!("\\x{byte:02x}")),
        }
    }
    out.push(quote);
}
