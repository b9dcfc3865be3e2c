//! The search for an exception handler, frame by frame.

use taipan_object::{Value, Vm, exceptions};

use super::iteration::finish_generator;
use super::{leave_frame, release_operands, view};
use crate::frame::{
    FRAME_CONSTRUCTOR, FRAME_ENTRY, FRAME_GENERATOR, FRAME_OPERATOR, FRAME_STEP, Frame, Interp, release, retain,
};
use crate::instruction::{Op, VARIANT, Word};
use crate::lower::{Site, Slot};
use crate::monitoring::{self, Stage};
use crate::verify::NO_HANDLER;

/// The site of the instruction at the frame's `pc`.
fn site_of(frame: &Frame) -> (&crate::code::RegisterCode, Site) {
    let code = frame.code().register_code(frame.pc);
    let words = code.lowered.words.as_ptr();
    // SAFETY: `register_code` found the pc in these words.
    let at = unsafe { frame.pc.offset_from(words) } as u32;
    let site = code.lowered.site(at).expect("an instruction that calls out has a site");
    (code, *site)
}

/// The unit of the instruction whose exception the RERAISE at the frame's `pc` raises again, if it says so: then the
/// frame goes back there.
unsafe fn reraised_unit(frame: &Frame) -> Option<u32> {
    // SAFETY: the frame is at an instruction; a small int needs no owner.
    unsafe {
        let w = Word::decode(*frame.pc);
        if w.op() != Op::Reraise as u8 || w.flags() & VARIANT == 0 {
            return None;
        }
        let lasti = *frame.regs.add(w.c() as usize);
        if lasti == 0 {
            None
        } else {
            Value::borrow_word(&lasti).as_small_int().and_then(|unit| u32::try_from(unit).ok())
        }
    }
}

/// What the frame's stack registers hold while the instruction at its `pc` runs or waits.
pub(crate) fn find_map(frame: &Frame) -> &[Slot] {
    let (code, site) = site_of(frame);
    &code.lowered.maps[site.map as usize]
}

/// Finds the handler of the exception in flight, from `frame` (the current one) outwards. Frames without one end. Returns
/// the frame that handles it, its `pc` at the handler; null if the search left the frame that entered the loop.
///
/// # Safety
/// The frame is current and its `pc` is that of the instruction that raised.
#[inline(never)]
pub(crate) unsafe fn unwind(vm: &Vm, interp: &Interp, mut frame: *mut Frame, mut add_traceback: bool) -> *mut Frame {
    // SAFETY: by contract; maps say what registers own.
    unsafe {
        let mut by_call = false;
        let mut thrown = interp.raised_at.take() == Some(monitoring::THROWN);
        loop {
            let (mut code, mut site) = site_of(&*frame);
            if add_traceback {
                crate::traceback::here(vm, frame, site.unit);
            }
            let watched = monitoring::watching();
            let reraised = if add_traceback { None } else { reraised_unit(&*frame) };
            if watched {
                let stage = if add_traceback { Stage::Raised { by_call } } else { Stage::Reraised };
                monitoring::exception(vm, interp, frame, stage);
                // The frame may be in other code now.
                (code, site) = site_of(&*frame);
            }
            add_traceback = true;
            let unit = reraised.unwrap_or(site.unit);
            let map = &code.lowered.maps[site.map as usize];
            let stack = (*frame).regs.add((*frame).code().nlocalsplus());
            let handler = (site.handler != NO_HANDLER).then(|| code.lowered.handlers[site.handler as usize]);
            let depth = handler.map_or(0, |handler| handler.depth as usize);
            for at in (depth..map.len()).rev() {
                if map[at] == Slot::Own {
                    release(*stack.add(at));
                }
            }
            if let Some(handler) = handler {
                for (at, slot) in map[..depth].iter().enumerate() {
                    let constants = (*(*frame).code).constants.get();
                    *stack.add(at) = match *slot {
                        Slot::Own => continue,
                        Slot::Null => 0,
                        Slot::Local { local, .. } => retain(*(*frame).regs.add(local as usize)),
                        Slot::Const(index) => retain(*constants.add(index as usize)),
                        Slot::Borrowed(_) => retain(*stack.add(at)),
                        Slot::Alias(slot) => retain(*stack.add(slot as usize)),
                    };
                }
                let mut next = stack.add(depth);
                if handler.push_lasti {
                    *next = Value::small_int(unit as i64).into_word();
                    next = next.add(1);
                }
                (*frame).pc = code.lowered.words.as_ptr().add(handler.pc as usize);
                if watched {
                    monitoring::switch::to_debug_code(vm, frame);
                    monitoring::exception(vm, interp, frame, Stage::Handled);
                    let debug = (*frame).code().is_debug_pc((*frame).pc);
                    let debug = debug && interp.tracing.get() == 0;
                    interp.raised_at.set(debug.then_some(if thrown { monitoring::THROWN } else { unit }));
                }
                let mut exception = vm.take(vm.raised());
                if vm.memory_is_exhausted() {
                    // Where handlers raise without end, only this place is passed. The exceptions until here are let go.
                    exceptions::set_context(&exception, None);
                    exception = vm.take(vm.memory_error());
                    exceptions::set_context(&exception, None);
                }
                *next = exception.into_word();
                return frame;
            }
            let place = if watched { monitoring::place_after(&*frame, by_call) } else { 0 };
            if let Some(site) = reraised.and_then(|unit| code.lowered.sites.iter().find(|site| site.unit == unit)) {
                (*frame).pc = code.lowered.words.as_ptr().add(site.pc as usize);
            }
            if watched {
                monitoring::exception(vm, interp, frame, Stage::Unwinds { place });
                interp.raised_at.set(None);
            }
            let flags = (*frame).flags;
            if flags & FRAME_GENERATOR != 0 {
                (*frame).flags &= !FRAME_ENTRY;
                finish_generator(vm, interp, frame);
            } else {
                leave_frame(interp, frame);
            }
            if flags & FRAME_ENTRY != 0 {
                return std::ptr::null_mut();
            }
            frame = interp.frame.get();
            if flags & FRAME_STEP != 0 {
                let receiver = *(*frame).regs.add(Word::decode(*(*frame).pc).b() as usize);
                crate::generator::step_raised(vm, view(&receiver));
            }
            if flags & FRAME_OPERATOR != 0 {
                // The instruction's operands were lent to the frame that has just ended.
                let w = Word::decode(*(*frame).pc);
                release_operands(w.flags(), *(*frame).regs.add(w.b() as usize), *(*frame).regs.add(w.c() as usize));
            }
            by_call = flags & FRAME_CONSTRUCTOR == 0;
            thrown = false;
        }
    }
}
