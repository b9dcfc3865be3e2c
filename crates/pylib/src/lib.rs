//! The pure-Python standard library, embedded in the binary.
//!
//! The build script packs CPython 3.14's `Lib`; this crate finds files in the pack by path and hands out their bytes. It
//! knows nothing of Python objects, importing or the file system: paths are relative to the library's directory and
//! have `/` between their parts, as in `lookup("encodings/utf_8.py")`.

#![forbid(unsafe_code)]

mod index;

use std::borrow::Cow;
use std::ops::Range;
use std::sync::Mutex;

use index::Blob;
use zstd::bulk::Decompressor;

static DATA: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/library.data"));

/// What sources are decompressed with.
static CONTEXT: Mutex<Option<Decompressor<'static>>> = Mutex::new(None);

/// A file of the library.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    at: usize,
}

/// The file with this path.
pub fn lookup(path: &str) -> Option<Entry> {
    let at = index::partition_point(|candidate| candidate < path);
    (at < index::count() && index::path(at) == path).then_some(Entry { at })
}

/// Whether `path` is a directory; `""` is the library itself.
pub fn is_dir(path: &str) -> bool {
    !below(path).is_empty()
}

/// What is directly in the directory `path`, in ascending order of the names' bytes with `/` behind directories' names.
/// Nothing, if there is no such directory.
pub fn list_dir(path: &str) -> ListDir {
    let prefix = if path.is_empty() { 0 } else { path.len() + 1 };
    ListDir { remaining: below(path), prefix }
}

/// All files, in ascending order of their paths' bytes.
pub fn entries() -> impl ExactSizeIterator<Item = Entry> {
    (0..index::count()).map(|at| Entry { at })
}

/// The files in the directory `path` and in those below it. They are neighbours in the index.
fn below(path: &str) -> Range<usize> {
    if path.is_empty() {
        return 0..index::count();
    }
    let before = |candidate: &str| candidate.bytes().lt(path.bytes().chain([b'/']));
    let is_below = |candidate: &str| candidate.strip_prefix(path).is_some_and(|rest| rest.starts_with('/'));
    let start = index::partition_point(before);
    start..start + index::partition_point_in(start..index::count(), is_below)
}

impl Entry {
    pub fn path(self) -> &'static str {
        index::path(self.at)
    }

    /// Whether this is the `__init__.py` of a package.
    pub fn is_package(self) -> bool {
        self.path().ends_with("/__init__.py")
    }

    /// The size of the content in bytes, known without decompressing it.
    pub fn size(self) -> usize {
        index::source(self.at).size
    }

    /// The file's content.
    pub fn source(self) -> Cow<'static, [u8]> {
        content(index::source(self.at))
    }

    /// The pack of the module's code (`taipan_bytecode::packed`), if the build compiled it.
    pub fn code(self) -> Option<&'static [u8]> {
        let blob = index::code(self.at)?;
        debug_assert!(blob.range.len() == blob.size, "code is not compressed");
        // The first code is asked for at the start: when a source is, for a traceback, there may be no memory for this.
        if let Ok(mut context) = CONTEXT.try_lock()
            && context.is_none()
        {
            *context = Decompressor::new().ok();
        }
        Some(&DATA[blob.range])
    }
}

fn content(blob: Blob) -> Cow<'static, [u8]> {
    let bytes = &DATA[blob.range];
    if bytes.len() == blob.size {
        return Cow::Borrowed(bytes);
    }
    let decompressed = match CONTEXT.try_lock().as_deref_mut() {
        Ok(Some(context)) => context.decompress(bytes, blob.size),
        // Another thread is at it, or was when this process was forked.
        _ => zstd::bulk::decompress(bytes, blob.size),
    };
    Cow::Owned(decompressed.expect("the build script compressed it"))
}

/// A name in a directory of the library.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DirEntry {
    pub name: &'static str,
    pub is_dir: bool,
}

/// The iterator of [`list_dir`].
#[derive(Clone, Debug)]
pub struct ListDir {
    remaining: Range<usize>,
    prefix: usize,
}

impl Iterator for ListDir {
    type Item = DirEntry;

    fn next(&mut self) -> Option<DirEntry> {
        if self.remaining.is_empty() {
            return None;
        }
        let path = index::path(self.remaining.start);
        let rest = &path[self.prefix..];
        match rest.find('/') {
            None => {
                self.remaining.start += 1;
                Some(DirEntry { name: rest, is_dir: false })
            }
            Some(slash) => {
                self.remaining.start = below(&path[..self.prefix + slash]).end;
                Some(DirEntry { name: &rest[..slash], is_dir: true })
            }
        }
    }
}

#[cfg(test)]
mod tests;
