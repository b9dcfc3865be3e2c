//! Decimals from other objects: exactly, or rounded by a context.

use super::{DECIMAL, Decimal, new, new_with_type, unsupported};
use crate::_decimal::context::{self, Context};
use crate::_decimal::mpd::{self, Class, Coefficient, NoRoom, Number, coefficient, limbs, status, text};
use crate::payload::{class_of, signature};
use dashu_int::ops::BitTest;
use dashu_int::{IBig, Sign, UBig};
use taipan_object::builtins::int::Operand as IntOperand;
use taipan_object::builtins::list::List;
use taipan_object::builtins::str::Str;
use taipan_object::builtins::tuple::Tuple;
use taipan_object::builtins::{float, int};
use taipan_object::text::unicode;
use taipan_object::types::Type;
use taipan_object::{Result, Value, Vm, heap};

signature!(NEW = "(value='0', context=None)");

/// `Decimal(value="0", context=None)`
pub fn construct(vm: &Vm, class: &Value, args: &[Value], kwnames: Option<&Value>) -> Result {
    let bound = NEW.bind(vm, args, kwnames)?;
    let context = context::argument(vm, &bound[1])?;
    let class = class_of(class);
    if class.is(&DECIMAL) && bound[0].downcast_exact::<Decimal>().is_some() {
        return Ok(bound[0].clone());
    }
    let number = exact(vm, &bound[0], &context)?;
    Ok(if class.is(&DECIMAL) { new(number) } else { new_with_type(class, number) })
}

/// The exact value of anything that has one.
pub fn exact(vm: &Vm, value: &Value, context: &Context) -> Result<Number> {
    if let Some(text) = value.downcast::<Str>() {
        let ascii = to_ascii(text, true);
        return exactly_in(vm, context, |maximum, status| text::parse(&ascii, maximum, status));
    }
    if let Some(decimal) = value.downcast::<Decimal>() {
        return Ok(decimal.number.clone());
    }
    if let Some(number) = from_int(value) {
        return exactly_in(vm, context, |maximum, status| number.finalize(maximum, status));
    }
    if let Some(n) = float::to_f64(value) {
        context.report(vm, status::FLOAT_OPERATION)?;
        return Ok(exact_from_f64(n));
    }
    let ascii = sequence_as_ascii(vm, value)?;
    exactly_in(vm, context, |maximum, status| text::parse(&ascii, maximum, status))
}

/// The value rounded by the context: `Context.create_decimal`.
pub fn rounded(vm: &Vm, value: &Value, context: &Context) -> Result<Number> {
    let settings = context.number();
    let mut status = 0;
    let number = if let Some(text) = value.downcast::<Str>() {
        text::parse(&to_ascii(text, false), &settings, &mut status)
    } else if let Some(decimal) = value.downcast::<Decimal>() {
        let number = &decimal.number;
        let room = settings.prec - i64::from(settings.clamp);
        if number.is_nan() && !number.coefficient.is_zero() && number.digits() > room {
            Number::error(&mut status, status::CONVERSION_SYNTAX)
        } else {
            number.clone().finalize(&settings, &mut status)
        }
    } else if let Some(number) = from_int(value) {
        number.finalize(&settings, &mut status)
    } else if let Some(n) = float::to_f64(value) {
        context.report(vm, status::FLOAT_OPERATION)?;
        exact_from_f64(n).finalize(&settings, &mut status)
    } else {
        text::parse(&sequence_as_ascii(vm, value)?, &settings, &mut status)
    };
    context.report(vm, status)?;
    Ok(number)
}

/// An operation whose result must be exact: otherwise it is invalid.
pub fn exactly(vm: &Vm, f: impl FnOnce(&mpd::Context, &mut u32) -> Number) -> Result<Number> {
    exactly_in(vm, &context::current(), f)
}

fn exactly_in(vm: &Vm, context: &Context, f: impl FnOnce(&mpd::Context, &mut u32) -> Number) -> Result<Number> {
    let mut conditions = 0;
    let mut number = f(&mpd::Context::MAX, &mut conditions);
    if conditions & (status::INEXACT | status::ROUNDED | status::CLAMPED) != 0 {
        number = Number::error(&mut conditions, status::INVALID_OPERATION);
    }
    context.report(vm, conditions & status::ERRORS)?;
    Ok(number)
}

pub fn from_int(value: &Value) -> Option<Number> {
    match IntOperand::of(value)? {
        IntOperand::Small(n) => Some(Number::from_i64(n)),
        IntOperand::Big(n) => Some(from_big_int(n)),
    }
}

/// Without memory for the conversion the number is NaN, and `MemoryError` is raised at the next safepoint.
pub fn from_big_int(n: &IBig) -> Number {
    // A digit takes more than three bits; changing the base takes several times the memory of the number.
    if coefficient::check_room(n.bit_len() as i64).is_err() {
        heap::signal_exhausted();
        return Number::special(false, Class::QuietNan);
    }
    let (sign, magnitude) = n.clone().into_parts();
    let coefficient = match u128::try_from(&magnitude) {
        Ok(n) => Coefficient::new(n),
        Err(_) => Coefficient::from_limbs(limbs::from_binary(&magnitude)),
    };
    Number::finite(sign == Sign::Negative, coefficient, 0)
}

/// The exact value of a float.
pub fn exact_from_f64(n: f64) -> Number {
    let negative = n.is_sign_negative();
    if n.is_nan() {
        return Number::special(negative, Class::QuietNan);
    }
    if n.is_infinite() {
        return Number::infinity(negative);
    }
    if n == 0.0 {
        return Number::finite(negative, Coefficient::ZERO, 0);
    }
    let bits = n.to_bits();
    let (fraction, biased) = (bits & ((1 << 52) - 1), (bits >> 52 & 0x7ff) as i64);
    let (mantissa, exponent) = if biased == 0 { (fraction, -1074) } else { (fraction | 1 << 52, biased - 1075) };
    let zeros = mantissa.trailing_zeros();
    let (mantissa, exponent) = (mantissa >> zeros, exponent + i64::from(zeros));
    // m · 2^−k is m · 5^k · 10^−k.
    let scale = if exponent < 0 { UBig::from(5u8).pow(-exponent as usize) } else { UBig::ONE << exponent as usize };
    let magnitude = scale * mantissa;
    let coefficient = Coefficient::from_limbs(limbs::from_binary(&magnitude));
    Number::finite(negative, coefficient, exponent.min(0))
}

/// A numeric string in ASCII, decimal digits of any script converted; empty, which is no number, if that fails.
fn to_ascii(text: &Str, lenient: bool) -> Vec<u8> {
    let strip = |text: &[u8]| -> Vec<u8> {
        let trimmed = text.trim_ascii();
        if trimmed.contains(&b'_') {
            trimmed.iter().copied().filter(|byte| *byte != b'_').collect()
        } else {
            trimmed.to_vec()
        }
    };
    if let Some(ascii) = text.as_ascii() {
        // Control characters of ASCII that count as spaces for str, too.
        let is_odd_space = |byte: &u8| (0x1c..=0x1f).contains(byte) || *byte == 0x0b;
        if !lenient {
            return ascii.as_bytes().to_vec();
        }
        if !ascii.bytes().any(|byte| is_odd_space(&byte)) {
            return strip(ascii.as_bytes());
        }
    }
    let mut ascii = Vec::with_capacity(text.len());
    for point in text.code_points() {
        if unicode::is_space(point) {
            ascii.push(b' ');
        } else if (1..128).contains(&point) {
            ascii.push(point as u8);
        } else if let Some(digit) = unicode::decimal(point) {
            ascii.push(b'0' + digit);
        } else {
            return Vec::new();
        }
    }
    if lenient { strip(&ascii) } else { ascii }
}

/// A tuple or list `(sign, digits, exponent)` as text.
fn sequence_as_ascii(vm: &Vm, value: &Value) -> Result<Vec<u8>> {
    let items = match (value.downcast::<Tuple>(), value.downcast::<List>()) {
        (Some(tuple), _) => vm.buffer_of(tuple.as_slice())?,
        (None, Some(_)) => vm.collect(value)?,
        (None, None) => return Err(unsupported(vm, value)),
    };
    let [sign, digits, exponent] = items.as_slice() else {
        return Err(vm.value_error("argument must be a sequence of length 3"));
    };
    let mut ascii = Vec::new();
    match int::to_i64(sign) {
        Some(0) => {}
        Some(1) => ascii.push(b'-'),
        _ => return Err(vm.value_error("sign must be an integer with the value 0 or 1")),
    }
    let mut shown_exponent = None;
    let mut infinite = false;
    match exponent.downcast::<Str>() {
        Some(kind) if kind.is_str("F") => {
            ascii.extend_from_slice(b"Inf");
            infinite = true;
        }
        Some(kind) if kind.is_str("n") => ascii.extend_from_slice(b"nan"),
        Some(kind) if kind.is_str("N") => ascii.extend_from_slice(b"snan"),
        Some(_) => return Err(vm.value_error("string argument in the third position must be 'F', 'n' or 'N'")),
        None if int::is_int(exponent) => shown_exponent = Some(crate::arguments::ssize(vm, exponent)?),
        None => return Err(vm.value_error("exponent must be an integer")),
    }
    let digits = match (digits.downcast::<Tuple>(), digits.downcast::<List>()) {
        (Some(tuple), _) => vm.buffer_of(tuple.as_slice())?,
        (None, Some(_)) => vm.collect(digits)?,
        (None, None) => return Err(vm.value_error("coefficient must be a tuple of digits")),
    };
    if shown_exponent.is_some() && digits.is_empty() {
        ascii.push(b'0');
    }
    vm.reserve(&mut ascii, digits.len())?;
    for digit in &digits {
        match int::to_i64(digit) {
            Some(n @ 0..=9) if infinite => debug_assert!(n < 10),
            Some(n @ 0..=9) => ascii.push(b'0' + n as u8),
            _ => return Err(vm.value_error("coefficient must be a tuple of digits")),
        }
    }
    if let Some(exponent) = shown_exponent {
        ascii.extend_from_slice(format!("E{exponent}").as_bytes());
    }
    Ok(ascii)
}

/// `Decimal.from_float`: `None` for what is neither a float nor an int.
pub fn from_float(value: &Value) -> Option<Number> {
    match float::to_f64(value) {
        Some(n) => Some(exact_from_f64(n)),
        None => from_int(value),
    }
}

/// The Decimal of class `class` with this value: a subclass is called with it.
pub fn as_class(vm: &Vm, class: &Type, number: Number) -> Result {
    let decimal = new(number);
    if class.is(&DECIMAL) { Ok(decimal) } else { vm.instantiate(class, &[decimal]) }
}

/// The magnitude of a truncated finite number.
pub fn to_magnitude(number: &Number) -> std::result::Result<UBig, NoRoom> {
    coefficient::check_room(number.digits().saturating_add(number.exp))?;
    let whole = match number.exp {
        0.. => number.coefficient.shift_left(number.exp)?,
        exp => number.coefficient.shift_right(-exp).0,
    };
    Ok(limbs::to_binary(&whole.limbs()))
}
