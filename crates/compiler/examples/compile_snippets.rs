//! Compiles snippets: reads from standard input a marshalled tuple of (mode, source bytes, level, flags); writes a
//! marshalled tuple with, for each, what came out (the code, or the error as a tuple), the warnings and the symbol table.
//! `tests/compiler/compare_snippets.py` compares with CPython's.

use std::io::{Read, Write};

use bumpalo::Bump;
use taipan_bytecode::Constant;
use taipan_bytecode::marshal::code::{dump_constant, load_constant};
use taipan_compiler::symtable::{BlockId, SymbolTable};
use taipan_compiler::{CompileError, Location, Options};
use taipan_syntax::{Mode, ParseOptions};

fn items(value: &Constant) -> &[Constant] {
    match value {
        Constant::Tuple(items) => items,
        _ => panic!("a tuple is wanted"),
    }
}

fn int(value: &Constant) -> i64 {
    match value {
        Constant::Int(value) => i64::try_from(value).expect("a small int"),
        _ => panic!("an int is wanted"),
    }
}

fn error(error: CompileError) -> Constant {
    let (kind, message, location) = match error {
        CompileError::Syntax { message, location } => ("SyntaxError", message, location),
        CompileError::Recursion(message) => ("RecursionError", message, Location::NONE),
        CompileError::Internal(message) => ("SystemError", message.to_owned(), Location::NONE),
        CompileError::Surrogates { .. } => ("UnicodeEncodeError", String::new(), Location::NONE),
        CompileError::Value(message) => ("ValueError", message, Location::NONE),
    };
    let Location { lineno, col_offset, end_lineno, end_col_offset } = location;
    let numbers = [lineno, col_offset + 1, end_lineno, end_col_offset + 1];
    let mut parts = vec![Constant::str(kind), Constant::str(&message)];
    parts.extend(numbers.map(|number| Constant::int(number.into())));
    Constant::tuple(parts)
}

fn block(table: &SymbolTable<'_>, id: BlockId) -> Constant {
    let block = table.block(id);
    let symbols = block
        .symbols
        .iter()
        .map(|(name, &flags)| Constant::tuple(vec![Constant::str(name), Constant::int(flags.into())]))
        .collect();
    Constant::tuple(vec![
        Constant::str(block.name),
        Constant::int(block.ty as i64),
        Constant::int(block.location.lineno.into()),
        Constant::int(block.nested.into()),
        Constant::tuple(block.varnames.iter().map(|name| Constant::str(name)).collect()),
        Constant::tuple(symbols),
        Constant::tuple(block.children.iter().map(|&child| self::block(table, child)).collect()),
    ])
}

fn snippet(input: &Constant) -> Constant {
    let [mode, source, level, flags] = items(input) else { panic!("four parts are wanted") };
    let (Constant::Str(mode), Constant::Bytes(source)) = (mode, source) else { panic!("a mode and a source") };
    let mode = match mode.as_str() {
        Some("eval") => Mode::Eval,
        Some("single") => Mode::Single,
        _ => Mode::Exec,
    };
    let arena = Bump::new();
    let parsed = match taipan_syntax::parse(&arena, source, &ParseOptions { mode, ..ParseOptions::default() }) {
        Ok(parsed) => parsed,
        Err(_) => return Constant::str("parse error"),
    };
    let tree = &*arena.alloc(parsed.tree);
    let mut options = Options::new("<snippet>");
    options.optimize = int(level) as u8;
    options.flags = int(flags) as u32;
    let mut warnings = Vec::new();
    let outcome = match taipan_compiler::compile(tree, &arena, &options, &mut warnings) {
        Ok(code) => Constant::Code(code.into()),
        Err(found) => error(found),
    };
    let warnings = warnings
        .into_iter()
        .map(|warning| {
            Constant::tuple(vec![Constant::str(&warning.message), Constant::int(warning.location.lineno.into())])
        })
        .collect();
    let symbols = match taipan_compiler::symtable(tree, &arena, &options) {
        Ok(table) => block(&table, SymbolTable::TOP),
        Err(found) => error(found),
    };
    Constant::tuple(vec![outcome, Constant::tuple(warnings), symbols])
}

fn main() {
    let mut input = Vec::new();
    std::io::stdin().read_to_end(&mut input).expect("standard input");
    let snippets = load_constant(&input).expect("marshalled snippets");
    let results = items(&snippets).iter().map(snippet).collect();
    let output = dump_constant(&Constant::tuple(results)).expect("small results");
    std::io::stdout().write_all(&output).expect("standard output");
}
