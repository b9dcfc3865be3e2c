//! Tests of the heap as a whole. State that belongs to the process (prefix, limit, the set of all objects)
//! is tested in a process of its own: see [`isolated`].

use super::local::records;
use super::page::is_live;
use super::word::Word;
use super::*;
use std::collections::{HashMap, HashSet};
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Barrier, Mutex, mpsc};

/// Runs the test `name` alone in a new process. `true` means that this is that process.
pub fn isolated(module: &str, name: &str) -> bool {
    const VARIABLE: &str = "TAIPAN_ISOLATED_TEST";
    if std::env::var(VARIABLE).is_ok_and(|value| value == name) {
        return true;
    }
    let path = module.split_once("::").expect("a module inside the crate").1;
    let status = std::process::Command::new(std::env::current_exe().expect("the test binary"))
        .args([&format!("{path}::{name}"), "--exact", "--test-threads=1", "--nocapture"])
        .env(VARIABLE, name)
        .stdout(std::process::Stdio::null())
        .status()
        .expect("a test process");
    assert!(status.success(), "{name} failed in its own process");
    false
}

/// xorshift: the tests need variety, not quality.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as usize % bound
    }

    fn size(&mut self) -> usize {
        match self.below(100) {
            0 => 16 + self.below(200_000),
            1..10 => 16 + self.below(40_000),
            _ => 16 + self.below(600),
        }
    }
}

/// An object that is filled with a pattern of its own address.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
struct Model {
    address: usize,
    size: usize,
    kind: Kind,
}

impl std::hash::Hash for Kind {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        (*self as usize).hash(state);
    }
}

const TYPE: usize = 0x7E57;

impl Model {
    fn new(size: usize, kind: Kind) -> Option<Model> {
        let object = allocate(size, kind)?;
        let address = object.as_ptr() as usize;
        assert!(address.is_multiple_of(if size == size_with_alignment_16(size) { 16 } else { 8 }));
        assert!(is_heap_address(address) && is_heap_address(address + size - 1));
        // SAFETY: the object is ours, prefix and `size` bytes.
        unsafe {
            let age = if kind == Kind::Container { 0xFFFF << 48 } else { 0 };
            assert_eq!(Word::at(address - 8).get() & !age, 0);
            assert!(prefix() == 8 || Word::at(address - prefix()).get() == 0);
            assert!(usable_size(object) >= size);
            object.write_bytes(pattern(address), size);
            Word::at(address - 8).set(address);
            Word::at(address - prefix()).set(address);
            Word::at(address + 8).set(TYPE);
        }
        Some(Model { address, size, kind })
    }

    fn free(self) {
        // SAFETY: the object is allocated and as `new` left it.
        unsafe {
            assert_eq!(Word::at(self.address - 8).get(), self.address);
            assert_eq!(Word::at(self.address - prefix()).get(), self.address);
            assert_eq!(Word::at(self.address + 8).get(), TYPE);
            let body = std::slice::from_raw_parts(self.address as *const u8, self.size);
            let pattern = pattern(self.address);
            assert!(body[..8].iter().chain(&body[16..]).all(|&byte| byte == pattern));
            free(NonNull::new_unchecked(self.address as *mut u8));
        }
    }
}

fn pattern(address: usize) -> u8 {
    (address >> 4) as u8 | 1
}

fn addresses(walk: fn(&mut dyn FnMut(NonNull<u8>))) -> HashSet<usize> {
    let mut found = HashSet::new();
    walk(&mut |object| assert!(found.insert(object.as_ptr() as usize)));
    found
}

fn check_against(model: &HashMap<usize, Model>) {
    assert_eq!(addresses(for_each_object), model.keys().copied().collect());
    let containers = model.values().filter(|object| object.kind == Kind::Container).map(|object| object.address);
    assert_eq!(addresses(for_each_container), containers.collect());
}

fn random_kind(random: &mut Random) -> Kind {
    if random.below(2) == 0 { Kind::Leaf } else { Kind::Container }
}

fn walk_equals_model() {
    let mut random = Random(0x9E37_79B9_7F4A_7C15);
    let mut model = HashMap::new();
    for round in 0..40 {
        for _ in 0..1000 {
            // The number of objects rises and falls.
            if random.below(100) < if round % 10 < 5 { 70 } else { 20 } || model.is_empty() {
                let kind = random_kind(&mut random);
                let object = Model::new(random.size(), kind).expect("memory");
                assert!(model.insert(object.address, object).is_none());
            } else {
                let chosen = *model.keys().nth(random.below(model.len().min(50))).expect("an object");
                model.remove(&chosen).expect("an object").free();
            }
        }
        check_against(&model);
        assert_eq!(allocated_blocks(), model.len());
        let rows = class_statistics();
        assert_eq!(rows.iter().map(|row| row.used_blocks).sum::<usize>(), model.len());
        assert_eq!(rows.iter().map(|row| row.used_bytes).sum::<usize>(), allocated_bytes());
        if round % 7 == 0 {
            trim();
        }
    }
    model.drain().for_each(|(_, object)| object.free());
    assert_eq!((allocated_blocks(), allocated_bytes()), (0, 0));
    trim();
    assert!(mapped_bytes() <= 4 << 20);
}

#[test]
fn walk_equals_model_with_the_short_prefix() {
    if isolated(module_path!(), "walk_equals_model_with_the_short_prefix") {
        walk_equals_model();
    }
}

#[test]
fn walk_equals_model_with_the_long_prefix() {
    if isolated(module_path!(), "walk_equals_model_with_the_long_prefix") {
        set_prefix(16);
        walk_equals_model();
    }
}

#[test]
fn objects_do_not_overlap() {
    let mut random = Random(7);
    let mut objects: Vec<Model> = (0..3000).map(|_| Model::new(random.size(), Kind::Leaf).expect("memory")).collect();
    objects.sort_by_key(|object| object.address);
    for pair in objects.windows(2) {
        assert!(pair[0].address + pair[0].size <= pair[1].address - prefix());
    }
    objects.into_iter().for_each(Model::free);
}

/// Four threads allocate, free their own objects, and send others away to be freed elsewhere. Threads end and
/// new ones take over.
#[test]
fn threads_free_each_others_objects() {
    if !isolated(module_path!(), "threads_free_each_others_objects") {
        return;
    }
    const THREADS: usize = 4;
    let mut left = HashMap::new();
    for generation in 0..4_u64 {
        let (senders, receivers): (Vec<_>, Vec<_>) = (0..THREADS).map(|_| mpsc::channel::<Model>()).unzip();
        let barrier = Arc::new(Barrier::new(THREADS));
        let threads: Vec<_> = receivers
            .into_iter()
            .enumerate()
            .map(|(number, receiver)| {
                let (senders, barrier) = (senders.clone(), barrier.clone());
                std::thread::spawn(move || {
                    let mut random = Random(generation * 100 + number as u64 + 1);
                    let mut own = Vec::new();
                    for _ in 0..20_000 {
                        match random.below(10) {
                            0..5 => {
                                let kind = random_kind(&mut random);
                                own.push(Model::new(random.size().min(3000), kind).expect("memory"));
                            }
                            5..7 if !own.is_empty() => own.swap_remove(random.below(own.len())).free(),
                            7..9 if !own.is_empty() => {
                                let object = own.swap_remove(random.below(own.len()));
                                senders[random.below(THREADS)].send(object).expect("the other thread");
                            }
                            _ => receiver.try_iter().take(5).for_each(Model::free),
                        }
                    }
                    drop(senders);
                    barrier.wait();
                    receiver.iter().for_each(Model::free);
                    own
                })
            })
            .collect();
        drop(senders);
        for thread in threads {
            left.extend(thread.join().expect("no failure").into_iter().map(|object| (object.address, object)));
        }
        check_against(&left);
        // The main thread frees some of what dead threads allocated.
        let chosen: Vec<usize> = left.keys().copied().take(left.len() / 2).collect();
        for address in chosen {
            left.remove(&address).expect("an object").free();
        }
        check_against(&left);
    }
    left.drain().for_each(|(_, object)| object.free());
    assert!(addresses(for_each_object).is_empty());
    // What comes back to records without a thread is taken in when somebody needs pages.
    let object = Model::new(20_000, Kind::Leaf).expect("memory");
    object.free();
}

#[test]
fn pages_of_dead_threads_are_used_again() {
    if !isolated(module_path!(), "pages_of_dead_threads_are_used_again") {
        return;
    }
    for round in 0..200 {
        let object = std::thread::spawn(|| {
            let objects: Vec<Model> = (0..1000).map(|_| Model::new(100, Kind::Container).expect("memory")).collect();
            let kept = objects[500];
            objects.into_iter().filter(|object| *object != kept).for_each(Model::free);
            kept
        })
        .join()
        .expect("no failure");
        if round % 2 == 0 {
            object.free();
        }
    }
    assert_eq!(addresses(for_each_container).len(), 100);
    let pages: usize = class_statistics().iter().map(|row| row.pages).sum();
    assert!(pages <= 4, "{pages} pages");
    // The main thread, which has no pages yet, takes from the record that was left.
    let before = mapped_bytes();
    let object = Model::new(100, Kind::Container).expect("memory");
    assert_eq!(mapped_bytes(), before);
    object.free();
}

#[test]
fn objects_can_be_allocated_and_freed_while_a_thread_ends() {
    struct Late(Option<Model>);
    impl Drop for Late {
        fn drop(&mut self) {
            self.0.take().expect("an object").free();
            let objects: Vec<Model> = (0..100).map(|_| Model::new(48, Kind::Leaf).expect("memory")).collect();
            objects.into_iter().for_each(Model::free);
        }
    }
    thread_local!(static LATE: std::cell::RefCell<Option<Late>> = const { std::cell::RefCell::new(None) });
    std::thread::spawn(|| {
        // Registered before the heap's guard, so dropped after it.
        LATE.with(|late| *late.borrow_mut() = Some(Late(None)));
        let object = Model::new(48, Kind::Leaf);
        LATE.with(|late| late.borrow_mut().as_mut().expect("set above").0 = object);
    })
    .join()
    .expect("no failure");
}

#[test]
fn a_walk_may_free_and_allocate() {
    if !isolated(module_path!(), "a_walk_may_free_and_allocate") {
        return;
    }
    let sizes = [48, 600, 5000, 50_000, 3_000_000];
    let mut alive: HashMap<usize, Model> = (0..2000)
        .map(|index| Model::new(sizes[if index % 100 == 0 { index / 100 % 5 } else { index % 3 }], Kind::Container))
        .map(|object| object.map(|object| (object.address, object)).expect("memory"))
        .collect();
    let mut allocated = Vec::new();
    let mut visited = 0;
    for_each_container(&mut |object| {
        visited += 1;
        if let Some(current) = alive.remove(&(object.as_ptr() as usize)) {
            current.free();
            // And another one, which may not have been visited yet.
            if let Some(&other) = alive.keys().next() {
                alive.remove(&other).expect("an object").free();
            }
            if visited % 10 == 0 {
                allocated.push(Model::new(48, Kind::Leaf).expect("memory"));
            }
        }
    });
    assert!(visited >= 1000);
    assert!(alive.is_empty());
    assert_eq!(allocated_blocks(), allocated.len());
    allocated.into_iter().for_each(Model::free);
    assert_eq!(allocated_blocks(), 0);
}

#[test]
fn deferred_pages_keep_their_layout() {
    if !isolated(module_path!(), "deferred_pages_keep_their_layout") {
        return;
    }
    set_deferred_release(true);
    for round in 0..10 {
        let objects: Vec<Model> = (0..10_000).map(|_| Model::new(64, Kind::Leaf).expect("memory")).collect();
        let large = Model::new(3_000_000, Kind::Leaf).expect("memory");
        let first = objects[0].address;
        objects.into_iter().for_each(Model::free);
        large.free();
        // SAFETY: the memory stays mapped and laid out while releases are deferred.
        unsafe { assert!(!is_live(first) && !is_live(large.address)) };
        // Small pages are used again, large blocks wait.
        let expected = (round + 1) * 3_000_000;
        assert!((expected..expected + 1_200_000).contains(&deferred_bytes()), "{}", deferred_bytes());
    }
    release_deferred();
    assert_eq!((deferred_bytes(), allocated_blocks()), (0, 0));
    assert!(mapped_bytes() <= 4 << 20);
}

#[test]
fn threads_keep_some_empty_pages() {
    if !isolated(module_path!(), "threads_keep_some_empty_pages") {
        return;
    }
    set_deferred_release(true);
    let pages = || {
        let objects: Vec<Model> = (0..10_000).map(|_| Model::new(48, Kind::Container).expect("memory")).collect();
        let pages: HashSet<usize> = objects.iter().map(|object| object.address >> 16).collect();
        objects.into_iter().for_each(Model::free);
        pages
    };
    let mine = pages();
    // What a thread keeps goes with it.
    for _ in 0..3 {
        assert!(std::thread::spawn(pages).join().expect("no panic").is_disjoint(&mine));
        assert!(pages().is_subset(&mine));
    }
    assert!(addresses(for_each_container).is_empty());
    trim();
    release_deferred();
    assert_eq!((deferred_bytes(), allocated_blocks()), (0, 0));
    assert!(mapped_bytes() <= 8 << 20);
}

#[test]
fn recent_containers_include_all_young_ones() {
    if !isolated(module_path!(), "recent_containers_include_all_young_ones") {
        return;
    }
    let old: Vec<Model> = (0..50_000).map(|_| Model::new(80, Kind::Container).expect("memory")).collect();
    settle_containers();
    let young: Vec<Model> = (0..3000)
        .map(|index| Model::new(if index == 7 { 90_000 } else { 80 }, Kind::Container).expect("memory"))
        .collect();
    let recent = addresses(for_each_recent_container);
    assert!(young.iter().all(|object| recent.contains(&object.address)));
    assert!(recent.len() < young.len() + 2000);
    settle_youngest_containers();
    let youngest = Model::new(80, Kind::Container).expect("memory");
    assert!(addresses(for_each_youngest_container).contains(&youngest.address));
    assert!(addresses(for_each_youngest_container).len() < 2000);
    let recent = addresses(for_each_recent_container);
    assert!(young.iter().chain([&youngest]).all(|object| recent.contains(&object.address)));
    settle_containers();
    assert!(addresses(for_each_recent_container).len() < 2000);
    old.into_iter().chain(young).chain([youngest]).for_each(Model::free);
}

#[test]
fn the_limit_makes_allocations_fail() {
    if !isolated(module_path!(), "the_limit_makes_allocations_fail") {
        return;
    }
    set_limit(bytes_in_use() + (8 << 20));
    let mut objects = Vec::new();
    while let Some(object) = Model::new(1000, Kind::Leaf) {
        objects.push(object);
    }
    assert!((6 << 10..9 << 10).contains(&objects.len()), "{}", objects.len());
    assert!(Model::new(100_000, Kind::Leaf).is_none());
    assert!(Model::new(100_000_000, Kind::Leaf).is_none());
    assert!(allocate(usize::MAX, Kind::Leaf).is_none());
    assert!(allocate(usize::MAX - 20, Kind::Leaf).is_none());
    assert!(allocate(isize::MAX as usize, Kind::Leaf).is_none());

    assert!(!MEMORY_EXHAUSTED.load(Relaxed));
    let reserved = allocate_from_reserve(1000, Kind::Leaf).expect("the overdraft");
    assert!(MEMORY_EXHAUSTED.load(Relaxed));
    // SAFETY: just allocated.
    unsafe {
        Word::at(reserved.as_ptr() as usize + 8).set(TYPE);
        free(reserved);
    }

    let count = objects.len();
    objects.drain(..).for_each(Model::free);
    while let Some(object) = Model::new(50, Kind::Container) {
        objects.push(object);
    }
    assert!(objects.len() > count * 10);
    set_limit(usize::MAX);
    objects.push(Model::new(100_000_000, Kind::Leaf).expect("memory"));
    objects.into_iter().for_each(Model::free);
    assert_eq!(allocated_blocks(), 0);
}

#[test]
fn the_system_may_refuse() {
    if !isolated(module_path!(), "the_system_may_refuse") {
        return;
    }
    let limit = libc::rlimit { rlim_cur: 500 << 20, rlim_max: 500 << 20 };
    // SAFETY: a plain system call.
    assert_eq!(unsafe { libc::setrlimit(libc::RLIMIT_AS, &limit) }, 0);
    let mut objects = Vec::with_capacity(4 << 20);
    while let Some(object) = Model::new(2000, Kind::Container) {
        objects.push(object);
    }
    assert!(allocate(1 << 40, Kind::Leaf).is_none());
    let reserved = allocate_from_reserve(30_000, Kind::Leaf).expect("the spare segment");
    // SAFETY: just allocated.
    unsafe {
        assert!(!is_live(reserved.as_ptr() as usize));
        Word::at(reserved.as_ptr() as usize + 8).set(TYPE);
        free(reserved);
    }
    objects.drain(..).for_each(Model::free);
    assert_eq!(allocated_blocks(), 0);
    objects.push(Model::new(100 << 20, Kind::Leaf).expect("memory that was given back"));
    objects.into_iter().for_each(Model::free);
}

#[test]
fn containers_know_their_age() {
    if !isolated(module_path!(), "containers_know_their_age") {
        return;
    }
    let make = |size| allocate(size, Kind::Container).expect("memory");
    let first = make(40);
    let others: Vec<_> = [20, 300, 20, 5000, 300].into_iter().map(make).collect();
    // Of the thread's next numbers the ages do not know whether they are used: how many were allocated between two tells more.
    let before = |object, later| age(object) - age(later);
    assert_eq!(before(first, others[4]), 5);
    // SAFETY: just allocated.
    unsafe {
        Word::at(first.as_ptr() as usize + 8).set(TYPE);
        free(first);
    }
    // The block is used again, and younger than all.
    assert_eq!(make(40), first);
    assert!(others.iter().map(|object| before(*object, first)).eq([5, 4, 3, 2, 1]));
    let youngest = age(first);
    for _ in 0..1000 {
        allocate(40, Kind::Leaf).expect("memory");
    }
    assert_eq!(age(first), youngest);
}

static REQUESTS: AtomicUsize = AtomicUsize::new(0);

#[test]
fn containers_are_counted() {
    if !isolated(module_path!(), "containers_are_counted") {
        return;
    }
    Model::new(48, Kind::Container).expect("memory").free();
    assert_eq!(containers_since_collection(), 0);
    set_collection_hook(|| {
        REQUESTS.fetch_add(1, Relaxed);
    });
    set_collection_threshold(100);
    let mut objects: Vec<Model> = (0..100).map(|_| Model::new(48, Kind::Container).expect("memory")).collect();
    let leaves: Vec<Model> = (0..500).map(|_| Model::new(48, Kind::Leaf).expect("memory")).collect();
    assert_eq!(containers_since_collection(), 100);
    assert!(!COLLECT_REQUESTED.load(Relaxed));
    objects.push(Model::new(50_000, Kind::Container).expect("memory"));
    assert!(COLLECT_REQUESTED.swap(false, Relaxed));
    assert_eq!((containers_since_collection(), REQUESTS.load(Relaxed)), (101, 1));
    leaves.into_iter().for_each(Model::free);
    objects.drain(..51).for_each(Model::free);
    assert_eq!(containers_since_collection(), 50);
    reset_collection_count();
    objects.drain(..).for_each(Model::free);
    assert_eq!(containers_since_collection(), 0);

    // Threads that end leave their count to the next.
    for _ in 0..30 {
        let allocate = || (0..10).map(|_| Model::new(48, Kind::Container).expect("memory")).collect::<Vec<_>>();
        objects.extend(std::thread::spawn(allocate).join().expect("no failure"));
    }
    assert!(COLLECT_REQUESTED.swap(false, Relaxed));
    set_collection_threshold(0);
    objects.into_iter().for_each(Model::free);
    let many: Vec<Model> = (0..500).map(|_| Model::new(48, Kind::Container).expect("memory")).collect();
    assert!(!COLLECT_REQUESTED.load(Relaxed));
    many.into_iter().for_each(Model::free);
}

static TRACED: Mutex<Vec<(bool, usize, usize)>> = Mutex::new(Vec::new());

#[test]
fn tracing_reports_each_allocation_and_free() {
    if !isolated(module_path!(), "tracing_reports_each_allocation_and_free") {
        return;
    }
    set_trace_hooks(TraceHooks {
        allocated: |address, size| {
            TRACED.lock().expect("no panic before").push((true, address, size));
            // Not reported.
            Model::new(32, Kind::Leaf).expect("memory").free();
        },
        freed: |address, size| TRACED.lock().expect("no panic before").push((false, address, size)),
    });
    Model::new(48, Kind::Leaf).expect("memory").free();
    set_tracing(true);
    let object = Model::new(48, Kind::Leaf).expect("memory");
    object.free();
    let large = Model::new(50_001, Kind::Container).expect("memory");
    set_tracing(false);
    large.free();
    let prefix = prefix();
    let expected =
        [(true, object.address, 48 + prefix), (false, object.address, 48), (true, large.address, 50_001 + prefix)];
    assert_eq!(*TRACED.lock().expect("no panic before"), expected);
}

#[test]
fn a_child_process_takes_over() {
    if !isolated(module_path!(), "a_child_process_takes_over") {
        return;
    }
    let ready = Arc::new(Barrier::new(2));
    let done = Arc::new(AtomicBool::new(false));
    let thread = std::thread::spawn({
        let (ready, done) = (ready.clone(), done.clone());
        move || {
            let objects: Vec<Model> = (0..5000).map(|_| Model::new(64, Kind::Container).expect("memory")).collect();
            ready.wait();
            while !done.load(Relaxed) {
                std::thread::yield_now();
            }
            objects.into_iter().for_each(Model::free);
        }
    });
    ready.wait();
    let guard = prepare_fork();
    // SAFETY: the child only uses the heap, whose locks are held, and leaves without running destructors.
    let child = unsafe { libc::fork() };
    if child == 0 {
        guard.in_child();
        let before = mapped_bytes();
        let mut count = 0;
        for_each_container(&mut |object| {
            count += 1;
            // SAFETY: the thread that owned the objects does not exist here.
            unsafe { free(object) };
        });
        let new = (0..5000).all(|_| Model::new(64, Kind::Container).is_some());
        let lone = records().for_each_local_count() == 1;
        let code = i32::from(!(count == 5000 && new && lone && mapped_bytes() == before && allocated_blocks() == 5000));
        // SAFETY: ends the child.
        unsafe { libc::_exit(code) };
    }
    drop(guard);
    let mut status = -1;
    // SAFETY: waits for our child.
    assert_eq!(unsafe { libc::waitpid(child, &raw mut status, 0) }, child);
    done.store(true, Relaxed);
    thread.join().expect("no failure");
    assert_eq!(status, 0);
}

impl local::Records {
    fn for_each_local_count(&self) -> usize {
        let mut count = 0;
        self.for_each_local(|_| count += 1);
        count
    }
}
