//! Reads `grammar.peg` and translates it into the machine's instructions.

use std::collections::HashMap;
use std::sync::OnceLock;

use super::node::Kind;
use crate::token::{TokenKind, TokenKind as T};

/// An instruction of the parsing machine. Addresses are absolute.
#[derive(Clone, Copy, Debug)]
pub(super) enum Op {
    Token(TokenKind),
    SoftKeyword(&'static str),
    AnySoftKeyword,
    Name,
    Number,
    Call(u16),
    Return,
    Fail,
    /// Goes to the address unless rules for invalid code are in force.
    InvalidOnly(u32),
    /// On failure, go on at the address from the current position.
    Choice(u32),
    /// Forget the newest choice and go to the address.
    Commit(u32),
    /// Renew the newest choice at the current position and go to the address.
    PartialCommit(u32),
    /// Forget the newest choice, go back to its position and to the address.
    BackCommit(u32),
    /// Forget the newest choice, then fail.
    FailTwice,
    /// Forget the newest choice.
    Cut,
    Jump(u32),
    Force(TokenKind, &'static str),
    ListBegin,
    ListPush,
    ListEnd,
    Null,
    Bind(u8),
    Load(u8),
    Action(u16),
}

#[derive(Debug)]
pub(super) struct Rule {
    pub entry: u32,
    pub slots: u8,
    pub memo: bool,
    /// The rule is left-recursive in CPython, where it takes two levels of the stack.
    pub left: bool,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Pick {
    Whole,
    First,
    Last,
    /// The last expression of the last comprehension.
    LastItem,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Reference {
    pub slot: u8,
    pub pick: Pick,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Place {
    At(Reference),
    Range(Reference, Reference),
    From(Reference),
    EndOf(Reference),
    Next,
    Last,
    Indent(Option<Reference>),
}

#[derive(Debug)]
pub(super) enum Make {
    Value(u8),
    Node(Kind, Vec<u8>),
    Function(&'static str, Vec<u8>),
    Error(Place, String),
    Fail,
}

#[derive(Debug)]
pub(super) struct Action {
    pub since: Option<(u8, &'static str)>,
    pub make: Make,
}

#[derive(Debug, Default)]
pub(super) struct Grammar {
    pub rules: Vec<Rule>,
    pub code: Vec<Op>,
    pub actions: Vec<Action>,
    by_name: HashMap<&'static str, u16>,
}

impl Grammar {
    pub fn rule(&self, name: &str) -> u16 {
        self.by_name[name]
    }
}

/// The grammar, translated at its first use.
pub(super) fn grammar() -> &'static Grammar {
    static GRAMMAR: OnceLock<Grammar> = OnceLock::new();
    GRAMMAR.get_or_init(|| Translator::translate(include_str!("grammar.peg")))
}

/// A word of the grammar's notation.
#[derive(Clone, Copy, PartialEq, Debug)]
enum Word {
    Name(&'static str),
    /// `'text'`
    Quoted(&'static str),
    /// `"text"`
    DoubleQuoted(&'static str),
    Number(u8),
    Sign(char),
    Arrow,
    Force,
}

fn words(text: &'static str) -> Vec<Word> {
    let mut words = Vec::new();
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let (word, length) = match c {
            '#' => {
                rest = rest.find('\n').map_or("", |end| &rest[end..]);
                continue;
            }
            c if c.is_whitespace() => {
                rest = &rest[c.len_utf8()..];
                continue;
            }
            '\'' => {
                let end = rest[1..].find('\'').expect("quotes are closed") + 1;
                (Word::Quoted(&rest[1..end]), end + 1)
            }
            '"' => {
                let mut end = 1;
                while rest.as_bytes()[end] != b'"' {
                    end += if rest.as_bytes()[end] == b'\\' { 2 } else { 1 };
                }
                (Word::DoubleQuoted(&rest[1..end]), end + 1)
            }
            '=' if rest.starts_with("=>") => (Word::Arrow, 2),
            '&' if rest.starts_with("&&") => (Word::Force, 2),
            c if c.is_ascii_alphabetic() => {
                let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(rest.len());
                (Word::Name(&rest[..end]), end)
            }
            c if c.is_ascii_digit() => {
                let end = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
                (Word::Number(rest[..end].parse().expect("version numbers are small")), end)
            }
            c => (Word::Sign(c), 1),
        };
        words.push(word);
        rest = &rest[length..];
    }
    words
}

struct Translator {
    words: Vec<Word>,
    at: usize,
    grammar: Grammar,
    /// The names of the current rule's or group's slots.
    slots: Vec<&'static str>,
}

impl Translator {
    fn translate(text: &'static str) -> Grammar {
        let mut translator = Translator { words: words(text), at: 0, grammar: Grammar::default(), slots: Vec::new() };
        // Rules may be used before they are defined: all names first.
        for index in 0..translator.words.len() {
            if let Some(name) = translator.rule_head(index) {
                let id = translator.grammar.rules.len() as u16;
                let following = &translator.words[index + 1..index + 3];
                let memo = following[0] == Word::Name("memo");
                let left = memo && following[1] == Word::Name("left");
                translator.grammar.by_name.insert(name, id);
                translator.grammar.rules.push(Rule { entry: 0, slots: 0, memo, left });
            }
        }
        while translator.at < translator.words.len() {
            let name = translator.rule_head(translator.at).expect("a rule begins here");
            while translator.next() != Word::Sign(':') {}
            let id = translator.grammar.by_name[name];
            translator.rule(id);
        }
        translator.grammar
    }

    /// The rule that is defined from this word on.
    fn rule_head(&self, index: usize) -> Option<&'static str> {
        let Word::Name(name) = self.words[index] else { return None };
        let mut next = index + 1;
        while matches!(self.words.get(next), Some(Word::Name("memo" | "left"))) {
            next += 1;
        }
        if index > 0 && matches!(self.words[index - 1], Word::Name("memo")) {
            return None;
        }
        (self.words.get(next) == Some(&Word::Sign(':')) && !matches!(name, "memo" | "left")).then_some(name)
    }

    fn peek(&self) -> Option<Word> {
        self.words.get(self.at).copied()
    }

    fn next(&mut self) -> Word {
        self.at += 1;
        self.words[self.at - 1]
    }

    fn eat(&mut self, word: Word) -> bool {
        let found = self.peek() == Some(word);
        self.at += usize::from(found);
        found
    }

    fn here(&self) -> u32 {
        self.grammar.code.len() as u32
    }

    fn emit(&mut self, op: Op) -> usize {
        self.grammar.code.push(op);
        self.grammar.code.len() - 1
    }

    /// Translates the alternatives that follow into the code of rule `id`.
    fn rule(&mut self, id: u16) {
        let outer = std::mem::take(&mut self.slots);
        let entry = self.here();
        let mut ends = Vec::new();
        self.eat(Word::Sign('|'));
        loop {
            if let Some(end) = self.alternative() {
                ends.push(end);
            }
            if !self.eat(Word::Sign('|')) {
                break;
            }
        }
        let end = self.here();
        for at in ends {
            self.grammar.code[at] = match self.grammar.code[at] {
                Op::Commit(_) => Op::Commit(end),
                _ => Op::Jump(end),
            };
        }
        self.emit(Op::Return);
        let slots = std::mem::replace(&mut self.slots, outer);
        let rule = &mut self.grammar.rules[usize::from(id)];
        rule.entry = entry;
        rule.slots = slots.len() as u8;
    }

    /// Whether the alternative that begins here is the rule's last one, and whether it is one `invalid_` rule alone.
    fn survey(&self) -> (bool, bool) {
        let mut depth = 0;
        let mut at = self.at;
        let last = loop {
            match self.words.get(at) {
                Some(Word::Sign('(')) => depth += 1,
                Some(Word::Sign(')')) if depth == 0 => break true,
                Some(Word::Sign(')')) => depth -= 1,
                Some(Word::Sign('|')) if depth == 0 => break false,
                None => break true,
                Some(Word::Name(_)) if depth == 0 && self.rule_head(at).is_some() => break true,
                _ => {}
            }
            at += 1;
        };
        let alone =
            at == self.at + 1 && matches!(self.words[self.at], Word::Name(name) if name.starts_with("invalid_"));
        (last, alone)
    }

    /// Translates one alternative. Gives the place of the jump to the rule's end, if one is needed.
    fn alternative(&mut self) -> Option<usize> {
        let (last, invalid_only) = self.survey();
        let guard = invalid_only.then(|| self.emit(Op::InvalidOnly(0)));
        let choice = (!last).then(|| self.emit(Op::Choice(0)));
        let mut cut = false;
        let mut items = 0;
        let mut lookahead_after = false;
        let mut lone = None;
        while !self.at_alternative_end() {
            if self.eat(Word::Sign('~')) {
                cut = !last;
                if cut {
                    self.emit(Op::Cut);
                }
                continue;
            }
            let is_lookahead = matches!(self.peek(), Some(Word::Sign('&' | '!')));
            let slot = self.binding();
            self.item();
            if is_lookahead {
                lookahead_after = items > 0;
                continue;
            }
            items += 1;
            let slot = slot.or_else(|| {
                // The value of a lone item must survive a lookahead behind it.
                (items == 1 && matches!(self.peek(), Some(Word::Sign('&' | '!')))).then(|| self.slot("lone item"))
            });
            if let Some(slot) = slot {
                self.emit(Op::Bind(slot));
                lone = Some(slot);
            }
        }
        if self.eat(Word::Arrow) {
            let action = self.action();
            self.grammar.actions.push(action);
            self.emit(Op::Action(self.grammar.actions.len() as u16 - 1));
        } else if items != 1 {
            self.grammar.actions.push(Action { since: None, make: Make::Node(Kind::Other, Vec::new()) });
            self.emit(Op::Action(self.grammar.actions.len() as u16 - 1));
        } else if lookahead_after && let Some(slot) = lone {
            self.emit(Op::Load(slot));
        }
        let end = choice.map(|_| self.emit(if cut { Op::Jump(0) } else { Op::Commit(0) }));
        let next = self.here();
        if let Some(at) = choice {
            self.grammar.code[at] = Op::Choice(next);
        }
        if let Some(at) = guard {
            if last {
                // Nothing comes after: fail instead.
                let over = self.emit(Op::Jump(0));
                let fail = self.here();
                self.emit(Op::Fail);
                self.grammar.code[at] = Op::InvalidOnly(fail);
                return Some(over);
            }
            self.grammar.code[at] = Op::InvalidOnly(next);
        }
        end
    }

    fn at_alternative_end(&self) -> bool {
        match self.peek() {
            None | Some(Word::Sign('|' | ')') | Word::Arrow) => true,
            Some(Word::Name(_)) => self.rule_head(self.at).is_some(),
            _ => false,
        }
    }

    /// `x=` in front of an item.
    fn binding(&mut self) -> Option<u8> {
        if let Some(Word::Name(name)) = self.peek()
            && self.words.get(self.at + 1) == Some(&Word::Sign('='))
        {
            self.at += 2;
            return Some(self.slot(name));
        }
        None
    }

    fn slot(&mut self, name: &'static str) -> u8 {
        let index = self.slots.iter().position(|&slot| slot == name).unwrap_or_else(|| {
            self.slots.push(name);
            self.slots.len() - 1
        });
        index as u8
    }

    /// An item with its prefix and suffix operators.
    fn item(&mut self) {
        if self.eat(Word::Force) {
            let Word::Quoted(text) = self.next() else { panic!("only tokens can be demanded") };
            self.emit(Op::Force(quoted_token(text), text));
            return;
        }
        if self.eat(Word::Sign('&')) {
            let choice = self.emit(Op::Choice(0));
            self.atom();
            let back = self.emit(Op::BackCommit(0));
            self.grammar.code[choice] = Op::Choice(self.here());
            self.emit(Op::Fail);
            self.grammar.code[back] = Op::BackCommit(self.here());
            return;
        }
        if self.eat(Word::Sign('!')) {
            let choice = self.emit(Op::Choice(0));
            self.atom();
            self.emit(Op::FailTwice);
            self.grammar.code[choice] = Op::Choice(self.here());
            return;
        }
        if self.words.get(self.at + 1) == Some(&Word::Sign('.')) {
            let separator = self.at;
            self.at += 2;
            self.separated_list(separator);
            return;
        }
        let start = self.at;
        let code_start = self.grammar.code.len();
        let rules_start = self.grammar.rules.len();
        self.atom();
        match self.peek() {
            Some(Word::Sign('?')) => {
                self.rewind(start, code_start, rules_start);
                let choice = self.emit(Op::Choice(0));
                self.atom();
                let commit = self.emit(Op::Commit(0));
                self.grammar.code[choice] = Op::Choice(self.here());
                self.emit(Op::Null);
                self.grammar.code[commit] = Op::Commit(self.here());
                self.at += 1;
            }
            Some(Word::Sign(suffix @ ('*' | '+'))) => {
                self.rewind(start, code_start, rules_start);
                self.emit(Op::ListBegin);
                if suffix == '+' {
                    self.atom();
                    self.emit(Op::ListPush);
                    self.at = start;
                }
                let choice = self.emit(Op::Choice(0));
                let again = self.here();
                self.atom();
                self.emit(Op::ListPush);
                self.emit(Op::PartialCommit(again));
                self.grammar.code[choice] = Op::Choice(self.here());
                self.emit(Op::ListEnd);
                self.at += 1;
            }
            _ => {}
        }
    }

    /// Takes back the translation of an atom, to put something in front of it.
    fn rewind(&mut self, at: usize, code: usize, rules: usize) {
        self.at = at;
        self.grammar.code.truncate(code);
        self.grammar.rules.truncate(rules);
    }

    /// `s.e+`, where `s` is the word at `separator`.
    fn separated_list(&mut self, separator: usize) {
        let element = self.at;
        self.emit(Op::ListBegin);
        self.atom();
        self.emit(Op::ListPush);
        let choice = self.emit(Op::Choice(0));
        let again = self.here();
        let end = std::mem::replace(&mut self.at, separator);
        self.atom();
        self.at = element;
        self.atom();
        debug_assert_eq!(self.at, end);
        self.emit(Op::ListPush);
        self.emit(Op::PartialCommit(again));
        self.grammar.code[choice] = Op::Choice(self.here());
        self.emit(Op::ListEnd);
        self.at += 1;
    }

    fn atom(&mut self) {
        match self.next() {
            Word::Quoted(text) => {
                self.emit(Op::Token(quoted_token(text)));
            }
            Word::DoubleQuoted(text) => {
                self.emit(Op::SoftKeyword(text));
            }
            Word::Sign('(') => {
                let id = self.grammar.rules.len() as u16;
                self.grammar.rules.push(Rule { entry: 0, slots: 0, memo: false, left: false });
                // The group's code stands in line; the way around it is a jump.
                let jump = self.emit(Op::Jump(0));
                self.rule(id);
                self.grammar.code[jump] = Op::Jump(self.here());
                assert!(self.eat(Word::Sign(')')), "groups are closed");
                self.emit(Op::Call(id));
            }
            Word::Name(name) => {
                let op = match token_class(name) {
                    Some(op) => op,
                    None => Op::Call(*self.grammar.by_name.get(name).unwrap_or_else(|| panic!("no rule {name}"))),
                };
                self.emit(op);
            }
            word => panic!("{word:?} is not an item"),
        }
    }

    fn action(&mut self) -> Action {
        let mut since = None;
        if self.eat(Word::Name("since")) {
            let (Word::Number(minor), Word::DoubleQuoted(feature)) = (self.next(), self.next()) else {
                panic!("a version and a feature follow `since`")
            };
            since = Some((minor, feature));
        }
        let Word::Name(name) = self.next() else { panic!("an action begins with a name") };
        let make = match name {
            "fail" => Make::Fail,
            "error" => self.error(),
            "fn" => {
                let Word::Name(function) = self.next() else { panic!("a function has a name") };
                Make::Function(function, self.slot_list())
            }
            _ => match Kind::from_name(name) {
                Some(kind) => Make::Node(kind, self.slot_list()),
                None => Make::Value(self.known_slot(name)),
            },
        };
        Action { since, make }
    }

    fn slot_list(&mut self) -> Vec<u8> {
        let mut slots = Vec::new();
        if self.eat(Word::Sign('(')) {
            while !self.eat(Word::Sign(')')) {
                let Word::Name(name) = self.next() else { panic!("values have names") };
                slots.push(self.known_slot(name));
            }
        }
        slots
    }

    fn known_slot(&self, name: &str) -> u8 {
        self.slots.iter().position(|&slot| slot == name).unwrap_or_else(|| panic!("no value is called {name}")) as u8
    }

    fn error(&mut self) -> Make {
        let Word::Name(place) = self.next() else { panic!("an error has a place") };
        let place = match place {
            "at" => Place::At(self.reference()),
            "range" => Place::Range(self.reference(), self.reference()),
            "from" => Place::From(self.reference()),
            "endof" => Place::EndOf(self.reference()),
            "next" => Place::Next,
            "last" => Place::Last,
            "indent" => Place::Indent(matches!(self.peek(), Some(Word::Name(_))).then(|| self.reference())),
            _ => panic!("{place} is no place"),
        };
        let Word::DoubleQuoted(message) = self.next() else { panic!("an error has a message") };
        Make::Error(place, message.replace("\\\"", "\""))
    }

    fn reference(&mut self) -> Reference {
        let Word::Name(name) = self.next() else { panic!("values have names") };
        let pick = match name {
            "first" => Pick::First,
            "last" => Pick::Last,
            "lastitem" => Pick::LastItem,
            _ => return Reference { slot: self.known_slot(name), pick: Pick::Whole },
        };
        let slots = self.slot_list();
        Reference { slot: slots[0], pick }
    }
}

/// The kind of the token that is written so: an operator or a keyword.
fn quoted_token(text: &str) -> TokenKind {
    let bytes = text.as_bytes();
    if bytes[0].is_ascii_alphabetic() {
        return T::of_name(bytes);
    }
    match bytes {
        b"..." => T::Ellipsis,
        &[c] => T::of_one_char(c),
        _ => T::of_chars(bytes[0], bytes[1], bytes.get(2).copied().unwrap_or(0)).map_or(T::Op, |(kind, _)| kind),
    }
}

fn token_class(name: &str) -> Option<Op> {
    Some(match name {
        "NAME" => Op::Name,
        "NUMBER" => Op::Number,
        "SOFT_KEYWORD" => Op::AnySoftKeyword,
        "STRING" => Op::Token(T::String),
        "NEWLINE" => Op::Token(T::Newline),
        "INDENT" => Op::Token(T::Indent),
        "DEDENT" => Op::Token(T::Dedent),
        "ENDMARKER" => Op::Token(T::EndMarker),
        "TYPE_COMMENT" => Op::Token(T::TypeComment),
        "FSTRING_START" => Op::Token(T::FStringStart),
        "FSTRING_MIDDLE" => Op::Token(T::FStringMiddle),
        "FSTRING_END" => Op::Token(T::FStringEnd),
        "TSTRING_START" => Op::Token(T::TStringStart),
        "TSTRING_MIDDLE" => Op::Token(T::TStringMiddle),
        "TSTRING_END" => Op::Token(T::TStringEnd),
        _ => return None,
    })
}
