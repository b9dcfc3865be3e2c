//! The exception classes with attributes of their own.

use super::*;
use crate::builtins::dict::Dict;
use crate::builtins::int;
use crate::builtins::str::{Str, intern};
use crate::native::{MemberDef, MethodDef};
use crate::types::slots::Slots;
use crate::vm::names;

/// An attribute kept in the field of its name; `None` while there is none.
macro_rules! field_member {
    ($name:literal, $doc:literal) => {
        MemberDef::new($name, $doc, |_, this| Ok(field(this, intern($name).as_value()).unwrap_or(Value::NONE))).setter(
            |_, this, value| {
                match value {
                    Some(value) => set_field(this, intern($name).as_value(), value.clone()),
                    None => delete_field(this, intern($name).as_value()),
                }
                Ok(())
            },
        )
    };
}
pub(super) use field_member;

macro_rules! members {
    ($($static:ident { $($name:literal $doc:literal),* })*) => {
        $(pub static $static: &[MemberDef] = &[$(field_member!($name, $doc)),*];)*
    };
}

members! {
    SYSTEM_EXIT_MEMBERS { "code" "exit status" }
    STOP_ITERATION_MEMBERS { "value" "what the generator returned" }
    ATTRIBUTE_ERROR_MEMBERS { "name" "attribute name", "obj" "object" }
    NAME_ERROR_MEMBERS { "name" "name" }
    IMPORT_ERROR_MEMBERS {
        "msg" "message of the exception", "name" "module name", "path" "module path", "name_from" "\
            name that was to be imported from the module"
    }
    SYNTAX_ERROR_MEMBERS {
        "msg" "error message", "filename" "name of the file", "lineno" "line, counted from 1", "offset" "\
            column, counted from 1",
        "text" "the source line", "end_lineno" "number of the line in which the error ends", "end_offset" "\
            column in which the error ends",
        "print_file_and_line" "unused; kept for compatibility", "_metadata" "\
            additional data about the error, for internal use"
    }
}

/// `start` and `end`, which are C integers in CPython.
macro_rules! index_member {
    ($name:literal, $doc:literal) => {
        MemberDef::new($name, $doc, |_, this| Ok(field(this, intern($name).as_value()).unwrap_or(Value::small_int(0))))
            .setter(|vm, this, value| {
                let Some(value) = value else { return Err(vm.type_error("can't delete numeric/char attribute")) };
                if !int::is_int(value) {
                    return Err(vm.type_error("an integer is required"));
                }
                set_field(this, intern($name).as_value(), ssize(vm, value)?);
                Ok(())
            })
    };
}

pub static UNICODE_ERROR_MEMBERS: &[MemberDef] = &[
    field_member!("encoding", "name of the encoding"),
    field_member!("object", "what was to be converted"),
    index_member!("start", "where the trouble begins"),
    index_member!("end", "where the trouble ends"),
    field_member!("reason", "what is wrong"),
];

/// An int that fits a C `ssize_t`.
fn ssize(vm: &Vm, value: &Value) -> Result {
    let index = vm.index(value)?;
    match int::to_i64(&index) {
        Some(_) => Ok(index),
        None => Err(vm.overflow_error("Python int too large to convert to C ssize_t")),
    }
}

/// Sets the attributes that follow from `args` alone.
#[inline]
pub fn init_from_args(this: &Value) {
    let ty = this.ty();
    let with_fields = [&STOP_ITERATION, &SYSTEM_EXIT, &IMPORT_ERROR, &MODULE_NOT_FOUND_ERROR];
    if ty.is_heap_type() || with_fields.iter().any(|spec| ty.is(spec)) {
        init_special_fields(this);
    }
}

#[inline(never)]
fn init_special_fields(this: &Value) {
    let Some(mro) = this.ty().mro() else { return };
    let word = |spec: &'static TypeSpec| std::ptr::from_ref(spec.ty()) as u64;
    let (stop_iteration, system_exit, import_error) = (word(&STOP_ITERATION), word(&SYSTEM_EXIT), word(&IMPORT_ERROR));
    let special = |class: &u64| *class == stop_iteration || *class == system_exit || *class == import_error;
    let Some(class) = mro.as_slice().iter().map(Value::word).find(special) else { return };
    if class == stop_iteration {
        let value = state(this).state.borrow(&state(this).header).arguments().and_then(|args| args.first().cloned());
        return set_field(this, &names().value, value.unwrap_or(Value::NONE));
    }
    let args = methods::args_tuple(this);
    let Some(args) = args.downcast::<Tuple>() else { return };
    if class == system_exit {
        let code = match args.as_slice() {
            [] => Value::NONE,
            [one] => one.clone(),
            _ => crate::object::to_value(args),
        };
        set_field(this, intern("code").as_value(), code);
    } else if let [message] = args.as_slice() {
        set_field(this, &names().msg, message.clone());
    }
}

/// Splits keyword arguments that become attributes from the rest.
fn init_with_keywords(vm: &Vm, this: &Value, args: &[Value], kwnames: Option<&Value>, allowed: &[&str]) -> Result<()> {
    let names: Vec<Value> =
        kwnames.and_then(|n| n.downcast::<Tuple>()).map(|t| t.as_slice().to_vec()).unwrap_or_default();
    let positional = args.len() - names.len();
    methods::set_args(this, args[..positional].to_vec());
    // Initialised again, it has nothing from before.
    let message = allowed.contains(&"path").then_some("msg");
    allowed.iter().copied().chain(message).for_each(|name| delete_field(this, intern(name).as_value()));
    init_from_args(this);
    let class = allowed_class(allowed);
    if names.len() > allowed.len() {
        let plural = if allowed.len() == 1 { "" } else { "s" };
        return Err(vm.type_error(format!(
            "{class}() takes at most {} keyword argument{plural} ({} given)",
            allowed.len(),
            names.len()
        )));
    }
    for (name, value) in names.iter().zip(&args[positional..]) {
        let Some(allowed) = allowed.iter().find(|a| name.downcast::<Str>().is_some_and(|n| n.is_str(a))) else {
            let known = allowed.iter().map(|name| name.to_string()).collect();
            return Err(crate::native::signature::unexpected_keyword(vm, class, name, known));
        };
        set_field(this, intern(allowed).as_value(), value.clone());
    }
    Ok(())
}

/// The class whose `__init__` takes these keyword arguments.
fn allowed_class(allowed: &[&str]) -> &'static str {
    match allowed {
        ["name"] => "NameError",
        ["name", "obj"] => "AttributeError",
        _ => "ImportError",
    }
}

pub fn keyword_slots(s: &mut Slots) {
    s.init = Some(|vm, this, args, kwnames| init_with_keywords(vm, this, args, kwnames, &["name", "obj"]));
}

pub fn name_slots(s: &mut Slots) {
    s.init = Some(|vm, this, args, kwnames| init_with_keywords(vm, this, args, kwnames, &["name"]));
}

pub fn import_slots(s: &mut Slots) {
    s.init =
        Some(|vm, this, args, kwnames| init_with_keywords(vm, this, args, kwnames, &["name", "path", "name_from"]));
    s.str = Some(|vm, this| {
        let message = field(this, intern("msg").as_value());
        match message.filter(|m| m.downcast_exact::<Str>().is_some()) {
            Some(message) => Ok(message),
            None => (BASE_EXCEPTION.ty().slots().str.expect("BaseException has __str__"))(vm, this),
        }
    });
}

/// `init` of the classes whose attribute follows from the arguments.
pub fn init_slots(s: &mut Slots) {
    s.init = Some(methods::init);
}

/// A dict with the instance's own attributes and those of the given fields that are set.
fn state_dict(this: &Value, fields: &[&str]) -> Ref<Dict> {
    let header = this.as_object().expect("exceptions are objects");
    let dict = match methods::own_attributes(header) {
        Some(own) => own.downcast::<Dict>().map_or_else(Dict::new, Dict::copy),
        None => Dict::new(),
    };
    for name in fields {
        let name = intern(name).into_value();
        if let Some(value) = field(this, &name) {
            dict.set_str(&name, value);
        }
    }
    dict
}

/// The state for pickling of `AttributeError`: all but `obj`.
fn attribute_error_state(this: &Value) -> Value {
    let dict = state_dict(this, &["name"]);
    dict.set_str(intern("args").as_value(), methods::args_tuple(this));
    dict.into_value()
}

crate::method_table! {
    pub static ATTRIBUTE_METHODS = [
        MethodDef::new("__getstate__($self, /)", "", |_, this, _| Ok(attribute_error_state(this))),
        MethodDef::new("__reduce__($self, /)", "", |_, this, _| {
            let parts = [this.ty().to_value(), methods::args_tuple(this), attribute_error_state(this)];
            Ok(Tuple::from_array(parts).into_value())
        }),
    ];
}
crate::method_table! {
    pub static IMPORT_METHODS = [
        MethodDef::new("__reduce__($self, /)", "", |_, this, _| {
            let state = state_dict(this, &["name", "path", "name_from"]);
            let mut parts = vec![this.ty().to_value(), methods::args_tuple(this)];
            if state.len() > 0 {
                parts.push(state.into_value());
            }
            Ok(Tuple::from_vec(parts).into_value())
        }),
    ];
}

pub fn syntax_slots(s: &mut Slots) {
    s.init = Some(|vm, this, args, kwnames| {
        methods::init(vm, this, args, kwnames)?;
        let set = |name: &str, value: &Value| set_field(this, intern(name).as_value(), value.clone());
        if let Some(message) = args.first() {
            set("msg", message);
        }
        if let [_, location] = args {
            let parts = vm.collect(location)?;
            if !(parts.len() == 4 || parts.len() == 6 || parts.len() == 7) {
                let text = if parts.len() < 4 {
                    format!("function missing required argument 'filename' (pos {})", parts.len() + 1)
                } else {
                    "end_offset must be provided when end_lineno is provided".to_string()
                };
                return Err(vm.type_error(text));
            }
            let names = ["filename", "lineno", "offset", "text", "end_lineno", "end_offset", "_metadata"];
            names.iter().for_each(|name| delete_field(this, intern(name).as_value()));
            for (name, value) in names.iter().zip(&parts) {
                set(name, value);
            }
        }
        Ok(())
    });
    s.str = Some(|vm, this| {
        let get = |name: &str| field(this, intern(name).as_value()).filter(|value| !value.is_none());
        let message = match get("msg") {
            Some(message) => vm.str_string(&message)?,
            None => "None".to_string(),
        };
        let file = get("filename")
            .and_then(|f| f.downcast::<Str>().map(Str::to_string_lossy))
            .map(|f| f.rsplit('/').next().unwrap_or("").to_string());
        let line = get("lineno").and_then(|l| int::to_i64(&l));
        Ok(Value::from(match (file, line) {
            (Some(file), Some(line)) => format!("{message} ({file}, line {line})"),
            (Some(file), None) => format!("{message} ({file})"),
            (None, Some(line)) => format!("{message} (line {line})"),
            (None, None) => message,
        }))
    });
}

/// `(encoding, object, start, end, reason)`, without the encoding for translate errors.
fn unicode_init(vm: &Vm, this: &Value, args: &[Value], kwnames: Option<&Value>, names: &[&str]) -> Result<()> {
    methods::init(vm, this, args, kwnames)?;
    if args.len() != names.len() {
        return Err(vm.type_error(format!("function takes exactly {} arguments ({} given)", names.len(), args.len())));
    }
    for (position, (name, value)) in names.iter().zip(args).enumerate() {
        let is_text = value.downcast::<Str>().is_some();
        let fits = match *name {
            "encoding" | "reason" => is_text,
            "start" | "end" => int::is_int(value),
            _ => true,
        };
        if !fits {
            let wanted = if matches!(*name, "start" | "end") { "int" } else { "str" };
            let got = value.ty().name();
            if wanted == "int" {
                return Err(vm.type_error(format!("'{got}' object cannot be interpreted as an integer")));
            }
            return Err(vm.type_error(format!("argument {} must be {wanted}, not {got}", position + 1)));
        }
        let value = if matches!(*name, "start" | "end") { ssize(vm, value)? } else { value.clone() };
        set_field(this, intern(name).as_value(), value);
    }
    Ok(())
}

pub fn unicode_decode_slots(s: &mut Slots) {
    s.new = Some(methods::new);
    s.init = Some(|vm, this, args, kwnames| {
        unicode_init(vm, this, args, kwnames, &["encoding", "object", "start", "end", "reason"])?;
        // Any bytes-like object will do; bytes are what is kept.
        if !crate::builtins::bytes::is_bytes(&args[1]) {
            let copy = crate::builtins::bytes::from_slice(vm, &vm.bytes_like(&args[1])?)?;
            set_field(this, intern("object").as_value(), copy);
        }
        Ok(())
    });
    s.str = Some(|vm, this| {
        if unicode_object(this).is_none() {
            return Ok(crate::builtins::str::empty());
        }
        let (start, end) = unicode_range(this);
        let (encoding, reason) = (unicode_text(vm, this, "encoding")?, unicode_text(vm, this, "reason")?);
        // `__str__` of these may have changed the object.
        let Some(object) = unicode_object(this) else { return Err(vm.type_error(OBJECT_NOT_SET)) };
        if !crate::builtins::bytes::is_bytes(&object) {
            return Err(vm.type_error("UnicodeError 'object' attribute must be a bytes"));
        }
        let bytes = vm.bytes_like(&object)?;
        let byte = usize::try_from(start).ok().and_then(|at| bytes.get(at).copied());
        Ok(Value::from(match byte {
            Some(byte) if end == start + 1 => {
                format!("'{encoding}' codec can't decode byte 0x{byte:02x} in position {start}: {reason}")
            }
            _ => format!("'{encoding}' codec can't decode bytes in position {start}-{}: {reason}", end - 1),
        }))
    });
}
pub fn unicode_encode_slots(s: &mut Slots) {
    s.new = Some(methods::new);
    s.init = Some(|vm, this, args, kwnames| {
        unicode_init(vm, this, args, kwnames, &["encoding", "object", "start", "end", "reason"])?;
        unicode_object_is_text(vm, &args[1], 2)
    });
    s.str = Some(|vm, this| {
        if unicode_object(this).is_none() {
            return Ok(crate::builtins::str::empty());
        }
        let encoding = unicode_text(vm, this, "encoding")?;
        unicode_characters(vm, this, &format!("'{encoding}' codec can't encode"))
    });
}
pub fn unicode_translate_slots(s: &mut Slots) {
    s.new = Some(methods::new);
    s.init = Some(|vm, this, args, kwnames| {
        unicode_init(vm, this, args, kwnames, &["object", "start", "end", "reason"])?;
        unicode_object_is_text(vm, &args[0], 1)
    });
    s.str = Some(|vm, this| match unicode_object(this) {
        Some(_) => unicode_characters(vm, this, "can't translate"),
        None => Ok(crate::builtins::str::empty()),
    });
}

fn unicode_object_is_text(vm: &Vm, object: &Value, position: usize) -> Result<()> {
    let wrong = |got: String| format!("argument {position} must be str, not {got}");
    vm.expect_str(object, wrong).map(drop)
}

/// The `object` attribute; `None` if `__init__` did not run.
fn unicode_object(this: &Value) -> Option<Value> {
    field(this, intern("object").as_value())
}

const OBJECT_NOT_SET: &str = "UnicodeError 'object' attribute is not set";

fn unicode_range(this: &Value) -> (i64, i64) {
    let number = |name: &str| field(this, intern(name).as_value()).and_then(|n| int::to_i64(&n)).unwrap_or(0);
    (number("start"), number("end"))
}

fn unicode_text(vm: &Vm, this: &Value, name: &str) -> Result<String> {
    match field(this, intern(name).as_value()) {
        Some(value) => vm.str_string(&value),
        None => Ok("<NULL>".to_string()),
    }
}

/// "… character '\x..' in position 1: reason", or the positions of several.
fn unicode_characters(vm: &Vm, this: &Value, what: &str) -> Result {
    let (start, end) = unicode_range(this);
    let reason = unicode_text(vm, this, "reason")?;
    let Some(object) = unicode_object(this) else { return Err(vm.type_error(OBJECT_NOT_SET)) };
    let Some(text) = object.downcast::<Str>() else {
        return Err(vm.type_error("UnicodeError 'object' attribute must be a string"));
    };
    let character = usize::try_from(start).ok().filter(|at| *at < text.len()).map(|at| text.at(at));
    Ok(Value::from(match character {
        Some(code) if end == start + 1 => {
            let shown = match code {
                0..=0xff => format!("\\x{code:02x}"),
                0x100..=0xffff => format!("\\u{code:04x}"),
                _ => format!("\\U{code:08x}"),
            };
            format!("{what} character '{shown}' in position {start}: {reason}")
        }
        _ => format!("{what} characters in position {start}-{}: {reason}", end - 1),
    }))
}
