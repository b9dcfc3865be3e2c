"""Function calls: recursion, defaults, keywords, star arguments, closures, lambdas, mutual recursion, built-ins."""

from harness import run


def fib(n):
    return n if n < 2 else fib(n - 1) + fib(n - 2)


def tak(x, y, z):
    return z if y >= x else tak(tak(x - 1, y, z), tak(y - 1, z, x), tak(z - 1, x, y))


def ackermann(m, n):
    if m == 0:
        return n + 1
    return ackermann(m - 1, 1 if n == 0 else ackermann(m, n - 1))


def even(n):
    return True if n == 0 else odd(n - 1)


def odd(n):
    return False if n == 0 else even(n - 1)


def defaults(a, b=2, *args, c=3, **kwargs):
    return a + b + c + len(args) + len(kwargs)


def adder(step):
    total = 0

    def add(n):
        nonlocal total
        total += n * step
        return total
    return add


def work():
    total = fib(19) + tak(12, 6, 3) + ackermann(2, 25) + even(500)
    for i in range(6000):
        total += defaults(i) + defaults(i, 1) + defaults(i, c=1) + defaults(1, 2, 3, 4) + defaults(i, d=4)
    arguments, keywords = (1, 2), {"c": 5}
    for _ in range(4000):
        total += defaults(*arguments, **keywords)
    add = adder(3)
    for i in range(8000):
        add(i)
    total += sum(map(lambda x: x * 2, range(5000))) + max(3, 4) + len(list(filter(lambda x: x & 1, range(5000))))
    for i in range(6000):
        total += abs(-i) + min(i, 5) + len("abc") + int(isinstance(i, int))
    return total, add(0)


run(work)
