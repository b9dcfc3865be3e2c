//! `pyexpat`: the parser objects behind `xml.parsers.expat`.
//!
//! `pyexpat/engine.rs` is the parser itself, which knows nothing of Python; `parser.rs` has the objects, `handlers.rs`
//! how events reach the handlers, `driver.rs` feeding and errors.

pub mod driver;
pub mod engine;
mod handlers;
mod parser;

use std::sync::OnceLock;

use taipan_object::builtins::dict::Dict;
use taipan_object::builtins::int;
use taipan_object::builtins::list::List;
use taipan_object::builtins::str::Str;
use taipan_object::builtins::tuple::Tuple;
use taipan_object::exceptions::EXCEPTION;
use taipan_object::native::MethodDef;
use taipan_object::native::module::{Module, ModuleDef};
use taipan_object::{Ref, Result, Value, Vm};

use crate::arguments::c_int;
use engine::error::{self, CODES};

pub static MODULE: ModuleDef = ModuleDef {
    name: "pyexpat",
    doc: "XML parsing as with the Expat library.",
    functions: FUNCTIONS,
    exec: |vm, module| {
        let class = error_class(vm)?;
        module.set("error", class.clone());
        module.set("ExpatError", class);
        module.set("XMLParserType", parser::XML_PARSER.value());
        module.set("EXPAT_VERSION", Value::from(format!("expat_{}.{}.{}", VERSION[0], VERSION[1], VERSION[2])));
        module.set("version_info", Tuple::from_array(VERSION.map(Value::from)).into_value());
        module.set("native_encoding", Value::from("UTF-8"));
        let features = FEATURES
            .iter()
            .map(|(name, value)| Tuple::from_array([Value::from(*name), Value::from(*value)]).into_value());
        module.set("features", List::from_vec(features.collect()).into_value());
        int_constants!(module;
            XML_PARAM_ENTITY_PARSING_NEVER = 0, XML_PARAM_ENTITY_PARSING_UNLESS_STANDALONE = 1,
            XML_PARAM_ENTITY_PARSING_ALWAYS = 2);
        add_submodule(vm, module, "errors", errors_module(vm)?)?;
        add_submodule(vm, module, "model", model_module())
    },
};

/// The version of Expat whose behaviour and interface this is.
pub const VERSION: [i32; 3] = [2, 9, 0];

const FEATURES: [(&str, i64); 10] = [
    ("sizeof(XML_Char)", 1),
    ("sizeof(XML_LChar)", 1),
    ("XML_DTD", 0),
    ("XML_CONTEXT_BYTES", 1024),
    ("XML_NS", 0),
    ("XML_BLAP_MAX_AMP", 100),
    ("XML_BLAP_ACT_THRES", 8 * 1024 * 1024),
    ("XML_GE", 0),
    ("XML_AT_MAX_AMP", 100),
    ("XML_AT_ACT_THRES", 64 * 1024 * 1024),
];

/// `xml.parsers.expat.ExpatError`
fn error_class(vm: &Vm) -> Result {
    static CLASS: OnceLock<Value> = OnceLock::new();
    if let Some(class) = CLASS.get() {
        return Ok(class.clone());
    }
    let class = crate::exception_type::new(vm, "xml.parsers.expat", "ExpatError", vec![EXCEPTION.value()], None)?;
    Ok(CLASS.get_or_init(|| class).clone())
}

fn errors_module(vm: &Vm) -> Result<Ref<Module>> {
    let module = Module::new("pyexpat.errors");
    module.set("__doc__", Value::from("Numbers of errors, and their messages."));
    let (codes, messages) = (Dict::new(), Dict::new());
    for (number, constant, text) in CODES {
        module.set(constant, Value::from(*text));
        codes.set(vm, &Value::from(*text), Value::from(*number))?;
        messages.set(vm, &Value::from(*number), Value::from(*text))?;
    }
    module.set("codes", codes.into_value());
    module.set("messages", messages.into_value());
    Ok(module)
}

fn model_module() -> Ref<Module> {
    let module = Module::new("pyexpat.model");
    module.set("__doc__", Value::from("Numbers in the description of an element's content."));
    int_constants!(module;
        XML_CTYPE_EMPTY = 1, XML_CTYPE_ANY = 2, XML_CTYPE_MIXED = 3, XML_CTYPE_NAME = 4, XML_CTYPE_CHOICE = 5,
        XML_CTYPE_SEQ = 6, XML_CQUANT_NONE = 0, XML_CQUANT_OPT = 1, XML_CQUANT_REP = 2, XML_CQUANT_PLUS = 3);
    module
}

fn add_submodule(vm: &Vm, module: &Module, name: &str, submodule: Ref<Module>) -> Result<()> {
    let modules = vm.import_from("sys", "modules")?;
    vm.set_item(&modules, &Value::from(format!("pyexpat.{name}")), submodule.as_value())?;
    module.set(name, submodule.into_value());
    Ok(())
}

/// A str argument that may be `None`.
fn optional_text(vm: &Vm, value: &Value, what: &str) -> Result<Option<String>> {
    if value.is_none() {
        return Ok(None);
    }
    if value.downcast::<Str>().is_none() {
        return Err(vm.type_error(format!("{what} must be str or None, not {}", value.ty().name())));
    }
    let text = taipan_object::codecs::to_utf8(vm, value)?;
    if text.contains('\0') {
        return Err(vm.value_error("embedded null character"));
    }
    Ok(Some(text))
}

fn parser_create(vm: &Vm, _: &Value, args: &[Value]) -> Result {
    let encoding = optional_text(vm, &args[0], "ParserCreate() argument 'encoding'")?;
    let separator = optional_text(vm, &args[1], "ParserCreate() argument 'namespace_separator'")?;
    let separator = match separator {
        None => None,
        Some(text) => {
            let mut characters = text.chars();
            let first = characters.next();
            if characters.next().is_some() {
                let message = "namespace_separator must be at most one character, omitted, or None";
                return Err(vm.value_error(message));
            }
            Some(first)
        }
    };
    let intern = match args[2].bound() {
        None => Some(Dict::new()),
        Some(none) if none.is_none() => None,
        Some(dict) => match dict.downcast_ref::<Dict>() {
            Some(dict) => Some(dict),
            None => return Err(vm.type_error("intern must be a dictionary")),
        },
    };
    Ok(parser::create(encoding, separator, intern))
}

taipan_object::method_table! {
    static FUNCTIONS = [
        MethodDef::new(
            "ParserCreate($module, /, encoding=None, namespace_separator=None,\n             intern=<unrepresentable>)",
            "Make a parser of XML.",
            parser_create,
        ),
        MethodDef::new("ErrorString($module, code, /)", "\
            Return the message that belongs to the number of an error.", |vm, _, args| {
            let code = match int::to_i64(&vm.index(&args[0])?) {
                Some(code) if i32::try_from(code).is_ok() => code as i32,
                Some(_) => return Ok(Value::NONE),
                None => c_int(vm, &args[0])?,
            };
            Ok(error::text(code).map_or(Value::NONE, Value::from))
        }),
    ];
}
