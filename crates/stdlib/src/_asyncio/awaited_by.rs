//! Who waits for a future: kept for tools that show the graph of waiting tasks.
//!
//! Most futures have one waiter, which is kept as it is; more of them are in a set.

use taipan_object::builtins::set::{self, AnySet, Set};
use taipan_object::{Result, Value, Vm};

use super::future::Future;

fn futures<'a>(future: &'a Value, waiter: &'a Value) -> Option<&'a Future> {
    waiter.downcast::<Future>()?;
    future.downcast::<Future>()
}

/// Notes that `waiter` waits for `future`, if both are futures of this module.
pub fn add(vm: &Vm, future: &Value, waiter: &Value) -> Result<()> {
    let Some(future) = futures(future, waiter) else { return Ok(()) };
    match future.awaited_by() {
        None => future.set_awaited_by(Some(waiter.clone())),
        Some(waiters) => match waiters.downcast::<Set>() {
            Some(set) => set::add(vm, set.as_set(), waiter)?,
            None => future.set_awaited_by(Some(set::from_keys(vm, &[waiters, waiter.clone()])?)),
        },
    }
    Ok(())
}

/// Notes that `waiter` does not wait for `future` any more.
pub fn discard(vm: &Vm, future: &Value, waiter: &Value) -> Result<()> {
    let Some(future) = futures(future, waiter) else { return Ok(()) };
    match future.awaited_by() {
        Some(waiters) if waiters.is(waiter) => future.set_awaited_by(None),
        Some(waiters) => {
            if let Some(set) = AnySet::of(&waiters) {
                let hash = vm.hash(waiter)?;
                set.discard_hashed(vm, waiter, hash)?;
            }
        }
        None => {}
    }
    Ok(())
}

/// `_asyncio_awaited_by`: a frozenset, or None.
pub fn shown(vm: &Vm, future: &Future) -> Result {
    match future.awaited_by() {
        None => Ok(Value::NONE),
        Some(waiters) => match AnySet::of(&waiters) {
            Some(set) => set::frozen_from_keys(vm, &set.keys()),
            None => set::frozen_from_keys(vm, &[waiters]),
        },
    }
}
