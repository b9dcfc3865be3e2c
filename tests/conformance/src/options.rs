//! The command line.

use std::path::PathBuf;
use std::time::Duration;

const HELP: &str = "\
Runs CPython 3.14's own test files under taipan, each in a process of its own, and keeps the record of what passes.

usage: taipan-conformance [options] [FILE ...]

FILE is a test file's name (test_json), or part of a file (test_json.test_decode). Without any: all files, or those
that the mode says.

  --check            compare with the record, and fail if something recorded as passing no longer passes
                     (without FILE: the recorded files)
  --update           add what passes to the record
  --reset            make the record of the files anew from this run, even if it shrinks
  --required         run the files of required.txt, and fail unless all of them pass completely
  --list             print the names of the files, run nothing
  --failures         print every method that does not pass

  --python PATH      the interpreter (default: the taipan beside this program)
  --chroot DIR       run it inside DIR, with the tests installed there; PATH is then a command there (python3.14)
  --own-tests        the interpreter has the package `test`: use that
  -j, --jobs N       processes at a time (default: the number of processors)
  --timeout S        seconds for a file (default 120)
  --method-timeout S seconds for a method (default 60)
  --memory MB        memory for a process (default 4096)
  --without-gil      run the interpreter with PYTHON_GIL=0; with --check, methods that the tests themselves skip there are
                     listed, and are no regressions
  --once             with --check: do not run a file again that shows a regression
  --suite DIR        where the tests lie (a directory that has `test` in it; default: fetched into target/cpython-tests)
  --refetch          fetch the tests anew
  -h, --help         this text

The environment's variables are not passed on to the interpreter.
What a file prints goes to target/conformance/logs/FILE.log.";

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    Run,
    Check,
    Update,
    Reset,
    Required,
    List,
}

pub struct Options {
    pub mode: Mode,
    pub names: Vec<String>,
    pub failures: bool,
    pub once: bool,
    pub without_gil: bool,
    pub refetch: bool,
    pub python: Option<PathBuf>,
    pub chroot: Option<PathBuf>,
    pub own_tests: bool,
    pub suite: Option<PathBuf>,
    pub jobs: usize,
    pub timeout: Duration,
    pub method_timeout: Duration,
    pub memory: u64,
    /// This crate's directory, with the record.
    pub home: PathBuf,
    /// Cargo's target directory.
    pub target: PathBuf,
}

impl Options {
    pub fn parse(mut arguments: impl Iterator<Item = String>) -> Result<Options, String> {
        let executable = std::env::current_exe().map_err(|error| error.to_string())?;
        let profile = executable.parent().ok_or("this program lies in no directory")?;
        let mut options = Options {
            mode: Mode::Run,
            names: Vec::new(),
            failures: false,
            once: false,
            without_gil: false,
            refetch: false,
            python: None,
            chroot: None,
            own_tests: false,
            suite: None,
            jobs: std::thread::available_parallelism().map_or(1, usize::from),
            timeout: Duration::from_secs(120),
            method_timeout: Duration::from_secs(60),
            memory: 4096 << 20,
            home: PathBuf::from(env!("CARGO_MANIFEST_DIR")),
            target: profile.parent().unwrap_or(profile).to_owned(),
        };
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
                "--check" => options.mode = Mode::Check,
                "--update" => options.mode = Mode::Update,
                "--reset" => options.mode = Mode::Reset,
                "--required" => options.mode = Mode::Required,
                "--list" => options.mode = Mode::List,
                "--failures" => options.failures = true,
                "--once" => options.once = true,
                "--without-gil" => options.without_gil = true,
                "--refetch" => options.refetch = true,
                "--own-tests" => options.own_tests = true,
                "--python" => options.python = Some(value()?.into()),
                "--chroot" => options.chroot = Some(value()?.into()),
                "--suite" => options.suite = Some(value()?.into()),
                "-j" | "--jobs" => options.jobs = number(&flag, &value()?)?.max(1) as usize,
                "--timeout" => options.timeout = Duration::from_secs(number(&flag, &value()?)?),
                "--method-timeout" => options.method_timeout = Duration::from_secs(number(&flag, &value()?)?),
                "--memory" => options.memory = number(&flag, &value()?)? << 20,
                "-h" | "--help" => {
                    println!("{HELP}");
                    std::process::exit(0);
                }
                _ if flag.starts_with('-') => return Err(format!("unknown option {flag}; --help lists them")),
                _ => options.names.push(flag),
            }
        }
        if options.mode == Mode::Reset && options.names.is_empty() {
            return Err("--reset wants the names of the files".to_owned());
        }
        if options.python.is_none() && options.chroot.is_none() {
            options.python = Some(profile.join("taipan"));
        }
        Ok(options)
    }
}

fn number(flag: &str, value: &str) -> Result<u64, String> {
    value.parse().map_err(|_| format!("{flag}: {value:?} is no number"))
}
