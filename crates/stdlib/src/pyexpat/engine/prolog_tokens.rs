//! Tokens of the prolog, of document type declarations and of what follows the root element.

use super::chars::{Char, char_at, is_name_char, is_name_start, is_space};
use super::tokens;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Token {
    Space,
    /// `<!NAME`
    DeclOpen,
    DeclClose,
    Name,
    NameQuestion,
    NameAsterisk,
    NamePlus,
    Nmtoken,
    Literal,
    PoundName,
    OpenParen,
    CloseParen,
    CloseParenQuestion,
    CloseParenAsterisk,
    CloseParenPlus,
    OpenBracket,
    CloseBracket,
    Or,
    Comma,
    Percent,
    /// `%name;`
    ParamRef,
    /// `<![`
    SectionOpen,
    /// `]]>`
    SectionClose,
    Pi,
    XmlDecl,
    Comment,
    /// `<` of the root element's tag.
    InstanceStart,
    None,
    Partial,
    PartialChar,
    Invalid,
}

/// A token, where it ends, and whether it could go on in text that is still to come.
#[derive(Clone, Copy)]
pub struct Scan {
    pub token: Token,
    pub end: usize,
    pub open: bool,
}

fn scan(token: Token, end: usize) -> Scan {
    Scan { token, end, open: false }
}

fn from_content((token, end): tokens::Scan) -> Scan {
    scan(
        match token {
            tokens::Token::Comment => Token::Comment,
            tokens::Token::Pi => Token::Pi,
            tokens::Token::XmlDecl => Token::XmlDecl,
            tokens::Token::PartialChar => Token::PartialChar,
            tokens::Token::Partial => Token::Partial,
            _ => Token::Invalid,
        },
        end,
    )
}

fn not_a_char(c: Char, end: usize) -> Scan {
    scan(
        match c {
            Char::End => Token::Partial,
            Char::Partial => Token::PartialChar,
            _ => Token::Invalid,
        },
        end,
    )
}

/// The next token.
pub fn prolog(text: &[u8], at: usize, namespaces: bool) -> Scan {
    let (first, length) = match char_at(text, at) {
        Char::Of(c, length) => (c, length),
        Char::End => return scan(Token::None, at),
        other => return not_a_char(other, at),
    };
    match first {
        ' ' | '\t' | '\r' | '\n' => {
            let mut end = at;
            while text.get(end).is_some_and(|byte| is_space(*byte)) {
                end += 1;
            }
            Scan { token: Token::Space, end, open: end == text.len() && text[end - 1] == b'\r' }
        }
        '<' => markup(text, at, namespaces),
        '"' | '\'' => literal(text, at, first),
        '#' => {
            let mut end = at + 1;
            loop {
                match char_at(text, end) {
                    Char::Of(c, length) if end == at + 1 && is_name_start(c) => end += length,
                    Char::Of(c, length) if end > at + 1 && is_name_char(c) => end += length,
                    Char::Of(' ' | '\t' | '\r' | '\n' | ')' | '>' | '%' | '|', _) if end > at + 1 => {
                        return scan(Token::PoundName, end);
                    }
                    Char::End if end > at + 1 => return Scan { token: Token::PoundName, end, open: true },
                    other => return not_a_char(other, end),
                }
            }
        }
        '%' => match char_at(text, at + 1) {
            Char::Of(' ' | '\t' | '\r' | '\n' | '%', _) => scan(Token::Percent, at + 1),
            Char::Of(c, _) if is_name_start(c) => match tokens::name(text, at + 1, namespaces) {
                Ok(end) if text[end] == b';' => scan(Token::ParamRef, end + 1),
                Ok(end) => scan(Token::Invalid, end),
                Err(content) => from_content(content),
            },
            Char::End => Scan { token: Token::Percent, end: at + 1, open: true },
            other => not_a_char(other, at + 1),
        },
        '>' => scan(Token::DeclClose, at + 1),
        '(' => scan(Token::OpenParen, at + 1),
        ',' => scan(Token::Comma, at + 1),
        '|' => scan(Token::Or, at + 1),
        '[' => scan(Token::OpenBracket, at + 1),
        ')' => match char_at(text, at + 1) {
            Char::Of('*', _) => scan(Token::CloseParenAsterisk, at + 2),
            Char::Of('?', _) => scan(Token::CloseParenQuestion, at + 2),
            Char::Of('+', _) => scan(Token::CloseParenPlus, at + 2),
            Char::Of(' ' | '\t' | '\r' | '\n' | '>' | ',' | '|' | ')', _) => scan(Token::CloseParen, at + 1),
            Char::End => Scan { token: Token::CloseParen, end: at + 1, open: true },
            other => not_a_char(other, at + 1),
        },
        ']' => match (text.get(at + 1), text.get(at + 2)) {
            (Some(b']'), Some(b'>')) => scan(Token::SectionClose, at + 3),
            (None, _) | (Some(b']'), None) => Scan { token: Token::CloseBracket, end: at + 1, open: true },
            _ => scan(Token::CloseBracket, at + 1),
        },
        c if is_name_char(c) => name(text, at, length, is_name_start(c)),
        _ => scan(Token::Invalid, at),
    }
}

fn name(text: &[u8], at: usize, length: usize, is_name: bool) -> Scan {
    let plain = if is_name { Token::Name } else { Token::Nmtoken };
    let mut end = at + length;
    loop {
        return match char_at(text, end) {
            Char::Of(c, length) if is_name_char(c) => {
                end += length;
                continue;
            }
            Char::Of('>' | ')' | ',' | '|' | '[' | '%' | ' ' | '\t' | '\r' | '\n', _) => scan(plain, end),
            Char::Of('+', _) if is_name => scan(Token::NamePlus, end + 1),
            Char::Of('*', _) if is_name => scan(Token::NameAsterisk, end + 1),
            Char::Of('?', _) if is_name => scan(Token::NameQuestion, end + 1),
            Char::End => Scan { token: plain, end, open: true },
            other => not_a_char(other, end),
        };
    }
}

fn literal(text: &[u8], at: usize, quote: char) -> Scan {
    let mut end = at + 1;
    loop {
        match char_at(text, end) {
            Char::Of(c, length) if c == quote => {
                end += length;
                break;
            }
            Char::Of(_, length) => end += length,
            other => return not_a_char(other, end),
        }
    }
    match char_at(text, end) {
        Char::Of(' ' | '\t' | '\r' | '\n' | '>' | '%' | '[', _) => scan(Token::Literal, end),
        Char::End => Scan { token: Token::Literal, end, open: true },
        other => not_a_char(other, end),
    }
}

fn markup(text: &[u8], at: usize, namespaces: bool) -> Scan {
    match char_at(text, at + 1) {
        Char::Of('?', _) => from_content(tokens::pi(text, at + 2, namespaces)),
        Char::Of('!', _) => {
            let mut end = at + 2;
            match char_at(text, end) {
                Char::Of('-', _) => return from_content(tokens::comment(text, at + 3)),
                Char::Of('[', _) => return scan(Token::SectionOpen, at + 3),
                Char::Of(c, length) if c.is_ascii_alphabetic() || c == '_' => end += length,
                other => return not_a_char(other, end),
            }
            loop {
                match char_at(text, end) {
                    Char::Of(c, length) if c.is_ascii_alphabetic() || c == '_' => end += length,
                    Char::Of(' ' | '\t' | '\r' | '\n' | '%', _) => return scan(Token::DeclOpen, end),
                    other => return not_a_char(other, end),
                }
            }
        }
        Char::Of(c, _) if is_name_start(c) => scan(Token::InstanceStart, at),
        other => not_a_char(other, at + 1),
    }
}

/// Skips an `IGNORE` section, nested ones included: behind its end.
pub fn ignored_section(text: &[u8], mut at: usize) -> Scan {
    let mut depth = 0;
    loop {
        match char_at(text, at) {
            Char::Of('<', _) if text[at..].starts_with(b"<![") => {
                depth += 1;
                at += 3;
            }
            Char::Of(']', _) if text[at..].starts_with(b"]]>") => {
                at += 3;
                if depth == 0 {
                    return scan(Token::SectionClose, at);
                }
                depth -= 1;
            }
            Char::Of(_, length) => at += length,
            other => return not_a_char(other, at),
        }
    }
}
