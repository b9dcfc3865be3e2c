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
}

/// The number of characters: of bytes that do not continue one.
fn char_count(text: &str) -> i32 {
    text.bytes().filter(|byte| byte & 0xC0 != 0x80).count() as i32
}

impl<'s> TokenizerIter<'s> {
    /// The end of the line that the tokeniser is on, past its newline.
    fn input_end(&self) -> usize {
        let start = self.tokenizer.line_start();
        memchr::memchr(b'\n', &self.source.as_bytes()[start..]).map_or(self.source.len(), |at| start + at + 1)
    }

    /// The number of characters between a line's start and a byte.
    fn column(&self, byte: usize, col_offset: i32) -> i32 {
        match usize::try_from(col_offset) {
            Ok(bytes) => char_count(&self.source[byte.saturating_sub(bytes)..byte]),
            Err(_) => -1,
        }
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

    fn error(&self) -> TokenizeError {
        let buffer = &self.source[self.tokenizer.buffer_start()..self.input_end()];
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
            let line = &self.source[line_start..self.input_end()];
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

/// A tokeniser that is given its source line by line, as it asks for it.
#[derive(Debug)]
pub struct LineTokenizer {
    source: String,
    /// The state behind the last token, without the source. It is there between steps.
    state: Option<Tokenizer<'static>>,
    /// The state to go back to if a step needs more lines.
    before: Tokenizer<'static>,
    extra_tokens: bool,
    implicit_newline: bool,
    /// There are no more lines.
    exhausted: bool,
    finished: bool,
    last_lineno: u32,
    /// What is wrong with the last line, which holds a NUL.
    null_byte: Option<SyntaxError>,
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

impl LineTokenizer {
    pub fn new(extra_tokens: bool) -> LineTokenizer {
        let options = Options { type_comments: false, extra_tokens };
        LineTokenizer {
            source: String::new(),
            state: Some(Tokenizer::new("", options)),
            before: Tokenizer::new("", options),
            extra_tokens,
            implicit_newline: false,
            exhausted: false,
            finished: false,
            last_lineno: 0,
            null_byte: None,
        }
    }

    /// Adds a line; an empty one ends the source.
    pub fn push_line(&mut self, line: &str) {
        if line.is_empty() {
            self.exhausted = true;
            return;
        }
        if let Some((before, _)) = line.split_once('\0') {
            let lineno = memchr::memchr_iter(b'\n', self.source.as_bytes()).count() as i64 + 1;
            self.null_byte = Some(SyntaxError {
                lineno,
                offset: 0,
                text: Some(before.to_owned()),
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

    /// The warnings about what has been read since the last call.
    pub fn take_warnings(&mut self) -> Vec<Warning> {
        self.state.as_mut().map(Tokenizer::take_warnings).unwrap_or_default()
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
        let state = self.state.take().expect("no step is under way");
        self.before.copy_from(&state);
        let mut tokens = TokenizerIter {
            tokenizer: state.over(&self.source),
            source: &self.source,
            extra_tokens: self.extra_tokens,
            implicit_newline: self.implicit_newline,
            finished: false,
            last_lineno: self.last_lineno,
        };
        let item = tokens.next();
        let kind = match &item {
            Some(Ok(token)) => Some(token.kind),
            _ => None,
        };
        let needs_line = !self.exhausted && tokens.is_at_end(kind);
        let (finished, last_lineno) = (tokens.finished, tokens.last_lineno);
        let mut state = tokens.tokenizer.over("");
        if needs_line {
            std::mem::swap(&mut state, &mut self.before);
        }
        self.state = Some(state);
        if needs_line {
            return Step::NeedsLine;
        }
        (self.finished, self.last_lineno) = (finished, last_lineno);
        match item {
            Some(Ok(token)) => Step::Token(token),
            Some(Err(error)) => Step::Error(error),
            None => Step::End,
        }
    }
}
