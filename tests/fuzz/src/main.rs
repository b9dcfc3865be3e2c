//! Fuzzes `taipan` with damaged and senseless programs, marshal data and code objects.
//!
//! The inputs are made and run by `worker/worker.py`, under the interpreter that is fuzzed, in forked processes; this
//! program watches over that, and saves, replays and minimises what crashed. An input depends on its number alone.

mod minimise;
mod options;
mod worker;

use std::collections::BTreeMap;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use options::{Mode, Options};
use worker::{Report, Worker};

/// How many crashes with the same traces are saved and minimised.
const SAVED_OF_A_KIND: usize = 2;
const STATUS_EVERY: Duration = Duration::from_secs(60);

fn main() -> ExitCode {
    let options = match Options::parse(std::env::args().skip(1)) {
        Ok(options) => options,
        Err(message) => {
            eprintln!("{message}");
            return ExitCode::from(2);
        }
    };
    let outcome = match &options.mode {
        Mode::Run => run(&options),
        Mode::Replay(file) => replay(&options, file),
        Mode::Show => worker::show(&options).map(|()| true),
    };
    match outcome {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(message) => {
            eprintln!("fuzz: {message}");
            ExitCode::from(2)
        }
    }
}

/// Whether nothing crashed.
fn run(options: &Options) -> Result<bool, String> {
    let begun = Instant::now();
    let end = options.time.map(|time| begun + time);
    let last = options.count.map(|count| options.seed + count);
    let (mut executed, mut cut, mut slow) = (0, 0, 0);
    let mut kinds: BTreeMap<String, usize> = BTreeMap::new();
    let mut next_status = begun + STATUS_EVERY;
    let mut worker = Worker::start(options, options.seed)?;
    loop {
        let at = worker.at();
        let report = worker.next()?;
        executed += worker.at() - at;
        match report {
            Report::Done { cut: some } => cut += some,
            Report::Slow(input) => {
                slow += 1;
                if slow <= options.slow_saved {
                    let path = options.save("slow", input.number, &input.data)?;
                    println!("input {} took too long: {}", input.number, path.display());
                }
            }
            Report::Crashed(crash) => {
                let count = kinds.entry(crash.kind.clone()).or_default();
                *count += 1;
                println!("CRASH at input {} (batch from {}): {}", crash.input.number, crash.batch, crash.kind);
                if *count <= SAVED_OF_A_KIND {
                    let path = options.save("crash", crash.input.number, &crash.input.data)?;
                    options.save("stderr", crash.input.number, crash.stderr.as_bytes())?;
                    println!("  saved as {}", path.display());
                    println!("  again: taipan-fuzz {} --seed {} --count 1", options.target, crash.input.number);
                    minimise::minimise(options, &crash)?;
                }
            }
        }
        let now = Instant::now();
        let over = end.is_some_and(|end| now >= end) || last.is_some_and(|last| worker.at() >= last);
        if over || now >= next_status {
            next_status = now + STATUS_EVERY;
            let seconds = begun.elapsed().as_secs_f64();
            println!(
                "{} {:.1} min: {executed} inputs, {:.0} a second, next {}; {} crashes of {} kinds, {cut} cut short, {slow} too slow",
                options.target,
                seconds / 60.0,
                executed as f64 / seconds,
                worker.at(),
                kinds.values().sum::<usize>(),
                kinds.len(),
            );
        }
        if over {
            return Ok(kinds.is_empty());
        }
    }
}

fn replay(options: &Options, file: &std::path::Path) -> Result<bool, String> {
    let data = std::fs::read(file).map_err(|error| format!("{}: {error}", file.display()))?;
    let outcome = worker::replay(options, &data)?;
    print!("{}", outcome.output);
    match outcome.crash {
        Some(kind) => {
            print!("{}", outcome.stderr);
            println!("CRASH: {kind}");
            Ok(false)
        }
        None => Ok(true),
    }
}
