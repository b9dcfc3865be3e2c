//! Positions and texts of errors, as CPython computes them.

use super::grammar::{Pick, Place as Target, Reference};
use super::machine::{Machine, Raised};
use super::node::{Place, Value};
use crate::error::{ErrorKind, SyntaxError};
use crate::token::Token;
use crate::tokenizer::Status;

/// Where a position is given as the tokeniser's current one.
const CURRENT_POS: i64 = -5;

pub(super) trait Reporter {
    fn error_at(&self, place: Place, message: String) -> Raised;
    fn error_last(&self, message: String) -> Raised;
    fn error_last_of_kind(&self, kind: ErrorKind, message: String) -> Raised;
    fn error_on_token(&self, kind: ErrorKind, token: &Token, message: String) -> Raised;
    fn error_from(&self, place: Place, message: String) -> Raised;
    fn grammar_error(&mut self, target: &Target, message: &str) -> Raised;
    fn tokenizer_error(&self) -> Raised;
    fn unclosed_bracket(&self) -> Option<Raised>;
}

/// The number of characters in the first `offset` bytes of a line.
fn character_offset(line: &str, offset: i64) -> i64 {
    let Ok(offset) = usize::try_from(offset) else { return 0 };
    if offset > line.len() {
        return line.chars().count() as i64 + 1;
    }
    String::from_utf8_lossy(&line.as_bytes()[..offset]).chars().count() as i64
}

impl Machine<'_, '_> {
    /// The line that an error shows. The tokeniser's current line comes with its newline.
    fn error_line(&self, lineno: i64) -> &str {
        let source = self.tokenizer.source();
        let line_end = |start: usize| memchr::memchr(b'\n', &source.as_bytes()[start..]).map(|at| start + at);
        if i64::from(self.tokenizer.lineno()) <= lineno {
            let start = self.tokenizer.line_start();
            let end = line_end(start).map_or(source.len(), |end| end + 1);
            return &source[start..end.max(self.tokenizer.input_end())];
        }
        let mut start = 0;
        for _ in 1..lineno {
            match line_end(start) {
                Some(end) => start = end + 1,
                None => break,
            }
        }
        &source[start..line_end(start).unwrap_or(source.len())]
    }

    /// Columns count from 1 here.
    fn known_location(
        &self,
        kind: ErrorKind,
        lineno: i64,
        col_offset: i64,
        mut end_lineno: i64,
        mut end_col_offset: i64,
        message: String,
    ) -> Raised {
        if end_lineno == CURRENT_POS {
            end_lineno = self.tokenizer.lineno().into();
        }
        if end_col_offset == CURRENT_POS {
            end_col_offset = self.tokenizer.pos() as i64 - self.tokenizer.line_start() as i64;
        }
        let line = self.error_line(lineno);
        Box::new(SyntaxError {
            kind,
            message,
            lineno,
            offset: character_offset(line, col_offset),
            text: Some(line.to_owned()),
            end_lineno,
            end_offset: if end_col_offset > 0 { character_offset(line, end_col_offset) } else { end_col_offset },
            filename_known: true,
            located: true,
            metadata: None,
        })
    }

    fn resolve(&self, reference: Reference) -> Value {
        let value = self.slot(reference.slot);
        let children = self.children(value);
        match reference.pick {
            Pick::Whole => value,
            Pick::First => children.first().copied().unwrap_or(value),
            Pick::Last => children.last().copied().unwrap_or(value),
            Pick::LastItem => self.last_comprehension_item(value),
        }
    }

    /// The last expression in a list of comprehension clauses.
    pub(super) fn last_comprehension_item(&self, clauses: Value) -> Value {
        let clause = self.children(clauses).last().copied().unwrap_or(clauses);
        self.children(clause).last().copied().unwrap_or(clause)
    }

    pub(super) fn range(&self, first: Value, last: Value) -> Place {
        let (first, last) = (self.place(first), self.place(last));
        Place { end_lineno: last.end_lineno, end_col_offset: last.end_col_offset, ..first }
    }

    /// Fills in what a message says about a value.
    fn worded(&self, message: &str, value: Option<Value>) -> String {
        let Some(value) = value else { return message.to_owned() };
        let mut message = message.replace("%e", self.kind(value).expr_name());
        if message.contains("%l") {
            message = message.replace("%l", &self.place(value).lineno.to_string());
        }
        if message.contains("%n")
            && let Value::Token(index) = value
        {
            message = message.replace("%n", self.text_at(index as usize));
        }
        message
    }
}

impl Reporter for Machine<'_, '_> {
    fn error_at(&self, place: Place, message: String) -> Raised {
        let Place { lineno, col_offset, end_lineno, end_col_offset } = place;
        self.known_location(ErrorKind::SyntaxError, lineno, col_offset + 1, end_lineno, end_col_offset + 1, message)
    }

    /// An error at the last token that was read.
    fn error_last(&self, message: String) -> Raised {
        self.error_last_of_kind(ErrorKind::SyntaxError, message)
    }

    fn error_last_of_kind(&self, kind: ErrorKind, message: String) -> Raised {
        match self.tokens.last() {
            Some(token) => self.error_on_token(kind, token, message),
            None => self.known_location(kind, 0, 0, 0, -1, message),
        }
    }

    fn error_on_token(&self, kind: ErrorKind, token: &Token, message: String) -> Raised {
        let col_offset = if self.tokenizer.ended_in_indentation() && self.options.file.is_some() {
            // CPython has thrown away the buffer of a file's last line.
            0
        } else if token.col_offset == -1 {
            self.tokenizer.pos() as i64 - self.tokenizer.line_start() as i64
        } else {
            i64::from(token.col_offset) + 1
        };
        let end_col_offset = if token.end_col_offset == -1 { -1 } else { i64::from(token.end_col_offset) + 1 };
        self.known_location(kind, token.lineno.into(), col_offset, token.end_lineno.into(), end_col_offset, message)
    }

    /// An error from a place to where the tokeniser is.
    fn error_from(&self, place: Place, message: String) -> Raised {
        let Place { lineno, col_offset, .. } = place;
        self.known_location(ErrorKind::SyntaxError, lineno, col_offset + 1, CURRENT_POS, CURRENT_POS, message)
    }

    /// The error of an `error` action.
    fn grammar_error(&mut self, target: &Target, message: &str) -> Raised {
        match *target {
            Target::At(reference) => {
                let value = self.resolve(reference);
                self.error_at(self.place(value), self.worded(message, Some(value)))
            }
            Target::Range(first, last) => {
                let (first, last) = (self.resolve(first), self.resolve(last));
                self.error_at(self.range(first, last), self.worded(message, Some(first)))
            }
            Target::From(reference) => {
                let value = self.resolve(reference);
                self.error_from(self.place(value), self.worded(message, Some(value)))
            }
            Target::EndOf(reference) => {
                let place = self.place(self.resolve(reference));
                let place = Place { col_offset: place.end_col_offset - 1, end_col_offset: -1, ..place };
                self.error_at(place, message.to_owned())
            }
            Target::Next => match self.token() {
                Ok(token) => self.error_on_token(ErrorKind::SyntaxError, &token, message.to_owned()),
                Err(raised) => raised,
            },
            Target::Last => self.error_last(message.to_owned()),
            Target::Indent(reference) => {
                let value = reference.map(|reference| self.resolve(reference));
                self.error_last_of_kind(ErrorKind::IndentationError, self.worded(message, value))
            }
        }
    }

    /// The error for which the tokeniser stopped.
    fn tokenizer_error(&self) -> Raised {
        let lineno = i64::from(self.tokenizer.lineno());
        let (kind, col_offset, message) = match self.tokenizer.status() {
            Status::Error(error) => return error.clone(),
            Status::Ok | Status::Eof | Status::EofAfterBackslash => {
                return self
                    .unclosed_bracket()
                    .unwrap_or_else(|| self.error_last("unexpected EOF while parsing".to_owned()));
            }
            Status::Dedent => {
                return self.error_last_of_kind(
                    ErrorKind::IndentationError,
                    "unindent does not match any outer indentation level".to_owned(),
                );
            }
            Status::TabSpace => (ErrorKind::TabError, 0, "inconsistent use of tabs and spaces in indentation"),
            Status::TooDeep => (ErrorKind::IndentationError, 0, "too many levels of indentation"),
            Status::LineContinuation => {
                // CPython counts from the first line of its buffer, which is that in which the token began.
                let column = self.tokenizer.pos() as i64 - self.tokenizer.buffer_start() as i64 - 1;
                (ErrorKind::SyntaxError, column.max(0), "unexpected character after line continuation character")
            }
        };
        self.known_location(kind, lineno, col_offset + 1, lineno, 0, message.to_owned())
    }

    fn unclosed_bracket(&self) -> Option<Raised> {
        let bracket = self.tokenizer.brackets().last()?;
        let lineno = bracket.lineno.into();
        let message = format!("'{}' was never closed", bracket.character as char);
        Some(self.known_location(ErrorKind::SyntaxError, lineno, i64::from(bracket.col_offset) + 1, lineno, 0, message))
    }
}
