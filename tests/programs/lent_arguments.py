"""Functions called from native code: what has a default, comes by keyword, or is left over."""

import functools


def plain(a, b=2, *, c=3):
    return a, b, c


def rest(a, *args, k=1, **kwargs):
    return a, args, k, kwargs


def only(a, /, b, *, c):
    return a, b, c


def kept(value, into=[]):
    into.append(value)
    return len(into)


def cell(a, b=5):
    return lambda: (a, b)


def generate(a, b=6):
    yield a
    yield b


print(list(map(plain, range(3))), list(map(plain, "ab", "cd")))
print(list(map(rest, range(2))), list(map(rest, "ab", "cd", "ef")))
print(list(map(kept, "xyz")), kept.__defaults__)
print([f() for f in map(cell, "ab")], [list(g) for g in map(generate, "ab")])
print(functools.partial(plain, c=9)(1), functools.partial(plain, 1)(c=7), functools.partial(plain, 1, b=4)(c=8))
print(functools.partial(rest, 1, 2)(3, k=4, z=5), functools.partial(rest, k=0)(1), functools.partial(rest, a=1)())
print(functools.partial(only, 1, c=3)(b=2), functools.partial(only, 1, 2)(c=4))
print(sorted([3, 1, 2], key=functools.partial(plain, c=0)), max([1, 5, 3], key=lambda x, sign=-1: sign * x))
print(functools.reduce(lambda a, b, c=10: a + b + c, [1, 2, 3]))

for call in (
    functools.partial(plain),
    functools.partial(plain, 1, a=2),
    functools.partial(plain, 1, 2, 3),
    functools.partial(plain, 1, d=2),
    functools.partial(only, 1),
    functools.partial(only, b=1, c=2),
    functools.partial(only, a=1, b=1, c=2),
    functools.partial(rest),
    functools.partial(rest, 1, a=1),
):
    try:
        print(call())
    except TypeError as error:
        print(error)

name = "".join(["z", "z"])
print(functools.partial(rest, 1, **{name: 2})(), functools.partial(rest, 1)(**{name: 2, "k": 3}))
plain.__defaults__ = ("new",)
plain.__kwdefaults__ = {"c": "other"}
print(list(map(plain, "a")))
plain.__kwdefaults__ = None
try:
    list(map(plain, "a"))
except TypeError as error:
    print(error)
kept.__defaults__ = None
try:
    list(map(kept, "a"))
except TypeError as error:
    print(error)


class Meta(type):
    def __call__(cls, *args, tag="none", **kwargs):
        return super().__call__(*args, **kwargs), tag


class Made(metaclass=Meta):
    def __new__(cls, a, b=2):
        self = super().__new__(cls)
        self.seen = a, b
        return self

    def __getitem__(self, key, more="more"):
        return key, more, self.seen

    def __call__(self, *args, **kwargs):
        return args, kwargs


made, tag = Made(1, tag="tag")
print(made[0], tag, made(1, x=2), list(map(made, "ab")))
many = list(range(40))
print(functools.partial(rest, *many)(k=2)[1] == tuple(many[1:]), functools.partial(made, *many)() == (tuple(many), {}))

items = dict(a=1, b=2, c=3)
del items["b"]
print(list(items.values()), list(items.items()), [*items.values()], (*items.items(), 4), [0, *items.items()])
