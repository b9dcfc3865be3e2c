//! Tokens as the `tokenize` module shows them: counterpart of CPython's `_tokenize.TokenizerIter`.

use crate::error::{ErrorKind, SyntaxError};
use crate::token::TokenKind as T;
use crate::tokenizer::{Options, Status, Tokenizer};

/// The number of the `OP` token type.
const OP: u32 = 55;

/// One item of a `TokenizerIter`. Columns count characters.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TokenInfo<'s> {
    /// The token type's number in the `token` module.
    pub kind: u32,
    pub text: &'s str,
    pub start: (u32, u32),
    pub end: (u32, u32),
    /// The physical line, or lines, the token is on.
    pub line: &'s str,
}

/// Iterator over the tokens of a source. It ends after `ENDMARKER` or an error.
#[derive(Clone, Debug)]
pub struct TokenizerIter<'s> {
    tokenizer: Tokenizer<'s>,
    source: &'s str,
    extra_tokens: bool,
    implicit_newline: bool,
    finished: bool,
}

impl<'s> TokenizerIter<'s> {
    /// `source` ends with a newline or is empty; `implicit_newline` says that the caller has added it.
    pub fn new(source: &'s str, extra_tokens: bool, implicit_newline: bool) -> Self {
        let options = Options { type_comments: false, extra_tokens };
        TokenizerIter {
            tokenizer: Tokenizer::new(source, options),
            source,
            extra_tokens,
            implicit_newline,
            finished: false,
        }
    }

    /// The end of the line that the tokeniser is on, past its newline.
    fn input_end(&self) -> usize {
        let start = self.tokenizer.line_start();
        memchr::memchr(b'\n', &self.source.as_bytes()[start..]).map_or(self.source.len(), |at| start + at + 1)
    }

    /// The number of characters between a line's start and a byte.
    fn column(&self, byte: usize, col_offset: i32) -> u32 {
        let start = byte.saturating_sub(usize::try_from(col_offset).unwrap_or(0));
        self.source[start..byte].chars().count() as u32
    }

    fn error(&self) -> SyntaxError {
        let (kind, message) = match self.tokenizer.status() {
            Status::Error(error) => return (**error).clone(),
            Status::Ok | Status::Eof | Status::EofAfterBackslash => {
                (ErrorKind::SyntaxError, "unexpected EOF in multi-line statement")
            }
            Status::Dedent => (ErrorKind::IndentationError, "unindent does not match any outer indentation level"),
            Status::TabSpace => (ErrorKind::TabError, "inconsistent use of tabs and spaces in indentation"),
            Status::TooDeep => (ErrorKind::IndentationError, "too many levels of indentation"),
            Status::LineContinuation => {
                (ErrorKind::SyntaxError, "unexpected character after line continuation character")
            }
        };
        let line = &self.source[self.tokenizer.line_start()..self.input_end()];
        SyntaxError {
            lineno: self.tokenizer.lineno().into(),
            offset: line.chars().count() as i64,
            text: Some(line.to_owned()),
            located: true,
            ..SyntaxError::bare(kind, message)
        }
    }
}

impl<'s> Iterator for TokenizerIter<'s> {
    type Item = Result<TokenInfo<'s>, SyntaxError>;

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
        let on_implicit_newline = self.implicit_newline && self.input_end() == self.source.len();
        if !(trailing && self.extra_tokens) {
            let line_start = start - usize::try_from(token.col_offset).unwrap_or(0).min(start);
            let line = &self.source[line_start..self.input_end()];
            info.line = if on_implicit_newline { line.strip_suffix('\n').unwrap_or(line) } else { line };
        }
        if self.extra_tokens {
            if trailing {
                info.start = (token.lineno + 1, 0);
                info.end = info.start;
            }
            match token.kind {
                kind if kind.is_operator() => info.kind = OP,
                T::Newline => {
                    info.text = match self.source.as_bytes().get(start) {
                        _ if on_implicit_newline => "",
                        Some(b'\r') => "\r\n",
                        _ => "\n",
                    };
                    let length = if info.text == "\r\n" { 2 } else { 1 };
                    info.end = (token.end_lineno, info.start.1 + length);
                }
                T::Nl if on_implicit_newline => info.text = "",
                _ => {}
            }
        }
        Some(Ok(info))
    }
}
