//! `-X importtime`: how long each import takes, with and without the imports that it makes.

use std::cell::Cell;
use std::sync::Once;
use std::time::{Duration, Instant};

thread_local! {
    /// What the imports within the running one have taken.
    static NESTED: Cell<Duration> = const { Cell::new(Duration::ZERO) };
    static LEVEL: Cell<usize> = const { Cell::new(0) };
}

fn print_header() {
    static PRINTED: Once = Once::new();
    PRINTED.call_once(|| eprintln!("import time: self [us] | cumulative | imported package"));
}

/// Runs an import and prints its times.
pub fn measure<R>(name: &str, import: impl FnOnce() -> R) -> R {
    print_header();
    let before = NESTED.replace(Duration::ZERO);
    let level = LEVEL.replace(LEVEL.get() + 1);
    let start = Instant::now();
    let result = import();
    let total = start.elapsed();
    let own = total.saturating_sub(NESTED.replace(before + total));
    LEVEL.set(level);
    let (own, total) = (own.as_micros(), total.as_micros());
    eprintln!("import time: {own:9} | {total:10} | {:indent$}{name}", "", indent = 2 * level);
    result
}

/// Mentions an import of a module that was loaded already.
pub fn note_cached(name: &str) {
    print_header();
    eprintln!("import time: {:9} | {:10} | {:indent$}{name}", "cached", "cached", "", indent = 2 * LEVEL.get());
}
