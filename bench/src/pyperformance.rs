//! The benchmark scripts of PyPI's `pyperformance`, with `bench/pyperf` in place of the package `pyperf`.
//!
//! pip fetches them, and the packages that they need, into `target/pyperformance`. A script whose packages cannot be had
//! without compiling C is left out.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::interpreter::{Interpreter, median};
use crate::options::Options;
use crate::table::{Cell, Table};

/// The release of pyperformance; a figure is only comparable with others of the same.
const VERSION: &str = "1.14.0";

/// Scripts that measure something else than the interpreter, or want a compiler, a network or a vendored package that
/// is built at run time.
const LEFT_OUT: &[&str] = &["2to3", "hg_startup", "sqlglot_v2", "dask", "fastapi", "xdsl"];

struct Script {
    name: String,
    /// The directory's name below `benchmarks`.
    dir: String,
    arguments: Vec<String>,
    packages: Vec<String>,
}

pub fn run(options: &Options, interpreters: &[Interpreter]) -> Result<Table, String> {
    let home = options.target.join("pyperformance");
    let benchmarks = fetch(&home)?;
    let scripts = scripts(&benchmarks)?;
    let chosen: Vec<&Script> = scripts.iter().filter(|script| options.selects(&script.name)).collect();
    let missing = fetch_packages(&home, &chosen);
    let mut table = Table::new("pyperformance", interpreters.iter().map(|each| each.name.clone()));
    let mut dirs = Vec::new();
    for interpreter in interpreters {
        let scripts = interpreter.copy(&benchmarks, "pyperformance")?;
        let stand_in = interpreter.copy(&options.home.join("pyperf"), "pyperf")?;
        let packages = interpreter.copy(&home.join("packages"), "packages")?;
        dirs.push((scripts, format!("{}:{}", stand_in.display(), packages.display())));
    }
    for script in chosen {
        if let Some(package) = script.packages.iter().find(|package| missing.contains(*package)) {
            println!("{}: left out: {package} is not to be had in pure Python", script.name);
            continue;
        }
        measure(options, interpreters, &dirs, script, &mut table);
    }
    Ok(table)
}

/// Runs a script in turn under each interpreter. A script may measure several things: a row for each.
fn measure(
    options: &Options,
    interpreters: &[Interpreter],
    dirs: &[(PathBuf, String)],
    script: &Script,
    table: &mut Table,
) {
    let mut values: Vec<BTreeMap<String, Vec<f64>>> = interpreters.iter().map(|_| BTreeMap::new()).collect();
    let mut memory = vec![0; interpreters.len()];
    let mut failures: Vec<Option<String>> = vec![None; interpreters.len()];
    for _ in 0..options.runs {
        for (at, interpreter) in interpreters.iter().enumerate() {
            if failures[at].is_some() {
                continue;
            }
            let (dir, path) = &dirs[at];
            let file = dir.join(&script.dir).join("run_benchmark.py").display().to_string();
            let mut arguments = vec![file.as_str()];
            arguments.extend(match options.quick {
                true => ["--values", "1", "--warmups", "0", "--min-time", "0"],
                false => ["--values", "3", "--warmups", "1", "--min-time", "0.1"],
            });
            arguments.extend(script.arguments.iter().map(String::as_str));
            match interpreter.run(&arguments, &[("PYTHONPATH", path)], options.timeout) {
                Ok(run) => {
                    memory[at] = memory[at].max(run.memory);
                    let results = run.stdout.lines().filter_map(|line| line.strip_prefix("pyperf-result "));
                    for (name, numbers) in results.filter_map(|line| line.split_once(' ')) {
                        let numbers = numbers.split(' ').filter_map(|number| number.parse::<f64>().ok());
                        values[at].entry(name.to_owned()).or_default().extend(numbers);
                    }
                }
                Err(why) => failures[at] = Some(why),
            }
        }
    }
    let names: BTreeSet<String> = values.iter().flat_map(|values| values.keys().cloned()).collect();
    let names = if names.is_empty() { BTreeSet::from([script.name.clone()]) } else { names };
    for name in names {
        let cells = (0..interpreters.len()).map(|at| match (&failures[at], values[at].get_mut(&name)) {
            (Some(why), _) => Cell::Failed(why.clone()),
            (None, None) => Cell::Failed("it printed no result".to_owned()),
            (None, Some(values)) => Cell::Done { seconds: median(values), first: None, memory: memory[at] },
        });
        table.add(&name, cells.collect());
    }
}

/// Brings pyperformance to `home`, and returns the directory of its scripts.
fn fetch(home: &Path) -> Result<PathBuf, String> {
    let package = home.join(format!("pyperformance-{VERSION}"));
    if !package.is_dir() {
        pip(&package, &[&format!("pyperformance=={VERSION}")])?;
    }
    Ok(package.join("pyperformance/data-files/benchmarks"))
}

/// Fetches the packages that the scripts need, and returns those that could not be had.
fn fetch_packages(home: &Path, scripts: &[&Script]) -> BTreeSet<String> {
    let packages = home.join("packages");
    let _ = fs::create_dir_all(&packages);
    let wanted: BTreeSet<&String> = scripts.iter().flat_map(|script| &script.packages).collect();
    let mut missing = BTreeSet::new();
    for package in wanted {
        let done = packages.join(format!(".{}", package.to_lowercase()));
        if done.exists() {
            continue;
        }
        let fetched = pip(&packages, &["--python-version", "3.14", "--platform", "any", package]);
        match fetched.and_then(|()| fs::write(&done, "").map_err(|error| error.to_string())) {
            Ok(()) => {}
            Err(_) => drop(missing.insert(package.clone())),
        }
    }
    missing
}

fn pip(target: &Path, arguments: &[&str]) -> Result<(), String> {
    let deps = if arguments.len() == 1 { "--no-deps" } else { "--upgrade" };
    let mut command = Command::new("python3");
    command.args(["-m", "pip", "install", "--quiet", "--only-binary=:all:", deps, "--target"]).arg(target);
    let output = command.args(arguments).stdin(Stdio::null()).output().map_err(|error| format!("python3: {error}"))?;
    match output.status.success() {
        true => Ok(()),
        false => Err(format!("pip install {}: {}", arguments.join(" "), String::from_utf8_lossy(&output.stderr))),
    }
}

/// The scripts, with a variant for each of their `bm_*.toml` files.
fn scripts(benchmarks: &Path) -> Result<Vec<Script>, String> {
    let mut scripts = Vec::new();
    let entries = fs::read_dir(benchmarks).map_err(|error| format!("{}: {error}", benchmarks.display()))?;
    for path in entries.filter_map(|entry| Some(entry.ok()?.path())) {
        let dir = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let Some(base) = dir.strip_prefix("bm_") else { continue };
        if LEFT_OUT.contains(&base) {
            continue;
        }
        let project = fs::read_to_string(path.join("pyproject.toml")).unwrap_or_default();
        let packages = list(&project, "dependencies").into_iter().filter(|package| package != "pyperf").collect();
        let mut add = |text: &str, packages: Vec<String>| {
            let name = string(text, "name").unwrap_or_else(|| base.to_owned());
            scripts.push(Script { name, dir: dir.clone(), arguments: list(text, "extra_opts"), packages });
        };
        let tool = project.split("[tool.pyperformance]").nth(1).unwrap_or("").to_owned();
        let mut variants: Vec<PathBuf> = fs::read_dir(&path)
            .map(|entries| entries.filter_map(|entry| Some(entry.ok()?.path())).collect())
            .unwrap_or_default();
        variants.retain(|file| {
            let name = file.file_name().unwrap_or_default().to_string_lossy();
            name.starts_with("bm_") && name.ends_with(".toml")
        });
        let packages: Vec<String> = packages;
        add(&tool, packages.clone());
        for variant in variants {
            add(&fs::read_to_string(variant).unwrap_or_default(), packages.clone());
        }
    }
    scripts.sort_by(|a, b| a.name.cmp(&b.name));
    scripts.dedup_by(|a, b| a.name == b.name);
    Ok(scripts)
}

/// The strings of `key = ["...", ...]`, which may stand on several lines.
fn list(toml: &str, key: &str) -> Vec<String> {
    let Some(rest) = after_key(toml, key) else { return Vec::new() };
    let body = rest.trim_start().strip_prefix('[').and_then(|rest| rest.split(']').next()).unwrap_or("");
    let lines = body.lines().map(|line| line.split('#').next().unwrap_or(""));
    let items: Vec<String> =
        lines.flat_map(|line| line.split(',')).map(|item| item.trim().trim_matches('"').to_owned()).collect();
    items.into_iter().filter(|item| !item.is_empty()).collect()
}

fn string(toml: &str, key: &str) -> Option<String> {
    Some(after_key(toml, key)?.lines().next()?.trim().trim_matches('"').to_owned())
}

fn after_key<'a>(toml: &'a str, key: &str) -> Option<&'a str> {
    let mut at = 0;
    for line in toml.split_inclusive('\n') {
        if let Some(rest) = line.strip_prefix(key).and_then(|rest| rest.trim_start().strip_prefix('=')) {
            return Some(&toml[at + line.len() - rest.len()..]);
        }
        at += line.len();
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_it_needs_of_a_project_file() {
        let toml = "[project]\nname = \"x\"\ndependencies = [\n    \"pyperf\",\n    \"Mako==1.2\", # why\n]\nextra_opts=[\"a\", \"--b\"]\n";
        assert_eq!(list(toml, "dependencies"), ["pyperf", "Mako==1.2"]);
        assert_eq!(list(toml, "extra_opts"), ["a", "--b"]);
        assert_eq!(list(toml, "absent"), [""; 0]);
        assert_eq!(string(toml, "name").as_deref(), Some("x"));
    }
}
