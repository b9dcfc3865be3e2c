//! Source text to tokens to AST: the tokeniser, the parser and `unparse`. Knows nothing of objects.
#![forbid(unsafe_code)]

pub mod ast;
pub mod constant;
