//! The stack's depth at the start of each block and at its highest.

use taipan_bytecode::Opcode;

use super::{BlockId, ENTRY, Graph};
use crate::assemble::InternalError;

impl Graph<'_> {
    pub(super) fn calculate_stackdepth(&mut self) -> Result<u32, InternalError> {
        for block in &mut self.blocks {
            block.start_depth = -1;
        }
        let mut todo = Vec::new();
        let mut max_depth = 0;
        self.push_depth(ENTRY, 0, &mut todo)?;
        while let Some(id) = todo.pop() {
            let mut depth = self[id].start_depth;
            let instrs = std::mem::take(&mut self[id].instrs);
            for instr in instrs.iter() {
                max_depth = max_depth.max(depth);
                if let (Some(target), true) = (instr.target, instr.opcode != Opcode::END_ASYNC_FOR) {
                    let target_depth = depth + instr.opcode.stack_effect(instr.oparg, true);
                    self.push_depth(target, target_depth, &mut todo)?;
                }
                depth += instr.opcode.stack_effect(instr.oparg, false);
                if depth < 0 {
                    return Err(InternalError("Invalid CFG, stack underflow"));
                }
            }
            self[id].instrs = instrs;
            if self[id].has_fallthrough()
                && let Some(next) = self[id].next
            {
                self.push_depth(next, depth, &mut todo)?;
            }
        }
        Ok(max_depth as u32)
    }

    fn push_depth(&mut self, id: BlockId, depth: i64, todo: &mut Vec<BlockId>) -> Result<(), InternalError> {
        let block = &mut self[id];
        if block.start_depth >= 0 {
            if block.start_depth != depth {
                return Err(InternalError("Invalid CFG, inconsistent stackdepth"));
            }
            return Ok(());
        }
        if depth < 0 {
            return Err(InternalError("Invalid CFG, stack underflow"));
        }
        block.start_depth = depth;
        todo.push(id);
        Ok(())
    }
}
