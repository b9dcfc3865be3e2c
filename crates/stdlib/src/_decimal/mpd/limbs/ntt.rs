//! Multiplication of long numbers by number-theoretic transforms modulo three primes, from whose residues the exact
//! sums of products follow by the Chinese remainder theorem.

use super::{BASE, split};

/// The primes are 1 modulo 2^40.
pub const MAX_LIMBS: usize = 1 << 40;

/// A prime below 2^63 and the constants of Montgomery's multiplication by it.
struct Field {
    prime: u64,
    /// `−1 / prime` modulo 2^64
    inverse: u64,
    /// 2^64 and 2^128 modulo the prime.
    one: u64,
    square: u64,
    /// A primitive root.
    root: u64,
}

const fn field(prime: u64, root: u64) -> Field {
    let mut inverse = 1u64;
    let mut n = 0;
    while n < 6 {
        inverse = inverse.wrapping_mul(2u64.wrapping_sub(prime.wrapping_mul(inverse)));
        n += 1;
    }
    let one = (u64::MAX % prime + 1) % prime;
    let square = (one as u128 * one as u128 % prime as u128) as u64;
    Field { prime, inverse: inverse.wrapping_neg(), one, square, root }
}

static FIELDS: [Field; 3] =
    [field(9_223_369_837_831_520_257, 7), field(9_223_353_345_157_103_617, 5), field(9_223_346_748_087_336_961, 7)];

impl Field {
    /// `a · b / 2^64`
    #[inline(always)]
    fn multiply(&self, a: u64, b: u64) -> u64 {
        let product = u128::from(a) * u128::from(b);
        let factor = (product as u64).wrapping_mul(self.inverse);
        let sum = product + u128::from(factor) * u128::from(self.prime);
        self.reduce((sum >> 64) as u64)
    }
    #[inline(always)]
    fn reduce(&self, n: u64) -> u64 {
        if n >= self.prime { n - self.prime } else { n }
    }
    #[inline(always)]
    fn add(&self, a: u64, b: u64) -> u64 {
        self.reduce(a + b)
    }
    #[inline(always)]
    fn subtract(&self, a: u64, b: u64) -> u64 {
        if a >= b { a - b } else { a + self.prime - b }
    }
    /// Into Montgomery's form.
    fn enter(&self, n: u64) -> u64 {
        self.multiply(n % self.prime, self.square)
    }
    fn leave(&self, n: u64) -> u64 {
        self.multiply(n, 1)
    }
    fn power(&self, mut base: u64, mut exponent: u64) -> u64 {
        let mut result = self.one;
        while exponent > 0 {
            if exponent & 1 == 1 {
                result = self.multiply(result, base);
            }
            base = self.multiply(base, base);
            exponent >>= 1;
        }
        result
    }

    /// The first half of the powers of a root of unity of order `size`.
    fn twiddles(&self, size: usize, inverse: bool) -> Vec<u64> {
        let mut step = self.power(self.enter(self.root), (self.prime - 1) / size as u64);
        if inverse {
            step = self.power(step, self.prime - 2);
        }
        let mut power = self.one;
        (0..size / 2)
            .map(|_| {
                let current = power;
                power = self.multiply(power, step);
                current
            })
            .collect()
    }

    /// Decimation in frequency: natural order in, bit-reversed order out.
    fn forward(&self, data: &mut [u64], twiddles: &[u64]) {
        let mut half = data.len() / 2;
        let mut stride = 1;
        while half > 0 {
            for block in data.chunks_exact_mut(2 * half) {
                let (low, high) = block.split_at_mut(half);
                for ((x, y), twiddle) in low.iter_mut().zip(high).zip(twiddles.iter().step_by(stride)) {
                    let (a, b) = (*x, *y);
                    *x = self.add(a, b);
                    *y = self.multiply(self.subtract(a, b), *twiddle);
                }
            }
            half /= 2;
            stride *= 2;
        }
    }

    /// Decimation in time: bit-reversed order in, natural order out.
    fn backward(&self, data: &mut [u64], twiddles: &[u64]) {
        let mut half = 1;
        let mut stride = data.len() / 2;
        while half < data.len() {
            for block in data.chunks_exact_mut(2 * half) {
                let (low, high) = block.split_at_mut(half);
                for ((x, y), twiddle) in low.iter_mut().zip(high).zip(twiddles.iter().step_by(stride)) {
                    let (a, b) = (*x, self.multiply(*y, *twiddle));
                    *x = self.add(a, b);
                    *y = self.subtract(a, b);
                }
            }
            half *= 2;
            stride /= 2;
        }
    }

    /// The cyclic convolution of length `size`, reduced.
    fn convolve(&self, a: &[u64], b: &[u64], size: usize) -> Vec<u64> {
        let twiddles = self.twiddles(size, false);
        let transformed = |n: &[u64]| {
            let mut data: Vec<u64> = n.iter().map(|limb| self.enter(*limb)).collect();
            data.resize(size, 0);
            self.forward(&mut data, &twiddles);
            data
        };
        let mut data = transformed(a);
        if std::ptr::eq(a, b) {
            data.iter_mut().for_each(|x| *x = self.multiply(*x, *x));
        } else {
            let other = transformed(b);
            data.iter_mut().zip(&other).for_each(|(x, y)| *x = self.multiply(*x, *y));
        }
        self.backward(&mut data, &self.twiddles(size, true));
        let scale = self.power(self.enter(size as u64), self.prime - 2);
        data.iter_mut().for_each(|x| *x = self.leave(self.multiply(*x, scale)));
        data
    }
}

/// The product, with leading zero limbs.
pub fn multiply(a: &[u64], b: &[u64]) -> Vec<u64> {
    let length = a.len() + b.len();
    let size = length.next_power_of_two();
    let [x, y, z] = [0, 1, 2].map(|at| FIELDS[at].convolve(a, b, size));
    let [p, q, r] = [0, 1, 2].map(|at| FIELDS[at].prime);
    let (second, third) = (&FIELDS[1], &FIELDS[2]);
    let inverse = |field: &Field, n: u64| field.power(field.enter(n), field.prime - 2);
    let p_in_second = inverse(second, p);
    let pq_in_third = {
        let product = third.multiply(third.enter(p), third.enter(q));
        third.power(product, r - 2)
    };
    let p_in_third = third.enter(p);
    let pq = u128::from(p) * u128::from(q);
    let mut out = Vec::with_capacity(length);
    let mut carry = 0u128;
    for ((x, y), z) in x.into_iter().zip(y).zip(z).take(length) {
        // x + p·k1 + p·q·k2
        let k1 = second.multiply(second.subtract(y, x % q), p_in_second);
        let k1_in_third = third.multiply(k1 % r, p_in_third);
        let known = third.add(x % r, k1_in_third);
        let k2 = third.multiply(third.subtract(z, known), pq_in_third);
        let low = u128::from(x) + u128::from(p) * u128::from(k1);
        let (mut w0, mut w1, mut w2) = (low as u64, (low >> 64) as u64, 0u64);
        // k2 · p · q, by the halves of p·q.
        let part_0 = u128::from(pq as u64) * u128::from(k2);
        let part_1 = (pq >> 64) * u128::from(k2) + (part_0 >> 64);
        for (a0, a1, a2) in
            [(part_0 as u64, part_1 as u64, (part_1 >> 64) as u64), (carry as u64, (carry >> 64) as u64, 0)]
        {
            let sum_0 = u128::from(w0) + u128::from(a0);
            let sum_1 = u128::from(w1) + u128::from(a1) + (sum_0 >> 64);
            w0 = sum_0 as u64;
            w1 = sum_1 as u64;
            w2 = w2 + a2 + (sum_1 >> 64) as u64;
        }
        let (q1, rest) = split(w2 % BASE, w1);
        let (q0, rest) = split(rest, w0);
        debug_assert!(w2 < BASE);
        out.push(rest);
        carry = u128::from(q1) << 64 | u128::from(q0);
    }
    debug_assert_eq!(carry, 0);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn agrees_with_binary_multiplication() {
        use super::super::{to_binary, trimmed};
        let number = |seed: u64, length: usize| -> Vec<u64> {
            let mut state = seed;
            (0..length)
                .map(|_| {
                    state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
                    state % BASE
                })
                .collect()
        };
        for (m, n) in [(1, 1), (3, 5), (64, 64), (1000, 700)] {
            let (a, b) = (number(m as u64, m), number(n as u64 + 99, n));
            assert_eq!(to_binary(trimmed(&multiply(&a, &b))), to_binary(&a) * to_binary(&b));
        }
        let all_nines = vec![BASE - 1; 300];
        assert_eq!(to_binary(trimmed(&multiply(&all_nines, &all_nines))), to_binary(&all_nines).sqr());
    }
}
