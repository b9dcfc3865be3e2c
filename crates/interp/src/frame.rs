//! Frames and the thread's stacks: one contiguous run of registers, one of frame records.
//!
//! A frame's registers are localsplus, then the operand stack. A callee's window starts at its first argument, inside
//! the caller's window; what a caller has above that is dead during the call. Generators own a [`Frame`] and registers
//! of the same layout on the heap.
//!
//! Words in registers are raw: 0 is null, anything else is a [`Value`]'s word. Which of them own a reference, the
//! lowering says (`lower::Site`); locals own theirs, except parameters in [`Frame::borrowed`].

use std::cell::Cell;
use std::mem::ManuallyDrop;
use std::ptr::{self, NonNull};
use std::sync::Mutex;
use std::sync::atomic::{AtomicI32, Ordering::Relaxed};

use taipan_object::header::Header;
use taipan_object::vm::breaker::Breaker;
use taipan_object::vm::hooks;
use taipan_object::{Value, Vm, heap};

use crate::code::Code;
use crate::function::Function;

/// A call in progress.
#[repr(C)]
pub struct Frame {
    /// The first register.
    pub regs: *mut u64,
    /// The instruction being executed, or, in a suspended generator, the one that suspended it.
    pub pc: *const u64,
    /// Alive as long as the function is (which keeps codes that were replaced).
    pub code: *const Code,
    pub previous: *mut Frame,
    /// The function, owned.
    pub function: u64,
    /// The namespace of module and class code, owned; 0 in functions. In constructor frames the new instance.
    pub namespace: u64,
    /// The frame object, borrowed (it clears this when it dies); 0 if nobody asked for one.
    pub object: u64,
    /// Where windows above this one may start.
    pub top: *mut u64,
    /// Where the caller goes on when the frame is done: behind its instruction that made the call. Null if the frame's return leaves
    /// the loop, and in generators.
    pub resume: *const u64,
    /// Bit i: parameter i is borrowed from the caller.
    pub borrowed: u32,
    pub flags: u16,
}

/// The frame's return leaves the eval loop.
pub const FRAME_ENTRY: u16 = 1;
/// The frame is a generator's.
pub const FRAME_GENERATOR: u16 = 2;
/// The frame runs `__init__`: the call's result is the instance in `namespace`.
pub const FRAME_CONSTRUCTOR: u16 = 4;
/// The frame runs the method of an operator's left operand: its parameters are borrowed from the operands, which the
/// caller's instruction releases when the frame is done. `NotImplemented` is not yet the result.
pub const FRAME_OPERATOR: u16 = 8;
/// When the frame returns, the one below switches to debug code.
pub const FRAME_SWITCH: u16 = 16;
/// The frame is an asynchronous generator's, resumed by the SEND of the frame below to the awaitable of a step, which is to be
/// told how the run ends.
pub const FRAME_STEP: u16 = 32;
/// The frame has, or had, a frame object.
pub const FRAME_SEEN: u16 = 64;

impl Frame {
    #[inline(always)]
    pub fn function(&self) -> &Function {
        // SAFETY: a frame owns a reference to its function, and `function` is never anything else.
        unsafe { &*(self.function as *const Function) }
    }

    #[inline(always)]
    pub fn code(&self) -> &Code {
        // SAFETY: the function keeps the code alive.
        unsafe { &*self.code }
    }

    /// The value of a local, if it is bound.
    pub fn local(&self, index: usize) -> Option<Value> {
        debug_assert!(index < self.code().nlocalsplus());
        // SAFETY: the index is in range; a non-zero register holds a value.
        unsafe {
            let word = self.regs.add(index);
            if *word == 0 { None } else { Some(Value::borrow_word(&*word).clone()) }
        }
    }

    /// The unit of the bytecode being executed.
    pub fn unit(&self) -> u32 {
        self.code().unit_of_pc(self.pc)
    }

    /// `f_lasti`.
    pub fn lasti(&self) -> i32 {
        self.unit() as i32 * 2
    }

    /// `f_lineno`, if the position has one.
    pub fn lineno(&self) -> Option<i32> {
        self.code().lineno_of_unit(self.unit())
    }
}

/// Whether a register's word is an object pointer, whose references count.
#[inline(always)]
pub fn is_pointer(word: u64) -> bool {
    if word & 7 != 0 {
        return false;
    }
    if word == 0 {
        // SAFETY: there is nothing in it. Two jumps, of which immediates need the first one only: LLVM would make the tests one
        // condition, of six instructions.
        unsafe { std::arch::asm!("", options(nomem, nostack, preserves_flags)) };
        return false;
    }
    true
}

/// Adds a reference to what a register holds; null is fine.
///
/// # Safety
/// `word` is null or a live value's.
#[inline(always)]
pub unsafe fn retain(word: u64) -> u64 {
    if is_pointer(word) {
        // SAFETY: a live object by contract.
        unsafe { std::mem::forget(Value::borrow_word(&word).clone()) };
    }
    word
}

/// Ends the reference in a register's word; null is fine.
///
/// # Safety
/// The caller owned the reference.
#[inline(always)]
pub unsafe fn release(word: u64) {
    if is_pointer(word) {
        // SAFETY: owned by contract.
        drop(unsafe { Value::from_word(word) });
    }
}

/// As [`retain`] for a word that is known not to be null.
///
/// # Safety
/// `word` is a live value's.
#[inline(always)]
pub unsafe fn retain_live(word: u64) -> u64 {
    // SAFETY: by contract.
    unsafe { std::mem::forget(Value::borrow_word(&word).clone()) };
    word
}

/// As [`release`] for a word that is known not to be null.
///
/// # Safety
/// It is a value's, and the caller owned the reference.
#[inline(always)]
pub unsafe fn release_live(word: u64) {
    // SAFETY: owned by contract.
    drop(unsafe { Value::from_word(word) });
}

/// As [`release`], where a call of its own would cost too much.
///
/// # Safety
/// As of `release`.
#[inline(always)]
pub unsafe fn release_inline(word: u64) {
    if is_pointer(word) {
        // SAFETY: owned by contract.
        unsafe { taipan_object::count::decref(word as *mut Header) };
    }
}

/// Runs of words no longer than this are cleared and copied by a loop: a call of `memset` or `memcpy` costs more.
const FEW_WORDS: usize = 16;

/// Clears `count` registers from `first` on.
///
/// # Safety
/// They hold nothing that has to be released.
#[inline(always)]
pub unsafe fn clear_words(first: *mut u64, count: usize) {
    // SAFETY: within the stack by contract. Volatile, as LLVM would make the loop a call again.
    unsafe {
        if count > FEW_WORDS {
            return first.write_bytes(0, count);
        }
        for at in 0..count {
            first.add(at).write_volatile(0);
        }
    }
}

/// Copies `count` registers.
///
/// # Safety
/// Both runs are within the stack and do not overlap.
#[inline(always)]
pub unsafe fn copy_words(from: *const u64, to: *mut u64, count: usize) {
    // SAFETY: by contract; volatile as in `clear_words`.
    unsafe {
        if count > FEW_WORDS {
            return std::ptr::copy_nonoverlapping(from, to, count);
        }
        for at in 0..count {
            to.add(at).write_volatile(*from.add(at));
        }
    }
}

/// How many registers and frame records the main thread has room for.
const REGISTERS: usize = 64 << 20;
const FRAMES: usize = 4 << 20;
/// Other threads have less, as there may be many.
const THREAD_SHARE: usize = 16;

/// Address space whose pages come into being when touched. It begins small, because limits of the address space count all of
/// it, and grows where it is.
struct Reservation {
    base: *mut u8,
    bytes: Cell<usize>,
    most: usize,
}

/// Where the main thread's stacks lie: the system has nothing there of its own accord, so there is room to grow, and the thread
/// sanitizer nothing of its own.
const PLACE_OF_REGISTERS: usize = 0x5800_0000_0000;
const PLACE_OF_FRAMES: usize = 0x5900_0000_0000;
const FIRST_BYTES: usize = 4 << 20;
/// As much as a thread needs to come to its first `RecursionError`.
const LEAST_BYTES: usize = 64 << 10;

impl Reservation {
    /// At `place`, or, if that is not to be had or not wanted, anywhere and without growing.
    fn new(most: usize, place: Option<usize>) -> Reservation {
        let first = most.min(FIRST_BYTES);
        if let Some(base) = place.and_then(|place| map(first, Some(place))) {
            return Reservation { base, bytes: Cell::new(first), most };
        }
        let mut most = most;
        loop {
            if let Some(base) = map(most, None) {
                return Reservation { base, bytes: Cell::new(most), most };
            }
            if most <= LEAST_BYTES {
                heap::out_of_memory();
            }
            most /= 2;
        }
    }

    fn end<T>(&self) -> *mut T {
        self.base.wrapping_add(self.bytes.get()).cast()
    }

    /// Makes it twice as long; false if it is as long as it may be.
    fn extend(&self) -> bool {
        let bytes = self.bytes.get();
        let more = bytes.min(self.most - bytes);
        let extended = more > 0 && map(more, Some(self.base as usize + bytes)).is_some();
        if extended {
            self.bytes.set(bytes + more);
        }
        extended
    }
}

/// A fresh mapping, at `place` or wherever there is room.
fn map(bytes: usize, place: Option<usize>) -> Option<*mut u8> {
    let fixed = if place.is_some() { libc::MAP_FIXED_NOREPLACE } else { 0 };
    let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE | fixed;
    let hint = ptr::without_provenance_mut(place.unwrap_or(0));
    // SAFETY: a fresh anonymous mapping, which replaces none.
    let base = unsafe { libc::mmap(hint, bytes, libc::PROT_READ | libc::PROT_WRITE, flags, -1, 0) };
    if base == libc::MAP_FAILED {
        return None;
    }
    if place.is_some_and(|place| place != base as usize) {
        // SAFETY: just mapped; systems that do not know the flag take the place for a hint.
        unsafe { libc::munmap(base, bytes) };
        return None;
    }
    Some(base.cast())
}

impl Drop for Reservation {
    fn drop(&mut self) {
        // SAFETY: mapped by `new` and `extend`, and frames do not outlive their thread.
        unsafe { libc::munmap(self.base.cast(), self.bytes.get()) };
    }
}

/// Stacks of threads that have ended, for those that start: the system is slow to map memory, and to make it present. Who finds
/// it locked (in a forked process for ever, perhaps) does without.
static SPARE: Mutex<Vec<[Spare; 2]>> = Mutex::new(Vec::new());
const MOST_SPARE: usize = 8;
/// What of a spare stack stays present.
const PRESENT: usize = 32 << 10;

/// A reservation that nobody uses.
struct Spare {
    base: usize,
    bytes: usize,
}

impl Spare {
    /// Takes over a reservation that no frame uses any more, of which the beginning stays present.
    fn new(reservation: Reservation) -> Spare {
        let reservation = ManuallyDrop::new(reservation);
        let (base, bytes) = (reservation.base, reservation.bytes.get());
        let present = PRESENT.min(bytes);
        // SAFETY: mapped by `map`, and frames do not outlive their thread.
        unsafe { libc::madvise(base.add(present).cast(), bytes - present, libc::MADV_DONTNEED) };
        Spare { base: base.expose_provenance(), bytes }
    }

    fn into_reservation(self) -> Reservation {
        let base = ptr::with_exposed_provenance_mut(self.base);
        Reservation { base, bytes: Cell::new(self.bytes), most: self.bytes }
    }
}

/// The stacks of one thread.
pub struct Stacks {
    registers: ManuallyDrop<Reservation>,
    frames: ManuallyDrop<Reservation>,
    is_main: bool,
    /// No window may reach this, unless [`Stacks::extend`] makes room.
    pub registers_end: Cell<*mut u64>,
    pub frames_end: Cell<*mut Frame>,
    /// The next free frame record.
    pub frame_top: Cell<*mut Frame>,
}

impl Stacks {
    /// The stacks of the main thread or of another one.
    pub fn new(is_main: bool) -> Stacks {
        let spare = SPARE.try_lock().ok().filter(|_| !is_main).and_then(|mut spare| spare.pop());
        let [registers, frames] = match spare {
            Some(spare) => spare.map(Spare::into_reservation),
            None => {
                let share = if is_main { 1 } else { THREAD_SHARE };
                let place = |place| is_main.then_some(place);
                [
                    Reservation::new(REGISTERS / share * size_of::<u64>(), place(PLACE_OF_REGISTERS)),
                    Reservation::new(FRAMES / share * size_of::<Frame>(), place(PLACE_OF_FRAMES)),
                ]
            }
        };
        let frame_top = Cell::new(frames.base.cast());
        let stacks = Stacks {
            registers: ManuallyDrop::new(registers),
            frames: ManuallyDrop::new(frames),
            is_main,
            registers_end: Cell::new(ptr::null_mut()),
            frames_end: Cell::new(ptr::null_mut()),
            frame_top,
        };
        stacks.note_ends();
        stacks
    }

    fn note_ends(&self) {
        self.registers_end.set(self.registers.end());
        // A record is whole.
        let records = self.frames.bytes.get() / size_of::<Frame>();
        self.frames_end.set(self.frames.base.cast::<Frame>().wrapping_add(records));
    }

    /// Makes room for registers up to `registers` and for one more frame record, if the stacks may grow so far.
    #[cold]
    #[inline(never)]
    pub fn extend(&self, registers: *mut u64) -> bool {
        let mut extended = true;
        while extended && registers > self.registers_end.get() {
            extended = self.registers.extend();
            self.note_ends();
        }
        while extended && self.frame_top.get() >= self.frames_end.get() {
            extended = self.frames.extend();
            self.note_ends();
        }
        extended
    }

    pub fn registers_base(&self) -> *mut u64 {
        self.registers.base.cast()
    }
}

impl Drop for Stacks {
    fn drop(&mut self) {
        // SAFETY: taken once, here.
        let stacks = unsafe { [ManuallyDrop::take(&mut self.registers), ManuallyDrop::take(&mut self.frames)] };
        let full = [REGISTERS * size_of::<u64>(), FRAMES * size_of::<Frame>()].map(|bytes| bytes / THREAD_SHARE);
        if self.is_main || stacks.each_ref().map(|stack| stack.bytes.get()) != full {
            return;
        }
        if let Some(mut spare) = SPARE.try_lock().ok().filter(|spare| spare.len() < MOST_SPARE) {
            spare.push(stacks.map(Spare::new));
        }
    }
}

/// The innermost exceptions being handled, one for each generator that runs and one for the rest of the thread.
pub struct HandledItem {
    /// Owned; 0 if there is none.
    pub exception: Cell<u64>,
    pub previous: Cell<*const HandledItem>,
}

impl HandledItem {
    pub const fn new() -> HandledItem {
        HandledItem { exception: Cell::new(0), previous: Cell::new(ptr::null()) }
    }
}

impl Drop for HandledItem {
    fn drop(&mut self) {
        // SAFETY: the item owns its exception.
        unsafe { release(self.exception.get()) };
    }
}

/// The interpreter's state of one thread; `Vm::interpreter` points to it.
pub struct Interp {
    pub stacks: Stacks,
    /// What the eval loop that is about to be left returns.
    pub result: Cell<u64>,
    /// The running frame; null outside Python code.
    pub frame: Cell<*mut Frame>,
    /// How many more Python calls may nest.
    pub depth_left: Cell<i32>,
    pub recursion_limit: Cell<i32>,
    pub handled: Cell<*const HandledItem>,
    base_handled: Box<HandledItem>,
    /// `sys.set_asyncgen_hooks`.
    pub asyncgen_firstiter: Cell<Option<Value>>,
    pub asyncgen_finalizer: Cell<Option<Value>>,
    pub coroutine_origin_depth: Cell<i32>,
    /// `sys.settrace`, `sys.setprofile`.
    pub trace: Cell<Option<Value>>,
    pub profile: Cell<Option<Value>>,
    pub tracing: Cell<i32>,
    /// The event that a trace function is being told of, or nothing.
    pub trace_event: Cell<&'static str>,
    /// The unit of the instruction that raised what the handler now entered handles.
    pub raised_at: Cell<Option<u32>>,
    /// Frames are to switch to debug code when they can.
    pub switch_requested: Cell<bool>,
    builtins: Cell<Vec<(&'static str, Value)>>,
    /// `sys.modules`.
    pub modules: Cell<Option<taipan_object::Ref<taipan_object::builtins::dict::Dict>>>,
    /// Something is to be done at the next safepoint.
    pub breaker: Breaker,
    #[cfg(feature = "free-threading")]
    pub alternation: crate::eval::Alternation,
    /// What the interpreter does for compiled code.
    #[cfg(feature = "jit")]
    pub step: Cell<crate::eval::compiled::Step>,
}

/// `sys.setrecursionlimit` sets it for all threads, also for those that start later.
static RECURSION_LIMIT: AtomicI32 = AtomicI32::new(1000);

impl Interp {
    /// State for the current thread, attached to `vm` for as long as that lives.
    pub fn attach(vm: &Vm) -> &'static Interp {
        let existing = vm.interpreter.get().cast::<Interp>();
        if !existing.is_null() {
            // SAFETY: set below, freed by `detach` only.
            return unsafe { &*existing };
        }
        let base_handled = Box::new(HandledItem::new());
        let stacks = Stacks::new(!hooks::has_main_thread());
        let limit = RECURSION_LIMIT.load(Relaxed);
        let interp = Box::new(Interp {
            stacks,
            result: Cell::new(0),
            frame: Cell::new(ptr::null_mut()),
            depth_left: Cell::new(limit),
            recursion_limit: Cell::new(limit),
            handled: Cell::new(&*base_handled),
            base_handled,
            asyncgen_firstiter: Cell::new(None),
            asyncgen_finalizer: Cell::new(None),
            coroutine_origin_depth: Cell::new(0),
            trace: Cell::new(None),
            profile: Cell::new(None),
            tracing: Cell::new(0),
            trace_event: Cell::new(""),
            raised_at: Cell::new(None),
            switch_requested: Cell::new(false),
            builtins: Cell::new(Vec::new()),
            modules: Cell::new(None),
            breaker: Breaker::new(),
            #[cfg(feature = "free-threading")]
            alternation: Default::default(),
            #[cfg(feature = "jit")]
            step: Default::default(),
        });
        let interp = Box::into_raw(interp);
        vm.interpreter.set(interp.cast());
        // SAFETY: just made, freed by `detach` only, which takes the breaker back first.
        unsafe {
            vm.set_breaker(&(*interp).breaker);
            hooks::attach_main_thread(&(*interp).breaker);
            crate::threads::register(vm);
            &*interp
        }
    }

    /// The state attached to `vm`.
    #[inline(always)]
    pub fn of(vm: &Vm) -> &Interp {
        debug_assert!(!vm.interpreter.get().is_null());
        // SAFETY: every thread that runs Python code attached its state.
        unsafe { &*vm.interpreter.get().cast::<Interp>() }
    }

    /// Drops the Python objects that the state refers to.
    pub fn clear(&self, vm: &Vm) {
        drop((self.trace.take(), self.profile.take(), self.builtins.take(), self.modules.take()));
        drop((self.asyncgen_firstiter.take(), self.asyncgen_finalizer.take()));
        let handled = self.base_handled.exception.replace(0);
        // SAFETY: no exception.
        unsafe { vm.set_handled(0) };
        // SAFETY: the item owned its exception.
        unsafe { release(handled) };
    }

    /// Frees the state.
    ///
    /// # Safety
    /// No Python code runs on the thread or ever will with this `vm`.
    pub unsafe fn detach(vm: &Vm) {
        crate::threads::unregister(vm);
        let interp = vm.interpreter.replace(ptr::null_mut()).cast::<Interp>();
        if !interp.is_null() {
            // SAFETY: made by `attach`.
            unsafe {
                hooks::detach_main_thread(&(*interp).breaker);
                vm.forget_breaker();
                drop(Box::from_raw(interp));
            }
        }
    }

    /// Where the next window entered from native code may start.
    pub fn free_registers(&self) -> *mut u64 {
        match NonNull::new(self.frame.get()) {
            // SAFETY: the current frame is alive.
            Some(frame) => unsafe { frame.as_ref().top },
            None => self.stacks.registers_base(),
        }
    }

    /// The running frame and those below, innermost first.
    pub fn frames(&self) -> Frames<'_> {
        Frames { next: self.frame.get(), _interp: self }
    }

    pub fn current_frame(&self) -> Option<&Frame> {
        // SAFETY: the current frame is alive at least until control returns to it.
        unsafe { self.frame.get().as_ref() }
    }

    /// Whether `frame` lies in this thread's stack of frame records (generators' frames do not).
    pub fn is_stack_frame(&self, frame: *const Frame) -> bool {
        let base = self.stacks.frames.base as *const Frame;
        frame >= base && frame < self.stacks.frames_end.get() as *const Frame
    }

    /// The innermost exception being handled, generators included.
    pub fn topmost_handled(&self) -> Option<Value> {
        let word = self.topmost_handled_word();
        // SAFETY: the item owns it.
        (word != 0).then(|| unsafe { Value::borrow_word(&word) }.clone())
    }

    fn topmost_handled_word(&self) -> u64 {
        let mut item = self.handled.get();
        // SAFETY: items live in running generators and in `self`.
        while let Some(current) = unsafe { item.as_ref() } {
            let word = current.exception.get();
            if word != 0 {
                return word;
            }
            item = current.previous.get();
        }
        0
    }

    /// Lets `vm` know the innermost exception being handled.
    pub fn publish_handled(&self, vm: &Vm) {
        // SAFETY: the item owns it; it is published anew when the item changes.
        unsafe { vm.set_handled(self.topmost_handled_word()) };
    }

    /// The recursion limit of this thread and of those that start later.
    pub fn set_recursion_limit(&self, limit: i32) {
        RECURSION_LIMIT.store(limit, Relaxed);
        let depth = self.recursion_limit.get() - self.depth_left.get();
        self.recursion_limit.set(limit);
        self.depth_left.set(limit - depth);
    }

    /// How many Python calls are in progress.
    pub fn depth(&self) -> i32 {
        self.recursion_limit.get() - self.depth_left.get()
    }

    pub fn base_handled(&self) -> &HandledItem {
        &self.base_handled
    }
}

/// Iterator over running frames.
pub struct Frames<'a> {
    next: *mut Frame,
    _interp: &'a Interp,
}

impl<'a> Iterator for Frames<'a> {
    type Item = &'a Frame;
    fn next(&mut self) -> Option<&'a Frame> {
        // SAFETY: frames on the chain are alive while the innermost runs.
        let frame = unsafe { self.next.as_ref() }?;
        self.next = frame.previous;
        Some(frame)
    }
}

impl Interp {
    /// The function `name` of `builtins` as it was when first needed.
    pub fn builtin(&self, vm: &Vm, name: &'static str) -> taipan_object::Result {
        let known = self.builtins.take();
        if let Some((_, value)) = known.iter().find(|(n, _)| *n == name) {
            let value = value.clone();
            self.builtins.set(known);
            return Ok(value);
        }
        self.builtins.set(known);
        let value = vm.import_from("builtins", name)?;
        let mut known = self.builtins.take();
        known.push((name, value.clone()));
        self.builtins.set(known);
        Ok(value)
    }
}

impl Interp {
    /// Whether something is to be done at this safepoint.
    #[inline(always)]
    pub fn eval_breaker(&self) -> bool {
        self.breaker.is_requested()
    }

    /// Does it: lets other threads run, collects garbage, runs signal handlers.
    #[cold]
    #[inline(never)]
    pub fn handle_eval_breaker(&self, vm: &Vm) -> taipan_object::Result<()> {
        // Beside other threads, native code may ask for this; the loop sees to it, alone, at its next safepoint.
        #[cfg(feature = "free-threading")]
        if taipan_object::count::is_shared() {
            return Ok(());
        }
        self.breaker.reset();
        #[cfg(feature = "free-threading")]
        self.give_way(vm);
        vm.yield_if_requested();
        taipan_object::collector::collect_if_requested(vm);
        // Raises `MemoryError` if memory has run out.
        vm.check_stack("")?;
        vm.check_signals()
    }
}

#[cfg(feature = "free-threading")]
impl Interp {
    /// Without the GIL and with other threads, the frame that runs goes on in the loop for that.
    fn give_way(&self, vm: &Vm) {
        if taipan_object::vm::world::is_parallel() {
            self.alternation.end_soon();
        }
        if taipan_object::count::has_waiting() {
            taipan_object::count::settle();
        }
        if taipan_object::heap::deferred_bytes() > 64 << 20 {
            debug_assert!(vm.is_attached());
            taipan_object::heap::release_deferred();
        }
    }
}

/// `locals()` of a frame.
pub fn locals(vm: &Vm, frame: &Frame) -> taipan_object::Result {
    crate::frame_object::snapshot(vm, frame)
}

/// What goes into new globals as `__builtins__`: the running frame's builtins.
pub fn builtins_for_new_globals(vm: &Vm) -> Value {
    match Interp::of(vm).current_frame() {
        Some(frame) => frame.function().builtins.as_value().clone(),
        None => vm.import("builtins").unwrap_or_else(|raised| {
            vm.discard(raised);
            Value::NONE
        }),
    }
}
