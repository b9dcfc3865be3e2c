//! Threads that run at the same time: counts, cells, the heap and the collector between them.
#![cfg(feature = "free-threading")]

use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use taipan_object::builtins::dict::Dict;
use taipan_object::builtins::list::List;
use taipan_object::vm::hooks::blocking;
use taipan_object::vm::world;
use taipan_object::{Value, Vm, collector, count};

const THREADS: usize = if cfg!(miri) { 2 } else { 4 };
const ROUNDS: usize = if cfg!(miri) { 60 } else { 20_000 };

/// Runs `f` in several threads, each in the shared state but where it asks to be alone.
fn in_threads(vm: &Vm, f: impl Fn(&Vm, usize) + Sync) {
    std::thread::scope(|scope| {
        let mut running = Vec::new();
        for number in 0..THREADS {
            world::before_start(vm);
            let f = &f;
            running.push(scope.spawn(move || {
                let vm = Vm::new(1 << 20);
                vm.attach();
                vm.become_shared();
                f(&vm, number);
                vm.become_alone();
                count::settle();
            }));
        }
        blocking(|| running.into_iter().for_each(|thread| thread.join().expect("no thread panics")));
    });
    assert!(vm.is_attached() && !count::is_shared());
    count::settle();
}

/// As a safepoint does it.
fn safepoint(vm: &Vm) {
    if world::is_stopped() {
        vm.pause();
    }
}

#[test]
fn what_threads_share_adds_up() {
    world::disable_gil();
    let vm = Vm::new(1 << 20);
    vm.attach();
    let text = |i: usize| Value::from(format!("item number {i}"));
    let list = List::from_vec((0..64).map(text).collect());

    // References go from thread to thread.
    in_threads(&vm, |vm, number| {
        for round in 0..ROUNDS {
            safepoint(vm);
            let item = list.get((round + number) % 64).expect("there are 64 items");
            list.set_item_i64((round * 7 % 64) as i64, item.clone());
            let other = list.get(round % 64);
            drop(item);
            drop(other);
        }
    });
    // Each is in the list and in the copy, as often in either.
    let items = list.to_vec();
    for item in &items {
        let held = items.iter().filter(|other| other.is(item)).count() as u64;
        assert_eq!(count::refcount(item.as_object().expect("long strings are objects")), 2 * held);
    }
    drop(items);

    // Objects are made by one thread and end in another.
    let made = AtomicUsize::new(0);
    let queue = List::from_vec(Vec::new());
    in_threads(&vm, |vm, number| {
        for round in 0..ROUNDS {
            safepoint(vm);
            if number % 2 == 0 {
                let inner = List::from_vec(vec![text(round), Value::from(round)]);
                queue.push(inner.into_value());
                made.fetch_add(1, Relaxed);
            } else if let Some(last) = queue.pop_last() {
                assert_eq!(last.downcast::<List>().expect("only lists are there").len(), 2);
            }
            if round % 1000 == 0 {
                vm.become_alone();
                collector::collect(vm, 1);
                count::settle();
                vm.become_shared();
            }
        }
    });
    assert_eq!(made.load(Relaxed), THREADS / 2 * ROUNDS);
    let left = queue.to_vec();
    assert!(left.iter().all(|inner| count::refcount(inner.as_object().expect("lists are objects")) == 2));
    drop(left);

    // A dict that all write to.
    let dict = Dict::new();
    in_threads(&vm, |vm, number| {
        for round in 0..ROUNDS {
            safepoint(vm);
            let key = Value::from(round % 500 * THREADS + number);
            dict.set(vm, &key, text(round)).expect("ints are hashable");
            if round % 3 == 0 {
                dict.remove(vm, &key).expect("ints are hashable");
            }
            dict.get(vm, &Value::from(round % 500)).expect("ints are hashable");
        }
    });
    for (_, value) in dict.items() {
        assert_eq!(count::refcount(value.as_object().expect("an object")), 2);
    }
    assert!(dict.len() <= 500 * THREADS);
}
