"""What classes that inherit from built-in ones change is asked for, and what they do not change is as ever."""
import collections
import functools
import re


class Pair(collections.namedtuple("Pair", "x y")):
    pass


class Backwards(tuple):
    def __iter__(self):
        return reversed(tuple(self[:]))


x, y = Pair(1, 2)
print(x, y)
x, y = Backwards((1, 2))
print(x, y)
for wrong in Pair(1, 2), Backwards((1, 2, 3)):
    try:
        a, b, c, d = wrong
    except ValueError as error:
        print(type(error).__name__, error)
first, *rest = [1, 2, 3]
print(first, rest)
*rest, last = Backwards("abc")
print(rest, last)
try:
    a, b, *c = [1]
except ValueError as error:
    print(error)


class Default(dict):
    def __missing__(self, key):
        return f"no {key}"


class Negative(list):
    def __getitem__(self, key):
        return -super().__getitem__(key)


class Plain(list):
    pass


for container, key in (
    (Default(a=1), "a"),
    (Default(a=1), "b"),
    (Negative([1, 2]), 1),
    (Plain([1, 2]), -1),
    (Plain([1, 2]), 2),
    (Pair(3, 4), 0),
    (Pair(3, 4), 5),
    ("héllo€", 1),
    ("héllo€", -1),
    ("text", 4),
    ("text", True),
    ("text", 1 << 70),
    ("text", "t"),
):
    for _ in range(20):
        try:
            result = container[key]
        except Exception as error:
            result = f"{type(error).__name__}: {error}"
    print(type(container).__name__, key, result)


def changing(container):
    return container[0]


for container in [[1]] * 9 + [Plain([2]), Negative([3]), "four", Pair(5, 6), b"\7", range(8, 9), {0: 9}]:
    print(changing(container), end=" ")
print()


def only(a, *, b="b", c="c"):
    return a, b, c


print(only(1), only(1, c=2))
only.__kwdefaults__ = {"b": "changed"}
try:
    only(1)
except TypeError as error:
    print(error)
print(only(1, c=3))


def appended(target):
    for n in range(12):
        target.append(n)
    return target


print(appended(Plain()), appended([]), appended(collections.deque(maxlen=2)))


class Counting(list):
    def append(self, item):
        super().append((len(self), item))


print(appended(Counting())[-1])
lower = str.lower
for wrong in 3, b"B", None:
    try:
        lower(wrong)
    except TypeError as error:
        print(error)
for text in ["A"] * 10 + [type("Text", (str,), {})("B"), type("Text", (str,), {"lower": lambda self: "own"})("C")]:
    print(text.lower(), end=" ")
print()

nan = float("nan")
print((nan,) == (nan,), (nan,) == (float("nan"),), (1, 2) == (1.0, True + 1), (1, (2, 3)) != (1, (2, 3)), () == ())


class Equal:
    def __eq__(self, other):
        print("asked")
        return True

    __hash__ = None


print((1, Equal()) == (1, 2), (0, Equal()) == (1, 2))


class Initialized(bytes):
    def __init__(self, *arguments):
        print("initialized with", arguments)


class Source:
    def __bytes__(self):
        return Initialized(b"made")


source = Source()
source.__class__.__repr__ = lambda self: "a source"
for _ in range(3):
    print(bytes(source), type(bytes(source)).__name__)


def keywords(*arguments, **names):
    return arguments, names


part = functools.partial(keywords, 1, a=2)
print(part(3), part(a=4, b=5), part(**{"c": 6}))
print(keywords(*(1, 2), **{}), keywords(*[], **{"a": 1, "b": 2}), keywords(*(), **Default(z=1)))
try:
    keywords(**{1: 2})
except TypeError as error:
    print(error)

for pattern in r"[^\d\sa-f]+", r"(?i)[k-mß]+", r"[^\W\d_]+", r"[\D5]+", r"[^a]", r"[\u0101-\u0200é]+", r"(?ia)[K-M\u212a]+", r"[^\n\u20ac]+":
    print(pattern, [match.group() for match in re.finditer(pattern, "abc 123 KLMſK klé_ß\n€ŵ 5x")])
for pattern in rb"[^\w]+", rb"(?i)[k-m\xe9]+", rb"(?L)[\w]+", rb"[\x80-\xff]+":
    print(pattern, re.findall(pattern, b"abc KLM \xe9\xc9 k_5\n"))

for iterate in ({1: 2}, {3}, "ab", b"cd", enumerate("e"), zip("f", "g"), map(str, [1]), (n for n in [2]), iter([3]), range(1), [4]) * 3:
    for item in iterate:
        print(item, end=" ")
print()
