"""The spectral norm of a matrix given by a function: calls, float arithmetic, generator expressions."""

from harness import run


def entry(i, j):
    return 1.0 / ((i + j) * (i + j + 1) // 2 + i + 1)


def times(v):
    return [sum(entry(i, j) * x for j, x in enumerate(v)) for i in range(len(v))]


def transposed_times(v):
    return [sum(entry(j, i) * x for j, x in enumerate(v)) for i in range(len(v))]


def work(n=70):
    u = [1.0] * n
    for _ in range(6):
        v = transposed_times(times(u))
        u = transposed_times(times(v))
    return round((sum(a * b for a, b in zip(u, v)) / sum(b * b for b in v)) ** 0.5, 9)


run(work)
