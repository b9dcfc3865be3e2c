//! LOAD_FAST that need not take a reference: LOAD_FAST_BORROW where the value is consumed, within the same block, before
//! the local that holds it can change.
//!
//! Each block is run on a stack of abstract references, each naming the instruction that pushed it and the local it came
//! from. A load may borrow unless its reference is stored to a local, is still on the stack when its local is killed, or
//! is left there at the end of the block.

use taipan_bytecode::Opcode;

use super::{BlockId, ENTRY, Graph, Instr};
use crate::assemble::InternalError;

#[derive(Clone, Copy)]
struct Ref {
    /// The index of the instruction that pushed it; [`NONE`] for what the block found on the stack.
    instr: u32,
    /// [`NONE`] if it came from no local.
    local: u32,
}

const NONE: u32 = u32::MAX;

impl Ref {
    const UNKNOWN: Ref = Ref { instr: NONE, local: NONE };

    fn pushed_by(instr: usize) -> Ref {
        Ref { instr: instr as u32, local: NONE }
    }
}

/// The abstract state within a block.
struct Refs {
    stack: Vec<Ref>,
    /// Of each instruction, whether its reference must be owned.
    must_own: Vec<bool>,
}

const UNDERFLOW: InternalError = InternalError("Invalid CFG, stack underflow");

impl Refs {
    fn pop(&mut self) -> Result<Ref, InternalError> {
        self.stack.pop().ok_or(UNDERFLOW)
    }

    fn pop_many(&mut self, count: i64) -> Result<(), InternalError> {
        let len = self.stack.len().checked_sub(count.max(0) as usize).ok_or(UNDERFLOW)?;
        self.stack.truncate(len);
        Ok(())
    }

    fn push_many(&mut self, count: i64, reference: Ref) {
        self.stack.extend(std::iter::repeat_n(reference, count.max(0) as usize));
    }

    fn load(&mut self, instr: usize, local: u32) {
        self.stack.push(Ref { instr: instr as u32, local });
    }

    fn own(&mut self, reference: Ref) {
        if reference.instr != NONE {
            self.must_own[reference.instr as usize] = true;
        }
    }

    fn kill_local(&mut self, local: u32) {
        for index in 0..self.stack.len() {
            if self.stack[index].local == local {
                self.own(self.stack[index]);
            }
        }
    }

    fn store_local(&mut self, local: u32) -> Result<(), InternalError> {
        let stored = self.pop()?;
        self.kill_local(local);
        self.own(stored);
        Ok(())
    }

    /// The index of the `oparg`th reference from the top.
    fn index(&self, oparg: u32) -> Result<usize, InternalError> {
        self.stack.len().checked_sub(oparg as usize).filter(|_| oparg > 0).ok_or(UNDERFLOW)
    }
}

impl Graph<'_> {
    pub(super) fn optimize_load_fast(&mut self) -> Result<(), InternalError> {
        self.clear_visited();
        self[ENTRY].start_depth = 0;
        self[ENTRY].visited = true;
        let mut todo = vec![ENTRY];
        let mut refs = Refs { stack: Vec::new(), must_own: Vec::new() };
        while let Some(id) = todo.pop() {
            refs.stack.clear();
            refs.push_many(self[id].start_depth, Ref::UNKNOWN);
            refs.must_own.clear();
            let mut instrs = std::mem::take(&mut self[id].instrs);
            refs.must_own.resize(instrs.len(), false);
            for (at, instr) in instrs.iter().enumerate() {
                self.run(instr, at, &mut refs, &mut todo)?;
            }
            let falls_through = instrs.last().is_some_and(|last| !last.leaves_block());
            if falls_through && let Some(next) = self[id].next {
                self.visit(next, &mut todo);
            }
            for index in 0..refs.stack.len() {
                refs.own(refs.stack[index]);
            }
            for (instr, &must_own) in instrs.iter_mut().zip(&refs.must_own) {
                if !must_own {
                    match instr.opcode {
                        Opcode::LOAD_FAST => instr.opcode = Opcode::LOAD_FAST_BORROW,
                        Opcode::LOAD_FAST_LOAD_FAST => instr.opcode = Opcode::LOAD_FAST_BORROW_LOAD_FAST_BORROW,
                        _ => {}
                    }
                }
            }
            self[id].instrs = instrs;
        }
        Ok(())
    }

    fn visit(&mut self, id: BlockId, todo: &mut Vec<BlockId>) {
        if !self[id].visited {
            self[id].visited = true;
            todo.push(id);
        }
    }

    fn run(&mut self, instr: &Instr, at: usize, refs: &mut Refs, todo: &mut Vec<BlockId>) -> Result<(), InternalError> {
        let oparg = instr.oparg;
        let popped = || instr.opcode.popped(oparg);
        let pushed = || instr.opcode.pushed(oparg);
        match instr.opcode {
            Opcode::LOAD_FAST => refs.load(at, oparg),
            Opcode::LOAD_FAST_AND_CLEAR => {
                refs.kill_local(oparg);
                refs.load(at, oparg);
            }
            Opcode::LOAD_FAST_LOAD_FAST => {
                refs.load(at, oparg >> 4);
                refs.load(at, oparg & 15);
            }
            Opcode::STORE_FAST => refs.store_local(oparg)?,
            Opcode::STORE_FAST_LOAD_FAST => {
                refs.store_local(oparg >> 4)?;
                refs.load(at, oparg & 15);
            }
            Opcode::STORE_FAST_STORE_FAST => {
                refs.store_local(oparg >> 4)?;
                refs.store_local(oparg & 15)?;
            }
            Opcode::COPY => refs.stack.push(refs.stack[refs.index(oparg)?]),
            Opcode::SWAP => {
                let (top, other) = (refs.index(1)?, refs.index(oparg)?);
                refs.stack.swap(top, other);
            }
            // These leave their operands and push more. CPython counts what they push with a variable that hides the
            // instruction's index, so the references seem to stem from the block's first instructions. Which loads
            // borrow is visible, so the slip is kept.
            Opcode::GET_ANEXT
            | Opcode::GET_LEN
            | Opcode::IMPORT_FROM
            | Opcode::MATCH_KEYS
            | Opcode::MATCH_MAPPING
            | Opcode::MATCH_SEQUENCE
            | Opcode::WITH_EXCEPT_START => refs.stack.extend((0..(pushed() - popped()) as usize).map(Ref::pushed_by)),
            // The result may be the operand itself.
            Opcode::GET_YIELD_FROM_ITER | Opcode::FORMAT_SIMPLE => {}
            Opcode::DELETE_FAST => refs.kill_local(oparg),
            // These leave some operands and push nothing.
            Opcode::DICT_MERGE
            | Opcode::DICT_UPDATE
            | Opcode::LIST_APPEND
            | Opcode::LIST_EXTEND
            | Opcode::MAP_ADD
            | Opcode::RERAISE
            | Opcode::SET_ADD
            | Opcode::SET_UPDATE => refs.pop_many(popped() - pushed())?,
            Opcode::CHECK_EXC_MATCH => {
                refs.pop()?;
                refs.stack.push(Ref::pushed_by(at));
            }
            Opcode::END_SEND | Opcode::SET_FUNCTION_ATTRIBUTE => {
                let top = refs.pop()?;
                refs.pop()?;
                refs.stack.push(top);
            }
            Opcode::FOR_ITER => {
                self.visit_target(instr.target, todo);
                refs.stack.push(Ref::pushed_by(at));
            }
            Opcode::LOAD_ATTR | Opcode::LOAD_SUPER_ATTR => {
                let owner = refs.pop()?;
                refs.pop_many(popped() - 1)?;
                refs.stack.push(Ref::pushed_by(at));
                if oparg & 1 != 0 {
                    // A method call may push the owner again, as `self`.
                    refs.stack.push(owner);
                }
            }
            Opcode::LOAD_SPECIAL | Opcode::PUSH_EXC_INFO => {
                let top = refs.pop()?;
                refs.stack.push(Ref::pushed_by(at));
                refs.stack.push(top);
            }
            Opcode::SEND => {
                self.visit_target(instr.target, todo);
                refs.pop()?;
                refs.stack.push(Ref::pushed_by(at));
            }
            opcode => {
                self.visit_target(instr.target, todo);
                if !opcode.is_block_push() {
                    refs.pop_many(popped())?;
                    refs.push_many(pushed(), Ref::pushed_by(at));
                }
            }
        }
        Ok(())
    }

    fn visit_target(&mut self, target: Option<BlockId>, todo: &mut Vec<BlockId>) {
        if let Some(target) = target {
            self.visit(target, todo);
        }
    }
}
