//! Operators of `timedelta`.

use super::{Delta, MAX_DAYS, new, own, value};
use dashu_int::IBig;
use taipan_object::builtins::int::{self, Operand};
use taipan_object::builtins::tuple::Tuple;
use taipan_object::builtins::{float, tuple};
use taipan_object::types::slots::Slots;
use taipan_object::{Raised, Result, Value, Vm};

pub fn slots(s: &mut Slots) {
    s.add = Some(|vm, a, b| linear(vm, a, b, 1));
    s.subtract = Some(|vm, a, b| linear(vm, a, b, -1));
    s.multiply = Some(multiply);
    s.true_divide = Some(true_divide);
    s.floor_divide = Some(floor_divide);
    s.remainder =
        Some(|vm, a, b| pair(vm, a, b, |vm, a, b| Ok(new(Delta::from_microseconds(vm, floor(vm, a, b)?.1)?))));
    s.divmod = Some(|vm, a, b| {
        pair(vm, a, b, |vm, a, b| {
            let (quotient, rest) = floor(vm, a, b)?;
            let rest = new(Delta::from_microseconds(vm, rest)?);
            Ok(Tuple::from_array([int::from_i128(quotient), rest]).into_value())
        })
    });
    s.negative = Some(|vm, this| negated(vm, own(this)).map(new));
    s.positive = Some(|_, this| Ok(new(own(this))));
    s.absolute = Some(|vm, this| match own(this) {
        value if value.days < 0 => negated(vm, value).map(new),
        value => Ok(new(value)),
    });
    s.bool = Some(|_, this| Ok(!own(this).is_zero()));
}

/// `a + sign · b`, normalised.
pub fn combine(vm: &Vm, a: Delta, b: Delta, sign: i32) -> Result<Delta> {
    let mut microseconds = a.microseconds + sign * b.microseconds;
    let mut seconds = a.seconds + sign * b.seconds;
    let mut days = a.days + sign * b.days;
    seconds += microseconds.div_euclid(1_000_000);
    microseconds = microseconds.rem_euclid(1_000_000);
    days += seconds.div_euclid(86_400);
    seconds = seconds.rem_euclid(86_400);
    if !(-MAX_DAYS..=MAX_DAYS).contains(&days) {
        return Err(vm.overflow_error(format!("days={days}; must have magnitude <= {MAX_DAYS}")));
    }
    Ok(Delta { days, seconds, microseconds })
}

fn negated(vm: &Vm, value: Delta) -> Result<Delta> {
    combine(vm, Delta::ZERO, value, -1)
}

fn linear(vm: &Vm, a: &Value, b: &Value, sign: i32) -> Result {
    match (value(a), value(b)) {
        (Some(a), Some(b)) => combine(vm, a, b, sign).map(new),
        _ => Ok(Value::NOT_IMPLEMENTED),
    }
}

/// An operation on two timedeltas.
fn pair(vm: &Vm, a: &Value, b: &Value, f: fn(&Vm, i128, i128) -> Result) -> Result {
    match (value(a), value(b)) {
        (Some(a), Some(b)) => f(vm, a.total_microseconds(), b.total_microseconds()),
        _ => Ok(Value::NOT_IMPLEMENTED),
    }
}

#[cold]
fn division_by_zero(vm: &Vm) -> Raised {
    vm.zero_division_error("division by zero")
}

/// Quotient and remainder of floor division.
fn floor(vm: &Vm, a: i128, b: i128) -> Result<(i128, i128)> {
    if b == 0 {
        return Err(division_by_zero(vm));
    }
    let (quotient, rest) = (a.div_euclid(b), a.rem_euclid(b));
    // Euclid's remainder is never negative; that of floor division has the divisor's sign.
    if b < 0 && rest != 0 { Ok((quotient - 1, rest + b)) } else { Ok((quotient, rest)) }
}

/// `a / b` rounded half to even; `b` is not 0.
fn divide_nearest(a: &IBig, b: &IBig) -> IBig {
    let (a, b) = if *b < IBig::ZERO { (-a, -b) } else { (a.clone(), b.clone()) };
    let mut quotient = &a / &b;
    let mut rest = a - &quotient * &b;
    if rest < IBig::ZERO {
        rest += &b;
        quotient -= 1;
    }
    let twice = rest * 2;
    if twice > b || twice == b && &quotient % 2u8 != 0 { quotient + 1 } else { quotient }
}

/// As [`divide_nearest`].
fn divide_nearest_i128(a: i128, b: i128) -> i128 {
    let (quotient, rest) = (a.div_euclid(b), a.rem_euclid(b) as u128);
    let size = b.unsigned_abs();
    let up = rest > size - rest || rest == size - rest && quotient % 2 != 0;
    // A positive remainder means that a / b lies above the quotient if b is positive, below it if negative.
    if !up {
        quotient
    } else if b > 0 {
        quotient + 1
    } else {
        quotient - 1
    }
}

fn from_large(vm: &Vm, us: IBig) -> Result {
    let us = i128::try_from(us).unwrap_or(i128::MAX);
    Ok(new(Delta::from_microseconds(vm, us)?))
}

/// A timedelta and an int: microseconds and the int; the int's place is that of the other operand.
fn multiply(vm: &Vm, a: &Value, b: &Value) -> Result {
    let (delta, other) = match (value(a), value(b)) {
        (Some(delta), _) => (delta, b),
        (None, Some(delta)) => (delta, a),
        (None, None) => return Ok(Value::NOT_IMPLEMENTED),
    };
    let us = delta.total_microseconds();
    match Operand::of(other) {
        Some(Operand::Small(n)) => {
            let product = us.checked_mul(n.into()).unwrap_or(i128::MAX);
            return Ok(new(Delta::from_microseconds(vm, product)?));
        }
        Some(Operand::Big(n)) => return from_large(vm, IBig::from(us) * n),
        None => {}
    }
    if float::to_f64(other).is_none() {
        return Ok(Value::NOT_IMPLEMENTED);
    }
    by_float(vm, us, other, 0)
}

fn true_divide(vm: &Vm, a: &Value, b: &Value) -> Result {
    let Some(delta) = value(a) else { return Ok(Value::NOT_IMPLEMENTED) };
    let us = delta.total_microseconds();
    if let Some(divisor) = value(b) {
        return int::true_divide(vm, &int::from_i128(us), &int::from_i128(divisor.total_microseconds()));
    }
    match Operand::of(b) {
        Some(divisor) if divisor.is_zero() => return Err(division_by_zero(vm)),
        Some(Operand::Small(n)) => {
            return Ok(new(Delta::from_microseconds(vm, divide_nearest_i128(us, n.into()))?));
        }
        Some(Operand::Big(n)) => return from_large(vm, divide_nearest(&IBig::from(us), n)),
        None => {}
    }
    if float::to_f64(b).is_none() {
        return Ok(Value::NOT_IMPLEMENTED);
    }
    by_float(vm, us, b, 1)
}

fn floor_divide(vm: &Vm, a: &Value, b: &Value) -> Result {
    let Some(delta) = value(a) else { return Ok(Value::NOT_IMPLEMENTED) };
    let us = delta.total_microseconds();
    if let Some(divisor) = value(b) {
        return Ok(int::from_i128(floor(vm, us, divisor.total_microseconds())?.0));
    }
    match Operand::of(b) {
        Some(Operand::Small(n)) => Ok(new(Delta::from_microseconds(vm, floor(vm, us, n.into())?.0)?)),
        // The divisor is larger than any timedelta.
        Some(Operand::Big(n)) if n.to_i128().is_none() => {
            let negative = us != 0 && (us < 0) != (*n < IBig::ZERO);
            Ok(new(Delta::from_microseconds(vm, if negative { -1 } else { 0 })?))
        }
        Some(Operand::Big(n)) => {
            let n = n.to_i128().expect("just tested");
            Ok(new(Delta::from_microseconds(vm, floor(vm, us, n)?.0)?))
        }
        None => Ok(Value::NOT_IMPLEMENTED),
    }
}

trait ToI128 {
    fn to_i128(&self) -> Option<i128>;
}

impl ToI128 for IBig {
    fn to_i128(&self) -> Option<i128> {
        i128::try_from(self).ok()
    }
}

/// `us` times a float (`multiplier` 0) or divided by it (`multiplier` 1): the exact ratio, rounded half to even. The
/// ratio of subclass instances is what their `as_integer_ratio` says.
fn by_float(vm: &Vm, us: i128, other: &Value, multiplier: usize) -> Result {
    let ratio = vm.call_method(other, "as_integer_ratio", &[])?;
    let Some(ratio) = ratio.downcast::<tuple::Tuple>() else {
        let got = ratio.ty().name();
        return Err(
            vm.type_error(format!("unexpected return type from as_integer_ratio(): expected tuple, not '{got}'"))
        );
    };
    let [_, _] = ratio.as_slice() else {
        return Err(vm.value_error("as_integer_ratio() must return a 2-tuple"));
    };
    let (by, over) = (&ratio.as_slice()[multiplier], &ratio.as_slice()[1 - multiplier]);
    if let (Some(by), Some(over)) = (int::to_i64(by), int::to_i64(over))
        && over != 0
        && let Some(product) = us.checked_mul(by.into())
    {
        return Ok(new(Delta::from_microseconds(vm, divide_nearest_i128(product, over.into()))?));
    }
    let product = vm.multiply(&int::from_i128(us), by)?;
    let (Some(product), Some(over)) = (int::to_ibig(&product), int::to_ibig(over)) else {
        return Err(vm.type_error("non-integer arguments in division"));
    };
    if over.is_zero() {
        return Err(division_by_zero(vm));
    }
    from_large(vm, divide_nearest(&product, &over))
}
