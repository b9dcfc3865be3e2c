//! Error handlers: those that every interpreter has, as Python functions, and the registry of others.

use crate::builtins::bytes::{self, Bytes};
use crate::builtins::int;
use crate::builtins::str::Str;
use crate::builtins::tuple::Tuple;
use crate::exceptions::{self, BaseException};
use crate::native::MethodDef;
use crate::native::function::BuiltinFunction;
use crate::object::Result;
use crate::text::Unit;
use crate::text::codecs::CodecError;
use crate::text::codecs::handlers::{self, Handler, Replacement, SurrogateEncoding};
use crate::value::Value;
use crate::vm::{Raised, Vm};
use crate::with_units;
use std::collections::HashMap;
use std::sync::Mutex;

static REGISTERED: Mutex<Option<HashMap<String, Value>>> = Mutex::new(None);

fn with_registered<R>(f: impl FnOnce(&mut HashMap<String, Value>) -> R) -> R {
    let mut registered = REGISTERED.lock().expect("no panic while the handlers are locked");
    f(registered.get_or_insert_with(|| {
        let function = |def: &'static MethodDef| BuiltinFunction::new(def, Value::NONE, Value::NONE).into_value();
        NAMES.iter().zip(HANDLERS).map(|(name, def)| (name.to_string(), function(def))).collect()
    }))
}

/// The names of [`HANDLERS`].
static NAMES: [&str; 8] = [
    "strict",
    "ignore",
    "replace",
    "xmlcharrefreplace",
    "backslashreplace",
    "namereplace",
    "surrogatepass",
    "surrogateescape",
];

crate::method_table! { static HANDLERS = [
    MethodDef::new("strict_errors(exception, /)", "Implements the 'strict' error handling, which raises a UnicodeError on coding errors.", |vm, _, args| {
        if args[0].downcast::<BaseException>().is_none() {
            return Err(vm.type_error("codec must pass exception instance"));
        }
        Err(vm.set_exception(args[0].clone()))
    }),
    MethodDef::new("ignore_errors(exception, /)", "Implements the 'ignore' error handling, which ignores malformed data and continues.", |vm, _, args| handle(vm, &args[0], Handler::Ignore)),
    MethodDef::new("replace_errors(exception, /)", "Implements the 'replace' error handling, which replaces malformed data with a replacement marker.", |vm, _, args| handle(vm, &args[0], Handler::Replace)),
    MethodDef::new("xmlcharrefreplace_errors(exception, /)", "Implements the 'xmlcharrefreplace' error handling, which replaces an unencodable character with the appropriate XML character reference.", |vm, _, args| handle(vm, &args[0], Handler::Xmlcharrefreplace)),
    MethodDef::new("backslashreplace_errors(exception, /)", "Implements the 'backslashreplace' error handling, which replaces malformed data with a backslashed escape sequence.", |vm, _, args| handle(vm, &args[0], Handler::Backslashreplace)),
    MethodDef::new("namereplace_errors(exception, /)", "Implements the 'namereplace' error handling, which replaces an unencodable character with a \\N{...} escape sequence.", |vm, _, args| handle(vm, &args[0], Handler::Namereplace)),
    MethodDef::new("surrogatepass(exception, /)", "", |vm, _, args| handle(vm, &args[0], Handler::Surrogatepass)),
    MethodDef::new("surrogateescape(exception, /)", "", |vm, _, args| handle(vm, &args[0], Handler::Surrogateescape)),
]; }

/// `codecs.register_error(errors, handler)`
pub fn register(vm: &Vm, name: &str, handler: &Value) -> Result<()> {
    if handler.ty().slots().call.is_none() {
        return Err(vm.type_error("handler must be callable"));
    }
    let old = with_registered(|registered| registered.insert(name.to_string(), handler.clone()));
    drop(old);
    Ok(())
}

/// `_codecs._unregister_error(errors)`: whether there was one.
pub fn unregister(vm: &Vm, name: &str) -> Result<bool> {
    if NAMES.contains(&name) {
        return Err(vm.value_error(format!("cannot un-register built-in error handler '{name}'")));
    }
    let old = with_registered(|registered| registered.remove(name));
    Ok(old.is_some())
}

/// `codecs.lookup_error(name)`
pub fn lookup(vm: &Vm, name: Option<&str>) -> Result {
    let name = name.unwrap_or("strict");
    match with_registered(|registered| registered.get(name).cloned()) {
        Some(handler) => Ok(handler),
        None => Err(vm.lookup_error(format!("unknown error handler name '{name}'"))),
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Encode,
    Decode,
    Translate,
}

fn kind_of(exception: &Value) -> Option<Kind> {
    let ty = exception.ty();
    if ty.is_subtype(exceptions::UNICODE_ENCODE_ERROR.ty()) {
        Some(Kind::Encode)
    } else if ty.is_subtype(exceptions::UNICODE_DECODE_ERROR.ty()) {
        Some(Kind::Decode)
    } else if ty.is_subtype(exceptions::UNICODE_TRANSLATE_ERROR.ty()) {
        Some(Kind::Translate)
    } else {
        None
    }
}

fn field(vm: &Vm, exception: &Value, name: &str) -> Result {
    vm.get_attr_str(exception, name)
}

/// The `start` and `end` of an exception, fitted to the length of its object.
fn range(vm: &Vm, exception: &Value, length: usize) -> Result<(usize, usize)> {
    let number = |name: &str| -> Result<i64> {
        let value = field(vm, exception, name)?;
        Ok(int::to_i64(&value).unwrap_or(0))
    };
    let length = length as i64;
    let (start, end) = (number("start")?, number("end")?);
    let start = start.clamp(0, (length - 1).max(0));
    let end = end.min(length).max(if length > 0 { 1 } else { 0 });
    Ok((start as usize, end.max(start) as usize))
}

#[cold]
fn wrong_type(vm: &Vm, exception: &Value) -> Raised {
    vm.type_error(format!("don't know how to handle {} in error callback", exception.ty().name()))
}

fn pair(replacement: Value, next: usize) -> Result {
    Ok(Tuple::from_vec(vec![replacement, Value::from(next)]).into_value())
}

/// The built-in handlers, called from Python.
fn handle(vm: &Vm, exception: &Value, handler: Handler) -> Result {
    let Some(kind) = kind_of(exception) else { return Err(wrong_type(vm, exception)) };
    let only_encode = matches!(handler, Handler::Xmlcharrefreplace | Handler::Namereplace);
    let no_translate = matches!(handler, Handler::Surrogateescape | Handler::Surrogatepass);
    if only_encode && kind != Kind::Encode || no_translate && kind == Kind::Translate {
        return Err(wrong_type(vm, exception));
    }
    let object = field(vm, exception, "object")?;
    if kind == Kind::Decode {
        let object = object_bytes(vm, exception)?;
        let bytes = object.downcast::<Bytes>().map_or(&[][..], Bytes::as_slice);
        let (start, end) = range(vm, exception, bytes.len())?;
        let surrogates = surrogate_encoding(vm, exception)?;
        return match handlers::decode_error(handler, surrogates, bytes, start, end) {
            Some((text, next)) => pair(Str::from_code_points(&text).into_value(), next),
            None => Err(vm.set_exception(exception.clone())),
        };
    }
    let Some(text) = object.downcast::<Str>() else {
        return Err(vm.type_error("object attribute must be str"));
    };
    let (start, end) = range(vm, exception, text.len())?;
    if kind == Kind::Translate && handler == Handler::Replace {
        return pair(Str::from_code_points(&vec![0xfffd; end - start]).into_value(), end);
    }
    let surrogates = if kind == Kind::Encode { surrogate_encoding(vm, exception)? } else { None };
    match with_units!(text, |units| replacement(handler, surrogates, units, start, end)) {
        Some(Replacement::Text(ascii)) => pair(Str::from_ascii(&ascii).into_value(), end),
        Some(Replacement::Bytes(data)) => pair(bytes::from_slice(vm, &data)?, end),
        None => Err(vm.set_exception(exception.clone())),
    }
}

fn replacement<U: Unit>(
    handler: Handler,
    surrogates: Option<SurrogateEncoding>,
    units: &[U],
    start: usize,
    end: usize,
) -> Option<Replacement> {
    handlers::encode_error(handler, surrogates, units, start, end)
}

fn surrogate_encoding(vm: &Vm, exception: &Value) -> Result<Option<SurrogateEncoding>> {
    let encoding = field(vm, exception, "encoding")?;
    Ok(SurrogateEncoding::from_name(&vm.display_name(&encoding)))
}

/// The `object` of a `UnicodeDecodeError`: a bytes object.
pub(super) fn object_bytes(vm: &Vm, exception: &Value) -> Result {
    let object = field(vm, exception, "object")?;
    if bytes::is_bytes(&object) { Ok(object) } else { Err(vm.type_error("object attribute must be bytes")) }
}

/// Makes an exception say where the next error is.
pub(super) fn update(vm: &Vm, exception: &Value, error: CodecError) -> Result<()> {
    vm.set_attr_str(exception, "start", &Value::from(error.start))?;
    vm.set_attr_str(exception, "end", &Value::from(error.end))?;
    vm.set_attr_str(exception, "reason", &Value::from(error.reason))
}

/// Calls a handler: the replacement and the position that it returns.
pub(super) fn call(vm: &Vm, handler: &Value, exception: &Value, message: &str) -> Result<(Value, Value)> {
    let result = vm.call_args(handler, std::slice::from_ref(exception))?;
    match result.downcast::<Tuple>().map(Tuple::as_slice) {
        Some([replacement, position]) => Ok((replacement.clone(), position.clone())),
        _ => Err(vm.type_error(message)),
    }
}

/// Where a handler says to go on.
///
/// An int beyond 64 bits is an `OverflowError`, or out of bounds like others if `saturating` says so.
pub(super) fn position(vm: &Vm, position: Value, length: usize, saturating: bool) -> Result<usize> {
    let index = vm.index(&position)?;
    let Some(index) = int::to_i64(&index) else {
        return Err(match saturating {
            true => vm.index_error("position -1 from error handler out of bounds"),
            false => vm.overflow_error("Python int too large to convert to C ssize_t"),
        });
    };
    let at = if index < 0 { index.saturating_add(length as i64) } else { index };
    match usize::try_from(at) {
        Ok(at) if at <= length => Ok(at),
        _ => Err(vm.index_error(format!("position {index} from error handler out of bounds"))),
    }
}
