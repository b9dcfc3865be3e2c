//! A non-validating XML parser that is pulled: it is fed pieces of a document and asked for one event after the other.
//!
//! Counterpart of the Expat library, whose order of events, positions and errors it keeps: text comes in pieces that end
//! at line ends and references, a token that is not complete yet waits for more input, and once a large token had to
//! wait, it is not tried again before the input has doubled. Between two events the caller may do as it likes, also
//! change what it listens to; nothing is reported that nobody listens to. `tokens.rs` and `prolog_tokens.rs` scan,
//! `content.rs` has elements and text, `doctype.rs` the prolog and declarations, `attributes.rs` attributes and
//! namespaces, `input.rs` encodings and positions.

mod attributes;
mod chars;
mod content;
mod doctype;
mod dtd;
pub mod error;
pub mod event;
mod input;
mod names;
mod prolog_tokens;
mod tokens;

use std::collections::VecDeque;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

pub use dtd::Accounting;
use dtd::Dtd;
pub use error::Code;
pub use event::{Data, Declaration, Event, Handlers, Kind};
use input::Buffer;
pub use input::{Encoding, Position};
pub use names::Name;
use names::Names;

/// What comes next.
pub enum Step {
    Event(Event),
    /// The document names an encoding that only the caller may know: see [`Engine::use_encoding`].
    UnknownEncoding(String),
    /// All input is used up.
    Wait,
}

/// What a turn of the parser's loop came to.
enum Turn {
    Event(Event),
    Again,
    Wait,
}

/// Which part of a document is being parsed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Phase {
    Prolog,
    Content,
    Cdata,
    Epilog,
}

/// An internal entity being expanded.
struct Expansion {
    name: String,
    text: Arc<[u8]>,
    at: usize,
    /// Open elements where it began.
    depth: usize,
    /// A parameter entity, expanded between declarations.
    parameter: bool,
}

/// An open element.
struct Tag {
    /// As written.
    name: Name,
    /// With its namespace.
    expanded: Name,
    /// Namespace bindings in force outside.
    bindings: usize,
}

/// A prefix (none for the default namespace) bound to a namespace (none if undeclared).
struct Binding {
    prefix: Option<String>,
    uri: Option<String>,
}

/// A reply that the parser waits for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Question {
    NotStandalone,
    ExternalEntity,
}

pub struct Engine {
    buffer: Buffer,
    phase: Phase,
    error: Option<Code>,
    started: bool,
    finished: bool,
    /// Events made at once, with the place in the buffer that each belongs to.
    queue: VecDeque<(usize, Event)>,
    /// An error to raise once the queue is empty.
    pending_error: Option<Code>,
    question: Option<Question>,
    expansions: Vec<Expansion>,
    tags: Vec<Tag>,
    /// The names of elements and attributes so far.
    names: Names,
    /// Open elements of the document, or of the external entity, at its beginning.
    base_depth: usize,
    bindings: Vec<Binding>,
    /// Namespaces are processed, and joined to names with this character, if any.
    namespaces: Option<Option<char>>,
    pub namespace_prefixes: bool,
    dtd: Arc<Mutex<Dtd>>,
    /// Whether the document type declares attributes of any element.
    declares_attributes: Arc<AtomicBool>,
    accounting: Arc<Accounting>,
    is_root: bool,
    /// An external parameter entity (the external subset too).
    is_parameter_entity: bool,
    /// An external general entity.
    is_general_entity: bool,
    pub base: Option<String>,
    pub param_entity_parsing: u8,
    pub use_foreign_dtd: bool,
    doctype: doctype::State,
    pub defer_reparse: bool,
    /// What of the input was there when a token was found incomplete; 0 if the last attempt got on.
    partial_before: usize,
    /// Where the token search of this piece of input began.
    began_at: usize,
    deferred: bool,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Engine {
    pub fn new(encoding: Option<Encoding>, namespaces: Option<Option<char>>) -> Engine {
        let dtd = Dtd { keep_processing: true, ..Dtd::default() };
        Engine {
            buffer: Buffer::new(encoding),
            phase: Phase::Prolog,
            error: None,
            started: false,
            finished: false,
            queue: VecDeque::new(),
            pending_error: None,
            question: None,
            expansions: Vec::new(),
            tags: Vec::new(),
            names: Names::new(),
            base_depth: 0,
            bindings: Vec::new(),
            namespaces,
            namespace_prefixes: false,
            dtd: Arc::new(Mutex::new(dtd)),
            declares_attributes: Arc::default(),
            accounting: Arc::default(),
            is_root: true,
            is_parameter_entity: false,
            is_general_entity: false,
            base: None,
            param_entity_parsing: 0,
            use_foreign_dtd: false,
            doctype: doctype::State::default(),
            defer_reparse: true,
            partial_before: 0,
            began_at: 0,
            deferred: false,
        }
    }

    /// A parser for an external entity: a parameter entity without a context, else a general one.
    pub fn for_external_entity(&self, context: Option<&str>, encoding: Option<Encoding>) -> Engine {
        let mut engine = Engine::new(encoding, self.namespaces);
        engine.namespace_prefixes = self.namespace_prefixes;
        engine.dtd = self.dtd.clone();
        engine.declares_attributes = self.declares_attributes.clone();
        engine.accounting = self.accounting.clone();
        engine.is_root = false;
        engine.base = self.base.clone();
        engine.param_entity_parsing = self.param_entity_parsing;
        engine.defer_reparse = self.defer_reparse;
        match context {
            Some(context) => {
                engine.is_general_entity = true;
                engine.phase = Phase::Content;
                engine.set_context(context);
            }
            None => {
                engine.is_parameter_entity = true;
                engine.doctype.enter_external();
            }
        }
        engine
    }

    /// Whether input was fed already.
    pub fn has_started(&self) -> bool {
        self.started
    }
    pub fn is_root(&self) -> bool {
        self.is_root
    }
    pub fn error(&self) -> Option<Code> {
        self.error
    }
    pub fn set_error(&mut self, code: Code) {
        self.error = Some(code);
    }
    pub fn accounting(&self) -> &Accounting {
        &self.accounting
    }
    /// Sets the encoding before anything is parsed, against what the document says.
    pub fn override_encoding(&mut self, encoding: Encoding) {
        if !self.started {
            self.buffer = Buffer::new(Some(encoding));
        }
    }
    /// Whether the program or the document has said the encoding.
    pub fn is_encoding_overridden(&self) -> bool {
        self.buffer.overridden
    }

    /// The place of the current event; -1 as byte index before any.
    pub fn position(&mut self) -> (Position, bool) {
        (self.buffer.position(), self.started)
    }

    /// Adds input.
    pub fn feed(&mut self, data: &[u8], is_final: bool) {
        self.started = true;
        if self.finished && self.error.is_none() {
            self.error = Some(Code::Finished);
        }
        if self.error.is_some() {
            return;
        }
        if !self.buffer.feed(data, is_final) {
            self.error = Some(Code::NoMemory);
            return;
        }
        if self.is_parameter_entity {
            lock(&self.dtd).param_entity_read = true;
        }
        match self.is_root {
            true => self.accounting.direct.add(data.len() as u64),
            false => self.accounting.indirect.add(data.len() as u64),
        }
        let have = self.buffer.text.len() - self.buffer.at;
        self.deferred = self.defer_reparse && !is_final && have < 2 * self.partial_before;
        self.began_at = self.buffer.at;
    }

    /// The next event, as far as the input goes. Once there is an error it stays.
    pub fn next(&mut self, handlers: Handlers) -> Result<Step, Code> {
        loop {
            if let Some(code) = self.error {
                return Err(code);
            }
            if let Some((at, event)) = self.queue.pop_front() {
                if self.expansions.is_empty() {
                    self.buffer.event = at;
                }
                return Ok(self.ask(event));
            }
            if let Some(code) = self.pending_error.take() {
                self.error = Some(code);
                continue;
            }
            if let Some(name) = self.doctype.unknown_encoding.take() {
                return Ok(Step::UnknownEncoding(name));
            }
            if self.deferred {
                return Ok(Step::Wait);
            }
            match self.turn(handlers) {
                Ok(Turn::Event(event)) => return Ok(self.ask(event)),
                Ok(Turn::Again) => {}
                Ok(Turn::Wait) => {
                    let have = self.buffer.text.len() - self.buffer.at;
                    self.partial_before = if self.buffer.at == self.began_at { have } else { 0 };
                    return Ok(Step::Wait);
                }
                Err(code) => self.error = Some(code),
            }
        }
    }

    /// An event, remembered if it asks for an answer.
    fn ask(&mut self, event: Event) -> Step {
        match event.kind() {
            Kind::NotStandalone => self.question = Some(Question::NotStandalone),
            Kind::ExternalEntityRef => self.question = Some(Question::ExternalEntity),
            _ => {}
        }
        Step::Event(event)
    }

    /// The text from the current event on.
    pub fn input_context(&self) -> Option<&[u8]> {
        self.buffer.text.get(self.buffer.event..).filter(|_| self.started)
    }

    /// The answer to an event that asks for one: whether to go on.
    pub fn reply(&mut self, go_on: bool) {
        let question = self.question.take();
        if !go_on && self.error.is_none() {
            self.error = Some(match question {
                Some(Question::ExternalEntity) => Code::ExternalEntityHandling,
                _ => Code::NotStandalone,
            });
        }
    }

    /// The encoding that the document named; `None` if nobody knows it.
    pub fn use_encoding(&mut self, encoding: Option<Encoding>) {
        match encoding {
            Some(encoding) => self.buffer.switch(encoding),
            None => self.error = Some(Code::UnknownEncoding),
        }
    }

    fn turn(&mut self, handlers: Handlers) -> Result<Turn, Code> {
        if self.accounting.expands_too_much() {
            return Err(Code::AmplificationLimitBreach);
        }
        if self.accounting.allocates_too_much() {
            return Err(Code::NoMemory);
        }
        if let Some(expansion) = self.expansions.last() {
            let (text, at) = (expansion.text.clone(), expansion.at);
            return self.dispatch(&text, at, handlers);
        }
        if !self.buffer.has_encoding() {
            if !self.buffer.is_final {
                return Ok(Turn::Wait);
            }
            return self.dispatch(&[], 0, handlers);
        }
        let text = std::mem::take(&mut self.buffer.text);
        let at = self.buffer.at;
        self.buffer.event = at;
        let turn = self.dispatch(&text, at, handlers);
        self.buffer.text = text;
        if let Some(encoding) = self.doctype.new_encoding.take() {
            self.buffer.switch(encoding);
        }
        turn
    }

    fn dispatch(&mut self, text: &[u8], at: usize, handlers: Handlers) -> Result<Turn, Code> {
        match self.phase {
            Phase::Content => self.content(text, at, handlers),
            Phase::Cdata => self.cdata(text, at, handlers),
            Phase::Prolog | Phase::Epilog => self.prolog(text, at, handlers),
        }
    }

    /// The parser's own form of a name.
    fn intern(&mut self, name: &str) -> Name {
        self.names.intern(name)
    }

    /// What a name of this parser's says.
    pub fn name_text(&self, name: Name) -> &Arc<str> {
        self.names.text(name)
    }

    /// The text of an event that has just come, before anything else is asked of the parser.
    pub fn text<'a>(&'a self, data: &'a Data, buffer: &'a mut [u8; 4]) -> &'a str {
        match data {
            Data::Span { from, to } => str::from_utf8(&self.buffer.text[*from..*to]).unwrap_or_default(),
            Data::Char(c) => c.encode_utf8(buffer),
            Data::Owned(text) => text,
        }
    }

    /// A name in the text, which was checked.
    fn name(&mut self, text: &[u8]) -> Name {
        match str::from_utf8(text) {
            Ok(name) => self.intern(name),
            Err(_) => self.intern(&string(text)),
        }
    }

    /// More input may come behind the current text.
    fn have_more(&self) -> bool {
        self.expansions.is_empty() && !self.buffer.is_final
    }

    /// The tokens before `end` are done with.
    fn consume(&mut self, end: usize) {
        match self.expansions.last_mut() {
            Some(expansion) => expansion.at = end,
            None => self.buffer.at = end,
        }
    }

    /// Puts the current event at a place of the document entity's text.
    fn event_at(&mut self, at: usize) {
        if self.expansions.is_empty() {
            self.buffer.event = at;
        }
    }

    /// Begins to expand an internal entity.
    fn expand(&mut self, name: &str, text: Arc<[u8]>, parameter: bool) {
        self.accounting.indirect.add(text.len() as u64);
        self.accounting.allocated.add(ENTITY_SIZE);
        let depth = self.tags.len();
        self.expansions.push(Expansion { name: name.to_string(), text, at: 0, depth, parameter });
    }

    /// Ends the expansion at hand.
    fn end_expansion(&mut self) {
        let Some(expansion) = self.expansions.pop() else { return };
        let mut dtd = lock(&self.dtd);
        let entities = if expansion.parameter { &mut dtd.parameter } else { &mut dtd.general };
        if let Some(entity) = entities.get_mut(&expansion.name) {
            entity.open = false;
        }
    }

    /// Text for the default handler, if there is one.
    fn default_event(&self, handlers: Handlers, raw: &[u8]) -> Turn {
        match handlers.has(Kind::Default) {
            true => Turn::Event(Event::Default(string(raw))),
            false => Turn::Again,
        }
    }

    /// The context of an external entity: namespace bindings and entities being expanded, separated by form feeds.
    fn context(&self) -> String {
        let mut parts: Vec<String> = Vec::new();
        let mut seen: Vec<&Option<String>> = Vec::new();
        for binding in self.bindings.iter().rev() {
            if seen.contains(&&binding.prefix) {
                continue;
            }
            seen.push(&binding.prefix);
            if let Some(uri) = &binding.uri {
                parts.push(format!("{}={uri}", binding.prefix.as_deref().unwrap_or("")));
            }
        }
        parts.reverse();
        let dtd = lock(&self.dtd);
        parts.extend(dtd.general.iter().filter(|(_, entity)| entity.open).map(|(name, _)| name.clone()));
        parts.join("\u{c}")
    }

    fn set_context(&mut self, context: &str) {
        for part in context.split('\u{c}') {
            if let Some((prefix, uri)) = part.split_once('=') {
                let prefix = if prefix.is_empty() { None } else { Some(prefix.to_string()) };
                self.bindings.push(Binding { prefix, uri: Some(uri.to_string()) });
            }
        }
    }
}

/// About what an entity takes in memory beside its text.
const ENTITY_SIZE: u64 = 96;

/// Text as a string. Tokens are checked before, so it is well-formed.
fn string(text: &[u8]) -> String {
    match str::from_utf8(text) {
        Ok(text) => text.to_string(),
        Err(_) => String::from_utf8_lossy(text).into_owned(),
    }
}
