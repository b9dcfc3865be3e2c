//! The cycle collector: frees groups of containers that only refer to each other.
//!
//! Counterpart of CPython's `Python/gc.c`. A collection has three phases: [`deduce_unreachable`], then weak references
//! and finalisers, then [`delete_garbage`].
//!
//! Invariant: the world stands still in the first, so the object graph cannot change there; it keeps its counters in the
//! `owner` half of the count word (0 for every mortal object with the GIL on) and puts the zeros back. The other phases
//! run Python code and must expect anything.

use crate::cell::is_parallel;
use crate::header::{Header, object_flags};
use crate::heap;
use crate::object::Result;
use crate::types::type_flags;
use crate::value::Value;
use crate::vm::Vm;
use std::cmp::Reverse;
use std::ptr::NonNull;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU32, AtomicUsize, Ordering::Relaxed};

/// The collector's bits of `PrivateWord::flags`.
mod bits {
    /// In the set being collected.
    pub const CANDIDATE: u8 = 1 << 4;
    /// The generation, from 0 on, or [`FROZEN`](super::FROZEN), shifted by [`GENERATION_SHIFT`].
    pub const GENERATION: u8 = 3 << GENERATION_SHIFT;
    pub const GENERATION_SHIFT: u8 = 5;
    /// Found unreachable by the collection under way, which has not freed it yet.
    pub const UNREACHABLE: u8 = 1 << 7;
}

/// The generation of what `gc.freeze` has set aside.
const FROZEN: usize = 3;

/// The generation that an object belongs to.
fn generation_of(object: &Header) -> usize {
    usize::from((object.private().flags.load(Relaxed) & bits::GENERATION) >> bits::GENERATION_SHIFT)
}

fn set_generation(object: &Header, generation: usize) {
    let flags = &object.private().flags;
    let others = flags.load(Relaxed) & !bits::GENERATION;
    flags.store(others | (generation as u8) << bits::GENERATION_SHIFT, Relaxed);
}

pub mod debug_flags {
    pub const STATS: u32 = 1;
    pub const COLLECTABLE: u32 = 2;
    pub const UNCOLLECTABLE: u32 = 4;
    pub const SAVEALL: u32 = 32;
}

/// One generation's thresholds and counts.
pub struct Generation {
    pub threshold: AtomicI64,
    pub count: AtomicI64,
    pub collections: AtomicUsize,
    pub collected: AtomicUsize,
    pub uncollectable: AtomicUsize,
}

impl Generation {
    const fn new(threshold: i64) -> Generation {
        Generation {
            threshold: AtomicI64::new(threshold),
            count: AtomicI64::new(0),
            collections: AtomicUsize::new(0),
            collected: AtomicUsize::new(0),
            uncollectable: AtomicUsize::new(0),
        }
    }
}

/// The three generations; the count of the youngest is the heap's.
pub static GENERATIONS: [Generation; 3] = [Generation::new(2000), Generation::new(10), Generation::new(10)];
static ENABLED: AtomicBool = AtomicBool::new(true);
static COLLECTING: AtomicBool = AtomicBool::new(false);
static DEBUG: AtomicU32 = AtomicU32::new(0);
/// Survivors of full collections, and of middle ones since: a full collection waits until these grew by a quarter.
static LONG_LIVED_TOTAL: AtomicUsize = AtomicUsize::new(0);
static LONG_LIVED_PENDING: AtomicUsize = AtomicUsize::new(0);
/// `gc.callbacks` and `gc.garbage`, lists.
static CALLBACKS: Mutex<Option<Value>> = Mutex::new(None);
static GARBAGE: Mutex<Option<Value>> = Mutex::new(None);

fn shared_list(slot: &Mutex<Option<Value>>) -> Value {
    let mut slot = slot.lock().expect("never poisoned");
    slot.get_or_insert_with(|| crate::builtins::list::List::from_vec(Vec::new()).into_value()).clone()
}

/// `gc.callbacks`
pub fn callbacks() -> Value {
    shared_list(&CALLBACKS)
}
/// `gc.garbage`
pub fn garbage() -> Value {
    shared_list(&GARBAGE)
}
/// Whether somebody hears of collections, or gets what they find.
pub fn is_watched() -> bool {
    let used = |slot: &Mutex<Option<Value>>| {
        let list = slot.lock().expect("never poisoned").clone();
        list.is_some_and(|list| list.downcast::<crate::builtins::list::List>().is_none_or(|list| list.len() > 0))
    };
    debug() != 0 || used(&CALLBACKS) || used(&GARBAGE)
}
/// Whether a collection is in progress.
pub fn is_collecting() -> bool {
    COLLECTING.load(Relaxed)
}
pub fn is_enabled() -> bool {
    ENABLED.load(Relaxed)
}
pub fn set_enabled(on: bool) {
    ENABLED.store(on, Relaxed);
    apply_threshold();
}
pub fn debug() -> u32 {
    DEBUG.load(Relaxed)
}
pub fn set_debug(flags: u32) {
    DEBUG.store(flags, Relaxed);
}

/// By how many times the threshold of the youngest generation is exceeded before there is a collection. While threads run in
/// parallel, a collection stops all of them; it comes the later the more of the last ones have found nothing.
static PATIENCE: AtomicI64 = AtomicI64::new(1);
const MOST_PATIENCE: i64 = 16;

fn set_patience(patience: i64) {
    if PATIENCE.swap(patience, Relaxed) != patience {
        apply_threshold();
    }
}

/// Threads do not run in parallel any more.
#[cfg(feature = "free-threading")]
pub(crate) fn lose_patience() {
    set_patience(1);
}

/// Tells the heap when to ask for a collection. To be called once at start.
pub fn apply_threshold() {
    let threshold = GENERATIONS[0].threshold.load(Relaxed).saturating_mul(PATIENCE.load(Relaxed));
    heap::set_collection_threshold(if is_enabled() { threshold.clamp(0, i32::MAX as i64) as i32 } else { 0 });
}

/// Whether the heap asked for a collection.
#[inline]
pub fn is_requested() -> bool {
    heap::COLLECT_REQUESTED.load(Relaxed)
}

/// At a safepoint: collects if the thresholds say so.
pub fn collect_if_requested(vm: &Vm) {
    if !heap::COLLECT_REQUESTED.swap(false, Relaxed) || !is_enabled() || COLLECTING.load(Relaxed) {
        return;
    }
    let exceeded = |at: usize| {
        let threshold = GENERATIONS[at].threshold.load(Relaxed);
        threshold > 0 && GENERATIONS[at].count.load(Relaxed) > threshold
    };
    let generation = if exceeded(2) && LONG_LIVED_PENDING.load(Relaxed) >= LONG_LIVED_TOTAL.load(Relaxed) / 4 {
        2
    } else if exceeded(1) {
        1
    } else {
        0
    };
    collect(vm, generation);
}

/// Collects a generation and the younger ones; how many unreachable objects were found.
pub fn collect(vm: &Vm, generation: usize) -> usize {
    if COLLECTING.swap(true, Relaxed) {
        return 0;
    }
    run_callbacks(vm, "start", generation, 0, 0);
    let begun = std::time::Instant::now();
    if debug() & debug_flags::STATS != 0 {
        report_generations(generation);
    }
    let found = vm.preserving_exception(|vm| collect_main(vm, generation));
    let patience = PATIENCE.load(Relaxed);
    set_patience(if found == 0 && is_parallel() { (2 * patience).min(MOST_PATIENCE) } else { 1 });
    if debug() & debug_flags::STATS != 0 {
        let seconds = begun.elapsed().as_secs_f64();
        eprintln!("gc: done, {found} unreachable, 0 uncollectable, {seconds:.4}s elapsed");
    }
    let stats = &GENERATIONS[generation];
    stats.collections.fetch_add(1, Relaxed);
    stats.collected.fetch_add(found, Relaxed);
    if !crate::vm::gil::is_enabled() {
        heap::release_deferred();
    }
    run_callbacks(vm, "stop", generation, found, 0);
    COLLECTING.store(false, Relaxed);
    found
}

/// What `DEBUG_STATS` shows before a collection.
fn report_generations(generation: usize) {
    let (mut counts, mut frozen) = ([0usize; 3], 0usize);
    heap::for_each_container(&mut |block| {
        // SAFETY: live objects.
        let object = unsafe { block.cast::<Header>().as_ref() };
        if is_frozen(object) {
            frozen += 1;
        } else if !object.is_immortal() {
            counts[generation_of(object)] += 1;
        }
    });
    let [young, middle, old] = counts;
    eprintln!("gc: collecting generation {generation}...");
    eprintln!("gc: objects in each generation: {young} {middle} {old}");
    eprintln!("gc: objects in permanent generation: {frozen}");
}

fn is_frozen(object: &Header) -> bool {
    generation_of(object) == FROZEN
}

fn run_callbacks(vm: &Vm, phase: &str, generation: usize, collected: usize, uncollectable: usize) {
    let list = CALLBACKS.lock().expect("never poisoned").clone();
    let Some(list) = list else { return };
    let callbacks = list.downcast::<crate::builtins::list::List>().map(|l| l.to_vec()).unwrap_or_default();
    if callbacks.is_empty() {
        return;
    }
    vm.preserving_exception(|vm| {
        let info = crate::builtins::dict::Dict::new();
        for (name, value) in [("generation", generation), ("collected", collected), ("uncollectable", uncollectable)] {
            info.set_str(crate::builtins::str::intern(name).as_value(), Value::from(value));
        }
        for callback in callbacks {
            if let Err(raised) = vm.call(&callback, &[Value::from(phase), info.as_value().clone()], None) {
                vm.write_unraisable(raised, "Exception ignored while calling GC callback", &callback);
            }
        }
    });
}

fn collect_main(vm: &Vm, generation: usize) -> usize {
    heap::reset_collection_count();
    for (at, stats) in GENERATIONS.iter().enumerate() {
        if at <= generation {
            stats.count.store(0, Relaxed);
        } else if at == generation + 1 {
            stats.count.fetch_add(1, Relaxed);
        }
    }
    let next_generation = (generation + 1).min(2);
    // Without memory for its lists there is no collection.
    let mut stack = Vec::new();
    let (total, mut unreachable) = if generation == 2 {
        if !has_room(&mut stack, STACK) {
            return 0;
        }
        if crate::count::has_other_owners() {
            unreachable_among(&Everything::<true>, &mut stack, next_generation)
        } else {
            unreachable_among(&Everything::<false>, &mut stack, next_generation)
        }
    } else {
        let Some(mut candidates) = recent_candidates(generation).filter(|found| has_room(&mut stack, found.len()))
        else {
            return 0;
        };
        let (total, _) = deduce_unreachable(&Listed(&candidates), &mut stack, 0, next_generation);
        candidates.retain(take_candidate);
        (total, candidates)
    };
    if generation == 0 {
        heap::settle_youngest_containers();
    } else {
        heap::settle_containers();
        let survivors = total - unreachable.len();
        if generation == 2 {
            LONG_LIVED_TOTAL.store(survivors, Relaxed);
            LONG_LIVED_PENDING.store(0, Relaxed);
        } else {
            LONG_LIVED_PENDING.fetch_add(survivors, Relaxed);
        }
    }
    if unreachable.is_empty() {
        return 0;
    }
    if unreachable.iter().any(is_noticed) {
        // As CPython joins its lists: the younger generations are appended to the oldest one, the youngest first.
        unreachable.sort_unstable_by_key(|object| {
            // SAFETY: as above.
            let own = generation_of(unsafe { object.as_ref() });
            (own != generation, own, oldest_first(object))
        });
    }
    // From here on Python code may run: the garbage is held alive. (The list stays where it is, items are as large as before.)
    let held: Vec<Value> = unreachable
        .into_iter()
        // SAFETY: found alive just now, nothing ran since.
        .map(|object| unsafe {
            crate::count::incref(object.as_ptr());
            Value::from_object_pointer(object)
        })
        .collect();
    for object in &held {
        set_unreachable(object, true);
    }
    if debug() & debug_flags::COLLECTABLE != 0 {
        for object in &held {
            eprintln!("gc: collectable <{} {:#x}>", object.ty().name(), object.id());
        }
    }
    handle_weakrefs(&held);
    finalize_garbage(vm, &held);
    let dead = without_resurrected(held, &mut stack, next_generation);
    drop(stack);
    let found = dead.len();
    if debug() & debug_flags::SAVEALL != 0 {
        for object in &dead {
            set_unreachable(object, false);
            set_generation(object.as_object().expect("garbage consists of objects"), next_generation);
        }
        if let Some(list) = garbage().downcast::<crate::builtins::list::List>() {
            dead.into_iter().for_each(|object| list.push(object));
        }
        return found;
    }
    // Those that finalisers have made.
    handle_weakrefs(&dead);
    delete_garbage(dead);
    // At the end of the interpreter the memory goes to the system in any case, or is used again.
    if generation == 2 && !crate::vm::gil::is_finalizing() {
        heap::trim();
    }
    found
}

/// Whether the collection under way has found the object unreachable.
fn is_unreachable(object: &Value) -> bool {
    object.as_object().is_some_and(|header| header.private().flags.load(Relaxed) & bits::UNREACHABLE != 0)
}

fn set_unreachable(object: &Value, on: bool) {
    let flags = &object.as_object().expect("garbage consists of objects").private().flags;
    if on {
        flags.fetch_or(bits::UNREACHABLE, Relaxed);
    } else {
        flags.fetch_and(!bits::UNREACHABLE, Relaxed);
    }
}

/// The containers that a collection is about.
trait Candidates {
    fn for_each(&self, f: &mut dyn FnMut(&Header));
    /// Whether something that a candidate refers to is one.
    fn includes(&self, child: &Header) -> bool;
    /// Whether all get their mark before they are looked through. Otherwise they get it then, if there is a reference to them,
    /// and are known by other signs before.
    fn are_marked(&self) -> bool;
}

/// Those in a list.
struct Listed<'a>(&'a [NonNull<Header>]);

impl Candidates for Listed<'_> {
    fn for_each(&self, f: &mut dyn FnMut(&Header)) {
        // SAFETY: the objects are alive, and nothing runs meanwhile.
        self.0.iter().for_each(|object| f(unsafe { object.as_ref() }));
    }
    #[inline(always)]
    fn includes(&self, child: &Header) -> bool {
        is_candidate(child)
    }
    #[inline(always)]
    fn are_marked(&self) -> bool {
        true
    }
}

/// All that there are, but for those set aside. No list of them is made: it would be as long as the heap is large.
struct Everything<const MARKED: bool>;

impl<const MARKED: bool> Candidates for Everything<MARKED> {
    fn for_each(&self, f: &mut dyn FnMut(&Header)) {
        heap::for_each_container(&mut |block| {
            // SAFETY: the walker visits live objects, and nothing runs meanwhile.
            let object = unsafe { block.cast::<Header>().as_ref() };
            if !is_frozen(object) && !object.is_immortal() {
                f(object);
            }
        });
    }
    #[inline(always)]
    fn includes(&self, child: &Header) -> bool {
        match MARKED {
            true => is_candidate(child),
            false => !is_frozen(child) && !child.is_immortal() && child.ty().is_container(),
        }
    }
    #[inline(always)]
    fn are_marked(&self) -> bool {
        MARKED
    }
}

/// How many objects may wait to be looked through at first. Those that there is no room for are found by walking again.
const STACK: usize = 16 << 10;

fn has_room(stack: &mut Vec<NonNull<Header>>, entries: usize) -> bool {
    heap::optional(|| stack.try_reserve_exact(entries.clamp(1, STACK))).is_ok()
}

/// The younger generations' containers; `None` without memory for the list.
fn recent_candidates(generation: usize) -> Option<Vec<NonNull<Header>>> {
    let mut candidates: Vec<NonNull<Header>> = Vec::new();
    let mut has_room = true;
    let walk = if generation == 0 { heap::for_each_youngest_container } else { heap::for_each_recent_container };
    walk(&mut |block| {
        let header = block.cast::<Header>();
        // SAFETY: the walker visits live objects, and nothing runs meanwhile.
        let object = unsafe { header.as_ref() };
        let young_enough = generation_of(object) <= generation;
        if young_enough && has_room && !object.is_immortal() {
            has_room = candidates.len() < candidates.capacity() || heap::optional(|| candidates.try_reserve(1)).is_ok();
            if has_room {
                candidates.push(header);
            }
        }
    });
    has_room.then_some(candidates)
}

/// How many candidates there were, and those that are unreachable.
fn unreachable_among(
    everything: &impl Candidates,
    stack: &mut Vec<NonNull<Header>>,
    next: usize,
) -> (usize, Vec<NonNull<Header>>) {
    let (total, reached) = deduce_unreachable(everything, stack, 0, next);
    (total, take_unreachable(everything, total - reached))
}

/// The `count` objects of the heap that have the mark of candidates, which they lose; none without memory for the list.
fn take_unreachable(everything: &impl Candidates, count: usize) -> Vec<NonNull<Header>> {
    let mut unreachable = Vec::new();
    if count > 0 {
        let has_room = heap::optional(|| unreachable.try_reserve_exact(count)).is_ok();
        everything.for_each(&mut |object| {
            let object = NonNull::from(object);
            if take_candidate(&object) && has_room {
                unreachable.push(object);
            }
        });
    }
    unreachable
}

/// Leaves the mark of candidates on those that are referred to only by each other, apart from `held` references to each. The
/// others are of the generation `next` then. How many candidates there were, and how many of them are reachable.
///
/// The `owner` half of the count word, 0 at first, counts the references that come from candidates.
fn deduce_unreachable<C: Candidates>(
    candidates: &C,
    stack: &mut Vec<NonNull<Header>>,
    held: u32,
    next: usize,
) -> (usize, usize) {
    let marked = candidates.are_marked();
    if marked {
        candidates.for_each(&mut |object| {
            if crate::count::refcount(object) > 0 {
                object.private().flags.fetch_or(bits::CANDIDATE, Relaxed);
                crate::count::gather(object);
                object.owner.store(0, Relaxed);
            }
        });
    }
    let mut total = 0;
    candidates.for_each(&mut |object| {
        let flags = &object.private().flags;
        if marked && !is_candidate(object) || object.local.get() == 0 {
            return;
        }
        flags.store(flags.load(Relaxed) | bits::CANDIDATE, Relaxed);
        total += 1;
        visit_children(object, &mut |child| {
            if candidates.includes(child) {
                child.owner.store(child.owner.load(Relaxed) + 1, Relaxed);
            }
        });
    });
    let mut search = Search { stack, held, next: (next as u8) << bits::GENERATION_SHIFT, reached: 0, waiting: 0 };
    loop {
        candidates.for_each(&mut |object| {
            let flags = object.private().flags.load(Relaxed);
            if flags & bits::CANDIDATE != 0 {
                if object.local.get().wrapping_sub(held) == object.owner.load(Relaxed) {
                    return;
                }
                search.reached += 1;
            } else if flags & bits::UNREACHABLE != 0 {
                search.waiting -= 1;
            } else {
                return;
            }
            search.look_through(object);
        });
        if search.waiting == 0 {
            break;
        }
        // The more room there is, the fewer walks it takes; but it is not needed.
        let more = search.stack.capacity();
        let _ = heap::optional(|| search.stack.try_reserve_exact(2 * more));
    }
    let reached = search.reached;
    if reached < total {
        candidates.for_each(&mut |object| {
            if is_candidate(object) {
                crate::count::restore(object);
            }
        });
    }
    (total, reached)
}

/// The search for what is reachable.
struct Search<'a> {
    /// Objects that were reached and have still to be looked through.
    stack: &'a mut Vec<NonNull<Header>>,
    /// How many references to each object the collector has.
    held: u32,
    /// The generation of what was reached, as bits.
    next: u8,
    reached: usize,
    /// How many of the reached objects are not on the stack for want of room: they have [`bits::UNREACHABLE`] and not
    /// [`bits::CANDIDATE`], as no others have.
    waiting: usize,
}

impl Search<'_> {
    fn look_through(&mut self, object: &Header) {
        self.settle(object);
        let mut object = NonNull::from(object);
        loop {
            // SAFETY: candidates are alive.
            visit_children(unsafe { object.as_ref() }, &mut |child| {
                let flags = child.private().flags.load(Relaxed);
                if flags & bits::CANDIDATE == 0 {
                    return;
                }
                self.reached += 1;
                if child.ty().has_flags(type_flags::NEEDS_FINALIZE) {
                    // SAFETY: as above.
                    self.reorder(child, unsafe { object.as_ref() });
                }
                if self.stack.len() < self.stack.capacity() {
                    self.settle(child);
                    self.stack.push(NonNull::from(child));
                } else {
                    self.waiting += 1;
                    child.private().flags.store(flags & !bits::CANDIDATE | bits::UNREACHABLE, Relaxed);
                }
            });
            match self.stack.pop() {
                Some(next) => object = next,
                None => return,
            }
        }
    }

    /// CPython's lists are in the order in which objects were made, until a collection comes to one that only others refer to
    /// before it comes to those: then it goes to the end. So what refers to something is finalised before that, once both
    /// have survived a collection; the text layer of a file, say, before its buffer, and that before the file itself.
    #[cold]
    fn reorder(&self, child: &Header, parent: &Header) {
        let is_held_from_outside = child.local.get().wrapping_sub(self.held) != child.owner.load(Relaxed);
        let (child, parent) = (NonNull::from(child).cast(), NonNull::from(parent).cast());
        if !is_held_from_outside && heap::age(child) > heap::age(parent) {
            heap::renew_age(child);
        }
    }

    /// Makes a reachable object what it is to be after the collection.
    #[inline(always)]
    fn settle(&self, object: &Header) {
        let flags = &object.private().flags;
        let others = flags.load(Relaxed) & !(bits::CANDIDATE | bits::UNREACHABLE | bits::GENERATION);
        flags.store(others | self.next, Relaxed);
        crate::count::restore(object);
    }
}

/// Whether Python code may hear of the object's end.
fn is_noticed(object: &NonNull<Header>) -> bool {
    // SAFETY: the object is alive.
    let object = unsafe { object.as_ref() };
    object.has_flag(object_flags::HAS_WEAKREFS) || object.ty().has_flags(type_flags::NEEDS_FINALIZE)
}

/// The order of objects in the lists that CPython keeps of a generation: they enter them when they are made.
fn oldest_first(object: &NonNull<Header>) -> impl Ord + use<> {
    (Reverse(heap::age(object.cast())), *object)
}

/// Takes the mark of candidates off; whether it was there.
fn take_candidate(object: &NonNull<Header>) -> bool {
    // SAFETY: the object is alive.
    unsafe { object.as_ref() }.private().flags.fetch_and(!bits::CANDIDATE, Relaxed) & bits::CANDIDATE != 0
}

#[inline]
fn is_candidate(object: &Header) -> bool {
    object.private().flags.load(Relaxed) & bits::CANDIDATE != 0
}

/// Calls `f` with each object that `object` refers to.
#[inline(always)]
fn visit_children(object: &Header, f: &mut impl FnMut(&Header)) {
    // SAFETY: the object is alive and the world stands still.
    unsafe {
        let traverse = object.ty().traverse;
        traverse(object as *const Header as *mut Header, &mut |value: &Value| {
            if let Some(child) = value.as_object() {
                f(child);
            }
        });
    }
}

/// Clears the weak references to the garbage; callbacks of references that are not garbage themselves run.
fn handle_weakrefs(garbage: &[Value]) {
    let mut callbacks = Vec::new();
    for object in garbage {
        let header = object.as_object().expect("garbage consists of objects");
        if header.has_flag(object_flags::HAS_WEAKREFS) {
            let detached = crate::weakref::take_callbacks(header);
            if heap::optional(|| callbacks.try_reserve(detached.len())).is_err() {
                crate::weakref::run_callbacks(std::mem::take(&mut callbacks));
            }
            callbacks.extend(detached.into_iter().filter(|(reference, _)| !is_unreachable(reference)));
        }
    }
    crate::weakref::run_callbacks(callbacks);
}

/// Runs the finalisers that have not run yet.
fn finalize_garbage(vm: &Vm, garbage: &[Value]) {
    for object in garbage {
        let header = object.as_object().expect("garbage consists of objects");
        if !header.ty().has_flags(type_flags::NEEDS_FINALIZE) || header.has_flag(object_flags::FINALIZED) {
            continue;
        }
        if let Some(finalizer) = header.ty().slots().finalize {
            header.set_flag(object_flags::FINALIZED);
            finalizer(vm, object);
        }
    }
}

/// What of the garbage is still unreachable after finalisers ran; the rest goes to a generation. Each value holds one count.
fn without_resurrected(mut held: Vec<Value>, stack: &mut Vec<NonNull<Header>>, generation: usize) -> Vec<Value> {
    // SAFETY: an object's value is its address, and garbage consists of objects.
    let headers = unsafe { std::slice::from_raw_parts(held.as_ptr().cast::<NonNull<Header>>(), held.len()) };
    deduce_unreachable(&Listed(headers), stack, 1, generation);
    held.retain(|object| take_candidate(&NonNull::from(object.as_object().expect("garbage consists of objects"))));
    held
}

/// Breaks the cycles; the objects die by their counts.
fn delete_garbage(dead: Vec<Value>) {
    for object in &dead {
        let header = object.as_object().expect("garbage consists of objects");
        // SAFETY: the object is alive, held by `dead`.
        unsafe { (header.ty().clear)(header as *const Header as *mut Header) };
    }
    for object in &dead {
        set_unreachable(object, false);
    }
}

/// `gc.get_objects`: every tracked container, or those of one generation. What is about to be freed is left out.
pub fn objects(vm: &Vm, generation: Option<usize>) -> Result<Vec<Value>> {
    tracked(vm, |object| generation.is_none_or(|generation| generation_of(object) == generation))
}

/// `gc.get_referrers`: the tracked containers that refer directly to one of `targets`.
pub fn referrers(vm: &Vm, targets: &[Value]) -> Result<Vec<Value>> {
    tracked(vm, |object| refers_to(object, targets))
}

/// The tracked containers that are wanted, by generation, of each the older before the younger.
fn tracked(vm: &Vm, wanted: impl Fn(&Header) -> bool) -> Result<Vec<Value>> {
    let mut found = Vec::new();
    let mut has_room = true;
    let mut add = |block: NonNull<u8>| {
        // SAFETY: the walker visits live objects; the reference taken keeps them so.
        unsafe {
            let header = block.cast::<Header>();
            let object = header.as_ref();
            let doomed = object.private().flags.load(Relaxed) & bits::UNREACHABLE != 0;
            let skipped = doomed || is_frozen(object) || crate::count::refcount(object) == 0;
            if has_room && !skipped && is_tracked_header(object, TUPLE_DEPTH) && wanted(object) {
                has_room = found.len() < found.capacity() || heap::fallible(|| found.try_reserve(1)).is_ok();
                if has_room {
                    crate::count::incref(header.as_ptr());
                    found.push(Value::from_object_pointer(header));
                }
            }
        }
    };
    heap::for_each_container(&mut add);
    if !has_room {
        return Err(vm.memory_error());
    }
    found.sort_unstable_by_key(|object: &Value| {
        let header = NonNull::from(object.as_object().expect("containers are objects"));
        // SAFETY: the object is alive.
        (generation_of(unsafe { header.as_ref() }), oldest_first(&header))
    });
    Ok(found)
}

/// How deep nested tuples are looked through for something that the collector must know of.
const TUPLE_DEPTH: u32 = 64;

/// Containers are tracked, but for built-in types and tuples of nothing but untracked objects.
fn is_tracked_header(header: &Header, depth: u32) -> bool {
    let ty = header.ty();
    if !ty.is_container() {
        return false;
    }
    if ty.is(&crate::builtins::tuple::TUPLE) && depth > 0 {
        let mut tracked = false;
        // SAFETY: the object is alive and looking at values runs no Python code.
        unsafe {
            (ty.traverse)(header as *const Header as *mut Header, &mut |item: &Value| {
                tracked = tracked || item.as_object().is_some_and(|item| is_tracked_header(item, depth - 1));
            })
        };
        return tracked;
    }
    !(header.is_immortal() && ty.is(&crate::types::TYPE))
}

/// `gc.is_tracked`
pub fn is_tracked(value: &Value) -> bool {
    value.as_object().is_some_and(|header| is_tracked_header(header, TUPLE_DEPTH))
}

/// `gc.is_finalized`
pub fn is_finalized(value: &Value) -> bool {
    value.as_object().is_some_and(|header| header.ty().is_container() && header.has_flag(object_flags::FINALIZED))
}

/// `gc.get_referents` of one object.
pub fn referents(value: &Value) -> Vec<Value> {
    let mut found = Vec::new();
    if let Some(header) = value.as_object().filter(|header| header.ty().is_container()) {
        // SAFETY: the object is alive and cloning values runs no Python code.
        unsafe {
            (header.ty().traverse)(header as *const Header as *mut Header, &mut |child: &Value| {
                found.push(child.clone())
            })
        };
    }
    found
}

/// Whether a container refers directly to one of `targets`.
fn refers_to(header: &Header, targets: &[Value]) -> bool {
    let mut does = false;
    // SAFETY: the object is alive and looking at values runs no Python code.
    unsafe {
        (header.ty().traverse)(header as *const Header as *mut Header, &mut |child: &Value| {
            does = does || targets.iter().any(|target| target.word() == child.word());
        })
    };
    does
}

/// `gc.freeze`: no later collection looks at what exists now.
pub fn freeze() {
    heap::for_each_container(&mut |block| {
        // SAFETY: live objects.
        let header = unsafe { block.cast::<Header>().as_ref() };
        set_generation(header, FROZEN);
    });
}

/// `gc.unfreeze`
pub fn unfreeze() {
    heap::for_each_container(&mut |block| {
        // SAFETY: live objects.
        let header = unsafe { block.cast::<Header>().as_ref() };
        if is_frozen(header) {
            set_generation(header, 2);
        }
    });
}

/// `gc.get_freeze_count`
pub fn frozen_count() -> usize {
    let mut count = 0;
    heap::for_each_container(&mut |block| {
        // SAFETY: live objects.
        let header = unsafe { block.cast::<Header>().as_ref() };
        count += usize::from(is_frozen(header));
    });
    count
}

/// `gc.get_count()[0]`
pub fn youngest_count() -> usize {
    heap::containers_since_collection()
}
