//! Decimals as other numbers.

use super::construct::to_magnitude;
use super::own;
use crate::_decimal::context;
use crate::_decimal::mpd::{self, Class, Number, Rounding, integral};
use dashu_int::ops::Gcd;
use dashu_int::{IBig, UBig};
use taipan_object::builtins::int;
use taipan_object::builtins::tuple::Tuple;
use taipan_object::types::slots::Slots;
use taipan_object::{Result, Value, Vm};

pub fn slots(s: &mut Slots) {
    s.int = Some(|vm, this| to_int(vm, own(this), Rounding::Down));
    s.float = Some(|vm, this| to_f64(vm, own(this)).map(Value::from));
}

/// The integer that a number rounds to.
pub fn to_int(vm: &Vm, number: &Number, round: Rounding) -> Result {
    match number.class {
        Class::QuietNan | Class::SignalingNan => return Err(vm.value_error("cannot convert NaN to integer")),
        Class::Infinite => return Err(vm.overflow_error("cannot convert Infinity to integer")),
        Class::Finite => {}
    }
    let mut status = 0;
    let context = context::current();
    let settings = mpd::Context { round, ..context.number() };
    let whole = integral::to_integral(number, false, &settings, &mut status);
    context.report(vm, status)?;
    if let Some(n) = whole.to_i64() {
        return Ok(int::from_i64(n));
    }
    let Ok(magnitude) = to_magnitude(&whole) else { return Err(vm.memory_error()) };
    let n = IBig::from(magnitude);
    Ok(int::from_ibig(if number.negative { -n } else { n }))
}

pub fn to_f64(vm: &Vm, number: &Number) -> Result<f64> {
    match number.class {
        Class::SignalingNan => Err(vm.value_error("cannot convert signaling NaN to float")),
        Class::QuietNan => Ok(if number.negative { -f64::NAN } else { f64::NAN }),
        Class::Infinite => Ok(if number.negative { f64::NEG_INFINITY } else { f64::INFINITY }),
        Class::Finite => {
            let text = mpd::text::to_text(number, false, true);
            Ok(std::str::from_utf8(&text).ok().and_then(|text| text.parse().ok()).unwrap_or(f64::NAN))
        }
    }
}

/// `as_integer_ratio()`
pub fn to_ratio(vm: &Vm, number: &Number) -> Result {
    match number.class {
        Class::QuietNan | Class::SignalingNan => return Err(vm.value_error("cannot convert NaN to integer ratio")),
        Class::Infinite => return Err(vm.overflow_error("cannot convert Infinity to integer ratio")),
        Class::Finite => {}
    }
    if number.coefficient.is_zero() {
        return Ok(Tuple::from_array([Value::from(0), Value::from(1)]).into_value());
    }
    let fraction_digits = (-number.exp).max(0);
    let whole = Number { exp: number.exp.max(0), ..number.clone() };
    if mpd::coefficient::check_room(fraction_digits).is_err() {
        return Err(vm.memory_error());
    }
    let Ok(mut numerator) = to_magnitude(&whole) else { return Err(vm.memory_error()) };
    let mut denominator = UBig::from(10u8).pow(fraction_digits as usize);
    if fraction_digits > 0 {
        let common = (&numerator).gcd(&denominator);
        numerator /= &common;
        denominator /= common;
    }
    let numerator = IBig::from(numerator);
    let numerator = if number.negative { -numerator } else { numerator };
    Ok(Tuple::from_array([int::from_ibig(numerator), int::from_ibig(denominator.into())]).into_value())
}
