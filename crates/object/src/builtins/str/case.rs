//! Case mappings and the `is…` predicates.

use super::{Data, Str};
use crate::object::Result;
use crate::text::builder::TextBuilder;
use crate::text::unicode::{self, case};
use crate::text::{TextError, Unit};
use crate::value::Value;
use crate::vm::Vm;
use crate::with_units;

fn own(this: &Value) -> &Str {
    this.downcast::<Str>().expect("called on a str")
}

/// A string of ASCII bytes, each mapped to an ASCII byte.
fn map_ascii(vm: &Vm, bytes: &[u8], map: impl Fn(u8) -> u8) -> Result {
    if bytes.len() <= 1 {
        return Ok(Str::from_ascii(&bytes.iter().map(|byte| map(*byte)).collect::<Vec<u8>>()).into_value());
    }
    let text = Str::undefined(vm, bytes.len(), 0x7f)?;
    text.put(0, Data::Ascii(bytes));
    text.map_bytes(map);
    Ok(text.into_value())
}

macro_rules! mappings {
    ($($name:ident $ascii:expr, $general:ident;)*) => { $(
        pub(super) fn $name(vm: &Vm, this: &Value, _: &[Value]) -> Result {
            let text = own(this);
            let ascii: fn(&Vm, &[u8]) -> Result = $ascii;
            if let Data::Ascii(bytes) = text.data() {
                return ascii(vm, bytes);
            }
            let mut out = TextBuilder::new();
            // A character becomes three at most.
            if text.len() > isize::MAX as usize / 3 || out.try_reserve(text.len()).is_err() {
                return Err(vm.text_error(TextError::memory()));
            }
            with_units!(text, |units| case::$general(units, &mut out));
            Ok(Str::from_text(out.finish()).into_value())
        }
    )* };
}
mappings! {
    upper |vm, bytes| map_ascii(vm, bytes, |byte| byte.to_ascii_uppercase()), upper;
    lower |vm, bytes| map_ascii(vm, bytes, |byte| byte.to_ascii_lowercase()), lower;
    casefold |vm, bytes| map_ascii(vm, bytes, |byte| byte.to_ascii_lowercase()), casefold;
    swapcase |vm, bytes| map_ascii(vm, bytes, |byte| if byte.is_ascii_alphabetic() { byte ^ 0x20 } else { byte }), swapcase;
    capitalize |vm, bytes| {
        let mut bytes = vm.buffer_of(bytes)?;
        bytes.make_ascii_lowercase();
        if let Some(first) = bytes.first_mut() {
            first.make_ascii_uppercase();
        }
        Ok(Str::from_ascii(&bytes).into_value())
    }, capitalize;
    title |vm, bytes| {
        let mut bytes = vm.buffer_of(bytes)?;
        make_titled(&mut bytes);
        Ok(Str::from_ascii(&bytes).into_value())
    }, title;
}

/// Each ASCII letter after a non-letter in upper case, the others in lower case.
pub(crate) fn make_titled(bytes: &mut [u8]) {
    let mut in_word = false;
    for byte in bytes {
        *byte = if in_word { byte.to_ascii_lowercase() } else { byte.to_ascii_uppercase() };
        in_word = byte.is_ascii_alphabetic();
    }
}

/// Whether [`make_titled`] would leave them as they are.
pub(crate) fn is_titled(bytes: &[u8]) -> bool {
    let mut in_word = false;
    bytes.iter().all(|byte| {
        let fits = if in_word { !byte.is_ascii_uppercase() } else { !byte.is_ascii_lowercase() };
        in_word = byte.is_ascii_alphabetic();
        fits
    })
}

macro_rules! predicates {
    ($($name:ident $test:ident;)*) => { $(
        pub(super) fn $name(_: &Vm, this: &Value, _: &[Value]) -> Result {
            let text = own(this);
            Ok(Value::bool(text.len() > 0 && with_units!(text, |units| units.iter().all(|unit| unicode::$test(unit.code())))))
        }
    )* };
}
predicates! {
    isspace is_space;
    isdecimal is_decimal;
    isdigit is_digit;
    isnumeric is_numeric;
    isalpha is_alpha;
    isalnum is_alnum;
}

pub(super) fn isprintable(_: &Vm, this: &Value, _: &[Value]) -> Result {
    Ok(Value::bool(with_units!(own(this), |units| units.iter().all(|unit| unicode::is_printable(unit.code())))))
}

pub(super) fn isascii(_: &Vm, this: &Value, _: &[Value]) -> Result {
    Ok(Value::bool(own(this).is_ascii()))
}

pub(super) fn islower(_: &Vm, this: &Value, _: &[Value]) -> Result {
    Ok(Value::bool(with_units!(own(this), |units| case::is_lower_text(units))))
}

pub(super) fn isupper(_: &Vm, this: &Value, _: &[Value]) -> Result {
    Ok(Value::bool(with_units!(own(this), |units| case::is_upper_text(units))))
}

pub(super) fn istitle(_: &Vm, this: &Value, _: &[Value]) -> Result {
    Ok(Value::bool(with_units!(own(this), |units| case::is_title_text(units))))
}

pub(super) fn isidentifier(_: &Vm, this: &Value, _: &[Value]) -> Result {
    Ok(Value::bool(is_identifier(own(this))))
}

pub fn is_identifier(text: &Str) -> bool {
    with_units!(text, |units| case::is_identifier(units))
}
