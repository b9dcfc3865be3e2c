//! The figures, as a table for people and as JSON.

/// What one interpreter did with one benchmark.
#[derive(Clone)]
pub enum Cell {
    Done {
        /// Or bytes, in a table of them.
        seconds: f64,
        /// The first call in a process: what a short program feels.
        first: Option<f64>,
        memory: u64,
    },
    Failed(String),
}

/// What a table's figures are.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    Seconds,
    /// Of memory, for each of the objects that were made.
    Bytes,
}

pub struct Table {
    title: String,
    unit: Unit,
    interpreters: Vec<String>,
    rows: Vec<(String, Vec<Cell>)>,
}

impl Table {
    pub fn new(title: &str, interpreters: impl Iterator<Item = String>) -> Table {
        Self::of(Unit::Seconds, title, interpreters)
    }

    pub fn of(unit: Unit, title: &str, interpreters: impl Iterator<Item = String>) -> Table {
        Table { title: title.to_owned(), unit, interpreters: interpreters.collect(), rows: Vec::new() }
    }

    pub fn add(&mut self, name: &str, cells: Vec<Cell>) {
        eprintln!("  {name}: {}", self.describe(&cells));
        self.rows.push((name.to_owned(), cells));
    }

    pub fn rows(&self) -> usize {
        self.rows.len()
    }

    /// The benchmarks that our interpreter could not run.
    pub fn failed(&self) -> impl Iterator<Item = &str> {
        self.rows.iter().filter(|(_, cells)| matches!(cells[0], Cell::Failed(_))).map(|(name, _)| name.as_str())
    }

    pub fn text(&self) -> String {
        let width = self.rows.iter().map(|(name, _)| name.len()).max().unwrap_or(0).max(14);
        let mut text = format!("{}\n{:width$}", self.title, "");
        for name in &self.interpreters {
            text += &format!(" {name:>11}");
        }
        for other in self.interpreters.iter().skip(1) {
            text += &format!(" {:>12}", format!("x {other}"));
        }
        text += &format!(" {:>9} {:>8}\n", "first", "RSS MB");
        let mut logs = vec![(0.0, 0); self.interpreters.len()];
        let mut failures = String::new();
        for (name, cells) in &self.rows {
            text += &format!("{name:width$}");
            for cell in cells {
                text += &match cell {
                    Cell::Done { seconds, .. } => format!(" {:>11}", self.figure(*seconds)),
                    Cell::Failed(_) => format!(" {:>11}", "-"),
                };
            }
            for (at, cell) in cells.iter().enumerate().skip(1) {
                match (&cells[0], cell) {
                    (Cell::Done { seconds: ours, .. }, Cell::Done { seconds: theirs, .. }) => {
                        logs[at].0 += (theirs / ours).ln();
                        logs[at].1 += 1;
                        text += &format!(" {:>12}", format!("{:.2}", theirs / ours));
                    }
                    _ => text += &format!(" {:>12}", "-"),
                }
            }
            if let Cell::Done { first, memory, .. } = &cells[0] {
                let first = first.map_or("-".to_owned(), human);
                text += &format!(" {first:>9} {:>8.1}", *memory as f64 / 1e6);
            }
            text += "\n";
            for (interpreter, cell) in self.interpreters.iter().zip(cells) {
                if let Cell::Failed(why) = cell {
                    failures += &format!("{name}: {interpreter}: {why}\n");
                }
            }
        }
        text += &format!("{:1$}", "geometric mean", width + self.interpreters.len() * 12);
        for (sum, count) in &logs[1..] {
            let mean = if *count == 0 { "-".to_owned() } else { format!("{:.2}", (sum / f64::from(*count)).exp()) };
            text += &format!(" {mean:>12}");
        }
        text + "\n" + &failures
    }

    fn describe(&self, cells: &[Cell]) -> String {
        let words = cells.iter().map(|cell| match cell {
            Cell::Done { seconds, .. } => self.figure(*seconds),
            Cell::Failed(why) => why.clone(),
        });
        words.collect::<Vec<_>>().join(" | ")
    }

    fn figure(&self, value: f64) -> String {
        match self.unit {
            Unit::Seconds => human(value),
            Unit::Bytes => format!("{value:.1} B"),
        }
    }

    pub fn json(&self) -> String {
        let mut rows = Vec::new();
        for (name, cells) in &self.rows {
            let mut fields = Vec::new();
            for (interpreter, cell) in self.interpreters.iter().zip(cells) {
                let value = match cell {
                    Cell::Done { seconds, first, memory } => {
                        let first = first.map_or("null".to_owned(), |first| format!("{first:e}"));
                        format!("{{\"seconds\": {seconds:e}, \"first\": {first}, \"memory\": {memory}}}")
                    }
                    Cell::Failed(why) => format!("{{\"failed\": {}}}", quote(why)),
                };
                fields.push(format!("{}: {value}", quote(interpreter)));
            }
            rows.push(format!("    {}: {{{}}}", quote(name), fields.join(", ")));
        }
        format!("  {{\"suite\": {}, \"benchmarks\": {{\n{}\n  }}}}", quote(&self.title), rows.join(",\n"))
    }
}

fn human(seconds: f64) -> String {
    match seconds {
        _ if seconds >= 1.0 => format!("{seconds:.3} s"),
        _ if seconds >= 1e-3 => format!("{:.3} ms", seconds * 1e3),
        _ if seconds >= 1e-6 => format!("{:.3} us", seconds * 1e6),
        _ => format!("{:.2} ns", seconds * 1e9),
    }
}

fn quote(text: &str) -> String {
    let mut quoted = String::from("\"");
    for char in text.chars() {
        match char {
            '"' | '\\' => quoted.extend(['\\', char]),
            _ if (char as u32) < 32 => quoted += &format!("\\u{:04x}", char as u32),
            _ => quoted.push(char),
        }
    }
    quoted + "\""
}
