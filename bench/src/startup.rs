//! The time from nothing to the end of a program that does nothing, and of some that import.

use crate::interpreter::{Interpreter, Run, median};
use crate::options::Options;
use crate::table::{Cell, Table};

const PROGRAMS: &[(&str, &[&str])] = &[
    ("-I -S -c pass", &["-I", "-S", "-c", "pass"]),
    ("-c pass", &["-c", "pass"]),
    ("import json, re", &["-c", "import json, re"]),
    ("import argparse", &["-c", "import argparse, dataclasses, pathlib"]),
    ("import asyncio", &["-c", "import asyncio, logging, unittest"]),
];

/// A start takes some milliseconds, so that many can be afforded.
const RUNS_FACTOR: usize = 5;

pub fn run(options: &Options, interpreters: &[Interpreter]) -> Table {
    let mut table = Table::new("start-up, whole process", interpreters.iter().map(|each| each.name.clone()));
    for (name, arguments) in PROGRAMS.iter().filter(|(name, _)| options.selects(name)) {
        let runs = if options.quick { 1 } else { options.runs * RUNS_FACTOR };
        let mut samples: Vec<Vec<Run>> = interpreters.iter().map(|_| Vec::new()).collect();
        let mut failures: Vec<Option<String>> = vec![None; interpreters.len()];
        for _ in 0..runs {
            for (at, interpreter) in interpreters.iter().enumerate() {
                if failures[at].is_none() {
                    match interpreter.run(arguments, &[], options.timeout) {
                        Ok(run) => samples[at].push(run),
                        Err(why) => failures[at] = Some(why),
                    }
                }
            }
        }
        let cells = samples.into_iter().zip(failures).map(|(runs, failure)| match failure {
            Some(why) => Cell::Failed(why),
            None => Cell::Done {
                seconds: median(&mut runs.iter().map(|run| run.seconds).collect::<Vec<_>>()),
                first: None,
                memory: runs.iter().map(|run| run.memory).max().unwrap_or(0),
            },
        });
        table.add(name, cells.collect());
    }
    table
}
