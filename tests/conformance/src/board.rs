//! The record: the scoreboard with a line per file, and a list of the passing methods of each.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::{fs, io};

use crate::outcome::{Counts, FileResult, Outcome};

pub struct Board {
    home: PathBuf,
    /// The version of the tests with which the record was made.
    pub version: String,
    rows: BTreeMap<String, Counts>,
    passing: BTreeMap<String, BTreeSet<String>>,
}

impl Board {
    pub fn read(home: &Path) -> Result<Board, String> {
        let mut board =
            Board { home: home.to_owned(), version: String::new(), rows: BTreeMap::new(), passing: BTreeMap::new() };
        for line in read_lines(&home.join("scoreboard.txt"))? {
            let malformed = || format!("scoreboard.txt: {line:?}");
            let (name, rest) = line.split_once(' ').ok_or_else(malformed)?;
            if name == "suite" {
                board.version = rest.to_owned();
                continue;
            }
            if name == "total" {
                continue;
            }
            let numbers: Result<Vec<usize>, _> = rest.split(' ').map(str::parse).collect();
            let [passed, failed, skipped, crashed] = numbers.map_err(|_| malformed())?[..] else {
                return Err(malformed());
            };
            board.rows.insert(name.to_owned(), Counts { passed, failed, skipped, crashed });
            let methods = read_lines(&board.passing_file(name))?.iter().flat_map(|line| parse_ids(line)).collect();
            board.passing.insert(name.to_owned(), methods);
        }
        Ok(board)
    }

    pub fn files(&self) -> Vec<String> {
        self.rows.keys().cloned().collect()
    }

    /// How many methods of the file are recorded as passing.
    pub fn recorded(&self, name: &str) -> usize {
        self.passing.get(name).map_or(0, BTreeSet::len)
    }

    /// How many methods pass that are not recorded.
    pub fn unrecorded(&self, result: &FileResult) -> usize {
        let recorded = |id| self.passing.get(&result.name).is_some_and(|passing| passing.contains(id));
        result.methods.iter().filter(|(id, outcome)| outcome.passed() && !recorded(id.as_str())).count()
    }

    /// The methods that are recorded as passing and did not pass, with what they did if they were run. A method that a
    /// complete run does not have at all is lost, unless the tests are of another version than the recorded ones.
    pub fn lost(&self, result: &FileResult, same_suite: bool) -> Vec<(String, Option<Outcome>)> {
        let mut lost = Vec::new();
        for id in self.passing.get(&result.name).into_iter().flatten() {
            match result.methods.get(id) {
                Some(outcome) if outcome.passed() => {}
                Some(outcome) => lost.push((id.clone(), Some(*outcome))),
                None if result.complete && !same_suite => {}
                None => lost.push((id.clone(), None)),
            }
        }
        lost
    }

    /// Adds what passed. With `reset`, what did not is taken away.
    pub fn record(&mut self, result: &FileResult, version: &str, reset: bool) {
        self.version = version.to_owned();
        let passing = self.passing.entry(result.name.clone()).or_default();
        if reset {
            passing.clear();
        }
        let passed = result.methods.iter().filter(|(_, outcome)| outcome.passed());
        passing.extend(passed.map(|(id, _)| id.clone()));
        let mut counts = Counts { passed: passing.len(), ..Counts::default() };
        for (id, &outcome) in &result.methods {
            if !passing.contains(id) {
                counts.count(outcome);
            }
        }
        self.rows.insert(result.name.clone(), counts);
    }

    pub fn write(&self) -> Result<(), String> {
        let mut text = String::from(
            "# CPython's own tests: file, methods passed, failed, skipped, crashed. Written by taipan-conformance --update.\n",
        );
        let _ = writeln!(text, "suite {}", self.version);
        let mut total = Counts::default();
        let mut row = |name: &str, counts: &Counts| {
            let Counts { passed, failed, skipped, crashed } = counts;
            let _ = writeln!(text, "{name} {passed} {failed} {skipped} {crashed}");
        };
        for (name, counts) in &self.rows {
            row(name, counts);
            total.add(counts);
        }
        row("total", &total);
        write_file(&self.home.join("scoreboard.txt"), &text)?;
        for (name, methods) in &self.passing {
            let file = self.passing_file(name);
            if methods.is_empty() {
                let _ = fs::remove_file(file);
            } else {
                write_file(&file, &format_ids(methods))?;
            }
        }
        Ok(())
    }

    fn passing_file(&self, name: &str) -> PathBuf {
        self.home.join("passing").join(format!("{name}.txt"))
    }
}

/// A line per class, `Class: method method`; ids that are not of this form stand alone after `=`.
fn format_ids(ids: &BTreeSet<String>) -> String {
    let mut classes: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    let mut others = Vec::new();
    for id in ids {
        match id.rsplit_once('.') {
            Some((class, method)) if !id.contains([' ', ':', '=', '#']) && !method.is_empty() && !class.is_empty() => {
                classes.entry(class).or_default().push(method);
            }
            _ => others.push(id),
        }
    }
    let mut text = String::new();
    for (class, methods) in classes {
        let _ = writeln!(text, "{class}: {}", methods.join(" "));
    }
    for id in others {
        let _ = writeln!(text, "={id}");
    }
    text
}

fn parse_ids(line: &str) -> Vec<String> {
    if let Some(id) = line.strip_prefix('=') {
        return vec![id.to_owned()];
    }
    let Some((class, methods)) = line.split_once(": ") else { return Vec::new() };
    methods.split(' ').map(|method| format!("{class}.{method}")).collect()
}

/// The files that have to pass completely.
pub fn read_required(home: &Path) -> Result<Vec<String>, String> {
    let lines = read_lines(&home.join("required.txt"))?;
    Ok(lines.iter().flat_map(|line| line.split_whitespace()).map(str::to_owned).collect())
}

/// What does not apply to Taipan: files, and methods as `file.id`, each with a reason.
pub struct NotApplicable {
    names: BTreeMap<String, String>,
}

impl NotApplicable {
    pub fn read(home: &Path) -> Result<NotApplicable, String> {
        let mut names = BTreeMap::new();
        for line in read_lines(&home.join("not_applicable.txt"))? {
            let (name, reason) =
                line.split_once(' ').ok_or_else(|| format!("not_applicable.txt: {line} has no reason"))?;
            names.insert(name.to_owned(), reason.trim().to_owned());
        }
        Ok(NotApplicable { names })
    }

    pub fn file(&self, name: &str) -> bool {
        let above = name.match_indices('.').map(|(at, _)| &name[..at]);
        above.chain([name]).any(|name| self.names.contains_key(name))
    }

    /// The ids of the file's methods that do not apply.
    pub fn methods(&self, file: &str) -> impl Iterator<Item = &str> {
        self.names.keys().filter_map(move |name| name.strip_prefix(file)?.strip_prefix('.'))
    }
}

/// The lines of a file without comments; none if there is no such file.
fn read_lines(path: &Path) -> Result<Vec<String>, String> {
    match fs::read_to_string(path) {
        Ok(text) => {
            let lines = text.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
            Ok(lines.map(str::to_owned).collect())
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(format!("{}: {error}", path.display())),
    }
}

fn write_file(path: &Path, text: &str) -> Result<(), String> {
    let parent = path.parent().expect("the file lies in a directory");
    fs::create_dir_all(parent)
        .and_then(|()| fs::write(path, text))
        .map_err(|error| format!("{}: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::outcome::Outcome;

    #[test]
    fn ids_read_back() {
        let ids = ["A.test_x", "A.test_y", "test_mod.B.test_z", "lonely", "setUpClass (test.A)", "a.b c", ".x", "x."];
        let ids: BTreeSet<String> = ids.map(str::to_owned).into();
        let text = format_ids(&ids);
        assert!(text.contains("A: test_x test_y\n"));
        assert_eq!(text.lines().flat_map(parse_ids).collect::<BTreeSet<_>>(), ids);
    }

    #[test]
    fn the_record_only_grows_unless_it_is_reset() {
        let home = std::env::temp_dir().join(format!("taipan-board-{}", std::process::id()));
        let mut board = Board::read(&home).unwrap();
        let mut result = FileResult { name: "test_x".to_owned(), complete: true, ..FileResult::default() };
        result.set("A.one", Outcome::Pass);
        result.set("A.two", Outcome::Fail);
        board.record(&result, "1", false);
        assert!(board.lost(&result, true).is_empty());
        board.write().unwrap();

        let mut board = Board::read(&home).unwrap();
        assert_eq!(board.version, "1");
        let mut worse = FileResult { name: "test_x".to_owned(), complete: true, ..FileResult::default() };
        worse.set("A.one", Outcome::Crash);
        worse.set("A.two", Outcome::Pass);
        assert_eq!(board.lost(&worse, true), [("A.one".to_owned(), Some(Outcome::Crash))]);
        assert_eq!(board.unrecorded(&worse), 1);
        board.record(&worse, "1", false);
        assert_eq!(board.recorded("test_x"), 2);
        board.record(&worse, "1", true);
        assert_eq!(board.recorded("test_x"), 1);

        // A method that is gone is a loss only if the tests are the same.
        let gone = FileResult { name: "test_x".to_owned(), complete: true, ..FileResult::default() };
        assert_eq!(board.lost(&gone, true).len(), 1);
        assert_eq!(board.lost(&gone, false).len(), 0);
        fs::remove_dir_all(home).unwrap();
    }
}
