//! Register code: the instructions that the interpreter runs, declared once.
//!
//! An instruction is one 64-bit word {op: 8, flags: 8, a: 16, b: 16, c: 16}, followed by as many words as its row of
//! [`instruction_table!`] says. Registers are the slots of one frame window: first localsplus, then the operand stack,
//! so that every stack slot of the bytecode *is* a register. Operands named in the rows:
//!
//! * `dst`: written. With [`A_LOCAL`] it is a local, whose old value is released once the new one is in place;
//!   otherwise it is a stack register that holds nothing.
//! * `src`: read. A local is borrowed; a stack register that the instruction must release or move on has its
//!   [`B_OWNED`] or [`C_OWNED`] bit set. A raising instruction has consumed its owned operands, too.
//! * `peek`: a stack register that is read and stays. `base`: the first of several consecutive registers.
//! * `local`: a local as such (not its value). `name`, `const`: an index into `co_names`, into the constants.
//! * a `…32` operand takes the place of `b` and `c`.
//!
//! Further words: `jump` (relative to the instruction's own first word, in the low 32 bits), `cache` (an inline cache,
//! zero until it is filled), `mask` (which registers of a call from `base` on are borrowed: low 32 bits; high 32 bits:
//! constant index of the keyword names plus one), `imm`, `dests` (up to four 16-bit registers).
//!
//! In brackets: whether it may call Python code, raise, run the collector. Dropping a reference counts as calling.

use std::sync::atomic::AtomicU8;
use std::sync::atomic::Ordering::Relaxed;

/// Hands all rows to the macro named.
#[macro_export]
macro_rules! instruction_table {
    ($with:ident) => {
        $with! {
            // Moves.
            /// `a = b`; clones unless `b` is owned.
            Move(dst, src) [] (call collect);
            /// `a = b` without taking a reference.
            Borrow(dst, src) [] ();
            /// Two borrows: `a = b`, `a + 1 = c`.
            BorrowPair(dst, src, src) [] ();
            /// The same of locals and constants, in the order that the name says.
            BorrowLocalConst(dst, src, const) [] ();
            BorrowConstLocal(dst, const, src) [] ();
            BorrowConstPair(dst, const, const) [] ();
            /// Turns the borrowed reference in `a` into an owned one.
            Own(peek) [] ();
            /// `a` = constant; takes a reference if B_OWNED.
            LoadConst(dst, const32) [] (call collect);
            /// `a` = null.
            LoadNull(dst) [] ();
            /// `a` = the object numbered `c`.
            LoadCommonConstant(dst, none, imm) [] (call collect);
            /// Releases `b`, which may be null.
            Release(none, src) [] (call collect);
            /// Exchanges two registers.
            Swap(none, peek, peek) [] ();
            /// Raises UnboundLocalError unless local `b` is bound.
            CheckBound(none, local) [] (raise);
            /// Raises SystemError unless local `b` is a cell.
            CheckCell(none, local) [] (raise);
            /// Unbinds local `b`, which must be bound.
            DeleteFast(none, local) [] (call raise collect);
            /// Moves local `b`, which may be unbound, to `a`; the local becomes unbound.
            LoadFastAndClear(dst, local) [] ();
            /// Stores `b`, which may be null, in local `a`.
            StoreFastMaybeNull(dst, src) [] (call collect);

            // Cells and names.
            /// Turns local `a` into a cell that holds its value.
            MakeCell(local) [] (raise collect);
            /// Puts the closure's `c` cells into the last locals.
            CopyFreeVars(none, none, imm) [] (raise);
            /// The content of cell `b`.
            LoadDeref(dst, local) [] (raise call collect);
            StoreDeref(none, src, local) [] (call collect);
            DeleteDeref(none, local) [] (call raise collect);
            LoadGlobal(dst, name32) [cache, cache] (call raise collect);
            /// LoadGlobal without flags, whose cache is that of a global or of a built-in name: never emitted, but written in its
            /// place.
            LoadModuleGlobal(dst, name32) [cache, cache] (call raise collect);
            LoadBuiltin(dst, name32) [cache, cache] (call raise collect);
            StoreGlobal(none, src, name) [] (call raise collect);
            DeleteGlobal(none, none, name) [] (call raise collect);
            LoadName(dst, name32) [] (call raise collect);
            StoreName(none, src, name) [] (call raise collect);
            DeleteName(none, none, name) [] (call raise collect);
            LoadLocals(dst) [] (raise collect);
            LoadFromDictOrDeref(dst, src, local) [] (call raise collect);
            LoadFromDictOrGlobals(dst, src, name) [] (call raise collect);
            LoadBuildClass(dst) [] (call raise collect);
            SetupAnnotations() [] (call raise collect);

            // Arithmetic. VARIANT: in place. The flags' feedback bits record what was met besides small ints.
            Add(dst, src, src) [] (call raise collect);
            And(dst, src, src) [] (call raise collect);
            FloorDivide(dst, src, src) [] (call raise collect);
            Lshift(dst, src, src) [] (call raise collect);
            MatrixMultiply(dst, src, src) [] (call raise collect);
            Multiply(dst, src, src) [] (call raise collect);
            Remainder(dst, src, src) [] (call raise collect);
            Or(dst, src, src) [] (call raise collect);
            Power(dst, src, src) [] (call raise collect);
            Rshift(dst, src, src) [] (call raise collect);
            Subtract(dst, src, src) [] (call raise collect);
            TrueDivide(dst, src, src) [] (call raise collect);
            Xor(dst, src, src) [] (call raise collect);
            Subscr(dst, src, src) [] (call raise collect);
            // The same with a constant on the right.
            AddK(dst, src, const) [] (call raise collect);
            AndK(dst, src, const) [] (call raise collect);
            FloorDivideK(dst, src, const) [] (call raise collect);
            LshiftK(dst, src, const) [] (call raise collect);
            MatrixMultiplyK(dst, src, const) [] (call raise collect);
            MultiplyK(dst, src, const) [] (call raise collect);
            RemainderK(dst, src, const) [] (call raise collect);
            OrK(dst, src, const) [] (call raise collect);
            PowerK(dst, src, const) [] (call raise collect);
            RshiftK(dst, src, const) [] (call raise collect);
            SubtractK(dst, src, const) [] (call raise collect);
            TrueDivideK(dst, src, const) [] (call raise collect);
            XorK(dst, src, const) [] (call raise collect);
            SubscrK(dst, src, const) [] (call raise collect);
            Negative(dst, src) [] (call raise collect);
            Positive(dst, src) [] (call raise collect);
            Invert(dst, src) [] (call raise collect);
            Not(dst, src) [] (call raise collect);
            ToBool(dst, src) [] (call raise collect);

            // Comparisons. VARIANT: the result is made a bool.
            CompareLt(dst, src, src) [] (call raise collect);
            CompareLe(dst, src, src) [] (call raise collect);
            CompareEq(dst, src, src) [] (call raise collect);
            CompareNe(dst, src, src) [] (call raise collect);
            CompareGt(dst, src, src) [] (call raise collect);
            CompareGe(dst, src, src) [] (call raise collect);
            CompareLtK(dst, src, const) [] (call raise collect);
            CompareLeK(dst, src, const) [] (call raise collect);
            CompareEqK(dst, src, const) [] (call raise collect);
            CompareNeK(dst, src, const) [] (call raise collect);
            CompareGtK(dst, src, const) [] (call raise collect);
            CompareGeK(dst, src, const) [] (call raise collect);
            /// VARIANT: `is not`.
            Is(dst, src, src) [] (call collect);
            /// `b in c`. VARIANT: `not in`.
            Contains(dst, src, src) [] (call raise collect);
            ContainsK(dst, src, const) [] (call raise collect);

            // Jumps. The conditional ones jump if the condition's truth equals VARIANT.
            Jump(none, jump32) [] ();
            /// A loop's back edge: a safepoint.
            JumpBackward(none, jump32) [] (call raise collect);
            JumpIf(none, src) [jump] (call raise collect);
            JumpIfNone(none, src) [jump] (call collect);
            JumpIfLt(none, src, src) [jump] (call raise collect);
            JumpIfLe(none, src, src) [jump] (call raise collect);
            JumpIfEq(none, src, src) [jump] (call raise collect);
            JumpIfNe(none, src, src) [jump] (call raise collect);
            JumpIfGt(none, src, src) [jump] (call raise collect);
            JumpIfGe(none, src, src) [jump] (call raise collect);
            JumpIfLtK(none, src, const) [jump] (call raise collect);
            JumpIfLeK(none, src, const) [jump] (call raise collect);
            JumpIfEqK(none, src, const) [jump] (call raise collect);
            JumpIfNeK(none, src, const) [jump] (call raise collect);
            JumpIfGtK(none, src, const) [jump] (call raise collect);
            JumpIfGeK(none, src, const) [jump] (call raise collect);
            JumpIfIs(none, src, src) [jump] (call collect);
            JumpIfContains(none, src, src) [jump] (call raise collect);
            JumpIfContainsK(none, src, const) [jump] (call raise collect);
            /// Jumps if the exception `b` (which stays) matches the type `c`.
            JumpIfExcMatch(none, src, src) [jump] (call raise collect);

            // Attributes, items, imports.
            LoadAttr(dst, src, name) [cache, cache] (call raise collect);
            /// `a`, `a + 1` = method and `self`, or attribute and null. VARIANT: `self` is borrowed from `b`. The last word is the method
            /// itself, in the forms for just such a cache.
            LoadMethod(dst, src, name) [cache, cache, cache] (call raise collect);
            /// LoadAttr that neither lends nor releases anything but what was in `a`, and whose cache is that of a slot: never
            /// emitted, but written in its place.
            LoadSlot(dst, src, name) [cache, cache] (call raise collect);
            /// LoadAttr that lends and releases nothing, whose cache is that of a slot: as above, like all that follow.
            LendSlot(dst, src, name) [cache, cache] (call raise collect);
            /// LoadMethod with no flag but VARIANT, whose cache is that of a method.
            LoadOwnMethod(dst, src, name) [cache, cache, cache] (call raise collect);
            /// LoadMethod of an operand that is owned or lent, whose cache is that of a method.
            LoadMovedMethod(dst, src, name) [cache, cache, cache] (call raise collect);
            /// LoadAttr as LoadSlot, and LoadMethod of an operand that is lent, whose cache is that of a value in a class or module.
            LoadNamespace(dst, src, name) [cache, cache] (call raise collect);
            LoadFunction(dst, src, name) [cache, cache, cache] (call raise collect);
            /// StoreAttr whose cache is that of a slot, and of a new one.
            StoreSlot(name, src, src) [cache, cache] (call raise collect);
            StoreNewSlot(name, src, src) [cache, cache] (call raise collect);
            StoreAttr(name, src, src) [cache, cache] (call raise collect);
            StoreAttrK(name, src, const) [cache, cache] (call raise collect);
            DeleteAttr(none, src, name) [] (call raise collect);
            /// `b` … `b + 2` are `super`, class and self. VARIANT: as a method (to `a` and `a + 1`); VARIANT2: `super`
            /// has two arguments.
            LoadSuperAttr(dst, base, name) [] (call raise collect);
            /// Special method `c` of `b` and its `self` (or null) to `a` and `a + 1`.
            LoadSpecial(dst, src, imm) [cache] (call raise collect);
            /// `b[c] = a`; A_LOCAL stands for "a is owned".
            StoreSubscr(src, src, src) [] (call raise collect);
            StoreSubscrK(src, src, const) [] (call raise collect);
            DeleteSubscr(none, src, src) [] (call raise collect);
            /// `a = b[b + 1 : b + 2]`.
            BinarySlice(dst, base) [] (call raise collect);
            /// `(b + 1)[b + 2 : b + 3] = b`.
            StoreSlice(none, base) [] (call raise collect);
            /// Level `b`, list of names `c`.
            ImportName(dst, src, src) [name] (call raise collect);
            ImportFrom(dst, peek, name) [] (call raise collect);

            // Making things.
            BuildTuple(dst, base, imm) [] (raise collect);
            BuildList(dst, base, imm) [] (raise collect);
            BuildSet(dst, base, imm) [] (call raise collect);
            /// `c` pairs.
            BuildMap(dst, base, imm) [] (call raise collect);
            BuildString(dst, base, imm) [] (call raise collect);
            BuildSlice(dst, base, imm) [] (call raise collect);
            /// `b`, `b + 1` are strings and interpolations.
            BuildTemplate(dst, base) [] (call raise collect);
            /// Value, expression and, if VARIANT, format from `b` on; conversion `c`.
            BuildInterpolation(dst, base, imm) [] (call raise collect);
            ConvertValue(dst, src, imm) [] (call raise collect);
            FormatSimple(dst, src) [] (call raise collect);
            FormatWithSpec(dst, src, src) [] (call raise collect);
            ListAppend(none, peek, src) [] (call raise collect);
            ListExtend(none, peek, src) [] (call raise collect);
            SetAdd(none, peek, src) [] (call raise collect);
            SetUpdate(none, peek, src) [] (call raise collect);
            /// `a[b] = c`.
            MapAdd(peek, src, src) [] (call raise collect);
            DictUpdate(none, peek, src) [] (call raise collect);
            /// Keyword arguments `c` into `b` for a call of `a`.
            DictMerge(peek, peek, src) [] (call raise collect);
            /// The keyword arguments `c` for a call of `b`: a new dict, or `c` itself if it is an exact dict, which the call will
            /// only read.
            KeywordDict(dst, peek, src) [] (call raise collect);
            /// `c` items to the registers from `a` on, the first one to the last register.
            UnpackSequence(dst, src, imm) [] (call raise collect);
            /// At most four items into locals, the first to the first.
            UnpackToLocals(none, src, imm) [dests] (call raise collect);
            /// The same for at most twelve.
            UnpackToMany(none, src, imm) [dests, dests, dests] (call raise collect);
            /// `c & 0xff` items before and `c >> 8` after the starred one; the first to the last register.
            UnpackEx(dst, src) [imm] (call raise collect);
            MakeFunction(dst, src) [] (call raise collect);
            /// Attribute `b` of the function `c`, which moves to `a`.
            SetFunctionAttribute(dst, src, src) [imm] (call raise collect);

            // Calls. `b` is the callable, `b + 1` its `self` or null, the arguments follow.
            /// `c` arguments. VARIANT: there is no `self`, whatever the register holds.
            Call(dst, base, imm) [mask] (call raise collect);
            /// Call of a Python function that takes just what is given, without `self` and with it: never emitted, but written in
            /// place of Call.
            CallFunction(dst, base, imm) [mask] (call raise collect);
            CallMethod(dst, base, imm) [mask] (call raise collect);
            /// Call of `len` or `isinstance`, or of another native function or method that takes just what is given; of `list.append`.
            CallLen(dst, base, imm) [mask] (call raise collect);
            CallIsInstance(dst, base, imm) [mask] (call raise collect);
            CallNative(dst, base, imm) [mask] (call raise collect);
            CallNativeMethod(dst, base, imm) [mask] (call raise collect);
            CallListAppend(dst, base, imm) [mask] (call raise collect);
            /// The same; the last arguments are named by the constant in `mask` or by the tuple behind the arguments.
            CallKw(dst, base, imm) [mask] (call raise collect);
            /// `b`: callable, null, tuple, dict. VARIANT: without dict.
            CallFunctionEx(dst, base) [] (call raise collect);
            CallIntrinsic1(dst, src, imm) [] (call raise collect);
            /// `b` and `b + 1`.
            CallIntrinsic2(dst, base, imm) [] (call raise collect);
            Return(none, src) [] (call collect);
            ReturnConst(none, const32) [] (call collect);

            // Iteration, generators, coroutines.
            GetIter(dst, src) [] (call raise collect);
            /// The next value of `b`, or a jump. VARIANT: the next instruction takes the value apart as a pair.
            ForIter(dst, peek) [jump] (call raise collect);
            /// ForIter without VARIANT over a list or a range: never emitted, but written in its place.
            ForIterList(dst, peek) [jump] (call raise collect);
            ForIterRange(dst, peek) [jump] (call raise collect);
            /// The same over a generator, and over any other native iterator.
            ForIterGenerator(dst, peek) [jump] (call raise collect);
            ForIterNative(dst, peek) [jump] (call raise collect);
            GetLen(dst, peek) [] (call raise collect);
            GetYieldFromIter(dst, src) [] (call raise collect);
            GetAwaitable(dst, src, imm) [] (call raise collect);
            GetAiter(dst, src) [] (call raise collect);
            GetAnext(dst, peek) [] (call raise collect);
            ReturnGenerator(dst) [] (raise collect);
            /// Yields `b`; on resumption `a` is the value sent. VARIANT: on behalf of `yield from` or `await`.
            YieldValue(dst, src) [] (call raise collect);
            /// Sends `c` into `b`, which stays: `a` is what it yields, or what it returned, with a jump.
            Send(dst, peek, src) [jump] (call raise collect);
            /// `b`, `b + 1`, `b + 2`: receiver, last value sent, exception; `a`, `a + 1` = None, value.
            CleanupThrow(dst, base) [] (call raise collect);
            /// `b`, `b + 1`: awaitable, exception.
            EndAsyncFor(none, base) [] (call raise collect);

            // Exceptions.
            /// `b` exception, `c` cause.
            Raise(none, src, src) [] (call raise collect);
            RaiseOne(none, src) [] (call raise collect);
            RaiseAgain() [] (raise);
            /// VARIANT: the position is to become that in `c`.
            Reraise(none, src, peek) [] (raise);
            /// `a` holds an exception: `a + 1` = it, `a` = the one handled before.
            PushExcInfo(peek) [] ();
            PopExcept(none, src) [] (call collect);
            CheckExcMatch(dst, src, src) [] (call raise collect);
            /// `b` exception, `b + 1` type: `a`, `a + 1` = rest, match.
            CheckEgMatch(dst, base) [] (call raise collect);
            /// `b`: exit function, its self or null, position, exception before, exception.
            WithExceptStart(dst, base) [] (call raise collect);

            // Pattern matching.
            MatchMapping(dst, peek) [] ();
            MatchSequence(dst, peek) [] ();
            MatchKeys(dst, peek, peek) [] (call raise collect);
            /// `b`: subject, type, names; `c` positional patterns.
            MatchClass(dst, base, imm) [] (call raise collect);

            // Debug lowering only.
            /// Stands before the instructions of the bytecode at unit `bc`: tracing and monitoring look in here.
            Boundary(none, imm32) [cache] (call raise collect);
            // Counting lowering only.
            /// Stands before the code's instruction number `bc`, and counts it.
            Count(none, imm32) [] ();

            // Never emitted: where a handler sends the loop when there is nothing to go on with.
            /// An exception is in flight; the frame's `pc` is that of the instruction that raised.
            Unwind() [] (call raise collect);
            /// The same, but the traceback already has this frame.
            UnwindAgain() [] (call raise collect);
            /// The entry frame is done.
            Leave() [] ();
        }
    };
}

/// What an operand of an instruction is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(non_camel_case_types)]
pub enum Operand {
    dst,
    src,
    peek,
    base,
    local,
    name,
    r#const,
    imm,
    none,
    const32,
    name32,
    jump32,
    imm32,
}

/// What a word behind an instruction's first holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(non_camel_case_types)]
pub enum Extra {
    jump,
    cache,
    mask,
    imm,
    name,
    dests,
}

/// Effects: may run Python code, if only by releasing a reference.
pub const EFFECT_CALL: u8 = 1;
/// May raise.
pub const EFFECT_RAISE: u8 = 2;
/// May run the collector.
pub const EFFECT_COLLECT: u8 = 4;

macro_rules! effect {
    (call) => {
        EFFECT_CALL
    };
    (raise) => {
        EFFECT_RAISE
    };
    (collect) => {
        EFFECT_COLLECT
    };
}

macro_rules! define_op { ($(
    $(#[$doc:meta])*
    $name:ident($($operand:tt),*) [$($extra:ident),*] ($($effect:ident)*);
)*) => {
    /// A register instruction.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    #[repr(u8)]
    pub enum Op { $( $(#[$doc])* $name, )* }

    impl Op {
        pub const ALL: &'static [Op] = &[$(Op::$name),*];

        pub const fn name(self) -> &'static str {
            match self { $(Op::$name => stringify!($name),)* }
        }

        pub const fn operands(self) -> &'static [Operand] {
            match self { $(Op::$name => &[$(operand!($operand)),*],)* }
        }

        pub const fn extras(self) -> &'static [Extra] {
            match self { $(Op::$name => &[$(Extra::$extra),*],)* }
        }

        /// The instruction in whose place this one is written; itself, if it is emitted.
        pub const fn unquickened(self) -> Op {
            match self {
                Op::LoadSlot | Op::LendSlot | Op::LoadNamespace => Op::LoadAttr,
                Op::LoadOwnMethod | Op::LoadMovedMethod | Op::LoadFunction => Op::LoadMethod,
                Op::StoreSlot | Op::StoreNewSlot => Op::StoreAttr,
                Op::CallFunction | Op::CallMethod | Op::CallLen | Op::CallIsInstance => Op::Call,
                Op::CallNative | Op::CallNativeMethod => Op::Call,
                Op::CallListAppend => Op::Call,
                Op::LoadModuleGlobal | Op::LoadBuiltin => Op::LoadGlobal,
                Op::ForIterList | Op::ForIterRange | Op::ForIterGenerator | Op::ForIterNative => Op::ForIter,
                op => op,
            }
        }

        #[inline(always)]
        pub const fn effects(self) -> u8 {
            Self::EFFECTS[self as usize]
        }

        const EFFECTS: [u8; Op::ALL.len()] = [$(0 $(| effect!($effect))*),*];
        const LENGTHS: [u8; Op::ALL.len()] = {
            let mut lengths = [1; Op::ALL.len()];
            let mut at = 0;
            while at < lengths.len() {
                lengths[at] += Op::ALL[at].extras().len() as u8;
                at += 1;
            }
            lengths
        };
    }
}}

macro_rules! operand {
    (const) => {
        Operand::r#const
    };
    ($name:ident) => {
        Operand::$name
    };
}

instruction_table!(define_op);

impl Op {
    pub const fn from_u8(number: u8) -> Option<Op> {
        if (number as usize) < Op::ALL.len() { Some(Op::ALL[number as usize]) } else { None }
    }

    /// Whether it is an operator of numbers with two operands, a comparison, or a jump on one.
    pub const fn is_binary(self) -> bool {
        let number = self as u8;
        (number >= Op::Add as u8 && number <= Op::Xor as u8)
            || (number >= Op::AddK as u8 && number <= Op::XorK as u8)
            || (number >= Op::CompareLt as u8 && number <= Op::CompareGeK as u8)
            || (number >= Op::JumpIfLt as u8 && number <= Op::JumpIfGeK as u8)
    }

    /// Words, the first included.
    pub const fn len(self) -> usize {
        Self::LENGTHS[self as usize] as usize
    }
}

/// Operand `b` is a stack register that the instruction consumes.
pub const B_OWNED: u8 = 1;
/// Operand `c` is a stack register that the instruction consumes.
pub const C_OWNED: u8 = 2;
/// `a` is a local: its old value is released. (For a source operand `a`: it is owned.)
pub const A_LOCAL: u8 = 4;
/// What it means, the instruction's row says.
pub const VARIANT: u8 = 8;
pub const VARIANT2: u8 = 16;
/// Of [`Op::LoadGlobal`], [`Op::LoadAttr`] and [`Op::Subscr`]: the reference of the result is not taken, since the next
/// instruction only looks at it. Whatever has another result than one that something else holds meanwhile, first clears this
/// and the next instruction's [`LENT`] for good (`Machine::stop_lending`).
pub const LENDS: u8 = VARIANT;
/// Operand `b` is the result of such an instruction: its reference has yet to be taken if anything happens before the operand
/// has been used; then it is owned ([`own_lent`]).
pub const LENT: u8 = VARIANT2;

/// Flags of an instruction for which the reference to its operand has been taken if it was lent.
#[inline(always)]
pub const fn own_lent(flags: u8) -> u8 {
    if flags & LENT != 0 { flags & !LENT | B_OWNED } else { flags }
}

/// Feedback: floats were met. (Of instructions with quick forms: half of a count.)
pub const SEEN_FLOAT: u8 = 0x40;
/// Feedback: objects other than small ints and floats were met.
pub const SEEN_OTHER: u8 = 0x80;
/// Of instructions with quick forms: how often the instruction was written in place as one that then did not fit. One that has been so
/// too often stays what it is.
pub const FAILURES: u8 = SEEN_FLOAT | SEEN_OTHER;
pub const ONE_FAILURE: u8 = SEEN_FLOAT;

/// An instruction's first word. Its parts are taken out where they are needed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Word(u64);

impl Word {
    #[inline(always)]
    pub const fn new(op: Op, flags: u8, a: u16, b: u16, c: u16) -> Word {
        Word(op as u64 | (flags as u64) << 8 | (a as u64) << 16 | (b as u64) << 32 | (c as u64) << 48)
    }

    #[inline(always)]
    pub const fn decode(word: u64) -> Word {
        Word(word)
    }

    #[inline(always)]
    pub const fn encode(self) -> u64 {
        self.0
    }

    #[inline(always)]
    pub const fn op(self) -> u8 {
        self.0 as u8
    }

    #[inline(always)]
    pub const fn flags(self) -> u8 {
        (self.0 >> 8) as u8
    }

    #[inline(always)]
    pub const fn a(self) -> u16 {
        (self.0 >> 16) as u16
    }

    #[inline(always)]
    pub const fn b(self) -> u16 {
        (self.0 >> 32) as u16
    }

    #[inline(always)]
    pub const fn c(self) -> u16 {
        (self.0 >> 48) as u16
    }

    /// The same instruction with another opcode, of the same operands.
    #[inline(always)]
    pub const fn with_op(self, op: Op) -> Word {
        Word(self.0 & !0xFF | op as u64)
    }

    /// The same instruction with these flags.
    #[inline(always)]
    pub const fn with_flags(self, flags: u8) -> Word {
        Word(self.0 & !0xFF00 | (flags as u64) << 8)
    }

    /// The same instruction without `flags`.
    #[inline(always)]
    pub const fn without(self, flags: u8) -> Word {
        Word(self.0 & !((flags as u64) << 8))
    }

    /// Whether it releases its operand `b`.
    #[inline(always)]
    pub const fn releases_b(self) -> bool {
        self.flags() & B_OWNED != 0
    }

    /// The same instruction with local `local` as its destination.
    pub const fn to_local(self, local: u16) -> Word {
        Word(self.0 & !0xFFFF_0000 | (local as u64) << 16 | (A_LOCAL as u64) << 8)
    }

    /// `b` and `c` as one operand.
    #[inline(always)]
    pub const fn bc(self) -> u32 {
        (self.0 >> 32) as u32
    }
}

/// An instruction that is being executed: where it is. Its parts are loaded from there when they are needed, which takes one
/// machine instruction where cutting them out of a word takes three, and none for those that a handler does not ask for.
#[derive(Clone, Copy)]
pub struct Fetched {
    at: *const u16,
    /// The reference to a lent operand has been taken: see [`Fetched::settled`].
    settled: bool,
}

impl Fetched {
    /// The instruction at `pc`.
    ///
    /// # Safety
    /// Register code is there, and stays for as long as the result is used. Opcode and flags may be rewritten, operands are not.
    #[inline(always)]
    pub unsafe fn at(pc: *const u64) -> Fetched {
        // SAFETY: by contract.
        Fetched { at: pc.cast(), settled: false }
    }

    /// Its first word.
    #[inline(always)]
    pub fn word(self) -> Word {
        // SAFETY: as in `part`.
        Word(unsafe { *self.at.cast::<u64>() }).with_flags(self.flags())
    }

    /// Its opcode. Atomic, as another thread may be writing a quick form in its place ([`write_op`]).
    #[inline(always)]
    pub fn op(self) -> u8 {
        // SAFETY: as in `part`.
        unsafe { AtomicU8::from_ptr(self.at.cast_mut().cast()).load(Relaxed) }
    }

    /// Its opcode, while no other thread runs. Volatile, as LLVM would load it together with the flags; and of an atomic load it would
    /// extend the byte once more.
    #[inline(always)]
    pub fn op_alone(self) -> u8 {
        // SAFETY: as in `part`.
        unsafe { self.at.cast::<u8>().read_volatile() }
    }

    /// Its flags, as they are now: those that may be rewritten are asked for before anything that could do it.
    #[inline(always)]
    pub fn flags(self) -> u8 {
        // SAFETY: as in `part`.
        let flags = unsafe { *self.at.cast::<u8>().add(1) };
        if self.settled { own_lent(flags) } else { flags }
    }

    /// Whether it is one that is settled, and has had to take the reference to its operand.
    #[inline(always)]
    pub fn was_lent(self) -> bool {
        // SAFETY: as in `part`.
        self.settled && unsafe { *self.at.cast::<u8>().add(1) } & LENT != 0
    }

    /// The same instruction, now that it has taken the reference to its operand if that is lent.
    #[inline(always)]
    pub fn settled(self) -> Fetched {
        Fetched { settled: true, ..self }
    }

    #[inline(always)]
    fn part(self, index: usize) -> u16 {
        // SAFETY: a word has four parts, and it is still there by the contract of `at`. Volatile, as LLVM would otherwise cut the
        // operands out of the whole word.
        unsafe { self.at.add(index).read_volatile() }
    }

    #[inline(always)]
    pub fn a(self) -> u16 {
        self.part(1)
    }

    #[inline(always)]
    pub fn b(self) -> u16 {
        self.part(2)
    }

    #[inline(always)]
    pub fn c(self) -> u16 {
        self.part(3)
    }

    /// `b` and `c` as one operand.
    #[inline(always)]
    pub fn bc(self) -> u32 {
        // SAFETY: as in `part`; the second half of a word is aligned for it.
        unsafe { self.at.add(2).cast::<u32>().read_volatile() }
    }

    /// Whether it releases its operand `b`.
    #[inline(always)]
    pub fn releases_b(self) -> bool {
        self.flags() & B_OWNED != 0
    }
}

/// Writes another opcode, of the same operands and further words, in place of the instruction at `pc`. Other threads may be
/// executing either meanwhile.
///
/// # Safety
/// Register code is there, of which nobody has a shared reference to the word.
#[inline(always)]
pub unsafe fn write_op(pc: *const u64, op: Op) {
    // SAFETY: by contract. The opcode is the first byte.
    unsafe { AtomicU8::from_ptr(pc.cast_mut().cast()).store(op as u8, Relaxed) };
}

/// What the operands of an instruction are called in a text.
pub trait Names {
    fn register(&self, number: u16) -> String;
    fn name(&self, index: u32) -> String;
    fn constant(&self, index: u32) -> String;
}

/// Names that tell no more than the numbers.
struct Numbers;

impl Names for Numbers {
    fn register(&self, number: u16) -> String {
        format!("r{number}")
    }

    fn name(&self, index: u32) -> String {
        format!("name{index}")
    }

    fn constant(&self, index: u32) -> String {
        format!("k{index}")
    }
}

/// Writes the instruction at `at` of `words` as text: `Add r3 <- r1, r4*` (`*`: consumed).
pub fn disassemble(words: &[u64], at: usize) -> String {
    let Some(op) = Op::from_u8(words[at] as u8) else { return format!("?{:#x}", words[at]) };
    op.name().to_string() + &operands(op, words, at, &Numbers)
}

/// The operands of the instruction at `at` of `words`, `op`, as text: each with a space before it.
pub fn operands(op: Op, words: &[u64], at: usize, names: &dyn Names) -> String {
    use std::fmt::Write;
    let word = Word::decode(words[at]);
    let mut text = String::new();
    let owned = |bit: u8| if word.flags() & bit != 0 { "*" } else { "" };
    let fields = [(word.a(), A_LOCAL), (word.b(), B_OWNED), (word.c(), C_OWNED)];
    for (index, operand) in op.operands().iter().enumerate() {
        let (value, bit) = fields[index];
        let _ = match operand {
            Operand::none => Ok(()),
            Operand::dst => write!(text, " {} <-", names.register(value)),
            Operand::src => write!(text, " {}{}", names.register(value), owned(bit)),
            Operand::peek | Operand::local => write!(text, " {}", names.register(value)),
            Operand::base => write!(text, " {}..", names.register(value)),
            Operand::name => write!(text, " {}", names.name(value.into())),
            Operand::r#const => write!(text, " {}", names.constant(value.into())),
            Operand::imm => write!(text, " #{value}"),
            Operand::const32 => write!(text, " {}{}", names.constant(word.bc()), owned(B_OWNED)),
            Operand::name32 => write!(text, " {}", names.name(word.bc())),
            Operand::jump32 => write!(text, " -> {}", at as i64 + word.bc() as i32 as i64),
            Operand::imm32 => write!(text, " #{}", word.bc()),
        };
    }
    if word.flags() & VARIANT != 0 {
        text.push_str(" +v");
    }
    if word.flags() & VARIANT2 != 0 {
        text.push_str(" +v2");
    }
    for (index, extra) in op.extras().iter().enumerate() {
        let value = words[at + 1 + index];
        let _ = match extra {
            Extra::jump => write!(text, " -> {}", at as i64 + value as u32 as i32 as i64),
            Extra::cache => Ok(()),
            Extra::mask => {
                let keywords = value >> 32;
                let borrowed = if value as u32 == 0 && keywords == 0 {
                    Ok(())
                } else {
                    write!(text, " borrowed {:#b}", value as u32)
                };
                borrowed.and_then(|()| match keywords {
                    0 => Ok(()),
                    _ => write!(text, " names {}", names.constant(keywords as u32 - 1)),
                })
            }
            Extra::imm => write!(text, " #{value}"),
            Extra::name => write!(text, " {}", names.name(value as u32)),
            Extra::dests => (0..word.c().saturating_sub(4 * index as u16).min(4))
                .try_for_each(|item| write!(text, " {}", names.register((value >> (16 * item)) as u16))),
        };
    }
    text
}

/// All of `words`, one instruction a line with its index.
pub fn disassemble_all(words: &[u64]) -> String {
    let mut text = String::new();
    let mut at = 0;
    while at < words.len() {
        text.push_str(&format!("{at:4} {}\n", disassemble(words, at)));
        at += Op::from_u8(words[at] as u8).map_or(1, Op::len);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_round_trip() {
        let word = Word::new(Op::Add, B_OWNED | A_LOCAL, 1, 0xFFFF, 0x8001);
        assert_eq!(Word::decode(word.encode()), word);
    }

    #[test]
    fn numbers_lead_back() {
        assert!(Op::ALL.len() <= 256);
        for &op in Op::ALL {
            assert_eq!(Op::from_u8(op as u8), Some(op));
        }
    }
}
