//! `str(…)`, and `encode`.

use super::{STR, Str};
use crate::builtins::bytes::Bytes;
use crate::codecs;
use crate::native::signature::Signature;
use crate::object::Result;
use crate::types::Type;
use crate::value::Value;
use crate::vm::Vm;
use std::sync::LazyLock;

/// The `new` slot.
pub fn new(vm: &Vm, class: &Value, args: &[Value], kwnames: Option<&Value>) -> Result {
    let text = match (args, kwnames) {
        ([], None) => super::empty(),
        ([value], None) => vm.str(value)?,
        ([value, names @ ..], None)
            if names.len() <= 2
                && let Some(bytes) = value.downcast::<Bytes>()
                && let Some(codec) = codecs::usual(names) =>
        {
            codecs::decode_native(vm, codec, bytes.as_slice(), 0, None, true)?.0.into_value()
        }
        _ => {
            let positional = args.len() - kwnames.map_or(0, |names| vm.tuple_len(names));
            if positional > 3 || kwnames.is_none() && args.len() > 3 {
                return Err(vm.type_error(format!("str expected at most 3 arguments, got {positional}")));
            }
            static SIGNATURE: LazyLock<Signature> =
                LazyLock::new(|| Signature::parse("str(object=?, encoding=?, errors=?)"));
            let bound = SIGNATURE.bind(vm, args, kwnames)?;
            let encoding = codecs::name_argument(vm, "str", "encoding", &bound[1])?;
            let errors = codecs::name_argument(vm, "str", "errors", &bound[2])?;
            match bound[0].bound() {
                None => super::empty(),
                Some(value) if encoding.is_none() && errors.is_none() => vm.str(value)?,
                Some(value) => decode_object(vm, value, encoding.as_deref(), errors.as_deref())?,
            }
        }
    };
    match class.downcast::<Type>() {
        Some(ty) if !ty.is(&STR) => {
            let text = text.downcast::<Str>().expect("a str was just made");
            Ok(text.copy_as(ty).into_value())
        }
        _ => Ok(text),
    }
}

/// `str(value, encoding, errors)`
pub fn decode_object(vm: &Vm, value: &Value, encoding: Option<&str>, errors: Option<&str>) -> Result {
    if let Some(bytes) = value.downcast::<Bytes>() {
        return codecs::decode(vm, bytes.as_slice(), encoding, errors);
    }
    if value.downcast::<Str>().is_some() {
        return Err(vm.type_error("decoding str is not supported"));
    }
    if !vm.has_buffer(value) {
        let name = value.ty().name();
        return Err(vm.type_error(format!("decoding to str: need a bytes-like object, {name} found")));
    }
    let data = vm.bytes_like(value)?;
    codecs::decode(vm, &data, encoding, errors)
}

pub(super) fn encode(vm: &Vm, this: &Value, args: &[Value]) -> Result {
    if codecs::keeps_ascii(args)
        && let Some(text) = this.downcast::<Str>().and_then(Str::as_ascii)
    {
        return crate::builtins::bytes::from_slice(vm, text.as_bytes());
    }
    if codecs::is_utf8(args)
        && let Some(text) = this.downcast::<Str>().and_then(Str::to_utf8)
    {
        return crate::builtins::bytes::from_slice(vm, text.as_bytes());
    }
    let (encoding, errors) = codecs::name_arguments(vm, "encode", args)?;
    codecs::encode(vm, this, encoding.as_deref(), errors.as_deref())
}
