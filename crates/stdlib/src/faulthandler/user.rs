//! Tracebacks on signals that the program registers.

use std::cell::UnsafeCell;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicI32, Ordering::SeqCst};

use taipan_object::{Result, Value, Vm};

use super::{descriptor, dump, fatal, signal_stack, threads};
use crate::arguments::c_int;

const NSIG: usize = 65;

/// What to do when a signal arrives.
struct UserSignal {
    enabled: AtomicBool,
    fd: AtomicI32,
    all_threads: AtomicBool,
    chain: AtomicBool,
    /// What the signal did before.
    previous: UnsafeCell<Option<libc::sigaction>>,
}

// SAFETY: `previous` is written with the GIL held, before the signal's handler is installed.
unsafe impl Sync for UserSignal {}

static SIGNALS: [UserSignal; NSIG] = [const {
    UserSignal {
        enabled: AtomicBool::new(false),
        fd: AtomicI32::new(2),
        all_threads: AtomicBool::new(false),
        chain: AtomicBool::new(false),
        previous: UnsafeCell::new(None),
    }
}; NSIG];

/// Keeps the descriptors open.
static FILES: Mutex<[Value; NSIG]> = Mutex::new([const { Value::NONE }; NSIG]);

fn keep_open(signal: i32, file: Value) {
    let mut files = FILES.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    let old = std::mem::replace(&mut files[signal as usize], file);
    drop(files);
    drop(old);
}

fn signal_number(vm: &Vm, value: &Value) -> Result<i32> {
    let signal = c_int(vm, value)?;
    if fatal::is_fatal(signal) {
        return Err(vm.runtime_error(format!("signal {signal} cannot be registered, use enable() instead")));
    }
    if !(1..NSIG as i32).contains(&signal) {
        return Err(vm.value_error("signal number out of range"));
    }
    Ok(signal)
}

fn install(signal: i32, chain: bool) -> (i32, libc::sigaction) {
    // SAFETY: valid actions; the handler is async-signal-safe.
    unsafe {
        let mut action: libc::sigaction = std::mem::zeroed();
        let mut previous: libc::sigaction = std::mem::zeroed();
        action.sa_sigaction = on_user_signal as extern "C" fn(i32) as libc::sighandler_t;
        libc::sigemptyset(&mut action.sa_mask);
        // A chained handler decides itself whether system calls go on.
        action.sa_flags = libc::SA_ONSTACK | if chain { libc::SA_NODEFER } else { libc::SA_RESTART };
        (libc::sigaction(signal, &action, &mut previous), previous)
    }
}

/// `register(signum, file, all_threads, chain)`
pub fn register(vm: &Vm, args: &[Value]) -> Result {
    let signal = signal_number(vm, &args[0])?;
    let (fd, file) = descriptor(vm, args[1].bound().unwrap_or(&Value::NONE))?;
    let (all_threads, chain) = (vm.is_true(&args[2])?, vm.is_true(&args[3])?);
    let user = &SIGNALS[signal as usize];
    user.fd.store(fd, SeqCst);
    user.all_threads.store(all_threads, SeqCst);
    user.chain.store(chain, SeqCst);
    if !user.enabled.load(SeqCst) {
        signal_stack::provide();
        let (status, previous) = install(signal, chain);
        if status != 0 {
            return Err(vm.last_os_error(None));
        }
        // SAFETY: the GIL is held; a handler that runs already finds `enabled` false.
        unsafe { *user.previous.get() = Some(previous) };
        user.enabled.store(true, SeqCst);
    }
    keep_open(signal, file);
    Ok(Value::NONE)
}

/// `unregister(signum)`
pub fn unregister(vm: &Vm, signal: &Value) -> Result {
    let signal = signal_number(vm, signal)?;
    let user = &SIGNALS[signal as usize];
    if !user.enabled.swap(false, SeqCst) {
        return Ok(Value::FALSE);
    }
    // SAFETY: what `register` found; the GIL is held.
    unsafe {
        if let Some(previous) = *user.previous.get() {
            libc::sigaction(signal, &previous, std::ptr::null_mut());
        }
    }
    user.fd.store(-1, SeqCst);
    keep_open(signal, Value::NONE);
    Ok(Value::TRUE)
}

extern "C" fn on_user_signal(signal: i32) {
    let user = &SIGNALS[signal as usize];
    if !user.enabled.load(SeqCst) {
        return;
    }
    // SAFETY: the thread's own errno, put back below.
    let saved = unsafe { *libc::__errno_location() };
    dump(user.fd.load(SeqCst), threads(user.all_threads.load(SeqCst)));
    if user.chain.load(SeqCst) {
        // SAFETY: while the signal is enabled, `previous` stays.
        if let Some(previous) = unsafe { *user.previous.get() } {
            // SAFETY: valid actions and signal.
            unsafe {
                libc::sigaction(signal, &previous, std::ptr::null_mut());
                *libc::__errno_location() = saved;
                libc::raise(signal);
            }
            install(signal, true);
        }
    }
    // SAFETY: as above.
    unsafe { *libc::__errno_location() = saved };
}
