//! How events reach a parser's handlers.

use taipan_object::builtins::dict::Dict;
use taipan_object::builtins::list::List;
use taipan_object::builtins::str::{Str, intern};
use taipan_object::builtins::tuple::Tuple;
use taipan_object::native::{GetSetDef, descriptors};
use taipan_object::types::Type;
use taipan_object::{Ref, Result, Value, Vm};

use super::engine::event::{Declaration, Model, Text};
use super::engine::{Event, Kind, Name};
use super::parser::Parser;

macro_rules! handler_table {
    ($($name:literal $kind:ident),* $(,)?) => {
        /// The attributes, and the events they are for.
        pub const HANDLERS: [(&str, Kind); [$($name),*].len()] = [$(($name, Kind::$kind)),*];

        static ATTRIBUTES: &[GetSetDef] = &[$(
            GetSetDef::new($name, "", |_, this| {
                const AT: usize = position($name);
                Ok(Parser::of(this).state().handlers[AT].clone())
            })
            .setter(|vm, this, value| {
                const AT: usize = position($name);
                set_handler(vm, this, AT, value)
            }),
        )*];
    };
}

const fn same(a: &str, b: &str) -> bool {
    let (a, b) = (a.as_bytes(), b.as_bytes());
    if a.len() != b.len() {
        return false;
    }
    let mut at = 0;
    while at < a.len() {
        if a[at] != b[at] {
            return false;
        }
        at += 1;
    }
    true
}

const fn position(name: &str) -> usize {
    let mut at = 0;
    while !same(HANDLERS[at].0, name) {
        at += 1;
    }
    at
}

handler_table! {
    "StartElementHandler" StartElement,
    "EndElementHandler" EndElement,
    "ProcessingInstructionHandler" Pi,
    "CharacterDataHandler" CharacterData,
    "UnparsedEntityDeclHandler" UnparsedEntityDecl,
    "NotationDeclHandler" NotationDecl,
    "StartNamespaceDeclHandler" StartNamespace,
    "EndNamespaceDeclHandler" EndNamespace,
    "CommentHandler" Comment,
    "StartCdataSectionHandler" StartCdata,
    "EndCdataSectionHandler" EndCdata,
    "DefaultHandler" Default,
    "DefaultHandlerExpand" Default,
    "NotStandaloneHandler" NotStandalone,
    "ExternalEntityRefHandler" ExternalEntityRef,
    "StartDoctypeDeclHandler" StartDoctype,
    "EndDoctypeDeclHandler" EndDoctype,
    "EntityDeclHandler" EntityDecl,
    "XmlDeclHandler" XmlDecl,
    "ElementDeclHandler" ElementDecl,
    "AttlistDeclHandler" AttlistDecl,
    "SkippedEntityHandler" SkippedEntity,
}

pub const DEFAULT: usize = position("DefaultHandler");
pub const DEFAULT_EXPAND: usize = position("DefaultHandlerExpand");
const CHARACTER_DATA: usize = position("CharacterDataHandler");

/// Adds the handlers' attributes to the type.
pub fn add_attributes(ty: &Type) {
    for attribute in ATTRIBUTES {
        ty.dict().set_str(intern(attribute.name).as_value(), descriptors::getset(ty, attribute));
    }
}

fn set_handler(vm: &Vm, this: &Value, at: usize, value: Option<&Value>) -> Result<()> {
    let Some(value) = value else { return Err(vm.runtime_error("Cannot delete attribute")) };
    if at == CHARACTER_DATA {
        // What has been gathered is the old handler's.
        flush(vm, this)?;
    }
    let mut state = Parser::of(this).state();
    if at == DEFAULT || at == DEFAULT_EXPAND {
        state.default = at;
        state.expand = at == DEFAULT_EXPAND && !value.is_none();
    }
    let old = std::mem::replace(&mut state.handlers[at], value.clone());
    drop(state);
    drop(old);
    Ok(())
}

/// Hands over the text gathered so far.
pub fn flush(vm: &Vm, this: &Value) -> Result<()> {
    let parser = Parser::of(this);
    if parser.state().buffer.is_empty() {
        return Ok(());
    }
    let text = std::mem::take(&mut parser.state().buffer);
    character_data(vm, this, &text)
}

fn character_data(vm: &Vm, this: &Value, text: &str) -> Result<()> {
    call(vm, this, CHARACTER_DATA, &[Str::new(text).into_value()]).map(drop)
}

/// Calls a handler, if it is set; what it returned.
fn call(vm: &Vm, this: &Value, at: usize, args: &[Value]) -> Result<Option<Value>> {
    let parser = Parser::of(this);
    let Some(handler) = parser.handler(at) else { return Ok(None) };
    let outer = std::mem::replace(&mut parser.state().in_callback, true);
    let result = vm.call_args(&handler, args);
    parser.state().in_callback = outer;
    result.map(Some)
}

/// A name of an element or attribute.
fn own_name(this: &Value, own: Name) -> Value {
    let text = Parser::of(this).state().engine.name_text(own).clone();
    name(this, &text)
}

/// A name, the same object for the same text as far as the parser interns.
fn name(this: &Value, text: &str) -> Value {
    let value = Str::new(text).into_value();
    let interned = Parser::of(this).state().intern.clone();
    let Some(interned) = interned else { return value };
    if let Some(known) = interned.get_str(&value) {
        return known;
    }
    interned.set_str(&value, value.clone());
    value
}

fn optional_name(this: &Value, text: &Text) -> Value {
    text.as_deref().map_or(Value::NONE, |text| name(this, text))
}

fn optional(text: &Text) -> Value {
    text.as_deref().map_or(Value::NONE, |text| Str::new(text).into_value())
}

fn model(vm: &Vm, this: &Value, model: &Model) -> Result {
    vm.check_stack(" in conv_content_model")?;
    let children: Result<Vec<Value>> = model.children.iter().map(|child| self::model(vm, this, child)).collect();
    Ok(Tuple::from_array([
        Value::from(u32::from(model.kind)),
        Value::from(u32::from(model.quantifier)),
        optional(&model.name),
        Tuple::from_vec(children?).into_value(),
    ])
    .into_value())
}

fn attributes(vm: &Vm, this: &Value, all: &[(Name, String)]) -> Result {
    if Parser::of(this).state().ordered_attributes {
        let items = all.iter().flat_map(|(key, value)| [own_name(this, *key), Str::new(value).into_value()]);
        return Ok(List::from_vec(items.collect()).into_value());
    }
    let dict: Ref<Dict> = Dict::new();
    for (key, value) in all {
        dict.set(vm, &own_name(this, *key), Str::new(value).into_value())?;
    }
    Ok(dict.into_value())
}

/// Whether an event that asks for an answer is to be followed.
fn answer(vm: &Vm, result: Option<Value>) -> Result<bool> {
    match result {
        None => Ok(true),
        Some(result) => Ok(crate::arguments::c_long(vm, &result)? != 0),
    }
}

/// Tells the handlers of an event.
pub fn dispatch(vm: &Vm, this: &Value, event: Event) -> Result<()> {
    let parser = Parser::of(this);
    if let Event::CharacterData(text) = &event {
        let text = parser.state().engine.text(text, &mut [0; 4]).to_owned();
        return gather(vm, this, &text);
    }
    let kind = event.kind();
    let at = match kind {
        Kind::Default => parser.state().default,
        _ => HANDLERS.iter().position(|(_, known)| *known == kind).expect("every kind has a handler"),
    };
    if parser.handler(at).is_some() {
        flush(vm, this)?;
    }
    let n = |text: &str| name(this, text);
    let on = |text: &Text| optional_name(this, text);
    let arguments: Vec<Value> = match &event {
        Event::StartElement { name, attributes: all, specified } => {
            let only_specified = parser.state().specified_attributes;
            let shown = if only_specified { &all[..*specified] } else { &all[..] };
            vec![own_name(this, *name), attributes(vm, this, shown)?]
        }
        Event::EndElement { name } => vec![own_name(this, *name)],
        Event::Pi { target, data } => vec![n(target), Str::new(data).into_value()],
        Event::StartNamespace { prefix, uri } => vec![on(prefix), on(uri)],
        Event::EndNamespace { prefix } => vec![on(prefix)],
        Event::Comment(text) | Event::Default(text) => vec![Str::new(text).into_value()],
        Event::SkippedEntity { name, parameter } => vec![n(name), Value::from(i32::from(*parameter))],
        Event::Declaration(declaration) => match &**declaration {
            Declaration::UnparsedEntityDecl { name, base, system, public, notation } => {
                vec![n(name), on(base), on(system), on(public), on(notation)]
            }
            Declaration::NotationDecl { name, base, system, public } => vec![n(name), on(base), on(system), on(public)],
            Declaration::ExternalEntityRef { context, base, system, public } => {
                vec![optional(context), on(base), on(system), on(public)]
            }
            Declaration::StartDoctype { name, system, public, has_internal_subset } => {
                vec![n(name), on(system), on(public), Value::from(i32::from(*has_internal_subset))]
            }
            Declaration::EntityDecl { name, parameter, value, base, system, public, notation } => vec![
                n(name),
                Value::from(i32::from(*parameter)),
                optional(value),
                on(base),
                on(system),
                on(public),
                on(notation),
            ],
            Declaration::XmlDecl { version, encoding, standalone } => {
                vec![optional(version), optional(encoding), Value::from(*standalone)]
            }
            Declaration::ElementDecl { name, model: content } => vec![n(name), model(vm, this, content)?],
            Declaration::AttlistDecl { element, attribute, ty, default, required } => {
                vec![
                    n(element),
                    n(attribute),
                    optional(&Some(ty.clone())),
                    optional(default),
                    Value::from(i32::from(*required)),
                ]
            }
        },
        Event::CharacterData(_) | Event::StartCdata | Event::EndCdata | Event::NotStandalone | Event::EndDoctype => {
            Vec::new()
        }
    };
    let result = call(vm, this, at, &arguments)?;
    if matches!(kind, Kind::NotStandalone | Kind::ExternalEntityRef) {
        let go_on = answer(vm, result)?;
        parser.state().engine.reply(go_on);
    }
    Ok(())
}

/// Text for the handler, now or later.
fn gather(vm: &Vm, this: &Value, text: &str) -> Result<()> {
    let parser = Parser::of(this);
    if !parser.state().buffer_text {
        return character_data(vm, this, text);
    }
    let (used, size) = {
        let state = parser.state();
        (state.buffer.len(), state.buffer_size)
    };
    if used + text.len() > size {
        flush(vm, this)?;
        if parser.handler(CHARACTER_DATA).is_none() {
            return Ok(());
        }
    }
    if text.len() > parser.state().buffer_size || !parser.state().buffer_text {
        return character_data(vm, this, text);
    }
    parser.state().buffer.push_str(text);
    Ok(())
}
