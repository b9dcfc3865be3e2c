//! Prints each line of a file, an expression, as `from __future__ import annotations` keeps it.

use bumpalo::Bump;
use taipan_syntax::{Mode, ParseOptions, ast::Mod, parse, unparse};

fn main() {
    let name = std::env::args().nth(1).expect("usage: unparse FILE");
    let text = std::fs::read_to_string(name).expect("the file is readable");
    for line in text.lines() {
        let arena = Bump::new();
        let options = ParseOptions { mode: Mode::Eval, ..ParseOptions::default() };
        match parse(&arena, line.as_bytes(), &options) {
            Ok(parsed) => {
                if let Mod::Expression { body } = parsed.tree {
                    println!("{}", unparse(body));
                }
            }
            Err(error) => println!("{}", error.message),
        }
    }
}
