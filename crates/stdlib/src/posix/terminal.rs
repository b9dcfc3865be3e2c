//! Terminals: their size, foreground process group, and pseudo-terminals.

use std::ffi::CStr;

use taipan_object::builtins::str::Str;
use taipan_object::builtins::structseq::StructSeq;
use taipan_object::builtins::tuple::Tuple;
use taipan_object::native::MethodDef;
use taipan_object::{Result, Value, Vm};

use crate::arguments::{c_int, check, fildes};

pub static TERMINAL_SIZE: StructSeq = StructSeq::new(
    "os.terminal_size",
    "The size of a terminal window: (columns, lines).",
    &[Some("columns"), Some("lines")],
    2,
);

/// A new pseudo-terminal: master and slave.
pub fn open_pty(vm: &Vm) -> Result<(i32, i32)> {
    let (mut master, mut slave) = (-1, -1);
    // SAFETY: room for two descriptors; name, modes and size are not asked for.
    check(vm, unsafe {
        libc::openpty(&mut master, &mut slave, std::ptr::null_mut(), std::ptr::null(), std::ptr::null())
    })?;
    super::files::set_inheritable(vm, master, false)?;
    super::files::set_inheritable(vm, slave, false)?;
    Ok((master, slave))
}

taipan_object::method_table! {
    pub static FUNCTIONS = [
        MethodDef::new("get_terminal_size($module, fd=<unrepresentable>, /)", "The size of the terminal as (columns, lines).", |vm, _, args| {
            let fd = args[0].bound().map_or(Ok(1), |fd| c_int(vm, fd))?;
            // SAFETY: zeros are a valid winsize, which the ioctl fills.
            let mut size: libc::winsize = unsafe { std::mem::zeroed() };
            check(vm, unsafe { libc::ioctl(fd, libc::TIOCGWINSZ, &mut size) })?;
            TERMINAL_SIZE.instance(vm, vec![Value::from(i32::from(size.ws_col)), Value::from(i32::from(size.ws_row))])
        }),
        MethodDef::new("tcgetpgrp($module, fd, /)", "The process group that is in the foreground of a terminal.", |vm, _, args| {
            let fd = c_int(vm, &args[0])?;
            // SAFETY: takes a number.
            Ok(Value::from(check(vm, unsafe { libc::tcgetpgrp(fd) })?))
        }),
        MethodDef::new("tcsetpgrp($module, fd, pgid, /)", "Put a process group into the foreground of a terminal.", |vm, _, args| {
            let (fd, group) = (c_int(vm, &args[0])?, c_int(vm, &args[1])?);
            // SAFETY: takes numbers.
            check(vm, unsafe { libc::tcsetpgrp(fd, group) })?;
            Ok(Value::NONE)
        }),
        MethodDef::new("posix_openpt($module, oflag, /)", "Open a pseudo-terminal master; its descriptor.", |vm, _, args| {
            let flags = c_int(vm, &args[0])?;
            // SAFETY: takes a number.
            Ok(Value::from(check(vm, unsafe { libc::posix_openpt(flags | libc::O_CLOEXEC) })?))
        }),
        MethodDef::new("grantpt($module, fd, /)", "Grant access to the slave of a pseudo-terminal.", |vm, _, args| {
            let fd = fildes(vm, &args[0])?;
            // SAFETY: takes a number.
            check(vm, unsafe { libc::grantpt(fd) })?;
            Ok(Value::NONE)
        }),
        MethodDef::new("unlockpt($module, fd, /)", "Unlock the slave of a pseudo-terminal.", |vm, _, args| {
            let fd = fildes(vm, &args[0])?;
            // SAFETY: takes a number.
            check(vm, unsafe { libc::unlockpt(fd) })?;
            Ok(Value::NONE)
        }),
        MethodDef::new("ptsname($module, fd, /)", "The name of the slave of a pseudo-terminal.", |vm, _, args| {
            let fd = fildes(vm, &args[0])?;
            let mut name = [0u8; 4096];
            // SAFETY: room for the name.
            match unsafe { libc::ptsname_r(fd, name.as_mut_ptr().cast(), name.len()) } {
                0 => Ok(Str::from_fs_bytes(super::files::until_nul(&name)).into_value()),
                errno => Err(vm.os_error(errno, None, None)),
            }
        }),
        MethodDef::new("login_tty($module, fd, /)", "Make the terminal the controlling terminal and the standard streams of the process.", |vm, _, args| {
            let fd = fildes(vm, &args[0])?;
            // SAFETY: takes a number.
            check(vm, unsafe { libc::login_tty(fd) })?;
            Ok(Value::NONE)
        }),
        MethodDef::new("ctermid($module, /)", "The name of the controlling terminal.", |_, _, _| {
            let mut name = [0u8; 256];
            // SAFETY: room for L_ctermid bytes; the result is a C string.
            let text = unsafe { CStr::from_ptr(ctermid(name.as_mut_ptr().cast())) };
            Ok(Str::from_fs_bytes(text.to_bytes()).into_value())
        }),
        MethodDef::new("forkpty($module, /)", "Fork a process with a new pseudo-terminal as its controlling one; (pid, master_fd).", |vm, _, _| {
            let mut master = -1;
            let (no_name, no_settings, no_size) = (std::ptr::null_mut(), std::ptr::null(), std::ptr::null());
            // SAFETY: room for the descriptor; the child goes on like after fork().
            let pid = super::process::fork_process(vm, || unsafe {
                libc::forkpty(&mut master, no_name, no_settings, no_size)
            })?;
            if pid > 0 {
                super::process::warn_about_fork_with_threads(vm, "forkpty")?;
                super::files::set_inheritable(vm, master, false)?;
            }
            Ok(Tuple::from_array([Value::from(pid), Value::from(master)]).into_value())
        }),
    ];
}

unsafe extern "C" {
    fn ctermid(buffer: *mut libc::c_char) -> *mut libc::c_char;
}
