//! `repr` of bytes.

use super::BYTES_WARNING;
use crate::builtins::str::Str;
use crate::exceptions;
use crate::object::Result;
use crate::text::builder::GivenUp;
use crate::value::Value;
use crate::vm::Vm;
use std::sync::atomic::Ordering::Relaxed;

/// `b'…'`: double quotes only if single ones occur and double ones do not.
pub(crate) fn repr(data: &[u8]) -> Vec<u8> {
    let quote = if data.contains(&b'\'') && !data.contains(&b'"') { b'"' } else { b'\'' };
    let mut out = Vec::new();
    out.make_room(data.len() + 3);
    out.put_all(&[b'b', quote]);
    for &byte in data {
        match byte {
            b'\t' => out.put_all(b"\\t"),
            b'\n' => out.put_all(b"\\n"),
            b'\r' => out.put_all(b"\\r"),
            b'\\' => out.put_all(b"\\\\"),
            _ if byte == quote => out.put_all(&[b'\\', quote]),
            b' '..=b'~' => out.put(byte),
            _ => {
                const DIGITS: &[u8; 16] = b"0123456789abcdef";
                out.put_all(&[b'\\', b'x', DIGITS[(byte >> 4) as usize], DIGITS[(byte & 15) as usize]]);
            }
        }
    }
    out.put(quote);
    out
}

/// The `repr` as a str.
pub(crate) fn repr_value(data: &[u8]) -> Value {
    Str::from_ascii(&repr(data)).into_value()
}

/// The warning of `-b`, an error with `-bb`.
pub(crate) fn warn(vm: &Vm, message: &str) -> Result<()> {
    if BYTES_WARNING.load(Relaxed) == 0 {
        return Ok(());
    }
    vm.warn(&exceptions::BYTES_WARNING.value(), message, 1)
}
