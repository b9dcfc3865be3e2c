//! Python's operators on constants, for folding. None stands for an error, and for results too large to be worth it:
//! then the operation is left for run time.

mod complex;
mod real;
mod sequence;

use dashu_int::IBig;
use dashu_int::ops::BitTest;

use taipan_bytecode::Constant;
use taipan_bytecode::oparg::BinaryOp;

/// Ints from products, powers and shifts are at most this long.
const MAX_INT_BITS: usize = 128;

/// A number of any type; a bool counts as an int.
#[derive(Clone, PartialEq)]
enum Number {
    Int(IBig),
    Float(f64),
    Complex(f64, f64),
}

impl Number {
    fn of(constant: &Constant) -> Option<Number> {
        match constant {
            Constant::True => Some(Number::Int(IBig::ONE)),
            Constant::False => Some(Number::Int(IBig::ZERO)),
            Constant::Int(value) => Some(Number::Int(value.clone())),
            Constant::Float(value) => Some(Number::Float(*value)),
            Constant::Complex(real, imag) => Some(Number::Complex(*real, *imag)),
            _ => None,
        }
    }
}

fn int_of(constant: &Constant) -> Option<IBig> {
    match Number::of(constant) {
        Some(Number::Int(value)) => Some(value),
        _ => None,
    }
}

pub(super) fn binary(op: BinaryOp, left: &Constant, right: &Constant) -> Option<Constant> {
    match (Number::of(left), Number::of(right)) {
        (Some(a), Some(b)) => {
            if let (BinaryOp::And | BinaryOp::Or | BinaryOp::Xor, Some(a), Some(b)) =
                (op, as_bool(left), as_bool(right))
            {
                return Some(Constant::bool(match op {
                    BinaryOp::And => a & b,
                    BinaryOp::Or => a | b,
                    _ => a ^ b,
                }));
            }
            match (a, b) {
                (Number::Int(a), Number::Int(b)) => int_binary(op, a, b),
                (Number::Complex(..), _) | (_, Number::Complex(..)) => {
                    complex::binary(op, &Number::of(left)?, &Number::of(right)?)
                }
                (a, b) => real::binary(op, real::to_float(&a)?, real::to_float(&b)?),
            }
        }
        _ => sequence::binary(op, left, right),
    }
}

fn as_bool(constant: &Constant) -> Option<bool> {
    match constant {
        Constant::True => Some(true),
        Constant::False => Some(false),
        _ => None,
    }
}

fn bits(value: &IBig) -> usize {
    dashu_int::ops::UnsignedAbs::unsigned_abs(value.clone()).bit_len()
}

/// Quotient rounded towards minus infinity, and remainder with the divisor's sign.
fn floor_div_rem(a: &IBig, b: &IBig) -> (IBig, IBig) {
    let (quotient, remainder) = (a / b, a % b);
    if remainder != IBig::ZERO && (remainder < IBig::ZERO) != (*b < IBig::ZERO) {
        (quotient - IBig::ONE, remainder + b)
    } else {
        (quotient, remainder)
    }
}

fn int_binary(op: BinaryOp, a: IBig, b: IBig) -> Option<Constant> {
    let zero = IBig::ZERO;
    let result = match op {
        BinaryOp::Add => a + b,
        BinaryOp::Subtract => a - b,
        BinaryOp::Multiply => {
            if a != zero && b != zero && bits(&a) + bits(&b) > MAX_INT_BITS {
                return None;
            }
            a * b
        }
        BinaryOp::TrueDivide => return real::divide_ints(&a, &b).map(Constant::Float),
        BinaryOp::FloorDivide if b != zero => floor_div_rem(&a, &b).0,
        BinaryOp::Remainder if b != zero => floor_div_rem(&a, &b).1,
        BinaryOp::Power => {
            if b < zero {
                return real::power(real::int_to_float(&a)?, real::int_to_float(&b)?);
            }
            if a == zero {
                return Some(Constant::int(i64::from(b == zero)));
            }
            let exponent = usize::try_from(&b).ok()?;
            if exponent > 0 && bits(&a) > MAX_INT_BITS / exponent {
                return None;
            }
            a.pow(exponent)
        }
        BinaryOp::Lshift => {
            if b < zero {
                return None;
            }
            if a == zero {
                return Some(Constant::int(0));
            }
            let count = usize::try_from(&b).ok()?;
            if count > 0 && (count > MAX_INT_BITS || bits(&a) > MAX_INT_BITS - count) {
                return None;
            }
            a << count
        }
        BinaryOp::Rshift => {
            if b < zero {
                return None;
            }
            let all_shifted_out = if a < zero { IBig::NEG_ONE } else { IBig::ZERO };
            match usize::try_from(&b) {
                Ok(count) if count <= bits(&a) => floor_div_rem(&a, &(IBig::ONE << count)).0,
                _ => all_shifted_out,
            }
        }
        BinaryOp::And => a & b,
        BinaryOp::Or => a | b,
        BinaryOp::Xor => a ^ b,
        _ => return None,
    };
    Some(Constant::Int(result))
}

pub(super) fn negative(operand: &Constant) -> Option<Constant> {
    Some(match Number::of(operand)? {
        Number::Int(value) => Constant::Int(-value),
        Number::Float(value) => Constant::Float(-value),
        Number::Complex(real, imag) => Constant::Complex(-real, -imag),
    })
}

pub(super) fn positive(operand: &Constant) -> Option<Constant> {
    Some(match Number::of(operand)? {
        Number::Int(value) => Constant::Int(value),
        Number::Float(value) => Constant::Float(value),
        Number::Complex(real, imag) => Constant::Complex(real, imag),
    })
}

pub(super) fn invert(operand: &Constant) -> Option<Constant> {
    // `~True` warns, so it is left for run time.
    if as_bool(operand).is_some() {
        return None;
    }
    int_of(operand).map(|value| Constant::Int(-value - IBig::ONE))
}

/// `left == right` as Python sees it, where numbers compare across types.
fn equal(left: &Constant, right: &Constant) -> bool {
    match (Number::of(left), Number::of(right)) {
        (Some(a), Some(b)) => {
            let parts = |number: Number| match number {
                Number::Complex(real, imag) => (Number::Float(real), imag),
                other => (other, 0.0),
            };
            let ((a, a_imag), (b, b_imag)) = (parts(a), parts(b));
            a_imag == b_imag
                && match (a, b) {
                    (Number::Int(a), Number::Float(b)) | (Number::Float(b), Number::Int(a)) => {
                        b.is_finite() && b.fract() == 0.0 && IBig::try_from(b).is_ok_and(|b| a == b)
                    }
                    (a, b) => a == b,
                }
        }
        (None, None) => match (left, right) {
            (Constant::Tuple(a), Constant::Tuple(b)) => {
                a.len() == b.len() && a.iter().zip(b.iter()).all(|(a, b)| equal(a, b))
            }
            _ => left == right,
        },
        _ => false,
    }
}

/// A frozen set; of members that are equal for Python the first stays.
pub(super) fn frozen_set(items: Vec<Constant>) -> Constant {
    let mut members: Vec<Constant> = Vec::with_capacity(items.len());
    for item in items {
        if !members.iter().any(|member| equal(member, &item)) {
            members.push(item);
        }
    }
    Constant::FrozenSet(members.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn int(value: i64) -> Constant {
        Constant::int(value)
    }

    #[test]
    fn ints() {
        let check = |op, a, b, expected: Option<i64>| assert_eq!(binary(op, &int(a), &int(b)), expected.map(int));
        check(BinaryOp::FloorDivide, -7, 2, Some(-4));
        check(BinaryOp::Remainder, -7, 2, Some(1));
        check(BinaryOp::Remainder, 7, -2, Some(-1));
        check(BinaryOp::Rshift, -5, 1, Some(-3));
        check(BinaryOp::Rshift, -5, 100, Some(-1));
        check(BinaryOp::Lshift, 1, -1, None);
        check(BinaryOp::Lshift, 1, 128, None);
        check(BinaryOp::Power, 0, 0, Some(1));
        check(BinaryOp::Power, 2, 129, None);
        check(BinaryOp::And, -6, 12, Some(8));
        check(BinaryOp::Xor, -6, 12, Some(-10));
        assert_eq!(binary(BinaryOp::Power, &int(2), &int(-1)), Some(Constant::Float(0.5)));
        assert_eq!(binary(BinaryOp::And, &Constant::True, &Constant::True), Some(Constant::True));
        assert_eq!(binary(BinaryOp::Add, &Constant::True, &Constant::True), Some(int(2)));
        assert_eq!(binary(BinaryOp::TrueDivide, &int(1), &int(0)), None);
        assert_eq!(binary(BinaryOp::TrueDivide, &int(1), &int(3)), Some(Constant::Float(1.0 / 3.0)));
    }

    #[test]
    fn sets_keep_the_first_of_equals() {
        let set = frozen_set(vec![int(1), Constant::Float(1.0), Constant::True, int(2)]);
        assert_eq!(set, Constant::FrozenSet(vec![int(1), int(2)].into()));
    }
}
