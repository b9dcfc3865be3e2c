//! `_elementtree`: elements, the builder of trees and the parser of `xml.etree.ElementTree`.
//!
//! `_elementtree/element.rs` has elements, `methods.rs` their methods, `iterator.rs` what `iter()` and `itertext()`
//! return, `builder.rs` the builder, `parser.rs` the parser, over the engine of `pyexpat`.

mod builder;
mod element;
mod iterator;
mod methods;
mod parser;

use std::sync::OnceLock;

use taipan_object::builtins::dict::Dict;
use taipan_object::exceptions::SYNTAX_ERROR;
use taipan_object::native::MethodDef;
use taipan_object::native::module::ModuleDef;
use taipan_object::{Ref, Result, Value, Vm};

use element::{ELEMENT, Element};

pub static MODULE: ModuleDef = ModuleDef {
    name: "_elementtree",
    doc: "",
    functions: FUNCTIONS,
    exec: |vm, module| {
        module.set("ParseError", error_class(vm)?);
        for spec in [&ELEMENT, &builder::TREE_BUILDER, &parser::XML_PARSER] {
            module.add_type(spec);
        }
        Ok(())
    },
};

/// `xml.etree.ElementTree.ParseError`
fn error_class(vm: &Vm) -> Result {
    static CLASS: OnceLock<Value> = OnceLock::new();
    if let Some(class) = CLASS.get() {
        return Ok(class.clone());
    }
    let module = "xml.etree.ElementTree";
    let class = crate::exception_type::new(vm, module, "ParseError", vec![SYNTAX_ERROR.value()], None)?;
    Ok(CLASS.get_or_init(|| class).clone())
}

/// The attributes of a new element: those of a dict and of keyword arguments, in a dict of its own.
fn attributes(
    vm: &Vm,
    function: &str,
    at: usize,
    args: &[Value],
    kwnames: Option<&Value>,
) -> Result<Option<Ref<Dict>>> {
    let names = kwnames.and_then(|names| names.downcast::<taipan_object::builtins::tuple::Tuple>());
    let names = names.map_or(&[][..], |names| names.as_slice());
    let (positional, keywords) = args.split_at(args.len() - names.len());
    if positional.len() < at {
        let (plural, given) = (if at == 1 { "" } else { "s" }, positional.len());
        return Err(vm.type_error(format!("{function}() takes at least {at} argument{plural} ({given} given)")));
    }
    if positional.len() > at + 1 {
        let (max, given) = (at + 1, positional.len());
        return Err(vm.type_error(format!("{function}() takes at most {max} arguments ({given} given)")));
    }
    let mut attributes = None;
    if let Some(given) = positional.get(at) {
        let Some(dict) = given.downcast::<Dict>() else {
            let (number, got) = (at + 1, given.ty().name());
            return Err(vm.type_error(format!("{function}() argument {number} must be dict, not {got}")));
        };
        attributes = Some(dict.copy());
    }
    for (name, value) in names.iter().zip(keywords) {
        let is_attrib = name.downcast::<taipan_object::builtins::str::Str>().is_some_and(|name| name.is_str("attrib"));
        if is_attrib && attributes.is_none() {
            let Some(dict) = value.downcast::<Dict>() else {
                return Err(vm.type_error(format!("attrib must be dict, not {}", value.ty().name())));
            };
            attributes = Some(dict.copy());
        }
    }
    for (name, value) in names.iter().zip(keywords) {
        let is_attrib = name.downcast::<taipan_object::builtins::str::Str>().is_some_and(|name| name.is_str("attrib"));
        if !is_attrib || positional.len() > at {
            attributes.get_or_insert_with(Dict::new).set(vm, name, value.clone())?;
        }
    }
    Ok(attributes)
}

/// `SubElement(parent, tag, attrib={}, **extra)`
fn sub_element(vm: &Vm, _: &Value, args: &[Value], kwnames: Option<&Value>) -> Result {
    let attributes = attributes(vm, "SubElement", 2, args, kwnames)?;
    let Some(parent) = args[0].downcast::<Element>() else {
        let wanted = "xml.etree.ElementTree.Element";
        return Err(vm.type_error(format!("SubElement() argument 1 must be {wanted}, not {}", args[0].ty().name())));
    };
    let element = Element::create(args[1].clone(), attributes);
    parent.push(element.clone());
    Ok(element)
}

taipan_object::method_table! {
    static FUNCTIONS = [
        MethodDef::raw("SubElement", "", sub_element),
        MethodDef::new(
            "_set_factories($module, comment_factory, pi_factory, /)",
            "Set what makes comments and processing instructions.\n\nThis is for the ElementTree module.",
            builder::set_factories,
        ),
    ];
}
