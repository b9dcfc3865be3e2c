//! What becomes of sources: reads from standard input a marshalled tuple of (mode, source bytes, level, flags); writes
//! a marshalled tuple with, for each, what came out (the code, or the error as a tuple), the warnings and the symbol
//! table. `tests/compiler/outcome.py` makes the same of CPython's compiler.

use std::io::{Read, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};

use bumpalo::Bump;
use taipan_bytecode::Constant;
use taipan_bytecode::marshal::code::{dump_constant, load_constant};
use taipan_compiler::symtable::{BlockId, SymbolTable};
use taipan_compiler::{CompileError, Location, Options};
use taipan_syntax::{ErrorKind, Mode, ParseOptions, SyntaxError, WarningKind};

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

fn numbers(numbers: impl IntoIterator<Item = i64>) -> impl Iterator<Item = Constant> {
    numbers.into_iter().map(Constant::int)
}

/// Class, message, line, offset, end line, end offset, text.
fn of_syntax_error(error: &SyntaxError) -> Constant {
    let name = Constant::str(error.kind.class_name());
    if matches!(error.kind, ErrorKind::MemoryError | ErrorKind::UnicodeDecodeError) {
        return Constant::tuple(vec![name, Constant::str("")]);
    }
    let mut parts = vec![name, Constant::str(&error.message)];
    if error.located {
        parts.extend(numbers([error.lineno, error.offset, error.end_lineno, error.end_offset]));
        parts.push(error.text.as_deref().map_or(Constant::None, Constant::str));
    }
    Constant::tuple(parts)
}

/// As above; the text is always None, as for sources that are not in a file.
fn of_compile_error(error: CompileError) -> Constant {
    let (kind, message, location) = match error {
        CompileError::Syntax { message, location, .. } => ("SyntaxError", message, Some(location)),
        CompileError::Recursion(message) => ("RecursionError", message, None),
        CompileError::Internal(message) => ("SystemError", message.into_owned(), None),
        CompileError::Surrogates { .. } => ("UnicodeEncodeError", String::new(), None),
        CompileError::Value(message) => ("ValueError", message, None),
    };
    let mut parts = vec![Constant::str(kind), Constant::str(&message)];
    if let Some(Location { lineno, col_offset, end_lineno, end_col_offset }) = location {
        parts.extend(numbers([lineno, col_offset + 1, end_lineno, end_col_offset + 1].map(i64::from)));
        parts.push(Constant::None);
    }
    Constant::tuple(parts)
}

fn warning(kind: WarningKind, message: &str, lineno: i64) -> Constant {
    let category = match kind {
        WarningKind::SyntaxWarning => "SyntaxWarning",
        WarningKind::DeprecationWarning => "DeprecationWarning",
    };
    Constant::tuple(vec![Constant::str(category), Constant::str(message), Constant::int(lineno)])
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

fn outcome(input: &Constant) -> Constant {
    let [mode, source, level, flags] = items(input) else { panic!("four parts are wanted") };
    let (Constant::Str(mode), Constant::Bytes(source)) = (mode, source) else { panic!("a mode and a source") };
    let mode = match mode.as_str() {
        Some("eval") => Mode::Eval,
        Some("single") => Mode::Single,
        _ => Mode::Exec,
    };
    let flags = int(flags) as u32;
    let arena = Bump::new();
    let parse_options = ParseOptions {
        mode,
        type_comments: flags & 0x1000 != 0,
        dont_imply_dedent: flags & 0x200 != 0,
        allow_incomplete_input: flags & 0x4000 != 0,
        ignore_cookie: flags & 0x800 != 0,
        barry_as_flufl: flags & taipan_bytecode::code::CO_FUTURE_BARRY_AS_BDFL != 0,
        ..ParseOptions::default()
    };
    let mut parse_warnings = Vec::new();
    let tree = taipan_syntax::parse_reporting(&arena, source, &parse_options, &mut parse_warnings);
    let parse_warnings = parse_warnings.iter().map(|found| warning(found.kind, &found.message, found.lineno.into()));
    let tree = match tree {
        Ok(tree) => &*arena.alloc(tree),
        Err(error) => {
            let error = of_syntax_error(&error);
            return Constant::tuple(vec![error.clone(), Constant::tuple(parse_warnings.collect()), error]);
        }
    };
    let mut options = Options::new("<snippet>");
    options.optimize = int(level) as u8;
    options.flags = flags;
    let mut compile_warnings = Vec::new();
    let outcome = match taipan_compiler::compile(tree, &arena, &options, &mut compile_warnings) {
        Ok(code) => Constant::Code(code.into()),
        Err(found) => of_compile_error(found),
    };
    let compile_warnings = compile_warnings
        .iter()
        .map(|found| warning(WarningKind::SyntaxWarning, &found.message, found.location.lineno.into()));
    let warnings = parse_warnings.chain(compile_warnings).collect();
    let symbols = match taipan_compiler::symtable(tree, &arena, &options) {
        Ok(table) => block(&table, SymbolTable::TOP),
        Err(found) => of_compile_error(found),
    };
    Constant::tuple(vec![outcome, Constant::tuple(warnings), symbols])
}

fn main() {
    let mut input = Vec::new();
    std::io::stdin().read_to_end(&mut input).expect("standard input");
    let requests = load_constant(&input).expect("marshalled requests");
    let results = items(&requests)
        .iter()
        .map(|request| catch_unwind(AssertUnwindSafe(|| outcome(request))).unwrap_or(Constant::str("panic")))
        .collect();
    let output = dump_constant(&Constant::tuple(results)).expect("small results");
    std::io::stdout().write_all(&output).expect("standard output");
}
