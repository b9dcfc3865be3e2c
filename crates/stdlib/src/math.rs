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
    doc: "This module provides access to the mathematical functions\ndefined by the C standard.",
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
        "Return the arc cosine (measured in radians) of x.\n\nThe result is between 0 and pi."),
    function!("acosh", libm::acosh, false, "argument value not less than 1", "Return the inverse hyperbolic cosine of x."),
    function!("asin", libm::asin, false, "a number in range from -1 up to 1",
        "Return the arc sine (measured in radians) of x.\n\nThe result is between -pi/2 and pi/2."),
    function!("asinh", libm::asinh, false, "", "Return the inverse hyperbolic sine of x."),
    function!("atan", libm::atan, false, "",
        "Return the arc tangent (measured in radians) of x.\n\nThe result is between -pi/2 and pi/2."),
    function!("atanh", libm::atanh, false, "a number between -1 and 1", "Return the inverse hyperbolic tangent of x."),
    function!("cbrt", libm::cbrt, false, "", "Return the cube root of x."),
    function!("cos", libm::cos, false, "a finite input", "Return the cosine of x (measured in radians)."),
    function!("cosh", libm::cosh, true, "", "Return the hyperbolic cosine of x."),
    function!("erf", libm::erf, false, "", "Error function at x."),
    function!("erfc", libm::erfc, false, "", "Complementary error function at x."),
    function!("exp", libm::exp, true, "", "Return e raised to the power of x."),
    function!("exp2", libm::exp2, true, "", "Return 2 raised to the power of x."),
    function!("expm1", libm::expm1, true, "",
        "Return exp(x)-1.\n\nThis function avoids the loss of precision involved in the direct evaluation of exp(x)-1 for small x."),
    function!("fabs", f64::abs, false, "", "Return the absolute value of the float x."),
    function!("log1p", log1p, false, "argument value > -1",
        "Return the natural logarithm of 1+x (base e).\n\nThe result is computed in a way which is accurate for x near zero."),
    function!("sin", libm::sin, false, "a finite input", "Return the sine of x (measured in radians)."),
    function!("sinh", libm::sinh, true, "", "Return the hyperbolic sine of x."),
    function!("sqrt", f64::sqrt, false, "a nonnegative input", "Return the square root of x."),
    function!("tan", libm::tan, false, "a finite input", "Return the tangent of x (measured in radians)."),
    function!("tanh", libm::tanh, false, "", "Return the hyperbolic tangent of x."),
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
        "Return the arc tangent (measured in radians) of y/x.\n\nUnlike atan(y/x), the signs of both x and y are considered.",
        |vm, _, args| {
            let (y, x) = two(vm, args)?;
            Ok(Value::from(libm::atan2(y, x)))
        }),
    MethodDef::new("copysign($module, x, y, /)",
        "Return a float with the magnitude (absolute value) of x but the sign of y.\n\nOn platforms that support signed zeros, copysign(1.0, -0.0)\nreturns -1.0.\n",
        |vm, _, args| {
            let (x, y) = two(vm, args)?;
            Ok(Value::from(x.copysign(y)))
        }),
    MethodDef::new("degrees($module, x, /)", "Convert angle x from radians to degrees.", |vm, _, args| {
        Ok(Value::from(vm.float(&args[0])? * (180.0 / std::f64::consts::PI)))
    }),
    MethodDef::new("radians($module, x, /)", "Convert angle x from degrees to radians.", |vm, _, args| {
        Ok(Value::from(vm.float(&args[0])? * (std::f64::consts::PI / 180.0)))
    }),
    MethodDef::new("fma($module, x, y, z, /)", "Fused multiply-add operation.\n\nCompute (x * y) + z with a single round.", |vm, _, args| {
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
    MethodDef::new("fmod($module, x, y, /)", "Return fmod(x, y), according to platform C.\n\nx % y may differ.", |vm, _, args| {
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
        "Return the mantissa and exponent of x, as pair (m, e).\n\nIf x is a finite nonzero number, then m is a float with\n0.5 <= abs(m) < 1.0 and an integer e is such that\nx == m * 2**e exactly.  Else, return (x, 0).",
        |vm, _, args| {
            let (mantissa, exponent) = libm::frexp(vm.float(&args[0])?);
            Ok(Tuple::from_array([Value::from(mantissa), Value::from(exponent)]).into_value())
        }),
    MethodDef::new("ldexp($module, x, i, /)", "Return x * (2**i).\n\nThis is essentially the inverse of frexp().", |vm, _, args| {
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
    MethodDef::new("modf($module, x, /)", "Return the fractional and integer parts of x.\n\nBoth results carry the sign of x and are floats.", |vm, _, args| {
        let x = vm.float(&args[0])?;
        let (fraction, integer) = match x {
            _ if x.is_infinite() => (f64::copysign(0.0, x), x),
            _ if x.is_nan() => (x, x),
            _ => ((x - x.trunc()).copysign(x), x.trunc()),
        };
        Ok(Tuple::from_array([Value::from(fraction), Value::from(integer)]).into_value())
    }),
    MethodDef::new("pow($module, x, y, /)", "Return x**y (x to the power of y).", |vm, _, args| {
        let (x, y) = two(vm, args)?;
        let result = libm::pow(x, y);
        if result.is_finite() || !x.is_finite() || !y.is_finite() {
            return Ok(Value::from(result));
        }
        Err(if result.is_nan() || x == 0.0 { domain_error(vm) } else { range_error(vm) })
    }),
    MethodDef::new("remainder($module, x, y, /)",
        "Difference between x and the closest integer multiple of y.\n\nReturn x - n*y where n*y is the closest integer multiple of y.\nIn the case where x is exactly halfway between two multiples of\ny, the nearest even value of n is used. The result is always exact.",
        |vm, _, args| {
            let (x, y) = two(vm, args)?;
            let result = libm::remainder(x, y);
            if result.is_nan() && !x.is_nan() && !y.is_nan() {
                return Err(domain_error(vm));
            }
            Ok(Value::from(result))
        }),
    MethodDef::new("isfinite($module, x, /)", "Return True if x is neither an infinity nor a NaN, and False otherwise.", |vm, _, args| {
        Ok(Value::bool(vm.float(&args[0])?.is_finite()))
    }),
    MethodDef::new("isinf($module, x, /)", "Return True if x is a positive or negative infinity, and False otherwise.", |vm, _, args| {
        Ok(Value::bool(vm.float(&args[0])?.is_infinite()))
    }),
    MethodDef::new("isnan($module, x, /)", "Return True if x is a NaN (not a number), and False otherwise.", |vm, _, args| {
        Ok(Value::bool(vm.float(&args[0])?.is_nan()))
    }),
    MethodDef::new("isclose($module, /, a, b, *, rel_tol=1e-09, abs_tol=0.0)",
        "Determine whether two floating-point numbers are close in value.\n\n  rel_tol\n    maximum difference for being considered \"close\", relative to the\n    magnitude of the input values\n  abs_tol\n    maximum difference for being considered \"close\", regardless of the\n    magnitude of the input values\n\nReturn True if a is close in value to b, and False otherwise. NaN is close to\nnothing, not even to itself; an infinity only to itself.",
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
