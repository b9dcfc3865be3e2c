//! The process that makes and runs the inputs.

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Read, Seek, Write};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use crate::options::Options;

const FILES: [(&str, &str); 7] = [
    ("worker.py", include_str!("../worker/worker.py")),
    ("confinement.py", include_str!("../worker/confinement.py")),
    ("hostile.py", include_str!("../worker/hostile.py")),
    ("programs.py", include_str!("../worker/programs.py")),
    ("source_target.py", include_str!("../worker/source_target.py")),
    ("marshal_target.py", include_str!("../worker/marshal_target.py")),
    ("code_target.py", include_str!("../worker/code_target.py")),
];
/// A batch that is not done after this time hangs: its processor time is much less.
const HANGS: Duration = Duration::from_secs(300);
const REPLAY_LIMIT: Duration = Duration::from_secs(60);
/// Who inputs are run as when the fuzzer is run by root, so that the system is out of their reach.
const NOBODY: u32 = 65534;

/// For interpreters built with the address sanitizer: they tell how deep their stack is by the addresses of locals, so these
/// stay on it; a refused request of memory is no error, nor is what was not freed at the end.
const SANITIZER_OPTIONS: &str =
    "detect_stack_use_after_return=0:allocator_may_return_null=1:detect_leaks=0:abort_on_error=1";

pub struct Input {
    pub number: u64,
    pub data: Vec<u8>,
}

pub struct Crash {
    pub input: Input,
    /// The first number of the batch: what ran in the same process before.
    pub batch: u64,
    /// What tells it from others: the signal, and what the process said of the place.
    pub kind: String,
    pub stderr: String,
}

pub enum Report {
    Done { cut: u64 },
    Slow(Input),
    Crashed(Crash),
}

pub struct Worker<'a> {
    options: &'a Options,
    directory: PathBuf,
    child: Child,
    lines: Receiver<String>,
    at: u64,
    /// Whether a batch has ended otherwise than it should, without a crash.
    told: bool,
}

impl<'a> Worker<'a> {
    pub fn start(options: &'a Options, first: u64) -> Result<Worker<'a>, String> {
        let directory = work_directory(&options.target)?;
        let count = options.count.map_or(0, |count| options.seed + count - first);
        let mut command = python(options, &directory);
        command.args(["run", &options.target, &first.to_string(), &count.to_string()]);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::inherit());
        let mut child = command.spawn().map_err(|error| format!("{}: {error}", options.taipan.display()))?;
        let output = BufReader::new(child.stdout.take().expect("the output is a pipe"));
        let (sender, lines) = channel();
        std::thread::spawn(move || output.lines().map_while(Result::ok).try_for_each(|line| sender.send(line)));
        Ok(Worker { options, directory, child, lines, at: first, told: false })
    }

    /// The number of the next input.
    pub fn at(&self) -> u64 {
        self.at
    }

    /// What becomes of the next batch.
    pub fn next(&mut self) -> Result<Report, String> {
        let begin = self.at;
        match self.lines.recv_timeout(HANGS) {
            Ok(line) => {
                let mut numbers = line.split(' ').map(|word| word.parse::<u64>().unwrap_or(0));
                let mut number = || numbers.next().unwrap_or(0);
                self.at = number();
                let cut = number();
                let status = ExitStatus::from_raw(number() as i32);
                let read = read(&self.directory.join("stderr"));
                let stderr = String::from_utf8_lossy(&read).into_owned();
                let report = match kind(status, &stderr) {
                    _ if status.signal() == Some(libc::SIGXCPU) => Report::Slow(self.current()),
                    Some(kind) => Report::Crashed(Crash { input: self.current(), batch: begin, kind, stderr }),
                    None => {
                        if !status.success() && !self.told {
                            self.told = true;
                            println!("batch from {begin} ended with {status}:\n{stderr}");
                        }
                        Report::Done { cut }
                    }
                };
                if !status.success() {
                    let mut input = self.child.stdin.as_ref().expect("the input is a pipe");
                    input.write_all(b"\n").map_err(|error| error.to_string())?;
                }
                Ok(report)
            }
            Err(RecvTimeoutError::Timeout) => {
                let input = self.current();
                self.restart(input.number + 1)?;
                Ok(Report::Slow(input))
            }
            Err(RecvTimeoutError::Disconnected) => {
                let status = self.child.wait().map_err(|error| error.to_string())?;
                Err(format!("the worker itself ended at input {}: {status}", self.at))
            }
        }
    }

    fn current(&self) -> Input {
        let contents = read(&self.directory.join("current"));
        let end = contents.iter().position(|byte| *byte == b'\n').unwrap_or(contents.len());
        let number = String::from_utf8_lossy(&contents[..end]).parse().unwrap_or(self.at);
        Input { number, data: contents.get(end + 1..).unwrap_or_default().to_vec() }
    }

    fn restart(&mut self, first: u64) -> Result<(), String> {
        self.kill();
        *self = Worker::start(self.options, first)?;
        Ok(())
    }

    fn kill(&mut self) {
        kill_group(&self.child);
        let _ = self.child.wait();
        let _ = fs::remove_dir_all(&self.directory);
    }
}

impl Drop for Worker<'_> {
    fn drop(&mut self) {
        self.kill();
    }
}

pub struct Replay {
    pub crash: Option<String>,
    pub output: String,
    pub stderr: String,
}

/// Runs one input in a process of its own.
pub fn replay(options: &Options, data: &[u8]) -> Result<Replay, String> {
    let directory = work_directory(&options.target)?;
    let outcome = replay_in(options, data, &directory);
    let _ = fs::remove_dir_all(&directory);
    outcome.map_err(|error| error.to_string())
}

fn replay_in(options: &Options, data: &[u8], directory: &Path) -> std::io::Result<Replay> {
    fs::write(directory.join("input"), data)?;
    let open = |name| File::options().read(true).write(true).create(true).truncate(true).open(directory.join(name));
    let (mut output, mut errors) = (open("stdout")?, open("stderr")?);
    let mut command = python(options, directory);
    command.args(["replay", &options.target, "input"]).stdout(output.try_clone()?).stderr(errors.try_clone()?);
    let mut child = command.spawn()?;
    let begun = Instant::now();
    let status = loop {
        if let Some(status) = child.try_wait()? {
            break Some(status);
        }
        if begun.elapsed() > REPLAY_LIMIT {
            kill_group(&child);
            child.wait()?;
            break None;
        }
        std::thread::sleep(Duration::from_millis(2));
    };
    let contents = |file: &mut File| -> std::io::Result<String> {
        let mut bytes = Vec::new();
        file.rewind()?;
        file.read_to_end(&mut bytes)?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    };
    let stderr = contents(&mut errors)?;
    let crash = status.and_then(|status| kind(status, &stderr));
    Ok(Replay { crash, output: contents(&mut output)?, stderr })
}

/// Prints the input that the options name.
pub fn show(options: &Options) -> Result<(), String> {
    let directory = work_directory(&options.target)?;
    let mut command = python(options, &directory);
    let output = command.args(["show", &options.target, &options.seed.to_string()]).output();
    let _ = fs::remove_dir_all(&directory);
    let output = output.map_err(|error| format!("{}: {error}", options.taipan.display()))?;
    std::io::stdout().write_all(&output.stdout).map_err(|error| error.to_string())
}

/// What a crash is told from others by; `None` if it was none: a process may end with any status of an ordinary exit.
fn kind(status: ExitStatus, stderr: &str) -> Option<String> {
    let panicked = stderr.contains("panicked at");
    if status.signal().is_none_or(|signal| signal == libc::SIGXCPU) && !panicked {
        return None;
    }
    let said = |words: &str| stderr.lines().find(|line| line.contains(words));
    let place = said("panicked at").and_then(|line| line.split_once("panicked at ").map(|(_, place)| place));
    let place =
        place.or_else(|| said("AddressSanitizer: ").and_then(|line| line.split_once("AddressSanitizer: ")).map(report));
    let place = place.or_else(|| said("memory allocation of").map(|_| "an allocation failed"));
    let place = place.or_else(|| said("overflowed its stack").map(|_| "stack overflow"));
    Some(format!("{status}{}{}", if place.is_some() { ", " } else { "" }, place.unwrap_or_default()))
}

/// What the sanitizer found: the first word after its name.
fn report<'a>((_, words): (&'a str, &'a str)) -> &'a str {
    words.split(' ').next().unwrap_or(words)
}

fn work_directory(target: &str) -> Result<PathBuf, String> {
    static COUNT: std::sync::atomic::AtomicUsize = std::sync::atomic::AtomicUsize::new(0);
    let count = COUNT.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    let path = std::env::temp_dir().join(format!("taipan-fuzz-{target}-{}-{count}", std::process::id()));
    let make = || {
        fs::create_dir_all(&path)?;
        let scripts = path.join("worker");
        fs::create_dir_all(&scripts)?;
        FILES.iter().try_for_each(|(name, text)| fs::write(scripts.join(name), text))?;
        match is_root() {
            true => std::os::unix::fs::chown(&path, Some(NOBODY), Some(NOBODY)),
            false => Ok(()),
        }
    };
    make().map_err(|error: std::io::Error| format!("{}: {error}", path.display()))?;
    Ok(path)
}

/// The interpreter with the worker's script, in its directory.
fn python(options: &Options, directory: &Path) -> Command {
    let mut command = Command::new(&options.taipan);
    command.arg("-B").arg(directory.join("worker/worker.py")).current_dir(directory).stdin(Stdio::null());
    command
        .env_clear()
        .env("PYTHONHASHSEED", "0")
        .env("LANG", "C.UTF-8")
        .env("RUST_BACKTRACE", "1")
        .env("ASAN_OPTIONS", SANITIZER_OPTIONS)
        .env("HOME", directory);
    if let Some(corpus) = &options.corpus {
        command.env("TAIPAN_FUZZ_CORPUS", corpus);
    }
    command.process_group(0);
    if is_root() {
        command.uid(NOBODY).gid(NOBODY);
    }
    command
}

fn is_root() -> bool {
    // SAFETY: the call has no memory effects.
    unsafe { libc::geteuid() == 0 }
}

fn kill_group(child: &Child) {
    // SAFETY: the call has no memory effects; the child leads a group of its own.
    unsafe { libc::kill(-(child.id() as i32), libc::SIGKILL) };
}

fn read(path: &Path) -> Vec<u8> {
    fs::read(path).unwrap_or_default()
}
