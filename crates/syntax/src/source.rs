//! From bytes to text that the tokeniser reads: byte order mark, declared encoding, line ends.

use std::borrow::Cow;

use crate::error::{ErrorKind, SyntaxError};
use crate::options::{Mode, ParseOptions};

const BOM: &[u8] = b"\xef\xbb\xbf";

/// Decodes source bytes and normalises line ends. Whole files get a final newline.
pub(crate) fn prepare<'s>(source: &'s [u8], options: &ParseOptions) -> Result<Cow<'s, str>, SyntaxError> {
    if memchr::memchr(0, source).is_some() {
        return Err(SyntaxError::bare(ErrorKind::SyntaxError, "source code string cannot contain null bytes"));
    }
    let text = decode(source, options)?;
    let needs_newline = options.mode == Mode::Exec && !text.ends_with(['\n', '\r']) && !text.is_empty();
    let text = if memchr::memchr(b'\r', text.as_bytes()).is_some() {
        Cow::Owned(text.replace("\r\n", "\n").replace('\r', "\n"))
    } else {
        text
    };
    if needs_newline || (options.mode == Mode::Exec && text.is_empty()) {
        return Ok(Cow::Owned(text.into_owned() + "\n"));
    }
    Ok(text)
}

fn decode<'s>(source: &'s [u8], options: &ParseOptions) -> Result<Cow<'s, str>, SyntaxError> {
    let error = |message: String| SyntaxError::bare(ErrorKind::SyntaxError, message);
    let (has_bom, source) = match source.strip_prefix(BOM) {
        Some(rest) => (true, rest),
        None => (false, source),
    };
    let declared = if options.ignore_cookie { None } else { declared_encoding(source) };
    let encoding = declared.as_deref().unwrap_or("utf-8");
    if has_bom && encoding != "utf-8" {
        return Err(error(format!("encoding problem: {encoding} with BOM")));
    }
    match encoding {
        "utf-8" => match std::str::from_utf8(source) {
            Ok(text) => Ok(Cow::Borrowed(text)),
            Err(invalid) => Err(error(utf8_error(source, invalid.valid_up_to(), invalid.error_len()))),
        },
        "iso-8859-1" => Ok(Cow::Owned(source.iter().map(|&byte| char::from(byte)).collect())),
        _ => match options.decoder.and_then(|decoder| decoder(encoding, source)) {
            Some(Ok(text)) => Ok(Cow::Owned(text)),
            Some(Err(message)) => Err(error(message)),
            None => Err(error(format!("unknown encoding: {encoding}"))),
        },
    }
}

/// The message of the `UnicodeDecodeError`.
fn utf8_error(source: &[u8], at: usize, length: Option<usize>) -> String {
    let byte = source[at];
    let reason = match length {
        _ if (0x80..0xc2).contains(&byte) || byte > 0xf4 => "invalid start byte",
        Some(_) => "invalid continuation byte",
        None => "unexpected end of data",
    };
    let end = at + length.unwrap_or(source.len() - at);
    if end == at + 1 {
        return format!("(unicode error) 'utf-8' codec can't decode byte 0x{byte:02x} in position {at}: {reason}");
    }
    format!("(unicode error) 'utf-8' codec can't decode bytes in position {at}-{}: {reason}", end - 1)
}

/// The encoding that a comment in the first two lines declares (PEP 263), under its normal name.
pub fn declared_encoding(source: &[u8]) -> Option<String> {
    let mut lines = source.split(|&byte| byte == b'\n' || byte == b'\r').filter({
        // `\r\n` is one line end: the empty piece between the two does not count.
        let mut first = true;
        move |line| std::mem::take(&mut first) || !line.is_empty() || !source.contains(&b'\r')
    });
    for _ in 0..2 {
        let line = lines.next()?;
        let blanks = line.iter().take_while(|&&byte| matches!(byte, b' ' | b'\t' | 0x0c)).count();
        match line.get(blanks) {
            Some(b'#') => {
                if let Some(name) = cookie(&line[blanks..]) {
                    return Some(normal_encoding_name(name));
                }
            }
            Some(_) => return None,
            None => {}
        }
    }
    None
}

/// `coding[:=]\s*([-\w.]+)`
fn cookie(comment: &[u8]) -> Option<&str> {
    let mut rest = comment;
    loop {
        let at = memchr::memmem::find(rest, b"coding")?;
        rest = &rest[at + 6..];
        let Some(after) = rest.strip_prefix(b":").or_else(|| rest.strip_prefix(b"=")) else { continue };
        let after = after.trim_ascii_start();
        let length = after
            .iter()
            .take_while(|&&byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'))
            .count();
        if length > 0 {
            return std::str::from_utf8(&after[..length]).ok();
        }
    }
}

/// Spellings of UTF-8 and Latin-1 are recognised as `tokenize` does; other names stay as they are.
fn normal_encoding_name(name: &str) -> String {
    let folded: String = name.chars().take(12).map(|c| if c == '_' { '-' } else { c.to_ascii_lowercase() }).collect();
    let is = |base: &str| folded == base || folded.strip_prefix(base).is_some_and(|rest| rest.starts_with('-'));
    if is("utf-8") {
        "utf-8".to_owned()
    } else if is("latin-1") || is("iso-8859-1") || is("iso-latin-1") {
        "iso-8859-1".to_owned()
    } else {
        name.to_owned()
    }
}

/// Whether source text holds anything but blanks and comments.
pub(crate) fn has_code(source: &[u8]) -> bool {
    let mut in_comment = false;
    source.iter().any(|&byte| {
        in_comment = if in_comment { byte != b'\n' } else { byte == b'#' };
        !in_comment && !matches!(byte, b' ' | b'\t' | b'\n' | 0x0c)
    })
}
