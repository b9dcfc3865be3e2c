//! `_thread._ThreadHandle`: shows whether a thread is done, and outlives it. Threads are started in `start.rs`.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering::*};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

use taipan_object::exceptions::PYTHON_FINALIZATION_ERROR;
use taipan_object::header::Header;
use taipan_object::heap::Kind;
use taipan_object::native::{GetSetDef, MethodDef};
use taipan_object::object::Payload;
use taipan_object::parking::{self, Wait, monotonic};
use taipan_object::types::slots::Slots;
use taipan_object::types::{Type, TypeSpec};
use taipan_object::vm::gil;
use taipan_object::vm::hooks::blocking;
use taipan_object::{Ref, Result, Value, Vm, method_table};

use super::get_ident;
use crate::time::conversion::{Rounding, object_to_nanoseconds};

const NOT_STARTED: u32 = 0;
const STARTING: u32 = 1;
const RUNNING: u32 = 2;
const DONE: u32 = 3;

/// What the thread and its handles share.
pub struct Thread {
    state: AtomicU32,
    ident: AtomicU64,
    /// The system's thread, until somebody waits for its end.
    system: Mutex<Option<JoinHandle<()>>>,
}

impl Thread {
    pub fn new() -> Arc<Thread> {
        Thread::with_state(NOT_STARTED, 0)
    }

    fn with_state(state: u32, ident: u64) -> Arc<Thread> {
        Arc::new(Thread { state: AtomicU32::new(state), ident: AtomicU64::new(ident), system: Mutex::new(None) })
    }

    /// Claims it for a thread that is being started; false if there is or was one already.
    pub fn begin_start(&self) -> bool {
        self.state.compare_exchange(NOT_STARTED, STARTING, AcqRel, Acquire).is_ok()
    }

    /// The thread could not be started.
    pub fn cancel_start(&self) {
        self.state.store(NOT_STARTED, Release);
    }

    /// The thread has been started.
    pub fn started(&self, ident: u64, system: JoinHandle<()>) {
        self.ident.store(ident, Relaxed);
        *self.system() = Some(system);
        self.state.store(RUNNING, Release);
    }

    /// The thread runs no more Python code.
    pub fn finish(&self) {
        self.state.store(DONE, Release);
        parking::wake(&self.state, i32::MAX);
    }

    pub fn is_done(&self) -> bool {
        self.state.load(Acquire) == DONE
    }

    pub fn ident(&self) -> u64 {
        self.ident.load(Relaxed)
    }

    /// In a forked process, which does not have the thread.
    pub fn is_gone_after_fork(&self) {
        if self.state.load(Acquire) != NOT_STARTED {
            std::mem::forget(self.system().take());
            self.state.store(DONE, Release);
        }
    }

    fn system(&self) -> MutexGuard<'_, Option<JoinHandle<()>>> {
        self.system.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for the thread's end.
    pub fn join(&self, vm: &Vm, timeout: Option<i64>) -> Result<()> {
        let deadline = timeout.map(|timeout| monotonic().saturating_add(timeout));
        match self.state.load(Acquire) {
            NOT_STARTED | STARTING => return Err(vm.runtime_error("thread not started")),
            RUNNING if self.ident() == get_ident() => {
                return Err(vm.runtime_error("Cannot join current thread"));
            }
            RUNNING if gil::is_finalizing() => {
                // The thread is stopped: it would have to run Python code to end.
                return Err(vm.raise_new(
                    PYTHON_FINALIZATION_ERROR.ty(),
                    "cannot join thread at interpreter shutdown".to_string(),
                ));
            }
            _ => {}
        }
        while !self.is_done() {
            match blocking(|| parking::wait(&self.state, RUNNING, deadline)) {
                Wait::Woken => {}
                Wait::TimedOut => return Ok(()),
                Wait::Interrupted => vm.check_signals()?,
            }
        }
        let system = self.system().take();
        if let Some(system) = system.filter(|_| self.ident() != get_ident()) {
            // The thread is ending: this does not take long.
            let _ = blocking(|| system.join());
        }
        Ok(())
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

/// A handle of a thread.
pub fn new(thread: Arc<Thread>) -> Value {
    Ref::new(ThreadHandle { header: Header::new(THREAD_HANDLE.ty()), thread }).into_value()
}

/// A handle of a thread that this module did not start.
pub fn foreign(ident: u64) -> Value {
    let thread = Thread::with_state(RUNNING, ident);
    super::start::note(&thread);
    new(thread)
}

/// The thread of a handle.
pub fn of(this: &Value) -> &Arc<Thread> {
    &this.downcast::<ThreadHandle>().expect("methods are called with instances of their type").thread
}

fn slots(s: &mut Slots) {
    s.new = Some(|vm, _, args, kwnames| {
        super::no_arguments(vm, "_ThreadHandle", args, kwnames)?;
        Ok(new(Thread::new()))
    });
    s.repr = Some(|_, this| {
        let ident = of(this).ident();
        Ok(Value::from(format!("<{} object: ident={ident}>", this.ty().name())))
    });
}

static GETSET: &[GetSetDef] = &[GetSetDef::new("ident", "", |_, this| Ok(Value::from(of(this).ident())))];

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
        of(this).join(vm, timeout).map(Value::from)
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
