"""Attributes that descriptors provide, from the same places again and again, while what provides them changes."""

import functools
from collections import namedtuple


def class_of(thing):
    return thing.__class__


def name_of(thing):
    return thing.__name__


def value_of(thing):
    return thing.value


def call_value(thing):
    return thing.value()


def call_made(thing):
    return thing.made(1)


def bits(number):
    return number.bit_length()


def outcome(function, *args):
    try:
        return function(*args)
    except Exception as error:
        return f"{type(error).__name__}: {error}"


class Plain:
    value = 1

    @classmethod
    def made(cls, n):
        return cls.__name__, n


class Derived(Plain):
    pass


class Pretender:
    __class__ = Plain


# The class of all kinds of things, in turn.
for thing in [Plain(), 1, 1.5, "s", Plain, Pretender(), len, Plain()] * 2:
    print(class_of(thing).__name__, end=" ")
print()

# Classes are renamed, and get and lose what their metaclass has.
class Meta(type):
    @property
    def value(cls):
        return "of the metaclass", cls.__name__

    def described(cls):
        return "described", cls.__name__


class Made(metaclass=Meta):
    pass


for turn in range(3):
    print(name_of(Made), name_of(Plain), value_of(Made), Made.described())
    if turn == 0:
        Made.__name__ = "Renamed"
        Made.value_below = "hidden by the metaclass"
        Made.described = lambda: "its own"
    elif turn == 1:
        del Made.described
print(outcome(name_of, 1), outcome(name_of, Plain()))

# A property is replaced, deleted and shadowed; its getter raises.
class Shape:
    @property
    def value(self):
        return self.__dict__.get("hidden", "property")


shape, other = Shape(), Shape()
for turn in range(7):
    print(turn, outcome(value_of, shape), outcome(value_of, other))
    if turn == 0:
        shape.__dict__["value"] = "in the instance, behind the property"
    elif turn == 1:
        Shape.value = property(lambda self: 1 / 0)
    elif turn == 2:
        Shape.value = property(lambda self: self.absent)
    elif turn == 3:
        Shape.__getattr__ = lambda self, name: f"__getattr__ for {name}"
    elif turn == 4:
        del Shape.value
    elif turn == 5:
        Shape.value = property(functools.partial(lambda self: "partial", None))

# Called at once: properties that give functions, class methods by their instances, builtin methods.
class Holder:
    @property
    def value(self):
        return lambda: "called"

    @classmethod
    def made(cls, n):
        return cls.__name__, n


class Broken(Holder):
    @property
    def value(self):
        raise KeyError("value")


def closure(text):
    class Closed:
        @property
        def value(self):
            return lambda: text

    return Closed()


for thing in [Holder(), Holder(), Broken(), closure("closed"), Plain()] * 2:
    print(outcome(call_value, thing), end="; ")
print()
for thing in [Holder(), Broken(), Plain(), Derived(), Derived, Holder] * 2:
    print(outcome(call_made, thing), end="; ")
print()
Derived.made = staticmethod(lambda n: ("static", n))
print(outcome(call_made, Derived()), outcome(call_made, Derived), outcome(call_made, Plain()))


# The class of a method's `self` is nobody else's any more while its class method runs.
class Switching:
    @classmethod
    def made(cls, n):
        global switching
        switching.__class__ = Plain
        del globals()["Switching"]
        return cls.__name__, n


switching = Switching()
local = switching
print(local.made(1), local.made(2))

print([bits(n) for n in (0, 1, True, 255, 1 << 70, 7, False)], outcome(bits, 1.5), outcome(bits, None))
print([x.is_integer() for x in (1.0, 1.5, 3, 1e300, float("inf"), 2.0)])

Point = namedtuple("Point", "value made")
point = Point(3, lambda n: n + 1)
part = functools.partial(max, 1, key=len)
for turn in range(3):
    print(value_of(point), call_made(point), part.func is max, part.args, Plain.__mro__ == (Plain, object), end=" ")
print()
Derived.__bases__ = (Holder,)
del Derived.made
print([c.__name__ for c in Derived.__mro__], outcome(call_made, Derived()), outcome(call_value, Derived()))


# Bound methods, and methods of built-in types found on the class.
class Counter:
    def __init__(self):
        self.n = 0

    def value(self):
        self.n += 1
        return self.n


counter = Counter()
for turn in range(3):
    method = value_of(counter)
    print(method(), method.__self__ is counter, dict.get({1: turn}, 1), str.upper("x"), end=" ")
counter.value = "shadowed"
print(value_of(counter))
print(outcome(lambda: dict.get([], 1)), outcome(lambda: int.bit_length("x")))


# A closed generator has run what it had to run.
def generator(log):
    try:
        yield 1
    finally:
        log.append("finally")


def quiet():
    yield 1
    yield 2


def handling():
    try:
        raise ValueError
    except ValueError:
        yield 1


log = []
for make in (lambda: generator(log), quiet, handling, lambda: (x for x in [1, 2])):
    g = make()
    print(next(g), g.close(), g.gi_frame, list(g), end=" ")
    g = make()
    print(next(g), end=" ")
    del g
print(log)
print(any(x > 1 for x in range(5)), {1, 2, 3} - {2}, {1.0, 2} & {1, 2}, frozenset("ab") - set("b"))
