//! Operators, comparisons and the jumps that depend on them.
//!
//! Small ints are compared and, mostly, computed as words: the tag bit is the lowest, so order is kept.

use taipan_object::builtins::dict::Dict;
use taipan_object::builtins::float;
use taipan_object::builtins::str::{self, Str};
use taipan_object::builtins::tuple::Tuple;
use taipan_object::header::Header;
use taipan_object::types::slot_dispatch::{DUNDERS, Dunder};
use taipan_object::types::slots::CompareOp;
use taipan_object::vm::quick_compare::{compare_text, quick_equal};
use taipan_object::{Result, Value, Vm};

use super::{Flow, Machine, leave_frame, quick, release_operands, release_right_first, variant, view, word_of};
use crate::frame::FRAME_SWITCH;
use crate::function::Function;
use crate::instruction::{A_LOCAL, Fetched, Op, VARIANT, Word};

#[inline(always)]
fn both_ints(b: u64, c: u64) -> bool {
    b & c & 1 != 0
}

#[inline(always)]
fn both_floats(b: u64, c: u64) -> bool {
    b & 3 == 2 && c & 3 == 2
}

#[inline(always)]
fn decode_float(word: u64) -> f64 {
    f64::from_bits(word.rotate_right(3).wrapping_sub(1 << 60))
}

/// The word of an immediate float, or something else (see `Value::immediate_float`).
#[inline(always)]
fn encode_float(value: f64) -> Option<u64> {
    let word = value.to_bits().wrapping_add(1 << 60).rotate_left(3);
    if word & 3 == 2 { Some(word) } else { None }
}

/// The word of a small int, if `value` is one.
#[inline(always)]
fn encode_int(value: i64) -> Option<u64> {
    let word = (value as u64) << 1 | 1;
    if word as i64 >> 1 == value { Some(word) } else { None }
}

macro_rules! arithmetic {
    ($name:ident, |$a:ident, $b:ident| $int:expr, |$x:ident, $y:ident| $float:expr) => {
        #[inline(always)]
        pub unsafe fn $name<const K: bool>(&mut self, w: Fetched) -> Flow {
            // SAFETY: operands are live; immediates carry no count, so nothing is to be released.
            unsafe {
                let ($a, $b) = (self.get(w.b()), self.right::<K>(w));
                if both_ints($a, $b) {
                    if let Some(word) = $int {
                        self.set(w, word);
                        return self.advance(1);
                    }
                } else if both_floats($a, $b) {
                    let ($x, $y) = (decode_float($a), decode_float($b));
                    if let Some(word) = encode_float($float) {
                        self.set(w, word);
                        return self.advance(1);
                    }
                }
                self.binary_slow::<K>(w)
            }
        }
    };
}

macro_rules! int_arithmetic {
    ($name:ident, |$a:ident, $b:ident| $int:expr) => {
        #[inline(always)]
        pub unsafe fn $name<const K: bool>(&mut self, w: Fetched) -> Flow {
            // SAFETY: operands are live; immediates carry no count, so nothing is to be released.
            unsafe {
                let ($a, $b) = (self.get(w.b()), self.right::<K>(w));
                if both_ints($a, $b)
                    && let Some(word) = $int
                {
                    self.set(w, word);
                    return self.advance(1);
                }
                self.binary_slow::<K>(w)
            }
        }
    };
}

#[inline(always)]
fn floor_divide_ints(a: u64, b: u64) -> Option<u64> {
    let (a, b) = (a as i64 >> 1, b as i64 >> 1);
    if b == 0 {
        return None;
    }
    let (quotient, remainder) = (a / b, a % b);
    encode_int(if remainder != 0 && (remainder < 0) != (b < 0) { quotient - 1 } else { quotient })
}

#[inline(always)]
fn remainder_ints(a: u64, b: u64) -> Option<u64> {
    let (a, b) = (a as i64 >> 1, b as i64 >> 1);
    if b == 0 {
        return None;
    }
    let remainder = a % b;
    encode_int(if remainder != 0 && (remainder < 0) != (b < 0) { remainder + b } else { remainder })
}

#[inline(always)]
fn shift_left_ints(a: u64, b: u64) -> Option<u64> {
    let (value, count) = (a as i64 >> 1, b as i64 >> 1);
    if !(0..62).contains(&count) {
        return None;
    }
    let shifted = value << count;
    if shifted >> count == value { encode_int(shifted) } else { None }
}

#[inline(always)]
fn shift_right_ints(a: u64, b: u64) -> Option<u64> {
    let count = b as i64 >> 1;
    if count < 0 { None } else { Some((a as i64 >> count.min(62)) as u64 | 1) }
}

/// Exact as long as both operands are.
#[inline(always)]
fn true_divide_ints(a: u64, b: u64) -> Option<u64> {
    let (a, b) = (a as i64 >> 1, b as i64 >> 1);
    const EXACT: std::ops::RangeInclusive<i64> = -(1 << 53)..=1 << 53;
    if b == 0 || !EXACT.contains(&a) || !EXACT.contains(&b) {
        return None;
    }
    encode_float(a as f64 / b as f64)
}

impl Machine<'_> {
    arithmetic!(add, |a, b| (a as i64).checked_add(b as i64 - 1).map(|sum| sum as u64), |x, y| x + y);
    arithmetic!(subtract, |a, b| (a as i64).checked_sub(b as i64 - 1).map(|sum| sum as u64), |x, y| x - y);
    arithmetic!(
        multiply,
        |a, b| (a as i64 - 1).checked_mul(b as i64 >> 1).map(|product| product as u64 | 1),
        |x, y| x * y
    );
    int_arithmetic!(bit_and, |a, b| Some(a & b));
    int_arithmetic!(bit_or, |a, b| Some(a | b));
    int_arithmetic!(bit_xor, |a, b| Some(a ^ b | 1));
    int_arithmetic!(floor_divide, |a, b| floor_divide_ints(a, b));
    int_arithmetic!(remainder, |a, b| remainder_ints(a, b));
    int_arithmetic!(shift_left, |a, b| shift_left_ints(a, b));
    int_arithmetic!(shift_right, |a, b| shift_right_ints(a, b));

    #[inline(always)]
    pub unsafe fn true_divide<const K: bool>(&mut self, w: Fetched) -> Flow {
        // SAFETY: operands are live; immediates carry no count.
        unsafe {
            let (b, c) = (self.get(w.b()), self.right::<K>(w));
            let quotient = if both_floats(b, c) {
                encode_float(decode_float(b) / decode_float(c))
            } else if both_ints(b, c) {
                true_divide_ints(b, c)
            } else {
                None
            };
            match quotient {
                Some(word) => {
                    self.set(w, word);
                    self.advance(1)
                }
                None => self.binary_slow::<K>(w),
            }
        }
    }

    /// Any binary operator, by way of the types' slots.
    #[inline(always)]
    pub unsafe fn binary_slow<const K: bool>(&mut self, w: Fetched) -> Flow {
        // SAFETY: live operands.
        unsafe {
            self.save();
            let (b, c) = (self.get(w.b()), self.right::<K>(w));
            if b & 7 == 0 && (*(b as *const Header)).ty().is_heap_type() && out!(self.enter_operator(w, b, c)) {
                return Flow::NEXT;
            }
            // `s = s + t` where the local alone refers to the string.
            if matches!(Op::from_u8(w.op()), Some(Op::Add | Op::AddK))
                && w.flags() & A_LOCAL != 0
                && w.a() == w.b()
                && self.owns_local(w.a())
                && let Some(result) = str::concat_in_place(self.vm, view(&b), view(&c))
            {
                release_operands(w.flags(), 1, c);
                return self.finish(w, word_of(result), 1);
            }
            let result = binary(self.vm, w.word().encode(), b, c);
            self.finish(w, result, 1)
        }
    }

    /// Enters the method of an operator's left operand, if it is a Python function and comes first; otherwise nothing has
    /// happened. The operands stay in their registers until it is done ([`Machine::operator_return`]).
    #[inline(never)]
    unsafe fn enter_operator(&mut self, w: Fetched, b: u64, c: u64) -> bool {
        // SAFETY: live operands, which the frame borrows.
        unsafe {
            let Some(dunder) = dunder_of(w) else { return false };
            let Some(method) = dunder.left_method(view(&b), view(&c), variant(w)) else { return false };
            if method.downcast_exact::<Function>().is_none() || crate::monitoring::watching() {
                return false;
            }
            self.call_operator(method.into_word(), b, c)
        }
    }

    /// Ends the frame of an operator's method with `result`: the operands are released, and the result is the
    /// instruction's unless it is `NotImplemented`.
    #[inline(never)]
    pub(super) unsafe fn operator_return(&mut self, mut result: u64) -> Flow {
        // SAFETY: the frame is current and has FRAME_OPERATOR; the frame below is at the operator's instruction.
        unsafe {
            let switching = (*self.frame).flags & FRAME_SWITCH != 0;
            leave_frame(self.interp, self.frame);
            self.load(self.interp.frame.get());
            let w = Fetched::at(self.pc);
            let (b, c) = self.operator_operands(w);
            if result == Value::NOT_IMPLEMENTED.into_word()
                && let Some(dunder) = dunder_of(w)
            {
                result = word_of(dunder.declined(self.vm, view(&b), view(&c), variant(w)));
            }
            release_operands(w.flags(), b, c);
            let flow = self.finish(w, result, 1);
            if switching && self.goes_on() {
                self.switch();
            }
            flow
        }
    }

    /// The operands of the operator at which the machine is.
    unsafe fn operator_operands(&self, w: Fetched) -> (u64, u64) {
        // SAFETY: the registers and constants exist.
        unsafe {
            let constant = w.op() >= Op::AddK as u8 && w.op() <= Op::XorK as u8;
            (self.get(w.b()), if constant { self.right::<true>(w) } else { self.right::<false>(w) })
        }
    }

    #[inline(always)]
    pub unsafe fn negative(&mut self, w: Fetched) -> Flow {
        // SAFETY: live operand.
        unsafe {
            let b = self.get(w.b());
            if b & 1 != 0
                && let Some(word) = 2i64.checked_sub(b as i64)
            {
                self.set(w, word as u64);
                return self.advance(1);
            }
            if b & 3 == 2
                && let Some(word) = encode_float(-decode_float(b))
            {
                self.set(w, word);
                return self.advance(1);
            }
            self.unary_slow(w)
        }
    }

    #[inline(always)]
    pub unsafe fn unary_slow(&mut self, w: Fetched) -> Flow {
        // SAFETY: live operand.
        unsafe {
            self.save();
            let result = unary(self.vm, w.word().encode(), self.get(w.b()));
            self.finish(w, result, 1)
        }
    }

    /// The truth value of `b`, which is released if owned; 0: raised, 1: false, 2: true.
    #[inline(always)]
    unsafe fn truth(&mut self, w: Fetched, b: u64) -> u64 {
        if b == Value::TRUE.word() {
            return 2;
        }
        if b == Value::FALSE.word() || b == Value::NONE.word() {
            return 1;
        }
        if b & 1 != 0 {
            return 1 + (b != 1) as u64;
        }
        // SAFETY: live operand.
        unsafe {
            self.save();
            truth(self.vm, w.flags(), b)
        }
    }

    #[inline(always)]
    pub unsafe fn to_bool(&mut self, w: Fetched) -> Flow {
        // SAFETY: live operand.
        unsafe {
            let b = self.get(w.b());
            let truth = self.truth(w, b);
            self.finish(w, bool_word(truth), 1)
        }
    }

    #[inline(always)]
    pub unsafe fn not(&mut self, w: Fetched) -> Flow {
        // SAFETY: live operand.
        unsafe {
            let b = self.get(w.b());
            let truth = self.truth(w, b);
            self.finish(w, if truth == 0 { 0 } else { bool_word(3 - truth) }, 1)
        }
    }

    #[inline(always)]
    pub unsafe fn compare<const K: bool, const OP: u8>(&mut self, w: Fetched) -> Flow {
        // SAFETY: live operands.
        unsafe {
            let (b, c) = (self.get(w.b()), self.right::<K>(w));
            let holds = if both_ints(b, c) {
                holds_ints::<OP>(b, c)
            } else if both_floats(b, c) {
                holds_floats::<OP>(decode_float(b), decode_float(c))
            } else {
                self.save();
                let result = compare_values(self.vm, w.word().encode(), b, c, OP);
                return self.finish(w, result, 1);
            };
            self.set(w, Value::bool(holds).into_word());
            self.advance(1)
        }
    }

    #[inline(always)]
    pub unsafe fn jump_if_compare<const K: bool, const OP: u8>(&mut self, w: Fetched) -> Flow {
        // SAFETY: live operands.
        unsafe {
            let (b, c) = (self.get(w.b()), self.right::<K>(w));
            let holds = if both_ints(b, c) {
                holds_ints::<OP>(b, c)
            } else if both_floats(b, c) {
                holds_floats::<OP>(decode_float(b), decode_float(c))
            } else {
                self.save();
                match compare_truth(self.vm, w.word().encode(), b, c, OP) {
                    0 => return self.unwind(),
                    truth => truth == 2,
                }
            };
            self.branch(w, holds)
        }
    }

    /// Jumps if `condition` is what the variant bit asks for.
    #[inline(always)]
    pub unsafe fn branch(&mut self, w: Fetched, condition: bool) -> Flow {
        // SAFETY: conditional jumps have a jump word.
        unsafe { if condition == variant(w) { self.jump(self.extra(1)) } else { self.advance(2) } }
    }

    #[inline(always)]
    pub unsafe fn jump_if(&mut self, w: Fetched) -> Flow {
        // SAFETY: live operand.
        unsafe {
            let b = self.get(w.b());
            match self.truth(w, b) {
                0 => self.unwind(),
                truth => self.branch(w, truth == 2),
            }
        }
    }

    #[inline(always)]
    pub unsafe fn jump_if_none(&mut self, w: Fetched) -> Flow {
        // SAFETY: live operand, released if owned.
        unsafe {
            let b = self.get(w.b());
            if w.flags() & crate::instruction::B_OWNED != 0 && crate::frame::is_pointer(b) {
                self.save();
                crate::frame::release(b);
            }
            self.branch(w, b == Value::NONE.word())
        }
    }

    #[inline(always)]
    pub unsafe fn is(&mut self, w: Fetched) -> Flow {
        // SAFETY: live operands.
        unsafe {
            let (b, c) = (self.get(w.b()), self.get(w.c()));
            let same = view(&b).is(view(&c));
            self.save();
            release_right_first(w.flags(), b, c);
            self.set(w, Value::bool(same != variant(w)).into_word());
            self.advance(1)
        }
    }

    #[inline(always)]
    pub unsafe fn jump_if_is(&mut self, w: Fetched) -> Flow {
        // SAFETY: live operands.
        unsafe {
            let (b, c) = (self.get(w.b()), self.get(w.c()));
            let same = view(&b).is(view(&c));
            self.save();
            release_right_first(w.flags(), b, c);
            self.branch(w, same)
        }
    }

    #[inline(always)]
    pub unsafe fn contains<const K: bool>(&mut self, w: Fetched) -> Flow {
        // SAFETY: live operands.
        unsafe {
            self.save();
            let truth = contains(self.vm, w.flags(), self.get(w.b()), self.right::<K>(w));
            if truth == 0 {
                return self.unwind();
            }
            self.set(w, Value::bool((truth == 2) != variant(w)).into_word());
            self.advance(1)
        }
    }

    #[inline(always)]
    pub unsafe fn jump_if_contains<const K: bool>(&mut self, w: Fetched) -> Flow {
        // SAFETY: live operands.
        unsafe {
            self.save();
            match contains(self.vm, w.flags(), self.get(w.b()), self.right::<K>(w)) {
                0 => self.unwind(),
                truth => self.branch(w, truth == 2),
            }
        }
    }
}

/// 0, 1 or 2 as null, False or True.
#[inline(always)]
fn bool_word(truth: u64) -> u64 {
    match truth {
        0 => 0,
        1 => Value::FALSE.into_word(),
        _ => Value::TRUE.into_word(),
    }
}

#[inline(always)]
fn holds_ints<const OP: u8>(b: u64, c: u64) -> bool {
    let (b, c) = (b as i64, c as i64);
    match OP {
        0 => b < c,
        1 => b <= c,
        2 => b == c,
        3 => b != c,
        4 => b > c,
        _ => b >= c,
    }
}

#[inline(always)]
fn holds_floats<const OP: u8>(b: f64, c: f64) -> bool {
    match OP {
        0 => b < c,
        1 => b <= c,
        2 => b == c,
        3 => b != c,
        4 => b > c,
        _ => b >= c,
    }
}

pub(super) fn truth_of(result: Result<bool>) -> u64 {
    match result {
        Ok(truth) => 1 + truth as u64,
        Err(_) => 0,
    }
}

#[inline(never)]
unsafe fn truth(vm: &Vm, flags: u8, b: u64) -> u64 {
    // SAFETY: a live operand, released if owned.
    unsafe {
        let truth = match quick::length(b) {
            0 => truth_of(vm.is_true(view(&b))),
            length => 1 + (length != 1) as u64,
        };
        release_operands(flags, b, 1);
        truth
    }
}

const COMPARE: [CompareOp; 6] =
    [CompareOp::Lt, CompareOp::Le, CompareOp::Eq, CompareOp::Ne, CompareOp::Gt, CompareOp::Ge];

/// A float operand as a number, if both are floats or small ints that a float holds exactly.
#[inline(always)]
fn as_number(value: &Value) -> Option<f64> {
    if let Some(float) = value.as_immediate_float() {
        return Some(float);
    }
    if let Some(int) = value.as_small_int() {
        return if int.unsigned_abs() <= 1 << 53 { Some(int as f64) } else { None };
    }
    if value.ty().is(&float::FLOAT) {
        return float::to_f64(value);
    }
    None
}

fn compare_numbers(left: &Value, right: &Value, op: u8) -> Option<bool> {
    let (b, c) = (as_number(left)?, as_number(right)?);
    Some(match op {
        0 => holds_floats::<0>(b, c),
        1 => holds_floats::<1>(b, c),
        2 => holds_floats::<2>(b, c),
        3 => holds_floats::<3>(b, c),
        4 => holds_floats::<4>(b, c),
        _ => holds_floats::<5>(b, c),
    })
}

/// Whether two tuples are equal or unequal, if that can be told without running Python code.
#[inline(always)]
fn equal_tuples(left: &Value, right: &Value, op: u8) -> Option<bool> {
    left.downcast_exact::<Tuple>()?;
    right.downcast_exact::<Tuple>()?;
    match COMPARE[op as usize] {
        CompareOp::Eq => quick_equal(left, right),
        CompareOp::Ne => quick_equal(left, right).map(|equal| !equal),
        _ => None,
    }
}

/// The comparison of two numbers, strs or tuples.
#[inline(always)]
fn compare_known(left: &Value, right: &Value, op: u8) -> Option<bool> {
    match left.is_object() && right.is_object() {
        true => compare_strs(left, right, op)
            .or_else(|| equal_tuples(left, right, op))
            .or_else(|| compare_numbers(left, right, op)),
        false => compare_numbers(left, right, op),
    }
}

/// The comparison of two strs.
#[inline(always)]
fn compare_strs(left: &Value, right: &Value, op: u8) -> Option<bool> {
    let (a, b) = (left.downcast_exact::<Str>()?, right.downcast_exact::<Str>()?);
    Some(match COMPARE[op as usize] {
        CompareOp::Eq => a.equals(b),
        CompareOp::Ne => !a.equals(b),
        CompareOp::Lt => compare_text(a, b).is_lt(),
        CompareOp::Le => compare_text(a, b).is_le(),
        CompareOp::Gt => compare_text(a, b).is_gt(),
        CompareOp::Ge => compare_text(a, b).is_ge(),
    })
}

#[inline(never)]
unsafe fn compare_values(vm: &Vm, word: u64, b: u64, c: u64, op: u8) -> u64 {
    // SAFETY: live operands, released if owned.
    unsafe {
        let w = Word::decode(word);
        let (left, right) = (view(&b), view(&c));
        let result = match compare_known(left, right, op) {
            Some(holds) => Value::bool(holds).into_word(),
            None => match vm.rich_compare(left, right, COMPARE[op as usize]) {
                Ok(value) if w.flags() & VARIANT != 0 && !value.is_bool() => bool_word(truth_of(vm.is_true(&value))),
                result => word_of(result),
            },
        };
        release_right_first(w.flags(), b, c);
        result
    }
}

#[inline(never)]
unsafe fn compare_truth(vm: &Vm, word: u64, b: u64, c: u64, op: u8) -> u64 {
    // SAFETY: live operands, released if owned.
    unsafe {
        let w = Word::decode(word);
        let (left, right) = (view(&b), view(&c));
        let truth = match compare_known(left, right, op) {
            Some(holds) => 1 + holds as u64,
            None => match vm.rich_compare(left, right, COMPARE[op as usize]) {
                Ok(value) => truth_of(vm.is_true(&value)),
                Err(_) => 0,
            },
        };
        release_right_first(w.flags(), b, c);
        truth
    }
}

#[inline(never)]
unsafe fn contains(vm: &Vm, flags: u8, b: u64, c: u64) -> u64 {
    // SAFETY: live operands, released if owned.
    unsafe {
        let contains = match view(&c).downcast_exact::<Dict>() {
            Some(dict) => dict.contains(vm, view(&b)),
            None => vm.contains(view(&c), view(&b)),
        };
        let truth = truth_of(contains);
        release_right_first(flags, b, c);
        truth
    }
}

#[inline(never)]
unsafe fn unary(vm: &Vm, word: u64, b: u64) -> u64 {
    // SAFETY: a live operand, released if owned.
    unsafe {
        let w = Word::decode(word);
        let value = view(&b);
        let result = if w.op() == Op::Negative as u8 {
            vm.negative(value)
        } else if w.op() == Op::Positive as u8 {
            vm.positive(value)
        } else {
            vm.invert(value)
        };
        release_operands(w.flags(), b, 1);
        word_of(result)
    }
}

/// The entry of [`DUNDERS`] for an operator's instruction.
fn dunder_of(w: Fetched) -> Option<&'static Dunder> {
    let plain = if w.op() >= Op::AddK as u8 { w.op() - Op::AddK as u8 } else { w.op() - Op::Add as u8 };
    const POWER: u8 = Op::Power as u8 - Op::Add as u8;
    match plain {
        POWER => None,
        number => DUNDERS.get((number - (number > POWER) as u8) as usize),
    }
}

/// The result of a simple operator, of which at least one operand is a float.
fn of_floats(w: Word, x: f64, y: f64) -> Option<f64> {
    match Op::from_u8(w.op())? {
        Op::Add | Op::AddK => Some(x + y),
        Op::Subtract | Op::SubtractK => Some(x - y),
        Op::Multiply | Op::MultiplyK => Some(x * y),
        Op::TrueDivide | Op::TrueDivideK if y != 0.0 => Some(x / y),
        _ => None,
    }
}

#[inline(never)]
unsafe fn binary(vm: &Vm, word: u64, b: u64, c: u64) -> u64 {
    // SAFETY: live operands, released if owned.
    unsafe {
        let w = Word::decode(word);
        if !both_ints(b, c)
            && let Some(x) = as_number(view(&b))
            && let Some(y) = as_number(view(&c))
            && let Some(result) = of_floats(w, x, y)
        {
            release_operands(w.flags(), b, c);
            return encode_float(result).unwrap_or_else(|| float::from_f64(result).into_word());
        }
        let result = word_of(binary_values(vm, w, view(&b), view(&c)));
        release_operands(w.flags(), b, c);
        result
    }
}

fn binary_values(vm: &Vm, w: Word, left: &Value, right: &Value) -> Result {
    macro_rules! operator {
        ($plain:ident, $inplace:ident) => {
            if w.flags() & VARIANT != 0 { vm.$inplace(left, right) } else { vm.$plain(left, right) }
        };
    }
    match Op::from_u8(w.op()) {
        Some(Op::Add | Op::AddK) => operator!(add, inplace_add),
        Some(Op::Subtract | Op::SubtractK) => operator!(subtract, inplace_subtract),
        Some(Op::Multiply | Op::MultiplyK) => operator!(multiply, inplace_multiply),
        Some(Op::And | Op::AndK) => operator!(and, inplace_and),
        Some(Op::Or | Op::OrK) => operator!(or, inplace_or),
        Some(Op::Xor | Op::XorK) => operator!(xor, inplace_xor),
        Some(Op::FloorDivide | Op::FloorDivideK) => operator!(floor_divide, inplace_floor_divide),
        Some(Op::Remainder | Op::RemainderK) => operator!(remainder, inplace_remainder),
        Some(Op::Lshift | Op::LshiftK) => operator!(lshift, inplace_lshift),
        Some(Op::Rshift | Op::RshiftK) => operator!(rshift, inplace_rshift),
        Some(Op::TrueDivide | Op::TrueDivideK) => operator!(true_divide, inplace_true_divide),
        Some(Op::MatrixMultiply | Op::MatrixMultiplyK) => operator!(matrix_multiply, inplace_matrix_multiply),
        Some(Op::Power | Op::PowerK) if w.flags() & VARIANT != 0 => vm.inplace_power(left, right),
        Some(Op::Power | Op::PowerK) => vm.power(left, right, &Value::NONE),
        _ => vm.get_item(left, right),
    }
}
