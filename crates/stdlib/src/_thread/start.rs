//! Starting threads, the threads there are, and what becomes of them at exit and after a fork.

use std::cell::Cell;
use std::os::unix::thread::JoinHandleExt;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use taipan_object::builtins::dict::Dict;
use taipan_object::builtins::int;
use taipan_object::builtins::tuple::{self, Tuple};
use taipan_object::exceptions::SYSTEM_EXIT;
use taipan_object::native::MethodDef;
use taipan_object::vm::gil;
use taipan_object::{Result, Value, Vm, method_table};

use super::handle::{self, Thread, ThreadHandle};
use super::{get_ident, local};
use crate::arguments::c_ulong_mask;

/// The size of the stacks of new threads as Python set it; 0: the default.
static STACK_SIZE: AtomicUsize = AtomicUsize::new(0);
const MIN_STACK_SIZE: usize = 53248;
const DEFAULT_STACK_SIZE: usize = 32 << 20;
/// What a thread needs beside the stack that Python asked for: the end that is kept free, and larger native frames.
const EXTRA_STACK: usize = 1 << 20;

/// The main thread, by its identifier.
static MAIN_IDENT: AtomicU64 = AtomicU64::new(0);
/// How many threads run, the main thread not counted.
static COUNT: AtomicUsize = AtomicUsize::new(0);

thread_local! {
    /// Whether [`COUNT`] includes this thread.
    static COUNTED: Cell<bool> = const { Cell::new(false) };
}

/// The threads that were started, or that there are handles of. Locked for short, Python-free stretches with the GIL held.
struct Started {
    all: Vec<Weak<Thread>>,
    /// Those for whose end the interpreter waits before it ends: all but daemons.
    awaited: Vec<Arc<Thread>>,
}

static STARTED: Mutex<Started> = Mutex::new(Started { all: Vec::new(), awaited: Vec::new() });

fn started() -> MutexGuard<'static, Started> {
    STARTED.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Makes the calling thread the main thread unless there is one.
pub fn set_main_thread() {
    let _ = MAIN_IDENT.compare_exchange(0, get_ident(), Relaxed, Relaxed);
}

/// Sets the size of the stacks of new threads; the former one.
pub fn stack_size(vm: &Vm, size: Option<usize>) -> Result<usize> {
    match size {
        Some(0) => Ok(STACK_SIZE.swap(0, Relaxed)),
        Some(size) if size >= MIN_STACK_SIZE => Ok(STACK_SIZE.swap(size, Relaxed)),
        _ => Err(vm.value_error(format!("size must be at least {MIN_STACK_SIZE} bytes"))),
    }
}

/// What a new thread calls.
struct Call {
    function: Value,
    args: Value,
    keywords: Option<Value>,
}

/// Starts a thread whose handle `thread` has been claimed for it; its identifier.
fn start(vm: &Vm, call: Call, thread: &Arc<Thread>, daemon: bool) -> Result<u64> {
    if gil::is_finalizing() {
        thread.cancel_start();
        return Err(vm.raise_new(
            taipan_object::exceptions::PYTHON_FINALIZATION_ERROR.ty(),
            "can't create new thread at interpreter shutdown".to_string(),
        ));
    }
    let size = match STACK_SIZE.load(Relaxed) {
        0 => DEFAULT_STACK_SIZE,
        size => size,
    };
    if !is_room_for_frames() {
        thread.cancel_start();
        return Err(vm.runtime_error("can't start new thread"));
    }
    vm.before_thread();
    let own = thread.clone();
    let body = move || run(call, own, size);
    let system = match std::thread::Builder::new().stack_size(size.saturating_add(EXTRA_STACK)).spawn(body) {
        Ok(system) => system,
        Err(_) => {
            vm.no_thread();
            thread.cancel_start();
            return Err(vm.runtime_error("can't start new thread"));
        }
    };
    // The thread waits for the GIL until all this is noted.
    let ident = system.as_pthread_t();
    COUNT.fetch_add(1, Relaxed);
    thread.started(ident, system);
    note(thread);
    if !daemon {
        started().awaited.push(thread.clone());
    }
    Ok(ident)
}

/// Whether there is address space for what the interpreter has for each thread: the thread could tell nobody.
fn is_room_for_frames() -> bool {
    const BYTES: usize = 4 << 20;
    let (access, kind) = (libc::PROT_READ, libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE);
    // SAFETY: a fresh mapping, which goes at once.
    unsafe {
        let base = libc::mmap(std::ptr::null_mut(), BYTES, access, kind, -1, 0);
        base != libc::MAP_FAILED && libc::munmap(base, BYTES) == 0
    }
}

/// Notes that there is a thread: a forked process, which does not have it, says so to its handles.
pub fn note(thread: &Arc<Thread>) {
    let mut started = started();
    if started.all.len() == started.all.capacity() {
        started.all.retain(|thread| thread.strong_count() > 0);
    }
    started.all.push(Arc::downgrade(thread));
}

/// The life of a thread.
fn run(call: Call, thread: Arc<Thread>, stack_size: usize) {
    let vm = Vm::new(stack_size + EXTRA_STACK / 2);
    vm.thread_starts();
    COUNTED.set(true);
    if let Err(raised) = call_function(&vm, &call) {
        report(&vm, raised, &call.function);
    }
    started().awaited.retain(|awaited| !Arc::ptr_eq(awaited, &thread));
    thread.finish();
    COUNT.fetch_sub(1, Relaxed);
    drop((call, thread));
    local::thread_ends();
    crate::_contextvars::context::thread_ends();
    crate::_asyncio::running::thread_ends();
    vm.thread_ends();
}

/// Runs `f` on a thread that Python did not start and that has run no Python code so far, with a state made for it and given
/// up afterwards. A thread that comes while the interpreter is being finalised stops for ever.
pub fn on_foreign_thread(f: impl FnOnce(&Vm)) {
    let vm = Vm::new(stack_left());
    vm.thread_starts();
    f(&vm);
    local::thread_ends();
    crate::_contextvars::context::thread_ends();
    crate::_asyncio::running::thread_ends();
    vm.thread_ends();
}

/// How many bytes of the calling thread's stack are left.
fn stack_left() -> usize {
    let here = 0u8;
    // SAFETY: the attributes are initialised by the call that is asked for them, and destroyed after use.
    unsafe {
        let mut attributes: libc::pthread_attr_t = std::mem::zeroed();
        if libc::pthread_getattr_np(libc::pthread_self(), &mut attributes) != 0 {
            return EXTRA_STACK;
        }
        let (mut lowest, mut size) = (std::ptr::null_mut(), 0);
        libc::pthread_attr_getstack(&attributes, &mut lowest, &mut size);
        libc::pthread_attr_destroy(&mut attributes);
        (&raw const here as usize).saturating_sub(lowest as usize)
    }
}

fn call_function(vm: &Vm, call: &Call) -> Result<()> {
    let mut args = call.args.downcast::<Tuple>().map(|args| args.as_slice().to_vec()).unwrap_or_default();
    let Some(keywords) = call.keywords.as_ref().and_then(|keywords| keywords.downcast::<Dict>()) else {
        return vm.call(&call.function, &args, None).map(drop);
    };
    let (names, values): (Vec<Value>, Vec<Value>) = keywords.items().into_iter().unzip();
    if names.iter().any(|name| name.downcast::<taipan_object::builtins::str::Str>().is_none()) {
        return Err(vm.type_error("keywords must be strings"));
    }
    args.extend(values);
    let names = Tuple::from_vec(names).into_value();
    vm.call(&call.function, &args, Some(&names)).map(drop)
}

/// An exception left the thread's function.
fn report(vm: &Vm, raised: taipan_object::Raised, function: &Value) {
    if vm.pending_matches(&raised, SYSTEM_EXIT.ty()) {
        return vm.discard(raised);
    }
    let exception = vm.take(raised);
    let shown = vm.repr_string(function).unwrap_or_else(|raised| {
        vm.discard(raised);
        "<object repr() failed>".to_string()
    });
    let raised = vm.set_exception(exception);
    vm.write_unraisable(raised, &format!("Exception ignored in thread started by {shown}"), &Value::NONE);
}

/// Waits for the threads that are not daemons.
fn shutdown(vm: &Vm) {
    let this = get_ident();
    loop {
        let next = started().awaited.iter().find(|thread| thread.ident() != this).cloned();
        let Some(thread) = next else { return };
        if let Err(raised) = thread.join(vm, None) {
            let message = "Exception ignored while joining a thread in _thread._shutdown()";
            return vm.write_unraisable(raised, message, &Value::NONE);
        }
    }
}

/// In a forked process, whose only thread is the calling one.
pub fn after_fork_in_child() {
    let this = get_ident();
    MAIN_IDENT.store(this, Relaxed);
    COUNT.store(COUNTED.get() as usize, Relaxed);
    let mut started = started();
    started.awaited.clear();
    let all = std::mem::take(&mut started.all);
    drop(started);
    for thread in all.iter().filter_map(Weak::upgrade).filter(|thread| thread.ident() != this) {
        thread.is_gone_after_fork();
    }
}

fn start_new_thread(vm: &Vm, args: &[Value]) -> Result {
    let keywords = args[2].bound();
    if args[0].ty().slots().call.is_none() {
        return Err(vm.type_error("first arg must be callable"));
    }
    if args[1].downcast::<Tuple>().is_none() {
        return Err(vm.type_error("2nd arg must be a tuple"));
    }
    if keywords.is_some_and(|keywords| keywords.downcast::<Dict>().is_none()) {
        return Err(vm.type_error("optional 3rd arg must be a dictionary"));
    }
    let audited = keywords.cloned().unwrap_or(Value::NONE);
    vm.audit("_thread.start_new_thread", &[args[0].clone(), args[1].clone(), audited])?;
    let thread = Thread::new();
    thread.begin_start();
    let call = Call { function: args[0].clone(), args: args[1].clone(), keywords: keywords.cloned() };
    start(vm, call, &thread, true).map(Value::from)
}

fn start_joinable_thread(vm: &Vm, args: &[Value]) -> Result {
    if args[0].ty().slots().call.is_none() {
        return Err(vm.type_error("thread function must be callable"));
    }
    let handle = match args[1].given() {
        None => handle::new(Thread::new()),
        Some(handle) if handle.downcast::<ThreadHandle>().is_some() => handle.clone(),
        Some(_) => return Err(vm.type_error("'handle' must be a _ThreadHandle")),
    };
    let daemon = vm.is_true(&args[2])?;
    let audited = [args[0].clone(), Value::from(daemon as i64), args[1].given().cloned().unwrap_or(Value::NONE)];
    vm.audit("_thread.start_joinable_thread", &audited)?;
    let thread = handle::of(&handle);
    if !thread.begin_start() {
        return Err(vm.runtime_error("thread already started"));
    }
    let call = Call { function: args[0].clone(), args: tuple::empty().into_value(), keywords: None };
    start(vm, call, thread, daemon)?;
    Ok(handle)
}

method_table! { pub static FUNCTIONS = [
    MethodDef::new("start_new_thread($module, function, args, kwargs={}, /)",
        "Start a new thread that calls the function; the thread's identifier.\n\nThe thread ends when the function returns. An exception that it does not handle is\nreported, except SystemExit.",
        |vm, _, args| start_new_thread(vm, args)),
    MethodDef::new("start_new($module, function, args, kwargs={}, /)", "The old name of start_new_thread().",
        |vm, _, args| start_new_thread(vm, args)),
    MethodDef::new("start_joinable_thread($module, /, function, handle=None, daemon=True)",
        "*For internal use only*: start a new thread that calls the function without arguments; its handle.",
        |vm, _, args| start_joinable_thread(vm, args)),
    MethodDef::new("_make_thread_handle($module, ident, /)",
        "Internal only. A handle of a thread that was not started by this module.", |vm, _, args| {
        if !int::is_int(&args[0]) {
            return Err(vm.type_error("ident must be an integer"));
        }
        Ok(handle::foreign(c_ulong_mask(vm, &args[0])?))
    }),
    MethodDef::new("_get_main_thread_ident($module, /)", "Internal only. The identifier of the main thread.",
        |_, _, _| Ok(Value::from(MAIN_IDENT.load(Relaxed)))),
    MethodDef::new("_count($module, /)", "The number of Python threads that run, without the main thread.",
        |_, _, _| Ok(Value::from(COUNT.load(Relaxed)))),
    MethodDef::new("_shutdown($module, /)", "Wait for all threads that are not daemons to end.", |vm, _, _| {
        shutdown(vm);
        Ok(Value::NONE)
    }),
]; }
