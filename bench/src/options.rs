//! The command line.

use std::path::PathBuf;

const HELP: &str = "\
Times taipan beside python3.14 and pypy3, interleaved, and prints how many times as fast it is.

usage: taipan-bench [options] [NAME ...]

NAME picks benchmarks whose names contain it.

  --startup            only the time to start
  --own                only the programs of bench/programs
  --micro              only single statements, in nanoseconds (not in the default run)
  --scaling            only heaps of 10^7 objects and 10^8 operations: collector, destruction, dict, set, str (not in the default
                       run; takes 4 GB of memory and minutes)
  --memory             only bytes that objects take (not in the default run; takes 2 GB of memory)
  --pyperformance      only the scripts of PyPI's pyperformance, which pip fetches into target/ (not in the default run)
  --all                everything
  --runs N             processes for each figure (default 5)
  --seconds S          seconds that a program runs in each process (default 1)
  --quick              one process, a tenth of a second: to see that everything works
  --smoke              do not fail for what bench/pending.txt names
  --timeout S          seconds for a process (default 120)
  --taipan COMMAND     default: the taipan beside this program
  --python COMMAND     default: $PYTHON314, else python3.14, else chroot /opt/sid python3.14 if that is there
  --pypy COMMAND       default: $PYPY3, else pypy3, else chroot /opt/sid pypy3 if that is there
  --only-taipan        no other interpreter
  --json FILE          write all figures there
  --list               print the names of the benchmarks of bench/programs
  -h, --help           this text

A COMMAND may have several words. With `chroot DIR` before it the benchmarks are copied into DIR/tmp first.";

/// Where another root with the reference interpreters may be.
const OTHER_ROOT: &str = "/opt/sid";

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Suite {
    Startup,
    Micro,
    Own,
    Scaling,
    Memory,
    Pyperformance,
}

pub struct Options {
    pub suites: Vec<Suite>,
    pub names: Vec<String>,
    pub runs: usize,
    pub seconds: f64,
    pub quick: bool,
    pub smoke: bool,
    pub timeout: f64,
    /// A name and a command for each; the first is ours.
    pub interpreters: Vec<(String, Vec<String>)>,
    pub json: Option<PathBuf>,
    /// This crate's directory.
    pub home: PathBuf,
    /// Cargo's target directory.
    pub target: PathBuf,
}

impl Options {
    pub fn parse(mut arguments: impl Iterator<Item = String>) -> Result<Options, String> {
        let executable = std::env::current_exe().map_err(|error| error.to_string())?;
        let profile = executable.parent().ok_or("this program lies in no directory")?;
        let mut options = Options {
            suites: Vec::new(),
            names: Vec::new(),
            runs: 5,
            seconds: 1.0,
            quick: false,
            smoke: false,
            timeout: 120.0,
            interpreters: Vec::new(),
            json: None,
            home: PathBuf::from(env!("CARGO_MANIFEST_DIR")),
            target: profile.parent().unwrap_or(profile).to_owned(),
        };
        let mut taipan = profile.join("taipan").display().to_string();
        let mut python = command_for("PYTHON314", "python3.14");
        let mut pypy = command_for("PYPY3", "pypy3");
        while let Some(argument) = arguments.next() {
            let (flag, mut inline) = match argument.split_once('=') {
                Some((flag, value)) if flag.starts_with("--") => (flag.to_owned(), Some(value.to_owned())),
                _ => (argument, None),
            };
            let mut value = || {
                let value = inline.take().or_else(|| arguments.next());
                value.ok_or_else(|| format!("{flag} needs a value"))
            };
            match flag.as_str() {
                "--startup" => options.suites.push(Suite::Startup),
                "--micro" => options.suites.push(Suite::Micro),
                "--own" => options.suites.push(Suite::Own),
                "--scaling" => options.suites.push(Suite::Scaling),
                "--memory" => options.suites.push(Suite::Memory),
                "--pyperformance" => options.suites.push(Suite::Pyperformance),
                "--all" => {
                    use Suite::*;
                    options.suites = vec![Startup, Micro, Own, Scaling, Memory, Pyperformance];
                }
                "--runs" => options.runs = number::<usize>(&flag, &value()?)?.max(1),
                "--seconds" => options.seconds = number(&flag, &value()?)?,
                "--timeout" => options.timeout = number(&flag, &value()?)?,
                "--quick" => (options.quick, options.runs, options.seconds) = (true, 1, 0.1),
                "--smoke" => options.smoke = true,
                "--taipan" => taipan = value()?,
                "--python" => python = Some(value()?),
                "--pypy" => pypy = Some(value()?),
                "--only-taipan" => (python, pypy) = (None, None),
                "--json" => options.json = Some(value()?.into()),
                "--list" => {
                    let names = crate::own::programs(&options.home)?;
                    names.iter().for_each(|name| println!("{name}"));
                    std::process::exit(0);
                }
                "-h" | "--help" => {
                    println!("{HELP}");
                    std::process::exit(0);
                }
                _ if flag.starts_with('-') => return Err(format!("unknown option {flag}; --help lists them")),
                _ => options.names.push(flag),
            }
        }
        if options.suites.is_empty() {
            options.suites = vec![Suite::Startup, Suite::Own];
        }
        let commands = [("taipan", Some(taipan)), ("python3.14", python), ("pypy3", pypy)];
        for (name, command) in commands {
            if let Some(command) = command {
                let words = command.split_whitespace().map(str::to_owned).collect();
                options.interpreters.push((name.to_owned(), words));
            }
        }
        Ok(options)
    }

    pub fn selects(&self, name: &str) -> bool {
        self.names.is_empty() || self.names.iter().any(|part| name.contains(part.as_str()))
    }
}

fn number<T: std::str::FromStr>(flag: &str, value: &str) -> Result<T, String> {
    value.parse().map_err(|_| format!("{flag}: {value:?} is no number"))
}

fn command_for(variable: &str, program: &str) -> Option<String> {
    if let Ok(command) = std::env::var(variable) {
        return Some(command).filter(|command| !command.is_empty());
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    if std::env::split_paths(&path).any(|dir| dir.join(program).is_file()) {
        return Some(program.to_owned());
    }
    let elsewhere = PathBuf::from(OTHER_ROOT).join("usr/bin").join(program);
    elsewhere.is_file().then(|| format!("chroot {OTHER_ROOT} {program}"))
}
