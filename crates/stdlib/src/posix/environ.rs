//! The environment, error texts, random bytes.

use std::os::unix::ffi::OsStrExt;

use taipan_object::builtins::bytes;
use taipan_object::builtins::dict::Dict;
use taipan_object::native::MethodDef;
use taipan_object::{Ref, Result, Value, Vm};

use crate::arguments::{c_int, check, fs_converter, retry_or_raise, ssize};

/// The environment of the process as a dict of bytes.
pub fn environment(vm: &Vm) -> Result<Ref<Dict>> {
    let dict = Dict::new();
    for (name, value) in std::env::vars_os() {
        let (name, value) = (bytes::from_slice(vm, name.as_bytes())?, bytes::from_slice(vm, value.as_bytes())?);
        dict.set_default(vm, &name, &value)?;
    }
    Ok(dict)
}

/// Fills a buffer with random bytes.
pub fn random(vm: &Vm, buffer: &mut [u8]) -> Result<()> {
    let mut at = 0;
    while at < buffer.len() {
        let rest = &mut buffer[at..];
        // SAFETY: room for so many bytes.
        at +=
            retry_or_raise(vm, || unsafe { libc::getrandom(rest.as_mut_ptr().cast(), rest.len(), 0) } as i64)? as usize;
    }
    Ok(())
}

fn buffer(vm: &Vm, size: isize) -> Result<Vec<u8>> {
    let mut buffer = Vec::new();
    if buffer.try_reserve_exact(size as usize).is_err() {
        return Err(vm.memory_error());
    }
    buffer.resize(size as usize, 0);
    Ok(buffer)
}

taipan_object::method_table! {
    pub static FUNCTIONS = [
        MethodDef::new("_create_environ($module, /)", "Return the environment variables of the process as a \
            dictionary.", |vm, _, _| Ok(environment(vm)?.into_value())),
        MethodDef::new("putenv($module, name, value, /)", "\
            Set an environment variable of the process, leaving os.environ alone.", |vm, _, args| {
            let (name, value) = (fs_converter(vm, &args[0])?, fs_converter(vm, &args[1])?);
            if name.as_bytes().contains(&b'=') {
                return Err(vm.value_error("illegal environment variable name"));
            }
            // SAFETY: C strings; the environment is changed by the GIL's holder only.
            check(vm, unsafe { libc::setenv(name.as_ptr(), value.as_ptr(), 1) })?;
            Ok(Value::NONE)
        }),
        MethodDef::new("unsetenv($module, name, /)", "\
            Remove an environment variable of the process, leaving os.environ alone.", |vm, _, args| {
            let name = fs_converter(vm, &args[0])?;
            // SAFETY: as in putenv.
            check(vm, unsafe { libc::unsetenv(name.as_ptr()) })?;
            Ok(Value::NONE)
        }),
        MethodDef::new("strerror($module, code, /)", "\
            Return the message that belongs to a value of errno.", |vm, _, args| {
            Ok(Value::from(taipan_object::exceptions::os_error::strerror(c_int(vm, &args[0])?)))
        }),
        MethodDef::new("urandom($module, size, /)", "\
            Return random bytes from the operating system, fit for cryptography.", |vm, _, args| {
            let size = ssize(vm, &args[0])?;
            if size < 0 {
                return Err(vm.value_error("negative argument not allowed"));
            }
            let mut buffer = buffer(vm, size)?;
            random(vm, &mut buffer)?;
            bytes::from_slice(vm, &buffer)
        }),
        MethodDef::new("getrandom($module, /, size, flags=0)", "\
            Return random bytes from the operating system, up to the given number.", |vm, _, args| {
            let (size, flags) = (ssize(vm, &args[0])?, c_int(vm, &args[1])?);
            if size < 0 {
                return Err(vm.os_error(libc::EINVAL, None, None));
            }
            let mut buffer = buffer(vm, size)?;
            // SAFETY: room for so many bytes.
            let got = retry_or_raise(vm, || unsafe { libc::getrandom(buffer.as_mut_ptr().cast(), size as usize, flags as u32) } as i64)?;
            bytes::from_slice(vm, &buffer[..got as usize])
        }),
        MethodDef::new("_inputhook($module, /)", "Call the input hook; there is none.", |_, _, _| Ok(Value::from(0))),
        MethodDef::new("_is_inputhook_installed($module, /)", "Whether an input hook is installed.", |_, _, _| Ok(Value::FALSE)),
    ];
}
