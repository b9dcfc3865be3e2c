//! `_path_normpath` and `_path_splitroot_ex`: what `posixpath` leaves to native code.

use taipan_object::builtins::bytes::{self, Bytes};
use taipan_object::builtins::str::{Data, Str};
use taipan_object::builtins::tuple::Tuple;
use taipan_object::native::MethodDef;
use taipan_object::text::Unit;
use taipan_object::text::builder::GivenUp;
use taipan_object::{Result, Value, Vm};

/// How many units the root takes: none, `/` or `//`. Three slashes or more are one root and empty components.
fn root_length<U: Unit>(path: &[U]) -> usize {
    let slash = |at: usize| path.get(at).is_some_and(|unit| unit.code() == u32::from(b'/'));
    match (slash(0), slash(1), slash(2)) {
        (false, ..) => 0,
        (true, true, false) => 2,
        _ => 1,
    }
}

/// The path without empty and `.` components, and with `..` resolved, as ranges of units.
fn normalize<U: Unit>(path: &[U]) -> Vec<u32> {
    let root = root_length(path);
    let mut parts: Vec<&[U]> = Vec::new();
    let is = |part: &[U], text: &[u8]| {
        part.len() == text.len() && part.iter().zip(text).all(|(u, c)| u.code() == u32::from(*c))
    };
    for part in path[root..].split(|unit| unit.code() == u32::from(b'/')) {
        if part.is_empty() || is(part, b".") {
            continue;
        }
        if is(part, b"..") && (root > 0 && parts.is_empty() || parts.last().is_some_and(|last| !is(last, b".."))) {
            parts.pop();
            continue;
        }
        parts.put(part);
    }
    let mut out: Vec<u32> = vec![u32::from(b'/'); root];
    for (at, part) in parts.iter().enumerate() {
        if at > 0 {
            out.put(u32::from(b'/'));
        }
        if out.make_room(part.len()) {
            out.extend(part.iter().map(|unit| unit.code()));
        }
    }
    if out.is_empty() { vec![u32::from(b'.')] } else { out }
}

fn with_path(vm: &Vm, function: &str, value: &Value) -> Result {
    if value.downcast::<Str>().is_some() || bytes::is_bytes(value) {
        return Ok(value.clone());
    }
    super::path::Path::plain(vm, function, value)?;
    crate::arguments::fspath(vm, value)
}

taipan_object::method_table! {
    pub static FUNCTIONS = [
        MethodDef::new("_path_normpath($module, /, path)", "\
            Return the path without redundant slashes and without '.' and '..' parts.", |vm, _, args| {
            let path = with_path(vm, "_path_normpath", &args[0])?;
            if let Some(bytes) = path.downcast::<Bytes>() {
                let points = normalize(bytes.as_slice());
                return bytes::from_slice(vm, &vm.buffer_from(points.iter().map(|point| *point as u8))?);
            }
            let Some(text) = path.downcast::<Str>() else { return Ok(path) };
            let points = match text.data() {
                Data::Ascii(units) | Data::Latin1(units) => normalize(units),
                Data::Ucs2(units) => normalize(units),
                Data::Ucs4(units) => normalize(units),
            };
            Ok(Str::from_code_points(&points).into_value())
        }),
        MethodDef::new("_path_splitroot_ex($module, /, p)", "\
            Take a path apart: its drive, the slashes of its root, and the rest.", |vm, _, args| {
            let path = with_path(vm, "_path_splitroot_ex", &args[0])?;
            if let Some(bytes) = path.downcast::<Bytes>() {
                let data = bytes.as_slice();
                let (root, tail) = data.split_at(root_length(data));
                return Ok(Tuple::from_array([bytes::empty(), bytes::from_slice(vm, root)?, bytes::from_slice(vm, tail)?]).into_value());
            }
            let Some(text) = path.downcast::<Str>() else { return Ok(path) };
            let root = match text.data() {
                Data::Ascii(units) | Data::Latin1(units) => root_length(units),
                Data::Ucs2(units) => root_length(units),
                Data::Ucs4(units) => root_length(units),
            };
            let (head, tail) = (text.slice(0, root), text.slice(root, text.len()));
            Ok(Tuple::from_array([Value::from(""), head.into_value(), tail.into_value()]).into_value())
        }),
    ];
}
