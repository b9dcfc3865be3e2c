//! Parses all files of a list some times over and prints lines per second.

use std::time::{Duration, Instant};

use bumpalo::Bump;
use taipan_syntax::tokenizer::{Options, Tokenizer};
use taipan_syntax::{ParseOptions, parse};

fn main() {
    let list = std::env::args().nth(1).expect("usage: parse_speed LIST");
    let list = std::fs::read_to_string(list).expect("the list of files is readable");
    let sources: Vec<Vec<u8>> = list.lines().map(|name| std::fs::read(name).expect("every file is readable")).collect();
    let (mut lines, mut bytes) = (0, 0);
    let (mut parsing, mut tokenizing) = (Duration::ZERO, Duration::ZERO);
    let mut arena = Bump::new();
    for _ in 0..3 {
        for source in &sources {
            let start = Instant::now();
            let parsed = parse(&arena, source, &ParseOptions::default()).is_ok();
            parsing += start.elapsed();
            if parsed {
                lines += source.iter().filter(|&&byte| byte == b'\n').count();
                bytes += source.len();
            }
            arena.reset();
            if let Ok(text) = std::str::from_utf8(source) {
                let start = Instant::now();
                let mut tokenizer = Tokenizer::new(text, Options::default());
                while !matches!(
                    tokenizer.next_token().kind,
                    taipan_syntax::token::TokenKind::EndMarker | taipan_syntax::token::TokenKind::ErrorToken
                ) {}
                tokenizing += start.elapsed();
            }
        }
    }
    println!(
        "{lines} lines, {:.0} MB/s, {:.0} lines/s; tokenising alone {:.0} lines/s",
        bytes as f64 / 1e6 / parsing.as_secs_f64(),
        lines as f64 / parsing.as_secs_f64(),
        lines as f64 / tokenizing.as_secs_f64()
    );
}
