"""Values that nest deeply: their repr, comparison, hash, copies, serialised forms, and their end."""

import collections
import copy
import dataclasses
import gc
import functools
import itertools
import json
import marshal
import operator
import pickle
import pprint
import types
import xml.etree.ElementTree as ElementTree

from attempts import attempt

# Too deep for any stack: what stays within it may take time in proportion to the square of the depth.
DEPTH = 250_000
# Beyond the recursion limit for what calls itself several times for a level.
SMALL_DEPTH = 400


@dataclasses.dataclass(order=True, unsafe_hash=True)
class Box:
    inside: object


class Slotted:
    __slots__ = ("inside",)

    def __init__(self, inside):
        self.inside = inside


class Plain:
    def __init__(self, inside):
        self.inside = inside


class Sub(list):
    pass


def exception_of(inside):
    made = ValueError("x")
    made.__context__ = inside if isinstance(inside, BaseException) else None
    return made


def cause_of(inside):
    made = ValueError("x")
    made.__cause__ = inside if isinstance(inside, BaseException) else None
    return made


def element(inside):
    made = ElementTree.Element("a")
    if ElementTree.iselement(inside):
        made.append(inside)
    return made


def closure(inside):
    return lambda: inside


def generator(inside):
    def body():
        yield inside
        yield 1

    made = body()
    next(made)
    return made


MAKERS = [
    lambda inside: [inside],
    lambda inside: (inside,),
    lambda inside: {1: inside},
    lambda inside: frozenset([inside]),
    lambda inside: Sub([inside]),
    lambda inside: collections.deque([inside]),
    lambda inside: collections.OrderedDict(a=inside),
    lambda inside: collections.defaultdict(None, a=inside),
    lambda inside: collections.UserList([inside]),
    lambda inside: types.SimpleNamespace(a=inside),
    lambda inside: types.MappingProxyType({1: inside}),
    lambda inside: types.MethodType(print, inside),
    lambda inside: types.CellType(inside),
    lambda inside: slice(inside),
    lambda inside: ValueError(inside),
    lambda inside: functools.partial(print, inside),
    lambda inside: property(inside),
    lambda inside: staticmethod(inside),
    lambda inside: classmethod(inside),
    lambda inside: {1: inside}.values(),
    lambda inside: iter([inside]),
    lambda inside: itertools.repeat(inside),
    lambda inside: operator.methodcaller("a", inside),
    lambda inside: list[inside],
    lambda inside: memoryview(b"") if inside is None else [inside].__iter__,
    exception_of,
    cause_of,
    element,
    closure,
    generator,
    Box,
    Slotted,
    Plain,
]

# What takes its argument apart at once, by calling it again and again.
ITERATORS = [
    lambda inside: map(abs, inside),
    lambda inside: filter(None, inside),
    lambda inside: zip(inside),
    lambda inside: enumerate(inside),
    lambda inside: itertools.chain(inside),
    lambda inside: itertools.chain.from_iterable([inside]),
    lambda inside: itertools.islice(inside, 10),
    lambda inside: itertools.takewhile(bool, inside),
    lambda inside: itertools.dropwhile(bool, inside),
    lambda inside: itertools.accumulate(inside),
    lambda inside: itertools.compress(inside, inside),
    lambda inside: itertools.filterfalse(None, inside),
    lambda inside: itertools.starmap(abs, inside),
    lambda inside: itertools.cycle(inside),
    lambda inside: itertools.pairwise(inside),
    lambda inside: itertools.batched(inside, 2),
    lambda inside: itertools.zip_longest(inside),
    lambda inside: itertools.groupby(inside),
    lambda inside: itertools.tee(inside)[0],
    lambda inside: (item for item in inside),
]


def build(maker, depth):
    value = maker(None)
    for _ in range(depth):
        value = maker(value)
    return value


def dumps(value):
    return pickle.dumps(value)


def python_pickle(value):
    return pickle._dumps(value)


def total(value):
    return sum(1 for _ in itertools.islice(value, 10))


def same(value, other):
    return value == other


def lesser(value, other):
    return value < other


USES = [repr, str, hash, copy.copy, copy.deepcopy, dumps, python_pickle, json.dumps, marshal.dumps, pprint.pformat, dir, bool]

for number, maker in enumerate(MAKERS):
    for depth in (SMALL_DEPTH, 2000, DEPTH):
        value = attempt(f"maker {number} at {depth}", build, maker, depth)
        if type(value) is RecursionError:
            continue
        for use in USES:
            # The pure-Python ones take time in proportion to the square of the depth, or worse.
            if (depth == SMALL_DEPTH) == (use in (python_pickle, pprint.pformat)):
                attempt(f"{use.__name__} of {number} at {depth}", use, value)
        other = attempt("again", build, maker, depth)
        for compare in (same, lesser):
            attempt(f"{compare.__name__} of {number} at {depth}", compare, value, other)
        if depth == DEPTH:
            gc.collect()
        del value, other

for number, maker in enumerate(ITERATORS):
    for depth in (500, DEPTH):
        def made():
            value = iter([1, 2, 3])
            for _ in range(depth):
                value = maker(value)
            return value

        value = attempt(f"iterator {number} at {depth}", made)
        if isinstance(value, Exception):
            continue
        for use in (next, repr, copy.copy, total, operator.length_hint):
            attempt(f"{use.__name__} of iterator {number} at {depth}", use, value)
        del value

for text in ("[" * DEPTH, "[" * DEPTH + "]" * DEPTH, '{"a":' * DEPTH, '{"a":' * DEPTH + "1" + "}" * DEPTH):
    attempt("json", json.loads, text)
attempt("pickle", pickle.loads, b"]" + b"]" * DEPTH + b"a" * DEPTH + b".")
attempt("pickle in Python", pickle._loads, b"]" + b"]" * DEPTH + b"a" * DEPTH + b".")
attempt("pickled tuples", pickle.loads, b")" + b"\x85" * DEPTH + b".")
attempt("marshal", marshal.loads, b"[\1\0\0\0" * DEPTH + b"N")
attempt("marshal", marshal.loads, b")\1" * DEPTH + b"N")
attempt("xml", ElementTree.fromstring, "<a>" * DEPTH)
deep = attempt("xml", ElementTree.fromstring, "<a>" * 10_000 + "</a>" * 10_000)
attempt("xml to text", ElementTree.tostring, deep)
attempt("xml iterated", lambda: list(deep.iter()))
del deep

# Containers that contain themselves.
loops = [[], {}, collections.deque(), collections.OrderedDict(), types.SimpleNamespace(), Plain(None), Box(None)]
loops[0].append(loops[0])
loops[1][1] = loops[1]
loops[2].append(loops[2])
loops[3][1] = loops[3]
loops[4].a = loops[4]
loops[5].inside = loops[5]
loops[6].inside = loops[6]
loops.append(([],))
loops[-1][0].append(loops[-1])
for number, value in enumerate(loops):
    for use in USES:
        attempt(f"{use.__name__} of loop {number}", use, value)
    attempt(f"comparison of loop {number}", same, value, copy.deepcopy(value))

# Objects whose destruction destroys the next.
class Dying:
    def __init__(self, inside):
        self.inside = inside

    def __del__(self):
        self.inside = None


chain = None
for _ in range(DEPTH):
    chain = Dying(chain)
del chain
ring = first = Dying(None)
for _ in range(DEPTH):
    ring = Dying(ring)
first.inside = ring
del first, ring
gc.collect()
