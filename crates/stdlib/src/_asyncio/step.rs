//! How a task runs: a step is what its coroutine does between two suspensions.
//!
//! A task that is not done either has a step scheduled in its loop ([`schedule`]), or waits for a future whose callback
//! is [`wakeup`], or runs.

use taipan_object::exceptions::{self, KEYBOARD_INTERRUPT, RUNTIME_ERROR, STOP_ITERATION, SYSTEM_EXIT};
use taipan_object::native::function::BuiltinFunction;
use taipan_object::native::{GetSetDef, MethodDef};
use taipan_object::types::slots::Slots;
use taipan_object::types::{TypeSpec, type_flags};
use taipan_object::vm::hooks::{self, GeneratorKind, generator_kind};
use taipan_object::vm::names as common_names;
use taipan_object::{Result, Value, Vm, method_table};

use super::future::{Future, Outcome, is_exact, loop_of};
use super::library::{call_soon, invalid_state, is_cancelled_error, names};
use super::task::Task;
use super::{awaited_by, running};
use crate::_contextvars::context::Context;
use crate::payload::payload;

payload! {
    /// What a loop calls to run a step, in which an exception may be thrown into the coroutine.
    pub struct TaskStep(TaskStepState): TASK_STEP { task: Option<Value>, exception: Option<Value> }
}

pub static TASK_STEP: TypeSpec = TypeSpec::new::<TaskStep>("_asyncio.TaskStepMethWrapper")
    .flags(type_flags::DISALLOW_INSTANTIATION)
    .slots(|s: &mut Slots| {
        s.call = Some(|vm, this, args, kwnames| {
            if kwnames.is_some_and(|names| vm.tuple_len(names) > 0) {
                return Err(vm.type_error("function takes no keyword arguments"));
            }
            if !args.is_empty() {
                return Err(vm.type_error("function takes no positional arguments"));
            }
            let (task, exception) = TaskStep::of(this).with(|state| (state.task.clone(), state.exception.clone()));
            if let Some(task) = task {
                step(vm, &task, exception)?;
            }
            Ok(Value::NONE)
        });
    })
    .getset(&[GetSetDef::new("__self__", "", |_, this| {
        Ok(TaskStep::of(this).with(|state| state.task.clone()).unwrap_or(Value::NONE))
    })]);

method_table! { static WAKEUP = [
    MethodDef::new("task_wakeup($self, fut, /)", "", |vm, this, args| {
        wakeup(vm, this, &args[0])?;
        Ok(Value::NONE)
    }),
]; }

/// Has the task's loop run a step soon.
pub fn schedule(vm: &Vm, this: &Value, exception: Option<Value>) -> Result<()> {
    let task = Task::of(this);
    let event_loop = task.future().checked_loop(vm)?;
    let step = TaskStep::make(TASK_STEP.ty(), TaskStepState { task: Some(this.clone()), exception });
    call_soon(vm, &event_loop, step, None, &task.context())
}

/// As [`schedule`], with a `RuntimeError`.
#[cold]
fn schedule_error(vm: &Vm, this: &Value, message: String) -> Result<()> {
    let error = exceptions::new_exception(RUNTIME_ERROR.ty(), vec![Value::from(message)]);
    schedule(vm, this, Some(error))
}

/// Runs a step.
fn step(vm: &Vm, this: &Value, exception: Option<Value>) -> Result<()> {
    let event_loop = Task::of(this).future().checked_loop(vm)?;
    running::enter_task(vm, &event_loop, this)?;
    let stepped = run(vm, this, exception);
    finish(vm, stepped, |vm| running::leave_task(vm, &event_loop, this))
}

/// Calls `end` whatever came before; an exception from before becomes the context of one that it raises.
fn finish(vm: &Vm, result: Result<()>, end: impl FnOnce(&Vm) -> Result<()>) -> Result<()> {
    match result {
        Ok(()) => end(vm),
        Err(raised) => {
            let exception = vm.take(raised);
            match end(vm) {
                Ok(()) => Err(vm.set_exception(exception)),
                Err(raised) => {
                    let last = vm.take(raised);
                    exceptions::set_context(&last, Some(exception));
                    Err(vm.set_exception(last))
                }
            }
        }
    }
}

/// The first step of a task that need not wait for its loop.
pub fn start_eagerly(vm: &Vm, this: &Value) -> Result<()> {
    let task = Task::of(this);
    let event_loop = task.future().checked_loop(vm)?;
    let previous = running::swap_task(vm, &event_loop, Some(this.clone()))?;
    // If the task is done after this step, it takes itself off the list.
    running::list(task);
    let context = task.context();
    let stepped = match context.downcast::<Context>() {
        None => Err(vm.type_error("an instance of Context was expected")),
        Some(context) => context.enter(vm).and_then(|()| {
            let stepped = run(vm, this, None);
            finish(vm, stepped, |vm| context.exit(vm))
        }),
    };
    finish(vm, stepped, |vm| running::swap_task(vm, &event_loop, previous).map(drop))?;
    if !task.future().is_pending() {
        task.forget_coroutine();
    }
    Ok(())
}

/// What a coroutine did.
enum Resumed {
    Yielded(Value),
    Returned(Value),
    Raised(Value),
}

fn resume(vm: &Vm, coroutine: &Value, exception: Option<Value>) -> Resumed {
    let result = match exception {
        None => match hooks::send(vm, coroutine, &Value::NONE) {
            Ok((value, true)) => return Resumed::Returned(value),
            Ok((value, false)) => Ok(value),
            Err(raised) => Err(raised),
        },
        Some(exception) => vm.call_method_name(coroutine, &common_names().throw, &[exception]),
    };
    match result {
        Ok(value) => Resumed::Yielded(value),
        Err(raised) => {
            let exception = vm.take(raised);
            if exception.ty().is_subtype(STOP_ITERATION.ty()) {
                let value = exceptions::field(&exception, &common_names().value);
                return Resumed::Returned(value.unwrap_or(Value::NONE));
            }
            Resumed::Raised(exception)
        }
    }
}

/// Resumes the coroutine, with the task being the one that runs.
fn run(vm: &Vm, this: &Value, exception: Option<Value>) -> Result<()> {
    let task = Task::of(this);
    let future = task.future();
    if !future.is_pending() {
        let (shown, exception) = (vm.repr_string(this)?, vm.repr_string(&exception.unwrap_or(Value::NONE))?);
        return Err(invalid_state(vm, format!("__step(): already done: {shown} {exception}")));
    }
    let mut exception = exception;
    if task.must_cancel() {
        let is_cancellation = match &exception {
            Some(exception) => is_cancelled_error(vm, exception)?,
            None => false,
        };
        if !is_cancellation {
            exception = Some(future.make_cancelled_error(vm)?);
        }
        task.set_must_cancel(false);
    }
    task.set_waiter(None);
    let Some(coroutine) = task.coroutine() else {
        return Err(vm.runtime_error("uninitialized Task object"));
    };
    match resume(vm, &coroutine, exception) {
        Resumed::Yielded(value) => wait_for(vm, this, value),
        Resumed::Returned(_) if task.must_cancel() => {
            // Cancelled just before the coroutine returned.
            task.set_must_cancel(false);
            future.cancel(vm, this, future.cancel_message()).map(drop)
        }
        Resumed::Returned(value) => future.set_result(vm, this, value),
        Resumed::Raised(exception) => {
            if is_cancelled_error(vm, &exception)? {
                future.set_cancelled_exception(exception);
                return future.cancel(vm, this, Value::NONE).map(drop);
            }
            future.set_exception(vm, this, &exception)?;
            let class = exception.ty();
            if class.is_subtype(KEYBOARD_INTERRUPT.ty()) || class.is_subtype(SYSTEM_EXIT.ty()) {
                return Err(vm.set_exception(exception));
            }
            Ok(())
        }
    }
}

/// The coroutine yielded something: a future to wait for, or nothing.
fn wait_for(vm: &Vm, this: &Value, yielded: Value) -> Result<()> {
    if yielded.is(this) {
        let shown = vm.repr_string(this)?;
        return schedule_error(vm, this, format!("Task cannot await on itself: {shown}"));
    }
    if is_exact(&yielded) {
        let future = Future::of(&yielded);
        return wait_for_future(vm, this, &yielded, future.is_blocking(), |vm, wakeup, context| {
            future.set_blocking(false);
            future.add_done_callback(vm, &yielded, wakeup, context)
        });
    }
    if yielded.is_none() {
        return schedule(vm, this, None);
    }
    let names = names();
    let blocking = vm.get_attr_opt(&yielded, &names._asyncio_future_blocking)?;
    if let Some(blocking) = blocking.filter(|blocking| !blocking.is_none()) {
        let blocking = vm.is_true(&blocking)?;
        return wait_for_future(vm, this, &yielded, blocking, |vm, wakeup, context| {
            vm.set_attr(&yielded, &names._asyncio_future_blocking, &Value::FALSE)?;
            let keyword = Some(&names.context_keyword);
            vm.call_method_keywords(&yielded, &names.add_done_callback, &[wakeup, context], keyword).map(drop)
        });
    }
    let (shown, what) = (vm.repr_string(this)?, vm.repr_string(&yielded)?);
    let message = match generator_kind(&yielded) {
        Some(GeneratorKind::Generator) => {
            format!("yield was used instead of yield from for generator in task {shown} with {what}")
        }
        _ => format!("Task got bad yield: {what}"),
    };
    schedule_error(vm, this, message)
}

/// Waits for a future; `subscribe` has it call back.
fn wait_for_future(
    vm: &Vm,
    this: &Value,
    future: &Value,
    is_blocking: bool,
    subscribe: impl FnOnce(&Vm, Value, Value) -> Result<()>,
) -> Result<()> {
    let task = Task::of(this);
    if !task.future().checked_loop(vm)?.is(&loop_of(vm, future)?) {
        let (shown, future) = (vm.repr_string(this)?, vm.repr_string(future)?);
        return schedule_error(vm, this, format!("Task {shown} got Future {future} attached to a different loop"));
    }
    if !is_blocking {
        let (shown, future) = (vm.repr_string(this)?, vm.repr_string(future)?);
        let message = format!("yield was used instead of yield from in task {shown} with {future}");
        return schedule_error(vm, this, message);
    }
    awaited_by::add(vm, future, this)?;
    let wakeup = BuiltinFunction::new(&WAKEUP[0], this.clone(), Value::NONE).into_value();
    subscribe(vm, wakeup, task.context())?;
    task.set_waiter(Some(future.clone()));
    if task.must_cancel() && cancel_future(vm, future, &task.future().cancel_message())? {
        task.set_must_cancel(false);
    }
    Ok(())
}

/// `future.cancel(msg=message)`
pub fn cancel_future(vm: &Vm, future: &Value, message: &Value) -> Result<bool> {
    let names = names();
    let keyword = Some(&names.message_keyword);
    let cancelled = vm.call_method_keywords(future, &names.cancel, std::slice::from_ref(message), keyword)?;
    vm.is_true(&cancelled)
}

/// The future that the task waited for is done.
fn wakeup(vm: &Vm, this: &Value, future: &Value) -> Result<()> {
    awaited_by::discard(vm, future, this)?;
    let exception = if is_exact(future) {
        match Future::of(future).outcome(vm) {
            Ok(Outcome::Result(_)) => None,
            Ok(Outcome::Exception(exception)) => Some(exception),
            Err(raised) => Some(vm.take(raised)),
        }
    } else {
        match vm.call_method_name(future, &names().result, &[]) {
            Ok(_) => None,
            Err(raised) => Some(vm.take(raised)),
        }
    };
    step(vm, this, exception)
}
