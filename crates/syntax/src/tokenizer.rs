//! The tokeniser: UTF-8 source to tokens, one at a time, with CPython's positions.
//!
//! Counterpart of CPython's `Parser/lexer`. It serves the parser and, with [`Options::extra_tokens`], the `tokenize`
//! module. Numbers are in `number.rs`; strings and the replacement fields of f- and t-strings in `string.rs`.
//!
//! The source holds no NUL and no carriage return unless `extra_tokens` is set; reading past its end gives 0.

mod number;
mod string;

use unicode_general_category::{GeneralCategory, get_general_category};

use crate::error::{ErrorKind, SyntaxError, Warning, WarningKind};
use crate::token::{Token, TokenKind, TokenKind as T};

const MAXINDENT: usize = 100;
const MAXLEVEL: usize = 200;
const TABSIZE: u32 = 8;

#[derive(Clone, Copy, Default, Debug)]
pub struct Options {
    /// Emit `TYPE_COMMENT` and `TYPE_IGNORE`.
    pub type_comments: bool,
    /// Emit `COMMENT` and `NL`, forgive unbalanced brackets: what `tokenize` wants.
    pub extra_tokens: bool,
}

/// Why the tokeniser stopped, as CPython's `E_*` codes.
#[derive(Clone, Debug)]
pub enum Status {
    Ok,
    /// The end of the source was reached.
    Eof,
    /// A complete error.
    Error(Box<SyntaxError>),
    /// The end of the source came after a backslash.
    EofAfterBackslash,
    Dedent,
    TabSpace,
    TooDeep,
    LineContinuation,
}

/// An open bracket.
#[derive(Clone, Copy, Debug)]
pub struct Bracket {
    pub character: u8,
    pub lineno: u32,
    pub col_offset: u32,
}

/// An f- or t-string being read. `in_string` tells the text from the replacement fields.
#[derive(Clone, Debug)]
struct StringMode {
    in_string: bool,
    quote: u8,
    quote_size: u8,
    raw: bool,
    /// `f` or `t`.
    prefix: char,
    start: usize,
    first_lineno: u32,
    multi_line_start: usize,
    curly_bracket_depth: i32,
    curly_bracket_expr_start_depth: i32,
    in_format_spec: bool,
    in_debug: bool,
}

#[derive(Clone, Debug)]
pub struct Tokenizer<'s> {
    source: &'s str,
    bytes: &'s [u8],
    options: Options,
    pos: usize,
    /// Where the current token starts.
    start: usize,
    lineno: u32,
    line_start: usize,
    /// The line a string token began on.
    first_lineno: u32,
    multi_line_start: usize,
    at_line_start: bool,
    pending_indents: i32,
    indents: Vec<(u32, u32)>,
    brackets: Vec<Bracket>,
    modes: Vec<StringMode>,
    comment_newline: bool,
    barry_as_flufl: bool,
    /// The source ended within a string.
    eof_in_string: bool,
    /// The source ended with a backslash where a statement may begin.
    eof_in_indentation: bool,
    input_end: usize,
    buffer_start: usize,
    status: Status,
    /// Only what begins at this byte or later is worth a warning.
    warn_from: usize,
    warnings: Vec<Warning>,
}

const IDENTIFIER_START: u8 = 1;
const IDENTIFIER: u8 = 2;
const DIGIT: u8 = 4;
/// The second character of an operator.
const OPERATOR_TAIL: u8 = 8;
/// What begins an operator, a string or nothing at all; neither a comment nor a continuation line.
const PUNCTUATION: u8 = 16;

/// Bit set of character classes by byte. Everything above ASCII may be part of an identifier.
static CLASS: [u8; 256] = {
    let mut class = [0; 256];
    let mut c = 0;
    while c < 256 {
        class[c] = match c as u8 {
            b'a'..=b'z' | b'A'..=b'Z' | b'_' | 0x80..=0xff => IDENTIFIER_START | IDENTIFIER,
            b'0'..=b'9' => IDENTIFIER | DIGIT,
            b'=' | b'<' | b'>' | b'*' | b'/' => OPERATOR_TAIL | PUNCTUATION,
            b'#' | b'\\' => 0,
            b'!'..=b'~' => PUNCTUATION,
            _ => 0,
        };
        c += 1;
    }
    class
};

fn is_class(c: u8, class: u8) -> bool {
    CLASS[usize::from(c)] & class != 0
}

pub(crate) fn is_identifier_char(c: u8) -> bool {
    is_class(c, IDENTIFIER)
}

/// `str.isprintable` of one character.
pub fn is_printable(c: char) -> bool {
    use GeneralCategory::*;
    c == ' '
        || !matches!(
            get_general_category(c),
            Control
                | Format
                | Surrogate
                | PrivateUse
                | Unassigned
                | LineSeparator
                | ParagraphSeparator
                | SpaceSeparator
        )
}

/// `old.clone_from(new)`, of which there is mostly nothing.
#[inline]
fn replace_items<T: Clone>(old: &mut Vec<T>, new: &Vec<T>) {
    if !old.is_empty() || !new.is_empty() {
        old.clone_from(new);
    }
}

impl<'s> Tokenizer<'s> {
    pub fn new(source: &'s str, options: Options) -> Self {
        Tokenizer {
            source,
            bytes: source.as_bytes(),
            options,
            pos: 0,
            start: 0,
            lineno: 0,
            line_start: 0,
            first_lineno: 0,
            multi_line_start: 0,
            at_line_start: true,
            pending_indents: 0,
            indents: vec![(0, 0)],
            brackets: Vec::new(),
            modes: Vec::new(),
            comment_newline: false,
            barry_as_flufl: false,
            eof_in_string: false,
            eof_in_indentation: false,
            input_end: 0,
            buffer_start: 0,
            status: Status::Ok,
            warn_from: 0,
            warnings: Vec::new(),
        }
    }

    /// The same state over a source that begins as this one's does.
    pub(crate) fn over<'t>(self, source: &'t str) -> Tokenizer<'t> {
        Tokenizer { source, bytes: source.as_bytes(), ..self }
    }

    /// Takes over another's state, with the memory that is there.
    pub(crate) fn copy_from(&mut self, other: &Tokenizer<'s>) {
        let Tokenizer {
            source,
            bytes,
            options,
            pos,
            start,
            lineno,
            line_start,
            first_lineno,
            multi_line_start,
            at_line_start,
            pending_indents,
            comment_newline,
            barry_as_flufl,
            eof_in_string,
            eof_in_indentation,
            input_end,
            buffer_start,
            warn_from,
            indents,
            brackets,
            modes,
            status,
            warnings,
        } = other;
        (self.source, self.bytes) = (source, bytes);
        self.options = *options;
        self.pos = *pos;
        self.start = *start;
        self.lineno = *lineno;
        self.line_start = *line_start;
        self.first_lineno = *first_lineno;
        self.multi_line_start = *multi_line_start;
        self.at_line_start = *at_line_start;
        self.pending_indents = *pending_indents;
        self.comment_newline = *comment_newline;
        self.barry_as_flufl = *barry_as_flufl;
        self.eof_in_string = *eof_in_string;
        self.eof_in_indentation = *eof_in_indentation;
        self.input_end = *input_end;
        self.buffer_start = *buffer_start;
        self.warn_from = *warn_from;
        replace_items(&mut self.indents, indents);
        replace_items(&mut self.brackets, brackets);
        replace_items(&mut self.modes, modes);
        replace_items(&mut self.warnings, warnings);
        self.status = status.clone();
    }

    /// The next token. After an `ErrorToken`, [`Tokenizer::status`] has the reason.
    #[inline]
    pub fn next_token(&mut self) -> Token {
        if self.modes.last().is_some_and(|mode| mode.in_string) {
            return self.string_mode();
        }
        if !self.at_line_start && self.pending_indents == 0 {
            while self.peek() == b' ' {
                self.pos += 1;
            }
            let c = self.peek();
            self.start = self.pos;
            if is_class(c, IDENTIFIER_START) {
                return self.name(c);
            }
            if is_class(c, DIGIT | PUNCTUATION) {
                return self.number_string_or_operator(c);
            }
        }
        self.normal_mode()
    }

    pub fn source(&self) -> &'s str {
        self.source
    }

    pub fn status(&self) -> &Status {
        &self.status
    }

    pub fn brackets(&self) -> &[Bracket] {
        &self.brackets
    }

    /// Whether the tokeniser is inside an f- or t-string.
    pub fn inside_fstring(&self) -> bool {
        !self.modes.is_empty()
    }

    pub fn lineno(&self) -> u32 {
        self.lineno
    }

    pub fn pos(&self) -> usize {
        self.pos
    }

    pub fn line_start(&self) -> usize {
        self.line_start
    }

    /// Whether the source so far holds no further token.
    pub fn has_consumed_source(&self) -> bool {
        self.pos == self.bytes.len() && self.pending_indents == 0
    }

    pub fn indent_depth(&self) -> usize {
        self.indents.len() - 1
    }

    pub fn warnings(&self) -> &[Warning] {
        &self.warnings
    }

    pub fn take_warnings(&mut self) -> Vec<Warning> {
        std::mem::take(&mut self.warnings)
    }

    /// `f` or `t`, inside such a string.
    pub fn string_prefix(&self) -> char {
        self.modes.last().map_or('f', |mode| mode.prefix)
    }

    /// Whether the tokeniser has tried to read past the end of the source. `last` is the kind of its last token, most
    /// of which end where the next character is seen not to belong to them.
    pub fn at_end_of_source(&self, last: TokenKind) -> bool {
        match self.status {
            Status::Eof | Status::EofAfterBackslash => true,
            Status::Error(_) => self.eof_in_string,
            Status::Ok => {
                self.pos == self.bytes.len()
                    && !matches!(
                        last,
                        T::Newline
                            | T::String
                            | T::FStringStart
                            | T::FStringMiddle
                            | T::FStringEnd
                            | T::TStringStart
                            | T::TStringMiddle
                            | T::TStringEnd
                            | T::Ellipsis
                            | T::LeftShiftEqual
                            | T::RightShiftEqual
                            | T::DoubleStarEqual
                            | T::DoubleSlashEqual
                    )
            }
            _ => false,
        }
    }

    /// Whether the source ended with a backslash where a statement may begin.
    pub fn ended_in_indentation(&self) -> bool {
        self.eof_in_indentation
    }

    /// Where the lines begin that CPython, reading line by line, still has in its buffer.
    pub fn buffer_start(&self) -> usize {
        self.buffer_start
    }

    /// The end of the last line that was read, which an unterminated string may have gone past.
    pub fn input_end(&self) -> usize {
        self.input_end
    }

    /// `<>` is an operator after `from __future__ import barry_as_FLUFL`.
    pub fn set_barry_as_flufl(&mut self, on: bool) {
        self.barry_as_flufl = on;
    }

    /// Records no warnings about what begins before this byte.
    pub fn warn_from(&mut self, pos: usize) {
        self.warn_from = pos;
    }

    /// A carriage return that ends no line is the first character of a token. What cannot go on in one with another kind
    /// makes an operator of the two; the next character otherwise.
    fn carriage_return(&mut self) -> Option<u8> {
        self.pos += 1;
        let next = self.peek();
        if is_class(next, DIGIT) || next != b'#' && next.is_ascii_punctuation() || next != 0 && next.is_ascii_control()
        {
            return Some(next);
        }
        self.pos += self.source[self.pos..].chars().next().map_or(0, char::len_utf8);
        None
    }

    /// Makes all open blocks end, as at the end of interactive input.
    pub fn close_blocks(&mut self) {
        self.pending_indents = -(self.indent_depth() as i32);
        self.indents.truncate(1);
    }

    fn at(&self, pos: usize) -> u8 {
        self.bytes.get(pos).copied().unwrap_or(0)
    }

    fn peek(&self) -> u8 {
        self.at(self.pos)
    }

    /// Consumes and returns a character. At the end of the source it gives 0 and stays.
    fn next_char(&mut self) -> u8 {
        match self.bytes.get(self.pos) {
            Some(&c) => {
                self.pos += 1;
                c
            }
            None => 0,
        }
    }

    /// CPython forgets the lines before the current one, if no token needs them.
    fn empty_buffer(&mut self) {
        if self.modes.is_empty() {
            self.buffer_start = self.line_start;
        }
    }

    /// Takes note that a line begins at the current position, unless the source ends there.
    fn begin_line(&mut self) {
        if self.pos < self.bytes.len() {
            self.lineno += 1;
            self.line_start = self.pos;
        } else {
            self.status = Status::Eof;
        }
    }

    fn token(&self, kind: TokenKind, start: usize, end: usize) -> Token {
        Token {
            kind,
            level: self.brackets.len() as u16,
            start: start as u32,
            end: end as u32,
            lineno: self.lineno,
            end_lineno: self.lineno,
            col_offset: start as i32 - self.line_start as i32,
            end_col_offset: end as i32 - self.line_start as i32,
        }
    }

    /// A string token may have begun on an earlier line.
    fn string_token(&self, kind: TokenKind, start: usize, end: usize) -> Token {
        Token {
            lineno: self.first_lineno,
            col_offset: start as i32 - self.multi_line_start as i32,
            ..self.token(kind, start, end)
        }
    }

    fn token_without_position(&self, kind: TokenKind) -> Token {
        Token { col_offset: -1, end_col_offset: -1, ..self.token(kind, self.pos, self.pos) }
    }

    fn error_token(&self) -> Token {
        self.token_without_position(T::ErrorToken)
    }

    fn stop(&mut self, status: Status) -> Token {
        self.status = status;
        self.error_token()
    }

    /// Reports an error that ends at the current position.
    #[cold]
    fn syntax_error(&mut self, message: impl Into<String>) -> Token {
        let offset = self.characters_before(self.pos);
        self.syntax_error_at(message, offset, offset)
    }

    /// Reports an error from one byte of the current line up to another.
    #[cold]
    fn syntax_error_range(&mut self, message: impl Into<String>, start: usize, end: usize) -> Token {
        let (offset, end_offset) = (self.characters_before(start) + 1, self.characters_before(end) + 1);
        self.syntax_error_at(message, offset, end_offset)
    }

    /// The number of characters between the start of the line and a byte.
    fn characters_before(&self, pos: usize) -> i64 {
        String::from_utf8_lossy(&self.bytes[self.line_start..pos]).chars().count() as i64
    }

    fn syntax_error_at(&mut self, message: impl Into<String>, offset: i64, end_offset: i64) -> Token {
        let rest = &self.bytes[self.line_start..];
        let line = &rest[..memchr::memchr(b'\n', rest).unwrap_or(rest.len())];
        self.stop(Status::Error(Box::new(SyntaxError {
            kind: ErrorKind::SyntaxError,
            message: message.into(),
            lineno: self.lineno.into(),
            offset,
            text: Some(String::from_utf8_lossy(line).into_owned()),
            end_lineno: self.lineno.into(),
            end_offset,
            filename_known: true,
            located: true,
            metadata: None,
        })))
    }

    #[cold]
    fn warn(&mut self, message: String) {
        if self.start < self.warn_from {
            return;
        }
        let status = std::mem::replace(&mut self.status, Status::Ok);
        self.syntax_error(message.as_str());
        if let Status::Error(error) = std::mem::replace(&mut self.status, status) {
            self.warnings.push(Warning {
                kind: WarningKind::SyntaxWarning,
                message,
                lineno: self.lineno,
                error: *error,
            });
        }
    }

    #[inline(never)]
    fn normal_mode(&mut self) -> Token {
        let mut blank_line;
        loop {
            blank_line = false;
            if self.at_line_start {
                self.at_line_start = false;
                match self.indentation() {
                    Ok(blank) => blank_line = blank,
                    Err(token) => return token,
                }
            }
            if self.pending_indents != 0 {
                return self.pending_indent();
            }
            loop {
                while matches!(self.peek(), b' ' | b'\t' | b'\x0c') {
                    self.pos += 1;
                }
                self.start = self.pos;
                if self.peek() == b'#'
                    && let Some(token) = self.comment(blank_line)
                {
                    return token;
                }
                if self.peek() != b'\\' {
                    break;
                }
                self.pos += 1;
                if let Err(token) = self.continuation_line() {
                    return token;
                }
            }
            let c = self.peek();
            if c == b'\r' && self.at(self.pos + 1) == b'\n' {
                self.pos += 1;
            }
            if self.peek() != b'\n' {
                break;
            }
            self.pos += 1;
            self.at_line_start = true;
            if blank_line || !self.brackets.is_empty() {
                if self.options.extra_tokens {
                    self.comment_newline = false;
                    return self.token(T::Nl, self.start, self.pos);
                }
                continue;
            }
            if self.comment_newline && self.options.extra_tokens {
                self.comment_newline = false;
                return self.token(T::Nl, self.start, self.pos);
            }
            // The token's text leaves the newline out, its position does not.
            let end = self.pos - 1;
            return Token { end: end as u32, ..self.token(T::Newline, self.start, self.pos) };
        }
        let c = self.peek();
        if c == 0 {
            self.status = Status::Eof;
            let kind = if self.brackets.is_empty() { T::EndMarker } else { T::ErrorToken };
            return self.token_without_position(kind);
        }
        if is_class(c, IDENTIFIER_START) {
            return self.name(c);
        }
        let c = match c {
            b'\r' => match self.carriage_return() {
                Some(next) => next,
                None => return self.token(T::Op, self.start, self.pos),
            },
            _ => c,
        };
        self.number_string_or_operator(c)
    }

    fn number_string_or_operator(&mut self, c: u8) -> Token {
        if is_class(c, DIGIT) {
            return self.number();
        }
        match c {
            b'.' => self.dot(),
            b'"' | b'\'' => self.string(),
            _ => self.operator(c),
        }
    }

    /// Measures the indentation of the line that begins here. Tells whether the line is blank to the parser.
    fn indentation(&mut self) -> Result<bool, Token> {
        self.begin_line();
        self.empty_buffer();
        let (mut col, mut altcol) = (0, 0);
        // A backslash after white space: the first one settles the indentation of what follows.
        let mut continued_col = 0;
        loop {
            match self.peek() {
                b' ' => {
                    let spaces = self.bytes[self.pos..].iter().take_while(|&&byte| byte == b' ').count();
                    col += spaces as u32;
                    altcol += spaces as u32;
                    self.pos += spaces;
                    continue;
                }
                b'\t' => {
                    col = (col / TABSIZE + 1) * TABSIZE;
                    altcol += 1;
                }
                b'\x0c' => {
                    col = 0;
                    altcol = 0;
                }
                b'\\' => {
                    if continued_col == 0 {
                        continued_col = col;
                    }
                    self.pos += 1;
                    if let Err(token) = self.continuation_line() {
                        self.eof_in_indentation = matches!(self.status, Status::EofAfterBackslash);
                        return Err(token);
                    }
                    self.empty_buffer();
                    continue;
                }
                _ => break,
            }
            self.pos += 1;
        }
        if matches!(self.peek(), b'#' | b'\n' | b'\r') {
            return Ok(true);
        }
        if !self.brackets.is_empty() {
            return Ok(false);
        }
        if continued_col != 0 {
            col = continued_col;
            altcol = continued_col;
        }
        let (indent, altindent) = self.current_indent();
        if col == indent {
            if altcol != altindent {
                return Err(self.indentation_error());
            }
        } else if col > indent {
            if self.indents.len() >= MAXINDENT {
                self.pos = self.line_end();
                return Err(self.stop(Status::TooDeep));
            }
            if altcol <= altindent {
                return Err(self.indentation_error());
            }
            self.pending_indents += 1;
            self.indents.push((col, altcol));
        } else {
            while self.indents.len() > 1 && col < self.current_indent().0 {
                self.pending_indents -= 1;
                self.indents.pop();
            }
            let (indent, altindent) = self.current_indent();
            if col != indent {
                self.pos = self.line_end();
                return Err(self.stop(Status::Dedent));
            }
            if altcol != altindent {
                return Err(self.indentation_error());
            }
        }
        Ok(false)
    }

    fn current_indent(&self) -> (u32, u32) {
        self.indents.last().copied().unwrap_or((0, 0))
    }

    /// The position after the current line's newline.
    fn line_end(&self) -> usize {
        memchr::memchr(b'\n', &self.bytes[self.pos..]).map_or(self.bytes.len(), |at| self.pos + at + 1)
    }

    fn indentation_error(&mut self) -> Token {
        self.pos = self.line_end();
        self.stop(Status::TabSpace)
    }

    fn pending_indent(&mut self) -> Token {
        let (kind, step) = if self.pending_indents < 0 { (T::Dedent, 1) } else { (T::Indent, -1) };
        self.pending_indents += step;
        if self.options.extra_tokens {
            let start = if kind == T::Dedent { self.pos } else { self.line_start };
            return self.token(kind, start, self.pos);
        }
        self.token_without_position(kind)
    }

    /// After a backslash: moves to the next line.
    fn continuation_line(&mut self) -> Result<(), Token> {
        if self.peek() == b'\r' {
            self.pos += 1;
        }
        let c = self.next_char();
        if c != b'\n' {
            // CPython has read the offending character too.
            if c == 0 {
                self.pos = self.bytes.len();
            }
            return Err(self.stop(Status::LineContinuation));
        }
        if self.peek() == 0 {
            return Err(self.stop(Status::EofAfterBackslash));
        }
        self.begin_line();
        Ok(())
    }

    /// Skips a comment, or makes a token of it.
    fn comment(&mut self, blank_line: bool) -> Option<Token> {
        let rest = &self.bytes[self.pos..];
        self.pos += memchr::memchr2(b'\n', b'\r', rest).unwrap_or(rest.len());
        if self.options.type_comments
            && let Some(token) = self.type_comment(blank_line)
        {
            return Some(token);
        }
        if self.options.extra_tokens {
            self.comment_newline = blank_line;
            return Some(self.token(T::Comment, self.start, self.pos));
        }
        None
    }

    /// `# type: ` in front of the comment's text, where a blank stands for any number of blanks.
    fn type_comment(&mut self, blank_line: bool) -> Option<Token> {
        let mut p = self.start;
        for &expected in b"# type: " {
            if p >= self.pos && expected != b' ' {
                return None;
            }
            if expected == b' ' {
                while p < self.pos && matches!(self.at(p), b' ' | b'\t') {
                    p += 1;
                }
            } else if self.at(p) == expected {
                p += 1;
            } else {
                return None;
            }
        }
        if self.bytes[p..self.pos].starts_with(b"ignore") {
            let end = p + 6;
            if end == self.pos || !(self.at(end) >= 128 || self.at(end).is_ascii_alphanumeric()) {
                if blank_line {
                    // The newline counts as part of the tag, as in CPython.
                    self.next_char();
                    self.at_line_start = true;
                }
                return Some(self.token(T::TypeIgnore, end, self.pos));
            }
        }
        Some(self.token(T::TypeComment, p, self.pos))
    }

    fn name(&mut self, first: u8) -> Token {
        if matches!(first | 0x20, b'b' | b'r' | b'u' | b'f' | b't')
            && let Some(token) = self.prefixed_string()
        {
            return token;
        }
        let mut all = 0;
        let mut pos = self.pos;
        while let Some(&c) = self.bytes.get(pos)
            && is_class(c, IDENTIFIER)
        {
            all |= c;
            pos += 1;
        }
        self.pos = pos;
        if all >= 128 {
            if !self.options.extra_tokens
                && let Err(token) = self.verify_identifier()
            {
                return token;
            }
            return self.token(T::Name, self.start, self.pos);
        }
        let name = &self.bytes[self.start..pos];
        let kind = if name.len() <= 8 { T::of_name(name) } else { T::Name };
        self.token(kind, self.start, pos)
    }

    #[cold]
    fn verify_identifier(&mut self) -> Result<(), Token> {
        let name = &self.source[self.start..self.pos];
        let mut characters = name.char_indices();
        let Some((at, invalid)) = characters.find(|&(at, c)| {
            if at == 0 { c != '_' && !unicode_ident::is_xid_start(c) } else { !unicode_ident::is_xid_continue(c) }
        }) else {
            return Ok(());
        };
        self.pos = self.start + at + invalid.len_utf8();
        let code = invalid as u32;
        Err(if is_printable(invalid) {
            self.syntax_error(format!("invalid character '{invalid}' (U+{code:04X})"))
        } else {
            self.syntax_error(format!("invalid non-printable character U+{code:04X}"))
        })
    }

    fn dot(&mut self) -> Token {
        if is_class(self.at(self.pos + 1), DIGIT) {
            return self.number();
        }
        let (kind, length) =
            if self.at(self.pos + 1) == b'.' && self.at(self.pos + 2) == b'.' { (T::Ellipsis, 3) } else { (T::Dot, 1) };
        self.pos += length;
        self.token(kind, self.start, self.pos)
    }

    fn operator(&mut self, c: u8) -> Token {
        self.pos += 1;
        if matches!(c, b':' | b'}' | b'!' | b'{')
            && let Some(token) = self.replacement_field_punctuation(c)
        {
            return token;
        }
        let next = self.peek();
        if is_class(next, OPERATOR_TAIL)
            && let Some((kind, length)) = T::of_chars(c, next, self.at(self.pos + 1))
        {
            self.pos = self.start + length;
            return self.token(kind, self.start, self.pos);
        }
        if self.barry_as_flufl && c == b'<' && self.peek() == b'>' {
            self.pos += 1;
            return self.token(T::NotEqual, self.start, self.pos);
        }
        match c {
            b'(' | b'[' | b'{' => {
                if self.brackets.len() >= MAXLEVEL {
                    return self.syntax_error("too many nested parentheses");
                }
                self.brackets.push(Bracket {
                    character: c,
                    lineno: self.lineno,
                    col_offset: (self.start - self.line_start) as u32,
                });
                if let Some(mode) = self.modes.last_mut() {
                    mode.curly_bracket_depth += 1;
                }
            }
            b')' | b']' | b'}' => {
                if let Err(token) = self.close_bracket(c) {
                    return token;
                }
            }
            b'=' => self.note_debug_equal(),
            _ => {}
        }
        if c < 32 || c == 127 {
            return self.syntax_error(format!("invalid non-printable character U+{c:04X}"));
        }
        self.token(T::of_one_char(c), self.start, self.pos)
    }

    fn close_bracket(&mut self, c: u8) -> Result<(), Token> {
        let closing = c as char;
        if let Some(mode) = self.modes.last()
            && mode.curly_bracket_depth == 0
            && c == b'}'
        {
            let prefix = mode.prefix;
            return Err(self.syntax_error(format!("{prefix}-string: single '}}' is not allowed")));
        }
        let forgiving = self.options.extra_tokens;
        match self.brackets.pop() {
            None if !forgiving => return Err(self.syntax_error(format!("unmatched '{closing}'"))),
            Some(Bracket { character, lineno, .. })
                if !matches!((character, c), (b'(', b')') | (b'[', b']') | (b'{', b'}')) =>
            {
                if let Some(mode) = self.modes.last()
                    && character == b'{'
                    && mode.curly_bracket_depth - 1 == mode.curly_bracket_expr_start_depth
                {
                    let prefix = mode.prefix;
                    return Err(self.syntax_error(format!("{prefix}-string: unmatched '{closing}'")));
                }
                if !forgiving {
                    let opening = character as char;
                    let mut message =
                        format!("closing parenthesis '{closing}' does not match opening parenthesis '{opening}'");
                    if lineno != self.lineno {
                        message += &format!(" on line {lineno}");
                    }
                    return Err(self.syntax_error(message));
                }
            }
            _ => {}
        }
        self.close_replacement_field(c)
    }
}
