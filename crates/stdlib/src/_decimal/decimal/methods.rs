//! The methods of `Decimal`.

use super::construct::{as_class, exact, from_float, from_int};
use super::convert::{to_f64, to_int, to_ratio};
use super::{Binary, Decimal, Operand, Unary, apply_binary, apply_unary, format, new, own, text_of, unsupported};
use crate::_decimal::context::{self, attributes::rounding};
use crate::_decimal::decimal_tuple;
use crate::_decimal::mpd::{
    self, Class, Coefficient, Number, Rounding, arithmetic, compare, divide, integral, logical, sqrt, transcendental,
};
use crate::payload::{class_of, signature};
use taipan_object::attributes::memory;
use taipan_object::builtins::tuple::Tuple;
use taipan_object::builtins::{complex, float, int};
use taipan_object::native::{GetSetDef, MethodDef};
use taipan_object::{Result, Value, Vm, method_table};

signature!(CONTEXT_ONLY = "(context=None)");
signature!(OTHER = "(other, context=None)");
signature!(QUANTIZE = "(exp, rounding=None, context=None)");
signature!(ROUNDING = "(rounding=None, context=None)");
signature!(FMA = "(other, third, context=None)");
signature!(ROUND = "(ndigits=<unrepresentable>, /)");

fn unary(vm: &Vm, this: &Value, args: &[Value], kwnames: Option<&Value>, f: Unary) -> Result {
    let bound = CONTEXT_ONLY.bind(vm, args, kwnames)?;
    apply_unary(vm, &*context::argument(vm, &bound[0])?, own(this), f)
}

fn binary(vm: &Vm, this: &Value, args: &[Value], kwnames: Option<&Value>, f: Binary) -> Result {
    let bound = OTHER.bind(vm, args, kwnames)?;
    let context = context::argument(vm, &bound[1])?;
    let other = Operand::expect(vm, &bound[0])?;
    apply_binary(vm, &context, own(this), &other, f)
}

macro_rules! unary_method {
    ($name:literal, $doc:literal, $f:expr) => {
        MethodDef::raw(concat!($name, "($self, /, context=None)"), $doc, |vm, this, args, kwnames| {
            unary(vm, this, args, kwnames, $f)
        })
    };
}
macro_rules! binary_method {
    ($name:literal, $doc:literal, $f:expr) => {
        MethodDef::raw(concat!($name, "($self, /, other, context=None)"), $doc, |vm, this, args, kwnames| {
            binary(vm, this, args, kwnames, $f)
        })
    };
}
macro_rules! predicate {
    ($name:literal, $doc:literal, $f:expr) => {
        MethodDef::new(concat!($name, "($self, /)"), $doc, |_, this, _| {
            let test: fn(&Number) -> bool = $f;
            Ok(Value::bool(test(own(this))))
        })
    };
}
macro_rules! predicate_in_context {
    ($name:literal, $doc:literal, $f:expr) => {
        MethodDef::raw(concat!($name, "($self, /, context=None)"), $doc, |vm, this, args, kwnames| {
            let bound = CONTEXT_ONLY.bind(vm, args, kwnames)?;
            let context = context::argument(vm, &bound[0])?.number();
            let test: fn(&Number, &mpd::Context) -> bool = $f;
            Ok(Value::bool(test(own(this), &context)))
        })
    };
}

fn to_integral(vm: &Vm, this: &Value, args: &[Value], kwnames: Option<&Value>, exactly: bool) -> Result {
    let bound = ROUNDING.bind(vm, args, kwnames)?;
    let context = context::argument(vm, &bound[1])?;
    let mut settings = context.number();
    if !bound[0].is_none() {
        settings.round = rounding(vm, &bound[0])?;
    }
    let mut status = 0;
    let result = integral::to_integral(own(this), exactly, &settings, &mut status);
    context.report(vm, status)?;
    Ok(new(result))
}

fn quantize(vm: &Vm, this: &Value, args: &[Value], kwnames: Option<&Value>) -> Result {
    let bound = QUANTIZE.bind(vm, args, kwnames)?;
    let context = context::argument(vm, &bound[2])?;
    let mut settings = context.number();
    if !bound[1].is_none() {
        settings.round = rounding(vm, &bound[1])?;
    }
    let exponent = Operand::expect(vm, &bound[0])?;
    let mut status = 0;
    let result = integral::quantize(own(this), &exponent, &settings, &mut status);
    context.report(vm, status)?;
    Ok(new(result))
}

fn fma(vm: &Vm, this: &Value, args: &[Value], kwnames: Option<&Value>) -> Result {
    let bound = FMA.bind(vm, args, kwnames)?;
    let context = context::argument(vm, &bound[2])?;
    let (other, third) = (Operand::expect(vm, &bound[0])?, Operand::expect(vm, &bound[1])?);
    let mut status = 0;
    let result = arithmetic::fma(own(this), &other, &third, &context.number(), &mut status);
    context.report(vm, status)?;
    Ok(new(result))
}

fn same_quantum(vm: &Vm, this: &Value, args: &[Value], kwnames: Option<&Value>) -> Result {
    let bound = OTHER.bind(vm, args, kwnames)?;
    context::argument(vm, &bound[1])?;
    Ok(Value::bool(logical::same_quantum(own(this), &*Operand::expect(vm, &bound[0])?)))
}

fn number_class(vm: &Vm, this: &Value, args: &[Value], kwnames: Option<&Value>) -> Result {
    let bound = CONTEXT_ONLY.bind(vm, args, kwnames)?;
    let context = context::argument(vm, &bound[0])?.number();
    Ok(Value::from(logical::class_name(own(this), &context)))
}

/// `round(self)`: an int, or `round(self, ndigits)`: a Decimal with so many fraction digits.
fn round(vm: &Vm, this: &Value, args: &[Value], kwnames: Option<&Value>) -> Result {
    let bound = ROUND.bind(vm, args, kwnames)?;
    let Some(digits) = bound[0].given() else { return to_int(vm, own(this), Rounding::HalfEven) };
    if !int::is_int(digits) {
        return Err(vm.type_error("optional arg must be an integer"));
    }
    let digits = crate::arguments::ssize(vm, digits)? as i64;
    let quantum = Number::finite(false, Coefficient::ONE, digits.saturating_neg());
    apply_binary(vm, &context::current(), own(this), &quantum, integral::quantize)
}

/// `(sign, digits, exponent)`
pub fn as_tuple(vm: &Vm, number: &Number) -> Result {
    let exponent = match number.class {
        Class::Finite => Value::from(number.exp),
        Class::Infinite => Value::from("F"),
        Class::QuietNan => Value::from("n"),
        Class::SignalingNan => Value::from("N"),
    };
    let mut digits = Vec::new();
    if number.is_finite() || number.is_infinite() || !number.coefficient.is_zero() {
        number.coefficient.push_ascii(&mut digits);
    }
    let digits = digits.into_iter().map(|digit| Value::from(i32::from(digit - b'0'))).collect();
    let parts = [Value::from(i32::from(number.negative)), Tuple::try_from_vec(vm, digits)?.into_value(), exponent];
    vm.call_args(&decimal_tuple(), &parts)
}

pub static GETSET: &[GetSetDef] = &[
    GetSetDef::new("real", "", |_, this| Ok(this.clone())),
    GetSetDef::new("imag", "", |_, _| Ok(new(Number::from_i64(0)))),
];

method_table! { pub static METHODS = [
    unary_method!("exp", "The exponential function, correctly rounded.", transcendental::exp),
    unary_method!("ln", "The natural logarithm, correctly rounded.", transcendental::ln),
    unary_method!("log10", "The decimal logarithm, correctly rounded.", transcendental::log10),
    unary_method!("next_minus", "The largest number below this one.", integral::next_minus),
    unary_method!("next_plus", "The smallest number above this one.", integral::next_plus),
    unary_method!("normalize", "The number without trailing zeros.", integral::reduce),
    MethodDef::raw("to_integral($self, /, rounding=None, context=None)", "The same as to_integral_value().", |vm, this, args, kwnames| {
        to_integral(vm, this, args, kwnames, false)
    }),
    MethodDef::raw("to_integral_exact($self, /, rounding=None, context=None)", "Round to an integer, signaling Inexact and Rounded.", |vm, this, args, kwnames| {
        to_integral(vm, this, args, kwnames, true)
    }),
    MethodDef::raw("to_integral_value($self, /, rounding=None, context=None)", "Round to an integer without signals.", |vm, this, args, kwnames| {
        to_integral(vm, this, args, kwnames, false)
    }),
    unary_method!("sqrt", "The square root, correctly rounded.", sqrt::square_root),
    binary_method!("compare", "Compare: -1, 0, 1 or NaN, as a Decimal.", compare::compare),
    binary_method!("compare_signal", "As compare(), but all NaNs signal.", compare::compare_signal),
    binary_method!("max", "The larger operand; a number rather than a quiet NaN.", compare::max),
    binary_method!("max_mag", "As max(), of the absolute values.", compare::max_magnitude),
    binary_method!("min", "The smaller operand; a number rather than a quiet NaN.", compare::min),
    binary_method!("min_mag", "As min(), of the absolute values.", compare::min_magnitude),
    binary_method!("next_toward", "The number next to this one in the direction of the other.", integral::next_toward),
    MethodDef::raw("quantize($self, /, exp, rounding=None, context=None)", "Round to the exponent of another number.", quantize),
    binary_method!("remainder_near", "The remainder of the division rounded to the nearest integer.", divide::remainder_near),
    MethodDef::raw("fma($self, /, other, third, context=None)", "self * other + third, rounded once.", fma),
    predicate!("is_canonical", "Always True.", |_| true),
    predicate!("is_finite", "Whether it is a finite number.", Number::is_finite),
    predicate!("is_infinite", "Whether it is an infinity.", Number::is_infinite),
    predicate!("is_nan", "Whether it is a NaN of either kind.", Number::is_nan),
    predicate!("is_qnan", "Whether it is a quiet NaN.", |n| n.class == Class::QuietNan),
    predicate!("is_snan", "Whether it is a signaling NaN.", Number::is_signaling),
    predicate!("is_signed", "Whether it has a negative sign.", |n| n.negative),
    predicate!("is_zero", "Whether it is a zero.", Number::is_zero),
    predicate_in_context!("is_normal", "Whether it is finite, not zero and not subnormal.", Number::is_normal),
    predicate_in_context!("is_subnormal", "Whether it is subnormal.", Number::is_subnormal),
    MethodDef::new("adjusted($self, /)", "The exponent of the first digit.", |_, this, _| {
        let number = own(this);
        Ok(Value::from(if number.is_finite() { number.adjusted() } else { 0 }))
    }),
    MethodDef::new("canonical($self, /)", "The number itself.", |_, this, _| Ok(this.clone())),
    MethodDef::new("conjugate($self, /)", "The number itself.", |_, this, _| Ok(this.clone())),
    MethodDef::new("radix($self, /)", "Decimal(10).", |_, _, _| Ok(new(Number::from_i64(10)))),
    MethodDef::new("copy_abs($self, /)", "The absolute value, unrounded.", |_, this, _| Ok(new(own(this).abs()))),
    MethodDef::new("copy_negate($self, /)", "The number with the other sign, unrounded.", |_, this, _| Ok(new(own(this).negated()))),
    unary_method!("logb", "The exponent of the first digit, as a Decimal.", integral::logb),
    unary_method!("logical_invert", "All digits inverted.", logical::invert),
    MethodDef::raw("number_class($self, /, context=None)", "The name of the number's class.", number_class),
    MethodDef::raw("to_eng_string($self, /, context=None)", "The number in engineering notation.", |vm, this, args, kwnames| {
        let bound = CONTEXT_ONLY.bind(vm, args, kwnames)?;
        let context = context::argument(vm, &bound[0])?;
        Ok(text_of(own(this), true, &context))
    }),
    binary_method!("compare_total", "Compare the representations in their total order.", |a, b, _, _| compare::compare_total(a, b)),
    binary_method!("compare_total_mag", "As compare_total(), ignoring signs.", |a, b, _, _| compare::compare_total_magnitude(a, b)),
    binary_method!("copy_sign", "The number with the sign of the other.", |a, b, _, _| a.clone().with_sign(b.negative)),
    MethodDef::raw("same_quantum($self, /, other, context=None)", "Whether both have the same exponent.", same_quantum),
    binary_method!("logical_and", "The digits combined by and.", logical::and),
    binary_method!("logical_or", "The digits combined by or.", logical::or),
    binary_method!("logical_xor", "The digits combined by exclusive or.", logical::xor),
    binary_method!("rotate", "The digits rotated.", logical::rotate),
    binary_method!("scaleb", "The exponent adjusted by the other number.", integral::scaleb),
    binary_method!("shift", "The digits shifted.", logical::shift),
    MethodDef::new("from_float($type, f, /)", "A float (or int) as a Decimal, exactly.", |vm, this, args| match from_float(&args[0]) {
        Some(number) => as_class(vm, class_of(this), number),
        None => Err(vm.type_error("argument must be int or float")),
    }).class(),
    MethodDef::new("from_number($type, number, /)", "A real number as a Decimal, exactly.", |vm, this, args| {
        let value = &args[0];
        let number = match (value.downcast::<Decimal>(), from_int(value), float::to_f64(value)) {
            (Some(decimal), ..) => decimal.number.clone(),
            (_, Some(number), _) => number,
            (_, _, Some(_)) => from_float(value).unwrap_or(Number::NAN),
            _ => return Err(unsupported(vm, value)),
        };
        as_class(vm, class_of(this), number)
    }).class(),
    MethodDef::new("as_tuple($self, /)", "Sign, digits and exponent as a named tuple.", |vm, this, _| as_tuple(vm, own(this))),
    MethodDef::new("as_integer_ratio($self, /)", "Numerator and denominator in lowest terms.", |vm, this, _| to_ratio(vm, own(this))),
    MethodDef::new("__copy__($self, /)", "", |_, this, _| Ok(this.clone())),
    MethodDef::new("__deepcopy__($self, object, /)", "", |_, this, _| Ok(this.clone())),
    MethodDef::raw("__format__", "", format::format),
    MethodDef::new("__reduce__($self, /)", "", |vm, this, _| {
        let text = vm.str(this)?;
        Ok(Tuple::from_array([this.ty().to_value(), Tuple::from_array([text]).into_value()]).into_value())
    }),
    MethodDef::raw("__round__", "", round),
    MethodDef::new("__ceil__($self, /)", "", |vm, this, _| to_int(vm, own(this), Rounding::Ceiling)),
    MethodDef::new("__floor__($self, /)", "", |vm, this, _| to_int(vm, own(this), Rounding::Floor)),
    MethodDef::new("__trunc__($self, /)", "", |vm, this, _| to_int(vm, own(this), Rounding::Down)),
    MethodDef::new("__complex__($self, /)", "", |vm, this, _| {
        Ok(complex::from_parts((to_f64(vm, own(this))?, 0.0)))
    }),
    MethodDef::new("__sizeof__($self, /)", "", |_, this, _| {
        let limbs = match &own(this).coefficient {
            Coefficient::Small(..) => 0,
            Coefficient::Large(limbs) => limbs.len(),
        };
        Ok(Value::from(memory(this) + limbs * size_of::<u64>()))
    }),
]; }

/// The number of any value that has an exact one, for `Context` methods that take Decimals alone.
pub fn expect_decimal<'a>(vm: &Vm, value: &'a Value) -> Result<&'a Number> {
    match value.downcast::<Decimal>() {
        Some(decimal) => Ok(&decimal.number),
        None => Err(vm.type_error("argument must be a Decimal")),
    }
}

/// `copy_decimal`: a Decimal itself, or an int converted.
pub fn copy_decimal(vm: &Vm, value: &Value, context: &context::Context) -> Result {
    match value.downcast::<Decimal>() {
        Some(_) => Ok(value.clone()),
        None if int::is_int(value) => Ok(new(exact(vm, value, context)?)),
        None => Err(unsupported(vm, value)),
    }
}
