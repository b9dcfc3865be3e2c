"""Containers that change while they are worked on, by the special methods of what they contain."""

import array
import bisect
import collections
import copy
import functools
import gc
import heapq
import io
import itertools
import json
import operator
import pickle
import random
import types
import weakref

from attempts import attempt

target = None
rounds = 0


def disturb():
    """Changes `target` in one of the ways that its type has."""
    global rounds
    rounds += 1
    if rounds > 2000:
        return
    changes = {
        list: [list.clear, lambda it: it.append(1), lambda it: it.pop(), lambda it: it.extend(range(100)), lambda it: it.reverse(),
               lambda it: it.__init__(), lambda it: it.__setitem__(slice(None), []), lambda it: it.sort(), lambda it: it.__imul__(3)],
        dict: [dict.clear, dict.popitem, lambda it: it.update((n, n) for n in range(100)), lambda it: it.pop(next(iter(it))),
               lambda it: it.setdefault(object()), lambda it: it.__init__(a=1), lambda it: it.__ior__({"b": 2})],
        set: [set.clear, set.pop, lambda it: it.update(range(100)), lambda it: it.add(object()), lambda it: it.__init__([1]),
              lambda it: it.difference_update(range(50)), lambda it: it.symmetric_difference_update(range(60))],
        collections.deque: [lambda it: it.clear(), lambda it: it.append(1), lambda it: it.pop(), lambda it: it.extend(range(200)),
                            lambda it: it.rotate(3), lambda it: it.appendleft(1)],
        collections.OrderedDict: [lambda it: it.clear(), lambda it: it.popitem(), lambda it: it.update({n: n for n in range(100)}),
                                  lambda it: it.move_to_end(next(iter(it))), lambda it: dict.clear(it), lambda it: dict.popitem(it)],
        bytearray: [lambda it: it.clear(), lambda it: it.extend(bytes(1000)), lambda it: it.pop(), lambda it: it.append(1)],
        array.array: [lambda it: it.pop(), lambda it: it.append(1), lambda it: it.extend([1] * 1000), lambda it: it.__imul__(0)],
    }
    ways = changes.get(type(target), [])
    if ways:
        try:
            ways[rounds % len(ways)](target)
        except (IndexError, KeyError, ValueError, BufferError, RuntimeError, TypeError, StopIteration):
            pass


class Item:
    """Disturbs whatever is done with it, and answers in turn this and that."""

    count = 0

    def answer(self, *answers):
        disturb()
        Item.count += 1
        return answers[Item.count % len(answers)]

    def __eq__(self, other):
        return self.answer(False, True)

    def __lt__(self, other):
        return self.answer(False, True)

    __gt__ = __le__ = __ge__ = __lt__

    def __hash__(self):
        return self.answer(1, 2, 3)

    def __repr__(self):
        return self.answer("item", "x" * 1000)

    def __bool__(self):
        return self.answer(True, False)

    def __index__(self):
        return self.answer(0, 1, -1, 1000)

    def __len__(self):
        return self.answer(0, 10)

    def __length_hint__(self):
        return self.answer(0, 1000)

    def __iter__(self):
        for _ in range(3):
            disturb()
            yield 1
        disturb()

    def __getitem__(self, key):
        disturb()
        if key > 5:
            raise IndexError
        return key

    def keys(self):
        disturb()
        return [Item(), 2]

    def __add__(self, other):
        return self.answer(1, "a")

    __radd__ = __add__

    def __call__(self, *arguments):
        return self.answer(1, 2, None)

    def __fspath__(self):
        return self.answer("a", b"a")

    def __buffer__(self, flags):
        disturb()
        return memoryview(b"abc")

    def __reduce__(self):
        disturb()
        return Item, ()

    def __deepcopy__(self, memo):
        disturb()
        return 1

    def __del__(self):
        disturb()

    def __float__(self):
        return self.answer(1.0, 2.0)


def make(kind, size):
    global target, rounds
    rounds = 0
    target = None
    made = kind(Item() if n % 3 else n for n in range(size)) if kind not in (dict, collections.OrderedDict) else kind()
    if kind in (dict, collections.OrderedDict):
        for n in range(size):
            made[Item() if n % 3 else n] = Item()
    target = made
    return made


def consume(iterable):
    for _ in itertools.islice(iterable, 1000):
        pass


COMMON = [
    repr, str, list, tuple, set, sorted, consume, copy.copy, copy.deepcopy, pickle.dumps, json.dumps, sum, any, all, max, min,
    lambda it: it == make_like(it), lambda it: it != make_like(it), lambda it: Item() in it, lambda it: 7 in it, dict, bytes, bytearray,
    lambda it: [*it], lambda it: {*it}, lambda it: dict.fromkeys(it), lambda it: list(map(Item(), it)), lambda it: list(filter(None, it)),
    lambda it: list(zip(it, it)), lambda it: functools.reduce(operator.add, it), lambda it: print(*it, file=io.StringIO()),
    lambda it: "{} {!r}".format(it, it), lambda it: "%s" % (it,), lambda it: consume(reversed(it)), lambda it: heapq.nlargest(3, it),
    lambda it: collections.Counter(it), lambda it: list(itertools.chain(it, it)), lambda it: list(itertools.permutations(it, 2))[:1],
    lambda it: operator.indexOf(it, Item()), lambda it: operator.countOf(it, Item()), lambda it: list(enumerate(it)),
    lambda it: max(it, key=Item()), lambda it: it.copy(), lambda it: len(it), lambda it: [x for x in it if x == Item()],
    lambda it: array.array("i", it), lambda it: "".join(it), lambda it: b"".join(it), lambda it: print.__call__(*it, sep=""),
    lambda it: type("C", (), {"__slots__": it}), lambda it: exec("a, *b = it", {"it": it}), lambda it: frozenset(it),
    lambda it: int.from_bytes(it), lambda it: memoryview(it), lambda it: gc.get_referents(it), lambda it: isinstance(1, tuple(it)),
]


def make_like(it):
    # Made without touching the target.
    kind = type(it)
    global target
    kept, target = target, None
    try:
        if kind in (dict, collections.OrderedDict):
            made = kind()
            for n in range(len(it)):
                made[Item() if n % 3 else n] = Item()
            return made
        return kind(Item() if n % 3 else n for n in range(len(it)))
    finally:
        target = kept


OWN = {
    list: [
        lambda it: it.sort(), lambda it: it.sort(key=Item()), lambda it: it.sort(reverse=True), lambda it: it.index(Item()), lambda it: it.count(Item()),
        lambda it: it.remove(Item()), lambda it: it.insert(Item(), 1), lambda it: it.pop(Item()), lambda it: it[Item()], lambda it: it[Item():Item()],
        lambda it: it.__setitem__(slice(Item(), Item()), Item()), lambda it: it.__setitem__(slice(None, None, 2), Item()), lambda it: it.__delitem__(slice(Item(), Item(), Item())),
        lambda it: it.extend(it), lambda it: it.extend(Item()), lambda it: it.__imul__(Item()), lambda it: it * Item(), lambda it: it < make_like(it),
        lambda it: it.extend(iter(it)) if len(it) > 1000 else None, lambda it: bisect.insort(it, Item()), lambda it: bisect.bisect(it, Item(), Item()),
        lambda it: heapq.heapify(it), lambda it: heapq.heappush(it, Item()), lambda it: heapq.heappop(it), lambda it: heapq.heapreplace(it, Item()),
        lambda it: random.shuffle(it), lambda it: it.__init__(it), lambda it: it.__init__(Item()), lambda it: it.index(1, Item(), Item()),
        lambda it: it.__setitem__(slice(None), it), lambda it: it + it, lambda it: it.__iadd__(Item()), lambda it: it.clear(), lambda it: it.__delitem__(slice(1, None)),
    ],
    dict: [
        lambda it: it[Item()], lambda it: it.get(Item()), lambda it: it.pop(Item(), None), lambda it: it.setdefault(Item(), 1), lambda it: it.__setitem__(Item(), 1),
        lambda it: it.__delitem__(Item()), lambda it: it.update(Item()), lambda it: it.update(it), lambda it: it.update([(Item(), Item())] * 5), lambda it: it | it, lambda it: {**it},
        lambda it: it.items() == make_like(it).items(), lambda it: it.keys() & make_like(it).keys(), lambda it: it.keys() | Item(), lambda it: it.items() - make_like(it).items(),
        lambda it: it.keys() ^ make_like(it).keys(), lambda it: it.values() == 1, lambda it: Item() in it.values(), lambda it: Item() in it.items(), lambda it: (1, Item()) in it.items(),
        lambda it: it.keys().isdisjoint(Item()), lambda it: list(it.items()), lambda it: consume(it.values()), lambda it: dict(it, a=1), lambda it: dict(**it), lambda it: it.keys() <= make_like(it).keys(),
        lambda it: types.MappingProxyType(it) == it, lambda it: repr(it.items()), lambda it: eval("a", it), lambda it: exec("match it:\n case {1: a, 2: b, **c}: pass", {"it": it}),
        lambda it: "%(a)s" % it, lambda it: "{a}".format_map(it), lambda it: collections.ChainMap(it)[Item()], lambda it: it.__init__(Item()), lambda it: dict.fromkeys(it, Item()),
        lambda it: type("C", (), it), lambda it: str.maketrans(it), lambda it: "a".translate(it), lambda it: print(**it), lambda it: it.clear(),
    ],
    set: [
        lambda it: it & make_like(it), lambda it: it | make_like(it), lambda it: it ^ make_like(it), lambda it: it - make_like(it), lambda it: it.update(Item()), lambda it: it.add(Item()),
        lambda it: it.discard(Item()), lambda it: it.remove(Item()), lambda it: it.intersection_update(make_like(it)), lambda it: it.difference_update(make_like(it)),
        lambda it: it.symmetric_difference_update(make_like(it)), lambda it: it.isdisjoint(make_like(it)), lambda it: it <= make_like(it), lambda it: it < make_like(it), lambda it: it.issuperset(Item()),
        lambda it: it.difference(list(make_like(it))), lambda it: it.intersection(list(make_like(it))), lambda it: it.update(it), lambda it: it.intersection_update(it), lambda it: it.__ixor__(it),
        lambda it: it.__isub__(it), lambda it: it.__init__(Item()), lambda it: it.pop(), lambda it: it.clear(), lambda it: it.symmetric_difference(Item()),
    ],
    collections.deque: [
        lambda it: it.index(Item()), lambda it: it.count(Item()), lambda it: it.remove(Item()), lambda it: it.rotate(Item()), lambda it: it.insert(Item(), 1), lambda it: it[Item()], lambda it: it.extend(Item()),
        lambda it: it.extendleft(it), lambda it: it < make_like(it), lambda it: it.__delitem__(Item()), lambda it: it.__setitem__(Item(), Item()), lambda it: it.__imul__(Item()), lambda it: it.__init__(Item(), 3),
        lambda it: it.reverse(), lambda it: it + it, lambda it: it.clear(), lambda it: it.extend(it),
    ],
}
OWN[collections.OrderedDict] = OWN[dict] + [
    lambda it: it.move_to_end(Item()), lambda it: it.popitem(Item()), lambda it: it.popitem(last=False), lambda it: it.__reduce__(), lambda it: consume(reversed(it.items())), lambda it: it == collections.OrderedDict(make_like(it)),
]

for kind in OWN:
    for size in (1, 3, 200):
        for number, use in enumerate(COMMON + OWN[kind]):
            for turn in range(3):
                it = attempt(f"{kind.__name__} of {size}", make, kind, size)
                Item.count = turn
                rounds = turn
                attempt(f"{kind.__name__} of {size}: {number}", use, it)
        target = None
        it = None

for kind in (bytearray, lambda it: array.array("b", it)):
    for number, use in enumerate([
        lambda it: it.extend(Item()), lambda it: it.insert(Item(), Item()), lambda it: it.pop(Item()), lambda it: it.__setitem__(Item(), Item()), lambda it: it.__setitem__(slice(Item(), Item()), it),
        lambda it: it.index(Item()), lambda it: it.count(Item()), lambda it: it.remove(Item()), lambda it: Item() in it, lambda it: it.append(Item()), lambda it: it.__imul__(Item()), lambda it: it[Item():Item():Item()],
        lambda it: it.__iadd__(Item()), lambda it: it.join([Item(), it]), lambda it: it.find(Item(), Item(), Item()), lambda it: it.replace(Item(), Item(), Item()), lambda it: it.split(Item(), Item()),
        lambda it: it % Item(), lambda it: it.translate(Item(), Item()), lambda it: it.startswith(Item(), Item()), lambda it: it.center(Item(), b"x"), lambda it: it.hex(Item(), Item()), lambda it: it.maketrans(Item(), Item()),
        lambda it: it.fromlist([Item()] * 3), lambda it: it.extend([Item()] * 3), lambda it: it.__delitem__(slice(Item(), Item(), Item())), lambda it: it.__init__(Item()), lambda it: it.__init__([Item()] * 3),
        lambda it: memoryview(it)[Item()], lambda it: memoryview(it).__setitem__(Item(), Item()), lambda it: memoryview(it)[Item():Item()], lambda it: memoryview(it).cast("i", [Item()]), lambda it: io.BytesIO(b"abc").readinto(it),
        lambda it: it.partition(Item()), lambda it: it.strip(Item()), lambda it: it.expandtabs(Item()), lambda it: it.splitlines(Item()), lambda it: it.removeprefix(Item()), lambda it: it.resize(Item()),
    ]):
        for turn in range(4):
            rounds = turn
            target = it = kind(b"abcdef" * 10)
            Item.count = turn
            attempt(f"bytes: {number}", use, it)
target = None


# Callbacks of the dead, finalisers that bring back what dies.
class Phoenix:
    kept = []

    def __del__(self):
        Phoenix.kept.append(self)


for _ in range(100):
    first, second = Phoenix(), Phoenix()
    first.other, second.other = second, first
    references = [weakref.ref(first, lambda ref: gc.collect()), weakref.ref(second, Phoenix.kept.append)]
    del first, second
    attempt("collection", gc.collect)
    Phoenix.kept.clear()
    attempt("collection", gc.collect)

dictionary = weakref.WeakValueDictionary()
for n in range(1000):
    dictionary[n] = Phoenix()
    Phoenix.kept.clear()
    for key, value in list(dictionary.items()):
        del value
keys = weakref.WeakSet()


class Rehash:
    def __hash__(self):
        gc.collect(0)
        return 1

    def __eq__(self, other):
        keys.discard(other)
        return False


for n in range(50):
    attempt("weak set", keys.add, Rehash())


# Classes that change while they are used.
class First:
    def __init__(self):
        self.a = self.b = 1

    def method(self):
        return 1


class Second(First):
    def method(self):
        return 2


class Descriptor:
    def __get__(self, instance, owner):
        First.method = lambda self: 3
        if instance is not None:
            instance.__class__ = Second if type(instance) is First else First
            instance.__dict__ = {"a": 2}
        return 4

    def __set__(self, instance, value):
        del First.descriptor
        First.descriptor = Descriptor()


First.descriptor = Descriptor()
for n in range(1000):
    instance = First()
    instance.descriptor
    instance.method()
    instance.descriptor = 1
    instance.__class__ = Second
    for name in ("a", "b", "c", "a"):
        attempt("attribute", delattr, instance, name)
        setattr(instance, name, n)
    instance.__dict__.clear()
    instance.c = 1
    instance.__dict__ = instance.__dict__
    instance.__dict__[n] = n
    attempt("attributes", vars(instance).update, {str(n): n})


class Keys:
    def __eq__(self, other):
        instance.__dict__ = {}
        return False

    def __hash__(self):
        return hash("name")


instance = First()
instance.__dict__[Keys()] = 1
attempt("name", lambda: instance.name)
attempt("name", setattr, instance, "name", 1)
space = {Keys(): 1}
attempt("globals", eval, "name", space)
attempt("globals", exec, "def f():\n return name\nfor _ in range(100):\n f()", space)


class Namespace(dict):
    def __getitem__(self, key):
        self.clear()
        raise KeyError(key)


attempt("namespace", exec, "a = 1\na\nclass C:\n a", {}, Namespace())


class Changing(type):
    def mro(cls):
        try:
            cls.__bases__ = (First,) if len(cls.__bases__) else ()
        except (TypeError, AttributeError):
            pass
        return type.mro(cls)


changing = attempt("mro", Changing, "C", (Second,), {})
attempt("bases", lambda: setattr(changing, "__bases__", (First,)))


class Indirect(type):
    def __getattribute__(cls, name):
        if name == "__subclasses__":
            gc.collect()
        return type.__getattribute__(cls, name)


for _ in range(100):
    made = Indirect("C", (First,), {"__slots__": ("x", "y")})
    value = made()
    value.x = value
    del made, value
    First.method = lambda self: 1
    First.__subclasses__()
gc.collect()


class Sizes(bytes):
    def __len__(self):
        return 1 << 62


for function in (bytes, bytearray, str, int, memoryview, list, io.BytesIO, hash):
    attempt("wrong length", function, Sizes(b"abc"))


class Hint:
    def __init__(self, hint):
        self.hint = hint

    def __length_hint__(self):
        return self.hint

    def __iter__(self):
        return iter([1])


for hint in (-1, 0, 1 << 40, (1 << 63) - 1, 1 << 63, 1 << 70, "a", None, NotImplemented, 1.5):
    for function in (list, tuple, bytes, bytearray, set, sorted, collections.deque, operator.length_hint, lambda it: array.array("i", it), lambda it: [].extend(it), lambda it: [*it]):
        attempt("hint", function, Hint(hint))


def stop_iteration():
    it = iter([1])
    it.__setstate__(1 << 62)
    return list(it)


attempt("state", stop_iteration)
for function in (lambda: iter(range(5)).__setstate__(-(1 << 70)), lambda: iter("abc").__setstate__(1 << 70), lambda: next(itertools.cycle([])), lambda: itertools.islice([], 1 << 70),
                 lambda: list(itertools.repeat(1, Item())), lambda: itertools.product([1, 2], repeat=1 << 60), lambda: itertools.combinations(range(3), 1 << 62), lambda: itertools.count(1, Item())):
    attempt("iterators", function)
