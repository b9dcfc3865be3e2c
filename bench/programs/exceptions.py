"""Exceptions: raised and caught near and far, with finally, with chaining, and not raised at all."""

from harness import run


class Problem(Exception):
    def __init__(self, number):
        super().__init__(number)
        self.number = number


def deep(n):
    if n == 0:
        raise Problem(n)
    return deep(n - 1)


def guarded(n):
    try:
        return deep(n)
    finally:
        guarded.calls += 1


class Scope:
    def __enter__(self):
        return self

    def __exit__(self, kind, value, tb):
        return kind is KeyError


def work():
    guarded.calls = caught = quiet = chained = 0
    for i in range(8000):
        try:
            if i % 2:
                raise Problem(i)
            quiet += 1
        except ValueError:
            quiet += 100
        except Problem as problem:
            caught += problem.number & 1
    for i in range(400):
        try:
            guarded(10)
        except Problem:
            caught += 1
    table = {}
    for i in range(6000):
        try:
            table[i % 500] += 1
        except KeyError:
            table[i % 500] = 1
        with Scope():
            if i % 3 == 0:
                raise KeyError(i)
    for i in range(2000):
        try:
            try:
                int("x")
            except ValueError as error:
                raise Problem(i) from error
        except Problem as problem:
            chained += problem.__cause__ is not None
    items = iter(range(3000))
    while True:
        try:
            next(items)
        except StopIteration:
            break
    return caught, quiet, chained, guarded.calls, len(table)


run(work)
