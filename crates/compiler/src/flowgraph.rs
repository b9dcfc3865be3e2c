//! The control-flow graph of a code unit and its optimisation.
//!
//! Counterpart of CPython's `Python/flowgraph.c`; the passes run in its order, since each sees what the ones before left.
//! Blocks are in a vector and linked in code order by [`Block::next`]. The passes, in the order of their files:
//! [`exceptions`] (which handler covers what), [`cleanup`] (unreachable code, NOPs, jumps), [`lines`], [`load_const`],
//! [`peephole`] with [`fold`], [`constant_arithmetic`] and [`swaps`], [`locals`] (LOAD_FAST_CHECK, superinstructions),
//! [`cold`], then, on the way back to instructions, [`stackdepth`], [`localsplus`], [`jumps`] and [`borrow`].

mod borrow;
mod cleanup;
mod cold;
mod constant_arithmetic;
mod exceptions;
mod fold;
mod jumps;
mod lines;
mod load_const;
mod locals;
mod localsplus;
mod peephole;
mod stackdepth;
mod swaps;
#[cfg(test)]
mod tests;

use std::collections::VecDeque;

use taipan_bytecode::Opcode;

use crate::assemble::InternalError;
use crate::instruction_sequence::{
    CodeUnitMetadata, ConstTable, ExceptHandlerInfo, Instruction, InstructionSequence, Label, Location,
};

/// The result of [`optimize`]: instructions with resolved targets, ready for the assembler.
pub(crate) struct Optimized {
    pub sequence: InstructionSequence,
    pub stackdepth: u32,
}

/// Builds the graph of a code unit, optimises it and puts it in order again. Constants that folding made are added to
/// the unit's, those that nothing loads any longer removed.
pub(crate) fn optimize(
    sequence: InstructionSequence,
    unit: &mut CodeUnitMetadata,
    nparams: usize,
    flags: u32,
) -> Result<Optimized, InternalError> {
    let mut graph = Graph::from_sequence(sequence)?;
    graph.optimize_code_unit(&mut unit.consts, unit.varnames.len(), nparams)?;
    graph.convert_pseudo_conditional_jumps();
    let stackdepth = graph.calculate_stackdepth()?;
    graph.prepare_localsplus(unit, flags)?;
    graph.convert_pseudo_ops()?;
    graph.normalize_jumps();
    graph.optimize_load_fast()?;
    Ok(Optimized { sequence: graph.into_sequence(), stackdepth })
}

/// Only what happens before locals are laid out, for those who test the optimiser: optimises the instructions of a code
/// unit without parameters and lets loads borrow.
pub fn optimize_cfg(
    sequence: InstructionSequence,
    consts: &mut ConstTable,
    nlocals: usize,
) -> Result<InstructionSequence, InternalError> {
    let mut graph = Graph::from_sequence(sequence)?;
    graph.optimize_code_unit(consts, nlocals, 0)?;
    graph.calculate_stackdepth()?;
    graph.optimize_load_fast()?;
    Ok(graph.into_sequence())
}

/// The index of a block in [`Graph::blocks`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct BlockId(u32);

const ENTRY: BlockId = BlockId(0);

/// An instruction of the graph.
#[derive(Clone, Copy, Debug)]
struct Instr {
    opcode: Opcode,
    oparg: u32,
    loc: Location,
    /// Where it jumps, or the handler that it sets up.
    target: Option<BlockId>,
    /// The handler that covers it.
    except: Option<BlockId>,
}

impl Instr {
    fn new(opcode: Opcode, oparg: u32, loc: Location) -> Instr {
        Instr { opcode, oparg, loc, target: None, except: None }
    }

    fn jump(opcode: Opcode, target: BlockId, loc: Location) -> Instr {
        Instr { opcode, oparg: 0, loc, target: Some(target), except: None }
    }

    /// Changes the operation to one without target; location and handler stay.
    fn set(&mut self, opcode: Opcode, oparg: u32) {
        self.opcode = opcode;
        self.oparg = oparg;
        self.target = None;
    }

    fn set_nop(&mut self) {
        self.set(Opcode::NOP, 0);
    }
}

/// A basic block: control enters at its start, and only its last instruction may leave it.
#[derive(Debug, Default)]
struct Block {
    instrs: Vec<Instr>,
    /// The handlers of instructions that were removed at the end. CPython keeps the instructions of a block in an array
    /// and, when it adds one, leaves the handler that it finds in that place; exception tables show it.
    stale_handlers: VecDeque<Option<BlockId>>,
    /// The block behind it in code order.
    next: Option<BlockId>,
    /// Whether something jumps here by a label.
    labelled: bool,
    is_except_handler: bool,
    preserve_lasti: bool,
    cold: bool,
    warm: bool,
    /// The mark of the traversal under way.
    visited: bool,
    predecessors: u32,
    /// The stack's depth on entry; negative while unknown.
    start_depth: i64,
    /// Of the first 64 locals, those that may be unbound on entry.
    unsafe_locals: u64,
}

impl Block {
    fn last(&self) -> Option<&Instr> {
        self.instrs.last()
    }

    /// Adds an instruction of the optimiser's own.
    fn add(&mut self, mut instr: Instr) {
        instr.except = self.stale_handlers.pop_front().flatten();
        self.instrs.push(instr);
    }

    /// Adds copies of instructions.
    fn extend(&mut self, copies: &[Instr]) {
        self.stale_handlers.drain(..copies.len().min(self.stale_handlers.len()));
        self.instrs.extend(copies);
    }

    fn insert(&mut self, index: usize, instr: Instr) {
        self.stale_handlers.pop_front();
        self.instrs.insert(index, instr);
    }

    fn exits_scope(&self) -> bool {
        self.last().is_some_and(|last| last.opcode.is_scope_exit())
    }

    fn has_fallthrough(&self) -> bool {
        !self.last().is_some_and(|last| last.opcode.is_scope_exit() || last.opcode.is_unconditional_jump())
    }

    fn has_eval_break(&self) -> bool {
        self.instrs.iter().any(|instr| instr.opcode.flags() & taipan_bytecode::opcode::flag::EVAL_BREAK != 0)
    }

    fn has_no_lineno(&self) -> bool {
        self.instrs.iter().all(|instr| instr.loc.lineno < 0)
    }
}

struct Graph {
    blocks: Vec<Block>,
}

impl std::ops::Index<BlockId> for Graph {
    type Output = Block;

    fn index(&self, id: BlockId) -> &Block {
        &self.blocks[id.0 as usize]
    }
}

impl std::ops::IndexMut<BlockId> for Graph {
    fn index_mut(&mut self, id: BlockId) -> &mut Block {
        &mut self.blocks[id.0 as usize]
    }
}

impl Graph {
    fn new_block(&mut self) -> BlockId {
        self.blocks.push(Block { start_depth: -1, ..Block::default() });
        BlockId((self.blocks.len() - 1) as u32)
    }

    /// Splits the instructions into blocks, splices the annotations' code in and resolves labels.
    fn from_sequence(mut sequence: InstructionSequence) -> Result<Graph, InternalError> {
        sequence.apply_label_map();
        let annotations = sequence.take_annotations_code();
        let instructions = sequence.instructions();
        let mut is_target = vec![false; instructions.len()];
        for instruction in instructions.iter().filter(|instruction| instruction.opcode.has_target()) {
            *is_target
                .get_mut(instruction.oparg as usize)
                .ok_or(InternalError("jump to a label that was not used"))? = true;
        }

        let mut graph = Graph { blocks: Vec::new() };
        let mut current = graph.new_block();
        let mut block_of_label: Vec<Option<BlockId>> = vec![None; instructions.len()];
        for (index, instruction) in instructions.iter().enumerate() {
            if instruction.opcode == Opcode::ANNOTATIONS_PLACEHOLDER {
                for added in annotations.iter().flat_map(|code| code.instructions()) {
                    current = graph.block_for_next(current, false);
                    graph[current].instrs.push(Instr::new(added.opcode, added.oparg, added.location));
                }
                continue;
            }
            current = graph.block_for_next(current, is_target[index]);
            if is_target[index] {
                graph[current].labelled = true;
                block_of_label[index] = Some(current);
            }
            let Instruction { opcode, oparg, location, .. } = *instruction;
            graph[current].instrs.push(Instr::new(opcode, oparg, location));
        }
        for block in &mut graph.blocks {
            for instr in block.instrs.iter_mut().filter(|instr| instr.opcode.has_target()) {
                instr.target = block_of_label[instr.oparg as usize];
                if instr.target.is_none() {
                    return Err(InternalError("jump to a placeholder"));
                }
            }
        }
        Ok(graph)
    }

    /// The block that takes the next instruction: the current one unless that is terminated or a label must start one.
    fn block_for_next(&mut self, current: BlockId, labelled: bool) -> BlockId {
        let block = &self[current];
        let terminated = block.last().is_some_and(|last| last.opcode.is_terminator());
        if !terminated && !(labelled && (!block.instrs.is_empty() || block.labelled)) {
            return current;
        }
        let next = self.new_block();
        self[current].next = Some(next);
        next
    }

    fn optimize_code_unit(
        &mut self,
        consts: &mut ConstTable,
        nlocals: usize,
        nparams: usize,
    ) -> Result<(), InternalError> {
        self.mark_except_handlers();
        self.label_exception_targets()?;

        self.check()?;
        self.inline_small_or_no_lineno_blocks();
        self.remove_unreachable();
        self.resolve_line_numbers();
        self.optimize_load_const(consts);
        for id in self.order() {
            self.optimize_basic_block(id, consts);
        }
        self.remove_redundant_nops_and_pairs();
        self.remove_unreachable();
        self.remove_redundant_nops_and_jumps()?;

        self.remove_unused_consts(consts);
        self.add_checks_for_loads_of_uninitialized_variables(nlocals, nparams);
        self.insert_superinstructions();
        self.push_cold_blocks_to_end()?;
        self.resolve_line_numbers();
        Ok(())
    }

    /// The blocks in code order, as it is now.
    fn order(&self) -> Vec<BlockId> {
        let mut order = Vec::with_capacity(self.blocks.len());
        let mut cursor = Some(ENTRY);
        while let Some(id) = cursor {
            order.push(id);
            cursor = self[id].next;
        }
        order
    }

    fn clear_visited(&mut self) {
        for block in &mut self.blocks {
            block.visited = false;
        }
    }

    /// The first block from `start` on, in code order, that holds an instruction.
    fn next_nonempty(&self, start: Option<BlockId>) -> Option<BlockId> {
        let mut cursor = start;
        while let Some(id) = cursor
            && self[id].instrs.is_empty()
        {
            cursor = self[id].next;
        }
        cursor
    }

    /// Jumps and exits must end their blocks.
    fn check(&self) -> Result<(), InternalError> {
        let malformed = self.blocks.iter().any(|block| {
            block.instrs.iter().rev().skip(1).any(|instr| instr.opcode.is_terminator())
                || block.instrs.iter().any(|instr| instr.opcode.is_assembler())
        });
        if malformed { Err(InternalError("malformed control flow graph.")) } else { Ok(()) }
    }

    fn into_sequence(self) -> InstructionSequence {
        let order = self.order();
        let mut start = vec![0u32; self.blocks.len()];
        let mut count = 0;
        for &id in &order {
            start[id.0 as usize] = count;
            count += self[id].instrs.len() as u32;
        }
        let mut instructions = Vec::with_capacity(count as usize);
        for &id in &order {
            for instr in &self[id].instrs {
                instructions.push(Instruction {
                    opcode: instr.opcode,
                    oparg: instr.target.map_or(instr.oparg, |target| start[target.0 as usize]),
                    location: instr.loc,
                    except_handler: instr.except.map(|handler| ExceptHandlerInfo {
                        label: Label(start[handler.0 as usize]),
                        start_depth: self[handler].start_depth.max(0) as u32,
                        preserve_lasti: self[handler].preserve_lasti,
                    }),
                });
            }
        }
        InstructionSequence::from_resolved(instructions)
    }
}
