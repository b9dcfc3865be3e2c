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

/// What a line of the report ends with (or has in it, if it ends with a comma), and the least and the most that the program
/// may add to what it says of an empty one.
const EXPECTED: [(&str, u64, u64); 5] = [
    ("% MultiplyK", 1000, 1100),
    ("LoadSlot", 900, 1100),
    ("others: MultiplyK", 1000, 1100),
    (" Pair", 1000, 1000),
    ("taken,", 3000, 1_000_000),
];

/// The report about a program.
fn report(program: &str) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_taipan"));
    let output = command.args(["-I", "-S", "-X", "stats", "-c", program]).stdin(Stdio::null()).output();
    String::from_utf8_lossy(&output.expect("the command runs").stderr).into_owned()
}

/// The number at the beginning of the line that ends so, 0 if there is none.
fn number(report: &str, ends: &str) -> u64 {
    let found = |line: &&str| line.ends_with(ends) || ends.ends_with(',') && line.contains(ends);
    let line = report.lines().map(str::trim).find(found);
    line.and_then(|line| line.split_whitespace().next()?.parse().ok()).unwrap_or(0)
}

fn main() -> ExitCode {
    if std::env::args().any(|argument| argument == "--list") {
        println!("stats: test");
        return ExitCode::SUCCESS;
    }
    let (empty, full) = (report("pass"), report(PROGRAM));
    let mut failed = 0;
    for (ends, least, most) in EXPECTED {
        let added = number(&full, ends).saturating_sub(number(&empty, ends));
        if !(least..=most).contains(&added) {
            failed += 1;
            println!("---- {ends} ----\n{added} is not from {least} to {most}");
        }
    }
    let verdict = if failed == 0 { "ok" } else { "FAILED" };
    let passed = EXPECTED.len() - failed;
    println!("\ntest result: {verdict}. {passed} passed; {failed} failed; 0 ignored; 0 measured; 0 filtered out\n");
    if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
