//! Tokens as the `tokenize` module shows them: counterpart of CPython's `_tokenize.TokenizerIter`.

use crate::error::{ErrorKind, SyntaxError, Warning};
use crate::token::{Token, TokenKind as T};
use crate::tokenizer::{Options, Status, Tokenizer};

/// The number of the `NAME` token type.
const NAME: u32 = 1;
/// The number of the `OP` token type.
const OP: u32 = 55;

/// One item of a `TokenizerIter`. Columns count characters; −1 stands for none.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TokenInfo<'s> {
    /// The token type's number in the `token` module.
    pub kind: u32,
    pub text: &'s str,
    pub start: (u32, i32),
    pub end: (u32, i32),
    /// The physical line, or lines, the token is on.
    pub line: &'s str,
    /// Where in the source that is: the same place is the same text.
    pub line_place: TextRange,
}

/// The start and the end of a text in the source.
pub type TextRange = (u32, u32);

/// As a [`TokenInfo`], with texts as places in the source.
#[derive(Clone, Copy, Debug)]
struct PlacedToken {
    kind: u32,
    text: TextRange,
    start: (u32, i32),
    end: (u32, i32),
    line: TextRange,
}

fn text_at(source: &str, (start, end): TextRange) -> &str {
    &source[start as usize..end as usize]
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
    #[inline(always)]
    fn line_at(&mut self, start: usize) -> SourceLine {
        if self.seen.start != start {
            self.see_line(start);
        }
        self.seen
    }

    #[inline(never)]
    fn see_line(&mut self, start: usize) {
        let rest = &self.source.as_bytes()[start..];
        let length = memchr::memchr(b'\n', rest).map_or(rest.len(), |at| at + 1);
        self.seen = SourceLine { start, end: start + length, is_ascii: rest[..length].is_ascii() };
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

    /// A token that its line alone tells all about: one of ASCII, which is not the source's last, and no token that
    /// `tokenize` shows otherwise than the parser sees it.
    #[inline]
    fn simple(&mut self, token: &Token) -> Option<PlacedToken> {
        let kind = match token.kind {
            kind if kind.is_operator() => {
                if self.extra_tokens {
                    OP
                } else {
                    kind.number()
                }
            }
            kind if kind.is_name() || kind.is_keyword() => NAME,
            kind @ (T::Number | T::String | T::Comment) => kind.number(),
            _ => return None,
        };
        let line_start = self.tokenizer.line_start();
        let line = self.line_at(line_start);
        if !line.is_ascii
            || token.lineno != token.end_lineno
            || token.start as usize != line_start + token.col_offset as usize
            || line.end == self.source.len() && self.implicit_newline
        {
            return None;
        }
        self.last_lineno = token.lineno;
        Some(PlacedToken {
            kind,
            text: (token.start, token.end),
            start: (token.lineno, token.col_offset),
            end: (token.end_lineno, token.end_col_offset),
            line: (line_start as u32, line.end as u32),
        })
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

    #[cold]
    fn error(&mut self) -> Box<TokenizeError> {
        Box::new(self.error_at_end())
    }

    fn error_at_end(&mut self) -> TokenizeError {
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

impl Iterator for TokenizerIter<'_> {
    type Item = Result<PlacedToken, Box<TokenizeError>>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.finished {
            return None;
        }
        let token = self.tokenizer.next_token();
        if token.kind == T::ErrorToken {
            self.finished = true;
            return Some(Err(self.error()));
        }
        if let Some(placed) = self.simple(&token) {
            return Some(Ok(placed));
        }
        self.finished = token.kind == T::EndMarker;
        if self.finished && self.source.is_empty() && !self.extra_tokens {
            return None;
        }
        let at_end = matches!(self.tokenizer.status(), Status::Eof);
        let trailing = self.finished || (token.kind == T::Dedent && at_end);
        let (start, end) = (token.start as usize, token.end as usize);
        let mut placed = PlacedToken {
            kind: token.kind.number(),
            text: (token.start, token.end),
            start: (token.lineno, self.column(start, token.col_offset)),
            end: (token.end_lineno, self.column(end, token.end_col_offset)),
            line: (0, 0),
        };
        if matches!(token.kind, T::FStringMiddle | T::TStringMiddle) {
            // To the parser the token ends behind the second of two braces.
            let line_start = memchr::memrchr(b'\n', &self.source.as_bytes()[..end]).map_or(0, |newline| newline + 1);
            placed.end.1 = char_count(&self.source[line_start..end]);
        }
        if token.kind == T::Newline && !self.extra_tokens {
            // The newline is no part of the text.
            placed.end.1 = placed.start.1 + char_count(&self.source[start..end]);
        }
        let input_end = self.input_end();
        let on_implicit_newline = self.implicit_newline && input_end == self.source.len();
        // Behind the end there is no line, but CPython remembers the one of the token before.
        if !trailing || !self.extra_tokens && token.lineno == self.last_lineno {
            let line_start = match usize::try_from(token.col_offset) {
                Ok(column) => start - column.min(start),
                Err(_) => self.tokenizer.line_start(),
            };
            let without_newline =
                on_implicit_newline && line_start < input_end && self.source.as_bytes()[input_end - 1] == b'\n';
            placed.line = (line_start as u32, (input_end - usize::from(without_newline)) as u32);
        }
        if !trailing {
            self.last_lineno = token.lineno;
        }
        if self.extra_tokens {
            if trailing {
                placed.start = (token.lineno + 1, 0);
                placed.end = placed.start;
            }
            match token.kind {
                kind if kind.is_operator() => placed.kind = OP,
                T::Newline => {
                    // The token's text so far is empty or a carriage return.
                    placed.end = (token.end_lineno, placed.start.1 + 1 + (end - start) as i32);
                    if !on_implicit_newline {
                        placed.text.1 += 1;
                    }
                }
                T::Nl if on_implicit_newline => placed.text.1 = placed.text.0,
                _ => {}
            }
        }
        Some(Ok(placed))
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
    /// The tokens that have been made, and how many of them have been given out.
    made: Vec<PlacedToken>,
    given: usize,
    /// What follows the tokens made, if nothing does after that.
    end: Option<End>,
    /// Warnings, each with how many tokens have been given out when it is due.
    warnings: Vec<(usize, Warning)>,
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

/// The last of what a [`LineTokenizer`] gives.
#[derive(Debug)]
enum End {
    Error(Box<TokenizeError>),
    Tokens,
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
            end: None,
            warnings: Vec::new(),
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
    #[inline]
    pub fn take_warnings(&mut self) -> Vec<Warning> {
        if self.warnings.is_empty() { Vec::new() } else { self.take_due_warnings() }
    }

    #[cold]
    fn take_due_warnings(&mut self) -> Vec<Warning> {
        let due = self.warnings.iter().take_while(|(given, _)| *given <= self.given).count();
        self.warnings.drain(..due).map(|(_, warning)| warning).collect()
    }

    /// The next token, if the lines so far tell it.
    #[inline]
    pub fn step(&mut self) -> Step<'_> {
        if self.given == self.made.len()
            && let Some(step) = self.make_more()
        {
            return step;
        }
        let PlacedToken { kind, text, start, end, line } = self.made[self.given];
        self.given += 1;
        let (text, line_place) = (text_at(&self.source, text), line);
        Step::Token(TokenInfo { kind, text, start, end, line: text_at(&self.source, line), line_place })
    }

    /// Makes more tokens if there are any; what else is the answer.
    fn make_more(&mut self) -> Option<Step<'static>> {
        if self.finished {
            return Some(Step::End);
        }
        if let Some(error) = self.null_byte.take() {
            self.finished = true;
            return Some(Step::Error(TokenizeError { error, place: Place::Whole }));
        }
        if self.end.is_none() {
            self.made.clear();
            self.given = 0;
            if !self.starved {
                self.make_tokens();
            }
        }
        if self.given < self.made.len() {
            return None;
        }
        let Some(end) = self.end.take() else { return Some(Step::NeedsLine) };
        self.finished = true;
        Some(match end {
            End::Error(error) => Step::Error(*error),
            End::Tokens => Step::End,
        })
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
            match item {
                Some(Ok(token)) => {
                    self.made.push(token);
                    if !tokens.tokenizer.warnings().is_empty() {
                        let due = self.made.len();
                        self.warnings
                            .extend(tokens.tokenizer.take_warnings().into_iter().map(|warning| (due, warning)));
                    }
                }
                Some(Err(error)) => self.end = Some(End::Error(error)),
                None => self.end = Some(End::Tokens),
            }
            if tokens.finished {
                self.end.get_or_insert(End::Tokens);
            }
            if self.end.is_some() {
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
