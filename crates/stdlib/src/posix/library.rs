//! The files of the standard library that is in the binary, for paths at which the file system has nothing: they can be
//! opened for reading, looked at and listed like files, below the directory that modules' `__file__` names.
//!
//! System calls come first. Only when one has found nothing is the library asked, so that others pay nothing.

use std::borrow::Cow;
use std::ffi::{CStr, CString, OsStr};
use std::os::fd::{AsRawFd, FromRawFd, IntoRawFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::sync::OnceLock;

use super::directory::Entry;

/// Where the files come from. Paths are relative to the directory, with `/` between their parts.
pub struct Library {
    /// The directory in which the files seem to be, absolute and without `.` and `..`.
    pub directory: PathBuf,
    pub source: fn(&str) -> Option<Cow<'static, [u8]>>,
    /// The size of a file in bytes.
    pub size: fn(&str) -> Option<usize>,
    pub is_dir: fn(&str) -> bool,
    /// The names in a directory, and whether they are directories.
    pub list_dir: fn(&str) -> Vec<(&'static str, bool)>,
}

static LIBRARY: OnceLock<Library> = OnceLock::new();

/// Sets where the library comes from, once per process.
pub fn set_library(library: Library) {
    let _ = LIBRARY.set(library);
}

/// The library, and the path in it that an absolute path means.
fn relative(path: &CStr) -> Option<(&'static Library, &str)> {
    let library = LIBRARY.get()?;
    let path = path.to_str().ok()?;
    let rest = path.strip_prefix(library.directory.to_str()?)?;
    let rest = rest.trim_end_matches('/');
    match rest.strip_prefix('/') {
        Some(inner) => Some((library, inner)),
        None => rest.is_empty().then_some((library, "")),
    }
}

/// Whether a system call failed because there is nothing at the path.
pub fn is_absent(errno: i32) -> bool {
    matches!(errno, libc::ENOENT | libc::ENOTDIR)
}

/// The content of a file.
pub fn source(path: &OsStr) -> Option<Vec<u8>> {
    let path = CString::new(path.as_bytes()).ok()?;
    let (library, inner) = relative(&path)?;
    (library.source)(inner).map(Cow::into_owned)
}

/// A descriptor from which the file can be read; `None` if there is no such file, or the flags ask for more.
pub fn open(path: &CStr, flags: i32) -> Option<i32> {
    if flags & (libc::O_ACCMODE | libc::O_CREAT | libc::O_TRUNC | libc::O_DIRECTORY | libc::O_PATH) != libc::O_RDONLY {
        return None;
    }
    let (library, inner) = relative(path)?;
    let content = (library.source)(inner)?;
    // SAFETY: the name is a C string; a descriptor that was made just now is nobody else's.
    let file = unsafe {
        match libc::memfd_create(c"library".as_ptr(), libc::MFD_CLOEXEC | libc::MFD_ALLOW_SEALING) {
            fd if fd >= 0 => OwnedFd::from_raw_fd(fd),
            _ => return None,
        }
    };
    let mut file = std::fs::File::from(file);
    std::io::Write::write_all(&mut file, &content).ok()?;
    std::io::Seek::rewind(&mut file).ok()?;
    let seals = libc::F_SEAL_SEAL | libc::F_SEAL_SHRINK | libc::F_SEAL_GROW | libc::F_SEAL_WRITE;
    // SAFETY: takes numbers only.
    unsafe { libc::fcntl(file.as_raw_fd(), libc::F_ADD_SEALS, seals) };
    Some(file.into_raw_fd())
}

/// What `stat` would say if the file or directory were on the disk, as old as the program's file.
pub fn stat(path: &CStr) -> Option<libc::stat> {
    let (library, inner) = relative(path)?;
    let size = (library.size)(inner);
    if size.is_none() && !(library.is_dir)(inner) {
        return None;
    }
    // SAFETY: all-zero bytes are a valid `struct stat`.
    let mut st: libc::stat = unsafe { std::mem::zeroed() };
    st.st_mode = if size.is_some() { libc::S_IFREG | 0o444 } else { libc::S_IFDIR | 0o555 };
    st.st_nlink = 1;
    st.st_ino = inode(inner);
    st.st_size = size.unwrap_or(0) as i64;
    st.st_blksize = 4096;
    st.st_blocks = (st.st_size + 511) / 512;
    if let Ok(program) = std::env::current_exe().and_then(std::fs::metadata) {
        (st.st_uid, st.st_gid) = (program.uid(), program.gid());
        (st.st_mtime, st.st_mtime_nsec) = (program.mtime(), program.mtime_nsec());
        (st.st_atime, st.st_atime_nsec) = (st.st_mtime, st.st_mtime_nsec);
        (st.st_ctime, st.st_ctime_nsec) = (st.st_mtime, st.st_mtime_nsec);
    }
    Some(st)
}

/// A number of its own for each path.
fn inode(inner: &str) -> u64 {
    taipan_object::hash::siphash13(0, 0, inner.as_bytes()) | 1 << 63
}

/// Whether `access` would allow this much: nothing can be written, only directories be searched.
pub fn access(path: &CStr, mode: i32) -> bool {
    stat(path).is_some_and(|st| {
        let is_dir = st.st_mode & libc::S_IFMT == libc::S_IFDIR;
        mode & libc::W_OK == 0 && (mode & libc::X_OK == 0 || is_dir)
    })
}

/// The entries of a directory.
pub fn list(path: &CStr) -> Option<Vec<Entry>> {
    let (library, inner) = relative(path)?;
    if !(library.is_dir)(inner) {
        return None;
    }
    let entry = |(name, is_dir): (&'static str, bool)| Entry {
        name: name.as_bytes().to_vec(),
        inode: inode(&if inner.is_empty() { name.to_owned() } else { format!("{inner}/{name}") }),
        kind: if is_dir { libc::DT_DIR } else { libc::DT_REG },
    };
    Some((library.list_dir)(inner).into_iter().map(entry).collect())
}
