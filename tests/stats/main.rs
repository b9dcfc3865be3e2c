//! Whether `-X stats` counts what a program is known to do, in builds with the feature.
//! `cargo test -p taipan-cli --features stats --test stats`

use std::process::{Command, ExitCode, Stdio};

const PROGRAM: &str = "
class Pair:
    def __init__(self, x):
        self.x = x

def run(count):
    total = 0
    for i in range(count):
        pair = Pair(i)
        total += pair.x * 3
    return total

run(1000)
";

/// What a line of the report ends with (or has in it, if it ends with a comma), and the least and the most that it may say.
const EXPECTED: [(&str, u64, u64); 5] = [
    ("% MultiplyK", 1000, 1100),
    ("LoadSlot", 900, 20_000),
    ("others: MultiplyK", 1000, 1100),
    (" Pair", 1000, 1000),
    ("taken,", 3000, 1_000_000),
];

fn main() -> ExitCode {
    if std::env::args().any(|argument| argument == "--list") {
        println!("stats: test");
        return ExitCode::SUCCESS;
    }
    let mut command = Command::new(env!("CARGO_BIN_EXE_taipan"));
    let output = command.args(["-I", "-S", "-X", "stats", "-c", PROGRAM]).stdin(Stdio::null()).output();
    let report = String::from_utf8_lossy(&output.expect("the command runs").stderr).into_owned();
    let mut failed = 0;
    for (ends, least, most) in EXPECTED {
        let found = |line: &&str| line.ends_with(ends) || ends.ends_with(',') && line.contains(ends);
        let line = report.lines().map(str::trim).find(found);
        let count = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
        if !count.is_some_and(|count| (least..=most).contains(&count)) {
            failed += 1;
            println!("---- {ends} ----\n{line:?} is not from {least} to {most}");
        }
    }
    let verdict = if failed == 0 { "ok" } else { "FAILED" };
    let passed = EXPECTED.len() - failed;
    println!("\ntest result: {verdict}. {passed} passed; {failed} failed; 0 ignored; 0 measured; 0 filtered out\n");
    if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
