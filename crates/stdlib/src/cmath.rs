//! `cmath`: the elementary functions of complex numbers.
//!
//! `functions.rs` computes them; infinities and NaNs are looked up in the tables of `special_values.rs`, which C99's annex G
//! prescribes.

pub mod functions;
pub mod special_values;

use crate::math::libm;
use functions::Outcome;
use taipan_object::builtins::complex::{self, Parts, arithmetic};
use taipan_object::builtins::tuple::Tuple;
use taipan_object::native::MethodDef;
use taipan_object::native::module::ModuleDef;
use taipan_object::{Raised, Result, Value, Vm, method_table};

pub static MODULE: ModuleDef = ModuleDef {
    name: "cmath",
    doc: "Mathematical functions whose arguments and results are complex\nnumbers.",
    functions: FUNCTIONS,
    exec: |_, module| {
        module.set("pi", Value::from(std::f64::consts::PI));
        module.set("e", Value::from(std::f64::consts::E));
        module.set("tau", Value::from(std::f64::consts::TAU));
        module.set("inf", Value::from(f64::INFINITY));
        module.set("infj", complex::from_parts((0.0, f64::INFINITY)));
        module.set("nan", Value::from(f64::NAN));
        module.set("nanj", complex::from_parts((0.0, f64::NAN)));
        Ok(())
    },
};

/// Why a function has no value.
#[derive(Debug)]
pub enum Error {
    Domain,
    Range,
}

impl Error {
    #[cold]
    fn raise(self, vm: &Vm) -> Raised {
        match self {
            Error::Domain => vm.value_error("math domain error"),
            Error::Range => vm.overflow_error("math range error"),
        }
    }
}

fn apply(vm: &Vm, z: &Value, f: fn(Parts) -> Outcome) -> Result {
    let z = complex::as_parts(vm, z)?;
    f(z).map(complex::from_parts).map_err(|error| error.raise(vm))
}

macro_rules! function {
    ($name:literal, $function:ident, $doc:literal) => {
        MethodDef::new(concat!($name, "($module, z, /)"), $doc, |vm, _, args| apply(vm, &args[0], functions::$function))
    };
}
macro_rules! predicate {
    ($name:literal, $doc:literal, |$real:ident, $imag:ident| $test:expr) => {
        MethodDef::new(concat!($name, "($module, z, /)"), $doc, |vm, _, args| {
            let ($real, $imag) = complex::as_parts(vm, &args[0])?;
            Ok(Value::bool($test))
        })
    };
}

method_table! { static FUNCTIONS = [
    function!("acos", acos, "Return the complex number whose cosine is z."),
    function!("acosh", acosh, "Return the complex number whose hyperbolic cosine is z."),
    function!("asin", asin, "Return the complex number whose sine is z."),
    function!("asinh", asinh, "Return the complex number whose hyperbolic sine is z."),
    function!("atan", atan, "Return the complex number whose tangent is z."),
    function!("atanh", atanh, "Return the complex number whose hyperbolic tangent is z."),
    function!("cos", cos, "Return the cosine, (exp(iz) + exp(-iz)) / 2."),
    function!("cosh", cosh, "Return the hyperbolic cosine, (exp(z) + exp(-z)) / 2."),
    function!("exp", exp, "Return e to the power of z."),
    MethodDef::new("isclose($module, /, a, b, *, rel_tol=1e-09, abs_tol=0.0)",
        "Tell whether two complex numbers are nearly equal.\n\n  \
        rel_tol\n    \
        how much they may differ, as a fraction of the greater magnitude\n  \
        abs_tol\n    \
        how much they may differ in any case\n\n\
        One of the tolerances suffices.  NaN is close to nothing, an infinite\n\
        number only to itself.",
        |vm, _, args| is_close(vm, args)),
    predicate!("isfinite", "Tell whether neither part of z is infinite or NaN.",
        |real, imag| real.is_finite() && imag.is_finite()),
    predicate!("isinf", "\
        Tell whether a part of z is infinite.", |real, imag| real.is_infinite() || imag.is_infinite()),
    predicate!("isnan", "Tell whether a part of z is NaN.", |real, imag| real.is_nan() || imag.is_nan()),
    MethodDef::new("log($module, z, base=<unrepresentable>, /)",
        "log(z[, base]) -> the exponent to which the base must be raised.\n\nThe default is the natural logarithm.",
        |vm, _, args| {
            let z = complex::as_parts(vm, &args[0])?;
            let Some(base) = args[1].bound() else { return apply(vm, &args[0], functions::log) };
            let base = complex::as_parts(vm, base)?;
            // That 0 has no logarithm is forgotten here, as in CPython.
            let numerator = functions::log(z).unwrap_or((f64::NEG_INFINITY, libm::atan2(z.1, z.0)));
            let quotient = functions::log(base)
                .and_then(|divisor| arithmetic::divide_parts(numerator, divisor).ok_or(Error::Domain));
            quotient.map(complex::from_parts).map_err(|error| error.raise(vm))
        }),
    function!("log10", log10, "Return the logarithm of z to base 10."),
    MethodDef::new("phase($module, z, /)", "\
        Return the angle of a complex number, in radians from -pi to pi.", |vm, _, args| {
        let (real, imag) = complex::as_parts(vm, &args[0])?;
        let phase = libm::atan2(imag, real);
        // CPython takes the C library's report of an underflow for an overflow.
        if phase == 0.0 && imag != 0.0 && real.is_finite() {
            return Err(Error::Range.raise(vm));
        }
        Ok(Value::from(phase))
    }),
    MethodDef::new("polar($module, z, /)",
        "Return a complex number's distance from 0 and its angle.\n\n\
        They are the pair (r, phi); phi is in radians, from -pi to pi.",
        |vm, _, args| {
            let z = complex::as_parts(vm, &args[0])?;
            let Some(r) = arithmetic::magnitude(z) else { return Err(Error::Range.raise(vm)) };
            Ok(Tuple::from_array([Value::from(r), Value::from(libm::atan2(z.1, z.0))]).into_value())
        }),
    MethodDef::new("rect($module, r, phi, /)", "\
        Return the complex number at distance r from 0 with angle phi.", |vm, _, args| {
        let (r, phi) = (vm.float(&args[0])?, vm.float(&args[1])?);
        functions::rect(r, phi).map(complex::from_parts).map_err(|error| error.raise(vm))
    }),
    function!("sin", sin, "Return the sine, (exp(iz) - exp(-iz)) / 2i."),
    function!("sinh", sinh, "Return the hyperbolic sine, (exp(z) - exp(-z)) / 2."),
    function!("sqrt", sqrt, "Return the root of z whose real part is >= 0."),
    function!("tan", tan, "Return the tangent, sin(z) / cos(z)."),
    function!("tanh", tanh, "Return the hyperbolic tangent, sinh(z) / cosh(z)."),
]; }

fn is_close(vm: &Vm, args: &[Value]) -> Result {
    let (a, b) = (complex::as_parts(vm, &args[0])?, complex::as_parts(vm, &args[1])?);
    let (relative, absolute) = (vm.float(&args[2])?, vm.float(&args[3])?);
    if relative < 0.0 || absolute < 0.0 {
        return Err(vm.value_error("tolerances must be non-negative"));
    }
    if a == b {
        return Ok(Value::TRUE);
    }
    if [a.0, a.1, b.0, b.1].iter().any(|part| part.is_infinite()) {
        return Ok(Value::FALSE);
    }
    let size = |z: Parts| libm::hypot(z.0, z.1);
    let difference = size((a.0 - b.0, a.1 - b.1));
    let close = difference <= relative * size(b) || difference <= relative * size(a) || difference <= absolute;
    Ok(Value::bool(close))
}
