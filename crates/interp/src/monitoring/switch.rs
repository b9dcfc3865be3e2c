//! Switching running frames to debug code.

use taipan_object::Vm;

use crate::frame::{FRAME_SWITCH, Frame, Interp, retain};
use crate::generator::Generator;
use crate::instruction::Op;
use crate::lower::{Slot, boundaries};
use crate::threads;

/// Asks all frames that run to switch where they can: when a call that they made returns, or at the end of a loop.
pub(super) fn request(vm: &Vm) {
    threads::for_each(vm, |_, vm| {
        let interp = Interp::of(vm);
        interp.switch_requested.set(true);
        interp.breaker.request();
        let mut frame = interp.frame.get();
        // SAFETY: frames of the chain are alive; the other threads wait for the GIL.
        unsafe {
            while !frame.is_null() {
                (*frame).flags |= FRAME_SWITCH;
                frame = (*frame).previous;
            }
        }
    });
}

/// Moves the frame of a suspended generator to debug code.
pub(super) fn suspended(vm: &Vm, generator: &Generator) {
    let frame = generator.frame();
    // SAFETY: the frame of a suspended generator is alive and complete; its `pc` is that of the instruction that suspended
    // it, behind which it goes on. In debug code that instruction is as long.
    unsafe {
        let words = Op::YieldValue.len();
        (*frame).pc = (*frame).pc.add(words);
        to_debug_code(vm, frame);
        (*frame).pc = (*frame).pc.sub(words);
    }
}

/// Moves a frame whose `pc` is where an instruction of the bytecode starts to that place in the debug code. Nothing
/// happens if the place is no such one, or if the frame is there already.
///
/// # Safety
/// The frame is current, and its `pc` is that of the instruction to run next.
#[cold]
#[inline(never)]
pub(crate) unsafe fn to_debug_code(vm: &Vm, frame: *mut Frame) {
    // SAFETY: by contract; the stack's registers hold what the boundary's map says.
    unsafe {
        let code = (*frame).code();
        if !super::watching() || code.is_debug_pc((*frame).pc) {
            return;
        }
        let Some(optimised) = code.optimised() else { return };
        let words = optimised.lowered.words.as_ptr_range();
        if !words.contains(&(*frame).pc) {
            // Code that counts is not left before its frame ends.
            return;
        }
        let pc = (*frame).pc.offset_from(words.start) as u32;
        let Ok(all) = boundaries(&code.data) else { return };
        let Some(boundary) = all.iter().find(|boundary| boundary.pc == pc) else { return };
        let debug = match code.debug_code(vm) {
            Ok(debug) => debug,
            Err(raised) => return vm.discard(raised),
        };
        let target = debug.lowered.pc_of_unit[boundary.unit as usize];
        if target == crate::lower::NO_PC {
            return;
        }
        let stack = (*frame).regs.add(code.nlocalsplus());
        let constants = code.constants.get();
        for (at, slot) in boundary.stack.iter().enumerate() {
            *stack.add(at) = match *slot {
                Slot::Own => continue,
                Slot::Null => 0,
                Slot::Local { local, .. } => retain(*(*frame).regs.add(local as usize)),
                Slot::Const(index) => retain(*constants.add(index as usize)),
                Slot::Borrowed(_) => retain(*stack.add(at)),
                Slot::Alias(slot) => retain(*stack.add(slot as usize)),
            };
        }
        (*frame).pc = debug.lowered.words.as_ptr().add(target as usize);
    }
}
