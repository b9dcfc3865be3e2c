//! Open files: `open`, `read`, `write`, `lseek`, pipes, locks, and what descriptors can do.

use std::ffi::CStr;

use taipan_object::buffer::Buffer;
use taipan_object::builtins::bytes::{self, Bytes};
use taipan_object::builtins::str::Str;
use taipan_object::builtins::tuple::Tuple;
use taipan_object::native::MethodDef;
use taipan_object::{Result, Value, Vm};

use super::library;
use super::path::{Accepts, Path, dir_fd};
use super::terminal;
use crate::arguments::{c_int, c_long, check, errno, retry, retry_or_raise, ssize};

/// The most that one `read` or `write` transfers, as Linux limits it.
pub const MAX_TRANSFER: usize = 0x7fff_f000;

/// Reads up to `length` bytes.
fn read_with(vm: &Vm, length: isize, read: impl Fn(*mut u8, usize) -> isize) -> Result {
    if length < 0 {
        return Err(vm.os_error(libc::EINVAL, None, None));
    }
    let length = (length as usize).min(MAX_TRANSFER);
    // SAFETY: as many bytes are read as the system says.
    unsafe { Bytes::filled(vm, length, |room| Ok(retry_or_raise(vm, || read(room, length) as i64)? as usize)) }
}

/// The buffers in a sequence, as `iovec`s that are valid as long as they are.
fn vectors(vm: &Vm, buffers: &Value, function: &str, writable: bool) -> Result<(Vec<Buffer>, Vec<libc::iovec>)> {
    if !vm.is_sequence(buffers) {
        return Err(vm.type_error(format!("{function}() arg 2 must be a sequence")));
    }
    let flags = if writable { taipan_object::buffer::buffer_flags::WRITABLE } else { 0 };
    let mut views = Vec::new();
    for item in vm.collect(buffers)? {
        views.push(vm.get_buffer(&item, flags)?);
    }
    let vectors =
        views.iter().map(|view| libc::iovec { iov_base: view.pointer.cast(), iov_len: view.length }).collect();
    Ok((views, vectors))
}

/// Makes a descriptor inheritable or not.
pub fn set_inheritable(vm: &Vm, fd: i32, inheritable: bool) -> Result<()> {
    // SAFETY: fcntl with these commands takes and returns ints.
    let flags = check(vm, unsafe { libc::fcntl(fd, libc::F_GETFD) })? as i32;
    let new = if inheritable { flags & !libc::FD_CLOEXEC } else { flags | libc::FD_CLOEXEC };
    if new != flags {
        // SAFETY: as above.
        check(vm, unsafe { libc::fcntl(fd, libc::F_SETFD, new) })?;
    }
    Ok(())
}

fn pair(first: i32, second: i32) -> Value {
    Tuple::from_array([Value::from(first), Value::from(second)]).into_value()
}

/// An optional file offset of `copy_file_range` and `splice`.
fn offset(vm: &Vm, value: &Value) -> Result<Option<i64>> {
    value.given().map(|value| c_long(vm, value)).transpose()
}

fn pointer_to(offset: &mut Option<i64>) -> *mut i64 {
    offset.as_mut().map_or(std::ptr::null_mut(), |offset| offset as *mut i64)
}

taipan_object::method_table! {
    pub static FUNCTIONS = [
        MethodDef::new("open($module, /, path, flags, mode=511, *, dir_fd=None)", "Open a file for low level IO; a file descriptor.", |vm, _, args| {
            let path = Path::plain(vm, "open", &args[0])?;
            let (flags, mode) = (c_int(vm, &args[1])?, c_int(vm, &args[2])?);
            let directory = dir_fd(vm, &args[3])?;
            vm.audit("open", &[args[0].clone(), Value::NONE, Value::from(flags)])?;
            // SAFETY: the path is a C string.
            let outcome = retry(vm, || unsafe {
                libc::openat(directory, path.as_ptr(), flags | libc::O_CLOEXEC, mode as libc::mode_t)
            })?;
            match outcome {
                Ok(fd) => Ok(Value::from(fd)),
                Err(errno) => match library::is_absent(errno).then(|| library::open(&path.text, flags)).flatten() {
                    Some(fd) => Ok(Value::from(fd)),
                    None => Err(path.error(vm, errno)),
                },
            }
        }),
        MethodDef::new("close($module, /, fd)", "Close an open file, given its descriptor.", |vm, _, args| {
            let fd = c_int(vm, &args[0])?;
            // A descriptor is closed even when a signal interrupts close(), which must not be called again.
            // SAFETY: no memory is passed; who closes a descriptor that others use gets their errors.
            let error = taipan_object::vm::hooks::blocking(|| if unsafe { libc::close(fd) } < 0 { errno() } else { 0 });
            match error {
                0 | libc::EINTR => Ok(Value::NONE),
                errno => Err(vm.os_error(errno, None, None)),
            }
        }),
        MethodDef::new("closerange($module, fd_low, fd_high, /)", "Close the descriptors of a range, which excludes its end; errors are ignored.", |vm, _, args| {
            let (low, high) = (c_int(vm, &args[0])?, c_int(vm, &args[1])?);
            let low = low.max(0);
            if high > low {
                // SAFETY: close_range takes numbers only.
                unsafe { libc::syscall(libc::SYS_close_range, low as u32, (high - 1) as u32, 0) };
            }
            Ok(Value::NONE)
        }),
        MethodDef::new("read($module, fd, length, /)", "Read from a file descriptor; a bytes object.", |vm, _, args| {
            let (fd, length) = (c_int(vm, &args[0])?, ssize(vm, &args[1])?);
            // SAFETY: the pointer is good for so many bytes.
            read_with(vm, length, |pointer, length| unsafe { libc::read(fd, pointer.cast(), length) })
        }),
        MethodDef::new("pread($module, fd, length, offset, /)", "Read a number of bytes from a file descriptor at an offset; the file position stays.", |vm, _, args| {
            let (fd, length, offset) = (c_int(vm, &args[0])?, ssize(vm, &args[1])?, c_long(vm, &args[2])?);
            // SAFETY: the pointer is good for so many bytes.
            read_with(vm, length, |pointer, length| unsafe { libc::pread(fd, pointer.cast(), length, offset) })
        }),
        MethodDef::new("readinto($module, fd, buffer, /)", "Read into a buffer from a file descriptor; the number of bytes read.", |vm, _, args| {
            let fd = c_int(vm, &args[0])?;
            let buffer = match vm.writable_bytes_like(&args[1]) {
                Ok(buffer) => buffer,
                Err(raised) => {
                    vm.catch(raised, taipan_object::exceptions::type_error())?;
                    let name = args[1].ty().name();
                    return Err(vm.type_error(format!("readinto() argument 2 must be read-write bytes-like object, not {name}")));
                }
            };
            let (pointer, length) = (buffer.pointer, buffer.length.min(MAX_TRANSFER));
            // SAFETY: the exporter keeps the memory in place as long as the view exists.
            Ok(Value::from(retry_or_raise(vm, || unsafe { libc::read(fd, pointer.cast(), length) } as i64)?))
        }),
        MethodDef::new("readv($module, fd, buffers, /)", "Read from a file descriptor into several buffers.", |vm, _, args| {
            let fd = c_int(vm, &args[0])?;
            let (_views, vectors) = vectors(vm, &args[1], "readv", true)?;
            // SAFETY: the views keep the memory of the vectors in place.
            Ok(Value::from(retry_or_raise(vm, || unsafe { libc::readv(fd, vectors.as_ptr(), vectors.len() as i32) } as i64)?))
        }),
        MethodDef::new("preadv($module, fd, buffers, offset, flags=0, /)", "Read from a file descriptor at an offset into several buffers.", |vm, _, args| {
            let fd = c_int(vm, &args[0])?;
            let (_views, vectors) = vectors(vm, &args[1], "preadv", true)?;
            let (offset, flags) = (c_long(vm, &args[2])?, c_int(vm, &args[3])?);
            // SAFETY: the views keep the memory of the vectors in place.
            Ok(Value::from(retry_or_raise(vm, || unsafe { libc::preadv2(fd, vectors.as_ptr(), vectors.len() as i32, offset, flags) } as i64)?))
        }),
        MethodDef::new("write($module, fd, data, /)", "Write a bytes object to a file descriptor; the number of bytes written.", |vm, _, args| {
            let fd = c_int(vm, &args[0])?;
            let data = vm.bytes_like(&args[1])?;
            let (pointer, length) = (data.as_ptr(), data.len().min(MAX_TRANSFER));
            // SAFETY: the memory stays as long as the view exists.
            Ok(Value::from(retry_or_raise(vm, || unsafe { libc::write(fd, pointer.cast(), length) } as i64)?))
        }),
        MethodDef::new("pwrite($module, fd, buffer, offset, /)", "Write bytes to a file descriptor at an offset; the file position stays.", |vm, _, args| {
            let fd = c_int(vm, &args[0])?;
            let data = vm.bytes_like(&args[1])?;
            let offset = c_long(vm, &args[2])?;
            let (pointer, length) = (data.as_ptr(), data.len().min(MAX_TRANSFER));
            // SAFETY: the memory stays as long as the view exists.
            Ok(Value::from(retry_or_raise(vm, || unsafe { libc::pwrite(fd, pointer.cast(), length, offset) } as i64)?))
        }),
        MethodDef::new("writev($module, fd, buffers, /)", "Write several buffers to a file descriptor.", |vm, _, args| {
            let fd = c_int(vm, &args[0])?;
            let (_views, vectors) = vectors(vm, &args[1], "writev", false)?;
            // SAFETY: the views keep the memory of the vectors in place.
            Ok(Value::from(retry_or_raise(vm, || unsafe { libc::writev(fd, vectors.as_ptr(), vectors.len() as i32) } as i64)?))
        }),
        MethodDef::new("pwritev($module, fd, buffers, offset, flags=0, /)", "Write several buffers to a file descriptor at an offset.", |vm, _, args| {
            let fd = c_int(vm, &args[0])?;
            let (_views, vectors) = vectors(vm, &args[1], "pwritev", false)?;
            let (offset, flags) = (c_long(vm, &args[2])?, c_int(vm, &args[3])?);
            // SAFETY: the views keep the memory of the vectors in place.
            Ok(Value::from(retry_or_raise(vm, || unsafe { libc::pwritev2(fd, vectors.as_ptr(), vectors.len() as i32, offset, flags) } as i64)?))
        }),
        MethodDef::new("lseek($module, fd, position, whence, /)", "Set the position of a file descriptor; the new position.", |vm, _, args| {
            let (fd, position, whence) = (c_int(vm, &args[0])?, c_long(vm, &args[1])?, c_int(vm, &args[2])?);
            // SAFETY: no memory is passed.
            Ok(Value::from(retry_or_raise(vm, || unsafe { libc::lseek(fd, position, whence) })?))
        }),
        MethodDef::new("dup($module, fd, /)", "A duplicate of a file descriptor.", |vm, _, args| {
            let fd = c_int(vm, &args[0])?;
            // SAFETY: no memory is passed.
            Ok(Value::from(check(vm, unsafe { libc::fcntl(fd, libc::F_DUPFD_CLOEXEC, 0) })?))
        }),
        MethodDef::new("dup2($module, /, fd, fd2, inheritable=True)", "\
            Make fd2 a duplicate of fd, closing what fd2 was, and return fd2.", |vm, _, args| {
            let (fd, fd2) = (c_int(vm, &args[0])?, c_int(vm, &args[1])?);
            let inheritable = vm.is_true(&args[2])?;
            if fd < 0 || fd2 < 0 {
                return Err(vm.os_error(libc::EBADF, None, None));
            }
            let flags = if inheritable || fd == fd2 { 0 } else { libc::O_CLOEXEC };
            // SAFETY: no memory is passed.
            let new = retry_or_raise(vm, || unsafe {
                if flags == 0 { libc::dup2(fd, fd2) } else { libc::dup3(fd, fd2, flags) }
            })?;
            if !inheritable {
                set_inheritable(vm, fd2, false)?;
            }
            Ok(Value::from(new))
        }),
        MethodDef::new("pipe($module, /)", "Create a pipe; (read_fd, write_fd).", |vm, _, _| {
            let mut fds = [0; 2];
            // SAFETY: room for two descriptors.
            check(vm, unsafe { libc::pipe2(fds.as_mut_ptr(), libc::O_CLOEXEC) })?;
            Ok(pair(fds[0], fds[1]))
        }),
        MethodDef::new("pipe2($module, flags, /)", "Create a pipe with flags set; (read_fd, write_fd).", |vm, _, args| {
            let flags = c_int(vm, &args[0])?;
            let mut fds = [0; 2];
            // SAFETY: room for two descriptors.
            check(vm, unsafe { libc::pipe2(fds.as_mut_ptr(), flags) })?;
            Ok(pair(fds[0], fds[1]))
        }),
        MethodDef::new("lockf($module, fd, command, length, /)", "\
            Lock a part of a file, unlock it, or test whether it is locked.", |vm, _, args| {
            let (fd, command, length) = (c_int(vm, &args[0])?, c_int(vm, &args[1])?, c_long(vm, &args[2])?);
            // SAFETY: no memory is passed.
            retry_or_raise(vm, || unsafe { libc::lockf(fd, command, length) })?;
            Ok(Value::NONE)
        }),
        MethodDef::new("isatty($module, fd, /)", "Whether a file descriptor is connected to a terminal.", |vm, _, args| {
            let fd = c_int(vm, &args[0])?;
            // SAFETY: no memory is passed.
            Ok(Value::bool(unsafe { libc::isatty(fd) } == 1))
        }),
        MethodDef::new("ttyname($module, fd, /)", "The name of the terminal of a file descriptor.", |vm, _, args| {
            let fd = c_int(vm, &args[0])?;
            let mut name = [0u8; 4096];
            // SAFETY: room for the name.
            match unsafe { libc::ttyname_r(fd, name.as_mut_ptr().cast(), name.len()) } {
                0 => Ok(Str::from_fs_bytes(until_nul(&name)).into_value()),
                errno => Err(vm.os_error(errno, None, None)),
            }
        }),
        MethodDef::new("device_encoding($module, /, fd)", "The encoding of a file descriptor that is a terminal; None if it is none.", |vm, _, args| {
            let fd = c_int(vm, &args[0])?;
            // SAFETY: no memory is passed.
            if unsafe { libc::isatty(fd) } != 1 {
                return Ok(Value::NONE);
            }
            Ok(Value::from("UTF-8"))
        }),
        MethodDef::new("get_inheritable($module, fd, /)", "Whether child processes inherit the file descriptor.", |vm, _, args| {
            let fd = c_int(vm, &args[0])?;
            // SAFETY: fcntl with this command takes and returns ints.
            let flags = check(vm, unsafe { libc::fcntl(fd, libc::F_GETFD) })? as i32;
            Ok(Value::bool(flags & libc::FD_CLOEXEC == 0))
        }),
        MethodDef::new("set_inheritable($module, fd, inheritable, /)", "Set whether child processes inherit the file descriptor.", |vm, _, args| {
            let (fd, inheritable) = (c_int(vm, &args[0])?, c_int(vm, &args[1])? != 0);
            set_inheritable(vm, fd, inheritable)?;
            Ok(Value::NONE)
        }),
        MethodDef::new("get_blocking($module, fd, /)", "Whether the file descriptor is in blocking mode.", |vm, _, args| {
            let fd = c_int(vm, &args[0])?;
            // SAFETY: fcntl with this command takes and returns ints.
            let flags = check(vm, unsafe { libc::fcntl(fd, libc::F_GETFL) })? as i32;
            Ok(Value::bool(flags & libc::O_NONBLOCK == 0))
        }),
        MethodDef::new("set_blocking($module, fd, blocking, /)", "\
            Set whether reading and writing may wait.", |vm, _, args| {
            let (fd, blocking) = (c_int(vm, &args[0])?, vm.is_true(&args[1])?);
            // SAFETY: fcntl with these commands takes and returns ints.
            unsafe {
                let flags = check(vm, libc::fcntl(fd, libc::F_GETFL))? as i32;
                let new = if blocking { flags & !libc::O_NONBLOCK } else { flags | libc::O_NONBLOCK };
                if new != flags {
                    check(vm, libc::fcntl(fd, libc::F_SETFL, new))?;
                }
            }
            Ok(Value::NONE)
        }),
        MethodDef::new("posix_fallocate($module, fd, offset, length, /)", "Make sure that a file has room on disk.", |vm, _, args| {
            let (fd, offset, length) = (c_int(vm, &args[0])?, c_long(vm, &args[1])?, c_long(vm, &args[2])?);
            loop {
                // SAFETY: no memory is passed.
                match taipan_object::vm::hooks::blocking(|| unsafe { libc::posix_fallocate(fd, offset, length) }) {
                    0 => return Ok(Value::NONE),
                    libc::EINTR => vm.check_signals()?,
                    errno => return Err(vm.os_error(errno, None, None)),
                }
            }
        }),
        MethodDef::new("posix_fadvise($module, fd, offset, length, advice, /)", "Announce how a file will be accessed.", |vm, _, args| {
            let (fd, offset, length, advice) = (c_int(vm, &args[0])?, c_long(vm, &args[1])?, c_long(vm, &args[2])?, c_int(vm, &args[3])?);
            // SAFETY: no memory is passed.
            match unsafe { libc::posix_fadvise(fd, offset, length, advice) } {
                0 => Ok(Value::NONE),
                errno => Err(vm.os_error(errno, None, None)),
            }
        }),
        MethodDef::new("sendfile($module, /, out_fd, in_fd, offset, count)", "Copy bytes from one file descriptor to another; their number.", |vm, _, args| {
            let (out_fd, in_fd) = (c_int(vm, &args[0])?, c_int(vm, &args[1])?);
            let mut offset = offset(vm, &args[2])?;
            let count = ssize(vm, &args[3])?;
            // SAFETY: the offset is null or points to an off_t.
            let sent = retry_or_raise(vm, || unsafe { libc::sendfile(out_fd, in_fd, pointer_to(&mut offset), count as usize) } as i64)?;
            Ok(Value::from(sent))
        }),
        MethodDef::new("copy_file_range($module, /, src, dst, count, offset_src=None, offset_dst=None)", "Copy bytes from one file descriptor to another within the kernel; their number.", |vm, _, args| {
            let (src, dst, count) = (c_int(vm, &args[0])?, c_int(vm, &args[1])?, ssize(vm, &args[2])?);
            let (mut from, mut to) = (offset(vm, &args[3])?, offset(vm, &args[4])?);
            if count < 0 {
                return Err(vm.value_error("negative value for 'count' not allowed"));
            }
            // SAFETY: the offsets are null or point to off_ts.
            let copied = retry_or_raise(vm, || unsafe {
                libc::copy_file_range(src, pointer_to(&mut from), dst, pointer_to(&mut to), count as usize, 0)
            } as i64)?;
            Ok(Value::from(copied))
        }),
        MethodDef::new("splice($module, /, src, dst, count, offset_src=None, offset_dst=None, flags=0)", "Move bytes between a pipe and a file descriptor; their number.", |vm, _, args| {
            let (src, dst, count) = (c_int(vm, &args[0])?, c_int(vm, &args[1])?, ssize(vm, &args[2])?);
            let (mut from, mut to) = (offset(vm, &args[3])?, offset(vm, &args[4])?);
            let flags = crate::arguments::c_uint(vm, &args[5])?;
            if count < 0 {
                return Err(vm.value_error("negative value for 'count' not allowed"));
            }
            // SAFETY: the offsets are null or point to off_ts.
            let moved = retry_or_raise(vm, || unsafe {
                libc::splice(src, pointer_to(&mut from), dst, pointer_to(&mut to), count as usize, flags)
            } as i64)?;
            Ok(Value::from(moved))
        }),
        MethodDef::new("openpty($module, /)", "Open a pseudo-terminal; (master_fd, slave_fd).", |vm, _, _| {
            let (master, slave) = terminal::open_pty(vm)?;
            Ok(pair(master, slave))
        }),
        MethodDef::new("fchdir($module, /, fd)", "\
            Make the directory that a descriptor is open on the current one.", |vm, _, args| {
            let fd = crate::arguments::fildes(vm, &args[0])?;
            // SAFETY: no memory is passed.
            retry_or_raise(vm, || unsafe { libc::fchdir(fd) })?;
            Ok(Value::NONE)
        }),
        MethodDef::new("chdir($module, /, path)", "Make a directory the current one.", |vm, _, args| {
            let path = Path::new(vm, "chdir", "path", &args[0], Accepts::Descriptors)?;
            // SAFETY: the path is a C string.
            path.call(vm, || unsafe {
                match path.fd {
                    Some(fd) => libc::fchdir(fd),
                    None => libc::chdir(path.as_ptr()),
                }
            })?;
            Ok(Value::NONE)
        }),
        MethodDef::new("chroot($module, /, path)", "Change the root directory to path.", |vm, _, args| {
            let path = Path::plain(vm, "chroot", &args[0])?;
            // SAFETY: the path is a C string.
            path.call(vm, || unsafe { libc::chroot(path.as_ptr()) })?;
            Ok(Value::NONE)
        }),
        MethodDef::new("getcwd($module, /)", "The current working directory as a str.", |vm, _, _| {
            Ok(Str::from_fs_bytes(&current_directory(vm)?).into_value())
        }),
        MethodDef::new("getcwdb($module, /)", "The current working directory as bytes.", |vm, _, _| {
            bytes::from_slice(vm, &current_directory(vm)?)
        }),
        MethodDef::new("fspath($module, /, path)", "The file system representation of a path: str or bytes.", |vm, _, args| {
            crate::arguments::fspath(vm, &args[0])
        }),
    ];
}

fn current_directory(vm: &Vm) -> Result<Vec<u8>> {
    use std::os::unix::ffi::OsStringExt;
    match std::env::current_dir() {
        Ok(path) => Ok(path.into_os_string().into_vec()),
        Err(error) => Err(vm.os_error(error.raw_os_error().unwrap_or(0), None, None)),
    }
}

/// The bytes before the first NUL.
pub fn until_nul(buffer: &[u8]) -> &[u8] {
    CStr::from_bytes_until_nul(buffer).map_or(buffer, CStr::to_bytes)
}
