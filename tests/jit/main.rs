//! Runs the programs of `programs/` as they are, with compiled loops (`TAIPAN_JIT=1`), and with compiled loops all of whose
//! guards fail in their turn (`TAIPAN_JIT=fail-guards`). Each time they must print what CPython 3.14 does: the `.out` beside
//! them. `cargo test -p taipan-cli --no-default-features --features jit --test jit NAME` runs some.

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

const TAIPAN: &str = env!("CARGO_BIN_EXE_taipan");
const HOME: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/jit/programs");

/// The values of `TAIPAN_JIT`, and whether guards must have failed.
const MODES: [(&str, bool); 3] = [("", false), ("1,report", false), ("fail-guards,report", true)];

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let filters: Vec<&String> = arguments.iter().filter(|argument| !argument.starts_with('-')).collect();
    let entries = std::fs::read_dir(HOME).expect("the programs are there").filter_map(Result::ok);
    let mut programs: Vec<PathBuf> = entries.map(|entry| entry.path()).collect();
    programs.retain(|path| path.extension().is_some_and(|extension| extension == "py"));
    programs.retain(|path| filters.is_empty() || filters.iter().any(|filter| name(path).contains(filter.as_str())));
    programs.sort();
    let listing = arguments.iter().any(|argument| argument == "--list");
    let (mut passed, mut failed) = (0, 0);
    for program in &programs {
        for (mode, guards_fail) in MODES {
            let test = format!("{} TAIPAN_JIT={mode}", name(program));
            if listing {
                println!("{test}: test");
                continue;
            }
            match check(program, mode, guards_fail) {
                Ok(()) => passed += 1,
                Err(why) => {
                    failed += 1;
                    println!("---- {test} ----\n{why}");
                }
            }
        }
    }
    if listing {
        return ExitCode::SUCCESS;
    }
    let verdict = if failed == 0 { "ok" } else { "FAILED" };
    println!("\ntest result: {verdict}. {passed} passed; {failed} failed; 0 ignored; 0 measured; 0 filtered out\n");
    if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn name(program: &Path) -> &str {
    program.file_name().and_then(|name| name.to_str()).expect("programs have names of ASCII")
}

fn check(program: &Path, mode: &str, guards_fail: bool) -> Result<(), String> {
    let mut command = Command::new(TAIPAN);
    command.current_dir(HOME).arg(name(program)).env("TAIPAN_JIT", mode).stdin(Stdio::null());
    command.env("PYTHONDONTWRITEBYTECODE", "1");
    let output = command.output().map_err(|error| error.to_string())?;
    let [stdout, stderr] = [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
    let home = std::fs::canonicalize(HOME).map_err(|error| error.to_string())?;
    let stdout = stdout.replace(&format!("{}/", home.display()), "");
    let expected = std::fs::read_to_string(program.with_extension("out")).map_err(|error| error.to_string())?;
    if !output.status.success() || stdout != expected {
        return Err(format!("{}\n{stdout}---- instead of ----\n{expected}---- and ----\n{stderr}", output.status));
    }
    if mode.is_empty() {
        return Ok(());
    }
    // "taipan: jit: 3 loops compiled, 70 entries, 2 guards failed"
    let numbers: Vec<u64> = stderr.split([' ', ',']).filter_map(|word| word.parse().ok()).collect();
    match numbers[..] {
        [compiled, entered, failed] if compiled > 0 && entered > 0 && (failed > 50 || !guards_fail) => Ok(()),
        _ => Err(format!("nothing was compiled, or no guard failed: {stderr}")),
    }
}
