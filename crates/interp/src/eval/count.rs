//! `Count`, which stands before each instruction of the counting lowering: see [`crate::inspection`].

use super::{Flow, Machine, attribute, names};
use crate::inspection::Met;
use crate::instruction::{Fetched, Op, Operand, Word};

impl Machine<'_> {
    #[cold]
    #[inline(never)]
    pub unsafe fn count(&mut self, w: Fetched) -> Flow {
        // SAFETY: the frame is alive; an instruction follows.
        unsafe {
            if let Some(counting) = (*self.frame).code().counted() {
                counting.count(w.bc() as usize, self.met(self.pc.add(1)));
            }
            self.advance(1)
        }
    }

    /// Counts the instruction that is about to be executed.
    #[cfg(feature = "stats")]
    #[inline(never)]
    pub unsafe fn note(&mut self, w: Word) {
        // SAFETY: the frame is alive and at an instruction; on the ways out of the loop there are no operands to look at.
        let met = if self.goes_on() { unsafe { self.met(self.pc) } } else { Met::Nothing };
        crate::stats::dispatched(w.op(), met);
    }

    /// What the instruction at `pc` is about to meet.
    unsafe fn met(&self, pc: *const u64) -> Met {
        // SAFETY: `pc` is that of an instruction of the frame's code, whose operands are live.
        unsafe {
            let w = Word::decode(*pc);
            let Some(op) = Op::from_u8(w.op()) else { return Met::Nothing };
            let cache_hits = match op.unquickened() {
                Op::LoadAttr | Op::LoadMethod => attribute::load_hits(self.get(w.b()), pc.add(1)),
                Op::StoreAttr | Op::StoreAttrK => attribute::store_hits(self.get(w.b()), pc.add(1)),
                Op::LoadGlobal => names::cached_global((*self.frame).function(), *pc.add(1), *pc.add(2)).is_some(),
                _ => return self.operands_met(w, op),
            };
            if cache_hits { Met::Hit } else { Met::Miss }
        }
    }

    /// Of an operator or a comparison: what its operands are.
    unsafe fn operands_met(&self, w: Word, op: Op) -> Met {
        if !op.is_binary() {
            return Met::Nothing;
        }
        // SAFETY: as in `met`.
        unsafe {
            let left = self.get(w.b());
            let right = match op.operands().get(2) {
                Some(Operand::r#const) => self.constant(w.c().into()),
                _ => self.get(w.c()),
            };
            match (left & right & 1 != 0, left & 3 == 2 && right & 3 == 2) {
                (true, _) => Met::Ints,
                (_, true) => Met::Floats,
                _ => Met::Others,
            }
        }
    }
}
