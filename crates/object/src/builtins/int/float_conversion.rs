//! Ints as floats, correctly rounded, and floats as ints.

use super::Operand;
use dashu_int::IBig;

/// The float nearest to `(n + (0 < … < 1 if sticky)) · 2^exponent`, ties to even; `None` beyond the largest. With `sticky`, `n` has
/// 55 bits at least.
pub fn compose(n: u64, sticky: bool, exponent: i64) -> Option<f64> {
    if n == 0 {
        return Some(0.0);
    }
    let bits = 64 - n.leading_zeros() as i64;
    // The place of the lowest bit that the result can have.
    let lowest = (exponent + bits - 53).max(-1074);
    let drop = lowest - exponent;
    let mut mantissa = n;
    if drop > 0 {
        if drop > 64 {
            return Some(0.0);
        }
        let low = if drop == 64 { n } else { n & ((1 << drop) - 1) };
        mantissa = if drop == 64 { 0 } else { n >> drop };
        let half = 1 << (drop - 1);
        if low > half || low == half && (sticky || mantissa & 1 == 1) {
            mantissa += 1;
        }
    }
    let place = if drop > 0 { lowest } else { exponent };
    if mantissa == 0 {
        return Some(0.0);
    }
    let top = 64 - mantissa.leading_zeros() as i64 + place;
    if top > 1024 {
        return None;
    }
    // The mantissa has at most 54 bits and is exact; two steps keep the powers in range.
    let first = place.max(-1000);
    Some(mantissa as f64 * power_of_two(first) * power_of_two(place - first))
}

fn power_of_two(exponent: i64) -> f64 {
    f64::from_bits(((exponent + 1023) as u64) << 52)
}

/// Whether any of the lowest `count` bits is set.
pub(super) fn has_low_bits(words: &[u64], count: usize) -> bool {
    let whole = count / 64;
    words.iter().take(whole).any(|word| *word != 0)
        || !count.is_multiple_of(64) && words.get(whole).is_some_and(|word| word & ((1 << (count % 64)) - 1) != 0)
}

impl Operand<'_> {
    /// The nearest float; `None` beyond the largest.
    pub fn to_f64(self) -> Option<f64> {
        match self {
            Operand::Small(n) => Some(n as f64),
            Operand::Big(n) => ibig_to_f64(n),
        }
    }
}

/// The nearest float; `None` beyond the largest.
pub fn ibig_to_f64(n: &IBig) -> Option<f64> {
    let (sign, words) = n.as_sign_words();
    let bits = super::magnitude_bits(n);
    let magnitude = if bits <= 64 {
        words.first().copied().unwrap_or(0) as f64
    } else if bits > 1024 {
        return None;
    } else {
        let shift = bits - 64;
        let at = shift / 64;
        let low = shift % 64;
        let mut top = words[at] >> low;
        if low > 0 {
            top |= words[at + 1] << (64 - low);
        }
        compose(top, has_low_bits(words, shift), shift as i64)?
    };
    Some(if sign == dashu_int::Sign::Negative { -magnitude } else { magnitude })
}

/// The integer part of a finite float.
pub fn ibig_from_f64(f: f64) -> IBig {
    let bits = f.abs().to_bits();
    let exponent = (bits >> 52) as i64 - 1075;
    let mantissa = bits & ((1 << 52) - 1) | 1 << 52;
    let magnitude = if exponent >= 0 {
        IBig::from(mantissa) << exponent as usize
    } else if exponent > -64 {
        IBig::from(mantissa >> -exponent)
    } else {
        IBig::from(0)
    };
    if f < 0.0 { -magnitude } else { magnitude }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn composing_rounds_half_to_even() {
        assert_eq!(compose(1, false, 0), Some(1.0));
        assert_eq!(compose(u64::MAX, false, 0), Some(18446744073709551616.0));
        assert_eq!(compose(1 << 62 | 1 << 9, false, 0), Some(4611686018427387904.0));
        assert_eq!(compose(1 << 62 | 1 << 9, true, 0), Some(4611686018427388928.0));
        assert_eq!(compose(1, false, -1074), Some(5e-324));
        assert_eq!(compose(1 << 62, false, -1074 - 63), Some(0.0));
        assert_eq!(compose(1 << 62, true, -1074 - 63), Some(5e-324));
        assert_eq!(compose(3 << 61, false, -1074 - 63), Some(5e-324));
        assert_eq!(compose((1 << 53) - 1, false, 971), Some(f64::MAX));
        assert_eq!(compose((1 << 54) - 1, false, 970), None);
    }

    #[test]
    fn big_ints() {
        assert_eq!(ibig_to_f64(&(IBig::from(1) << 100)), Some((1_u128 << 100) as f64));
        assert_eq!(ibig_to_f64(&((IBig::from(1) << 1024) - 1)), None);
        assert_eq!(ibig_to_f64(&(IBig::from(-3) << 500)), Some(-3.0 * 2_f64.powi(500)));
        assert_eq!(ibig_from_f64(-1e300), -ibig_from_f64(1e300));
        assert_eq!(ibig_to_f64(&ibig_from_f64(1e300)), Some(1e300));
        assert_eq!(ibig_from_f64(-2.9), IBig::from(-2));
    }
}
