//! The running event loop and task of each thread, and the tasks there are.
//!
//! Tasks of this module are known by their addresses, which keeps none of them alive; they take themselves off the list
//! when they are done or die. Those of other classes are in a weak set and, during an eager start, in a set.

use std::cell::Cell;
use std::ptr::NonNull;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use taipan_object::builtins::set::{self, Set};
use taipan_object::header::{Header, object_flags};
use taipan_object::{Ref, Result, Value, Vm};

use super::future::Future;
use super::library::{library, names};
use super::task::Task;

/// What a thread is running: the words of its loop and its task, owned; 0 for none.
struct Running {
    event_loop: Cell<u64>,
    task: Cell<u64>,
    is_listed: Cell<bool>,
}

thread_local! {
    static RUNNING: Running =
        const { Running { event_loop: Cell::new(0), task: Cell::new(0), is_listed: Cell::new(false) } };
}

/// A thread's state, for others to look at with the GIL held; it is there until the thread takes it off the list.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Listed(*const Running);

// SAFETY: used under the GIL, and threads take their state off the list before it goes.
unsafe impl Send for Listed {}

static THREADS: Mutex<Vec<Listed>> = Mutex::new(Vec::new());

fn threads() -> MutexGuard<'static, Vec<Listed>> {
    THREADS.lock().unwrap_or_else(PoisonError::into_inner)
}

fn get(word: &Cell<u64>) -> Option<Value> {
    let word = word.get();
    // SAFETY: the cell owns a reference.
    (word != 0).then(|| unsafe { Value::borrow_word(&word) }.clone())
}

fn replace(word: &Cell<u64>, value: Option<Value>) -> Option<Value> {
    let old = word.replace(value.map_or(0, Value::into_word));
    // SAFETY: the cell owned a reference.
    (old != 0).then(|| unsafe { Value::from_word(old) })
}

/// The loop that runs in this thread.
pub fn event_loop() -> Option<Value> {
    RUNNING.with(|running| get(&running.event_loop))
}

pub fn set_event_loop(event_loop: Option<&Value>) {
    let old = RUNNING.with(|running| {
        if !running.is_listed.replace(true) {
            threads().push(Listed(running));
        }
        replace(&running.event_loop, event_loop.cloned())
    });
    drop(old);
}

/// Gives up what the calling thread has: it is about to end.
pub fn thread_ends() {
    let old = RUNNING.with(|running| {
        if running.is_listed.replace(false) {
            threads().retain(|listed| *listed != Listed(running));
        }
        (replace(&running.event_loop, None), replace(&running.task, None))
    });
    drop(old);
}

/// In a forked process, whose only thread is the calling one: what ran before the fork runs in the parent.
pub fn after_fork_in_child() {
    let old = RUNNING.with(|running| {
        threads().retain(|listed| *listed == Listed(running));
        (replace(&running.event_loop, None), replace(&running.task, None))
    });
    drop(old);
}

/// The task that runs in a loop, in whatever thread that is.
pub fn current_task(event_loop: &Value) -> Option<Value> {
    let own = RUNNING.with(|running| (running.event_loop.get() == event_loop.word()).then(|| get(&running.task)));
    if let Some(task) = own {
        return task;
    }
    threads().iter().find_map(|listed| {
        // SAFETY: what is listed is there, and the GIL is held.
        let running = unsafe { &*listed.0 };
        if running.event_loop.get() == event_loop.word() { get(&running.task) } else { None }
    })
}

fn check_loop(vm: &Vm, event_loop: &Value) -> Result<()> {
    if RUNNING.with(|running| running.event_loop.get() == event_loop.word()) {
        return Ok(());
    }
    let shown = vm.repr_string(event_loop)?;
    Err(vm.runtime_error(format!("loop {shown} is not the running loop")))
}

/// Makes `task` the one that is running.
pub fn enter_task(vm: &Vm, event_loop: &Value, task: &Value) -> Result<()> {
    check_loop(vm, event_loop)?;
    if let Some(running) = RUNNING.with(|running| get(&running.task)) {
        let (new, old) = (vm.repr_string(task)?, vm.repr_string(&running)?);
        return Err(
            vm.runtime_error(format!("Cannot enter into task {new} while another task {old} is being executed."))
        );
    }
    RUNNING.with(|running| replace(&running.task, Some(task.clone())));
    Ok(())
}

/// Undoes [`enter_task`].
pub fn leave_task(vm: &Vm, event_loop: &Value, task: &Value) -> Result<()> {
    check_loop(vm, event_loop)?;
    if !RUNNING.with(|running| running.task.get() == task.word()) {
        let running = RUNNING.with(|running| get(&running.task)).unwrap_or(Value::NONE);
        let (left, entered) = (vm.repr_string(task)?, vm.repr_string(&running)?);
        return Err(vm.runtime_error(format!("Invalid attempt to leave task {left} while task {entered} is entered.")));
    }
    drop(RUNNING.with(|running| replace(&running.task, None)));
    Ok(())
}

/// Makes `task`, or none, the one that is running; the one that was.
pub fn swap_task(vm: &Vm, event_loop: &Value, task: Option<Value>) -> Result<Option<Value>> {
    check_loop(vm, event_loop)?;
    Ok(RUNNING.with(|running| replace(&running.task, task)))
}

/// The addresses of this module's tasks that are not done. Each task knows its place.
static TASKS: Mutex<Vec<usize>> = Mutex::new(Vec::new());

fn tasks() -> MutexGuard<'static, Vec<usize>> {
    TASKS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Puts a task on the list.
pub fn list(task: &Task) {
    let mut tasks = tasks();
    if task.place.load(Relaxed) == 0 {
        tasks.push(task as *const Task as usize);
        task.place.store(tasks.len(), Relaxed);
    }
}

/// Takes a task off the list; the last one gets its place.
pub fn unlist(task: &Task) {
    if task.place.load(Relaxed) == 0 {
        return;
    }
    let mut tasks = tasks();
    let place = task.place.swap(0, Relaxed);
    if place == 0 {
        return;
    }
    tasks.swap_remove(place - 1);
    if let Some(moved) = tasks.get(place - 1) {
        // SAFETY: a task takes itself off the list before its memory goes.
        unsafe { (*(*moved as *const Task)).place.store(place, Relaxed) };
    }
}

/// The tasks on the list that are not dying.
fn listed_tasks() -> Vec<Value> {
    let upgrade = |address: &usize| {
        let pointer = NonNull::new(*address as *mut Header)?;
        // SAFETY: a task takes itself off the list before its memory goes. One whose finaliser has run may be dying.
        unsafe {
            if pointer.as_ref().has_flag(object_flags::FINALIZED) {
                return None;
            }
            taipan_object::count::incref(pointer.as_ptr());
            Some(Value::from_object_pointer(pointer))
        }
    };
    tasks().iter().filter_map(upgrade).collect()
}

/// The tasks of other classes: those that are scheduled, weakly, and those that are being started eagerly.
fn foreign_tasks(vm: &Vm) -> Result<&'static (Value, Ref<Set>)> {
    static FOREIGN: OnceLock<(Value, Ref<Set>)> = OnceLock::new();
    match FOREIGN.get() {
        Some(foreign) => Ok(foreign),
        None => {
            let scheduled = vm.call_args(&library(vm)?.weak_set, &[])?;
            Ok(FOREIGN.get_or_init(|| (scheduled, Set::new())))
        }
    }
}

/// `_register_task`
pub fn register(vm: &Vm, task: &Value) -> Result<()> {
    match task.downcast::<Task>() {
        Some(task) => list(task),
        None => drop(vm.call_method_name(&foreign_tasks(vm)?.0, &names().add, std::slice::from_ref(task))?),
    }
    Ok(())
}

/// `_unregister_task`
pub fn unregister(vm: &Vm, task: &Value) -> Result<()> {
    match task.downcast::<Task>() {
        Some(task) => unlist(task),
        None => drop(vm.call_method_name(&foreign_tasks(vm)?.0, &names().discard, std::slice::from_ref(task))?),
    }
    Ok(())
}

/// `_register_eager_task`
pub fn register_eager(vm: &Vm, task: &Value) -> Result<()> {
    match task.downcast::<Task>() {
        Some(task) => list(task),
        None => set::add(vm, foreign_tasks(vm)?.1.as_set(), task)?,
    }
    Ok(())
}

/// `_unregister_eager_task`
pub fn unregister_eager(vm: &Vm, task: &Value) -> Result<()> {
    match task.downcast::<Task>() {
        Some(task) => unlist(task),
        None => {
            let hash = vm.hash(task)?;
            foreign_tasks(vm)?.1.as_set().discard_hashed(vm, task, hash)?;
        }
    }
    Ok(())
}

/// The tasks of a loop that are not done.
pub fn all_tasks(vm: &Vm, event_loop: &Value) -> Result {
    let mut found = Vec::new();
    for task in listed_tasks() {
        let future = Future::of(&task);
        if future.is_pending() && future.event_loop().is_some_and(|own| own.is(event_loop)) {
            found.push(task);
        }
    }
    let (scheduled, eager) = foreign_tasks(vm)?;
    // Eager tasks first: one that becomes a scheduled one meanwhile is not missed.
    let mut others = eager.as_set().keys();
    others.extend(vm.collect(scheduled)?);
    for task in others {
        if super::future::loop_of(vm, &task)?.is(event_loop)
            && !vm.is_true(&vm.call_method_name(&task, &names().done, &[])?)?
        {
            found.push(task);
        }
    }
    set::from_keys(vm, &found)
}
