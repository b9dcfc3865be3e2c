//! `_thread.lock`

use taipan_object::cell::is_parallel;
use taipan_object::header::Header;
use taipan_object::heap::Kind;
use taipan_object::native::MethodDef;
use taipan_object::object::Payload;
use taipan_object::parking::{RawLock, Wait, monotonic};
use taipan_object::types::slots::Slots;
use taipan_object::types::{Type, TypeSpec, type_flags};
use taipan_object::vm::hooks::blocking;
use taipan_object::{Ref, Result, Value, Vm, method_table};

use super::no_arguments;
use crate::time::conversion::{Rounding, object_to_nanoseconds};

#[repr(C)]
pub struct Lock {
    pub header: Header,
    /// Threads that only ask what the object is do so without the cache line that taking the lock writes to.
    _apart: [u64; APART],
    raw: RawLock,
}

/// So many words after the header something lies in another cache line than that, wherever the object is: a line's length
/// after the header's last word.
const APART: usize = 64 / 8 - 1;

// SAFETY: repr(C), header first, owns no references.
unsafe impl Payload for Lock {
    const KIND: Kind = Kind::Leaf;
    fn static_type() -> &'static Type {
        LOCK.ty()
    }
}

pub static LOCK: TypeSpec = TypeSpec::new::<Lock>("_thread.lock")
    .doc(
        "lock()\n--\n\nA lock: one thread at a time can hold it.\n\nMethods are acquire(), release() and locked(); any \
         thread may release it.",
    )
    .flags(type_flags::HAS_WEAKREF | type_flags::DIES_QUIETLY | type_flags::MAY_LAST)
    .basicsize(size_of::<Header>() + 8)
    .slots(slots)
    .methods(METHODS);

/// An unlocked lock.
pub fn new() -> Value {
    Ref::new(Lock { header: Header::new(LOCK.ty()), _apart: [0; APART], raw: RawLock::new() }).into_value()
}

fn slots(s: &mut Slots) {
    s.new = Some(|vm, _, args, kwnames| {
        no_arguments(vm, "lock", args, kwnames)?;
        Ok(new())
    });
    s.repr = Some(|_, this| {
        let state = if raw(this).is_locked() { "locked" } else { "unlocked" };
        Ok(Value::from(format!("<{state} {} object at {:#x}>", this.ty().name(), this.id())))
    });
}

fn raw(this: &Value) -> &RawLock {
    &this.downcast::<Lock>().expect("methods are called with instances of their type").raw
}

/// How long an `acquire(blocking, timeout)` may take.
#[derive(Clone, Copy)]
pub enum Patience {
    None,
    Until(i64),
    Endless,
}

/// What the arguments of `acquire` ask for.
pub fn patience(vm: &Vm, is_blocking: &Value, timeout: &Value) -> Result<Patience> {
    let is_blocking = vm.is_true(is_blocking)?;
    if timeout.as_small_int() == Some(-1) {
        return Ok(if is_blocking { Patience::Endless } else { Patience::None });
    }
    let timeout = object_to_nanoseconds(vm, timeout, Rounding::Up)?;
    const UNSET: i64 = -1_000_000_000;
    if !is_blocking && timeout != UNSET {
        return Err(vm.value_error("can't specify a timeout for a non-blocking call"));
    }
    if timeout < 0 && timeout != UNSET {
        return Err(vm.value_error("timeout value must be a non-negative number"));
    }
    Ok(match timeout {
        _ if !is_blocking => Patience::None,
        UNSET => Patience::Endless,
        timeout => Patience::Until(monotonic().saturating_add(timeout)),
    })
}

/// Takes the lock within the time given; whether it was taken. Signal handlers run meanwhile.
#[inline]
pub fn acquire(vm: &Vm, lock: &RawLock, patience: Patience) -> Result<bool> {
    if lock.try_acquire() {
        return Ok(true);
    }
    let deadline = match patience {
        Patience::None => return Ok(false),
        Patience::Until(deadline) => Some(deadline),
        Patience::Endless => None,
    };
    // Who has the lock runs, too.
    if is_parallel() && lock.acquire_soon() {
        return Ok(true);
    }
    loop {
        match blocking(|| lock.acquire(deadline)) {
            Wait::Woken => return Ok(true),
            Wait::TimedOut => return Ok(false),
            Wait::Interrupted => vm.check_signals()?,
        }
    }
}

fn acquire_method(vm: &Vm, this: &Value, args: &[Value]) -> Result {
    let patience = patience(vm, &args[0], &args[1])?;
    acquire(vm, raw(this), patience).map(Value::bool)
}

fn release(vm: &Vm, this: &Value) -> Result {
    if raw(this).release() { Ok(Value::NONE) } else { Err(vm.runtime_error("release unlocked lock")) }
}

method_table! { static METHODS = [
    MethodDef::new("acquire_lock($self, /, blocking=True, timeout=-1)", "The old name of acquire().", acquire_method),
    MethodDef::new("acquire($self, /, blocking=True, timeout=-1)",
        "Lock the lock, waiting until it is free.\n\nWithout blocking, or when the timeout (in seconds) is over, the result is False.",
        acquire_method),
    MethodDef::new("release_lock($self, /)", "The old name of release().", |vm, this, _| release(vm, this)),
    MethodDef::new("release($self, /)", "Release the lock, so that another thread that waits for it can take it.",
        |vm, this, _| release(vm, this)),
    MethodDef::new("locked_lock($self, /)", "The old name of locked().",
        |_, this, _| Ok(Value::bool(raw(this).is_locked()))),
    MethodDef::new("locked($self, /)", "Whether the lock is locked.", |_, this, _| Ok(Value::bool(raw(this).is_locked()))),
    MethodDef::new("__enter__($self, /)", "Lock the lock.", |vm, this, _| {
        acquire(vm, raw(this), Patience::Endless).map(Value::bool)
    }),
    MethodDef::new("__exit__($self, /, *exc_info)", "Release the lock.", |vm, this, _| release(vm, this)),
    MethodDef::new("_at_fork_reinit($self, /)", "Make the lock unlocked in a forked process.", |_, this, _| {
        raw(this).reinit();
        Ok(Value::NONE)
    }),
]; }
