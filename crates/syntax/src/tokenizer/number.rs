//! Numeric literals.

use super::{DIGIT, Tokenizer, is_class, is_identifier_char};
use crate::token::{Token, TokenKind as T};

type Scanned = Result<(), Token>;

impl Tokenizer<'_> {
    pub(super) fn number(&mut self) -> Token {
        match self.scan_number() {
            Ok(()) => self.token(T::Number, self.start, self.pos),
            Err(token) => token,
        }
    }

    fn scan_number(&mut self) -> Scanned {
        if self.peek() == b'0' {
            return match self.at(self.pos + 1) {
                b'x' | b'X' => self.radix_literal("hexadecimal", 16),
                b'o' | b'O' => self.radix_literal("octal", 8),
                b'b' | b'B' => self.radix_literal("binary", 2),
                _ => self.leading_zeros(),
            };
        }
        if self.peek() != b'.' {
            self.decimal_tail()?;
        }
        if self.peek() == b'.' {
            self.pos += 1;
            return self.fraction();
        }
        self.exponent_or_suffix()
    }

    fn radix_literal(&mut self, kind: &str, radix: u32) -> Scanned {
        self.pos += 2;
        loop {
            if self.peek() == b'_' {
                self.pos += 1;
            }
            let c = self.peek();
            if !(c as char).is_digit(radix) {
                if c.is_ascii_digit() {
                    return self.invalid_digit(c, kind);
                }
                return Err(self.syntax_error(format!("invalid {kind} literal")));
            }
            while (self.peek() as char).is_digit(radix) {
                self.pos += 1;
            }
            if self.peek() != b'_' {
                break;
            }
        }
        let c = self.peek();
        if c.is_ascii_digit() {
            return self.invalid_digit(c, kind);
        }
        self.verify_end_of_number(kind)
    }

    fn invalid_digit(&mut self, c: u8, kind: &str) -> Scanned {
        self.pos += 1;
        Err(self.syntax_error(format!("invalid digit '{}' in {kind} literal", c as char)))
    }

    /// A literal that starts with 0 is zero, or goes on as a float: anything else was octal in Python 2.
    fn leading_zeros(&mut self) -> Scanned {
        loop {
            if self.peek() == b'_' {
                self.pos += 1;
                if !is_class(self.peek(), DIGIT) {
                    return Err(self.syntax_error("invalid decimal literal"));
                }
            }
            if self.peek() != b'0' {
                break;
            }
            self.pos += 1;
        }
        // CPython has read one character more when it notes this.
        let zeros_end = self.pos + 1;
        let nonzero = is_class(self.peek(), DIGIT);
        if nonzero {
            self.decimal_tail()?;
        }
        match self.peek() {
            b'.' => {
                self.pos += 1;
                self.fraction()
            }
            b'e' | b'E' | b'j' | b'J' => self.exponent_or_suffix(),
            _ if nonzero && !self.options.extra_tokens => Err(self.syntax_error_range(
                "leading zeros in decimal integer literals are not permitted; use an 0o prefix for octal integers",
                self.start,
                zeros_end - 1,
            )),
            _ => self.verify_end_of_number("decimal"),
        }
    }

    /// Digits, possibly grouped by underscores.
    fn decimal_tail(&mut self) -> Scanned {
        loop {
            while is_class(self.peek(), DIGIT) {
                self.pos += 1;
            }
            if self.peek() != b'_' {
                return Ok(());
            }
            self.pos += 1;
            if !is_class(self.peek(), DIGIT) {
                return Err(self.syntax_error("invalid decimal literal"));
            }
        }
    }

    fn fraction(&mut self) -> Scanned {
        if is_class(self.peek(), DIGIT) {
            self.decimal_tail()?;
        }
        self.exponent_or_suffix()
    }

    fn exponent_or_suffix(&mut self) -> Scanned {
        if matches!(self.peek(), b'e' | b'E') {
            let exponent = self.pos;
            self.pos += 1;
            if matches!(self.peek(), b'+' | b'-') {
                self.pos += 1;
                if !is_class(self.peek(), DIGIT) {
                    return Err(self.syntax_error("invalid decimal literal"));
                }
            } else if !is_class(self.peek(), DIGIT) {
                // The `e` belongs to what follows, as in `1else`.
                self.pos = exponent;
                return self.verify_end_of_number("decimal");
            }
            self.decimal_tail()?;
        }
        if matches!(self.peek(), b'j' | b'J') {
            self.pos += 1;
            return self.verify_end_of_number("imaginary");
        }
        self.verify_end_of_number("decimal")
    }

    /// A keyword may follow a number without a blank, for now; no other name may.
    fn verify_end_of_number(&mut self, kind: &str) -> Scanned {
        let c = self.peek();
        if self.options.extra_tokens || !is_identifier_char(c) || c >= 128 {
            return Ok(());
        }
        let rest = &self.bytes[self.pos..];
        let is_word = |word: &[u8]| {
            rest.strip_prefix(word).is_some_and(|after| !after.first().is_some_and(|&c| is_identifier_char(c)))
        };
        // CPython looks at no more than the first two letters of these.
        let short = [b"if", b"in", b"is"].iter().any(|&word| rest.starts_with(word));
        if short || [&b"and"[..], b"else", b"for", b"or", b"not"].iter().any(|word| is_word(word)) {
            self.warn(format!("invalid {kind} literal"));
            return Ok(());
        }
        Err(self.syntax_error(format!("invalid {kind} literal")))
    }
}
