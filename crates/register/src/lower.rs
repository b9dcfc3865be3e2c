//! Lowering of verified bytecode to register code.
//!
//! One pass over the instructions that control can reach. A shadow of the operand stack says for each slot where its
//! value really is ([`Slot`]): loads of locals and constants emit nothing but a note there, and whoever consumes the
//! slot reads the local or the constant. Notes never outlive a basic block that others jump to, and a local that is
//! about to change is first copied into the stack registers whose slots refer to it.
//!
//! The *debug lowering* (`fold` off) takes no notes: each bytecode becomes its instruction on stack registers, behind
//! a `Boundary` at which tracing and monitoring look in. The *counting lowering* (`counting.rs`) is the first with a `Count`
//! before each instruction.
//!
//! [`Lowered::sites`] is the one table that tells, for each instruction that may leave the straight path, its bytecode,
//! its exception handler and what the stack registers hold.

#[cfg(test)]
mod check;
mod counting;
mod lowered;
#[cfg(test)]
mod tests;

use std::sync::OnceLock;

use taipan_bytecode::opcode::Opcode;
use taipan_bytecode::{CodeData, SharedCode};

use crate::instruction::{A_LOCAL, B_OWNED, C_OWNED, LENDS, LENT, Op, VARIANT, VARIANT2, Word};
use crate::verify::{Checked, Instr, Verified, facts, proved, verify};

pub use counting::lower_for_counting;
pub use lowered::{HandlerEntry, Lowered, NO_PC, Site, Slot, Tables};

/// What an argument is borrowed from.
#[derive(Clone, Copy)]
enum Lent {
    Local(u16),
    Const(u16),
}

/// Verifies and lowers `code` for speed.
pub fn lower(code: &CodeData) -> Checked<Lowered> {
    Ok(lower_verified(&verify(code)?))
}

/// As [`lower`]; what the build has lowered or verified is not lowered or verified again.
pub fn lower_shared(code: &SharedCode) -> Checked<Lowered> {
    if let Some(stored) = code.register_code() {
        return Ok(crate::stored::read(stored));
    }
    match code.proof() {
        Some(proof) => Ok(lower_verified(&proved(code, proof)?)),
        None => lower(code),
    }
}

fn lower_verified(verified: &Verified) -> Lowered {
    let mut lowerer = Lowerer::new(verified, true);
    lowerer.run();
    lowerer.finish()
}

/// Lowers `code` one to one. Its constants begin with those of the lowering for speed, whose `small_ints` are given.
pub fn lower_for_debugging(code: &CodeData, small_ints: &[u8]) -> Checked<Lowered> {
    let verified = verify(code)?;
    let mut lowerer = Lowerer::new(&verified, false);
    for value in small_ints {
        lowerer.small_int(*value);
    }
    lowerer.run();
    Ok(lowerer.finish())
}

/// Where the lowering for speed comes to the start of a bytecode instruction.
#[derive(Debug)]
pub struct Boundary {
    pub pc: u32,
    pub unit: u32,
    /// Where the values of the stack are.
    pub stack: Box<[Slot]>,
}

/// The boundaries in the lowering for speed, in the order of the code. An instruction that was fused with the one before
/// it has none.
pub fn boundaries(code: &CodeData) -> Checked<Vec<Boundary>> {
    let verified = verify(code)?;
    let mut lowerer = Lowerer::new(&verified, true);
    lowerer.boundaries = Some(Vec::new());
    lowerer.run();
    Ok(lowerer.boundaries.take().unwrap_or_default())
}

/// As [`Lowered::pc_of_unit`], for the lowering for speed, which does not keep it.
pub fn pc_of_unit(code: &CodeData) -> Checked<Vec<u32>> {
    let verified = verify(code)?;
    let mut lowerer = Lowerer::new(&verified, true);
    lowerer.mapped = true;
    lowerer.run();
    Ok(lowerer.finish().pc_of_unit)
}

/// An operand: a register, and whether the instruction consumes it.
#[derive(Clone, Copy)]
struct Src {
    reg: u16,
    owned: bool,
}

/// What the last instruction emitted wrote, if its destination may still be changed.
#[derive(Clone, Copy)]
struct LastResult {
    word: usize,
    slot: usize,
}

/// How many maps are remembered, so that equal ones are stored once.
const RECENT_MAPS: usize = 32;

struct Lowerer<'v, 'a> {
    code: &'v Verified<'a>,
    fold: bool,
    words: Vec<u64>,
    slots: Vec<Slot>,
    sites: Vec<Site>,
    maps: Vec<Box<[Slot]>>,
    /// Where maps were last found, by a hash of their content.
    recent_maps: [u32; RECENT_MAPS],
    small_ints: Vec<u8>,
    small_int_index: [u32; 256],
    pc_of_instr: Vec<u32>,
    /// First word of a jump, whether its target is in `bc` rather than in the next word, target instruction.
    fixups: Vec<(usize, bool, u32)>,
    last_result: Option<LastResult>,
    assigned: u32,
    /// The end of the last borrow emitted.
    last_borrow: Option<(Lent, usize)>,
    /// Collected for [`boundaries`] only.
    boundaries: Option<Vec<Boundary>>,
    /// Whether [`Lowered::pc_of_unit`] is asked for.
    mapped: bool,
    at: usize,
}

impl<'v, 'a> Lowerer<'v, 'a> {
    fn new(code: &'v Verified<'a>, fold: bool) -> Self {
        Lowerer {
            code,
            fold,
            words: Vec::with_capacity(code.instrs.len() * 2),
            slots: Vec::new(),
            sites: Vec::with_capacity(code.instrs.len()),
            maps: Vec::new(),
            recent_maps: [0; RECENT_MAPS],
            small_ints: Vec::new(),
            small_int_index: [u32::MAX; 256],
            pc_of_instr: vec![NO_PC; code.instrs.len()],
            fixups: Vec::new(),
            last_result: None,
            assigned: 0,
            last_borrow: None,
            boundaries: None,
            mapped: !fold,
            at: 0,
        }
    }

    fn finish(self) -> Lowered {
        let mut words = self.words;
        for (word, wide, target) in self.fixups {
            let relative = self.pc_of_instr[target as usize].wrapping_sub(word as u32);
            if wide {
                words[word] |= (relative as u64) << 32;
            } else {
                words[word + 1] = relative as u64;
            }
        }
        let handlers = self.code.handlers.iter().map(|handler| HandlerEntry {
            pc: self.pc_of_instr[handler.target as usize],
            depth: handler.depth,
            push_lasti: handler.push_lasti,
        });
        let mut pc_of_unit = Vec::new();
        if self.mapped {
            pc_of_unit.resize(self.code.code.code.len() / 2, NO_PC);
            for (instr, &pc) in self.code.instrs.iter().zip(&self.pc_of_instr) {
                pc_of_unit[instr.start as usize] = pc;
                pc_of_unit[instr.unit as usize] = pc;
            }
        }
        let nlocalsplus = self.code.nlocalsplus() as u32;
        Lowered {
            words,
            nlocalsplus,
            registers: nlocalsplus + self.code.code.stacksize,
            assigned: self.assigned,
            small_ints: self.small_ints,
            pc_of_unit,
            tables: OnceLock::from(Tables { sites: self.sites, handlers: handlers.collect(), maps: self.maps }),
            stored: None,
        }
    }

    fn run(&mut self) {
        let code = self.code;
        let mut reachable = false;
        while self.at < code.instrs.len() {
            let at = self.at;
            if code.is_target[at] || !reachable {
                let Some(depth) = code.entry_depth(at) else {
                    self.at += 1;
                    continue;
                };
                if reachable {
                    self.materialise_all();
                }
                self.last_result = None;
                self.slots.clear();
                self.slots.resize(depth, Slot::Own);
            }
            let instr = code.instrs[at];
            self.pc_of_instr[at] = self.words.len() as u32;
            if let Some(boundaries) = &mut self.boundaries {
                let (pc, stack) = (self.words.len() as u32, self.slots.as_slice().into());
                boundaries.push(Boundary { pc, unit: instr.unit, stack });
            }
            if !self.fold {
                self.emit32(Op::Boundary, 0, 0, instr.unit);
            }
            self.lower(&instr);
            // Fused successors were handled by `lower`, which left `at` on the last of them.
            for index in at + 1..=self.at {
                self.pc_of_instr[index] = self.words.len() as u32;
            }
            reachable = code.facts[self.at] & facts::FALLS_THROUGH != 0;
            self.at += 1;
        }
    }

    // Emission.

    fn register(&self, slot: usize) -> u16 {
        (self.code.nlocalsplus() + slot) as u16
    }

    /// The map of the stack as it is now.
    fn current_map(&mut self) -> u32 {
        let hash =
            self.slots.iter().fold(0u32, |hash, slot| (hash.rotate_left(5) ^ slot.bits()).wrapping_mul(0x9E37_79B9));
        let recent = &mut self.recent_maps[(hash >> 27) as usize % RECENT_MAPS];
        if self.maps.get(*recent as usize).is_some_and(|map| **map == *self.slots) {
            return *recent;
        }
        *recent = self.maps.len() as u32;
        self.maps.push(self.slots.as_slice().into());
        *recent
    }

    /// Emits an instruction and zeroed further words.
    fn emit(&mut self, op: Op, flags: u8, a: u16, b: u16, c: u16) -> usize {
        let pc = self.words.len();
        if op.effects() != 0 {
            let instr = &self.code.instrs[self.at];
            let (unit, handler) = (instr.unit, self.code.handler_of[self.at]);
            let map = self.current_map();
            self.sites.push(Site { pc: pc as u32, unit, handler, map });
        }
        self.words.push(Word::new(op, flags, a, b, c).encode());
        self.words.resize(pc + op.len(), 0);
        self.last_result = None;
        pc
    }

    fn emit32(&mut self, op: Op, flags: u8, a: u16, bc: u32) -> usize {
        self.emit(op, flags, a, bc as u16, (bc >> 16) as u16)
    }

    /// Emits an instruction whose result becomes the top of the stack.
    fn emit_result(&mut self, op: Op, flags: u8, b: u16, c: u16) -> usize {
        let slot = self.slots.len();
        let word = self.emit(op, flags, self.register(slot), b, c);
        self.slots.push(Slot::Own);
        self.last_result = Some(LastResult { word, slot });
        word
    }

    fn jump_to(&mut self, word: usize, target: u32) {
        let wide = Op::from_u8(self.words[word] as u8).is_some_and(|op| op.len() == 1);
        self.fixups.push((word, wide, target));
    }

    fn small_int(&mut self, value: u8) -> u32 {
        let known = &mut self.small_int_index[value as usize];
        if *known == u32::MAX {
            *known = (self.code.code.consts.len() + self.small_ints.len()) as u32;
            self.small_ints.push(value);
        }
        *known
    }

    // The stack.

    fn push(&mut self, slot: Slot) {
        self.slots.push(slot);
        if !self.fold {
            let index = self.slots.len() - 1;
            self.materialise(index);
        }
    }

    /// Makes the register of a slot own its value.
    fn materialise(&mut self, index: usize) {
        let reg = self.register(index);
        match self.slots[index] {
            Slot::Own => return,
            Slot::Null => self.emit(Op::LoadNull, 0, reg, 0, 0),
            Slot::Local { local, .. } => self.emit(Op::Move, 0, reg, local, 0),
            Slot::Const(index) => self.emit32(Op::LoadConst, B_OWNED, reg, index),
            Slot::Borrowed(_) => self.emit(Op::Own, 0, reg, 0, 0),
            Slot::Alias(slot) => self.emit(Op::Move, 0, reg, self.register(slot as usize), 0),
        };
        self.slots[index] = Slot::Own;
    }

    fn materialise_all(&mut self) {
        self.materialise_top(self.slots.len());
    }

    /// Materialises the topmost `count` slots and returns the register of the first.
    fn materialise_top(&mut self, count: usize) -> u16 {
        let first = self.slots.len() - count;
        for index in first..self.slots.len() {
            self.materialise(index);
        }
        self.register(first)
    }

    /// Materialises the topmost `count` slots and pops them; the instruction emitted next consumes them.
    fn take_top(&mut self, count: usize) -> u16 {
        let first = self.materialise_top(count);
        self.slots.truncate(self.slots.len() - count);
        first
    }

    /// Before local `local` changes: slots that refer to it get their own reference.
    fn detach_local(&mut self, local: u16) {
        for index in 0..self.slots.len() {
            if refers_to(self.slots[index], local) {
                self.materialise(index);
            }
        }
    }

    /// Pops an operand.
    fn pop(&mut self) -> Src {
        let slot = self.slots.pop().expect("verified: the stack holds the operand");
        let reg = self.register(self.slots.len());
        match slot {
            Slot::Own => Src { reg, owned: true },
            Slot::Null => {
                self.emit(Op::LoadNull, 0, reg, 0, 0);
                Src { reg, owned: false }
            }
            Slot::Local { local, .. } => Src { reg: local, owned: false },
            Slot::Const(index) => {
                self.emit32(Op::LoadConst, 0, reg, index);
                Src { reg, owned: false }
            }
            Slot::Borrowed(_) => Src { reg, owned: false },
            Slot::Alias(slot) => Src { reg: self.register(slot as usize), owned: false },
        }
    }

    /// The constant on top, popped, if a 16-bit operand can name it.
    fn pop_const(&mut self) -> Option<u16> {
        match self.slots.last() {
            Some(&Slot::Const(index)) if index <= 0xFFFF => {
                self.slots.pop();
                Some(index as u16)
            }
            _ => None,
        }
    }

    /// A register in which the value of a slot can be read; the slot stays.
    fn peek(&mut self, index: usize) -> u16 {
        match self.slots[index] {
            Slot::Local { local, .. } => local,
            Slot::Alias(slot) => self.register(slot as usize),
            Slot::Const(constant) => {
                let reg = self.register(index);
                self.emit32(Op::LoadConst, 0, reg, constant);
                self.slots[index] = Slot::Borrowed(None);
                reg
            }
            Slot::Null => {
                self.materialise(index);
                self.register(index)
            }
            Slot::Own | Slot::Borrowed(_) => self.register(index),
        }
    }

    /// Index of the slot `depth` below the top (1 is the top).
    fn slot_at(&self, depth: u32) -> usize {
        self.slots.len() - depth as usize
    }

    // Shapes that many instructions share.

    fn unary(&mut self, op: Op, flags: u8, c: u16) {
        let b = self.pop();
        let flags = flags | self.owned_or_lent(op, b);
        self.emit_result(op, flags, b.reg, c);
    }

    fn binary(&mut self, op: Op, flags: u8) -> usize {
        let c = self.pop();
        let b = self.pop();
        let flags = flags | owned_c(c) | self.owned_or_lent(op, b);
        self.emit_result(op, flags, b.reg, c.reg)
    }

    /// A binary operation which has a form for a constant on the right.
    fn binary_or_const(&mut self, op: Op, op_const: Op, flags: u8) {
        match self.pop_const() {
            Some(constant) => self.unary(op_const, flags, constant),
            None => {
                self.binary(op, flags);
            }
        }
    }

    /// Consumes one operand, has no result.
    fn consume(&mut self, op: Op, c: u16) {
        let b = self.pop();
        self.emit(op, owned_b(b), 0, b.reg, c);
    }

    /// `count` consecutive registers in, one value out.
    fn build(&mut self, op: Op, flags: u8, count: usize, c: u16) -> usize {
        let base = self.take_top(count);
        self.emit_result(op, flags, base, c)
    }

    /// `peek` at a deeper slot after popping the operand.
    fn into_container(&mut self, op: Op, depth: u32) {
        let value = self.pop();
        let container = self.peek(self.slot_at(depth));
        self.emit(op, owned_c(value), 0, container, value.reg);
    }

    /// Whether verification has found this out about the current instruction.
    fn is_fact(&self, fact: u8) -> bool {
        self.code.facts[self.at] & fact != 0
    }

    /// `unbound` is the fact that the local may be unbound.
    fn check_bound(&mut self, local: u32, unbound: u8) {
        if self.is_fact(unbound) {
            self.emit(Op::CheckBound, 0, 0, local as u16, 0);
        }
    }

    fn check_cell(&mut self, local: u32) {
        if self.is_fact(facts::NO_CELL) {
            self.emit(Op::CheckCell, 0, 0, local as u16, 0);
        }
    }

    fn load_fast(&mut self, local: u32, unbound: u8, copy: bool) {
        self.check_bound(local, unbound);
        self.push(Slot::Local { local: local as u16, copy });
    }

    fn note_assigned(&mut self, local: u32) {
        if local < u32::BITS {
            self.assigned |= 1 << local;
        }
    }

    /// Stores the top of the stack in a local. `null` is the fact that it may be null.
    fn store_fast(&mut self, local: u32, null: u8) {
        self.note_assigned(local);
        let local = local as u16;
        let top = self.slots.len() - 1;
        let maybe_null = self.is_fact(null);
        if self.fold
            && !maybe_null
            && self.slots[top] == Slot::Own
            && let Some(last) = self.last_result
            && last.slot == top
            && !self.slots[..top].iter().any(|slot| refers_to(*slot, local))
        {
            self.slots.pop();
            let word = Word::decode(self.words[last.word]);
            self.words[last.word] = word.to_local(local).encode();
            self.last_result = None;
            if let Some(boundaries) = &mut self.boundaries {
                // The instruction before has done the work of this one.
                boundaries.pop();
            }
            return;
        }
        let slot = self.slots.pop().expect("verified: the stack holds a value");
        self.detach_local(local);
        if let Slot::Const(index) = slot
            && !maybe_null
        {
            self.emit32(Op::LoadConst, B_OWNED | A_LOCAL, local, index);
        } else {
            self.slots.push(slot);
            let value = self.pop();
            let op = if maybe_null { Op::StoreFastMaybeNull } else { Op::Move };
            self.emit(op, A_LOCAL | owned_b(value), local, value.reg, 0);
        }
    }

    /// The instruction `ahead` of the current one, if both run one after the other whenever the first does.
    fn following(&self, ahead: usize) -> Option<Instr> {
        if !self.fold {
            return None;
        }
        let index = self.at + ahead;
        if index >= self.code.instrs.len() || (self.at + 1..=index).any(|at| self.code.is_target[at]) {
            return None;
        }
        Some(self.code.instrs[index])
    }

    /// If a conditional jump on the value that the current instruction makes follows (perhaps behind TO_BOOL): the
    /// condition under which it jumps, its target, and how many instructions are used up.
    fn fused_jump(&self) -> Option<(bool, u32, usize)> {
        let mut ahead = 1;
        let mut next = self.following(ahead)?;
        if next.op == Opcode::TO_BOOL {
            ahead += 1;
            next = self.following(ahead)?;
        }
        let sense = match next.op {
            Opcode::POP_JUMP_IF_TRUE => true,
            Opcode::POP_JUMP_IF_FALSE => false,
            _ => return None,
        };
        Some((sense, self.target_of(&next), ahead))
    }

    fn target_of(&self, instr: &Instr) -> u32 {
        self.code.jump_target(instr).expect("verified: the jump has a target")
    }

    /// Emits a conditional jump. What remains on the stack goes to its registers first.
    fn conditional(&mut self, op: Op, flags: u8, b: u16, c: u16, target: u32) {
        let word = self.emit(op, flags, 0, b, c);
        self.jump_to(word, target);
    }

    /// Lets the slots below the topmost `count` own their values, as a jump's target expects.
    fn settle_below(&mut self, count: usize) {
        for index in 0..self.slots.len() - count {
            self.materialise(index);
        }
    }

    fn lower(&mut self, instr: &Instr) {
        use Opcode::*;
        let oparg = instr.oparg;
        let small = oparg as u16;
        match instr.op {
            NOP | NOT_TAKEN | RESUME => {}

            LOAD_FAST | LOAD_FAST_CHECK => self.load_fast(oparg, facts::UNBOUND, true),
            LOAD_FAST_BORROW => self.load_fast(oparg, facts::UNBOUND, false),
            LOAD_FAST_LOAD_FAST | LOAD_FAST_BORROW_LOAD_FAST_BORROW => {
                let copy = instr.op == LOAD_FAST_LOAD_FAST;
                self.load_fast(oparg >> 4, facts::UNBOUND, copy);
                self.load_fast(oparg & 15, facts::SECOND_UNBOUND, copy);
            }
            LOAD_FAST_AND_CLEAR => {
                self.detach_local(small);
                let reg = self.register(self.slots.len());
                self.emit(Op::LoadFastAndClear, 0, reg, small, 0);
                self.slots.push(Slot::Own);
            }
            STORE_FAST => {
                self.store_fast(oparg, facts::STORES_NULL);
            }
            STORE_FAST_STORE_FAST => {
                self.store_fast(oparg >> 4, facts::STORES_NULL);
                self.store_fast(oparg & 15, facts::SECOND_STORES_NULL);
            }
            STORE_FAST_LOAD_FAST => {
                self.store_fast(oparg >> 4, facts::STORES_NULL);
                self.load_fast(oparg & 15, facts::UNBOUND, true);
            }
            DELETE_FAST => {
                self.check_bound(oparg, facts::UNBOUND);
                self.detach_local(small);
                self.note_assigned(oparg);
                self.emit(Op::DeleteFast, 0, 0, small, 0);
            }
            MAKE_CELL => {
                self.detach_local(small);
                self.emit(Op::MakeCell, 0, small, 0, 0);
            }
            COPY_FREE_VARS => {
                let first = self.code.nlocalsplus() - oparg as usize;
                for local in first..self.code.nlocalsplus() {
                    self.detach_local(local as u16);
                }
                self.emit(Op::CopyFreeVars, 0, 0, 0, small);
            }
            LOAD_DEREF => {
                self.check_cell(oparg);
                self.emit_result(Op::LoadDeref, 0, small, 0);
            }
            STORE_DEREF => {
                self.check_cell(oparg);
                self.consume(Op::StoreDeref, small);
            }
            DELETE_DEREF => {
                self.check_cell(oparg);
                self.emit(Op::DeleteDeref, 0, 0, small, 0);
            }
            LOAD_FROM_DICT_OR_DEREF => {
                self.check_cell(oparg);
                self.unary(Op::LoadFromDictOrDeref, 0, small);
            }

            LOAD_CONST => self.push(Slot::Const(oparg)),
            LOAD_SMALL_INT => {
                let constant = self.small_int(oparg as u8);
                self.push(Slot::Const(constant));
            }
            LOAD_COMMON_CONSTANT => {
                self.emit_result(Op::LoadCommonConstant, 0, 0, small);
            }
            PUSH_NULL => self.push(Slot::Null),
            POP_TOP | POP_ITER => self.pop_top(),
            END_FOR => self.pop_top(),
            COPY => self.copy(oparg),
            SWAP => self.swap(oparg),

            LOAD_NAME => {
                let slot = self.slots.len();
                let word = self.emit32(Op::LoadName, 0, self.register(slot), oparg);
                self.slots.push(Slot::Own);
                self.last_result = Some(LastResult { word, slot });
            }
            LOAD_GLOBAL => {
                let slot = self.slots.len();
                let word = self.emit32(Op::LoadGlobal, 0, self.register(slot), oparg >> 1);
                self.slots.push(Slot::Own);
                self.last_result = Some(LastResult { word, slot });
                if oparg & 1 != 0 {
                    self.push(Slot::Null);
                }
            }
            STORE_NAME => self.consume(Op::StoreName, small),
            STORE_GLOBAL => self.consume(Op::StoreGlobal, small),
            DELETE_NAME => {
                self.emit(Op::DeleteName, 0, 0, 0, small);
            }
            DELETE_GLOBAL => {
                self.emit(Op::DeleteGlobal, 0, 0, 0, small);
            }
            LOAD_LOCALS => {
                self.emit_result(Op::LoadLocals, 0, 0, 0);
            }
            LOAD_FROM_DICT_OR_GLOBALS => self.unary(Op::LoadFromDictOrGlobals, 0, small),
            LOAD_BUILD_CLASS => {
                self.emit_result(Op::LoadBuildClass, 0, 0, 0);
            }
            SETUP_ANNOTATIONS => {
                self.emit(Op::SetupAnnotations, 0, 0, 0, 0);
            }

            BINARY_OP => {
                let (op, op_const, flags) = arithmetic(oparg);
                self.binary_or_const(op, op_const, flags);
            }
            UNARY_NEGATIVE => self.unary(Op::Negative, 0, 0),
            UNARY_INVERT => self.unary(Op::Invert, 0, 0),
            UNARY_NOT => self.unary(Op::Not, 0, 0),
            TO_BOOL => match self.fused_jump() {
                Some((sense, target, ahead)) => {
                    self.settle_below(1);
                    self.jump_if(sense, target);
                    self.at += ahead;
                }
                None => self.unary(Op::ToBool, 0, 0),
            },
            POP_JUMP_IF_TRUE | POP_JUMP_IF_FALSE => {
                self.settle_below(1);
                self.jump_if(instr.op == POP_JUMP_IF_TRUE, self.target_of(instr));
            }
            POP_JUMP_IF_NONE | POP_JUMP_IF_NOT_NONE => {
                self.settle_below(1);
                let b = self.pop();
                let sense = if instr.op == POP_JUMP_IF_NONE { VARIANT } else { 0 };
                self.conditional(Op::JumpIfNone, sense | owned_b(b), b.reg, 0, self.target_of(instr));
            }
            COMPARE_OP => {
                let index = (oparg >> 5) as usize;
                match self.fused_jump() {
                    Some(jump) => self.fused_compare(JUMP_IF_COMPARE[index], Some(JUMP_IF_COMPARE_CONST[index]), jump),
                    None => {
                        let flags = if oparg & taipan_bytecode::oparg::COMPARE_OP_TO_BOOL != 0 { VARIANT } else { 0 };
                        self.binary_or_const(COMPARE[index], COMPARE_CONST[index], flags);
                    }
                }
            }
            IS_OP => match self.fused_jump() {
                Some((sense, target, ahead)) => {
                    self.fused_compare(Op::JumpIfIs, None, (sense ^ (oparg == 1), target, ahead));
                }
                None => {
                    self.binary(Op::Is, if oparg == 1 { VARIANT } else { 0 });
                }
            },
            CONTAINS_OP => match self.fused_jump() {
                Some((sense, target, ahead)) => {
                    let jump = (sense ^ (oparg == 1), target, ahead);
                    self.fused_compare(Op::JumpIfContains, Some(Op::JumpIfContainsK), jump);
                }
                None => self.binary_or_const(Op::Contains, Op::ContainsK, if oparg == 1 { VARIANT } else { 0 }),
            },
            JUMP_FORWARD | JUMP_BACKWARD_NO_INTERRUPT | JUMP_BACKWARD => {
                self.materialise_all();
                let target = self.target_of(instr);
                // What delegates to another generator goes on at SEND. Other loops have to be interruptible.
                let delegates = || self.code.instrs[target as usize].op == SEND;
                let interruptible = instr.op == JUMP_BACKWARD || instr.op == JUMP_BACKWARD_NO_INTERRUPT && !delegates();
                let op = if interruptible { Op::JumpBackward } else { Op::Jump };
                let word = self.emit32(op, 0, 0, 0);
                self.jump_to(word, target);
            }

            LOAD_ATTR if oparg & 1 == 0 => self.unary(Op::LoadAttr, 0, (oparg >> 1) as u16),
            LOAD_ATTR => self.load_method((oparg >> 1) as u16),
            STORE_ATTR => {
                let owner = self.pop();
                if let Some(constant) = self.pop_const() {
                    let flags = self.owned_or_lent(Op::StoreAttrK, owner);
                    self.emit(Op::StoreAttrK, flags, small, owner.reg, constant);
                    return;
                }
                let value = self.pop();
                let flags = owned_c(value) | self.owned_or_lent(Op::StoreAttr, owner);
                self.emit(Op::StoreAttr, flags, small, owner.reg, value.reg);
            }
            DELETE_ATTR => self.consume(Op::DeleteAttr, small),
            LOAD_SUPER_ATTR => {
                let mut flags = if oparg & 1 != 0 { VARIANT } else { 0 };
                flags |= if oparg & 2 != 0 { VARIANT2 } else { 0 };
                self.build(Op::LoadSuperAttr, flags, 3, (oparg >> 2) as u16);
                if oparg & 1 != 0 {
                    self.last_result = None;
                    self.slots.push(Slot::Own);
                }
            }
            LOAD_SPECIAL => {
                self.unary(Op::LoadSpecial, 0, small);
                self.last_result = None;
                self.slots.push(Slot::Own);
            }
            STORE_SUBSCR => {
                if let Some(constant) = self.pop_const() {
                    let container = self.pop();
                    let value = self.pop();
                    let flags = if value.owned { A_LOCAL } else { 0 };
                    let flags = flags | self.owned_or_lent(Op::StoreSubscrK, container);
                    self.emit(Op::StoreSubscrK, flags, value.reg, container.reg, constant);
                    return;
                }
                let sub = self.pop();
                let container = self.pop();
                let value = self.pop();
                let flags = owned_c(sub) | if value.owned { A_LOCAL } else { 0 };
                let flags = flags | self.owned_or_lent(Op::StoreSubscr, container);
                self.emit(Op::StoreSubscr, flags, value.reg, container.reg, sub.reg);
            }
            DELETE_SUBSCR => {
                let sub = self.pop();
                let container = self.pop();
                self.emit(Op::DeleteSubscr, owned_b(container) | owned_c(sub), 0, container.reg, sub.reg);
            }
            BINARY_SLICE => {
                self.build(Op::BinarySlice, 0, 3, 0);
            }
            STORE_SLICE => {
                let base = self.take_top(4);
                self.emit(Op::StoreSlice, 0, 0, base, 0);
            }
            IMPORT_NAME => {
                let word = self.binary(Op::ImportName, 0);
                self.words[word + 1] = oparg as u64;
            }
            IMPORT_FROM => {
                let module = self.peek(self.slot_at(1));
                self.emit_result(Op::ImportFrom, 0, module, small);
            }

            BUILD_TUPLE => {
                self.build(Op::BuildTuple, 0, oparg as usize, small);
            }
            BUILD_LIST => {
                self.build(Op::BuildList, 0, oparg as usize, small);
            }
            BUILD_SET => {
                self.build(Op::BuildSet, 0, oparg as usize, small);
            }
            BUILD_MAP if oparg == 0 && self.passes_keywords_on() => self.slots.push(Slot::Null),
            BUILD_MAP => {
                self.build(Op::BuildMap, 0, 2 * oparg as usize, small);
            }
            BUILD_STRING => {
                self.build(Op::BuildString, 0, oparg as usize, small);
            }
            BUILD_SLICE => {
                self.build(Op::BuildSlice, 0, oparg as usize, small);
            }
            BUILD_TEMPLATE => {
                self.build(Op::BuildTemplate, 0, 2, 0);
            }
            BUILD_INTERPOLATION => {
                let format = oparg & 1 != 0;
                let flags = if format { VARIANT } else { 0 };
                self.build(Op::BuildInterpolation, flags, 2 + format as usize, small >> 2);
            }
            CONVERT_VALUE => self.unary(Op::ConvertValue, 0, small),
            FORMAT_SIMPLE => self.unary(Op::FormatSimple, 0, 0),
            FORMAT_WITH_SPEC => {
                self.binary(Op::FormatWithSpec, 0);
            }
            LIST_APPEND => self.into_container(Op::ListAppend, oparg),
            LIST_EXTEND => self.into_container(Op::ListExtend, oparg),
            SET_ADD => self.into_container(Op::SetAdd, oparg),
            SET_UPDATE => self.into_container(Op::SetUpdate, oparg),
            DICT_UPDATE => self.into_container(Op::DictUpdate, oparg),
            MAP_ADD => {
                let value = self.pop();
                let key = self.pop();
                let map = self.peek(self.slot_at(oparg));
                self.emit(Op::MapAdd, owned_b(key) | owned_c(value), map, key.reg, value.reg);
            }
            DICT_MERGE => {
                let update = self.pop();
                let callable = self.peek(self.slot_at(oparg + 3));
                let slot = self.slot_at(oparg);
                if self.slots[slot] == Slot::Null {
                    self.emit(Op::KeywordDict, owned_c(update), self.register(slot), callable, update.reg);
                    self.slots[slot] = Slot::Own;
                    return;
                }
                let map = self.peek(slot);
                self.emit(Op::DictMerge, owned_c(update), callable, map, update.reg);
            }
            UNPACK_SEQUENCE => self.unpack_sequence(oparg),
            UNPACK_EX => {
                let b = self.pop();
                let word = self.emit(Op::UnpackEx, owned_b(b), self.register(self.slots.len()), b.reg, 0);
                self.words[word + 1] = oparg as u64;
                let count = 1 + (oparg & 0xFF) as usize + (oparg >> 8) as usize;
                self.slots.resize(self.slots.len() + count, Slot::Own);
            }
            MAKE_FUNCTION => self.unary(Op::MakeFunction, 0, 0),
            SET_FUNCTION_ATTRIBUTE => {
                let function = self.pop();
                let attribute = self.pop();
                let flags = owned_b(attribute) | owned_c(function);
                let word = self.emit_result(Op::SetFunctionAttribute, flags, attribute.reg, function.reg);
                self.words[word + 1] = oparg as u64;
            }

            CALL => self.call(oparg, None, Op::Call),
            CALL_KW => {
                let names = match self.slots.last() {
                    Some(&Slot::Const(index)) => {
                        self.slots.pop();
                        Some(index)
                    }
                    _ => None,
                };
                self.call(oparg, names, Op::CallKw);
            }
            CALL_FUNCTION_EX => {
                let top = self.slots.len() - 1;
                let without = self.slots[top] == Slot::Null || self.is_fact(facts::NO_KEYWORDS);
                let first = top - 3;
                for index in [first, first + 2] {
                    self.materialise(index);
                }
                if !without {
                    self.materialise(top);
                }
                self.slots.truncate(first);
                let base = self.register(first);
                self.emit_result(Op::CallFunctionEx, if without { VARIANT } else { 0 }, base, 0);
            }
            CALL_INTRINSIC_1 => {
                if small == taipan_bytecode::oparg::Intrinsic1::UnaryPositive as u16 {
                    self.unary(Op::Positive, 0, 0);
                } else {
                    self.unary(Op::CallIntrinsic1, 0, small);
                }
            }
            CALL_INTRINSIC_2 => {
                self.build(Op::CallIntrinsic2, 0, 2, small);
            }
            RETURN_VALUE => match self.slots.last() {
                Some(&Slot::Const(index)) => {
                    self.slots.pop();
                    self.release_rest();
                    self.emit32(Op::ReturnConst, 0, 0, index);
                }
                last => {
                    // Code that did not come from the compiler may leave behind what the result is borrowed from.
                    if matches!(last, Some(Slot::Alias(_))) {
                        self.materialise(self.slots.len() - 1);
                    }
                    let b = self.pop();
                    self.release_rest();
                    self.emit(Op::Return, owned_b(b), 0, b.reg, 0);
                }
            },

            GET_ITER => self.unary(Op::GetIter, 0, 0),
            FOR_ITER => {
                self.materialise_all();
                let target = self.code.exhausted_target(instr).expect("verified: FOR_ITER has a target");
                let iterator = self.peek(self.slot_at(1));
                let word = self.emit_result(Op::ForIter, 0, iterator, 0);
                self.jump_to(word, target);
            }
            GET_LEN => {
                let value = self.peek(self.slot_at(1));
                self.emit_result(Op::GetLen, 0, value, 0);
            }
            GET_YIELD_FROM_ITER => self.unary(Op::GetYieldFromIter, 0, 0),
            GET_AWAITABLE => self.unary(Op::GetAwaitable, 0, small),
            GET_AITER => self.unary(Op::GetAiter, 0, 0),
            GET_ANEXT => {
                let iterator = self.peek(self.slot_at(1));
                self.emit_result(Op::GetAnext, 0, iterator, 0);
            }
            RETURN_GENERATOR => {
                let reg = self.register(self.slots.len());
                self.emit(Op::ReturnGenerator, 0, reg, 0, 0);
                self.slots.push(Slot::Own);
            }
            YIELD_VALUE => {
                // What is thrown into a suspended generator is raised with the slot of the value sent in use.
                let top = self.slots.len() - 1;
                let slot = self.register(top);
                let b = self.pop();
                self.slots.push(Slot::Own);
                self.emit(Op::YieldValue, owned_b(b) | if oparg != 0 { VARIANT } else { 0 }, slot, b.reg, 0);
            }
            SEND => {
                self.settle_below(1);
                let value = self.pop();
                let receiver = self.peek(self.slot_at(1));
                let reg = self.register(self.slots.len());
                let word = self.emit(Op::Send, owned_c(value), reg, receiver, value.reg);
                self.jump_to(word, self.target_of(instr));
                self.slots.push(Slot::Own);
            }
            END_SEND => {
                let top = self.slots.len() - 1;
                self.materialise(top);
                self.materialise(top - 1);
                let (receiver, value) = (self.register(top - 1), self.register(top));
                self.emit(Op::Release, B_OWNED, 0, receiver, 0);
                self.slots.truncate(top - 1);
                self.emit_result(Op::Move, B_OWNED, value, 0);
            }
            CLEANUP_THROW => {
                let base = self.take_top(3);
                self.emit(Op::CleanupThrow, 0, base, base, 0);
                self.slots.extend([Slot::Own, Slot::Own]);
            }
            END_ASYNC_FOR => {
                let base = self.take_top(2);
                self.emit(Op::EndAsyncFor, 0, 0, base, 0);
            }

            RAISE_VARARGS if oparg == 0 => {
                self.emit(Op::RaiseAgain, 0, 0, 0, 0);
            }
            RAISE_VARARGS if oparg == 1 => self.consume(Op::RaiseOne, 0),
            RAISE_VARARGS => {
                let cause = self.pop();
                let exception = self.pop();
                let flags = owned_b(exception) | owned_c(cause);
                self.emit(Op::Raise, flags, 0, exception.reg, cause.reg);
            }
            RERAISE => {
                let b = self.pop();
                if oparg == 0 {
                    self.emit(Op::Reraise, owned_b(b), 0, b.reg, 0);
                } else {
                    let lasti = self.peek(self.slot_at(oparg));
                    self.emit(Op::Reraise, VARIANT | owned_b(b), 0, b.reg, lasti);
                }
            }
            PUSH_EXC_INFO => {
                let top = self.slots.len() - 1;
                self.materialise(top);
                self.emit(Op::PushExcInfo, 0, self.register(top), 0, 0);
                self.slots.push(Slot::Own);
            }
            POP_EXCEPT => self.consume(Op::PopExcept, 0),
            CHECK_EXC_MATCH => match self.fused_jump() {
                Some((sense, target, ahead)) => {
                    self.settle_below(1);
                    let c = self.pop();
                    let exception = self.peek(self.slot_at(1));
                    let flags = owned_c(c) | if sense { VARIANT } else { 0 };
                    self.conditional(Op::JumpIfExcMatch, flags, exception, c.reg, target);
                    self.at += ahead;
                }
                None => {
                    let c = self.pop();
                    let exception = self.peek(self.slot_at(1));
                    self.emit_result(Op::CheckExcMatch, owned_c(c), exception, c.reg);
                }
            },
            CHECK_EG_MATCH => {
                let base = self.take_top(2);
                self.emit(Op::CheckEgMatch, 0, base, base, 0);
                self.slots.extend([Slot::Own, Slot::Own]);
            }
            WITH_EXCEPT_START => {
                let base = self.materialise_top(5);
                self.emit_result(Op::WithExceptStart, 0, base, 0);
            }

            MATCH_MAPPING | MATCH_SEQUENCE => {
                let subject = self.peek(self.slot_at(1));
                let op = if instr.op == MATCH_MAPPING { Op::MatchMapping } else { Op::MatchSequence };
                self.emit_result(op, 0, subject, 0);
            }
            MATCH_KEYS => {
                let keys = self.peek(self.slot_at(1));
                let subject = self.peek(self.slot_at(2));
                self.emit_result(Op::MatchKeys, 0, subject, keys);
            }
            MATCH_CLASS => {
                self.build(Op::MatchClass, 0, 3, small);
            }

            _ => unreachable!("verified: no other instruction"),
        }
    }

    fn pop_top(&mut self) {
        match self.slots.last() {
            Some(Slot::Own) => {
                let b = self.pop();
                self.emit(Op::Release, B_OWNED, 0, b.reg, 0);
            }
            _ => {
                self.slots.pop();
            }
        }
    }

    /// Before a return: forged code may leave values on the stack.
    fn release_rest(&mut self) {
        while !self.slots.is_empty() {
            self.pop_top();
        }
    }

    fn copy(&mut self, depth: u32) {
        let index = self.slot_at(depth);
        let slot = match self.slots[index] {
            Slot::Own => Slot::Alias(index as u16),
            Slot::Borrowed(_) => Slot::Alias(index as u16),
            other => other,
        };
        self.push(slot);
    }

    fn swap(&mut self, depth: u32) {
        let (top, other) = (self.slots.len() - 1, self.slot_at(depth));
        if top == other {
            return;
        }
        for index in 0..self.slots.len() {
            match self.slots[index] {
                Slot::Alias(slot) if [top, other].contains(&(slot as usize)) || [top, other].contains(&index) => {
                    self.materialise(index);
                }
                Slot::Borrowed(_) if [top, other].contains(&index) => self.materialise(index),
                _ => {}
            }
        }
        let (top_reg, other_reg) = (self.register(top), self.register(other));
        match (self.slots[top], self.slots[other]) {
            (Slot::Own, Slot::Own) => {
                self.emit(Op::Swap, 0, 0, other_reg, top_reg);
            }
            (Slot::Own, _) => {
                self.emit(Op::Move, B_OWNED, other_reg, top_reg, 0);
            }
            (_, Slot::Own) => {
                self.emit(Op::Move, B_OWNED, top_reg, other_reg, 0);
            }
            _ => {}
        }
        self.slots.swap(top, other);
    }

    fn jump_if(&mut self, sense: bool, target: u32) {
        let b = self.pop();
        let flags = owned_b(b) | if sense { VARIANT } else { 0 };
        self.conditional(Op::JumpIf, flags, b.reg, 0, target);
    }

    fn fused_compare(&mut self, op: Op, op_const: Option<Op>, (sense, target, ahead): (bool, u32, usize)) {
        self.settle_below(2);
        let sense = if sense { VARIANT } else { 0 };
        let constant = if op_const.is_some() { self.pop_const() } else { None };
        match (op_const, constant) {
            (Some(op), Some(constant)) => {
                let b = self.pop();
                self.conditional(op, sense | owned_b(b), b.reg, constant, target);
            }
            _ => {
                let c = self.pop();
                let b = self.pop();
                self.conditional(op, sense | owned_b(b) | owned_c(c), b.reg, c.reg, target);
            }
        }
        self.at += ahead;
    }

    fn load_method(&mut self, name: u16) {
        let top = self.slots.len() - 1;
        let lender = match self.slots[top] {
            Slot::Local { local, .. } if self.fold => Some(local),
            _ => None,
        };
        let b = self.pop();
        let flags = if lender.is_some() { VARIANT } else { self.owned_or_lent(Op::LoadMethod, b) };
        self.emit(Op::LoadMethod, flags, self.register(top), b.reg, name);
        self.slots.push(Slot::Own);
        self.slots.push(if lender.is_some() { Slot::Borrowed(lender) } else { Slot::Own });
    }

    /// CALL and CALL_KW with `count` arguments; the constant of the keyword names was popped, or they lie on top.
    fn call(&mut self, count: u32, names: Option<u32>, op: Op) {
        let names_on_stack = op == Op::CallKw && names.is_none();
        let end = self.slots.len() - names_on_stack as usize;
        let base = end - 2 - count as usize;
        let mut mask = 0u64;
        let without_self = self.slots[base + 1] == Slot::Null || self.is_fact(facts::NO_SELF);
        for index in base..end {
            let bit = index - base;
            let reg = self.register(index);
            match self.slots[index] {
                Slot::Null | Slot::Own if bit == 1 => {}
                Slot::Local { local, copy: false } if bit < 32 => {
                    self.borrow(reg, Lent::Local(local));
                    mask |= 1 << bit;
                }
                Slot::Const(constant) if bit < 32 && constant <= 0xFFFF => {
                    self.borrow(reg, Lent::Const(constant as u16));
                    mask |= 1 << bit;
                }
                Slot::Const(constant) if bit < 32 => {
                    self.emit32(Op::LoadConst, 0, reg, constant);
                    mask |= 1 << bit;
                }
                Slot::Borrowed(_) if bit < 32 => mask |= 1 << bit,
                _ => self.materialise(index),
            }
        }
        if names_on_stack {
            self.materialise(end);
        }
        self.slots.truncate(base);
        let flags = if without_self { VARIANT } else { 0 };
        let word = self.emit_result(op, flags, self.register(base), count as u16);
        self.words[word + 1] = mask | names.map_or(0, |names| (names as u64 + 1) << 32);
    }

    /// The flags of the operand `b` of an `op`: [`B_OWNED`] or none; but [`LENT`], if the instruction emitted last made it and need
    /// not take a reference to it. One that releases an operand of its own might thereby end the result.
    fn owned_or_lent(&mut self, op: Op, b: Src) -> u8 {
        let looks_only = matches!(
            op,
            Op::LoadAttr
                | Op::LoadMethod
                | Op::StoreAttr
                | Op::StoreAttrK
                | Op::Subscr
                | Op::SubscrK
                | Op::StoreSubscr
                | Op::StoreSubscrK
        );
        let Some(last) = self.last_result.filter(|_| self.fold && b.owned && looks_only) else {
            return owned_b(b);
        };
        let word = Word::decode(self.words[last.word]);
        let Some(lender) = Op::from_u8(word.op()) else { return owned_b(b) };
        let lends = match lender {
            Op::LoadGlobal => true,
            Op::LoadAttr | Op::SubscrK => !word.releases_b(),
            Op::Subscr => !word.releases_b() && word.flags() & C_OWNED == 0,
            _ => false,
        };
        if !lends || word.a() != b.reg || last.word + lender.len() != self.words.len() {
            return owned_b(b);
        }
        self.words[last.word] = word.encode() | (LENDS as u64) << 8;
        LENT
    }

    /// Emits a borrow, two in a row as one.
    fn borrow(&mut self, reg: u16, lent: Lent) {
        let end = self.words.len();
        if let Some((first, at)) = self.last_borrow.take()
            && at + 1 == end
            && Word::decode(self.words[at]).a() + 1 == reg
        {
            let (op, b, c) = match (first, lent) {
                (Lent::Local(b), Lent::Local(c)) => (Op::BorrowPair, b, c),
                (Lent::Local(b), Lent::Const(c)) => (Op::BorrowLocalConst, b, c),
                (Lent::Const(b), Lent::Local(c)) => (Op::BorrowConstLocal, b, c),
                (Lent::Const(b), Lent::Const(c)) => (Op::BorrowConstPair, b, c),
            };
            self.words[at] = Word::new(op, 0, reg - 1, b, c).encode();
            // That of a lone constant.
            self.sites.pop_if(|site| site.pc as usize == at);
            return;
        }
        match lent {
            Lent::Local(local) => self.emit(Op::Borrow, 0, reg, local, 0),
            Lent::Const(constant) => self.emit32(Op::LoadConst, 0, reg, constant.into()),
        };
        self.last_borrow = Some((lent, end));
    }

    /// Whether the dict that the current BUILD_MAP makes gets the items of a local and is then passed to a call, in
    /// `f(**keywords)`.
    fn passes_keywords_on(&self) -> bool {
        let next = |ahead| self.following(ahead).map(|instr| (instr.op, instr.oparg));
        matches!(next(1), Some((Opcode::LOAD_FAST | Opcode::LOAD_FAST_BORROW, _)))
            && next(2) == Some((Opcode::DICT_MERGE, 1))
            && matches!(next(3), Some((Opcode::CALL_FUNCTION_EX, _)))
    }

    /// Tells a ForIter, if it is what was emitted last, that the pair that it gives is taken apart at once.
    fn note_pair(&mut self, source: Src, count: u32) {
        let Some(last) = self.last_result.filter(|_| self.fold && source.owned && count == 2) else { return };
        let word = Word::decode(self.words[last.word]);
        let follows = last.word + Op::ForIter.len() == self.words.len();
        if word.op() == Op::ForIter as u8 && word.a() == source.reg && follows {
            self.words[last.word] = word.encode() | (VARIANT as u64) << 8;
        }
    }

    fn unpack_sequence(&mut self, count: u32) {
        let source = self.pop();
        if let Some((locals, ahead)) = self.following_stores(count) {
            for &local in &locals {
                self.detach_local(local);
            }
            self.note_pair(source, count);
            // Detaching emitted moves behind which `source` is still in place: it is a local or a stack register.
            let op = if count <= 4 { Op::UnpackToLocals } else { Op::UnpackToMany };
            let word = self.emit(op, owned_b(source), 0, source.reg, count as u16);
            for (index, &local) in locals.iter().enumerate() {
                self.words[word + 1 + index / 4] |= (local as u64) << (16 * (index % 4));
            }
            self.at += ahead;
            return;
        }
        let first = self.register(self.slots.len());
        self.note_pair(source, count);
        self.emit(Op::UnpackSequence, owned_b(source), first, source.reg, count as u16);
        self.slots.resize(self.slots.len() + count as usize, Slot::Own);
    }

    /// The locals into which the next instructions store the `count` topmost values, if they do, and how many
    /// instructions that takes.
    fn following_stores(&self, count: u32) -> Option<(Vec<u16>, usize)> {
        if count > 12 {
            return None;
        }
        let mut locals = Vec::new();
        let mut ahead = 0;
        while locals.len() < count as usize {
            ahead += 1;
            let next = self.following(ahead)?;
            match next.op {
                Opcode::STORE_FAST => locals.push(next.oparg as u16),
                Opcode::STORE_FAST_STORE_FAST if locals.len() + 2 <= count as usize => {
                    locals.extend([(next.oparg >> 4) as u16, (next.oparg & 15) as u16]);
                }
                _ => return None,
            }
        }
        Some((locals, ahead))
    }
}

fn refers_to(slot: Slot, local: u16) -> bool {
    matches!(slot, Slot::Local { local: l, .. } | Slot::Borrowed(Some(l)) if l == local)
}

fn owned_b(src: Src) -> u8 {
    if src.owned { B_OWNED } else { 0 }
}

fn owned_c(src: Src) -> u8 {
    if src.owned { C_OWNED } else { 0 }
}

/// The instruction of a BINARY_OP, its form with a constant, its flags.
fn arithmetic(oparg: u32) -> (Op, Op, u8) {
    const PLAIN: [(Op, Op); 13] = [
        (Op::Add, Op::AddK),
        (Op::And, Op::AndK),
        (Op::FloorDivide, Op::FloorDivideK),
        (Op::Lshift, Op::LshiftK),
        (Op::MatrixMultiply, Op::MatrixMultiplyK),
        (Op::Multiply, Op::MultiplyK),
        (Op::Remainder, Op::RemainderK),
        (Op::Or, Op::OrK),
        (Op::Power, Op::PowerK),
        (Op::Rshift, Op::RshiftK),
        (Op::Subtract, Op::SubtractK),
        (Op::TrueDivide, Op::TrueDivideK),
        (Op::Xor, Op::XorK),
    ];
    match oparg {
        0..13 => (PLAIN[oparg as usize].0, PLAIN[oparg as usize].1, 0),
        13..26 => (PLAIN[oparg as usize - 13].0, PLAIN[oparg as usize - 13].1, VARIANT),
        _ => (Op::Subscr, Op::SubscrK, 0),
    }
}

const COMPARE: [Op; 6] = [Op::CompareLt, Op::CompareLe, Op::CompareEq, Op::CompareNe, Op::CompareGt, Op::CompareGe];
const COMPARE_CONST: [Op; 6] =
    [Op::CompareLtK, Op::CompareLeK, Op::CompareEqK, Op::CompareNeK, Op::CompareGtK, Op::CompareGeK];
const JUMP_IF_COMPARE: [Op; 6] = [Op::JumpIfLt, Op::JumpIfLe, Op::JumpIfEq, Op::JumpIfNe, Op::JumpIfGt, Op::JumpIfGe];
const JUMP_IF_COMPARE_CONST: [Op; 6] =
    [Op::JumpIfLtK, Op::JumpIfLeK, Op::JumpIfEqK, Op::JumpIfNeK, Op::JumpIfGtK, Op::JumpIfGeK];
