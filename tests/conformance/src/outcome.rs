//! What became of a file's methods.

use std::collections::BTreeMap;
use std::fmt;

/// From the best to the worst: of two outcomes with the same id the worse one counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Outcome {
    Pass,
    ExpectedFailure,
    Skip,
    UnexpectedSuccess,
    Fail,
    Error,
    Timeout,
    Crash,
}

impl Outcome {
    pub fn parse(word: &str) -> Option<Outcome> {
        Some(match word {
            "pass" => Outcome::Pass,
            "xfail" => Outcome::ExpectedFailure,
            "skip" => Outcome::Skip,
            "uxpass" => Outcome::UnexpectedSuccess,
            "fail" => Outcome::Fail,
            "error" => Outcome::Error,
            _ => return None,
        })
    }

    pub fn passed(self) -> bool {
        matches!(self, Outcome::Pass | Outcome::ExpectedFailure)
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.pad(match self {
            Outcome::Pass => "pass",
            Outcome::ExpectedFailure => "xfail",
            Outcome::Skip => "skip",
            Outcome::UnexpectedSuccess => "uxpass",
            Outcome::Fail => "fail",
            Outcome::Error => "error",
            Outcome::Timeout => "timeout",
            Outcome::Crash => "crash",
        })
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    pub passed: usize,
    pub failed: usize,
    pub skipped: usize,
    pub crashed: usize,
}

impl Counts {
    pub fn add(&mut self, other: &Counts) {
        self.passed += other.passed;
        self.failed += other.failed;
        self.skipped += other.skipped;
        self.crashed += other.crashed;
    }

    pub fn count(&mut self, outcome: Outcome) {
        match outcome {
            Outcome::Pass | Outcome::ExpectedFailure => self.passed += 1,
            Outcome::Skip => self.skipped += 1,
            Outcome::UnexpectedSuccess | Outcome::Fail | Outcome::Error => self.failed += 1,
            Outcome::Timeout | Outcome::Crash => self.crashed += 1,
        }
    }
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "{} passed", self.passed)?;
        for (count, word) in [(self.failed, "failed"), (self.crashed, "crashed"), (self.skipped, "skipped")] {
            if count > 0 {
                write!(f, " {count} {word}")?;
            }
        }
        Ok(())
    }
}

/// The id under which the file as a whole is counted, when it cannot be imported, is skipped, or dies outside its methods.
pub const WHOLE_FILE: &str = "<file>";

#[derive(Clone, Debug, Default)]
pub struct FileResult {
    pub name: String,
    pub methods: BTreeMap<String, Outcome>,
    /// Why the whole file failed or was skipped.
    pub reason: Option<String>,
    /// Whether the file was run to its end.
    pub complete: bool,
}

impl FileResult {
    pub fn set(&mut self, id: &str, outcome: Outcome) {
        let now = self.methods.entry(id.to_owned()).or_insert(outcome);
        *now = outcome.max(*now);
    }

    pub fn counts(&self) -> Counts {
        let mut counts = Counts::default();
        self.methods.values().for_each(|&outcome| counts.count(outcome));
        counts
    }

    pub fn note(&self) -> String {
        match (&self.reason, self.complete) {
            (Some(reason), _) => format!(" ({})", reason.chars().take(120).collect::<String>()),
            (None, false) => " (not run to its end)".to_owned(),
            (None, true) => String::new(),
        }
    }

    pub fn unsuccessful(&self) -> impl Iterator<Item = (&str, &str, Outcome)> {
        let unsuccessful = |outcome: Outcome| !outcome.passed() && outcome != Outcome::Skip;
        let methods = self.methods.iter().filter(move |&(_, &outcome)| unsuccessful(outcome));
        methods.map(|(id, &outcome)| (self.name.as_str(), id.as_str(), outcome))
    }

    /// Takes over what another run of the file did better.
    pub fn join(&mut self, other: FileResult) {
        for (id, outcome) in other.methods {
            let now = self.methods.entry(id).or_insert(outcome);
            *now = outcome.min(*now);
        }
    }
}
