//! Exception handlers, and what only they lead to, go behind the rest of the code.

use taipan_bytecode::Opcode;

use super::{ENTRY, Graph, Instr};
use crate::assemble::InternalError;
use crate::instruction_sequence::Location;

impl Graph<'_> {
    fn mark_warm(&mut self) {
        self.clear_visited();
        self[ENTRY].visited = true;
        let mut todo = vec![ENTRY];
        while let Some(id) = todo.pop() {
            self[id].warm = true;
            let block = &self[id];
            let fallthrough = block.next.filter(|_| block.has_fallthrough());
            let target = block.last().filter(|last| last.opcode.has_jump()).and_then(|last| last.target);
            for successor in [fallthrough, target].into_iter().flatten() {
                if !self[successor].visited {
                    self[successor].visited = true;
                    todo.push(successor);
                }
            }
        }
    }

    fn mark_cold(&mut self) {
        self.mark_warm();
        self.clear_visited();
        let mut todo: Vec<_> = self.order().into_iter().filter(|&id| self[id].is_except_handler).collect();
        for &id in &todo {
            self[id].visited = true;
        }
        while let Some(id) = todo.pop() {
            self[id].cold = true;
            let block = &self[id];
            let fallthrough = block.next.filter(|_| block.has_fallthrough());
            let target = block.last().filter(|last| last.opcode.has_jump()).and_then(|last| last.target);
            for successor in [fallthrough, target].into_iter().flatten() {
                if !self[successor].warm && !self[successor].visited {
                    self[successor].visited = true;
                    todo.push(successor);
                }
            }
        }
    }

    pub(super) fn push_cold_blocks_to_end(&mut self) -> Result<(), InternalError> {
        // Only handlers are cold, and what they lead to.
        if !self.has_handlers || self[ENTRY].next.is_none() {
            return Ok(());
        }
        self.mark_cold();

        // A cold block that falls through to a warm one needs a jump once they are apart.
        for id in self.order() {
            let block = &self[id];
            let Some(next) = block.next else { continue };
            if block.cold && block.has_fallthrough() && self[next].warm {
                let explicit_jump = self.new_block();
                self[next].labelled = true;
                let block = &mut self[explicit_jump];
                block.instrs.push(Instr::jump(Opcode::JUMP_NO_INTERRUPT, next, Location::NONE));
                block.cold = true;
                block.predecessors = 1;
                block.next = Some(next);
                self[id].next = Some(explicit_jump);
            }
        }

        let (cold, warm): (Vec<_>, Vec<_>) = self.order().into_iter().partition(|&id| self[id].cold);
        if cold.is_empty() {
            return Ok(());
        }
        let mut next = None;
        for &id in warm.iter().chain(&cold).rev() {
            self[id].next = next;
            next = Some(id);
        }
        self.remove_redundant_nops_and_jumps()
    }
}
