//! `math.fsum`, `sumprod` and `prod`: sums and products over iterables, and the double-length arithmetic behind them.

use super::{exact_number, libm};
use smallvec::SmallVec;
use taipan_object::builtins::{float, int};
use taipan_object::native::MethodDef;
use taipan_object::{Result, Value, Vm, method_table};

method_table! { pub static FUNCTIONS = [
    MethodDef::new("fsum($module, seq, /)",
        "Add up the numbers without losing precision to intermediate results.\n\nOnly the total is rounded.",
        |vm, _, args| fsum(vm, &args[0])),
    MethodDef::new("prod($module, iterable, /, *, start=1)",
        "Multiply the numbers of an iterable, and start.\n\n\
        The result for an empty iterable is start, which is 1 by default.",
        |vm, _, args| prod(vm, &args[0], &args[1])),
    MethodDef::new("sumprod($module, p, q, /)",
        "Multiply the numbers of p with those of q, and add up the products.\n\n\
        Both must have the same length; ValueError is raised otherwise.\n\n\
        With floats, the products and sums are more precise than single\n\
        float operations would give.",
        |vm, _, args| sumprod(vm, &args[0], &args[1])),
]; }

/// A number as the sum of a float and what rounding took from it.
#[derive(Clone, Copy)]
pub struct Double {
    pub high: f64,
    pub low: f64,
}

impl Double {
    /// `a + b` exactly, if `a` is not smaller in magnitude.
    #[inline]
    pub fn fast_sum(a: f64, b: f64) -> Double {
        let high = a + b;
        Double { high, low: (a - high) + b }
    }

    /// `a + b` exactly.
    #[inline]
    pub fn sum(a: f64, b: f64) -> Double {
        let high = a + b;
        let b_in_high = high - a;
        Double { high, low: (a - (high - b_in_high)) + (b - b_in_high) }
    }

    /// `a * b` exactly.
    #[inline]
    pub fn product(a: f64, b: f64) -> Double {
        let high = a * b;
        Double { high, low: libm::fma(a, b, -high) }
    }
}

/// The exact sum, rounded once (Shewchuk): `partials` are floats that do not overlap, in order of magnitude.
fn fsum(vm: &Vm, iterable: &Value) -> Result {
    let iterator = vm.iter(iterable)?;
    let mut partials: SmallVec<[f64; 32]> = SmallVec::new();
    let (mut special_sum, mut infinite_sum) = (0.0, 0.0);
    while let Some(item) = vm.next_of_any(&iterator)? {
        let original = match item.as_immediate_float() {
            Some(f) => f,
            None => vm.float(&item)?,
        };
        let mut x = original;
        let mut kept = 0;
        for at in 0..partials.len() {
            let mut y = partials[at];
            if x.abs() < y.abs() {
                std::mem::swap(&mut x, &mut y);
            }
            let Double { high, low } = Double::fast_sum(x, y);
            if low != 0.0 {
                partials[kept] = low;
                kept += 1;
            }
            x = high;
        }
        partials.truncate(kept);
        if x == 0.0 {
            continue;
        }
        if x.is_finite() {
            partials.push(x);
            continue;
        }
        if original.is_finite() {
            return Err(vm.overflow_error("intermediate overflow in fsum"));
        }
        if original.is_infinite() {
            infinite_sum += original;
        }
        special_sum += original;
        partials.clear();
    }
    if special_sum != 0.0 {
        if f64::is_nan(infinite_sum) {
            return Err(vm.value_error("-inf + inf in fsum"));
        }
        return Ok(Value::from(special_sum));
    }
    Ok(Value::from(round_partials(&partials)))
}

/// The sum of floats that do not overlap, rounded half to even.
fn round_partials(partials: &[f64]) -> f64 {
    let mut rest = partials.iter().rev();
    let Some(&top) = rest.next() else { return 0.0 };
    let (mut high, mut low) = (top, 0.0);
    for &y in rest.by_ref() {
        let sum = Double::fast_sum(high, y);
        (high, low) = (sum.high, sum.low);
        if low != 0.0 {
            break;
        }
    }
    // A tie that the partials below `low` decide the other way.
    if let Some(&next) = rest.next()
        && (low < 0.0 && next < 0.0 || low > 0.0 && next > 0.0)
    {
        let twice = low * 2.0;
        let moved = high + twice;
        if twice == moved - high {
            high = moved;
        }
    }
    high
}

fn prod(vm: &Vm, iterable: &Value, start: &Value) -> Result {
    let iterator = vm.iter(iterable)?;
    let mut product = start.clone();
    // As long as only small ints come.
    if let Some(mut n) = product.as_small_int() {
        let other = loop {
            let Some(item) = vm.next_of_any(&iterator)? else { return Ok(Value::from(n)) };
            match item.as_small_int().and_then(|m| n.checked_mul(m)) {
                Some(next) => n = next,
                None => break item,
            }
        };
        product = vm.multiply(&Value::from(n), &other)?;
    }
    // As long as only floats and ints come.
    if float::is_exact(&product) {
        let mut f = float::to_f64(&product).unwrap_or(0.0);
        let other = loop {
            let Some(item) = vm.next_of_any(&iterator)? else { return Ok(Value::from(f)) };
            match exact_number(&item) {
                Some(x) => f *= x,
                None => break item,
            }
        };
        product = vm.multiply(&Value::from(f), &other)?;
    }
    while let Some(item) = vm.next(&iterator)? {
        product = vm.multiply(&product, &item)?;
    }
    Ok(product)
}

/// A sum in triple length.
#[derive(Clone, Copy, Default)]
struct Triple {
    high: f64,
    low: f64,
    tiny: f64,
}

impl Triple {
    /// `self + a * b`
    fn add_product(self, a: f64, b: f64) -> Triple {
        let product = Double::product(a, b);
        let sum = Double::sum(self.high, product.high);
        let low = Double::sum(self.low, product.low);
        let both = Double::sum(low.high, sum.low);
        Triple { high: sum.high, low: both.high, tiny: self.tiny + low.low + both.low }
    }

    fn round(self) -> f64 {
        let rest = Double::sum(self.low, self.tiny);
        let total = Double::sum(self.high, rest.high);
        // Rounding to nearest is right unless `rest.high` decided a tie that `rest.low` decides otherwise.
        total.high + (total.low + rest.low)
    }
}

/// The operands of a product that is computed in floats: both are floats, or one is and the other is an int.
fn float_operands(p: &Value, q: &Value) -> Option<(f64, f64)> {
    let number = |value: &Value| match value.is_bool() {
        true => Some(f64::from(value.is_true())),
        false if int::is_exact(value) => int::Operand::of(value)?.to_f64(),
        false => None,
    };
    match (float::is_exact(p), float::is_exact(q)) {
        (true, true) => Some((float::to_f64(p)?, float::to_f64(q)?)),
        (true, false) => Some((float::to_f64(p)?, number(q)?)),
        (false, true) => Some((number(p)?, float::to_f64(q)?)),
        (false, false) => None,
    }
}

fn sumprod(vm: &Vm, p: &Value, q: &Value) -> Result {
    let (p, q) = (vm.iter(p)?, vm.iter(q)?);
    let mut total = Value::small_int(0);
    // Sums of ints and of floats, as long as nothing else came.
    let (mut ints, mut floats) = (Some(0i64), Some(Triple::default()));
    let (mut ints_used, mut floats_used) = (false, false);
    loop {
        let pair = match (vm.next_of_any(&p)?, vm.next_of_any(&q)?) {
            (Some(a), Some(b)) => Some((a, b)),
            (None, None) => None,
            _ => return Err(vm.value_error("Inputs are not the same length")),
        };
        if let Some(sum) = ints {
            let next = pair.as_ref().and_then(|(a, b)| {
                let product = a.as_small_int()?.checked_mul(b.as_small_int()?)?;
                sum.checked_add(product)
            });
            if next.is_some() {
                (ints, ints_used) = (next, true);
                continue;
            }
            ints = None;
            if ints_used {
                total = vm.add(&total, &Value::from(sum))?;
            }
        }
        if let Some(sum) = floats {
            let next = pair
                .as_ref()
                .and_then(|(a, b)| float_operands(a, b))
                .map(|(a, b)| sum.add_product(a, b))
                .filter(|sum| sum.high.is_finite());
            if next.is_some() {
                (floats, floats_used) = (next, true);
                continue;
            }
            floats = None;
            if floats_used {
                total = vm.add(&total, &Value::from(sum.round()))?;
            }
        }
        let Some((a, b)) = pair else { return Ok(total) };
        let product = vm.multiply(&a, &b)?;
        total = vm.add(&total, &product)?;
    }
}
