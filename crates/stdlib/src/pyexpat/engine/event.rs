//! What the parser reports.

use super::names::Name;

/// The handlers a program can set, in the order of their bits.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum Kind {
    StartElement,
    EndElement,
    Pi,
    CharacterData,
    UnparsedEntityDecl,
    NotationDecl,
    StartNamespace,
    EndNamespace,
    Comment,
    StartCdata,
    EndCdata,
    Default,
    NotStandalone,
    ExternalEntityRef,
    StartDoctype,
    EndDoctype,
    EntityDecl,
    XmlDecl,
    ElementDecl,
    AttlistDecl,
    SkippedEntity,
}

/// Which handlers are set: what nobody listens to is not made.
#[derive(Clone, Copy, Default)]
pub struct Handlers {
    pub bits: u32,
    /// Internal entities are expanded although there is a default handler.
    pub expand: bool,
}

impl Handlers {
    pub fn has(self, kind: Kind) -> bool {
        self.bits & 1 << kind as u8 != 0
    }
}

/// A content model.
#[derive(Debug)]
pub struct Model {
    pub kind: u8,
    pub quantifier: u8,
    pub name: Option<String>,
    pub children: Vec<Model>,
}

impl Drop for Model {
    /// Nested models are taken apart without recursion.
    fn drop(&mut self) {
        let mut stack = std::mem::take(&mut self.children);
        while let Some(mut model) = stack.pop() {
            stack.append(&mut model.children);
        }
    }
}

pub type Text = Option<String>;

/// Text between tags: [`Engine::text`](super::Engine::text) has it while it is the last event.
pub enum Data {
    /// It stands so in the document entity's buffer.
    Span {
        from: usize,
        to: usize,
    },
    Char(char),
    Owned(String),
}

pub enum Event {
    StartElement {
        name: Name,
        attributes: Vec<(Name, String)>,
        specified: usize,
    },
    EndElement {
        name: Name,
    },
    Pi {
        target: String,
        data: String,
    },
    CharacterData(Data),
    StartNamespace {
        prefix: Text,
        uri: Text,
    },
    EndNamespace {
        prefix: Text,
    },
    Comment(String),
    StartCdata,
    EndCdata,
    Default(String),
    NotStandalone,
    EndDoctype,
    SkippedEntity {
        name: String,
        parameter: bool,
    },
    /// What happens outside elements, apart so that events stay small.
    Declaration(Box<Declaration>),
}

pub enum Declaration {
    UnparsedEntityDecl { name: String, base: Text, system: Text, public: Text, notation: Text },
    NotationDecl { name: String, base: Text, system: Text, public: Text },
    ExternalEntityRef { context: Text, base: Text, system: Text, public: Text },
    StartDoctype { name: String, system: Text, public: Text, has_internal_subset: bool },
    EntityDecl { name: String, parameter: bool, value: Text, base: Text, system: Text, public: Text, notation: Text },
    XmlDecl { version: Text, encoding: Text, standalone: i32 },
    ElementDecl { name: String, model: Model },
    AttlistDecl { element: String, attribute: String, ty: String, default: Text, required: bool },
}

impl From<Declaration> for Event {
    fn from(declaration: Declaration) -> Event {
        Event::Declaration(Box::new(declaration))
    }
}

impl Event {
    pub fn kind(&self) -> Kind {
        match self {
            Event::StartElement { .. } => Kind::StartElement,
            Event::EndElement { .. } => Kind::EndElement,
            Event::Pi { .. } => Kind::Pi,
            Event::CharacterData(_) => Kind::CharacterData,
            Event::StartNamespace { .. } => Kind::StartNamespace,
            Event::EndNamespace { .. } => Kind::EndNamespace,
            Event::Comment(_) => Kind::Comment,
            Event::StartCdata => Kind::StartCdata,
            Event::EndCdata => Kind::EndCdata,
            Event::Default(_) => Kind::Default,
            Event::NotStandalone => Kind::NotStandalone,
            Event::EndDoctype => Kind::EndDoctype,
            Event::SkippedEntity { .. } => Kind::SkippedEntity,
            Event::Declaration(declaration) => match **declaration {
                Declaration::UnparsedEntityDecl { .. } => Kind::UnparsedEntityDecl,
                Declaration::NotationDecl { .. } => Kind::NotationDecl,
                Declaration::ExternalEntityRef { .. } => Kind::ExternalEntityRef,
                Declaration::StartDoctype { .. } => Kind::StartDoctype,
                Declaration::EntityDecl { .. } => Kind::EntityDecl,
                Declaration::XmlDecl { .. } => Kind::XmlDecl,
                Declaration::ElementDecl { .. } => Kind::ElementDecl,
                Declaration::AttlistDecl { .. } => Kind::AttlistDecl,
            },
        }
    }
}
