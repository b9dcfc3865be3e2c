//! The watchdog: a thread that writes tracebacks when a time is over.

use std::sync::atomic::{AtomicU32, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use taipan_object::parking::{self, Wait, monotonic};
use taipan_object::vm::gil;
use taipan_object::vm::hooks::{Dumped, blocking};
use taipan_object::{Result, Value, Vm};

use super::{descriptor, dump, write};
use crate::time::conversion::{Rounding, object_to_nanoseconds};

struct Watchdog {
    /// Set to 1 to stop the thread, which is parked on it.
    cancelled: Arc<AtomicU32>,
    thread: JoinHandle<()>,
    /// Keeps the descriptor open.
    _file: Value,
}

static WATCHDOG: Mutex<Option<Watchdog>> = Mutex::new(None);

/// How long the watchdog waits for a moment when no Python code runs.
const PATIENCE: i64 = 20_000_000;

/// `cancel_dump_traceback_later()`
pub fn cancel() {
    let watchdog = WATCHDOG.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).take();
    if let Some(watchdog) = watchdog {
        watchdog.cancelled.store(1, SeqCst);
        parking::wake(&watchdog.cancelled, 1);
        let Watchdog { thread, _file, .. } = watchdog;
        let _ = blocking(|| thread.join());
    }
}

fn header(timeout: i64) -> String {
    let microseconds = timeout / 1000;
    let (seconds, fraction) = (microseconds / 1_000_000, microseconds % 1_000_000);
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    match fraction {
        0 => format!("Timeout ({hours}:{minutes:02}:{seconds:02})!\n"),
        _ => format!("Timeout ({hours}:{minutes:02}:{seconds:02}.{fraction:06})!\n"),
    }
}

/// `dump_traceback_later(timeout, repeat, file, exit)`
pub fn dump_traceback_later(vm: &Vm, args: &[Value]) -> Result {
    let timeout = object_to_nanoseconds(vm, &args[0], Rounding::Ceiling)?;
    if timeout <= 0 {
        return Err(vm.value_error("timeout must be greater than 0"));
    }
    let repeat = vm.is_true(&args[1])?;
    let exit = vm.is_true(&args[3])?;
    let (fd, file) = descriptor(vm, args[2].bound().unwrap_or(&Value::NONE))?;
    let header = header(timeout);
    cancel();
    let cancelled = Arc::new(AtomicU32::new(0));
    let flag = cancelled.clone();
    let body = move || watch(&flag, timeout, repeat, fd, &header, exit);
    let thread = match std::thread::Builder::new().spawn(body) {
        Ok(thread) => thread,
        Err(_) => return Err(vm.runtime_error("unable to start watchdog thread")),
    };
    let watchdog = Watchdog { cancelled, thread, _file: file };
    let old = WATCHDOG.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).replace(watchdog);
    drop(old);
    Ok(Value::NONE)
}

/// The watchdog's life.
fn watch(cancelled: &AtomicU32, timeout: i64, repeat: bool, fd: i32, header: &str, exit: bool) {
    // Signals are for threads that run Python code.
    // SAFETY: a valid set.
    unsafe {
        let mut signals: libc::sigset_t = std::mem::zeroed();
        libc::sigfillset(&mut signals);
        libc::pthread_sigmask(libc::SIG_SETMASK, &signals, std::ptr::null_mut());
    }
    loop {
        let deadline = monotonic().saturating_add(timeout);
        while cancelled.load(SeqCst) == 0 && parking::wait(cancelled, 0, Some(deadline)) != Wait::TimedOut {}
        if cancelled.load(SeqCst) != 0 {
            return;
        }
        gil::with_lock_until(monotonic() + PATIENCE, || {
            write(fd, header.as_bytes());
            dump(fd, Dumped::All);
        });
        if exit {
            // SAFETY: ends the process.
            unsafe { libc::_exit(1) };
        }
        if !repeat {
            return;
        }
    }
}

/// In a forked process, which does not have the thread.
pub fn after_fork_in_child() {
    let watchdog = WATCHDOG.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).take();
    std::mem::forget(watchdog);
}
