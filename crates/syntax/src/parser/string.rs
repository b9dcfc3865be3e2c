//! String literals: their values, their concatenation, and the contents of f- and t-strings.

use std::borrow::Cow;

use super::{Failure, Parsed, Parser};
use crate::ast::*;
use crate::error::{ErrorKind, SyntaxError, Warning, WarningKind};
use crate::literal::{InvalidEscape, decode_bytes_escapes, decode_escapes};
use crate::token::{Token, TokenKind as T};

/// The parts of a `STRING` token.
#[derive(Clone, Copy, Debug)]
pub(crate) struct StringParts<'s> {
    /// Bytes before the body.
    pub start: usize,
    pub bytes: bool,
    pub raw: bool,
    /// The prefix is exactly `u`.
    pub unicode: bool,
    pub body: &'s str,
}

impl<'s> StringParts<'s> {
    pub fn of_token(text: &'s str) -> StringParts<'s> {
        let quote = text.find(['"', '\'']).unwrap_or(0);
        let (prefix, quoted) = text.split_at(quote);
        let quotes =
            if quoted.len() >= 6 && (quoted.starts_with("\"\"\"") || quoted.starts_with("'''")) { 3 } else { 1 };
        StringParts {
            start: quote + quotes,
            bytes: prefix.contains(['b', 'B']),
            raw: prefix.contains(['r', 'R']),
            unicode: prefix == "u",
            body: quoted.get(quotes..quoted.len() - quotes).unwrap_or(""),
        }
    }
}

/// The warning for the first invalid escape in the body of a literal.
pub(crate) fn invalid_escape_warning(
    source: &str,
    token: &Token,
    body_start: usize,
    body: &str,
    escape: InvalidEscape,
) -> Warning {
    let rest = &body[escape.at + 1..];
    let length = if escape.octal { 3 } else { rest.chars().next().map_or(0, char::len_utf8) };
    let sequence = &rest[..length.min(rest.len())];
    let kind = if escape.octal { "octal escape sequence" } else { "escape sequence" };
    let at = body_start + escape.at;
    let lines = source[token.start as usize..at].matches('\n').count() as u32;
    let line_start = source[..at].rfind('\n').map_or(0, |newline| newline + 1);
    let line = source[line_start..].split_inclusive('\n').next().unwrap_or("");
    let offset = source[line_start..at].chars().count() as i64 + 1;
    let lineno = token.lineno + lines;
    let start = format!("\"\\{sequence}\" is an invalid {kind}. ");
    let end = format!("Did you mean \"\\\\{sequence}\"? A raw string is also an option.");
    Warning {
        kind: WarningKind::SyntaxWarning,
        message: format!("{start}Such sequences will not work in the future. {end}"),
        lineno,
        error: SyntaxError {
            kind: ErrorKind::SyntaxError,
            message: start + &end,
            lineno: lineno.into(),
            offset,
            text: Some(line.to_owned()),
            end_lineno: lineno.into(),
            end_offset: offset + 2,
            filename_known: true,
            located: true,
            metadata: None,
        },
    }
}

/// An expression's source text without its comments, as `f"{x=}"` shows it.
fn without_comments(text: &str) -> Cow<'_, str> {
    if !text.contains('#') {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    let mut quote = None;
    let mut in_comment = false;
    let mut escaped = false;
    for c in text.chars() {
        if std::mem::take(&mut escaped) {
            out.push(c);
            continue;
        }
        if in_comment {
            in_comment = c != '\n';
        } else if c == '\\' {
            escaped = true;
        } else if matches!(c, '"' | '\'') {
            match quote {
                None => quote = Some(c),
                Some(open) if open == c => quote = None,
                Some(_) => {}
            }
        } else if c == '#' && quote.is_none() {
            in_comment = true;
        }
        if !in_comment {
            out.push(c);
        }
    }
    Cow::Owned(out)
}

fn is_empty(part: &Expr) -> bool {
    matches!(part.kind, ExprKind::Constant { value: Constant::Str(text), .. } if text.is_empty())
}

impl<'a> Parser<'a, '_> {
    /// `strings`: literals that stand side by side.
    pub(super) fn strings(&mut self) -> Parsed<Expr<'a>> {
        let start = self.start();
        if self.at(T::TStringStart) {
            return self.tstrings(start);
        }
        let base = self.exprs.len();
        let mut formatted = false;
        loop {
            match self.kind() {
                T::String => {
                    let string = self.string()?;
                    if !matches!(self.kind(), T::String | T::FStringStart | T::TStringStart)
                        && self.exprs.len() == base
                        && !formatted
                    {
                        return Ok(string);
                    }
                    self.exprs.push(string);
                }
                T::FStringStart => {
                    formatted = true;
                    self.fstring_values(false)?;
                }
                T::TStringStart => return Err(Failure),
                _ => break,
            }
        }
        let bytes = |part: &Expr| matches!(part.kind, ExprKind::Constant { value: Constant::Bytes(_), .. });
        if self.exprs[base..].iter().any(bytes) {
            if formatted || !self.exprs[base..].iter().all(bytes) {
                return Err(Failure);
            }
            return Ok(self.concatenated_bytes(start, base));
        }
        if !formatted {
            let mut whole = self.concatenated(base, self.exprs.len());
            whole.span = self.span_from(start);
            self.exprs.truncate(base);
            return Ok(whole);
        }
        let values = self.folded_values(base);
        Ok(self.expr_from(start, ExprKind::JoinedStr { values }))
    }

    fn tstrings(&mut self, start: (u32, u32)) -> Parsed<Expr<'a>> {
        self.require_version(14)?;
        let base = self.exprs.len();
        while self.at(T::TStringStart) {
            self.fstring_values(true)?;
        }
        if matches!(self.kind(), T::String | T::FStringStart) {
            return Err(Failure);
        }
        let values = self.folded_values(base);
        Ok(self.expr_from(start, ExprKind::TemplateStr { values }))
    }

    fn string(&mut self) -> Parsed<Expr<'a>> {
        let token = self.current;
        let text = self.text(&token);
        let parts = StringParts::of_token(text);
        let span = Self::token_span(&token);
        let raw = parts.raw || memchr::memchr(b'\\', parts.body.as_bytes()).is_none();
        let value = if parts.bytes {
            if !parts.body.is_ascii() {
                return Err(Failure);
            }
            if raw {
                Constant::Bytes(parts.body.as_bytes())
            } else {
                let (value, invalid) = decode_bytes_escapes(parts.body.as_bytes()).map_err(|_| Failure)?;
                self.note_invalid_escape(&token, parts.start, parts.body, invalid);
                Constant::Bytes(self.arena.alloc_slice_copy(&value))
            }
        } else {
            Constant::Str(self.decoded(&token, parts.start, parts.body, raw)?)
        };
        self.advance();
        let kind = parts.unicode.then(|| PyStr::from_str("u"));
        Ok(Expr { kind: ExprKind::Constant { value, kind }, span })
    }

    /// The value of a literal's body, which stands `before` bytes into the token.
    fn decoded(&mut self, token: &Token, before: usize, body: &'a str, raw: bool) -> Parsed<PyStr<'a>> {
        if raw {
            return Ok(PyStr::from_str(body));
        }
        let (value, invalid) = decode_escapes(body).map_err(|_| Failure)?;
        self.note_invalid_escape(token, before, body, invalid);
        Ok(PyStr::from_bytes(self.arena.alloc_slice_copy(&value)))
    }

    fn note_invalid_escape(&mut self, token: &Token, before: usize, body: &str, invalid: Option<InvalidEscape>) {
        let Some(escape) = invalid else { return };
        // The tokeniser has warned about these itself.
        if token.kind != T::String && matches!(body.as_bytes().get(escape.at + 1), Some(b'{' | b'}')) {
            return;
        }
        let body_start = token.start as usize + before;
        self.warnings.push(invalid_escape_warning(self.source, token, body_start, body, escape));
    }

    /// Joins the string constants `exprs[from..to]` into one, which spans them all.
    fn concatenated(&mut self, from: usize, to: usize) -> Expr<'a> {
        let parts = &self.exprs[from..to];
        let (first, last) = (parts[0], parts[parts.len() - 1]);
        if parts.len() == 1 {
            return first;
        }
        let mut joined = Vec::new();
        for part in parts {
            if let ExprKind::Constant { value: Constant::Str(text), .. } = part.kind {
                joined.extend_from_slice(text.as_bytes());
            }
        }
        let kind = match first.kind {
            ExprKind::Constant { kind, .. } => kind,
            _ => None,
        };
        let value = Constant::Str(PyStr::from_bytes(self.arena.alloc_slice_copy(&joined)));
        Expr { kind: ExprKind::Constant { value, kind }, span: first.span.to(last.span) }
    }

    fn concatenated_bytes(&mut self, start: (u32, u32), base: usize) -> Expr<'a> {
        let mut joined = Vec::new();
        for part in &self.exprs[base..] {
            if let ExprKind::Constant { value: Constant::Bytes(bytes), .. } = part.kind {
                joined.extend_from_slice(bytes);
            }
        }
        self.exprs.truncate(base);
        self.constant(self.span_from(start), Constant::Bytes(self.arena.alloc_slice_copy(&joined)))
    }

    /// Takes the values of an f- or t-string off the stack: neighbouring constants joined, empty ones dropped.
    fn folded_values(&mut self, base: usize) -> &'a [Expr<'a>] {
        let end = self.exprs.len();
        let is_text = |expr: &Expr| matches!(expr.kind, ExprKind::Constant { .. });
        let mut out = Vec::with_capacity(end - base);
        let mut at = base;
        while at < end {
            let mut next = at + 1;
            if is_text(&self.exprs[at]) {
                while next < end && is_text(&self.exprs[next]) {
                    next += 1;
                }
                let joined = self.concatenated(at, next);
                if !is_empty(&joined) {
                    out.push(joined);
                }
            } else {
                out.push(self.exprs[at]);
            }
            at = next;
        }
        self.exprs.truncate(base);
        self.arena.alloc_slice_copy(&out)
    }

    /// Parses one f- or t-string and pushes its values.
    fn fstring_values(&mut self, template: bool) -> Parsed<()> {
        let prefix = self.text(&self.current);
        let raw = prefix.contains(['r', 'R']);
        self.advance();
        let end = if template { T::TStringEnd } else { T::FStringEnd };
        while !self.eat(end) {
            match self.kind() {
                T::FStringMiddle | T::TStringMiddle => self.fstring_middle(raw)?,
                T::LeftBrace => self.replacement_field(template, raw)?,
                _ => return Err(Failure),
            }
        }
        Ok(())
    }

    fn fstring_middle(&mut self, raw: bool) -> Parsed<()> {
        let token = self.current;
        let text = self.text(&token);
        let raw = raw || memchr::memchr(b'\\', text.as_bytes()).is_none();
        let value = Constant::Str(self.decoded(&token, 0, text, raw)?);
        self.advance();
        if token.start < token.end {
            let middle = self.constant(Self::token_span(&token), value);
            self.exprs.push(middle);
        }
        Ok(())
    }

    /// `{expression = !conversion :format}`. `template` makes an `Interpolation` of it.
    fn replacement_field(&mut self, template: bool, raw: bool) -> Parsed<()> {
        self.enter(33)?;
        let start = self.start();
        let text_start = self.current.end as usize;
        self.advance();
        let text_position = self.previous_end;
        let value = self.yield_or_star_expressions()?;
        let value = self.alloc(value);
        let debug = self.eat(T::Equal);
        let delimiter = self.current;
        if !matches!(delimiter.kind, T::Exclamation | T::Colon | T::RightBrace) {
            return Err(Failure);
        }
        let text = without_comments(&self.source[text_start..delimiter.start as usize]);
        let mut conversion = -1;
        if self.eat(T::Exclamation) {
            let name = self.current;
            if !name.kind.is_name() || name.start != delimiter.end {
                return Err(Failure);
            }
            conversion = match self.text(&name) {
                "s" => b's',
                "r" => b'r',
                "a" => b'a',
                _ => return Err(Failure),
            }
            .into();
            self.advance();
        }
        let mut format_spec = None;
        if self.at(T::Colon) {
            format_spec = Some(self.format_spec(raw)?);
        } else if debug && conversion == -1 {
            conversion = b'r'.into();
        }
        if !self.at(T::RightBrace) {
            return Err(Failure);
        }
        self.advance();
        if debug {
            let text = PyStr::from_str(self.arena.alloc_str(&text));
            let span = Span {
                lineno: text_position.0,
                col_offset: text_position.1,
                end_lineno: delimiter.lineno,
                end_col_offset: delimiter.col_offset as u32,
            };
            let constant = self.constant(span, Constant::Str(text));
            self.exprs.push(constant);
        }
        let kind = if template {
            let source = match text.rfind('=') {
                Some(equal) if debug => &text[..equal],
                _ => &text[..],
            };
            let str = self.arena.alloc(Constant::Str(PyStr::from_str(self.arena.alloc_str(source))));
            ExprKind::Interpolation { value, str, conversion, format_spec }
        } else {
            ExprKind::FormattedValue { value, conversion, format_spec }
        };
        let field = self.expr_from(start, kind);
        self.exprs.push(field);
        self.leave(33);
        Ok(())
    }

    fn format_spec(&mut self, raw: bool) -> Parsed<&'a Expr<'a>> {
        let start = self.start();
        self.advance();
        let base = self.exprs.len();
        loop {
            match self.kind() {
                T::FStringMiddle | T::TStringMiddle => self.fstring_middle(raw)?,
                T::LeftBrace => self.replacement_field(false, raw)?,
                _ => break,
            }
        }
        let parts = self.exprs[base..].iter().filter(|part| !is_empty(part)).count();
        let values = self.folded_values(base);
        // CPython's odd way with a text of several parts, as `\N{...}` makes: it is no f-string but a constant.
        let kind = match values {
            [Expr { kind: text @ ExprKind::Constant { .. }, .. }] if parts > 1 => *text,
            _ => ExprKind::JoinedStr { values },
        };
        Ok(self.alloc(self.expr_from(start, kind)))
    }
}
