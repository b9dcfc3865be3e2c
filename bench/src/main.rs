//! Times `taipan` beside other interpreters, always in the same run: programs of our own, start-up, and the scripts of
//! PyPI's `pyperformance`. The runs of the interpreters are interleaved, and a figure is the median of several.

mod growth;
mod interpreter;
mod micro;
mod options;
mod own;
mod pyperformance;
mod startup;
mod table;

use std::process::ExitCode;

use interpreter::Interpreter;
use options::{Options, Suite};
use table::Table;

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
            eprintln!("bench: {message}");
            ExitCode::from(2)
        }
    }
}

/// Whether every benchmark could be run by the first interpreter, and gave the same result on all.
fn run(options: &Options) -> Result<bool, String> {
    let mut interpreters = Vec::new();
    for (name, command) in &options.interpreters {
        match Interpreter::prepare(name, command, &options.target) {
            Ok(interpreter) => {
                println!("{name}: {}", interpreter.version);
                interpreters.push(interpreter);
            }
            Err(message) if interpreters.is_empty() => {
                println!("{name}: {message}");
                return Ok(options.smoke && as_expected(options, &["sys.version"])?);
            }
            Err(message) => println!("{name}: left out: {message}"),
        }
    }
    println!("{}", machine());
    let mut tables: Vec<Table> = Vec::new();
    for suite in &options.suites {
        let table = match suite {
            Suite::Startup => startup::run(options, &interpreters),
            Suite::Micro => micro::run(options, &interpreters)?,
            Suite::Own => own::run(options, &interpreters)?,
            Suite::Scaling => growth::scaling(options, &interpreters)?,
            Suite::Memory => growth::memory(options, &interpreters)?,
            Suite::Pyperformance => pyperformance::run(options, &interpreters)?,
        };
        println!("\n{}", table.text());
        tables.push(table);
    }
    if let Some(path) = &options.json {
        let parts: Vec<String> = tables.iter().map(Table::json).collect();
        std::fs::write(path, format!("[\n{}\n]\n", parts.join(",\n"))).map_err(|error| error.to_string())?;
    }
    let failed: Vec<&str> = tables.iter().flat_map(Table::failed).collect();
    let ran = tables.iter().map(Table::rows).sum::<usize>() - failed.len();
    println!("{ran} benchmarks ran, {} did not", failed.len());
    match options.smoke {
        true => as_expected(options, &failed),
        false => Ok(failed.is_empty()),
    }
}

/// Whether pending.txt names everything that failed. What it names and works is told, but does no harm.
fn as_expected(options: &Options, failed: &[&str]) -> Result<bool, String> {
    let pending = std::fs::read_to_string(options.home.join("pending.txt")).map_err(|error| error.to_string())?;
    let pending: Vec<&str> = pending.lines().filter(|line| !line.is_empty() && !line.starts_with('#')).collect();
    for name in pending.iter().filter(|name| !failed.contains(name) && !failed.contains(&"sys.version")) {
        println!("{name} works now: take it off pending.txt");
    }
    let unexpected: Vec<&&str> = failed.iter().filter(|name| !pending.contains(name)).collect();
    unexpected.iter().for_each(|name| println!("{name} does not work, and pending.txt does not have it"));
    Ok(unexpected.is_empty())
}

/// The processor's name, how many there are, and the load: what a figure is worth depends on them.
fn machine() -> String {
    let cpuinfo = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = cpuinfo.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    let model = model.map_or("unknown processor", |(_, name)| name);
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let load = load.split(' ').next().unwrap_or("?");
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    format!("{processors} x {model}, load {load}")
}
