//! Pseudo-instructions become real ones; conditional jumps get a direction.

use taipan_bytecode::Opcode;

use super::{ENTRY, Graph, Instr};
use crate::assemble::InternalError;

impl Graph<'_> {
    /// JUMP_IF_FALSE, which leaves the value: copy it, test the copy.
    pub(super) fn convert_pseudo_conditional_jumps(&mut self) {
        let mut cursor = Some(ENTRY);
        while let Some(id) = cursor {
            cursor = self[id].next;
            let Some(&last) = self[id].last() else { continue };
            let opcode = match last.opcode {
                Opcode::JUMP_IF_FALSE => Opcode::POP_JUMP_IF_FALSE,
                Opcode::JUMP_IF_TRUE => Opcode::POP_JUMP_IF_TRUE,
                _ => continue,
            };
            let block = &mut self[id];
            let at = block.instrs.len() - 1;
            block.instrs[at].opcode = opcode;
            block.instrs.insert(at, Instr { except: last.except, ..Instr::new(Opcode::COPY, 1, last.loc) });
            block.instrs.insert(at + 1, Instr { except: last.except, ..Instr::new(Opcode::TO_BOOL, 0, last.loc) });
        }
    }

    pub(super) fn convert_pseudo_ops(&mut self) -> Result<(), InternalError> {
        for block in &mut self.blocks {
            let (instrs, has_nops) = (&mut block.instrs, &mut block.has_nops);
            for instr in instrs.iter_mut() {
                match instr.opcode {
                    Opcode::LOAD_CLOSURE => instr.opcode = Opcode::LOAD_FAST,
                    Opcode::STORE_FAST_MAYBE_NULL => instr.opcode = Opcode::STORE_FAST,
                    opcode if opcode.is_block_push() => {
                        instr.set_nop();
                        *has_nops = true;
                    }
                    _ => {}
                }
            }
        }
        self.remove_redundant_nops_and_jumps()
    }

    /// Conditional jumps only go forward: a backward one is inverted to skip an unconditional one. NOT_TAKEN marks the
    /// other way for monitoring.
    pub(super) fn normalize_jumps(&mut self) {
        self.clear_visited();
        let mut cursor = Some(ENTRY);
        while let Some(id) = cursor {
            self[id].visited = true;
            cursor = self[id].next;
            let Some(&last) = self[id].last() else { continue };
            let Some(target) = last.target.filter(|_| last.opcode.is_conditional_jump()) else { continue };
            let not_taken = Instr::new(Opcode::NOT_TAKEN, 0, last.loc);
            if !self[target].visited {
                self[id].instrs.add(not_taken);
                continue;
            }
            let reversed = match last.opcode {
                Opcode::POP_JUMP_IF_NOT_NONE => Opcode::POP_JUMP_IF_NONE,
                Opcode::POP_JUMP_IF_NONE => Opcode::POP_JUMP_IF_NOT_NONE,
                Opcode::POP_JUMP_IF_FALSE => Opcode::POP_JUMP_IF_TRUE,
                _ => Opcode::POP_JUMP_IF_FALSE,
            };
            let backwards_jump = self.new_block();
            let next = self[id].next;
            let (start_depth, cold) = (self[target].start_depth, self[id].cold);
            let block = &mut self[backwards_jump];
            block.instrs.extend(&[not_taken, Instr::jump(Opcode::JUMP, target, last.loc)]);
            block.start_depth = start_depth;
            block.cold = cold;
            block.next = next;
            self[id].next = Some(backwards_jump);
            if let Some(jump) = self[id].instrs.last_mut() {
                jump.opcode = reversed;
                jump.target = next;
            }
            cursor = Some(backwards_jump);
        }
    }
}
