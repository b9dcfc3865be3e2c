//! Runs every program of this directory, each of which tries to crash the interpreter: by recursion without end, by
//! containers that change while they are worked on, by exhausting memory. Whatever the outcome of what they try (an
//! ordinary exception, a result), each has to come to its own end with status 0: no signal, no panic.
//!
//! `attempts.py` is what they share. Programs named in `pending.txt`, each with a reason, do not come to their end yet: they run
//! only when asked for by name. `cargo test -p taipan-cli --test crashers NAME` runs one; `taipan NAME.py -v` says
//! what it is at.

use std::fs;
use std::io::{Read, Seek};
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

const TAIPAN: &str = env!("CARGO_BIN_EXE_taipan");
const HOME: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/crashers");
const TIME_LIMIT: Duration = Duration::from_secs(600);

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let filters: Vec<&String> = arguments.iter().filter(|argument| !argument.starts_with('-')).collect();
    let mut names = programs();
    let pending = fs::read_to_string(Path::new(HOME).join("pending.txt")).unwrap_or_default();
    let pending: Vec<&str> = pending.lines().filter_map(|line| line.split(' ').next()).collect();
    let all = names.len();
    names.retain(|name| match filters.is_empty() {
        true => !pending.contains(&name.as_str()),
        false => filters.iter().any(|filter| name.contains(*filter)),
    });
    if arguments.iter().any(|argument| argument == "--list") {
        names.iter().for_each(|name| println!("{name}: test"));
        return ExitCode::SUCCESS;
    }
    let ignored = if filters.is_empty() { all - names.len() } else { 0 };
    let (mut passed, mut failed) = (0, 0);
    for name in &names {
        match run(name) {
            Ok(()) => {
                passed += 1;
                println!("test {name} ... ok");
            }
            Err(problem) => {
                failed += 1;
                println!("test {name} ... FAILED\n{problem}");
            }
        }
    }
    let verdict = if failed == 0 { "ok" } else { "FAILED" };
    println!(
        "\ntest result: {verdict}. {passed} passed; {failed} failed; {ignored} ignored; 0 measured; 0 filtered out\n"
    );
    if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn programs() -> Vec<String> {
    let entries = fs::read_dir(HOME).expect("the directory of the programs is readable");
    let paths = entries.map(|entry| entry.expect("a directory entry").path());
    let mut names: Vec<String> = paths
        .filter(|path| path.extension().is_some_and(|extension| extension == "py"))
        .map(|path| path.file_stem().expect("a file with an extension has a stem").to_string_lossy().into_owned())
        .filter(|name| name != "attempts")
        .collect();
    names.sort();
    names
}

/// Runs one program; what went wrong, with the last that it wrote to its standard error.
fn run(name: &str) -> Result<(), String> {
    let path = std::env::temp_dir().join(format!("taipan-crasher-{}-{name}", std::process::id()));
    let opened = fs::File::options().read(true).write(true).create(true).truncate(true).open(&path);
    let _ = fs::remove_file(&path);
    let mut stderr = opened.map_err(|error| format!("{}: {error}", path.display()))?;
    let mut command = Command::new(TAIPAN);
    command.arg(format!("{name}.py")).arg("-v").current_dir(HOME).env("PYTHONHASHSEED", "0");
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(stderr.try_clone().map_err(|error| error.to_string())?);
    let mut child = command.spawn().map_err(|error| format!("{TAIPAN}: {error}"))?;
    let begun = Instant::now();
    let status = loop {
        if let Some(status) = child.try_wait().map_err(|error| error.to_string())? {
            break status;
        }
        if begun.elapsed() > TIME_LIMIT {
            let _ = child.kill();
            let _ = child.wait();
            return Err(format!("it was not done after {} s", TIME_LIMIT.as_secs()));
        }
        std::thread::sleep(Duration::from_millis(5));
    };
    let mut bytes = Vec::new();
    stderr.rewind().and_then(|()| stderr.read_to_end(&mut bytes)).map_err(|error| error.to_string())?;
    let written = String::from_utf8_lossy(&bytes);
    let panicked = written.contains("panicked at");
    if status.success() && !panicked {
        return Ok(());
    }
    let lines: Vec<&str> = written.lines().collect();
    Err(format!("{status}\n{}", lines[lines.len().saturating_sub(20)..].join("\n")))
}
