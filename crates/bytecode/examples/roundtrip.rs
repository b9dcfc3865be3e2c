//! Reads a marshalled code object from each file named, takes its tables apart and puts them together again, and reports
//! those that change; then writes the code object to standard output if there is one file.

use std::io::Write;

use taipan_bytecode::marshal::{dump_code, load_code};
use taipan_bytecode::{CodeData, Constant, exceptiontable, linetable};

fn check(code: &CodeData, path: &str) -> usize {
    let mut writer = linetable::Writer::new(code.firstlineno);
    let mut pending: Option<linetable::Entry> = None;
    for entry in linetable::entries(&code.linetable, code.firstlineno) {
        match &mut pending {
            Some(run) if run.position == entry.position => run.end = entry.end,
            _ => {
                if let Some(run) = pending {
                    writer.add(run.end - run.start, run.position);
                }
                pending = Some(entry);
            }
        }
    }
    if let Some(run) = pending {
        writer.add(run.end - run.start, run.position);
    }
    let mut exceptions = Vec::new();
    for handler in exceptiontable::handlers(&code.exceptiontable) {
        exceptiontable::write_entry(&mut exceptions, handler);
    }
    let mut failures = 0;
    if writer.finish() != code.linetable {
        println!("{path}: location table of {} differs", code.qualname);
        failures += 1;
    }
    if *exceptions != *code.exceptiontable {
        println!("{path}: exception table of {} differs", code.qualname);
        failures += 1;
    }
    failures + code.consts.iter().filter_map(Constant::as_code).map(|inner| check(inner, path)).sum::<usize>()
}

fn main() {
    let paths: Vec<String> = std::env::args().skip(1).collect();
    let mut failures = 0;
    for path in &paths {
        let data = std::fs::read(path).expect("a readable file");
        let code = match load_code(&data) {
            Ok(code) => code,
            Err(error) => {
                println!("{path}: {error}");
                failures += 1;
                continue;
            }
        };
        failures += check(&code, path);
        let dumped = dump_code(&code).expect("a code object that was read");
        if load_code(&dumped).ok().as_ref() != Some(&code) {
            println!("{path}: changed by marshal");
            failures += 1;
        }
        if paths.len() == 1 {
            std::io::stdout().write_all(&dumped).expect("standard output");
        }
    }
    eprintln!("{} files, {failures} failures", paths.len());
}
