//! `timedelta(…)`: summing up components of which each may be an int or a float.
//!
//! Whole parts are summed exactly. Fractions of microseconds are gathered in a float and rounded once, half to even
//! with regard to the whole sum.

use super::{Delta, new_with_type};
use crate::payload::{class_of, signature};
use dashu_int::IBig;
use taipan_object::builtins::float;
use taipan_object::builtins::int::{Operand, float_conversion::ibig_from_f64};
use taipan_object::{Result, Value, Vm};

signature!(
    NEW = "__new__(days=<none>, seconds=<none>, microseconds=<none>, milliseconds=<none>, minutes=<none>, hours=<none>, weeks=<none>)"
);

/// Parameters in the order in which they are added up: position, name, microseconds.
const COMPONENTS: [(usize, &str, i64); 7] = [
    (2, "microseconds", 1),
    (3, "milliseconds", 1000),
    (1, "seconds", 1_000_000),
    (4, "minutes", 60_000_000),
    (5, "hours", 3_600_000_000),
    (0, "days", 86_400_000_000),
    (6, "weeks", 604_800_000_000),
];

#[derive(Default)]
struct Sum {
    whole: i128,
    /// What does not come as an `i64`.
    large: IBig,
    /// Fractions of microseconds.
    fraction: f64,
}

impl Sum {
    fn add_float(&mut self, vm: &Vm, n: f64, factor: i64) -> Result<()> {
        if n.is_nan() {
            return Err(vm.value_error("cannot convert float NaN to integer"));
        }
        if n.is_infinite() {
            return Err(vm.overflow_error("cannot convert float infinity to integer"));
        }
        let (whole, fraction) = (n.trunc(), n.fract());
        if whole.abs() < 1e18 {
            self.whole += whole as i128 * i128::from(factor);
        } else {
            self.large += ibig_from_f64(whole) * factor;
        }
        if fraction != 0.0 {
            let us = factor as f64 * fraction;
            self.whole += us.trunc() as i128;
            self.fraction += us.fract();
        }
        Ok(())
    }

    fn total(mut self) -> Option<i128> {
        if self.fraction != 0.0 {
            let mut rounded = self.fraction.round();
            if (rounded - self.fraction).abs() == 0.5 {
                let odd = f64::from(u8::from(self.is_odd()));
                rounded = 2.0 * ((self.fraction + odd) * 0.5).round() - odd;
            }
            self.whole += rounded as i128;
        }
        if self.large.is_zero() {
            return Some(self.whole);
        }
        i128::try_from(self.large + IBig::from(self.whole)).ok()
    }

    fn is_odd(&self) -> bool {
        let large_is_odd = &self.large % 2u8 != 0;
        (self.whole % 2 != 0) != large_is_odd
    }
}

pub fn construct(vm: &Vm, class: &Value, args: &[Value], kwnames: Option<&Value>) -> Result {
    let bound = NEW.bind(vm, args, kwnames)?;
    let mut sum = Sum::default();
    for (at, name, factor) in COMPONENTS {
        let Some(value) = bound[at].bound() else { continue };
        match (Operand::of(value), float::to_f64(value)) {
            (Some(Operand::Small(n)), _) => sum.whole += i128::from(n) * i128::from(factor),
            (Some(Operand::Big(n)), _) => sum.large += n * factor,
            (None, Some(n)) => sum.add_float(vm, n, factor)?,
            (None, None) => {
                let got = value.ty().name();
                return Err(vm.type_error(format!("unsupported type for timedelta {name} component: {got}")));
            }
        }
    }
    let total = sum.total().unwrap_or(i128::MAX);
    Ok(new_with_type(class_of(class), Delta::from_microseconds(vm, total)?))
}
