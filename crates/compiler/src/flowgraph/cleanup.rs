//! Removal of what has no effect: unreachable blocks, NOPs, jumps to the next instruction, pairs that cancel out; and the
//! copying of small exits into the blocks that jump to them.

use taipan_bytecode::Opcode;

use super::{BlockId, ENTRY, Graph};
use crate::assemble::InternalError;
use crate::instruction_sequence::Location;

/// An exit block of at most this many instructions is copied rather than jumped to.
const MAX_COPY_SIZE: usize = 4;

impl Graph<'_> {
    /// Counts predecessors and empties the blocks that have none.
    pub(super) fn remove_unreachable(&mut self) {
        for block in &mut self.blocks {
            block.visited = false;
            block.predecessors = 0;
        }
        self[ENTRY].predecessors = 1;
        self[ENTRY].visited = true;
        let mut todo = vec![ENTRY];
        while let Some(id) = todo.pop() {
            if let Some(next) = self[id].next
                && self[id].has_fallthrough()
            {
                self.reach(next, &mut todo);
            }
            // Only handlers are targets of other instructions than the last.
            let count = self[id].instrs.len();
            for at in if self.has_handlers { 0 } else { count.saturating_sub(1) }..count {
                if let Some(target) = self[id].instrs[at].target {
                    self.reach(target, &mut todo);
                }
            }
        }
        for block in self.blocks.iter_mut().filter(|block| block.predecessors == 0) {
            block.instrs.truncate(0);
            block.is_except_handler = false;
        }
    }

    fn reach(&mut self, id: BlockId, todo: &mut Vec<BlockId>) {
        let block = &mut self[id];
        if !block.visited {
            block.visited = true;
            todo.push(id);
        }
        block.predecessors += 1;
    }

    /// Removes the block's NOPs that no line depends on; returns how many.
    fn remove_redundant_nops_of(&mut self, id: BlockId) -> usize {
        let Some(first) = self[id].instrs.iter().position(|instr| instr.opcode == Opcode::NOP) else {
            self[id].has_nops = false;
            return 0;
        };
        // What matters of the instructions behind, for a NOP at the end.
        let lineno_behind = self.next_nonempty(self[id].next).map(|next| {
            let first_kept =
                self[next].instrs.iter().find(|instr| instr.opcode != Opcode::NOP || instr.loc.lineno >= 0);
            first_kept.map_or(Location::NONE.lineno, |instr| instr.loc.lineno)
        });
        let instrs = &mut self[id].instrs;
        let count = instrs.len();
        let mut kept = first;
        let mut prev_lineno = first.checked_sub(1).map_or(-1, |before| instrs[before].loc.lineno);
        for at in first..count {
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
                } else if lineno_behind == Some(lineno) {
                    continue;
                }
            }
            instrs[kept] = instrs[at];
            kept += 1;
            prev_lineno = lineno;
        }
        instrs.truncate(kept);
        self[id].has_nops = self[id].instrs[first..].iter().any(|instr| instr.opcode == Opcode::NOP);
        count - kept
    }

    /// Removes NOPs from the blocks that are known to hold any.
    pub(super) fn remove_redundant_nops(&mut self) -> usize {
        let mut removed = 0;
        let mut cursor = Some(ENTRY);
        while let Some(id) = cursor {
            if self[id].has_nops {
                removed += self.remove_redundant_nops_of(id);
            }
            cursor = self[id].next;
        }
        removed
    }

    /// Removes loads of constants and copies whose value is dropped at once.
    pub(super) fn remove_redundant_nops_and_pairs(&mut self) {
        loop {
            let mut done = true;
            let mut prev: Option<(BlockId, usize)> = None;
            let mut cursor = Some(ENTRY);
            while let Some(id) = cursor {
                cursor = self[id].next;
                self.remove_redundant_nops_of(id);
                if self[id].labelled {
                    prev = None;
                }
                for index in 0..self[id].instrs.len() {
                    if self[id].instrs[index].opcode != Opcode::POP_TOP {
                        continue;
                    }
                    let before = if index > 0 { Some((id, index - 1)) } else { prev };
                    let Some((prev_block, prev_index)) = before else { continue };
                    let first = &mut self[prev_block].instrs[prev_index];
                    let cancels = matches!(first.opcode, Opcode::LOAD_CONST | Opcode::LOAD_SMALL_INT)
                        || (first.opcode == Opcode::COPY && first.oparg == 1);
                    if cancels {
                        first.set_nop();
                        self[id].instrs[index].set_nop();
                        done = false;
                    }
                }
                if let Some(last) = self[id].instrs.len().checked_sub(1) {
                    prev = Some((id, last));
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
        let mut cursor = Some(ENTRY);
        while let Some(id) = cursor {
            cursor = self[id].next;
            let Some(last) = self[id].last() else { continue };
            if !last.opcode.is_unconditional_jump() {
                continue;
            }
            let target = self.next_nonempty(last.target).ok_or(InternalError("jump with NULL target"))?;
            if self.next_nonempty(self[id].next) == Some(target) {
                changes += 1;
                let block = &mut self[id];
                block.has_nops = true;
                if let Some(last) = block.instrs.last_mut() {
                    last.set_nop();
                }
            }
        }
        Ok(changes)
    }

    /// Finds out which blocks hold NOPs. What makes a NOP from then on takes note of it.
    pub(super) fn find_nops(&mut self) {
        for block in &mut self.blocks {
            block.has_nops = block.instrs.iter().any(|instr| instr.opcode == Opcode::NOP);
        }
    }

    pub(super) fn remove_redundant_nops_and_jumps(&mut self) -> Result<(), InternalError> {
        let mut removed_nops = self.remove_redundant_nops();
        loop {
            let removed_jumps = self.remove_redundant_jumps()?;
            if removed_nops + removed_jumps == 0 {
                return Ok(());
            }
            removed_nops = self.remove_redundant_nops();
        }
    }

    /// Copies small exit blocks, and blocks without lines that do not fall through, over the jumps to them.
    pub(super) fn inline_small_or_no_lineno_blocks(&mut self) {
        // Every change removes a jump, so this ends.
        loop {
            let mut changed = false;
            let mut cursor = Some(ENTRY);
            while let Some(id) = cursor {
                changed |= self.inline_jump_target(id);
                cursor = self[id].next;
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
        let copies = block.instrs.to_vec();
        let block = &mut self[id];
        if let Some(jump) = block.instrs.last_mut() {
            jump.set_nop();
        }
        block.instrs.extend(&copies);
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
