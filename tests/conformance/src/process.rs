//! Runs one test file: a process with limits, started again behind a method that killed it.

use std::ffi::{OsStr, OsString};
use std::fs::{self, File};
use std::io;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use crate::board::NotApplicable;
use crate::options::Options;
use crate::outcome::{FileResult, Outcome, WHOLE_FILE};
use crate::suite::{Suite, copy_tree};

const DRIVER: &str = include_str!("../driver.py");
const POLL: Duration = Duration::from_millis(20);
/// A process that prints more than this is ended.
const LOG_LIMIT: u64 = 64 << 20;
/// How often a file is started again, at most.
const RESTARTS: usize = 40;

pub struct Runner<'a> {
    options: &'a Options,
    not_applicable: &'a NotApplicable,
    command: Vec<OsString>,
    /// Where the files' directories are made.
    work: PathBuf,
    logs: PathBuf,
}

/// How a process ended.
enum End {
    Exited(ExitStatus),
    /// Its method, or the file, took too long, or it printed too much.
    Killed(&'static str),
}

impl<'a> Runner<'a> {
    pub fn new(options: &'a Options, suite: &Suite, not_applicable: &'a NotApplicable) -> Result<Runner<'a>, String> {
        let home = options.target.join("conformance");
        let mut command = Vec::new();
        let work = if let Some(root) = &options.chroot {
            let python = options.python.as_deref().unwrap_or(Path::new("python3.14"));
            command.extend(["chroot".into(), root.into(), python.into()]);
            root.join("tmp/taipan-conformance")
        } else {
            let python = options.python.as_deref().expect("the options have an interpreter");
            if options.own_tests {
                command.push(python.into());
            } else {
                command.push(install(python, &home.join("python"), &suite.library)?.into());
            }
            home.join("work")
        };
        let logs = home.join("logs");
        let _ = fs::remove_dir_all(&work);
        let prepare = || {
            fs::create_dir_all(&work)?;
            fs::create_dir_all(&logs)?;
            fs::write(work.join("driver.py"), DRIVER)
        };
        prepare().map_err(|error| format!("{}: {error}", work.display()))?;
        Ok(Runner { options, not_applicable, command, work, logs })
    }

    pub fn run(&self, name: &str) -> FileResult {
        let mut result = FileResult { name: name.to_owned(), ..FileResult::default() };
        if let Err(error) = self.run_into(name, &mut result) {
            result.set(WHOLE_FILE, Outcome::Crash);
            result.reason = Some(format!("it could not be run: {error}"));
        }
        result
    }

    fn run_into(&self, name: &str, result: &mut FileResult) -> io::Result<()> {
        let dir = self.work.join(name);
        let scratch = dir.join("work");
        fs::create_dir_all(&scratch)?;
        let log_path = self.logs.join(format!("{name}.log"));
        let log = File::create(&log_path)?;
        let mut skip: Vec<String> = self.not_applicable.methods(name).map(str::to_owned).collect();
        let deadline = Instant::now() + self.options.timeout;
        for _ in 0..=RESTARTS {
            fs::write(dir.join("skip"), skip.join("\n"))?;
            let results = dir.join("results");
            let _ = fs::remove_file(&results);
            let mut child = self.spawn(name, &dir, &log)?;
            let end = self.wait(&mut child, &results, &log_path, deadline);
            kill_group(&child);
            let end = match end? {
                // The others of its group may have kept it alive for a moment longer.
                End::Exited(status) => End::Exited(status),
                killed => {
                    child.wait()?;
                    killed
                }
            };
            let events = fs::read(&results).unwrap_or_default();
            let begun = read_events(&String::from_utf8_lossy(&events), result);
            if result.complete {
                break;
            }
            let (outcome, how) = describe(&end);
            let Some(id) = begun else {
                result.set(WHOLE_FILE, outcome);
                result.reason = Some(format!("{how} outside its methods"));
                break;
            };
            result.set(&id, outcome);
            if Instant::now() >= deadline {
                result.reason = Some("the file ran out of time".to_owned());
                break;
            }
            skip = self.not_applicable.methods(name).map(str::to_owned).collect();
            skip.extend(result.methods.keys().cloned());
        }
        let _ = fs::remove_dir_all(&dir);
        Ok(())
    }

    fn spawn(&self, name: &str, dir: &Path, log: &File) -> io::Result<Child> {
        let inside = |path: &Path| match &self.options.chroot {
            Some(root) => Path::new("/").join(path.strip_prefix(root).expect("it lies in the root")),
            None => path.to_owned(),
        };
        let scratch = inside(&dir.join("work"));
        let mut command = Command::new(&self.command[0]);
        command.args(&self.command[1..]).arg(inside(&self.work.join("driver.py")));
        command.args([inside(&dir.join("results")), scratch.clone(), inside(&dir.join("skip"))]);
        command.arg(format!("test.{name}"));
        command.env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default());
        command.env("HOME", &scratch).env("TMPDIR", &scratch).env("LANG", "C.UTF-8").env("TERM", "dumb");
        // Sets of strings have one order, so that a test's outcome does not depend on luck.
        command.env("PYTHONHASHSEED", "0");
        if self.options.without_gil {
            command.env("PYTHON_GIL", "0");
        }
        command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log.try_clone()?);
        let memory = self.options.memory;
        // SAFETY: between fork and exec only system calls that are safe there are made.
        unsafe {
            command.pre_exec(move || {
                libc::setsid();
                limit(libc::RLIMIT_DATA, memory)?;
                limit(libc::RLIMIT_CORE, 0)
            });
        }
        command.spawn()
    }

    fn wait(&self, child: &mut Child, results: &Path, log: &Path, deadline: Instant) -> io::Result<End> {
        let mut size = 0;
        let mut last_event = Instant::now();
        loop {
            if let Some(status) = child.try_wait()? {
                return Ok(End::Exited(status));
            }
            let now_size = file_size(results);
            if now_size != size {
                size = now_size;
                last_event = Instant::now();
            }
            if Instant::now() >= deadline {
                return Ok(End::Killed("the file took too long"));
            }
            if last_event.elapsed() >= self.options.method_timeout {
                return Ok(End::Killed("it took too long"));
            }
            if file_size(log) > LOG_LIMIT {
                return Ok(End::Killed("it printed too much"));
            }
            std::thread::sleep(POLL);
        }
    }
}

/// Adds the events of one process, and returns the method that it began last if that one has no outcome.
fn read_events(events: &str, result: &mut FileResult) -> Option<String> {
    let mut begun = None;
    for line in events.lines() {
        let fields: Vec<_> = line.split('\t').collect();
        match fields[..] {
            ["S", id] => begun = Some(id.to_owned()),
            ["R", id, outcome] => {
                if begun.as_deref() == Some(id) {
                    begun = None;
                }
                result.set(id, Outcome::parse(outcome).unwrap_or(Outcome::Error));
            }
            ["X", outcome, text] => {
                result.set(WHOLE_FILE, Outcome::parse(outcome).unwrap_or(Outcome::Error));
                result.reason = Some(text.to_owned());
                result.complete = true;
            }
            ["D"] => result.complete = true,
            // The last line of a process that was killed may be cut off.
            _ => {}
        }
    }
    begun
}

fn describe(end: &End) -> (Outcome, String) {
    match end {
        End::Killed(why) => (Outcome::Timeout, (*why).to_owned()),
        End::Exited(status) => match status.signal() {
            Some(signal) => (Outcome::Crash, format!("it was killed by signal {signal}")),
            None => (Outcome::Crash, format!("it exited with {}", status.code().unwrap_or_default())),
        },
    }
}

/// Lays out an installation: the interpreter in `bin`, and the package `test` in the library's directory, as CPython has
/// it. The rest of the library is in the interpreter.
fn install(python: &Path, prefix: &Path, library: &Path) -> Result<PathBuf, String> {
    let bin = prefix.join("bin");
    let stdlib = prefix.join("lib/python3.14");
    let executable = bin.join(python.file_name().unwrap_or(OsStr::new("taipan")));
    let lay_out = || {
        fs::create_dir_all(&bin)?;
        let _ = fs::remove_dir_all(&stdlib);
        fs::create_dir_all(stdlib.join("site-packages"))?;
        let _ = fs::remove_file(&executable);
        if fs::hard_link(python, &executable).is_err() {
            fs::copy(python, &executable)?;
        }
        Ok(())
    };
    lay_out().map_err(|error: io::Error| format!("{}: {error}", python.display()))?;
    copy_tree(&library.join("test"), &stdlib.join("test"), true)?;
    Ok(executable)
}

fn limit(resource: libc::__rlimit_resource_t, bytes: u64) -> io::Result<()> {
    let limit = libc::rlimit { rlim_cur: bytes, rlim_max: bytes };
    // SAFETY: `limit` is a valid rlimit for the time of the call.
    match unsafe { libc::setrlimit(resource, &limit) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

/// Ends what a test file's process has left running.
fn kill_group(child: &Child) {
    // SAFETY: the call has no memory effects; the child made a session, so its id names a group of its own.
    unsafe { libc::kill(-(child.id() as i32), libc::SIGKILL) };
}

fn file_size(path: &Path) -> u64 {
    fs::metadata(path).map_or(0, |metadata| metadata.len())
}
