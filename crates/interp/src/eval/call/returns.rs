//! Returns: how frames end.

use taipan_object::header::Header;
use taipan_object::{Value, Vm};

use super::super::{Flow, Machine};
use super::LENDABLE;
use crate::frame::{
    FRAME_CONSTRUCTOR, FRAME_ENTRY, FRAME_GENERATOR, FRAME_OPERATOR, FRAME_SEEN, FRAME_SWITCH, Frame, Interp,
    is_pointer, release, release_inline,
};
use crate::instruction::Fetched;

/// Releases what a frame's locals hold, the last one first.
#[inline(always)]
pub(super) unsafe fn clear_locals(frame: *mut Frame) {
    // SAFETY: each local owns what it holds unless borrowed, and is null before that is released.
    unsafe {
        let regs = (*frame).regs;
        let locals = (*(*frame).code).locals_mask;
        if locals == u32::MAX {
            clear_unlent(regs, (*(*frame).code).nlocalsplus());
        }
        let mut owned = locals & !(*frame).borrowed;
        while owned != 0 {
            let at = u32::BITS - 1 - owned.leading_zeros();
            owned ^= 1 << at;
            let slot = regs.add(at as usize);
            let word = *slot;
            if is_pointer(word) {
                *slot = 0;
                release_inline(word);
            }
        }
    }
}

/// Releases what `count` locals hold but for those that may be borrowed, the last one first.
#[cold]
#[inline(never)]
unsafe fn clear_unlent(regs: *mut u64, count: usize) {
    // SAFETY: each owns what it holds, and is null before that is released.
    unsafe {
        for at in (LENDABLE..count).rev() {
            release(std::mem::replace(&mut *regs.add(at), 0));
        }
    }
}

/// As [`clear_locals`]. What a destructor has made of the frame meanwhile, its object, gets to know that the frame is over.
///
/// # Safety
/// The frame is current, and will not be after this.
#[inline(always)]
pub(super) unsafe fn end_locals(frame: *mut Frame) {
    // SAFETY: by contract.
    unsafe {
        clear_locals(frame);
        if (*frame).object != 0 {
            crate::frame_object::take_over(frame);
        }
    }
}

/// Ends a frame of the thread's stack: its locals die or pass to its frame object, the record is free again, and the
/// previous frame is current.
///
/// # Safety
/// The frame is current and its stack registers hold nothing.
#[inline(always)]
pub(crate) unsafe fn leave_frame(interp: &Interp, frame: *mut Frame) {
    // SAFETY: by contract.
    unsafe {
        if (*frame).object == 0 || !crate::frame_object::take_over(frame) {
            end_locals(frame);
        }
        if (*frame).namespace != 0 {
            release(std::mem::replace(&mut (*frame).namespace, 0));
        }
        pop_frame(interp, frame);
        interp.frame.set((*frame).previous);
    }
}

/// Releases a frame's function and its record; the caller makes the previous frame current.
///
/// # Safety
/// As of [`leave_frame`], and nothing but the function is left of what the frame owned.
#[inline(always)]
pub(super) unsafe fn pop_frame(interp: &Interp, frame: *mut Frame) {
    // SAFETY: by contract.
    unsafe {
        taipan_object::count::decref(std::mem::replace(&mut (*frame).function, 0) as *mut Header);
        interp.stacks.frame_top.set(frame);
        interp.depth_left.set(interp.depth_left.get() + 1);
    }
}

impl Machine<'_> {
    /// Ends the frame with `result`, an owned word.
    #[inline(always)]
    pub unsafe fn do_return(&mut self, mut result: u64) -> Flow {
        // SAFETY: the frame's stack registers hold nothing any more.
        unsafe {
            let frame = self.frame;
            let flags = (*frame).flags;
            (*frame).pc = self.pc;
            const UNUSUAL: u16 =
                FRAME_ENTRY | FRAME_GENERATOR | FRAME_CONSTRUCTOR | FRAME_SWITCH | FRAME_OPERATOR | FRAME_SEEN;
            if flags & UNUSUAL == 0 {
                // Such a frame has neither an object nor a namespace.
                let resume = (*frame).resume;
                end_locals(frame);
                let function = (*frame).function as *mut Header;
                self.interp.stacks.frame_top.set(frame);
                self.interp.depth_left.set(self.interp.depth_left.get() + 1);
                self.load((*frame).previous);
                taipan_object::count::decref(function);
                let w = Fetched::at(self.pc);
                self.set(w, result);
                self.pc = resume;
                return Flow::NEXT;
            }
            if flags & (FRAME_GENERATOR | FRAME_CONSTRUCTOR | FRAME_SWITCH | FRAME_OPERATOR) != 0 {
                if flags & FRAME_GENERATOR != 0 {
                    return out!(self.generator_return(result));
                }
                if flags & FRAME_OPERATOR != 0 {
                    return out!(self.operator_return(result));
                }
                if flags & FRAME_CONSTRUCTOR == 0 {
                    return out!(self.return_and_switch(result));
                }
                if result != Value::NONE.into_word() {
                    leave_frame(self.interp, frame);
                    self.load(self.interp.frame.get());
                    init_result_error(self.vm, Value::from_word(result));
                    return self.unwind();
                }
                result = std::mem::replace(&mut (*frame).namespace, 0);
            }
            let resume = (*frame).resume;
            leave_frame(self.interp, frame);
            if flags & FRAME_ENTRY != 0 {
                return self.leave(result);
            }
            self.load(self.interp.frame.get());
            let w = Fetched::at(self.pc);
            self.set(w, result);
            self.pc = resume;
            Flow::NEXT
        }
    }

    /// As [`Machine::do_return`], and the frame below goes on in debug code.
    #[cold]
    #[inline(never)]
    pub(super) unsafe fn return_and_switch(&mut self, result: u64) -> Flow {
        // SAFETY: as in `do_return`.
        unsafe {
            let frame = self.frame;
            let (flags, resume) = ((*frame).flags, (*frame).resume);
            leave_frame(self.interp, frame);
            if flags & FRAME_ENTRY != 0 {
                return self.leave(result);
            }
            self.load(self.interp.frame.get());
            let w = Fetched::at(self.pc);
            self.set(w, result);
            self.pc = resume;
            self.switch();
            Flow::NEXT
        }
    }
}

#[cold]
pub(super) fn init_result_error(vm: &Vm, result: Value) {
    let _ = vm.type_error(format!("__init__() should return None, not '{}'", result.ty().name()));
}
