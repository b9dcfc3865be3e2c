//! The parsing machine: runs the translated grammar over the tokens of one source.
//!
//! A backtracking machine with an explicit stack, so that depth costs no native stack. It imitates how CPython's
//! generated parser goes about the grammar: which tokens it has fetched when, what it remembers, how deep it nests;
//! all of that shows in the positions of errors.

use super::grammar::{Action, Grammar, Make, Op, grammar};
use super::node::{Kind, Node, Place, Value};
use super::report::Reporter;
use crate::error::{ErrorKind, Metadata, SyntaxError, Warning};
use crate::literal::InvalidEscape;
use crate::options::{Mode, ParseOptions};
use crate::parser::{constant_of_name, invalid_escape_warning};
use crate::token::{Token, TokenKind, TokenKind as T};
use crate::tokenizer::{self, Status, Tokenizer};

/// How deep CPython's parser may nest.
const MAXSTACK: u32 = 6000;

#[derive(Clone, Copy)]
enum Entry {
    /// A rule being parsed.
    Frame { return_to: u32, rule: u16, mark: u32, slots: u32, outer: u32, level: u32, call_invalid_rules: bool },
    /// Something else to try.
    Choice { address: u32, mark: u32, frame: u32, lists: u32, level: u32 },
}

/// A rule's remembered result at a position.
#[derive(Clone, Copy)]
struct Memo {
    rule: u16,
    /// The value and where the rule ended; `None` if it failed.
    result: Option<(Value, u32)>,
}

/// Why the machine stops for good.
pub(super) type Raised = Box<SyntaxError>;

pub(super) struct Machine<'s, 'o> {
    grammar: &'static Grammar,
    pub(super) options: &'o ParseOptions<'o>,
    pub(super) tokenizer: Tokenizer<'s>,
    pub(super) tokens: Vec<Token>,
    memo: Vec<Vec<Memo>>,
    pub(super) nodes: Vec<Node>,
    pub(super) pool: Vec<Value>,
    lists: Vec<Vec<Value>>,
    slots: Vec<Value>,
    stack: Vec<Entry>,
    pub(super) mark: usize,
    result: Value,
    /// Index of the current frame.
    frame: u32,
    level: u32,
    call_invalid_rules: bool,
    parsing_started: bool,
    pub(super) barry_as_flufl: bool,
    /// Whether the parse failed for want of stack.
    pub(super) overflowed: bool,
    /// Line and column of the last compound statement, function definitions apart.
    last_statement: (u32, u32),
    second_pass: bool,
    warnings: Vec<Warning>,
}

impl<'s, 'o> Machine<'s, 'o> {
    pub fn new(source: &'s str, options: &'o ParseOptions<'o>, tokenized: usize) -> Self {
        let mut tokenizer =
            Tokenizer::new(source, tokenizer::Options { type_comments: options.type_comments, extra_tokens: false });
        tokenizer.warn_from(tokenized);
        tokenizer.set_barry_as_flufl(options.barry_as_flufl);
        Machine {
            grammar: grammar(),
            options,
            tokenizer,
            tokens: Vec::new(),
            memo: Vec::new(),
            nodes: Vec::new(),
            pool: Vec::new(),
            lists: Vec::new(),
            slots: Vec::new(),
            stack: Vec::new(),
            mark: 0,
            result: Value::Null,
            frame: 0,
            level: 0,
            call_invalid_rules: false,
            parsing_started: false,
            barry_as_flufl: options.barry_as_flufl,
            overflowed: false,
            last_statement: (0, 0),
            second_pass: false,
            warnings: Vec::new(),
        }
    }

    /// Parses from the first token. Tells whether the source matches the grammar.
    pub fn parse(&mut self, call_invalid_rules: bool) -> Result<bool, Raised> {
        self.memo.clear();
        self.nodes.clear();
        self.pool.clear();
        self.lists.clear();
        self.slots.clear();
        self.stack.clear();
        self.mark = 0;
        self.level = 0;
        self.call_invalid_rules = call_invalid_rules;
        self.second_pass = call_invalid_rules;
        let start = self.grammar.rule(match self.options.mode {
            Mode::Exec => "file",
            Mode::Eval => "eval",
            Mode::Single => "interactive",
            Mode::FuncType => "func_type",
        });
        self.run(start)
    }

    fn run(&mut self, start: u16) -> Result<bool, Raised> {
        const STOP: u32 = u32::MAX;
        let grammar = self.grammar;
        let without_invalid = grammar.rule("expression_without_invalid");
        let mut pc = STOP;
        if !self.call(start, &mut pc, without_invalid) {
            return Ok(false);
        }
        loop {
            if self.overflowed {
                return Ok(false);
            }
            let op = grammar.code[pc as usize];
            pc += 1;
            let succeeded = match op {
                Op::Token(kind) => self.expect(|token| token == kind)?,
                Op::Name => self.expect(TokenKind::is_name)? && self.check_name()?,
                Op::AnySoftKeyword => self.expect(TokenKind::is_soft_keyword)?,
                Op::Number => self.expect(|token| token == T::Number)? && self.check_number()?,
                Op::SoftKeyword(text) => self.token()?.kind.is_name() && self.text_at(self.mark) == text && self.take(),
                Op::Call(rule) => self.call(rule, &mut pc, without_invalid),
                Op::Return => {
                    self.finish_rule(Some(self.result), &mut pc);
                    if pc == STOP {
                        return Ok(true);
                    }
                    true
                }
                Op::Fail => false,
                Op::InvalidOnly(address) => {
                    if !self.call_invalid_rules {
                        pc = address;
                    }
                    true
                }
                Op::Choice(address) => {
                    self.stack.push(Entry::Choice {
                        address,
                        mark: self.mark as u32,
                        frame: self.frame,
                        lists: self.lists.len() as u32,
                        level: self.level,
                    });
                    true
                }
                Op::Commit(address) => {
                    self.stack.pop();
                    pc = address;
                    true
                }
                Op::PartialCommit(address) => {
                    if let Some(Entry::Choice { mark, .. }) = self.stack.last_mut() {
                        *mark = self.mark as u32;
                    }
                    pc = address;
                    true
                }
                Op::BackCommit(address) => {
                    if let Some(Entry::Choice { mark, .. }) = self.stack.pop() {
                        self.mark = mark as usize;
                    }
                    pc = address;
                    true
                }
                Op::FailTwice => {
                    self.stack.pop();
                    false
                }
                Op::Cut => {
                    self.stack.pop();
                    true
                }
                Op::Jump(address) => {
                    pc = address;
                    true
                }
                Op::Force(kind, text) => {
                    if !self.expect(|token| token == kind)? {
                        let place = self.place(Value::Token(self.mark as u32));
                        return Err(self.error_at(place, format!("expected '{text}'")));
                    }
                    true
                }
                Op::ListBegin => {
                    self.lists.push(Vec::new());
                    self.level += 1;
                    true
                }
                Op::ListPush => {
                    if let Some(list) = self.lists.last_mut() {
                        list.push(self.result);
                    }
                    true
                }
                Op::ListEnd => {
                    let list = self.lists.pop().unwrap_or_default();
                    self.level -= 1;
                    self.result = self.make_list(&list);
                    true
                }
                Op::Null => {
                    self.result = Value::Null;
                    true
                }
                Op::Bind(slot) => {
                    let base = self.slot_base();
                    self.slots[base + usize::from(slot)] = self.result;
                    true
                }
                Op::Load(slot) => {
                    self.result = self.slot(slot);
                    true
                }
                Op::Action(index) => {
                    match self.act(&grammar.actions[usize::from(index)])? {
                        Some(value) => self.result = value,
                        None => {
                            // An action without value ends the rule: no further alternative is tried.
                            self.stack.truncate(self.frame as usize + 1);
                            if !self.fail(&mut pc) {
                                return Ok(false);
                            }
                        }
                    }
                    true
                }
            };
            if !succeeded && !self.fail(&mut pc) {
                return Ok(false);
            }
        }
    }

    /// Enters a rule, unless its result is known. Gives `false` if it is known to fail.
    fn call(&mut self, rule: u16, pc: &mut u32, without_invalid: u16) -> bool {
        let definition = &self.grammar.rules[usize::from(rule)];
        if definition.memo
            && let Some(memos) = self.memo.get(self.mark)
            && let Some(memo) = memos.iter().find(|memo| memo.rule == rule)
        {
            return match memo.result {
                Some((value, end)) => {
                    self.result = value;
                    self.mark = end as usize;
                    true
                }
                None => false,
            };
        }
        let level = self.level;
        self.level += if definition.left { 2 } else { 1 };
        if self.level > MAXSTACK {
            self.overflowed = true;
            return false;
        }
        let slots = self.slots.len();
        self.slots.resize(slots + usize::from(definition.slots), Value::Null);
        self.stack.push(Entry::Frame {
            return_to: *pc,
            rule,
            mark: self.mark as u32,
            slots: slots as u32,
            outer: self.frame,
            level,
            call_invalid_rules: self.call_invalid_rules,
        });
        self.frame = self.stack.len() as u32 - 1;
        if rule == without_invalid {
            self.call_invalid_rules = false;
        }
        *pc = definition.entry;
        true
    }

    /// Leaves the current rule, whose frame is on top of the stack.
    fn finish_rule(&mut self, value: Option<Value>, pc: &mut u32) {
        if let Some(Entry::Frame { return_to, rule, mark, slots, outer, level, call_invalid_rules }) = self.stack.pop()
        {
            if self.grammar.rules[usize::from(rule)].memo {
                let mark = mark as usize;
                if self.memo.len() <= mark {
                    self.memo.resize_with(mark + 1, Vec::new);
                }
                self.memo[mark].push(Memo { rule, result: value.map(|value| (value, self.mark as u32)) });
            }
            self.slots.truncate(slots as usize);
            self.frame = outer;
            self.level = level;
            self.call_invalid_rules = call_invalid_rules;
            *pc = return_to;
        }
    }

    /// Goes back to the newest choice. Gives `false` if there is none.
    fn fail(&mut self, pc: &mut u32) -> bool {
        loop {
            match self.stack.last() {
                None => return false,
                Some(Entry::Frame { .. }) => self.finish_rule(None, pc),
                Some(&Entry::Choice { address, mark, frame, lists, level }) => {
                    self.stack.pop();
                    *pc = address;
                    self.mark = mark as usize;
                    self.frame = frame;
                    self.lists.truncate(lists as usize);
                    self.level = level;
                    return true;
                }
            }
        }
    }

    // Tokens

    /// The token at the current position.
    pub(super) fn token(&mut self) -> Result<Token, Raised> {
        if self.mark == self.tokens.len() {
            self.fill()?;
        }
        Ok(self.tokens[self.mark])
    }

    fn take(&mut self) -> bool {
        self.result = Value::Token(self.mark as u32);
        self.mark += 1;
        true
    }

    fn expect(&mut self, matches: impl FnOnce(TokenKind) -> bool) -> Result<bool, Raised> {
        Ok(matches(self.token()?.kind) && self.take())
    }

    fn fill(&mut self) -> Result<(), Raised> {
        let mut token = self.tokenizer.next_token();
        while token.kind == T::TypeIgnore {
            token = self.tokenizer.next_token();
        }
        if self.options.mode == Mode::Single && token.kind == T::EndMarker && self.parsing_started {
            token.kind = T::Newline;
            self.parsing_started = false;
            if self.tokenizer.indent_depth() > 0 && !self.options.dont_imply_dedent {
                self.tokenizer.close_blocks();
            }
        } else {
            self.parsing_started = true;
        }
        self.tokens.push(token);
        if token.kind == T::ErrorToken {
            return Err(self.tokenizer_error());
        }
        Ok(())
    }

    pub(super) fn text(&self, token: &Token) -> &'s str {
        &self.tokenizer.source()[token.start as usize..token.end as usize]
    }

    pub(super) fn text_at(&self, index: usize) -> &'s str {
        self.text(&self.tokens[index])
    }

    // Values

    fn slot_base(&self) -> usize {
        match self.stack.get(self.frame as usize) {
            Some(Entry::Frame { slots, .. }) => *slots as usize,
            _ => 0,
        }
    }

    pub(super) fn slot(&self, slot: u8) -> Value {
        self.slots[self.slot_base() + usize::from(slot)]
    }

    pub(super) fn make_list(&mut self, values: &[Value]) -> Value {
        let start = self.pool.len() as u32;
        self.pool.extend_from_slice(values);
        Value::List(start, self.pool.len() as u32)
    }

    /// Makes a node of what the current rule has consumed.
    pub(super) fn make_node(&mut self, kind: Kind, children: &[Value]) -> Value {
        let mark = match self.stack.get(self.frame as usize) {
            Some(Entry::Frame { mark, .. }) => *mark as usize,
            _ => 0,
        };
        let mut flat = Vec::new();
        for &child in children {
            match child {
                Value::Null => {}
                Value::List(start, end) => flat.extend_from_slice(&self.pool[start as usize..end as usize]),
                _ => flat.push(child),
            }
        }
        let Value::List(start, end) = self.make_list(&flat) else { return Value::Null };
        self.nodes.push(Node { kind, place: self.place_since(mark), children: (start, end) });
        Value::Node(self.nodes.len() as u32 - 1)
    }

    /// From the token at `mark` to the last token of substance before the current position.
    fn place_since(&self, mark: usize) -> Place {
        let Some(first) = self.tokens.get(mark) else {
            return Place { lineno: 0, col_offset: 0, end_lineno: 0, end_col_offset: 0 };
        };
        let substance = |token: &&Token| !matches!(token.kind, T::EndMarker | T::Newline | T::Indent | T::Dedent);
        let last = self.tokens[..self.mark].iter().rev().find(substance).unwrap_or(first);
        Place {
            lineno: first.lineno.into(),
            col_offset: first.col_offset.into(),
            end_lineno: last.end_lineno.into(),
            end_col_offset: last.end_col_offset.into(),
        }
    }

    pub(super) fn kind(&self, value: Value) -> Kind {
        match value {
            Value::Node(index) => self.nodes[index as usize].kind,
            Value::Token(index) => match self.tokens[index as usize].kind {
                T::Number => Kind::Literal,
                kind if kind.is_name() => Kind::Name,
                _ => Kind::Other,
            },
            Value::List(..) | Value::Null => Kind::Other,
        }
    }

    pub(super) fn children(&self, value: Value) -> &[Value] {
        let (start, end) = match value {
            Value::Node(index) => self.nodes[index as usize].children,
            Value::List(start, end) => (start, end),
            Value::Token(_) | Value::Null => return &[],
        };
        &self.pool[start as usize..end as usize]
    }

    pub(super) fn place(&self, value: Value) -> Place {
        match value {
            Value::Node(index) => self.nodes[index as usize].place,
            Value::Token(index) => {
                let token = &self.tokens[index as usize];
                Place {
                    lineno: token.lineno.into(),
                    col_offset: token.col_offset.into(),
                    end_lineno: token.end_lineno.into(),
                    end_col_offset: token.end_col_offset.into(),
                }
            }
            Value::List(..) => match *self.children(value) {
                [first, .., last] => {
                    let (first, last) = (self.place(first), self.place(last));
                    Place { end_lineno: last.end_lineno, end_col_offset: last.end_col_offset, ..first }
                }
                [only] => self.place(only),
                [] => Place { lineno: 0, col_offset: 0, end_lineno: 0, end_col_offset: 0 },
            },
            Value::Null => Place { lineno: 0, col_offset: 0, end_lineno: 0, end_col_offset: 0 },
        }
    }

    fn act(&mut self, action: &'static Action) -> Result<Option<Value>, Raised> {
        let value = match &action.make {
            Make::Value(slot) => Some(self.slot(*slot)),
            Make::Node(kind, slots) => {
                let children: Vec<Value> = slots.iter().map(|&slot| self.slot(slot)).collect();
                Some(self.make_node(*kind, &children))
            }
            Make::Function(name, slots) => {
                let values: Vec<Value> = slots.iter().map(|&slot| self.slot(slot)).collect();
                self.function(name, &values)?
            }
            Make::Error(..) if action.since.is_some_and(|(minor, _)| self.options.feature_version < minor) => None,
            Make::Error(place, message) => return Err(self.grammar_error(place, message)),
            Make::Fail => None,
        };
        if let Some((minor, feature)) = action.since
            && self.options.feature_version < minor
        {
            return Err(self.error_last(format!("{feature} only supported in Python 3.{minor} and greater")));
        }
        Ok(value)
    }

    /// Takes note of a compound statement that has been parsed.
    pub(super) fn note_statement(&mut self, statement: Value) {
        let Place { lineno, col_offset, .. } = self.place(statement);
        if lineno >= self.last_statement.0.into() {
            self.last_statement = (lineno as u32, col_offset as u32);
        }
    }

    /// A warning about the body of a literal, `before` bytes into its token. The parser has given those of the first
    /// pass; in the second only what the rules for invalid code are not tried on makes CPython warn.
    pub(super) fn note_invalid_escape(
        &mut self,
        index: u32,
        before: usize,
        body: &str,
        invalid: Option<InvalidEscape>,
    ) {
        let Some(escape) = invalid else { return };
        if !self.second_pass || self.call_invalid_rules {
            return;
        }
        let token = self.tokens[index as usize];
        // The tokeniser has warned about these itself.
        if token.kind != T::String && matches!(body.as_bytes().get(escape.at + 1), Some(b'{' | b'}')) {
            return;
        }
        let body_start = token.start as usize + before;
        let warning = invalid_escape_warning(self.tokenizer.source(), &token, body_start, body, escape);
        self.warnings.push(warning);
    }

    pub(super) fn take_warnings(&mut self) -> Vec<Warning> {
        let mut warnings = self.tokenizer.take_warnings();
        warnings.append(&mut self.warnings);
        warnings.sort_by_key(|warning| (warning.lineno, warning.error.offset));
        warnings
    }

    pub(super) fn metadata(&self) -> Metadata {
        let (lineno, col_offset) = self.last_statement;
        let source = self.options.file.is_none().then(|| self.tokenizer.source().to_owned());
        Metadata { lineno, col_offset, source }
    }

    fn check_name(&self) -> Result<bool, Raised> {
        match constant_of_name(self.text_at(self.mark - 1)) {
            None => Ok(true),
            Some(constant) => {
                let message = format!("identifier field can't represent '{constant}' constant");
                Err(Box::new(SyntaxError::bare(ErrorKind::ValueError, message)))
            }
        }
    }

    fn check_number(&mut self) -> Result<bool, Raised> {
        let index = self.mark - 1;
        let text = self.text_at(index);
        if self.options.feature_version < 6 && text.contains('_') {
            return Err(self.error_last(
                "Underscores in numeric literals are only supported in Python 3.6 and greater".to_owned(),
            ));
        }
        let limit = self.options.int_max_str_digits;
        if let Some(digits) = crate::literal::too_many_digits(text, limit) {
            let token = self.tokens[index];
            let place = Place {
                lineno: token.lineno.into(),
                col_offset: -1,
                end_lineno: token.end_lineno.into(),
                end_col_offset: -1,
            };
            return Err(self.error_at(
                place,
                format!(
                    "Exceeds the limit ({limit} digits) for integer string conversion: value has {digits} digits; \
                     use sys.set_int_max_str_digits() to increase the limit - Consider hexadecimal for huge integer \
                     literals to avoid decimal conversion limits."
                ),
            ));
        }
        Ok(true)
    }

    /// Whether the tokeniser is still in order and before the end.
    pub(super) fn tokenizer_is_ok(&self) -> bool {
        matches!(self.tokenizer.status(), Status::Ok)
    }
}
