//! Prints what the parser says about snippets, for comparison with CPython.
//!
//! The argument names a file of cases separated by NUL; a case is a line `mode feature_version flags` and the source.
//! Flags: `i` allow incomplete input, `d` do not imply dedents, `t` type comments, `b` barry_as_FLUFL. Texts are printed in hexadecimal.

use bumpalo::Bump;
use taipan_syntax::{Mode, ParseOptions, SyntaxError, parse};

fn hex(text: &str) -> String {
    text.bytes().map(|byte| format!("{byte:02x}")).collect()
}

fn describe(error: &SyntaxError) -> String {
    let place = if error.located {
        format!(
            "{} {} {} {} {}",
            error.lineno,
            error.offset,
            error.text.as_deref().map_or("-".to_owned(), |text| format!("={}", hex(text))),
            error.end_lineno,
            error.end_offset
        )
    } else {
        "nowhere".to_owned()
    };
    format!("{} {} {place}", error.kind.class_name(), hex(&error.message))
}

fn main() {
    let name = std::env::args().nth(1).expect("usage: syntax_errors CASES");
    let cases = std::fs::read(name).expect("the file is readable");
    for case in cases.split(|&byte| byte == 0).filter(|case| !case.is_empty()) {
        let end = case.iter().position(|&byte| byte == b'\n').expect("a case begins with a line of options");
        let header = std::str::from_utf8(&case[..end]).expect("options are ASCII");
        let mut words = header.split(' ');
        let mode = match words.next() {
            Some("eval") => Mode::Eval,
            Some("single") => Mode::Single,
            Some("func_type") => Mode::FuncType,
            _ => Mode::Exec,
        };
        let feature_version = words.next().and_then(|minor| minor.parse().ok()).unwrap_or(14);
        let flags = words.next().unwrap_or("");
        let options = ParseOptions {
            mode,
            feature_version,
            allow_incomplete_input: flags.contains('i'),
            dont_imply_dedent: flags.contains('d'),
            type_comments: flags.contains('t'),
            barry_as_flufl: flags.contains('b'),
            ..ParseOptions::default()
        };
        let arena = Bump::new();
        match parse(&arena, &case[end + 1..], &options) {
            Ok(parsed) => match parsed.warnings.first() {
                Some(warning) => {
                    println!("warning {} {} {}", warning.lineno, hex(&warning.message), describe(&warning.error))
                }
                None => println!("ok"),
            },
            Err(error) => println!("{}", describe(&error)),
        }
    }
}
