//! Which key does what, and the settings of an inputrc file.

use std::collections::HashMap;

use super::commands::Command;
use super::decode;

/// What a key sequence does.
#[derive(Clone)]
pub enum Binding {
    Command(Command),
    /// The keys are replaced by these.
    Macro(Vec<u8>),
}

pub struct Bindings {
    keys: HashMap<Vec<u8>, Binding>,
    pub show_all_if_ambiguous: bool,
    pub show_all_if_unmodified: bool,
    pub disable_completion: bool,
    pub completion_query_items: usize,
    pub completion_ignore_case: bool,
    pub history_size: Option<i64>,
    /// Nested `$if`s: whether the lines within count.
    conditions: Vec<bool>,
}

/// The sequences of the emacs mode.
const DEFAULTS: &[(&[u8], &str)] = &[
    (b"\x01", "beginning-of-line"),
    (b"\x02", "backward-char"),
    (b"\x04", "delete-char"),
    (b"\x05", "end-of-line"),
    (b"\x06", "forward-char"),
    (b"\x07", "abort"),
    (b"\x08", "backward-delete-char"),
    (b"\x09", "complete"),
    (b"\x0a", "accept-line"),
    (b"\x0b", "kill-line"),
    (b"\x0c", "clear-screen"),
    (b"\x0d", "accept-line"),
    (b"\x0e", "next-history"),
    (b"\x10", "previous-history"),
    (b"\x11", "quoted-insert"),
    (b"\x12", "reverse-search-history"),
    (b"\x13", "forward-search-history"),
    (b"\x14", "transpose-chars"),
    (b"\x15", "unix-line-discard"),
    (b"\x16", "quoted-insert"),
    (b"\x17", "unix-word-rubout"),
    (b"\x19", "yank"),
    (b"\x1f", "undo"),
    (b"\x18\x15", "undo"),
    (b"\x7f", "backward-delete-char"),
    (b"\x1b<", "beginning-of-history"),
    (b"\x1b>", "end-of-history"),
    (b"\x1b?", "possible-completions"),
    (b"\x1b=", "possible-completions"),
    (b"\x1b*", "insert-completions"),
    (b"\x1b.", "yank-last-arg"),
    (b"\x1b_", "yank-last-arg"),
    (b"\x1bb", "backward-word"),
    (b"\x1bc", "capitalize-word"),
    (b"\x1bd", "kill-word"),
    (b"\x1bf", "forward-word"),
    (b"\x1bl", "downcase-word"),
    (b"\x1br", "revert-line"),
    (b"\x1bt", "transpose-words"),
    (b"\x1bu", "upcase-word"),
    (b"\x1by", "yank-pop"),
    (b"\x1b\\", "delete-horizontal-space"),
    (b"\x1b\x7f", "backward-kill-word"),
    (b"\x1b\x08", "backward-kill-word"),
    (b"\x1b[A", "previous-history"),
    (b"\x1b[B", "next-history"),
    (b"\x1b[C", "forward-char"),
    (b"\x1b[D", "backward-char"),
    (b"\x1b[H", "beginning-of-line"),
    (b"\x1b[F", "end-of-line"),
    (b"\x1bOA", "previous-history"),
    (b"\x1bOB", "next-history"),
    (b"\x1bOC", "forward-char"),
    (b"\x1bOD", "backward-char"),
    (b"\x1bOH", "beginning-of-line"),
    (b"\x1bOF", "end-of-line"),
    (b"\x1b[1~", "beginning-of-line"),
    (b"\x1b[4~", "end-of-line"),
    (b"\x1b[7~", "beginning-of-line"),
    (b"\x1b[8~", "end-of-line"),
    (b"\x1b[3~", "delete-char"),
    (b"\x1b[1;5C", "forward-word"),
    (b"\x1b[1;5D", "backward-word"),
    (b"\x1b[1;3C", "forward-word"),
    (b"\x1b[1;3D", "backward-word"),
];

impl Default for Bindings {
    fn default() -> Bindings {
        let known = DEFAULTS.iter().filter_map(|(keys, name)| {
            Command::by_name(name).map(|command| (keys.to_vec(), Binding::Command(command)))
        });
        Bindings {
            keys: known.collect(),
            show_all_if_ambiguous: false,
            show_all_if_unmodified: false,
            disable_completion: false,
            completion_query_items: 100,
            completion_ignore_case: false,
            history_size: None,
            conditions: Vec::new(),
        }
    }
}

impl Bindings {
    pub fn get(&self, keys: &[u8]) -> Option<&Binding> {
        self.keys.get(keys)
    }

    /// Whether a longer sequence begins with these keys.
    pub fn is_prefix(&self, keys: &[u8]) -> bool {
        self.keys.keys().any(|known| known.len() > keys.len() && known.starts_with(keys))
    }

    /// Executes one line of a settings file. What it does not understand has no effect.
    pub fn parse_and_bind(&mut self, line: &[u8]) {
        let line = line.trim_ascii();
        if line.first() == Some(&b'$') {
            return self.directive(line);
        }
        if line.is_empty() || line[0] == b'#' || self.conditions.contains(&false) {
            return;
        }
        let mut words = line.splitn(2, |byte| byte.is_ascii_whitespace());
        if words.next() == Some(b"set") {
            return self.set(words.next().unwrap_or_default().trim_ascii());
        }
        let (keys, rest) = if line[0] == b'"' {
            let Some((keys, rest)) = quoted(&line[1..], b'"') else { return };
            (keys, rest)
        } else {
            let Some(colon) = line.iter().skip(1).position(|byte| *byte == b':') else { return };
            let Some(keys) = named_key(&line[..colon + 1]) else { return };
            (keys, &line[colon + 1..])
        };
        let Some(colon) = rest.iter().position(|byte| *byte == b':') else { return };
        let action = rest[colon + 1..].trim_ascii();
        match action.first() {
            Some(quote @ (b'"' | b'\'')) => {
                if let Some((text, _)) = quoted(&action[1..], *quote) {
                    self.keys.insert(keys, Binding::Macro(text));
                }
            }
            _ => {
                let name = action.split(|byte| byte.is_ascii_whitespace()).next().unwrap_or_default();
                let command = std::str::from_utf8(name).ok().and_then(Command::by_name);
                if let Some(command) = command {
                    self.keys.insert(keys, Binding::Command(command));
                }
            }
        }
    }

    fn directive(&mut self, line: &[u8]) {
        let mut words = line.split(|byte| byte.is_ascii_whitespace()).filter(|word| !word.is_empty());
        match words.next() {
            Some(b"$if") => {
                let condition = words.next().unwrap_or_default().to_ascii_lowercase();
                self.conditions.push(matches!(condition.as_slice(), b"python" | b"mode=emacs"));
            }
            Some(b"$else") => {
                if let Some(last) = self.conditions.last_mut() {
                    *last = !*last;
                }
            }
            Some(b"$endif") => {
                self.conditions.pop();
            }
            _ => {}
        }
    }

    fn set(&mut self, setting: &[u8]) {
        let mut words = setting.split(|byte| byte.is_ascii_whitespace()).filter(|word| !word.is_empty());
        let name = words.next().unwrap_or_default().to_ascii_lowercase();
        let value = words.next().unwrap_or_default().to_ascii_lowercase();
        let on = matches!(value.as_slice(), b"on" | b"1" | b"");
        let number = std::str::from_utf8(&value).ok().and_then(|value| value.parse::<i64>().ok());
        match name.as_slice() {
            b"show-all-if-ambiguous" => self.show_all_if_ambiguous = on,
            b"show-all-if-unmodified" => self.show_all_if_unmodified = on,
            b"disable-completion" => self.disable_completion = on,
            b"completion-ignore-case" => self.completion_ignore_case = on,
            b"completion-query-items" => {
                self.completion_query_items = number.and_then(|n| usize::try_from(n).ok()).unwrap_or(100);
            }
            b"history-size" => self.history_size = number.or(self.history_size),
            _ => {}
        }
    }
}

/// A key by name, such as `Control-a`, `Meta-Rubout` or `TAB`.
fn named_key(name: &[u8]) -> Option<Vec<u8>> {
    const PREFIXES: [&[u8]; 5] = [b"control-", b"ctrl-", b"c-", b"meta-", b"m-"];
    let mut rest = name.trim_ascii();
    let (mut control, mut meta) = (false, false);
    loop {
        let lower = rest.to_ascii_lowercase();
        let Some(prefix) = PREFIXES.iter().find(|prefix| lower.starts_with(prefix) && lower.len() > prefix.len())
        else {
            break;
        };
        if prefix[0] == b'c' {
            control = true
        } else {
            meta = true
        }
        rest = &rest[prefix.len()..];
    }
    let byte = simple_key(rest)?;
    Some(modified(byte, control, meta))
}

fn simple_key(name: &[u8]) -> Option<u8> {
    match name.to_ascii_lowercase().as_slice() {
        b"del" | b"rubout" => Some(0x7f),
        b"esc" | b"escape" => Some(0x1b),
        b"lfd" | b"newline" => Some(b'\n'),
        b"ret" | b"return" => Some(b'\r'),
        b"space" | b"spc" => Some(b' '),
        b"tab" => Some(b'\t'),
        _ => name.first().copied(),
    }
}

fn modified(byte: u8, control: bool, meta: bool) -> Vec<u8> {
    let byte = match byte {
        b'?' if control => 0x7f,
        byte if control => byte.to_ascii_uppercase() & 0x1f,
        byte => byte,
    };
    if meta { vec![0x1b, byte] } else { vec![byte] }
}

/// A string up to the closing quote with its escapes replaced, and what follows.
fn quoted(text: &[u8], quote: u8) -> Option<(Vec<u8>, &[u8])> {
    let mut bytes = Vec::new();
    let mut at = 0;
    while at < text.len() {
        if text[at] == quote {
            return Some((bytes, &text[at + 1..]));
        }
        if text[at] != b'\\' {
            bytes.push(text[at]);
            at += 1;
            continue;
        }
        at += 1;
        let (mut control, mut meta) = (false, false);
        while at + 2 < text.len() && text[at + 1] == b'-' && matches!(text[at], b'C' | b'M') {
            if text[at] == b'C' {
                control = true
            } else {
                meta = true
            }
            at += 2;
            if text[at] == b'\\' && at + 1 < text.len() {
                at += 1;
            } else {
                break;
            }
        }
        if control || meta {
            bytes.extend(modified(*text.get(at)?, control, meta));
            at += 1;
            continue;
        }
        let escape = *text.get(at)?;
        at += 1;
        bytes.push(match escape {
            b'a' => 0x07,
            b'b' => 0x08,
            b'd' => 0x7f,
            b'e' => 0x1b,
            b'f' => 0x0c,
            b'n' => b'\n',
            b'r' => b'\r',
            b't' => b'\t',
            b'v' => 0x0b,
            b'0'..=b'7' => {
                let mut value = u32::from(escape - b'0');
                for _ in 0..2 {
                    match text.get(at) {
                        Some(digit @ b'0'..=b'7') => value = value * 8 + u32::from(digit - b'0'),
                        _ => break,
                    }
                    at += 1;
                }
                value as u8
            }
            b'x' => {
                let mut value = 0u32;
                for _ in 0..2 {
                    match text.get(at).and_then(|digit| char::from(*digit).to_digit(16)) {
                        Some(digit) => value = value * 16 + digit,
                        None => break,
                    }
                    at += 1;
                }
                value as u8
            }
            other => other,
        });
    }
    None
}

/// The code point that a complete UTF-8 sequence, or a byte that cannot begin one, stands for; `None` if bytes are
/// missing.
pub fn code_point(bytes: &[u8]) -> Option<u32> {
    let wanted = match bytes.first()? {
        0xc2..=0xdf => 2,
        0xe0..=0xef => 3,
        0xf0..=0xf4 => 4,
        _ => 1,
    };
    if bytes.len() < wanted { None } else { decode(bytes).first().copied() }
}
