//! Verification of 3.14 bytecode by abstract interpretation.
//!
//! Code objects may be forged (`code.replace`, `marshal`), so before anything runs, every instruction that control can
//! reach is checked: opcode, operand, jump target, exception table, depth of the stack and, for each stack slot and
//! local, whether it may hold a value, a null or a cell. Lowering relies on what is proved here and emits run-time
//! checks where a proof is missing but the code may still be sound (a local that may be unbound).
//!
//! [`Verified::step`] is the abstract semantics of one instruction; lowering runs it again, in step with what it emits.

use std::fmt;

use taipan_bytecode::code::{
    CO_ASYNC_GENERATOR, CO_COROUTINE, CO_FAST_FREE, CO_GENERATOR, CO_VARARGS, CO_VARKEYWORDS, CodeData,
};
use taipan_bytecode::oparg::{BinaryOp, CommonConstant, Conversion, Intrinsic1, Intrinsic2, SpecialMethod};
use taipan_bytecode::opcode::Opcode;

/// Why a code object is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifyError {
    /// The offset in `co_code` of the offending instruction, or of the place where one was expected.
    pub offset: usize,
    pub message: String,
}

impl fmt::Display for VerifyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "invalid bytecode at offset {}: {}", self.offset, self.message)
    }
}

/// What a slot may hold: a union of [`NULL`], [`VALUE`] and [`CELL`].
pub type Kind = u8;
/// Nothing: an unbound local, a missing `self`.
pub const NULL: Kind = 1;
/// An object that is not known to be a cell.
pub const VALUE: Kind = 2;
/// A cell.
pub const CELL: Kind = 4;

/// An instruction with its prefixes folded in.
#[derive(Clone, Copy, Debug)]
pub struct Instr {
    pub op: Opcode,
    pub oparg: u32,
    /// The unit of its first EXTENDED_ARG, or of the instruction itself: where jumps to it lead.
    pub start: u32,
    /// The unit of the opcode proper: `f_lasti / 2`.
    pub unit: u32,
    /// The unit behind its caches.
    pub end: u32,
}

/// An entry of the exception table, targets as instruction indices.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Handler {
    pub target: u32,
    pub depth: u32,
    pub push_lasti: bool,
}

pub const NO_HANDLER: u32 = u32::MAX;

/// What is known before an instruction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct State {
    pub stack: Vec<Kind>,
    pub locals: Vec<Kind>,
    /// RETURN_GENERATOR has run.
    pub in_generator: bool,
}

/// Where control goes after an instruction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flow {
    Next,
    Jump(u32),
    /// Falls through or jumps.
    Branch(u32),
    /// Falls through, or jumps with one value less on the stack.
    BranchPopped(u32),
    Exit,
}

/// A code object's instructions, all reachable ones proved sound.
pub struct Verified<'a> {
    pub code: &'a CodeData,
    pub instrs: Vec<Instr>,
    /// For each instruction the index of its handler, or [`NO_HANDLER`].
    pub handler_of: Vec<u32>,
    pub handlers: Vec<Handler>,
    /// The state before each leader of a basic block; None elsewhere and where control never comes.
    pub entry_states: Vec<Option<State>>,
    /// Jumps or handlers lead here (the first instruction counts as well).
    pub is_target: Vec<bool>,
    nfree: u32,
    unit_to_instr: Vec<u32>,
}

const NOT_AN_INSTR: u32 = u32::MAX;
/// More registers than the 16-bit operands of register code can name.
pub const MAX_REGISTERS: usize = 0xFFF0;
/// A bound on the memory that the states of all basic blocks take.
const MAX_STATE_BYTES: usize = 1 << 29;

/// Checks `code`. Nested code objects among the constants are not looked at: they are verified when they run.
pub fn verify(code: &CodeData) -> Result<Verified<'_>, VerifyError> {
    let mut verified = Verified::decode(code)?;
    verified.read_exception_table()?;
    verified.interpret()?;
    Ok(verified)
}

fn error<T>(unit: usize, message: impl Into<String>) -> Result<T, VerifyError> {
    Err(VerifyError { offset: unit * 2, message: message.into() })
}

impl<'a> Verified<'a> {
    pub fn nlocalsplus(&self) -> usize {
        self.code.localspluskinds.len()
    }

    fn decode(code: &'a CodeData) -> Result<Verified<'a>, VerifyError> {
        let bytes = &code.code;
        if bytes.is_empty() || bytes.len() % 2 != 0 {
            return error(0, "code must be a non-empty sequence of 16-bit units");
        }
        if bytes.len() > i32::MAX as usize / 4 {
            return error(0, "code is too long");
        }
        if code.localsplusnames.len() != code.localspluskinds.len() {
            return error(0, "localsplusnames and localspluskinds differ in length");
        }
        if code.localspluskinds.len() + code.stacksize as usize > MAX_REGISTERS {
            return error(0, "too many locals or too deep a stack");
        }
        if code.names.len() > 0xFFFF {
            return error(0, "too many names");
        }
        let units = bytes.len() / 2;
        let mut instrs = Vec::with_capacity(units / 2);
        let mut unit_to_instr = vec![NOT_AN_INSTR; units];
        let mut unit = 0;
        while unit < units {
            let start = unit;
            let mut oparg = 0u32;
            let mut prefixes = 0;
            while bytes[unit * 2] == Opcode::EXTENDED_ARG.as_u8() {
                oparg = oparg << 8 | bytes[unit * 2 + 1] as u32;
                unit += 1;
                prefixes += 1;
                if unit == units || prefixes > 3 {
                    return error(start, "EXTENDED_ARG without an instruction");
                }
            }
            let Some(op) = Opcode::from_u8(bytes[unit * 2]) else {
                return error(unit, format!("unknown opcode {}", bytes[unit * 2]));
            };
            oparg = oparg << 8 | bytes[unit * 2 + 1] as u32;
            if oparg > i32::MAX as u32 {
                return error(unit, "oparg out of range");
            }
            let end = unit + 1 + op.cache_units();
            if end > units {
                return error(unit, "instruction is cut off");
            }
            unit_to_instr[start] = instrs.len() as u32;
            instrs.push(Instr { op, oparg, start: start as u32, unit: unit as u32, end: end as u32 });
            unit = end;
        }
        let count = instrs.len();
        let nfree = code.localspluskinds.iter().filter(|kind| **kind & CO_FAST_FREE != 0).count() as u32;
        Ok(Verified {
            code,
            instrs,
            handler_of: vec![NO_HANDLER; count],
            handlers: Vec::new(),
            entry_states: vec![None; count],
            is_target: vec![false; count],
            nfree,
            unit_to_instr,
        })
    }

    fn instr_at(&self, unit: u64, from: usize) -> Result<u32, VerifyError> {
        match self.unit_to_instr.get(unit as usize) {
            Some(&index) if index != NOT_AN_INSTR => Ok(index),
            _ => error(from, "jump target is not an instruction"),
        }
    }

    fn read_exception_table(&mut self) -> Result<(), VerifyError> {
        let table = &self.code.exceptiontable;
        let mut at = 0;
        let mut previous_end = 0u64;
        while at < table.len() {
            let mut field = |first: bool| read_varint(table, &mut at, first);
            let entry = (|| Some((field(true)?, field(false)?, field(false)?, field(false)?)))();
            let Some((start, length, target, depth_lasti)) = entry else {
                return error(0, "malformed exception table");
            };
            let (start, end) = (start as u64, start as u64 + length as u64);
            if start < previous_end || end > self.unit_to_instr.len() as u64 {
                return error(0, "exception table is out of order or out of range");
            }
            previous_end = end;
            let target = self.instr_at(target as u64, start as usize)?;
            let handler = Handler { target, depth: depth_lasti >> 1, push_lasti: depth_lasti & 1 != 0 };
            let index = match self.handlers.iter().rposition(|known| *known == handler) {
                Some(index) => index,
                None => {
                    self.handlers.push(handler);
                    self.handlers.len() - 1
                }
            };
            let first = self.instrs.partition_point(|instr| (instr.unit as u64) < start);
            for (instr, slot) in self.instrs[first..].iter().zip(&mut self.handler_of[first..]) {
                if instr.unit as u64 >= end {
                    break;
                }
                *slot = index as u32;
            }
        }
        Ok(())
    }

    /// The state in which a call enters the code.
    fn initial_state(&self) -> Result<State, VerifyError> {
        let code = self.code;
        let mut arguments = code.argcount as u64 + code.kwonlyargcount as u64;
        arguments += (code.flags & CO_VARARGS != 0) as u64 + (code.flags & CO_VARKEYWORDS != 0) as u64;
        if arguments > self.nlocalsplus() as u64 || code.posonlyargcount > code.argcount {
            return error(0, "more arguments than locals");
        }
        let mut locals = vec![NULL; self.nlocalsplus()];
        locals[..arguments as usize].fill(VALUE);
        Ok(State { stack: Vec::new(), locals, in_generator: false })
    }

    fn mark_targets(&mut self) -> Result<(), VerifyError> {
        self.is_target[0] = true;
        for handler in &self.handlers {
            self.is_target[handler.target as usize] = true;
        }
        let mut leaders = self.handlers.len();
        for index in 0..self.instrs.len() {
            let instr = self.instrs[index];
            let target = match instr.op {
                Opcode::FOR_ITER => self.exhausted_target(&instr),
                op if op.has_jump() && op != Opcode::END_ASYNC_FOR => self.jump_target(&instr),
                _ => continue,
            };
            // A bad target only matters if control reaches the jump.
            if let Ok(target) = target {
                self.is_target[target as usize] = true;
                leaders += 2;
            }
        }
        if leaders.saturating_mul(self.nlocalsplus() + self.code.stacksize as usize) > MAX_STATE_BYTES {
            return error(0, "code is too complex");
        }
        Ok(())
    }

    fn interpret(&mut self) -> Result<(), VerifyError> {
        self.mark_targets()?;
        self.entry_states[0] = Some(self.initial_state()?);
        let mut work = vec![0u32];
        while let Some(leader) = work.pop() {
            let mut state = self.entry_states[leader as usize].clone().expect("a leader on the work list has a state");
            let mut at = leader as usize;
            // What was last merged into the current handler, so that straight code merges only what changed.
            let mut merged: Option<(u32, State)> = None;
            loop {
                let instr = self.instrs[at];
                let handler = self.handler_of[at];
                if handler != NO_HANDLER {
                    self.merge_into_handler(handler, at, &state, &mut merged, &mut work)?;
                }
                let flow = self.step(&mut state, &instr)?;
                if state.stack.len() > self.code.stacksize as usize {
                    return error(instr.unit as usize, "stack overflow");
                }
                if handler != NO_HANDLER {
                    let depth = self.handlers[handler as usize].depth as usize;
                    if state.stack.len() >= depth {
                        self.merge_into_handler(handler, at, &state, &mut merged, &mut work)?;
                    }
                }
                let (next, target) = match flow {
                    Flow::Next => (true, None),
                    Flow::Jump(target) => (false, Some(target)),
                    Flow::Branch(target) | Flow::BranchPopped(target) => (true, Some(target)),
                    Flow::Exit => (false, None),
                };
                if let Some(target) = target {
                    if matches!(flow, Flow::BranchPopped(_)) {
                        let mut taken = state.clone();
                        taken.stack.pop();
                        self.merge(target, &taken, &mut work, instr.unit)?;
                    } else {
                        self.merge(target, &state, &mut work, instr.unit)?;
                    }
                }
                if !next {
                    break;
                }
                at += 1;
                if at == self.instrs.len() {
                    return error(instr.unit as usize, "control falls off the end");
                }
                if target.is_some() || self.is_target[at] {
                    self.merge(at as u32, &state, &mut work, instr.unit)?;
                    break;
                }
            }
        }
        Ok(())
    }

    fn merge(&mut self, target: u32, state: &State, work: &mut Vec<u32>, from: u32) -> Result<(), VerifyError> {
        let Some(known) = &mut self.entry_states[target as usize] else {
            self.entry_states[target as usize] = Some(state.clone());
            work.push(target);
            return Ok(());
        };
        if known.stack.len() != state.stack.len() {
            return error(from as usize, "inconsistent stack depth");
        }
        if known.in_generator != state.in_generator {
            return error(from as usize, "inconsistent use of RETURN_GENERATOR");
        }
        let mut changed = false;
        let pairs = known.stack.iter_mut().zip(&state.stack);
        for (old, new) in pairs.chain(known.locals.iter_mut().zip(&state.locals)) {
            changed |= *old | *new != *old;
            *old |= *new;
        }
        if changed {
            work.push(target);
        }
        Ok(())
    }

    fn merge_into_handler(
        &mut self,
        index: u32,
        at: usize,
        state: &State,
        merged: &mut Option<(u32, State)>,
        work: &mut Vec<u32>,
    ) -> Result<(), VerifyError> {
        let handler = self.handlers[index as usize];
        let depth = handler.depth as usize;
        let unit = self.instrs[at].unit;
        if state.stack.len() < depth {
            return error(unit as usize, "stack is lower than the exception handler's");
        }
        if let Some((last, seen)) = merged
            && *last == index
            && seen.stack[..] == state.stack[..depth]
            && seen.locals == state.locals
            && seen.in_generator == state.in_generator
        {
            return Ok(());
        }
        let mut entry = State {
            stack: state.stack[..depth].to_vec(),
            locals: state.locals.clone(),
            in_generator: state.in_generator,
        };
        let prefix = entry.clone();
        entry.stack.extend_from_slice(&[VALUE, VALUE][..1 + handler.push_lasti as usize]);
        if entry.stack.len() > self.code.stacksize as usize {
            return error(unit as usize, "stack overflow");
        }
        *merged = Some((index, prefix));
        self.merge(handler.target, &entry, work, unit)
    }

    /// Applies `instr` to `state`. Besides verification, lowering uses it to know the kinds at each instruction.
    pub fn step(&self, state: &mut State, instr: &Instr) -> Result<Flow, VerifyError> {
        let low = state.stack.len();
        let mut step = Step { code: self, state, unit: instr.unit as usize, low };
        let flow = step.run(instr)?;
        let low = step.low;
        let handler = self.handler_of[(self.unit_to_instr[instr.start as usize]) as usize];
        if handler != NO_HANDLER && may_raise(instr.op) && low < self.handlers[handler as usize].depth as usize {
            return error(instr.unit as usize, "instruction takes what the exception handler needs");
        }
        Ok(flow)
    }

    /// The instruction to which a jump leads.
    pub fn jump_target(&self, instr: &Instr) -> Result<u32, VerifyError> {
        let unit = instr.unit as usize;
        if instr.op.is_backwards_jump() {
            match instr.end.checked_sub(instr.oparg) {
                Some(target) => self.instr_at(target as u64, unit),
                None => error(unit, "jump target is not an instruction"),
            }
        } else {
            self.instr_at(instr.end as u64 + instr.oparg as u64, unit)
        }
    }

    /// Where FOR_ITER goes when the iterator is exhausted: behind the END_FOR at its target.
    pub fn exhausted_target(&self, instr: &Instr) -> Result<u32, VerifyError> {
        let target = self.jump_target(instr)?;
        if self.instrs[target as usize].op != Opcode::END_FOR || target as usize + 1 == self.instrs.len() {
            return error(instr.unit as usize, "FOR_ITER must lead to END_FOR");
        }
        Ok(target + 1)
    }
}

/// Six bits a byte, highest first; bit 6 says that more follow, bit 7 marks the first byte of an entry.
fn read_varint(table: &[u8], at: &mut usize, first: bool) -> Option<u32> {
    let mut byte = *table.get(*at)?;
    if (byte & 0x80 != 0) != first {
        return None;
    }
    *at += 1;
    let mut value = (byte & 0x3F) as u32;
    while byte & 0x40 != 0 {
        byte = *table.get(*at)?;
        if byte & 0x80 != 0 || value >> 26 != 0 {
            return None;
        }
        *at += 1;
        value = value << 6 | (byte & 0x3F) as u32;
    }
    Some(value)
}

struct Step<'s, 'a> {
    code: &'s Verified<'a>,
    state: &'s mut State,
    unit: usize,
    /// The lowest depth of the stack within the instruction.
    low: usize,
}

/// Whether an exception can come from it after it took its operands. (For one thrown into a generator at YIELD_VALUE,
/// the value sent is on the stack.)
fn may_raise(op: Opcode) -> bool {
    use Opcode::*;
    !matches!(
        op,
        POP_TOP
            | POP_ITER
            | END_FOR
            | END_SEND
            | STORE_FAST
            | STORE_FAST_STORE_FAST
            | STORE_FAST_LOAD_FAST
            | RETURN_VALUE
            | YIELD_VALUE
            | POP_EXCEPT
            | PUSH_EXC_INFO
            | POP_JUMP_IF_NONE
            | POP_JUMP_IF_NOT_NONE
    )
}

impl Step<'_, '_> {
    fn fail<T>(&self, message: impl Into<String>) -> Result<T, VerifyError> {
        error(self.unit, message)
    }

    fn pop_any(&mut self) -> Result<Kind, VerifyError> {
        match self.state.stack.pop() {
            Some(kind) => {
                self.low = self.low.min(self.state.stack.len());
                Ok(kind)
            }
            None => self.fail("stack underflow"),
        }
    }

    fn pop(&mut self) -> Result<Kind, VerifyError> {
        let kind = self.pop_any()?;
        if kind & NULL != 0 { self.fail("a value is needed where there may be a null") } else { Ok(kind) }
    }

    fn pop_n(&mut self, count: usize) -> Result<(), VerifyError> {
        if count > self.state.stack.len() {
            return self.fail("stack underflow");
        }
        for _ in 0..count {
            self.pop()?;
        }
        Ok(())
    }

    fn push(&mut self, kind: Kind) {
        self.state.stack.push(kind);
    }

    fn push_n(&mut self, count: usize) -> Result<(), VerifyError> {
        if count + self.state.stack.len() > self.code.code.stacksize as usize {
            return self.fail("stack overflow");
        }
        self.state.stack.resize(self.state.stack.len() + count, VALUE);
        Ok(())
    }

    /// The slot `depth` below the top (1 is the top) must hold a value.
    fn peek(&self, depth: usize) -> Result<Kind, VerifyError> {
        match self.state.stack.len().checked_sub(depth) {
            Some(index) if depth > 0 => Ok(self.state.stack[index]),
            _ => self.fail("stack underflow"),
        }
    }

    fn peek_value(&self, depth: usize) -> Result<(), VerifyError> {
        if self.peek(depth)? & NULL != 0 { self.fail("a value is needed where there may be a null") } else { Ok(()) }
    }

    fn local(&self, index: u32) -> Result<usize, VerifyError> {
        if (index as usize) < self.state.locals.len() {
            Ok(index as usize)
        } else {
            self.fail("local variable index out of range")
        }
    }

    /// A local that may hold a cell; afterwards it does (a run-time check sees to it).
    fn cell(&mut self, index: u32) -> Result<(), VerifyError> {
        let index = self.local(index)?;
        if self.state.locals[index] & CELL == 0 {
            return self.fail("local variable is no cell");
        }
        self.state.locals[index] = CELL;
        Ok(())
    }

    fn load(&mut self, index: u32) -> Result<(), VerifyError> {
        let index = self.local(index)?;
        let bound = match self.state.locals[index] & !NULL {
            0 => VALUE,
            kind => kind,
        };
        self.state.locals[index] = bound;
        self.push(bound);
        Ok(())
    }

    fn store(&mut self, index: u32) -> Result<(), VerifyError> {
        // A null comes from LOAD_FAST_AND_CLEAR and unbinds the local again.
        let kind = self.pop_any()?;
        let index = self.local(index)?;
        self.state.locals[index] = kind;
        Ok(())
    }

    fn name(&self, index: u32) -> Result<(), VerifyError> {
        if (index as usize) < self.code.code.names.len() { Ok(()) } else { self.fail("name index out of range") }
    }

    fn check(&self, valid: bool) -> Result<(), VerifyError> {
        if valid { Ok(()) } else { self.fail("invalid oparg") }
    }

    fn is_generator_code(&self) -> bool {
        self.code.code.flags & (CO_GENERATOR | CO_COROUTINE | CO_ASYNC_GENERATOR) != 0
    }

    fn run(&mut self, instr: &Instr) -> Result<Flow, VerifyError> {
        use Opcode::*;
        let oparg = instr.oparg;
        match instr.op {
            CACHE | RESERVED | INTERPRETER_EXIT | EXIT_INIT_CHECK | EXTENDED_ARG | ENTER_EXECUTOR => {
                return self.fail(format!("{} is not allowed here", instr.op.name()));
            }
            op if op.is_pseudo() => return self.fail("pseudo-instruction"),
            NOP | NOT_TAKEN | RESUME | SETUP_ANNOTATIONS => {}

            // Locals and cells.
            LOAD_FAST | LOAD_FAST_BORROW | LOAD_FAST_CHECK => self.load(oparg)?,
            LOAD_FAST_LOAD_FAST | LOAD_FAST_BORROW_LOAD_FAST_BORROW => {
                self.load(oparg >> 4)?;
                self.load(oparg & 15)?;
            }
            LOAD_FAST_AND_CLEAR => {
                let index = self.local(oparg)?;
                let kind = std::mem::replace(&mut self.state.locals[index], NULL);
                self.push(kind);
            }
            STORE_FAST => self.store(oparg)?,
            STORE_FAST_STORE_FAST => {
                self.store(oparg >> 4)?;
                self.store(oparg & 15)?;
            }
            STORE_FAST_LOAD_FAST => {
                self.store(oparg >> 4)?;
                self.load(oparg & 15)?;
            }
            DELETE_FAST => {
                let index = self.local(oparg)?;
                self.state.locals[index] = NULL;
            }
            MAKE_CELL => {
                let index = self.local(oparg)?;
                self.state.locals[index] = CELL;
            }
            COPY_FREE_VARS => {
                self.check(oparg == self.code.nfree)?;
                let first = self.state.locals.len() - oparg as usize;
                if self.code.code.localspluskinds[first..].iter().any(|kind| kind & CO_FAST_FREE == 0) {
                    return self.fail("free variables must be the last");
                }
                self.state.locals[first..].fill(CELL);
            }
            LOAD_DEREF => {
                self.cell(oparg)?;
                self.push(VALUE);
            }
            STORE_DEREF => {
                self.pop()?;
                self.cell(oparg)?;
            }
            DELETE_DEREF => self.cell(oparg)?,
            LOAD_FROM_DICT_OR_DEREF => {
                self.pop()?;
                self.cell(oparg)?;
                self.push(VALUE);
            }

            // The stack itself.
            LOAD_CONST => {
                self.check((oparg as usize) < self.code.code.consts.len())?;
                self.push(VALUE);
            }
            LOAD_SMALL_INT => {
                self.check(oparg < 256)?;
                self.push(VALUE);
            }
            LOAD_COMMON_CONSTANT => {
                self.check(CommonConstant::from_oparg(oparg).is_some())?;
                self.push(VALUE);
            }
            PUSH_NULL => self.push(NULL),
            POP_TOP => {
                self.pop_any()?;
            }
            COPY => {
                let kind = self.peek(oparg as usize)?;
                self.push(kind);
            }
            SWAP => {
                self.peek(oparg as usize)?;
                let top = self.state.stack.len() - 1;
                self.state.stack.swap(top, top + 1 - oparg as usize);
            }

            // Calls: a null may stand for `self`.
            CALL | CALL_KW => {
                self.pop_n(oparg as usize + (instr.op == CALL_KW) as usize)?;
                self.pop_any()?;
                self.pop()?;
                self.push(VALUE);
            }
            CALL_FUNCTION_EX => {
                let kwargs = self.pop_any()?;
                self.check(kwargs == NULL || kwargs & NULL == 0)?;
                self.pop()?;
                let null = self.pop_any()?;
                self.check(null == NULL)?;
                self.pop()?;
                self.push(VALUE);
            }
            LOAD_ATTR => {
                self.name(oparg >> 1)?;
                self.pop()?;
                self.push(VALUE);
                if oparg & 1 != 0 {
                    self.push(VALUE | NULL);
                }
            }
            LOAD_SUPER_ATTR => {
                self.name(oparg >> 2)?;
                self.pop_n(3)?;
                self.push(VALUE);
                if oparg & 1 != 0 {
                    self.push(VALUE | NULL);
                }
            }
            LOAD_SPECIAL => {
                self.check(SpecialMethod::from_oparg(oparg).is_some())?;
                self.pop()?;
                self.push(VALUE);
                self.push(VALUE | NULL);
            }
            LOAD_GLOBAL => {
                self.name(oparg >> 1)?;
                self.push(VALUE);
                if oparg & 1 != 0 {
                    self.push(NULL);
                }
            }
            WITH_EXCEPT_START => {
                self.peek_value(1)?;
                self.peek_value(2)?;
                self.peek_value(3)?;
                self.peek(4)?;
                self.peek_value(5)?;
                self.push(VALUE);
            }

            // Control.
            JUMP_FORWARD | JUMP_BACKWARD | JUMP_BACKWARD_NO_INTERRUPT => {
                return Ok(Flow::Jump(self.code.jump_target(instr)?));
            }
            POP_JUMP_IF_FALSE | POP_JUMP_IF_TRUE | POP_JUMP_IF_NONE | POP_JUMP_IF_NOT_NONE => {
                self.pop()?;
                return Ok(Flow::Branch(self.code.jump_target(instr)?));
            }
            FOR_ITER => {
                self.peek_value(1)?;
                self.push(VALUE);
                return Ok(Flow::BranchPopped(self.code.exhausted_target(instr)?));
            }
            SEND => {
                self.check(self.state.in_generator)?;
                self.pop()?;
                self.peek_value(1)?;
                self.push(VALUE);
                return Ok(Flow::Branch(self.code.jump_target(instr)?));
            }
            RETURN_VALUE => {
                self.pop()?;
                return Ok(Flow::Exit);
            }
            RETURN_GENERATOR => {
                if self.state.in_generator || !self.is_generator_code() || !self.state.stack.is_empty() {
                    return self.fail("RETURN_GENERATOR is not allowed here");
                }
                self.state.in_generator = true;
                self.push(VALUE);
            }
            YIELD_VALUE => {
                self.check(self.state.in_generator)?;
                self.pop()?;
                self.push(VALUE);
            }
            RAISE_VARARGS => {
                self.check(oparg <= 2)?;
                self.pop_n(oparg as usize)?;
                return Ok(Flow::Exit);
            }
            RERAISE => {
                self.pop()?;
                if oparg > 0 {
                    self.peek_value(oparg as usize)?;
                }
                return Ok(Flow::Exit);
            }

            // Containers that lie deeper in the stack.
            LIST_APPEND | SET_ADD | LIST_EXTEND | SET_UPDATE | DICT_UPDATE => {
                self.pop()?;
                self.peek_value(oparg as usize)?;
            }
            MAP_ADD => {
                self.pop_n(2)?;
                self.peek_value(oparg as usize)?;
            }
            DICT_MERGE => {
                self.pop()?;
                self.peek_value(oparg as usize)?;
                self.peek_value((oparg as usize).saturating_add(3))?;
            }
            UNPACK_SEQUENCE => {
                self.pop()?;
                self.push_n(oparg as usize)?;
            }
            UNPACK_EX => {
                self.pop()?;
                self.push_n(1 + (oparg & 0xFF) as usize + (oparg >> 8) as usize)?;
            }
            BUILD_MAP => {
                self.pop_n((oparg as usize).saturating_mul(2))?;
                self.push_n(1)?;
            }
            BUILD_SLICE => {
                self.check(oparg == 2 || oparg == 3)?;
                self.pop_n(oparg as usize)?;
                self.push(VALUE);
            }

            // All else: values off, values on, once the operand is in range.
            op => {
                match op {
                    BINARY_OP => self.check(BinaryOp::from_oparg(oparg).is_some())?,
                    COMPARE_OP => self.check(oparg >> 5 < 6)?,
                    CONTAINS_OP | IS_OP => self.check(oparg < 2)?,
                    CALL_INTRINSIC_1 => self.check(oparg != 0 && Intrinsic1::from_oparg(oparg).is_some())?,
                    CALL_INTRINSIC_2 => self.check(oparg != 0 && Intrinsic2::from_oparg(oparg).is_some())?,
                    CONVERT_VALUE => self.check(oparg != 0 && Conversion::from_oparg(oparg).is_some())?,
                    BUILD_INTERPOLATION => self.check(Conversion::from_oparg(oparg >> 2).is_some())?,
                    SET_FUNCTION_ATTRIBUTE => self.check(matches!(oparg, 1 | 2 | 4 | 8 | 16))?,
                    GET_AWAITABLE => self.check(oparg < 3)?,
                    MATCH_CLASS => self.check(oparg <= 0xFFFF)?,
                    _ if op.has_name() => self.name(oparg)?,
                    _ => {}
                }
                let kept = match op {
                    GET_ANEXT | GET_LEN | MATCH_MAPPING | MATCH_SEQUENCE | IMPORT_FROM | CHECK_EXC_MATCH => 1,
                    MATCH_KEYS => 2,
                    _ => 0,
                };
                let low = self.low;
                self.pop_n(op.popped(oparg) as usize)?;
                self.low = low.min(self.low + kept);
                self.push_n(op.pushed(oparg) as usize)?;
            }
        }
        Ok(Flow::Next)
    }
}
