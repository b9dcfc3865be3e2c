//! `_asyncio`: futures, tasks and the running event loop of each thread. Programs import `asyncio` instead.
//!
//! Counterpart of `Modules/_asynciomodule.c`. `future.rs` and `task.rs` have the two types, `step.rs` how a task runs from
//! one suspension to the next, `future_iterator.rs` what `await` iterates over, `running.rs` the running loops and the tasks
//! there are, `awaited_by.rs` who waits for whom, `library.rs` what is used of the rest of `asyncio`, and the names looked up.

pub mod awaited_by;
pub mod future;
pub mod future_iterator;
mod library;
pub mod running;
mod step;
pub mod task;

use taipan_object::native::MethodDef;
use taipan_object::native::module::ModuleDef;
use taipan_object::{Result, Value, Vm};

use library::library;

pub static MODULE: ModuleDef = ModuleDef {
    name: "_asyncio",
    doc: "Futures and tasks of asyncio, natively.",
    functions: FUNCTIONS,
    exec: |_, module| {
        module.add_type(&future::FUTURE);
        module.add_type(&task::TASK);
        Ok(())
    },
};

/// The loop given, or the running one.
fn loop_or_running(vm: &Vm, event_loop: &Value) -> Result {
    match event_loop.given() {
        Some(event_loop) => Ok(event_loop.clone()),
        None => running_loop(vm),
    }
}

fn running_loop(vm: &Vm) -> Result {
    running::event_loop().ok_or_else(|| vm.runtime_error("no running event loop"))
}

/// The running loop, or the one that the policy gives.
fn event_loop(vm: &Vm) -> Result {
    if let Some(event_loop) = running::event_loop() {
        return Ok(event_loop);
    }
    let policy = vm.call_args(&library(vm)?.event_loop_policy, &[])?;
    vm.call_method(&policy, "get_event_loop", &[])
}

taipan_object::method_table! { static FUNCTIONS = [
    MethodDef::new("current_task($module, /, loop=None)",
        "The task that is running in a loop (by default the running one), or None.", |vm, _, args| {
        let event_loop = loop_or_running(vm, &args[0])?;
        Ok(running::current_task(&event_loop).unwrap_or(Value::NONE))
    }),
    MethodDef::new("get_event_loop($module, /)",
        "The running event loop; if there is none, what the event loop policy has for this thread.",
        |vm, _, _| event_loop(vm)),
    MethodDef::new("get_running_loop($module, /)", "The running event loop; RuntimeError if there is none.",
        |vm, _, _| running_loop(vm)),
    MethodDef::new("_get_running_loop($module, /)", "The running event loop, or None.",
        |_, _, _| Ok(running::event_loop().unwrap_or(Value::NONE))),
    MethodDef::new("_set_running_loop($module, loop, /)", "Set the running event loop of this thread.", |_, _, args| {
        running::set_event_loop(args[0].given());
        Ok(Value::NONE)
    }),
    MethodDef::new("_register_task($module, /, task)", "Note that there is a task.", |vm, _, args| {
        running::register(vm, &args[0])?;
        Ok(Value::NONE)
    }),
    MethodDef::new("_unregister_task($module, /, task)", "Undo _register_task().", |vm, _, args| {
        running::unregister(vm, &args[0])?;
        Ok(Value::NONE)
    }),
    MethodDef::new("_register_eager_task($module, /, task)", "Note that a task is about to be started eagerly.",
        |vm, _, args| {
        running::register_eager(vm, &args[0])?;
        Ok(Value::NONE)
    }),
    MethodDef::new("_unregister_eager_task($module, /, task)", "Undo _register_eager_task().", |vm, _, args| {
        running::unregister_eager(vm, &args[0])?;
        Ok(Value::NONE)
    }),
    MethodDef::new("_enter_task($module, /, loop, task)", "Make a task the one that is running.", |vm, _, args| {
        running::enter_task(vm, &args[0], &args[1])?;
        Ok(Value::NONE)
    }),
    MethodDef::new("_leave_task($module, /, loop, task)", "Undo _enter_task().", |vm, _, args| {
        running::leave_task(vm, &args[0], &args[1])?;
        Ok(Value::NONE)
    }),
    MethodDef::new("_swap_current_task($module, /, loop, task)",
        "Make a task (or None) the one that is running; the one that was.", |vm, _, args| {
        let previous = running::swap_task(vm, &args[0], args[1].given().cloned())?;
        Ok(previous.unwrap_or(Value::NONE))
    }),
    MethodDef::new("all_tasks($module, /, loop=None)", "A set of the tasks of a loop that are not done.", |vm, _, args| {
        let event_loop = loop_or_running(vm, &args[0])?;
        running::all_tasks(vm, &event_loop)
    }),
    MethodDef::new("future_add_to_awaited_by($module, fut, waiter, /)", "Note that `waiter` waits for `fut`.",
        |vm, _, args| {
        awaited_by::add(vm, &args[0], &args[1])?;
        Ok(Value::NONE)
    }),
    MethodDef::new("future_discard_from_awaited_by($module, fut, waiter, /)", "Undo future_add_to_awaited_by().",
        |vm, _, args| {
        awaited_by::discard(vm, &args[0], &args[1])?;
        Ok(Value::NONE)
    }),
]; }
