//! What the interpreter supplies to the object layer.

use crate::object::Result;
use crate::value::Value;
use crate::vm::{Raised, Vm};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicPtr, AtomicUsize, Ordering::SeqCst};

use super::breaker::Breaker;

/// Functions that need frames, modules or the import system.
pub struct Hooks {
    /// `__import__(name)`: the top-level or dotted module itself.
    pub import_module: fn(&Vm, &str) -> Result,
    /// `sys.unraisablehook` with the exception taken from flight.
    pub write_unraisable: fn(&Vm, Value, &str, &Value),
    /// `warnings.warn(message, category, stacklevel, source)`.
    pub warn: fn(&Vm, &Value, &str, usize, Option<&Value>) -> Result<()>,
    /// The globals of the running frame, or `None` outside Python code.
    pub current_globals: fn(&Vm) -> Option<Value>,
    /// Signals, pending calls and switch requests, for long-running native loops.
    pub check_signals: fn(&Vm) -> Result<()>,
    /// `sys.audit(event, *args)`.
    pub audit: fn(&Vm, &str, &[Value]) -> Result<()>,
    /// The `__class__` cell's contents and the first argument of the running function, for `super()`.
    pub super_arguments: fn(&Vm) -> Result<(Value, Value)>,
    /// Whether a value is a function made by `def` or `lambda`.
    pub is_function: fn(&Value) -> bool,
    /// Makes what the interpreter keeps for a thread; the thread is attached and about to run Python code.
    pub thread_starts: fn(&Vm),
    /// Whether something may be called while other threads run.
    #[cfg(feature = "free-threading")]
    pub runs_beside: fn(&Value) -> bool,
    /// Before a thread starts another, without the GIL.
    #[cfg(feature = "free-threading")]
    pub before_thread: fn(),
    /// Gives up what the interpreter keeps for a thread, which is attached and runs no more Python code.
    pub thread_ends: fn(&Vm),
    /// Calls the functions that `atexit` registered.
    pub run_exitfuncs: fn(&Vm),
    /// Takes the handlers of signals away, at the interpreter's end.
    pub finish_signals: fn(),
    /// Writes tracebacks to a descriptor; for signal handlers.
    pub dump_traceback: fn(i32, Dumped),
    /// Writes the names of extension modules to a descriptor; for signal handlers.
    pub dump_extension_modules: fn(i32),
    /// Sends a value into an iterator: what it gave, and whether it is done.
    pub send: fn(&Vm, &Value, &Value) -> Result<(Value, bool)>,
    /// Which kind of generator a value is, if it is one.
    pub generator_kind: fn(&Value) -> Option<GeneratorKind>,
    /// Whether a thread with this identifier runs Python code.
    pub is_thread: fn(&Vm, u64) -> bool,
    /// The process is about to be forked.
    pub before_fork: fn(&Vm),
    /// The process has been forked; in the child (true) this thread is the only one.
    pub after_fork: fn(&Vm, bool),
}

/// Whose traceback to write.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Dumped {
    /// The calling thread's.
    Current,
    /// Those of all threads.
    All,
}

/// What `def` with `yield`, `async def`, or both make when they are called.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum GeneratorKind {
    Generator,
    Coroutine,
    AsyncGenerator,
}

pub static HOOKS: OnceLock<Hooks> = OnceLock::new();

/// Sends a value into an iterator (`PyIter_Send`): what it gave, and whether it is done.
pub fn send(vm: &Vm, receiver: &Value, value: &Value) -> Result<(Value, bool)> {
    match HOOKS.get() {
        Some(hooks) => (hooks.send)(vm, receiver, value),
        None => Err(vm.system_error("generators are not running".to_string())),
    }
}

/// Whether a thread with this identifier runs Python code. The system's functions for threads take no other number.
pub fn is_thread(vm: &Vm, ident: u64) -> bool {
    HOOKS.get().is_some_and(|hooks| (hooks.is_thread)(vm, ident))
}

/// Which kind of generator a value is, if it is one.
pub fn generator_kind(value: &Value) -> Option<GeneratorKind> {
    HOOKS.get().and_then(|hooks| (hooks.generator_kind)(value))
}

/// Reads a line from the terminal: the prompt, and the line with its line feed, or `None` at the end of input.
pub type ReadLine = fn(&Vm, &[u8]) -> Result<Option<Vec<u8>>>;

/// Line editing, once the module `readline` is loaded.
pub static READLINE: OnceLock<ReadLine> = OnceLock::new();

pub use super::gil::{blocking, with_gil};

/// A signal arrived, and its handler has not run yet.
static SIGNAL_REQUESTED: AtomicBool = AtomicBool::new(false);
/// What the main thread's eval loop looks at.
static MAIN_BREAKER: AtomicPtr<Breaker> = AtomicPtr::new(std::ptr::null_mut());
/// The thread that runs signal handlers, by its address of a thread-local variable; 0 before there is one.
static MAIN_THREAD: AtomicUsize = AtomicUsize::new(0);

fn this_thread() -> usize {
    thread_local!(static MARK: u8 = const { 0 });
    MARK.with(|mark| mark as *const u8 as usize)
}

/// Makes the calling thread the main thread if there is none. `breaker` is set when a signal arrives.
pub fn attach_main_thread(breaker: &'static Breaker) {
    if MAIN_THREAD.compare_exchange(0, this_thread(), SeqCst, SeqCst).is_ok() {
        MAIN_BREAKER.store(breaker as *const Breaker as *mut Breaker, SeqCst);
    }
}

/// Makes the calling thread the main thread: after a fork it is the only one.
pub fn adopt_main_thread(breaker: &'static Breaker) {
    MAIN_THREAD.store(this_thread(), SeqCst);
    MAIN_BREAKER.store(breaker as *const Breaker as *mut Breaker, SeqCst);
}

/// `breaker` is about to go: if it is the main thread's, there is no main thread any more.
pub fn detach_main_thread(breaker: &Breaker) {
    let pointer = breaker as *const Breaker as *mut Breaker;
    if MAIN_BREAKER.compare_exchange(pointer, std::ptr::null_mut(), SeqCst, SeqCst).is_ok() {
        MAIN_THREAD.store(0, SeqCst);
    }
}

/// Whether there is a thread that runs signal handlers.
pub fn has_main_thread() -> bool {
    MAIN_THREAD.load(SeqCst) != 0
}

/// Whether the calling thread is the one that runs signal handlers.
pub fn is_main_thread() -> bool {
    MAIN_THREAD.load(SeqCst) == this_thread()
}

/// Asks the main thread to run signal handlers at its next safepoint. Async-signal-safe.
pub fn request_signal_check() {
    SIGNAL_REQUESTED.store(true, SeqCst);
    let breaker = MAIN_BREAKER.load(SeqCst);
    if !breaker.is_null() {
        // SAFETY: `attach_main_thread` and `adopt_main_thread` store only what lives forever.
        unsafe { &*breaker }.request();
    }
}

/// Whether signal handlers were asked for since the last call.
pub fn take_signal_request() -> bool {
    SIGNAL_REQUESTED.load(SeqCst) && SIGNAL_REQUESTED.swap(false, SeqCst)
}

impl Vm {
    /// The thread starts to run Python code: it is attached and gets the interpreter's state.
    pub fn thread_starts(&self) {
        self.attach();
        if let Some(hooks) = self.hooks() {
            #[cfg(feature = "free-threading")]
            if super::world::is_free_threaded() {
                (hooks.before_thread)();
            }
            (hooks.thread_starts)(self);
        }
    }

    /// The calling thread, which is attached, is about to start another one.
    pub fn before_thread(&self) {
        #[cfg(feature = "free-threading")]
        if super::world::is_free_threaded() {
            if let Some(hooks) = self.hooks() {
                (hooks.before_thread)();
            }
            super::world::before_start(self);
        }
    }

    /// It could not be started.
    pub fn no_thread(&self) {
        #[cfg(feature = "free-threading")]
        super::world::start_failed();
    }

    /// The attached thread runs no more Python code.
    pub fn thread_ends(&self) {
        #[cfg(feature = "free-threading")]
        if crate::count::has_waiting() {
            crate::count::settle();
        }
        if let Some(hooks) = self.hooks() {
            (hooks.thread_ends)(self);
        }
    }

    /// Before the process is forked.
    pub fn before_fork(&self) {
        if let Some(hooks) = self.hooks() {
            (hooks.before_fork)(self);
        }
    }

    /// Afterwards, in the child or in the parent.
    pub fn after_fork(&self, in_child: bool) {
        if let Some(hooks) = self.hooks() {
            (hooks.after_fork)(self, in_child);
        }
    }

    fn hooks(&self) -> Option<&'static Hooks> {
        HOOKS.get()
    }

    /// Imports a module, e.g. `vm.import("collections.abc")`.
    pub fn import(&self, name: &str) -> Result {
        match self.hooks() {
            Some(hooks) => (hooks.import_module)(self, name),
            None => Err(self.system_error("the import system is not running".to_string())),
        }
    }

    /// `module.name`, importing the module.
    pub fn import_from(&self, module: &str, name: &str) -> Result {
        let module = self.import(module)?;
        self.get_attr_str(&module, name)
    }

    /// Reports an exception that nobody can catch.
    pub fn write_unraisable(&self, raised: Raised, message: &str, object: &Value) {
        let exception = self.take(raised);
        if let Some(hooks) = self.hooks() {
            (hooks.write_unraisable)(self, exception, message, object);
        }
    }

    /// Issues a warning of `category` (a class); an error if the filters say so.
    pub fn warn(&self, category: &Value, message: &str, stacklevel: usize) -> Result<()> {
        match self.hooks() {
            Some(hooks) => (hooks.warn)(self, category, message, stacklevel, None),
            None => Ok(()),
        }
    }

    /// Issues a `ResourceWarning` about `source`, which was not closed.
    pub fn warn_resource(&self, source: &Value, message: &str) -> Result<()> {
        match self.hooks() {
            Some(hooks) => (hooks.warn)(self, &crate::exceptions::RESOURCE_WARNING.value(), message, 1, Some(source)),
            None => Ok(()),
        }
    }

    pub fn current_globals(&self) -> Option<Value> {
        self.hooks().and_then(|hooks| (hooks.current_globals)(self))
    }

    /// To be called now and then by native loops that may take long.
    pub fn check_signals(&self) -> Result<()> {
        match self.hooks() {
            Some(hooks) => (hooks.check_signals)(self),
            None => Ok(()),
        }
    }

    pub fn audit(&self, event: &str, args: &[Value]) -> Result<()> {
        match self.hooks() {
            Some(hooks) => (hooks.audit)(self, event, args),
            None => Ok(()),
        }
    }
}
