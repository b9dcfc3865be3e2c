//! The command line.

use std::path::{Path, PathBuf};
use std::time::Duration;

const HELP: &str = "\
Fuzzes taipan: makes inputs, runs them, and saves and minimises those that crash it.

usage: taipan-fuzz TARGET [options]

TARGET is
  source    source text, through tokens, tree and bytecode to execution
  marshal   data for marshal.loads; code in it is run
  code      code objects with damaged parts; what the verifier lets pass is run

  --seed N         number of the first input (default 0); an input depends on its number alone
  --count N        inputs to run (default: until --minutes)
  --minutes M      minutes to run (default 60 unless there is a --count)
  --corpus DIR     Python files to take pieces from, besides the library's
  --replay FILE    run a saved input
  --show           print input --seed
  --taipan PATH    the interpreter (default: the taipan beside this program)
  --out DIR        where crashing inputs go (default target/fuzz)
  --slow N         inputs beyond the time limit to save (default 0)
  -h, --help       this text

The exit status is 1 if anything crashed.";

pub enum Mode {
    Run,
    Replay(PathBuf),
    Show,
}

pub struct Options {
    pub mode: Mode,
    pub target: String,
    pub seed: u64,
    pub count: Option<u64>,
    pub time: Option<Duration>,
    pub corpus: Option<PathBuf>,
    pub taipan: PathBuf,
    pub out: PathBuf,
    pub slow_saved: usize,
}

impl Options {
    pub fn parse(mut arguments: impl Iterator<Item = String>) -> Result<Options, String> {
        let executable = std::env::current_exe().map_err(|error| error.to_string())?;
        let profile = executable.parent().ok_or("this program lies in no directory")?;
        let mut options = Options {
            mode: Mode::Run,
            target: String::new(),
            seed: 0,
            count: None,
            time: None,
            corpus: None,
            taipan: profile.join("taipan"),
            out: profile.parent().unwrap_or(profile).join("fuzz"),
            slow_saved: 0,
        };
        while let Some(argument) = arguments.next() {
            let mut value = || arguments.next().ok_or_else(|| format!("{argument} needs a value"));
            match argument.as_str() {
                "--seed" => options.seed = number(&value()?)?,
                "--count" => options.count = Some(number(&value()?)?),
                "--minutes" => options.time = Some(Duration::from_secs(60 * number(&value()?)?)),
                "--corpus" => options.corpus = Some(absolute(value()?)?),
                "--replay" => options.mode = Mode::Replay(value()?.into()),
                "--show" => options.mode = Mode::Show,
                "--taipan" => options.taipan = absolute(value()?)?,
                "--out" => options.out = absolute(value()?)?,
                "--slow" => options.slow_saved = number(&value()?)? as usize,
                "-h" | "--help" => {
                    println!("{HELP}");
                    std::process::exit(0);
                }
                "source" | "marshal" | "code" => options.target = argument,
                _ => return Err(format!("unknown argument {argument}; --help lists them")),
            }
        }
        if options.target.is_empty() {
            return Err(format!("which target?\n\n{HELP}"));
        }
        if options.count.is_none() && options.time.is_none() {
            options.time = Some(Duration::from_secs(3600));
        }
        Ok(options)
    }

    /// Writes a file of the output directory.
    pub fn save(&self, kind: &str, number: u64, data: &[u8]) -> Result<PathBuf, String> {
        let path = self.out.join(format!("{}-{kind}-{number}", self.target));
        let write = || {
            std::fs::create_dir_all(&self.out)?;
            std::fs::write(&path, data)
        };
        write().map_err(|error| format!("{}: {error}", path.display()))?;
        Ok(path)
    }
}

fn absolute(path: String) -> Result<PathBuf, String> {
    std::path::absolute(Path::new(&path)).map_err(|error| format!("{path}: {error}"))
}

fn number(text: &str) -> Result<u64, String> {
    text.parse().map_err(|_| format!("{text:?} is no number"))
}
