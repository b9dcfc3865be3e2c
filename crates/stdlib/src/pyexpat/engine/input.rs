//! Input: encodings, the buffer of decoded text, positions.

/// How the bytes of a document stand for characters.
#[derive(Clone)]
pub enum Encoding {
    /// Kept as it came; the tokenizer checks it.
    Utf8,
    Utf16 {
        big_endian: bool,
    },
    /// Code points of the 256 bytes; `None` for bytes without a character.
    SingleByte(Box<[Option<char>; 256]>),
}

impl Encoding {
    pub fn latin1() -> Encoding {
        Encoding::SingleByte(Box::new(std::array::from_fn(|byte| Some(byte as u8 as char))))
    }
    pub fn ascii() -> Encoding {
        Encoding::SingleByte(Box::new(std::array::from_fn(|byte| (byte < 128).then_some(byte as u8 as char))))
    }

    /// The encodings that every parser knows.
    pub fn by_name(name: &str) -> Option<Encoding> {
        let lower = name.to_ascii_lowercase();
        Some(match lower.as_str() {
            "utf-8" => Encoding::Utf8,
            "utf-16" | "utf-16be" => Encoding::Utf16 { big_endian: true },
            "utf-16le" => Encoding::Utf16 { big_endian: false },
            "iso-8859-1" => Encoding::latin1(),
            "us-ascii" => Encoding::ascii(),
            _ => return None,
        })
    }

    pub fn is_utf16(&self) -> bool {
        matches!(self, Encoding::Utf16 { .. })
    }

    /// Bytes of the input for a character of the buffer.
    fn width(&self, character: &[u8]) -> u64 {
        match self {
            Encoding::Utf8 => character.len() as u64,
            Encoding::Utf16 { .. } => {
                if character.len() == 4 {
                    4
                } else {
                    2
                }
            }
            Encoding::SingleByte(_) => 1,
        }
    }

    /// Decodes `bytes` to UTF-8; how many were used. What stands for no character becomes 0xFF, which no token allows.
    fn decode(&self, bytes: &[u8], out: &mut Vec<u8>) -> usize {
        let push = |c: char, out: &mut Vec<u8>| out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
        match self {
            Encoding::Utf8 => {
                out.extend_from_slice(bytes);
                bytes.len()
            }
            Encoding::SingleByte(table) => {
                for byte in bytes {
                    match table[usize::from(*byte)] {
                        Some(c) => push(c, out),
                        None => out.push(0xff),
                    }
                }
                bytes.len()
            }
            Encoding::Utf16 { big_endian } => {
                let unit = |at: usize| {
                    let pair = [*bytes.get(at)?, *bytes.get(at + 1)?];
                    Some(if *big_endian { u16::from_be_bytes(pair) } else { u16::from_le_bytes(pair) })
                };
                let mut at = 0;
                while let Some(first) = unit(at) {
                    match first {
                        0xd800..=0xdbff => {
                            let Some(second) = unit(at + 2) else { break };
                            match char::decode_utf16([first, second]).next() {
                                Some(Ok(c)) => {
                                    push(c, out);
                                    at += 4;
                                }
                                _ => {
                                    out.push(0xff);
                                    at += 2;
                                }
                            }
                        }
                        _ => {
                            match char::from_u32(u32::from(first)) {
                                Some(c) => push(c, out),
                                None => out.push(0xff),
                            }
                            at += 2;
                        }
                    }
                }
                at
            }
        }
    }
}

/// A place in the document.
#[derive(Clone, Copy)]
pub struct Position {
    pub line: u64,
    pub column: u64,
    pub byte: u64,
}

/// The document entity's text as far as it has come and is still needed.
pub struct Buffer {
    pub text: Vec<u8>,
    /// Where the next token begins.
    pub at: usize,
    /// Where the current event's token begins.
    pub event: usize,
    /// Bytes that are not yet a whole character.
    tail: Vec<u8>,
    encoding: Option<Encoding>,
    /// What the program said, until the first bytes are there.
    specified: Option<Encoding>,
    /// The program said the encoding, so that the document's own word does not count.
    pub overridden: bool,
    pub is_final: bool,
    /// Bytes fed so far.
    pub fed: u64,
    /// The position of `text[known]`.
    known: usize,
    position: Position,
}

impl Buffer {
    pub fn new(encoding: Option<Encoding>) -> Buffer {
        Buffer {
            text: Vec::new(),
            at: 0,
            event: 0,
            tail: Vec::new(),
            overridden: encoding.is_some(),
            specified: encoding,
            encoding: None,
            is_final: false,
            fed: 0,
            known: 0,
            position: Position { line: 1, column: 0, byte: 0 },
        }
    }

    pub fn has_encoding(&self) -> bool {
        self.encoding.is_some()
    }
    pub fn is_utf16(&self) -> bool {
        self.encoding.as_ref().is_some_and(Encoding::is_utf16)
    }
    /// Whether the input ends within a character.
    pub fn has_tail(&self) -> bool {
        !self.tail.is_empty()
    }

    /// Adds input; false if there is no memory for it.
    pub fn feed(&mut self, data: &[u8], is_final: bool) -> bool {
        self.is_final = is_final;
        self.fed += data.len() as u64;
        // What is consumed goes, as soon as that is much; the current event stays.
        let keep = self.event.min(self.at);
        if keep > 4096 && keep > self.text.len() / 2 {
            self.advance_to(keep);
            self.text.drain(..keep);
            self.at -= keep;
            self.event -= keep;
            self.known -= keep;
        }
        if self.text.try_reserve(data.len().saturating_mul(2)).is_err() {
            return false;
        }
        if self.tail.is_empty() && matches!(self.encoding, Some(Encoding::Utf8)) {
            self.text.extend_from_slice(data);
            return true;
        }
        let mut bytes = std::mem::take(&mut self.tail);
        bytes.extend_from_slice(data);
        if self.encoding.is_none() && !self.detect(&mut bytes) {
            self.tail = bytes;
            return true;
        }
        let encoding = self.encoding.take().expect("just detected");
        let used = encoding.decode(&bytes, &mut self.text);
        self.encoding = Some(encoding);
        bytes.drain(..used);
        self.tail = bytes;
        true
    }

    /// Finds the encoding from the first bytes; false if more are needed.
    fn detect(&mut self, bytes: &mut Vec<u8>) -> bool {
        let mut skip = 0;
        let encoding = match bytes.as_slice() {
            [] => return false,
            [0xfe | 0xff | 0xef | 0 | b'<'] if !self.is_final => return false,
            [0xfe, 0xff, ..] => {
                skip = 2;
                Encoding::Utf16 { big_endian: true }
            }
            [0xff, 0xfe, ..] => {
                skip = 2;
                Encoding::Utf16 { big_endian: false }
            }
            [0xef, 0xbb] if !self.is_final => return false,
            [0xef, 0xbb, 0xbf, ..] => {
                skip = 3;
                Encoding::Utf8
            }
            _ if self.specified.is_some() => self.specified.take().expect("just seen"),
            [0, _, ..] => Encoding::Utf16 { big_endian: true },
            [_, 0, ..] => Encoding::Utf16 { big_endian: false },
            _ => Encoding::Utf8,
        };
        bytes.drain(..skip);
        self.position.byte += skip as u64;
        // A byte order mark counts as a character in UTF-16.
        if skip == 2 {
            self.position.column = 1;
        }
        self.encoding = Some(encoding);
        true
    }

    /// The document says its encoding: what follows the declaration is decoded accordingly.
    pub fn switch(&mut self, encoding: Encoding) {
        self.advance_to(self.event.min(self.at));
        if matches!(self.encoding, Some(Encoding::Utf8)) && !encoding.is_utf16() {
            let rest = self.text.split_off(self.at);
            encoding.decode(&rest, &mut self.text);
            self.encoding = Some(encoding);
        }
    }

    /// Goes over text of UTF-8 without carriage returns at once; false if it is something else, or is cut within a character.
    fn advance_simply(&mut self, target: usize) -> bool {
        let passed = &self.text[self.known..target.max(self.known)];
        if !matches!(self.encoding, Some(Encoding::Utf8))
            || memchr::memchr(b'\r', passed).is_some()
            || passed.iter().rev().take(3).any(|byte| *byte >= 0x80)
        {
            return false;
        }
        let lines = memchr::memchr_iter(b'\n', passed).count() as u64;
        let last_line = memchr::memrchr(b'\n', passed).map_or(0, |at| at + 1);
        let characters = passed[last_line..].iter().filter(|byte| **byte & 0xc0 != 0x80).count() as u64;
        self.position.byte += passed.len() as u64;
        self.position.line += lines;
        self.position.column = if lines == 0 { self.position.column + characters } else { characters };
        self.known += passed.len();
        true
    }

    fn advance_to(&mut self, target: usize) {
        if self.advance_simply(target) {
            return;
        }
        let Some(encoding) = &self.encoding else { return };
        while self.known < target {
            let first = self.text[self.known];
            let length = match first {
                0xc0..=0xdf => 2,
                0xe0..=0xef => 3,
                0xf0..=0xf7 => 4,
                _ => 1,
            };
            let end = (self.known + length).min(self.text.len()).min(target.max(self.known + 1));
            self.position.byte += encoding.width(&self.text[self.known..end]);
            match first {
                b'\n' => {
                    self.position.line += 1;
                    self.position.column = 0;
                }
                b'\r' => {
                    self.position.line += 1;
                    self.position.column = 0;
                    if end < target && self.text[end] == b'\n' {
                        self.position.byte += encoding.width(b"\n");
                        self.known = end + 1;
                        continue;
                    }
                }
                _ => self.position.column += 1,
            }
            self.known = end;
        }
    }

    /// The position of the current event.
    pub fn position(&mut self) -> Position {
        if self.event < self.known {
            // Only after a switch of encoding, just behind the declaration.
            return self.position;
        }
        self.advance_to(self.event);
        self.position
    }
}
