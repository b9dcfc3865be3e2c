//! `_asyncio.Task`: a future that runs a coroutine. How it runs is in `step.rs`.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};

use taipan_object::builtins::generic_alias::CLASS_GETITEM;
use taipan_object::builtins::str::STR;
use taipan_object::cell::ObjectCell;
use taipan_object::heap::Kind;
use taipan_object::native::{GetSetDef, MethodDef};
use taipan_object::object::{Payload, Visitor};
use taipan_object::types::slots::Slots;
use taipan_object::types::{Type, TypeSpec, type_flags};
use taipan_object::vm::hooks::{GeneratorKind, generator_kind};
use taipan_object::{Ref, Result, Value, Vm, method_table};

use super::future::{self, FUTURE, Future, context_or_current, undeletable};
use super::library::{library, names};
use super::{running, step};
use crate::payload::{class_of, signature};

/// The layout is a future's, with more behind it.
#[repr(C)]
pub struct Task {
    future: Future,
    own: ObjectCell<TaskState>,
    /// The place on the list of tasks that are not done, counted from 1; 0: none. Changes under the list's lock.
    pub(super) place: AtomicUsize,
}

pub struct TaskState {
    coroutine: Option<Value>,
    /// The context in which the coroutine runs.
    context: Option<Value>,
    /// What the coroutine waits for.
    waiter: Option<Value>,
    /// A str, or the number of a task that was given no name; `None` before `__init__`.
    name: Option<Value>,
    /// `CancelledError` is to be raised in the coroutine at its next step.
    must_cancel: bool,
    log_destroy_pending: bool,
    cancel_requests: i64,
}

// SAFETY: repr(C), begins with a future; every reference is visited.
unsafe impl Payload for Task {
    const KIND: Kind = Kind::Container;
    fn static_type() -> &'static Type {
        TASK.ty()
    }
    fn traverse(&self, visit: Visitor) {
        self.future.traverse(visit);
        // SAFETY: the collector has stopped the world.
        let state = unsafe { &*self.own.as_ptr() };
        [&state.coroutine, &state.context, &state.waiter, &state.name].into_iter().flatten().for_each(visit);
    }
    fn clear(&self) {
        self.future.clear();
        let old = self.with(|state| (state.coroutine.take(), state.context.take(), state.waiter.take()));
        drop(old);
    }
}

impl Drop for Task {
    fn drop(&mut self) {
        running::unlist(self);
    }
}

pub static TASK: TypeSpec = TypeSpec::new::<Task>("_asyncio.Task")
    .doc("Task(coro, *, loop=None, name=None, context=None, eager_start=False)\n--\n\nA coroutine that an event loop runs, and the future of its result.")
    .base(&FUTURE)
    .flags(type_flags::BASETYPE | type_flags::HAS_DICT | type_flags::HAS_WEAKREF)
    .slots(slots)
    .methods(METHODS)
    .getset(GETSET);

signature!(INIT = "Task(coro, *, loop=None, name=None, context=None, eager_start=False)");

/// The number of the next task that is given no name.
static NEXT_NUMBER: AtomicU64 = AtomicU64::new(1);

fn blank() -> TaskState {
    TaskState {
        coroutine: None,
        context: None,
        waiter: None,
        name: None,
        must_cancel: false,
        log_destroy_pending: false,
        cancel_requests: 0,
    }
}

impl Task {
    pub fn of(value: &Value) -> &Task {
        value.downcast::<Task>().expect("methods are called with instances of their type")
    }

    fn with<R>(&self, f: impl FnOnce(&mut TaskState) -> R) -> R {
        f(&mut self.own.borrow(&self.future.header))
    }

    pub fn future(&self) -> &Future {
        &self.future
    }

    pub fn coroutine(&self) -> Option<Value> {
        self.with(|state| state.coroutine.clone())
    }

    /// Gives up the coroutine of a task that is done.
    pub fn forget_coroutine(&self) {
        let old = self.with(|state| state.coroutine.take());
        drop(old);
    }

    pub fn context(&self) -> Value {
        self.with(|state| state.context.clone()).unwrap_or(Value::NONE)
    }

    pub fn set_waiter(&self, waiter: Option<Value>) {
        let old = self.with(|state| std::mem::replace(&mut state.waiter, waiter));
        drop(old);
    }

    /// Whether the task is to be cancelled.
    pub fn must_cancel(&self) -> bool {
        self.with(|state| state.must_cancel)
    }

    pub fn set_must_cancel(&self, must_cancel: bool) {
        self.with(|state| state.must_cancel = must_cancel);
    }

    fn name(&self) -> Value {
        let Some(name) = self.with(|state| state.name.clone()) else { return Value::NONE };
        let Some(number) = name.as_small_int() else { return name };
        let name = Value::from(format!("Task-{number}"));
        self.set_name(name.clone());
        name
    }

    fn set_name(&self, name: Value) {
        let old = self.with(|state| state.name.replace(name));
        drop(old);
    }

    /// `cancel(msg)`
    fn cancel(&self, vm: &Vm, message: &Value) -> Result<bool> {
        self.future.forget_to_log();
        if !self.future.is_pending() {
            return Ok(false);
        }
        let waiter = self.with(|state| {
            state.cancel_requests += 1;
            state.waiter.clone()
        });
        if let Some(waiter) = waiter
            && step::cancel_future(vm, &waiter, message)?
        {
            return Ok(true);
        }
        self.set_must_cancel(true);
        self.future.set_cancel_message(message.clone());
        Ok(true)
    }
}

/// Whether a value is a coroutine, in the opinion of `asyncio.iscoroutine`.
fn is_coroutine(vm: &Vm, value: &Value) -> Result<bool> {
    if generator_kind(value) == Some(GeneratorKind::Coroutine) {
        return Ok(true);
    }
    vm.is_true(&vm.call_args(&library(vm)?.is_coroutine, std::slice::from_ref(value))?)
}

fn init(vm: &Vm, this: &Value, args: &[Value], kwnames: Option<&Value>) -> Result<()> {
    let args = INIT.bind(vm, args, kwnames)?;
    let (coroutine, name) = (&args[0], &args[2]);
    let eager_start = vm.is_true(&args[4])?;
    let task = Task::of(this);
    task.future.init(vm, args[1].given())?;
    if !is_coroutine(vm, coroutine)? {
        task.with(|state| state.log_destroy_pending = false);
        let shown = vm.repr_string(coroutine)?;
        return Err(vm.type_error(format!("a coroutine was expected, got {shown}")));
    }
    let context = context_or_current(args[3].given().unwrap_or(&Value::UNBOUND));
    let name = match name.given() {
        None => Value::from(NEXT_NUMBER.fetch_add(1, Relaxed) as i64),
        Some(name) if name.ty().is(&STR) => name.clone(),
        Some(name) => vm.str(name)?,
    };
    let new = TaskState {
        coroutine: Some(coroutine.clone()),
        context: Some(context),
        name: Some(name),
        log_destroy_pending: true,
        ..blank()
    };
    let old = task.with(|state| std::mem::replace(state, new));
    drop(old);
    if eager_start {
        let event_loop = task.future.checked_loop(vm)?;
        let is_running = vm.call_method_name(&event_loop, &names().is_running, &[])?;
        if vm.is_true(&is_running)? {
            return step::start_eagerly(vm, this);
        }
    }
    step::schedule(vm, this, None)?;
    running::list(task);
    Ok(())
}

fn finalize(vm: &Vm, this: &Value) {
    let task = Task::of(this);
    if task.future.is_pending() && task.with(|state| state.log_destroy_pending) {
        let message = Value::from("Task was destroyed but it is pending!");
        task.future.call_exception_handler(vm, &[("task", this.clone()), ("message", message)]);
    }
    future::finalize(vm, this);
}

fn slots(s: &mut Slots) {
    s.new = Some(|_, class, _, _| {
        let ty = class_of(class);
        let task = Task { future: Future::blank(ty), own: ObjectCell::new(blank()), place: AtomicUsize::new(0) };
        Ok(Ref::new_with_type(ty, task).into_value())
    });
    s.init = Some(init);
    s.finalize = Some(finalize);
    s.repr = Some(|vm, this| {
        Task::of(this).future.checked_loop(vm)?;
        vm.call_args(&library(vm)?.task_repr, std::slice::from_ref(this))
    });
}

static GETSET: &[GetSetDef] = &[
    GetSetDef::new("_log_destroy_pending", "", |_, this| {
        Ok(Value::bool(Task::of(this).with(|state| state.log_destroy_pending)))
    })
    .setter(|vm, this, value| {
        let value = vm.is_true(undeletable(vm, this, "_log_destroy_pending", value)?)?;
        Task::of(this).with(|state| state.log_destroy_pending = value);
        Ok(())
    }),
    GetSetDef::new("_must_cancel", "", |_, this| Ok(Value::bool(Task::of(this).must_cancel()))),
    GetSetDef::new("_coro", "", |_, this| Ok(Task::of(this).coroutine().unwrap_or(Value::NONE))),
    GetSetDef::new("_fut_waiter", "", |_, this| {
        Ok(Task::of(this).with(|state| state.waiter.clone()).unwrap_or(Value::NONE))
    }),
];

method_table! { static METHODS = [
    MethodDef::new("set_result($self, result, /)", "", |vm, _, _| {
        Err(vm.runtime_error("Task does not support set_result operation"))
    }),
    MethodDef::new("set_exception($self, exception, /)", "", |vm, _, _| {
        Err(vm.runtime_error("Task does not support set_exception operation"))
    }),
    MethodDef::new("cancel($self, /, msg=None)", "Request that the task cancel itself.\n\nCancelledError is thrown into the coroutine in the next cycle of the event loop. The coroutine\nmay clean up, or even go on: only when it ends with CancelledError is the task cancelled.\nThe number of requests is counted, see cancelling().", |vm, this, args| {
        Task::of(this).cancel(vm, &args[0]).map(Value::bool)
    }),
    MethodDef::new("cancelling($self, /)", "How many requests for cancellation there are that uncancel() did not take back.", |_, this, _| {
        Ok(Value::from(Task::of(this).with(|state| state.cancel_requests)))
    }),
    MethodDef::new("uncancel($self, /)", "Take one request for cancellation back; how many remain.\n\nFor code that catches CancelledError and carries on.", |_, this, _| {
        Ok(Value::from(Task::of(this).with(|state| {
            if state.cancel_requests > 0 {
                state.cancel_requests -= 1;
                if state.cancel_requests == 0 {
                    state.must_cancel = false;
                }
            }
            state.cancel_requests
        })))
    }),
    MethodDef::new("_make_cancelled_error($self, /)", "Create the CancelledError to raise if the task is cancelled.\n\nTo be called once, as the exception that is kept for it is given away.", |vm, this, _| {
        Task::of(this).future.make_cancelled_error(vm)
    }),
    MethodDef::new("get_stack($self, /, *, limit=None)", "The stack frames of the task's coroutine, from oldest to newest.\n\nOf a suspended coroutine it is one frame, of one that an exception ended those of its traceback.\nNo more than `limit` frames are returned if that is given.", |vm, this, args| {
        vm.call_args(&library(vm)?.task_get_stack, &[this.clone(), args[0].clone()])
    }),
    MethodDef::new("print_stack($self, /, *, limit=None, file=None)", "Print what get_stack() returns as a traceback, on sys.stderr or the file given.", |vm, this, args| {
        vm.call_args(&library(vm)?.task_print_stack, &[this.clone(), args[0].clone(), args[1].clone()])
    }),
    MethodDef::new("get_name($self, /)", "", |_, this, _| Ok(Task::of(this).name())),
    MethodDef::new("set_name($self, value, /)", "", |vm, this, args| {
        let name = if args[0].ty().is(&STR) { args[0].clone() } else { vm.str(&args[0])? };
        Task::of(this).set_name(name);
        Ok(Value::NONE)
    }),
    MethodDef::new("get_coro($self, /)", "", |_, this, _| Ok(Task::of(this).coroutine().unwrap_or(Value::NONE))),
    MethodDef::new("get_context($self, /)", "", |_, this, _| Ok(Task::of(this).context())),
    CLASS_GETITEM,
]; }
