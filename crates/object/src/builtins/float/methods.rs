//! The slot table and method table of `float`.

use super::{FLOAT, arithmetic, as_f64, compare, construct, from_f64, hash_f64, is_exact, rounding, to_f64};
use crate::builtins::number_locale::NumberText;
use crate::builtins::str::Str;
use crate::builtins::tuple::Tuple;
use crate::native::{GetSetDef, MethodDef};
use crate::object::Result;
use crate::text::builder::TextBuilder;
use crate::text::format_spec::FormatSpec;
use crate::text::format_spec::render::render_float;
use crate::text::{float_hex, float_repr};
use crate::types::Type;
use crate::types::slots::Slots;
use crate::value::Value;
use crate::vm::Vm;
use crate::with_units;
use std::borrow::Cow;

pub fn slots(s: &mut Slots) {
    s.new = Some(construct::new);
    s.repr = Some(|_, this| Ok(Str::from_ascii(float_repr::repr(value_of(this)).as_bytes()).into_value()));
    s.hash = Some(|_, this| Ok(hash_f64(value_of(this), this.id())));
    s.richcompare = Some(compare::compare);
    s.add = Some(arithmetic::add);
    s.subtract = Some(arithmetic::subtract);
    s.multiply = Some(arithmetic::multiply);
    s.remainder = Some(arithmetic::remainder);
    s.divmod = Some(arithmetic::divmod);
    s.power = Some(arithmetic::power);
    s.negative = Some(|_, this| Ok(from_f64(-value_of(this))));
    s.positive = Some(|_, this| Ok(exact(this)));
    s.absolute = Some(|_, this| Ok(from_f64(value_of(this).abs())));
    s.bool = Some(|_, this| Ok(value_of(this) != 0.0));
    s.int = Some(rounding::trunc);
    s.float = Some(|_, this| Ok(exact(this)));
    s.floor_divide = Some(arithmetic::floor_divide);
    s.true_divide = Some(arithmetic::true_divide);
}

fn value_of(this: &Value) -> f64 {
    to_f64(this).unwrap_or(0.0)
}

/// The exact float with the value of a subclass instance.
fn exact(this: &Value) -> Value {
    if is_exact(this) { this.clone() } else { from_f64(value_of(this)) }
}

/// A float as an instance of `class`.
fn as_instance(vm: &Vm, class: &Value, f: f64) -> Result {
    let f = from_f64(f);
    if class.downcast::<Type>().is_some_and(|ty| ty.is(&FLOAT)) { Ok(f) } else { vm.call_args(class, &[f]) }
}

fn from_number(vm: &Vm, class: &Value, args: &[Value]) -> Result {
    if is_exact(&args[0]) && class.downcast::<Type>().is_some_and(|ty| ty.is(&FLOAT)) {
        return Ok(args[0].clone());
    }
    as_instance(vm, class, as_f64(vm, &args[0])?)
}

fn fromhex(vm: &Vm, class: &Value, args: &[Value]) -> Result {
    let Some(text) = args[0].downcast::<Str>() else {
        return Err(vm.type_error("bad argument type for built-in operation"));
    };
    if text.to_utf8().is_none() {
        crate::codecs::to_utf8(vm, &args[0])?;
    }
    let parsed = with_units!(text, |units| float_hex::from_hex(units));
    as_instance(vm, class, parsed.map_err(|error| vm.text_error(error))?)
}

fn hex(_: &Vm, this: &Value, _: &[Value]) -> Result {
    Ok(Str::from_ascii(float_hex::hex(value_of(this)).as_bytes()).into_value())
}

fn is_integer(_: &Vm, this: &Value, _: &[Value]) -> Result {
    let f = value_of(this);
    Ok(Value::bool(f.is_finite() && f.fract() == 0.0))
}

fn getnewargs(_: &Vm, this: &Value, _: &[Value]) -> Result {
    Ok(Tuple::from_vec(vec![exact(this)]).into_value())
}

fn getformat(vm: &Vm, _: &Value, args: &[Value]) -> Result {
    let name = vm.expect_str_argument(&args[0], |got| format!("__getformat__() argument must be str, not {got}"))?;
    match name.as_ascii() {
        Some("double" | "float") if cfg!(target_endian = "little") => Ok(Value::from("IEEE, little-endian")),
        Some("double" | "float") => Ok(Value::from("IEEE, big-endian")),
        _ if name.to_utf8().is_none() => crate::codecs::to_utf8(vm, &args[0]).map(|_| Value::NONE),
        _ => Err(vm.value_error("__getformat__() argument 1 must be 'double' or 'float'")),
    }
}

/// `float.__format__`
pub(crate) fn format(vm: &Vm, this: &Value, args: &[Value]) -> Result {
    let spec = vm.expect_str_argument(&args[0], |name| format!("__format__() argument must be str, not {name}"))?;
    if spec.len() == 0 {
        return vm.str(this);
    }
    let type_name: Cow<str> = if this.is_immediate_float() { "float".into() } else { this.ty().name().into() };
    let spec = with_units!(spec, |units| FormatSpec::parse_float(units, &type_name));
    let spec = spec.map_err(|error| vm.text_error(error))?;
    let mut out = TextBuilder::new();
    let locale = NumberText::for_spec(&spec);
    match render_float(&spec, value_of(this), &type_name, &locale.borrow(), &mut out) {
        Ok(()) => Ok(Str::from_text(out.finish()).into_value()),
        Err(error) => Err(vm.text_error(error)),
    }
}

crate::method_table! { pub static METHODS = [
    MethodDef::new("from_number($type, number, /)", "\
        Convert a real number, but no string, to float.", from_number).class(),
    MethodDef::new("conjugate($self, /)", "\
        Return the number itself, as its imaginary part is zero.", |_, this, _| Ok(exact(this))),
    MethodDef::new("__trunc__($self, /)", "\
        Drop the fraction, and return an int.", |vm, this, _| rounding::trunc(vm, this)),
    MethodDef::new("__floor__($self, /)", "Round down to an int.", rounding::floor),
    MethodDef::new("__ceil__($self, /)", "Round up to an int.", rounding::ceil),
    MethodDef::new("__round__($self, ndigits=None, /)", "Round to an int, or to ndigits decimal places.\n\n\
        Of two equally near results the even one is chosen, as by round().", rounding::round),
    MethodDef::new("as_integer_ratio($self, /)", "Return two integers whose quotient is exactly this number.\n\n\
        They have no common divisor, and the second is positive.  Infinities\n\
        raise OverflowError, NaNs raise ValueError.\n\n\
        >>> (1.5).as_integer_ratio()\n\
        (3, 2)\n\
        >>> (-0.0).as_integer_ratio()\n\
        (0, 1)\n\
        >>> (-4.0).as_integer_ratio()\n\
        (-4, 1)", rounding::as_integer_ratio),
    MethodDef::new("fromhex($type, string, /)", "Parse a float in hexadecimal notation, as hex() writes it.\n\n\
        >>> float.fromhex('0x1.8p+1')\n\
        3.0\n\
        >>> float.fromhex('-0x1p-2')\n\
        -0.25", fromhex).class(),
    MethodDef::new("hex($self, /)", "Write the exact value in hexadecimal, with a binary exponent.\n\n\
        >>> (0.5).hex()\n\
        '0x1.0000000000000p-1'\n\
        >>> (-10.0).hex()\n\
        '-0x1.4000000000000p+3'", hex),
    MethodDef::new("is_integer($self, /)", "Tell whether the number is finite and has no fraction.", is_integer),
    MethodDef::new("__getnewargs__($self, /)", "", getnewargs),
    MethodDef::new("__getformat__($type, typestr, /)", "Tell how floating-point numbers are stored; for tests.\n\n  \
        typestr\n    \
        'double' or 'float', the C type that is meant\n\n\
        The answer is 'IEEE, little-endian', 'IEEE, big-endian' or 'unknown'.", getformat).class(),
    MethodDef::new("__format__($self, format_spec, /)", "Return the number as text in the given format.", format),
]; }

pub static GETSET: &[GetSetDef] = &[
    GetSetDef::new("real", "the real part of a complex number", |_, this| Ok(exact(this))),
    GetSetDef::new("imag", "the number's imaginary part", |_, _| Ok(from_f64(0.0))),
];
