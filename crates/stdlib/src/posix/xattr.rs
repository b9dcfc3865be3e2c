//! Extended attributes of files.

use taipan_object::builtins::bytes;
use taipan_object::builtins::list::List;
use taipan_object::builtins::str::Str;
use taipan_object::native::MethodDef;
use taipan_object::{Result, Value, Vm};

use super::library;
use super::path::{Accepts, Path, fd_and_follow_symlinks};
use crate::arguments::{c_int, retry};

/// Asks for data whose size is not known beforehand; `None` as pointer asks for the size.
fn growing(vm: &Vm, path: &Path, mut call: impl FnMut(*mut u8, usize) -> isize) -> Result<Vec<u8>> {
    for size in [128, 65536] {
        let mut buffer = vec![0u8; size];
        match retry(vm, || call(buffer.as_mut_ptr(), size) as i64)? {
            Ok(length) => {
                buffer.truncate(length as usize);
                return Ok(buffer);
            }
            Err(libc::ERANGE) => {}
            Err(errno) if library::is_absent(errno) && path.fd.is_none() && library::stat(&path.text).is_some() => {
                return Err(path.error(vm, libc::ENOTSUP));
            }
            Err(errno) => return Err(path.error(vm, errno)),
        }
    }
    Err(path.error(vm, libc::ERANGE))
}

taipan_object::method_table! {
    pub static FUNCTIONS = [
        MethodDef::new("getxattr($module, /, path, attribute, *, follow_symlinks=True)", "\
            Return the value of an extended attribute, as bytes.", |vm, _, args| {
            let path = Path::new(vm, "getxattr", "path", &args[0], Accepts::Descriptors)?;
            let name = Path::new(vm, "getxattr", "attribute", &args[1], Accepts::Paths)?;
            let follow = vm.is_true(&args[2])?;
            fd_and_follow_symlinks(vm, "getxattr", &path, follow)?;
            // SAFETY: C strings; the pointer is good for so many bytes.
            let data = growing(vm, &path, |pointer, size| unsafe {
                match path.fd {
                    Some(fd) => libc::fgetxattr(fd, name.as_ptr(), pointer.cast(), size),
                    None if follow => libc::getxattr(path.as_ptr(), name.as_ptr(), pointer.cast(), size),
                    None => libc::lgetxattr(path.as_ptr(), name.as_ptr(), pointer.cast(), size),
                }
            })?;
            bytes::from_slice(vm, &data)
        }),
        MethodDef::new("setxattr($module, /, path, attribute, value, flags=0, *, follow_symlinks=True)", "\
            Set an extended attribute of a file.", |vm, _, args| {
            let path = Path::new(vm, "setxattr", "path", &args[0], Accepts::Descriptors)?;
            let name = Path::new(vm, "setxattr", "attribute", &args[1], Accepts::Paths)?;
            let value = vm.bytes_like(&args[2])?;
            let flags = c_int(vm, &args[3])?;
            let follow = vm.is_true(&args[4])?;
            fd_and_follow_symlinks(vm, "setxattr", &path, follow)?;
            let (pointer, size) = (value.as_ptr().cast(), value.len());
            // SAFETY: C strings; the pointer is good for so many bytes.
            path.call(vm, || unsafe {
                match path.fd {
                    Some(fd) => libc::fsetxattr(fd, name.as_ptr(), pointer, size, flags),
                    None if follow => libc::setxattr(path.as_ptr(), name.as_ptr(), pointer, size, flags),
                    None => libc::lsetxattr(path.as_ptr(), name.as_ptr(), pointer, size, flags),
                }
            })?;
            Ok(Value::NONE)
        }),
        MethodDef::new("removexattr($module, /, path, attribute, *, follow_symlinks=True)", "\
            Remove an extended attribute of a file.", |vm, _, args| {
            let path = Path::new(vm, "removexattr", "path", &args[0], Accepts::Descriptors)?;
            let name = Path::new(vm, "removexattr", "attribute", &args[1], Accepts::Paths)?;
            let follow = vm.is_true(&args[2])?;
            fd_and_follow_symlinks(vm, "removexattr", &path, follow)?;
            // SAFETY: C strings.
            path.call(vm, || unsafe {
                match path.fd {
                    Some(fd) => libc::fremovexattr(fd, name.as_ptr()),
                    None if follow => libc::removexattr(path.as_ptr(), name.as_ptr()),
                    None => libc::lremovexattr(path.as_ptr(), name.as_ptr()),
                }
            })?;
            Ok(Value::NONE)
        }),
        MethodDef::new("listxattr($module, /, path=None, *, follow_symlinks=True)", "\
            List the names of a file's extended attributes.", |vm, _, args| {
            let path = Path::new(vm, "listxattr", "path", &args[0], Accepts::DescriptorsOrNone)?;
            let follow = vm.is_true(&args[1])?;
            fd_and_follow_symlinks(vm, "listxattr", &path, follow)?;
            // SAFETY: a C string; the pointer is good for so many bytes.
            let data = growing(vm, &path, |pointer, size| unsafe {
                match path.fd {
                    Some(fd) => libc::flistxattr(fd, pointer.cast(), size),
                    None if follow => libc::listxattr(path.as_ptr(), pointer.cast(), size),
                    None => libc::llistxattr(path.as_ptr(), pointer.cast(), size),
                }
            })?;
            let names = data.split(|byte| *byte == 0).filter(|name| !name.is_empty());
            Ok(List::from_vec(names.map(|name| Str::from_fs_bytes(name).into_value()).collect()).into_value())
        }),
    ];
}
