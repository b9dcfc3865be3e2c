//! From bytes to text that the tokeniser reads: byte order mark, declared encoding, line ends.

use std::borrow::Cow;

use crate::error::{ErrorKind, SyntaxError};
use crate::options::{Mode, ParseOptions};

const BOM: &[u8] = b"\xef\xbb\xbf";

/// Decodes source bytes and normalises line ends. Whole files get a final newline.
pub(crate) fn prepare<'s>(source: &'s [u8], options: &ParseOptions) -> Result<Cow<'s, str>, SyntaxError> {
    if memchr::memchr(0, source).is_some() {
        return Err(null_byte_error(source, options));
    }
    let text = decode(source, options)?;
    let text = if memchr::memchr(b'\r', text.as_bytes()).is_some() {
        Cow::Owned(text.replace("\r\n", "\n").replace('\r', "\n"))
    } else {
        text
    };
    if options.mode == Mode::Exec && !text.ends_with('\n') {
        return Ok(Cow::Owned(text.into_owned() + "\n"));
    }
    Ok(text)
}

fn null_byte_error(source: &[u8], options: &ParseOptions) -> SyntaxError {
    if options.file.is_none() {
        return SyntaxError::bare(ErrorKind::SyntaxError, "source code string cannot contain null bytes");
    }
    let before = source.split(|&byte| byte == 0).next().unwrap_or_default();
    let (lineno, line) = last_line(before);
    let text = String::from_utf8_lossy(line).into_owned();
    located(lineno, 0, text, 0, "source code cannot contain null bytes".to_owned())
}

/// An error at a place in the undecoded source.
fn located(lineno: i64, offset: i64, text: String, end_offset: i64, message: String) -> SyntaxError {
    SyntaxError {
        lineno,
        offset,
        text: Some(text),
        end_lineno: lineno,
        end_offset,
        located: true,
        ..SyntaxError::bare(ErrorKind::SyntaxError, message)
    }
}

/// The number and the beginning of the line in which `source` ends.
fn last_line(source: &[u8]) -> (i64, &[u8]) {
    let start = memchr::memrchr(b'\n', source).map_or(0, |newline| newline + 1);
    (memchr::memchr_iter(b'\n', source).count() as i64 + 1, &source[start..])
}

fn decode<'s>(source: &'s [u8], options: &ParseOptions) -> Result<Cow<'s, str>, SyntaxError> {
    // What the codecs complain about has a file but no line.
    let codec_error = |message: String| SyntaxError {
        offset: -1,
        located: true,
        ..SyntaxError::bare(ErrorKind::SyntaxError, message)
    };
    let (has_bom, source) = match source.strip_prefix(BOM) {
        Some(rest) => (true, rest),
        None => (false, source),
    };
    // CPython looks at whole lines only; a file's last line gets a newline in time.
    let lines = match options.mode {
        Mode::Exec => source,
        _ => &source[..memchr::memrchr2(b'\n', b'\r', source).map_or(0, |at| at + 1)],
    };
    let declared = if options.ignore_cookie { None } else { declared_encoding(lines) };
    let encoding = declared.as_deref().unwrap_or("utf-8");
    if has_bom && encoding != "utf-8" {
        let (line, lineno) = line_of_cookie(source);
        let text = String::from_utf8_lossy(line).into_owned();
        let end = text.chars().count() as i64 + lineno - 1;
        let error = located(lineno, 0, text, end, format!("encoding problem: {encoding} with BOM"));
        return Err(SyntaxError { filename_known: options.file.is_some(), ..error });
    }
    match encoding_alias(encoding) {
        "utf-8" => match std::str::from_utf8(source) {
            Ok(text) => return Ok(Cow::Borrowed(text)),
            Err(invalid) if encoding == "utf-8" => {
                return Err(non_utf8_error(source, invalid.valid_up_to(), has_bom || declared.is_some(), options));
            }
            Err(_) => {}
        },
        "iso-8859-1" => return Ok(Cow::Owned(source.iter().map(|&byte| char::from(byte)).collect())),
        "ascii" if source.is_ascii() => return Ok(String::from_utf8_lossy(source)),
        _ => {}
    }
    decoded(encoding, source, options).map(Cow::Owned).map_err(codec_error)
}

/// Text by way of the caller's decoder.
fn decoded(encoding: &str, source: &[u8], options: &ParseOptions) -> Result<String, String> {
    let Some(decoder) = options.decoder else { return Err(format!("unknown encoding: {encoding}")) };
    let whole = decoder(encoding, source);
    if options.file.is_none() || whole.is_ok() {
        return whole;
    }
    // CPython opens a file with the encoding and reads on from the end of the line that declares it.
    let rest = &source[end_of_cookie_line(source)..];
    let error = decoder(encoding, rest).and(whole);
    error.map_err(|message| match message.split_once(" is not a text encoding;") {
        Some((name, _)) => format!("{name} is not a text encoding"),
        None => message,
    })
}

fn non_utf8_error(source: &[u8], at: usize, declared: bool, options: &ParseOptions) -> SyntaxError {
    // Here a carriage return ends a line, too.
    let line_start = memchr::memrchr2(b'\n', b'\r', &source[..at]).map_or(0, |newline| newline + 1);
    let line_end = memchr::memchr2(b'\n', b'\r', &source[at..]).map_or(source.len(), |length| at + length);
    let (before, pairs) = (&source[line_start..at], source[..line_start].windows(2).filter(|pair| pair == b"\r\n"));
    let lineno = 1 + memchr::memchr2_iter(b'\n', b'\r', &source[..line_start]).count() as i64 - pairs.count() as i64;
    let line = &source[line_start..line_end];
    let text = String::from_utf8_lossy(line).into_owned();
    if declared
        && options.file.is_some()
        && let Some(Err(message)) = options.decoder.map(|decoder| decoder("utf-8", line))
    {
        return located(lineno, 0, text, 0, format!("(unicode error) {message}"));
    }
    let offset = String::from_utf8_lossy(before).chars().count() as i64 + 1;
    let place = options.file.map(|file| format!(" in file {file}")).unwrap_or_default();
    let message = format!(
        "Non-UTF-8 code starting with '\\x{:02x}'{place} on line {lineno}, but no encoding declared; \
         see https://peps.python.org/pep-0263/ for details",
        source[at]
    );
    SyntaxError { filename_known: options.file.is_some(), ..located(lineno, offset, text, offset, message) }
}

/// The line that declares an encoding, and its number.
fn line_of_cookie(source: &[u8]) -> (&[u8], i64) {
    let mut lines = source.split(|&byte| byte == b'\n');
    let first = lines.next().unwrap_or_default();
    if cookie(first).is_some() { (first, 1) } else { (lines.next().unwrap_or_default(), 2) }
}

/// Where the line that declares an encoding ends.
fn end_of_cookie_line(source: &[u8]) -> usize {
    let (_, lineno) = line_of_cookie(source);
    memchr::memchr_iter(b'\n', source).nth(lineno as usize - 1).unwrap_or(source.len())
}

/// The encodings that need no codec, under all their names.
fn encoding_alias(name: &str) -> &str {
    let folded: String = name.chars().map(|c| if c == '-' { '_' } else { c.to_ascii_lowercase() }).collect();
    match &folded[..] {
        "utf_8" | "utf8" | "u8" | "utf" | "cp65001" => "utf-8",
        "iso_8859_1" | "latin_1" | "latin1" | "latin" | "l1" | "iso8859_1" | "iso8859" | "8859" | "cp819" => {
            "iso-8859-1"
        }
        "ascii" | "us_ascii" | "646" => "ascii",
        _ => name,
    }
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
