//! Runs the failing programs of `cases.txt` under `taipan` and compares what they write to standard error, and their exit
//! status, with what CPython 3.14 wrote (`expected.txt`, made by `update.py`).
//!
//! In both files a line `=== NAME` begins an entry. Addresses, and line numbers within the library, do not count.
//! `cargo test -p taipan-cli --test tracebacks NAME` runs some. Names in `pending.txt`, each with a reason, are known to
//! differ: one that does not fails the run, until it is taken off.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

const TAIPAN: &str = env!("CARGO_BIN_EXE_taipan");
const HOME: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/tracebacks");

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let filters: Vec<&String> = arguments.iter().filter(|argument| !argument.starts_with('-')).collect();
    let mut cases = entries("cases.txt");
    cases.retain(|name, _| filters.is_empty() || filters.iter().any(|filter| name.contains(*filter)));
    if arguments.iter().any(|argument| argument == "--list") {
        cases.keys().for_each(|name| println!("{name}: test"));
        return ExitCode::SUCCESS;
    }
    let expected = entries("expected.txt");
    let pending = fs::read_to_string(Path::new(HOME).join("pending.txt")).unwrap_or_default();
    let pending: BTreeMap<&str, &str> = pending.lines().filter_map(|line| line.split_once(' ')).collect();
    let directory = std::env::temp_dir().join(format!("taipan-tracebacks-{}", std::process::id()));
    fs::create_dir_all(&directory).expect("a temporary directory");
    let written = run_all(&cases, &directory);
    let _ = fs::remove_dir_all(&directory);

    let (mut passed, mut failed, mut ignored) = (0, 0, 0);
    for (name, got) in &written {
        let wanted = expected.get(name).map_or("", String::as_str);
        match (got == wanted, pending.contains_key(name.as_str())) {
            (true, false) => passed += 1,
            (false, true) => ignored += 1,
            (true, true) => {
                failed += 1;
                println!("---- {name} ----\nit works now: take it off pending.txt");
            }
            (false, false) => {
                failed += 1;
                println!("---- {name} ----\n{got}---- instead of ----\n{wanted}");
            }
        }
    }
    let verdict = if failed == 0 { "ok" } else { "FAILED" };
    println!(
        "\ntest result: {verdict}. {passed} passed; {failed} failed; {ignored} ignored; 0 measured; 0 filtered out\n"
    );
    if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// The entries of a file, by name.
fn entries(file: &str) -> BTreeMap<String, String> {
    let text = fs::read_to_string(Path::new(HOME).join(file)).expect("the collection is readable");
    let parts = text.split("=== ").skip(1).filter_map(|part| part.split_once('\n'));
    parts.map(|(name, text)| (name.to_string(), text.to_string())).collect()
}

fn run_all(cases: &BTreeMap<String, String>, directory: &Path) -> BTreeMap<String, String> {
    let cases: Vec<(&String, &String)> = cases.iter().collect();
    let next = AtomicUsize::new(0);
    let written = Mutex::new(BTreeMap::new());
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(|| {
                while let Some((name, program)) = cases.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let output = run(name, program, directory);
                    written.lock().expect("no thread panics with the lock").insert((*name).clone(), output);
                }
            });
        }
    });
    written.into_inner().expect("no thread panics with the lock")
}

/// The exit status and what was written to standard error.
fn run(name: &str, program: &str, directory: &Path) -> String {
    let file: PathBuf = directory.join(format!("{name}.py"));
    if let Err(error) = fs::write(&file, program) {
        return format!("{}: {error}", file.display());
    }
    let mut command = Command::new(TAIPAN);
    command.arg(format!("{name}.py")).current_dir(directory).stdin(Stdio::null());
    for variable in ["PYTHONPATH", "PYTHONHOME", "PYTHONSTARTUP", "FORCE_COLOR", "COLUMNS"] {
        command.env_remove(variable);
    }
    command.env("PYTHONHASHSEED", "0").env("LANG", "C.UTF-8").env("NO_COLOR", "1").env("TZ", "UTC");
    match command.output() {
        Ok(output) => {
            let status = output.status.code().map_or_else(|| output.status.to_string(), |code| code.to_string());
            let text = String::from_utf8_lossy(&output.stderr).replace(&format!("{}/", directory.display()), "");
            let lines: Vec<String> = text.trim_end_matches('\n').lines().map(neutral).collect();
            format!("status {status}\n{}\n", lines.join("\n"))
        }
        Err(error) => format!("{TAIPAN}: {error}"),
    }
}

/// A line without what may differ: addresses, where the library is, line numbers in it.
fn neutral(line: &str) -> String {
    let mut parts = line.split("0x");
    let mut text = parts.next().unwrap_or_default().to_string();
    for part in parts {
        text.push_str("0x");
        text.push_str(part.trim_start_matches(|c: char| c.is_ascii_digit() || ('a'..='f').contains(&c)));
    }
    const LIBRARY: &str = "/lib/python3.14/";
    let (Some(start), Some(found)) = (text.find("File \""), text.find(LIBRARY)) else { return text };
    let rest = &text[found + LIBRARY.len()..];
    let Some((file, rest)) = rest.split_once("\", line ") else { return text };
    let rest = rest.trim_start_matches(|c: char| c.is_ascii_digit());
    format!("{}File \"lib/{file}\", line N{rest}", &text[..start])
}
