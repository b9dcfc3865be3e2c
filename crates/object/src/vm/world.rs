//! Threads without the GIL: who runs beside whom.
//!
//! An attached thread is in one of two states. *Alone* it holds the lock of `gil.rs`, and no other thread touches Python
//! objects: what is true with the GIL is true for it. *Shared* it runs beside other shared threads, and may only do what is
//! known to be sound then (`interp/src/eval/shared.rs`). A thread starts alone, and asks to be alone for whatever is not.
//!
//! A thread becomes alone in two steps: it takes the lock, then it stops the world, waiting until every shared thread has
//! left that state, which they look after at their safepoints ([`is_stopped`]). A shared thread holds nothing while it waits.
//!
//! *Owners.* Each thread's objects carry its id (`count.rs`); ids are never used twice. Whoever starts a thread takes a new
//! id: what it made before belongs to nobody then ([`is_live`]), so that either thread may read it. The first thread has
//! none, nor have its objects, until a second one comes; they get the id 1 then.

use std::sync::Mutex;
use std::sync::atomic::{
    AtomicBool, AtomicU32,
    Ordering::{Acquire, Relaxed, Release, SeqCst},
};

use super::hooks::HOOKS;
use super::{Vm, gil};
use crate::builtins::object::OBJECT;
use crate::cell::PARALLEL;
pub use crate::cell::is_parallel;
use crate::header::{Header, sharing_flags};
use crate::parking::{self, monotonic};
use crate::types::beside;
use crate::value::Value;
use crate::{count, heap};

static FREE_THREADED: AtomicBool = AtomicBool::new(false);
/// How many threads are in the shared state. Who stops the world is parked on it.
static SHARING: AtomicU32 = AtomicU32::new(0);
/// 1: a thread is alone, or about to be. Threads that want to be in the shared state are parked on it.
static STOPPED: AtomicU32 = AtomicU32::new(0);
/// How many threads are parked on [`STOPPED`].
static PAUSED: AtomicU32 = AtomicU32::new(0);

static OWNERS: Mutex<Owners> = Mutex::new(Owners { last: 0, live: Vec::new(), sole: 0 });
/// Smaller ids are those of no thread any more.
static OLDEST: AtomicU32 = AtomicU32::new(0);

struct Owners {
    /// 0 as long as there has been only one thread.
    last: u32,
    live: Vec<u32>,
    /// The address of the state of the thread that has no id yet; 0 if there is none.
    sole: usize,
}

impl Owners {
    /// How many threads there are.
    fn threads(&self) -> usize {
        self.live.len() + usize::from(self.sole != 0)
    }

    /// From now on there are ids. The calling thread is alone.
    fn begin(&mut self) {
        if self.last == 0 {
            self.last = count::FIRST;
            count::end_sole_ownership();
        }
    }
}

/// How often a thread looks whether the others have stopped before it parks.
const SPINS: u32 = 2000;

/// Has threads run without the GIL. To be called before the first object is made.
pub fn disable_gil() {
    heap::set_prefix(16);
    FREE_THREADED.store(true, SeqCst);
}

/// Whether threads run without the GIL.
#[inline(always)]
pub fn is_free_threaded() -> bool {
    FREE_THREADED.load(Relaxed)
}

/// Whether a thread has the id and runs, or may have: it may be too old a thread for that to be known.
#[inline(always)]
pub fn is_live(owner: u32) -> bool {
    owner >= OLDEST.load(Relaxed) && owner < count::NOBODY
}

fn set_parallel(parallel: bool) {
    // Others may look at the header of an object that has just been freed.
    heap::set_deferred_release(parallel);
    PARALLEL.store(parallel, SeqCst);
    if !parallel {
        crate::collector::lose_patience();
    }
}

/// Gives the calling thread an id of its own, in place of the one it has.
fn take_id(owners: &mut Owners, vm: &Vm) {
    assert!(owners.last < count::NOBODY - 1, "four billion threads have been started");
    owners.last += 1;
    let (id, old) = (owners.last, count::current_owner());
    owners.live.retain(|live| *live != old);
    owners.live.push(id);
    if owners.sole == address(vm) {
        owners.sole = 0;
    }
    note_oldest(owners);
    count::set_owner(id);
}

fn address(vm: &Vm) -> usize {
    std::ptr::from_ref(vm) as usize
}

fn note_oldest(owners: &Owners) {
    OLDEST.store(owners.live.iter().copied().min().unwrap_or(owners.last + 1), Release);
}

/// The calling thread is alone, after it was not.
pub(super) fn attached(vm: &Vm) {
    if count::current_owner() == 0 {
        attached_without_id(vm);
    }
}

#[cold]
fn attached_without_id(vm: &Vm) {
    let mut owners = OWNERS.lock().expect("never poisoned");
    if owners.last == 0 && (owners.sole == 0 || owners.sole == address(vm)) {
        owners.sole = address(vm);
        return;
    }
    owners.begin();
    take_id(&mut owners, vm);
    if owners.threads() > 1 {
        set_parallel(true);
    }
}

/// A thread's state goes; what it leaves belongs to nobody.
pub(super) fn thread_ends(vm: &Vm) {
    if !is_free_threaded() {
        return;
    }
    let mut owners = OWNERS.lock().expect("never poisoned");
    let id = count::current_owner();
    owners.live.retain(|live| *live != id);
    if owners.sole == address(vm) {
        owners.sole = 0;
    }
    if owners.threads() <= 1 {
        // Nobody borrows a cell: this thread is alone, and the other one is at a safepoint.
        set_parallel(false);
    }
    note_oldest(&owners);
    count::set_owner(0);
}

/// Before the calling thread, which is alone, starts another.
pub fn before_start(vm: &Vm) {
    if is_free_threaded() {
        let mut owners = OWNERS.lock().expect("never poisoned");
        owners.begin();
        take_id(&mut owners, vm);
        set_parallel(true);
    }
}

/// No thread was started after all.
pub fn start_failed() {
    if is_free_threaded() && OWNERS.lock().expect("never poisoned").threads() == 1 {
        set_parallel(false);
    }
}

/// Whether shared threads are to leave that state.
#[inline(always)]
pub fn is_stopped() -> bool {
    STOPPED.load(Relaxed) != 0
}

/// Waits until no thread is in the shared state. The calling thread holds the lock.
pub(super) fn stop() {
    if STOPPED.swap(1, SeqCst) == 1 && SHARING.load(SeqCst) == 0 {
        return;
    }
    let mut spins = 0;
    loop {
        let sharing = SHARING.load(SeqCst);
        if sharing == 0 {
            return;
        }
        spins += 1;
        if spins < SPINS {
            std::hint::spin_loop();
        } else {
            parking::wait(&SHARING, sharing, Some(monotonic() + 5_000_000));
        }
    }
}

/// Lets threads into the shared state. The calling thread is about to give the lock up.
pub(super) fn go_on() {
    STOPPED.store(0, SeqCst);
    if PAUSED.load(SeqCst) > 0 {
        parking::wake(&STOPPED, i32::MAX);
    }
}

/// Enters the shared state; the thread holds nothing.
pub(super) fn enter(vm: &Vm) {
    loop {
        SHARING.fetch_add(1, SeqCst);
        if STOPPED.load(SeqCst) == 0 {
            break;
        }
        leave();
        wait_for_go();
    }
    count::set_shared(true);
    gil::stop_if_finalizing(vm);
}

/// Waits until the world is not stopped any more.
fn wait_for_go() {
    let mut spins = 0;
    while STOPPED.load(Acquire) != 0 {
        spins += 1;
        if spins < SPINS {
            std::hint::spin_loop();
            continue;
        }
        PAUSED.fetch_add(1, SeqCst);
        let woken = parking::wait(&STOPPED, 1, Some(monotonic() + gil::switch_interval()));
        PAUSED.fetch_sub(1, SeqCst);
        if woken == parking::Wait::TimedOut && STOPPED.load(SeqCst) != 0 {
            gil::request_drop();
        }
    }
}

/// Leaves the shared state.
pub(super) fn leave() {
    SHARING.fetch_sub(1, SeqCst);
    if STOPPED.load(SeqCst) != 0 {
        parking::wake(&SHARING, 1);
    }
}

/// Whether a protocol of `value` may be used beside other threads. Classes have methods, whose calls are decided about anew.
#[inline]
fn is_sound(value: &Value) -> bool {
    let ty = value.ty();
    if ty.is_heap_type() {
        return std::ptr::fn_addr_eq(ty.dealloc, OBJECT.ty().dealloc);
    }
    let bits = ty.beside.load(Relaxed);
    bits & beside::USE != 0
        || bits & beside::USE_OWN != 0 && value.as_object().is_some_and(is_mine)
        || bits & beside::USE_KNOWN != 0 && value.as_object().is_some_and(is_known)
}

/// Whether an object is this thread's and no other has touched it.
#[inline(always)]
pub fn is_mine(object: &Header) -> bool {
    object.is_owned_by(count::current_owner())
        && object.sharing() & (sharing_flags::SHARED | sharing_flags::LOCKED) == 0
}

/// Whether an object is written to by this thread, or by one that is alone, and by no other.
#[inline(always)]
pub(crate) fn is_read_freely(object: &Header) -> bool {
    let sharing = object.sharing();
    sharing & sharing_flags::LOCKED == 0
        && (sharing & sharing_flags::SHARED != 0
            || object.is_owned_by(count::current_owner())
            || !is_live(object.owner()))
}

/// Whether an object is not another thread's that no other has touched.
fn is_known(object: &Header) -> bool {
    object.sharing() & (sharing_flags::SHARED | sharing_flags::LOCKED) != 0
        || object.is_owned_by(count::current_owner())
        || !is_live(object.owner())
}

/// A thread that has become alone for a while; afterwards it is in the shared state again.
pub(crate) struct ForAWhile<'a>(Option<&'a Vm>);

impl Drop for ForAWhile<'_> {
    #[inline(always)]
    fn drop(&mut self) {
        if let Some(vm) = self.0 {
            vm.become_shared();
        }
    }
}

impl Vm {
    /// For as long as the result lives: alone, if the protocols of these values may do what is not sound beside other threads.
    /// No cell is borrowed, as other threads run before.
    #[inline(always)]
    pub(crate) fn alone_for<const N: usize>(&self, values: [&Value; N]) -> ForAWhile<'_> {
        if count::is_shared() && !values.into_iter().all(is_sound) {
            return self.alone_for_a_while();
        }
        ForAWhile(None)
    }

    /// As [`Vm::alone_for`], for a call.
    #[inline(always)]
    pub(crate) fn alone_for_call(&self, callable: &Value) -> ForAWhile<'_> {
        if count::is_shared() && !HOOKS.get().is_some_and(|hooks| (hooks.runs_beside)(callable)) {
            return self.alone_for_a_while();
        }
        ForAWhile(None)
    }

    #[cold]
    #[inline(never)]
    fn alone_for_a_while(&self) -> ForAWhile<'_> {
        self.become_alone();
        ForAWhile(Some(self))
    }

    /// From the shared state: waits until all that others do has stopped.
    pub fn become_alone(&self) {
        debug_assert!(count::is_shared() && self.is_attached());
        count::set_shared(false);
        leave();
        gil::acquire(self);
        stop();
    }

    /// From the alone state: lets others run beside this thread.
    pub fn become_shared(&self) {
        debug_assert!(!count::is_shared() && self.is_attached());
        count::set_shared(true);
        SHARING.fetch_add(1, SeqCst);
        go_on();
        gil::release();
    }

    /// At a safepoint of a shared thread: waits as long as another thread is alone.
    #[cold]
    #[inline(never)]
    pub fn pause(&self) {
        count::set_shared(false);
        leave();
        wait_for_go();
        enter(self);
    }
}

/// In a forked process, whose only thread is the one that forked; it is alone.
pub(super) fn after_fork_in_child() {
    if is_free_threaded() {
        SHARING.store(0, SeqCst);
        PAUSED.store(0, SeqCst);
        let mut owners = OWNERS.lock().expect("never poisoned");
        let id = count::current_owner();
        owners.live.retain(|live| *live == id);
        if id != 0 {
            owners.sole = 0;
        }
        note_oldest(&owners);
        set_parallel(false);
    }
}
