//! `_thread.RLock`: a lock that its holder may take again.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use taipan_object::builtins::int;
use taipan_object::builtins::tuple::Tuple;
use taipan_object::header::Header;
use taipan_object::heap::Kind;
use taipan_object::native::MethodDef;
use taipan_object::object::Payload;
use taipan_object::parking::RawLock;
use taipan_object::types::slots::Slots;
use taipan_object::types::{Type, TypeSpec, type_flags};
use taipan_object::{Ref, Result, Value, Vm, method_table};

use super::get_ident;
use super::lock::{Patience, acquire, patience};
use crate::payload::class_of;

#[repr(C)]
pub struct RLock {
    pub header: Header,
    raw: RawLock,
    /// The thread that holds the lock; 0 if none does. Only the holder changes it, and `count`.
    owner: AtomicU64,
    count: AtomicU64,
}

// SAFETY: repr(C), header first, owns no references.
unsafe impl Payload for RLock {
    const KIND: Kind = Kind::Leaf;
    fn static_type() -> &'static Type {
        RLOCK.ty()
    }
}

pub static RLOCK: TypeSpec = TypeSpec::new::<RLock>("_thread.RLock")
    .flags(type_flags::HAS_WEAKREF | type_flags::BASETYPE | type_flags::DIES_QUIETLY | type_flags::MAY_LAST)
    .slots(slots)
    .methods(METHODS);

impl RLock {
    fn of(value: &Value) -> &RLock {
        value.downcast::<RLock>().expect("methods are called with instances of their type")
    }

    fn is_owned(&self) -> bool {
        self.owner.load(Relaxed) == get_ident()
    }

    fn acquire(&self, vm: &Vm, patience: Patience) -> Result {
        if self.is_owned() {
            let Some(count) = self.count.load(Relaxed).checked_add(1) else {
                return Err(vm.overflow_error("Internal lock count overflowed"));
            };
            self.count.store(count, Relaxed);
            return Ok(Value::TRUE);
        }
        let taken = acquire(vm, &self.raw, patience)?;
        if taken {
            self.owner.store(get_ident(), Relaxed);
            self.count.store(1, Relaxed);
        }
        Ok(Value::bool(taken))
    }

    fn release(&self, vm: &Vm) -> Result {
        if !self.is_owned() {
            return Err(vm.runtime_error("cannot release un-acquired lock"));
        }
        let count = self.count.load(Relaxed) - 1;
        self.count.store(count, Relaxed);
        if count == 0 {
            self.owner.store(0, Relaxed);
            self.raw.release();
        }
        Ok(Value::NONE)
    }
}

fn slots(s: &mut Slots) {
    s.new = Some(|_, class, _, _| {
        let ty = class_of(class);
        let lock =
            RLock { header: Header::new(ty), raw: RawLock::new(), owner: AtomicU64::new(0), count: AtomicU64::new(0) };
        Ok(Ref::new_with_type(ty, lock).into_value())
    });
    s.repr = Some(|_, this| {
        let lock = RLock::of(this);
        let (owner, count) = (lock.owner.load(Relaxed), lock.count.load(Relaxed));
        let state = if count > 0 { "locked" } else { "unlocked" };
        let (name, id) = (this.ty().name(), this.id());
        Ok(Value::from(format!("<{state} {name} object owner={owner} count={count} at {id:#x}>")))
    });
}

fn unsigned(vm: &Vm, value: &Value, item: usize) -> Result<u64> {
    if !int::is_int(value) {
        let name = value.ty().name();
        return Err(vm.type_error(format!("_acquire_restore() argument 1, item {item} must be int, not {name}")));
    }
    crate::arguments::c_ulong_mask(vm, value)
}

method_table! { static METHODS = [
    MethodDef::new("acquire($self, /, blocking=True, timeout=-1)",
        "Lock the lock, waiting until no other thread holds it.\n\nWithout blocking, or when the timeout (in seconds) is over, the result is False.\nThe thread that holds it may lock it again; it releases it by as many calls of release().",
        |vm, this, args| {
        let patience = patience(vm, &args[0], &args[1])?;
        RLock::of(this).acquire(vm, patience)
    }),
    MethodDef::new("release($self, /)", "Undo one acquire() of this thread.", |vm, this, _| RLock::of(this).release(vm)),
    MethodDef::new("locked($self, /)", "Whether any thread holds the lock.", |_, this, _| {
        Ok(Value::bool(RLock::of(this).count.load(Relaxed) > 0))
    }),
    MethodDef::new("_is_owned($self, /)", "For threading.Condition: whether this thread holds the lock.",
        |_, this, _| Ok(Value::bool(RLock::of(this).is_owned()))),
    MethodDef::new("_acquire_restore($self, state, /)", "For threading.Condition: undo _release_save().", |vm, this, args| {
        let Some(state) = args[0].downcast::<Tuple>() else {
            let name = args[0].ty().name();
            return Err(vm.type_error(format!("_acquire_restore() argument 1 must be 2-item tuple, not {name}")));
        };
        let [count, owner] = state.as_slice() else {
            let got = state.as_slice().len();
            let message = format!("_acquire_restore() argument 1 must be tuple of length 2, not {got}");
            return Err(vm.type_error(message));
        };
        let (count, owner) = (unsigned(vm, count, 0)?, unsigned(vm, owner, 1)?);
        let lock = RLock::of(this);
        acquire(vm, &lock.raw, Patience::Endless)?;
        lock.owner.store(owner, Relaxed);
        lock.count.store(count.max(1), Relaxed);
        Ok(Value::NONE)
    }),
    MethodDef::new("_release_save($self, /)", "For threading.Condition: release the lock entirely; what to restore.",
        |vm, this, _| {
        let lock = RLock::of(this);
        let count = lock.count.load(Relaxed);
        if count == 0 {
            return Err(vm.runtime_error("cannot release un-acquired lock"));
        }
        let owner = lock.owner.swap(0, Relaxed);
        lock.count.store(0, Relaxed);
        lock.raw.release();
        Ok(Tuple::from_array([Value::from(count), Value::from(owner)]).into_value())
    }),
    MethodDef::new("_recursion_count($self, /)", "For threading.Condition: how often this thread holds the lock.",
        |_, this, _| {
        let lock = RLock::of(this);
        Ok(Value::from(if lock.is_owned() { lock.count.load(Relaxed) } else { 0 }))
    }),
    MethodDef::new("__enter__($self, /)", "Lock the lock.", |vm, this, _| RLock::of(this).acquire(vm, Patience::Endless)),
    MethodDef::new("__exit__($self, /, *exc_info)", "Release the lock.", |vm, this, _| RLock::of(this).release(vm)),
    MethodDef::new("_at_fork_reinit($self, /)", "Make the lock unlocked in a forked process.", |_, this, _| {
        let lock = RLock::of(this);
        lock.raw.reinit();
        lock.owner.store(0, Relaxed);
        lock.count.store(0, Relaxed);
        Ok(Value::NONE)
    }),
]; }
