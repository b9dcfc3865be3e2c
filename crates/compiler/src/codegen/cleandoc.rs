//! Docstrings are stored without their indentation.

use std::borrow::Cow;

use taipan_bytecode::Text;

use crate::error::{CompileError, Result};

const TAB: usize = 8;

/// Expands tabs, takes leading spaces off the first line and the common margin off the others.
pub fn clean_doc(doc: &Text) -> Result<Text> {
    let expanded = match doc.as_bytes().contains(&b'\t') {
        true => Cow::Owned(expand_tabs(doc.as_bytes())),
        false => Cow::Borrowed(doc.as_bytes()),
    };
    if std::str::from_utf8(&expanded).is_err() {
        return Err(surrogates(Text::from_bytes(&expanded).unwrap_or_else(|| doc.clone())));
    }
    let mut lines = expanded.split_inclusive(|&byte| byte == b'\n');
    let first = lines.next().unwrap_or(&[]);
    let indentation = |line: &[u8]| line.iter().take_while(|&&byte| byte == b' ').count();
    let margin = lines
        .clone()
        .filter(|line| line.get(indentation(line)).is_some_and(|&byte| byte != b'\n'))
        .map(indentation)
        .min()
        .unwrap_or(0);
    let mut cleaned = Vec::with_capacity(expanded.len());
    cleaned.extend_from_slice(&first[indentation(first)..]);
    for line in lines {
        cleaned.extend_from_slice(&line[indentation(line).min(margin)..]);
    }
    Ok(Text::from_bytes(&cleaned).unwrap_or_else(|| doc.clone()))
}

fn surrogates(object: Text) -> CompileError {
    let is_surrogate = |code_point: &u32| (0xD800..0xE000).contains(code_point);
    let start = object.code_points().position(|code_point| is_surrogate(&code_point)).unwrap_or(0);
    let end = start + object.code_points().skip(start).take_while(is_surrogate).count();
    CompileError::Surrogates { object, start, end }
}

fn expand_tabs(bytes: &[u8]) -> Vec<u8> {
    let mut expanded = Vec::with_capacity(bytes.len());
    let mut column = 0;
    for &byte in bytes {
        match byte {
            b'\t' => {
                let spaces = TAB - column % TAB;
                expanded.resize(expanded.len() + spaces, b' ');
                column += spaces;
            }
            b'\n' | b'\r' => {
                expanded.push(byte);
                column = 0;
            }
            _ => {
                expanded.push(byte);
                // Continuation bytes belong to the character before.
                column += usize::from(byte & 0xC0 != 0x80);
            }
        }
    }
    expanded
}
