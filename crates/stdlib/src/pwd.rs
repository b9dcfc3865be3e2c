//! `pwd`: the database of users.

use std::ffi::{CStr, CString};

use taipan_object::builtins::list::List;
use taipan_object::builtins::str::Str;
use taipan_object::builtins::structseq::StructSeq;
use taipan_object::native::MethodDef;
use taipan_object::native::module::ModuleDef;
use taipan_object::vm::hooks::blocking;
use taipan_object::{Raised, Result, Value, Vm};

use crate::arguments::{bad_argument, fs_bytes};
use crate::posix::ids::{from_id, id};

pub static MODULE: ModuleDef = ModuleDef {
    name: "pwd",
    doc: "The database of users.\n\nEntries are struct_passwd objects: name, password, user id, group id, full name, home directory, shell.",
    functions: FUNCTIONS,
    exec: |vm, module| {
        module.set("struct_passwd", STRUCT_PASSWD.ty(vm)?.to_value());
        Ok(())
    },
};

static STRUCT_PASSWD: StructSeq = StructSeq::new(
    "pwd.struct_passwd",
    "An entry of the database of users.",
    &[
        Some("pw_name"),
        Some("pw_passwd"),
        Some("pw_uid"),
        Some("pw_gid"),
        Some("pw_gecos"),
        Some("pw_dir"),
        Some("pw_shell"),
    ],
    7,
);

/// A C string of the database as a str; `None` for null.
///
/// # Safety
/// The pointer is null or a C string.
pub unsafe fn text(pointer: *const libc::c_char) -> Value {
    if pointer.is_null() {
        return Value::NONE;
    }
    // SAFETY: by contract.
    Str::from_fs_bytes(unsafe { CStr::from_ptr(pointer) }.to_bytes()).into_value()
}

/// Calls a `get…_r` function with a buffer that grows until the entry fits. `call` gets the buffer, and says what the
/// C function returned and whether there is an entry.
pub fn with_buffer(mut call: impl FnMut(&mut [u8]) -> (i32, bool)) -> (std::result::Result<bool, i32>, Vec<u8>) {
    let mut buffer = vec![0u8; 1024];
    loop {
        let (status, found) = blocking(|| call(&mut buffer));
        match status {
            libc::ERANGE if buffer.len() < 1 << 26 => buffer.resize(buffer.len() * 2, 0),
            0 => return (Ok(found), buffer),
            // What several systems answer when there is no such entry.
            libc::ENOENT | libc::ESRCH | libc::EBADF | libc::EPERM | libc::EINTR => return (Ok(false), buffer),
            errno => return (Err(errno), buffer),
        }
    }
}

/// The argument of a look-up by name.
pub fn name_argument(vm: &Vm, function: &str, argument: &str, value: &Value) -> Result<CString> {
    match value.downcast::<Str>() {
        Some(_) => CString::new(fs_bytes(vm, value)?).map_err(|_| vm.value_error("embedded null byte")),
        None => Err(bad_argument(vm, function, argument, "str", value)),
    }
}

/// `KeyError(message)`.
#[cold]
pub fn not_found(vm: &Vm, message: String) -> Raised {
    vm.key_error(&Value::from(message))
}

/// # Safety
/// The strings of the entry are valid.
unsafe fn entry(vm: &Vm, user: &libc::passwd) -> Result {
    // SAFETY: by contract.
    let values = unsafe {
        vec![
            text(user.pw_name),
            text(user.pw_passwd),
            from_id(user.pw_uid),
            from_id(user.pw_gid),
            text(user.pw_gecos),
            text(user.pw_dir),
            text(user.pw_shell),
        ]
    };
    STRUCT_PASSWD.instance(vm, values)
}

/// Looks up one user; `None` if there is none.
fn look_up(
    vm: &Vm,
    get: impl Fn(*mut libc::passwd, *mut libc::c_char, usize, *mut *mut libc::passwd) -> i32,
) -> Result<Option<Value>> {
    // SAFETY: zeros (null pointers) are a valid passwd.
    let mut user: libc::passwd = unsafe { std::mem::zeroed() };
    let (found, buffer) = with_buffer(|buffer| {
        let mut result = std::ptr::null_mut();
        let status = get(&mut user, buffer.as_mut_ptr().cast(), buffer.len(), &mut result);
        (status, !result.is_null())
    });
    match found {
        // SAFETY: the entry's strings are in the buffer, which lives.
        Ok(true) => unsafe { entry(vm, &user) }.map(Some),
        Ok(false) => Ok(None),
        Err(errno) => {
            drop(buffer);
            Err(vm.os_error(errno, None, None))
        }
    }
}

taipan_object::method_table! {
    static FUNCTIONS = [
        MethodDef::new("getpwuid($module, uidobj, /)", "The entry of the user with this id.", |vm, _, args| {
            let uid = match id(vm, "uid", &args[0]) {
                Ok(uid) => uid,
                Err(raised) => {
                    vm.catch(raised, taipan_object::exceptions::OVERFLOW_ERROR.ty())?;
                    return Err(not_found(vm, "getpwuid(): uid not found".to_string()));
                }
            };
            // SAFETY: room for the entry, a buffer of the given size, room for the pointer.
            match look_up(vm, |user, buffer, size, result| unsafe { libc::getpwuid_r(uid, user, buffer, size, result) })? {
                Some(entry) => Ok(entry),
                None => Err(not_found(vm, format!("getpwuid(): uid not found: {}", vm.str_string(&from_id(uid))?))),
            }
        }),
        MethodDef::new("getpwnam($module, name, /)", "The entry of the user with this name.", |vm, _, args| {
            let name = name_argument(vm, "getpwnam", "argument", &args[0])?;
            // SAFETY: as above; the name is a C string.
            match look_up(vm, |user, buffer, size, result| unsafe { libc::getpwnam_r(name.as_ptr(), user, buffer, size, result) })? {
                Some(entry) => Ok(entry),
                None => Err(not_found(vm, format!("getpwnam(): name not found: {}", vm.repr_string(&args[0])?))),
            }
        }),
        MethodDef::new("getpwall($module, /)", "The entries of all users, in no particular order.", |vm, _, _| {
            let mut users = Vec::new();
            // SAFETY: the database's position and the static entry are used under the GIL, and nothing else runs meanwhile.
            unsafe {
                libc::setpwent();
                loop {
                    let user = libc::getpwent();
                    if user.is_null() {
                        break;
                    }
                    match entry(vm, &*user) {
                        Ok(user) => users.push(user),
                        Err(raised) => {
                            libc::endpwent();
                            return Err(raised);
                        }
                    }
                }
                libc::endpwent();
            }
            Ok(List::from_vec(users).into_value())
        }),
    ];
}
