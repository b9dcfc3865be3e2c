//! The interpreter: runs register code.
//!
//! [`run`] fetches an instruction and lets the [`Machine`] execute it. Handlers are inlined into the one loop; they see
//! raw words, and leave what is rare to `#[cold]` functions that return a word (0: an exception is in flight). The
//! handlers are in the file of their subject:
//!
//! * `arithmetic.rs` operators and comparisons, `names.rs` globals, names and cells, `attribute.rs` attributes and their
//!   inline caches, `items.rs` subscription, `build.rs` containers, strings and functions, `pattern.rs` matching;
//! * `call.rs` calls, and in `call/` the binding of arguments, native functions, spread arguments, returns; `quick.rs` calls
//!   that need none, `iteration.rs` loops and generators, `exceptions.rs` raising and handling, `unwind.rs` the search for a
//!   handler, `import.rs` imports, `count.rs` the counting of instructions.
//!
//! Rules: a handler that may call out stores `pc` in the frame first; owned operands are released when an operation is
//! over, raising or not; a destination is written before what it held is released.

/// Calls an outlined method on a copy of the machine: so the loop's own never has its address taken, and its fields stay
/// in the processor's registers. The copy is read back word by word: a wider load of words that have just been stored one
/// by one would have to wait for the stores.
macro_rules! out {
    ($machine:ident.$method:ident($($arg:expr),* $(,)?)) => {{
        #[allow(unused_mut)]
        let mut copy = *$machine;
        let result = copy.$method($($arg),*);
        $machine.take_back(&copy);
        result
    }};
}

mod arithmetic;
mod attribute;
mod build;
mod call;
#[cfg(feature = "jit")]
pub mod compiled;
mod count;
mod exceptions;
mod import;
mod intrinsics;
mod items;
mod iteration;
mod names;
mod pattern;
mod quick;
#[cfg(feature = "free-threading")]
mod shared;
mod unwind;

use taipan_object::native::Quick;
use taipan_object::{Result, Value, Vm};

use crate::frame::{Frame, Interp, is_pointer, release, release_live, retain, retain_live};
use crate::instruction::{A_LOCAL, B_OWNED, C_OWNED, Fetched, LENDS, Op, VARIANT, VARIANT2, Word, own_lent};

pub(crate) use attribute::describe_cache as describe_attribute_cache;
pub use call::{call_function, eval_code, run_function};
pub(crate) use call::{leave_frame, resume_frame};
pub(crate) use names::describe_global_cache;
#[cfg(feature = "free-threading")]
pub use shared::{Alternation, prepare as prepare_for_threads, runs_beside};
pub(crate) use unwind::find_map;

/// What a handler returns once it has said, by the machine's `pc`, where to go on. There is always something to go on
/// with: exceptions and the end of the loop have instructions of their own ([`WAYS_OUT`]). So nothing has to be looked at
/// between two instructions, and each way out of a handler can have a dispatch jump of its own.
#[must_use]
pub(crate) struct Flow(());

impl Flow {
    pub const NEXT: Flow = Flow(());
}

/// The instructions that unwind, unwind once more, and leave the loop.
static WAYS_OUT: [u64; 3] = [Op::Unwind as u64, Op::UnwindAgain as u64, Op::Leave as u64];

/// The registers of the dispatch loop.
#[derive(Clone, Copy)]
pub(crate) struct Machine<'a> {
    pub vm: &'a Vm,
    pub interp: &'a Interp,
    pub frame: *mut Frame,
    pub pc: *const u64,
    pub regs: *mut u64,
    pub constants: *const u64,
}

/// Views a word in place.
///
/// # Safety
/// `word` is a live value's.
#[inline(always)]
pub(crate) unsafe fn view(word: &u64) -> &Value {
    // SAFETY: by contract.
    unsafe { Value::borrow_word(word) }
}

/// The word of a result, 0 for an exception.
#[inline(always)]
pub(crate) fn word_of(result: Result) -> u64 {
    match result {
        Ok(value) => value.into_word(),
        Err(_) => 0,
    }
}

impl Machine<'_> {
    /// Takes over what an outlined method changed in the machine's copy.
    #[inline(always)]
    fn take_back(&mut self, copy: &Self) {
        // SAFETY: reads of initialized fields. Volatile, since LLVM would join them to loads of two words.
        unsafe {
            self.frame = std::ptr::read_volatile(&raw const copy.frame);
            self.pc = std::ptr::read_volatile(&raw const copy.pc);
            self.regs = std::ptr::read_volatile(&raw const copy.regs);
            self.constants = std::ptr::read_volatile(&raw const copy.constants);
        }
    }

    #[inline(always)]
    pub unsafe fn get(&self, register: u16) -> u64 {
        // SAFETY: the verifier bounds registers by the frame's size.
        unsafe { *self.regs.add(register as usize) }
    }

    #[inline(always)]
    pub unsafe fn put(&self, register: u16, word: u64) {
        // SAFETY: as in `get`.
        unsafe { *self.regs.add(register as usize) = word };
    }

    #[inline(always)]
    pub unsafe fn constant(&self, index: u32) -> u64 {
        // SAFETY: lowering names existing constants only.
        unsafe { *self.constants.add(index as usize) }
    }

    /// Operand `c` of an instruction with a `…K` form.
    #[inline(always)]
    pub unsafe fn right<const K: bool>(&self, w: Fetched) -> u64 {
        // SAFETY: as in `get` and `constant`.
        unsafe { if K { self.constant(w.c() as u32) } else { self.get(w.c()) } }
    }

    /// The word behind the current instruction's first.
    #[inline(always)]
    pub unsafe fn extra(&self, index: usize) -> u64 {
        // SAFETY: lowering emitted as many words as the instruction's row says.
        unsafe { *self.pc.add(index) }
    }

    /// Writes the destination `a`.
    #[inline(always)]
    pub unsafe fn set(&mut self, w: Fetched, word: u64) {
        // SAFETY: registers are in range; a local owns what it held, unless it is a borrowed parameter.
        unsafe {
            let slot = self.regs.add(w.a() as usize);
            if w.flags() & A_LOCAL != 0 {
                let old = *slot;
                *slot = word;
                if is_pointer(old) {
                    self.release_local(w.a(), old);
                }
            } else {
                *slot = word;
            }
        }
    }

    /// Whether local `index` owns its value.
    #[inline(always)]
    pub unsafe fn owns_local(&self, index: u16) -> bool {
        // SAFETY: the frame is alive.
        let borrowed = unsafe { (*self.frame).borrowed };
        index >= 32 || borrowed >> index & 1 == 0
    }

    /// Releases what local `index` held.
    #[inline(always)]
    pub unsafe fn release_local(&self, index: u16, old: u64) {
        // SAFETY: the frame is alive, `old` was the local's.
        unsafe {
            (*self.frame).pc = self.pc;
            // Of locals from 32 on it is the bit of another one, and looked at again.
            if (*self.frame).borrowed >> (index & 31) & 1 != 0 {
                release_borrowed(self.frame, index, old);
            } else {
                release_live(old);
            }
        }
    }

    /// Operand `b` as an owned word: moved out of its register or cloned.
    #[inline(always)]
    pub unsafe fn take_b(&self, w: Fetched) -> u64 {
        // SAFETY: live operand.
        unsafe {
            let word = self.get(w.b());
            if w.flags() & B_OWNED != 0 { word } else { retain_live(word) }
        }
    }

    /// As `take_b`, of a register that may hold null.
    #[inline(always)]
    pub unsafe fn take_any_b(&self, w: Fetched) -> u64 {
        // SAFETY: live operand, or null.
        unsafe {
            let word = self.get(w.b());
            if w.flags() & B_OWNED != 0 { word } else { retain(word) }
        }
    }

    #[inline(always)]
    pub unsafe fn take_c(&self, w: Fetched) -> u64 {
        // SAFETY: live operand.
        unsafe {
            let word = self.get(w.c());
            if w.flags() & C_OWNED != 0 { word } else { retain_live(word) }
        }
    }

    /// Remembers where the frame is, before anything that may raise or call out.
    #[inline(always)]
    pub unsafe fn save(&self) {
        // SAFETY: the current frame is alive.
        unsafe { (*self.frame).pc = self.pc };
    }

    #[inline(always)]
    pub unsafe fn advance(&mut self, words: usize) -> Flow {
        // SAFETY: verified code does not run off its end.
        self.pc = unsafe { self.pc.add(words) };
        Flow::NEXT
    }

    /// Goes on with the search for a handler of the exception in flight. The frame's `pc` is that of the instruction
    /// that raised.
    #[inline(always)]
    pub fn unwind(&mut self) -> Flow {
        self.pc = &raw const WAYS_OUT[0];
        Flow::NEXT
    }

    /// The same, for an exception whose traceback already has this frame.
    #[inline(always)]
    pub fn unwind_again(&mut self) -> Flow {
        self.pc = &raw const WAYS_OUT[1];
        Flow::NEXT
    }

    /// Leaves the loop, whose entry frame is done, with `result`.
    #[inline(always)]
    pub fn leave(&mut self, result: u64) -> Flow {
        self.interp.result.set(result);
        self.pc = &raw const WAYS_OUT[2];
        Flow::NEXT
    }

    /// Whether the loop goes on with code of a frame.
    #[inline(always)]
    pub fn goes_on(&self) -> bool {
        !WAYS_OUT.as_ptr_range().contains(&self.pc)
    }

    #[inline(always)]
    pub unsafe fn jump(&mut self, relative: u64) -> Flow {
        // SAFETY: jump targets are instructions of the same code.
        self.pc = unsafe { self.pc.offset(relative as u32 as i32 as isize) };
        Flow::NEXT
    }

    /// Ends an instruction of `words` words whose result (0: raised) goes to `a`.
    #[inline(always)]
    pub unsafe fn finish(&mut self, w: Fetched, result: u64, words: usize) -> Flow {
        if result == 0 {
            return self.unwind();
        }
        // SAFETY: live result.
        unsafe {
            self.set(w, result);
            self.advance(words)
        }
    }

    /// Continues in `frame`, at its `pc`.
    #[inline(always)]
    pub unsafe fn load(&mut self, frame: *mut Frame) {
        // SAFETY: a live frame whose code was lowered.
        unsafe {
            self.frame = frame;
            self.pc = (*frame).pc;
            self.regs = (*frame).regs;
            self.constants = (*(*frame).code).constants.get();
            self.interp.frame.set(frame);
        }
    }

    /// From now on the current instruction takes a reference to its result, which the next one then owns. As that in turn may
    /// end what it lends, so do all that follow.
    #[cold]
    #[inline(never)]
    pub unsafe fn stop_lending(&mut self) {
        // SAFETY: a lender is followed by the instruction that it lends to. Caches and flags are written in place.
        unsafe {
            #[cfg(feature = "free-threading")]
            if taipan_object::count::is_shared() {
                let Flow(()) = self.again_alone();
            }
            let mut at = self.pc.cast_mut();
            while Word::decode(*at).flags() & LENDS != 0 {
                let word = Word::decode(*at);
                let Some(op) = Op::from_u8(word.op()) else { return };
                *at = word.without(LENDS).with_op(op.unquickened()).encode();
                at = at.add(op.len());
                if Word::decode(*at).op() == Op::Count as u8 {
                    at = at.add(1);
                }
                let next = Word::decode(*at);
                let Some(op) = Op::from_u8(next.op()).map(Op::unquickened) else { return };
                *at = next.with_flags(own_lent(next.flags())).with_op(op).encode();
                if !matches!(op, Op::LoadAttr | Op::Subscr | Op::SubscrK) {
                    break;
                }
            }
        }
    }

    /// Before a bytecode instruction of debug code.
    #[inline(always)]
    pub unsafe fn boundary(&mut self, w: Fetched) -> Flow {
        // SAFETY: the current frame is alive; a report may move its `pc` to another boundary.
        unsafe {
            let previous = (*self.frame).pc;
            self.save();
            if crate::monitoring::is_quiet(self.extra(1)) {
                self.interp.raised_at.set(None);
            } else if crate::monitoring::watching() {
                if crate::monitoring::boundary(self.vm, self.interp, self.frame, previous, w.bc()).is_err() {
                    return self.unwind();
                }
                self.pc = (*self.frame).pc;
            }
            self.advance(Op::Boundary.len())
        }
    }

    #[inline(always)]
    pub fn frame(&self) -> &Frame {
        // SAFETY: the current frame is alive.
        unsafe { &*self.frame }
    }
}

/// Releases what a local held which is borrowed, or whose number is beyond the mask of those that are.
///
/// # Safety
/// The frame is alive, `old` was the local's.
#[inline(never)]
unsafe fn release_borrowed(frame: *mut Frame, index: u16, old: u64) {
    // SAFETY: by contract.
    unsafe {
        if index < 32 {
            (*frame).borrowed &= !(1 << index);
        } else {
            release_live(old);
        }
    }
}

/// Releases the owned ones of two operands.
///
/// # Safety
/// `flags` are those of the instruction whose operands these are.
#[inline(always)]
pub(crate) unsafe fn release_operands(flags: u8, b: u64, c: u64) {
    // SAFETY: by contract.
    unsafe {
        if flags & B_OWNED != 0 {
            release_live(b);
        }
        if flags & C_OWNED != 0 {
            release_live(c);
        }
    }
}

/// As [`release_operands`], for the operations after which CPython drops the right operand first.
///
/// # Safety
/// As there.
#[inline(always)]
pub(crate) unsafe fn release_right_first(flags: u8, b: u64, c: u64) {
    // SAFETY: by contract.
    unsafe {
        if flags & C_OWNED != 0 {
            release_live(c);
        }
        if flags & B_OWNED != 0 {
            release_live(b);
        }
    }
}

/// The arms of an eval loop; each begins with what is given. There `$name` is a constant, the arm's (first) opcode.
macro_rules! arms {
    (
        $op:ident, |$m:ident = $machine:ident, $w:ident = $word:ident, $name:ident| $before:block;
        $($(Op::$arm:ident)|+ => $body:expr),* $(,)?
    ) => {
        match $op {
            $($(Op::$arm)|+ => {
                {
                    const ARM: Op = [$(Op::$arm),+][0];
                    #[allow(unused)]
                    let ($m, $w) = (&mut *$machine, $word);
                    arms!(@constant $name = ARM, $before);
                }
                $body
            })*
        }
    };
    (@constant $name:ident = $arm:ident, $before:block) => {
        #[allow(unused)]
        const $name: Op = $arm;
        $before
    };
}

/// Makes a loop that runs `entry`, whose `pc` is set and which has [`crate::frame::FRAME_ENTRY`], until it returns or yields
/// (the word of the value) or raises (0). What is given is done before each instruction, and when the loop is left; opcodes are read
/// by the method named.
///
/// # Safety
/// (of the function) The frame is the current one, complete, and verified code is at its `pc`.
macro_rules! eval_loop {
    ($(#[$doc:meta])* $visibility:vis fn $name:ident by $opcode:ident, |$m:ident, $w:ident, $op:ident| $before:block, |$left:ident| $leave:block) => {
        $(#[$doc])*
        #[inline(never)]
        $visibility unsafe fn $name(vm: &Vm, interp: &Interp, entry: *mut Frame) -> u64 {
            // SAFETY: the handlers rely on what the verifier proved of the code that runs; see their files.
            unsafe {
                let mut machine = Machine {
                    vm,
                    interp,
                    frame: entry,
                    pc: (*entry).pc,
                    regs: (*entry).regs,
                    constants: (*(*entry).code).constants.get(),
                };
                let m = &mut machine;
                loop {
                    let w = Fetched::at(m.pc);
                    #[cfg(feature = "stats")]
                    out!(m.note(w.word()));
                    // SAFETY of the transmute: register code holds only opcodes that lowering wrote.
                    let op: Op = std::mem::transmute::<u8, Op>(w.$opcode());
                    let Flow(()) = arms! { op, |$m = m, $w = w, $op| $before;
                        Op::Move => {
                            let word = m.take_any_b(w);
                            m.set(w, word);
                            m.advance(1)
                        },
                        Op::Borrow => {
                            m.put(w.a(), m.get(w.b()));
                            m.advance(1)
                        },
                        Op::BorrowPair => {
                            let (first, second) = (m.get(w.b()), m.get(w.c()));
                            m.put(w.a(), first);
                            m.put(w.a() + 1, second);
                            m.advance(1)
                        },
                        Op::BorrowLocalConst => {
                            let (first, second) = (m.get(w.b()), m.constant(w.c() as u32));
                            m.put(w.a(), first);
                            m.put(w.a() + 1, second);
                            m.advance(1)
                        },
                        Op::BorrowConstLocal => {
                            let (first, second) = (m.constant(w.b() as u32), m.get(w.c()));
                            m.put(w.a(), first);
                            m.put(w.a() + 1, second);
                            m.advance(1)
                        },
                        Op::BorrowConstPair => {
                            let (first, second) = (m.constant(w.b() as u32), m.constant(w.c() as u32));
                            m.put(w.a(), first);
                            m.put(w.a() + 1, second);
                            m.advance(1)
                        },
                        Op::Own => {
                            retain(m.get(w.a()));
                            m.advance(1)
                        },
                        Op::LoadConst => {
                            let word = m.constant(w.bc());
                            if w.flags() & B_OWNED != 0 {
                                retain_live(word);
                            }
                            m.set(w, word);
                            m.advance(1)
                        },
                        Op::LoadNull => {
                            m.put(w.a(), 0);
                            m.advance(1)
                        },
                        Op::LoadCommonConstant => out!(m.load_common_constant(w)),
                        Op::Release => {
                            let word = m.get(w.b());
                            if is_pointer(word) {
                                m.save();
                                release(word);
                            }
                            m.advance(1)
                        },
                        Op::Swap => {
                            let (b, c) = (m.get(w.b()), m.get(w.c()));
                            m.put(w.b(), c);
                            m.put(w.c(), b);
                            m.advance(1)
                        },
                        Op::CheckBound => {
                            if m.get(w.b()) == 0 {
                                m.save();
                                names::raise_unbound(vm, m.frame(), w.b());
                                m.unwind()
                            } else {
                                m.advance(1)
                            }
                        },
                        Op::CheckCell => out!(m.check_cell(w)),
                        Op::DeleteFast => {
                            let old = m.get(w.b());
                            m.put(w.b(), 0);
                            if is_pointer(old) {
                                m.release_local(w.b(), old);
                            }
                            m.advance(1)
                        },
                        Op::LoadFastAndClear => out!(m.load_fast_and_clear(w)),
                        Op::StoreFastMaybeNull => {
                            let word = m.take_any_b(w);
                            m.set(w, word);
                            m.advance(1)
                        },

                        Op::MakeCell => out!(m.make_cell(w)),
                        Op::CopyFreeVars => out!(m.copy_free_vars(w)),
                        Op::LoadDeref => m.load_deref(w),
                        Op::StoreDeref => m.store_deref(w),
                        Op::DeleteDeref => out!(m.delete_deref(w)),
                        Op::LoadGlobal => m.load_global(w),
                        Op::LoadModuleGlobal => m.load_known_global::<false>(w),
                        Op::LoadBuiltin => m.load_known_global::<true>(w),
                        Op::StoreGlobal => out!(m.store_global(w)),
                        Op::DeleteGlobal => out!(m.delete_global(w)),
                        Op::LoadName => out!(m.load_name(w)),
                        Op::StoreName => out!(m.store_name(w)),
                        Op::DeleteName => out!(m.delete_name(w)),
                        Op::LoadLocals => out!(m.load_locals(w)),
                        Op::LoadFromDictOrDeref => out!(m.load_from_dict_or_deref(w)),
                        Op::LoadFromDictOrGlobals => out!(m.load_from_dict_or_globals(w)),
                        Op::LoadBuildClass => out!(m.load_build_class(w)),
                        Op::SetupAnnotations => out!(m.setup_annotations()),

                        Op::Add => m.add::<false>(w),
                        Op::AddK => m.add::<true>(w),
                        Op::Subtract => m.subtract::<false>(w),
                        Op::SubtractK => m.subtract::<true>(w),
                        Op::Multiply => m.multiply::<false>(w),
                        Op::MultiplyK => m.multiply::<true>(w),
                        Op::And => m.bit_and::<false>(w),
                        Op::AndK => m.bit_and::<true>(w),
                        Op::Or => m.bit_or::<false>(w),
                        Op::OrK => m.bit_or::<true>(w),
                        Op::Xor => m.bit_xor::<false>(w),
                        Op::XorK => m.bit_xor::<true>(w),
                        Op::FloorDivide => m.floor_divide::<false>(w),
                        Op::FloorDivideK => m.floor_divide::<true>(w),
                        Op::Remainder => m.remainder::<false>(w),
                        Op::RemainderK => m.remainder::<true>(w),
                        Op::Lshift => m.shift_left::<false>(w),
                        Op::LshiftK => m.shift_left::<true>(w),
                        Op::Rshift => m.shift_right::<false>(w),
                        Op::RshiftK => m.shift_right::<true>(w),
                        Op::TrueDivide => m.true_divide::<false>(w),
                        Op::TrueDivideK => m.true_divide::<true>(w),
                        Op::Power | Op::MatrixMultiply => m.binary_slow::<false>(w),
                        Op::PowerK | Op::MatrixMultiplyK => m.binary_slow::<true>(w),
                        Op::Subscr => m.subscr::<false>(w),
                        Op::SubscrK => m.subscr::<true>(w),
                        Op::Negative => m.negative(w),
                        Op::Positive | Op::Invert => m.unary_slow(w),
                        Op::Not => m.not(w),
                        Op::ToBool => m.to_bool(w),

                        Op::CompareLt => m.compare::<false, 0>(w),
                        Op::CompareLe => m.compare::<false, 1>(w),
                        Op::CompareEq => m.compare::<false, 2>(w),
                        Op::CompareNe => m.compare::<false, 3>(w),
                        Op::CompareGt => m.compare::<false, 4>(w),
                        Op::CompareGe => m.compare::<false, 5>(w),
                        Op::CompareLtK => m.compare::<true, 0>(w),
                        Op::CompareLeK => m.compare::<true, 1>(w),
                        Op::CompareEqK => m.compare::<true, 2>(w),
                        Op::CompareNeK => m.compare::<true, 3>(w),
                        Op::CompareGtK => m.compare::<true, 4>(w),
                        Op::CompareGeK => m.compare::<true, 5>(w),
                        Op::Is => m.is(w),
                        Op::Contains => m.contains::<false>(w),
                        Op::ContainsK => m.contains::<true>(w),

                        Op::Jump => m.jump(w.bc() as u64),
                        Op::JumpBackward => {
                            let flow = m.jump_backward(w);
                            #[cfg(feature = "jit")]
                            let flow = m.at_loop_head(flow);
                            flow
                        },
                        Op::JumpIf => m.jump_if(w),
                        Op::JumpIfNone => m.jump_if_none(w),
                        Op::JumpIfLt => m.jump_if_compare::<false, 0>(w),
                        Op::JumpIfLe => m.jump_if_compare::<false, 1>(w),
                        Op::JumpIfEq => m.jump_if_compare::<false, 2>(w),
                        Op::JumpIfNe => m.jump_if_compare::<false, 3>(w),
                        Op::JumpIfGt => m.jump_if_compare::<false, 4>(w),
                        Op::JumpIfGe => m.jump_if_compare::<false, 5>(w),
                        Op::JumpIfLtK => m.jump_if_compare::<true, 0>(w),
                        Op::JumpIfLeK => m.jump_if_compare::<true, 1>(w),
                        Op::JumpIfEqK => m.jump_if_compare::<true, 2>(w),
                        Op::JumpIfNeK => m.jump_if_compare::<true, 3>(w),
                        Op::JumpIfGtK => m.jump_if_compare::<true, 4>(w),
                        Op::JumpIfGeK => m.jump_if_compare::<true, 5>(w),
                        Op::JumpIfIs => m.jump_if_is(w),
                        Op::JumpIfContains => m.jump_if_contains::<false>(w),
                        Op::JumpIfContainsK => m.jump_if_contains::<true>(w),
                        Op::JumpIfExcMatch => out!(m.jump_if_exc_match(w)),

                        Op::LoadAttr => m.load_attr(w),
                        Op::LoadMethod => m.load_method(w),
                        Op::LoadSlot => m.load_slot::<false>(w),
                        Op::LendSlot => m.load_slot::<true>(w),
                        Op::LoadOwnMethod => m.load_own_method::<false>(w),
                        Op::LoadMovedMethod => m.load_own_method::<true>(w),
                        Op::LoadNamespace => m.load_namespace::<false>(w),
                        Op::LoadFunction => m.load_namespace::<true>(w),
                        Op::StoreSlot => m.store_slot(w),
                        Op::StoreNewSlot => m.store_new_slot(w),
                        Op::StoreAttr => m.store_attr::<false>(w),
                        Op::StoreAttrK => m.store_attr::<true>(w),
                        Op::DeleteAttr => out!(m.delete_attr(w)),
                        Op::LoadSuperAttr => out!(m.load_super_attr(w)),
                        Op::LoadSpecial => m.load_special(w),
                        Op::StoreSubscr => m.store_subscr::<false>(w),
                        Op::StoreSubscrK => m.store_subscr::<true>(w),
                        Op::DeleteSubscr => out!(m.delete_subscr(w)),
                        Op::BinarySlice => out!(m.binary_slice(w)),
                        Op::StoreSlice => out!(m.store_slice(w)),
                        Op::ImportName => out!(m.import_name(w)),
                        Op::ImportFrom => out!(m.import_from(w)),

                        Op::BuildTuple => out!(m.build_tuple(w)),
                        Op::BuildList => out!(m.build_list(w)),
                        Op::BuildSet => out!(m.build_set(w)),
                        Op::BuildMap => out!(m.build_map(w)),
                        Op::BuildString => out!(m.build_string(w)),
                        Op::BuildSlice => out!(m.build_slice(w)),
                        Op::BuildTemplate => out!(m.build_template(w)),
                        Op::BuildInterpolation => out!(m.build_interpolation(w)),
                        Op::ConvertValue => out!(m.convert_value(w)),
                        Op::FormatSimple => out!(m.format_simple(w)),
                        Op::FormatWithSpec => out!(m.format_with_spec(w)),
                        Op::ListAppend => m.list_append(w),
                        Op::ListExtend => out!(m.list_extend(w)),
                        Op::SetAdd => out!(m.set_add(w)),
                        Op::SetUpdate => out!(m.set_update(w)),
                        Op::MapAdd => out!(m.map_add(w)),
                        Op::DictUpdate => out!(m.dict_update(w)),
                        Op::DictMerge => out!(m.dict_merge(w)),
                        Op::KeywordDict => out!(m.keyword_dict(w)),
                        Op::UnpackSequence => out!(m.unpack_sequence(w)),
                        Op::UnpackToLocals => out!(m.unpack_to_locals(w)),
                        Op::UnpackToMany => out!(m.unpack_to_many(w)),
                        Op::UnpackEx => out!(m.unpack_ex(w)),
                        Op::MakeFunction => out!(m.make_function(w)),
                        Op::SetFunctionAttribute => out!(m.set_function_attribute(w)),

                        Op::Call => m.call(w),
                        Op::CallFunction => m.call_exactly::<false>(w),
                        Op::CallMethod => m.call_exactly::<true>(w),
                        Op::CallLen => m.call_quick(w, Quick::Len, 1),
                        Op::CallIsInstance => m.call_quick(w, Quick::IsInstance, 2),
                        Op::CallNative => m.call_native_exactly(w),
                        Op::CallNativeMethod => m.call_native_method(w),
                        Op::CallListAppend => m.call_list_append(w),
                        Op::CallKw => out!(m.call_kw(w)),
                        Op::CallFunctionEx => out!(m.call_function_ex(w)),
                        Op::CallIntrinsic1 => out!(m.call_intrinsic_1(w)),
                        Op::CallIntrinsic2 => out!(m.call_intrinsic_2(w)),
                        Op::Return => {
                            let word = m.take_b(w);
                            m.do_return(word)
                        },
                        Op::ReturnConst => {
                            let word = retain_live(m.constant(w.bc()));
                            m.do_return(word)
                        },

                        Op::GetIter => out!(m.get_iter(w)),
                        Op::ForIter => m.for_iter(w),
                        Op::ForIterList => m.for_iter_list(w),
                        Op::ForIterRange => m.for_iter_range(w),
                        Op::ForIterGenerator => m.for_iter_generator(w),
                        Op::ForIterNative => m.for_iter_native(w),
                        Op::GetLen => out!(m.get_len(w)),
                        Op::GetYieldFromIter => out!(m.get_yield_from_iter(w)),
                        Op::GetAwaitable => m.get_awaitable(w),
                        Op::GetAiter => out!(m.get_aiter(w)),
                        Op::GetAnext => out!(m.get_anext(w)),
                        Op::ReturnGenerator => out!(m.return_generator()),
                        Op::YieldValue => m.yield_value(w),
                        Op::Send => m.send(w),
                        Op::CleanupThrow => out!(m.cleanup_throw(w)),
                        Op::EndAsyncFor => out!(m.end_async_for(w)),

                        Op::Raise => out!(m.raise(w)),
                        Op::RaiseOne => out!(m.raise_one(w)),
                        Op::RaiseAgain => out!(m.raise_again()),
                        Op::Reraise => out!(m.reraise(w)),
                        Op::PushExcInfo => out!(m.push_exc_info(w)),
                        Op::PopExcept => out!(m.pop_except(w)),
                        Op::CheckExcMatch => out!(m.check_exc_match(w)),
                        Op::CheckEgMatch => out!(m.check_eg_match(w)),
                        Op::WithExceptStart => out!(m.with_except_start(w)),

                        Op::MatchMapping => out!(m.match_flag(w, taipan_object::types::type_flags::MAPPING)),
                        Op::MatchSequence => out!(m.match_flag(w, taipan_object::types::type_flags::SEQUENCE)),
                        Op::MatchKeys => out!(m.match_keys(w)),
                        Op::MatchClass => out!(m.match_class(w)),

                        Op::Boundary => m.boundary(w),

                        Op::Unwind | Op::UnwindAgain => {
                            let handler = unwind::unwind(vm, interp, m.frame, w.op() == Op::Unwind as u8);
                            if handler.is_null() {
                                return 0;
                            }
                            m.load(handler);
                            Flow::NEXT
                        },
                        Op::Leave => {
                            {
                                let $left = &mut *m;
                                $leave
                            }
                            return interp.result.take();
                        },
                        Op::Count => out!(m.count(w)),
                    };
                }
            }
        }
    };
}

#[cfg(not(feature = "free-threading"))]
eval_loop! {
    /// Runs a frame.
    pub(crate) fn run by op_alone, |_m, _w, _OP| {}, |_m| {}
}

#[cfg(feature = "jit")]
eval_loop! {
    /// Executes an instruction for compiled code: see [`compiled::step`].
    fn run_step by op_alone, |m, _w, _OP| {
        if out!(m.step_is_done()) {
            return compiled::DONE;
        }
    }, |_m| {}
}

/// What the loops return if the current frame is to go on in the other one: the word of no value.
#[cfg(feature = "free-threading")]
const SWITCH: u64 = 8;

/// Runs a frame, in one loop while there are no other threads and in another while there are.
///
/// # Safety
/// As of the loops.
#[cfg(feature = "free-threading")]
pub(crate) unsafe fn run(vm: &Vm, interp: &Interp, entry: *mut Frame) -> u64 {
    let mut frame = entry;
    loop {
        // SAFETY: by contract; what a loop left is the current frame.
        let result = unsafe {
            if taipan_object::vm::world::is_parallel() {
                shared::run_beside(vm, interp, frame)
            } else {
                run_alone(vm, interp, frame)
            }
        };
        if result != SWITCH {
            return result;
        }
        frame = interp.frame.get();
    }
}

#[cfg(feature = "free-threading")]
eval_loop! {
    /// Runs a frame while the thread is alone.
    fn run_alone by op_alone, |_m, _w, _OP| {}, |m| {
        if m.interp.alternation.switching.replace(false) {
            return SWITCH;
        }
    }
}

#[cfg(feature = "free-threading")]
eval_loop! {
    /// Runs a frame beside other threads.
    fn run_shared by op, |m, w, OP| {
        match shared::before::<{ shared::class(OP) as u8 }>(m, w) {
            shared::Next::Execute => {}
            shared::Next::Skip(words) => {
                m.pc = m.pc.add(words);
                continue;
            }
            shared::Next::Leave => return SWITCH,
        }
    }, |m| {
        if m.interp.alternation.switching.replace(false) {
            m.load(m.interp.frame.get());
            continue;
        }
    }
}

/// Whether an instruction's variant bit is set.
#[inline(always)]
pub(crate) fn variant(w: Fetched) -> bool {
    w.flags() & VARIANT != 0
}

#[inline(always)]
pub(crate) fn variant2(w: Fetched) -> bool {
    w.flags() & VARIANT2 != 0
}
