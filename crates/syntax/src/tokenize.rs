//! Tokens as the `tokenize` module shows them: counterpart of CPython's `_tokenize.TokenizerIter`.

use crate::error::{ErrorKind, SyntaxError, Warning};
use crate::token::TokenKind as T;
use crate::tokenizer::{Options, Status, Tokenizer};

/// The number of the `OP` token type.
const OP: u32 = 55;

/// One item of a `TokenizerIter`. Columns count characters; −1 stands for none.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TokenInfo<'s> {
    /// The token type's number in the `token` module.
    pub kind: u32,
    pub text: &'s str,
    pub start: (u32, i32),
    pub end: (u32, i32),
    /// The physical line, or lines, the token is on.
    pub line: &'s str,
}

/// What cannot be a token.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TokenizeError {
    pub error: SyntaxError,
    pub place: Place,
}

/// How the exception shows where it happened.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Place {
    /// Start and end in `args`.
    Whole,
    /// The start in `args`, and no end.
    Start,
    /// The start in the attributes alone, and no text.
    Attributes,
}

/// Iterator over the tokens of a source. It ends after `ENDMARKER` or an error.
#[derive(Clone, Debug)]
struct TokenizerIter<'s> {
    tokenizer: Tokenizer<'s>,
    source: &'s str,
    extra_tokens: bool,
    implicit_newline: bool,
    finished: bool,
    /// The line on which the last token before the source's end began.
    last_lineno: u32,
    /// The line looked at last.
    seen: SourceLine,
}

/// A line, or the rest of one.
#[derive(Clone, Copy, Debug)]
struct SourceLine {
    start: usize,
    /// Past its newline.
    end: usize,
    is_ascii: bool,
}

/// The number of characters: of bytes that do not continue one.
fn char_count(text: &str) -> i32 {
    text.bytes().filter(|byte| byte & 0xC0 != 0x80).count() as i32
}

impl<'s> TokenizerIter<'s> {
    fn new(tokenizer: Tokenizer<'s>, extra_tokens: bool, implicit_newline: bool, last_lineno: u32) -> Self {
        let source = tokenizer.source();
        // No line starts there.
        let seen = SourceLine { start: usize::MAX, end: 0, is_ascii: false };
        TokenizerIter { tokenizer, source, extra_tokens, implicit_newline, finished: false, last_lineno, seen }
    }

    /// The line that starts at a byte.
    fn line_at(&mut self, start: usize) -> SourceLine {
        if self.seen.start != start {
            let rest = &self.source.as_bytes()[start..];
            let length = memchr::memchr(b'\n', rest).map_or(rest.len(), |at| at + 1);
            self.seen = SourceLine { start, end: start + length, is_ascii: rest[..length].is_ascii() };
        }
        self.seen
    }

    /// The end of the line that the tokeniser is on, past its newline.
    fn input_end(&mut self) -> usize {
        self.line_at(self.tokenizer.line_start()).end
    }

    /// The number of characters between a line's start and a byte.
    fn column(&mut self, byte: usize, col_offset: i32) -> i32 {
        let Ok(bytes) = usize::try_from(col_offset) else { return -1 };
        let start = byte.saturating_sub(bytes);
        let line = self.line_at(start);
        if line.is_ascii && byte <= line.end { (byte - start) as i32 } else { char_count(&self.source[start..byte]) }
    }

    /// Whether the last item, whose kind is `last`, might be another if the source went on.
    fn is_at_end(&self, last: Option<u32>) -> bool {
        if matches!(self.tokenizer.status(), Status::Dedent | Status::TabSpace | Status::TooDeep) {
            return false;
        }
        let ends_line = last == Some(T::Newline.number()) || last == Some(T::Nl.number());
        self.finished
            || matches!(self.tokenizer.status(), Status::Eof | Status::EofAfterBackslash)
            || self.tokenizer.pos() == self.source.len() && !ends_line
    }

    fn error(&mut self) -> TokenizeError {
        let end = self.input_end();
        let buffer = &self.source[self.tokenizer.buffer_start()..end];
        let (kind, message) = match self.tokenizer.status() {
            Status::Error(error) => return TokenizeError { error: (**error).clone(), place: Place::Whole },
            Status::Ok | Status::Eof | Status::EofAfterBackslash => {
                let after_backslash = matches!(self.tokenizer.status(), Status::EofAfterBackslash);
                // CPython counts what its buffer holds.
                let held = self.tokenizer.inside_fstring() || after_backslash && !self.tokenizer.ended_in_indentation();
                let error = SyntaxError {
                    lineno: self.tokenizer.lineno().into(),
                    offset: if held { buffer.len() as i64 } else { 0 },
                    ..SyntaxError::bare(ErrorKind::SyntaxError, "unexpected EOF in multi-line statement")
                };
                return TokenizeError { error, place: Place::Attributes };
            }
            Status::Dedent => (ErrorKind::IndentationError, "unindent does not match any outer indentation level"),
            Status::TabSpace => (ErrorKind::TabError, "inconsistent use of tabs and spaces in indentation"),
            Status::TooDeep => (ErrorKind::IndentationError, "too many levels of indentation"),
            Status::LineContinuation => {
                (ErrorKind::SyntaxError, "unexpected character after line continuation character")
            }
        };
        let error = SyntaxError {
            lineno: self.tokenizer.lineno().into(),
            offset: buffer.chars().count() as i64,
            text: Some(buffer.strip_suffix('\n').unwrap_or(buffer).to_owned()),
            located: true,
            ..SyntaxError::bare(kind, message)
        };
        TokenizeError { error, place: Place::Start }
    }
}

impl<'s> Iterator for TokenizerIter<'s> {
    type Item = Result<TokenInfo<'s>, TokenizeError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.finished {
            return None;
        }
        let token = self.tokenizer.next_token();
        if token.kind == T::ErrorToken {
            self.finished = true;
            return Some(Err(self.error()));
        }
        self.finished = token.kind == T::EndMarker;
        if self.finished && self.source.is_empty() && !self.extra_tokens {
            return None;
        }
        let at_end = matches!(self.tokenizer.status(), Status::Eof);
        let trailing = self.finished || (token.kind == T::Dedent && at_end);
        let (start, end) = (token.start as usize, token.end as usize);
        let mut info = TokenInfo {
            kind: token.kind.number(),
            text: &self.source[start..end],
            start: (token.lineno, self.column(start, token.col_offset)),
            end: (token.end_lineno, self.column(end, token.end_col_offset)),
            line: "",
        };
        if matches!(token.kind, T::FStringMiddle | T::TStringMiddle) {
            // To the parser the token ends behind the second of two braces.
            let line_start = memchr::memrchr(b'\n', &self.source.as_bytes()[..end]).map_or(0, |newline| newline + 1);
            info.end.1 = char_count(&self.source[line_start..end]);
        }
        if token.kind == T::Newline && !self.extra_tokens {
            // The newline is no part of the text.
            info.end.1 = info.start.1 + char_count(info.text);
        }
        let on_implicit_newline = self.implicit_newline && self.input_end() == self.source.len();
        // Behind the end there is no line, but CPython remembers the one of the token before.
        if !trailing || !self.extra_tokens && token.lineno == self.last_lineno {
            let line_start = match usize::try_from(token.col_offset) {
                Ok(column) => start - column.min(start),
                Err(_) => self.tokenizer.line_start(),
            };
            let end = self.input_end();
            let line = &self.source[line_start..end];
            info.line = if on_implicit_newline { line.strip_suffix('\n').unwrap_or(line) } else { line };
        }
        if !trailing {
            self.last_lineno = token.lineno;
        }
        if self.extra_tokens {
            if trailing {
                info.start = (token.lineno + 1, 0);
                info.end = info.start;
            }
            match token.kind {
                kind if kind.is_operator() => info.kind = OP,
                T::Newline => {
                    // The token's text so far is empty or a carriage return.
                    info.end = (token.end_lineno, info.start.1 + 1 + info.text.len() as i32);
                    if !on_implicit_newline {
                        info.text = &self.source[start..end + 1];
                    }
                }
                T::Nl if on_implicit_newline => info.text = "",
                _ => {}
            }
        }
        Some(Ok(info))
    }
}

/// A tokeniser that is given its source line by line, as it asks for it. The tokens that the lines so far tell are made
/// at once.
#[derive(Debug)]
pub struct LineTokenizer {
    source: String,
    /// The state behind the last token made, without the source. It is there between steps.
    state: Option<Tokenizer<'static>>,
    /// The state before the first of the tokens that are being made.
    before: Tokenizer<'static>,
    /// What has been made, and how much of it has been given out.
    made: Vec<Made>,
    given: usize,
    extra_tokens: bool,
    implicit_newline: bool,
    /// The lines so far tell no more tokens.
    starved: bool,
    /// There are no more lines.
    exhausted: bool,
    finished: bool,
    last_lineno: u32,
    /// What is wrong with the last line, which holds a NUL.
    null_byte: Option<SyntaxError>,
}

/// An item, and the warnings that came with it.
#[derive(Debug)]
struct Made {
    item: Item,
    /// Nothing follows.
    is_last: bool,
    warnings: Vec<Warning>,
}

/// As a [`Step`], with texts as places in the source.
#[derive(Debug)]
enum Item {
    Token { info: TokenInfo<'static>, text: (usize, usize), line: (usize, usize) },
    Error(Box<TokenizeError>),
    End,
}

/// What a [`LineTokenizer`] answers.
#[derive(Debug)]
pub enum Step<'t> {
    Token(TokenInfo<'t>),
    /// [`LineTokenizer::push_line`] must be called first.
    NeedsLine,
    Error(TokenizeError),
    End,
}

/// How many tokens are made at once at most.
const BATCH: usize = 256;

impl LineTokenizer {
    pub fn new(extra_tokens: bool) -> LineTokenizer {
        let options = Options { type_comments: false, extra_tokens };
        LineTokenizer {
            source: String::new(),
            state: Some(Tokenizer::new("", options)),
            before: Tokenizer::new("", options),
            made: Vec::new(),
            given: 0,
            extra_tokens,
            implicit_newline: false,
            starved: false,
            exhausted: false,
            finished: false,
            last_lineno: 0,
            null_byte: None,
        }
    }

    /// Adds a line; an empty one ends the source.
    pub fn push_line(&mut self, line: &str) {
        self.starved = false;
        if line.is_empty() {
            self.exhausted = true;
            return;
        }
        if let Some(at) = memchr::memchr(0, line.as_bytes()) {
            let lineno = memchr::memchr_iter(b'\n', self.source.as_bytes()).count() as i64 + 1;
            self.null_byte = Some(SyntaxError {
                lineno,
                offset: 0,
                text: Some(line[..at].to_owned()),
                end_lineno: lineno,
                end_offset: 0,
                located: true,
                ..SyntaxError::bare(ErrorKind::SyntaxError, "source code cannot contain null bytes")
            });
            return;
        }
        self.source.push_str(line);
        self.implicit_newline = !line.ends_with('\n');
        if self.implicit_newline {
            self.source.push('\n');
        }
    }

    /// The warnings about what the last step gave.
    pub fn take_warnings(&mut self) -> Vec<Warning> {
        let last = self.given.checked_sub(1).and_then(|last| self.made.get_mut(last));
        last.map(|made| std::mem::take(&mut made.warnings)).unwrap_or_default()
    }

    /// The next token, if the lines so far tell it.
    pub fn step(&mut self) -> Step<'_> {
        if self.finished {
            return Step::End;
        }
        if let Some(error) = self.null_byte.take() {
            self.finished = true;
            return Step::Error(TokenizeError { error, place: Place::Whole });
        }
        if self.given == self.made.len() {
            self.made.clear();
            self.given = 0;
            if !self.starved {
                self.make_tokens();
            }
            if self.made.is_empty() {
                return Step::NeedsLine;
            }
        }
        let made = &self.made[self.given];
        self.given += 1;
        self.finished = made.is_last;
        match &made.item {
            Item::Token { info, text, line } => {
                let text = &self.source[text.0..text.1];
                Step::Token(TokenInfo { text, line: &self.source[line.0..line.1], ..*info })
            }
            Item::Error(error) => Step::Error(TokenizeError::clone(error)),
            Item::End => Step::End,
        }
    }

    /// Makes the tokens that the lines so far tell; knows afterwards whether those were all.
    fn make_tokens(&mut self) {
        let state = self.state.take().expect("no step is under way");
        self.before.copy_from(&state);
        let source = self.source.as_str();
        let over_source = |state: Tokenizer<'static>, last_lineno| {
            TokenizerIter::new(state.over(source), self.extra_tokens, self.implicit_newline, last_lineno)
        };
        let mut tokens = over_source(state, self.last_lineno);
        while self.made.len() < BATCH {
            let item = tokens.next();
            let kind = match &item {
                Some(Ok(token)) => Some(token.kind),
                _ => None,
            };
            if !self.exhausted && tokens.is_at_end(kind) {
                // It may turn out to be another. Back to the state before it, by making those before it once more.
                tokens = over_source(self.before.clone(), self.last_lineno);
                tokens.by_ref().take(self.made.len()).for_each(drop);
                self.starved = true;
                break;
            }
            let is_last = tokens.finished || item.is_none();
            let place = |text: &str| {
                let start = (text.as_ptr() as usize).wrapping_sub(source.as_ptr() as usize);
                if text.is_empty() { (0, 0) } else { (start, start + text.len()) }
            };
            let item = match item {
                Some(Ok(token)) => Item::Token {
                    text: place(token.text),
                    line: place(token.line),
                    info: TokenInfo { text: "", line: "", ..token },
                },
                Some(Err(error)) => Item::Error(Box::new(error)),
                None => Item::End,
            };
            self.made.push(Made { item, is_last, warnings: tokens.tokenizer.take_warnings() });
            if is_last {
                break;
            }
            let ends_line = kind == Some(T::Newline.number()) || kind == Some(T::Nl.number());
            if !self.exhausted && ends_line && tokens.tokenizer.has_consumed_source() {
                self.starved = true;
                break;
            }
        }
        self.last_lineno = tokens.last_lineno;
        tokens.tokenizer.take_warnings();
        self.state = Some(tokens.tokenizer.over(""));
    }
}
