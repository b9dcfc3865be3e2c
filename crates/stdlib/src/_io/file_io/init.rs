//! `FileIO(file, mode, closefd, opener)`: opening.

use super::FileIo;
use crate::_io::names::names;
use crate::arguments::{errno, fs_converter};
use crate::payload::signature;
use crate::posix::library;
use taipan_object::builtins::int;
use taipan_object::builtins::str::Str;
use taipan_object::exceptions::RUNTIME_WARNING;
use taipan_object::vm::hooks::blocking;
use taipan_object::{Result, Value, Vm};

signature!(INIT = "FileIO(file, mode='r', closefd=True, opener=None)");

/// What a mode string asks for.
struct Mode {
    created: bool,
    readable: bool,
    writable: bool,
    appending: bool,
    flags: i32,
}

fn parse_mode(vm: &Vm, text: &str) -> Result<Mode> {
    let mut mode = Mode { created: false, readable: false, writable: false, appending: false, flags: 0 };
    let bad = || vm.value_error("Must have exactly one of create/read/write/append mode and at most one plus");
    let (mut kinds, mut plus) = (0, false);
    for c in text.chars() {
        match c {
            'x' | 'r' | 'w' | 'a' if kinds > 0 => return Err(bad()),
            'x' => (mode.created, mode.writable, mode.flags) = (true, true, mode.flags | libc::O_EXCL | libc::O_CREAT),
            'r' => mode.readable = true,
            'w' => (mode.writable, mode.flags) = (true, mode.flags | libc::O_CREAT | libc::O_TRUNC),
            'a' => {
                (mode.writable, mode.appending) = (true, true);
                mode.flags |= libc::O_APPEND | libc::O_CREAT;
            }
            'b' => continue,
            '+' if plus => return Err(bad()),
            '+' => {
                (mode.readable, mode.writable, plus) = (true, true, true);
                continue;
            }
            _ => return Err(vm.value_error(format!("invalid mode: {text:.200}"))),
        }
        kinds += 1;
    }
    if kinds == 0 {
        return Err(bad());
    }
    mode.flags |= match (mode.readable, mode.writable) {
        (true, true) => libc::O_RDWR,
        (true, false) => libc::O_RDONLY,
        _ => libc::O_WRONLY,
    };
    mode.flags |= libc::O_CLOEXEC;
    Ok(mode)
}

/// The descriptor that `file` is; `None` if it is a name.
fn given_descriptor(vm: &Vm, file: &Value) -> Result<Option<i32>> {
    if file.is_bool() {
        vm.warn(&RUNTIME_WARNING.value(), "bool is used as a file descriptor", 1)?;
    }
    if !int::is_int(file) && file.ty().slots().index.is_none() {
        return Ok(None);
    }
    let number = match vm.index(file) {
        Ok(number) => int::to_i64(&number).and_then(|number| i32::try_from(number).ok()),
        Err(raised) => {
            vm.discard(raised);
            None
        }
    };
    match number {
        Some(fd) if fd < 0 => Err(vm.value_error("negative file descriptor")),
        number => Ok(number),
    }
}

/// Opens a file by its name.
fn open_name(vm: &Vm, file: &Value, flags: i32, opener: Option<&Value>) -> Result<i32> {
    let Some(opener) = opener else {
        let name = fs_converter(vm, file)?;
        loop {
            // SAFETY: the name is a C string.
            let (fd, error) = blocking(|| (unsafe { libc::open(name.as_ptr(), flags, 0o666) }, errno()));
            if fd >= 0 {
                return Ok(fd);
            }
            if library::is_absent(error)
                && let Some(fd) = library::open(&name, flags)
            {
                return Ok(fd);
            }
            if error != libc::EINTR {
                return Err(vm.os_error(error, Some(file), None));
            }
            vm.check_signals()?;
        }
    };
    fs_converter(vm, file)?;
    let fd = vm.call_args(opener, &[file.clone(), Value::from(flags)])?;
    if !int::is_int(&fd) {
        return Err(vm.type_error("expected integer from opener"));
    }
    let fd = crate::arguments::c_int(vm, &fd)?;
    if fd < 0 {
        return Err(vm.value_error(format!("opener returned {fd}")));
    }
    Ok(fd)
}

pub fn init(vm: &Vm, this: &Value, args: &[Value], kwnames: Option<&Value>) -> Result<()> {
    let bound = INIT.bind(vm, args, kwnames)?;
    let (file, mode, closefd, opener) = (&bound[0], &bound[1], vm.is_true(&bound[2])?, bound[3].given());
    let Some(mode) = mode.downcast::<Str>() else {
        let got = mode.ty().name();
        return Err(vm.type_error(format!("FileIO() argument 'mode' must be str, not {got}")));
    };
    let own = FileIo::of(this);
    if !own.is_closed() {
        if own.with(|state| state.closefd) {
            own.close_descriptor(vm)?;
        } else {
            own.with(|state| state.fd = -1);
        }
    }
    let descriptor = given_descriptor(vm, file)?;
    if descriptor.is_none() {
        fs_converter(vm, file)?;
    }
    let mode_text = mode.to_string_lossy();
    if mode_text.contains('\0') {
        return Err(vm.value_error("embedded null character"));
    }
    let mode = parse_mode(vm, &mode_text)?;
    own.with(|state| {
        state.created = mode.created;
        state.readable = mode.readable;
        state.writable = mode.writable;
        state.appending = mode.appending;
        state.seekable = None;
        state.closefd = true;
    });
    vm.audit("open", &[file.clone(), Value::from(mode_text), Value::from(mode.flags)])?;
    match descriptor {
        Some(fd) => own.with(|state| (state.fd, state.closefd) = (fd, closefd)),
        None if !closefd => return Err(vm.value_error("Cannot use closefd=False with file name")),
        None => {
            let fd = open_name(vm, file, mode.flags, opener)?;
            own.with(|state| state.fd = fd);
        }
    }
    let opened = after_opening(vm, this, file, mode.appending);
    if opened.is_err() {
        if descriptor.is_some() {
            // A descriptor that was given remains its owner's.
            own.with(|state| state.fd = -1);
        } else {
            let raised = opened.err().map(|raised| vm.take(raised));
            let closed = own.close_descriptor(vm);
            if let Err(raised) = closed {
                vm.discard(raised);
            }
            if let Some(exception) = raised {
                return Err(vm.set_exception(exception));
            }
            return Ok(());
        }
    }
    opened
}

/// Learns about the open file, refuses directories, names it, and goes to the end when appending.
fn after_opening(vm: &Vm, this: &Value, file: &Value, appending: bool) -> Result<()> {
    let own = FileIo::of(this);
    let fd = own.open_fd(vm)?;
    // SAFETY: `stat` is plain data, filled by the call.
    let mut status: libc::stat = unsafe { std::mem::zeroed() };
    // SAFETY: the pointer is to a `stat`.
    let (done, error) = blocking(|| (unsafe { libc::fstat(fd, &mut status) }, errno()));
    own.with(|state| (state.size, state.may_be_terminal) = (-1, true));
    if done == 0 {
        let kind = status.st_mode & libc::S_IFMT;
        if kind == libc::S_IFDIR {
            return Err(vm.os_error(libc::EISDIR, Some(file), None));
        }
        own.with(|state| {
            state.size = status.st_size;
            state.may_be_terminal = kind == libc::S_IFCHR;
            if status.st_blksize > 1 {
                state.block_size = status.st_blksize as i64;
            }
        });
    } else if error == libc::EBADF {
        // Other failures do not matter here.
        return Err(vm.os_error(error, None, None));
    }
    vm.set_attr(this, &names().name, file)?;
    if appending && let Err(raised) = own.seek(vm, 0, libc::SEEK_END) {
        // Pipes have no end to go to.
        let exception = vm.take(raised);
        let errno = vm.get_attr_str(&exception, "errno")?;
        if int::to_i64(&errno) != Some(libc::ESPIPE as i64) {
            return Err(vm.set_exception(exception));
        }
    }
    Ok(())
}
