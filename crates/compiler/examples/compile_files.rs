//! Compiles files: `compile_files LEVEL ROOT OUT [exec|eval|single] < LIST`. Each line of the list is a path, the code's `co_filename`; the
//! source is read from ROOT + path. The code object of line N is marshalled to OUT/N.m, an error described in OUT/N.err.
//! `tests/compiler/compare_code.py` compares the code objects with CPython's.

use std::io::BufRead;
use std::path::Path;

use bumpalo::Bump;
use taipan_bytecode::marshal::dump_code;
use taipan_compiler::Options;
use taipan_syntax::{Mode, ParseOptions};

fn compile(source: &[u8], filename: &str, level: u8, mode: Mode) -> Result<Vec<u8>, String> {
    let arena = Bump::new();
    let parse_options = ParseOptions { mode, ..ParseOptions::default() };
    let parsed = taipan_syntax::parse(&arena, source, &parse_options).map_err(|error| format!("{error:?}"))?;
    let mut options = Options::new(filename);
    options.optimize = level;
    let tree = arena.alloc(parsed.tree);
    let code =
        taipan_compiler::compile(tree, &arena, &options, &mut Vec::new()).map_err(|error| format!("{error:?}"))?;
    dump_code(&code.into()).map_err(|error| error.to_string())
}

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let [_, level, root, out, mode @ ..] = &arguments[..] else { panic!("LEVEL ROOT OUT [MODE] < LIST") };
    let mode = match mode.first().map(String::as_str) {
        None | Some("exec") => Mode::Exec,
        Some("eval") => Mode::Eval,
        Some("single") => Mode::Single,
        Some(other) => panic!("{other} is no mode"),
    };
    let level = level.parse().expect("a level");
    std::fs::create_dir_all(out).expect("the output folder");
    let mut failures = 0;
    for (index, line) in std::io::stdin().lock().lines().enumerate() {
        let path = line.expect("a path");
        let source = std::fs::read(format!("{root}{path}")).expect("a readable file");
        let stem = Path::new(out).join(index.to_string());
        for extension in ["m", "err"] {
            let _ = std::fs::remove_file(stem.with_extension(extension));
        }
        let result = match compile(&source, &path, level, mode) {
            Ok(data) => std::fs::write(stem.with_extension("m"), data),
            Err(error) => {
                failures += 1;
                std::fs::write(stem.with_extension("err"), format!("{path}: {error}\n"))
            }
        };
        result.expect("a writable output folder");
    }
    eprintln!("{failures} not compiled");
}
