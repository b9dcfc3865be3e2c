//! `_asyncio.Future`

use taipan_object::builtins::dict::Dict;
use taipan_object::builtins::generic_alias::CLASS_GETITEM;
use taipan_object::builtins::list::List;
use taipan_object::builtins::str::intern;
use taipan_object::builtins::tuple::Tuple;
use taipan_object::cell::ObjectCell;
use taipan_object::exceptions::{self, BaseException, RUNTIME_ERROR, STOP_ITERATION};
use taipan_object::header::Header;
use taipan_object::native::{GetSetDef, MethodDef};
use taipan_object::object::Visitor;
use taipan_object::types::slots::Slots;
use taipan_object::types::{Type, TypeSpec, type_flags};
use taipan_object::vm::gil;
use taipan_object::{Raised, Result, Value, Vm, method_table};

use super::library::{call_soon, invalid_state, library, names};
use super::task::Task;
use super::{awaited_by, future_iterator, running};
use crate::_contextvars::context;
use crate::payload::{Field, class_of, payload, signature};

/// How far a future has come.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Phase {
    Pending,
    Cancelled,
    Finished,
}

impl Field for Phase {
    fn visit(&self, _: Visitor) {}
    fn take(&mut self) -> Self {
        *self
    }
}

payload! {
    /// A future has a loop once `__init__` has succeeded. `callbacks` are functions with the contexts to call them in.
    pub struct Future(FutureState): FUTURE {
        event_loop: Option<Value>,
        callbacks: Vec<(Value, Value)>,
        result: Option<Value>,
        exception: Option<Value>,
        exception_traceback: Value,
        source_traceback: Option<Value>,
        cancel_message: Option<Value>,
        /// What ended a cancelled task, to be raised by `result()` once.
        cancelled_exception: Option<Value>,
        /// The future that waits for this one, or a set of several.
        awaited_by: Option<Value>,
        phase: Phase,
        /// The exception is to be logged if nobody asks for it.
        log_traceback: bool,
        /// The future has just been yielded by its own iterator.
        blocking: bool,
    }
}

pub static FUTURE: TypeSpec = TypeSpec::new::<Future>("_asyncio.Future")
    .doc("Future(*, loop=None)\n--\n\nThe result of an operation that is under way.\n\nIt resembles concurrent.futures.Future, but result() and exception() do not wait: they raise\nan exception when the future is not done. Callbacks are called by the event loop.")
    .flags(type_flags::BASETYPE | type_flags::HAS_DICT | type_flags::HAS_WEAKREF)
    .slots(slots)
    .methods(METHODS)
    .getset(GETSET);

signature!(INIT = "Future(*, loop=None)");

/// How a future ended.
pub enum Outcome {
    Result(Value),
    Exception(Value),
}

/// The loop of any future: what `get_loop()` says, or else `_loop`.
pub fn loop_of(vm: &Vm, future: &Value) -> Result {
    if is_exact(future)
        && let Some(event_loop) = Future::of(future).event_loop()
    {
        return Ok(event_loop);
    }
    match vm.get_attr_opt(future, &names().get_loop)? {
        Some(get_loop) => vm.call_args(&get_loop, &[]),
        None => vm.get_attr(future, &names()._loop),
    }
}

/// Whether a value is a future or a task of this module, no instance of a subclass.
pub fn is_exact(value: &Value) -> bool {
    value.ty().is(&FUTURE) || value.ty().is(&super::task::TASK)
}

impl Future {
    /// A future as `__new__` makes it.
    pub fn blank(class: &Type) -> Future {
        Future { header: Header::new(class), state: ObjectCell::new(blank()) }
    }

    /// `__init__`: the future is pending again, in a loop.
    pub fn init(&self, vm: &Vm, event_loop: Option<&Value>) -> Result<()> {
        let old = self.with(|state| std::mem::replace(state, blank()));
        drop(old);
        let event_loop = match event_loop {
            Some(event_loop) => event_loop.clone(),
            None => super::event_loop(vm)?,
        };
        let old = self.with(|state| state.event_loop.replace(event_loop.clone()));
        drop(old);
        let debug = vm.call_method_name(&event_loop, &names().get_debug, &[])?;
        if vm.is_true(&debug)? && !gil::is_finalizing() {
            let stack = vm.call_args(&library(vm)?.extract_stack, &[])?;
            let old = self.with(|state| state.source_traceback.replace(stack));
            drop(old);
        }
        Ok(())
    }

    pub fn event_loop(&self) -> Option<Value> {
        self.with(|state| state.event_loop.clone())
    }

    /// The loop, in a future that has been initialised.
    pub fn checked_loop(&self, vm: &Vm) -> Result {
        self.event_loop().ok_or_else(|| vm.runtime_error("Future object is not initialized."))
    }

    pub fn phase(&self) -> Phase {
        self.with(|state| state.phase)
    }

    pub fn is_pending(&self) -> bool {
        self.phase() == Phase::Pending
    }

    pub fn is_blocking(&self) -> bool {
        self.with(|state| state.blocking)
    }

    pub fn set_blocking(&self, blocking: bool) {
        self.with(|state| state.blocking = blocking);
    }

    pub fn awaited_by(&self) -> Option<Value> {
        self.with(|state| state.awaited_by.clone())
    }

    pub fn set_awaited_by(&self, waiters: Option<Value>) {
        let old = self.with(|state| std::mem::replace(&mut state.awaited_by, waiters));
        drop(old);
    }

    pub fn source_traceback(&self) -> Option<Value> {
        self.with(|state| state.source_traceback.clone())
    }

    pub fn cancel_message(&self) -> Value {
        self.with(|state| state.cancel_message.clone()).unwrap_or(Value::NONE)
    }

    pub fn set_cancel_message(&self, message: Value) {
        let old = self.with(|state| state.cancel_message.replace(message));
        drop(old);
    }

    pub fn forget_to_log(&self) {
        self.with(|state| state.log_traceback = false);
    }

    /// Remembers the exception by which a task was cancelled.
    pub fn set_cancelled_exception(&self, exception: Value) {
        let old = self.with(|state| state.cancelled_exception.replace(exception));
        drop(old);
    }

    /// The exception to raise for a cancelled future.
    pub fn make_cancelled_error(&self, vm: &Vm) -> Result {
        let (exception, message) = self.with(|state| (state.cancelled_exception.take(), state.cancel_message.clone()));
        if let Some(exception) = exception {
            return Ok(exception);
        }
        let class = &library(vm)?.cancelled_error;
        match message.filter(|message| !message.is_none()) {
            Some(message) => vm.call_args(class, &[message]),
            None => vm.call_args(class, &[]),
        }
    }

    #[cold]
    fn raise_cancelled(&self, vm: &Vm) -> Raised {
        match self.make_cancelled_error(vm) {
            Ok(exception) => vm.raise(exception),
            Err(raised) => raised,
        }
    }

    /// How the future ended; an exception if it did not, or was cancelled.
    pub fn outcome(&self, vm: &Vm) -> Result<Outcome> {
        if self.event_loop().is_none() {
            return Err(invalid_state(vm, "Future object is not initialized."));
        }
        match self.phase() {
            Phase::Cancelled => return Err(self.raise_cancelled(vm)),
            Phase::Pending => return Err(invalid_state(vm, "Result is not set.")),
            Phase::Finished => {}
        }
        let (result, exception, traceback) = self.with(|state| {
            state.log_traceback = false;
            let traceback = std::mem::replace(&mut state.exception_traceback, Value::NONE);
            (state.result.clone(), state.exception.clone(), traceback)
        });
        if let Some(exception) = exception {
            exceptions::set_traceback(&exception, traceback);
            return Ok(Outcome::Exception(exception));
        }
        Ok(Outcome::Result(result.unwrap_or(Value::NONE)))
    }

    /// `result()`
    pub fn result(&self, vm: &Vm) -> Result {
        match self.outcome(vm)? {
            Outcome::Result(result) => Ok(result),
            Outcome::Exception(exception) => Err(vm.raise(exception)),
        }
    }

    fn exception(&self, vm: &Vm) -> Result {
        if self.event_loop().is_none() {
            return Err(invalid_state(vm, "Future object is not initialized."));
        }
        match self.phase() {
            Phase::Cancelled => Err(self.raise_cancelled(vm)),
            Phase::Pending => Err(invalid_state(vm, "Exception is not set.")),
            Phase::Finished => Ok(self.with(|state| {
                state.log_traceback = false;
                state.exception.clone().unwrap_or(Value::NONE)
            })),
        }
    }

    fn check_pending(&self, vm: &Vm) -> Result<()> {
        self.checked_loop(vm)?;
        if self.is_pending() { Ok(()) } else { Err(invalid_state(vm, "invalid state")) }
    }

    /// Ends the future with a result.
    pub fn set_result(&self, vm: &Vm, this: &Value, result: Value) -> Result<()> {
        self.check_pending(vm)?;
        let old = self.with(|state| {
            state.phase = Phase::Finished;
            state.result.replace(result)
        });
        drop(old);
        self.schedule_callbacks(vm, this)
    }

    /// Ends the future with an exception: an instance or a class.
    pub fn set_exception(&self, vm: &Vm, this: &Value, exception: &Value) -> Result<()> {
        self.check_pending(vm)?;
        let is_class =
            exception.downcast::<Type>().is_some_and(|class| class.is_subtype(exceptions::BASE_EXCEPTION.ty()));
        let mut exception = if is_class {
            let made = vm.call_args(exception, &[])?;
            if !self.is_pending() {
                return Err(invalid_state(vm, "invalid state"));
            }
            made
        } else {
            exception.clone()
        };
        if exception.downcast::<BaseException>().is_none() {
            return Err(vm.type_error("invalid exception object"));
        }
        if exception.ty().is_subtype(STOP_ITERATION.ty()) {
            let message = "StopIteration interacts badly with generators and cannot be raised into a Future";
            let error = exceptions::new_exception(RUNTIME_ERROR.ty(), vec![Value::from(message)]);
            exceptions::set_cause(&error, Some(exception.clone()));
            exceptions::set_context(&error, Some(exception));
            exception = error;
        }
        let traceback = exceptions::traceback(&exception);
        let old = self.with(|state| {
            state.phase = Phase::Finished;
            let traceback = std::mem::replace(&mut state.exception_traceback, traceback);
            (state.exception.replace(exception), traceback)
        });
        drop(old);
        self.schedule_callbacks(vm, this)?;
        self.with(|state| state.log_traceback = true);
        Ok(())
    }

    /// Cancels the future; false if it is done.
    pub fn cancel(&self, vm: &Vm, this: &Value, message: Value) -> Result<bool> {
        let old = self.with(|state| {
            state.log_traceback = false;
            if state.phase != Phase::Pending {
                return None;
            }
            state.phase = Phase::Cancelled;
            Some(state.cancel_message.replace(message))
        });
        if old.is_none() {
            return Ok(false);
        }
        drop(old);
        self.schedule_callbacks(vm, this)?;
        Ok(true)
    }

    /// The future is done: its loop calls the callbacks.
    fn schedule_callbacks(&self, vm: &Vm, this: &Value) -> Result<()> {
        if let Some(task) = this.downcast::<Task>() {
            running::unlist(task);
        }
        let (callbacks, event_loop) =
            self.with(|state| (std::mem::take(&mut state.callbacks), state.event_loop.clone()));
        let Some(event_loop) = event_loop else { return Ok(()) };
        for (callback, context) in callbacks {
            call_soon(vm, &event_loop, callback, Some(this), &context)?;
        }
        Ok(())
    }

    /// Has `callback` called when the future is done.
    pub fn add_done_callback(&self, vm: &Vm, this: &Value, callback: Value, context: Value) -> Result<()> {
        let Some(event_loop) = self.event_loop() else {
            return Err(vm.runtime_error("uninitialized Future object"));
        };
        if !self.is_pending() {
            return call_soon(vm, &event_loop, callback, Some(this), &context);
        }
        self.with(|state| state.callbacks.push((callback, context)));
        Ok(())
    }

    /// Forgets the callbacks that are equal to `callback`; how many there were.
    fn remove_done_callback(&self, vm: &Vm, callback: &Value) -> Result<usize> {
        self.checked_loop(vm)?;
        let all = self.with(|state| state.callbacks.clone());
        let mut removed = Vec::new();
        // Comparing may change the list: what is removed is found again by identity.
        for entry in all {
            if vm.equal_or_identical(&entry.0, callback)? {
                removed.push(entry);
            }
        }
        let is_removed =
            |entry: &(Value, Value)| removed.iter().any(|(f, context)| f.is(&entry.0) && context.is(&entry.1));
        let dropped: Vec<(Value, Value)> = self.with(|state| {
            let (dropped, kept) = std::mem::take(&mut state.callbacks).into_iter().partition(is_removed);
            state.callbacks = kept;
            dropped
        });
        Ok(dropped.len())
    }

    /// Logs an exception that nobody asked for.
    fn log_exception(&self, vm: &Vm, this: &Value) {
        let wanted = self.with(|state| std::mem::replace(&mut state.log_traceback, false));
        let Some(exception) = self.with(|state| state.exception.clone()).filter(|_| wanted) else { return };
        let name = this.ty().short_name();
        let message = format!("{name} exception was never retrieved");
        let details = [("message", Value::from(message)), ("exception", exception), ("future", this.clone())];
        self.call_exception_handler(vm, &details);
    }

    /// Tells the loop's exception handler of something.
    pub fn call_exception_handler(&self, vm: &Vm, details: &[(&str, Value)]) {
        let context = Dict::new();
        for (name, value) in details {
            context.set_str(intern(name).as_value(), value.clone());
        }
        if let Some(source) = self.source_traceback() {
            context.set_str(intern("source_traceback").as_value(), source);
        }
        let Some(event_loop) = self.event_loop() else { return };
        let handler = match vm.get_attr(&event_loop, &names().call_exception_handler) {
            Ok(handler) => handler,
            Err(raised) => return vm.write_unraisable(raised, "", &event_loop),
        };
        if let Err(raised) = vm.call_args(&handler, &[context.into_value()]) {
            let shown = vm.preserving_exception(|vm| {
                vm.repr_string(&handler).unwrap_or_else(|raised| {
                    vm.discard(raised);
                    "<object repr() failed>".to_string()
                })
            });
            let message = format!("Exception ignored while calling asyncio function {shown}");
            vm.write_unraisable(raised, &message, &Value::NONE);
        }
    }
}

fn blank() -> FutureState {
    FutureState {
        event_loop: None,
        callbacks: Vec::new(),
        result: None,
        exception: None,
        exception_traceback: Value::NONE,
        source_traceback: None,
        cancel_message: None,
        cancelled_exception: None,
        awaited_by: None,
        phase: Phase::Pending,
        log_traceback: false,
        blocking: false,
    }
}

fn slots(s: &mut Slots) {
    s.new = Some(|_, class, _, _| Ok(Future::make(class_of(class), blank())));
    s.init = Some(|vm, this, args, kwnames| {
        let args = INIT.bind(vm, args, kwnames)?;
        Future::of(this).init(vm, args[0].given())
    });
    s.finalize = Some(finalize);
    s.iter = Some(iter);
    s.await_ = Some(iter);
    s.repr = Some(|vm, this| {
        Future::of(this).checked_loop(vm)?;
        vm.call_args(&library(vm)?.future_repr, std::slice::from_ref(this))
    });
}

pub fn finalize(vm: &Vm, this: &Value) {
    Future::of(this).log_exception(vm, this);
}

fn iter(vm: &Vm, this: &Value) -> Result {
    Future::of(this).checked_loop(vm)?;
    Ok(future_iterator::new(this.clone()))
}

/// A context given by keyword, or a copy of the current one.
pub fn context_or_current(context: &Value) -> Value {
    context.bound().cloned().unwrap_or_else(|| context::copy_current().into_value())
}

/// For setters: deleting an attribute is refused.
pub fn undeletable<'a>(vm: &Vm, this: &Value, name: &str, value: Option<&'a Value>) -> Result<&'a Value> {
    value.ok_or_else(|| {
        let class = this.ty().name();
        vm.attribute_error(format!("attribute '{name}' of '{class}' objects cannot be deleted"))
    })
}

fn callbacks(vm: &Vm, this: &Value) -> Result {
    let future = Future::of(this);
    future.checked_loop(vm)?;
    let callbacks = future.with(|state| state.callbacks.clone());
    if callbacks.is_empty() {
        return Ok(Value::NONE);
    }
    let pairs = callbacks.into_iter().map(|(callback, context)| Tuple::from_array([callback, context]).into_value());
    Ok(List::from_vec(pairs.collect()).into_value())
}

static GETSET: &[GetSetDef] = &[
    GetSetDef::new("_state", "", |vm, this| {
        let future = Future::of(this);
        future.checked_loop(vm)?;
        Ok(Value::from(match future.phase() {
            Phase::Pending => "PENDING",
            Phase::Cancelled => "CANCELLED",
            Phase::Finished => "FINISHED",
        }))
    }),
    GetSetDef::new("_asyncio_future_blocking", "", |_, this| Ok(Value::bool(Future::of(this).is_blocking()))).setter(
        |vm, this, value| {
            let future = Future::of(this);
            future.checked_loop(vm)?;
            let value = undeletable(vm, this, "_asyncio_future_blocking", value)?;
            future.set_blocking(vm.is_true(value)?);
            Ok(())
        },
    ),
    GetSetDef::new("_asyncio_awaited_by", "", |vm, this| awaited_by::shown(vm, Future::of(this))),
    GetSetDef::new("_loop", "", |_, this| Ok(Future::of(this).event_loop().unwrap_or(Value::NONE))),
    GetSetDef::new("_callbacks", "", callbacks),
    GetSetDef::new("_result", "", |vm, this| {
        let future = Future::of(this);
        future.checked_loop(vm)?;
        Ok(future.with(|state| state.result.clone()).unwrap_or(Value::NONE))
    }),
    GetSetDef::new("_exception", "", |vm, this| {
        let future = Future::of(this);
        future.checked_loop(vm)?;
        Ok(future.with(|state| state.exception.clone()).unwrap_or(Value::NONE))
    }),
    GetSetDef::new("_log_traceback", "", |vm, this| {
        let future = Future::of(this);
        future.checked_loop(vm)?;
        Ok(Value::bool(future.with(|state| state.log_traceback)))
    })
    .setter(|vm, this, value| {
        let value = undeletable(vm, this, "_log_traceback", value)?;
        if vm.is_true(value)? {
            return Err(vm.value_error("_log_traceback can only be set to False"));
        }
        Future::of(this).forget_to_log();
        Ok(())
    }),
    GetSetDef::new("_source_traceback", "", |_, this| Ok(Future::of(this).source_traceback().unwrap_or(Value::NONE))),
    GetSetDef::new("_cancel_message", "", |_, this| Ok(Future::of(this).cancel_message())).setter(|vm, this, value| {
        let value = undeletable(vm, this, "_cancel_message", value)?;
        Future::of(this).set_cancel_message(value.clone());
        Ok(())
    }),
];

method_table! { static METHODS = [
    MethodDef::new("result($self, /)", "The result of the future, or the exception raised that it ended with.\n\nA future that was cancelled raises CancelledError, one that is not done InvalidStateError.",
        |vm, this, _| Future::of(this).result(vm)),
    MethodDef::new("exception($self, /)", "The exception that the future ended with, or None.\n\nA future that was cancelled raises CancelledError, one that is not done InvalidStateError.",
        |vm, this, _| Future::of(this).exception(vm)),
    MethodDef::new("set_result($self, result, /)", "Mark the future done and set its result.\n\nInvalidStateError is raised if it is done already.", |vm, this, args| {
        Future::of(this).set_result(vm, this, args[0].clone())?;
        Ok(Value::NONE)
    }),
    MethodDef::new("set_exception($self, exception, /)", "Mark the future done and set an exception.\n\nInvalidStateError is raised if it is done already.", |vm, this, args| {
        Future::of(this).set_exception(vm, this, &args[0])?;
        Ok(Value::NONE)
    }),
    MethodDef::new("add_done_callback($self, fn, /, *, context=<unrepresentable>)", "Add a callback to be run when the future becomes done.\n\nIt is called with one argument, the future. If the future is done, the callback is\nscheduled at once.", |vm, this, args| {
        let context = context_or_current(&args[1]);
        Future::of(this).add_done_callback(vm, this, args[0].clone(), context)?;
        Ok(Value::NONE)
    }),
    MethodDef::new("remove_done_callback($self, fn, /)", "Remove all instances of a callback; how many there were.", |vm, this, args| {
        Future::of(this).remove_done_callback(vm, &args[0]).map(Value::from)
    }),
    MethodDef::new("cancel($self, /, msg=None)", "Cancel the future and schedule its callbacks.\n\nThe result is False if it is done already.", |vm, this, args| {
        let future = Future::of(this);
        future.checked_loop(vm)?;
        future.cancel(vm, this, args[0].clone()).map(Value::bool)
    }),
    MethodDef::new("cancelled($self, /)", "Whether the future was cancelled.", |_, this, _| {
        Ok(Value::bool(Future::of(this).phase() == Phase::Cancelled))
    }),
    MethodDef::new("done($self, /)", "Whether the future is done: it has a result or an exception, or was cancelled.", |_, this, _| {
        Ok(Value::bool(!Future::of(this).is_pending()))
    }),
    MethodDef::new("get_loop($self, /)", "The event loop that the future is bound to.", |vm, this, _| {
        Future::of(this).checked_loop(vm)
    }),
    MethodDef::new("_make_cancelled_error($self, /)", "Create the CancelledError to raise if the future is cancelled.\n\nTo be called once, as the exception that is kept for it is given away.", |vm, this, _| {
        Future::of(this).make_cancelled_error(vm)
    }),
    CLASS_GETITEM,
]; }
