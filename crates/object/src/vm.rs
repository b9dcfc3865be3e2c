//! The virtual machine as objects see it: the thread's state, exceptions in flight, and the protocols
//! (call, attribute access, iteration, comparison, conversion) by which types are used.
//!
//! A function that takes `&Vm` may run Python code. `protocol/` has the protocols, `errors.rs` constructors of
//! exceptions, `names.rs` the interned names, `hooks.rs` what the interpreter supplies.

pub mod breaker;
pub mod call;
pub mod convert;
pub mod errors;
pub mod gil;
pub mod hooks;
pub mod iterate;
pub mod memory;
pub mod names;
pub mod number;
pub mod quick_compare;
pub mod repr;
pub mod sequence;
pub mod thread_table;
#[cfg(feature = "free-threading")]
pub mod world;

use crate::value::Value;
use std::cell::Cell;
use std::marker::PhantomData;

pub use call::{Method, with_joined};
pub use names::names;

/// Proof that an exception is set in the thread's [`Vm`]. Has no size: `Result<Value, Raised>` is one word.
///
/// It must be returned, or consumed by [`Vm::take`], [`Vm::discard`] or a method built on them.
#[must_use = "an exception is in flight"]
pub struct Raised(PhantomData<*const ()>);

impl std::fmt::Debug for Raised {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Raised")
    }
}

/// The state of one thread.
pub struct Vm {
    /// The exception in flight.
    exception: Cell<Option<Value>>,
    /// The word of the exception being handled (`sys.exception()`), which the interpreter owns; 0 for none.
    handled: Cell<u64>,
    /// The lowest address the native stack may reach before `RecursionError`; `usize::MAX` when memory has run out: the next
    /// check of the stack raises `MemoryError`.
    stack_limit: Cell<usize>,
    /// What `stack_limit` is at other times.
    stack_end: Cell<usize>,
    /// Objects whose `repr` is running, for recursive containers.
    pub(crate) repr_running: std::cell::RefCell<repr::Running>,
    /// The interpreter's own per-thread state.
    pub interpreter: Cell<*mut ()>,
    /// Whether the thread holds the GIL.
    attached: Cell<bool>,
    /// The thread's eval breaker, or null.
    breaker: Cell<*const breaker::Breaker>,
}

thread_local! {
    static CURRENT: Cell<*const Vm> = const { Cell::new(std::ptr::null()) };
}

impl Drop for Vm {
    fn drop(&mut self) {
        drop(self.exception.take());
        if std::ptr::eq(CURRENT.get(), self) {
            CURRENT.set(std::ptr::null());
        }
        #[cfg(feature = "free-threading")]
        if self.attached.get() {
            world::thread_ends(self);
        }
        if self.attached.get() {
            self.detach_for_ever();
        }
    }
}

impl Vm {
    /// State for the current thread, whose native stack has `stack_size` bytes left.
    pub fn new(stack_size: usize) -> Box<Vm> {
        let here = &raw const stack_size as usize;
        let reserve = 256 * 1024;
        let stack_end = here.saturating_sub(stack_size.saturating_sub(reserve));
        crate::heap::set_exhausted_hook(Vm::memory_ran_out);
        let vm = Box::new(Vm {
            exception: Cell::new(None),
            handled: Cell::new(0),
            stack_limit: Cell::new(stack_end),
            stack_end: Cell::new(stack_end),
            repr_running: Default::default(),
            interpreter: Cell::new(std::ptr::null_mut()),
            attached: Cell::new(false),
            breaker: Cell::new(std::ptr::null()),
        });
        CURRENT.set(&*vm);
        vm
    }

    /// Runs `f` with the current thread's state.
    pub fn with_current<R>(f: impl FnOnce(&Vm) -> R) -> R {
        let vm = CURRENT.get();
        assert!(!vm.is_null(), "this thread runs no Python");
        // SAFETY: set by `Vm::new` on this thread; the state outlives the thread's Python code.
        f(unsafe { &*vm })
    }

    /// The current thread's state, if it runs Python.
    pub fn try_current() -> Option<&'static Vm> {
        let vm = CURRENT.get();
        // SAFETY: as in `with_current`.
        if vm.is_null() { None } else { Some(unsafe { &*vm }) }
    }

    /// Makes `exception` (an instance of `BaseException`) the exception in flight, with the handled one as context.
    pub fn raise(&self, exception: Value) -> Raised {
        let context = self.handled();
        if let Some(context) = context {
            crate::exceptions::chain_context(&exception, context);
        }
        self.set_exception(exception)
    }

    /// As [`Vm::raise`], leaving the context alone (re-raising).
    pub fn set_exception(&self, exception: Value) -> Raised {
        debug_assert!(exception.downcast::<crate::exceptions::BaseException>().is_some());
        let old = self.exception.replace(Some(exception));
        drop(old);
        Raised(PhantomData)
    }

    /// Takes the exception out of flight.
    pub fn take(&self, raised: Raised) -> Value {
        let Raised(_) = raised;
        self.exception.take().expect("`Raised` stands for an exception in flight")
    }

    /// Drops the exception in flight.
    pub fn discard(&self, raised: Raised) {
        drop(self.take(raised));
    }

    /// The exception in flight, left in flight.
    pub fn pending(&self, _raised: &Raised) -> Value {
        let exception = self.exception.take().expect("`Raised` stands for an exception in flight");
        self.exception.set(Some(exception.clone()));
        exception
    }

    /// Whether an exception is in flight (for the dispatch loop, whose handlers return words).
    pub fn has_exception(&self) -> bool {
        let exception = self.exception.take();
        let is = exception.is_some();
        self.exception.set(exception);
        is
    }

    /// Turns "a word of 0 was returned" back into [`Raised`].
    ///
    /// The caller knows that an exception is in flight.
    pub fn raised(&self) -> Raised {
        debug_assert!(self.has_exception());
        Raised(PhantomData)
    }

    /// Whether the exception in flight is an instance of `ty`.
    pub fn pending_matches(&self, raised: &Raised, ty: &crate::types::Type) -> bool {
        self.pending(raised).ty().is_subtype(ty)
    }

    /// If the exception in flight is an instance of `ty`, takes it; else passes it on.
    pub fn catch(&self, raised: Raised, ty: &crate::types::Type) -> crate::object::Result<Value> {
        if self.pending_matches(&raised, ty) { Ok(self.take(raised)) } else { Err(raised) }
    }

    /// Runs `f` with no exception in flight and puts back the one that was.
    pub fn preserving_exception<R>(&self, f: impl FnOnce(&Vm) -> R) -> R {
        let saved = self.exception.take();
        let result = f(self);
        let left = self.exception.replace(saved);
        drop(left);
        result
    }

    /// The exception being handled.
    pub fn handled(&self) -> Option<Value> {
        let word = self.handled.get();
        // SAFETY: whoever set it keeps it alive.
        (word != 0).then(|| unsafe { Value::borrow_word(&word) }.clone())
    }

    /// Says which exception is being handled: its word, or 0.
    ///
    /// # Safety
    /// The caller owns the exception, and sets another before it lets go of it.
    pub unsafe fn set_handled(&self, word: u64) {
        self.handled.set(word);
    }

    /// Checks that the native stack has room; `where_` ends the message ("maximum recursion depth exceeded" + where_).
    #[inline(always)]
    pub fn check_stack(&self, where_: &str) -> crate::object::Result<()> {
        let here = 0u8;
        if (&raw const here as usize) < self.stack_limit.get() { Err(self.stack_exhausted(where_)) } else { Ok(()) }
    }

    /// Whether the native stack has room; [`Vm::check_stack`] raises if it has not.
    #[inline(always)]
    pub fn has_stack(&self) -> bool {
        let here = 0u8;
        (&raw const here as usize) >= self.stack_limit.get()
    }

    /// How many bytes of native stack may still be used.
    pub fn stack_left(&self) -> usize {
        let here = 0u8;
        (&raw const here as usize).saturating_sub(self.stack_end.get())
    }

    /// The heap's reserve was touched where nobody could be told: the thread is to raise `MemoryError` soon. Allocates nothing.
    fn memory_ran_out() {
        if let Some(vm) = Vm::try_current() {
            vm.stack_limit.set(usize::MAX);
            // SAFETY: the breaker outlives the thread's Python code.
            if let Some(breaker) = unsafe { vm.breaker.get().as_ref() } {
                breaker.request();
            }
        }
    }

    /// Undoes [`Vm::memory_ran_out`].
    fn restore_stack_limit(&self) {
        if self.stack_limit.get() == usize::MAX {
            self.stack_limit.set(self.stack_end.get());
        }
    }

    #[cold]
    fn stack_exhausted(&self, where_: &str) -> Raised {
        if self.stack_limit.get() == usize::MAX {
            self.restore_stack_limit();
            let raised = self.memory_error();
            // The exception itself may come from the reserve.
            self.restore_stack_limit();
            crate::heap::MEMORY_EXHAUSTED.store(false, std::sync::atomic::Ordering::Relaxed);
            return raised;
        }
        // Room for the handlers: the limit is lowered while the exception is made.
        let limit = self.stack_limit.get();
        self.stack_limit.set(limit.saturating_sub(64 * 1024));
        let raised = self.recursion_error(format!("maximum recursion depth exceeded{where_}"));
        self.stack_limit.set(limit);
        raised
    }

    /// Enters `repr` of `this`; false if it is already running (a recursive container).
    pub fn enter_repr(&self, this: &Value) -> bool {
        self.repr_running.borrow_mut().enter(this.word())
    }
    /// Whether `repr` of `this` is already running.
    pub fn repr_is_running(&self, this: &Value) -> bool {
        self.repr_running.borrow().contains(this.word())
    }
    pub fn leave_repr(&self, this: &Value) {
        self.repr_running.borrow_mut().leave(this.word());
    }
}
