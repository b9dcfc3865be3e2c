//! `math`: the functions of C's `math.h`, and some number theory.
//!
//! The elementary functions are those of the C library, as in CPython, so that results agree to the last bit.

pub mod gamma;
pub mod integers;
pub mod libm;
pub mod logarithms;
pub mod neighbours;
pub mod norms;
pub mod rounding;
pub mod sums;

use taipan_object::builtins::float;
use taipan_object::builtins::int;
use taipan_object::builtins::tuple::Tuple;
use taipan_object::native::MethodDef;
use taipan_object::native::module::ModuleDef;
use taipan_object::{Raised, Result, Value, Vm, method_table};

pub static MODULE: ModuleDef = ModuleDef {
    name: "math",
    doc: "Mathematical functions of real numbers, mostly those of\nthe C library.",
    functions: FUNCTIONS,
    exec: |_, module| {
        for functions in [
            ELEMENTARY,
            gamma::FUNCTIONS,
            integers::FUNCTIONS,
            logarithms::FUNCTIONS,
            neighbours::FUNCTIONS,
            norms::FUNCTIONS,
            rounding::FUNCTIONS,
            sums::FUNCTIONS,
        ] {
            module.add_functions(functions);
        }
        module.set("pi", Value::from(std::f64::consts::PI));
        module.set("e", Value::from(std::f64::consts::E));
        module.set("tau", Value::from(std::f64::consts::TAU));
        module.set("inf", Value::from(f64::INFINITY));
        module.set("nan", Value::from(f64::NAN));
        Ok(())
    },
};

#[cold]
fn domain_error(vm: &Vm) -> Raised {
    vm.value_error("math domain error")
}

#[cold]
fn range_error(vm: &Vm) -> Raised {
    vm.overflow_error("math range error")
}

/// `ValueError`: what was expected, and what came.
#[cold]
fn expected(vm: &Vm, what: &str, got: f64) -> Raised {
    vm.value_error(format!("expected {what}, got {}", taipan_object::text::float_repr::repr(got)))
}

/// `f(x)`: NaN from a number means an argument outside the domain, infinity from a finite one a pole or an overflow.
#[inline(always)]
fn elementary(vm: &Vm, x: &Value, f: impl Fn(f64) -> f64, overflows: bool, domain: &str) -> Result {
    let x = vm.float(x)?;
    let result = f(x);
    if result.is_finite() {
        return Ok(Value::from(result));
    }
    if result.is_nan() && !x.is_nan() || result.is_infinite() && x.is_finite() && !overflows {
        return Err(if domain.is_empty() { domain_error(vm) } else { expected(vm, domain, x) });
    }
    if result.is_infinite() && x.is_finite() {
        return Err(range_error(vm));
    }
    Ok(Value::from(result))
}

/// A function that is in its domain everywhere but perhaps as `$domain` says, and overflows if `$overflows`.
macro_rules! function {
    ($name:literal, $function:expr, $overflows:literal, $domain:literal, $doc:literal) => {
        MethodDef::new(concat!($name, "($module, x, /)"), $doc, |vm, _, args| {
            elementary(vm, &args[0], $function, $overflows, $domain)
        })
    };
}

method_table! { static ELEMENTARY = [
    function!("acos", libm::acos, false, "a number in range from -1 up to 1",
        "Return the angle whose cosine is x, in radians from 0 to pi.\n\nValueError is raised unless -1 <= x <= 1."),
    function!("acosh", libm::acosh, false, "argument value not less than 1", "\
        Return the number >= 0 whose hyperbolic cosine is x; x must be >= 1."),
    function!("asin", libm::asin, false, "a number in range from -1 up to 1",
        "Return the angle whose sine is x, in radians from -pi/2 to pi/2.\n\n\
        ValueError is raised unless -1 <= x <= 1."),
    function!("asinh", libm::asinh, false, "", "Return the number whose hyperbolic sine is x."),
    function!("atan", libm::atan, false, "",
        "Return the angle whose tangent is x.\n\nIt is in radians, from -pi/2 to pi/2."),
    function!("atanh", libm::atanh, false, "a number between -1 and 1", "\
        Return the number whose hyperbolic tangent is x; -1 < x < 1."),
    function!("cbrt", libm::cbrt, false, "", "Return the number whose cube is x."),
    function!("cos", libm::cos, false, "a finite input", "Return the cosine of an angle in radians."),
    function!("cosh", libm::cosh, true, "", "Return the hyperbolic cosine, (exp(x) + exp(-x)) / 2."),
    function!("erf", libm::erf, false, "", "Return the error function of x."),
    function!("erfc", libm::erfc, false, "", "Return 1 - erf(x), precise even where erf(x) is close to 1."),
    function!("exp", libm::exp, true, "", "Return the exponential of x, e**x."),
    function!("exp2", libm::exp2, true, "", "Return 2**x, as a float."),
    function!("expm1", libm::expm1, true, "",
        "Return e to the power of x, less 1.\n\n\
        The result is precise even where exp(x) is so close to 1 that subtracting would lose digits."),
    function!("fabs", f64::abs, false, "", "Return the magnitude of x as a float."),
    function!("log1p", log1p, false, "argument value > -1",
        "Return the natural logarithm of 1 + x.\n\n\
        It is precise even where x is so small that 1 + x would lose its digits."),
    function!("sin", libm::sin, false, "a finite input", "Return the sine of an angle in radians."),
    function!("sinh", libm::sinh, true, "", "Return the hyperbolic sine, (exp(x) - exp(-x)) / 2."),
    function!("sqrt", f64::sqrt, false, "a nonnegative input", "\
        Return the root of x that is >= 0; ValueError is raised if x < 0."),
    function!("tan", libm::tan, false, "a finite input", "Return the tangent of an angle in radians."),
    function!("tanh", libm::tanh, false, "", "Return the hyperbolic tangent, sinh(x) / cosh(x)."),
]; }

/// Keeps the sign of zero.
fn log1p(x: f64) -> f64 {
    if x == 0.0 { x } else { libm::log1p(x) }
}

fn two(vm: &Vm, args: &[Value]) -> Result<(f64, f64)> {
    Ok((vm.float(&args[0])?, vm.float(&args[1])?))
}

method_table! { static FUNCTIONS = [
    MethodDef::new("atan2($module, y, x, /)",
        "Return the direction of the point (x, y) from the origin, in radians.\n\n\
        The angle is from -pi to pi, counted from the positive x axis.",
        |vm, _, args| {
            let (y, x) = two(vm, args)?;
            Ok(Value::from(libm::atan2(y, x)))
        }),
    MethodDef::new("copysign($module, x, y, /)",
        "Return x, made positive or negative as y is.\n\nThe sign of zero counts: copysign(2, -0.0) is -2.0.",
        |vm, _, args| {
            let (x, y) = two(vm, args)?;
            Ok(Value::from(x.copysign(y)))
        }),
    MethodDef::new("degrees($module, x, /)", "Return the angle x, given in radians, in degrees.", |vm, _, args| {
        Ok(Value::from(vm.float(&args[0])? * (180.0 / std::f64::consts::PI)))
    }),
    MethodDef::new("radians($module, x, /)", "Return the angle x, given in degrees, in radians.", |vm, _, args| {
        Ok(Value::from(vm.float(&args[0])? * (std::f64::consts::PI / 180.0)))
    }),
    MethodDef::new("fma($module, x, y, z, /)", "Return x * y + z.\n\n\
        Only the final result is rounded, not the product.", |vm, _, args| {
        let (x, y) = two(vm, args)?;
        let z = vm.float(&args[2])?;
        let result = libm::fma(x, y, z);
        if result.is_nan() && !x.is_nan() && !y.is_nan() && !z.is_nan() {
            return Err(vm.value_error("invalid operation in fma"));
        }
        if result.is_infinite() && x.is_finite() && y.is_finite() && z.is_finite() {
            return Err(vm.overflow_error("overflow in fma"));
        }
        Ok(Value::from(result))
    }),
    MethodDef::new("fmod($module, x, y, /)", "Return the remainder of x / y, with the sign of x.\n\n\
        The operator % gives it the sign of y.", |vm, _, args| {
        let (x, y) = two(vm, args)?;
        if y.is_infinite() && x.is_finite() {
            return Ok(Value::from(x));
        }
        let result = libm::fmod(x, y);
        if result.is_nan() && !x.is_nan() && !y.is_nan() {
            return Err(domain_error(vm));
        }
        Ok(Value::from(result))
    }),
    MethodDef::new("frexp($module, x, /)",
        "Split x into a pair (m, e) such that x == m * 2**e.\n\n\
        The magnitude of the float m is at least 0.5 and less than 1; e is an\n\
        int.  For zero, infinities and NaNs the result is (x, 0).",
        |vm, _, args| {
            let (mantissa, exponent) = libm::frexp(vm.float(&args[0])?);
            Ok(Tuple::from_array([Value::from(mantissa), Value::from(exponent)]).into_value())
        }),
    MethodDef::new("ldexp($module, x, i, /)", "Return x times 2 to the power of i.\n\n\
        frexp() takes a number apart into such x and i.", |vm, _, args| {
        let x = vm.float(&args[0])?;
        if !int::is_int(&args[1]) {
            return Err(vm.type_error("Expected an int as second argument to ldexp."));
        }
        if x == 0.0 || !x.is_finite() {
            return Ok(Value::from(x));
        }
        let exponent = vm.index_clipped(&args[1])?.clamp(i32::MIN as i64, i32::MAX as i64);
        let result = libm::ldexp(x, exponent as i32);
        if result.is_infinite() {
            return Err(range_error(vm));
        }
        Ok(Value::from(result))
    }),
    MethodDef::new("modf($module, x, /)", "Split x into a pair of floats: its fraction and its whole part.\n\n\
        Both have the sign of x.", |vm, _, args| {
        let x = vm.float(&args[0])?;
        let (fraction, integer) = match x {
            _ if x.is_infinite() => (f64::copysign(0.0, x), x),
            _ if x.is_nan() => (x, x),
            _ => ((x - x.trunc()).copysign(x), x.trunc()),
        };
        Ok(Tuple::from_array([Value::from(fraction), Value::from(integer)]).into_value())
    }),
    MethodDef::new("pow($module, x, y, /)", "Return x to the power of y, as a float.", |vm, _, args| {
        let (x, y) = two(vm, args)?;
        let result = libm::pow(x, y);
        if result.is_finite() || !x.is_finite() || !y.is_finite() {
            return Ok(Value::from(result));
        }
        Err(if result.is_nan() || x == 0.0 { domain_error(vm) } else { range_error(vm) })
    }),
    MethodDef::new("remainder($module, x, y, /)",
        "Return x less the multiple of y that is nearest to it.\n\n\
        If x is in the middle between two multiples, the even one is taken.\n\
        The result, of magnitude at most abs(y) / 2, is exact.",
        |vm, _, args| {
            let (x, y) = two(vm, args)?;
            let result = libm::remainder(x, y);
            if result.is_nan() && !x.is_nan() && !y.is_nan() {
                return Err(domain_error(vm));
            }
            Ok(Value::from(result))
        }),
    MethodDef::new("isfinite($module, x, /)", "\
        Tell whether x is a number proper, not infinite and not NaN.", |vm, _, args| {
        Ok(Value::bool(vm.float(&args[0])?.is_finite()))
    }),
    MethodDef::new("isinf($module, x, /)", "Tell whether x is infinite, with either sign.", |vm, _, args| {
        Ok(Value::bool(vm.float(&args[0])?.is_infinite()))
    }),
    MethodDef::new("isnan($module, x, /)", "Tell whether x is NaN, \"not a number\".", |vm, _, args| {
        Ok(Value::bool(vm.float(&args[0])?.is_nan()))
    }),
    MethodDef::new("isclose($module, /, a, b, *, rel_tol=1e-09, abs_tol=0.0)",
        "Tell whether two floats are nearly equal.\n\n  \
        rel_tol\n    \
        how much they may differ, as a fraction of the greater magnitude\n  \
        abs_tol\n    \
        how much they may differ in any case\n\n\
        One of the tolerances suffices.  NaN is close to nothing, an infinite\n\
        number only to itself.",
        |vm, _, args| {
            let (a, b) = two(vm, args)?;
            let (relative, absolute) = (vm.float(&args[2])?, vm.float(&args[3])?);
            if relative < 0.0 || absolute < 0.0 {
                return Err(vm.value_error("tolerances must be non-negative"));
            }
            Ok(Value::bool(is_close(a, b, (b - a).abs(), relative, absolute)))
        }),
]; }

/// Whether two numbers with this difference are close.
fn is_close(a: f64, b: f64, difference: f64, relative: f64, absolute: f64) -> bool {
    a == b
        || a.is_finite()
            && b.is_finite()
            && (difference <= (relative * b).abs() || difference <= (relative * a).abs() || difference <= absolute)
}

/// The value of an exact float or int, for fast paths; `None` for anything else and for ints beyond the floats.
#[inline]
fn exact_number(value: &Value) -> Option<f64> {
    if let Some(f) = value.as_immediate_float() {
        return Some(f);
    }
    if let Some(n) = value.as_small_int() {
        return Some(n as f64);
    }
    if float::is_exact(value) { float::to_f64(value) } else { None }
}
