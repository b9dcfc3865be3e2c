//! Shifts and bitwise operators of ints.

use super::{Operand, check_room, from_i64, from_ibig, short};
use crate::object::Result;
use crate::value::Value;
use crate::vm::Vm;
use Operand::{Big, Small};
use dashu_int::IBig;

/// `a << b`
#[inline]
pub fn lshift(vm: &Vm, a: &Value, b: &Value) -> Result {
    if let (Some(x), Some(count @ 0..=62)) = (a.as_small_int(), b.as_small_int()) {
        let shifted = x << count;
        if shifted >> count == x {
            return Ok(from_i64(shifted));
        }
    }
    lshift_general(vm, a, b)
}

#[inline(never)]
fn lshift_general(vm: &Vm, a: &Value, b: &Value) -> Result {
    let (Some(x), Some(count)) = (Operand::of(a), Operand::of(b)) else { return Ok(Value::NOT_IMPLEMENTED) };
    if count.is_negative() {
        return Err(vm.value_error("negative shift count"));
    }
    if x.is_zero() {
        return Ok(Value::small_int(0));
    }
    let count = match count {
        Small(count) if (count as u64) < 1 << 60 => count as usize,
        _ => return Err(vm.overflow_error("too many digits in integer")),
    };
    if let Some(shifted) = short::shift_left(x, count) {
        return Ok(shifted);
    }
    check_room(vm, x.bit_length() + count)?;
    Ok(from_ibig(match x {
        Small(x) => IBig::from(x) << count,
        Big(x) => x << count,
    }))
}

/// `a >> b`
#[inline]
pub fn rshift(vm: &Vm, a: &Value, b: &Value) -> Result {
    match (a.as_small_int(), b.as_small_int()) {
        (Some(x), Some(count)) if count >= 0 => Ok(Value::small_int(x >> count.min(63))),
        _ => rshift_general(vm, a, b),
    }
}

#[inline(never)]
fn rshift_general(vm: &Vm, a: &Value, b: &Value) -> Result {
    let (Some(x), Some(count)) = (Operand::of(a), Operand::of(b)) else { return Ok(Value::NOT_IMPLEMENTED) };
    if count.is_negative() {
        return Err(vm.value_error("negative shift count"));
    }
    let everything = || from_i64(if x.is_negative() { -1 } else { 0 });
    let Small(count) = count else { return Ok(everything()) };
    if count as usize >= x.bit_length() {
        return Ok(everything());
    }
    Ok(match x {
        Small(x) => from_i64(x >> count),
        Big(big) => match short::shift_right(x, count as usize) {
            Some(shifted) => shifted,
            None => from_ibig(big >> count as usize),
        },
    })
}

macro_rules! bitwise {
    ($($name:ident $general:ident $symbol:tt $short:expr, $doc:literal;)*) => { $(
        #[doc = $doc]
        #[inline]
        pub fn $name(vm: &Vm, a: &Value, b: &Value) -> Result {
            match (a.as_small_int(), b.as_small_int()) {
                (Some(x), Some(y)) => Ok(Value::small_int(x $symbol y)),
                _ => $general(vm, a, b),
            }
        }

        #[inline(never)]
        fn $general(vm: &Vm, a: &Value, b: &Value) -> Result {
            let (Some(x), Some(y)) = (Operand::of(a), Operand::of(b)) else { return Ok(Value::NOT_IMPLEMENTED) };
            if let (Small(x), Small(y)) = (x, y) {
                return Ok(from_i64(x $symbol y));
            }
            if let Some(result) = $short(x, y) {
                return Ok(result);
            }
            check_room(vm, x.bit_length().max(y.bit_length()))?;
            Ok(from_ibig(match (x, y) {
                (Big(x), Big(y)) => x $symbol y,
                (x, y) => x.to_ibig() $symbol y.to_ibig(),
            }))
        }
    )* };
}
bitwise! {
    and and_general & short::and, "`a & b`";
    or or_general | |x, y| short::join(x, y, |a, b| a | b), "`a | b`";
    xor xor_general ^ |x, y| short::join(x, y, |a, b| a ^ b), "`a ^ b`";
}

/// `~a`
pub fn invert(_: &Vm, a: &Value) -> Result {
    Ok(match Operand::of(a) {
        Some(Small(n)) => from_i64(!n),
        Some(Big(n)) => from_ibig(!n.clone()),
        None => Value::NOT_IMPLEMENTED,
    })
}
