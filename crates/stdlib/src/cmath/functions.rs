//! The functions of `cmath`.
//!
//! The formulas are those of W. Kahan, "Branch cuts for complex elementary functions", which keep the signs of zeros and avoid
//! cancellation; arguments near the limits of the exponent are scaled.

use super::Error;
use super::special_values::{self, Table};
use crate::math::libm;
use std::f64::consts::{E, FRAC_PI_2, LN_2, LN_10};
use taipan_object::builtins::complex::Parts;

pub type Outcome = std::result::Result<Parts, Error>;

/// Above this, sums of a few squares might overflow.
const LARGE: f64 = f64::MAX / 4.0;

fn sqrt_large() -> f64 {
    LARGE.sqrt()
}
fn log_large() -> f64 {
    LARGE.ln()
}
fn sqrt_smallest() -> f64 {
    f64::MIN_POSITIVE.sqrt()
}

/// The row or column of a part in the tables.
fn kind(part: f64) -> usize {
    match part {
        _ if part.is_nan() => 6,
        f64::INFINITY => 5,
        f64::NEG_INFINITY => 0,
        _ if part == 0.0 => 2 + usize::from(part.is_sign_positive()),
        _ => {
            if part > 0.0 {
                4
            } else {
                1
            }
        }
    }
}

fn look_up(table: &Table, (real, imag): Parts) -> Option<Parts> {
    if real.is_finite() && imag.is_finite() {
        return None;
    }
    Some(table[kind(real)][kind(imag)])
}

/// Overflow of a result from finite arguments.
fn checked(z: Parts) -> Outcome {
    if z.0.is_infinite() || z.1.is_infinite() { Err(Error::Range) } else { Ok(z) }
}

/// `i·z`
fn times_i((real, imag): Parts) -> Parts {
    (-imag, real)
}
/// `z / i`
fn over_i((real, imag): Parts) -> Parts {
    (imag, -real)
}

/// The logarithm of the size of a number that is too large to be squared.
fn log_of_large((real, imag): Parts) -> f64 {
    libm::log(libm::hypot(real / 2.0, imag / 2.0)) + LN_2 * 2.0
}

fn is_large((real, imag): Parts) -> bool {
    real.abs() > LARGE || imag.abs() > LARGE
}

pub fn acos(z: Parts) -> Outcome {
    if let Some(value) = look_up(&special_values::ACOS, z) {
        return Ok(value);
    }
    let (x, y) = z;
    if is_large(z) {
        let size = log_of_large(z);
        let imag = if x < 0.0 { -size.copysign(y) } else { size.copysign(-y) };
        return Ok((libm::atan2(y.abs(), x), imag));
    }
    let below = sqrt((1.0 - x, -y))?;
    let above = sqrt((1.0 + x, y))?;
    Ok((2.0 * libm::atan2(below.0, above.0), libm::asinh(above.0 * below.1 - above.1 * below.0)))
}

pub fn acosh(z: Parts) -> Outcome {
    if let Some(value) = look_up(&special_values::ACOSH, z) {
        return Ok(value);
    }
    let (x, y) = z;
    if is_large(z) {
        return Ok((log_of_large(z), libm::atan2(y, x)));
    }
    let below = sqrt((x - 1.0, y))?;
    let above = sqrt((x + 1.0, y))?;
    Ok((libm::asinh(below.0 * above.0 + below.1 * above.1), 2.0 * libm::atan2(below.1, above.0)))
}

pub fn asin(z: Parts) -> Outcome {
    asinh(times_i(z)).map(over_i)
}

pub fn asinh(z: Parts) -> Outcome {
    if let Some(value) = look_up(&special_values::ASINH, z) {
        return Ok(value);
    }
    let (x, y) = z;
    if is_large(z) {
        let size = log_of_large(z);
        let real = if y.is_sign_negative() { -size.copysign(-x) } else { size.copysign(x) };
        return Ok((real, libm::atan2(y, x.abs())));
    }
    let above = sqrt((1.0 + y, -x))?;
    let below = sqrt((1.0 - y, x))?;
    Ok((libm::asinh(above.0 * below.1 - below.0 * above.1), libm::atan2(y, above.0 * below.0 - above.1 * below.1)))
}

pub fn atan(z: Parts) -> Outcome {
    atanh(times_i(z)).map(over_i)
}

pub fn atanh(z: Parts) -> Outcome {
    if let Some(value) = look_up(&special_values::ATANH, z) {
        return Ok(value);
    }
    let (x, y) = z;
    if x < 0.0 || x == 0.0 && x.is_sign_negative() {
        return atanh((-x, -y)).map(|(real, imag)| (-real, -imag));
    }
    let height = y.abs();
    if x > sqrt_large() || height > sqrt_large() {
        let size = libm::hypot(x / 2.0, y / 2.0);
        return Ok((x / 4.0 / size / size, -FRAC_PI_2.copysign(-y)));
    }
    if x == 1.0 && height < sqrt_smallest() {
        if height == 0.0 {
            return Err(Error::Domain);
        }
        let real = -libm::log(height.sqrt() / libm::hypot(height, 2.0).sqrt());
        return Ok((real, (libm::atan2(2.0, -height) / 2.0).copysign(y)));
    }
    let real = libm::log1p(4.0 * x / ((1.0 - x) * (1.0 - x) + height * height)) / 4.0;
    Ok((real, -libm::atan2(-2.0 * y, (1.0 - x) * (1.0 + x) - height * height) / 2.0))
}

pub fn cos(z: Parts) -> Outcome {
    cosh(times_i(z))
}

pub fn cosh(z: Parts) -> Outcome {
    let (x, y) = z;
    if !x.is_finite() || !y.is_finite() {
        if y.is_infinite() && !x.is_nan() {
            return Err(Error::Domain);
        }
        if x.is_infinite() && y.is_finite() && y != 0.0 {
            let (cosine, sine) = (f64::INFINITY.copysign(libm::cos(y)), f64::INFINITY.copysign(libm::sin(y)));
            return Ok(if x > 0.0 { (cosine, sine) } else { (cosine, -sine) });
        }
        return Ok(special_values::COSH[kind(x)][kind(y)]);
    }
    if x.abs() > log_large() {
        // cosh x = e · cosh(x − 1) as good as exactly.
        let nearer = x - 1f64.copysign(x);
        return checked((libm::cos(y) * libm::cosh(nearer) * E, libm::sin(y) * libm::sinh(nearer) * E));
    }
    checked((libm::cos(y) * libm::cosh(x), libm::sin(y) * libm::sinh(x)))
}

pub fn exp(z: Parts) -> Outcome {
    let (x, y) = z;
    if !x.is_finite() || !y.is_finite() {
        if y.is_infinite() && (x.is_finite() || x == f64::INFINITY) {
            return Err(Error::Domain);
        }
        if x.is_infinite() && y.is_finite() && y != 0.0 {
            let size: f64 = if x > 0.0 { f64::INFINITY } else { 0.0 };
            return Ok((size.copysign(libm::cos(y)), size.copysign(libm::sin(y))));
        }
        return Ok(special_values::EXP[kind(x)][kind(y)]);
    }
    if x > log_large() {
        let size = libm::exp(x - 1.0);
        return checked((size * libm::cos(y) * E, size * libm::sin(y) * E));
    }
    let size = libm::exp(x);
    checked((size * libm::cos(y), size * libm::sin(y)))
}

pub fn log(z: Parts) -> Outcome {
    if let Some(value) = look_up(&special_values::LOG, z) {
        return Ok(value);
    }
    let (x, y) = (z.0.abs(), z.1.abs());
    const DIGITS: i32 = f64::MANTISSA_DIGITS as i32;
    let real = if x > LARGE || y > LARGE {
        libm::log(libm::hypot(x / 2.0, y / 2.0)) + LN_2
    } else if x < f64::MIN_POSITIVE && y < f64::MIN_POSITIVE {
        if x == 0.0 && y == 0.0 {
            return Err(Error::Domain);
        }
        libm::log(libm::hypot(libm::ldexp(x, DIGITS), libm::ldexp(y, DIGITS))) - DIGITS as f64 * LN_2
    } else {
        let size = libm::hypot(x, y);
        if (0.71..=1.73).contains(&size) {
            // Near 1, from |z|² − 1 = (a − 1)(a + 1) + b².
            let (a, b) = (x.max(y), x.min(y));
            libm::log1p((a - 1.0) * (a + 1.0) + b * b) / 2.0
        } else {
            libm::log(size)
        }
    };
    Ok((real, libm::atan2(z.1, z.0)))
}

pub fn log10(z: Parts) -> Outcome {
    log(z).map(|(real, imag)| (real / LN_10, imag / LN_10))
}

pub fn rect(r: f64, phi: f64) -> Outcome {
    if !r.is_finite() || !phi.is_finite() {
        if phi.is_infinite() && !r.is_nan() && r != 0.0 {
            return Err(Error::Domain);
        }
        if r.is_infinite() && phi.is_finite() && phi != 0.0 {
            let parts = (f64::INFINITY.copysign(libm::cos(phi)), f64::INFINITY.copysign(libm::sin(phi)));
            return Ok(if r > 0.0 { parts } else { (-parts.0, -parts.1) });
        }
        return Ok(special_values::RECT[kind(r)][kind(phi)]);
    }
    if phi == 0.0 {
        return Ok((r, r * phi));
    }
    Ok((r * libm::cos(phi), r * libm::sin(phi)))
}

pub fn sin(z: Parts) -> Outcome {
    sinh(times_i(z)).map(over_i)
}

pub fn sinh(z: Parts) -> Outcome {
    let (x, y) = z;
    if !x.is_finite() || !y.is_finite() {
        if y.is_infinite() && !x.is_nan() {
            return Err(Error::Domain);
        }
        if x.is_infinite() && y.is_finite() && y != 0.0 {
            let (cosine, sine) = (f64::INFINITY.copysign(libm::cos(y)), f64::INFINITY.copysign(libm::sin(y)));
            return Ok(if x > 0.0 { (cosine, sine) } else { (-cosine, sine) });
        }
        return Ok(special_values::SINH[kind(x)][kind(y)]);
    }
    if x.abs() > log_large() {
        let nearer = x - 1f64.copysign(x);
        return checked((libm::cos(y) * libm::sinh(nearer) * E, libm::sin(y) * libm::cosh(nearer) * E));
    }
    checked((libm::cos(y) * libm::sinh(x), libm::sin(y) * libm::cosh(x)))
}

pub fn sqrt(z: Parts) -> Outcome {
    if let Some(value) = look_up(&special_values::SQRT, z) {
        return Ok(value);
    }
    let (x, y) = z;
    if x == 0.0 && y == 0.0 {
        return Ok((0.0, y));
    }
    let (width, height) = (x.abs(), y.abs());
    let root = if width < f64::MIN_POSITIVE && height < f64::MIN_POSITIVE {
        // √((w + |z|) / 2), scaled by 2^53 inside and so, with the halving, by 2^27 outside.
        let width = libm::ldexp(width, 53);
        libm::ldexp((width + libm::hypot(width, libm::ldexp(height, 53))).sqrt(), -27)
    } else {
        let width = width / 8.0;
        2.0 * (width + libm::hypot(width, height / 8.0)).sqrt()
    };
    let other = height / (2.0 * root);
    Ok(if x >= 0.0 { (root, other.copysign(y)) } else { (other, root.copysign(y)) })
}

pub fn tan(z: Parts) -> Outcome {
    tanh(times_i(z)).map(over_i)
}

pub fn tanh(z: Parts) -> Outcome {
    let (x, y) = z;
    if !x.is_finite() || !y.is_finite() {
        if y.is_infinite() && x.is_finite() {
            return Err(Error::Domain);
        }
        if x.is_infinite() && y.is_finite() && y != 0.0 {
            return Ok((1f64.copysign(x), 0f64.copysign(2.0 * libm::sin(y) * libm::cos(y))));
        }
        return Ok(special_values::TANH[kind(x)][kind(y)]);
    }
    if x.abs() > log_large() {
        let imag = 4.0 * libm::sin(y) * libm::cos(y) * libm::exp(-2.0 * x.abs());
        return Ok((1f64.copysign(x), imag));
    }
    let (tx, ty) = (libm::tanh(x), libm::tan(y));
    let cx = 1.0 / libm::cosh(x);
    let product = tx * ty;
    let denominator = 1.0 + product * product;
    Ok((tx * (1.0 + ty * ty) / denominator, ty / denominator * cx * cx))
}
