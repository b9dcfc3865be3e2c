//! The registry of codecs: search functions, and the codecs that they found.

use crate::builtins::bytearray::ByteArray;
use crate::builtins::bytes::is_bytes;
use crate::builtins::str::Str;
use crate::builtins::tuple::Tuple;
use crate::exceptions;
use crate::object::Result;
use crate::value::Value;
use crate::vm::{Raised, Vm};
use std::collections::HashMap;
use std::sync::Mutex;

#[derive(Default)]
struct Registry {
    search_path: Vec<Value>,
    /// By normalised name.
    found: Option<HashMap<String, Value>>,
    /// Whether `encodings`, which registers the standard search function, was imported.
    started: bool,
}

static REGISTRY: Mutex<Registry> = Mutex::new(Registry { search_path: Vec::new(), found: None, started: false });

fn with_registry<R>(f: impl FnOnce(&mut Registry) -> R) -> R {
    f(&mut REGISTRY.lock().expect("no panic while the registry is locked"))
}

/// The name in lower case, with an underscore for each run of other characters than ASCII letters, digits and dots.
pub fn normalize(name: &str) -> String {
    let mut normalized = String::with_capacity(name.len());
    let mut gap = false;
    for c in name.chars() {
        if c.is_ascii_alphanumeric() || c == '.' {
            if gap && !normalized.is_empty() {
                normalized.push('_');
            }
            normalized.push(c.to_ascii_lowercase());
            gap = false;
        } else if c.is_ascii() {
            gap = true;
        }
    }
    normalized
}

/// `codecs.register(search_function)`
pub fn register(vm: &Vm, search_function: &Value) -> Result<()> {
    if search_function.ty().slots().call.is_none() {
        return Err(vm.type_error("argument must be callable"));
    }
    with_registry(|registry| registry.search_path.push(search_function.clone()));
    Ok(())
}

/// `codecs.unregister(search_function)`; codecs that were found are looked for anew.
pub fn unregister(search_function: &Value) {
    let removed = with_registry(|registry| {
        let at = registry.search_path.iter().position(|function| function.is(search_function))?;
        Some((registry.search_path.remove(at), registry.found.take()))
    });
    drop(removed);
}

#[cold]
fn unknown(vm: &Vm, name: &str) -> Raised {
    vm.lookup_error(format!("unknown encoding: {name}"))
}

/// `codecs.lookup(encoding)`: a tuple of four functions.
pub fn lookup(vm: &Vm, encoding: &str) -> Result {
    let name = normalize(encoding);
    if let Some(codec) = with_registry(|registry| registry.found.as_ref().and_then(|found| found.get(&name).cloned())) {
        return Ok(codec);
    }
    if !with_registry(|registry| std::mem::replace(&mut registry.started, true)) {
        vm.import("encodings")?;
    }
    let argument = Value::from(name.as_str());
    let mut at = 0;
    while let Some(function) = with_registry(|registry| registry.search_path.get(at).cloned()) {
        at += 1;
        let codec = vm.call_args(&function, std::slice::from_ref(&argument))?;
        if codec.is_none() {
            continue;
        }
        if codec.downcast::<Tuple>().is_none_or(|tuple| tuple.len() != 4) {
            return Err(vm.type_error("codec search functions must return 4-tuples"));
        }
        let old = with_registry(|registry| registry.found.get_or_insert_default().insert(name, codec.clone()));
        drop(old);
        return Ok(codec);
    }
    Err(if at == 0 {
        vm.lookup_error("no codec search functions registered: can't find encoding")
    } else {
        unknown(vm, encoding)
    })
}

fn item(codec: &Value, at: usize) -> Value {
    codec.downcast::<Tuple>().and_then(|tuple| tuple.as_slice().get(at).cloned()).unwrap_or(Value::NONE)
}

/// A codec that converts between str and bytes; `alternative` is what handles others.
fn lookup_text(vm: &Vm, encoding: &str, alternative: &str) -> Result {
    let codec = lookup(vm, encoding)?;
    if codec.downcast_exact::<Tuple>().is_none()
        && let Some(is_text) = vm.get_attr_str_opt(&codec, "_is_text_encoding")?
        && !vm.is_true(&is_text)?
    {
        return Err(vm.lookup_error(format!(
            "'{encoding}' is not a text encoding; use {alternative} to handle arbitrary codecs"
        )));
    }
    Ok(codec)
}

/// Calls an encoder or decoder: the first item of the pair that it returns.
fn call(vm: &Vm, codec: &Value, encoding: &str, object: &Value, errors: Option<&str>, encoding_it: bool) -> Result {
    let function = item(codec, if encoding_it { 0 } else { 1 });
    let mut args = vec![object.clone()];
    args.extend(errors.map(Value::from));
    let result = match vm.call_args(&function, &args) {
        Ok(result) => result,
        Err(raised) => {
            let exception = vm.take(raised);
            let operation = if encoding_it { "encoding" } else { "decoding" };
            exceptions::add_note(&exception, &format!("{operation} with '{encoding}' codec failed"));
            return Err(vm.set_exception(exception));
        }
    };
    match result.downcast::<Tuple>().map(Tuple::as_slice) {
        Some([value, _]) => Ok(value.clone()),
        _ if encoding_it => Err(vm.type_error("encoder must return a tuple (object, integer)")),
        _ => Err(vm.type_error("decoder must return a tuple (object,integer)")),
    }
}

/// `codecs.encode(object, encoding, errors)`
pub fn encode_object(vm: &Vm, object: &Value, encoding: &str, errors: Option<&str>) -> Result {
    let codec = lookup(vm, encoding)?;
    call(vm, &codec, encoding, object, errors, true)
}

/// `codecs.decode(object, encoding, errors)`
pub fn decode_object(vm: &Vm, object: &Value, encoding: &str, errors: Option<&str>) -> Result {
    let codec = lookup(vm, encoding)?;
    call(vm, &codec, encoding, object, errors, false)
}

/// `text.encode(encoding, errors)` by the registry.
pub fn encode_text(vm: &Vm, text: &Value, encoding: &str, errors: Option<&str>) -> Result {
    let codec = lookup_text(vm, encoding, "codecs.encode()")?;
    let result = call(vm, &codec, encoding, text, errors, true)?;
    if is_bytes(&result) {
        return Ok(result);
    }
    if let Some(array) = result.downcast::<ByteArray>() {
        let message = format!(
            "encoder {encoding} returned bytearray instead of bytes; use codecs.encode() to encode to arbitrary types"
        );
        vm.warn(&exceptions::RUNTIME_WARNING.value(), &message, 1)?;
        return crate::builtins::bytes::from_slice(vm, &array.to_vec(vm)?);
    }
    let name = result.ty().name();
    Err(vm.type_error(format!(
        "'{encoding}' encoder returned '{name}' instead of 'bytes'; use codecs.encode() to encode to arbitrary types"
    )))
}

/// `data.decode(encoding, errors)` by the registry.
pub fn decode_text(vm: &Vm, data: &Value, encoding: &str, errors: Option<&str>) -> Result {
    let codec = lookup_text(vm, encoding, "codecs.decode()")?;
    let result = call(vm, &codec, encoding, data, errors, false)?;
    if result.downcast::<Str>().is_some() {
        return Ok(result);
    }
    let name = result.ty().name();
    Err(vm.type_error(format!(
        "'{encoding}' decoder returned '{name}' instead of 'str'; use codecs.decode() to decode to arbitrary types"
    )))
}
