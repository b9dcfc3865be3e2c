//! The micro-table of `bench/micro/micro.py`: the statements that every program is made of, in nanoseconds. Its figure is
//! the best one: what disturbs a measurement makes it slower only.

use std::collections::BTreeMap;

use crate::interpreter::Interpreter;
use crate::options::Options;
use crate::table::{Cell, Table};

/// Seconds for one of three measurements of an entry in each process.
const SECONDS: f64 = 0.02;

pub fn run(options: &Options, interpreters: &[Interpreter]) -> Result<Table, String> {
    let mut table = Table::new("statements", interpreters.iter().map(|each| each.name.clone()));
    let mut best: Vec<BTreeMap<String, f64>> = interpreters.iter().map(|_| BTreeMap::new()).collect();
    let mut failures: Vec<Option<String>> = vec![None; interpreters.len()];
    let mut order: Vec<String> = Vec::new();
    let seconds = if options.quick { "0.0001".to_owned() } else { SECONDS.to_string() };
    for _ in 0..options.runs {
        for (at, interpreter) in interpreters.iter().enumerate() {
            let script = interpreter.copy(&options.home.join("micro"), "micro")?.join("micro.py").display().to_string();
            let mut arguments = vec![script.as_str(), seconds.as_str()];
            arguments.extend(options.names.iter().map(String::as_str));
            match interpreter.run(&arguments, &[], options.timeout) {
                Ok(run) => {
                    for line in run.stdout.lines().filter_map(|line| line.strip_prefix("result ")) {
                        let (name, numbers) = line.split_once(' ').unwrap_or((line, ""));
                        let numbers = numbers.split(' ').filter_map(|number| number.parse::<f64>().ok());
                        let least = numbers.fold(f64::INFINITY, f64::min) * 1e-9;
                        let entry = best[at].entry(name.to_owned()).or_insert(f64::INFINITY);
                        *entry = entry.min(least);
                        if !order.iter().any(|known| known == name) {
                            order.push(name.to_owned());
                        }
                    }
                }
                Err(why) => failures[at] = Some(why),
            }
        }
    }
    for name in order {
        let cells = (0..interpreters.len()).map(|at| match (best[at].get(&name), &failures[at]) {
            (Some(&seconds), _) => Cell::Done { seconds, first: None, memory: 0 },
            (None, Some(why)) => Cell::Failed(why.clone()),
            (None, None) => Cell::Failed("it printed no result".to_owned()),
        });
        table.add(&name, cells.collect());
    }
    Ok(table)
}
