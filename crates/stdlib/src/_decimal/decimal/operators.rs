//! The operators of `Decimal` and comparisons with other numbers.

use super::construct::{exact_from_f64, exactly};
use super::{Binary, Operand, apply_binary, apply_unary, new, own};
use crate::_decimal::context;
use crate::_decimal::mpd::{self, Number, arithmetic, compare, divide, integral, power, status};
use std::sync::OnceLock;
use taipan_object::builtins::tuple::Tuple;
use taipan_object::builtins::{complex, float};
use taipan_object::types::slots::{CompareOp, Slots};
use taipan_object::{Result, Value, Vm};

macro_rules! binary {
    ($function:path) => {
        Some(|vm, a, b| operate(vm, a, b, $function))
    };
}

pub fn slots(s: &mut Slots) {
    s.add = binary!(arithmetic::add);
    s.subtract = binary!(arithmetic::subtract);
    s.multiply = binary!(arithmetic::multiply);
    s.true_divide = binary!(divide::divide);
    s.floor_divide = binary!(divide::divide_integer);
    s.remainder = binary!(divide::remainder);
    s.divmod = Some(|vm, a, b| match (Operand::of(a), Operand::of(b)) {
        (Some(a), Some(b)) => divmod(vm, &context::current(), &a, &b),
        _ => Ok(Value::NOT_IMPLEMENTED),
    });
    s.power = Some(|vm, base, exponent, modulus| {
        let (Some(base), Some(exponent)) = (Operand::of(base), Operand::of(exponent)) else {
            return Ok(Value::NOT_IMPLEMENTED);
        };
        let modulus = match modulus.is_none() {
            true => None,
            false => match Operand::of(modulus) {
                Some(modulus) => Some(modulus),
                None => return Ok(Value::NOT_IMPLEMENTED),
            },
        };
        raise_to(vm, &context::current(), &base, &exponent, modulus.as_deref())
    });
    s.negative = Some(|vm, this| apply_unary(vm, &context::current(), own(this), integral::minus));
    s.positive = Some(|vm, this| apply_unary(vm, &context::current(), own(this), integral::plus));
    s.absolute = Some(|vm, this| apply_unary(vm, &context::current(), own(this), integral::absolute));
    s.bool = Some(|_, this| Ok(!own(this).is_zero()));
    s.richcompare = Some(richcompare);
}

#[inline]
fn operate(vm: &Vm, a: &Value, b: &Value, f: Binary) -> Result {
    match (Operand::of(a), Operand::of(b)) {
        (Some(a), Some(b)) => apply_binary(vm, &context::current(), &a, &b, f),
        _ => Ok(Value::NOT_IMPLEMENTED),
    }
}

pub fn divmod(vm: &Vm, context: &context::Context, a: &Number, b: &Number) -> Result {
    let mut status = 0;
    let (quotient, rest) = divide::divmod(a, b, &context.number(), &mut status);
    context.report(vm, status)?;
    Ok(Tuple::from_array([new(quotient), new(rest)]).into_value())
}

pub fn raise_to(
    vm: &Vm,
    context: &context::Context,
    base: &Number,
    exponent: &Number,
    modulus: Option<&Number>,
) -> Result {
    let mut status = 0;
    let settings = context.number();
    let result = match modulus {
        None => power::power(base, exponent, &settings, &mut status),
        Some(modulus) => power::modular_power(base, exponent, modulus, &settings, &mut status),
    };
    context.report(vm, status)?;
    Ok(new(result))
}

/// `numbers.Rational`
static RATIONAL: OnceLock<Value> = OnceLock::new();

pub fn set_rational(class: Value) {
    let _ = RATIONAL.set(class);
}

/// Both sides of a comparison as numbers with the same order; `None` for what Decimals are not compared with.
fn comparable<'a>(
    vm: &Vm,
    this: &'a Value,
    other: &'a Value,
    op: CompareOp,
) -> Result<Option<(Operand<'a>, Operand<'a>)>> {
    let left = Operand::Borrowed(own(this));
    if let Some(right) = Operand::of(other) {
        return Ok(Some((left, right)));
    }
    let equality = matches!(op, CompareOp::Eq | CompareOp::Ne);
    if let Some(n) = float::to_f64(other) {
        // Equality sets the flag, but is never trapped.
        match equality {
            true => context::current().set_flag(status::FLOAT_OPERATION),
            false => context::current().report(vm, status::FLOAT_OPERATION)?,
        }
        return Ok(Some((left, Operand::Owned(exact_from_f64(n)))));
    }
    if let Some((real, imag)) = complex::parts(other) {
        return Ok(match equality && imag == 0.0 {
            true => Some((left, Operand::Owned(exact_from_f64(real)))),
            false => None,
        });
    }
    let Some(rational) = RATIONAL.get() else { return Ok(None) };
    if !vm.is_instance(other, rational)? {
        return Ok(None);
    }
    let part = |name: &str| -> Result<Number> {
        let value = vm.get_attr_str(other, name)?;
        match Operand::of(&value) {
            Some(Operand::Owned(number)) => Ok(number),
            _ => Err(vm.type_error("numerator and denominator of a Rational must be ints")),
        }
    };
    let denominator = part("denominator")?;
    let scaled = match left.is_finite() {
        true => exactly(vm, |context, status| arithmetic::multiply(&left, &denominator, context, status))?,
        false => left.clone(),
    };
    Ok(Some((Operand::Owned(scaled), Operand::Owned(part("numerator")?))))
}

fn richcompare(vm: &Vm, this: &Value, other: &Value, op: CompareOp) -> Result {
    let Some((a, b)) = comparable(vm, this, other, op)? else { return Ok(Value::NOT_IMPLEMENTED) };
    let mut status = 0;
    match compare::compare_quietly(&a, &b, &mut status) {
        Some(ordering) => Ok(Value::bool(op.holds(ordering))),
        None => {
            if !matches!(op, CompareOp::Eq | CompareOp::Ne) {
                status |= mpd::status::INVALID_OPERATION;
            }
            context::current().report(vm, status)?;
            Ok(Value::bool(op == CompareOp::Ne))
        }
    }
}
