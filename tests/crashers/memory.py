"""Memory that is not there: a size beyond all bounds and a real limit end in MemoryError, and the program goes on."""

import array
import collections
import decimal
import functools
import heapq
import io
import itertools
import json
import marshal
import math
import pickle
import random
import re
import resource
import sqlite3
import struct
import sys
import types
import zlib

from attempts import attempt, raises

HUGE = sys.maxsize // 2

BEYOND = [
    lambda: "a" * HUGE,
    lambda: "\U00010000" * HUGE,
    lambda: b"a" * HUGE,
    lambda: bytes(HUGE),
    lambda: bytearray(HUGE),
    lambda: bytearray(b"ab") * HUGE,
    lambda: [1] * HUGE,
    lambda: (1,) * HUGE,
    lambda: [0, 1] * HUGE,
    lambda: list(range(HUGE)),
    lambda: tuple(range(HUGE)),
    lambda: "a".center(HUGE),
    lambda: "a".ljust(HUGE),
    lambda: "1".zfill(HUGE),
    lambda: "\t".expandtabs(1 << 30).expandtabs(1 << 30) + "\t" * 10,
    lambda: f"{1:{HUGE}}",
    lambda: f"{'a':{HUGE}}",
    lambda: format(1.5, f".{2147483647}f"),
    lambda: "%*d" % (2147483647, 1),
    lambda: b"%*d" % (2147483647, 1),
    lambda: 1 << HUGE,
    lambda: 1 << (1 << 62),
    lambda: (1).to_bytes(HUGE),
    lambda: 10 ** (1 << 60),
    lambda: pow(3, 1 << 45),
    lambda: [stream := io.BytesIO(), stream.seek(HUGE), stream.write(b"a")],
    lambda: array.array("d", [1]) * HUGE,
    lambda: array.array("d", bytes(8)) * HUGE,
    lambda: collections.deque([1]) * HUGE,
    lambda: struct.pack(f"{HUGE}x"),
    lambda: struct.calcsize(f"{HUGE}d"),
    lambda: struct.Struct(f"{HUGE}s").pack(b""),
    lambda: list(itertools.repeat(1, HUGE)),
    lambda: list(itertools.chain([1], itertools.repeat(2, HUGE))),
    lambda: list(zip(itertools.repeat(1, HUGE))),
    lambda: sorted(itertools.repeat(1, HUGE)),
    lambda: random.randbytes(HUGE),
    lambda: random.getrandbits(2147483647 * 64),
    lambda: decimal.Decimal(10) ** HUGE,
    lambda: decimal.Context(prec=decimal.MAX_PREC).divide(1, 3),
    lambda: " ".join("a" for _ in itertools.repeat(1, HUGE)),
    lambda: "a".replace("a", "b" * (1 << 20)).replace("b", "c" * (1 << 20)).replace("c", "d" * (1 << 30)),
    lambda: b"a".replace(b"a", b"b" * (1 << 20)).replace(b"b", b"c" * (1 << 20)),
    lambda: ("a" * (1 << 20)).translate({97: "b" * (1 << 20)}),
    lambda: zlib.decompress(zlib.compress(b""), bufsize=HUGE),
    lambda: memoryview(b"").cast("B", [HUGE, HUGE]),
    lambda: types.SimpleNamespace(**{str(n): bytes(1 << 30) for n in range(100)}),
    lambda: bytes(bytearray(1 << 29)) + bytes(1 << 29),
    lambda: bytearray(1 << 28).replace(b"\0", b"abcd"),
    lambda: [sorted([None] * (1 << 25)) for _ in range(5)],
    lambda: hex(1 << (1 << 31)) + bin(1 << (1 << 30)),
    lambda: math.isqrt(1 << (1 << 31)),
    lambda: decimal.Decimal(1 << (1 << 28)),
    lambda: heapq.merge(*[[1]] * (1 << 26)),
    lambda: open("/dev/zero").readline(),
    lambda: open("/dev/zero", "rb").read(),
    lambda: [tuple([None] * (1 << 25)) for _ in range(5)],
]


class Node:
    def __init__(self, following):
        self.following = following
        self.name = "x"


def grow(make):
    kept = []
    while True:
        kept.append(make(len(kept)))


def chain():
    last = None
    while True:
        last = Node(last)


def doubling(value):
    while True:
        value += value


def dictionary():
    made = {}
    while True:
        made[len(made)] = 1


def attributes():
    made = types.SimpleNamespace()
    for n in itertools.count():
        setattr(made, f"a{n}", n)


def classes():
    kept = []
    while True:
        kept.append(type("C", (), {"a": 1}))


def text(stream, piece):
    while True:
        stream.write(piece)


def recursion(depth):
    data = bytes(1 << 16)
    return recursion(depth + 1) + len(data)


def generators():
    kept = []
    while True:
        kept.append(n for n in range(3))
        next(kept[-1])


def source():
    return compile("[" + "'a', 1.5, a.b, " * 2_000_000 + "]", "<source>", "eval")


GROWING = [
    lambda: grow(lambda n: bytes(1 << 16)),
    lambda: grow(lambda n: bytes(100)),
    lambda: grow(lambda n: [n]),
    lambda: grow(lambda n: {n: n}),
    lambda: grow(lambda n: {n}),
    lambda: grow(lambda n: (n, n)),
    lambda: grow(lambda n: f"{n} and more"),
    lambda: grow(lambda n: 1 << (100 + n % 1000)),
    lambda: grow(lambda n: 1e300 * n),
    lambda: grow(lambda n: Node(n)),
    lambda: grow(lambda n: lambda: n),
    lambda: grow(lambda n: ValueError(n)),
    lambda: grow(lambda n: bytearray(1000)),
    lambda: grow(lambda n: collections.deque([n])),
    lambda: grow(lambda n: sys.intern(f"name{n}")),
    lambda: grow(lambda n: memoryview(bytes(1000))),
    lambda: grow(lambda n: iter([n])),
    chain,
    lambda: doubling("ab"),
    lambda: doubling(b"ab"),
    lambda: doubling([1]),
    lambda: doubling((1,)),
    lambda: functools.reduce(lambda value, _: value + value, range(99), bytearray(b"ab")),
    lambda: doubling(array.array("d", [1])),
    lambda: doubling(collections.deque([1])),
    dictionary,
    attributes,
    classes,
    generators,
    lambda: text(io.StringIO(), "abc" * 1000),
    lambda: text(io.BytesIO(), b"abc" * 1000),
    lambda: list(itertools.count()),
    lambda: tuple(itertools.count()),
    lambda: set(itertools.count()),
    lambda: dict.fromkeys(itertools.count()),
    lambda: collections.deque(itertools.count()),
    lambda: bytes(itertools.repeat(1)),
    lambda: bytearray(itertools.repeat(1)),
    lambda: bytes(1 for _ in itertools.count()),
    lambda: bytearray().extend(itertools.repeat(1)),
    lambda: b"".join(itertools.repeat(b"a")),
    lambda: "".join(itertools.repeat("a")),
    lambda: " ".join(map(str, itertools.count())),
    lambda: sorted(itertools.count()),
    lambda: list(itertools.permutations(range(20))),
    lambda: list(itertools.tee(itertools.count())[0]),
    lambda: list(itertools.batched(itertools.count(), 1000)),
    lambda: json.loads("[" + "[1, 2.5, \"a\"]," * 3_000_000 + "1]"),
    lambda: json.dumps(list(range(1 << 20)), indent=1000),
    lambda: json.dumps(["a" * (1 << 20)] * (1 << 10)),
    lambda: pickle.dumps([bytes(1 << 16) + b"%d" % n for n in range(1 << 13)]),
    lambda: marshal.dumps([bytes(1 << 16) + b"%d" % n for n in range(1 << 13)]),
    lambda: sqlite3.connect(":memory:").execute("with recursive c(x) as (select 1 union all select x + 1 from c) select x from c").fetchall(),
    lambda: re.findall("a?", "ab" * (1 << 24)),
    lambda: ("ab" * (1 << 24)).split("b"),
    lambda: list("ab" * (1 << 25)),
    lambda: str(bytes(1 << 28)),
    lambda: repr(["a" * 1000] * (1 << 18)),
    lambda: (1 << (1 << 32)) * 3,
    lambda: int("1" * 4000) ** 1_000_000,
    lambda: recursion(0),
    source,
    lambda: exec("a = 0\n" * 20_000_000),
]

# Beyond what the process has mapped.
with open("/proc/self/statm") as file:
    limit = int(file.read().split()[0]) * resource.getpagesize() + (256 << 20)
resource.setrlimit(resource.RLIMIT_AS, (limit, resource.getrlimit(resource.RLIMIT_AS)[1]))
for number, function in enumerate(BEYOND):
    outcome = attempt(f"beyond {number}", function)
    if not isinstance(outcome, Exception):
        raise AssertionError(f"{number} has to fail")
    del outcome
for number, function in enumerate(GROWING):
    sys.setrecursionlimit(1000 if number < len(GROWING) - 3 else 100_000)
    outcome = attempt(f"growing {number}", function)
    # Interned names and shapes stay.
    if not isinstance(outcome, (MemoryError, OverflowError, RecursionError)):
        raise AssertionError(f"growing {number}: {outcome!r:.200}")
    del outcome
