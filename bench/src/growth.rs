//! Large heaps: what `bench/scripts/scaling.py` and `bench/scripts/memory.py` measure. A measure is a process of its own, and a
//! figure is the least of several: what disturbs a measurement makes it larger only.

use crate::interpreter::Interpreter;
use crate::options::Options;
use crate::table::{Cell, Table, Unit};

/// How many objects or operations there are in a quick run.
const QUICK: &str = "20000";
/// By what a quick run divides the numbers of objects whose memory is measured.
const QUICK_PART: &str = "100";

/// The time that things take on heaps of 10^7 objects, and for 10^8 operations.
pub fn scaling(options: &Options, interpreters: &[Interpreter]) -> Result<Table, String> {
    let table = Table::new("scaling, seconds of the processor", names(interpreters));
    let measures = list(interpreters, options, &["-l"])?;
    let arguments: &[&str] = if options.quick { &["-n", QUICK] } else { &[] };
    run(options, interpreters, table, "scaling.py", arguments, &measures, |line| line.strip_suffix(" s"))
}

/// The bytes that an object takes, by the growth of the peak of resident memory.
pub fn memory(options: &Options, interpreters: &[Interpreter]) -> Result<Table, String> {
    let table = Table::of(Unit::Bytes, "memory, bytes an object", names(interpreters));
    let measures = ["instances", "slotted", "ints", "floats", "str_dict", "triples"].map(str::to_owned);
    let arguments: &[&str] = if options.quick { &["-n", QUICK_PART] } else { &[] };
    run(options, interpreters, table, "memory.py", arguments, &measures, |line| line.strip_suffix(" bytes an item"))
}

fn names(interpreters: &[Interpreter]) -> impl Iterator<Item = String> {
    interpreters.iter().map(|each| each.name.clone())
}

/// The measures that scaling.py has.
fn list(interpreters: &[Interpreter], options: &Options, arguments: &[&str]) -> Result<Vec<String>, String> {
    let Some(interpreter) = interpreters.first() else { return Ok(Vec::new()) };
    let script = interpreter.copy(&options.home.join("scripts"), "scripts")?.join("scaling.py").display().to_string();
    let all = [&[script.as_str()], arguments].concat();
    let run = interpreter.run(&all, &[], options.timeout)?;
    Ok(run.stdout.lines().map(str::to_owned).collect())
}

/// What one interpreter printed for one measure: names and figures, and the peak of its memory.
type Lines = (Vec<(String, f64)>, u64);

fn run(
    options: &Options,
    interpreters: &[Interpreter],
    mut table: Table,
    script: &str,
    arguments: &[&str],
    measures: &[String],
    figures: fn(&str) -> Option<&str>,
) -> Result<Table, String> {
    let mut paths = Vec::new();
    for interpreter in interpreters {
        let dir = interpreter.copy(&options.home.join("scripts"), "scripts")?;
        paths.push(dir.join(script).display().to_string());
    }
    for measure in measures.iter().filter(|name| options.selects(name)) {
        let mut best: Vec<Result<Lines, String>> = interpreters.iter().map(|_| Ok((Vec::new(), 0))).collect();
        for _ in 0..options.runs {
            for (at, interpreter) in interpreters.iter().enumerate() {
                let all = [&[paths[at].as_str()], arguments, &[measure.as_str()]].concat();
                let Ok((lines, memory)) = &mut best[at] else { continue };
                match interpreter.run(&all, &[], options.timeout) {
                    Ok(run) => {
                        *memory = run.memory.max(*memory);
                        for line in run.stdout.lines() {
                            let Some((name, figure)) = figures(line).and_then(|line| line.rsplit_once(' ')) else {
                                continue;
                            };
                            let (name, Ok(figure)) = (name.trim(), figure.parse::<f64>()) else { continue };
                            match lines.iter_mut().find(|(known, _)| known == name) {
                                Some((_, least)) => *least = figure.min(*least),
                                None => lines.push((name.to_owned(), figure)),
                            }
                        }
                    }
                    Err(why) => best[at] = Err(why),
                }
            }
        }
        let known = best.iter().find_map(|each| each.as_ref().ok());
        let rows = known
            .map_or_else(|| vec![measure.clone()], |(lines, _)| lines.iter().map(|(name, _)| name.clone()).collect());
        for row in rows {
            let cells = best.iter().map(|each| match each {
                Ok((lines, memory)) => match lines.iter().find(|(name, _)| *name == row) {
                    Some(&(_, seconds)) => Cell::Done { seconds, first: None, memory: *memory },
                    None => Cell::Failed("it printed no such figure".to_owned()),
                },
                Err(why) => Cell::Failed(why.clone()),
            });
            table.add(&row, cells.collect());
        }
    }
    Ok(table)
}
