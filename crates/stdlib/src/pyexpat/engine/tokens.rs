//! Tokens of content: what stands between the root element's tags.

use super::chars::{Char, ascii_name, char_at, is_name_char, is_name_start, is_space, plain_value};

/// A token, or why there is none.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Token {
    StartTag,
    EmptyElement,
    EndTag,
    Data,
    Newline,
    /// `&name;`
    EntityRef,
    /// `&#number;`
    CharRef,
    CdataOpen,
    CdataClose,
    Comment,
    Pi,
    /// `<?xml … ?>`
    XmlDecl,
    /// The text ends with `\r`, of which a `\n` may be part.
    TrailingCr,
    /// The text ends with `]` or `]]`, of which `]]>` may become.
    TrailingBracket,
    /// There is nothing.
    None,
    Partial,
    PartialChar,
    /// Not well-formed; the token's end is the offending place.
    Invalid,
}

/// A token and where it ends.
pub type Scan = (Token, usize);

/// Scans a name from `at`: its end, or the token that says why there is none. `colons` are counted for namespaces.
pub fn name(text: &[u8], at: usize, namespaces: bool) -> Result<usize, Scan> {
    let mut end = ascii_name(text, at);
    let mut colon = false;
    if end > at && text.get(end).is_some_and(|byte| matches!(byte, b' ' | b'>' | b'=' | b'/' | b';')) {
        return Ok(end);
    }
    loop {
        match char_at(text, end) {
            Char::Of(':', _) if namespaces => {
                // One colon, with a name on either side.
                if colon || end == at {
                    return Err((Token::Invalid, end));
                }
                colon = true;
                end += 1;
                match char_at(text, end) {
                    Char::Of(c, length) if c != ':' && is_name_start(c) => end += length,
                    Char::End => return Err((Token::Partial, end)),
                    Char::Partial => return Err((Token::PartialChar, end)),
                    _ => return Err((Token::Invalid, end)),
                }
            }
            Char::Of(c, length) if end == at && is_name_start(c) || end > at && is_name_char(c) => end += length,
            Char::Of(..) if end > at => return Ok(end),
            Char::Of(..) | Char::Invalid => return Err((Token::Invalid, end)),
            Char::End => return Err((Token::Partial, end)),
            Char::Partial => return Err((Token::PartialChar, end)),
        }
    }
}

/// Scans what `\&` begins.
pub fn reference(text: &[u8], at: usize, namespaces: bool) -> Scan {
    if text.get(at + 1) != Some(&b'#') {
        let end = match name(text, at + 1, namespaces) {
            Ok(end) => end,
            Err(scan) => return scan,
        };
        return match text[end] {
            b';' => (Token::EntityRef, end + 1),
            _ => (Token::Invalid, end),
        };
    }
    let mut end = at + 2;
    let hexadecimal = text.get(end) == Some(&b'x');
    if hexadecimal {
        end += 1;
    }
    let first = end;
    loop {
        match text.get(end) {
            None => return (Token::Partial, end),
            Some(b';') if end > first => return (Token::CharRef, end + 1),
            Some(byte) if hexadecimal && byte.is_ascii_hexdigit() || byte.is_ascii_digit() => end += 1,
            Some(_) => return (Token::Invalid, end),
        }
    }
}

/// Scans a comment from `<!-` on: behind the second dash.
pub fn comment(text: &[u8], at: usize) -> Scan {
    match text.get(at) {
        None => return (Token::Partial, at),
        Some(b'-') => {}
        Some(_) => return (Token::Invalid, at),
    }
    let mut end = at + 1;
    loop {
        match char_at(text, end) {
            Char::Of('-', _) => match (text.get(end + 1), text.get(end + 2)) {
                (Some(b'-'), Some(b'>')) => return (Token::Comment, end + 3),
                (Some(b'-'), Some(_)) => return (Token::Invalid, end + 2),
                (Some(b'-'), None) | (None, _) => return (Token::Partial, end),
                (Some(_), _) => end += 1,
            },
            Char::Of(_, length) => end += length,
            Char::End => return (Token::Partial, end),
            Char::Partial => return (Token::PartialChar, end),
            Char::Invalid => return (Token::Invalid, end),
        }
    }
}

/// Scans a processing instruction from its target on.
pub fn pi(text: &[u8], at: usize, namespaces: bool) -> Scan {
    let end_of_name = match name(text, at, namespaces) {
        Ok(end) => end,
        Err(scan) => return scan,
    };
    let target = &text[at..end_of_name];
    let token = match target {
        b"xml" => Token::XmlDecl,
        _ if target.eq_ignore_ascii_case(b"xml") => return (Token::Invalid, end_of_name),
        _ => Token::Pi,
    };
    let mut end = end_of_name;
    if !is_space(text[end]) && text[end] != b'?' {
        return (Token::Invalid, end);
    }
    if text[end] == b'?' {
        return match text.get(end + 1) {
            Some(b'>') => (token, end + 2),
            Some(_) => (Token::Invalid, end + 1),
            None => (Token::Partial, end),
        };
    }
    loop {
        match char_at(text, end) {
            Char::Of('?', _) => match text.get(end + 1) {
                Some(b'>') => return (token, end + 2),
                Some(_) => end += 1,
                None => return (Token::Partial, end),
            },
            Char::Of(_, length) => end += length,
            Char::End => return (Token::Partial, end),
            Char::Partial => return (Token::PartialChar, end),
            Char::Invalid => return (Token::Invalid, end),
        }
    }
}

/// Scans what `<` begins.
fn markup(text: &[u8], at: usize, namespaces: bool) -> Scan {
    match text.get(at + 1) {
        None => (Token::Partial, at + 1),
        Some(b'?') => pi(text, at + 2, namespaces),
        Some(b'!') => match text.get(at + 2) {
            None => (Token::Partial, at + 2),
            Some(b'-') => comment(text, at + 3),
            Some(b'[') => {
                let rest = &text[at + 3..];
                let wanted = b"CDATA[";
                match rest.iter().zip(wanted).position(|(a, b)| a != b) {
                    Some(differs) => (Token::Invalid, at + 3 + differs),
                    None if rest.len() < wanted.len() => (Token::Partial, text.len()),
                    None => (Token::CdataOpen, at + 3 + wanted.len()),
                }
            }
            Some(_) => (Token::Invalid, at + 2),
        },
        Some(b'/') => {
            let mut end = match name(text, at + 2, namespaces) {
                Ok(end) => end,
                Err(scan) => return scan,
            };
            while text.get(end).is_some_and(|byte| is_space(*byte)) {
                end += 1;
            }
            match text.get(end) {
                None => (Token::Partial, end),
                Some(b'>') => (Token::EndTag, end + 1),
                Some(_) => (Token::Invalid, end),
            }
        }
        Some(_) => start_tag(text, at + 1, namespaces),
    }
}

/// Scans a start tag from its name on.
fn start_tag(text: &[u8], at: usize, namespaces: bool) -> Scan {
    let mut end = match name(text, at, namespaces) {
        Ok(end) => end,
        Err(scan) => return scan,
    };
    loop {
        let mut spaced = false;
        while text.get(end).is_some_and(|byte| is_space(*byte)) {
            spaced = true;
            end += 1;
        }
        match text.get(end) {
            None => return (Token::Partial, end),
            Some(b'>') => return (Token::StartTag, end + 1),
            Some(b'/') => {
                return match text.get(end + 1) {
                    None => (Token::Partial, end + 1),
                    Some(b'>') => (Token::EmptyElement, end + 2),
                    Some(_) => (Token::Invalid, end + 1),
                };
            }
            Some(_) if !spaced => return (Token::Invalid, end),
            Some(_) => {}
        }
        end = match attribute(text, end, namespaces) {
            Ok(end) => end,
            Err(scan) => return scan,
        };
    }
}

/// Scans an attribute: its end.
fn attribute(text: &[u8], at: usize, namespaces: bool) -> Result<usize, Scan> {
    let mut end = name(text, at, namespaces)?;
    let skip = |end: &mut usize| {
        while text.get(*end).is_some_and(|byte| is_space(*byte)) {
            *end += 1;
        }
    };
    skip(&mut end);
    match text.get(end) {
        None => return Err((Token::Partial, end)),
        Some(b'=') => end += 1,
        Some(_) => return Err((Token::Invalid, end)),
    }
    skip(&mut end);
    let quote = match text.get(end) {
        None => return Err((Token::Partial, end)),
        Some(quote @ (b'"' | b'\'')) => *quote as char,
        Some(_) => return Err((Token::Invalid, end)),
    };
    end += 1;
    loop {
        end = plain_value(text, end);
        match char_at(text, end) {
            Char::Of(c, length) if c == quote => return Ok(end + length),
            Char::Of('<', _) | Char::Invalid => return Err((Token::Invalid, end)),
            Char::Of('&', _) => match reference(text, end, namespaces) {
                (Token::EntityRef | Token::CharRef, after) => end = after,
                scan => return Err(scan),
            },
            Char::Of(_, length) => end += length,
            Char::End => return Err((Token::Partial, end)),
            Char::Partial => return Err((Token::PartialChar, end)),
        }
    }
}

/// Runs of plain characters go on as long as this says.
fn plain_run(text: &[u8], at: usize) -> usize {
    let mut end = at;
    while let Some(byte) = text.get(end) {
        match byte {
            b'<' | b'&' | b']' | b'\r' | b'\n' => break,
            0x20..=0x7f | b'\t' => end += 1,
            _ => match char_at(text, end) {
                Char::Of(_, length) => end += length,
                _ => break,
            },
        }
    }
    end
}

/// The next token of content.
pub fn content(text: &[u8], at: usize, namespaces: bool) -> Scan {
    let Some(first) = text.get(at) else { return (Token::None, at) };
    let mut end = at;
    match first {
        b'<' => return markup(text, at, namespaces),
        b'&' => return reference(text, at, namespaces),
        b'\n' => return (Token::Newline, at + 1),
        b'\r' => {
            return match text.get(at + 1) {
                None => (Token::TrailingCr, at + 1),
                Some(b'\n') => (Token::Newline, at + 2),
                Some(_) => (Token::Newline, at + 1),
            };
        }
        b']' => match (text.get(at + 1), text.get(at + 2)) {
            (Some(b']'), Some(b'>')) => return (Token::Invalid, at + 2),
            (None, _) | (Some(b']'), None) => return (Token::TrailingBracket, text.len()),
            _ => end += 1,
        },
        _ => match char_at(text, at) {
            Char::Of(_, length) => end += length,
            Char::Partial => return (Token::PartialChar, at),
            _ => return (Token::Invalid, at),
        },
    }
    loop {
        end = plain_run(text, end);
        if text.get(end) != Some(&b']') {
            return (Token::Data, end);
        }
        match (text.get(end + 1), text.get(end + 2)) {
            (Some(b']'), Some(b'>')) => return (Token::Invalid, end + 2),
            (None, _) | (Some(b']'), None) => return (Token::Data, end),
            _ => end += 1,
        }
    }
}

/// The next token within a CDATA section.
pub fn cdata(text: &[u8], at: usize) -> Scan {
    let Some(first) = text.get(at) else { return (Token::None, at) };
    let mut end = at;
    match first {
        b'\n' => return (Token::Newline, at + 1),
        b'\r' => {
            return match text.get(at + 1) {
                None => (Token::Partial, at + 1),
                Some(b'\n') => (Token::Newline, at + 2),
                Some(_) => (Token::Newline, at + 1),
            };
        }
        b']' => match (text.get(at + 1), text.get(at + 2)) {
            (Some(b']'), Some(b'>')) => return (Token::CdataClose, at + 3),
            (None, _) | (Some(b']'), None) => return (Token::Partial, at),
            _ => end += 1,
        },
        _ => match char_at(text, at) {
            Char::Of(_, length) => end += length,
            Char::Partial => return (Token::PartialChar, at),
            _ => return (Token::Invalid, at),
        },
    }
    while let Char::Of(c, length) = char_at(text, end) {
        if matches!(c, ']' | '\r' | '\n') {
            break;
        }
        end += length;
    }
    (Token::Data, end)
}
