//! The `path` and `dir_fd` arguments of the functions of `os`.

use std::ffi::CString;

use taipan_object::builtins::bytes;
use taipan_object::builtins::int;
use taipan_object::builtins::str::Str;
use taipan_object::exceptions::RUNTIME_WARNING;
use taipan_object::{Raised, Result, Value, Vm};

use crate::arguments::{call_fspath, fs_bytes, retry};

/// What a parameter accepts besides str, bytes and path objects.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Accepts {
    Paths,
    /// An open descriptor too.
    Descriptors,
    /// A descriptor or `None`, the current directory.
    DescriptorsOrNone,
}

/// A file named by an argument.
pub struct Path {
    /// The argument, which errors show.
    pub object: Value,
    pub text: CString,
    /// Set when the argument was a descriptor.
    pub fd: Option<i32>,
    /// The argument was bytes, so that results are bytes too.
    pub is_bytes: bool,
}

impl Path {
    /// Converts the argument `name` of `function`.
    pub fn new(vm: &Vm, function: &str, name: &str, value: &Value, accepts: Accepts) -> Result<Path> {
        let path = |text, fd, is_bytes| Path { object: value.clone(), text, fd, is_bytes };
        if accepts == Accepts::DescriptorsOrNone && (value.is_none() || value.is_unbound()) {
            let mut path = path(c".".to_owned(), None, false);
            path.object = Value::NONE;
            return Ok(path);
        }
        let plain = value.downcast::<Str>().is_some() || bytes::is_bytes(value);
        if !plain && accepts != Accepts::Paths && value.ty().slots().index.is_some() {
            let fd = descriptor(vm, value)?;
            return Ok(path(CString::default(), Some(fd), false));
        }
        let text = if plain {
            value.clone()
        } else {
            match call_fspath(vm, value) {
                Some(text) => text?,
                None => return Err(wrong_type(vm, function, name, value, accepts)),
            }
        };
        let is_bytes = bytes::is_bytes(&text);
        if !is_bytes && text.downcast::<Str>().is_none() {
            let (owner, got) = (value.ty().name(), text.ty().name());
            return Err(vm.type_error(format!("expected {owner}.__fspath__() to return str or bytes, not {got}")));
        }
        let mut text = fs_bytes(vm, &text)?;
        // For the zero at the end.
        vm.reserve(&mut text, 1)?;
        match CString::new(text) {
            Ok(text) => Ok(path(text, None, is_bytes)),
            Err(_) => Err(vm.value_error(format!("{function}: embedded null character in {name}"))),
        }
    }

    /// The path or descriptor for functions that take only paths.
    pub fn plain(vm: &Vm, function: &str, value: &Value) -> Result<Path> {
        Path::new(vm, function, "path", value, Accepts::Paths)
    }

    pub fn as_ptr(&self) -> *const libc::c_char {
        self.text.as_ptr()
    }

    /// The `OSError` for an `errno`, with the file name.
    #[cold]
    pub fn error(&self, vm: &Vm, errno: i32) -> Raised {
        let named = !self.object.is_none();
        vm.os_error(errno, named.then_some(&self.object), None)
    }

    /// Runs a system call on the file; failure is an `OSError` with its name.
    pub fn call<T: Into<i64>>(&self, vm: &Vm, call: impl FnMut() -> T) -> Result<i64> {
        match retry(vm, call)? {
            Ok(result) => Ok(result),
            Err(errno) => Err(self.error(vm, errno)),
        }
    }

    /// A file name from the system, as str or, if the path was bytes, as bytes.
    pub fn result(&self, vm: &Vm, name: &[u8]) -> Result {
        if self.is_bytes { bytes::from_slice(vm, name) } else { Ok(Str::from_fs_bytes(name).into_value()) }
    }
}

#[cold]
fn wrong_type(vm: &Vm, function: &str, name: &str, value: &Value, accepts: Accepts) -> Raised {
    let allowed = match accepts {
        Accepts::Paths => "string, bytes or os.PathLike",
        Accepts::Descriptors => "string, bytes, os.PathLike or integer",
        Accepts::DescriptorsOrNone => "string, bytes, os.PathLike, integer or None",
    };
    vm.type_error(format!("{function}: {name} should be {allowed}, not {}", value.ty().name()))
}

/// A descriptor given as an int.
fn descriptor(vm: &Vm, value: &Value) -> Result<i32> {
    if value.is_bool() {
        vm.warn(&RUNTIME_WARNING.value(), "bool is used as a file descriptor", 1)?;
    }
    let index = vm.index(value)?;
    match int::to_i64(&index).map(i32::try_from) {
        Some(Ok(fd)) => Ok(fd),
        _ if int::is_negative(&index) => Err(vm.overflow_error("fd is less than minimum")),
        _ => Err(vm.overflow_error("fd is greater than maximum")),
    }
}

/// A `dir_fd` argument.
pub fn dir_fd(vm: &Vm, value: &Value) -> Result<i32> {
    match value.given() {
        None => Ok(libc::AT_FDCWD),
        Some(fd) if fd.ty().slots().index.is_some() => descriptor(vm, fd),
        Some(other) => Err(vm.type_error(format!("argument should be integer or None, not {}", other.ty().name()))),
    }
}

/// Refuses a descriptor together with `dir_fd`.
pub fn path_and_dir_fd(vm: &Vm, function: &str, path: &Path, dir_fd: i32) -> Result<()> {
    if path.fd.is_some() && dir_fd != libc::AT_FDCWD {
        return Err(vm.value_error(format!("{function}: can't specify dir_fd without matching path")));
    }
    Ok(())
}

/// Refuses a descriptor together with `follow_symlinks=False`.
pub fn fd_and_follow_symlinks(vm: &Vm, function: &str, path: &Path, follow_symlinks: bool) -> Result<()> {
    if path.fd.is_some() && !follow_symlinks {
        return Err(vm.value_error(format!("{function}: cannot use fd and follow_symlinks together")));
    }
    Ok(())
}
