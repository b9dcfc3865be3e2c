//! Quoted-printable encoding (RFC 1521).

use super::digit;
use taipan_object::text::builder::GivenUp;

const MAX_LINE: usize = 76;

#[derive(Clone, Copy)]
pub struct Options {
    /// Tabs and spaces are quoted.
    pub tabs: bool,
    /// The ends of lines stay what they are.
    pub text: bool,
    /// Spaces become `_`.
    pub header: bool,
}

struct Encoder<'a> {
    data: &'a [u8],
    options: Options,
    newline: &'static [u8],
    /// Characters in the present line of the output.
    column: usize,
    out: Vec<u8>,
}

pub fn encode(data: &[u8], options: Options) -> Vec<u8> {
    // The first line tells how all lines are to end.
    let with_return = memchr::memchr(b'\n', data).is_some_and(|at| at > 0 && data[at - 1] == b'\r');
    let newline: &[u8] = if with_return { b"\r\n" } else { b"\n" };
    let mut encoder = Encoder { data, options, newline, column: 0, out: Vec::new() };
    let mut at = 0;
    while at < data.len() {
        at += encoder.step(at);
    }
    encoder.out
}

impl Encoder<'_> {
    /// Encodes what is at `at`; how many bytes that was.
    fn step(&mut self, at: usize) -> usize {
        let (byte, next) = (self.data[at], self.data.get(at + 1).copied());
        if self.must_quote(byte, next) {
            if self.column + 3 >= MAX_LINE {
                self.soft_break();
            }
            self.quote(byte);
            self.column += 3;
            return 1;
        }
        if self.options.text && (byte == b'\n' || byte == b'\r' && next == Some(b'\n')) {
            self.column = 0;
            // White space must not end a line.
            if let Some(last @ (b' ' | b'\t')) = self.out.last().copied() {
                self.out.pop();
                self.quote(last);
            }
            self.out.put_all(self.newline);
            return if byte == b'\r' { 2 } else { 1 };
        }
        if next.is_some_and(|next| next != b'\n') && self.column + 1 >= MAX_LINE {
            self.soft_break();
        }
        self.column += 1;
        self.out.put(if self.options.header && byte == b' ' { b'_' } else { byte });
        1
    }

    fn must_quote(&self, byte: u8, next: Option<u8>) -> bool {
        match byte {
            b'=' | 127.. => true,
            b'_' => self.options.header,
            // Mail servers take a line with a single dot for the end of the text.
            b'.' => self.column == 0 && matches!(next, None | Some(b'\n' | b'\r' | 0)),
            b'\r' | b'\n' => !self.options.text,
            b'\t' | b' ' if next.is_none() => true,
            b'\t' | b' ' => self.options.tabs,
            0..33 => true,
            _ => false,
        }
    }

    fn soft_break(&mut self) {
        self.out.put(b'=');
        self.out.put_all(self.newline);
        self.column = 0;
    }

    fn quote(&mut self, byte: u8) {
        const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
        self.out.put_all(&[b'=', DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 15)]]);
    }
}

pub fn decode(data: &[u8], header: bool) -> Vec<u8> {
    let mut out = Vec::new();
    out.make_room(data.len());
    let mut at = 0;
    while let Some(byte) = data.get(at).copied() {
        at += 1;
        match byte {
            b'=' => at += decode_quoted(&data[at..], &mut out),
            b'_' if header => out.put(b' '),
            byte => out.put(byte),
        }
    }
    out
}

/// What follows a `=`: how many bytes are used.
fn decode_quoted(rest: &[u8], out: &mut Vec<u8>) -> usize {
    match rest {
        [] => 0,
        // A soft line break.
        [b'\n' | b'\r', ..] => memchr::memchr(b'\n', rest).map_or(rest.len(), |at| at + 1),
        [b'=', ..] => {
            out.put(b'=');
            1
        }
        [high, low, ..] if digit(*high).is_some() && digit(*low).is_some() => {
            out.put(digit(*high).unwrap_or(0) << 4 | digit(*low).unwrap_or(0));
            2
        }
        _ => {
            out.put(b'=');
            0
        }
    }
}
