//! The counters of builds with the Cargo feature `stats`, which `taipan -X stats` prints at exit. Other builds have none of this.
//!
//! Here is what the object layer counts: operations on reference counts, and allocations by size class and by type. What the
//! eval loop counts is in `interp/src/stats.rs`.

use crate::heap::Kind;
use crate::types::Type;
use std::collections::HashMap;
use std::fmt::Write;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// A counter, for any thread.
pub struct Counter(AtomicU64);

impl Counter {
    pub const fn new() -> Counter {
        Counter(AtomicU64::new(0))
    }

    #[inline(always)]
    pub fn count(&self) {
        self.0.fetch_add(1, Relaxed);
    }

    pub fn get(&self) -> u64 {
        self.0.load(Relaxed)
    }
}

/// References taken and ended, those of immortal objects included, whose counts stay what they are.
pub static INCREFS: Counter = Counter::new();
pub static DECREFS: Counter = Counter::new();
/// Of both, those of objects that are not the thread's own: immortal, or other threads'.
pub static FOREIGN: Counter = Counter::new();

/// Blocks of up to this size, prefix included, are counted by size; in steps of 16 bytes.
const LARGEST: usize = 512;
const CLASSES: usize = LARGEST / 16;

static BLOCKS: [[Counter; CLASSES + 1]; 2] = [const { [const { Counter::new() }; CLASSES + 1] }; 2];

static BY_TYPE: Mutex<Option<HashMap<String, u64>>> = Mutex::new(None);

/// Notes when a block of `block` bytes is allocated.
pub(crate) fn allocated(block: usize, kind: Kind) {
    BLOCKS[kind as usize][block.div_ceil(16).saturating_sub(1).min(CLASSES)].count();
}

/// Notes when an instance is made.
pub(crate) fn instance(ty: &Type) {
    let name = ty.name();
    let mut by_type = BY_TYPE.lock().expect("counting does not panic");
    *by_type.get_or_insert_default().entry(name).or_insert(0) += 1;
}

/// A part of a whole, in percent.
pub fn percent(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 * 100.0 / whole as f64 }
}

/// What was counted, as text; `instructions` is how many the eval loop executed.
pub fn report(instructions: u64) -> String {
    let mut text = String::new();
    let (increfs, decrefs) = (INCREFS.get(), DECREFS.get());
    let each = |count: u64| if instructions == 0 { 0.0 } else { count as f64 / instructions as f64 };
    let _ = writeln!(text, "reference counts");
    let _ = writeln!(text, "  {increfs:>14} taken, {:.2} an instruction", each(increfs));
    let _ = writeln!(text, "  {decrefs:>14} ended, {:.2} an instruction", each(decrefs));
    let foreign = FOREIGN.get();
    let _ =
        writeln!(text, "  {foreign:>14} of both of immortal objects ({:.1} %)", percent(foreign, increfs + decrefs));
    let _ = writeln!(text, "allocations by size of block, and how many are containers");
    for (class, (leaves, containers)) in BLOCKS[0].iter().zip(&BLOCKS[1]).enumerate() {
        let (leaves, containers) = (leaves.get(), containers.get());
        let size = if class == CLASSES { format!("> {LARGEST}") } else { ((class + 1) * 16).to_string() };
        if leaves + containers > 0 {
            let _ = writeln!(text, "  {:>14} of {size:>5} bytes, {containers} containers", leaves + containers);
        }
    }
    let _ = writeln!(text, "allocations by type");
    let by_type = BY_TYPE.lock().expect("counting does not panic").take().unwrap_or_default();
    let mut by_type: Vec<(String, u64)> = by_type.into_iter().collect();
    by_type.sort_by(|left, right| right.1.cmp(&left.1).then_with(|| left.0.cmp(&right.0)));
    for (name, count) in by_type {
        let _ = writeln!(text, "  {count:>14} {name}");
    }
    text
}
