//! Comparison of ints with ints and, exactly, with floats.

use super::Operand;
use crate::object::Result;
use crate::types::slots::CompareOp;
use crate::value::Value;
use crate::vm::Vm;
use std::cmp::Ordering;

/// `a op b`
#[inline]
pub fn compare(_: &Vm, a: &Value, b: &Value, op: CompareOp) -> Result {
    if let (Some(x), Some(y)) = (a.as_small_int(), b.as_small_int()) {
        return Ok(Value::bool(op.holds(x.cmp(&y))));
    }
    Ok(match ordering(a, b) {
        Some(ordering) => Value::bool(op.holds(ordering)),
        None => Value::NOT_IMPLEMENTED,
    })
}

/// The order of two ints; `None` if one is something else.
pub fn ordering(a: &Value, b: &Value) -> Option<Ordering> {
    Some(match (Operand::of(a)?, Operand::of(b)?) {
        (Operand::Small(x), Operand::Small(y)) => x.cmp(&y),
        (Operand::Big(x), Operand::Big(y)) => x.cmp(y),
        // A big operand is beyond every small one.
        (Operand::Small(_), y) => {
            if y.is_negative() {
                Ordering::Greater
            } else {
                Ordering::Less
            }
        }
        (x, Operand::Small(_)) => {
            if x.is_negative() {
                Ordering::Less
            } else {
                Ordering::Greater
            }
        }
    })
}

impl Operand<'_> {
    /// The exact order of this int and a float; `None` for a nan.
    pub fn partial_cmp_f64(self, f: f64) -> Option<Ordering> {
        const LIMIT: f64 = (1_u64 << 63) as f64;
        if f.is_nan() {
            return None;
        }
        Some(match self {
            Operand::Small(n) if n.unsigned_abs() <= 1 << 53 => (n as f64).partial_cmp(&f)?,
            Operand::Small(_) if f >= LIMIT => Ordering::Less,
            Operand::Small(_) if f < -LIMIT => Ordering::Greater,
            Operand::Small(n) => n.cmp(&(f.trunc() as i64)).then(0.0.partial_cmp(&f.fract())?),
            Operand::Big(n) => {
                let sign = if self.is_negative() { Ordering::Less } else { Ordering::Greater };
                if f.is_infinite() || (f < 0.0) != self.is_negative() || f.abs() < LIMIT {
                    return Some(if f.is_infinite() && (f < 0.0) == self.is_negative() {
                        sign.reverse()
                    } else {
                        sign
                    });
                }
                // Beyond 2^63 a float has no fraction.
                n.cmp(&super::float_conversion::ibig_from_f64(f))
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use dashu_int::IBig;

    #[test]
    fn floats() {
        use Ordering::*;
        let small = |n: i64, f: f64| Operand::Small(n).partial_cmp_f64(f);
        assert_eq!(small(1, 1.5), Some(Less));
        assert_eq!(small((1 << 53) + 1, 9007199254740992.0), Some(Greater));
        assert_eq!(small(i64::MAX, 9223372036854775808.0), Some(Less));
        assert_eq!(small(i64::MIN, -9223372036854775808.0), Some(Equal));
        assert_eq!(small(0, f64::NAN), None);
        let big = IBig::from(1) << 200;
        let negative = -big.clone();
        assert_eq!(Operand::Big(&big).partial_cmp_f64(2_f64.powi(200)), Some(Equal));
        assert_eq!(Operand::Big(&big).partial_cmp_f64(f64::INFINITY), Some(Less));
        assert_eq!(Operand::Big(&big).partial_cmp_f64(f64::NEG_INFINITY), Some(Greater));
        assert_eq!(Operand::Big(&negative).partial_cmp_f64(f64::NEG_INFINITY), Some(Greater));
        assert_eq!(Operand::Big(&negative).partial_cmp_f64(1e300), Some(Less));
        assert_eq!(Operand::Big(&big).partial_cmp_f64(3.0), Some(Greater));
        assert_eq!(Operand::Big(&negative).partial_cmp_f64(-1e300), Some(Greater));
    }
}
