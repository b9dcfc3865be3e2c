# What `sys.getsizeof` and `tracemalloc` say of the same objects, and how sizes compare.
import array
import collections
import sys
import tracemalloc


class Plain:
    def __init__(self, count):
        for number in range(count):
            setattr(self, f"attribute_{number}", number)


class Slotted:
    __slots__ = ("x", "y")

    def __init__(self):
        self.x = self.y = 0


class Empty:
    __slots__ = ()


def traced(make, count=500):
    """The bytes that `make` allocates for each object, on average, and one of them."""
    others = [make() for _ in range(count)]  # These take what free lists have.
    made = [None] * count
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    for at in range(count):
        made[at] = make()
    after = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    return (after - before) / len(others), made[0]


def agree(name, make):
    """Tells whether both say the same, but for what a block is larger than was asked for."""
    size, made = traced(make)
    told = sys.getsizeof(made)
    print(name, "agree" if abs(told - size) < 16 else f"traced {size}, told {told}")


long = list(range(1000, 1100))
text = "n" * 1000
agree("object", object)
agree("slotted", Slotted)
agree("empty", Empty)
agree("tuple", lambda: tuple(long))
agree("short tuple", lambda: (long, text))
agree("bytes", lambda: bytes(500))
agree("bytearray", lambda: bytearray(500))
agree("list", lambda: [None] * 1000)
agree("empty list", lambda: [])
agree("copied list", lambda: list(long))
agree("dict", lambda: dict.fromkeys(long))
agree("empty dict", lambda: {})
agree("set", lambda: set(long))
agree("frozenset", lambda: frozenset(long))
agree("array", lambda: array.array("q", long))

plain = [Plain(3) for _ in range(200)][-1]
print("a slotted instance is smaller than one with a dict", sys.getsizeof(Slotted()) < sys.getsizeof(plain) + sys.getsizeof(plain.__dict__))
print("slots count", sys.getsizeof(Empty()) < sys.getsizeof(Slotted()))
print("more items, more bytes", all(
    sys.getsizeof(make(range(10))) < sys.getsizeof(make(range(100))) < sys.getsizeof(make(range(1000)))
    for make in (list, tuple, set, frozenset, dict.fromkeys, lambda r: bytes(len(r)), lambda r: "x" * len(r))
))
print("clearing frees", (lambda l: (sys.getsizeof(l), l.clear(), sys.getsizeof(l)))([0] * 1000)[2] == sys.getsizeof([]))
print("spare room counts", (lambda l: (l.append(1), sys.getsizeof(l) >= sys.getsizeof([1])))([])[1])
print("a deque counts its items", sys.getsizeof(collections.deque(range(10_000))) > 8 * 10_000)

tracemalloc.start()
before = tracemalloc.take_snapshot()
values = [number for number in range(100_000)]
after = tracemalloc.take_snapshot()
tracemalloc.stop()
first = after.compare_to(before, "lineno")[0]
line = first.traceback[0].lineno
source = open(__file__).read().splitlines()[line - 1]
print(source)
print("all of the list is there", first.size_diff >= sys.getsizeof(values) - 100, first.size_diff >= 800_000)
