//! Source text to tokens to AST: the tokeniser, the parser and `unparse`. Knows nothing of objects.
//!
//! [`parse`] is the way in. Trees live in the caller's arena; errors are values with CPython's texts and positions.
#![forbid(unsafe_code)]

pub mod ast;
pub mod constant;
mod diagnosis;
pub mod error;
mod literal;
pub mod options;
mod parser;
mod repr;
mod source;
pub mod token;
pub mod tokenize;
pub mod tokenizer;
mod unparse;

use bumpalo::Bump;

pub use error::{ErrorKind, SyntaxError, Warning, WarningKind};
pub use literal::{character_by_name, character_name};
pub use options::{Mode, ParseOptions};
pub use source::declared_encoding;
pub use unparse::unparse;

/// A tree and what the parser had to say about its source.
#[derive(Debug)]
pub struct Parsed<'a> {
    pub tree: ast::Mod<'a>,
    pub warnings: Vec<Warning>,
}

/// Parses Python source code into `arena`.
pub fn parse<'a>(arena: &'a Bump, source: &[u8], options: &ParseOptions) -> Result<Parsed<'a>, SyntaxError> {
    let mut warnings = Vec::new();
    let tree = parse_reporting(arena, source, options, &mut warnings)?;
    Ok(Parsed { tree, warnings })
}

/// As [`parse`]; the warnings about what comes before an error are reported too.
pub fn parse_reporting<'a>(
    arena: &'a Bump,
    source: &[u8],
    options: &ParseOptions,
    warnings: &mut Vec<Warning>,
) -> Result<ast::Mod<'a>, SyntaxError> {
    let text = source::prepare(source, options)?;
    let text: &'a str = arena.alloc_str(&text);
    parser::parse(arena, text, options, warnings)
        .map_err(|tokenized| diagnosis::diagnose(text, options, tokenized, warnings))
}
