//! Elements, text and references.

use super::chars::is_allowed;
use super::event::{Data, Declaration, Event, Handlers, Kind};
use super::names::Name;
use super::tokens::{self, Token};
use super::{Code, Engine, Phase, Tag, Turn, lock, string};

/// The character that `&#…;` means.
pub fn char_ref(token: &[u8]) -> Option<char> {
    let digits = &token[2..token.len() - 1];
    let (digits, radix) = match digits.strip_prefix(b"x") {
        Some(digits) => (digits, 16),
        None => (digits, 10),
    };
    is_allowed(u32::from_str_radix(std::str::from_utf8(digits).ok()?, radix).ok()?)
}

/// The character of a reference that needs no declaration.
pub fn predefined(name: &[u8]) -> Option<char> {
    Some(match name {
        b"amp" => '&',
        b"lt" => '<',
        b"gt" => '>',
        b"quot" => '"',
        b"apos" => '\'',
        _ => return None,
    })
}

impl Engine {
    /// A character for whoever listens, which stands for `raw`.
    fn char_event(&self, handlers: Handlers, c: char, raw: &[u8]) -> Turn {
        match handlers.has(Kind::CharacterData) {
            true => Turn::Event(Event::CharacterData(Data::Char(c))),
            false => self.default_event(handlers, raw),
        }
    }

    /// Text for whoever listens: what `raw`, which stands at `from`, says.
    fn text_event(&self, handlers: Handlers, from: usize, raw: &[u8]) -> Turn {
        match handlers.has(Kind::CharacterData) {
            true => Turn::Event(Event::CharacterData(match self.expansions.is_empty() {
                true => Data::Span { from, to: from + raw.len() },
                false => Data::Owned(string(raw)),
            })),
            false => self.default_event(handlers, raw),
        }
    }

    /// What happens where the text ends.
    fn end_of_content(&mut self, at: usize) -> Result<Turn, Code> {
        if let Some(expansion) = self.expansions.last() {
            if self.tags.len() != expansion.depth {
                return Err(Code::AsyncEntity);
            }
            self.end_expansion();
            return Ok(Turn::Again);
        }
        if self.have_more() {
            return Ok(Turn::Wait);
        }
        self.event_at(at);
        if self.is_general_entity {
            if self.tags.len() != self.base_depth {
                return Err(Code::AsyncEntity);
            }
            self.finished = true;
            return Ok(Turn::Wait);
        }
        Err(Code::NoElements)
    }

    /// A token that is not complete.
    fn incomplete(&mut self, token: Token, at: usize) -> Result<Turn, Code> {
        if self.have_more() {
            return Ok(Turn::Wait);
        }
        self.event_at(at);
        Err(if token == Token::PartialChar { Code::PartialChar } else { Code::UnclosedToken })
    }

    pub(super) fn content(&mut self, text: &[u8], at: usize, handlers: Handlers) -> Result<Turn, Code> {
        if self.finished {
            return Ok(Turn::Wait);
        }
        let (token, end) = tokens::content(text, at, self.namespaces.is_some());
        let raw = &text[at..end.max(at)];
        match token {
            Token::None => {
                if self.have_more() || !self.buffer.has_tail() || !self.expansions.is_empty() {
                    return self.end_of_content(at);
                }
                self.incomplete(Token::PartialChar, at)
            }
            Token::Partial | Token::PartialChar => self.incomplete(token, at),
            Token::Invalid => {
                self.event_at(end);
                Err(Code::InvalidToken)
            }
            Token::TrailingCr | Token::TrailingBracket if self.have_more() => Ok(Turn::Wait),
            Token::TrailingCr | Token::Newline => {
                self.consume(end);
                Ok(self.char_event(handlers, '\n', raw))
            }
            Token::Data | Token::TrailingBracket => {
                self.consume(end);
                Ok(self.text_event(handlers, at, raw))
            }
            Token::CharRef => {
                let Some(c) = char_ref(raw) else { return Err(Code::BadCharRef) };
                self.consume(end);
                Ok(self.char_event(handlers, c, raw))
            }
            Token::EntityRef => {
                let name = &text[at + 1..end - 1];
                if let Some(c) = predefined(name) {
                    self.consume(end);
                    return Ok(self.char_event(handlers, c, raw));
                }
                self.entity_reference(&string(name), raw, end, handlers)
            }
            Token::StartTag | Token::EmptyElement => {
                self.start_tag(text, at, end, token == Token::EmptyElement, handlers)
            }
            Token::EndTag => self.end_tag(text, at, end, handlers),
            Token::CdataOpen => {
                self.consume(end);
                self.phase = Phase::Cdata;
                Ok(match handlers.has(Kind::StartCdata) {
                    true => Turn::Event(Event::StartCdata),
                    false => self.default_event(handlers, raw),
                })
            }
            Token::Comment => {
                self.consume(end);
                Ok(self.comment_event(handlers, raw))
            }
            Token::Pi => {
                self.consume(end);
                Ok(self.pi_event(handlers, raw))
            }
            Token::XmlDecl => {
                // An external entity may begin with a text declaration.
                if self.is_general_entity && at == 0 && self.expansions.is_empty() && self.buffer.position().byte < 4 {
                    return self.xml_declaration(raw, end, true, handlers);
                }
                Err(Code::MisplacedXmlPi)
            }
            Token::CdataClose => Err(Code::InvalidToken),
        }
    }

    pub(super) fn cdata(&mut self, text: &[u8], at: usize, handlers: Handlers) -> Result<Turn, Code> {
        let (token, end) = tokens::cdata(text, at);
        let raw = &text[at..end.max(at)];
        match token {
            Token::CdataClose => {
                self.consume(end);
                self.phase = Phase::Content;
                Ok(match handlers.has(Kind::EndCdata) {
                    true => Turn::Event(Event::EndCdata),
                    false => self.default_event(handlers, raw),
                })
            }
            Token::Newline => {
                self.consume(end);
                Ok(self.char_event(handlers, '\n', raw))
            }
            Token::Data => {
                self.consume(end);
                Ok(self.text_event(handlers, at, raw))
            }
            Token::Invalid => {
                self.event_at(end);
                Err(Code::InvalidToken)
            }
            _ if self.have_more() => Ok(Turn::Wait),
            Token::PartialChar => Err(Code::PartialChar),
            _ => {
                self.event_at(at);
                Err(Code::UnclosedCdataSection)
            }
        }
    }

    pub(super) fn comment_event(&self, handlers: Handlers, raw: &[u8]) -> Turn {
        match handlers.has(Kind::Comment) {
            true => Turn::Event(Event::Comment(normalized(&raw[4..raw.len() - 3]))),
            false => self.default_event(handlers, raw),
        }
    }

    pub(super) fn pi_event(&self, handlers: Handlers, raw: &[u8]) -> Turn {
        if !handlers.has(Kind::Pi) {
            return self.default_event(handlers, raw);
        }
        let inner = &raw[2..raw.len() - 2];
        let end = inner.iter().position(|byte| super::chars::is_space(*byte)).unwrap_or(inner.len());
        let (target, data) = inner.split_at(end);
        let skip = data.iter().position(|byte| !super::chars::is_space(*byte)).unwrap_or(data.len());
        Turn::Event(Event::Pi { target: string(target), data: normalized(&data[skip..]) })
    }

    fn entity_reference(&mut self, name: &str, raw: &[u8], end: usize, handlers: Handlers) -> Result<Turn, Code> {
        let mut dtd = lock(&self.dtd);
        let declared_here = !dtd.has_param_entity_refs || dtd.standalone;
        let Some(entity) = dtd.general.get_mut(name) else {
            drop(dtd);
            if declared_here {
                return Err(Code::UndefinedEntity);
            }
            self.consume(end);
            return Ok(self.skipped(name, raw, handlers));
        };
        if declared_here && !entity.in_document {
            return Err(Code::EntityDeclaredInPe);
        }
        if entity.open {
            return Err(Code::RecursiveEntityRef);
        }
        if entity.notation.is_some() {
            return Err(Code::BinaryEntityRef);
        }
        if let Some(replacement) = entity.text.clone() {
            if !handlers.expand && handlers.has(Kind::Default) {
                drop(dtd);
                self.consume(end);
                return Ok(self.skipped(name, raw, handlers));
            }
            entity.open = true;
            drop(dtd);
            self.consume(end);
            self.expand(name, replacement, false);
            return Ok(Turn::Again);
        }
        if !handlers.has(Kind::ExternalEntityRef) {
            drop(dtd);
            self.consume(end);
            return Ok(self.default_event(handlers, raw));
        }
        let (base, system, public) = (entity.base.clone(), entity.system.clone(), entity.public.clone());
        entity.open = true;
        drop(dtd);
        let context = Some(self.context());
        if let Some(entity) = lock(&self.dtd).general.get_mut(name) {
            entity.open = false;
        }
        self.consume(end);
        Ok(Turn::Event(Event::from(Declaration::ExternalEntityRef { context, base, system, public })))
    }

    /// An entity that is not expanded.
    fn skipped(&self, name: &str, raw: &[u8], handlers: Handlers) -> Turn {
        match handlers.has(Kind::SkippedEntity) {
            true => Turn::Event(Event::SkippedEntity { name: name.to_string(), parameter: false }),
            false => self.default_event(handlers, raw),
        }
    }

    fn start_tag(&mut self, text: &[u8], at: usize, end: usize, empty: bool, handlers: Handlers) -> Result<Turn, Code> {
        let bindings = self.bindings.len();
        let outcome = self.element(text, at, end, handlers);
        let place = self.buffer.event;
        let (raw_name, expanded, attributes, specified) = match outcome {
            Ok(element) => element,
            Err(code) => {
                if empty {
                    self.unbind(bindings, place, handlers);
                }
                // What was bound before the error is reported before it.
                if self.queue.is_empty() {
                    return Err(code);
                }
                self.pending_error = Some(code);
                return Ok(Turn::Again);
            }
        };
        let raw = &text[at..end];
        let mut reported = false;
        if handlers.has(Kind::StartElement) {
            reported = true;
            let event = Event::StartElement { name: expanded, attributes, specified };
            if !empty && self.queue.is_empty() {
                self.consume(end);
                self.open_tag(raw_name, expanded, bindings);
                return Ok(Turn::Event(event));
            }
            self.queue.push_back((place, event));
        }
        self.consume(end);
        if empty {
            // Expat's position moves on only for the second of the two events.
            let moves = reported && handlers.has(Kind::EndElement) && self.expansions.is_empty();
            let after = if moves { end } else { place };
            if handlers.has(Kind::EndElement) {
                reported = true;
                self.queue.push_back((after, Event::EndElement { name: expanded }));
            }
            if !reported && handlers.has(Kind::Default) {
                self.queue.push_back((place, Event::Default(string(raw))));
            }
            self.unbind(bindings, after, handlers);
            self.after_element();
        } else {
            if !reported && handlers.has(Kind::Default) {
                self.queue.push_back((place, Event::Default(string(raw))));
            }
            self.open_tag(raw_name, expanded, bindings);
        }
        Ok(Turn::Again)
    }

    fn open_tag(&mut self, name: Name, expanded: Name, bindings: usize) {
        self.accounting.allocated.add(64);
        self.tags.push(Tag { name, expanded, bindings });
    }

    fn end_tag(&mut self, text: &[u8], at: usize, end: usize, handlers: Handlers) -> Result<Turn, Code> {
        let floor = self.expansions.last().map_or(self.base_depth, |expansion| expansion.depth);
        if self.tags.len() == floor {
            return Err(Code::AsyncEntity);
        }
        let name_length = text[at + 2..end].iter().position(|byte| super::chars::is_space(*byte) || *byte == b'>');
        let name = &text[at + 2..at + 2 + name_length.unwrap_or(0)];
        if self.tags.last().is_none_or(|tag| self.names.text(tag.name).as_bytes() != name) {
            self.event_at(at + 2);
            return Err(Code::TagMismatch);
        }
        let tag = self.tags.pop().expect("just seen");
        self.consume(end);
        self.accounting.allocated.take(64);
        let place = self.buffer.event;
        // The queue is empty: what ends with the element comes behind its own event.
        let turn = match handlers.has(Kind::EndElement) {
            true => Turn::Event(Event::EndElement { name: tag.expanded }),
            false => self.default_event(handlers, &text[at..end]),
        };
        self.unbind(tag.bindings, place, handlers);
        self.after_element();
        Ok(turn)
    }

    /// Behind the root element the epilog begins.
    fn after_element(&mut self) {
        if self.tags.is_empty() && !self.is_general_entity && self.expansions.is_empty() {
            self.phase = Phase::Epilog;
        }
    }
}

/// Text with its line ends normalised.
pub fn normalized(text: &[u8]) -> String {
    let text = string(text);
    if text.contains('\r') { text.replace("\r\n", "\n").replace('\r', "\n") } else { text }
}
