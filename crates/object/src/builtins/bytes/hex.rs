//! `hex` and `fromhex`.

use super::view::own;
use super::{BYTES, from_slice};
use crate::builtins::bytearray::{self, BYTEARRAY};
use crate::builtins::int;
use crate::builtins::str::Str;
use crate::object::Result;
use crate::types::Type;
use crate::value::Value;
use crate::vm::{Raised, Vm};

const DIGITS: &[u8; 16] = b"0123456789abcdef";

/// The hexadecimal digits of `data`, with a separator between groups of bytes: counted from the right if `group` is
/// positive, from the left if it is negative.
pub fn to_hex(vm: &Vm, data: &[u8], separator: &Value, group: &Value) -> Result {
    Ok(Str::from_ascii(&hex_digits(vm, data, separator, group, 0x7f)?).into_value())
}

/// As [`to_hex`], as bytes; the separator is a code up to `limit`.
pub fn hex_digits(vm: &Vm, data: &[u8], separator: &Value, group: &Value, limit: u8) -> Result<Vec<u8>> {
    let group = match int::to_i64(&vm.index(group)?) {
        Some(group) if i32::try_from(group).is_ok() => group,
        _ => return Err(vm.overflow_error("Python int too large to convert to C int")),
    };
    let separator = match separator.bound() {
        None => None,
        Some(value) => Some(separator_byte(vm, value, limit)?),
    };
    let size = group.unsigned_abs() as usize;
    let separators = match separator {
        Some(_) if size > 0 && !data.is_empty() => (data.len() - 1) / size,
        _ => 0,
    };
    let length = data.len().checked_mul(2).and_then(|n| n.checked_add(separators));
    let mut out = super::view::reserved(vm, length)?;
    if separators == 0 {
        out.extend(data.iter().flat_map(|byte| [DIGITS[(byte >> 4) as usize], DIGITS[(byte & 15) as usize]]));
        return Ok(out);
    }
    for (at, byte) in data.iter().enumerate() {
        if separators > 0 && at > 0 {
            let place = if group > 0 { data.len() - at } else { at };
            if place.is_multiple_of(size) {
                out.extend(separator);
            }
        }
        out.extend_from_slice(&[DIGITS[(byte >> 4) as usize], DIGITS[(byte & 15) as usize]]);
    }
    Ok(out)
}

fn separator_byte(vm: &Vm, value: &Value, limit: u8) -> Result<u8> {
    let length = vm.len(value)?;
    if length != 1 {
        return Err(vm.value_error("sep must be length 1."));
    }
    let code = if let Some(text) = value.downcast::<Str>() {
        text.at(0)
    } else if super::is_bytes(value) {
        vm.bytes_like(value)?[0] as u32
    } else {
        return Err(vm.type_error("sep must be str or bytes."));
    };
    if code <= limit.into() { Ok(code as u8) } else { Err(vm.value_error("sep must be ASCII.")) }
}

pub(crate) fn hex(vm: &Vm, this: &Value, args: &[Value]) -> Result {
    to_hex(vm, &own(vm, this)?, &args[0], &args[1])
}

#[cold]
fn invalid(vm: &Vm, at: usize) -> Raised {
    vm.value_error(format!("non-hexadecimal number found in fromhex() arg at position {at}"))
}

fn parse(vm: &Vm, text: &[u8]) -> Result<Vec<u8>> {
    let digit = |at: usize| text.get(at).and_then(|byte| (*byte as char).to_digit(16));
    let mut out = vm.buffer_for(text.len() / 2)?;
    let mut at = 0;
    loop {
        while text.get(at).is_some_and(|byte| super::split::is_space(*byte)) {
            at += 1;
        }
        if at == text.len() {
            return Ok(out);
        }
        let Some(high) = digit(at) else { return Err(invalid(vm, at)) };
        if at + 1 == text.len() {
            return Err(vm.value_error("fromhex() arg must contain an even number of hexadecimal digits"));
        }
        let Some(low) = digit(at + 1) else { return Err(invalid(vm, at + 1)) };
        out.push((high << 4 | low) as u8);
        at += 2;
    }
}

pub(crate) fn fromhex(vm: &Vm, class: &Value, args: &[Value]) -> Result {
    let data = if let Some(text) = args[0].downcast::<Str>() {
        match text.as_ascii() {
            Some(ascii) => parse(vm, ascii.as_bytes())?,
            None => {
                let at = text.code_points().position(|code| code >= 0x80).unwrap_or(0);
                // What precedes may be invalid as well.
                let before: Vec<u8> = text.code_points().take(at).map(|code| code as u8).collect();
                let even = before.len() - before.len() % 2;
                parse(vm, &before[..even])?;
                return Err(invalid(vm, at));
            }
        }
    } else if vm.has_buffer(&args[0]) {
        parse(vm, &vm.bytes_like(&args[0])?)?
    } else {
        let name = args[0].ty().name();
        return Err(vm.type_error(format!("fromhex() argument must be str or bytes-like, not {name}")));
    };
    let ty = class.downcast::<Type>();
    if ty.is_some_and(|ty| ty.is_subtype(BYTEARRAY.ty())) {
        let array = bytearray::new(data);
        return if ty.is_some_and(|ty| ty.is(&BYTEARRAY)) { Ok(array) } else { vm.call_args(class, &[array]) };
    }
    let bytes = from_slice(vm, &data)?;
    if ty.is_some_and(|ty| ty.is(&BYTES)) { Ok(bytes) } else { vm.call_args(class, &[bytes]) }
}
