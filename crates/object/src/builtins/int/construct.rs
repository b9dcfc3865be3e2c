//! `int(…)`: from numbers, text and bytes; and the limit on the length of decimal texts.

use super::{INT, Operand, from_i64, from_ibig, is_exact, is_int, to_exact};
use crate::builtins::bytes;
use crate::builtins::str::Str;
use crate::native::signature::Signature;
use crate::object::Result;
use crate::text::int_conversion::{self, DEFAULT_MAX_DIGITS, Int as ParsedInt, ParseIntError};
use crate::types::Type;
use crate::value::Value;
use crate::vm::{Raised, Vm};
use crate::with_units;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

static MAX_STR_DIGITS: AtomicUsize = AtomicUsize::new(DEFAULT_MAX_DIGITS);

/// `sys.get_int_max_str_digits()`
pub fn max_str_digits() -> usize {
    MAX_STR_DIGITS.load(Relaxed)
}

/// `sys.set_int_max_str_digits(digits)`, checked by the caller.
pub fn set_max_str_digits(digits: usize) {
    MAX_STR_DIGITS.store(digits, Relaxed);
}

/// The `new` slot.
pub fn new(vm: &Vm, class: &Value, args: &[Value], kwnames: Option<&Value>) -> Result {
    let value = match (args, kwnames) {
        ([], None) => Value::small_int(0),
        ([value], None) => from_value(vm, value)?,
        ([value, base], None) => from_value_and_base(vm, value, base)?,
        (_, None) => return Err(vm.type_error(format!("int expected at most 2 arguments, got {}", args.len()))),
        _ => {
            static SIGNATURE: LazyLock<Signature> = LazyLock::new(|| Signature::parse("int(x=?, /, base=?)"));
            let bound = SIGNATURE.bind(vm, args, kwnames)?;
            match (bound[0].bound(), bound[1].bound()) {
                (None, None) => Value::small_int(0),
                (None, Some(_)) => return Err(vm.type_error("int() missing string argument")),
                (Some(value), None) => from_value(vm, value)?,
                (Some(value), Some(base)) => from_value_and_base(vm, value, base)?,
            }
        }
    };
    match class.downcast::<Type>() {
        Some(ty) if !ty.is(&INT) => {
            let n = super::to_ibig(&value).expect("an int was just made");
            Ok(super::new_with_type(ty, n))
        }
        _ => Ok(value),
    }
}

/// The int of a parsed text.
pub(super) fn from_parsed(n: ParsedInt) -> Value {
    match n {
        ParsedInt::Small(n) => from_i64(n),
        ParsedInt::Big(n) => from_ibig(n),
    }
}

/// `int(value)` (`PyNumber_Long`).
pub fn from_value(vm: &Vm, value: &Value) -> Result {
    if is_exact(value) {
        return Ok(value.clone());
    }
    if let Some(int) = value.ty().slots().int {
        let result = int(vm, value)?;
        if is_exact(&result) {
            return Ok(result);
        }
        if !is_int(&result) {
            return Err(vm.type_error(format!("__int__ returned non-int (type {})", result.ty().name())));
        }
        vm.warn(
            &crate::exceptions::DEPRECATION_WARNING.value(),
            &format!(
                "__int__ returned non-int (type {}).  The ability to return an instance of a strict subclass of int is \
                 deprecated, and may be removed in a future version of Python.",
                result.ty().name()
            ),
            1,
        )?;
        return Ok(to_exact(&result));
    }
    if value.ty().slots().index.is_some() {
        return vm.index(value);
    }
    if let Some(text) = value.downcast::<Str>() {
        return parse(vm, value, text, 10);
    }
    if value.ty().slots().buffer.is_some() {
        return parse_bytes(vm, value, 10);
    }
    Err(vm.type_error(format!(
        "int() argument must be a string, a bytes-like object or a real number, not '{}'",
        value.ty().name()
    )))
}

fn from_value_and_base(vm: &Vm, value: &Value, base: &Value) -> Result {
    let base = match vm.index_clipped(base)? {
        base @ (0 | 2..=36) => base as u32,
        _ => return Err(vm.text_error(int_conversion::base_error())),
    };
    if let Some(text) = value.downcast::<Str>() {
        return parse(vm, value, text, base);
    }
    if bytes::is_bytes(value) || bytes::is_bytearray(value) {
        return parse_bytes(vm, value, base);
    }
    Err(vm.type_error("int() can't convert non-string with explicit base"))
}

fn parse(vm: &Vm, value: &Value, text: &Str, base: u32) -> Result {
    super::check_room(vm, text.len().saturating_mul(8))?;
    with_units!(text, |units| int_conversion::parse_int(units, base, max_str_digits()))
        .map(from_parsed)
        .map_err(|error| parse_error(vm, error, base, value))
}

fn parse_bytes(vm: &Vm, value: &Value, base: u32) -> Result {
    let data = vm.bytes_like(value)?;
    super::check_room(vm, data.len().saturating_mul(8))?;
    match int_conversion::parse_int_bytes(&data, base, max_str_digits()) {
        Ok(n) => Ok(from_parsed(n)),
        Err(error) => {
            let shown = bytes::from_slice(vm, &data)?;
            Err(parse_error(vm, error, base, &shown))
        }
    }
}

#[cold]
fn parse_error(vm: &Vm, error: ParseIntError, base: u32, value: &Value) -> Raised {
    match error {
        ParseIntError::Other(error) => vm.text_error(error),
        ParseIntError::Invalid => match vm.repr(value) {
            Ok(shown) => {
                let mut message = crate::builtins::str::StrBuilder::new();
                message.push_str(&format!("invalid literal for int() with base {base}: "));
                if let Some(text) = shown.downcast::<Str>() {
                    message.push_text(&text.slice(0, text.len().min(200)));
                }
                vm.raise_args(crate::exceptions::VALUE_ERROR.ty(), vec![message.finish().into_value()])
            }
            Err(raised) => raised,
        },
    }
}

/// The decimal text of an int.
pub fn to_decimal(vm: &Vm, value: &Value) -> Result {
    match Operand::of(value) {
        Some(Operand::Small(n)) => {
            let mut buffer = [0; 20];
            Ok(Str::from_ascii(int_conversion::small_to_decimal(n, &mut buffer)).into_value())
        }
        Some(Operand::Big(n)) => {
            let (sign, magnitude) = n.clone().into_parts();
            super::check_room(vm, 4 * super::magnitude_bits(n))?;
            let mut digits =
                int_conversion::to_decimal(&magnitude, max_str_digits()).map_err(|error| vm.text_error(error))?;
            if sign == dashu_int::Sign::Negative {
                digits.insert(0, '-');
            }
            Ok(Str::from_ascii(digits.as_bytes()).into_value())
        }
        None => Ok(Value::NOT_IMPLEMENTED),
    }
}
