//! Locals that may be unbound where they are loaded (LOAD_FAST_CHECK), and instructions for two locals at once.

use taipan_bytecode::Opcode;

use super::{BlockId, ENTRY, Graph};

impl Graph<'_> {
    /// Uses LOAD_FAST_CHECK where a local may be unbound: at first all but the parameters are, and DELETE_FAST and its
    /// like unbind again. Only the first 64 locals are followed from block to block.
    pub(super) fn add_checks_for_loads_of_uninitialized_variables(&mut self, nlocals: usize, nparams: usize) {
        if nlocals == 0 {
            return;
        }
        if nlocals > 64 {
            self.check_loads_of_late_locals(nlocals);
        }
        self.clear_visited();
        let mut todo = Vec::new();
        let unbound = (nparams..nlocals.min(64)).fold(0u64, |mask, local| mask | 1 << local);
        self.maybe_push(ENTRY, unbound, &mut todo);
        let mut cursor = Some(ENTRY);
        while let Some(id) = cursor {
            cursor = self[id].next;
            self.scan_block_for_locals(id, &mut todo);
        }
        while let Some(id) = todo.pop() {
            self[id].visited = false;
            self.scan_block_for_locals(id, &mut todo);
        }
    }

    fn maybe_push(&mut self, id: BlockId, unbound: u64, todo: &mut Vec<BlockId>) {
        let block = &mut self[id];
        let both = block.unsafe_locals | unbound;
        if block.unsafe_locals != both {
            block.unsafe_locals = both;
            if !block.visited {
                block.visited = true;
                todo.push(id);
            }
        }
    }

    fn scan_block_for_locals(&mut self, id: BlockId, todo: &mut Vec<BlockId>) {
        let mut unbound = self[id].unsafe_locals;
        let mut instrs = std::mem::take(&mut self[id].instrs);
        for instr in instrs.iter_mut() {
            if let Some(handler) = instr.except {
                self.maybe_push(handler, unbound, todo);
            }
            if !instr.opcode.has_local() || instr.oparg >= 64 {
                continue;
            }
            let bit = 1u64 << instr.oparg;
            match instr.opcode {
                Opcode::DELETE_FAST | Opcode::LOAD_FAST_AND_CLEAR | Opcode::STORE_FAST_MAYBE_NULL => unbound |= bit,
                Opcode::STORE_FAST | Opcode::LOAD_FAST_CHECK => unbound &= !bit,
                Opcode::LOAD_FAST => {
                    if unbound & bit != 0 {
                        instr.opcode = Opcode::LOAD_FAST_CHECK;
                    }
                    unbound &= !bit;
                }
                _ => {}
            }
        }
        self[id].instrs = instrs;
        let block = &self[id];
        let fallthrough = block.next.filter(|_| block.has_fallthrough());
        let target = block.last().filter(|last| last.opcode.has_jump()).and_then(|last| last.target);
        for successor in [fallthrough, target].into_iter().flatten() {
            self.maybe_push(successor, unbound, todo);
        }
    }

    /// Locals from the 64th on count as bound only after a load or store in the same block.
    fn check_loads_of_late_locals(&mut self, nlocals: usize) {
        let mut bound_in = vec![0usize; nlocals];
        for (number, id) in self.order().into_iter().enumerate() {
            let number = number + 1;
            for instr in self[id].instrs.iter_mut().filter(|instr| instr.oparg >= 64) {
                let local = instr.oparg as usize;
                match instr.opcode {
                    Opcode::DELETE_FAST | Opcode::LOAD_FAST_AND_CLEAR | Opcode::STORE_FAST_MAYBE_NULL => {
                        bound_in[local] = number - 1;
                    }
                    Opcode::STORE_FAST => bound_in[local] = number,
                    Opcode::LOAD_FAST => {
                        if bound_in[local] != number {
                            instr.opcode = Opcode::LOAD_FAST_CHECK;
                        }
                        bound_in[local] = number;
                    }
                    _ => {}
                }
            }
        }
    }

    pub(super) fn insert_superinstructions(&mut self) {
        for block in &mut self.blocks {
            let (instrs, has_nops) = (&mut block.instrs[..], &mut block.has_nops);
            for at in 1..instrs.len() {
                let (first, second) = (&instrs[at - 1], &instrs[at]);
                let both = match (first.opcode, second.opcode) {
                    (Opcode::LOAD_FAST, Opcode::LOAD_FAST) => Opcode::LOAD_FAST_LOAD_FAST,
                    (Opcode::STORE_FAST, Opcode::LOAD_FAST) => Opcode::STORE_FAST_LOAD_FAST,
                    (Opcode::STORE_FAST, Opcode::STORE_FAST) => Opcode::STORE_FAST_STORE_FAST,
                    _ => continue,
                };
                let (line, next_line) = (first.loc.lineno, second.loc.lineno);
                let lines_differ = line >= 0 && next_line >= 0 && line != next_line;
                if !lines_differ && first.oparg < 16 && second.oparg < 16 {
                    let oparg = first.oparg << 4 | second.oparg;
                    instrs[at - 1].set(both, oparg);
                    instrs[at].set_nop();
                    *has_nops = true;
                }
            }
        }
        self.remove_redundant_nops();
    }
}
