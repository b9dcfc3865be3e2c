//! The prolog, document type declarations, external subsets and parameter entities.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use super::chars::{Char, char_at, is_public_id, is_space};
use super::content::char_ref;
use super::dtd::{Attribute, Entity};
use super::event::{Declaration, Event, Handlers, Kind, Model, Text};
use super::input::Encoding;
use super::prolog_tokens::{self, Token};
use super::tokens;
use super::{Code, ENTITY_SIZE, Engine, Phase, Turn, lock, string};

/// What is expected next.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
enum Expect {
    #[default]
    Prolog,
    AfterDoctype,
    DoctypeName,
    DoctypeId,
    DoctypePublic,
    DoctypeSystem,
    DoctypeSubset,
    /// Declarations, in the document's own subset or in an external one.
    Declarations,
    DoctypeClose,
    EntityStart,
    ParameterName,
    EntityValue,
    EntityPublic,
    EntitySystem,
    EntityNotation,
    EntityNotationName,
    NotationName,
    NotationId,
    NotationPublic,
    NotationSystem,
    NotationOptionalSystem,
    AttlistElement,
    AttlistName,
    AttlistType,
    AttlistValue,
    AttlistValueEnd,
    AttlistNotationOpen,
    AttlistDefault,
    AttlistFixed,
    ElementName,
    ElementModel,
    ElementFirst,
    ElementMixed,
    ElementMixedName,
    ElementMixedNext,
    ElementItem,
    ElementNext,
    /// Only `>` is left of a declaration.
    Close,
    /// `<![` was read.
    Section,
    SectionOpen,
}

/// What to do once the program has answered.
#[derive(Clone, Copy, PartialEq, Eq)]
enum After {
    ExternalSubset { had_references: bool, close: bool },
    ParameterEntity,
}

#[derive(Default)]
pub struct State {
    expect: Expect,
    /// Something was read already, so that a declaration of the document's version comes too late.
    begun: bool,
    /// The kind of the declaration being read.
    declaration: Option<Kind>,
    external: bool,
    /// Open `INCLUDE` sections.
    sections: usize,
    ignoring: bool,
    pub unknown_encoding: Option<String>,
    pub new_encoding: Option<Encoding>,
    after: Option<After>,
    doctype_name: Text,
    doctype_system: Text,
    doctype_public: Text,
    doctype_reported: bool,
    name: String,
    parameter: bool,
    /// An entity that was declared before, or whose declaration does not count.
    ignored: bool,
    system: Text,
    public: Text,
    attribute: String,
    ty: String,
    groups: Vec<(Model, Option<Token>)>,
}

impl State {
    /// The text is that of an external subset or parameter entity.
    pub fn enter_external(&mut self) {
        self.external = true;
        self.expect = Expect::Declarations;
    }
}

/// The text of a literal.
fn unquoted(raw: &[u8]) -> &[u8] {
    &raw[1..raw.len() - 1]
}

/// A public identifier with its white space normalised.
fn public_id(raw: &[u8]) -> String {
    string(unquoted(raw)).split([' ', '\r', '\n']).filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
}

impl Engine {
    pub(super) fn prolog(&mut self, text: &[u8], at: usize, handlers: Handlers) -> Result<Turn, Code> {
        if self.finished {
            return Ok(Turn::Wait);
        }
        if let Some(after) = self.doctype.after.take() {
            return self.after_reply(after, handlers);
        }
        if self.doctype.ignoring {
            return self.ignore_section(text, at, handlers);
        }
        let scan = prolog_tokens::prolog(text, at, self.namespaces.is_some());
        let incomplete = matches!(scan.token, Token::None | Token::Partial | Token::PartialChar);
        if (incomplete || scan.open) && self.have_more() {
            return Ok(Turn::Wait);
        }
        match scan.token {
            Token::None if self.expansions.is_empty() && self.buffer.has_tail() => {
                self.event_at(at);
                return Err(if self.buffer.is_utf16() { Code::UnclosedToken } else { Code::PartialChar });
            }
            Token::None => return self.end_of_prolog(at),
            Token::Partial => return Err(Code::UnclosedToken),
            Token::PartialChar => return Err(Code::PartialChar),
            Token::Invalid => {
                self.event_at(scan.end);
                return Err(Code::InvalidToken);
            }
            _ => {}
        }
        let raw = &text[at..scan.end];
        if self.phase == Phase::Epilog {
            return match scan.token {
                Token::Space | Token::Comment | Token::Pi => self.miscellaneous(scan.token, raw, scan.end, handlers),
                _ => Err(Code::JunkAfterDocElement),
            };
        }
        self.role(scan.token, raw, scan.end, handlers)
    }

    /// White space, comments and processing instructions.
    fn miscellaneous(&mut self, token: Token, raw: &[u8], end: usize, handlers: Handlers) -> Result<Turn, Code> {
        self.consume(end);
        self.doctype.begun = true;
        Ok(match token {
            Token::Comment => self.comment_event(handlers, raw),
            Token::Pi => self.pi_event(handlers, raw),
            _ => self.default_event(handlers, raw),
        })
    }

    fn end_of_prolog(&mut self, at: usize) -> Result<Turn, Code> {
        if let Some(expansion) = self.expansions.last() {
            debug_assert!(expansion.parameter);
            self.end_expansion();
            return Ok(Turn::Again);
        }
        self.event_at(at);
        if self.phase == Phase::Epilog {
            self.finished = true;
            return Ok(Turn::Wait);
        }
        if self.is_parameter_entity {
            if self.doctype.expect != Expect::Declarations || self.doctype.sections > 0 {
                return Err(Code::IncompletePe);
            }
            self.finished = true;
            return Ok(Turn::Wait);
        }
        Err(Code::NoElements)
    }

    /// Whether the current declaration's tokens are the business of a handler that is set.
    fn is_handled(&self, handlers: Handlers) -> bool {
        self.doctype.declaration.is_some_and(|kind| match kind {
            Kind::UnparsedEntityDecl => false,
            _ => handlers.has(kind),
        })
    }

    /// Reads on; the token goes to the default handler unless its declaration is handled.
    fn go_on(&mut self, next: Expect, raw: &[u8], end: usize, handlers: Handlers) -> Turn {
        let handled = self.is_handled(handlers);
        self.consume(end);
        self.doctype.expect = next;
        if handled { Turn::Again } else { self.default_event(handlers, raw) }
    }

    /// Reads on and reports `event` if somebody listens; else as [`Engine::go_on`].
    fn report(&mut self, next: Expect, raw: &[u8], end: usize, handlers: Handlers, event: Event) -> Turn {
        if handlers.has(event.kind()) {
            self.consume(end);
            self.doctype.expect = next;
            return Turn::Event(event);
        }
        self.go_on(next, raw, end, handlers)
    }

    fn role(&mut self, token: Token, raw: &[u8], end: usize, handlers: Handlers) -> Result<Turn, Code> {
        use Expect::*;
        let expect = self.doctype.expect;
        let between = matches!(expect, Prolog | AfterDoctype | Declarations);
        match token {
            Token::Space if between => return self.miscellaneous(token, raw, end, handlers),
            Token::Comment | Token::Pi if between => return self.miscellaneous(token, raw, end, handlers),
            Token::Space => return Ok(self.go_on(expect, raw, end, handlers)),
            Token::XmlDecl => {
                let first = !self.doctype.begun && self.expansions.is_empty();
                if first && (expect == Prolog || self.doctype.external) {
                    return self.xml_declaration(raw, end, self.doctype.external, handlers);
                }
                return Err(Code::MisplacedXmlPi);
            }
            Token::ParamRef if expect == Declarations => return self.parameter_reference(raw, end, true, handlers),
            Token::ParamRef if self.doctype.external && !between => {
                return self.parameter_reference(raw, end, false, handlers);
            }
            Token::ParamRef => return Err(Code::ParamEntityRef),
            _ => {}
        }
        self.doctype.begun = true;
        match expect {
            Prolog | AfterDoctype => self.prolog_role(token, raw, end, handlers),
            DoctypeName | DoctypeId | DoctypePublic | DoctypeSystem | DoctypeSubset | DoctypeClose => {
                self.doctype_role(token, raw, end, handlers)
            }
            Declarations | Section | SectionOpen => self.declarations_role(token, raw, end, handlers),
            EntityStart | ParameterName | EntityValue | EntityPublic | EntitySystem | EntityNotation
            | EntityNotationName => self.entity_role(token, raw, end, handlers),
            NotationName | NotationId | NotationPublic | NotationSystem | NotationOptionalSystem => {
                self.notation_role(token, raw, end, handlers)
            }
            AttlistElement | AttlistName | AttlistType | AttlistValue | AttlistValueEnd | AttlistNotationOpen
            | AttlistDefault | AttlistFixed => self.attlist_role(token, raw, end, handlers),
            ElementName | ElementModel | ElementFirst | ElementMixed | ElementMixedName | ElementMixedNext
            | ElementItem | ElementNext => self.element_role(token, raw, end, handlers),
            Close => match token {
                Token::DeclClose => {
                    let turn = self.go_on(Declarations, raw, end, handlers);
                    self.doctype.declaration = None;
                    Ok(turn)
                }
                _ => Err(Code::Syntax),
            },
        }
    }

    fn prolog_role(&mut self, token: Token, raw: &[u8], end: usize, handlers: Handlers) -> Result<Turn, Code> {
        match token {
            Token::DeclOpen if self.doctype.expect == Expect::Prolog && &raw[2..] == b"DOCTYPE" => {
                self.doctype.declaration = Some(Kind::StartDoctype);
                Ok(self.go_on(Expect::DoctypeName, raw, end, handlers))
            }
            Token::InstanceStart => {
                self.phase = Phase::Content;
                if self.use_foreign_dtd {
                    self.use_foreign_dtd = false;
                    return Ok(self.external_subset(handlers, false));
                }
                Ok(Turn::Again)
            }
            _ => Err(Code::Syntax),
        }
    }

    fn doctype_role(&mut self, token: Token, raw: &[u8], end: usize, handlers: Handlers) -> Result<Turn, Code> {
        use Expect::*;
        let state = &mut self.doctype;
        match (state.expect, token) {
            (DoctypeName, Token::Name) => {
                state.doctype_name = Some(string(raw));
                Ok(self.go_on(DoctypeId, raw, end, handlers))
            }
            (DoctypeId, Token::Name) if raw == b"SYSTEM" => Ok(self.go_on(DoctypeSystem, raw, end, handlers)),
            (DoctypeId, Token::Name) if raw == b"PUBLIC" => Ok(self.go_on(DoctypePublic, raw, end, handlers)),
            (DoctypePublic, Token::Literal) => {
                self.check_public_id(raw)?;
                self.doctype.doctype_public = Some(public_id(raw));
                Ok(self.go_on(DoctypeSystem, raw, end, handlers))
            }
            (DoctypeSystem, Token::Literal) => {
                state.doctype_system = Some(string(unquoted(raw)));
                let mut dtd = lock(&self.dtd);
                dtd.has_param_entity_refs = true;
                let ask = !dtd.standalone && self.param_entity_parsing == 0 && handlers.has(Kind::NotStandalone);
                drop(dtd);
                if ask {
                    let place = self.buffer.event;
                    self.queue.push_back((place, Event::NotStandalone));
                }
                Ok(self.go_on(DoctypeSubset, raw, end, handlers))
            }
            (DoctypeId | DoctypeSubset, Token::OpenBracket) => {
                let event = self.start_doctype(true);
                let turn = self.report(Declarations, raw, end, handlers, event);
                self.doctype.declaration = None;
                Ok(turn)
            }
            (DoctypeId | DoctypeSubset | DoctypeClose, Token::DeclClose) => {
                let place = self.buffer.event;
                let mut started = false;
                if !self.doctype.doctype_reported {
                    let event = self.start_doctype(false);
                    if handlers.has(Kind::StartDoctype) {
                        started = true;
                        self.queue.push_back((place, event));
                    }
                }
                self.consume(end);
                self.doctype.expect = AfterDoctype;
                self.doctype.declaration = None;
                let has_subset = self.doctype.doctype_system.is_some() || self.use_foreign_dtd;
                if has_subset {
                    self.use_foreign_dtd = false;
                    if !handlers.has(Kind::EndDoctype) && !started && handlers.has(Kind::Default) {
                        self.queue.push_back((place, Event::Default(string(raw))));
                    }
                    return Ok(self.external_subset(handlers, true));
                }
                if handlers.has(Kind::EndDoctype) {
                    self.queue.push_back((place, Event::EndDoctype));
                } else if !started && handlers.has(Kind::Default) {
                    self.queue.push_back((place, Event::Default(string(raw))));
                }
                Ok(Turn::Again)
            }
            _ => Err(Code::Syntax),
        }
    }

    fn start_doctype(&mut self, has_internal_subset: bool) -> Event {
        self.doctype.doctype_reported = true;
        Event::from(Declaration::StartDoctype {
            name: self.doctype.doctype_name.clone().unwrap_or_default(),
            system: self.doctype.doctype_system.clone(),
            public: self.doctype.doctype_public.clone(),
            has_internal_subset,
        })
    }

    /// Has the program read the external subset, if it wants to.
    fn external_subset(&mut self, handlers: Handlers, close: bool) -> Turn {
        let mut dtd = lock(&self.dtd);
        let had_references = dtd.has_param_entity_refs;
        dtd.has_param_entity_refs = true;
        dtd.param_entity_read = false;
        drop(dtd);
        let place = self.buffer.event;
        if self.param_entity_parsing != 0 && handlers.has(Kind::ExternalEntityRef) {
            self.queue.push_back((
                place,
                Event::from(Declaration::ExternalEntityRef {
                    context: None,
                    base: self.base.clone(),
                    system: self.doctype.doctype_system.clone(),
                    public: self.doctype.doctype_public.clone(),
                }),
            ));
            self.doctype.after = Some(After::ExternalSubset { had_references, close });
            // The element begins only behind what comes after.
            self.phase = Phase::Prolog;
            return Turn::Again;
        }
        if self.doctype.doctype_system.is_none() {
            lock(&self.dtd).has_param_entity_refs = had_references;
        }
        if close && handlers.has(Kind::EndDoctype) {
            self.queue.push_back((place, Event::EndDoctype));
        }
        Turn::Again
    }

    fn after_reply(&mut self, after: After, handlers: Handlers) -> Result<Turn, Code> {
        let place = self.buffer.event;
        let mut dtd = lock(&self.dtd);
        let ask = dtd.param_entity_read && !dtd.standalone && handlers.has(Kind::NotStandalone);
        match after {
            After::ExternalSubset { had_references, close } => {
                if !dtd.param_entity_read && self.doctype.doctype_system.is_none() {
                    dtd.has_param_entity_refs = had_references;
                }
                drop(dtd);
                if ask {
                    self.queue.push_back((place, Event::NotStandalone));
                }
                if close && handlers.has(Kind::EndDoctype) {
                    self.queue.push_back((place, Event::EndDoctype));
                }
            }
            After::ParameterEntity => {
                if !dtd.param_entity_read {
                    dtd.keep_processing = dtd.standalone;
                }
                let ask = !dtd.standalone && handlers.has(Kind::NotStandalone);
                drop(dtd);
                if ask {
                    self.queue.push_back((place, Event::NotStandalone));
                }
            }
        }
        Ok(Turn::Again)
    }

    fn parameter_reference(&mut self, raw: &[u8], end: usize, between: bool, handlers: Handlers) -> Result<Turn, Code> {
        let name = string(&raw[1..raw.len() - 1]);
        let place = self.buffer.event;
        let mut handled = false;
        self.doctype.begun = true;
        let mut dtd = lock(&self.dtd);
        dtd.has_param_entity_refs = true;
        if self.param_entity_parsing == 0 {
            dtd.keep_processing = dtd.standalone;
        } else {
            let standalone = dtd.standalone;
            match dtd.parameter.get_mut(&name) {
                None => {
                    dtd.keep_processing = standalone;
                    if between && handlers.has(Kind::SkippedEntity) {
                        handled = true;
                        self.queue.push_back((place, Event::SkippedEntity { name, parameter: true }));
                    }
                }
                Some(entity) if entity.open => return Err(Code::RecursiveEntityRef),
                Some(entity) => match entity.text.clone() {
                    Some(text) => {
                        entity.open = true;
                        drop(dtd);
                        self.consume(end);
                        self.expand(&name, text, true);
                        let ask = between && !standalone && handlers.has(Kind::NotStandalone);
                        return Ok(if ask { Turn::Event(Event::NotStandalone) } else { Turn::Again });
                    }
                    None if handlers.has(Kind::ExternalEntityRef) => {
                        let (base, system) = (entity.base.clone(), entity.system.clone());
                        let public = entity.public.clone();
                        dtd.param_entity_read = false;
                        drop(dtd);
                        self.consume(end);
                        let event = Event::from(Declaration::ExternalEntityRef { context: None, base, system, public });
                        self.queue.push_back((place, event));
                        self.doctype.after = Some(After::ParameterEntity);
                        return Ok(Turn::Again);
                    }
                    None => dtd.keep_processing = standalone,
                },
            }
        }
        let ask = between && !dtd.standalone && handlers.has(Kind::NotStandalone);
        drop(dtd);
        self.consume(end);
        if ask {
            self.queue.push_back((place, Event::NotStandalone));
        }
        if !handled && handlers.has(Kind::Default) {
            self.queue.push_back((place, Event::Default(string(raw))));
        }
        Ok(Turn::Again)
    }

    fn declarations_role(&mut self, token: Token, raw: &[u8], end: usize, handlers: Handlers) -> Result<Turn, Code> {
        use Expect::*;
        match (self.doctype.expect, token) {
            (Declarations, Token::DeclOpen) => {
                let (kind, next) = match &raw[2..] {
                    b"ENTITY" => (Kind::EntityDecl, EntityStart),
                    b"ATTLIST" => (Kind::AttlistDecl, AttlistElement),
                    b"ELEMENT" => (Kind::ElementDecl, ElementName),
                    b"NOTATION" => (Kind::NotationDecl, NotationName),
                    _ => return Err(Code::Syntax),
                };
                self.doctype.declaration = Some(kind);
                Ok(self.go_on(next, raw, end, handlers))
            }
            (Declarations, Token::CloseBracket) if !self.doctype.external => {
                self.doctype.declaration = Some(Kind::StartDoctype);
                Ok(self.go_on(DoctypeClose, raw, end, handlers))
            }
            (Declarations, Token::SectionOpen) if self.doctype.external => Ok(self.go_on(Section, raw, end, handlers)),
            (Declarations, Token::SectionClose) if self.doctype.sections > 0 => {
                self.doctype.sections -= 1;
                Ok(self.go_on(Declarations, raw, end, handlers))
            }
            (Section, Token::Name) if raw == b"INCLUDE" || raw == b"IGNORE" => {
                self.doctype.name = string(raw);
                Ok(self.go_on(SectionOpen, raw, end, handlers))
            }
            (SectionOpen, Token::OpenBracket) => {
                match self.doctype.name.as_str() {
                    "INCLUDE" => self.doctype.sections += 1,
                    _ => self.doctype.ignoring = true,
                }
                Ok(self.go_on(Declarations, raw, end, handlers))
            }
            _ => Err(Code::Syntax),
        }
    }

    fn ignore_section(&mut self, text: &[u8], at: usize, handlers: Handlers) -> Result<Turn, Code> {
        let scan = prolog_tokens::ignored_section(text, at);
        match scan.token {
            Token::SectionClose => {
                self.doctype.ignoring = false;
                self.consume(scan.end);
                Ok(self.default_event(handlers, &text[at..scan.end]))
            }
            Token::Invalid => {
                self.event_at(scan.end);
                Err(Code::InvalidToken)
            }
            _ if self.have_more() => Ok(Turn::Wait),
            Token::PartialChar => Err(Code::PartialChar),
            _ => Err(Code::Syntax),
        }
    }

    fn check_public_id(&mut self, raw: &[u8]) -> Result<(), Code> {
        match unquoted(raw).iter().position(|byte| !is_public_id(*byte)) {
            Some(at) => {
                let place = self.buffer.event + 1 + at;
                self.event_at(place);
                Err(Code::PublicId)
            }
            None => Ok(()),
        }
    }

    fn entity_role(&mut self, token: Token, raw: &[u8], end: usize, handlers: Handlers) -> Result<Turn, Code> {
        use Expect::*;
        match (self.doctype.expect, token) {
            (EntityStart, Token::Percent) => Ok(self.go_on(ParameterName, raw, end, handlers)),
            (EntityStart | ParameterName, Token::Name) => {
                let parameter = self.doctype.expect == ParameterName;
                let name = string(raw);
                let dtd = lock(&self.dtd);
                let known = if parameter { &dtd.parameter } else { &dtd.general };
                let predefined = !parameter && super::content::predefined(raw).is_some();
                self.doctype.ignored = !dtd.keep_processing || predefined || known.contains_key(&name);
                drop(dtd);
                self.doctype.name = name;
                self.doctype.parameter = parameter;
                (self.doctype.system, self.doctype.public) = (None, None);
                Ok(self.go_on(EntityValue, raw, end, handlers))
            }
            (EntityValue, Token::Name) if raw == b"SYSTEM" => Ok(self.go_on(EntitySystem, raw, end, handlers)),
            (EntityValue, Token::Name) if raw == b"PUBLIC" => Ok(self.go_on(EntityPublic, raw, end, handlers)),
            (EntityValue, Token::Literal) => self.entity_value(raw, end, handlers),
            (EntityPublic, Token::Literal) => {
                self.check_public_id(raw)?;
                self.doctype.public = Some(public_id(raw));
                Ok(self.go_on(EntitySystem, raw, end, handlers))
            }
            (EntitySystem, Token::Literal) => {
                self.doctype.system = Some(string(unquoted(raw)));
                Ok(self.go_on(EntityNotation, raw, end, handlers))
            }
            (EntityNotation, Token::DeclClose) => {
                let turn = if self.doctype.ignored {
                    self.go_on(Declarations, raw, end, handlers)
                } else {
                    self.declare_entity(None, None);
                    let event = self.entity_event(None, None);
                    self.report(Declarations, raw, end, handlers, event)
                };
                self.doctype.declaration = None;
                Ok(turn)
            }
            (EntityNotation, Token::Name) if raw == b"NDATA" && !self.doctype.parameter => {
                Ok(self.go_on(EntityNotationName, raw, end, handlers))
            }
            (EntityNotationName, Token::Name) => {
                if self.doctype.ignored {
                    return Ok(self.go_on(Close, raw, end, handlers));
                }
                let notation = Some(string(raw));
                self.declare_entity(None, notation.clone());
                if handlers.has(Kind::UnparsedEntityDecl) {
                    let event = Event::from(Declaration::UnparsedEntityDecl {
                        name: self.doctype.name.clone(),
                        base: self.base.clone(),
                        system: self.doctype.system.clone(),
                        public: self.doctype.public.clone(),
                        notation,
                    });
                    return Ok(self.report(Close, raw, end, handlers, event));
                }
                let event = self.entity_event(None, notation);
                Ok(self.report(Close, raw, end, handlers, event))
            }
            _ => Err(Code::Syntax),
        }
    }

    fn entity_event(&self, value: Text, notation: Text) -> Event {
        Event::from(Declaration::EntityDecl {
            name: self.doctype.name.clone(),
            parameter: self.doctype.parameter,
            value,
            base: self.base.clone(),
            system: self.doctype.system.clone(),
            public: self.doctype.public.clone(),
            notation,
        })
    }

    fn declare_entity(&mut self, text: Option<Arc<[u8]>>, notation: Text) {
        let size = ENTITY_SIZE + text.as_ref().map_or(0, |text| text.len() as u64) + self.doctype.name.len() as u64;
        let entity = Entity {
            text,
            base: self.base.clone(),
            system: self.doctype.system.clone(),
            public: self.doctype.public.clone(),
            notation,
            open: false,
            in_document: self.is_root && self.expansions.is_empty(),
        };
        let mut dtd = lock(&self.dtd);
        let entities = if self.doctype.parameter { &mut dtd.parameter } else { &mut dtd.general };
        entities.insert(self.doctype.name.clone(), entity);
        drop(dtd);
        self.accounting.allocated.add(size);
    }

    fn entity_value(&mut self, raw: &[u8], end: usize, handlers: Handlers) -> Result<Turn, Code> {
        let literal = unquoted(raw).to_vec();
        let mut value = Vec::new();
        let outcome = self.append_entity_value(&mut value, &literal, 0);
        if self.doctype.ignored {
            outcome?;
            return Ok(self.go_on(Expect::Close, raw, end, handlers));
        }
        let text = string(&value);
        self.declare_entity(Some(value.into()), None);
        let event = self.entity_event(Some(text), None);
        let turn = self.report(Expect::Close, raw, end, handlers, event);
        if let Err(code) = outcome {
            self.pending_error = Some(code);
        }
        Ok(turn)
    }

    /// The replacement text of a literal: references by number and parameter entities are expanded.
    fn append_entity_value(&mut self, value: &mut Vec<u8>, text: &[u8], depth: usize) -> Result<(), Code> {
        let mut at = 0;
        while at < text.len() {
            match char_at(text, at) {
                Char::Of('\r', _) => {
                    value.push(b'\n');
                    at += if text.get(at + 1) == Some(&b'\n') { 2 } else { 1 };
                }
                Char::Of('&', _) => {
                    let (token, end) = tokens::reference(text, at, self.namespaces.is_some());
                    match token {
                        tokens::Token::CharRef => {
                            let Some(c) = char_ref(&text[at..end]) else {
                                self.blame_literal(at, depth);
                                return Err(Code::BadCharRef);
                            };
                            value.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
                        }
                        tokens::Token::EntityRef => value.extend_from_slice(&text[at..end]),
                        _ => {
                            self.blame_literal(end, depth);
                            return Err(Code::InvalidToken);
                        }
                    }
                    at = end;
                }
                Char::Of('%', _) => {
                    let Ok(end) = tokens::name(text, at + 1, false) else { return Err(Code::InvalidToken) };
                    if text[end] != b';' {
                        return Err(Code::InvalidToken);
                    }
                    if !self.doctype.external && self.expansions.is_empty() {
                        self.blame_literal(at, depth);
                        return Err(Code::ParamEntityRef);
                    }
                    self.append_parameter(value, &string(&text[at + 1..end]), depth)?;
                    at = end + 1;
                }
                Char::Of(_, length) => {
                    value.extend_from_slice(&text[at..at + length]);
                    at += length;
                }
                _ => return Err(Code::InvalidToken),
            }
        }
        Ok(())
    }

    /// Puts the current event at a place within the literal being read.
    fn blame_literal(&mut self, at: usize, depth: usize) {
        if depth == 0 {
            let place = self.buffer.event + 1 + at;
            self.event_at(place);
        }
    }

    fn append_parameter(&mut self, value: &mut Vec<u8>, name: &str, depth: usize) -> Result<(), Code> {
        let mut dtd = lock(&self.dtd);
        let standalone = dtd.standalone;
        let Some(entity) = dtd.parameter.get_mut(name) else {
            dtd.keep_processing = standalone;
            return Ok(());
        };
        if entity.open || depth > 100 {
            return Err(Code::RecursiveEntityRef);
        }
        let Some(text) = entity.text.clone() else {
            dtd.keep_processing = standalone;
            return Ok(());
        };
        entity.open = true;
        drop(dtd);
        self.accounting.indirect.add(text.len() as u64);
        let outcome = match self.accounting.expands_too_much() {
            true => Err(Code::AmplificationLimitBreach),
            false => self.append_entity_value(value, &text, depth + 1),
        };
        if let Some(entity) = lock(&self.dtd).parameter.get_mut(name) {
            entity.open = false;
        }
        outcome
    }

    fn notation_role(&mut self, token: Token, raw: &[u8], end: usize, handlers: Handlers) -> Result<Turn, Code> {
        use Expect::*;
        match (self.doctype.expect, token) {
            (NotationName, Token::Name) => {
                self.doctype.name = string(raw);
                (self.doctype.system, self.doctype.public) = (None, None);
                Ok(self.go_on(NotationId, raw, end, handlers))
            }
            (NotationId, Token::Name) if raw == b"SYSTEM" => Ok(self.go_on(NotationSystem, raw, end, handlers)),
            (NotationId, Token::Name) if raw == b"PUBLIC" => Ok(self.go_on(NotationPublic, raw, end, handlers)),
            (NotationPublic, Token::Literal) => {
                self.check_public_id(raw)?;
                self.doctype.public = Some(public_id(raw));
                Ok(self.go_on(NotationOptionalSystem, raw, end, handlers))
            }
            (NotationSystem | NotationOptionalSystem, Token::Literal) => {
                self.doctype.system = Some(string(unquoted(raw)));
                let event = self.notation_event();
                Ok(self.report(Close, raw, end, handlers, event))
            }
            (NotationOptionalSystem, Token::DeclClose) => {
                let event = self.notation_event();
                let turn = self.report(Declarations, raw, end, handlers, event);
                self.doctype.declaration = None;
                Ok(turn)
            }
            _ => Err(Code::Syntax),
        }
    }

    fn notation_event(&self) -> Event {
        Event::from(Declaration::NotationDecl {
            name: self.doctype.name.clone(),
            base: self.base.clone(),
            system: self.doctype.system.clone(),
            public: self.doctype.public.clone(),
        })
    }

    fn attlist_role(&mut self, token: Token, raw: &[u8], end: usize, handlers: Handlers) -> Result<Turn, Code> {
        use Expect::*;
        const TYPES: [&[u8]; 8] =
            [b"CDATA", b"ID", b"IDREF", b"IDREFS", b"ENTITY", b"ENTITIES", b"NMTOKEN", b"NMTOKENS"];
        match (self.doctype.expect, token) {
            (AttlistElement, Token::Name) => {
                self.doctype.name = string(raw);
                Ok(self.go_on(AttlistName, raw, end, handlers))
            }
            (AttlistName, Token::DeclClose) => {
                let turn = self.go_on(Declarations, raw, end, handlers);
                self.doctype.declaration = None;
                Ok(turn)
            }
            (AttlistName, Token::Name) => {
                self.doctype.attribute = string(raw);
                Ok(self.go_on(AttlistType, raw, end, handlers))
            }
            (AttlistType, Token::Name) if TYPES.contains(&raw) => {
                self.doctype.ty = string(raw);
                Ok(self.go_on(AttlistDefault, raw, end, handlers))
            }
            (AttlistType, Token::Name) if raw == b"NOTATION" => {
                self.doctype.ty = "NOTATION".to_string();
                Ok(self.go_on(AttlistNotationOpen, raw, end, handlers))
            }
            (AttlistType, Token::OpenParen) => {
                self.doctype.ty = "(".to_string();
                Ok(self.go_on(AttlistValue, raw, end, handlers))
            }
            (AttlistNotationOpen, Token::OpenParen) => {
                self.doctype.ty.push('(');
                Ok(self.go_on(AttlistValue, raw, end, handlers))
            }
            (AttlistValue, Token::Name | Token::Nmtoken) => {
                if token == Token::Nmtoken && self.doctype.ty.starts_with('N') {
                    return Err(Code::Syntax);
                }
                self.doctype.ty.push_str(&string(raw));
                Ok(self.go_on(AttlistValueEnd, raw, end, handlers))
            }
            (AttlistValueEnd, Token::Or) => {
                self.doctype.ty.push('|');
                Ok(self.go_on(AttlistValue, raw, end, handlers))
            }
            (AttlistValueEnd, Token::CloseParen) => {
                self.doctype.ty.push(')');
                Ok(self.go_on(AttlistDefault, raw, end, handlers))
            }
            (AttlistDefault, Token::PoundName) if raw == b"#FIXED" => Ok(self.go_on(AttlistFixed, raw, end, handlers)),
            (AttlistDefault, Token::PoundName) if raw == b"#IMPLIED" || raw == b"#REQUIRED" => {
                Ok(self.attribute_declared(None, raw == b"#REQUIRED", raw, end, handlers))
            }
            (AttlistDefault | AttlistFixed, Token::Literal) => {
                let fixed = self.doctype.expect == AttlistFixed;
                let is_cdata = self.doctype.ty == "CDATA";
                let literal = unquoted(raw).to_vec();
                let value = self.attribute_value(&literal, 0, literal.len(), is_cdata, false)?;
                Ok(self.attribute_declared(Some(value), fixed, raw, end, handlers))
            }
            _ => Err(Code::Syntax),
        }
    }

    fn attribute_declared(
        &mut self,
        default: Text,
        required: bool,
        raw: &[u8],
        end: usize,
        handlers: Handlers,
    ) -> Turn {
        let (element, attribute) = (self.doctype.name.clone(), self.doctype.attribute.clone());
        let ty = self.doctype.ty.clone();
        let mut dtd = lock(&self.dtd);
        if !dtd.keep_processing {
            drop(dtd);
            return self.go_on(Expect::AttlistName, raw, end, handlers);
        }
        self.declares_attributes.store(true, Relaxed);
        let declared = dtd.attributes.entry(element.clone()).or_default();
        if !declared.iter().any(|known| known.name == attribute) {
            let is_cdata = ty == "CDATA";
            declared.push(Attribute { name: attribute.clone(), is_cdata, default: default.clone() });
        }
        drop(dtd);
        let event = Event::from(Declaration::AttlistDecl { element, attribute, ty, default, required });
        self.report(Expect::AttlistName, raw, end, handlers, event)
    }

    fn element_role(&mut self, token: Token, raw: &[u8], end: usize, handlers: Handlers) -> Result<Turn, Code> {
        use Expect::*;
        const EMPTY: u8 = 1;
        const ANY: u8 = 2;
        const MIXED: u8 = 3;
        const NAME: u8 = 4;
        const CHOICE: u8 = 5;
        const SEQUENCE: u8 = 6;
        let model = |kind: u8, quantifier: u8| Model { kind, quantifier, name: None, children: Vec::new() };
        let quantifier = match token {
            Token::NameQuestion | Token::CloseParenQuestion => 1,
            Token::NameAsterisk | Token::CloseParenAsterisk => 2,
            Token::NamePlus | Token::CloseParenPlus => 3,
            _ => 0,
        };
        match (self.doctype.expect, token) {
            (ElementName, Token::Name) => {
                self.doctype.name = string(raw);
                self.doctype.groups.clear();
                Ok(self.go_on(ElementModel, raw, end, handlers))
            }
            (ElementModel, Token::Name) if raw == b"EMPTY" || raw == b"ANY" => {
                let model = model(if raw == b"EMPTY" { EMPTY } else { ANY }, 0);
                Ok(self.element_declared(model, raw, end, handlers))
            }
            (ElementModel | ElementFirst | ElementItem, Token::OpenParen) => {
                let next = if self.doctype.expect == ElementModel { ElementFirst } else { ElementItem };
                self.doctype.groups.push((model(SEQUENCE, 0), None));
                Ok(self.go_on(next, raw, end, handlers))
            }
            (ElementFirst, Token::PoundName) if raw == b"#PCDATA" => {
                if let Some((group, _)) = self.doctype.groups.last_mut() {
                    group.kind = MIXED;
                }
                Ok(self.go_on(ElementMixed, raw, end, handlers))
            }
            (ElementMixed | ElementMixedNext, Token::Or) => Ok(self.go_on(ElementMixedName, raw, end, handlers)),
            (ElementMixedName, Token::Name) => {
                self.add_to_group(Model { kind: NAME, quantifier: 0, name: Some(string(raw)), children: Vec::new() });
                Ok(self.go_on(ElementMixedNext, raw, end, handlers))
            }
            (ElementMixed, Token::CloseParen | Token::CloseParenAsterisk)
            | (ElementMixedNext, Token::CloseParenAsterisk) => {
                let Some((mut group, _)) = self.doctype.groups.pop() else { return Err(Code::Syntax) };
                group.quantifier = quantifier;
                Ok(self.element_declared(group, raw, end, handlers))
            }
            (ElementFirst | ElementItem, Token::Name | Token::NameQuestion | Token::NameAsterisk | Token::NamePlus) => {
                let name = if quantifier == 0 { raw } else { &raw[..raw.len() - 1] };
                let name = Some(string(name));
                self.add_to_group(Model { kind: NAME, quantifier, name, children: Vec::new() });
                Ok(self.go_on(ElementNext, raw, end, handlers))
            }
            (ElementNext, Token::Comma | Token::Or) => {
                let Some((group, connector)) = self.doctype.groups.last_mut() else { return Err(Code::Syntax) };
                if connector.is_some_and(|connector| connector != token) {
                    return Err(Code::Syntax);
                }
                *connector = Some(token);
                group.kind = if token == Token::Or { CHOICE } else { SEQUENCE };
                Ok(self.go_on(ElementItem, raw, end, handlers))
            }
            (
                ElementNext,
                Token::CloseParen | Token::CloseParenQuestion | Token::CloseParenAsterisk | Token::CloseParenPlus,
            ) => {
                let Some((mut group, _)) = self.doctype.groups.pop() else { return Err(Code::Syntax) };
                group.quantifier = quantifier;
                if self.doctype.groups.is_empty() {
                    return Ok(self.element_declared(group, raw, end, handlers));
                }
                self.add_to_group(group);
                Ok(self.go_on(ElementNext, raw, end, handlers))
            }
            _ => Err(Code::Syntax),
        }
    }

    fn add_to_group(&mut self, model: Model) {
        if let Some((group, _)) = self.doctype.groups.last_mut() {
            group.children.push(model);
        }
    }

    fn element_declared(&mut self, model: Model, raw: &[u8], end: usize, handlers: Handlers) -> Turn {
        let event = Event::from(Declaration::ElementDecl { name: self.doctype.name.clone(), model });
        self.report(Expect::Close, raw, end, handlers, event)
    }

    /// `<?xml … ?>` at the beginning of a document or of an external entity.
    pub(super) fn xml_declaration(
        &mut self,
        raw: &[u8],
        end: usize,
        is_text_declaration: bool,
        handlers: Handlers,
    ) -> Result<Turn, Code> {
        let start = self.buffer.event;
        self.doctype.begun = true;
        let declaration = match parse_declaration(raw, is_text_declaration) {
            Ok(declaration) => declaration,
            Err(at) => {
                self.event_at(start + at);
                return Err(if is_text_declaration { Code::TextDecl } else { Code::XmlDecl });
            }
        };
        if declaration.standalone == 1 && !is_text_declaration {
            lock(&self.dtd).standalone = true;
            if self.param_entity_parsing == 1 {
                self.param_entity_parsing = 0;
            }
        }
        if let Some((name, at)) = &declaration.encoding
            && !self.buffer.overridden
        {
            match Encoding::by_name(name) {
                Some(encoding) if encoding.is_utf16() != self.buffer.is_utf16() => {
                    self.event_at(start + at);
                    return Err(Code::IncorrectEncoding);
                }
                Some(encoding) => self.doctype.new_encoding = Some(encoding),
                None => self.doctype.unknown_encoding = Some(name.clone()),
            }
        }
        self.consume(end);
        if handlers.has(Kind::XmlDecl) {
            return Ok(Turn::Event(Event::from(Declaration::XmlDecl {
                version: declaration.version,
                encoding: declaration.encoding.map(|(name, _)| name),
                standalone: declaration.standalone,
            })));
        }
        Ok(self.default_event(handlers, raw))
    }
}

struct XmlDeclaration {
    version: Text,
    /// With its place.
    encoding: Option<(String, usize)>,
    standalone: i32,
}

/// The parts of an XML or text declaration, or the offending place.
fn parse_declaration(raw: &[u8], is_text_declaration: bool) -> Result<XmlDeclaration, usize> {
    let end = raw.len() - 2;
    let mut at = 5;
    let mut declaration = XmlDeclaration { version: None, encoding: None, standalone: -1 };
    let mut part = pseudo_attribute(raw, &mut at, end)?;
    let Some((mut name, mut from, mut to)) = part.take() else { return Err(at) };
    if &raw[name.clone()] == b"version" {
        let version = string(&raw[from..to]);
        let digits = version.strip_prefix("1.");
        if digits.is_none_or(|digits| digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit())) {
            return Err(from);
        }
        declaration.version = Some(version);
        match pseudo_attribute(raw, &mut at, end)? {
            Some(next) => (name, from, to) = next,
            None if is_text_declaration => return Err(at),
            None => return Ok(declaration),
        }
    } else if !is_text_declaration {
        return Err(name.start);
    }
    if &raw[name.clone()] == b"encoding" {
        if !raw[from].is_ascii_alphabetic() {
            return Err(from);
        }
        declaration.encoding = Some((string(&raw[from..to]), from));
        match pseudo_attribute(raw, &mut at, end)? {
            Some(next) => (name, from, to) = next,
            None => return Ok(declaration),
        }
    }
    if &raw[name.clone()] != b"standalone" || is_text_declaration {
        return Err(name.start);
    }
    declaration.standalone = match &raw[from..to] {
        b"yes" => 1,
        b"no" => 0,
        _ => return Err(from),
    };
    while at < end && is_space(raw[at]) {
        at += 1;
    }
    if at == end { Ok(declaration) } else { Err(at) }
}

type PseudoAttribute = (std::ops::Range<usize>, usize, usize);

/// A name, and where its value is; `None` at the end.
fn pseudo_attribute(raw: &[u8], at: &mut usize, end: usize) -> Result<Option<PseudoAttribute>, usize> {
    if *at == end {
        return Ok(None);
    }
    if !is_space(raw[*at]) {
        return Err(*at);
    }
    let skip = |at: &mut usize| {
        while *at < end && is_space(raw[*at]) {
            *at += 1;
        }
    };
    skip(at);
    if *at == end {
        return Ok(None);
    }
    let name_start = *at;
    while *at < end && raw[*at] != b'=' && !is_space(raw[*at]) {
        if !raw[*at].is_ascii() {
            return Err(*at);
        }
        *at += 1;
    }
    let name = name_start..*at;
    skip(at);
    if *at == end || raw[*at] != b'=' || name.is_empty() {
        return Err(*at);
    }
    *at += 1;
    skip(at);
    let quote = match raw.get(*at) {
        Some(quote @ (b'"' | b'\'')) if *at < end => *quote,
        _ => return Err(*at),
    };
    *at += 1;
    let from = *at;
    while *at < end && raw[*at] != quote {
        if !raw[*at].is_ascii_alphanumeric() && !b".-_".contains(&raw[*at]) {
            return Err(*at);
        }
        *at += 1;
    }
    if *at == end {
        return Err(*at);
    }
    let to = *at;
    *at += 1;
    Ok(Some((name, from, to)))
}
