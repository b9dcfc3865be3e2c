//! Threads that run at the same time: counts, cells, the heap and the collector between them.
#![cfg(feature = "free-threading")]

use std::cell::UnsafeCell;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};
use std::sync::{Barrier, Mutex, MutexGuard};

use taipan_object::builtins::dict::Dict;
use taipan_object::builtins::list::List;
use taipan_object::builtins::set::Set;
use taipan_object::cell::ObjectCell;
use taipan_object::header::Header;
use taipan_object::vm::hooks::blocking;
use taipan_object::vm::world;
use taipan_object::{Value, Vm, collector, count, weakref};

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

/// The tests share a process: one runs at a time. The thread is attached, and alone.
fn begin() -> (MutexGuard<'static, ()>, Box<Vm>) {
    static TURN: Mutex<()> = Mutex::new(());
    let turn = TURN.lock().unwrap_or_else(|failed| failed.into_inner());
    world::disable_gil();
    let vm = Vm::new(1 << 20);
    vm.attach();
    (turn, vm)
}

fn header(value: &Value) -> &Header {
    value.as_object().expect("an object")
}

/// A weak reference to what the test wants to see the end of.
fn watch(vm: &Vm, value: &Value) -> Value {
    weakref::create(vm, weakref::REFERENCE.ty(), value, None).expect("sets can be referred to weakly")
}

/// As a safepoint does it.
fn safepoint(vm: &Vm) {
    if world::is_stopped() {
        vm.pause();
    }
}

#[test]
fn what_threads_share_adds_up() {
    let (_turn, vm) = begin();
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
        assert_eq!(count::refcount(header(item)), 2 * held);
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
    assert!(left.iter().all(|inner| count::refcount(header(inner)) == 2));
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
        assert_eq!(count::refcount(header(&value)), 2);
    }
    assert!(dict.len() <= 500 * THREADS);
}

/// Each round, every thread makes an object, and all hold references to all of them; who ends its references last destroys
/// the object, be it the owner or not.
#[test]
fn counts_of_all_threads_are_one() {
    let (_turn, vm) = begin();
    let places: Vec<Mutex<Option<Value>>> = (0..THREADS).map(|_| Mutex::new(None)).collect();
    let barrier = Barrier::new(THREADS);
    let meet = || blocking(|| barrier.wait());
    let watched = List::from_vec(Vec::new());
    in_threads(&vm, |vm, number| {
        for round in 0..ROUNDS / 20 {
            let own = Set::new().into_value();
            vm.become_alone();
            watched.push(watch(vm, &own));
            vm.become_shared();
            let shared = List::from_vec(vec![own.clone(), Value::from(format!("round {round}"))]).into_value();
            *places[number].lock().expect("nobody panics") = Some(shared.clone());
            meet();
            let held: Vec<Value> = places
                .iter()
                .map(|place| place.lock().expect("nobody panics").clone().expect("all are there"))
                .collect();
            let again = held.clone();
            if (round + number) % 3 == 0 {
                drop((own, shared));
            } else {
                meet_halfway(vm);
                drop(held);
                drop((shared, own));
            }
            drop(again);
            meet();
            // The owner, or its neighbour, ends the last reference.
            let place = &places[(number + round) % THREADS];
            let last = place.lock().expect("nobody panics").take();
            drop(last);
            meet();
        }
    });
    assert_eq!(watched.len(), ROUNDS / 20 * THREADS);
    assert!(watched.to_vec().iter().all(|reference| weakref::target(reference).is_none()));
}

/// Lets other threads be alone in the middle of what a test does.
fn meet_halfway(vm: &Vm) {
    safepoint(vm);
    std::thread::yield_now();
}

/// References that an owner counted are ended by another thread, while the owner waits, and after it has ended.
#[test]
fn what_blocked_and_dead_threads_own_is_destroyed() {
    let (_turn, vm) = begin();
    let objects = List::from_vec(Vec::new());
    let watched = List::from_vec(Vec::new());
    let barrier = Barrier::new(THREADS);
    let living = || watched.to_vec().iter().filter(|reference| weakref::target(reference).is_some()).count();
    let of_each = ROUNDS / 20;
    in_threads(&vm, |vm, number| {
        if number > 0 {
            for _ in 0..of_each {
                safepoint(vm);
                let made = Set::new().into_value();
                vm.become_alone();
                watched.push(watch(vm, &made));
                vm.become_shared();
                objects.push(List::from_vec(vec![made]).into_value());
            }
        }
        blocking(|| barrier.wait());
        if number == 0 {
            // Half of what each of the others has made goes while they wait.
            for _ in 0..of_each * (THREADS - 1) / 2 {
                safepoint(vm);
                drop(objects.pop_last());
            }
            vm.become_alone();
            count::settle();
            assert_eq!(living(), objects.len());
            vm.become_shared();
        }
        blocking(|| barrier.wait());
    });
    assert_eq!(living(), objects.len());
    while let Some(last) = objects.pop_last() {
        drop(last);
    }
    count::settle();
    assert_eq!(living(), 0);
}

/// Nothing but a cell's lock orders what several threads do to its content.
#[test]
fn a_borrowed_cell_is_one_threads() {
    let (_turn, vm) = begin();
    let list = List::from_vec(Vec::new());
    let counter = ObjectCell::new((0usize, 0usize));
    in_threads(&vm, |vm, _| {
        for round in 0..ROUNDS {
            safepoint(vm);
            let mut pair = counter.borrow(&list.header);
            pair.0 += 1;
            assert_eq!(pair.0, pair.1 + 1);
            pair.1 += 1;
            drop(pair);
            if round % 10 == 0 {
                // The lock is the object's, so this one is for other state of the same.
                list.push(Value::from(round));
            }
        }
    });
    assert_eq!(counter.into_inner(), (THREADS * ROUNDS, THREADS * ROUNDS));
    assert_eq!(list.len(), THREADS * ROUNDS.div_ceil(10));
}

/// Nothing but being alone orders what is written then, and read by threads that are not.
#[test]
fn who_is_alone_writes_for_all() {
    struct Plain(UnsafeCell<usize>);
    // SAFETY: written only by a thread that is alone.
    unsafe impl Sync for Plain {}
    impl Plain {
        fn read(&self) -> usize {
            // SAFETY: nobody writes while a thread is shared.
            unsafe { *self.0.get() }
        }
    }
    let (_turn, vm) = begin();
    let written = Plain(UnsafeCell::new(0));
    in_threads(&vm, |vm, number| {
        let mut seen = 0;
        for round in 0..ROUNDS / 4 {
            safepoint(vm);
            assert!(seen <= written.read());
            seen = written.read();
            match (round + number) % 3 {
                0 => {
                    vm.become_alone();
                    // SAFETY: the thread is alone.
                    unsafe { *written.0.get() += 1 };
                    vm.become_shared();
                }
                1 => blocking(std::thread::yield_now),
                _ => {}
            }
        }
    });
    let turns = (0..THREADS).flat_map(|number| (0..ROUNDS / 4).filter(move |round| (round + number) % 3 == 0)).count();
    assert_eq!(written.read(), turns);
}

/// An owner that ends its last reference leaves the object to those who have others: they read it without its lock.
#[test]
fn what_an_owner_leaves_is_seen_whole() {
    let (_turn, vm) = begin();
    let place: Mutex<Option<Value>> = Mutex::new(None);
    let taken = AtomicBool::new(false);
    in_threads(&vm, |vm, number| match number {
        0 => {
            let list = List::from_vec(Vec::new());
            *place.lock().expect("nobody panics") = Some(list.as_value().clone());
            while !taken.load(Relaxed) {
                meet_halfway(vm);
            }
            let own = place.lock().expect("nobody panics").take();
            list.push(Value::from(7));
            drop((own, list));
        }
        1 => {
            let held = loop {
                if let Some(list) = &*place.lock().expect("nobody panics") {
                    break list.clone();
                }
                meet_halfway(vm);
            };
            taken.store(true, Relaxed);
            while world::is_live(header(&held).owner()) {
                meet_halfway(vm);
            }
            let list = held.downcast::<List>().expect("it is a list");
            // SAFETY: nothing is borrowed or run meanwhile.
            let items = unsafe { list.items.quiet(&list.header) }.expect("it is nobody's");
            assert!(matches!(items.as_slice(), [item] if item.as_small_int() == Some(7)));
        }
        _ => {}
    });
}
