//! `bytes(…)`, and the arguments that `bytearray(…)` shares.

use super::convert::{self, by_special_method, from_object};
use super::{BYTES, Bytes, from_slice, with_type};
use crate::buffer::buffer_flags;
use crate::builtins::bytearray::ByteArray;
use crate::builtins::int;
use crate::builtins::list::List;
use crate::builtins::memoryview::MemoryView;
use crate::builtins::str::Str;
use crate::builtins::tuple::Tuple;
use crate::codecs;
use crate::native::signature::Signature;
use crate::object::Result;
use crate::types::Type;
use crate::value::Value;
use crate::vm::Vm;
use std::sync::LazyLock;

/// The `new` slot.
pub(crate) fn new(vm: &Vm, class: &Value, args: &[Value], kwnames: Option<&Value>) -> Result {
    let ty = class.downcast::<Type>().unwrap_or(BYTES.ty());
    if let ([source], None, true) = (args, kwnames, ty.is(&BYTES))
        && source.downcast_exact::<Bytes>().is_some()
    {
        return Ok(source.clone());
    }
    if let ([source], None, true) = (args, kwnames, ty.is(&BYTES)) {
        if let Some(length) = source.as_small_int().and_then(|length| usize::try_from(length).ok()) {
            return Bytes::build(vm, ty, length, |_| {});
        }
        // Lists and tuples have neither `__bytes__` nor a buffer.
        if source.downcast_exact::<List>().is_some() || source.downcast_exact::<Tuple>().is_some() {
            return with_type(vm, ty, &from_object(vm, source)?);
        }
        // Nor have these, which export one, `__bytes__`: one copy is enough.
        if source.downcast_exact::<ByteArray>().is_some() || source.downcast_exact::<MemoryView>().is_some() {
            let buffer = vm.get_buffer(source, buffer_flags::FULL_RO)?;
            if buffer.is_c_contiguous() {
                return from_slice(vm, buffer.as_slice());
            }
        }
    }
    static SIGNATURE: LazyLock<Signature> = LazyLock::new(|| Signature::parse("bytes(source=?, encoding=?, errors=?)"));
    let bound = SIGNATURE.bind(vm, args, kwnames)?;
    if let Some(source) = bound[0].bound()
        && bound[1].is_unbound()
        && bound[2].is_unbound()
        && let Some(bytes) = by_special_method(vm, source)?
    {
        // What `__bytes__` returns is the result, whatever its subclass.
        return if ty.is(&BYTES) { Ok(bytes) } else { with_type(vm, ty, &vm.bytes_like(&bytes)?) };
    }
    match source(vm, "bytes", &bound)? {
        Source::Zeros(length) => Bytes::build(vm, ty, length, |_| {}),
        Source::Bytes(data) => with_type(vm, ty, &data),
    }
}

/// The contents asked for.
pub(crate) enum Source {
    Zeros(usize),
    Bytes(Vec<u8>),
}

/// The contents that `(source, encoding, errors)` describe.
pub(crate) fn source(vm: &Vm, function: &str, bound: &[Value]) -> Result<Source> {
    let encoding = codecs::name_argument(vm, function, "encoding", &bound[1])?;
    let errors = codecs::name_argument(vm, function, "errors", &bound[2])?;
    let Some(source) = bound[0].bound() else {
        return match (encoding, errors) {
            (Some(_), _) => Err(vm.type_error("encoding without a string argument")),
            (None, Some(_)) => Err(vm.type_error("errors without a string argument")),
            _ => Ok(Source::Bytes(Vec::new())),
        };
    };
    if source.downcast::<Str>().is_some() {
        let Some(encoding) = encoding else { return Err(vm.type_error("string argument without an encoding")) };
        let encoded = codecs::encode(vm, source, Some(&encoding), errors.as_deref())?;
        return Ok(Source::Bytes(vm.buffer_of(&vm.bytes_like(&encoded)?)?));
    }
    if encoding.is_some() {
        return Err(vm.type_error("encoding without a string argument"));
    }
    if errors.is_some() {
        return Err(vm.type_error("errors without a string argument"));
    }
    if int::is_int(source) || source.ty().slots().index.is_some() {
        match vm.index(source) {
            Ok(index) => {
                let Some(length) = int::to_i64(&index) else {
                    let name = source.ty().name();
                    return Err(vm.overflow_error(format!("cannot fit '{name}' into an index-sized integer")));
                };
                return match usize::try_from(length) {
                    Ok(length) => Ok(Source::Zeros(length)),
                    Err(_) => Err(vm.value_error("negative count")),
                };
            }
            Err(raised) => {
                vm.catch(raised, crate::exceptions::type_error())?;
            }
        }
    }
    if function == "bytes" {
        return from_object(vm, source).map(Source::Bytes);
    }
    if vm.has_buffer(source) {
        let buffer = vm.get_buffer(source, buffer_flags::FULL_RO)?;
        return Ok(Source::Bytes(buffer.to_vec(vm)?));
    }
    match convert::from_iterable(vm, source, "byte") {
        Ok(data) => Ok(Source::Bytes(data)),
        Err(convert::Failure::Other(raised)) => Err(raised),
        Err(convert::Failure::NotIterable(raised)) => {
            vm.discard(raised);
            let name = source.ty().name();
            Err(vm.type_error(format!("cannot convert '{name}' object to {function}")))
        }
    }
}

pub(crate) fn decode(vm: &Vm, this: &Value, args: &[Value]) -> Result {
    if codecs::keeps_ascii(args)
        && let Some(bytes) = this.downcast::<Bytes>()
        && bytes.as_slice().is_ascii()
    {
        return Ok(Str::from_ascii(bytes.as_slice()).into_value());
    }
    if let Some(bytes) = this.downcast::<Bytes>()
        && let Some(codec) = codecs::usual(args)
    {
        return codecs::decode_native(vm, codec, bytes.as_slice(), 0, None, true).map(|(text, _)| text.into_value());
    }
    let (encoding, errors) = codecs::name_arguments(vm, "decode", args)?;
    let data = super::view::own(vm, this)?;
    if data.is_empty() {
        return Ok(crate::builtins::str::empty());
    }
    codecs::decode(vm, &data, encoding.as_deref(), errors.as_deref())
}
