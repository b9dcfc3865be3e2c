//! The exception classes with attributes of their own.

use super::*;
use crate::builtins::str::{Str, intern};
use crate::native::MemberDef;
use crate::types::slots::Slots;

macro_rules! members {
    ($($static:ident [$($name:literal),*];)*) => {
        $(pub static $static: &[MemberDef] = &[$(
            MemberDef::new($name, "", |_, this| {
                Ok(field(this, intern($name).as_value()).unwrap_or(Value::NONE))
            })
            .setter(|_, this, value| {
                set_field(this, intern($name).as_value(), value.cloned().unwrap_or(Value::NONE));
                Ok(())
            })
        ),*];)*
    };
}

members! {
    SYSTEM_EXIT_MEMBERS ["code"];
    STOP_ITERATION_MEMBERS ["value"];
    ATTRIBUTE_ERROR_MEMBERS ["name", "obj"];
    NAME_ERROR_MEMBERS ["name"];
    IMPORT_ERROR_MEMBERS ["msg", "name", "path", "name_from"];
    SYNTAX_ERROR_MEMBERS ["msg", "filename", "lineno", "offset", "text", "end_lineno", "end_offset", "print_file_and_line", "_metadata"];
    UNICODE_ERROR_MEMBERS ["encoding", "object", "start", "end", "reason"];
}

/// Sets the attributes that follow from `args` alone.
pub fn init_from_args(this: &Value) {
    let ty = this.ty();
    let args = args(this);
    if ty.is_subtype(STOP_ITERATION.ty()) {
        set_field(this, intern("value").as_value(), args.first().cloned().unwrap_or(Value::NONE));
    } else if ty.is_subtype(SYSTEM_EXIT.ty()) {
        let code = match args.as_slice() {
            [] => Value::NONE,
            [one] => one.clone(),
            _ => Tuple::from_vec(args).into_value(),
        };
        set_field(this, intern("code").as_value(), code);
    } else if ty.is_subtype(IMPORT_ERROR.ty())
        && let [message] = args.as_slice()
    {
        set_field(this, intern("msg").as_value(), message.clone());
    }
}

/// Splits keyword arguments that become attributes from the rest.
fn init_with_keywords(vm: &Vm, this: &Value, args: &[Value], kwnames: Option<&Value>, allowed: &[&str]) -> Result<()> {
    let names: Vec<Value> =
        kwnames.and_then(|n| n.downcast::<Tuple>()).map(|t| t.as_slice().to_vec()).unwrap_or_default();
    let positional = args.len() - names.len();
    methods::set_args(this, args[..positional].to_vec());
    init_from_args(this);
    for (name, value) in names.iter().zip(&args[positional..]) {
        let Some(allowed) = allowed.iter().find(|a| name.downcast::<Str>().is_some_and(|n| n.is_str(a))) else {
            let class = super::nearest_builtin(this.ty()).name();
            return Err(
                vm.type_error(format!("{class}() got an unexpected keyword argument '{}'", vm.display_name(name)))
            );
        };
        set_field(this, intern(allowed).as_value(), value.clone());
    }
    Ok(())
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

crate::method_table! { pub static ATTRIBUTE_METHODS = []; }
crate::method_table! { pub static IMPORT_METHODS = []; }

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
        let line = get("lineno").and_then(|l| crate::builtins::int::to_i64(&l));
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
            "start" | "end" => crate::builtins::int::is_int(value),
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
        set_field(this, intern(name).as_value(), value.clone());
    }
    Ok(())
}

pub fn unicode_decode_slots(s: &mut Slots) {
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
        let Some(object) = unicode_object(this) else { return Ok(crate::builtins::str::empty()) };
        let (start, end) = unicode_range(this);
        let encoding = unicode_text(vm, this, "encoding")?;
        let byte = crate::builtins::bytes::is_bytes(&object).then(|| vm.bytes_like(&object)).transpose()?;
        let byte = byte.and_then(|bytes| bytes.get(usize::try_from(start).ok()?).copied());
        let reason = unicode_text(vm, this, "reason")?;
        Ok(Value::from(match byte {
            Some(byte) if end == start + 1 => {
                format!("'{encoding}' codec can't decode byte 0x{byte:02x} in position {start}: {reason}")
            }
            _ => format!("'{encoding}' codec can't decode bytes in position {start}-{}: {reason}", end - 1),
        }))
    });
}
pub fn unicode_encode_slots(s: &mut Slots) {
    s.init = Some(|vm, this, args, kwnames| {
        unicode_init(vm, this, args, kwnames, &["encoding", "object", "start", "end", "reason"])?;
        unicode_object_is_text(vm, &args[1], 2)
    });
    s.str = Some(|vm, this| {
        let Some(object) = unicode_object(this) else { return Ok(crate::builtins::str::empty()) };
        let encoding = unicode_text(vm, this, "encoding")?;
        unicode_characters(vm, this, &object, &format!("'{encoding}' codec can't encode"))
    });
}
pub fn unicode_translate_slots(s: &mut Slots) {
    s.init = Some(|vm, this, args, kwnames| {
        unicode_init(vm, this, args, kwnames, &["object", "start", "end", "reason"])?;
        unicode_object_is_text(vm, &args[0], 1)
    });
    s.str = Some(|vm, this| match unicode_object(this) {
        Some(object) => unicode_characters(vm, this, &object, "can't translate"),
        None => Ok(crate::builtins::str::empty()),
    });
}

fn unicode_object_is_text(vm: &Vm, object: &Value, position: usize) -> Result<()> {
    let wrong = |got: String| format!("argument {position} must be str, not {got}");
    vm.expect_str(object, wrong).map(drop)
}

/// The `object` attribute; `None` if `__init__` did not run.
fn unicode_object(this: &Value) -> Option<Value> {
    field(this, intern("object").as_value()).filter(|object| !object.is_none())
}

fn unicode_range(this: &Value) -> (i64, i64) {
    let number =
        |name: &str| field(this, intern(name).as_value()).and_then(|n| crate::builtins::int::to_i64(&n)).unwrap_or(0);
    (number("start"), number("end"))
}

fn unicode_text(vm: &Vm, this: &Value, name: &str) -> Result<String> {
    vm.str_string(&field(this, intern(name).as_value()).unwrap_or(Value::NONE))
}

/// "… character '\x..' in position 1: reason", or the positions of several.
fn unicode_characters(vm: &Vm, this: &Value, object: &Value, what: &str) -> Result {
    let (start, end) = unicode_range(this);
    let character = object.downcast::<Str>().and_then(|text| {
        let at = usize::try_from(start).ok().filter(|at| *at < text.len())?;
        Some(text.at(at))
    });
    let reason = unicode_text(vm, this, "reason")?;
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
