//! The methods of `Context`: the operations of Decimals under a given context.

use super::Context;
use crate::_decimal::decimal::construct::{from_float, rounded};
use crate::_decimal::decimal::methods::{copy_decimal, expect_decimal};
use crate::_decimal::decimal::operators::{divmod, raise_to};
use crate::_decimal::decimal::{Binary, Decimal, Operand, Unary, apply_binary, apply_unary, new, text_of};
use crate::_decimal::mpd::{
    Class, Number, arithmetic, compare, divide, integral, logical, sqrt, status, transcendental,
};
use crate::_decimal::signal_dict::classes;
use crate::payload::signature;
use std::sync::atomic::Ordering::Relaxed;
use taipan_object::builtins::list::List;
use taipan_object::builtins::tuple::Tuple;
use taipan_object::native::MethodDef;
use taipan_object::{Result, Value, Vm, method_table};

signature!(POWER = "(a, b, modulo=None)");
signature!(CREATE = "(num='0', /)");

fn unary(vm: &Vm, this: &Value, x: &Value, f: Unary) -> Result {
    let x = Operand::expect(vm, x)?;
    apply_unary(vm, Context::of(this), &x, f)
}

/// Arguments of a function that takes exactly so many, by position.
fn exactly(vm: &Vm, args: &[Value], kwnames: Option<&Value>, count: usize) -> Result<()> {
    if kwnames.is_none_or(|names| vm.tuple_len(names) == 0) && args.len() == count {
        return Ok(());
    }
    let given = args.len();
    Err(vm.type_error(format!("function takes exactly {count} arguments ({given} given)")))
}

fn binary(vm: &Vm, this: &Value, args: &[Value], kwnames: Option<&Value>, f: Binary) -> Result {
    exactly(vm, args, kwnames, 2)?;
    let (x, y) = (Operand::expect(vm, &args[0])?, Operand::expect(vm, &args[1])?);
    apply_binary(vm, Context::of(this), &x, &y, f)
}

macro_rules! unary_method {
    ($name:literal, $doc:literal, $f:expr) => {
        MethodDef::new(concat!($name, "($self, x, /)"), $doc, |vm, this, args| unary(vm, this, &args[0], $f))
    };
}
macro_rules! binary_method {
    ($name:literal, $doc:literal, $f:expr) => {
        MethodDef::raw(concat!($name, "($self, x, y, /)"), $doc, |vm, this, args, kwnames| {
            binary(vm, this, args, kwnames, $f)
        })
    };
}
macro_rules! predicate {
    ($name:literal, $doc:literal, $f:expr) => {
        MethodDef::new(concat!($name, "($self, x, /)"), $doc, |vm, _, args| {
            let test: fn(&Number) -> bool = $f;
            Ok(Value::bool(test(&*Operand::expect(vm, &args[0])?)))
        })
    };
}

fn to_integral(a: &Number, context: &crate::_decimal::mpd::Context, status: &mut u32) -> Number {
    integral::to_integral(a, false, context, status)
}

fn create_decimal_from_float(vm: &Vm, this: &Value, args: &[Value]) -> Result {
    let Some(number) = from_float(&args[0]) else { return Err(vm.type_error("argument must be int or float")) };
    apply_unary(vm, Context::of(this), &number, |number, context, status| number.clone().finalize(context, status))
}

fn power(vm: &Vm, this: &Value, args: &[Value], kwnames: Option<&Value>) -> Result {
    let bound = POWER.bind(vm, args, kwnames)?;
    let (base, exponent) = (Operand::expect(vm, &bound[0])?, Operand::expect(vm, &bound[1])?);
    let modulus = match bound[2].is_none() {
        true => None,
        false => Some(Operand::expect(vm, &bound[2])?),
    };
    raise_to(vm, Context::of(this), &base, &exponent, modulus.as_deref())
}

fn fma(vm: &Vm, this: &Value, args: &[Value], kwnames: Option<&Value>) -> Result {
    exactly(vm, args, kwnames, 3)?;
    let [x, y, z] = [&args[0], &args[1], &args[2]].map(|value| Operand::expect(vm, value));
    let (x, y, z, context) = (x?, y?, z?, Context::of(this));
    let mut status = 0;
    let result = arithmetic::fma(&x, &y, &z, &context.number(), &mut status);
    context.report(vm, status)?;
    Ok(new(result))
}

fn reduce(this: &Value) -> Value {
    let context = Context::of(this);
    let settings = context.settings();
    let number = settings.number;
    let list = |conditions| List::from_vec(classes(conditions)).into_value();
    let parts = [
        Value::from(number.prec),
        Value::from(super::attributes::rounding_name(number.round)),
        Value::from(number.emin),
        Value::from(number.emax),
        Value::from(i32::from(settings.capitals)),
        Value::from(i32::from(number.clamp)),
        list(context.flags()),
        list(context.traps()),
    ];
    Tuple::from_array([this.ty().to_value(), Tuple::from_array(parts).into_value()]).into_value()
}

fn apply(vm: &Vm, this: &Value, args: &[Value]) -> Result {
    unary(vm, this, &args[0], |number, context, status| number.clone().finalize(context, status))
}

method_table! { pub static METHODS = [
    unary_method!("abs", "The absolute value.", integral::absolute),
    unary_method!("exp", "The exponential function, correctly rounded.", transcendental::exp),
    unary_method!("ln", "The natural logarithm, correctly rounded.", transcendental::ln),
    unary_method!("log10", "The decimal logarithm, correctly rounded.", transcendental::log10),
    unary_method!("minus", "Unary minus.", integral::minus),
    unary_method!("next_minus", "The largest number below x.", integral::next_minus),
    unary_method!("next_plus", "The smallest number above x.", integral::next_plus),
    unary_method!("normalize", "x without trailing zeros.", integral::reduce),
    unary_method!("plus", "Unary plus.", integral::plus),
    unary_method!("to_integral", "The same as to_integral_value().", to_integral),
    unary_method!("to_integral_exact", "Round to an integer, signaling Inexact and Rounded.", |a, context, status| integral::to_integral(a, true, context, status)),
    unary_method!("to_integral_value", "Round to an integer without signals.", to_integral),
    unary_method!("sqrt", "The square root, correctly rounded.", sqrt::square_root),
    binary_method!("add", "x + y", arithmetic::add),
    binary_method!("compare", "Compare numerically.", compare::compare),
    binary_method!("compare_signal", "Compare numerically; all NaNs signal.", compare::compare_signal),
    binary_method!("divide", "x / y", divide::divide),
    binary_method!("divide_int", "x / y, truncated to an integer.", divide::divide_integer),
    MethodDef::raw("divmod($self, x, y, /)", "Quotient and remainder.", |vm, this, args, kwnames| {
        exactly(vm, args, kwnames, 2)?;
        let (x, y) = (Operand::expect(vm, &args[0])?, Operand::expect(vm, &args[1])?);
        divmod(vm, Context::of(this), &x, &y)
    }),
    binary_method!("max", "The larger operand.", compare::max),
    binary_method!("max_mag", "The operand with the larger absolute value.", compare::max_magnitude),
    binary_method!("min", "The smaller operand.", compare::min),
    binary_method!("min_mag", "The operand with the smaller absolute value.", compare::min_magnitude),
    binary_method!("multiply", "x * y", arithmetic::multiply),
    binary_method!("next_toward", "The number next to x in the direction of y.", integral::next_toward),
    binary_method!("quantize", "x rounded to the exponent of y.", integral::quantize),
    binary_method!("remainder", "The remainder of the integer division.", divide::remainder),
    binary_method!("remainder_near", "x - y * n, n being the integer nearest to x / y.", divide::remainder_near),
    binary_method!("subtract", "x - y", arithmetic::subtract),
    MethodDef::raw("power($self, /, a, b, modulo=None)", "a ** b, or a ** b % modulo of integers.", power),
    MethodDef::raw("fma($self, x, y, z, /)", "x * y + z, rounded once.", fma),
    MethodDef::new("Etiny($self, /)", "The exponent of the smallest subnormal number.", |_, this, _| Ok(Value::from(Context::of(this).number().etiny()))),
    MethodDef::new("Etop($self, /)", "The largest exponent of a number with all digits.", |_, this, _| Ok(Value::from(Context::of(this).number().etop()))),
    MethodDef::new("radix($self, /)", "Decimal(10).", |_, _, _| Ok(new(Number::from_i64(10)))),
    MethodDef::new("is_canonical($self, x, /)", "Always True, for a Decimal.", |vm, _, args| expect_decimal(vm, &args[0]).map(|_| Value::TRUE)),
    predicate!("is_finite", "Whether x is a finite number.", Number::is_finite),
    predicate!("is_infinite", "Whether x is an infinity.", Number::is_infinite),
    predicate!("is_nan", "Whether x is a NaN of either kind.", Number::is_nan),
    MethodDef::new("is_normal($self, x, /)", "Whether x is finite, not zero and not subnormal.", |vm, this, args| {
        Ok(Value::bool(Operand::expect(vm, &args[0])?.is_normal(&Context::of(this).number())))
    }),
    predicate!("is_qnan", "Whether x is a quiet NaN.", |n| n.class == Class::QuietNan),
    predicate!("is_signed", "Whether x has a negative sign.", |n| n.negative),
    predicate!("is_snan", "Whether x is a signaling NaN.", Number::is_signaling),
    MethodDef::new("is_subnormal($self, x, /)", "Whether x is subnormal.", |vm, this, args| {
        Ok(Value::bool(Operand::expect(vm, &args[0])?.is_subnormal(&Context::of(this).number())))
    }),
    predicate!("is_zero", "Whether x is a zero.", Number::is_zero),
    MethodDef::new("_apply($self, object, /)", "", apply),
    MethodDef::new("canonical($self, x, /)", "x itself.", |vm, _, args| expect_decimal(vm, &args[0]).map(|_| args[0].clone())),
    unary_method!("copy_abs", "The absolute value of x, unrounded.", |n, _, _| n.abs()),
    MethodDef::new("copy_decimal($self, x, /)", "x as a Decimal.", |vm, this, args| copy_decimal(vm, &args[0], Context::of(this))),
    unary_method!("copy_negate", "x with the other sign, unrounded.", |n, _, _| n.negated()),
    unary_method!("logb", "The exponent of x's first digit.", integral::logb),
    unary_method!("logical_invert", "All digits of x inverted.", logical::invert),
    MethodDef::new("number_class($self, x, /)", "The name of x's class.", |vm, this, args| {
        Ok(Value::from(logical::class_name(&*Operand::expect(vm, &args[0])?, &Context::of(this).number())))
    }),
    MethodDef::new("to_sci_string($self, x, /)", "x in scientific notation.", |vm, this, args| {
        Ok(text_of(&*Operand::expect(vm, &args[0])?, false, Context::of(this)))
    }),
    MethodDef::new("to_eng_string($self, x, /)", "x in engineering notation.", |vm, this, args| {
        Ok(text_of(&*Operand::expect(vm, &args[0])?, true, Context::of(this)))
    }),
    binary_method!("compare_total", "Compare the representations in their total order.", |a, b, _, _| compare::compare_total(a, b)),
    binary_method!("compare_total_mag", "As compare_total(), ignoring signs.", |a, b, _, _| compare::compare_total_magnitude(a, b)),
    binary_method!("copy_sign", "x with the sign of y.", |a, b, _, _| a.clone().with_sign(b.negative)),
    binary_method!("logical_and", "The digits combined by and.", logical::and),
    binary_method!("logical_or", "The digits combined by or.", logical::or),
    binary_method!("logical_xor", "The digits combined by exclusive or.", logical::xor),
    binary_method!("rotate", "The digits of x rotated by y.", logical::rotate),
    MethodDef::raw("same_quantum($self, x, y, /)", "Whether both have the same exponent.", |vm, _, args, kwnames| {
        exactly(vm, args, kwnames, 2)?;
        let (x, y) = (Operand::expect(vm, &args[0])?, Operand::expect(vm, &args[1])?);
        Ok(Value::bool(logical::same_quantum(&x, &y)))
    }),
    binary_method!("scaleb", "The exponent of x adjusted by y.", integral::scaleb),
    binary_method!("shift", "The digits of x shifted by y.", logical::shift),
    MethodDef::new("clear_flags($self, /)", "Forget all signals that have occurred.", |_, this, _| {
        Context::of(this).set_flags(0);
        Ok(Value::NONE)
    }),
    MethodDef::new("clear_traps($self, /)", "Let no signal raise an exception.", |_, this, _| {
        Context::of(this).set_traps(0);
        Ok(Value::NONE)
    }),
    MethodDef::new("__copy__($self, /)", "", |_, this, _| Ok(Context::of(this).copy().into_value())),
    MethodDef::new("__reduce__($self, /)", "", |_, this, _| Ok(reduce(this))),
    MethodDef::new("copy($self, /)", "Return a duplicate of the context with all flags cleared.", |_, this, _| Ok(Context::of(this).copy().into_value())),
    MethodDef::raw("create_decimal($self, num=\"0\", /)", "A Decimal from what Decimal() takes, rounded.", |vm, this, args, kwnames| {
        let bound = CREATE.bind(vm, args, kwnames)?;
        Ok(new(rounded(vm, &bound[0], Context::of(this))?))
    }),
    MethodDef::new("create_decimal_from_float($self, f, /)", "A Decimal from a float (or int), rounded.", create_decimal_from_float),
]; }

impl Context {
    /// Sets a flag that is never trapped.
    pub fn set_flag(&self, condition: u32) {
        debug_assert!(condition == status::FLOAT_OPERATION);
        self.flags.fetch_or(condition, Relaxed);
    }
}

const _: () = assert!(size_of::<Decimal>() == 64);
