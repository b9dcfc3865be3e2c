//! `%`-formatting of bytes.

use super::convert::by_special_method;
use super::view::{make_owned, own};
use crate::builtins::int;
use crate::builtins::str::percent::{Arguments, directive, write_float, write_int};
use crate::builtins::str::{Str, repr};
use crate::object::Result;
use crate::text::percent_format::{Directive, Flavor};
use crate::value::Value;
use crate::vm::Vm;

/// `this % operand`
pub(crate) fn format(vm: &Vm, this: &Value, operand: &Value) -> Result {
    let data = vm.buffer_of(&own(vm, this)?)?;
    let mut out = vm.buffer_for(data.len() + 16)?;
    let mut arguments = Arguments::new(vm, operand, Flavor::Bytes);
    let mut at = 0;
    while let Some(length) = memchr::memchr(b'%', &data[at..]) {
        out.extend_from_slice(&data[at..at + length]);
        at += length + 1;
        let directive = directive(vm, &data, &mut at, Flavor::Bytes, &mut arguments)?;
        if directive.is_percent() {
            arguments.forget_key();
            out.push(b'%');
            continue;
        }
        let value = arguments.take()?;
        write(vm, &directive, &value, &mut out)?;
    }
    out.extend_from_slice(&data[at..]);
    arguments.finish(Flavor::Bytes)?;
    make_owned(vm, this, out)
}

fn write(vm: &Vm, directive: &Directive, value: &Value, out: &mut Vec<u8>) -> Result<()> {
    let fail = |error| vm.text_error(error);
    match directive.kind_byte() {
        b's' | b'b' => directive.write_bytes(&bytes_of(vm, value)?, out).map_err(fail),
        b'r' | b'a' => {
            let shown = repr::ascii(&vm.repr(value)?);
            let text = shown.downcast::<Str>().and_then(Str::as_ascii).unwrap_or("");
            directive.write_bytes(text.as_bytes(), out).map_err(fail)
        }
        b'd' | b'i' | b'u' | b'o' | b'x' | b'X' => write_int(vm, directive, value, out),
        b'e' | b'E' | b'f' | b'F' | b'g' | b'G' => write_float(vm, directive, value, out),
        b'c' => directive.write_byte(byte(vm, value)?, out).map_err(fail),
        _ => Err(fail(directive.unsupported(Flavor::Bytes))),
    }
}

fn bytes_of(vm: &Vm, value: &Value) -> Result<Vec<u8>> {
    if super::is_bytes(value) || super::is_bytearray(value) {
        return vm.buffer_of(&vm.bytes_like(value)?);
    }
    if let Some(bytes) = by_special_method(vm, value)? {
        return vm.buffer_of(&vm.bytes_like(&bytes)?);
    }
    if vm.has_buffer(value) {
        return vm.get_buffer(value, crate::buffer::buffer_flags::FULL_RO)?.to_vec(vm);
    }
    let name = value.ty().name();
    Err(vm.type_error(format!("%b requires a bytes-like object, or an object that implements __bytes__, not '{name}'")))
}

/// The byte that `%c` gets.
fn byte(vm: &Vm, value: &Value) -> Result<u8> {
    let wanted = "%c requires an integer in range(256) or a single byte, not";
    if super::is_bytes(value) || super::is_bytearray(value) {
        let noun = if super::is_bytes(value) { "bytes" } else { "bytearray" };
        return match *vm.bytes_like(value)? {
            [byte] => Ok(byte),
            ref bytes => Err(vm.type_error(format!("{wanted} a {noun} object of length {}", bytes.len()))),
        };
    }
    if !int::is_int(value) && value.ty().slots().index.is_none() {
        return Err(vm.type_error(format!("{wanted} {}", value.ty().name())));
    }
    match int::to_i64(&vm.index(value)?).map(u8::try_from) {
        Some(Ok(byte)) => Ok(byte),
        _ => Err(vm.overflow_error("%c arg not in range(256)")),
    }
}
