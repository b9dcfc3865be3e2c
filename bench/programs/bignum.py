"""Large integers: digits of pi, factorials, powers modulo, conversion to and from text, shifts."""

from harness import run


def pi_digits(n):
    digits, (q, r, t, k, m, x) = [], (1, 0, 1, 1, 3, 3)
    while len(digits) < n:
        if 4 * q + r - t < m * t:
            digits.append(m)
            q, r, m = 10 * q, 10 * (r - m * t), 10 * (3 * q + r) // t - 10 * m
        else:
            q, r, t, k, m, x = q * k, (2 * q + r) * x, t * x, k + 1, (q * (7 * k + 2) + r * x) // (t * x), x + 2
    return sum(d * (i % 97) for i, d in enumerate(digits))


def work():
    factorial = 1
    for i in range(2, 600):
        factorial *= i
    text = str(factorial)
    assert int(text) == factorial
    power = pow(3, 12345, 10 ** 60 + 7)
    mersenne = (1 << 2203) - 1
    s = 4
    for _ in range(60):
        s = (s * s - 2) % mersenne
    a, b, steps = 2 ** 400 - 1, 3 ** 230 + 2, 0
    while b:
        a, b, steps = b, a % b, steps + 1
    bits = sum((factorial >> i & 1) for i in range(0, 4000, 7))
    return pi_digits(250), len(text), power % 1000003, s % 1000003, steps, bits, factorial.bit_length()


run(work)
