//! Which exception handler covers each instruction; POP_BLOCK disappears here.

use taipan_bytecode::Opcode;
use taipan_bytecode::oparg::resume;

use super::{BlockId, ENTRY, Graph};
use crate::assemble::InternalError;

/// A stack of handlers as a chain: index of the innermost link, none for the empty stack.
type Handlers = Option<u32>;

struct Link {
    handler: BlockId,
    outer: Handlers,
    depth: u32,
}

#[derive(Default)]
struct Chain {
    links: Vec<Link>,
}

impl Chain {
    fn push(&mut self, handlers: Handlers, handler: BlockId) -> Handlers {
        let depth = self.depth(handlers) + 1;
        self.links.push(Link { handler, outer: handlers, depth });
        Some((self.links.len() - 1) as u32)
    }

    fn top(&self, handlers: Handlers) -> Option<BlockId> {
        handlers.map(|link| self.links[link as usize].handler)
    }

    fn depth(&self, handlers: Handlers) -> u32 {
        handlers.map_or(0, |link| self.links[link as usize].depth)
    }
}

impl Graph<'_> {
    pub(super) fn mark_except_handlers(&mut self) {
        let mut cursor = Some(ENTRY);
        while let Some(id) = cursor {
            cursor = self[id].next;
            for index in 0..self[id].instrs.len() {
                let instr = &self[id].instrs[index];
                if let (true, Some(target)) = (instr.opcode.is_block_push(), instr.target) {
                    self[target].is_except_handler = true;
                }
            }
        }
    }

    /// Follows the SETUP and POP_BLOCK pseudo-instructions along the flow of control.
    pub(super) fn label_exception_targets(&mut self) -> Result<(), InternalError> {
        self.clear_visited();
        let mut chain = Chain::default();
        let mut todo: Vec<(BlockId, Handlers)> = vec![(ENTRY, None)];
        self[ENTRY].visited = true;
        while let Some((id, mut handlers)) = todo.pop() {
            let mut last_yield_depth = None;
            let mut instrs = std::mem::take(&mut self[id].instrs);
            for instr in instrs.iter_mut() {
                if instr.opcode.has_target() {
                    let target = instr.target.ok_or(InternalError("jump without target"))?;
                    if !self[target].visited {
                        self[target].visited = true;
                        todo.push((target, handlers));
                    }
                    if instr.opcode.is_block_push() {
                        if matches!(instr.opcode, Opcode::SETUP_WITH | Opcode::SETUP_CLEANUP) {
                            self[target].preserve_lasti = true;
                        }
                        handlers = chain.push(handlers, target);
                        continue;
                    }
                }
                instr.except = chain.top(handlers);
                match instr.opcode {
                    Opcode::POP_BLOCK => {
                        let link = handlers.ok_or(InternalError("POP_BLOCK without a block"))?;
                        handlers = chain.links[link as usize].outer;
                        instr.set_nop();
                        instr.except = None;
                    }
                    Opcode::YIELD_VALUE => last_yield_depth = Some(chain.depth(handlers)),
                    Opcode::RESUME if instr.oparg != resume::AT_FUNC_START => {
                        if last_yield_depth.take() == Some(1) {
                            instr.oparg |= resume::DEPTH1_MASK;
                        }
                    }
                    _ => {}
                }
            }
            self[id].instrs = instrs;
            if self[id].has_fallthrough()
                && let Some(next) = self[id].next
                && !self[next].visited
            {
                self[next].visited = true;
                todo.push((next, handlers));
            }
        }
        Ok(())
    }
}
