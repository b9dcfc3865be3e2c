//! `_queue`: `SimpleQueue`, an unbounded queue whose `put` is safe in signal handlers and finalisers.

use std::collections::VecDeque;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering::SeqCst};

use taipan_object::builtins::generic_alias::CLASS_GETITEM;
use taipan_object::cell::ObjectCell;
use taipan_object::exceptions::EXCEPTION;
use taipan_object::header::Header;
use taipan_object::heap::Kind;
use taipan_object::native::MethodDef;
use taipan_object::native::module::ModuleDef;
use taipan_object::object::{Payload, Visitor};
use taipan_object::parking::{self, Wait, monotonic};
use taipan_object::types::slots::Slots;
use taipan_object::types::{Type, TypeSpec, type_flags};
use taipan_object::vm::gil;
use taipan_object::vm::hooks::blocking;
use taipan_object::{Raised, Ref, Result, Value, Vm, method_table};

use crate::payload::class_of;
use crate::time::conversion::{Rounding, object_to_nanoseconds};

pub static MODULE: ModuleDef = ModuleDef {
    name: "_queue",
    doc: "The native part of queue; an implementation detail.",
    functions: &[],
    exec: |vm, module| {
        module.add_type(&SIMPLE_QUEUE);
        module.set("Empty", empty_class(vm)?);
        Ok(())
    },
};

/// `_queue.Empty`
fn empty_class(vm: &Vm) -> Result {
    static EMPTY: OnceLock<Value> = OnceLock::new();
    if let Some(class) = EMPTY.get() {
        return Ok(class.clone());
    }
    let doc = "The queue had no item, and waiting was not wanted or took too long.";
    let class = crate::exception_type::new(vm, "_queue", "Empty", vec![EXCEPTION.value()], Some(doc))?;
    Ok(EMPTY.get_or_init(|| class).clone())
}

#[cold]
fn empty(vm: &Vm) -> Raised {
    match empty_class(vm) {
        Ok(class) => match class.downcast::<Type>() {
            Some(class) => vm.raise_args(class, Vec::new()),
            None => vm.system_error("_queue.Empty is no class"),
        },
        Err(raised) => raised,
    }
}

/// No thread has been woken.
const NOBODY: u64 = u64::MAX;

#[repr(C)]
pub struct SimpleQueue {
    header: Header,
    items: ObjectCell<VecDeque<Value>>,
    /// How many threads wait for an item.
    waiting: AtomicU32,
    /// Whether a waiting thread has been woken and has not yet come back: others are woken by it, if it leaves items
    /// behind. Either [`NOBODY`] or the process ([`gil::forks`]) in which it was woken.
    woken: AtomicU64,
    /// Counts how often a waiting thread was woken; what these threads are parked on.
    wakes: AtomicU32,
}

// SAFETY: repr(C), header first, every item is visited.
unsafe impl Payload for SimpleQueue {
    const KIND: Kind = Kind::Container;
    fn static_type() -> &'static Type {
        SIMPLE_QUEUE.ty()
    }
    fn traverse(&self, visit: Visitor) {
        // SAFETY: the collector has stopped the world.
        unsafe { &*self.items.as_ptr() }.iter().for_each(visit);
    }
    fn clear(&self) {
        let items = std::mem::take(&mut *self.items.borrow(&self.header));
        drop(items);
    }
}

pub static SIMPLE_QUEUE: TypeSpec = TypeSpec::new::<SimpleQueue>("_queue.SimpleQueue")
    .doc("SimpleQueue()\n--\n\nA first-in, first-out queue without a limit; put() is reentrant.")
    .flags(type_flags::BASETYPE | type_flags::HAS_WEAKREF)
    .slots(slots)
    .methods(METHODS);

impl SimpleQueue {
    fn of(value: &Value) -> &SimpleQueue {
        value.downcast::<SimpleQueue>().expect("methods are called with instances of their type")
    }

    fn len(&self) -> usize {
        self.items.borrow(&self.header).len()
    }

    fn pop(&self) -> Option<Value> {
        self.items.borrow(&self.header).pop_front()
    }

    fn put(&self, vm: &Vm, item: Value) -> Result<()> {
        let pushed = {
            let mut items = self.items.borrow(&self.header);
            match items.try_reserve(1) {
                Ok(()) => {
                    items.push_back(item);
                    Ok(())
                }
                Err(_) => Err(item),
            }
        };
        if pushed.is_err() {
            return Err(vm.memory_error());
        }
        self.wake();
        Ok(())
    }

    /// Wakes a waiting thread unless one is on its way.
    fn wake(&self) {
        let process = u64::from(gil::forks());
        if self.waiting.load(SeqCst) > 0 && self.woken.swap(process, SeqCst) != process {
            self.wakes.fetch_add(1, SeqCst);
            parking::wake(&self.wakes, 1);
        }
    }

    /// Waits for an item up to the deadline.
    fn wait(&self, deadline: Option<i64>) -> Wait {
        let seen = self.wakes.load(SeqCst);
        self.waiting.fetch_add(1, SeqCst);
        // Without the GIL, an item may have come before this thread counted as waiting.
        let reason = match self.len() {
            0 => blocking(|| parking::wait(&self.wakes, seen, deadline)),
            _ => Wait::Woken,
        };
        // In this order: whoever still counts this thread as waiting, and wakes nobody, is seen by the second step.
        self.waiting.fetch_sub(1, SeqCst);
        self.woken.store(NOBODY, SeqCst);
        reason
    }

    /// Waits for an item up to the deadline.
    fn get(&self, vm: &Vm, deadline: Option<i64>) -> Result {
        if let Some(item) = self.pop() {
            return Ok(item);
        }
        loop {
            let reason = self.wait(deadline);
            // A signal handler may raise: then the item is for another thread.
            let item = if reason == Wait::Interrupted { None } else { self.pop() };
            if self.len() > 0 {
                self.wake();
            }
            match (item, reason) {
                (Some(item), _) => return Ok(item),
                (None, Wait::Woken) => {}
                (None, Wait::TimedOut) => return Err(empty(vm)),
                (None, Wait::Interrupted) => {
                    vm.check_signals()?;
                    if let Some(item) = self.pop() {
                        return Ok(item);
                    }
                }
            }
        }
    }
}

fn slots(s: &mut Slots) {
    s.new = Some(|vm, class, args, kwnames| {
        let ty = class_of(class);
        if ty.is(&SIMPLE_QUEUE) {
            if kwnames.is_some_and(|names| vm.tuple_len(names) > 0) {
                return Err(vm.type_error("SimpleQueue() takes no keyword arguments"));
            }
            if !args.is_empty() {
                return Err(vm.type_error("SimpleQueue() takes no positional arguments"));
            }
        }
        let queue = SimpleQueue {
            header: Header::new(ty),
            items: ObjectCell::new(VecDeque::new()),
            waiting: AtomicU32::new(0),
            woken: AtomicU64::new(NOBODY),
            wakes: AtomicU32::new(0),
        };
        Ok(Ref::new_with_type(ty, queue).into_value())
    });
}

fn get_method(vm: &Vm, this: &Value, args: &[Value]) -> Result {
    let queue = SimpleQueue::of(this);
    if !vm.is_true(&args[0])? {
        return queue.pop().ok_or_else(|| empty(vm));
    }
    let deadline = match args[1].given() {
        None => None,
        Some(timeout) => {
            let timeout = object_to_nanoseconds(vm, timeout, Rounding::Ceiling)?;
            if timeout < 0 {
                return Err(vm.value_error("'timeout' must be a non-negative number"));
            }
            Some(monotonic().saturating_add(timeout))
        }
    };
    queue.get(vm, deadline)
}

method_table! { static METHODS = [
    MethodDef::new("empty($self, /)", "Whether the queue is empty; another thread may have changed that already.",
        |_, this, _| Ok(Value::bool(SimpleQueue::of(this).len() == 0))),
    MethodDef::new("get($self, /, block=True, timeout=None)",
        "Remove and return the first item, waiting for one at most `timeout` seconds if that is given.\n\nEmpty is raised when there is none.",
        get_method),
    MethodDef::new("get_nowait($self, /)", "Remove and return the first item; Empty is raised when there is none.",
        |vm, this, _| SimpleQueue::of(this).pop().ok_or_else(|| empty(vm))),
    MethodDef::new("put($self, /, item, block=True, timeout=None)",
        "Put the item on the queue. This never blocks; the other arguments are ignored.",
        |vm, this, args| SimpleQueue::of(this).put(vm, args[0].clone()).map(Value::from)),
    MethodDef::new("put_nowait($self, /, item)", "Add an item, without ever waiting.",
        |vm, this, args| SimpleQueue::of(this).put(vm, args[0].clone()).map(Value::from)),
    MethodDef::new("qsize($self, /)", "The length of the queue; another thread may have changed it already.",
        |_, this, _| Ok(Value::from(SimpleQueue::of(this).len()))),
    CLASS_GETITEM,
]; }
