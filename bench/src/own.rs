//! The programs of `bench/programs`. Each prints what it computed, which must be the same everywhere, and how long each
//! call took; the first half of the calls in a process is its warm-up.

use std::fs;
use std::path::Path;

use crate::interpreter::{Interpreter, median};
use crate::options::Options;
use crate::table::{Cell, Table};

struct Sample {
    check: String,
    first: f64,
    steady: f64,
    memory: u64,
}

/// The names of the programs, in order.
pub fn programs(home: &Path) -> Result<Vec<String>, String> {
    let dir = home.join("programs");
    let entries = fs::read_dir(&dir).map_err(|error| format!("{}: {error}", dir.display()))?;
    let paths = entries.filter_map(|entry| Some(entry.ok()?.path()));
    let mut names: Vec<String> = paths
        .filter(|path| path.extension().is_some_and(|extension| extension == "py"))
        .filter_map(|path| Some(path.file_stem()?.to_str()?.to_owned()))
        .filter(|name| name != "harness")
        .collect();
    names.sort();
    Ok(names)
}

pub fn run(options: &Options, interpreters: &[Interpreter]) -> Result<Table, String> {
    let mut table = Table::new("programs, a call after warming up", interpreters.iter().map(|each| each.name.clone()));
    let mut dirs = Vec::new();
    for interpreter in interpreters {
        dirs.push(interpreter.copy(&options.home.join("programs"), "programs")?);
    }
    for name in programs(&options.home)?.iter().filter(|name| options.selects(name)) {
        let mut samples: Vec<Vec<Sample>> = interpreters.iter().map(|_| Vec::new()).collect();
        let mut failures: Vec<Option<String>> = vec![None; interpreters.len()];
        for _ in 0..options.runs {
            for (at, interpreter) in interpreters.iter().enumerate() {
                if failures[at].is_none() {
                    match sample(options, interpreter, &dirs[at], name) {
                        Ok(sample) => samples[at].push(sample),
                        Err(why) => failures[at] = Some(why),
                    }
                }
            }
        }
        // The last interpreter that ran it is the judge: the reference, if there is one besides ours.
        let check = samples.iter().rev().find_map(|samples| samples.first()).map(|sample| sample.check.clone());
        let cells = samples.iter().zip(failures).map(|(samples, failure)| match failure {
            Some(why) => Cell::Failed(why),
            None => summarize(samples, check.as_deref()),
        });
        table.add(name, cells.collect());
    }
    Ok(table)
}

fn sample(options: &Options, interpreter: &Interpreter, dir: &Path, name: &str) -> Result<Sample, String> {
    let script = dir.join(format!("{name}.py")).display().to_string();
    let run = interpreter.run(&[&script, &options.seconds.to_string(), "3"], &[], options.timeout)?;
    let line = |prefix: &str| run.stdout.lines().find_map(|line| line.strip_prefix(prefix));
    let times: Vec<f64> = line("times ").unwrap_or("").split(' ').filter_map(|seconds| seconds.parse().ok()).collect();
    let (Some(check), Some(&first)) = (line("check "), times.first()) else {
        return Err("it printed no times".to_owned());
    };
    let steady = median(&mut times[times.len() / 2..].to_vec());
    Ok(Sample { check: check.to_owned(), first, steady, memory: run.memory })
}

fn summarize(samples: &[Sample], check: Option<&str>) -> Cell {
    if let Some(sample) = samples.iter().find(|sample| Some(sample.check.as_str()) != check) {
        return Cell::Failed(format!("another result: {} instead of {}", sample.check, check.unwrap_or("?")));
    }
    let middle = |value: fn(&Sample) -> f64| median(&mut samples.iter().map(value).collect::<Vec<_>>());
    Cell::Done {
        seconds: middle(|sample| sample.steady),
        first: Some(middle(|sample| sample.first)),
        memory: samples.iter().map(|sample| sample.memory).max().unwrap_or(0),
    }
}
