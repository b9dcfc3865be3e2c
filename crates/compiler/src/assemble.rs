//! From optimised instructions to a code object: code bytes, location table, exception table, kinds of locals.
//!
//! Counterpart of CPython's `Python/assemble.c`.

mod tables;

use taipan_bytecode::code::{
    CO_FAST_ARG_KW, CO_FAST_ARG_POS, CO_FAST_ARG_VAR, CO_FAST_CELL, CO_FAST_FREE, CO_FAST_HIDDEN, CO_FAST_LOCAL,
    CO_VARARGS, CO_VARKEYWORDS,
};
use taipan_bytecode::{Bytes, CodeData, Opcode, Text};

use crate::flowgraph::{self, Optimized, Scratch};
use crate::hash_index::TextIndex;
use crate::instruction_sequence::{CodeUnitMetadata, Instruction, InstructionSequence};

/// A flaw of the compiler itself; Python sees SystemError with this text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InternalError(pub &'static str);

/// Optimises the instructions of a code unit and makes its code object; `flags` are `co_flags`.
pub(crate) fn optimize_and_assemble(
    mut unit: CodeUnitMetadata,
    sequence: InstructionSequence,
    flags: u32,
    filename: Text,
    scratch: &mut Scratch,
) -> Result<CodeData, InternalError> {
    let variadic = u32::from(flags & CO_VARARGS != 0) + u32::from(flags & CO_VARKEYWORDS != 0);
    let nparams = unit.argcount + unit.kwonlyargcount + variadic;
    let Optimized { mut sequence, stackdepth } =
        flowgraph::optimize(sequence, &mut unit, nparams as usize, flags, scratch)?;
    let offsets = resolve_jumps(sequence.instructions_mut());
    let instructions = sequence.instructions();
    let (localsplusnames, localspluskinds) = localsplus(&mut unit, flags);
    let code = CodeData {
        argcount: unit.argcount,
        posonlyargcount: unit.posonlyargcount,
        kwonlyargcount: unit.kwonlyargcount,
        stacksize: stackdepth.max(1),
        flags,
        code: code_bytes(instructions, &offsets),
        linetable: tables::location_table(instructions, &offsets, unit.firstlineno, &mut scratch.bytes),
        exceptiontable: tables::exception_table(instructions, &offsets),
        consts: unit.consts.into_constants().into(),
        names: unit.names.into(),
        localsplusnames,
        localspluskinds,
        filename,
        name: unit.name,
        qualname: unit.qualname,
        firstlineno: unit.firstlineno,
    };
    scratch.recycle(sequence);
    Ok(code)
}

/// The number of EXTENDED_ARGs that an argument needs.
fn extended_args(oparg: u32) -> usize {
    match oparg {
        0..=0xFF => 0,
        0x100..=0xFFFF => 1,
        0x1_0000..=0xFF_FFFF => 2,
        _ => 3,
    }
}

/// The size of an instruction in code units.
fn instruction_size(instruction: &Instruction) -> u32 {
    (extended_args(instruction.oparg) + 1 + instruction.opcode.cache_units()) as u32
}

/// From the instruction behind END_ASYNC_FOR to the END_SEND of its loop: that is this many units behind its SEND.
const END_SEND_OFFSET: u32 = 5;

/// Gives jumps their direction and their distance in code units; returns the offset of each instruction and the end.
fn resolve_jumps(instructions: &mut [Instruction]) -> Vec<u32> {
    let mut jumps = Vec::new();
    for (index, instruction) in instructions.iter_mut().enumerate() {
        if !instruction.opcode.has_jump() {
            continue;
        }
        let target = instruction.oparg as usize;
        let forward = target > index;
        instruction.opcode = match instruction.opcode {
            Opcode::JUMP | Opcode::JUMP_NO_INTERRUPT if forward => Opcode::JUMP_FORWARD,
            Opcode::JUMP => Opcode::JUMP_BACKWARD,
            Opcode::JUMP_NO_INTERRUPT => Opcode::JUMP_BACKWARD_NO_INTERRUPT,
            other => other,
        };
        jumps.push((index, target));
    }
    // Distances depend on sizes and sizes on distances: repeat until no size changes.
    let mut offsets = Vec::with_capacity(instructions.len() + 1);
    loop {
        let mut offset = 0;
        offsets.clear();
        offsets.extend(instructions.iter().map(|instruction| {
            let at = offset;
            offset += instruction_size(instruction);
            at
        }));
        offsets.push(offset);
        let mut changed = false;
        for &(index, target) in &jumps {
            let instruction = &mut instructions[index];
            let size = instruction_size(instruction);
            let behind = offsets[index] + size;
            let target = offsets[target];
            instruction.oparg = if instruction.opcode == Opcode::END_ASYNC_FOR {
                behind.wrapping_sub(target).wrapping_sub(END_SEND_OFFSET)
            } else {
                behind.abs_diff(target)
            };
            changed |= instruction_size(instruction) != size;
        }
        if !changed {
            return offsets;
        }
    }
}

fn code_bytes(instructions: &[Instruction], offsets: &[u32]) -> Bytes {
    let units = offsets.last().map_or(0, |&end| end as usize);
    // Cache entries stay zero.
    let mut code = vec![0; 2 * units];
    for (instruction, &offset) in instructions.iter().zip(offsets) {
        let oparg = instruction.oparg;
        let mut at = 2 * offset as usize;
        for shift in (1..=extended_args(oparg)).rev() {
            code[at..at + 2].copy_from_slice(&[Opcode::EXTENDED_ARG.as_u8(), (oparg >> (8 * shift)) as u8]);
            at += 2;
        }
        code[at..at + 2].copy_from_slice(&[instruction.opcode.as_u8(), oparg as u8]);
    }
    code.into()
}

/// Names and kinds of locals, cells and free variables.
fn localsplus(unit: &mut CodeUnitMetadata, flags: u32) -> (Box<[Text]>, Bytes) {
    let varargs = u32::from(flags & CO_VARARGS != 0);
    let varkeywords = u32::from(flags & CO_VARKEYWORDS != 0);
    let arg_kinds = [
        (unit.posonlyargcount, CO_FAST_ARG_POS),
        (unit.argcount - unit.posonlyargcount, CO_FAST_ARG_POS | CO_FAST_ARG_KW),
        (unit.kwonlyargcount, CO_FAST_ARG_KW),
        (varargs, CO_FAST_ARG_VAR | CO_FAST_ARG_POS),
        (varkeywords, CO_FAST_ARG_VAR | CO_FAST_ARG_KW),
    ];
    let arg_kinds = arg_kinds.into_iter().flat_map(|(count, kind)| std::iter::repeat_n(kind, count as usize));
    let mut kinds = Vec::with_capacity(unit.varnames.len() + unit.cellvars.len() + unit.freevars.len());
    let (cellvars, fasthidden) = (TextIndex::new(&unit.cellvars), TextIndex::new(&unit.fasthidden));
    for (name, arg_kind) in unit.varnames.iter().zip(arg_kinds.chain(std::iter::repeat(0))) {
        let mut kind = CO_FAST_LOCAL | arg_kind;
        if fasthidden.contains(name) {
            kind |= CO_FAST_HIDDEN;
        }
        if cellvars.contains(name) {
            kind |= CO_FAST_CELL;
        }
        kinds.push(kind);
    }
    if !unit.cellvars.is_empty() {
        let varnames = TextIndex::new(&unit.varnames);
        let others: Vec<Text> = unit.cellvars.iter().filter(|name| !varnames.contains(name)).cloned().collect();
        kinds.resize(kinds.len() + others.len(), CO_FAST_CELL);
        unit.varnames.extend(others);
    }
    kinds.resize(kinds.len() + unit.freevars.len(), CO_FAST_FREE);
    let mut names = std::mem::take(&mut unit.varnames);
    names.append(&mut unit.freevars);
    (names.into(), kinds.into())
}
