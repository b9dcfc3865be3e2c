//! 256-bit products and their division by 128 bits, and powers of ten that fit 128 bits.

/// Powers of ten below 2^128.
pub const POW10: [u128; 39] = {
    let mut table = [1; 39];
    let mut n = 1;
    while n < 39 {
        table[n] = table[n - 1] * 10;
        n += 1;
    }
    table
};

/// Decimal digits of a number; 1 for zero.
#[inline]
pub fn digits(n: u128) -> u32 {
    let bits = 128 - (n | 1).leading_zeros();
    // 1233 / 4096 is just above log10(2), so the guess is right or one too small.
    let guess = (bits * 1233) >> 12;
    guess + u32::from(guess < 39 && n >= POW10[guess as usize]) + u32::from(n == 0)
}

/// `a · b` as high and low half.
#[inline]
pub fn multiply(a: u128, b: u128) -> (u128, u128) {
    let mask = u128::from(u64::MAX);
    let (a1, a0) = (a >> 64, a & mask);
    let (b1, b0) = (b >> 64, b & mask);
    let low = a0 * b0;
    if a1 | b1 == 0 {
        return (0, low);
    }
    let middle_1 = a1 * b0;
    let middle_2 = a0 * b1 + (low >> 64);
    let (middle, carry) = middle_1.overflowing_add(middle_2);
    let high = a1 * b1 + (middle >> 64) + (u128::from(carry) << 64);
    (high, middle << 64 | low & mask)
}

/// Quotient and remainder of `high:low / divisor`, where `high < divisor`.
pub fn divide(high: u128, low: u128, divisor: u128) -> (u128, u128) {
    if high == 0 {
        return (low / divisor, low % divisor);
    }
    let shift = divisor.leading_zeros();
    let d = divisor << shift;
    let (n1, n0) = match shift {
        0 => (high, low),
        _ => (high << shift | low >> (128 - shift), low << shift),
    };
    let mask = u128::from(u64::MAX);
    let (q1, rest) = step(n1, n0 >> 64, d);
    let (q0, rest) = step(rest, n0 & mask, d);
    (q1 << 64 | q0, rest >> shift)
}

/// One 64-bit digit of the quotient: `(rest · 2^64 + next) / d`, where `rest < d` and the top bit of `d` is set.
#[inline]
fn step(rest: u128, next: u128, d: u128) -> (u128, u128) {
    let (d1, d0) = (d >> 64, d & u128::from(u64::MAX));
    let (mut q, mut r) = (rest / d1, rest % d1);
    while q >> 64 != 0 || q * d0 > (r << 64 | next) {
        q -= 1;
        r += d1;
        if r >> 64 != 0 {
            break;
        }
    }
    // The true remainder fits 128 bits, so the arithmetic may wrap.
    let value = (rest << 64 | next).wrapping_sub(q.wrapping_mul(d));
    (q, value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn division_undoes_multiplication() {
        let mut state = 0x9e37_79b9_7f4a_7c15_u64;
        let mut random = || {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            let low = u128::from(state);
            (low.wrapping_mul(0xd134_2543_de82_ef95_0000_0000_1234_5679)) >> (state % 120)
        };
        for _ in 0..200_000 {
            let (a, b) = (random(), random() | 1);
            let rest = random() % b;
            let (high, low) = multiply(a, b);
            let (low, carry) = low.overflowing_add(rest);
            let high = high + u128::from(carry);
            assert_eq!(divide(high, low, b), (a, rest));
        }
    }

    #[test]
    fn digits_of_powers() {
        assert_eq!(digits(0), 1);
        for (n, power) in POW10.iter().enumerate().take(39) {
            assert_eq!(digits(*power), n as u32 + 1);
            assert_eq!(digits(power - u128::from(n > 0)), (n as u32).max(1));
        }
        assert_eq!(digits(u128::MAX), 39);
    }
}
