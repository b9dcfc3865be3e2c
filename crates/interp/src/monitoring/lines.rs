//! What reporting needs to know of a code object: instructions by unit, where lines start, how deep the stack is.
//!
//! Lines start where CPython's instrumentation says (`initialize_lines` in `Python/instrumentation.c`): where the line
//! changes in the order of the code, at targets of jumps from other lines, and at exception handlers.

use std::collections::HashMap;

use taipan_bytecode::opcode::Opcode;

use super::tools::Event;
use crate::code::Code;
use crate::verify::{Flow, State, Verified, verify};

/// Facts about one code object.
pub(crate) struct Lines {
    /// The unit of the first RESUME: nothing before it is reported.
    pub first_traceable: u32,
    /// Lines by unit; −1 for none.
    lines: Box<[i32]>,
    starts: Box<[bool]>,
    /// Opcode and operand by unit of the opcode proper.
    instructions: Box<[Option<Known>]>,
    /// By unit: the events that the boundary there may have to report of its own instruction.
    possible: Box<[u32]>,
    /// By unit: whether an unconditional jump may have led there.
    jumped_to: Box<[bool]>,
}

#[derive(Clone, Copy)]
struct Known {
    op: Opcode,
    oparg: u32,
    end: u32,
    depth: u32,
}

impl Lines {
    /// The facts about a code object, found out when they are first asked for.
    pub fn of(code: &Code) -> &Lines {
        code.lines.get_or_init(|| Box::new(Lines::new(code)))
    }

    fn new(code: &Code) -> Lines {
        let data = &code.data;
        let units = data.code.len() / 2;
        let mut lines = vec![-1; units];
        let positions = taipan_bytecode::linetable::positions(&data.linetable, data.firstlineno);
        for (line, position) in lines.iter_mut().zip(positions) {
            *line = position.lineno;
        }
        let mut starts = vec![false; units];
        let mut instructions = vec![None; units];
        let mut possible = vec![u32::MAX; units];
        let mut jumped_to = vec![false; units];
        let mut first_traceable = 0;
        if let Ok(verified) = verify(data) {
            for (instr, state) in verified.instrs.iter().zip(&states(&verified)) {
                let depth = state.as_ref().map_or(0, |state| state.stack.len() as u32);
                let known = Known { op: instr.op, oparg: instr.oparg, end: instr.end, depth };
                instructions[instr.unit as usize] = Some(known);
            }
            let resume = verified.instrs.iter().find(|instr| instr.op == Opcode::RESUME);
            first_traceable = resume.map_or(0, |instr| instr.unit);
            let traceable = || verified.instrs.iter().filter(|instr| instr.unit >= first_traceable);
            let mut current = -1;
            for instr in traceable() {
                if never_starts(instr.op) {
                    continue;
                }
                let line = lines[instr.unit as usize];
                starts[instr.unit as usize] = line != current && line >= 0;
                current = line;
            }
            let by_start: HashMap<u32, &crate::verify::Instr> =
                verified.instrs.iter().map(|instr| (instr.start, instr)).collect();
            for instr in traceable() {
                let Some(target) = jump_target(instr.op, instr.oparg, instr.end) else { continue };
                let unconditional = matches!(instr.op, Opcode::JUMP_FORWARD | Opcode::JUMP_BACKWARD);
                if let Some(target) = by_start.get(&target).filter(|_| unconditional) {
                    jumped_to[target.unit as usize] = true;
                }
                let Some(target) = by_start.get(&target).filter(|target| !never_starts(target.op)) else { continue };
                let (from, to) = (lines[instr.unit as usize], lines[target.unit as usize]);
                if to >= 0 && to != from {
                    starts[target.unit as usize] = true;
                }
            }
            for handler in &verified.handlers {
                let target = verified.instrs[handler.target as usize];
                if lines[target.unit as usize] >= 0 && !never_starts(target.op) && target.unit >= first_traceable {
                    starts[target.unit as usize] = true;
                }
            }
            for instr in traceable() {
                let line = if starts[instr.unit as usize] { Event::Line.bit() } else { 0 };
                possible[instr.unit as usize] = Event::Instruction.bit() | line | events_of(instr.op);
            }
        }
        Lines {
            first_traceable,
            lines: lines.into(),
            starts: starts.into(),
            instructions: instructions.into(),
            possible: possible.into(),
            jumped_to: jumped_to.into(),
        }
    }

    fn known(&self, unit: u32) -> Option<&Known> {
        self.instructions.get(unit as usize)?.as_ref()
    }

    /// The events that the boundary at `unit` may have to report, besides jumps and branches that led there.
    pub fn possible(&self, unit: u32) -> u32 {
        self.possible.get(unit as usize).copied().unwrap_or(u32::MAX)
    }

    /// The units of the instructions that can be reported.
    pub fn traceable(&self) -> impl Iterator<Item = u32> + '_ {
        let known = self.instructions.iter().enumerate().skip(self.first_traceable as usize);
        known.filter(|(_, known)| known.is_some()).map(|(unit, _)| unit as u32)
    }

    /// Whether trace and profile functions that want no opcodes are told nothing at `unit`.
    pub fn is_quiet(&self, unit: u32) -> bool {
        self.possible(unit) == Event::Instruction.bit() && !self.jumped_to[unit as usize]
    }

    /// The opcode at a unit and its operand.
    pub fn instruction(&self, code: &Code, unit: u32) -> (Opcode, u32) {
        match self.known(unit) {
            Some(known) => (known.op, known.oparg),
            None => {
                let number = code.data.code.get(unit as usize * 2).copied().unwrap_or(0);
                (Opcode::from_u8(number).unwrap_or(Opcode::NOP), 0)
            }
        }
    }

    /// The unit behind the instruction at `unit` and its caches.
    pub fn next(&self, unit: u32) -> u32 {
        self.known(unit).map_or(unit + 1, |known| known.end)
    }

    /// How deep the stack is before the instruction at `unit`.
    pub fn depth(&self, unit: u32) -> u32 {
        self.known(unit).map_or(0, |known| known.depth)
    }

    /// The line that starts at `unit`.
    pub fn start(&self, unit: u32) -> Option<i32> {
        self.starts.get(unit as usize).is_some_and(|starts| *starts).then(|| self.lines[unit as usize])
    }

    /// The line of a unit.
    pub fn line(&self, unit: u32) -> Option<i32> {
        self.lines.get(unit as usize).copied().filter(|line| *line >= 0)
    }

    /// The first units of all lines, for `f_lineno`.
    pub fn start_units(&self) -> impl Iterator<Item = (u32, i32)> + '_ {
        self.starts.iter().enumerate().filter(|(_, starts)| **starts).map(|(unit, _)| (unit as u32, self.lines[unit]))
    }
}

/// What is known before each instruction that control can reach.
pub(super) fn states(verified: &Verified) -> Vec<Option<State>> {
    let mut current: Option<State> = None;
    let mut states = Vec::with_capacity(verified.instrs.len());
    for at in 0..verified.instrs.len() {
        if let Some(entry) = verified.entry_state(at) {
            current = Some(entry);
        }
        states.push(current.clone());
        let flow = current.as_mut().map(|state| verified.step(state, at));
        if !matches!(flow, Some(Ok(Flow::Next | Flow::Branch(_) | Flow::BranchPopped(_)))) {
            current = None;
        }
    }
    states
}

/// The events that an instruction itself is reported with.
fn events_of(op: Opcode) -> u32 {
    match op {
        Opcode::RESUME => Event::PyStart.bit() | Event::PyResume.bit(),
        Opcode::RETURN_VALUE => Event::PyReturn.bit(),
        Opcode::YIELD_VALUE => Event::PyYield.bit(),
        Opcode::CALL | Opcode::CALL_KW | Opcode::CALL_FUNCTION_EX => Event::Call.bit(),
        Opcode::END_ASYNC_FOR => Event::BranchRight.bit(),
        Opcode::NOT_TAKEN => Event::BranchLeft.bit(),
        _ => 0,
    }
}

fn never_starts(op: Opcode) -> bool {
    matches!(op, Opcode::END_ASYNC_FOR | Opcode::END_FOR | Opcode::END_SEND | Opcode::RESUME)
}

/// Where a jump may lead, by the unit at which the target starts.
fn jump_target(op: Opcode, oparg: u32, end: u32) -> Option<u32> {
    match op {
        Opcode::JUMP_FORWARD
        | Opcode::POP_JUMP_IF_FALSE
        | Opcode::POP_JUMP_IF_TRUE
        | Opcode::POP_JUMP_IF_NONE
        | Opcode::POP_JUMP_IF_NOT_NONE => Some(end + oparg),
        // The loop ends behind END_FOR and POP_ITER.
        Opcode::FOR_ITER => Some(end + oparg + 2),
        Opcode::SEND => Some(end + oparg + 1),
        Opcode::JUMP_BACKWARD | Opcode::JUMP_BACKWARD_NO_INTERRUPT => end.checked_sub(oparg),
        _ => None,
    }
}
