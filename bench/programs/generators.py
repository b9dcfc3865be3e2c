"""Generators: pipelines, delegation, recursion, send, and comprehensions over them."""

from harness import run


def count(n):
    for i in range(n):
        yield i


def scale(source, factor):
    for item in source:
        yield item * factor


def only(source, divisor):
    return (item for item in source if item % divisor == 0)


class Tree:
    def __init__(self, low, high):
        middle = (low + high) // 2
        self.value = middle
        self.left = Tree(low, middle) if low < middle else None
        self.right = Tree(middle + 1, high) if middle + 1 < high else None

    def __iter__(self):
        if self.left:
            yield from self.left
        yield self.value
        if self.right:
            yield from self.right


def permutations(items):
    if not items:
        yield ()
    for at, item in enumerate(items):
        for rest in permutations(items[:at] + items[at + 1:]):
            yield (item, *rest)


def averager():
    total = number = 0
    value = 0.0
    while True:
        value = total / number if number else 0.0
        total += yield value
        number += 1


def primes():
    known = {}
    candidate = 2
    while True:
        step = known.pop(candidate, None)
        if step is None:
            yield candidate
            known[candidate * candidate] = candidate
        else:
            at = candidate + step
            while at in known:
                at += step
            known[at] = step
        candidate += 1


def work():
    piped = sum(only(scale(count(20000), 3), 2))
    tree = sum(Tree(0, 2000))
    orders = sum(1 for order in permutations(tuple(range(6))) if order[0] < order[-1])
    mean = averager()
    next(mean)
    for number in range(10000):
        last = mean.send(number)
    for number, prime in enumerate(primes()):
        if number == 1500:
            break
    return piped, tree, orders, last, prime


run(work)
