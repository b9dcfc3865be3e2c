//! What it costs to count a reference, to borrow a cell and to take a lock, with the GIL and without it:
//!
//!     cargo bench -p taipan-object --features free-threading --bench sharing
//!
//! Printed are nanoseconds for each operation, the least of several rounds, or their mean where two threads contend: of a pair of incref and decref, of a borrow and
//! its end, of an item taken from a list (a borrow and a pair of counts).

use std::hint::black_box;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicUsize, Ordering::Relaxed};
use std::sync::{Barrier, Mutex};
use std::time::Instant;

use taipan_object::builtins::list::List;
use taipan_object::vm::hooks::blocking;
use taipan_object::vm::world;
use taipan_object::{Value, Vm};

const ROUNDS: usize = 15;
const OPERATIONS: usize = 100_000;

/// Nanoseconds that one of [`OPERATIONS`] calls of `f` takes.
fn least(mut f: impl FnMut(usize)) -> f64 {
    let mut least = f64::MAX;
    for _ in 0..ROUNDS {
        let start = Instant::now();
        (0..OPERATIONS).for_each(&mut f);
        least = least.min(start.elapsed().as_nanos() as f64 / OPERATIONS as f64);
    }
    least
}

/// The same, on average: the least of contended rounds would be that of the one in which the other thread did not run.
fn mean(f: impl FnMut(usize)) -> f64 {
    let start = Instant::now();
    (0..ROUNDS * OPERATIONS).for_each(f);
    start.elapsed().as_nanos() as f64 / (ROUNDS * OPERATIONS) as f64
}

fn print(what: &str, nanoseconds: f64) {
    println!("{what:<64} {nanoseconds:6.2}");
}

fn count(value: &Value) -> f64 {
    least(|_| drop(black_box(value.clone())))
}

fn borrow(list: &List) -> f64 {
    least(|_| {
        black_box(list.items.borrow(&list.header).as_slice().len());
    })
}

fn item(list: &List) -> f64 {
    least(|at| drop(black_box(list.get(at % 16))))
}

/// What the machine's own operations cost, to compare with.
fn machine() {
    let number = AtomicI64::new(0);
    let addition = least(|_| {
        black_box(number.fetch_add(1, Relaxed));
    });
    print("an atomic addition that no other thread disturbs", addition);
    let mutex = Mutex::new(0);
    print("a std::sync::Mutex that no other thread has", least(|_| *mutex.lock().expect("not poisoned") += 1));
}

/// Runs `f` in a thread that is in the shared state, while this one waits.
fn beside(vm: &Vm, f: impl FnOnce() + Send) {
    world::before_start(vm);
    std::thread::scope(|scope| {
        let running = scope.spawn(|| {
            let vm = Vm::new(1 << 20);
            vm.attach();
            vm.become_shared();
            f();
            vm.become_alone();
        });
        blocking(|| running.join().expect("no thread panics"));
    });
}

/// Two threads in the shared state do the same at the same time: nanoseconds per operation of one of them.
fn contended(vm: &Vm, f: impl Fn(usize) + Sync) -> f64 {
    let (barrier, stop, done) = (Barrier::new(2), AtomicBool::new(false), AtomicUsize::new(0));
    let taken = Mutex::new(0.0);
    std::thread::scope(|scope| {
        let mut running = Vec::new();
        for first in [true, false] {
            world::before_start(vm);
            let (barrier, stop, done, taken, f) = (&barrier, &stop, &done, &taken, &f);
            running.push(scope.spawn(move || {
                let vm = Vm::new(1 << 20);
                vm.attach();
                vm.become_shared();
                blocking(|| barrier.wait());
                if first {
                    *taken.lock().expect("not poisoned") = mean(f);
                    stop.store(true, Relaxed);
                } else {
                    while !stop.load(Relaxed) {
                        (0..1000).for_each(f);
                        done.fetch_add(1000, Relaxed);
                    }
                }
                vm.become_alone();
            }));
        }
        blocking(|| running.into_iter().for_each(|thread| thread.join().expect("no thread panics")));
    });
    assert!(done.load(Relaxed) > 0, "the other thread did nothing");
    taken.into_inner().expect("not poisoned")
}

fn list() -> (Value, Value) {
    let items: Vec<Value> = (0..16).map(|i| Value::from(format!("item number {i}"))).collect();
    let first = items[0].clone();
    (List::from_vec(items).into_value(), first)
}

fn as_list(value: &Value) -> &List {
    value.downcast::<List>().expect("a list")
}

fn rows(list: &Value, text: &Value, whose: &str) {
    let list = as_list(list);
    print(&format!("count of {whose}"), count(text));
    print(&format!("cell of {whose}"), borrow(list));
    print(&format!("item of {whose}"), item(list));
}

fn main() {
    machine();
    // Without the GIL from the start; with it, the first rows are the same code and the same test.
    world::disable_gil();
    let vm = Vm::new(1 << 20);
    vm.attach();
    let (early, text) = list();
    rows(&early, &text, "an object, one thread");
    beside(&vm, || {
        let (own, text) = list();
        rows(&own, &text, "one's own object, several threads");
        rows(&early, &as_list(&early).get(1).expect("an item"), "another's object, several threads");
    });
    let counted = contended(&vm, |_| drop(black_box(text.clone())));
    print("count of an object that another thread counts, too", counted);
    let borrowed = contended(&vm, |_| {
        let list = as_list(&early);
        black_box(list.items.borrow(&list.header).as_slice().len());
    });
    print("cell that another thread borrows, too", borrowed);
}
