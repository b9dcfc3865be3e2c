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

use std::num::NonZeroU32;
use std::ops::{Deref, DerefMut};

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

/// Vectors that the graph of one code unit leaves to that of the next.
#[derive(Default)]
pub(crate) struct Scratch {
    blocks: Vec<Block>,
    instrs: Vec<Instrs>,
    is_target: Vec<bool>,
    block_of_label: Vec<Option<BlockId>>,
    instructions: Vec<Vec<Instruction>>,
    /// For the code generator.
    indices: Vec<Vec<u32>>,
    /// For the assembler.
    pub bytes: Vec<u8>,
}

impl Scratch {
    /// A sequence to write instructions to.
    pub fn sequence(&mut self) -> InstructionSequence {
        InstructionSequence::in_place_of(self.instructions.pop().unwrap_or_default())
    }

    /// An empty list of indices.
    pub fn indices(&mut self) -> Vec<u32> {
        self.indices.pop().unwrap_or_default()
    }

    pub fn recycle_indices(&mut self, mut indices: Vec<u32>) {
        indices.clear();
        self.indices.push(indices);
    }

    /// Takes back what a sequence that is done with held its instructions in.
    pub fn recycle(&mut self, sequence: InstructionSequence) {
        self.instructions.push(sequence.into_instructions());
    }
}

/// Builds the graph of a code unit, optimises it and puts it in order again. Constants that folding made are added to
/// the unit's, those that nothing loads any longer removed.
pub(crate) fn optimize(
    sequence: InstructionSequence,
    unit: &mut CodeUnitMetadata,
    nparams: usize,
    flags: u32,
    scratch: &mut Scratch,
) -> Result<Optimized, InternalError> {
    let mut graph = Graph::from_sequence(sequence, scratch)?;
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
    let mut scratch = Scratch::default();
    let mut graph = Graph::from_sequence(sequence, &mut scratch)?;
    graph.optimize_code_unit(consts, nlocals, 0)?;
    graph.calculate_stackdepth()?;
    graph.optimize_load_fast()?;
    Ok(graph.into_sequence())
}

/// The index of a block in [`Graph::blocks`], and one more: so that none takes no room.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct BlockId(NonZeroU32);

const ENTRY: BlockId = BlockId(NonZeroU32::MIN);

impl BlockId {
    fn index(self) -> usize {
        self.0.get() as usize - 1
    }
}

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

    /// Whether control does not go on behind it.
    fn leaves_block(&self) -> bool {
        self.opcode.is_scope_exit() || self.opcode.is_unconditional_jump()
    }

    fn set_nop(&mut self) {
        self.set(Opcode::NOP, 0);
    }
}

/// The instructions of a block. CPython keeps them in an array and, when it adds one behind others that were removed,
/// leaves the handler that it finds in that place; exception tables show it. So what was removed at the end stays here.
#[derive(Debug, Default)]
struct Instrs {
    array: Vec<Instr>,
    used: usize,
}

impl Deref for Instrs {
    type Target = [Instr];

    fn deref(&self) -> &[Instr] {
        &self.array[..self.used]
    }
}

impl DerefMut for Instrs {
    fn deref_mut(&mut self) -> &mut [Instr] {
        &mut self.array[..self.used]
    }
}

impl Instrs {
    /// Forgets all, the handlers of removed instructions too.
    fn forget(&mut self) {
        self.array.clear();
        self.used = 0;
    }

    /// Removes what is behind the first `len`.
    fn truncate(&mut self, len: usize) {
        self.used = self.used.min(len);
    }

    fn push(&mut self, instr: Instr) {
        match self.array.get_mut(self.used) {
            Some(place) => *place = instr,
            None => self.array.push(instr),
        }
        self.used += 1;
    }

    /// Adds what the code generator wrote to a block from which nothing was removed.
    fn append(&mut self, instructions: &[Instruction]) {
        debug_assert_eq!(self.used, self.array.len());
        let added = instructions.iter().map(|added| Instr::new(added.opcode, added.oparg, added.location));
        self.array.extend(added);
        self.used = self.array.len();
    }

    /// Adds an instruction of the optimiser's own.
    fn add(&mut self, mut instr: Instr) {
        instr.except = self.array.get(self.used).and_then(|stale| stale.except);
        self.push(instr);
    }

    fn insert(&mut self, index: usize, instr: Instr) {
        if self.used < self.array.len() {
            self.array.remove(self.used);
        }
        self.array.insert(index, instr);
        self.used += 1;
    }

    fn extend(&mut self, copies: &[Instr]) {
        copies.iter().for_each(|&copy| self.push(copy));
    }
}

/// A basic block: control enters at its start, and only its last instruction may leave it.
#[derive(Debug, Default)]
struct Block {
    instrs: Instrs,
    /// The block behind it in code order.
    next: Option<BlockId>,
    /// Whether something jumps here by a label.
    labelled: bool,
    is_except_handler: bool,
    preserve_lasti: bool,
    /// Whether there is a NOP, from [`Graph::find_nops`] on.
    has_nops: bool,
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

    fn exits_scope(&self) -> bool {
        self.last().is_some_and(|last| last.opcode.is_scope_exit())
    }

    fn has_fallthrough(&self) -> bool {
        !self.last().is_some_and(Instr::leaves_block)
    }

    fn has_eval_break(&self) -> bool {
        self.instrs.iter().any(|instr| instr.opcode.flags() & taipan_bytecode::opcode::flag::EVAL_BREAK != 0)
    }

    /// Whether no instruction has a line.
    fn has_no_lineno(&self) -> bool {
        self.instrs.iter().all(|instr| instr.loc.lineno < 0)
    }
}

struct Graph<'s> {
    blocks: Vec<Block>,
    /// Whether SETUP pseudo-instructions or POP_BLOCK occur.
    has_handlers: bool,
    scratch: &'s mut Scratch,
}

impl std::ops::Index<BlockId> for Graph<'_> {
    type Output = Block;

    fn index(&self, id: BlockId) -> &Block {
        &self.blocks[id.index()]
    }
}

impl std::ops::IndexMut<BlockId> for Graph<'_> {
    fn index_mut(&mut self, id: BlockId) -> &mut Block {
        &mut self.blocks[id.index()]
    }
}

/// How many instructions, of which there is at least one, are in one block.
fn run_length(instructions: &[Instruction], is_target: &[bool]) -> usize {
    let pairs = instructions.windows(2).zip(&is_target[1..]);
    let ends = |(pair, is_target): (&[Instruction], &bool)| {
        *is_target || pair[0].opcode.is_terminator() || pair[1].opcode == Opcode::ANNOTATIONS_PLACEHOLDER
    };
    pairs.map(ends).position(|ends| ends).map_or(instructions.len(), |at| at + 1)
}

impl<'s> Graph<'s> {
    fn new_block(&mut self) -> BlockId {
        let instrs = self.scratch.instrs.pop().unwrap_or_default();
        self.blocks.push(Block { instrs, start_depth: -1, ..Block::default() });
        BlockId(NonZeroU32::new(self.blocks.len() as u32).expect("there is a block"))
    }

    /// Splits the instructions into blocks, splices the annotations' code in and resolves labels.
    fn from_sequence(mut sequence: InstructionSequence, scratch: &'s mut Scratch) -> Result<Graph<'s>, InternalError> {
        let annotations = sequence.take_annotations_code();
        let mut is_target = std::mem::take(&mut scratch.is_target);
        is_target.clear();
        is_target.resize(sequence.len(), false);
        let mut has_handlers = false;
        sequence.apply_labels_to(|instruction| {
            if instruction.opcode.has_target() {
                *is_target
                    .get_mut(instruction.oparg as usize)
                    .ok_or(InternalError("jump to a label that was not used"))? = true;
                has_handlers |= instruction.opcode.is_block_push();
            } else if instruction.opcode == Opcode::POP_BLOCK {
                has_handlers = true;
            }
            Ok(())
        })?;
        let instructions = sequence.instructions();
        let mut block_of_label = std::mem::take(&mut scratch.block_of_label);
        block_of_label.clear();
        block_of_label.resize(instructions.len(), None);

        let blocks = std::mem::take(&mut scratch.blocks);
        let mut graph = Graph { blocks, has_handlers, scratch };
        let mut current = graph.new_block();
        let mut index = 0;
        while let Some(instruction) = instructions.get(index) {
            if instruction.opcode == Opcode::ANNOTATIONS_PLACEHOLDER {
                for added in annotations.iter().flat_map(|code| code.instructions()) {
                    current = graph.block_for_next(current, false);
                    graph[current].instrs.push(Instr::new(added.opcode, added.oparg, added.location));
                }
                index += 1;
                continue;
            }
            let starts_block = is_target[index];
            current = graph.block_for_next(current, starts_block);
            let block = &mut graph[current];
            if starts_block {
                block.labelled = true;
                block_of_label[index] = Some(current);
            }
            let run = run_length(&instructions[index..], &is_target[index..]);
            block.instrs.append(&instructions[index..index + run]);
            index += run;
        }
        for block in &mut graph.blocks {
            let targeted = if has_handlers { 0 } else { block.instrs.len().saturating_sub(1) };
            for instr in block.instrs[targeted..].iter_mut().filter(|instr| instr.opcode.has_target()) {
                instr.target = block_of_label[instr.oparg as usize];
                if instr.target.is_none() {
                    return Err(InternalError("jump to a placeholder"));
                }
            }
        }
        graph.scratch.is_target = is_target;
        graph.scratch.block_of_label = block_of_label;
        graph.scratch.recycle(sequence);
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
        if self.has_handlers {
            self.mark_except_handlers();
            self.label_exception_targets()?;
        }

        self.check()?;
        self.inline_small_or_no_lineno_blocks();
        self.remove_unreachable();
        self.resolve_line_numbers();
        self.optimize_load_const(consts);
        let mut cursor = Some(ENTRY);
        while let Some(id) = cursor {
            self.optimize_basic_block(id, consts);
            cursor = self[id].next;
        }
        self.remove_redundant_nops_and_pairs();
        self.remove_unreachable();
        self.find_nops();
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

    /// What only the assembler chooses must not be here. (Jumps and exits end their blocks: blocks are made so.)
    fn check(&self) -> Result<(), InternalError> {
        let malformed = self.blocks.iter().any(|block| block.last().is_some_and(|last| last.opcode.is_assembler()));
        if malformed { Err(InternalError("malformed control flow graph.")) } else { Ok(()) }
    }

    fn into_sequence(mut self) -> InstructionSequence {
        let order = self.order();
        let mut start = vec![0u32; self.blocks.len()];
        let mut count = 0;
        for &id in &order {
            start[id.index()] = count;
            count += self[id].instrs.len() as u32;
        }
        let mut instructions = self.scratch.instructions.pop().unwrap_or_default();
        instructions.clear();
        instructions.reserve(count as usize);
        for &id in &order {
            for instr in self[id].instrs.iter() {
                instructions.push(Instruction {
                    opcode: instr.opcode,
                    oparg: instr.target.map_or(instr.oparg, |target| start[target.index()]),
                    location: instr.loc,
                    except_handler: instr.except.map(|handler| ExceptHandlerInfo {
                        label: Label(start[handler.index()]),
                        start_depth: self[handler].start_depth.max(0) as u32,
                        preserve_lasti: self[handler].preserve_lasti,
                    }),
                });
            }
        }
        for mut block in self.blocks.drain(..) {
            block.instrs.forget();
            self.scratch.instrs.push(block.instrs);
        }
        self.scratch.blocks = self.blocks;
        InstructionSequence::from_resolved(instructions)
    }
}
