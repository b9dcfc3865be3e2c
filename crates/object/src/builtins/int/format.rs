//! `int.__format__` and `int.__round__`.

use super::arithmetic::divmod_ibig;
use super::{Operand, check_room, from_ibig, max_str_digits, to_exact};
use crate::builtins::float;
use crate::builtins::number_locale::NumberText;
use crate::builtins::str::{Str, StrBuilder};
use crate::object::Result;
use crate::text::builder::TextBuilder;
use crate::text::format_spec::FormatSpec;
use crate::text::format_spec::render::{
    IntPresentation, character_range_error, render_character, render_float, render_int,
};
use crate::text::{TextError, int_conversion};
use crate::value::Value;
use crate::vm::Vm;
use crate::with_units;
use dashu_int::IBig;
use smallvec::SmallVec;
use std::borrow::Cow;
use std::cmp::Ordering;

/// `int.__format__`
pub(crate) fn format(vm: &Vm, this: &Value, args: &[Value]) -> Result {
    let spec = vm.expect_str_argument(&args[0], |name| format!("__format__() argument must be str, not {name}"))?;
    if spec.len() == 0 {
        return if super::is_exact(this) { super::to_decimal(vm, this) } else { vm.str(this) };
    }
    let type_name: Cow<str> = if this.is_small_int() { "int".into() } else { this.ty().name().into() };
    let fail = |error: TextError| vm.text_error(error);
    let spec = with_units!(spec, |units| FormatSpec::parse_int(units, &type_name)).map_err(fail)?;
    let Some(value) = Operand::of(this) else { return Ok(Value::NOT_IMPLEMENTED) };
    let mut out = TextBuilder::new();
    match spec.int_presentation(&type_name).map_err(fail)? {
        IntPresentation::Base(base) => {
            spec.check_int().map_err(fail)?;
            let digits = digits(vm, value, base)?;
            let locale = NumberText::for_spec(&spec);
            render_int(&spec, value.is_negative(), &digits, &locale.borrow(), &mut out).map_err(fail)?;
        }
        IntPresentation::Character => {
            spec.check_int().map_err(fail)?;
            let Operand::Small(n) = value else {
                return Err(vm.overflow_error("Python int too large to convert to C long"));
            };
            match u32::try_from(n) {
                Ok(code) if code < 0x110000 => render_character(&spec, code, &mut out).map_err(fail)?,
                _ => return Err(fail(character_range_error())),
            }
        }
        IntPresentation::Float => {
            let Some(f) = value.to_f64() else {
                return Err(vm.overflow_error("int too large to convert to float"));
            };
            let locale = NumberText::for_spec(&spec);
            render_float(&spec, f, &type_name, &locale.borrow(), &mut out).map_err(fail)?;
        }
    }
    Ok(Str::from_text(out.finish()).into_value())
}

/// Digits of an int: as many as an `i64` has at most are in place.
pub type Digits = SmallVec<[u8; 64]>;

/// The lower-case digits of the magnitude.
pub fn digits(vm: &Vm, value: Operand, base: u32) -> Result<Digits> {
    if let Operand::Small(n) = value {
        return Ok(match base {
            10 => {
                let mut buffer = [0; 20];
                let digits = int_conversion::small_to_decimal(n, &mut buffer);
                Digits::from_slice(digits.strip_prefix(b"-").unwrap_or(digits))
            }
            _ => {
                let mut buffer = [0; 64];
                Digits::from_slice(int_conversion::small_to_power_of_two_base(n.unsigned_abs(), base, &mut buffer))
            }
        });
    }
    let (_, magnitude) = value.to_ibig().into_parts();
    let digits = if base != 10 {
        int_conversion::to_power_of_two_base(&magnitude, base)
    } else {
        check_room(vm, value.bit_length().saturating_mul(4))?;
        int_conversion::to_decimal(&magnitude, max_str_digits())
    };
    digits.map(|digits| Digits::from_vec(digits.into_bytes())).map_err(|error| vm.text_error(error))
}

/// The digits behind `0b`, `0o` or `0x`, and behind a minus sign if it is negative.
pub fn prefixed(vm: &Vm, value: Operand, base: u32) -> Result {
    let digits = digits(vm, value, base)?;
    let prefix = match (value.is_negative(), base) {
        (false, 2) => "0b",
        (true, 2) => "-0b",
        (false, 8) => "0o",
        (true, 8) => "-0o",
        (false, _) => "0x",
        (true, _) => "-0x",
    };
    if !digits.spilled() {
        let mut text = [0; 3 + 64];
        let length = prefix.len() + digits.len();
        text[..prefix.len()].copy_from_slice(prefix.as_bytes());
        text[prefix.len()..length].copy_from_slice(&digits);
        return Ok(Str::from_ascii(&text[..length]).into_value());
    }
    let mut text = StrBuilder::with_capacity(digits.len() + prefix.len());
    text.push_str(prefix);
    text.push_str(std::str::from_utf8(&digits).expect("digits"));
    Ok(text.finish().into_value())
}

pub(super) fn round(vm: &Vm, this: &Value, args: &[Value]) -> Result {
    let value = Operand::of(this);
    let (Some(digits), Some(value)) = (args[0].given(), value) else { return Ok(to_exact(this)) };
    let places = vm.index(digits)?;
    let places = match Operand::of(&places) {
        Some(places) if !places.is_negative() => return Ok(to_exact(this)),
        Some(Operand::Small(places)) => places.unsigned_abs() as usize,
        _ => usize::MAX,
    };
    // 10^places exceeds twice the number: it rounds to 0.
    if places > value.bit_length() / 3 + 1 {
        return Ok(Value::small_int(0));
    }
    let unit = IBig::from(10).pow(places);
    let n = value.to_ibig();
    let (quotient, remainder) = divmod_ibig(&n, &unit);
    let up = match (&remainder << 1).cmp(&unit) {
        Ordering::Less => false,
        Ordering::Greater => true,
        Ordering::Equal => !(quotient & IBig::from(1)).is_zero(),
    };
    let down = n - remainder;
    Ok(from_ibig(if up { down + unit } else { down }))
}

/// `int.__float__`
pub(super) fn to_float(vm: &Vm, this: &Value) -> Result {
    match Operand::of(this).and_then(Operand::to_f64) {
        Some(f) => Ok(float::from_f64(f)),
        None => Err(vm.overflow_error("int too large to convert to float")),
    }
}
