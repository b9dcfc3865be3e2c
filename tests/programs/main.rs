//! Runs every program of this directory and of `lifetimes` (how long objects live, and what that shows) under `taipan` and compares what it prints with what CPython 3.14 printed.
//!
//! `NAME.py` is the program, `NAME.in` its standard input and `NAME.args` its arguments, one a line, if there are such
//! files; `NAME.out` is what it must print, made by `update.sh`. It must exit with status 0. Programs named in
//! `pending.txt`, each with a reason, are known not to work yet: one that does fails the run, until it is taken off.
//! `cargo test -p taipan-cli --test programs NAME` runs one. With `TAIPAN_UPDATE=1` pending.txt is written anew.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{Read, Seek};
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

const TAIPAN: &str = env!("CARGO_BIN_EXE_taipan");
const HOME: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/programs");
const TIME_LIMIT: Duration = Duration::from_secs(120);

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let filters: Vec<&String> = arguments.iter().filter(|argument| !argument.starts_with('-')).collect();
    let mut names = programs();
    names.retain(|name| filters.is_empty() || filters.iter().any(|filter| name.contains(*filter)));
    if arguments.iter().any(|argument| argument == "--list") {
        names.iter().for_each(|name| println!("{name}: test"));
        return ExitCode::SUCCESS;
    }
    let pending = pending();
    let outcomes = run_all(&names);

    let (mut passed, mut failed, mut ignored) = (0, 0, 0);
    for (name, outcome) in &outcomes {
        match (outcome, pending.get(name)) {
            (Ok(()), None) => passed += 1,
            (Err(_), Some(_)) => ignored += 1,
            (Ok(()), Some(_)) => {
                failed += 1;
                println!("---- {name} ----\nit works now: take it off pending.txt");
            }
            (Err(problem), None) => {
                failed += 1;
                println!("---- {name} ----\n{problem}");
            }
        }
    }
    if std::env::var_os("TAIPAN_UPDATE").is_some() {
        update_pending(&outcomes, &pending);
    }
    let verdict = if failed == 0 { "ok" } else { "FAILED" };
    println!(
        "\ntest result: {verdict}. {passed} passed; {failed} failed; {ignored} ignored; 0 measured; 0 filtered out\n"
    );
    if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn programs() -> Vec<String> {
    let mut names = Vec::new();
    for folder in ["", "lifetimes/"] {
        let entries = fs::read_dir(Path::new(HOME).join(folder)).expect("the directory of the programs is readable");
        let files = entries.map(|entry| entry.expect("a directory entry").file_name().to_string_lossy().into_owned());
        names.extend(files.filter_map(|file| Some(format!("{folder}{}", file.strip_suffix(".py")?))));
    }
    names.sort();
    names
}

/// The programs that do not work yet, and why.
fn pending() -> BTreeMap<String, String> {
    let text = fs::read_to_string(Path::new(HOME).join("pending.txt")).unwrap_or_default();
    let lines = text.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines.map(|line| line.split_once(' ').expect("a name and a reason")).map(|(a, b)| (a.into(), b.into())).collect()
}

fn update_pending(outcomes: &BTreeMap<String, Result<(), String>>, pending: &BTreeMap<String, String>) {
    let mut next = pending.clone();
    for (name, outcome) in outcomes {
        match outcome {
            Ok(()) => drop(next.remove(name)),
            Err(problem) => {
                let last = problem.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or("?");
                next.insert(name.clone(), last.chars().take(150).collect());
            }
        }
    }
    let mut text = String::from("# Programs that do not work yet, and why.\n");
    next.iter().for_each(|(name, reason)| text += &format!("{name} {reason}\n"));
    fs::write(Path::new(HOME).join("pending.txt"), text).expect("pending.txt is writable");
}

fn run_all(names: &[String]) -> BTreeMap<String, Result<(), String>> {
    let next = AtomicUsize::new(0);
    let outcomes = Mutex::new(BTreeMap::new());
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(|| {
                while let Some(name) = names.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let outcome = run(name);
                    println!("test {name} ... {}", if outcome.is_ok() { "ok" } else { "does not pass" });
                    outcomes.lock().expect("no thread panics with the lock").insert(name.clone(), outcome);
                }
            });
        }
    });
    outcomes.into_inner().expect("no thread panics with the lock")
}

fn run(name: &str) -> Result<(), String> {
    let file = |extension: &str| Path::new(HOME).join(format!("{name}.{extension}"));
    let expected = fs::read_to_string(file("out")).map_err(|error| format!("{name}.out: {error}"))?;
    let arguments = fs::read_to_string(file("args")).unwrap_or_default();
    let scratch = |what: &str| -> Result<File, String> {
        let flat = name.replace('/', "-");
        let path = std::env::temp_dir().join(format!("taipan-program-{}-{flat}.{what}", std::process::id()));
        let file = File::options().read(true).write(true).create(true).truncate(true).open(&path);
        let _ = fs::remove_file(&path);
        file.map_err(|error| format!("{}: {error}", path.display()))
    };
    let (mut stdout, mut stderr) = (scratch("stdout")?, scratch("stderr")?);
    let clone = |file: &File| file.try_clone().map_err(|error| error.to_string());
    let mut command = Command::new(TAIPAN);
    command.arg(format!("{name}.py")).args(arguments.lines()).current_dir(HOME);
    for variable in ["PYTHONPATH", "PYTHONHOME", "PYTHONSTARTUP", "FORCE_COLOR", "COLUMNS"] {
        command.env_remove(variable);
    }
    command.env("PYTHONHASHSEED", "0").env("LANG", "C.UTF-8").env("NO_COLOR", "1").env("TZ", "UTC");
    command.stdin(File::open(file("in")).map_or_else(|_| Stdio::null(), Stdio::from));
    command.stdout(clone(&stdout)?).stderr(clone(&stderr)?);

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
    let read = |file: &mut File| {
        let mut bytes = Vec::new();
        file.rewind().and_then(|()| file.read_to_end(&mut bytes)).map_err(|error| error.to_string())?;
        Ok::<_, String>(String::from_utf8_lossy(&bytes).into_owned())
    };
    let (printed, errors) = (read(&mut stdout)?, read(&mut stderr)?);
    if !status.success() {
        return Err(format!("{}{status}\n{errors}", first_difference(&expected, &printed)));
    }
    if printed != expected {
        return Err(first_difference(&expected, &printed));
    }
    Ok(())
}

fn first_difference(expected: &str, printed: &str) -> String {
    let (mut wanted, mut got) = (expected.lines(), printed.lines());
    for number in 1.. {
        match (wanted.next(), got.next()) {
            (None, None) => break,
            (wanted, got) if wanted == got => {}
            (wanted, got) => {
                let show = |line: Option<&str>| line.map_or("the end".to_owned(), |line| format!("{line:?}"));
                return format!("line {number}: {} instead of {}\n", show(got), show(wanted));
            }
        }
    }
    String::new()
}
