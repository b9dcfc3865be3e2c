"""Lists and tuples: comprehensions, slices, append and pop, nested loops, matrix product, unpacking, sieve."""

from harness import run


def product(a, b):
    columns = list(zip(*b))
    return [[sum(x * y for x, y in zip(row, column)) for column in columns] for row in a]


def sieve(n):
    flags = [True] * n
    flags[0] = flags[1] = False
    for i in range(2, int(n ** 0.5) + 1):
        if flags[i]:
            flags[i * i::i] = [False] * len(range(i * i, n, i))
    return [i for i, flag in enumerate(flags) if flag]


def queens(n, row=0, columns=0, left=0, right=0):
    if row == n:
        return 1
    free, total = ~(columns | left | right) & ((1 << n) - 1), 0
    while free:
        bit = free & -free
        free ^= bit
        total += queens(n, row + 1, columns | bit, (left | bit) << 1, (right | bit) >> 1)
    return total


def work():
    a = [[(i * j) % 7 for j in range(30)] for i in range(30)]
    trace = sum(product(a, a)[i][i] for i in range(30))
    primes = sieve(30000)
    stack = []
    for i in range(20000):
        stack.append(i)
        if i % 3 == 0:
            stack.pop()
    pairs = [(x, y) for x in range(60) for y in range(60) if (x + y) % 3 == 0]
    total = 0
    for x, (y, *rest) in ((p, (q, p, q)) for p, q in pairs):
        total += x * y + len(rest)
    rows = [list(range(k)) for k in range(100)]
    flat = [x for row in rows for x in row[::2]]
    flat.reverse()
    table = [0] * 500
    for i in range(10000):
        table[i % 500] += i
        table[-1 - i % 100] -= 1
    return trace, len(primes), len(stack), total, sum(flat), table[3], queens(7), (1, 2, 3) < (1, 2, 4), [1] * 3 == [1, 1, 1]


run(work)
