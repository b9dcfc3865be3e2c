//! From register code to Cranelift's.
//!
//! Every register is a variable. Those that compiled code itself writes are written back to their places before the interpreter
//! has a turn, and all are read again after it: a callee may have changed locals (`f_locals`), and what it cleared is gone.
//! References move with the words, as the interpreter's lowering says. Nothing is released here: if an instruction would end a
//! reference, the interpreter executes it.

use std::collections::{BTreeMap, BTreeSet};
use std::mem::offset_of;

use cranelift_codegen::control::ControlPlane;
use cranelift_codegen::ir::condcodes::{FloatCC, IntCC};
use cranelift_codegen::ir::{AbiParam, Block, BlockArg, InstBuilder, MemFlagsData, SigRef, Signature, Value, types};
use cranelift_codegen::isa::CallConv;
use cranelift_codegen::settings::{self, Configurable};
use cranelift_frontend::{FunctionBuilder, FunctionBuilderContext, Variable};
use taipan_interp::code::RegisterCode;
use taipan_interp::eval::compiled::{self, SHAPE_OFFSET, SlotCache, TYPE_OFFSET, VERSION_OFFSET};
use taipan_interp::instruction::{A_LOCAL, B_OWNED, Extra, LENDS, Op, Operand, SEEN_FLOAT, SEEN_OTHER, VARIANT, Word};
use taipan_object::Value as Object;

use crate::Context;

/// Functions with more registers are left to the interpreter, as are loops with more instructions.
const MOST_REGISTERS: u32 = 256;
const MOST_INSTRUCTIONS: usize = 2000;

/// Has the interpreter execute the instruction at `pc`.
unsafe extern "C" fn step(context: *mut Context, pc: *const u64) -> *const u64 {
    // SAFETY: compiled code passes its own context, and has written the registers back.
    unsafe {
        let Context { vm, interp, frame, .. } = *context;
        compiled::step(vm, interp, frame, pc)
    }
}

/// Whether the interpreter has to look after something.
unsafe extern "C" fn is_interrupted(context: *mut Context) -> u64 {
    // SAFETY: as above.
    unsafe { u64::from((*context).interp.eval_breaker()) }
}

/// Compiles what can be reached from `head`, an instruction of `code`; `None` if that is not to be done.
///
/// # Safety
/// The code lives for as long as what is compiled may run.
pub unsafe fn translate(code: &RegisterCode, head: *const u64, fail_guards: bool) -> Option<Vec<u8>> {
    let words = &code.lowered.words;
    // SAFETY: `head` is one of the words.
    let head = unsafe { head.offset_from(words.as_ptr()) } as usize;
    let plan = Plan::new(words, head)?;
    if code.lowered.registers > MOST_REGISTERS {
        return None;
    }
    let mut flags = settings::builder();
    flags.set("opt_level", "speed").ok()?;
    flags.set("enable_probestack", "false").ok()?;
    let isa = cranelift_native::builder().ok()?.finish(settings::Flags::new(flags)).ok()?;
    let mut context = cranelift_codegen::Context::new();
    let convention = isa.default_call_conv();
    context.func.signature = signature(convention, 1, true);
    let mut frontend = FunctionBuilderContext::new();
    let builder = FunctionBuilder::new(&mut context.func, &mut frontend);
    let mut translator = Translator::new(builder, code, plan, convention, fail_guards);
    translator.run(head);
    translator.builder.seal_all_blocks();
    translator.builder.finalize(isa.frontend_config());
    let compiled = context.compile(&*isa, &mut ControlPlane::default()).ok()?;
    // Whatever is called, is called by its address.
    compiled.buffer.relocs().is_empty().then(|| compiled.code_buffer().to_vec())
}

fn signature(convention: CallConv, parameters: usize, returns: bool) -> Signature {
    let mut signature = Signature::new(convention);
    signature.params.extend((0..parameters).map(|_| AbiParam::new(types::I64)));
    signature.returns.extend(returns.then(|| AbiParam::new(types::I64)));
    signature
}

/// What is compiled.
struct Plan {
    /// Where the instructions start, in order.
    instructions: BTreeSet<usize>,
    /// Those that begin a block.
    leaders: BTreeSet<usize>,
    /// Registers that compiled code writes.
    written: BTreeSet<u16>,
}

impl Plan {
    fn new(words: &[u64], head: usize) -> Option<Plan> {
        let mut plan =
            Plan { instructions: BTreeSet::new(), leaders: BTreeSet::from([head]), written: BTreeSet::new() };
        let mut pending = vec![head];
        while let Some(at) = pending.pop() {
            if !plan.instructions.insert(at) {
                continue;
            }
            let op = op_at(words, at)?;
            let word = Word::decode(words[at]);
            plan.written.extend(writes(op, word));
            let jump = jump_of(words, at, op);
            if let Some(target) = jump {
                plan.leaders.insert(target);
                pending.push(target);
            }
            if !matches!(op, Op::Jump | Op::JumpBackward) && !ends(op) {
                if jump.is_some() {
                    plan.leaders.insert(at + op.len());
                }
                pending.push(at + op.len());
            }
            if plan.instructions.len() > MOST_INSTRUCTIONS {
                return None;
            }
        }
        Some(plan)
    }
}

fn op_at(words: &[u64], at: usize) -> Option<Op> {
    Op::from_u8(*words.get(at)? as u8)
}

/// Where an instruction may jump to.
fn jump_of(words: &[u64], at: usize, op: Op) -> Option<usize> {
    let relative = if op.operands().contains(&Operand::jump32) {
        (words[at] >> 32) as i32
    } else {
        let index = op.extras().iter().position(|extra| *extra == Extra::jump)?;
        words[at + 1 + index] as u32 as i32
    };
    Some((at as i64 + i64::from(relative)) as usize)
}

/// Whether compiled code is left at the instruction, which ends the frame, suspends it, or goes who knows where.
fn ends(op: Op) -> bool {
    matches!(
        op,
        Op::Return
            | Op::ReturnConst
            | Op::ReturnGenerator
            | Op::YieldValue
            | Op::Send
            | Op::Raise
            | Op::RaiseOne
            | Op::RaiseAgain
            | Op::Reraise
            | Op::Boundary
            | Op::Count
            | Op::Unwind
            | Op::UnwindAgain
            | Op::Leave
    )
}

/// The registers that an instruction may write in compiled code.
fn writes(op: Op, word: Word) -> impl Iterator<Item = u16> {
    let (first, second) = match op {
        Op::BorrowPair | Op::BorrowLocalConst | Op::BorrowConstLocal | Op::BorrowConstPair => {
            (Some(word.a()), Some(word.a() + 1))
        }
        Op::Swap => (Some(word.b()), Some(word.c())),
        Op::Move | Op::StoreFastMaybeNull | Op::Borrow | Op::LoadConst | Op::LoadNull | Op::LoadAttr | Op::LoadSlot => {
            (Some(word.a()), None)
        }
        _ if arithmetic(op).is_some() || comparison(op).is_some_and(|(_, jumps, _)| !jumps) => (Some(word.a()), None),
        _ => (None, None),
    };
    first.into_iter().chain(second)
}

#[derive(Clone, Copy)]
enum Arithmetic {
    Add,
    Subtract,
    Multiply,
}

/// An operator that is compiled, and whether its right operand is a constant.
fn arithmetic(op: Op) -> Option<(Arithmetic, bool)> {
    Some(match op {
        Op::Add => (Arithmetic::Add, false),
        Op::AddK => (Arithmetic::Add, true),
        Op::Subtract => (Arithmetic::Subtract, false),
        Op::SubtractK => (Arithmetic::Subtract, true),
        Op::Multiply => (Arithmetic::Multiply, false),
        Op::MultiplyK => (Arithmetic::Multiply, true),
        _ => return None,
    })
}

/// The conditions of a comparison, whether it jumps, and whether its right operand is a constant.
fn comparison(op: Op) -> Option<((IntCC, FloatCC), bool, bool)> {
    const CONDITIONS: [(IntCC, FloatCC); 6] = [
        (IntCC::SignedLessThan, FloatCC::LessThan),
        (IntCC::SignedLessThanOrEqual, FloatCC::LessThanOrEqual),
        (IntCC::Equal, FloatCC::Equal),
        (IntCC::NotEqual, FloatCC::NotEqual),
        (IntCC::SignedGreaterThan, FloatCC::GreaterThan),
        (IntCC::SignedGreaterThanOrEqual, FloatCC::GreaterThanOrEqual),
    ];
    let group = |first: Op| (op as usize).checked_sub(first as usize).and_then(|index| CONDITIONS.get(index)).copied();
    let groups = [
        (Op::CompareLt, false, false),
        (Op::CompareLtK, false, true),
        (Op::JumpIfLt, true, false),
        (Op::JumpIfLtK, true, true),
    ];
    groups.into_iter().find_map(|(first, jumps, constant)| Some((group(first)?, jumps, constant)))
}

struct Translator<'a> {
    builder: FunctionBuilder<'a>,
    code: &'a RegisterCode,
    plan: Plan,
    blocks: BTreeMap<usize, Block>,
    registers: Vec<Variable>,
    context: Variable,
    /// Signatures of what is called, by the number of parameters less one.
    signatures: [SigRef; 2],
    returns_nothing: SigRef,
    fail_guards: bool,
}

/// Where the fields of [`Context`] are.
const REGISTERS: i32 = offset_of!(Context, registers) as i32;
const GUARDS_LEFT: i32 = offset_of!(Context, guards_left) as i32;
const FAILED: i32 = offset_of!(Context, failed) as i32;

impl<'a> Translator<'a> {
    fn new(
        mut builder: FunctionBuilder<'a>,
        code: &'a RegisterCode,
        plan: Plan,
        convention: CallConv,
        fail_guards: bool,
    ) -> Translator<'a> {
        let blocks = plan.leaders.iter().map(|at| (*at, builder.create_block())).collect();
        let registers = (0..code.lowered.registers).map(|_| builder.declare_var(types::I64)).collect();
        let context = builder.declare_var(types::I64);
        let signatures = [1, 2].map(|parameters| builder.import_signature(signature(convention, parameters, true)));
        let returns_nothing = builder.import_signature(signature(convention, 1, false));
        Translator { builder, code, plan, blocks, registers, context, signatures, returns_nothing, fail_guards }
    }

    fn run(&mut self, head: usize) {
        let entry = self.builder.create_block();
        self.builder.append_block_params_for_function_params(entry);
        self.builder.switch_to_block(entry);
        let context = self.builder.block_params(entry)[0];
        self.builder.def_var(self.context, context);
        self.read_registers();
        let first = self.blocks[&head];
        self.jump(first);
        for leader in self.plan.leaders.clone() {
            self.builder.switch_to_block(self.blocks[&leader]);
            let mut at = leader;
            while let Some(next) = self.instruction(at) {
                if let Some(block) = self.blocks.get(&next).copied() {
                    self.jump(block);
                    break;
                }
                at = next;
            }
        }
    }

    fn jump(&mut self, block: Block) {
        self.builder.ins().jump(block, &[] as &[BlockArg]);
    }

    fn branch(&mut self, condition: Value, yes: Block, no: Block) {
        self.builder.ins().brif(condition, yes, &[] as &[BlockArg], no, &[] as &[BlockArg]);
    }

    /// The address of the instruction at `at`.
    fn address(&self, at: usize) -> i64 {
        &raw const self.code.lowered.words[at] as i64
    }

    fn number(&mut self, number: i64) -> Value {
        self.builder.ins().iconst(types::I64, number)
    }

    fn load(&mut self, address: Value, offset: i32) -> Value {
        self.builder.ins().load(types::I64, MemFlagsData::trusted(), address, offset)
    }

    /// 32 bits of memory.
    fn load_half(&mut self, address: Value, offset: i32) -> Value {
        self.builder.ins().uload32(MemFlagsData::trusted(), address, offset)
    }

    fn get(&mut self, register: u16) -> Value {
        self.builder.use_var(self.registers[register as usize])
    }

    fn put(&mut self, register: u16, word: Value) {
        self.builder.def_var(self.registers[register as usize], word);
    }

    fn constant(&mut self, index: u32) -> Value {
        let word = self.code.constants[index as usize].word();
        self.number(word as i64)
    }

    fn read_registers(&mut self) {
        let context = self.builder.use_var(self.context);
        let base = self.load(context, REGISTERS);
        for register in 0..self.registers.len() {
            let word = self.load(base, register as i32 * 8);
            self.put(register as u16, word);
        }
    }

    fn write_registers(&mut self) {
        let context = self.builder.use_var(self.context);
        let base = self.load(context, REGISTERS);
        for register in self.plan.written.clone() {
            let word = self.get(register);
            self.builder.ins().store(MemFlagsData::trusted(), word, base, i32::from(register) * 8);
        }
    }

    /// Leaves compiled code: the interpreter goes on at `at`.
    fn leave(&mut self, at: usize) {
        self.write_registers();
        let address = self.address(at);
        let address = self.number(address);
        self.builder.ins().return_(&[address]);
    }

    /// Unless `condition` holds, compiled code is left for the instruction at `at`, of which nothing has been done.
    fn guard(&mut self, condition: Value, at: usize) {
        let mut condition = self.builder.ins().icmp_imm_s(IntCC::NotEqual, condition, 0);
        if self.fail_guards {
            let context = self.builder.use_var(self.context);
            let left = self.load(context, GUARDS_LEFT);
            let left = self.builder.ins().iadd_imm_s(left, -1);
            self.builder.ins().store(MemFlagsData::trusted(), left, context, GUARDS_LEFT);
            let goes_on = self.builder.ins().icmp_imm_s(IntCC::NotEqual, left, 0);
            condition = self.builder.ins().band(condition, goes_on);
        }
        let (holds, fails) = (self.builder.create_block(), self.builder.create_block());
        self.builder.set_cold_block(fails);
        self.branch(condition, holds, fails);
        self.builder.switch_to_block(fails);
        let context = self.builder.use_var(self.context);
        let failed = self.load(context, FAILED);
        let failed = self.builder.ins().iadd_imm_s(failed, 1);
        self.builder.ins().store(MemFlagsData::trusted(), failed, context, FAILED);
        self.leave(at);
        self.builder.switch_to_block(holds);
    }

    /// Whether a word is that of no object: null, or a value that is its own word.
    fn is_no_object(&mut self, word: Value) -> Value {
        let tag = self.builder.ins().band_imm_s(word, 7);
        let immediate = self.builder.ins().icmp_imm_s(IntCC::NotEqual, tag, 0);
        let null = self.builder.ins().icmp_imm_s(IntCC::Equal, word, 0);
        self.builder.ins().bor(immediate, null)
    }

    fn guard_no_object(&mut self, word: Value, at: usize) {
        let condition = self.is_no_object(word);
        self.guard(condition, at);
    }

    fn call(&mut self, signature: SigRef, function: *const (), arguments: &[Value]) -> Option<Value> {
        let function = self.number(function as i64);
        let call = self.builder.ins().call_indirect(signature, function, arguments);
        self.builder.inst_results(call).first().copied()
    }

    /// Translates the instruction at `at`; the one that follows, if control goes on there.
    fn instruction(&mut self, at: usize) -> Option<usize> {
        let words = &self.code.lowered.words;
        let (op, word) = (op_at(words, at).expect("the plan has instructions"), Word::decode(words[at]));
        let ended = match op {
            _ if !self.is_compiled(at, op, word) => return self.step(at, op),
            Op::Release => word.b(),
            _ if word.flags() & A_LOCAL != 0 && op.operands().first() == Some(&Operand::dst) => word.a(),
            _ => return self.compile(at, op, word),
        };
        // If a reference ends, that is for the interpreter.
        let old = self.get(ended);
        let nothing_ends = self.is_no_object(old);
        let [here, elsewhere, left, stepped, done] = [(); 5].map(|()| self.builder.create_block());
        self.branch(nothing_ends, here, elsewhere);
        self.builder.switch_to_block(elsewhere);
        self.builder.set_cold_block(elsewhere);
        let (reached, there) = self.step_to(at, at + op.len());
        self.branch(there, stepped, left);
        self.builder.switch_to_block(left);
        self.builder.ins().return_(&[reached]);
        self.builder.switch_to_block(stepped);
        self.read_registers();
        self.jump(done);
        self.builder.switch_to_block(here);
        let next = self.compile(at, op, word);
        self.jump(done);
        self.builder.switch_to_block(done);
        next
    }

    /// Whether the instruction is compiled, if no reference ends.
    fn is_compiled(&self, at: usize, op: Op, word: Word) -> bool {
        match op {
            Op::LoadAttr | Op::LoadSlot => self.slot(at, word).is_some(),
            Op::LoadConst => {
                word.flags() & B_OWNED == 0 || self.code.constants[word.bc() as usize].as_object().is_none()
            }
            Op::Release | Op::CheckBound | Op::Jump | Op::JumpBackward | Op::JumpIf | Op::JumpIfNone => true,
            _ => ends(op) || comparison(op).is_some() || writes(op, word).next().is_some(),
        }
    }

    /// Translates an instruction that is compiled, and ends no reference.
    fn compile(&mut self, at: usize, op: Op, word: Word) -> Option<usize> {
        let next = at + op.len();
        let owned = word.flags() & B_OWNED != 0;
        match op {
            _ if ends(op) => {
                self.leave(at);
                return None;
            }
            Op::Move | Op::StoreFastMaybeNull => {
                let value = self.get(word.b());
                if !owned {
                    self.call(self.returns_nothing, compiled::retain_word as *const (), &[value]);
                }
                self.put(word.a(), value);
            }
            Op::Borrow => {
                let value = self.get(word.b());
                self.put(word.a(), value);
            }
            Op::BorrowPair => {
                let (first, second) = (self.get(word.b()), self.get(word.c()));
                self.put(word.a(), first);
                self.put(word.a() + 1, second);
            }
            Op::BorrowLocalConst => {
                let (first, second) = (self.get(word.b()), self.constant(word.c().into()));
                self.put(word.a(), first);
                self.put(word.a() + 1, second);
            }
            Op::BorrowConstLocal => {
                let (first, second) = (self.constant(word.b().into()), self.get(word.c()));
                self.put(word.a(), first);
                self.put(word.a() + 1, second);
            }
            Op::BorrowConstPair => {
                let (first, second) = (self.constant(word.b().into()), self.constant(word.c().into()));
                self.put(word.a(), first);
                self.put(word.a() + 1, second);
            }
            Op::LoadConst => {
                let value = self.constant(word.bc());
                self.put(word.a(), value);
            }
            Op::LoadNull => {
                let null = self.number(0);
                self.put(word.a(), null);
            }
            Op::Swap => {
                let (first, second) = (self.get(word.b()), self.get(word.c()));
                self.put(word.b(), second);
                self.put(word.c(), first);
            }
            Op::Release => {}
            Op::CheckBound => {
                let value = self.get(word.b());
                self.guard(value, at);
            }
            Op::Jump => {
                self.jump_to(at, op);
                return None;
            }
            Op::JumpBackward => {
                let context = self.builder.use_var(self.context);
                let interrupted = self.call(self.signatures[0], is_interrupted as *const (), &[context])?;
                let free = self.builder.ins().icmp_imm_s(IntCC::Equal, interrupted, 0);
                self.guard(free, at);
                self.jump_to(at, op);
                return None;
            }
            Op::JumpIf => {
                let value = self.get(word.b());
                let [yes, no] = [Object::TRUE, Object::FALSE].map(|value| value.word() as i64);
                let holds = self.builder.ins().icmp_imm_s(IntCC::Equal, value, yes);
                let not = self.builder.ins().icmp_imm_s(IntCC::Equal, value, no);
                let either = self.builder.ins().bor(holds, not);
                self.guard(either, at);
                self.branch_if(at, op, word, holds);
                return None;
            }
            Op::JumpIfNone => {
                let value = self.get(word.b());
                if owned {
                    self.guard_no_object(value, at);
                }
                let none = self.builder.ins().icmp_imm_s(IntCC::Equal, value, Object::NONE.word() as i64);
                self.branch_if(at, op, word, none);
                return None;
            }
            Op::LoadAttr | Op::LoadSlot => {
                let cache = self.slot(at, word).expect("it is compiled");
                self.load_slot(at, word, &cache);
            }
            _ => {
                if let Some((operator, constant)) = arithmetic(op) {
                    self.arithmetic(at, word, operator, constant);
                } else if let Some((conditions, jumps, constant)) = comparison(op) {
                    let holds = self.compare(at, word, conditions, constant);
                    if jumps {
                        self.branch_if(at, op, word, holds);
                        return None;
                    }
                    let [yes, no] = [Object::TRUE, Object::FALSE].map(|value| value.word() as i64);
                    let (yes, no) = (self.number(yes), self.number(no));
                    let value = self.builder.ins().select(holds, yes, no);
                    self.put(word.a(), value);
                } else {
                    return self.step(at, op);
                }
            }
        }
        Some(next)
    }

    fn jump_to(&mut self, at: usize, op: Op) {
        let target = jump_of(&self.code.lowered.words, at, op).expect("a jump has a target");
        self.jump(self.blocks[&target]);
    }

    /// Ends an instruction that jumps if `condition` is what its variant bit asks for.
    fn branch_if(&mut self, at: usize, op: Op, word: Word, condition: Value) {
        let target = jump_of(&self.code.lowered.words, at, op).expect("a jump has a target");
        let (target, next) = (self.blocks[&target], self.blocks[&(at + op.len())]);
        match word.flags() & VARIANT != 0 {
            true => self.branch(condition, target, next),
            false => self.branch(condition, next, target),
        }
    }

    /// Has the interpreter execute the instruction: where it has come to, and whether that is `expected`.
    fn step_to(&mut self, at: usize, expected: usize) -> (Value, Value) {
        self.write_registers();
        let context = self.builder.use_var(self.context);
        let pc = self.address(at);
        let pc = self.number(pc);
        let reached = self.call(self.signatures[1], step as *const (), &[context, pc]).expect("it returns a pc");
        (reached, self.is_at(reached, expected))
    }

    fn is_at(&mut self, reached: Value, expected: usize) -> Value {
        let address = self.address(expected);
        self.builder.ins().icmp_imm_s(IntCC::Equal, reached, address)
    }

    /// Has the interpreter execute the instruction, and goes on behind it or where it jumps to.
    fn step(&mut self, at: usize, op: Op) -> Option<usize> {
        let next = at + op.len();
        let target = jump_of(&self.code.lowered.words, at, op);
        let (reached, mut there) = self.step_to(at, target.unwrap_or(next));
        for expected in [target, Some(next)].into_iter().flatten() {
            if target.is_some() && expected == next {
                there = self.is_at(reached, expected);
            }
            let (goes_on, otherwise) = (self.builder.create_block(), self.builder.create_block());
            self.branch(there, goes_on, otherwise);
            let Some(block) = self.blocks.get(&expected).copied() else {
                // The rest of the block follows where control goes on.
                self.builder.switch_to_block(otherwise);
                self.builder.ins().return_(&[reached]);
                self.builder.switch_to_block(goes_on);
                self.read_registers();
                return Some(next);
            };
            self.builder.switch_to_block(goes_on);
            self.read_registers();
            self.jump(block);
            self.builder.switch_to_block(otherwise);
        }
        self.builder.ins().return_(&[reached]);
        None
    }

    /// The right operand.
    fn right(&mut self, word: Word, constant: bool) -> Value {
        if constant { self.constant(word.c().into()) } else { self.get(word.c()) }
    }

    fn decode_float(&mut self, word: Value) -> Value {
        let turned = self.builder.ins().rotr_imm_s(word, 3);
        let bits = self.builder.ins().iadd_imm_s(turned, -(1 << 60));
        self.builder.ins().bitcast(types::F64, MemFlagsData::new(), bits)
    }

    /// Whether both words are small ints, and whether both are immediate floats.
    fn kinds(&mut self, left: Value, right: Value) -> (Value, Value) {
        let both = self.builder.ins().band(left, right);
        let ints = self.builder.ins().band_imm_s(both, 1);
        let [left, right] = [left, right].map(|word| {
            let tag = self.builder.ins().band_imm_s(word, 3);
            self.builder.ins().icmp_imm_s(IntCC::Equal, tag, 2)
        });
        (ints, self.builder.ins().band(left, right))
    }

    /// Nothing remembers which operands the interpreter met, so there is code for ints and for floats.
    fn arithmetic(&mut self, at: usize, word: Word, operator: Arithmetic, constant: bool) {
        let (left, right) = (self.get(word.b()), self.right(word, constant));
        let (ints, floats) = self.kinds(left, right);
        let [for_ints, for_others, done] = [(); 3].map(|()| self.builder.create_block());
        let result = self.builder.append_block_param(done, types::I64);
        self.branch(ints, for_ints, for_others);

        self.builder.switch_to_block(for_ints);
        let (value, overflow) = match operator {
            Arithmetic::Add => {
                let right = self.builder.ins().iadd_imm_s(right, -1);
                self.builder.ins().sadd_overflow(left, right)
            }
            Arithmetic::Subtract => {
                let right = self.builder.ins().iadd_imm_s(right, -1);
                self.builder.ins().ssub_overflow(left, right)
            }
            Arithmetic::Multiply => {
                let left = self.builder.ins().iadd_imm_s(left, -1);
                let right = self.builder.ins().sshr_imm_s(right, 1);
                let (product, overflow) = self.builder.ins().smul_overflow(left, right);
                (self.builder.ins().bor_imm_s(product, 1), overflow)
            }
        };
        let fits = self.builder.ins().icmp_imm_s(IntCC::Equal, overflow, 0);
        self.guard(fits, at);
        self.builder.ins().jump(done, &[BlockArg::from(value)]);

        self.builder.switch_to_block(for_others);
        self.guard(floats, at);
        let (left, right) = (self.decode_float(left), self.decode_float(right));
        let float = match operator {
            Arithmetic::Add => self.builder.ins().fadd(left, right),
            Arithmetic::Subtract => self.builder.ins().fsub(left, right),
            Arithmetic::Multiply => self.builder.ins().fmul(left, right),
        };
        let bits = self.builder.ins().bitcast(types::I64, MemFlagsData::new(), float);
        let moved = self.builder.ins().iadd_imm_s(bits, 1 << 60);
        let value = self.builder.ins().rotl_imm_s(moved, 3);
        let tag = self.builder.ins().band_imm_s(value, 3);
        let fits = self.builder.ins().icmp_imm_s(IntCC::Equal, tag, 2);
        self.guard(fits, at);
        self.builder.ins().jump(done, &[BlockArg::from(value)]);

        self.builder.switch_to_block(done);
        self.put(word.a(), result);
    }

    /// Whether a comparison holds.
    fn compare(&mut self, at: usize, word: Word, conditions: (IntCC, FloatCC), constant: bool) -> Value {
        let (left, right) = (self.get(word.b()), self.right(word, constant));
        let (ints, floats) = self.kinds(left, right);
        let [for_ints, for_others, done] = [(); 3].map(|()| self.builder.create_block());
        let result = self.builder.append_block_param(done, types::I8);
        self.branch(ints, for_ints, for_others);
        self.builder.switch_to_block(for_ints);
        let holds = self.builder.ins().icmp(conditions.0, left, right);
        self.builder.ins().jump(done, &[BlockArg::from(holds)]);
        self.builder.switch_to_block(for_others);
        self.guard(floats, at);
        let (left, right) = (self.decode_float(left), self.decode_float(right));
        let holds = self.builder.ins().fcmp(conditions.1, left, right);
        self.builder.ins().jump(done, &[BlockArg::from(holds)]);
        self.builder.switch_to_block(done);
        result
    }

    /// The cache of an attribute load that is compiled.
    fn slot(&self, at: usize, word: Word) -> Option<SlotCache> {
        if word.flags() & !(A_LOCAL | LENDS | SEEN_FLOAT | SEEN_OTHER) != 0 {
            return None;
        }
        // SAFETY: the instruction is one.
        unsafe { compiled::slot_cache(&raw const self.code.lowered.words[at]) }
    }

    /// An attribute in a slot of the object. The result's reference is taken, unless the instruction lends: whether it still
    /// does is a guard, for the instruction that borrows would otherwise release what it does not own.
    fn load_slot(&mut self, at: usize, word: Word, cache: &SlotCache) {
        let flags = i64::from(LENDS) << 8;
        let place = self.address(at);
        let place = self.number(place);
        let now = self.load(place, 0);
        let lends = self.builder.ins().band_imm_s(now, flags);
        let unchanged = self.builder.ins().icmp_imm_s(IntCC::Equal, lends, word.encode() as i64 & flags);
        self.guard(unchanged, at);
        let object = self.get(word.b());
        let immediate = self.is_no_object(object);
        let is_object = self.builder.ins().icmp_imm_s(IntCC::Equal, immediate, 0);
        self.guard(is_object, at);
        let shape = self.load_half(object, SHAPE_OFFSET);
        let fits = self.builder.ins().icmp_imm_s(IntCC::Equal, shape, i64::from(cache.shape));
        self.guard(fits, at);
        let ty = self.load(object, TYPE_OFFSET);
        let version = self.load_half(ty, VERSION_OFFSET);
        let fits = self.builder.ins().icmp_imm_s(IntCC::Equal, version, i64::from(cache.version));
        self.guard(fits, at);
        let value = self.load(object, cache.index as i32 * 8);
        self.guard(value, at);
        if word.flags() & LENDS == 0 {
            self.call(self.returns_nothing, compiled::retain_word as *const (), &[value]);
        }
        self.put(word.a(), value);
    }
}
