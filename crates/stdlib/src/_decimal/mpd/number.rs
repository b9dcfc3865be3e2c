//! Decimal numbers: sign, coefficient and exponent, infinities and NaNs, and the rounding that ends every operation.

use super::coefficient::{Coefficient, Lost, NoRoom};
use super::context::{Context, Rounding, status::*};
use super::wide::{self, POW10};
use std::cmp::Ordering;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Class {
    Finite,
    Infinite,
    QuietNan,
    SignalingNan,
}

/// `(−1)^negative · coefficient · 10^exp`. The coefficient of a NaN is its payload, 0 for none.
#[derive(Clone, Debug)]
pub struct Number {
    pub negative: bool,
    pub class: Class,
    pub exp: i64,
    pub coefficient: Coefficient,
}

impl Number {
    pub const NAN: Number = Number::special(false, Class::QuietNan);

    #[inline(always)]
    pub const fn finite(negative: bool, coefficient: Coefficient, exp: i64) -> Number {
        Number { negative, class: Class::Finite, exp, coefficient }
    }
    pub const fn special(negative: bool, class: Class) -> Number {
        Number { negative, class, exp: 0, coefficient: Coefficient::ZERO }
    }
    pub fn infinity(negative: bool) -> Number {
        Number::special(negative, Class::Infinite)
    }
    pub fn small(negative: bool, coefficient: u128, exp: i64) -> Number {
        Number::finite(negative, Coefficient::new(coefficient), exp)
    }
    pub fn from_i64(n: i64) -> Number {
        Number::small(n < 0, n.unsigned_abs().into(), 0)
    }
    /// Reports a condition; the NaN that is the result then.
    #[cold]
    pub fn error(status: &mut u32, condition: u32) -> Number {
        *status |= condition;
        Number::NAN
    }

    #[inline(always)]
    pub fn is_finite(&self) -> bool {
        self.class == Class::Finite
    }
    pub fn is_infinite(&self) -> bool {
        self.class == Class::Infinite
    }
    pub fn is_nan(&self) -> bool {
        matches!(self.class, Class::QuietNan | Class::SignalingNan)
    }
    pub fn is_signaling(&self) -> bool {
        self.class == Class::SignalingNan
    }
    pub fn is_zero(&self) -> bool {
        self.is_finite() && self.coefficient.is_zero()
    }
    #[inline]
    pub fn digits(&self) -> i64 {
        self.coefficient.digits()
    }
    /// The exponent of the first digit.
    #[inline]
    pub fn adjusted(&self) -> i64 {
        self.exp + self.digits() - 1
    }
    pub fn with_sign(mut self, negative: bool) -> Number {
        self.negative = negative;
        self
    }
    pub fn abs(&self) -> Number {
        self.clone().with_sign(false)
    }
    pub fn negated(&self) -> Number {
        self.clone().with_sign(!self.negative)
    }

    /// Whether a finite number is an integer.
    pub fn is_integer(&self) -> bool {
        self.is_finite()
            && (self.exp >= 0 || self.coefficient.is_zero() || self.coefficient.trailing_zeros() >= -self.exp)
    }
    /// Whether a finite number is an odd integer.
    pub fn is_odd(&self) -> bool {
        if !self.is_integer() || self.exp > 0 || self.coefficient.is_zero() {
            return false;
        }
        self.coefficient.shift_right(-self.exp).0.last_digit() % 2 == 1
    }
    /// Whether a nonzero finite number has the full exponent range's ordinary form.
    pub fn is_normal(&self, context: &Context) -> bool {
        self.is_finite() && !self.coefficient.is_zero() && self.adjusted() >= context.emin
    }
    pub fn is_subnormal(&self, context: &Context) -> bool {
        self.is_finite() && !self.coefficient.is_zero() && self.adjusted() < context.emin
    }

    /// An integer that fits, of any form.
    pub fn to_i64(&self) -> Option<i64> {
        if !self.is_integer() {
            return None;
        }
        if self.coefficient.is_zero() {
            return Some(0);
        }
        if self.adjusted() > 19 {
            return None;
        }
        let whole = match self.exp {
            0.. => self.coefficient.shift_left(self.exp).ok()?,
            exp => self.coefficient.shift_right(-exp).0,
        };
        let n = i128::try_from(whole.small()?).ok()?;
        i64::try_from(if self.negative { -n } else { n }).ok()
    }

    /// The result of an operation on `self` and `other`, one of which is a NaN, if so.
    pub fn propagate_nan(&self, other: &Number, context: &Context, status: &mut u32) -> Option<Number> {
        if !self.is_nan() && !other.is_nan() {
            return None;
        }
        let chosen = if self.is_signaling() {
            self
        } else if other.is_signaling() {
            other
        } else if self.is_nan() {
            self
        } else {
            other
        };
        if chosen.is_signaling() {
            *status |= INVALID_OPERATION;
        }
        let quiet = Number { class: Class::QuietNan, ..chosen.clone() };
        Some(quiet.fix_nan(context))
    }

    /// As [`Number::propagate_nan`], of one operand.
    pub fn propagate_own_nan(&self, context: &Context, status: &mut u32) -> Option<Number> {
        self.propagate_nan(self, context, status)
    }

    /// Cuts a payload to what the context holds.
    fn fix_nan(mut self, context: &Context) -> Number {
        let room = context.prec - i64::from(context.clamp);
        if !self.coefficient.is_zero() && self.coefficient.digits() > room {
            self.coefficient = self.coefficient.low_digits(room);
        }
        self
    }

    /// Fits a result into the context: rounds it, and looks after exponents out of range.
    pub fn finalize(self, context: &Context, status: &mut u32) -> Number {
        match self.class {
            Class::Finite => {}
            Class::Infinite => return self,
            Class::QuietNan | Class::SignalingNan => return self.fix_nan(context),
        }
        let digits = self.digits();
        let adjusted = self.exp + digits - 1;
        if digits <= context.prec
            && adjusted <= context.emax
            && adjusted >= context.emin
            && !(context.clamp && self.exp > context.etop())
        {
            return self;
        }
        match self.finalize_slowly(context, status) {
            Ok(result) => result,
            Err(NoRoom) => Number::error(status, MALLOC_ERROR),
        }
    }

    fn finalize_slowly(mut self, context: &Context, status: &mut u32) -> Result<Number, NoRoom> {
        self = self.fit_exponent(context, status)?;
        if !self.is_finite() || self.digits() <= context.prec {
            return Ok(self);
        }
        let shift = self.digits() - context.prec;
        let (mut coefficient, lost) = self.coefficient.shift_right(shift);
        self.exp += shift;
        *status |= ROUNDED;
        if lost.is_some() {
            *status |= INEXACT;
        }
        if rounds_up(&coefficient, self.negative, lost, context.round) {
            coefficient = coefficient.incremented();
            if coefficient.digits() > context.prec {
                coefficient = coefficient.shift_right(1).0;
                self.exp += 1;
                self.coefficient = coefficient;
                return self.fit_exponent(context, status);
            }
        }
        self.coefficient = coefficient;
        Ok(self)
    }

    /// Overflow, underflow, subnormal numbers, zeros with extreme exponents, and folding down.
    fn fit_exponent(mut self, context: &Context, status: &mut u32) -> Result<Number, NoRoom> {
        let adjusted = self.adjusted();
        let zero = self.coefficient.is_zero();
        if adjusted > context.emax {
            if zero {
                self.exp = if context.clamp { context.etop() } else { context.emax };
                *status |= CLAMPED;
                return Ok(self);
            }
            *status |= OVERFLOW | INEXACT | ROUNDED;
            let to_infinity = match context.round {
                Rounding::Down | Rounding::ZeroFiveUp => false,
                Rounding::Ceiling => !self.negative,
                Rounding::Floor => self.negative,
                _ => true,
            };
            return Ok(match to_infinity {
                true => Number::infinity(self.negative),
                false => Number::finite(self.negative, Coefficient::nines(context.prec)?, context.etop()),
            });
        }
        if context.clamp && self.exp > context.etop() {
            let shift = self.exp - context.etop();
            self.coefficient = self.coefficient.shift_left(shift)?;
            self.exp -= shift;
            *status |= CLAMPED;
            if !zero && adjusted < context.emin {
                *status |= SUBNORMAL;
            }
            return Ok(self);
        }
        if adjusted < context.emin {
            let etiny = context.etiny();
            if zero {
                if self.exp < etiny {
                    self.exp = etiny;
                    *status |= CLAMPED;
                }
                return Ok(self);
            }
            *status |= SUBNORMAL;
            if self.exp < etiny {
                let (mut coefficient, lost) = self.coefficient.shift_right(etiny - self.exp);
                self.exp = etiny;
                *status |= ROUNDED;
                if lost.is_some() {
                    if rounds_up(&coefficient, self.negative, lost, context.round) {
                        coefficient = coefficient.incremented();
                    }
                    *status |= INEXACT | UNDERFLOW;
                    if coefficient.is_zero() {
                        *status |= CLAMPED;
                    }
                }
                self.coefficient = coefficient;
            }
        }
        Ok(self)
    }
}

/// The result with a coefficient of one word pair (of any size) fitted into the context.
#[inline]
pub fn finalize_small(negative: bool, n: u128, exp: i64, context: &Context, status: &mut u32) -> Number {
    let digits = i64::from(wide::digits(n));
    let adjusted = exp + digits - 1;
    if adjusted > context.emax || adjusted < context.emin || context.clamp && exp > context.etop() {
        return Number::small(negative, n, exp).finalize(context, status);
    }
    if digits <= context.prec {
        return Number::small(negative, n, exp);
    }
    let shift = digits - context.prec;
    let (mut rounded, lost) = super::coefficient::shift_right_small(n, shift);
    *status |= ROUNDED;
    if lost.is_some() {
        *status |= INEXACT;
    }
    let mut exp = exp + shift;
    if lost.is_some() && rounds_up_small(rounded, negative, lost, context.round) {
        rounded += 1;
        if context.prec < 39 && rounded == POW10[context.prec as usize] {
            rounded /= 10;
            exp += 1;
            return Number::small(negative, rounded, exp).finalize(context, status);
        }
    }
    Number::small(negative, rounded, exp)
}

/// Whether a coefficient that lost digits is incremented.
pub fn rounds_up(coefficient: &Coefficient, negative: bool, lost: Lost, round: Rounding) -> bool {
    lost.is_some() && rounds_up_small(u128::from(coefficient.last_digit()), negative, lost, round)
}

/// As [`rounds_up`]; only the last digit of `n` counts.
#[inline]
pub fn rounds_up_small(n: u128, negative: bool, lost: Lost, round: Rounding) -> bool {
    let Some(lost) = lost else { return false };
    match round {
        Rounding::Down => false,
        Rounding::Up => true,
        Rounding::Ceiling => !negative,
        Rounding::Floor => negative,
        Rounding::HalfUp => lost != Ordering::Less,
        Rounding::HalfDown => lost == Ordering::Greater,
        Rounding::HalfEven => lost == Ordering::Greater || lost == Ordering::Equal && n % 2 == 1,
        Rounding::ZeroFiveUp => n % 5 == 0,
    }
}
