//! `xml.etree.ElementTree.XMLParser`: feeds a target, by default a builder, from the XML engine.

use std::sync::Arc;

use taipan_object::builtins::bytes::Bytes;
use taipan_object::builtins::dict::Dict;
use taipan_object::builtins::str::{Str, intern};
use taipan_object::builtins::tuple::Tuple;
use taipan_object::cell::{Borrow, ObjectCell};
use taipan_object::header::Header;
use taipan_object::heap::Kind as HeapKind;
use taipan_object::native::{GetSetDef, MemberDef, MethodDef};
use taipan_object::object::{Payload, Visitor};
use taipan_object::types::{Type, TypeSpec, type_flags};
use taipan_object::vm::Raised;
use taipan_object::{Ref, Result, Value, Vm, codecs, method_table};

use super::builder::{self, Report, TreeBuilder};
use crate::payload::{class_of, signature};
use crate::pyexpat::driver::encoding_by_codec;
use crate::pyexpat::engine::{Code, Declaration, Encoding, Engine, Event, Handlers, Kind, Name, Step, error};

/// The methods of a target, by the order of [`METHODS_OF_TARGET`].
const METHODS_OF_TARGET: [&str; 9] =
    ["start", "data", "end", "comment", "pi", "close", "doctype", "start_ns", "end_ns"];
const START: usize = 0;
const DATA: usize = 1;
const END: usize = 2;
const COMMENT: usize = 3;
const PI: usize = 4;
const CLOSE: usize = 5;
const DOCTYPE: usize = 6;
const START_NS: usize = 7;
const END_NS: usize = 8;

#[repr(C)]
pub struct XmlParser {
    header: Header,
    state: ObjectCell<State>,
}

struct State {
    engine: Option<Box<Engine>>,
    /// Names with their namespaces in braces, by their numbers. Strings refer to nothing.
    names: Vec<Option<Value>>,
    /// An encoding that only Python knows.
    encoding: Option<String>,
    target: Value,
    entity: Option<Ref<Dict>>,
    methods: [Option<Value>; METHODS_OF_TARGET.len()],
    /// Namespaces are reported to the builder.
    namespaces: bool,
    /// What the engine is asked to report.
    wanted: Handlers,
}

// SAFETY: repr(C), header first, visits every reference that can be part of a cycle.
unsafe impl Payload for XmlParser {
    const KIND: HeapKind = HeapKind::Container;
    fn static_type() -> &'static Type {
        XML_PARSER.ty()
    }
    fn traverse(&self, visit: Visitor) {
        // SAFETY: the collector has stopped the world.
        let state = unsafe { &*self.state.as_ptr() };
        visit(&state.target);
        if let Some(entity) = &state.entity {
            visit(entity.as_value());
        }
        state.methods.iter().flatten().for_each(visit);
    }
    fn clear(&self) {
        let mut state = self.state();
        let old = (
            std::mem::replace(&mut state.target, Value::NONE),
            state.entity.take(),
            std::mem::take(&mut state.methods),
        );
        drop(state);
        drop(old);
    }
}

pub static XML_PARSER: TypeSpec = TypeSpec::new::<XmlParser>("xml.etree.ElementTree.XMLParser")
    .flags(type_flags::BASETYPE)
    .slots(|s| {
        s.new = Some(|_, class, _, _| {
            let class = class_of(class);
            let state = State {
                engine: None,
                names: Vec::new(),
                encoding: None,
                target: Value::NONE,
                entity: None,
                methods: Default::default(),
                namespaces: false,
                wanted: Handlers::default(),
            };
            let header = Header::new(class);
            let parser = XmlParser { header, state: ObjectCell::new(state) };
            Ok(Ref::new_with_type(class, parser).into_value())
        });
        s.init = Some(init);
    })
    .methods(METHODS)
    .members(MEMBERS)
    .getset(GETSET);

signature!(INIT = "XMLParser(*, target=None, encoding=None)");

fn init(vm: &Vm, this: &Value, args: &[Value], kwnames: Option<&Value>) -> Result<()> {
    let args = INIT.bind(vm, args, kwnames)?;
    let encoding = match args[1].is_none() {
        true => None,
        false if args[1].downcast::<Str>().is_none() => {
            let got = args[1].ty().name();
            return Err(vm.type_error(format!("XMLParser() argument 'encoding' must be str or None, not {got}")));
        }
        false => Some(codecs::to_utf8(vm, &args[1])?),
    };
    let known = encoding.as_deref().and_then(Encoding::by_name);
    let encoding = if known.is_some() { None } else { encoding };
    let target = if args[0].is_none() { builder::create() } else { args[0].clone() };
    let mut methods: [Option<Value>; METHODS_OF_TARGET.len()] = Default::default();
    for (slot, name) in methods.iter_mut().zip(METHODS_OF_TARGET) {
        *slot = vm.get_attr_str_opt(&target, name)?;
    }
    let mut new = State {
        engine: Some(Box::new(Engine::new(known, Some(Some('}'))))),
        names: Vec::new(),
        encoding,
        target,
        entity: Some(Dict::new()),
        methods,
        namespaces: false,
        wanted: Handlers::default(),
    };
    new.find_wanted();
    let old = std::mem::replace(&mut *XmlParser::of(this).state(), new);
    drop(old);
    Ok(())
}

impl State {
    /// Says what the engine is to report.
    fn find_wanted(&mut self) {
        let mut handlers = Handlers { bits: 0, expand: true };
        let mut want = |kind: Kind, condition: bool| {
            if condition {
                handlers.bits |= 1 << kind as u8;
            }
        };
        for kind in [Kind::StartElement, Kind::EndElement, Kind::CharacterData, Kind::Default] {
            want(kind, true);
        }
        want(Kind::StartDoctype, true);
        want(Kind::Comment, self.methods[COMMENT].is_some());
        want(Kind::Pi, self.methods[PI].is_some());
        want(Kind::StartNamespace, self.namespaces || self.methods[START_NS].is_some());
        want(Kind::EndNamespace, self.namespaces || self.methods[END_NS].is_some());
        self.wanted = handlers;
    }
}

/// Raises a `ParseError`.
fn raise(vm: &Vm, this: &Value, code: Code, message: Option<String>) -> Raised {
    let position = XmlParser::of(this).state().engine.as_mut().map(|engine| engine.position().0);
    let (line, column) = position.map_or((1, 0), |position| (position.line, position.column));
    let text = message.unwrap_or_else(|| error::text(code as i32).unwrap_or("unknown error").to_string());
    let text = Value::from(format!("{text}: line {line}, column {column}"));
    let outcome = super::error_class(vm).and_then(|class| vm.call_args(&class, &[text])).and_then(|exception| {
        vm.set_attr(&exception, intern("code").as_value(), &Value::from(code as i32))?;
        let position = Tuple::from_array([Value::from(line), Value::from(column)]).into_value();
        vm.set_attr(&exception, intern("position").as_value(), &position)?;
        Ok(exception)
    });
    match outcome {
        Ok(exception) => vm.raise(exception),
        Err(raised) => raised,
    }
}

impl XmlParser {
    fn of(value: &Value) -> &XmlParser {
        value.downcast::<XmlParser>().expect("methods are called with instances of their type")
    }

    /// The state, borrowed: no Python code may run and no value may be dropped meanwhile.
    fn state(&self) -> Borrow<'_, State> {
        self.state.borrow(&self.header)
    }

    fn check(&self, vm: &Vm) -> Result<()> {
        match self.state().engine.is_some() {
            true => Ok(()),
            false => Err(vm.value_error("XMLParser.__init__() wasn't called")),
        }
    }

    fn method(&self, at: usize) -> Option<Value> {
        self.state().methods[at].clone()
    }

    /// `uri}local` as `{uri}local`.
    fn name(&self, name: Name) -> Value {
        let text = {
            let state = self.state();
            if let Some(Some(known)) = state.names.get(name.number()) {
                return known.clone();
            }
            state.engine.as_ref().map_or_else(Arc::default, |engine| engine.name_text(name).clone())
        };
        let made = match text.contains('}') {
            true => Value::from(format!("{{{text}")),
            false => Str::new(&text).into_value(),
        };
        let mut state = self.state();
        if state.names.len() <= name.number() {
            state.names.resize(name.number() + 1, None);
        }
        state.names[name.number()] = Some(made.clone());
        made
    }
}

/// What the engine came to.
enum Found {
    Text(Value),
    Step(Step),
}

/// Hands an event to the target.
fn dispatch(vm: &Vm, this: &Value, event: Event) -> Result<()> {
    let parser = XmlParser::of(this);
    let target = parser.state().target.clone();
    let builder = target.downcast_exact::<TreeBuilder>();
    let call = |at: usize, args: &[Value]| match parser.method(at) {
        Some(method) => vm.call_args(&method, args).map(drop),
        None => Ok(()),
    };
    let text = |text: &str| Str::new(text).into_value();
    let or_empty = |value: &Option<String>| text(value.as_deref().unwrap_or(""));
    let or_none = |value: &Option<String>| value.as_deref().map_or(Value::NONE, text);
    match event {
        Event::StartElement { name, attributes, .. } => {
            let tag = parser.name(name);
            let dict = if attributes.is_empty() { None } else { Some(Dict::with_capacity(attributes.len())) };
            if let Some(dict) = &dict {
                for (key, value) in &attributes {
                    dict.set_str(&parser.name(*key), text(value));
                }
            }
            match builder {
                Some(builder) => builder.start(vm, tag, dict).map(drop),
                None => call(START, &[tag, dict.unwrap_or_else(Dict::new).into_value()]),
            }
        }
        Event::EndElement { name } => match builder {
            Some(builder) => builder.end(vm).map(drop),
            None => call(END, &[parser.name(name)]),
        },
        Event::Comment(data) => match builder {
            Some(builder) => builder.comment(vm, text(&data)).map(drop),
            None => call(COMMENT, &[text(&data)]),
        },
        Event::Pi { target, data } => match builder {
            Some(builder) => builder.pi(vm, text(&target), text(&data)).map(drop),
            None => call(PI, &[text(&target), text(&data)]),
        },
        Event::StartNamespace { prefix, uri } => match builder {
            Some(builder) => builder.start_namespace(vm, or_empty(&prefix), or_empty(&uri)),
            None => call(START_NS, &[or_empty(&prefix), or_empty(&uri)]),
        },
        Event::EndNamespace { prefix } => match builder {
            Some(builder) => builder.end_namespace(vm),
            None => call(END_NS, &[or_empty(&prefix)]),
        },
        Event::Declaration(declaration) => {
            let Declaration::StartDoctype { name, system, public, .. } = *declaration else { return Ok(()) };
            if parser.method(DOCTYPE).is_some() {
                return call(DOCTYPE, &[text(&name), or_none(&public), or_none(&system)]);
            }
            if vm.get_attr_str_opt(this, "doctype")?.is_some() {
                vm.warn(
                    &taipan_object::exceptions::RUNTIME_WARNING.value(),
                    "The doctype() method of XMLParser is ignored.  Define doctype() method on the TreeBuilder target.",
                    1,
                )?;
            }
            Ok(())
        }
        Event::Default(raw) => default(vm, this, &raw),
        _ => Ok(()),
    }
}

/// Hands text to the target.
fn give_text(vm: &Vm, this: &Value, text: Value) -> Result<()> {
    let parser = XmlParser::of(this);
    let target = parser.state().target.clone();
    if let Some(builder) = target.downcast_exact::<TreeBuilder>() {
        builder.data(text);
        return Ok(());
    }
    match parser.method(DATA) {
        Some(method) => vm.call_args(&method, &[text]).map(drop),
        None => Ok(()),
    }
}

/// An entity that the document does not declare may be in `entity`.
fn default(vm: &Vm, this: &Value, raw: &str) -> Result<()> {
    let Some(name) = raw.strip_prefix('&').and_then(|rest| rest.strip_suffix(';')) else { return Ok(()) };
    let parser = XmlParser::of(this);
    let entity = parser.state().entity.clone();
    let value = match entity {
        Some(entity) => entity.get(vm, &Value::from(name))?,
        None => None,
    };
    let Some(value) = value else {
        return Err(raise(vm, this, Code::UndefinedEntity, Some(format!("undefined entity {raw}"))));
    };
    give_text(vm, this, value)
}

fn feed(vm: &Vm, this: &Value, data: &[u8], is_final: bool) -> Result<()> {
    let parser = XmlParser::of(this);
    let encoding = parser.state().encoding.take();
    if let Some(name) = encoding {
        let encoding = encoding_by_codec(vm, &name)?;
        if let Some(engine) = parser.state().engine.as_mut() {
            match encoding {
                Some(encoding) => engine.override_encoding(encoding),
                None => engine.set_error(Code::UnknownEncoding),
            }
        }
    }
    if let Some(engine) = parser.state().engine.as_mut() {
        engine.feed(data, is_final);
    }
    loop {
        let step = {
            let mut state = parser.state();
            let handlers = state.wanted;
            match state.engine.as_mut() {
                Some(engine) => engine.next(handlers).map(|step| match step {
                    Step::Event(Event::CharacterData(data)) => {
                        Found::Text(Str::new(engine.text(&data, &mut [0; 4])).into_value())
                    }
                    step => Found::Step(step),
                }),
                None => return Ok(()),
            }
        };
        let outcome = match step {
            Ok(Found::Text(text)) => give_text(vm, this, text).and_then(|()| vm.check_memory()),
            Ok(Found::Step(Step::Event(event))) => dispatch(vm, this, event).and_then(|()| vm.check_memory()),
            Ok(Found::Step(Step::UnknownEncoding(name))) => encoding_by_codec(vm, &name).map(|encoding| {
                if let Some(engine) = parser.state().engine.as_mut() {
                    engine.use_encoding(encoding);
                }
            }),
            Ok(Found::Step(Step::Wait)) => return Ok(()),
            Err(code) => return Err(raise(vm, this, code, None)),
        };
        if let Err(raised) = outcome {
            if let Some(engine) = parser.state().engine.as_mut() {
                engine.set_error(Code::Finished);
            }
            return Err(raised);
        }
    }
}

/// Feeds a str or bytes-like object.
fn feed_value(vm: &Vm, this: &Value, data: &Value) -> Result<()> {
    if data.downcast::<Str>().is_some() {
        let text = codecs::to_utf8(vm, data)?;
        let mut state = XmlParser::of(this).state();
        state.encoding = None;
        if let Some(engine) = state.engine.as_mut() {
            engine.override_encoding(Encoding::Utf8);
        }
        drop(state);
        return feed(vm, this, text.as_bytes(), false);
    }
    let data = vm.bytes_like(data)?;
    feed(vm, this, &data, false)
}

fn close(vm: &Vm, this: &Value, _: &[Value]) -> Result {
    let parser = XmlParser::of(this);
    parser.check(vm)?;
    feed(vm, this, &[], true)?;
    let target = parser.state().target.clone();
    if let Some(builder) = target.downcast_exact::<TreeBuilder>() {
        return Ok(builder.root());
    }
    match parser.method(CLOSE) {
        Some(method) => vm.call_args(&method, &[]),
        None => Ok(Value::NONE),
    }
}

fn flush(vm: &Vm, this: &Value, _: &[Value]) -> Result {
    let parser = XmlParser::of(this);
    parser.check(vm)?;
    let set = |defer: bool| {
        let mut state = parser.state();
        let engine = state.engine.as_mut()?;
        Some(std::mem::replace(&mut engine.defer_reparse, defer))
    };
    let before = set(false);
    let outcome = feed(vm, this, &[], false);
    set(before.unwrap_or(true));
    outcome.map(Value::from)
}

fn parse_whole(vm: &Vm, this: &Value, args: &[Value]) -> Result {
    let parser = XmlParser::of(this);
    parser.check(vm)?;
    let read = vm.get_attr_str(&args[0], "read")?;
    loop {
        let block = vm.call_args(&read, &[Value::from(64 * 1024)])?;
        let empty = match (block.downcast::<Str>(), block.downcast::<Bytes>()) {
            (Some(text), _) => text.len() == 0,
            (_, Some(data)) => data.as_slice().is_empty(),
            _ => true,
        };
        if empty {
            break;
        }
        feed_value(vm, this, &block)?;
    }
    feed(vm, this, &[], true)?;
    let target = parser.state().target.clone();
    Ok(target.downcast_exact::<TreeBuilder>().map_or(Value::NONE, TreeBuilder::root))
}

fn set_events(vm: &Vm, this: &Value, args: &[Value]) -> Result {
    let parser = XmlParser::of(this);
    parser.check(vm)?;
    let target = parser.state().target.clone();
    let Some(builder) = target.downcast_exact::<TreeBuilder>() else {
        return Err(vm.type_error("event handling only supported for ElementTree.TreeBuilder targets"));
    };
    let append = vm.get_attr_str(&args[0], "append")?;
    let mut reports: Vec<Option<Value>> = vec![None; 6];
    if args[1].is_none() {
        reports[Report::End as usize] = Some(Value::from("end"));
        builder.set_events(append, reports);
        return Ok(Value::NONE);
    }
    if vm.iter(&args[1]).map_err(|raised| vm.discard(raised)).is_err() {
        return Err(vm.type_error("events must be a sequence"));
    }
    for event in vm.collect(&args[1])? {
        let name = match (event.downcast::<Str>(), event.downcast::<Bytes>()) {
            (Some(text), _) => text.to_string_lossy(),
            (_, Some(data)) => String::from_utf8_lossy(data.as_slice()).into_owned(),
            _ => return Err(vm.value_error("invalid events sequence")),
        };
        let report = match name.as_str() {
            "start" => Report::Start,
            "end" => Report::End,
            "start-ns" => Report::StartNamespace,
            "end-ns" => Report::EndNamespace,
            "comment" => Report::Comment,
            "pi" => Report::Pi,
            _ => return Err(vm.value_error(format!("unknown event '{name}'"))),
        };
        reports[report as usize] = Some(Value::from(name.as_str()));
    }
    builder.set_events(append, reports);
    let namespaces = builder.reports(Report::StartNamespace) || builder.reports(Report::EndNamespace);
    let mut state = parser.state();
    state.namespaces = namespaces;
    state.find_wanted();
    Ok(Value::NONE)
}

method_table! { static METHODS = [
    MethodDef::new("feed($self, data, /)", "", |vm, this, args| {
        XmlParser::of(this).check(vm)?;
        feed_value(vm, this, &args[0])?;
        Ok(Value::NONE)
    }),
    MethodDef::new("close($self, /)", "", close),
    MethodDef::new("flush($self, /)", "", flush),
    MethodDef::new("_parse_whole($self, file, /)", "", parse_whole),
    MethodDef::new("_setevents($self, events_queue, events_to_report=None, /)", "", set_events),
]; }

static MEMBERS: &[MemberDef] = &[
    MemberDef::new("entity", "", |_, this| {
        Ok(XmlParser::of(this).state().entity.clone().map_or(Value::NONE, Ref::into_value))
    }),
    MemberDef::new("target", "", |_, this| Ok(XmlParser::of(this).state().target.clone())),
];

static GETSET: &[GetSetDef] = &[GetSetDef::new("version", "", |_, _| {
    let [major, minor, micro] = crate::pyexpat::VERSION;
    Ok(Value::from(format!("Expat {major}.{minor}.{micro}")))
})];
