//! `math.gamma` and `math.lgamma`, by Lanczos' approximation.
//!
//! The coefficients are those of Boost for double precision (13 terms, g = 6.02468004077673), which CPython uses too.

use super::{expected, libm, range_error};
use std::f64::consts::PI;
use taipan_object::native::MethodDef;
use taipan_object::{Raised, Value, Vm, method_table};

method_table! { pub static FUNCTIONS = [
    MethodDef::new("gamma($module, x, /)", "\
        Return the Gamma function of x; (n - 1)! for an integer n.", |vm, _, args| {
        let x = vm.float(&args[0])?;
        gamma(x).map(Value::from).map_err(|error| error.raise(vm, x))
    }),
    MethodDef::new("lgamma($module, x, /)", "Return the natural logarithm of abs(gamma(x)).", |vm, _, args| {
        let x = vm.float(&args[0])?;
        log_gamma(x).map(Value::from).map_err(|error| error.raise(vm, x))
    }),
]; }

enum Error {
    Domain,
    Range,
}

impl Error {
    #[cold]
    fn raise(self, vm: &Vm, x: f64) -> Raised {
        match self {
            Error::Domain => expected(vm, "a noninteger or positive integer", x),
            Error::Range => range_error(vm),
        }
    }
}

const G: f64 = 6.02468004077673;
const G_MINUS_HALF: f64 = 5.52468004077673;

const NUMERATOR: [f64; 13] = [
    23531376880.41076,
    42919803642.6491,
    35711959237.35567,
    17921034426.03721,
    6039542586.352028,
    1439720407.3117216,
    248874557.86205417,
    31426415.585400194,
    2876370.6289353725,
    186056.26539522348,
    8071.672002365816,
    210.82427775157936,
    2.5066282746310002,
];

/// The coefficients of x·(x+1)·…·(x+11).
const DENOMINATOR: [f64; 13] = [
    0.0,
    39916800.0,
    120543840.0,
    150917976.0,
    105258076.0,
    45995730.0,
    13339535.0,
    2637558.0,
    357423.0,
    32670.0,
    1925.0,
    66.0,
    1.0,
];

/// The rational function of the approximation, for positive x: in x or, for large x, in 1/x.
fn lanczos_sum(x: f64) -> f64 {
    let (mut numerator, mut denominator) = (0.0, 0.0);
    if x < 5.0 {
        for (n, d) in NUMERATOR.iter().zip(&DENOMINATOR).rev() {
            numerator = numerator * x + n;
            denominator = denominator * x + d;
        }
    } else {
        for (n, d) in NUMERATOR.iter().zip(&DENOMINATOR) {
            numerator = numerator / x + n;
            denominator = denominator / x + d;
        }
    }
    numerator / denominator
}

/// sin(πx) without the error of rounding πx.
fn sin_pi(x: f64) -> f64 {
    let y = libm::fmod(x.abs(), 2.0);
    let sine = match (2.0 * y).round() as i32 {
        0 => libm::sin(PI * y),
        1 => libm::cos(PI * (y - 0.5)),
        2 => libm::sin(PI * (1.0 - y)),
        3 => -libm::cos(PI * (y - 1.5)),
        _ => libm::sin(PI * (y - 2.0)),
    };
    sine * 1f64.copysign(x)
}

fn gamma(x: f64) -> std::result::Result<f64, Error> {
    if x.is_nan() || x == f64::INFINITY {
        return Ok(x);
    }
    if x == f64::NEG_INFINITY || x == 0.0 {
        return Err(Error::Domain);
    }
    if x == x.floor() {
        if x < 0.0 {
            return Err(Error::Domain);
        }
        // Factorials up to 22! are exact.
        if x <= 23.0 {
            return Ok((1..x as u64).fold(1.0, |product, n| product * n as f64));
        }
    }
    let magnitude = x.abs();
    if magnitude < 1e-20 {
        let result = 1.0 / x;
        return if result.is_infinite() { Err(Error::Range) } else { Ok(result) };
    }
    if magnitude > 200.0 {
        return if x < 0.0 { Ok(0.0 / sin_pi(x)) } else { Err(Error::Range) };
    }
    let y = magnitude + G_MINUS_HALF;
    // What rounding took from y.
    let lost = if magnitude > G_MINUS_HALF { (y - magnitude) - G_MINUS_HALF } else { (y - G_MINUS_HALF) - magnitude };
    let correction = lost * G / y;
    let mut result;
    if x < 0.0 {
        result = -PI / sin_pi(magnitude) / magnitude * libm::exp(y) / lanczos_sum(magnitude);
        result -= correction * result;
        if magnitude < 140.0 {
            result /= libm::pow(y, magnitude - 0.5);
        } else {
            let root = libm::pow(y, magnitude / 2.0 - 0.25);
            result /= root;
            result /= root;
        }
    } else {
        result = lanczos_sum(magnitude) / libm::exp(y);
        result += correction * result;
        if magnitude < 140.0 {
            result *= libm::pow(y, magnitude - 0.5);
        } else {
            let root = libm::pow(y, magnitude / 2.0 - 0.25);
            result *= root;
            result *= root;
        }
    }
    if result.is_infinite() { Err(Error::Range) } else { Ok(result) }
}

fn log_gamma(x: f64) -> std::result::Result<f64, Error> {
    const LOG_PI: f64 = 1.1447298858494002;
    if !x.is_finite() {
        return Ok(x.abs());
    }
    if x == x.floor() && x <= 2.0 {
        return if x <= 0.0 { Err(Error::Domain) } else { Ok(0.0) };
    }
    let magnitude = x.abs();
    if magnitude < 1e-20 {
        return Ok(-libm::log(magnitude));
    }
    let mut result = libm::log(lanczos_sum(magnitude)) - G;
    result += (magnitude - 0.5) * (libm::log(magnitude + G - 0.5) - 1.0);
    if x < 0.0 {
        result = LOG_PI - libm::log(sin_pi(magnitude).abs()) - libm::log(magnitude) - result;
    }
    if result.is_infinite() { Err(Error::Range) } else { Ok(result) }
}
