//! Attributes and namespaces.

use std::sync::atomic::Ordering::Relaxed;

use super::chars::{Char, char_at, is_space, plain_value};
use super::content::{char_ref, predefined};
use super::event::{Event, Handlers, Kind};
use super::names::Name;
use super::tokens::{self, Token};
use super::{Binding, Code, Engine, lock, string};

const XML_NAMESPACE: &str = "http://www.w3.org/XML/1998/namespace";
const XMLNS_NAMESPACE: &str = "http://www.w3.org/2000/xmlns/";

/// An element's name as written and with its namespace, its attributes, and how many of them it has itself.
pub type Element = (Name, Name, Vec<(Name, String)>, usize);

impl Engine {
    /// Takes a start tag apart.
    pub(super) fn element(&mut self, text: &[u8], at: usize, end: usize, handlers: Handlers) -> Result<Element, Code> {
        let text = &text[..end];
        let mut place = at + 1;
        let name_end = end_of_name(text, place);
        let name = self.name(&text[place..name_end]);
        place = name_end;
        let mut attributes: Vec<(Name, String)> = Vec::new();
        while let Some((from, to, value_from, value_to)) = next_attribute(text, &mut place) {
            let attribute = self.name(&text[from..to]);
            if attributes.iter().any(|(other, _)| *other == attribute) {
                self.event_at(from);
                return Err(Code::DuplicateAttribute);
            }
            let is_cdata = self.is_cdata(name, attribute);
            let value = self.attribute_value(text, value_from, value_to, is_cdata, true)?;
            attributes.push((attribute, value));
        }
        let mut specified = attributes.len();
        for (attribute, default) in self.defaults(name, &attributes) {
            attributes.push((self.intern(&attribute), default));
        }
        let mut expanded = name;
        if self.namespaces.is_some() {
            self.bind(&mut attributes, &mut specified, handlers)?;
            self.expand_attributes(&mut attributes)?;
            if let Some(with_namespace) = self.expanded_name(self.names.text(name), true)? {
                expanded = self.intern(&with_namespace);
            }
        }
        Ok((name, expanded, attributes, specified))
    }

    /// The attributes with a default value that an element does not have itself.
    fn defaults(&self, element: Name, attributes: &[(Name, String)]) -> Vec<(String, String)> {
        if !self.declares_attributes.load(Relaxed) {
            return Vec::new();
        }
        let dtd = lock(&self.dtd);
        let declared = dtd.attributes.get(&**self.names.text(element)).map_or(&[][..], Vec::as_slice).iter();
        let is_given = |name: &str| attributes.iter().any(|(known, _)| **self.names.text(*known) == *name);
        let missing = declared.filter(|declared| !is_given(&declared.name));
        missing.filter_map(|declared| Some((declared.name.clone(), declared.default.clone()?))).collect()
    }

    fn is_cdata(&self, element: Name, attribute: Name) -> bool {
        if !self.declares_attributes.load(Relaxed) {
            return true;
        }
        let (element, attribute) = (&**self.names.text(element), &**self.names.text(attribute));
        let dtd = lock(&self.dtd);
        let declared = dtd.attributes.get(element).and_then(|all| all.iter().find(|known| known.name == attribute));
        declared.is_none_or(|declared| declared.is_cdata)
    }

    /// The value of an attribute, of which `text[from..to]` is the literal without quotes.
    pub(super) fn attribute_value(
        &mut self,
        text: &[u8],
        from: usize,
        to: usize,
        is_cdata: bool,
        in_document: bool,
    ) -> Result<String, Code> {
        let mut value = String::new();
        self.append_value(&mut value, text, from, to, is_cdata, in_document, 0)?;
        if !is_cdata && value.ends_with(' ') {
            value.pop();
        }
        Ok(value)
    }

    fn append_value(
        &mut self,
        value: &mut String,
        text: &[u8],
        mut at: usize,
        to: usize,
        is_cdata: bool,
        in_document: bool,
        depth: usize,
    ) -> Result<(), Code> {
        let space = |value: &mut String| {
            if is_cdata || !value.is_empty() && !value.ends_with(' ') {
                value.push(' ');
            }
        };
        while at < to {
            let end = if is_cdata { plain_value(&text[..to], at) } else { at };
            if end > at {
                value.extend(str::from_utf8(&text[at..end]));
                at = end;
                continue;
            }
            match char_at(&text[..to], at) {
                Char::Of('\r', _) => {
                    space(value);
                    at += if text.get(at + 1) == Some(&b'\n') && at + 1 < to { 2 } else { 1 };
                }
                Char::Of(' ' | '\t' | '\n', _) => {
                    space(value);
                    at += 1;
                }
                Char::Of('&', _) => {
                    let (token, end) = tokens::reference(&text[..to], at, self.namespaces.is_some());
                    match token {
                        Token::CharRef => match char_ref(&text[at..end]) {
                            Some(' ') if !is_cdata => space(value),
                            Some(c) => value.push(c),
                            None => {
                                if in_document && depth == 0 {
                                    self.event_at(at);
                                }
                                return Err(Code::BadCharRef);
                            }
                        },
                        Token::EntityRef => {
                            let name = &text[at + 1..end - 1];
                            match predefined(name) {
                                Some(c) => value.push(c),
                                None => {
                                    self.append_entity(value, &string(name), at, is_cdata, in_document, depth)?;
                                }
                            }
                        }
                        _ => {
                            if in_document && depth == 0 {
                                self.event_at(end);
                            }
                            return Err(Code::InvalidToken);
                        }
                    }
                    at = end;
                }
                Char::Of('<', _) => return Err(Code::InvalidToken),
                Char::Of(c, length) => {
                    value.push(c);
                    at += length;
                }
                _ => return Err(Code::InvalidToken),
            }
        }
        Ok(())
    }

    fn append_entity(
        &mut self,
        value: &mut String,
        name: &str,
        at: usize,
        is_cdata: bool,
        in_document: bool,
        depth: usize,
    ) -> Result<(), Code> {
        let mut dtd = lock(&self.dtd);
        let declared_here = !dtd.has_param_entity_refs || dtd.standalone;
        let Some(entity) = dtd.general.get_mut(name) else {
            return if declared_here { Err(Code::UndefinedEntity) } else { Ok(()) };
        };
        let problem = match () {
            _ if declared_here && !entity.in_document => Some(Code::EntityDeclaredInPe),
            _ if entity.open => Some(Code::RecursiveEntityRef),
            _ if entity.notation.is_some() => Some(Code::BinaryEntityRef),
            _ if entity.text.is_none() => Some(Code::AttributeExternalEntityRef),
            _ if depth >= MAX_DEPTH => Some(Code::NoMemory),
            _ => None,
        };
        if let Some(code) = problem {
            drop(dtd);
            if in_document && depth == 0 && code != Code::EntityDeclaredInPe {
                self.event_at(at);
            }
            return Err(code);
        }
        let replacement = entity.text.clone().expect("internal, as just checked");
        entity.open = true;
        drop(dtd);
        self.accounting.indirect.add(replacement.len() as u64);
        let outcome = match self.accounting.expands_too_much() {
            true => Err(Code::AmplificationLimitBreach),
            false => self.append_value(value, &replacement, 0, replacement.len(), is_cdata, in_document, depth + 1),
        };
        if let Some(entity) = lock(&self.dtd).general.get_mut(name) {
            entity.open = false;
        }
        outcome
    }

    /// Takes the namespace declarations out of an element's attributes and binds their prefixes.
    fn bind(
        &mut self,
        attributes: &mut Vec<(Name, String)>,
        specified: &mut usize,
        handlers: Handlers,
    ) -> Result<(), Code> {
        let place = self.buffer.event;
        let mut at = 0;
        while at < attributes.len() {
            let prefix = match &**self.names.text(attributes[at].0) {
                "xmlns" => None,
                name => match name.strip_prefix("xmlns:") {
                    Some(prefix) => Some(prefix.to_string()),
                    None => {
                        at += 1;
                        continue;
                    }
                },
            };
            let (_, uri) = attributes.remove(at);
            if at < *specified {
                *specified -= 1;
            }
            match (prefix.as_deref(), uri.as_str()) {
                (Some("xmlns"), _) => return Err(Code::ReservedPrefixXmlns),
                (Some("xml"), XML_NAMESPACE) => {}
                (Some("xml"), _) => return Err(Code::ReservedPrefixXml),
                (Some(_), "") => return Err(Code::UndeclaringPrefix),
                (_, XML_NAMESPACE | XMLNS_NAMESPACE) => return Err(Code::ReservedNamespaceUri),
                _ => {}
            }
            let separator_in_uri = self.namespaces.flatten().is_some_and(|c| uri.contains(c) && !is_uri_char(c));
            if separator_in_uri {
                return Err(Code::Syntax);
            }
            let uri = if uri.is_empty() { None } else { Some(uri) };
            if handlers.has(Kind::StartNamespace) {
                let event = Event::StartNamespace { prefix: prefix.clone(), uri: uri.clone() };
                self.queue.push_back((place, event));
            }
            self.bindings.push(Binding { prefix, uri });
        }
        Ok(())
    }

    /// Ends the bindings beyond the first `count`.
    pub(super) fn unbind(&mut self, count: usize, place: usize, handlers: Handlers) {
        while self.bindings.len() > count {
            let binding = self.bindings.pop().expect("just counted");
            if handlers.has(Kind::EndNamespace) {
                self.queue.push_back((place, Event::EndNamespace { prefix: binding.prefix }));
            }
        }
    }

    fn expand_attributes(&mut self, attributes: &mut [(Name, String)]) -> Result<(), Code> {
        let mut changed = false;
        for (name, _) in attributes.iter_mut() {
            if !self.names.text(*name).contains(':') {
                continue;
            }
            if let Some(expanded) = self.expanded_name(self.names.text(*name), false)? {
                *name = self.intern(&expanded);
                changed = true;
            }
        }
        if !changed {
            // They differed as they were written.
            return Ok(());
        }
        if self.namespace_prefixes {
            // Names that differ by their prefixes only are the same.
            let plain = |name: &str| match self.namespaces.flatten() {
                Some(separator) if name.matches(separator).count() >= 2 => {
                    name.rsplit_once(separator).map_or(name.to_string(), |(rest, _)| rest.to_string())
                }
                _ => name.to_string(),
            };
            let names: Vec<String> = attributes.iter().map(|(name, _)| plain(self.names.text(*name))).collect();
            return duplicates(&names);
        }
        let names: Vec<String> = attributes.iter().map(|(name, _)| self.names.text(*name).to_string()).collect();
        duplicates(&names)
    }

    /// A name with its namespace, and its prefix if that is wanted; `None` if it is in no namespace.
    fn expanded_name(&self, name: &str, is_element: bool) -> Result<Option<String>, Code> {
        let (prefix, local) = match name.split_once(':') {
            Some((prefix, local)) => (Some(prefix), local),
            None if !is_element => return Ok(None),
            None => (None, name),
        };
        let bound = self.bindings.iter().rev().find(|binding| binding.prefix.as_deref() == prefix);
        let uri = match (bound, prefix) {
            (Some(binding), _) => binding.uri.as_deref(),
            (None, Some("xml")) => Some(XML_NAMESPACE),
            (None, Some(_)) => return Err(Code::UnboundPrefix),
            (None, None) => None,
        };
        let Some(uri) = uri else { return Ok(None) };
        let mut expanded = uri.to_string();
        expanded.extend(self.namespaces.flatten());
        expanded.push_str(local);
        if let Some(prefix) = prefix
            && self.namespace_prefixes
        {
            expanded.extend(self.namespaces.flatten());
            expanded.push_str(prefix);
        }
        Ok(Some(expanded))
    }
}

/// How deep entities may nest in attribute values.
const MAX_DEPTH: usize = 500;

fn duplicates(names: &[String]) -> Result<(), Code> {
    let mut sorted: Vec<&String> = names.iter().collect();
    sorted.sort_unstable();
    match sorted.windows(2).any(|pair| pair[0] == pair[1]) {
        true => Err(Code::DuplicateAttribute),
        false => Ok(()),
    }
}

fn is_uri_char(c: char) -> bool {
    c.is_ascii_alphanumeric() || "-._~:/?#[]@!$&'()*+,;=%".contains(c)
}

fn end_of_name(text: &[u8], at: usize) -> usize {
    let length = text[at..].iter().position(|byte| is_space(*byte) || matches!(byte, b'>' | b'/' | b'='));
    at + length.unwrap_or(text.len() - at)
}

/// The next attribute of a start tag that was scanned: where its name and its value are.
fn next_attribute(text: &[u8], place: &mut usize) -> Option<(usize, usize, usize, usize)> {
    let skip = |mut at: usize| {
        while text.get(at).is_some_and(|byte| is_space(*byte)) {
            at += 1;
        }
        at
    };
    let from = skip(*place);
    if matches!(text.get(from), None | Some(b'>' | b'/')) {
        return None;
    }
    let to = end_of_name(text, from);
    let quote_at = skip(skip(to) + 1);
    let quote = *text.get(quote_at)?;
    let length = memchr::memchr(quote, text.get(quote_at + 1..)?)?;
    *place = quote_at + 1 + length + 1;
    Some((from, to, quote_at + 1, quote_at + 1 + length))
}
