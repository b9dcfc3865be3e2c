//! `fcntl`: control of file descriptors and devices, file locks.

use taipan_object::builtins::bytes;
use taipan_object::builtins::int;
use taipan_object::native::MethodDef;
use taipan_object::native::module::ModuleDef;
use taipan_object::vm::hooks::blocking;
use taipan_object::{Result, Value, Vm};

use crate::arguments::{c_int, c_long, c_ulong_mask, errno, fildes, retry_or_raise, string_or_buffer};

pub static MODULE: ModuleDef = ModuleDef {
    name: "fcntl",
    doc: "Control of file descriptors and devices, and locks on files.\n\nThe fd arguments are descriptors or objects with a fileno() method.",
    functions: FUNCTIONS,
    exec: |_, module| {
        int_constants!(module;
            DN_ACCESS = 1, DN_ATTRIB = 32, DN_CREATE = 4, DN_DELETE = 8, DN_MODIFY = 2, DN_MULTISHOT = 2147483648,
            DN_RENAME = 16, FASYNC = 8192, FD_CLOEXEC = 1, FICLONE = 1074041865, FICLONERANGE = 1075876877,
            F_ADD_SEALS = 1033, F_DUPFD = 0, F_DUPFD_CLOEXEC = 1030, F_DUPFD_QUERY = 1027, F_EXLCK = 4, F_GETFD = 1,
            F_GETFL = 3, F_GETLEASE = 1025, F_GETLK = 5, F_GETLK64 = 5, F_GETOWN = 9, F_GETOWN_EX = 16,
            F_GETPIPE_SZ = 1032, F_GETSIG = 11, F_GET_FILE_RW_HINT = 1037, F_GET_RW_HINT = 1035, F_GET_SEALS = 1034,
            F_NOTIFY = 1026, F_OFD_GETLK = 36, F_OFD_SETLK = 37, F_OFD_SETLKW = 38, F_OWNER_PGRP = 2,
            F_OWNER_PID = 1, F_OWNER_TID = 0, F_RDLCK = 0, F_SEAL_FUTURE_WRITE = 16, F_SEAL_GROW = 4,
            F_SEAL_SEAL = 1, F_SEAL_SHRINK = 2, F_SEAL_WRITE = 8, F_SETFD = 2, F_SETFL = 4, F_SETLEASE = 1024,
            F_SETLK = 6, F_SETLK64 = 6, F_SETLKW = 7, F_SETLKW64 = 7, F_SETOWN = 8, F_SETOWN_EX = 15,
            F_SETPIPE_SZ = 1031, F_SETSIG = 10, F_SET_FILE_RW_HINT = 1038, F_SET_RW_HINT = 1036, F_SHLCK = 8,
            F_UNLCK = 2, F_WRLCK = 1, LOCK_EX = 2, LOCK_MAND = 32, LOCK_NB = 4, LOCK_READ = 64, LOCK_RW = 192,
            LOCK_SH = 1, LOCK_UN = 8, LOCK_WRITE = 128, RWH_WRITE_LIFE_EXTREME = 5, RWH_WRITE_LIFE_LONG = 4,
            RWH_WRITE_LIFE_MEDIUM = 3, RWH_WRITE_LIFE_NONE = 1, RWH_WRITE_LIFE_NOT_SET = 0, RWH_WRITE_LIFE_SHORT = 2,
        );
        Ok(())
    },
};

/// Arguments up to this size are copied, with a guard behind them, in case the device writes more than the caller knows.
const BUFFER_SIZE: usize = 1024;
const GUARD: [u8; 8] = [0x00, 0xfa, 0x69, 0xc4, 0x67, 0xa3, 0x6c, 0x58];

/// The space that a command's structure is passed in.
struct Space([u8; BUFFER_SIZE + GUARD.len()]);

impl Space {
    fn new(data: &[u8]) -> Space {
        let mut space = Space([0; BUFFER_SIZE + GUARD.len()]);
        space.0[..data.len()].copy_from_slice(data);
        space.0[data.len()..data.len() + GUARD.len()].copy_from_slice(&GUARD);
        space
    }
    fn pointer(&mut self) -> *mut u8 {
        self.0.as_mut_ptr()
    }
    /// What the command left in the first `length` bytes.
    fn result(&self, vm: &Vm, length: usize) -> Result<&[u8]> {
        if self.0[length..length + GUARD.len()] != GUARD {
            return Err(vm.system_error("buffer overflow"));
        }
        Ok(&self.0[..length])
    }
}

/// An int argument of a command, as C's `int`.
fn command_int(vm: &Vm, value: &Value) -> Result<i32> {
    Ok(c_ulong_mask(vm, value)? as i32)
}

fn wrong_argument(vm: &Vm, function: &str, value: &Value) -> taipan_object::Raised {
    let got = value.ty().name();
    vm.type_error(format!("{function}() argument 3 must be an integer, a bytes-like object, or a string, not {got}"))
}

fn is_index(value: &Value) -> bool {
    value.ty().slots().index.is_some()
}

fn fcntl(vm: &Vm, fd: i32, command: i32, argument: &Value) -> Result {
    if is_index(argument) {
        let argument = command_int(vm, argument)?;
        // SAFETY: commands that take a pointer fail with an int that is no address.
        return Ok(Value::from(retry_or_raise(vm, || unsafe { libc::fcntl(fd, command, argument) })?));
    }
    let Some(data) = string_or_buffer(vm, argument)? else { return Err(wrong_argument(vm, "fcntl", argument)) };
    if data.len() > BUFFER_SIZE {
        return Err(vm.value_error("fcntl argument 3 is too long"));
    }
    let mut space = Space::new(&data);
    let pointer = space.pointer();
    // SAFETY: as in C, the caller vouches for the size that the command needs; the space is larger than any.
    retry_or_raise(vm, || unsafe { libc::fcntl(fd, command, pointer) })?;
    bytes::from_slice(vm, space.result(vm, data.len())?)
}

/// Calls `ioctl` once; the value, or `OSError`.
fn call_ioctl(vm: &Vm, fd: i32, request: u64, argument: usize) -> Result<i32> {
    let (result, error) = blocking(|| {
        // SAFETY: as in C, the caller vouches for the argument that the request needs.
        let result = unsafe { libc::ioctl(fd, request as _, argument) };
        (result, errno())
    });
    if result < 0 { Err(vm.os_error(error, None, None)) } else { Ok(result) }
}

fn ioctl(vm: &Vm, fd: i32, request: u64, argument: &Value, mutate: bool) -> Result {
    if is_index(argument) {
        let argument = c_long(vm, argument)? as i32;
        return Ok(Value::from(call_ioctl(vm, fd, request, argument as usize)?));
    }
    let writable = match vm.has_buffer(argument) && mutate {
        true => match vm.writable_bytes_like(argument) {
            Ok(buffer) => Some(buffer),
            Err(raised) => {
                vm.catch(raised, taipan_object::exceptions::TYPE_ERROR.ty())?;
                None
            }
        },
        false => None,
    };
    if let Some(buffer) = writable {
        if buffer.length > BUFFER_SIZE {
            return Ok(Value::from(call_ioctl(vm, fd, request, buffer.pointer as usize)?));
        }
        let mut space = Space::new(buffer.as_slice());
        let result = call_ioctl(vm, fd, request, space.pointer() as usize)?;
        buffer.as_mut_slice().copy_from_slice(space.result(vm, buffer.length)?);
        return Ok(Value::from(result));
    }
    let Some(data) = string_or_buffer(vm, argument)? else { return Err(wrong_argument(vm, "ioctl", argument)) };
    if data.len() > BUFFER_SIZE {
        return Err(vm.value_error("ioctl argument 3 is too long"));
    }
    let mut space = Space::new(&data);
    call_ioctl(vm, fd, request, space.pointer() as usize)?;
    bytes::from_slice(vm, space.result(vm, data.len())?)
}

taipan_object::method_table! {
    static FUNCTIONS = [
        MethodDef::new("fcntl($module, fd, cmd, arg=0, /)", "Perform the operation cmd on a file descriptor.\n\nWith an int as argument the result is what the C function returns; a bytes-like argument is passed as a\nstructure, which is then the result.", |vm, _, args| {
            let (fd, command) = (fildes(vm, &args[0])?, c_int(vm, &args[1])?);
            vm.audit("fcntl.fcntl", &[Value::from(fd), args[1].clone(), args[2].clone()])?;
            fcntl(vm, fd, command, &args[2])
        }),
        MethodDef::new("ioctl($module, fd, request, arg=0, mutate_flag=True, /)", "Perform the operation request on a device.\n\nA writable buffer is changed in place and the result is the C function's, unless mutate_flag is false.", |vm, _, args| {
            let fd = fildes(vm, &args[0])?;
            if !int::is_int(&args[1]) {
                return Err(vm.type_error(format!("ioctl() argument 2 must be int, not {}", args[1].ty().name())));
            }
            let request = c_ulong_mask(vm, &args[1])? as u32;
            vm.audit("fcntl.ioctl", &[Value::from(fd), args[1].clone(), args[2].clone()])?;
            ioctl(vm, fd, u64::from(request), &args[2], vm.is_true(&args[3])?)
        }),
        MethodDef::new("flock($module, fd, operation, /)", "Perform the lock operation on a file descriptor.", |vm, _, args| {
            let (fd, operation) = (fildes(vm, &args[0])?, c_int(vm, &args[1])?);
            vm.audit("fcntl.flock", &[Value::from(fd), Value::from(operation)])?;
            // SAFETY: takes numbers.
            retry_or_raise(vm, || unsafe { libc::flock(fd, operation) })?;
            Ok(Value::NONE)
        }),
        MethodDef::new("lockf($module, fd, cmd, len=0, start=0, whence=0, /)", "Lock or unlock a range of bytes of a file.", |vm, _, args| {
            let (fd, command) = (fildes(vm, &args[0])?, c_int(vm, &args[1])?);
            let whence = c_int(vm, &args[4])?;
            vm.audit("fcntl.lockf", &[Value::from(fd), Value::from(command), args[2].clone(), args[3].clone(), Value::from(whence)])?;
            let kind = match () {
                _ if command == libc::LOCK_UN => libc::F_UNLCK,
                _ if command & libc::LOCK_SH != 0 => libc::F_RDLCK,
                _ if command & libc::LOCK_EX != 0 => libc::F_WRLCK,
                _ => return Err(vm.value_error("unrecognized lockf argument")),
            };
            // SAFETY: zeros are a valid flock.
            let mut lock: libc::flock = unsafe { std::mem::zeroed() };
            lock.l_type = kind as libc::c_short;
            lock.l_start = c_long(vm, &args[3])?;
            lock.l_len = c_long(vm, &args[2])?;
            lock.l_whence = whence as libc::c_short;
            let command = if command & libc::LOCK_NB != 0 { libc::F_SETLK } else { libc::F_SETLKW };
            // SAFETY: a valid flock.
            retry_or_raise(vm, || unsafe { libc::fcntl(fd, command, &lock) })?;
            Ok(Value::NONE)
        }),
    ];
}
