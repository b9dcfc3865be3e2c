//! `_posixshmem`: named shared memory, for `multiprocessing.shared_memory`.

use crate::arguments::{bad_argument, c_int, errno};
use std::ffi::CString;
use taipan_object::builtins::str::Str;
use taipan_object::native::MethodDef;
use taipan_object::native::module::ModuleDef;
use taipan_object::vm::hooks::blocking;
use taipan_object::{Result, Value, Vm, codecs, method_table};

pub static MODULE: ModuleDef = ModuleDef {
    name: "_posixshmem",
    doc: "\
        Shared memory of the POSIX kind",
    functions: FUNCTIONS,
    exec: |_, _| Ok(()),
};

fn path(vm: &Vm, function: &str, value: &Value) -> Result<CString> {
    if value.downcast::<Str>().is_none() {
        return Err(bad_argument(vm, function, "argument 'path'", "str", value));
    }
    CString::new(codecs::to_utf8(vm, value)?).map_err(|_| vm.value_error("embedded null character"))
}

/// Runs a system call again whenever a signal interrupts it; its failure concerns the path.
fn retry(vm: &Vm, path: &Value, mut call: impl FnMut() -> i32) -> Result<i32> {
    loop {
        let (result, error) = blocking(|| (call(), errno()));
        match error {
            _ if result >= 0 => return Ok(result),
            libc::EINTR => vm.check_signals()?,
            error => return Err(vm.os_error(error, Some(path), None)),
        }
    }
}

method_table! { static FUNCTIONS = [
    MethodDef::new("shm_open($module, /, path, flags, mode=511)", "\
        Open a shared memory object by name, and return a file descriptor.", |vm, _, args| {
        let name = path(vm, "shm_open", &args[0])?;
        let (flags, mode) = (c_int(vm, &args[1])?, c_int(vm, &args[2])?);
        // SAFETY: a C string and plain numbers.
        retry(vm, &args[0], || unsafe { libc::shm_open(name.as_ptr(), flags, mode as libc::mode_t) }).map(Value::from)
    }),
    MethodDef::new("shm_unlink($module, /, path)", "Remove a shared memory object (similar to unlink()).\n\nIts contents are gone once all processes have unmapped them.", |vm, _, args| {
        let name = path(vm, "shm_unlink", &args[0])?;
        // SAFETY: a C string.
        retry(vm, &args[0], || unsafe { libc::shm_unlink(name.as_ptr()) }).map(|_| Value::NONE)
    }),
]; }
