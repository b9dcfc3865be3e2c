"""Allocation: trees made and dropped, with objects, tuples and lists; a few cycles."""

from harness import run


class Node:
    __slots__ = ("left", "right")

    def __init__(self, left, right):
        self.left, self.right = left, right


def objects(depth):
    return Node(None, None) if depth == 0 else Node(objects(depth - 1), objects(depth - 1))


def count(node):
    return 1 if node.left is None else 1 + count(node.left) + count(node.right)


def tuples(depth):
    return (tuples(depth - 1), tuples(depth - 1)) if depth else ()


class Link:
    def __init__(self, number):
        self.number, self.other = number, None


def work():
    total = 0
    long_lived = objects(9)
    for depth in range(4, 10, 2):
        for _ in range(1 << 10 - depth):
            total += count(objects(depth))
    pairs = [tuples(9) for _ in range(3)]
    for i in range(3000):
        a, b = Link(i), Link(i + 1)
        a.other, b.other = b, a
        total += a.other.number
    return total, count(long_lived), len(pairs)


run(work)
