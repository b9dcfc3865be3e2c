//! The hooks for a compiler of register code (`crates/jit`), in builds with the Cargo feature `jit`.
//!
//! The loop offers the compiler the head of each loop that it comes to ([`Machine::at_loop_head`]). Compiled code runs in the
//! frame that it finds there. When it is left, the registers are in their places, and it says by a `pc` where the loop goes on:
//! at any instruction of the frame's code, or on a way out. What it does not do itself it has the interpreter do, one
//! instruction at a time ([`step`]): calls from compiled code, exceptions in it and `f_locals` of its frame are the interpreter's.

use std::sync::OnceLock;

use taipan_object::Vm;
use taipan_object::header::Header;

use super::attribute::{self, SLOT};
use super::{Flow, Machine, WAYS_OUT, run_step};
use crate::frame::{Frame, Interp, retain};

/// Called at the head of a loop: runs compiled code from there on, and returns where the interpreter goes on, in the frame
/// that is current then. Null: there is none, and nothing has happened.
///
/// # Safety
/// (of the function) The frame is current and its next instruction is at the `pc`.
pub type Compiler = unsafe fn(&Vm, &Interp, *mut Frame, *const u64) -> *const u64;

static COMPILER: OnceLock<Compiler> = OnceLock::new();

/// Sets the compiler, once in a process.
pub fn set_compiler(compiler: Compiler) {
    let _ = COMPILER.set(compiler);
}

/// What [`run_step`] returns when the step is done: the word of no value.
pub(super) const DONE: u64 = 8;

/// An instruction that the interpreter executes for compiled code, with all that it calls.
#[derive(Clone, Copy)]
pub struct Step {
    frame: *mut Frame,
    /// How deep calls were nested.
    depth: i32,
    begun: bool,
    /// Where to go on after it.
    pc: *const u64,
}

impl Default for Step {
    fn default() -> Step {
        Step { frame: std::ptr::null_mut(), depth: 0, begun: false, pc: std::ptr::null() }
    }
}

/// Executes the instruction at `pc` of the current frame, whose registers are in their places: to the end of what it calls.
/// Returns where to go on. If that is not what follows the instruction, compiled code has to be left without a further look at
/// the frame, which may be gone.
///
/// # Safety
/// The frame is current; the instruction is neither a return nor a yield.
pub unsafe fn step(vm: &Vm, interp: &Interp, frame: *mut Frame, pc: *const u64) -> *const u64 {
    if !vm.has_stack() {
        // The interpreter needs less of it.
        return pc;
    }
    // SAFETY: by contract.
    unsafe { (*frame).pc = pc };
    let outer = interp.step.replace(Step { frame, depth: interp.depth(), ..Step::default() });
    // SAFETY: by contract.
    let result = unsafe { run_step(vm, interp, frame) };
    let step = interp.step.replace(outer);
    if result == DONE {
        return step.pc;
    }
    // An exception has ended the frame that entered the loop from which compiled code was entered: so ends that loop.
    interp.result.set(result);
    &raw const WAYS_OUT[2]
}

/// What the cache of the LoadAttr at some place says, if it is that of a slot in the object.
pub struct SlotCache {
    pub shape: u32,
    /// The type's.
    pub version: u32,
    /// In words from the object's address.
    pub index: usize,
}

/// # Safety
/// `pc` is that of a LoadAttr or LoadSlot.
pub unsafe fn slot_cache(pc: *const u64) -> Option<SlotCache> {
    // SAFETY: the instruction has two cache words.
    let (first, second) = unsafe { (*pc.add(1), *pc.add(2)) };
    (attribute::kind(first) == SLOT).then(|| SlotCache {
        shape: first as u32,
        version: second as u32,
        index: attribute::index(first),
    })
}

/// Takes a reference to what a register holds.
///
/// # Safety
/// As of [`retain`].
pub unsafe extern "C" fn retain_word(word: u64) {
    // SAFETY: by contract.
    unsafe { retain(word) };
}

/// From an object's address: where its shape's id is (32 bits), and its type; from a type's, its version (32 bits).
pub const SHAPE_OFFSET: i32 = -8;
pub const TYPE_OFFSET: i32 = 8;
pub const VERSION_OFFSET: i32 = taipan_object::types::Type::VERSION_OFFSET as i32;
const _: () = assert!(size_of::<Header>() == 16);

impl Machine<'_> {
    /// After a jump to the head of a loop: goes on in compiled code, if there is some.
    #[inline(always)]
    pub unsafe fn at_loop_head(&mut self, flow: Flow) -> Flow {
        if let Some(compiler) = COMPILER.get()
            && self.goes_on()
        {
            // SAFETY: the frame is current and at the instruction.
            unsafe { out!(self.run_compiled(*compiler)) };
        }
        flow
    }

    #[inline(never)]
    unsafe fn run_compiled(&mut self, compiler: Compiler) {
        if crate::monitoring::watching() || crate::inspection::counting() {
            return;
        }
        // SAFETY: as above; afterwards, the current frame is alive unless the loop is to be left.
        unsafe {
            let next = compiler(self.vm, self.interp, self.frame, self.pc);
            if next.is_null() {
                return;
            }
            self.pc = next;
            if next == &raw const WAYS_OUT[2] {
                return;
            }
            self.frame = self.interp.frame.get();
            self.regs = (*self.frame).regs;
            self.constants = (*(*self.frame).code).constants.get();
        }
    }

    /// Before an instruction of [`run_step`]: whether the step is done, since its frame has its turn again, or is gone.
    #[inline(never)]
    pub(super) fn step_is_done(&mut self) -> bool {
        let mut step = self.interp.step.get();
        let done = step.begun && (self.frame == step.frame || self.interp.depth() < step.depth);
        step.begun = true;
        step.pc = self.pc;
        self.interp.step.set(step);
        done
    }
}
