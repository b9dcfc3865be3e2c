//! Runs CPython's own test files, unmodified, under `taipan` and keeps the record of what passes.

mod board;
mod options;
mod outcome;
mod process;
mod suite;

use std::collections::BTreeMap;
use std::io::{IsTerminal, Write};
use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use board::{Board, NotApplicable};
use options::{Mode, Options};
use outcome::{FileResult, Outcome};
use process::Runner;
use suite::Suite;

fn main() -> ExitCode {
    let options = match Options::parse(std::env::args().skip(1)) {
        Ok(options) => options,
        Err(message) => {
            eprintln!("{message}");
            return ExitCode::from(2);
        }
    };
    match run(&options) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(message) => {
            eprintln!("conformance: {message}");
            ExitCode::from(2)
        }
    }
}

/// Whether what the options ask for holds.
fn run(options: &Options) -> Result<bool, String> {
    let suite = Suite::locate(options)?;
    let mut board = Board::read(&options.home)?;
    let not_applicable = NotApplicable::read(&options.home)?;
    let names = select(options, &suite, &board, &not_applicable)?;
    if options.mode == Mode::List {
        names.iter().for_each(|name| println!("{name}"));
        return Ok(true);
    }
    if names.is_empty() {
        println!("no files are recorded\n0 passed, 0 failed, 0 skipped");
        return Ok(true);
    }

    let runner = Runner::new(options, &suite, &not_applicable)?;
    let results = run_all(options, &runner, &names);
    if options.failures {
        for (file, id, outcome) in results.values().flat_map(FileResult::unsuccessful) {
            println!("{outcome:<8} {file} {id}");
        }
    }
    match &options.mode {
        Mode::Check => Ok(check(options, &runner, &suite, &board, results)),
        Mode::Update | Mode::Reset => {
            let reset = options.mode == Mode::Reset;
            results.values().for_each(|result| board.record(result, &suite.version, reset));
            board.write()?;
            summarize(&results);
            Ok(true)
        }
        Mode::Required => Ok(summarize(&results)),
        Mode::Run | Mode::List => {
            summarize(&results);
            Ok(true)
        }
    }
}

/// The files to run.
fn select(
    options: &Options,
    suite: &Suite,
    board: &Board,
    not_applicable: &NotApplicable,
) -> Result<Vec<String>, String> {
    let mut names = if !options.names.is_empty() {
        options.names.iter().map(|name| suite.find(name)).collect::<Result<Vec<_>, _>>()?.concat()
    } else if options.mode == Mode::Required {
        board::read_required(&options.home)?
    } else if options.mode == Mode::Check {
        board.files()
    } else {
        suite.files()?
    };
    names.retain(|name| !not_applicable.file(name));
    names.dedup();
    Ok(names)
}

fn run_all(options: &Options, runner: &Runner, names: &[String]) -> BTreeMap<String, FileResult> {
    let next = AtomicUsize::new(0);
    let finished = Mutex::new((0, BTreeMap::new()));
    std::thread::scope(|scope| {
        for _ in 0..options.jobs.min(names.len()) {
            scope.spawn(|| {
                while let Some(name) = names.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let begun = Instant::now();
                    let result = runner.run(name);
                    let mut finished = finished.lock().expect("no worker panics while it holds the lock");
                    finished.0 += 1;
                    progress(finished.0, names.len(), &result, begun.elapsed().as_secs_f64());
                    finished.1.insert(name.clone(), result);
                }
            });
        }
    });
    if std::io::stdout().is_terminal() {
        print!("\r\x1b[K");
    }
    finished.into_inner().expect("no worker panics while it holds the lock").1
}

/// On a terminal one line that is written over, except for files that do not pass completely.
fn progress(done: usize, total: usize, result: &FileResult, seconds: f64) {
    let mut out = std::io::stdout().lock();
    let terminal = out.is_terminal();
    let counts = result.counts();
    let clear = if terminal { "\r\x1b[K" } else { "" };
    let end = if terminal && counts.failed + counts.crashed == 0 { "" } else { "\n" };
    let note = result.note();
    let _ = write!(out, "{clear}[{done:>3}/{total}] {} {counts} {seconds:.1} s{note}{end}", result.name);
    let _ = out.flush();
}

/// Prints the sums, and says whether all that was run passed.
fn summarize(results: &BTreeMap<String, FileResult>) -> bool {
    let mut sum = outcome::Counts::default();
    let mut complete = 0;
    for result in results.values() {
        let counts = result.counts();
        complete += usize::from(counts.failed + counts.crashed == 0 && counts.passed > 0);
        sum.add(&counts);
    }
    println!(
        "{complete} of {} files pass completely; {} methods crashed or ran out of time",
        results.len(),
        sum.crashed
    );
    println!("{} passed, {} failed, {} skipped", sum.passed, sum.failed + sum.crashed, sum.skipped);
    sum.failed + sum.crashed == 0
}

/// Compares with the record. A file with a regression is run a second time, alone, before it counts.
fn check(
    options: &Options,
    runner: &Runner,
    suite: &Suite,
    board: &Board,
    mut results: BTreeMap<String, FileResult>,
) -> bool {
    let (mut passed, mut failed, mut skipped, mut unrecorded) = (0, 0, 0, 0);
    let same_suite = suite.version == board.version;
    if !same_suite {
        println!("the record was made with the tests of {}, these are {}", board.version, suite.version);
    }
    for (name, result) in &mut results {
        let mut lost = board.lost(result, same_suite);
        if !lost.is_empty() && !options.once {
            let again = runner.run(name);
            let lost_again = board.lost(&again, same_suite);
            lost.retain(|(id, _)| lost_again.iter().any(|(other, _)| other == id));
            result.join(again);
        }
        passed += board.recorded(name) - lost.len();
        if options.without_gil {
            lost.retain(|(id, now)| {
                let by_tests = *now == Some(Outcome::Skip);
                if by_tests {
                    println!("skipped without the GIL: {name} {id}");
                }
                !by_tests
            });
        }
        for (id, now) in &lost {
            let now = now.map_or_else(|| format!("not run{}", result.note()), |outcome| outcome.to_string());
            println!("regression: {name} {id} is recorded as passing: {now}");
        }
        failed += lost.len();
        skipped += result.counts().skipped;
        unrecorded += board.unrecorded(result);
    }
    if unrecorded > 0 {
        println!("{unrecorded} methods pass that the record does not have yet: --update adds them");
    }
    println!("{passed} passed, {failed} failed, {skipped} skipped");
    failed == 0
}
