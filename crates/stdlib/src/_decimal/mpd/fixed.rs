//! Exponential and logarithm of binary fixed-point numbers: integers that stand for multiples of `2^−bits`.
//!
//! Results are off by a few units in the last place; callers add guard bits and check that rounding is certain.

use dashu_int::IBig;
use std::sync::Mutex;

/// `2^bits`
fn one(bits: usize) -> IBig {
    IBig::ONE << bits
}

/// `ln 10`, off by less than one unit.
pub fn ln10(bits: usize) -> IBig {
    static KNOWN: Mutex<(usize, IBig)> = Mutex::new((0, IBig::ZERO));
    let mut known = KNOWN.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    if known.0 < bits {
        let exact = bits + bits / 4 + 64;
        let guard = exact + 16;
        let sum = inverse_atanh(31, guard) * 46 + inverse_atanh(49, guard) * 34 + inverse_atanh(161, guard) * 20;
        *known = (exact, sum >> 16usize);
    }
    &known.1 >> (known.0 - bits)
}

/// `atanh(1 / q)`: the sum of `1 / ((2k + 1) q^(2k + 1))`, by binary splitting.
fn inverse_atanh(q: u64, bits: usize) -> IBig {
    let terms = (bits as f64 / (2.0 * (q as f64).log2())) as u64 + 2;
    let (_, denominator, numerator) = split(q, 0, terms);
    (numerator << bits) / denominator
}

/// For the terms `from..to`: `(power, power · odd factors, sum · both)` of a common denominator.
fn split(q: u64, from: u64, to: u64) -> (IBig, IBig, IBig) {
    if to - from == 1 {
        // The first term has the denominator q, each further one q^2 more.
        let power = if from == 0 { IBig::from(q) } else { IBig::from(q) * q };
        let odd = IBig::from(2 * from + 1);
        return (odd.clone(), odd * &power, IBig::ONE);
    }
    let middle = (from + to) / 2;
    let (odd_a, whole_a, sum_a) = split(q, from, middle);
    let (odd_b, whole_b, sum_b) = split(q, middle, to);
    // sum_a / whole_a + (odd_a / whole_a) · sum_b / whole_b, since the powers accumulate but the odd factors do not.
    let sum = sum_a * &whole_b + &odd_a * sum_b;
    (odd_a * odd_b, whole_a * whole_b, sum)
}

/// `e^x` for `0 <= x < 4`.
pub fn exp(x: &IBig, bits: usize) -> IBig {
    // Halving the argument so often balances the squarings with the terms of the series.
    let halvings = ((bits as f64).sqrt() * 0.7) as usize + 2;
    let guard = halvings + bits.ilog2() as usize + 8;
    let work = bits + guard;
    let small = (x << guard) >> halvings;
    let mut term = one(work);
    let mut sum = one(work);
    let mut k = 1u32;
    loop {
        term = ((term * &small) >> work) / k;
        if term == IBig::ZERO {
            break;
        }
        sum += &term;
        k += 1;
    }
    for _ in 0..halvings {
        sum = (&sum * &sum) >> work;
    }
    sum >> guard
}

/// `ln m` for `1/10 <= m < 10`; `guess` is off by less than `2^−40`.
pub fn ln(m: &IBig, guess: f64, bits: usize) -> IBig {
    // Halley's iteration on e^y − m triples the number of correct bits.
    let mut steps = vec![bits];
    while steps[steps.len() - 1] > 110 {
        let last = steps[steps.len() - 1];
        steps.push(last / 3 + 8);
    }
    let start = 60;
    let mut y = IBig::from((guess * 2f64.powi(start)) as i64);
    let mut scale = start as usize;
    for precision in steps.into_iter().rev() {
        let work = precision + 8;
        y = rescale(&y, scale, work);
        scale = work;
        let value = exp_any(&y, work);
        let target = rescale(m, bits, work);
        let correction = ((&target - &value) << (work + 1)) / (target + value);
        y += correction;
    }
    rescale(&y, scale, bits)
}

/// `e^y` for `−4 < y < 4`.
fn exp_any(y: &IBig, bits: usize) -> IBig {
    if *y >= IBig::ZERO {
        return exp(y, bits);
    }
    let work = bits + 8;
    (one(2 * work) / exp(&(-y << 8), work)) >> 8
}

fn rescale(n: &IBig, from: usize, to: usize) -> IBig {
    if to >= from { n << (to - from) } else { n >> (from - to) }
}
