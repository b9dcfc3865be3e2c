//! `_json`: the parts of `json` that must be fast.
//!
//! `text.rs` has strings as JSON writes them, `scanner.rs` and `scanner/parse.rs` the decoder, `encoder.rs` the encoder.

pub mod encoder;
pub mod scanner;
pub mod text;

use crate::arguments::ssize;
use crate::payload::signature;
use taipan_object::builtins::str::Str;
use taipan_object::builtins::tuple::Tuple;
use taipan_object::native::MethodDef;
use taipan_object::native::module::ModuleDef;
use taipan_object::{Raised, Result, Value, Vm, method_table};

pub static MODULE: ModuleDef = ModuleDef {
    name: "_json",
    doc: "json speedups\n",
    functions: FUNCTIONS,
    exec: |_, module| {
        module.set("make_scanner", scanner::SCANNER.value());
        module.set("make_encoder", encoder::ENCODER.value());
        Ok(())
    },
};

method_table! { static FUNCTIONS = [
    MethodDef::new("encode_basestring_ascii($self, object, /)",
        "encode_basestring_ascii(string) -> string\n\n\
        Write a string as a JSON string of ASCII characters, quotes included.",
        encode_basestring_ascii),
    MethodDef::new("encode_basestring($self, object, /)",
        "encode_basestring(string) -> string\n\nWrite a string as a JSON string, quotes included.",
        encode_basestring),
    MethodDef::raw("scanstring",
        "scanstring(string, end, strict=True) -> (string, end)\n\n\
        Parse a JSON string whose opening quote is just before index end.\n\n\
        The result is its value, with escapes resolved, and the index after the\n\
        closing quote.  ValueError is raised if the string is malformed; if\n\
        strict is true, unescaped control characters are malformed too.",
        |vm, _, args, kwnames| scanstring(vm, args, kwnames)),
]; }

/// `encode_basestring_ascii`, which the encoder recognises.
pub fn encode_basestring_ascii(vm: &Vm, _: &Value, args: &[Value]) -> Result {
    encoded(vm, &args[0], text::Escapes::NonAscii)
}

/// `encode_basestring`, which the encoder recognises.
pub fn encode_basestring(vm: &Vm, _: &Value, args: &[Value]) -> Result {
    encoded(vm, &args[0], text::Escapes::Required)
}

fn not_a_string(vm: &Vm, value: &Value) -> Raised {
    vm.type_error(format!("first argument must be a string, not {}", value.ty().name()))
}

fn encoded(vm: &Vm, value: &Value, escapes: text::Escapes) -> Result {
    let Some(string) = value.downcast::<Str>() else { return Err(not_a_string(vm, value)) };
    let mut out = text::Output::with_capacity(string.len() + 2);
    out.push_string(string, escapes);
    Ok(out.finish())
}

signature!(SCANSTRING = "scanstring(pystr, end, strict=True, /)");

fn scanstring(vm: &Vm, args: &[Value], kwnames: Option<&Value>) -> Result {
    let given = args.len();
    if kwnames.is_none() && given < 2 {
        let plural = "arguments";
        return Err(vm.type_error(format!("scanstring() takes at least 2 {plural} ({given} given)")));
    }
    if kwnames.is_none() && given > 3 {
        return Err(vm.type_error(format!("scanstring() takes at most 3 arguments ({given} given)")));
    }
    let bound = SCANSTRING.bind(vm, args, kwnames)?;
    let end = ssize(vm, &bound[1])?;
    let strict = vm.is_true(&bound[2])?;
    let Some(string) = bound[0].downcast::<Str>() else { return Err(not_a_string(vm, &bound[0])) };
    let (value, next) = match usize::try_from(end) {
        Ok(end) if end <= string.len() => scanner::parse::string(vm, &bound[0], string, end, strict)?,
        _ => return Err(vm.value_error("end is out of bounds")),
    };
    Ok(Tuple::from_array([value, Value::from(next)]).into_value())
}
