//! An interpreter, and how a process of it is run and measured.

use std::fs::{self, File};
use std::io;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

pub struct Interpreter {
    pub name: String,
    pub version: String,
    command: Vec<String>,
    /// The root that it is run in, if the command is a chroot.
    root: Option<PathBuf>,
    /// Where benchmarks are copied to for it, as seen from outside its root.
    work: PathBuf,
}

pub struct Run {
    pub stdout: String,
    pub seconds: f64,
    /// The peak of the resident memory, in bytes.
    pub memory: u64,
}

impl Interpreter {
    pub fn prepare(name: &str, command: &[String], target: &Path) -> Result<Interpreter, String> {
        let root = match command {
            [chroot, root, _, ..] if chroot.ends_with("chroot") => Some(PathBuf::from(root)),
            [] => return Err("an empty command".to_owned()),
            _ => None,
        };
        let work = match &root {
            Some(root) => root.join("tmp/taipan-bench"),
            None => target.join("bench"),
        };
        let work = work.join(name);
        let _ = fs::remove_dir_all(&work);
        fs::create_dir_all(&work).map_err(|error| format!("{}: {error}", work.display()))?;
        let mut interpreter =
            Interpreter { name: name.to_owned(), version: String::new(), command: command.to_vec(), root, work };
        let run = interpreter.run(&["-c", "import sys; print(sys.version)"], &[], 60.0)?;
        interpreter.version = run.stdout.split_whitespace().collect::<Vec<_>>().join(" ");
        match interpreter.version.is_empty() {
            true => Err("it does not print sys.version".to_owned()),
            false => Ok(interpreter),
        }
    }

    /// A path as the interpreter sees it.
    pub fn inside(&self, path: &Path) -> PathBuf {
        match &self.root {
            Some(root) => Path::new("/").join(path.strip_prefix(root).unwrap_or(path)),
            None => path.to_owned(),
        }
    }

    /// Brings a directory to where the interpreter can see it, and returns its path there.
    pub fn copy(&self, dir: &Path, name: &str) -> Result<PathBuf, String> {
        let to = self.work.join(name);
        copy_tree(dir, &to).map_err(|error| format!("{}: {error}", to.display()))?;
        Ok(self.inside(&to))
    }

    /// Runs a process to its end, and fails if it does.
    pub fn run(&self, arguments: &[&str], environment: &[(&str, &str)], timeout: f64) -> Result<Run, String> {
        let text = |error: io::Error| format!("{}: {error}", self.command[0]);
        let (stdout_path, stderr_path) = (self.work.join("stdout"), self.work.join("stderr"));
        let file = |path: &Path| File::create(path).map_err(|error| format!("{}: {error}", path.display()));
        let mut command = Command::new(&self.command[0]);
        command.args(&self.command[1..]).args(arguments);
        for variable in ["PYTHONPATH", "PYTHONHOME", "PYTHONSTARTUP"] {
            command.env_remove(variable);
        }
        command.env("PYTHONHASHSEED", "0").env("PYTHONDONTWRITEBYTECODE", "1").envs(environment.iter().copied());
        command.stdin(Stdio::null()).stdout(file(&stdout_path)?).stderr(file(&stderr_path)?).process_group(0);

        let begun = Instant::now();
        let child = command.spawn().map_err(text)?;
        let pid = child.id() as libc::pid_t;
        let (status, memory) = wait(pid, begun, timeout).map_err(text)?;
        let seconds = begun.elapsed().as_secs_f64();
        let read = |path: &Path| String::from_utf8_lossy(&fs::read(path).unwrap_or_default()).into_owned();
        match status {
            Some(0) => Ok(Run { stdout: read(&stdout_path), seconds, memory }),
            Some(status) => {
                let errors = read(&stderr_path);
                let last = errors.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or("").trim();
                let how = match libc::WIFSIGNALED(status) {
                    true => format!("killed by signal {}", libc::WTERMSIG(status)),
                    false => format!("exit status {}", libc::WEXITSTATUS(status)),
                };
                Err(format!("{how}: {last}"))
            }
            None => Err(format!("not done after {timeout} s")),
        }
    }
}

/// Waits for a process, and returns its status, or none if it had to be killed, and the peak of its memory.
fn wait(pid: libc::pid_t, begun: Instant, timeout: f64) -> io::Result<(Option<i32>, u64)> {
    let mut killed = false;
    let mut pause = Duration::from_micros(50);
    loop {
        let mut status = 0;
        // SAFETY: an all-zero rusage is a valid one.
        let mut usage: libc::rusage = unsafe { std::mem::zeroed() };
        let flags = if killed { 0 } else { libc::WNOHANG };
        // SAFETY: both pointers are to locals that live through the call; `pid` is a child that nobody else waits for.
        match unsafe { libc::wait4(pid, &mut status, flags, &mut usage) } {
            -1 => return Err(io::Error::last_os_error()),
            0 => {}
            _ => return Ok(((!killed).then_some(status), usage.ru_maxrss as u64 * 1024)),
        }
        if begun.elapsed().as_secs_f64() > timeout {
            // SAFETY: the call has no memory effects; the child was put at the head of a group of its own.
            unsafe { libc::kill(-pid, libc::SIGKILL) };
            killed = true;
        }
        std::thread::sleep(pause);
        // Short runs are timed closely, long ones are not disturbed.
        pause = (pause * 5 / 4).min(Duration::from_millis(5));
    }
}

fn copy_tree(from: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let path = entry?.path();
        let target = to.join(path.file_name().expect("an entry has a name"));
        if path.is_dir() {
            copy_tree(&path, &target)?;
        } else {
            fs::copy(&path, &target)?;
        }
    }
    Ok(())
}

pub fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    match values.len() {
        0 => f64::NAN,
        length if length % 2 == 1 => values[middle],
        _ => (values[middle - 1] + values[middle]) / 2.0,
    }
}
