//! What operations depend on, and the conditions they report.

/// Conditions, as bits of a status word; libmpdec's values.
pub mod status {
    pub const CLAMPED: u32 = 0x1;
    pub const CONVERSION_SYNTAX: u32 = 0x2;
    pub const DIVISION_BY_ZERO: u32 = 0x4;
    pub const DIVISION_IMPOSSIBLE: u32 = 0x8;
    pub const DIVISION_UNDEFINED: u32 = 0x10;
    pub const INEXACT: u32 = 0x40;
    pub const INVALID_CONTEXT: u32 = 0x80;
    pub const INVALID_OPERATION: u32 = 0x100;
    pub const MALLOC_ERROR: u32 = 0x200;
    pub const FLOAT_OPERATION: u32 = 0x400;
    pub const OVERFLOW: u32 = 0x800;
    pub const ROUNDED: u32 = 0x1000;
    pub const SUBNORMAL: u32 = 0x2000;
    pub const UNDERFLOW: u32 = 0x4000;

    /// What the signal `InvalidOperation` stands for.
    pub const INVALID: u32 = CONVERSION_SYNTAX
        | DIVISION_IMPOSSIBLE
        | DIVISION_UNDEFINED
        | INVALID_CONTEXT
        | INVALID_OPERATION
        | MALLOC_ERROR
        | 0x20;
    /// After these a result is meaningless.
    pub const ERRORS: u32 = INVALID | DIVISION_BY_ZERO;
}

pub const MAX_PREC: i64 = 999_999_999_999_999_999;
pub const MAX_EMAX: i64 = 999_999_999_999_999_999;
pub const MIN_EMIN: i64 = -999_999_999_999_999_999;
pub const MIN_ETINY: i64 = MIN_EMIN - (MAX_PREC - 1);
/// An exponent that overflows, and one that underflows, in any context.
pub const EXP_INF: i64 = 2_000_000_000_000_000_001;
pub const EXP_CLAMP: i64 = -4_000_000_000_000_000_001;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Rounding {
    Up,
    Down,
    Ceiling,
    Floor,
    HalfUp,
    HalfDown,
    HalfEven,
    ZeroFiveUp,
}

/// Precision, exponent limits and rounding.
#[derive(Clone, Copy, Debug)]
pub struct Context {
    pub prec: i64,
    pub emax: i64,
    pub emin: i64,
    pub round: Rounding,
    pub clamp: bool,
}

impl Context {
    /// The largest one, for exact results.
    pub const MAX: Context =
        Context { prec: MAX_PREC, emax: MAX_EMAX, emin: MIN_EMIN, round: Rounding::HalfEven, clamp: false };

    /// The exponent of the smallest subnormal number.
    #[inline]
    pub fn etiny(&self) -> i64 {
        self.emin - (self.prec - 1)
    }
    /// The exponent of the largest number with all its digits.
    #[inline]
    pub fn etop(&self) -> i64 {
        self.emax - (self.prec - 1)
    }
    /// As this one, with the largest exponents, another precision and half-even rounding.
    pub fn working(&self, prec: i64) -> Context {
        Context { prec, round: Rounding::HalfEven, clamp: false, ..*self }
    }
}
