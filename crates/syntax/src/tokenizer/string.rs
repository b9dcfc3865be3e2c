//! String literals, and the modes in which f- and t-strings are read.

use super::{Status, StringMode, Tokenizer};
use crate::token::{Token, TokenKind as T};

const MAXFSTRINGLEVEL: usize = 150;
const MAX_EXPR_NESTING: i32 = 3;

impl Tokenizer<'_> {
    /// A string with a prefix, if one begins here.
    pub(super) fn prefixed_string(&mut self) -> Option<Token> {
        // In the order in which CPython reports the first pair that does not go together.
        let mut seen = [false; 5];
        const PREFIXES: &[u8; 5] = b"ubrft";
        let mut pos = self.pos;
        while let Some(which) = PREFIXES.iter().position(|&prefix| prefix == self.at(pos) | 0x20)
            && !seen[which]
        {
            seen[which] = true;
            pos += 1;
            if !matches!(self.at(pos), b'"' | b'\'') {
                continue;
            }
            self.pos = pos;
            let [u, b, r, f, t] = seen;
            for (both, first, second) in [
                (u && b, 'u', 'b'),
                (u && r, 'u', 'r'),
                (u && f, 'u', 'f'),
                (u && t, 'u', 't'),
                (b && f, 'b', 'f'),
                (b && t, 'b', 't'),
                (f && t, 'f', 't'),
            ] {
                if both {
                    let message = format!("'{first}' and '{second}' prefixes are incompatible");
                    return Some(self.syntax_error_range(message, self.start, self.pos));
                }
            }
            return Some(if f || t { self.begin_fstring(if f { 'f' } else { 't' }, r) } else { self.string() });
        }
        None
    }

    /// Reads a plain string from its opening quote on.
    pub(super) fn string(&mut self) -> Token {
        let quote = self.next_char();
        self.first_lineno = self.lineno;
        self.multi_line_start = self.line_start;
        let triple = self.peek() == quote && self.at(self.pos + 1) == quote;
        if !triple {
            return self.single_quoted_string(quote);
        }
        self.pos += 2;
        loop {
            let rest = &self.bytes[self.pos..];
            let Some(at) = memchr::memchr3(quote, b'\\', b'\n', rest) else {
                self.pos = self.bytes.len();
                return self.unterminated_string(quote, true, false);
            };
            self.pos += at + 1;
            let c = rest[at];
            if c == b'\n' {
                self.begin_line();
            } else if c == b'\\' {
                self.skip_escaped();
            } else if self.peek() == quote && self.at(self.pos + 1) == quote {
                self.pos += 2;
                return self.string_token(T::String, self.start, self.pos);
            }
        }
    }

    fn single_quoted_string(&mut self, quote: u8) -> Token {
        let mut has_escaped_quote = false;
        loop {
            let rest = &self.bytes[self.pos..];
            let at = match memchr::memchr3(quote, b'\\', b'\n', rest) {
                Some(at) => at,
                None => rest.len(),
            };
            self.pos += at;
            match self.peek() {
                b'\\' => {
                    self.pos += 1;
                    has_escaped_quote |= self.peek() == quote;
                    self.skip_escaped();
                }
                c if c == quote => {
                    self.pos += 1;
                    // Behind an empty string CPython looks for a third quote.
                    if at == 0 && self.pos == self.bytes.len() && self.bytes[self.pos - 2] == quote {
                        self.status = Status::Eof;
                    }
                    return self.string_token(T::String, self.start, self.pos);
                }
                _ => return self.unterminated_string(quote, false, has_escaped_quote),
            }
        }
    }

    /// Skips the character after a backslash.
    fn skip_escaped(&mut self) {
        if self.peek() == b'\r' {
            self.pos += 1;
        }
        if self.next_char() == b'\n' {
            self.begin_line();
        }
    }

    #[cold]
    fn unterminated_string(&mut self, quote: u8, triple: bool, has_escaped_quote: bool) -> Token {
        let detected = self.lineno;
        self.eof_in_string = self.peek() == 0;
        self.input_end = self.line_end();
        self.pos = self.start + 1;
        self.line_start = self.multi_line_start;
        self.lineno = self.first_lineno;
        if let Some(mode) = self.modes.last()
            && mode.quote == quote
            && mode.quote_size == if triple { 3 } else { 1 }
        {
            let prefix = mode.prefix;
            self.eof_in_string = false;
            return self.syntax_error(format!("{prefix}-string: expecting '}}'"));
        }
        let kind = if triple { "unterminated triple-quoted string literal" } else { "unterminated string literal" };
        let hint = if has_escaped_quote { "; perhaps you escaped the end quote?" } else { "" };
        self.syntax_error(format!("{kind} (detected at line {detected}){hint}"))
    }

    fn begin_fstring(&mut self, prefix: char, raw: bool) -> Token {
        self.first_lineno = self.lineno;
        self.multi_line_start = self.line_start;
        let quote = self.next_char();
        let mut quote_size = 1;
        if self.peek() == quote && self.at(self.pos + 1) == quote {
            self.pos += 2;
            quote_size = 3;
        }
        if self.modes.len() + 1 >= MAXFSTRINGLEVEL {
            return self.syntax_error("too many nested f-strings or t-strings");
        }
        self.modes.push(StringMode {
            in_string: true,
            quote,
            quote_size,
            raw,
            prefix,
            start: self.start,
            first_lineno: self.lineno,
            multi_line_start: self.line_start,
            curly_bracket_depth: 0,
            curly_bracket_expr_start_depth: -1,
            in_format_spec: false,
            in_debug: false,
        });
        let kind = if prefix == 'f' { T::FStringStart } else { T::TStringStart };
        self.string_token(kind, self.start, self.pos)
    }

    /// The next token of an f- or t-string outside of its replacement fields.
    pub(super) fn string_mode(&mut self) -> Token {
        self.start = self.pos;
        self.first_lineno = self.lineno;
        self.multi_line_start = self.line_start;
        let Some(mode) = self.modes.last_mut() else { return self.error_token() };
        let (quote, quote_size, prefix) = (mode.quote, usize::from(mode.quote_size), mode.prefix);
        let is_f = prefix == 'f';
        let middle = if is_f { T::FStringMiddle } else { T::TStringMiddle };
        if self.bytes.get(self.pos) == Some(&b'{') && self.bytes.get(self.pos + 1) != Some(&b'{') {
            mode.curly_bracket_expr_start_depth += 1;
            if mode.curly_bracket_expr_start_depth >= MAX_EXPR_NESTING {
                return self.syntax_error(format!("{prefix}-string: expressions nested too deeply"));
            }
            mode.in_string = false;
            return self.normal_mode();
        }
        if (0..quote_size).all(|i| self.bytes.get(self.pos + i) == Some(&quote)) {
            self.pos += quote_size;
            self.modes.pop();
            let kind = if is_f { T::FStringEnd } else { T::TStringEnd };
            return self.string_token(kind, self.start, self.pos);
        }
        // Within `\N{...}`, whose brace closes nothing.
        let mut unicode_escape = false;
        let mut quotes = 0;
        loop {
            let Some(mode) = self.modes.last_mut() else { return self.error_token() };
            let in_format_spec = mode.in_format_spec && mode.curly_bracket_expr_start_depth >= 0;
            let c = self.bytes.get(self.pos).copied().unwrap_or(0);
            if c == 0 || (quote_size == 1 && c == b'\n') {
                if in_format_spec && c == b'\n' {
                    self.pos += 1;
                    return self.syntax_error(format!(
                        "{prefix}-string: newlines are not allowed in format specifiers for single quoted {prefix}-strings"
                    ));
                }
                return self.unterminated_fstring();
            }
            self.pos += 1;
            if c == quote {
                quotes += 1;
                if quotes == quote_size {
                    self.pos -= quote_size;
                    return self.string_token(middle, self.start, self.pos);
                }
                continue;
            }
            quotes = 0;
            match c {
                b'\n' => self.begin_line(),
                b'{' => {
                    if self.bytes.get(self.pos) == Some(&b'{') && !in_format_spec {
                        return self.doubled_brace(middle);
                    }
                    self.pos -= 1;
                    mode.curly_bracket_expr_start_depth += 1;
                    if mode.curly_bracket_expr_start_depth >= MAX_EXPR_NESTING {
                        return self.syntax_error(format!("{prefix}-string: expressions nested too deeply"));
                    }
                    mode.in_string = false;
                    return self.string_token(middle, self.start, self.pos);
                }
                b'}' => {
                    if unicode_escape {
                        return self.string_token(middle, self.start, self.pos);
                    }
                    if self.bytes.get(self.pos) == Some(&b'}') && !in_format_spec && mode.curly_bracket_depth == 0 {
                        return self.doubled_brace(middle);
                    }
                    self.pos -= 1;
                    mode.in_string = false;
                    return self.string_token(middle, self.start, self.pos);
                }
                b'\\' => {
                    let raw = mode.raw;
                    let mut escaped = self.peek();
                    if escaped == b'\r' {
                        self.pos += 1;
                        escaped = self.peek();
                    }
                    if matches!(escaped, b'{' | b'}') {
                        if !raw {
                            self.pos += 1;
                            self.warn_invalid_escape(escaped as char);
                            self.pos -= 1;
                        }
                        continue;
                    }
                    if escaped != 0 {
                        self.pos += 1;
                    }
                    if escaped == b'\n' {
                        self.begin_line();
                    }
                    if !raw && escaped == b'N' && self.peek() == b'{' {
                        self.pos += 1;
                        unicode_escape = true;
                    }
                }
                _ => {}
            }
        }
    }

    /// The text up to the first of two braces. To the parser the token ends behind the second.
    fn doubled_brace(&mut self, middle: T) -> Token {
        let mut token = self.string_token(middle, self.start, self.pos);
        self.pos += 1;
        if !self.options.extra_tokens {
            token.end_col_offset += 1;
        }
        token
    }

    fn warn_invalid_escape(&mut self, c: char) {
        self.warn(format!(
            "\"\\{c}\" is an invalid escape sequence. Such sequences will not work in the future. \
             Did you mean \"\\\\{c}\"? A raw string is also an option."
        ));
    }

    #[cold]
    fn unterminated_fstring(&mut self) -> Token {
        let detected = self.lineno;
        let at_end = self.peek() == 0;
        self.input_end = self.line_end();
        let Some(mode) = self.modes.last() else { return self.error_token() };
        let prefix = mode.prefix;
        // An unterminated single-quoted one does not count as incomplete input.
        self.eof_in_string = at_end && mode.quote_size == 3;
        let triple = if mode.quote_size == 3 { "triple-quoted " } else { "" };
        self.pos = mode.start + 1;
        self.line_start = mode.multi_line_start;
        self.lineno = mode.first_lineno;
        self.syntax_error(format!("unterminated {triple}{prefix}-string literal (detected at line {detected})"))
    }

    /// `:` at the top of a replacement field begins the format specification.
    pub(super) fn replacement_field_punctuation(&mut self, c: u8) -> Option<Token> {
        let mode = self.modes.last_mut()?;
        if mode.curly_bracket_expr_start_depth < 0 {
            return None;
        }
        let cursor = mode.curly_bracket_depth - i32::from(c != b'{');
        if c == b':' && cursor == mode.curly_bracket_expr_start_depth {
            mode.in_string = true;
            mode.in_format_spec = true;
            return Some(self.token(T::Colon, self.start, self.pos));
        }
        None
    }

    /// Goes back to reading the string when `}` closes its replacement field.
    pub(super) fn close_replacement_field(&mut self, c: u8) -> Result<(), Token> {
        let Some(mode) = self.modes.last_mut() else { return Ok(()) };
        mode.curly_bracket_depth -= 1;
        if mode.curly_bracket_depth < 0 {
            let prefix = mode.prefix;
            return Err(self.syntax_error(format!("{prefix}-string: unmatched '{}'", c as char)));
        }
        if c == b'}' && mode.curly_bracket_depth == mode.curly_bracket_expr_start_depth {
            mode.curly_bracket_expr_start_depth -= 1;
            mode.in_string = true;
            mode.in_format_spec = false;
            mode.in_debug = false;
        }
        Ok(())
    }

    /// `=` at the top of a replacement field.
    pub(super) fn note_debug_equal(&mut self) {
        if let Some(mode) = self.modes.last_mut()
            && mode.curly_bracket_expr_start_depth >= 0
            && mode.curly_bracket_depth - mode.curly_bracket_expr_start_depth == 1
        {
            mode.in_debug = true;
        }
    }
}
