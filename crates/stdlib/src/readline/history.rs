//! The history: lines read before, in memory and in files.

use std::collections::VecDeque;
use std::ffi::OsStr;
use std::io::Write;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;

use taipan_object::{Result, Value, Vm};

use super::{decode, encode, state};
use crate::arguments::fs_converter;

/// Lines in code points, the oldest first.
pub struct History {
    lines: VecDeque<Vec<u32>>,
    /// How many are kept in memory; `None` for all.
    limit: Option<usize>,
    /// How many a file keeps; negative for all.
    pub file_length: i32,
}

impl Default for History {
    fn default() -> History {
        History { lines: VecDeque::new(), limit: None, file_length: -1 }
    }
}

impl History {
    pub fn len(&self) -> usize {
        self.lines.len()
    }
    pub fn get(&self, at: usize) -> Option<Vec<u32>> {
        self.lines.get(at).cloned()
    }
    pub fn line(&self, at: usize) -> Option<&[u32]> {
        self.lines.get(at).map(Vec::as_slice)
    }
    pub fn add(&mut self, line: Vec<u32>) {
        self.lines.push_back(line);
        self.trim();
    }
    pub fn remove(&mut self, at: usize) -> bool {
        self.lines.remove(at).is_some()
    }
    pub fn replace(&mut self, at: usize, line: Vec<u32>) -> bool {
        match self.lines.get_mut(at) {
            Some(slot) => {
                *slot = line;
                true
            }
            None => false,
        }
    }
    pub fn clear(&mut self) {
        self.lines.clear();
    }
    pub fn set_limit(&mut self, limit: Option<usize>) {
        self.limit = limit;
        self.trim();
    }
    fn trim(&mut self) {
        while self.limit.is_some_and(|limit| self.lines.len() > limit) {
            self.lines.pop_front();
        }
    }
}

/// The user's home directory.
pub fn home() -> PathBuf {
    std::env::var_os("HOME").map_or_else(|| PathBuf::from("/"), PathBuf::from)
}

fn path(vm: &Vm, name: Option<&Value>) -> Result<PathBuf> {
    match name {
        Some(name) => Ok(PathBuf::from(OsStr::from_bytes(fs_converter(vm, name)?.as_bytes()))),
        None => Ok(home().join(".history")),
    }
}

/// The name that audit hooks see.
fn audited(name: Option<&Value>) -> Value {
    name.cloned().unwrap_or_else(|| Value::from("~/.history"))
}

fn raise(vm: &Vm, error: &std::io::Error) -> taipan_object::Raised {
    vm.os_error(error.raw_os_error().unwrap_or(0), None, None)
}

/// Adds the lines of a file.
pub fn read_file(vm: &Vm, name: Option<&Value>) -> Result<()> {
    let path = path(vm, name)?;
    vm.audit("open", &[audited(name), Value::from("r"), Value::from(0)])?;
    let content = std::fs::read(path).map_err(|error| raise(vm, &error))?;
    let mut state = state();
    for line in content.split(|byte| *byte == b'\n') {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if !line.is_empty() {
            state.history.add(decode(line));
        }
    }
    Ok(())
}

/// Writes the history to a file, or appends so many of its lines; then the file is cut to its length.
pub fn write_file(vm: &Vm, name: Option<&Value>, appended: Option<usize>) -> Result<()> {
    let path = path(vm, name)?;
    let mode = if appended.is_some() { "a" } else { "w" };
    vm.audit("open", &[audited(name), Value::from(mode), Value::from(0)])?;
    let (content, file_length) = {
        let state = state();
        let count = appended.unwrap_or(usize::MAX).min(state.history.len());
        let mut content = Vec::new();
        for line in state.history.lines.iter().skip(state.history.len() - count) {
            content.extend(encode(line));
            content.push(b'\n');
        }
        (content, state.history.file_length)
    };
    let mut options = std::fs::OpenOptions::new();
    match appended {
        Some(_) => options.append(true),
        None => options.write(true).create(true).truncate(true).mode(0o600),
    };
    let written = options.open(&path).and_then(|mut file| file.write_all(&content));
    written.map_err(|error| raise(vm, &error))?;
    if let Ok(length) = usize::try_from(file_length) {
        // As in CPython, a file that cannot be cut stays as it is.
        let _ = truncate(&path, length);
    }
    Ok(())
}

/// Keeps the last lines of a file.
fn truncate(path: &PathBuf, length: usize) -> std::io::Result<()> {
    let content = std::fs::read(path)?;
    let ends: Vec<usize> =
        content.iter().enumerate().filter(|(_, byte)| **byte == b'\n').map(|(at, _)| at + 1).collect();
    if ends.len() <= length {
        return Ok(());
    }
    std::fs::write(path, &content[ends[ends.len() - length - 1]..])
}
