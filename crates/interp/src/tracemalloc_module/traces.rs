//! The traces of memory blocks: what the heap reports, and the calls that were in progress then.
//!
//! A frame is kept as its code and the place in it; lines are looked up when someone asks. Nothing in here is a Python
//! object, so that allocations of threads without the GIL can be traced too.
//!
//! While the lock is held the thread's own allocations and frees are not reported: the hooks would need the lock.

use std::cell::RefCell;
use std::cmp::Reverse;
use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard};

use smallvec::SmallVec;
use taipan_bytecode::{SharedCode, linetable};
use taipan_object::Vm;
use taipan_object::hash::Spread;
use taipan_object::heap::{self, TraceHooks};

use crate::frame::{Frame, Interp};

/// A call in progress when a block was allocated.
pub struct TracedFrame {
    pub code: SharedCode,
    unit: u32,
}

impl TracedFrame {
    /// The line, 0 if there is none.
    pub fn lineno(&self) -> i32 {
        linetable::position_of(&self.code.linetable, self.code.firstlineno, self.unit).lineno.max(0)
    }
}

/// The calls in progress when a block was allocated, innermost first.
pub struct Traceback {
    /// As many as are kept; none in threads that run no Python code.
    pub frames: Box<[TracedFrame]>,
    /// How many there were.
    pub total: usize,
}

impl Traceback {
    fn is(&self, frames: &[(&Frame, u32)], total: usize) -> bool {
        let same = |(known, (frame, unit)): (&TracedFrame, &(&Frame, u32))| {
            known.unit == *unit && known.code.address() == frame.code().data.address()
        };
        self.total == total && self.frames.len() == frames.len() && self.frames.iter().zip(frames).all(same)
    }
}

struct Trace {
    /// How many blocks had been traced before.
    serial: u64,
    size: usize,
    traceback: Arc<Traceback>,
}

type Map<K, V> = HashMap<K, V, BuildHasherDefault<Spread>>;

#[derive(Default)]
struct Traces {
    blocks: Map<usize, Trace>,
    traced: u64,
    /// All tracebacks, by a hash of their frames.
    tracebacks: Map<u64, Vec<Arc<Traceback>>>,
    size: usize,
    peak: usize,
}

impl Traces {
    fn forget(&mut self, address: usize) {
        if let Some(trace) = self.blocks.remove(&address) {
            self.size -= trace.size;
        }
    }

    /// The traceback of the running thread.
    fn traceback(&mut self) -> Arc<Traceback> {
        let limit = limit();
        let mut frames: SmallVec<[(&Frame, u32); 8]> = SmallVec::new();
        let mut total = 0;
        let mut hash = Spread::default();
        let interp = Vm::try_current().filter(|vm| !vm.interpreter.get().is_null()).map(Interp::of);
        for frame in interp.into_iter().flat_map(Interp::frames) {
            if frames.len() < limit {
                let unit = frame.code().try_unit_of_pc(frame.pc).unwrap_or(0);
                // A call that is not under way yet belongs to its caller.
                if total == 0 && unit < frame.code().first_traceable() {
                    continue;
                }
                hash.write_usize(frame.code().data.address());
                hash.write_u64(u64::from(unit));
                frames.push((frame, unit));
            }
            total += 1;
        }
        let known = self.tracebacks.entry(hash.finish()).or_default();
        if let Some(traceback) = known.iter().find(|traceback| traceback.is(&frames, total)) {
            return traceback.clone();
        }
        let frames = frames.iter().map(|(frame, unit)| TracedFrame { code: frame.code().data.clone(), unit: *unit });
        let traceback = Arc::new(Traceback { frames: frames.collect(), total });
        known.push(traceback.clone());
        traceback
    }
}

/// The traces; `None` while nothing is traced.
static TRACES: Mutex<Option<Traces>> = Mutex::new(None);
static LIMIT: AtomicUsize = AtomicUsize::new(1);

/// The traces, with this thread's reports held back.
struct Locked(MutexGuard<'static, Option<Traces>>);

impl Locked {
    fn new() -> Locked {
        heap::pause_tracing();
        Locked(TRACES.lock().expect("nothing panics while the traces are locked"))
    }
}

impl Drop for Locked {
    fn drop(&mut self) {
        heap::resume_tracing();
    }
}

fn allocated(address: usize, size: usize) {
    let mut locked = Locked::new();
    let Some(traces) = &mut *locked.0 else { return };
    // A block may have been freed while its thread's reports were held back.
    traces.forget(address);
    let traceback = traces.traceback();
    traces.blocks.insert(address, Trace { serial: traces.traced, size, traceback });
    traces.traced += 1;
    traces.size += size;
    traces.peak = traces.peak.max(traces.size);
}

fn freed(address: usize, _size: usize) {
    if let Some(traces) = &mut *Locked::new().0 {
        traces.forget(address);
    }
}

pub fn is_tracing() -> bool {
    Locked::new().0.is_some()
}

/// How many frames are kept.
pub fn limit() -> usize {
    LIMIT.load(Relaxed)
}

pub fn start(limit: usize) {
    let mut locked = Locked::new();
    if locked.0.is_none() {
        LIMIT.store(limit, Relaxed);
        *locked.0 = Some(Traces::default());
        heap::set_trace_hooks(TraceHooks { allocated, freed });
        heap::set_tracing(true);
    }
}

pub fn stop() {
    let mut locked = Locked::new();
    heap::set_tracing(false);
    *locked.0 = None;
}

pub fn clear() {
    if let Some(traces) = &mut *Locked::new().0 {
        *traces = Traces::default();
    }
}

/// The bytes traced now and at most.
pub fn traced_memory() -> (usize, usize) {
    Locked::new().0.as_ref().map_or((0, 0), |traces| (traces.size, traces.peak))
}

pub fn reset_peak() {
    if let Some(traces) = &mut *Locked::new().0 {
        traces.peak = traces.size;
    }
}

/// The bytes that the traces themselves take.
pub fn own_memory() -> usize {
    Locked::new().0.as_ref().map_or(0, |traces| {
        let traceback = |traceback: &Arc<Traceback>| {
            size_of::<Traceback>() + traceback.frames.len() * size_of::<TracedFrame>() + size_of::<Arc<Traceback>>()
        };
        let tracebacks = traces.tracebacks.values().flatten().map(traceback).sum::<usize>();
        let buckets = traces.tracebacks.capacity() * size_of::<(u64, Vec<Arc<Traceback>>)>();
        traces.blocks.capacity() * size_of::<(usize, Trace)>() + buckets + tracebacks
    })
}

/// Where the block at an address was allocated.
pub fn traceback_of(address: usize) -> Option<Arc<Traceback>> {
    Locked::new().0.as_ref()?.blocks.get(&address).map(|trace| trace.traceback.clone())
}

/// Sizes and tracebacks of all blocks, the latest first: in the same order whenever a program runs.
pub fn all() -> Vec<(usize, Arc<Traceback>)> {
    let locked = Locked::new();
    let Some(traces) = &*locked.0 else { return Vec::new() };
    let mut latest: Vec<&Trace> = traces.blocks.values().collect();
    latest.sort_unstable_by_key(|trace| Reverse(trace.serial));
    latest.into_iter().map(|trace| (trace.size, trace.traceback.clone())).collect()
}

thread_local! {
    /// Held while the process is forked, so that the child does not inherit the lock from a thread it does not have.
    static FORKING: RefCell<Option<Locked>> = const { RefCell::new(None) };
}

pub fn before_fork() {
    FORKING.set(Some(Locked::new()));
}

pub fn after_fork() {
    drop(FORKING.take());
}
