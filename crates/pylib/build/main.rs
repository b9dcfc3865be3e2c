//! Packs the standard library into two files that the crate embeds: an index sorted by path, and the data.
//!
//! The tree is the one in `rustpython-pylib`, less what [`EXCLUDED`] names, corrected by [`edits::EDITS`], with the files
//! of this crate's `Lib/` on top. Modules are compiled, so that importing one only has to read its code object; one that
//! cannot be compiled is left to be compiled when it is imported. `src/index.rs` reads what [`finish`] writes.

mod edits;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::{env, fs, panic, thread};

use bumpalo::Bump;
use taipan_bytecode::CodeData;
use taipan_bytecode::code::CO_OPTIMIZED;
use taipan_syntax::ParseOptions;

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

/// What every start of the interpreter imports. What of these is not compiled is stored as it is, so that a start
/// decompresses nothing; what is, is lowered as well.
const STARTUP: &[&str] = &[
    "_collections_abc.py",
    "_sitebuiltins.py",
    "abc.py",
    "_taipan_importer.py",
    "codecs.py",
    "encodings/__init__.py",
    "encodings/aliases.py",
    "encodings/utf_8.py",
    "genericpath.py",
    "importlib/_bootstrap.py",
    "importlib/_bootstrap_external.py",
    "io.py",
    "linecache.py",
    "os.py",
    "posixpath.py",
    "site.py",
    "stat.py",
];

/// Deeply nested source needs room.
const STACK_SIZE: usize = 256 << 20;

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

    let level = if env::var("PROFILE").as_deref() == Ok("release") { 19 } else { 3 };
    let packed = pack_all(&files.into_iter().collect::<Vec<_>>(), level);
    let problems: Vec<_> = packed.iter().filter_map(|file| Some((&file.path, file.problem.as_ref()?))).collect();
    if let Some((path, problem)) = problems.first() {
        println!("cargo::warning={} modules are not compiled, such as {path}: {problem}", problems.len());
    }
    finish(&out_dir, &packed);
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

/// A file, ready to be stored.
struct Packed {
    path: String,
    source: Blob,
    code: Option<Blob>,
    /// Why it is a module and has no code.
    problem: Option<String>,
}

/// A content, compressed if `bytes` is shorter than `size`.
struct Blob {
    bytes: Vec<u8>,
    size: usize,
}

impl Blob {
    fn stored(content: Vec<u8>) -> Blob {
        Blob { size: content.len(), bytes: content }
    }

    fn compressed(content: Vec<u8>, level: i32) -> Blob {
        let bytes = zstd::bulk::compress(&content, level).expect("compression into memory");
        if bytes.len() < content.len() { Blob { bytes, size: content.len() } } else { Blob::stored(content) }
    }
}

/// Compiles and compresses on all processors. The order of the files is kept: it is that of the index.
fn pack_all(files: &[(String, Vec<u8>)], level: i32) -> Vec<Packed> {
    let next = AtomicUsize::new(0);
    let packed: Mutex<Vec<Option<Packed>>> = Mutex::new(files.iter().map(|_| None).collect());
    let work = || {
        loop {
            let at = next.fetch_add(1, Ordering::Relaxed);
            let Some((path, source)) = files.get(at) else { break };
            let file = pack(path, source, level);
            packed.lock().expect("no thread panics with the lock")[at] = Some(file);
        }
    };
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().map_or(1, usize::from) {
            thread::Builder::new().stack_size(STACK_SIZE).spawn_scoped(scope, work).expect("a thread");
        }
    });
    let packed = packed.into_inner().expect("no thread panics with the lock");
    packed.into_iter().map(|file| file.expect("every file was packed")).collect()
}

fn pack(path: &str, source: &[u8], level: i32) -> Packed {
    let startup = STARTUP.contains(&path);
    let compiled = path.ends_with(".py").then(|| compile(path, source, startup)).transpose();
    let (code, problem) = match compiled {
        Ok(code) => (code, None),
        Err(problem) => (None, Some(problem)),
    };
    // What is compiled needs its source only for tracebacks. A wheel is compressed already.
    let stored = startup && code.is_none() || path.ends_with(".whl");
    let source = source.to_vec();
    Packed {
        path: path.to_owned(),
        source: if stored { Blob::stored(source) } else { Blob::compressed(source, level) },
        problem,
        // It is read in place, by pages that processes share.
        code: code.map(Blob::stored),
    }
}

/// The pack of the module's code. What runs when it is imported has register code: that of the module itself and of its
/// classes, and of all functions if every start imports it.
fn compile(path: &str, source: &[u8], startup: bool) -> Result<Vec<u8>, String> {
    let compiled = panic::catch_unwind(|| {
        let arena = Bump::new();
        let parsed = taipan_syntax::parse(&arena, source, &ParseOptions::default());
        let parsed = parsed.map_err(|error| format!("{error:?}"))?;
        let options = taipan_compiler::Options::new(path);
        let code = taipan_compiler::compile(arena.alloc(parsed.tree), &arena, &options, &mut Vec::new());
        let code = code.map_err(|error| format!("{error:?}"))?;
        let runs_at_import = |code: &CodeData| startup || code.flags & CO_OPTIMIZED == 0;
        let register_code =
            |code: &CodeData| runs_at_import(code).then(|| taipan_register::stored::store(code)).flatten();
        Ok(taipan_bytecode::packed::pack(&code.into(), &register_code))
    });
    match compiled {
        Ok(Ok(code)) => Ok(code),
        Ok(Err(error)) => Err(error),
        Err(_) => Err("the compiler panicked".to_owned()),
    }
}

/// Writes the index and the data. Code lies before sources, and that which every start imports before other code: what is
/// read together is mapped together.
fn finish(out_dir: &Path, files: &[Packed]) {
    let (mut names, mut data) = (Vec::new(), Vec::new());
    let mut places = vec![[0; 6]; files.len()];
    let is_startup = |file: &Packed| STARTUP.contains(&&*file.path);
    let mut place = |at: usize, first: usize, blob: &Blob| {
        places[at][first..first + 3].copy_from_slice(&[data.len(), blob.bytes.len(), blob.size]);
        data.extend_from_slice(&blob.bytes);
    };
    for startup in [true, false] {
        for (at, file) in files.iter().enumerate().filter(|(_, file)| is_startup(file) == startup) {
            file.code.iter().for_each(|code| place(at, 3, code));
        }
    }
    files.iter().enumerate().for_each(|(at, file)| place(at, 0, &file.source));

    let mut index = u32::try_from(files.len()).expect("not that many files").to_le_bytes().to_vec();
    for (file, place) in files.iter().zip(places) {
        for field in [names.len(), file.path.len()].into_iter().chain(place) {
            let field = u32::try_from(field).expect("the library is smaller than 4 GiB");
            index.extend_from_slice(&field.to_le_bytes());
        }
        names.extend_from_slice(file.path.as_bytes());
    }
    index.extend_from_slice(&names);
    fs::write(out_dir.join("library.index"), index).expect("OUT_DIR is writable");
    fs::write(out_dir.join("library.data"), data).expect("OUT_DIR is writable");
}
