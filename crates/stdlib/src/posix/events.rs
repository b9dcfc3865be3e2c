//! Descriptors that stand for events, timers, memory and processes.

use taipan_object::builtins::int;
use taipan_object::builtins::tuple::Tuple;
use taipan_object::native::MethodDef;
use taipan_object::{Result, Value, Vm};

use crate::arguments::{c_int, c_long, c_uint, check, fildes, fs_converter, retry_or_raise};
use crate::time::conversion::{Rounding, object_to_nanoseconds, seconds, timespec};

fn in_nanoseconds(spec: &libc::timespec) -> i64 {
    spec.tv_sec.saturating_mul(1_000_000_000).saturating_add(spec.tv_nsec)
}

/// (initial expiration, interval)
fn timer_result(spec: &libc::itimerspec, nanoseconds: bool) -> Value {
    let convert = |spec: &libc::timespec| {
        let time = in_nanoseconds(spec);
        if nanoseconds { Value::from(time) } else { Value::from(seconds(time)) }
    };
    Tuple::from_array([convert(&spec.it_value), convert(&spec.it_interval)]).into_value()
}

fn settime(vm: &Vm, fd: i32, flags: i32, initial: i64, interval: i64, nanoseconds: bool) -> Result {
    let new = libc::itimerspec { it_interval: timespec(interval), it_value: timespec(initial) };
    // SAFETY: zeros are a valid itimerspec; the old one is written there.
    let mut old: libc::itimerspec = unsafe { std::mem::zeroed() };
    // SAFETY: both specs are valid.
    check(vm, unsafe { libc::timerfd_settime(fd, flags, &new, &mut old) })?;
    Ok(timer_result(&old, nanoseconds))
}

fn gettime(vm: &Vm, fd: i32, nanoseconds: bool) -> Result {
    // SAFETY: zeros are a valid itimerspec, which the call fills.
    let mut spec: libc::itimerspec = unsafe { std::mem::zeroed() };
    check(vm, unsafe { libc::timerfd_gettime(fd, &mut spec) })?;
    Ok(timer_result(&spec, nanoseconds))
}

taipan_object::method_table! {
    pub static FUNCTIONS = [
        MethodDef::new("eventfd($module, /, initval, flags=<unrepresentable>)", "\
            Make a counter for notifications, and return its file descriptor.", |vm, _, args| {
            let initial = c_uint(vm, &args[0])?;
            let flags = args[1].bound().map_or(Ok(libc::EFD_CLOEXEC), |flags| c_int(vm, flags))?;
            // SAFETY: takes numbers.
            Ok(Value::from(check(vm, unsafe { libc::eventfd(initial, flags) })?))
        }),
        MethodDef::new("eventfd_read($module, /, fd)", "Read eventfd value.", |vm, _, args| {
            let fd = fildes(vm, &args[0])?;
            let mut value: libc::eventfd_t = 0;
            // SAFETY: room for the result.
            retry_or_raise(vm, || unsafe { libc::eventfd_read(fd, &mut value) })?;
            Ok(Value::from(value))
        }),
        MethodDef::new("eventfd_write($module, /, fd, value)", "Add to the counter of an eventfd.", |vm, _, args| {
            let fd = fildes(vm, &args[0])?;
            let index = vm.index(&args[1])?;
            let Some(value) = int::to_ibig(&index).and_then(|n| u64::try_from(n).ok()) else {
                return Err(if int::is_negative(&index) {
                    vm.value_error("Cannot convert negative int")
                } else {
                    vm.overflow_error("int too big to convert")
                });
            };
            // SAFETY: takes numbers.
            retry_or_raise(vm, || unsafe { libc::eventfd_write(fd, value) })?;
            Ok(Value::NONE)
        }),
        MethodDef::new("timerfd_create($module, clockid, /, *, flags=<unrepresentable>)", "\
            Make a timer, and return its file descriptor.", |vm, _, args| {
            let clock = c_int(vm, &args[0])?;
            let flags = args[1].bound().map_or(Ok(0), |flags| c_int(vm, flags))?;
            // SAFETY: takes numbers.
            Ok(Value::from(check(vm, unsafe { libc::timerfd_create(clock, flags | libc::TFD_CLOEXEC) })?))
        }),
        MethodDef::new("timerfd_settime($module, fd, /, *, flags=0, initial=0.0, interval=0.0)", "\
            Start or stop a timer file descriptor, with times in seconds.", |vm, _, args| {
            let (fd, flags) = (fildes(vm, &args[0])?, c_int(vm, &args[1])?);
            let initial = object_to_nanoseconds(vm, &args[2], Rounding::Floor)?;
            let interval = object_to_nanoseconds(vm, &args[3], Rounding::Floor)?;
            settime(vm, fd, flags, initial, interval, false)
        }),
        MethodDef::new("timerfd_settime_ns($module, fd, /, *, flags=0, initial=0, interval=0)", "\
            Start or stop a timer file descriptor, with times in nanoseconds.", |vm, _, args| {
            let (fd, flags) = (fildes(vm, &args[0])?, c_int(vm, &args[1])?);
            settime(vm, fd, flags, c_long(vm, &args[2])?, c_long(vm, &args[3])?, true)
        }),
        MethodDef::new("timerfd_gettime($module, fd, /)", "Return a tuple of a timer file descriptor's (interval, next expiration) in float seconds.", |vm, _, args| {
            gettime(vm, fildes(vm, &args[0])?, false)
        }),
        MethodDef::new("timerfd_gettime_ns($module, fd, /)", "Return a tuple of a timer file descriptor's (interval, next expiration) in nanoseconds.", |vm, _, args| {
            gettime(vm, fildes(vm, &args[0])?, true)
        }),
        MethodDef::new("memfd_create($module, /, name, flags=<unrepresentable>)", "An anonymous file that lives in memory.", |vm, _, args| {
            let name = fs_converter(vm, &args[0])?;
            let flags = args[1].bound().map_or(Ok(libc::MFD_CLOEXEC), |flags| c_uint(vm, flags))?;
            // SAFETY: a C string.
            Ok(Value::from(check(vm, unsafe { libc::memfd_create(name.as_ptr(), flags) })?))
        }),
        MethodDef::new("pidfd_open($module, /, pid, flags=0)", "\
            Return a descriptor that stands for a process.", |vm, _, args| {
            let (pid, flags) = (c_int(vm, &args[0])?, c_uint(vm, &args[1])?);
            // SAFETY: takes numbers.
            Ok(Value::from(check(vm, unsafe { libc::syscall(libc::SYS_pidfd_open, pid, flags) })?))
        }),
    ];
}
