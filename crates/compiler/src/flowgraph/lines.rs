//! Line numbers for instructions that have none: PEP 626 wants every exit to know its line, so exits without one are
//! duplicated until each has a single predecessor whose location it can take.

use super::{BlockId, ENTRY, Graph};
use crate::instruction_sequence::Location;

impl Graph<'_> {
    pub(super) fn resolve_line_numbers(&mut self) {
        self.duplicate_exits_without_lineno();
        self.propagate_line_numbers();
    }

    fn is_exit_or_eval_check_without_lineno(&self, id: BlockId) -> bool {
        let block = &self[id];
        block.has_no_lineno() && (block.exits_scope() || block.has_eval_break())
    }

    fn duplicate_exits_without_lineno(&mut self) {
        let mut cursor = Some(ENTRY);
        while let Some(id) = cursor {
            if let Some(&last) = self[id].last()
                && last.opcode.has_jump()
                && let Some(target) = self.next_nonempty(last.target)
                && self.is_exit_or_eval_check_without_lineno(target)
                && self[target].predecessors > 1
            {
                let copy = self.new_block();
                let copies = self[target].instrs.to_vec();
                self[copy].instrs.extend(&copies);
                self[copy].instrs[0].loc = last.loc;
                self[copy].predecessors = 1;
                self[copy].labelled = true;
                self[copy].has_nops = self[target].has_nops;
                self[copy].next = self[target].next;
                self[target].next = Some(copy);
                self[target].predecessors -= 1;
                if let Some(jump) = self[id].instrs.last_mut() {
                    jump.target = Some(copy);
                }
            }
            cursor = self[id].next;
        }

        // Those that remain are reached by fall-through alone.
        let mut cursor = Some(ENTRY);
        while let Some(id) = cursor {
            cursor = self[id].next;
            if let Some(&last) = self[id].last()
                && self[id].has_fallthrough()
                && let Some(next) = self[id].next
                && self.is_exit_or_eval_check_without_lineno(next)
            {
                self[next].instrs[0].loc = last.loc;
            }
        }
    }

    fn propagate_line_numbers(&mut self) {
        let mut cursor = Some(ENTRY);
        while let Some(id) = cursor {
            cursor = self[id].next;
            let mut prev = Location::NONE;
            for instr in self[id].instrs.iter_mut() {
                if instr.loc.lineno == Location::NONE.lineno {
                    instr.loc = prev;
                } else {
                    prev = instr.loc;
                }
            }
            let Some(&last) = self[id].last() else { continue };
            let fallthrough = self[id].next.filter(|_| self[id].has_fallthrough());
            let target = last.target.filter(|_| last.opcode.has_jump());
            for successor in [fallthrough, target].into_iter().flatten() {
                let block = &mut self[successor];
                if block.predecessors == 1
                    && let Some(first) = block.instrs.first_mut()
                    && first.loc.lineno == Location::NONE.lineno
                {
                    first.loc = prev;
                }
            }
        }
    }
}
