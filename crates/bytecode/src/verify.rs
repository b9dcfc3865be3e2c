//! Verification of 3.14 bytecode by abstract interpretation.
//!
//! Code objects may be forged (`code.replace`, `marshal`), so before anything runs, every instruction that control can
//! reach is checked: opcode, operand, jump target, exception table, depth of the stack and, for each stack slot and
//! local, whether it may hold a value, a null or a cell. Lowering relies on what is proved here and emits run-time
//! checks where a proof is missing but the code may still be sound (a local that may be unbound).
//!
//! [`Verified::step`] is the abstract semantics of one instruction. What lowering needs of the outcome is in
//! [`Verified::facts`] and the entries' depths: for the library's code, which the build has verified, they are kept as its
//! [proof](Verified::proof) and need not be found out again.

use std::fmt;

use crate::code::{CO_ASYNC_GENERATOR, CO_COROUTINE, CO_FAST_FREE, CO_GENERATOR, CO_VARARGS, CO_VARKEYWORDS, CodeData};
use crate::oparg::{BinaryOp, CommonConstant, Conversion, Intrinsic1, Intrinsic2, SpecialMethod};
use crate::opcode::Opcode;

/// Why a code object is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifyError {
    /// The offset in `co_code` of the offending instruction, or of the place where one was expected.
    pub offset: usize,
    pub message: String,
}

/// What verification answers: the error is behind a pointer, so that success costs no memory.
pub type Checked<T> = Result<T, Box<VerifyError>>;

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
    /// For each instruction what lowering has to know of it: a union of [`facts`].
    pub facts: Vec<u8>,
    /// For each instruction the index in `entries` if it is the leader of a basic block, to which control comes, or
    /// [`NO_ENTRY`].
    entry_of: Vec<u32>,
    entries: Vec<Entry>,
    /// The kinds of all entries, one after the other: those of the locals, then those of the stack.
    kinds: Vec<Kind>,
    /// Jumps or handlers lead here (the first instruction counts as well).
    pub is_target: Vec<bool>,
    nfree: u32,
    unit_to_instr: Vec<u32>,
}

/// What is known before the leader of a basic block.
#[derive(Clone, Copy)]
struct Entry {
    /// Where in `kinds` its kinds begin.
    start: u32,
    depth: u32,
    in_generator: bool,
}

const NO_ENTRY: u32 = u32::MAX;

/// What holds for an instruction in whatever way control comes to it.
pub mod facts {
    /// The local that it loads or deletes may be unbound.
    pub const UNBOUND: u8 = 1;
    /// The second local that it loads may be unbound.
    pub const SECOND_UNBOUND: u8 = 2;
    /// The local that it needs as a cell may be none.
    pub const NO_CELL: u8 = 4;
    /// The value that it stores may be null.
    pub const STORES_NULL: u8 = 8;
    /// The second value that it stores may be null.
    pub const SECOND_STORES_NULL: u8 = 16;
    /// There is a null in place of `self`.
    pub const NO_SELF: u8 = 32;
    /// There is a null in place of the keyword arguments.
    pub const NO_KEYWORDS: u8 = 32;
    /// Control may go on to the next instruction.
    pub const FALLS_THROUGH: u8 = 64;
}

/// Of a byte in a proof: the instruction has an entry.
const HAS_ENTRY: u8 = 128;

const NOT_AN_INSTR: u32 = u32::MAX;
/// More registers than the 16-bit operands of register code can name.
pub const MAX_REGISTERS: usize = 0xFFF0;
/// A bound on the memory that the states of all basic blocks take.
const MAX_STATE_BYTES: usize = 1 << 29;

/// Checks `code`. Nested code objects among the constants are not looked at: they are verified when they run.
pub fn verify(code: &CodeData) -> Checked<Verified<'_>> {
    let mut verified = Verified::decode(code)?;
    verified.read_exception_table()?;
    verified.interpret()?;
    Ok(verified)
}

/// Takes over what [`Verified::proof`] said of this very code.
pub fn proved<'a>(code: &'a CodeData, proof: &[u8]) -> Checked<Verified<'a>> {
    let mut verified = Verified::decode(code)?;
    verified.read_exception_table()?;
    verified.mark_targets()?;
    let Some((facts, depths)) = proof.split_at_checked(verified.instrs.len()) else {
        return error(0, "the proof is of other code");
    };
    verified.facts = facts.to_vec();
    verified.entries.reserve(depths.len() / 2);
    let mut depths = depths.chunks_exact(2);
    for (fact, entry) in facts.iter().zip(&mut verified.entry_of) {
        if fact & HAS_ENTRY != 0 {
            let Some(depth) = depths.next() else { return error(0, "the proof is of other code") };
            *entry = verified.entries.len() as u32;
            let depth = u32::from(depth[0]) | u32::from(depth[1]) << 8;
            verified.entries.push(Entry { start: 0, depth, in_generator: false });
        }
    }
    Ok(verified)
}

#[cold]
fn error<T>(unit: usize, message: impl Into<String>) -> Checked<T> {
    Err(Box::new(VerifyError { offset: unit * 2, message: message.into() }))
}

impl<'a> Verified<'a> {
    pub fn nlocalsplus(&self) -> usize {
        self.code.localspluskinds.len()
    }

    fn decode(code: &'a CodeData) -> Checked<Verified<'a>> {
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
            facts: vec![0; count],
            entry_of: vec![NO_ENTRY; count],
            entries: Vec::new(),
            kinds: Vec::new(),
            is_target: vec![false; count],
            nfree,
            unit_to_instr,
        })
    }

    fn instr_at(&self, unit: u64, from: usize) -> Checked<u32> {
        match self.unit_to_instr.get(unit as usize) {
            Some(&index) if index != NOT_AN_INSTR => Ok(index),
            _ => error(from, "jump target is not an instruction"),
        }
    }

    fn read_exception_table(&mut self) -> Checked<()> {
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
    fn initial_state(&self) -> Checked<State> {
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

    fn mark_targets(&mut self) -> Checked<()> {
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

    fn interpret(&mut self) -> Checked<()> {
        self.mark_targets()?;
        let mut state = self.initial_state()?;
        let mut work = Vec::new();
        self.merge(0, &state, state.stack.len(), &[], &mut work, 0)?;
        while let Some(leader) = work.pop() {
            self.load_entry(leader as usize, &mut state);
            let mut at = leader as usize;
            // The handler into which the state as it is has been merged.
            let mut merged = NO_HANDLER;
            loop {
                let unit = self.instrs[at].unit;
                let handler = self.handler_of[at];
                if handler != NO_HANDLER && handler != merged {
                    self.merge_into_handler(handler, unit, &state, &mut work)?;
                    merged = handler;
                }
                let (flow, effect) = self.apply(&mut state, at)?;
                self.facts[at] = effect.facts;
                if state.stack.len() > self.code.stacksize as usize {
                    return error(unit as usize, "stack overflow");
                }
                if handler != NO_HANDLER {
                    let depth = self.handlers[handler as usize].depth as usize;
                    if effect.changed_locals || effect.touched < depth {
                        merged = NO_HANDLER;
                        if state.stack.len() >= depth {
                            self.merge_into_handler(handler, unit, &state, &mut work)?;
                            merged = handler;
                        }
                    }
                }
                let (next, target) = match flow {
                    Flow::Next => (true, None),
                    Flow::Jump(target) => (false, Some(target)),
                    Flow::Branch(target) | Flow::BranchPopped(target) => (true, Some(target)),
                    Flow::Exit => (false, None),
                };
                if let Some(target) = target {
                    let depth = state.stack.len() - matches!(flow, Flow::BranchPopped(_)) as usize;
                    self.merge(target, &state, depth, &[], &mut work, unit)?;
                }
                if !next {
                    break;
                }
                self.facts[at] |= facts::FALLS_THROUGH;
                at += 1;
                if at == self.instrs.len() {
                    return error(unit as usize, "control falls off the end");
                }
                if target.is_some() || self.is_target[at] {
                    self.merge(at as u32, &state, state.stack.len(), &[], &mut work, unit)?;
                    break;
                }
            }
        }
        Ok(())
    }

    /// What lowering needs to know besides the code: a byte of facts for each instruction, then the depths of the stack at
    /// the leaders of basic blocks, of 16 bits each.
    pub fn proof(&self) -> Vec<u8> {
        let depths = || (0..self.instrs.len()).map(|at| self.entry_depth(at));
        let facts = self.facts.iter().zip(depths());
        let mut proof: Vec<u8> =
            facts.map(|(facts, depth)| if depth.is_some() { facts | HAS_ENTRY } else { *facts }).collect();
        // A stack is not deeper than registers can be numbered.
        proof.extend(depths().flatten().flat_map(|depth| (depth as u16).to_le_bytes()));
        proof
    }

    /// How deep the stack is before instruction `at`, if it is the leader of a basic block to which control comes.
    pub fn entry_depth(&self, at: usize) -> Option<usize> {
        self.entries.get(self.entry_of[at] as usize).map(|entry| entry.depth as usize)
    }

    /// The state before instruction `at`, if it is the leader of a basic block to which control comes. Only after
    /// [`verify`]: a proof tells no kinds.
    pub fn entry_state(&self, at: usize) -> Option<State> {
        let mut state = State { stack: Vec::new(), locals: Vec::new(), in_generator: false };
        self.entry_depth(at)?;
        self.load_entry(at, &mut state);
        Some(state)
    }

    fn load_entry(&self, leader: usize, state: &mut State) {
        let entry = self.entries[self.entry_of[leader] as usize];
        let kinds = &self.kinds[entry.start as usize..];
        let (locals, stack) = kinds.split_at(self.nlocalsplus());
        state.locals.clear();
        state.locals.extend_from_slice(locals);
        state.stack.clear();
        state.stack.extend_from_slice(&stack[..entry.depth as usize]);
        state.in_generator = entry.in_generator;
    }

    /// Merges a state, of whose stack the lowest `depth` slots count, with `pushed` on top, into what is known before
    /// `target`.
    fn merge(
        &mut self,
        target: u32,
        state: &State,
        depth: usize,
        pushed: &[Kind],
        work: &mut Vec<u32>,
        from: u32,
    ) -> Checked<()> {
        let stack = &state.stack[..depth];
        let depth = depth + pushed.len();
        let entry = self.entry_of[target as usize];
        if entry == NO_ENTRY {
            self.entry_of[target as usize] = self.entries.len() as u32;
            let start = self.kinds.len() as u32;
            self.entries.push(Entry { start, depth: depth as u32, in_generator: state.in_generator });
            self.kinds.extend_from_slice(&state.locals);
            self.kinds.extend_from_slice(stack);
            self.kinds.extend_from_slice(pushed);
            work.push(target);
            return Ok(());
        }
        let known = self.entries[entry as usize];
        if known.depth as usize != depth {
            return error(from as usize, "inconsistent stack depth");
        }
        if known.in_generator != state.in_generator {
            return error(from as usize, "inconsistent use of RETURN_GENERATOR");
        }
        let kinds = &mut self.kinds[known.start as usize..];
        let (locals, rest) = kinds.split_at_mut(state.locals.len());
        let (lower, upper) = rest.split_at_mut(stack.len());
        let changed = unite(locals, &state.locals) | unite(lower, stack) | unite(upper, pushed);
        if changed {
            work.push(target);
        }
        Ok(())
    }

    fn merge_into_handler(&mut self, index: u32, unit: u32, state: &State, work: &mut Vec<u32>) -> Checked<()> {
        let handler = self.handlers[index as usize];
        let depth = handler.depth as usize;
        if state.stack.len() < depth {
            return error(unit as usize, "stack is lower than the exception handler's");
        }
        let pushed = &[VALUE, VALUE][..1 + handler.push_lasti as usize];
        if depth + pushed.len() > self.code.stacksize as usize {
            return error(unit as usize, "stack overflow");
        }
        self.merge(handler.target, state, depth, pushed, work, unit)
    }

    /// Applies instruction `at` to `state`: where control goes from there.
    pub fn step(&self, state: &mut State, at: usize) -> Checked<Flow> {
        self.apply(state, at).map(|(flow, _)| flow)
    }

    #[inline(always)]
    fn apply(&self, state: &mut State, at: usize) -> Checked<(Flow, Effect)> {
        let instr = &self.instrs[at];
        let low = state.stack.len();
        let effect = Effect { facts: 0, changed_locals: false, touched: usize::MAX };
        let mut step = Step { code: self, state, unit: instr.unit as usize, low, effect };
        let flow = step.run(instr)?;
        let (low, mut effect) = (step.low, step.effect);
        effect.touched = effect.touched.min(low);
        let handler = self.handler_of[at];
        if handler != NO_HANDLER && may_raise(instr.op) && low < self.handlers[handler as usize].depth as usize {
            return error(instr.unit as usize, "instruction takes what the exception handler needs");
        }
        Ok((flow, effect))
    }

    /// The instruction to which a jump leads.
    pub fn jump_target(&self, instr: &Instr) -> Checked<u32> {
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
    pub fn exhausted_target(&self, instr: &Instr) -> Checked<u32> {
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

/// Adds kinds to those known; whether that made a difference.
fn unite(known: &mut [Kind], new: &[Kind]) -> bool {
    let mut added = 0;
    for (old, new) in known.iter_mut().zip(new) {
        added |= new & !*old;
        *old |= new;
    }
    added != 0
}

/// What an instruction did to the state, apart from the flow of control.
struct Effect {
    facts: u8,
    /// Locals, or whether this is a generator by now.
    changed_locals: bool,
    /// The lowest stack slot that may have changed.
    touched: usize,
}

struct Step<'s, 'a> {
    code: &'s Verified<'a>,
    state: &'s mut State,
    unit: usize,
    /// The lowest depth of the stack within the instruction.
    low: usize,
    effect: Effect,
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
    fn fail<T>(&self, message: impl Into<String>) -> Checked<T> {
        error(self.unit, message)
    }

    fn pop_any(&mut self) -> Checked<Kind> {
        match self.state.stack.pop() {
            Some(kind) => {
                self.low = self.low.min(self.state.stack.len());
                Ok(kind)
            }
            None => self.fail("stack underflow"),
        }
    }

    fn pop(&mut self) -> Checked<Kind> {
        let kind = self.pop_any()?;
        if kind & NULL != 0 { self.fail("a value is needed where there may be a null") } else { Ok(kind) }
    }

    fn pop_n(&mut self, count: usize) -> Checked<()> {
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

    fn push_n(&mut self, count: usize) -> Checked<()> {
        if count + self.state.stack.len() > self.code.code.stacksize as usize {
            return self.fail("stack overflow");
        }
        self.state.stack.resize(self.state.stack.len() + count, VALUE);
        Ok(())
    }

    /// The slot `depth` below the top (1 is the top) must hold a value.
    fn peek(&self, depth: usize) -> Checked<Kind> {
        match self.state.stack.len().checked_sub(depth) {
            Some(index) if depth > 0 => Ok(self.state.stack[index]),
            _ => self.fail("stack underflow"),
        }
    }

    fn peek_value(&self, depth: usize) -> Checked<()> {
        if self.peek(depth)? & NULL != 0 { self.fail("a value is needed where there may be a null") } else { Ok(()) }
    }

    fn local(&self, index: u32) -> Checked<usize> {
        if (index as usize) < self.state.locals.len() {
            Ok(index as usize)
        } else {
            self.fail("local variable index out of range")
        }
    }

    fn set_local(&mut self, index: usize, kind: Kind) {
        self.effect.changed_locals |= self.state.locals[index] != kind;
        self.state.locals[index] = kind;
    }

    /// A local that may hold a cell; afterwards it does (a run-time check sees to it).
    fn cell(&mut self, index: u32) -> Checked<()> {
        let index = self.local(index)?;
        let kind = self.state.locals[index];
        if kind & CELL == 0 {
            return self.fail("local variable is no cell");
        }
        if kind != CELL {
            self.effect.facts |= facts::NO_CELL;
        }
        self.set_local(index, CELL);
        Ok(())
    }

    /// `unbound` is the fact that the local may be unbound.
    fn load(&mut self, index: u32, unbound: u8) -> Checked<()> {
        let index = self.local(index)?;
        let kind = self.state.locals[index];
        if kind & NULL != 0 {
            self.effect.facts |= unbound;
        }
        let bound = match kind & !NULL {
            0 => VALUE,
            kind => kind,
        };
        self.set_local(index, bound);
        self.push(bound);
        Ok(())
    }

    /// `null` is the fact that the value may be null.
    fn store(&mut self, index: u32, null: u8) -> Checked<()> {
        // A null comes from LOAD_FAST_AND_CLEAR and unbinds the local again.
        let kind = self.pop_any()?;
        if kind & NULL != 0 {
            self.effect.facts |= null;
        }
        let index = self.local(index)?;
        self.set_local(index, kind);
        Ok(())
    }

    fn name(&self, index: u32) -> Checked<()> {
        if (index as usize) < self.code.code.names.len() { Ok(()) } else { self.fail("name index out of range") }
    }

    fn check(&self, valid: bool) -> Checked<()> {
        if valid { Ok(()) } else { self.fail("invalid oparg") }
    }

    fn is_generator_code(&self) -> bool {
        self.code.code.flags & (CO_GENERATOR | CO_COROUTINE | CO_ASYNC_GENERATOR) != 0
    }

    #[inline(always)]
    fn run(&mut self, instr: &Instr) -> Checked<Flow> {
        use Opcode::*;
        let oparg = instr.oparg;
        match instr.op {
            CACHE | RESERVED | INTERPRETER_EXIT | EXIT_INIT_CHECK | EXTENDED_ARG | ENTER_EXECUTOR => {
                return self.fail(format!("{} is not allowed here", instr.op.name()));
            }
            op if op.is_pseudo() => return self.fail("pseudo-instruction"),
            NOP | NOT_TAKEN | RESUME | SETUP_ANNOTATIONS => {}

            // Locals and cells.
            LOAD_FAST | LOAD_FAST_BORROW | LOAD_FAST_CHECK => self.load(oparg, facts::UNBOUND)?,
            LOAD_FAST_LOAD_FAST | LOAD_FAST_BORROW_LOAD_FAST_BORROW => {
                self.load(oparg >> 4, facts::UNBOUND)?;
                self.load(oparg & 15, facts::SECOND_UNBOUND)?;
            }
            LOAD_FAST_AND_CLEAR => {
                let index = self.local(oparg)?;
                let kind = self.state.locals[index];
                self.set_local(index, NULL);
                self.push(kind);
            }
            STORE_FAST => self.store(oparg, facts::STORES_NULL)?,
            STORE_FAST_STORE_FAST => {
                self.store(oparg >> 4, facts::STORES_NULL)?;
                self.store(oparg & 15, facts::SECOND_STORES_NULL)?;
            }
            STORE_FAST_LOAD_FAST => {
                self.store(oparg >> 4, facts::STORES_NULL)?;
                self.load(oparg & 15, facts::UNBOUND)?;
            }
            DELETE_FAST => {
                let index = self.local(oparg)?;
                if self.state.locals[index] & NULL != 0 {
                    self.effect.facts |= facts::UNBOUND;
                }
                self.set_local(index, NULL);
            }
            MAKE_CELL => {
                let index = self.local(oparg)?;
                self.set_local(index, CELL);
            }
            COPY_FREE_VARS => {
                self.check(oparg == self.code.nfree)?;
                let first = self.state.locals.len() - oparg as usize;
                if self.code.code.localspluskinds[first..].iter().any(|kind| kind & CO_FAST_FREE == 0) {
                    return self.fail("free variables must be the last");
                }
                self.state.locals[first..].fill(CELL);
                self.effect.changed_locals = true;
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
                let (top, other) = (self.state.stack.len() - 1, self.state.stack.len() - oparg as usize);
                self.state.stack.swap(top, other);
                self.effect.touched = other;
            }

            // Calls: a null may stand for `self`.
            CALL | CALL_KW => {
                self.pop_n(oparg as usize + (instr.op == CALL_KW) as usize)?;
                if self.pop_any()? == NULL {
                    self.effect.facts |= facts::NO_SELF;
                }
                self.pop()?;
                self.push(VALUE);
            }
            CALL_FUNCTION_EX => {
                let kwargs = self.pop_any()?;
                self.check(kwargs == NULL || kwargs & NULL == 0)?;
                if kwargs == NULL {
                    self.effect.facts |= facts::NO_KEYWORDS;
                }
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
                // Handlers have to be told of this as well.
                self.effect.changed_locals = true;
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
