//! `exp`, `ln` and `log10`, correctly rounded (half to even, whatever the context says).
//!
//! An approximation with some more digits than asked for is rounded up and down by its error; if both agree that is the
//! result, else more digits are computed. The exact cases are told beforehand, so this ends (the table maker's dilemma
//! has no bad cases without end for these functions of rational numbers).

use super::coefficient::{Coefficient, NoRoom, check_room};
use super::context::{Context, EXP_CLAMP, EXP_INF, Rounding, status::*};
use super::fixed;
use super::limbs;
use super::number::Number;
use super::{arithmetic, compare};
use dashu_int::ops::BitTest;
use dashu_int::{IBig, UBig};

/// `log2(10)`, rounded up.
const BITS_PER_DIGIT: f64 = 3.321_928_094_887_363;

/// Bits that tell so many digits apart.
fn bits_for(digits: i64) -> usize {
    (digits as f64 * BITS_PER_DIGIT) as usize + 2
}

fn ten_to(exponent: i64) -> IBig {
    IBig::from(UBig::from(10u8).pow(exponent as usize))
}

/// `±(magnitude ± 2) · 10^exp`: an approximation.
struct Approximation {
    negative: bool,
    magnitude: IBig,
    exp: i64,
}

impl Approximation {
    /// The rounded value, if it is certain.
    fn round(&self, context: &Context, status: &mut u32) -> Option<Number> {
        let rounded = |magnitude: IBig| {
            let (_, magnitude) = magnitude.into_parts();
            let coefficient = Coefficient::from_limbs(limbs::from_binary(&magnitude));
            let mut conditions = 0;
            let number = Number::finite(self.negative, coefficient, self.exp).finalize(context, &mut conditions);
            (number, conditions)
        };
        let (low, low_conditions) = rounded(&self.magnitude - 2);
        let (high, high_conditions) = rounded(&self.magnitude + 2);
        let agree = low_conditions == high_conditions
            && low.class == high.class
            && low.exp == high.exp
            && low.coefficient == high.coefficient;
        if !agree {
            return None;
        }
        *status |= high_conditions | INEXACT | ROUNDED;
        Some(high)
    }
}

/// Rounds what `approximate` gives for growing numbers of digits.
fn certain(context: &Context, status: &mut u32, approximate: impl Fn(i64) -> Result<Approximation, NoRoom>) -> Number {
    let context = Context { round: Rounding::HalfEven, ..*context };
    let mut extra = 6;
    loop {
        let digits = context.prec + extra;
        // Some intermediate numbers are several times as long.
        let approximation = check_room(digits.saturating_mul(8)).and_then(|()| approximate(digits));
        match approximation.map(|approximation| approximation.round(&context, status)) {
            Ok(Some(number)) => return number,
            Ok(None) => extra = extra * 2 + 13,
            Err(NoRoom) => return Number::error(status, MALLOC_ERROR),
        }
    }
}

/// The magnitude of a finite number as a fixed-point number, cut off.
fn to_fixed(n: &Number, bits: usize) -> IBig {
    let adjusted = n.adjusted();
    // Digits beyond the last bit do not matter.
    let wanted = adjusted + 2 + (bits as f64 / BITS_PER_DIGIT) as i64 + 2;
    if wanted <= 0 {
        return IBig::ZERO;
    }
    let cut = (n.digits() - wanted).max(0);
    let coefficient = n.coefficient.shift_right(cut).0;
    let exp = n.exp + cut;
    let coefficient = IBig::from(limbs::to_binary(&coefficient.limbs()));
    match exp {
        0.. => (coefficient * ten_to(exp)) << bits,
        _ => (coefficient << bits) / ten_to(-exp),
    }
}

fn to_f64(n: &IBig, bits: usize) -> f64 {
    let length = n.bit_len();
    let cut = length.saturating_sub(62);
    let top = i64::try_from(n >> cut).unwrap_or(0) as f64;
    top * 2f64.powi(cut as i32 - bits as i32)
}

/// A fixed-point number as `digits` decimal digits, or one or two more.
fn to_decimal(n: IBig, bits: usize, digits: i64) -> Approximation {
    let negative = n < IBig::ZERO;
    let magnitude = if negative { -n } else { n };
    // The exponent of the first digit, or one less.
    let length = magnitude.bit_len() as i64 - bits as i64;
    let adjusted = ((length - 1) as f64 / BITS_PER_DIGIT).floor() as i64;
    let places = digits - 1 - adjusted;
    let magnitude = match places {
        0.. => (magnitude * ten_to(places)) >> bits,
        _ => (magnitude >> bits) / ten_to(-places),
    };
    Approximation { negative, magnitude, exp: -places }
}

pub fn exp(a: &Number, context: &Context, status: &mut u32) -> Number {
    if let Some(nan) = a.propagate_own_nan(context, status) {
        return nan;
    }
    if a.is_infinite() {
        return if a.negative { Number::small(false, 0, 0) } else { Number::infinity(false) };
    }
    if a.coefficient.is_zero() {
        return Number::small(false, 1, 0);
    }
    // Larger than any exponent.
    if a.adjusted() >= 19 {
        let context = Context { round: Rounding::HalfEven, ..*context };
        let exp = if a.negative { EXP_CLAMP } else { EXP_INF };
        return Number::small(false, 1, exp).finalize(&context, status);
    }
    certain(context, status, |digits| {
        // x = n · ln 10 + r, e^x = 10^n · e^r
        let whole_bits = bits_for(a.adjusted().max(0) + 1);
        let bits = bits_for(digits) + 12;
        let work = bits + whole_bits;
        let ln10 = fixed::ln10(work);
        let mut x = to_fixed(a, work);
        if a.negative {
            x = -x;
        }
        let mut n = &x / &ln10;
        if &n * &ln10 > x {
            n -= 1;
        }
        let rest = (x - &n * ln10) >> whole_bits;
        let rest = if rest < IBig::ZERO { IBig::ZERO } else { rest };
        let value = fixed::exp(&rest, bits);
        let mut result = to_decimal(value, bits, digits);
        result.exp += i64::try_from(n).unwrap_or(EXP_INF);
        Ok(result)
    })
}

/// `x − 1`, if `x` is about 1.
fn distance_from_one(x: &Number) -> Option<Number> {
    if !(-1..=0).contains(&x.adjusted()) {
        return None;
    }
    Some(arithmetic::subtract(x, &Number::from_i64(1), &Context::MAX, &mut 0))
}

/// What remains of the special operands of logarithms; `None` for positive finite ones.
fn logarithm_special(a: &Number, context: &Context, status: &mut u32) -> Option<Number> {
    if let Some(nan) = a.propagate_own_nan(context, status) {
        return Some(nan);
    }
    if a.is_zero() {
        return Some(Number::infinity(true));
    }
    if a.negative {
        return Some(Number::error(status, INVALID_OPERATION));
    }
    a.is_infinite().then(|| Number::infinity(false))
}

/// `ln x` in fixed point, right to so many digits of its own, and the bits.
fn ln_fixed(x: &Number, near: Option<&Number>, digits: i64) -> (IBig, usize) {
    let adjusted = x.adjusted();
    let lost = near.map_or(0, |distance| (-distance.adjusted()).max(0));
    let exponent = if near.is_some() { 0 } else { adjusted };
    let guard = 64 - exponent.unsigned_abs().leading_zeros() as usize;
    let bits = bits_for(digits + lost) + guard + 16;
    let mantissa = to_fixed(&Number { exp: x.exp - exponent, ..x.clone() }, bits);
    let guess = to_f64(&mantissa, bits).ln();
    let logarithm = fixed::ln(&mantissa, guess, bits);
    let logarithm = if exponent == 0 { logarithm } else { logarithm + fixed::ln10(bits) * exponent };
    (logarithm, bits)
}

pub fn ln(a: &Number, context: &Context, status: &mut u32) -> Number {
    if let Some(result) = logarithm_special(a, context, status) {
        return result;
    }
    let distance = distance_from_one(a);
    if distance.as_ref().is_some_and(Number::is_zero) {
        return Number::small(false, 0, 0);
    }
    certain(context, status, |digits| {
        if let Some(distance) = &distance
            && -distance.adjusted() > digits + 3
        {
            return Ok(leading_digits(distance, digits));
        }
        let (logarithm, bits) = ln_fixed(a, distance.as_ref(), digits);
        Ok(to_decimal(logarithm, bits, digits))
    })
}

/// A number cut to so many digits: `ln(1 + t)` is `t` as far as they go.
fn leading_digits(t: &Number, digits: i64) -> Approximation {
    let cut = t.digits() - digits;
    let coefficient = match cut {
        0.. => t.coefficient.shift_right(cut).0,
        _ => t.coefficient.shift_left(-cut).unwrap_or(Coefficient::ZERO),
    };
    Approximation { negative: t.negative, magnitude: limbs::to_binary(&coefficient.limbs()).into(), exp: t.exp + cut }
}

pub fn log10(a: &Number, context: &Context, status: &mut u32) -> Number {
    if let Some(result) = logarithm_special(a, context, status) {
        return result;
    }
    // A power of ten has an exact logarithm.
    if a.coefficient.trailing_zeros() == a.digits() - 1
        && compare::compare_magnitude_finite(a, &Number::small(false, 1, a.adjusted())).is_eq()
    {
        let context = Context { round: Rounding::HalfEven, ..*context };
        return Number::from_i64(a.adjusted()).finalize(&context, status);
    }
    let distance = distance_from_one(a);
    certain(context, status, |digits| {
        if let Some(distance) = &distance
            && -distance.adjusted() > digits + 3
        {
            // t / ln 10
            let mut result = leading_digits(distance, digits + 1);
            let bits = bits_for(digits + 4);
            result.magnitude = (result.magnitude << bits) / fixed::ln10(bits);
            return Ok(result);
        }
        let (logarithm, bits) = ln_fixed(a, distance.as_ref(), digits + 2);
        let quotient = (logarithm << bits) / fixed::ln10(bits);
        Ok(to_decimal(quotient, bits, digits))
    })
}
