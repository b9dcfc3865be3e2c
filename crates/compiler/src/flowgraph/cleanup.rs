//! Removal of what has no effect: unreachable blocks, NOPs, jumps to the next instruction, pairs that cancel out; and the
//! copying of small exits into the blocks that jump to them.

use taipan_bytecode::Opcode;

use super::{BlockId, ENTRY, Graph};
use crate::assemble::InternalError;
use crate::instruction_sequence::Location;

/// An exit block of at most this many instructions is copied rather than jumped to.
const MAX_COPY_SIZE: usize = 4;

impl Graph {
    /// Counts predecessors and empties the blocks that have none.
    pub(super) fn remove_unreachable(&mut self) {
        self.clear_visited();
        for block in &mut self.blocks {
            block.predecessors = 0;
        }
        self[ENTRY].predecessors = 1;
        self[ENTRY].visited = true;
        let mut todo = vec![ENTRY];
        while let Some(id) = todo.pop() {
            let fallthrough = self[id].next.filter(|_| self[id].has_fallthrough());
            for index in 0..=self[id].instrs.len() {
                let reached = match index.checked_sub(1) {
                    None => fallthrough,
                    Some(index) => self[id].instrs[index].target,
                };
                let Some(reached) = reached else { continue };
                if !self[reached].visited {
                    self[reached].visited = true;
                    todo.push(reached);
                }
                self[reached].predecessors += 1;
            }
        }
        for id in self.order() {
            let block = &mut self[id];
            if block.predecessors == 0 {
                block.instrs.clear();
                block.is_except_handler = false;
            }
        }
    }

    /// Removes the block's NOPs that no line depends on; returns how many.
    fn remove_redundant_nops_of(&mut self, id: BlockId) -> usize {
        if !self[id].instrs.iter().any(|instr| instr.opcode == Opcode::NOP) {
            return 0;
        }
        let mut instrs = std::mem::take(&mut self[id].instrs);
        let handlers: Vec<Option<BlockId>> = instrs.iter().map(|instr| instr.except).collect();
        let count = instrs.len();
        let mut kept = 0;
        let mut prev_lineno = -1;
        for at in 0..count {
            let lineno = instrs[at].loc.lineno;
            if instrs[at].opcode == Opcode::NOP {
                if lineno < 0 || lineno == prev_lineno {
                    continue;
                }
                if at + 1 < count {
                    let next_lineno = instrs[at + 1].loc.lineno;
                    if next_lineno == lineno {
                        continue;
                    }
                    if next_lineno < 0 {
                        instrs[at + 1].loc = instrs[at].loc;
                        continue;
                    }
                } else if let Some(next) = self.next_nonempty(self[id].next) {
                    let first_kept =
                        self[next].instrs.iter().find(|instr| instr.opcode != Opcode::NOP || instr.loc.lineno >= 0);
                    if lineno == first_kept.map_or(Location::NONE.lineno, |instr| instr.loc.lineno) {
                        continue;
                    }
                }
            }
            instrs[kept] = instrs[at];
            kept += 1;
            prev_lineno = lineno;
        }
        instrs.truncate(kept);
        let block = &mut self[id];
        block.instrs = instrs;
        for &handler in handlers[kept..].iter().rev() {
            block.stale_handlers.push_front(handler);
        }
        count - kept
    }

    pub(super) fn remove_redundant_nops(&mut self) -> usize {
        self.order().into_iter().map(|id| self.remove_redundant_nops_of(id)).sum()
    }

    /// Removes loads of constants and copies whose value is dropped at once.
    pub(super) fn remove_redundant_nops_and_pairs(&mut self) {
        let order = self.order();
        loop {
            let mut done = true;
            let mut prev: Option<(BlockId, usize)> = None;
            for &id in &order {
                self.remove_redundant_nops_of(id);
                if self[id].labelled {
                    prev = None;
                }
                for index in 0..self[id].instrs.len() {
                    if self[id].instrs[index].opcode == Opcode::POP_TOP
                        && let Some((prev_block, prev_index)) = prev
                    {
                        let first = &mut self[prev_block].instrs[prev_index];
                        let cancels = matches!(first.opcode, Opcode::LOAD_CONST | Opcode::LOAD_SMALL_INT)
                            || (first.opcode == Opcode::COPY && first.oparg == 1);
                        if cancels {
                            first.set_nop();
                            self[id].instrs[index].set_nop();
                            done = false;
                        }
                    }
                    prev = Some((id, index));
                }
                let ends_with_jump = prev.is_some_and(|(block, index)| self[block].instrs[index].opcode.has_jump());
                if ends_with_jump || !self[id].has_fallthrough() {
                    prev = None;
                }
            }
            if done {
                return;
            }
        }
    }

    /// Removes unconditional jumps to what comes next anyway; returns how many.
    fn remove_redundant_jumps(&mut self) -> Result<usize, InternalError> {
        let mut changes = 0;
        for id in self.order() {
            let Some(last) = self[id].last() else { continue };
            if !last.opcode.is_unconditional_jump() {
                continue;
            }
            let target = self.next_nonempty(last.target).ok_or(InternalError("jump with NULL target"))?;
            if self.next_nonempty(self[id].next) == Some(target) {
                changes += 1;
                if let Some(last) = self[id].instrs.last_mut() {
                    last.set_nop();
                }
            }
        }
        Ok(changes)
    }

    pub(super) fn remove_redundant_nops_and_jumps(&mut self) -> Result<(), InternalError> {
        loop {
            let removed_nops = self.remove_redundant_nops();
            let removed_jumps = self.remove_redundant_jumps()?;
            if removed_nops + removed_jumps == 0 {
                return Ok(());
            }
        }
    }

    /// Copies small exit blocks, and blocks without lines that do not fall through, over the jumps to them.
    pub(super) fn inline_small_or_no_lineno_blocks(&mut self) {
        let order = self.order();
        // Every change removes a jump, so this ends.
        loop {
            let mut changed = false;
            for &id in &order {
                changed |= self.inline_jump_target(id);
            }
            if !changed {
                return;
            }
        }
    }

    fn inline_jump_target(&mut self, id: BlockId) -> bool {
        let Some(&last) = self[id].last() else { return false };
        let Some(target) = last.target.filter(|_| last.opcode.is_unconditional_jump()) else { return false };
        let block = &self[target];
        let small_exit = block.exits_scope() && block.instrs.len() <= MAX_COPY_SIZE;
        let no_lineno_no_fallthrough = block.has_no_lineno() && !block.has_fallthrough();
        if !small_exit && !no_lineno_no_fallthrough {
            return false;
        }
        let copies = block.instrs.clone();
        let block = &mut self[id];
        if let Some(jump) = block.instrs.last_mut() {
            jump.set_nop();
        }
        block.extend(&copies);
        if no_lineno_no_fallthrough
            && let Some(end) = block.instrs.last_mut()
            && end.opcode.is_unconditional_jump()
            && last.opcode == Opcode::JUMP
        {
            // The jump removed looked for signals; so must the one that replaces it.
            end.opcode = Opcode::JUMP;
        }
        self[target].predecessors = self[target].predecessors.wrapping_sub(1);
        true
    }
}
