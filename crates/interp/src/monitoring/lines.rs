//! What reporting needs to know of a code object: instructions by unit, where lines start, how deep the stack is.
//!
//! Lines start where CPython's instrumentation says (`initialize_lines` in `Python/instrumentation.c`): where the line
//! changes in the order of the code, at targets of jumps from other lines, and at exception handlers.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use taipan_bytecode::opcode::Opcode;

use crate::code::Code;
use crate::verify::{Flow, State, Verified, verify};

/// Facts about one code object.
pub(super) struct Lines {
    /// The unit of the first RESUME: nothing before it is reported.
    pub first_traceable: u32,
    /// Lines by unit; −1 for none.
    lines: Box<[i32]>,
    starts: Box<[bool]>,
    /// Opcode and operand by unit of the opcode proper.
    instructions: HashMap<u32, Known>,
}

#[derive(Clone, Copy)]
struct Known {
    op: Opcode,
    oparg: u32,
    end: u32,
    depth: u32,
}

/// By identity of the code's data, which is kept alive so that the address stays its own.
type Cache = HashMap<usize, (taipan_bytecode::SharedCode, Arc<Lines>)>;

static CACHE: Mutex<Option<Cache>> = Mutex::new(None);

/// No more code objects than this are remembered at a time.
const CACHE_LIMIT: usize = 10_000;

impl Lines {
    pub fn of(code: &Code) -> Arc<Lines> {
        let key = code.data.address();
        let mut cache = CACHE.lock().expect("nothing in here panics");
        let cache = cache.get_or_insert_with(HashMap::new);
        if let Some((_, lines)) = cache.get(&key) {
            return lines.clone();
        }
        if cache.len() >= CACHE_LIMIT {
            cache.clear();
        }
        let lines = Arc::new(Lines::new(code));
        cache.insert(key, (code.data.clone(), lines.clone()));
        lines
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
        let mut instructions = HashMap::new();
        let mut first_traceable = 0;
        if let Ok(verified) = verify(data) {
            for (instr, state) in verified.instrs.iter().zip(&states(&verified)) {
                let depth = state.as_ref().map_or(0, |state| state.stack.len() as u32);
                let known = Known { op: instr.op, oparg: instr.oparg, end: instr.end, depth };
                instructions.insert(instr.unit, known);
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
        }
        Lines { first_traceable, lines: lines.into(), starts: starts.into(), instructions }
    }

    /// The opcode at a unit and its operand.
    pub fn instruction(&self, code: &Code, unit: u32) -> (Opcode, u32) {
        match self.instructions.get(&unit) {
            Some(known) => (known.op, known.oparg),
            None => {
                let number = code.data.code.get(unit as usize * 2).copied().unwrap_or(0);
                (Opcode::from_u8(number).unwrap_or(Opcode::NOP), 0)
            }
        }
    }

    /// The unit behind the instruction at `unit` and its caches.
    pub fn next(&self, unit: u32) -> u32 {
        self.instructions.get(&unit).map_or(unit + 1, |known| known.end)
    }

    /// How deep the stack is before the instruction at `unit`.
    pub fn depth(&self, unit: u32) -> u32 {
        self.instructions.get(&unit).map_or(0, |known| known.depth)
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
