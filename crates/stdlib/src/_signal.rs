//! `_signal`: handlers of signals, timers, waiting for signals.
//!
//! The system's handler only notes the signal and asks the main thread for a safepoint ([`check_signals`], which is
//! installed as the hook of that name), where the Python handler runs.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicI32, Ordering::SeqCst};

use taipan_object::builtins::set;
use taipan_object::builtins::structseq::StructSeq;
use taipan_object::builtins::tuple::Tuple;
use taipan_object::exceptions::{KEYBOARD_INTERRUPT, OS_ERROR};
use taipan_object::native::MethodDef;
use taipan_object::native::module::ModuleDef;
use taipan_object::vm::hooks::{self, blocking};
use taipan_object::{Raised, Result, Value, Vm};

use crate::arguments::{c_int, c_long, check, errno};
use crate::time::conversion::{Rounding, object_to_nanoseconds, timespec, timeval};

const NSIG: usize = 65;

pub static MODULE: ModuleDef = ModuleDef {
    name: "_signal",
    doc: "Handlers of signals, timers, and waiting for signals.",
    functions: FUNCTIONS,
    exec: |vm, module| {
        libc_constants!(module;
            SIGABRT SIGALRM SIGBUS SIGCHLD SIGCONT SIGFPE SIGHUP SIGILL SIGINT SIGIO SIGKILL SIGPIPE SIGPOLL SIGPROF
            SIGPWR SIGQUIT SIGSEGV SIGSTKFLT SIGSTOP SIGSYS SIGTERM SIGTRAP SIGTSTP SIGTTIN SIGTTOU SIGURG SIGUSR1
            SIGUSR2 SIGVTALRM SIGWINCH SIGXCPU SIGXFSZ SIG_DFL SIG_IGN SIG_BLOCK SIG_UNBLOCK SIG_SETMASK
            ITIMER_REAL ITIMER_VIRTUAL ITIMER_PROF);
        int_constants!(module;
            NSIG = 65, SIGCLD = libc::SIGCHLD, SIGIOT = libc::SIGABRT,
            SIGRTMIN = libc::SIGRTMIN(), SIGRTMAX = libc::SIGRTMAX());
        module.set("struct_siginfo", STRUCT_SIGINFO.ty(vm)?.to_value());
        let timer_error = crate::exception_type::new(vm, "signal", "ItimerError", vec![OS_ERROR.value()], None)?;
        module.set("ItimerError", timer_error);
        let default_int_handler = module.get("default_int_handler").unwrap_or(Value::NONE);
        read_dispositions(&default_int_handler);
        Ok(())
    },
};

static STRUCT_SIGINFO: StructSeq = StructSeq::new(
    "signal.struct_siginfo",
    "What sigwaitinfo() and sigtimedwait() return.",
    &[
        Some("si_signo"),
        Some("si_code"),
        Some("si_errno"),
        Some("si_pid"),
        Some("si_uid"),
        Some("si_status"),
        Some("si_band"),
    ],
    7,
);

/// The Python handlers; `None` for one that Python did not install.
static HANDLERS: Mutex<[Value; NSIG]> = Mutex::new([const { Value::NONE }; NSIG]);
static TRIPPED: [AtomicBool; NSIG] = [const { AtomicBool::new(false) }; NSIG];
static WAKEUP_FD: AtomicI32 = AtomicI32::new(-1);
static WARN_ON_FULL_BUFFER: AtomicBool = AtomicBool::new(true);
/// The `errno` of a failed write to the wakeup descriptor, to be reported.
static WAKEUP_ERROR: AtomicI32 = AtomicI32::new(0);

fn handlers<R>(f: impl FnOnce(&mut [Value; NSIG]) -> R) -> R {
    f(&mut HANDLERS.lock().expect("no panic while it is locked"))
}

/// What the system does with each signal, in Python's terms; Python handles `SIGINT` from the start.
fn read_dispositions(default_int_handler: &Value) {
    let mut install_sigint = false;
    let old: Vec<Value> = handlers(|handlers| {
        let mut old = Vec::new();
        for (signal, handler) in handlers.iter_mut().enumerate().skip(1) {
            if !handler.is_none() && !matches!(handler.as_small_int(), Some(0 | 1)) {
                continue;
            }
            // SAFETY: zeros are a valid sigaction, which the call fills.
            let mut action: libc::sigaction = unsafe { std::mem::zeroed() };
            if unsafe { libc::sigaction(signal as i32, std::ptr::null(), &mut action) } != 0 {
                continue;
            }
            let new = match action.sa_sigaction {
                libc::SIG_DFL if signal as i32 == libc::SIGINT => {
                    install_sigint = true;
                    default_int_handler.clone()
                }
                libc::SIG_DFL => Value::from(0),
                libc::SIG_IGN => Value::from(1),
                _ => Value::NONE,
            };
            old.push(std::mem::replace(handler, new));
        }
        old
    });
    drop(old);
    if install_sigint {
        install(libc::SIGINT, on_signal as extern "C" fn(i32) as libc::sighandler_t);
    }
}

/// Ends the process by `SIGINT`, as one that does not handle it, so that who started it knows.
pub fn end_by_interrupt() {
    install(libc::SIGINT, libc::SIG_DFL);
    // SAFETY: takes numbers.
    unsafe { libc::kill(libc::getpid(), libc::SIGINT) };
}

/// Sets the system's handler.
fn install(signal: i32, handler: libc::sighandler_t) -> i32 {
    // SAFETY: a valid sigaction whose handler is async-signal-safe.
    unsafe {
        let mut action: libc::sigaction = std::mem::zeroed();
        action.sa_sigaction = handler;
        libc::sigemptyset(&mut action.sa_mask);
        action.sa_flags = libc::SA_ONSTACK;
        libc::sigaction(signal, &action, std::ptr::null_mut())
    }
}

/// Acts as if a signal had arrived, unless the system's default action or none is set for it; false if there is no such
/// signal.
pub fn simulate(signal: i32) -> bool {
    if !(1..NSIG as i32).contains(&signal) {
        return false;
    }
    let handler = handlers(|handlers| handlers[signal as usize].clone());
    if !matches!(handler.as_small_int(), Some(0 | 1)) {
        trip(signal);
    }
    true
}

/// In a forked process: what arrived before the fork is the parent's to handle.
pub fn after_fork_in_child() {
    hooks::take_signal_request();
    TRIPPED.iter().for_each(|tripped| tripped.store(false, SeqCst));
}

/// At the interpreter's end: Python handles no signals any more.
pub fn finish() {
    let old: Vec<Value> = handlers(|handlers| {
        let mut old = Vec::new();
        for (signal, handler) in handlers.iter_mut().enumerate().skip(1) {
            TRIPPED[signal].store(false, SeqCst);
            if !handler.is_none() && !matches!(handler.as_small_int(), Some(0 | 1)) {
                install(signal as i32, libc::SIG_DFL);
            }
            old.push(std::mem::replace(handler, Value::NONE));
        }
        old
    });
    drop(old);
}

/// The system's handler: async-signal-safe.
extern "C" fn on_signal(signal: i32) {
    // SAFETY: the thread's own errno, put back below.
    let saved = unsafe { *libc::__errno_location() };
    trip(signal);
    // SAFETY: as above.
    unsafe { *libc::__errno_location() = saved };
}

/// Notes that a signal arrived and asks for its handler to run; async-signal-safe.
fn trip(signal: i32) {
    TRIPPED[signal as usize].store(true, SeqCst);
    hooks::request_signal_check();
    let fd = WAKEUP_FD.load(SeqCst);
    if fd >= 0 {
        let byte = signal as u8;
        // SAFETY: writes one byte.
        let written = unsafe { libc::write(fd, (&raw const byte).cast(), 1) };
        let error = errno();
        let full = error == libc::EAGAIN || error == libc::EWOULDBLOCK;
        if written < 0 && (WARN_ON_FULL_BUFFER.load(SeqCst) || !full) {
            WAKEUP_ERROR.store(error, SeqCst);
            hooks::request_signal_check();
        }
    }
}

/// Runs the handlers of the signals that arrived; they run in the main thread.
pub fn check_signals(vm: &Vm) -> Result<()> {
    if !hooks::is_main_thread() || !hooks::take_signal_request() {
        return Ok(());
    }
    let error = WAKEUP_ERROR.swap(0, SeqCst);
    if error != 0 {
        let raised = vm.os_error(error, None, None);
        vm.write_unraisable(raised, "Exception ignored when trying to write to the signal wakeup fd", &Value::NONE);
    }
    for (signal, tripped) in TRIPPED.iter().enumerate() {
        if !tripped.swap(false, SeqCst) {
            continue;
        }
        let handler = handlers(|handlers| handlers[signal].clone());
        if handler.is_none() || matches!(handler.as_small_int(), Some(0 | 1)) {
            // The handler was taken away after the signal arrived.
            let raised = vm.raise_new(OS_ERROR.ty(), format!("Signal {signal} ignored due to race condition"));
            vm.write_unraisable(raised, "Exception ignored while calling signal handler", &Value::NONE);
            continue;
        }
        let frame = current_frame(vm)?;
        if let Err(raised) = vm.call_args(&handler, &[Value::from(signal), frame]) {
            // The others run at the next safepoint.
            hooks::request_signal_check();
            return Err(raised);
        }
    }
    Ok(())
}

fn current_frame(vm: &Vm) -> Result {
    let get = vm.import_from("sys", "_getframe")?;
    match vm.call_args(&get, &[]) {
        Ok(frame) => Ok(frame),
        Err(raised) => {
            vm.catch(raised, taipan_object::exceptions::VALUE_ERROR.ty())?;
            Ok(Value::NONE)
        }
    }
}

/// A set of signal numbers.
pub fn signal_set(vm: &Vm, value: &Value) -> Result<libc::sigset_t> {
    // SAFETY: emptied at once.
    let mut set: libc::sigset_t = unsafe { std::mem::zeroed() };
    unsafe { libc::sigemptyset(&mut set) };
    vm.for_each(value, |item| {
        let index = vm.index(&item)?;
        let signal = taipan_object::builtins::int::to_i64(&index);
        let Some(signal) = signal.filter(|n| (1..NSIG as i64).contains(n)) else {
            let shown = vm.repr_string(&index)?;
            return Err(vm.value_error(format!("signal number {shown} out of range [1; {}]", NSIG - 1)));
        };
        // SAFETY: a valid set; the numbers that the C library keeps for itself are ignored.
        unsafe { libc::sigaddset(&mut set, signal as i32) };
        Ok(())
    })?;
    Ok(set)
}

fn set_of(vm: &Vm, signals: &libc::sigset_t) -> Result {
    // SAFETY: a valid set.
    let members = (1..NSIG as i32).filter(|signal| unsafe { libc::sigismember(signals, *signal) } == 1);
    set::from_keys(vm, &members.map(Value::from).collect::<Vec<Value>>())
}

fn siginfo(vm: &Vm, info: &libc::siginfo_t) -> Result {
    // SAFETY: the fields are part of every siginfo, whatever they mean for the signal.
    let (pid, uid, status) = unsafe { (info.si_pid(), info.si_uid(), info.si_status()) };
    // SAFETY: `si_band` is the first long of the union.
    let band = unsafe { *(&raw const *info).cast::<u8>().add(16).cast::<libc::c_long>() };
    STRUCT_SIGINFO.instance(
        vm,
        vec![
            Value::from(info.si_signo),
            Value::from(info.si_code),
            Value::from(info.si_errno),
            Value::from(pid),
            Value::from(uid),
            Value::from(status),
            Value::from(band),
        ],
    )
}

fn signal_number(vm: &Vm, value: &Value) -> Result<i32> {
    match c_int(vm, value)? {
        signal if (1..NSIG as i32).contains(&signal) => Ok(signal),
        _ => Err(vm.value_error("signal number out of range")),
    }
}

#[cold]
fn timer_error(vm: &Vm) -> Raised {
    let errno = errno();
    let class = match vm.import_from("_signal", "ItimerError") {
        Ok(class) => class,
        Err(raised) => return raised,
    };
    let message = taipan_object::exceptions::os_error::strerror(errno);
    match vm.call_args(&class, &[Value::from(errno), Value::from(message)]) {
        Ok(exception) => vm.raise(exception),
        Err(raised) => raised,
    }
}

fn timer(value: &libc::itimerval) -> Value {
    let seconds = |time: &libc::timeval| Value::from(time.tv_sec as f64 + time.tv_usec as f64 * 1e-6);
    Tuple::from_array([seconds(&value.it_value), seconds(&value.it_interval)]).into_value()
}

/// `sigwaitinfo` and `sigtimedwait`: `None` when the time is over.
fn wait(vm: &Vm, set: &libc::sigset_t, timeout: Option<i64>) -> Result {
    let deadline = timeout.map(|timeout| crate::time::monotonic().saturating_add(timeout));
    let mut left = timeout;
    loop {
        // SAFETY: zeros are a valid siginfo, which the call fills.
        let mut info: libc::siginfo_t = unsafe { std::mem::zeroed() };
        let limit = left.map(timespec);
        let (signal, error) = blocking(|| {
            let limit = limit.as_ref().map_or(std::ptr::null(), |limit| limit as *const libc::timespec);
            // SAFETY: a valid set, room for the information, null or a valid timespec.
            let signal = unsafe { libc::sigtimedwait(set, &mut info, limit) };
            (signal, errno())
        });
        if signal >= 0 {
            return siginfo(vm, &info);
        }
        match error {
            libc::EAGAIN if timeout.is_some() => return Ok(Value::NONE),
            libc::EINTR => vm.check_signals()?,
            error => return Err(vm.os_error(error, None, None)),
        }
        if let Some(deadline) = deadline {
            let rest = deadline - crate::time::monotonic();
            if rest < 0 {
                return Ok(Value::NONE);
            }
            left = Some(rest);
        }
    }
}

/// After a signal was sent: its handler runs at once if it went to this thread.
fn sent(vm: &Vm, status: i32) -> Result {
    if status != 0 {
        return Err(vm.os_error(status, None, None));
    }
    vm.check_signals()?;
    Ok(Value::NONE)
}

taipan_object::method_table! {
    static FUNCTIONS = [
        MethodDef::new("default_int_handler($module, signalnum, frame, /)", "\
            What Python does on SIGINT: raise KeyboardInterrupt.", |vm, _, _| {
            Err(vm.raise_args(KEYBOARD_INTERRUPT.ty(), Vec::new()))
        }),
        MethodDef::new("signal($module, signalnum, handler, /)", "\
            Set what happens on a signal, and return what was set before.", |vm, _, args| {
            let signal = c_int(vm, &args[0])?;
            let handler = &args[1];
            if !hooks::is_main_thread() {
                return Err(vm.value_error("signal only works in main thread of the main interpreter"));
            }
            if !(1..NSIG as i32).contains(&signal) {
                return Err(vm.value_error("signal number out of range"));
            }
            let callable = handler.ty().slots().call.is_some();
            let number = if callable { None } else { taipan_object::builtins::int::to_i64(handler) };
            let action = match number {
                _ if callable => on_signal as extern "C" fn(i32) as libc::sighandler_t,
                Some(0) => libc::SIG_DFL,
                Some(1) => libc::SIG_IGN,
                _ => {
                    let message = "signal handler must be signal.SIG_IGN, signal.SIG_DFL, or a callable object";
                    return Err(vm.type_error(message));
                }
            };
            vm.check_signals()?;
            if install(signal, action) != 0 {
                return Err(vm.last_os_error(None));
            }
            let new = match number {
                Some(number) => Value::from(number),
                None => handler.clone(),
            };
            Ok(handlers(|handlers| std::mem::replace(&mut handlers[signal as usize], new)))
        }),
        MethodDef::new("getsignal($module, signalnum, /)", "What happens on a signal.", |vm, _, args| {
            let signal = signal_number(vm, &args[0])?;
            Ok(handlers(|handlers| handlers[signal as usize].clone()))
        }),
        MethodDef::new("strsignal($module, signalnum, /)", "Name of a signal in words.", |vm, _, args| {
            let signal = signal_number(vm, &args[0])?;
            // SAFETY: the result is null or a C string, copied at once.
            let text = unsafe {
                let text = libc::strsignal(signal);
                if text.is_null() {
                    return Ok(Value::NONE);
                }
                std::ffi::CStr::from_ptr(text).to_string_lossy().into_owned()
            };
            Ok(if text.starts_with("Unknown signal") { Value::NONE } else { Value::from(text) })
        }),
        MethodDef::new("raise_signal($module, signalnum, /)", "Send a signal to this process.", |vm, _, args| {
            let signal = c_int(vm, &args[0])?;
            // SAFETY: takes a number.
            let status = blocking(|| if unsafe { libc::raise(signal) } != 0 { errno() } else { 0 });
            sent(vm, status)
        }),
        MethodDef::new("pthread_kill($module, thread_id, signalnum, /)", "\
            Send a signal to a thread of this process.", |vm, _, args| {
            let (thread, signal) = (crate::arguments::c_ulong_mask(vm, &args[0])?, c_int(vm, &args[1])?);
            if !hooks::is_thread(vm, thread) {
                return sent(vm, libc::ESRCH);
            }
            // SAFETY: the thread is alive: while it runs Python code, it cannot end without the lock that this one holds.
            sent(vm, unsafe { libc::pthread_kill(thread, signal) })
        }),
        MethodDef::new("pidfd_send_signal($module, pidfd, signalnum, siginfo=None, flags=0, /)", "\
            Send a signal to the process that a pidfd refers to.", |vm, _, args| {
            let (fd, signal, flags) = (c_int(vm, &args[0])?, c_int(vm, &args[1])?, c_int(vm, &args[3])?);
            if !args[2].is_none() {
                return Err(vm.type_error("siginfo must be None"));
            }
            // SAFETY: a null siginfo lets the kernel make one.
            check(vm, unsafe { libc::syscall(libc::SYS_pidfd_send_signal, fd, signal, std::ptr::null::<u8>(), flags) })?;
            vm.check_signals()?;
            Ok(Value::NONE)
        }),
        MethodDef::new("pthread_sigmask($module, how, mask, /)", "\
            Change which signals are blocked in this thread, and return the previous set.", |vm, _, args| {
            let how = c_int(vm, &args[0])?;
            let set = signal_set(vm, &args[1])?;
            // SAFETY: a valid set and room for the old one.
            let mut old: libc::sigset_t = unsafe { std::mem::zeroed() };
            let status = unsafe { libc::pthread_sigmask(how, &set, &mut old) };
            if status != 0 {
                return Err(vm.os_error(status, None, None));
            }
            vm.check_signals()?;
            set_of(vm, &old)
        }),
        MethodDef::new("sigpending($module, /)", "Examine pending signals.", |vm, _, _| {
            // SAFETY: room for the set.
            let mut set: libc::sigset_t = unsafe { std::mem::zeroed() };
            check(vm, unsafe { libc::sigpending(&mut set) })?;
            set_of(vm, &set)
        }),
        MethodDef::new("sigwait($module, sigset, /)", "Wait for a signal of a set.", |vm, _, args| {
            let set = signal_set(vm, &args[0])?;
            let mut signal = 0;
            // SAFETY: a valid set, room for the number.
            match blocking(|| unsafe { libc::sigwait(&set, &mut signal) }) {
                0 => Ok(Value::from(signal)),
                errno => Err(vm.os_error(errno, None, None)),
            }
        }),
        MethodDef::new("sigwaitinfo($module, sigset, /)", "\
            Wait for one of the signals, and describe it.", |vm, _, args| {
            wait(vm, &signal_set(vm, &args[0])?, None)
        }),
        MethodDef::new("sigtimedwait($module, sigset, timeout, /)", "\
            Wait as sigwaitinfo() does, but only for so many seconds.", |vm, _, args| {
            let set = signal_set(vm, &args[0])?;
            let timeout = object_to_nanoseconds(vm, &args[1], Rounding::Ceiling)?;
            if timeout < 0 {
                return Err(vm.value_error("timeout must be non-negative"));
            }
            wait(vm, &set, Some(timeout))
        }),
        MethodDef::new("valid_signals($module, /)", "The set of valid signal numbers on this platform.", |vm, _, _| {
            // SAFETY: a valid set.
            let mut set: libc::sigset_t = unsafe { std::mem::zeroed() };
            unsafe { libc::sigfillset(&mut set) };
            set_of(vm, &set)
        }),
        MethodDef::new("pause($module, /)", "Sleep until a signal has been handled.", |vm, _, _| {
            // SAFETY: takes nothing.
            blocking(|| unsafe { libc::pause() });
            vm.check_signals()?;
            Ok(Value::NONE)
        }),
        MethodDef::new("alarm($module, seconds, /)", "\
            Have SIGALRM sent after some seconds; 0 cancels that.  Return what remained.", |vm, _, args| {
            let seconds = c_int(vm, &args[0])?;
            // SAFETY: takes a number.
            Ok(Value::from(unsafe { libc::alarm(seconds as libc::c_uint) }))
        }),
        MethodDef::new("setitimer($module, which, seconds, interval=0.0, /)", "Set an interval timer; its old values.", |vm, _, args| {
            let which = c_int(vm, &args[0])?;
            let time = |value: &Value| Ok(timeval(object_to_nanoseconds(vm, value, Rounding::Ceiling)?, Rounding::Ceiling));
            let new = libc::itimerval { it_value: time(&args[1])?, it_interval: time(&args[2])? };
            // SAFETY: zeros are valid; valid values and room for the old ones.
            let mut old: libc::itimerval = unsafe { std::mem::zeroed() };
            if unsafe { libc::setitimer(which, &new, &mut old) } != 0 {
                return Err(timer_error(vm));
            }
            Ok(timer(&old))
        }),
        MethodDef::new("getitimer($module, which, /)", "The current values of an interval timer.", |vm, _, args| {
            let which = c_int(vm, &args[0])?;
            // SAFETY: zeros are valid; room for the values.
            let mut value: libc::itimerval = unsafe { std::mem::zeroed() };
            if unsafe { libc::getitimer(which, &mut value) } != 0 {
                return Err(timer_error(vm));
            }
            Ok(timer(&value))
        }),
        MethodDef::new("siginterrupt($module, signalnum, flag, /)", "\
            Set whether system calls that a signal interrupts fail or go on.", |vm, _, args| {
            let signal = signal_number(vm, &args[0])?;
            let interrupt = c_int(vm, &args[1])? != 0;
            // SAFETY: the action is read, changed in one flag, and written back.
            unsafe {
                let mut action: libc::sigaction = std::mem::zeroed();
                check(vm, libc::sigaction(signal, std::ptr::null(), &mut action))?;
                action.sa_flags = if interrupt { action.sa_flags & !libc::SA_RESTART } else { action.sa_flags | libc::SA_RESTART };
                check(vm, libc::sigaction(signal, &action, std::ptr::null_mut()))?;
            }
            Ok(Value::NONE)
        }),
        MethodDef::new("set_wakeup_fd($module, fd, /, *, warn_on_full_buffer=True)", "\
            Set the descriptor to which numbers of signals are written, and return the previous one.", |vm, _, args| {
            let fd = c_long(vm, &args[0])?;
            let warn = vm.is_true(&args[1])?;
            if !hooks::is_main_thread() {
                return Err(vm.value_error("set_wakeup_fd only works in main thread of the main interpreter"));
            }
            let fd = i32::try_from(fd).unwrap_or(-1).max(-1);
            if fd != -1 {
                if let Err(errno) = crate::posix::fstat(vm, fd)? {
                    return Err(vm.os_error(errno, None, None));
                }
                // SAFETY: fcntl with this command takes and returns ints.
                let flags = check(vm, unsafe { libc::fcntl(fd, libc::F_GETFL) })?;
                if flags as i32 & libc::O_NONBLOCK == 0 {
                    return Err(vm.value_error(format!("the fd {fd} must be in non-blocking mode")));
                }
            }
            WARN_ON_FULL_BUFFER.store(warn, SeqCst);
            Ok(Value::from(WAKEUP_FD.swap(fd, SeqCst)))
        }),
    ];
}
