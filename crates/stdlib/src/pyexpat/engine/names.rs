//! The names of elements and attributes that a parser has met. Each has a number, by which it is passed on and compared.

use std::collections::HashMap;
use std::sync::Arc;

/// A name, by its number: the parser has one for equal names.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Name(u32);

impl Name {
    /// The number: names are counted from 0.
    pub fn number(self) -> usize {
        self.0 as usize
    }
}

/// Names that were looked up lately are found by their ends and lengths, without a hash.
const RECENT: usize = 64;

pub struct Names {
    texts: Vec<Arc<str>>,
    numbers: HashMap<Arc<str>, Name>,
    recent: [Option<Name>; RECENT],
}

impl Names {
    pub fn new() -> Names {
        Names { texts: Vec::new(), numbers: HashMap::new(), recent: [None; RECENT] }
    }

    pub fn text(&self, name: Name) -> &Arc<str> {
        &self.texts[name.number()]
    }

    pub fn intern(&mut self, text: &str) -> Name {
        let bytes = text.as_bytes();
        let (first, last) = (bytes.first().copied().unwrap_or(0), bytes.last().copied().unwrap_or(0));
        let place = usize::from(first) ^ usize::from(last) << 2 ^ bytes.len();
        let recent = &mut self.recent[place % RECENT];
        if let Some(name) = recent.filter(|name| *self.texts[name.number()] == *text) {
            return name;
        }
        let name = match self.numbers.get(text) {
            Some(name) => *name,
            None => {
                let name = Name(u32::try_from(self.texts.len()).expect("a name takes memory"));
                let text = Arc::<str>::from(text);
                self.texts.push(text.clone());
                self.numbers.insert(text, name);
                name
            }
        };
        *recent = Some(name);
        name
    }
}
