"""Damaged marshal data: of values and of code. What loads is looked at; code is run."""

import marshal

import code_target
import programs
import source_target

TYPES = b"0NTFS.iIlfgxysZzAatu([)]{<>crRpPZz:?" + bytes(code | 0x80 for code in b"iagsZztu()[{<>cf:")
VALUES = [
    [None, True, False, ..., StopIteration, 0, -1, 1 << 31, 1 << 100, -(1 << 70), 1.5, float("nan"), 2.5j, "", "a", "é", "\ud800", "€" * 300],
    (b"", b"abc" * 100, (1, (2, (3, ())), ()), [[], [1]], {1: {2: 3}, "a": "b"}, {1, 2}, frozenset({"a", b"b"}), "a" * 300),
    {"k": [1, 2.5, "x" * 20], (1, 2): frozenset(), None: slice(1, 2, 3)},
    [["shared"] * 3] * 3,
    tuple(range(300)),
]


def prepare(corpus):
    source_target.prepare(corpus)


def seed(rnd):
    if rnd.random() < 0.4:
        value = rnd.choice(VALUES)
        if rnd.random() < 0.5 and len(value) and not isinstance(value, dict):
            value = [rnd.choice(value) for _ in range(rnd.randrange(1, 6))]
        version = rnd.choice([2, 3, 4, 5])
        try:
            return marshal.dumps(value, version)
        except ValueError:
            return marshal.dumps(value)
    return marshal.dumps(code_target.some_code(rnd))


def generate(rnd):
    data = bytearray(seed(rnd))
    for _ in range(rnd.choice([1, 1, 1, 2, 3, 5, 20])):
        if not data:
            break
        at = rnd.randrange(len(data))
        way = rnd.randrange(8)
        if way == 0:
            data[at] = rnd.randrange(256)
        elif way == 1:
            data[at] = rnd.choice(TYPES)
        elif way == 2:
            data[at] ^= 1 << rnd.randrange(8)
        elif way == 3:
            number = rnd.choice([0, 1, -1, 2, 255, 1 << 16, (1 << 31) - 1, -(1 << 31), len(data), rnd.randrange(1 << 10)])
            data[at:at + 4] = (number & 0xFFFFFFFF).to_bytes(4, "little")
        elif way == 4:
            del data[at:at + rnd.choice([1, 1, 2, 4, 20])]
        elif way == 5:
            other = rnd.randrange(len(data))
            data[at:at] = data[other:other + rnd.choice([1, 2, 5, 30])]
        elif way == 6:
            other = seed(rnd)
            start = rnd.randrange(len(other))
            data[at:at + rnd.randrange(5)] = other[start:start + rnd.randrange(1, 60)]
        else:
            data[at:at] = rnd.choice([b"(\1\0\0\0", b")\1", b"[\1\0\0\0", b"{N", b"<\1\0\0\0", b"\xa9\1", b"r\0\0\0\0", b":"]) * rnd.choice([1, 3, 500, 5000])
    return bytes(data)


def execute(data):
    value = marshal.loads(data)
    for look in repr, hash, lambda it: it == it, lambda it: marshal.loads(marshal.dumps(it)), len, list:
        try:
            look(value)
        except Exception:
            pass
    if hasattr(value, "co_code"):
        code_target.look(value)
        code_target.run(value, programs.namespace())
