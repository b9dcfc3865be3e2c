//! Handlers of fatal signals, and the functions that provoke such signals for tests.

use std::cell::UnsafeCell;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicI32, Ordering::SeqCst};

use taipan_object::native::MethodDef;
use taipan_object::vm::gil;
use taipan_object::vm::hooks::{Dumped, HOOKS, blocking};
use taipan_object::{Result, Value, Vm};

use super::{c_stack, dump, signal_stack, write};

/// The signals, and what they are called.
const SIGNALS: [(i32, &[u8]); 5] = [
    (libc::SIGBUS, b"Bus error"),
    (libc::SIGILL, b"Illegal instruction"),
    (libc::SIGFPE, b"Floating-point exception"),
    (libc::SIGABRT, b"Aborted"),
    (libc::SIGSEGV, b"Segmentation fault"),
];

/// Whether a signal is handled here.
pub fn is_fatal(signal: i32) -> bool {
    SIGNALS.iter().any(|(fatal, _)| *fatal == signal)
}

static ENABLED: AtomicBool = AtomicBool::new(false);
static FD: AtomicI32 = AtomicI32::new(2);
static ALL_THREADS: AtomicBool = AtomicBool::new(true);
static C_STACK: AtomicBool = AtomicBool::new(true);
/// Keeps the descriptor open.
static FILE: Mutex<Value> = Mutex::new(Value::NONE);

/// What the signals did before.
struct Previous(UnsafeCell<[Option<libc::sigaction>; SIGNALS.len()]>);

// SAFETY: used with the GIL held only.
unsafe impl Sync for Previous {}

static PREVIOUS: Previous = Previous(UnsafeCell::new([None; SIGNALS.len()]));

pub fn is_enabled() -> bool {
    ENABLED.load(SeqCst)
}

fn keep_open(file: Value) {
    let old = std::mem::replace(&mut *FILE.lock().unwrap_or_else(|poisoned| poisoned.into_inner()), file);
    drop(old);
}

/// Handles fatal signals from now on.
pub fn enable(vm: &Vm, fd: i32, file: Value, threads: Dumped, c_stack: bool) -> Result<()> {
    FD.store(fd, SeqCst);
    ALL_THREADS.store(threads == Dumped::All, SeqCst);
    C_STACK.store(c_stack, SeqCst);
    keep_open(file);
    signal_stack::provide();
    if ENABLED.swap(true, SeqCst) {
        return Ok(());
    }
    for (at, (signal, _)) in SIGNALS.iter().enumerate() {
        // SAFETY: valid actions; the handler is async-signal-safe. The GIL is held.
        unsafe {
            let mut action: libc::sigaction = std::mem::zeroed();
            let mut previous: libc::sigaction = std::mem::zeroed();
            action.sa_sigaction = on_fatal_signal as extern "C" fn(i32) as libc::sighandler_t;
            libc::sigemptyset(&mut action.sa_mask);
            action.sa_flags = libc::SA_NODEFER | libc::SA_ONSTACK;
            if libc::sigaction(*signal, &action, &mut previous) != 0 {
                return Err(vm.last_os_error(None));
            }
            (*PREVIOUS.0.get())[at] = Some(previous);
        }
    }
    Ok(())
}

/// Leaves fatal signals alone; whether they were handled.
pub fn disable() -> bool {
    if !ENABLED.swap(false, SeqCst) {
        return false;
    }
    for (at, (signal, _)) in SIGNALS.iter().enumerate() {
        // SAFETY: what `enable` found. The GIL is held.
        unsafe {
            if let Some(previous) = (&mut (*PREVIOUS.0.get()))[at].take() {
                libc::sigaction(*signal, &previous, std::ptr::null_mut());
            }
        }
    }
    keep_open(Value::NONE);
    true
}

extern "C" fn on_fatal_signal(signal: i32) {
    // SAFETY: the thread's own errno, put back below.
    let saved = unsafe { *libc::__errno_location() };
    let fd = FD.load(SeqCst);
    // SAFETY: a valid signal. A second one, for instance while the traceback is written, ends the process.
    unsafe { libc::signal(signal, libc::SIG_DFL) };
    write(fd, b"Fatal Python error: ");
    write(fd, SIGNALS.iter().find(|(fatal, _)| *fatal == signal).map_or(b"", |(_, name)| name));
    write(fd, b"\n\n");
    dump(fd, super::threads(ALL_THREADS.load(SeqCst)));
    if C_STACK.load(SeqCst) {
        write(fd, b"\n");
        c_stack::dump(fd);
    }
    if let Some(hooks) = HOOKS.get() {
        (hooks.dump_extension_modules)(fd);
    }
    // SAFETY: as above.
    unsafe {
        *libc::__errno_location() = saved;
        libc::raise(signal);
    }
}

/// Ends the process, whose state is beyond repair, with a message and the tracebacks of all threads.
pub fn end_process(message: &str) -> ! {
    let fd = 2;
    write(fd, format!("Fatal Python error: {message}\n").as_bytes());
    let state = if gil::is_finalizing() { "finalizing" } else { "initialized" };
    write(fd, format!("Python runtime state: {state}\n\n").as_bytes());
    dump(fd, Dumped::All);
    // SAFETY: a valid signal, which is not to be reported once more; then the process ends.
    unsafe {
        libc::signal(libc::SIGABRT, libc::SIG_DFL);
        libc::abort()
    }
}

fn crash(signal: i32) -> ! {
    loop {
        // SAFETY: a valid signal.
        unsafe { libc::raise(signal) };
    }
}

#[inline(never)]
fn recurse(depth: u64) -> u64 {
    let block = std::hint::black_box([depth; 512]);
    if depth == u64::MAX { 0 } else { recurse(depth + 1) + block[(depth % 512) as usize] }
}

taipan_object::method_table! { pub(super) static CRASHES = [
    MethodDef::new("_read_null($module, /)", "Read from address 0.", |_, _, _| {
        let mut byte = 0u8;
        // SAFETY: none: the point is to crash. The C library's function is no place for Rust's assumptions.
        unsafe { libc::memcpy((&raw mut byte).cast(), std::hint::black_box(std::ptr::null()), 1) };
        Ok(Value::from(i64::from(std::hint::black_box(byte))))
    }),
    MethodDef::new("_sigsegv($module, release_gil=False, /)", "Crash with SIGSEGV, for tests.", |vm, _, args| {
        if vm.is_true(&args[0])? { blocking(|| crash(libc::SIGSEGV)) } else { crash(libc::SIGSEGV) }
    }),
    MethodDef::new("_sigabrt($module, /)", "Crash with SIGABRT, for tests.", |_, _, _| {
        // SAFETY: ends the process.
        unsafe { libc::abort() }
    }),
    MethodDef::new("_sigfpe($module, /)", "Crash with SIGFPE, for tests.", |_, _, _| crash(libc::SIGFPE)),
    MethodDef::new("_stack_overflow($module, /)", "Use up the stack.", |vm, _, _| {
        std::hint::black_box(recurse(0));
        Err(vm.runtime_error("unable to raise a stack overflow"))
    }),
    MethodDef::new("_fatal_error_c_thread($module, /)", "Die of a fatal error in a thread that runs no Python code.",
        |vm, _, _| {
        let body = || end_process("faulthandler_fatal_error_thread: in new thread");
        match std::thread::Builder::new().spawn(body) {
            Ok(thread) => {
                let _: std::thread::Result<std::convert::Infallible> = blocking(|| thread.join());
                Ok(Value::NONE)
            }
            Err(_) => Err(vm.runtime_error("unable to start the thread")),
        }
    }),
]; }
