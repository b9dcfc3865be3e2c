//! `_thread._ThreadHandle`, and starting threads.
//!
//! A handle shows whether its thread is done; it outlives the thread.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, AtomicUsize, Ordering::*};

use taipan_object::builtins::dict::Dict;
use taipan_object::builtins::int;
use taipan_object::builtins::tuple::Tuple;
use taipan_object::header::Header;
use taipan_object::heap::Kind;
use taipan_object::native::{GetSetDef, MethodDef};
use taipan_object::object::Payload;
use taipan_object::parking::{self, Wait, monotonic};
use taipan_object::types::slots::Slots;
use taipan_object::types::{Type, TypeSpec};
use taipan_object::vm::hooks::blocking;
use taipan_object::{Ref, Result, Value, Vm, method_table};

use super::get_ident;
use crate::arguments::c_ulong_mask;
use crate::time::conversion::{Rounding, object_to_nanoseconds};

const NOT_STARTED: u32 = 0;
const STARTING: u32 = 1;
const RUNNING: u32 = 2;
const DONE: u32 = 3;

/// What the thread and its handles share.
pub struct Thread {
    state: AtomicU32,
    ident: AtomicU64,
}

impl Thread {
    fn finish(&self) {
        self.state.store(DONE, Release);
        parking::wake(&self.state, i32::MAX);
    }
    fn is_done(&self) -> bool {
        self.state.load(Acquire) == DONE
    }
}

#[repr(C)]
pub struct ThreadHandle {
    pub header: Header,
    thread: Arc<Thread>,
}

// SAFETY: repr(C), header first, owns no references.
unsafe impl Payload for ThreadHandle {
    const KIND: Kind = Kind::Leaf;
    fn static_type() -> &'static Type {
        THREAD_HANDLE.ty()
    }
}

pub static THREAD_HANDLE: TypeSpec =
    TypeSpec::new::<ThreadHandle>("_thread._ThreadHandle").slots(slots).methods(METHODS).getset(GETSET);

fn new(state: u32, ident: u64) -> Value {
    let thread = Arc::new(Thread { state: AtomicU32::new(state), ident: AtomicU64::new(ident) });
    Ref::new(ThreadHandle { header: Header::new(THREAD_HANDLE.ty()), thread }).into_value()
}

fn of(this: &Value) -> &Arc<Thread> {
    &this.downcast::<ThreadHandle>().expect("methods are called with instances of their type").thread
}

fn slots(s: &mut Slots) {
    s.new = Some(|vm, _, args, kwnames| {
        super::no_arguments(vm, "_ThreadHandle", args, kwnames)?;
        Ok(new(NOT_STARTED, 0))
    });
    s.repr = Some(|_, this| {
        let ident = of(this).ident.load(Relaxed);
        Ok(Value::from(format!("<{} object: ident={ident}>", this.ty().name())))
    });
}

static GETSET: &[GetSetDef] = &[GetSetDef::new("ident", "", |_, this| Ok(Value::from(of(this).ident.load(Relaxed))))];

fn join(vm: &Vm, this: &Value, timeout: Option<i64>) -> Result {
    let thread = of(this);
    let deadline = timeout.map(|timeout| monotonic().saturating_add(timeout));
    match thread.state.load(Acquire) {
        NOT_STARTED | STARTING => return Err(vm.runtime_error("thread not started")),
        RUNNING if thread.ident.load(Relaxed) == get_ident() => {
            return Err(vm.runtime_error("Cannot join current thread"));
        }
        _ => {}
    }
    while !thread.is_done() {
        match blocking(|| parking::wait(&thread.state, RUNNING, deadline)) {
            Wait::Woken => {}
            Wait::TimedOut => break,
            Wait::Interrupted => vm.check_signals()?,
        }
    }
    Ok(Value::NONE)
}

method_table! { static METHODS = [
    MethodDef::raw("join", "", |vm, this, args, kwnames| {
        if kwnames.is_some_and(|names| vm.tuple_len(names) > 0) {
            return Err(vm.type_error("_ThreadHandle.join() takes no keyword arguments"));
        }
        let timeout = match args {
            [] => None,
            [timeout] if timeout.is_none() => None,
            [timeout] => Some(object_to_nanoseconds(vm, timeout, Rounding::Up)?).filter(|timeout| *timeout >= 0),
            _ => return Err(vm.type_error(format!("join() takes at most 1 argument ({} given)", args.len()))),
        };
        join(vm, this, timeout)
    }),
    MethodDef::new("_set_done($self, /)", "", |vm, this, _| {
        let thread = of(this);
        if matches!(thread.state.load(Acquire), NOT_STARTED | STARTING) {
            return Err(vm.runtime_error("thread not started"));
        }
        thread.finish();
        Ok(Value::NONE)
    }),
    MethodDef::new("is_done($self, /)", "", |_, this, _| Ok(Value::bool(of(this).is_done()))),
]; }

/// The size of the stacks of new threads; 0: the default.
static STACK_SIZE: AtomicUsize = AtomicUsize::new(0);
const MIN_STACK_SIZE: usize = 53248;

/// Sets the size of the stacks of new threads; the former one.
pub fn stack_size(vm: &Vm, size: Option<usize>) -> Result<usize> {
    match size {
        Some(0) => Ok(STACK_SIZE.swap(0, Relaxed)),
        Some(size) if size >= MIN_STACK_SIZE => Ok(STACK_SIZE.swap(size, Relaxed)),
        _ => Err(vm.value_error(format!("size must be at least {MIN_STACK_SIZE} bytes"))),
    }
}

/// The main thread, by its identifier; 0 before there is one.
static MAIN_IDENT: AtomicU64 = AtomicU64::new(0);

/// The arguments of `start_new_thread`.
fn start_new_thread(vm: &Vm, args: &[Value]) -> Result {
    let keywords = args[2].given();
    if args[0].ty().slots().call.is_none() {
        return Err(vm.type_error("first arg must be callable"));
    }
    if args[1].downcast::<Tuple>().is_none() {
        return Err(vm.type_error("2nd arg must be a tuple"));
    }
    if keywords.is_some_and(|keywords| keywords.downcast::<Dict>().is_none()) {
        return Err(vm.type_error("optional 3rd arg must be a dictionary"));
    }
    Err(vm.runtime_error("can't start new thread"))
}

fn start_joinable_thread(vm: &Vm, args: &[Value]) -> Result {
    if args[0].ty().slots().call.is_none() {
        return Err(vm.type_error("thread function must be callable"));
    }
    let handle = match args[1].given() {
        None => new(NOT_STARTED, 0),
        Some(handle) if handle.downcast::<ThreadHandle>().is_some() => handle.clone(),
        Some(_) => return Err(vm.type_error("'handle' must be a _ThreadHandle")),
    };
    if of(&handle).state.compare_exchange(NOT_STARTED, STARTING, AcqRel, Acquire).is_err() {
        return Err(vm.runtime_error("thread already started"));
    }
    of(&handle).state.store(NOT_STARTED, Release);
    Err(vm.runtime_error("can't start new thread"))
}

method_table! { pub static FUNCTIONS = [
    MethodDef::new("start_new_thread($module, function, args, kwargs={}, /)",
        "Start a new thread that calls the function; the thread's identifier.\n\nThe thread ends when the function returns. An exception that it does not handle is\nreported, except SystemExit.",
        |vm, _, args| start_new_thread(vm, args)),
    MethodDef::new("start_new($module, function, args, kwargs={}, /)", "An obsolete synonym of start_new_thread().",
        |vm, _, args| start_new_thread(vm, args)),
    MethodDef::new("start_joinable_thread($module, /, function, handle=None, daemon=True)",
        "*For internal use only*: start a new thread that calls the function without arguments; its handle.",
        |vm, _, args| start_joinable_thread(vm, args)),
    MethodDef::new("_make_thread_handle($module, ident, /)",
        "Internal only. A handle of a thread that was not started by this module.", |vm, _, args| {
        if !int::is_int(&args[0]) {
            return Err(vm.type_error("ident must be an integer"));
        }
        Ok(new(RUNNING, c_ulong_mask(vm, &args[0])?))
    }),
    MethodDef::new("_get_main_thread_ident($module, /)",
        "Internal only. The identifier of the main thread.", |_, _, _| {
        let _ = MAIN_IDENT.compare_exchange(0, get_ident(), Relaxed, Relaxed);
        Ok(Value::from(MAIN_IDENT.load(Relaxed)))
    }),
    MethodDef::new("_count($module, /)", "The number of Python threads that run, without the main thread.",
        |_, _, _| Ok(Value::from(0))),
    MethodDef::new("_shutdown($module, /)", "Wait for all threads that are not daemons to end.", |_, _, _| Ok(Value::NONE)),
]; }
