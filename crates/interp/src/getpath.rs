//! Where the interpreter and its library are. Counterpart of CPython's `Modules/getpath.py`.
//!
//! The library is embedded; its directory, `<base prefix>/lib/python3.14`, need not exist. A virtual environment is
//! known by the file `pyvenv.cfg` beside the executable or one directory up; then `sys.prefix` is its directory, and
//! `sys.base_prefix` that of the installation which it belongs to.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use crate::config::{self, Config};

/// The paths that `sys` shows.
#[derive(Debug)]
pub struct Paths {
    pub executable: PathBuf,
    pub base_executable: PathBuf,
    pub prefix: PathBuf,
    pub exec_prefix: PathBuf,
    pub base_prefix: PathBuf,
    pub base_exec_prefix: PathBuf,
    /// The library's directory.
    pub stdlib_dir: PathBuf,
    /// `sys.path` as it is before `site` and the program's directory.
    pub path: Vec<PathBuf>,
}

/// The paths of this process.
pub fn get() -> &'static Paths {
    static PATHS: OnceLock<Paths> = OnceLock::new();
    PATHS.get_or_init(|| calculate(config::get()))
}

fn calculate(config: &Config) -> Paths {
    let executable = find_executable(&config.program);
    let real = std::fs::canonicalize(&executable).unwrap_or_else(|_| executable.clone());
    let mut executable_dir = real.parent().map(Path::to_path_buf).unwrap_or_default();
    let mut base_executable = executable.clone();
    let mut environment = None;
    if config.python_home.is_none()
        && let Some((directory, home)) = find_environment(&executable)
    {
        environment = Some(directory);
        let candidate = home.join(executable.file_name().unwrap_or_default());
        base_executable = if candidate.exists() { candidate } else { real.clone() };
        executable_dir = home;
    }
    let (base_prefix, base_exec_prefix) = match &config.python_home {
        Some(home) => {
            let mut parts = home.as_bytes().splitn(2, |byte| *byte == b':').map(OsStr::from_bytes);
            let prefix = PathBuf::from(parts.next().unwrap_or_default());
            let exec_prefix = parts.next().map_or_else(|| prefix.clone(), PathBuf::from);
            (prefix, exec_prefix)
        }
        None => {
            let prefix = match executable_dir.parent() {
                Some(parent) => parent.to_path_buf(),
                None => PathBuf::from("/usr/local"),
            };
            (prefix.clone(), prefix)
        }
    };
    let library = |prefix: &Path| prefix.join(&config.platlibdir).join("python3.14");
    let stdlib_dir = library(&base_prefix);
    let mut path: Vec<PathBuf> = config.python_path.iter().map(PathBuf::from).collect();
    path.push(base_prefix.join(&config.platlibdir).join("python314.zip"));
    path.push(stdlib_dir.clone());
    path.push(library(&base_exec_prefix).join("lib-dynload"));
    Paths {
        executable,
        base_executable,
        prefix: environment.clone().unwrap_or_else(|| base_prefix.clone()),
        exec_prefix: environment.unwrap_or_else(|| base_exec_prefix.clone()),
        base_prefix,
        base_exec_prefix,
        stdlib_dir,
        path,
    }
}

/// The absolute path by which the program was called; symbolic links stay.
fn find_executable(program: &OsStr) -> PathBuf {
    let found = match program.as_bytes().contains(&b'/') {
        true => Some(PathBuf::from(program)),
        false => std::env::var_os("PATH").and_then(|path| {
            std::env::split_paths(&path).map(|directory| directory.join(program)).find(|file| is_executable(file))
        }),
    };
    let found = found.filter(|_| !program.is_empty());
    let found = found.or_else(|| std::env::current_exe().ok()).unwrap_or_default();
    normalized(&found)
}

fn is_executable(file: &Path) -> bool {
    std::fs::metadata(file).is_ok_and(|data| data.is_file() && data.permissions().mode() & 0o111 != 0)
}

/// The path made absolute, without `.` and `..` (as `os.path.abspath`).
pub fn normalized(path: &Path) -> PathBuf {
    let mut result = PathBuf::new();
    let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf());
    for part in absolute.components() {
        match part {
            std::path::Component::ParentDir => {
                result.pop();
            }
            part => result.push(part),
        }
    }
    result
}

/// The virtual environment of an executable: its directory, and the directory of the base executable.
fn find_environment(executable: &Path) -> Option<(PathBuf, PathBuf)> {
    let directory = executable.parent()?;
    for directory in [Some(directory), directory.parent()].into_iter().flatten() {
        let Ok(text) = std::fs::read(directory.join("pyvenv.cfg")) else { continue };
        let home = text.split(|byte| *byte == b'\n').find_map(|line| {
            let mut parts = line.splitn(2, |byte| *byte == b'=');
            let key = parts.next()?.trim_ascii();
            let value = parts.next()?.trim_ascii();
            key.eq_ignore_ascii_case(b"home").then(|| PathBuf::from(OsString::from_vec(value.to_vec())))
        });
        return home.map(|home| (directory.to_path_buf(), home));
    }
    None
}
