//! Directories and their entries: listing, making, removing, renaming, linking.

use std::ffi::CStr;

use taipan_object::builtins::list::List;
use taipan_object::native::MethodDef;
use taipan_object::vm::hooks::blocking;
use taipan_object::{Result, Value, Vm};

use super::library;
use super::path::{Accepts, Path, dir_fd};
use crate::arguments::{c_int, errno, retry};

/// An open directory stream.
pub struct Stream {
    pointer: *mut libc::DIR,
    /// The stream reads a duplicate of the caller's descriptor, which is rewound at the end.
    borrowed: bool,
    /// Entries of the library, which come when the stream, if there is one, has ended.
    library: Vec<Entry>,
}

/// What `readdir` says of an entry.
pub struct Entry {
    pub name: Vec<u8>,
    pub inode: u64,
    pub kind: u8,
}

// SAFETY: a stream is used by one thread at a time, under the lock of the object that has it.
unsafe impl Send for Stream {}

impl Stream {
    /// Opens the directory at `path`; the `errno` on failure.
    pub fn open(path: &Path) -> std::result::Result<Stream, i32> {
        blocking(|| {
            // SAFETY: the path is a C string; a duplicated descriptor passes to the stream.
            let pointer = unsafe {
                match path.fd {
                    Some(fd) => {
                        let own = libc::fcntl(fd, libc::F_DUPFD_CLOEXEC, 0);
                        if own < 0 {
                            return Err(errno());
                        }
                        let stream = libc::fdopendir(own);
                        if stream.is_null() {
                            let error = errno();
                            libc::close(own);
                            return Err(error);
                        }
                        libc::rewinddir(stream);
                        stream
                    }
                    None => libc::opendir(path.as_ptr()),
                }
            };
            let error = errno();
            let library = if path.fd.is_none() { library::list(&path.text) } else { None };
            if pointer.is_null() && (library.is_none() || !library::is_absent(error)) {
                return Err(error);
            }
            Ok(Stream { pointer, borrowed: path.fd.is_some(), library: library.unwrap_or_default() })
        })
    }

    /// The next entry that is not `.` or `..`. This may block.
    pub fn next(&mut self) -> std::result::Result<Option<Entry>, i32> {
        loop {
            if self.pointer.is_null() {
                return Ok(self.library.pop());
            }
            // SAFETY: the stream is open; the entry is copied before the next call.
            unsafe {
                *libc::__errno_location() = 0;
                let entry = libc::readdir(self.pointer);
                if entry.is_null() {
                    return match errno() {
                        0 => Ok(self.library.pop()),
                        error => Err(error),
                    };
                }
                let name = CStr::from_ptr((*entry).d_name.as_ptr()).to_bytes();
                if name != b"." && name != b".." {
                    self.library.retain(|entry| entry.name != name);
                    return Ok(Some(Entry { name: name.to_vec(), inode: (*entry).d_ino, kind: (*entry).d_type }));
                }
            }
        }
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        if self.pointer.is_null() {
            return;
        }
        // SAFETY: opened by `open`, closed only here.
        unsafe {
            if self.borrowed {
                libc::rewinddir(self.pointer);
            }
            libc::closedir(self.pointer);
        }
    }
}

fn listdir(vm: &Vm, path: &Path) -> Result {
    let mut stream = Stream::open(path).map_err(|errno| path.error(vm, errno))?;
    let entries = blocking(|| {
        let mut entries = Vec::new();
        while let Some(entry) = stream.next()? {
            entries.push(entry.name);
        }
        Ok(entries)
    });
    let entries = entries.map_err(|errno| path.error(vm, errno))?;
    let names = entries.iter().map(|name| path.result(vm, name)).collect::<Result<Vec<_>>>()?;
    Ok(List::from_vec(names).into_value())
}

/// A system call on two files; errors name both.
fn call_two<T: Into<i64>>(vm: &Vm, source: &Path, target: &Path, call: impl FnMut() -> T) -> Result {
    match retry(vm, call)? {
        Ok(_) => Ok(Value::NONE),
        Err(errno) => Err(vm.os_error(errno, Some(&source.object), Some(&target.object))),
    }
}

fn rename(vm: &Vm, function: &str, args: &[Value]) -> Result {
    let source = Path::new(vm, function, "src", &args[0], Accepts::Paths)?;
    let target = Path::new(vm, function, "dst", &args[1], Accepts::Paths)?;
    let (from, to) = (dir_fd(vm, &args[2])?, dir_fd(vm, &args[3])?);
    // SAFETY: both paths are C strings.
    call_two(vm, &source, &target, || unsafe { libc::renameat(from, source.as_ptr(), to, target.as_ptr()) })
}

fn unlink(vm: &Vm, function: &str, args: &[Value], flags: i32) -> Result {
    let path = Path::plain(vm, function, &args[0])?;
    let directory = dir_fd(vm, &args[1])?;
    // SAFETY: the path is a C string.
    path.call(vm, || unsafe { libc::unlinkat(directory, path.as_ptr(), flags) })?;
    Ok(Value::NONE)
}

fn done(vm: &Vm, outcome: std::result::Result<i64, i32>) -> Result {
    match outcome {
        Ok(_) => Ok(Value::NONE),
        Err(errno) => Err(vm.os_error(errno, None, None)),
    }
}

taipan_object::method_table! {
    pub static FUNCTIONS = [
        MethodDef::new("listdir($module, /, path=None)", "The names of the files in a directory, in arbitrary order.", |vm, _, args| {
            let path = Path::new(vm, "listdir", "path", &args[0], Accepts::DescriptorsOrNone)?;
            vm.audit("os.listdir", std::slice::from_ref(&path.object))?;
            listdir(vm, &path)
        }),
        MethodDef::new("scandir($module, /, path=None)", "An iterator over the entries of a directory.", |vm, _, args| {
            let path = Path::new(vm, "scandir", "path", &args[0], Accepts::DescriptorsOrNone)?;
            vm.audit("os.scandir", std::slice::from_ref(&path.object))?;
            super::scandir::scandir(vm, path)
        }),
        MethodDef::new("mkdir($module, /, path, mode=511, *, dir_fd=None)", "Create a directory.", |vm, _, args| {
            let path = Path::plain(vm, "mkdir", &args[0])?;
            let mode = c_int(vm, &args[1])? as libc::mode_t;
            let directory = dir_fd(vm, &args[2])?;
            // SAFETY: the path is a C string.
            path.call(vm, || unsafe { libc::mkdirat(directory, path.as_ptr(), mode) })?;
            Ok(Value::NONE)
        }),
        MethodDef::new("rmdir($module, /, path, *, dir_fd=None)", "Remove a directory.", |vm, _, args| {
            unlink(vm, "rmdir", args, libc::AT_REMOVEDIR)
        }),
        MethodDef::new("unlink($module, /, path, *, dir_fd=None)", "\
            Remove a file; remove() does the same.", |vm, _, args| {
            unlink(vm, "unlink", args, 0)
        }),
        MethodDef::new("remove($module, /, path, *, dir_fd=None)", "\
            Remove a file; unlink() does the same.", |vm, _, args| {
            unlink(vm, "remove", args, 0)
        }),
        MethodDef::new("rename($module, /, src, dst, *, src_dir_fd=None, dst_dir_fd=None)", "\
            Move a file or directory to another name.", |vm, _, args| {
            rename(vm, "rename", args)
        }),
        MethodDef::new("replace($module, /, src, dst, *, src_dir_fd=None, dst_dir_fd=None)", "\
            Move a file or directory to another name, in place of a file that has it.", |vm, _, args| {
            rename(vm, "replace", args)
        }),
        MethodDef::new("link($module, /, src, dst, *, src_dir_fd=None, dst_dir_fd=None, follow_symlinks=<unrepresentable>)", "\
            Give a file another name.", |vm, _, args| {
            let source = Path::new(vm, "link", "src", &args[0], Accepts::Paths)?;
            let target = Path::new(vm, "link", "dst", &args[1], Accepts::Paths)?;
            let (from, to) = (dir_fd(vm, &args[2])?, dir_fd(vm, &args[3])?);
            let flags = match args[4].bound() {
                Some(follow) if !vm.is_true(follow)? => 0,
                _ => libc::AT_SYMLINK_FOLLOW,
            };
            // SAFETY: both paths are C strings.
            call_two(vm, &source, &target, || unsafe { libc::linkat(from, source.as_ptr(), to, target.as_ptr(), flags) })
        }),
        MethodDef::new("symlink($module, /, src, dst, target_is_directory=False, *, dir_fd=None)", "\
            Make a symbolic link named dst that leads to src.", |vm, _, args| {
            let source = Path::new(vm, "symlink", "src", &args[0], Accepts::Paths)?;
            let target = Path::new(vm, "symlink", "dst", &args[1], Accepts::Paths)?;
            let directory = dir_fd(vm, &args[3])?;
            // SAFETY: both paths are C strings.
            call_two(vm, &source, &target, || unsafe { libc::symlinkat(source.as_ptr(), directory, target.as_ptr()) })
        }),
        MethodDef::new("readlink($module, /, path, *, dir_fd=None)", "The path to which the symbolic link points.", |vm, _, args| {
            let path = Path::plain(vm, "readlink", &args[0])?;
            let directory = dir_fd(vm, &args[1])?;
            let mut buffer = vec![0u8; 4097];
            let pointer = buffer.as_mut_ptr();
            // SAFETY: the path is a C string, the buffer has room for so many bytes.
            let length = path.call(vm, || unsafe { libc::readlinkat(directory, path.as_ptr(), pointer.cast(), 4096) } as i64)?;
            path.result(vm, &buffer[..length as usize])
        }),
        MethodDef::new("mkfifo($module, /, path, mode=438, *, dir_fd=None)", "Create a named pipe.", |vm, _, args| {
            let path = Path::plain(vm, "mkfifo", &args[0])?;
            let mode = c_int(vm, &args[1])? as libc::mode_t;
            let directory = dir_fd(vm, &args[2])?;
            // SAFETY: the path is a C string.
            done(vm, retry(vm, || unsafe { libc::mkfifoat(directory, path.as_ptr(), mode) })?)
        }),
        MethodDef::new("mknod($module, /, path, mode=384, device=0, *, dir_fd=None)", "Create a file system node.", |vm, _, args| {
            let path = Path::plain(vm, "mknod", &args[0])?;
            let mode = c_int(vm, &args[1])? as libc::mode_t;
            let device = super::device::device(vm, &args[2])?;
            let directory = dir_fd(vm, &args[3])?;
            // SAFETY: the path is a C string.
            done(vm, retry(vm, || unsafe { libc::mknodat(directory, path.as_ptr(), mode, device) })?)
        }),
    ];
}

/// The last component joined to a directory's path.
pub fn join(directory: &[u8], name: &[u8]) -> Vec<u8> {
    let mut path = directory.to_vec();
    if !path.is_empty() && path.last() != Some(&b'/') {
        path.push(b'/');
    }
    path.extend_from_slice(name);
    path
}
