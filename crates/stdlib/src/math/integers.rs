//! Number theory of `math`: `gcd`, `lcm`, `isqrt`, `factorial`, `comb`, `perm`.

use dashu_int::ops::{Gcd, SquareRoot};
use dashu_int::{IBig, UBig};
use taipan_object::builtins::int::{self, Operand};
use taipan_object::native::MethodDef;
use taipan_object::native::arguments::no_keywords;
use taipan_object::{Result, Value, Vm, method_table};

method_table! { pub static FUNCTIONS = [
    MethodDef::raw("gcd($module, /, *integers)", "\
        Return the greatest integer that divides all arguments.", |vm, _, args, kwnames| {
        no_keywords(vm, "math.gcd", kwnames)?;
        fold(vm, args, 0, gcd)
    }),
    MethodDef::raw("lcm($module, /, *integers)", "\
        Return the least positive integer that all arguments divide.", |vm, _, args, kwnames| {
        no_keywords(vm, "math.lcm", kwnames)?;
        fold(vm, args, 1, lcm)
    }),
    MethodDef::new("isqrt($module, n, /)", "Return the greatest integer whose square is at most n.", |vm, _, args| {
        let n = vm.index(&args[0])?;
        match Operand::of(&n) {
            Some(n) if n.is_negative() => Err(vm.value_error("isqrt() argument must be nonnegative")),
            Some(Operand::Small(n)) => Ok(Value::from((n as u64).isqrt())),
            Some(Operand::Big(n)) => {
                int::check_room(vm, Operand::Big(n).bit_length().saturating_mul(2))?;
                Ok(int::from_ibig(magnitude(n.clone()).sqrt().into()))
            }
            None => Ok(n),
        }
    }),
    MethodDef::new("factorial($module, n, /)", "Find n!.", |vm, _, args| factorial(vm, &args[0])),
    MethodDef::new("comb($module, n, k, /)",
        "Count the ways to choose k of n different items, in any order.\n\nThere are none if k > n.",
        |vm, _, args| comb(vm, &args[0], &args[1])),
    MethodDef::new("perm($module, n, k=None, /)",
        "Count the ways to arrange k of n different items.\n\n\
        There are none if k > n.  By default all items are arranged, in n! ways.",
        |vm, _, args| perm(vm, &args[0], &args[1])),
]; }

fn magnitude(n: IBig) -> UBig {
    n.into_parts().1
}

/// Combines absolute values; all arguments are checked.
fn fold(vm: &Vm, args: &[Value], initial: i64, combine: fn(&Vm, &Value, &Value) -> Result) -> Result {
    let mut result = match args.first() {
        None => return Ok(Value::from(initial)),
        Some(first) => int::absolute(vm, &vm.index(first)?)?,
    };
    for n in &args[1..] {
        result = combine(vm, &result, &vm.index(n)?)?;
    }
    Ok(result)
}

/// The greatest common divisor of two words.
fn gcd_words(mut a: u64, mut b: u64) -> u64 {
    if a == 0 || b == 0 {
        return a | b;
    }
    // Stein's algorithm: powers of two aside, subtract and halve.
    let shift = (a | b).trailing_zeros();
    a >>= a.trailing_zeros();
    loop {
        b >>= b.trailing_zeros();
        (a, b) = (a.min(b), a.abs_diff(b));
        if b == 0 {
            return a << shift;
        }
    }
}

fn gcd(vm: &Vm, a: &Value, b: &Value) -> Result {
    let (Some(a), Some(b)) = (Operand::of(a), Operand::of(b)) else { return Ok(Value::NONE) };
    if let (Operand::Small(a), Operand::Small(b)) = (a, b) {
        return Ok(Value::from(gcd_words(a.unsigned_abs(), b.unsigned_abs())));
    }
    if a.is_zero() || b.is_zero() {
        let other = if a.is_zero() { b } else { a };
        return Ok(int::from_ibig(magnitude(other.to_ibig()).into()));
    }
    int::check_room(vm, a.bit_length().saturating_add(b.bit_length()).saturating_mul(2))?;
    Ok(int::from_ibig(magnitude(a.to_ibig()).gcd(magnitude(b.to_ibig())).into()))
}

fn lcm(vm: &Vm, a: &Value, b: &Value) -> Result {
    let divisor = gcd(vm, a, b)?;
    if Operand::of(&divisor).is_some_and(Operand::is_zero) {
        return Ok(divisor);
    }
    let part = int::floor_divide(vm, a, &divisor)?;
    int::absolute(vm, &int::multiply(vm, &part, b)?)
}

/// The product of `from..=to`, by halves so that factors of like size meet.
fn product_of_range(vm: &Vm, from: u64, to: u64) -> Result<UBig> {
    if from > to {
        return Ok(UBig::ONE);
    }
    if to - from < 32 {
        let mut product = UBig::ONE;
        let mut word = 1u64;
        for n in from..=to {
            word = match word.checked_mul(n) {
                Some(word) => word,
                None => {
                    product *= word;
                    n
                }
            };
        }
        return Ok(product * word);
    }
    vm.check_signals()?;
    let middle = from + (to - from) / 2;
    Ok(product_of_range(vm, from, middle)? * product_of_range(vm, middle + 1, to)?)
}

/// The number of bits of `n`.
fn bits(n: u64) -> u64 {
    64 - n.leading_zeros() as u64
}

/// `MemoryError` if a product of `count` factors up to `largest` has no room.
fn check_product(vm: &Vm, count: u64, largest: u64) -> Result<()> {
    let total = count.saturating_mul(bits(largest));
    int::check_room(vm, usize::try_from(total).unwrap_or(usize::MAX))
}

fn factorial(vm: &Vm, n: &Value) -> Result {
    let n = vm.index(n)?;
    if int::is_negative(&n) {
        return Err(vm.value_error("factorial() not defined for negative values"));
    }
    let Some(n) = int::to_i64(&n) else {
        return Err(vm.overflow_error(format!("factorial() argument should not exceed {}", i64::MAX)));
    };
    let n = n as u64;
    if n <= 20 {
        return Ok(Value::from((1..=n).product::<u64>()));
    }
    check_product(vm, n, n)?;
    // n! = odd part · 2^(n − ones in n). The odd part is the product, over i, of the odd numbers up to n / 2^i; the ranges
    // nest, so each is the former one times what it has more.
    let (mut odd_part, mut inner) = (UBig::ONE, UBig::ONE);
    let mut upper = 2;
    for shift in (0..bits(n)).rev() {
        let limit = n >> shift;
        if limit <= 2 {
            continue;
        }
        let lower = upper;
        upper = (limit + 1) | 1;
        inner *= product_of_odd(vm, lower | 1, upper)?;
        odd_part *= &inner;
    }
    let twos = n - n.count_ones() as u64;
    Ok(int::from_ibig((odd_part << twos as usize).into()))
}

/// The product of the odd numbers from `from` up to but not including `to`, both odd.
fn product_of_odd(vm: &Vm, from: u64, to: u64) -> Result<UBig> {
    if from >= to {
        return Ok(UBig::ONE);
    }
    let count = (to - from) / 2;
    if count <= 32 {
        let mut product = UBig::ONE;
        let mut word = 1u64;
        for n in (from..to).step_by(2) {
            word = match word.checked_mul(n) {
                Some(word) => word,
                None => {
                    product *= word;
                    n
                }
            };
        }
        return Ok(product * word);
    }
    vm.check_signals()?;
    let middle = (from + count) | 1;
    Ok(product_of_odd(vm, from, middle)? * product_of_odd(vm, middle, to)?)
}

/// An argument that must not be negative.
fn natural(vm: &Vm, value: &Value, name: &str) -> Result {
    let value = vm.index(value)?;
    if int::is_negative(&value) {
        return Err(vm.value_error(format!("{name} must be a non-negative integer")));
    }
    Ok(value)
}

fn perm(vm: &Vm, n: &Value, k: &Value) -> Result {
    if k.is_none() {
        return factorial(vm, n);
    }
    let (n, k) = (vm.index(n)?, vm.index(k)?);
    let (n, k) = (natural(vm, &n, "n")?, natural(vm, &k, "k")?);
    if int::is_negative(&int::subtract(vm, &n, &k)?) {
        return Ok(Value::small_int(0));
    }
    let Some(k) = int::to_i64(&k) else {
        return Err(vm.overflow_error(format!("k must not exceed {}", i64::MAX)));
    };
    falling_factorial(vm, &n, k as u64)
}

/// `n · (n−1) · … · (n−k+1)`, for `k <= n`.
fn falling_factorial(vm: &Vm, n: &Value, k: u64) -> Result {
    if k == 0 {
        return Ok(Value::small_int(1));
    }
    if let Some(n) = int::to_u64(n) {
        let from = n - k + 1;
        if k <= 64
            && let Some(product) = (from..=n).try_fold(1u64, |product, n| product.checked_mul(n))
        {
            return Ok(Value::from(product));
        }
        check_product(vm, k, n)?;
        return Ok(int::from_ibig(product_of_range(vm, from, n)?.into()));
    }
    let n = int::to_ibig(n).unwrap_or_default();
    let total = (int::magnitude_bits(&n) as u64).saturating_mul(k);
    int::check_room(vm, usize::try_from(total).unwrap_or(usize::MAX))?;
    Ok(int::from_ibig(falling_factorial_of_big(vm, &magnitude(n), 0, k)?.into()))
}

/// `(n−from) · … · (n−to+1)`
fn falling_factorial_of_big(vm: &Vm, n: &UBig, from: u64, to: u64) -> Result<UBig> {
    if to - from == 1 {
        return Ok(n - from);
    }
    vm.check_signals()?;
    let middle = from + (to - from) / 2;
    Ok(falling_factorial_of_big(vm, n, from, middle)? * falling_factorial_of_big(vm, n, middle, to)?)
}

fn comb(vm: &Vm, n: &Value, k: &Value) -> Result {
    let (n, k) = (vm.index(n)?, vm.index(k)?);
    let (n, mut k) = (natural(vm, &n, "n")?, natural(vm, &k, "k")?);
    let rest = int::subtract(vm, &n, &k)?;
    if int::is_negative(&rest) {
        return Ok(Value::small_int(0));
    }
    if int::is_negative(&int::subtract(vm, &rest, &k)?) {
        k = rest;
    }
    let Some(k) = int::to_i64(&k) else {
        return Err(vm.overflow_error(format!("min(n - k, k) must not exceed {}", i64::MAX)));
    };
    let k = k as u64;
    match int::to_u64(&n) {
        _ if k == 0 => return Ok(Value::small_int(1)),
        _ if k == 1 => return Ok(n),
        Some(n) => {
            if let Some(result) = comb_words(n, k) {
                return Ok(Value::from(result));
            }
        }
        None => {}
    }
    let numerator = falling_factorial(vm, &n, k)?;
    let divisor = factorial(vm, &Value::from(k))?;
    int::floor_divide(vm, &numerator, &divisor)
}

/// The binomial coefficient, if it and what comes before it fit.
fn comb_words(n: u64, k: u64) -> Option<u64> {
    if k > 64 {
        return None;
    }
    let mut result = 1u64;
    for i in 0..k {
        // Exact: a product of i + 1 consecutive numbers is divisible by (i + 1)!.
        let product = u128::from(result) * u128::from(n - i) / u128::from(i + 1);
        result = u64::try_from(product).ok()?;
    }
    Some(result)
}
