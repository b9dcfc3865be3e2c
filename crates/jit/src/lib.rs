//! A compiler of loops from register code to machine code, by way of Cranelift: the proof that DESIGN.md's contracts for one hold.
//! It is not tuned, and only in builds with the Cargo feature `jit` of the command, where `TAIPAN_JIT=1` turns it on.
//!
//! When a loop's head has been passed often enough, what can be reached from there is compiled ([`translate`]) to one function,
//! which the interpreter enters there. In it, registers are values of the machine; where compiled code is left they are written
//! back to their places, and the interpreter goes on at the instruction that compiled code has come to. Nothing is done that
//! would have to be undone: a guard stands before the effects of its instruction. What is not compiled itself is done by the
//! interpreter, one instruction at a time (`taipan_interp::eval::compiled`).
//!
//! `TAIPAN_JIT` is a list of words, with commas between them: `1`; `fail-guards` makes all guards fail, each in its turn;
//! `report` prints what was done when the process ends.

#![cfg(feature = "compiler")]

mod memory;
mod translate;

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::ffi::OsStr;
use std::ptr::null;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};

use taipan_interp::eval::compiled;
use taipan_interp::frame::{Frame, Interp};
use taipan_object::Vm;
use taipan_object::object::to_value;

/// What compiled code gets. It knows the places of the fields.
#[repr(C)]
struct Context<'a> {
    /// The frame's registers.
    registers: *mut u64,
    /// Where guards are made to fail: the guard at which this becomes 0 does.
    guards_left: u64,
    /// How many guards have failed.
    failed: u64,
    vm: &'a Vm,
    interp: &'a Interp,
    frame: *mut Frame,
}

/// Returns where the interpreter goes on.
type Compiled = unsafe extern "C" fn(*mut Context) -> *const u64;

/// So often a loop's head is passed before the loop is compiled.
const HOT: u32 = 40;
/// With failing guards, the first so many of an entry fail in turn.
const FAILING: u64 = 97;

static FAIL_GUARDS: AtomicBool = AtomicBool::new(false);
static COMPILED: AtomicU64 = AtomicU64::new(0);
static ENTERED: AtomicU64 = AtomicU64::new(0);
static FAILED: AtomicU64 = AtomicU64::new(0);

/// A loop, by the address of the instruction at its head.
enum Loop {
    /// It was passed so often.
    Cold(u32),
    Compiled(Compiled),
    /// It cannot be compiled.
    Left,
}

thread_local! {
    static LOOPS: RefCell<HashMap<usize, Loop>> = RefCell::default();
    /// At which guard the next entry is to fail.
    static NEXT_FAILURE: Cell<u64> = const { Cell::new(0) };
}

/// Begins as the environment's `TAIPAN_JIT` says; what is wrong with it otherwise.
pub fn start(words: Option<&OsStr>) -> Result<(), String> {
    let Some(words) = words.filter(|words| !words.is_empty()) else { return Ok(()) };
    for word in words.to_string_lossy().split(',') {
        match word {
            "0" => return Ok(()),
            "1" | "report" => {}
            "fail-guards" => FAIL_GUARDS.store(true, Relaxed),
            _ => return Err(format!("TAIPAN_JIT: {word:?} is none of 0, 1, fail-guards and report")),
        }
    }
    compiled::set_compiler(at_loop);
    Ok(())
}

/// What was done, if the environment asks for a report.
pub fn report(words: Option<&OsStr>) -> Option<String> {
    let wanted = words?.to_string_lossy().split(',').any(|word| word == "report");
    let [compiled, entered, failed] = [&COMPILED, &ENTERED, &FAILED].map(|counter| counter.load(Relaxed));
    wanted.then(|| format!("jit: {compiled} loops compiled, {entered} entries, {failed} guards failed"))
}

/// [`compiled::Compiler`]
///
/// # Safety
/// As there.
unsafe fn at_loop(vm: &Vm, interp: &Interp, frame: *mut Frame, pc: *const u64) -> *const u64 {
    // SAFETY: by contract.
    let code = LOOPS.with_borrow_mut(|loops| unsafe { compiled_loop(loops, &*frame, pc) });
    let Some(code) = code else { return null() };
    let mut guards_left = 0;
    if FAIL_GUARDS.load(Relaxed) {
        guards_left = NEXT_FAILURE.get() % FAILING + 1;
        NEXT_FAILURE.set(guards_left);
    }
    // SAFETY: the frame is current.
    let registers = unsafe { (*frame).regs };
    let mut context = Context { registers, guards_left, failed: 0, vm, interp, frame };
    ENTERED.fetch_add(1, Relaxed);
    // SAFETY: compiled for the code of this frame at this place.
    let next = unsafe { code(&raw mut context) };
    FAILED.fetch_add(context.failed, Relaxed);
    next
}

unsafe fn compiled_loop(loops: &mut HashMap<usize, Loop>, frame: &Frame, pc: *const u64) -> Option<Compiled> {
    let state = loops.entry(pc as usize).or_insert(Loop::Cold(0));
    let count = match state {
        Loop::Cold(count) => count,
        Loop::Compiled(code) => return Some(*code),
        Loop::Left => return None,
    };
    *count += 1;
    if *count < HOT {
        return None;
    }
    let code = frame.code();
    // SAFETY: the frame's code is lowered, and stays so for as long as it lives.
    let made = unsafe { translate::translate(code.register_code(pc), pc, FAIL_GUARDS.load(Relaxed)) };
    match made.and_then(|bytes| memory::place(&bytes)) {
        Some(address) => {
            // The code object stays, so that no other code comes to lie where its is.
            std::mem::forget(to_value(code));
            COMPILED.fetch_add(1, Relaxed);
            // SAFETY: the code has this signature.
            let function = unsafe { std::mem::transmute::<*const u8, Compiled>(address) };
            *state = Loop::Compiled(function);
            Some(function)
        }
        None => {
            *state = Loop::Left;
            None
        }
    }
}
