//! `stat` and its kin, `statvfs`, and the types of their results.

use std::ffi::CStr;
use std::mem::MaybeUninit;

use taipan_object::builtins::structseq::StructSeq;
use taipan_object::native::MethodDef;
use taipan_object::{Result, Value, Vm};

use super::library;
use super::path::{Accepts, Path, dir_fd, fd_and_follow_symlinks, path_and_dir_fd};
use crate::arguments::{c_int, fildes, retry, retry_or_raise};

pub static STAT_RESULT: StructSeq = StructSeq::new(
    "os.stat_result",
    "What stat(), fstat() and lstat() return: the fields of struct stat, as attributes and, in part, as a tuple.",
    &[
        Some("st_mode"),
        Some("st_ino"),
        Some("st_dev"),
        Some("st_nlink"),
        Some("st_uid"),
        Some("st_gid"),
        Some("st_size"),
        None,
        None,
        None,
        Some("st_atime"),
        Some("st_mtime"),
        Some("st_ctime"),
        Some("st_atime_ns"),
        Some("st_mtime_ns"),
        Some("st_ctime_ns"),
        Some("st_blksize"),
        Some("st_blocks"),
        Some("st_rdev"),
    ],
    10,
);

pub static STATVFS_RESULT: StructSeq = StructSeq::new(
    "os.statvfs_result",
    "What statvfs() and fstatvfs() return: the fields of struct statvfs.",
    &[
        Some("f_bsize"),
        Some("f_frsize"),
        Some("f_blocks"),
        Some("f_bfree"),
        Some("f_bavail"),
        Some("f_files"),
        Some("f_ffree"),
        Some("f_favail"),
        Some("f_flag"),
        Some("f_namemax"),
        Some("f_fsid"),
    ],
    10,
);

/// The result object for a `struct stat`.
pub fn stat_result(vm: &Vm, st: &libc::stat) -> Result {
    let seconds = |s: i64, ns: i64| Value::from(s as f64 + 1e-9 * ns as f64);
    let nanoseconds =
        |s: i64, ns: i64| taipan_object::builtins::int::from_i128(i128::from(s) * 1_000_000_000 + i128::from(ns));
    STAT_RESULT.instance(
        vm,
        vec![
            Value::from(st.st_mode),
            Value::from(st.st_ino),
            Value::from(st.st_dev),
            Value::from(st.st_nlink),
            Value::from(st.st_uid),
            Value::from(st.st_gid),
            Value::from(st.st_size),
            Value::from(st.st_atime),
            Value::from(st.st_mtime),
            Value::from(st.st_ctime),
            seconds(st.st_atime, st.st_atime_nsec),
            seconds(st.st_mtime, st.st_mtime_nsec),
            seconds(st.st_ctime, st.st_ctime_nsec),
            nanoseconds(st.st_atime, st.st_atime_nsec),
            nanoseconds(st.st_mtime, st.st_mtime_nsec),
            nanoseconds(st.st_ctime, st.st_ctime_nsec),
            Value::from(st.st_blksize),
            Value::from(st.st_blocks),
            Value::from(st.st_rdev),
        ],
    )
}

/// `fstatat`, or the `errno`.
pub fn stat_at(
    vm: &Vm,
    directory: i32,
    path: *const libc::c_char,
    follow_symlinks: bool,
) -> Result<std::result::Result<libc::stat, i32>> {
    let mut st = MaybeUninit::<libc::stat>::zeroed();
    let flags = if follow_symlinks { 0 } else { libc::AT_SYMLINK_NOFOLLOW };
    // SAFETY: the path is a C string, `st` has room for the result; all-zero bytes are a valid `struct stat`.
    let outcome = retry(vm, || unsafe { libc::fstatat(directory, path, st.as_mut_ptr(), flags) })?;
    Ok(match outcome {
        // SAFETY: the call, or the zeros, initialised it.
        Ok(_) => Ok(unsafe { st.assume_init() }),
        // SAFETY: by this function's callers a C string.
        Err(errno) if library::is_absent(errno) => library::stat(unsafe { CStr::from_ptr(path) }).ok_or(errno),
        Err(errno) => Err(errno),
    })
}

fn do_stat(vm: &Vm, function: &str, path: &Path, directory: i32, follow_symlinks: bool) -> Result {
    path_and_dir_fd(vm, function, path, directory)?;
    fd_and_follow_symlinks(vm, function, path, follow_symlinks)?;
    let st = match path.fd {
        Some(-1) => Err(libc::EFAULT),
        Some(fd) => fstat(vm, fd)?,
        None => stat_at(vm, directory, path.as_ptr(), follow_symlinks)?,
    };
    match st {
        Ok(st) => stat_result(vm, &st),
        Err(errno) => Err(path.error(vm, errno)),
    }
}

/// `fstat`, or the `errno`.
pub fn fstat(vm: &Vm, fd: i32) -> Result<std::result::Result<libc::stat, i32>> {
    let mut st = MaybeUninit::<libc::stat>::zeroed();
    // SAFETY: `st` has room for the result; all-zero bytes are a valid `struct stat`.
    let outcome = retry(vm, || unsafe { libc::fstat(fd, st.as_mut_ptr()) })?;
    Ok(outcome.map(|_| unsafe { st.assume_init() }))
}

fn statvfs_result(vm: &Vm, st: &libc::statvfs) -> Result {
    STATVFS_RESULT.instance(
        vm,
        [
            st.f_bsize,
            st.f_frsize,
            st.f_blocks,
            st.f_bfree,
            st.f_bavail,
            st.f_files,
            st.f_ffree,
            st.f_favail,
            st.f_flag,
            st.f_namemax,
            st.f_fsid,
        ]
        .into_iter()
        .map(Value::from)
        .collect(),
    )
}

taipan_object::method_table! {
    pub static FUNCTIONS = [
        MethodDef::new("stat($module, /, path, *, dir_fd=None, follow_symlinks=True)", "\
            Return what the system knows about a file.", |vm, _, args| {
            let path = Path::new(vm, "stat", "path", &args[0], Accepts::Descriptors)?;
            do_stat(vm, "stat", &path, dir_fd(vm, &args[1])?, vm.is_true(&args[2])?)
        }),
        MethodDef::new("lstat($module, /, path, *, dir_fd=None)", "\
            Return what the system knows about a file or a symbolic link itself.", |vm, _, args| {
            let path = Path::plain(vm, "lstat", &args[0])?;
            do_stat(vm, "lstat", &path, dir_fd(vm, &args[1])?, false)
        }),
        MethodDef::new("fstat($module, /, fd)", "Return what the system knows about an open file.", |vm, _, args| {
            match fstat(vm, c_int(vm, &args[0])?)? {
                Ok(st) => stat_result(vm, &st),
                Err(errno) => Err(vm.os_error(errno, None, None)),
            }
        }),
        MethodDef::new("statvfs($module, /, path)", "Describe the file system that contains a path.", |vm, _, args| {
            let path = Path::new(vm, "statvfs", "path", &args[0], Accepts::Descriptors)?;
            let mut st = MaybeUninit::<libc::statvfs>::zeroed();
            // SAFETY: the path is a C string, `st` has room for the result; zeros are a valid one.
            path.call(vm, || unsafe {
                match path.fd {
                    Some(fd) => libc::fstatvfs(fd, st.as_mut_ptr()),
                    None => libc::statvfs(path.as_ptr(), st.as_mut_ptr()),
                }
            })?;
            statvfs_result(vm, unsafe { st.assume_init_ref() })
        }),
        MethodDef::new("fstatvfs($module, fd, /)", "Describe the file system of an open file.", |vm, _, args| {
            let fd = c_int(vm, &args[0])?;
            let mut st = MaybeUninit::<libc::statvfs>::zeroed();
            // SAFETY: `st` has room for the result; zeros are a valid one.
            retry_or_raise(vm, || unsafe { libc::fstatvfs(fd, st.as_mut_ptr()) })?;
            statvfs_result(vm, unsafe { st.assume_init_ref() })
        }),
        MethodDef::new("access($module, /, path, mode, *, dir_fd=None, effective_ids=False, follow_symlinks=True)", "Whether the real user (or, with effective_ids, the effective one) may access a path in the given mode.", |vm, _, args| {
            let path = Path::plain(vm, "access", &args[0])?;
            let mode = c_int(vm, &args[1])?;
            let directory = dir_fd(vm, &args[2])?;
            let mut flags = 0;
            if vm.is_true(&args[3])? {
                flags |= libc::AT_EACCESS;
            }
            if !vm.is_true(&args[4])? {
                flags |= libc::AT_SYMLINK_NOFOLLOW;
            }
            // SAFETY: the path is a C string.
            let outcome = retry(vm, || unsafe { libc::faccessat(directory, path.as_ptr(), mode, flags) })?;
            Ok(Value::bool(match outcome {
                Ok(_) => true,
                Err(errno) => library::is_absent(errno) && library::access(&path.text, mode),
            }))
        }),
        MethodDef::new("umask($module, mask, /)", "Set the umask; the old one.", |vm, _, args| {
            let mask = c_int(vm, &args[0])?;
            // SAFETY: umask cannot fail.
            Ok(Value::from(unsafe { libc::umask(mask as libc::mode_t) }))
        }),
        MethodDef::new("chmod($module, /, path, mode, *, dir_fd=None, follow_symlinks=True)", "\
            Set the access rights of a file.", |vm, _, args| {
            let path = Path::new(vm, "chmod", "path", &args[0], Accepts::Descriptors)?;
            let mode = c_int(vm, &args[1])? as libc::mode_t;
            let directory = dir_fd(vm, &args[2])?;
            let follow_symlinks = vm.is_true(&args[3])?;
            path_and_dir_fd(vm, "chmod", &path, directory)?;
            fd_and_follow_symlinks(vm, "chmod", &path, follow_symlinks)?;
            let flags = if follow_symlinks { 0 } else { libc::AT_SYMLINK_NOFOLLOW };
            // SAFETY: the path is a C string.
            path.call(vm, || unsafe {
                match path.fd {
                    Some(fd) => libc::fchmod(fd, mode),
                    None => libc::fchmodat(directory, path.as_ptr(), mode, flags),
                }
            })?;
            Ok(Value::NONE)
        }),
        MethodDef::new("fchmod($module, /, fd, mode)", "Set the access rights of an open file.", |vm, _, args| {
            let (fd, mode) = (c_int(vm, &args[0])?, c_int(vm, &args[1])?);
            // SAFETY: no memory is passed.
            retry_or_raise(vm, || unsafe { libc::fchmod(fd, mode as libc::mode_t) })?;
            Ok(Value::NONE)
        }),
        MethodDef::new("chown($module, /, path, uid, gid, *, dir_fd=None, follow_symlinks=True)", "Change the owner and group of a file; -1 leaves one alone.", |vm, _, args| {
            let path = Path::new(vm, "chown", "path", &args[0], Accepts::Descriptors)?;
            let (uid, gid) = (super::ids::id(vm, "uid", &args[1])?, super::ids::id(vm, "gid", &args[2])?);
            let directory = dir_fd(vm, &args[3])?;
            let follow_symlinks = vm.is_true(&args[4])?;
            path_and_dir_fd(vm, "chown", &path, directory)?;
            fd_and_follow_symlinks(vm, "chown", &path, follow_symlinks)?;
            let flags = if follow_symlinks { 0 } else { libc::AT_SYMLINK_NOFOLLOW };
            // SAFETY: the path is a C string.
            path.call(vm, || unsafe {
                match path.fd {
                    Some(fd) => libc::fchown(fd, uid, gid),
                    None => libc::fchownat(directory, path.as_ptr(), uid, gid, flags),
                }
            })?;
            Ok(Value::NONE)
        }),
        MethodDef::new("fchown($module, /, fd, uid, gid)", "Change the owner and group of the file given by file descriptor fd.", |vm, _, args| {
            let fd = c_int(vm, &args[0])?;
            let (uid, gid) = (super::ids::id(vm, "uid", &args[1])?, super::ids::id(vm, "gid", &args[2])?);
            // SAFETY: no memory is passed.
            retry_or_raise(vm, || unsafe { libc::fchown(fd, uid, gid) })?;
            Ok(Value::NONE)
        }),
        MethodDef::new("lchown($module, /, path, uid, gid)", "Change the owner and group of a file, without following symbolic links.", |vm, _, args| {
            let path = Path::plain(vm, "lchown", &args[0])?;
            let (uid, gid) = (super::ids::id(vm, "uid", &args[1])?, super::ids::id(vm, "gid", &args[2])?);
            // SAFETY: the path is a C string.
            path.call(vm, || unsafe { libc::lchown(path.as_ptr(), uid, gid) })?;
            Ok(Value::NONE)
        }),
        MethodDef::new("utime($module, /, path, times=None, *, ns=<unrepresentable>, dir_fd=None, follow_symlinks=True)", "Set the access and modification time of a file.", |vm, _, args| {
            let path = Path::new(vm, "utime", "path", &args[0], Accepts::Descriptors)?;
            let directory = dir_fd(vm, &args[3])?;
            let follow_symlinks = vm.is_true(&args[4])?;
            let times = super::utime::times(vm, &args[1], &args[2])?;
            path_and_dir_fd(vm, "utime", &path, directory)?;
            fd_and_follow_symlinks(vm, "utime", &path, follow_symlinks)?;
            let pointer = times.as_ref().map_or(std::ptr::null(), |times| times.as_ptr());
            let flags = if follow_symlinks { 0 } else { libc::AT_SYMLINK_NOFOLLOW };
            // SAFETY: the path is a C string, `times` null or two timespecs.
            path.call(vm, || unsafe {
                match path.fd {
                    Some(fd) => libc::futimens(fd, pointer),
                    None => libc::utimensat(directory, path.as_ptr(), pointer, flags),
                }
            })?;
            Ok(Value::NONE)
        }),
        MethodDef::new("truncate($module, /, path, length)", "\
            Give a file the stated length in bytes.", |vm, _, args| {
            let path = Path::new(vm, "truncate", "path", &args[0], Accepts::Descriptors)?;
            let length = crate::arguments::c_long(vm, &args[1])?;
            // SAFETY: the path is a C string.
            path.call(vm, || unsafe {
                match path.fd {
                    Some(fd) => libc::ftruncate(fd, length),
                    None => libc::truncate(path.as_ptr(), length),
                }
            })?;
            Ok(Value::NONE)
        }),
        MethodDef::new("ftruncate($module, fd, length, /)", "\
            Give an open file the stated length in bytes.", |vm, _, args| {
            let (fd, length) = (c_int(vm, &args[0])?, crate::arguments::c_long(vm, &args[1])?);
            // SAFETY: no memory is passed.
            retry_or_raise(vm, || unsafe { libc::ftruncate(fd, length) })?;
            Ok(Value::NONE)
        }),
        MethodDef::new("fsync($module, /, fd)", "\
            Wait until the data and metadata of a file are on disk.", |vm, _, args| {
            let fd = fildes(vm, &args[0])?;
            // SAFETY: no memory is passed.
            retry_or_raise(vm, || unsafe { libc::fsync(fd) })?;
            Ok(Value::NONE)
        }),
        MethodDef::new("fdatasync($module, /, fd)", "\
            Wait until the data of a file, but not all its metadata, is on disk.", |vm, _, args| {
            let fd = fildes(vm, &args[0])?;
            // SAFETY: no memory is passed.
            retry_or_raise(vm, || unsafe { libc::fdatasync(fd) })?;
            Ok(Value::NONE)
        }),
        MethodDef::new("sync($module, /)", "Have all cached file data written to disk.", |_, _, _| {
            // SAFETY: sync takes and returns nothing.
            taipan_object::vm::hooks::blocking(|| unsafe { libc::sync() });
            Ok(Value::NONE)
        }),
    ];
}
