//! The slots of cells and free variables behind the locals, and the instructions at a function's start that fill them.

use taipan_bytecode::Opcode;
use taipan_bytecode::code::{CO_ASYNC_GENERATOR, CO_COROUTINE, CO_GENERATOR};

use super::{ENTRY, Graph, Instr};
use crate::assemble::InternalError;
use crate::hash_index::TextIndex;
use crate::instruction_sequence::{CodeUnitMetadata, Location};

impl Graph<'_> {
    pub(super) fn prepare_localsplus(&mut self, unit: &CodeUnitMetadata, flags: u32) -> Result<(), InternalError> {
        // The code generator numbers cells, then free variables, from 0; a cell that is also an argument lives in the
        // argument's slot, the others follow the locals.
        let nlocals = unit.varnames.len() as u32;
        if unit.cellvars.is_empty() && unit.freevars.is_empty() {
            self.insert_prefix_instructions(unit, &[], flags);
            return Ok(());
        }
        let locals = TextIndex::new(&unit.varnames);
        let mut slots = Vec::with_capacity(unit.cellvars.len() + unit.freevars.len());
        let mut next = nlocals;
        for name in &unit.cellvars {
            slots.push(match locals.position(name) {
                Some(local) => local as u32,
                None => {
                    next += 1;
                    next - 1
                }
            });
        }
        slots.extend((next..).take(unit.freevars.len()));

        self.insert_prefix_instructions(unit, &slots, flags);
        for block in &mut self.blocks {
            for instr in block.instrs.iter_mut() {
                if matches!(
                    instr.opcode,
                    Opcode::MAKE_CELL
                        | Opcode::LOAD_CLOSURE
                        | Opcode::LOAD_DEREF
                        | Opcode::STORE_DEREF
                        | Opcode::DELETE_DEREF
                        | Opcode::LOAD_FROM_DICT_OR_DEREF
                ) {
                    instr.oparg = *slots.get(instr.oparg as usize).ok_or(InternalError("cell index out of range"))?;
                }
            }
        }
        Ok(())
    }

    fn insert_prefix_instructions(&mut self, unit: &CodeUnitMetadata, slots: &[u32], flags: u32) {
        let mut prefix = Vec::new();
        if !unit.freevars.is_empty() {
            prefix.push(Instr::new(Opcode::COPY_FREE_VARS, unit.freevars.len() as u32, Location::NONE));
        }
        let mut cells: Vec<u32> = (0..unit.cellvars.len() as u32).collect();
        cells.sort_by_key(|&cell| slots[cell as usize]);
        prefix.extend(cells.into_iter().map(|cell| Instr::new(Opcode::MAKE_CELL, cell, Location::NONE)));
        if flags & (CO_GENERATOR | CO_COROUTINE | CO_ASYNC_GENERATOR) != 0 {
            let loc = Location::new(unit.firstlineno, unit.firstlineno, -1, -1);
            prefix.push(Instr::new(Opcode::RETURN_GENERATOR, 0, loc));
            prefix.push(Instr::new(Opcode::POP_TOP, 0, loc));
        }
        for (index, instr) in prefix.into_iter().enumerate() {
            self[ENTRY].instrs.insert(index, instr);
        }
    }
}
