//! Packs the standard library into two files that the crate embeds: an index sorted by path, and the data.
//!
//! The tree is the one in `rustpython-pylib`, less what [`EXCLUDED`] names, corrected by [`edits::EDITS`], with the files
//! of this crate's `Lib/` on top. `src/index.rs` reads what [`Packer::finish`] writes.

mod edits;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::{env, fs};

/// Paths, or directories, of the source tree that do not belong to the library: programs with a user interface on Tk,
/// modules that CPython 3.14 does not have, and notes about the tree itself.
const EXCLUDED: &[&str] = &[
    "README.md",
    "_dummy_os.py",
    "_dummy_thread.py",
    "_pycodecs.py",
    "ctypes/macholib/fetch_macholib",
    "ctypes/macholib/fetch_macholib.bat",
    "dummy_threading.py",
    "idlelib",
    "tkinter",
    "turtledemo",
];

/// Files that have another name here.
const RENAMED: &[(&str, &str)] = &[("PSF-LICENSE", "LICENSE.txt")];

/// What every start of the interpreter imports. These are stored as they are, so that a start decompresses nothing.
const STARTUP: &[&str] = &[
    "_collections_abc.py",
    "_sitebuiltins.py",
    "abc.py",
    "codecs.py",
    "encodings/__init__.py",
    "encodings/aliases.py",
    "encodings/utf_8.py",
    "genericpath.py",
    "io.py",
    "os.py",
    "posixpath.py",
    "site.py",
    "stat.py",
];

const COMPRESSION_LEVEL: i32 = 19;

fn main() {
    let manifest_dir = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").expect("cargo sets CARGO_MANIFEST_DIR"));
    let out_dir = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets OUT_DIR"));
    let own = manifest_dir.join("Lib");
    println!("cargo::rerun-if-changed=build");
    println!("cargo::rerun-if-changed={}", own.display());

    let mut files = BTreeMap::new();
    let upstream = Path::new(rustpython_pylib::LIB_PATH);
    collect(upstream, upstream, &mut files);
    files.retain(|path, _| !EXCLUDED.iter().any(|excluded| is_within(path, excluded)));
    edits::apply(&mut files);
    for (from, to) in RENAMED {
        let content = files.remove(*from).unwrap_or_else(|| panic!("the library has no {from}"));
        files.insert(to.to_string(), content);
    }
    if own.is_dir() {
        collect(&own, &own, &mut files);
    }

    let mut packer = Packer::default();
    for (path, source) in &files {
        packer.add(path, source);
    }
    packer.finish(&out_dir);
}

fn is_within(path: &str, ancestor: &str) -> bool {
    path.strip_prefix(ancestor).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Reads all files below `dir` into `files`, by their path relative to `root`, with `/` between the parts.
fn collect(root: &Path, dir: &Path, files: &mut BTreeMap<String, Vec<u8>>) {
    let entries = fs::read_dir(dir).unwrap_or_else(|error| panic!("{}: {error}", dir.display()));
    for entry in entries {
        let path = entry.expect("a directory entry").path();
        let name = path.file_name().expect("an entry has a name").to_string_lossy();
        if name == "__pycache__" || name.ends_with(".pyc") {
            continue;
        }
        if path.is_dir() {
            // Test suites come from CPython itself when they are run.
            if !matches!(&*name, "test" | "tests" | "idle_test") {
                collect(root, &path, files);
            }
            continue;
        }
        let relative = path.strip_prefix(root).expect("the walk stays below its root");
        let parts: Vec<_> = relative.iter().map(|part| part.to_string_lossy()).collect();
        files.insert(parts.join("/"), fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display())));
    }
}

/// Builds the index and the data.
#[derive(Default)]
struct Packer {
    records: Vec<u8>,
    names: Vec<u8>,
    data: Vec<u8>,
    count: u32,
}

impl Packer {
    /// Appends a file. Paths must come in ascending order, which is the order of the index.
    fn add(&mut self, path: &str, source: &[u8]) {
        let stored = STARTUP.contains(&path) || path.ends_with(".whl");
        let name_at = length(self.names.len());
        self.names.extend_from_slice(path.as_bytes());
        self.record(&[name_at, length(path.len())]);
        self.blob(source, stored);
        // The slot of the compiled code: absent.
        self.record(&[0, 0, 0]);
        self.count += 1;
    }

    fn blob(&mut self, content: &[u8], stored: bool) {
        let compressed;
        let mut bytes = content;
        if !stored {
            compressed = zstd::bulk::compress(content, COMPRESSION_LEVEL).expect("compression into memory");
            if compressed.len() < content.len() {
                bytes = &compressed;
            }
        }
        self.record(&[length(self.data.len()), length(bytes.len()), length(content.len())]);
        self.data.extend_from_slice(bytes);
    }

    fn record(&mut self, fields: &[u32]) {
        for field in fields {
            self.records.extend_from_slice(&field.to_le_bytes());
        }
    }

    fn finish(self, out_dir: &Path) {
        let mut index = self.count.to_le_bytes().to_vec();
        index.extend_from_slice(&self.records);
        index.extend_from_slice(&self.names);
        fs::write(out_dir.join("library.index"), index).expect("OUT_DIR is writable");
        fs::write(out_dir.join("library.data"), self.data).expect("OUT_DIR is writable");
    }
}

fn length(value: usize) -> u32 {
    u32::try_from(value).expect("the library is smaller than 4 GiB")
}
